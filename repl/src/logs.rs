//! The log files of a configuration, for what serves and does not only test.

use std::sync::Arc;

use eximious::world::Log;
use eximious::{Settings, World};

use crate::output::{self, Output};

/// The same world with the logs that a configuration asks for.
pub fn kept(settings: &Settings, world: World) -> World {
    let owner = settings.server_ids(&*world.users, &*world.host);
    let log: Arc<dyn Log> = Arc::new(eximious_world::Logs::new(settings, owner));
    World { log, ..world }
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
    fn main(&self, line: &[u8]) {
        self.shown.main(nameless(line));
        self.kept.main(line);
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
    fn rejection_alone(&self, line: &[u8]) {
        self.shown.rejection_alone(line);
        self.kept.rejection_alone(line);
    }
    fn debug(&self, text: &[u8]) {
        self.shown.debug(text);
    }
}
