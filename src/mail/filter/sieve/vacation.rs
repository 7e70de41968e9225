//! `vacation`: answers while somebody is away (RFC 5230).

use std::fmt::Write as _;

use eximious_core::Str;
use eximious_grammar::sieve::Vacation;
use eximious_stdlib::address;
use eximious_stdlib::rfc2047;
use eximious_stdlib::variables::var;
use md5::{Digest, Md5};

use super::conditions::rules;
use super::notify::one_line;
use super::{FilterAction, Halt, Run, wrong};
use crate::mail::filter::{AutoReply, Manner};

/// For how many days nobody gets a second answer, where nothing else is said.
const DAYS: u64 = 7;

/// The least and the most days that may be said.
const DAYS_BOUNDS: (u64, u64) = (1, 31);

const DAY: u64 = 24 * 60 * 60;

/// The headers of an answer whose reason is plain text.
const MIME: &str = "MIME-Version: 1.0\nContent-Type: text/plain;\n\tcharset=\"utf-8\"\n\
    Content-Transfer-Encoding: quoted-printable";

/// The header fields of mailing lists (RFC 2369, RFC 2919).
const LIST_FIELDS: [&[u8]; 7] = [
    b"list-id",
    b"list-help",
    b"list-subscribe",
    b"list-unsubscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
];

impl Run<'_> {
    pub(super) fn vacation(&mut self, vacation: &Vacation, obeyed: bool) -> Result<(), Halt> {
        if obeyed && self.vacation && self.script.required.vacation {
            return Err(wrong(b"trying to execute vacation more than once", vacation.line));
        }
        for (from, line) in &vacation.from {
            self.check_from(&from.bytes, *line)?;
        }
        let Some(reason) = vacation.reason.as_ref().filter(|_| vacation.complete && obeyed) else {
            return Ok(());
        };
        self.vacation = true;
        if !self.is_personal(vacation)? {
            if self.options.test {
                self.note(&[b"Sieve: mail was not personal, vacation would ignore it"]);
            }
            return Ok(());
        }
        let name = file_name(vacation, &reason.bytes);
        if self.options.test {
            let head = b"Sieve: mail was personal, vacation file basename: ".as_slice();
            self.note(&[head, name.as_bytes()]);
        }
        let reply = self.reply(vacation, &reason.bytes, &name)?;
        // Nobody hears where an answer can't be sent.
        let manner = Manner { significant: false, silent: true };
        self.act(FilterAction::Mail { reply: Box::new(reply), manner });
        Ok(())
    }

    /// Every `:from` must be an address, whether it counts or not.
    fn check_from(&mut self, from: &[u8], line: u32) -> Result<(), Halt> {
        match address::parse(from, rules(self.cx)) {
            Ok(_) => Ok(()),
            Err(error) if error.is_empty() => Err(wrong(&error.message, line)),
            Err(error) => {
                let parts = [b"malformed address \"", from, b"\" (", &error.message, b")"];
                Err(wrong(&parts.concat(), line))
            }
        }
    }

    fn reply(&mut self, vacation: &Vacation, reason: &[u8], name: &str) -> Result<AutoReply, Halt> {
        let (extra_headers, text) = match vacation.mime {
            true => split(reason),
            false => (MIME.as_bytes().to_vec(), quoted_printable(reason)),
        };
        let subject = match &vacation.subject {
            Some(subject) => encoded(&subject.bytes),
            None => match self.field(b"subject")? {
                Some(old) => encoded(&[b"Auto: ", self.decoded(&old).as_slice()].concat()),
                None => b"Automated reply".to_vec(),
            },
        };
        let from = match vacation.from.last() {
            Some((from, _)) => Str::tainted(&*one_line(&from.bytes)),
            None => Str::tainted(self.own_address()),
        };
        let once = self.options.vacation_directory.as_ref().map(|directory| {
            let (path, taint) = directory.read();
            Str::from([path, b"/", name.as_bytes()].concat()).stamped(taint)
        });
        let days = vacation.days.unwrap_or(DAYS).clamp(DAYS_BOUNDS.0, DAYS_BOUNDS.1);
        Ok(AutoReply {
            vacation: true,
            to: Some(Str::tainted(self.sender())),
            from: Some(from),
            subject: Some(Str::tainted(subject)),
            extra_headers: (!extra_headers.is_empty()).then(|| Str::tainted(extra_headers)),
            text: Some(Str::tainted(text)),
            once,
            once_repeat: Some(days * DAY),
            ..AutoReply::default()
        })
    }

    /// Whether a message was sent by a person to this one.
    fn is_personal(&mut self, vacation: &Vacation) -> Result<bool, Halt> {
        if self.sender().is_empty() {
            return Ok(false);
        }
        for field in LIST_FIELDS {
            if self.field(field)?.is_some() {
                return Ok(false);
            }
        }
        for value in self.fields(b"auto-submitted")? {
            if !value.eq_ignore_ascii_case(b"no") {
                return Ok(false);
            }
        }
        for value in self.fields(b"precedence")? {
            let value = self.decoded(&value).to_ascii_lowercase();
            let has = |word: &str| memchr::memmem::find(&value, word.as_bytes()).is_some();
            if has("bulk") || has("list") || has("junk") {
                return Ok(false);
            }
        }
        let own = [self.own_address(), self.recipient()];
        let extra = vacation.addresses.iter().map(|text| text.bytes.as_slice());
        let own: Vec<&[u8]> = own.iter().map(Vec::as_slice).chain(extra).collect();
        let is_own = |found: &[u8]| own.iter().any(|own| found.eq_ignore_ascii_case(own));
        for value in self.fields(b"from")? {
            let robot = |found: &[u8]| is_own(found) || is_robot(found);
            if self.any_address(&value, own.len(), robot)? {
                return Ok(false);
            }
        }
        for field in [b"to".as_slice(), b"cc", b"bcc"] {
            for value in self.fields(field)? {
                if self.any_address(&value, own.len(), is_own)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether one of the addresses in a field is one of a kind, where each test has
    /// a cost. The search ends at what is no address; groups are none.
    fn any_address(
        &mut self,
        field: &[u8],
        cost: usize,
        test: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, Halt> {
        self.spend(field.len())?;
        let rules = rules(self.cx);
        let mut rest = field;
        loop {
            self.spend(cost)?;
            let end = address::find_end(rest, false);
            match address::parse(&rest[..end], rules) {
                Ok(address) if test(&address.text) => return Ok(true),
                Ok(_) => {}
                Err(_) => return Ok(false),
            }
            match rest.get(end + 1..) {
                Some(next) => rest = next,
                None => return Ok(false),
            }
        }
    }

    /// The recipient, without what stands around its local part.
    pub(super) fn own_address(&mut self) -> Vec<u8> {
        let (local, domain) = (self.cx.value_of(var::LOCAL_PART), self.cx.value_of(var::DOMAIN));
        [local.bytes(), b"@", domain.bytes()].concat()
    }
}

/// Whether an address belongs to a program or a list.
fn is_robot(address: &[u8]) -> bool {
    let end = address::find_at(address).unwrap_or(address.len());
    let local = address[..end].to_ascii_lowercase();
    [b"server".as_slice(), b"daemon", b"root", b"listserv", b"majordomo"].contains(&&*local)
        || local.starts_with(b"owner-")
        || local.ends_with(b"-request")
}

/// The name of the file that remembers who had this answer. A handle takes the
/// place of the sender in it, and does not stand for the rest, as in Exim's files.
fn file_name(vacation: &Vacation, reason: &[u8]) -> String {
    let text = |text: &Option<eximious_grammar::sieve::SieveString>| {
        text.as_ref().map(|text| text.bytes.clone()).unwrap_or_default()
    };
    let from = match vacation.from.last() {
        Some((from, _)) if !vacation.handle_last => from.bytes.clone(),
        _ => text(&vacation.handle),
    };
    let mut hash = Md5::new();
    hash.update(text(&vacation.subject));
    hash.update(from);
    hash.update(if vacation.mime { b"1" } else { b"0" });
    hash.update(reason);
    hash.finalize().iter().fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02X}");
        name
    })
}

/// The headers and the text of a reason that is a MIME entity.
fn split(reason: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lines = |text: &[u8]| -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|c| *c == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(line) => out.extend([line, b"\n"].concat()),
                None => out.extend_from_slice(line),
            }
        }
        out
    };
    if let Some(text) = reason.strip_prefix(b"\r\n") {
        return (Vec::new(), lines(text));
    }
    match memchr::memmem::find(reason, b"\r\n\r\n") {
        Some(end) => (lines(&reason[..end]), lines(&reason[end + 4..])),
        None => (lines(reason.strip_suffix(b"\r\n").unwrap_or(reason)), Vec::new()),
    }
}

/// A header's text as encoded words, each further one on a line of its own.
pub(super) fn encoded(text: &[u8]) -> Vec<u8> {
    let words = rfc2047::encode(text, b"utf-8");
    let mut out = Vec::with_capacity(words.len());
    let mut rest = words.as_ref();
    while let Some(at) = memchr::memmem::find(rest, b"?= =?") {
        out.extend_from_slice(&rest[..at + 2]);
        out.extend_from_slice(b"\n ");
        rest = &rest[at + 3..];
    }
    out.extend_from_slice(rest);
    out
}

/// How long a line of quoted-printable text gets before it is broken.
const FULL: usize = 73;

/// A text with its lines' ends as CR LF, quoted-printable (RFC 2045), with plain
/// newlines.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let mut start = 0;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        if let [b'\r', b'\n', after @ ..] = rest {
            out.push(b'\n');
            start = out.len();
            rest = after;
            continue;
        }
        if out.len() - start >= FULL {
            out.extend_from_slice(b"=\n");
            start = out.len();
        }
        let at_end = matches!(after, [] | [b'\r', b'\n', ..]);
        match byte {
            b' ' | b'\t' if !at_end => out.push(*byte),
            b'!'..=b'~' if *byte != b'=' => out.push(*byte),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                let digit = |n: u8| DIGITS[usize::from(n & 15)];
                out.extend_from_slice(&[b'=', digit(byte >> 4), digit(*byte)]);
            }
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_quoted_as_they_must() {
        let long = [b"a".repeat(75), b"\r\nb \r\n=\t\r\nc d ".to_vec()].concat();
        let expected = [b"a".repeat(73), b"=\naa\nb=20\n=3D=09\nc d=20".to_vec()].concat();
        assert_eq!(quoted_printable(&long), expected);
        let accents = quoted_printable("\u{e9}".repeat(13).as_bytes());
        assert_eq!(accents, ["=C3=A9".repeat(12), "=C3=\n=A9".into()].concat().as_bytes());
    }

    #[test]
    fn a_mime_entity_is_split() {
        let check = |text: &str, headers: &str, body: &str| {
            let expected = (headers.as_bytes().to_vec(), body.as_bytes().to_vec());
            assert_eq!(split(text.as_bytes()), expected, "{text}");
        };
        check("A: b\r\n\tc\r\n\r\nd\r\ne\r\n", "A: b\n\tc", "d\ne\n");
        check("\r\nd\r\n", "", "d\n");
        check("A: b\r\n", "A: b", "");
        check("A: b", "A: b", "");
    }
}
