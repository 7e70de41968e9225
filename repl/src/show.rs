//! `-bP`: what a configuration says.

use eximious::Engine;
use eximious::config::{Config, Printed, Printer};

use crate::caller;
use crate::options::Options;
use crate::rights;
use crate::session::Refusal;
use crate::usual;

/// The release of Exim whose answers these are.
const VERSION: &str = "4.98.2";

/// What there is to print.
pub struct Shown {
    /// What the configuration says.
    pub printed: Printed,
    /// What Exim logs while it reads.
    pub warnings: Vec<Vec<u8>>,
}

/// What is printed for the options' words.
///
/// # Errors
/// The configuration can't be read: what Exim says then.
pub fn show(options: &mut Options) -> Result<Shown, Refusal> {
    let world = eximious_world::system();
    let builder = Engine::builder();
    let macros = std::mem::take(&mut options.macros);
    let whole = options.texts.first().is_some_and(|word| word == b"config");
    let admin = caller::administrates(&world);
    let refused = !admin && !whole && options.config.is_none() && macros.iter().next().is_some();
    let names = options.config.take().unwrap_or_else(|| usual::FILES.to_vec());
    let config = Config::read(&names, macros, &world, builder.registry()).map_err(|error| {
        // What is printed as it was read goes to where the log goes.
        Refusal::of(&error, !whole || options.verbose)
    })?;
    rights::settle(&options.action, &config.settings, &world)?;
    let printer = Printer {
        config: &config,
        registry: builder.registry(),
        world: &world,
        values_only: options.values_only,
        admin,
        version: VERSION,
    };
    let mut printed = printer.print(&options.texts);
    if refused {
        // They count nevertheless, as the program has no privileges to lose.
        let line = format!("macros_trusted rejecting macros for uid {}\n", world.host.caller().0);
        printed.refusals.splice(0..0, line.into_bytes());
    }
    Ok(Shown { printed, warnings: config.warnings })
}
