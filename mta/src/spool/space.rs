//! Whether there is room for another message (`check_spool_space` and its kin).

use eximious::stdlib::options::log_directory;
use eximious::world::Room;
use eximious::{Context, opt};

/// Looks whether there is room for another message, of a size that was announced.
///
/// # Errors
/// What there is to log where there is not.
pub fn check(cx: &Context, size: u64) -> Result<(), Vec<u8>> {
    let settings = cx.engine().settings();
    // Kilobytes that are begun are needed as a whole.
    let size = if settings.get(opt::SMTP_CHECK_SPOOL_SPACE) { size.div_ceil(1024) } else { 0 };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let spool = settings.get(opt::CHECK_SPOOL_SPACE).saturating_add(size);
    enough("spool", (spool, settings.get(opt::CHECK_SPOOL_INODES)), || {
        left(cx, Some(settings.get(opt::SPOOL_DIRECTORY).bytes()))
    })?;
    let logs = (settings.get(opt::CHECK_LOG_SPACE), settings.get(opt::CHECK_LOG_INODES));
    enough("log", logs, || left(cx, log_directory(settings).as_deref()))
}

/// Whether a directory has so many kilobytes and inodes, where its file system tells.
fn enough(
    name: &str,
    (kilobytes, inodes): (i64, i64),
    left: impl FnOnce() -> Room,
) -> Result<(), Vec<u8>> {
    if kilobytes <= 0 && inodes <= 0 {
        return Ok(());
    }
    let has = left();
    if (0..kilobytes).contains(&has.kilobytes) || (0..inodes).contains(&has.inodes) {
        let (space, inodes) = (has.kilobytes, has.inodes);
        return Err(format!("{name} directory space check failed: space={space} inodes={inodes}")
            .into_bytes());
    }
    Ok(())
}

/// What is left where a directory lies; -1 of what is not known.
fn left(cx: &Context, directory: Option<&[u8]>) -> Room {
    let room = directory.and_then(|path| cx.engine().world().host.room(path).ok());
    room.unwrap_or(Room { kilobytes: -1, inodes: -1 })
}
