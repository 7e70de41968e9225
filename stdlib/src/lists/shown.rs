//! What is shown of the test of a list, to those who want to see each step.

use eximious_core::{Call, Str, Trace};

use super::organs::{log_main, log_unknown};
use super::walk::{Left, Verdict};
use crate::printing::visible_spaces;

/// What a decision is owed to, where that is not the element as it stands.
pub(crate) enum Owed {
    /// A named list, of which the answer was kept.
    Kept,
    /// A line of a file.
    Line(Vec<u8>, Vec<u8>),
    /// Something that can't be found out, and what is logged of it.
    Doubt(Vec<u8>, Option<Vec<u8>>),
    /// Something that can't be found out now: that is logged, and not shown.
    Later(Vec<u8>),
}

/// What is shown of the test of a list: the question.
pub(crate) struct Shown(Option<Vec<u8>>);

impl Shown {
    /// Nobody wants to see it.
    pub(crate) const NOTHING: Self = Self(None);

    /// Of a subject, and of what the list is called.
    pub(crate) fn of(subject: &[u8], list: &[u8]) -> Self {
        Self(Some([subject, b" in ", list].concat()))
    }

    fn tell(&self, call: &mut Call<'_>, deeper: u32, tail: &[u8]) {
        if let Some(question) = &self.0 {
            call.memory::<Trace>().tell(deeper, &[question, tail]);
        }
    }

    pub(crate) fn begin(&self, call: &mut Call<'_>) {
        self.tell(call, 0, b"?");
    }

    pub(crate) fn element(&self, call: &mut Call<'_>, element: &[u8]) {
        if self.0.is_some() {
            let shown = visible_spaces(element);
            call.memory::<Trace>().tell(1, &[b"list element: ", &shown]);
        }
    }

    /// The answer, the element that decided, and what that is owed to. What it means
    /// that something is in doubt is logged then.
    pub(crate) fn end(
        &self,
        call: &mut Call<'_>,
        verdict: &Verdict,
        element: Option<&[u8]>,
        owed: Option<Owed>,
    ) {
        if self.0.is_some() {
            self.tell_end(call, verdict, element, owed.as_ref());
        }
        match owed {
            Some(Owed::Doubt(_, Some(line)) | Owed::Later(line)) => log_main(call, &line),
            Some(Owed::Doubt(why, None)) => log_unknown(call, &why),
            _ => {}
        }
    }

    fn tell_end(
        &self,
        call: &mut Call<'_>,
        verdict: &Verdict,
        element: Option<&[u8]>,
        owed: Option<&Owed>,
    ) {
        let word = match verdict {
            Verdict::Yes => "yes",
            Verdict::No => "no",
            Verdict::Later(_) => {
                let head = b"? list match deferred for ".as_slice();
                return self.tell(call, 0, &[head, element.unwrap_or_default()].concat());
            }
        };
        let Some(element) = element else {
            return self.tell(call, 0, &[b"? ", word.as_bytes(), b" (end of list)"].concat());
        };
        let why = match owed {
            None => [b"matched \"", element, b"\""].concat(),
            Some(Owed::Kept) => [b"matched \"", element, b"\" - cached"].concat(),
            Some(Owed::Line(line, file)) => [b"matched \"", &line[..], b"\" in ", file].concat(),
            Some(Owed::Doubt(why, _)) => why.clone(),
            Some(Owed::Later(_)) => return,
        };
        self.tell(call, 1, &[b"? ", word.as_bytes(), b" (", &why, b")"].concat());
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
