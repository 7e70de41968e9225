//! Reports on single failures of DMARC (`control = dmarc_enable_forensic`; specification
//! 58.3.1, 58.3.2).

use eximious_core::{Fail, Str};
use eximious_mailauth::dmarc::{
    DmarcRecord, DmarcResult, DmarcSubject, FailureReport, SignatureStatus, report_recipients,
};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::dns::AuthDns;
use eximious_stdlib::ip;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::super::machine::Run;
use super::super::{Logs, OwnMessage};
use super::META;

/// Letters of a boundary, by which the parts of a report are told.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How many there are.
const BOUNDARY: usize = 26;

/// Sends a report, where the configuration lets it and the domain wants it. A message that
/// reports an error itself is not reported on: two hosts would go on for ever.
pub(super) fn report(
    run: &mut Run<'_>,
    subject: &DmarcSubject<'_>,
    result: &DmarcResult,
) -> Result<(), Fail> {
    let wanted = |record: &&DmarcRecord| {
        !record.forensic.is_empty() && record.reports(subject.failed(result))
    };
    let Some(record) = result.record.as_ref().filter(wanted) else { return Ok(()) };
    if !run.state.has("dmarc_enable_forensic") || run.host.is_test() || is_made_by_machine(run) {
        return Ok(());
    }
    let (to, boundary) = run.cx.call(&META, |call| {
        let mut dns = AuthDns::new(call);
        let domains = subject.organisations;
        let to = report_recipients(&mut dns, &record.forensic, &result.used, domains);
        dns.finish()?;
        let random = call.random()?;
        let letter = |_| LETTERS[random.below(LETTERS.len() as u64) as usize];
        Ok::<_, Fail>((to, (0..BOUNDARY).map(letter).collect::<Vec<u8>>()))
    })?;
    if to.is_empty() {
        return Ok(());
    }
    let settings = run.cx.engine().settings();
    let rules = Rules::of(settings);
    let reporter = settings.get(opt::PRIMARY_HOSTNAME);
    let own = settings.text(opt::DMARC_FORENSIC_SENDER).filter(|own| !own.is_empty());
    let default = settings.get(opt::DSN_FROM);
    let from = match &own {
        Some(own) => super::expanded(run, opt::DMARC_FORENSIC_SENDER.name(), own)?,
        None => super::expanded(run, opt::DSN_FROM.name(), &default)?,
    };
    let sender = match &own {
        Some(_) => match address::parse(from.bytes(), rules) {
            Ok(sender) if !sender.domain().is_empty() => {
                [sender.local_part(), b"@", sender.domain()].concat()
            }
            _ => {
                let head: &[u8] = b"DMARC: dmarc_forensic_sender is no address: ";
                run.host.log_to(Logs::PANIC, &[head, from.bytes()].concat());
                return Ok(());
            }
        },
        None => Vec::new(),
    };
    let results = run.expanded(&Str::fixed("${authresults{$primary_hostname}}"))?;
    let results = results.bytes().strip_prefix(b"Authentication-Results: ");
    // It is one line there.
    let results: Vec<u8> = results.unwrap_or_default().iter().copied().filter(one_line).collect();
    let arrived = run.cx.value_of(var::TOD_FULL);
    let id = run.cx.value_of(var::MESSAGE_EXIM_ID);
    let envelope = run.cx.value_of(var::SENDER_ADDRESS);
    let source = ip::address(run.cx.value_of(var::SENDER_HOST_ADDRESS).bytes());
    let bad = subject.signatures.iter().find(|one| one.status != SignatureStatus::Pass);
    let report = FailureReport {
        from: from.bytes(),
        to: &to,
        reporter: reporter.bytes(),
        boundary: &boundary,
        author: &result.author,
        id: id.bytes(),
        sender: envelope.bytes(),
        source,
        arrived: arrived.bytes(),
        results: &results,
        dkim_aligned: result.dkim_aligned,
        spf_aligned: result.spf_aligned,
        signature: bad.map(|one| (one.domain, one.selector)),
    };
    let Some(message) = run.cx.message() else { return Ok(()) };
    let text = report.message(message.headers.iter().map(|header| &header.line[..]));
    let told = [b"DMARC: a failure is reported to ", &to.join(&b", "[..])[..]].concat();
    run.host.log(&told);
    run.host.hand_in(OwnMessage { sender, text });
    Ok(())
}

fn one_line(byte: &u8) -> bool {
    !matches!(byte, b'\n' | b'\r')
}

/// Whether a message says that no person sent it, or wants no answer.
fn is_made_by_machine(run: &mut Run<'_>) -> bool {
    let Some(message) = run.cx.message() else { return true };
    let marked = message.named(b"auto-submitted").any(|line| {
        let value = line.value().trim_ascii();
        !value[..value.len().min(2)].eq_ignore_ascii_case(b"no")
    });
    let is_report = message.named(b"content-type").any(|line| {
        let value = line.value().to_ascii_lowercase();
        memchr::memmem::find(&value, b"feedback-report").is_some()
    });
    marked || is_report
}
