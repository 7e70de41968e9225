//! Hash tables of Berkeley DB.
//!
//! The table grows bucket by bucket: a key's hash is cut down to as many bits
//! as there are buckets for, and where that one is not there yet, to one bit
//! less. Each doubling has its buckets in a row of pages, whose places the
//! first page tells. A bucket is a chain of pages with keys and values in turn.

use std::cmp::Ordering;

use super::btree;
use super::pages::{BadDbm, Page, PageItem, Pages, kind};

/// What the first page holds the hash of, so that it shows which function made
/// the table.
const SAMPLE: &[u8] = b"%$sniglet^&\0";

/// The value of a key; the first, where it has several.
pub fn find(pages: &Pages, head: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, BadDbm> {
    if pages.order.u32(head, 92)? != hash(SAMPLE) {
        return Err(BadDbm::Unusual("the file is made with a hash function of its own"));
    }
    let mut number = first_page(pages, head, key)?;
    let mut previous = 0;
    loop {
        let page = pages.page(number)?;
        match page.kind() {
            kind::UNUSED => return Ok(None),
            // Whoever comes from the page before it can't walk in a circle.
            kind::HASH | kind::HASH_UNSORTED if page.previous()? == previous => {}
            _ => return Err(BadDbm::Damaged),
        }
        if let Some(value) = on_page(pages, &page, key)? {
            return Ok(Some(value));
        }
        previous = number;
        number = page.next()?;
        if number == 0 {
            return Ok(None);
        }
    }
}

/// Where a key's bucket begins.
fn first_page(pages: &Pages, head: &[u8], key: &[u8]) -> Result<u32, BadDbm> {
    let field = |at| pages.order.u32(head, at);
    let (last, high, low) = (field(72)?, field(76)?, field(80)?);
    let mut bucket = hash(key) & high;
    if bucket > last {
        bucket &= low;
    }
    // The doubling that the bucket belongs to.
    let doubling = bucket.checked_add(1).ok_or(BadDbm::Damaged)?;
    let doubling = u32::BITS - (doubling - 1).leading_zeros();
    let begin = field(96 + doubling as usize * 4)?;
    bucket.checked_add(begin).ok_or(BadDbm::Damaged)
}

/// FNV-1, from nothing.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, byte| hash.wrapping_mul(16_777_619) ^ u32::from(*byte))
}

fn on_page(pages: &Pages, page: &Page<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, BadDbm> {
    let items = page.items()?;
    for at in (0..items).step_by(2) {
        let item = item(pages, page.between(at)?)?;
        let same = match item {
            PageItem::Long(_, length) if length as usize != key.len() => false,
            _ => item.compare(pages, key)? == Ordering::Equal,
        };
        if same {
            if at + 1 >= items {
                return Err(BadDbm::Damaged);
            }
            let bytes = page.between(at + 1)?;
            return value(pages, bytes).map(Some);
        }
    }
    Ok(None)
}

fn value(pages: &Pages, bytes: &[u8]) -> Result<Vec<u8>, BadDbm> {
    // Several values on the page itself, each between its lengths.
    if let Some((&2, values)) = bytes.split_first() {
        let length = usize::from(pages.order.u16(values, 0)?);
        return values.get(2..2 + length).map(<[u8]>::to_vec).ok_or(BadDbm::Damaged);
    }
    match item(pages, bytes)? {
        PageItem::Duplicates(root) => btree::first(pages, root),
        item => item.bytes(pages),
    }
}

fn item<'i>(pages: &Pages, bytes: &'i [u8]) -> Result<PageItem<'i>, BadDbm> {
    match bytes.split_first() {
        Some((1, rest)) => Ok(PageItem::Here(rest)),
        Some((3, _)) => Ok(PageItem::Long(pages.order.u32(bytes, 4)?, pages.order.u32(bytes, 8)?)),
        Some((4, _)) => Ok(PageItem::Duplicates(pages.order.u32(bytes, 4)?)),
        Some((5..=7, _)) => Err(BadDbm::Unusual("the value lies in a file of its own")),
        _ => Err(BadDbm::Damaged),
    }
}
