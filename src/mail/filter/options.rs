//! What a filter may do, and what it is told.

use eximious_core::Str;
use eximious_grammar::filter::Allowed;

use crate::engine::context::Refusal;

/// What a filter may do, and what it is told. The default is a user's filter that
/// is obeyed for a delivery, with nothing forbidden that is not forbidden by
/// itself.
#[derive(Clone, PartialEq, Debug)]
pub struct FilterOptions {
    /// Whether it is the system filter, which may do more.
    pub system: bool,
    /// Whether it is only tested (`-bf`): what could be wrong about a delivery is
    /// not looked at, and file names stay as they are written.
    pub testing: bool,
    /// `allow_defer`.
    pub allow_defer: bool,
    /// `allow_fail`.
    pub allow_fail: bool,
    /// `allow_freeze`.
    pub allow_freeze: bool,
    /// `forbid_…`.
    pub forbid: Forbidden,
    /// Whether `$home` is put before names of files that begin with no slash
    /// (`filter_prepend_home`).
    pub prepend_home: bool,
    /// Whether `logwrite` is obeyed: not where an address is only looked at. A test
    /// shows it all the same.
    pub logs: bool,
    /// The domain that addresses without one get; `None` is `$qualify_recipient`.
    pub qualify: Option<Str>,
    /// Whether nobody has tried to deliver the message before.
    pub first_delivery: bool,
    /// Whether an administrator thawed the message.
    pub manually_thawed: bool,
}

impl Default for FilterOptions {
    fn default() -> Self {
        Self {
            system: false,
            testing: false,
            allow_defer: false,
            allow_fail: false,
            allow_freeze: false,
            forbid: Forbidden::default(),
            prepend_home: true,
            logs: true,
            qualify: None,
            first_delivery: true,
            manually_thawed: false,
        }
    }
}

impl FilterOptions {
    /// For a test of a filter (`-bf`), or of a system filter (`-bF`).
    pub fn for_test(system: bool) -> Self {
        Self { system, testing: true, prepend_home: false, ..Self::default() }
    }

    pub(super) fn allowed(&self) -> Allowed {
        if self.system {
            return Allowed::SYSTEM;
        }
        let Self { allow_defer: defer, allow_fail: fail, allow_freeze: freeze, .. } = *self;
        Allowed { headers: false, defer, fail, freeze }
    }
}

/// What a filter is forbidden: options of the router redirect, each named
/// `forbid_…` or `forbid_filter_…`. That deliveries to files and commands, and
/// replies, are forbidden is for the router to look at when it generates them.
#[allow(missing_docs, reason = "each is the option of the same name")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Forbidden {
    pub exim_filter: bool,
    pub sieve_filter: bool,
    pub logwrite: bool,
    pub dlfunc: bool,
    pub existstest: bool,
    pub lookup: bool,
    pub perl: bool,
    pub readfile: bool,
    pub readsocket: bool,
    pub run: bool,
}

impl Forbidden {
    /// The words of expansions that are refused, each with what is said then.
    pub(super) fn refusals(&self) -> Vec<&'static Refusal> {
        [
            (self.dlfunc, &DLFUNC),
            (self.existstest, &EXISTS),
            (self.existstest, &STAT),
            (self.lookup, &LOOKUP),
            (self.perl, &PERL),
            (self.readfile, &READFILE),
            (self.readsocket, &READSOCKET),
            (self.run, &RUN),
        ]
        .into_iter()
        .filter_map(|(forbidden, refusal)| forbidden.then_some(refusal))
        .collect()
    }
}

static DLFUNC: Refusal = refusal("dlfunc", "dynamically-loaded functions are not permitted");
static EXISTS: Refusal = refusal("exists", "File existence tests are not permitted");
static STAT: Refusal = refusal("stat", "Use of the stat() expansion is not permitted");
static LOOKUP: Refusal = refusal("lookup", "lookup expansions are not permitted");
static PERL: Refusal = refusal("perl", "Perl calls are not permitted");
static READFILE: Refusal = refusal("readfile", "file insertions are not permitted");
static READSOCKET: Refusal = refusal("readsocket", "socket insertions are not permitted");
static RUN: Refusal = refusal("run", "running a command is not permitted");

const fn refusal(name: &'static str, message: &'static str) -> Refusal {
    Refusal { name, message }
}
