//! Names that nothing has.

use eximious_core::{DriverKind, ListKind};

use crate::tools::check::uses::{self, KINDS};
use crate::tools::check::{Findings, Lint, Severity, Spot, Survey};

/// E104.
pub(super) static UNKNOWN_LIST: Lint = Lint {
    code: "E104",
    name: "unknown-list",
    severity: Severity::Error,
    summary: "A named list does not exist.",
    docs: "`+name` stands for a list of the same kind: a `domainlist` where domains are listed, a \
           `hostlist` where hosts are. Exim notices when it comes to the item, and then the list \
           can't be tested: mail is deferred.",
    bad: "hostlist relays = 192.0.2.1\nhost_lookup = +relay\n",
    good: "hostlist relays = 192.0.2.1\nhost_lookup = +relays\n",
    run: |survey, findings| {
        uses::of_lists(survey, &mut |kinds, name, spot| {
            reference(survey, kinds, name, spot, findings);
        });
    },
};

/// Complains where no list of these kinds has a name.
fn reference(
    survey: &Survey<'_>,
    kinds: &[ListKind],
    name: &[u8],
    spot: Spot,
    findings: &mut Findings,
) {
    let lists = &survey.config.settings.lists;
    let there = |kinds: &[ListKind]| kinds.iter().any(|kind| lists.get(*kind, name).is_some());
    if there(kinds) || special(name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let own = kinds.iter().flat_map(|kind| lists.names(*kind));
    let names = own.filter_map(|name| std::str::from_utf8(name).ok());
    let word = match kinds {
        [one] => one.word(),
        _ => "list",
    };
    let mut help = findings.offer("+", &shown, names);
    if help.is_empty() && there(&KINDS) {
        help = format!("there is a list of that name, but of another kind than {word}").into();
    }
    findings.add_with(spot, format!("no {word} is called \"{shown}\""), help);
}

/// Words after a plus sign that are no names of lists.
fn special(name: &[u8]) -> bool {
    matches!(
        name,
        b"caseful"
            | b"include_unknown"
            | b"ignore_unknown"
            | b"defer_unknown"
            | b"include_defer"
            | b"ignore_defer"
    )
}

/// E105.
pub(super) static UNKNOWN_ACL: Lint = Lint {
    code: "E105",
    name: "unknown-acl",
    severity: Severity::Error,
    summary: "An ACL does not exist.",
    docs: "An option or condition names an ACL that is not in the section. Exim then takes the \
           text for the name of a file, or for a statement, and refuses the command for now.",
    bad: "acl_smtp_rcpt = check_recipient\nbegin acl\ncheck_rcpt:\n  deny\n",
    good: "acl_smtp_rcpt = check_rcpt\nbegin acl\ncheck_rcpt:\n  deny\n",
    run: |survey, findings| {
        uses::of_acls(survey, &mut |name, spot| acl(survey, name, spot, findings));
    },
};

fn acl(survey: &Survey<'_>, name: &[u8], spot: Spot, findings: &mut Findings) {
    if survey.acl(name).is_some() {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names =
        survey.config.acls.iter().filter_map(|acl| std::str::from_utf8(acl.name.bytes()).ok());
    let help = findings.offer("", &shown, names);
    findings.add_with(spot, format!("no ACL is called \"{shown}\""), help);
}

/// E106.
pub(super) static UNKNOWN_TRANSPORT: Lint = Lint {
    code: "E106",
    name: "unknown-transport",
    severity: Severity::Error,
    summary: "A transport does not exist.",
    docs: "A router names a transport that is not in the section. Exim notices when it delivers, \
           and freezes or defers the message.",
    bad: "begin routers\nr:\n  driver = accept\n  transport = remote\nbegin transports\nremote_smtp:\n  driver = smtp\n",
    good: "begin routers\nr:\n  driver = accept\n  transport = remote_smtp\nbegin transports\nremote_smtp:\n  driver = smtp\n",
    run: |survey, findings| {
        uses::of_transports(survey, &mut |name, spot| transport(survey, name, spot, findings));
    },
};

fn transport(survey: &Survey<'_>, name: &[u8], spot: Spot, findings: &mut Findings) {
    let transports = survey.config.instances(DriverKind::Transport);
    if transports.iter().any(|transport| transport.name.bytes() == name) {
        return;
    }
    let shown = String::from_utf8_lossy(name).into_owned();
    let names = transports.iter().filter_map(|t| std::str::from_utf8(t.name.bytes()).ok());
    let help = findings.offer("", &shown, names);
    findings.add_with(spot, format!("no transport is called \"{shown}\""), help);
}
