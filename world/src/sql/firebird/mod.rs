//! Firebird: its own protocol, in which the server is asked to write all values
//! as text.
//!
//! Each statement is a transaction of its own.

mod channel;
mod columns;
mod complaint;
mod login;
mod srp;

use std::time::Duration;

use eximious_core::world::{Rows, Server, ServerError, SqlAnswer};

use super::Answer;
use super::wire::{Packet, WireError};
use crate::deadline::Deadline;
use channel::{Channel, Failed, FirebirdRequest, is_response};
use columns::{Described, QUESTIONS, Unfit, little};

const TRANSACTION: u32 = 29;
const COMMIT: u32 = 30;
const ROLLBACK: u32 = 31;
const GET_SEGMENT: u32 = 36;
const CLOSE_BLOB: u32 = 39;
const OPEN_BLOB: u32 = 56;
const ALLOCATE: u32 = 62;
const EXECUTE: u32 = 63;
const FETCH: u32 = 65;
const FETCHED: u32 = 66;
const FREE: u32 = 67;
const PREPARE: u32 = 68;
const INFORM: u32 = 70;
const EXECUTE_TO_ROW: u32 = 76;
const EXECUTED: u32 = 78;

/// A transaction that writes, waits for others' locks, and sees what others have
/// committed.
const MANNER: &[u8] = &[3, 9, 6, 15, 17];
/// The dialect of statements.
const DIALECT: u32 = 3;
/// How long an answer to questions may be.
const ROOM: u32 = 65_535;
/// How many rows a server sends at once.
const BATCH: u32 = 200;
/// How much of a blob.
const PIECE: u32 = 32_768;
/// What is left of a statement that is done with: nothing.
const ALTOGETHER: u32 = 2;
/// What a server says where there are no more rows, and at the end of a blob.
const NO_MORE_ROWS: u32 = 100;
const END_OF_BLOB: u32 = 2;

/// Kinds of statements.
const SELECT: u32 = 1;
const START: u32 = 9;
const SELECT_FOR_UPDATE: u32 = 12;
const SAVEPOINT: u32 = 14;

/// How many rows a statement changed: the question, the answer's tag, and the
/// tags of what was inserted, updated and deleted.
const COUNTS: &[u8] = &[23, 1];
const CHANGED: [u8; 3] = [14, 15, 16];

/// A session with a Firebird server.
pub struct FirebirdSession {
    channel: Channel,
    database: u32,
}

impl super::Session for FirebirdSession {
    fn open(server: &Server, deadline: Deadline) -> Result<Self, ServerError> {
        login::open(server, deadline)
    }

    fn query(&mut self, statement: &[u8], within: Duration) -> Answer {
        self.channel.begin(within);
        match self.exchange(statement) {
            Ok(result) => Answer { result, goes_on: true },
            Err(failed) => Answer { result: Err(error(failed)), goes_on: false },
        }
    }

    fn is_quiet(&self) -> bool {
        self.channel.is_quiet()
    }

    fn in_transaction(&self) -> bool {
        false
    }
}

fn error(failed: Failed) -> ServerError {
    match failed {
        Failed::Refused(complaint) => ServerError::Refused(complaint.words()),
        Failed::Broken(WireError::TooMuch) => ServerError::TooMuch,
        Failed::Broken(broken) => ServerError::Broken(broken_words(&broken)),
    }
}

fn broken_words(broken: &WireError) -> String {
    match broken {
        WireError::Closed | WireError::Reset => "the server closed the connection".into(),
        WireError::Slow => "the server took too long".into(),
        WireError::TooMuch => "the server said too much".into(),
        WireError::Garbage => "what the server says makes no sense".into(),
        WireError::Failed(error) => crate::databases::words(error),
    }
}

type Outcome = Result<SqlAnswer, ServerError>;

/// Why a statement has no answer.
enum Unanswered {
    Failed(Failed),
    /// For a reason of ours: the server might do it.
    Declined(&'static str),
}

impl<T: Into<Failed>> From<T> for Unanswered {
    fn from(failed: T) -> Self {
        Self::Failed(failed.into())
    }
}

impl FirebirdSession {
    /// Carries out a statement. An error says that the session can't go on.
    fn exchange(&mut self, statement: &[u8]) -> Result<Outcome, Failed> {
        let start = FirebirdRequest::new(TRANSACTION).number(self.database).text(MANNER);
        self.channel.send([start, FirebirdRequest::new(ALLOCATE).number(self.database)])?;
        let transaction = self.channel.response()?.handle;
        let handle = self.channel.response()?.handle;
        let mut run = Run { channel: &mut self.channel, transaction, handle };
        let outcome = match run.run(statement) {
            Ok(answer) => Ok(answer),
            Err(Unanswered::Declined(why)) => Err(ServerError::Refused(why.into())),
            Err(Unanswered::Failed(Failed::Refused(complaint))) => {
                Err(ServerError::Refused(complaint.words()))
            }
            Err(Unanswered::Failed(broken)) => return Err(broken),
        };
        let end = if outcome.is_ok() { COMMIT } else { ROLLBACK };
        let free = FirebirdRequest::new(FREE).number(handle).number(ALTOGETHER);
        self.channel.send([free, FirebirdRequest::new(end).number(transaction)])?;
        self.channel.response()?;
        self.channel.response()?;
        Ok(outcome)
    }
}

/// A statement on its way.
struct Run<'a> {
    channel: &'a mut Channel,
    transaction: u32,
    handle: u32,
}

impl Run<'_> {
    fn run(&mut self, statement: &[u8]) -> Result<SqlAnswer, Unanswered> {
        let prepare = FirebirdRequest::new(PREPARE).number(self.transaction).number(self.handle);
        let prepare = prepare.number(DIALECT).text(statement).text(QUESTIONS).number(ROOM);
        self.channel.send([prepare])?;
        let described = match Described::read(&self.channel.response()?.data) {
            Ok(described) => described,
            Err(Unfit::Broken(broken)) => return Err(broken.into()),
            Err(Unfit::TooMany) => return Err(Unanswered::Declined("there are too many columns")),
            Err(Unfit::Array) => {
                return Err(Unanswered::Declined("a column is an array, which can't be read"));
            }
        };
        match described.kind {
            START..SELECT_FOR_UPDATE | SAVEPOINT => {
                Err(Unanswered::Declined("each statement is a transaction of its own"))
            }
            SELECT | SELECT_FOR_UPDATE => {
                self.channel.send([self.execute(EXECUTE)])?;
                self.channel.response()?;
                let mut rows = self.fetch(&described)?;
                self.read_blobs(&described, &mut rows)?;
                Ok(answer(described, rows))
            }
            _ if !described.columns.is_empty() => {
                let execute = self.execute(EXECUTE_TO_ROW).text(&described.wanted()).number(0);
                self.channel.send([execute])?;
                let mut rows = self.only_row(&described)?;
                self.read_blobs(&described, &mut rows)?;
                Ok(answer(described, rows))
            }
            _ => {
                let count = FirebirdRequest::new(INFORM).number(self.handle).number(0);
                self.channel.send([self.execute(EXECUTE), count.text(COUNTS).number(ROOM)])?;
                let done = self.channel.response();
                let counted = self.channel.response();
                done?;
                Ok(SqlAnswer::Changed(Some(changed(&counted?.data)?)))
            }
        }
    }

    /// A request to carry out what was prepared, with no values in it.
    fn execute(&self, operation: u32) -> FirebirdRequest {
        let request = FirebirdRequest::new(operation).number(self.handle).number(self.transaction);
        request.text(b"").number(0).number(0)
    }

    /// All rows of a statement that has been carried out.
    fn fetch(&mut self, described: &Described) -> Result<Vec<Row>, Failed> {
        let wanted = described.wanted();
        let mut rows = Vec::new();
        loop {
            let fetch = FirebirdRequest::new(FETCH).number(self.handle).text(&wanted);
            self.channel.send([fetch.number(0).number(BATCH)])?;
            loop {
                match self.channel.operation()? {
                    FETCHED => {}
                    operation if is_response(operation) => {
                        self.channel.rest_of_response()?;
                        return Err(WireError::Garbage.into());
                    }
                    _ => return Err(WireError::Garbage.into()),
                }
                let status = self.channel.number()?;
                let count = self.channel.number()?;
                if status == NO_MORE_ROWS {
                    return Ok(rows);
                }
                if count == 0 {
                    break;
                }
                rows.push(described.row(self.channel)?);
            }
        }
    }

    /// What comes of a statement that gives one row or none.
    fn only_row(&mut self, described: &Described) -> Result<Vec<Row>, Failed> {
        let mut rows = Vec::new();
        match self.channel.operation()? {
            EXECUTED => {
                if self.channel.number()? != 0 {
                    rows.push(described.row(self.channel)?);
                }
                self.channel.response()?;
            }
            operation if is_response(operation) => {
                self.channel.rest_of_response()?;
            }
            _ => return Err(WireError::Garbage.into()),
        }
        Ok(rows)
    }

    /// Puts what blobs hold in the place of their numbers.
    fn read_blobs(&mut self, described: &Described, rows: &mut [Row]) -> Result<(), Failed> {
        for row in rows {
            for (column, value) in described.columns.iter().zip(row) {
                if let (true, Some(value)) = (column.is_blob(), value) {
                    *value = self.blob(value)?;
                }
            }
        }
        Ok(())
    }

    fn blob(&mut self, number: &[u8]) -> Result<Vec<u8>, Failed> {
        let open = FirebirdRequest::new(OPEN_BLOB).text(b"").number(self.transaction).bytes(number);
        self.channel.send([open])?;
        let blob = self.channel.response()?.handle;
        let mut whole = Vec::new();
        loop {
            self.channel
                .send([FirebirdRequest::new(GET_SEGMENT).number(blob).number(PIECE).number(0)])?;
            let said = self.channel.response()?;
            // It comes in segments, which mean nothing here.
            let mut segments = Packet(&said.data);
            while !segments.0.is_empty() {
                let length = u16::from_le_bytes(segments.array()?);
                whole.extend_from_slice(segments.take(usize::from(length))?);
            }
            if said.handle == END_OF_BLOB {
                break;
            }
        }
        self.channel.send([FirebirdRequest::new(CLOSE_BLOB).number(blob)])?;
        self.channel.response()?;
        Ok(whole)
    }
}

type Row = Vec<Option<Vec<u8>>>;

fn answer(described: Described, rows: Vec<Row>) -> SqlAnswer {
    let columns = described.columns.into_iter().map(|column| column.name).collect();
    SqlAnswer::Rows(Rows { columns, rows })
}

/// How many rows were changed, of a server's answer.
fn changed(data: &[u8]) -> Result<u64, WireError> {
    let mut data = Packet(data);
    if data.byte()? != COUNTS[0] {
        return Ok(0);
    }
    data.take(2)?;
    let mut changed = 0;
    loop {
        let tag = data.byte()?;
        if tag == COUNTS[1] {
            return Ok(changed);
        }
        let length = u16::from_le_bytes(data.array()?);
        let count = little(data.take(usize::from(length))?);
        if CHANGED.contains(&tag) {
            changed += u64::from(count);
        }
    }
}
