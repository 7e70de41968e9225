//! Conditions.

use eximious_core::Str;
use eximious_grammar::filter::{
    Comparison, FilterCondition, FilterTest, FilterWord, Verb, show_all, show_any,
};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::pattern;
use eximious_stdlib::variables::var;

use super::number::compared;
use super::{Halt, Run};
use crate::engine::patterns::RECORD;

/// A test that something went wrong in: what it would have been is noted all the
/// same.
type Outcome = (bool, Result<(), Halt>);

impl Run<'_> {
    /// Whether a condition of an `if` holds.
    pub(super) fn condition(
        &mut self,
        condition: &FilterCondition,
        depth: u32,
    ) -> Result<bool, Halt> {
        self.test(condition, depth, true)
    }

    fn test(
        &mut self,
        condition: &FilterCondition,
        depth: u32,
        outermost: bool,
    ) -> Result<bool, Halt> {
        self.step()?;
        let (holds, went) = match &condition.test {
            FilterTest::All(parts) => self.all(parts, depth),
            FilterTest::Any(parts) => self.any(parts, depth),
            FilterTest::AnyAddress { list, condition } => {
                let list = self.expand(&list.text, "filter file")?;
                self.any_address_of(&list, condition, depth)
            }
            FilterTest::Personal { aliases } => (self.is_personal(aliases)?, Ok(())),
            FilterTest::Delivered => (self.done.significant, Ok(())),
            FilterTest::ErrorMessage => (self.cx.value_of(var::SENDER_ADDRESS).is_empty(), Ok(())),
            FilterTest::FirstDelivery => (self.options.first_delivery, Ok(())),
            FilterTest::ManuallyThawed => (self.options.manually_thawed, Ok(())),
            FilterTest::Compare { verb, left, right } => {
                (self.compare(*verb, left, right)?, Ok(()))
            }
        };
        let holds = holds != condition.negated;
        if self.notes() {
            self.outcome(holds, depth, outermost, &condition.shown());
        }
        went.map(|()| holds)
    }

    fn outcome(&mut self, holds: bool, depth: u32, outermost: bool, shown: &[u8]) {
        let indent = 2 * depth as usize + 1;
        let name = if outermost { "Condition" } else { "Sub-condition" };
        let head = format!("{:indent$}{name} is {holds}: ", "");
        self.note(&[head.as_bytes(), shown]);
    }

    /// Exim takes the last two together first.
    fn all(&mut self, parts: &[FilterCondition], depth: u32) -> Outcome {
        let mut holds = true;
        let mut went = Ok(());
        let mut reached = 0;
        for (at, part) in parts.iter().enumerate() {
            reached = at;
            match self.test(part, depth, false) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(halt) => went = Err(halt),
            }
            holds = false;
            break;
        }
        if self.notes() {
            for first in (1..=reached.min(parts.len().saturating_sub(2))).rev() {
                if !self.notes() {
                    break;
                }
                let mut shown = Vec::new();
                show_all(&parts[first..], &mut shown);
                self.outcome(holds, depth, false, &shown);
            }
        }
        (holds, went)
    }

    /// Exim takes the first two together first.
    fn any(&mut self, parts: &[FilterCondition], depth: u32) -> Outcome {
        let mut holds = false;
        let mut went = Ok(());
        for (at, part) in parts.iter().enumerate() {
            if !holds && went.is_ok() {
                match self.test(part, depth, false) {
                    Ok(value) => holds = value,
                    Err(halt) => went = Err(halt),
                }
            }
            if at > 0 && at + 1 < parts.len() && self.notes() {
                let mut shown = Vec::new();
                show_any(&parts[..=at], &mut shown);
                self.outcome(holds, depth, false, &shown);
            }
            if (holds || went.is_err()) && !self.notes() {
                break;
            }
        }
        (holds, went)
    }

    /// Whether a condition holds for any address of a list. The last address that
    /// was tried stays in `$thisaddress`.
    fn any_address_of(&mut self, list: &Str, condition: &FilterCondition, depth: u32) -> Outcome {
        let rules = Rules { utf8_domains: true, literals: true, ..Rules::default() };
        for element in address::list(list.bytes(), rules) {
            let Ok(found) = element.address else { continue };
            if self.notes() {
                self.note(&[b" Extracted address ", &found.text]);
            }
            self.cx.set_var(var::THISADDRESS, Str::from(found.text).stamped(list.taint()));
            match self.test(condition, depth, false) {
                Ok(true) => return (true, Ok(())),
                Ok(false) => {}
                Err(halt) => return (false, Err(halt)),
            }
        }
        (false, Ok(()))
    }

    fn compare(&mut self, verb: Verb, left: &FilterWord, right: &FilterWord) -> Result<bool, Halt> {
        let left = self.expand(&left.text, "filter file")?;
        let right = self.expand(&right.text, "filter file")?;
        let (how, caseful) = match verb {
            Verb::Above => return Ok(number(&left)? > number(&right)?),
            Verb::Below => return Ok(number(&left)? < number(&right)?),
            Verb::Text { how, caseful } => (how, caseful),
        };
        let same = |one: &[u8], other: &[u8]| match caseful {
            true => one == other,
            false => one.eq_ignore_ascii_case(other),
        };
        let (text, wanted) = (left.bytes(), right.bytes());
        Ok(match how {
            Comparison::Is => same(text, wanted),
            Comparison::Begins => text.get(..wanted.len()).is_some_and(|head| same(head, wanted)),
            Comparison::Ends => {
                let start = text.len().checked_sub(wanted.len());
                start.is_some_and(|start| same(&text[start..], wanted))
            }
            Comparison::Contains if caseful => memchr::memmem::find(text, wanted).is_some(),
            // An empty text is in none where case does not matter, to Exim.
            Comparison::Contains => {
                let (text, wanted) = (text.to_ascii_lowercase(), wanted.to_ascii_lowercase());
                !wanted.is_empty() && memchr::memmem::find(&text, &wanted).is_some()
            }
            Comparison::Matches => self.matches(&left, &right, caseful)?,
        })
    }

    fn matches(&mut self, text: &Str, pattern: &Str, caseful: bool) -> Result<bool, Halt> {
        if self.notes() {
            self.note(&[b" Match expanded arguments:"]);
            self.note(&[b"   Subject = ", text.bytes()]);
            self.note(&[b"   Pattern = ", pattern.bytes()]);
        }
        let matches =
            self.cx.call(&RECORD, |call| pattern::matches(call, pattern.bytes(), !caseful, text));
        matches.map_err(|fail| Halt::error(fail.message()))
    }
}

fn number(text: &Str) -> Result<i32, Halt> {
    compared(text.bytes()).ok_or_else(|| {
        Halt::error([b"malformed numerical string \"", text.bytes(), b"\""].concat())
    })
}
