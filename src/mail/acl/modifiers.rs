//! The modifiers of ACLs (specification 44.12).

use std::time::Duration;

use eximious_core::Str;
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::Logs;
use super::machine::{Answer, Run};

/// `delay`.
pub(super) fn delay(run: &mut Run<'_>, text: &Str) -> Answer {
    let Some(time) = seconds(text.bytes().trim_ascii()) else {
        let head = b"syntax error in argument for \"delay\" modifier: \"";
        let message = [head, text.bytes(), b"\" is not a time value"].concat();
        run.logged = Some(Str::from(message));
        return Answer::Error;
    };
    run.note(format!("delay modifier requests {time}-second delay").as_bytes());
    let sends = !run.state.has("no_delay_flush");
    run.host.delay(Duration::from_secs(u64::try_from(time).unwrap_or(0)), sends);
    Answer::Yes
}

/// `queue`: the name is that of a directory.
pub(super) fn queue(run: &mut Run<'_>, text: &Str) -> Answer {
    let (name, taint) = text.read();
    let refusal = match () {
        () if taint.is_tainted() => {
            [b"Tainted name '", name, b"' for queue not permitted"].concat()
        }
        () if name.contains(&b'/') => {
            [b"Directory separator not permitted in queue name: '", name, b"'"].concat()
        }
        () => {
            run.state.queue = text.clone();
            run.cx.set_var(var::QUEUE_NAME, text.clone());
            return Answer::Yes;
        }
    };
    run.logged = Some(Str::from(refusal));
    Answer::Error
}

/// `set`.
pub(super) fn set(run: &mut Run<'_>, variable: Option<&Str>, text: &Str) -> Answer {
    if let Some(variable) = variable {
        run.cx.set(variable.bytes(), text.clone());
    }
    Answer::Yes
}

/// `logwrite`.
pub(super) fn logwrite(run: &mut Run<'_>, text: &Str) -> Answer {
    // What does not print would forge lines.
    let topbit = run.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
    let bytes = &printing(text.bytes().trim_ascii_start(), topbit)[..];
    let named = bytes.strip_prefix(b":").and_then(|rest| {
        let end = memchr::memchr(b':', rest)?;
        Some((&rest[..end], &rest[end + 1..]))
    });
    let Some((names, line)) = named else {
        run.host.log(bytes);
        return Answer::Yes;
    };
    let (mut logs, unknown) = logs(names.split(|byte| *byte == b','));
    if !unknown.is_empty() {
        let parts = [b"unknown log name in \"".as_slice(), bytes, b"\" in \"logwrite\" in "];
        let tail = format!("{} ACL", run.phase.called());
        run.host.log_to(Logs::PANIC, &[&parts.concat(), tail.as_bytes()].concat());
        return Answer::Yes;
    }
    if !(logs.main || logs.reject || logs.panic) {
        logs = Logs::MAIN;
    }
    run.host.log_to(logs, line.trim_ascii_start());
    Answer::Yes
}

/// `log_reject_target`.
pub(super) fn log_reject_target(run: &mut Run<'_>, text: &Str) -> Answer {
    let names: Vec<Vec<u8>> = elements(text.bytes()).map(|name| name.to_vec()).collect();
    let (mut logs, unknown) = logs(names.iter().map(Vec::as_slice));
    for name in unknown {
        // Whatever it was to be, the refusal is told.
        (logs.main, logs.reject) = (true, true);
        let head = [b"unknown log name \"".as_slice(), &name, b"\" in \"log_reject_target\" in "];
        let tail = format!("{} ACL", run.phase.called());
        run.host.log_to(Logs::PANIC, &[&head.concat(), tail.as_bytes()].concat());
    }
    run.reject_logs = logs;
    Answer::Yes
}

/// The logs of these names, and the names of none.
fn logs<'n>(names: impl Iterator<Item = &'n [u8]>) -> (Logs, Vec<Vec<u8>>) {
    let mut logs = Logs { main: false, reject: false, panic: false };
    let mut unknown = Vec::new();
    for name in names {
        match name.trim_ascii() {
            b"" => {}
            b"main" => logs.main = true,
            b"reject" => logs.reject = true,
            b"panic" => logs.panic = true,
            other => unknown.push(other.to_vec()),
        }
    }
    (logs, unknown)
}
