//! Text from outside where Exim refuses it.

use eximious_core::{DriverKind, DriverOpt, Str};
use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, LookupStyle, Part, Seq, Tree};
use eximious_stdlib::options::opt::{router as r, transport as t};

use crate::tools::check::flows::{piece_tainted, tainted, unquoted};
use crate::tools::check::survey::Use;
use crate::tools::check::{Findings, Help, Lint, Severity, Survey, TargetRelease, Text};

/// E110.
pub(super) static TAINTED: Lint = Lint {
    code: "E110",
    name: "tainted",
    severity: Severity::Error,
    summary: "Text from outside is used where Exim refuses it.",
    docs: "Since release 4.94, Exim refuses text that a client could choose, such as `$local_part` \
           or `$domain`, as the name of a file, a directory, a command or a transport, as a query \
           that is not quoted, and as a string to be expanded again. It notices when it delivers, \
           and defers the message. The cure is to look the text up, and to use what was found: \
           after `domains = +local_domains` there is `$domain_data`, after `local_parts = \
           lsearch;/etc/users` or `check_local_user` there is `$local_part_data`; a `dsearch` \
           lookup gives the name of a file that exists. A variable of an ACL or a router carries \
           what it was set to. In a query, `${quote_mysql:…}` and its kin \
           make text safe, each for the queries of its own type.",
    bad: "begin transports\nt:\n  driver = appendfile\n  user = mail\n  file = /var/mail/$local_part\n",
    good: "begin transports\nt:\n  driver = appendfile\n  user = mail\n  file = /var/mail/$local_part_data\n",
    run: |survey, findings| {
        if survey.target < (TargetRelease { major: 4, minor: 94 }) {
            return;
        }
        for text in &survey.texts {
            let Some(tree) = &text.tree else { continue };
            if let Some(what) = refuses(text)
                && let Some((name, span)) = tainted(survey, tree, tree.root)
                && !is_argument(text, span)
            {
                report(text, span, &name, what, findings);
            }
            inside(survey, text, tree, findings);
            command(survey, text, tree, findings);
            lookup_of_list(survey, text, tree, findings);
        }
    },
};

/// Whether a part of what calls an ACL is not its name, but an argument.
fn is_argument(text: &Text<'_>, span: Span) -> bool {
    let mut depth = 0u32;
    text.term().is_some()
        && text.text[..(span.start as usize).min(text.text.len())].iter().any(|c| {
            match c {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && c.is_ascii_whitespace()
        })
}

/// The first word of a command is a program's name. Since 4.96, the others must
/// not come from outside either.
fn command(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let Use::Driver(_, setting) = text.of else { return };
    let commands =
        [t::pipe::COMMAND, t::lmtp::COMMAND, r::queryprogram::COMMAND, t::TRANSPORT_FILTER];
    if !commands.iter().any(|command| command.is(setting.option)) {
        return;
    }
    let word = text.text.iter().position(|c| c.is_ascii_whitespace()).unwrap_or(text.text.len());
    let Some((name, span)) = tainted(survey, tree, tree.root) else { return };
    if (span.start as usize) < word {
        report(text, span, &name, "the name of a command", findings);
    } else if survey.target >= (TargetRelease { major: 4, minor: 96 }) {
        report(text, span, &name, "an argument of a command", findings);
    }
}

/// The file or the query of a lookup that is an item of a list:
/// `lsearch;/etc/$domain`, `mysql;select … $domain`.
fn lookup_of_list(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    if text.list.is_none() || !text.text.contains(&b';') {
        return;
    }
    for piece in tree.view().pieces(tree.root) {
        if matches!(piece.part, Part::Text(_)) {
            continue;
        }
        let before = &text.text[..(piece.span.start as usize).min(text.text.len())];
        let item = last_item(before).trim_ascii();
        let item = item.strip_prefix(b"!").unwrap_or(item).trim_ascii_start();
        let Some(at) = memchr::memchr(b';', item) else { continue };
        let lookup = item[..at].rsplit(|c| *c == b'-').next().unwrap_or_default();
        let kind = lookup.split(|c| matches!(c, b'*' | b',')).next().unwrap_or_default();
        let Some(id) = survey.registry.lookup_id(kind) else { continue };
        match survey.registry.lookup_at(id).style {
            LookupStyle::SingleKey if item[at + 1..].trim_ascii_start().starts_with(b"/") => {
                if let Some((name, span)) = piece_tainted(survey, tree, piece, None) {
                    report(text, span, &name, "the name of a file", findings);
                }
            }
            LookupStyle::SingleKey => {}
            LookupStyle::Query => {
                if let Some(found) = piece_tainted(survey, tree, piece, Some(id)) {
                    query(survey, text, found, id, findings);
                }
            }
        }
    }
}

/// The item of a list that a text ends in. A colon between braces separates
/// nothing.
fn last_item(text: &[u8]) -> &[u8] {
    let (mut depth, mut start) = (0u32, 0);
    for (at, c) in text.iter().enumerate() {
        match c {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    &text[start..]
}

/// A query with text from outside, of a type that has its own quoting.
fn query(
    survey: &Survey<'_>,
    text: &Text<'_>,
    (name, span): (String, Span),
    lookup: u16,
    findings: &mut Findings,
) {
    let def = survey.registry.lookup_at(lookup);
    if def.quote.is_none() || survey.target < (TargetRelease { major: 4, minor: 96 }) {
        return;
    }
    let quote = format!("quote_{}", def.meta.name);
    let message = format!("{name} comes from outside, and a query with it needs ${{{quote}:…}}");
    // Where it is quoted for another type, the operator's name is all that is wrong.
    let written = text.text.get(span.range()).and_then(|part| part.strip_prefix(b"${"));
    let written = written.map(|part| part.split(|c| *c == b':').next().unwrap_or_default());
    let help = match written.map(String::from_utf8_lossy) {
        Some(wrong) if wrong.starts_with("quote_") => {
            Help::instead_of(&wrong, format!("write {quote}"))
        }
        _ => Help::default(),
    };
    findings.add_with(text.spot(span), message, help);
}

/// What an option's value names, where it must not come from outside.
fn refuses(text: &Text<'_>) -> Option<&'static str> {
    if let (Use::Main(_), Some(option)) = (text.of, text.option()) {
        let file = matches!(option.meta.name, "bounce_message_file" | "warn_message_file");
        return file.then_some("the name of a file");
    }
    if text.term().is_some_and(|term| term.meta.name == "acl") {
        return Some("the name of an ACL");
    }
    let Use::Driver(instance, setting) = text.of else { return None };
    let option = setting.option;
    let is_one = |of: &[DriverOpt<Str>]| of.iter().any(|one| one.is(option));
    // With `create_file`, Exim itself looks whether the name is a good one.
    let mailbox = is_one(&[t::appendfile::FILE, t::appendfile::DIRECTORY])
        && !instance.options.is_set(t::appendfile::CREATE_FILE);
    let key = t::smtp::DKIM_PRIVATE_KEY.is(option) && text.text.starts_with(b"/");
    let file =
        is_one(&[t::autoreply::FILE, t::autoreply::LOG, t::autoreply::ONCE, r::redirect::FILE]);
    if mailbox || key || file {
        return Some("the name of a file");
    }
    let directory = is_one(&[
        t::HOME_DIRECTORY,
        t::CURRENT_DIRECTORY,
        r::queryprogram::CURRENT_DIRECTORY,
        r::TRANSPORT_HOME_DIRECTORY,
        r::TRANSPORT_CURRENT_DIRECTORY,
        r::ROUTER_HOME_DIRECTORY,
    ]);
    if directory {
        return Some("a directory");
    }
    let named =
        instance.kind == DriverKind::Router && crate::tools::check::uses::names_transport(option);
    named.then_some("the name of a transport")
}

/// Items, operators and conditions that refuse text from outside.
fn inside(survey: &Survey<'_>, text: &Text<'_>, tree: &Tree, findings: &mut Findings) {
    let registry = survey.registry;
    for call in tree.calls() {
        let args = tree.view().call_args(call);
        let first = |args: &[Arg]| match args.first() {
            Some(Arg::Text(seq)) => Some(*seq),
            _ => None,
        };
        match registry.item_at(call.def).meta.name {
            item @ ("acl" | "readfile" | "readsocket") => {
                let what = match item {
                    "acl" => "the name of an ACL",
                    "readfile" => "the name of a file",
                    _ => "the name of a socket",
                };
                if let Some((name, span)) = first(args).and_then(|seq| tainted(survey, tree, seq)) {
                    report(text, span, &name, what, findings);
                }
            }
            "run" => {
                if let Some(seq) = first(args)
                    && let Some((name, span)) = tainted(survey, tree, seq)
                    && tree
                        .view()
                        .pieces(seq)
                        .first()
                        .is_some_and(|piece| piece.span.start == span.start)
                {
                    report(text, span, &name, "the name of a command", findings);
                }
            }
            "lookup" => lookup(survey, text, tree, args, findings),
            _ => {}
        }
    }
    for op in tree.ops() {
        let Some(def) = op.def else { continue };
        let what = match registry.operator_at(def).meta.name {
            "expand" => "a string to be expanded again",
            "eval" | "eval10" if survey.target >= (TargetRelease { major: 4, minor: 100 }) => {
                "an expression to be calculated"
            }
            _ => continue,
        };
        if let Some((name, span)) = tainted(survey, tree, op.arg) {
            report(text, span, &name, what, findings);
        }
    }
}

/// The file of a lookup, and the query of one that has its own quoting.
fn lookup(
    survey: &Survey<'_>,
    text: &Text<'_>,
    tree: &Tree,
    args: &[Arg],
    findings: &mut Findings,
) {
    let Some(node) = args.iter().find_map(|arg| match arg {
        Arg::Lookup(id) => Some(*tree.view().lookup(*id)),
        _ => None,
    }) else {
        return;
    };
    let texts: Vec<Seq> = args
        .iter()
        .filter_map(|arg| match arg {
            Arg::Text(seq) => Some(*seq),
            _ => None,
        })
        .collect();
    match node.style {
        LookupStyle::SingleKey => {
            // The key stands before the type, the file after it.
            if let Some((name, span)) = texts.get(1).and_then(|seq| tainted(survey, tree, *seq)) {
                report(text, span, &name, "the name of a file", findings);
            }
        }
        LookupStyle::Query => {
            let found = texts.first().and_then(|seq| unquoted(survey, tree, *seq, node.def));
            if let Some(found) = found {
                query(survey, text, found, node.def, findings);
            }
        }
    }
}

fn report(text: &Text<'_>, span: Span, name: &str, what: &str, findings: &mut Findings) {
    let cure = match name {
        "$local_part" => "use $local_part_data, after check_local_user or local_parts = …",
        "$domain" => "use $domain_data, after domains = …",
        "$sender_address_domain" | "$sender_address" => "look it up, and use what the lookup finds",
        _ => "",
    };
    let message = format!("{name} comes from outside, and Exim refuses it as {what}");
    findings.add_with(text.spot(span), message, cure);
}
