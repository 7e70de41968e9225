//! Regular expressions: compiled once where the pattern comes again.

use std::collections::HashMap;
use std::sync::Arc;

use eximious_core::{Call, Captures, Fail, Str};
use eximious_pcre::{Attempt, Options, Regex};

/// How many patterns a context keeps compiled.
const KEPT: usize = 256;

/// The patterns that a context has used.
#[derive(Default, Debug)]
struct Patterns(HashMap<(Vec<u8>, bool), Kept>);

#[derive(Debug)]
struct Kept {
    regex: Arc<Regex>,
    uses: u32,
}

/// Compiles a pattern, or finds it compiled.
///
/// # Errors
/// `regular expression error in "…"`, with PCRE2's words.
pub fn compile(call: &mut Call<'_>, pattern: &[u8], caseless: bool) -> Result<Arc<Regex>, Fail> {
    let patterns: &mut Patterns = call.memory();
    if let Some(kept) = patterns.0.get_mut(&(pattern.to_vec(), caseless)) {
        kept.uses += 1;
        // Machine code pays from about the third use on.
        if kept.uses == 3
            && let Ok(regex) = Regex::new(pattern, Options { caseless, jit: true })
        {
            kept.regex = Arc::new(regex);
        }
        return Ok(kept.regex.clone());
    }
    let regex = Regex::new(pattern, Options { caseless, jit: false }).map_err(|error| {
        let text = error.to_string();
        Fail::argument(
            [b"regular expression error in \"", pattern, b"\": ", text.as_bytes()].concat(),
        )
    })?;
    let regex = Arc::new(regex);
    if patterns.0.len() >= KEPT {
        patterns.0.clear();
    }
    patterns.0.insert((pattern.to_vec(), caseless), Kept { regex: regex.clone(), uses: 1 });
    Ok(regex)
}

/// Whether a pattern matches; sets `$0`, `$1`, … where it does.
///
/// # Errors
/// Where a match takes too much time or memory.
pub fn matches(call: &mut Call<'_>, regex: &Regex, subject: &Str) -> Result<bool, Fail> {
    let mut matcher = regex.matcher();
    let found = matcher
        .find(subject.bytes(), Attempt::default())
        .map_err(|error| Fail::argument(format!("regular expression match failed: {error}")))?;
    let Some(groups) = found else { return Ok(false) };
    let groups = (0..groups.len())
        .map(|n| groups.get(n).map_or((0, 0), |(start, end)| (start as u32, end as u32)))
        .collect();
    call.set_captures(Captures { subject: subject.clone(), groups, clean: 0 });
    Ok(true)
}
