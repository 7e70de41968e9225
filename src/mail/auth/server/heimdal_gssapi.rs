//! A library of GSS-API knows whom Kerberos vouches for (specification, chapter 39; the
//! mechanism GSSAPI, RFC 4752).

use eximious_core::world::{SaslError, SaslLibrary, SaslProperty, SaslReply, SaslStart};
use eximious_stdlib::options::opt::authenticator::heimdal_gssapi as opt;

use super::sasl::{self, Conversation};
use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict, decoded};

/// The server's side of the driver `heimdal_gssapi`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(HeimdalGssapi::default())
}

/// The one mechanism.
const MECHANISM: &[u8] = b"GSSAPI";

#[derive(Default)]
struct HeimdalGssapi {
    conversation: Option<Conversation>,
}

impl AuthDriver for HeimdalGssapi {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let service = sasl::expanded(turn, opt::SERVER_SERVICE)?;
        let usual = || turn.authenticator.get(opt::SERVER_SERVICE).bytes().to_vec();
        let start = SaslStart {
            library: SaslLibrary::Gss,
            server: true,
            mechanism: MECHANISM.to_vec(),
            service: service.unwrap_or_else(usual),
            hostname: sasl::hostname(turn, opt::SERVER_HOSTNAME)?,
            realm: Vec::new(),
            addresses: Default::default(),
            keytab: sasl::expanded(turn, opt::SERVER_KEYTAB)?,
        };
        Conversation::open(&mut self.conversation, turn, start, (initial, step))
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let said = decoded(line)?;
        let Some(conversation) = &mut self.conversation else { return Err(AuthVerdict::Refuse) };
        step(conversation, turn, Some(&said))
    }
}

fn step(
    conversation: &mut Conversation,
    turn: &mut AuthTurn<'_>,
    said: Option<&[u8]>,
) -> Result<AuthStep, AuthVerdict> {
    match conversation.step(said, &mut |_, _| SaslReply::Nothing) {
        Ok(Some(asked)) => Ok(AuthStep::Ask(asked)),
        Ok(None) => {
            let value = |property| conversation.session.get(property);
            let name = value(SaslProperty::GssapiDisplayName).ok_or(AuthVerdict::Refuse)?;
            let acting = value(SaslProperty::AuthzId).filter(|acting| !acting.is_empty());
            turn.give(&name);
            turn.give(&acting.unwrap_or(name));
            Ok(AuthStep::Done(turn.condition()))
        }
        Err(SaslError::Refused(why)) => Err(conversation.refused(turn, &why)),
        Err(error) => Err(sasl::of(error)),
    }
}
