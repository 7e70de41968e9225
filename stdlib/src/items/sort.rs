//! `sort`.

use std::cmp::Ordering;

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::grammar::is_space;
use eximious_core::{
    Bindings, Call, Effects, ErrorKind, Example, Fail, Item, ItemRun, Meta, Str, TaintRule,
};

use crate::conditions::{compare_caseless, lowercase};
use crate::lists::{Joiner, append_element, elements, elements_with};
use crate::number::comparand;

/// `${sort{list}{comparator}{extractor}}`.
pub static SORT: Item = Item {
    meta: Meta::new("sort", Effects::NONE, TaintRule::Result)
        .syntax("${sort{<list>}{<comparator>}{<extractor>}}")
        .summary("Sorts a list by what an expression makes of each element.")
        .docs(
            "The comparator is one of `<`, `<=`, `>`, `>=`, `lt`, `le`, `gt`, `ge` and the \
             caseless `lti`, `lei`, `gti`, `gei`. The extractor is expanded for each element, \
             which is in `$item`, and gives what is compared. The elements themselves are \
             data and are never expanded.",
        )
        .examples(&[
            Example::new("${sort{3:2:1:4}{<}{$item}}", "1:2:3:4"),
            Example::new("${sort{b:c:a}{gt}{$item}}", "c:b:a"),
        ])
        .source("specification 11.5"),
    shape: ItemShape::Fixed(&[
        ArgSpec { kind: ArgKind::Text, missing: "missing '{' for list arg of sort" },
        ArgSpec { kind: ArgKind::Comparator, missing: "missing '{' for comparator arg of sort" },
        ArgSpec { kind: ArgKind::Text, missing: "missing '{' for extractor arg of sort" },
    ]),
    run: ItemRun::Lazy(run),
};

#[derive(Clone, Copy, PartialEq)]
enum Compare {
    Number,
    Text { caseless: bool },
}

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    let list = call.text(0)?;
    let comparator = call.text(1)?;
    let (compare, greater, equal) = order(call, comparator.bytes())?;
    call.parse_only(2)?;
    call.check_closed()?;
    let extractor = call.raw(2).unwrap_or_default();
    call.scoped_for(Bindings::ITEM, |call| {
        let source = elements(list.bytes());
        let mut sorted = Sorted::default();
        let separator = source.separator();
        let precedes = |a: &[u8], b: &[u8]| precedes(a, b, compare, greater, equal);
        let by = Order { compare, separator };
        for element in source {
            call.scope().set_item(Str::from(&*element).stamped(list.taint()));
            let message = || [b"field-extract in sort: \"", extractor, b"\""].concat();
            let key = call.text(2).map_err(|fail| fail.reworded(message()))?;
            if key.is_empty() {
                return Err(Fail::error(ErrorKind::Argument, message()));
            }
            call.charge(sorted.cost())?;
            call.check_length(sorted.room())?;
            sorted.insert(element.into_owned(), key, by, precedes)?;
        }
        let result = sorted.finish(separator, precedes);
        call.check_length(result.bytes().len())?;
        Ok(result.stamped(list.taint()))
    })
}

/// What an order needs to know of the list and the comparator.
#[derive(Clone, Copy)]
struct Order {
    compare: Compare,
    separator: u8,
}

/// What is sorted so far. Each element is inserted before the first that it
/// should precede.
#[derive(Default)]
struct Sorted {
    /// What Exim's lists would keep as it is: it is put in order at the end.
    groups: Groups,
    /// What they would not.
    lists: Option<Lists>,
    /// How many bytes of lists have been read.
    read: usize,
}

/// Elements, each with its key. One whose key is no number where numbers are wanted
/// precedes nothing, and nothing precedes it: it stays behind the element that was the
/// last when it came.
#[derive(Default)]
struct Groups {
    /// What no element with a number stands before.
    head: Vec<(Vec<u8>, Str)>,
    groups: Vec<Group>,
    /// How many of them, from the first on, are in order already.
    ordered: usize,
    /// Which of them is the last in order.
    last: usize,
    /// How many elements there are.
    count: usize,
    /// All of them, where they are compared without case.
    blocks: Blocks,
}

/// Elements where each was inserted. Exim's order without case is none: of two keys of
/// which one begins with the other, each comes after the other. So a place is looked for,
/// block by block.
#[derive(Default)]
struct Blocks(Vec<Block>);

struct Block {
    elements: Vec<(Vec<u8>, Str)>,
    /// The first and the last of their keys by bytes without capitals.
    low: Str,
    high: Str,
}

/// How many elements a block has before it is divided.
const BLOCK: usize = 512;

struct Group {
    element: Vec<u8>,
    key: Str,
    behind: Vec<(Vec<u8>, Str)>,
}

/// The same as lists. Exim keeps them so, and reads them anew for each element: empty
/// ones are lost on the way, and so is white space at the ends of keys.
struct Lists {
    elements: Vec<u8>,
    keys: Vec<u8>,
}

/// How many bytes of lists are read again and again.
const MOST_READ: usize = 1 << 28;

impl Sorted {
    /// How many bytes are looked at for the sake of another element.
    fn cost(&self) -> usize {
        match &self.lists {
            None => (self.groups.count + 2).ilog2() as usize * size_of::<Group>(),
            Some(lists) => lists.elements.len() + lists.keys.len(),
        }
    }

    /// How many bytes of memory are taken beside the texts.
    fn room(&self) -> usize {
        self.groups.count * size_of::<Group>()
    }

    fn insert(
        &mut self,
        element: Vec<u8>,
        key: Str,
        by: Order,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<(), Fail> {
        if let Some(lists) = self.lists.take() {
            match lists.settled(by, &precedes) {
                Ok(groups) => self.groups = groups,
                Err(lists) => self.lists = Some(lists),
            }
        }
        let survives = survives(&element, by.separator) && survives(key.bytes(), by.separator);
        if self.lists.is_none() {
            if survives {
                self.groups.push(element, key, by, precedes);
                return Ok(());
            }
            let groups = std::mem::take(&mut self.groups);
            self.lists = Some(Lists::of(groups.in_order(&precedes), by.separator));
        }
        self.read += self.cost();
        if self.read > MOST_READ {
            return Err(Fail::error(ErrorKind::Limit, "sort: the list is too long"));
        }
        match &mut self.lists {
            Some(lists) => lists.insert(&element, &key, by.separator, precedes),
            None => Ok(()),
        }
    }

    fn finish(self, separator: u8, precedes: impl Fn(&[u8], &[u8]) -> bool) -> Str {
        match self.lists {
            None => {
                let mut joiner = Joiner::new(separator);
                self.groups.in_order(precedes).for_each(|(element, _)| joiner.push(&element));
                joiner.finish()
            }
            Some(lists) => Str::from(lists.elements),
        }
    }
}

impl Groups {
    fn push(
        &mut self,
        element: Vec<u8>,
        key: Str,
        by: Order,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) {
        self.count += 1;
        if matches!(by.compare, Compare::Text { caseless: true }) {
            return self.blocks.insert(element, key, precedes);
        }
        if matches!(by.compare, Compare::Number) && comparand(key.bytes()).is_err() {
            match self.groups.get_mut(self.last) {
                Some(last) => last.behind.push((element, key)),
                None => self.head.push((element, key)),
            }
            return;
        }
        match self.groups.get(self.last) {
            Some(last) if precedes(key.bytes(), last.key.bytes()) => {}
            _ => self.last = self.groups.len(),
        }
        self.groups.push(Group { element, key, behind: Vec::new() });
        if self.groups.len() == 1 {
            self.ordered = 1;
        }
    }

    /// All elements in their order.
    fn in_order(
        mut self,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> impl Iterator<Item = (Vec<u8>, Str)> {
        // Whoever comes later stands behind its equals, or before all of them.
        let precedes_equals = match self.groups.first() {
            Some(group) => precedes(group.key.bytes(), group.key.bytes()),
            None => false,
        };
        if precedes_equals {
            let new = self.groups.len() - self.ordered;
            self.groups.reverse();
            self.groups[new..].reverse();
        }
        self.groups.sort_by(|a, b| {
            let (a, b) = (a.key.bytes(), b.key.bytes());
            match (precedes(a, b), precedes(b, a)) {
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                _ => Ordering::Equal,
            }
        });
        let groups = self
            .groups
            .into_iter()
            .flat_map(|group| std::iter::once((group.element, group.key)).chain(group.behind));
        let blocks = self.blocks.0.into_iter().flat_map(|block| block.elements);
        self.head.into_iter().chain(groups).chain(blocks)
    }
}

impl Blocks {
    fn insert(&mut self, element: Vec<u8>, key: Str, precedes: impl Fn(&[u8], &[u8]) -> bool) {
        for (number, block) in self.0.iter_mut().enumerate() {
            if !block.may_have_place(key.bytes(), &precedes) {
                continue;
            }
            let before = |(_, old): &(Vec<u8>, Str)| precedes(key.bytes(), old.bytes());
            if let Some(place) = block.elements.iter().position(before) {
                block.put(place, element, key);
                return self.divide(number);
            }
        }
        match self.0.last_mut() {
            Some(last) => last.put(last.elements.len(), element, key),
            None => self.0.push(Block::of(vec![(element, key)])),
        }
        self.divide(self.0.len() - 1);
    }

    fn divide(&mut self, number: usize) {
        let block = &mut self.0[number];
        if block.elements.len() > BLOCK {
            let rest = block.elements.split_off(BLOCK / 2);
            *block = Block::of(std::mem::take(&mut block.elements));
            self.0.insert(number + 1, Block::of(rest));
        }
    }
}

impl Block {
    fn of(elements: Vec<(Vec<u8>, Str)>) -> Self {
        let keys = || elements.iter().map(|(_, key)| key);
        let low = keys().min_by(|a, b| by_bytes(a, b)).cloned().unwrap_or_default();
        let high = keys().max_by(|a, b| by_bytes(a, b)).cloned().unwrap_or_default();
        Self { elements, low, high }
    }

    fn put(&mut self, place: usize, element: Vec<u8>, key: Str) {
        if by_bytes(&key, &self.low).is_lt() {
            self.low = key.clone();
        }
        if by_bytes(&key, &self.high).is_gt() {
            self.high = key.clone();
        }
        self.elements.insert(place, (element, key));
    }

    /// Whether a key may precede one of the block. Where all lie on one side of it, the
    /// nearest decides; where one is the same, or begins as it does, it may lie between.
    fn may_have_place(&self, key: &[u8], precedes: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        let (low, high) = (self.low.bytes(), self.high.bytes());
        if precedes(key, low) || precedes(key, high) {
            return true;
        }
        let between = lowercase(low).le(lowercase(key)) && lowercase(key).le(lowercase(high));
        between && lowercase(low).ne(lowercase(high))
    }
}

fn by_bytes(a: &Str, b: &Str) -> Ordering {
    lowercase(a.bytes()).cmp(lowercase(b.bytes()))
}

impl Lists {
    fn of(elements: impl Iterator<Item = (Vec<u8>, Str)>, separator: u8) -> Self {
        let mut lists = Self { elements: Vec::new(), keys: Vec::new() };
        for (element, key) in elements {
            append_element(&mut lists.elements, &element, separator);
            append_element(&mut lists.keys, key.bytes(), separator);
        }
        lists
    }

    /// The elements, where reading them once more changes nothing any more, and they are
    /// in order: then they need not be read for each that follows.
    fn settled(self, by: Order, precedes: impl Fn(&[u8], &[u8]) -> bool) -> Result<Groups, Self> {
        let mut groups = Groups::default();
        let mut keys = elements_with(&self.keys, by.separator);
        for element in elements_with(&self.elements, by.separator) {
            let Some(key) = keys.next() else { return Err(self) };
            if !survives(&element, by.separator) || !survives(&key, by.separator) {
                return Err(self);
            }
            if matches!(by.compare, Compare::Text { caseless: true }) {
                // They stand where they stand.
                groups.push(element.into_owned(), Str::from(&*key), by, |_, _| false);
                continue;
            }
            let before = groups.groups.get(groups.last);
            if before.is_some_and(|last| {
                let (key, last): (&[u8], &[u8]) = (&key, last.key.bytes());
                precedes(key, last) && !precedes(last, key)
            }) {
                return Err(self);
            }
            groups.push(element.into_owned(), Str::from(&*key), by, |_, _| false);
        }
        if keys.next().is_some() {
            return Err(self);
        }
        groups.ordered = groups.groups.len();
        Ok(groups)
    }

    fn insert(
        &mut self,
        element: &[u8],
        key: &Str,
        separator: u8,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<(), Fail> {
        let mut new = Self { elements: Vec::new(), keys: Vec::new() };
        let mut add = |element: &[u8], key: &[u8]| {
            append_element(&mut new.elements, element, separator);
            append_element(&mut new.keys, key, separator);
        };
        let mut old_keys = elements_with(&self.keys, separator);
        let mut inserted = false;
        for old in elements_with(&self.elements, separator) {
            let Some(old_key) = old_keys.next() else {
                return Err(Fail::argument("Internal error in sort (list mismatch)"));
            };
            if !inserted && precedes(key.bytes(), &old_key) {
                add(element, key.bytes());
                inserted = true;
            }
            add(&old, &old_key);
        }
        if !inserted {
            add(element, key.bytes());
        }
        *self = new;
        Ok(())
    }
}

/// Whether a text can be an element of a list, and is the same when that is read.
fn survives(text: &[u8], separator: u8) -> bool {
    let solid = |c: Option<&u8>| c.is_some_and(|c| !is_space(*c));
    let split = text.first() == Some(&separator)
        || separator.is_ascii_control() && text.contains(&separator);
    solid(text.first()) && solid(text.last()) && !split
}

/// The way of comparing, whether greater values come first, and whether equal
/// ones count as sorted. What follows the comparator's name is ignored.
fn order(call: &Call<'_>, text: &[u8]) -> Result<(Compare, bool, bool), Fail> {
    let name = comparator(text);
    let caseless = name.ends_with(b"i");
    let text_order = Compare::Text { caseless };
    Ok(match name {
        b"<" => (Compare::Number, false, false),
        b"<=" => (Compare::Number, false, true),
        b">" => (Compare::Number, true, false),
        b">=" => (Compare::Number, true, true),
        b"lt" | b"lti" => (text_order, false, false),
        b"le" | b"lei" => (text_order, false, true),
        b"gt" | b"gti" => (text_order, true, false),
        b"ge" | b"gei" => (text_order, true, true),
        b"" => {
            let shown = &text[..text.len().min(16)];
            let message = [b"condition name expected, but found \"", shown, b"\""].concat();
            return Err(Fail::argument(message));
        }
        _ if call.registry().condition_id(name).is_some() => {
            return Err(Fail::argument("comparator not handled for sort"));
        }
        // Exim says nothing of a name that it does not know.
        _ => return Err(Fail::argument("")),
    })
}

/// The name of a condition at the head of a text; empty where there is none.
fn comparator(text: &[u8]) -> &[u8] {
    let length = match text.first() {
        Some(b'=' | b'<' | b'>') => 1 + usize::from(text.get(1) == Some(&b'=')),
        _ => text.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count(),
    };
    &text[..length]
}

/// Whether one value sorts before another; what is no number never does.
fn precedes(a: &[u8], b: &[u8], compare: Compare, greater: bool, equal: bool) -> bool {
    let ordering = match compare {
        Compare::Number => match (comparand(a), comparand(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => return false,
        },
        Compare::Text { caseless: false } => a.cmp(b),
        Compare::Text { caseless: true } => compare_caseless(a, b),
    };
    (if greater { ordering.is_gt() } else { ordering.is_lt() }) || (equal && ordering.is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each element is inserted before the first that it should precede.
    fn one_by_one(
        elements: &[(Vec<u8>, Str)],
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Vec<Vec<u8>> {
        let mut sorted: Vec<&(Vec<u8>, Str)> = Vec::new();
        for new in elements {
            let before = |old: &&(Vec<u8>, Str)| precedes(new.1.bytes(), old.1.bytes());
            let place = sorted.iter().position(before).unwrap_or(sorted.len());
            sorted.insert(place, new);
        }
        sorted.into_iter().map(|(element, _)| element.clone()).collect()
    }

    #[test]
    fn elements_stand_where_inserting_one_by_one_would_put_them() {
        let mut state = 1_u64;
        let mut dice = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % most
        };
        let texts = Compare::Text { caseless: false };
        let caseless = Compare::Text { caseless: true };
        for round in 0..3000 {
            let keys =
                ["1", "2", "3", "10", "-4", "b", "B", "a", "x2", "2k", "2K", "Ba", "bA", "1k"];
            let elements: Vec<(Vec<u8>, Str)> = (0..dice(if round % 300 == 0 { 2000 } else { 14 }))
                .map(|number| {
                    let key = keys[dice(keys.len() as u64) as usize];
                    (format!("{number}={key}").into_bytes(), Str::fixed(key))
                })
                .collect();
            let compare = [texts, caseless, Compare::Number][round % 3];
            let (greater, equal) = (dice(2) == 0, dice(2) == 0);
            let precedes = |a: &[u8], b: &[u8]| precedes(a, b, compare, greater, equal);
            // From somewhere on, the first are in order already.
            let (first, rest) = elements.split_at(dice(elements.len() as u64 + 1) as usize);
            let by = Order { compare, separator: b':' };
            let mut groups = Groups::default();
            for (element, key) in first {
                groups.push(element.clone(), key.clone(), by, precedes);
            }
            let lists = Lists::of(groups.in_order(precedes), b':');
            let in_order = first.is_empty() || compare != Compare::Number;
            let mut groups = match lists.settled(by, precedes) {
                Ok(groups) => groups,
                Err(_) => {
                    assert!(!in_order, "{first:?}");
                    let mut groups = Groups::default();
                    first
                        .iter()
                        .for_each(|(one, key)| groups.push(one.clone(), key.clone(), by, precedes));
                    groups
                }
            };
            for (element, key) in rest {
                groups.push(element.clone(), key.clone(), by, precedes);
            }
            let sorted: Vec<_> = groups.in_order(precedes).map(|(element, _)| element).collect();
            assert_eq!(sorted, one_by_one(&elements, precedes), "{elements:?}");
        }
    }
}
