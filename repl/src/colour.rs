//! Colour in what people read.

use std::io::{self, IsTerminal};

use crate::refusal::Stop;

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
    /// What an argument says: `--color`, `--color=WHEN`; nothing where it is another one.
    ///
    /// # Errors
    /// It has a word that is none of `auto`, `always` and `never`.
    pub fn of_argument(argument: &[u8]) -> Result<Option<Self>, Stop> {
        let Some(rest) = argument.strip_prefix(b"--color") else { return Ok(None) };
        match rest {
            b"" | b"=always" => Ok(Some(Self::Always)),
            b"=auto" => Ok(Some(Self::Auto)),
            b"=never" => Ok(Some(Self::Never)),
            _ if !rest.starts_with(b"=") => Ok(None),
            _ => {
                let why = b"eximious: --color takes auto, always or never, not \"";
                Err(Stop([why.as_slice(), &rest[1..], b"\""].concat()))
            }
        }
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
        let of = |text: &str| Colour::of_argument(text.as_bytes());
        assert_eq!(of("--color").unwrap(), Some(Colour::Always));
        assert_eq!(of("--color=never").unwrap(), Some(Colour::Never));
        assert_eq!(of("--color=auto").unwrap(), Some(Colour::Auto));
        assert_eq!(of("--colors").unwrap(), None);
        assert_eq!(of("--json").unwrap(), None);
        assert!(of("--color=red").is_err());
    }

    #[test]
    fn lines_of_a_difference_have_their_colours() {
        let text = b"--- a\n+++ a\n@@ -1 +1 @@\n x\n-y\n+z";
        let shown = "\x1b[1m--- a\x1b[0m\n\x1b[1m+++ a\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n x\n\
                     \x1b[31m-y\x1b[0m\n\x1b[32m+z\x1b[0m";
        assert_eq!(String::from_utf8(difference(text)).unwrap(), shown);
    }
}
