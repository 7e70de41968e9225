//! The log of the spool that is written ahead.

use eximious::opt;

use super::Service;

/// Puts back what a power failure kept from the disk, and has messages written ahead from now on,
/// if that is wanted.
pub(super) fn begin(service: &Service, receives: bool) {
    let world = service.engine.world();
    let Ok(place) = eximious_mta::spool::place_of(&service.engine, b"") else { return };
    match world.spool.write_ahead(&place) {
        Ok(restored) => {
            for id in restored {
                let why = b" was put back into the spool: it was not on the disk";
                world.log.main(&[&id, &why[..]].concat());
            }
        }
        Err(why) => {
            let why = eximious::stdlib::wording::reason(&why);
            let head = b"the log of the spool (write-ahead) can't be used: ";
            world.log.panic(&[&head[..], why.as_bytes()].concat());
        }
    }
    if !receives || !service.engine.settings().get(opt::SPOOL_WRITE_AHEAD) {
        world.spool.settle_ahead();
    }
}
