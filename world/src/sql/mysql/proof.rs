//! How one proves to a MySQL server that one knows a password: its plugins.

use curve25519_dalek::{EdwardsPoint, Scalar};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::tls;

/// How a password is proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MysqlPlugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`, and the slower `sha256_password`.
    Sha256 {
        /// Whether the server keeps a quick proof.
        caching: bool,
    },
    /// MariaDB's `client_ed25519`.
    Ed25519,
    /// `mysql_clear_password`, and MariaDB's `dialog`: the password itself.
    Clear,
}

/// Why there is no proof.
#[derive(PartialEq, Eq, Debug)]
pub enum NoProof {
    /// It would show the password to all who listen.
    Exposed,
    /// The server's question makes no sense.
    Senseless,
    /// This build has no RSA.
    Absent,
}

impl MysqlPlugin {
    /// A plugin by its name.
    pub fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"mysql_native_password" => Self::Native,
            b"caching_sha2_password" => Self::Sha256 { caching: true },
            b"sha256_password" => Self::Sha256 { caching: false },
            b"client_ed25519" => Self::Ed25519,
            b"mysql_clear_password" | b"dialog" => Self::Clear,
            _ => return None,
        })
    }

    /// The first answer to a server's challenge. `private` says whether nobody
    /// can listen.
    pub fn answer(
        self,
        password: &[u8],
        challenge: &[u8],
        private: bool,
    ) -> Result<Vec<u8>, NoProof> {
        match self {
            _ if password.is_empty() && self == Self::Clear => Ok(vec![0]),
            _ if password.is_empty() && self != Self::Ed25519 => Ok(Vec::new()),
            Self::Native => Ok(native(password, text(challenge))),
            Self::Sha256 { caching: true } => Ok(sha256(password, text(challenge))),
            Self::Sha256 { caching: false } if private => Ok(ended(password)),
            // Asks for the server's key.
            Self::Sha256 { caching: false } => Ok(vec![1]),
            Self::Ed25519 => ed25519(password, challenge),
            Self::Clear if private => Ok(ended(password)),
            Self::Clear => Err(NoProof::Exposed),
        }
    }

    /// The answer to what a server says then; `None` where it needs none.
    pub fn go_on(
        self,
        password: &[u8],
        challenge: &[u8],
        said: &[u8],
        private: bool,
    ) -> Result<Option<Vec<u8>>, NoProof> {
        match (self, said) {
            // The quick proof was enough.
            (Self::Sha256 { caching: true }, [3]) => Ok(None),
            // It was not.
            (Self::Sha256 { caching: true }, [4]) if private => Ok(Some(ended(password))),
            (Self::Sha256 { caching: true }, [4]) => Ok(Some(vec![2])),
            (Self::Sha256 { .. }, key) if !private => {
                sealed(password, text(challenge), key).map(Some)
            }
            _ => Err(NoProof::Senseless),
        }
    }
}

/// Where a challenge is text, a zero byte may end it.
fn text(challenge: &[u8]) -> &[u8] {
    challenge.strip_suffix(b"\0").unwrap_or(challenge)
}

fn ended(password: &[u8]) -> Vec<u8> {
    [password, b"\0"].concat()
}

/// SHA1(password) xor SHA1(challenge, SHA1(SHA1(password))).
fn native(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = Sha1::digest(password);
    let twice = Sha1::digest(once);
    let mask = Sha1::new().chain_update(challenge).chain_update(twice).finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// SHA256(password) xor SHA256(SHA256(SHA256(password)), challenge).
fn sha256(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = Sha256::digest(password);
    let twice = Sha256::digest(once);
    let mask = Sha256::new().chain_update(twice).chain_update(challenge).finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// A signature as in RFC 8032, with the password for the secret seed.
fn ed25519(password: &[u8], challenge: &[u8]) -> Result<Vec<u8>, NoProof> {
    // Any bytes, and perhaps a zero behind them.
    let challenge: &[u8; 32] = match challenge {
        [challenge @ .., 0] if challenge.len() == 32 => challenge,
        challenge => challenge,
    }
    .try_into()
    .map_err(|_| NoProof::Senseless)?;
    let hash: [u8; 64] = Sha512::digest(password).into();
    let (low, prefix) = hash.split_at(32);
    let mut secret = [0; 32];
    secret.copy_from_slice(low);
    secret[0] &= 248;
    secret[31] = secret[31] & 127 | 64;
    let secret = Scalar::from_bytes_mod_order(secret);
    let public = EdwardsPoint::mul_base(&secret).compress();
    let wide = |parts: &[&[u8]]| {
        let hash: [u8; 64] = Sha512::digest(parts.concat()).into();
        Scalar::from_bytes_mod_order_wide(&hash)
    };
    let nonce = wide(&[prefix, challenge]);
    let point = EdwardsPoint::mul_base(&nonce).compress();
    let hash = wide(&[point.as_bytes(), public.as_bytes(), challenge]);
    let answer = hash * secret + nonce;
    Ok([&point.as_bytes()[..], &answer.to_bytes()].concat())
}

/// The password, mixed with the challenge, for the server's key only.
fn sealed(password: &[u8], challenge: &[u8], key: &[u8]) -> Result<Vec<u8>, NoProof> {
    if challenge.is_empty() {
        return Err(NoProof::Senseless);
    }
    let mixed: Vec<u8> =
        ended(password).iter().zip(challenge.iter().cycle()).map(|(a, b)| a ^ b).collect();
    let failed = if tls::PRESENT { NoProof::Senseless } else { NoProof::Absent };
    tls::seal(key, &mixed).map_err(|_| failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_32_bytes() {
        let mut challenge = [7; 33];
        challenge[31] = 0;
        let exact = MysqlPlugin::Ed25519.answer(b"p", &challenge[..32], false).expect("a proof");
        challenge[32] = 0;
        assert_eq!(MysqlPlugin::Ed25519.answer(b"p", &challenge, false), Ok(exact));
        challenge[32] = 1;
        assert_eq!(MysqlPlugin::Ed25519.answer(b"p", &challenge, false), Err(NoProof::Senseless));
    }

    #[test]
    fn quick_proofs() {
        let challenge = b"abcdefghijklmnopqrst";
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let answer = |plugin: MysqlPlugin, challenge: &[u8]| {
            hex(plugin.answer(b"secret", challenge, false).expect("a proof"))
        };
        assert_eq!(
            answer(MysqlPlugin::Native, challenge),
            "8817c50fa779daef010ee7577825b0847df9842e"
        );
        let sha = MysqlPlugin::Sha256 { caching: true };
        let wanted = "c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809";
        assert_eq!(answer(sha, challenge), wanted);
        assert_eq!(answer(sha, b"abcdefghijklmnopqrst\0"), wanted);
    }

    #[test]
    fn senseless_questions_have_no_answer() {
        let sha = MysqlPlugin::Sha256 { caching: true };
        assert_eq!(MysqlPlugin::Ed25519.answer(b"p", b"short", false), Err(NoProof::Senseless));
        assert_eq!(MysqlPlugin::Clear.answer(b"p", b"", false), Err(NoProof::Exposed));
        assert_eq!(sha.go_on(b"p", b"", b"no key", false), Err(NoProof::Senseless));
        assert_eq!(MysqlPlugin::Native.go_on(b"p", b"c", b"more", false), Err(NoProof::Senseless));
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_rsa_no_key_seals() {
        let sha = MysqlPlugin::Sha256 { caching: true };
        assert_eq!(sha.go_on(b"p", b"c", b"key", false), Err(NoProof::Absent));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn senseless_keys_seal_nothing() {
        let sha = MysqlPlugin::Sha256 { caching: true };
        assert_eq!(sha.go_on(b"p", b"c", b"", false), Err(NoProof::Senseless));
        assert_eq!(sha.go_on(b"p", b"c", b"no key", false), Err(NoProof::Senseless));
        // A key that is too short for anything.
        let key = openssl::rsa::Rsa::generate(512).expect("a key");
        let key = key.public_key_to_pem().expect("a key");
        assert_eq!(sha.go_on(&[b'p'; 100], b"c", &key, false), Err(NoProof::Senseless));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_key_seals() {
        let key = openssl::rsa::Rsa::generate(1024).expect("a key");
        let public = key.public_key_to_pem().expect("a key");
        let sha = MysqlPlugin::Sha256 { caching: true };
        let sealed = sha.go_on(b"secret", b"abc", &public, false).expect("sealed").expect("bytes");
        let mut out = vec![0; 128];
        let length = key
            .private_decrypt(&sealed, &mut out, openssl::rsa::Padding::PKCS1_OAEP)
            .expect("decrypted");
        let wanted: Vec<u8> = b"secret\0".iter().zip(b"abcabca").map(|(a, b)| a ^ b).collect();
        assert_eq!(&out[..length], &wanted[..]);
    }
}
