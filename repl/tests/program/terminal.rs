//! The prompt at a terminal: a pseudo-terminal types, and looks at the screen.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn start(args: &[&str], home: &std::path::Path) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = || open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let size = rustix::termios::Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&master, size).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_eximious"))
            .args(args)
            .env("TERM", "xterm")
            .env("XDG_STATE_HOME", home)
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Types, and waits until something stands on the screen that was not there
    /// before; escape sequences are left out.
    fn types(&mut self, keys: &str, awaited: &str) -> String {
        self.seen.clear();
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.waits(awaited, "")
    }

    /// Types a line, and waits until it was answered and the prompt is back:
    /// what is typed earlier than that may be lost.
    fn enters(&mut self, line: &str, answer: &str) -> String {
        self.seen.clear();
        self.keyboard.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.waits(answer, "> ")
    }

    fn waits(&mut self, awaited: &str, after: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let text = plain(&self.seen);
            if text.find(awaited).is_some_and(|at| text[at + awaited.len()..].contains(after)) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("{awaited:?} did not come: {text:?}"),
            }
        }
    }

    /// Types the last keys, and waits until the program has ended.
    fn ends(mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success());
                return;
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long the program may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Text without escape sequences.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.char_indices().skip(1).find(|(_, c)| c.is_ascii_alphabetic());
        rest = end.map_or("", |(n, c)| &after[n + c.len_utf8()..]);
    }
    out.push_str(rest);
    out
}

#[test]
fn a_word_that_is_almost_a_command_is_no_recipient() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&["hlep"], home.path());
    terminal.waits("did you mean \"eximious help\"?", "");
}

#[test]
fn a_session() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&[], home.path());
    let greeting = terminal.types("", "> ");
    assert!(greeting.contains("\"help\" says what else there is"), "{greeting}");
    terminal.enters("${uc:hello}", "HELLO\r\n");
    // Completion while typing.
    terminal.types("${lc:${extr\t", "${extract{");
    terminal.enters("1}{:}{A:B}}}", "a\r\n");
    // Where the fault is.
    let failed = terminal.enters("x ${nosuch:y}", "^^^");
    assert!(failed.contains("unknown expansion operator \"nosuch\""), "{failed}");
    // Lines that go on, settings, macros, commands.
    terminal.enters("set acl_m_x = a\\\r  b", "variable m_x set\r\n");
    terminal.enters("[$acl_m_x]", "[ab]\r\n");
    // A byte that is no text costs its line, and no more.
    terminal.seen.clear();
    terminal.keyboard.write_all(b"gr\xfc\xdfe\r").unwrap();
    terminal.waits("that is no UTF-8, and is dropped", "> ");
    terminal.enters("[$acl_m_x]", "[ab]\r\n");
    terminal.enters("Hello", "Put a space before it");
    terminal.enters("help sg", "sg (item)");
    terminal.enters(":nosuch", "there is no :nosuch");
    terminal.enters(":set sender_address = a@b.example", "a@b.example\r\n");
    terminal.enters("[$sender_address]", "[a@b.example]\r\n");
    terminal.ends(":quit\r");
    let history = std::fs::read_to_string(home.path().join("eximious/history")).unwrap();
    assert!(history.contains("${uc:hello}"), "{history}");
}

#[test]
fn ctrl_c_ends_an_evaluation_and_its_child() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&[], home.path());
    terminal.types("", "> ");
    // What was entered is kept at once.
    terminal.enters("${uc:kept}", "KEPT");
    let history = std::fs::read_to_string(home.path().join("eximious/history")).unwrap();
    assert!(history.contains("${uc:kept}"), "{history}");
    let start = Instant::now();
    let mark = home.path().join("mark").display().to_string();
    let line = format!("${{run{{/bin/sh -c \"sleep 30; touch {mark}\"}}}}\r");
    terminal.types(&line, "touch");
    std::thread::sleep(Duration::from_millis(300));
    // What the terminal would send, if it were the program's own.
    let number = terminal.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
    terminal.waits("Failed: ", "> ");
    terminal.enters("${uc:still here}", "STILL HERE");
    assert!(start.elapsed() < Duration::from_secs(20));
    terminal.ends(":quit\r");
}

#[test]
fn open_braces_go_on_and_names_are_offered() {
    let home = tempfile::tempdir().unwrap();
    let message = home.path().join("message");
    std::fs::write(&message, "Subject: hello\nX-Other: x\n\nbody\n").unwrap();
    let mut terminal = Terminal::start(&[], home.path());
    terminal.types("", "> ");
    terminal.enters("${if eq{a}{a}\r  {yes}\r  {no}}", "yes\r\n");
    terminal.enters("${upc:x}", "Did you mean uc?");
    terminal.enters("${uc:x\r", "Failed: ");
    terminal.enters(&format!(":message {}", message.display()), "message\r\n");
    terminal.types("[$h_sub\t", "$h_subject:");
    terminal.enters("]", "[hello]");
    terminal.ends(":quit\r");
}

#[test]
fn a_name_that_could_have_been_meant_is_told_beside_the_answer() {
    let home = tempfile::tempdir().unwrap();
    let text = "${eqq:a}";
    let mut terminal = Terminal::start(&["-C", "/dev/null", "-be", "${upc:a}", text], home.path());
    let seen = terminal.types("", "Failed: unknown expansion operator \"eqq\"");
    assert!(seen.contains("(did you mean uc?)"), "{seen}");
    terminal.ends("");
}

#[test]
fn differences_and_findings_have_colour_at_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("c.conf");
    std::fs::write(&file, "bananas=3\n").unwrap();
    let name = file.to_str().unwrap();
    for (args, colour, shown) in [
        (&["fmt", "--diff", name][..], true, "-bananas=3"),
        (&["fmt", "--diff", "--color=never", name], false, "-bananas=3"),
        (&["check", name], true, "bananas"),
        (&["check", "--color=never", name], false, "bananas"),
    ] {
        let mut terminal = Terminal::start(args, home.path());
        terminal.types("", shown);
        assert_eq!(terminal.seen.contains("\u{1b}["), colour, "{args:?}: {:?}", terminal.seen);
    }
}

#[test]
fn exims_own_way_to_the_prompt_has_no_greeting() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&["-C", "/dev/null", "-DA=b", "-be"], home.path());
    let first = terminal.types("", "> ");
    assert!(!first.contains("help"), "{first}");
    terminal.enters("xA", "xb\r\n");
    // Ctrl-D on an empty line.
    terminal.ends("\u{4}");
}

#[test]
fn what_takes_long_says_so() {
    let home = tempfile::tempdir().unwrap();
    let slow = "${run{/bin/sleep 2}{done}}";
    let mut terminal = Terminal::start(&["trace", "--expand", slow], home.path());
    terminal.waits("tracing; Ctrl-C ends it … 1 s", "");
    terminal.waits("\"done\"", "");
    // The line is gone, and what comes is not behind it.
    assert!(
        terminal.seen.contains("\r\u{1b}[K${run{/bin/sleep 2}{done}} → "),
        "{:?}",
        terminal.seen
    );
    terminal.ends("");

    let mut terminal = Terminal::start(&["repl"], home.path());
    terminal.types("", "> ");
    let said = terminal.enters(slow, "done\r\n");
    assert!(said.contains("evaluating; Ctrl-C ends it … 1 s"), "{said}");
    // What does not take long says nothing.
    let said = terminal.enters("${uc:hello}", "HELLO\r\n");
    assert!(!said.contains("evaluating"), "{said}");
    terminal.ends(":quit\r");
}
