//! `lsearch` and its kin: text files of keys and data.

use std::net::IpAddr;
use std::sync::Arc;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::trace::TraceKinds;
use eximious_core::{
    Call, Effects, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use super::files::view;
use super::lines::{Entry, Text};
use super::{network, wild};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::FILES);

/// `${lookup{key}lsearch{/file}}`.
pub static LSEARCH: LookupDef = LookupDef {
    meta: Meta::new("lsearch", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}lsearch{<file>}}")
        .summary("A text file of keys and data, as alias files are.")
        .docs(
            "A key stands at the beginning of a line and ends at a colon, at white space or with \
             the line. It is compared without case, and the first line that has it counts. A key \
             in double quotes may hold colons, white space, `#` and escapes. The data is the rest \
             of the line without the space around it; one colon before it is skipped. A line that \
             begins with white space continues the one before it, with one space between them; an \
             empty line or one that begins with `#` ends an item and is overlooked. With \
             `ret=full` the result is the whole item with its key, which has lost its quotes. The \
             file is kept in memory while it does not change, and searched through an index from \
             the second lookup on.",
        )
        .source("specification 9.3.9"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| {
        let text = open(call, query)?;
        answer(call, &text, text.find(query.key.bytes()), query)
    }),
};

/// `${lookup{address}iplsearch{/file}}`.
pub static IPLSEARCH: LookupDef = LookupDef {
    meta: Meta::new("iplsearch", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<address>}iplsearch{<file>}}")
        .summary("A text file whose keys are addresses and networks.")
        .docs(
            "The file is as for `lsearch`, but a key is an IP address or a network such as \
             `10.0.0.0/8`; one with colons stands in double quotes. The key that is looked up is \
             an address without a mask, an IPv4-mapped one counting as IPv4. The first line whose \
             network holds it is taken, not the narrowest. A key `*` answers where the search \
             type is `iplsearch*`.",
        )
        .source("specification 9.3.6"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| {
        let text = open(call, query)?;
        let key = query.key.bytes();
        if key == b"*" {
            return answer(call, &text, text.find(key), query);
        }
        let Some(address) = network::address(key) else {
            let message: &[u8] = b"\" is not a valid iplsearch key (an IP address, with optional \
                CIDR mask, is wanted): in a host list, use net-iplsearch as the search type";
            return Err(LookupFail::Defer([b"\"", key, message].concat()));
        };
        let address = match address {
            IpAddr::V6(long) => long.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        answer(call, &text, text.find_network(address), query)
    }),
};

/// `${lookup{key}wildlsearch{/file}}`.
pub static WILDLSEARCH: LookupDef = LookupDef {
    meta: Meta::new("wildlsearch", EFFECTS.union(Effects::EXPAND), TaintRule::Clean)
        .syntax("${lookup{<key>}wildlsearch{<file>}}")
        .summary("A text file whose keys are expanded and may be patterns.")
        .docs(
            "The file is as for `lsearch`, but each key is a pattern, expanded before it is used: \
             `*` at its beginning stands for anything, `^` begins a regular expression, `!` before \
             a pattern turns it round, and a lookup type with a semicolon, as in \
             `cdb;/some/file`, asks that lookup. All comparisons are without case; `(?-i)` in a \
             regular expression makes it see case. A key with white space or a colon stands in \
             double quotes, where backslashes are doubled. `$1` and its like are unset afterwards. \
             The regular expressions in a file that is asked often are one automaton.",
        )
        .source("specification 9.3.11"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find_pattern(call, query, true)),
};

/// `${lookup{key}nwildlsearch{/file}}`.
pub static NWILDLSEARCH: LookupDef = LookupDef {
    meta: Meta::new("nwildlsearch", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nwildlsearch{<file>}}")
        .summary("A text file whose keys may be patterns.")
        .docs(
            "As `wildlsearch`, but the keys in the file are not expanded: a regular expression \
             can be written as it is, except that one with white space or a colon stands in \
             double quotes.",
        )
        .source("specification 9.3.11"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| find_pattern(call, query, false)),
};

fn find_pattern(
    call: &mut Call<'_>,
    query: &LookupQuery,
    expanded: bool,
) -> Result<Option<Str>, LookupFail> {
    let text = open(call, query)?;
    if query.key.is_empty() {
        return Ok(None);
    }
    call.scope().clear_captures();
    // Who is shown each step sees each.
    if !call.watched(TraceKinds::LIST)
        && let Some(plan) = text.plan(expanded)
    {
        call.charge_match(query.key.bytes().len())?;
        let candidates = plan.candidates(query.key.bytes());
        for entry in text.entries_of(&candidates) {
            if wild::matches(call, &entry.key, &query.key, expanded)? {
                return answer(call, &text, Some(entry), query);
            }
        }
        return Ok(None);
    }
    for entry in text.entries() {
        if wild::matches(call, &entry.key, &query.key, expanded)? {
            return answer(call, &text, Some(entry), query);
        }
    }
    Ok(None)
}

fn answer(
    call: &Call<'_>,
    text: &Text,
    entry: Option<Entry<'_>>,
    query: &LookupQuery,
) -> Result<Option<Str>, LookupFail> {
    let Some(entry) = entry else { return Ok(None) };
    let most = call.bounds().length;
    match text.data(&entry, query.options.is("ret", "full"), most) {
        Some(data) => Ok(Some(Str::from(data))),
        None => Err(LookupFail::Open(Fail::too_long())),
    }
}

fn open(call: &mut Call<'_>, query: &LookupQuery) -> Result<Arc<Text>, LookupFail> {
    let file = query.file.bytes();
    // All of the family go by the name of the first.
    view(call, file).map_err(|trouble| {
        trouble.worded(call, file, "lsearch", |reason| {
            [b"failed to open ", file, b" for linear search: ", reason].concat()
        })
    })
}
