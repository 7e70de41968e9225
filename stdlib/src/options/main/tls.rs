//! Main options: TLS for clients that connect.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("gnutls_allow_auto_pkcs11")
        .idle("TLS is done by another library")
        .summary("Lets GnuTLS load modules for PKCS#11 by itself."),
    AT.no("gnutls_compat_mode")
        .idle("TLS is done by another library")
        .summary("Makes servers kinder to old clients, and less secure."),
    AT.hosts("hosts_require_alpn")
        .since("4.95")
        .summary("Hosts that must agree on a protocol name (ALPN) to use TLS."),
    AT.list("openssl_options").summary("Switches of OpenSSL, each after `+` or `-`."),
    AT.hosts("tls_advertise_hosts")
        .default("*")
        .summary("Hosts to which STARTTLS is offered.")
        .docs(
            "Where it matches and there is no `tls_certificate`, the program makes one for \
             itself.",
        ),
    AT.list("tls_alpn")
        .expanded()
        .default("smtp:esmtp")
        .since("4.95")
        .summary("Protocol names (ALPN) that a client may ask for."),
    AT.list("tls_certificate").expanded().summary("Files with the server's certificates.").docs(
        "Expanded for each connection, so it may depend on `$tls_in_sni`. Without it a \
             self-signed certificate is made.",
    ),
    AT.text("tls_crl").expanded().summary("A file of revoked certificates."),
    AT.integer("tls_dh_max_bits")
        .default("2236")
        .summary("The largest number of bits for a Diffie-Hellman exchange."),
    AT.text("tls_dhparam")
        .expanded()
        .summary("The parameters for Diffie-Hellman: a file, a well-known name, or `none`."),
    AT.hosts("tls_early_banner_hosts")
        .since("4.99")
        .summary("Hosts that get the greeting before the TLS handshake is over.")
        .docs(
            "It saves a round trip where TLS comes first (`tls_on_connect_ports`), under TLS 1.3, \
             where the client need not show a certificate nor name a protocol. What \
             `smtp_banner` says can't hang on TLS then.",
        ),
    AT.list("tls_eccurve")
        .expanded()
        .default("auto")
        .summary("The elliptic curves for key exchange."),
    AT.text("tls_ocsp_file")
        .expanded()
        .summary("A file with the proof that the server's certificate is valid (OCSP).")
        .docs("A list with one for each certificate."),
    AT.list("tls_on_connect_ports")
        .summary("Ports where TLS starts at once, without STARTTLS.")
        .docs("The daemon must listen there as well: see `daemon_smtp_ports`."),
    AT.list("tls_privatekey")
        .expanded()
        .summary("Files with the keys of the server's certificates.")
        .docs("Where it is unset, the key is in the certificate's own file."),
    AT.no("tls_remember_esmtp").summary(
        "Takes a client for one that said EHLO though it didn't repeat it after STARTTLS.",
    ),
    AT.text("tls_require_ciphers")
        .expanded()
        .summary("The ciphers that clients may use; expanded for each connection.")
        .docs("GnuTLS takes a priority string here, OpenSSL a list of ciphers."),
    AT.hosts("tls_resumption_hosts")
        .since("4.95")
        .summary("Hosts whose TLS sessions may be taken up again."),
    AT.text("tls_ticket_secret_file")
        .unprinted()
        .expanded()
        .summary(
            "A file with a secret of which keys of session tickets are made, 32 bytes or more.",
        )
        .docs(
            "Daemons that share it take up each other's sessions, and their own from before a \
             restart. Keys change by the hour. Without it the secret is random, and goes with \
             the daemon. Whoever can read the file can decrypt sessions that were recorded: it \
             is the mail server's alone.",
        )
        .source("eximious alone has the option"),
    AT.hosts("tls_try_verify_hosts")
        .summary("Hosts that are asked for a certificate, but need not have a good one."),
    AT.text("tls_verify_certificates").expanded().default("system").summary(
        "What clients' certificates are checked against: `system`, or a file or directory.",
    ),
    AT.hosts("tls_verify_hosts").summary("Hosts that must show a good certificate."),
];
