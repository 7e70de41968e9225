//! A lookup with its affixes, defaults and cache; for `${lookup…}` and for
//! lists alike.

use std::collections::HashMap;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, ErrorKind, Fail, LookupDef, LookupFail, LookupOptions, LookupQuery, Str, Taint,
};

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// The type, as the registry numbers it.
    pub def: u16,
    /// The key, or the query.
    pub key: Str,
    /// The file; empty for a query.
    pub file: Str,
    /// The minimum of components that must stay, where `partial` is asked for.
    pub partial: Option<u8>,
    /// What is put before a shortened key.
    pub affix: Vec<u8>,
    /// Whether the key `*` is tried in the end.
    pub star: bool,
    /// Whether `*@domain` is tried before that.
    pub star_at: bool,
    /// What stands after a comma.
    pub options: Vec<u8>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The data.
    pub value: Str,
    /// The wild and the fixed part of the key, where a partial match was made.
    pub wild: Option<(Str, Str)>,
}

/// How many results a context keeps.
const KEPT: usize = 1024;

#[derive(Default)]
struct Cache(HashMap<(u16, LookupQuery2), Option<Str>>);

/// A query without taint, as the cache knows it.
type LookupQuery2 = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Looks something up.
///
/// # Errors
/// Where the file can't be opened, where there is no answer now (a failure of
/// class defer), or where tainted data stands in a file's name or a query.
pub fn search(call: &mut Call<'_>, search: &Search) -> Result<Option<Found>, Fail> {
    let def = call.registry().lookup_at(search.def);
    let mut query = LookupQuery {
        key: search.key.clone(),
        file: search.file.clone(),
        options: LookupOptions(search.options.clone()),
    };
    let mut from_options = false;
    if def.style == LookupStyle::Query {
        if def.wants_file {
            from_options = take_file(call, def, &mut query)?;
        }
        refuse_unquoted(search.def, def, &query)?;
    }
    if query.file.taint().is_tainted() && !from_options {
        let message = [b"Tainted filename for search '", query.file.bytes(), b"'"].concat();
        return Err(Fail::error(ErrorKind::Taint, message));
    }
    if let Some(value) = attempt(call, search.def, def, &query)? {
        return Ok(Some(Found { value: finish(value, &query, search), wild: None }));
    }
    if def.style == LookupStyle::Query {
        return Ok(None);
    }
    if let Some(least) = search.partial
        && let Some(found) = partial(call, search, def, &query, least)?
    {
        return Ok(Some(found));
    }
    defaults(call, search, def, &query)
}

/// The file that a query begins with, or that an option names.
fn take_file(call: &Call<'_>, def: &LookupDef, query: &mut LookupQuery) -> Result<bool, Fail> {
    if let Some(file) = query.options.get("file") {
        query.file = Str::from(file);
        return Ok(true);
    }
    let key = query.key.clone();
    let text = key.bytes();
    if text.first() == Some(&b'/') {
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        query.file = key.slice(0, end);
        let rest = text[end..].len() - text[end..].trim_ascii_start().len();
        query.key = key.slice(end + rest, text.len());
        return Ok(false);
    }
    match &call.settings().sqlite_dbfile {
        Some(file) => {
            query.file = file.clone();
            Ok(true)
        }
        None => Err(Fail::argument(format!(
            "absolute file name expected for \"{}\" lookup",
            def.meta.name
        ))),
    }
}

/// Tainted data in a query must be quoted for its type.
fn refuse_unquoted(id: u16, def: &LookupDef, query: &LookupQuery) -> Result<(), Fail> {
    match query.key.taint() {
        Taint::Clean => Ok(()),
        _ if def.quote.is_none() => Ok(()),
        Taint::Quoted(by) if by == id => Ok(()),
        _ => {
            let message =
                [b"tainted search query is not properly quoted: ", query.key.bytes()].concat();
            Err(Fail::error(ErrorKind::Taint, message))
        }
    }
}

/// One key, through the cache.
fn attempt(
    call: &mut Call<'_>,
    id: u16,
    def: &'static LookupDef,
    query: &LookupQuery,
) -> Result<Option<Str>, Fail> {
    if query.key.is_empty() && def.style == LookupStyle::SingleKey {
        return Ok(None);
    }
    let key =
        (id, (query.key.bytes().to_vec(), query.file.bytes().to_vec(), query.options.0.clone()));
    let no_read = query.options.get("cache").is_some_and(|v| v.starts_with(b"no"));
    if !no_read && let Some(kept) = call.memory::<Cache>().0.get(&key) {
        return Ok(kept.clone());
    }
    let found = call.with_record(&def.meta, |call| (def.find)(call, query));
    match found {
        Ok(found) => {
            let cache: &mut Cache = call.memory();
            if cache.0.len() >= KEPT {
                cache.0.clear();
            }
            if !query.options.is("cache", "no_wr") {
                cache.0.insert(key, found.clone());
            }
            Ok(found)
        }
        Err(LookupFail::Open(fail)) => Err(fail),
        Err(LookupFail::Defer(why)) => {
            let message = [b"lookup of \"", query.key.bytes(), b"\" gave DEFER: ", &why].concat();
            Err(Fail::defer(message))
        }
    }
}

/// `ret=key` gives the key, clean, instead of the data.
fn finish(value: Str, query: &LookupQuery, search: &Search) -> Str {
    if query.options.is("ret", "key") { search.key.clone().stamped(Taint::Clean) } else { value }
}

/// Ever fewer components of the key, with the affix before them
/// (specification 9.7).
fn partial(
    call: &mut Call<'_>,
    search: &Search,
    def: &'static LookupDef,
    query: &LookupQuery,
    least: u8,
) -> Result<Option<Found>, Fail> {
    let key = search.key.bytes();
    let mut start = 0;
    loop {
        let rest = &key[start..];
        let components = rest.split(|c| *c == b'.').count();
        let enough = !rest.is_empty() && components >= usize::from(least);
        // With an empty affix the first of these is the key itself again.
        if enough && (start > 0 || !search.affix.is_empty()) {
            let wanted = [&search.affix[..], rest].concat();
            let found = attempt(call, search.def, def, &with_key(query, wanted))?;
            if let Some(value) = found {
                let wild = (start > 0)
                    .then(|| search.key.slice(0, start - 1))
                    .unwrap_or_else(|| search.key.slice(0, 0));
                let fixed = search.key.slice(start, key.len());
                let value = finish(value, query, search);
                return Ok(Some(Found { value, wild: Some((wild, fixed)) }));
            }
        }
        match rest.iter().position(|c| *c == b'.') {
            Some(dot) if enough => start += dot + 1,
            _ => break,
        }
    }
    if least > 0 {
        return Ok(None);
    }
    let last: &[u8] = match &search.affix[..] {
        [] => return Ok(None),
        [one] => &[*one],
        [head @ .., b'.'] => head,
        whole => whole,
    };
    let found = attempt(call, search.def, def, &with_key(query, last.to_vec()))?;
    Ok(found.map(|value| Found {
        value: finish(value, query, search),
        wild: Some((search.key.clone(), Str::EMPTY)),
    }))
}

/// `*@domain` and `*` (specification 9.6).
fn defaults(
    call: &mut Call<'_>,
    search: &Search,
    def: &'static LookupDef,
    query: &LookupQuery,
) -> Result<Option<Found>, Fail> {
    let key = search.key.bytes();
    if search.star_at
        && let Some(at) = key.iter().rposition(|c| *c == b'@')
    {
        let wanted = [b"*", &key[at..]].concat();
        if let Some(value) = attempt(call, search.def, def, &with_key(query, wanted))? {
            return Ok(Some(Found { value: finish(value, query, search), wild: None }));
        }
    }
    if !search.star {
        return Ok(None);
    }
    let found = attempt(call, search.def, def, &with_key(query, b"*".to_vec()))?;
    Ok(found.map(|value| Found { value: finish(value, query, search), wild: None }))
}

fn with_key(query: &LookupQuery, key: Vec<u8>) -> LookupQuery {
    LookupQuery { key: Str::from(key).stamped(query.key.taint()), ..query.clone() }
}
