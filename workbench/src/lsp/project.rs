//! A configuration as it stands in an editor: what was read of it, and what is wrong with it.

use std::cell::OnceCell;

use eximious::check::{self, Finding};
use eximious::config::Config;
use eximious::outline::OutlineSection;
use eximious::symbols::{Symbol, read_everywhere};
use eximious::{Macros, Registry, World};

/// How large a file may be.
pub(super) const LARGEST: u64 = 64 << 20;

/// The file with which a configuration begins.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Root {
    /// A file.
    File(Vec<u8>),
    /// All parts below Debian's folder `conf.d`.
    Parts(Vec<u8>),
}

impl Root {
    /// What the file is called; that of parts is put before the disk under this name.
    pub(super) fn name(&self) -> Vec<u8> {
        match self {
            Self::File(name) => name.clone(),
            Self::Parts(folder) => [folder, &b"all parts"[..]].concat(),
        }
    }
}

/// What was read of a configuration.
pub(super) struct Project {
    pub(super) root: Root,
    pub(super) config: Config,
    pub(super) findings: Vec<Finding>,
    symbols: OnceCell<Vec<Symbol>>,
}

/// The macros that are given.
pub(super) fn given(macros: &[(Vec<u8>, Vec<u8>)]) -> Macros {
    let mut all = Macros::new();
    macros.iter().for_each(|(name, value)| {
        all.set(name, value);
    });
    all
}

impl Project {
    /// Reads a configuration; a file that can't be read is an empty one.
    pub(super) fn read(
        root: Root,
        macros: &[(Vec<u8>, Vec<u8>)],
        world: &World,
        registry: &Registry,
    ) -> Self {
        let name = root.name();
        let text = world.files.read(&name, LARGEST).unwrap_or_default();
        let mut config = Config::read_text(&name, text, given(macros), world, registry);
        config.load_acl_files(world, registry);
        let mut findings = check::check(&config, registry, world, None);
        // A file that begins with a verb or a label is a part of something unknown.
        let outline = eximious::outline::Outline::read(&config.sources.files()[0].text, None);
        let first = outline
            .lines
            .iter()
            .find(|line| line.kind != eximious::outline::OutlineKind::Directive);
        if first.is_some_and(|line| line.section != OutlineSection::Main) {
            findings.clear();
        }
        Self { root, config, findings, symbols: OnceCell::new() }
    }

    /// All names of it, those in lines that conditions leave out among them.
    pub(super) fn symbols(
        &self,
        macros: &[(Vec<u8>, Vec<u8>)],
        world: &World,
        registry: &Registry,
    ) -> &[Symbol] {
        self.symbols.get_or_init(|| {
            let name = self.root.name();
            read_everywhere(&name, &|| given(macros), world, registry).unwrap_or_default()
        })
    }

    /// The name of its first file, where there is no such file.
    pub(super) fn made_up(&self) -> Option<Vec<u8>> {
        match &self.root {
            Root::File(_) => None,
            Root::Parts(_) => Some(self.root.name()),
        }
    }

    /// The section in which a file begins.
    pub(super) fn section_of(&self, path: &[u8]) -> Option<OutlineSection> {
        if let Some(section) = check::parts::section(path) {
            return Some(OutlineSection::named(section.as_bytes()));
        }
        let files = self.config.sources.files();
        let number = files.iter().position(|file| file.name == path)? as u32;
        files[number as usize].included?;
        let first = self.config.lines.iter().position(|line| line.file == number)?;
        let begins = |line: &eximious::config::Line| {
            let name = eximious::grammar::config::section(&line.text)?;
            Some(OutlineSection::named(name.of(&line.text)))
        };
        let before = self.config.lines[..first].iter().rev();
        Some(before.filter_map(begins).next().unwrap_or(OutlineSection::Main))
    }
}
