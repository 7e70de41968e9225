//! Notes what came of TLS with a host, for reports to its domain (TLS-RPT, RFC 8460).

use eximious_core::world::TlsFault;
use eximious_core::{Effects, Meta, TaintRule};
use eximious_stdlib::options::opt::transport::smtp;

use super::{NotOpen, Opened, Peer};
use crate::mail::hints::{ReportedFailure, ReportedPolicy, TlsReport, ToldHints, tls_report_key};

static CLOCK: Meta = Meta::new(smtp::TLSRPT_DOMAINS.name(), Effects::CLOCK, TaintRule::Result);

/// How much of a certificate is shown in a report.
const SHOWN: usize = 64;

/// What is wrong, as reports name it.
pub(super) fn result_of(fault: &TlsFault) -> &'static str {
    let why = fault.why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    match () {
        () if has(&["hostname mismatch", "ip address mismatch"]) => "certificate-host-mismatch",
        () if has(&["has expired"]) => "certificate-expired",
        () if has(&["self-signed", "self signed", "issuer certificate", "first certificate"]) => {
            "certificate-not-trusted"
        }
        () => "validation-failure",
    }
}

impl Peer<'_> {
    /// Counts a session under the policy that was found, where that is wanted. What was not
    /// so far as to be about TLS is not counted.
    pub(super) fn note_for_report(&mut self, opened: &Result<Opened, NotOpen>) {
        if self.in_clear {
            return;
        }
        let failure = match (opened, self.tls.failure.take()) {
            (_, Some(failure)) => Some(failure),
            (Ok(opened), None) if opened.secured.is_some() => None,
            (Ok(opened), None) if !opened.client.extensions().starttls => {
                Some(("starttls-not-supported", String::new()))
            }
            _ => return,
        };
        if !self.lists_domain(smtp::TLSRPT_DOMAINS) {
            return;
        }
        let time = self.cx.call(&CLOCK, |call| {
            call.clock().map(|clock| (clock.now(), clock.civil(clock.now(), Some("UTC"))))
        });
        let Ok((now, day)) = time else { return };
        let (now, day) = (now.seconds, format!("{:04}-{:02}-{:02}", day.year, day.month, day.day));
        let policy = self.reported_policy();
        let called = String::from_utf8_lossy(&self.tls.hello);
        let called = called.strip_prefix("250").map(|rest| rest.trim_start_matches(['-', ' ']));
        let called = called.and_then(|rest| rest.split_ascii_whitespace().next());
        let failure = failure.map(|(result, why)| ReportedFailure {
            result: result.to_owned(),
            from: self.local.map(|own| own.ip().to_canonical().to_string()).unwrap_or_default(),
            host: self.mx_name(),
            called: called.unwrap_or_default().to_owned(),
            address: self.address.to_string(),
            why,
            count: 1,
        });
        let key = tls_report_key(&day, self.domain().bytes());
        let trouble = self.tls.sts.trouble.take().map(|(trouble, why)| ReportedFailure {
            result: trouble.name().to_owned(),
            why,
            ..ReportedFailure::default()
        });
        let hints = ToldHints::open::<TlsReport>(self.cx, now);
        // What can't be noted is not reported.
        let _ = hints.change::<TlsReport>(self.cx, &key, |old| {
            let mut report = old.map(|(report, _)| report).unwrap_or_default();
            report.count(&policy, failure.clone());
            if let Some(trouble) = &trouble {
                let of_policy = ReportedPolicy { kind: "sts".to_owned(), ..Default::default() };
                report.count(&of_policy, Some(trouble.clone()));
            }
            Some(Some(report))
        });
    }

    /// What the DNS or the domain says.
    fn reported_policy(&self) -> ReportedPolicy {
        if let Some(dane) = &self.tls.dane {
            let line = |one: &eximious_core::world::TlsaRecord| {
                let data: String =
                    one.data.iter().take(SHOWN).map(|b| format!("{b:02x}")).collect();
                format!("{} {} {} {data}", one.usage, one.selector, one.matching)
            };
            let lines = dane.records.iter().map(line).collect();
            return ReportedPolicy { kind: "tlsa".into(), lines, ..Default::default() };
        }
        let Some(policy) = &self.tls.sts.policy else {
            return ReportedPolicy { kind: "no-policy-found".into(), ..Default::default() };
        };
        let head = ["version: STSv1".to_owned(), format!("mode: {}", policy.mode.name())];
        let hosts = policy.hosts.iter().map(|host| format!("mx: {host}"));
        let lines = head.into_iter().chain(hosts);
        let lines = lines.chain([format!("max_age: {}", policy.max_age)]).collect();
        ReportedPolicy {
            kind: "sts".into(),
            lines,
            hosts: policy.hosts.clone(),
            ..Default::default()
        }
    }
}
