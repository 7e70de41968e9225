//! Files with a site's own texts for reports (specification, chapter 50): items between
//! lines of four asterisks, each of which is expanded.

use eximious::{Context, Opt, Str};

use crate::options;

/// How long such a file may be.
const LONGEST: u64 = 1 << 20;

/// The items that are there; where one is missing or empty, Exim's own text stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(Vec<Option<Str>>);

impl Texts {
    /// Reads the file that an option names, if it does. What is wrong with it is logged.
    pub(super) fn read(cx: &mut Context, option: Opt<Str>) -> Self {
        let Some(path) = options::expanded(cx, option).filter(|path| !path.is_empty()) else {
            return Self::default();
        };
        let files = cx.engine().world().files.clone();
        let text = match files.read(path.bytes(), LONGEST) {
            Ok(text) => text,
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                let tail = b" for error message texts: ".as_slice();
                let line = [b"Failed to open ", path.bytes(), tail, why.as_bytes()].concat();
                cx.log().panic(&line);
                return Self::default();
            }
        };
        let items = items(&text);
        let expanded = |item: Vec<u8>| {
            options::expanded_text(cx, option.name(), &Str::from(item))
                .filter(|text| !text.is_empty())
        };
        Self(items.into_iter().map(expanded).collect())
    }

    /// The text in a place, if there is one.
    pub(super) fn item(&self, at: usize) -> Option<&[u8]> {
        self.0.get(at)?.as_ref().map(Str::bytes)
    }
}

fn items(text: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match (line, items.last_mut()) {
            (b"****\n" | b"****", _) => items.push(Vec::new()),
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
    }
}
