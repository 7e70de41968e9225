//! The names under which the program is called (specification 5.1).

use eximious::stdlib::interval;

use super::{Parser, ReadArguments, Stop};
use crate::commands::hints::is_database;

/// As what it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CalledAs {
    /// As itself, by a name that begins so: it has commands.
    Eximious,
    /// By any other name: it is Exim.
    Exim,
    /// `mailq`
    Mailq,
    /// `newaliases`
    Newaliases,
    /// `rmail`
    Rmail,
    /// `rsmtp`
    Rsmtp,
    /// `runq`
    Runq,
    /// `exim_dumpdb`
    DumpDb,
    /// `exim_tidydb`
    TidyDb,
}

impl CalledAs {
    /// By the program's name, with or without a path.
    pub fn named(program: &[u8]) -> Self {
        match program.rsplit(|c| *c == b'/').next().unwrap_or_default() {
            b"mailq" => Self::Mailq,
            b"newaliases" => Self::Newaliases,
            b"rmail" => Self::Rmail,
            b"rsmtp" => Self::Rsmtp,
            b"runq" => Self::Runq,
            b"exim_dumpdb" => Self::DumpDb,
            b"exim_tidydb" => Self::TidyDb,
            name if name.starts_with(b"eximious") => Self::Eximious,
            _ => Self::Exim,
        }
    }

    /// The options that are as if they stood before all others.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Eximious | Self::Exim | Self::DumpDb | Self::TidyDb => &[],
            Self::Mailq => &["-bp"],
            Self::Newaliases => &["-bi"],
            Self::Rmail => &["-i", "-oee"],
            Self::Rsmtp => &["-bS"],
            Self::Runq => &["-q"],
        }
    }

    /// What is asked for under the name of one of Exim's tools for hints, as the command that
    /// does it (specification 54.12 and 54.13); other names leave their arguments as they are.
    ///
    /// # Errors
    /// How the tool is used.
    pub(super) fn as_command(self, args: &[Vec<u8>]) -> Result<Option<Vec<Vec<u8>>>, Stop> {
        let (tool, does, options) = match self {
            Self::DumpDb => ("exim_dumpdb", "dump", "[-z] [-k]"),
            Self::TidyDb => ("exim_tidydb", "tidy", "[-t <time>]"),
            _ => return Ok(None),
        };
        match args {
            [given @ .., spool, name]
                if self.is_told(given) && !spool.starts_with(b"-") && is_database(name) =>
            {
                let front = [b"hints", &b"--spool"[..], spool, does.as_bytes()];
                let front = front.map(<[u8]>::to_vec).into_iter();
                let given = given.iter().filter(|word| *word != OF_OLD).cloned();
                Ok(Some(front.chain(given).chain([name.clone()]).collect()))
            }
            _ => Err(Stop(
                format!(
                    "Usage: {tool} {options}  <spool-directory> <database-name>\n  \
                     <database-name> = retry | misc | wait-<transport-name> | callout | \
                     ratelimit | tls | seen"
                )
                .into(),
            )),
        }
    }

    /// Whether a tool knows what it is given before the folder of the spool.
    fn is_told(self, given: &[Vec<u8>]) -> bool {
        let mut words = given.iter().map(Vec::as_slice);
        while let Some(word) = words.next() {
            let is_known = match (self, word) {
                (Self::DumpDb, b"-z" | b"-k") | (Self::TidyDb, OF_OLD) => true,
                (Self::TidyDb, b"-t") => {
                    words.next().is_some_and(|time| interval::seconds(time).is_some())
                }
                _ => false,
            };
            if !is_known {
                return false;
            }
        }
        true
    }
}

/// Said to `exim_tidydb` by scripts of old: it asks for nothing any more.
const OF_OLD: &[u8] = b"-f";

/// Reads the arguments, without the program's own name.
pub fn parse(called: CalledAs, args: &[Vec<u8>]) -> ReadArguments {
    match called.as_command(args) {
        Ok(Some(args)) => return parse(CalledAs::Eximious, &args),
        Ok(None) => {}
        Err(stop) => return ReadArguments { tells_version: false, options: Err(stop) },
    }
    let mut parser = Parser::new(called, args);
    let read = parser.read();
    let tells_version = parser.given.tells_version;
    ReadArguments { tells_version, options: read.and_then(|()| parser.decide()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_for_hints_know_their_words() {
        let asked = |tool: CalledAs, text: &str| {
            let words: Vec<Vec<u8>> = text.split(' ').map(|one| one.as_bytes().to_vec()).collect();
            tool.as_command(&words).ok().flatten().map(|words| words.join(&b' '))
        };
        let (dump, tidy) = (CalledAs::DumpDb, CalledAs::TidyDb);
        assert_eq!(asked(dump, "-k /s retry").unwrap(), b"hints --spool /s dump -k retry");
        assert_eq!(
            asked(tidy, "-f -t 7d /s wait-x").unwrap(),
            b"hints --spool /s tidy -t 7d wait-x"
        );
        for wrong in ["/s nosuch", "-x /s retry", "-t /s retry", "-t x /s retry", "/s", "-k"] {
            assert_eq!(asked(tidy, wrong), None, "{wrong}");
            assert_eq!(asked(dump, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_part_of_the_path_counts() {
        assert_eq!(CalledAs::named(b"/usr/bin/mailq"), CalledAs::Mailq);
        for own in ["eximious", "./eximious-0.1"] {
            assert_eq!(CalledAs::named(own.as_bytes()), CalledAs::Eximious, "{own}");
        }
        // Only those names are special that have nothing behind them.
        for other in ["sendmail", "send-mail", "mailq.exim", "exim-4.98.2", "eximious/x", ""] {
            assert_eq!(CalledAs::named(other.as_bytes()), CalledAs::Exim, "{other}");
        }
    }
}
