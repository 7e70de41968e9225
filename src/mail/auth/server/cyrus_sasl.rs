//! Cyrus SASL speaks the mechanism and knows the users (specification, chapter
//! 36).

use eximious_core::world::{SaslError, SaslLibrary, SaslProperty, SaslReply};
use eximious_stdlib::options::opt::authenticator::cyrus_sasl as opt;

use super::sasl::{self, Conversation, SaslOptions, sasl_options};
use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict, decoded};

/// The server's side of the driver `cyrus_sasl`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(CyrusSasl::default())
}

const OPTIONS: SaslOptions = sasl_options!(opt);

#[derive(Default)]
pub(super) struct CyrusSasl {
    conversation: Option<Conversation>,
}

impl AuthDriver for CyrusSasl {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let start = sasl::start(turn, SaslLibrary::Cyrus, &OPTIONS)?;
        Conversation::open(&mut self.conversation, turn, start, (initial, step))
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let said = decoded(line)?;
        let Some(conversation) = &mut self.conversation else { return Err(AuthVerdict::Refuse) };
        match conversation.is_over(&said)? {
            true => conclude(conversation, turn),
            false => step(conversation, turn, Some(&said)),
        }
    }
}

fn step(
    conversation: &mut Conversation,
    turn: &mut AuthTurn<'_>,
    said: Option<&[u8]>,
) -> Result<AuthStep, AuthVerdict> {
    match conversation.step(said, &mut |_, _| SaslReply::Nothing) {
        Ok(Some(asked)) => Ok(AuthStep::Ask(asked)),
        Ok(None) => conclude(conversation, turn),
        Err(SaslError::Refused(why)) => {
            if let Some(user) = conversation.session.get(SaslProperty::AuthId) {
                turn.give(&user);
            }
            let why = format!("Cyrus SASL permanent failure: {why}");
            Err(conversation.refused(turn, &why))
        }
        Err(SaslError::Malformed(_)) => Err(AuthVerdict::Unexpected),
        Err(error) => Err(sasl::of(error)),
    }
}

/// The library is content.
fn conclude(conversation: &Conversation, turn: &mut AuthTurn<'_>) -> Result<AuthStep, AuthVerdict> {
    let user = conversation.session.get(SaslProperty::AuthId);
    turn.give(&user.ok_or(AuthVerdict::Refuse)?);
    Ok(AuthStep::Done(turn.condition()))
}
