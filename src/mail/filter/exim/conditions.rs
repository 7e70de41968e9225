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

impl Run<'_> {
    /// Whether a condition of an `if` holds. Where something is wrong in it, it is looked at
    /// as far as Exim does, and then that ends the filter: of several mistakes, the last.
    pub(super) fn condition(
        &mut self,
        condition: &FilterCondition,
        depth: u32,
    ) -> Result<bool, Halt> {
        self.wrong = None;
        let holds = self.test(condition, depth, true)?;
        match self.wrong.take() {
            Some(halt) => Err(halt),
            None => Ok(holds),
        }
    }

    fn test(
        &mut self,
        condition: &FilterCondition,
        depth: u32,
        outermost: bool,
    ) -> Result<bool, Halt> {
        self.step()?;
        let holds = match &condition.test {
            FilterTest::All(parts) => Ok(self.all(parts, depth)?),
            FilterTest::Any(parts) => Ok(self.any(parts, depth)?),
            FilterTest::AnyAddress { list, condition } => {
                match self.expand(&list.text, "filter file") {
                    Ok(list) => Ok(self.any_address_of(&list, condition, depth)?),
                    Err(halt) => Err(halt),
                }
            }
            FilterTest::Personal { aliases } => self.is_personal(aliases),
            FilterTest::Delivered => Ok(self.done.significant),
            FilterTest::ErrorMessage => Ok(self.cx.value_of(var::SENDER_ADDRESS).is_empty()),
            FilterTest::FirstDelivery => Ok(self.options.first_delivery),
            FilterTest::ManuallyThawed => Ok(self.options.manually_thawed),
            FilterTest::Compare { verb, left, right } => self.compare(*verb, left, right),
        };
        let holds = match holds {
            Ok(holds) => holds != condition.negated,
            Err(halt) => {
                self.wrong = Some(halt);
                return Ok(false);
            }
        };
        if self.notes() {
            self.outcome(holds, depth, outermost, &condition.shown());
        }
        Ok(holds)
    }

    fn outcome(&mut self, holds: bool, depth: u32, outermost: bool, shown: &[u8]) {
        let indent = 2 * depth as usize + 1;
        let name = if outermost { "Condition" } else { "Sub-condition" };
        let head = format!("{:indent$}{name} is {holds}: ", "");
        self.note(&[head.as_bytes(), shown, b" "]);
    }

    /// Exim takes the last two together first.
    fn all(&mut self, parts: &[FilterCondition], depth: u32) -> Result<bool, Halt> {
        let mut holds = true;
        let mut reached = 0;
        for (at, part) in parts.iter().enumerate() {
            reached = at;
            // Nothing is added to what went wrong.
            holds = self.test(part, depth, false)? && self.wrong.is_none();
            if !holds {
                break;
            }
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
        Ok(holds)
    }

    /// Exim takes the first two together first.
    fn any(&mut self, parts: &[FilterCondition], depth: u32) -> Result<bool, Halt> {
        let mut holds = false;
        for (at, part) in parts.iter().enumerate() {
            if at == 0 || (!holds && self.wrong.is_none()) {
                holds = self.test(part, depth, false)?;
            }
            if at > 0 && at + 1 < parts.len() && self.notes() {
                let mut shown = Vec::new();
                show_any(&parts[..=at], &mut shown);
                self.outcome(holds, depth, false, &shown);
            }
            if (holds || self.wrong.is_some()) && !self.notes() {
                break;
            }
        }
        Ok(holds)
    }

    /// Whether a condition holds for any address of a list, though something be wrong with
    /// others. The last address that was tried stays in `$thisaddress`.
    fn any_address_of(
        &mut self,
        list: &Str,
        condition: &FilterCondition,
        depth: u32,
    ) -> Result<bool, Halt> {
        let rules = Rules { utf8_domains: true, literals: true, ..Rules::default() };
        for element in address::list(list.bytes(), rules) {
            let Ok(found) = element.address else { continue };
            if self.notes() {
                self.note(&[b" Extracted address ", &found.text]);
            }
            self.cx.set_var(var::THISADDRESS, Str::from(found.text).stamped(list.taint()));
            if self.test(condition, depth, false)? {
                return Ok(true);
            }
        }
        Ok(false)
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
