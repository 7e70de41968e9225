//! A query, put to one server after the other.

use std::time::Duration;

use eximious_core::world::{
    LdapAnswer, LdapError, LdapOperation, LdapProtection, LdapRequest, LdapSearch, LdapServer,
    LdapTls, LdapTrouble, ServerAddress,
};
use eximious_core::{Call, Fail, Settings, Str};

use super::codes;
use super::entries::{self, Wanted};
use super::query::Query;
use super::referral;
use super::url::{Scheme, Url};
use crate::lists::elements;
use crate::number::leading_int;
use crate::options::opt;
use crate::variables::var;

/// What is wanted of a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// The attributes of one entry.
    One,
    /// The attributes of all entries.
    Many,
    /// The name of one entry.
    Name,
    /// Whether the server lets one in.
    Login,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Data; of a login, success.
    Found(Vec<u8>),
    /// Nothing was found; of a login, the password is wrong.
    Nothing,
}

/// Why there is no answer.
pub(super) enum Refusal {
    /// Another server may know; Exim's words.
    Next(Vec<u8>),
    /// Every server would say so; Exim's words.
    Last(Vec<u8>),
    /// The policy in force forbids the question.
    Forbidden(Fail),
}

impl From<Fail> for Refusal {
    fn from(fail: Fail) -> Self {
        Self::Forbidden(fail)
    }
}

/// Where LDAP listens where nothing is said, as Debian's library is built.
const SOCKET: &[u8] = b"/var/run/slapd/ldapi";
const HOST: &str = "localhost";
/// The usual port.
const PORT: i32 = 389;

/// Puts a query to its server, or to those that the query or the configuration
/// lists, until one gives an answer.
pub(super) fn ask(
    call: &mut Call<'_>,
    query: &Query<'_>,
    purpose: Purpose,
) -> Result<Outcome, Refusal> {
    let listed = Scheme::of(query.url).is_some_and(|(_, rest)| rest.first() == Some(&b'/'));
    let list = match (&query.servers, call.settings().given(opt::LDAP_DEFAULT_SERVERS)) {
        _ if !listed => None,
        (Some(servers), _) => Some(servers.clone()),
        (None, servers) => servers.map(|servers| servers.bytes().to_vec()),
    };
    let Some(list) = list else { return attempt(call, query, purpose, None) };
    let mut last = Refusal::Last(Vec::new());
    for server in elements(&list) {
        match attempt(call, query, purpose, Some(&server)) {
            Err(refusal @ Refusal::Next(_)) => last = refusal,
            outcome => return outcome,
        }
    }
    Err(last)
}

/// Puts a query to one server: one of a list, or the URL's.
fn attempt(
    call: &mut Call<'_>,
    query: &Query<'_>,
    purpose: Purpose,
    server: Option<&[u8]>,
) -> Result<Outcome, Refusal> {
    let mut url = Url::parse(query.url).map_err(|code| {
        let message = format!("ldap_url_parse: (error {code}) parsing \"");
        Refusal::Last([message.as_bytes(), query.url, b"\"\n"].concat())
    })?;
    if let Some(server) = server {
        let colon = server.iter().position(|c| *c == b':');
        let port = colon.and_then(|colon| leading_int(&server[colon + 1..]));
        url.host = Some(server[..colon.unwrap_or(server.len())].to_vec());
        url.port = port.map_or(0, |(port, _)| port);
    }
    let place = Place::new(&url).map_err(Refusal::Next)?;
    let settings = call.settings();
    let start_tls = settings.get(opt::LDAP_START_TLS);
    // The library takes "hard" for TLS at once on all connections.
    let hard = requires(settings, &[b"hard"]);
    let plain = if hard { LdapProtection::Tls } else { LdapProtection::None };
    let protection = match place.scheme {
        Scheme::Ldapi => LdapProtection::None,
        Scheme::Ldaps => LdapProtection::Tls,
        Scheme::Ldap if start_tls && !hard => LdapProtection::StartTls,
        Scheme::Ldap => plain,
    };
    let Some(address) = place.address.clone() else {
        return Err(Refusal::Next(place.refusal(protection, &LdapError::Connect(String::new()))));
    };
    let bounds = call.bounds();
    let search = LdapSearch {
        base: url.base,
        scope: url.scope.unwrap_or(0),
        dereference: query.dereference,
        size_limit: query.size,
        time_limit: query.time,
        filter: url.filter,
        attributes: url.attributes,
    };
    let wanted = match (purpose, &search.attributes[..]) {
        (Purpose::Name, _) => Wanted::Name,
        (_, [_]) => Wanted::Values,
        _ => Wanted::NamesAndValues,
    };
    let mut request = LdapRequest {
        server: LdapServer { address, protection, tls: tls(settings), version: version(settings) },
        bind_dn: query.user.clone().unwrap_or_default(),
        password: query.password.clone().unwrap_or_default(),
        network: u64::try_from(query.network).ok().filter(|n| *n > 0).map(Duration::from_secs),
        within: bounds.command,
        limit: bounds.length,
        operation: LdapOperation::Search(search),
    };
    let ldap = call.ldap()?;
    if start_tls && protection == LdapProtection::Tls {
        // TLS can't begin a second time; that is said once it has begun.
        request.operation = LdapOperation::Bind;
        request.bind_dn.clear();
        request.password.clear();
        return Err(Refusal::Next(match ldap.request(&request) {
            Err(error @ (LdapError::Connect(_) | LdapError::NoTls(_))) => {
                place.refusal(LdapProtection::StartTls, &error)
            }
            _ => place.no_tls(1),
        }));
    }
    if purpose == Purpose::Login {
        request.operation = LdapOperation::Bind;
        return match ldap.request(&request) {
            Ok(_) => Ok(Outcome::Found(Vec::new())),
            Err(LdapError::Bind(LdapTrouble::Refused(result))) if result.code == 49 => {
                Ok(Outcome::Nothing)
            }
            Err(error) => Err(Refusal::Next(place.refusal(protection, &error))),
        };
    }
    let answer = ldap.request(&request).and_then(|answer| match query.follow {
        true => referral::follow(&*ldap, &request, plain, answer),
        false => Ok(answer),
    });
    let answer = answer.map_err(|error| Refusal::Next(place.refusal(protection, &error)))?;
    conclude(call, &answer, purpose, wanted)
}

/// The outcome of a search.
fn conclude(
    call: &mut Call<'_>,
    answer: &LdapAnswer,
    purpose: Purpose,
    wanted: Wanted,
) -> Result<Outcome, Refusal> {
    if let Some(name) = answer.entries.iter().rev().find_map(entries::name) {
        call.set_var(var::LDAP_DN, Str::from(name));
    }
    let result = &answer.result;
    match result.code {
        // The size limit leaves what came before it.
        0 | 4 => {}
        // The name is wrong in some way: nothing has it.
        32..=36 => return Ok(Outcome::Nothing),
        code => {
            let words = codes::words(code);
            let mut text = format!("LDAP search failed - error {code}: {words}").into_bytes();
            for part in [&result.message, &result.matched] {
                if !part.is_empty() {
                    text.push(b'/');
                    text.extend_from_slice(part);
                }
            }
            return Err(Refusal::Next(text));
        }
    }
    let count = answer.entries.len();
    if purpose != Purpose::Many && count > 1 {
        let message = format!(
            "LDAP search: more than one entry ({count}) was returned (filter not specific enough?)"
        );
        return Err(Refusal::Last(message.into()));
    }
    Ok(entries::written(&answer.entries, wanted).map_or(Outcome::Nothing, Outcome::Found))
}

/// Where a question goes.
struct Place {
    /// A path makes it `ldapi`, whatever the URL says.
    scheme: Scheme,
    /// Where that is; `None` where nothing can listen.
    address: Option<ServerAddress>,
    /// What messages call it.
    label: Vec<u8>,
}

impl Place {
    /// From a URL's host and port; an error is Exim's words.
    fn new(url: &Url) -> Result<Self, Vec<u8>> {
        let port = if url.port == 0 { PORT } else { url.port };
        let suffix = format!(":{port}").into_bytes();
        let Some(host) = &url.host else {
            let address = match (url.scheme, u16::try_from(port)) {
                (Scheme::Ldapi, _) => Some(ServerAddress::Unix(SOCKET.to_vec())),
                (_, port) => tcp(HOST, port.ok()),
            };
            return Ok(Self {
                scheme: url.scheme,
                address,
                label: [b"NULL", &suffix[..]].concat(),
            });
        };
        let path = host.first() == Some(&b'/');
        let (scheme, built, label) = match (path, url.scheme) {
            (true, _) => {
                let path: Vec<&[u8]> = host.split(|c| *c == b'/').collect();
                (Scheme::Ldapi, [b"ldapi://", &path.join(&b"%2F"[..])[..]].concat(), host.clone())
            }
            (false, Scheme::Ldapi) => {
                let words = [b"ldapi requires an absolute path (\"", &host[..], b"\" given)"];
                return Err(words.concat());
            }
            (false, scheme) => {
                let label = [&host[..], &suffix].concat();
                (scheme, [scheme.name().as_bytes(), b"://", &label, b"/"].concat(), label)
            }
        };
        // The library is given a URL, and takes it for a list of URLs.
        let parsed = built
            .split(|c| matches!(c, b' ' | b','))
            .filter(|item| !item.is_empty())
            .map(Url::parse)
            .collect::<Result<Vec<_>, _>>();
        let Some(target) = parsed.ok().and_then(|urls| urls.into_iter().next()) else {
            let message = b"ldap_initialize: (error -9) URL \"";
            return Err([message, &built[..], b"\"\n"].concat());
        };
        let host = target.host.unwrap_or_default();
        let port = if target.port == 0 { PORT } else { target.port };
        let address = match scheme {
            Scheme::Ldapi => Some(ServerAddress::Unix(host)),
            _ if host.is_empty() => tcp(HOST, u16::try_from(port).ok()),
            _ => {
                std::str::from_utf8(&host).ok().and_then(|host| tcp(host, u16::try_from(port).ok()))
            }
        };
        Ok(Self { scheme, address, label })
    }

    /// Exim's words for an error there.
    fn refusal(&self, protection: LdapProtection, error: &LdapError) -> Vec<u8> {
        let bind = |why: String| {
            let message = b"failed to bind the LDAP connection to server ";
            [message, &self.label[..], b" - ", why.as_bytes()].concat()
        };
        match error {
            LdapError::Connect(_) if protection == LdapProtection::StartTls => self.no_tls(-1),
            LdapError::Connect(_) => bind("ldap_bind() returned -1".into()),
            LdapError::NoTls(why) if protection == LdapProtection::StartTls => {
                self.no_tls_because(why)
            }
            LdapError::NoTls(why) => bind(why.clone()),
            LdapError::StartTls(trouble) => self.no_tls(match trouble {
                LdapTrouble::Refused(result) => result.code,
                LdapTrouble::Broken(_) => -1,
                LdapTrouble::Late => -5,
                LdapTrouble::Tls(_) => -11,
                LdapTrouble::Unexpected(_) | LdapTrouble::Garbled => -4,
            }),
            LdapError::Bind(LdapTrouble::Refused(result)) => {
                bind(format!("LDAP error {}: {}", result.code, codes::words(result.code)))
            }
            LdapError::Bind(LdapTrouble::Late) => bind("LDAP error: timeout".into()),
            LdapError::Bind(_) => bind("LDAP error: result retrieval failed".into()),
            LdapError::Search(trouble) => match trouble {
                LdapTrouble::Late => b"ldap_result timed out".to_vec(),
                LdapTrouble::Unexpected(tag) => {
                    format!("ldap_result returned unexpected code {tag}").into_bytes()
                }
                LdapTrouble::Garbled => b"ldap_parse_result failed -4".to_vec(),
                LdapTrouble::Broken(_) | LdapTrouble::Tls(_) | LdapTrouble::Refused(_) => {
                    b"ldap_result failed: -1, Can't contact LDAP server".to_vec()
                }
            },
            LdapError::Filter => b"ldap_search failed: -7, Bad search filter".to_vec(),
            LdapError::TooMuch => b"the LDAP server's answer is too long".to_vec(),
        }
    }

    /// Exim's words where STARTTLS fails.
    fn no_tls(&self, code: i32) -> Vec<u8> {
        self.no_tls_because(&format!("ldap_start_tls_s() returned {code}: {}", codes::words(code)))
    }

    fn no_tls_because(&self, why: &str) -> Vec<u8> {
        let message = b"failed to initiate TLS processing on an LDAP session to server ";
        [message, &self.label[..], b" - ", why.as_bytes()].concat()
    }
}

fn tcp(host: &str, port: Option<u16>) -> Option<ServerAddress> {
    port.map(|port| ServerAddress::Tcp { host: host.to_owned(), port: Some(port) })
}

/// A text that is set, perhaps empty.
fn tls(settings: &Settings) -> LdapTls {
    let bytes = |option| settings.text(option).map(|text| text.bytes().to_vec());
    LdapTls {
        ca_dir: bytes(opt::LDAP_CA_CERT_DIR),
        ca_file: bytes(opt::LDAP_CA_CERT_FILE),
        certificate: bytes(opt::LDAP_CERT_FILE),
        key: bytes(opt::LDAP_CERT_KEY),
        ciphers: bytes(opt::LDAP_CIPHER_SUITE),
        // Any other word is taken for "never", as is an empty one.
        lenient: settings.is_set(opt::LDAP_REQUIRE_CERT)
            && !requires(settings, &[b"try", b"demand", b"hard"]),
    }
}

/// Whether `ldap_require_cert` is one of these words.
fn requires(settings: &Settings, words: &[&[u8]]) -> bool {
    let word = settings.get(opt::LDAP_REQUIRE_CERT);
    words.iter().any(|one| word.bytes().eq_ignore_ascii_case(one))
}

/// The protocol's version: any other is refused by the library, which then
/// stays with its own.
fn version(settings: &Settings) -> u8 {
    if settings.get(opt::LDAP_VERSION) == 2 { 2 } else { 3 }
}
