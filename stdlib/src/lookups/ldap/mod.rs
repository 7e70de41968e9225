//! `ldap`, `ldapm`, `ldapdn`: entries of a directory.

mod ask;
mod codes;
mod entries;
mod query;
mod referral;
mod url;

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str,
    TaintRule,
};

use super::quoting;
use ask::{Outcome, Purpose, Refusal, ask};
use query::Query;

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET).union(Effects::VARS);

/// `${lookup ldap{ldap:///…}}`.
pub static LDAP: LookupDef = LookupDef {
    meta: Meta::new("ldap", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldap{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("Attributes of one entry of an LDAP directory.")
        .docs(
            "The query is an LDAP URL; `ldapi://` and a path with `%2F` for its slashes is a Unix \
             domain socket. Settings may stand before it, with white space between them, values \
             that hold some in double quotes: `user=` and `pass=` to bind with; `servers=`, a \
             list; `size=`, how many entries the server may give; `time=`, how many seconds it \
             may take; `nettime=`, how many seconds each wait for the network may take; \
             `dereference=`, one of `never`, `searching`, `finding` and `always`; `referrals=`, \
             `follow` or `nofollow`. A URL without a server asks those of `servers=`, or of \
             `ldap_default_servers`, in turn, until one gives an answer. One attribute is given \
             as its values with commas between them, commas in values doubled; several, or all, \
             are given as `name=\"values\"`, with `\\` before quotes and backslashes, and `\\n` \
             for a newline. An attribute with a zero byte in a value is left out. More than one \
             entry is an error; an entry without attributes is none. Where a server refers to \
             another one at the end of a search, that one is asked, without a password; a \
             reference among the entries ends them. The entry's name is in `$ldap_dn` \
             afterwards. TLS is set up by the `ldap_*` options. Text from outside is quoted by \
             `${quote_ldap:…}` in a filter and by `${quote_ldap_dn:…}` in a name.",
        )
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: LookupFind::Plain(one),
};

/// `${lookup ldapm{ldap:///…}}`.
pub static LDAPM: LookupDef = LookupDef {
    meta: Meta::new("ldapm", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldapm{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("Attributes of all matching entries of an LDAP directory.")
        .docs("As `ldap`, but more than one entry may match; a newline stands between them.")
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: LookupFind::Plain(many),
};

/// `${lookup ldapdn{ldap:///…}}`.
pub static LDAPDN: LookupDef = LookupDef {
    meta: Meta::new("ldapdn", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldapdn{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("The distinguished name of one entry of an LDAP directory.")
        .docs("As `ldap`, but the entry's name is given in place of its attributes.")
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: LookupFind::Plain(name),
};

fn one(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    look_up(call, query, Purpose::One)
}

fn many(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    look_up(call, query, Purpose::Many)
}

fn name(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    look_up(call, query, Purpose::Name)
}

fn look_up(
    call: &mut Call<'_>,
    query: &LookupQuery,
    purpose: Purpose,
) -> Result<Option<Str>, LookupFail> {
    if query.key.is_empty() {
        return Ok(None);
    }
    let query = Query::parse(query.key.bytes()).map_err(LookupFail::Defer)?;
    query.check_scheme().map_err(LookupFail::Defer)?;
    match ask(call, &query, purpose) {
        Ok(Outcome::Found(data)) => Ok(Some(Str::from(data))),
        Ok(Outcome::Nothing) => Ok(None),
        Err(Refusal::Next(why) | Refusal::Last(why)) => Err(LookupFail::Defer(why)),
        Err(Refusal::Forbidden(fail)) => Err(LookupFail::Open(fail)),
    }
}

/// Whether a server lets one in with the name and password of a query.
///
/// # Errors
/// Where the query has none, or makes no sense, or no server says yes or no.
pub(crate) fn login(call: &mut Call<'_>, query: &Str) -> Result<bool, Fail> {
    let query = Query::parse(query.bytes()).map_err(Fail::argument)?;
    let (Some(_), Some(password)) = (&query.user, &query.password) else {
        return Err(Fail::argument("ldapauth lookups must specify the username and password"));
    };
    // To a server, a name without a password is nobody, whom it may let in.
    if password.is_empty() {
        return Ok(false);
    }
    query.check_scheme().map_err(Fail::argument)?;
    match ask(call, &query, Purpose::Login) {
        Ok(outcome) => Ok(outcome != Outcome::Nothing),
        Err(Refusal::Next(why) | Refusal::Last(why)) => Err(Fail::error(ErrorKind::Outside, why)),
        Err(Refusal::Forbidden(fail)) => Err(fail),
    }
}
