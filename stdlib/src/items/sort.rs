//! `sort`.

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::grammar::is_space;
use eximious_core::{
    Bindings, Call, Effects, ErrorKind, Example, Fail, Item, ItemRun, Meta, Str, TaintRule,
};

use crate::conditions::compare_caseless;
use crate::lists::{Joiner, elements, elements_with};
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

#[derive(Clone, Copy)]
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
        let mut sorted = Sorted::Plain(Vec::new());
        let separator = source.separator();
        for element in source {
            call.scope().set_item(Str::from(&*element).stamped(list.taint()));
            let message = || [b"field-extract in sort: \"", extractor, b"\""].concat();
            let key = call.text(2).map_err(|fail| fail.reworded(message()))?;
            if key.is_empty() {
                return Err(Fail::error(ErrorKind::Argument, message()));
            }
            call.charge(sorted.cost())?;
            let precedes = |a: &[u8], b: &[u8]| precedes(a, b, compare, greater, equal);
            sorted.insert(element.into_owned(), key, separator, precedes)?;
        }
        Ok(sorted.finish(separator).stamped(list.taint()))
    })
}

/// What is sorted so far. Each element is inserted before the first that it
/// should precede.
enum Sorted {
    /// Elements and their keys.
    Plain(Vec<(Vec<u8>, Str)>),
    /// The same as lists. Exim keeps them so, and reads them anew for each
    /// element: empty ones are lost on the way, and so is white space at the
    /// ends of keys. How many bytes have been read is the third.
    Lists(Vec<u8>, Vec<u8>, usize),
}

/// How many bytes of lists are read again and again.
const MOST_READ: usize = 1 << 28;

impl Sorted {
    /// How many bytes are looked at to find the place of another element, at the most.
    fn cost(&self) -> usize {
        match self {
            Self::Plain(sorted) => sorted.len() * size_of::<(Vec<u8>, Str)>(),
            Self::Lists(list, keys, _) => list.len() + keys.len(),
        }
    }

    fn insert(
        &mut self,
        element: Vec<u8>,
        key: Str,
        separator: u8,
        precedes: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<(), Fail> {
        if let Self::Plain(sorted) = self {
            if survives(&element, separator) && survives(key.bytes(), separator) {
                let before =
                    sorted.iter().position(|(_, other)| precedes(key.bytes(), other.bytes()));
                sorted.insert(before.unwrap_or(sorted.len()), (element, key));
                return Ok(());
            }
            let (mut list, mut keys) = (Vec::new(), Vec::new());
            for (element, key) in sorted {
                append(&mut list, element, separator);
                append(&mut keys, key.bytes(), separator);
            }
            *self = Self::Lists(list, keys, 0);
        }
        let Self::Lists(list, keys, read) = self else { return Ok(()) };
        *read += list.len() + keys.len();
        if *read > MOST_READ {
            return Err(Fail::error(ErrorKind::Limit, "sort: the list is too long"));
        }
        let (mut new_list, mut new_keys) = (Vec::new(), Vec::new());
        let mut old_keys = elements_with(keys, separator);
        let mut inserted = false;
        for old in elements_with(list, separator) {
            let Some(old_key) = old_keys.next() else {
                return Err(Fail::argument("Internal error in sort (list mismatch)"));
            };
            if !inserted && precedes(key.bytes(), &old_key) {
                append(&mut new_list, &element, separator);
                append(&mut new_keys, key.bytes(), separator);
                inserted = true;
            }
            append(&mut new_list, &old, separator);
            append(&mut new_keys, &old_key, separator);
        }
        if !inserted {
            append(&mut new_list, &element, separator);
            append(&mut new_keys, key.bytes(), separator);
        }
        (*list, *keys) = (new_list, new_keys);
        Ok(())
    }

    fn finish(self, separator: u8) -> Str {
        match self {
            Self::Plain(sorted) => {
                let mut joiner = Joiner::new(separator);
                sorted.iter().for_each(|(element, _)| joiner.push(element));
                joiner.finish()
            }
            Self::Lists(list, ..) => Str::from(list),
        }
    }
}

/// Whether a text can be an element of a list, and is the same when that is read.
fn survives(text: &[u8], separator: u8) -> bool {
    let solid = |c: Option<&u8>| c.is_some_and(|c| !is_space(*c));
    let split = text.first() == Some(&separator)
        || separator.is_ascii_control() && text.contains(&separator);
    solid(text.first()) && solid(text.last()) && !split
}

/// Adds an element to a list, with separators in it doubled.
fn append(list: &mut Vec<u8>, element: &[u8], separator: u8) {
    if !list.is_empty() {
        list.push(separator);
    }
    for byte in element {
        list.push(*byte);
        if *byte == separator {
            list.push(separator);
        }
    }
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
