//! Regular expressions: compiled once where the pattern comes again.

use std::collections::HashMap;
use std::sync::Arc;

use eximious_core::{Call, Captures, Fail, Str};
use eximious_pcre::{Attempt, Groups, Matcher, Options, Regex};

/// How many patterns a context keeps compiled.
const KEPT: usize = 256;

/// The patterns that a context has used: those that heed case, and those that
/// do not.
#[derive(Default, Debug)]
struct Patterns([HashMap<Vec<u8>, Kept>; 2]);

#[derive(Debug)]
struct Kept {
    regex: Arc<Regex>,
    matcher: Matcher,
    uses: u32,
}

impl Kept {
    fn new(regex: Regex) -> Self {
        let regex = Arc::new(regex);
        Self { matcher: regex.matcher(), regex, uses: 1 }
    }
}

/// A pattern that is kept, compiled if it is new.
fn kept<'p>(
    patterns: &'p mut Patterns,
    pattern: &[u8],
    caseless: bool,
) -> Result<&'p mut Kept, Fail> {
    let map = &mut patterns.0[usize::from(caseless)];
    match map.get_mut(pattern) {
        Some(kept) => {
            kept.uses = kept.uses.saturating_add(1);
            // Machine code pays from about the third use on.
            if kept.uses == 3
                && let Ok(regex) = Regex::new(pattern, Options { caseless, jit: true })
            {
                let uses = kept.uses;
                *kept = Kept { uses, ..Kept::new(regex) };
            }
        }
        None => {
            let regex = Regex::new(pattern, Options { caseless, jit: false }).map_err(|error| {
                let text = error.to_string();
                Fail::argument(
                    [b"regular expression error in \"", pattern, b"\": ", text.as_bytes()].concat(),
                )
            })?;
            if map.len() >= KEPT {
                map.clear();
            }
            map.insert(pattern.to_vec(), Kept::new(regex));
        }
    }
    map.get_mut(pattern).ok_or_else(|| Fail::argument("regular expression was lost"))
}

/// Compiles a pattern, or finds it compiled.
///
/// # Errors
/// `regular expression error in "…"`, with PCRE2's words.
pub fn compile(call: &mut Call<'_>, pattern: &[u8], caseless: bool) -> Result<Arc<Regex>, Fail> {
    Ok(kept(call.memory(), pattern, caseless)?.regex.clone())
}

/// Whether a pattern matches; sets `$0`, `$1`, … where it does.
///
/// # Errors
/// Where the pattern is wrong, or a match takes too much time or memory.
pub fn matches(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
    subject: &Str,
) -> Result<bool, Fail> {
    let matcher = &mut kept(call.memory(), pattern, caseless)?.matcher;
    let found = matcher
        .find(subject.bytes(), Attempt::default())
        .map_err(|error| Fail::argument(format!("regular expression match failed: {error}")))?;
    let Some(groups) = found else { return Ok(false) };
    let captures = captures(subject, groups);
    call.set_captures(captures);
    Ok(true)
}

/// What `$0`, `$1`, … are after a match.
pub fn captures(subject: &Str, groups: Groups<'_>) -> Captures {
    let range = |n| groups.get(n).map_or((0, 0), |(start, end)| (start as u32, end as u32));
    Captures { subject: subject.clone(), groups: (0..groups.len()).map(range).collect() }
}
