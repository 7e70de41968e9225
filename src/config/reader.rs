//! Reads a configuration, section by section.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eximious_core::{
    DriverKind, DriverOptions, ListKind, NamedList, OptionDef, OptionKind, OptionPlace,
    OptionValue, Registry, Repeated, Str, World,
};
use eximious_grammar::config::{
    AclLine, After, DriverLine, Label, MainLine, NamedListLine, Setting, acl_line, driver_line,
    main_line, section,
};

use eximious_stdlib::lists::{append_element, change_of_separator, elements, elements_with};
use rustc_hash::FxHashSet;

use super::edit::Origin;
use super::lines::Lines;
use super::source::Line;
use super::users::PatientUsers;
use super::values::{self, Resolver};
use super::{
    Acl, Config, ConfigError, Instance, NamedListUse, SettingUse, acl, checks, drivers, retry,
    rewrite,
};
use crate::{Builder, Engine, Macros};

/// How many named lists of a kind there may be.
const MOST_LISTS: usize = 32;

/// How long a name may be at the beginning of a line of drivers or ACLs.
const LONGEST_NAME: usize = 63;

/// The sections that follow the main one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Section {
    Acl,
    Drivers(DriverKind),
    LocalScan,
    Retry,
    Rewrite,
}

impl Section {
    /// Case does not count, nor whether the name ends in an `s`.
    fn named(name: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Some(match name.strip_suffix(b"s").unwrap_or(&name) {
            b"acl" => Self::Acl,
            b"authenticator" => Self::Drivers(DriverKind::Authenticator),
            b"local_scan" => Self::LocalScan,
            b"retry" => Self::Retry,
            b"rewrite" => Self::Rewrite,
            b"router" => Self::Drivers(DriverKind::Router),
            b"transport" => Self::Drivers(DriverKind::Transport),
            _ => return None,
        })
    }
}

/// Reads a configuration.
pub(super) struct Reader<'r> {
    lines: Lines<'r>,
    registry: &'r Registry,
    world: &'r World,
    config: Config,
    /// Whether the instance or ACL at hand can take further lines.
    open: bool,
    /// The names of the ACLs and of each kind's instances.
    names: FxHashSet<(Section, Vec<u8>)>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(
        name: &[u8],
        text: Arc<[u8]>,
        mut macros: Macros,
        world: &'r World,
        registry: &'r Registry,
    ) -> Self {
        macros.suit(world);
        let mut config = Config::default();
        let given = macros.iter().count();
        config.macro_lines.resize(given, None);
        config.settings.config_file = Str::from(name);
        config.origin = Some(Arc::new(Origin::new(world, registry, &macros)));
        let lines = Lines::new(name, text, macros, world.files.clone(), registry);
        Self { lines, registry, world, config, open: false, names: FxHashSet::default() }
    }

    /// What files say that need not be opened.
    pub(super) fn know(&mut self, texts: BTreeMap<Vec<u8>, Arc<[u8]>>) {
        self.lines.known = texts;
    }

    /// Reads all of it.
    pub(super) fn read(self) -> Config {
        self.read_sections(false)
    }

    /// Reads what stands before the first section.
    pub(super) fn read_main(self) -> Config {
        self.read_sections(true)
    }

    fn read_sections(mut self, only_main: bool) -> Config {
        let mut at: Option<Section> = None;
        let mut seen = BTreeSet::new();
        while let Some(mut line) = self.next_line() {
            if only_main && section(&line.text).is_some() {
                break;
            }
            let number = self.config.lines.len();
            // Nobody looks at a line before it was read: its text can be lent.
            let text = std::mem::take(&mut line.text);
            self.config.lines.push(line);
            self.line(&mut at, &mut seen, &text, number);
            self.config.lines[number].text = text;
        }
        self.finish(at);
        self.config.count = self.lines.count();
        self.config.settings.config_lines = self.config.count;
        self.config.macro_uses = std::mem::take(&mut self.lines.met);
        self.config.macros = self.lines.macros;
        self.config.sources = self.lines.sources;
        self.config
    }

    /// Reads one line in a section, or the beginning of one.
    fn line(
        &mut self,
        at: &mut Option<Section>,
        seen: &mut BTreeSet<Section>,
        text: &[u8],
        number: usize,
    ) {
        if let Some(name) = section(text) {
            self.finish(*at);
            self.open = false;
            let name = name.of(text);
            match Section::named(name) {
                Some(section) if seen.insert(section) => *at = Some(section),
                Some(section) => {
                    *at = Some(section);
                    let message = b"\" section is repeated in the configuration file";
                    self.fault([b"\"", name, message.as_slice()].concat());
                }
                None => {
                    let message = b"\" is not a known configuration section name";
                    self.fault([b"\"", name, message.as_slice()].concat());
                }
            }
            if *at == Some(Section::LocalScan) {
                self.fault(
                    "local_scan() options not supported: (LOCAL_SCAN_HAS_OPTIONS not defined \
                     in Local/Makefile)",
                );
            }
            return;
        }
        let outcome = match *at {
            None => self.main(text, number),
            Some(Section::Acl) => self.acl(text, number),
            Some(Section::Drivers(kind)) => self.driver(kind, text, number),
            Some(Section::Retry) => self.retry(text, number),
            Some(Section::Rewrite) => rewrite::rule(text).map(|rule| {
                self.config.rewrite.push((rule, number));
            }),
            Some(Section::LocalScan) => Ok(()),
        };
        if let Err(message) = outcome {
            self.fault(message);
        }
    }

    /// The next logical line; lines that can't be read are faults.
    fn next_line(&mut self) -> Option<Line> {
        loop {
            match self.lines.next() {
                Ok(line) => return line,
                Err(error) => self.config.faults.push(error),
            }
        }
    }

    /// Notes that the line at hand is wrong.
    fn fault(&mut self, message: impl Into<Vec<u8>>) {
        let error = self.lines.error(message);
        self.config.faults.push(error);
    }

    /// What is looked at when a section ends.
    fn finish(&mut self, section: Option<Section>) {
        match section {
            None => {
                checks::after_main(&mut self.config, self.registry, self.world);
            }
            Some(Section::Drivers(kind)) => {
                self.close(kind);
                let wrong = drivers::check(kind, self.config.instances(kind));
                self.config.faults.extend(wrong);
            }
            Some(_) => {}
        }
    }

    /// A line of the main section.
    fn main(&mut self, text: &[u8], number: usize) -> Result<(), Vec<u8>> {
        if Macros::is_definition(text) {
            return self.define(text);
        }
        match main_line(text) {
            MainLine::List(list) => self.named_list(&list, text, number),
            MainLine::Setting(setting) => self.main_option(&setting, text, number),
        }
    }

    fn define(&mut self, text: &[u8]) -> Result<(), Vec<u8>> {
        if let Err(error) = self.lines.define(text) {
            self.config.faults.push(error);
        }
        // A definition that is none, or one made anew, adds nothing.
        let last = self.config.lines.len() - 1;
        let count = self.lines.macros.iter().count();
        self.config.macro_lines.resize(count, Some(last));
        Ok(())
    }

    fn named_list(
        &mut self,
        list: &NamedListLine,
        text: &[u8],
        number: usize,
    ) -> Result<(), Vec<u8>> {
        let word = list.kind.of(text);
        let found = ListKind::ALL.into_iter().find(|kind| kind.word().as_bytes() == word);
        let (Some(kind), Some(name)) = (found, list.name) else {
            return Err(b"unrecognized configuration line".to_vec());
        };
        let lists = &self.config.settings.lists;
        if lists.names(kind).len() >= MOST_LISTS {
            let called = kind.name();
            return Err(format!("too many named {called} lists (max is {MOST_LISTS})\n").into());
        }
        let name = name.of(text);
        if lists.get(kind, name).is_some() {
            let called = kind.name().as_bytes();
            let message = [b"duplicate name \"", name, b"\" for a named ", called, b" list"];
            return Err(message.concat());
        }
        let After::Value(span) = list.after else {
            return Err([b"missing '=' after \"", name, b"\""].concat());
        };
        let value = Str::from(values::string(span.of(text), name)?);
        let list = NamedList { text: value, hidden: list.hidden, cached: list.cached };
        self.config.settings.lists.insert(kind, name, list);
        let name = name.to_vec();
        self.config.list_uses.push(NamedListUse { kind, name, line: number, span });
        Ok(())
    }

    fn main_option(
        &mut self,
        setting: &Setting,
        text: &[u8],
        number: usize,
    ) -> Result<(), Vec<u8>> {
        let registry = self.registry;
        let find = |name: &[u8]| registry.option(OptionPlace::Main, name);
        let (option, negated) = named(setting, text, find)?
            .ok_or_else(|| [b"main option \"", setting.name.of(text), b"\" unknown"].concat())?;
        let name = option.meta.name;
        let written = setting.name.of(text);
        if self.stands_in(&self.config.main, written) {
            return Err(twice(written));
        }
        let value = self.value(option, negated, setting, text)?;
        let set = self.config.settings.set_value(registry, name.as_bytes(), value);
        set.map_err(|why| format!("main option \"{name}\": {why}"))?;
        if setting.hidden {
            self.config.hidden.insert(name);
        }
        self.config.main.push(used(option, setting, number));
        Ok(())
    }

    /// Whether an option is set already under this very name: under two names it
    /// may be set twice.
    fn stands_in(&self, settings: &[SettingUse], written: &[u8]) -> bool {
        fn bare(name: &[u8]) -> &[u8] {
            let negated = name.strip_prefix(b"no_").or_else(|| name.strip_prefix(b"not_"));
            negated.unwrap_or(name)
        }
        let wanted = bare(written);
        settings.iter().any(|one| {
            let line = self.config.lines.get(one.line);
            line.is_some_and(|line| bare(one.name.of(&line.text)) == wanted)
        })
    }

    /// The value of an option, after its kind.
    fn value(
        &self,
        option: &OptionDef,
        negated: bool,
        setting: &Setting,
        text: &[u8],
    ) -> Result<OptionValue, Vec<u8>> {
        let written = setting.name.of(text);
        let switch = matches!(option.kind, OptionKind::Bool | OptionKind::ExpandedBool);
        if negated && !switch {
            return Err(b"negation prefix applied to a non-boolean option".to_vec());
        }
        let value = match setting.after {
            After::Nothing if switch => return Ok(OptionValue::Flag(!negated)),
            After::Nothing => {
                let message = b"unexpected end of line (data missing) after ".as_slice();
                return Err([message, written].concat());
            }
            After::Junk(span) if switch => return Err(values::extra(written, span.of(text))),
            After::Junk(_) => return Err([b"missing \"=\" after ", written].concat()),
            After::Value(_) if negated => return Err(values::extra(written, b"")),
            After::Value(span) => span.of(text),
        };
        let expand = |text: &[u8]| {
            if !text.iter().any(|c| matches!(c, b'$' | b'\\')) {
                return Ok(Str::from(text.to_vec()));
            }
            let engine = self.engine();
            engine.expand_once(text, &mut engine.context())
        };
        let users = PatientUsers::of(self.world, &self.config.settings);
        let resolver = Resolver { users: &users, expand: &expand };
        values::read(option, written, value, &resolver)
    }

    /// An engine with what is known so far.
    fn engine(&self) -> Engine {
        let settings = self.config.settings.clone();
        Builder::of(self.registry.clone()).world(self.world.clone()).settings(settings).build()
    }

    /// A name at the beginning of a line that Exim has no room for is a fault.
    fn check_length(&mut self, text: &[u8]) {
        let end = text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
        let name = &text[..end.unwrap_or(text.len())];
        if name.len() > LONGEST_NAME && name[0].is_ascii_alphabetic() {
            let head = b"exim item name too long (>64), unable to use \"".as_slice();
            self.fault([head, &name[..LONGEST_NAME], b"\" (truncated)"].concat());
        }
    }

    /// A line of the routers, transports or authenticators.
    fn driver(&mut self, kind: DriverKind, text: &[u8], number: usize) -> Result<(), Vec<u8>> {
        self.check_length(text);
        if Macros::defines(text) {
            self.close(kind);
            return self.define(text);
        }
        match driver_line(text) {
            DriverLine::Instance(label) => self.instance(kind, &label, text, number),
            DriverLine::Setting(_) if !self.open => {
                Err([kind.name().as_bytes(), b" name missing"].concat())
            }
            DriverLine::Setting(setting) => self.private(kind, &setting, text, number),
        }
    }

    /// Looks at the instance at hand before another thing begins.
    fn close(&mut self, kind: DriverKind) {
        if self.open {
            let last = self.config.instances(kind).last();
            let wrong = last.and_then(|instance| drivers::check_one(instance).err());
            self.config.faults.extend(wrong);
        }
        self.open = false;
    }

    /// The beginning of an instance.
    fn instance(
        &mut self,
        kind: DriverKind,
        label: &Label,
        text: &[u8],
        number: usize,
    ) -> Result<(), Vec<u8>> {
        let name = label.name.of(text);
        self.close(kind);
        let twice = !self.names.insert((Section::Drivers(kind), name.to_vec()));
        self.config.instances_mut(kind).push(Instance {
            name: Str::from(name),
            kind,
            driver: None,
            misnamed: false,
            options: DriverOptions::default(),
            hidden: BTreeSet::new(),
            groups: BTreeMap::new(),
            settings: Vec::new(),
            line: number,
        });
        self.open = true;
        if twice {
            let kind = kind.name().as_bytes();
            let message = [b"there are two ", kind, b"s called \"", name, b"\""].concat();
            self.config.faults.push(ConfigError::somewhere(message));
        }
        match label.junk {
            Some(junk) => Err(values::followed(b"driver name ", name, junk.of(text))),
            None => Ok(()),
        }
    }

    /// An option of the instance at hand.
    fn private(
        &mut self,
        kind: DriverKind,
        setting: &Setting,
        text: &[u8],
        number: usize,
    ) -> Result<(), Vec<u8>> {
        let registry = self.registry;
        let Some(current) = self.config.instances(kind).last() else { return Ok(()) };
        let driver = current.driver.clone();
        let driver_name = driver.as_ref().map(|driver| driver.meta.name);
        let find = |name: &[u8]| registry.driver_option(kind, driver_name, name);
        let Some((option, negated)) = named(setting, text, find)? else {
            let hint: &[u8] = match driver_name {
                None => b" (\"driver\" must be specified before any private options)",
                Some(_) => b"",
            };
            return Err([b"option \"", setting.name.of(text), b"\" unknown", hint].concat());
        };
        let name = option.meta.name;
        let instance = current.name.clone();
        let before = current.options.of(option);
        let written = setting.name.of(text);
        if option.repeated == Repeated::Never && self.stands_in(&current.settings, written) {
            return Err(twice(written));
        }
        let value = self.value(option, negated, setting, text)?;
        let value = again(option, before, value);
        let mut chosen = driver;
        if drivers::is_driver(option)
            && let OptionValue::Text(wanted) = &value
        {
            chosen = registry.driver(kind, wanted.bytes()).cloned();
            if chosen.is_none() {
                if let Some(current) = self.config.instances_mut(kind).last_mut() {
                    current.misnamed = true;
                }
                let kind = kind.name().as_bytes();
                let (instance, wanted) = (instance.bytes(), wanted.bytes());
                let head = [kind, b" ", instance, b": cannot find "].concat();
                return Err([&head, kind, b" driver \"", wanted, b"\""].concat());
            }
        }
        let group = drivers::group_beside(option);
        let group = group.and_then(|name| Some((name, self.group_of(setting, text)?)));
        if let Some(current) = self.config.instances_mut(kind).last_mut() {
            current.driver = chosen;
            current.groups.extend(group);
            // What stands for two switches sets both.
            for both in drivers::stands_for(option) {
                current.options.set(both.def(), value.clone());
            }
            current.options.set(option, value);
            current.settings.push(used(option, setting, number));
            if setting.hidden {
                current.hidden.insert(name);
            }
        }
        Ok(())
    }

    /// The group of a user that is named; a number names none.
    fn group_of(&self, setting: &Setting, text: &[u8]) -> Option<u32> {
        let After::Value(span) = setting.after else { return None };
        let name = values::string(span.of(text), b"user").ok()?;
        if name.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(self.world.users.user(&name).ok()??.gid)
    }

    /// A line of the ACLs.
    fn acl(&mut self, text: &[u8], number: usize) -> Result<(), Vec<u8>> {
        self.check_length(text);
        if Macros::defines(text) {
            self.open = false;
            return self.define(text);
        }
        match acl_line(text) {
            AclLine::Label(label) => {
                let name = label.name.of(text);
                let twice = !self.names.insert((Section::Acl, name.to_vec()));
                let statements = Vec::new();
                self.config.acls.push(Acl { name: Str::from(name), statements, line: number });
                self.open = true;
                if twice {
                    return Err([b"there are two ACLs called \"", name, b"\""].concat());
                }
                Ok(())
            }
            AclLine::Statement(form) => {
                let acls = &mut self.config.acls;
                let acl = acls.last_mut().filter(|_| self.open && !ends_a_name(text));
                let acl = acl.ok_or_else(|| b"missing or malformed ACL name".to_vec())?;
                acl::add(&mut acl.statements, form, text, number, self.registry)
                    .map_err(|why| [b"error in ACL: ".as_slice(), &why].concat())
            }
        }
    }

    /// A rule for retries.
    fn retry(&mut self, text: &[u8], number: usize) -> Result<(), Vec<u8>> {
        let (rule, warning) = retry::rule(text)?;
        self.config.retry.push((rule, number));
        self.config.warnings.extend(warning);
        Ok(())
    }
}

/// Whether a colon stands where it would end an ACL's name, and there is none that could be
/// one.
fn ends_a_name(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    if text.first().is_some_and(|c| !c.is_ascii_alphabetic() && !b"!:".contains(c)) {
        return false;
    }
    let text = text.strip_prefix(b"!").unwrap_or(text).trim_ascii_start();
    let end = text.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    text[end.unwrap_or(text.len())..].trim_ascii_start().starts_with(b":")
}

/// An option by name: as it stands, or with `no_` or `not_` before it. Where the
/// line does not begin with a letter, it is no setting at all; behind `hide`, it is one of an
/// unknown option.
fn named(
    setting: &Setting,
    text: &[u8],
    find: impl Fn(&[u8]) -> Option<&'static OptionDef>,
) -> Result<Option<(&'static OptionDef, bool)>, Vec<u8>> {
    let written = setting.name.of(text);
    let start = setting.name.start as usize;
    let is_first = text[..start].trim_ascii().is_empty();
    if is_first && text.get(start).is_some_and(|c| !c.is_ascii_alphabetic()) {
        return Err([b"option setting expected: ", &text[start..]].concat());
    }
    if let Some(option) = find(written) {
        return Ok(Some((option, false)));
    }
    Ok(["no_", "not_"].iter().find_map(|prefix| {
        let option = find(written.strip_prefix(prefix.as_bytes())?)?;
        Some((option, true))
    }))
}

fn twice(written: &[u8]) -> Vec<u8> {
    [b"\"", written, b"\" option set for the second time"].concat()
}

/// The value of an option that may be set more than once, with what it was set to before. Lists
/// are told as one list from the start.
fn again(option: &OptionDef, before: Option<&OptionValue>, value: OptionValue) -> OptionValue {
    let OptionValue::Text(new) = &value else { return value };
    let new = new.bytes();
    let old = match (before, option.repeated) {
        (Some(OptionValue::Text(old)), _) => old.bytes(),
        (_, Repeated::Joined(_)) => b"",
        _ => return value,
    };
    let joined = match option.repeated {
        Repeated::Never => return value,
        Repeated::Conjoined => match old.strip_suffix(b"}}").filter(|_| old.starts_with(AND)) {
            Some(head) => [head, b"{bool_lax{", new, b"}}}}"].concat(),
            None => [AND, b"{bool_lax{", old, b"}}{bool_lax{", new, b"}}}}"].concat(),
        },
        Repeated::Joined(separator) => {
            let mut joined = old.to_vec();
            let elements = match change_of_separator(new) {
                Some(_) => elements(new),
                None => elements_with(new, separator as u8),
            };
            for element in elements {
                append_element(&mut joined, &element, separator as u8);
            }
            joined
        }
    };
    OptionValue::Text(Str::from(joined))
}

/// How conditions that must all hold begin.
const AND: &[u8] = b"${if and{";

fn used(option: &'static OptionDef, setting: &Setting, line: usize) -> SettingUse {
    let value = match setting.after {
        After::Value(span) => Some(span),
        _ => None,
    };
    SettingUse { option, line, name: setting.name, value }
}
