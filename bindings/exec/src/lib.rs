//! What a new process executes, and what a process does not take over from its parent.
//!
//! The standard library searches a path for a program, hands scripts without a
//! first line to a shell, and leaves the umask as it is. Exim does neither, and
//! sets the umask; so the new process executes its program by itself. It leads a
//! session of its own: the terminal from which somebody has mail delivered is
//! nothing to the commands of those who get it, who could type into it.

use std::ffi::{CString, OsString, c_char};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

/// Has signals mean what they should, whatever the parent did with them: the end of a process
/// can be waited for, and a file that may not grow is an error for who writes it.
pub fn receive_signals() {
    // SAFETY: no handler is set: one signal has its default, and one is ignored.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Forgets the variables of the environment, but for some names: libraries that look at it find
/// nothing else. What there was.
///
/// Only for the beginning of a process, which has one thread yet.
pub fn take_environment(leave: &[&str]) -> Vec<(OsString, OsString)> {
    let all: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    for (name, _) in &all {
        if !leave.iter().any(|left| name == left) {
            // SAFETY: there is no other thread that could look at the environment.
            unsafe {
                std::env::remove_var(name);
            }
        }
    }
    all
}

/// A program, its arguments and its environment, as the system wants them.
pub struct Image {
    argv: Vector,
    environment: Vector,
}

/// Strings, and the array of pointers to them that ends in a null pointer.
struct Vector {
    strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

// SAFETY: the pointers point into the heap memory of the strings beside them,
// which nobody changes, and which goes together with them.
unsafe impl Send for Vector {}
// SAFETY: as above; all access is reading.
unsafe impl Sync for Vector {}

impl Vector {
    fn new(strings: impl Iterator<Item = Vec<u8>>) -> io::Result<Self> {
        let strings = strings.map(CString::new).collect::<Result<Vec<_>, _>>()?;
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect();
        Ok(Self { strings, pointers })
    }
}

impl Image {
    /// Puts it together from a program with its arguments, and from the names
    /// and values of its environment.
    ///
    /// # Errors
    /// A string has a zero byte in it.
    pub fn new(argv: &[Vec<u8>], environment: &[(Vec<u8>, Vec<u8>)]) -> io::Result<Self> {
        let named = |(name, value): &(Vec<u8>, Vec<u8>)| [name, &b"="[..], value].concat();
        Ok(Self {
            argv: Vector::new(argv.iter().cloned())?,
            environment: Vector::new(environment.iter().map(named))?,
        })
    }

    /// The command that executes this, in a session of its own; what it is given as its program,
    /// arguments and environment does not count. Where the system does not
    /// execute it, to spawn the command fails with its reason.
    pub fn command(self, umask: Option<u32>) -> Command {
        let mut command = Command::new("/");
        let execute = move || Err(self.execute(umask));
        // SAFETY: between fork and exec the closure makes the system calls
        // sigaction, setsid, umask and execve, and nothing else: it takes no lock and no memory,
        // for the arrays are made before.
        unsafe {
            command.pre_exec(execute);
        }
        command
    }

    /// Goes on as this; what comes back is why not.
    fn execute(&self, umask: Option<u32>) -> io::Error {
        // SAFETY: a signal gets its default; the other call takes nothing, and fails for the
        // leader of a group, which a new process is not.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            libc::setsid();
        }
        if let Some(mask) = umask {
            // SAFETY: the call takes a number and can't fail.
            unsafe {
                libc::umask(mask as libc::mode_t);
            }
        }
        let Some(path) = self.argv.strings.first() else {
            return io::Error::from_raw_os_error(libc::ENOENT);
        };
        let (argv, environment) = (self.argv.pointers.as_ptr(), self.environment.pointers.as_ptr());
        // SAFETY: the path is a C string; both arrays end in a null pointer,
        // and all other pointers in them are to C strings that live as long as
        // `self`.
        unsafe {
            libc::execve(path.as_ptr(), argv, environment);
        }
        io::Error::last_os_error()
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.argv.strings).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(argv: &[&str], umask: Option<u32>) -> io::Result<String> {
        let argv: Vec<Vec<u8>> = argv.iter().map(|word| word.as_bytes().to_vec()).collect();
        let environment = [(b"NAME".to_vec(), b"a=b".to_vec())];
        let output = Image::new(&argv, &environment)?.command(umask).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[test]
    fn programs_get_what_they_are_given() {
        assert_eq!(run(&["/bin/echo", "a b", "", "c"], None).unwrap(), "a b  c\n");
        assert_eq!(run(&["/usr/bin/env"], None).unwrap(), "NAME=a=b\n");
        assert_eq!(run(&["/bin/sh", "-c", "umask"], Some(0o077)).unwrap(), "0077\n");
    }

    #[test]
    fn no_program_has_the_terminal_of_who_starts_it() {
        let stat = run(&["/bin/cat", "/proc/self/stat"], None).unwrap();
        let fields: Vec<&str> = stat.split(' ').collect();
        // The numbers of the process, its group, its session, and the terminal.
        assert_eq!((fields[4], fields[5], fields[6]), (fields[0], fields[0], "0"), "{stat}");
    }

    #[test]
    fn signals_are_as_usual_whatever_the_parent_did() {
        // SAFETY: the signal is ignored, and nothing else.
        unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        }
        receive_signals();
        let said = run(&["/bin/grep", "SigIgn", "/proc/self/status"], None).unwrap();
        let ignored = u64::from_str_radix(said.trim_start_matches("SigIgn:").trim(), 16).unwrap();
        for signal in [libc::SIGCHLD, libc::SIGXFSZ] {
            assert_eq!(ignored >> (signal - 1) & 1, 0, "{said}");
        }
    }

    #[test]
    fn nothing_is_searched_for() {
        for program in ["echo", "", "/nosuch", "/etc/passwd", "/tmp"] {
            assert!(run(&[program], None).is_err(), "{program}");
        }
        assert!(run(&[], None).is_err());
        assert_eq!(
            run(&["/bin/echo", "a\0b"], None).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }
}
