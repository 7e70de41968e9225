//! Whether there is room for a message (specification 14: `check_spool_space` and
//! its kin).

use eximious::{OptionPlace, Str};

use super::Session;

/// A limit in kilobytes and one in inodes, as they are set or by default.
type Limits = (i64, i64);

impl Session {
    /// Whether a message of a size has room, if the client said how large it is; it
    /// is told so if not.
    pub(super) fn has_space(&mut self, size: Option<u64>) -> bool {
        let size = size.filter(|_| self.flag("smtp_check_spool_space"));
        let kilobytes = size.map_or(0, |size| i64::try_from(size / 1024).unwrap_or(i64::MAX));
        let spool = self.limits("check_spool_space", "check_spool_inodes");
        let wanted = (spool.0.saturating_add(kilobytes), spool.1);
        let spool_directory = self.variable("spool_directory");
        // Where nothing is to stay free and nothing was announced, nobody looks.
        let fits = (size.is_none() && spool == (0, 0))
            || self.has_room_at("spool", &spool_directory, wanted);
        let log = self.limits("check_log_space", "check_log_inodes");
        if fits && (log == (0, 0) || self.has_log_room(log)) {
            return true;
        }
        self.say(&[b"452 Space shortage, please try later"]);
        false
    }

    fn has_log_room(&mut self, wanted: Limits) -> bool {
        let number = |text: Str| std::str::from_utf8(text.bytes()).ok()?.parse::<i64>().ok();
        let space = number(self.variable("log_space")).unwrap_or(-1);
        let inodes = number(self.variable("log_inodes")).unwrap_or(-1);
        self.suffices("log", (space, inodes), wanted)
    }

    fn has_room_at(&mut self, what: &str, directory: &Str, wanted: Limits) -> bool {
        let Ok(room) = self.cx.engine().world().host.room(directory.bytes()) else { return true };
        self.suffices(what, (room.kilobytes, room.inodes), wanted)
    }

    /// Where the system can't tell, there is room.
    fn suffices(&mut self, what: &str, (space, inodes): Limits, wanted: Limits) -> bool {
        let lacks = |there: i64, wanted: i64| there >= 0 && there < wanted;
        if !lacks(space, wanted.0) && !lacks(inodes, wanted.1) {
            return true;
        }
        let line = format!("{what} directory space check failed: space={space} inodes={inodes}");
        self.log(line.as_bytes());
        false
    }

    fn limits(&mut self, space: &'static str, inodes: &'static str) -> Limits {
        let engine = self.cx.engine();
        let number = |name: &'static str| {
            engine.settings().options.number(name).unwrap_or_else(|| {
                let record = engine.registry().option(OptionPlace::Main, name.as_bytes());
                let default = record.and_then(|record| record.default).unwrap_or("0");
                let (digits, unit) = match default.strip_suffix('M') {
                    Some(digits) => (digits, 1024),
                    None => (default.trim_end_matches('K'), 1),
                };
                digits.parse::<i64>().unwrap_or(0).saturating_mul(unit)
            })
        };
        (number(space), number(inodes))
    }
}
