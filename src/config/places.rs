//! Where things stand in a configuration, for whoever is told what happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use eximious_core::Str;
use eximious_core::trace::TracePlace;

use super::{AclLineTerm, Config, SettingUse};

/// Where things stand in a configuration, as those are told it who watch it run.
pub struct ConfigPlaces<'c> {
    pub(crate) config: &'c Config,
    files: Vec<Str>,
    macros: Vec<Str>,
}

impl<'c> ConfigPlaces<'c> {
    /// The places of a configuration.
    pub fn new(config: &'c Config) -> Self {
        let files = config.sources.files().iter().map(|file| Str::from(&file.name[..]));
        let macros = config.macros.iter().map(|(name, _)| Str::from(name));
        Self { config, files: files.collect(), macros: macros.collect() }
    }

    /// The place of a byte of a logical line.
    pub fn of(&self, line: usize, offset: usize) -> TracePlace {
        let Some(line) = self.config.lines.get(line) else { return TracePlace::default() };
        let at = line.place(offset);
        let file = self.files.get(at.file as usize).cloned().unwrap_or_default();
        let place = TracePlace::new(file, at.line).at(at.column + 1);
        match at.inside.and_then(|number| self.macros.get(number as usize)) {
            Some(name) => place.within(name.clone()),
            None => place,
        }
    }

    /// The places of an ACL's conditions and modifiers.
    pub(crate) fn of_terms(&self, terms: &[AclLineTerm]) -> Vec<Arc<TracePlace>> {
        let place = |term: &AclLineTerm| self.of(term.line, term.span.start as usize);
        terms.iter().map(|term| Arc::new(place(term))).collect()
    }

    /// The places of options, by their names: where each is set last.
    pub(crate) fn of_options(
        &self,
        uses: &[SettingUse],
    ) -> BTreeMap<&'static str, Arc<TracePlace>> {
        let place = |one: &SettingUse| Arc::new(self.of(one.line, one.name.start as usize));
        uses.iter().map(|one| (one.option.meta.name, place(one))).collect()
    }
}
