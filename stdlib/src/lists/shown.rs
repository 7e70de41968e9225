//! What is shown of the test of a list, to those who want to see each step.

use std::sync::Arc;

use eximious_core::trace::{Happening, ListEvent, TraceParent, TracePlace};
use eximious_core::{Call, Str};

use super::organs::{log_main, log_unknown};
use super::walk::{Left, Verdict};

/// What a decision is owed to, where that is not the element as it stands.
pub(crate) enum Owed {
    /// A named list, of which the answer was kept.
    Kept,
    /// A line of a file: it, which file, and whether the line says that it is not so.
    Line(Vec<u8>, Vec<u8>, bool),
    /// Something that can't be found out.
    Doubt(Doubtful),
    /// Something that can't be found out now: that is logged, and not shown.
    Later(Vec<u8>),
}

/// What can't be found out.
pub(crate) struct Doubtful {
    pub(crate) why: Vec<u8>,
    /// What is logged of it, where that is not why alone.
    pub(crate) line: Option<Vec<u8>>,
    /// Whether a line of a file asked for it.
    pub(crate) in_file: bool,
}

impl Owed {
    /// Whether something could not be found out, and what follows is shown deeper for that.
    pub(crate) fn loses_way(&self) -> bool {
        match self {
            Self::Doubt(doubt) => !doubt.in_file,
            Self::Later(_) => true,
            Self::Kept | Self::Line(..) => false,
        }
    }
}

/// What is shown of the test of a list: what is looked for, and what the list is called.
pub(crate) struct Shown(Option<Question>);

struct Question {
    subject: Vec<u8>,
    list: Vec<u8>,
    /// What was going on before.
    outer: Option<TraceParent>,
    /// Where that stood, if the list is an option that stands elsewhere.
    before: Option<Option<Arc<TracePlace>>>,
}

impl Shown {
    /// Nobody wants to see it.
    pub(crate) const NOTHING: Self = Self(None);

    /// Of a subject, and of what the list is called.
    pub(crate) fn of(subject: Vec<u8>, list: Vec<u8>) -> Self {
        Self(Some(Question { subject, list, outer: None, before: None }))
    }

    pub(crate) fn begin(&mut self, call: &mut Call<'_>) {
        if let Some(Question { subject, list, outer, before }) = &mut self.0 {
            let name = std::str::from_utf8(list).unwrap_or_default();
            if let Some(place) = call.settings().place_of(name).cloned() {
                *before = Some(call.trace().stand_at(Some(place)));
            }
            let begin = ListEvent::Begin { subject, list };
            *outer = Some(call.trace().begin(Happening::List(begin)));
        }
    }

    pub(crate) fn element(&self, call: &mut Call<'_>, element: &[u8]) {
        if self.0.is_some() {
            call.trace().tell(Happening::List(ListEvent::Element { text: element }));
        }
    }

    /// The answer, the element that decided, and what that is owed to. What it means
    /// that something is in doubt is logged then.
    pub(crate) fn end(
        self,
        call: &mut Call<'_>,
        verdict: &Verdict,
        element: Option<&[u8]>,
        owed: Option<Owed>,
    ) {
        if let Some(question) = self.0 {
            question.end(call, verdict, element, owed.as_ref());
        }
        match owed {
            Some(Owed::Doubt(Doubtful { line: Some(line), .. }) | Owed::Later(line)) => {
                log_main(call, &line);
            }
            Some(Owed::Doubt(Doubtful { why, .. })) => log_unknown(call, &why),
            _ => {}
        }
    }
}

impl Question {
    fn end(
        self,
        call: &mut Call<'_>,
        verdict: &Verdict,
        element: Option<&[u8]>,
        owed: Option<&Owed>,
    ) {
        let Self { subject, list, outer, before } = &self;
        let matches = match verdict {
            Verdict::Yes => Some(true),
            Verdict::No => Some(false),
            Verdict::Later(_) => None,
        };
        // As with Exim, what is shown is whether a line was found, whatever that says.
        let is_turned = matches!(owed, Some(Owed::Line(_, _, true)));
        let matches = matches.map(|matches| matches != is_turned);
        let why = match (owed, element) {
            (Some(Owed::Kept), Some(element)) => {
                Some([b"matched \"", element, b"\" - cached"].concat())
            }
            (Some(Owed::Line(line, file, _)), _) => {
                Some([b"matched \"", &line[..], b"\" in ", file].concat())
            }
            (Some(Owed::Doubt(Doubtful { why, .. })), _) => Some(why.clone()),
            _ => None,
        };
        let loses_way = owed.is_some_and(Owed::loses_way);
        let trace = call.trace();
        if let Some(outer) = outer {
            trace.end(*outer);
        }
        let silent = matches.is_some() && element.is_some() && matches!(owed, Some(Owed::Later(_)));
        if !silent {
            let owed = why.as_deref();
            let end = ListEvent::End { subject, list, matches, element, owed };
            trace.tell(Happening::List(end));
        }
        if loses_way {
            trace.lose_way(1);
        }
        if let Some(before) = before {
            trace.stand_at(before.clone());
        }
    }
}

/// Tells what is remembered of a named list: what it said, and its data, where that
/// is shown.
pub(super) fn show_known(call: &mut Call<'_>, name: &[u8], verdict: &Verdict, left: Option<&Left>) {
    let matches = *verdict == Verdict::Yes;
    let data = left.map(|left| left.as_ref().and_then(Option::as_ref).map(Str::bytes));
    call.trace().tell(Happening::List(ListEvent::Known { name, matches, data }));
}

/// Tells what is kept of a named list.
pub(super) fn show_keeping(call: &mut Call<'_>, name: &[u8], key: &[u8], data: &Str) {
    let kept = ListEvent::Kept { name, key, data: data.bytes() };
    call.trace().tell(Happening::List(kept));
}
