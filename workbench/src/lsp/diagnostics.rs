//! What is wrong, as an editor shows it.

use std::collections::BTreeMap;

use eximious::check::{Finding, Severity, extent};
use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString, Position, PublishDiagnosticsParams, Range,
};

use super::project::Project;
use super::server::Server;

/// How many are shown of a file.
const MOST: usize = 1000;

/// Tells the client what is wrong with all that it has open, and takes back what no longer is.
pub(super) fn tell(server: &mut Server<'_>) {
    let mut all: BTreeMap<Vec<u8>, Vec<Diagnostic>> = BTreeMap::new();
    for path in server.documents.keys() {
        all.insert(path.clone(), Vec::new());
    }
    for project in server.all_projects() {
        for finding in &project.findings {
            if let Some((path, diagnostic)) = of_finding(server, &project, finding) {
                let own = all.entry(path).or_default();
                // Two configurations may have a file in common.
                if own.len() < MOST && !own.contains(&diagnostic) {
                    own.push(diagnostic);
                }
            }
        }
        if let Some(virtual_file) = project.made_up() {
            all.remove(&virtual_file);
        }
    }
    for path in std::mem::take(&mut server.told) {
        all.entry(path).or_default();
    }
    for (path, diagnostics) in all {
        let Some(uri) = server.address(&path) else { continue };
        let version = server.documents.get(&path).map(|document| document.version);
        if !diagnostics.is_empty() {
            server.told.insert(path);
        }
        let params = PublishDiagnosticsParams { uri, diagnostics, version };
        server.note("textDocument/publishDiagnostics", params);
    }
}

/// A finding in its file.
pub(super) fn of_finding(
    server: &Server<'_>,
    project: &Project,
    finding: &Finding,
) -> Option<(Vec<u8>, Diagnostic)> {
    let config = &project.config;
    let found = extent(config, &finding.spot);
    let file = config.sources.file(found.map_or(0, |found| found.start.file))?;
    let range = match found {
        None => Range::default(),
        Some(found) => {
            let at = |line: u32, column: u32| {
                server.range(project, &file.name, line, column, column).start
            };
            let start = at(found.start.line, found.start.column);
            let end: Position = at(found.end_line, found.end_column);
            Range::new(start, end.max(start))
        }
    };
    let message = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let diagnostic = Diagnostic {
        range,
        severity: Some(match finding.lint.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(finding.lint.code.to_owned())),
        source: Some("eximious".to_owned()),
        message,
        related_information: found
            .and_then(|found| found.start.inside)
            .and_then(|number| in_macro(server, project, number))
            .map(|one| vec![one]),
        tags: tag(finding.lint.name).map(|tag| vec![tag]),
        ..Diagnostic::default()
    };
    Some((file.name.clone(), diagnostic))
}

/// What is unused is grey in editors, and what is deprecated is struck through.
fn tag(name: &str) -> Option<DiagnosticTag> {
    if name.ends_with("-unused") {
        return Some(DiagnosticTag::UNNECESSARY);
    }
    name.contains("deprecated").then_some(DiagnosticTag::DEPRECATED)
}

/// The macro in whose text something was found.
fn in_macro(
    server: &Server<'_>,
    project: &Project,
    number: u32,
) -> Option<DiagnosticRelatedInformation> {
    let config = &project.config;
    let (name, _) = config.macros.iter().nth(number as usize)?;
    let line = (*config.macro_lines.get(number as usize)?)?;
    let place = config.lines[line].place(0);
    let file = &config.sources.file(place.file)?.name;
    let end = place.column + name.len() as u32;
    let range = server.range(project, file, place.line, place.column, end);
    let location = Location { uri: server.address(file)?, range };
    let message = format!("in the text of the macro {}", String::from_utf8_lossy(name));
    Some(DiagnosticRelatedInformation { location, message })
}
