//! Cures that an editor can carry out.

use std::collections::HashMap;

use eximious::check::{Finding, cure, locate};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Position, Range, TextEdit,
    Uri, WorkspaceEdit,
};

use super::diagnostics::of_finding;
use super::project::Project;
use super::server::{Answer, Server};
use super::text::path_of;

impl Server<'_> {
    /// What `check` would have one type instead, and a comment that allows what it found.
    pub(super) fn code_actions(
        &mut self,
        params: CodeActionParams,
    ) -> Answer<Vec<CodeActionOrCommand>> {
        let path = path_of(&params.text_document.uri);
        let wanted = params.context.only.as_deref();
        let quick = CodeActionKind::QUICKFIX;
        if !self.documents.contains_key(&path)
            || wanted.is_some_and(|only| !only.contains(&quick) && !only.is_empty())
        {
            return Ok(Vec::new());
        }
        let project = self.project(&path);
        let mut actions = Vec::new();
        for finding in &project.findings {
            let Some((file, diagnostic)) = of_finding(self, &project, finding) else { continue };
            let Range { start, end } = diagnostic.range;
            if file != path || start > params.range.end || end < params.range.start {
                continue;
            }
            let mut add = |title: String, edit: Option<(Uri, TextEdit)>, preferred: bool| {
                let Some((uri, edit)) = edit else { return };
                #[allow(clippy::mutable_key_type)] // It is how the protocol's types have it.
                let changes = HashMap::from([(uri, vec![edit])]);
                actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                    title,
                    kind: Some(CodeActionKind::QUICKFIX),
                    diagnostics: Some(vec![diagnostic.clone()]),
                    edit: Some(WorkspaceEdit {
                        changes: Some(changes),
                        ..WorkspaceEdit::default()
                    }),
                    is_preferred: Some(preferred),
                    ..CodeAction::default()
                }));
            };
            if let Some(cure) = cure(&project.config, finding) {
                let title = match cure.length {
                    0 => format!("Insert \"{}\"", cure.text.trim_end()),
                    _ => format!("Change to {}", cure.text),
                };
                add(title, self.cured(&project, &cure), true);
            }
            let code = finding.lint.code;
            add(
                format!("Allow {code} here, with a reason"),
                self.allowed(&project, finding),
                false,
            );
        }
        Ok(actions)
    }

    fn cured(&self, project: &Project, cure: &eximious::check::Cure) -> Option<(Uri, TextEdit)> {
        let file = &project.config.sources.file(cure.file)?.name;
        let (from, to) = (cure.column, cure.column + cure.length);
        let range = self.range(project, file, cure.line, from, to);
        Some((self.address(file)?, TextEdit { range, new_text: cure.text.clone() }))
    }

    /// A comment above the line. Within a line that goes on, there is no place for one.
    fn allowed(&self, project: &Project, finding: &Finding) -> Option<(Uri, TextEdit)> {
        let place = locate(&project.config, &finding.spot)?;
        let file = project.config.sources.file(place.file)?;
        let above = place.line.checked_sub(1).and_then(|above| file.line(above));
        if above.is_some_and(|above| above.trim_ascii_end().ends_with(b"\\")) {
            return None;
        }
        let line = file.line(place.line)?;
        let blank = &line[..line.len() - line.trim_ascii_start().len()];
        let blank = String::from_utf8_lossy(blank);
        let new_text = format!("{blank}# eximious: allow {} the reason\n", finding.lint.code);
        let at = Position::new(place.line - 1, 0);
        Some((self.address(&file.name)?, TextEdit { range: Range::new(at, at), new_text }))
    }
}
