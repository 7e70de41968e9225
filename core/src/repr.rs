//! How a [`crate::Str`] keeps its bytes: in itself where they are few, as most
//! are; otherwise shared.

use std::sync::Arc;

/// How many bytes stand in the value itself.
pub(crate) const ROOM: usize = 28;

/// A bit of the mark: no byte is zero. Where the bytes are few, that is known when they are
/// copied.
pub(crate) const WITHOUT_ZERO: u16 = 1 << 15;

/// The bytes and two more that belong to them. Each variant begins with the
/// head, which so has the same place in all of them.
pub(crate) enum Repr {
    Inline(Head, [u8; ROOM]),
    Fixed(Head, &'static [u8]),
    Shared(Head, Arc<[u8]>),
    /// A range of shared bytes: its start and its length.
    Part(Head, Arc<[u8]>, u32, u32),
}

#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// How many bytes stand in the value itself.
    length: u8,
    /// What the two bytes mean is the owner's matter.
    mark: [u8; 2],
}

const _: () = assert!(size_of::<Repr>() == 32);

impl Repr {
    /// No bytes.
    pub(crate) const fn empty(mark: u16) -> Self {
        Self::Inline(Head { length: 0, mark: mark.to_le_bytes() }, [0; ROOM])
    }

    pub(crate) const fn fixed(bytes: &'static [u8]) -> Self {
        Self::Fixed(Head { length: 0, mark: [0; 2] }, bytes)
    }

    /// A copy of bytes.
    #[inline(always)]
    pub(crate) fn new(bytes: &[u8], mark: u16) -> Self {
        match Self::short(bytes, mark) {
            Some(short) => short,
            None => Self::Shared(Head::new(0, mark), bytes.into()),
        }
    }

    pub(crate) fn from_vec(bytes: Vec<u8>) -> Self {
        match Self::short(&bytes, 0) {
            Some(short) => short,
            None => Self::Shared(Head::new(0, 0), bytes.into()),
        }
    }

    #[inline(always)]
    fn short(bytes: &[u8], mark: u16) -> Option<Self> {
        // They are put together in registers: in memory, two copies that overlap are not there
        // yet when the value is moved, and whoever moves it waits for them.
        let mut last = 0_u32;
        let [first, second, third] = match bytes.len() {
            0 => [0; 3],
            length @ 1..=3 => {
                let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
                [byte(0) | byte(length / 2) | byte(length - 1), 0, 0]
            }
            length @ 4..=7 => {
                let (begin, end) = ends::<4>(bytes)?;
                let (begin, end) = (u32::from_le_bytes(begin), u32::from_le_bytes(end));
                [u64::from(begin) | u64::from(end) << (8 * (length - 4)), 0, 0]
            }
            length @ 8..=15 => {
                let (begin, end) = ends::<8>(bytes)?;
                let (begin, end) = (u64::from_le_bytes(begin), u64::from_le_bytes(end));
                // In two steps, as no number can be shifted by its size.
                [begin, end >> 8 >> (8 * (15 - length)), 0]
            }
            length @ 16..=ROOM => {
                let (begin, end) = ends::<16>(bytes)?;
                let (begin, end) = (u128::from_le_bytes(begin), u128::from_le_bytes(end));
                let end = end >> 8 >> (8 * (31 - length));
                last = (end >> 64) as u32;
                [begin as u64, (begin >> 64) as u64, end as u64]
            }
            _ => return None,
        };
        let words = [first, second, third, u64::from(last)];
        let has_zero = first_zero(words) < bytes.len();
        let mark = if has_zero { mark } else { mark | WITHOUT_ZERO };
        let mut room = [0; ROOM];
        put(&mut room, 0, first.to_le_bytes());
        put(&mut room, 8, second.to_le_bytes());
        put(&mut room, 16, third.to_le_bytes());
        put(&mut room, 24, last.to_le_bytes());
        Some(Self::Inline(Head::new(bytes.len() as u8, mark), room))
    }

    // What most values are is looked for first, by itself: a jump for each of
    // the variants is hard to foresee.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        if let Self::Inline(head, room) = self {
            return &room[..usize::from(head.length)];
        }
        self.long()
    }

    /// Whether the bytes are the same. Behind few bytes there are zeros only.
    #[inline]
    pub(crate) fn holds_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(own, room), Self::Inline(its, other)) => {
                own.length == its.length && room == other
            }
            _ => self.bytes() == other.bytes(),
        }
    }

    fn long(&self) -> &[u8] {
        match self {
            Self::Shared(_, bytes) => bytes,
            Self::Fixed(_, bytes) => bytes,
            Self::Inline(_, room) => room,
            Self::Part(_, bytes, start, length) => {
                let start = *start as usize;
                &bytes[start..start + *length as usize]
            }
        }
    }

    #[inline]
    pub(crate) fn mark(&self) -> u16 {
        u16::from_le_bytes(self.head().mark)
    }

    #[inline]
    pub(crate) fn set_mark(&mut self, mark: u16) {
        let (Self::Inline(head, ..)
        | Self::Fixed(head, ..)
        | Self::Shared(head, ..)
        | Self::Part(head, ..)) = self;
        head.mark = mark.to_le_bytes();
    }

    #[inline(never)]
    fn clone_long(&self) -> Self {
        match self {
            Self::Shared(head, bytes) => Self::Shared(*head, bytes.clone()),
            Self::Fixed(head, bytes) => Self::Fixed(*head, bytes),
            Self::Inline(head, room) => Self::Inline(*head, *room),
            Self::Part(head, bytes, start, length) => {
                Self::Part(*head, bytes.clone(), *start, *length)
            }
        }
    }

    #[inline]
    fn head(&self) -> Head {
        let (Self::Inline(head, ..)
        | Self::Fixed(head, ..)
        | Self::Shared(head, ..)
        | Self::Part(head, ..)) = self;
        *head
    }

    /// A range of the bytes; without copying where it is long.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        let bytes = self.bytes().get(start..end).unwrap_or_default();
        if let Some(short) = Self::short(bytes, self.mark()) {
            return short;
        }
        let (whole, before) = match self {
            Self::Fixed(head, whole) => return Self::Fixed(*head, &whole[start..end]),
            Self::Shared(_, whole) => (whole, 0),
            Self::Part(_, whole, before, _) => (whole, *before as usize),
            Self::Inline(..) => return self.clone(),
        };
        match (u32::try_from(before + start), u32::try_from(end - start)) {
            (Ok(start), Ok(length)) => Self::Part(self.head(), whole.clone(), start, length),
            // Offsets that do not fit.
            _ => Self::new(bytes, self.mark()),
        }
    }
}

impl Clone for Repr {
    #[inline]
    fn clone(&self) -> Self {
        if let Self::Inline(head, room) = self {
            return Self::Inline(*head, *room);
        }
        self.clone_long()
    }
}

impl Head {
    fn new(length: u8, mark: u16) -> Self {
        Self { length, mark: mark.to_le_bytes() }
    }
}

/// The first and the last `N` of so many bytes or more.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<([u8; N], [u8; N])> {
    Some((*bytes.first_chunk()?, *bytes.last_chunk()?))
}

/// Writes some bytes where there is room for them.
#[inline(always)]
fn put<const N: usize>(room: &mut [u8; ROOM], at: usize, bytes: [u8; N]) {
    if let Some(place) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = bytes;
    }
}

/// Where the first zero byte is.
#[inline(always)]
fn first_zero(words: [u64; 4]) -> usize {
    let mut before = 0;
    for word in words {
        // The lowest bit that this leaves is in the first byte that is zero.
        let zeros = word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080;
        if zeros != 0 {
            return before + zeros.trailing_zeros() as usize / 8;
        }
        before += 8;
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|n| n as u8).collect()
    }

    #[test]
    fn all_lengths_keep_their_bytes() {
        for length in 0..100 {
            let bytes = text(length);
            for mut repr in [Repr::new(&bytes, 7), Repr::from_vec(bytes.clone())] {
                assert_eq!(repr.bytes(), bytes);
                let is_few = |length| length <= ROOM;
                let is_known = |repr: &Repr| repr.mark() & WITHOUT_ZERO != 0;
                // The first byte is zero.
                assert_eq!(is_known(&repr), length == 0);
                assert_eq!(is_known(&repr.slice(1, length)), is_few(length.saturating_sub(1)));
                repr.set_mark(0x1234);
                assert_eq!(repr.mark(), 0x1234);
                assert_eq!(repr.clone().bytes(), bytes);
            }
        }
    }

    #[test]
    fn a_zero_byte_is_seen_wherever_it_is() {
        for length in 0..=ROOM {
            for at in 0..length {
                let mut bytes = vec![0xff; length];
                bytes[at] = 0;
                assert_eq!(Repr::new(&bytes, 0).mark(), 0, "{at} of {length}");
                bytes[at] = 1;
                assert_eq!(Repr::new(&bytes, 0).mark(), WITHOUT_ZERO, "{at} of {length}");
            }
        }
    }

    #[test]
    fn parts_of_parts_are_what_they_should_be() {
        let fixed: &'static [u8] = Box::leak(text(100).into_boxed_slice());
        let mut shared = Repr::new(fixed, 0);
        shared.set_mark(9);
        let mut literal = Repr::fixed(fixed);
        literal.set_mark(9);
        for repr in [shared, literal] {
            for (start, end) in [(0, 100), (3, 99), (10, 20), (50, 50), (40, 90)] {
                let part = repr.slice(start, end);
                assert_eq!((part.bytes(), part.mark() & !WITHOUT_ZERO), (&fixed[start..end], 9));
                let middle = (end - start) / 2;
                assert_eq!(
                    part.slice(1.min(middle), middle).bytes(),
                    &part.bytes()[1.min(middle)..middle]
                );
                assert_eq!(part.slice(0, end - start).bytes(), part.bytes());
            }
        }
    }
}
