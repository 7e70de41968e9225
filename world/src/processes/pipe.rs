//! Commands that messages are given to.

use std::ffi::OsStr;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::Duration;

use eximious_core::world::{LocalUser, PipeEnd, PipeFault, PipeOrder};
use eximious_exec::Image;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, AtFlags, CWD, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{Group, code, is_shortage};
use crate::as_user::{Rights, rights};
use crate::deadline::Deadline;

/// How much is given to a command at a time.
const WINDOW: usize = 64 * 1024;
/// How long a command's output may stay open when it has ended itself.
const AFTERWARDS: Duration = Duration::from_secs(60);
/// How long a command has to end when the message took too long to come, or to be taken.
const AT_LAST: Duration = Duration::from_secs(1);
/// What stands for "for ever".
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Runs a command and gives it a message. Where the rest of that can't be read, or is not taken
/// in time, the command sees its input's end, and is waited for.
pub(super) fn run(order: &PipeOrder, message: &mut dyn Read) -> Result<PipeEnd, PipeFault> {
    let mut deadline = Deadline::within(order.timeout.unwrap_or(LONGEST));
    let (output, theirs) = io::pipe().map_err(PipeFault::Start)?;
    let (stdin, input) = io::pipe().map_err(PipeFault::Start)?;
    let mut group = spawned(order, stdin, theirs)?;
    if !order.dumps_core
        && let Some(number) = i32::try_from(group.leader.id()).ok().and_then(Pid::from_raw)
    {
        // Where it has ended already, there is nothing to limit.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = prlimit(Some(number), Resource::Core, none);
    }
    let mut talk = Talk {
        input: Some(input),
        output: Some(output),
        window: Vec::new(),
        at: 0,
        fault: None,
        end: PipeEnd::default(),
    };
    let status = loop {
        match talk.step(order, message, deadline)? {
            Step::Going => {}
            Step::Late => {
                deadline = Deadline::within(deadline.left().unwrap_or_default().min(AT_LAST));
            }
            Step::TooMuch => break group.kill(),
            Step::Ended => match group.wait(deadline).map_err(PipeFault::Start)? {
                Some(status) => break Some(status),
                None => return Err(PipeFault::Timeout(talk.end)),
            },
            Step::Silent => {
                // It has ended, and others have its output open: they are none of the time's
                // concern.
                if let Ok(Some(_)) = group.leader.try_wait() {
                    talk.input = None;
                    talk.drain(order);
                    break group.wait(Deadline::within(AT_LAST)).map_err(PipeFault::Start)?;
                }
                if deadline.left().is_none() {
                    if talk.input.take().is_none() {
                        return Err(PipeFault::Timeout(talk.end));
                    }
                    talk.end.is_cut = true;
                    deadline = Deadline::within(AT_LAST);
                }
            }
        }
    };
    let Some(status) = status else { return Err(PipeFault::Timeout(talk.end)) };
    if let Some(fault) = talk.fault {
        return Err(PipeFault::Message(fault, talk.end.output));
    }
    Ok(PipeEnd { code: code(status), ..talk.end })
}

/// Starts the command: from a thread that has the user's rights, which it inherits.
fn spawned(order: &PipeOrder, stdin: PipeReader, theirs: PipeWriter) -> Result<Group, PipeFault> {
    let copy = theirs.try_clone().map_err(PipeFault::Start)?;
    let start = || {
        enter(&order.directory)?;
        let image = Image::new(&order.argv, &order.environment).map_err(PipeFault::Execute)?;
        let mut program = image.command(Some(order.umask));
        program.stdin(stdin).stdout(copy).stderr(theirs);
        in_group(&mut program, &order.directory)
    };
    with_rights(&order.user, start)
}

/// Whether a directory can be gone to.
pub(super) fn enter(directory: &[u8]) -> Result<(), PipeFault> {
    rustix::fs::accessat(CWD, directory, Access::EXEC_OK, AtFlags::EACCESS)
        .map_err(|error| PipeFault::Directory(error.into()))?;
    let open = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
    rustix::fs::open(directory, open, rustix::fs::Mode::empty())
        .map_err(|error| PipeFault::Directory(error.into()))?;
    Ok(())
}

/// Starts a program in a directory; it leads a group of its own.
pub(super) fn in_group(
    program: &mut std::process::Command,
    directory: &[u8],
) -> Result<Group, PipeFault> {
    program.current_dir(OsStr::from_bytes(directory));
    match program.spawn() {
        Ok(leader) => Ok(Group { leader, ended: None }),
        Err(error) if is_shortage(&error) => Err(PipeFault::Start(error)),
        Err(error) => Err(PipeFault::Execute(error)),
    }
}

/// Does something with a user's rights, which what it starts inherits.
pub(super) fn with_rights<T: Send>(
    user: &LocalUser,
    start: impl FnOnce() -> Result<T, PipeFault> + Send,
) -> Result<T, PipeFault> {
    match rights(user).map_err(PipeFault::Untried)? {
        Rights::Own => start(),
        Rights::Taken(taken) => thread::scope(|scope| {
            let worker = thread::Builder::new().spawn_scoped(scope, || {
                taken.take().map_err(|error| PipeFault::Rights(error.into()))?;
                start()
            });
            let worker = worker.map_err(PipeFault::Start)?;
            let panicked = || PipeFault::Start(io::ErrorKind::Other.into());
            worker.join().unwrap_or_else(|_| Err(panicked()))
        }),
    }
}

/// What a part of the conversation came to.
enum Step {
    Going,
    /// Nothing happened for a while.
    Silent,
    /// The message took too long to come.
    Late,
    TooMuch,
    /// All of its output is read.
    Ended,
}

struct Talk {
    /// Where the message goes, as long as there is some of it and it is read.
    input: Option<PipeWriter>,
    output: Option<PipeReader>,
    window: Vec<u8>,
    at: usize,
    /// Why the rest of the message can't be read.
    fault: Option<io::Error>,
    end: PipeEnd,
}

impl Talk {
    fn step(
        &mut self,
        order: &PipeOrder,
        message: &mut dyn Read,
        deadline: Deadline,
    ) -> Result<Step, PipeFault> {
        /// How long to wait before looking whether the command has ended.
        const PAUSE: Duration = Duration::from_secs(1);
        if self.at == self.window.len() && self.input.is_some() && self.fill(message) {
            return Ok(Step::Late);
        }
        if self.output.is_none() && self.input.is_none() {
            return Ok(Step::Ended);
        }
        let Some(left) = deadline.left().map(|left| left.min(PAUSE)) else {
            return Ok(Step::Silent);
        };
        let left = Timespec::try_from(left).ok();
        let input = self.input.as_ref().map(|input| PollFd::new(input, PollFlags::OUT));
        let output = self.output.as_ref().map(|output| PollFd::new(output, PollFlags::IN));
        let (writes, reads) = (input.is_some(), output.is_some());
        let mut fds: Vec<PollFd<'_>> = input.into_iter().chain(output).collect();
        match poll(&mut fds, left.as_ref()) {
            Ok(0) => return Ok(Step::Silent),
            Err(Errno::INTR) => return Ok(Step::Going),
            Err(error) => return Err(PipeFault::Start(error.into())),
            Ok(_) => {}
        }
        let is_ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
        let may_write = writes && is_ready(fds.first());
        let may_read = reads && is_ready(fds.last());
        if may_read && let Some(output) = &mut self.output {
            let mut piece = [0; 16 * 1024];
            match output.read(&mut piece) {
                Ok(0) => self.output = None,
                Ok(count) => self.end.output.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PipeFault::Start(error)),
            }
            if self.end.output.len() as u64 > order.max_output {
                return Ok(Step::TooMuch);
            }
        }
        if may_write {
            self.give();
        }
        Ok(Step::Going)
    }

    /// Reads the next part of the message; at its end, the command is told so. Whether it
    /// took too long.
    fn fill(&mut self, message: &mut dyn Read) -> bool {
        self.window.resize(WINDOW, 0);
        self.at = 0;
        let read = loop {
            match message.read(&mut self.window) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        if self.window.is_empty() {
            self.input = None;
        }
        self.fault = read.err();
        self.fault.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    /// Gives the command as much as it takes without a wait. A pipe that can be written to
    /// takes so much.
    fn give(&mut self) {
        const ATOMIC: usize = 4096;
        let Some(input) = &mut self.input else { return };
        let end = self.window.len().min(self.at + ATOMIC);
        match input.write(&self.window[self.at..end]) {
            Ok(count) => {
                self.at += count;
                self.end.written += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.input = None;
                // A command that does not want more has closed its end.
                self.fault = Some(error).filter(|why| why.kind() != io::ErrorKind::BrokenPipe);
            }
        }
    }

    /// Reads what those write who have the output open when the command has ended.
    fn drain(&mut self, order: &PipeOrder) {
        let deadline = Deadline::within(AFTERWARDS);
        let Some(output) = &mut self.output else { return };
        let mut piece = [0; 16 * 1024];
        while self.end.output.len() as u64 <= order.max_output {
            match deadline.readable(output.as_fd()).and_then(|()| output.read(&mut piece)) {
                Ok(0) => return,
                Ok(count) => self.end.output.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{getegid, geteuid};

    fn order(script: &str) -> PipeOrder {
        let user = match geteuid().is_root() {
            true => LocalUser { uid: 65534, gid: 65534, groups: vec![65534, 8] },
            false => {
                LocalUser { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: Vec::new() }
            }
        };
        PipeOrder {
            argv: ["/bin/sh", "-c", script].map(|word| word.as_bytes().to_vec()).to_vec(),
            environment: vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())],
            directory: b"/usr".to_vec(),
            user,
            umask: 0o027,
            dumps_core: false,
            timeout: Some(Duration::from_secs(20)),
            max_output: 20_480,
        }
    }

    fn run_with(order: &PipeOrder, message: &[u8]) -> Result<PipeEnd, PipeFault> {
        run(order, &mut &*message)
    }

    fn output(script: &str) -> (i32, String) {
        let end = run_with(&order(script), b"one\ntwo\n").unwrap();
        (end.code, String::from_utf8_lossy(&end.output).into_owned())
    }

    #[test]
    fn a_command_gets_the_message_as_its_user() {
        assert_eq!(output("cat; pwd; umask; exit 3"), (3, "one\ntwo\n/usr\n0027\n".to_owned()));
        if geteuid().is_root() {
            assert_eq!(output("id -u; id -g; id -G"), (0, "65534\n65534\n65534 8\n".to_owned()));
            assert_eq!(output("cat /etc/shadow 2>/dev/null"), (1, String::new()));
        }
        assert_eq!(output("echo a; echo b >&2; ulimit -c"), (0, "a\nb\n0\n".to_owned()));
        assert_eq!(output("kill -15 $$").0, -15);
    }

    #[test]
    fn a_large_message_is_read_or_not() {
        let message = vec![b'x'; 1 << 20];
        let end = run_with(&order("wc -c"), &message).unwrap();
        assert_eq!((&end.output[..], end.written), (&b"1048576\n"[..], 1 << 20));
        let end = run_with(&order("exit 0"), &message).unwrap();
        assert!(end.code == 0 && end.written < 1 << 20);
        // Who closes the output first may go on reading.
        let end = run_with(&order("exec >&- 2>&-; test $(wc -c) = 1048576"), &message).unwrap();
        assert_eq!((end.code, end.written), (0, 1 << 20));
        // What it writes while it is written to is read.
        let end = run_with(&PipeOrder { max_output: 1 << 21, ..order("cat") }, &message).unwrap();
        assert!(end.output == message);
    }

    #[test]
    fn time_and_output_have_bounds() {
        let short = PipeOrder { timeout: Some(Duration::from_millis(300)), ..order("sleep 20") };
        assert!(matches!(run_with(&short, b""), Err(PipeFault::Timeout(end)) if !end.is_cut));
        // Who does not take all of the message has a moment to end.
        let more = vec![b'x'; 1 << 20];
        assert!(matches!(run_with(&short, &more), Err(PipeFault::Timeout(end)) if end.is_cut));
        let order = PipeOrder { argv: order("sleep 0.8; exit 3").argv, ..short };
        assert!(matches!(run_with(&order, &more), Ok(PipeEnd { code: 3, is_cut: true, .. })));
        let end = run_with(&PipeOrder { max_output: 10, ..self::order("yes") }, b"").unwrap();
        assert!(end.code == -9 && end.output.len() < 100_000);
    }

    #[test]
    fn what_can_not_be_run_is_told_apart() {
        let nowhere = PipeOrder { directory: b"/nosuch".to_vec(), ..order("true") };
        assert!(matches!(run_with(&nowhere, b""), Err(PipeFault::Directory(_))));
        let none = PipeOrder { argv: vec![b"/nosuch".to_vec()], ..order("true") };
        assert!(matches!(run_with(&none, b""), Err(PipeFault::Execute(_))));
        if geteuid().is_root() {
            let hidden = PipeOrder { directory: b"/root".to_vec(), ..order("true") };
            assert!(matches!(run_with(&hidden, b""), Err(PipeFault::Directory(_))));
        } else {
            let mut other = order("true");
            other.user.uid += 1;
            assert!(matches!(run_with(&other, b""), Err(PipeFault::Untried(_))));
        }
    }

    #[test]
    fn output_ends_when_all_have_closed_it() {
        let (code, text) = output("(sleep 2; echo late) & echo early");
        assert_eq!((code, &text[..]), (0, "early\nlate\n"));
        let short = Some(Duration::from_secs(1));
        let order = PipeOrder { timeout: short, ..order("(sleep 2; echo late) & exit 3") };
        let end = run_with(&order, b"").unwrap();
        assert_eq!((end.code, &end.output[..]), (3, &b"late\n"[..]));
    }
}
