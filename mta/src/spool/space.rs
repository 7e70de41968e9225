//! Whether there is room for another message (`check_spool_space` and its kin).

use eximious::{Context, OptionValue};

use crate::options::flag;

/// Looks whether there is room for another message, of a size that was announced.
///
/// # Errors
/// What there is to log where there is not.
pub fn check(cx: &mut Context, size: u64) -> Result<(), Vec<u8>> {
    // Kilobytes that are begun are needed as a whole.
    let size = if flag(cx, "smtp_check_spool_space") { size.div_ceil(1024) } else { 0 };
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    for (name, space, inodes, size) in [
        ("spool", "check_spool_space", "check_spool_inodes", size),
        ("log", "check_log_space", "check_log_inodes", 0),
    ] {
        let space = wanted(cx, space).saturating_add(size);
        let inodes = wanted(cx, inodes);
        if space <= 0 && inodes <= 0 {
            continue;
        }
        let has = [left(cx, &format!("{name}_space")), left(cx, &format!("{name}_inodes"))];
        let [has_space, has_inodes] = has;
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

/// What has to stay free; in kilobytes where it is about space.
fn wanted(cx: &Context, option: &'static str) -> i64 {
    match cx.engine().settings().options.get(option) {
        Some(OptionValue::Number(number)) => *number,
        _ if option.ends_with("_inodes") => 100,
        _ => 10 * 1024,
    }
}

fn left(cx: &mut Context, variable: &str) -> i64 {
    let value = cx.value(variable);
    std::str::from_utf8(value.bytes()).ok().and_then(|text| text.parse().ok()).unwrap_or(-1)
}
