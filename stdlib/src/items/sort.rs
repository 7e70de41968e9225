//! `sort`.

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::{
    Bindings, Call, Effects, ErrorKind, Example, Fail, Item, ItemRun, Meta, Str, TaintRule,
};

use crate::conditions::compare_caseless;
use crate::lists::{Joiner, elements};
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
    call.skim(2)?;
    call.check_closed()?;
    let extractor = call.raw(2).unwrap_or_default();
    call.scoped_for(Bindings::ITEM, |call| {
        let source = elements(list.bytes());
        let separator = source.separator();
        // Exim inserts each element before the first that it should precede.
        let mut sorted: Vec<(Vec<u8>, Str)> = Vec::new();
        for element in source {
            call.scope().set_item(Str::from(&*element).stamped(list.taint()));
            let message = || [b"field-extract in sort: \"", extractor, b"\""].concat();
            let key = call.text(2).map_err(|fail| fail.reworded(message()))?;
            if key.is_empty() {
                return Err(Fail::error(ErrorKind::Argument, message()));
            }
            let mut place = sorted.len();
            for (index, (_, other)) in sorted.iter().enumerate() {
                if precedes(key.bytes(), other.bytes(), compare, greater, equal) {
                    place = index;
                    break;
                }
            }
            sorted.insert(place, (element.into_owned(), key));
        }
        let mut joiner = Joiner::new(separator);
        for (element, _) in &sorted {
            joiner.push(element);
        }
        Ok(joiner.finish().stamped(list.taint()))
    })
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
