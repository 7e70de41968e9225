//! What is not there, or not allowed, at some point of a conversation.

use eximious_core::{AclPhases, OptionValue};
use eximious_grammar::expansion::{Part, Piece};
use eximious_stdlib::options::opt::authenticator::plaintext::SERVER_PROMPTS;
use eximious_stdlib::options::opt::authenticator::{SERVER_CONDITION, SERVER_SET_ID};

use crate::tools::check::items::split;
use crate::tools::check::survey::Use;
use crate::tools::check::{Findings, Lint, Severity, Survey};

/// E108.
pub(super) static FORBIDDEN_HERE: Lint = Lint {
    code: "E108",
    name: "forbidden-here",
    severity: Severity::Error,
    summary: "A condition or control can't be used in the ACL where it stands.",
    docs: "There is no message yet when a client connects, and no single recipient once the data \
           are there. Exim refuses the command for now when it comes to such a line. An ACL that is \
           called from several others must suit them all.",
    bad: "acl_smtp_connect = c\nbegin acl\nc:\n  deny domains = example.com\n",
    good: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny domains = example.com\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Use::Acl(acl, term) = text.of else { continue };
            let phases = phases(survey, acl.name.bytes());
            let mut allowed = term.term.phases;
            let mut what = format!("\"{}\"", term.term.meta.name);
            if matches!(term.term.meta.name, "control" | "verify") {
                let end = text.text.iter().position(|c| matches!(c, b'/' | b' ' | b'=' | b'\t'));
                let name = &text.text[..end.unwrap_or(text.text.len())];
                let shown = String::from_utf8_lossy(name);
                let found = match term.term.meta.name {
                    "control" => survey.registry.acl_control(name).map(|control| control.phases),
                    _ => survey.registry.acl_verify(name).map(|verify| verify.phases),
                };
                let Some(found) = found else { continue };
                allowed = found;
                what = format!("\"{} = {shown}\"", term.term.meta.name);
            }
            let wrong = phases.difference(allowed);
            if wrong.is_empty() || phases == AclPhases::all() {
                continue;
            }
            let names = names(wrong);
            findings.add(survey.line(term.line), format!("{what} is not allowed in {names}"));
        }
    },
};

/// The ACLs of a conversation that an ACL is part of.
fn phases(survey: &Survey<'_>, name: &[u8]) -> AclPhases {
    let found = survey.acl(name).and_then(|number| survey.acls.get(number));
    found.map_or(AclPhases::empty(), |acl| acl.phases)
}

/// `acl_smtp_connect and acl_smtp_helo`
fn names(phases: AclPhases) -> String {
    let names: Vec<String> = phases.options().collect();
    names.join(" and ")
}

/// Before there is a sender.
const BEFORE_MAIL: AclPhases =
    AclPhases::CONNECT.union(AclPhases::HELO).union(AclPhases::STARTTLS).union(AclPhases::AUTH);
/// Before there is a message.
const BEFORE_DATA: AclPhases = BEFORE_MAIL
    .union(AclPhases::MAIL)
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::RCPT)
    .union(AclPhases::PREDATA)
    .union(AclPhases::VRFY)
    .union(AclPhases::EXPN)
    .union(AclPhases::ETRN);
/// Where there is no single recipient.
const NOT_RCPT: AclPhases = BEFORE_MAIL
    .union(AclPhases::MAIL)
    .union(AclPhases::PREDATA)
    .union(AclPhases::DATA)
    .union(AclPhases::MIME)
    .union(AclPhases::NOT_SMTP)
    .union(AclPhases::NOT_SMTP_START);
/// Before the client has said who it is.
const BEFORE_HELO: AclPhases = AclPhases::CONNECT;

/// Where there is no part of a message.
const NOT_MIME: AclPhases =
    AclPhases::all().difference(AclPhases::MIME).difference(AclPhases::NOT_SMTP_MIME);

/// Variables, and where they are empty.
const EMPTY: [(&str, AclPhases); 18] = [
    ("domain", NOT_RCPT),
    ("domain_data", NOT_RCPT),
    ("local_part", NOT_RCPT),
    ("local_part_data", NOT_RCPT),
    ("message_body", BEFORE_DATA),
    ("message_body_end", BEFORE_DATA),
    ("message_body_size", BEFORE_DATA),
    ("message_headers", BEFORE_DATA),
    ("message_headers_raw", BEFORE_DATA),
    ("message_linecount", BEFORE_DATA),
    ("recipients", BEFORE_MAIL.union(AclPhases::MAIL)),
    ("recipients_count", BEFORE_MAIL.union(AclPhases::MAIL)),
    ("sender_address", BEFORE_MAIL),
    ("sender_address_domain", BEFORE_MAIL),
    ("sender_address_local_part", BEFORE_MAIL),
    ("sender_helo_name", BEFORE_HELO),
    ("smtp_command_argument", AclPhases::NOT_SMTP),
    ("smtp_notquit_reason", AclPhases::all().difference(AclPhases::NOTQUIT)),
];

/// What clients answer to more prompts than an authenticator has.
fn unanswered(survey: &Survey<'_>, findings: &mut Findings) {
    for text in &survey.texts {
        let (Use::Driver(instance, setting), Some(tree)) = (text.of, &text.tree) else { continue };
        let asked = instance.settings.iter().find(|other| SERVER_PROMPTS.is(other.option));
        let value = asked.and_then(|asked| instance.options.of(asked.option));
        let Some(OptionValue::Text(prompts)) = value else { continue };
        let own = SERVER_CONDITION.is(setting.option) || SERVER_SET_ID.is(setting.option);
        // The first answer may be several, which is what PLAIN is; then nobody prompts.
        let prompts = prompts.bytes();
        let count = split(prompts).len();
        let answers = if count < 2 { 3 } else { count };
        if !own || prompts.contains(&b'$') || prompts.trim_ascii().starts_with(b":") && count > 0 {
            continue;
        }
        for Piece { part, span } in tree.all_pieces() {
            let Part::Variable(id) = part else { continue };
            let name = survey.registry.variable_at(*id).meta.name;
            let number = name.strip_prefix("auth").and_then(|number| number.parse().ok());
            if number.is_some_and(|number: usize| number > answers) {
                let message = format!("${name} has no value: nothing prompts for it");
                findings.add(text.spot(*span), message);
            }
        }
    }
}

/// W301.
pub(super) static VARIABLE_WITHOUT_VALUE: Lint = Lint {
    code: "W301",
    name: "variable-without-value",
    severity: Severity::Warning,
    summary: "A variable is read where it has no value.",
    docs: "Exim gives an empty string then, without a word: a test of it says nothing. An \
           authenticator that asks for two things is given `$auth1` and `$auth2`.",
    bad: "acl_smtp_connect = c\nbegin acl\nc:\n  deny condition = ${if eq{$sender_address}{a@b.example}}\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny condition = ${if eq{$sender_address}{a@b.example}}\n",
    run: |survey, findings| {
        unanswered(survey, findings);
        for text in &survey.texts {
            let (Use::Acl(acl, _), Some(tree)) = (text.of, &text.tree) else { continue };
            let phases = phases(survey, acl.name.bytes());
            if phases.is_empty() || phases == AclPhases::all() {
                continue;
            }
            for Piece { part, span } in tree.all_pieces() {
                let (name, empty) = match part {
                    Part::Variable(id) => {
                        let name = survey.registry.variable_at(*id).meta.name;
                        let known = EMPTY.iter().find(|(own, _)| *own == name);
                        let part = name.starts_with("mime_") && name != "mime_part_count";
                        let empty = match known {
                            Some((_, empty)) => *empty,
                            None if part => NOT_MIME,
                            None => continue,
                        };
                        (format!("${name}"), empty)
                    }
                    Part::Header(_, name) => {
                        let name = String::from_utf8_lossy(tree.view().text(*name)).into_owned();
                        (format!("$h_{name}:"), BEFORE_DATA)
                    }
                    _ => continue,
                };
                // Empty in all of them: in some it may be meant.
                if empty.contains(phases) {
                    let message = format!("{name} has no value in {}", names(phases));
                    findings.add(text.spot(*span), message);
                }
            }
        }
    },
};
