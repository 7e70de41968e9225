//! What Pigeonhole's `sieve-test` would do with a message.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious::filter::{FilterAction, Filtered};

use crate::sieve::{Case, HEAD};

/// The program, where it is installed.
#[derive(Clone, Debug)]
pub struct Pigeonhole {
    program: PathBuf,
    /// Whether this process may do everything, which the program does not like.
    root: bool,
}

impl Pigeonhole {
    /// The installed one. In CI it has to be there.
    pub fn find() -> Option<Self> {
        let program = PathBuf::from("/usr/bin/sieve-test");
        if program.exists() {
            let output = Command::new("id").arg("-u").output().expect("id");
            return Some(Self { program, root: output.stdout == b"0\n" });
        }
        assert!(!crate::in_ci(), "no sieve-test to compare with: install dovecot-sieve");
        eprintln!("LEFT OUT: no sieve-test to compare with (dovecot-sieve)");
        None
    }

    /// What would be done, a line each; nothing where the script is wrong. The
    /// folder must be one that everybody may write to.
    pub fn ask(&self, case: &Case, folder: &Path) -> BTreeSet<String> {
        let path = |name: &str| folder.join(name);
        let home = folder.display();
        let user = if self.root { "nobody".to_owned() } else { user() };
        let config = format!(
            "mail_uid = {user}\nmail_home = {home}\nmail_location = maildir:{home}/mail\n\
             first_valid_uid = 1\nfirst_valid_gid = 1\nlog_path = /dev/stderr\n"
        );
        std::fs::write(path("dovecot.conf"), config).expect("a configuration");
        let script = case.script.strip_prefix(HEAD).unwrap_or(&case.script);
        std::fs::write(path("script.sieve"), script).expect("a script");
        std::fs::write(path("message"), &case.setting.message).expect("a message");
        let (sender, recipient) = case.setting.envelope();
        let mut command = match self.root {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
                command.arg(&self.program);
                command
            }
            false => Command::new(&self.program),
        };
        let output = command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", folder)
            .env("USER", &user)
            .args(["-c".as_ref(), path("dovecot.conf").as_os_str()])
            .args(["-f", &sender, "-a", &recipient, "-r", &recipient])
            .args([path("script.sieve"), path("message")])
            .output()
            .expect("sieve-test starts");
        let said = String::from_utf8_lossy(&output.stdout);
        said.lines().filter_map(action).collect()
    }
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A line that names something that is done.
fn action(line: &str) -> Option<String> {
    let line = line.strip_prefix(" * ")?;
    if line.starts_with("send vacation message") {
        return Some("vacation".to_owned());
    }
    if let Some(folder) = line.strip_prefix("store message in folder: ") {
        return Some(format!("store {folder}"));
    }
    match line.strip_prefix("redirect message to: <") {
        Some(address) => Some(format!("redirect {}", address.trim_end_matches('>'))),
        None => Some(line.to_owned()),
    }
}

/// What eximious would do, in the same words. To discard a message is to do
/// nothing, unless that is all.
pub fn ours(done: &Filtered) -> BTreeSet<String> {
    let named = |action: &FilterAction| match action {
        FilterAction::Keep { .. } => "store INBOX".to_owned(),
        FilterAction::Discard => "discard".to_owned(),
        FilterAction::FileInto { mailbox, .. } => {
            // It shows a question mark for what can't be seen.
            format!("store {}", mailbox.display().replace(char::is_control, "?"))
        }
        FilterAction::Deliver { address, .. } => format!("redirect {}", address.display()),
        FilterAction::Mail { .. } => "vacation".to_owned(),
        other => format!("{other:?}"),
    };
    done.actions.iter().map(named).collect()
}
