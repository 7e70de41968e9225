//! A real Exim at the other end, both ways: what the two ends log of TLS is what two real ones
//! log of each other.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use eximious_tests::daemons::{Daemon, undated, without_ids, without_library};

use super::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// What each server has.
const SERVER: &str = "acl_smtp_rcpt = accept\nqueue_only\n\
    log_selector = +tls_sni +tls_peerdn +tls_certificate_verified\n\
    tls_verify_certificates = CERTS/ca.pem\n";

const ECDSA: &str = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n";
const RSA: &str = "tls_certificate = CERTS/rsa.pem\ntls_privatekey = CERTS/rsa.key\n";
const NAMED: &str = "tls_certificate = CERTS/${if eq{$tls_in_sni}{sni.test}{sni}{server}}.pem\n\
    tls_privatekey = CERTS/${if eq{$tls_in_sni}{sni.test}{sni}{server}}.key\n";

/// What each client has.
const CLIENT: &str = "tls_advertise_hosts =\nlog_selector = +tls_sni +tls_peerdn -smtp_confirmation\n\
    begin routers\nall:\n driver = manualroute\n \
    route_list = * 127.0.0.1\n self = send\n transport = smtp\nbegin transports\nsmtp:\n \
    driver = smtp\n port = SERVER\n allow_localhost\n hosts_try_fastopen =\n \
    hosts_try_chunking =\n tls_verify_cert_hostnames =\n";

const CLIENT_END: &str = "begin retry\n* * F,1h,10m\n";

const KNOWN: &str = " tls_certificate = CERTS/client.pem\n tls_privatekey = CERTS/client.key\n";
const STRANGE: &str =
    " tls_certificate = CERTS/stranger.pem\n tls_privatekey = CERTS/stranger.key\n";
const CHECKS: &str = " tls_verify_hosts = *\n tls_verify_certificates = CERTS/ca.pem\n";
const WRONG: &str = " tls_verify_hosts = *\n tls_verify_certificates = CERTS/other.pem\n";
const TRIES: &str = " tls_try_verify_hosts = *\n tls_verify_certificates = CERTS/other.pem\n";
const NEEDS: &str = " hosts_require_tls = *\n";
const TRY: &str = "tls_try_verify_hosts = *\n";
const MUST: &str = "tls_verify_hosts = *\n";
const AT_ONCE: &str = "tls_on_connect_ports = PORT\n";

/// What the server and the client have beside that, cell by cell.
const CELLS: &[(&str, &[&str], &[&str])] = &[
    ("ECDSA", &[ECDSA], &[]),
    ("RSA", &[RSA], &[]),
    ("ECDSA checked", &[ECDSA], &[CHECKS, NEEDS]),
    ("RSA checked", &[RSA], &[CHECKS, NEEDS]),
    ("wrong authority", &[ECDSA], &[WRONG, NEEDS]),
    ("wrong authority, in clear", &[ECDSA], &[WRONG]),
    ("wrong authority, tried", &[ECDSA], &[TRIES]),
    ("tried and shown", &[ECDSA, TRY], &[KNOWN]),
    ("tried and not shown", &[ECDSA, TRY], &[]),
    ("tried and strange", &[ECDSA, TRY], &[STRANGE]),
    ("required and shown", &[ECDSA, MUST], &[KNOWN, NEEDS]),
    ("required and shown over RSA", &[RSA, MUST], &[KNOWN, NEEDS]),
    ("required and not shown", &[ECDSA, MUST], &[NEEDS]),
    ("required and not shown, in clear", &[ECDSA, MUST], &[]),
    ("at once", &[ECDSA, AT_ONCE], &[" protocol = smtps\n"]),
    ("at once and checked", &[RSA, AT_ONCE, TRY], &[" protocol = smtps\n", KNOWN, CHECKS]),
    ("a name", &[NAMED], &[" tls_sni = sni.test\n", CHECKS]),
    ("another name", &[NAMED], &[" tls_sni = no.test\n", CHECKS]),
    ("the sender refused", &[ECDSA, "acl_smtp_mail = deny\n"], &[CHECKS]),
    ("the message refused", &[RSA, "acl_smtp_data = deny\n"], &[]),
    ("refused in clear", &["tls_advertise_hosts =\nacl_smtp_data = deny\n"], &[]),
    ("no TLS asked for", &[ECDSA], &[" hosts_avoid_tls = *\n"]),
    ("no TLS there", &["tls_advertise_hosts =\n"], &[NEEDS]),
];

/// How each kind of program is told of versions and ciphers: a real Exim has GnuTLS, ours has
/// OpenSSL.
const CIPHERS: &[(&str, [&str; 2])] = &[
    ("1.2", ["NORMAL:-VERS-ALL:+VERS-TLS1.2", "ECDHE+AESGCM"]),
    ("128", ["NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM", "ECDHE+AES128+AESGCM"]),
];

/// What ours needs beside that: its rules for ciphers say nothing of versions.
const OLD: &str = "openssl_options = +no_tlsv1_3\n";

/// What a server and a client log of one message between them. The client has main options, and
/// some of its transport.
fn between(programs: [&Path; 2], server: &str, client: [&str; 2]) -> String {
    let server = Daemon::start(programs[0], &format!("{SERVER}{server}"), &[]);
    let text = CLIENT.replace("SERVER", &server.port.to_string());
    let [main, transport] = client;
    let text = format!("{main}{text}{transport}{CLIENT_END}");
    let client = Daemon::start(programs[1], &text, &[]);
    let mut command = Command::new(programs[1]);
    command.arg("-C").arg(client.path().join("exim.conf"));
    command.args(["-odf", "-f", "a@b.test", "c@d.test"]);
    common::fed(&mut command, b"Subject: x\n\nhello\n");
    // The server logs the end of a session a moment later.
    sleep(Duration::from_millis(100));
    let [heard, said] = [&server, &client].map(|daemon| {
        let port = server.port.to_string();
        let log = daemon.log("main").replace(&port, "PORT");
        let lines = log.lines().map(undated).map(without_ids).map(|line| without_library(&line));
        lines.filter_map(|line| told(&line)).collect::<Vec<_>>().join("\n")
    });
    format!("server: {heard}\nclient: {said}\n")
}

/// What a line tells of the message's fate, and of TLS. At which point of a handshake a library
/// finds what is wrong, and whether the other end hears of it, is its own.
fn told(line: &str) -> Option<String> {
    let marks = [" => ", " == ", " ** ", "delivering unencrypted", " <= a@b.test H="];
    if !marks.iter().any(|mark| line.contains(mark)) {
        return None;
    }
    let reason = "(certificate verification failed)";
    let mut line = line.to_owned();
    if let Some((head, why)) = line.split_once(reason) {
        let rest = why.find(": delivering").map_or("", |at| &why[at..]);
        line = format!("{head}{reason}{rest}");
    }
    let sizes = ["S=", "SIZE=", "id="];
    let words = line.split(' ').filter(|word| !sizes.iter().any(|size| word.starts_with(size)));
    Some(words.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_real_exim_is_understood_both_ways() {
    let Some(exim) = common::reference() else { return };
    let exim = Path::new(&exim);
    let ours = Path::new(OURS);
    let mut differences = String::new();
    let mut look = |name: &str, real: &str, way: &str, mixed: &str| {
        if real != mixed {
            let changes = similar::TextDiff::from_lines(real, mixed).unified_diff().to_string();
            differences += &format!("== {name}, {way}\n{changes}");
        }
    };
    for (name, server, client) in CELLS {
        let [server, client] = [server, client].map(|parts| parts.concat());
        let real = between([exim, exim], &server, ["", &client]);
        assert!([" => ", " == ", " ** "].iter().any(|mark| real.contains(mark)), "{name}: {real}");
        look(name, &real, "server", &between([ours, exim], &server, ["", &client]));
        // GnuTLS shows no certificate of an authority that the server does not name.
        if !client.contains(STRANGE) {
            look(name, &real, "client", &between([exim, ours], &server, ["", &client]));
        }
    }
    for (name, [gnutls, openssl]) in CIPHERS {
        for certificate in [ECDSA, RSA] {
            let rule = |text: &str| format!("tls_require_ciphers = {text}\n");
            let server = |text: &str| format!("{certificate}{}", rule(text));
            let real = between([exim, exim], &server(gnutls), ["", ""]);
            assert!(real.contains("X=TLS1.2:"), "{name}: {real}");
            let own = format!("{OLD}{}", server(openssl));
            look(name, &real, "server", &between([ours, exim], &own, ["", ""]));
            let client = |text: &str| format!(" {}{CHECKS}{NEEDS}", rule(text));
            let real = between([exim, exim], certificate, ["", &client(gnutls)]);
            assert!(real.contains("X=TLS1.2:"), "{name}: {real}");
            let mixed = between([exim, ours], certificate, [OLD, &client(openssl)]);
            look(name, &real, "client", &mixed);
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
