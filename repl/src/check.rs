//! `eximious check`: what is wrong, or looks wrong, in configurations.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use eximious::check::{self as lints, Finding, Severity, Spot, TargetRelease, locate};
use eximious::config::Config;
use eximious::{ConfigError, Engine, Macros, World};
use eximious_workbench::lsp::address_of;
use serde_json::{Value, json};

use crate::colour::Colour;
use crate::options::Given;
use crate::refusal::Stop;
use crate::usual;

/// What to check, and how to say it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckRequest {
    files: Vec<String>,
    /// `-D`
    macros: Vec<(Vec<u8>, Vec<u8>)>,
    form: Form,
    colour: Colour,
    target: Option<TargetRelease>,
}

/// How much of the standard input is read.
const LARGEST: u64 = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Form {
    #[default]
    Text,
    Json,
    Sarif,
}

/// Reads the arguments of `check`.
///
/// # Errors
/// An option that it does not know, or a release that is none.
pub fn request(arguments: Vec<String>, given: &Given) -> Result<CheckRequest, Stop> {
    let macros = given.macros.iter().map(|(name, value)| (name.to_vec(), value.to_vec()));
    let mut request = CheckRequest { macros: macros.collect(), ..CheckRequest::default() };
    let mut config = given.config.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        match name {
            "--json" => request.form = Form::Json,
            "--sarif" => request.form = Form::Sarif,
            "--target" => {
                let text = value.or_else(|| arguments.next()).unwrap_or_default();
                let Some(target) = TargetRelease::parse(&text) else {
                    let message = format!("eximious: \"{text}\" is no release: --target exim-4.98");
                    return Err(Stop(message.into()));
                };
                request.target = Some(target);
            }
            _ if name.starts_with("-C") => {
                let attached = (argument.len() > 2).then(|| argument[2..].to_owned());
                let file = attached.or_else(|| arguments.next());
                config = Some(file.ok_or_else(|| Stop::abandoned(b"-C"))?);
            }
            _ if name.starts_with("-D") => {
                let attached = (argument.len() > 2).then(|| argument[2..].to_owned());
                let text = attached.or_else(|| arguments.next()).unwrap_or_default();
                let text = text.trim_start();
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                let name = name.trim();
                let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
                if !is_name || !Macros::is_definition(name.as_bytes()) {
                    let why = "macro name set by -D must start with an upper case letter";
                    return Err(Stop::exim(why));
                }
                request.macros.push((name.into(), value.trim_start().into()));
            }
            _ if name.starts_with('-') && name != "-" => {
                if let Some(colour) = Colour::of_argument(argument.as_bytes())? {
                    request.colour = colour;
                    continue;
                }
                let message = format!(
                    "eximious: check takes --json, --sarif, --target RELEASE, --color, -C FILE, \
                     -D NAME=TEXT and files, not \"{argument}\""
                );
                return Err(Stop(message.into()));
            }
            _ => request.files.push(argument),
        }
    }
    if request.files.is_empty() {
        let usual = || String::from_utf8_lossy(usual::FILES).into_owned();
        request.files.push(config.unwrap_or_else(usual));
    }
    Ok(request)
}

/// Checks the files; the exit status is 1 where there is an error.
pub fn run(request: &CheckRequest) -> ExitCode {
    let world = eximious_world::system();
    let engine = Engine::builder().build();
    let mut worst = None;
    let mut out = Vec::new();
    let mut values = Vec::new();
    for file in &request.files {
        let part = lints::parts::section(file.as_bytes());
        let config = match read(file, part, request, &engine, &world) {
            Ok(mut config) => {
                config.load_acl_files(&world, engine.registry());
                config
            }
            Err(why) => {
                let _ = io::stderr().write_all(&[&why.text()[..], b"\n"].concat());
                worst = Some(Severity::Error);
                continue;
            }
        };
        let mut findings = lints::check(&config, engine.registry(), &world, request.target);
        if part.is_some() {
            // What it needs of other files is not there.
            findings.retain(|finding| lints::parts::stands_by_itself(&config, finding));
        }
        worst = worst.into_iter().chain(findings.iter().map(|f| f.lint.severity)).min();
        match request.form {
            Form::Text => {
                out.extend_from_slice(text(&config, &findings, renderer(request)).as_bytes())
            }
            Form::Json => values.extend(findings.iter().map(|finding| object(&config, finding))),
            Form::Sarif => values.extend(findings.iter().map(|finding| result(&config, finding))),
        }
    }
    match request.form {
        Form::Text => {}
        Form::Json => out = format!("{:#}\n", Value::Array(values)).into_bytes(),
        Form::Sarif => out = format!("{:#}\n", sarif(values)).into_bytes(),
    }
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(&out);
    match worst {
        Some(Severity::Error) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Reads what is to be checked: the standard input, a file, or a part of a configuration in
/// its section.
fn read(
    file: &str,
    part: Option<&str>,
    request: &CheckRequest,
    engine: &Engine,
    world: &World,
) -> Result<Config, ConfigError> {
    let mut macros = Macros::new();
    request.macros.iter().for_each(|(name, value)| {
        macros.set(name, value);
    });
    // A part of a section is included by the section, which stands beside it.
    let (folder, base) = file.rsplit_once('/').unwrap_or((".", file));
    let name = part.map_or_else(|| file.to_owned(), |_| format!("{folder}/its section"));
    let text = match part {
        _ if file == "-" => {
            let mut text = Vec::new();
            let read = io::stdin().take(LARGEST).read_to_end(&mut text);
            read.map_err(|why| ConfigError::somewhere(format!("standard input: {why}")))?;
            Some(text)
        }
        Some(section) => Some(lints::parts::alone(section, base.as_bytes())),
        None => None,
    };
    if world
        .files
        .stat(file.as_bytes(), true)
        .is_ok_and(|found| found.mode & 0o170_000 == 0o040_000)
    {
        let why = "is a folder; name the files in it, or the configuration that is made of them";
        return Err(ConfigError::somewhere(format!("{file}: {why}")));
    }
    match text {
        Some(text) => {
            Ok(Config::read_text(name.as_bytes(), text, macros, world, engine.registry()))
        }
        None => Config::read_all(file.as_bytes(), macros, world, engine.registry()),
    }
}

/// What lays excerpts out, with colour or without.
fn renderer(request: &CheckRequest) -> Renderer {
    match request.colour.is_on() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    }
}

/// Excerpts of the source, and a line that counts.
fn text(config: &Config, findings: &[Finding], renderer: Renderer) -> String {
    let mut out = String::new();
    for finding in findings {
        let level = match finding.lint.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let place = locate(config, &finding.spot);
        let source = place.and_then(|place| {
            let file = config.sources.file(place.file)?;
            let line = config.sources.line(place)?;
            let columns = columns(config, finding, line);
            let line = String::from_utf8_lossy(line).into_owned();
            Some((String::from_utf8_lossy(&file.name).into_owned(), place, line, columns))
        });
        let title = level.primary_title(&finding.message).id(finding.lint.code);
        let mut group = match &source {
            None => title.element(Level::NOTE.message("about the configuration as a whole")),
            Some((name, place, line, (start, end))) => {
                let snippet = Snippet::source(line.as_str())
                    .line_start(place.line as usize)
                    .path(name.as_str())
                    .annotation(AnnotationKind::Primary.span(*start..*end));
                title.element(snippet)
            }
        };
        let inside = place.and_then(|place| place.inside).and_then(|number| {
            let (name, _) = config.macros.iter().nth(number as usize)?;
            Some(format!("in the text of the macro {}", String::from_utf8_lossy(name)))
        });
        if let Some(note) = &inside {
            group = group.element(Level::NOTE.message(note));
        }
        if let Some(help) = &finding.help {
            group = group.element(Level::HELP.message(help));
        }
        out += &renderer.render(&[group]);
        out += "\n\n";
    }
    let errors = findings.iter().filter(|f| f.lint.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    out += &format!("{}, {}\n", plural(errors, "error"), plural(warnings, "warning"));
    out
}

/// Where a finding begins and ends in its line as it is shown, in bytes, at
/// boundaries of characters.
fn columns(config: &Config, finding: &Finding, line: &[u8]) -> (usize, usize) {
    // What is no UTF-8 is shown by a sign of another length.
    let shown = |at: usize| String::from_utf8_lossy(&line[..at.min(line.len())]).len();
    let (start, end) = match &finding.spot {
        Spot::Line(number, span) => {
            let logical = &config.lines[*number];
            let (from, to) = (logical.place(span.start as usize), logical.place(span.end as usize));
            let start = from.column as usize;
            let same = to.line == from.line && to.file == from.file && to.inside == from.inside;
            let length = span.end.saturating_sub(span.start) as usize;
            let end = match from.inside {
                // The place is that of the macro's name.
                Some(number) => {
                    let name =
                        config.macros.iter().nth(number as usize).map_or(0, |(n, _)| n.len());
                    start + name
                }
                None if same => start + length,
                None => line.len(),
            };
            (start, end)
        }
        _ => (line.len() - line.trim_ascii_start().len(), line.len()),
    };
    let text = String::from_utf8_lossy(line);
    let start = text.floor_char_boundary(shown(start));
    let end = text.floor_char_boundary(shown(end));
    (start, end.max(start))
}

/// A finding as JSON: lines and columns count from 1, columns in bytes of the
/// file, which need not be UTF-8.
fn object(config: &Config, finding: &Finding) -> Value {
    let mut value = json!({
        "code": finding.lint.code,
        "name": finding.lint.name,
        "severity": finding.lint.severity.name(),
        "message": finding.message,
    });
    if let Some(place) = locate(config, &finding.spot) {
        let name = config.sources.file(place.file).map(|file| String::from_utf8_lossy(&file.name));
        value["file"] = json!(name);
        value["line"] = json!(place.line);
        value["column"] = json!(place.column + 1);
    }
    if let Some(help) = &finding.help {
        value["help"] = json!(help);
    }
    value
}

/// A finding as a result of SARIF 2.1.0.
fn result(config: &Config, finding: &Finding) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}: {help}", finding.message),
        None => finding.message.clone(),
    };
    let rule = lints::lints().iter().position(|lint| lint.code == finding.lint.code);
    let mut value = json!({
        "ruleId": finding.lint.code,
        "ruleIndex": rule,
        "level": finding.lint.severity.name(),
        "message": { "text": message },
    });
    // What is about the configuration as a whole belongs to its first file.
    let place = locate(config, &finding.spot);
    let file = config.sources.file(place.map_or(0, |place| place.file));
    if let Some(file) = file {
        let mut physical = json!({ "artifactLocation": { "uri": address_of(&file.name) } });
        if let Some(place) = place {
            let line = config.sources.line(place).unwrap_or_default();
            let (start, end) = columns(config, finding, line);
            let line = String::from_utf8_lossy(line);
            // Characters are counted, not bytes.
            let column = |at: usize| line.get(..at).map_or(at, |text| text.chars().count()) + 1;
            physical["region"] = json!({
                "startLine": place.line,
                "startColumn": column(start),
                "endColumn": column(end),
            });
        }
        value["locations"] = json!([{ "physicalLocation": physical }]);
    }
    value
}

/// A log of SARIF 2.1.0 with one run.
fn sarif(results: Vec<Value>) -> Value {
    let rules: Vec<Value> = lints::lints()
        .iter()
        .map(|lint| {
            json!({
                "id": lint.code,
                "name": lint.name,
                "shortDescription": { "text": lint.summary },
                "fullDescription": { "text": lint.docs },
                "defaultConfiguration": { "level": lint.severity.name() },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "eximious",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eximious::world::Fixture;

    #[test]
    fn columns_of_sarif_are_characters() {
        let text = b"smtp_banner = \xc3\xa4 ${foo:x} \xff ${bar:y}\n";
        let world = Fixture::new().file("/c d", text).world();
        let registry = eximious::registry();
        let config = Config::read_all(b"/c d", Macros::new(), &world, &registry).expect("a file");
        let findings = lints::check(&config, &registry, &world, None);
        let at = |finding: &Finding| {
            let result = result(&config, finding);
            let place = &result["locations"][0]["physicalLocation"];
            let region = &place["region"];
            assert_eq!(place["artifactLocation"]["uri"], "file:///c%20d");
            assert_eq!(result["ruleIndex"], json!(2));
            (region["startColumn"].as_u64(), region["endColumn"].as_u64())
        };
        let places: Vec<_> = findings.iter().map(at).collect();
        assert_eq!(places, [(Some(17), Some(25)), (Some(28), Some(36))]);
        let bytes: Vec<_> = findings.iter().map(|f| object(&config, f)["column"].clone()).collect();
        assert_eq!(bytes, [json!(18), json!(29)]);
    }

    #[test]
    fn a_log_of_sarif_has_what_must_be_there() {
        let log = sarif(Vec::new());
        let run = &log["runs"][0];
        assert_eq!(
            (&log["version"], &run["tool"]["driver"]["name"]),
            (&json!("2.1.0"), &json!("eximious"))
        );
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        assert!(rules.len() == lints::lints().len() && run["results"].is_array());
    }
}
