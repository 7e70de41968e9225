//! Lines for the logs (specification 53).

use eximious::Str;
use eximious::acl::Logs;
use eximious::world::Log;

/// A line with a message's name before it, where the message has one.
pub(crate) fn named(id: &Str, line: &[u8]) -> Vec<u8> {
    match id.is_empty() {
        true => line.to_vec(),
        false => [id.bytes(), b" ", line].concat(),
    }
}

/// Writes a line to some of the logs; that of rejections has a message's header
/// behind it.
pub(crate) fn write(log: &dyn Log, logs: Logs, line: &[u8], header: &[u8]) {
    match (logs.main, logs.reject) {
        (true, true) => log.rejected_message(line, header),
        (true, false) if logs.panic => return log.panic(line),
        (true, false) => log.main(line),
        (false, true) => log.rejection_alone(line),
        (false, false) => {}
    }
    if logs.panic {
        log.panic_alone(line);
    }
}
