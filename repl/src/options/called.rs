//! The names under which the program is called (specification 5.1).

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
            _ => Self::Eximious,
        }
    }

    /// The options that are as if they stood before all others.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Eximious | Self::Exim => &[],
            Self::Mailq => &["-bp"],
            Self::Newaliases => &["-bi"],
            Self::Rmail => &["-i", "-oee"],
            Self::Rsmtp => &["-bS"],
            Self::Runq => &["-q"],
        }
    }
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
