//! `eximious help`, and `help` at the prompt.

mod events;
mod headers;
mod lists;

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use eximious::check;
use eximious::debugging::DebugSelector;
use eximious::{DriverDef, Engine, OptionPlace, Registry};
use eximious_workbench::pages::{grammar, values, wrap};

use super::{flag, manual, option};
use crate::refusal::Refusal;
use crate::session::Setup;
use crate::words::{self, Word};
use crate::{commands, finish, switches};

/// How to get started, from a shell.
const START: &str = "\
eximious reads Exim's configuration, expands its strings and takes mail, as Exim does.

  eximious -be '${uc:hello}'    expand arguments, one after the other
  eximious -be < FILE           expand lines; also from a pipe
  eximious                      a prompt that completes names (Tab) and explains
  eximious -C FILE -be …        the same with the options of a configuration
  eximious -bem FILE …          the same with a message: $h_subject:, $message_size
  eximious -DNAME=text -be …    the same with a macro
  eximious -oMa 192.0.2.1 …     the same with $sender_host_address; -f for the sender
  eximious -C FILE -bP [NAME…]  what a configuration says
  eximious -C FILE -bt ADDRESS  where an address goes; -bh HOST: an SMTP session
  eximious -bV                  the version, and what this build knows

";

/// What follows the commands.
const START_END: &str = "
eximious help COMMAND has the page of each, help NAME that of any word of the language
(help extract, help $pid, help .ifdef, help E110), help switches all switches of Exim;
help --man, help --completions bash.

Called by a name that does not begin with eximious, such as exim or sendmail, it is
Exim, and words are recipients; mailq, newaliases, rmail, rsmtp and runq are special,
as there. Called as exim_dumpdb or exim_tidydb, it shows or tidies its own hints, as
those do Exim's.
";

/// How to get started, from a shell, with all commands.
pub fn start() -> String {
    let mut text = START.to_owned();
    for (name, does) in commands::names() {
        let _ = writeln!(text, "  eximious {name:<8} {does}");
    }
    text + START_END
}

/// Its options.
pub fn command() -> Command {
    Command::new("help")
        .about("pages: of a command, a word of the language, a code of check, switches")
        .long_about("Shows pages; without a name, how to begin.")
        .arg(
            Arg::new("names")
                .value_name("NAME")
                .num_args(0..)
                .allow_hyphen_values(true)
                .help("A command, a word of the language or of configurations, a code of check, a switch; commands, codes, drivers, variables, conditions and the like: all of them; switches: those of Exim"),
        )
        .arg(flag("man", "Writes the page of the manual, for man -l"))
        .arg(option("completions", "SHELL", "Writes what completes words in a shell: bash, zsh or fish"))
}

/// Shows pages.
///
/// # Errors
/// None.
pub fn run(matches: &ArgMatches, _: Setup) -> Result<ExitCode, Refusal> {
    let names = matches.get_many::<String>("names").into_iter().flatten();
    let names: Vec<&str> = names.map(String::as_str).collect();
    let engine = Engine::builder().build();
    let text = match matches.get_one::<String>("completions") {
        Some(shell) => manual::completions(shell).ok_or_else(|| {
            format!("there are completions for bash, zsh and fish, not for \"{shell}\"")
        }),
        None if matches.get_flag("man") => Ok(manual::page()),
        None if names.is_empty() => Ok(start()),
        // Some names have a blank in them: main options.
        None => pages(engine.registry(), &names.join(" "))
            .or_else(|_| pages_of_words(engine.registry(), &names)),
    };
    Ok(finish(text))
}

/// The pages of a name; an error says what could have been meant.
pub fn pages(registry: &Registry, name: &str) -> Result<String, String> {
    if let Some(lint) =
        check::lints().iter().find(|lint| lint.code.eq_ignore_ascii_case(name) || lint.name == name)
    {
        return Ok(lint_page(lint));
    }
    match name {
        "switches" => return Ok(switches::page()),
        name if let Some(page) = commands::page(name, &[]) => return Ok(page),
        _ => {}
    }
    if let Some(page) = headers::page_of_variable(name) {
        return Ok(page);
    }
    let mut pages: Vec<String> = words::named(registry, name).iter().map(page).collect();
    pages.extend(
        registry
            .all_drivers()
            .filter(|own| own.meta.name == name)
            .map(|own| driver_page(registry, own)),
    );
    pages.extend(grammar::pages(name));
    pages.extend(events::page(name));
    pages.extend(lists::page(registry, name));
    pages.extend(values::pages(name));
    pages.extend(switches::about(name));
    if pages.is_empty() || name == headers::ALL {
        pages.extend(headers::page(name));
    }
    if name == "-d" {
        pages.push(selectors());
    }
    if pages.is_empty() {
        pages.extend(values::macro_page(registry, &eximious_world::system(), name));
    }
    if pages.is_empty() {
        return Err(unknown(registry, name));
    }
    Ok(pages.join("\n"))
}

/// The pages of what was typed in one line: of a name with blanks in it, or of several.
///
/// # Errors
/// One of them is not known.
pub fn pages_of_line(registry: &Registry, line: &str) -> Result<String, String> {
    match pages(registry, line) {
        Err(_) if line.contains(' ') => {
            pages_of_words(registry, &line.split_whitespace().collect::<Vec<_>>())
        }
        pages => pages,
    }
}

/// The pages of several names, where a command may be followed by a part of it.
fn pages_of_words(registry: &Registry, names: &[&str]) -> Result<String, String> {
    let mut found = Vec::new();
    let mut left = names;
    while let [name, rest @ ..] = left {
        left = rest;
        let of_part = rest.first().and_then(|part| commands::page_of_part(name, part));
        if of_part.is_some() {
            left = &rest[1..];
        }
        found.push(of_part.map_or_else(|| pages(registry, name), Ok)?);
    }
    Ok(found.join("\n"))
}

/// All names that have pages, for shells that complete them.
pub fn names(registry: &Registry) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = of_records(registry)
        .chain(check::lints().iter().map(|lint| lint.code))
        .chain(["switches"])
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The list of all that there is of a kind.
pub fn list(registry: &Registry, name: &str) -> Option<String> {
    lists::page(registry, name)
}

/// The names of what is no command, no switch and no code.
fn of_records(registry: &Registry) -> impl Iterator<Item = &'static str> {
    words::all(registry)
        .into_iter()
        .flat_map(|word| std::iter::once(word.meta.name).chain(word.meta.aliases.iter().copied()))
        .chain(registry.all_drivers().map(|driver| driver.meta.name))
        .chain(grammar::names())
        .chain(events::names())
        .chain(lists::names())
        .chain(values::names())
        .chain(headers::names())
}

/// What `-d` may name.
fn selectors() -> String {
    let mut text = String::from("SELECTORS are names, each with + or - before it:\n\n");
    for one in DebugSelector::names() {
        wrap(&format!("{}: {}", one.name, one.tells), &mut text);
    }
    text
}

/// The page of a driver.
fn driver_page(registry: &Registry, driver: &DriverDef) -> String {
    let mut text = format!("{} ({} driver)\n\n", driver.meta.name, driver.kind.name());
    for part in [driver.meta.summary, driver.meta.docs].iter().filter(|part| !part.is_empty()) {
        wrap(part, &mut text);
        text.push('\n');
    }
    let place = OptionPlace::Driver(driver.kind, driver.meta.name);
    let mut options = registry.options_of(place).peekable();
    if options.peek().is_some() {
        text += "  Options of its own:\n";
        for option in options {
            let _ = writeln!(text, "    {:<28} {}", option.meta.name, option.meta.summary);
        }
        text.push('\n');
    }
    let _ = writeln!(text, "  Source:  specification {}", driver.meta.source);
    text
}

/// The page of a lint.
fn lint_page(lint: &check::Lint) -> String {
    let mut text = format!("{} {} ({})\n\n", lint.code, lint.name, lint.severity.name());
    for part in [lint.summary, lint.docs] {
        wrap(part, &mut text);
        text.push('\n');
    }
    for (title, example) in [("It fires on", lint.bad), ("It does not fire on", lint.good)] {
        let lines: String = example.lines().map(|line| format!("    {line}\n")).collect();
        let _ = writeln!(text, "{title}:\n{lines}");
    }
    text += "A comment above a line allows it there:\n";
    let _ = writeln!(text, "    # eximious: allow {} <reason>", lint.code);
    text
}

fn unknown(registry: &Registry, name: &str) -> String {
    let bare = name.trim_start_matches(['$', '{']).trim_end_matches([':', '{', '}']);
    let commands: Vec<String> = commands::names().map(|(name, _)| name).collect();
    let records: Vec<&str> = of_records(registry).collect();
    let names = commands.iter().map(String::as_str).chain(records);
    let near = check::nearest(bare, names);
    if near.is_empty() {
        format!("nothing is called \"{name}\"; \"eximious list\" shows all names")
    } else {
        format!("nothing is called \"{name}\": did you mean {}?", near.join(" or "))
    }
}

/// The page of a record.
fn page(word: &Word) -> String {
    let meta = word.meta;
    let mut text = match word.driver() {
        Some(driver) => format!("{} ({} of {driver})\n", meta.name, word.kind.name()),
        None => format!("{} ({})\n", meta.name, word.kind.name()),
    };
    if !meta.syntax.is_empty() {
        let _ = writeln!(text, "  {}", meta.syntax);
    }
    if !meta.aliases.is_empty() {
        let _ = writeln!(text, "  also: {}", meta.aliases.join(", "));
    }
    for part in [meta.summary, meta.docs] {
        if !part.is_empty() {
            text.push('\n');
            wrap(part, &mut text);
        }
    }
    if !meta.examples.is_empty() {
        text.push('\n');
        for example in meta.examples {
            let _ = writeln!(text, "  > {}", example.input);
            for line in example.output.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text.push('\n');
    for (label, value) in word.facts() {
        let _ = writeln!(text, "  {:<8} {value}", format!("{label}:"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each name of the language, and of what it is one; where the name stands in its line.
    const NAMES: [(&str, usize); 6] = [
        (include_str!("../../../tests/language/acl.tsv"), 1),
        (include_str!("../../../tests/language/expansion.tsv"), 1),
        (include_str!("../../../tests/language/lookups.tsv"), 0),
        (include_str!("../../../tests/language/options.tsv"), 1),
        (include_str!("../../../tests/language/other.tsv"), 1),
        (include_str!("../../../tests/language/variables.tsv"), 0),
    ];

    /// What no release has that can be asked: an event of which no document tells, and
    /// switches that the packaged Exim refuses.
    const NONE: [&str; 3] = ["smtp:esmtp", "-dS", "-Tqt"];

    #[test]
    fn each_name_of_the_language_has_a_page() {
        let registry = eximious::registry();
        let mut without = Vec::new();
        for (text, column) in NAMES {
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let Some(name) = line.split('\t').nth(column) else { continue };
                // Several in one, or with what is said of them.
                let is_name = !name.contains(['…', '(', '"', ' ']);
                if is_name && !NONE.contains(&name) && pages(&registry, name).is_err() {
                    without.push(name);
                }
            }
        }
        assert_eq!(without, [""; 0]);
    }
}
