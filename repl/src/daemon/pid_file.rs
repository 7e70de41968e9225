//! The file with the daemon's number (`pid_file_path`, `-oP`).

use eximious::stdlib::options::server_ids;
use eximious::stdlib::wording;
use eximious::{Settings, opt};
use eximious_world::serving::PidFile;

use super::DaemonRequest;
use super::service::Service;
use crate::refusal::Refusal;

/// Its name in the spool, where it is to have none.
const USUAL: &[u8] = b"/exim-daemon.pid";

/// Where it is to be, if anywhere. A daemon at places of its own, or one that
/// only runs queues, is not the one that others look for.
///
/// # Errors
/// What names it is no path from the root.
pub fn place(service: &Service, request: &DaemonRequest) -> Result<Option<Vec<u8>>, Refusal> {
    let is_other = request.only_runs || request.interfaces.is_some() || request.inherited.is_some();
    if request.pid_file.is_none() && is_other {
        return Ok(None);
    }
    let path = path(service.engine.settings(), request.pid_file.as_deref());
    if path.starts_with(b"/") {
        return Ok(Some(path));
    }
    let line = [b"pid file path ".as_slice(), &path, b" must be absolute\n"].concat();
    service.engine.world().log.panic_alone(&line);
    Err(Refusal::Said(Vec::new()))
}

/// The path that the command line or the configuration says, or, where that is nothing, one in
/// the spool.
fn path(settings: &Settings, given: Option<&[u8]>) -> Vec<u8> {
    let named = settings.get(opt::PID_FILE_PATH);
    match given.unwrap_or(named.bytes()) {
        b"" => [settings.get(opt::SPOOL_DIRECTORY).bytes(), USUAL].concat(),
        path => path.to_vec(),
    }
}

/// Writes it, for the mail server's group. The log hears of it if it can't be.
pub fn write(service: &Service, path: &[u8]) -> Option<PidFile> {
    let (settings, world) = (service.engine.settings(), service.engine.world());
    let (_, group) = server_ids(settings, &*world.users, &*world.host);
    match PidFile::write(path, group) {
        Ok(file) => Some(file),
        Err(why) => {
            let head = b"failed to open pid file ".as_slice();
            let line = [head, path, b": ", wording::reason(&why).as_bytes()].concat();
            world.log.main(&line);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nothing_stands_in_the_spool() {
        let mut settings = Settings::default();
        settings.set(opt::SPOOL_DIRECTORY, "/spool");
        settings.set(opt::PID_FILE_PATH, "/run/x.pid");
        assert_eq!(path(&settings, None), b"/run/x.pid");
        assert_eq!(path(&settings, Some(b"/y.pid")), b"/y.pid");
        assert_eq!(path(&settings, Some(b"")), b"/spool/exim-daemon.pid");
        settings.set(opt::PID_FILE_PATH, "");
        assert_eq!(path(&settings, None), b"/spool/exim-daemon.pid");
    }
}
