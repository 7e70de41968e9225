//! Long lists of regular expressions: one look at the subject says which of them match, and
//! the walk goes only to those, and to all that is no regular expression.

use std::borrow::Cow;
use std::ops::Range;

use eximious_core::{Call, Fail, ListKind};

use super::walk::{Verdict, Walk};
use super::{elements, file};
use crate::pattern::set::{Candidates, PlanItem, PlanItems, PlanSource, WORTH_A_PLAN, plan};

impl Walk<'_, '_> {
    /// The items of a list, or of a file in one, that may say something of the subject;
    /// nothing, where all are looked at: a list is short, or somebody is shown each step.
    pub(super) fn candidates(
        &self,
        call: &mut Call<'_>,
        text: &[u8],
        keep: impl FnOnce() -> PlanSource,
        is_file: bool,
    ) -> Result<Option<Candidates>, Fail> {
        let caseful = self.terms.caseful;
        let Some(seen) = self.subject.seen(caseful).filter(|_| text.len() >= WORTH_A_PLAN) else {
            return Ok(None);
        };
        if self.traced {
            return Ok(None);
        }
        let kind = self.subject.kind();
        let sort = kind as u8 * 2 + u8::from(is_file);
        let found = plan(text, keep, sort, !caseful, |text| match is_file {
            true => lines(text, kind),
            false => parts(text),
        });
        let Some(plan) = found else { return Ok(None) };
        call.charge_match(seen.bytes().len())?;
        Ok(Some(plan.candidates(seen.bytes())))
    }

    /// Goes over candidates, until there is a verdict.
    pub(super) fn planned(
        &mut self,
        call: &mut Call<'_>,
        candidates: &Candidates,
        mut each: impl FnMut(&mut Self, &mut Call<'_>, Range<usize>) -> Result<Option<Verdict>, Fail>,
    ) -> Result<Option<Verdict>, Fail> {
        let caseful = self.terms.caseful;
        let (mut numbers, mut seen) = (candidates.numbers(), 0);
        loop {
            // Where one says that case counts, it does for all patterns behind it.
            let next = match self.terms.caseful == caseful {
                true => numbers.next(),
                false => (seen < candidates.count()).then_some(seen),
            };
            let Some(number) = next else { return Ok(None) };
            self.terms.take(u32::try_from(number - seen).unwrap_or(u32::MAX))?;
            seen = number + 1;
            if let Some(verdict) = each(self, call, candidates.span(number))? {
                return Ok(Some(verdict));
            }
        }
    }
}

/// The elements of a list, unless one of them is not in the text as it is.
fn parts(text: &[u8]) -> Option<Box<PlanItems<'_>>> {
    let mut items = Vec::new();
    for element in elements(text) {
        let Cow::Borrowed(element) = element else { return None };
        items.push(item(text, element));
    }
    Some(Box::new(items.into_iter()))
}

fn lines(text: &[u8], kind: ListKind) -> Option<Box<PlanItems<'_>>> {
    Some(Box::new(file::lines(text, kind).map(move |line| item(text, line))))
}

fn item<'t>(text: &[u8], part: &'t [u8]) -> PlanItem<'t> {
    let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    let span = if part.is_empty() { (0, 0) } else { (start, start + part.len()) };
    PlanItem { span, pattern: part.starts_with(b"^").then_some(Cow::Borrowed(part)) }
}
