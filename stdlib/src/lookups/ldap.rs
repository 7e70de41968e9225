//! `ldap`, `ldapm`, `ldapdn`: entries of a directory.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::{NEEDS_CLIENT, quoting, unavailable};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET);

/// `${lookup ldap{ldap:///…}}`.
pub static LDAP: LookupDef = LookupDef {
    meta: Meta::new("ldap", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldap{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("Attributes of one entry of an LDAP directory.")
        .docs(
            "The query is an LDAP URL. Settings may stand before it: `user=`, `pass=`, `servers=`, \
             `size=`, `time=`, `nettime=`, `dereference=`, `referrals=`. A URL without a server \
             asks those of `ldap_default_servers` in turn. One attribute is given as its values \
             with commas between them, commas in values doubled; several are given as \
             `name=\"values\"`. More than one entry is an error. Text from outside is quoted by \
             `${quote_ldap:…}` in a filter and by `${quote_ldap_dn:…}` in a name.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: unavailable,
};

/// `${lookup ldapm{ldap:///…}}`.
pub static LDAPM: LookupDef = LookupDef {
    meta: Meta::new("ldapm", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldapm{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("Attributes of all matching entries of an LDAP directory.")
        .docs("As `ldap`, but more than one entry may match; a newline stands between them.")
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: unavailable,
};

/// `${lookup ldapdn{ldap:///…}}`.
pub static LDAPDN: LookupDef = LookupDef {
    meta: Meta::new("ldapdn", EFFECTS, TaintRule::Clean)
        .syntax("${lookup ldapdn{<settings> ldap://<server>/<base>?<attributes>?<scope>?<filter>}}")
        .summary("The distinguished name of one entry of an LDAP directory.")
        .docs("As `ldap`, but the entry's name is given in place of its attributes.")
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.2, 9.11; RFC 4516"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::ldap),
    find: unavailable,
};
