//! TLS: handshakes of clients that connect side by side, whole ones and those that take up
//! a session.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslSession, SslSessionCacheMode, SslVerifyMode};
use tempfile::TempDir;

use crate::client::{at_once, hear_from};
use crate::daemon::{Daemon, READY};

/// How many clients there are at once.
const CLIENTS: usize = 8;

/// How many sessions say nothing under TLS, for the figure of memory.
const IDLE: usize = 1_000;

/// Both programs with keys of both kinds.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    let (each, idle) = if smoke { (2, 10) } else { (60, IDLE) };
    for (what, arguments) in
        [("ECDSA P-256", "ec -pkeyopt ec_paramgen_curve:prime256v1"), ("RSA 2048", "rsa:2048")]
    {
        let folder = certificate(arguments);
        let head = format!(
            "tls_advertise_hosts = *\ntls_resumption_hosts = *\ntls_certificate = {0}/cert.pem\n\
             tls_privatekey = {0}/key.pem\n",
            folder.path().display()
        );
        let daemons = [exim, ours].map(|program| Daemon::with(program, &head));
        for resumes in [false, true] {
            // The first of each is of no account: contexts are made.
            let rates = daemons.each_ref().map(|daemon| {
                handshakes(daemon.place, 1, resumes);
                daemon.settle();
                let before = daemon.processor_time();
                let rate = handshakes(daemon.place, each, resumes);
                daemon.settle();
                let spent = daemon.processor_time().saturating_sub(before);
                (rate, spent.as_secs_f64() * 1e3 / (CLIENTS * each) as f64)
            });
            let kind = if resumes { "resumed" } else { "full" };
            println!(
                "{kind} handshakes, {what}, {CLIENTS} clients beside them: exim {:.0} a second, \
                 eximious {:.0}, {:.1} times as many; of the processor exim {:.2} ms each, \
                 eximious {:.2} ms, {:.1} times as little",
                rates[0].0,
                rates[1].0,
                rates[1].0 / rates[0].0,
                rates[0].1,
                rates[1].1,
                rates[0].1 / rates[1].1
            );
        }
        if what.starts_with("ECDSA") {
            memory(&daemons[1], idle);
        }
    }
}

/// A certificate that signs itself.
fn certificate(arguments: &str) -> TempDir {
    let folder = TempDir::new().expect("a directory");
    let script = format!(
        "openssl req -x509 -newkey {arguments} -nodes -keyout key.pem -out cert.pem -days 30 \
         -subj /CN=bench.test && chmod -R a+rX ."
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path()).stderr(Stdio::null());
    assert!(command.status().is_ok_and(|status| status.success()), "openssl makes a certificate");
    folder
}

/// How many there are in a second.
fn handshakes(place: SocketAddr, each: usize, resumes: bool) -> f64 {
    let refused = AtomicUsize::new(0);
    let count = CLIENTS * each;
    // What a client reads before it can begin is none of the server's work.
    let begin = || (TlsClient::new(), false);
    let took = at_once(CLIENTS, count, begin, |(client, has_been)| {
        client.visit(place, resumes && *has_been);
        *has_been = true;
        refused.fetch_add(client.refused.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    });
    match refused.into_inner() {
        0 => {}
        refused => println!("  of {count} sessions, {refused} were not taken up:"),
    }
    count as f64 / took.as_secs_f64()
}

/// A client that keeps the session that it was given.
struct TlsClient {
    connector: SslConnector,
    session: Arc<Mutex<Option<SslSession>>>,
    /// How often a session was not taken up.
    refused: AtomicUsize,
}

impl TlsClient {
    fn new() -> Self {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("a client");
        builder.set_verify(SslVerifyMode::NONE);
        let session = Arc::new(Mutex::new(None));
        let keeps = session.clone();
        builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        builder.set_new_session_callback(move |_, session| {
            *keeps.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        });
        Self { connector: builder.build(), session, refused: AtomicUsize::new(0) }
    }

    /// Connects, begins TLS, and goes.
    fn visit(&self, place: SocketAddr, has_session: bool) {
        let mut stream = self.connect(place, has_session);
        stream.write_all(b"QUIT\r\n").expect("the server reads");
        hear_from(&mut stream, "221");
        // A session that ends without a word is not taken up again.
        let _ = stream.shutdown();
    }

    fn connect(&self, place: SocketAddr, has_session: bool) -> openssl::ssl::SslStream<TcpStream> {
        let mut socket = TcpStream::connect(place).expect("a connection");
        socket.set_nodelay(true).expect("a socket");
        socket.set_read_timeout(Some(READY)).expect("a socket");
        hear_from(&mut socket, "220");
        for (line, code) in [("EHLO client.test\r\n", "250"), ("STARTTLS\r\n", "220")] {
            socket.write_all(line.as_bytes()).expect("the server reads");
            hear_from(&mut socket, code);
        }
        let mut tls = self.connector.configure().expect("a client");
        tls.set_verify_hostname(false);
        let ssl = tls.into_ssl("bench.test").expect("a connection");
        let kept = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut ssl = ssl;
        if let Some(session) = kept.filter(|_| has_session) {
            eximious_openssl::take_up(&mut ssl, &session).expect("a session");
        }
        let mut stream = openssl::ssl::SslStream::new(ssl, socket).expect("a stream");
        stream.connect().expect("a handshake");
        if has_session && !stream.ssl().session_reused() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        stream
    }
}

/// What silent sessions under TLS take.
fn memory(daemon: &Daemon, count: usize) {
    let client = TlsClient::new();
    client.visit(daemon.place, false);
    thread::sleep(Duration::from_millis(300));
    let before = daemon.resident();
    let streams: Vec<_> = (0..count).map(|_| client.connect(daemon.place, false)).collect();
    thread::sleep(Duration::from_millis(500));
    let more = daemon.resident().saturating_sub(before);
    println!(
        "{count} silent sessions under TLS: {} KiB each, OpenSSL's own included",
        more / count.max(1) as u64
    );
    drop(streams);
}
