//! Cut-through delivery (`control = cutthrough_delivery`): what the client hears, what
//! the next host hears, what is logged and what is kept, beside a real Exim where one
//! is installed. The next host is played, or a real Exim, too.
// Tests start programs, read files and look at the clock.
#![allow(clippy::disallowed_methods)]

mod common;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use eximious_tests::cases::changes;
use eximious_tests::daemons::{undated, without_ids};
use eximious_tests::hosts::Host;
use eximious_tests::servers::{self, Home, Server};
use tempfile::TempDir;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "spool_directory = DIR/spool\nlog_file_path = DIR/%slog\n\
    keep_environment =\nprimary_hostname = me.test\ntimezone = UTC\n\
    received_header_text = Received: by me.test ($recipients_count)\n\
    acl_smtp_rcpt = rcpt\nacl_smtp_data = data\ntls_advertise_hosts =\nqueue_only\n\
    smtp_enforce_sync = false\ndsn_advertise_hosts = *\nprdr_enable\nMAIN\n\
    begin routers\nROUTERS\n\
    away:\n driver = manualroute\n domains = !local.test\n transport = smtp\n \
    route_list = * 127.0.0.1\n self = send\n AWAY\n\
    here:\n driver = accept\n transport = local\n\
    begin transports\n\
    local:\n driver = appendfile\n file = /dev/null\n user = nobody\n\
    smtp:\n driver = smtp\n port = PORT\n allow_localhost\n hosts_avoid_tls = *\n SMTP\n\
    other:\n driver = smtp\n port = PORT\n allow_localhost\n hosts_avoid_tls = *\n\
    begin acl\nrcpt:\nRCPT\ndata:\nDATA\n";

/// What is asked: parts of the configuration, how the next host answers, and what the
/// client says.
#[derive(Clone)]
struct Question {
    parts: Vec<(&'static str, String)>,
    host: String,
    client: String,
}

const CUT: &str = " accept control = cutthrough_delivery";
const PASS: &str = " accept control = cutthrough_delivery/defer=pass";
const ASKED: &str = " accept control = cutthrough_delivery\n  \
    verify = recipient/callout=use_sender";

const MESSAGE: &str = "DATA\nSubject: x\nFrom: a@b.test\n\n..dot\nno dot\n.\n";

fn question(rcpt: &str, host: &str, recipients: &str) -> Question {
    let named: Vec<String> =
        recipients.split(' ').map(|name| format!("RCPT TO:<{name}.test>\n")).collect();
    let client = format!("MAIL FROM:<s@remote.test>\n{}{MESSAGE}", named.concat());
    Question { parts: vec![("RCPT", rcpt.to_owned())], host: host.to_owned(), client }
}

impl Question {
    fn with(mut self, part: &'static str, text: &str) -> Self {
        self.parts.push((part, text.to_owned()));
        self
    }

    fn client(mut self, client: &str) -> Self {
        client.clone_into(&mut self.client);
        self
    }
}

/// What came of it.
#[derive(PartialEq, Eq, Debug)]
struct Answer {
    client: Vec<String>,
    host: Vec<String>,
    main: Vec<String>,
    reject: Vec<String>,
    panic: Vec<String>,
    kept: usize,
}

impl Answer {
    fn lines(&self) -> Vec<String> {
        let parts = [
            ("client", &self.client),
            ("host", &self.host),
            ("main", &self.main),
            ("reject", &self.reject),
            ("panic", &self.panic),
        ];
        let mut lines: Vec<String> = parts
            .into_iter()
            .flat_map(|(name, lines)| lines.iter().map(move |line| format!("{name}: {line}")))
            .collect();
        lines.push(format!("kept: {}", self.kept));
        lines
    }
}

/// A program that speaks with a client, and the directory that it works in.
struct Running {
    child: Child,
    directory: TempDir,
    port: u16,
}

impl Running {
    fn start(program: &Path, question: &Question, port: u16) -> Self {
        let directory = TempDir::with_prefix("eximious-").expect("a directory");
        let place = directory.path().display().to_string();
        let spool = directory.path().join("spool");
        std::fs::create_dir(&spool).expect("a directory");
        for path in [directory.path(), &spool] {
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            std::fs::set_permissions(path, all).expect("rights");
        }
        let mut config = CONFIG.to_owned();
        for (part, text) in &question.parts {
            let line = format!("{part}\n");
            config = config.replacen(&line, &format!("{text}\n"), 1);
        }
        for part in ["MAIN\n", "ROUTERS\n", " AWAY\n", " SMTP\n"] {
            config = config.replacen(part, "\n", 1);
        }
        let config = config.replacen("DATA\n", " accept\n", 1);
        let config = config.replace("PORT", &port.to_string()).replace("DIR", &place);
        let file = directory.path().join("exim.conf");
        std::fs::write(&file, config).expect("a file");
        let child = Command::new(program)
            .arg("-C")
            .arg(&file)
            .args(["-bs", "-oMa", "192.0.2.1"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { child, directory, port }
    }

    /// A text without what depends on the moment and on the place.
    fn plain(&self, text: &str) -> Vec<String> {
        let place = self.directory.path().display().to_string();
        let text = text.replace(&place, "DIR").replace(&self.port.to_string(), "PORT");
        let lines = text.lines().map(|line| {
            let line = undated(line.trim_end_matches('\r')).replace(" U=root", "");
            match line.starts_with('\t') && line.contains(", ") {
                true => "\t(a date)".to_owned(),
                false => without_ids(&line),
            }
        });
        lines.collect()
    }

    fn log(&self, name: &str) -> Vec<String> {
        let path = self.directory.path().join(format!("{name}log"));
        let bytes = std::fs::read(path).unwrap_or_default();
        self.plain(&String::from_utf8_lossy(&bytes))
    }

    fn kept(&self) -> usize {
        let entries = std::fs::read_dir(self.directory.path().join("spool/input"));
        let names = entries.into_iter().flatten().map(|entry| entry.expect("a file").file_name());
        names.filter(|name| name.to_string_lossy().ends_with("-H")).count()
    }

    fn answer(mut self, question: &Question, host: &Host) -> Answer {
        let mut input = self.child.stdin.take().expect("a pipe");
        let dialogue = format!("EHLO client.test\n{}QUIT\n", question.client);
        let _ = input.write_all(dialogue.replace('\n', "\r\n").as_bytes());
        drop(input);
        let mut said = Vec::new();
        let mut out = self.child.stdout.take().expect("a pipe");
        out.read_to_end(&mut said).expect("it speaks");
        self.child.wait().expect("it ends");
        let greeting = |line: &String| {
            line.starts_with("220 ") || line.starts_with("250-") || line == "250 HELP"
        };
        let mut client = self.plain(&String::from_utf8_lossy(&said));
        client.retain(|line| !greeting(line));
        Answer {
            client,
            host: self.plain(&host.heard_in_order().join("\n")),
            main: self.log("main"),
            reject: self.log("reject"),
            panic: self.log("panic"),
            kept: self.kept(),
        }
    }
}

fn ask(program: &Path, question: &Question) -> Answer {
    let host = Host::new(&question.host);
    Running::start(program, question, host.played.port).answer(question, &host)
}

fn ours(question: &Question) -> Answer {
    ask(Path::new(OURS), question)
}

/// The real program, where it reads a configuration of ours with all its rights.
fn exim() -> Option<String> {
    let id = Command::new("id").arg("-u").output();
    let root = id.is_ok_and(|output| output.stdout == b"0\n");
    common::reference().filter(|_| root)
}

/// How the next host may answer.
const HOSTS: [&str; 19] = [
    "",
    "banner=554 go away",
    "banner=450 not now",
    "banner=close",
    "MAIL=550 no",
    "MAIL=450 no",
    "RCPT=550 no such user",
    "RCPT=450-not\\n450 now",
    "RCPT=close",
    "RCPT=hello",
    "DATA=550 no data",
    "DATA=450 no data",
    "DATA=close",
    "DATA=hello",
    ".=550 no way",
    ".=450 later",
    ".=close",
    ".=hello",
    ".=354 what",
];

/// What both programs do the same way.
fn questions() -> Vec<Question> {
    let mut found = Vec::new();
    for host in HOSTS {
        for rcpt in [CUT, PASS, ASKED] {
            found.push(question(rcpt, host, "r@other"));
        }
    }
    let two = "r@other q@third";
    for rcpt in [CUT, ASKED] {
        for host in [
            "",
            "RCPT TO:<q=550 no q",
            "RCPT TO:<q=450 no q",
            "RCPT TO:<q=hello",
            ".=550 no",
            ".=450 no",
            "EHLO=250-peer\\n250-PIPELINING\\n250 HELP",
        ] {
            found.push(question(rcpt, host, two));
        }
        for (part, text) in [
            ("ROUTERS", "to:\n driver = redirect\n local_parts = q\n data = :fail: no\n allow_fail"),
            ("ROUTERS", "to:\n driver = redirect\n local_parts = q\n data = :defer: no\n allow_defer"),
            ("ROUTERS", "to:\n driver = redirect\n local_parts = q\n data = a@b.test,c@b.test"),
            (
                "ROUTERS",
                "to:\n driver = manualroute\n local_parts = q\n route_list = * 127.0.0.1\n \
                 self = send\n transport = smtp",
            ),
            (
                "ROUTERS",
                "to:\n driver = manualroute\n local_parts = q\n route_list = * 127.0.0.1\n \
                 self = send\n transport = other",
            ),
            ("SMTP", "max_rcpt = 1\n multi_domain = false"),
        ] {
            found.push(question(rcpt, "", two).with(part, text));
        }
    }
    let one = |rcpt: &str| question(rcpt, "", "r@other");
    let away = "to:\n driver = redirect\n local_parts = r\n data = child@other.test\n\
        on:\n driver = redirect\n local_parts = child\n data = last@other.test";
    for (part, text) in [
        ("ROUTERS", away),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = r\n data = :fail: no\n allow_fail"),
        ("ROUTERS", "to:\n driver = redirect\n local_parts = r\n data = a@b.test,c@b.test"),
        ("AWAY", "headers_add = X-Router: $local_part\n headers_remove = from"),
        ("AWAY", "errors_to = e@b.test"),
        ("SMTP", "headers_remove = subject"),
        ("SMTP", "transport_filter = /bin/cat"),
        ("SMTP", "dkim_domain = a.test"),
        ("SMTP", "return_path = t@b.test"),
        ("MAIN", "log_selector = -smtp_confirmation +sender_on_delivery +outgoing_port"),
        ("MAIN", "log_selector = +delivery_size"),
        ("MAIN", "acl_smtp_mail = accept control = cutthrough_delivery"),
        ("MAIN", "acl_smtp_predata = deny"),
        ("MAIN", "acl_smtp_predata = accept control = freeze"),
        ("DATA", " accept message = own words"),
        ("DATA", " accept add_header = X-Data: 1"),
    ] {
        found.push(one(CUT).with(part, text));
    }
    let parents = "log_selector = +all_parents";
    found.push(one(CUT).with("ROUTERS", away).with("MAIN", parents));
    found.push(question(CUT, ".=550 no", "r@other").with("ROUTERS", away));
    for more in [
        "control = fakereject",
        "control = fakedefer",
        "control = freeze",
        "control = queue",
        "control = cutthrough_delivery/foo=bar",
        "add_header = X-A: 1\n remove_header = subject\n add_header = :at_start:X-B: 2",
        "verify = recipient/callout",
        "verify = recipient/callout=use_postmaster",
        "verify = recipient/callout=use_sender,postmaster",
        "verify = recipient/callout=use_sender,random",
    ] {
        found.push(one(&format!("{CUT}\n  {more}")));
        found.push(one(&format!(" accept {more}\n  control = cutthrough_delivery")));
    }
    for acl in [
        " deny local_parts = q\n accept control = cutthrough_delivery",
        " discard local_parts = q\n accept control = cutthrough_delivery",
        " warn local_parts = q\n  control = cutthrough_delivery\n accept",
        " warn local_parts = r\n  control = cutthrough_delivery\n accept",
    ] {
        found.push(question(acl, "", two));
    }
    let envelope = "MAIL FROM:<s@remote.test>\nRCPT TO:<r@other.test>\n";
    for client in [
        &format!("{envelope}RSET\n{envelope}{MESSAGE}"),
        &format!("{envelope}EHLO c\n{envelope}{MESSAGE}"),
        &format!("{envelope}{MESSAGE}{envelope}{MESSAGE}"),
        envelope,
        &format!("{envelope}BDAT 16 LAST\nSubject: x\n\nab\n"),
        "MAIL FROM:<s@remote.test> PRDR\nRCPT TO:<r@other.test>\nDATA\nSubject: x\n\n.\n",
        &format!("{envelope}DATA\nSubject: x\n.\n"),
        &format!("{envelope}DATA\n\n.\n"),
        &format!("{envelope}DATA\nSubject: \u{e9}\n\n{}\n\n...\n.\n", "x".repeat(5000)),
    ] {
        found.push(one(CUT).client(client));
        found.push(one(ASKED).client(client));
    }
    found
}

#[test]
fn messages_go_as_exims_do() {
    let Some(exim) = exim() else { return };
    let questions = questions();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(question) = questions.get(at) else { return };
                    let (theirs, ours) = (ask(Path::new(&exim), question), ours(question));
                    if theirs != ours {
                        let (parts, host) = (&question.parts, &question.host);
                        let (theirs, ours) = (theirs.lines(), ours.lines());
                        let differing: Vec<String> = changes(&theirs, &ours)
                            .into_iter()
                            .map(|(mark, line)| format!("{mark} {line}"))
                            .collect();
                        wrong.lock().expect("no test failed").push(format!(
                            "{parts:?} [{host}] {}\n{}\n",
                            question.client.escape_debug(),
                            differing.join("\n")
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no test failed");
    let (count, all) = (wrong.len(), questions.len());
    assert!(wrong.is_empty(), "{count} of {all} differ:\n{}", wrong.join("\n"));
}
