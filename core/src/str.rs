//! Strings of bytes that know where they come from.

use std::borrow::Cow;

use eximious_grammar::scan::find_byte;

use crate::repr::{ROOM, Repr, WITHOUT_ZERO};

/// Whether bytes come from outside (specification, chapter 11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Taint {
    /// From the configuration or made here.
    #[default]
    Clean,
    /// From outside, but quoted for this lookup type (the registry's id).
    Quoted(u16),
    /// From outside.
    Tainted,
}

/// A bit beside the taint, as that of [`WITHOUT_ZERO`]: expanding it changes nothing.
const PLAIN: u16 = 1 << 14;
/// Another: no byte is an ASCII capital.
const LOWERCASE: u16 = 1 << 13;
const KNOWN: u16 = WITHOUT_ZERO | PLAIN | LOWERCASE;

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

    /// As a number. There are not as many lookup types as would be needed to
    /// give two of them the same one.
    fn mark(self) -> u16 {
        match self {
            Self::Clean => 0,
            Self::Tainted => 1,
            Self::Quoted(lookup) => lookup.saturating_add(2).min(!KNOWN),
        }
    }

    fn of_mark(mark: u16) -> Self {
        match mark & !KNOWN {
            0 => Self::Clean,
            1 => Self::Tainted,
            quoted => Self::Quoted(quoted - 2),
        }
    }
}

/// Bytes with a taint. Not UTF-8 by promise. Cheap to clone.
#[derive(Clone)]
pub struct Str(Repr);

const _: () = assert!(size_of::<Result<Str, crate::Fail>>() == 32);

impl Str {
    /// The empty string, clean.
    pub const EMPTY: Self = Self(Repr::empty(WITHOUT_ZERO));

    /// Bytes that were made here.
    pub fn clean(bytes: impl Into<Self>) -> Self {
        bytes.into().stamped(Taint::Clean)
    }

    /// Bytes that stand in the program; nothing is copied.
    pub const fn fixed(text: &'static str) -> Self {
        Self(Repr::fixed(text.as_bytes()))
    }

    /// Bytes that come from outside.
    pub fn tainted(bytes: impl Into<Self>) -> Self {
        bytes.into().stamped(Taint::Tainted)
    }

    /// The same bytes with another taint. For the engine and for lists; a
    /// built-in declares its [`crate::TaintRule`] instead.
    pub fn stamped(mut self, taint: Taint) -> Self {
        self.stamp(taint);
        self
    }

    /// As [`Str::stamped`], where it is.
    #[inline]
    pub fn stamp(&mut self, taint: Taint) {
        self.0.set_mark(taint.mark() | self.0.mark() & KNOWN);
    }

    /// Cuts it where Exim's strings end: at the first zero byte. It is looked
    /// for once.
    #[inline]
    pub fn cut_at_zero(&mut self) {
        if self.0.mark() & WITHOUT_ZERO == 0 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if let Some(end) = find_byte(self.bytes(), 0) {
            *self = self.slice(0, end);
        }
        self.0.set_mark(self.0.mark() | WITHOUT_ZERO);
    }

    /// A copy of bytes that were made here, and among which the caller knows no zero byte.
    #[inline(always)]
    pub fn text(bytes: &[u8]) -> Self {
        Self(Repr::new(bytes, Taint::Clean.mark() | WITHOUT_ZERO))
    }

    /// For bytes among which the caller knows no zero byte:
    /// [`Str::cut_at_zero`] need not look for one.
    pub fn without_zero(mut self) -> Self {
        self.0.set_mark(self.0.mark() | WITHOUT_ZERO);
        self
    }

    /// The same, which knows of itself where it has no zero byte: it is read more often
    /// than it is made.
    #[inline]
    pub fn looked_through(self) -> Self {
        if self.0.mark() & WITHOUT_ZERO != 0 { self } else { self.looked_through_now() }
    }

    /// The same, which knows of itself where nothing in it is to be expanded: there is
    /// neither a dollar nor a backslash. For what is expanded more often than it is made.
    pub fn looked_through_for_expansion(mut self) -> Self {
        if self.is_plain() {
            self.0.set_mark(self.0.mark() | PLAIN);
        }
        self
    }

    /// The same, which knows of itself where it has no ASCII capitals.
    pub fn looked_through_for_case(mut self) -> Self {
        if !self.bytes().iter().any(u8::is_ascii_uppercase) {
            self.0.set_mark(self.0.mark() | LOWERCASE);
        }
        self
    }

    /// Whether expanding it changes nothing: there is neither a dollar nor a backslash.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.0.mark() & PLAIN != 0 || memchr::memchr2(b'$', b'\\', self.bytes()).is_none()
    }

    fn looked_through_now(self) -> Self {
        if find_byte(self.bytes(), 0).is_some() {
            return self;
        }
        self.without_zero()
    }

    /// The bytes and where they come from.
    pub fn read(&self) -> (&[u8], Taint) {
        (self.bytes(), self.taint())
    }

    /// The bytes, to look at. What is made of them and leaves a built-in is
    /// stamped by the engine, after the built-in's rule.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Where the bytes come from.
    #[inline]
    pub fn taint(&self) -> Taint {
        Taint::of_mark(self.0.mark())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// A part of it, without copying where it is long; clamped to its ends.
    pub fn slice(&self, start: usize, end: usize) -> Self {
        let end = end.min(self.bytes().len());
        Self(self.0.slice(start.min(end), end))
    }

    /// Each byte made another one; as clean as what is made here.
    pub fn mapped(&self, of: impl Fn(u8) -> u8) -> Self {
        let bytes = self.bytes();
        let mut room = [0; ROOM];
        match room.get_mut(..bytes.len()) {
            Some(room) => {
                room.iter_mut().zip(bytes).for_each(|(new, old)| *new = of(*old));
                Self::from(&*room)
            }
            None => Self::from(bytes.iter().map(|byte| of(*byte)).collect::<Vec<u8>>()),
        }
    }

    /// Without ASCII capitals, from where it comes from itself; the same one where
    /// it has none.
    pub fn lowercased(&self) -> Self {
        if self.0.mark() & LOWERCASE != 0 {
            return self.clone();
        }
        let mut lowercased = match self.bytes().iter().any(u8::is_ascii_uppercase) {
            true => self.mapped(|byte| byte.to_ascii_lowercase()),
            false => self.clone(),
        };
        lowercased.0.set_mark(self.0.mark() | LOWERCASE);
        lowercased
    }

    /// For showing: what is not UTF-8 is replaced.
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

impl std::fmt::Debug for Str {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.display())?;
        match self.taint() {
            Taint::Clean => Ok(()),
            taint => write!(f, " ({taint:?})"),
        }
    }
}

impl Default for Str {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.0.holds_same(&other.0) && self.taint() == other.taint()
    }
}

impl Eq for Str {}

impl std::hash::Hash for Str {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
        self.taint().hash(state);
    }
}

impl Ord for Str {
    /// By bytes, and then by taint.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.bytes(), self.taint()).cmp(&(other.bytes(), other.taint()))
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self(Repr::new(bytes, Taint::Clean.mark()))
    }
}

impl<const N: usize> From<&[u8; N]> for Str {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::from_vec(bytes))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
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
        self.taint = self.taint.with(piece.taint());
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
        Str::from(self.bytes).stamped(self.taint)
    }
}
