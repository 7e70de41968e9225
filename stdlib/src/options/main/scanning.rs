//! Main options: viruses, spam, and proofs of who sent a message.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("av_scanner")
        .default("sophie:/var/run/sophie")
        .summary("The virus scanner that `malware` in an ACL asks: its type, then where it is.")
        .docs(
            "For example `clamd:/run/clamav/clamd.ctl`. A value that begins with a dollar sign \
             is expanded first.",
        ),
    AT.text("bmi_config_file")
        .until("4.100")
        .default("/opt/brightmail/etc/brightmail.cfg")
        .unprinted()
        .source("experimental features")
        .summary("The socket of what plays Brightmail AntiSpam: its path.")
        .docs("`docs/brightmail.md` says what is spoken over it."),
    AT.no("dcc_direct_add_header")
        .unprinted()
        .source("experimental features")
        .summary("Adds DCC's header to messages by itself."),
    AT.text("dccifd_address")
        .unprinted()
        .source("experimental features")
        .summary("Where the DCC daemon listens: a socket's path, or an address and a port."),
    AT.text("dccifd_options")
        .expanded()
        .default("header")
        .unprinted()
        .source("experimental features")
        .summary("What the DCC daemon is asked to do."),
    AT.list("dkim_verify_hashes")
        .default("sha256:sha512")
        .since("4.93")
        .summary("Hashes that a DKIM signature may use, in the order of their worth."),
    AT.list("dkim_verify_keytypes")
        .default("ed25519:rsa")
        .since("4.93")
        .summary("Types of keys that a DKIM signature may use, in the order of their worth."),
    AT.list("dkim_verify_min_keysizes")
        .default("rsa=1024 ed25519=250")
        .since("4.94")
        .summary("The least number of bits that a DKIM key of each type must have."),
    AT.no("dkim_verify_minimal")
        .since("4.93")
        .summary("Stops after the first DKIM signature that is good."),
    AT.domains("dkim_verify_signers")
        .default("$dkim_signers")
        .summary("The signers for whose DKIM signatures the DKIM ACL runs."),
    AT.text("dmarc_forensic_sender")
        .expanded()
        .summary("The sender of DMARC's reports on single failures.")
        .docs("Without it, they are from `dsn_from`, and nobody can answer their envelope."),
    AT.text("dmarc_history_file")
        .expanded()
        .summary("The file to which results of DMARC are written."),
    AT.text("dmarc_tld_file")
        .expanded()
        .summary("The list of public suffixes that DMARC goes by.")
        .docs("Without it, DMARC is off, unless `dmarc_tree_walk` is set."),
    AT.no("dmarc_tree_walk")
        .unprinted()
        .source("RFC 9989, section 4.10; eximious alone has it")
        .summary("Whether DMARC finds organisations in the DNS, and not by `dmarc_tld_file`.")
        .docs(
            "The records on the way from a domain up to the root say where an organisation \
             begins (`psd=`). `pct=` counts for nothing then, and `t=y` does.",
        ),
    AT.text("spamd_address")
        .default("127.0.0.1 783")
        .summary("Where SpamAssassin or Rspamd listens: an address and a port, or a socket's path.")
        .docs(
            "Several are tried in turn or by weight. Each may have options after it: \
             `variant=rspamd`, `pri=2`, `tmo=30s`, `retry=5s`.",
        ),
    AT.text("spf_guess")
        .default("v=spf1 a/24 mx/24 ptr ?all")
        .since("4.91")
        .summary("The SPF record to assume for domains that have none."),
    AT.text("spf_smtp_comment_template")
        .expanded()
        .default("Please%_see%_http://www.open-spf.org/Why")
        .since("4.94")
        .summary("The explanation that SPF gives for a refusal."),
    AT.text("srs_config")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("Secret, days, length of hashes, stamps and hashes of the older SRS, in one.")
        .docs(
            "`secret:31:6:true:true`, of which the end may be left out. The other options count where they are set; the secret comes before those of `srs_secrets`.",
        ),
    AT.integer("srs_hashlength")
        .default("0")
        .unprinted()
        .source("experimental features")
        .summary("The length of hashes of the older SRS; 0 means 6.")
        .docs(
            "At most 27.",
        ),
    AT.integer("srs_hashmin")
        .default("0")
        .unprinted()
        .source("experimental features")
        .summary("The least length of a hash that the older SRS takes; 0 means the whole.")
        .docs(
            "Those that were made with another length are good so.",
        ),
    AT.integer("srs_maxage")
        .default("0")
        .unprinted()
        .source("experimental features")
        .summary("How many days an address of the older SRS is good for; 0 means 31.")
        .docs(
            "A stamp comes back after 1024 days.",
        ),
    AT.text("srs_secrets")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("Secrets of the older SRS, the newest first.")
        .docs(
            "The first makes addresses; those that were made with any of them are good.",
        ),
    AT.yes("srs_usehash")
        .unprinted()
        .source("experimental features")
        .summary("Whether addresses of the older SRS carry a hash: without it, anybody can make them."),
    AT.yes("srs_usetimestamp")
        .unprinted()
        .source("experimental features")
        .summary("Whether addresses of the older SRS carry the day they were made on."),
];
