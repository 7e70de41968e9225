//! The log files of a configuration, for what serves and does not only test.

use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use eximious::stdlib::options::{log_options, server_ids};
use eximious::stdlib::printing::printing;
use eximious::world::{DebugLog, Log};
use eximious::{LogSelector, Settings, World};

use crate::output::{self, Output};

/// The same world with the logs that a configuration asks for.
pub fn kept(settings: &Settings, world: World) -> World {
    let owner = server_ids(settings, &*world.users, &*world.host);
    let log: Arc<dyn Log> = Arc::new(eximious_world::LogFiles::new(&log_options(settings), owner));
    let world = World { log, ..world };
    note_arguments(settings, &world);
    world
}

/// Writes down how the program was called, where `log_selector` has `arguments`.
pub fn note_arguments(settings: &Settings, world: &World) {
    if !settings.log_selector().contains(LogSelector::ARGUMENTS) {
        return;
    }
    let arguments: Vec<Vec<u8>> = std::env::args_os().map(|one| shown(&one.into_vec())).collect();
    let count = format!(" {} args: ", arguments.len());
    let directory = world.host.directory();
    let parts = [b"cwd=", &directory[..], count.as_bytes(), &arguments.join(&b' ')];
    world.log.main(&parts.concat());
}

/// An argument; one that is empty or has white space stands in quotes.
fn shown(argument: &[u8]) -> Vec<u8> {
    let printed = printing(argument, true);
    match argument.is_empty() || argument.iter().any(u8::is_ascii_whitespace) {
        true => [b"\"", &printed[..], b"\""].concat(),
        false => printed,
    }
}

/// The same, where each line is shown, too.
pub fn kept_and_shown(settings: &Settings, world: World) -> World {
    let world = kept(settings, world);
    let shown = output::shown_world(&Arc::new(Output::default())).log;
    let log: Arc<dyn Log> = Arc::new(Both { shown, kept: world.log });
    World { log, ..world }
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

/// Two logs, one after the other.
struct Both {
    shown: Arc<dyn Log>,
    kept: Arc<dyn Log>,
}

impl Log for Both {
    fn is_broken(&self) -> bool {
        self.kept.is_broken()
    }
    fn main(&self, line: &[u8]) {
        self.shown.main(nameless(line));
        self.kept.main(line);
    }
    fn selected(&self, by: LogSelector, line: &[u8]) {
        self.shown.selected(by, nameless(line));
        self.kept.selected(by, line);
    }
    fn panic(&self, line: &[u8]) {
        self.shown.panic(nameless(line));
        self.kept.panic(line);
    }
    fn panic_alone(&self, line: &[u8]) {
        self.shown.panic_alone(line);
        self.kept.panic_alone(line);
    }
    fn rejection(&self, line: &[u8]) {
        self.shown.rejection(nameless(line));
        self.kept.rejection(line);
    }
    fn rejected_message(&self, line: &[u8], header: &[u8]) {
        self.shown.rejection(nameless(line));
        self.kept.rejected_message(line, header);
    }
    fn rejected_message_alone(&self, line: &[u8], header: &[u8]) {
        self.shown.rejection_alone(nameless(line));
        self.kept.rejected_message_alone(line, header);
    }
    fn rejection_alone(&self, line: &[u8]) {
        self.shown.rejection_alone(line);
        self.kept.rejection_alone(line);
    }
    fn debug(&self, text: &[u8]) {
        self.shown.debug(text);
    }
    fn open_debug_log(&self, tag: &[u8]) -> Option<Result<Arc<dyn DebugLog>, Vec<u8>>> {
        self.kept.open_debug_log(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_with_white_space_stand_in_quotes() {
        assert_eq!(shown(b"-bd"), b"-bd");
        assert_eq!(shown(b""), b"\"\"");
        assert_eq!(shown(b"a b\n"), b"\"a b\\n\"");
    }
}
