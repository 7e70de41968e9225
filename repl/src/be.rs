//! `-be`: expands its arguments, or the lines of its input.

use std::io::{self, Read};

use crate::input::Lines;
use crate::output::Output;
use crate::session::{Answer, Session};

/// Expands texts, one after the other.
pub fn texts(session: &mut Session, texts: &[Vec<u8>], output: &Output) -> io::Result<()> {
    for text in texts {
        answer(session, text, output)?;
    }
    output.flush()
}

/// Expands what is piped, with a prompt before each line, as Exim has it.
pub fn lines(session: &mut Session, input: impl Read, output: &Output) -> io::Result<()> {
    let mut lines = Lines::new(input);
    loop {
        output.put(&[b"> "])?;
        match lines.next(&mut || output.flush())? {
            Some(line) => answer(session, line, output)?,
            None => {
                output.put(&[b"\n"])?;
                return output.flush();
            }
        }
    }
}

fn answer(session: &mut Session, line: &[u8], output: &Output) -> io::Result<()> {
    match session.answer(line) {
        Answer::Value(value) => output.put(&[value.bytes(), b"\n"]),
        Answer::Failed(fail) => output.put(&[b"Failed: ", fail.message(), b"\n"]),
        // Exim does not say why.
        Answer::NotSet(_) => output.put(&[b"oops: NULL\n"]),
        Answer::Said(text) => output.put(&[&text, b"\n"]),
        Answer::Wrong(complaint, _) => {
            session.log(&complaint);
            Ok(())
        }
    }
}
