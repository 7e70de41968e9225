//! The main section of a configuration file, as far as expansions see it.
//!
//! This reads what string expansions need: macros, conditional and included
//! parts, named lists and the main options; reading stops at the first
//! `begin`, so ACLs, routers, transports and authenticators are not looked at.
//! The whole grammar takes this file's place when it comes.

mod lines;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious_core::world::Files;
use eximious_core::{ListKind, NamedList, OptionValue, Registry, Settings, Str};

use eximious_grammar::is_space;

use crate::macros::{trim, trim_start};
use crate::options::{self, Kind};
use crate::{Builder, Engine, Macros};
use lines::Lines;
use values::Value;

/// What a configuration file says, as far as expansions see it.
#[derive(Debug)]
pub struct Config {
    /// The options.
    pub settings: Settings,
    /// The macros, those of the command line first.
    pub macros: Macros,
    /// How many lines the file has: Exim names the last one when something is
    /// wrong with what is typed later.
    pub lines: u32,
}

/// Why a configuration can't be used; displays as Exim's complaint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    message: Vec<u8>,
    place: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// A complaint that stands for itself.
    None,
    /// Something in the configuration, nowhere in particular.
    Somewhere,
    /// A line of a file.
    Line(u32, Vec<u8>),
}

impl ConfigError {
    pub(crate) fn plain(message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), place: Place::None }
    }

    /// A complaint about the configuration as a whole.
    pub fn somewhere(message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), place: Place::Somewhere }
    }

    /// A complaint about a line of a file.
    pub fn at(line: u32, file: &[u8], message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), place: Place::Line(line, file.to_vec()) }
    }

    /// The complaint, as Exim logs it.
    pub fn text(&self) -> Vec<u8> {
        let head = match &self.place {
            Place::None => return self.message.clone(),
            Place::Somewhere => b"Exim configuration error:\n  ".to_vec(),
            Place::Line(line, file) => {
                [format!("Exim configuration error in line {line} of ").as_bytes(), file, b":\n  "]
                    .concat()
            }
        };
        [head, self.message.clone()].concat()
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for ConfigError {}

/// The sections that follow the main one.
const SECTIONS: [&str; 7] =
    ["acl", "authenticators", "local_scan", "retry", "rewrite", "routers", "transports"];

/// The words that begin a named list.
const LISTS: [(&str, ListKind, &str); 4] = [
    ("domainlist", ListKind::Domain, "domain"),
    ("hostlist", ListKind::Host, "host"),
    ("addresslist", ListKind::Address, "address"),
    ("localpartlist", ListKind::LocalPart, "local part"),
];

impl Config {
    /// Reads the first file of a list of names that exists, as `-C` does.
    ///
    /// # Errors
    /// No file can be read, or something is wrong with what it says.
    pub fn read(
        names: &[u8],
        macros: Macros,
        files: &Arc<dyn Files>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        for name in names.split(|c| *c == b':').map(trim) {
            if name.is_empty() {
                continue;
            }
            match files.read(name, lines::LARGEST_FILE) {
                Ok(text) => return Self::parse(name, text, macros, files, registry),
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => {
                    let (head, why) = (b"failed to open configuration file ", reason(&why));
                    let message = [head, name, b": ", why.as_bytes()];
                    return Err(ConfigError::plain(message.concat()));
                }
            }
        }
        Err(ConfigError::plain([b"non-existent configuration file(s): ", names].concat()))
    }

    fn parse(
        name: &[u8],
        text: Arc<[u8]>,
        macros: Macros,
        files: &Arc<dyn Files>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        let mut lines = Lines::new(name, text, macros, files.clone(), registry);
        let mut settings = Settings::default();
        settings.config_file = Str::from(name);
        let mut seen = BTreeSet::new();
        while let Some(line) = lines.next()? {
            if !Macros::is_definition(&line) && begins_section(&line) {
                section(&line).map_err(|message| lines.error(message))?;
                break;
            }
            if Macros::is_definition(&line) {
                lines.define(&line)?;
            } else {
                setting(&line, registry, &mut settings, &mut seen)
                    .map_err(|message| lines.error(message))?;
            }
        }
        let (macros, lines) = lines.finish();
        Ok(Self { settings, macros, lines })
    }

    /// An engine with these options. Those that Exim expands once, when it
    /// starts, are expanded here.
    ///
    /// # Errors
    /// One of them can't be expanded, or has no usable value.
    pub fn build(&self, builder: Builder) -> Result<Engine, ConfigError> {
        let mut settings = self.settings.clone();
        let expand = |name: &str, value: &mut Str| {
            if !value.bytes().iter().any(|c| matches!(c, b'$' | b'\\')) {
                return Ok(());
            }
            let engine = builder.clone().settings(self.settings.clone()).build();
            *value = engine.expand_once(value.bytes(), &mut engine.context()).map_err(|fail| {
                let head = format!("failed to expand {name} \"");
                let parts = [head.as_bytes(), value.bytes(), b"\": ", fail.message()];
                ConfigError::plain(parts.concat())
            })?;
            Ok(())
        };
        expand("spool_directory", &mut settings.spool_directory)?;
        expand("localhost_number", &mut settings.localhost_number)?;
        check_localhost_number(settings.localhost_number.bytes())?;
        Ok(builder.settings(settings).build())
    }
}

/// The largest number that one host of several may have.
const MOST_LOCALHOST: u64 = 16;

fn check_localhost_number(text: &[u8]) -> Result<(), ConfigError> {
    if text.is_empty() {
        return Ok(());
    }
    let digits = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|c| c.is_ascii_digit()));
    let Some(digits) = digits else {
        let message = [b"localhost_number value is not a number: ", text].concat();
        return Err(ConfigError::somewhere(message));
    };
    if digits.parse::<u64>().is_ok_and(|number| number <= MOST_LOCALHOST) {
        return Ok(());
    }
    Err(ConfigError::somewhere(format!(
        "localhost_number is greater than the maximum allowed value ({MOST_LOCALHOST})"
    )))
}

/// The system's words for an error, without the number that Rust adds.
fn reason(why: &std::io::Error) -> String {
    let text = why.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn begins_section(line: &[u8]) -> bool {
    line.starts_with(b"begin ")
}

fn section(line: &[u8]) -> Result<(), Vec<u8>> {
    let name = trim(&line["begin ".len()..]);
    if SECTIONS.iter().any(|section| section.as_bytes() == name) {
        return Ok(());
    }
    Err([b"\"", name, b"\" is not a known configuration section name"].concat())
}

/// A line that sets something.
fn setting(
    line: &[u8],
    registry: &Registry,
    settings: &mut Settings,
    seen: &mut BTreeSet<&'static str>,
) -> Result<(), Vec<u8>> {
    let mut text = line;
    let mut hidden = false;
    if let Some(rest) = text.strip_prefix(b"hide")
        && rest.first().is_none_or(|c| is_space(*c))
    {
        hidden = true;
        text = trim_start(rest);
    }
    for (word, kind, called) in LISTS {
        if let Some(rest) = text.strip_prefix(word.as_bytes()) {
            return named_list(rest, hidden, (kind, called), settings);
        }
    }
    option(text, registry, settings, seen)
}

fn named_list(
    rest: &[u8],
    hidden: bool,
    (kind, called): (ListKind, &str),
    settings: &mut Settings,
) -> Result<(), Vec<u8>> {
    let (cached, rest) = match rest.strip_prefix(b"_cache") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if !rest.first().is_some_and(|c| is_space(*c)) {
        return Err(b"unrecognized configuration line".to_vec());
    }
    let rest = trim_start(rest);
    let end = rest.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let Some(value) = trim_start(rest).strip_prefix(b"=") else {
        return Err([b"missing '=' after \"", name, b"\""].concat());
    };
    let text = Str::from(values::string(trim(value), name)?);
    let key = (kind, name.to_vec());
    if settings.lists.contains_key(&key) {
        return Err(
            [b"duplicate name \"", name, b"\" for a named ", called.as_bytes(), b" list"].concat()
        );
    }
    settings.lists.insert(key, NamedList { text, hidden, cached });
    Ok(())
}

fn option(
    text: &[u8],
    registry: &Registry,
    settings: &mut Settings,
    seen: &mut BTreeSet<&'static str>,
) -> Result<(), Vec<u8>> {
    if text.first().is_some_and(|c| !c.is_ascii_alphabetic()) {
        return Err([b"option setting expected: ", text].concat());
    }
    let end = text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (written, rest) = text.split_at(end.unwrap_or(text.len()));
    let Some((name, kind, negated)) = find(registry, written) else {
        return Err([b"main option \"", written, b"\" unknown"].concat());
    };
    if negated && kind != Kind::Boolean {
        return Err(b"negation prefix applied to a non-boolean option".to_vec());
    }
    if !seen.insert(name) {
        return Err([b"\"", name.as_bytes(), b"\" option set for the second time"].concat());
    }
    let rest = trim(rest);
    let value = match kind {
        Kind::Boolean => Value::Flag(values::flag(rest, name.as_bytes(), written, negated)?),
        _ => {
            if rest.is_empty() {
                return Err([b"unexpected end of line (data missing) after ", written].concat());
            }
            let Some(value) = rest.strip_prefix(b"=") else {
                return Err([b"missing \"=\" after ", written].concat());
            };
            Value::Text(trim(value))
        }
    };
    set(settings, name, kind, value)
}

/// An option by name: as it stands, or with `no_` or `not_` before it.
fn find(registry: &Registry, written: &[u8]) -> Option<(&'static str, Kind, bool)> {
    if let Some((name, kind)) = options::main(registry, written) {
        return Some((name, kind, false));
    }
    ["no_", "not_"].iter().find_map(|prefix| {
        let (name, kind) = options::main(registry, written.strip_prefix(prefix.as_bytes())?)?;
        Some((name, kind, true))
    })
}

/// Stores the value of an option that expansions see, each in its place; all others by name.
fn set(
    settings: &mut Settings,
    option: &'static str,
    kind: Kind,
    value: Value<'_>,
) -> Result<(), Vec<u8>> {
    let name = option.as_bytes();
    let text = |into: &mut Str| -> Result<(), Vec<u8>> {
        *into = Str::from(value.string(name)?);
        Ok(())
    };
    let some = |into: &mut Option<Str>| -> Result<(), Vec<u8>> {
        *into = Some(Str::from(value.string(name)?));
        Ok(())
    };
    match name {
        b"add_environment" => text(&mut settings.add_environment)?,
        b"allow_domain_literals" => settings.allow_domain_literals = value.flag(),
        b"allow_utf8_domains" => settings.allow_utf8_domains = value.flag(),
        b"bounce_return_size_limit" => {
            settings.bounce_return_size_limit = value.size(name)?;
        }
        b"check_rfc2047_length" => settings.check_rfc2047_length = value.flag(),
        b"exim_group" => some(&mut settings.exim_group)?,
        b"exim_path" => text(&mut settings.exim_path)?,
        b"exim_user" => some(&mut settings.exim_user)?,
        b"exim_version" => text(&mut settings.exim_version)?,
        b"headers_charset" => text(&mut settings.headers_charset)?,
        b"keep_environment" => text(&mut settings.keep_environment)?,
        b"localhost_number" => text(&mut settings.localhost_number)?,
        b"log_file_path" => text(&mut settings.log_file_path)?,
        b"log_selector" => settings.log_millisec = selects_millisec(&value.string(name)?),
        b"message_body_newlines" => settings.message_body_newlines = value.flag(),
        b"message_body_visible" => {
            settings.message_body_visible = value.size(name)? as usize;
        }
        b"perl_at_start" => settings.perl_at_start = value.flag(),
        b"perl_startup" => some(&mut settings.perl_startup)?,
        b"perl_taintmode" => settings.perl_taintmode = value.flag(),
        b"primary_hostname" => some(&mut settings.primary_hostname)?,
        b"print_topbitchars" => settings.print_topbitchars = value.flag(),
        b"qualify_domain" => some(&mut settings.qualify_domain)?,
        b"qualify_recipient" => some(&mut settings.qualify_recipient)?,
        b"smtp_active_hostname" => text(&mut settings.smtp_active_hostname)?,
        b"spf_guess" => text(&mut settings.spf_guess)?,
        b"spool_directory" => text(&mut settings.spool_directory)?,
        b"sqlite_dbfile" => some(&mut settings.sqlite_dbfile)?,
        b"sqlite_lock_timeout" => settings.sqlite_lock_timeout = value.size(name)?,
        b"strict_acl_vars" => settings.strict_acl_vars = value.flag(),
        b"strip_trailing_dot" => settings.strip_trailing_dot = value.flag(),
        b"timezone" => some(&mut settings.timezone)?,
        _ => {
            let value = match kind {
                Kind::Boolean => OptionValue::Flag(value.flag()),
                Kind::Integer if let Ok(number) = value.size(name) => {
                    OptionValue::Number(number as i64)
                }
                Kind::Integer | Kind::Other => OptionValue::Text(Str::from(value.string(name)?)),
            };
            settings.options.set(option, value);
        }
    }
    Ok(())
}

/// Whether a `log_selector` has `millisec` in the end: `+all -millisec` has not.
fn selects_millisec(selector: &[u8]) -> bool {
    let mut selected = false;
    for (start, sign) in selector.iter().enumerate().filter(|(_, c)| matches!(c, b'+' | b'-')) {
        let word = &selector[start + 1..];
        let end = word.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
        if matches!(&word[..end.unwrap_or(word.len())], b"millisec" | b"all") {
            selected = *sign == b'+';
        }
    }
    selected
}

#[cfg(test)]
mod tests;
