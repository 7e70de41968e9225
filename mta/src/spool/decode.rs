//! Reads a header file. It may say anything: whoever wrote it is not trusted with
//! lengths, counts and branches.

use std::fmt;

use memchr::memchr;

use super::file::{
    HeaderFile, HeaderLine, Mark, RecipientDsn, RecipientExtra, SpoolRecipient, Value,
};
use super::tree::{Node, NonrecipientTree};

/// What is wrong with a file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Damage {
    /// Where, in bytes from the beginning.
    pub at: usize,
    /// What.
    pub why: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format error in spool file: {} at byte {}", self.why, self.at)
    }
}

impl std::error::Error for Damage {}

impl HeaderFile {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        match Self::decode_envelope(bytes)? {
            (file, None) => Ok(file),
            (_, Some(damage)) => Err(damage),
        }
    }

    /// Reads the bytes of a file whose header lines may be damaged: then it has those before
    /// the damage, which stands beside it.
    ///
    /// # Errors
    /// Where what stands before the header is damaged.
    pub(crate) fn decode_envelope(bytes: &[u8]) -> Result<(Self, Option<Damage>), Damage> {
        let mut input = Input { bytes, at: 0 };
        let id = input.line()?;
        let id = id.strip_suffix(b"-H").ok_or(input.damage("no name of a header file"))?.to_vec();
        let (login, uid, gid) = input.user()?;
        let sender = input.line()?;
        let sender = sender.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
        let sender = sender.ok_or(input.damage("no sender in angle brackets"))?.to_vec();
        let (received, warnings) = input.times()?;
        let mut values = Vec::new();
        while input.rest().first() == Some(&b'-') {
            values.push(input.value()?);
        }
        let not_for = input.tree()?;
        let recipients = input.recipients()?;
        let mut headers = Vec::new();
        let damage = input.headers(&mut headers).err();
        let file = Self {
            id,
            login,
            uid,
            gid,
            sender,
            received,
            warnings,
            values,
            not_for,
            recipients,
            headers,
        };
        Ok((file, damage))
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn damage(&self, why: &'static str) -> Damage {
        Damage { at: self.at, why }
    }

    /// The next line, without its newline.
    fn line(&mut self) -> Result<&'a [u8], Damage> {
        let rest = self.rest();
        let end = memchr(b'\n', rest).ok_or(self.damage("the file ends too early"))?;
        let line = &rest[..end];
        if line.contains(&0) {
            return Err(self.damage("a zero byte"));
        }
        self.at += end + 1;
        Ok(line)
    }

    /// A number of bytes, whatever they are.
    fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let taken =
            self.rest().get(..count).ok_or(self.damage("a length beyond the file's end"))?;
        self.at += count;
        Ok(taken)
    }

    fn user(&mut self) -> Result<(Vec<u8>, i64, i64), Damage> {
        let line = self.line()?;
        // The login name comes first, and may have blanks.
        let parsed = split_last(line).and_then(|(rest, gid)| {
            let (login, uid) = split_last(rest)?;
            Some((login.to_vec(), number(uid)?, number(gid)?))
        });
        parsed.ok_or(self.damage("no user and group"))
    }

    fn times(&mut self) -> Result<(i64, i64), Damage> {
        let line = self.line()?;
        let parsed = split_last(line)
            .and_then(|(received, warnings)| Some((number(received)?, number(warnings)?)));
        parsed.ok_or(self.damage("no time and number of warnings"))
    }

    fn value(&mut self) -> Result<Value, Damage> {
        let line = self.line()?;
        let rest = &line[1..];
        let (mark, rest) = match rest {
            [b'-', b'(', rest @ ..] => {
                let end = memchr(b')', rest).ok_or(self.damage("a mark without an end"))?;
                (Mark::Quoted(rest[..end].to_vec()), &rest[end + 1..])
            }
            [b'-', rest @ ..] => (Mark::Tainted, rest),
            rest => (Mark::Clean, rest),
        };
        let (name, text) = match memchr(b' ', rest) {
            Some(end) => (&rest[..end], Some(&rest[end + 1..])),
            None => (rest, None),
        };
        let mut value = Value { mark, name: name.to_vec(), ..Value::default() };
        if !matches!(name, b"acl" | b"aclc" | b"aclm") {
            if name == b"frozen" && text.and_then(number).is_none() {
                return Err(self.damage("no time of freezing"));
            }
            value.text = text.map(<[u8]>::to_vec);
            return Ok(value);
        }
        let parsed = text.and_then(split_last);
        let parsed = parsed.and_then(|(text, count)| Some((text, length(count)?)));
        let (text, count) = parsed.ok_or(self.damage("no length of an ACL variable"))?;
        value.text = Some(text.to_vec());
        value.data = Some(self.take(count)?.to_vec());
        match self.take(1)? {
            b"\n" => Ok(value),
            _ => Err(self.damage("no newline after an ACL variable")),
        }
    }

    fn tree(&mut self) -> Result<NonrecipientTree, Damage> {
        if self.rest().starts_with(b"XX\n") {
            self.at += 3;
            return Ok(NonrecipientTree::default());
        }
        NonrecipientTree::read(|| {
            let line = self.line()?;
            let branch = |letter| match letter {
                b'Y' => Some(true),
                b'N' => Some(false),
                _ => None,
            };
            let node = match line {
                [left, right, b' ', address @ ..] => branch(*left)
                    .zip(branch(*right))
                    .map(|(left, right)| Node { left, right, address: address.to_vec() }),
                _ => None,
            };
            node.ok_or(self.damage("no node of the tree of non-recipients"))
        })
    }

    fn recipients(&mut self) -> Result<Vec<SpoolRecipient>, Damage> {
        let count = length(self.line()?).ok_or(self.damage("no number of recipients"))?;
        // Each takes a line: no room is made for what is only announced.
        let mut recipients = Vec::new();
        for _ in 0..count {
            let line = self.line()?;
            recipients.push(recipient(line).ok_or(self.damage("no recipient"))?);
        }
        Ok(recipients)
    }

    /// The header lines, as far as they are what they should be.
    fn headers(&mut self, headers: &mut Vec<HeaderLine>) -> Result<(), Damage> {
        if !self.line()?.is_empty() {
            return Err(self.damage("no blank line before the header"));
        }
        while !self.rest().is_empty() {
            headers.push(self.header()?);
        }
        Ok(())
    }

    fn header(&mut self) -> Result<HeaderLine, Damage> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let count = length(&rest[..digits]).ok_or(self.damage("no length of a header line"))?;
        let kind = match rest.get(digits..digits + 2) {
            Some(&[kind, b' ']) => kind,
            _ => return Err(self.damage("no kind of a header line")),
        };
        self.at += digits + 2;
        Ok(HeaderLine { kind, line: self.take(count)?.to_vec() })
    }
}

/// What stands before the last blank, and behind it.
fn split_last(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = line.iter().rposition(|c| *c == b' ')?;
    Some((&line[..blank], &line[blank + 1..]))
}

/// A number as it is written: no sign but a minus, no zeros before it.
fn number(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

/// A length; zeros may stand before it.
fn length(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether a line of a recipient goes on behind the address.
pub(super) fn looks_longer(line: &[u8]) -> bool {
    let digits = line.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    digits > 0 && line[..line.len() - digits].ends_with(b"#")
}

/// `ADDRESS ORCPT LENGTH,FLAGS ERRORS_TO LENGTH,PARENT#BITS`. Each field may have
/// blanks, so that it is read from its end.
fn recipient(line: &[u8]) -> Option<SpoolRecipient> {
    if !looks_longer(line) {
        // The blank line that ends the list is none of it.
        return (!line.is_empty()).then(|| SpoolRecipient { address: line.to_vec(), more: None });
    }
    let hash = line.iter().rposition(|c| *c == b'#')?;
    let has_reports = match &line[hash + 1..] {
        b"1" => false,
        b"3" => true,
        _ => return None,
    };
    let (rest, errors_to, parent) = field(&line[..hash])?;
    let (rest, reports) = match has_reports {
        false => (rest, None),
        true => {
            let (rest, original, flags) = field(rest)?;
            (rest, Some(RecipientDsn { original: original.to_vec(), flags }))
        }
    };
    let more = RecipientExtra { reports, errors_to: errors_to.to_vec(), parent };
    Some(SpoolRecipient { address: rest.to_vec(), more: Some(more) })
}

/// What stands before ` TEXT LENGTH,NUMBER`, the text, and the number.
fn field(line: &[u8]) -> Option<(&[u8], &[u8], i64)> {
    let (rest, numbers) = split_last(line)?;
    let comma = memchr(b',', numbers)?;
    let count = usize::try_from(number(&numbers[..comma])?).ok()?;
    let value = number(&numbers[comma + 1..])?;
    let begin = rest.len().checked_sub(count)?;
    let before = rest[..begin].strip_suffix(b" ")?;
    Some((before, &rest[begin..], value))
}
