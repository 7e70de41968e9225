//! What is said of how a command ended.

use eximious_core::world::PipeOrder;

use super::command;
use crate::mail::transport::TransportCall;

/// The code of a command that can't be executed.
pub(super) const NOT_EXECUTED: i32 = 127;

/// What is said of a command that failed with a code, or by a signal, which is negative.
pub(super) fn failed(call: &TransportCall<'_>, order: &PipeOrder, code: i32) -> Vec<u8> {
    let head = [b"Child process of ", call.transport.name.bytes(), b" transport "].concat();
    if code < 0 {
        let signal = -code;
        let tail = format!("\") was terminated by signal {signal} ({})", signal_name(signal));
        let line = command::line(call);
        return [&head[..], b"(running command \"", line.bytes(), tail.as_bytes()].concat();
    }
    let meaning = match meaning(code) {
        Some(meaning) => format!(" (could mean {meaning})"),
        None if code > 128 => {
            let signal = code - 128;
            let name = signal_name(signal);
            format!(" (could mean shell command ended by signal {signal} ({name}))")
        }
        None => String::new(),
    };
    let returned = format!("returned {code}{meaning} from command: ");
    let program = order.argv.first().map(Vec::as_slice).unwrap_or_default();
    let quote: &[u8] = if program.contains(&b' ') { b"\"" } else { b"" };
    [&head[..], returned.as_bytes(), quote, program, quote].concat()
}

/// What a code usually means (`sysexits.h`).
fn meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        64 => "usage or syntax error",
        65 => "error in input data",
        66 => "input data missing",
        67 => "user nonexistent",
        68 => "host nonexistent",
        69 => "service or program unavailable",
        70 => "internal software error",
        71 => "internal operating system error",
        72 => "system file missing",
        73 => "can't create output file",
        74 => "input/output error",
        75 => "temporary error",
        76 => "protocol error",
        77 => "permission denied",
        78 => "configuration error",
        NOT_EXECUTED => "unable to exec or command does not exist",
        _ => return None,
    })
}

/// The system's words for a signal.
fn signal_name(signal: i32) -> String {
    const NAMES: [&str; 31] = [
        "Hangup",
        "Interrupt",
        "Quit",
        "Illegal instruction",
        "Trace/breakpoint trap",
        "Aborted",
        "Bus error",
        "Floating point exception",
        "Killed",
        "User defined signal 1",
        "Segmentation fault",
        "User defined signal 2",
        "Broken pipe",
        "Alarm clock",
        "Terminated",
        "Stack fault",
        "Child exited",
        "Continued",
        "Stopped (signal)",
        "Stopped",
        "Stopped (tty input)",
        "Stopped (tty output)",
        "Urgent I/O condition",
        "CPU time limit exceeded",
        "File size limit exceeded",
        "Virtual timer expired",
        "Profiling timer expired",
        "Window changed",
        "I/O possible",
        "Power failure",
        "Bad system call",
    ];
    let at = usize::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    match at.and_then(|at| NAMES.get(at)) {
        Some(name) => (*name).to_owned(),
        None => format!("Unknown signal {signal}"),
    }
}
