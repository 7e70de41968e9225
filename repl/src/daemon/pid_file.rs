//! The file with the daemon's number (`pid_file_path`, `-oP`).

use eximious::stdlib::options::server_ids;
use eximious::stdlib::wording;
use eximious::{Opt, Str, opt};
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
    let settings = service.engine.settings();
    let text = |option: Opt<Str>| settings.text(option).unwrap_or_else(|| option.default());
    let is_other = request.only_runs || request.interfaces.is_some() || request.inherited.is_some();
    let named = match &request.pid_file {
        Some(path) => path.clone(),
        None if is_other => return Ok(None),
        None => text(opt::PID_FILE_PATH).bytes().to_vec(),
    };
    let path = match named.is_empty() {
        true => [text(opt::SPOOL_DIRECTORY).bytes(), USUAL].concat(),
        false => named,
    };
    if path.starts_with(b"/") {
        return Ok(Some(path));
    }
    let line = [b"pid file path ".as_slice(), &path, b" must be absolute\n"].concat();
    service.engine.world().log.panic_alone(&line);
    Err(Refusal::Said(Vec::new()))
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
