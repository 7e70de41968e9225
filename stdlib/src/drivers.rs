//! Drivers of routers, transports and authenticators (specification, chapters
//! 16 to 42).

use eximious_core::DriverDef;
use eximious_core::DriverKind::{Authenticator, Router, Transport};

/// All drivers.
pub static ALL: &[DriverDef] = &[
    DriverDef::new(Router, "accept", "Takes every address that its conditions let in.", "16"),
    DriverDef::new(Router, "dnslookup", "Finds hosts for a domain in the DNS.", "17"),
    DriverDef::new(Router, "ipliteral", "Takes domains that are addresses in brackets.", "18"),
    DriverDef::new(Router, "iplookup", "Asks a program at a TCP or UDP port.", "19"),
    DriverDef::new(Router, "manualroute", "Finds hosts for a domain in a list.", "20"),
    DriverDef::new(Router, "queryprogram", "Runs a command that says where to.", "21"),
    DriverDef::new(Router, "redirect", "Puts other addresses in an address's place.", "22"),
    DriverDef::new(Transport, "appendfile", "Writes to a mailbox in a file or directory.", "26"),
    DriverDef::new(Transport, "autoreply", "Answers with a message of its own.", "27"),
    DriverDef::new(Transport, "lmtp", "Speaks LMTP with a command or a socket.", "28"),
    DriverDef::new(Transport, "pipe", "Writes to a command.", "29"),
    DriverDef::new(Transport, "queuefile", "Copies the spool files to a directory.", "seed")
        .needs("an experimental build"),
    DriverDef::new(Transport, "smtp", "Speaks SMTP or LMTP with other hosts.", "30"),
    DriverDef::new(Authenticator, "cram_md5", "CRAM-MD5 (RFC 2195).", "35"),
    DriverDef::new(Authenticator, "cyrus_sasl", "Mechanisms of the Cyrus SASL library.", "36"),
    DriverDef::new(Authenticator, "dovecot", "Asks a Dovecot server.", "37"),
    DriverDef::new(Authenticator, "external", "EXTERNAL (RFC 4422).", "41"),
    DriverDef::new(Authenticator, "gsasl", "Mechanisms of the GNU SASL library.", "38")
        .needs("the GNU SASL library"),
    DriverDef::new(Authenticator, "heimdal_gssapi", "GSSAPI (RFC 4752).", "39")
        .needs("the Heimdal library"),
    DriverDef::new(Authenticator, "plaintext", "PLAIN and LOGIN.", "34"),
    DriverDef::new(Authenticator, "spa", "Secure Password Authentication (NTLM).", "40"),
    DriverDef::new(Authenticator, "tls", "A client's certificate takes the place of AUTH.", "42"),
];
