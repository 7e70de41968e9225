//! What `-bP` prints (specification 5.2).

use std::collections::BTreeSet;

use eximious_core::world::Users;
use eximious_core::{
    DriverKind, ListKind, OptionDef, OptionKind, OptionPlace, OptionValue, Registry, Str, World,
};
use eximious_grammar::config::section;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use eximious_stdlib::environment;
use eximious_stdlib::interval;
use eximious_stdlib::printing::printing;

use super::drivers::computed;
use super::values;
use super::{Config, Instance};
use crate::config::macros::trim;
use crate::{Builder, Macros};

/// Prints a configuration as `-bP` does.
pub struct Printer<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// The words.
    pub registry: &'c Registry,
    /// The outside: users by number.
    pub world: &'c World,
    /// Values only, without names (`-n`).
    pub values_only: bool,
    /// Whether hidden values are shown.
    pub admin: bool,
    /// The program's version, which stands in the head of `config`.
    pub version: &'c str,
}

/// What is printed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Printed {
    /// For the standard output.
    pub text: Vec<u8>,
    /// For the standard error: what is not for everybody.
    pub refusals: Vec<u8>,
    /// Whether the last argument was found: that makes the exit status.
    pub found: bool,
}

/// What those hear who ask for macros and do not administrate.
const REFUSAL: &[u8] = b"exim: permission denied; not admin\n";

/// What stands in the place of a hidden value.
const HIDDEN: &[u8] = b"<value not displayable>";

impl Printer<'_> {
    /// What is printed for the arguments of `-bP`; none is all main options.
    pub fn print(&self, arguments: &[Vec<u8>]) -> Printed {
        let mut out = Vec::new();
        let mut refusals = Vec::new();
        let mut found = true;
        if arguments.is_empty() {
            self.main(&mut out);
        }
        let mut first = true;
        let mut rest = arguments.iter().map(Vec::as_slice).peekable();
        while let Some(word) = rest.next() {
            let kind = [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator]
                .into_iter()
                .find(|kind| kind.name().as_bytes() == word);
            let next = rest.peek().copied();
            found = match (kind, next) {
                _ if !self.admin && asks_for_macros(word, next.is_some()) => {
                    if word == b"macro" {
                        rest.next();
                    }
                    refusals.extend_from_slice(REFUSAL);
                    false
                }
                (Some(kind), Some(name)) => {
                    let found = self.named_instance(kind, name, &mut out);
                    rest.next();
                    found
                }
                (None, Some(name)) if word == b"macro" => {
                    let found = self.named_macro(name, &mut out);
                    rest.next();
                    found
                }
                _ => self.one(word, first, &mut out),
            };
            first = false;
        }
        Printed { text: out, refusals, found }
    }

    /// One argument that stands for itself.
    fn one(&self, word: &[u8], first: bool, out: &mut Vec<u8>) -> bool {
        if let Some(name) = word.strip_prefix(b"+") {
            return self.named_list(name, out);
        }
        match word {
            b"all" => self.main(out),
            // Exim keeps the lines only where it is asked for them at once.
            b"config" if !first => {}
            b"config" => self.config(out),
            b"configure_file" | b"config_file" => {
                line(out, &[self.config.settings.config_file.bytes()])
            }
            b"environment" => self.environment(out),
            b"local_scan" => {
                line(out, &[b"local_scan() options are not supported"]);
                return false;
            }
            b"macros" => {
                for (name, value) in self.macros() {
                    self.macro_line(&name, &value, out);
                }
            }
            b"macro_list" => {
                for (name, _) in self.macros() {
                    line(out, &[&name]);
                }
            }
            b"routers" => self.all_instances(DriverKind::Router, out),
            b"transports" => self.all_instances(DriverKind::Transport, out),
            b"authenticators" => self.all_instances(DriverKind::Authenticator, out),
            b"router_list" => self.names(DriverKind::Router, out),
            b"transport_list" => self.names(DriverKind::Transport, out),
            b"authenticator_list" => self.names(DriverKind::Authenticator, out),
            _ => match self.registry.option(OptionPlace::Main, word) {
                Some(option) => {
                    let value = self.main_value(option);
                    self.option((word, option), value, &self.config.hidden, out);
                }
                None => {
                    line(out, &[word, b" is not a known option"]);
                    return false;
                }
            },
        }
        true
    }

    /// All main options.
    fn main(&self, out: &mut Vec<u8>) {
        for option in self.registry.options_of(OptionPlace::Main) {
            if !option.unprinted {
                let value = self.main_value(option);
                let name = option.meta.name.as_bytes();
                self.option((name, option), value, &self.config.hidden, out);
            }
        }
    }

    /// The value of a main option; some that are not set have one that Exim
    /// computes.
    fn main_value(&self, option: &OptionDef) -> Option<OptionValue> {
        let settings = &self.config.settings;
        let value = settings.value(option.meta.name).cloned();
        let value = value.or_else(|| values::default(option));
        let text = |text: Str| Some(OptionValue::Text(text));
        let is_empty = |value: &Option<OptionValue>| match value {
            Some(OptionValue::Text(text)) => text.is_empty(),
            _ => value.is_none(),
        };
        match (option.meta.name, &value) {
            ("exim_version", None) => text(Str::from(self.version)),
            ("process_log_path", _) if is_empty(&value) => {
                let directory = settings.get(opt::SPOOL_DIRECTORY);
                text(Str::from([directory.bytes(), b"/exim-process.info"].concat()))
            }
            ("exim_user" | "exim_group", None) => values::default_with(option, &*self.world.users),
            ("system_filter_group", None) => {
                let user = settings.get(opt::SYSTEM_FILTER_USER).0.first().copied()?;
                let user = self.world.users.user_by_id(user).ok()??;
                Some(OptionValue::Ids(vec![user.gid]))
            }
            ("primary_hostname", None) => text(self.host()),
            ("qualify_domain", None) => text(self.host()),
            ("qualify_recipient", None) => {
                text(settings.given(opt::QUALIFY_DOMAIN).unwrap_or_else(|| self.host()))
            }
            ("remote_max_parallel", Some(OptionValue::Number(..1))) => Some(OptionValue::Number(1)),
            _ => value,
        }
    }

    /// This host's name.
    fn host(&self) -> Str {
        let set = self.config.settings.given(opt::PRIMARY_HOSTNAME);
        set.unwrap_or_else(|| Str::from(self.world.host.name()))
    }

    fn named_list(&self, name: &[u8], out: &mut Vec<u8>) -> bool {
        let lists = &self.config.settings.lists;
        let mut found = false;
        for kind in ListKind::ALL {
            let Some(list) = lists.get(kind, name) else { continue };
            found = true;
            // Hidden lists are hidden from everybody.
            let text = if list.hidden { HIDDEN } else { list.text.bytes() };
            if self.values_only {
                line(out, &[text]);
            } else {
                line(out, &[kind.word().as_bytes(), b" ", name, b" = ", text]);
            }
        }
        if !found {
            let head = b"no address, domain, host, or local part list called \"";
            line(out, &[head, name, b"\" exists"]);
        }
        found
    }

    fn all_instances(&self, kind: DriverKind, out: &mut Vec<u8>) {
        for instance in self.config.instances(kind) {
            let (name, kind) = (instance.name.bytes(), kind.name().as_bytes());
            line(out, &[b"\n", name, b" ", kind, b":"]);
            self.instance(instance, out);
        }
    }

    fn names(&self, kind: DriverKind, out: &mut Vec<u8>) {
        for instance in self.config.instances(kind) {
            line(out, &[instance.name.bytes()]);
        }
    }

    fn named_instance(&self, kind: DriverKind, name: &[u8], out: &mut Vec<u8>) -> bool {
        let found = self.config.instances(kind).iter().find(|one| one.name.bytes() == name);
        match found {
            Some(instance) => self.instance(instance, out),
            None => line(out, &[kind.name().as_bytes(), b" ", name, b" not found"]),
        }
        found.is_some()
    }

    fn instance(&self, instance: &Instance, out: &mut Vec<u8>) {
        // A value that is hidden in one instance is hidden in all of the same
        // driver; a generic one in all of the kind.
        let fellows = self.config.instances(instance.kind).iter();
        let hidden = |same: bool| -> BTreeSet<&'static str> {
            let fellows = fellows.clone();
            let alike = fellows.filter(|one| !same || one.driver_name() == instance.driver_name());
            alike.flat_map(|one| one.hidden.iter().copied()).collect()
        };
        let places = [
            (OptionPlace::Generic(instance.kind), hidden(false)),
            (OptionPlace::Driver(instance.kind, instance.driver_name()), hidden(true)),
        ];
        for (place, hidden) in places {
            let is_own = matches!(place, OptionPlace::Driver(..));
            if let Some(first) = instance.transport_rules().first_line.filter(|_| is_own) {
                line(out, &[&first(instance)]);
            }
            for option in self.registry.options_of(place) {
                if !option.unprinted {
                    let name = option.meta.name.as_bytes();
                    let value = computed::value(option, instance, &|| self.host());
                    self.option((name, option), value, &hidden, out);
                }
            }
        }
    }

    /// An option by the name that was asked for.
    fn option(
        &self,
        (name, option): (&[u8], &OptionDef),
        value: Option<OptionValue>,
        hidden: &BTreeSet<&'static str>,
        out: &mut Vec<u8>,
    ) {
        if !self.admin && hidden.contains(option.meta.name) {
            return match self.values_only {
                true => line(out, &[HIDDEN]),
                false => line(out, &[name, b" = ", HIDDEN]),
            };
        }
        let flag = match (option.kind, &value) {
            (OptionKind::Bool | OptionKind::ExpandedBool, None) => Some(false),
            (_, Some(OptionValue::Flag(flag))) => Some(*flag),
            _ => None,
        };
        if let Some(flag) = flag {
            return line(out, &[if flag { b"" } else { b"no_" }, name]);
        }
        let lists_ids = matches!(option.kind, OptionKind::UserList | OptionKind::GroupList);
        match (option.kind, &value) {
            (OptionKind::Fixed, None | Some(OptionValue::Number(..0))) => {
                return line(out, &[name, b" ="]);
            }
            (_, None) if lists_ids && !self.values_only => return line(out, &[name, b" ="]),
            (_, Some(OptionValue::Ids(ids)))
                if lists_ids && ids.is_empty() && !self.values_only =>
            {
                return line(out, &[name, b" ="]);
            }
            _ => {}
        }
        let text = value.map_or(Vec::new(), |value| self.written(option, &value));
        if self.values_only {
            line(out, &[&text]);
        } else {
            line(out, &[name, b" = ", &text]);
        }
    }

    /// Exim's own macros, and then those of the configuration.
    fn macros(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Macros::builtin(self.registry, self.world.tls.is_there());
        all.extend(self.config.macros.iter().map(|(name, value)| (name.into(), value.into())));
        all
    }

    fn macro_line(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if self.values_only {
            line(out, &[value]);
        } else {
            line(out, &[name, b"=", value]);
        }
    }

    fn named_macro(&self, name: &[u8], out: &mut Vec<u8>) -> bool {
        let all = self.macros();
        let found = all.iter().find(|(own, _)| own == name);
        match found {
            Some((name, value)) => self.macro_line(name, value, out),
            None => line(out, &[b"macro ", name, b" not found"]),
        }
        found.is_some()
    }

    /// What is left of the environment, and what is added to it: the item `env`
    /// knows.
    fn environment(&self, out: &mut Vec<u8>) {
        let settings = &self.config.settings;
        let mut names = environment::names(settings, self.world.host.environment_names());
        names.sort_unstable();
        let builder = Builder::of(self.registry.clone()).world(self.world.clone());
        let engine = builder.settings(settings.clone()).build();
        let value = engine.compile("${env{$address_data}{$value}fail}");
        let mut cx = engine.context();
        for name in names {
            cx.set_var(var::ADDRESS_DATA, Str::from(name.as_slice()));
            match value.expand(&mut cx) {
                Ok(_) if self.values_only => line(out, &[&name]),
                Ok(value) => line(out, &[&name, b"=", value.bytes()]),
                Err(_) => {}
            }
        }
    }

    /// The configuration as it was read: macros replaced, lines joined. With `-n` nothing
    /// sets its parts off from each other.
    fn config(&self, out: &mut Vec<u8>) {
        line(out, &[b"# Exim Configuration (", self.version.as_bytes(), b")"]);
        let sources = &self.config.sources;
        let mark = |file: u32, number: u32, out: &mut Vec<u8>| {
            let name = sources.file(file).map_or(b"".as_slice(), |file| &file.name);
            line(out, &[b"# ", number.to_string().as_bytes(), b" \"", name, b"\""]);
        };
        if sources.file(0).is_some_and(|file| !file.text.is_empty()) {
            mark(0, 1, out);
        }
        let mut at = 0;
        let (gap, [outer, inner]) = match self.values_only {
            true => (&b""[..], [&b""[..]; 2]),
            false => (&b"\n"[..], [&b"  "[..], b"    "]),
        };
        let mut inside: Option<Vec<u8>> = None;
        let mut labelled = false;
        for one in &self.config.lines {
            while at != one.file {
                at = self.towards(at, one.file, &mark, out);
            }
            if let Some(name) = section(&one.text) {
                inside = Some(name.of(&one.text).to_vec());
                labelled = false;
                line(out, &[gap, &one.text]);
                continue;
            }
            let labels = matches!(
                inside.as_deref(),
                Some(b"acl" | b"routers" | b"transports" | b"authenticators")
            );
            match &inside {
                None => line(out, &[&self.shown(&one.text)]),
                Some(_) if labels && is_label(&one.text) => {
                    labelled = true;
                    line(out, &[gap, outer, &one.text]);
                }
                Some(_) if labelled => line(out, &[inner, &self.shown(&one.text)]),
                Some(_) => line(out, &[outer, &self.shown(&one.text)]),
            }
        }
        // The files end one after the other.
        while at != 0 {
            at = self.towards(at, 0, &mark, out);
        }
    }

    /// One step from a file to another, along what includes what.
    fn towards(
        &self,
        from: u32,
        to: u32,
        mark: &dyn Fn(u32, u32, &mut Vec<u8>),
        out: &mut Vec<u8>,
    ) -> u32 {
        let included = |file: u32| self.config.sources.file(file).and_then(|file| file.included);
        // The way up from the file that is wanted, as far as the one at hand.
        let mut step = to;
        while let Some((parent, number)) = included(step) {
            if parent == from {
                mark(from, number, out);
                mark(step, 1, out);
                return step;
            }
            step = parent;
        }
        match included(from) {
            Some((parent, number)) => {
                mark(parent, number, out);
                parent
            }
            None => to,
        }
    }

    /// A line with its value left out, where it is hidden: those of macros are
    /// always.
    fn shown(&self, text: &[u8]) -> Vec<u8> {
        let hides = text
            .strip_prefix(b"hide")
            .is_some_and(|rest| rest.first().is_some_and(|c| eximious_grammar::is_space(*c)));
        match text.iter().position(|c| *c == b'=') {
            Some(equals) if (hides || Macros::defines(text)) && !self.admin => {
                [&text[..=equals], b" ", HIDDEN].concat()
            }
            // White space is shown as blanks.
            _ => text.iter().map(|c| if *c == b'\t' { b' ' } else { *c }).collect(),
        }
    }

    /// A value as `-bP` writes it.
    fn written(&self, option: &OptionDef, value: &OptionValue) -> Vec<u8> {
        match value {
            OptionValue::Flag(flag) => flag.to_string().into(),
            OptionValue::Text(text) => self.shown_text(text.bytes()),
            OptionValue::Times(times) => times
                .iter()
                .map(|seconds| interval::written(*seconds as i32))
                .collect::<Vec<_>>()
                .join(":")
                .into(),
            OptionValue::Ids(ids) => {
                let user = matches!(option.kind, OptionKind::User | OptionKind::UserList);
                let names: Vec<Vec<u8>> =
                    ids.iter().map(|id| called(*id, user, &*self.world.users)).collect();
                names.join(b":".as_slice())
            }
            OptionValue::Number(number) => match option.kind {
                OptionKind::Size => size(*number),
                OptionKind::Kilobytes => kilobytes(*number),
                OptionKind::Octal => Octal(*number).to_string(),
                OptionKind::Fixed => fixed(*number),
                OptionKind::Time | OptionKind::ExpandedTime => interval::written(*number as i32),
                _ => number.to_string(),
            }
            .into(),
        }
    }

    /// Text with what does not print as an escape, tabs too.
    fn shown_text(&self, text: &[u8]) -> Vec<u8> {
        let topbit_prints = self.config.settings.get(opt::PRINT_TOPBITCHARS);
        let mut out = Vec::with_capacity(text.len());
        for (index, part) in text.split(|c| *c == b'\t').enumerate() {
            if index > 0 {
                out.extend_from_slice(b"\\t");
            }
            out.extend_from_slice(&printing(part, topbit_prints));
        }
        out
    }
}

/// Whether an argument is about macros, which may hold passwords.
fn asks_for_macros(word: &[u8], more: bool) -> bool {
    matches!(word, b"macros" | b"macro_list") || (word == b"macro" && more)
}

/// Whether a line names what follows it: `name:`.
fn is_label(text: &[u8]) -> bool {
    let name = text.strip_suffix(b":").map(trim);
    name.is_some_and(|name| name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_'))
}

/// A number in base eight, with a zero before it.
struct Octal(i64);

impl std::fmt::Display for Octal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "0{:o}", self.0) }
    }
}

/// The name of a user or group, or its number where it has none.
fn called(id: u32, user: bool, users: &dyn Users) -> Vec<u8> {
    let name = if user {
        users.user_by_id(id).ok().flatten().map(|user| user.name)
    } else {
        users.group_by_id(id).ok().flatten().map(|group| group.name)
    };
    name.unwrap_or_else(|| id.to_string().into_bytes())
}

fn size(number: i64) -> String {
    match number {
        0 => "0".into(),
        n if n % (1 << 20) == 0 => format!("{}M", n >> 20),
        n if n % (1 << 10) == 0 => format!("{}K", n >> 10),
        n => n.to_string(),
    }
}

fn kilobytes(number: i64) -> String {
    match number {
        0 => "0".into(),
        n if n % (1 << 30) == 0 => format!("{}T", n >> 30),
        n if n % (1 << 20) == 0 => format!("{}G", n >> 20),
        n if n % (1 << 10) == 0 => format!("{}M", n >> 10),
        n => format!("{n}K"),
    }
}

/// Thousandths, with at least one decimal place: `1.25`, `2.0`.
pub fn fixed(number: i64) -> String {
    let decimals = format!("{:03}", number % 1000);
    let decimals = decimals.trim_end_matches('0');
    format!("{}.{}", number / 1000, if decimals.is_empty() { "0" } else { decimals })
}

fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_exim_does() {
        assert_eq!(size(2048), "2K");
        assert_eq!(size(2047), "2047");
        assert_eq!(kilobytes(2048), "2M");
        assert_eq!(kilobytes(10), "10K");
        assert_eq!(fixed(1230), "1.23");
        assert_eq!(fixed(3000), "3.0");
        assert_eq!(format!("{}", Octal(0o600)), "0600");
    }
}
