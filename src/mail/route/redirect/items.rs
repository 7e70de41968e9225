//! The items of a redirection list that is no filter (specification 22.4 to
//! 22.6).

use std::borrow::Cow;

use eximious_core::Str;
use eximious_stdlib::address::{self, Rules};

use super::mistakes::Mistake;

/// How many items one list may have, those of included files counted.
const MOST_ITEMS: usize = 200_000;
/// How deep files may include each other.
const MOST_FILES: u32 = 10;

/// What an item stands for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Item {
    /// An address, perhaps without a domain; `here` says that a missing one is the
    /// domain of the address at hand.
    Address { text: Vec<u8>, here: bool },
    /// A file, or with a slash at its end a directory.
    File(Vec<u8>),
    /// A command, with its bar.
    Pipe(Vec<u8>),
}

/// What a list comes to.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum List {
    /// Items, perhaps none.
    Items,
    /// `:blackhole:`.
    Discard,
    /// `:unknown:`.
    Unknown,
    /// `:defer:`, and its text.
    Defer(Vec<u8>),
    /// `:fail:`, and its text; the items before it count.
    Fail(Vec<u8>),
    /// Something is wrong with it.
    Wrong(Vec<u8>),
}

/// What may stand in a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    pub(super) fail: bool,
    pub(super) defer: bool,
    pub(super) blackhole: bool,
    pub(super) include: bool,
    /// `skip_syntax_errors`: what is no address is passed over.
    pub(super) mistakes: bool,
}

/// Reads a list.
pub(super) struct Reader<'r> {
    pub(super) allowed: Allowed,
    pub(super) rules: Rules,
    /// Reads a file that is included; an error is what to say of it.
    pub(super) include: &'r mut dyn FnMut(&Str) -> Result<Str, Vec<u8>>,
    pub(super) items: Vec<Item>,
    /// What was passed over.
    pub(super) skipped: Vec<Mistake>,
    depth: u32,
}

impl<'r> Reader<'r> {
    pub(super) fn new(
        allowed: Allowed,
        rules: Rules,
        include: &'r mut dyn FnMut(&Str) -> Result<Str, Vec<u8>>,
    ) -> Self {
        Self { allowed, rules, include, items: Vec::new(), skipped: Vec::new(), depth: 0 }
    }

    /// Reads a whole list.
    pub(super) fn list(&mut self, list: &Str) -> List {
        let (text, taint) = list.read();
        let mut at = 0;
        loop {
            at = next_item(text, at);
            if at >= text.len() {
                return List::Items;
            }
            if self.items.len() + self.skipped.len() >= MOST_ITEMS {
                return List::Wrong(b"too many items in redirection list".to_vec());
            }
            let rest = &text[at..];
            let length = address::find_end(rest, true);
            let item = rest[..length].trim_ascii();
            if let Some(special) = self.special(rest, item) {
                return special;
            }
            at += length;
            if matches!(item, b":" | b"\"") {
                continue;
            }
            let plain = within_quotes(item);
            let (raw, inner) = (plain.unwrap_or(item), unescaped(plain.unwrap_or(item), plain));
            let inner = &*inner;
            if let Some(file) = inner.strip_prefix(b":include:") {
                let file = Str::from(file.trim_ascii()).stamped(taint);
                match self.included(&file) {
                    List::Items | List::Unknown => {}
                    other => return other,
                }
            } else if inner == b":unknown:" {
                if self.items.is_empty() && next_item(text, at) >= text.len() {
                    return List::Unknown;
                }
            } else if let Err(wrong) = self.item(raw, inner) {
                if !self.allowed.mistakes {
                    return List::Wrong(wrong.line());
                }
                self.skipped.push(wrong.behind(self.items.len()));
            }
        }
    }

    /// What stands for the whole list, whatever is around it.
    fn special(&mut self, rest: &[u8], item: &[u8]) -> Option<List> {
        let words: [(&[u8], bool); 3] = [
            (b":fail:", self.allowed.fail),
            (b":defer:", self.allowed.defer),
            (b":blackhole:", self.allowed.blackhole),
        ];
        let quoted = within_quotes(item).is_some();
        let bare = rest.strip_prefix(b"\"").filter(|_| quoted).unwrap_or(rest);
        let (word, allowed) = words.into_iter().find(|(word, _)| bare.starts_with(word))?;
        if !allowed {
            let end = address::find_end(rest, true);
            let shown = rest[..end].trim_ascii();
            let shown = within_quotes(shown).unwrap_or(shown);
            return Some(List::Wrong([b"\"", shown, b"\" is not permitted"].concat()));
        }
        let text = bare[word.len()..].trim_ascii_start();
        let end = text.iter().rposition(|c| *c != b'\n').map_or(0, |last| last + 1);
        let text = text[..end].to_vec();
        Some(match word {
            b":fail:" => List::Fail(text),
            b":defer:" => List::Defer(text),
            // What was passed over could have been somebody.
            _ if !self.skipped.is_empty() => List::Unknown,
            _ => List::Discard,
        })
    }

    fn included(&mut self, file: &Str) -> List {
        if file.is_empty() {
            return List::Wrong(b"file name missing after :include:".to_vec());
        }
        if !self.allowed.include && file.bytes().starts_with(b"/") {
            return List::Wrong(b"included files not permitted".to_vec());
        }
        if self.depth >= MOST_FILES {
            return List::Wrong(b"included files are nested too deeply".to_vec());
        }
        let text = match (self.include)(file) {
            Ok(text) => text,
            Err(wrong) => return List::Wrong(wrong),
        };
        let before = self.items.len();
        self.depth += 1;
        let list = self.list(&text);
        self.depth -= 1;
        if matches!(list, List::Fail(_)) {
            self.items.truncate(before);
        }
        list
    }

    fn item(&mut self, raw: &[u8], inner: &[u8]) -> Result<(), Mistake> {
        let rules = self.rules;
        if matches!(inner.first(), Some(b'|' | b'/')) {
            // An address may begin so, too, if it has a domain.
            let is_address = address::parse(raw, rules).is_ok_and(|one| one.domain.is_some());
            if !is_address {
                let text = inner.to_vec();
                let pipe = inner[0] == b'|';
                self.items.push(if pipe { Item::Pipe(text) } else { Item::File(text) });
                return Ok(());
            }
        }
        if raw.is_empty() {
            return Ok(());
        }
        if let Some(rest) = raw.strip_prefix(b"\\")
            && let Ok(one) = address::parse(rest, rules)
            && one.domain.is_none()
        {
            self.items.push(Item::Address { text: one.text, here: true });
            return Ok(());
        }
        match address::parse(raw, rules) {
            Ok(one) => {
                self.items.push(Item::Address { text: one.text, here: false });
                Ok(())
            }
            // A comment alone names nobody.
            Err(why) if why.is_empty() => Ok(()),
            Err(why) => Err(Mistake::new(why.message, Some(raw))),
        }
    }
}

/// Where the next item begins: behind white space, commas and comments, which
/// begin at the start of a line or behind a comma.
fn next_item(text: &[u8], mut at: usize) -> usize {
    let mut fresh = at == 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b'\n' => fresh = true,
            b'#' if fresh => {
                let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
                at = end;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => break,
        }
        at += 1;
    }
    at
}

/// What stands between a quote at the start of an item and one at its end.
fn within_quotes(item: &[u8]) -> Option<&[u8]> {
    item.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// An item that is no address: within quotes, a backslash goes with what it stands
/// before.
fn unescaped<'i>(item: &'i [u8], quoted: Option<&[u8]>) -> Cow<'i, [u8]> {
    if quoted.is_none() || !item.contains(&b'\\') {
        return Cow::Borrowed(item);
    }
    let mut out = Vec::with_capacity(item.len());
    let mut bytes = item.iter();
    while let Some(byte) = bytes.next() {
        out.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (List, String) {
        let allowed =
            Allowed { fail: true, defer: true, blackhole: true, include: true, mistakes: false };
        let mut include = |file: &Str| match file.bytes() {
            b"/a" => Ok(Str::fixed("x, y\n# c\nz")),
            b"/loop" => Ok(Str::fixed(":include:/loop")),
            b"/fail" => Ok(Str::fixed("x\n:fail: no")),
            _ => Err(b"none".to_vec()),
        };
        let mut reader = Reader::new(allowed, Rules::default(), &mut include);
        let list = reader.list(&Str::from(text.to_owned()));
        let items: Vec<String> = reader
            .items
            .iter()
            .map(|item| match item {
                Item::Address { text, here } => {
                    let mark = if *here { "\\" } else { "" };
                    format!("{mark}{}", String::from_utf8_lossy(text))
                }
                Item::File(text) | Item::Pipe(text) => String::from_utf8_lossy(text).into_owned(),
            })
            .collect();
        (list, items.join(";"))
    }

    #[test]
    fn items_are_told_apart() {
        for (text, items) in [
            ("a, b@c.d\ne", "a;b@c.d;e"),
            ("# x\n, # y\n a ,,b", "a;b"),
            ("\"|/bin/x a,b\", |/bin/y z, /d/, \"/e f\"", "|/bin/x a,b;|/bin/y z;/d/;/e f"),
            ("/s=x/@b.c, |x@b.c", "/s=x/@b.c;|x@b.c"),
            ("\\a, \\a@b.c", "\\a;\\a@b.c"),
            ("Foo Bar <a@b.c> (x)", "a@b.c"),
            (":include:/a, b", "x;y;z;b"),
            ("\":include:/a\"", "x;y;z"),
            ("a, :unknown:, b", "a;b"),
            ("", ""),
        ] {
            assert_eq!(read(text), (List::Items, items.to_owned()), "{text}");
        }
        assert_eq!(read(":unknown:").0, List::Unknown);
        assert_eq!(read("a, :blackhole: b").0, List::Discard);
        assert_eq!(read("a, :fail: b, c"), (List::Fail(b"b, c".to_vec()), "a".to_owned()));
        assert_eq!(read("a, :include:/fail"), (List::Fail(b"no".to_vec()), "a".to_owned()));
        assert!(matches!(read(":include:/loop").0, List::Wrong(_)));
        assert_eq!(read(":include:/b").0, List::Wrong(b"none".to_vec()));
        let wrong = b"missing or malformed local part (expected word or \"<\") in \"a b\"";
        assert_eq!(read("a b").0, List::Wrong(wrong.to_vec()));
    }
}
