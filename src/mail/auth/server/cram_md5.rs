//! CRAM-MD5: the client has to know a secret, and need not say it (specification
//! 35.1).

use crate::mail::auth::cram;
use eximious_stdlib::mac;
use eximious_stdlib::options::opt::authenticator::cram_md5 as opt;
use eximious_stdlib::variables::var;

use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict, decoded};

/// The server's side of the driver `cram_md5`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(CramMd5::default())
}

#[derive(Default)]
pub(super) struct CramMd5 {
    challenge: Vec<u8>,
}

impl AuthDriver for CramMd5 {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        if !initial.is_empty() {
            return Err(AuthVerdict::Unexpected);
        }
        let world = turn.cx.engine().world().clone();
        // Exim has the process's number here. One process may speak with many
        // clients, and who listens to one of them is not to know what another will
        // be asked.
        let number = world.random.below(u64::MAX);
        let now = world.clock.now().seconds;
        let host = turn.cx.value_of(var::PRIMARY_HOSTNAME);
        self.challenge = format!("<{number}.{now}@").into_bytes();
        self.challenge.extend_from_slice(host.bytes());
        self.challenge.push(b'>');
        Ok(AuthStep::Ask(self.challenge.clone()))
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let response = decoded(line)?;
        let (name, digest) = cram::parse(&response);
        turn.give(name);
        turn.show_debug_text();
        let Some(digest) = digest.filter(|digest| digest.len() == 32) else {
            return Err(AuthVerdict::Refuse);
        };
        let secret = match turn.expand(opt::SERVER_SECRET) {
            None => return Err(AuthVerdict::Refuse),
            Some(Ok(secret)) => secret,
            Some(Err(fail)) => return Err(AuthVerdict::of(&fail)),
        };
        let wanted = cram::digest(secret.bytes(), &self.challenge);
        turn.note(&[b"CRAM-MD5: user name = ", name]);
        turn.note(&[b"          challenge = ", &self.challenge]);
        turn.note(&[b"          received  = ", digest]);
        turn.note(&[b"          digest    = ", &wanted]);
        Ok(AuthStep::Done(match mac::same(&wanted, digest) {
            true => turn.condition(),
            false => AuthVerdict::Refuse,
        }))
    }
}
