//! Whether there is room for a message (`check_spool_space` and its kin,
//! specification 14.11).

use eximious::OptionValue;

use super::Session;

/// What must be free where no option says so: kilobytes, and inodes.
const FREE: (i64, i64) = (10 * 1024, 100);

impl Session {
    /// Whether a message of this size can be kept; a client that says none asks for
    /// no more than what has to be free anyhow.
    pub(super) fn has_room_for(&mut self, size: Option<u64>) -> bool {
        let asked = match self.flag("smtp_check_spool_space") {
            true => i64::try_from(size.unwrap_or(0) / 1024).unwrap_or(i64::MAX),
            false => 0,
        };
        let spool = self.variable("spool_directory").bytes().to_vec();
        let logs = self.log_directory(&spool);
        let spool = ("spool", spool, "check_spool_space", "check_spool_inodes", asked);
        let logs = ("log", logs, "check_log_space", "check_log_inodes", 0);
        for (name, path, space, inodes, asked) in [spool, logs] {
            let needed = self.free(space, FREE.0).max(0).saturating_add(asked);
            let inodes = self.free(inodes, FREE.1);
            if path.is_empty() || (needed <= 0 && inodes <= 0) {
                continue;
            }
            // Where nobody can say, nothing is said against it.
            let Ok(room) = self.cx.engine().world().host.room(&path) else { continue };
            let enough = room.inodes < 0 || room.inodes >= inodes;
            if room.kilobytes >= needed && enough {
                continue;
            }
            let (space, inodes) = (room.kilobytes, room.inodes);
            let line =
                format!("{name} directory space check failed: space={space} inodes={inodes}");
            self.log(line.as_bytes());
            return false;
        }
        true
    }

    fn free(&self, name: &str, default: i64) -> i64 {
        match self.cx.engine().settings().options.get(name) {
            Some(OptionValue::Number(number)) => *number,
            _ => default,
        }
    }

    /// Where logs are written; empty where they go to syslog alone.
    fn log_directory(&mut self, spool: &[u8]) -> Vec<u8> {
        let path = self.text("log_file_path");
        let mut elements = eximious::stdlib::lists::elements(path.bytes());
        let file = elements.find(|element| &**element != b"syslog");
        match file.as_deref() {
            None => Vec::new(),
            Some(file) => match memchr::memrchr(b'/', file) {
                Some(end) if !file.contains(&b'$') => file[..end].to_vec(),
                _ => [spool, b"/log"].concat(),
            },
        }
    }
}
