//! TLS with programs of other makers: versions and ciphers both ways, verdicts of Postfix, and
//! hosts whose handshake comes to nothing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use eximious_tests::daemons::Daemon;
use eximious_tests::tls::certificates;
use eximious_tests::{network, servers};

use super::common;
use super::common::started::{Started, started};
use crate::common::onward::exim;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// A server with a certificate of each kind.
const SERVER: &str = "tls_certificate = CERTS/server.pem:CERTS/rsa.pem\n\
    tls_privatekey = CERTS/server.key:CERTS/rsa.key\nacl_smtp_rcpt = accept\nqueue_only\n";

/// A client that has its own ideas of TLS: what it is called with, and what it says then;
/// nothing where it gets no TLS.
const WISHES: &[(&str, &str)] = &[
    ("openssl -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    ("openssl -tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("openssl -tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    ("openssl -tls1_3 -groups X25519", "X25519"),
    ("openssl -tls1_3 -groups P-384", "secp384r1"),
    ("openssl -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("openssl -tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("openssl -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    ("openssl -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"),
    ("openssl -tls1_2 -cipher NULL@SECLEVEL=0", ""),
    ("openssl -tls1_1 -cipher ALL@SECLEVEL=0", ""),
    ("openssl -tls1 -cipher ALL@SECLEVEL=0", ""),
    ("gnutls NORMAL", "TLS1.3"),
    ("gnutls NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS1.2"),
    ("gnutls NORMAL:-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256", "(ECDSA-SECP256R1-SHA256)"),
    ("gnutls NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", "CHACHA20-POLY1305"),
    ("gnutls NORMAL:-CIPHER-ALL:+AES-128-GCM", "AES-128-GCM"),
    ("gnutls NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA", "ECDHE-SECP256R1)-(RSA"),
    ("gnutls NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA", "DHE-FFDHE2048)-(RSA"),
    ("gnutls NORMAL:-VERS-ALL:+VERS-TLS1.0:-SIGN-ALL:+SIGN-RSA-SHA1", ""),
    ("swaks tlsv1_3", "TLSv1.3"),
    ("swaks tlsv1_2", "TLSv1.2"),
];

#[test]
fn clients_of_others_agree_on_versions_and_ciphers() {
    let programs = ["openssl", "gnutls-cli", "swaks"].map(servers::program);
    let [Some(_), Some(_), Some(_)] = programs else { return };
    let daemon = Daemon::start(Path::new(OURS), SERVER, &[]);
    let (port, ca) = (daemon.port, certificates().join("ca.pem").display().to_string());
    for (wish, cipher) in WISHES {
        let (program, how) = wish.split_once(' ').expect("a program");
        let script = match program {
            "openssl" => format!(
                "(sleep 0.2; printf 'QUIT\\r\\n'; sleep 0.2) | timeout 20 openssl s_client \
                 -ign_eof -starttls smtp -CAfile {ca} -connect 127.0.0.1:{port} {how} 2>&1"
            ),
            // It takes the one certificate or the other.
            "gnutls" => format!(
                "for name in server.test rsa.test; do (sleep 0.2; printf 'QUIT\\r\\n') | \
                 timeout 20 gnutls-cli --starttls-proto=smtp --x509cafile={ca} \
                 --verify-hostname=$name --priority={how} --port={port} 127.0.0.1 2>&1; done"
            ),
            _ => format!(
                "timeout 20 swaks --server 127.0.0.1:{port} --tls --tls-protocol {how} \
                 --to a@b.test \
                 --quit-after RCPT 2>&1"
            ),
        };
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let agreed = match program {
            "openssl" => said.contains("Verify return code: 0 (ok)") && said.contains("221 "),
            "gnutls" => said.contains("certificate is trusted") && said.contains("221 "),
            _ => said.contains("=== TLS started ") && said.contains(" Accepted"),
        };
        assert_eq!(agreed, !cipher.is_empty(), "{wish}: {said}");
        assert!(said.contains(cipher), "{wish}: {said}");
    }
}

/// What a real Exim (GnuTLS) wants as the server, and what comes of it.
const SERVED: &[(&str, &str)] = &[
    ("NORMAL", " X=TLS1.3:"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2", " X=TLS1.2:"),
    ("NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", "CHACHA20_POLY1305"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM", "AES128-GCM"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA", ":DHE-RSA-"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.0", ""),
];

/// What one delivery to a port logs.
fn delivered(port: u16, transport: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let at = folder.path().display().to_string();
    common::run("chown", &["Debian-exim", &at], b"");
    common::run("chmod", &["a+rx", &at], b"");
    let config = format!(
        "spool_directory = {at}\nlog_file_path = {at}/%slog\nkeep_environment =\n\
         primary_hostname = me.test\ntls_advertise_hosts =\nacl_not_smtp = accept\n\
         begin routers\nr:\n driver = manualroute\n transport = t\n route_list = * 127.0.0.1\n \
         self = send\nbegin transports\nt:\n driver = smtp\n allow_localhost\n port = {port}\n \
         hosts_try_fastopen =\n {transport}\nbegin retry\n* * F,1h,10m\n"
    );
    let file = folder.path().join("exim.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(OURS);
    command.arg("-C").arg(&file).args(["-odf", "-f", "<>", "a@b.test"]);
    common::fed(&mut command, b"Subject: x\n\nx\n");
    std::fs::read_to_string(folder.path().join("mainlog")).unwrap_or_default()
}

#[test]
fn a_host_of_others_gets_what_it_wants() {
    let Some(exim) = exim() else { return };
    for (priorities, shown) in SERVED {
        let config = format!("tls_require_ciphers = {priorities}\n{SERVER}");
        let daemon = Daemon::start(Path::new(&exim), &config, &[]);
        let log = delivered(daemon.port, "hosts_require_tls = *");
        match shown.is_empty() {
            true => assert!(log.contains(" == a@b.test "), "{priorities}: {log}"),
            false => assert!(log.contains(" => ") && log.contains(shown), "{priorities}: {log}"),
        }
    }
}

/// Beginnings of records under TLS, in place of a server's part of the handshake.
const RECORDS: &[&[u8]] = &[
    b"",
    b"\x16",
    b"\x16\x03\x03\x00",
    b"\x16\x03\x03\xff\xff",
    b"\x16\x03\x03\x00\x04\x02\x00\x00",
    b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
    b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x15\x03\x03\x00\x02\x01\x00",
    b"\x17\x03\x03\x00\x01\x00",
    b"\x14\x03\x03\x00\x01\x01",
    b"220 go\r\n250 ok\r\n",
    &[0x80; 64],
];

#[test]
fn hosts_whose_handshake_comes_to_nothing_are_left() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Each is said once by a host that closes then, and once by one that waits.
    let turns = RECORDS.iter().flat_map(|record| [(*record, false), (*record, true)]);
    let turns: Vec<(&[u8], bool)> = turns.collect();
    let served = turns.clone();
    let server = thread::spawn(move || {
        let mut waiting = Vec::new();
        for (record, waits) in served {
            let (mut socket, _) = listener.accept().unwrap();
            let mut hear = [0; 1024];
            socket.write_all(b"220 hi\r\n").unwrap();
            let _ = socket.read(&mut hear);
            socket.write_all(b"250-me\r\n250 STARTTLS\r\n").unwrap();
            let _ = socket.read(&mut hear);
            socket.write_all(b"220 go\r\n").unwrap();
            let _ = socket.read(&mut hear);
            let _ = socket.write_all(record);
            if waits {
                waiting.push(socket);
            }
        }
    });
    for (record, waits) in turns {
        let began = Instant::now();
        let log = delivered(port, "hosts_require_tls = *\n command_timeout = 1s");
        assert!(
            log.contains(" == a@b.test ") && log.contains("TLS session: "),
            "{record:?}: {log}"
        );
        assert!(!log.contains(" => "), "{record:?}: {log}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(4), "{record:?}, waits: {waits}: {took:?}");
    }
    server.join().unwrap();
}

/// A server of somebody else's, which runs for as long as the test.
fn serving(command: &mut Command, port: u16) -> Started {
    let running = started(command.stdin(Stdio::null()));
    let until = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < until, "nobody listens");
        thread::sleep(Duration::from_millis(20));
    }
    running
}

/// Postfix's sink, by itself and behind a proxy (dante).
#[test]
fn a_sink_swallows_what_comes_by_a_proxy_and_what_does_not() {
    let Some(finger) = servers::program(POSTFIX) else { return };
    let [sink, proxy] = [servers::free_port(), servers::free_port()];
    let libraries = finger.ancestors().nth(2).unwrap().join("lib/postfix");
    let mut command = Command::new(finger.with_file_name("smtp-sink"));
    command.args(["-u", "mail", "-h", "sink.test", &format!("127.0.0.1:{sink}"), "10"]);
    let _sink = serving(command.env("LD_LIBRARY_PATH", libraries), sink);
    let log = delivered(sink, "");
    assert!(log.contains(" => a@b.test ") && log.contains(" C=\"250 2.0.0 Ok\""), "{log}");
    let Some(dante) = servers::program("danted") else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("danted.conf");
    let text = format!(
        "logoutput: {0}/log\ninternal: 127.0.0.1 port = {proxy}\nexternal: 127.0.0.1\n\
         socksmethod: none\nclientmethod: none\nuser.privileged: root\nuser.unprivileged: nobody\n\
         client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n\
         socks pass {{ from: 127.0.0.0/8 to: 127.0.0.0/8 port = {sink} }}\n\
         socks block {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}\n",
        folder.path().display()
    );
    std::fs::write(&file, text).unwrap();
    let pid = folder.path().join("pid");
    let mut command = Command::new(dante);
    let _proxy = serving(command.arg("-f").arg(&file).arg("-p").arg(pid), proxy);
    let by_proxy = format!("socks_proxy = 127.0.0.1 port={proxy}");
    let log = delivered(sink, &by_proxy);
    assert!(log.contains(" => a@b.test ") && log.contains(" C=\"250 2.0.0 Ok\""), "{log}");
    // What the proxy forbids is put off.
    let log = delivered(servers::free_port(), &by_proxy);
    assert!(log.contains(" == a@b.test ") && !log.contains(" => "), "{log}");
}

/// Where `tests/setup` lays Postfix, which can't be installed beside Exim.
pub(super) const POSTFIX: &str = "/usr/local/lib/eximious-tests/*/usr/sbin/posttls-finger";

#[test]
fn postfix_finds_what_the_dns_says_of_certificates() {
    let all = [servers::program(POSTFIX), servers::program("nsd")];
    if common::reference().is_some() && all.iter().all(Option::is_some) {
        network::run("peers::inside", "");
    }
}

const NAME_SERVER: &str = "server:\n  ip-address: 127.0.0.1@5353\n  zonesdir: \"DIR\"\n  \
    pidfile: \"DIR/nsd.pid\"\n  xfrdfile: \"DIR/xfrd\"\n  zonelistfile: \"DIR/zones\"\n  \
    username: \"\"\n  database: \"\"\n  server-count: 1\nremote-control:\n  control-enable: no\n\
    zone:\n  name: test\n  zonefile: test.zone\n";

/// Passes questions on to the name server, and says that it has checked the signatures.
fn vouch() {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("port 53");
    thread::spawn(move || {
        let other = UdpSocket::bind("127.0.0.1:0").expect("a port");
        other.set_read_timeout(Some(Duration::from_secs(1))).expect("a time");
        let mut message = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            let _ = other.send_to(&message[..length], "127.0.0.1:5353");
            if let Ok(length) = other.recv(&mut message) {
                message[3] |= 0x20;
                let _ = socket.send_to(&message[..length], from);
            }
        }
    });
}

/// What writes the key of the test's own certificate.
pub(super) const KEY: &str =
    "openssl x509 -in FILE -pubkey -noout | openssl pkey -pubin -outform DER";

/// The SHA-256 of what a command writes about the test's own certificate.
pub(super) fn digest(part: &str) -> String {
    let file = certificates().join("server.pem").display().to_string();
    let script = format!("{} | openssl sha256 | awk '{{print $2}}'", part.replace("FILE", &file));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Has a zone answered, as if its signatures were checked, for as long as this is kept.
pub(super) fn answering(folder: &Path, zone: &str) -> Started {
    network::set_up(folder, &[("/etc/resolv.conf", "nameserver 127.0.0.1\noptions trust-ad\n")]);
    std::fs::write(folder.join("test.zone"), zone).unwrap();
    let zones = folder.join("nsd.conf");
    std::fs::write(&zones, NAME_SERVER.replace("DIR", folder.to_str().unwrap())).unwrap();
    let nsd = servers::program("nsd").unwrap();
    let names = started(Command::new(nsd).arg("-d").arg("-c").arg(zones));
    vouch();
    names
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the other starts it"]
fn inside() {
    let Some(_) = network::purpose() else { return };
    let finger = servers::program(POSTFIX).expect("Postfix");
    let folder = tempfile::tempdir().unwrap();
    let key = digest(KEY);
    let whole = digest("openssl x509 -in FILE -outform DER");
    let bad = digest("echo bad");
    let mut zone = String::from(
        "$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. 1 60 60 60 60\n@ NS ns.test.\n\
         ns A 127.0.0.1\n",
    );
    let hosts = [("key", "3 1 1", &key), ("whole", "3 0 1", &whole), ("bad", "3 1 1", &bad)];
    for (name, how, digest) in hosts {
        zone += &format!(
            "{name} MX 1 {name}\n{name} A 127.0.0.1\n_25._tcp.{name} TLSA {how} {digest}\n"
        );
    }
    let _names = answering(folder.path(), &zone);
    let _daemon =
        Daemon::start(Path::new(OURS), SERVER, &["-bdf", "-oX", "127.0.0.1.25 : 127.0.0.1.PORT"]);
    std::fs::write(
        folder.path().join("main.cf"),
        "compatibility_level = 3.6\nmail_owner = mail\nsetgid_group = daemon\n\
         inet_protocols = ipv4\n",
    )
    .unwrap();
    let libraries = finger.ancestors().nth(2).unwrap().join("lib/postfix");
    for (domain, verdict) in [
        ("key.test", "Verified TLS connection established"),
        ("whole.test", "Verified TLS connection established"),
        ("bad.test", "certificate verification failed"),
    ] {
        let mut command = Command::new(&finger);
        command.args(["-t", "10", "-l", "dane", "-L", "summary,verbose", domain]);
        command.env("MAIL_CONFIG", folder.path()).env("LD_LIBRARY_PATH", &libraries);
        let output = command.output().unwrap();
        let bytes = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&bytes);
        assert!(said.contains(verdict), "{domain}: {said}");
    }
}
