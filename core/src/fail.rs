//! Why an expansion did not end in a string.

use std::fmt;
use std::sync::Arc;

use eximious_grammar::Span;
use eximious_grammar::stack::TooDeep;

/// What kind of failure it is, as callers have to tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailClass {
    /// The word `fail`, asked for (specification 11.4).
    Forced,
    /// A lookup or a name server could not answer now.
    Defer,
    /// Anything else.
    Error,
}

/// What went wrong, for programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not well-formed; or it can't be read because it is too long or nests too
    /// deep, which is found before anything is evaluated.
    Syntax,
    /// A name that nobody knows.
    UnknownName,
    /// An argument has the wrong form.
    Argument,
    /// Tainted data where only clean data may stand.
    Taint,
    /// The policy in force forbids it.
    Forbidden,
    /// The outside (file, process, socket) said no.
    Outside,
    /// A lookup failed.
    Lookup,
    /// A bound on depth, size or time was met in an evaluation.
    Limit,
    /// Somebody called it off from outside.
    Cancelled,
    /// It was made by one engine, and the context belongs to another.
    OtherEngine,
    /// Not in this build, or not yet.
    Unsupported,
    /// Asked for with `fail`.
    Forced,
}

/// Where it happened.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The text that was evaluated.
    pub source: Arc<[u8]>,
    /// The part of it.
    pub span: Span,
}

/// A failure: one word wide, because every step of an evaluation may return it.
///
/// `{}` shows Exim's wording ([`Fail::shown`]), `{:#}` adds the source with a caret.
#[derive(Clone, PartialEq)]
pub struct Fail(Box<Body>);

/// What an embedder's function failed with.
type Cause = Arc<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
struct Body {
    class: FailClass,
    kind: ErrorKind,
    message: Vec<u8>,
    /// What a look-up itself says of why there is no answer now.
    reason: Option<Vec<u8>>,
    place: Option<Place>,
    trace: Vec<String>,
    cause: Option<Cause>,
}

// What is behind a failure can't be compared; what it says can.
impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        let said = |body: &Self| (body.class, body.kind);
        said(self) == said(other)
            && self.message == other.message
            && self.place == other.place
            && self.trace == other.trace
    }
}

const _: () = assert!(size_of::<Fail>() == size_of::<usize>());
const _: () = assert!(size_of::<Result<(), Fail>>() == size_of::<usize>());

impl Fail {
    /// An ordinary failure in Exim's words.
    pub fn error(kind: ErrorKind, message: impl Into<Vec<u8>>) -> Self {
        Self::new(FailClass::Error, kind, message)
    }

    /// A failure of an argument's form: the most common one.
    pub fn argument(message: impl Into<Vec<u8>>) -> Self {
        Self::error(ErrorKind::Argument, message)
    }

    /// A string would be longer than one may be.
    pub fn too_long() -> Self {
        Self::error(ErrorKind::Limit, "expansion stopped: a string is too long")
    }

    /// A temporary failure.
    pub fn defer(message: impl Into<Vec<u8>>) -> Self {
        Self::new(FailClass::Defer, ErrorKind::Lookup, message)
    }

    /// A failure that the string asked for.
    pub fn forced(message: impl Into<Vec<u8>>) -> Self {
        Self::new(FailClass::Forced, ErrorKind::Forced, message)
    }

    /// A look-up has no answer now: the message, and what the look-up itself says of it.
    pub fn deferred_lookup(message: impl Into<Vec<u8>>, reason: impl Into<Vec<u8>>) -> Self {
        let mut fail = Self::defer(message);
        fail.0.reason = Some(reason.into());
        fail
    }

    /// The same failure as a temporary one.
    #[must_use]
    pub fn put_off(mut self) -> Self {
        self.0.class = FailClass::Defer;
        self
    }

    fn new(class: FailClass, kind: ErrorKind, message: impl Into<Vec<u8>>) -> Self {
        Self(Box::new(Body {
            class,
            kind,
            message: message.into(),
            reason: None,
            place: None,
            trace: Vec::new(),
            cause: None,
        }))
    }

    /// Which of the three it is.
    pub fn class(&self) -> FailClass {
        self.0.class
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Exim's wording. Not UTF-8 by promise: it may quote what was given.
    pub fn message(&self) -> &[u8] {
        &self.0.message
    }

    /// Exim's wording, or what was noted of it where Exim says nothing and leaves the rest to
    /// its log: for whoever wants to know.
    pub fn shown(&self) -> &[u8] {
        match self.0.trace.first() {
            Some(noted) if self.0.message.is_empty() => noted.as_bytes(),
            _ => &self.0.message,
        }
    }

    /// Where it happened, once the evaluator has set it.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What was being evaluated around it, or is behind it, innermost first.
    pub fn trace(&self) -> &[String] {
        &self.0.trace
    }

    /// Sets the place, unless one is set: the innermost wins.
    pub fn at(mut self, place: impl FnOnce() -> Place) -> Self {
        self.locate(place);
        self
    }

    /// As [`Fail::at`], where it is.
    pub fn locate(&mut self, place: impl FnOnce() -> Place) {
        self.0.place.get_or_insert_with(place);
    }

    /// Notes what was being evaluated, or what is behind the failure.
    pub fn through(mut self, what: impl Into<String>) -> Self {
        if self.0.trace.len() < 32 {
            self.0.trace.push(what.into());
        }
        self
    }

    /// The same failure with the error that is behind it, for whoever knows its type:
    /// [`std::error::Error::source`] gives it back.
    ///
    /// ```
    /// use eximious_core::{ErrorKind, Fail};
    /// use std::error::Error;
    ///
    /// let behind = "x".parse::<u8>().unwrap_err();
    /// let fail = Fail::error(ErrorKind::Outside, "no number").with_source(behind);
    /// let source = fail.source().and_then(|source| source.downcast_ref());
    /// assert!(matches!(source, Some(std::num::ParseIntError { .. })));
    /// ```
    pub fn with_source(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// What a look-up itself says of why there is no answer now, without the words about
    /// which one it was; nothing for other failures.
    pub fn reason(&self) -> Option<&[u8]> {
        self.0.reason.as_deref()
    }

    /// Whether nothing more is evaluated: it is forbidden, was called off, or met a bound.
    pub fn ends_evaluation(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Forbidden | ErrorKind::Limit | ErrorKind::Cancelled | ErrorKind::OtherEngine
        )
    }

    /// The same failure, where nothing may be made of it that holds for good: an error is
    /// temporary then, unless it ends the evaluation.
    pub fn for_now(mut self) -> Self {
        if self.0.class == FailClass::Error && !self.ends_evaluation() {
            self.0.class = FailClass::Defer;
        }
        self
    }

    /// The same failure with text after its message.
    pub fn followed_by(mut self, text: &str) -> Self {
        self.0.message.extend_from_slice(text.as_bytes());
        self
    }

    /// The same failure with another message.
    pub fn reworded(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.0.message = message.into();
        self
    }
}

impl From<TooDeep> for Fail {
    #[cold]
    fn from(_: TooDeep) -> Self {
        Self::error(ErrorKind::Limit, "expansion stopped: it is nested too deep")
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = String::from_utf8_lossy(self.shown());
        match (&self.0.place, f.alternate()) {
            (Some(place), true) => f.write_str(&excerpt(&message, place)),
            _ => f.write_str(&message),
        }
    }
}

impl fmt::Debug for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fail")
            .field("class", &self.0.class)
            .field("kind", &self.0.kind)
            .field("message", &String::from_utf8_lossy(&self.0.message))
            .field("span", &self.0.place.as_ref().map(|p| p.span))
            .finish()
    }
}

impl std::error::Error for Fail {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

fn excerpt(message: &str, place: &Place) -> String {
    use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
    // Offsets are of bytes; where the source is not UTF-8, show it byte by byte.
    let source: String = match std::str::from_utf8(&place.source) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            place.source.iter().map(|b| if b.is_ascii() { *b as char } else { '?' }).collect()
        }
    };
    let start = source.floor_char_boundary(place.span.start as usize);
    let end = source.ceil_char_boundary((place.span.end as usize).max(start));
    let first = message.lines().next().unwrap_or_default();
    let group = Level::ERROR
        .primary_title(first)
        .element(Snippet::source(source).annotation(AnnotationKind::Primary.span(start..end)));
    Renderer::plain().render(&[group])
}
