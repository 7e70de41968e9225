//! What stands after `control`, `verify`, `ratelimit`, `dnslists` and `delay`.

use eximious_grammar::Span;

use crate::check::{Findings, Lint, Severity, Survey, Text, nearest};

/// E114.
pub(super) static ACL_ARGUMENT: Lint = Lint {
    code: "E114",
    name: "acl-argument",
    severity: Severity::Error,
    summary: "The argument of an ACL's condition or modifier is wrong.",
    docs: "Exim reads what stands after `control`, `verify`, `ratelimit`, `dnslists` and `delay` \
           only when it comes to the line; every such command is then refused for now, or the \
           condition never holds.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny !verify = recipiant\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny !verify = recipient\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some(term) = text.term() else { continue };
            match term.meta.name {
                "control" => control(survey, text, findings),
                "verify" => verify(survey, text, findings),
                "ratelimit" => ratelimit(text, findings),
                "dnslists" => dnslists(text, findings),
                "delay" => {
                    let time = text.text.split(|c| *c == b'/').next().unwrap_or_default();
                    wants_time(text, time, findings);
                }
                _ => {}
            }
        }
    },
};

fn control(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let (name, options) = head(&text.text);
    if name.contains(&b'$') {
        return;
    }
    let Some(control) = survey.registry.acl_control(name) else {
        let names = survey.registry.all_acl_controls().map(|control| control.meta.name);
        return unknown(text, "control", name, names, findings);
    };
    let known: &[&str] = match control.meta.name {
        "submission" => &["sender_retain", "domain=", "name="],
        "freeze" => &["no_tell"],
        _ => return,
    };
    check_options(text, options, known, findings);
}

fn verify(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let (name, options) = head(&text.text);
    if name.contains(&b'$') {
        return;
    }
    let Some(verify) = survey.registry.acl_verify(name) else {
        let names = survey.registry.all_acl_verifies().map(|verify| verify.meta.name);
        return unknown(text, "verification", name, names, findings);
    };
    let known: &[&str] = match verify.meta.name {
        "recipient" | "sender" | "header_sender" => {
            &["callout", "defer_ok", "no_details", "quota", "success_on_redirect"]
        }
        "reverse_host_lookup" => &["defer_ok"],
        "not_blind" => &["case_insensitive"],
        _ => return,
    };
    if !text.text[name.len()..].trim_ascii_start().starts_with(b"=") {
        check_options(text, options, known, findings);
    }
}

/// The first word, and what follows it: up to a slash, a sign or a blank.
fn head(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| matches!(c, b'/' | b'=' | b' ' | b'\t'));
    text.split_at(end.unwrap_or(text.len()))
}

/// Options after slashes, of which each begins with a known word.
fn check_options(text: &Text<'_>, options: &[u8], known: &[&str], findings: &mut Findings) {
    for option in options.split(|c| *c == b'/').skip(1) {
        let option = option.trim_ascii();
        if option.contains(&b'$') {
            return;
        }
        if !known.iter().any(|known| option.starts_with(known.as_bytes())) {
            let (word, _) = head(option);
            let names = known.iter().map(|known| known.trim_end_matches('='));
            unknown(text, "option", word, names, findings);
        }
    }
}

fn unknown<'n>(
    text: &Text<'_>,
    what: &str,
    name: &[u8],
    names: impl Iterator<Item = &'n str>,
    findings: &mut Findings,
) {
    let shown = String::from_utf8_lossy(name);
    let help = findings.offer("", &shown, names);
    findings.add_with(
        text.spot(part(text, name)),
        format!("no {what} is called \"{shown}\""),
        help,
    );
}

/// Where a part of a text stands in it.
fn part(text: &Text<'_>, part: &[u8]) -> Span {
    let at = memchr::memmem::find(&text.text, part).unwrap_or(0);
    Span::new(at, at + part.len())
}

fn ratelimit(text: &Text<'_>, findings: &mut Findings) {
    let mut parts = text.text.split(|c| *c == b'/').map(<[u8]>::trim_ascii);
    let limit = parts.next().unwrap_or_default();
    let digits = match limit {
        [digits @ .., b'K' | b'k' | b'M' | b'm' | b'G' | b'g'] => digits,
        _ => limit,
    };
    let number = std::str::from_utf8(digits).is_ok_and(|digits| digits.parse::<f64>().is_ok());
    if !number && !limit.contains(&b'$') {
        let shown = String::from_utf8_lossy(limit);
        findings.add(text.spot(part(text, limit)), format!("\"{shown}\" is not a number"));
    }
    match parts.next() {
        Some(period) => wants_time(text, period, findings),
        None if limit.contains(&b'$') => {}
        None => findings.add(text.whole(), "a period must follow the limit: 10 / 1h"),
    }
}

fn wants_time(text: &Text<'_>, time: &[u8], findings: &mut Findings) {
    let time = time.trim_ascii();
    if !time.contains(&b'$') && eximious_stdlib::interval::seconds(time).is_none() {
        let shown = String::from_utf8_lossy(time);
        findings.add(text.spot(part(text, time)), format!("\"{shown}\" is not a time value"));
    }
}

fn dnslists(text: &Text<'_>, findings: &mut Findings) {
    if text.text.trim_ascii_start().starts_with(b"<") {
        return;
    }
    for item in text.text.split(|c| *c == b':').map(<[u8]>::trim_ascii) {
        let Some(at) = item.iter().position(|c| matches!(c, b'=' | b'&' | b'!' | b'/')) else {
            continue;
        };
        let values = item[at..].split(|c| *c == b'/').next().unwrap_or_default();
        let signs = values.iter().take_while(|c| matches!(c, b'=' | b'&' | b'!')).count();
        if signs == 0 {
            continue;
        }
        for value in values[signs..].split(|c| *c == b',').map(<[u8]>::trim_ascii) {
            let address = std::str::from_utf8(value).unwrap_or_default();
            if address.parse::<std::net::Ipv4Addr>().is_err() && !value.contains(&b'$') {
                let shown = String::from_utf8_lossy(value);
                let message = format!("\"{shown}\" is not an address that a list can answer");
                findings.add(text.spot(part(text, value)), message);
            }
        }
    }
}

/// W209.
pub(super) static NEARLY_A_WORD: Lint = Lint {
    code: "W209",
    name: "nearly-a-word",
    severity: Severity::Warning,
    summary: "A key of `ratelimit` is nearly one of its options.",
    docs: "What is no option after the period is a key: all clients then share one count under a \
           misspelt word.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny ratelimit = 10 / 1h / per_mial\n  accept\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny ratelimit = 10 / 1h / per_mail\n  accept\n",
    run: |survey, findings| {
        const OPTIONS: [&str; 11] = [
            "leaky", "noupdate", "per_addr", "per_byte", "per_cmd", "per_conn", "per_mail",
            "per_rcpt", "readonly", "strict", "unique",
        ];
        for text in &survey.texts {
            if text.term().is_none_or(|term| term.meta.name != "ratelimit") {
                continue;
            }
            for word in text.text.split(|c| *c == b'/').skip(2).map(<[u8]>::trim_ascii) {
                let shown = String::from_utf8_lossy(word);
                let (name, _) = shown.split_once('=').unwrap_or((&shown, ""));
                if OPTIONS.contains(&name) || name == "count" {
                    continue;
                }
                if let Some(near) = nearest(name, OPTIONS.into_iter()).first() {
                    let message = format!("\"{name}\" is taken for a key");
                    let help = format!("did you mean {near}?");
                    findings.add_with(text.spot(part(text, word)), message, help);
                }
            }
        }
    },
};
