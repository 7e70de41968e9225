//! `spf` and `spf_guess` (specification 58.2).

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use eximious_core::trace::TraceKinds;
use eximious_core::{AclTerm, Effects, Fail, Meta, Str, Taint, TaintRule};
use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};
use eximious_mailauth::spf::{Sender, SpfReason, Verdict, check, domain_of, explanation};
use eximious_stdlib::address;
use eximious_stdlib::dns::AuthDns;
use eximious_stdlib::ip;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::Logs;
use super::machine::{Answer, Run};
use super::words::{self, TermRun};
use crate::Context;

/// How many names are kept in mind whose texts were shown.
const MOST_SHOWN: usize = 500;
/// What those that are refused are told where `spf_smtp_comment_template` is none.
const UNTOLD: &[u8] = b"Please see http://www.openspf.org/Why?id=%{S}&ip=%{C}&receiver=%{R}";

static META: Meta = Meta::new("spf", Effects::DNS.union(Effects::CLOCK), TaintRule::Tainted);

/// `spf`.
pub(super) static SPF: AclTerm = words::condition(
    &TermRun::Text(|run, list| holds(run, list, false)),
    words::meta(
        "spf",
        "spf = <string list>",
        "specification 58.2",
        "The sender's SPF record has a result listed.",
        "The results are `pass`, `fail`, `softfail`, `none`, `neutral`, `permerror`, `temperror` \
         and `invalid`; `!` before one turns it round. `err_perm` and `err_temp` are what former \
         releases called two of them. A sender without an address is checked by the name in \
         HELO. `$spf_result`, `$spf_header_comment`, `$spf_smtp_comment` and `$spf_received` \
         tell more; a DNS that does not answer is a result, too, and defers nothing.",
    ),
)
.phases(words::ALL.difference(words::NO_SENDER).difference(words::NO_CLIENT))
.effects(META.effects);

/// `spf_guess`.
pub(super) static SPF_GUESS: AclTerm = words::condition(
    &TermRun::Text(|run, list| holds(run, list, true)),
    words::meta(
        "spf_guess",
        "spf_guess = <string list>",
        "specification 58.2",
        "As `spf`, with a record that is guessed.",
        "The option `spf_guess` says what the record of a domain without one could be. What it \
         finds is a guess, and no reason to refuse a message.",
    ),
)
.phases(words::ALL.difference(words::NO_SENDER).difference(words::NO_CLIENT))
.effects(META.effects);

/// What a conversation knows of SPF.
#[derive(Default)]
struct Memory {
    /// What was found out for the message at hand, and about whom.
    last: Option<(Asked, Verdict)>,
    /// Names whose texts are no records, which was shown.
    shown: HashSet<Vec<u8>>,
}

/// About whom something is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Asked {
    address: IpAddr,
    helo: Str,
    /// The sender's address, or what stands for it.
    mailbox: Str,
    guess: bool,
}

impl Asked {
    fn of(cx: &mut Context, guess: bool) -> Self {
        let address = ip::address(cx.value_of(var::SENDER_HOST_ADDRESS).bytes());
        let helo = cx.value_of(var::SENDER_HELO_NAME);
        let mut mailbox = cx.value_of(var::SENDER_ADDRESS);
        if mailbox.is_empty() {
            mailbox = Str::tainted([b"postmaster@", helo.bytes()].concat());
        }
        let address = address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        Self { address, helo, mailbox, guess }
    }

    fn domain(&self) -> &[u8] {
        domain_of(self.mailbox.bytes())
    }

    /// The same by names as the DNS has them (RFC 8616, section 4). People are told those that
    /// the client gave.
    fn in_ascii(&self) -> Self {
        let ascii = |text: &Str| Str::tainted(&*address::with_domain_in_ascii(text.bytes()));
        Self { helo: ascii(&self.helo), mailbox: ascii(&self.mailbox), ..self.clone() }
    }

    fn sender<'a>(&'a self, receiver: &'a Str, now: i64) -> Sender<'a> {
        Sender {
            address: self.address,
            helo: self.helo.bytes(),
            mailbox: self.mailbox.bytes(),
            receiver: receiver.bytes(),
            now,
        }
    }
}

/// What SPF says of the message at hand, where that was asked: the result, and the domain
/// that it is about.
pub(super) fn found(cx: &mut Context) -> Option<(Verdict, Vec<u8>)> {
    let (asked, verdict) = cx.memory::<Memory>().last.as_ref()?;
    Some((*verdict, asked.domain().to_vec()))
}

/// Asks what a check of the message at hand asks first, if there was none yet.
pub(super) fn foretell(cx: &mut Context, dns: &mut dyn DnsSource) {
    let asked = Asked::of(cx, false);
    if cx.memory::<Memory>().last.is_none() {
        let receiver = cx.engine().settings().get(opt::PRIMARY_HOSTNAME);
        check(dns, &asked.in_ascii().sender(&receiver, 0), None);
    }
}

/// Forgets what is about the message: another one may follow.
pub(super) fn end_message(cx: &mut Context) {
    cx.memory::<Memory>().last = None;
    [
        var::SPF_HEADER_COMMENT,
        var::SPF_RECEIVED,
        var::SPF_RESULT,
        var::SPF_RESULT_GUESSED,
        var::SPF_SMTP_COMMENT,
        var::SPF_USED_DOMAIN,
    ]
    .into_iter()
    .for_each(|var| cx.unset_var(var));
}

/// Whether the result is in a list.
fn holds(run: &mut Run<'_>, list: &Str, guess: bool) -> Answer {
    let asked = Asked::of(run.cx, guess);
    let known = match &run.cx.memory::<Memory>().last {
        Some((last, verdict)) if *last == asked => Some(*verdict),
        _ => None,
    };
    let verdict = match known {
        Some(verdict) => verdict,
        None => match find(run, asked) {
            Ok(verdict) => verdict,
            Err(fail) => {
                run.logged = Some(Str::from(fail.message()));
                return Answer::Error;
            }
        },
    };
    let is = |word: &[u8]| match word {
        b"invalid" => verdict == Verdict::Invalid,
        b"err_perm" => verdict == Verdict::PermError,
        b"err_temp" => verdict == Verdict::TempError,
        word => word == verdict.name().as_bytes(),
    };
    let mut elements = elements(list.bytes());
    Answer::from(elements.any(|element| match element.strip_prefix(b"!") {
        Some(word) => !is(word),
        None => is(&element),
    }))
}

/// Finds out, and sets the variables.
fn find(run: &mut Run<'_>, asked: Asked) -> Result<Verdict, Fail> {
    let settings = run.cx.engine().settings();
    let receiver = settings.get(opt::PRIMARY_HOSTNAME);
    let guess = asked.guess.then(|| settings.get(opt::SPF_GUESS));
    let (checked, others) = run.cx.call(&META, |call| {
        let now = call.clock()?.now().seconds;
        let mut dns = Records { dns: AuthDns::new(call), others: Vec::new() };
        let named = asked.in_ascii();
        let sender = named.sender(&receiver, now);
        let checked = check(&mut dns, &sender, guess.as_ref().map(Str::bytes));
        dns.dns.finish()?;
        Ok::<_, Fail>((checked, dns.others))
    })?;
    if run.cx.trace().is_watched() {
        show(run, others);
    }
    // An address whose domain is none has no record either.
    let verdict = match checked.verdict {
        Verdict::Invalid => Verdict::None,
        verdict => verdict,
    };
    let told = told(run, &asked, &receiver, verdict, checked.reason)?;
    let comment = comment(&asked, &receiver, verdict, checked.reason);
    let received = received(&asked, verdict, &comment);
    let tainted = |text: Vec<u8>| Str::from(text).stamped(Taint::Tainted);
    run.cx.set_var(var::SPF_RESULT, Str::fixed(verdict.name()));
    if checked.guessed {
        run.cx.set_var(var::SPF_RESULT_GUESSED, Str::fixed("yes"));
    }
    run.cx.set_var(var::SPF_SMTP_COMMENT, tainted(told));
    run.cx.set_var(var::SPF_HEADER_COMMENT, tainted(comment));
    run.cx.set_var(var::SPF_RECEIVED, tainted(received));
    run.cx.set_var(var::SPF_USED_DOMAIN, Str::tainted(asked.domain()));
    run.cx.memory::<Memory>().last = Some((asked, verdict));
    Ok(verdict)
}

/// Shows texts that are no records, those of a name once.
fn show(run: &mut Run<'_>, others: Vec<(Vec<u8>, Vec<u8>)>) {
    let shown = &mut run.cx.memory::<Memory>().shown;
    let known = shown.clone();
    if shown.len() < MOST_SHOWN {
        shown.extend(others.iter().map(|(name, _)| name.clone()));
    }
    for (_, text) in others.into_iter().filter(|(name, _)| !known.contains(name)) {
        run.cx.note(TraceKinds::ACL, &[b"not an spf record: ", &*text].concat());
    }
}

/// The DNS, of whose texts only records of SPF are heard. What else there is, is shown;
/// so a domain's own explanation is never given to the client, as in Exim: that is for
/// `spf_smtp_comment_template`.
struct Records<'c, 'e> {
    dns: AuthDns<'c, 'e>,
    others: Vec<(Vec<u8>, Vec<u8>)>,
}

impl DnsSource for Records<'_, '_> {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let mut answers = self.dns.ask(questions);
        for (question, answer) in questions.iter().zip(&mut answers) {
            if let DnsResponse::Records(records) = answer {
                records.retain(|record| match record {
                    Rdata::Text(text) if !is_record(text) => {
                        self.others.push((question.name.clone(), text.clone()));
                        false
                    }
                    _ => true,
                });
                if records.is_empty() {
                    *answer = DnsResponse::NoData;
                }
            }
        }
        answers
    }

    fn prepare(&mut self, questions: &[DnsQuery]) {
        self.dns.prepare(questions);
    }
}

fn is_record(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case(b"v=spf1"))
}

/// What the client is told where it may not send, or nobody knows.
fn told(
    run: &mut Run<'_>,
    asked: &Asked,
    receiver: &Str,
    verdict: Verdict,
    reason: SpfReason,
) -> Result<Vec<u8>, Fail> {
    if !matches!(verdict, Verdict::Fail | Verdict::SoftFail | Verdict::Neutral) {
        return Ok(Vec::new());
    }
    let template = run.cx.engine().settings().get(opt::SPF_SMTP_COMMENT_TEMPLATE);
    let template = run.expanded(&template).unwrap_or_else(|_| {
        run.host.log_to(Logs::PANIC, b"expansion of spf_smtp_comment_template failed");
        Str::from(UNTOLD)
    });
    let text = run.cx.call(&META, |call| {
        let now = call.clock()?.now().seconds;
        let mut dns = AuthDns::new(call);
        let sender = asked.sender(receiver, now);
        let mut told = explanation(&mut dns, &sender, template.bytes());
        if told.is_none() && memchr::memmem::find(template.bytes(), b"%{").is_some() {
            told = explanation(&mut dns, &sender, UNTOLD);
        }
        dns.finish()?;
        Ok::<_, Fail>(told.unwrap_or_else(|| template.bytes().to_vec()))
    })?;
    let why: &[u8] = if reason == SpfReason::Default { b"default" } else { b"mechanism" };
    Ok([&*text, b" : Reason: ", why].concat())
}

/// The result, as a sentence.
fn comment(asked: &Asked, receiver: &Str, verdict: Verdict, reason: SpfReason) -> Vec<u8> {
    let (domain, address) = (asked.domain(), asked.address.to_canonical().to_string());
    let address = address.as_bytes();
    let parts: [&[u8]; 4] = match (verdict, reason) {
        (_, SpfReason::Localhost) => [b"localhost is always allowed.", b"", b"", b""],
        (Verdict::Pass, _) => [b"domain of ", domain, b" designates ", address],
        (Verdict::Fail, _) => [b"domain of ", domain, b" does not designate ", address],
        (Verdict::SoftFail, _) => {
            [b"transitioning domain of ", domain, b" does not designate ", address]
        }
        (Verdict::Neutral, _) => {
            [address, b" is neither permitted nor denied by ", b"domain of ", domain]
        }
        (Verdict::None | Verdict::Invalid, _) => {
            [b"domain of ", domain, b" does not provide an SPF record", b""]
        }
        (Verdict::TempError, _) => {
            [b"encountered temporary error during SPF processing of domain of ", domain, b"", b""]
        }
        (Verdict::PermError, reason) => {
            let why: &[u8] = match reason {
                SpfReason::Several => b"Multiple SPF or TXT records for domain.",
                SpfReason::TooMany => b"Mechanisms used too many DNS lookups",
                SpfReason::Missing => b"Could not find a valid SPF record",
                _ => b"Syntax error in the SPF record",
            };
            [b"error in processing during lookup of domain of ", domain, b": ", why]
        }
    };
    let permitted = matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::SoftFail);
    let end: &[u8] = match permitted && reason != SpfReason::Localhost {
        true => b" as permitted sender",
        false => b"",
    };
    [receiver.bytes(), b": ", &parts.concat(), end].concat()
}

/// A whole `Received-SPF:` header line (RFC 7208, section 9.1), as Exim writes it.
fn received(asked: &Asked, verdict: Verdict, comment: &[u8]) -> Vec<u8> {
    let address = asked.address.to_canonical().to_string();
    [
        b"Received-SPF: ",
        verdict.name().as_bytes(),
        b" (",
        comment,
        b") client-ip=",
        address.as_bytes(),
        b"; envelope-from=",
        asked.mailbox.bytes(),
        b"; helo=",
        asked.helo.bytes(),
        b";",
    ]
    .concat()
}
