//! Tests a domain, host, address or local part against a list.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use eximious_core::{Call, Captures, Fail, FailClass, ListKind, Memory, Str};
use rustc_hash::FxHashMap;

use super::address::Address;
use super::domain::Domain;
use super::host::{Host, HostNames};
use super::local_part::LocalPart;
use super::organs::log_panic;
use super::text::Bind;
use super::walk::{Left, Pattern, Subject, Terms, Verdict, Walk};

/// What a list says of a subject. An error is none of these: it is a list that
/// can't be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListOutcome {
    /// It is in the list.
    Matched(Option<Str>),
    /// It is not. A negative element that matched may have left data, too.
    Unmatched(Option<Str>),
    /// There is no answer now, and why, where that is known.
    Deferred(Option<Vec<u8>>),
}

impl ListOutcome {
    /// Whether it is in the list. Where nobody knows why there is no answer, it is not.
    ///
    /// # Errors
    /// There is no answer now: why.
    pub fn told(self) -> Result<bool, Vec<u8>> {
        match self {
            Self::Matched(_) => Ok(true),
            Self::Unmatched(_) | Self::Deferred(None) => Ok(false),
            Self::Deferred(Some(why)) => Err(why),
        }
    }
}

/// A subject that is tested against lists. The data of an outcome is what the
/// pattern that decided stands for: its own text, a line of a file, what was
/// looked up. None means that no pattern said anything of it.
///
/// Domains and local parts leave what was matched in `$0`, `$1`, ….
pub struct Matcher<'n> {
    subject: Subject<'n>,
    caseful: bool,
    keep: Option<Keep>,
    called: Option<&'static str>,
    left: Option<Str>,
}

impl std::fmt::Debug for Matcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Matcher")
    }
}

impl<'n> Matcher<'n> {
    /// Tests a domain.
    pub fn domain(domain: &Str) -> Self {
        Self::new(Subject::Domain(Domain::new(domain, Bind::Set)))
    }

    /// Tests a local part.
    pub fn local_part(local_part: &Str) -> Self {
        Self::new(Subject::LocalPart(LocalPart::new(local_part, Bind::Set)))
    }

    /// Tests an address; an empty one is the sender of a bounce.
    pub fn address(address: &Str) -> Self {
        Self::new(Subject::Address(Address::new(address)))
    }

    /// Tests an address of a host, against a list without names.
    pub fn ip(address: Option<(Str, IpAddr)>) -> Self {
        let mut host = Host::new(address, None);
        host.by_address = true;
        Self::new(Subject::Host(host))
    }

    /// Tests a host, whose names are looked for where a pattern needs them.
    pub fn host(address: Option<(Str, IpAddr)>, names: &'n mut dyn HostNames) -> Self {
        Self::new(Subject::Host(Host::new(address, Some(names))))
    }

    /// Tests another host than the client: it is shown by its address.
    pub fn other_host(address: (Str, IpAddr), names: &'n mut dyn HostNames) -> Self {
        let mut host = Host::new(Some(address), Some(names));
        host.by_address = true;
        Self::new(Subject::Host(host))
    }

    fn new(subject: Subject<'n>) -> Self {
        Self { subject, caseful: false, keep: None, called: None, left: None }
    }

    /// Heeds the case of local parts from the start (`caseful_local_part`).
    pub fn caseful(mut self) -> Self {
        self.caseful = true;
        self
    }

    /// Leaves what was matched of an address in `$0`, `$1`, … (specification 31.5).
    pub fn binding(mut self) -> Self {
        if let Subject::Address(address) = &mut self.subject {
            address.bind();
        }
        self
    }

    /// Keeps what named lists say, where they hold the same each time; until
    /// [`forget`]. What is remembered leaves nothing in `$0`, `$1`, ….
    pub fn kept(mut self, keep: Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// What the last test left as data, whatever came of it.
    pub(crate) fn left(&self) -> Option<&Str> {
        self.left.as_ref()
    }

    /// Says what the list is called, to whoever is shown each step: the name of
    /// an option.
    pub fn called(mut self, name: &'static str) -> Self {
        self.called = Some(name);
        self
    }

    /// Tests a list that is expanded already.
    ///
    /// # Errors
    /// Where the list can't be read; the panic log is told why.
    pub fn test(&mut self, call: &mut Call<'_>, list: &Str) -> Result<ListOutcome, Fail> {
        let outcome = self.walk(|walk| walk.expanded(call, list));
        told(call, outcome)
    }

    /// Tests one pattern that is expanded already: separators mean nothing in it.
    ///
    /// # Errors
    /// Where the pattern can't be read.
    pub fn test_pattern(
        &mut self,
        call: &mut Call<'_>,
        pattern: &Str,
    ) -> Result<ListOutcome, Fail> {
        let (text, taint) = pattern.read();
        let is_own = !taint.is_tainted();
        self.walk(|walk| walk.single(call, Pattern { text, taint, is_own }))
    }

    /// Tests a list as it is written in the configuration, and expands it.
    /// Only the configuration itself can change its separator. A forced failure
    /// means that nothing is in the list.
    ///
    /// # Errors
    /// Where the list can't be read; the panic log is told why.
    pub fn test_written(&mut self, call: &mut Call<'_>, list: &Str) -> Result<ListOutcome, Fail> {
        let outcome = self.walk(|walk| walk.written(call, list));
        told(call, outcome)
    }

    fn walk(
        &mut self,
        work: impl FnOnce(&mut Walk<'_, 'n>) -> Result<Verdict, Fail>,
    ) -> Result<ListOutcome, Fail> {
        let mut walk = Walk::new(&mut self.subject, Terms::new(self.caseful, self.keep));
        walk.called = self.called;
        walk.of_option = self.called.is_some();
        let verdict = work(&mut walk)?;
        let data = walk.left.map(Option::unwrap_or_default);
        self.left.clone_from(&data);
        Ok(match verdict {
            Verdict::Yes => ListOutcome::Matched(data),
            Verdict::No => ListOutcome::Unmatched(data),
            Verdict::Later(why) => ListOutcome::Deferred(why),
        })
    }
}

/// Notes why a list can't be told, where the panic log is read.
fn told(call: &mut Call<'_>, outcome: Result<ListOutcome, Fail>) -> Result<ListOutcome, Fail> {
    if let Err(fail) = &outcome
        && fail.class() == FailClass::Error
        && !fail.ends_evaluation()
        && !fail.message().is_empty()
    {
        log_panic(call, fail.message());
    }
    outcome
}

/// How long it is kept what named lists say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keep {
    /// As long as the client stays: of hosts.
    Client,
    /// For a message: of its sender.
    Sender,
    /// For a message: of its sender's domain. Data is not shown then.
    SenderDomain,
    /// For a recipient: of its domain and its local part.
    Recipient,
}

/// Forgets what named lists said: a new message begins, or another recipient.
pub fn forget(memory: &mut Memory, keep: Keep) {
    memory.get::<Kept>().of(keep).clear();
}

/// Puts answers about a recipient in the place of others, which are returned: those
/// about one address say nothing of another.
pub fn swap_answers(memory: &mut Memory, answers: Answers) -> Answers {
    std::mem::replace(memory.get::<Kept>().of(Keep::Recipient), answers)
}

/// What named lists said of an address.
#[derive(Clone, Default, Debug)]
pub struct Answers {
    /// The first of them: to look at each of a few is faster than to hash what is asked.
    few: Vec<(Question, Answer)>,
    many: FxHashMap<Question, Answer>,
}

/// How many answers are looked at one by one.
const FEW: usize = 8;

impl Answers {
    fn get(&self, question: &Question) -> Option<&Answer> {
        let few = || self.few.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer);
        let many = || if self.many.is_empty() { None } else { self.many.get(question) };
        few().or_else(many)
    }

    fn insert(&mut self, question: Question, answer: Answer) {
        if self.few.len() + self.many.len() >= KEPT {
            self.clear();
        }
        if let Some((_, known)) = self.few.iter_mut().find(|(asked, _)| *asked == question) {
            *known = answer;
        } else if self.few.len() < FEW {
            self.few.push((question, answer));
        } else {
            self.many.insert(question, answer);
        }
    }

    fn clear(&mut self) {
        self.few.clear();
        self.many.clear();
    }
}

/// How many answers of named lists a context keeps, of each kind.
const KEPT: usize = 1024;

/// What a named list was asked. Names and subjects are short: as strings, they
/// stand in here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Question {
    pub(super) kind: ListKind,
    pub(super) name: Str,
    pub(super) subject: Str,
    pub(super) caseful: bool,
}

impl Question {
    /// About a domain, without case.
    pub(super) fn of_domain(name: &Str, subject: &Str) -> Self {
        let (name, subject) = (name.clone(), subject.clone());
        Self { kind: ListKind::Domain, name, subject, caseful: false }
    }
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.name.bytes());
        state.write(self.subject.bytes());
    }
}

/// A verdict, its data, and whether case counts from then on.
pub(super) type Answer = (Verdict, Left, bool);

/// What named lists said, by how long it is kept; and what is settled by their text,
/// with what it leaves in `$0`, `$1`, …, if anything.
#[derive(Default)]
pub(super) struct Kept {
    kept: [Answers; 4],
    settled: FxHashMap<Question, (Answer, Option<Captures>)>,
}

impl Kept {
    fn of(&mut self, keep: Keep) -> &mut Answers {
        &mut self.kept[keep as usize]
    }

    /// What a list of names says, as it did before.
    pub(super) fn settled(&self, question: &Question) -> Option<(Answer, Option<Captures>)> {
        self.settled.get(question).cloned()
    }

    pub(super) fn settle(
        &mut self,
        question: Question,
        answer: Answer,
        captures: Option<Captures>,
    ) {
        if self.settled.len() >= KEPT {
            self.settled.clear();
        }
        self.settled.insert(question, (answer, captures));
    }

    pub(super) fn get(&mut self, keep: Keep, question: &Question) -> Option<Answer> {
        self.of(keep).get(question).cloned()
    }

    /// What a named list said of the domain of a recipient.
    pub(super) fn of_domain(&self, name: &Str, subject: &Str) -> Option<&Answer> {
        let answers = &self.kept[Keep::Recipient as usize];
        let asks = |asked: &Question| {
            let same = asked.subject == *subject && asked.name == *name;
            same && asked.kind == ListKind::Domain && !asked.caseful
        };
        let few = answers.few.iter().find(|(asked, _)| asks(asked)).map(|(_, answer)| answer);
        if few.is_some() || answers.many.is_empty() {
            return few;
        }
        answers.many.get(&Question::of_domain(name, subject))
    }

    pub(super) fn insert(&mut self, keep: Keep, question: Question, answer: Answer) {
        self.of(keep).insert(question, answer);
    }
}
