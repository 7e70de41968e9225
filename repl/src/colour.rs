//! Colour in what people read.

use std::io::{self, IsTerminal};

use clap::builder::{EnumValueParser, PossibleValue};
use clap::{Arg, ArgMatches, ValueEnum};

/// When there is colour: `--color`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colour {
    /// At a terminal, unless the variable `NO_COLOR` of the environment says something.
    #[default]
    Auto,
    Always,
    Never,
}

impl Colour {
    /// `--color`, as an option of a command.
    pub fn argument() -> Arg {
        Arg::new("color")
            .long("color")
            .value_name("WHEN")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("always")
            .value_parser(EnumValueParser::<Self>::new())
            .help("In colour; auto is at a terminal, unless NO_COLOR is set")
    }

    /// What was typed of it.
    pub fn of(matches: &ArgMatches) -> Self {
        matches.get_one("color").copied().unwrap_or_default()
    }

    /// Whether the standard output has colour.
    pub fn is_on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let host = eximious_world::system().host;
                let no = host.environment(b"NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = host.environment(b"TERM").is_some_and(|term| term == b"dumb");
                !no && !dumb && io::stdout().is_terminal()
            }
        }
    }
}

impl ValueEnum for Colour {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }))
    }
}

/// A unified difference with what goes in red, what comes in green, and the places in cyan.
pub fn difference(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive(|c| *c == b'\n') {
        let style: &[u8] = match line {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => b"1",
            [b'-', ..] => b"31",
            [b'+', ..] => b"32",
            [b'@', ..] => b"36",
            _ => {
                out.extend_from_slice(line);
                continue;
            }
        };
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        for part in [b"\x1b[", style, b"m", line, b"\x1b[0m", end] {
            out.extend_from_slice(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_when() {
        let of = |text: &str| {
            let command = clap::Command::new("c").arg(Colour::argument());
            command.try_get_matches_from(["c", text]).ok().map(|matches| Colour::of(&matches))
        };
        assert_eq!(of("--color"), Some(Colour::Always));
        assert_eq!(of("--color=never"), Some(Colour::Never));
        assert_eq!(of("--color=auto"), Some(Colour::Auto));
        assert_eq!(of("--colors"), None);
        assert_eq!(of("--color=red"), None);
    }

    #[test]
    fn lines_of_a_difference_have_their_colours() {
        let text = b"--- a\n+++ a\n@@ -1 +1 @@\n x\n-y\n+z";
        let shown = "\x1b[1m--- a\x1b[0m\n\x1b[1m+++ a\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n x\n\
                     \x1b[31m-y\x1b[0m\n\x1b[32m+z\x1b[0m";
        assert_eq!(String::from_utf8(difference(text)).unwrap(), shown);
    }
}
