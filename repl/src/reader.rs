//! What is done with a line before anything is evaluated.

use std::borrow::Cow;

use eximious::{ConfigError, MacroError, Macros, Registry};

use crate::assign::Assignment;

/// Replaces macros and defines them. It hangs on the lines alone, not on any
/// value: it may run ahead of what carries them out.
#[derive(Default)]
pub struct Reader {
    macros: Macros,
    /// The configuration file and its number of lines: Exim names them when
    /// something is wrong with a macro.
    place: Option<(Vec<u8>, u32)>,
}

/// What a line wants.
pub enum Task<'l> {
    /// To be expanded.
    Expand(Cow<'l, [u8]>),
    /// Something else, as few lines do.
    Other(Deed),
}

/// What a line wants that is not parsed beforehand.
pub enum Deed {
    /// To be expanded.
    Expand(Vec<u8>),
    /// To set something: the whole line.
    Set(Vec<u8>),
    /// Nothing any more: it has defined a macro, and this is to be said of it.
    Said(Vec<u8>),
    /// Nothing: it defines no macro, though it begins as if it did. What to
    /// log.
    Wrong(Vec<u8>, MacroError),
}

impl Reader {
    pub fn new(macros: Macros, place: Option<(Vec<u8>, u32)>) -> Self {
        Self { macros, place }
    }

    /// From here on there are no macros but those that lines define.
    pub fn forget_macros(&mut self) {
        self.macros = Macros::none();
    }

    /// Reads a line, or an argument.
    #[inline(always)]
    pub fn read<'l>(&mut self, line: &'l [u8], registry: &Registry) -> Task<'l> {
        let line = match self.macros.apply(line, registry) {
            Ok(line) => line,
            Err(why) => return Task::Other(self.complaint(why)),
        };
        if Macros::is_definition(&line) {
            Task::Other(self.define(&line, registry))
        } else if Assignment::in_line(&line).is_some() {
            Task::Other(Deed::Set(line.into_owned()))
        } else {
            Task::Expand(line)
        }
    }

    #[cold]
    fn define(&mut self, line: &[u8], registry: &Registry) -> Deed {
        match self.macros.define(line, registry) {
            // Exim names the newest one, whichever it was.
            Ok(()) => {
                let name = self.macros.newest().unwrap_or_default();
                Deed::Said([b"Defined macro '", name, b"'"].concat())
            }
            Err(why) => self.complaint(why),
        }
    }

    #[cold]
    fn complaint(&self, why: MacroError) -> Deed {
        let error = match &self.place {
            Some((file, lines)) if why.names_line() => ConfigError::at(*lines, file, why.message()),
            _ => ConfigError::somewhere(why.message()),
        };
        Deed::Wrong(error.text(), why)
    }
}
