//! `nis`, `nis0`, `nisplus`: Sun's network information services.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::{
    Call, Effects, ErrorKind, Fail, LookupDef, LookupFail, LookupQuery, Meta, Str, TaintRule,
};

use super::{outside, quoting};

const EFFECTS: Effects = Effects::LOOKUP.union(Effects::FILES);
const NEEDS: &str = "a client for NIS";
/// Where the system says which NIS domain it belongs to.
const DOMAIN: &[u8] = b"/proc/sys/kernel/domainname";

/// `${lookup{key}nis{map}}`.
pub static NIS: LookupDef = LookupDef {
    meta: Meta::new("nis", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis{<map>}}")
        .summary("A key of an NIS map.")
        .docs(
            "The map is named in full. The key is looked up without a zero byte at its end. A \
             host that belongs to no NIS domain has no maps, which is an error as in Exim; where \
             it does belong to one, the lookup fails and says that it is not asked.",
        )
        .needs(NEEDS)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: without_domain,
};

/// `${lookup{key}nis0{map}}`.
pub static NIS0: LookupDef = LookupDef {
    meta: Meta::new("nis0", EFFECTS, TaintRule::Clean)
        .syntax("${lookup{<key>}nis0{<map>}}")
        .summary("A key of an NIS map whose keys end with a zero byte.")
        .docs("As `nis`, with a zero byte behind the key, as in Sun's alias maps.")
        .needs(NEEDS)
        .source("specification 9.3.10"),
    style: LookupStyle::SingleKey,
    wants_file: false,
    quote: None,
    find: without_domain,
};

/// `${lookup nisplus{[name=value],table:field}}`.
pub static NISPLUS: LookupDef = LookupDef {
    meta: Meta::new("nisplus", Effects::LOOKUP, TaintRule::Clean)
        .syntax("${lookup nisplus{[<name>=\"<value>\"],<table>:<field>}}")
        .summary("An entry of an NIS+ table; obsolete.")
        .docs(
            "The query is an indexed name, with the name of a field behind a colon if one field \
             is wanted. No system has NIS+ any more: the word is known, so that old \
             configurations are read, and a lookup that is reached fails and says so. Text from \
             outside belongs in double quotes, through `${quote_nisplus:…}`.",
        )
        .needs("a service that no system has any more")
        .source("specification 9.4.4, 9.12"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::nisplus),
    find: super::obsolete,
};

fn without_domain(call: &mut Call<'_>, _: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    let domain = call.files()?.read(DOMAIN, 256).unwrap_or_default();
    if matches!(domain.trim_ascii(), b"" | b"(none)") {
        return Err(LookupFail::Open(outside("failed to get default NIS domain")));
    }
    let message = format!("lookup type \"{}\" is not available: NIS is not asked", call.name());
    Err(LookupFail::Open(Fail::error(ErrorKind::Unsupported, message)))
}
