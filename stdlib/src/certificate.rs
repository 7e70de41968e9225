//! Certificates, as far as operators look into them.

use std::borrow::Cow;

use eximious_core::{Call, Str};

use crate::base64;

/// What an operator that looks into certificates has to work on.
pub enum Input<'a> {
    /// The DER form of the certificate in a variable.
    Certificate(Vec<u8>),
    /// A text; where a certificate variable holds nothing, its name, as in the
    /// program.
    Text(Cow<'a, [u8]>),
}

/// The argument of an operator that looks into certificates.
pub fn input<'a>(call: &mut Call<'_>, arg: &'a Str) -> Input<'a> {
    match call.certificate_argument() {
        Some((name, pem)) if pem.is_empty() => Input::Text(name.to_vec().into()),
        certificate => match certificate.and_then(|(_, pem)| der(pem.bytes())) {
            Some(der) => Input::Certificate(der),
            None => Input::Text(arg.bytes().into()),
        },
    }
}

/// The DER form of a certificate that is given as PEM (RFC 7468).
pub fn der(pem: &[u8]) -> Option<Vec<u8>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let start = memchr::memmem::find(pem, BEGIN)? + BEGIN.len();
    let length = memchr::memmem::find(&pem[start..], END)?;
    base64::decode(&pem[start..start + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_is_taken() {
        let pem = b"x\n-----BEGIN CERTIFICATE-----\nAQID\nBA==\n-----END CERTIFICATE-----\n";
        assert_eq!(der(pem), Some(vec![1, 2, 3, 4]));
        assert_eq!(der(b"-----BEGIN CERTIFICATE-----\nAQID"), None);
        assert_eq!(der(b""), None);
    }
}
