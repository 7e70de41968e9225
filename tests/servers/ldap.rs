//! The lookup types `ldap`, `ldapm`, `ldapdn` and the condition `ldapauth`
//! against a directory of their own, and against servers that say what a test
//! wants; where Exim is there, it is asked the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eximious::world::{
    Ldap, LdapAnswer, LdapError, LdapOperation, LdapProtection, LdapRequest, LdapSearch,
    LdapServer, LdapTls, LdapTrouble, ServerAddress, World,
};
use eximious_tests::directory::{Directory, Names, fill};
use eximious_tests::ldap::{element, message, play, request};
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::servers::{Home, Played, free_port};
use eximious_tests::suite::Suite;
use eximious_tests::{root, show};

/// How the lines of a suite are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// In one conversation.
    Together,
    /// Each in one of its own: Exim does not leave a connection that broke.
    Apart,
}

/// A suite: the answers are those that are written there, and Exim's, where it
/// is there.
fn suite(name: &str, lines_are: Lines, home: &Home, names: &Names, config: &str) {
    let suite = Suite::read(&root().join("tests/suites/ldap").join(name));
    let lines: Vec<Vec<u8>> = suite.cases.iter().map(|case| fill(names, &case.input)).collect();
    // Exim reads no configuration that belongs to somebody else.
    let file = home.path().join(format!("{name}.conf"));
    std::fs::write(&file, fill(names, config.as_bytes())).expect("a configuration");
    let reference = Reference::find().map(|exim| exim.with_config(&file));
    let theirs = |exim: Reference| -> Vec<Answer> {
        match lines_are {
            Lines::Together => exim.ask(&lines, None),
            Lines::Apart => lines.chunks(1).flat_map(|line| exim.ask(line, None)).collect(),
        }
    };
    let answers = || -> Vec<Vec<u8>> {
        let mut ours = Ours::with_config(&file);
        let answer = |line: &Vec<u8>| {
            if lines_are == Lines::Apart {
                ours.begin();
            }
            ours.answer(line)
        };
        lines.iter().map(answer).collect()
    };
    // Some lines wait for a server.
    let (ours, theirs) = std::thread::scope(|scope| {
        let theirs = reference.map(|exim| scope.spawn(|| theirs(exim)));
        (answers(), theirs.map(|theirs| theirs.join().expect("Exim's answers")))
    });
    let mut differ = Vec::new();
    for (at, (case, said)) in suite.cases.iter().zip(ours).enumerate() {
        let written = fill(names, &case.output);
        let exim = theirs.as_ref().map(|theirs| &theirs[at]);
        if said != written || exim.is_some_and(|exim| *exim != Answer::Said(said.clone())) {
            let exim = match exim {
                Some(Answer::Said(said)) => show(said),
                other => format!("{other:?}"),
            };
            let number = case.number;
            let (line, said, written) = (show(&lines[at]), show(&said), show(&written));
            differ.push(format!(
                "{name}:{number}: {line}\n  ours    {said}\n  written {written}\n  exim    {exim}"
            ));
        }
    }
    assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
}

/// Asks a directory what stands in a suite.
fn ask(directory: &Directory, name: &str, config: &str) {
    // Exim says something else where TLS has failed before.
    let apart = name.starts_with("start-tls-");
    let lines = if apart { Lines::Apart } else { Lines::Together };
    suite(name, lines, directory.server.home(), &directory.names, config);
}

#[test]
fn a_directory() {
    let Some(other) = Directory::start(None) else { return };
    let Some(directory) = Directory::start(Some(&other)) else { return };
    ask(&directory, "directory.txt", "timezone = UTC\n");
    let tls = |lines: &str| format!("timezone = UTC\n{lines}");
    let believed = "ldap_ca_cert_file = LDAPDIR/ca.pem\n";
    ask(&directory, "tls-unknown.txt", "timezone = UTC\n");
    ask(&directory, "tls-lenient.txt", &tls("ldap_require_cert = allow\n"));
    ask(&directory, "tls-lenient.txt", &tls("ldap_require_cert = something\n"));
    ask(&directory, "tls-believed.txt", &tls(believed));
    ask(
        &directory,
        "tls-believed.txt",
        &tls("ldap_ca_cert_dir = LDAPDIR/authorities\nldap_require_cert = demand\n"),
    );
    ask(
        &directory,
        "tls-believed.txt",
        &tls(&format!(
            "{believed}ldap_cert_file = LDAPDIR/client.pem\nldap_cert_key = LDAPDIR/client.key\n"
        )),
    );
    ask(
        &directory,
        "tls-unknown.txt",
        &tls(&format!(
            "{believed}ldap_cert_file = LDAPDIR/client.pem\nldap_cert_key = LDAPDIR/server.key\n"
        )),
    );
    ask(&directory, "tls-unknown.txt", &tls("ldap_ca_cert_file = /nonexistent\n"));
    ask(&directory, "tls-unknown.txt", &tls(&format!("{believed}ldap_cipher_suite = nonsense\n")));
    ask(&directory, "tls-hard.txt", &tls(&format!("{believed}ldap_require_cert = hard\n")));
    ask(&directory, "start-tls.txt", &tls("ldap_start_tls\nldap_require_cert = never\n"));
    ask(&directory, "start-tls-unknown.txt", &tls("ldap_start_tls\n"));
    ask(
        &directory,
        "default-servers.txt",
        &tls("ldap_version = 2\nldap_default_servers = 127.0.0.1::NOPORT : LDAPDIR/ldapi\n"),
    );
}

#[test]
fn servers_that_say_anything() {
    let (a, b) = (play("A"), play("B"));
    let names = vec![
        ("APORT", a.port.to_string()),
        ("BPORT", b.port.to_string()),
        ("NOPORT", free_port().to_string()),
    ];
    let home = Home::new("nobody");
    std::thread::scope(|scope| {
        for name in ["answers.txt", "servers.txt", "settings.txt", "urls.txt", "filters.txt"] {
            let (names, home) = (&names, &home);
            scope.spawn(move || suite(name, Lines::Together, home, names, "timezone = UTC\n"));
        }
        suite("broken.txt", Lines::Apart, &home, &names, "timezone = UTC\n");
    });
}

/// What a test asks a server that it plays, with little patience.
fn question(port: u16) -> LdapRequest {
    LdapRequest {
        server: LdapServer {
            address: ServerAddress::Tcp { host: "127.0.0.1".into(), port: Some(port) },
            protection: LdapProtection::None,
            tls: LdapTls::default(),
            version: 3,
        },
        bind_dn: Vec::new(),
        password: Vec::new(),
        network: None,
        within: Duration::from_millis(500),
        limit: 100_000,
        operation: LdapOperation::Search(LdapSearch {
            base: b"e~cn=a~a=1;d~0".to_vec(),
            scope: 0,
            dereference: 0,
            size_limit: 0,
            time_limit: 0,
            filter: b"(a=*)".to_vec(),
            attributes: Vec::new(),
        }),
    }
}

fn with_base(port: u16, base: &str) -> LdapRequest {
    let mut asked = question(port);
    if let LdapOperation::Search(search) = &mut asked.operation {
        search.base = base.into();
    }
    asked
}

/// The answer, which must not take long.
fn soon(world: &World, request: &LdapRequest) -> Result<LdapAnswer, LdapError> {
    let start = Instant::now();
    let answer = world.ldap.request(request);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    answer
}

/// A server that lets everybody in, and answers searches with these bytes.
fn answering(operations: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Played {
    let welcome =
        element(0x61, &[&element(10, &[0])[..], &element(4, b""), &element(4, b"")].concat());
    Played::tcp(move |peer| {
        while let Some((number, tag, _)) = request(peer) {
            let said = match tag {
                0x60 => message(&number, &welcome),
                _ => operations(&number),
            };
            if peer.write_all(&said).is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_server_is_waited_for_no_longer_than_is_said() {
    let world = eximious_world::system();
    let late = Err(LdapError::Bind(LdapTrouble::Late));
    assert_eq!(soon(&world, &question(Played::silent().port)), late);
    // No single wait is a long one here.
    let drip = Played::dripping(0x30, Duration::from_millis(50));
    assert!(matches!(soon(&world, &question(drip.port)), Err(LdapError::Bind(_))));
    let drip = answering(|number| message(&[number, b"!"].concat(), &element(0x64, b"")));
    let endless = soon(&world, &question(drip.port));
    assert!(endless.is_err(), "{endless:?}");
    let nobody = soon(&world, &question(free_port()));
    assert!(matches!(nobody, Err(LdapError::Connect(_))), "{nobody:?}");
}

#[test]
fn an_answer_is_no_longer_than_is_said() {
    let world = eximious_world::system();
    // A length that no answer has, and nothing behind it.
    let long = answering(|_| vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(soon(&world, &question(long.port)), Err(LdapError::TooMuch));
    // Many small ones, whose values are empty.
    let entry = |number: &[u8]| {
        let values = element(0x31, &element(4, b"").repeat(100));
        let attribute = element(0x30, &[element(4, b"a"), values].concat());
        message(number, &element(0x64, &[element(4, b""), element(0x30, &attribute)].concat()))
    };
    let many = answering(move |number| entry(number).repeat(1000));
    assert_eq!(soon(&world, &question(many.port)), Err(LdapError::TooMuch));
}

#[test]
fn what_is_no_ldap_breaks_the_connection_and_nothing_else() {
    let world = eximious_world::system();
    // Values in values in values: the reader does not step into itself.
    let mut deep = Vec::new();
    for _ in 0..2000 {
        deep = element(0x30, &deep);
    }
    let nested = answering(move |number| message(number, &element(0x64, &deep)));
    let broken = |answer: &Result<LdapAnswer, LdapError>| {
        matches!(answer, Err(LdapError::Search(LdapTrouble::Broken(_))))
    };
    for server in [
        nested,
        answering(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        answering(|_| vec![0x30, 0x80, 0, 0]),
        answering(|number| message(number, &element(0x64, b"\x04\x7fx"))),
        answering(|_| element(0x30, b"")),
    ] {
        let answer = soon(&world, &question(server.port));
        assert!(broken(&answer) || answer == Err(LdapError::TooMuch), "{answer:?}");
    }
}

#[test]
fn cve_2021_38371_what_comes_before_tls_is_not_read_after_it() {
    let agreed =
        element(0x78, &[&element(10, &[0])[..], &element(4, b""), &element(4, b"")].concat());
    let server = Played::tcp(move |peer| {
        if let Some((number, _, _)) = request(peer) {
            let welcome =
                element(0x61, &[element(10, &[0]), element(4, b""), element(4, b"")].concat());
            let both = [message(&number, &agreed), message(&[2], &welcome)].concat();
            let _ = peer.write_all(&both);
            let _ = request(peer);
        }
    });
    let mut asked = question(server.port);
    asked.server.protection = LdapProtection::StartTls;
    let answer = soon(&eximious_world::system(), &asked);
    assert!(matches!(answer, Err(LdapError::StartTls(LdapTrouble::Tls(_)))), "{answer:?}");
}

#[test]
fn connections_are_used_again() {
    let world = eximious_world::system();
    let server = play("A");
    let entries = |asked: &LdapRequest| soon(&world, asked).map(|answer| answer.entries.len());
    assert_eq!(entries(&question(server.port)), Ok(1));
    assert_eq!(entries(&question(server.port)), Ok(1));
    assert_eq!(server.connections(), 1);
    // Somebody else is let in over the same one.
    let mut other = question(server.port);
    other.bind_dn = b"somebody".to_vec();
    assert_eq!(entries(&other), Ok(1));
    assert_eq!(server.connections(), 1);
    // Who is not let in there does not spoil it, and is asked again.
    other.bind_dn = b"code=49".to_vec();
    for _ in 0..2 {
        let refused = soon(&world, &other);
        assert!(matches!(refused, Err(LdapError::Bind(LdapTrouble::Refused(_)))), "{refused:?}");
    }
    assert_eq!(entries(&question(server.port)), Ok(1));
    assert_eq!(server.connections(), 1);
    // One with more on its way is left.
    assert_eq!(entries(&with_base(server.port, "e~cn=a;r~ldap:///;e~cn=b;d~0")), Ok(1));
    assert_eq!(entries(&question(server.port)), Ok(1));
    assert_eq!(server.connections(), 2);
    // So is one that broke; one that died meanwhile is opened anew.
    assert!(entries(&with_base(server.port, "e~cn=a;x")).is_err());
    assert_eq!(entries(&question(server.port)), Ok(1));
    let after = server.connections();
    assert_eq!(entries(&with_base(server.port, "e~cn=a;d~0;x")), Ok(1));
    assert_eq!(entries(&question(server.port)), Ok(1));
    assert_eq!(server.connections(), after + 1);
}

#[test]
fn a_password_is_asked_for_each_time() {
    let world = eximious_world::system();
    let server = play("A");
    let mut asked = question(server.port);
    asked.operation = LdapOperation::Bind;
    asked.bind_dn = b"somebody".to_vec();
    asked.password = b"secret".to_vec();
    assert!(soon(&world, &asked).is_ok());
    asked.bind_dn = b"code=49".to_vec();
    assert!(soon(&world, &asked).is_err());
    assert!(soon(&world, &asked).is_err());
    assert_eq!(server.connections(), 1);
}

/// A client without TLS.
#[derive(Debug)]
struct Bare;

impl Ldap for Bare {
    fn request(&self, _: &LdapRequest) -> Result<LdapAnswer, LdapError> {
        Err(LdapError::NoTls("no TLS here".into()))
    }
}

#[test]
fn a_build_without_tls_says_so() {
    let home = Home::new("nobody");
    let answer = |config: &str, url: &str| {
        let file = home.path().join("bare.conf");
        std::fs::write(&file, config).expect("a configuration");
        let world = World { ldap: Arc::new(Bare), ..eximious_world::system() };
        let mut ours = Ours::with_config_in(&file, world);
        let line = format!("${{lookup ldap{{{url}://127.0.0.1/o=x?cn?}}}}");
        String::from_utf8(ours.answer(line.as_bytes())).expect("text")
    };
    let no_bind = "failed to bind the LDAP connection to server 127.0.0.1:636 - no TLS here";
    let no_start = "failed to initiate TLS processing on an LDAP session to server 127.0.0.1";
    for (config, url, wanted) in [
        ("", "ldaps", no_bind.to_owned()),
        ("ldap_start_tls\n", "ldap", format!("{no_start}:389 - no TLS here")),
        ("ldap_start_tls\n", "ldaps", format!("{no_start}:636 - no TLS here")),
    ] {
        let answer = answer(config, url);
        assert!(answer.ends_with(&wanted), "{answer}");
    }
}
