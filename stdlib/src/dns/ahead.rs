//! Questions that are asked before their answers are wanted, side by side.

use eximious_core::Call;
use eximious_core::world::{DnsAnswer, DnsError, DnsRecord};
use eximious_mailauth::DnsQuery;
use rustc_hash::FxHashMap;

use super::{DNS, How, LONGEST_NAME, Memory, ascii, kind, mx, options, proper, remembered, source};

type Answered = Result<DnsAnswer, DnsError>;

/// Answers, by name and type.
type Answers = FxHashMap<(String, u16), Answered>;

/// What a context knows before it is wanted.
#[derive(Default)]
pub(super) struct Ahead {
    /// What was answered to questions that were asked side by side, until each is looked at.
    usual: Answers,
    /// What was answered to questions that are still to come, until the message is done.
    foreseen: Answers,
}

impl Ahead {
    fn knows(&self, question: &(String, u16)) -> bool {
        self.foreseen.contains_key(question) || self.usual.contains_key(question)
    }

    /// The answer to a question, if it is there; what was foreseen stands for questions that
    /// are put in the usual way.
    pub(super) fn take(&mut self, name: &str, kind: u16, is_usual: bool) -> Option<Answered> {
        if self.usual.is_empty() && self.foreseen.is_empty() {
            return None;
        }
        let question = (name.to_owned(), kind);
        let foreseen = || self.foreseen.get(&question).filter(|_| is_usual).cloned();
        self.usual.remove(&question).or_else(foreseen)
    }
}

/// Asks several questions side by side: [`query`](super::query) looks at the answers, one
/// after the other, and asks nothing more then. What it need not ask is left out. Until
/// [`forget_ahead`], what nobody looks at is no event.
pub(crate) fn ask_ahead(call: &mut Call<'_>, questions: &[(&[u8], u16)]) {
    if let Some(answers) = answers(call, questions) {
        call.memory::<Memory>().ahead.usual.extend(answers);
    }
}

/// Asks side by side what will be asked about a message: [`query`](super::query) has the
/// answers at hand, however often it asks, until [`forget_foreseen`].
pub fn foresee(call: &mut Call<'_>, questions: &[DnsQuery]) {
    let questions: Vec<_> =
        questions.iter().map(|one| (&one.name[..], source::number(one.kind))).collect();
    if let Some(answers) = answers(call, &questions) {
        call.memory::<Memory>().ahead.foreseen = answers;
    }
}

/// Forgets what was asked for a message: another one may follow.
pub fn forget_foreseen(call: &mut Call<'_>) {
    call.memory::<Memory>().ahead.foreseen.clear();
}

/// The answers to those questions that have to be asked, where there are several.
fn answers(call: &mut Call<'_>, questions: &[(&[u8], u16)]) -> Option<Answers> {
    let mut wanted = Vec::new();
    for (name, kind) in questions {
        let Some(name) = ascii(name).filter(|name| name.len() <= LONGEST_NAME) else { continue };
        let slot = (name.to_ascii_lowercase().into_bytes(), *kind, [false; 3]);
        let question = (name, *kind);
        let is_new = !call.memory::<Memory>().ahead.knows(&question)
            && remembered(call, &slot).is_none()
            && !wanted.contains(&question);
        if is_new && proper(call, &question.0, *kind).unwrap_or(false) {
            wanted.push(question);
        }
    }
    if wanted.len() < 2 {
        return None;
    }
    let options = options(call, &How::default());
    // Who may not ask hears of it when the answers are looked at.
    let dns = call.with_record(&DNS, |call| call.dns()).ok()?;
    let answers = dns.query_all(&wanted, &options);
    let mut known = FxHashMap::default();
    for (question, answer) in wanted.into_iter().zip(answers) {
        if let (kind::MX, Ok(answer)) = (question.1, &answer) {
            known.extend(additional_answers(answer));
        }
        known.insert(question, answer);
    }
    Some(known)
}

/// What will be asked of the hosts that MX records name, as far as their addresses came with
/// the records.
fn additional_answers(answer: &DnsAnswer) -> impl Iterator<Item = ((String, u16), Answered)> + '_ {
    let hosts = answer.records.iter().filter(|record| record.kind == kind::MX);
    let hosts = hosts.filter_map(|record| mx(record).map(|(_, host)| host));
    hosts.flat_map(|host| [(host.clone(), kind::A), (host, kind::AAAA)]).filter_map(|question| {
        let (host, kind) = (&question.0, question.1);
        let of_host =
            |record: &&DnsRecord| record.kind == kind && record.name.eq_ignore_ascii_case(host);
        let records: Vec<_> = answer.additional.iter().filter(of_host).cloned().collect();
        let answer = DnsAnswer { name: host.clone(), records, ..DnsAnswer::default() };
        (!answer.records.is_empty()).then_some((question, Ok(answer)))
    })
}

/// Forgets what nobody looked at.
pub(crate) fn forget_ahead(call: &mut Call<'_>) {
    call.memory::<Memory>().ahead.usual.clear();
}
