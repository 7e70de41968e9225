//! `-bP`: what a configuration says.

use eximious::config::{Printed, Printer};
use eximious::{Engine, Macros};

use crate::caller;
use crate::configured::{self, ConfigUse, SyslogName};
use crate::logs;
use crate::refusal::Refusal;
use crate::rights::Rights;
use crate::usual;

/// `-bP`: what is to be printed.
#[derive(Debug)]
pub struct ShowRequest {
    /// `-C`: names of configuration files, the first that exists counts.
    pub config: Option<Vec<u8>>,
    /// `-D`: macros.
    pub macros: Macros,
    /// `-n`: values without their names.
    pub values_only: bool,
    /// `-v`: faults are shown.
    pub verbose: bool,
    /// `-L`
    pub syslog_name: SyslogName,
    /// What of it: names of options, and words for kinds.
    pub words: Vec<Vec<u8>>,
}

/// What there is to print.
pub struct Shown {
    /// What the configuration says.
    pub printed: Printed,
    /// What Exim logs while it reads.
    pub warnings: Vec<Vec<u8>>,
}

/// What is printed for a request's words.
///
/// # Errors
/// The configuration can't be read: what Exim says then.
pub fn show(request: ShowRequest) -> Result<Shown, Refusal> {
    let world = eximious_world::system();
    let builder = Engine::builder();
    let macros = request.macros;
    let whole = request.words.first().is_some_and(|word| word == b"config");
    let brings_macros = request.config.is_none() && macros.iter().next().is_some();
    let names = request.config.unwrap_or_else(|| usual::FILES.to_vec());
    let wanted = ConfigUse { keeps: true, ..ConfigUse::default() };
    let mut config =
        configured::read(&names, macros, &world, builder.registry(), wanted).map_err(|error| {
            // What is printed as it was read goes to where the log goes.
            error.refusal(!whole || request.verbose)
        })?;
    request.syslog_name.settle(&mut config.settings, &world)?;
    let world = Rights::Server.settle(&config.settings, world)?;
    if whole {
        let kept = logs::kept(&config.settings, world.clone(), false);
        logs::note_arguments(&config.settings, &*kept.host, &*kept.log);
    }
    let admin = caller::is_admin(&config.settings, &world);
    let printer = Printer {
        config: &config,
        registry: builder.registry(),
        world: &world,
        values_only: request.values_only,
        admin,
        version: eximious::stdlib::variables::VERSION,
    };
    let mut printed = printer.print(&request.words);
    if brings_macros && !admin && !whole {
        // They count nevertheless, as the program has no privileges to lose.
        let line = format!("macros_trusted rejecting macros for uid {}\n", world.host.caller().0);
        printed.refusals.splice(0..0, line.into_bytes());
    }
    Ok(Shown { printed, warnings: config.warnings })
}
