//! The walk over a list: negation, named lists, files, and what the end of a
//! list means (specification 10.2).

use eximious_core::trace::{Happening, ListEvent, TraceKinds};
use eximious_core::{Call, ErrorKind, Fail, FailClass, ListKind, Str, Taint};
use smallvec::SmallVec;

use super::address::Address;
use super::domain::Domain;
use super::host::Host;
use super::local_part::LocalPart;
use super::matcher::Keep;
use super::organs::log_panic;
use super::shown::{Doubtful, Owed, Shown};
use super::split::{change_of_separator, elements_with};
use super::{elements, file};
use crate::lookups::reason;
use crate::pattern::set::PlanSource;
use crate::variables::var;

/// How many elements and lines one test looks at.
const MOST_ELEMENTS: u32 = 5_000_000;

/// An element, without its exclamation mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern<'a> {
    pub(super) text: &'a [u8],
    pub(super) taint: Taint,
    /// Whether it stands so in the configuration, whatever was made of others beside it.
    pub(super) is_own: bool,
}

impl<'a> Pattern<'a> {
    /// As a string.
    pub(super) fn str(self) -> Str {
        Str::from(self.text).stamped(self.taint)
    }

    /// A part of it.
    pub(super) fn part(self, text: &'a [u8]) -> Str {
        Pattern { text, ..self }.str()
    }

    /// Refuses text that may come from outside where it would name something of ours: a list
    /// or this host.
    pub(super) fn as_metadata(self) -> Result<Self, Fail> {
        if self.taint.is_tainted() && !self.is_own {
            let message = [b"attempt to use tainted list metadata ", self.text].concat();
            return Err(Fail::error(ErrorKind::Taint, message));
        }
        Ok(self)
    }
}

/// How many elements at the head of a list stand in the configuration as they are: those that
/// end before anything is expanded.
fn own_elements(written: &[u8]) -> usize {
    let end = memchr::memchr2(b'$', b'\\', written).unwrap_or(written.len());
    // The last of them goes on with what is expanded.
    elements(&[&written[..end], b"$"].concat()).count().saturating_sub(1)
}

/// What a pattern says of a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Hit {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// There is no answer now, and why, where that is known.
    Later(Option<Vec<u8>>),
    /// It can't be said of this host, and why.
    Unknown(Option<Vec<u8>>),
}

/// What a pattern leaves as data: nothing at all (what was there stays), no data,
/// or data.
pub(super) type Left = Option<Option<Str>>;

/// What a list says of a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is in the list.
    Yes,
    /// It is not.
    No,
    /// There is no answer now, and why, where that is known.
    Later(Option<Vec<u8>>),
}

/// What is tested.
pub(super) enum Subject<'n> {
    Domain(Domain),
    LocalPart(LocalPart),
    Address(Address),
    Host(Host<'n>),
}

impl Subject<'_> {
    pub(super) fn kind(&self) -> ListKind {
        match self {
            Self::Domain(_) => ListKind::Domain,
            Self::LocalPart(_) => ListKind::LocalPart,
            Self::Address(_) => ListKind::Address,
            Self::Host(_) => ListKind::Host,
        }
    }

    /// As it is shown.
    fn shown(&self) -> Vec<u8> {
        match self {
            Self::Host(host) if !host.by_address => b"host".to_vec(),
            Self::Domain(domain) => domain.0.given.bytes().to_vec(),
            Self::LocalPart(part) => part.0.given.bytes().to_vec(),
            _ => self.key(true).map(|key| key.bytes().to_vec()).unwrap_or_default(),
        }
    }

    /// What regular expressions see of it, where they see it as it is.
    pub(super) fn seen(&self, caseful: bool) -> Option<&Str> {
        match self {
            Self::Domain(domain) => Some(&domain.0.given),
            Self::LocalPart(part) => Some(&part.0.given),
            Self::Address(address) => address.seen(caseful),
            Self::Host(_) => None,
        }
    }

    /// What a cache knows it by.
    pub(super) fn key(&self, caseful: bool) -> Option<&Str> {
        match self {
            Self::Domain(domain) => Some(&domain.0.folded),
            Self::LocalPart(part) if !caseful => Some(&part.0.folded),
            Self::LocalPart(part) => Some(&part.0.given),
            Self::Address(address) => Some(&address.given),
            Self::Host(host) => host.address.as_ref().map(|(text, _)| text),
        }
    }
}

/// What a host list does with what it can't find out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doubt {
    /// The default: not in the list, or no answer now.
    Stop,
    /// `+include_…`: in the list.
    Include,
    /// `+ignore_…`: on with the next element.
    Ignore,
}

/// What holds for one list, and not for those that it refers to.
pub(super) struct Run {
    pub(super) last_negated: bool,
    unknown: Doubt,
    deferred: Doubt,
}

/// What goes from a list into those that it refers to, and comes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Whether the case of local parts counts; a named list that says
    /// `+caseful` says it to the lists around it, too.
    pub(super) caseful: bool,
    /// How long results of constant named lists are kept.
    pub(super) keep: Option<Keep>,
    /// Whether all named lists so far hold the same each time.
    pub(super) constant: bool,
    /// How many elements may still be looked at.
    budget: u32,
}

impl Terms {
    pub(super) fn new(caseful: bool, keep: Option<Keep>) -> Self {
        Self { caseful, keep, constant: true, budget: MOST_ELEMENTS }
    }

    /// For the domain of an address: nothing is kept of what lists say of it.
    pub(super) fn of_domain(self) -> Self {
        Self { keep: None, ..self }
    }

    /// Takes back what a list of another kind was given: there, case is a
    /// matter of its own.
    pub(super) fn after(&mut self, inner: Self) {
        self.constant = inner.constant;
        self.budget = inner.budget;
    }

    /// Counts elements.
    pub(super) fn take(&mut self, count: u32) -> Result<(), Fail> {
        match self.budget.checked_sub(count) {
            Some(less) => {
                self.budget = less;
                Ok(())
            }
            None => {
                Err(Fail::error(ErrorKind::Limit, "list matching stopped: the list is too long"))
            }
        }
    }
}

/// One test of a subject.
pub(super) struct Walk<'s, 'n> {
    pub(super) subject: &'s mut Subject<'n>,
    pub(super) terms: Terms,
    /// What the elements left as data.
    pub(super) left: Left,
    /// The named lists that are open, outermost first.
    pub(super) open: SmallVec<[Str; 2]>,
    /// Whether somebody is shown each step.
    pub(super) traced: bool,
    /// What the decision is owed to, where that is not the element as it stands.
    pub(super) owed: Option<Owed>,
    /// What the outermost list is called; other lists are shown by their text.
    pub(super) called: Option<&'s str>,
    /// Whether the outermost list was shown.
    inside: bool,
    /// Whether a condition asks, whose list is expanded already.
    of_condition: bool,
    /// Whether an option's list is tested, which says yes or no alone.
    pub(super) of_option: bool,
}

impl<'s, 'n> Walk<'s, 'n> {
    pub(super) fn new(subject: &'s mut Subject<'n>, terms: Terms) -> Self {
        Self {
            subject,
            terms,
            left: None,
            open: SmallVec::new(),
            traced: false,
            owed: None,
            called: None,
            inside: false,
            of_condition: false,
            of_option: false,
        }
    }

    /// Tests a list as it is written in the configuration, expanded as a whole:
    /// `<\n` at its head is a newline for a separator.
    pub(super) fn written(&mut self, call: &mut Call<'_>, list: &Str) -> Result<Verdict, Fail> {
        let head = change_of_separator(list.bytes());
        let chosen = head.is_some_and(|(separator, _)| separator != b'$');
        let text = match self.expand(call, list) {
            Ok(text) => text,
            Err(fail) if fail.class() == FailClass::Forced => {
                call.trace().tell(Happening::List(ListEvent::Forced { list: list.bytes() }));
                return Ok(Verdict::No);
            }
            Err(fail) if fail.kind() == ErrorKind::Limit => return Err(fail),
            Err(fail) => {
                let message = [
                    b"failed to expand \"",
                    list.bytes(),
                    b"\" while checking a list: ",
                    fail.message(),
                ];
                log_panic(call, &message.concat());
                return Ok(Verdict::Later(None));
            }
        };
        self.run(call, &text, chosen, list)
    }

    /// Where no domain is at hand otherwise, `$domain` is the one that is tested, and in a list
    /// of hosts `$host_address` is that one's address (specification 11.9).
    fn expand(&self, call: &mut Call<'_>, list: &Str) -> Result<Str, Fail> {
        if !list.bytes().contains(&b'$') {
            return call.expand(list);
        }
        let (variable, own) = match &*self.subject {
            Subject::Domain(domain) if call.value_of(var::DOMAIN)?.is_empty() => {
                (var::DOMAIN, &domain.0.given)
            }
            Subject::Host(Host { address: Some((own, _)), .. }) => (var::HOST_ADDRESS, own),
            _ => return call.expand(list),
        };
        let before = call.value_of(variable)?;
        call.set_var(variable, own.clone());
        let expanded = call.expand(list);
        call.set_var(variable, before);
        expanded
    }

    /// Tests a list that is expanded already.
    pub(super) fn expanded(&mut self, call: &mut Call<'_>, list: &Str) -> Result<Verdict, Fail> {
        self.of_condition = true;
        self.run(call, list, false, list)
    }

    fn run(
        &mut self,
        call: &mut Call<'_>,
        text: &Str,
        chosen: bool,
        list: &Str,
    ) -> Result<Verdict, Fail> {
        let (bytes, taint) = text.read();
        // Text from outside does not choose how it is split; what stands before
        // it in the configuration does.
        let elements = if taint.is_tainted() && !chosen {
            let head = change_of_separator(bytes).map_or(0, |(_, length)| length);
            elements_with(&bytes[head..], b':')
        } else {
            elements(bytes)
        };
        let mut run = Run::new();
        let mut shown = self.shown(call, bytes);
        if !taint.is_tainted() {
            let keep = || PlanSource::Text(text.clone());
            if let Some(candidates) = self.candidates(call, bytes, keep, false)? {
                let verdict = self.planned(call, &candidates, |walk, call, span| {
                    let pattern = Pattern { text: &bytes[span], taint, is_own: true };
                    walk.owed = None;
                    walk.element(call, &mut run, pattern, list)
                })?;
                return Ok(verdict.unwrap_or_else(|| run.end()));
            }
        }
        let own = match taint.is_tainted() {
            true if self.of_condition => 0,
            true => own_elements(list.bytes()),
            false => usize::MAX,
        };
        shown.begin(call);
        for (number, element) in elements.enumerate() {
            let pattern = Pattern { text: &element, taint, is_own: number < own };
            shown.element(call, &element);
            self.owed = None;
            if let Some(verdict) = self.element(call, &mut run, pattern, list)? {
                shown.end(call, &verdict, Some(&element), self.owed.take());
                return Ok(verdict);
            }
        }
        let verdict = run.end();
        shown.end(call, &verdict, None, None);
        Ok(verdict)
    }

    /// What is shown of the test of a list; nothing where nobody wants to see it.
    fn shown(&mut self, call: &mut Call<'_>, list: &[u8]) -> Shown {
        self.traced = call.watched(TraceKinds::LIST);
        if !self.traced {
            return Shown::NOTHING;
        }
        let subject = self.subject.shown();
        let subject = subject.to_vec();
        let outermost = !std::mem::replace(&mut self.inside, true);
        Shown::of(subject, self.name_of(list, outermost))
    }

    /// What a list is called: an option's by the option's name.
    fn name_of(&self, list: &[u8], outermost: bool) -> Vec<u8> {
        match self.called.filter(|_| outermost) {
            Some(name) => name.as_bytes().to_vec(),
            None => [b"\"", list, b"\""].concat(),
        }
    }

    /// Tests one element as a list of its own: the domain of an address.
    pub(super) fn single(
        &mut self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
    ) -> Result<Verdict, Fail> {
        let mut run = Run::new();
        let pattern = Pattern { text: pattern.text.trim_ascii(), ..pattern };
        let mut shown = self.shown(call, pattern.text);
        shown.begin(call);
        if !pattern.text.is_empty() {
            shown.element(call, pattern.text);
            self.owed = None;
            if let Some(verdict) = self.element(call, &mut run, pattern, &pattern.str())? {
                shown.end(call, &verdict, Some(pattern.text), self.owed.take());
                return Ok(verdict);
            }
        }
        let verdict = run.end();
        shown.end(call, &verdict, None, None);
        Ok(verdict)
    }

    fn element(
        &mut self,
        call: &mut Call<'_>,
        run: &mut Run,
        pattern: Pattern<'_>,
        list: &Str,
    ) -> Result<Option<Verdict>, Fail> {
        self.terms.take(1)?;
        if pattern.text.first() == Some(&b'+') && self.directive(run, pattern)? {
            return Ok(None);
        }
        let (negated, pattern) = negation(pattern);
        match pattern.text.first() {
            Some(b'+') => self.named(call, run, pattern.as_metadata()?, negated),
            Some(b'/') => self.file(call, run, pattern, negated, list),
            _ => {
                let hit = self.test(call, pattern)?;
                self.judge(call, run, hit, pattern, negated)
            }
        }
    }

    /// `+caseful`, `+include_unknown` and the like.
    fn directive(&mut self, run: &mut Run, pattern: Pattern<'_>) -> Result<bool, Fail> {
        let kind = self.subject.kind();
        match (kind, pattern.text) {
            (ListKind::Address | ListKind::LocalPart, b"+caseful") => self.terms.caseful = true,
            (ListKind::Host, b"+include_unknown") => run.unknown = Doubt::Include,
            (ListKind::Host, b"+ignore_unknown") => run.unknown = Doubt::Ignore,
            (ListKind::Host, b"+include_defer") => run.deferred = Doubt::Include,
            (ListKind::Host, b"+ignore_defer") => run.deferred = Doubt::Ignore,
            _ => return Ok(false),
        }
        pattern.as_metadata()?;
        Ok(true)
    }

    fn test(&mut self, call: &mut Call<'_>, pattern: Pattern<'_>) -> Result<Hit, Fail> {
        if self.traced {
            call.trace().enter_list(1);
        }
        let tested = match self.subject {
            Subject::Domain(domain) => domain.test(call, pattern, self.terms.caseful),
            Subject::LocalPart(part) => part.test(call, pattern, self.terms.caseful),
            Subject::Address(address) => address.test(call, pattern, &mut self.terms),
            Subject::Host(host) => host.test(call, pattern),
        };
        if self.traced {
            call.trace().leave_list(1);
        }
        let (hit, left) = tested?;
        if left.is_some() {
            self.left = left;
        }
        Ok(hit)
    }

    /// What an element's answer means; nothing, where the walk goes on.
    fn judge(
        &mut self,
        call: &mut Call<'_>,
        run: &mut Run,
        hit: Hit,
        pattern: Pattern<'_>,
        negated: bool,
    ) -> Result<Option<Verdict>, Fail> {
        run.last_negated = negated;
        let (doubt, why, otherwise) = match hit {
            Hit::Yes if negated => return Ok(Some(Verdict::No)),
            Hit::Yes => return Ok(Some(Verdict::Yes)),
            Hit::No => return Ok(None),
            Hit::Unknown(why) => (run.unknown, why.unwrap_or_else(|| b"NULL".to_vec()), None),
            Hit::Later(why) => {
                let general = [b"DNS lookup of \"", pattern.text, b"\" deferred"].concat();
                // It is said of hosts what was looked for, and of addresses in conditions.
                let is_said = match self.subject.kind() {
                    ListKind::Host => true,
                    ListKind::Address => self.of_condition,
                    ListKind::Domain | ListKind::LocalPart => false,
                };
                let why = reason(call, why, if is_said { &general } else { b"" });
                (run.deferred, general, Some(why))
            }
        };
        match doubt {
            Doubt::Ignore => {
                let by = if otherwise.is_some() { "+ignore_defer" } else { "+ignore_unknown" };
                call.trace().tell(Happening::List(ListEvent::Ignored { why: &why, by }));
                Ok(None)
            }
            Doubt::Include => {
                let word = if otherwise.is_some() { "+include_defer" } else { "+include_unknown" };
                let line = [&why[..], b": accepted by ", word.as_bytes()].concat();
                self.owed = Some(match otherwise {
                    Some(_) => Owed::Later(line),
                    None => Owed::Doubt(Doubtful { why, line: Some(line), in_file: false }),
                });
                Ok(Some(Verdict::Yes))
            }
            Doubt::Stop => Ok(Some(match otherwise {
                Some(why) => Verdict::Later((!why.is_empty()).then_some(why)),
                None => {
                    self.owed = Some(Owed::Doubt(Doubtful { why, line: None, in_file: false }));
                    Verdict::No
                }
            })),
        }
    }

    /// `/some/file`: its lines are elements.
    fn file(
        &mut self,
        call: &mut Call<'_>,
        run: &mut Run,
        pattern: Pattern<'_>,
        negated: bool,
        list: &Str,
    ) -> Result<Option<Verdict>, Fail> {
        run.last_negated = negated;
        let name = || self.name_of(list.bytes(), self.open.is_empty());
        let bytes = file::read(call, (pattern, negated), name)?;
        let keep = || PlanSource::File(bytes.clone());
        if let Some(candidates) = self.candidates(call, &bytes, keep, true)? {
            return self.planned(call, &candidates, |walk, call, span| {
                walk.line(call, run, pattern, negated, &bytes[span])
            });
        }
        for line in file::lines(&bytes, self.subject.kind()) {
            if let Some(verdict) = self.line(call, run, pattern, negated, line)? {
                return Ok(Some(verdict));
            }
        }
        Ok(None)
    }

    /// A line of a file.
    fn line(
        &mut self,
        call: &mut Call<'_>,
        run: &mut Run,
        file: Pattern<'_>,
        negated: bool,
        line: &[u8],
    ) -> Result<Option<Verdict>, Fail> {
        self.terms.take(1)?;
        let written = Pattern { text: line, taint: Taint::Clean, is_own: true };
        let (inverted, line) = negation(written);
        let hit = self.test(call, line)?;
        if hit == Hit::Yes {
            self.left = Some(Some(line.str()));
        }
        // Of a line there is less to say than of an element.
        if hit == Hit::Later(None) && run.deferred == Doubt::Stop {
            return Ok(Some(Verdict::Later(None)));
        }
        let verdict = self.judge(call, run, hit, line, negated != inverted)?;
        if let Some(Owed::Doubt(doubt)) = &mut self.owed {
            doubt.in_file = true;
        }
        if verdict.is_some() && self.traced && self.owed.is_none() {
            self.owed = Some(Owed::Line(written.text.to_vec(), file.text.to_vec(), inverted));
        }
        Ok(verdict)
    }
}

impl Run {
    fn new() -> Self {
        Self { last_negated: false, unknown: Doubt::Stop, deferred: Doubt::Stop }
    }

    /// What it means that no element has decided.
    fn end(&self) -> Verdict {
        if self.last_negated { Verdict::Yes } else { Verdict::No }
    }
}

/// Takes one exclamation mark off.
fn negation(pattern: Pattern<'_>) -> (bool, Pattern<'_>) {
    let (negated, text) = is_negated(pattern.text);
    (negated, Pattern { text, ..pattern })
}

/// Whether an element begins with an exclamation mark, and what is behind it.
pub(super) fn is_negated(element: &[u8]) -> (bool, &[u8]) {
    match element {
        [b'!', rest @ ..] => (true, rest.trim_ascii_start()),
        _ => (false, element),
    }
}

#[cfg(test)]
mod tests {
    use super::own_elements;

    #[test]
    fn elements_before_anything_expanded_are_the_configurations_own() {
        for (written, count) in [
            ("@ : +a : sqlite;select '$domain' : +b", 2),
            ("@ : $domain", 1),
            ("$domain : @", 0),
            ("<; @ ; a::b ; +c ${lc:$domain}", 2),
            ("@ : a\\x : b", 1),
            ("", 0),
        ] {
            assert_eq!(own_elements(written.as_bytes()), count, "{written}");
        }
    }
}
