//! Reports on single failures (RFC 6591, RFC 7489, section 7.3; RFC 9991).

use std::net::IpAddr;

use crate::dns::{DnsQuery, DnsQueryKind, DnsSource};

use super::{Organisations, Way, domain, is_record};

/// How many get a report.
const MOST_RECIPIENTS: usize = 5;
/// How much of a message's header a report brings back.
const MOST_HEADER: usize = 64 << 10;

/// A report on one message: what is told of it, and its header lines, but nothing of its body.
/// Values must not have the ends of lines in them; those that do are cut off there.
#[derive(Clone, Copy, Debug)]
pub struct FailureReport<'a> {
    /// The `From:` of the report, as it stands in a header line.
    pub from: &'a [u8],
    /// Who gets it.
    pub to: &'a [Vec<u8>],
    /// The host that reports.
    pub reporter: &'a [u8],
    /// What nobody could guess, of letters and digits.
    pub boundary: &'a [u8],
    /// The domain that the message names as its author's.
    pub author: &'a [u8],
    /// The name of the message here.
    pub id: &'a [u8],
    /// Its envelope's sender.
    pub sender: &'a [u8],
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// When it came, as a header line has a date.
    pub arrived: &'a [u8],
    /// The value of an `Authentication-Results:` line.
    pub results: &'a [u8],
    /// Whether what DKIM says is aligned, and good.
    pub dkim_aligned: bool,
    /// Whether what SPF says is.
    pub spf_aligned: bool,
    /// The domain and the selector of a signature that did not hold.
    pub signature: Option<(&'a [u8], &'a [u8])>,
}

impl FailureReport<'_> {
    /// The report as a message, whose lines end in LF.
    pub fn message<'h>(&self, header: impl IntoIterator<Item = &'h [u8]>) -> Vec<u8> {
        let mut returned = Vec::new();
        for line in header {
            if returned.len() + line.len() > MOST_HEADER {
                break;
            }
            returned.extend(line.iter().filter(|c| **c != b'\r'));
            if !line.ends_with(b"\n") {
                returned.push(b'\n');
            }
        }
        let mut out = Lines(Vec::new());
        out.add(&[b"From: ", self.from]);
        out.add(&[b"To: ", &self.to.join(&b", "[..])]);
        let head: &[u8] = b"Subject: DMARC failure report for ";
        out.add(&[head, self.author, b" from ", self.reporter]);
        out.add(&[b"Auto-Submitted: auto-generated"]);
        out.add(&[b"MIME-Version: 1.0"]);
        out.add(&[b"Content-Type: multipart/report; report-type=feedback-report;"]);
        out.add(&[b"\tboundary=\"", self.boundary, b"\""]);
        out.add(&[]);
        self.part(&mut out, b"text/plain; charset=us-ascii", false);
        out.add(&[b"This is a report on a message that is not authentic by the DMARC policy of"]);
        out.add(&[self.author, b". It was received by ", self.reporter, b" as ", self.id, b"."]);
        out.add(&[b"Its header follows; its body is not part of this report."]);
        self.part(&mut out, b"message/feedback-report", false);
        self.feedback(&mut out);
        self.part(&mut out, b"text/rfc822-headers", !returned.is_ascii());
        out.0.extend_from_slice(&returned);
        out.add(&[]);
        out.add(&[b"--", self.boundary, b"--"]);
        out.0
    }

    /// Begins a part.
    fn part(&self, out: &mut Lines, kind: &[u8], is_eight_bit: bool) {
        if !out.0.ends_with(b"\n\n") {
            out.add(&[]);
        }
        out.add(&[b"--", self.boundary]);
        out.add(&[b"Content-Type: ", kind]);
        if is_eight_bit {
            out.add(&[b"Content-Transfer-Encoding: 8bit"]);
        }
        out.add(&[]);
    }

    fn feedback(&self, out: &mut Lines) {
        out.add(&[b"Feedback-Type: auth-failure"]);
        out.add(&[b"User-Agent: eximious/", env!("CARGO_PKG_VERSION").as_bytes()]);
        out.add(&[b"Version: 1"]);
        out.add(&[b"Original-Envelope-Id: ", self.id]);
        out.add(&[b"Original-Mail-From: <", self.sender, b">"]);
        out.add(&[b"Arrival-Date: ", self.arrived]);
        if let Some(source) = self.source {
            out.add(&[b"Source-IP: ", source.to_canonical().to_string().as_bytes()]);
        }
        out.add(&[b"Reported-Domain: ", self.author]);
        out.add(&[b"Authentication-Results: ", self.results]);
        out.add(&[b"Auth-Failure: dmarc"]);
        let failed: &[u8] = match (self.dkim_aligned, self.spf_aligned) {
            (true, true) => b"none",
            (true, false) => b"spf",
            (false, true) => b"dkim",
            (false, false) => b"dkim, spf",
        };
        out.add(&[b"Identity-Alignment: ", failed]);
        if let Some((domain, selector)) = self.signature {
            out.add(&[b"DKIM-Domain: ", domain]);
            out.add(&[b"DKIM-Selector: ", selector]);
        }
    }
}

struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, parts: &[&[u8]]) {
        let line = parts.iter().flat_map(|part| {
            let end = part.iter().position(|c| matches!(c, b'\n' | b'\r' | 0));
            &part[..end.unwrap_or(part.len())]
        });
        self.0.extend(line);
        self.0.push(b'\n');
    }
}

/// Who gets reports on single failures of those whom a record of `used` names (`ruf`): at
/// most five addresses. One in another organisation gets them only where that says that it
/// wants them (RFC 7489, section 7.1).
pub fn report_recipients(
    dns: &mut dyn DnsSource,
    named: &[Vec<u8>],
    used: &[u8],
    organisations: Organisations<'_>,
) -> Vec<Vec<u8>> {
    let addresses: Vec<&[u8]> = named.iter().filter_map(|uri| address(uri)).collect();
    let addresses = &addresses[..addresses.len().min(MOST_RECIPIENTS)];
    let own = own_of(dns, used, organisations);
    let mut questions = Vec::new();
    let mut recipients: Vec<(&[u8], Option<usize>)> = Vec::new();
    for address in addresses {
        let at = memchr::memrchr(b'@', address).map_or(0, |at| at + 1);
        let Some(host) = domain(&address[at..]) else { continue };
        let is_ours = own.is_some() && own_of(dns, &host, organisations) == own;
        recipients.push((address, (!is_ours).then_some(questions.len())));
        if !is_ours {
            let name = [used, b"._report._dmarc.", &host].concat();
            questions.push(DnsQuery { name, kind: DnsQueryKind::Txt });
        }
    }
    let answers = if questions.is_empty() { Vec::new() } else { dns.ask(&questions) };
    let wants =
        |number: usize| answers.get(number).is_some_and(|answer| answer.texts().any(is_record));
    let told = recipients.into_iter().filter(|(_, asked)| asked.is_none_or(wants));
    told.map(|(address, _)| address.to_vec()).collect()
}

/// The domain of an organisation; none where that is not known now.
fn own_of(
    dns: &mut dyn DnsSource,
    name: &[u8],
    organisations: Organisations<'_>,
) -> Option<Vec<u8>> {
    match organisations {
        Organisations::Listed(list) => Some(list(name).unwrap_or_else(|| name.to_vec())),
        Organisations::Walked => Some(Way::up(dns, name).ok()?.organisation(name)),
    }
}

/// The address in a URI `mailto:`, without the size that a report may have; nothing where it
/// is odd.
fn address(uri: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = uri.split_at_checked(7)?;
    let end = memchr::memchr2(b'!', b'?', rest).unwrap_or(rest.len());
    let address = &rest[..end];
    let is_plain = |c: &u8| c.is_ascii_alphanumeric() || b"#$&'*+-/=^_`{|}~.@".contains(c);
    let whole = address.iter().all(is_plain)
        && address.iter().filter(|c| **c == b'@').count() == 1
        && !address.starts_with(b"@");
    (scheme.eq_ignore_ascii_case(b"mailto:") && whole).then_some(address)
}
