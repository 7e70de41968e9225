//! What main options come to that are more than their texts.

use eximious_core::world::{Host, LogOptions, Users};
use eximious_core::{Ids, LogSelector, Opt, Settings};

use super::opt;

/// The numbers of `exim_user` and `exim_group`; neither follows from the other. Without
/// them they are the packaged user's, where there is one, or those of this process.
pub fn server_ids(settings: &Settings, users: &dyn Users, host: &dyn Host) -> (u32, u32) {
    let given = |option: Opt<Ids>| settings.given(option)?.0.first().copied();
    match (given(opt::EXIM_USER), given(opt::EXIM_GROUP)) {
        (Some(uid), Some(gid)) => (uid, gid),
        (uid, gid) => {
            // Where the user database can't be read, the process's own numbers do.
            let packaged = users.user(b"Debian-exim").ok().flatten();
            let packaged = packaged.map_or_else(|| host.ids(), |user| (user.uid, user.gid));
            (uid.unwrap_or(packaged.0), gid.unwrap_or(packaged.1))
        }
    }
}

/// Where the first log file of `log_file_path` lies; none where all goes to syslog.
pub fn log_directory(settings: &Settings) -> Option<Vec<u8>> {
    let path = settings.get(opt::LOG_FILE_PATH);
    let first =
        path.bytes().split(|c| *c == b':').map(<[u8]>::trim_ascii).find(|p| *p != b"syslog")?;
    if first.is_empty() {
        return Some([settings.get(opt::SPOOL_DIRECTORY).bytes(), b"/log"].concat());
    }
    let slash = first.iter().rposition(|c| *c == b'/')?;
    Some(first[..slash.max(1)].to_vec())
}

/// The number of `localhost_number`, which may be written in three bases; `None` where
/// it is not set.
pub fn localhost_number(settings: &Settings) -> Option<u32> {
    let text = settings.text(opt::LOCALHOST_NUMBER)?;
    let digits = std::str::from_utf8(text.bytes().trim_ascii()).ok()?;
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    u32::from_str_radix(digits, base).ok()
}

/// How long this program's name may be in the system's log (`syslog_processname`, `-L`).
pub const LONGEST_SYSLOG_NAME: usize = 32;

/// What is logged where, for whoever writes the files.
pub fn log_options(settings: &Settings) -> LogOptions {
    LogOptions {
        json_file: settings.get(opt::LOG_JSON_FILE),
        file_path: settings.get(opt::LOG_FILE_PATH),
        spool_directory: settings.get(opt::SPOOL_DIRECTORY),
        timezone: settings.given(opt::TIMEZONE),
        shows_zone: settings.get(opt::LOG_TIMEZONE),
        shows_millis: settings.log_selector().contains(LogSelector::MILLISEC),
        shows_pid: settings.log_selector().contains(LogSelector::PID),
        rejections: settings.get(opt::WRITE_REJECTLOG),
        syslog_facility: settings.get(opt::SYSLOG_FACILITY),
        syslog_name: settings.get(opt::SYSLOG_PROCESSNAME),
        syslog_shows_pid: settings.get(opt::SYSLOG_PID),
        syslog_shows_time: settings.get(opt::SYSLOG_TIMESTAMP),
        syslog_duplicates: settings.get(opt::SYSLOG_DUPLICATION),
    }
}

/// Whether the text that an option was expanded to counts as a yes: it is neither empty nor
/// one of the words for no (`condition` of routers, `delay_warning_condition`).
pub fn is_yes(value: &[u8]) -> bool {
    !matches!(value, b"" | b"0") && yes_or_no(value) != Some(false)
}

/// What a word says, in any case: `yes` and `true`, `no` and `false`, or neither.
pub fn yes_or_no(word: &[u8]) -> Option<bool> {
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    match (is(b"yes") || is(b"true"), is(b"no") || is(b"false")) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_yes_or_no() {
        for (word, says, counts) in [
            ("Yes", Some(true), true),
            ("TRUE", Some(true), true),
            ("nO", Some(false), false),
            ("false", Some(false), false),
            ("", None, false),
            ("0", None, false),
            ("00", None, true),
            ("yess", None, true),
        ] {
            assert_eq!(yes_or_no(word.as_bytes()), says, "{word}");
            assert_eq!(is_yes(word.as_bytes()), counts, "{word}");
        }
    }

    #[test]
    fn the_number_of_a_host_has_three_bases() {
        for (text, number) in
            [("0x0A", Some(10)), ("07", Some(7)), ("0", Some(0)), (" 3 ", Some(3))]
        {
            let mut settings = Settings::default();
            settings.set(opt::LOCALHOST_NUMBER, text);
            assert_eq!(localhost_number(&settings), number, "{text}");
        }
        assert_eq!(localhost_number(&Settings::default()), None);
    }
}
