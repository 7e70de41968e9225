//! Text files of keys and data, as `lsearch` and its kin read them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use eximious_core::LookupFail;
use eximious_core::grammar::{escape, is_space};

use super::files::View;
use super::network::Network;
use crate::pattern::set::{Candidates, ListPlan, PlanItem, USES, WORTH_A_PLAN};

/// A file's text, and what helps to find a key in it.
pub(super) struct Text {
    bytes: Arc<[u8]>,
    used: AtomicBool,
    index: OnceLock<Index>,
    networks: OnceLock<Vec<(Network, u32)>>,
    /// Where its keys are patterns: how often one was looked for, and what they are
    /// together, keys as they stand and keys that are expanded.
    searches: AtomicU32,
    plans: [OnceLock<Option<Arc<ListPlan>>>; 2],
}

impl View for Text {
    // The text itself, and an index of eight bytes for a line.
    const COST: usize = 2;
    const LARGEST: u64 = 256 << 20;

    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail> {
        let bytes = match memchr::memchr(0, &contents) {
            None => contents,
            Some(_) => without_zeros(&contents).into(),
        };
        Ok(Self {
            bytes,
            used: AtomicBool::new(false),
            index: OnceLock::new(),
            networks: OnceLock::new(),
            searches: AtomicU32::new(0),
            plans: [OnceLock::new(), OnceLock::new()],
        })
    }
}

/// An entry: a line with a key, and the lines that continue it.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    /// Where its line begins.
    at: usize,
    /// Its key, quotes and escapes read.
    pub(super) key: Cow<'t, [u8]>,
    /// What follows the key on its line.
    rest: &'t [u8],
    /// Where the next line begins.
    next: usize,
}

impl Text {
    /// The first entry with a key, compared without case.
    pub(super) fn find(&self, key: &[u8]) -> Option<Entry<'_>> {
        // An index pays from the second search on.
        if self.used.swap(true, Ordering::Relaxed) {
            self.index.get_or_init(|| Index::new(self)).find(self, key)
        } else {
            self.entries().find(|entry| entry.key.eq_ignore_ascii_case(key))
        }
    }

    /// The first entry whose key is a network that holds an address.
    pub(super) fn find_network(&self, address: IpAddr) -> Option<Entry<'_>> {
        let networks = self.networks.get_or_init(|| {
            let network = |entry: Entry<'_>| {
                Network::parse(&entry.key).map(|network| (network, entry.at as u32))
            };
            self.entries().filter_map(network).collect()
        });
        let (_, at) = networks.iter().find(|(network, _)| network.holds(address))?;
        self.entry_at(*at as usize)
    }

    /// What its keys are together, if they are many patterns that are asked for often.
    pub(super) fn plan(&self, expanded: bool) -> Option<Arc<ListPlan>> {
        if self.bytes.len() < WORTH_A_PLAN
            || self.searches.fetch_add(1, Ordering::Relaxed) + 1 < USES
        {
            return None;
        }
        let plan = self.plans[usize::from(expanded)].get_or_init(|| {
            let items = self.entries().map(|entry| PlanItem {
                span: (entry.at, entry.next),
                pattern: pattern_of(entry.key, expanded),
            });
            ListPlan::new(items, true).map(Arc::new)
        });
        plan.clone()
    }

    /// The entries that a plan has found, in order.
    pub(super) fn entries_of(&self, found: &Candidates) -> impl Iterator<Item = Entry<'_>> {
        found.numbers().filter_map(|number| self.entry_at(found.span(number).start))
    }

    /// All entries, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < self.bytes.len() {
                let entry = self.entry_at(at);
                at = entry.as_ref().map_or_else(|| self.line(at).1, |entry| entry.next);
                if entry.is_some() {
                    return entry;
                }
            }
            None
        })
    }

    /// The data of an entry; with its key before it, where all is asked for.
    /// White space that begins a continuation line becomes one space. `None` where there
    /// are more bytes than wanted at most.
    pub(super) fn data(&self, entry: &Entry<'_>, whole: bool, most: usize) -> Option<Vec<u8>> {
        if entry.key.len() + entry.rest.len() > most {
            return None;
        }
        let mut out;
        if whole {
            out = [&entry.key, entry.rest].concat();
        } else {
            let rest = trim_start(entry.rest);
            out = trim_start(rest.strip_prefix(b":").unwrap_or(rest)).to_vec();
        }
        let mut at = entry.next;
        while at < self.bytes.len() {
            let (line, next) = self.line(at);
            // Anything but a line with space before text ends the entry: an
            // empty line and a comment, too.
            if !line.first().is_some_and(|c| is_space(*c)) {
                break;
            }
            if out.len() + line.len() > most {
                return None;
            }
            out.push(b' ');
            out.extend_from_slice(trim_start(line));
            at = next;
        }
        Some(out)
    }

    /// The line at an offset without the space at its end, and where the next
    /// one begins. A last line without a newline keeps the space at its end.
    fn line(&self, at: usize) -> (&[u8], usize) {
        let rest = &self.bytes[at..];
        match memchr::memchr(b'\n', rest) {
            Some(length) => (trim_end(&rest[..length]), at + length + 1),
            None => (rest, self.bytes.len()),
        }
    }

    /// The entry that begins at a line, if one does.
    fn entry_at(&self, at: usize) -> Option<Entry<'_>> {
        let (line, next) = self.line(at);
        match line {
            [] | [b'#', ..] => None,
            [first, ..] if is_space(*first) => None,
            [b'"', quoted @ ..] => {
                let (key, rest) = quoted_key(quoted);
                Some(Entry { at, key, rest, next })
            }
            _ => {
                let ends = |c: &u8| *c == b':' || is_space(*c);
                let (key, rest) = line.split_at(line.iter().position(ends).unwrap_or(line.len()));
                Some(Entry { at, key: Cow::Borrowed(key), rest, next })
            }
        }
    }
}

/// A key up to the quote that ends it, or the end of the line.
fn quoted_key(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(special) = memchr::memchr2(b'"', b'\\', text) else {
        return (Cow::Borrowed(text), b"");
    };
    if text[special] == b'"' {
        return (Cow::Borrowed(&text[..special]), &text[special + 1..]);
    }
    let mut key = text[..special].to_vec();
    let mut at = special;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return (Cow::Owned(key), &text[at + 1..]),
            b'\\' => {
                let (byte, used) = escape(&text[at..]);
                key.push(byte);
                at += used.max(1);
            }
            byte => {
                key.push(*byte);
                at += 1;
            }
        }
    }
    (Cow::Owned(key), b"")
}

/// Exim's lines end at a zero byte, newline and all: what follows joins them.
fn without_zeros(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    // How much of it was looked through for where the line at hand begins, where that
    // is, and whether its key has ended.
    let (mut seen, mut start, mut ended) = (0, 0, false);
    let mut rest = text;
    while let Some(zero) = memchr::memchr(0, rest) {
        out.extend_from_slice(&rest[..zero]);
        // A key ends where Exim's line does.
        if let Some(newline) = memchr::memrchr(b'\n', &out[seen..]) {
            start = seen + newline + 1;
            (seen, ended) = (start, false);
        }
        ended |= out[seen..].iter().any(|c| matches!(c, b'"' | b':') || is_space(*c));
        seen = out.len();
        if start < out.len() && !ended {
            out.push(b' ');
        }
        let newline = memchr::memchr(b'\n', &rest[zero..]);
        rest = newline.map_or(b"", |length| &rest[zero + length + 1..]);
    }
    out.extend_from_slice(rest);
    out
}

fn trim_start(text: &[u8]) -> &[u8] {
    let space = text.iter().take_while(|c| is_space(**c)).count();
    &text[space..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let space = text.iter().rev().take_while(|c| is_space(**c)).count();
    &text[..text.len() - space]
}

/// Hashes of keys with the offsets of their entries, sorted.
struct Index(Vec<(u32, u32)>);

impl Index {
    fn new(text: &Text) -> Self {
        let mut slots: Vec<(u32, u32)> =
            text.entries().map(|entry| (hash(&entry.key), entry.at as u32)).collect();
        slots.sort_unstable();
        Self(slots)
    }

    /// The first entry in the order of the file.
    fn find<'t>(&self, text: &'t Text, key: &[u8]) -> Option<Entry<'t>> {
        let wanted = hash(key);
        let from = self.0.partition_point(|(hash, _)| *hash < wanted);
        self.0[from..]
            .iter()
            .take_while(|(hash, _)| *hash == wanted)
            .filter_map(|(_, at)| text.entry_at(*at as usize))
            .find(|entry| entry.key.eq_ignore_ascii_case(key))
    }
}

/// A hash that does not see case.
fn hash(key: &[u8]) -> u32 {
    let mixed = key.iter().fold(0u64, |hash, byte| {
        (hash.rotate_left(5) ^ u64::from(byte.to_ascii_lowercase()))
            .wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    (mixed >> 32) as u32
}

/// The regular expression that a key is, if it says the same each time.
fn pattern_of(key: Cow<'_, [u8]>, expanded: bool) -> Option<Cow<'_, [u8]>> {
    if key.first().is_none_or(|c| is_space(*c)) || key.last().is_none_or(|c| is_space(*c)) {
        return None;
    }
    if !expanded || !key.iter().any(|c| matches!(c, b'$' | b'\\')) {
        return key.starts_with(b"^").then_some(key);
    }
    // Within these marks, nothing is expanded.
    let inside = key.strip_prefix(b"\\N^")?.strip_suffix(b"\\N")?;
    let marked = memchr::memmem::find(inside, b"\\N").is_some();
    (!marked).then(|| Cow::Owned([b"^", inside].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(contents: &str) -> Text {
        Text::read(contents.as_bytes().into()).unwrap_or_else(|_| panic!("a view of any text"))
    }

    #[test]
    fn an_index_finds_what_a_scan_finds() {
        let mut contents = String::new();
        for n in 0..2000 {
            contents.push_str(&format!("key{}: {n}\n  more\n# no\n", n % 700));
        }
        let text = text(&contents);
        for n in 0..800 {
            let key = format!("KEY{n}").into_bytes();
            let scanned = text.entries().find(|entry| entry.key.eq_ignore_ascii_case(&key));
            let found = text.find(&key);
            assert_eq!(found.map(|e| e.at), scanned.map(|e| e.at), "{n}");
        }
    }

    #[test]
    fn many_lookups_do_not_scan_each_time() {
        let mut contents = String::new();
        for n in 0..100_000 {
            contents.push_str(&format!("user{n}@example.com: mailbox {n}\n"));
        }
        let text = text(&contents);
        for n in 0..10_000 {
            let number = n * 7919 % 100_000;
            let found = text.find(format!("user{number}@example.com").as_bytes());
            let data = found.and_then(|entry| text.data(&entry, false, 99)).unwrap_or_default();
            assert_eq!(String::from_utf8_lossy(&data), format!("mailbox {number}"));
        }
        assert!(text.index.get().is_some());
    }

    #[test]
    fn any_bytes_are_a_text() {
        let pieces: [&[u8]; 10] =
            [b"\"", b"\\", b"\n", b" ", b":", b"#", b"\0", b"a", b"\r", b"\xff"];
        let mut state = 1u64;
        for _ in 0..3000 {
            let mut contents = Vec::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                contents.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let Ok(text) = Text::read(contents.into()) else { panic!("a view of any text") };
            for entry in text.entries() {
                text.data(&entry, true, 9);
                text.data(&entry, false, 99);
            }
            text.find(b"a");
            text.find(b"a");
        }
    }
}
