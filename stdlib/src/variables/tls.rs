//! Variables of encryption: `in` is the side of the client that sends to us,
//! `out` that of the server that we send to.

use eximious_core::{Example, Variable};

use super::record::{computed, variable};

use crate::variables::var;

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "tls_bits",
        NONE,
        Clean,
        "Old name: `$tls_in_bits`, in an SMTP delivery `$tls_out_bits`.",
        |call| call.value_of(var::TLS_IN_BITS)
    ),
    computed!(
        "tls_certificate_verified",
        NONE,
        Clean,
        "Old name: `$tls_in_certificate_verified`, in an SMTP delivery that of `out`.",
        |call| call.value_of(var::TLS_IN_CERTIFICATE_VERIFIED)
    ),
    computed!(
        "tls_cipher",
        NONE,
        Clean,
        "Old name: `$tls_in_cipher`, in an SMTP delivery `$tls_out_cipher`.",
        |call| call.value_of(var::TLS_IN_CIPHER),
        docs(
            "Still common: `${if def:tls_cipher}` asks whether the connection is encrypted. \
             New configurations name the side."
        ),
        examples(&[Example::new("${if def:tls_cipher {yes}{no}}", "no")])
    ),
    computed!(
        "tls_peerdn",
        NONE,
        Result,
        "Old name: `$tls_in_peerdn`, in an SMTP delivery `$tls_out_peerdn`.",
        |call| call.value_of(var::TLS_IN_PEERDN)
    ),
    computed!(
        "tls_sni",
        NONE,
        Result,
        "Old name: `$tls_in_sni`, in an SMTP delivery `$tls_out_sni`.",
        |call| call.value_of(var::TLS_IN_SNI)
    ),
    variable!(
        "tls_in_bits",
        SlotWith("0"),
        Clean,
        "How many bits the client's cipher has, roughly; 0 without encryption."
    ),
    variable!(
        "tls_in_certificate_verified",
        SlotWith("0"),
        Clean,
        "1 where the client's certificate was verified, else 0.",
        docs(
            "Only a client that matches `tls_verify_hosts` or `tls_try_verify_hosts` is asked \
             for one. `verify = certificate` tests the same."
        )
    ),
    variable!(
        "tls_in_cipher",
        Slot,
        Clean,
        "The cipher suite of the client's connection; empty without encryption.",
        docs(
            "As the TLS library names it: `TLS1.3:TLS_AES_256_GCM_SHA384:256`. \
             `${if def:tls_in_cipher}` asks whether the connection is encrypted, as the ACL \
             condition `encrypted = *` does: \
             `auth_advertise_hosts = ${if def:tls_in_cipher {*}}` offers AUTH on encrypted \
             connections only."
        ),
        examples(&[Example::new("${if def:tls_in_cipher {*}}", "")])
    ),
    variable!(
        "tls_in_cipher_std",
        Slot,
        Clean,
        "The client's cipher suite by the name that its RFC gives.",
        since("4.93")
    ),
    variable!(
        "tls_in_ocsp",
        SlotWith("0"),
        Clean,
        "What came of the client's OCSP request, 0 to 4.",
        docs("0 not asked for, 1 no response, 2 not verified, 3 verification failed, 4 verified.")
    ),
    variable!(
        "tls_in_ourcert",
        Certificate,
        Tainted,
        "The certificate that the client was shown.",
        docs(
            "For `certextract`, the operators `md5`, `sha1` and `sha256`, and `def`: \
             `${certextract{notafter,int}{$tls_in_ourcert}}`. As text it is of no use."
        )
    ),
    variable!(
        "tls_in_peercert",
        Certificate,
        Tainted,
        "The certificate that the client showed.",
        docs(
            "For `certextract`, the operators `md5`, `sha1` and `sha256`, and `def`: \
             `${certextract{subj_altname,mail,>:}{$tls_in_peercert}}`. Where verification failed \
             it may be that of an authority in the chain."
        )
    ),
    variable!(
        "tls_in_peerdn",
        Slot,
        Tainted,
        "The distinguished name in the client's certificate.",
        docs(
            "`CN=mail.example.com,O=Example`; it proves something only where \
             `$tls_in_certificate_verified` is 1. The item `extract` takes fields out of it, and \
             `certextract` does so better."
        )
    ),
    variable!(
        "tls_in_resumption",
        SlotWith("0"),
        Clean,
        "How the client's session was resumed, as bits.",
        docs(
            "1 support is built in, 2 the client asked for a ticket, 4 it offered a session, 8 a \
             ticket was issued, 16 the session was resumed."
        ),
        since("4.95"),
        source("specification 43.11")
    ),
    variable!(
        "tls_in_sni",
        Slot,
        Tainted,
        "The server name that the client asked for (SNI).",
        docs(
            "Where `tls_certificate` uses it, that option and those beside it are expanded anew \
             for each connection, so that each name can have its certificate. The client \
             chooses it and it is tainted: look it up, as in \
             `${lookup{$tls_in_sni}lsearch{/etc/certs}}`, and use what was found."
        ),
        source("specification 11.9, 43.8")
    ),
    variable!(
        "tls_in_ver",
        Slot,
        Clean,
        "The TLS version of the client's connection: `TLS1.3`.",
        since("4.93")
    ),
    variable!(
        "tls_out_bits",
        SlotWith("0"),
        Clean,
        "How many bits the cipher of an outgoing connection has, roughly; 0 without encryption."
    ),
    variable!(
        "tls_out_certificate_verified",
        SlotWith("0"),
        Clean,
        "1 where the server's certificate was verified, else 0."
    ),
    variable!(
        "tls_out_cipher",
        Slot,
        Clean,
        "The cipher suite of an outgoing connection; empty without encryption.",
        docs(
            "A client authenticator can keep passwords off clear connections: \
             `client_condition = ${if def:tls_out_cipher}`."
        )
    ),
    variable!(
        "tls_out_cipher_std",
        Slot,
        Clean,
        "The cipher suite of an outgoing connection by the name that its RFC gives.",
        since("4.93")
    ),
    variable!(
        "tls_out_dane",
        SlotWith("no"),
        Clean,
        "Whether the server was verified by DANE: `yes` or `no`.",
        source("specification 43.12.4")
    ),
    variable!(
        "tls_out_ocsp",
        SlotWith("0"),
        Clean,
        "What came of our OCSP request, 0 to 4 as `$tls_in_ocsp`."
    ),
    variable!(
        "tls_out_ourcert",
        Certificate,
        Tainted,
        "The certificate that we showed to the server, for `certextract` and the like."
    ),
    variable!(
        "tls_out_peercert",
        Certificate,
        Tainted,
        "The certificate that the server showed, for `certextract` and the like."
    ),
    variable!(
        "tls_out_peerdn",
        Slot,
        Tainted,
        "The distinguished name in the server's certificate."
    ),
    variable!(
        "tls_out_resumption",
        SlotWith("0"),
        Clean,
        "How the session of an outgoing connection was resumed, bits as `$tls_in_resumption`.",
        since("4.95"),
        source("specification 43.11")
    ),
    variable!(
        "tls_out_sni",
        Slot,
        Clean,
        "The server name that we asked for, from the transport's `tls_sni`."
    ),
    variable!(
        "tls_out_tlsa_usage",
        SlotWith("0"),
        Clean,
        "Which usages the TLSA records found have, as bits.",
        docs("1 for usage 0, 2 for 1, 4 for DANE-TA (2), 8 for DANE-EE (3); 0 without DANE."),
        source("specification 43.12")
    ),
    variable!(
        "tls_out_ver",
        Slot,
        Clean,
        "The TLS version of an outgoing connection.",
        since("4.93")
    ),
];
