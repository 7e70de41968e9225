//! Callouts: what `-bhc` says, what the host that is asked hears, and what is kept
//! of it, beside a real Exim where one is installed. What the host answers is
//! played.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::common;
use eximious_tests::hosts::{self, Host, untimed};
use eximious_tests::servers::Played;
use tempfile::TempDir;

const ROUTES: &str = "begin routers\n\
    away:\n driver = manualroute\n domains = !local.test\n transport = smtp\n \
    route_list = * 127.0.0.1\n self = send\n\
    here:\n driver = accept\n transport = local\n\
    begin transports\n\
    local:\n driver = appendfile\n file = /dev/null\n\
    smtp:\n driver = smtp\n port = PORT\n allow_localhost\n MORE\n\
    begin acl\n";

const DIALOGUE: &str = "HELO client.test\r\nMAIL FROM:<s@remote.test>\r\n\
    RCPT TO:<r@other.test>\r\nRCPT TO:<r@other.test>\r\nQUIT\r\n";

/// What is asked: an ACL for RCPT, lines for the transport, lines for the main
/// section, and how the host answers.
struct Question {
    acl: String,
    transport: &'static str,
    main: &'static str,
    host: String,
    /// The port of a second host, which is asked after the first one.
    second: Option<u16>,
}

fn question(acl: &str, host: &str) -> Question {
    Question { acl: acl.to_owned(), transport: "", main: "", host: host.to_owned(), second: None }
}

/// What a program says to that, and what the host hears.
fn ask(program: &Path, question: &Question) -> (Vec<String>, Vec<String>, Duration) {
    let host = Host::new(&question.host);
    let (said, lasted) = ask_about(program, question, host.played.port);
    (said, host.heard(), lasted)
}

fn ask_about(program: &Path, question: &Question, port: u16) -> (Vec<String>, Duration) {
    ask_in(program, question, port, &TempDir::with_prefix("eximious-").expect("a directory"))
}

fn ask_in(
    program: &Path,
    question: &Question,
    port: u16,
    directory: &TempDir,
) -> (Vec<String>, Duration) {
    let place = directory.path().display().to_string();
    let port = port.to_string();
    let transport = format!("hosts_avoid_tls = *\n {}", question.transport);
    let hosts = match question.second {
        Some(second) => format!("* 127.0.0.1::{port}:127.0.0.1::{second}\n"),
        None => "* 127.0.0.1\n".to_owned(),
    };
    let routes = ROUTES.replace("* 127.0.0.1\n", &hosts).replace("PORT", &port);
    let routes = routes.replace("MORE", &transport);
    let config = format!(
        "spool_directory = {place}/spool\nlog_file_path = {place}/%slog\nkeep_environment =\n\
         primary_hostname = me.test\nacl_smtp_rcpt = rcpt\nacl_smtp_data = data\n{}\n{routes}\
         rcpt:\n{}\ndata:\n accept\n",
        question.main, question.acl
    );
    let file = directory.path().join("exim.conf");
    std::fs::write(&file, config).expect("a file");
    let began = Instant::now();
    let mut child = Command::new(program)
        .arg("-C")
        .arg(&file)
        .args(["-bhc", "192.0.2.1"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    // One that stops at its configuration reads nothing.
    let _ = input.write_all(DIALOGUE.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    let lasted = began.elapsed();
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).replace(&port, "PORT").replace(&place, "DIR");
        text.lines().map(|line| untimed(line.trim_end_matches('\r'))).collect()
    };
    let mut said = lines(&output.stdout);
    said.retain(|line| !line.starts_with("220 "));
    let told = lines(&output.stderr);
    // What depends on the system, and on TLS, is left out.
    let left_out = ["hosts_try_fastopen", "list element: *", "in hosts_avoid_tls?"];
    said.extend(told.into_iter().filter(|line| !left_out.iter().any(|word| line.contains(word))));
    (said, lasted)
}

/// How hosts may answer.
const HOSTS: [&str; 24] = [
    "",
    "banner=554 go away",
    "banner=421-not\\n421 now",
    "banner=close",
    "banner=hello",
    "EHLO=500 what",
    "EHLO=550 what;HELO=550 what",
    "EHLO=close",
    "MAIL=550 not empty",
    "MAIL=450 not now",
    "MAIL=hello",
    "RCPT=550-no\\n550 such user",
    "RCPT=450 not now",
    "RCPT=close",
    "RCPT=hello",
    "RCPT=251 will forward",
    "RCPT=354 go on",
    "RCPT TO:<postmaster@=550 no postmaster",
    "RCPT TO:<postmaster=550 no postmaster",
    "RCPT TO:<me.test=550 nobody",
    "RCPT TO:<me.test=550 nobody;RSET=550 no",
    "EHLO=250-peer\\n250 PIPELINING",
    "EHLO=250-peer\\n250 PIPELINING;RCPT=550 no",
    "EHLO=250-peer\\n250 PIPELINING;MAIL=550 no;RCPT=503 no",
];

#[test]
fn callouts_are_as_exims() {
    let Some(exim) = common::reference() else { return };
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let mut questions = Vec::new();
    for host in HOSTS {
        for kind in ["sender", "recipient"] {
            for params in ["", "=postmaster", "=fullpostmaster", "=random", "=defer_ok,no_cache"] {
                let piped = host.contains("PIPELINING") && host.contains("MAIL=");
                // The real one mistakes the answer to MAIL here.
                let told = host.is_empty() || host.contains("RCPT TO:") || host.contains("PIPE");
                if piped && params == "=random" || !told && !params.is_empty() {
                    continue;
                }
                let acl = format!(
                    " require message = $acl_verify_message ${kind}_verify_failure\n \
                     verify = {kind}/callout{params}\n accept"
                );
                questions.push(question(&acl, host));
            }
        }
    }
    for params in [
        "=foo",
        "=",
        "=,",
        "=5s,random",
        "=connect",
        "=connect=x",
        "=maxwait=9s",
        "=mailfrom=a@b",
        "=use_sender",
        "=use_postmaster",
        "=use_sender,use_postmaster",
        "=use_sender,random",
        "=postmaster_mailfrom=a@b.test",
        "=0s",
        "_defer_ok",
        "foo",
        "/check_postmaster",
        "/defer_ok",
        "/no_details",
    ] {
        for kind in ["sender", "recipient"] {
            let acl = format!(" require verify = {kind}/callout{params}\n accept");
            questions.push(question(&acl, "RCPT=450 not now"));
        }
    }
    let recipient = " require verify = recipient/callout\n accept message = $callout_address";
    for transport in [
        "protocol = lmtp",
        "hosts_avoid_esmtp = *",
        "hosts_require_tls = *",
        "hosts_require_auth = *",
        "helo_data = $host/$host_address/$sending_ip_address",
        "helo_data = ${if",
        "interface = 127.0.0.3",
        "hosts = ${if\n hosts_override",
    ] {
        questions.push(Question { transport, ..question(recipient, "") });
    }
    for (params, transport) in [
        ("use_sender", ""),
        ("use_sender,random", ""),
        ("use_sender,postmaster", ""),
        ("use_postmaster,no_cache", ""),
        ("use_sender", "transport_filter = /bin/cat"),
        ("use_sender", "dkim_domain = a.test"),
        ("use_sender", "protocol = lmtp"),
    ] {
        for host in ["", "RCPT=550 no", "RCPT=450 not now"] {
            let acl = format!(
                " accept control = cutthrough_delivery\n verify = recipient/callout={params}"
            );
            questions.push(Question { transport, ..question(&acl, host) });
        }
    }
    questions.push(question(" accept control = cutthrough_delivery", ""));
    for main in ["callout_random_local_part = x$domain", "callout_positive_expire = 1s"] {
        let acl = " require verify = recipient/callout=random\n accept";
        questions.push(Question { main, ..question(acl, "RCPT TO:<x=550 no") });
    }
    let slow = " require verify = recipient/callout=1s,no_cache\n accept";
    questions.push(question(slow, "RCPT=250 ok after 2s"));
    let wrong = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(question) = questions.get(at) else { return };
                    let theirs = ask(Path::new(&exim), question);
                    let ours = ask(own, question);
                    if (&theirs.0, &theirs.1) != (&ours.0, &ours.1) {
                        let lines = |one: &[String], other: &[String]| -> Vec<String> {
                            one.iter().filter(|line| !other.contains(line)).cloned().collect()
                        };
                        wrong.lock().expect("no test failed").push(format!(
                            "{}\n{} {} [{}]\n- {:#?}\n+ {:#?}\n- {:?}\n+ {:?}",
                            question.acl,
                            question.transport,
                            question.main,
                            question.host,
                            lines(&theirs.0, &ours.0),
                            lines(&ours.0, &theirs.0),
                            theirs.1,
                            ours.1,
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no test failed");
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        questions.len(),
        wrong.join("\n")
    );
}

#[test]
fn each_host_is_asked_for_all() {
    let Some(exim) = common::reference() else { return };
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    for (params, first) in [
        ("random", "MAIL=451 later"),
        ("random", "RCPT TO:<nobody=550 no;RCPT TO:<r=451 later"),
        ("random", "RCPT TO:<nobody=550 no;banner=421 busy"),
        ("postmaster", "RCPT TO:<postmaster=451 later"),
    ] {
        let acl = format!(" require verify = recipient/callout={params}\n accept");
        let main = "callout_random_local_part = nobody";
        let asked = |program: &Path| {
            let hosts = [first, "RCPT TO:<nobody=550 no"].map(Host::new);
            let second = Some(hosts[1].played.port);
            let question = Question { main, second, ..question(&acl, "") };
            let said = ask_about(program, &question, hosts[0].played.port).0;
            let answers = said.into_iter().filter(|line| line.starts_with(['2', '4', '5']));
            (answers.collect::<Vec<_>>(), hosts.map(|host| host.heard()))
        };
        let (theirs, ours) = (asked(Path::new(&exim)), asked(own));
        assert!(!theirs.1[1].is_empty(), "{params}, {first}: {theirs:#?}");
        assert_eq!(ours, theirs, "{params}, {first}");
    }
}

/// What a real Exim has that knows nobody of some name.
const LISTENING: &str = "acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n \
    deny recipients = r@other.test\n  message = no such user\n accept\n";

#[test]
fn a_real_server_is_understood() {
    let Some(exim) = common::reference() else { return };
    let (_server, port) = hosts::listening(Path::new(&exim), LISTENING);
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let acl = " require verify = sender/callout=postmaster\n \
        require verify = recipient/callout\n accept";
    let asked = question(acl, "");
    let theirs = ask_about(Path::new(&exim), &asked, port).0;
    let ours = ask_about(own, &asked, port).0;
    let plain = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !line.contains("SMTP<< 220")).collect()
    };
    assert_eq!(plain(ours.clone()), plain(theirs));
    assert!(ours.iter().any(|line| line == "550 550 no such user"), "{ours:#?}");
}

#[test]
fn what_is_kept_is_forgotten_in_time() {
    let Some(exim) = common::reference() else { return };
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let main = "callout_positive_expire = 1s\ncallout_negative_expire = 1s\n\
        callout_domain_positive_expire = 1s\ncallout_domain_negative_expire = 1s";
    for (params, host) in [
        ("", ""),
        ("", "RCPT=550 no"),
        ("", "MAIL=550 no"),
        ("=postmaster", "RCPT TO:<postmaster=550 no"),
        ("=random", "RCPT TO:<me.test=550 no"),
    ] {
        let acl = format!(" require verify = recipient/callout{params}\n accept");
        let asked = Question { main, ..question(&acl, host) };
        let twice = |program: &Path| {
            let directory = TempDir::with_prefix("eximious-").expect("a directory");
            let played = Host::new(&asked.host);
            let first = ask_in(program, &asked, played.played.port, &directory).0;
            std::thread::sleep(Duration::from_millis(2100));
            let second = ask_in(program, &asked, played.played.port, &directory).0;
            (first, second, played.heard())
        };
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| twice(Path::new(&exim)));
            let ours = scope.spawn(|| twice(own));
            (theirs.join().expect("it is asked"), ours.join().expect("it is asked"))
        });
        assert_eq!(ours, theirs, "{params} {host}");
    }
}

#[test]
fn hostile_hosts_are_left_in_time() {
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let asked = question(" require verify = recipient/callout=1s,no_cache\n accept", "");
    let endless_line = Played::tcp(|peer| while peer.write_all(&[b'2'; 4096]).is_ok() {});
    let endless_reply = Played::tcp(|peer| {
        while peer.write_all(b"220-and so on, and so on, and so on, and so on\r\n").is_ok() {}
    });
    let endless_ehlo = Played::tcp(|peer| {
        let _ = peer.write_all(b"220 hi\r\n");
        let mut bytes = [0; 100];
        let _ = peer.read(&mut bytes);
        while peer.write_all(b"250-AUTH PLAIN and so on, and so on\r\n").is_ok() {}
    });
    let garbage = Played::tcp(|peer| while peer.write_all(b"\0\xff\x80\n").is_ok() {});
    let silent = Played::silent();
    let slow = Played::dripping(b'2', Duration::from_millis(100));
    for peer in [&endless_line, &endless_reply, &endless_ehlo, &garbage, &silent, &slow] {
        let (said, lasted) = ask_about(own, &asked, peer.port);
        // Two recipients, a second for each.
        assert!(lasted < Duration::from_secs(8), "{lasted:?} {said:#?}");
        let later = said.iter().filter(|line| line.starts_with("451 Could not complete"));
        assert_eq!(later.count(), 2, "{said:#?}");
        assert!(said.iter().map(String::len).sum::<usize>() < 100_000);
    }
}

/// The packaged Exim does not know the word yet.
#[test]
fn the_transport_may_name_the_sender() {
    let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let acl = " require verify = recipient/callout=use_tptsender,no_cache\n accept";
    for (transport, sender) in [
        ("return_path = changed@host.test", "MAIL FROM:<changed@host.test>"),
        ("return_path = ${if eq{1}{2}{x}fail}", "MAIL FROM:<s@remote.test>"),
        ("", "MAIL FROM:<s@remote.test>"),
    ] {
        let (said, heard, _) = ask(program, &Question { transport, ..question(acl, "") });
        assert!(heard.iter().any(|line| line == sender), "{transport}: {heard:?} {said:?}");
    }
    let acl = " require verify = sender/callout=use_tptsender,no_cache\n accept";
    let (said, heard, _) = ask(program, &question(acl, ""));
    assert!(heard.is_empty() && said.iter().any(|line| line.contains("cannot be used for")));
}
