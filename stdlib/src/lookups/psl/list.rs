//! Reads a Public Suffix List, and asks it.

use std::sync::Arc;

use eximious_core::{Call, ErrorKind, Fail, LookupFail, LookupQuery, Str};
use publicsuffix::{List, Psl};

use super::RegisteredDomain;
use crate::lookups::files::{View, view};
use crate::lookups::network;

/// The public suffix of a domain.
pub(super) fn suffix(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let (domain, list) = prepared(call, query)?;
    Ok(suffix_at(&domain, &list).map(|at| Str::from(&domain[at..])))
}

/// That, and one component more.
pub(super) fn registered_domain(
    call: &mut Call<'_>,
    query: &LookupQuery,
) -> Result<Option<Str>, LookupFail> {
    let (domain, list) = prepared(call, query)?;
    Ok(registered_at(&domain, &list).map(|at| Str::from(&domain[at..])))
}

fn registered_at(domain: &[u8], list: &Suffixes) -> Option<usize> {
    let at = suffix_at(domain, list).filter(|at| *at > 0)?;
    let before = &domain[..at - 1];
    Some(before.iter().rposition(|c| *c == b'.').map_or(0, |dot| dot + 1))
}

/// Says of a domain in lower case which registered domain it belongs to, by a list.
pub fn registered_domains(call: &mut Call<'_>, file: &[u8]) -> Result<RegisteredDomain, Fail> {
    let list =
        view(call, file).map_err(|trouble| trouble.worded(call, file, "psl", <[u8]>::to_vec));
    let list: Arc<Suffixes> = list.map_err(|fail| match fail {
        LookupFail::Open(fail) => fail,
        LookupFail::Defer(why) => Fail::error(ErrorKind::Lookup, why),
    })?;
    Ok(Box::new(move |domain| registered_at(domain, &list).map(|at| domain[at..].to_vec())))
}

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
    let list =
        view(call, file).map_err(|trouble| trouble.worded(call, file, "psl", <[u8]>::to_vec))?;
    let domain = match std::str::from_utf8(query.key.bytes()) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => Vec::new(),
    };
    Ok((domain, list))
}

/// Where the public suffix of a domain begins.
fn suffix_at(domain: &[u8], list: &Suffixes) -> Option<usize> {
    let address = network::address(domain).is_some();
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
