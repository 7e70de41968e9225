//! TLS, without its connection: bytes go in and come out, and whoever has the
//! connection carries them.

use bitflags::bitflags;

use crate::Str;

/// What options of the server's side come to. Files are named by their paths; what
/// stands in them is read when TLS begins, or was read for another connection with the
/// same options.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsServer {
    /// Files with the server's certificates; without one, a certificate is made.
    pub certificates: Vec<Vec<u8>>,
    /// Files with their keys; without one for it, a key stands beside its certificate.
    pub keys: Vec<Vec<u8>>,
    /// The name for which a certificate is made.
    pub own_name: Vec<u8>,
    /// Whether the client has to show a certificate.
    pub demand: TlsDemand,
    /// From whom certificates of clients have to come.
    pub authorities: TlsAuthorities,
    /// A file or directory of revoked certificates.
    pub revoked: Option<Vec<u8>>,
    /// The ciphers, as the library names them.
    pub ciphers: Option<Vec<u8>>,
    /// The curves, with colons between them.
    pub curves: Option<Vec<u8>>,
    /// A file, or the name of a well-known prime, for Diffie-Hellman; `none` for no such
    /// exchange.
    pub prime: Option<Vec<u8>>,
    /// How many bits that may have.
    pub most_bits: u32,
    /// Proofs that the certificates are valid, in their order: `DER` or `PEM` and a
    /// space may stand before a file, and count for those behind it.
    pub proofs: Vec<Vec<u8>>,
    /// Switches of the library: `+no_ticket`.
    pub switches: Vec<u8>,
    /// Whether sessions may be taken up again.
    pub resumes: bool,
    /// A file with a secret of which keys of tickets are made; without one, it is random, and
    /// goes with the process.
    pub ticket_secret: Option<Vec<u8>>,
    /// The protocols (ALPN) that a client may name; with none, it may name any.
    pub protocols: Vec<Vec<u8>>,
    /// Whether it must name one.
    pub names_protocol: bool,
    /// Whether something may be said before the client's part of the handshake is over
    /// (TLS 1.3): to a client that need not show a certificate.
    pub speaks_early: bool,
}

/// What options of the client's side come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsClient {
    /// A file with a certificate for the server to see.
    pub certificate: Option<Vec<u8>>,
    /// A file with its key, where that does not stand beside it.
    pub key: Option<Vec<u8>>,
    /// Whether the server's certificate is looked at.
    pub demand: TlsDemand,
    /// From whom it has to come.
    pub authorities: TlsAuthorities,
    /// The name that has to stand in it.
    pub name: Option<Vec<u8>>,
    /// A file or directory of revoked certificates.
    pub revoked: Option<Vec<u8>>,
    /// The ciphers, as the library names them.
    pub ciphers: Option<Vec<u8>>,
    /// The curves, with colons between them.
    pub curves: Option<Vec<u8>>,
    /// Switches of the library.
    pub switches: Vec<u8>,
    /// The name that the server is told (SNI).
    pub server_name: Option<Vec<u8>>,
    /// The protocols (ALPN) that are offered.
    pub protocols: Vec<Vec<u8>>,
    /// Whether the server has to choose one of them.
    pub names_protocol: bool,
    /// What the DNS says of the server's certificate. Where that is anything, neither
    /// authorities nor names count.
    pub dane: Option<TlsDane>,
    /// Whether the server is to prove that its certificate is valid (RFC 6066, section 8).
    pub proof: TlsDemand,
    /// Whether a session that can be taken up again is of interest.
    pub resumes: bool,
    /// How many bits a prime of the server's for Diffie-Hellman has to have.
    pub least_dh_bits: u32,
    /// A session to take up again: what [`TlsSession::resumable`] once gave.
    pub session: Option<Vec<u8>>,
}

/// What the DNS says of a server's certificate (RFC 6698, RFC 7672).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsDane {
    /// The name that has the records: the server is told it (SNI), and its certificate may be
    /// for it.
    pub base: Vec<u8>,
    /// Other names that the certificate may be for.
    pub names: Vec<Vec<u8>>,
    /// The records, each with at least one byte of data.
    pub records: Vec<TlsaRecord>,
}

/// A record of the type TLSA (RFC 6698, section 2.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TlsaRecord {
    /// What it is about: 2 an authority (DANE-TA), 3 the server itself (DANE-EE).
    pub usage: u8,
    /// What is looked at: 0 the certificate, 1 its key.
    pub selector: u8,
    /// How: 0 as it is, 1 by SHA-256, 2 by SHA-512.
    pub matching: u8,
    /// What has to be found there.
    pub data: Vec<u8>,
}

impl TlsaRecord {
    /// Whether mail servers may be judged by it (RFC 7672, section 3.1): usages 0 and 1 need
    /// authorities that both sides know, and are passed over, as is what nobody knows.
    pub fn is_usable(&self) -> bool {
        let length = match self.matching {
            0 => return matches!(self.usage, 2 | 3) && self.selector <= 1 && !self.data.is_empty(),
            1 => 32,
            2 => 64,
            _ => return false,
        };
        matches!(self.usage, 2 | 3) && self.selector <= 1 && self.data.len() == length
    }
}

/// Whether the other side has to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TlsDemand {
    /// It is not asked for one, or it is not looked at.
    #[default]
    None,
    /// It is asked for one, and goes on without a good one.
    Asked,
    /// Without a good one there is no TLS.
    Required,
}

/// From whom certificates have to come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TlsAuthorities {
    /// Nobody is believed.
    #[default]
    None,
    /// Those whom the system believes.
    System,
    /// Those of a file, or of the files of a directory.
    Path(Vec<u8>),
}

/// What is known of a connection once it is under TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsFacts {
    /// The version: `TLS1.3`.
    pub version: String,
    /// The cipher, as the library names it.
    pub cipher: String,
    /// The cipher, as its RFC names it.
    pub standard_cipher: String,
    /// How many bits it has.
    pub bits: u32,
    /// The certificate that was shown to the other side, as PEM.
    pub own_certificate: Vec<u8>,
    /// What the other side showed, as PEM, its own certificate first.
    pub chain: Vec<Vec<u8>>,
    /// Whether that is good.
    pub is_verified: bool,
    /// Which name the client asked for.
    pub server_name: Option<Vec<u8>>,
    /// How the session was taken up again.
    pub resumption: TlsResumption,
    /// What came of the proof that the certificate is valid: see `$tls_in_ocsp`.
    pub proof: u8,
    /// Whether the DNS vouches for what the server showed.
    pub by_dane: bool,
    /// What there is to be logged: proofs that are not sent.
    pub remarks: Vec<String>,
    /// What binds a proof of who one is to the connection.
    pub binding: Option<TlsBinding>,
}

bitflags! {
    /// How a session was taken up again: `$tls_in_resumption`, `$tls_out_resumption`
    /// (specification 43.11).
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct TlsResumption: u8 {
        /// The program knows how to.
        const BUILT = 1;
        /// The client wanted a ticket.
        const WANTED = 2;
        /// The client had one.
        const OFFERED = 4;
        /// The server gave one.
        const ISSUED = 8;
        /// The session was taken up again.
        const USED = 16;
    }
}

impl TlsResumption {
    /// What the variable's value says; nothing where it is not such a number.
    pub fn read(value: &Str) -> Self {
        let number = std::str::from_utf8(value.bytes()).ok().and_then(|text| text.parse().ok());
        number.map(Self::from_bits_truncate).unwrap_or_default()
    }
}

/// What binds a proof of who one is to a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsBinding {
    /// `tls-unique` (RFC 5929), before TLS 1.3.
    Unique(Vec<u8>),
    /// `tls-exporter` (RFC 9266).
    Exporter(Vec<u8>),
}

/// Why there is no TLS, or no more of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsFault {
    /// What was done: `SSL_accept`.
    pub place: String,
    /// What is wrong, in the library's words.
    pub why: String,
    /// What the other side had shown before, as PEM, its own certificate first.
    pub chain: Vec<Vec<u8>>,
    /// Whether that is what is wrong.
    pub is_of_certificate: bool,
    /// What came of the proof that the certificate is valid: see `$tls_out_ocsp`.
    pub proof: u8,
}

impl TlsFault {
    /// One without certificates.
    pub fn new(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self { place: place.into(), why: why.into(), ..Self::default() }
    }

    /// As logs have it: `(SSL_accept): wrong version number`; without a place, what it was.
    pub fn shown(&self) -> String {
        match (self.place.as_str(), self.why.as_str()) {
            ("", why) => why.to_owned(),
            (place, "") => format!("({place})"),
            (place, why) => format!("({place}): {why}"),
        }
    }

    /// As it is told of a session with a host: `TLS session: (SSL_connect): …`.
    pub fn logged(&self) -> String {
        format!("TLS session: {}", self.shown())
    }
}

/// How far the handshake is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsProgress {
    /// The other side has to say more.
    More,
    /// It is over.
    Done(Box<TlsFacts>),
    /// There is no TLS; what is there to be sent says so to the other side.
    Failed(Box<TlsFault>),
}

/// What came of reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsHeard {
    /// The other side may say more.
    More,
    /// It said that it won't.
    End,
    /// It is gone without saying so, or what it sends is not what it sealed.
    Failed(TlsFault),
}

/// One side of a connection under TLS.
pub trait TlsSession: Send {
    /// Takes what came over the connection.
    fn receive(&mut self, bytes: &[u8]);
    /// Nothing more will come.
    fn end_of_input(&mut self);
    /// Whether something may be written though the handshake is not over. It holds until that
    /// goes on.
    fn may_write_early(&self) -> bool {
        false
    }
    /// Goes on with the handshake.
    fn shake(&mut self) -> TlsProgress;
    /// Opens what has come, behind what is there.
    fn read(&mut self, into: &mut Vec<u8>) -> TlsHeard;
    /// Seals what is to be said.
    ///
    /// # Errors
    /// Nothing can be said any more.
    fn write(&mut self, bytes: &[u8]) -> Result<(), TlsFault>;
    /// Says that nothing more will be said.
    fn finish(&mut self);
    /// What is to be sent over the connection.
    fn take_output(&mut self) -> Vec<u8>;
    /// The newest session that the server gave to be taken up again, with its secrets, and for
    /// how many seconds it is good. In TLS 1.3 it comes behind the handshake.
    fn resumable(&mut self) -> Option<(Vec<u8>, u32)> {
        None
    }
}

/// TLS.
pub trait Tls: Send + Sync {
    /// Whether there is any.
    fn is_there(&self) -> bool {
        true
    }
    /// Begins with the server's side.
    ///
    /// # Errors
    /// What is wrong with the options, or with the files that they name.
    fn serve(&self, settings: &TlsServer) -> Result<Box<dyn TlsSession>, TlsFault>;
    /// Begins with the client's side.
    ///
    /// # Errors
    /// What is wrong with the options, or with the files that they name.
    fn connect(&self, settings: &TlsClient) -> Result<Box<dyn TlsSession>, TlsFault>;
}
