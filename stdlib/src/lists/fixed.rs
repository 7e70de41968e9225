//! Lists that hold nothing but names: what they say of a subject is the same each
//! time, and so it is kept.

use eximious_core::{Call, Captures, Fail, ListKind, Settings, Str, Trace};
use rustc_hash::FxHashMap;

use super::elements;
use super::matcher::Outcome;
use super::mx::Mx;

/// How many lists are known, of how many subjects each.
const LISTS: usize = 1024;
const SUBJECTS: usize = 8;
/// How deep named lists may stand in each other.
const DEPTH: u32 = 16;

/// What lists said.
#[derive(Default)]
pub(super) struct Fixed(FxHashMap<Vec<u8>, Option<List>>);

/// A list, where it is one that can be kept.
struct List {
    /// Whether it names this host.
    has_own_name: bool,
    answers: Vec<Answer>,
    /// Which of the answers gives way next.
    oldest: usize,
}

struct Answer {
    subject: Str,
    caseful: bool,
    /// This host's name at that time, where the list has it.
    own_name: Str,
    outcome: Outcome,
    captures: Captures,
}

/// What of a subject is asked.
pub(super) struct Question<'q> {
    pub(super) kind: ListKind,
    /// As the configuration has it.
    pub(super) list: &'q Str,
    pub(super) subject: &'q Str,
    pub(super) caseful: bool,
}

impl Question<'_> {
    /// The answer, which leaves `$0`, `$1`, … as the test itself does; `test` is for
    /// the first time, and where someone wants to see it.
    pub(super) fn answer(
        &self,
        call: &mut Call<'_>,
        test: impl FnOnce(&mut Call<'_>) -> Result<Outcome, Fail>,
    ) -> Result<Outcome, Fail> {
        let Some(own_name) = self.own_name(call)? else { return test(call) };
        let (fixed, scope) = call.memory_and_scope::<Fixed>();
        if let Some(list) = fixed.list(self.list)
            && let Some(answer) = list.answers.iter().find(|answer| answer.is_for(self, &own_name))
        {
            scope.clear_captures();
            if !answer.captures.groups.is_empty() {
                scope.captures_mut().clone_from(&answer.captures);
            }
            return Ok(answer.outcome.clone());
        }
        let outcome = test(call)?;
        let (fixed, scope) = call.memory_and_scope::<Fixed>();
        if let Some(list) = fixed.list(self.list)
            && !matches!(outcome, Outcome::Deferred(_))
        {
            list.keep(Answer {
                subject: self.subject.clone(),
                caseful: self.caseful,
                own_name,
                outcome: outcome.clone(),
                captures: scope.captures().clone(),
            });
        }
        Ok(outcome)
    }

    /// The name of this host, or nothing where the list does not have it; `None` where
    /// the list has to be tested each time.
    fn own_name(&self, call: &mut Call<'_>) -> Result<Option<Str>, Fail> {
        if call.memory::<Trace>().sink.is_some() || self.list.taint().is_tainted() {
            return Ok(None);
        }
        let fixed = call.memory::<Fixed>();
        if !fixed.0.contains_key(self.list.bytes()) {
            if fixed.0.len() >= LISTS {
                return Ok(None);
            }
            let mut has_own_name = false;
            let is_fixed =
                is_fixed(call.settings(), self.kind, self.list.bytes(), DEPTH, &mut has_own_name);
            let list = is_fixed.then(|| List { has_own_name, answers: Vec::new(), oldest: 0 });
            call.memory::<Fixed>().0.insert(self.list.bytes().to_vec(), list);
        }
        match call.memory::<Fixed>().list(self.list) {
            None => Ok(None),
            Some(list) if !list.has_own_name => Ok(Some(Str::EMPTY)),
            Some(_) => call.variable("primary_hostname").map(Some),
        }
    }
}

impl Fixed {
    fn list(&mut self, text: &Str) -> Option<&mut List> {
        self.0.get_mut(text.bytes())?.as_mut()
    }
}

impl List {
    fn keep(&mut self, answer: Answer) {
        if self.answers.len() < SUBJECTS {
            return self.answers.push(answer);
        }
        self.answers[self.oldest] = answer;
        self.oldest = (self.oldest + 1) % SUBJECTS;
    }
}

impl Answer {
    fn is_for(&self, question: &Question<'_>, own_name: &Str) -> bool {
        self.subject == *question.subject
            && self.subject.taint() == question.subject.taint()
            && self.caseful == question.caseful
            && self.own_name == *own_name
    }
}

/// Whether a list has nothing but names, `*suffix`es, `@`, and named lists of such.
fn is_fixed(
    settings: &Settings,
    kind: ListKind,
    text: &[u8],
    depth: u32,
    has_own_name: &mut bool,
) -> bool {
    if depth == 0 || memchr::memchr2(b'$', b'\\', text).is_some() {
        return false;
    }
    elements(text).all(|element| {
        let pattern = match element.strip_prefix(b"!") {
            Some(rest) => rest.trim_ascii_start(),
            None => &element[..],
        };
        match pattern.first() {
            Some(b'+') => {
                let named = settings.lists.get(&(kind, pattern[1..].to_vec()));
                named.is_some_and(|list| {
                    is_fixed(settings, kind, list.text.bytes(), depth - 1, has_own_name)
                })
            }
            Some(b'@') if pattern == b"@" && kind == ListKind::Domain => {
                *has_own_name = true;
                true
            }
            Some(b'/' | b'^') => false,
            _ => !pattern.contains(&b';') && pattern != b"@[]" && Mx::read(pattern).is_none(),
        }
    })
}
