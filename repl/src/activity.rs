//! What this process does, for who asks by `SIGUSR1` (specification 54.1, `exiwhat`).

use std::collections::BTreeMap;
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

/// From here on, who asks is told what this process does: a line for each thread. Who can't be
/// told hears nothing.
pub fn tell(settings: &Settings, what: impl Fn() -> BTreeMap<u32, String> + Send + 'static) {
    let path = process_log(settings);
    let _ = serving::when_asked(move || {
        let lines: String = what().iter().map(|(number, what)| line(*number, what)).collect();
        let _ = serving::write_process_line(&path, lines.as_bytes());
    });
}

/// From here on, who asks is told that this process does one thing.
pub fn tell_one(settings: &Settings, what: String) {
    tell(settings, move || BTreeMap::from([(process::id(), what.clone())]));
}

/// A line of what a thread does, by its number, or a process: `exiwhat` shows one for each number.
pub fn line(number: u32, what: &str) -> String {
    format!("{number:5} {what}\n")
}

/// What is being delivered, by the numbers of threads.
pub fn deliveries(deliverer: &Deliverer) -> BTreeMap<u32, String> {
    let all = deliverer.under_way().into_iter();
    all.map(|(thread, what)| (thread, String::from_utf8_lossy(&what).into_owned())).collect()
}

/// Writes lines down, or says in the log that it can't.
pub fn write(settings: &Settings, world: &World, lines: &[u8]) {
    if let Err(why) = serving::write_process_line(&process_log(settings), lines) {
        let line = format!("cannot write the process log: {why}");
        world.log.main(line.as_bytes());
    }
}
