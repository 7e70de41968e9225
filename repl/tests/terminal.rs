//! The prompt at a terminal: a pseudo-terminal types, and looks at the screen.
// Tests start programs, read files and look at the clock.
#![allow(clippy::disallowed_methods)]

mod common;

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
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let text = plain(&self.seen);
            if text.contains(awaited) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("{awaited:?} did not come: {text:?}"),
            }
        }
    }

    fn ends(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

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
fn a_session() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&[], home.path());
    let greeting = terminal.types("", "> ");
    assert!(greeting.contains("\"help\" says what else there is"), "{greeting}");
    terminal.types("${uc:hello}\r", "HELLO");
    // Completion, and a signature while typing.
    terminal.types("${lc:${extr\t", "${extract{");
    terminal.types("1}{:}{A:B}}}\r", "a\r\n");
    // Where the fault is.
    let failed = terminal.types("x ${nosuch:y}\r", "^^^");
    assert!(failed.contains("unknown expansion operator \"nosuch\""), "{failed}");
    // Lines that go on, settings, macros, commands.
    terminal.types("set acl_m_x = a\\\r  b\r", "variable m_x set");
    terminal.types("[$acl_m_x]\r", "[ab]\r\n");
    terminal.types("Hello\r", "Put a space before it");
    terminal.types("help sg\r", "sg (item)");
    terminal.types(":nosuch\r", "there is no :nosuch");
    terminal.types(":set sender_address = a@b.example\r", "> ");
    terminal.types("[$sender_address]\r", "[a@b.example]\r\n");
    terminal.types(":quit\r", "\r\n");
    terminal.ends();
    let history = std::fs::read_to_string(home.path().join("eximious/history")).unwrap();
    assert!(history.contains("${uc:hello}"), "{history}");
}

#[test]
fn exims_own_way_to_the_prompt_has_no_greeting() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&["-DA=b", "-be"], home.path());
    let first = terminal.types("", "> ");
    assert!(!first.contains("help"), "{first}");
    terminal.types("xA\r", "xb\r\n");
    // Ctrl-D on an empty line.
    terminal.types("\u{4}", "");
    terminal.ends();
}
