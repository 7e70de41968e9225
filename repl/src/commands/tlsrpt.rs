//! `eximious tlsrpt`: reports of what came of TLS with the hosts of domains (TLS-RPT,
//! RFC 8460).

mod letter;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use eximious::acl::OwnMessage;
use eximious::hints::{Record, ReportedFailure, ReportedPolicy, TlsReport, tls_report_key};
use eximious::world::{Hint, HintStore, Moment};
use eximious::{Context, mta_sts, opt, var};
use eximious_mta::smtp::SmtpServer;
use eximious_mta::submission;
use serde_json::{Value, json};

use self::letter::Letter;
use super::option;
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use crate::{caller, print};

/// What is reported.
#[derive(Default, PartialEq, Eq, Debug)]
struct WantedReport {
    /// The day, in UTC: yesterday, where none is named.
    day: Option<String>,
    /// Who reports: `qualify_domain`, where nothing is said.
    organization: Option<String>,
    /// Who answers questions: the postmaster there.
    contact: Option<String>,
    /// The domain; without it, it is said of which domains there are reports, and who wants
    /// them.
    domain: Option<String>,
    /// Whether reports are sent.
    sends: bool,
}

/// Its options.
pub fn command() -> Command {
    Command::new("tlsrpt")
        .about("reports what came of TLS with the hosts of domains (RFC 8460)")
        .long_about(
            "What came of TLS with the hosts of domains, as the smtp transport's option \
             tlsrpt_domains has it noted. Without a domain it says of which domains there is \
             something, and where they want to be told of it (the record _smtp._tls.DOMAIN; - \
             where they don't). With one it writes the report for it (JSON, RFC 8460). With \
             --send, reports for all of them, or for the one, become messages to where they are \
             wanted, as far as that is an address, which the next run of the queue delivers; \
             what was sent is forgotten, so that a timer may do it each day. They are to be \
             signed by DKIM (dkim_domain of the transport). It is for admin users.",
        )
        .arg(Arg::new("domain").value_name("DOMAIN").help("Whose report is written"))
        .arg(
            option("day", "YYYY-MM-DD", "The day, in UTC; by default, yesterday").value_parser(day),
        )
        .arg(option("organization", "NAME", "Who reports; by default, qualify_domain"))
        .arg(
            Arg::new("send")
                .long("send")
                .action(ArgAction::SetTrue)
                .help("Sends the reports to where they are wanted"),
        )
        .arg(option("contact", "WHO", "Who answers questions; by default, the postmaster there"))
}

/// What was typed.
fn wanted(matches: &ArgMatches) -> WantedReport {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    WantedReport {
        day: text("day"),
        organization: text("organization"),
        contact: text("contact"),
        domain: text("domain"),
        sends: matches.get_flag("send"),
    }
}

fn day(text: &str) -> Result<String, String> {
    let why = || "a day is wanted, such as 2026-11-22".to_owned();
    is_day(text).then(|| text.to_owned()).ok_or_else(why)
}

/// `2026-11-22`
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.concat().bytes().all(|byte| byte.is_ascii_digit())
}

/// Reports.
///
/// # Errors
/// The configuration can't be read, or the caller may not.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let wanted = wanted(matches);
    let session = match wanted.sends {
        true => Session::start_logging(setup, eximious_world::system())?,
        false => Session::start(setup, eximious_world::system())?,
    };
    if wanted.sends {
        session.work_in_spool();
    }
    let (config, mut cx) = session.into_parts();
    if !caller::is_admin(cx.engine().settings(), cx.engine().world()) {
        return Err(Refusal::Said(b"exim: permission denied; not admin".to_vec()));
    }
    let directory = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
    let store = cx.engine().world().hint_store(directory.bytes());
    let progress = Progress::of("asking what domains want");
    let said = match wanted.sends {
        false => said(&mut cx, &*store, &wanted),
        true => {
            let config = config.unwrap_or_default();
            let server = Arc::new(SmtpServer::new(&config, cx.engine()));
            sent(&mut cx, &server, &*store, &wanted)
        }
    };
    let said = said.map_err(|why| Refusal::Said(format!("eximious: {why}").into_bytes()))?;
    drop(progress);
    Ok(print(said.as_bytes()))
}

fn said(cx: &mut Context, store: &dyn HintStore, wanted: &WantedReport) -> Result<String, String> {
    let day = wanted.day.clone().unwrap_or_else(|| yesterday(cx));
    let Some(domain) = &wanted.domain else {
        let mut said = String::new();
        for domain in domains(store, &day)? {
            let places = mta_sts::report_places(cx, domain.as_bytes());
            let places = if places.is_empty() { "-".to_owned() } else { places.join(" ") };
            said += &format!("{domain} {places}\n");
        }
        return Ok(said);
    };
    Ok(format!("{:#}\n", report(cx, store, wanted, (&day, domain))?))
}

/// Sends reports, and says which: the domains, and where they went.
fn sent(
    cx: &mut Context,
    server: &Arc<SmtpServer>,
    store: &dyn HintStore,
    wanted: &WantedReport,
) -> Result<String, String> {
    let day = wanted.day.clone().unwrap_or_else(|| yesterday(cx));
    let all = match &wanted.domain {
        Some(domain) => BTreeSet::from([domain.to_ascii_lowercase()]),
        None => domains(store, &day)?,
    };
    let submitter = cx.value_of(var::QUALIFY_DOMAIN).display().to_string();
    let mut said = String::new();
    for domain in all {
        let to = letter::addresses(&mta_sts::report_places(cx, domain.as_bytes()));
        if to.is_empty() {
            said += &format!("{domain} -\n");
            continue;
        }
        let report = report(cx, store, wanted, (&day, &domain))?;
        let id = report["report-id"].as_str().unwrap_or_default();
        let boundary = format!("tlsrpt-{:016x}", cx.engine().world().random.below(u64::MAX));
        let letter = Letter {
            domain: &domain,
            submitter: &submitter,
            id,
            day: &day,
            report: &format!("{report:#}\n"),
            to: &to,
            boundary: &boundary,
        };
        let clock = cx.engine().world().clock.clone();
        let text = letter.text(&*clock).map_err(|why| why.to_string())?;
        let own = OwnMessage { sender: Vec::new(), text };
        if !submission::write_own(server, cx, &own).kept {
            return Err(format!("the report for {domain} can't be put into the queue"));
        }
        let key = tls_report_key(&day, domain.as_bytes());
        TlsReport::forget(store, &key).map_err(|why| why.to_string())?;
        said += &format!("{domain} {}\n", to.join(" "));
    }
    Ok(said)
}

/// The report for a domain.
fn report(
    cx: &mut Context,
    store: &dyn HintStore,
    wanted: &WantedReport,
    (day, domain): (&str, &str),
) -> Result<Value, String> {
    let key = tls_report_key(day, domain.as_bytes());
    let found = TlsReport::load(store, &key).map_err(|why| why.to_string())?;
    let (report, _) = found.ok_or_else(|| format!("there is nothing of {domain} on {day}"))?;
    let own = cx.value_of(var::QUALIFY_DOMAIN).display().to_string();
    let host = cx.value_of(var::PRIMARY_HOSTNAME).display().to_string();
    let domain = domain.to_ascii_lowercase();
    Ok(json!({
        "organization-name": wanted.organization.clone().unwrap_or_else(|| own.clone()),
        "date-range": {
            "start-datetime": format!("{day}T00:00:00Z"),
            "end-datetime": format!("{day}T23:59:59Z"),
        },
        "contact-info": wanted.contact.clone().unwrap_or_else(|| format!("postmaster@{own}")),
        "report-id": format!("{day}_{domain}@{host}"),
        "policies": report.policies.iter().map(|one| policy(one, &domain)).collect::<Vec<_>>(),
    }))
}

fn yesterday(cx: &Context) -> String {
    let clock = &cx.engine().world().clock;
    let seconds = clock.now().seconds.saturating_sub(24 * 3600);
    let day = clock.civil(Moment { seconds, nanos: 0 }, Some("UTC"));
    format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)
}

/// The domains of which something was noted on a day.
fn domains(store: &dyn HintStore, day: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    let head = tls_report_key(day, b"");
    let mut look = |key: &[u8], _: &Hint| {
        if let Some(domain) = key.strip_prefix(&head[..]) {
            found.insert(String::from_utf8_lossy(domain).into_owned());
        }
        true
    };
    store.each(TlsReport::SPACE.as_bytes(), &mut look).map_err(|why| why.to_string())?;
    Ok(found)
}

fn policy(policy: &ReportedPolicy, domain: &str) -> Value {
    let mut about = json!({ "policy-type": policy.kind, "policy-domain": domain });
    if !policy.lines.is_empty() {
        about["policy-string"] = json!(policy.lines);
    }
    if !policy.hosts.is_empty() {
        about["mx-host"] = json!(policy.hosts);
    }
    let mut whole = json!({
        "policy": about,
        "summary": {
            "total-successful-session-count": policy.good,
            "total-failure-session-count": policy.bad,
        },
    });
    if !policy.failures.is_empty() {
        whole["failure-details"] = policy.failures.iter().map(failure).collect();
    }
    whole
}

fn failure(failure: &ReportedFailure) -> Value {
    let ReportedFailure { result, from, host, called, address, why, count } = failure;
    let mut details = json!({ "result-type": result, "failed-session-count": count });
    for (name, text) in [
        ("sending-mta-ip", from),
        ("receiving-mx-hostname", host),
        ("receiving-mx-helo", called),
        ("receiving-ip", address),
        ("failure-reason-code", why),
    ] {
        if !text.is_empty() {
            details[name] = json!(text);
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_what_is_wanted() {
        let read = |text: &str| {
            let words = std::iter::once("tlsrpt").chain(text.split_whitespace());
            Some(wanted(&command().try_get_matches_from(words).ok()?))
        };
        let all = read("--day 2026-11-22 b.example --contact a@c").expect("a report");
        assert_eq!(all.day.as_deref(), Some("2026-11-22"));
        assert_eq!(
            (all.domain.as_deref(), all.contact.as_deref()),
            (Some("b.example"), Some("a@c"))
        );
        assert!(read("--send a.example").is_some_and(|one| one.sends));
        assert_eq!(read(""), Some(WantedReport::default()));
        for text in ["a b", "--day", "--day today", "--day 2026-1-22", "--sent a"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
