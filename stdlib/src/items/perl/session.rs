//! The conversation with a Perl process: frames of a letter, a length and a
//! text, both ways.

use std::io::{self, Read, Write};
use std::time::Duration;

use eximious_core::world::{Child, Command};
use eximious_core::{Call, ErrorKind, Fail, Str, Taint};

use crate::options::opt;
use crate::wording::reason;
use crate::{environment, provenance};

/// Where Perl is.
const PERLS: [&str; 2] = ["/usr/bin/perl", "/usr/local/bin/perl"];
/// What Perl does with the frames.
const DRIVER: &str = include_str!("driver.pl");

/// A Perl process.
pub struct PerlSession {
    child: Box<dyn Child>,
    /// How many calls are in each other.
    depth: usize,
    /// Tainted arguments of the calls at hand, those that must not be expanded.
    live: Vec<Str>,
}

/// What Perl says.
#[derive(PartialEq, Eq, Debug)]
pub enum PerlAnswer {
    /// A subroutine returned this.
    Value(Vec<u8>),
    /// It returned nothing.
    Undefined,
    /// It died, with this.
    Failed(Vec<u8>),
    /// It wants this expanded.
    Expand(Vec<u8>),
    /// It has a line for the log.
    Log(Vec<u8>),
    /// It has a text for the debugging output.
    Debug(Vec<u8>),
}

/// Why there is no talking to the process any more.
#[derive(Debug)]
pub enum Broken {
    /// It ended, with this code if anybody knows.
    Ended(Option<i32>),
    /// It takes too long.
    Late,
    /// It says too much.
    TooMuch(usize),
    /// Nobody can tell what it says.
    Nonsense,
}

impl Broken {
    /// The failure of a call.
    pub fn fail(self, name: Option<&Str>) -> Fail {
        let what = match name {
            Some(name) => [b"Perl subroutine \"", name.bytes(), b"\""].concat(),
            None => b"perl_startup code".to_vec(),
        };
        let (kind, why) = match self {
            Self::Ended(Some(code)) if code < 0 => {
                (ErrorKind::Outside, format!(" ended the Perl interpreter by signal {}", -code))
            }
            Self::Ended(Some(code)) => {
                (ErrorKind::Outside, format!(" ended the Perl interpreter with exit code {code}"))
            }
            Self::Ended(None) => (ErrorKind::Outside, " ended the Perl interpreter".into()),
            Self::Late => (ErrorKind::Limit, " timed out".into()),
            Self::TooMuch(most) => (ErrorKind::Limit, format!(" returned more than {most} bytes")),
            Self::Nonsense => (ErrorKind::Outside, " broke the Perl interpreter's channel".into()),
        };
        Fail::error(kind, [what.as_slice(), why.as_bytes()].concat())
    }
}

impl PerlSession {
    /// Starts Perl, in its taint mode if the configuration asks for it.
    pub fn start(call: &mut Call<'_>) -> Result<Self, Fail> {
        let switch = if call.settings().get(opt::PERL_TAINTMODE) { "-Te" } else { "-e" };
        let environment = environment::for_perl(call)?;
        let processes = call.interpreters()?;
        let mut failure = String::new();
        for perl in PERLS {
            let argv = [perl, switch, DRIVER].map(|word| word.as_bytes().to_vec()).to_vec();
            match processes.start(&Command {
                argv,
                environment: environment.clone(),
                ..Command::default()
            }) {
                Ok(child) => return Ok(Self { child, depth: 0, live: Vec::new() }),
                Err(error) => {
                    failure = reason(&error);
                    if error.kind() != io::ErrorKind::NotFound {
                        break;
                    }
                }
            }
        }
        let message = format!("failed to start the Perl interpreter: {failure}");
        Err(Fail::error(ErrorKind::Outside, message))
    }

    /// Begins a call, in another one perhaps, which has the time for all. What
    /// comes back is for [`PerlSession::end`].
    pub fn begin(&mut self, args: &[Str], time: Duration) -> Result<usize, Broken> {
        if self.depth == 0 {
            self.child.set_deadline(time);
        }
        self.depth += 1;
        let before = self.live.len();
        self.live.extend(args.iter().filter(|arg| provenance::is_live(arg)).cloned());
        Ok(before)
    }

    /// Ends a call.
    pub fn end(&mut self, before: usize) {
        self.depth = self.depth.saturating_sub(1);
        self.live.truncate(before);
    }

    /// Has code evaluated.
    pub fn evaluate(&mut self, code: &[u8]) -> Result<(), Broken> {
        self.send(b'S', code)
    }

    /// Has a subroutine called: its name, and its arguments.
    pub fn call(&mut self, args: &[Str]) -> Result<(), Broken> {
        let mut text = Vec::new();
        for arg in args {
            let length = u32::try_from(arg.bytes().len()).map_err(|_| Broken::Nonsense)?;
            text.extend_from_slice(&length.to_be_bytes());
            text.extend_from_slice(arg.bytes());
        }
        self.send(b'C', &text)
    }

    /// Tells what came of an expansion: a value, a failure's text, or that it
    /// was forced to fail.
    pub fn tell(&mut self, result: Result<&[u8], Option<&[u8]>>) -> Result<(), Broken> {
        match result {
            Ok(value) => self.send(b'V', value),
            Err(Some(why)) => self.send(b'E', why),
            Err(None) => self.send(b'U', b""),
        }
    }

    /// The taint of a text that Perl wants expanded.
    pub fn taint_of(&self, text: &[u8]) -> Taint {
        provenance::of_answer(text, &self.live)
    }

    /// Waits for what Perl says next.
    pub fn receive(&mut self, most: usize) -> Result<PerlAnswer, Broken> {
        let mut head = [0; 5];
        self.child.read_exact(&mut head).map_err(|error| self.broken(&error))?;
        let [letter, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > most {
            self.child.end();
            return Err(Broken::TooMuch(most));
        }
        let mut text = vec![0; length];
        self.child.read_exact(&mut text).map_err(|error| self.broken(&error))?;
        Ok(match letter {
            b'V' => PerlAnswer::Value(text),
            b'U' => PerlAnswer::Undefined,
            b'E' => PerlAnswer::Failed(text),
            b'X' => PerlAnswer::Expand(text),
            b'L' => PerlAnswer::Log(text),
            b'D' => PerlAnswer::Debug(text),
            _ => {
                self.child.end();
                return Err(Broken::Nonsense);
            }
        })
    }

    fn send(&mut self, letter: u8, text: &[u8]) -> Result<(), Broken> {
        let length = u32::try_from(text.len()).map_err(|_| Broken::Nonsense)?;
        let frame = [&[letter], length.to_be_bytes().as_slice(), text].concat();
        self.child.write_all(&frame).map_err(|error| self.broken(&error))
    }

    /// What an error on the channel means; the process has ended afterwards.
    fn broken(&mut self, error: &io::Error) -> Broken {
        let code = self.child.end();
        match error.kind() {
            io::ErrorKind::TimedOut => Broken::Late,
            _ => Broken::Ended(code),
        }
    }
}
