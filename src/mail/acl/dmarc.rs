//! `dmarc_status` (specification 58.3).

mod failures;

use std::borrow::Cow;
use std::net::Ipv4Addr;

use eximious_core::{AclPhases, AclTerm, Effects, Fail, Meta, Str, TaintRule};
use eximious_mailauth::DnsSource;
use eximious_mailauth::dkim::DkimStatus;
use eximious_mailauth::dmarc::{
    DmarcResult, DmarcStatus, DmarcSubject, History, Organisations, SignatureFound,
    SignatureStatus, dmarc_check,
};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::dkim::{DkimFindings, DkimSummary};
use eximious_stdlib::dns::AuthDns;
use eximious_stdlib::ip;
use eximious_stdlib::items::DmarcAuthor;
use eximious_stdlib::lists::elements;
use eximious_stdlib::lookups::{RegisteredDomain, registered_domains};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};
use super::{AclState, Logs, spf};
use crate::Context;

/// How many addresses of authors are looked at.
const MOST_ADDRESSES: usize = 100;

static META: Meta = Meta::new(
    "dmarc_status",
    Effects::DNS.union(Effects::CLOCK).union(Effects::FILES).union(Effects::RANDOM),
    TaintRule::Tainted,
);

/// `dmarc_status`.
pub(super) static DMARC_STATUS: AclTerm = words::condition(
    &TermRun::Text(holds),
    words::meta(
        "dmarc_status",
        "dmarc_status = <string list>",
        "specification 58.3.3",
        "The sender's DMARC policy has a result listed.",
        "The words are `accept`, `reject`, `quarantine`, `none`, `norecord`, `nofrom`, \
         `temperror` and `off`; `!` before one turns it round. The check takes place when the \
         statement comes to it, once for a message; what SPF says counts where an `spf` \
         condition came before. It is `off` for clients that have authenticated, without a \
         connection, after `control = dmarc_disable_verify`, and where neither `dmarc_tld_file` \
         nor `dmarc_tree_walk` is set.",
    ),
)
.phases(AclPhases::DATA)
.effects(META.effects);

/// What a conversation knows of DMARC: the status of the message at hand, once it was asked
/// for.
#[derive(Default)]
struct Memory(Option<&'static str>);

/// Forgets what is about the message: another one may follow.
pub(super) fn end_message(cx: &mut Context) {
    cx.memory::<Memory>().0 = None;
    cx.memory::<DmarcAuthor>().0 = Str::EMPTY;
    [
        var::DMARC_ALIGNMENT_DKIM,
        var::DMARC_ALIGNMENT_SPF,
        var::DMARC_AR_HEADER,
        var::DMARC_DOMAIN_POLICY,
        var::DMARC_STATUS,
        var::DMARC_STATUS_TEXT,
        var::DMARC_USED_DOMAIN,
    ]
    .into_iter()
    .for_each(|var| cx.unset_var(var));
}

/// Whether the status is in a list.
fn holds(run: &mut Run<'_>, list: &Str) -> Answer {
    let known = run.cx.memory::<Memory>().0;
    let status = match known.map_or_else(|| find(run), Ok) {
        Ok(status) => status.as_bytes(),
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            return Answer::Error;
        }
    };
    let mut elements = elements(list.bytes());
    Answer::from(elements.any(|element| match element.strip_prefix(b"!") {
        Some(word) => word != status,
        None => *element == *status,
    }))
}

/// Finds out, and sets the variables.
fn find(run: &mut Run<'_>) -> Result<&'static str, Fail> {
    let status = match is_off(run.cx, run.state) {
        true => {
            set(run.cx, "off", "Check disabled");
            "off"
        }
        false => check(run)?,
    };
    run.cx.memory::<Memory>().0 = Some(status);
    Ok(status)
}

/// Asks what a check of the message at hand asks first, if there will be one.
pub(super) fn foretell(cx: &mut Context, state: &AclState, dns: &mut dyn DnsSource) {
    if is_off(cx, state) {
        return;
    }
    let authors = authors(cx);
    let authors: Vec<&[u8]> = authors.iter().map(Vec::as_slice).collect();
    // What is wrong with the list is told when the check takes place.
    let Ok(registered) = registered(cx) else { return };
    let organisations = organisations(registered.as_ref());
    let subject = DmarcSubject { spf: None, signatures: &[], organisations, sample: 0 };
    dmarc_check(dns, &authors, &subject);
}

fn is_off(cx: &mut Context, state: &AclState) -> bool {
    state.has("dmarc_disable_verify")
        || cx.value_of(var::SENDER_HOST_ADDRESS).is_empty()
        || !cx.value_of(var::SENDER_HOST_AUTHENTICATED).is_empty()
        || !is_wanted(cx)
}

/// The list of public suffixes; none where the DNS is asked in its place.
fn registered(cx: &mut Context) -> Result<Option<RegisteredDomain>, Fail> {
    let engine = cx.engine().clone();
    if engine.settings().get(opt::DMARC_TREE_WALK) {
        return Ok(None);
    }
    let file = engine.expand_option(opt::DMARC_TLD_FILE, cx)?;
    cx.call(&META, |call| registered_domains(call, file.bytes()).map(Some))
}

fn organisations(registered: Option<&RegisteredDomain>) -> Organisations<'_> {
    registered.map_or(Organisations::Walked, |registered| Organisations::Listed(&**registered))
}

/// Whether the configuration says how the domains of organisations are found.
fn is_wanted(cx: &Context) -> bool {
    let settings = cx.engine().settings();
    settings.get(opt::DMARC_TREE_WALK) || settings.text(opt::DMARC_TLD_FILE).is_some()
}

fn check(run: &mut Run<'_>) -> Result<&'static str, Fail> {
    let authors = authors(run.cx);
    let authors: Vec<&[u8]> = authors.iter().map(Vec::as_slice).collect();
    let registered = match registered(run.cx) {
        Ok(registered) => registered,
        Err(fail) => {
            let head: &[u8] = b"DMARC: cannot read the list of suffixes: ";
            run.host.log_to(Logs::PANIC, &[head, fail.message()].concat());
            let status = DmarcStatus::TempError;
            set(run.cx, status.name(), text(status));
            return Ok(status.name());
        }
    };
    let sent = spf::found(run.cx);
    let sent = sent.map(|(verdict, name)| (verdict, address::domain_in_ascii(&name).into_owned()));
    let summaries: Vec<DkimSummary> = run.cx.memory::<DkimFindings>().summaries().collect();
    let domains = summaries.iter().map(|one| address::domain_in_ascii(&one.domain));
    let domains: Vec<Cow<'_, [u8]>> = domains.collect();
    let signatures = summaries.iter().zip(&domains).map(|(one, domain)| found(one, domain));
    let signatures: Vec<SignatureFound<'_>> = signatures.collect();
    let mut subject = DmarcSubject {
        spf: sent.as_ref().map(|(verdict, name)| (*verdict, name.as_slice())),
        signatures: &signatures,
        organisations: organisations(registered.as_ref()),
        sample: 0,
    };
    let result = run.cx.call(&META, |call| {
        subject.sample = u8::try_from(call.random()?.below(100)).unwrap_or(0);
        let mut dns = AuthDns::new(call);
        let result = dmarc_check(&mut dns, &authors, &subject);
        dns.finish()?;
        Ok::<_, Fail>(result)
    })?;
    tell(run.cx, &result);
    failures::report(run, &subject, &result)?;
    remember(run, &subject, &result)?;
    Ok(result.status.name())
}

/// The domains of the authors, by all `From:` lines, as the DNS has them (RFC 8616, section 6).
fn authors(cx: &mut Context) -> Vec<Vec<u8>> {
    // Whoever could not read an author would know of no policy.
    let rules = Rules { utf8_domains: true, ..Rules::of(cx.engine().settings()) };
    let Some(message) = cx.message() else { return Vec::new() };
    let lines = message.headers.iter().filter(|one| one.is(b"from"));
    let addresses = lines.flat_map(|line| address::list(line.value(), rules)).take(MOST_ADDRESSES);
    let addresses = addresses.filter_map(|element| element.address.ok());
    let names = addresses.map(|one| address::domain_in_ascii(one.domain()).into_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// What came of a signature, as far as DMARC is concerned. One of which an ACL has said
/// something else gives no pass.
fn found<'a>(summary: &'a DkimSummary, domain: &'a [u8]) -> SignatureFound<'a> {
    let status = match summary.status {
        DkimStatus::Pass => SignatureStatus::Pass,
        DkimStatus::Fail => SignatureStatus::Fail,
        DkimStatus::Invalid if summary.temporary => SignatureStatus::TempError,
        DkimStatus::Invalid | DkimStatus::None => SignatureStatus::PermError,
    };
    SignatureFound { domain, selector: &summary.selector, status }
}

/// What is made of the message, for people.
fn text(status: DmarcStatus) -> &'static str {
    match status {
        DmarcStatus::Accept => "Accept",
        DmarcStatus::Reject => "Reject",
        DmarcStatus::Quarantine => "Quarantine",
        DmarcStatus::None => "None, Accept",
        DmarcStatus::NoRecord => "No policy found",
        DmarcStatus::NoFrom => "No From: domain found",
        DmarcStatus::TempError => "Temporary error",
    }
}

fn set(cx: &mut Context, status: &'static str, text: &'static str) {
    cx.set_var(var::DMARC_STATUS, Str::fixed(status));
    cx.set_var(var::DMARC_STATUS_TEXT, Str::fixed(text));
}

fn tell(cx: &mut Context, result: &DmarcResult) {
    let host = cx.engine().settings().get(opt::PRIMARY_HOSTNAME);
    set(cx, result.status.name(), text(result.status));
    let yes = |is: bool| Str::fixed(if is { "yes" } else { "no" });
    cx.set_var(var::DMARC_ALIGNMENT_SPF, yes(result.spf_aligned));
    cx.set_var(var::DMARC_ALIGNMENT_DKIM, yes(result.dkim_aligned));
    cx.set_var(var::DMARC_USED_DOMAIN, Str::tainted(result.used.as_slice()));
    if let Some(record) = &result.record {
        cx.set_var(var::DMARC_DOMAIN_POLICY, Str::fixed(record.policy.name()));
    }
    let author = Str::tainted(result.author.as_slice());
    cx.memory::<DmarcAuthor>().0 = author;
    let method: &[u8] = match result.status {
        DmarcStatus::Accept => b"pass",
        DmarcStatus::Reject | DmarcStatus::Quarantine | DmarcStatus::None => b"fail",
        DmarcStatus::NoRecord => b"none",
        DmarcStatus::NoFrom => b"permerror",
        DmarcStatus::TempError => b"temperror",
    };
    let head: [&[u8]; 4] = [b"Authentication-Results: ", host.bytes(), b"; dmarc=", method];
    let from: [&[u8]; 2] = match result.author.is_empty() {
        true => [b"", b""],
        false => [b" header.from=", &result.author],
    };
    cx.set_var(var::DMARC_AR_HEADER, Str::tainted([head.concat(), from.concat()].concat()));
}

/// What an option comes to; an error says which it is.
fn expanded(run: &mut Run<'_>, option: &str, text: &Str) -> Result<Str, Fail> {
    run.expanded(text).map_err(|fail| {
        let head = [b"failed to expand ", option.as_bytes(), b": "].concat();
        let message = [&head, fail.message()].concat();
        fail.reworded(message)
    })
}

/// Adds to `dmarc_history_file`, if it is set. Tests add nothing.
fn remember(
    run: &mut Run<'_>,
    subject: &DmarcSubject<'_>,
    result: &DmarcResult,
) -> Result<(), Fail> {
    let settings = run.cx.engine().settings();
    let reporter = settings.get(opt::PRIMARY_HOSTNAME);
    let Some(file) = settings.text(opt::DMARC_HISTORY_FILE).filter(|_| !run.host.is_test()) else {
        return Ok(());
    };
    let file = expanded(run, opt::DMARC_HISTORY_FILE.name(), &file)?;
    if file.is_empty() {
        return Ok(());
    }
    if file.taint().is_tainted() {
        run.host.log_to(Logs::PANIC, b"DMARC: the name of the history file is tainted");
        return Ok(());
    }
    let job = run.cx.value_of(var::MESSAGE_EXIM_ID);
    let address = ip::address(run.cx.value_of(var::SENDER_HOST_ADDRESS).bytes());
    let sender = run.cx.value_of(var::SENDER_ADDRESS_DOMAIN);
    let sender = match sender.is_empty() {
        true => run.cx.value_of(var::SENDER_HELO_NAME),
        false => sender,
    };
    let added = run.cx.call(&META, |call| {
        let history = History {
            job: job.bytes(),
            reporter: reporter.bytes(),
            received: call.clock()?.now().seconds,
            address: address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            sender: &address::domain_in_ascii(sender.bytes()),
        };
        let Some(record) = history.record(subject, result) else { return Ok(Ok(())) };
        Ok::<_, Fail>(call.files()?.append(file.bytes(), &record))
    })?;
    if let Err(why) = added {
        let why = wording::reason(&why);
        let line = [b"DMARC: cannot write to ", file.bytes(), b": ", why.as_bytes()];
        run.host.log_to(Logs::PANIC, &line.concat());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use eximious_stdlib::message;

    use super::super::driver::Driver;
    use super::*;

    const ZONE: &str = "$ORIGIN a.example.\n\
        @ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
        _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:r@a.example\"\n";
    const LIST: &str = "dmarc_tld_file = /list\ndmarc_history_file = /history";

    fn driver(config: &str) -> Driver {
        let driver = Driver::with(config).zone(ZONE).file("/list", "example\n");
        let mut driver = driver
            .set("sender_host_address", "192.0.2.1")
            .set("sender_helo_name", "h.example")
            .set("sender_address", "u@a.example")
            .at(AclPhases::DATA);
        driver.cx.set_message(Some(message::parse(b"From: x@a.example\n\n")));
        driver
    }

    #[test]
    fn it_is_asked_once_for_a_message() {
        let mut driver = driver(LIST);
        driver.cx.set("message_exim_id", Str::fixed("1abcde-000000001aB-2cde"));
        let acl = "warn dmarc_status = reject\n  dmarc_status = !accept\naccept spf = pass";
        assert_eq!(driver.run(acl), "Accept");
        assert_eq!(driver.logged(), [""; 0]);
        let asked = driver.asked();
        let count = |what: &str| asked.iter().filter(|one| one.starts_with(what)).count();
        assert_eq!((count("dns TXT _dmarc."), count("append ")), (1, 1), "{asked:?}");
        let history = driver.contents("/history");
        let lines: Vec<&str> = history.lines().filter(|line| !line.starts_with("rec")).collect();
        let begin = [
            "job 1abcde-000000001aB-2cde",
            "reporter me.example",
            "ipaddr 192.0.2.1",
            "from a.example",
        ];
        assert_eq!(lines[..4], begin);
        assert!(history.contains("\nspf -1\n"), "{history}");
        // What SPF says counts where it was asked before.
        let Driver { cx, state, .. } = &mut driver;
        state.end_message(cx);
        assert_eq!(driver.run("accept spf = pass\n  dmarc_status = accept"), "Accept");
        assert!(driver.contents("/history").contains("\nspf 0\n"));
    }

    #[test]
    fn what_cannot_be_expanded_is_named() {
        let mut driver = driver("dmarc_tld_file = /list\ndmarc_history_file = ${nosuch:x}");
        let told = "failed to expand dmarc_history_file: unknown expansion operator \"nosuch\"";
        driver.fails("accept dmarc_status = reject", told);
    }

    #[test]
    fn names_in_utf8_have_the_records_of_what_the_dns_calls_them() {
        let zone = "$ORIGIN xn--mller-kva.example.\n\
            @ TXT \"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all\"\n\
            _dmarc TXT \"v=DMARC1; p=reject\"\n";
        let driver = |client: &str, config: &str| {
            let mut driver = driver(config).zone(zone);
            driver = driver.set("sender_host_address", client);
            driver = driver.set("sender_address", "u@m\u{fc}ller.example");
            let text = "From: x@M\u{dc}LLER.example\n\n";
            driver.cx.set_message(Some(message::parse(text.as_bytes())));
            driver
        };
        for config in [LIST, "dmarc_tree_walk"] {
            let mut stranger = driver("192.0.2.9", config);
            assert_eq!(stranger.run("accept spf = fail\n dmarc_status = reject"), "Accept");
            let told = "accept logwrite = <$dmarc_used_domain> <$spf_used_domain>";
            assert_eq!(stranger.run(told), "Accept");
            assert_eq!(stranger.logged(), ["<xn--mller-kva.example> <m\\303\\274ller.example>"]);
            let mut own = driver("192.0.2.2", config);
            assert_eq!(own.run("accept spf = pass\n dmarc_status = accept"), "Accept");
        }
        // Where a message has no sender, the client's name stands for him.
        let mut nobody = driver("192.0.2.9", "").set("sender_address", "");
        nobody = nobody.set("sender_helo_name", "m\u{fc}ller.example");
        assert_eq!(nobody.run("accept spf = fail"), "Accept");
    }

    #[test]
    fn it_is_off_for_clients_that_are_known() {
        let off = "accept dmarc_status = off";
        assert_eq!(driver("").run(off), "Accept");
        let mut known = driver(LIST).set("sender_host_authenticated", "plain");
        assert_eq!(known.run(off), "Accept");
        let mut local = driver(LIST).set("sender_host_address", "");
        assert_eq!(local.run(off), "Accept");
        let mut broken = driver("dmarc_tld_file = /nowhere");
        assert_eq!(broken.run("accept dmarc_status = temperror"), "Accept");
        assert_eq!(broken.logged().len(), 1);
    }

    #[test]
    fn cve_2014_2957_authors_are_not_expanded() {
        let mut driver = driver(LIST);
        let hostile = b"From: \"${run{/bin/false}}\" <x@${primary_hostname}.a.example>\n\n";
        driver.cx.set_message(Some(message::parse(hostile)));
        let text = "accept dmarc_status = nofrom\n  logwrite = <$dmarc_used_domain>";
        assert_eq!(driver.run(text), "Accept");
        assert_eq!(driver.logged(), ["<>"]);
    }
}
