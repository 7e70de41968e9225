//! What of a configuration is at work, which lines of the log name.

use std::fmt;
use std::sync::Arc;

use eximious_core::Str;
use eximious_core::trace::TracePlace;

/// A statement of an ACL, a router or a transport.
#[derive(Clone, Debug)]
pub struct ConfigWorker {
    /// `ACL`, `router` or `transport`.
    pub role: &'static str,
    /// Its name, or its verb.
    pub name: Str,
    /// Where it stands.
    pub place: Arc<TracePlace>,
    /// The line that Exim names.
    pub line: u32,
}

impl fmt::Display for ConfigWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, name, place, line } = self;
        write!(f, "{role} {}, {} {line}", name.display(), place.file.display())
    }
}

/// Who is at work in a context.
#[derive(Default, Debug)]
pub struct AtWork(pub Option<ConfigWorker>);
