//! How one proves to a Firebird server that one knows a password: the Secure
//! Remote Password protocol of RFC 5054, with its own group, hashes and proof.
//! The password does not show, not even to a server that is somebody else's, and
//! both sides have a key in the end.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{NonZero, Odd, U1024};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Numbers of the group have so many bytes.
const SIZE: usize = 128;
const LIMBS: usize = U1024::LIMBS;

/// The group: a prime, and a generator.
const PRIME: U1024 = U1024::from_be_hex(
    "E67D2E994B2F900C3F41F08F5BB2627ED0D49EE1FE767A52EFCD565CD6E768812C3E1E9CE8F0A8BEA6CB13CD29\
     DDEBF7A96D4A93B55D488DF099A15C89DCB0640738EB2CBDD9A8F7BAB561AB1B0DC1C6CDABF303264A08D1BCA9\
     32D1F1EE428B619D970F342ABA9A65793B8B2F041AE5364350C16F735F56ECBCA87BD57B29E7",
);
const GENERATOR: U1024 = U1024::from_u8(2);

/// What a proof is hashed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrpPlugin {
    /// `Srp256`.
    Sha256,
    /// `Srp`.
    Sha1,
}

impl SrpPlugin {
    /// A plugin by its name.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"Srp256" => Some(Self::Sha256),
            b"Srp" => Some(Self::Sha1),
            _ => None,
        }
    }
}

/// What a server asks: its salt, and its public number in hexadecimal.
pub struct SrpQuestion<'a> {
    /// The salt.
    pub salt: &'a [u8],
    /// The number.
    pub public: &'a [u8],
}

/// What proves that one knows the password, and the key that follows from it.
pub struct Proof {
    /// In hexadecimal.
    pub shown: Vec<u8>,
    /// Known to both sides, and to nobody else.
    pub key: Vec<u8>,
}

/// A client in one conversation.
pub struct SrpClient {
    secret: U1024,
    public: U1024,
    group: FixedMontyParams<LIMBS>,
}

impl SrpClient {
    /// One with a secret of this many random bits.
    pub fn new(random: &[u8; 32]) -> Option<Self> {
        let group = FixedMontyParams::new(Odd::new(PRIME).into_option()?);
        let secret = number(random)?;
        let public = FixedMontyForm::new(&GENERATOR, &group).pow(&secret).retrieve();
        Some(Self { secret, public, group })
    }

    /// Its public number in hexadecimal.
    pub fn public(&self) -> Vec<u8> {
        hexadecimal(&bytes(&self.public))
    }

    /// The answer to a question; `None` where it is not a sound one.
    pub fn prove(
        &self,
        plugin: SrpPlugin,
        user: &[u8],
        password: &[u8],
        question: &SrpQuestion<'_>,
    ) -> Option<Proof> {
        let prime = NonZero::new(PRIME).into_option()?;
        let theirs = from_hexadecimal(question.public)?;
        let residue = theirs.rem_vartime(&prime);
        // With such a number, anybody would know the key.
        if residue == U1024::ZERO {
            return None;
        }
        let mut width = [0; SIZE];
        width[SIZE - 1] = 2;
        let factor = number(&sha1(&[&bytes(&PRIME), &width]))?;
        let scramble = number(&sha1(&[&bytes(&self.public), &bytes(&theirs)]))?;
        let identity = sha1(&[user, b":", password]);
        let private = number(&sha1(&[question.salt, &identity]))?;

        let element = |number: &U1024| FixedMontyForm::new(number, &self.group);
        let verifier = element(&GENERATOR).pow(&private);
        let base = element(&residue) - element(&factor) * verifier;
        // 256 bits and 320: there is room.
        let exponent = self.secret.wrapping_add(&scramble.wrapping_mul(&private));
        let shared = base.pow(&exponent).retrieve();
        let key = sha1(&[&bytes(&shared)]).to_vec();

        let group = number(&sha1(&[&bytes(&PRIME)]))?;
        let generator = number(&sha1(&[&bytes(&GENERATOR)]))?;
        let mixed = element(&group).pow(&generator).retrieve();
        let name = number(&sha1(&[user]))?;
        let parts: [&[u8]; 6] = [
            &bytes(&mixed),
            &bytes(&name),
            question.salt,
            &bytes(&self.public),
            &bytes(&theirs),
            &key,
        ];
        let shown = match plugin {
            SrpPlugin::Sha1 => hexadecimal(&sha1(&parts)),
            SrpPlugin::Sha256 => {
                hexadecimal(&parts.iter().fold(Sha256::new(), Digest::chain_update).finalize())
            }
        };
        Some(Proof { shown, key })
    }
}

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    parts.iter().fold(Sha1::new(), Digest::chain_update).finalize().into()
}

/// A number from its bytes; `None` where they are too many.
fn number(bytes: &[u8]) -> Option<U1024> {
    let mut whole = [0; SIZE];
    whole.get_mut(SIZE.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(U1024::from_be_slice(&whole))
}

/// The bytes of a number, without zeroes at their head.
fn bytes(number: &U1024) -> Vec<u8> {
    let words = number.to_words();
    let all: Vec<u8> = words.iter().rev().flat_map(|word| word.to_be_bytes()).collect();
    let zeroes = all.iter().take_while(|byte| **byte == 0).count();
    all[zeroes..].to_vec()
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn from_hexadecimal(text: &[u8]) -> Option<U1024> {
    if text.len() > 2 * SIZE {
        return None;
    }
    let value = |digit: &u8| u8::try_from(char::from(*digit).to_digit(16)?).ok();
    // Pairs from the end: an odd digit stands alone at the head.
    let mut whole = [0; SIZE];
    for (byte, pair) in whole.iter_mut().rev().zip(text.rchunks(2)) {
        *byte = pair.iter().try_fold(0, |all, digit| Some(all << 4 | value(digit)?))?;
    }
    Some(U1024::from_be_slice(&whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written() {
        assert_eq!(from_hexadecimal(b"1fF"), number(&[1, 0xff]));
        assert_eq!(from_hexadecimal(b""), Some(U1024::ZERO));
        assert_eq!(from_hexadecimal(b"1g"), None);
        assert_eq!(from_hexadecimal(b"-1"), None);
        assert_eq!(from_hexadecimal(&[b'1'; 257]), None);
        assert_eq!(number(&[1; 129]), None);
        assert_eq!(hexadecimal(&bytes(&U1024::from_u32(0x1ff))), b"01FF");
        assert_eq!(hexadecimal(&bytes(&PRIME)).len(), 256);
    }

    /// A server that knows the verifier finds the same key, also where a number
    /// begins with zeroes.
    #[test]
    fn both_sides_find_the_same_key() {
        let prime = NonZero::new(PRIME).into_option().expect("a prime");
        for seed in 0..40u8 {
            let client =
                SrpClient::new(&[seed.wrapping_mul(7).wrapping_add(1); 32]).expect("a group");
            let element = |number: &U1024| FixedMontyForm::new(number, &client.group);
            let salt = [seed; 8];
            let user = [b'A', seed];
            let private =
                number(&sha1(&[&salt, &sha1(&[&user, b":", b"secret"])])).expect("a number");
            let verifier = element(&GENERATOR).pow(&private);
            let mut width = [0; SIZE];
            width[SIZE - 1] = 2;
            let factor = number(&sha1(&[&bytes(&PRIME), &width])).expect("a number");
            let own = number(&[seed.wrapping_add(3); 32]).expect("a number");
            let public = element(&factor) * verifier + element(&GENERATOR).pow(&own);
            let public = public.retrieve().rem_vartime(&prime);
            let scramble =
                number(&sha1(&[&bytes(&client.public), &bytes(&public)])).expect("a number");
            let shared = (element(&client.public) * verifier.pow(&scramble)).pow(&own).retrieve();
            let public = hexadecimal(&bytes(&public));
            let question = SrpQuestion { salt: &salt, public: &public };
            let proof = client.prove(SrpPlugin::Sha256, &user, b"secret", &question);
            let proof = proof.expect("a sound question");
            assert_eq!(proof.key, sha1(&[&bytes(&shared)]));
            assert_eq!(proof.shown.len(), 64);
        }
    }

    #[test]
    fn a_number_that_gives_the_key_away_is_none() {
        let client = SrpClient::new(&[5; 32]).expect("a group");
        for public in [&b"0"[..], b"", &hexadecimal(&bytes(&PRIME))] {
            let question = SrpQuestion { salt: b"salt", public };
            assert!(client.prove(SrpPlugin::Sha1, b"U", b"secret", &question).is_none());
        }
    }
}
