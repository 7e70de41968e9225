//! Ctrl-C, for a program with a prompt: it ends what is waited for, and not the program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGINT;

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The exit status of a program that the signal ends, as shells have it.
const ENDED: i32 = 130;

/// From here on, SIGINT sets a flag, and as long as it is set, no wait of the world goes on:
/// processes that are waited for are ended. Where it is set already, the program ends.
///
/// # Errors
/// What the system says.
pub fn interrupts(flag: Arc<AtomicBool>) -> io::Result<()> {
    let flag = FLAG.get_or_init(|| flag);
    signal_hook::flag::register_conditional_shutdown(SIGINT, ENDED, flag.clone())?;
    signal_hook::flag::register(SIGINT, flag.clone())?;
    Ok(())
}

/// Whether nothing is to be waited for.
pub(crate) fn is_interrupted() -> bool {
    FLAG.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
