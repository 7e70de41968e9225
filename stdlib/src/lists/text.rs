//! Patterns that all kinds of list share: a regular expression, `*suffix`, a
//! lookup, or the text itself (specification 10.3).

use eximious_core::{Call, Captures, Fail, Str};
use smallvec::smallvec;

use super::lookup::{Looked, look_up};
use super::walk::{Hit, Pattern};
use crate::lookups::Search;
use crate::pattern::{PatternFailure, find};

/// What becomes of `$0`, `$1`, ….
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bind {
    /// They are what was matched; after no match there are none.
    Set,
    /// There are none.
    Clear,
    /// They stay.
    Leave,
}

/// A subject, and how it is tested.
pub(super) struct Text<'s> {
    /// As it was given: regular expressions see this.
    pub(super) given: &'s Str,
    /// What everything else sees: without capitals, unless case counts.
    pub(super) folded: &'s Str,
    /// Whether case counts.
    pub(super) caseful: bool,
    /// What becomes of `$0`, `$1`, ….
    pub(super) bind: Bind,
    /// Whether lookups may match a part of the key.
    pub(super) partial: bool,
}

impl Text<'_> {
    /// Tests a pattern; the data is the pattern itself, or what was looked up.
    pub(super) fn test(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
    ) -> Result<(Hit, Option<Str>), Fail> {
        self.unbind(call);
        if let Some(b'^') = pattern.text.first() {
            return self.regex(call, pattern);
        }
        if let Some(suffix) = pattern.text.strip_prefix(b"*") {
            return Ok(self.suffix(call, pattern, suffix));
        }
        if memchr::memchr(b';', pattern.text).is_some()
            && let Some(search) = Search::of_element(call, &pattern.str(), self.folded)?
        {
            return self.lookup(call, search);
        }
        Ok(self.decide(call, self.is(pattern.text), pattern))
    }

    /// Whether the subject is a text.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        self.same(self.folded.bytes(), text)
    }

    /// For a pattern that was tested otherwise; the data is given.
    pub(super) fn decide(
        &self,
        call: &mut Call<'_>,
        matched: bool,
        data: Pattern<'_>,
    ) -> (Hit, Option<Str>) {
        self.unbind(call);
        if !matched {
            return (Hit::No, None);
        }
        self.bind(call, &[]);
        (Hit::Yes, Some(data.str()))
    }

    fn same(&self, a: &[u8], b: &[u8]) -> bool {
        if self.caseful { a == b } else { a.eq_ignore_ascii_case(b) }
    }

    fn suffix(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        suffix: &[u8],
    ) -> (Hit, Option<Str>) {
        let subject = self.folded.bytes();
        let Some(head) = subject.len().checked_sub(suffix.len()) else { return (Hit::No, None) };
        if !self.same(&subject[head..], suffix) {
            return (Hit::No, None);
        }
        self.bind(call, &[(0, head as u32)]);
        (Hit::Yes, Some(pattern.str()))
    }

    fn regex(&self, call: &mut Call<'_>, pattern: Pattern<'_>) -> Result<(Hit, Option<Str>), Fail> {
        let found = find(call, pattern.text, !self.caseful, self.given);
        let found = found.map_err(|trouble| match trouble {
            PatternFailure::Pattern(error) => {
                let text = format!("regular expression error: {error} while compiling ");
                Fail::argument([text.as_bytes(), pattern.text].concat())
            }
            PatternFailure::Stopped(fail) => fail,
        })?;
        let Some(mut captures) = found else { return Ok((Hit::No, None)) };
        if self.bind == Bind::Set {
            // In a list, `$0` is the whole subject, whatever part matched.
            if let Some(whole) = captures.groups.first_mut() {
                *whole = (0, self.given.bytes().len() as u32);
            }
            call.set_captures(captures);
        }
        Ok((Hit::Yes, Some(pattern.str())))
    }

    fn lookup(&self, call: &mut Call<'_>, mut search: Search) -> Result<(Hit, Option<Str>), Fail> {
        if !self.partial {
            search.partial = None;
        }
        Ok(match look_up(call, &search)? {
            Looked::Missing => (Hit::No, None),
            Looked::Later(why) => (Hit::Later(Some(why)), None),
            Looked::Found(found) => {
                self.bind(call, &[]);
                if let (Bind::Set, Some((wild, fixed))) = (self.bind, &found.wild) {
                    let taint = self.folded.taint();
                    let groups = [self.folded.bytes(), wild.bytes(), fixed.bytes()];
                    call.scope().bind_numeric(&groups, taint);
                }
                (Hit::Yes, Some(found.value))
            }
        })
    }

    fn unbind(&self, call: &mut Call<'_>) {
        if self.bind != Bind::Leave {
            call.scope().clear_captures();
        }
    }

    /// Sets `$0` to the subject, and more groups that are ranges of it.
    fn bind(&self, call: &mut Call<'_>, more: &[(u32, u32)]) {
        if self.bind == Bind::Set {
            let mut captures = Captures { subject: self.folded.clone(), ..Captures::default() };
            captures.groups = smallvec![(0, self.folded.bytes().len() as u32)];
            captures.groups.extend_from_slice(more);
            call.set_captures(captures);
        }
    }
}

/// A domain or a local part that is tested.
pub(super) struct Part {
    /// As it was given.
    pub(super) given: Str,
    /// Without capitals.
    pub(super) folded: Str,
    bind: Bind,
}

impl Part {
    pub(super) fn new(given: &Str, bind: Bind) -> Self {
        Self { given: given.clone(), folded: given.lowercased(), bind }
    }

    /// As a text; whether case counts in what is folded is for the caller to say.
    pub(super) fn text<'s>(&'s self, folded: &'s Str, caseful: bool) -> Text<'s> {
        Text { given: &self.given, folded, caseful, bind: self.bind, partial: true }
    }
}
