//! Expansions, in Exim's words: a tree of what is considered, and what comes of it.

use eximious_core::grammar::expansion::escape;
use eximious_core::trace::{ExpansionEvent, TracePiece};
use eximious_core::{FailClass, Str};
use eximious_grammar::Span;

use super::{DebugSelector, DebugWriter};

/// What is told of strings that are evaluated, and of those that are passed over.
const CONSIDERING: [&str; 2] = ["╭considering: ", "├considering: "];
const SCANNING: [&str; 2] = ["╭───scanning: ", "├───scanning: "];

pub(super) fn write(step: &ExpansionEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let mut lines = Lines { depth, out };
    match step {
        ExpansionEvent::Begin { source, span, skipped } => {
            let head = if *skipped { SCANNING[0] } else { CONSIDERING[0] };
            lines.tell(head, rest(source, span.start));
        }
        ExpansionEvent::Piece { source, span, piece, value, first } => {
            lines.piece((source, *span), *piece, *value, *first);
        }
        ExpansionEvent::Condition { source, span, holds } => {
            lines.tell("├──condition: ", span.of(source).trim_ascii_start());
            let word: &[u8] = if *holds == Some(true) { b"true" } else { b"false" };
            lines.tell("├─────result: ", word);
        }
        ExpansionEvent::End { source, span, value } => {
            lines.tell("├───expanded: ", span.of(source));
            match value {
                Some(value) => lines.value("╰─────result: ", value),
                None => {
                    lines.plainly("├─────result:  ◀skipped▶", b"");
                    lines.plainly("╰───skipping: result is not used", b"");
                }
            }
        }
        ExpansionEvent::Failed { source, span, fail } => {
            lines.plainly("├failed to expand: ", rest(source, span.start));
            let forced = fail.class() == FailClass::Forced;
            let sign =
                if forced { "├───error message: " } else { "╰───error message: " };
            lines.plainly(sign, fail.message());
            if forced {
                lines.plainly("╰failure was forced", b"");
            }
        }
        _ => {}
    }
}

/// What is left of a text from a place on.
fn rest(source: &[u8], at: u32) -> &[u8] {
    source.get(at as usize..).unwrap_or_default()
}

/// The lines of one step.
struct Lines<'l, 'w> {
    depth: u32,
    out: &'l mut DebugWriter<'w>,
}

impl Lines<'_, '_> {
    /// What a piece came to, and what comes next; `first` says that nothing came of
    /// those before it.
    fn piece(
        &mut self,
        (source, span): (&[u8], Span),
        piece: TracePiece,
        value: Option<&Str>,
        first: bool,
    ) {
        let next = if value.is_some() { CONSIDERING[1] } else { SCANNING[1] };
        let rest = rest(source, span.end);
        match (piece, value) {
            (TracePiece::Text, _) => return self.text(source, span, next),
            (TracePiece::Operator, None) => {}
            (TracePiece::Item, None) => self.tell("├───item-res: ", b""),
            (_, None) => self.tell("├──────value: ", b""),
            // One that is not set has no value.
            (TracePiece::Numeric | TracePiece::Header, Some(value)) if value.is_empty() => {}
            (TracePiece::Operator, Some(value)) => {
                self.plainly("├─────op-res: ", value.bytes());
                self.taint(value);
            }
            (TracePiece::Item, Some(_)) if first && rest.is_empty() => {}
            (TracePiece::Item, Some(value)) => self.value("├───item-res: ", value),
            // A name in braces is read as an item would be.
            (_, Some(_)) if span.of(source).starts_with(b"${") => {}
            (_, Some(value)) => self.value("├──────value: ", value),
        }
        if !rest.is_empty() {
            self.tell(next, rest);
        }
    }

    /// Literal text as it is written, in runs and escapes.
    fn text(&mut self, source: &[u8], span: Span, next: &str) {
        let mut at = span.start as usize;
        while let Some(raw) = source.get(at..span.end as usize).filter(|raw| !raw.is_empty()) {
            let length = match raw {
                [b'\\', b'N', inner @ ..] => {
                    let end = memchr::memmem::find(inner, b"\\N").unwrap_or(inner.len());
                    self.tell("├──protected: ", &inner[..end]);
                    (end + 4).min(raw.len())
                }
                [b'\\', ..] => {
                    let (_, length) = escape(raw);
                    let shown = [b"'", &raw[..length.min(2)], b"'"].concat();
                    self.plainly("├backslashed: ", &shown);
                    length
                }
                _ => {
                    let length = memchr::memchr(b'\\', raw).unwrap_or(raw.len());
                    self.tell("├───────text: ", &raw[..length]);
                    length
                }
            };
            at += length;
            let rest = source.get(at..).unwrap_or_default();
            if !rest.is_empty() {
                self.tell(next, rest);
            }
        }
    }

    fn value(&mut self, sign: &str, value: &Str) {
        self.tell(sign, value.bytes());
        self.taint(value);
    }

    fn taint(&mut self, value: &Str) {
        if value.taint().is_tainted() {
            self.plainly("           ╰──(tainted)", b"");
        }
    }

    /// A line in which spaces can be seen.
    fn tell(&mut self, sign: &str, text: &[u8]) {
        let shown = self.out.visible(text).into_owned();
        self.plainly(sign, &shown);
    }

    fn plainly(&mut self, sign: &str, text: &[u8]) {
        let sign = if self.out.is_plain { in_ascii(sign) } else { sign.to_owned() };
        self.out.told(DebugSelector::EXPAND, self.depth, &[sign.as_bytes(), text]);
    }
}

/// A sign as it is drawn without letters beyond ASCII: what ends something stands on a
/// line of its own.
fn in_ascii(sign: &str) -> String {
    let line = if sign.contains('╰') { '_' } else { '-' };
    let plain = |letter| match letter {
        '╭' => '/',
        '├' => '|',
        '╰' => '\\',
        '─' => line,
        '◀' => '<',
        '▶' => '>',
        letter => letter,
    };
    sign.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_have_forms_in_ascii() {
        assert_eq!(in_ascii("├───expanded: "), "|---expanded: ");
        assert_eq!(in_ascii("╰─────result: "), "\\_____result: ");
        assert_eq!(in_ascii("├─────result:  ◀skipped▶"), "|-----result:  <skipped>");
    }
}
