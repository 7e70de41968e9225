//! A configuration file: every section of it, typed (specification, chapters 6
//! and 14 to 44).
//!
//! Reading goes on after a mistake, so that all of them are found; a program
//! that means to be Exim stops at the first. Strings that are expanded at run
//! time are kept as text: they are compiled when something needs them.

mod acl;
pub(crate) mod checks;
mod drivers;
mod edit;
mod error;
mod files;
mod lines;
pub(crate) mod macros;
mod places;
mod print;
mod reader;
mod retry;
mod rewrite;
mod source;
mod users;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use eximious_core::{DriverKind, ListKind, OptionDef, Registry, Settings, World};
use eximious_grammar::Span;
use eximious_stdlib::lists::elements;
use eximious_stdlib::wording::reason;

use crate::{Builder, Engine};

pub(crate) use acl::statements as acl_statements;
pub use acl::{Acl, AclLineTerm, AclStatement};
pub use drivers::Instance;
pub(crate) use drivers::rules::{
    AuthenticatorRules, GoesOn, MechanismName, RouterRules, TransportRules, TransportUse,
};
pub(crate) use drivers::transports::user_has_group;
pub(crate) use drivers::{computed, effective};
pub use edit::ConfigPlace;
pub use error::ConfigError;
pub(crate) use lines::conditional;
pub use macros::{MacroError, Macros};
pub use places::ConfigPlaces;
pub use print::{Printed, Printer, fixed};
pub use retry::{Growth, HostSource, ReplyCode, RetryError, RetryRule, RetryStep};
pub use rewrite::rules as rewrite_rules;
pub use rewrite::{RewriteFlags, RewriteRule};
pub(crate) use source::Mark;
pub use source::{Line, Location, SourceFile, SourceMap};
pub(crate) use users::PatientUsers;
pub(crate) use values::{first_word, quoted};

/// What a configuration file says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The main section.
    pub settings: Settings,
    /// Where each main option is set.
    pub main: Vec<SettingUse>,
    /// The main options whose values `-bP` hides from those who do not
    /// administrate.
    pub hidden: BTreeSet<&'static str>,
    /// Where each named list is defined.
    pub list_uses: Vec<NamedListUse>,
    /// The macros, those of the command line first.
    pub macros: Macros,
    /// The logical line that defines each macro; `None` for one of the command
    /// line.
    pub macro_lines: Vec<Option<usize>>,
    /// The numbers of the macros whose names stand in any line.
    pub macro_uses: BTreeSet<u32>,
    /// The ACLs.
    pub acls: Vec<Acl>,
    /// The routers, in order.
    pub routers: Vec<Instance>,
    /// The transports.
    pub transports: Vec<Instance>,
    /// The authenticators.
    pub authenticators: Vec<Instance>,
    /// The rules for rewriting, each with the number of its logical line.
    pub rewrite: Vec<(RewriteRule, usize)>,
    /// The rules for retries, each with the number of its logical line.
    pub retry: Vec<(RetryRule, usize)>,
    /// What is wrong with it, in the order in which it was found.
    pub faults: Vec<ConfigError>,
    /// What Exim would write to its log while it reads.
    pub warnings: Vec<Vec<u8>>,
    /// The logical lines.
    pub lines: Vec<Line>,
    /// The files that they come from.
    pub sources: SourceMap,
    /// How many lines the file has: Exim names the last one when something is
    /// wrong with what is typed later.
    pub count: u32,
    /// With what it was read.
    origin: Option<Arc<edit::Origin>>,
}

/// Where an option is set.
#[derive(Clone, Copy, Debug)]
pub struct SettingUse {
    /// The option.
    pub option: &'static OptionDef,
    /// The number of the logical line.
    pub line: usize,
    /// Where its name stands in that line.
    pub name: Span,
    /// Where its value stands; `None` where a switch stands alone.
    pub value: Option<Span>,
}

/// Where a named list is defined.
#[derive(Clone, Debug)]
pub struct NamedListUse {
    /// What it holds.
    pub kind: ListKind,
    /// Its name.
    pub name: Vec<u8>,
    /// The number of the logical line.
    pub line: usize,
    /// Where its text stands in that line.
    pub span: Span,
}

impl Config {
    /// Reads the first file of a list of names that exists, as `-C` does, and
    /// stops at the first mistake.
    ///
    /// # Errors
    /// No file can be read, or something is wrong with what it says.
    pub fn read(
        names: &[u8],
        macros: Macros,
        world: &World,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        Self::read_all(names, macros, world, registry)?.sound()
    }

    /// Reads a file, with the words of an engine and through its world. It stops at the
    /// first mistake.
    ///
    /// # Errors
    /// The file can't be read, or something is wrong with what it says.
    pub fn load(path: impl AsRef<[u8]>, engine: &Engine) -> Result<Self, ConfigError> {
        Self::read(path.as_ref(), Macros::new(), engine.world(), engine.registry())
    }

    /// Reads a text, with the words of the standard library. It includes no files.
    ///
    /// # Errors
    /// Something is wrong with what it says.
    ///
    /// ```
    /// let config = eximious::Config::parse("primary_hostname = mail.example\n")?;
    /// assert_eq!(config.main.len(), 1);
    /// let wrong = eximious::Config::parse("bananas = 3\n").unwrap_err();
    /// assert_eq!(wrong.line().map(|(line, _)| line), Some(1));
    /// # Ok::<(), eximious::ConfigError>(())
    /// ```
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let (world, registry) = (World::hermetic(), crate::registry());
        let text = text.as_ref().into();
        let reader = reader::Reader::new(b"text", text, Macros::new(), &world, &registry);
        reader.read().sound()
    }

    /// Itself, unless something is wrong with it.
    fn sound(mut self) -> Result<Self, ConfigError> {
        match self.faults.is_empty() {
            true => Ok(self),
            false => Err(self.faults.swap_remove(0)),
        }
    }

    /// Reads the first file of a list of names that exists. What is wrong with
    /// it stands in [`Config::faults`].
    ///
    /// # Errors
    /// No file can be read.
    pub fn read_all(
        names: &[u8],
        macros: Macros,
        world: &World,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        Ok(Self::open(names, macros, world, registry)?.read())
    }

    /// The same, of its main section alone: nobody looks at what comes after that, as where
    /// Exim lists its queue.
    ///
    /// # Errors
    /// No file can be read.
    pub fn read_main(
        names: &[u8],
        macros: Macros,
        world: &World,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        Ok(Self::open(names, macros, world, registry)?.read_main())
    }

    fn open<'r>(
        names: &[u8],
        macros: Macros,
        world: &'r World,
        registry: &'r Registry,
    ) -> Result<reader::Reader<'r>, ConfigError> {
        for name in elements(names).filter(|name| !name.is_empty()) {
            match lines::contents(&*world.files, &name) {
                Ok(text) => {
                    return Ok(reader::Reader::new(&name, text, macros, world, registry));
                }
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => {
                    let mut message = b"failed to open configuration file ".to_vec();
                    message.extend_from_slice(&name);
                    message.extend_from_slice(format!(": {}", reason(&why)).as_bytes());
                    if why.kind() == std::io::ErrorKind::PermissionDenied {
                        let (uid, gid) = world.host.ids();
                        message.extend_from_slice(format!(" (euid={uid} egid={gid})").as_bytes());
                    }
                    return Err(ConfigError::plain(message).with_source(why));
                }
            }
        }
        Err(ConfigError::plain([b"non-existent configuration file(s): ", names].concat()))
    }

    /// Reads a text as [`Config::read_all`] reads a file of this name; what it includes is
    /// looked for beside that. Whatever is wrong stands in [`Config::faults`].
    pub fn read_text(
        name: &[u8],
        text: impl AsRef<[u8]>,
        macros: Macros,
        world: &World,
        registry: &Registry,
    ) -> Self {
        reader::Reader::new(name, text.as_ref().into(), macros, world, registry).read()
    }

    /// An engine with these options.
    pub fn build(&self, builder: Builder) -> Engine {
        builder.settings(self.placed_settings()).build()
    }

    /// The main options, with where each stands.
    pub(crate) fn placed_settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.set_places(ConfigPlaces::new(self).of_options(&self.main));
        settings
    }

    /// The instances of a kind of driver, in order.
    pub fn instances(&self, kind: DriverKind) -> &[Instance] {
        match kind {
            DriverKind::Router => &self.routers,
            DriverKind::Transport => &self.transports,
            DriverKind::Authenticator => &self.authenticators,
        }
    }

    /// The instances of all drivers: routers, transports, authenticators.
    pub fn all_instances(&self) -> impl Iterator<Item = &Instance> {
        self.routers.iter().chain(&self.transports).chain(&self.authenticators)
    }

    /// Where each option is set, in whatever section.
    pub fn all_settings(&self) -> impl Iterator<Item = &SettingUse> {
        self.main.iter().chain(self.all_instances().flat_map(|instance| &instance.settings))
    }

    fn instances_mut(&mut self, kind: DriverKind) -> &mut Vec<Instance> {
        match kind {
            DriverKind::Router => &mut self.routers,
            DriverKind::Transport => &mut self.transports,
            DriverKind::Authenticator => &mut self.authenticators,
        }
    }
}

#[cfg(test)]
mod tests;
