//! swaks, a client that people test servers with, speaks to a session of eximious
//! through a pipe.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious_tests::servers;
use tempfile::TempDir;

const CONFIGURATION: &str = r#"
primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
queue_only
prdr_enable
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
acl_smtp_data_prdr = acl_prdr
acl_smtp_vrfy = accept
begin acl
acl_rcpt:
  deny   local_parts = nobody
         message = 550 5.1.1 no such person\nnot here
  defer  local_parts = later
  accept authenticated = *
         message = hello $authenticated_id
  accept
acl_prdr:
  deny   local_parts = picky
  accept
acl_data:
  deny   condition = ${if eq{$h_subject:}{bad}}
         message = 554 5.7.1 bad subject
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{ann}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{ann}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{ann}{secret}fail}
  server_set_id = $auth1
"#;

/// A server, which is started anew for each session.
struct Peer {
    swaks: PathBuf,
    directory: TempDir,
}

/// What swaks said, and how it ended.
struct Said {
    status: Option<i32>,
    text: String,
}

impl Peer {
    fn new() -> Option<Self> {
        let swaks = servers::program("swaks")?;
        let directory = TempDir::with_prefix("eximious-").unwrap();
        let path = directory.path().to_str().unwrap();
        let text = CONFIGURATION.replace("DIR", path);
        std::fs::write(directory.path().join("exim.conf"), text).unwrap();
        let open = |path: &Path| {
            // Logs are written as the user of the mail system.
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
        };
        open(directory.path());
        for name in ["spool", "log"] {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            open(&path);
        }
        Some(Self { swaks, directory })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A session with these options. `mode` is that of eximious.
    fn send(&self, mode: &str, options: &[&str]) -> Said {
        let config = self.path().join("exim.conf");
        let pipe = format!("{} -C {} {mode}", env!("CARGO_BIN_EXE_eximious"), config.display());
        let mut command = Command::new(&self.swaks);
        command.args(["--pipe", &pipe, "--helo", "client.test", "--from", "a@a.test"]);
        // A file of the user's own would change what is tested.
        command.args(options).env("HOME", self.path()).env_remove("SWAKS_HOME");
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Said { status: output.status.code(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// The ends of the files that are in the spool.
    fn kept(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join("spool/input")).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name().into_string().unwrap());
        let mut ends: Vec<String> = names.map(|name| name[name.len() - 2..].to_owned()).collect();
        ends.sort();
        ends
    }
}

impl Said {
    #[track_caller]
    fn ends(&self, status: i32, lines: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.text);
        for line in lines {
            assert!(self.text.lines().any(|own| own.contains(line)), "{line}\n{}", self.text);
        }
    }
}

#[test]
fn a_message_is_taken_and_kept() {
    let Some(peer) = Peer::new() else { return };
    let said = peer.send("-bs", &["--to", "b@b.test,c@b.test", "--h-Subject", "x"]);
    said.ends(0, &["<-  250-me.test Hello", "<-  250 Accepted", "<-  250 OK id=", "<-  221 "]);
    assert_eq!(peer.kept(), ["-D", "-H"]);
    let log = std::fs::read_to_string(peer.path().join("log/mainlog")).unwrap();
    assert!(log.contains("<= a@a.test") && log.contains("P=local-esmtp"), "{log}");
}

#[test]
fn a_session_is_tested() {
    let Some(peer) = Peer::new() else { return };
    let to = ["--to", "b@b.test"];
    peer.send("-bh 192.0.2.1", &to).ends(0, &["<-  250 OK id=", "not a real message id"]);
    peer.send("-bh 192.0.2.1", &["--protocol", "SMTP", "--to", "b@b.test"])
        .ends(0, &["<-  250 me.test Hello client.test [192.0.2.1]", "<-  250 OK id="]);
    peer.send("-bh 192.0.2.1", &["--quit-after", "RCPT", "--to", "b@b.test"])
        .ends(0, &["<-  250 Accepted", "<-  221 "]);
    assert_eq!(peer.kept(), [""; 0]);
}

#[test]
fn recipients_are_refused() {
    let Some(peer) = Peer::new() else { return };
    peer.send("-bs", &["--to", "nobody@b.test"])
        .ends(24, &["<** 550-5.1.1 no such person", "<** 550 5.1.1 not here"]);
    peer.send("-bs", &["--to", "nobody@b.test,later@b.test,b@b.test"])
        .ends(0, &["<** 451 Temporary local problem", "<-  250 Accepted", "<-  250 OK id="]);
}

#[test]
fn messages_are_refused() {
    let Some(peer) = Peer::new() else { return };
    peer.send("-bs", &["--to", "b@b.test", "--h-Subject", "bad"])
        .ends(26, &["<** 554 5.7.1 bad subject"]);
    assert_eq!(peer.kept(), [""; 0]);
}

#[test]
fn commands_come_in_one_piece() {
    let Some(peer) = Peer::new() else { return };
    peer.send("-bs", &["--pipeline", "--to", "b@b.test,nobody@b.test,c@b.test"])
        .ends(0, &["<-  250 OK", "<** 550-5.1.1", "<-  354 ", "<-  250 OK id="]);
}

#[test]
fn recipients_are_judged_each() {
    let Some(peer) = Peer::new() else { return };
    peer.send("-bs", &["--prdr", "--to", "b@b.test,picky@b.test"]).ends(
        0,
        &["<-  353 PRDR", "PRDR R=<b@b.test> acceptance", "PRDR R=<picky@b.test> refusal"],
    );
}

#[test]
fn clients_are_known() {
    let Some(peer) = Peer::new() else { return };
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let user = ["--auth", mechanism, "-au", "ann", "-ap"];
        let right = [&user[..], &["secret", "--to", "b@b.test"]].concat();
        peer.send("-bh 192.0.2.1", &right)
            .ends(0, &["<-  235 Authentication succeeded", "<-  250 hello ann"]);
        let wrong = [&user[..], &["wrong", "--to", "b@b.test"]].concat();
        peer.send("-bh 192.0.2.1", &wrong).ends(28, &["<** 535 Incorrect authentication data"]);
    }
}

#[test]
fn a_large_message_is_taken() {
    let Some(peer) = Peer::new() else { return };
    let body = peer.path().join("body");
    std::fs::write(&body, "a line of text\n..\n.\n".repeat(50_000)).unwrap();
    let body = format!("@{}", body.display());
    peer.send("-bs", &["--to", "b@b.test", "--body", &body, "--hide-all"]).ends(0, &[]);
    let entries = std::fs::read_dir(peer.path().join("spool/input")).unwrap().flatten();
    let sizes: u64 = entries.map(|entry| entry.metadata().unwrap().len()).sum();
    assert!(sizes > 20 * 50_000, "{sizes}");
}
