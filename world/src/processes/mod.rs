//! Processes: commands that run to their end, and those that stay up.

mod peer;
mod pipe;
mod wait;

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use eximious_core::world::{
    Child, Command, Dialogue, Finished, PeerOrder, PipeEnd, PipeFault, PipeOrder, Processes,
    RunError,
};
use eximious_exec::Image;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::deadline::Deadline;
use crate::rights;

/// The system's processes.
#[derive(Debug)]
pub struct SystemProcesses;

/// What a shell says of a command that can't be executed.
pub(crate) const NOT_EXECUTED: i32 = 127;
/// How long a process may take to end that is told to end at once.
const MOMENT: Duration = Duration::from_millis(100);
/// How long a process may take to end by itself when its channel is closed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// How much stack somebody needs who only waits.
const STACK: usize = 64 * 1024;
/// Files that a command makes are for its user alone.
pub(crate) const UMASK: u32 = 0o077;

impl Processes for SystemProcesses {
    fn run(&self, command: &Command, timeout: Duration, limit: u64) -> Result<Finished, RunError> {
        let deadline = Deadline::within(timeout);
        let (mut reader, writer) = io::pipe().map_err(RunError::Start)?;
        let copy = writer.try_clone().map_err(RunError::Start)?;
        let started = start(command, Some(UMASK), |program| {
            program.stdin(Stdio::null()).stdout(copy).stderr(writer);
        });
        let mut group = match started {
            Ok(group) => group,
            Err(error) if is_shortage(&error) => return Err(RunError::Start(error)),
            Err(_) => return Ok(Finished { code: NOT_EXECUTED, output: Vec::new() }),
        };
        let mut output = Vec::new();
        let mut piece = vec![0; 64 * 1024];
        loop {
            match deadline.readable(reader.as_fd()).and_then(|()| reader.read(&mut piece)) {
                Ok(0) => break,
                Ok(count) => output.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(RunError::Timeout),
            }
            if output.len() as u64 > limit {
                return Err(RunError::TooMuch);
            }
        }
        match group.wait(deadline) {
            Ok(Some(status)) => Ok(Finished { code: code(status), output }),
            Ok(None) => Err(RunError::Timeout),
            Err(error) => Err(RunError::Start(error)),
        }
    }

    fn start(&self, command: &Command) -> io::Result<Box<dyn Child>> {
        let (ours, theirs) = UnixStream::pair()?;
        let group = start(command, None, |program| {
            program.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::inherit());
        })?;
        let deadline = Deadline::within(PATIENCE);
        Ok(Box::new(Companion { channel: Some(ours), deadline, group }))
    }

    fn launch(&self, command: &Command, ended: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        let (told, waits) = mpsc::channel::<Group>();
        // The thread is there before the process is: one that nobody waits for would
        // stay behind as a zombie.
        thread::Builder::new().stack_size(STACK).spawn(move || {
            let Ok(mut group) = waits.recv() else { return };
            group.ended = group.leader.wait().ok();
            ended();
        })?;
        let group = start(command, None, |program| {
            program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        })?;
        told.send(group).map_err(io::Error::other)
    }

    fn pipe(&self, order: &PipeOrder, message: &mut dyn Read) -> Result<PipeEnd, PipeFault> {
        pipe::run(order, message)
    }

    fn converse(&self, order: &PeerOrder) -> Result<Box<dyn Dialogue>, PipeFault> {
        let Partner { socket, command } = open(order)?;
        Ok(Box::new(Conversation::over(socket, command.map(Other::Command))))
    }
}

pub(crate) use peer::{Conversation, Other, Partner, open};

/// Starts a process in a session and a group of its own. Whatever else this process has open
/// is closed in it: every descriptor here has CLOEXEC.
fn start(
    command: &Command,
    umask: Option<u32>,
    plumb: impl FnOnce(&mut process::Command),
) -> io::Result<Group> {
    let image = Image::new(&command.argv, &command.environment)?;
    let mut program = image.command(umask);
    plumb(&mut program);
    let own = rustix::process::geteuid();
    if let Some((user, group)) = command.identity
        && own.as_raw() != user
    {
        match own.is_root() {
            // To set the user takes all other groups away, too.
            true => {
                program.uid(user).gid(group);
            }
            false if command.as_nobody_else => return Err(Errno::PERM.into()),
            false => {}
        }
    }
    if let Some(directory) = &command.directory {
        program.current_dir(OsStr::from_bytes(directory));
    }
    Ok(Group { leader: program.spawn()?, ended: None })
}

/// Whether the system is short of something, so that there is no process at
/// all; any other error means that there was one, with nothing to execute.
fn is_shortage(error: &io::Error) -> bool {
    const SHORTAGES: [Errno; 5] =
        [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::NOSYS];
    Errno::from_io_error(error).is_some_and(|number| SHORTAGES.contains(&number))
}

/// An exit code, or the number of a signal as a negative one.
fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|number| -number)).unwrap_or(NOT_EXECUTED)
}

/// A process and those that it starts. They end with this value; those that are
/// left when the first one has ended by itself are left alone.
struct Group {
    leader: process::Child,
    ended: Option<ExitStatus>,
}

impl Group {
    /// Waits for the leader.
    fn wait(&mut self, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = wait::wait(&mut self.leader, deadline)?;
        }
        Ok(self.ended)
    }

    /// Ends all of them. As long as the leader is not waited for, no other
    /// group can have its number.
    fn kill(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            if let Some(number) = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(number, Signal::KILL);
            }
            self.ended = self.leader.wait().ok();
        }
        self.ended
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that stays up.
struct Companion {
    channel: Option<UnixStream>,
    deadline: Deadline,
    group: Group,
}

impl Companion {
    fn channel(&self) -> io::Result<&UnixStream> {
        self.channel.as_ref().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Read for Companion {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut channel = self.channel()?;
        self.deadline.readable(channel.as_fd())?;
        channel.read(into)
    }
}

impl Write for Companion {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.deadline.send(self.channel()?.as_fd(), from)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Child for Companion {
    fn set_deadline(&mut self, within: Duration) {
        self.deadline = Deadline::within(within);
    }

    fn end(&mut self) -> Option<i32> {
        self.channel = None;
        // Its end of the channel may close a moment before it ends.
        let ended = self.group.wait(Deadline::within(MOMENT)).ok().flatten();
        ended.or_else(|| self.group.kill()).map(code)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.channel = None;
        // The group ends in any case.
        let _ = self.group.wait(Deadline::within(PATIENCE));
    }
}

/// Goes on as another program with the rights of who called, whose full path is given, with its
/// arguments and its environment, in its directory where that can be entered, and with a umask
/// of zero; what is open stays. It comes back only where that can't be, and says why.
pub fn replace_process(command: &Command) -> io::Error {
    let mut words = command.argv.iter().map(|word| OsStr::from_bytes(word));
    let Some(program) = words.next().filter(|program| program.as_bytes().starts_with(b"/")) else {
        return io::ErrorKind::NotFound.into();
    };
    let variables = command.environment.iter();
    let variables =
        variables.map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value)));
    if let Some(place) = command.directory.as_deref() {
        let _ = std::env::set_current_dir(OsStr::from_bytes(place));
    }
    if let Err(why) = rights::become_caller() {
        return why;
    }
    nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    process::Command::new(program).args(words).env_clear().envs(variables).exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, identity: Option<(u32, u32)>, directory: &str) -> Finished {
        let argv = ["/bin/sh", "-c", script].map(|word| word.as_bytes().to_vec()).to_vec();
        let environment = vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())];
        let directory = Some(directory.as_bytes().to_vec());
        let command = Command { argv, environment, identity, as_nobody_else: false, directory };
        SystemProcesses.run(&command, Duration::from_secs(20), 1 << 16).unwrap()
    }

    #[test]
    fn a_command_has_a_user_and_a_directory() {
        let finished = run("id -u; id -g; id -G; pwd", Some((65534, 8)), "/usr");
        if rustix::process::geteuid().is_root() {
            assert_eq!(finished.output, b"65534\n8\n8\n/usr\n");
        } else {
            // Who is not the superuser can't be somebody else.
            assert_eq!(finished.code, 0);
        }
        assert_eq!(run("pwd", None, "/nosuch").code, NOT_EXECUTED);
        assert_eq!(
            run("pwd", Some((u32::MAX, u32::MAX)), "/").code == 0,
            !rustix::process::geteuid().is_root()
        );
    }
}
