//! LDAP's messages (RFC 4511, section 4): those that are sent, and those that
//! come back.

use eximious_core::world::{LdapEntry, LdapResult, LdapSearch};

use super::ber::{Malformed, Reader, put, put_integer};
use super::filter;

/// The tag of all messages.
pub(super) const MESSAGE: u8 = 0x30;
/// Tags of the operations that come back.
pub(super) const BOUND: u8 = 0x61;
pub(super) const ENTRY: u8 = 0x64;
pub(super) const DONE: u8 = 0x65;
pub(super) const REFERENCE: u8 = 0x73;
pub(super) const EXTENDED: u8 = 0x78;

/// What an operation asks for; a message gives it a number.
pub(super) struct Operation(Vec<u8>);

impl Operation {
    /// A bind with a name and a password.
    pub(super) fn bind(version: u8, name: &[u8], password: &[u8]) -> Self {
        let mut body = Vec::new();
        put_integer(&mut body, 2, i32::from(version));
        put(&mut body, 4, name);
        put(&mut body, 0x80, password);
        Self::new(0x60, &body)
    }

    /// The wish to begin TLS.
    pub(super) fn start_tls() -> Self {
        let mut body = Vec::new();
        put(&mut body, 0x80, b"1.3.6.1.4.1.1466.20037");
        Self::new(0x77, &body)
    }

    /// The end of the conversation.
    pub(super) fn unbind() -> Self {
        Self::new(0x42, &[])
    }

    /// A search; `None` where its filter makes no sense.
    pub(super) fn search(search: &LdapSearch) -> Option<Self> {
        let mut body = Vec::new();
        put(&mut body, 4, &search.base);
        put_integer(&mut body, 10, i32::from(search.scope));
        put_integer(&mut body, 10, i32::from(search.dereference));
        put_integer(&mut body, 2, search.size_limit);
        put_integer(&mut body, 2, search.time_limit);
        // Values are wanted, not types alone.
        put(&mut body, 1, &[0]);
        body.extend_from_slice(&filter::encode(&search.filter)?);
        let mut names = Vec::new();
        for name in &search.attributes {
            put(&mut names, 4, name);
        }
        put(&mut body, 0x30, &names);
        Some(Self::new(0x63, &body))
    }

    fn new(tag: u8, body: &[u8]) -> Self {
        let mut operation = Vec::new();
        put(&mut operation, tag, body);
        Self(operation)
    }

    /// The whole message.
    pub(super) fn message(&self, number: i32) -> Vec<u8> {
        let mut body = Vec::new();
        put_integer(&mut body, 2, number);
        body.extend_from_slice(&self.0);
        let mut message = Vec::new();
        put(&mut message, MESSAGE, &body);
        message
    }
}

/// A message that came.
pub(super) struct Message<'a> {
    /// Which request it answers; 0 is none of them.
    pub(super) number: i32,
    /// The operation's tag.
    pub(super) tag: u8,
    body: Reader<'a>,
}

impl<'a> Message<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut message = Reader::new(bytes).within(MESSAGE)?;
        let number = message.integer(2)?;
        let (tag, body) = message.any()?;
        Ok(Self { number, tag, body: Reader::new(body) })
    }

    /// The end of an operation.
    pub(super) fn result(&self) -> Result<LdapResult, Malformed> {
        let mut body = self.body;
        let mut result = LdapResult {
            code: body.integer(10)?,
            matched: body.value(4)?.to_vec(),
            message: body.value(4)?.to_vec(),
            referrals: Vec::new(),
        };
        if body.tag() == Some(0xa3) {
            let mut urls = body.within(0xa3)?;
            while !urls.is_empty() {
                result.referrals.push(urls.value(4)?.to_vec());
            }
        }
        Ok(result)
    }

    /// An entry.
    pub(super) fn entry(&self) -> Result<LdapEntry, Malformed> {
        let mut body = self.body;
        let dn = body.value(4)?.to_vec();
        let mut list = body.within(0x30)?;
        let mut attributes = Vec::new();
        while !list.is_empty() {
            let mut attribute = list.within(0x30)?;
            let name = attribute.value(4)?.to_vec();
            let mut set = attribute.within(0x31)?;
            let mut values = Vec::new();
            while !set.is_empty() {
                values.push(set.value(4)?.to_vec());
            }
            attributes.push((name, values));
        }
        Ok(LdapEntry { dn, attributes })
    }
}

/// How much room an entry takes: more than its bytes, where it holds many
/// empty ones.
pub(super) fn weight(entry: &LdapEntry) -> usize {
    let attribute = |(name, values): &(Vec<u8>, Vec<Vec<u8>>)| {
        let values: usize = values.iter().map(|value| value.len() + size_of::<Vec<u8>>()).sum();
        name.len() + values + size_of::<(Vec<u8>, Vec<Vec<u8>>)>()
    };
    let attributes: usize = entry.attributes.iter().map(attribute).sum();
    entry.dn.len() + attributes + size_of::<LdapEntry>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read() {
        let bytes =
            b"0\x1c\x02\x01\x07e\x17\n\x01\x0a\x04\x01m\x04\x01x\xa3\x0c\x04\x04ldap\x04\x04url2";
        let message = Message::read(bytes).expect("a message");
        assert_eq!((message.number, message.tag), (7, DONE));
        let result = message.result().expect("a result");
        assert_eq!(
            (result.code, &result.matched[..], &result.message[..]),
            (10, &b"m"[..], &b"x"[..])
        );
        assert_eq!(result.referrals, [b"ldap".to_vec(), b"url2".to_vec()]);
        assert!(message.entry().is_err());
    }

    #[test]
    fn every_beginning_of_an_entry_is_malformed_or_short() {
        let whole = b"0\x1a\x02\x01\x02d\x15\x04\x04cn=a0\x0d0\x0b\x04\x01a1\x06\x04\x01x\x04\x01y";
        let entry = Message::read(whole).and_then(|message| message.entry()).expect("an entry");
        assert_eq!(entry.dn, b"cn=a");
        assert_eq!(entry.attributes, [(b"a".to_vec(), vec![b"x".to_vec(), b"y".to_vec()])]);
        for end in 0..whole.len() {
            assert!(Message::read(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut bytes = *whole;
            for byte in 0..=255 {
                bytes[at] = byte;
                // Whatever it is, it is read without harm.
                let _ = Message::read(&bytes).map(|message| (message.entry(), message.result()));
            }
        }
    }
}
