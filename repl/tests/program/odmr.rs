//! ATRN (RFC 2645): a customer asks its provider for mail, and gets it over the same connection.
//! What is expected here was heard from a real Exim 4.100.1, in both parts, against this
//! program and itself; the one that the tests have is older.

use std::path::Path;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY, undated, without_ids};
use eximious_tests::next_host::NextHost;
use eximious_tests::submission;

use crate::common::spool::Place;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const PROVIDER: &str = "acl_smtp_atrn = ${if !eq{$sender_helo_name}{stranger}{atrn}{}}\n\
    acl_smtp_rcpt = accept\nqueue_only\nlog_selector = +all\nTLS\n\
    begin acl\natrn:\n\
    \x20warn set acl_m0 = one.test : sub.one.test\n\
    \x20deny condition = ${if eq{$smtp_command_argument}{deny}}\n\
    \x20accept condition = ${if eq{$smtp_command_argument}{blind}}\n\
    \x20defer condition = ${if eq{$smtp_command_argument}{tainted}}\n\
    \x20 !atrn_domains = $smtp_command_argument\n\
    \x20defer condition = ${if eq{$smtp_command_argument}{none}}\n\
    \x20 !atrn_domains = none.test\n  message = 453 You have no mail\n\
    \x20defer condition = ${if !eq{$smtp_command_argument}{none}}\n\
    \x20 !atrn_domains = $acl_m0\n  message = 453 You have no mail\n\
    \x20accept\n\
    begin routers\n\
    customer:\n driver = manualroute\n route_data = <;$atrn_host\n self = send\n\
    \x20transport = customer\n\
    alias:\n driver = redirect\n local_parts = alias\n data = :defer: not now\n allow_defer\n\
    others:\n driver = accept\n transport = box\n\
    begin transports\n\
    customer:\n driver = smtp\n hosts_try_fastopen =\n connection_max_messages = 1\n\
    \x20headers_add = X-Mode: $atrn_mode $smtp_command_argument\n\
    box:\n driver = appendfile\n file = /dev/null\n user = Debian-exim\n\
    begin retry\n* * F,2h,10m\n\
    begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n\
    \x20server_condition = ${if eq{$auth3}{secret}}\n server_set_id = $auth2\n";

const CUSTOMER: &str = "keep_environment =\nprimary_hostname = customer.test\n\
    spool_directory = DIR/spool\nlog_file_path = DIR/%slog\nqueue_only\ntls_advertise_hosts =\n\
    acl_smtp_rcpt = rcpt\nlog_selector = +all -millisec -pid\n\
    begin acl\nrcpt:\n\
    \x20deny local_parts = refused\n\
    \x20accept logwrite = $atrn_mode $atrn_host $sender_host_address ${if def:tls_in_cipher{under TLS}}\n\
    begin routers\n\
    provider:\n driver = manualroute\n condition = ${if eq{$atrn_mode}{C}}\n\
    \x20route_data = <;$domain\n self = send\n transport = provider\n\
    here:\n driver = accept\n transport = box\n\
    begin transports\n\
    provider:\n driver = smtp\n port = PORT\n hosts_try_auth = *\n hosts_try_fastopen =\n MORE\n\
    box:\n driver = appendfile\n file = /dev/null\n user = Debian-exim\n\
    begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n\
    \x20client_send = ^user^secret\n";

fn provider(tls: &str) -> Daemon {
    let daemon = Daemon::start(Path::new(OURS), &PROVIDER.replace("TLS", tls), &[]);
    for to in ["a@one.test", "refused@ONE.test", "b@sub.one.test b@other.test", "c@other.test"] {
        let mut client = daemon.client();
        client.hear();
        client.say("EHLO x");
        client.say("MAIL FROM:<s@from.test>");
        for one in to.split(' ') {
            client.say(&format!("RCPT TO:<{one}>"));
        }
        client.say("DATA");
        let said = client.say("Subject: x\r\n\r\ntext\r\n.");
        assert!(said.starts_with("250 "), "{said}");
    }
    daemon
}

/// What a customer of ours logs, and its status.
fn fetch(daemon: &Daemon, more: &str, domains: &str) -> (Option<i32>, String, Vec<String>) {
    let port = daemon.client().stream().peer_addr().unwrap().port();
    fetch_at(port, more, domains)
}

/// The same, of whoever listens at a port.
fn fetch_at(port: u16, more: &str, domains: &str) -> (Option<i32>, String, Vec<String>) {
    let place = Place::new("");
    let directory = place.directory.path().display().to_string();
    let port = port.to_string();
    let config = CUSTOMER.replace("DIR", &directory).replace("PORT", &port).replace("MORE", more);
    std::fs::write(&place.config, config).unwrap();
    let run = place.ours(&["-atrn", "127.0.0.1", domains], "");
    let log = std::fs::read_to_string(place.path("mainlog")).unwrap_or_default();
    let log = log.replace(&port, "PORT");
    let lines = log.lines().filter(|line| !line.contains("cwd="));
    let words = lines.map(|line| {
        let line = without_ids(undated(line));
        let words = line.split(' ').filter(|word| !word.contains("=0s") && !word.contains("Ci="));
        words.collect::<Vec<_>>().join(" ")
    });
    (run.status, run.err, words.collect())
}

fn waiting(daemon: &Daemon) -> String {
    let config = daemon.path().join("exim.conf").display().to_string();
    let run = crate::common::run(OURS, &["-C", &config, "-bp"], b"");
    let lines = run.out.lines().map(str::trim).filter(|line| line.contains('@'));
    let mut lines: Vec<&str> = lines.filter(|line| !line.contains('<')).collect();
    lines.sort_unstable();
    lines.join(" ")
}

/// The log of a daemon, once the last run of its queue has ended.
fn log_of(daemon: &Daemon) -> String {
    let begin = Instant::now();
    loop {
        let log = daemon.log("main");
        let [began, ended] = ["Start ODMR", "End queue run"].map(|text| log.matches(text).count());
        if began == ended || begin.elapsed() > READY {
            return log;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_ready() -> bool {
    match submission::lacking() {
        Some(why) => {
            println!("LEFT OUT: {why}");
            false
        }
        None => true,
    }
}

#[test]
fn customers_get_what_is_theirs() {
    if !is_ready() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -keyout key.pem -out cert.pem -days 30 -subj /CN=provider.test && chmod a+r *";
    let made = std::process::Command::new("sh")
        .args(["-c", script])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let own = directory.path().display();
    let tls = format!(
        "tls_advertise_hosts = *\ntls_certificate = {own}/cert.pem\n\
         tls_privatekey = {own}/key.pem\n"
    );
    for (tls, more, under) in [
        ("tls_advertise_hosts =\n", "", ""),
        (
            &tls[..],
            "hosts_require_tls = *\n tls_verify_hosts =\n hosts_request_ocsp =",
            "under TLS",
        ),
    ] {
        let daemon = provider(tls);
        let (status, said, log) = fetch(&daemon, more, "one.test,sub.one.test");
        assert_eq!((status, said.as_str()), (Some(0), ""), "{log:?}");
        let accepted = format!("C 127.0.0.1 127.0.0.1 {under}");
        let rcpt = log.iter().filter(|line| line.trim_end() == accepted.trim_end());
        assert_eq!(rcpt.count(), 2, "{log:?}");
        assert_eq!(
            log.first().map(String::as_str),
            Some("SMTP connection from [127.0.0.1]:PORT (ODMR customer)")
        );
        assert_eq!(log.iter().filter(|line| line.contains("<= s@from.test")).count(), 2, "{log:?}");
        let end = "SMTP connection from (host.test) [127.0.0.1]:PORT (ODMR customer) closed by \
            QUIT";
        assert_eq!(log.last().unwrap().replace(" D=1s", ""), end, "{log:?}");
        let told = log_of(&daemon);
        assert_eq!(told.matches("=> a@one.test").count(), 1, "{told}");
        assert_eq!(told.matches("=> b@sub.one.test").count(), 1, "{told}");
        // A message that nobody wants does not end it, and its sender hears of it; what it was
        // in with stays.
        assert_eq!(told.matches("** refused@one.test").count(), 1, "{told}");
        assert!(!told.contains("b@other.test F="), "{told}");
        assert!(told.contains(" -qq -Rr @(one.test|sub.one.test)"), "{told}");
        let reused = told.lines().filter(|line| line.contains(" => ")).filter(|line| {
            line.split(' ').any(|word| word.starts_with("[127.0.0.1]") && word.ends_with('*'))
        });
        assert!(reused.count() >= 1, "{told}");
        assert_eq!(waiting(&daemon), "D b@sub.one.test b@other.test c@other.test s@from.test");
    }
}

#[test]
fn who_may_have_nothing_is_told_so() {
    if !is_ready() {
        return;
    }
    let daemon = provider("tls_advertise_hosts =\n");
    let said = |hello: &str, before: &[&str], line: &str| {
        let mut client = daemon.client();
        client.hear();
        let hello = client.say(&format!("EHLO {hello}"));
        before.iter().for_each(|line| drop(client.say(line)));
        (hello.contains("ATRN"), client.say(line), client.say("NOOP"))
    };
    let known = "AUTH PLAIN AHVzZXIAc2VjcmV0";
    for (before, line, answer) in [
        (&[][..], "ATRN", "530 ATRN is not permitted without authentication"),
        (&[known, "MAIL FROM:<>"], "ATRN", "503 ATRN is not permitted inside a transaction"),
        (&[known], "ATRN deny", "450 Administrative prohibition"),
        (&[known], "ATRN none", "453 You have no mail"),
        (&[known], "ATRN blind", "453 You have no mail"),
        (&[known], "ATRN tainted", "451 Temporary local problem - please try later"),
    ] {
        let (offered, heard, after) = said("known", before, line);
        assert!(offered);
        assert_eq!((heard.trim_end(), after.trim_end()), (answer, "250 OK"), "{line}");
    }
    let (offered, heard, _) = said("stranger", &[known], "ATRN");
    assert!(!offered && heard.starts_with("502 "), "{heard}");
    let (status, told, log) = fetch(&daemon, "", "deny");
    assert_eq!((status, log), (Some(0), Vec::new()), "{told}");
    // The port is that of nobody.
    let (status, told, _) = fetch(
        &daemon,
        "connect_timeout = 1s\n hosts = 127.0.0.9\n \
        hosts_override",
        "x",
    );
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("no mail by ATRN: 127.0.0.9 [127.0.0.9]"), "{told}");
    for args in [&["-atrn"][..], &["-atrn", "host"]] {
        let run = crate::common::run(OURS, args, b"");
        assert_eq!(run.status, Some(1));
        assert!(run.err.contains("host and domainlist expected after -atrn"), "{}", run.err);
    }
    assert_eq!(log_of(&daemon).matches("Start ODMR").count(), 0);
    // A customer that goes away loses nothing.
    let mut client = daemon.client();
    client.hear();
    client.say("EHLO x");
    client.say(known);
    let turned = client.say("ATRN");
    assert_eq!(turned.trim_end(), "250 ODMR provider turning line around");
    drop(client);
    daemon.await_log("End queue run");
    assert_eq!(
        waiting(&daemon),
        "a@one.test b@other.test b@sub.one.test c@other.test refused@ONE.test"
    );
}

#[test]
fn providers_that_go_wrong_give_no_mail() {
    if !is_ready() {
        return;
    }
    for (what, answer, status, told) in [
        ("banner", "close", 1, "Remote host closed connection in response to initial connection"),
        ("banner", "554 nobody is here", 1, ": 554 nobody is here"),
        ("banner", "wait", 1, ": no answer in time"),
        ("atrn", "453 no mail", 0, ""),
        ("atrn", "550 not for you", 1, "no mail by ATRN: 550 not for you"),
        ("atrn", "354 go on", 1, "no mail by ATRN: 354 go on"),
        ("atrn", "what is this", 1, "Malformed SMTP reply in response to ATRN one.test"),
        ("atrn", "close", 1, "Remote host closed connection in response to ATRN one.test"),
        ("atrn", "wait", 1, "no mail by ATRN: no answer in time"),
        ("atrn", "250 turning|close", 1, ""),
    ] {
        let says = [("ext", "AUTH PLAIN,ATRN"), (what, answer)];
        let says = says.map(|(key, text)| (key.to_owned(), text.to_owned()));
        let host = NextHost::start(says.to_vec());
        let begin = Instant::now();
        let heard = fetch_at(host.port(), "command_timeout = 2s", "one.test");
        assert_eq!((heard.0, heard.1.contains(told)), (Some(status), true), "{answer}: {heard:?}");
        assert!(!told.is_empty() || heard.1.is_empty(), "{answer}: {heard:?}");
        assert!(begin.elapsed() < Duration::from_secs(15), "{answer}");
    }
}
