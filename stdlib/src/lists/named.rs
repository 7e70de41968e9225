//! `+name` in a list: the named list it refers to, and the answers of named
//! lists that are kept (specification 10.2.4, 10.2.6).

use eximious_core::trace::{Happening, ListEvent};
use eximious_core::{Call, ErrorKind, Fail, ListKind, Str, stack};

use super::matcher::{Answer, Keep, Kept, Question};
use super::organs::log_panic;
use super::shown::{Owed, show_keeping, show_known};
use super::walk::{Pattern, Run, Verdict, Walk};

/// How many elements a named list counts as, beside its own. Named lists that
/// hold each other twice grow by powers of two.
const NAME: u32 = 20;
/// How deep named lists may stand in each other.
const MOST_NAMES: usize = 64;

impl Walk<'_, '_> {
    /// `+name`.
    pub(super) fn named(
        &mut self,
        call: &mut Call<'_>,
        run: &mut Run,
        pattern: Pattern<'_>,
        negated: bool,
    ) -> Result<Option<Verdict>, Fail> {
        let name = &pattern.text[1..];
        let question = self.question(name);
        let verdict = match self.known(call, question.as_ref()) {
            Some(verdict) => verdict,
            None => {
                let kind = self.subject.kind();
                let found = call.settings().lists.get(kind, name);
                let Some(list) = found.map(|list| (list.text.clone(), list.cached)) else {
                    let kind = kind.name().as_bytes();
                    let line = [b"unknown named ", kind, b" list \"", pattern.text, b"\""];
                    call.trace().tell(Happening::List(ListEvent::SublistBegin { name }));
                    call.trace().lose_way(2);
                    log_panic(call, &line.concat());
                    return Ok(Some(Verdict::Later(None)));
                };
                self.named_list(call, name, list, question)?
            }
        };
        run.last_negated = negated;
        Ok(match verdict {
            Verdict::Yes if negated => Some(Verdict::No),
            Verdict::No => None,
            verdict => Some(verdict),
        })
    }

    /// What is asked of a named list, where the answer may be kept.
    fn question(&self, name: &[u8]) -> Option<(Keep, Question)> {
        let caseful = self.terms.caseful;
        let (subject, keep) = (self.subject.key(caseful)?.clone(), self.terms.keep?);
        let kind = self.subject.kind();
        Some((keep, Question { kind, name: Str::from(name), subject, caseful }))
    }

    /// Whether somebody wants to know what was looked up: of clients, options don't.
    fn leaves_data(&self, keep: Keep) -> bool {
        match keep {
            Keep::SenderDomain => false,
            Keep::Client => !self.of_option,
            _ => true,
        }
    }

    /// What a named list said before.
    fn known(
        &mut self,
        call: &mut Call<'_>,
        question: Option<&(Keep, Question)>,
    ) -> Option<Verdict> {
        let (keep, question) = question?;
        let (verdict, left, caseful) = call.memory::<Kept>().get(*keep, question)?;
        if self.traced {
            let data = self.leaves_data(*keep).then_some(&left);
            show_known(call, question.name.bytes(), &verdict, data);
        }
        self.owed = Some(Owed::Kept);
        self.left = left;
        self.terms.caseful = caseful;
        Some(verdict)
    }

    fn named_list(
        &mut self,
        call: &mut Call<'_>,
        name: &[u8],
        (text, cached): (Str, bool),
        question: Option<(Keep, Question)>,
    ) -> Result<Verdict, Fail> {
        // What it says of a domain is the same each time: only who is shown each step
        // wants to see it found out.
        let kind = self.subject.kind();
        let settled = kind == ListKind::Domain
            && !self.traced
            && question.is_some()
            && call.settings().lists.is_of_names(kind, name);
        if settled
            && let Some((keep, question)) = &question
            && let Some(answer) = self::settled(call, *keep, question)
        {
            self.terms.take(NAME)?;
            self.owed = None;
            let (verdict, left, caseful) = answer;
            (self.left, self.terms.caseful) = (left.or(self.left.take()), caseful);
            return Ok(verdict);
        }
        self.enter(name)?;
        self.terms.take(NAME)?;
        let before = std::mem::replace(&mut self.terms.constant, true);
        let verdict = self.sublist(call, name, &text);
        self.owed = None;
        self.open.pop();
        let constant = cached || (self.terms.constant && !text.bytes().contains(&b'$'));
        self.terms.constant = before && constant;
        let verdict = verdict?;
        if constant
            && !matches!(verdict, Verdict::Later(_))
            && let Some((keep, question)) = question
        {
            let answer = (verdict.clone(), self.left.clone(), self.terms.caseful);
            if let Some(Some(data)) = &self.left
                && self.leaves_data(keep)
            {
                show_keeping(call, name, question.subject.bytes(), data);
            }
            if settled {
                // An empty one leaves all as it was.
                let empty = text.bytes().trim_ascii().is_empty();
                let captures = (!empty).then(|| call.scope().captures_mut().clone());
                let (verdict, left, caseful) = answer.clone();
                let answer = (verdict, left.filter(|_| !empty), caseful);
                call.memory::<Kept>().settle(question.clone(), answer, captures);
            }
            call.memory::<Kept>().insert(keep, question, answer);
        }
        Ok(verdict)
    }

    fn sublist(&mut self, call: &mut Call<'_>, name: &[u8], text: &Str) -> Result<Verdict, Fail> {
        if !self.traced {
            return self.written(call, text);
        }
        let outer = call.trace().begin(Happening::List(ListEvent::SublistBegin { name }));
        call.trace().enter_list(3);
        let verdict = self.written(call, text);
        let loses_way = self.owed.as_ref().is_some_and(Owed::loses_way);
        let trace = call.trace();
        trace.leave_list(3);
        if loses_way {
            trace.lose_way(1);
        }
        trace.end(outer);
        trace.tell(Happening::List(ListEvent::SublistEnd { name }));
        verdict
    }

    fn enter(&mut self, name: &[u8]) -> Result<(), Fail> {
        let kind = self.subject.kind();
        let complaint = |text: &[u8]| {
            let message =
                [b"named ", kind.name().as_bytes(), b" list \"+", name, b"\" ", text].concat();
            Err(Fail::error(ErrorKind::Limit, message))
        };
        if self.open.iter().any(|open| open.bytes() == name) {
            return complaint(b"refers to itself");
        }
        if self.open.len() >= MOST_NAMES || stack::is_deep() {
            return complaint(b"stands in too many others");
        }
        self.open.push(Str::from(name));
        Ok(())
    }
}

/// What a list whose text settles what is in it said of a domain, of which it is now
/// kept: it leaves in `$0`, `$1`, … what it left then.
pub(super) fn settled(call: &mut Call<'_>, keep: Keep, question: &Question) -> Option<Answer> {
    let (answer, captures) = call.memory::<Kept>().settled(question)?;
    if let Some(captures) = captures {
        call.set_captures(captures);
    }
    call.memory::<Kept>().insert(keep, question.clone(), answer.clone());
    Some(answer)
}
