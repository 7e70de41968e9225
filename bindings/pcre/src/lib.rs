//! A small safe wrapper around PCRE2 on bytes, with limits.
//!
//! Exim's patterns are PCRE patterns: lookaround, backreferences, atomic
//! groups and recursion are in use, which linear-time engines do not have.
//! The published wrapper takes only `&str` and has no limits, so this calls
//! the C library itself. Each unsafe call says what makes it sound.

use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use pcre2_sys as sys;

/// How much work one match may take before it gives up.
const MATCH_LIMIT: u32 = 2_000_000;
/// How much memory one match may take, in kibibytes.
const HEAP_LIMIT: u32 = 32 * 1024;
/// How deep a match may nest.
const DEPTH_LIMIT: u32 = 100_000;
/// What PCRE2 says where there is no memory.
const NO_MEMORY: i32 = sys::PCRE2_ERROR_NOMEMORY;
/// A subject without a byte.
static NOTHING: [u8; 1] = [0];
/// How long a pattern may be, in bytes.
const PATTERN_LIMIT: usize = 64 * 1024;

/// A compiled pattern.
pub struct Regex {
    code: *mut sys::pcre2_code_8,
    groups: usize,
}

// SAFETY: compiled code is read-only once made; PCRE2 documents that it may be
// used by several threads at once, each with match data of its own.
unsafe impl Send for Regex {}
// SAFETY: as above.
unsafe impl Sync for Regex {}

/// What a pattern is compiled with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CompileOptions {
    /// Letters match without case.
    pub caseless: bool,
    /// Compile to machine code as well: for patterns that are used often.
    pub jit: bool,
}

/// What is wrong with a pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError {
    /// PCRE2's words.
    pub message: String,
    /// The offset in the pattern, in bytes.
    pub offset: usize,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.message, self.offset)
    }
}

impl std::error::Error for PatternError {}

/// Why a match gave up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatchError(pub String);

impl fmt::Display for MatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MatchError {}

/// How a match is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attempt {
    /// Where in the subject it begins.
    pub start: usize,
    /// Only there, and not with an empty match.
    pub anchored_not_empty: bool,
}

/// A pattern with the memory that a match needs: kept where there are several.
#[derive(Debug)]
pub struct PatternMatcher {
    regex: Arc<Regex>,
    data: *mut sys::pcre2_match_data_8,
    context: *mut sys::pcre2_match_context_8,
}

// SAFETY: the match data and context belong to this value alone, and are used
// only through `&mut self`.
unsafe impl Send for PatternMatcher {}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Where PCRE2 refuses it, with its words and the place.
    pub fn new(pattern: &[u8], options: CompileOptions) -> Result<Self, PatternError> {
        if pattern.len() > PATTERN_LIMIT {
            let message = "regular expression is too large".to_owned();
            return Err(PatternError { message, offset: 0 });
        }
        let flags = if options.caseless { sys::PCRE2_CASELESS } else { 0 };
        let (mut error, mut offset) = (0, 0);
        // SAFETY: pattern and length describe one slice; error and offset are
        // valid for writing; the context may be null.
        let code = unsafe {
            sys::pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                flags,
                &mut error,
                &mut offset,
                ptr::null_mut(),
            )
        };
        if code.is_null() {
            return Err(PatternError { message: error_text(error), offset });
        }
        let mut count: u32 = 0;
        // SAFETY: code is a live pattern, and CAPTURECOUNT writes a u32.
        unsafe {
            sys::pcre2_pattern_info_8(
                code,
                sys::PCRE2_INFO_CAPTURECOUNT,
                ptr::from_mut(&mut count).cast::<c_void>(),
            );
            if options.jit {
                // Without machine code the interpreter is used.
                sys::pcre2_jit_compile_8(code, sys::PCRE2_JIT_COMPLETE);
            }
        }
        Ok(Self { code, groups: count as usize + 1 })
    }

    /// How many groups a match has, the whole match included.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Something to match with; keep it where there are several matches.
    pub fn matcher(self: &Arc<Self>) -> PatternMatcher {
        // SAFETY: the pattern is live; null contexts are allowed. The limits
        // are set on a context that was just made, and is freed on drop.
        unsafe {
            let data = sys::pcre2_match_data_create_from_pattern_8(self.code, ptr::null_mut());
            let context = sys::pcre2_match_context_create_8(ptr::null_mut());
            if !context.is_null() {
                sys::pcre2_set_match_limit_8(context, MATCH_LIMIT);
                sys::pcre2_set_heap_limit_8(context, HEAP_LIMIT);
                sys::pcre2_set_depth_limit_8(context, DEPTH_LIMIT);
            }
            PatternMatcher { regex: self.clone(), data, context }
        }
    }

    /// Whether the pattern matches anywhere.
    ///
    /// # Errors
    /// Where a limit is met.
    pub fn is_match(self: &Arc<Self>, subject: &[u8]) -> Result<bool, MatchError> {
        self.matcher().find(subject, Attempt::default()).map(|found| found.is_some())
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: the code is live and nobody else holds it.
        unsafe { sys::pcre2_code_free_8(self.code) };
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({} groups)", self.groups)
    }
}

impl PatternMatcher {
    /// Sets how much work a match may take before it gives up, in PCRE2's steps.
    pub fn set_match_limit(&mut self, steps: u32) {
        if !self.context.is_null() {
            // SAFETY: the context is live and belongs to this value.
            unsafe { sys::pcre2_set_match_limit_8(self.context, steps) };
        }
    }

    /// Tries a match; the ranges of its groups, an unset one as `None`.
    ///
    /// # Errors
    /// Where a limit is met.
    pub fn find(
        &mut self,
        subject: &[u8],
        attempt: Attempt,
    ) -> Result<Option<Groups<'_>>, MatchError> {
        let set = self.tries(subject, attempt).map_err(|code| match code {
            NO_MEMORY => MatchError("no memory for a match".to_owned()),
            code => MatchError(error_text(code)),
        })?;
        Ok((set > 0).then(|| self.groups(set)))
    }

    /// Tries a match; how many groups of it are set, up to the last one that is, and none
    /// where there is no match.
    ///
    /// # Errors
    /// Where a limit is met, with PCRE2's number for it.
    pub fn tries(&mut self, subject: &[u8], attempt: Attempt) -> Result<usize, i32> {
        if self.data.is_null() || self.context.is_null() {
            return Err(NO_MEMORY);
        }
        if attempt.start > subject.len() {
            return Ok(0);
        }
        let options =
            if attempt.anchored_not_empty { sys::PCRE2_ANCHORED | sys::PCRE2_NOTEMPTY } else { 0 };
        // An empty slice may point to the first of all addresses, and what PCRE2 takes off
        // to compare lengths leads below them.
        let pointer = if subject.is_empty() { NOTHING.as_ptr() } else { subject.as_ptr() };
        // SAFETY: all pointers are live; subject and length describe one slice,
        // and the start lies in it.
        let count = unsafe {
            sys::pcre2_match_8(
                self.regex.code,
                pointer,
                subject.len(),
                attempt.start,
                options,
                self.data,
                self.context,
            )
        };
        match count {
            sys::PCRE2_ERROR_NOMATCH => Ok(0),
            count => usize::try_from(count).map_err(|_| count),
        }
    }

    /// The groups of the last match, of which so many are set.
    pub fn groups(&self, set: usize) -> Groups<'_> {
        if self.data.is_null() {
            return Groups { offsets: &[], set: 0 };
        }
        // SAFETY: the vector belongs to the match data and holds a pair of
        // offsets for each group of the pattern.
        let offsets = unsafe {
            std::slice::from_raw_parts(
                sys::pcre2_get_ovector_pointer_8(self.data),
                self.regex.groups * 2,
            )
        };
        Groups { offsets, set }
    }
}

impl Drop for PatternMatcher {
    fn drop(&mut self) {
        // SAFETY: both were made for this value; freeing null does nothing.
        unsafe {
            sys::pcre2_match_data_free_8(self.data);
            sys::pcre2_match_context_free_8(self.context);
        }
    }
}

/// The groups of a match.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'m> {
    offsets: &'m [usize],
    set: usize,
}

impl Groups<'_> {
    /// How many groups are set, up to the last one that is.
    pub fn len(&self) -> usize {
        self.set
    }

    /// Whether there are none, which no match has.
    pub fn is_empty(&self) -> bool {
        self.set == 0
    }

    /// The range of a group; `None` where it took no part.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        let (start, end) = (*self.offsets.get(group * 2)?, *self.offsets.get(group * 2 + 1)?);
        // An unset group has the largest offsets; `\K` in a lookahead can put
        // the start behind the end.
        (group < self.set && start <= end && end != usize::MAX).then_some((start, end))
    }
}

fn error_text(code: i32) -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer and its length describe one array.
    let length = unsafe { sys::pcre2_get_error_message_8(code, buffer.as_mut_ptr(), buffer.len()) };
    let length = usize::try_from(length).unwrap_or(0).min(buffer.len());
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_groups_in_bytes() {
        let options = CompileOptions { jit: true, ..CompileOptions::default() };
        let regex = Arc::new(Regex::new(b"(a)(x)?(\xff)", options).unwrap());
        let mut matcher = regex.matcher();
        let groups = matcher.find(b"..a\xff", Attempt::default()).unwrap().unwrap();
        assert_eq!(groups.get(0), Some((2, 4)));
        assert_eq!(groups.get(2), None);
        assert_eq!(groups.get(3), Some((3, 4)));
    }

    #[test]
    fn says_what_is_wrong() {
        let error = Regex::new(b"(", CompileOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "missing closing parenthesis at offset 1");
    }

    #[test]
    fn nothing_is_an_address_like_any_other() {
        for jit in [false, true] {
            let options = CompileOptions { jit, ..CompileOptions::default() };
            let regex = Arc::new(Regex::new(b"^(?s).{2}|$", options).unwrap());
            let mut matcher = regex.matcher();
            let groups = matcher.find(&[], Attempt::default()).unwrap().unwrap();
            assert_eq!(groups.get(0), Some((0, 0)));
        }
    }

    #[test]
    fn gives_up_on_an_exploding_pattern() {
        let regex = Arc::new(Regex::new(b"^(a+)+$", CompileOptions::default()).unwrap());
        assert!(regex.is_match(&[b"a".repeat(40), b"!".to_vec()].concat()).is_err());
    }
}
