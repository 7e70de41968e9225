//! What this process does, for who asks by `SIGUSR1` (specification 54.1, `exiwhat`).

use std::process;

use eximious::{Settings, World, opt};
use eximious_mta::delivery::Deliverer;
use eximious_world::serving;

/// Where processes write down what they do.
fn process_log(settings: &Settings) -> Vec<u8> {
    match settings.text(opt::PROCESS_LOG_PATH) {
        Some(path) => path.bytes().to_vec(),
        None => [settings.get(opt::SPOOL_DIRECTORY).bytes(), b"/exim-process.info"].concat(),
    }
}

/// From here on, who asks is told what this process does: a line for each thing. Who can't be
/// told hears nothing.
pub fn tell(settings: &Settings, what: impl Fn() -> Vec<String> + Send + 'static) {
    let path = process_log(settings);
    let _ = serving::when_asked(move || {
        let lines: String = what().iter().map(|what| line(what)).collect();
        let _ = serving::write_process_line(&path, lines.as_bytes());
    });
}

/// A line of what this process does.
pub fn line(what: &str) -> String {
    format!("{:5} {what}\n", process::id())
}

/// The messages that are being delivered.
pub fn deliveries(deliverer: &Deliverer) -> Vec<String> {
    let ids = deliverer.under_way().into_iter();
    ids.map(|id| format!("delivering {}", String::from_utf8_lossy(&id))).collect()
}

/// Writes lines down, or says in the log that it can't.
pub fn write(settings: &Settings, world: &World, lines: &[u8]) {
    if let Err(why) = serving::write_process_line(&process_log(settings), lines) {
        let line = format!("cannot write the process log: {why}");
        world.log.main(line.as_bytes());
    }
}
