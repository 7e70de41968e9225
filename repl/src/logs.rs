//! The log files of a configuration, for what serves and does not only test.

use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use eximious::stdlib::options::{log_options, server_ids};
use eximious::stdlib::printing::printing;
use eximious::world::{Host, Log};
use eximious::{LogSelector, Settings, World, opt};
use eximious_world::LogFiles;

/// What is said where nothing is kept of the environment, since nobody said whether to.
const PURGED: &[u8] =
    b"Warning: purging the environment.\n Suggested action: use keep_environment.";

/// The same world with the logs that a configuration asks for. Where they are `silent`, the
/// lines of the panic log are not shown as well.
pub fn kept(settings: &Settings, world: World, silent: bool) -> World {
    let owner = server_ids(settings, &*world.users, &*world.host);
    let files = LogFiles::new(&log_options(settings), owner);
    let log: Arc<dyn Log> = Arc::new(if silent { files.silent() } else { files });
    World { log, ..world }
}

/// Writes down how the program was called, where `log_selector` has `arguments`. Where the
/// configuration says nothing of the environment, that is told before, and there is none from
/// here on.
pub fn note_call(settings: &Settings, host: &dyn Host, log: &dyn Log) {
    let is_purged = !settings.is_set(opt::KEEP_ENVIRONMENT);
    if is_purged && !host.environment_names().is_empty() {
        log.main(PURGED);
        eximious_world::rights::forget_environment();
    }
    note_arguments(settings, host, log);
}

/// Writes down how the program was called, and no more.
pub fn note_arguments(settings: &Settings, host: &dyn Host, log: &dyn Log) {
    if !settings.log_selector().contains(LogSelector::ARGUMENTS) {
        return;
    }
    let bytes_print = settings.get(opt::PRINT_TOPBITCHARS);
    let arguments: Vec<Vec<u8>> =
        std::env::args_os().map(|one| shown(&one.into_vec(), bytes_print)).collect();
    let count = format!(" {} args: ", arguments.len());
    let directory = host.directory();
    let parts = [b"cwd=", &directory[..], count.as_bytes(), &arguments.join(&b' ')];
    log.main(&parts.concat());
}

/// An argument; one that is empty or has white space as it is shown stands in quotes.
fn shown(argument: &[u8], bytes_print: bool) -> Vec<u8> {
    let printed = printing(argument, bytes_print);
    match argument.is_empty() || printed.iter().any(u8::is_ascii_whitespace) {
        true => [b"\"", &printed[..], b"\""].concat(),
        false => printed,
    }
}
