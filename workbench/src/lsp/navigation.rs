//! From a name to where it is given, and to where it stands.

use eximious::outline::{OutlineKind, TokenKind};
use eximious::symbols::{Symbol, SymbolKind};
use lsp_types::{
    DocumentHighlight, DocumentHighlightKind, DocumentHighlightParams, GotoDefinitionParams,
    GotoDefinitionResponse, Location, Range, ReferenceParams,
};

use super::project::Project;
use super::server::{Answer, Server, Spot};

impl Server<'_> {
    /// The name at a place of a file.
    pub(super) fn symbol_at<'p>(&self, project: &'p Project, spot: &Spot) -> Option<&'p Symbol> {
        let all = self.symbols(project);
        let covers = |one: &&Symbol| {
            let place = &one.place;
            place.line == spot.line + 1
                && place.file == spot.path
                && (place.column..=place.column + place.length).contains(&spot.column)
        };
        // Of names that touch each other, the one that goes on here is meant.
        let found = all.iter().filter(covers);
        found.max_by_key(|one| (one.place.column + one.place.length > spot.column, !one.hidden))
    }

    /// All places of a name.
    pub(super) fn same<'p>(
        &self,
        project: &'p Project,
        wanted: &Symbol,
    ) -> impl Iterator<Item = &'p Symbol> {
        let (kind, name) = (wanted.kind, wanted.name.clone());
        self.symbols(project).iter().filter(move |one| one.kind == kind && one.name == name)
    }

    pub(super) fn definition(
        &mut self,
        params: GotoDefinitionParams,
    ) -> Answer<Option<GotoDefinitionResponse>> {
        let at = params.text_document_position_params;
        let Some(spot) = self.spot(&at) else { return Ok(None) };
        let Some((path, outline, project)) = self.lines(&at.text_document.uri) else {
            return Ok(None);
        };
        let number = outline.line_at(spot.line);
        let line = number.and_then(|number| outline.lines.get(number));
        if line.is_some_and(|line| {
            line.kind == OutlineKind::Directive && line.text.starts_with(b".include")
        }) {
            let file = self.included(&project, &path, spot.line + 1);
            return Ok(file.map(GotoDefinitionResponse::Scalar));
        }
        let Some(symbol) = self.symbol_at(&project, &spot) else { return Ok(None) };
        let places = self.same(&project, symbol).filter(|one| one.defines);
        let places: Vec<Location> = places.filter_map(|one| self.location(&project, one)).collect();
        Ok((!places.is_empty()).then_some(GotoDefinitionResponse::Array(places)))
    }

    /// The file that a line includes.
    fn included(&self, project: &Project, path: &[u8], line: u32) -> Option<Location> {
        let files = project.config.sources.files();
        let is_here = |(file, at): (u32, u32)| {
            at == line && files.get(file as usize).is_some_and(|file| file.name == path)
        };
        let file = files.iter().find(|file| file.included.is_some_and(is_here))?;
        Some(Location { uri: self.address(&file.name)?, range: Range::default() })
    }

    pub(super) fn references(&mut self, params: ReferenceParams) -> Answer<Option<Vec<Location>>> {
        let at = params.text_document_position;
        let Some(spot) = self.spot(&at) else { return Ok(None) };
        let project = self.project(&spot.path);
        let Some(symbol) = self.symbol_at(&project, &spot) else { return Ok(None) };
        let with = params.context.include_declaration || symbol.kind == SymbolKind::Variable;
        let places = self.same(&project, symbol).filter(|one| with || !one.defines);
        Ok(Some(places.filter_map(|one| self.location(&project, one)).collect()))
    }

    pub(super) fn highlights(
        &mut self,
        params: DocumentHighlightParams,
    ) -> Answer<Option<Vec<DocumentHighlight>>> {
        let Some(spot) = self.spot(&params.text_document_position_params) else { return Ok(None) };
        let project = self.project(&spot.path);
        let Some(symbol) = self.symbol_at(&project, &spot) else { return Ok(None) };
        let own = self.same(&project, symbol).filter(|one| one.place.file == spot.path);
        let highlight = |one: &Symbol| {
            let kind = match one.defines {
                true => DocumentHighlightKind::WRITE,
                false => DocumentHighlightKind::READ,
            };
            let range = self.location(&project, one)?.range;
            Some(DocumentHighlight { range, kind: Some(kind) })
        };
        Ok(Some(own.filter_map(highlight).collect()))
    }

    /// Whether a word is one that a configuration gives, by what it looks like.
    pub(super) fn is_macro(project: &Project, kind: TokenKind, name: &[u8]) -> bool {
        kind == TokenKind::MacroDefined
            || kind == TokenKind::Macro
                && project.config.macros.iter().any(|(known, _)| known == name)
    }
}
