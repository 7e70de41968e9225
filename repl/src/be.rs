//! `-be`: expands its arguments, or the lines of its input.

use std::io::{self, Read};

use crate::input::Lines;
use crate::output::Output;
use crate::session::{Answer, Session};

/// Expands texts, one after the other.
pub fn texts(session: &mut Session, texts: &[Vec<u8>], output: &Output) -> io::Result<()> {
    for text in texts {
        answer(session, text, output, b"\n")?;
    }
    output.flush()
}

/// Expands what is piped, with a prompt before each line, as Exim has it.
pub fn lines(session: &mut Session, input: impl Read, output: &Output) -> io::Result<()> {
    let mut lines = Lines::new(input);
    output.put(b"> ", b"")?;
    while let Some(line) = lines.next(&mut || output.flush())? {
        answer(session, line, output, b"\n> ")?;
    }
    output.put(b"\n", b"")?;
    output.flush()
}

/// What a line has for an answer; `end` is a newline and what comes next.
fn answer(session: &mut Session, line: &[u8], output: &Output, end: &[u8]) -> io::Result<()> {
    match session.answer(line) {
        Answer::Value(value) => output.put(value.bytes(), end),
        Answer::Failed(fail) => output.put(&[b"Failed: ", fail.message()].concat(), end),
        // Exim does not say why.
        Answer::NotSet(_) => output.put(b"oops: NULL", end),
        Answer::Said(text) => output.put(&text, end),
        Answer::Wrong(complaint, _) => {
            session.log(&complaint);
            output.put(&end[1..], b"")
        }
    }
}
