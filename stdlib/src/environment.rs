//! The environment, as the options `keep_environment`, `add_environment` and
//! `timezone` adjust it.

use std::collections::BTreeSet;

use eximious_core::{Call, Effects, Fail, Meta, Settings, Str, TaintRule};

use crate::lists::elements;
use crate::options::opt;
use crate::pattern::compile;

/// A variable's value.
pub fn value(call: &mut Call<'_>, name: &[u8]) -> Result<Option<Str>, Fail> {
    if name.is_empty() || name.contains(&b'=') {
        return Ok(None);
    }
    if name == b"TZ" {
        match call.settings().text(opt::TIMEZONE) {
            None => return Ok(None),
            Some(zone) if zone.bytes().eq_ignore_ascii_case(b"UTC") => {}
            zone => return Ok(zone),
        }
    }
    if let Some(value) = added(call.settings(), name) {
        return Ok(Some(value));
    }
    let keep = call.settings().get(opt::KEEP_ENVIRONMENT);
    if !kept(call, keep.bytes(), name)? {
        return Ok(None);
    }
    Ok(call.host()?.environment(name).map(Str::from))
}

/// Names and values.
pub type Environment = Vec<(Vec<u8>, Vec<u8>)>;

/// All names and values, for a process.
pub fn all(call: &mut Call<'_>) -> Result<Environment, Fail> {
    let kept = match call.settings().get(opt::KEEP_ENVIRONMENT).is_empty() {
        true => Vec::new(),
        false => call.host()?.environment_names(),
    };
    let mut found = Environment::new();
    for name in names(call.settings(), kept) {
        if let Some(value) = value(call, &name)? {
            found.push((name, value.bytes().to_vec()));
        }
    }
    Ok(found)
}

/// As [`all`], for Perl: what it takes orders from is what the configuration adds, and not what
/// was inherited, whatever is kept.
pub fn for_perl(call: &mut Call<'_>) -> Result<Environment, Fail> {
    let mut found = all(call)?;
    let settings = call.settings();
    found.retain(|(name, _)| !name.starts_with(b"PERL") || added(settings, name).is_some());
    Ok(found)
}

/// Of some names, those that have a value, for a library that looks at them.
pub fn some(call: &mut Call<'_>, names: &[&str]) -> Environment {
    static HOST: Meta = Meta::new("environment", Effects::HOST, TaintRule::Result);
    let settings = call.settings();
    let is_unset = |option| settings.text(option).is_none();
    if is_unset(opt::KEEP_ENVIRONMENT) && is_unset(opt::ADD_ENVIRONMENT) {
        return Environment::new();
    }
    call.with_record(&HOST, |call| {
        let mut found = Environment::new();
        for name in names {
            // Where the policy forbids a look, there is none.
            if let Ok(Some(value)) = value(call, name.as_bytes()) {
                found.push((name.as_bytes().to_vec(), value.bytes().to_vec()));
            }
        }
        found
    })
}

/// The names that may have values: those of the environment that was inherited,
/// and what is added to it. Each is there once.
pub fn names(settings: &Settings, inherited: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut names = inherited;
    let list = settings.get(opt::ADD_ENVIRONMENT);
    let added = elements(list.bytes());
    names.extend(added.filter_map(|e| Some(e[..memchr::memchr(b'=', &e)?].to_vec())));
    names.push(b"TZ".to_vec());
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    names
}

/// What `add_environment` gives a name: the last setting counts.
fn added(settings: &Settings, name: &[u8]) -> Option<Str> {
    let list = settings.get(opt::ADD_ENVIRONMENT);
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
            [b'^', ..] => compile(call, pattern, false)?.is_match(name),
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
