//! An end for programs that answer themselves for ever.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How often they are counted.
const EVERY: Duration = Duration::from_millis(500);

/// How many processes of one run there may be at once.
const MOST: usize = 200;

/// How often they are looked for that are started while others are ended.
const ROUNDS: usize = 100;

/// Ends all processes that name a file in their arguments as soon as there are too many of them,
/// until somebody says that the run is over: reports that the real Exim sends of its own reports
/// have once taken all memory.
pub(crate) fn bound(file: &Path, over: &Receiver<()>) {
    while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        if naming(file).len() > MOST {
            end(file);
        }
    }
}

/// Ends all processes that name a file in their arguments, and those that these start meanwhile.
pub(crate) fn end(file: &Path) {
    for _ in 0..ROUNDS {
        let all = naming(file);
        if all.is_empty() {
            return;
        }
        let _ = Command::new("kill").arg("-KILL").args(all).status();
    }
}

/// The numbers of the processes that name a file.
fn naming(file: &Path) -> Vec<String> {
    let file = file.as_os_str().as_encoded_bytes();
    let all = std::fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut arguments = arguments.split(|byte| *byte == 0);
        arguments.any(|one| one == file).then(|| entry.file_name().into_string().ok())?
    });
    all.collect()
}
