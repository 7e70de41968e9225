//! Regular expressions: compiled once where the pattern comes again, in the same context
//! or in another one.

use std::cell::Cell;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

mod compiled;
pub mod linear;
pub mod set;

use eximious_core::{Call, Captures, Fail, Str};
use eximious_pcre::{Attempt, CompileOptions, PatternError, Regex};
use rustc_hash::FxHashMap;

pub use compiled::{CompiledPattern, PatternFinder, PatternGroups};

/// How many patterns a context keeps compiled.
const KEPT: usize = 256;

/// The patterns that a context has used: those that heed case, and those that
/// do not. Another context of the thread may have used them before.
#[derive(Debug)]
struct Patterns([Table; 2]);

thread_local! {
    /// The patterns of a context that is gone, for one that is new: what belongs to a
    /// match is ready, too.
    static LEFT: Cell<Option<[Table; 2]>> = const { Cell::new(None) };
}

impl Default for Patterns {
    fn default() -> Self {
        let left = LEFT.try_with(Cell::take);
        Self(left.ok().flatten().unwrap_or_default())
    }
}

impl Drop for Patterns {
    fn drop(&mut self) {
        let tables = std::mem::take(&mut self.0);
        // Where the thread ends, nobody takes them any more.
        let _ = LEFT.try_with(|left| left.set(Some(tables)));
    }
}

#[derive(Default, Debug)]
struct Table {
    places: FxHashMap<Vec<u8>, usize>,
    kept: Vec<Kept>,
    /// Where patterns were found last, by their length and ends: most often,
    /// this makes it needless to hash the whole of one.
    hints: [u8; 32],
}

impl Table {
    #[inline]
    fn find(&mut self, pattern: &[u8]) -> Option<usize> {
        let hint = match pattern {
            [first, .., last] => *first ^ last.rotate_left(3) ^ pattern.len() as u8,
            _ => 0,
        };
        let hint = &mut self.hints[usize::from(hint % 32)];
        let hinted = usize::from(*hint);
        if self.kept.get(hinted).is_some_and(|kept| *kept.pattern == *pattern) {
            return Some(hinted);
        }
        let place = *self.places.get(pattern)?;
        *hint = place as u8;
        Some(place)
    }
}

/// The patterns that contexts of all threads have used, for those that are new: what
/// belongs to a match is each context's own, what was compiled is not.
static SHARED: LazyLock<Mutex<[SharedPatterns; 2]>> = LazyLock::new(Mutex::default);

/// Patterns by their texts.
type SharedPatterns = FxHashMap<Vec<u8>, Shared>;

/// How many patterns of a kind are kept for all contexts.
const SHARED_PATTERNS: usize = 1024;

struct Shared {
    regex: CompiledPattern,
    /// How many contexts asked for it, as long as it is no machine code.
    uses: u32,
}

/// A pattern that is compiled, perhaps for another context; and whether it is machine
/// code.
fn shared(pattern: &[u8], caseless: bool) -> Result<(CompiledPattern, bool), PatternError> {
    // Nobody waits while a pattern is compiled.
    let again = match lock(&SHARED)[usize::from(caseless)].get_mut(pattern) {
        Some(found) => {
            found.uses = found.uses.saturating_add(1);
            if found.uses != WORTH_IT {
                return Ok((found.regex.clone(), found.uses > WORTH_IT));
            }
            Some(found.regex.clone())
        }
        None => None,
    };
    let faster = again.and_then(|known| known.again());
    let again = faster.is_some();
    let regex = faster.map_or_else(|| CompiledPattern::new(pattern, caseless, false), Ok)?;
    let known = &mut lock(&SHARED)[usize::from(caseless)];
    if known.len() >= SHARED_PATTERNS {
        known.clear();
    }
    let uses = if again { WORTH_IT } else { 1 };
    known.insert(pattern.to_vec(), Shared { regex: regex.clone(), uses });
    Ok((regex, again))
}

/// What a thread left that panicked is whole: there is nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From which use on machine code pays.
const WORTH_IT: u32 = 3;

#[derive(Debug)]
struct Kept {
    pattern: Box<[u8]>,
    regex: CompiledPattern,
    matcher: PatternFinder,
    /// A second matcher, for items that go on matching while they evaluate.
    spare: Option<PatternFinder>,
    uses: u32,
}

impl Kept {
    fn new(pattern: &[u8], regex: CompiledPattern) -> Self {
        Self { pattern: pattern.into(), matcher: regex.matcher(), spare: None, regex, uses: 1 }
    }
}

/// A pattern that is kept, compiled if it is new.
fn kept<'p>(
    patterns: &'p mut Patterns,
    pattern: &[u8],
    caseless: bool,
) -> Result<&'p mut Kept, PatternError> {
    let table = &mut patterns.0[usize::from(caseless)];
    if let Some(place) = table.find(pattern) {
        let kept = &mut table.kept[place];
        kept.uses = kept.uses.saturating_add(1);
        if kept.uses == WORTH_IT
            && let Some(regex) = kept.regex.again()
        {
            let uses = kept.uses;
            *kept = Kept { uses, ..Kept::new(pattern, regex) };
        }
        return Ok(&mut table.kept[place]);
    }
    let (regex, is_machine_code) = shared(pattern, caseless)?;
    if table.kept.len() >= KEPT {
        *table = Table::default();
    }
    let place = table.kept.len();
    table.places.insert(pattern.to_vec(), place);
    // What is machine code already is not compiled again.
    let uses = if is_machine_code { WORTH_IT } else { 1 };
    table.kept.push(Kept { uses, ..Kept::new(pattern, regex) });
    Ok(&mut table.kept[place])
}

fn wrong(pattern: &[u8], error: &PatternError) -> Fail {
    let text = error.to_string();
    Fail::argument([b"regular expression error in \"", pattern, b"\": ", text.as_bytes()].concat())
}

/// Whether a pattern of the configuration can be compiled.
///
/// # Errors
/// PCRE2's words.
pub fn check(pattern: &[u8]) -> Result<(), String> {
    CompiledPattern::new(pattern, false, false).map(drop).map_err(|error| error.to_string())
}

/// Whether a pattern of the configuration matches a text; `None` where it can't
/// be compiled.
pub fn holds(pattern: &[u8], text: &[u8]) -> Option<bool> {
    Some(CompiledPattern::new(pattern, true, false).ok()?.is_match(text))
}

/// Compiles a pattern, or finds it compiled.
///
/// # Errors
/// `regular expression error in "…"`, with PCRE2's words.
pub fn compile(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
) -> Result<CompiledPattern, Fail> {
    call.charge_match(pattern.len())?;
    match kept(call.memory(), pattern, caseless) {
        Ok(kept) => Ok(kept.regex.clone()),
        Err(error) => Err(wrong(pattern, &error)),
    }
}

/// A matcher of a kept pattern, to be put back with [`give_back`].
///
/// # Errors
/// `regular expression error in "…"`, with PCRE2's words.
pub fn take_matcher(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
) -> Result<PatternFinder, Fail> {
    let kept = kept(call.memory(), pattern, caseless).map_err(|error| wrong(pattern, &error))?;
    Ok(kept.spare.take().unwrap_or_else(|| kept.regex.matcher()))
}

/// Puts a matcher back for the next use of its pattern.
pub fn give_back(call: &mut Call<'_>, pattern: &[u8], caseless: bool, matcher: PatternFinder) {
    let patterns: &mut Patterns = call.memory();
    let table = &mut patterns.0[usize::from(caseless)];
    if let Some(place) = table.find(pattern) {
        table.kept[place].spare = Some(matcher);
    }
}

/// Whether a pattern matches; sets `$0`, `$1`, … where it does.
///
/// # Errors
/// Where the pattern is wrong, or the evaluation has done as much as it may.
pub fn matches(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
    subject: &Str,
) -> Result<bool, Fail> {
    call.charge_match(subject.bytes().len())?;
    let (patterns, scope) = call.memory_and_scope();
    let kept = kept(patterns, pattern, caseless).map_err(|error| wrong(pattern, &error))?;
    match kept.matcher.find(subject.bytes(), Attempt::default()) {
        Some(groups) => {
            capture(scope.captures_mut(), subject, groups);
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Why a match can't be looked for.
#[derive(Clone, PartialEq, Debug)]
pub enum PatternFailure {
    /// The pattern is wrong.
    Pattern(PatternError),
    /// The evaluation has done as much as it may.
    Stopped(Fail),
}

/// Looks for a match; the caller words what goes wrong.
///
/// # Errors
/// Where the pattern is wrong, or the evaluation has done as much as it may.
pub fn find(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
    subject: &Str,
) -> Result<Option<Captures>, PatternFailure> {
    call.charge_match(subject.bytes().len()).map_err(PatternFailure::Stopped)?;
    let matcher =
        &mut kept(call.memory(), pattern, caseless).map_err(PatternFailure::Pattern)?.matcher;
    let found = matcher.find(subject.bytes(), Attempt::default());
    Ok(found.map(|groups| captures(subject, groups)))
}

/// Where a pattern matches in bytes, and where its groups do. No variable is set.
///
/// # Errors
/// Where the pattern is wrong, or the evaluation has done as much as it may.
pub fn find_in(
    call: &mut Call<'_>,
    pattern: &[u8],
    caseless: bool,
    text: &[u8],
) -> Result<Option<PatternRanges>, Fail> {
    call.charge_match(text.len())?;
    let kept = kept(call.memory(), pattern, caseless).map_err(|error| wrong(pattern, &error))?;
    let found = kept.matcher.find(text, Attempt::default());
    Ok(found.map(|groups| (0..groups.count()).map(|number| groups.get(number)).collect()))
}

/// What `$0`, `$1`, … are after a match.
pub fn captures(subject: &Str, groups: PatternGroups<'_>) -> Captures {
    let mut captures = Captures::default();
    capture(&mut captures, subject, groups);
    captures
}

fn capture(captures: &mut Captures, subject: &Str, groups: PatternGroups<'_>) {
    captures.subject = subject.clone();
    captures.clean = 0;
    captures.groups.clear();
    for number in 0..groups.count() {
        let (start, end) = groups.get(number).unwrap_or((0, 0));
        captures.groups.push((start as u32, end as u32));
    }
}

/// The ranges of the groups of a match, up to the last one that is set.
pub type PatternRanges = Vec<Option<(usize, usize)>>;

/// What each engine finds by itself, PCRE2 and `regex`; nothing where the pattern is not
/// for both, or PCRE2 meets a limit. For tests.
pub fn by_both(
    pattern: &[u8],
    caseless: bool,
    subject: &[u8],
) -> Option<[Option<PatternRanges>; 2]> {
    let linear = linear::Linear::new(pattern, caseless)?;
    let regex = Regex::new(pattern, CompileOptions { caseless, jit: false });
    let regex = Arc::new(regex.expect("what is for both is right"));
    let mut matcher = regex.matcher();
    let first = matcher.find(subject, Attempt::default()).ok()?;
    let first = first.map(|groups| (0..groups.len()).map(|group| groups.get(group)).collect());
    let mut groups = Vec::new();
    let second = linear.find(subject, 0, &mut groups).then_some(groups);
    Some([first, second])
}
