//! TLS for SMTP: connections with the same options share what was made of them.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use eximious_core::world::{
    Tls, TlsAuthorities, TlsClient, TlsDane, TlsDemand, TlsFault, TlsServer, TlsSession, TlsaRecord,
};
use eximious_openssl::Tlsa;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslSession, StatusType};
use openssl::x509::verify::X509CheckFlags;

use super::made;
use super::session::{OpensslSession, words};
use super::tickets::Tickets;
use crate::version::Version;

/// How many contexts are kept: with the options of each connection their own, the
/// oldest goes.
const MOST: usize = 32;

/// For how long a certificate that was made is used: half of the time that it is good.
const OWN_USE: Duration = Duration::from_secs(made::OWN_LIFE as u64 / 2);

/// The system's TLS.
#[derive(Default)]
pub struct SystemTls {
    servers: Kept<TlsServer>,
    clients: Kept<TlsClient>,
    tickets: Tickets,
}

/// Contexts, by what they were made of.
struct Kept<S>(Mutex<Vec<One<S>>>);

struct One<S> {
    settings: S,
    /// The files as they were.
    versions: Vec<Option<Version>>,
    since: Instant,
    context: SslContext,
}

impl<S> Default for Kept<S> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<S: Clone + PartialEq> Kept<S> {
    fn context(
        &self,
        settings: &S,
        files: &[&[u8]],
        life: Option<Duration>,
        make: impl FnOnce(&S) -> Result<SslContext, TlsFault>,
    ) -> Result<SslContext, TlsFault> {
        let versions: Vec<Option<Version>> =
            files.iter().map(|path| Version::at(OsStr::from_bytes(path))).collect();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| {
            one.settings != *settings
                || (one.versions == versions && life.is_none_or(|life| one.since.elapsed() < life))
        });
        if let Some(one) = kept.iter().find(|one| one.settings == *settings) {
            return Ok(one.context.clone());
        }
        let context = make(settings)?;
        if kept.len() >= MOST {
            kept.remove(0);
        }
        let since = Instant::now();
        kept.push(One { settings: settings.clone(), versions, since, context: context.clone() });
        Ok(context)
    }
}

fn path_of(authorities: &TlsAuthorities) -> Option<&[u8]> {
    match authorities {
        TlsAuthorities::Path(path) => Some(path),
        _ => None,
    }
}

impl Tls for SystemTls {
    fn serve(&self, settings: &TlsServer) -> Result<Box<dyn TlsSession>, TlsFault> {
        let proofs = settings.proofs.iter().map(|one| {
            let rest = one.strip_prefix(b"PEM ").or_else(|| one.strip_prefix(b"DER "));
            rest.unwrap_or(one)
        });
        let named = settings.certificates.iter().chain(&settings.keys).map(Vec::as_slice);
        let others = path_of(&settings.authorities).into_iter();
        let others = others.chain(settings.revoked.as_deref()).chain(settings.prime.as_deref());
        let others = others.chain(settings.ticket_secret.as_deref());
        let files: Vec<&[u8]> = named.chain(proofs).chain(others).collect();
        let life = settings.certificates.is_empty().then_some(OWN_USE);
        let context = self.servers.context(settings, &files, life, |settings| {
            let keys = match settings.resumes {
                true => Some(self.tickets.keys(settings.ticket_secret.as_deref())?),
                false => None,
            };
            made::server(settings, keys)
        })?;
        let begun = Ssl::new(&context).and_then(|ssl| OpensslSession::new(ssl, true));
        let session = begun.map_err(|errors| TlsFault::new("SSL_new", words(&errors)))?;
        let session = session.wanting(settings.demand, settings.names_protocol);
        let early = settings.speaks_early && settings.demand == TlsDemand::None;
        Ok(Box::new(session.resuming(settings.resumes).speaking_early(early)))
    }

    fn connect(&self, settings: &TlsClient) -> Result<Box<dyn TlsSession>, TlsFault> {
        let files = [&settings.certificate, &settings.key, &settings.revoked];
        let files = files.into_iter().filter_map(Option::as_deref);
        let files: Vec<&[u8]> = files.chain(path_of(&settings.authorities)).collect();
        // What is of one connection is told to it by itself.
        let shared = TlsClient {
            name: None,
            server_name: None,
            dane: None,
            session: None,
            proof: TlsDemand::None,
            least_dh_bits: 0,
            names_protocol: false,
            ..settings.clone()
        };
        let context = self.clients.context(&shared, &files, None, made::client)?;
        let begun = of_client(&context, settings);
        let begun = begun
            .and_then(|(ssl, offers)| Ok((OpensslSession::new(ssl, false)?, offers)))
            .map_err(|errors| TlsFault::new("SSL_new", words(&errors)));
        let (session, offers) = begun?;
        let session = session.wanting(settings.demand, settings.names_protocol);
        let session = session.resuming(settings.resumes);
        Ok(Box::new(session.asking(settings, offers)))
    }
}

/// A connection of a client, and whether it offers the server a session.
fn of_client(context: &SslContext, settings: &TlsClient) -> Result<(Ssl, bool), ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    if let Some(name) = &settings.server_name {
        ssl.set_hostname(&String::from_utf8_lossy(name))?;
    }
    if let Some(name) = &settings.name {
        let name = String::from_utf8_lossy(name);
        let param = ssl.param_mut();
        param.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
        match name.parse() {
            Ok(address) => param.set_ip(address)?,
            Err(_) => param.set_host(&name)?,
        }
    }
    if let Some(dane) = &settings.dane {
        vouched(&mut ssl, dane)?;
    }
    if settings.proof != TlsDemand::None {
        ssl.set_status_type(StatusType::OCSP)?;
    }
    let mut offers = false;
    if let Some(session) = &settings.session
        && let Ok(session) = SslSession::from_der(session)
    {
        // One that can't be used is none.
        offers = eximious_openssl::take_up(&mut ssl, &session).is_ok();
    }
    Ok((ssl, offers))
}

/// Has certificates judged by what the DNS says.
fn vouched(ssl: &mut Ssl, dane: &TlsDane) -> Result<(), ErrorStack> {
    let ended = |name: &[u8]| CString::new(name).unwrap_or_default();
    ssl.param_mut().set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
    eximious_openssl::begin_dane(ssl, &ended(&dane.base))?;
    for name in &dane.names {
        eximious_openssl::add_name(ssl, &ended(name))?;
    }
    for record in &dane.records {
        let TlsaRecord { usage, selector, matching, data } = record;
        let (usage, selector, matching) = (*usage, *selector, *matching);
        eximious_openssl::add_tlsa(ssl, &Tlsa { usage, selector, matching, data })?;
    }
    Ok(())
}
