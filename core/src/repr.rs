//! How a [`crate::Str`] keeps its bytes: in itself where they are few, as most
//! are; otherwise shared.

use std::sync::Arc;

/// How many bytes stand in the value itself.
pub(crate) const ROOM: usize = 28;

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

    fn short(bytes: &[u8], mark: u16) -> Option<Self> {
        let length = bytes.len();
        let mut room = [0; ROOM];
        // Two copies of a fixed size, which overlap, take less time than one of
        // any size.
        match length {
            0 => {}
            1..=3 => {
                room[0] = bytes[0];
                room[length / 2] = bytes[length / 2];
                room[length - 1] = bytes[length - 1];
            }
            4..=7 => ends::<4>(&mut room, bytes),
            8..=15 => ends::<8>(&mut room, bytes),
            16..=ROOM => ends::<16>(&mut room, bytes),
            _ => return None,
        }
        Some(Self::Inline(Head::new(length as u8, mark), room))
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

    /// Whether a zero byte may be among the bytes. Behind few bytes there are
    /// zeros only, so that it is enough to count them.
    #[inline]
    pub(crate) fn may_hold_zero(&self) -> bool {
        match self {
            Self::Inline(head, room) => {
                let zeros = room.iter().map(|byte| u8::from(*byte == 0)).sum::<u8>();
                usize::from(zeros) != ROOM - usize::from(head.length)
            }
            _ => true,
        }
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

/// Copies the first and the last `N` of between `N` and twice as many bytes.
fn ends<const N: usize>(room: &mut [u8; ROOM], bytes: &[u8]) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        room[..N].copy_from_slice(first);
        room[bytes.len() - N..bytes.len()].copy_from_slice(last);
    }
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
                repr.set_mark(0x1234);
                assert_eq!(repr.mark(), 0x1234);
                assert_eq!(repr.clone().bytes(), bytes);
                // The first byte is zero.
                assert_eq!(repr.may_hold_zero(), length > 0);
                assert_eq!(repr.slice(1, length).may_hold_zero(), length > ROOM + 1);
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
                assert_eq!((part.bytes(), part.mark()), (&fixed[start..end], 9));
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
