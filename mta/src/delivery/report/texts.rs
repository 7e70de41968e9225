//! Files with a site's own texts for reports (specification, chapter 50): items between
//! lines of four asterisks, each of which is expanded.

use std::io;

use eximious::{Context, Opt, Str};

/// How long such a file may be.
const LONGEST: u64 = 1 << 20;

/// The items that are there; where one is missing or empty, Exim's own text stands.
#[derive(Debug)]
pub(super) struct Texts {
    option: Opt<Str>,
    /// Nothing where there is no file.
    items: Option<Vec<Vec<u8>>>,
}

impl Texts {
    /// Reads the file that an option names, if it does; `kind` says what for. What is wrong
    /// with it is logged.
    pub(super) fn read(cx: &mut Context, option: Opt<Str>, kind: &str) -> Self {
        let items = match file(cx, option, kind) {
            Ok(text) => text.map(|text| items(&text)),
            Err(line) => {
                cx.log().panic(&line);
                None
            }
        };
        Self { option, items }
    }

    /// Whether there is a file.
    pub(super) fn are_there(&self) -> bool {
        self.items.is_some()
    }

    /// The text in a place, if there is one; `name` is what it is called where it is wrong,
    /// which is logged.
    pub(super) fn item(&self, cx: &mut Context, at: usize, name: &str) -> Option<Str> {
        let item = self.items.as_ref()?.get(at).filter(|item| !item.is_empty())?;
        let engine = cx.engine().clone();
        match cx.on_behalf_of(self.option.name(), |cx| engine.expand_once(item, cx)) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(fail) => {
                let head = format!(
                    "Failed to expand string from bounce_message_file or warn_message_file \
                     ({name}): "
                );
                cx.log().panic(&[head.as_bytes(), fail.message()].concat());
                None
            }
        }
    }
}

/// What stands in the file that an option names, or what is wrong.
fn file(cx: &mut Context, option: Opt<Str>, kind: &str) -> Result<Option<Vec<u8>>, Vec<u8>> {
    let engine = cx.engine().clone();
    let Some(written) = engine.settings().given(option) else { return Ok(None) };
    let name = option.name().as_bytes();
    let expanded =
        cx.on_behalf_of(option.name(), |cx| engine.expand_once(written.bytes(), cx)).ok();
    let Some(path) = expanded.filter(|path| !path.is_empty()) else {
        return Err([b"Failed to expand ", name, b": '", written.bytes(), b"'\n"].concat());
    };
    if !path.bytes().starts_with(b"/") {
        let middle = b" is not absolute after expansion: '".as_slice();
        return Err([name, middle, path.bytes(), b"'\n"].concat());
    }
    // Nobody from outside says what is expanded here.
    if path.taint().is_tainted() {
        let middle = b" is not untainted after expansion: '".as_slice();
        return Err([name, middle, path.bytes(), b"'\n"].concat());
    }
    match engine.world().files.read(path.bytes(), LONGEST) {
        Ok(text) => Ok(Some(text.to_vec())),
        // It can be opened, and nothing can be read from it.
        Err(why) if why.kind() == io::ErrorKind::IsADirectory => Ok(Some(Vec::new())),
        Err(why) => {
            let why = eximious::stdlib::wording::reason(&why);
            let tail = format!(" for {kind} message texts: {why}");
            Err([b"Failed to open ", path.bytes(), tail.as_bytes()].concat())
        }
    }
}

fn items(text: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match (line, items.last_mut()) {
            (b"****\n", _) => items.push(Vec::new()),
            (line, Some(item)) => item.extend_from_slice(line),
            (_, None) => {}
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_four_asterisks_part_items() {
        let found = items(b"Subject: a\nX: b\n****\n****\n *****\n****\nlast");
        let wanted: [&[u8]; 4] = [b"Subject: a\nX: b\n", b"", b" *****\n", b"last"];
        assert_eq!(found, wanted);
        assert_eq!(items(b""), [b""]);
        // A line that does not end is text.
        assert_eq!(items(b"a\n****"), [b"a\n****"]);
    }
}
