//! `eximious help`, and `help` at the prompt.

use std::fmt::Write;

use eximious::check;
use eximious::debugging::DebugSelector;
use eximious::hints;
use eximious::{DriverDef, OptionPlace, Registry};

use crate::switches;
use crate::words::{self, Word};
use crate::workbench;

/// How wide a page is.
const WIDTH: usize = 78;

/// How to get started, from a shell.
pub const START: &str = "\
eximious reads Exim's configuration, expands its strings and takes mail, as Exim does.

  eximious -be '${uc:hello}'    expand arguments, one after the other
  eximious -be < FILE           expand lines; also from a pipe
  eximious                      a prompt that completes names (Tab) and explains
  eximious -C FILE -be …        the same with the options of a configuration
  eximious -bem FILE …          the same with a message: $h_subject:, $message_size
  eximious -DNAME=text -be …    the same with a macro
  eximious -oMa 192.0.2.1 …     the same with $sender_host_address; -f for the sender

  eximious list [--json] [KIND]   every item, operator, condition, variable, lookup, option
  eximious help NAME              the page of one of them: help extract, help $pid
  eximious check [FILE…]          what is wrong in a configuration; help check, help E110
  eximious fmt [FILE…]            lay configurations out; --check and --diff only look
  eximious lsp                    the server for editors; help lsp
  eximious -C FILE -bP [NAME…]    what a configuration says
  eximious -C FILE -bt ADDRESS    where an address goes; -bh HOST: an SMTP session
  eximious -bV                    the version, and what this build knows
  eximious help switches          all switches; help --man, help --completions bash

Called as exim, exim4, sendmail, mailq, newaliases, rmail, rsmtp or runq, it is
Exim, and words are recipients.
";

/// The head of the same, at the prompt.
const PROMPT: &str = "\
Type a string, and see what it expands to:  ${uc:hello}  ${if eq{a}{b}{yes}{no}}
  set acl_m_x = text      give a variable a value (set,t: as if from outside)
  NAME = text             define a macro: a line that begins with a capital letter
  a line ending in \\      goes on in the next, as does one with an open brace,
                          until an empty line
  help NAME               the page of a word: help extract, help $sender_address

";

/// The end of it.
const PROMPT_END: &str = "
Tab completes names. A line that begins with \"help \" or a colon is never expanded:
put a space before it where it should be. While a run is held up, an expression sees
its values, and an empty line does the last step once more.
";

/// What `repl` takes.
const REPL: &str = "\
eximious [-C FILE] [-D NAME=TEXT] repl [--message FILE] [--session FILE] [--script FILE] [TEXT…]

A prompt to try expressions, ACLs and routers of a configuration, with a debugger.
With texts, they are expanded instead. What is piped to it is shown with what comes
of it, as is a script.

  --message FILE   begins with a message, as :message does
  --session FILE   begins with lines that :save has kept
  --script FILE    carries out the lines of a file, and leaves

";

/// What can be typed at the prompt.
pub fn prompt() -> String {
    format!("{PROMPT}{}{PROMPT_END}", crate::prompt::commands())
}

/// What `fmt` takes and gives.
const FMT: &str = "\
eximious fmt [--check | --diff] [--color[=WHEN]] [FILE…]

Lays configurations out: the files are changed, the standard input (or -) goes
to the standard output. Macros, conditions, inclusions and comments stay.

  --check   only says which files would change; the exit status is 1 then
  --diff    only shows what would change
  --color   in colour: auto (at a terminal, unless NO_COLOR is set), always or never
";

/// What `check` takes and gives.
const CHECK: &str = "\
eximious [-C FILE] [-D NAME=TEXT] check [--json | --sarif] [--color[=WHEN]] [--target RELEASE] [FILE…]

Reads each configuration and says what is wrong with it, or looks wrong, with
the place. Without a file it is the one that -C names, or that Exim would read;
- is the standard input. A file of Debian's conf.d is read as a part of its
section.

  -C FILE, -D NAME=TEXT, as for Exim; they may stand behind check, too

  --target exim-4.98   what that release does not know, or treats otherwise; by
                       default the newest counts. A comment at the head of the
                       file says the same: # eximious: target exim-4.98
  --color              in colour: auto (at a terminal, unless NO_COLOR is set),
                       always or never
  --json               an array of objects: code, name, severity, message, file,
                       line, column, help. Lines and columns count from 1, and
                       columns count bytes, as files need not be UTF-8.
  --sarif              a log of SARIF 2.1.0; its columns count characters.

A comment above a line silences a code there, if a reason follows:
  # eximious: allow W205 the other server has it

The exit status is 1 where there is an error or a file can't be read, and 0
otherwise, with or without warnings.

These are looked for; eximious help CODE has the page of each:

";

/// What `hints` takes and gives.
const HINTS: &str = "\
eximious [-C FILE] hints
eximious [-C FILE] hints dump [-z] [-k] NAME
eximious [-C FILE] hints tidy [-t TIME] [NAME…]
eximious [-C FILE] hints get NAME KEY
eximious [-C FILE] hints set NAME KEY FIELD VALUE
eximious [-C FILE] hints delete NAME KEY

Shows, tidies and changes what is remembered from one message to the next, as
exim_dumpdb, exim_tidydb and exim_fixdb do for Exim. Without anything it says
which databases there are: retry, callout, ratelimit, seen, misc. It is for
admin users.

  dump    shows all records: -z with times in UTC, -k their keys alone
  tidy    removes records that are older than TIME (30d by default), and times for
          retrying of messages that are gone; of all databases, or of those named
  set     gives a field another value. A time is in seconds since 1970, or now,
          now+1h30m, now-7d. These are the fields:

";

/// What `tlsrpt` takes and gives.
const TLSRPT: &str = "\
eximious [-C FILE] tlsrpt [--day YYYY-MM-DD]
eximious [-C FILE] tlsrpt [--day YYYY-MM-DD] [--organization NAME]
                          [--contact WHO] DOMAIN

What came of TLS with the hosts of domains, as the smtp transport's option
tlsrpt_domains has it noted: yesterday in UTC, or on another day. Without a
domain it says of which domains there is something, and where they want to be
told of it (the record _smtp._tls.DOMAIN; - where they don't). With one it
writes the report for it (JSON, RFC 8460); nothing is sent. It is for admin
users.
";

fn hints_page() -> String {
    let fields = |space: &str| {
        format!("          {space}: {}\n", hints::fields(space.as_bytes()).join(", "))
    };
    HINTS.to_owned() + &["retry", "callout", "ratelimit"].map(fields).concat()
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
        "help" => return Ok(START.to_owned()),
        "fmt" => return Ok(FMT.to_owned()),
        "hints" => return Ok(hints_page()),
        "tlsrpt" => return Ok(TLSRPT.to_owned()),
        "list" => return Ok(list_page()),
        "repl" => return Ok(format!("{REPL}{}", prompt())),
        "drivers" => return Ok(drivers(registry)),
        name if let Some(page) = workbench::page(name) => return Ok(page),
        "--man" => return Ok(switches::manual()),
        _ => {}
    }
    if name == "check" {
        let line = |lint: &&check::Lint| format!("  {}  {}\n", lint.code, lint.summary);
        return Ok(check::lints()
            .iter()
            .map(line)
            .fold(CHECK.to_owned(), |page, line| page + &line));
    }
    let mut pages: Vec<String> = words::named(registry, name).iter().map(page).collect();
    pages.extend(
        registry
            .all_drivers()
            .filter(|own| own.meta.name == name)
            .map(|own| driver_page(registry, own)),
    );
    pages.extend(switches::about(name));
    if name == "-d" {
        pages.push(selectors());
    }
    if pages.is_empty() {
        return Err(unknown(registry, name));
    }
    Ok(pages.join("\n"))
}

/// What can be listed.
fn list_page() -> String {
    let kinds: Vec<String> = words::Kind::all().map(|kind| kind.names()).collect();
    let mut text = String::from(
        "eximious list [--json] [KIND]\n\nLists all words, or those of a kind: options, acl, or\n",
    );
    kinds.iter().for_each(|kind| text += &format!("  {}\n", kind.replace(' ', "-")));
    text
}

/// What `-d` may name.
fn selectors() -> String {
    let mut text = String::from("SELECTORS are names, each with + or - before it:\n\n");
    for one in DebugSelector::names() {
        wrap(&format!("{}: {}", one.name, one.tells), &mut text);
    }
    text
}

/// All drivers, a line for each.
fn drivers(registry: &Registry) -> String {
    let line = |driver: &DriverDef| {
        let (kind, name) = (driver.kind.name(), driver.meta.name);
        format!("{kind:<13} {name:<12} {}\n", driver.meta.summary)
    };
    registry.all_drivers().map(line).collect()
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
    let all = words::all(registry);
    let names = all
        .iter()
        .flat_map(|word| std::iter::once(word.meta.name).chain(word.meta.aliases.iter().copied()));
    let bare = name.trim_start_matches(['$', '{']).trim_end_matches([':', '{', '}']);
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

/// Adds paragraphs, with lines of a fair length; lines that are indented stay
/// as they are.
fn wrap(text: &str, out: &mut String) {
    for (index, paragraph) in text.trim_end().split("\n\n").enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if paragraph.starts_with([' ', '\t']) {
            for line in paragraph.lines() {
                let _ = writeln!(out, "  {line}");
            }
            continue;
        }
        let mut line = String::from(" ");
        for word in paragraph.split_whitespace() {
            if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(out, "{line}");
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped() {
        let mut out = String::new();
        wrap(&format!("{}\n\n  kept  as it is\n\nend", "word ".repeat(20)), &mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{out}");
        assert_eq!(lines[lines.len() - 3..], ["    kept  as it is", "", "  end"][..], "{out}");
    }
}
