//! Reads the site's configuration.

use eximious::stdlib::options::{log_options, server_ids};
use eximious::world::Log;
use eximious::{Config, ConfigError, Macros, Registry, Settings, World};
use eximious_world::LogFiles;

/// Reads the first file of a list of names that exists, and stops at the first mistake.
/// Where the mail server's work ends with that (`keeps`), and not a test, the mistake goes
/// to the panic log, too: to that of the configuration, as far as it could be read.
///
/// # Errors
/// No file can be read, or something is wrong with what it says.
pub fn read(
    names: &[u8],
    macros: Macros,
    world: &World,
    registry: &Registry,
    keeps: bool,
) -> Result<Config, ConfigError> {
    let (settings, error) = match Config::read_all(names, macros, world, registry) {
        Ok(found) if found.faults.is_empty() => return Ok(found),
        Ok(mut found) => {
            let error = found.faults.swap_remove(0);
            (found.settings, error)
        }
        Err(error) => (Settings::default(), error),
    };
    if keeps {
        keep(&error, &settings, world);
    }
    Err(error)
}

/// Writes a mistake to the panic log. What can't be read at all is told in the main log,
/// too; who has not the mail server's rights leaves nothing.
fn keep(error: &ConfigError, settings: &Settings, world: &World) {
    let owner = server_ids(settings, &*world.users, &*world.host);
    let (own, _) = world.host.ids();
    if own != 0 && own != owner.0 {
        return;
    }
    let logs = LogFiles::new(&log_options(settings), owner).silent();
    match error.in_configuration() {
        true => logs.panic_alone(&error.text()),
        false => logs.panic(&error.text()),
    }
}
