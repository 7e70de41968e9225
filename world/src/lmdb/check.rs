//! Checks the pages of an LMDB file that a search for a key walks over.
//!
//! The library trusts its files: a damaged page, or a file cut short, ends the
//! process. So before it is asked, the same way through the tree is walked
//! here with reads that have bounds. What is known of the format: two meta
//! pages, of which the one with the higher transaction number counts; branch
//! and leaf pages with a list of node offsets behind a header of 16 bytes;
//! overflow pages for long values.

use std::fs::File;
use std::os::unix::fs::FileExt;

const MAGIC: u64 = 0xBEEF_C0DE;
const VERSION: u64 = 1;
/// The number of a page that is none.
const NO_PAGE: u64 = u64::MAX;
/// Deeper trees do not fit the library's cursors.
const DEEPEST: usize = 30;
/// Page headers, and node headers.
const PAGE_HEADER: usize = 16;
const NODE_HEADER: usize = 8;

const BRANCH: u64 = 1;
const LEAF: u64 = 2;
const OVERFLOW: u64 = 4;
const META: u64 = 8;
/// Kinds of pages, and the two variants that stand only in nested databases.
const KINDS: u64 = 0x6f;

const LONG_VALUE: u64 = 1;
const NESTED: u64 = 2 | 4;

/// Keys that are compared from their ends, or as numbers.
const OTHER_ORDERS: u64 = 0x02 | 0x08;

/// Why a file is not for the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadLmdb {
    /// It is not an LMDB file.
    Foreign,
    /// It is damaged.
    Damaged,
    /// It is of a kind that is not read here.
    Unusual,
}

/// Whether the library may be asked for a key; `false` where the key is not in
/// the file.
pub fn key(file: &File, key: &[u8]) -> Result<bool, BadLmdb> {
    if !cfg!(all(target_pointer_width = "64", target_endian = "little")) {
        return Ok(true);
    }
    let length = file.metadata().map_err(|_| BadLmdb::Damaged)?.len();
    Tree::new(file, length)?.find(key)
}

struct Tree<'f> {
    file: &'f File,
    length: u64,
    page_size: usize,
    root: u64,
    last: u64,
}

struct Meta {
    page_size: u64,
    flags: u64,
    root: u64,
    last: u64,
    transaction: u64,
}

impl<'f> Tree<'f> {
    fn new(file: &'f File, length: u64) -> Result<Self, BadLmdb> {
        let first = meta(file, 0)?;
        let sound = first.page_size.is_power_of_two() && (256..=65_536).contains(&first.page_size);
        if !sound {
            return Err(BadLmdb::Foreign);
        }
        let second = meta(file, first.page_size)?;
        if second.page_size != first.page_size {
            return Err(BadLmdb::Damaged);
        }
        let page_size = first.page_size as usize;
        let current = if second.transaction > first.transaction { second } else { first };
        if current.flags & OTHER_ORDERS != 0 {
            return Err(BadLmdb::Unusual);
        }
        Ok(Self { file, length, page_size, root: current.root, last: current.last })
    }

    fn find(&self, key: &[u8]) -> Result<bool, BadLmdb> {
        let mut number = self.root;
        if number == NO_PAGE {
            return Ok(false);
        }
        for _ in 0..DEEPEST {
            let page = self.page(number)?;
            let nodes = self.nodes(&page)?;
            if !page.leaf {
                // The first key of a branch stands for all lower ones.
                let after = nodes[1..].partition_point(|node| node.key(&page.bytes) <= key);
                number = nodes[after].child;
                continue;
            }
            let found = nodes.binary_search_by(|node| node.key(&page.bytes).cmp(key));
            return match found {
                Ok(at) => self.value(&nodes[at], &page.bytes).map(|()| true),
                Err(_) => Ok(false),
            };
        }
        Err(BadLmdb::Damaged)
    }

    fn page(&self, number: u64) -> Result<Page, BadLmdb> {
        let mut bytes = vec![0; self.page_size];
        self.read(&mut bytes, number)?;
        let kind = number_at(&bytes, 10, 2) & KINDS;
        let (lower, upper) = (number_at(&bytes, 12, 2) as usize, number_at(&bytes, 14, 2) as usize);
        let leaf = kind == LEAF;
        let sound = (leaf || kind == BRANCH)
            && number_at(&bytes, 0, 8) == number
            && PAGE_HEADER <= lower
            && lower <= upper
            && upper <= self.page_size;
        let count = lower.saturating_sub(PAGE_HEADER) / 2;
        let least = if leaf { 1 } else { 2 };
        if sound && count >= least {
            Ok(Page { bytes, leaf, count })
        } else {
            Err(BadLmdb::Damaged)
        }
    }

    fn read(&self, bytes: &mut [u8], number: u64) -> Result<(), BadLmdb> {
        if number < 2 || number > self.last {
            return Err(BadLmdb::Damaged);
        }
        let at = number.checked_mul(self.page_size as u64).ok_or(BadLmdb::Damaged)?;
        self.file.read_exact_at(bytes, at).map_err(|_| BadLmdb::Damaged)
    }

    /// All nodes of a page, each within it, in the order of their keys: then
    /// every way of searching ends at the same node.
    fn nodes(&self, page: &Page) -> Result<Vec<Node>, BadLmdb> {
        let bytes = &page.bytes;
        let mut nodes: Vec<Node> = Vec::with_capacity(page.count);
        for index in 0..page.count {
            let at = number_at(bytes, PAGE_HEADER + 2 * index, 2) as usize;
            if !at.is_multiple_of(2) || at < PAGE_HEADER || at + NODE_HEADER > bytes.len() {
                return Err(BadLmdb::Damaged);
            }
            let low = number_at(bytes, at, 2) | number_at(bytes, at + 2, 2) << 16;
            let flags = number_at(bytes, at + 4, 2);
            let start = at + NODE_HEADER;
            let end = start + number_at(bytes, at + 6, 2) as usize;
            let inside = match (page.leaf, flags & LONG_VALUE != 0) {
                (false, _) => 0,
                (true, true) => 8,
                (true, false) => low as usize,
            };
            if end + inside > bytes.len() {
                return Err(BadLmdb::Damaged);
            }
            let child = low | flags << 32;
            let node = Node { key: (start, end), child, length: low, flags };
            // A branch's first key may be empty and is not looked at.
            let free = usize::from(!page.leaf);
            if index > free && nodes[index - 1].key(bytes) >= node.key(bytes) {
                return Err(BadLmdb::Damaged);
            }
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// Whether the value of a node is where the node says.
    fn value(&self, node: &Node, bytes: &[u8]) -> Result<(), BadLmdb> {
        if node.flags & NESTED != 0 {
            return Err(BadLmdb::Unusual);
        }
        if node.flags & LONG_VALUE == 0 {
            return Ok(());
        }
        let number = number_at(bytes, node.key.1, 8);
        let mut header = [0; PAGE_HEADER];
        self.read(&mut header, number)?;
        let size = self.page_size as u64;
        let end = PAGE_HEADER as u64 + node.length;
        let sound = number_at(&header, 10, 2) & KINDS == OVERFLOW
            && number_at(&header, 0, 8) == number
            && end <= number_at(&header, 12, 4) * size
            && number * size + end <= self.length;
        if sound { Ok(()) } else { Err(BadLmdb::Damaged) }
    }
}

struct Page {
    bytes: Vec<u8>,
    leaf: bool,
    count: usize,
}

struct Node {
    key: (usize, usize),
    child: u64,
    length: u64,
    flags: u64,
}

impl Node {
    fn key<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.key.0..self.key.1]
    }
}

fn meta(file: &File, at: u64) -> Result<Meta, BadLmdb> {
    let mut bytes = [0; 152];
    file.read_exact_at(&mut bytes, at).map_err(|_| BadLmdb::Foreign)?;
    let sound = number_at(&bytes, 10, 2) & META != 0
        && number_at(&bytes, 16, 4) == MAGIC
        && number_at(&bytes, 20, 4) == VERSION;
    if !sound {
        return Err(BadLmdb::Foreign);
    }
    // Behind magic, version, address and map size stand two databases of 48
    // bytes each, of free pages and of data.
    let (free, data) = (40, 88);
    Ok(Meta {
        page_size: number_at(&bytes, free, 4),
        flags: number_at(&bytes, data + 4, 2),
        root: number_at(&bytes, data + 40, 8),
        last: number_at(&bytes, 136, 8),
        transaction: number_at(&bytes, 144, 8),
    })
}

/// A little-endian number; zero beyond the end.
fn number_at(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.get(at..at + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
