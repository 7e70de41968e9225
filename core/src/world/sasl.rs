//! Libraries that speak mechanisms of SASL (RFC 4422).

/// A library.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaslLibrary {
    /// GNU SASL.
    Gnu,
    /// Cyrus SASL; it has its own settings, by the program's name.
    Cyrus,
    /// A library of GSS-API, Heimdal's or MIT's: the server's side of the mechanism GSSAPI.
    Gss,
}

/// What a session is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaslStart {
    /// Whose it is.
    pub library: SaslLibrary,
    /// Whether this is the server's side.
    pub server: bool,
    /// The mechanism's name.
    pub mechanism: Vec<u8>,
    /// The service, such as `smtp`.
    pub service: Vec<u8>,
    /// The host's name.
    pub hostname: Vec<u8>,
    /// The realm; empty for none.
    pub realm: Vec<u8>,
    /// The addresses of both ends, this one first: `192.0.2.1;25`. Either may be
    /// empty.
    pub addresses: [Vec<u8>; 2],
    /// The file of the server's keys, where it is not the system's; for GSS-API alone.
    pub keytab: Option<Vec<u8>>,
}

/// A value of a session, or something that a library wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaslProperty {
    /// Who authenticates.
    AuthId,
    /// As whom that one wants to act.
    AuthzId,
    /// The realm.
    Realm,
    /// The password.
    Password,
    /// What an anonymous client says of itself.
    AnonymousToken,
    /// The name that Kerberos shows.
    GssapiDisplayName,
    /// How often SCRAM hashes.
    ScramIterations,
    /// The salt of SCRAM, in base 64.
    ScramSalt,
    /// The password as SCRAM salts it, in hexadecimal digits.
    ScramSaltedPassword,
    /// The ServerKey of SCRAM, in base 64.
    ScramServerKey,
    /// The StoredKey of SCRAM, in base 64.
    ScramStoredKey,
    /// What binds to a TLS connection, in base 64 (RFC 5929).
    TlsUnique,
    /// The same for TLS 1.3 (RFC 9266).
    TlsExporter,
    /// Whether the name and the password are right.
    ValidateSimple,
    /// Whether the claim is believed.
    ValidateExternal,
    /// Whether nobody may come in.
    ValidateAnonymous,
    /// Whether the one whom Kerberos knows may come in.
    ValidateGssapi,
}

/// What is answered to a library.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaslReply {
    /// The value was set, or yes.
    Yes,
    /// No.
    No,
    /// There is no such value.
    Nothing,
}

/// What a step brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaslStep {
    /// This is to be said, and an answer has to come.
    More(Vec<u8>),
    /// It is over; this is still to be said, if it is not empty.
    Done(Vec<u8>),
}

/// Why a library does not go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaslError {
    /// It can't be used here: why.
    Unavailable(String),
    /// It does not know the mechanism.
    UnknownMechanism,
    /// The other side is not who it says: the library's words.
    Refused(String),
    /// What the other side says has no such form: the library's words.
    Malformed(String),
    /// Anything else: the library's words.
    Failed(String),
}

/// The values of a session.
pub trait SaslValues {
    /// A value, as far as it is known.
    fn get(&self, property: SaslProperty) -> Option<Vec<u8>>;
    /// Sets one.
    fn set(&mut self, property: SaslProperty, value: &[u8]);
}

/// Who answers what a library asks.
pub type SaslAnswers<'a> = dyn FnMut(&mut dyn SaslValues, SaslProperty) -> SaslReply + 'a;

/// One side of a mechanism.
pub trait SaslSession: SaslValues + Send {
    /// Takes what the other side says (nothing at first, if nothing was said), and
    /// gives what is to be said.
    fn step(
        &mut self,
        said: Option<&[u8]>,
        ask: &mut SaslAnswers<'_>,
    ) -> Result<SaslStep, SaslError>;
}

/// Libraries that speak mechanisms.
pub trait Sasl: Send + Sync {
    /// Begins a session.
    fn start(&self, start: &SaslStart) -> Result<Box<dyn SaslSession>, SaslError>;
}
