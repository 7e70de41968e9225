//! Sessions under TLS that are taken up again (specification 43.11).

use std::hash::{DefaultHasher, Hash, Hasher};

use eximious_core::world::{TlsClient, TlsResumption};
use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::Peer;
use crate::mail::hints::{TlsResumable, ToldHints};
use crate::mail::smtp_client::SmtpClient;

static CLOCK: Meta = Meta::new("smtp transport", Effects::CLOCK, TaintRule::Result);

/// What `host_name_extract` is where it is not set: one site is known to have such servers.
const USUAL_NAME: &[u8] =
    br"${if and{ {match{$host}{.outlook.com\$}} {match{$item}{\N^250-([\w.]+)\s\N}} }{$1}}";

/// The longest greeting that is told apart by `host_name_extract`.
const LONGEST_NAME: usize = 255;

impl Peer<'_> {
    /// Finds the session that the host gave last time, under the same demands.
    pub(super) fn find_session(&mut self, settings: &mut TlsClient) {
        self.tls.resumes_as = None;
        if !settings.resumes {
            return;
        }
        let mut hasher = DefaultHasher::new();
        // Who demands more than then begins anew.
        format!("{settings:?}").hash(&mut hasher);
        let behind = self.balanced_name();
        let name = self.host.name.as_bytes();
        let place = format!("[{}]:{}", self.address, self.tls.port);
        let demands = format!("{:x}", hasher.finish());
        let key = [name, place.as_bytes(), &behind, demands.as_bytes()].join(&b' ');
        let Some(now) = self.now() else { return };
        let hints = ToldHints::open::<TlsResumable>(self.cx, now);
        if let Ok(Some((found, _))) = hints.load::<TlsResumable>(self.cx, &key)
            && found.until > now
        {
            settings.session = Some(found.session);
        }
        self.tls.resumes_as = Some(key);
    }

    /// Keeps the session that the host gave, for the next time.
    pub(super) fn keep_resumable(&mut self, client: &mut SmtpClient) {
        let Some(key) = self.tls.resumes_as.take() else { return };
        let (Some((session, life)), Some(now)) = (client.resumable(), self.now()) else { return };
        let known = TlsResumption::read(&self.cx.value_of(var::TLS_OUT_RESUMPTION));
        let bits = (known | TlsResumption::ISSUED).bits();
        self.cx.set_var(var::TLS_OUT_RESUMPTION, bits.to_string());
        let hints = ToldHints::open::<TlsResumable>(self.cx, now);
        let record = TlsResumable { session, until: now.saturating_add(i64::from(life)) };
        // A session that can't be kept is begun anew.
        let _ = hints.save(self.cx, &record, &key, now);
    }

    /// By which of several servers behind one name the host answered, as far as its greeting
    /// tells (`host_name_extract`).
    fn balanced_name(&mut self) -> Vec<u8> {
        let Some(transport) = self.transport else { return Vec::new() };
        let before = self.cx.value_of(var::ITEM);
        self.cx.set_var(var::ITEM, Str::tainted(&self.tls.hello[..]));
        let name = match transport.text(smtp::HOST_NAME_EXTRACT) {
            Some(_) => transport.expand_some(self.cx, smtp::HOST_NAME_EXTRACT),
            None => Some(self.cx.engine().clone().expand_once(USUAL_NAME, self.cx)),
        };
        self.cx.set_var(var::ITEM, before);
        let mut name = match name {
            Some(Ok(name)) => name.bytes().to_vec(),
            _ => Vec::new(),
        };
        name.truncate(LONGEST_NAME);
        name
    }

    pub(super) fn now(&mut self) -> Option<i64> {
        self.cx.call(&CLOCK, |call| call.clock().map(|clock| clock.now().seconds)).ok()
    }
}
