//! What the drivers share for which a library speaks the mechanisms (specification,
//! chapters 36, 38 and 39).

use eximious_core::world::{
    SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStart, SaslStep, SaslValues,
};
use eximious_core::{DriverOpt, Str};
use eximious_stdlib::variables::var;

use super::{AuthStep, AuthTurn, AuthVerdict, initially_decoded};

/// The options that each of them has.
pub(super) struct SaslOptions {
    pub(super) hostname: DriverOpt<Str>,
    pub(super) mechanism: DriverOpt<Str>,
    pub(super) realm: DriverOpt<Str>,
    pub(super) service: DriverOpt<Str>,
}

/// Those of a driver, by the module of its handles.
macro_rules! sasl_options {
    ($driver:ident) => {
        $crate::mail::auth::server::sasl::SaslOptions {
            hostname: $driver::SERVER_HOSTNAME,
            mechanism: $driver::SERVER_MECH,
            realm: $driver::SERVER_REALM,
            service: $driver::SERVER_SERVICE,
        }
    };
}
pub(super) use sasl_options;

/// What a driver does with what the client says: nothing, where nothing was said with the
/// command.
pub(super) type SaslStepper =
    fn(&mut Conversation, &mut AuthTurn<'_>, Option<&[u8]>) -> Result<AuthStep, AuthVerdict>;

/// A conversation that a library leads.
pub(super) struct Conversation {
    pub(super) session: Box<dyn SaslSession>,
    mechanism: Vec<u8>,
    /// Whether the library has no more questions, and the client's last line is
    /// still to come.
    ends: bool,
}

impl Conversation {
    /// Begins one.
    pub(super) fn begin(turn: &mut AuthTurn<'_>, start: SaslStart) -> Result<Self, AuthVerdict> {
        let sasl = turn.cx.engine().world().sasl.clone();
        let session = sasl.start(&start).map_err(|error| unavailable(&start, error))?;
        Ok(Self { session, mechanism: start.mechanism, ends: false })
    }

    /// Begins one in its place, with what stands behind the command.
    pub(super) fn open(
        place: &mut Option<Self>,
        turn: &mut AuthTurn<'_>,
        start: SaslStart,
        (initial, step): (&[u8], SaslStepper),
    ) -> Result<AuthStep, AuthVerdict> {
        let conversation = place.insert(Self::begin(turn, start)?);
        match initial {
            b"" => step(conversation, turn, None),
            _ => step(conversation, turn, Some(&initially_decoded(initial)?)),
        }
    }

    /// Hands on what the client says, and gives back what it is asked; nothing, where the
    /// library is content.
    pub(super) fn step(
        &mut self,
        said: Option<&[u8]>,
        ask: &mut dyn FnMut(&mut dyn SaslValues, SaslProperty) -> SaslReply,
    ) -> Result<Option<Vec<u8>>, SaslError> {
        match self.session.step(said, ask)? {
            SaslStep::More(asked) => Ok(Some(asked)),
            SaslStep::Done(said) if said.is_empty() => Ok(None),
            SaslStep::Done(said) => {
                self.ends = true;
                Ok(Some(said))
            }
        }
    }

    /// The client is not who it says: what the library says of that is logged.
    pub(super) fn refused(&self, turn: &AuthTurn<'_>, why: &str) -> AuthVerdict {
        let name = turn.authenticator.name().display().into_owned();
        let mechanism = String::from_utf8_lossy(&self.mechanism);
        let line = format!("{name} authenticator ({mechanism}): {why}");
        turn.cx.engine().world().log.rejection_alone(line.as_bytes());
        AuthVerdict::Refuse
    }

    /// Whether the library was content and said so to the client, whose answer this is: it
    /// has to be an empty one.
    pub(super) fn is_over(&self, said: &[u8]) -> Result<bool, AuthVerdict> {
        match self.ends {
            true if !said.is_empty() => Err(AuthVerdict::Refuse),
            ends => Ok(ends),
        }
    }
}

/// What a library's session is to be.
pub(super) fn start(
    turn: &mut AuthTurn<'_>,
    library: SaslLibrary,
    options: &SaslOptions,
) -> Result<SaslStart, AuthVerdict> {
    let own = turn.authenticator.text(options.mechanism);
    let mechanism =
        own.map_or_else(|| turn.authenticator.mechanism().to_vec(), |own| own.bytes().to_vec());
    let value = |turn: &mut AuthTurn<'_>, variable| turn.cx.value_of(variable).bytes().to_vec();
    let mut end = |address, port| {
        let address = value(turn, address);
        let port = value(turn, port);
        match address.is_empty() || port.is_empty() {
            true => Vec::new(),
            false => [&address, b";".as_slice(), &port].concat(),
        }
    };
    let addresses = [
        end(var::RECEIVED_IP_ADDRESS, var::RECEIVED_PORT),
        end(var::SENDER_HOST_ADDRESS, var::SENDER_HOST_PORT),
    ];
    Ok(SaslStart {
        library,
        server: true,
        mechanism: mechanism.to_ascii_uppercase(),
        service: turn.authenticator.get(options.service).bytes().to_vec(),
        hostname: hostname(turn, options.hostname)?,
        realm: expanded(turn, options.realm)?.unwrap_or_default(),
        addresses,
        keytab: None,
    })
}

/// What an option comes to, where it is set.
pub(super) fn expanded(
    turn: &mut AuthTurn<'_>,
    option: DriverOpt<Str>,
) -> Result<Option<Vec<u8>>, AuthVerdict> {
    match turn.expand(option) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.bytes().to_vec())),
        Some(Err(fail)) => Err(AuthVerdict::defer(fail.message())),
    }
}

/// The host's name in the server's, which is this host's unless the option says another.
pub(super) fn hostname(
    turn: &mut AuthTurn<'_>,
    option: DriverOpt<Str>,
) -> Result<Vec<u8>, AuthVerdict> {
    let own = expanded(turn, option)?;
    Ok(own.unwrap_or_else(|| turn.cx.value_of(var::PRIMARY_HOSTNAME).bytes().to_vec()))
}

/// A session can't begin.
fn unavailable(start: &SaslStart, error: SaslError) -> AuthVerdict {
    match error {
        SaslError::UnknownMechanism => {
            let head = b"the library does not know the mechanism ".as_slice();
            AuthVerdict::defer([head, &start.mechanism].concat())
        }
        SaslError::Unavailable(why) => {
            AuthVerdict::defer(format!("the library can't be used here: {why}"))
        }
        error => of(error),
    }
}

/// What an error of a library says of the client.
pub(super) fn of(error: SaslError) -> AuthVerdict {
    match error {
        SaslError::Refused(_) | SaslError::Malformed(_) => AuthVerdict::Refuse,
        SaslError::Unavailable(why) | SaslError::Failed(why) => AuthVerdict::defer(why),
        SaslError::UnknownMechanism => {
            AuthVerdict::defer("the library does not know the mechanism")
        }
    }
}
