//! What a process is: whose, where, and how many files it may open.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;

use rustix::fs::OFlags;
use rustix::process::{Resource, Rlimit, getppid, getrlimit, setrlimit};

/// How many arenas the threads of a server share.
const ARENAS: u16 = 4;

/// Goes on in the background: the caller's process ends, and this one has no
/// terminal and no standard streams any more.
///
/// # Errors
/// There can't be another process.
pub fn detach() -> io::Result<()> {
    Ok(nix::unistd::daemon(false, false)?)
}

/// Starts this program once more, under the name `exim`, with other arguments and no
/// standard streams, but for the standard error where it is shown; nobody waits for it, and what ends whoever started it does not end it.
///
/// # Errors
/// There can't be another process.
pub fn start_again(arguments: &[Vec<u8>], shown: bool) -> io::Result<()> {
    again(arguments, shown).spawn().map(drop)
}

/// The same, for another that may be told something along its standard input.
///
/// # Errors
/// There can't be another process.
pub fn start_listening(arguments: &[Vec<u8>], shown: bool) -> io::Result<ChildStdin> {
    let mut child = again(arguments, shown).stdin(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// Runs it, and waits for its end.
///
/// # Errors
/// What the system says.
pub fn run_again(arguments: &[Vec<u8>], shown: bool) -> io::Result<()> {
    again(arguments, shown).status().map(drop)
}

/// What this program calls itself where it starts itself once more.
const AGAIN: &str = "exim";

/// What it says on the standard error is shown to whoever is here, or to nobody.
fn again(arguments: &[Vec<u8>], shown: bool) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env_clear().envs(crate::rights::environment());
    command.arg0(AGAIN).args(arguments.iter().map(|one| OsStr::from_bytes(one)));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(if shown { Stdio::inherit() } else { Stdio::null() });
    command.process_group(0);
    command
}

/// Gives this process the name of the one that started this program once more, by which the
/// system's tools find it (`exiwhat`): they would know it as `exe`. For the first thread.
pub fn keep_name() {
    let may_be = std::env::args_os().next().is_some_and(|name| name == AGAIN);
    if may_be && fs::read("/proc/self/comm").is_ok_and(|name| name == b"exe\n") {
        let file = fs::read_link("/proc/self/exe").ok();
        let own = || Some(file?.file_name()?.as_bytes().to_vec());
        let name = name_of_parent().or_else(own).and_then(|name| CString::new(name).ok());
        let _ = name.map(|name| rustix::thread::set_name(&name));
    }
}

/// What the process is called that this one comes of, if it is this program, too.
fn name_of_parent() -> Option<Vec<u8>> {
    let parent = getppid()?.as_raw_nonzero();
    let file = |process: &str| {
        let about = fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((about.dev(), about.ino()))
    };
    if file(&parent.to_string())? != file("self")? {
        return None;
    }
    let name = fs::read(format!("/proc/{parent}/comm")).ok()?;
    Some(name.trim_ascii_end().to_vec()).filter(|name| name != b"exe")
}

/// What the stack of a program's first thread has to have room for.
const ROOM: usize = 4 << 20;

/// Does a program's work where there is room for it: with a stack of its own, where whoever
/// called has left less than that (`ulimit -s`).
pub fn with_room<T: Send>(work: fn() -> T) -> T {
    let most = getrlimit(Resource::Stack).current;
    if most.is_none_or(|most| most >= ROOM as u64) {
        return work();
    }
    thread::scope(|scope| {
        let spawned = thread::Builder::new().stack_size(ROOM).spawn_scoped(scope, work);
        match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)),
            // There is no memory for another: it may be enough.
            Err(_) => work(),
        }
    })
}

/// How many files may be open.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Lets so many files be open, as far as that is allowed.
pub fn raise_open_files(wanted: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < wanted) else { return };
    let allowed = maximum.map_or(wanted, |maximum| wanted.min(maximum)).max(current);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum });
}

/// The number by which the system knows the thread at hand; for the first one,
/// that is the process's.
pub fn thread_number() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Has the threads of this process share their memory: what one gave back is there for
/// all, and no range of addresses is reserved for each.
pub fn share_memory() {
    eximious_malloc::limit_arenas(ARENAS);
}

/// Starts a thread with a stack that expansions as deep as they may be have room
/// in. What of it was never used takes no memory.
///
/// # Errors
/// There are too many.
pub fn spawn(stack: usize, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().stack_size(stack).spawn(work).map(|_| ())
}

/// A file with this process's number, which goes with it.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it. Whatever has its name is replaced as a whole, so that no link is
    /// followed. It belongs to `group`, if this process may say so.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(path: &[u8], group: u32) -> io::Result<Self> {
        let path = PathBuf::from(OsStr::from_bytes(path));
        let number = std::process::id();
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(format!(".{number}.new"));
        let beside = path.with_file_name(name);
        // One that was left behind by a process of the same number.
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
        let _ = std::os::unix::fs::fchown(&file, None, Some(group));
        let written = file
            .write_all(format!("{number}\n").as_bytes())
            .and_then(|()| fs::rename(&beside, &path));
        if let Err(why) = written {
            let _ = fs::remove_file(&beside);
            return Err(why);
        }
        Ok(Self { path })
    }

    /// Removes it, if it is still this process's.
    pub fn remove(self) {
        if is_own(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file with the number of the process that started this one (`-oPX`); one with
/// another number stays.
pub fn remove_pid_file_of_parent(path: &[u8]) {
    let path = Path::new(OsStr::from_bytes(path));
    if has_number(path, std::os::unix::process::parent_id()) {
        let _ = fs::remove_file(path);
    }
}

fn is_own(path: &Path) -> bool {
    has_number(path, std::process::id())
}

fn has_number(path: &Path, number: u32) -> bool {
    let regular = fs::symlink_metadata(path).is_ok_and(|data| data.is_file() && data.len() < 32);
    let own = number.to_string();
    regular && fs::read(path).is_ok_and(|text| text.trim_ascii_end() == own.as_bytes())
}

/// Adds a line to a file of what processes do, for those who ask.
///
/// # Errors
/// What the system says.
pub fn write_process_line(path: &[u8], text: &[u8]) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let mut file: File = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(i32::try_from(flags).unwrap_or(0))
        .open(Path::new(OsStr::from_bytes(path)))?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    file.write_all(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn own_group() -> u32 {
        rustix::process::getegid().as_raw()
    }

    #[test]
    fn cve_2021_27216_only_this_process_own_pid_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let file = PidFile::write(path.as_os_str().as_bytes(), own_group()).unwrap();
        // Somebody else put another there.
        fs::write(&path, "1\n").unwrap();
        file.remove();
        assert!(path.exists());
        let file = PidFile::write(path.as_os_str().as_bytes(), own_group()).unwrap();
        fs::rename(&path, folder.path().join("victim")).unwrap();
        symlink(folder.path().join("victim"), &path).unwrap();
        file.remove();
        assert!(path.is_symlink() && folder.path().join("victim").exists());
    }

    #[test]
    fn cve_2020_28014_a_link_in_the_place_of_a_pid_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("pid"));
        fs::write(&target, "untouched").unwrap();
        symlink(&target, &link).unwrap();
        let file = PidFile::write(link.as_os_str().as_bytes(), own_group()).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(&link).unwrap(), format!("{}\n", std::process::id()));
        file.remove();
        assert!(!link.exists());
        symlink(&target, folder.path().join("info")).unwrap();
        let info = folder.path().join("info");
        assert!(write_process_line(info.as_os_str().as_bytes(), b"x\n").is_err());
    }
}
