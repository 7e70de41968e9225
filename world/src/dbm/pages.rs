//! The pages of a Berkeley DB file.
//!
//! A page begins with a head of 26 bytes: where it was last logged (8 bytes),
//! its number (4), the numbers of the page before (4) and behind it (4) in a
//! chain, how many items it has (2), where the items begin (2), its level in a
//! tree (1) and its kind (1). In files with checksums six more bytes follow.
//! Then stand the places of the items, two bytes each; the items themselves
//! lie at the end of the page.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::databases::words;

/// Why a search ended without an answer.
pub enum BadDbm {
    /// The file contradicts itself.
    Damaged,
    /// The file has something that is not read here.
    Unusual(&'static str),
    /// The value is longer than can be held.
    TooMuch,
    /// The system could not read it.
    Outside(String),
}

/// No longer value is read.
const LONGEST: usize = 1 << 28;

/// Kinds of pages.
pub mod kind {
    /// Never written: the table grows in leaps.
    pub const UNUSED: u8 = 0;
    /// A part of a hash bucket, as it was before version 9.
    pub const HASH_UNSORTED: u8 = 2;
    /// An inner page of a B-tree.
    pub const TREE: u8 = 3;
    /// An inner page of a tree of numbered records.
    pub const NUMBERED_TREE: u8 = 4;
    /// A leaf of a B-tree.
    pub const LEAF: u8 = 5;
    /// A leaf of a tree of numbered records.
    pub const NUMBERED_LEAF: u8 = 6;
    /// A part of a long item.
    pub const LONG: u8 = 7;
    /// A leaf of a tree of values of one key.
    pub const DUPLICATES: u8 = 12;
    /// A part of a hash bucket.
    pub const HASH: u8 = 13;
}

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The smallest byte first.
    Little,
    /// The largest byte first.
    Big,
}

impl Order {
    /// A number of two bytes.
    pub fn u16(self, bytes: &[u8], at: usize) -> Result<u16, BadDbm> {
        let bytes = *bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(BadDbm::Damaged)?;
        Ok(if self == Self::Little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    /// A number of four bytes.
    pub fn u32(self, bytes: &[u8], at: usize) -> Result<u32, BadDbm> {
        let bytes = *bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(BadDbm::Damaged)?;
        Ok(if self == Self::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

/// A file as a row of pages.
pub struct Pages {
    file: File,
    /// How numbers are written.
    pub order: Order,
    size: u32,
    /// How many pages there are.
    count: u64,
    /// Where the places of the items begin.
    base: usize,
}

impl Pages {
    /// The pages, after what the first one says.
    pub fn new(file: File, length: u64, order: Order, head: &[u8]) -> Result<Self, BadDbm> {
        let size = order.u32(head, 20)?;
        let (encrypted, flags) = (head.get(24), head.get(26));
        if encrypted != Some(&0) {
            return Err(BadDbm::Unusual("the file is encrypted"));
        }
        if !size.is_power_of_two() || !(512..=65536).contains(&size) {
            return Err(BadDbm::Damaged);
        }
        if !length.is_multiple_of(u64::from(size)) {
            return Err(BadDbm::Unusual("file size not a multiple of the pagesize"));
        }
        let checksums = flags.is_some_and(|flags| flags & 1 != 0);
        let base = if checksums { 32 } else { 26 };
        Ok(Self { file, order, size, count: length / u64::from(size), base })
    }

    /// A page. The first one has another form.
    pub fn page(&self, number: u32) -> Result<Page<'_>, BadDbm> {
        if number == 0 || u64::from(number) >= self.count {
            return Err(BadDbm::Damaged);
        }
        let mut bytes = vec![0; self.size as usize];
        let position = u64::from(number) * u64::from(self.size);
        self.file.read_exact_at(&mut bytes, position).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BadDbm::Damaged,
            _ => BadDbm::Outside(words(&error)),
        })?;
        let page = Page { pages: self, bytes };
        // Pages that were never written are empty.
        if page.kind() != kind::UNUSED && page.u32(8)? != number {
            return Err(BadDbm::Damaged);
        }
        Ok(page)
    }

    /// What lies in a chain of pages, of which no more than a limit is read.
    pub fn long(&self, first: u32, length: u32, limit: usize) -> Result<Vec<u8>, BadDbm> {
        if u64::from(length) > self.count * u64::from(self.size) {
            return Err(BadDbm::Damaged);
        }
        let length = length as usize;
        let wanted = length.min(limit);
        if wanted > LONGEST {
            return Err(BadDbm::TooMuch);
        }
        let mut value = Vec::with_capacity(wanted);
        let mut number = first;
        let mut left = self.count;
        while value.len() < wanted {
            // No chain has more pages than the file.
            left = left.checked_sub(1).ok_or(BadDbm::Damaged)?;
            let page = self.page(number)?;
            let part = usize::from(page.u16(22)?);
            let part = page.bytes.get(self.base..self.base + part).ok_or(BadDbm::Damaged)?;
            if page.kind() != kind::LONG || part.is_empty() || value.len() + part.len() > length {
                return Err(BadDbm::Damaged);
            }
            value.extend_from_slice(part);
            number = page.next()?;
        }
        value.truncate(wanted);
        Ok(value)
    }
}

/// A page.
pub struct Page<'p> {
    pages: &'p Pages,
    bytes: Vec<u8>,
}

impl Page<'_> {
    /// What kind it is.
    pub fn kind(&self) -> u8 {
        self.bytes.get(25).copied().unwrap_or_default()
    }

    /// How far above the leaves it is.
    pub fn level(&self) -> u8 {
        self.bytes.get(24).copied().unwrap_or_default()
    }

    /// How many items it has.
    pub fn items(&self) -> Result<usize, BadDbm> {
        Ok(usize::from(self.u16(20)?))
    }

    /// The page before it in its chain; 0 where there is none.
    pub fn previous(&self) -> Result<u32, BadDbm> {
        self.u32(12)
    }

    /// The page behind it in its chain; 0 where there is none.
    pub fn next(&self) -> Result<u32, BadDbm> {
        self.u32(16)
    }

    /// The bytes from an item's place to the end of the page.
    pub fn from(&self, item: usize) -> Result<&[u8], BadDbm> {
        self.bytes.get(self.place(item)?..).ok_or(BadDbm::Damaged)
    }

    /// The bytes of an item that ends where the one before it begins, as on
    /// the pages of hash tables.
    pub fn between(&self, item: usize) -> Result<&[u8], BadDbm> {
        let end = match item.checked_sub(1) {
            Some(before) => self.place(before)?,
            None => self.bytes.len(),
        };
        self.bytes.get(self.place(item)?..end).ok_or(BadDbm::Damaged)
    }

    fn place(&self, item: usize) -> Result<usize, BadDbm> {
        self.u16(self.pages.base + item * 2).map(usize::from)
    }

    fn u16(&self, at: usize) -> Result<u16, BadDbm> {
        self.pages.order.u16(&self.bytes, at)
    }

    fn u32(&self, at: usize) -> Result<u32, BadDbm> {
        self.pages.order.u32(&self.bytes, at)
    }
}

/// Where the bytes of a key or a value are.
pub enum PageItem<'i> {
    /// On the page.
    Here(&'i [u8]),
    /// In a chain of pages: the first one's number, and the length.
    Long(u32, u32),
    /// In a tree of values of one key, from the page with this number on.
    Duplicates(u32),
}

impl PageItem<'_> {
    /// How it compares with a key: byte by byte, and the shorter one first.
    pub fn compare(&self, pages: &Pages, key: &[u8]) -> Result<Ordering, BadDbm> {
        match self {
            PageItem::Here(bytes) => Ok((*bytes).cmp(key)),
            PageItem::Long(first, length) => {
                // One byte more than the key has tells which is longer.
                let begin = pages.long(*first, *length, key.len().saturating_add(1))?;
                Ok(begin.as_slice().cmp(key))
            }
            PageItem::Duplicates(_) => Err(BadDbm::Damaged),
        }
    }

    /// Its bytes.
    pub fn bytes(&self, pages: &Pages) -> Result<Vec<u8>, BadDbm> {
        match self {
            PageItem::Here(bytes) => Ok(bytes.to_vec()),
            PageItem::Long(first, length) => pages.long(*first, *length, usize::MAX),
            PageItem::Duplicates(_) => Err(BadDbm::Damaged),
        }
    }
}
