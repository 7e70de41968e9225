//! `-d`: what happens is told on the standard error.

use std::io::{self, Write};
use std::sync::Arc;

use eximious::debugging::{DebugOutput, DebugSelector};
use eximious::{Context, Settings, World};
use eximious_mta::delivery::Deliverer;
use eximious_world::serving;

use crate::caller;
use crate::daemon::DaemonRequest;
use crate::refusal::Refusal;

/// What tells what is selected, where that was asked for; for a test, its comments, too.
///
/// # Errors
/// Whoever runs the program may not see it.
pub fn begin(
    selector: Option<DebugSelector>,
    tests: bool,
    settings: &Settings,
    world: &World,
) -> Result<Option<Arc<DebugOutput>>, Refusal> {
    begin_at(selector, tests, (settings, world), put)
}

/// The same in a daemon, where each line tells by a number which thread has it to say: the
/// threads are what Exim's processes are. With `-v`, log lines and little more are told.
///
/// # Errors
/// Whoever runs the program may not see it.
pub fn begin_daemon(
    request: &DaemonRequest,
    settings: &Settings,
    world: &World,
) -> Result<Option<Arc<DebugOutput>>, Refusal> {
    let begun = begin_at(request.debug, false, (settings, world), put_numbered)?;
    Ok(match begun {
        None if request.verbose => {
            let output = DebugOutput::new(DebugSelector::VERBOSE, false, world, put_numbered);
            Some(Arc::new(output))
        }
        begun => begun,
    })
}

fn begin_at(
    selector: Option<DebugSelector>,
    tests: bool,
    (settings, world): (&Settings, &World),
    put: fn(&[u8]),
) -> Result<Option<Arc<DebugOutput>>, Refusal> {
    let Some(selector) = selector else { return Ok(None) };
    if !caller::is_admin(settings, world) {
        let why = b"exim: debugging permission denied; not admin".to_vec();
        return Err(Refusal::Said(why));
    }
    // Who takes everything away, but for what `-v` says, is told nothing of it.
    if selector.bits() & !DebugSelector::VERBOSE.bits() == 0 {
        return Ok(None);
    }
    let output = Arc::new(DebugOutput::new(selector, tests, world, put));
    let (uid, gid) = world.host.ids();
    let (pid, bits) = (world.host.pid(), selector.bits());
    let version = env!("CARGO_PKG_VERSION");
    let head = format!("eximious version {version} uid={uid} gid={gid} pid={pid} D={bits:x}");
    output.say(0, head.as_bytes());
    Ok(Some(output))
}

/// What `-v` tells: what is logged, and what is said to other hosts; for a test, its comments,
/// too.
pub fn verbose(tests: bool, world: &World) -> Arc<DebugOutput> {
    Arc::new(DebugOutput::new(DebugSelector::VERBOSE, tests, world, put))
}

/// Has deliveries tell who is told of everything else.
pub fn watched(deliverer: Deliverer, cx: &mut Context) -> Deliverer {
    cx.trace().observers().cloned().fold(deliverer, Deliverer::observed)
}

fn put_numbered(text: &[u8]) {
    let head = format!("{:>5} ", serving::thread_number());
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    put(&lines.flat_map(|line| [head.as_bytes(), line]).collect::<Vec<_>>().concat());
}

fn put(text: &[u8]) {
    // There is nobody to tell that the standard error is closed.
    let _ = io::stderr().write_all(text);
}
