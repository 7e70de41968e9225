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

/// How many columns a line of a signature takes, where it can be folded; the tab at its head is
/// one.
const COLUMNS: usize = 78;

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
    /// Names of fields with colons between them, as `dkim_sign_headers` has them: one field
    /// of the name or its absence; with `=`, all fields of the name; with `+`, all of them and
    /// their absence.
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
        tags.push(("h", names.join(&b':')));
        tags.push(("bh", BASE64_STANDARD.encode(body).into_bytes()));
        tags.extend(self.identity.map(|identity| ("i", quoted(identity))));
        tags.extend(self.length.map(|length| ("l", length.to_string().into_bytes())));
        tags.extend(self.created.map(|date| ("t", number(date))));
        tags.extend(self.expires.map(|date| ("x", number(date))));
        let names = names.iter().map(Vec::as_slice);
        let signed = signed_fields(header, names, self.header_canon);
        let how = (self.key, algorithm.hash, self.header_canon);
        signed_field("DKIM-Signature", &tags, signed, how)
    }
}

/// A field of tags with `b=` at its end: the signature of what is signed before, and of the
/// field itself.
pub(crate) fn signed_field(
    name: &str,
    tags: &[(&str, Vec<u8>)],
    mut signed: Vec<u8>,
    (key, hash, canon): (&PrivateKey, Hash, Canon),
) -> Result<Vec<u8>, Unsigned> {
    let mut field = folded(name, tags);
    canon.header(&[&field[..], b";"].concat(), &mut signed);
    signed.truncate(signed.len() - b"\r\n".len());
    let signature = key.sign(hash, &signed).ok_or(Unsigned::KeyTooShort)?;
    push_base64(&mut field, BASE64_STANDARD.encode(signature).as_bytes());
    // It stands where the signature ends: white space before it would be part of that.
    field.extend_from_slice(b";\r\n");
    Ok(field)
}

/// The names of a list, each with the sign before it, or a blank.
pub(crate) fn signs(list: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let elements = list.split(|c| *c == b':').map(<[u8]>::trim_ascii);
    let split = elements.map(|element| match element.split_first() {
        Some((sign @ (b'=' | b'+'), name)) => (*sign, name),
        _ => (b' ', element),
    });
    split.filter(|(_, name)| !name.is_empty())
}

/// The names that a list stands for, of the fields of a header: those of the fields, the last
/// one first, as they are written there, and then those of absent ones, as the list has them.
pub(super) fn names(header: &[&[u8]], list: &[u8]) -> Vec<Vec<u8>> {
    let mut wanted: Vec<(u8, &[u8])> = signs(list).collect();
    let mut names = Vec::new();
    for name in header.iter().rev().map(|field| field_name(field)) {
        let found = wanted.iter().position(|(_, one)| one.eq_ignore_ascii_case(name));
        let Some(at) = found else { continue };
        names.push(name.to_vec());
        if wanted[at].0 == b' ' {
            wanted.remove(at);
        }
    }
    let absent = wanted.into_iter().filter(|(sign, _)| *sign != b'=');
    names.extend(absent.map(|(_, name)| name.to_vec()));
    names
}

/// A field of tags, folded, with `b=` at its end.
fn folded(name: &str, tags: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut field = format!("{name}:").into_bytes();
    for (tag, value) in tags {
        let head = format!(" {tag}=").into_bytes();
        match *tag {
            // Names, but not what is between them, go together with what stands before.
            "h" => {
                for (number, name) in value.split(|c| *c == b':').enumerate() {
                    match number {
                        0 => push(&mut field, &[&head[..], name].concat()),
                        _ => {
                            push(&mut field, b":");
                            push(&mut field, name);
                        }
                    }
                }
            }
            "bh" if head.len() + value.len() > COLUMNS => {
                push_head(&mut field, tag);
                push_base64(&mut field, value);
            }
            _ => push(&mut field, &[&head[..], value].concat()),
        }
        push(&mut field, b";");
    }
    push_head(&mut field, "b");
    field
}

/// Adds a piece that is not folded, on a line of its own where there is no room; a blank at its
/// head is lost there.
fn push(field: &mut Vec<u8>, piece: &[u8]) {
    if column(field) + piece.len() > COLUMNS {
        field.extend_from_slice(b"\r\n\t");
        field.extend_from_slice(piece.strip_prefix(b" ").unwrap_or(piece));
    } else {
        field.extend_from_slice(piece);
    }
}

/// Adds a tag whose value is folded.
fn push_head(field: &mut Vec<u8>, tag: &str) {
    push(field, b" ");
    push(field, format!("{tag}=").as_bytes());
}

/// Adds Base64, which may be folded anywhere.
fn push_base64(field: &mut Vec<u8>, mut value: &[u8]) {
    while !value.is_empty() {
        let room = COLUMNS.saturating_sub(column(field));
        let (now, later) = value.split_at(room.min(value.len()));
        field.extend_from_slice(now);
        if !later.is_empty() {
            field.extend_from_slice(b"\r\n\t");
        }
        value = later;
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
