//! `inlist`, `inlisti`.

use eximious_core::{Call, Condition, Example, Str};

use super::record::{meta, two};
use crate::lists::elements;

const DOCS: &str = "The list's elements are plain strings. The one that is found is in `$value` inside the \
     strings of the surrounding `if`; it comes from the list and is as clean as the list is, so \
     that this is a way to make sure of data from outside.";

/// `inlist {string}{list}`.
pub static INLIST: Condition = two(
    meta(
        "inlist",
        "inlist {<string>}{<list>}",
        "The string is an element of the list.",
        &[
            Example::new("${if inlist{b}{a:b:c}{<$value>}{no}}", "<b>"),
            Example::new("${if inlist{B}{a:b:c}{<$value>}{no}}", "no"),
        ],
    )
    .docs(DOCS),
    |call, args| Ok(find(call, args, |a, b| a == b)),
);

/// `inlisti {string}{list}`.
pub static INLISTI: Condition = two(
    meta(
        "inlisti",
        "inlisti {<string>}{<list>}",
        "The string is an element of the list, but for case.",
        &[Example::new("${if inlisti{B}{a:b:c}{<$value>}{no}}", "<b>")],
    )
    .docs(DOCS),
    |call, args| Ok(find(call, args, <[u8]>::eq_ignore_ascii_case)),
);

fn find(call: &mut Call<'_>, args: &[Str], same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let (subject, list) = (args[0].bytes(), &args[1]);
    let Some(element) = elements(list.bytes()).find(|element| same(element, subject)) else {
        return false;
    };
    call.scope().set_value(Str::from(&*element).stamped(list.taint()));
    true
}
