//! `passwd`: the system's users.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, LookupFail, LookupFind, Meta, Str, TaintRule};

use crate::wording::reason;

/// `${lookup passwd{name}}`.
pub static PASSWD: LookupDef = LookupDef {
    meta: Meta::new("passwd", Effects::LOOKUP.union(Effects::HOST), TaintRule::Clean)
        .syntax("${lookup passwd{<user>}}")
        .summary("A user of the system: password, numbers, full name, home, shell.")
        .docs("The fields are separated by colons, as in the password file, with `*` for the password.")
        .source("specification 9.4.6"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: None,
    find: LookupFind::Plain(|call, query| {
        let found = call.users()?.user(query.key.bytes());
        let user = found.map_err(|error| LookupFail::Defer(reason(&error).into_bytes()))?;
        Ok(user.map(|user| {
            let numbers = format!("*:{}:{}:", user.uid, user.gid);
            let text =
                [numbers.as_bytes(), &user.gecos, b":", &user.home, b":", &user.shell].concat();
            Str::from(text)
        }))
    }),
};
