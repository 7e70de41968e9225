//! The messages of NTLM, as Secure Password Authentication speaks it: the first
//! version, with responses of 24 bytes (MS-NLMP 2.2, 3.3.1).
//!
//! What the other side sends is hostile: each field says where it lies, and is
//! looked for nowhere else.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use eximious_stdlib::mac;
use md4::{Digest, Md4};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Text in UTF-16, text in the client's own set, a request for the target, NTLM,
/// a domain and a workstation are supplied, always sign.
const CLIENT_FLAGS: u32 = 0x0000_b207;
/// Text in UTF-16, NTLM, always sign.
const SERVER_FLAGS: u32 = 0x0000_8201;
const UNICODE: u32 = 1;

/// How long a response is.
const RESPONSE: usize = 24;

/// How long a name may be, in bytes of its message.
const LONGEST_NAME: usize = 1024;

/// A challenge.
pub type Challenge = [u8; 8];

/// What a client says of itself in its last message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticateMessage {
    /// The user's name.
    pub user: Vec<u8>,
    /// What proves that the user's password is known; nothing where it has no
    /// such form.
    pub response: Option<[u8; RESPONSE]>,
}

/// The client's first message. The fields of domain and workstation have the
/// user's name and the domain, as Exim's have.
pub fn negotiate(user: &[u8], domain: &[u8]) -> Vec<u8> {
    let (user, domain) = (clipped(user), clipped(domain));
    let mut message = Message::new(1, 32);
    message.number(CLIENT_FLAGS);
    message.field(user);
    message.field(domain);
    message.finish()
}

/// The server's message.
pub fn challenge(challenge: &Challenge) -> Vec<u8> {
    let mut out = [SIGNATURE.as_slice(), &2u32.to_le_bytes()].concat();
    // No target; Exim's is said to lie here.
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0x28, 0, 0]);
    out.extend_from_slice(&SERVER_FLAGS.to_le_bytes());
    out.extend_from_slice(challenge);
    out.extend_from_slice(&[0; 16]);
    out
}

/// The challenge in a server's message, and its flags.
pub fn parse_challenge(message: &[u8]) -> Option<(Challenge, u32)> {
    let message = Received::new(message, 2)?;
    let challenge = message.bytes(24, 8)?.try_into().ok()?;
    Some((challenge, message.number(20)?))
}

/// The client's last message.
pub fn authenticate(
    user: &[u8],
    domain: &[u8],
    password: &[u8],
    challenge: &Challenge,
    flags: u32,
) -> Vec<u8> {
    let response = response(password, challenge);
    let text = |text: &[u8]| match flags & UNICODE {
        0 => clipped(text).to_vec(),
        _ => wide(clipped(text)),
    };
    let mut message = Message::new(3, 64);
    // The response of the older hash would give away the password; servers that
    // know this one take it in either place.
    message.field(&response);
    message.field(&response);
    message.field(&text(domain));
    message.field(&text(user));
    message.field(&text(user));
    message.field(b"");
    message.number(flags);
    message.finish()
}

/// What a client's last message says; nothing where it is none.
pub fn parse_authenticate(message: &[u8]) -> Option<AuthenticateMessage> {
    let message = Received::new(message, 3)?;
    let flags = message.number(60)?;
    let user = message.field(36)?;
    if user.len() > LONGEST_NAME {
        return None;
    }
    let user = match flags & UNICODE {
        0 => user.to_vec(),
        _ => narrow(user),
    };
    let response = message.field(20)?.try_into().ok();
    Some(AuthenticateMessage { user, response })
}

/// What proves that somebody knows a password.
pub fn response(password: &[u8], challenge: &Challenge) -> [u8; RESPONSE] {
    response_of(&wide(password), challenge)
}

fn response_of(password: &[u8], challenge: &Challenge) -> [u8; RESPONSE] {
    let mut key = [0; 21];
    key[..16].copy_from_slice(&Md4::digest(password));
    let mut out = [0; RESPONSE];
    for (part, piece) in key.chunks_exact(7).zip(out.chunks_exact_mut(8)) {
        piece.copy_from_slice(&encrypted(part, challenge));
    }
    out
}

/// Whether a response proves that a password is known. Some take its bytes for characters.
pub fn proves(response: &[u8; RESPONSE], password: &[u8], challenge: &Challenge) -> bool {
    let forms = [wide(password), widened(password)];
    forms.iter().any(|form| mac::same(response, &response_of(form, challenge)))
}

/// DES with a key of 56 bits, of which each byte takes seven.
fn encrypted(key: &[u8], block: &Challenge) -> Challenge {
    let bits = key.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut wide = [0u8; 8];
    for (number, byte) in wide.iter_mut().enumerate() {
        *byte = ((bits >> (49 - 7 * number)) as u8 & 0x7f) << 1;
    }
    let mut block = (*block).into();
    Des::new(&wide.into()).encrypt_block(&mut block);
    block.into()
}

/// A text in UTF-16; what is no UTF-8 has bytes for characters.
fn wide(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Err(_) => widened(text),
    }
}

/// Bytes as characters of 16 bits.
fn widened(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|byte| [*byte, 0]).collect()
}

/// A text out of UTF-16. Half a character at the end is none.
fn narrow(text: &[u8]) -> Vec<u8> {
    let units = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.into_bytes()
}

fn clipped(text: &[u8]) -> &[u8] {
    // In UTF-16 it may be twice as long.
    &text[..text.len().min(LONGEST_NAME / 2)]
}

/// A message that is being written: a head of fields, and what they point to.
struct Message {
    head: Vec<u8>,
    body: Vec<u8>,
    /// Where the body begins.
    start: usize,
}

impl Message {
    fn new(kind: u32, start: usize) -> Self {
        let head = [SIGNATURE.as_slice(), &kind.to_le_bytes()].concat();
        Self { head, body: Vec::new(), start }
    }

    fn number(&mut self, number: u32) {
        self.head.extend_from_slice(&number.to_le_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        // What is written here is short: names are clipped.
        let length = bytes.len() as u16;
        let place = (self.start + self.body.len()) as u32;
        self.head.extend_from_slice(&length.to_le_bytes());
        self.head.extend_from_slice(&length.to_le_bytes());
        self.head.extend_from_slice(&place.to_le_bytes());
        self.body.extend_from_slice(bytes);
    }

    fn finish(self) -> Vec<u8> {
        debug_assert_eq!(self.head.len(), self.start);
        [self.head, self.body].concat()
    }
}

/// A message that came in.
struct Received<'m>(&'m [u8]);

impl<'m> Received<'m> {
    /// A message of a kind; nothing where it is none.
    fn new(bytes: &'m [u8], kind: u32) -> Option<Self> {
        let message = Self(bytes);
        let signed = message.bytes(0, SIGNATURE.len())? == SIGNATURE;
        (signed && message.number(SIGNATURE.len())? == kind).then_some(message)
    }

    fn bytes(&self, at: usize, length: usize) -> Option<&'m [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }

    fn number(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(at, 4)?.try_into().ok()?))
    }

    /// What a field points to; one that points outside of the message is none.
    fn field(&self, at: usize) -> Option<&'m [u8]> {
        let length = u16::from_le_bytes(self.bytes(at, 2)?.try_into().ok()?);
        let place = usize::try_from(self.number(at.checked_add(4)?)?).ok()?;
        match length {
            0 => Some(b""),
            _ => self.bytes(place, usize::from(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A challenge of a real Exim, and what another answers to it with the password
    /// `secret`.
    const REAL: (Challenge, [u8; RESPONSE]) = (
        [0xbe, 0x70, 0xd5, 0x48, 0xcc, 0xaa, 0xfe, 0x94],
        [
            0x0a, 0x5b, 0xe3, 0xde, 0x0e, 0x7d, 0x67, 0xef, 0x0e, 0x16, 0xc6, 0x75, 0x8a, 0xf8,
            0x74, 0x2e, 0x9d, 0x90, 0xf3, 0x82, 0x2d, 0x6a, 0x3f, 0x2c,
        ],
    );

    #[test]
    fn the_published_response() {
        // MS-NLMP 4.2.2.2.1.
        let challenge = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let expected = [
            0x67, 0xc4, 0x30, 0x11, 0xf3, 0x02, 0x98, 0xa2, 0xad, 0x35, 0xec, 0xe6, 0x4f, 0x16,
            0x33, 0x1c, 0x44, 0xbd, 0xbe, 0xd9, 0x27, 0x84, 0x1f, 0x94,
        ];
        assert_eq!(response(b"Password", &challenge), expected);
        assert!(proves(&expected, b"Password", &challenge));
        assert!(!proves(&expected, b"password", &challenge));
        assert_eq!(response(b"secret", &REAL.0), REAL.1);
    }

    #[test]
    fn each_side_reads_the_other() {
        let (number, flags) = parse_challenge(&challenge(&REAL.0)).unwrap();
        assert_eq!((number, flags), (REAL.0, SERVER_FLAGS));
        for user in ["me", "jörg", ""] {
            for flags in [flags, 0] {
                let said = authenticate(user.as_bytes(), b"DOM", b"secret", &number, flags);
                let answer = parse_authenticate(&said).unwrap();
                assert_eq!(answer.user, user.as_bytes());
                assert!(proves(&answer.response.unwrap(), b"secret", &number));
            }
        }
    }

    /// Cuts a client's message everywhere, and moves each field to each place.
    #[test]
    fn cve_2020_12783_what_a_client_says_is_read_inside_of_its_message() {
        let said = authenticate(b"user", b"domain", b"secret", &REAL.0, 1);
        for end in 0..said.len() {
            let _ = parse_authenticate(&said[..end]);
        }
        for at in (12..64).step_by(2) {
            for value in [0u32, 1, 0x17, 0x40, 0x7fff, 0x8000, 0xffff, u32::MAX, u32::MAX - 24] {
                let mut broken = said.clone();
                broken[at..at + 4].copy_from_slice(&value.to_le_bytes());
                if let Some(answer) = parse_authenticate(&broken) {
                    assert!(answer.user.len() <= 3 * said.len());
                }
            }
        }
    }

    /// A name that begins inside and ends outside is no name.
    #[test]
    fn cve_2023_42114_a_name_ends_inside_of_its_message() {
        let mut said = authenticate(b"user", b"domain", b"secret", &REAL.0, 1);
        said[36..38].copy_from_slice(&0xffffu16.to_le_bytes());
        assert_eq!(parse_authenticate(&said), None);
    }

    /// What a server says is read inside of its message, and what is written of it
    /// has a bound.
    #[test]
    fn cve_2023_42116_names_are_written_in_bounds() {
        let asked = challenge(&REAL.0);
        for end in 0..asked.len() {
            assert_eq!(parse_challenge(&asked[..end]).is_some(), end >= 32, "{end}");
        }
        let name = vec![b'n'; 100_000];
        assert!(authenticate(&name, &name, &name, &REAL.0, 1).len() < 4 * LONGEST_NAME);
        assert!(negotiate(&name, &name).len() < 4 * LONGEST_NAME);
    }

    /// A response of another length proves nothing.
    #[test]
    fn cve_2026_40687_a_response_has_its_length() {
        let said = authenticate(b"user", b"domain", b"secret", &REAL.0, 1);
        for length in [0u16, 1, 23, 25, 64] {
            let mut broken = said.clone();
            broken[20..22].copy_from_slice(&length.to_le_bytes());
            let answer = parse_authenticate(&broken);
            assert_eq!(answer.and_then(|answer| answer.response), None, "{length}");
        }
    }
}
