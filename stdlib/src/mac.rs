//! Message authentication codes (RFC 2104), for `hmac`, `prvs` and SRS.

use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;

use crate::printing::{LOWER, hexadecimal};

/// HMAC-MD5 of parts that make one text.
pub fn md5(secret: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(secret).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA1 of parts that make one text.
pub fn sha1(secret: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    hexadecimal(bytes, LOWER).into_vec()
}

/// Whether two texts are equal, in a time that says nothing of where they
/// differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // RFC 2202, test cases 1 and 6.
        assert_eq!(
            hex(&md5(&[0x0b; 16], &[b"Hi ", b"There"])),
            b"9294727a3638bb1c13f48ef8158bfc9d"
        );
        let text: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hex(&sha1(&[0xaa; 80], &[text])), b"aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    #[test]
    fn texts_are_compared_whole() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
