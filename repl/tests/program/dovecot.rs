//! Deliveries that a real Dovecot takes by LMTP, and mailboxes of ours that it reads. Left
//! out where it is not installed.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use eximious_tests::servers::{self, Home, Server};

const PROGRAM: &str = env!("CARGO_BIN_EXE_eximious");

/// How Dovecot keeps the mail of all users, in `HOME/mail/USER`, and where it takes it.
const DOVECOT: &str = "base_dir = HOME/run\nstate_dir = HOME/run\nlog_path = HOME/dovecot.log\n\
    ssl = no\nprotocols = lmtp\ndefault_login_user = nobody\ndefault_internal_user = nobody\n\
    default_internal_group = nogroup\nfirst_valid_uid = 1\nauth_username_format = %n\nmail_location = maildir:HOME/mail/%n\n\
    passdb {\n driver = static\n args = nopassword=y\n}\n\
    userdb {\n driver = passwd-file\n args = HOME/users\n}\n\
    service lmtp {\n chroot =\n unix_listener lmtp {\n mode = 0666\n }\n}\n\
    service anvil {\n chroot =\n}\nservice stats {\n chroot =\n}\n";

/// Some go to Dovecot together, others into a maildir of ours.
const CONFIG: &str = "primary_hostname = mail.example\nspool_directory = HOME/spool\n\
    log_file_path = HOME/log/%slog\nkeep_environment =\nlog_selector = -delivery_size\n\
    domainlist local_domains = me.test\nbegin routers\n\
    ours:\n  driver = accept\n  local_parts = ours\n  transport = maildir\n\
    theirs:\n  driver = accept\n  transport = lmtp\n\
    begin transports\nmaildir:\n  driver = appendfile\n  user = nobody\n  group = nogroup\n  \
    directory = HOME/mail/ours\n  maildir_format\n  envelope_to_add\n\
    lmtp:\n  driver = lmtp\n  user = nobody\n  group = nogroup\n  socket = HOME/run/lmtp\n  \
    batch_max = 10\n  return_path_add\nbegin retry\n* * F,1h,10m\n";

fn send(config: &Path, to: &[&str], text: &str) {
    let mut command = Command::new(PROGRAM);
    command.arg("-C").arg(config).args(["-odi", "-f", "sender@me.test"]).args(to);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("the message");
    drop(input);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn dovecot_takes_and_reads_what_we_deliver() {
    let (Some(dovecot), Some(doveadm)) = (servers::program("dovecot"), servers::program("doveadm"))
    else {
        return;
    };
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/lib/dovecot/lmtp").exists() {
        return;
    }
    let home = Home::new("nobody");
    let shown = home.path().display().to_string();
    for part in ["mail", "spool", "log"] {
        let path = home.path().join(part);
        std::fs::create_dir(&path).expect("a directory");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).expect("rights");
    }
    let user = |name: &str| format!("{name}::65534:65534::{shown}/mail::\n");
    home.write("users", ["tim", "tom", "ours"].map(user).concat());
    let settings = home.write("dovecot.conf", DOVECOT.replace("HOME", &shown));
    let config = home.write("conf", CONFIG.replace("HOME", &shown));
    // The superuser goes by no other's.
    std::os::unix::fs::chown(&config, Some(0), Some(0)).expect("an owner");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(dovecot).arg("-F").arg("-c").arg(&settings);
    let socket = home.path().join("run/lmtp");
    let place = home.path().to_owned();
    let server = Server::start(home, &mut command, || socket.exists());
    send(&config, &["tim@me.test", "nobody@me.test", "tom@me.test"], "Subject: one\n\n.dot\nend");
    send(&config, &["ours@me.test", "ours@me.test"], "Subject: two\n\n.dot\nFrom me\n");
    let read = |name: &str| {
        let mut command = Command::new(&doveadm);
        command.arg("-c").arg(&settings).args(["fetch", "-u", name]);
        let output = command.args(["hdr.subject body", "ALL"]).output().expect("doveadm");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let log = ["log/mainlog", "dovecot.log"]
        .map(|name| std::fs::read_to_string(place.join(name)).unwrap_or_default());
    let log = log.concat();
    for name in ["tim", "tom"] {
        assert_eq!(read(name), "hdr.subject: one\nbody:\n.dot\nend\n", "{name}\n{log}");
    }
    assert_eq!(read("ours"), "hdr.subject: two\nbody:\n.dot\nFrom me\n", "{log}");
    // Each has an answer of its own.
    for line in [
        "=> tim <tim@me.test> R=theirs T=lmtp C=\"250 2.0.0 <tim@me.test> ",
        "-> tom <tom@me.test> R=theirs T=lmtp C=\"250 2.0.0 <tom@me.test> ",
        "** nobody@me.test R=theirs T=lmtp: LMTP error after RCPT TO:<nobody@me.test>: 550 5.1.1 ",
        "=> ours <ours@me.test> R=ours T=maildir\n",
    ] {
        assert!(log.contains(line), "{line}\n{log}");
    }
    drop(server);
}
