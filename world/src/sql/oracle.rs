//! Oracle, by Oracle's own client library. A crate brings the code that looks for
//! it when it is first wanted: nothing of Oracle's is needed to build this.
//!
//! The library has no end to the wait for a connection, and an old one has none
//! to any. So each connection has a thread, which asks while others wait as long
//! as they like; where nobody waits any more, the thread ends with what it does,
//! whenever that is, and only so many may be doing something for nobody.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use eximious_core::world::{Rows, Server, ServerAddress, ServerError, SqlAnswer};
use oracle::sql_type::{Blob, Clob, Nclob, OracleType};
use oracle::{ConnStatus, Connection, Row};

use super::Answer;
use crate::deadline::Deadline;

/// How many connections there may be, those counted that nobody waits for.
const MOST: usize = 64;
/// How many bytes an answer has at the most.
const LARGEST: usize = 64 << 20;

/// What the library's finder says where there is none (`DPI-1047`).
const NO_LIBRARY: i32 = 1047;
/// What it says where a connection is no more.
const NOT_CONNECTED: i32 = 1010;
const TIMEOUT: i32 = 1067;
const CLOSED: i32 = 1080;

/// A session with an Oracle server.
pub struct OracleSession {
    jobs: SyncSender<Job>,
}

/// A statement, how much time there is, and who waits for the answer.
struct Job {
    statement: String,
    within: Duration,
    answer: SyncSender<Answer>,
}

impl super::Session for OracleSession {
    fn open(server: &Server, deadline: Deadline) -> Result<Self, ServerError> {
        let failed = |why: &str| ServerError::Connect(why.into());
        let place = Place::take().ok_or_else(|| failed("too many connections hang already"))?;
        let target = Target::read(server).ok_or_else(|| failed("a name is not UTF-8"))?;
        let (jobs, todo) = sync_channel(1);
        let (opened, opens) = sync_channel(1);
        let work = move || {
            // Held as long as the library is busy.
            let _place = place;
            match target.connect() {
                Ok(connection) => {
                    if opened.send(Ok(())).is_ok() {
                        serve(&target, connection, &todo);
                    }
                }
                Err(why) => drop(opened.send(Err(why))),
            }
        };
        let started = thread::Builder::new().name("oracle".into()).spawn(work);
        started.map_err(|error| failed(&crate::databases::words(&error)))?;
        match opens.recv_timeout(deadline.left().unwrap_or_default()) {
            Ok(Ok(())) => Ok(Self { jobs }),
            Ok(Err(why)) => Err(ServerError::Connect(why)),
            Err(RecvTimeoutError::Timeout) => Err(failed("the server took too long")),
            Err(RecvTimeoutError::Disconnected) => Err(failed("the client broke off")),
        }
    }

    fn query(&mut self, statement: &[u8], within: Duration) -> Answer {
        let Ok(statement) = String::from_utf8(statement.to_vec()) else {
            let why = ServerError::Refused(b"the statement is not UTF-8".to_vec());
            return Answer { result: Err(why), goes_on: true };
        };
        let lost =
            |why: &str| Answer { result: Err(ServerError::Broken(why.into())), goes_on: false };
        let (answer, answers) = sync_channel(1);
        if self.jobs.send(Job { statement, within, answer }).is_err() {
            return lost("the client broke off");
        }
        match answers.recv_timeout(within) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => lost("the server took too long"),
            Err(RecvTimeoutError::Disconnected) => lost("the client broke off"),
        }
    }

    /// It is found out when it is used again.
    fn is_quiet(&self) -> bool {
        true
    }

    fn in_transaction(&self) -> bool {
        false
    }
}

/// One of the places that connections have.
struct Place;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take() -> Option<Self> {
        let more = |taken: usize| (taken < MOST).then_some(taken + 1);
        TAKEN.try_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Where to connect, and as whom.
struct Target {
    service: String,
    user: String,
    password: String,
}

impl Target {
    fn read(server: &Server) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let service = match &server.address {
            ServerAddress::Tcp { host, .. } => host.clone(),
            ServerAddress::Unix(_) => return None,
        };
        Some(Self { service, user: text(&server.user)?, password: text(&server.password)? })
    }

    fn connect(&self) -> Result<Connection, String> {
        Connection::connect(&self.user, &self.password, &self.service).map_err(|error| match error
            .dpi_code()
        {
            Some(NO_LIBRARY) => format!(
                "Oracle's client library (libclntsh.so, of Oracle Instant Client) can't be \
                     loaded: {}",
                words(&error)
            ),
            _ => words(&error),
        })
    }
}

/// The words of an error, on one line.
fn words(error: &oracle::Error) -> String {
    let words = error.db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
    words.trim_end().replace('\n', "; ")
}

/// Carries out statements until nobody has any more.
fn serve(target: &Target, mut connection: Connection, todo: &Receiver<Job>) {
    while let Ok(job) = todo.recv() {
        // One that the server closed in the meantime asked it for nothing.
        if !matches!(connection.status(), Ok(ConnStatus::Normal)) {
            connection = match target.connect() {
                Ok(connection) => connection,
                Err(why) => {
                    let result = Err(ServerError::Connect(why));
                    let _ = job.answer.send(Answer { result, goes_on: false });
                    return;
                }
            };
        }
        let answer = answer(&connection, &job);
        let goes_on = answer.goes_on;
        if job.answer.send(answer).is_err() || !goes_on {
            return;
        }
    }
}

fn answer(connection: &Connection, job: &Job) -> Answer {
    // Old libraries can't: then only the one who waits gives up.
    let _ = connection.set_call_timeout(Some(job.within.max(Duration::from_millis(1))));
    let done = run(connection, &job.statement).and_then(|answer| {
        connection.commit()?;
        Ok(answer)
    });
    match done {
        Ok(answer) => Answer { result: Ok(answer), goes_on: true },
        Err(Why::TooMuch) => Answer { result: Err(ServerError::TooMuch), goes_on: false },
        Err(Why::Oracle(error)) => {
            let lost = matches!(error.dpi_code(), Some(NOT_CONNECTED | TIMEOUT | CLOSED))
                || connection.rollback().is_err();
            let result = Err(match lost {
                true => ServerError::Broken(words(&error)),
                false => ServerError::Refused(words(&error).into_bytes()),
            });
            Answer { result, goes_on: !lost }
        }
    }
}

/// Why a statement has no answer.
enum Why {
    Oracle(oracle::Error),
    TooMuch,
}

impl From<oracle::Error> for Why {
    fn from(error: oracle::Error) -> Self {
        Self::Oracle(error)
    }
}

fn run(connection: &Connection, statement: &str) -> Result<SqlAnswer, Why> {
    let mut statement = connection.statement(statement).lob_locator().build()?;
    if !statement.is_query() {
        statement.execute(&[])?;
        return Ok(SqlAnswer::Changed(Some(statement.row_count()?)));
    }
    let answers = statement.query(&[])?;
    let columns: Vec<_> = answers.column_info().to_vec();
    let names = columns.iter().map(|column| column.name().as_bytes().to_vec()).collect();
    let mut rows = Rows { columns: names, rows: Vec::new() };
    let mut left = LARGEST;
    for row in answers {
        let row = row?;
        let mut values = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            let value = value(&row, at, column.oracle_type(), left)?;
            let room = value.as_ref().map_or(0, Vec::len) + size_of::<Option<Vec<u8>>>();
            left = left.checked_sub(room).ok_or(Why::TooMuch)?;
            values.push(value);
        }
        rows.rows.push(values);
    }
    Ok(SqlAnswer::Rows(rows))
}

/// A value, as the library writes it; of what may be very long, not more than
/// there is room for.
fn value(row: &Row, at: usize, kind: &OracleType, left: usize) -> Result<Option<Vec<u8>>, Why> {
    Ok(match kind {
        OracleType::CLOB => read(row.get::<_, Option<Clob>>(at)?, left)?,
        OracleType::NCLOB => read(row.get::<_, Option<Nclob>>(at)?, left)?,
        OracleType::BLOB => read(row.get::<_, Option<Blob>>(at)?, left)?,
        OracleType::Raw(_) | OracleType::LongRaw => row.get(at)?,
        _ => row.get::<_, Option<String>>(at)?.map(String::into_bytes),
    })
}

fn read(from: Option<impl Read>, left: usize) -> Result<Option<Vec<u8>>, Why> {
    let Some(from) = from else { return Ok(None) };
    let mut whole = Vec::new();
    let limit = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_end(&mut whole).map_err(|error| {
        let kind = oracle::ErrorKind::Other;
        Why::Oracle(oracle::Error::with_source(kind, error))
    })?;
    if whole.len() > left { Err(Why::TooMuch) } else { Ok(Some(whole)) }
}
