//! `-be`: expands its arguments, or the lines of its input.

use std::io::{self, IsTerminal, Read, Write};
use std::thread::available_parallelism;

use eximious::Fail;

use crate::ahead::{self, Ready};
use crate::input::Lines;
use crate::output::Output;
use crate::session::{Answer, Session};
use crate::suggest::meant;

/// How many bytes have to be there for a thread to be worth its while.
const MANY: usize = 16 << 10;

/// Expands texts, one after the other.
pub fn texts(session: &mut Session, texts: &[Vec<u8>], output: &Output) -> io::Result<()> {
    for text in texts {
        say(session.answer(text), session, output, b"\n")?;
    }
    output.flush()
}

/// Expands what is piped, with a prompt before each line, as Exim has it.
pub fn lines(
    session: &mut Session,
    input: impl Read + Send + 'static,
    output: &Output,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    output.put(b"> ", b"")?;
    let mut flush = || output.flush();
    // A thread that has no processor of its own is none the faster for being another.
    let mut alone = available_parallelism().is_ok_and(|count| count.get() == 1);
    while let Some(line) = lines.next(&mut flush)? {
        say(session.answer(line), session, output, b"\n> ")?;
        if lines.ready() < MANY || alone {
            continue;
        }
        let Ok(thread) = ahead::Thread::start() else {
            alone = true;
            continue;
        };
        let (reader, engine) = (session.give_reader(), session.engine().clone());
        let carry_out = |line: Ready<'_>| {
            let answer = match line {
                Ready::Expand(batch, number) => Answer::of(batch.expand(number, session.context())),
                Ready::Other(deed) => session.carry_out(deed),
            };
            say(answer, session, output, b"\n> ")
        };
        thread.run(lines, reader, engine, carry_out, flush)?;
        break;
    }
    output.put(b"\n", b"")?;
    output.flush()
}

/// What could have been meant, for those who look on at a terminal: who reads answers gets
/// Exim's.
#[cold]
fn suggestion(session: &Session, fail: &Fail) -> Option<String> {
    if !io::stderr().is_terminal() {
        return None;
    }
    let message = String::from_utf8_lossy(fail.message());
    let near = meant(session.engine().registry(), &message)?;
    Some(format!("(did you mean {near}?)\n"))
}

/// Writes what came of a line; `end` is a newline and what comes next.
#[inline(always)]
fn say(answer: Answer, session: &Session, output: &Output, end: &[u8]) -> io::Result<()> {
    match answer {
        Answer::Value(value) => output.put(value.bytes(), end),
        Answer::Failed(fail) => {
            let text = [b"Failed: ", fail.message()].concat();
            let Some(suggestion) = suggestion(session, &fail) else {
                return output.put(&text, end);
            };
            output.put(&text, b"\n")?;
            output.flush()?;
            // Whoever can't read it does without.
            let _ = io::stderr().write_all(suggestion.as_bytes());
            output.put(&end[1..], b"")
        }
        // Exim does not say why.
        Answer::NotSet(_) => output.put(b"oops: NULL", end),
        Answer::Said(text) => output.put(&text, end),
        Answer::Wrong(complaint, _) => {
            session.log(&complaint);
            output.put(&end[1..], b"")
        }
    }
}
