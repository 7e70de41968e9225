//! Ports that are worth logging (specification 14, `log_ports`).

use eximious_core::Settings;

use crate::lists::elements;
use crate::options::opt;

/// Whether a port of this host's, or one that it connects to, is logged where ports are.
pub fn is_logged(settings: &Settings, port: u16) -> bool {
    settings.given(opt::LOG_PORTS).is_none_or(|list| is_listed(list.bytes(), port))
}

/// Whether a list has a port in it; what is no number names none.
fn is_listed(list: &[u8], port: u16) -> bool {
    let mut otherwise = false;
    for item in elements(list) {
        let item = item.trim_ascii();
        let (excludes, item) = match item.strip_prefix(b"!") {
            Some(rest) => (true, rest.trim_ascii()),
            None => (false, item),
        };
        let number = std::str::from_utf8(item).ok().and_then(|text| text.parse::<u16>().ok());
        if item == b"*" || number == Some(port) {
            return !excludes;
        }
        // What ends with an exception has all else in it.
        otherwise = excludes;
    }
    otherwise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_leave_the_rest() {
        for (list, port, listed) in [
            ("", 25, false),
            ("*", 25, true),
            ("25 : 587", 587, true),
            ("25 : 587", 465, false),
            ("!25 : !587", 465, true),
            ("!25 : !587", 587, false),
            ("! 25 : *", 25, false),
            ("25 : !465", 587, true),
            ("!25 : 465", 587, false),
            ("smtp : 99999", 25, false),
            ("<; 25; 26", 26, true),
        ] {
            assert_eq!(is_listed(list.as_bytes(), port), listed, "{list}: {port}");
        }
    }
}
