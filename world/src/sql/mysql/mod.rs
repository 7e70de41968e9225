//! MySQL and MariaDB: the protocol's text form, in which all values are text.

mod frame;
mod login;
mod options;
mod proof;

use std::time::Duration;

use eximious_core::world::{Rows, Server, ServerError, SqlAnswer};

use super::Answer;
use super::wire::{Packet, WireError};
use crate::deadline::Deadline;
use frame::{Frames, MysqlError, lenenc, lenenc_text};

/// What the server says in a status: that another answer follows, and that a
/// transaction is open.
const MORE: u16 = 8;
const IN_TRANSACTION: u16 = 1;

/// A session with a MySQL server.
pub struct MysqlSession {
    frames: Frames,
    in_transaction: bool,
}

impl super::Session for MysqlSession {
    fn open(server: &Server, deadline: Deadline) -> Result<Self, ServerError> {
        login::open(server, deadline)
    }

    fn query(&mut self, statement: &[u8], within: Duration) -> Answer {
        self.frames.begin(within);
        match self.exchange(statement) {
            Ok(result) => Answer { result, goes_on: true },
            Err(broken) => Answer { result: Err(error(broken)), goes_on: false },
        }
    }

    fn is_quiet(&self) -> bool {
        self.frames.is_quiet()
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }
}

type Outcome = Result<SqlAnswer, ServerError>;

impl MysqlSession {
    /// Sends a statement and reads its answers, of which the first one counts.
    fn exchange(&mut self, statement: &[u8]) -> Result<Outcome, WireError> {
        self.frames.restart();
        self.frames.send(&[b"\x03", statement].concat())?;
        let (first, mut more) = self.answer()?;
        while more {
            more = self.answer()?.1;
        }
        Ok(first)
    }

    /// One answer, and whether another follows.
    fn answer(&mut self) -> Result<(Outcome, bool), WireError> {
        let head = self.frames.receive()?;
        let mut packet = Packet(&head);
        match head.first() {
            Some(0) => {
                packet.byte()?;
                let changed = lenenc(&mut packet)?;
                lenenc(&mut packet)?;
                let more = self.status(u16::from_le_bytes(packet.array()?));
                Ok((Ok(SqlAnswer::Changed(Some(changed))), more))
            }
            Some(0xff) => Ok((Err(refused(&head)), false)),
            // The server asks for a file of this host. It was not told that it
            // may, and gets none.
            Some(0xfb) | None => Err(WireError::Garbage),
            Some(_) => {
                let columns = lenenc(&mut packet)?;
                self.rows(columns)
            }
        }
    }

    fn rows(&mut self, columns: u64) -> Result<(Outcome, bool), WireError> {
        let mut rows = Rows::default();
        for _ in 0..columns {
            rows.columns.push(column(&self.frames.receive()?)?);
        }
        if !is_end(&self.frames.receive()?) {
            return Err(WireError::Garbage);
        }
        loop {
            let body = self.frames.receive()?;
            if is_end(&body) {
                let status = body.get(3..5).ok_or(WireError::Garbage)?;
                let more = self.status(u16::from_le_bytes([status[0], status[1]]));
                return Ok((Ok(SqlAnswer::Rows(rows)), more));
            }
            if body.first() == Some(&0xff) {
                return Ok((Err(refused(&body)), false));
            }
            let mut packet = Packet(&body);
            self.frames.charge(rows.columns.len() + 1)?;
            let mut row = Vec::with_capacity(rows.columns.len());
            for _ in 0..rows.columns.len() {
                row.push(value(&mut packet)?);
            }
            rows.rows.push(row);
        }
    }

    /// Reads a status; says whether another answer follows.
    fn status(&mut self, status: u16) -> bool {
        self.in_transaction = status & IN_TRANSACTION != 0;
        status & MORE != 0
    }
}

fn refused(packet: &[u8]) -> ServerError {
    ServerError::Refused(MysqlError::read(packet).words)
}

fn error(broken: WireError) -> ServerError {
    match broken {
        WireError::Closed | WireError::Reset => {
            ServerError::Broken("Lost connection to server during query".into())
        }
        WireError::TooMuch => ServerError::TooMuch,
        WireError::Slow => ServerError::Broken("Timeout while waiting for the server".into()),
        WireError::Garbage => ServerError::Broken("Malformed communication packet".into()),
        WireError::Failed(error) => ServerError::Broken(crate::databases::words(&error)),
    }
}

/// The packet after the last column, and after the last row.
fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&0xfe) && packet.len() < 9
}

/// The name of a column.
fn column(packet: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut packet = Packet(packet);
    // The catalogue, the schema, the table, and the table's own name.
    for _ in 0..4 {
        lenenc_text(&mut packet)?;
    }
    Ok(lenenc_text(&mut packet)?.to_vec())
}

fn value(packet: &mut Packet<'_>) -> Result<Option<Vec<u8>>, WireError> {
    if packet.0.first() == Some(&0xfb) {
        packet.byte()?;
        return Ok(None);
    }
    Ok(Some(lenenc_text(packet)?.to_vec()))
}
