//! `redis`: commands for a Redis server.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::{NEEDS_CLIENT, quoting, unavailable};

/// `${lookup redis{get key}}`.
pub static REDIS: LookupDef = LookupDef {
    meta: Meta::new("redis", Effects::LOOKUP.union(Effects::NET), TaintRule::Clean)
        .syntax("${lookup redis,servers=<servers>{<command>}}")
        .summary("A command for a Redis or Valkey server.")
        .docs(
            "The command is split at white space; a backslash keeps white space in an argument, \
             as `${quote_redis:…}` writes it. The servers are those of `redis_servers`, or of the \
             option `servers=`: `host::port/database/password`, tried in turn. A status, a string \
             or a number is given as it is, an array with a newline between its elements.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.8, 9.13.1, 9.13.6"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::redis),
    find: unavailable,
};
