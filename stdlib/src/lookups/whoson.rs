//! `whoson`: who is logged in from an address.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::world::WhosonError;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};

/// `${lookup whoson{address}}`.
pub static WHOSON: LookupDef = LookupDef {
    meta: Meta::new("whoson", Effects::LOOKUP.union(Effects::NET), TaintRule::Tainted)
        .syntax("${lookup whoson{<address>}}")
        .summary("The user to whom an address belongs right now.")
        .docs(
            "The query is an IP address; the answer is the name of the user who is logged in from \
             there, by what a whoson server has been told. The client library of that service \
             (`libwhoson`) is asked, and has to be there: it knows the protocol, and has a file \
             of its own that names the server. Where the service has no answer, the lookup is put \
             off.",
        )
        .needs("the client library of whoson (libwhoson), where it is reached")
        .source("specification 9.4.11"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(find),
};

fn find(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    match call.net()?.whoson(query.key.bytes()) {
        Ok(found) => Ok(found.map(Str::from)),
        Err(WhosonError::Failed(why)) => {
            Err(LookupFail::Defer([b"whoson has no answer: ", &why[..]].concat()))
        }
        Err(WhosonError::NoLibrary(why)) => {
            let message = format!("lookup type \"{}\" needs libwhoson: {why}", call.name());
            Err(LookupFail::Open(Fail::error(ErrorKind::Unsupported, message)))
        }
    }
}
