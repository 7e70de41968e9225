//! The page of the manual, and what completes words in shells: made of the records of
//! commands and switches.

use std::fmt::Write;

use clap::{Arg, Command};
use eximious::OptionPlace;

use super::{help, hints, list};
use crate::switches::{self, GROUPS};

/// The page of the manual, for `man -l`.
pub fn page() -> String {
    let mut out = format!(
        ".TH EXIMIOUS 8 \"\" \"eximious {}\"\n.SH NAME\neximious \\- Exim's language and \
         configuration\n.SH SYNOPSIS\n.B eximious\n[switches] [command] [arguments]\n\
         .SH DESCRIPTION\nSwitches are those of Exim. Called by a name that does not begin \
         with eximious, such as exim or sendmail, the program is as Exim is under that name, and \
         knows no commands; mailq, newaliases, rmail, rsmtp and runq are special, as there. Called as exim_dumpdb or exim_tidydb, it shows or tidies its own hints, as \
         those do Exim's.\n.SH COMMANDS\n",
        env!("CARGO_PKG_VERSION")
    );
    for command in super::all() {
        section(&mut out, command);
    }
    for (group, switches) in GROUPS {
        let _ = writeln!(out, ".SH {}", group.to_uppercase());
        for switch in *switches {
            let _ = write!(out, ".TP\n.B {}\n{}\n", roff(switch.names), roff(switch.does));
        }
    }
    out + ".SH SEE ALSO\neximious help\n"
}

/// A text as roff has it: no character of it is a command.
fn roff(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) {
            out += "\\&";
        }
        out += &line;
        out.push('\n');
    }
    out.pop();
    out
}

/// A command: how it is called, what it does, and its options.
fn section(out: &mut String, mut command: Command) {
    command.build();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = writeln!(out, ".SS {}", roff(command.get_name()));
    for line in usage.lines() {
        let _ = write!(out, ".B {}\n.br\n", roff(line.trim()));
    }
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(text) = about {
        let _ = writeln!(out, "{}", roff(&text.to_string()).replace("\n\n", "\n.PP\n"));
    }
    let subcommands: Vec<Command> = command.get_subcommands().cloned().collect();
    for argument in arguments(&command) {
        item(out, argument);
    }
    for mut part in subcommands {
        let usage = part.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        let does = part.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(out, ".TP\n.B {}\n{}\n.RS\n", roff(usage), roff(&does));
        for argument in arguments(&part).filter(|argument| !argument.is_global_set()) {
            item(out, argument);
        }
        out.push_str(".RE\n");
        after(out, &part);
    }
    after(out, &command);
}

/// What stands at the end of a page, as it is.
fn after(out: &mut String, command: &Command) {
    if let Some(text) = command.get_after_help() {
        let _ = write!(out, ".PP\n.nf\n{}\n.fi\n", roff(&text.to_string()));
    }
}

/// What a command takes, other than what every command has.
fn arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    let shown = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    command.get_arguments().filter(shown)
}

/// An option, with what it takes and does.
fn item(out: &mut String, argument: &Arg) {
    let does = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = write!(out, ".TP\n.B {}\n{}\n", roff(&argument.to_string()), roff(&does));
}

/// The names of the options of a command, with what each does.
fn options(command: &Command) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for argument in arguments(command) {
        let does = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let long = argument.get_long().map(|name| format!("--{name}"));
        let short = argument.get_short().map(|name| format!("-{name}"));
        all.extend(long.or(short).map(|name| (name, does)));
    }
    for part in command.get_subcommands() {
        let does = part.get_about().map(ToString::to_string).unwrap_or_default();
        all.push((part.get_name().to_owned(), does));
    }
    all
}

/// What may stand behind the name of a command, other than its options.
fn operands(command: &Command) -> Vec<String> {
    match command.get_name() {
        "help" => {
            let registry = eximious::registry();
            let names = help::names(&registry).into_iter().map(str::to_owned);
            // Shells read others as something else.
            let is_word = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
            let names = names.filter(|name| name.bytes().all(is_word));
            super::names().map(|(name, _)| name).chain(names).collect()
        }
        "hints" => hints::words(),
        "list" => list::kinds(),
        _ => Vec::new(),
    }
}

/// What `-bP` may name.
fn printed() -> Vec<String> {
    const KINDS: [&str; 11] = [
        "all",
        "authenticator_list",
        "authenticators",
        "config",
        "environment",
        "macro_list",
        "macros",
        "router_list",
        "routers",
        "transport_list",
        "transports",
    ];
    let registry = eximious::registry();
    let options = registry.options_of(OptionPlace::Main).map(|option| option.meta.name);
    KINDS.into_iter().chain(options).map(str::to_owned).collect()
}

/// What completes the program's words in a shell: `bash`, `zsh`, `fish`.
pub fn completions(shell: &str) -> Option<String> {
    let commands: Vec<Command> = super::all().collect();
    let names: Vec<&str> = commands.iter().map(Command::get_name).collect();
    let switches: Vec<&str> = switches::names().collect();
    let first = format!("{} {}", names.join(" "), switches.join(" "));
    let of = |command: &Command| {
        let options = options(command).into_iter().map(|(name, _)| name);
        options.chain(operands(command)).collect::<Vec<String>>().join(" ")
    };
    let printed = printed().join(" ");
    match shell {
        "bash" => {
            let cases: String = commands
                .iter()
                .map(|command| format!("    {}) words='{}';;\n", command.get_name(), of(command)))
                .chain([format!("    -bP) words='{printed}';;\n")])
                .collect();
            Some(format!(
                "_eximious() {{\n  local words='{first}' word\n  \
                 for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n    case $word in\n{cases}    \
                 esac\n  done\n  \
                 COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\n\
                 complete -o default -F _eximious eximious\n"
            ))
        }
        "zsh" => {
            let cases: String = commands
                .iter()
                .map(|command| {
                    format!("    {}) words_of=({});;\n", command.get_name(), of(command))
                })
                .chain([format!("    -bP) words_of=({printed});;\n")])
                .collect();
            Some(format!(
                "#compdef eximious\nlocal -a words_of\nlocal word\nwords_of=({first})\n\
                 for word in ${{words[2,CURRENT-1]}}; do\n  case $word in\n{cases}  esac\ndone\n\
                 compadd -a words_of\n_files\n"
            ))
        }
        "fish" => Some(fish(&commands)),
        _ => None,
    }
}

fn fish(commands: &[Command]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    let mut out = String::new();
    for command in commands {
        let name = command.get_name();
        let does = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            out,
            "complete -c eximious -n __fish_use_subcommand -a {name} -d \"{}\"",
            quoted(&does)
        );
        for (option, does) in options(command) {
            let word = match (option.strip_prefix("--"), option.strip_prefix('-')) {
                (Some(long), _) => format!("-l {long}"),
                (None, Some(short)) => format!("-s {short}"),
                (None, None) => format!("-a {option}"),
            };
            let _ = writeln!(
                out,
                "complete -c eximious -n \"__fish_seen_subcommand_from {name}\" {word} -d \"{}\"",
                quoted(&does)
            );
        }
        let operands = operands(command).join(" ");
        if !operands.is_empty() {
            let _ = writeln!(
                out,
                "complete -c eximious -n \"__fish_seen_subcommand_from {name}\" -a \"{operands}\""
            );
        }
    }
    let printed = printed().join(" ");
    let _ =
        writeln!(out, "complete -c eximious -n \"__fish_contains_opt -s bP bP\" -a \"{printed}\"");
    for (_, group) in GROUPS {
        for switch in *group {
            for name in switch.names.split(", ") {
                let name = name.split([' ', '[']).next().unwrap_or(name);
                let (kind, bare) = match name.strip_prefix("--") {
                    Some(long) => ("l", long),
                    None => ("o", name.trim_start_matches('-')),
                };
                let does = quoted(switch.does);
                let _ = writeln!(out, "complete -c eximious -{kind} {bare} -d \"{does}\"");
            }
        }
    }
    out
}
