//! `env`.

use eximious_core::grammar::expansion::{ArgKind, ArgSpec, ItemShape};
use eximious_core::{
    Call, Effects, Example, Fail, Item, ItemRun, Meta, Outcome, Settings, Str, TaintRule,
};
use eximious_pcre::Attempt;

use crate::lists::elements;
use crate::pattern::compile;

/// `${env{name}{found}{not found}}`.
pub static ENV: Item = Item {
    meta: Meta::new("env", Effects::HOST, TaintRule::Result)
        .syntax("${env{<name>}{<found>}{<not found>}}")
        .summary("A variable of the environment.")
        .docs(
            "The environment is empty but for what the options `keep_environment` and \
             `add_environment` let in. Where the variable is there, it is in `$value` while the \
             second argument is expanded; otherwise the third is. White space in the name is \
             part of it. `TZ` follows the option `timezone`.",
        )
        .examples(&[Example::new("${env{HOME}{$value}{none}}", "none")])
        .source("specification 11.5"),
    // Exim says nothing at all where the name is missing.
    shape: ItemShape::Branches(&[ArgSpec { kind: ArgKind::Text, missing: "" }]),
    run: ItemRun::Lazy(|call| {
        let name = call.text(0)?;
        match value(call, name.bytes())? {
            Some(value) => call.branches(Outcome::Yes(value)),
            None => call.branches(Outcome::No),
        }
    }),
};

/// A variable's value in the environment as the configuration adjusts it.
fn value(call: &mut Call<'_>, name: &[u8]) -> Result<Option<Str>, Fail> {
    if name.is_empty() || name.contains(&b'=') {
        return Ok(None);
    }
    if name == b"TZ" {
        match &call.settings().timezone {
            None => return Ok(None),
            Some(zone) if zone.is_empty() => return Ok(None),
            Some(zone) if zone.bytes().eq_ignore_ascii_case(b"UTC") => {}
            Some(zone) => return Ok(Some(zone.clone())),
        }
    }
    if let Some(value) = added(call.settings(), name) {
        return Ok(Some(value));
    }
    let keep = call.settings().keep_environment.clone();
    if !kept(call, keep.bytes(), name)? {
        return Ok(None);
    }
    Ok(call.host()?.environment(name).map(Str::from))
}

/// What `add_environment` gives a name: the last setting counts.
fn added(settings: &Settings, name: &[u8]) -> Option<Str> {
    let list = &settings.add_environment;
    let settings = elements(list.bytes());
    settings
        .filter_map(|element| Some(Str::from(element.strip_prefix(name)?.strip_prefix(b"=")?)))
        .last()
}

/// Whether a list of patterns lets a name through: plain names, `*end`,
/// `^regular expression`, and `!` before those that are not to be let through.
fn kept(call: &mut Call<'_>, list: &[u8], name: &[u8]) -> Result<bool, Fail> {
    let mut positive = true;
    for element in elements(list) {
        let pattern = match element.strip_prefix(b"!") {
            Some(rest) => rest.trim_ascii_start(),
            None => &element,
        };
        positive = pattern.len() == element.len();
        let found = match pattern {
            [b'^', ..] => {
                let regex = compile(call, pattern, false)?;
                let mut matcher = regex.matcher();
                matches!(matcher.find(name, Attempt::default()), Ok(Some(_)))
            }
            [b'*', end @ ..] => name.ends_with(end),
            plain => name == plain,
        };
        if found {
            return Ok(positive);
        }
    }
    // A list that ends in an exception is one of exceptions.
    Ok(!positive)
}
