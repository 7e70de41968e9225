//! `-bP`: what a configuration says.

use eximious::config::{Config, Printed, Printer};
use eximious::{ConfigError, Engine};

use crate::options::Options;
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
    let (uid, _) = world.host.ids();
    let names = options.config.take().unwrap_or_else(|| usual::FILES.to_vec());
    let macros = std::mem::take(&mut options.macros);
    let whole = options.texts.first().is_some_and(|word| word == b"config");
    let config = Config::read(&names, macros, &world, builder.registry()).map_err(|error| {
        // What is printed as it was read goes to where the log goes.
        if whole { Refusal::from(error) } else { Refusal::Said(panicked(error)) }
    })?;
    let printer = Printer {
        config: &config,
        registry: builder.registry(),
        world: &world,
        values_only: options.values_only,
        admin: uid == 0,
        version: VERSION,
    };
    Ok(Shown { printed: printer.print(&options.texts), warnings: config.warnings })
}

/// A mistake, as Exim prints it where the log would be in the way.
fn panicked(error: ConfigError) -> Vec<u8> {
    let text = error.text();
    let logs = match error.in_configuration() {
        true if error.is_of_definition() => "PANIC",
        true => "PANIC DIE",
        false => "MAIN PANIC DIE",
    };
    let mut out = format!("LOG: {logs}").into_bytes();
    for line in text.split(|c| *c == b'\n') {
        out.extend_from_slice(b"\n  ");
        out.extend_from_slice(line.strip_prefix(b"  ").unwrap_or(line));
    }
    out
}
