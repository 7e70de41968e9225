//! Another name for something that a configuration gives.

use std::collections::HashMap;

use eximious::check::Severity;
use eximious::symbols::{Symbol, SymbolKind};
use lsp_types::{
    PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit,
};

use super::project::{LARGEST, Project};
use super::server::{Answer, Declined, Server};

impl Server<'_> {
    pub(super) fn prepare_rename(
        &mut self,
        params: TextDocumentPositionParams,
    ) -> Answer<Option<PrepareRenameResponse>> {
        let Some(spot) = self.spot(&params) else { return Ok(None) };
        let project = self.project(&spot.path);
        let Some(symbol) = self.symbol_at(&project, &spot) else { return Ok(None) };
        self.renamable(&project, symbol)?;
        let place = &symbol.place;
        let end = place.column + place.length;
        let range = self.range(&project, &place.file, place.line, place.column, end);
        let placeholder = String::from_utf8_lossy(&symbol.name).into_owned();
        Ok(Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
    }

    /// All places of a name, if it can be changed in each.
    fn renamable<'p>(&self, project: &'p Project, symbol: &Symbol) -> Answer<Vec<&'p Symbol>> {
        let name = String::from_utf8_lossy(&symbol.name);
        let places: Vec<&Symbol> = self.same(project, symbol).collect();
        if !places.iter().any(|one| one.defines) {
            let why = "is not defined in the configuration's files";
            return Err(Declined(format!("{name} {why}")));
        }
        if let Some(hidden) = places.iter().find(|one| one.hidden) {
            let (file, line) = (String::from_utf8_lossy(&hidden.place.file), hidden.place.line);
            let why = "comes out of the text of a macro";
            return Err(Declined(format!("{name} {why} in {file}, line {line}")));
        }
        Ok(places)
    }

    pub(super) fn rename(&mut self, params: RenameParams) -> Answer<Option<WorkspaceEdit>> {
        let Some(spot) = self.spot(&params.text_document_position) else { return Ok(None) };
        let project = self.project(&spot.path);
        let Some(symbol) = self.symbol_at(&project, &spot) else {
            return Err(Declined("there is no name here that could be changed".to_owned()));
        };
        let new = params.new_name;
        if !is_name(symbol.kind, &new) {
            return Err(Declined(format!(
                "\"{new}\" can't be the name of a {}",
                symbol.kind.name()
            )));
        }
        let mut all = self.symbols(&project).iter();
        let (kind, bytes) = (symbol.kind, new.as_bytes());
        if all.any(|one| one.kind == kind && one.name == bytes) && symbol.name != bytes {
            return Err(Declined(format!("there is a {} called {new} already", kind.name())));
        }
        let places = self.renamable(&project, symbol)?;
        self.agrees(&project, &places, bytes)?;
        #[allow(clippy::mutable_key_type)] // It is how the protocol's types have it.
        let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
        for one in places {
            if let Some(place) = self.location(&project, one) {
                let edit = TextEdit { range: place.range, new_text: new.clone() };
                changes.entry(place.uri).or_default().push(edit);
            }
        }
        Ok(Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
    }

    /// Reads the configuration with the new name: nothing may be wrong with it that was not
    /// before.
    fn agrees(&self, project: &Project, places: &[&Symbol], new: &[u8]) -> Answer<()> {
        let mut texts: HashMap<&[u8], Vec<&Symbol>> = HashMap::new();
        for one in places {
            texts.entry(&one.place.file).or_default().push(one);
        }
        let changed = super::overlay::Overlay::new(self.world.files.clone());
        for (path, mut own) in texts {
            let Ok(text) = self.world.files.read(path, LARGEST) else {
                let why = "can't be read";
                return Err(Declined(format!("{} {why}", String::from_utf8_lossy(path))));
            };
            let mut lines: Vec<Vec<u8>> = text.split(|c| *c == b'\n').map(<[u8]>::to_vec).collect();
            own.sort_by_key(|one| std::cmp::Reverse((one.place.line, one.place.column)));
            for one in own {
                let (start, length) = (one.place.column as usize, one.place.length as usize);
                let line = lines.get_mut(one.place.line as usize - 1);
                let Some(line) = line.filter(|line| line.len() >= start + length) else { continue };
                line.splice(start..start + length, new.iter().copied());
            }
            changed.put(path, &lines.join(&b'\n'));
        }
        let mut world = self.world.clone();
        world.files = std::sync::Arc::new(changed);
        let macros = &self.settings.macros;
        let after = Project::read(project.root.clone(), macros, &world, &self.registry);
        let called = |one: &&Symbol| one.kind == SymbolKind::Macro && one.name == new;
        let is_macro = places.first().is_some_and(|one| one.kind == SymbolKind::Macro);
        if is_macro
            && after.symbols(macros, &world, &self.registry).iter().filter(called).count()
                > places.len()
        {
            let new = String::from_utf8_lossy(new);
            return Err(Declined(format!("{new} stands in a text, and would be the macro there")));
        }
        let errors = |project: &Project| {
            let all = project.findings.iter();
            all.filter(|one| one.lint.severity == Severity::Error).count()
        };
        if errors(&after) <= errors(project) {
            return Ok(());
        }
        let before: Vec<&str> = project.findings.iter().map(|one| one.message.as_str()).collect();
        let mut wrong = after.findings.iter().filter(|one| one.lint.severity == Severity::Error);
        let first = wrong.find(|one| !before.contains(&one.message.as_str()));
        let why = first.map_or("something else", |one| one.message.as_str());
        Err(Declined(format!("the configuration would be wrong: {why}")))
    }
}

/// Whether something of a kind may be called so.
fn is_name(kind: SymbolKind, name: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let first = name.bytes().next().unwrap_or(b' ');
    match kind {
        SymbolKind::Macro => {
            first.is_ascii_uppercase() && name.bytes().all(word) && name.len() < 64
        }
        SymbolKind::List(_) => name.bytes().all(word) && !name.is_empty(),
        SymbolKind::Acl => first.is_ascii_alphabetic() && name.bytes().all(word),
        SymbolKind::Instance(_) => first.is_ascii_alphabetic() && name.bytes().all(word),
        SymbolKind::Variable => {
            let acl = ["acl_c", "acl_m"].iter().find_map(|start| name.strip_prefix(start));
            let own = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit() || c == '_');
            let named = acl.is_some_and(own) || name.starts_with("r_");
            named && name.len() > 2 && name.bytes().all(word)
        }
    }
}
