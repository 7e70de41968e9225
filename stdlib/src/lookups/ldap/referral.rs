//! Referrals: a server that does not know names others that may (RFC 4511,
//! section 4.1.10).

use std::time::Duration;

use eximious_core::world::{
    Ldap, LdapAnswer, LdapError, LdapOperation, LdapProtection, LdapRequest, LdapServer,
    ServerAddress,
};

use super::url::{Scheme, Url};

/// The code that comes with a referral.
const REFERRAL: i32 = 10;
/// How many servers may name another, one after the other.
const LONGEST_CHAIN: usize = 5;
/// How many of the servers that one answer names are tried.
const MOST_NAMED: usize = 10;
/// What each of them may take at least.
const SHORTEST: Duration = Duration::from_secs(1);

/// Follows an answer's referral, if it is one: the first server that is named
/// and can be reached is asked, without a password. Its entries follow those
/// that came before, and its result is the result. `plain` is what protects a
/// connection to `ldap://`. Each server that is tried has half the time that the
/// one before it had, so that all of them together take no longer than the first.
///
/// # Errors
/// As [`Ldap::request`], where the server that is named broke off.
pub(super) fn follow(
    ldap: &dyn Ldap,
    request: &LdapRequest,
    plain: LdapProtection,
    mut answer: LdapAnswer,
) -> Result<LdapAnswer, LdapError> {
    let mut request = request.clone();
    let mut within = request.within;
    for _ in 0..LONGEST_CHAIN {
        if answer.result.code != REFERRAL {
            break;
        }
        let mut named = answer.result.referrals.iter().take(MOST_NAMED);
        let Some((next, found)) = named.find_map(|url| {
            within = (within / 2).max(SHORTEST);
            try_one(ldap, &request, plain, within, url)
        }) else {
            break;
        };
        let found = found?;
        request = next;
        answer.entries.extend(found.entries);
        answer.referenced |= found.referenced;
        answer.result = found.result;
        // Of what it says, the library passes on the words alone.
        answer.result.matched.clear();
    }
    Ok(answer)
}

/// The request that goes to a server that is named, and what came of it; `None`
/// where the server does not make sense, is the same again, or can't be reached.
fn try_one(
    ldap: &dyn Ldap,
    request: &LdapRequest,
    plain: LdapProtection,
    within: Duration,
    url: &[u8],
) -> Option<(LdapRequest, Result<LdapAnswer, LdapError>)> {
    let mut next = request_to(request, plain, url)?;
    if next.server == request.server && next.operation == request.operation {
        return None;
    }
    next.bind_dn.clear();
    next.password.clear();
    next.within = within;
    match ldap.request(&next) {
        Err(
            LdapError::Connect(_)
            | LdapError::NoTls(_)
            | LdapError::StartTls(_)
            | LdapError::Bind(_),
        ) => None,
        answer => Some((next, answer)),
    }
}

/// The same request for the server, the base and the scope that a URL names.
fn request_to(request: &LdapRequest, plain: LdapProtection, url: &[u8]) -> Option<LdapRequest> {
    let url = Url::parse(url).ok().filter(|url| url.scheme != Scheme::Ldapi)?;
    let host = String::from_utf8(url.host.filter(|host| !host.is_empty())?).ok()?;
    let port = match url.port {
        0 => None,
        port => Some(u16::try_from(port).ok()?),
    };
    let protection = match url.scheme {
        Scheme::Ldaps => LdapProtection::Tls,
        _ => plain,
    };
    let mut next = request.clone();
    next.server = LdapServer {
        address: ServerAddress::Tcp { host, port },
        protection,
        ..request.server.clone()
    };
    if let LdapOperation::Search(search) = &mut next.operation {
        if !url.base.is_empty() {
            search.base = url.base;
        }
        search.scope = url.scope.unwrap_or(search.scope);
    }
    Some(next)
}
