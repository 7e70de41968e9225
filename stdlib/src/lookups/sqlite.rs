//! `sqlite`: SQL statements for a file.

use std::time::Duration;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::{DatabaseAnswer, DatabaseError, DatabaseQuery, Rows};
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};

use super::cache::Cache;
use super::quoting;
use super::rows::{Null, push_row};

use crate::options::opt;

/// `${lookup sqlite,file=/file{select …}}`.
pub static SQLITE: LookupDef = LookupDef {
    meta: Meta::new("sqlite", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup sqlite,file=<file>{<statement>}}")
        .summary("An SQL statement for an SQLite file.")
        .docs(
            "The file, an absolute path, is given by the option `file=`, or before the statement \
             with white space between them, or by the main option `sqlite_dbfile`; it is made if \
             it is not there. A row of one column is its value; a row of more is `name=value` for \
             each, with a space behind it, where a value that is empty, holds white space or \
             begins with a double quote stands in double quotes with `\\` before quotes and \
             backslashes. NULL is `<NULL>`. Rows, and the answers of several statements, are \
             separated by newlines. The lookup fails where no row comes back, and also where a \
             statement is wrong. Where no row comes back, nothing is kept for the next lookup, and \
             what is known of the file is forgotten. A lock is waited for as long as `sqlite_lock_timeout` says. Text from outside \
             belongs in quotes, through `${quote_sqlite:…}`.",
        )
        .source("specification 9.4.9, 9.13.5"),
    style: LookupStyle::Query,
    wants_file: true,
    quote: Some(quoting::sqlite),
    find: LookupFind::Plain(run),
};

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let Ok(statements) = std::str::from_utf8(query.key.bytes()) else {
        return Err(LookupFail::Defer(b"an SQLite statement must be UTF-8".to_vec()));
    };
    let asked = DatabaseQuery::Sqlite {
        file: query.file.bytes(),
        statements,
        lock_timeout: Duration::from_secs(
            u64::try_from(call.settings().get(opt::SQLITE_LOCK_TIMEOUT)).unwrap_or(0),
        ),
    };
    let answers = match call.databases()?.find(&asked) {
        Ok(DatabaseAnswer::Rows(answers)) => answers,
        Ok(_) => return Ok(None),
        Err(DatabaseError::Open(why)) => return Err(LookupFail::Open(super::outside(why))),
        Err(error @ DatabaseError::TooMuch) => {
            let fail = Fail::error(ErrorKind::Limit, super::why(&error));
            return Err(LookupFail::Open(fail));
        }
        // A statement that is wrong finds nothing.
        Err(error) => {
            call.memory::<Cache>().left = Some(Some(super::why(&error).into()));
            return Ok(None);
        }
    };
    let text = written(&answers);
    let cache: &mut Cache = call.memory();
    // Where no row comes back, something may have changed.
    cache.written = text.is_none();
    cache.left = Some(None);
    Ok(text.map(Str::from))
}

/// The rows as text; `None` where there is none.
fn written(answers: &[Rows]) -> Option<Vec<u8>> {
    let mut out = None;
    for answer in answers {
        for row in &answer.rows {
            push_row(&mut out, &answer.columns, row, &Null::Word(b"<NULL>"));
        }
    }
    out
}
