//! `mysql`, `pgsql`, `oracle`, `ibase`: SQL statements for servers.

mod ibase;
mod mysql;
mod oracle;
mod pgsql;

use std::time::Duration;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::{Rows, Server, ServerError, SqlAnswer, SqlKind};
use eximious_core::{Call, Effects, ErrorKind, Fail, LookupDef, LookupFind, Meta, Str, TaintRule};

use super::cache::Cache;
use super::quoting;
use super::rows::{Null, push_row};
use super::servers::{self, Attempt, Kind};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET);

/// `${lookup mysql{select …}}`.
pub static MYSQL: LookupDef = LookupDef {
    meta: Meta::new("mysql", EFFECTS, TaintRule::Clean)
        .syntax("${lookup mysql,servers=<servers>{<statement>}}")
        .summary("An SQL statement for a MySQL or MariaDB server.")
        .docs(
            "The servers are those of `mysql_servers`, or of the option `servers=`: \
             `host::port(socket)[group]/database/user/password`, tried in turn until one answers. \
             In `servers=`, what has no slash names a server of the main list by what stands there \
             before the first slash. An IPv6 address has a dot before its port; several hosts have \
             commas between them. No host, or `localhost`, means the socket. Files of options, \
             `/etc/my.cnf` and `/etc/mysql/my.cnf`, are read for the group, which is `exim` where \
             none is named, and the clients' common ones (so are `my.cnf` in the directory \
             `MYSQL_HOME` and `.my.cnf` in `HOME`, where the environment is let in that far): they may give `port`, `socket`, `user`, \
             `database` and, with `ssl-ca`, `ssl-capath`, `ssl-cert`, `ssl-key`, `ssl-cipher` and \
             `ssl-verify-server-cert`, ask for TLS. A row of one column is its value; a row of more \
             is `name=value` for each, with a space behind it, quoted where it is empty, holds white \
             space or begins with a double quote; rows are separated by newlines. NULL is empty, \
             and a single NULL is as if there was no row. The lookup fails where no row comes \
             back. A statement that asks for nothing gives the number of rows that it changed, and \
             what is known of the servers is forgotten. Where a server refuses a statement, or \
             can't be reached, the next one is asked, and in the end the lookup is deferred. The \
             session of a conversation stays as it is set (`SET`, `BEGIN`), and nobody else sees \
             it. Text from outside belongs in quotes, through `${quote_mysql:…}`.",
        )
        .source("specification 9.4.3, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::mysql),
    find: LookupFind::Plain(|call, query| servers::ask(call, &mysql::KIND, query, mysql::ask)),
};

/// `${lookup pgsql{select …}}`.
pub static PGSQL: LookupDef = LookupDef {
    meta: Meta::new("pgsql", EFFECTS, TaintRule::Clean)
        .syntax("${lookup pgsql,servers=<servers>{<statement>}}")
        .summary("An SQL statement for a PostgreSQL server.")
        .docs(
            "As `mysql`, with the servers of `pgsql_servers`: `host::port/database/user/password`, \
             or the path of a socket in parentheses in place of the host, such as \
             `(/tmp/.s.PGSQL.5432)`. TLS is used where the server offers it, whatever its \
             certificate. In the place of the database, settings of the connection may stand, as \
             in `dbname=mail application_name=exim sslmode=require`; the variables of \
             PostgreSQL's clients (`PGAPPNAME`, `PGOPTIONS`, …) count as far as \
             `keep_environment` and `add_environment` let them in. Of several statements, the last one's answer counts. A NULL is an empty \
             value. A statement that neither asks for rows nor counts any gives a lookup that \
             fails. Text from outside belongs in quotes, through `${quote_pgsql:…}`, which is \
             meant for strings with backslashes: `E'…'`.",
        )
        .source("specification 9.4.7, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::pgsql),
    find: LookupFind::Plain(|call, query| servers::ask(call, &pgsql::KIND, query, pgsql::ask)),
};

/// `${lookup oracle{select …}}`.
pub static ORACLE: LookupDef = LookupDef {
    meta: Meta::new("oracle", EFFECTS, TaintRule::Clean)
        .syntax("${lookup oracle{<statement>}}")
        .summary("An SQL statement for an Oracle server.")
        .docs(
            "As `mysql`, with the servers of `oracle_servers`: `service//user/password`. The \
             service is named as Oracle's client knows it: by a name in its `tnsnames.ora`, or as \
             `host::port/service`, or `//host::port/service`. What stands in the place of the \
             database does not count. No query names servers of its own. The answer has the same \
             form, with the names of columns as the server gives them. Each statement is a \
             transaction of its own, which is committed at once. The statement is UTF-8, and so \
             is the answer, but for what is binary. Text from outside belongs in quotes, through \
             `${quote_oracle:…}`. That puts a backslash before a quote, as Exim does, which means \
             nothing to Oracle: the quote would end the text, and what follows would be part of \
             the statement. So a statement with text from outside and such a quote is not sent: \
             the lookup is deferred.",
        )
        .needs("the cargo feature `oracle`, and Oracle's client library where it is used")
        .source("specification 9.4.5, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::oracle),
    find: LookupFind::Plain(oracle::find),
};

/// `${lookup ibase{select …}}`.
pub static IBASE: LookupDef = LookupDef {
    meta: Meta::new("ibase", EFFECTS, TaintRule::Clean)
        .until("4.100")
        .syntax("${lookup ibase{<statement>}}")
        .summary("An SQL statement for a Firebird server, InterBase's heir; obsolete.")
        .docs(
            "As `mysql`, with the servers of `ibase_servers`: `host::port/database/user/password`, \
             where the database is an alias or a path, as in \
             `localhost//var/lib/mail.fdb/user/password`; or, as the clients of such servers write \
             it, `host/port::database|user|password`. No query names servers of its own. A server \
             must be a Firebird of version 3 or later: an older one, or an InterBase, would want \
             the password as it is. The password is proved without being shown (`Srp256`, `Srp`), \
             and the connection is encrypted where the server can do that (`Arc4`). Each \
             statement is a transaction of its own, which is committed at once. Names of columns \
             are in capitals unless they are quoted. Numbers and times look as the server writes \
             them; blanks at the end of a `char` are left out; blobs are read whole; texts come \
             in the bytes in which they are stored. Text from outside belongs in quotes, through \
             `${quote_ibase:…}`. Exim 4.100 knows this type no more.",
        )
        .source("specification of 4.98, 9.4.2, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::sqlite),
    find: LookupFind::Plain(|call, query| servers::ask(call, &ibase::KIND, query, ibase::ask)),
};

/// How long a server may take for a statement, connection and all. Exim waits
/// for ever.
const WITHIN: Duration = Duration::from_secs(120);

/// Asks one server.
fn query(
    call: &mut Call<'_>,
    kind: SqlKind,
    of: &Kind,
    server: &Server,
    statement: &[u8],
) -> Result<Result<SqlAnswer, ServerError>, Attempt> {
    // A statement ends at a zero byte.
    let end = memchr::memchr(0, statement).unwrap_or(statement.len());
    match call.sql()?.query(kind, server, &statement[..end], WITHIN) {
        Err(ServerError::Unavailable) => Err(servers::no_client(of)),
        Err(ServerError::TooMuch) => Err(too_long()),
        answer => Ok(answer),
    }
}

/// How failures of a kind of server are worded.
struct Words {
    no_connection: &'static str,
    failed: &'static str,
    /// What stands behind the server's words.
    end: &'static str,
}

/// Asks one server, of a kind whose NULL is nothing.
fn plainly(
    call: &mut Call<'_>,
    kind: SqlKind,
    (of, words): (&Kind, &Words),
    server: &Server,
    statement: &[u8],
) -> Result<Option<Str>, Attempt> {
    let failed = |said: &[u8]| next(words.failed, &[said, words.end.as_bytes()].concat());
    match query(call, kind, of, server, statement)? {
        Ok(SqlAnswer::Rows(rows)) => written(&rows, &Null::Nothing),
        Ok(SqlAnswer::Changed(count)) => {
            forget(call);
            Ok(Some(Str::from(count.unwrap_or_default().to_string())))
        }
        Ok(SqlAnswer::Copy { .. }) => Err(failed(b"")),
        Err(ServerError::Connect(said)) => Err(next(words.no_connection, said.as_bytes())),
        Err(ServerError::Refused(said)) => Err(failed(&said)),
        Err(ServerError::Broken(said)) => Err(failed(said.as_bytes())),
        Err(ServerError::TooMuch | ServerError::Unavailable) => Err(failed(b"")),
    }
}

/// How long a result can be: with the names of columns before each value, it
/// may be much longer than what the server said.
const LONGEST: usize = 64 << 20;

/// Rows as text.
fn written(rows: &Rows, null: &Null) -> Result<Option<Str>, Attempt> {
    let mut out: Option<Vec<u8>> = None;
    for row in &rows.rows {
        push_row(&mut out, &rows.columns, row, null);
        if out.as_ref().is_some_and(|out| out.len() > LONGEST) {
            return Err(too_long());
        }
    }
    Ok(out.map(Str::from))
}

fn too_long() -> Attempt {
    Fail::error(ErrorKind::Limit, "the answer is too long").into()
}

/// After a statement that asks for nothing, what is known of the servers may
/// be wrong.
fn forget(call: &mut Call<'_>) {
    call.memory::<Cache>().written = true;
}

/// A failure, after the words that say whose it is.
fn next(before: &str, words: &[u8]) -> Attempt {
    Attempt::Next([before.as_bytes(), words].concat())
}
