//! What can be typed at the cursor.

use eximious::complete::{Cursor, Offer, complete_line};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemLabelDetails, CompletionList,
    CompletionParams, CompletionResponse, CompletionTextEdit, TextEdit,
};

use super::server::{Answer, Server};

impl Server<'_> {
    pub(super) fn completion(&mut self, params: CompletionParams) -> Answer<CompletionResponse> {
        let at = params.text_document_position;
        let none = CompletionResponse::List(CompletionList::default());
        let Some(spot) = self.spot(&at) else { return Ok(none) };
        let Some((path, outline, project)) = self.lines(&at.text_document.uri) else {
            return Ok(none);
        };
        let cursor = Cursor::find(&outline, spot.line, spot.column);
        let found = complete_line(&self.registry, &cursor, &*project);
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
        "value" | "acl control" | "acl verify" => CompletionItemKind::ENUM_MEMBER,
        "acl condition" | "acl modifier" => CompletionItemKind::METHOD,
        _ => CompletionItemKind::REFERENCE,
    }
}
