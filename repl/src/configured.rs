//! Reads the site's configuration.

use eximious::stdlib::lists::elements;
use eximious::stdlib::options::{log_options, server_ids};
use eximious::world::Log;
use eximious::{Config, ConfigError, Macros, Registry, Settings, Str, World, opt};
use eximious_world::LogFiles;

use crate::caller;
use crate::logs::note_call;
use crate::refusal::Refusal;

/// What is wanted of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConfigUse {
    /// Whether the mail server's work ends with a mistake, and not a test: it goes to the panic
    /// log, too, to that of the configuration, as far as it could be read.
    pub keeps: bool,
    /// Whether how the program was called is logged before what follows the main section is
    /// read, if the main section says so.
    pub tells_call: bool,
    /// Whether the main section is enough.
    pub only_main: bool,
    /// Whether it may be anybody's file: whoever looks at it does nothing in its name.
    pub of_anybody: bool,
}

/// Reads the first file of a list of names that exists, and stops at the first mistake.
///
/// # Errors
/// No file can be read, or something is wrong with what it says.
pub fn read(
    names: &[u8],
    macros: Macros,
    world: &World,
    registry: &Registry,
    wanted: ConfigUse,
) -> Result<Config, ConfigError> {
    let world = &eximious_world::reading_configuration(world);
    let found = match is_safe(names, world) || wanted.of_anybody {
        true if wanted.only_main => Config::read_main(names, macros.clone(), world, registry),
        true => Config::read_all(names, macros.clone(), world, registry),
        false => Err(ConfigError::plain(unsafe_file(names, world))),
    };
    let (settings, error) = match found {
        Ok(found) if found.faults.is_empty() => return Ok(found),
        Ok(mut found) => {
            let error = found.faults.swap_remove(0);
            (found.settings, error)
        }
        Err(error) => (Settings::default(), error),
    };
    if wanted.keeps {
        let has_main = Config::read_main(names, macros, world, registry)
            .is_ok_and(|main| main.faults.is_empty());
        let after_main = has_main && !wanted.only_main;
        keep(&error, &settings, (after_main, after_main && wanted.tells_call), world);
    }
    Err(error)
}

/// `-L`: the name that this process's lines have in the system's log, which is then its only one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SyslogName(pub Option<Vec<u8>>);

impl SyslogName {
    /// Puts it in the place of what the configuration says.
    ///
    /// # Errors
    /// It is given, and whoever gives it is no administrator.
    pub fn settle(&self, settings: &mut Settings, world: &World) -> Result<(), Refusal> {
        let Some(name) = &self.0 else { return Ok(()) };
        if !caller::is_admin(settings, world) {
            let why = b"exim: you lack sufficient privilege to specify syslog process name";
            return Err(Refusal::Said(why.to_vec()));
        }
        settings.set(opt::LOG_FILE_PATH, Str::fixed("syslog"));
        settings.set(opt::SYSLOG_PROCESSNAME, Str::from(name.as_slice()));
        Ok(())
    }
}

/// The file that is read.
fn chosen(names: &[u8], world: &World) -> Option<Vec<u8>> {
    elements(names).map(|name| name.to_vec()).find(|name| world.files.stat(name, true).is_ok())
}

/// Whether nobody but the superuser and its group could have written what the superuser is to
/// do (specification 6.1). Who has other rights can do no more than it could without.
fn is_safe(names: &[u8], world: &World) -> bool {
    if world.host.ids().0 != 0 {
        return true;
    }
    let Some(file) = chosen(names, world).filter(|file| file != b"/dev/null") else { return true };
    world.files.stat(&file, true).is_ok_and(|about| about.is_superusers())
}

fn unsafe_file(names: &[u8], world: &World) -> Vec<u8> {
    let file = chosen(names, world).unwrap_or_default();
    let tail = b" has the wrong owner, group, or mode".as_slice();
    [b"Exim configuration file ", &file[..], tail].concat()
}

/// Writes a mistake to the panic log. What can't be read at all is told in the main log,
/// too; who has not the mail server's rights leaves nothing. What the main section says of
/// stamps holds where it was read to its end, and how the program was called comes before if
/// that is to be told.
fn keep(
    error: &ConfigError,
    settings: &Settings,
    (after_main, tells_call): (bool, bool),
    world: &World,
) {
    let owner = server_ids(settings, &*world.users, &*world.host);
    let (own, _) = world.host.ids();
    if own != 0 && own != owner.0 {
        return;
    }
    let mut options = log_options(settings);
    if !after_main {
        options.timezone = None;
        options.shows_millis = false;
        options.shows_pid = false;
    }
    let logs = LogFiles::new(&options, owner).silent();
    if tells_call {
        note_call(settings, &*world.host, &logs);
    }
    match error.in_configuration() {
        true => logs.panic_alone(&error.text()),
        false => logs.panic(&error.text()),
    }
}
