//! Strings of bytes that know where they come from.

use std::borrow::Cow;

use hipstr::HipByt;

/// Whether bytes come from outside (specification, chapter 11).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Taint {
    /// From the configuration or made here.
    #[default]
    Clean,
    /// From outside, but quoted for this lookup type (the registry's id).
    Quoted(u16),
    /// From outside.
    Tainted,
}

impl Taint {
    /// The taint of a string made of two.
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Clean, x) | (x, Self::Clean) => x,
            (a, b) if a == b => a,
            _ => Self::Tainted,
        }
    }

    /// Whether any byte comes from outside, quoted or not.
    pub fn is_tainted(self) -> bool {
        self != Self::Clean
    }
}

/// Bytes with a taint. Not UTF-8 by promise. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Str {
    bytes: HipByt<'static>,
    taint: Taint,
}

impl Str {
    /// The empty string, clean.
    pub const EMPTY: Self = Self { bytes: HipByt::new(), taint: Taint::Clean };

    /// Bytes that were made here.
    pub fn clean(bytes: impl Into<HipByt<'static>>) -> Self {
        Self { bytes: bytes.into(), taint: Taint::Clean }
    }

    /// Bytes that stand in the program; nothing is copied.
    pub const fn fixed(text: &'static str) -> Self {
        Self { bytes: HipByt::from_static(text.as_bytes()), taint: Taint::Clean }
    }

    /// Bytes that come from outside.
    pub fn tainted(bytes: impl Into<HipByt<'static>>) -> Self {
        Self { bytes: bytes.into(), taint: Taint::Tainted }
    }

    /// The same bytes with another taint. For the engine and for lists; a
    /// built-in declares its [`crate::TaintRule`] instead.
    pub fn stamped(self, taint: Taint) -> Self {
        Self { taint, ..self }
    }

    /// The bytes and where they come from.
    pub fn read(&self) -> (&[u8], Taint) {
        (self.bytes.as_slice(), self.taint)
    }

    /// The bytes, to look at. What is made of them and leaves a built-in is
    /// stamped by the engine, after the built-in's rule.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Where the bytes come from.
    pub fn taint(&self) -> Taint {
        self.taint
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A part of it, without copying where it is long; clamped to its ends.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let end = end.min(self.bytes.len());
        let start = start.min(end);
        Self { bytes: self.bytes.slice(start..end), taint: self.taint }
    }

    /// For showing: what is not UTF-8 is replaced.
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

impl std::fmt::Debug for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.display())?;
        match self.taint {
            Taint::Clean => Ok(()),
            taint => write!(f, " ({taint:?})"),
        }
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::clean(text.as_bytes())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::clean(text.into_bytes())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: packed(bytes), taint: Taint::Clean }
    }
}

/// A short vector becomes inline bytes: to share it would take memory for the
/// count as well.
fn packed(bytes: Vec<u8>) -> HipByt<'static> {
    if bytes.len() <= HipByt::inline_capacity() {
        HipByt::from(bytes.as_slice())
    } else {
        HipByt::from(bytes)
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self::clean(bytes)
    }
}

/// A string while it is made.
#[derive(Clone, Default, Debug)]
pub struct Buf {
    bytes: Vec<u8>,
    taint: Taint,
}

impl Buf {
    /// Adds a string and its taint.
    pub fn push(&mut self, piece: &Str) {
        self.bytes.extend_from_slice(piece.bytes());
        self.taint = self.taint.with(piece.taint);
    }

    /// Adds bytes that were made here.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a taint without bytes.
    pub fn mark(&mut self, taint: Taint) {
        self.taint = self.taint.with(taint);
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The string.
    pub fn finish(self) -> Str {
        Str { bytes: packed(self.bytes), taint: self.taint }
    }
}
