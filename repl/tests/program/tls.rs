//! TLS, with real clients and servers: what `tests/daemon/tls_*.case` do not show.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common;
use crate::common::onward::exim;
use eximious_tests::daemons::{Client, Daemon, undated, without_ids, without_library};
use eximious_tests::tls::{Wishes, certificates};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// A server with a certificate that takes anything.
const OPEN: &str = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
    tls_verify_certificates = CERTS/ca.pem\nacl_smtp_rcpt = accept\nqueue_only\n";

const ENVELOPE: &[&str] = &["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"];

fn ours(more: &str) -> Daemon {
    Daemon::start(Path::new(OURS), &format!("{OPEN}{more}"), &[])
}

/// A client that is under TLS, and was greeted before.
fn sealed(daemon: &Daemon, wishes: &str) -> Client {
    let mut client = daemon.client();
    client.hear();
    client.go_through(&["EHLO x", "STARTTLS"]);
    let said = client.seal(&Wishes::read(wishes));
    assert!(said.starts_with("(tls "), "{said}");
    client
}

#[test]
fn cve_2026_45185_nothing_in_clear_text_is_read_behind_the_end_of_tls() {
    let daemon = ours("log_selector = +smtp_connection\n");
    for (commands, rest) in [
        (&["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>"][..], "BDAT 20\r\nSubject: "),
        (&["EHLO x"][..], ""),
    ] {
        let mut client = sealed(&daemon, "");
        client.go_through(commands);
        client.send(rest.as_bytes());
        client.unseal();
        client.send(b"x\r\nNOOP\r\nMAIL FROM:<evil@b.test>\r\n");
        let said = client.rest();
        // What comes is the other side's end of TLS, and no reply.
        assert!(!said.windows(4).any(|piece| piece == b"250 " || piece == b"501 "), "{said:?}");
    }
    daemon.await_log(" lost D=");
    assert!(!daemon.log("main").contains("evil"));
    daemon.client().go_through(&["EHLO x", "QUIT"]);
}

#[test]
fn cve_2021_38371_2020_28018_what_comes_with_starttls_is_never_a_command() {
    let daemon = ours("");
    let mut client = daemon.client();
    client.hear();
    client.go_through(&["EHLO x"]);
    // One segment: the rest comes with the command.
    client.send(b"STARTTLS\r\nMAIL FROM:<evil@b.test>\r\n");
    assert_eq!(client.hear(), "220 TLS go ahead\n");
    assert!(client.seal(&Wishes::default()).starts_with("(tls "));
    assert_eq!(client.say("RCPT TO:<c@d.test>"), "503 sender not yet given\n");
    assert!(client.say("MAIL FROM:<a@b.test>").starts_with("503 HELO or EHLO required"));
}

#[test]
fn handshakes_that_go_nowhere_end() {
    let daemon = ours("smtp_receive_timeout = 1s\n");
    // A piece now and then does not prolong it.
    let mut slow = daemon.client();
    slow.hear();
    slow.go_through(&["EHLO x", "STARTTLS"]);
    let start = Instant::now();
    for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".iter().cycle().take(40) {
        slow.send(&[*byte]);
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(slow.rest(), b"");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    daemon.await_log("TLS error on connection from (x) [127.0.0.1] (SSL_accept): timed out");
    // Garbage, and an endless record.
    for garbage in [&b"EHLO x\r\n"[..], &[0xff; 100_000], b"\x16\x03\x01\xff\xff\x01\xff\xff\xff"] {
        let mut client = daemon.client();
        client.hear();
        client.go_through(&["EHLO x", "STARTTLS"]);
        client.send(garbage);
        let _ = client.rest();
    }
    daemon.client().go_through(&["EHLO x", "QUIT"]);
    assert_eq!(daemon.log("panic"), "");
}

#[test]
fn idle_sessions_under_tls_take_little_memory() {
    const COUNT: u64 = 300;
    /// In KiB.
    const MOST: u64 = 160;
    let daemon = ours("smtp_accept_max = 0\nsmtp_connect_backlog = 100\n");
    sealed(&daemon, "").go_through(&["EHLO x", "QUIT"]);
    let before = resident(daemon.pid());
    let mut held: Vec<Client> = Vec::new();
    for _ in 0..COUNT {
        let mut client = sealed(&daemon, "");
        client.go_through(&["EHLO x"]);
        held.push(client);
    }
    let each = resident(daemon.pid()).saturating_sub(before) / COUNT;
    println!("{each} KiB for each of {COUNT} idle sessions under TLS");
    assert!(each <= MOST, "{each} KiB");
    held.iter_mut().step_by(50).for_each(|client| client.go_through(&["NOOP"]));
}

/// The memory of a process that is in use, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

/// The lines of a spool's header file that speak of TLS, and the field `Received:`.
fn kept(daemon: &Daemon) -> String {
    let mut client = sealed(daemon, "cert=client sni=some.test version=1.2");
    client.go_through(ENVELOPE);
    client.send(b"Subject: x\r\n\r\nhello\r\n");
    assert!(client.say(".").starts_with("250 OK"));
    client.go_through(&["QUIT"]);
    let folder = daemon.path().join("spool/input");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let header = names.into_iter().find(|path| path.to_string_lossy().ends_with("-H")).unwrap();
    let text = std::fs::read_to_string(header).unwrap();
    let lines = text.lines().filter(|line| line.contains("-tls_") || line.contains("with esmtps"));
    lines.map(|line| without_library(line) + "\n").collect()
}

#[test]
fn the_spool_tells_of_tls_as_exim_does() {
    let config = "tls_try_verify_hosts = *\n";
    let own = kept(&ours(config));
    for part in ["-tls_certificate_verified", "--tls_peercert -----BEGIN", "--tls_sni some.test"] {
        assert!(own.contains(part), "{own}");
    }
    let Some(exim) = exim() else { return };
    assert_eq!(own, kept(&Daemon::start(Path::new(&exim), &format!("{OPEN}{config}"), &[])));
}

#[test]
fn exim_delivers_to_eximious_over_tls() {
    let Some(exim) = exim() else { return };
    let server = ours("tls_try_verify_hosts = *\nlog_selector = +tls_peerdn\n");
    let config = "tls_advertise_hosts =\nbegin routers\nall:\n driver = manualroute\n \
        route_list = * 127.0.0.1\n self = send\n transport = smtp\nbegin transports\nsmtp:\n \
        driver = smtp\n port = SERVER\n allow_localhost\n hosts_require_tls = *\n \
        tls_verify_hosts = *\n tls_verify_cert_hostnames =\n tls_try_verify_hosts =\n \
        tls_verify_certificates = CERTS/ca.pem\n tls_certificate = CERTS/client.pem\n \
        tls_privatekey = CERTS/client.key\n";
    let config = config.replace("SERVER", &server.port.to_string());
    let client = Daemon::start(Path::new(&exim), &config, &[]);
    let mut child = Command::new(&exim)
        .arg("-C")
        .arg(client.path().join("exim.conf"))
        .args(["-odf", "-f", "a@b.test", "c@d.test"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"Subject: x\n\nhello\n").unwrap();
    child.wait().unwrap();
    client.await_log("Completed");
    let log = client.log("main");
    assert!(log.contains("=> c@d.test R=all T=smtp") && log.contains("CV=yes"), "{log}");
    let log = without_library(&server.log("main"));
    let wanted = "P=esmtps X=TLS1.3:CIPHER:256 CV=yes DN=\"C=GB,O=Test,CN=client.test\"";
    assert!(log.contains(wanted), "{log}");
}

#[test]
fn tools_that_people_use_get_tls() {
    let server = ours("tls_on_connect_ports =\nlog_selector = +tls_sni\n");
    let place = format!("127.0.0.1:{}", server.port);
    let script = format!(
        "(sleep 0.3; printf 'EHLO x\\r\\nQUIT\\r\\n'; sleep 1) | timeout 20 openssl s_client -starttls smtp -connect {place} \
         -CAfile {}/ca.pem -verify_return_error -verify_hostname server.test -quiet -no_ign_eof",
        certificates().display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Hello x [127.0.0.1]"), "{said}{output:?}");
    // In TLS 1.2, a client may ask for another handshake; none is had.
    let script = format!(
        "(sleep 0.3; printf 'R\\n'; sleep 1) | timeout 20 openssl s_client -tls1_2 -starttls smtp \
         -connect {place} 2>&1"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("no renegotiation"), "{said}");
    let mut swaks = Command::new("swaks");
    swaks.args(["--server", &place, "--tls", "--tls-sni", "some.test"]);
    swaks.args(["--ehlo", "x", "--from", "a@b.test", "--to", "c@d.test"]);
    let Ok(output) = swaks.output() else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("TLS not available") || said.contains("not available: requires") {
        return;
    }
    assert!(output.status.success() && said.contains("TLS started with cipher"), "{said}");
    server.await_log("SNI=some.test");
}

#[test]
fn sessions_are_taken_up_again_and_proofs_are_shown() {
    let config = "tls_resumption_hosts = *\ntls_ocsp_file = CERTS/server.ocsp\n\
        log_selector = +tls_resumption\n";
    let config = format!(
        "{config}acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n \
        deny message = r=$tls_in_resumption o=$tls_in_ocsp\n"
    );
    let config = format!("{}{config}", OPEN.replace("acl_smtp_rcpt = accept\n", ""));
    let server = Daemon::start(Path::new(OURS), &config, &[]);
    let folder = tempfile::TempDir::new().unwrap();
    let session = folder.path().join("session").display().to_string();
    let talk = |options: &str| {
        let script = format!(
            "(sleep 0.3; printf 'EHLO x\\r\\nMAIL FROM:<a@b.test>\\r\\nRCPT TO:<c@d.test>\\r\\n'; \
             sleep 0.7; printf 'QUIT\\r\\n'; sleep 0.3) | timeout 20 openssl s_client -ign_eof \
             -starttls smtp -connect 127.0.0.1:{} {options} 2>&1",
            server.port
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let first = talk(&format!("{version} -status -sess_out {session}"));
        assert!(first.contains("OCSP Response Status: successful"), "{version}: {first}");
        assert!(first.contains("550 r=11 o=4"), "{version}: {first}");
        let again = talk(&format!("{version} -sess_in {session}"));
        assert!(again.contains("Reused, TLS"), "{version}: {again}");
        let bits = if version == "-tls1_2" { "550 r=29 o=0" } else { "550 r=31 o=0" };
        assert!(again.contains(bits), "{version}: {again}");
    }
    let log = without_library(&server.log("main"));
    assert_eq!(log.matches(":CIPHER:256* CV=no").count(), 2, "{log}");
    // Nobody else has sessions to take up.
    let other = ours("");
    let mut client = sealed(&other, "version=1.2");
    client.go_through(&["EHLO x", "QUIT"]);
}

/// What is logged of a message that goes along under TLS.
fn cut_through(program: &str, server: u16, transport: &str) -> Vec<String> {
    let config = format!(
        "tls_advertise_hosts =\nacl_smtp_rcpt = rcpt\nlog_selector = +tls_peerdn +tls_sni\n\
         begin acl\nrcpt:\n accept control = cutthrough_delivery\n\
         begin routers\nr:\n driver = manualroute\n transport = t\n \
         route_list = * 127.0.0.1\n self = send\nbegin transports\nt:\n driver = smtp\n \
         allow_localhost\n port = {server}\n {transport}\n"
    );
    let client = Daemon::start(Path::new(program), &config, &[]);
    let mut talk = client.client();
    talk.hear();
    talk.go_through(ENVELOPE);
    talk.send(b"Subject: x\r\n\r\nhello\r\n");
    assert!(talk.say(".").starts_with("250 "));
    talk.go_through(&["QUIT"]);
    client.await_log("Completed");
    let log = client.log("main");
    let line = |line: &str| without_ids(&without_library(undated(line)));
    let told = log.lines().filter(|line| line.contains(" >> ")).map(line);
    told.map(|line| line.split(" C=").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn messages_that_are_cut_through_go_along_under_tls() {
    for (transport, main, logged) in [
        ("tls_sni = some.test", "", "SNI=some.test"),
        ("tls_sni = ü.test", "", "SNI=xn--tda.test"),
        ("protocol = smtps", "tls_on_connect_ports = PORT\n", "CV=no S="),
    ] {
        let server = ours(&format!("{main}log_selector = +tls_sni\n"));
        let own = cut_through(OURS, server.port, transport);
        assert_eq!(own.len(), 1, "{transport}");
        server.await_log("P=esmtps X=TLS1.3");
        let log = server.log("main");
        assert!(log.contains(logged), "{transport}: {log}");
        let Some(exim) = exim() else { continue };
        assert_eq!(own, cut_through(&exim, server.port, transport), "{transport}");
    }
}

#[test]
fn a_connection_is_kept_whatever_options_say_of_its_tls() {
    let server = ours("");
    let config = "tls_advertise_hosts =\nqueue_run_in_order\nbegin routers\nall:\n \
        driver = manualroute\n route_list = * 127.0.0.1\n self = send\n transport = smtp\n\
        begin transports\nsmtp:\n driver = smtp\n port = SERVER\n allow_localhost\n \
        hosts_try_auth = ${if def:tls_out_cipher{*}}\n";
    let client =
        Daemon::start(Path::new(OURS), &config.replace("SERVER", &server.port.to_string()), &[]);
    let file = client.path().join("exim.conf").display().to_string();
    for _ in 0..2 {
        let args = ["-C", &file, "-odq", "-f", "a@b.test", "c@d.test"];
        common::run(OURS, &args, b"Subject: x\n\nhello\n");
    }
    common::run(OURS, &["-C", &file, "-qq"], b"");
    let log = client.log("main");
    assert_eq!(log.matches(" H=127.0.0.1 [127.0.0.1] X=TLS").count(), 1, "{log}");
    assert_eq!(log.matches(" H=127.0.0.1 [127.0.0.1]* X=TLS").count(), 1, "{log}");
}

#[test]
fn a_session_on_a_socket_has_tls() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = format!(
        "spool_directory = {0}\nlog_file_path = {0}/%slog\nkeep_environment =\n\
         primary_hostname = host.test\n{OPEN}",
        folder.path().display()
    );
    let file = folder.path().join("exim.conf");
    std::fs::write(&file, config.replace("CERTS", &certificates().display().to_string())).unwrap();
    for arguments in [&["-bs"][..], &["-tls-on-connect", "-bs"]] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client =
            Client::connect(Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port());
        let socket = OwnedFd::from(listener.accept().unwrap().0);
        let output = socket.try_clone().unwrap();
        let mut child = Command::new(OURS)
            .arg("-C")
            .arg(&file)
            .args(arguments)
            .stdin(socket)
            .stdout(output)
            .spawn()
            .unwrap();
        if arguments.len() == 1 {
            assert!(client.hear().starts_with("220 host.test"));
            client.go_through(&["EHLO x", "STARTTLS"]);
        }
        assert!(client.seal(&Wishes::default()).starts_with("(tls TLSv1.3 server.test)"));
        if arguments.len() > 1 {
            assert!(client.hear().starts_with("220 host.test"));
        }
        client.go_through(&["EHLO x", "MAIL FROM:<a@b.test>", "QUIT"]);
        assert!(child.wait().unwrap().success());
    }
}

/// A configuration that asks a host about a recipient, over TLS.
const ASKS: &str = "acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n \
    warn verify = recipient/callout=5s,no_cache\n \
    warn logwrite = $tls_out_ver dn=$tls_out_peerdn v=$tls_out_certificate_verified \
    sni=$tls_out_sni ${certextract{subject}{$tls_out_ourcert}{$value}{none}} \
    $acl_verify_message\n deny\n\
    event:\n accept logwrite = $event_name $event_data \
    ${certextract{subject}{$tls_out_peercert}}\n\
    begin routers\nr:\n driver = manualroute\n transport = t\n route_list = * 127.0.0.1\n \
    self = send\nbegin transports\nt:\n driver = smtp\n allow_localhost\n port = SERVER\n \
    event_action = ${if match{$event_name}{^tls}{${acl{event}}}}\n";

/// That the transport's action wants no certificate.
const REFUSED: &str = "# refused";

/// Lines of the transport, and what the server that is asked is.
const ASKED: &[(&str, &str)] = &[
    ("", ""),
    ("hosts_avoid_tls = *", ""),
    ("hosts_require_dane = *", ""),
    (REFUSED, ""),
    ("hosts_verify_avoid_tls = *", ""),
    ("tls_verify_hosts = *\n tls_verify_certificates = CERTS/ca.pem", ""),
    ("tls_verify_certificates = CERTS/hashed\n tls_verify_cert_hostnames =", ""),
    ("tls_verify_hosts = *\n tls_verify_certificates = CERTS/other.pem", ""),
    ("tls_verify_hosts = *\n tls_verify_certificates = CERTS/server.pem", ""),
    (
        "tls_verify_hosts = *\n tls_verify_certificates = CERTS/other.pem\n hosts_require_tls = *",
        "",
    ),
    (
        "tls_verify_hosts = *\n tls_verify_certificates = CERTS/other.pem\n \
         tls_tempfail_tryclear = false",
        "",
    ),
    (
        "tls_try_verify_hosts =\n tls_verify_certificates = CERTS/other.pem\n \
         tls_verify_cert_hostnames =",
        "",
    ),
    ("tls_verify_hosts =\n tls_verify_certificates = CERTS/other.pem", ""),
    ("tls_try_verify_hosts =\n tls_verify_certificates =", ""),
    // There is no certificate in it.
    ("tls_verify_certificates = CERTS/client.key\n tls_verify_cert_hostnames =", ""),
    ("helo_data = nofile", ""),
    ("helo_data = nofile\n hosts_require_tls = *", ""),
    ("helo_data = nofile\n tls_tempfail_tryclear = false", ""),
    (
        "tls_certificate = CERTS/client.pem\n tls_privatekey = CERTS/client.key\n \
         tls_sni = some.test",
        "",
    ),
    ("protocol = smtps", ""),
    ("protocol = smtps", "tls_on_connect_ports = PORT\n"),
    ("hosts_require_tls = *", "tls_advertise_hosts =\n"),
];

/// What a program logs that asks a server.
fn asked(program: &str, server: u16, transport: &str) -> Vec<String> {
    let asks = match transport {
        REFUSED => ASKS.replace("event:\n accept", "event:\n accept message = bad\n "),
        _ => ASKS.to_owned(),
    };
    let config = format!("{asks} {transport}\n").replace("SERVER", &server.to_string());
    let config = config.replace("CERTS", &certificates().display().to_string());
    let folder = tempfile::TempDir::new().unwrap();
    let head = format!(
        "spool_directory = {0}\nlog_file_path = {0}/%slog\nkeep_environment =\n\
         primary_hostname = me.test\ntls_advertise_hosts =\n",
        folder.path().display()
    );
    let file = folder.path().join("exim.conf");
    std::fs::write(&file, format!("{head}{config}")).unwrap();
    let file = file.display().to_string();
    let input = b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<no@c.test>\r\nQUIT\r\n";
    let run = common::run(program, &["-C", &file, "-bhc", "192.0.2.1"], input);
    let told = |line: &&str| line.contains("LOG: ") || line.contains("cmdlog: ");
    let plain = |line: &str| {
        // Each library has words of its own for what is wrong with a certificate.
        let line = match line.split_once("(certificate verification failed): ") {
            Some((head, rest)) => match rest.split_once(": callout") {
                Some((_, tail)) => format!("{head}(certificate): callout{tail}"),
                None => format!("{head}(certificate)"),
            },
            None => line.to_owned(),
        };
        without_library(undated(&line)).replace(&server.to_string(), "PORT")
    };
    let mut lines: Vec<String> = run.err.lines().filter(told).map(plain).collect();
    // What an ACL that is called within another logs is told when it has ended.
    lines.sort_by_key(|line| !line.contains("tls:cert"));
    lines
}

#[test]
fn hosts_are_asked_over_tls_as_exim_asks() {
    let server = "tls_certificate = ${if eq{$sender_helo_name}{nofile}{/nowhere}{CERTS/server.pem}}\n\
        tls_privatekey = CERTS/server.key\ntls_try_verify_hosts = *\n\
        tls_verify_certificates = CERTS/ca.pem\nacl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n \
        deny local_parts = no\n";
    let exim = exim();
    for (transport, main) in ASKED {
        let server = server.replace("acl_smtp_rcpt", &format!("{main}acl_smtp_rcpt"));
        // A real Exim is asked, where there is one.
        let program = exim.as_deref().unwrap_or(OURS);
        let daemon = Daemon::start(Path::new(program), &server, &[]);
        let own = asked(OURS, daemon.port, transport);
        // Nothing is said to a host that nobody vouches for.
        let is_silent = transport.contains("dane");
        let told = if is_silent { "DANE error: " } else { "cmdlog: " };
        assert!(own.iter().any(|line| line.contains(told)), "{transport}: {own:#?}");
        let Some(exim) = &exim else { continue };
        let real: Vec<String> = asked(exim, daemon.port, transport);
        // What a connection that failed would have been is nothing to anybody; a real
        // Exim forgets only some of it.
        let without = |lines: Vec<String>| -> Vec<String> {
            let failed = lines.iter().any(|line| line.contains("(certificate)"));
            let failed = failed || *transport == REFUSED;
            let told = |line: &String| !failed || !line.contains(" dn= v=0");
            // The real Exim's library has no word for who refused.
            let told = |line: &String| {
                told(line) && !(*transport == REFUSED && line.contains("TLS session: "))
            };
            lines.into_iter().filter(told).collect()
        };
        assert_eq!(without(own), without(real), "{transport}");
    }
}

#[test]
fn demands_that_nobody_can_look_up_are_no_consent() {
    let server = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
        acl_smtp_rcpt = accept\n";
    let sealing = Daemon::start(Path::new(OURS), server, &[]);
    let open = Daemon::start(Path::new(OURS), "acl_smtp_rcpt = accept\n", &[]);
    let told = |lines: &[String], what: &str| lines.iter().any(|line| line.contains(what));
    for (option, daemon) in [
        ("hosts_require_tls", &open),
        ("hosts_require_auth", &sealing),
        ("hosts_require_dane", &sealing),
        ("hosts_require_ocsp", &sealing),
        ("tls_verify_hosts", &sealing),
        ("tls_alpn = smtp\n hosts_require_alpn", &sealing),
        (
            "tls_verify_hosts = *\n tls_verify_certificates = CERTS/ca.pem\n \
             tls_verify_cert_hostnames",
            &sealing,
        ),
    ] {
        let lines = asked(OURS, daemon.port, &format!("{option} = net-lsearch;/nowhere"));
        let name = option.rsplit(' ').next().unwrap();
        let why = format!("{name} can't be told: failed to open /nowhere for linear search");
        assert!(told(&lines, &why), "{option}: {lines:#?}");
        assert!(!told(&lines, "unencrypted"), "{option}: {lines:#?}");
    }
    for option in ["tls_certificate", "tls_privatekey", "tls_verify_certificates", "tls_crl"] {
        let lines = asked(OURS, sealing.port, &format!("{option} = /nowhere/$domain"));
        assert!(told(&lines, "Tainted filename '/nowhere/c.test'"), "{option}: {lines:#?}");
        let why = format!("{option} can't be told: Tainted filename");
        assert!(told(&lines, &why), "{option}: {lines:#?}");
        assert!(!told(&lines, "unencrypted"), "{option}: {lines:#?}");
    }
    for option in ["hosts_avoid_tls", "tls_try_verify_hosts", "hosts_request_ocsp"] {
        let lines = asked(OURS, sealing.port, &format!("{option} = net-lsearch;/nowhere"));
        assert!(told(&lines, "TLS1.3 dn="), "{option}: {lines:#?}");
    }
    for (option, line) in [
        ("tls_sni = ${if eq{1}", "expansion of tls_out_sni failed: missing 2nd string in {}"),
        ("tls_crl = ${if eq{1}", "expansion of tls_crl failed: missing 2nd string in {}"),
        (
            "tls_verify_certificates = /nowhere/$host/$host_address",
            "could not stat '/nowhere/127.0.0.1/127.0.0.1' (tls_verify_certificates): \
             No such file or directory",
        ),
    ] {
        let lines = asked(OURS, sealing.port, option);
        assert!(told(&lines, line), "{option}: {lines:#?}");
    }
}

#[test]
fn cve_2021_38371_what_a_server_says_before_tls_is_no_reply_behind_it() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let hear = |socket: &mut dyn Read| {
            let mut bytes = [0; 1024];
            let count = socket.read(&mut bytes).unwrap_or(0);
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        };
        socket.write_all(b"220 hi\r\n").unwrap();
        hear(&mut socket);
        socket.write_all(b"250-me\r\n250 STARTTLS\r\n").unwrap();
        hear(&mut socket);
        // Whoever stands in between adds replies of his own.
        socket.write_all(b"220 go\r\n250-evil\r\n250 DSN\r\n250 evil\r\n250 evil\r\n").unwrap();
        hear(&mut socket)
    });
    let lines = asked(OURS, port, "hosts_require_tls = *");
    // TLS is not begun, and the sender not named.
    assert_eq!(server.join().unwrap(), "");
    let why = "synch error before connect";
    assert!(lines.iter().any(|line| line.contains(why)), "{lines:#?}");
}
