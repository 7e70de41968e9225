//! CRAM-MD5 (RFC 2195).

use eximious_stdlib::mac;

/// What proves that somebody knows a secret: the challenge's digest with it, in
/// hexadecimal digits.
pub fn digest(secret: &[u8], challenge: &[u8]) -> Vec<u8> {
    mac::hex(&mac::md5(secret, &[challenge]))
}

/// A client's response: its name, and the digest.
pub fn response(name: &[u8], secret: &[u8], challenge: &[u8]) -> Vec<u8> {
    [name, b" ", &digest(secret, challenge)].concat()
}

/// The name and the digest of a response; nothing where it has no such form. A
/// name may have spaces in it, a digest has none.
pub fn parse(response: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b' ', response) {
        Some(at) => (&response[..at], Some(&response[at + 1..])),
        None => (response, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let said = response(b"tim", b"tanstaaftanstaaf", challenge);
        assert_eq!(said, b"tim b913a602c7eda7a495b4e6e7334d3890");
    }
}
