//! SQL servers: PostgreSQL, MySQL and MariaDB, Firebird, Oracle.
//!
//! The protocols are spoken here. The crates that speak them whole take
//! statements and give answers only as UTF-8, choose the character set that the
//! server is to use, and have a time for each read but none for an answer; a
//! mail server needs bytes as they are, and an end to every wait. What is hard
//! about the protocols, which is to prove who one is, is left to crates.
//! Oracle's protocol is nobody's but Oracle's, whose client library speaks it.

mod firebird;
mod mysql;
#[cfg(feature = "oracle")]
mod oracle;
mod pgsql;
mod session;
mod wire;

use std::time::Duration;

use eximious_core::world::{Server, ServerError, Sql, SqlAnswer, SqlKind};

use crate::deadline::Deadline;
use crate::pool::Pool;
use session::changes_session;

/// How long it may take until a server lets us in, of the time that a statement
/// has: another server may be waiting.
const OPENING: Duration = Duration::from_secs(30);

/// The system's way to SQL servers.
#[derive(Default)]
pub struct SystemSql {
    pgsql: Pool<Server, pgsql::PgsqlSession>,
    mysql: Pool<Server, mysql::MysqlSession>,
    firebird: Pool<Server, firebird::FirebirdSession>,
    #[cfg(feature = "oracle")]
    oracle: Pool<Server, oracle::OracleSession>,
}

/// An open connection, with a session in it.
trait Session: Sized {
    /// Opens one.
    fn open(server: &Server, deadline: Deadline) -> Result<Self, ServerError>;
    /// Carries out a statement. Where the result says so, the session can't be
    /// used again.
    fn query(&mut self, statement: &[u8], within: Duration) -> Answer;
    /// Whether it can be used again, as far as one can see without asking.
    fn is_quiet(&self) -> bool;
    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;
}

/// An answer, and whether the session goes on.
struct Answer {
    result: Result<SqlAnswer, ServerError>,
    goes_on: bool,
}

impl Sql for SystemSql {
    fn query(
        &self,
        kind: SqlKind,
        server: &Server,
        statement: &[u8],
        within: Duration,
    ) -> Result<SqlAnswer, ServerError> {
        match kind {
            SqlKind::Mysql => query(&self.mysql, server, statement, within),
            SqlKind::Pgsql => query(&self.pgsql, server, statement, within),
            SqlKind::Firebird => query(&self.firebird, server, statement, within),
            #[cfg(feature = "oracle")]
            SqlKind::Oracle => query(&self.oracle, server, statement, within),
            #[cfg(not(feature = "oracle"))]
            SqlKind::Oracle => Err(ServerError::Unavailable),
        }
    }
}

fn query<S: Session>(
    pool: &Pool<Server, S>,
    server: &Server,
    statement: &[u8],
    within: Duration,
) -> Result<SqlAnswer, ServerError> {
    let deadline = Deadline::within(within);
    let (mut session, own) = match pool.take(server, S::is_quiet) {
        Some(kept) => kept,
        None => (S::open(server, Deadline::within(within.min(OPENING)))?, false),
    };
    let answer = session.query(statement, deadline.left().unwrap_or_default());
    if answer.goes_on {
        let own = own || changes_session(statement) || session.in_transaction();
        pool.keep(server, session, own);
    }
    answer.result
}

/// The name of the user that this process runs as.
fn own_name() -> Vec<u8> {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map(|user| user.name.into_bytes()).unwrap_or_default()
}
