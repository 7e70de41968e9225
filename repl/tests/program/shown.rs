//! What is made to be looked at: pages, by a browser without a screen; the prompt, in tmux.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The configuration and the tests of the documentation, in a folder of their own.
fn sample() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sample");
    for entry in std::fs::read_dir(docs).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn eximious(folder: &Path, args: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_eximious")).args(args).current_dir(folder).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What a browser makes of a page, once its script is done.
fn looked_at(folder: &Path, page: &str) -> String {
    let done = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", folder.join(page).display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn pages_show_what_happened_and_what_was_run() {
    let folder = sample();
    let acl = ["-C", "mail.conf", "trace", "--acl", "acl_check_sender"];
    let about = ["--sender", "<b>@spam.example", "--html", "trace.html"];
    eximious(folder.path(), &[&acl[..], &about[..]].concat());
    let page = looked_at(folder.path(), "trace.html");
    // What comes from outside is text, and no part of the page.
    for wanted in ["data-ready=\"", "acl acl_check_sender", "&lt;b&gt;@spam.example", "mail.conf"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(page.matches("class=\"code hit").count() >= 2, "{page}");
    assert!(!page.contains("<b>@spam"), "{page}");

    eximious(folder.path(), &["test", "mail.eximtest.toml", "--html", "coverage.html"]);
    let page = looked_at(folder.path(), "coverage.html");
    for wanted in ["data-ready=\"", "class=\"row run\"", "class=\"row part\"", "never holds"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

/// A terminal that others can look at.
struct Tmux {
    folder: TempDir,
}

impl Tmux {
    fn command(&self, args: &[&str]) -> String {
        let socket = self.folder.path().join("tmux");
        let done = Command::new("tmux").arg("-S").arg(socket).args(args).output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Types a line, and waits until something stands on the screen.
    fn types(&self, line: &str, awaited: &str) -> String {
        self.command(&["send-keys", "-t", "own", "-l", line]);
        self.command(&["send-keys", "-t", "own", "Enter"]);
        let began = Instant::now();
        loop {
            let screen = self.command(&["capture-pane", "-p", "-t", "own"]);
            if screen.contains(awaited) {
                return screen;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "\"{awaited}\" in:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.command(&["kill-server"]);
    }
}

#[test]
fn a_terminal_debugs() {
    let tmux = Tmux { folder: sample() };
    let place = tmux.folder.path().display();
    let program = env!("CARGO_BIN_EXE_eximious");
    let command = format!("cd {place} && XDG_STATE_HOME={place} {program} -C mail.conf repl");
    tmux.command(&["new-session", "-d", "-s", "own", "-x", "120", "-y", "50", &command]);
    tmux.types(":break acl_check_rcpt:4", "breakpoint 1");
    tmux.types(":from 192.0.2.7 192.0.2.7", "250 HELP");
    tmux.types(":mail a@b.example", "250 OK");
    let screen = tmux.types(":rcpt ann@example.com", "-- breakpoint 1 --");
    assert!(screen.contains("(held)") && screen.contains("->   21 |"), "{screen}");
    tmux.types("got $local_part", "got ann");
    tmux.types(":continue", "no mail from hosts without a name");
    tmux.types(":why", "by deny");
}
