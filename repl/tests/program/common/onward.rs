//! Messages that go to their next host while their sender waits: what is asked of a
//! program, and what comes of it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use eximious_tests::daemons::{undated, without_ids};
use eximious_tests::hosts::Host;
use tempfile::TempDir;

pub const OURS: &str = env!("CARGO_BIN_EXE_eximious");

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
    begin acl\nrcpt:\nRCPT\ndata:\nDATA\n\
    event:\n accept logwrite = $event_name <$event_data> <$host> <$host_address> $local_part $domain \
    <$router_name> <$transport_name> $event_defer_errno <$verify_mode> <$sender_address>\n";

/// What is asked: parts of the configuration, how the next host answers, and what the
/// client says.
#[derive(Clone, Debug)]
pub struct Question {
    pub parts: Vec<(&'static str, String)>,
    pub host: String,
    pub client: String,
}

pub const CUT: &str = " accept control = cutthrough_delivery";
pub const PASS: &str = " accept control = cutthrough_delivery/defer=pass";
pub const ASKED: &str = " accept control = cutthrough_delivery\n  \
    verify = recipient/callout=use_sender";

pub const MESSAGE: &str = "DATA\nSubject: x\nFrom: a@b.test\n\n..dot\nno dot\n.\n";

pub fn question(rcpt: &str, host: &str, recipients: &str) -> Question {
    let named: Vec<String> =
        recipients.split(' ').map(|name| format!("RCPT TO:<{name}.test>\n")).collect();
    let client = format!("MAIL FROM:<s@remote.test>\n{}{MESSAGE}", named.concat());
    Question { parts: vec![("RCPT", rcpt.to_owned())], host: host.to_owned(), client }
}

impl Question {
    pub fn with(mut self, part: &'static str, text: &str) -> Self {
        self.parts.push((part, text.to_owned()));
        self
    }

    pub fn client(mut self, client: &str) -> Self {
        client.clone_into(&mut self.client);
        self
    }
}

/// What came of it.
#[derive(PartialEq, Eq, Debug)]
pub struct Answer {
    pub client: Vec<String>,
    pub host: Vec<String>,
    pub main: Vec<String>,
    pub reject: Vec<String>,
    pub panic: Vec<String>,
    pub kept: usize,
}

impl Answer {
    pub fn lines(&self) -> Vec<String> {
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
pub struct Running {
    pub child: Child,
    pub directory: TempDir,
    pub port: u16,
}

impl Running {
    pub fn start(program: &Path, question: &Question, port: u16) -> Self {
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
    pub fn plain(&self, text: &str) -> Vec<String> {
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

    pub fn log(&self, name: &str) -> Vec<String> {
        let path = self.directory.path().join(format!("{name}log"));
        let bytes = std::fs::read(path).unwrap_or_default();
        // Some errors end in a newline of their own.
        let mut lines = self.plain(&String::from_utf8_lossy(&bytes));
        lines.retain(|line| !line.is_empty());
        lines
    }

    pub fn kept(&self) -> usize {
        let entries = std::fs::read_dir(self.directory.path().join("spool/input"));
        let names = entries.into_iter().flatten().map(|entry| entry.expect("a file").file_name());
        names.filter(|name| name.to_string_lossy().ends_with("-H")).count()
    }

    pub fn answer(mut self, question: &Question, host: &Host) -> Answer {
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

pub fn ask(program: &Path, question: &Question) -> Answer {
    let host = Host::new(&question.host);
    Running::start(program, question, host.played.port).answer(question, &host)
}

pub fn ours(question: &Question) -> Answer {
    ask(Path::new(OURS), question)
}

/// The real program, where it reads a configuration of ours with all its rights.
pub fn exim() -> Option<String> {
    let id = Command::new("id").arg("-u").output();
    let root = id.is_ok_and(|output| output.stdout == b"0\n");
    super::reference().filter(|_| root)
}
