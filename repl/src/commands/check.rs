//! `eximious check`: what is wrong, or looks wrong, in configurations.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use clap::{Arg, ArgMatches, Command};
use eximious::check::{self as lints, Finding, Severity, Spot, TargetRelease, locate};
use eximious::config::Config;
use eximious::{ConfigError, Engine, Macros, World};
use eximious_workbench::lsp::address_of;
use serde_json::{Value, json};

use super::{flag, option};
use crate::colour::Colour;
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::Setup;
use crate::usual;

/// What to check, and how to say it.
struct Checked {
    files: Vec<String>,
    macros: Macros,
    form: Form,
    colour: Colour,
    target: Option<TargetRelease>,
}

/// How much of the standard input is read.
const LARGEST: u64 = 64 << 20;
/// How much of a message is shown: it may quote a whole line.
const MOST_OF_MESSAGE: usize = 1000;
/// How many excerpts of a line are shown, each of which has all of it.
const MOST_OF_LINE: usize = 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Form {
    #[default]
    Text,
    Json,
    Sarif,
}

/// Its options.
pub fn command() -> Command {
    let line = |lint: &&lints::Lint| format!("  {}  {}\n", lint.code, lint.summary);
    let codes: String = lints::lints().iter().map(line).collect();
    Command::new("check")
        .about("what is wrong, or looks wrong, in a configuration")
        .long_about(
            "Reads each configuration and says what is wrong with it, or looks wrong, with the \
             place. A file of Debian's conf.d is read as a part of its section. The exit status \
             is 1 where there is an error or a file can't be read, and 0 otherwise, with or \
             without warnings.",
        )
        .arg(Arg::new("files").value_name("FILE").num_args(0..).help(
            "What is read; by default what -C names, or what Exim would read. - is the standard \
             input",
        ))
        .arg(flag(
            "json",
            "An array of objects: code, name, severity, message, file, line, \
             column, help. Lines and columns count from 1, and columns count bytes",
        ))
        .arg(
            flag("sarif", "A log of SARIF 2.1.0; its columns count characters")
                .conflicts_with("json"),
        )
        .arg(
            option(
                "target",
                "RELEASE",
                "What that release does not know, or treats otherwise: \
             exim-4.98. By default the newest counts. A comment at the head of the file says \
             the same: # eximious: target exim-4.98",
            )
            .value_parser(release),
        )
        .arg(Colour::argument())
        .after_help(format!(
            "A comment above a line silences codes there, if a reason follows:\n  \
             # eximious: allow W205 the other server has it\n\n\
             These are looked for; eximious help CODE has the page of each:\n\n{codes}"
        ))
}

fn release(text: &str) -> Result<TargetRelease, String> {
    TargetRelease::parse(text)
        .filter(|release| release.is_known())
        .ok_or_else(|| "it is no release, such as exim-4.98".to_owned())
}

/// Checks the files; the exit status is 1 where there is an error.
///
/// # Errors
/// What is found can't be written.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    let mut files: Vec<String> = matches.get_many("files").into_iter().flatten().cloned().collect();
    if files.is_empty() {
        let usual = || usual::FILES.to_vec();
        let named = setup.config.unwrap_or_else(usual);
        files.push(String::from_utf8_lossy(&named).into_owned());
    }
    let request = &Checked {
        files,
        macros: setup.macros,
        form: match () {
            () if matches.get_flag("json") => Form::Json,
            () if matches.get_flag("sarif") => Form::Sarif,
            () => Form::Text,
        },
        colour: Colour::of(matches),
        target: matches.get_one("target").copied(),
    };
    let world = eximious_world::system();
    let engine = Engine::builder().build();
    let mut worst = None;
    let mut out = Vec::new();
    let mut values = Vec::new();
    let progress = Progress::of("checking");
    for file in &request.files {
        progress.say(|| format!("checking {file}"));
        // Where it stands says what it is, however it is named.
        let whole = std::path::absolute(file).unwrap_or_else(|_| file.into());
        let part = lints::parts::section(whole.as_os_str().as_encoded_bytes());
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
        if lints::parts::is_template(file.as_bytes()) {
            findings.retain(lints::parts::outlasts_filling);
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
    drop(progress);
    match request.form {
        Form::Text => {}
        Form::Json => out = format!("{:#}\n", Value::Array(values)).into_bytes(),
        Form::Sarif => out = format!("{:#}\n", sarif(values)).into_bytes(),
    }
    super::written(&out)?;
    Ok(match worst {
        Some(Severity::Error) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// Reads what is to be checked: the standard input, a file, or a part of a configuration in
/// its section.
fn read(
    file: &str,
    part: Option<&str>,
    request: &Checked,
    engine: &Engine,
    world: &World,
) -> Result<Config, ConfigError> {
    let macros = request.macros.clone();
    // A part of a section is included by the section, which stands beside it.
    let (folder, base) = file.rsplit_once('/').unwrap_or((".", file));
    let name = part.map_or_else(|| file.to_owned(), |_| format!("{folder}/its section"));
    let text = match part {
        _ if file == "-" => {
            let mut text = Vec::new();
            let read = io::stdin().take(LARGEST).read_to_end(&mut text);
            read.map_err(|why| ConfigError::somewhere(format!("standard input: {why}")))?;
            may_be(b"standard input", &text)?;
            Some(text)
        }
        Some(section) => {
            // Where it can't be read, that is said when it is opened.
            let own = world.files.read(file.as_bytes(), LARGEST).unwrap_or_default();
            may_be(file.as_bytes(), &own)?;
            let section = if lints::parts::begins(&own, section) { "" } else { section };
            Some(lints::parts::alone(section, base.as_bytes()))
        }
        None => None,
    };
    if world.files.stat(file.as_bytes(), true).is_ok_and(|found| found.is_directory()) {
        let why = "is a folder; name the files in it, or the configuration that is made of them";
        return Err(ConfigError::somewhere(format!("{file}: {why}")));
    }
    let config = match text {
        Some(text) => Config::read_text(name.as_bytes(), text, macros, world, engine.registry()),
        None => Config::read_all(file.as_bytes(), macros, world, engine.registry())?,
    };
    config.sources.files().iter().try_for_each(|file| may_be(&file.name, &file.text))?;
    Ok(config)
}

/// Fails where a text can be no configuration.
fn may_be(name: &[u8], text: &[u8]) -> Result<(), ConfigError> {
    super::not_written(text).map_or(Ok(()), |why| {
        let name = String::from_utf8_lossy(name);
        Err(ConfigError::somewhere(format!("{name}: {why}")))
    })
}

/// What lays excerpts out, with colour or without.
fn renderer(request: &Checked) -> Renderer {
    match request.colour.is_on() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    }
}

/// Excerpts of the source, and a line that counts.
fn text(config: &Config, findings: &[Finding], renderer: Renderer) -> String {
    let mut out = String::new();
    let mut at = None;
    let mut of_line = 0;
    for finding in findings {
        // They come in the order of their places.
        let here = locate(config, &finding.spot).map(|place| (place.file, place.line));
        of_line = if here.is_some() && here == at { of_line + 1 } else { 1 };
        at = here;
        if of_line > MOST_OF_LINE {
            continue;
        }
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
        let message = super::shortened(&finding.message, MOST_OF_MESSAGE);
        let title = level.primary_title(&*message).id(finding.lint.code);
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
        if of_line == MOST_OF_LINE {
            group = group.element(Level::NOTE.message("more of this line is not shown"));
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
