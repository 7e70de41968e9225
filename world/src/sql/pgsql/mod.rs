//! PostgreSQL: the protocol's simple query, in which all values are text.

mod complaint;
mod conninfo;
mod login;

use std::time::Duration;

use eximious_core::world::{Rows, Server, ServerError, SqlAnswer};

use super::Answer;
use super::wire::{Packet, ServerWire, WireError};
use crate::deadline::Deadline;
use complaint::PgsqlError;

/// What the client's library says of a connection that the server closed.
const CLOSED: &str = "server closed the connection unexpectedly\n\
     \tThis probably means the server terminated abnormally\n\
     \tbefore or while processing the request.\n";

/// A session with a PostgreSQL server.
pub struct PgsqlSession {
    wire: ServerWire,
    /// Whether the server speaks UTF-8 with us; what it counts are characters
    /// then, and bytes otherwise.
    utf8: bool,
    in_transaction: bool,
}

impl super::Session for PgsqlSession {
    fn open(server: &Server, deadline: Deadline) -> Result<Self, ServerError> {
        login::open(server, deadline)
    }

    fn query(&mut self, statement: &[u8], within: Duration) -> Answer {
        self.wire.begin(within);
        let mut result = Ok(SqlAnswer::Changed(None));
        match self.exchange(statement, &mut result) {
            Ok(()) => Answer { result, goes_on: true },
            Err(Ended::Copy(answer)) => Answer { result: Ok(answer), goes_on: false },
            Err(Ended::Broken(broken)) => Answer { result: Err(error(broken)), goes_on: false },
        }
    }

    fn is_quiet(&self) -> bool {
        self.wire.is_quiet()
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }
}

/// Why a session can't go on.
enum Ended {
    Broken(WireError),
    /// The server waits for data, or sends it, in a way of its own.
    Copy(SqlAnswer),
}

impl From<WireError> for Ended {
    fn from(broken: WireError) -> Self {
        Self::Broken(broken)
    }
}

type Outcome = Result<SqlAnswer, ServerError>;

impl PgsqlSession {
    /// Sends a statement, and reads until the server is ready for the next. The
    /// last of several answers counts.
    fn exchange(&mut self, statement: &[u8], result: &mut Outcome) -> Result<(), Ended> {
        self.wire.send(&message(b'Q', &[statement, b"\0"]))?;
        let mut rows: Option<Rows> = None;
        loop {
            let (tag, body) = receive(&mut self.wire)?;
            match tag {
                b'T' => rows = Some(Rows { columns: columns(&body)?, rows: Vec::new() }),
                b'D' => {
                    let row = values(&body)?;
                    self.wire.charge(row.len() + 1)?;
                    rows.as_mut().ok_or(WireError::Garbage)?.rows.push(row);
                }
                b'C' => {
                    let tag = Packet(&body).text()?;
                    *result = Ok(match rows.take() {
                        Some(rows) => SqlAnswer::Rows(rows),
                        None => SqlAnswer::Changed(changed(tag)),
                    });
                }
                b'I' => *result = Ok(SqlAnswer::Changed(None)),
                b'E' => {
                    let words = PgsqlError::read(&body)?.words(Some(statement), self.utf8);
                    *result = Err(ServerError::Refused(words));
                }
                b'G' => return Err(Ended::Copy(SqlAnswer::Copy { into: true })),
                b'H' | b'W' => return Err(Ended::Copy(SqlAnswer::Copy { into: false })),
                b'S' => self.parameter(&body)?,
                b'Z' => {
                    self.in_transaction = body.first().is_some_and(|status| *status != b'I');
                    return Ok(());
                }
                // A notice, or a notification: nobody listens.
                b'N' | b'A' => {}
                _ => return Err(WireError::Garbage.into()),
            }
        }
    }

    /// The server says how it is set.
    fn parameter(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut body = Packet(body);
        if body.text()? == b"client_encoding" {
            self.utf8 = matches!(body.text()?, b"UTF8" | b"UNICODE");
        }
        Ok(())
    }
}

fn error(broken: WireError) -> ServerError {
    match broken {
        WireError::Closed | WireError::Reset => ServerError::Refused(CLOSED.into()),
        WireError::TooMuch => ServerError::TooMuch,
        WireError::Slow => ServerError::Broken("timeout expired\n".into()),
        WireError::Garbage => ServerError::Broken("unexpected response from server\n".into()),
        WireError::Failed(error) => ServerError::Broken(format!("{}\n", words(&error))),
    }
}

fn words(error: &std::io::Error) -> String {
    crate::databases::words(error)
}

/// A message with its tag and length.
fn message(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 4;
    let mut out = Vec::with_capacity(length + 1);
    out.push(tag);
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// The next message: its tag, and what it holds.
fn receive(wire: &mut ServerWire) -> Result<(u8, Vec<u8>), WireError> {
    let [tag, length @ ..] = wire.array::<5>()?;
    let length = u32::from_be_bytes(length).checked_sub(4).ok_or(WireError::Garbage)?;
    let length = usize::try_from(length).map_err(|_| WireError::TooMuch)?;
    Ok((tag, wire.take(length)?))
}

/// The names of columns.
fn columns(body: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let mut body = Packet(body);
    let count = u16::from_be_bytes(body.array()?);
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(body.text()?.to_vec());
        // Table, column, type, its size and modifier, and the format.
        body.take(18)?;
    }
    Ok(names)
}

/// The values of a row.
fn values(body: &[u8]) -> Result<Vec<Option<Vec<u8>>>, WireError> {
    let mut body = Packet(body);
    let count = u16::from_be_bytes(body.array()?);
    let mut values = Vec::new();
    for _ in 0..count {
        // The length of NULL is -1.
        let length = i32::from_be_bytes(body.array()?);
        values.push(match usize::try_from(length) {
            Ok(length) => Some(body.take(length)?.to_vec()),
            Err(_) => None,
        });
    }
    Ok(values)
}

/// How many rows a statement changed, where the server counts them.
fn changed(tag: &[u8]) -> Option<u64> {
    let last = tag.rsplit(|c| *c == b' ').next()?;
    if last.len() == tag.len() {
        return None;
    }
    std::str::from_utf8(last).ok()?.parse().ok()
}
