//! GNU SASL speaks the mechanism, and the configuration knows the passwords
//! (specification, chapter 38).
//!
//! The library is the one that Exim is built with. There are crates for some of
//! its mechanisms (SCRAM above all), but none of them has the rest, and what a
//! configuration may ask of each mechanism is what the library asks back.

use crate::mail::auth::ChannelBinding;
use eximious_core::world::{SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslValues};
use eximious_stdlib::base64;
use eximious_stdlib::options::opt::authenticator::{self, gsasl as opt};

use super::sasl::{self, Conversation, SaslOptions, sasl_options};
use super::{AuthDriver, AuthStep, AuthTurn, AuthVerdict, decoded, initially_decoded};

/// The server's side of the driver `gsasl`.
pub(in crate::mail::auth) fn start() -> Box<dyn AuthDriver> {
    Box::new(Gsasl::default())
}

#[derive(Default)]
pub(super) struct Gsasl {
    conversation: Option<Conversation>,
    found: Found,
}

const OPTIONS: SaslOptions = sasl_options!(opt);

/// What was found on the way.
#[derive(Default)]
struct Found {
    /// What the configuration said of the client, where the library asked.
    verdict: Option<AuthVerdict>,
}

impl AuthDriver for Gsasl {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let start = sasl::start(turn, SaslLibrary::Gnu, &OPTIONS)?;
        let mut conversation = Conversation::begin(turn, start)?;
        if turn.authenticator.flag(opt::SERVER_CHANNELBINDING) {
            bind(&mut *conversation.session, turn.binding);
        }
        self.conversation = Some(conversation);
        let said = match initial {
            b"" => None,
            b"=" => Some(Vec::new()),
            _ => Some(initially_decoded(initial)?),
        };
        self.step(turn, said.as_deref())
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let said = match line {
            b"=" => Vec::new(),
            _ => decoded(line)?,
        };
        let Some(conversation) = &self.conversation else { return Err(AuthVerdict::Refuse) };
        match conversation.is_over(&said)? {
            true => Ok(self.conclude(turn)),
            false => self.step(turn, Some(&said)),
        }
    }
}

impl Gsasl {
    fn step(
        &mut self,
        turn: &mut AuthTurn<'_>,
        said: Option<&[u8]>,
    ) -> Result<AuthStep, AuthVerdict> {
        let Some(conversation) = &mut self.conversation else { return Err(AuthVerdict::Refuse) };
        let found = &mut self.found;
        let ask = &mut |values: &mut dyn SaslValues, property| found.asked(turn, values, property);
        match conversation.step(said, ask) {
            Ok(Some(asked)) => Ok(AuthStep::Ask(asked)),
            Ok(None) => Ok(self.conclude(turn)),
            Err(error) => Err(self.found.verdict.take().unwrap_or_else(|| sasl::of(error))),
        }
    }

    /// The library is content.
    fn conclude(&mut self, turn: &mut AuthTurn<'_>) -> AuthStep {
        let verdict = self.found.verdict.take();
        AuthStep::Done(verdict.unwrap_or_else(|| turn.condition()))
    }
}

impl Found {
    /// Answers what the library asks.
    fn asked(
        &mut self,
        turn: &mut AuthTurn<'_>,
        values: &mut dyn SaslValues,
        property: SaslProperty,
    ) -> SaslReply {
        use SaslProperty as Is;
        let option = match property {
            Is::Password => opt::SERVER_PASSWORD,
            Is::ScramIterations => opt::SERVER_SCRAM_ITER,
            Is::ScramSalt => opt::SERVER_SCRAM_SALT,
            Is::ScramServerKey => opt::SERVER_KEY,
            Is::ScramStoredKey => opt::SERVER_SKEY,
            // The library compares passwords itself where there is one.
            Is::ValidateSimple if turn.authenticator.text(opt::SERVER_PASSWORD).is_some() => {
                return SaslReply::Nothing;
            }
            Is::ValidateSimple => {
                return self.judge(turn, values, &[Is::AuthId, Is::AuthzId, Is::Password]);
            }
            Is::ValidateExternal => return self.judge(turn, values, &[Is::AuthzId]),
            Is::ValidateAnonymous => return self.judge(turn, values, &[Is::AnonymousToken]),
            Is::ValidateGssapi => {
                return self.judge(turn, values, &[Is::GssapiDisplayName, Is::AuthzId]);
            }
            _ => return SaslReply::Nothing,
        };
        give(turn, values, &[Is::AuthId, Is::AuthzId, Is::Realm]);
        let value = match turn.expand(option) {
            None if property == Is::ScramIterations => option.default(),
            None => return SaslReply::Nothing,
            Some(Ok(value)) => value,
            Some(Err(fail)) => {
                self.verdict = Some(AuthVerdict::defer(fail.message()));
                return SaslReply::No;
            }
        };
        let fits = match property {
            Is::ScramServerKey | Is::ScramStoredKey => matches!(value.bytes().len(), 28 | 44),
            Is::ScramSalt => !value.is_empty(),
            _ => true,
        };
        if !fits {
            return SaslReply::Nothing;
        }
        values.set(property, value.bytes());
        SaslReply::Yes
    }

    /// Lets `server_condition` decide; without it, nobody is believed.
    fn judge(
        &mut self,
        turn: &mut AuthTurn<'_>,
        values: &mut dyn SaslValues,
        shown: &[SaslProperty],
    ) -> SaslReply {
        give(turn, values, shown);
        let verdict = match turn.authenticator.text(authenticator::SERVER_CONDITION) {
            None => AuthVerdict::Refuse,
            Some(_) => turn.condition(),
        };
        let accepted = verdict == AuthVerdict::Accept;
        self.verdict = Some(verdict);
        if accepted { SaslReply::Yes } else { SaslReply::No }
    }
}

/// Makes values of the library the client's.
fn give(turn: &mut AuthTurn<'_>, values: &dyn SaslValues, shown: &[SaslProperty]) {
    turn.forget();
    for property in shown {
        let value = values.get(*property).unwrap_or_default();
        turn.give(&value);
    }
}

/// Binds a session to the TLS connection around it.
fn bind(session: &mut dyn SaslSession, binding: Option<&ChannelBinding>) {
    match binding {
        None => {}
        Some(ChannelBinding::Unique(bytes)) => {
            session.set(SaslProperty::TlsUnique, &base64::encode(bytes));
        }
        Some(ChannelBinding::Exporter(bytes)) => {
            session.set(SaslProperty::TlsExporter, &base64::encode(bytes));
        }
    }
}
