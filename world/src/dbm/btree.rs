//! B-trees of Berkeley DB.
//!
//! Keys are in order, byte by byte. An inner page has for each page below the
//! smallest key there, but for the first one; a leaf has keys and values in
//! turn. The values of a key that has many are a tree of their own.

use std::cmp::Ordering;

use super::pages::{BadDbm, Page, PageItem, Pages, kind};

/// In an item's kind: it is no longer there.
const GONE: u8 = 0x80;

/// The value of a key; the first, where it has several.
pub fn find(pages: &Pages, head: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, BadDbm> {
    let flags = pages.order.u32(head, 48)?;
    if flags & 0x80 != 0 {
        return Err(BadDbm::Unusual("the file is compressed"));
    }
    // The keys are numbers of records, which no text is.
    if flags & 0x02 != 0 {
        return Ok(None);
    }
    let mut page = pages.page(pages.order.u32(head, 88)?)?;
    loop {
        match page.kind() {
            kind::LEAF => return in_leaf(pages, &page, key),
            kind::TREE => {
                let child = child_for(pages, &page, key)?;
                page = below(pages, &page, child)?;
            }
            _ => return Err(BadDbm::Damaged),
        }
    }
}

/// The first of the values of a key that has a tree of them.
pub fn first(pages: &Pages, root: u32) -> Result<Vec<u8>, BadDbm> {
    let mut page = pages.page(root)?;
    loop {
        let items = page.items()?;
        let child = match page.kind() {
            kind::TREE if items > 0 => pages.order.u32(page.from(0)?, 4)?,
            kind::NUMBERED_TREE if items > 0 => pages.order.u32(page.from(0)?, 0)?,
            kind::DUPLICATES | kind::NUMBERED_LEAF => {
                for at in 0..items {
                    if let Some(item) = leaf_item(pages, page.from(at)?)? {
                        return item.bytes(pages);
                    }
                }
                return Err(BadDbm::Damaged);
            }
            _ => return Err(BadDbm::Damaged),
        };
        page = below(pages, &page, child)?;
    }
}

/// The page below another. Levels go down, so that there is an end.
fn below<'p>(pages: &'p Pages, page: &Page<'_>, number: u32) -> Result<Page<'p>, BadDbm> {
    let child = pages.page(number)?;
    if child.level() < page.level() { Ok(child) } else { Err(BadDbm::Damaged) }
}

/// The page below an inner one that a key belongs to: the last one whose
/// smallest key is not above it.
fn child_for(pages: &Pages, page: &Page<'_>, key: &[u8]) -> Result<u32, BadDbm> {
    let (mut low, mut high) = (0, page.items()?);
    if high == 0 {
        return Err(BadDbm::Damaged);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let bytes = page.from(middle)?;
        let item = match bytes.get(2).map(|kind| kind & !GONE) {
            Some(1) => {
                let length = usize::from(pages.order.u16(bytes, 0)?);
                PageItem::Here(bytes.get(12..12 + length).ok_or(BadDbm::Damaged)?)
            }
            Some(3) => PageItem::Long(pages.order.u32(bytes, 16)?, pages.order.u32(bytes, 20)?),
            _ => return Err(BadDbm::Damaged),
        };
        if item.compare(pages, key)? == Ordering::Greater { high = middle } else { low = middle }
    }
    pages.order.u32(page.from(low)?, 4)
}

fn in_leaf(pages: &Pages, page: &Page<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, BadDbm> {
    let pairs = page.items()? / 2;
    let compare = |pair: usize| -> Result<Ordering, BadDbm> {
        // Whether a pair is still there, its value tells.
        key_item(pages, page.from(pair * 2)?)?.compare(pages, key)
    };
    let (mut low, mut high) = (0, pairs);
    while low < high {
        let middle = low + (high - low) / 2;
        if compare(middle)? == Ordering::Less { low = middle + 1 } else { high = middle }
    }
    for pair in low..pairs {
        if compare(pair)? != Ordering::Equal {
            break;
        }
        match leaf_item(pages, page.from(pair * 2 + 1)?)? {
            Some(PageItem::Duplicates(root)) => return first(pages, root).map(Some),
            Some(item) => return item.bytes(pages).map(Some),
            None => {}
        }
    }
    Ok(None)
}

/// An item of a leaf; `None` where it is no longer there.
fn leaf_item<'i>(pages: &Pages, bytes: &'i [u8]) -> Result<Option<PageItem<'i>>, BadDbm> {
    let gone = bytes.get(2).is_some_and(|kind| kind & GONE != 0);
    if gone { Ok(None) } else { key_item(pages, bytes).map(Some) }
}

fn key_item<'i>(pages: &Pages, bytes: &'i [u8]) -> Result<PageItem<'i>, BadDbm> {
    match bytes.get(2).map(|kind| kind & !GONE) {
        Some(1) => {
            let length = usize::from(pages.order.u16(bytes, 0)?);
            bytes.get(3..3 + length).map(PageItem::Here).ok_or(BadDbm::Damaged)
        }
        Some(2) => Ok(PageItem::Duplicates(pages.order.u32(bytes, 4)?)),
        Some(3) => Ok(PageItem::Long(pages.order.u32(bytes, 4)?, pages.order.u32(bytes, 8)?)),
        Some(4) => Err(BadDbm::Unusual("the value lies in a file of its own")),
        _ => Err(BadDbm::Damaged),
    }
}
