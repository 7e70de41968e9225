//! Lines for logs, told beside what happens.

use std::sync::Arc;

use eximious_core::LogSelector;
use eximious_core::world::{DebugLog, Log, LogLine, LogVoice};

/// Who is told a text.
pub(super) type Teller = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Logs of which each line is told, too.
pub(super) struct Tee {
    /// Tells a text.
    pub(super) tell: Teller,
    /// Hears that something goes to the panic log, before that is told.
    pub(super) panicked: Box<dyn Fn() + Send + Sync>,
    /// Where the lines go; nowhere, where it is enough that they are told.
    pub(super) log: Option<Arc<dyn Log>>,
}

/// A line without the name of a message before it: whoever looks on knows it.
fn nameless(line: &[u8]) -> &[u8] {
    let Some((name, rest)) = line.split_at_checked(24) else { return line };
    let is_name = name.iter().enumerate().all(|(at, byte)| match at {
        6 | 18 => *byte == b'-',
        23 => *byte == b' ',
        _ => byte.is_ascii_alphanumeric(),
    });
    if is_name { rest } else { line }
}

impl Tee {
    fn line(&self, names: &str, line: &[u8]) {
        (self.tell)(&[b"LOG: ", names.as_bytes(), b"\n  ", nameless(line)].concat());
    }

    fn go_on(&self, write: impl FnOnce(&dyn Log)) {
        if let Some(log) = &self.log {
            write(&**log);
        }
    }
}

impl Log for Tee {
    fn is_broken(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.is_broken())
    }
    fn opens(&self) -> bool {
        self.log.as_ref().is_none_or(|log| log.opens())
    }
    fn main(&self, line: &[u8]) {
        self.line("MAIN", line);
        self.go_on(|log| log.main(line));
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        self.line(&[by.word().unwrap_or_default(), " MAIN"].concat(), line);
        self.go_on(|log| log.selected(by, line));
    }
    fn told(&self, voice: LogVoice, line: &LogLine) {
        let names = match voice {
            LogVoice::Main => "MAIN".to_owned(),
            LogVoice::Selected(by) => [by.word().unwrap_or_default(), " MAIN"].concat(),
            LogVoice::Panic => {
                (self.panicked)();
                "MAIN PANIC".to_owned()
            }
        };
        self.line(&names, line.open_text());
        self.go_on(|log| log.told(voice, line));
    }
    fn told_rejection(&self, line: &LogLine, header: &[u8]) {
        self.line("MAIN REJECT", line.text());
        self.go_on(|log| log.told_rejection(line, header));
    }
    fn unselected(&self, by: LogSelector, line: &[u8]) {
        self.line(&[by.word().unwrap_or_default(), " MAIN"].concat(), line);
        self.go_on(|log| log.unselected(by, line));
    }
    fn shows_unselected(&self) -> bool {
        true
    }
    fn panic(&self, line: &[u8]) {
        (self.panicked)();
        self.line("MAIN PANIC", line);
        self.go_on(|log| log.panic(line));
    }
    fn dying(&self, line: &[u8]) {
        (self.panicked)();
        self.line("MAIN PANIC DIE", line);
        self.go_on(|log| log.dying(line));
    }
    fn panic_alone(&self, line: &[u8]) {
        (self.panicked)();
        self.line("PANIC", line);
        self.go_on(|log| log.panic_alone(line));
    }
    fn rejection(&self, line: &[u8]) {
        self.line("MAIN REJECT", line);
        self.go_on(|log| log.rejection(line));
    }
    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        self.line("MAIN REJECT", line);
        self.go_on(|log| log.rejected_message(line, header));
    }
    fn selected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        self.line(&[by.word().unwrap_or_default(), " MAIN REJECT"].concat(), line);
        self.go_on(|log| log.selected_rejection(by, line, header));
    }
    fn unselected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        self.line(&[by.word().unwrap_or_default(), " MAIN REJECT"].concat(), line);
        self.go_on(|log| log.unselected_rejection(by, line, header));
    }
    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        self.line("REJECT", line);
        self.go_on(|log| log.rejected_message_alone(line, header));
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.line("REJECT", line);
        self.go_on(|log| log.rejection_alone(line));
    }
    fn debug(&self, text: &[u8]) {
        match &self.log {
            Some(log) => log.debug(text),
            None => (self.tell)(text.strip_suffix(b"\n").unwrap_or(text)),
        }
    }
    fn open_debug_log(&self, tag: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
        self.log.as_ref()?.open_debug_log(tag)
    }
}
