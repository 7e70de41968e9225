//! The names under which the program is called (specification 5.1).

use super::{Parser, ReadArguments, Stop};

/// As what it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CalledAs {
    /// As itself: it has commands.
    Eximious,
    /// As Exim, or as `sendmail`.
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
            b"exim" | b"exim4" | b"sendmail" => Self::Exim,
            b"mailq" => Self::Mailq,
            b"newaliases" => Self::Newaliases,
            b"rmail" => Self::Rmail,
            b"rsmtp" => Self::Rsmtp,
            b"runq" => Self::Runq,
            b"exim_dumpdb" => Self::DumpDb,
            b"exim_tidydb" => Self::TidyDb,
            _ => Self::Eximious,
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
            [given @ .., spool, name] if !spool.starts_with(b"-") && !name.starts_with(b"-") => {
                let front = [b"hints", &b"--spool"[..], spool, does.as_bytes()];
                let front = front.map(<[u8]>::to_vec).into_iter();
                Ok(Some(front.chain(given.iter().cloned()).chain([name.clone()]).collect()))
            }
            _ => Err(Stop(
                format!(
                    "Usage: {tool} {options}  <spool-directory> <database-name>\n  \
                     <database-name> = retry | misc | wait-<transport-name> | callout | \
                     ratelimit | seen"
                )
                .into(),
            )),
        }
    }
}

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
    fn the_last_part_of_the_path_counts() {
        assert_eq!(CalledAs::named(b"/usr/bin/mailq"), CalledAs::Mailq);
        assert_eq!(CalledAs::named(b"sendmail"), CalledAs::Exim);
        for other in ["eximious", "./eximious-0.1", "", "/exim4/"] {
            assert_eq!(CalledAs::named(other.as_bytes()), CalledAs::Eximious, "{other}");
        }
    }
}
