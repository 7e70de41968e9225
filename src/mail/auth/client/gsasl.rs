//! GNU SASL speaks the mechanism (specification, chapter 38).

use eximious_core::world::{
    SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStart, SaslStep, SaslValues,
};
use eximious_core::{DriverDef, Str};
use eximious_stdlib::base64;
use eximious_stdlib::options::opt::authenticator::{self as general, gsasl as opt};
use eximious_stdlib::variables::var;

use super::{AuthOutcome, Driver, NAMES, Stop, Turn};
use crate::config::AuthenticatorRules;
use crate::mail::auth::ChannelBinding;
use crate::mail::auth::drivers::{AuthenticatorRun, own};
use crate::mail::auth::server;

/// The driver `gsasl`.
pub(in crate::mail::auth) static DRIVER: DriverDef = own(
    "gsasl",
    "Mechanisms of the GNU SASL library.",
    "38",
    &AuthenticatorRun {
        client: Some(|| Box::new(Gsasl::default())),
        server: Some(server::gsasl::start),
    },
)
.needs("the GNU SASL library")
.rules(&RULES);

/// What holds of instances in a configuration.
static RULES: AuthenticatorRules = AuthenticatorRules {
    is_client: |one| {
        one.set(opt::CLIENT_USERNAME)
            && (one.set(opt::CLIENT_PASSWORD) || one.set(opt::CLIENT_SPASSWORD))
    },
    is_server: |one| {
        one.set(general::SERVER_CONDITION)
            || one.set(opt::SERVER_PASSWORD)
            || one.set(opt::SERVER_KEY)
    },
    ..AuthenticatorRules::DEFAULT
};

#[derive(Default)]
pub(super) struct Gsasl {
    session: Option<Box<dyn SaslSession>>,
    user: Str,
    /// Whether the library is content with the server.
    content: bool,
}

impl Driver for Gsasl {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        self.user = turn.expand(opt::CLIENT_USERNAME)?.unwrap_or_default();
        let acting = turn.expand(opt::CLIENT_AUTHZ)?.unwrap_or_default();
        let own = turn.authenticator.text(opt::SERVER_MECH);
        let public = Str::from(turn.authenticator.mechanism());
        let mechanism = own.unwrap_or(public).bytes().to_ascii_uppercase();
        let host = turn.cx.value_of(var::HOST);
        let start = SaslStart {
            library: SaslLibrary::Gnu,
            server: false,
            mechanism,
            service: b"smtp".to_vec(),
            hostname: host.bytes().to_vec(),
            realm: Vec::new(),
            addresses: [Vec::new(), Vec::new()],
            keytab: None,
        };
        let sasl = turn.cx.engine().world().sasl.clone();
        let mut session = sasl.start(&start).map_err(|error| failed(&error))?;
        session.set(SaslProperty::AuthId, self.user.bytes());
        session.set(SaslProperty::AnonymousToken, self.user.bytes());
        if !acting.is_empty() {
            session.set(SaslProperty::AuthzId, acting.bytes());
        }
        if turn.authenticator.flag(opt::CLIENT_CHANNELBINDING) {
            match turn.binding {
                None => {}
                Some(ChannelBinding::Unique(bytes)) => {
                    session.set(SaslProperty::TlsUnique, &base64::encode(bytes));
                }
                Some(ChannelBinding::Exporter(bytes)) => {
                    session.set(SaslProperty::TlsExporter, &base64::encode(bytes));
                }
            }
        }
        self.session = Some(session);
        match start.mechanism.as_slice() {
            // Here the server begins, but the library does not know that.
            b"LOGIN" => Ok(Vec::new()),
            _ => self.step(turn, None),
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, asked: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let asked = turn.decoded(asked)?;
        if self.content {
            return Ok(None);
        }
        self.step(turn, Some(&asked)).map(Some)
    }

    fn accepted(&mut self) -> AuthOutcome {
        // Some mechanisms want to be told of the end; where a proof of the server is
        // missing, that is none.
        if let (false, Some(session)) = (self.content, &mut self.session) {
            let last = session.step(Some(b""), &mut |_, _| SaslReply::Nothing);
            self.content = matches!(last, Ok(SaslStep::Done(_)));
        }
        match self.content {
            true => AuthOutcome::Accepted,
            false => AuthOutcome::Failed(b"the server did not prove who it is".to_vec()),
        }
    }
}

impl Gsasl {
    fn step(&mut self, turn: &mut Turn<'_>, asked: Option<&[u8]>) -> Result<Vec<u8>, Stop> {
        let Some(session) = &mut self.session else { return Err(Stop::Cancel(Vec::new())) };
        let (user, mut stop) = (self.user.clone(), None);
        let ask = &mut |values: &mut dyn SaslValues, property| {
            let asked = given(turn, &user, values, property);
            asked.unwrap_or_else(|why| {
                stop = Some(why);
                SaslReply::No
            })
        };
        let step = session.step(asked, ask);
        if let Some(stop) = stop {
            return Err(stop);
        }
        let said = match step.map_err(|error| failed(&error))? {
            SaslStep::More(said) => said,
            SaslStep::Done(said) => {
                self.content = true;
                said
            }
        };
        // For `client_set_id`, which may keep it for the next time.
        if let Some(salted) = session.get(SaslProperty::ScramSaltedPassword) {
            show(turn, &user, &**session);
            turn.cx.set_var(NAMES[3], Str::from(salted));
        }
        Ok(said)
    }
}

/// Answers what the library asks.
fn given(
    turn: &mut Turn<'_>,
    user: &Str,
    values: &mut dyn SaslValues,
    property: SaslProperty,
) -> Result<SaslReply, Stop> {
    let (option, lengths): (_, &[usize]) = match property {
        SaslProperty::Password => (opt::CLIENT_PASSWORD, &[]),
        SaslProperty::ScramSaltedPassword => {
            show(turn, user, values);
            (opt::CLIENT_SPASSWORD, &[40, 64])
        }
        _ => return Ok(SaslReply::Nothing),
    };
    match turn.expand(option)? {
        Some(value) if lengths.is_empty() || lengths.contains(&value.bytes().len()) => {
            values.set(property, value.bytes());
            Ok(SaslReply::Yes)
        }
        _ => Ok(SaslReply::Nothing),
    }
}

/// The values that `client_spassword` may want to know.
fn show(turn: &mut Turn<'_>, user: &Str, values: &(impl SaslValues + ?Sized)) {
    turn.cx.set_var(NAMES[0], user.clone());
    for (var, property) in
        [(NAMES[1], SaslProperty::ScramIterations), (NAMES[2], SaslProperty::ScramSalt)]
    {
        turn.cx.set_var(var, Str::tainted(values.get(property).unwrap_or_default()));
    }
}

/// The library does not go on.
fn failed(error: &SaslError) -> Stop {
    match error {
        SaslError::UnknownMechanism => {
            Stop::Cancel(b"the library does not know the mechanism".to_vec())
        }
        SaslError::Unavailable(why) => {
            Stop::Cancel(format!("the library can't be used here: {why}").into_bytes())
        }
        SaslError::Refused(why) | SaslError::Malformed(why) | SaslError::Failed(why) => {
            Stop::Cancel(why.clone().into_bytes())
        }
    }
}
