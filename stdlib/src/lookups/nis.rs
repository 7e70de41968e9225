//! `nis`, `nis0`, `nisplus`: Sun's network information services.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{Effects, LookupDef, Meta, TaintRule};

use super::{NEEDS_CLIENT, quoting, unavailable};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::NET);

/// `${lookup{key}nis{map}}`.
pub static NIS: LookupDef = LookupDef {
    meta: Meta::new("nis", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis{<map>}}")
        .summary("A key of an NIS map.")
        .docs("The map is named in full. The key is looked up without a zero byte at its end.")
        .needs(NEEDS_CLIENT)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};

/// `${lookup{key}nis0{map}}`.
pub static NIS0: LookupDef = LookupDef {
    meta: Meta::new("nis0", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis0{<map>}}")
        .summary("A key of an NIS map whose keys end with a zero byte.")
        .docs("As `nis`, with a zero byte behind the key, as in Sun's alias maps.")
        .needs(NEEDS_CLIENT)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: unavailable,
};

/// `${lookup nisplus{[name=value],table:field}}`.
pub static NISPLUS: LookupDef = LookupDef {
    meta: Meta::new("nisplus", EFFECTS, TaintRule::Clean)
        .syntax("${lookup nisplus{[<name>=\"<value>\"],<table>:<field>}}")
        .summary("An entry of an NIS+ table; obsolete.")
        .docs(
            "The query is an indexed name, with the name of a field behind a colon if one field \
             is wanted; without it the answer is `name=value` for each, quoted where it is empty \
             or holds white space. More than one entry counts as none. Text from outside belongs \
             in double quotes, through `${quote_nisplus:…}`.",
        )
        .needs(NEEDS_CLIENT)
        .source("specification 9.4.4, 9.12"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::nisplus),
    find: unavailable,
};
