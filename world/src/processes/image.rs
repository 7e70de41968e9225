//! What a new process executes.
//!
//! The standard library searches a path for the program and hands scripts
//! without a first line to a shell. Exim does neither, and gives the process a
//! umask; so the new process executes its program by itself.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::io;
use std::os::unix::process::CommandExt;
use std::process;
use std::ptr;

use eximious_core::world::Command;
use rustix::fs::Mode;
use rustix::process::umask;

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
    /// Puts it together; a zero byte in a string is an error.
    pub fn new(command: &Command) -> io::Result<Self> {
        let named = |(name, value): &(Vec<u8>, Vec<u8>)| [name, &b"="[..], value].concat();
        Ok(Self {
            argv: Vector::new(command.argv.iter().cloned())?,
            environment: Vector::new(command.environment.iter().map(named))?,
        })
    }

    /// Has the new process of a command execute this.
    pub fn replaces(self, program: &mut process::Command, mask: Option<u32>) {
        let execute = move || {
            if let Some(mask) = mask {
                umask(Mode::from_raw_mode(mask));
            }
            Err(self.execute())
        };
        // SAFETY: between fork and exec the closure makes the system calls
        // umask and execve, and nothing else: it takes no lock and no memory,
        // for the arrays are made before.
        unsafe {
            program.pre_exec(execute);
        }
    }

    /// Goes on as this; what comes back is why not.
    fn execute(&self) -> io::Error {
        let Some(path) = self.argv.strings.first() else {
            return io::Error::from_raw_os_error(libc::ENOENT);
        };
        // SAFETY: the path is a C string; both arrays end in a null pointer,
        // and all other pointers in them are to C strings that live as long as
        // `self`.
        unsafe {
            libc::execve(
                path.as_ptr(),
                self.argv.pointers.as_ptr(),
                self.environment.pointers.as_ptr(),
            );
        }
        io::Error::last_os_error()
    }
}
