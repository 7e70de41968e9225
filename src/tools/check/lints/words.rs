//! What stands after `control`, `verify`, `ratelimit` and other words of ACLs.

use std::net::Ipv4Addr;

use eximious_core::AclOptions;
use eximious_grammar::Span;

use crate::mail::acl::{CALLOUT_PARAMETERS, QUOTA_PARAMETERS};
use crate::tools::check::{Findings, Help, Lint, Severity, Survey, Text, nearest};

/// E114.
pub(super) static ACL_ARGUMENT: Lint = Lint {
    code: "E114",
    name: "acl-argument",
    severity: Severity::Error,
    summary: "The argument of an ACL's condition or modifier is wrong.",
    docs: "Exim reads what stands after `control`, `verify`, `ratelimit`, `seen`, `dnslists`, \
           `delay`, `spf`, `dkim_status` and `dmarc_status` only when it comes to the line; every such command is then refused for now, or the \
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
                "seen" => seen(text, findings),
                "dnslists" => dnslists(text, findings),
                "delay" => wants_time(text, &text.text, findings),
                name => {
                    if let Some(known) = results_of(name) {
                        results(text, known, findings);
                    }
                }
            }
        }
    },
};

const DKIM: [&str; 4] = ["fail", "invalid", "none", "pass"];
const DMARC: [&str; 8] =
    ["accept", "nofrom", "none", "norecord", "off", "quarantine", "reject", "temperror"];
/// The last two are older names.
const SPF: [&str; 11] = [
    "*",
    "fail",
    "invalid",
    "neutral",
    "none",
    "pass",
    "permerror",
    "softfail",
    "temperror",
    "err_perm",
    "err_temp",
];

/// The results that a condition can come to.
pub(in crate::tools) fn results_of(term: &str) -> Option<&'static [&'static str]> {
    match term {
        "dkim_status" => Some(&DKIM),
        "dmarc_status" => Some(&DMARC),
        "spf" | "spf_guess" => Some(&SPF),
        _ => None,
    }
}

/// Words of a list that a check can come to.
fn results(text: &Text<'_>, known: &[&str], findings: &mut Findings) {
    if text.text.contains(&b'$') {
        return;
    }
    let (separator, start) = crate::tools::check::items::separator(&text.text);
    for word in text.text[start..].split(|c| *c == separator).map(<[u8]>::trim_ascii) {
        let word = word.strip_prefix(b"!").unwrap_or(word);
        let is = |name: &&str| word.eq_ignore_ascii_case(name.as_bytes());
        if !word.is_empty() && !known.iter().any(is) {
            unknown(text, "result", word, known.iter().copied(), findings);
        }
    }
}

fn control(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let (name, options) = head(&text.text);
    if name.contains(&b'$') {
        return;
    }
    let Some(control) = survey.registry.acl_control(name) else {
        let names = survey.registry.all_acl_controls().map(|control| control.meta.name);
        return unknown(text, "control", name, names, findings);
    };
    match control.options {
        AclOptions::None => no_options(text, options, findings),
        // These pass over what they do not know.
        AclOptions::Names(names) if !IGNORANT.contains(&control.meta.name) => {
            check_options(text, options, names, findings);
        }
        AclOptions::Names(_) | AclOptions::Text => {}
    }
}

/// Controls that say nothing of an option that they do not know.
pub(super) const IGNORANT: [&str; 4] = ["cutthrough_delivery", "debug", "queue", "queue_only"];

fn verify(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let (name, options) = head(&text.text);
    if name.contains(&b'$') {
        return;
    }
    let Some(verify) = survey.registry.acl_verify(name) else {
        let names = survey.registry.all_acl_verifies().map(|verify| verify.meta.name);
        return unknown(text, "verification", name, names, findings);
    };
    if !matches!(verify.options, AclOptions::Text)
        && !matches!(options.trim_ascii_start().first(), None | Some(b'/' | b'=' | b'$'))
    {
        let (name, rest) = (verify.meta.name, String::from_utf8_lossy(options.trim_ascii()));
        let message = format!("{name} can't be followed by \"{rest}\"");
        let help = format!("options have slashes before them: {name}/{rest}");
        return findings.add_with(text.spot(part(text, options.trim_ascii())), message, help);
    }
    match verify.options {
        AclOptions::None => no_options(text, options, findings),
        AclOptions::Names(names) => {
            // An address may stand before them, with slashes in it.
            let given = options.trim_ascii_start().starts_with(b"=");
            if !given {
                check_options(text, options, names, findings);
            }
            parameters(text, verify.meta.name, options, findings);
        }
        AclOptions::Text => {}
    }
}

/// What stands after `callout=` and `quota=`.
fn parameters(text: &Text<'_>, verify: &str, options: &[u8], findings: &mut Findings) {
    for option in options.split(|c| *c == b'/').skip(1).map(<[u8]>::trim_ascii) {
        let (name, known): (_, &[_]) = match option {
            _ if option.starts_with(b"callout") => (&b"callout"[..], &CALLOUT_PARAMETERS),
            _ if option.starts_with(b"quota") => (b"quota", &QUOTA_PARAMETERS),
            _ => continue,
        };
        let Some(list) = option[name.len()..].trim_ascii().strip_prefix(b"=") else { continue };
        for parameter in list.split(|c| *c == b',').map(<[u8]>::trim_ascii) {
            if parameter.contains(&b'$') || parameter.is_empty() {
                continue;
            }
            let (word, value) = match parameter.iter().position(|c| *c == b'=') {
                Some(at) => (parameter[..at].trim_ascii(), Some(parameter[at + 1..].trim_ascii())),
                None => (parameter, None),
            };
            let found = known.iter().find(|(name, _)| name.as_bytes() == word);
            match (found, value) {
                (Some((_, true)), Some(value)) => wants_time(text, value, findings),
                (Some((one, _)), _) => misplaced(text, verify, one, word, findings),
                (None, None) if eximious_stdlib::interval::seconds(word).is_some() => {}
                (None, _) => {
                    let names = known.iter().map(|(name, _)| *name);
                    let what = format!("parameter of {}", String::from_utf8_lossy(name));
                    unknown(text, &what, word, names, findings);
                }
            }
        }
    }
}

/// Parameters of `callout` that only some verifications take.
fn misplaced(text: &Text<'_>, verify: &str, name: &str, word: &[u8], findings: &mut Findings) {
    let only = match name {
        "mailfrom" if verify != "header_sender" => "verify = header_sender",
        "use_sender" | "use_postmaster" if verify != "recipient" => "verify = recipient",
        _ => return,
    };
    findings.add(text.spot(part(text, word)), format!("{name} is only for {only}"));
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
        if !takes(known, option) {
            let (word, _) = head(option);
            let names = known.iter().map(|known| known.trim_end_matches('='));
            unknown(text, "option", word, names, findings);
        }
    }
}

/// Whether an option is one that is known; a name that ends in `=` has a value.
pub(super) fn takes(known: &[&str], option: &[u8]) -> bool {
    known.iter().any(|known| match known.strip_suffix('=') {
        Some(name) => option
            .strip_prefix(name.as_bytes())
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"=")),
        None => known.as_bytes() == option,
    })
}

/// What takes no options.
fn no_options(text: &Text<'_>, options: &[u8], findings: &mut Findings) {
    if options.trim_ascii_start().starts_with(b"/") {
        let (name, _) = head(&text.text);
        let name = String::from_utf8_lossy(name);
        findings.add(text.spot(part(text, options)), format!("{name} takes no options"));
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
    let mut parts = slashed(&text.text).into_iter();
    let limit = parts.next().unwrap_or_default();
    let digits = match limit {
        [digits @ .., b'K' | b'k' | b'M' | b'm' | b'G' | b'g'] => digits,
        _ => limit,
    };
    if !positive(digits) && !limit.contains(&b'$') {
        let shown = String::from_utf8_lossy(limit);
        findings.add(text.spot(part(text, limit)), format!("\"{shown}\" is not a number"));
    }
    match parts.next() {
        Some(period) if eximious_stdlib::interval::seconds(period) == Some(0) => {
            findings.add(text.spot(part(text, period)), "the period must not be zero");
        }
        Some(period) => wants_time(text, period, findings),
        None if limit.contains(&b'$') => {}
        None => findings.add(text.whole(), "a period must follow the limit: 10 / 1h"),
    }
    let options: Vec<&[u8]> = parts.collect();
    for one_of in [&MEASURES[..], &MODES] {
        let mut given = options.iter().filter(|option| takes(one_of, option));
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let names = [first, second].map(|name| String::from_utf8_lossy(name));
            let message = format!("{} and {} exclude each other", names[0], names[1]);
            findings.add(text.spot(part(text, second)), message);
        }
    }
    for count in options.iter().filter_map(|option| option.strip_prefix(b"count=")) {
        if !positive(count) && !count.contains(&b'$') {
            let shown = String::from_utf8_lossy(count);
            findings.add(text.spot(part(text, count)), format!("\"{shown}\" is not a number"));
        }
    }
}

/// The parts between slashes. A slash within braces is one of what is expanded.
fn slashed(text: &[u8]) -> Vec<&[u8]> {
    let (mut depth, mut start, mut parts) = (0u32, 0, Vec::new());
    for (at, c) in text.iter().enumerate() {
        match c {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'/' if depth == 0 => {
                parts.push(text[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim_ascii());
    parts
}

fn positive(text: &[u8]) -> bool {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    number.is_some_and(|number| number >= 0.0)
}

/// What `ratelimit` measures, and how it notes it down.
const MEASURES: [&str; 6] = ["per_addr", "per_byte", "per_cmd", "per_conn", "per_mail", "per_rcpt"];
const MODES: [&str; 3] = ["leaky", "readonly", "strict"];

/// `seen = -5m / key=… / readonly`.
fn seen(text: &Text<'_>, findings: &mut Findings) {
    let mut parts = slashed(&text.text).into_iter();
    let time = parts.next().unwrap_or_default();
    wants_time(text, time.strip_prefix(b"-").unwrap_or(time), findings);
    if text.text.contains(&b'$') {
        // What is looked up may have slashes in it.
        return;
    }
    const OPTIONS: [&str; 4] = ["key=", "readonly", "refresh=", "write"];
    for option in parts.filter(|option| !takes(&OPTIONS, option)) {
        let (word, _) = head(option);
        let names = OPTIONS.iter().map(|name| name.trim_end_matches('='));
        unknown(text, "option", word, names, findings);
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
    let (separator, start) = crate::tools::check::items::separator(&text.text);
    for item in text.text[start..].split(|c| *c == separator).map(<[u8]>::trim_ascii) {
        const SPECIAL: [&str; 3] = ["defer_unknown", "exclude_unknown", "include_unknown"];
        if let Some(word) = item.strip_prefix(b"+") {
            if !SPECIAL.iter().any(|name| name.as_bytes() == word) {
                unknown(text, "item", word, SPECIAL.into_iter(), findings);
            }
            continue;
        }
        let at = item.iter().position(|c| matches!(c, b'=' | b'&' | b'!' | b'/'));
        strange(text, &item[..at.unwrap_or(item.len())], findings);
        let Some(at) = at else { continue };
        let values = item[at..].split(|c| *c == b'/').next().unwrap_or_default();
        let signs = values.iter().take_while(|c| matches!(c, b'=' | b'&' | b'!')).count();
        if signs == 0 {
            continue;
        }
        for value in values[signs..].split(|c| *c == b',').map(<[u8]>::trim_ascii) {
            let address: Result<Ipv4Addr, _> =
                std::str::from_utf8(value).unwrap_or_default().parse();
            let shown = String::from_utf8_lossy(value);
            let message = match address {
                _ if value.contains(&b'$') => continue,
                Err(_) => format!("\"{shown}\" is not an address that a list can answer"),
                // A mask has its zeros; and what is not meant may be anything.
                Ok(address) if address.is_loopback() || &values[..signs] != b"=" => continue,
                Ok(_) => format!("Exim passes over {shown}: lists answer with 127.…"),
            };
            findings.add(text.spot(part(text, value)), message);
        }
    }
}

/// Domains of a list that can't be some: one may be asked for its text, and another, behind a
/// comma, first for its address.
fn strange(text: &Text<'_>, domains: &[u8], findings: &mut Findings) {
    if domains.iter().any(|c| b"${}\\".contains(c)) {
        return;
    }
    let odd = |c: &u8| !c.is_ascii_alphanumeric() && !b"-._".contains(c);
    for domain in domains.splitn(2, |c| *c == b',').filter(|domain| domain.iter().any(odd)) {
        let shown = String::from_utf8_lossy(domain);
        let message = format!("\"{shown}\" is no domain of a list");
        let help = if !domain.trim_ascii().iter().any(odd) {
            "leave the blank out"
        } else if domains.contains(&b',') {
            "one comma stands between two domains; put colons between lists"
        } else {
            "put a colon between the lists"
        };
        findings.add_with(text.spot(part(text, domain)), message, help);
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
                    let help = Help::instead_of(name, format!("did you mean {near}?"));
                    findings.add_with(text.spot(part(text, word)), message, help);
                }
            }
        }
    },
};
