//! Files as `eximious fmt` lays them out.

use lsp_types::{
    DocumentFormattingParams, DocumentRangeFormattingParams, Position, Range, TextEdit, Uri,
};
use similar::{ChangeTag, TextDiff};

use super::server::{Answer, Server};
use super::text::path_of;

/// How long the shortest difference is looked for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

impl Server<'_> {
    pub(super) fn format(&mut self, params: DocumentFormattingParams) -> Answer<Vec<TextEdit>> {
        Ok(self.edits(&params.text_document.uri, 0, u32::MAX))
    }

    /// Lines are laid out as in the whole file; what goes beyond the range stays.
    pub(super) fn format_range(
        &mut self,
        params: DocumentRangeFormattingParams,
    ) -> Answer<Vec<TextEdit>> {
        let Range { start, end } = params.range;
        // A range that ends where a line begins leaves that line out.
        let past = if end.character > 0 { end.line.saturating_add(1) } else { end.line };
        Ok(self.edits(&params.text_document.uri, start.line, past))
    }

    /// What changes whole lines, from one to before another.
    fn edits(&self, uri: &Uri, from: u32, to: u32) -> Vec<TextEdit> {
        let Some(document) = self.documents.get(&path_of(uri)) else { return Vec::new() };
        let old = document.text.as_bytes();
        let new = eximious::fmt::format(old);
        if new == old {
            return Vec::new();
        }
        let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(old, &new[..]);
        let mut edits: Vec<TextEdit> = Vec::new();
        let mut line = 0u32;
        // What is at hand: where it begins, how many lines go, and what comes.
        let mut open: Option<(u32, u32, String)> = None;
        let mut close = |open: Option<(u32, u32, String)>| {
            let Some((start, count, new_text)) = open else { return };
            if start >= from && start + count <= to {
                let end = start + count;
                let end = match end >= document.count() {
                    true => document.range(end - 1, u32::MAX, u32::MAX, self.encoding).end,
                    false => Position::new(end, 0),
                };
                edits.push(TextEdit { range: Range::new(Position::new(start, 0), end), new_text });
            }
        };
        for change in difference.iter_all_changes() {
            match change.tag() {
                ChangeTag::Equal => {
                    close(open.take());
                    line += 1;
                }
                ChangeTag::Delete => {
                    open.get_or_insert_with(|| (line, 0, String::new())).1 += 1;
                    line += 1;
                }
                ChangeTag::Insert => {
                    let text = String::from_utf8_lossy(change.value());
                    open.get_or_insert_with(|| (line, 0, String::new())).2.push_str(&text);
                }
            }
        }
        close(open);
        edits
    }
}
