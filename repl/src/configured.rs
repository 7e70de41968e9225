//! Reads the site's configuration.

use std::time::Duration;

use eximious::stdlib::lists::elements;
use eximious::stdlib::options::{log_options, server_ids};
use eximious::world::Log;
use eximious::{Config, ConfigError, Expanded, Macros, Registry, Settings, Str, World, opt};
use eximious_world::LogFiles;

use crate::caller;
use crate::logs::note_call;
use crate::refusal::Refusal;

/// For whom something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Whose {
    /// Whoever calls, as far as what comes first can tell.
    #[default]
    Anybody,
    /// Administrators.
    Admins,
    /// The same, unless `prod_requires_admin` is off.
    Prodders,
    /// Who is trusted (`-G`).
    Trusted,
}

impl Whose {
    /// What is said to a caller for whom it is not done.
    fn refused(self, settings: &Settings, world: &World) -> Option<&'static str> {
        let is_free = match self {
            Self::Anybody => true,
            Self::Trusted => caller::is_trusted(settings, world),
            Self::Prodders if !settings.get(opt::PROD_REQUIRES_ADMIN) => true,
            Self::Admins | Self::Prodders => caller::is_admin(settings, world),
        };
        match self {
            _ if is_free => None,
            Self::Trusted => Some("exim: permission denied (-G requires a trusted user)"),
            _ => Some("exim: permission denied; not admin"),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Unconfigured {
    /// This is wrong with it.
    Wrong(ConfigError),
    /// Something behind the main section is, of which its caller is not told.
    Refused(&'static str),
}

impl Unconfigured {
    /// As [`Refusal::of`].
    pub fn refusal(self, shown: bool) -> Refusal {
        match self {
            Self::Wrong(error) => Refusal::of(&error, shown),
            Self::Refused(why) => Refusal::Said(why.into()),
        }
    }
}

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
    /// Whom it is read for: nobody else hears what is wrong behind the main section, and logs
    /// don't either.
    pub whose: Whose,
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
) -> Result<Config, Unconfigured> {
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
        let logs = logs_of(&settings, after_main, world);
        if let Some(logs) = logs.as_ref().filter(|_| after_main && wanted.tells_call) {
            note_call(&settings, &*world.host, logs);
        }
        if let Some(why) = wanted.whose.refused(&settings, world).filter(|_| after_main) {
            return Err(Unconfigured::Refused(why));
        }
        if let Some(logs) = logs {
            keep(&error, &logs);
        }
    }
    Err(Unconfigured::Wrong(error))
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

/// `-or`, `-os`: how long others are waited for, whatever the configuration says; without a time
/// (`0s`), for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Patience {
    /// For a message at the standard input.
    pub message: Option<Duration>,
    /// For an SMTP client.
    pub client: Option<Duration>,
}

impl Patience {
    /// Puts it in the place of what the configuration says.
    pub fn settle(self, settings: &mut Settings) {
        if let Some(time) = self.message {
            settings.set(opt::RECEIVE_TIMEOUT, time);
        }
        if let Some(time) = self.client {
            settings.set(opt::SMTP_RECEIVE_TIMEOUT, Expanded::Value(time));
        }
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

/// The logs that hear of a mistake; who has not the mail server's rights leaves nothing. What
/// the main section says of stamps holds where it was read to its end.
fn logs_of(settings: &Settings, after_main: bool, world: &World) -> Option<LogFiles> {
    let owner = server_ids(settings, &*world.users, &*world.host);
    let (own, _) = world.host.ids();
    if own != 0 && own != owner.0 {
        return None;
    }
    let mut options = log_options(settings);
    if !after_main {
        options.timezone = None;
        options.shows_millis = false;
        options.shows_pid = false;
    }
    Some(LogFiles::new(&options, owner).silent())
}

/// Writes a mistake to the panic log. What can't be read at all is told in the main log, too.
fn keep(error: &ConfigError, logs: &LogFiles) {
    match error.in_configuration() {
        true => logs.panic_alone(&error.text()),
        false => logs.panic(&error.text()),
    }
}
