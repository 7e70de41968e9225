//! `mysql`, `pgsql`, `oracle`, `ibase`: SQL statements for servers.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::{NEEDS_CLIENT, quoting, unavailable};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET);

/// `${lookup mysql{select …}}`.
pub static MYSQL: LookupDef = LookupDef {
    meta: Meta::new("mysql", EFFECTS, TaintRule::Clean)
        .syntax("${lookup mysql,servers=<servers>{<statement>}}")
        .summary("An SQL statement for a MySQL or MariaDB server.")
        .docs(
            "The servers are those of `mysql_servers`, or of the option `servers=`: \
             `host::port(socket)[group]/database/user/password`, tried in turn until one answers. \
             A row of one column is its value; a row of more is `name=value` for each, quoted \
             where it is empty or holds white space; rows are separated by newlines. A statement \
             that asks for nothing gives the number of rows that it changed. Text from outside \
             belongs in quotes, through `${quote_mysql:…}`.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.3, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::mysql),
    find: unavailable,
};

/// `${lookup pgsql{select …}}`.
pub static PGSQL: LookupDef = LookupDef {
    meta: Meta::new("pgsql", EFFECTS, TaintRule::Clean)
        .syntax("${lookup pgsql,servers=<servers>{<statement>}}")
        .summary("An SQL statement for a PostgreSQL server.")
        .docs(
            "As `mysql`, with the servers of `pgsql_servers`: `host::port/database/user/password`, \
             or the path of a socket in parentheses in place of the host. Text from outside \
             belongs in quotes, through `${quote_pgsql:…}`.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.7, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::pgsql),
    find: unavailable,
};

/// `${lookup oracle{select …}}`.
pub static ORACLE: LookupDef = LookupDef {
    meta: Meta::new("oracle", EFFECTS, TaintRule::Clean)
        .syntax("${lookup oracle{<statement>}}")
        .summary("An SQL statement for an Oracle server.")
        .docs(
            "As `mysql`, with the servers of `oracle_servers`: `service//user/password`. The \
             answer has the same form. Text from outside belongs in quotes, through \
             `${quote_oracle:…}`.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.5, 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::oracle),
    find: unavailable,
};

/// `${lookup ibase{select …}}`.
pub static IBASE: LookupDef = LookupDef {
    meta: Meta::new("ibase", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ibase{<statement>}}")
        .summary("An SQL statement for an InterBase server; obsolete.")
        .docs(
            "As `mysql`, with the servers of `ibase_servers`. Exim has left InterBase behind; the \
             name is known so that an old configuration is told what is wrong with it.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.13"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::sqlite),
    find: unavailable,
};
