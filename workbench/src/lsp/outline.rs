//! What a file consists of: for lists of names, and to fold parts away.

use eximious::outline::{Outline, OutlineKind, OutlineLine, OutlineSection};
use eximious::symbols::SymbolKind as Named;
use lsp_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, FoldingRange, FoldingRangeKind,
    FoldingRangeParams, Location, Range, SymbolInformation, SymbolKind, WorkspaceSymbolParams,
};

use super::server::{Answer, Server};

/// How many names a list has.
const MOST: usize = 2000;

impl Server<'_> {
    pub(super) fn document_symbols(
        &mut self,
        params: DocumentSymbolParams,
    ) -> Answer<Option<DocumentSymbolResponse>> {
        let Some((path, outline, project)) = self.lines(&params.text_document.uri) else {
            return Ok(None);
        };
        let whole = |from: u32, to: u32| {
            let start = self.range(&project, &path, from + 1, 0, 0).start;
            Range::new(start, self.range(&project, &path, to + 1, u32::MAX, u32::MAX).end)
        };
        let mut sections: Vec<DocumentSymbol> = Vec::new();
        let mut top: Vec<DocumentSymbol> = Vec::new();
        for (number, line) in outline.lines.iter().enumerate() {
            let Some(span) = line.name() else { continue };
            let name = String::from_utf8_lossy(span.of(&line.text)).into_owned();
            if name.is_empty() {
                continue;
            }
            let (physical, column) = line.place(span.start as usize);
            let end = column + span.end - span.start;
            let selection_range = self.range(&project, &path, physical + 1, column, end);
            let (kind, last) = match line.kind {
                OutlineKind::Begin => (SymbolKind::MODULE, section_end(&outline, number)),
                OutlineKind::Label => (kind_of_label(line.section), block_end(&outline, number)),
                OutlineKind::Macro => (SymbolKind::CONSTANT, line.last),
                _ => (SymbolKind::ARRAY, line.last),
            };
            let detail = match line.kind {
                OutlineKind::List(kind) => Some(kind.word().to_owned()),
                OutlineKind::Label => {
                    outline.driver(number).map(|name| String::from_utf8_lossy(name).into_owned())
                }
                _ => None,
            };
            #[allow(deprecated)] // A field that must be there.
            let symbol = DocumentSymbol {
                name,
                detail,
                kind,
                tags: None,
                deprecated: None,
                range: whole(line.first, last.max(physical)),
                selection_range,
                children: None,
            };
            match (line.kind, sections.last_mut()) {
                (OutlineKind::Begin, _) => sections.push(symbol),
                (_, Some(section)) => section.children.get_or_insert_default().push(symbol),
                (_, None) => top.push(symbol),
            }
        }
        top.append(&mut sections);
        Ok(Some(DocumentSymbolResponse::Nested(top)))
    }

    pub(super) fn workspace_symbols(
        &mut self,
        params: WorkspaceSymbolParams,
    ) -> Answer<Vec<SymbolInformation>> {
        let query = params.query.to_lowercase();
        let mut found: Vec<SymbolInformation> = Vec::new();
        for project in self.all_projects() {
            let given = self.symbols(&project).iter().filter(|one| one.defines && !one.hidden);
            for one in given {
                let name = String::from_utf8_lossy(&one.name).into_owned();
                if found.len() >= MOST || !name.to_lowercase().contains(&query) {
                    continue;
                }
                let Some(location) = self.location(&project, one) else { continue };
                #[allow(deprecated)] // A field that must be there.
                let information = SymbolInformation {
                    name,
                    kind: kind_of(one.kind),
                    tags: None,
                    deprecated: None,
                    location: Location { ..location },
                    container_name: Some(one.kind.name().to_owned()),
                };
                if !found.contains(&information) {
                    found.push(information);
                }
            }
        }
        Ok(found)
    }

    pub(super) fn folding(&mut self, params: FoldingRangeParams) -> Answer<Vec<FoldingRange>> {
        let Some((_, outline, _)) = self.lines(&params.text_document.uri) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut add = |first: u32, last: u32, kind: Option<FoldingRangeKind>| {
            if last > first {
                found.push(FoldingRange {
                    start_line: first,
                    end_line: last,
                    kind,
                    ..FoldingRange::default()
                });
            }
        };
        let mut conditions: Vec<u32> = Vec::new();
        for (number, line) in outline.lines.iter().enumerate() {
            match line.kind {
                OutlineKind::Begin => add(line.first, section_end(&outline, number), None),
                OutlineKind::Label => add(line.first, block_end(&outline, number), None),
                OutlineKind::Directive if line.text.starts_with(b".if") => {
                    conditions.push(line.first);
                }
                OutlineKind::Directive if line.text.starts_with(b".el") => {
                    if let Some(open) = conditions.last_mut() {
                        add(*open, line.first.saturating_sub(1), None);
                        *open = line.first;
                    }
                }
                OutlineKind::Directive if line.text.starts_with(b".endif") => {
                    if let Some(open) = conditions.pop() {
                        add(open, line.first, None);
                    }
                }
                OutlineKind::Verb(_) => add(line.first, statement_end(&outline, number), None),
                _ => add(line.first, line.last, None),
            }
        }
        let mut run: Option<(u32, u32)> = None;
        for comment in outline.comments.iter().copied().chain([u32::MAX]) {
            match &mut run {
                Some((_, last)) if comment == *last + 1 => *last = comment,
                _ => {
                    if let Some((first, last)) = run.replace((comment, comment)) {
                        add(first, last, Some(FoldingRangeKind::Comment));
                    }
                }
            }
        }
        found.sort_by_key(|one| (one.start_line, std::cmp::Reverse(one.end_line)));
        found.dedup();
        Ok(found)
    }
}

fn kind_of_label(section: OutlineSection) -> SymbolKind {
    match section {
        OutlineSection::Acl => SymbolKind::FUNCTION,
        _ => SymbolKind::CLASS,
    }
}

fn kind_of(named: Named) -> SymbolKind {
    match named {
        Named::Macro => SymbolKind::CONSTANT,
        Named::Acl => SymbolKind::FUNCTION,
        Named::List(_) => SymbolKind::ARRAY,
        Named::Instance(_) => SymbolKind::CLASS,
        Named::Variable => SymbolKind::VARIABLE,
    }
}

/// The last line of a run of lines, of which the first is none.
fn end<'l>(outline: &'l Outline, number: usize, goes_on: impl Fn(&&'l OutlineLine) -> bool) -> u32 {
    let rest = outline.lines[number + 1..].iter().take_while(goes_on);
    let code = rest.filter(|line| line.kind != OutlineKind::Directive);
    code.last().map_or(outline.lines[number].last, |line| line.last)
}

fn section_end(outline: &Outline, number: usize) -> u32 {
    end(outline, number, |line| line.kind != OutlineKind::Begin)
}

/// The last line of an ACL or an instance.
fn block_end(outline: &Outline, number: usize) -> u32 {
    let ends = |line: &&OutlineLine| {
        !matches!(line.kind, OutlineKind::Begin | OutlineKind::Label | OutlineKind::Macro)
    };
    end(outline, number, ends)
}

/// The last line of a statement.
fn statement_end(outline: &Outline, number: usize) -> u32 {
    end(outline, number, |line| matches!(line.kind, OutlineKind::Term | OutlineKind::Directive))
}
