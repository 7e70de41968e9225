//! Sets options of a configuration that was read: its text is changed, and is read anew.
//!
//! So there is one truth: what `-bP` prints, what the engine does and what is written out
//! are what a file with this text says, and what Exim would complain of is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use eximious_core::{DriverKind, OptionDef, OptionPlace, Registry, World};
use eximious_grammar::config::section;
use eximious_grammar::is_space;

use super::macros::trim_start;
use super::reader::Reader;
use super::{Config, ConfigError, Instance, Line, SettingUse, SourceFile};
use crate::Macros;

/// Where an option stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ConfigPlace<'n> {
    /// The main section.
    Main,
    /// The router of this name.
    Router(&'n str),
    /// The transport of this name.
    Transport(&'n str),
    /// The authenticator of this name.
    Authenticator(&'n str),
}

impl ConfigPlace<'_> {
    /// The kind and the name of the instance, where it is one.
    fn instance(&self) -> Option<(DriverKind, &str)> {
        match self {
            Self::Main => None,
            Self::Router(name) => Some((DriverKind::Router, name)),
            Self::Transport(name) => Some((DriverKind::Transport, name)),
            Self::Authenticator(name) => Some((DriverKind::Authenticator, name)),
        }
    }

    /// A complaint about it.
    fn wrong(&self, message: impl Into<Vec<u8>>) -> ConfigError {
        match self {
            Self::Main => ConfigError::somewhere(message),
            _ => ConfigError::of(self.to_string(), message),
        }
    }
}

/// As complaints name it: `main section`, `r1 router`.
impl fmt::Display for ConfigPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instance() {
            None => f.write_str("main section"),
            Some((kind, name)) => write!(f, "{name} {}", kind.name()),
        }
    }
}

/// With what a configuration was read, and how far its text is its own.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) world: World,
    pub(super) registry: Registry,
    /// The macros of the command line.
    pub(super) given: Vec<(Vec<u8>, Vec<u8>)>,
    /// The names of the files whose texts were changed.
    changed: Vec<Vec<u8>>,
}

impl Origin {
    pub(super) fn new(world: &World, registry: &Registry, macros: &Macros) -> Self {
        let given = macros.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        Self { world: world.clone(), registry: registry.clone(), given, changed: Vec::new() }
    }
}

/// A change of a file's text.
struct Edit {
    file: u32,
    range: Range<usize>,
    text: Vec<u8>,
}

impl Config {
    /// Sets an option, as a line of the configuration would that says `option = text`. A
    /// line that sets it already is changed and keeps its place; a new one goes to the end
    /// of the main section, or stands behind the instance's `driver`. Comments stay, and
    /// macros in the text are replaced.
    ///
    /// The configuration's text is read anew, which takes as long as reading it did. For
    /// files that it includes, what they said when it was read counts.
    ///
    /// # Errors
    /// There is no such instance or option, the text is no value of it, or the configuration
    /// would be wrong with it: what Exim would say, with the place. Nothing is changed, then.
    ///
    /// ```
    /// use eximious::config::ConfigPlace::{Main, Router};
    /// use eximious::{Config, opt};
    ///
    /// let mut config = Config::parse("# ours\nspool_wireformat = no\nbegin routers\n\
    ///                                 local:\n  driver = accept\n  verify_only\n")?;
    /// config.set(Main, "smtp_accept_max", "7")?;
    /// config.set(Router("local"), "domains", "example.com")?;
    /// assert_eq!(config.settings.get(opt::SMTP_ACCEPT_MAX), 7);
    ///
    /// let wrong = config.set(Main, "spool_wireformat", "bananas").unwrap_err();
    /// assert_eq!(wrong.line(), Some((2, &b"text"[..])));
    /// assert!(config.set(Main, "bananas", "7").is_err());
    ///
    /// let text = &config.changed_files().next().unwrap().text;
    /// assert_eq!(String::from_utf8_lossy(text), "# ours\nspool_wireformat = no\n\
    ///            smtp_accept_max = 7\nbegin routers\nlocal:\n  driver = accept\n  \
    ///            domains = example.com\n  verify_only\n");
    /// # Ok::<(), eximious::ConfigError>(())
    /// ```
    pub fn set(
        &mut self,
        place: ConfigPlace<'_>,
        option: &str,
        text: impl AsRef<[u8]>,
    ) -> Result<(), ConfigError> {
        let text = text.as_ref().trim_ascii();
        if text.contains(&b'\n') || text.contains(&0) || text.ends_with(b"\\") {
            let why = format!("the value of \"{option}\" is no single line");
            return Err(place.wrong(why));
        }
        let (option, uses) = self.uses_of(place, option)?;
        let name = option.meta.name.as_bytes();
        let setting = [name, b" = ", text].concat();
        let edits = match uses.split_first() {
            None => vec![self.insertion(place, &setting)?],
            Some((first, others)) => {
                let changed = self.written(place, first)?.replaced(&setting);
                let gone = others.iter().map(|one| Ok(self.written(place, one)?.removed()));
                std::iter::once(Ok(changed)).chain(gone).collect::<Result<_, _>>()?
            }
        };
        self.reread(place, option, edits, 1)
    }

    /// Takes the lines away that set an option, so that its default counts.
    ///
    /// # Errors
    /// As with [`Config::set`]. Where it is not set, nothing is to be done.
    pub fn unset(&mut self, place: ConfigPlace<'_>, option: &str) -> Result<(), ConfigError> {
        let (option, uses) = self.uses_of(place, option)?;
        let gone = uses.iter().map(|one| Ok(self.written(place, one)?.removed()));
        let edits = gone.collect::<Result<Vec<_>, ConfigError>>()?;
        self.reread(place, option, edits, 0)
    }

    /// The files whose texts [`Config::set`] changed, as they are to be written. What is not
    /// changed in them stands as it stood, byte by byte.
    pub fn changed_files(&self) -> impl Iterator<Item = &SourceFile> {
        let changed = self.origin.as_deref().map_or(&[][..], |origin| &origin.changed);
        let named = |name: &Vec<u8>| self.sources.files().iter().find(|file| file.name == *name);
        changed.iter().filter_map(named)
    }

    /// An option of a place, and where it is set.
    fn uses_of(
        &self,
        place: ConfigPlace<'_>,
        name: &str,
    ) -> Result<(&'static OptionDef, Vec<SettingUse>), ConfigError> {
        let registry = self.origin().registry;
        let (option, settings) = match self.instance_at(place)? {
            None => (registry.option(OptionPlace::Main, name.as_bytes()), &self.main),
            Some(instance) => {
                let driver = instance.driver.as_ref().map(|driver| driver.meta.name);
                let option = registry.driver_option(instance.kind, driver, name.as_bytes());
                (option, &instance.settings)
            }
        };
        let option = option.ok_or_else(|| match place {
            ConfigPlace::Main => place.wrong(format!("main option \"{name}\" unknown")),
            _ => place.wrong(format!("option \"{name}\" unknown")),
        })?;
        let own = settings.iter().filter(|one| one.option.meta.name == option.meta.name);
        Ok((option, own.copied().collect()))
    }

    /// The instance that is meant, where it is one.
    fn instance_at(&self, place: ConfigPlace<'_>) -> Result<Option<&Instance>, ConfigError> {
        let Some((kind, name)) = place.instance() else { return Ok(None) };
        let mut all = self.instances(kind).iter();
        let found = all.find(|instance| instance.name.bytes() == name.as_bytes());
        let missing = || ConfigError::somewhere(format!("there is no {} {name}", kind.name()));
        found.map(Some).ok_or_else(missing)
    }

    /// With what it was read; one that was put together otherwise has the standard library.
    fn origin(&self) -> Origin {
        match &self.origin {
            Some(origin) => (**origin).clone(),
            None => Origin::new(&World::hermetic(), &crate::registry(), &Macros::new()),
        }
    }

    /// Where the line for an option goes that is not set yet.
    fn insertion(&self, place: ConfigPlace<'_>, setting: &[u8]) -> Result<Edit, ConfigError> {
        let lost = || place.wrong("there is no place for another option");
        let Some(instance) = self.instance_at(place)? else {
            let begins = self.lines.iter().find(|line| section(&line.text).is_some());
            let Some(line) = begins else {
                let text = &self.sources.file(0).ok_or_else(lost)?.text;
                let ended = text.is_empty() || text.ends_with(b"\n");
                let before: &[u8] = if ended { b"" } else { b"\n" };
                let end = text.len();
                let text = [before, setting, b"\n"].concat();
                return Ok(Edit { file: 0, range: end..end, text });
            };
            let start = line.place(0);
            let file = self.sources.file(start.file).ok_or_else(lost)?;
            let at = file.range(start.line).ok_or_else(lost)?.start;
            return Ok(Edit { file: start.file, range: at..at, text: [setting, b"\n"].concat() });
        };
        let driver = instance.settings.iter().find(|one| one.option.meta.name == "driver");
        let line = self.lines.get(driver.map_or(instance.line, |one| one.line)).ok_or_else(lost)?;
        let file = self.sources.file(line.file).ok_or_else(lost)?;
        let indent = match driver {
            Some(_) => {
                let written = file.line(line.place(0).line).unwrap_or_default();
                &written[..written.len() - trim_start(written).len()]
            }
            None => b"  ",
        };
        let end = file.range(line.number).ok_or_else(lost)?.end;
        let end = end - usize::from(file.text[..end].ends_with(b"\r"));
        Ok(Edit { file: line.file, range: end..end, text: [b"\n", indent, setting].concat() })
    }

    /// Where a setting is written.
    fn written(
        &self,
        place: ConfigPlace<'_>,
        setting: &SettingUse,
    ) -> Result<Written, ConfigError> {
        let name = setting.option.meta.name;
        let lost = |why: &str| place.wrong(format!("\"{name}\" can't be changed: {why}"));
        let line: &Line = self.lines.get(setting.line).ok_or_else(|| lost("it has no line"))?;
        let first = line.place(0);
        let from = line.place(setting.name.start as usize);
        let file = self.sources.file(line.file).ok_or_else(|| lost("it has no file"))?;
        if first.file != line.file || from.file != line.file {
            return Err(lost("it stands in several files"));
        }
        let mut comments = Vec::new();
        for number in first.line..=line.number {
            let written = file.line(number).unwrap_or_default();
            match trim_start(written).first() {
                Some(b'#') => comments.push(written.trim_ascii_end().to_vec()),
                Some(b'.') if number > first.line => {
                    return Err(lost("there is a condition or an inclusion in it"));
                }
                _ => {}
            }
        }
        let missing = || lost("it has no line");
        let start = file.range(first.line).ok_or_else(missing)?.start;
        let at = file.range(from.line).ok_or_else(missing)?.start + from.column as usize;
        let last = file.range(line.number).ok_or_else(missing)?;
        let blank = file.text[last.clone()].iter().rev().take_while(|c| is_space(**c)).count();
        let end = (last.end - blank).max(at);
        let after = (last.end + 1).min(file.text.len());
        Ok(Written { file: line.file, start, at, end, after, comments })
    }

    /// Reads the texts anew as they are with some changes, and is what they say.
    fn reread(
        &mut self,
        place: ConfigPlace<'_>,
        option: &OptionDef,
        mut edits: Vec<Edit>,
        wanted: usize,
    ) -> Result<(), ConfigError> {
        let Some(outermost) = self.sources.file(0) else {
            return Err(place.wrong("the configuration has no text"));
        };
        edits.sort_by_key(|edit| (edit.file, edit.range.start));
        let mut origin = self.origin();
        let mut texts: BTreeMap<Vec<u8>, Arc<[u8]>> = BTreeMap::new();
        for (number, file) in self.sources.files().iter().enumerate() {
            let own = edits.iter().filter(|edit| edit.file as usize == number);
            let (mut text, mut done) = (Vec::new(), 0);
            for edit in own {
                text.extend_from_slice(&file.text[done..edit.range.start]);
                text.extend_from_slice(&edit.text);
                done = edit.range.end;
            }
            if text.is_empty() && done == 0 {
                texts.entry(file.name.clone()).or_insert_with(|| file.text.clone());
                continue;
            }
            text.extend_from_slice(&file.text[done..]);
            texts.insert(file.name.clone(), text.into());
            if !origin.changed.contains(&file.name) {
                origin.changed.push(file.name.clone());
            }
        }
        let mut macros = Macros::new();
        origin.given.iter().for_each(|(name, value)| {
            macros.set(name, value);
        });
        let text = texts.get(&outermost.name).cloned().unwrap_or_default();
        let (world, registry) = (&origin.world, &origin.registry);
        let mut new = Reader::new(&outermost.name, text, macros, world, registry);
        new.know(texts);
        let mut new = new.read();
        let known = |fault: &ConfigError| {
            self.faults.iter().any(|before| before.message() == fault.message())
        };
        if let Some(index) = new.faults.iter().position(|fault| !known(fault)) {
            return Err(new.faults.swap_remove(index));
        }
        new.origin = Some(Arc::new(origin));
        if new.uses_of(place, option.meta.name)?.1.len() != wanted {
            let why = format!("\"{}\" can't be set: it stands under a condition", option.meta.name);
            return Err(place.wrong(why));
        }
        *self = new;
        Ok(())
    }
}

/// Where a setting is written: offsets in its file.
struct Written {
    file: u32,
    /// Where its first line begins.
    start: usize,
    /// Where its name begins, behind `hide`.
    at: usize,
    /// Where its text ends.
    end: usize,
    /// Where the next line begins.
    after: usize,
    /// The lines of comments within it.
    comments: Vec<Vec<u8>>,
}

impl Written {
    fn replaced(self, setting: &[u8]) -> Edit {
        let mut text = setting.to_vec();
        for comment in &self.comments {
            text.push(b'\n');
            text.extend_from_slice(comment);
        }
        Edit { file: self.file, range: self.at..self.end, text }
    }

    fn removed(self) -> Edit {
        let text = self.comments.iter().flat_map(|comment| [comment, &b"\n"[..]].concat());
        Edit { file: self.file, range: self.start..self.after, text: text.collect() }
    }
}
