//! GNU SASL speaks the mechanism, and the configuration knows the passwords
//! (specification, chapter 38).
//!
//! The library is the one that Exim is built with. There are crates for some of
//! its mechanisms (SCRAM above all), but none of them has the rest, and what a
//! configuration may ask of each mechanism is what the library asks back.

use eximious::auth::ChannelBinding;
use eximious::stdlib::base64;
use eximious::world::{
    SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStart, SaslStep, SaslValues,
};
use eximious::{Str, var};

use super::{AuthDriver, AuthServer, AuthStep, AuthTurn, AuthVerdict, decoded};

/// The server's side of the driver `gsasl`.
pub(super) static SERVER: AuthServer =
    AuthServer { driver: "gsasl", start: || Box::new(Gsasl::default()) };

#[derive(Default)]
pub(super) struct Gsasl {
    session: Option<Box<dyn SaslSession>>,
    found: Found,
    /// Whether the library has no more questions, and the client's last line is
    /// still to come.
    ends: bool,
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    /// What the configuration said of the client, where the library asked.
    verdict: Option<AuthVerdict>,
}

impl AuthDriver for Gsasl {
    fn begin(&mut self, turn: &mut AuthTurn<'_>, initial: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let start = start(turn, SaslLibrary::Gnu)?;
        let sasl = turn.cx.engine().world().sasl.clone();
        let mut session = sasl.start(&start).map_err(|error| unavailable(&start, error))?;
        if turn.authenticator.flag("server_channelbinding") {
            bind(&mut *session, turn.binding);
        }
        self.session = Some(session);
        let said = match initial {
            b"" => None,
            b"=" => Some(Vec::new()),
            _ => Some(base64::decode(initial).ok_or(AuthVerdict::NotBase64)?),
        };
        self.step(turn, said.as_deref())
    }

    fn answer(&mut self, turn: &mut AuthTurn<'_>, line: &[u8]) -> Result<AuthStep, AuthVerdict> {
        let said = match line {
            b"=" => Vec::new(),
            _ => decoded(line)?,
        };
        match self.ends {
            // The library is content, and said so to the client.
            true if said.is_empty() => Ok(self.conclude(turn)),
            true => Err(AuthVerdict::Refuse),
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
        let Some(session) = &mut self.session else { return Err(AuthVerdict::Refuse) };
        let found = &mut self.found;
        let ask = &mut |values: &mut dyn SaslValues, property| found.asked(turn, values, property);
        match session.step(said, ask) {
            Ok(SaslStep::More(asked)) => Ok(AuthStep::Ask(asked)),
            Ok(SaslStep::Done(said)) if said.is_empty() => Ok(self.conclude(turn)),
            Ok(SaslStep::Done(said)) => {
                self.ends = true;
                Ok(AuthStep::Ask(said))
            }
            Err(error) => Err(self.found.verdict.take().unwrap_or_else(|| of(error))),
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
            Is::Password => "server_password",
            Is::ScramIterations => "server_scram_iter",
            Is::ScramSalt => "server_scram_salt",
            Is::ScramServerKey => "server_key",
            Is::ScramStoredKey => "server_skey",
            // The library compares passwords itself where there is one.
            Is::ValidateSimple if turn.authenticator.text("server_password").is_some() => {
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
            None if property == Is::ScramIterations => Str::fixed("4096"),
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
        let verdict = match turn.authenticator.text("server_condition") {
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

/// What a library's session is to be, by the options that both drivers have.
pub(super) fn start(
    turn: &mut AuthTurn<'_>,
    library: SaslLibrary,
) -> Result<SaslStart, AuthVerdict> {
    let expanded = |turn: &mut AuthTurn<'_>, option| match turn.expand(option) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.bytes().to_vec())),
        Some(Err(fail)) => Err(AuthVerdict::defer(fail.message())),
    };
    let own = turn.authenticator.text("server_mech");
    let mechanism =
        own.map_or_else(|| turn.authenticator.mechanism().to_vec(), |own| own.bytes().to_vec());
    let value = |turn: &mut AuthTurn<'_>, variable| turn.cx.value_of(variable).bytes().to_vec();
    let hostname = match expanded(turn, "server_hostname")? {
        Some(name) => name,
        None => value(turn, var::PRIMARY_HOSTNAME),
    };
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
    let service = turn.authenticator.text("server_service");
    Ok(SaslStart {
        library,
        server: true,
        mechanism: mechanism.to_ascii_uppercase(),
        service: service.map_or_else(|| b"smtp".to_vec(), |service| service.bytes().to_vec()),
        hostname,
        realm: expanded(turn, "server_realm")?.unwrap_or_default(),
        addresses,
    })
}

/// A session can't begin.
pub(super) fn unavailable(start: &SaslStart, error: SaslError) -> AuthVerdict {
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
