//! What is asked while a mailbox is written to: bytes, names, sizes.

use std::io::{self, Read};

use eximious_core::world::Moment;
use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxFault, MailboxFaultKind, MailboxForm, MailboxOrder, MailboxSupply,
};
use eximious_core::{DriverOpt, FailClass, Str};
use eximious_stdlib::options::opt as main;
use eximious_stdlib::options::opt::transport::appendfile as opt;
use eximious_stdlib::pattern::{CompiledPattern, find_in};
use eximious_stdlib::variables::var;

use super::order::compile;
use super::{META, UNKNOWN};
use crate::Context;
use crate::mail::route::{DeliveryTarget, Text};
use crate::mail::transport::local::LocalText;
use crate::mail::transport::{Transport, TransportCall, Undelivered};

/// The months, as MBX files name them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The room for bytes that are told before they are asked for, at first.
const ROOM: usize = 8 << 10;

/// The answers.
pub(super) struct Supply<'s> {
    cx: &'s mut Context,
    transport: &'s Transport,
    reader: Box<dyn Read + 's>,
    /// Whether nothing may be read before the mailbox is there.
    waits: bool,
    /// What was wrong when bytes were read before they were asked for.
    unread: Option<io::Error>,
    /// The message's sender, whatever `return_path` says.
    sender: Str,
    recipients: Vec<Str>,
    sizes: Option<Str>,
    counts: Option<CompiledPattern>,
}

impl<'s> Supply<'s> {
    pub(super) fn new(
        call: &'s mut TransportCall<'_>,
        text: &'s LocalText<'_>,
        (order, chosen): (&MailboxOrder, Option<&[u8]>),
        is_mbx: bool,
    ) -> Result<Self, Undelivered> {
        let transport = call.transport;
        let sizes = transport.some_text(opt::QUOTA_SIZE_REGEX).filter(|_| order.quota.names_tell);
        let sizes = sizes.cloned();
        let keeps_sizes = matches!(order.form, MailboxForm::Maildir { keeps_sizes: true, .. });
        let measures = order.quota.bytes > 0 || order.quota.measures || keeps_sizes;
        if let Some(pattern) = sizes.as_ref().filter(|_| measures) {
            compile(call, pattern)?;
        }
        let counts = transport.some_text(opt::MAILDIR_QUOTA_DIRECTORY_REGEX);
        let counts = counts.filter(|_| keeps_sizes);
        let counts = counts.map(|text| compile(call, text)).transpose()?;
        let all = 0..call.consignment.deliveries.len();
        let recipients = all.map(|at| enveloped(call, at, chosen)).collect();
        let mut reader = text.reader();
        if is_mbx {
            let length = text.length().map_err(|error| {
                // So Exim has it, which writes all of it elsewhere to have its length.
                let place = match text.filter_fault() {
                    Some(why) if !why.is_timeout() && !why.is_cut() => &order.path[..],
                    _ => b"temporary file",
                };
                let told = [b"error while writing to ", place].concat();
                super::unwritten(text, MailboxFault::of(&error, told))
            })?;
            let head = mbx_head(call.cx, call.consignment.now, length);
            reader = Box::new(io::Cursor::new(head).chain(reader));
        }
        let sender = call.consignment.message.sender.clone();
        // The command runs in the maildir.
        let waits = text.is_filtered() && matches!(order.form, MailboxForm::Maildir { .. });
        let (cx, unread) = (&mut *call.cx, None);
        Ok(Self { cx, transport, reader, waits, unread, sender, recipients, sizes, counts })
    }

    /// Expands an option's text; a forced failure is nothing, if it may be.
    fn text(
        &mut self,
        (option, may_be_nothing): (DriverOpt<Str>, bool),
        about: &str,
    ) -> Result<Option<Str>, MailboxFault> {
        let Some(text) = self.transport.text(option).cloned() else { return Ok(None) };
        Text::new(text.clone()).expand(self.cx).map(Some).or_else(|fail| match fail.class() {
            FailClass::Forced if may_be_nothing => Ok(None),
            _ => {
                let head = [b"Expansion of \"", text.bytes(), b"\" ("].concat();
                let name = self.transport.name.bytes();
                let tail = [b" for ", name, b" transport) failed: ", fail.message()].concat();
                let message = [&head[..], about.as_bytes(), &tail].concat();
                let kind = MailboxFaultKind::Senseless;
                Err(MailboxFault { kind, ..MailboxFault::new(UNKNOWN, message) })
            }
        })
    }
}

/// The line that comes before a message of so many bytes in an MBX file.
fn mbx_head(cx: &mut Context, now: i64, length: u64) -> Vec<u8> {
    let moment = Moment { seconds: now, nanos: 0 };
    let zone = cx.engine().settings().given(main::TIMEZONE).map(|zone| zone.display().into_owned());
    let civil = cx.engine().world().clock.civil(moment, zone.as_deref());
    let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1)).copied().unwrap_or("Jan");
    let sign = if civil.offset < 0 { '-' } else { '+' };
    let offset = civil.offset.unsigned_abs() / 60;
    format!(
        "{:2}-{month}-{:04} {:02}:{:02}:{:02} {sign}{:02}{:02},{length};000000000000-00000000\r\n",
        civil.day,
        civil.year,
        civil.hour,
        civil.minute,
        civil.second,
        offset / 60,
        offset % 60,
    )
    .into_bytes()
}

/// What of a text may be in a name: no slash, and nothing that can't be seen. A letter or
/// digit at its head has a colon before it.
fn tag(text: &[u8]) -> Vec<u8> {
    let seen =
        text.iter().copied().filter(|byte| matches!(byte, b'!'..=b'.' | b'0'..=b'~' | 128..));
    let mut tag: Vec<u8> = seen.collect();
    if tag.first().is_some_and(u8::is_ascii_alphanumeric) {
        tag.insert(0, b':');
    }
    tag
}

/// An address as the envelope of `mailstore_format` has it: as it was routed, without affixes,
/// and with its domain behind a file or a command, too.
fn enveloped(call: &TransportCall<'_>, at: usize, chosen: Option<&[u8]>) -> Str {
    let delivery = call.consignment.deliveries[at];
    let address = &delivery.address;
    let local_part = match (chosen, &delivery.target) {
        (Some(path), _) => Str::from(path),
        (None, DeliveryTarget::Address) => address.local_part.clone(),
        (None, _) => address.text.clone(),
    };
    if address.domain.is_empty() {
        return local_part;
    }
    let (text, taint) = local_part.read();
    Str::from([text, b"@", address.domain.bytes()].concat()).stamped(taint)
}

/// The size that a name tells from here on: a number, with a point and an exponent if it has
/// them, which goes just as far as is said.
fn size_told(text: &[u8], length: usize) -> Option<u64> {
    let number = |end: usize| std::str::from_utf8(&text[..end]).ok()?.parse::<f64>().ok();
    let (end, size) = (1..=text.len()).rev().find_map(|end| Some((end, number(end)?)))?;
    let is_size = end == length && size < i64::MAX as f64;
    // What is below zero, or no number, is nothing.
    is_size.then_some(size as u64)
}

/// A text that ends with a newline, unless it is empty.
fn line(text: &Str) -> Vec<u8> {
    let mut line = text.bytes().to_vec();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

impl MailboxSupply for Supply<'_> {
    fn beforehand(&mut self, most: usize) -> MailboxBeforehand {
        let most = if self.waits { 0 } else { most };
        // Most messages fit in.
        let mut bytes = Vec::with_capacity(most.min(ROOM));
        let read = (&mut self.reader).take(most as u64).read_to_end(&mut bytes);
        self.unread = read.err();
        let is_all = self.unread.is_none() && bytes.len() < most;
        let is_untagged = self.transport.some_text(opt::MAILDIR_TAG).is_none();
        MailboxBeforehand { bytes, is_all, is_untagged }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.unread.take() {
            Some(error) => Err(error),
            None => self.reader.read(into),
        }
    }

    fn name(&mut self, inode: u64) -> Result<Vec<u8>, MailboxFault> {
        self.cx.set_var(var::INODE, inode.to_string());
        let name = self.text((opt::DIRECTORY_FILE, false), opt::DIRECTORY_FILE.name());
        self.cx.unset_var(var::INODE);
        let name = name.map_err(|fault| MailboxFault { number: 0, ..fault })?;
        Ok(name.unwrap_or_default().bytes().to_vec())
    }

    fn tag(&mut self, written: u64) -> Result<Vec<u8>, MailboxFault> {
        if self.transport.some_text(opt::MAILDIR_TAG).is_none() {
            return Ok(Vec::new());
        }
        let before = self.cx.value_of(var::MESSAGE_SIZE);
        self.cx.set_var(var::MESSAGE_SIZE, written.to_string());
        let text = self.text((opt::MAILDIR_TAG, true), opt::MAILDIR_TAG.name());
        self.cx.set_var(var::MESSAGE_SIZE, before);
        Ok(tag(text?.unwrap_or_default().bytes()))
    }

    fn envelope(&mut self, base: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        self.cx.set_var(var::MAILSTORE_BASENAME, Str::from(base));
        let texts =
            self.text((opt::MAILSTORE_PREFIX, true), "mailstore prefix").and_then(|prefix| {
                let suffix = self.text((opt::MAILSTORE_SUFFIX, true), "mailstore suffix")?;
                let [prefix, suffix] =
                    [prefix, suffix].map(|text| text.as_ref().map(line).unwrap_or_default());
                Ok((prefix, suffix))
            });
        self.cx.unset_var(var::MAILSTORE_BASENAME);
        let (mut envelope, suffix) = texts?;
        for address in std::iter::once(&self.sender).chain(&self.recipients) {
            envelope.extend_from_slice(address.bytes());
            envelope.push(b'\n');
        }
        envelope.extend(suffix);
        Ok(envelope)
    }

    fn sizes(&mut self, names: &[Vec<u8>]) -> Vec<Option<u64>> {
        let Some(pattern) = &self.sizes else { return Vec::new() };
        self.cx.call(&META, |call| {
            let mut size = |name: &Vec<u8>| {
                let groups = find_in(call, pattern.bytes(), false, name).ok()??;
                let (start, end) = groups.get(1).copied()??;
                size_told(name.get(start..)?, end.checked_sub(start)?)
            };
            names.iter().map(&mut size).collect()
        })
    }

    fn counts(&mut self, directory: &[u8]) -> bool {
        self.counts.as_ref().is_none_or(|pattern| pattern.is_match(directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_is_in_a_tag() {
        for (text, made) in [
            (&b",S=1"[..], &b",S=1"[..]),
            (b"1/2 \x7f\n", b":12"),
            (b",\xc3\x9c=1", b",\xc3\x9c=1"),
            (b"\xff1", b"\xff1"),
            (b"/\x01", b""),
        ] {
            assert_eq!(tag(text), made);
        }
    }

    #[test]
    fn a_size_ends_where_it_is_said_to() {
        for (text, length, size) in [
            ("150", 3, Some(150)),
            ("150:2,S", 3, Some(150)),
            ("150", 2, None),
            ("1234.x", 4, None),
            ("34.x", 3, Some(34)),
            ("1e3", 3, Some(1000)),
            ("-5", 2, Some(0)),
            ("x", 1, None),
            ("", 0, None),
            ("1e20", 4, None),
        ] {
            assert_eq!(size_told(text.as_bytes(), length), size, "{text} {length}");
        }
    }
}
