//! What is wrong with a configuration, in Exim's words.

use std::error::Error;
use std::sync::Arc;

/// Why a configuration can't be used; displays as Exim's complaint.
#[derive(Clone, Debug)]
pub struct ConfigError {
    message: Vec<u8>,
    place: Place,
    defining: bool,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

// What is behind an error can't be compared; what it says can.
impl PartialEq for ConfigError {
    fn eq(&self, other: &Self) -> bool {
        let said = |error: &Self| (error.message.clone(), error.place.clone(), error.defining);
        said(self) == said(other)
    }
}

impl Eq for ConfigError {}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// A complaint that stands for itself.
    None,
    /// Something in the configuration, nowhere in particular.
    Somewhere,
    /// An instance of a driver: `r1 router`.
    Instance(Vec<u8>),
    /// A line of a file.
    Line(u32, Vec<u8>),
}

impl ConfigError {
    fn new(message: impl Into<Vec<u8>>, place: Place) -> Self {
        Self { message: message.into(), place, defining: false, cause: None }
    }

    /// A complaint about a file as such, without a place in it.
    pub fn plain(message: impl Into<Vec<u8>>) -> Self {
        Self::new(message, Place::None)
    }

    /// A complaint about the configuration as a whole.
    pub fn somewhere(message: impl Into<Vec<u8>>) -> Self {
        Self::new(message, Place::Somewhere)
    }

    /// A complaint about an instance of a driver, which is called `r1 router`.
    pub fn of(instance: impl Into<Vec<u8>>, message: impl Into<Vec<u8>>) -> Self {
        Self::new(message, Place::Instance(instance.into()))
    }

    /// A complaint about a line of a file.
    pub fn at(line: u32, file: &[u8], message: impl Into<Vec<u8>>) -> Self {
        Self::new(message, Place::Line(line, file.to_vec()))
    }

    /// The same error with the one that is behind it, for whoever knows its type:
    /// [`std::error::Error::source`] gives it back.
    ///
    /// ```
    /// use eximious::{Config, ConfigError, Engine};
    /// use std::error::Error;
    ///
    /// let behind = "x".parse::<u8>().unwrap_err();
    /// let error = ConfigError::somewhere("no number").with_source(behind);
    /// assert!(error.source().is_some_and(|source| source.is::<std::num::ParseIntError>()));
    ///
    /// // Of a file that can't be read it is what the system says; of a text that can't be
    /// // expanded, the `Fail`.
    /// let wrong = Config::parse("spool_directory = ${bananas}\n").unwrap_err();
    /// assert!(wrong.source().is_some_and(|source| source.is::<eximious::Fail>()));
    /// ```
    pub fn with_source(self, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Says that it is about the definition of a macro.
    pub(crate) fn defining(self) -> Self {
        Self { defining: true, ..self }
    }

    /// Whether it is about the definition of a macro: Exim logs it in another way.
    pub fn is_of_definition(&self) -> bool {
        self.defining
    }

    /// Whether it is about the configuration file, and not about what follows
    /// from it.
    pub fn in_configuration(&self) -> bool {
        self.place != Place::None
    }

    /// What is wrong, without a place.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The line and the file, where the complaint is about a line.
    pub fn line(&self) -> Option<(u32, &[u8])> {
        match &self.place {
            Place::Line(line, file) => Some((*line, file)),
            _ => None,
        }
    }

    /// The instance of a driver that it is about: `r1 router`.
    pub fn instance(&self) -> Option<&[u8]> {
        match &self.place {
            Place::Instance(name) => Some(name),
            _ => None,
        }
    }

    /// The complaint, as Exim logs it.
    pub fn text(&self) -> Vec<u8> {
        let head = match &self.place {
            Place::None => return self.message.clone(),
            Place::Somewhere => b"Exim configuration error:\n  ".to_vec(),
            Place::Instance(name) => {
                [b"Exim configuration error for ", name.as_slice(), b":\n  "].concat()
            }
            Place::Line(line, file) => {
                [format!("Exim configuration error in line {line} of ").as_bytes(), file, b":\n  "]
                    .concat()
            }
        };
        [head, self.message.clone()].concat()
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
