//! Makes a signature.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Algorithm, field_name, signed_fields};
use crate::canon::{BodyHash, BodyHashes, Canon};
use crate::crypto::{Hash, KeyType, PrivateKey};

/// The fields that are signed where nothing else is said (RFC 4871, section 5.5), as the
/// macro `_DKIM_SIGN_HEADERS` has them.
pub const SIGN_HEADERS: &str = "From:Sender:Reply-To:Subject:Date:Message-ID:To:Cc:MIME-Version:\
    Content-Type:Content-Transfer-Encoding:Content-ID:Content-Description:Resent-Date:\
    Resent-From:Resent-Sender:Resent-To:Resent-Cc:Resent-Message-ID:In-Reply-To:References:\
    List-Id:List-Help:List-Unsubscribe:List-Subscribe:List-Post:List-Owner:List-Archive";

/// The same, each with its absence: no further field of its name can be added
/// (`_DKIM_OVERSIGN_HEADERS`).
pub const OVERSIGN_HEADERS: &str = "+From:+Sender:+Reply-To:+Subject:+Date:+Message-ID:+To:+Cc:\
    +MIME-Version:+Content-Type:+Content-Transfer-Encoding:+Content-ID:+Content-Description:\
    +Resent-Date:+Resent-From:+Resent-Sender:+Resent-To:+Resent-Cc:+Resent-Message-ID:\
    +In-Reply-To:+References:+List-Id:+List-Help:+List-Unsubscribe:+List-Subscribe:+List-Post:\
    +List-Owner:+List-Archive";

/// How many columns a line of a signature takes, where it can be folded.
const COLUMNS: usize = 76;

/// What a message is signed with.
#[derive(Clone, Copy, Debug)]
pub struct DkimSigner<'s> {
    /// The key.
    pub key: &'s PrivateKey,
    /// `d=`: the domain that signs.
    pub domain: &'s [u8],
    /// `s=`: which of its keys.
    pub selector: &'s [u8],
    /// `i=`: on whose behalf.
    pub identity: Option<&'s [u8]>,
    /// The hash; with an Ed25519 key it is SHA-256.
    pub hash: Hash,
    /// How the header is canonicalized.
    pub header_canon: Canon,
    /// How the body is canonicalized.
    pub body_canon: Canon,
    /// `l=`: how many bytes of the canonical body are signed; usually all are.
    pub length: Option<u64>,
    /// Names of fields with colons between them, as `dkim_sign_headers` has them: with
    /// `=`, all fields of the name; with `+`, all of them and their absence.
    pub headers: &'s [u8],
    /// `t=`: when it is signed, in seconds since 1970.
    pub created: Option<i64>,
    /// `x=`: when the signature expires.
    pub expires: Option<i64>,
}

/// Why a message could not be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsigned {
    /// The hash of its body was not made.
    NoBodyHash,
    /// The key is too short for the hash.
    KeyTooShort,
    /// There is no chain of ARC that could go on.
    NoChain,
}

impl std::fmt::Display for Unsigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoBodyHash => "the hash of the body was not made",
            Self::KeyTooShort => "the private key is too short",
            Self::NoChain => "the chain of seals can't go on",
        })
    }
}

impl DkimSigner<'_> {
    fn algorithm(&self) -> Algorithm {
        let key = self.key.kind();
        let hash = if key == KeyType::Ed25519 { Hash::Sha256 } else { self.hash };
        Algorithm { key, hash }
    }

    /// The hash of the body that is wanted.
    pub fn body(&self) -> BodyHash {
        let hash = self.algorithm().hash;
        BodyHash { canon: self.body_canon, hash, length: self.length }
    }

    /// The field `DKIM-Signature`, with CRLF at the ends of its lines, for a message with
    /// these header fields.
    ///
    /// # Errors
    /// It can't be made.
    pub fn sign(&self, header: &[&[u8]], bodies: &BodyHashes) -> Result<Vec<u8>, Unsigned> {
        let body = bodies.get(self.body()).ok_or(Unsigned::NoBodyHash)?;
        let names = names(header, self.headers);
        let algorithm = self.algorithm();
        let canon = format!("{}/{}", self.header_canon.name(), self.body_canon.name());
        let mut tags: Vec<(&str, Vec<u8>)> = vec![
            ("v", b"1".to_vec()),
            ("a", algorithm.name().into_bytes()),
            ("q", b"dns/txt".to_vec()),
            ("c", canon.into_bytes()),
            ("d", self.domain.to_vec()),
            ("s", self.selector.to_vec()),
        ];
        let number = |number: i64| number.to_string().into_bytes();
        tags.extend(self.identity.map(|identity| ("i", quoted(identity))));
        tags.extend(self.length.map(|length| ("l", length.to_string().into_bytes())));
        tags.extend(self.created.map(|date| ("t", number(date))));
        tags.extend(self.expires.map(|date| ("x", number(date))));
        tags.push(("h", names.join(&b':')));
        tags.push(("bh", BASE64_STANDARD.encode(body).into_bytes()));
        let mut field = folded("DKIM-Signature", &tags);
        let names = names.iter().map(Vec::as_slice);
        let mut signed = signed_fields(header, names, self.header_canon);
        self.header_canon.header(&field, &mut signed);
        signed.truncate(signed.len() - b"\r\n".len());
        let signature = self.key.sign(algorithm.hash, &signed).ok_or(Unsigned::KeyTooShort)?;
        push_base64(&mut field, BASE64_STANDARD.encode(signature).as_bytes());
        field.extend_from_slice(b"\r\n");
        Ok(field)
    }
}

/// The names that a list stands for, of the fields of a header.
pub(crate) fn names(header: &[&[u8]], list: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for name in list.split(|c| *c == b':').map(<[u8]>::trim_ascii) {
        let (all, absence, name) = match name.split_first() {
            None => continue,
            Some((b'=', name)) => (true, false, name),
            Some((b'+', name)) => (true, true, name),
            Some(_) => (false, true, name),
        };
        let is_so = |field: &&&[u8]| field_name(field).eq_ignore_ascii_case(name);
        let there = if all { header.iter().filter(is_so).count() } else { 0 };
        names.extend(std::iter::repeat_n(name.to_vec(), there + usize::from(absence)));
    }
    names
}

/// A field of tags, folded, with `b=` at its end.
pub(crate) fn folded(name: &str, tags: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut field = format!("{name}:").into_bytes();
    for (tag, value) in tags {
        let width = tag.len() + value.len() + 3;
        fold(&mut field, width);
        field.extend_from_slice(format!("{tag}=").as_bytes());
        match *tag {
            "h" => push_names(&mut field, value),
            "bh" => push_base64(&mut field, value),
            _ => field.extend_from_slice(value),
        }
        field.push(b';');
    }
    fold(&mut field, COLUMNS);
    field.extend_from_slice(b"b=");
    field
}

/// Goes on behind a space, or on a line of its own where there is no room.
fn fold(field: &mut Vec<u8>, width: usize) {
    if column(field) + width > COLUMNS {
        field.extend_from_slice(b"\r\n\t");
    } else {
        field.push(b' ');
    }
}

/// Adds Base64, which may be folded anywhere.
pub(crate) fn push_base64(field: &mut Vec<u8>, mut value: &[u8]) {
    while !value.is_empty() {
        let room = COLUMNS.saturating_sub(column(field) + 1);
        if room == 0 {
            field.extend_from_slice(b"\r\n\t ");
            continue;
        }
        let (now, later) = value.split_at(room.min(value.len()));
        field.extend_from_slice(now);
        value = later;
    }
}

/// Adds names, which are folded behind colons.
fn push_names(field: &mut Vec<u8>, names: &[u8]) {
    for (number, name) in names.split(|c| *c == b':').enumerate() {
        if number > 0 {
            field.push(b':');
        }
        if column(field) + name.len() + 1 > COLUMNS {
            field.extend_from_slice(b"\r\n\t ");
        }
        field.extend_from_slice(name);
    }
}

fn column(field: &[u8]) -> usize {
    field.len() - memchr::memrchr(b'\n', field).map_or(0, |at| at + 1)
}

/// DKIM's quoted-printable: what would end a tag, and white space, is written out.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match byte {
            b'!'..=b':' | b'<' | b'>'..=b'~' => out.push(*byte),
            _ => out.extend_from_slice(format!("={byte:02X}").as_bytes()),
        }
    }
    out
}
