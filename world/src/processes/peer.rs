//! Dialogues with commands and sockets, with a user's rights.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use eximious_core::world::{Child, Dialogue, LocalPeer, PeerOrder, PipeFault, Stream};
use eximious_exec::Image;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::pipe::{enter, in_group, with_rights};
use super::{Group, PATIENCE, code};
use crate::deadline::Deadline;
use crate::net::connect_unix;

/// How far a command may be behind: a number of the system's for sockets that stands for as
/// much as a pipe holds, 64 kB. Of what it leaves unread there, nobody knows.
const AHEAD: usize = 32 * 1024;

/// Somebody to speak with, and the command that it is, if it is one.
pub(crate) struct Partner {
    pub(crate) socket: UnixStream,
    pub(crate) command: Option<RunningCommand>,
}

/// A command that speaks; it ends with this value.
pub(crate) struct RunningCommand(Group);

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // It has seen that nobody speaks with it any more. The group ends in any case.
        let _ = self.0.wait(Deadline::within(PATIENCE));
    }
}

/// Begins a dialogue.
pub(crate) fn open(order: &PeerOrder) -> Result<Partner, PipeFault> {
    match &order.peer {
        LocalPeer::Socket(path) => {
            let connect = || connect_unix(path, order.timeout).map_err(PipeFault::Start);
            let socket = with_rights(&order.user, connect)?;
            Ok(Partner { socket, command: None })
        }
        LocalPeer::Command { argv, environment, directory, umask, writes } => {
            let (socket, theirs) = UnixStream::pair().map_err(PipeFault::Start)?;
            set_socket_send_buffer_size(&socket, AHEAD)
                .map_err(|error| PipeFault::Start(error.into()))?;
            let theirs = OwnedFd::from(theirs);
            let heard = || match writes {
                true => theirs.try_clone().map(Stdio::from).map_err(PipeFault::Start),
                false => Ok(Stdio::null()),
            };
            let (output, errors) = (heard()?, heard()?);
            let start = || {
                enter(directory)?;
                let image = Image::new(argv, environment).map_err(PipeFault::Execute)?;
                let mut program = image.command(Some(*umask));
                program.stdin(theirs).stdout(output).stderr(errors);
                in_group(&mut program, directory)
            };
            let group = with_rights(&order.user, start)?;
            Ok(Partner { socket, command: Some(RunningCommand(group)) })
        }
    }
}

impl RunningCommand {
    /// Waits so long for its end; what it ended with.
    pub(crate) fn end(&mut self, within: Duration) -> Option<i32> {
        self.0.wait(Deadline::within(within)).ok().flatten().map(code)
    }
}

/// Who has the command at the other end.
pub(crate) enum Other {
    /// This process.
    Command(RunningCommand),
    /// Another one, which is asked along a connection, and ends it when that closes.
    Elsewhere(UnixStream),
}

/// A dialogue.
pub(crate) struct Conversation {
    socket: UnixStream,
    deadline: Deadline,
    other: Option<Other>,
}

impl Conversation {
    /// Over a socket.
    pub(crate) fn over(socket: UnixStream, other: Option<Other>) -> Self {
        Self { socket, deadline: Deadline::within(Duration::from_secs(300)), other }
    }
}

impl Read for Conversation {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.deadline.readable(self.socket.as_fd())?;
        self.socket.read(into)
    }
}

impl Write for Conversation {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.deadline.send(self.socket.as_fd(), from)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Conversation {
    fn finish_writing(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }
    fn set_deadline(&mut self, within: Duration) {
        self.deadline = Deadline::within(within);
    }
}

impl Dialogue for Conversation {
    fn exchange(&mut self, from: &[u8], into: &mut [u8]) -> io::Result<(usize, Option<usize>)> {
        let socket = self.socket.as_fd();
        let mut gives = !from.is_empty();
        loop {
            let written = match gives {
                false => 0,
                true => match send(socket, from, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                    Ok(count) => count,
                    Err(Errno::AGAIN | Errno::INTR) => 0,
                    // It does not want more.
                    Err(Errno::PIPE | Errno::CONNRESET) => {
                        gives = false;
                        0
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            let read = match recv(socket, &mut *into, RecvFlags::DONTWAIT) {
                Ok((count, _)) => Some(count),
                Err(Errno::AGAIN | Errno::INTR) => None,
                Err(Errno::CONNRESET) => Some(0),
                Err(error) => return Err(error.into()),
            };
            if written > 0 || read.is_some() {
                return Ok((written, read));
            }
            match gives {
                false => self.deadline.readable(socket)?,
                true => self.deadline.either(socket)?,
            }
        }
    }

    fn end(&mut self, within: Duration) -> Option<i32> {
        let _ = self.socket.shutdown(Shutdown::Both);
        match self.other.as_mut()? {
            Other::Command(command) => command.end(within),
            Other::Elsewhere(control) => crate::helper::end_of(control, within),
        }
    }
}

/// A command that is spoken with by its standard input.
impl Child for Conversation {
    fn set_deadline(&mut self, within: Duration) {
        Stream::set_deadline(self, within);
    }

    fn end(&mut self) -> Option<i32> {
        Dialogue::end(self, PATIENCE)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use eximious_core::world::{LocalUser, Processes};
    use rustix::process::{getegid, geteuid};

    use super::*;
    use crate::processes::SystemProcesses;

    fn order(peer: LocalPeer) -> PeerOrder {
        let (uid, gid) = match geteuid().is_root() {
            true => (65534, 65534),
            false => (geteuid().as_raw(), getegid().as_raw()),
        };
        let user = LocalUser { uid, gid, groups: Vec::new() };
        PeerOrder { user, peer, timeout: Duration::from_secs(5) }
    }

    fn command(script: &str) -> PeerOrder {
        order(LocalPeer::Command {
            argv: ["/bin/sh", "-c", script].map(|word| word.as_bytes().to_vec()).to_vec(),
            environment: vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())],
            directory: b"/".to_vec(),
            umask: 0o22,
            writes: true,
        })
    }

    #[test]
    fn a_command_speaks_and_ends() {
        let order = command("echo $$ >&2; read line; echo \"$line\" $(id -u); exec sleep 60");
        let mut stream = SystemProcesses.converse(&order).unwrap();
        stream.set_deadline(Duration::from_secs(20));
        stream.write_all(b"one\n").unwrap();
        let (mut heard, end) = (Vec::new(), format!("one {}\n", order.user.uid));
        while !heard.ends_with(end.as_bytes()) {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "{heard:?}");
            heard.push(byte[0]);
        }
        let text = String::from_utf8(heard).unwrap();
        let place = format!("/proc/{}", text.lines().next().unwrap());
        assert!(std::path::Path::new(&place).exists());
        drop(stream);
        assert!(!std::path::Path::new(&place).exists());
        let mut ends = SystemProcesses.converse(&command("read line; exit 3")).unwrap();
        assert_eq!(ends.end(Duration::from_secs(20)), Some(3));
        let missing = LocalPeer::Command {
            argv: vec![b"/nosuch".to_vec()],
            environment: Vec::new(),
            directory: b"/".to_vec(),
            umask: 0,
            writes: true,
        };
        let fault = SystemProcesses.converse(&self::order(missing));
        assert!(matches!(fault.err(), Some(PipeFault::Execute(_))));
    }

    #[test]
    fn much_goes_through_a_command() {
        let mut through = SystemProcesses.converse(&command("cat; exit 4")).unwrap();
        through.set_deadline(Duration::from_secs(20));
        let text = vec![b'x'; 3 << 20];
        let (mut at, mut heard, mut piece) = (0, 0, vec![0; 64 * 1024]);
        loop {
            let (taken, read) = through.exchange(&text[at..], &mut piece).unwrap();
            at += taken;
            if taken > 0 && at == text.len() {
                through.finish_writing().unwrap();
            }
            match read {
                Some(0) => break,
                Some(count) => heard += count,
                None => {}
            }
        }
        assert_eq!((heard, through.end(Duration::from_secs(20))), (text.len(), Some(4)));
    }

    #[test]
    fn who_wants_no_more_takes_nothing() {
        let mut dialogue = SystemProcesses.converse(&command("head -c 10")).unwrap();
        dialogue.set_deadline(Duration::from_secs(20));
        let text = vec![b'x'; 100_000];
        let (mut at, mut heard, mut piece) = (0, 0, vec![0; 1024]);
        loop {
            match dialogue.exchange(&text[at..], &mut piece).unwrap() {
                (_, Some(0)) => break,
                (taken, read) => (at, heard) = (at + taken, heard + read.unwrap_or(0)),
            }
        }
        assert_eq!((heard, dialogue.end(Duration::from_secs(20))), (10, Some(0)));
        assert!(at < text.len(), "{at}");
    }

    #[test]
    fn a_socket_is_connected_to_as_its_user() {
        let place = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.path(), open).unwrap();
        let path = place.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let order = order(LocalPeer::Socket(path.to_str().unwrap().into()));
        if geteuid().is_root() {
            // It is the superuser's alone.
            let fault = SystemProcesses.converse(&order).err();
            let number = |error: &io::Error| error.raw_os_error();
            assert!(matches!(&fault, Some(PipeFault::Start(error)) if number(error) == Some(13)));
        }
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&path, open).unwrap();
        let mut stream = SystemProcesses.converse(&order).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        stream.write_all(b"x").unwrap();
        let mut byte = [0];
        theirs.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"x");
        drop(stream);
        assert_eq!(theirs.read(&mut byte).unwrap(), 0);
    }
}
