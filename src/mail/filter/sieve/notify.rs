//! `notify`: messages about messages (RFC 5435, by `mailto:` as RFC 5436 has it).

use std::borrow::Cow;

use eximious_core::Str;
use eximious_grammar::sieve::Notify;

use super::vacation::encoded;
use super::{FilterAction, Halt, Kind, Run, wrong};
use crate::mail::filter::Notice;

/// What a `mailto:` URI says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Mailto {
    /// Who gets the message: what stands in the path, then each `to`.
    to: Vec<Vec<u8>>,
    subject: Option<Vec<u8>>,
    body: Option<Vec<u8>>,
}

impl Run<'_> {
    pub(super) fn notify(&mut self, notify: &Notify, obeyed: bool) -> Result<(), Halt> {
        let Some(method) = notify.method.as_ref().filter(|_| notify.complete) else {
            return Ok(());
        };
        let mailto = read(&method.bytes).map_err(|message| wrong(message, notify.line))?;
        if !obeyed || self.is_automatic()? {
            return Ok(());
        }
        let sender = self.recipient();
        let from = match &notify.from {
            Some(from) => from.bytes.clone(),
            None => sender.clone(),
        };
        let subject = match (&notify.message, &mailto.subject) {
            (Some(message), _) => message.bytes.clone(),
            (None, Some(subject)) => subject.clone(),
            (None, None) => match self.field(b"subject")? {
                Some(old) => self.decoded(&old),
                None => Vec::new(),
            },
        };
        let to = one_line(&mailto.to.join(b", ".as_slice())).into_owned();
        // Two that differ in nothing are one.
        let all = [&method.bytes, &from, &subject].map(Vec::as_slice).join(&0u8);
        if !self.done.insert((Kind::Notify, all)) {
            return Ok(());
        }
        let owner = self.options.notify_owner.clone().unwrap_or_default();
        let (owner, taint) = owner.read();
        let auto_submitted = Str::from([b"auto-notified; ", owner].concat()).stamped(taint);
        let text = |bytes: &[u8]| Str::tainted(bytes);
        self.act(FilterAction::Notify(Box::new(Notice {
            method: text(&method.bytes),
            importance: notify.importance,
            options: notify.options.iter().map(|option| text(&option.bytes)).collect(),
            message: notify.message.as_ref().map(|message| text(&message.bytes)),
            sender: text(&one_line(&sender)),
            from: text(&one_line(&from)),
            to: text(&to),
            subject: text(&encoded(&subject)),
            auto_submitted,
            body: text(mailto.body.as_deref().unwrap_or_default()),
        })));
        Ok(())
    }

    /// Whether the message says that nobody wrote it (RFC 5435, 3.9): of such a message
    /// nobody is told, so that there is an end to notices of notices.
    fn is_automatic(&mut self) -> Result<bool, Halt> {
        self.spend(self.lines())?;
        let Some(message) = self.cx.message() else { return Ok(false) };
        Ok(message.named(b"auto-submitted").any(|header| {
            let value = header.value();
            let value = value.strip_suffix(b"\n").unwrap_or(value);
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
            let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |at| at + 1);
            &value[start..end] != b"no"
        }))
    }
}

/// A text without newlines, which would begin other header lines.
pub(super) fn one_line(text: &[u8]) -> Cow<'_, [u8]> {
    let ends = |c: &u8| matches!(c, 0 | b'\r' | b'\n');
    match text.iter().any(ends) {
        true => text.iter().map(|c| if ends(c) { b' ' } else { *c }).collect::<Vec<_>>().into(),
        false => text.into(),
    }
}

/// Reads a `mailto:` URI (RFC 6068).
///
/// # Errors
/// With Exim's words, where it is none.
pub(super) fn read(uri: &[u8]) -> Result<Mailto, &'static [u8]> {
    let rest = uri.strip_prefix(b"mailto:").ok_or(b"Unknown URI scheme".as_slice())?;
    let mut mailto = Mailto::default();
    let path = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    let (to, fields) = rest.split_at(path);
    let to = unescaped(to)?;
    if !to.is_empty() {
        mailto.to.push(to);
    }
    let Some(mut rest) = fields.strip_prefix(b"?") else { return Ok(mailto) };
    loop {
        let end = rest.iter().position(|c| !is_plain(*c)).unwrap_or(rest.len());
        let name = unescaped(&rest[..end])?;
        rest = rest[end..].strip_prefix(b"=").ok_or(b"Missing equal after hname".as_slice())?;
        let end = rest.iter().position(|c| !is_plain(*c)).unwrap_or(rest.len());
        let value = unescaped(&rest[..end])?;
        match name.to_ascii_lowercase().as_slice() {
            b"to" if !value.is_empty() => mailto.to.push(value),
            b"subject" => mailto.subject = Some(value),
            b"body" => mailto.body = Some(value),
            // The others are not sent.
            _ => {}
        }
        match &rest[end..] {
            [] => return Ok(mailto),
            [b'&', after @ ..] => rest = after,
            _ => return Err(b"Syntactically invalid URI"),
        }
    }
}

/// Whether a byte may stand in a field's name or value.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$'()*+,-._%".contains(&byte)
}

fn unescaped(text: &[u8]) -> Result<Vec<u8>, &'static [u8]> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return Err(b"Invalid URI encoding") };
        let digit = |c: &u8| (*c as char).to_digit(16);
        let (Some(high), Some(low)) = (digit(high), digit(low)) else {
            return Err(b"Invalid URI encoding");
        };
        out.push((high * 16 + low) as u8);
        rest = after;
    }
    Ok(out)
}
