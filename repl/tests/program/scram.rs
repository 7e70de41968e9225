//! Both sides of GNU SASL in one process: SCRAM in all its forms, and the others.
//! It is left out where the library is not installed.

use std::sync::Arc;

use crate::common;
use eximious::auth::client::{AuthOutcome, Login, Move};
use eximious::auth::{Authenticators, ChannelBinding};
use eximious::{Config, Engine, Macros, World};
use eximious_mta::smtp;
use eximious_tests::servers;

/// An attempt of eximious with itself, in one process: both sides of GNU SASL, over
/// TLS that only says so. Gives how it ended, and how the client is known.
fn with_itself(
    mechanism: &str,
    [server, client]: [&str; 2],
    [of_server, of_client]: [Option<ChannelBinding>; 2],
) -> (AuthOutcome, String) {
    let text = format!(
        "primary_hostname = mx.test.ex\nbegin authenticators\nsasl:\n  driver = gsasl\n  \
         public_name = {mechanism}\n  server_set_id = $auth1\n  server_condition = ${{if \
         eq{{$auth1}}{{user}}}}\n  {server}\n  client_username = user\n  client_set_id = \
         $auth1 $auth2 $auth3 $auth4\n  {client}\n"
    );
    let file = common::file(&text);
    let world = World { log: World::hermetic().log, ..eximious_world::system() };
    let builder = Engine::builder().world(world.clone());
    let path = file.path().display().to_string();
    let config = Config::read(path.as_bytes(), Macros::new(), &world, builder.registry());
    let config = config.unwrap_or_else(|why| panic!("{why}"));
    let engine = config.build(builder);
    let peer = smtp::Client::at("192.0.2.1:0".parse().unwrap());
    let shared = Arc::new(smtp::SmtpServer::new(&config, &engine));
    let mut session = smtp::SmtpSession::new(shared, engine.context(), peer);
    if of_server.is_some() {
        session.context().set_clean("tls_in_cipher", "TLS1.3:a:128");
    }
    session.authenticate_by_tls(of_server);
    let mut hear = |line: &str| {
        session.receive(line.as_bytes());
        let mut said = Vec::new();
        while let Some(event) = session.next_event() {
            if let smtp::Event::Reply(bytes) = event {
                said.extend(bytes);
            }
        }
        let said = String::from_utf8(said).unwrap();
        let last = said.lines().last().unwrap_or_default().to_owned();
        (last[..3].parse::<u16>().unwrap(), last[3..].trim().to_owned())
    };
    assert_eq!(hear("EHLO x\r\n").0, 250);
    let mut cx = engine.context();
    cx.set_clean("host", "mx.test.ex");
    let all = Authenticators::new(&config);
    let one = all.named(b"sasl").unwrap();
    let (mut login, mut next) = Login::begin(&mut cx, one, of_client);
    loop {
        match next {
            Move::Say(line) => {
                let line = String::from_utf8(line).unwrap();
                let (code, text) = hear(&format!("{line}\r\n"));
                next = login.hear(&mut cx, code, text.as_bytes());
            }
            Move::Done(outcome) => {
                let id = login.id(&mut cx).unwrap_or_default();
                return (outcome, id.display().into_owned());
            }
        }
    }
}

/// The keys of the user `user` with the password `pencil`, by the salt of RFC 5802
/// and 7677: salted, stored, the server's.
const KEYS: [(&str, [&str; 3]); 2] = [
    (
        "SCRAM-SHA-1",
        [
            "147ea8339ba2ad1726ed688b8d20ea2fee09ecb0",
            "g2pEzX2tMaoibxTD4YfBJkq1y8w=",
            "ZGkNjsmKwVX5C5z80vGxHZ02jOI=",
        ],
    ),
    (
        "SCRAM-SHA-256",
        [
            "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d",
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        ],
    ),
];

#[test]
fn scram_with_itself() {
    // Its client is there where its library is.
    if servers::program("gsasl").is_none() {
        return;
    }
    let salt = "server_scram_salt = W22ZaJ0SNY7soEsUEjb6gQ==\n  server_scram_iter = 4096";
    let unique = |bytes: &[u8]| Some(ChannelBinding::Unique(bytes.to_vec()));
    for (mechanism, [salted, stored, key]) in KEYS {
        let password = format!("{salt}\n  server_password = pencil");
        let keys = format!("{salt}\n  server_key = {key}\n  server_skey = {stored}");
        let said = format!("user 4096 W22ZaJ0SNY7soEsUEjb6gQ== {salted}");
        for server in [&password, &keys] {
            let (outcome, id) =
                with_itself(mechanism, [server, "client_password = pencil"], [None, None]);
            assert_eq!((outcome, &id), (AuthOutcome::Accepted, &said), "{mechanism}");
            let known = format!(
                "client_password = wrong\n  client_spassword = ${{if \
                 eq{{$auth2/$auth3}}{{4096/W22ZaJ0SNY7soEsUEjb6gQ==}}{{{salted}}}}}"
            );
            let (outcome, _) = with_itself(mechanism, [server, &known], [None, None]);
            assert_eq!(outcome, AuthOutcome::Accepted, "{mechanism}, salted");
            let (outcome, _) =
                with_itself(mechanism, [server, "client_password = pen"], [None, None]);
            assert_eq!(outcome, AuthOutcome::Refused, "{mechanism}");
        }
        let plus = format!("{mechanism}-PLUS");
        let server = format!("{password}\n  server_channelbinding");
        let both = [server.as_str(), "client_password = pencil\n  client_channelbinding"];
        let (outcome, _) = with_itself(&plus, both, [unique(b"abc"), unique(b"abc")]);
        assert_eq!(outcome, AuthOutcome::Accepted, "{plus}");
        // Somebody stands in between.
        let (outcome, _) = with_itself(&plus, both, [unique(b"abc"), unique(b"abd")]);
        assert_eq!(outcome, AuthOutcome::Refused, "{plus}");
        let (outcome, _) = with_itself(&plus, both, [None, unique(b"abc")]);
        assert_ne!(outcome, AuthOutcome::Accepted, "{plus}");
    }
    let server = "server_password = ${if eq{$auth1}{user}{pencil}fail}\n  server_realm = r";
    for mechanism in ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"] {
        for (password, good) in [("pencil", true), ("pen", false)] {
            let client = format!("client_password = {password}");
            let (outcome, _) = with_itself(mechanism, [server, &client], [None, None]);
            let expected = if good { AuthOutcome::Accepted } else { AuthOutcome::Refused };
            assert_eq!(outcome, expected, "{mechanism}");
        }
    }
}

/// A server that lets in whoever comes, and proves nothing, is none that knows the
/// password.
#[test]
fn a_server_has_to_prove_itself_too() {
    if servers::program("gsasl").is_none() {
        return;
    }
    let file = common::file(
        "begin authenticators\nsasl:\n  driver = gsasl\n  public_name = SCRAM-SHA-256\n  \
         client_username = user\n  client_password = pencil\n",
    );
    let world = eximious_world::system();
    let builder = Engine::builder().world(world.clone());
    let path = file.path().display().to_string();
    let config = Config::read(path.as_bytes(), Macros::new(), &world, builder.registry());
    let config = config.unwrap_or_else(|why| panic!("{why}"));
    let mut cx = config.build(builder).context();
    let all = Authenticators::new(&config);
    let (mut login, first) = Login::begin(&mut cx, all.named(b"sasl").unwrap(), None);
    assert!(matches!(first, Move::Say(_)));
    let next = login.hear(&mut cx, 235, b"welcome");
    assert!(matches!(next, Move::Done(AuthOutcome::Failed(_))), "{next:?}");
}
