//! Prefixes and suffixes of local parts (specification 15,
//! `local_part_prefix`, `local_part_suffix`).

use eximious_core::{Str, Taint};
use eximious_stdlib::lists::elements;

use super::Affix;

/// Which end of the local part it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Head,
    Tail,
}

/// Takes the first affix of a list that fits off a local part; `None` where none
/// does. Case does not matter.
pub(super) fn take(list: &Str, local_part: &Str, end: End) -> Option<(Affix, Str)> {
    let (text, taint) = local_part.read();
    for pattern in elements(list.bytes()) {
        let Some((length, wild)) = fits(&pattern, text, end) else { continue };
        let at = if end == End::Head { length } else { text.len() - length };
        let (head, tail) = (local_part.slice(0, at), local_part.slice(at, text.len()));
        let (affix, rest) = if end == End::Head { (head, tail) } else { (tail, head) };
        let wild = match end {
            End::Head => affix.slice(0, wild),
            End::Tail => affix.slice(affix.bytes().len() - wild, affix.bytes().len()),
        };
        // One without a wildcard is what the configuration says.
        let own = if wild.is_empty() { Taint::Clean } else { taint };
        return Some((Affix { text: affix.stamped(own), wild }, rest));
    }
    None
}

/// A local part without the prefix and the suffix that fit, if any do.
pub fn without(prefixes: &Str, suffixes: &Str, local_part: &Str) -> Str {
    let rest = take(prefixes, local_part, End::Head).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| local_part.clone());
    take(suffixes, &rest, End::Tail).map_or(rest, |(_, rest)| rest)
}

/// The length of the affix that fits a pattern, and of what its wildcard stands
/// for.
fn fits(pattern: &[u8], text: &[u8], end: End) -> Option<(usize, usize)> {
    let wild = match end {
        End::Head => pattern.first(),
        End::Tail => pattern.last(),
    };
    let longest = match wild {
        Some(b'*') => Some(true),
        Some(b'~') => Some(false),
        _ => None,
    };
    let fixed = match (longest, end) {
        (None, _) => pattern,
        (Some(_), End::Head) => &pattern[1..],
        (Some(_), End::Tail) => &pattern[..pattern.len() - 1],
    };
    let is = |part: &[u8]| part.eq_ignore_ascii_case(fixed);
    let Some(longest) = longest else {
        let part = match end {
            End::Head => text.get(..fixed.len()),
            End::Tail => text.len().checked_sub(fixed.len()).map(|at| &text[at..]),
        };
        // A local part that is nothing but a suffix has none.
        let bare = end == End::Tail && text.len() == fixed.len();
        return (part.is_some_and(is) && !bare).then_some((fixed.len(), 0));
    };
    let most = text.len().checked_sub(fixed.len())?;
    let at = |wild: usize| match end {
        End::Head => is(&text[wild..wild + fixed.len()]),
        End::Tail => is(&text[most - wild..most - wild + fixed.len()]),
    };
    let mut lengths = 0..=most;
    let found = match longest {
        true => lengths.rev().find(|wild| at(*wild)),
        false => lengths.find(|wild| at(*wild)),
    };
    found.map(|wild| (wild + fixed.len(), wild))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &'static str, text: &'static str, end: End, answer: Option<[&str; 3]>) {
        let taken = take(&Str::fixed(list), &Str::tainted(text.as_bytes()), end);
        let taken = taken.map(|(affix, rest)| {
            [affix.text, affix.wild, rest].map(|part| part.display().into_owned())
        });
        let taken = taken.as_ref().map(|parts| [0, 1, 2].map(|n| parts[n].as_str()));
        assert_eq!(taken, answer, "{list} {text}");
    }

    #[test]
    fn the_first_that_fits_is_taken() {
        check("real-", "REAL-u", End::Head, Some(["REAL-", "", "u"]));
        check("real-", "rea", End::Head, None);
        check("x- : *-", "a-b-c", End::Head, Some(["a-b-", "a-b", "c"]));
        check("~-", "a-b-c", End::Head, Some(["a-", "a", "b-c"]));
        check("-s : +*", "u+a+b", End::Tail, Some(["+a+b", "a+b", "u"]));
        check("+~", "u+a+b", End::Tail, Some(["+b", "b", "u+a"]));
        check("+*", "u", End::Tail, None);
        check("-s : -*", "-s", End::Tail, Some(["-s", "s", ""]));
        check("s-", "s-", End::Head, Some(["s-", "", ""]));
    }
}
