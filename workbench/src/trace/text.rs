//! A tree as lines of text.

use std::time::Duration;

use super::{place, summary};
use crate::tree::TraceNode;

/// How a tree is written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TextStyle {
    /// Whether it says how long each part took.
    pub times: bool,
    /// Whether strings that were passed over are shown, too.
    pub skipped: bool,
}

impl TextStyle {
    /// With how long each part took.
    #[must_use]
    pub fn times(self, times: bool) -> Self {
        Self { times, ..self }
    }

    /// With what was passed over.
    #[must_use]
    pub fn skipped(self, skipped: bool) -> Self {
        Self { skipped, ..self }
    }
}

/// A line for each node: what it is, what it came to, and where it stands, where that is
/// not where the one around it stands.
pub fn lines(nodes: &[TraceNode], style: TextStyle) -> Vec<String> {
    let mut out = Vec::new();
    nodes.iter().for_each(|node| line(node, "", "", None, style, &mut out));
    out
}

fn line(
    node: &TraceNode,
    head: &str,
    below: &str,
    around: Option<(&[u8], u32)>,
    style: TextStyle,
    out: &mut Vec<String>,
) {
    let (what, came) = summary(node);
    let arrow = if came.is_empty() { "" } else { " → " };
    let at = place(node).map(|place| (place.file.bytes(), place.line));
    let stands = match place(node).filter(|_| at != around) {
        Some(place) => match around.is_some_and(|(file, _)| file == place.file.bytes()) {
            true => format!("  [line {}]", place.line),
            false => format!("  [{}:{}]", place.file.display(), place.line),
        },
        None => String::new(),
    };
    let took = match node.took.filter(|_| style.times) {
        Some(took) => format!("  ({})", time(took)),
        None => String::new(),
    };
    out.push(format!("{head}{what}{arrow}{came}{stands}{took}"));
    let parts: Vec<_> =
        node.parts.iter().filter(|part| style.skipped || part.fact("skipped").is_none()).collect();
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.into_iter().enumerate() {
        let (branch, rest) = if number == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let (head, below) = (format!("{below}{branch}"), format!("{below}{rest}"));
        line(part, &head, &below, at.or(around), style, out);
    }
}

/// A time in the unit that reads best.
pub(crate) fn time(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..10_000 => format!("{micros} µs"),
        10_000..10_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{} s", micros / 1_000_000),
    }
}
