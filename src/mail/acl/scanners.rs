//! The kinds of malware scanners that `av_scanner` may name (specification 45.1). Each
//! has a file; what they share, the way to them, is `link.rs`.

mod avast;
mod aveserver;
mod clamd;
mod cmdline;
mod drweb;
mod fprot6d;
mod fprotd;
mod fsecure;
mod kavdaemon;
pub(super) mod link;
mod mksd;
mod sock;
mod sophie;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use eximious_core::{BodySource, Effects, Meta, Runs, Str, TaintRule};

use super::Logs;
use super::machine::Run;

pub(super) use link::{Link, Reached, connect_with_retry, reason};

/// A kind of scanner.
#[derive(Clone, Debug)]
pub struct Scanner {
    /// What it says of itself.
    pub meta: Meta,
    /// How it is asked.
    pub run: Runs,
}

/// How a scanner is asked: the name of what it found, if it found something.
pub(super) struct ScannerRun(
    pub(super) fn(&mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault>,
);

/// Why a scanner gave no verdict: words for the log. Where it is, is part of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault(pub(super) Vec<u8>);

impl Fault {
    /// An answer that can't be read.
    pub(super) fn unread(why: &io::Error) -> Self {
        let words = reason(why);
        match link::is_too_much(why) {
            true => words.into(),
            false => format!("unable to read from socket ({words})").into(),
        }
    }
}

impl<T: Into<Vec<u8>>> From<T> for Fault {
    fn from(words: T) -> Self {
        Self(words.into())
    }
}

/// A scan at hand.
pub(super) struct Scanning<'a, 'r> {
    pub(super) run: &'a mut Run<'r>,
    /// The kind of scanner.
    pub(super) name: &'static str,
    /// What stands behind it in `av_scanner`.
    pub(super) options: Vec<Vec<u8>>,
    /// The copy of the message, and the directory that it is in.
    pub(super) file: Vec<u8>,
    pub(super) directory: Vec<u8>,
    pub(super) source: Arc<dyn BodySource>,
    pub(super) length: u64,
    /// How long all of it may take.
    pub(super) time: Duration,
    /// Whom it was tried to reach; empty for nobody.
    pub(super) reached: Vec<u8>,
}

impl Run<'_> {
    /// The value of an option that names scanners and begins with a dollar sign. Otherwise,
    /// words for the log.
    pub(super) fn expanded_setting(&mut self, option: &str, text: &Str) -> Result<Str, Vec<u8>> {
        let value = self.expanded(text).map_err(|fail| {
            let head = format!("{option} starts with $, but expansion failed: ");
            [head.as_bytes(), fail.message()].concat()
        })?;
        // Nobody from outside has a command run, or a socket of this host opened.
        let is_own = value.bytes().contains(&b'/') || value.bytes().starts_with(b"cmdline");
        if value.taint().is_tainted() && is_own {
            return Err([b"Tainted ", option.as_bytes(), b" '", value.bytes(), b"'"].concat());
        }
        Ok(value)
    }
}

impl Scanning<'_, '_> {
    /// An option, if it is there and not empty.
    pub(super) fn option(&self, number: usize) -> Option<&[u8]> {
        self.options.get(number).map(Vec::as_slice).filter(|option| !option.is_empty())
    }

    /// Words about the scanner, as the log has them.
    pub(super) fn worded(&self, words: &[u8]) -> Vec<u8> {
        let head = [b"malware acl condition: ", self.name.as_bytes(), b" ", &self.reached].concat();
        [&head[..], b" : ", words].concat()
    }

    /// Writes words about the scanner to the logs, and goes on.
    pub(super) fn complain(&mut self, words: &[u8]) {
        let line = self.worded(words);
        self.run.host.log_to(Logs::PANIC, &line);
    }

    /// Opens a connection to what an option says: a socket's path, or a host and ports.
    pub(super) fn connect(&mut self, place: &[u8]) -> Result<Link, Fault> {
        self.connect_with_retry(place, None)
    }

    /// The same; where it fails, it is tried once more after a while.
    pub(super) fn connect_with_retry(
        &mut self,
        place: &[u8],
        retry: Option<Duration>,
    ) -> Result<Link, Fault> {
        let Reached { address, link } = connect_with_retry(self.run, place, self.time, retry);
        self.reached = address;
        link.map_err(Fault)
    }

    /// What a regular expression of the configuration finds in a text, group by group.
    pub(super) fn find(
        &mut self,
        pattern: &[u8],
        text: &[u8],
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, Fault> {
        static FIND: Meta = Meta::new("malware", Effects::NONE, TaintRule::Tainted);
        let found = self
            .run
            .cx
            .call(&FIND, |call| eximious_stdlib::pattern::find_in(call, pattern, false, text));
        let groups = |ranges: Vec<Option<(usize, usize)>>| {
            let group = |range: Option<(usize, usize)>| range.map(|(a, b)| text[a..b].to_vec());
            ranges.into_iter().map(group).collect()
        };
        found.map(|found| found.map(groups)).map_err(|fail| Fault(fail.message().to_vec()))
    }
}

const fn scanner(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    run: &'static ScannerRun,
) -> Scanner {
    let meta = Meta::new(name, Effects::NET, TaintRule::Tainted);
    let meta = meta.syntax(syntax).summary(summary).source("specification 45.1");
    Scanner { meta, run: Runs::of(run) }
}

/// All of them, by name.
pub static SCANNERS: &[Scanner] = &[
    avast::AVAST,
    aveserver::AVESERVER,
    clamd::CLAMD,
    cmdline::CMDLINE,
    drweb::DRWEB,
    fprot6d::FPROT6D,
    fprotd::FPROTD,
    fsecure::FSECURE,
    kavdaemon::KAVDAEMON,
    mksd::MKSD,
    sock::SOCK,
    sophie::SOPHIE,
];
