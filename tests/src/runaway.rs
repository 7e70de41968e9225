//! An end for programs that answer themselves for ever.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How often they are counted.
const EVERY: Duration = Duration::from_millis(500);

/// How many processes of one run there may be at once.
const MOST: usize = 200;

/// Ends all processes that name a file in their arguments as soon as there are too many of them,
/// until somebody says that the run is over: reports that the real Exim sends of its own reports
/// have once taken all memory.
pub(crate) fn bound(file: &Path, over: &Receiver<()>) {
    while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        while let Some(all) = too_many(file) {
            let _ = Command::new("kill").arg("-KILL").args(all).status();
        }
    }
}

/// The numbers of the processes that name a file, if they are too many.
fn too_many(file: &Path) -> Option<Vec<String>> {
    let file = file.as_os_str().as_encoded_bytes();
    let all = std::fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut arguments = arguments.split(|byte| *byte == 0);
        arguments.any(|one| one == file).then(|| entry.file_name().into_string().ok())?
    });
    Some(all.collect()).filter(|all: &Vec<_>| all.len() > MOST)
}
