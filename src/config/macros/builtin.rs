//! The macros that are there from the start (specification 6.9).

use std::cell::OnceCell;

use eximious_core::{AclTermKind, DriverKind, LogSelector, Meta, OptionPlace, Registry};
use rustc_hash::FxHashMap;

/// What a configuration may test for besides the words of the registry: here and
/// below as the packaged Exim answers, so that a file that asks gets the same
/// branch from both, and in its order.
const TLS: &[&str] = &[
    "_HAVE_TLS_ALPN",
    "_HAVE_TLS_CA_CACHE",
    "_HAVE_TLS_OCSP_LIST",
    "_HAVE_TLS_OCSP",
    "_HAVE_TLS1_3",
];

/// More of that.
const SCANNERS: &[&str] = &[
    "_HAVE_MALWARE_CMDLINE",
    "_HAVE_MALWARE_SOCK",
    "_HAVE_MALWARE_AVAST",
    "_HAVE_MALWARE_CLAMD",
    "_HAVE_MALWARE_SOPHIE",
    "_HAVE_MALWARE_FSECURE",
    "_HAVE_MALWARE_DRWEB",
    "_HAVE_MALWARE_FPROT6D",
    "_HAVE_MALWARE_FPROTD",
    "_CRYPTO_HASH_SHA3",
    "_CRYPTO_SIGN_ED25519",
];

/// The rest of it.
const FEATURES: &[&str] = &[
    "_HAVE_TRANSPORT_APPEND_MBX",
    "_HAVE_TRANSPORT_APPEND_MAILSTORE",
    "_HAVE_TRANSPORT_APPEND_MAILDIR",
    "_HAVE_LOOKUP_SQLITE",
    "_HAVE_LOOKUP_PGSQL",
    "_HAVE_LOOKUP_PASSWD",
    "_HAVE_LOOKUP_NIS",
    "_HAVE_LOOKUP_MYSQL",
    "_HAVE_LOOKUP_LDAP",
    "_HAVE_LOOKUP_JSON",
    "_HAVE_LOOKUP_DSEARCH",
    "_HAVE_LOOKUP_DNSDB",
    "_HAVE_LOOKUP_DBM",
    "_HAVE_LOOKUP_CDB",
    "_HAVE_LOOKUP_LSEARCH",
    "_HAVE_HINTS_BDB",
    "_HAVE_WELLKNOWN",
    "_HAVE_TLS_RESUME",
    "_HAVE_DANE",
    "_HAVE_SRS",
    "_HAVE_SPF",
    "_HAVE_TCP_FASTOPEN",
    "_HAVE_NATIVE_SRS",
    "_HAVE_SOCKS",
    "_HAVE_PROXY",
    "_HAVE_PRDR",
    "_HAVE_PIPE_CONNECT",
    "_HAVE_OCSP",
    "_HAVE_I18N",
    "_HAVE_EVENT",
    "_HAVE_ESMTP_LIMITS",
    "_HAVE_DNSSEC",
    "_HAVE_DKIM",
    "_HAVE_CONTENT_SCANNING",
    "_HAVE_MOVE_FROZEN_MESSAGES",
    "_HAVE_GNUTLS",
    "_HAVE_TLS",
    "_HAVE_DLFUNC",
    "_HAVE_PERL",
    "_HAVE_PAM",
    "_HAVE_IPV6",
    "_HAVE_ICONV",
    "_HAVE_CRYPTEQ",
];

/// What `$tls_in_resumption` stands for, as a list to extract from.
const RESUMPTIONS: &str = "not requested or offered: 0x02 :client requested, no server ticket: 0x04 \
    : 0x05 : 0x06 :client offered session, no server action: 0x08 :no client request: 0x0A :client \
    requested new ticket, server provided: 0x0C :client offered session, not used: 0x0E :client \
    offered session, server only provided new ticket: 0x10 :session resumed unasked: 0x12 :session \
    resumed unasked: 0x14 : 0x15: 0x16 :session resumed: 0x18 :session resumed unasked: 0x1A \
    :session resumed unasked: 0x1C :session resumed: 0x1E :session resumed, also new ticket";

/// Headers that a signature covers unless told otherwise (RFC 4871, 5.5).
const DKIM_HEADERS: &str = "From:Sender:Reply-To:Subject:Date:Message-ID:To:Cc:MIME-Version:\
    Content-Type:Content-Transfer-Encoding:Content-ID:Content-Description:Resent-Date:\
    Resent-From:Resent-Sender:Resent-To:Resent-Cc:Resent-Message-ID:In-Reply-To:References:\
    List-Id:List-Help:List-Unsubscribe:List-Subscribe:List-Post:List-Owner:List-Archive";

/// What the names begin with, but for `_LOG_`, behind which one of few words stands.
const HEADS: &[&str] = &[
    "_DKIM_",
    "_EXP_",
    "_HAVE_",
    "_RESUME_",
    "_OPT_",
    "_DRIVER_",
    "_CRYPTO_",
    "_ACL_COND_",
    "_ACL_MOD_",
];
const LOG: &str = "_LOG_";

/// Exim's own macros; put together when the first text asks for them that may be one.
#[derive(Debug, Default)]
pub(super) struct Builtin {
    names: OnceCell<FxHashMap<Vec<u8>, Vec<u8>>>,
}

impl Builtin {
    /// Without any.
    pub(super) fn none() -> Self {
        Self { names: OnceCell::from(FxHashMap::default()) }
    }

    /// Whether Exim looks for its own in a line: only where the first capital
    /// letter, which stands at an offset or after it, follows an underscore.
    pub(super) fn count_in(line: &[u8], from: usize) -> bool {
        let first = line[from..].iter().position(u8::is_ascii_uppercase);
        first.is_some_and(|at| (from + at).checked_sub(1).is_some_and(|n| line[n] == b'_'))
    }

    /// Where their names stand in a line, from an offset on: the offset, the
    /// name's length, the value.
    pub(super) fn found(
        &self,
        line: &[u8],
        start: usize,
        registry: &Registry,
    ) -> Vec<(usize, usize, &[u8])> {
        let mut found: Vec<(usize, usize, &[u8])> = Vec::new();
        let mut done = start;
        for at in memchr::memchr_iter(b'_', line) {
            if at >= done
                && let Some((length, value)) = self.longest(&line[at..], registry)
            {
                found.push((at, length, value));
                done = at + length;
            }
        }
        found
    }

    /// The line with their values in it, from an offset on; `None` where none
    /// stands there.
    pub(super) fn replace(
        &self,
        line: &[u8],
        start: usize,
        registry: &Registry,
    ) -> Option<Vec<u8>> {
        let found = self.found(line, start, registry);
        if found.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        let mut done = 0;
        for (at, length, value) in found {
            out.extend_from_slice(&line[done..at]);
            out.extend_from_slice(value);
            done = at + length;
        }
        out.extend_from_slice(&line[done..]);
        Some(out)
    }

    /// The one that stands inside a name, where one does.
    pub(super) fn inside(&self, name: &[u8], registry: &Registry) -> Option<Vec<u8>> {
        memchr::memchr_iter(b'_', name).find_map(|at| {
            let (length, _) = self.longest(&name[at..], registry)?;
            Some(name[at..at + length].to_vec())
        })
    }

    /// All of them, in Exim's order.
    pub(super) fn all(registry: &Registry) -> Vec<(Vec<u8>, Vec<u8>)> {
        collect(registry)
    }

    /// The longest name that a text begins with, and its value.
    fn longest(&self, text: &[u8], registry: &Registry) -> Option<(usize, &[u8])> {
        if !may_begin(text) {
            return None;
        }
        let names = self.names.get_or_init(|| collect(registry).into_iter().collect());
        let end = text
            .iter()
            .position(|c| !c.is_ascii_alphanumeric() && !b"_<>=".contains(c))
            .unwrap_or(text.len())
            .min(80);
        (2..=end)
            .rev()
            .find_map(|length| names.get(&text[..length]).map(|value| (length, value.as_slice())))
    }
}

/// Whether a name may stand at the head of a text: most texts need no table of them.
fn may_begin(text: &[u8]) -> bool {
    let logs = |word: &str| {
        let head = text[LOG.len()..].get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    HEADS.iter().any(|head| text.starts_with(head.as_bytes()))
        || text.starts_with(LOG.as_bytes()) && LogSelector::words().any(logs)
}

/// All of them, in Exim's order: that of its tables, each from its end.
fn collect(registry: &Registry) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::with_capacity(1600);
    let oversigned: Vec<String> = DKIM_HEADERS.split(':').map(|name| format!("+{name}")).collect();
    all.push((b"_DKIM_OVERSIGN_HEADERS".to_vec(), oversigned.join(":").into()));
    all.push((b"_DKIM_SIGN_HEADERS".to_vec(), DKIM_HEADERS.into()));
    let mut flags = |prefix: &str, names: Vec<&'static str>| {
        let name = |name: &str| {
            let mut whole = Vec::with_capacity(prefix.len() + name.len());
            whole.extend_from_slice(prefix.as_bytes());
            whole.extend(name.bytes().map(|byte| byte.to_ascii_uppercase()));
            whole
        };
        all.extend(names.into_iter().map(|own| (name(own), b"y".to_vec())));
    };
    flags("_EXP_VAR_", backwards(registry.all_variables().flat_map(|r| words(&r.meta))));
    flags("_EXP_COND_", backwards(registry.all_conditions().flat_map(|r| words(&r.meta))));
    let operators = backwards(registry.all_operators().flat_map(|r| words(&r.meta)));
    // Those with an underscore have a table of their own.
    let (with, without) = operators.into_iter().partition(|name| name.contains('_'));
    flags("_EXP_OP_", without);
    flags("_EXP_OP_", with);
    flags("_EXP_ITEM_", backwards(registry.all_items().flat_map(|r| words(&r.meta))));
    flags("", TLS.to_vec());
    flags("_RESUME_DECODE", vec![""]);
    flags(LOG, backwards(LogSelector::words()));
    for kind in [DriverKind::Authenticator, DriverKind::Transport, DriverKind::Router] {
        let upper = kind.name().to_ascii_uppercase();
        let drivers = registry.all_drivers().filter(|r| r.kind == kind && packaged(&r.meta));
        for driver in backwards(drivers.map(|r| r.meta.name)) {
            let options = registry.options_of(OptionPlace::Driver(kind, driver));
            let prefix = format!("_OPT_{upper}_{}_", driver.to_ascii_uppercase());
            flags(&prefix, backwards(options.flat_map(|r| words(&r.meta))));
            flags(&format!("_DRIVER_{upper}_"), vec![driver]);
        }
        let options = registry.options_of(OptionPlace::Generic(kind));
        flags(&format!("_OPT_{upper}S_"), backwards(options.flat_map(|r| words(&r.meta))));
    }
    let options = registry.options_of(OptionPlace::Main);
    flags("_OPT_MAIN_", backwards(options.flat_map(|r| words(&r.meta))));
    flags("", SCANNERS.to_vec());
    let terms = registry.all_acl_terms().filter(|term| packaged(&term.meta));
    let mut terms: Vec<_> = terms.map(|term| (term.meta.name, term.kind)).collect();
    terms.sort_unstable_by_key(|(name, _)| std::cmp::Reverse(*name));
    for (name, kind) in terms {
        let prefix = match kind {
            AclTermKind::Condition => "_ACL_COND_",
            AclTermKind::Modifier => "_ACL_MOD_",
        };
        flags(prefix, vec![name]);
    }
    flags("", FEATURES.to_vec());
    if let Some(resumptions) = all.iter_mut().find(|(name, _)| name == b"_RESUME_DECODE") {
        resumptions.1 = RESUMPTIONS.into();
    }
    all
}

/// The names of a word; those that only begin words are none.
fn words(meta: &Meta) -> impl Iterator<Item = &'static str> + use<> {
    let names = std::iter::once(meta.name).chain(meta.aliases.iter().copied());
    names.filter(|name| !name.ends_with('_'))
}

fn backwards<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    names
}

/// The release that the packaged Exim is of: what came later has no macro.
const PACKAGED: u32 = 98;

/// Whether the packaged Exim has a word.
fn packaged(meta: &Meta) -> bool {
    let since = meta.since.strip_prefix("4.").and_then(|minor| minor.parse().ok());
    meta.needs.is_empty() && since.is_none_or(|minor: u32| minor <= PACKAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(line: &str) -> Option<String> {
        let registry = crate::registry();
        let out = Builtin::default().replace(line.as_bytes(), 0, &registry)?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn they_are_in_exims_order() {
        let names = collect(&crate::registry());
        let place = |name: &str| names.iter().position(|(own, _)| own == name.as_bytes());
        let order = [
            "_DKIM_OVERSIGN_HEADERS",
            "_EXP_VAR_WARNMSG_DELAY",
            "_EXP_VAR_WARN_MESSAGE_DELAY",
            "_EXP_COND_ACL",
            "_EXP_COND_>=",
            "_EXP_COND_<",
            "_EXP_OP_XTEXTD",
            "_EXP_OP_ADDRESS",
            "_EXP_OP_LOCAL_PART",
            "_EXP_ITEM_TR",
            "_HAVE_TLS_ALPN",
            "_RESUME_DECODE",
            "_LOG_8BITMIME",
            "_OPT_AUTHENTICATOR_TLS_SERVER_PARAM1",
            "_DRIVER_AUTHENTICATOR_TLS",
            "_OPT_AUTHENTICATORS_DRIVER",
            "_DRIVER_TRANSPORT_SMTP",
            "_OPT_ROUTERS_VERIFY",
            "_OPT_MAIN_ACCEPT_8BITMIME",
            "_HAVE_MALWARE_SOCK",
            "_CRYPTO_HASH_SHA3",
            "_ACL_COND_SEEN",
            "_ACL_MOD_REMOVE_HEADER",
            "_ACL_COND_REGEX",
            "_HAVE_CRYPTEQ",
        ];
        let places: Vec<_> = order.iter().map(|name| place(name).expect(name)).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn each_is_known_by_its_head() {
        for (name, _) in collect(&crate::registry()) {
            assert!(may_begin(&name), "{}", name.escape_ascii());
        }
        for other in ["_LOG_SELECTOR", "_LOG_", "_", "_ACL_CHECK", "_HAVE", "LOG_ALL"] {
            assert!(!may_begin(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(replaced("_HAVE_TLS_CA_CACHE").as_deref(), Some("y"));
        assert_eq!(replaced("x_HAVE_TLSX_HAVE_IPV6").as_deref(), Some("xyXy"));
        assert_eq!(replaced("_OPT_MAIN_TIMEZONE _EXP_COND_>=").as_deref(), Some("y y"));
        assert_eq!(replaced("_OPT_ROUTER_REDIRECT_FILE").as_deref(), Some("y"));
        assert_eq!(replaced("_ACL_MOD_SET _DRIVER_ROUTER_ACCEPT").as_deref(), Some("y y"));
        for other in ["_HAVE _NOTHING", "_ACL_COND_DCC", "_DRIVER_TRANSPORT_QUEUEFILE"] {
            assert_eq!(replaced(other), None);
        }
        assert!(replaced("_DKIM_OVERSIGN_HEADERS").unwrap().starts_with("+From:+Sender:"));
    }
}
