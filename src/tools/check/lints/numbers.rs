//! Words where numbers are compared.

use eximious_core::OptionKind;
use eximious_grammar::expansion::Arg;
use eximious_stdlib::options::opt::transport::appendfile::{
    MAILBOX_FILECOUNT, MAILBOX_SIZE, QUOTA, QUOTA_FILECOUNT, QUOTA_WARN_THRESHOLD,
};
use eximious_stdlib::options::opt::transport::smtp::PORT;
use eximious_stdlib::options::opt::{
    DAEMON_SMTP_PORTS, MESSAGE_SIZE_LIMIT, QUEUE_RUN_MAX, TLS_ON_CONNECT_PORTS,
};

use crate::tools::check::items::split;
use crate::tools::check::{Findings, Help, Lint, Severity, Survey, Text};

/// E112.
pub(super) static NOT_A_NUMBER: Lint = Lint {
    code: "E112",
    name: "not-a-number",
    severity: Severity::Error,
    summary: "A word stands where a number must.",
    docs: "`<`, `<=`, `=`, `==`, `>=` and `>` want numbers on both sides, and the expansion fails \
           with anything else. A dollar sign may be missing; strings are compared with `eq`. Options \
           such as `message_size_limit` and `quota` are expanded when they are needed, and each \
           session is refused for now, each delivery put off, where no number comes out. A port \
           may have a name instead, if the system's table of services (`/etc/services`) has it: \
           without, the daemon does not start, and a transport defers. `queue_run_max` takes digits alone, and a proxy in \
           `socks_proxy` is an address, whose port, priority, weight and time have digits alone, \
           too: with `port=x` it is not reached.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if >{message_size}{10M}}\n  accept\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if >{$message_size}{10M}}\n  accept\n",
    run: |survey, findings| {
        for text in &survey.texts {
            option(survey, text, findings);
            super::socks::numbers(text, findings);
            let Some(tree) = &text.tree else { continue };
            for condition in tree.conds() {
                let name = survey.registry.condition_at(condition.def).meta.name;
                if !matches!(name, "<" | "<=" | "=" | "==" | ">=" | ">") {
                    continue;
                }
                for arg in tree.view().cond_args(condition) {
                    let Arg::Text(seq) = arg else { continue };
                    let Some(word) = tree.view().literal(*seq).filter(|word| !number(word)) else {
                        continue;
                    };
                    let shown = String::from_utf8_lossy(word);
                    let known = survey.registry.variable_id(word.trim_ascii()).is_some();
                    let help = match shown.trim() {
                        name if known => Help::instead_of(name, format!("write ${name}")),
                        _ => Help::default(),
                    };
                    let message = format!("integer expected but \"{shown}\" found");
                    findings.add_with(text.spot(seq.span), message, help);
                }
            }
        }
    },
};

/// Options that hold the text of a number.
const SIZES: [&str; 6] = [
    MAILBOX_FILECOUNT.name(),
    MAILBOX_SIZE.name(),
    MESSAGE_SIZE_LIMIT.name(),
    QUOTA.name(),
    QUOTA_FILECOUNT.name(),
    QUOTA_WARN_THRESHOLD.name(),
];

/// Options that hold the numbers of ports.
const PORTS: [&str; 3] = [DAEMON_SMTP_PORTS.name(), TLS_ON_CONNECT_PORTS.name(), PORT.name()];

/// An option that is expanded when it is needed, and read as a number then; and ports.
fn option(survey: &Survey<'_>, text: &Text<'_>, findings: &mut Findings) {
    let Some(option) = text.option().filter(|_| !text.text.contains(&b'$')) else { return };
    let name = option.meta.name;
    let counts = matches!(option.kind, OptionKind::Integer | OptionKind::Size);
    if option.expanded && (counts || SIZES.contains(&name)) {
        let size = text.text.strip_suffix(b"/no_check").unwrap_or(&text.text);
        let percent = size.strip_suffix(b"%").filter(|_| name == QUOTA_WARN_THRESHOLD.name());
        if !number(percent.unwrap_or(size)) {
            let shown = String::from_utf8_lossy(&text.text);
            let message = format!("\"{shown}\" is no number for {name}");
            findings.add_with(text.whole(), message, "K, M or G may follow the digits");
        }
    } else if name == QUEUE_RUN_MAX.name() {
        let digits = text.text.trim_ascii();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            let shown = String::from_utf8_lossy(&text.text);
            findings.add(text.whole(), format!("\"{shown}\" is no number for {name}"));
        }
    } else if PORTS.contains(&name) {
        for item in split(&text.text) {
            if let Some((message, help)) = port(survey, &item.text, findings) {
                findings.add_with(text.spot(item.span), message, help);
            }
        }
    }
}

/// Names that mail's ports have.
const SERVICES: [&str; 7] = ["smtp", "smtps", "ssmtp", "submission", "submissions", "urd", "lmtp"];

/// What is wrong with a port's number or name.
fn port(survey: &Survey<'_>, text: &[u8], findings: &Findings) -> Option<(String, Help)> {
    let shown = String::from_utf8_lossy(text);
    if text.is_empty() || text.contains(&b'\\') || shown.parse::<u16>().is_ok() {
        return None;
    }
    if text.iter().all(u8::is_ascii_digit) {
        let message = format!("there is no port {shown}: 65535 is the last");
        return Some((message, Help::default()));
    }
    let has = |name: &str| survey.world.net.service(name).is_some();
    // Where not even this one is there, there is no table.
    (!has(&shown) && has("smtp")).then(|| {
        let known = SERVICES.into_iter().filter(|name| has(name));
        let message = format!("this system has no service \"{shown}\"");
        (message, findings.offer("", &shown, known))
    })
}

/// Whether a text is a number, with the suffixes that multiply; nothing is zero.
fn number(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let digits = match text {
        [digits @ .., b'k' | b'K' | b'm' | b'M' | b'g' | b'G'] => digits,
        _ => text,
    };
    match digits.strip_prefix(b"0x").or(digits.strip_prefix(b"0X")) {
        Some(hex) => !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit),
        None => digits.iter().all(u8::is_ascii_digit) && (!digits.is_empty() || text.is_empty()),
    }
}
