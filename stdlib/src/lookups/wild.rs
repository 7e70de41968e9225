//! Keys of files that are patterns: each is a list of one element.

use eximious_core::grammar::is_space;
use eximious_core::trace::TraceKinds;
use eximious_core::{Call, FailClass, LookupFail, Str};

use super::search::{Search, find, note};
use crate::lists::{Shown, Verdict};
use crate::pattern;

/// Whether a key from a file matches a subject.
///
/// # Errors
/// Where the key can't be expanded, is no regular expression, or names a
/// lookup that fails.
pub(super) fn matches(
    call: &mut Call<'_>,
    key: &[u8],
    subject: &Str,
    expanded: bool,
) -> Result<bool, LookupFail> {
    let mut key = Str::from(key);
    if expanded {
        match call.expand(&key) {
            Ok(value) => key = value,
            Err(fail) if fail.class() == FailClass::Forced => return Ok(false),
            Err(fail) => {
                let message = [
                    b"failed to expand \"",
                    key.bytes(),
                    b"\" while checking a list: ",
                    fail.message(),
                ];
                note(call, &message.concat());
                return Err(LookupFail::Defer(Vec::new()));
            }
        }
    }
    let text = key.bytes();
    let space = text.iter().take_while(|c| is_space(**c)).count();
    let end = text.iter().rposition(|c| !is_space(*c)).map_or(space, |n| n + 1);
    let mut shown = match call.watched(TraceKinds::LIST) {
        true => Shown::of(subject.bytes().to_vec(), [b"\"", text, b"\""].concat()),
        false => Shown::NOTHING,
    };
    shown.begin(call);
    if space == end {
        shown.end(call, &Verdict::No, None, None);
        return Ok(false);
    }
    let whole = &text[space..end];
    shown.element(call, whole);
    let negated = whole[0] == b'!';
    let rest = &whole[usize::from(negated)..];
    let start = end - rest.len() + rest.iter().take_while(|c| is_space(**c)).count();
    let hit = element(call, &key.slice(start, end), subject)?;
    let verdict = if hit != negated { Verdict::Yes } else { Verdict::No };
    shown.end(call, &verdict, hit.then_some(whole), None);
    Ok(verdict == Verdict::Yes)
}

fn element(call: &mut Call<'_>, element: &Str, subject: &Str) -> Result<bool, LookupFail> {
    let bytes = subject.bytes();
    match element.bytes() {
        pattern @ [b'^', ..] => {
            call.charge_match(bytes.len())?;
            Ok(pattern::compile(call, pattern, true)?.is_match(bytes))
        }
        [b'*', ending @ ..] => {
            let start = bytes.len().checked_sub(ending.len());
            Ok(start.is_some_and(|start| bytes[start..].eq_ignore_ascii_case(ending)))
        }
        literal => {
            // A lookup finds keys in lower case: the comparison is without it.
            match Search::of_element(call, element, &subject.lowercased())? {
                Some(search) => Ok(find(call, &search)?.is_some()),
                None => Ok(bytes.eq_ignore_ascii_case(literal)),
            }
        }
    }
}
