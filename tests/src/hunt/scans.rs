//! Scanners for malware and spam, asked by ACLs, that answer well, oddly, late, half or not at
//! all; and patterns that look for text in messages.

mod malware;
mod spam;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const OPTIONS: &[&str] = &[
    "log_selector = +all -arguments -pid -receive_time -connection_id -millisec",
    "spool_wireformat",
    "smtp_return_error_details",
    "split_spool_directory",
    "write_rejectlog = false",
    "headers_charset = utf-8",
];

/// What is known afterwards.
const SHOWN: &[&str] = &[
    "  warn logwrite = m=<${length_200:$malware_name}> c=<$callout_address>",
    "  warn logwrite = s=<$spam_score> i=<$spam_score_int> b=<$spam_bar> a=<$spam_action>
       logwrite = r=<${length_300:${sg{$spam_report}{\\n}{/}}}>",
    "  warn logwrite = x=<${length_100:$regex_match_string}> 1=<$regex1> 2=<$regex2>",
];

const VERBS: &[&str] =
    &["deny", "deny", "warn", "warn", "warn", "accept", "defer", "discard", "drop", "require"];

const MODIFIERS: &[&str] = &[
    "message = found <$malware_name>",
    "message = 571 5.7.1 spam $spam_score ($spam_bar) $spam_action",
    "message = $spam_report",
    "log_message = logged <$malware_name> at $callout_address",
    "log_message = scored $spam_score_int/$spam_action",
    "logwrite = $sender_address <$malware_name> <$spam_score>",
    "add_header = X-Malware: $malware_name",
    "add_header = X-Spam: $spam_score ($spam_bar) $spam_score_int $spam_action",
    "add_header = X-Report: $spam_report",
    "set acl_m_seen = $acl_m_seen,$malware_name$spam_score",
    "control = no_mbox_unspool",
    "control = fakereject",
    "endpass",
    "condition = ${if >{$spam_score_int}{50}}",
    "condition = ${if match{$malware_name}{(?i)eicar}}",
    "condition = ${if def:malware_name}",
    "condition = ${if def:spam_report}",
];

const REGEX: &[&str] = &[
    "hello (wor)ld : nobody",
    "(?i)^subject: (.*) (.*)",
    "\\N^X-Envelope-(\\w+): (.*)\\N",
    "\\N^(From) \\N",
    "\\N(x{100})\\N",
    "(",
    "",
    "0",
    "false",
    "\\N^(.)(.)\\N",
    "one : ( : two",
    "$acl_m_none",
    "<; hel(lo) ; x",
    "\\N^$\\N",
    "$h_subject:",
    "\\N^.*\\N",
];

/// What is scanned.
const BODIES: &[&str] = &[
    "> Subject: one two\\r\\n\\r\\nhello world\\r\\n",
    "> Subject: hello\\r\\n\\r\\n",
    "> Subject: x\\r\\n\\r\\n\\{3000:x}\\r\\n",
    "> Subject: x\\r\\n\\r\\n\\{40000:x\\r\\n}",
    "> To: a@l.test\\r\\nFrom: S <s@l.test>\\r\\n\\r\\nFrom here\\r\\n..\\r\\n\\r\\n",
    "> hello world\\r\\n",
    "> Subject: x\\r\\n\\r\\n\\0\\xff\\x80bytes\\0\\r\\n",
    "> Content-Type: multipart/mixed; boundary=b\\r\\n\\r\\n--b\\r\\n\\r\\nhello \
     world\\r\\n--b\\r\\nContent-Type: text/plain; name=x.exe\\r\\nContent-Transfer-Encoding: \
     base64\\r\\n\\r\\naGVsbG8gd29ybGQK\\r\\n--b--\\r\\n",
];

/// How many scanners there may be.
const SCANNERS: usize = 3;

/// A scanner of a question.
struct Played {
    /// How it stands in an option.
    setting: String,
    /// What it does; nothing where there is none to speak with.
    script: Option<String>,
}

/// A configuration with scanners, and messages.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## scanners\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("acl_smtp_rcpt = rcpt\nacl_smtp_data = data\nacl_not_smtp = data");
    if rng.chance(4) {
        quarry.loose("acl_smtp_mime = mime\nacl_not_smtp_mime = mime");
    }
    for option in rng.options(3, OPTIONS) {
        quarry.loose(option);
    }
    let is_expanded = rng.chance(3);
    let mut scanners: Vec<Played> = Vec::new();
    let mut filters: Vec<Played> = Vec::new();
    let count = if is_expanded { SCANNERS } else { 1 };
    for number in 1..=count {
        scanners.push(malware::played(rng, number));
        filters.push(spam::played(rng, number + SCANNERS));
    }
    match is_expanded {
        true => {
            let odd = [
                "$acl_m_av",
                "$acl_m_av",
                "${if def:acl_m_av{$acl_m_av}fail}",
                "${if def:acl_m_av{$acl_m_av}{${nosuch}}}",
            ];
            quarry.fixed(format!("av_scanner = {}", rng.pick(&odd)));
            quarry.fixed("spamd_address = ${if def:acl_m_sp{$acl_m_sp}fail}");
        }
        false => {
            quarry.fixed(format!("av_scanner = {}", scanners[0].setting));
            quarry.fixed(format!("spamd_address = {}", filters[0].setting));
        }
    }
    quarry.fixed("begin acl\nrcpt:");
    if rng.chance(12) {
        let all = ["malware = *", "spam = nobody", "regex = x", "!malware = */defer_ok"];
        quarry.loose(format!("  warn {}", rng.pick(&all)));
    }
    quarry.fixed("  accept\nmime:");
    if rng.chance(2) {
        quarry.loose(format!("  warn {}", term(rng)));
    }
    quarry.fixed("  accept\ndata:");
    for _ in 0..rng.usize(1..6) {
        if is_expanded && !rng.chance(4) {
            let scanner = &scanners[rng.usize(..scanners.len())].setting;
            let filter = &filters[rng.usize(..filters.len())].setting;
            quarry.loose(format!(
                "  warn set acl_m_av = \\N{scanner}\\N\n       set acl_m_sp = \\N{filter}\\N"
            ));
        }
        let mut text = format!("  {} {}", rng.pick(VERBS), term(rng));
        for _ in 0..rng.usize(..3) {
            let one = match rng.chance(4) {
                true => term(rng),
                false => rng.pick(MODIFIERS).to_owned(),
            };
            text += &format!("\n       {one}");
        }
        quarry.loose(text);
        quarry.loose(rng.pick(SHOWN));
    }
    quarry.fixed("  accept");
    // Those that are heard of alone listen.
    let asked = quarry.text();
    session(rng, &mut quarry);
    for (number, one) in (1..).zip(&scanners).chain((SCANNERS + 1..).zip(&filters)) {
        let name = format!("scanner{number}");
        if let Some(script) = &one.script
            && (asked.contains(&name) || asked.contains(&name.to_uppercase()))
        {
            quarry.fixed(format!("~ {name}={script}"));
        }
    }
    quarry
}

/// A condition.
fn term(rng: &mut Rng) -> String {
    let not = if rng.chance(6) { "!" } else { "" };
    match rng.u32(..7) {
        0..=2 => format!("{not}malware = {}", malware::wanted(rng)),
        3..=4 => format!("{not}spam = {}", spam::wanted(rng)),
        5 => format!("{not}regex = {}", rng.pick(REGEX)),
        _ => rng.pick(&["condition = yes", "senders = s@l.test", "hosts = 192.0.2.1"]).to_owned(),
    }
}

/// Messages of a client, or one of a program.
fn session(rng: &mut Rng, quarry: &mut Quarry) {
    if rng.chance(8) {
        quarry.fixed("? -odq -f s@l.test -i a@l.test");
        quarry.fixed("> Subject: hello\\n\\nhello world\\n");
        return;
    }
    let host = rng.pick(&["-oMa 192.0.2.1 ", "-oMa 192.0.2.1 ", "-oMa 192.0.2.1 -oMaa ann ", ""]);
    quarry.fixed(format!("? {host}-odq -bs"));
    quarry.fixed("> EHLO c.test\\r\\n");
    for _ in 0..rng.usize(1..4) {
        let sender = rng.pick(&["s@l.test", "s@l.test", "", "o@y.test"]);
        let more = if rng.chance(4) { "RCPT TO:<b@l.test>\\r\\n" } else { "" };
        let head = format!("> MAIL FROM:<{sender}>\\r\\nRCPT TO:<a@l.test>\\r\\n{more}");
        let body = rng.pick(BODIES);
        quarry.loose(format!("{head}\n> DATA\\r\\n\n{body}\n> .\\r\\n"));
    }
    quarry.loose("> QUIT\\r\\n");
}

/// Lines of what was heard without a zero byte that the real one sends behind the request for
/// `f-protd`.
pub(super) fn settled(mut lines: Vec<String>) -> Vec<String> {
    while let Some(at) = lines.iter().position(|line| line == "^@") {
        lines.remove(at);
        if at > 0 && lines[at - 1].is_empty() {
            lines.remove(at - 1);
        }
    }
    lines
}
