//! How records are held, and what they run: a record may last as long as the
//! program, or be made when an engine is put together; what it does may be a
//! function, or a closure with state of its own.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A record: a `static`, as all of the standard library are, or one that was made
/// at run time and is shared.
///
/// Everything that takes a record takes both: `&'static T`, `T`, `Arc<T>`.
pub enum Rec<T: 'static> {
    /// It lasts as long as the program. A clone costs nothing.
    Static(&'static T),
    /// It lasts as long as somebody has it.
    Shared(Arc<T>),
}

impl<T> Deref for Rec<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Static(record) => record,
            Self::Shared(record) => record,
        }
    }
}

impl<T> Clone for Rec<T> {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Static(record) => Self::Static(record),
            Self::Shared(record) => Self::Shared(record.clone()),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Rec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> From<&'static T> for Rec<T> {
    fn from(record: &'static T) -> Self {
        Self::Static(record)
    }
}

impl<T> From<T> for Rec<T> {
    fn from(record: T) -> Self {
        Self::Shared(Arc::new(record))
    }
}

impl<T> From<Arc<T>> for Rec<T> {
    fn from(record: Arc<T>) -> Self {
        Self::Shared(record)
    }
}

/// A closure that a record runs: `Closure<dyn Fn(…) -> … + Send + Sync>`.
pub struct Closure<F: ?Sized>(pub Arc<F>);

impl<F: ?Sized> Deref for Closure<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.0
    }
}

impl<F: ?Sized> Clone for Closure<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: ?Sized> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closure")
    }
}

/// What a record does whose words are known here, for the parser's sake, and which
/// runs in a room to the right: ACLs, routers. That room knows the type.
#[derive(Clone)]
pub enum Runs {
    /// Nothing: the word is known, and does nothing yet. To come to it is an error.
    NotYet,
    /// Nothing yet, either; but this is known of it, which others ask.
    Facts(&'static (dyn Any + Send + Sync)),
    /// What lasts as long as the program.
    Static(&'static (dyn Any + Send + Sync)),
    /// What was made at run time.
    Shared(Arc<dyn Any + Send + Sync>),
}

impl Runs {
    /// What a `static` record runs.
    pub const fn of<T: Any + Send + Sync>(run: &'static T) -> Self {
        Self::Static(run)
    }

    /// What is known of a `static` record that does nothing yet.
    pub const fn not_yet_but<T: Any + Send + Sync>(facts: &'static T) -> Self {
        Self::Facts(facts)
    }

    /// What a record runs that is made at run time.
    pub fn made<T: Any + Send + Sync>(run: T) -> Self {
        Self::Shared(Arc::new(run))
    }

    /// What it is, for the room that knows its type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        match self {
            Self::NotYet => None,
            Self::Facts(run) | Self::Static(run) => run.downcast_ref(),
            Self::Shared(run) => run.downcast_ref(),
        }
    }

    /// Whether the word does nothing yet.
    pub fn is_not_yet(&self) -> bool {
        matches!(self, Self::NotYet | Self::Facts(_))
    }
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_not_yet() { "not yet" } else { "runs" })
    }
}
