//! What came and went with which release, where no record says it: words that
//! stand after others, and names that no release of today knows.

use eximious_core::Meta;
use eximious_grammar::expansion::{Arg, CallNode, Tree};

use super::TargetRelease;

/// Words that came later to something older: where, the word, the release.
const LATER: [(&str, &str, &str); 31] = [
    ("control", "first_pass_route", "4.94"),
    ("control", "pretrigger", "4.96"),
    ("control", "stop", "4.96"),
    ("control", "trigger", "4.96"),
    ("log_selector", "connection_id", "4.97"),
    ("log_selector", "dkim", "4.91"),
    ("log_selector", "dkim_verbose", "4.91"),
    ("log_selector", "dmarc", "4.100"),
    ("log_selector", "dmarc_verbose", "4.100"),
    ("log_selector", "dsn", "4.100"),
    ("log_selector", "msg_id", "4.93"),
    ("log_selector", "msg_id_created", "4.93"),
    ("log_selector", "pipelining", "4.92"),
    ("log_selector", "queue_time_exclusive", "4.95"),
    ("log_selector", "receive_time", "4.91"),
    ("log_selector", "spf", "4.100"),
    ("log_selector", "spf_verbose", "4.100"),
    ("log_selector", "tls_on_connect", "4.99"),
    ("lookup", "cache=no", "4.95"),
    ("lookup", "cache=no_rd", "4.95"),
    ("lookup", "cache=no_wr", "4.99"),
    ("lookup", "file", "4.95"),
    ("lookup", "filter", "4.94"),
    ("lookup", "key", "4.98"),
    ("lookup", "ret=key", "4.94"),
    ("lookup", "servers", "4.94"),
    ("readsocket", "cache", "4.94"),
    ("readsocket", "sni", "4.97"),
    ("readsocket", "tls", "4.92"),
    ("verify", "case_insensitive", "4.93"),
    ("verify", "quota", "4.95"),
];

/// The release with which a word came to what it stands in, if that is later
/// than the one that is meant: `ret=key`, or `servers` for `servers=…`.
pub(super) fn later(target: TargetRelease, place: &str, word: &[u8]) -> Option<&'static str> {
    let name = word.split(|c| *c == b'=').next().unwrap_or_default();
    let known = |(own, other, _): &&(&str, &str, &str)| {
        *own == place && (other.as_bytes() == word || other.as_bytes() == name)
    };
    let (_, _, since) = LATER.iter().find(known)?;
    (!target.has(since)).then_some(*since)
}

/// Options that were taken as they stand before a release, and are expanded
/// since.
const EXPANDED: [(&str, &str); 19] = [
    ("allow_filter", "4.100"),
    ("bounce_message_file", "4.94"),
    ("dmarc_history_file", "4.99"),
    ("dmarc_tld_file", "4.99"),
    ("fallback_hosts", "4.99"),
    ("forbid_blackhole", "4.100"),
    ("forbid_exim_filter", "4.100"),
    ("forbid_file", "4.100"),
    ("forbid_filter_readfile", "4.100"),
    ("forbid_filter_run", "4.100"),
    ("forbid_include", "4.100"),
    ("forbid_pipe", "4.100"),
    ("forbid_sieve_filter", "4.100"),
    ("hosts_randomize", "4.99"),
    ("max_rcpt", "4.97"),
    ("protocol", "4.100"),
    ("recipients_max", "4.98"),
    ("smtp_accept_max_per_connection", "4.95"),
    ("warn_message_file", "4.94"),
];

/// The release from which on an option is expanded.
pub(super) fn expanded_since(option: &str) -> Option<&'static str> {
    EXPANDED.iter().find(|(name, _)| *name == option).map(|(_, since)| *since)
}

/// A name that some releases know, and those of today do not.
#[derive(Debug)]
pub(super) struct Gone {
    /// The name.
    pub(super) name: &'static str,
    /// The release that brought it; empty where that is long ago.
    pub(super) since: &'static str,
    /// The release that no longer has it.
    pub(super) until: &'static str,
    /// What to do about it.
    pub(super) cure: &'static str,
}

const GONE: [Gone; 6] = [
    Gone {
        name: "allow_insecure_tainted_data",
        since: "4.95",
        until: "4.96",
        cure: "text from outside is refused in any case now: see E110",
    },
    Gone {
        name: "demime",
        since: "",
        until: "4.88",
        cure: "test the parts of the message in an acl_smtp_mime",
    },
    Gone {
        name: "gnutls_require_kx",
        since: "",
        until: "4.88",
        cure: "tls_require_ciphers says it all",
    },
    Gone {
        name: "gnutls_require_mac",
        since: "",
        until: "4.88",
        cure: "tls_require_ciphers says it all",
    },
    Gone {
        name: "gnutls_require_protocols",
        since: "",
        until: "4.88",
        cure: "tls_require_ciphers says it all",
    },
    Gone {
        name: "taint",
        since: "4.95",
        until: "4.96",
        cure: "text from outside is refused in any case now: see E110",
    },
];

/// A name that went away.
pub(super) fn gone(name: &str) -> Option<&'static Gone> {
    GONE.iter().find(|gone| gone.name == name)
}

/// Why a release does not know what a record stands for; `None` where it does.
pub(super) fn unknown(target: TargetRelease, kind: &str, meta: &Meta) -> Option<String> {
    let name = meta.name;
    if !target.has(meta.since) {
        return Some(format!(
            "{target} does not know the {kind} \"{name}\", which came with {}",
            meta.since
        ));
    }
    let gone = !meta.until.is_empty() && target.has(meta.until);
    gone.then(|| {
        format!(
            "{target} does not know the {kind} \"{name}\" any more: it went with {}",
            meta.until
        )
    })
}

/// The options of an item: those after a comma of `run`, those in the third
/// braces of `readsocket` after the time.
pub(super) fn item_options<'t>(name: &str, tree: &'t Tree, call: &CallNode) -> Vec<&'t [u8]> {
    let args = tree.view().call_args(call);
    match name {
        "run" => args
            .iter()
            .filter_map(|arg| match arg {
                Arg::Word(span) => Some(tree.view().text(*span)),
                _ => None,
            })
            .collect(),
        "readsocket" => match args.get(2) {
            Some(Arg::Text(seq)) => {
                let list = tree.view().literal(*seq).unwrap_or_default();
                list.split(|c| *c == b':').skip(1).map(<[u8]>::trim_ascii).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
