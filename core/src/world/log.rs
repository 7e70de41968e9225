//! The logs.

use std::sync::Arc;

use crate::{LogSelector, Str};

mod line;

pub use line::{LogLine, LogPart};

/// What a configuration says of the files of logs, and of the system's.
#[derive(Clone, PartialEq, Debug)]
pub struct LogOptions {
    /// `log_file_path`.
    pub file_path: Str,
    /// `log_json_file`: where each entry stands as an object of JSON, too.
    pub json_file: Str,
    /// `spool_directory`.
    pub spool_directory: Str,
    /// `timezone`, where it is set.
    pub timezone: Option<Str>,
    /// `log_timezone`.
    pub shows_zone: bool,
    /// `log_selector = +millisec`.
    pub shows_millis: bool,
    /// `log_selector = +pid`.
    pub shows_pid: bool,
    /// `write_rejectlog`.
    pub rejections: bool,
    /// `syslog_facility`.
    pub syslog_facility: Str,
    /// `syslog_processname`.
    pub syslog_name: Str,
    /// `syslog_pid`.
    pub syslog_shows_pid: bool,
    /// `syslog_timestamp`.
    pub syslog_shows_time: bool,
    /// `syslog_duplication`.
    pub syslog_duplicates: bool,
}

/// Which logs a line is for, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogVoice {
    /// The main log.
    Main,
    /// The same, because `log_selector` has a word.
    Selected(LogSelector),
    /// The main and the panic log.
    Panic,
}

/// The logs.
pub trait Log: Send + Sync {
    /// A line for the main log.
    fn main(&self, line: &[u8]);
    /// The same, for a line that is there because `log_selector` has a word: whoever
    /// shows where lines come from shows that, too.
    fn selected(&self, by: LogSelector, line: &[u8]) {
        let _ = by;
        self.main(line);
    }
    /// A line that knows its parts: not every log wants to know them.
    fn told(&self, voice: LogVoice, line: &LogLine) {
        match voice {
            LogVoice::Main => self.main(line.text()),
            LogVoice::Selected(by) => self.selected(by, line.text()),
            LogVoice::Panic => self.panic(line.text()),
        }
    }
    /// The same as [`Log::rejected_message`].
    fn told_rejection(&self, line: &LogLine, header: &[u8]) {
        self.rejected_message(line.text(), header);
    }
    /// A line for the main and the panic log.
    fn panic(&self, line: &[u8]);
    /// A line that the main log would have if `log_selector` had a word: nobody hears of it
    /// but who looks on.
    fn unselected(&self, by: LogSelector, line: &[u8]) {
        let _ = (by, line);
    }
    /// Whether somebody looks on, who is shown lines that no log has.
    fn shows_unselected(&self) -> bool {
        false
    }
    /// Whether all logs are one to it, where a line is shown once.
    fn is_one(&self) -> bool {
        false
    }
    /// The same, where nothing goes on after it.
    fn dying(&self, line: &[u8]) {
        self.panic(line);
    }
    /// A line for the panic log alone.
    fn panic_alone(&self, line: &[u8]) {
        self.panic(line);
    }
    /// A line for the main log and that of rejections; not everybody keeps one.
    fn rejection(&self, line: &[u8]) {
        self.main(line);
    }
    /// The same, for a message whose header is here: the log of rejections has it
    /// behind the line.
    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        let _ = header;
        self.rejection(line);
    }
    /// The same, where the main log has it because `log_selector` has a word.
    fn selected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        let _ = by;
        self.rejected_message(line, header);
    }
    /// The same, where the main log has it not because `log_selector` lacks a word.
    fn unselected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        let _ = by;
        self.rejected_message_alone(line, header);
    }
    /// A line for the log of rejections alone.
    fn rejection_alone(&self, line: &[u8]) {
        let _ = line;
    }
    /// The same, for a message whose header is here.
    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        let _ = header;
        self.rejection_alone(line);
    }
    /// Whether what was written last to the main log is not there.
    fn is_broken(&self) -> bool {
        false
    }
    /// Whether the main log can be written to, which is tried where it is not open. Where it
    /// can't, that is told as of a line.
    fn opens(&self) -> bool {
        true
    }
    /// Text for the debugging output.
    fn debug(&self, text: &[u8]);
    /// Opens the log for debugging; its name has a tag at its end. Otherwise, why it
    /// can't be opened; nothing where nobody keeps logs.
    fn open_debug_log(&self, tag: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
        let _ = tag;
        None
    }
}

impl dyn Log + '_ {
    /// Whether anybody hears of a line for the main log that hangs on a selector.
    pub fn hears(&self, wanted: LogSelector, by: LogSelector) -> bool {
        wanted.contains(by) || self.shows_unselected()
    }

    /// A line for the main log, if the selectors that are wanted have this one; who looks on
    /// is shown it anyway (specification, `-v`).
    pub fn by_selector(&self, wanted: LogSelector, by: LogSelector, line: &[u8]) {
        match wanted.contains(by) {
            true => self.selected(by, line),
            false => self.unselected(by, line),
        }
    }
}

/// A log for debugging: a file of its own.
pub trait DebugLog: Send + Sync {
    /// The file's name.
    fn name(&self) -> &[u8];
    /// Adds text, as it is. What can't be written is lost.
    fn write(&self, text: &[u8]);
    /// Removes the file.
    fn remove(&self);
}

/// The logs for lines about a message: its name stands before each. Without a name,
/// they are as they were.
pub fn log_of(id: Str, log: Arc<dyn Log>) -> Arc<dyn Log> {
    match id.is_empty() {
        true => log,
        false => Arc::new(LogOf { id, log }),
    }
}

struct LogOf {
    id: Str,
    log: Arc<dyn Log>,
}

impl LogOf {
    fn named(&self, line: &[u8]) -> Vec<u8> {
        [self.id.bytes(), b" ", line].concat()
    }
}

impl Log for LogOf {
    fn main(&self, line: &[u8]) {
        self.log.main(&self.named(line));
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        self.log.selected(by, &self.named(line));
    }
    fn told(&self, voice: LogVoice, line: &LogLine) {
        let name = [self.id.bytes(), b" "].concat();
        self.log.told(voice, &line.behind(LogPart::Id, name));
    }
    fn told_rejection(&self, line: &LogLine, header: &[u8]) {
        let name = [self.id.bytes(), b" "].concat();
        self.log.told_rejection(&line.behind(LogPart::Id, name), header);
    }
    fn unselected(&self, by: LogSelector, line: &[u8]) {
        self.log.unselected(by, &self.named(line));
    }
    fn shows_unselected(&self) -> bool {
        self.log.shows_unselected()
    }
    fn panic(&self, line: &[u8]) {
        self.log.panic(&self.named(line));
    }
    fn dying(&self, line: &[u8]) {
        self.log.dying(&self.named(line));
    }
    fn panic_alone(&self, line: &[u8]) {
        self.log.panic_alone(&self.named(line));
    }
    fn rejection(&self, line: &[u8]) {
        self.log.rejection(&self.named(line));
    }
    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        self.log.rejected_message(&self.named(line), header);
    }
    fn selected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        self.log.selected_rejection(by, &self.named(line), header);
    }
    fn unselected_rejection(&self, by: LogSelector, line: &[u8], header: &[u8]) {
        self.log.unselected_rejection(by, &self.named(line), header);
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.log.rejection_alone(&self.named(line));
    }
    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        self.log.rejected_message_alone(&self.named(line), header);
    }
    fn is_broken(&self) -> bool {
        self.log.is_broken()
    }
    fn opens(&self) -> bool {
        self.log.opens()
    }
    fn is_one(&self) -> bool {
        self.log.is_one()
    }
    fn debug(&self, text: &[u8]) {
        self.log.debug(text);
    }
    fn open_debug_log(&self, tag: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
        self.log.open_debug_log(tag)
    }
}
