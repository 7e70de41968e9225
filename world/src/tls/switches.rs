//! `openssl_options`: switches of the library, by Exim's names.

use eximious_core::world::TlsFault;
use openssl::ssl::SslOptions;

/// Those that are on unless somebody turns them off.
const USUAL: &str = "+no_sslv2 +no_sslv3 +single_dh_use +no_ticket +no_renegotiation";

/// Names, and what they stand for. What means nothing to the library any more is
/// known, and does nothing.
const NAMES: [(&str, SslOptions); 29] = [
    ("all", SslOptions::ALL),
    ("allow_unsafe_legacy_renegotiation", SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION),
    ("cipher_server_preference", SslOptions::CIPHER_SERVER_PREFERENCE),
    ("cookie_exchange", SslOptions::COOKIE_EXCHANGE),
    ("dont_insert_empty_fragments", SslOptions::DONT_INSERT_EMPTY_FRAGMENTS),
    ("ephemeral_rsa", SslOptions::empty()),
    ("legacy_server_connect", SslOptions::empty()),
    ("microsoft_big_sslv3_buffer", SslOptions::empty()),
    ("microsoft_sess_id_bug", SslOptions::empty()),
    ("msie_sslv2_rsa_padding", SslOptions::empty()),
    ("netscape_challenge_bug", SslOptions::empty()),
    ("netscape_reuse_cipher_change_bug", SslOptions::empty()),
    ("no_compression", SslOptions::NO_COMPRESSION),
    ("no_renegotiation", SslOptions::NO_RENEGOTIATION),
    ("no_session_resumption_on_renegotiation", SslOptions::NO_SESSION_RESUMPTION_ON_RENEGOTIATION),
    ("no_sslv2", SslOptions::NO_SSLV2),
    ("no_sslv3", SslOptions::NO_SSLV3),
    ("no_ticket", SslOptions::NO_TICKET),
    ("no_tlsv1", SslOptions::NO_TLSV1),
    ("no_tlsv1_1", SslOptions::NO_TLSV1_1),
    ("no_tlsv1_2", SslOptions::NO_TLSV1_2),
    ("no_tlsv1_3", SslOptions::NO_TLSV1_3),
    ("safari_ecdhe_ecdsa_bug", SslOptions::empty()),
    ("single_dh_use", SslOptions::SINGLE_DH_USE),
    ("single_ecdh_use", SslOptions::SINGLE_ECDH_USE),
    ("ssleay_080_client_dh_bug", SslOptions::empty()),
    ("tls_block_padding_bug", SslOptions::empty()),
    ("tls_d5_bug", SslOptions::empty()),
    ("tls_rollback_bug", SslOptions::TLS_ROLLBACK_BUG),
];

/// The switches that are on.
pub fn read(given: &[u8]) -> Result<SslOptions, TlsFault> {
    let given = String::from_utf8_lossy(given);
    let mut on = SslOptions::empty();
    for word in USUAL.split(' ').chain(given.split_ascii_whitespace()) {
        let wrong = |why: &str| TlsFault::new("openssl_options", format!("{why}: {word}"));
        let (sign, name) = word.split_at_checked(1).unwrap_or(("", ""));
        let found = NAMES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        let (_, switch) = found.ok_or_else(|| wrong("no such switch, with + or - before it"))?;
        match sign {
            "+" => on |= *switch,
            "-" => on &= !*switch,
            _ => return Err(wrong("no + or - before it")),
        }
    }
    Ok(on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_turned_on_and_off() {
        let usual = read(b"").unwrap();
        assert!(usual.contains(SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION));
        let some = read(b"-no_ticket +No_TLSv1").unwrap();
        assert!(!some.contains(SslOptions::NO_TICKET) && some.contains(SslOptions::NO_TLSV1));
        for wrong in ["no_ticket", "+", "+nothing", "*all"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
