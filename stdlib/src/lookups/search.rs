//! A lookup with its affixes, defaults and cache; for `${lookup…}` and for
//! lists alike.

use eximious_core::grammar::expansion::{
    LookupNode, LookupStyle, blames_type_word, fits, lookup_word,
};
use eximious_core::trace::{Happening, LookupEvent, LookupKey, TraceKinds};
use eximious_core::world::Log;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupOptions, LookupQuery, Memory,
    Meta, Str, Taint, TaintRule,
};

use super::cache::Cache;
use super::servers;
use crate::at_work::{AtWork, ConfigWorker};
use crate::dns;
use crate::options::opt;

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
    pub options: Str,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The data.
    pub value: Str,
    /// The wild and the fixed part of the key, where affixes or defaults had a
    /// part in it: `$1` and `$2`.
    pub wild: Option<(Str, Str)>,
}

/// How deep lookups may stand in each other: the keys of a file may name
/// another file, or the same one.
const DEEPEST: u32 = 12;

/// How many components of a key `partial-` takes off, one after the other.
const MOST_COMPONENTS: usize = 255;

/// Under this name the log is written to.
static NOTES: Meta = Meta::new("lookup", Effects::LOG, TaintRule::Clean);

impl Search {
    /// A search after a node of the grammar. `word` is the text that the
    /// node's spans are ranges of; `argument` is the file, or the query.
    pub fn new(node: &LookupNode, word: &[u8], key: Str, argument: Str) -> Self {
        let (key, file) = match node.style {
            LookupStyle::SingleKey => (key, argument),
            LookupStyle::Query => (argument, Str::EMPTY),
        };
        Self {
            def: node.def,
            key,
            file,
            partial: node.partial,
            affix: node.affix.map_or_else(|| b"*.".to_vec(), |span| span.of(word).to_vec()),
            star: node.star,
            star_at: node.star_at,
            options: Str::from(node.options.of(word)),
        }
    }

    /// The search that an element of a list asks for: `lsearch;/some/file`,
    /// with a key for types that take one. `None` where there is no semicolon.
    ///
    /// # Errors
    /// Exim's complaint about the word before the semicolon.
    pub fn of_element(call: &Call<'_>, element: &Str, key: &Str) -> Result<Option<Self>, Fail> {
        let text = element.bytes();
        let Some(end) = memchr::memchr(b';', text) else { return Ok(None) };
        let word = &text[..end];
        let unknown = |message| Fail::error(ErrorKind::UnknownName, message);
        let node = lookup_word(word, call.registry()).map_err(unknown)?;
        let keyed = node.style == LookupStyle::SingleKey;
        fits(&node, word, keyed, call.registry()).map_err(unknown)?;
        let start = text.len() - text[end + 1..].trim_ascii_start().len();
        let argument = element.slice(start, text.len());
        let mut search = Self::new(&node, word, key.clone(), argument);
        search.options.stamp(element.taint());
        Ok(Some(search))
    }
}

/// Looks something up.
///
/// # Errors
/// Where the file can't be opened, where there is no answer now (a failure of
/// class defer), or where tainted data stands in a file's name.
pub fn search(call: &mut Call<'_>, search: &Search) -> Result<Option<Found>, Fail> {
    find(call, search).map_err(|fail| match fail {
        LookupFail::Open(fail) => fail,
        LookupFail::Defer(why) => {
            let query = begun(call.registry().lookup_at(search.def), &search.key);
            let top = call.settings().get(opt::PRINT_TOPBITCHARS);
            let key = printable(query.bytes(), top);
            let message = [b"lookup of \"", &key[..], b"\" gave DEFER: ", &why].concat();
            Fail::deferred_lookup(message, why)
        }
    })
}

/// As [`search`], with a deferral as the lookup type words it.
///
/// # Errors
/// As [`search`].
pub fn find(call: &mut Call<'_>, search: &Search) -> Result<Option<Found>, LookupFail> {
    let depth = &mut call.memory::<Cache>().depth;
    if *depth >= DEEPEST {
        let message = "lookups stand in each other too deep";
        return Err(LookupFail::Open(Fail::error(ErrorKind::Limit, message)));
    }
    *depth += 1;
    let found = tries(call, search);
    let cache = call.memory::<Cache>();
    cache.depth -= 1;
    let left = cache.left.take();
    cache.complaint = match &found {
        Ok(_) => left.unwrap_or_else(|| Some(Vec::new())),
        Err(LookupFail::Open(fail)) => Some(fail.message().to_vec()),
        Err(LookupFail::Defer(why)) => Some(why.clone()),
    };
    found
}

/// Why there is no answer, where that is known; otherwise what the last search
/// in this context complained of, as in Exim. Without any, it is what is given.
pub fn reason(call: &mut Call<'_>, why: Option<Vec<u8>>, general: &[u8]) -> Vec<u8> {
    known_reason(call, why).unwrap_or_else(|| general.to_vec())
}

/// As [`reason`]; nothing, where there is none. One that says nothing is one, too.
pub fn known_reason(call: &mut Call<'_>, why: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let kept = &mut call.memory::<Cache>().complaint;
    if why.is_some() {
        kept.clone_from(&why);
    }
    kept.clone()
}

/// Forgets what the last search complained of.
pub fn forget_reason(memory: &mut Memory) {
    memory.get::<Cache>().complaint = None;
}

/// Keeps the complaint that ended an expansion, if it is about a lookup type.
pub fn keep_complaint(memory: &mut Memory, message: &[u8]) {
    if blames_type_word(message) {
        memory.get::<Cache>().complaint = Some(message.to_vec());
    }
}

fn tries(call: &mut Call<'_>, search: &Search) -> Result<Option<Found>, LookupFail> {
    let def = call.registry().lookup_at(search.def).clone();
    let mut query = LookupQuery {
        key: begun(&def, &search.key),
        file: search.file.clone(),
        options: LookupOptions(search.options.clone()),
    };
    if def.wants_file {
        take_file(call, &def, &mut query)?;
    }
    if query.file.taint().is_tainted() {
        // Exim says this in its log, and nothing in the error.
        let message = crate::wording::tainted("filename for search:", query.file.bytes());
        note(call, &message);
        let fail = Fail::error(ErrorKind::Taint, "");
        return Err(LookupFail::Open(fail.through(String::from_utf8_lossy(&message))));
    }
    if def.style == LookupStyle::Query && !is_quoted(call, search.def, &def, &query.key) {
        let shown = servers::without_servers(query.key.bytes());
        let message = [b"tainted search query is not properly quoted: ", shown].concat();
        let line = unquoted(call.memory::<AtWork>().0.as_ref(), shown);
        note(call, &line);
        // Exim asks all the same. No mail is lost where a site relied on that: it waits.
        return Err(LookupFail::Open(Fail::error(ErrorKind::Taint, message).put_off()));
    }
    let attempts = Attempts { search, def: &def, query };
    if !call.watched(TraceKinds::LOOKUP) {
        return attempts.all(call);
    }
    let outer = call.trace().begin(Happening::Lookup(attempts.begin()));
    let found = attempts.all(call);
    let is_found = matches!(&found, Ok(Some(_)));
    call.trace().end(outer);
    call.trace().tell(Happening::Lookup(LookupEvent::End { found: is_found }));
    found
}

/// A query without the white space before it; a key as it is.
fn begun(def: &LookupDef, key: &Str) -> Str {
    match def.style {
        LookupStyle::SingleKey => key.clone(),
        LookupStyle::Query => {
            let text = key.bytes();
            let space = text.iter().take_while(|c| eximious_core::grammar::is_space(**c)).count();
            if space == 0 { key.clone() } else { key.slice(space, text.len()) }
        }
    }
}

/// The file that an option names, that the query begins with, or that the
/// configuration gives.
fn take_file(call: &Call<'_>, def: &LookupDef, query: &mut LookupQuery) -> Result<(), Fail> {
    let key = query.key.clone();
    let text = key.bytes();
    match query.options.text("file").filter(|file| !file.is_empty()) {
        Some(file) => query.file = file,
        None if text.first() == Some(&b'/') => {
            let space = |c: &u8| eximious_core::grammar::is_space(*c);
            let end = text.iter().position(space).unwrap_or(text.len());
            let start = text[end..].iter().position(|c| !space(c)).map_or(text.len(), |n| end + n);
            query.file = key.slice(0, end);
            query.key = key.slice(start, text.len());
        }
        None => query.file = call.settings().get(opt::SQLITE_DBFILE),
    }
    if query.file.bytes().first() == Some(&b'/') {
        return Ok(());
    }
    let name = def.meta.name;
    Err(Fail::argument(format!("absolute file name expected for \"{name}\" lookup")))
}

/// Whether what is tainted in a query is quoted for its type, where the type
/// has a way to do so.
fn is_quoted(call: &Call<'_>, id: u16, def: &LookupDef, query: &Str) -> bool {
    def.quote.is_none()
        || match query.taint() {
            Taint::Clean => true,
            Taint::Quoted(by) => call.registry().quotes_alike(by, id),
            Taint::Tainted => false,
        }
}

/// The line of the log about a query that is not quoted.
fn unquoted(worker: Option<&ConfigWorker>, query: &[u8]) -> Vec<u8> {
    let worker = worker.map_or_else(String::new, |worker| format!(" ({worker})"));
    [b"tainted search query is not properly quoted", worker.as_bytes(), b": ", query].concat()
}

/// Writes to the main log and to that of panics, where the policy in force allows it.
pub(super) fn note(call: &mut Call<'_>, message: &[u8]) {
    noted(call, |log| log.panic(message));
}

/// Writes to the main log alone, where the policy in force allows it.
pub(super) fn note_in_main(call: &mut Call<'_>, message: &[u8]) {
    noted(call, |log| log.main(message));
}

fn noted(call: &mut Call<'_>, write: impl FnOnce(&dyn Log)) {
    call.with_record(&NOTES, |call| {
        if let Ok(log) = call.log() {
            write(&*log);
        }
    });
}

/// The keys that a search tries, one after the other.
struct Attempts<'s> {
    search: &'s Search,
    def: &'s LookupDef,
    query: LookupQuery,
}

impl Attempts<'_> {
    /// The key itself, then what may stand for it.
    fn all(&self, call: &mut Call<'_>) -> Result<Option<Found>, LookupFail> {
        let (search, def) = (self.search, self.def);
        if let Some(value) = self.one(call, self.query.key.clone(), LookupKey::Whole)? {
            let partial = search.partial.is_some() && def.style == LookupStyle::SingleKey;
            let wild = partial.then(|| (Str::EMPTY, self.query.key.clone()));
            return Ok(Some(self.found(value, wild)));
        }
        if def.style == LookupStyle::Query {
            return Ok(None);
        }
        if let Some(least) = search.partial
            && let Some(found) = self.shortened(call, least)?
        {
            return Ok(Some(found));
        }
        self.defaults(call)
    }

    /// What begins, for those who are told.
    fn begin(&self) -> LookupEvent<'_> {
        LookupEvent::Begin {
            kind: self.def.meta.name,
            file: self.query.file.bytes(),
            key: self.query.key.bytes(),
            partial: self.search.partial,
            affix: &self.search.affix,
            star: (self.search.star, self.search.star_at),
            options: self.search.options.bytes(),
        }
    }

    /// Tells of one key before it has its turn.
    fn tell_key(&self, call: &mut Call<'_>, key: &Str, part: LookupKey, cached: bool) {
        call.trace().tell(Happening::Lookup(LookupEvent::Key {
            kind: self.def.meta.name,
            file: self.query.file.bytes(),
            key: key.bytes(),
            options: self.search.options.bytes(),
            part,
            cached,
        }));
    }

    /// One key.
    fn one(
        &self,
        call: &mut Call<'_>,
        key: Str,
        part: LookupKey,
    ) -> Result<Option<Str>, LookupFail> {
        let query = LookupQuery { key, ..self.query.clone() };
        let mut cached = false;
        let found = self.through_cache(call, &query, part, &mut cached);
        if call.watched(TraceKinds::LOOKUP) {
            let found = match &found {
                Ok(found) => Ok(found.as_ref()),
                Err(LookupFail::Open(fail)) => Err(fail.message()),
                Err(LookupFail::Defer(why)) => Err(&why[..]),
            };
            let answer = LookupEvent::Answer { key: query.key.bytes(), found, cached };
            call.trace().tell(Happening::Lookup(answer));
        }
        found
    }

    fn through_cache(
        &self,
        call: &mut Call<'_>,
        query: &LookupQuery,
        part: LookupKey,
        cached: &mut bool,
    ) -> Result<Option<Str>, LookupFail> {
        if query.key.is_empty() && self.def.style == LookupStyle::SingleKey {
            // Nothing has an empty key; that the file is there counts.
            let found = call.with_record(&self.def.meta, |call| self.def.find.find(call, query));
            return match found {
                Err(fail @ LookupFail::Open(_)) => Err(fail),
                _ => Ok(None),
            };
        }
        let slot = Cache::slot(self.search.def, query);
        let caching = query.options.get("cache").unwrap_or_default();
        if !matches!(caching, b"no" | b"no_rd")
            && let Some((kept, until)) = call.memory::<Cache>().get(&slot)
            && until.is_none_or(|until| dns::now(call).is_some_and(|now| now < until))
        {
            *cached = true;
            self.tell_key(call, &query.key, part, true);
            return Ok(kept);
        }
        self.tell_key(call, &query.key, part, false);
        let found = call.with_record(&self.def.meta, |call| self.def.find.find(call, query));
        let cache: &mut Cache = call.memory();
        let until = cache.until.take();
        // What failed may have written, too, before it did.
        let written = std::mem::take(&mut cache.written);
        if written {
            cache.forget(&slot);
        }
        let found = found?.map(|value| stamp(text(value), self.def.meta.taint));
        if !written && !matches!(caching, b"no" | b"no_wr") {
            cache.put(slot, found.clone(), until);
        }
        Ok(found)
    }

    /// Ever fewer components of the key, with the affix before them
    /// (specification 9.7).
    fn shortened(&self, call: &mut Call<'_>, least: u8) -> Result<Option<Found>, LookupFail> {
        let (key, affix) = (&self.query.key, &self.search.affix[..]);
        let text = key.bytes();
        let mut start = 0;
        // The whole key counts however few components it has. With an empty
        // affix it has been tried already.
        let mut tried = affix.is_empty();
        let mut dots = memchr::memchr_iter(b'.', text).count();
        loop {
            if !std::mem::replace(&mut tried, false)
                && let Some(value) =
                    self.one(call, self.key(&[affix, &text[start..]]), LookupKey::Partial)?
            {
                let wild = key.slice(0, start.saturating_sub(1));
                let fixed = key.slice(start, text.len());
                return Ok(Some(self.found(value, Some((wild, fixed)))));
            }
            if dots == 0 || dots < usize::from(least) {
                break;
            }
            // No domain has more components: text from outside must not make
            // a million keys.
            let skipped = dots.saturating_sub(MOST_COMPONENTS);
            let dot = memchr::memchr_iter(b'.', &text[start..]).nth(skipped).unwrap_or_default();
            start += dot + 1;
            dots -= skipped + 1;
        }
        let last = match affix {
            _ if least > 0 => return Ok(None),
            [] => return Ok(None),
            [_] => affix,
            [head @ .., b'.'] => head,
            whole => whole,
        };
        let value = self.one(call, self.key(&[last]), LookupKey::Partial)?;
        // Exim counts a dot here that is not there.
        let wild = key.slice(0, text.len().saturating_sub(1));
        Ok(value.map(|value| self.found(value, Some((wild, Str::EMPTY)))))
    }

    /// `*@domain` and `*` (specification 9.6).
    fn defaults(&self, call: &mut Call<'_>) -> Result<Option<Found>, LookupFail> {
        let key = &self.query.key;
        if self.search.star_at
            && let Some(at) = key.bytes().iter().rposition(|c| *c == b'@')
            && at > 0
            && let Some(value) =
                self.one(call, self.key(&[b"*", &key.bytes()[at..]]), LookupKey::Star)?
        {
            return Ok(Some(self.found(value, Some((key.slice(0, at), Str::EMPTY)))));
        }
        if !self.search.star {
            return Ok(None);
        }
        let value = self.one(call, self.key(&[b"*"]), LookupKey::Star)?;
        Ok(value.map(|value| self.found(value, Some((key.clone(), Str::EMPTY)))))
    }

    fn key(&self, parts: &[&[u8]]) -> Str {
        Str::from(parts.concat()).stamped(self.query.key.taint())
    }

    /// `ret=key` gives the key, clean, instead of the data. What was found in
    /// a file is clean: so is the fixed part of the key.
    fn found(&self, value: Str, wild: Option<(Str, Str)>) -> Found {
        let value = match self.query.options.is("ret", "key") {
            true => self.query.key.clone().stamped(Taint::Clean),
            false => value,
        };
        Found { value, wild: wild.map(|(wild, fixed)| (wild, fixed.stamped(Taint::Clean))) }
    }
}

/// Data up to its first zero byte: what is behind it, no string of Exim's has.
fn text(value: Str) -> Str {
    match memchr::memchr(0, value.bytes()) {
        Some(end) => value.slice(0, end),
        None => value,
    }
}

fn stamp(value: Str, rule: TaintRule) -> Str {
    match rule {
        TaintRule::Clean => value.stamped(Taint::Clean),
        TaintRule::Tainted => value.stamped(Taint::Tainted),
        TaintRule::Arguments | TaintRule::Result | TaintRule::Quoted => value,
    }
}

/// Text for a message: what can't be printed is escaped.
fn printable(text: &[u8], top: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        let letter = match byte {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            11 => b'v',
            12 => b'f',
            b' '..=b'~' => {
                out.push(*byte);
                continue;
            }
            128.. if top => {
                out.push(*byte);
                continue;
            }
            byte => {
                out.extend(format!("\\{byte:03o}").into_bytes());
                continue;
            }
        };
        out.extend([b'\\', letter]);
    }
    out
}
