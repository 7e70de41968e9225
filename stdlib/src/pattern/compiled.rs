//! A pattern for both engines. PCRE2 is quick with what is usual, and knows all that a
//! pattern may say; but a pattern may take it a time that doubles with each byte of a text.
//! Where a match takes it many steps, `regex` takes the pattern over, if it means the same
//! there, for this text and all others: its time grows with the text alone.

use std::sync::{Arc, OnceLock};

use eximious_pcre::{Attempt, CompileOptions, Groups, PatternError, PatternMatcher, Regex};

use super::linear::Linear;

/// How many steps a match may take PCRE2 before the other engine is asked.
const FEW_STEPS: u32 = 20_000;
/// How many it may take where no other engine is there to ask.
const MOST_STEPS: u32 = 2_000_000;

/// A pattern that was compiled.
#[derive(Clone, Debug)]
pub struct CompiledPattern {
    regex: Arc<Regex>,
    second: Arc<Second>,
}

/// What takes a pattern over, made when a match has taken many steps.
#[derive(Debug)]
struct Second {
    pattern: Box<[u8]>,
    caseless: bool,
    linear: OnceLock<Option<Linear>>,
}

impl Second {
    fn make(&self) -> Option<&Linear> {
        self.linear.get_or_init(|| Linear::new(&self.pattern, self.caseless)).as_ref()
    }
}

impl CompiledPattern {
    /// Compiles one, perhaps to machine code (`jit`).
    ///
    /// # Errors
    /// It makes no sense: PCRE2's words.
    pub fn new(pattern: &[u8], caseless: bool, jit: bool) -> Result<Self, PatternError> {
        let regex = Arc::new(Regex::new(pattern, CompileOptions { caseless, jit })?);
        let second = Second { pattern: pattern.into(), caseless, linear: OnceLock::new() };
        Ok(Self { regex, second: Arc::new(second) })
    }

    /// The same, as machine code.
    pub(super) fn again(&self) -> Option<Self> {
        let Second { pattern, caseless, .. } = &*self.second;
        let regex = Regex::new(pattern, CompileOptions { caseless: *caseless, jit: true }).ok()?;
        Some(Self { regex: Arc::new(regex), second: self.second.clone() })
    }

    /// Something to match with; keep it where there are several matches.
    pub fn matcher(&self) -> PatternFinder {
        let mut first = self.regex.matcher();
        first.set_match_limit(FEW_STEPS);
        PatternFinder { first, second: self.second.clone(), groups: Vec::new() }
    }

    /// Whether the pattern matches anywhere.
    pub fn is_match(&self, subject: &[u8]) -> bool {
        self.matcher().find(subject, Attempt::default()).is_some()
    }
}

/// A pattern with the memory that a match needs.
#[derive(Debug)]
pub struct PatternFinder {
    first: PatternMatcher,
    second: Arc<Second>,
    groups: Vec<Option<(usize, usize)>>,
}

impl PatternFinder {
    /// Tries a match. One that takes too many steps, or too much memory, of either engine
    /// is none, as Exim has it.
    #[inline]
    pub fn find(&mut self, subject: &[u8], attempt: Attempt) -> Option<PatternGroups<'_>> {
        if self.second.linear.get().is_some() {
            return self.find_slowly(subject, attempt);
        }
        match self.first.tries(subject, attempt) {
            Ok(0) => None,
            Ok(set) => Some(PatternGroups::First(self.first.groups(set))),
            Err(_) => self.find_slowly(subject, attempt),
        }
    }

    #[cold]
    fn find_slowly(&mut self, subject: &[u8], attempt: Attempt) -> Option<PatternGroups<'_>> {
        let Attempt { start, anchored_not_empty } = attempt;
        match self.second.make() {
            // A match that is not empty may be another one than the first.
            Some(linear) if !anchored_not_empty || !linear.may_be_empty() => {
                let found = linear.find(subject, start, &mut self.groups);
                let stays = !anchored_not_empty || self.begins_at(start);
                (found && stays).then_some(PatternGroups::Second(&self.groups))
            }
            _ => {
                self.first.set_match_limit(MOST_STEPS);
                self.first.find(subject, attempt).ok().flatten().map(PatternGroups::First)
            }
        }
    }

    fn begins_at(&self, start: usize) -> bool {
        self.groups.first().is_some_and(|whole| whole.is_some_and(|(begin, _)| begin == start))
    }
}

/// The groups of a match.
#[derive(Clone, Copy, Debug)]
pub enum PatternGroups<'m> {
    /// As PCRE2 found them.
    First(Groups<'m>),
    /// As `regex` did.
    Second(&'m [Option<(usize, usize)>]),
}

impl PatternGroups<'_> {
    /// How many there are, up to the last one that is set.
    #[inline]
    pub fn count(&self) -> usize {
        match self {
            Self::First(groups) => groups.len(),
            Self::Second(groups) => groups.len(),
        }
    }

    /// The range of a group; `None` where it took no part.
    #[inline]
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        match self {
            Self::First(groups) => groups.get(group),
            Self::Second(groups) => groups.get(group).copied().flatten(),
        }
    }
}
