//! `psl` and `regdom`: the Public Suffix List.

use std::sync::Arc;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};
use publicsuffix::{List, Psl};

use super::files::{View, view};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::FILES);

/// `${lookup{domain}psl{/file}}`.
pub static PSL: LookupDef = LookupDef {
    meta: Meta::new("psl", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<domain>}psl{<file>}}")
        .summary("The public suffix of a domain.")
        .docs(
            "The file is a Public Suffix List, as Debian's package `publicsuffix` has it. The \
             result is the part of the domain under which names are registered: `co.uk` for \
             `www.example.co.uk`, in lower case, in the form (letters or `xn--`) that the domain \
             is in. A domain of which the list knows nothing has its last component as suffix. \
             Addresses, and names with empty components, are not found.",
        )
        .since("4.100")
        .source("specification 9.3.12; https://publicsuffix.org/list/"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| {
        let (domain, list) = prepared(call, query)?;
        Ok(suffix(&domain, &list).map(|at| Str::from(&domain[at..])))
    }),
};

/// `${lookup{domain}regdom{/file}}`.
pub static REGDOM: LookupDef = LookupDef {
    meta: Meta::new("regdom", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<domain>}regdom{<file>}}")
        .summary("The registered domain that a domain belongs to.")
        .docs(
            "As `psl`, with one component more: `example.co.uk` for `www.example.co.uk`. A \
             domain that is itself a public suffix is not found.",
        )
        .since("4.100")
        .source("specification 9.3.12; https://publicsuffix.org/list/"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| {
        let (domain, list) = prepared(call, query)?;
        let registered = suffix(&domain, &list).filter(|at| *at > 0).map(|at| {
            let before = &domain[..at - 1];
            before.iter().rposition(|c| *c == b'.').map_or(0, |dot| dot + 1)
        });
        Ok(registered.map(|at| Str::from(&domain[at..])))
    }),
};

/// A list that was read.
struct Suffixes(List);

impl View for Suffixes {
    // Each rule has nodes in a tree.
    const COST: usize = 16;

    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail> {
        let fail = |what: String| LookupFail::Open(Fail::error(ErrorKind::Lookup, what));
        let text = std::str::from_utf8(&contents)
            .map_err(|_| fail("the Public Suffix List is not UTF-8".into()))?;
        // Rules outside the list's own sections would be overlooked.
        let marked = format!("// ===BEGIN ICANN DOMAINS===\n{text}");
        let list = marked.parse::<List>();
        list.map(Suffixes).map_err(|error| fail(format!("Public Suffix List: {error}")))
    }
}

/// The domain in lower case, and the list.
fn prepared(
    call: &mut Call<'_>,
    query: &LookupQuery,
) -> Result<(Vec<u8>, Arc<Suffixes>), LookupFail> {
    let file = query.file.bytes();
    let list = view(call, file).map_err(|trouble| trouble.worded(file, "psl", <[u8]>::to_vec))?;
    let domain = match std::str::from_utf8(query.key.bytes()) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => Vec::new(),
    };
    Ok((domain, list))
}

/// Where the public suffix of a domain begins.
fn suffix(domain: &[u8], list: &Suffixes) -> Option<usize> {
    let address = super::network::address(domain).is_some();
    if address || domain.split(|c| *c == b'.').any(<[u8]>::is_empty) {
        return None;
    }
    let info = list.0.find(domain.rsplit(|c| *c == b'.'));
    let start = domain.len().checked_sub(info.len)?;
    // Any last component will do where the list has none, but for what is no
    // domain at all: `[1.2.3.4]`, `1.2.3`.
    let last = &domain[start..];
    let named =
        last.iter().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || b"-_".contains(c))
            && !last.iter().all(u8::is_ascii_digit);
    (info.typ.is_some() || named).then_some(start)
}
