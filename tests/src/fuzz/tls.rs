//! Targets of TLS: what the other side says, and what the DNS, a responder and a domain say of
//! it.

use std::sync::{Arc, OnceLock};

use eximious::mta_sts::{StsPolicy, places, sts_id};
use eximious::stdlib::dns;
use eximious::world::{
    DnsRecord, Fixture, TlsClient, TlsDane, TlsDemand, TlsProgress, TlsServer, TlsSession,
    TlsaRecord,
};
use eximious::{Config, Engine, Macros};
use eximious_mta::smtp::{Client, SmtpServer, SmtpSession};

use super::wire::drain;
use crate::tls::certificates;

fn world() -> &'static eximious::World {
    static WORLD: OnceLock<eximious::World> = OnceLock::new();
    WORLD.get_or_init(eximious_world::system)
}

/// A server's settings, with the certificates of the tests.
pub fn server_settings() -> TlsServer {
    let file = |name: &str| certificates().join(name).display().to_string().into_bytes();
    TlsServer {
        certificates: vec![file("server.pem")],
        keys: vec![file("server.key")],
        resumes: true,
        speaks_early: true,
        ..TlsServer::default()
    }
}

/// What a client says first.
///
/// # Panics
/// Where there is no TLS.
pub fn first_words(settings: &TlsClient) -> Vec<u8> {
    let mut session = world().tls.connect(settings).expect("TLS");
    let _ = session.shake();
    session.take_output()
}

/// Lets a side hear something, in pieces: there is an end, and no handshake is over that
/// nobody has the keys for. What it said.
fn hear(mut session: Box<dyn TlsSession>, data: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    let mut shake = |session: &mut Box<dyn TlsSession>| {
        for _ in 0..100 {
            let progress = session.shake();
            let more = session.take_output();
            said.extend_from_slice(&more);
            match progress {
                TlsProgress::More if more.is_empty() && !session.may_write_early() => return true,
                TlsProgress::More => {}
                TlsProgress::Done(_) => panic!("a handshake without keys"),
                TlsProgress::Failed(_) => return false,
            }
        }
        panic!("a handshake without an end");
    };
    let mut goes_on = shake(&mut session);
    for piece in data.chunks(data.len().div_ceil(3).max(1)) {
        session.receive(piece);
        goes_on = goes_on && shake(&mut session);
    }
    session.end_of_input();
    assert!(!goes_on || !shake(&mut session), "it waits for somebody who is gone");
    let _ = session.read(&mut Vec::new());
    session.finish();
    said
}

/// A server hears a client's first words; so does a session whose certificate hangs on the
/// name in them.
pub fn client_hello(data: &[u8]) {
    hear(world().tls.serve(&server_settings()).expect("TLS"), data);
    let folder = certificates().display();
    let text = format!(
        "primary_hostname = b.example\ntls_advertise_hosts = *\n\
         tls_certificate = ${{if eq{{$tls_in_sni}}{{sni.test}}{{{folder}/sni.pem}}{{{folder}/server.pem}}}}\n\
         tls_privatekey = ${{if eq{{$tls_in_sni}}{{sni.test}}{{{folder}/sni.key}}{{{folder}/server.key}}}}\n"
    );
    let mut fixture = Fixture::new().file("/c", text).world();
    fixture.tls = world().tls.clone();
    let builder = Engine::builder().world(fixture.clone());
    let config = Config::read(b"/c", Macros::new(), &fixture, builder.registry());
    let config = config.expect("nothing is wrong with it");
    let engine = config.build(builder);
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let mut client = Client::at("192.0.2.1:4711".parse().unwrap());
    client.begins_with_tls = true;
    let mut session = SmtpSession::new(server, engine.context(), client);
    session.receive(data);
    session.end_of_input();
    drain(&mut session, &mut Vec::new());
}

/// A client hears a server, which it wants a proof of, and to be vouched for.
pub fn server_hello(data: &[u8]) {
    let settings = TlsClient { proof: TlsDemand::Required, resumes: true, ..TlsClient::default() };
    hear(world().tls.connect(&settings).expect("TLS"), data);
}

/// Records of the DNS about certificates: those that are usable can be used.
pub fn tlsa(data: &[u8]) {
    let record =
        DnsRecord { name: "_25._tcp.a.test".into(), kind: 52, ttl: 1, data: data.to_vec() };
    let Some(([usage, selector, matching], data)) = dns::tlsa(&record) else { return };
    let record = TlsaRecord { usage, selector, matching, data: data.to_vec() };
    if !record.is_usable() {
        return;
    }
    let dane = TlsDane { base: b"a.test".to_vec(), names: Vec::new(), records: vec![record] };
    let settings =
        TlsClient { dane: Some(dane), demand: TlsDemand::Required, ..TlsClient::default() };
    // One that can't be read is a fault, and no reason to go on without it.
    if let Ok(session) = world().tls.connect(&settings) {
        hear(session, b"\x15\x03\x03\x00\x02\x02\x28");
    }
}

/// A proof that a certificate is valid, which a server is to send: one that is changed
/// anywhere is not sent.
pub fn proof(data: &[u8]) {
    let folder = tempfile::TempDir::new().expect("a directory");
    let file = folder.path().join("proof");
    std::fs::write(&file, data).expect("written");
    let settings = TlsServer {
        proofs: vec![file.display().to_string().into_bytes()],
        resumes: false,
        ..server_settings()
    };
    let client = TlsClient { proof: TlsDemand::Asked, ..TlsClient::default() };
    if let Ok(session) = world().tls.serve(&settings) {
        hear(session, &first_words(&client));
    }
}

/// What a domain says of its hosts, and who wants to be told of them.
pub fn policies(data: &[u8]) {
    if let Some(policy) = StsPolicy::read(data) {
        assert!((0..=31_557_600).contains(&policy.max_age));
        for host in &policy.hosts {
            let one = host.replacen('*', "a", 1);
            assert!(policy.has(&one), "{one}");
            assert!(!policy.has(&format!("a.b.{host}")) || policy.hosts.len() > 1, "{host}");
        }
    }
    let texts: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    if let Some(id) = sts_id(texts.iter().copied()) {
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    assert!(places(texts).len() <= 16);
}
