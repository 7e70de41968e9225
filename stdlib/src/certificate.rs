//! Certificates, as far as operators look into them.

use crate::base64;

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
