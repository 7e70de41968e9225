//! How it is told why a batch is given up.

/// Why a batch is given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchError {
    /// What is wrong, with the code that SMTP has for it.
    pub text: Vec<u8>,
    /// The command that it is about, if it is one.
    pub command: Option<Vec<u8>>,
    pub(super) began: u64,
    pub(super) line: u64,
    pub(super) messages: u64,
}

impl BatchError {
    /// What is said of it on the standard output.
    pub fn printed(&self) -> Vec<u8> {
        let numbers = format!(
            "\nTransaction started in line {}\nError detected in line {}\n",
            self.began, self.line
        );
        let mut said = [self.text.as_slice(), numbers.as_bytes()].concat();
        if let Some(command) = &self.command {
            said.extend_from_slice(&[command, b"\n".as_slice()].concat());
        }
        said
    }

    /// What is said of it on the standard error.
    pub fn explained(&self) -> Vec<u8> {
        let head = b"An error was detected while processing a file of BSMTP input.\n\
            The error message was:\n\n  ";
        let numbers = format!(
            "\n\nThe SMTP transaction started in line {}.\nThe error was detected in line {}.\n",
            self.began, self.line
        );
        let mut said = [head.as_slice(), &self.text, numbers.as_bytes()].concat();
        if let Some(command) = &self.command {
            let head = b"The SMTP command at fault was:\n\n   ".as_slice();
            said.extend_from_slice(&[head, command, b"\n\n"].concat());
        }
        let were = if self.messages == 1 { " was" } else { "s were" };
        let tail = format!(
            "{} previous message{were} successfully processed.\nThe rest of the batch was abandoned.\n",
            self.messages
        );
        said.extend_from_slice(tail.as_bytes());
        said
    }

    /// The status to end with.
    pub fn status(&self) -> u8 {
        if self.messages > 0 { 1 } else { 2 }
    }
}
