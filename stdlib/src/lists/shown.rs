//! What is shown of the test of a list, to those who want to see each step.

use std::borrow::Cow;

use eximious_core::{Call, Str, Trace};

use super::walk::{Left, Verdict};

/// What is shown of the test of a list: the question.
pub(super) struct Shown(Option<Vec<u8>>);

impl Shown {
    /// Nobody wants to see it.
    pub(super) const NOTHING: Self = Self(None);

    /// A question, without its mark.
    pub(super) fn of(question: Vec<u8>) -> Self {
        Self(Some(question))
    }

    fn tell(&self, call: &mut Call<'_>, deeper: u32, tail: &[u8]) {
        if let Some(question) = &self.0 {
            call.memory::<Trace>().tell(deeper, &[question, tail]);
        }
    }

    pub(super) fn begin(&self, call: &mut Call<'_>) {
        self.tell(call, 0, b"?");
    }

    pub(super) fn element(&self, call: &mut Call<'_>, element: &[u8]) {
        if self.0.is_some() {
            let shown = visible(element);
            call.memory::<Trace>().tell(1, &[b"list element: ", &shown]);
        }
    }

    /// The answer, and the element that decided; `kept` says that it was known.
    pub(super) fn end(
        &self,
        call: &mut Call<'_>,
        verdict: &Verdict,
        element: Option<&[u8]>,
        kept: bool,
    ) {
        if self.0.is_none() {
            return;
        }
        let kept: &[u8] = if kept { b"\" - cached)" } else { b"\")" };
        let word = match verdict {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Later(_) => return,
        };
        let tail = match element {
            Some(element) => [b"? ", word.as_bytes(), b" (matched \"", element, kept].concat(),
            None => [b"? ", word.as_bytes(), b" (end of list)"].concat(),
        };
        self.tell(call, u32::from(element.is_some()), &tail);
    }
}

/// A text whose spaces can be seen.
fn visible(text: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b' ', text) {
        None => Cow::Borrowed(text),
        Some(_) => {
            Cow::Owned(text.split(|byte| *byte == b' ').collect::<Vec<_>>().join("░".as_bytes()))
        }
    }
}

/// Tells what is remembered of a named list: what it said, and its data, where that
/// is shown.
pub(super) fn show_known(call: &mut Call<'_>, name: &[u8], verdict: &Verdict, left: Option<&Left>) {
    let trace = call.memory::<Trace>();
    if trace.sink.is_none() {
        return;
    }
    let word: &[u8] = if *verdict == Verdict::Yes { b"yes" } else { b"no" };
    trace.tell(2, &[b"start sublist ", name]);
    trace.tell(1, &[b"cached ", word, b" match for +", name]);
    if let Some(left) = left {
        let data = left.as_ref().and_then(Option::as_ref);
        let data = data.map_or(&b"NULL"[..], Str::bytes);
        trace.tell(1, &[b"cached lookup data = ", data]);
    }
}

/// Tells what is kept of a named list.
pub(super) fn show_keeping(call: &mut Call<'_>, name: &[u8], key: &[u8], data: &Str) {
    let head = b"data from lookup saved for cache for +".as_slice();
    let parts = [head, name, b": key '", key, b"' value '", data.bytes(), b"'"];
    call.memory::<Trace>().tell(1, &parts);
}
