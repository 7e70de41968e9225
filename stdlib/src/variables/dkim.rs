//! Variables of DKIM verification; most have a value in the DKIM ACL alone.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "dkim_algo",
        Slot,
        Tainted,
        "The signature's algorithm: `rsa-sha256`, `ed25519-sha256` or `rsa-sha1`.",
        docs(
            "As the `a=` tag says. RFC 8301 takes `rsa-sha1` for a failure: a DKIM ACL can see \
             it here and set `$dkim_verify_status`."
        ),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_bodylength",
        SlotWith("9999999999999"),
        Clean,
        "How many bytes of the body are signed; 9999999999999 for all of them.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_canon_body",
        Slot,
        Clean,
        "How the body was canonicalized: `simple` or `relaxed`.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_canon_headers",
        Slot,
        Clean,
        "How the header lines were canonicalized: `simple` or `relaxed`.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_copiedheaders",
        Slot,
        Tainted,
        "The header lines that the signature carries a copy of (its `z=` tag).",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_created",
        SlotWith("0"),
        Clean,
        "When the signature was made, in seconds since 1970; 0 where it does not say.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_cur_signer",
        Slot,
        Tainted,
        "The domain or identity that this run of the DKIM ACL is about.",
        docs(
            "An element of the expanded `dkim_verify_signers`; not each has a signature in the \
             message, and `$dkim_domain` and the like are empty for those without."
        ),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_domain",
        Slot,
        Tainted,
        "The signing domain (`d=`); when signing, the domain to sign for.",
        docs(
            "In the DKIM ACL it is the domain of the signature at hand, and empty where the \
             signer in `$dkim_cur_signer` has none. In a transport's `dkim_selector`, \
             `dkim_private_key` and the like it is the domain that is being signed for, in \
             lower case, taken from `dkim_domain`: \
             `dkim_private_key = /etc/dkim/$dkim_domain.pem`."
        ),
        source("specification 58.1")
    ),
    variable!(
        "dkim_expires",
        SlotWith("9999999999999"),
        Clean,
        "When the signature expires, in seconds since 1970; 9999999999999 for never.",
        docs("A number in any case, so that it compares with `$tod_epoch`. Nothing checks it."),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_headernames",
        Slot,
        Tainted,
        "The names of the signed header lines, a colon-separated list.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_identity",
        Slot,
        Tainted,
        "The signing identity (`i=`), where the signature has one.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_granularity",
        SlotWith("*"),
        Tainted,
        "The granularity (`g=`) of the key record, `*` where it says none.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_length",
        SlotWith("0"),
        Clean,
        "How many bits the key has.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_nosubdomains",
        SlotWith("0"),
        Clean,
        "1 where the key record forbids subdomains, else 0.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_notes",
        Slot,
        Tainted,
        "The notes (`n=`) of the key record.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_srvtype",
        SlotWith("*"),
        Tainted,
        "The service type (`s=`) of the key record, `*` where it says none.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_key_testing",
        SlotWith("0"),
        Clean,
        "1 where the key record says that the domain only tests, else 0.",
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_selector",
        Slot,
        Tainted,
        "The selector (`s=`) of the signature's key; when signing, the one to sign with.",
        source("specification 58.1")
    ),
    variable!(
        "dkim_signers",
        Slot,
        Tainted,
        "All domains and identities that signed the message, a colon-separated list.",
        docs(
            "Complete when the message has been received, before the DKIM ACL runs. It is what \
             `dkim_verify_signers` defaults to."
        ),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_verify_reason",
        Slot,
        Clean,
        "Why a signature is `fail` or `invalid`.",
        docs(
            "One of `pubkey_unavailable`, `pubkey_syntax`, `bodyhash_mismatch`, \
             `signature_incorrect`, or what an ACL's `set dkim_verify_reason` put there."
        ),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_verify_signers",
        Absent,
        Tainted,
        "The signers that the DKIM ACL is run for; there is no such variable before.",
        since("4.100"),
        source("specification 58.1.2")
    ),
    variable!(
        "dkim_verify_status",
        Slot,
        Clean,
        "What came of a signature: `none`, `invalid`, `fail` or `pass`.",
        docs(
            "In the DKIM ACL it is the status of the signature at hand, and the ACL can replace \
             it: `set dkim_verify_status = fail`. Afterwards, in the MIME, PRDR and DATA ACLs, \
             it is a colon-separated list with the status of each run."
        ),
        source("specification 58.1.2")
    ),
];
