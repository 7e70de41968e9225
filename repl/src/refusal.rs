//! Why the program does not do what it is asked.

use eximious::ConfigError;

/// Why the program stops before it began: what to say, and the exit status
/// that goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop(pub Vec<u8>);

impl Stop {
    /// In Exim's name.
    pub fn exim(message: impl AsRef<[u8]>) -> Self {
        Self([b"exim: ", message.as_ref()].concat())
    }

    /// An option that nobody understands.
    pub fn abandoned(argument: &[u8]) -> Self {
        let head = b"exim abandoned: unknown, malformed, or incomplete option ";
        Self([head.as_slice(), argument].concat())
    }

    /// Options that do not go together.
    pub fn incompatible() -> Self {
        Self::exim("incompatible command-line options or arguments")
    }
}

/// Why a session can't begin.
#[derive(Debug)]
pub enum Refusal {
    /// For the standard error, as it is.
    Said(Vec<u8>),
    /// For the log.
    Logged(Vec<u8>),
}

impl Refusal {
    /// Why a command of this program's own can't go on.
    pub fn of_command(why: String) -> Self {
        Self::Said(format!("eximious: {why}").into_bytes())
    }

    /// A mistake in a configuration: as the log has it, or as Exim shows it to who
    /// wants to see all, or where the log would be in the way.
    pub fn of(error: &ConfigError, shown: bool) -> Self {
        let text = error.text();
        if !shown {
            return Self::Logged(text);
        }
        let logs = match error.in_configuration() {
            true if error.is_of_definition() => "PANIC",
            true => "PANIC DIE",
            false => "MAIN PANIC DIE",
        };
        let mut out = format!("LOG: {logs}").into_bytes();
        for line in text.split(|c| *c == b'\n') {
            out.push(b'\n');
            if !line.is_empty() {
                out.extend_from_slice(b"  ");
                out.extend_from_slice(line.strip_prefix(b"  ").unwrap_or(line));
            }
        }
        Self::Said(out)
    }
}

impl From<ConfigError> for Refusal {
    fn from(why: ConfigError) -> Self {
        Self::of(&why, false)
    }
}
