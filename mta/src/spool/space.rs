//! Whether there is room for another message (`check_spool_space` and its kin).

use eximious::{Context, Var, opt, var};

/// Looks whether there is room for another message, of a size that was announced.
///
/// # Errors
/// What there is to log where there is not.
pub fn check(cx: &mut Context, size: u64) -> Result<(), Vec<u8>> {
    // Kilobytes that are begun are needed as a whole.
    let size = if cx.engine().settings().get(opt::SMTP_CHECK_SPOOL_SPACE) {
        size.div_ceil(1024)
    } else {
        0
    };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let spool = (var::SPOOL_SPACE, var::SPOOL_INODES);
    let logs = (var::LOG_SPACE, var::LOG_INODES);
    for (name, (free, free_inodes), space, inodes, size) in [
        ("spool", spool, opt::CHECK_SPOOL_SPACE, opt::CHECK_SPOOL_INODES, size),
        ("log", logs, opt::CHECK_LOG_SPACE, opt::CHECK_LOG_INODES, 0),
    ] {
        let settings = cx.engine().settings();
        let (space, inodes) = (settings.get(space).saturating_add(size), settings.get(inodes));
        if space <= 0 && inodes <= 0 {
            continue;
        }
        let (has_space, has_inodes) = (left(cx, free), left(cx, free_inodes));
        // Not every file system tells.
        if (has_space >= 0 && has_space < space) || (has_inodes >= 0 && has_inodes < inodes) {
            return Err(format!(
                "{name} directory space check failed: space={has_space} inodes={has_inodes}"
            )
            .into_bytes());
        }
    }
    Ok(())
}

fn left(cx: &mut Context, variable: Var) -> i64 {
    let value = cx.value_of(variable);
    std::str::from_utf8(value.bytes()).ok().and_then(|text| text.parse().ok()).unwrap_or(-1)
}
