//! What local transports share: the message with what comes before and behind it, in
//! batched SMTP if that is wanted (specification 26, 29, 49.4).

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use eximious_core::world::LocalUser;
use eximious_core::{DriverOpt, FailClass, OptionDef, OptionValue, Str};

use super::filter::{FilterFault, TransportFilter};
use super::outgoing::{LineChanges, unwritten};
use super::{Outcome, Outgoing, TransportCall, Undelivered};
use crate::Context;
use crate::config::Instance;
use crate::config::computed::text;
use crate::mail::route::{DeliveryTarget, Text};

/// A header line, or what surrounds a message, can't be told.
pub(super) const HEADERS: i32 = -27;
/// The number of what is not there (`ENOENT`).
pub(super) const NO_ENTRY: i32 = 2;
/// Something about the delivery makes no sense.
pub(super) const UNKNOWN: i32 = -1;

/// That a user's rights can't be had: why, where that is not the system's word.
pub(super) fn no_rights(user: &LocalUser, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => format!("unable to set gid={} or uid={}", user.gid, user.uid),
        None => error.to_string(),
    }
}

/// Whether a word of a command stands for the addresses, each as a word.
pub(super) fn stands_for_addresses(word: &[u8]) -> bool {
    matches!(word, b"$pipe_addresses" | b"${pipe_addresses}")
}

/// Why nothing came of a delivery.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may go another time.
    Deferred(Undelivered),
    /// It never will.
    Failed(Undelivered),
}

impl Trouble {
    /// The same of a file or a directory, where that is another than was asked for.
    pub(super) fn at(self, file: Option<Vec<u8>>) -> Self {
        let file = file.map(Arc::new);
        let named = |why: Undelivered| Undelivered { file: why.file.or(file), ..why };
        match self {
            Self::Deferred(why) => Self::Deferred(named(why)),
            Self::Failed(why) => Self::Failed(named(why)),
        }
    }
}

impl From<Undelivered> for Trouble {
    fn from(why: Undelivered) -> Self {
        Self::Deferred(why)
    }
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Deferred(why) => Self::Deferred(why),
            Trouble::Failed(why) => Self::Failed(why),
        }
    }
}

/// The options of a transport that say what surrounds a message and how its lines change.
pub(super) struct Surroundings {
    pub(super) prefix: DriverOpt<Str>,
    pub(super) suffix: DriverOpt<Str>,
    pub(super) check: DriverOpt<Str>,
    pub(super) escape: DriverOpt<Str>,
    pub(super) batched: DriverOpt<bool>,
    pub(super) crlf: DriverOpt<bool>,
}

/// Those of a driver, by the module of its handles.
macro_rules! surroundings {
    ($driver:ident) => {
        $crate::mail::transport::local::Surroundings {
            prefix: $driver::MESSAGE_PREFIX,
            suffix: $driver::MESSAGE_SUFFIX,
            check: $driver::CHECK_STRING,
            escape: $driver::ESCAPE_STRING,
            batched: $driver::USE_BSMTP,
            crlf: $driver::USE_CRLF,
        }
    };
}
pub(super) use surroundings;

impl Surroundings {
    /// Whether an option is one of the texts among them.
    pub(super) fn is_text(&self, option: &OptionDef) -> bool {
        [self.prefix, self.suffix, self.check, self.escape].iter().any(|one| one.is(option))
    }

    /// What batched SMTP makes of an option: dots at the beginnings of lines have another
    /// one before them, and nothing surrounds the message unless that is said.
    pub(super) fn batched(&self, transport: &Instance, option: &OptionDef) -> Option<OptionValue> {
        if !transport.on(self.batched) || !self.is_text(option) {
            return None;
        }
        if self.check.is(option) {
            return text(".");
        }
        if self.escape.is(option) {
            return text("..");
        }
        if transport.options.of(option).is_none() { text("") } else { None }
    }
}

/// A message as a mailbox or a command gets it.
pub(super) struct LocalText<'c> {
    before: Vec<u8>,
    outgoing: Outgoing<'c>,
    changes: LineChanges,
    after: Vec<u8>,
    /// How many bytes of it are none of what a log has as its size.
    unlogged: u64,
}

impl<'c> LocalText<'c> {
    /// The message of a call, for a file or a directory, or for a command, through the
    /// transport's own command; `crlf` says that its lines end with `\r\n` in any case.
    ///
    /// # Errors
    /// What is to be written can't be told.
    pub(super) fn new(
        call: &mut TransportCall<'c>,
        options: &Surroundings,
        filter: Option<Arc<TransportFilter>>,
        (path, crlf): (Option<&[u8]>, bool),
    ) -> Result<Self, Trouble> {
        let mut before = surrounding(call, options.prefix, ("prefix", path.is_some()))?;
        let mut outgoing = call.outgoing().map_err(|why| {
            let place = path.map(|path| [b" while writing to ", path].concat());
            let mut told = unwritten(&place.unwrap_or_default(), &why).panicking();
            if path.is_none() {
                told.message[..1].make_ascii_uppercase();
            }
            told
        })?;
        outgoing.set_filter(filter);
        let transport = call.transport;
        let batched = transport.on(options.batched);
        // What is in any case so of the message is not so of the envelope.
        let end: &[u8] = if transport.on(options.crlf) { b"\r\n" } else { b"\n" };
        let crlf = crlf || transport.on(options.crlf);
        let unlogged = if batched && path.is_some() { before.len() as u64 } else { 0 };
        if batched {
            let mut line = |parts: &[&[u8]]| {
                parts.iter().for_each(|part| before.extend_from_slice(part));
                before.extend_from_slice(end);
            };
            line(&[b"MAIL FROM:<", call.consignment.return_path.bytes(), b">"]);
            for at in 0..call.consignment.deliveries.len() {
                let delivery = call.consignment.deliveries[at];
                let to = match (&delivery.target, &delivery.address.parent) {
                    (DeliveryTarget::File { .. }, Some(parent)) => parent.text.clone(),
                    _ => call.recipient(at),
                };
                line(&[b"RCPT TO:<", to.bytes(), b">"]);
            }
            line(&[b"DATA"]);
        }
        let mut after = surrounding(call, options.suffix, ("suffix", path.is_some()))?;
        if batched {
            after.push(b'.');
            after.extend_from_slice(end);
        }
        let text =
            |option| transport.text(option).map(|text| text.bytes().to_vec()).unwrap_or_default();
        let (check, escape) = (text(options.check), text(options.escape));
        let changes = LineChanges { check, escape, in_header: batched, crlf };
        Ok(Self { before, outgoing, changes, after, unlogged })
    }

    /// Reads all of it.
    pub(super) fn reader(&self) -> Box<dyn Read + '_> {
        let message = self.outgoing.changed(self.changes.clone());
        Box::new(Cursor::new(&self.before[..]).chain(message).chain(&self.after[..]))
    }

    /// Whether it goes through the transport's command.
    pub(super) fn is_filtered(&self) -> bool {
        self.outgoing.is_filtered()
    }

    /// Why it did not come through that, if it did not.
    pub(super) fn filter_fault(&self) -> Option<FilterFault> {
        self.outgoing.filter_fault()
    }

    /// Its size as a log has it, where so many bytes were written: what stands before a batch in
    /// a file is not counted.
    pub(super) fn logged_size(&self, written: u64) -> u64 {
        written.saturating_sub(self.unlogged)
    }

    /// How many bytes it has.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn length(&self) -> io::Result<u64> {
        if self.changes == LineChanges::default() && !self.outgoing.is_filtered() {
            let around = self.before.len() as u64 + self.after.len() as u64;
            return Ok(around + self.outgoing.size());
        }
        io::copy(&mut self.reader(), &mut io::sink())
    }
}

fn surrounding(
    call: &mut TransportCall<'_>,
    option: DriverOpt<Str>,
    (what, into_file): (&str, bool),
) -> Result<Vec<u8>, Undelivered> {
    let Some(text) = call.transport.some_text(option).cloned() else { return Ok(Vec::new()) };
    let expand = |cx: &mut Context| Text::new(text.clone()).expand(cx);
    let expanded = call.transport.on_behalf_of(call.cx, option.name(), expand);
    let expanded = expanded.map_err(|fail| {
        let head = [b"Expansion of \"", text.bytes(), b"\" ("].concat();
        let tail = [b" for ", call.transport.name.bytes(), b" transport) failed"].concat();
        let told = [&head[..], what.as_bytes(), &tail].concat();
        match into_file {
            true => Undelivered::new(HEADERS, told),
            false => Undelivered::new(0, [&told[..], b": ", fail.message()].concat()).panicking(),
        }
    })?;
    Ok(expanded.bytes().to_vec())
}

impl TransportCall<'_> {
    /// An option's text, expanded; `about` says in Exim's words what it is, in
    /// parentheses, if that is said.
    ///
    /// # Errors
    /// It can't be expanded.
    pub(super) fn expand(
        &mut self,
        text: &Str,
        option: &str,
        about: &str,
    ) -> Result<Str, Undelivered> {
        self.tried(text, option, about, |_| false)
    }

    /// The same, where some kinds of failure are for the panic log.
    pub(super) fn tried(
        &mut self,
        text: &Str,
        option: &str,
        about: &str,
        panics: impl Fn(FailClass) -> bool,
    ) -> Result<Str, Undelivered> {
        let transport = self.transport;
        let expand = |cx: &mut Context| Text::new(text.clone()).expand(cx);
        transport.on_behalf_of(self.cx, option, expand).map_err(|fail| {
            let head = [b"Expansion of \"", text.bytes(), b"\" "].concat();
            let name = self.transport.name.bytes();
            let place = match about {
                "" => [b"in ", name, b" transport"].concat(),
                about => [b"(", about.as_bytes(), b" for ", name, b" transport)"].concat(),
            };
            let parts = [&head[..], &place, b" failed: ", fail.message()];
            let why = Undelivered::new(UNKNOWN, parts.concat());
            if panics(fail.class()) { why.panicking() } else { why }
        })
    }
}
