//! Where logs are, by `log_file_path` (specification 53.1, 53.3).

use super::entry::Dates;
use super::syslog::Priority;

/// The path that is used where an element is empty.
const BUILT_IN: &[u8] = b"/var/log/exim4/%slog";

/// Which log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogKind {
    /// What happens.
    Main,
    /// What was refused.
    Reject,
    /// What should not happen.
    Panic,
    /// What is told step by step.
    Debug,
}

impl LogKind {
    /// What stands for `%s`.
    pub fn word(self) -> &'static [u8] {
        match self {
            Self::Main => b"main",
            Self::Reject => b"reject",
            Self::Panic => b"panic",
            Self::Debug => b"debug",
        }
    }

    /// How important it is to the system's log.
    pub fn priority(self) -> Priority {
        match self {
            Self::Main => Priority::Info,
            Self::Reject => Priority::Notice,
            Self::Panic => Priority::Alert,
            Self::Debug => Priority::Info,
        }
    }
}

/// The names of log files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogNames {
    path: Vec<u8>,
}

/// The files, whether the system's log gets the lines too, and what is wrong with
/// the option.
pub fn destinations(paths: &[u8], spool: &[u8]) -> (Option<LogNames>, bool, Option<Vec<u8>>) {
    let mut path: Option<Vec<u8>> = None;
    let mut syslog = false;
    let mut many = false;
    for element in elements(paths) {
        match &element[..] {
            b"syslog" => syslog = true,
            _ if path.is_some() => many = true,
            b"" => path = Some(BUILT_IN.to_vec()),
            _ => path = Some(element),
        }
    }
    if path.is_none() && !syslog {
        path = Some([spool, b"/log/%slog"].concat());
    }
    let complaint = path.as_ref().filter(|_| many).map(|path| {
        [b"More than one path given in log_file_path: using ".as_slice(), path].concat()
    });
    (path.map(|path| LogNames { path }), syslog, complaint)
}

/// The elements of a list whose separator is a colon, whatever it begins with; two of them are
/// one in an element, and behind the last separator is none.
fn elements(list: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = list.trim_ascii_start();
    while !rest.is_empty() {
        let mut element = Vec::new();
        loop {
            match rest {
                [b':', behind @ ..] if !behind.starts_with(b":") => {
                    rest = behind;
                    break;
                }
                [byte @ b':', b':', behind @ ..] | [byte, behind @ ..] => {
                    element.push(*byte);
                    rest = behind;
                }
                [] => break,
            }
        }
        found.push(element.trim_ascii().to_vec());
        rest = rest.trim_ascii_start();
    }
    found
}

impl LogNames {
    /// Where logs are if nobody says so.
    pub fn built_in() -> Self {
        Self { path: BUILT_IN.to_vec() }
    }

    /// The name of a log's file at a date.
    pub fn of(&self, kind: LogKind, dates: &Dates) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.path.len() + 16);
        let mut rest = &self.path[..];
        while let Some(at) = memchr::memchr(b'%', rest) {
            out.extend_from_slice(&rest[..at]);
            let mark = rest.get(at + 1);
            rest = rest.get(at + 2..).unwrap_or_default();
            match mark {
                Some(b's') => out.extend_from_slice(kind.word()),
                Some(b'D' | b'M') if kind == LogKind::Panic => {
                    rest = undated(&mut out, rest);
                }
                Some(b'D') => out.extend_from_slice(dates.day.as_bytes()),
                Some(b'M') => out.extend_from_slice(dates.month.as_bytes()),
                _ => {}
            }
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The panic log has no date, nor what sets it off: at the beginning of a name
/// that follows the date, elsewhere it goes before.
fn undated<'r>(out: &mut Vec<u8>, rest: &'r [u8]) -> &'r [u8] {
    let sets_off =
        |byte: Option<&u8>| byte.is_some_and(|c| !c.is_ascii_alphanumeric() && *c != b'%');
    if out.ends_with(b"/") {
        return if sets_off(rest.first()) { &rest[1..] } else { rest };
    }
    if sets_off(out.last()) {
        out.pop();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_stand_in_names_but_not_in_the_panic_logs() {
        let dates = Dates { day: "20021225".into(), month: "200212".into() };
        for (path, main, panic) in [
            ("/s/log/%slog-%D", "/s/log/mainlog-20021225", "/s/log/paniclog"),
            ("/l/exim-%s-%D.log", "/l/exim-main-20021225.log", "/l/exim-panic.log"),
            ("/s/%D-%slog", "/s/20021225-mainlog", "/s/paniclog"),
            ("/l/%s.%M", "/l/main.200212", "/l/panic"),
            ("/l/%M%s", "/l/200212main", "/l/panic"),
        ] {
            let (names, syslog, complaint) = destinations(path.as_bytes(), b"/s");
            let names = names.unwrap();
            assert!(!syslog && complaint.is_none());
            assert_eq!(String::from_utf8_lossy(&names.of(LogKind::Main, &dates)), main);
            assert_eq!(String::from_utf8_lossy(&names.of(LogKind::Panic, &dates)), panic);
        }
    }

    #[test]
    fn a_list_names_a_file_and_the_systems_log() {
        let path = |text: &str| {
            let (names, syslog, complaint) = destinations(text.as_bytes(), b"/s");
            let path = names.map(|names| String::from_utf8(names.path).unwrap());
            (path, syslog, complaint.is_some())
        };
        assert_eq!(path("syslog"), (None, true, false));
        assert_eq!(path(":syslog"), (Some("/var/log/exim4/%slog".into()), true, false));
        assert_eq!(path("syslog : /a/%s"), (Some("/a/%s".into()), true, false));
        assert_eq!(path(""), (Some("/s/log/%slog".into()), false, false));
        assert_eq!(path("/a/%s:/b/%s"), (Some("/a/%s".into()), false, true));
        // Behind the last separator there is no element.
        assert_eq!(path("syslog:"), (None, true, false));
        assert_eq!(path("/a/%s : "), (Some("/a/%s".into()), false, false));
        assert_eq!(path(":"), (Some("/var/log/exim4/%slog".into()), false, false));
        assert_eq!(path("/a::b/%s:syslog"), (Some("/a:b/%s".into()), true, false));
        assert_eq!(path("<; syslog"), (Some("<; syslog".into()), false, false));
    }
}
