//! The fields of a certificate, as texts (specification 11.5, `certextract`;
//! RFC 5280). The wording is that of the GnuTLS build of Exim.

use std::fmt::Write;

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Any, FromDer, Oid, Tag, ToDer};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP;
use x509_parser::x509::{AlgorithmIdentifier, X509Name};

/// A certificate that has been read.
#[derive(Debug)]
pub struct Certificate<'a>(X509Certificate<'a>);

/// An alternative name of a subject.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AltName<'a> {
    /// A host.
    Dns(&'a str),
    /// A URI.
    Uri(&'a str),
    /// A mail address.
    Mail(&'a str),
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER form.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        X509Certificate::from_der(der).ok().map(|(_, certificate)| Self(certificate))
    }

    /// The version: 1, 2 or 3.
    pub fn version(&self) -> u32 {
        self.0.version().0.saturating_add(1)
    }

    /// The serial number in hexadecimal digits, without zeros before it.
    pub fn serial_number(&self) -> String {
        let digits = hex(self.0.raw_serial(), "");
        match digits.trim_start_matches('0') {
            "" => "0".into(),
            digits => digits.into(),
        }
    }

    /// The subject's distinguished name (RFC 4514, in the certificate's order).
    pub fn subject(&self) -> String {
        distinguished_name(self.0.subject())
    }

    /// The issuer's distinguished name.
    pub fn issuer(&self) -> String {
        distinguished_name(self.0.issuer())
    }

    /// From when it is valid, in seconds since 1970.
    pub fn not_before(&self) -> i64 {
        self.0.validity().not_before.timestamp()
    }

    /// Until when.
    pub fn not_after(&self) -> i64 {
        self.0.validity().not_after.timestamp()
    }

    /// The algorithm of its signature, as GnuTLS calls it; its number where it
    /// has no name here.
    pub fn signature_algorithm(&self) -> String {
        algorithm(&self.0.signature_algorithm)
    }

    /// The signature: bytes in hexadecimal digits, separated by spaces.
    pub fn signature(&self) -> String {
        hex(&self.0.signature_value.data, " ")
    }

    /// The alternative names of the sorts that Exim shows.
    pub fn alternative_names(&self) -> Vec<AltName<'_>> {
        let mut found = Vec::new();
        for extension in self.0.extensions() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() {
                found.extend(names.general_names.iter().filter_map(|name| match name {
                    GeneralName::DNSName(text) => Some(AltName::Dns(text)),
                    GeneralName::URI(text) => Some(AltName::Uri(text)),
                    GeneralName::RFC822Name(text) => Some(AltName::Mail(text)),
                    _ => None,
                }));
            }
        }
        found
    }

    /// Where the state of the certificate can be asked for.
    pub fn ocsp_uris(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for extension in self.0.extensions() {
            if let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() {
                for description in &access.accessdescs {
                    if description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP
                        && let GeneralName::URI(text) = &description.access_location
                    {
                        found.push(*text);
                    }
                }
            }
        }
        found
    }

    /// Where lists of certificates that are no longer valid are.
    pub fn crl_uris(&self) -> Vec<String> {
        let mut found = Vec::new();
        for extension in self.0.extensions() {
            if let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() {
                for point in points.iter() {
                    if let Some(DistributionPointName::FullName(names)) = &point.distribution_point
                    {
                        found.extend(names.iter().filter_map(|name| match name {
                            GeneralName::URI(text) => Some((*text).to_owned()),
                            GeneralName::DirectoryName(name) => Some(distinguished_name(name)),
                            _ => None,
                        }));
                    }
                }
            }
        }
        found
    }
}

fn hex(bytes: &[u8], between: &str) -> String {
    let mut out = String::with_capacity(bytes.len() * (2 + between.len()));
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            out.push_str(between);
        }
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The texts that may stand in an attribute (RFC 5280, appendix A).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any of those that a directory takes.
    Directory,
    Printable,
    Ia5,
    Numeric,
}

/// The types of attributes that GnuTLS knows, what it calls them, and the texts
/// that it takes in them.
const LABELS: &[(&str, &str, Kind)] = &[
    ("0.9.2342.19200300.100.1.1", "UID", Kind::Directory),
    ("0.9.2342.19200300.100.1.25", "DC", Kind::Ia5),
    ("1.2.643.3.131.1.1", "INN", Kind::Numeric),
    ("1.2.643.100.1", "OGRN", Kind::Numeric),
    ("1.2.643.100.3", "SNILS", Kind::Numeric),
    ("1.2.840.113549.1.9.1", "EMAIL", Kind::Ia5),
    ("1.2.840.113549.1.9.7", "1.2.840.113549.1.9.7", Kind::Directory),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionOfIncorporationLocalityName", Kind::Directory),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionOfIncorporationStateOrProvinceName", Kind::Directory),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionOfIncorporationCountryName", Kind::Printable),
    ("1.3.6.1.5.5.7.9.2", "placeOfBirth", Kind::Directory),
    ("1.3.6.1.5.5.7.9.3", "gender", Kind::Printable),
    ("1.3.6.1.5.5.7.9.4", "countryOfCitizenship", Kind::Printable),
    ("1.3.6.1.5.5.7.9.5", "countryOfResidence", Kind::Printable),
    ("2.5.4.3", "CN", Kind::Directory),
    ("2.5.4.4", "surName", Kind::Directory),
    ("2.5.4.5", "serialNumber", Kind::Printable),
    ("2.5.4.6", "C", Kind::Printable),
    ("2.5.4.7", "L", Kind::Directory),
    ("2.5.4.8", "ST", Kind::Directory),
    ("2.5.4.9", "street", Kind::Directory),
    ("2.5.4.10", "O", Kind::Directory),
    ("2.5.4.11", "OU", Kind::Directory),
    ("2.5.4.12", "title", Kind::Directory),
    ("2.5.4.13", "description", Kind::Directory),
    ("2.5.4.15", "businessCategory", Kind::Directory),
    ("2.5.4.17", "postalCode", Kind::Directory),
    ("2.5.4.20", "telephoneNumber", Kind::Printable),
    ("2.5.4.41", "name", Kind::Directory),
    ("2.5.4.42", "givenName", Kind::Directory),
    ("2.5.4.43", "initials", Kind::Directory),
    ("2.5.4.44", "generationQualifier", Kind::Directory),
    ("2.5.4.46", "dnQualifier", Kind::Printable),
    ("2.5.4.65", "pseudonym", Kind::Directory),
];

fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut out = String::new();
    for (place, rdn) in name.iter_rdn().enumerate() {
        if place > 0 {
            out.push(',');
        }
        for (place, attribute) in rdn.iter().enumerate() {
            if place > 0 {
                out.push('+');
            }
            let kind = attribute.attr_type().to_id_string();
            let known = LABELS.iter().find(|(id, ..)| *id == kind);
            out.push_str(known.map_or(&kind, |(_, label, _)| label));
            out.push('=');
            match known.and_then(|(.., texts)| text(attribute.attr_value(), *texts)) {
                Some(text) => escape(&text, &mut out),
                None => {
                    out.push('#');
                    let der = attribute.attr_value().to_der_vec().unwrap_or_default();
                    out.push_str(&hex(&der, ""));
                }
            }
        }
    }
    out
}

/// A value as text, where it is of a type that is one and that may stand there.
fn text(value: &Any<'_>, texts: Kind) -> Option<String> {
    let tag = value.header.tag();
    let only = match texts {
        Kind::Directory => tag,
        Kind::Printable => Tag::PrintableString,
        Kind::Ia5 => Tag::Ia5String,
        Kind::Numeric => Tag::NumericString,
    };
    if tag != only {
        return None;
    }
    match tag {
        Tag::BmpString => {
            let units = value.data.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        Tag::UniversalString => {
            let units = value.data.chunks(4).map(|four| {
                let number = four.iter().fold(0, |n, b| n << 8 | u32::from(*b));
                char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
            });
            Some(units.collect())
        }
        Tag::T61String => Some(
            // GnuTLS does not guess what other bytes mean.
            String::from_utf8(value.data.to_vec())
                .unwrap_or_else(|_| format!("#{}", hex(value.data, ""))),
        ),
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => String::from_utf8(value.data.to_vec()).ok(),
        _ => None,
    }
}

/// Puts backslashes where RFC 4514 wants them.
fn escape(text: &str, out: &mut String) {
    let last = text.len().saturating_sub(1);
    for (place, letter) in text.char_indices() {
        let special = match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            '#' => place == 0,
            ' ' => place == 0 || place == last,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(letter);
    }
}

/// What GnuTLS calls the algorithms of signatures.
const ALGORITHMS: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "RSA-MD2"),
    ("1.2.840.113549.1.1.4", "RSA-MD5"),
    ("1.2.840.113549.1.1.5", "RSA-SHA1"),
    ("1.2.840.113549.1.1.11", "RSA-SHA256"),
    ("1.2.840.113549.1.1.12", "RSA-SHA384"),
    ("1.2.840.113549.1.1.13", "RSA-SHA512"),
    ("1.2.840.113549.1.1.14", "RSA-SHA224"),
    ("1.2.840.10040.4.3", "DSA-SHA1"),
    ("2.16.840.1.101.3.4.3.1", "DSA-SHA224"),
    ("2.16.840.1.101.3.4.3.2", "DSA-SHA256"),
    ("1.2.840.10045.4.1", "ECDSA-SHA1"),
    ("1.2.840.10045.4.3.1", "ECDSA-SHA224"),
    ("1.2.840.10045.4.3.2", "ECDSA-SHA256"),
    ("1.2.840.10045.4.3.3", "ECDSA-SHA384"),
    ("1.2.840.10045.4.3.4", "ECDSA-SHA512"),
    ("1.3.101.112", "EdDSA-Ed25519"),
    ("1.3.101.113", "EdDSA-Ed448"),
];

fn algorithm(found: &AlgorithmIdentifier<'_>) -> String {
    let id = found.algorithm.to_id_string();
    if id == "1.2.840.113549.1.1.10" {
        return format!("RSA-PSS-{}", pss_hash(found).unwrap_or("SHA1"));
    }
    match ALGORITHMS.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => (*name).into(),
        None => id,
    }
}

/// The hash in the parameters of RSA-PSS (RFC 4055): the first of them, in a
/// context tag 0.
fn pss_hash(found: &AlgorithmIdentifier<'_>) -> Option<&'static str> {
    let parameters = found.parameters.as_ref()?;
    let (_, tagged) = Any::from_der(parameters.data).ok()?;
    if tagged.header.tag() != Tag(0) {
        return None;
    }
    let (_, sequence) = Any::from_der(tagged.data).ok()?;
    let (_, hash) = Oid::from_der(sequence.data).ok()?;
    Some(match hash.to_id_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => "SHA256",
        "2.16.840.1.101.3.4.2.2" => "SHA384",
        "2.16.840.1.101.3.4.2.3" => "SHA512",
        _ => return None,
    })
}
