//! The message as a transport sends it: the header lines that the routers and the transport
//! add, remove and rewrite, and the body (specification, chapter 24).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use eximious_core::{DriverOpt, FailClass, Header, Message, Str};
use eximious_stdlib::lists::elements_by;
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::filter::{FilterFault, TransportFilter};
use super::filtered::FilteredBody;
use super::{Consignment, Transport, TransportCall, Undelivered};
use crate::Context;
use crate::config::rewrite_rules;
use crate::mail::rewrite::Rewriter;
use crate::mail::rewrite::header::{self as rewrite, place_of};
use crate::mail::route::{Attached, Delivery};
use crate::mail::smtp_client::Chunks;

/// A message on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing<'m> {
    /// The header, with the blank line behind it; nothing with `body_only`.
    pub(crate) head: Vec<u8>,
    rest: Rest<'m>,
    /// The command that it goes through.
    filter: Option<Arc<TransportFilter>>,
}

/// What stands behind the header.
#[derive(Clone, Debug, Default)]
enum Rest<'m> {
    #[default]
    Nothing,
    /// The body of a message.
    Message(&'m Message),
    /// What a command has made of one already.
    Filtered(FilteredBody),
}

/// The number of a header that can't be told.
const UNWRITTEN: i32 = -25;

/// Why a message is not written, to this place, if that is said: its header can't be told.
pub(super) fn unwritten(place: &[u8], why: &[u8]) -> Undelivered {
    let head = b"failed to expand headers_add or headers_remove".as_slice();
    Undelivered::new(UNWRITTEN, [head, place, b": ", why].concat())
}

/// What is changed about the lines of a message as they are written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct LineChanges {
    /// A line that begins so …
    pub(crate) check: Vec<u8>,
    /// … begins with this instead.
    pub(crate) escape: Vec<u8>,
    /// Whether that is so in the header, too.
    pub(crate) in_header: bool,
    /// Whether lines end with `\r\n`.
    pub(crate) crlf: bool,
}

impl<'c> TransportCall<'c> {
    /// The message as it leaves.
    ///
    /// # Errors
    /// Header lines can't be told: why ([`unwritten`]).
    pub(crate) fn outgoing(&mut self) -> Result<Outgoing<'c>, Vec<u8>> {
        self.consignment.outgoing(self.cx, self.transport)
    }
}

impl<'c> Consignment<'c> {
    /// The message as it leaves by a transport.
    ///
    /// # Errors
    /// Header lines can't be told: why ([`unwritten`]).
    pub(super) fn outgoing(
        &self,
        cx: &mut Context,
        transport: &Transport,
    ) -> Result<Outgoing<'c>, Vec<u8>> {
        let message = self.message;
        let mut head = Vec::new();
        if !transport.on(opt::BODY_ONLY) {
            self.add_own(cx, transport, &mut head);
            let attached = &self.deliveries[0].address.attached;
            head.extend(header_lines(cx, transport, message, attached)?);
            head.push(b'\n');
        }
        let rest = match transport.on(opt::HEADERS_ONLY) {
            true => Rest::Nothing,
            false => Rest::Message(message),
        };
        Ok(Outgoing { head, rest, filter: None })
    }

    /// `return_path_add`, `envelope_to_add`, `delivery_date_add`.
    fn add_own(&self, cx: &mut Context, transport: &Transport, head: &mut Vec<u8>) {
        let mut line = |parts: &[&[u8]]| {
            parts.iter().for_each(|part| head.extend_from_slice(part));
            head.push(b'\n');
        };
        if transport.on(opt::RETURN_PATH_ADD) {
            line(&[b"Return-path: <", self.return_path.bytes(), b">"]);
        }
        if transport.on(opt::ENVELOPE_TO_ADD) {
            line(&[b"Envelope-to: ", &recipients(self.deliveries).join(&b",\n "[..])]);
        }
        if transport.on(opt::DELIVERY_DATE_ADD) {
            line(&[b"Delivery-date: ", cx.value_of(var::TOD_FULL).bytes()]);
        }
    }
}

/// The message's recipients whom deliveries are for, each once.
fn recipients<'d>(deliveries: &[&'d Delivery]) -> Vec<&'d [u8]> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for delivery in deliveries {
        let others = delivery.recipients.iter().map(|(number, text)| (Some(*number), text));
        let own = delivery.recipients.is_empty().then(|| (None, delivery.original()));
        for (number, text) in others.chain(own) {
            // Of what has no number, the text tells whether it is the same.
            let key = (number, number.is_none().then(|| text.bytes()));
            if seen.insert(key) {
                all.push(text.bytes());
            }
        }
    }
    all
}

impl<'m> Outgoing<'m> {
    /// A header, and the body of a message.
    #[cfg(test)]
    pub(crate) fn of(head: Vec<u8>, message: &'m Message) -> Self {
        Self { head, rest: Rest::Message(message), filter: None }
    }

    /// What a command has made of a message: a header, and what is behind that.
    pub(super) fn filtered(head: Vec<u8>, body: FilteredBody) -> Self {
        Self { head, rest: Rest::Filtered(body), filter: None }
    }

    /// Has it go through a command, if there is one.
    pub(super) fn set_filter(&mut self, filter: Option<Arc<TransportFilter>>) {
        self.filter = filter;
    }

    /// Whether it goes through a command.
    pub(super) fn is_filtered(&self) -> bool {
        self.filter.is_some()
    }

    /// Why it did not come through the command, if it did not.
    pub(super) fn filter_fault(&self) -> Option<FilterFault> {
        self.filter.as_ref()?.fault()
    }

    /// How many bytes it has, as long as no line is changed.
    pub(crate) fn size(&self) -> u64 {
        let rest = match &self.rest {
            Rest::Nothing => 0,
            Rest::Message(message) => message.stray.len() as u64 + message.body.len(),
            Rest::Filtered(body) => body.len(),
        };
        self.head.len() as u64 + rest
    }

    /// Reads it; newlines are `\n`.
    pub(crate) fn reader(&self) -> Box<dyn Read + '_> {
        let all = Box::new(Cursor::new(&self.head[..]).chain(self.body()));
        match &self.filter {
            Some(filter) => filter.through(all),
            None => all,
        }
    }

    /// Reads it to its end, after which it is not needed any more.
    pub(crate) fn into_reader(self) -> Box<dyn Read + 'm> {
        let body = self.body();
        let all = Box::new(Cursor::new(self.head).chain(body));
        match self.filter {
            Some(filter) => filter.through(all),
            None => all,
        }
    }

    /// Reads its body.
    pub(crate) fn body(&self) -> Box<dyn Read + 'm> {
        match &self.rest {
            Rest::Nothing => Box::new(io::empty()),
            Rest::Message(message) => Box::new(message.stray.chain(message.body.reader())),
            Rest::Filtered(body) => Box::new(body.clone()),
        }
    }

    /// As `BDAT` sends it.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn chunks(&self) -> io::Result<Chunks<'m>> {
        Chunks::new(&self.head, &|| self.body())
    }

    /// Reads it with changed lines. What has come through a command is all one.
    pub(crate) fn changed(&self, changes: LineChanges) -> Box<dyn Read + '_> {
        if changes == LineChanges::default() {
            return self.reader();
        }
        if changes.in_header || self.filter.is_some() {
            return Box::new(ChangedLines::new(self.reader(), changes));
        }
        let ends = LineChanges { crlf: changes.crlf, ..LineChanges::default() };
        let head = ChangedLines::new(Box::new(Cursor::new(&self.head[..])), ends);
        Box::new(head.chain(ChangedLines::new(self.body(), changes)))
    }

    /// Whether there is a byte in it that is not of ASCII.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn has_high_bytes(&self) -> io::Result<bool> {
        let (mut reader, mut piece) = (self.reader(), vec![0; 16 * 1024]);
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(false),
                count if !piece[..count].is_ascii() => return Ok(true),
                _ => {}
            }
        }
    }
}

/// The lines of a message's header as they leave: without those that the routers and the
/// transport remove, with other addresses where the transport wants that, and with those
/// that they add behind.
///
/// # Errors
/// What the transport's options say of it can't be told: why.
pub(crate) fn header_lines(
    cx: &mut Context,
    transport: &Transport,
    message: &Message,
    attached: &Attached,
) -> Result<Vec<u8>, Vec<u8>> {
    let own = items(cx, transport, opt::HEADERS_REMOVE, b':')?;
    // What an item is expanded to is one name, whatever it looks like; what a router says becomes
    // a list again, in which blanks around it are none of it.
    let said = attached.headers_remove.iter().map(|name| name.bytes().trim_ascii());
    let removed: Vec<&[u8]> = said.chain(own.iter().map(Str::bytes)).collect();
    let stays = |header: &&Header| !is_removed(header, &removed);
    let rules = transport.text(opt::HEADERS_REWRITE).map(|text| rewrite_rules(text.bytes()));
    let rules = rules.transpose()?.unwrap_or_default();
    let mut lines = Vec::new();
    if rules.is_empty() {
        message.headers.iter().filter(stays).for_each(|one| lines.extend_from_slice(&one.line));
    } else {
        let (rewriter, log) = (Rewriter::new(&rules), cx.log());
        for header in message.headers.iter().filter(stays) {
            let new = place_of(&header.name).and_then(|place| {
                transport.on_behalf_of(cx, opt::HEADERS_REWRITE.name(), |cx| {
                    let tell = |fault: &[u8]| log.main(fault);
                    rewrite::line(cx, Some(&rewriter), place, header, None, &tell)
                })
            });
            lines.extend_from_slice(new.as_deref().unwrap_or(&header.line));
        }
    }
    let own = items(cx, transport, opt::HEADERS_ADD, b'\n')?;
    for text in attached.headers_add.iter().chain(&own) {
        lines.extend_from_slice(text.bytes());
        if lines.last().is_some_and(|byte| *byte != b'\n') {
            lines.push(b'\n');
        }
    }
    Ok(lines)
}

/// Whether a list of names, which may end with a star, has that of a header line.
fn is_removed(header: &Header, names: &[&[u8]]) -> bool {
    names.iter().any(|name| match name.strip_suffix(b"*") {
        Some(head) => {
            let start = header.name.get(..head.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(head))
        }
        None => header.is(name),
    })
}

/// The items of a list of the transport's, each expanded by itself, without those that are empty
/// or forced to fail.
fn items(
    cx: &mut Context,
    transport: &Transport,
    option: DriverOpt<Str>,
    separator: u8,
) -> Result<Vec<Str>, Vec<u8>> {
    let Some(list) = transport.some_text(option).cloned() else { return Ok(Vec::new()) };
    let engine = cx.engine().clone();
    let expanded = |item: Cow<'_, [u8]>| {
        let text = transport.on_behalf_of(cx, option.name(), |cx| engine.expand_once(&item, cx));
        match text {
            Ok(text) => (!text.is_empty()).then_some(Ok(text)),
            Err(fail) if fail.class() == FailClass::Forced => None,
            Err(fail) => Some(Err(fail.message().to_vec())),
        }
    };
    elements_by(list.bytes(), separator).filter_map(expanded).collect()
}

/// Changes lines as they are read.
struct ChangedLines<'r> {
    from: Box<dyn Read + 'r>,
    changes: LineChanges,
    /// The beginning of a line, as long as it is not known whether that is changed.
    begins: Option<Vec<u8>>,
    out: Cursor<Vec<u8>>,
}

impl<'r> ChangedLines<'r> {
    fn new(from: Box<dyn Read + 'r>, changes: LineChanges) -> Self {
        Self { from, changes, begins: Some(Vec::new()), out: Cursor::default() }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        if let Some(start) = &mut self.begins {
            start.push(byte);
            if self.changes.check.starts_with(start) && start.len() < self.changes.check.len() {
                return;
            }
            let start = self.begins.take().unwrap_or_default();
            let is_changed = !self.changes.check.is_empty() && start == self.changes.check;
            let start = if is_changed { &self.changes.escape } else { &start };
            for byte in start.clone() {
                self.put(byte, out);
            }
            return;
        }
        self.put(byte, out);
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte == b'\n' {
            if self.changes.crlf {
                out.push(b'\r');
            }
            self.begins = Some(Vec::new());
        }
        out.push(byte);
    }
}

impl Read for ChangedLines<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.out.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            let mut piece = vec![0; 16 * 1024];
            let count = self.from.read(&mut piece)?;
            let mut out = Vec::with_capacity(count + count / 16);
            piece[..count].iter().for_each(|byte| self.take(*byte, &mut out));
            if count == 0 {
                // What might have gone on does not.
                match self.begins.take() {
                    Some(start) if !start.is_empty() => out.extend(start),
                    _ => return Ok(0),
                }
            }
            self.out = Cursor::new(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, check: &str, escape: &str, crlf: bool) -> String {
        written((b"", text), (check, escape), false, crlf)
    }

    fn written(
        (head, body): (&[u8], &str),
        (check, escape): (&str, &str),
        in_header: bool,
        crlf: bool,
    ) -> String {
        let message = Message::new(Vec::new(), body);
        let outgoing = Outgoing::of(head.to_vec(), &message);
        let changes = LineChanges { check: check.into(), escape: escape.into(), in_header, crlf };
        let mut out = String::new();
        outgoing.changed(changes).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn lines_are_changed_at_their_beginning() {
        for (text, check, escape, crlf, out) in [
            (
                "From a\nxFrom\nFrom\nFrom b",
                "From ",
                ">From ",
                false,
                ">From a\nxFrom\nFrom\n>From b",
            ),
            (".\n..\na.\n", ".", "..", false, "..\n...\na.\n"),
            ("a\n\nb", "", "", true, "a\r\n\r\nb"),
            ("Fro", "From ", ">From ", false, "Fro"),
            ("\nFrom ", "From ", ">", true, "\r\n>"),
            ("", "From ", ">", true, ""),
        ] {
            assert_eq!(changed(text, check, escape, crlf), out, "{text:?}");
        }
    }

    #[test]
    fn lines_of_the_header_stay_unless_that_is_said() {
        let message = (&b".a: b\n\n"[..], ".\n");
        let text = |in_header, crlf| written(message, (".", ".."), in_header, crlf);
        assert_eq!(text(false, false), ".a: b\n\n..\n");
        assert_eq!(text(false, true), ".a: b\r\n\r\n..\r\n");
        assert_eq!(text(true, false), "..a: b\n\n..\n");
    }
}
