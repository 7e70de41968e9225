//! What is kept of a message for reports on all of them, in the form that opendmarc-import
//! reads: a line for each value, the first of which is `job`.

use std::net::IpAddr;

use super::record::{DmarcPolicy, DmarcRecord};
use super::{DmarcResult, DmarcStatus, DmarcSubject, SignatureStatus};
use crate::spf::Verdict;

/// What is known of a message apart from what DMARC found out.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The name of the message here.
    pub job: &'a [u8],
    /// The host that has received it: this one.
    pub reporter: &'a [u8],
    /// When, in seconds since 1970.
    pub received: i64,
    /// The client's address.
    pub address: IpAddr,
    /// The domain of the sender's address, or of the greeting.
    pub sender: &'a [u8],
}

impl History<'_> {
    /// The record; `None` where no domain has published anything that could be reported
    /// on, or that is not known now.
    pub fn record(&self, subject: &DmarcSubject<'_>, result: &DmarcResult) -> Option<Vec<u8>> {
        let (policy, action) = match result.status {
            DmarcStatus::Accept => (15, 2),
            DmarcStatus::Reject => (16, 0),
            DmarcStatus::Quarantine => (17, 4),
            DmarcStatus::None => (18, 2),
            DmarcStatus::NoRecord => (14, 2),
            DmarcStatus::NoFrom | DmarcStatus::TempError => return None,
        };
        let mut lines = Lines(Vec::new());
        lines.add("job", &[self.job]);
        lines.add("reporter", &[self.reporter]);
        lines.number("received", self.received);
        lines.add("ipaddr", &[self.address.to_canonical().to_string().as_bytes()]);
        lines.add("from", &[&result.author]);
        lines.add("mfrom", &[self.sender]);
        lines.number("spf", subject.spf.map_or(-1, |(verdict, _)| spf_code(verdict)));
        for one in subject.signatures {
            let code = match one.status {
                SignatureStatus::Pass => "0",
                SignatureStatus::Fail => "7",
                SignatureStatus::TempError => "4",
                SignatureStatus::PermError => "5",
            };
            lines.add("dkim", &[one.domain, one.selector, code.as_bytes()]);
        }
        let used = if result.used.is_empty() { &result.author } else { &result.used };
        lines.add("pdomain", &[used]);
        lines.number("policy", policy);
        let record = result.record.as_ref();
        match record.map(|record| &record.aggregate[..]) {
            None | Some([]) => lines.add("rua", &[b"-"]),
            Some(all) => all.iter().for_each(|address| lines.add("rua", &[address])),
        }
        let strict = |is: fn(&DmarcRecord) -> bool| if record.is_some_and(is) { 115 } else { 114 };
        lines.number("pct", record.map_or(100, |record| i64::from(record.percent)));
        lines.number("adkim", strict(|record| record.strict_dkim));
        lines.number("aspf", strict(|record| record.strict_spf));
        lines.number("p", policy_code(record.map(|record| record.policy)));
        lines.number("sp", policy_code(record.and_then(|record| record.subdomains)));
        lines.number("align_dkim", if result.dkim_aligned { 4 } else { 5 });
        lines.number("align_spf", if result.spf_aligned { 4 } else { 5 });
        // No chain of ARC has a part in it.
        lines.number("arc", 6);
        lines.add("arc_policy", &[b"2", b"json:[]"]);
        lines.number("action", action);
        Some(lines.0)
    }
}

fn spf_code(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::SoftFail => 2,
        Verdict::Neutral => 3,
        Verdict::TempError => 4,
        Verdict::PermError => 5,
        Verdict::None | Verdict::Invalid => 6,
        Verdict::Fail => 7,
    }
}

fn policy_code(policy: Option<DmarcPolicy>) -> i64 {
    match policy {
        Some(DmarcPolicy::None) => 110,
        Some(DmarcPolicy::Quarantine) => 113,
        Some(DmarcPolicy::Reject) => 114,
        None => 0,
    }
}

struct Lines(Vec<u8>);

impl Lines {
    fn number(&mut self, name: &str, value: i64) {
        self.add(name, &[value.to_string().as_bytes()]);
    }

    /// A line. What comes from outside is one word of it, whatever bytes it has.
    fn add(&mut self, name: &str, values: &[&[u8]]) {
        self.0.extend_from_slice(name.as_bytes());
        for value in values {
            self.0.push(b' ');
            let shown = value.iter().map(|c| if matches!(c, b'!'..=b'~') { *c } else { b'?' });
            self.0.extend(shown);
            if value.is_empty() {
                self.0.push(b'-');
            }
        }
        self.0.push(b'\n');
    }
}
