//! The macros that are there from the start (specification 6.9).

use std::sync::OnceLock;

use eximious_core::{AclTermKind, DriverKind, LogSelector, Meta, OptionPlace, Registry, Runs};
use rustc_hash::FxHashMap;

/// What a feature hangs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Needs {
    /// It is always there.
    Nothing,
    /// TLS in the world.
    Tls,
    /// An ACL's word that does its work.
    Term(&'static str),
    /// A type of lookups.
    Lookup(&'static str),
}

/// What a configuration may test for besides the words of the registry: here and below
/// what this build has, in the packaged Exim's order.
const TLS: &[(&str, Needs)] = &[
    ("_HAVE_TLS_ALPN", Needs::Tls),
    ("_HAVE_TLS_CA_CACHE", Needs::Tls),
    ("_HAVE_TLS_OCSP_LIST", Needs::Tls),
    ("_HAVE_TLS_OCSP", Needs::Tls),
    ("_HAVE_TLS1_3", Needs::Tls),
];

/// More of that.
const SCANNERS: &[(&str, Needs)] = &[
    ("_HAVE_MALWARE_CMDLINE", Needs::Term("malware")),
    ("_HAVE_MALWARE_SOCK", Needs::Term("malware")),
    ("_HAVE_MALWARE_AVAST", Needs::Term("malware")),
    ("_HAVE_MALWARE_CLAMD", Needs::Term("malware")),
    ("_HAVE_MALWARE_SOPHIE", Needs::Term("malware")),
    ("_HAVE_MALWARE_FSECURE", Needs::Term("malware")),
    ("_HAVE_MALWARE_DRWEB", Needs::Term("malware")),
    ("_HAVE_MALWARE_FPROT6D", Needs::Term("malware")),
    ("_HAVE_MALWARE_FPROTD", Needs::Term("malware")),
    ("_CRYPTO_HASH_SHA3", Needs::Nothing),
    ("_CRYPTO_SIGN_ED25519", Needs::Term("dkim_status")),
];

/// The rest of it. Not there is `_HAVE_TCP_FASTOPEN`.
const FEATURES: &[(&str, Needs)] = &[
    ("_HAVE_TRANSPORT_APPEND_MBX", Needs::Nothing),
    ("_HAVE_TRANSPORT_APPEND_MAILSTORE", Needs::Nothing),
    ("_HAVE_TRANSPORT_APPEND_MAILDIR", Needs::Nothing),
    ("_HAVE_LOOKUP_WHOSON", Needs::Lookup("whoson")),
    ("_HAVE_LOOKUP_SQLITE", Needs::Lookup("sqlite")),
    ("_HAVE_LOOKUP_REGDOM", Needs::Lookup("regdom")),
    ("_HAVE_LOOKUP_REDIS", Needs::Lookup("redis")),
    ("_HAVE_LOOKUP_PSL", Needs::Lookup("psl")),
    ("_HAVE_LOOKUP_PGSQL", Needs::Lookup("pgsql")),
    ("_HAVE_LOOKUP_PASSWD", Needs::Lookup("passwd")),
    ("_HAVE_LOOKUP_NISPLUS", Needs::Lookup("nisplus")),
    ("_HAVE_LOOKUP_NIS", Needs::Lookup("nis")),
    ("_HAVE_LOOKUP_MYSQL", Needs::Lookup("mysql")),
    ("_HAVE_LOOKUP_LMDB", Needs::Lookup("lmdb")),
    ("_HAVE_LOOKUP_LDAP", Needs::Lookup("ldap")),
    ("_HAVE_LOOKUP_JSON", Needs::Lookup("json")),
    ("_HAVE_LOOKUP_IBASE", Needs::Lookup("ibase")),
    ("_HAVE_LOOKUP_DSEARCH", Needs::Lookup("dsearch")),
    ("_HAVE_LOOKUP_DNSDB", Needs::Lookup("dnsdb")),
    ("_HAVE_LOOKUP_DBM", Needs::Lookup("dbm")),
    ("_HAVE_LOOKUP_CDB", Needs::Lookup("cdb")),
    ("_HAVE_LOOKUP_LSEARCH", Needs::Lookup("lsearch")),
    ("_HAVE_HINTS_SQLITE", Needs::Nothing),
    ("_HAVE_XCLIENT", Needs::Nothing),
    ("_HAVE_WELLKNOWN", Needs::Nothing),
    ("_HAVE_TLS_RESUME", Needs::Tls),
    ("_HAVE_DANE", Needs::Tls),
    ("_HAVE_SRS", Needs::Nothing),
    ("_HAVE_SPF", Needs::Lookup("spf")),
    ("_HAVE_NATIVE_SRS", Needs::Nothing),
    ("_HAVE_SOCKS", Needs::Nothing),
    ("_HAVE_PROXY", Needs::Nothing),
    ("_HAVE_PRDR", Needs::Nothing),
    ("_HAVE_PIPE_CONNECT", Needs::Nothing),
    ("_HAVE_OCSP", Needs::Tls),
    ("_HAVE_I18N", Needs::Nothing),
    ("_HAVE_EVENT", Needs::Nothing),
    ("_HAVE_ESMTP_LIMITS", Needs::Nothing),
    ("_HAVE_DNSSEC", Needs::Nothing),
    ("_HAVE_DMARC", Needs::Term("dmarc_status")),
    ("_HAVE_DKIM", Needs::Term("dkim_status")),
    ("_HAVE_CONTENT_SCANNING", Needs::Term("malware")),
    ("_HAVE_MOVE_FROZEN_MESSAGES", Needs::Nothing),
    ("_HAVE_OPENSSL", Needs::Tls),
    ("_HAVE_TLS", Needs::Tls),
    ("_HAVE_DLFUNC", Needs::Nothing),
    ("_HAVE_PERL", Needs::Nothing),
    ("_HAVE_PAM", Needs::Nothing),
    ("_HAVE_IPV6", Needs::Nothing),
    ("_HAVE_ICONV", Needs::Nothing),
    ("_HAVE_CRYPTEQ", Needs::Nothing),
];

/// What there is of some features, of those that begin so.
fn present(
    features: &[(&'static str, Needs)],
    registry: &Registry,
    has_tls: bool,
    head: &str,
) -> Vec<&'static str> {
    let is_there = |needs: Needs| match needs {
        Needs::Nothing => true,
        Needs::Tls => has_tls,
        Needs::Term(name) => {
            registry.acl_term(name.as_bytes()).is_some_and(|term| !matches!(term.run, Runs::NotYet))
        }
        Needs::Lookup(name) => registry.all_lookups().any(|one| one.meta.name == name),
    };
    let wanted = features.iter().filter(|(name, _)| name.starts_with(head));
    wanted.filter(|(_, needs)| is_there(*needs)).map(|(name, _)| *name).collect()
}

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

/// What the names begin with. Behind `_LOG_` one of few words stands.
const HEADS: [&str; 13] = [
    DKIM,
    "_EXP_",
    "_HAVE_",
    "_RESUME_",
    "_OPT_MAIN_",
    "_OPT_ROUTER",
    "_OPT_TRANSPORT",
    "_OPT_AUTHENTICATOR",
    "_DRIVER_",
    "_CRYPTO_",
    "_ACL_COND_",
    "_ACL_MOD_",
    LOG,
];
const DKIM: &str = "_DKIM_";
const LOG: &str = "_LOG_";

/// Exim's own macros.
#[derive(Clone, Debug, Default)]
pub(super) struct Builtin {
    /// Whether those about TLS are left out: the world has none.
    without_tls: bool,
    /// Those with each head, put together when the first text asks for them that may be one.
    names: [OnceLock<FxHashMap<Vec<u8>, Vec<u8>>>; HEADS.len()],
}

impl Builtin {
    /// Without any.
    pub(super) fn none() -> Self {
        Self {
            names: std::array::from_fn(|_| OnceLock::from(FxHashMap::default())),
            without_tls: false,
        }
    }

    /// Leaves those about TLS out.
    pub(super) fn leave_tls_out(&mut self) {
        self.without_tls = true;
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
    pub(super) fn all(registry: &Registry, has_tls: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        collect(registry, has_tls, "")
    }

    /// The longest name that a text begins with, and its value.
    fn longest(&self, text: &[u8], registry: &Registry) -> Option<(usize, &[u8])> {
        let number = head(text)?;
        let all = || collect(registry, !self.without_tls, HEADS[number]).into_iter().collect();
        let names = self.names[number].get_or_init(all);
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

/// Which of the heads a text has, where a name may stand there: most texts need no table of them.
fn head(text: &[u8]) -> Option<usize> {
    let number = HEADS.iter().position(|head| text.starts_with(head.as_bytes()))?;
    let rest = &text[HEADS[number].len()..];
    let logs = |word: &str| {
        rest.get(..word.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(word.as_bytes()))
    };
    (HEADS[number] != LOG || LogSelector::words().any(logs)).then_some(number)
}

/// All of them that begin so, in Exim's order: that of its tables, each from its end.
fn collect(registry: &Registry, has_tls: bool, head: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    if DKIM.starts_with(head) {
        let oversigned: Vec<_> = DKIM_HEADERS.split(':').map(|name| format!("+{name}")).collect();
        all.push((b"_DKIM_OVERSIGN_HEADERS".to_vec(), oversigned.join(":").into()));
        all.push((b"_DKIM_SIGN_HEADERS".to_vec(), DKIM_HEADERS.into()));
    }
    let mut flags = |prefix: &str, names: &dyn Fn() -> Vec<&'static str>| {
        // The names behind it are looked for only where some may have that head.
        let common = prefix.len().min(head.len());
        if prefix.as_bytes()[..common] != head.as_bytes()[..common] {
            return;
        }
        let name = |name: &str| {
            let mut whole = Vec::with_capacity(prefix.len() + name.len());
            whole.extend_from_slice(prefix.as_bytes());
            whole.extend(name.bytes().map(|byte| byte.to_ascii_uppercase()));
            whole
        };
        let named = names().into_iter().map(name).filter(|name| name.starts_with(head.as_bytes()));
        all.extend(named.map(|name| (name, b"y".to_vec())));
    };
    flags("_EXP_VAR_", &|| backwards(registry.all_variables().flat_map(|r| words(&r.meta))));
    flags("_EXP_COND_", &|| backwards(registry.all_conditions().flat_map(|r| words(&r.meta))));
    // Those with an underscore have a table of their own.
    for with in [false, true] {
        let operators = || registry.all_operators().flat_map(|r| words(&r.meta));
        let own = || backwards(operators().filter(|name| name.contains('_') == with));
        flags("_EXP_OP_", &own);
    }
    flags("_EXP_ITEM_", &|| backwards(registry.all_items().flat_map(|r| words(&r.meta))));
    flags("", &|| present(TLS, registry, has_tls, head));
    flags("_RESUME_DECODE", &|| vec![""]);
    flags(LOG, &|| backwards(LogSelector::words()));
    for kind in [DriverKind::Authenticator, DriverKind::Transport, DriverKind::Router] {
        let upper = kind.name().to_ascii_uppercase();
        let drivers = registry.all_drivers().filter(|r| r.kind == kind && packaged(&r.meta));
        for driver in backwards(drivers.map(|r| r.meta.name)) {
            let options = || registry.options_of(OptionPlace::Driver(kind, driver));
            let prefix = format!("_OPT_{upper}_{}_", driver.to_ascii_uppercase());
            flags(&prefix, &|| backwards(options().flat_map(|r| words(&r.meta))));
            flags(&format!("_DRIVER_{upper}_"), &|| vec![driver]);
        }
        let options = || registry.options_of(OptionPlace::Generic(kind));
        flags(&format!("_OPT_{upper}S_"), &|| backwards(options().flat_map(|r| words(&r.meta))));
    }
    let options = || registry.options_of(OptionPlace::Main);
    flags("_OPT_MAIN_", &|| backwards(options().flat_map(|r| words(&r.meta))));
    flags("", &|| present(SCANNERS, registry, has_tls, head));
    let terms = registry.all_acl_terms().filter(|term| packaged(&term.meta));
    let mut terms: Vec<_> = terms.map(|term| (term.meta.name, term.kind)).collect();
    terms.sort_unstable_by_key(|(name, _)| std::cmp::Reverse(*name));
    for (name, kind) in terms {
        let prefix = match kind {
            AclTermKind::Condition => "_ACL_COND_",
            AclTermKind::Modifier => "_ACL_MOD_",
        };
        flags(prefix, &|| vec![name]);
    }
    flags("", &|| present(FEATURES, registry, has_tls, head));
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
    // Most come in their order.
    names.sort_by(|a, b| b.cmp(a));
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
        let names = collect(&crate::registry(), true, "");
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
        let all = collect(&crate::registry(), true, "");
        for (name, value) in &all {
            let number = head(name).unwrap_or_else(|| panic!("{}", name.escape_ascii()));
            let those = collect(&crate::registry(), true, HEADS[number]);
            assert!(those.contains(&(name.clone(), value.clone())), "{}", name.escape_ascii());
        }
        for other in ["_LOG_SELECTOR", "_LOG_", "_", "_ACL_CHECK", "_HAVE", "LOG_ALL"] {
            assert_eq!(head(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn they_are_true_for_this_build() {
        let registry = crate::registry();
        let all = |has_tls| -> Vec<String> {
            let names = collect(&registry, has_tls, "").into_iter();
            names.map(|(name, _)| String::from_utf8(name).unwrap()).collect()
        };
        let (with, without) = (all(true), all(false));
        let has = |names: &[String], name: &str| names.iter().any(|own| own == name);
        for name in ["_HAVE_TLS", "_HAVE_OPENSSL", "_HAVE_OCSP", "_HAVE_TLS_RESUME", "_HAVE_DANE"] {
            assert!(has(&with, name) && !has(&without, name), "{name}");
        }
        for name in ["_HAVE_LOOKUP_PSL", "_HAVE_LOOKUP_REDIS", "_HAVE_HINTS_SQLITE"] {
            assert!(has(&without, name), "{name}");
        }
        for name in ["_HAVE_GNUTLS", "_HAVE_HINTS_BDB"] {
            assert!(!has(&with, name), "{name}");
        }
    }

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(replaced("_HAVE_TLS_CA_CACHE").as_deref(), Some("y"));
        assert_eq!(replaced("x_HAVE_TLSX_HAVE_IPV6").as_deref(), Some("xyXy"));
        assert_eq!(replaced("_OPT_MAIN_TIMEZONE _EXP_COND_>=").as_deref(), Some("y y"));
        assert_eq!(replaced("_OPT_ROUTER_REDIRECT_FILE").as_deref(), Some("y"));
        assert_eq!(replaced("_ACL_MOD_SET _DRIVER_ROUTER_ACCEPT").as_deref(), Some("y y"));
        assert_eq!(replaced("_HAVE_SOCKS_HAVE_MOVE_FROZEN_MESSAGES").as_deref(), Some("yy"));
        for other in ["_HAVE _NOTHING", "_ACL_COND_BMI_OPTIN", "_DRIVER_AUTHENTICATOR_GSASL"] {
            assert_eq!(replaced(other), None);
        }
        assert!(replaced("_DKIM_OVERSIGN_HEADERS").unwrap().starts_with("+From:+Sender:"));
    }
}
