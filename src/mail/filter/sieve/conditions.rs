//! The tests of a script.

use std::borrow::Cow;

use eximious_core::Header;
use eximious_grammar::sieve::{
    AddressPart, BodyTransform, Comparator, MatchType, Matching, SieveString, SieveTest, SizeOrder,
};
use eximious_stdlib::address::{self, AddrSpec, Rules};
use eximious_stdlib::options::opt;
use eximious_stdlib::rfc2047;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording::reason;

use super::compare::{Rule, Trouble};
use super::{Halt, Run, body, notify, wrong};
use crate::Context;

/// Header fields that hold addresses.
const ADDRESS_FIELDS: [&[u8]; 7] =
    [b"from", b"to", b"cc", b"bcc", b"sender", b"resent-from", b"resent-to"];

/// How many bytes of the fields of one name are looked at.
const MOST_BYTES: usize = 0x10000;

impl Run<'_> {
    /// Whether a test holds. One that is not wanted compares nothing; some
    /// mistakes in it count anyway.
    pub(super) fn test(&mut self, test: &SieveTest, wanted: bool) -> Result<bool, Halt> {
        self.spend(1)?;
        match test {
            SieveTest::Fault => Err(self.fault()),
            SieveTest::Constant(value) => Ok(*value),
            SieveTest::Not(test) => Ok(!self.test(test, wanted)?),
            // All are tested, as Exim does it.
            SieveTest::AllOf(tests) => {
                let mut all = true;
                for test in tests {
                    all &= self.test(test, wanted)?;
                }
                Ok(all)
            }
            SieveTest::AnyOf(tests) => {
                let mut any = false;
                for test in tests {
                    any |= self.test(test, wanted)?;
                }
                Ok(any)
            }
            SieveTest::Exists { headers, line } => self.exists(headers, *line, wanted),
            SieveTest::Size { order, limit } => {
                let size = self.cx.message().map_or(0, |message| message.size);
                Ok(match order {
                    SizeOrder::Over => size > *limit,
                    SizeOrder::Under => size < *limit,
                })
            }
            SieveTest::Header { matching, headers } => self.header(matching, headers, wanted),
            SieveTest::Address { matching, part, headers } => {
                self.address(matching, *part, headers, wanted)
            }
            SieveTest::Envelope { matching, part, envelopes } => {
                self.envelope(matching, *part, envelopes, wanted)
            }
            SieveTest::Body { matching, transform } => self.body(matching, transform, wanted),
            SieveTest::ValidNotifyMethod { methods } => {
                Ok(wanted && methods.iter().all(|method| notify::read(&method.bytes).is_ok()))
            }
            SieveTest::NotifyMethodCapability { matching, method, capability } => {
                let known = notify::read(&method.bytes).is_ok()
                    && capability.bytes.eq_ignore_ascii_case(b"online");
                if wanted && known { self.any(matching, b"maybe") } else { Ok(false) }
            }
        }
    }

    fn exists(&mut self, headers: &[SieveString], line: u32, wanted: bool) -> Result<bool, Halt> {
        if !wanted {
            return Ok(true);
        }
        for header in headers {
            let name = existing_name(&header.bytes)
                .ok_or_else(|| wrong(b"header string expansion failed", line))?;
            self.spend(self.lines())?;
            if self.cx.message().is_none_or(|message| message.named(name).next().is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn header(
        &mut self,
        m: &Matching,
        headers: &[SieveString],
        wanted: bool,
    ) -> Result<bool, Halt> {
        for header in headers {
            self.spend(1)?;
            if !is_field_name(&header.bytes) {
                return Err(wrong(b"invalid header field", m.line));
            }
            if !wanted {
                continue;
            }
            if let Some(value) = self.field(&header.bytes)? {
                let value = self.decoded(&value);
                if self.any(m, &value)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn address(
        &mut self,
        m: &Matching,
        part: AddressPart,
        headers: &[SieveString],
        wanted: bool,
    ) -> Result<bool, Halt> {
        for header in headers {
            self.spend(1)?;
            if !ADDRESS_FIELDS.iter().any(|field| header.bytes.eq_ignore_ascii_case(field)) {
                return Err(wrong(b"invalid header field", m.line));
            }
            if !wanted {
                continue;
            }
            let Some(value) = self.field(&header.bytes)? else { continue };
            self.spend(value.len())?;
            for element in address::list(&value, rules(self.cx)) {
                let Ok(address) = element.address else { continue };
                if let Some(value) = part_of(&address, part)
                    && self.any(m, value)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn envelope(
        &mut self,
        m: &Matching,
        part: AddressPart,
        envelopes: &[SieveString],
        wanted: bool,
    ) -> Result<bool, Halt> {
        for name in envelopes {
            self.spend(1)?;
            let to = match name.bytes.to_ascii_lowercase().as_slice() {
                b"from" => false,
                b"to" => true,
                _ => return Err(wrong(b"invalid envelope string", m.line)),
            };
            if !wanted {
                continue;
            }
            let options = self.options;
            let value = match (to, part) {
                (true, AddressPart::User) if options.user_address.is_some() => {
                    options.user_address.clone().unwrap_or_default().bytes().to_vec()
                }
                (true, AddressPart::Detail) => match &options.sub_address {
                    Some(detail) => detail.bytes().to_vec(),
                    None => continue,
                },
                _ => {
                    let whole = if to { self.recipient() } else { self.sender() };
                    let at = memchr::memrchr(b'@', &whole);
                    let (local, domain) = match at {
                        Some(at) => (&whole[..at], &whole[at + 1..]),
                        None => (whole.as_slice(), b"".as_slice()),
                    };
                    match part {
                        AddressPart::All => whole,
                        AddressPart::LocalPart | AddressPart::User => local.to_vec(),
                        AddressPart::Domain => domain.to_vec(),
                        AddressPart::Detail => continue,
                    }
                }
            };
            if self.any(m, &value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn body(&mut self, m: &Matching, what: &BodyTransform, wanted: bool) -> Result<bool, Halt> {
        if !wanted {
            return Ok(false);
        }
        let size = self.cx.message().map_or(0, |message| message.body.len());
        self.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
        let parts: Vec<Vec<u8>> = match self.cx.message() {
            Some(message) => {
                let text = message.body.whole(size).map_err(|why| {
                    Halt::Fault(format!("the body can't be read: {}", reason(&why)).into())
                })?;
                let parts = body::parts(&message.headers, &text, what);
                parts.into_iter().map(Cow::into_owned).collect()
            }
            None => Vec::new(),
        };
        for part in parts {
            if self.any(m, &part)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether one of the keys is found in a value.
    fn any(&mut self, m: &Matching, value: &[u8]) -> Result<bool, Halt> {
        let numeric = self.script.required.numeric;
        let rule = Rule { comparator: m.comparator, kind: m.kind, numeric };
        for key in &m.keys {
            if self.notes() {
                self.note(&[&comparison(rule)]);
                self.note(&[b"  Search = ", &shown(&key.bytes)]);
                self.note(&[b"  Inside = ", &shown(value)]);
            }
            let holds = rule.holds(&key.bytes, value, &mut self.work).map_err(|e| match e {
                Trouble::Pattern => wrong(b"syntactically invalid pattern", m.line),
                Trouble::MatchType => {
                    wrong(b"comparator does not offer specified matchtype", m.line)
                }
                Trouble::NotRequired => {
                    wrong(b"missing previous require \"comparator-i;ascii-numeric\";", m.line)
                }
                Trouble::TooMuch => wrong(b"too much work", m.line),
            })?;
            self.note(&[b"  Result ", if holds { b"true" } else { b"false" }]);
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the fields with a name hold, one after the other, trimmed, with their
    /// newlines; `None` where there is none.
    pub(super) fn field(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Halt> {
        self.spend(self.lines())?;
        let Some(message) = self.cx.message() else { return Ok(None) };
        let mut all: Option<Vec<u8>> = None;
        for header in message.named(name) {
            let text = all.get_or_insert_default();
            let value = header.value();
            text.extend_from_slice(&value[..value.len().min(MOST_BYTES - text.len())]);
        }
        let Some(all) = all else { return Ok(None) };
        self.spend(all.len())?;
        // A newline ends the blanks in front.
        let start = all.iter().position(|c| !matches!(c, b' ' | b'\t')).unwrap_or(all.len());
        Ok(Some(all[start..].trim_ascii_end().to_vec()))
    }

    /// What each of the fields with a name holds, trimmed.
    pub(super) fn fields(&mut self, name: &[u8]) -> Result<Vec<Vec<u8>>, Halt> {
        self.spend(self.lines())?;
        let Some(message) = self.cx.message() else { return Ok(Vec::new()) };
        let value = |header: &Header| header.value().trim_ascii().to_vec();
        let all: Vec<_> = message.named(name).map(value).collect();
        self.spend(all.iter().map(Vec::len).sum())?;
        Ok(all)
    }

    /// A field's value without newlines, and with its encoded words in UTF-8.
    pub(super) fn decoded(&self, value: &[u8]) -> Vec<u8> {
        let flat: Cow<'_, [u8]> = match value.contains(&b'\n') {
            true => value.iter().copied().filter(|c| *c != b'\n').collect::<Vec<_>>().into(),
            false => value.into(),
        };
        let check_length = self.cx.engine().settings().get(opt::CHECK_RFC2047_LENGTH);
        rfc2047::decode_with_zeros(&flat, Some(b"UTF-8"), check_length).text.into_owned()
    }

    /// What it costs to look for header lines by name.
    pub(super) fn lines(&self) -> usize {
        4 * self.cx.message().map_or(0, |message| message.headers.len())
    }

    /// The recipient, with what stands around its local part.
    pub(super) fn recipient(&mut self) -> Vec<u8> {
        let parts = [var::LOCAL_PART_PREFIX, var::LOCAL_PART, var::LOCAL_PART_SUFFIX, var::DOMAIN]
            .map(|var| self.cx.value_of(var));
        let [prefix, local, suffix, domain] = parts.each_ref().map(|part| part.bytes());
        [prefix, local, suffix, b"@", domain].concat()
    }

    pub(super) fn sender(&mut self) -> Vec<u8> {
        self.cx.value_of(var::SENDER_ADDRESS).bytes().to_vec()
    }
}

/// How header lines are read here.
pub(super) fn rules(cx: &Context) -> Rules {
    Rules::of(cx.engine().settings())
}

fn part_of(address: &AddrSpec, part: AddressPart) -> Option<&[u8]> {
    match part {
        AddressPart::All => Some(&address.text),
        AddressPart::LocalPart | AddressPart::User => Some(address.local_part()),
        AddressPart::Domain => Some(address.domain()),
        AddressPart::Detail => None,
    }
}

/// Whether a text can be the name of a header field; letters outside ASCII may
/// stand in it.
fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|c| !matches!(c, 0..=b' ' | b':' | 0x7f))
}

/// The name in what `exists` asks for: a colon and blanks may follow.
fn existing_name(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|c| matches!(c, 0..=b' ' | b':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b":").unwrap_or(rest).trim_ascii().is_empty().then_some(name)
}

/// What `-v` says before a comparison.
fn comparison(rule: Rule) -> Vec<u8> {
    let kind = match rule.kind {
        MatchType::Is => ":is",
        MatchType::Contains => ":contains",
        MatchType::Matches => ":matches",
    };
    let comparator = match rule.comparator {
        Comparator::Octet => "i;octet",
        Comparator::AsciiCasemap => "en;ascii-casemap",
        Comparator::AsciiNumeric => "i;ascii-numeric",
    };
    format!("String comparison (match  {kind} , comparison \" {comparator} \"):").into_bytes()
}

/// A string of a comparison and its length; it is shown up to a zero byte.
fn shown(text: &[u8]) -> Vec<u8> {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    [&text[..end], format!(" ({} chars)", text.len()).as_bytes()].concat()
}
