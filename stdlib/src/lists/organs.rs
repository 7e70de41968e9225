//! What tests of lists need of the world, and what they write to the logs.

use eximious_core::{Call, Effects, Fail, LogSelector, Meta, TaintRule};

static LOG: Meta = Meta::new("list", Effects::LOG, TaintRule::Result);
pub(super) static FILES: Meta = Meta::new("list", Effects::FILES, TaintRule::Result);

/// Asks for a piece of the world that a pattern needs. Each has a record of its
/// own, so that a policy that forbids files leaves lists without files alone.
pub(super) fn organ<T>(
    call: &mut Call<'_>,
    record: &'static Meta,
    ask: impl FnOnce(&mut Call<'_>) -> Result<T, Fail>,
) -> Result<T, Fail> {
    call.with_record(record, ask)
}

/// Writes to the main log, where the policy lets us.
pub(super) fn log_main(call: &mut Call<'_>, line: &[u8]) {
    if let Ok(log) = organ(call, &LOG, |call| call.log()) {
        log.main(line);
    }
}

/// Notes that a list says no because something can't be found out, where that is
/// wanted.
pub(super) fn log_unknown(call: &mut Call<'_>, why: &[u8]) {
    let wanted = LogSelector::UNKNOWN_IN_LIST;
    let selector = call.settings().log_selector();
    if let Ok(log) = organ(call, &LOG, |call| call.log())
        && log.hears(selector, wanted)
    {
        let line = [b"list matching forced to fail: ", why].concat();
        log.by_selector(selector, wanted, &line);
    }
}

/// Writes to the main and the panic log, where the policy lets us.
pub(super) fn log_panic(call: &mut Call<'_>, line: &[u8]) {
    if let Ok(log) = organ(call, &LOG, |call| call.log()) {
        log.panic(line);
    }
}
