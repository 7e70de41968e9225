//! What can be typed at the cursor.

use eximious::complete::{Cursor, KnownNames, Offer, complete_line};
use eximious::symbols::SymbolKind;
use eximious::world::Files;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemLabelDetails, CompletionList,
    CompletionParams, CompletionResponse, CompletionTextEdit, TextEdit,
};

use super::project::Project;
use super::server::{Answer, Server};
use crate::names::ConfigNames;

impl Server<'_> {
    pub(super) fn completion(&mut self, params: CompletionParams) -> Answer<CompletionResponse> {
        let at = params.text_document_position;
        let none = CompletionResponse::List(CompletionList::default());
        let Some(spot) = self.spot(&at) else { return Ok(none) };
        let Some((path, outline, project)) = self.lines(&at.text_document.uri) else {
            return Ok(none);
        };
        let cursor = Cursor::find(&outline, spot.line, spot.column);
        let known = WithFiles { project: &project, files: &*self.world.files };
        let found = complete_line(&self.registry, &cursor, &known);
        let start = spot.column.saturating_sub(found.typed as u32);
        let range = self.range(&project, &path, spot.line + 1, start, spot.column);
        let item = |offer: Offer| CompletionItem {
            kind: Some(kind(offer.kind)),
            label_details: Some(CompletionItemLabelDetails {
                detail: None,
                description: Some(offer.kind.to_owned()),
            }),
            detail: Some(offer.summary).filter(|text| !text.is_empty()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: offer.text.clone(),
            })),
            label: offer.text,
            ..CompletionItem::default()
        };
        let items = found.offers.into_iter().map(item).collect();
        Ok(CompletionResponse::List(CompletionList { is_incomplete: false, items }))
    }
}

/// How many files of a folder are offered.
const MOST_FILES: usize = 1_000;

/// The names that a configuration gives, and those of files.
struct WithFiles<'p> {
    project: &'p Project,
    files: &'p dyn Files,
}

impl KnownNames for WithFiles<'_> {
    fn names(&self, kind: SymbolKind) -> Vec<String> {
        ConfigNames(&self.project.config).names(kind)
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let names = self.files.names(folder.as_bytes(), MOST_FILES).unwrap_or_default();
        let names = names.into_iter().filter(|name| !name.starts_with(b"."));
        let shown = names.filter_map(|name| {
            let path = [folder.as_bytes(), &name].concat();
            let is_folder = self.files.stat(&path, true).is_ok_and(|found| found.is_directory());
            Some(String::from_utf8(name).ok()? + if is_folder { "/" } else { "" })
        });
        shown.collect()
    }
}

/// The sign that an editor shows.
fn kind(of: &str) -> CompletionItemKind {
    match of {
        "item" | "operator" | "condition" => CompletionItemKind::FUNCTION,
        "variable" | "header" => CompletionItemKind::VARIABLE,
        "option" => CompletionItemKind::PROPERTY,
        "macro" => CompletionItemKind::CONSTANT,
        "directive" | "keyword" | "acl verb" => CompletionItemKind::KEYWORD,
        "driver" | "lookup" => CompletionItemKind::CLASS,
        "section" => CompletionItemKind::MODULE,
        "file" => CompletionItemKind::FILE,
        "value" | "acl control" | "acl verify" => CompletionItemKind::ENUM_MEMBER,
        "acl condition" | "acl modifier" => CompletionItemKind::METHOD,
        _ => CompletionItemKind::REFERENCE,
    }
}
