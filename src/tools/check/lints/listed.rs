//! Items of lists that Exim takes for something else than was meant.

use std::net::IpAddr;

use eximious_core::ListKind;
use eximious_grammar::Span;
use eximious_grammar::expansion::{LookupStyle, lookup_word};
use eximious_stdlib::options::opt::authenticator::plaintext::SERVER_PROMPTS;

use crate::tools::check::items::{Item, items, separator, split};
use crate::tools::check::{Findings, Help, Lint, Severity, Survey, Text};

/// E117.
pub(super) static BAD_ITEM: Lint = Lint {
    code: "E117",
    name: "bad-item",
    severity: Severity::Error,
    summary: "An item of a list is not what it looks like.",
    docs: "Exim takes what it does not understand for a name, which then matches nothing: \
           `1.2.3/24` is no network, `a.*.example` has no wildcard, because only the first \
           character may be one, and `@mx_ny` is nothing at all. With an unknown type of lookup \
           before a semicolon, the list can't be tested, and mail is deferred; and so it is \
           where a path stands in a query's place: `mysql;/path`. Colons of an IPv6 \
           address separate items, unless they are doubled or the list begins with another \
           separator: `<; 2001:db8::1`. So it is with the colons of `server_prompts`: \
           `Username:: : Password::`.",
    bad: "host_lookup = 192.0.2/24\n",
    good: "host_lookup = 192.0.2.0/24\n",
    run: |survey, findings| {
        for text in &survey.texts {
            if text.option().is_some_and(|option| SERVER_PROMPTS.is(option)) {
                prompts(text, findings);
            }
            let Some(kind) = text.list else { continue };
            let items = items(&text.text, text.tree.as_ref());
            for (number, item) in items.iter().enumerate() {
                let next = items.get(number + 1);
                if let Some((message, help)) = wrong(survey, kind, item, next, findings) {
                    let start = item.span.start as usize;
                    let end = (item.span.end as usize).max(start);
                    findings.add_with(text.spot(Span::new(start, end)), message, help);
                }
            }
            torn(text, kind, &items, findings);
        }
    },
};

/// What is wrong with an item, and what to do about it.
fn wrong(
    survey: &Survey<'_>,
    kind: ListKind,
    item: &Item,
    next: Option<&Item>,
    findings: &Findings,
) -> Option<(String, Help)> {
    let text = item.text.as_slice();
    if text.starts_with(b"^") || text.starts_with(b"\\N") || text.starts_with(b"/") {
        return None;
    }
    let shown = String::from_utf8_lossy(text).into_owned();
    if let Some(semicolon) = memchr::memchr(b';', text) {
        return lookup(survey, kind, &text[..semicolon], &text[semicolon + 1..], findings);
    }
    if !item.plain() {
        return None;
    }
    // `lsearch : /etc/x`, and `net24-lsearch;/etc/x` where semicolons separate.
    if lookup_word(without_mask(text), survey.registry).is_ok()
        && next.is_some_and(|next| next.text.starts_with(b"/"))
    {
        return Some((
            format!("{shown} is taken for a name here"),
            format!("put a semicolon between {shown} and the file, and no separator").into(),
        ));
    }
    if let Some(found) = odd(kind, &shown, next) {
        return Some(found);
    }
    if kind == ListKind::LocalPart {
        return None;
    }
    let domain = match kind {
        ListKind::Address => text.rsplit(|c| *c == b'@').next().unwrap_or_default(),
        _ => text,
    };
    if kind != ListKind::Address && text.starts_with(b"@") {
        return special(&shown, findings);
    }
    if domain.get(1..).is_some_and(|rest| rest.contains(&b'*')) {
        return Some((
            format!("the asterisk in \"{shown}\" stands for itself"),
            "only the first character can be a wildcard; write a regular expression".into(),
        ));
    }
    if kind == ListKind::Host { address(&shown) } else { None }
}

/// What can be part of no name, and tells what was meant.
fn odd(kind: ListKind, shown: &str, next: Option<&Item>) -> Option<(String, Help)> {
    let found = |why: &str, help: &str| Some((format!("{why} \"{shown}\""), help.into()));
    if shown == "+" {
        return found("no list is named by", "the name stands right behind the plus sign");
    }
    if shown.contains(['“', '”', '‘', '’', '„']) {
        return found("a typographic quotation mark is part of", "leave it out");
    }
    if kind == ListKind::LocalPart || kind == ListKind::Domain {
        let host = shown.rsplit_once('@').map(|(_, host)| host);
        if host.is_some_and(|host| host.contains('.') && !shown.starts_with('@')) {
            let one = if kind == ListKind::Domain { "domain" } else { "local part" };
            return found(&format!("no {one} looks like"), "addresses are matched by other lists");
        }
    }
    if !matches!(kind, ListKind::Domain | ListKind::Host) {
        return None;
    }
    if shown.contains('"') {
        return found("the quotation mark is part of", "leave it out: nothing is quoted here");
    }
    if matches!(shown, "http" | "https") && next.is_some_and(|next| next.text.starts_with(b"//")) {
        return found("the list is taken apart at the colon behind", "write the name alone");
    }
    if shown.contains(',') {
        return found("a comma separates nothing in", "put a colon between the items");
    }
    if kind == ListKind::Domain && shown.contains('/') && !shown.starts_with('@') {
        return found("no domain looks like", "a file's name begins with a slash");
    }
    let ends = shown.split_once('-').map(|(from, to)| (from.trim(), to.trim()));
    let is_address = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
    if ends.is_some_and(|(from, to)| is_address(from) && is_address(to)) {
        return found("no range of addresses can be written", "write networks: 192.0.2.0/28");
    }
    if shown.contains([' ', '\t']) {
        return found("a blank separates nothing in", "put a colon between the items");
    }
    None
}

/// `@`, `@[]`, `@mx_any` and the like.
fn special(shown: &str, findings: &Findings) -> Option<(String, Help)> {
    const NAMES: [&str; 5] = ["@", "@[]", "@mx_any", "@mx_primary", "@mx_secondary"];
    let name = shown.split('/').next().unwrap_or_default();
    if NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    Some((format!("\"{shown}\" stands for nothing"), findings.offer("", name, NAMES.into_iter())))
}

/// What stands before and behind a semicolon.
fn lookup(
    survey: &Survey<'_>,
    kind: ListKind,
    word: &[u8],
    file: &[u8],
    findings: &Findings,
) -> Option<(String, Help)> {
    let word = match kind {
        ListKind::Address => {
            // `*@` may end the type: `lsearch*@`.
            let word = word.strip_prefix(b"@@").unwrap_or(word);
            let at = memchr::memchr(b'@', word).filter(|at| at + 1 < word.len());
            at.map_or(word, |at| &word[at + 1..])
        }
        ListKind::Host => {
            let bits = String::from_utf8_lossy(mask(word).0);
            if !bits.is_empty() && !bits.parse::<u8>().is_ok_and(|bits| bits <= 128) {
                return Some((format!("\"{bits}\" is no length of a network"), Help::default()));
            }
            without_mask(word)
        }
        _ => word,
    };
    if word.iter().any(|c| matches!(c, b'$' | b'\\')) {
        return None;
    }
    match lookup_word(word, survey.registry) {
        Ok(node) => {
            let def = survey.registry.lookup_at(node.def);
            let name = def.meta.name;
            let shown = String::from_utf8_lossy(file);
            if def.style == LookupStyle::Query {
                const QUERIES: [&str; 9] = [
                    "dnsdb", "ibase", "ldap", "ldapdn", "ldapm", "mysql", "oracle", "passwd",
                    "pgsql",
                ];
                let is_path = QUERIES.contains(&name) && file.trim_ascii().starts_with(b"/");
                let message = format!("{name} wants a query, not the path \"{shown}\"");
                return is_path.then_some((message, Help::default()));
            }
            let message = format!("{name} wants the whole path of a file, not \"{shown}\"");
            is_relative(name, file).then_some((message, Help::default()))
        }
        Err(message) => {
            let message = String::from_utf8_lossy(&message).into_owned();
            let name = message.split('"').nth(1).unwrap_or_default();
            let names = survey.registry.all_lookups().map(|lookup| lookup.meta.name);
            let help = findings.offer("", name, names);
            Some((message, help))
        }
    }
}

/// Prompts whose colon is taken for the end of an item: `Username: : Password:` are three,
/// and the second is empty.
fn prompts(text: &Text<'_>, findings: &mut Findings) {
    let bytes = &text.text;
    if separator(bytes) != (b':', 0) || bytes.iter().any(|c| b"${}\\".contains(c)) {
        return;
    }
    let found = split(bytes);
    for (number, item) in found.iter().enumerate() {
        let end = item.span.end as usize;
        let next = found.get(number + 1).map_or(bytes.len(), |next| next.span.start as usize);
        // Up to the next prompt there is one colon that ends this one.
        let colons = bytes[end..next].iter().filter(|c| **c == b':').count();
        let is_last = number + 1 == found.len();
        let own = item.text.ends_with(b":") || !bytes[end..].starts_with(b":");
        if !own && (colons > 1 || is_last) {
            let shown = String::from_utf8_lossy(&item.text);
            let message = format!("the colon behind \"{shown}\" is no part of the prompt");
            let start = item.span.start as usize;
            let help = format!("double it: {shown}::");
            findings.add_with(text.spot(Span::new(start, end + 1)), message, help);
        }
    }
}

/// Whether a lookup of a type that wants a file is given none with its whole path.
pub(super) fn is_relative(name: &str, file: &[u8]) -> bool {
    const FILES: [&str; 11] = [
        "cdb",
        "dbm",
        "dbmjz",
        "dbmnz",
        "dsearch",
        "iplsearch",
        "json",
        "lmdb",
        "lsearch",
        "nwildlsearch",
        "wildlsearch",
    ];
    FILES.contains(&name) && !matches!(file.trim_ascii(), [b'/' | b'$' | b'\\', ..])
}

/// `net24-lsearch`, `net-lsearch`: the type of the lookup.
fn without_mask(word: &[u8]) -> &[u8] {
    mask(word).1
}

/// The length of the networks, if there is one, and the type of the lookup.
fn mask(word: &[u8]) -> (&[u8], &[u8]) {
    let Some(rest) = word.strip_prefix(b"net") else { return (b"", word) };
    let (digits, rest) = rest.split_at(rest.iter().take_while(|c| c.is_ascii_digit()).count());
    rest.strip_prefix(b"-").map_or((b"", word), |kind| (digits, kind))
}

/// What looks like an address of the internet, and is none.
fn address(shown: &str) -> Option<(String, Help)> {
    let (address, bits) = match shown.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (shown, None),
    };
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    let looks = bare.contains(':')
        || (bare.contains('.') && bare.bytes().all(|c| c.is_ascii_digit() || c == b'.'));
    let parsed: Result<IpAddr, _> = bare.parse();
    match parsed {
        Ok(address) => {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits?;
            let good = bits.parse::<u8>().is_ok_and(|bits| bits <= most);
            (!good).then(|| (format!("\"{bits}\" is no length of a network"), Help::default()))
        }
        Err(_) if bare.contains(':') => Some((
            format!("\"{shown}\" is no address"),
            "double the colons of an IPv6 address, or begin the list with <;".into(),
        )),
        Err(_) if looks => Some((
            format!("\"{shown}\" is no address, and is taken for a name"),
            match bits {
                Some(_) => "write all four numbers of the network".into(),
                None => Help::default(),
            },
        )),
        Err(_) => None,
    }
}

/// Parts of an IPv6 address that single colons have torn apart.
fn torn(text: &Text<'_>, kind: ListKind, items: &[Item], findings: &mut Findings) {
    if kind != ListKind::Host {
        return;
    }
    let part = |item: &Item| {
        let length = item.text.len();
        (1..=4).contains(&length) && item.text.iter().all(u8::is_ascii_hexdigit) && !item.negated
    };
    let apart = items.windows(2).find(|two| part(&two[0]) && part(&two[1]));
    if let Some([first, _]) = apart {
        let start = first.span.start as usize;
        let end = (first.span.end as usize).max(start);
        findings.add_with(
            text.spot(Span::new(start, end)),
            "the colons of an IPv6 address separate items here",
            "double them, or begin the list with <;",
        );
    }
}
