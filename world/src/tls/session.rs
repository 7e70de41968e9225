//! One side of a connection under TLS, over bytes in memory.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use eximious_core::world::{
    TlsBinding, TlsClient, TlsDemand, TlsFacts, TlsFault, TlsHeard, TlsProgress, TlsResumption,
    TlsSession,
};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::pkey::Id;
use openssl::ssl::{
    Error, ErrorCode, NameType, Ssl, SslContextBuilder, SslRef, SslStream, SslVerifyMode,
    SslVersion,
};
use openssl::x509::{X509, X509Ref, X509StoreContext, X509VerifyResult};

use super::proof::{self, ProofVerdict};

/// How much is opened at once: the most that is sealed in one piece.
const PIECE: usize = 16 * 1024;

/// The library's number for a certificate that was revoked.
const REVOKED: std::ffi::c_int = 23;

/// Bytes that came over the connection, and those that are to go.
#[derive(Debug, Default)]
pub struct Pipe {
    input: Vec<u8>,
    at: usize,
    ended: bool,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return if self.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        if self.at == self.input.len() {
            // Whoever is silent for a while needs no memory.
            (self.input, self.at) = (Vec::new(), 0);
        }
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is noted of a connection while its handshake goes on.
#[derive(Debug, Default)]
pub struct TlsNotes {
    /// What the other side showed, by depth, as far as it was looked at.
    chain: Vec<Vec<u8>>,
    /// What came of the wish for a proof that the certificate is valid.
    pub proof: u8,
    /// The newest session that can be taken up again, and for how many seconds it is good.
    pub resumable: Option<(Vec<u8>, u32)>,
    /// What there is to be logged.
    pub remarks: Vec<String>,
}

/// Where it is noted.
pub type Noted = Arc<Mutex<TlsNotes>>;

/// The place of the notes of a connection.
pub fn place_of_notes() -> Option<Index<Ssl, Noted>> {
    static PLACE: OnceLock<Option<Index<Ssl, Noted>>> = OnceLock::new();
    *PLACE.get_or_init(|| Ssl::new_ex_index().ok())
}

/// The notes of a connection.
pub fn notes_of(ssl: &SslRef) -> Option<Noted> {
    ssl.ex_data(place_of_notes()?).cloned()
}

/// Has certificates of the other side looked at, and noted.
pub fn look_at_certificates(builder: &mut SslContextBuilder, demand: TlsDemand, server: bool) {
    let mode = match demand {
        TlsDemand::None if server => return builder.set_verify(SslVerifyMode::NONE),
        TlsDemand::None => SslVerifyMode::NONE,
        TlsDemand::Required if server => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        TlsDemand::Required | TlsDemand::Asked => SslVerifyMode::PEER,
    };
    let goes_on = demand != TlsDemand::Required;
    builder.set_verify_callback(mode, move |fine, context| {
        let place = X509StoreContext::ssl_idx().ok();
        let notes = place.and_then(|place| notes_of(context.ex_data(place)?));
        if let Some(notes) = notes {
            let chain = &mut notes.lock().unwrap_or_else(PoisonError::into_inner).chain;
            if chain.is_empty() {
                chain.extend(eximious_openssl::shown(context).into_iter().flatten().map(pem));
            }
        }
        fine || goes_on
    });
}

/// One side of a connection.
pub struct OpensslSession {
    stream: SslStream<Pipe>,
    server: bool,
    notes: Noted,
    /// Whether tickets are given out.
    resumes: bool,
    /// Whether a name of a protocol has to be agreed on.
    names_protocol: bool,
    /// Whether certificates of the other side are looked at.
    demand: TlsDemand,
    /// Whether the server is to prove that its certificate is valid.
    proof: TlsDemand,
    /// How many bits a prime of the server's has to have.
    least_dh_bits: u32,
    /// Whether a session was offered to the server.
    offers: bool,
    early: Early,
}

/// Whether something may be written before the client's part of the handshake is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Early {
    /// It may not, or not any more.
    No,
    /// It may, once the client has said enough.
    Awaited,
    /// It may.
    Now,
}

impl OpensslSession {
    /// Begins.
    pub fn new(ssl: Ssl, server: bool) -> Result<Self, ErrorStack> {
        let notes = Noted::default();
        let mut ssl = ssl;
        if server {
            ssl.set_accept_state();
        }
        if let Some(place) = place_of_notes() {
            ssl.set_ex_data(place, notes.clone());
        }
        let stream = SslStream::new(ssl, Pipe::default())?;
        Ok(Self {
            stream,
            server,
            notes,
            resumes: false,
            names_protocol: false,
            demand: TlsDemand::None,
            proof: TlsDemand::None,
            least_dh_bits: 0,
            offers: false,
            early: Early::No,
        })
    }

    /// What a client wants of the server beside its certificate, and whether it offers it a
    /// session.
    pub fn asking(mut self, settings: &TlsClient, offers: bool) -> Self {
        (self.proof, self.offers) = (settings.proof, offers);
        self.least_dh_bits = settings.least_dh_bits;
        self
    }

    /// Whether the server's prime is too short.
    fn has_short_prime(&self) -> bool {
        let key = (self.least_dh_bits > 0).then(|| self.stream.ssl().peer_tmp_key());
        key.and_then(Result::ok)
            .is_some_and(|key| key.id() == Id::DH && key.bits() < self.least_dh_bits)
    }

    /// What is asked of the other side.
    pub fn wanting(mut self, demand: TlsDemand, names_protocol: bool) -> Self {
        (self.demand, self.names_protocol) = (demand, names_protocol);
        self
    }

    /// Whether something may be written before the client's part of the handshake is over.
    pub fn speaking_early(mut self, early: bool) -> Self {
        self.early = if early { Early::Awaited } else { Early::No };
        self
    }

    /// Goes on until something may be written early, or until it is clear that it may not;
    /// what there is to be told of that.
    fn shake_early(&mut self) -> Option<TlsProgress> {
        if self.early == Early::Now {
            self.early = Early::No;
        }
        if self.early == Early::No {
            return None;
        }
        // No client is told that it may send anything so early.
        match self.stream.read_early_data(&mut [0; 64]) {
            Ok(0) => {
                let ssl = self.stream.ssl();
                let modern = ssl.version2() == Some(SslVersion::TLS1_3);
                let goes_on = modern && !ssl.is_init_finished();
                self.early = if goes_on { Early::Now } else { Early::No };
                goes_on.then_some(TlsProgress::More)
            }
            Ok(_) => {
                let fault = TlsFault::new(self.place(), "the client speaks too early");
                Some(TlsProgress::Failed(Box::new(fault)))
            }
            Err(error) if waits(&error) => Some(TlsProgress::More),
            Err(error) => Some(TlsProgress::Failed(Box::new(self.fault(&error)))),
        }
    }

    /// Whether tickets are given out.
    pub fn resuming(mut self, resumes: bool) -> Self {
        self.resumes = resumes;
        self
    }

    fn place(&self) -> &'static str {
        if self.server { "SSL_accept" } else { "SSL_connect" }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, TlsNotes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the handshake failed.
    fn fault(&self, error: &Error) -> TlsFault {
        let ssl = self.stream.ssl();
        let bad = ssl.verify_result();
        let chain = self.noted().chain.clone();
        if self.demand == TlsDemand::Required && bad != X509VerifyResult::OK && !chain.is_empty() {
            let why = match bad {
                bad if bad.as_raw() == REVOKED => "certificate revoked".to_owned(),
                _ if self.server => "certificate invalid".to_owned(),
                bad => bad.error_string().to_owned(),
            };
            let place = "certificate verification failed".to_owned();
            return TlsFault { chain, is_of_certificate: true, ..TlsFault::new(place, why) };
        }
        TlsFault { chain, ..TlsFault::new(self.place(), reason(error)) }
    }

    /// What the other side showed: now, or when the session that was taken up again began.
    fn chain(&self) -> Vec<Vec<u8>> {
        let mut chain = self.noted().chain.clone();
        if !chain.is_empty() {
            return chain;
        }
        let ssl = self.stream.ssl();
        chain.extend(ssl.peer_certificate().iter().map(|one| pem(one)));
        for one in ssl.peer_cert_chain().into_iter().flatten() {
            let one = pem(one);
            // The client's side finds the server's own certificate there, too.
            if !chain.contains(&one) {
                chain.push(one);
            }
        }
        chain
    }

    fn facts(&self) -> TlsFacts {
        let ssl = self.stream.ssl();
        let cipher = ssl.current_cipher();
        let chain = self.chain();
        let looked = self.demand != TlsDemand::None && !chain.is_empty();
        let (proof, remarks) = {
            let mut noted = self.noted();
            (noted.proof, std::mem::take(&mut noted.remarks))
        };
        let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
        TlsFacts {
            version: version(ssl),
            cipher: name(cipher.map(|cipher| cipher.name())),
            standard_cipher: name(cipher.and_then(|cipher| cipher.standard_name())),
            bits: cipher.map_or(0, |cipher| u32::try_from(cipher.bits().secret).unwrap_or(0)),
            own_certificate: ssl.certificate().map(pem).unwrap_or_default(),
            is_verified: looked && ssl.verify_result() == X509VerifyResult::OK,
            chain,
            server_name: ssl.servername_raw(NameType::HOST_NAME).map(<[u8]>::to_vec),
            resumption: self.resumption(),
            proof,
            remarks,
            by_dane: eximious_openssl::matched_usage(ssl).is_some(),
            binding: self.binding(),
        }
    }

    fn resumption(&self) -> TlsResumption {
        use TlsResumption as Bits;
        let ssl = self.stream.ssl();
        if !self.server {
            let mut bits = Bits::BUILT;
            bits.set(Bits::WANTED, self.resumes);
            bits.set(Bits::OFFERED, self.offers);
            bits.set(Bits::ISSUED, self.noted().resumable.is_some());
            bits.set(Bits::USED, ssl.session_reused());
            return bits;
        }
        let modern = ssl.version2() == Some(SslVersion::TLS1_3);
        match (self.resumes, ssl.session_reused()) {
            (false, _) => Bits::BUILT,
            (true, false) => Bits::BUILT | Bits::WANTED | Bits::ISSUED,
            (true, true) if modern => Bits::all(),
            (true, true) => Bits::all() - Bits::WANTED,
        }
    }

    /// Looks at the proof that the server's certificate is valid; whether it says that it is
    /// not.
    fn look_at_proof(&mut self) -> Result<bool, TlsFault> {
        if self.server || self.proof == TlsDemand::None {
            return Ok(false);
        }
        let ssl = self.stream.ssl();
        let verdict = proof::judge(ssl);
        self.noted().proof = verdict.number();
        let refused = matches!(verdict, ProofVerdict::Bad | ProofVerdict::Revoked);
        let ends = self.proof == TlsDemand::Required && verdict != ProofVerdict::Good
            || refused && self.demand == TlsDemand::Required;
        if !ends {
            return Ok(refused);
        }
        let why = if verdict == ProofVerdict::Revoked { "certificate revoked" } else { "" };
        let chain = self.facts().chain;
        let fault = TlsFault::new("certificate status check failed", why);
        Err(TlsFault { chain, is_of_certificate: true, proof: ProofVerdict::Bad.number(), ..fault })
    }

    fn binding(&self) -> Option<TlsBinding> {
        let ssl = self.stream.ssl();
        if ssl.version2() == Some(SslVersion::TLS1_3) {
            let mut out = [0; 32];
            let label = "EXPORTER-Channel-Binding";
            ssl.export_keying_material(&mut out, label, Some(&[])).ok()?;
            return Some(TlsBinding::Exporter(out.to_vec()));
        }
        // The first Finished is the client's, but for sessions that are taken up again.
        let mut out = [0; 64];
        let count = match self.server != ssl.session_reused() {
            true => ssl.peer_finished(&mut out),
            false => ssl.finished(&mut out),
        };
        (count > 0).then(|| TlsBinding::Unique(out[..count.min(out.len())].to_vec()))
    }
}

impl TlsSession for OpensslSession {
    fn receive(&mut self, bytes: &[u8]) {
        self.stream.get_mut().input.extend_from_slice(bytes);
    }

    fn end_of_input(&mut self) {
        self.stream.get_mut().ended = true;
    }

    fn may_write_early(&self) -> bool {
        self.early == Early::Now
    }

    fn shake(&mut self) -> TlsProgress {
        forget_errors();
        if let Some(progress) = self.shake_early() {
            return progress;
        }
        let step = if self.server { self.stream.accept() } else { self.stream.connect() };
        match step {
            Ok(())
                if self.names_protocol && self.stream.ssl().selected_alpn_protocol().is_none() =>
            {
                let (place, why) = match self.server {
                    true => (self.place(), "no protocol was agreed on (ALPN)"),
                    false => ("handshake", "ALPN required but not negotiated"),
                };
                let chain = self.facts().chain;
                TlsProgress::Failed(Box::new(TlsFault { chain, ..TlsFault::new(place, why) }))
            }
            Ok(()) if self.has_short_prime() => {
                let why = "the server's prime for Diffie-Hellman is too short (tls_dh_min_bits)";
                TlsProgress::Failed(Box::new(TlsFault::new(self.place(), why)))
            }
            Ok(()) => match self.look_at_proof() {
                Ok(refused) => {
                    let mut facts = self.facts();
                    facts.is_verified &= !refused;
                    TlsProgress::Done(Box::new(facts))
                }
                Err(fault) => TlsProgress::Failed(Box::new(fault)),
            },
            Err(error) if waits(&error) => TlsProgress::More,
            Err(error) => TlsProgress::Failed(Box::new(self.fault(&error))),
        }
    }

    fn read(&mut self, into: &mut Vec<u8>) -> TlsHeard {
        loop {
            let start = into.len();
            into.resize(start + PIECE, 0);
            forget_errors();
            let read = self.stream.ssl_read(&mut into[start..]);
            into.truncate(start + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(_) => {}
                Err(error) if waits(&error) => return TlsHeard::More,
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => return TlsHeard::End,
                Err(error) => return TlsHeard::Failed(TlsFault::new("SSL_read", reason(&error))),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), TlsFault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            forget_errors();
            let count = match self.early {
                Early::Now => self.stream.write_early_data(rest),
                _ => self.stream.ssl_write(rest),
            };
            let count = count.map_err(|error| TlsFault::new("SSL_write", reason(&error)))?;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn finish(&mut self) {
        forget_errors();
        // That the other side has to answer is nothing to wait for.
        let _ = self.stream.shutdown();
    }

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.stream.get_mut().output)
    }

    fn resumable(&mut self) -> Option<(Vec<u8>, u32)> {
        self.noted().resumable.take()
    }
}

/// Forgets what the library noted of other matters on this thread, as of a certificate that was
/// looked at and was not good: it would take that for a fault of what comes next.
pub fn forget_errors() {
    drop(ErrorStack::get());
}

fn waits(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE)
}

fn pem(certificate: &X509Ref) -> Vec<u8> {
    let owned: X509 = certificate.to_owned();
    owned.to_pem().unwrap_or_default()
}

fn version(ssl: &SslRef) -> String {
    match ssl.version2() {
        Some(SslVersion::TLS1_3) => "TLS1.3",
        Some(SslVersion::TLS1_2) => "TLS1.2",
        Some(SslVersion::TLS1_1) => "TLS1.1",
        Some(SslVersion::TLS1) => "TLS1",
        Some(SslVersion::SSL3) => "SSLv3",
        _ => "TLS",
    }
    .to_owned()
}

/// The library's words: `error:0A00010B:SSL routines::wrong version number`.
fn reason(error: &Error) -> String {
    match error.ssl_error() {
        Some(errors) => words(errors),
        None if error.code() == ErrorCode::ZERO_RETURN => "the connection was closed".to_owned(),
        None => "the connection was closed without a word".to_owned(),
    }
}

/// The same, of something that went wrong before.
pub fn words(errors: &ErrorStack) -> String {
    match errors.errors().first() {
        Some(error) => format!(
            "error:{:08X}:{}::{}",
            error.code(),
            error.library().unwrap_or_default(),
            error.reason().unwrap_or_default()
        ),
        None => "an unknown error".to_owned(),
    }
}
