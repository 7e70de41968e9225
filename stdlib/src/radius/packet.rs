//! Packets of RADIUS (RFC 2865), with a Message-Authenticator (RFC 3579, 3.2)
//! in what is asked, so that servers which insist on one answer.

use md5::{Digest, Md5};

use crate::mac;

const ACCESS_REQUEST: u8 = 1;
const ACCESS_ACCEPT: u8 = 2;
const ACCESS_REJECT: u8 = 3;
const ACCESS_CHALLENGE: u8 = 11;

const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
const SERVICE_TYPE: u8 = 6;
const NAS_IDENTIFIER: u8 = 32;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// Only the password is to be checked.
const AUTHENTICATE_ONLY: u32 = 8;
/// Code, identifier, length, authenticator.
const HEAD: usize = 20;
/// No packet is longer.
const LONGEST: usize = 4096;
/// No password is longer.
pub const LONGEST_PASSWORD: usize = 128;
/// No value of an attribute is longer.
pub const LONGEST_VALUE: usize = 253;

/// What is asked of a server.
pub struct Question<'a> {
    /// The user.
    pub user: &'a [u8],
    /// The password.
    pub password: &'a [u8],
    /// Who asks.
    pub asker: &'a [u8],
    /// What the two share.
    pub secret: &'a [u8],
    /// Tells answers apart.
    pub identifier: u8,
    /// Random bytes that hide the password and sign the answer.
    pub authenticator: [u8; 16],
}

impl Question<'_> {
    /// The packet; `None` where something is too long for it.
    pub fn packet(&self) -> Option<Vec<u8>> {
        let mut packet = vec![ACCESS_REQUEST, self.identifier, 0, 0];
        packet.extend_from_slice(&self.authenticator);
        attribute(&mut packet, MESSAGE_AUTHENTICATOR, &[0; 16])?;
        attribute(&mut packet, USER_NAME, self.user)?;
        attribute(&mut packet, USER_PASSWORD, &self.hidden_password()?)?;
        attribute(&mut packet, NAS_IDENTIFIER, self.asker)?;
        attribute(&mut packet, SERVICE_TYPE, &AUTHENTICATE_ONLY.to_be_bytes())?;
        let length = u16::try_from(packet.len()).ok()?;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        let signature = mac::md5(self.secret, &[&packet]);
        packet[HEAD + 2..HEAD + 18].copy_from_slice(&signature);
        Some(packet)
    }

    /// Each sixteen bytes of the password are mixed with a hash of the secret
    /// and of the sixteen before them as they are sent (RFC 2865, 5.2).
    fn hidden_password(&self) -> Option<Vec<u8>> {
        if self.password.len() > LONGEST_PASSWORD {
            return None;
        }
        let mut hidden = self.password.to_vec();
        hidden.resize(self.password.len().next_multiple_of(16).max(16), 0);
        let mut before = self.authenticator;
        for block in hidden.chunks_exact_mut(16) {
            let mask = hash(&[self.secret, &before]);
            for ((byte, mask), before) in block.iter_mut().zip(mask).zip(&mut before) {
                *byte ^= mask;
                *before = *byte;
            }
        }
        Some(hidden)
    }

    /// What an answer says; `None` where it does not belong to this question,
    /// or was not made by someone who knows the secret.
    pub fn answer(&self, packet: &[u8]) -> Option<bool> {
        let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
        if !(HEAD..=LONGEST).contains(&length) || packet[1] != self.identifier {
            return None;
        }
        let packet = packet.get(..length)?;
        let (head, attributes) = packet.split_at(HEAD);
        let signature = hash(&[&head[..4], &self.authenticator, attributes, self.secret]);
        if !mac::same(&signature, &head[4..]) || !self.is_signed(packet)? {
            return None;
        }
        match packet[0] {
            ACCESS_ACCEPT => Some(true),
            // There is nobody to answer a challenge.
            ACCESS_REJECT | ACCESS_CHALLENGE => Some(false),
            _ => None,
        }
    }

    /// Whether the Message-Authenticator is right, where there is one; `None`
    /// where the attributes have no proper form.
    fn is_signed(&self, packet: &[u8]) -> Option<bool> {
        let mut at = HEAD;
        while at < packet.len() {
            let length = usize::from(*packet.get(at + 1)?);
            let value = packet.get(at + 2..at + length)?;
            if packet[at] == MESSAGE_AUTHENTICATOR {
                let zeros = [0; 16];
                let (before, after) = (packet.get(HEAD..at + 2)?, packet.get(at + length..)?);
                let parts = [&packet[..4], &self.authenticator, before, &zeros, after];
                return Some(mac::same(&mac::md5(self.secret, &parts), value));
            }
            at += length;
        }
        Some(true)
    }
}

fn attribute(packet: &mut Vec<u8>, kind: u8, value: &[u8]) -> Option<()> {
    let length = u8::try_from(value.len().checked_add(2)?).ok()?;
    packet.extend_from_slice(&[kind, length]);
    packet.extend_from_slice(value);
    Some(())
}

fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question<'a>(password: &'a [u8], secret: &'a [u8]) -> Question<'a> {
        Question {
            user: b"nemo",
            password,
            asker: b"exim",
            secret,
            identifier: 0,
            authenticator: [
                0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4,
                0x22, 0x7a,
            ],
        }
    }

    /// RFC 2865, 7.1: user nemo, password arctangent, secret xyzzy5461.
    #[test]
    fn the_example_of_the_standard() {
        let question = question(b"arctangent", b"xyzzy5461");
        let hidden = question.hidden_password().unwrap();
        let wanted = "0dbe708d93d413ce3196e43f782a0aee";
        assert_eq!(mac::hex(&hidden), wanted.as_bytes());
        let answer = [
            0x02, 0x00, 0x00, 0x26, 0x86, 0xfe, 0x22, 0x0e, 0x76, 0x24, 0xba, 0x2a, 0x10, 0x05,
            0xf6, 0xbf, 0x9b, 0x55, 0xe0, 0xb2, 0x06, 0x06, 0x00, 0x00, 0x00, 0x01, 0x0f, 0x06,
            0x00, 0x00, 0x00, 0x00, 0x0e, 0x06, 0xc0, 0xa8, 0x01, 0x03,
        ];
        assert_eq!(question.answer(&answer), Some(true));
        // Whatever is changed, nobody has signed it.
        for at in 0..answer.len() {
            let mut changed = answer;
            changed[at] ^= 1;
            assert_eq!(question.answer(&changed), None, "byte {at}");
            assert_eq!(question.answer(&answer[..at]), None, "{at} bytes");
        }
        assert_eq!(Question { secret: b"other", ..question }.answer(&answer), None);
    }

    #[test]
    fn lengths() {
        for length in [0, 1, 15, 16, 17, 127, 128] {
            let password = vec![b'x'; length];
            let hidden = question(&password, b"s").hidden_password().unwrap();
            assert_eq!(hidden.len(), length.div_ceil(16).max(1) * 16);
        }
        assert!(question(&[b'x'; 129], b"s").packet().is_none());
        let user = [b'u'; 254];
        assert!(Question { user: &user, ..question(b"x", b"s") }.packet().is_none());
        let user = [b'u'; 253];
        assert!(Question { user: &user, ..question(b"x", b"s") }.packet().is_some());
    }
}
