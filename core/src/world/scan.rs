//! Copies of a message for scanners: a directory below the spool directory
//! (specification, chapter 45).

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::BodySource;

/// The copies of a message and of its parts that scanners read: the files of
/// `scan/ID` below the spool directory. Nobody else writes there.
pub trait ScanDirectory: Send + fmt::Debug {
    /// The directory, by its whole path.
    fn path(&self) -> &[u8];

    /// Makes a file there, in the place of one that has the name.
    ///
    /// # Errors
    /// What the system says; what is no name of a file in this directory
    /// ([`is_name`](super::spool::is_name)) is `InvalidInput`.
    fn create(&mut self, name: &[u8]) -> io::Result<Box<dyn ScanFile>>;

    /// Makes a file elsewhere, by its whole path, which the configuration chose; one
    /// that is there is emptied. A link is not followed in its place.
    ///
    /// # Errors
    /// What the system says.
    fn create_at(&mut self, path: &[u8]) -> io::Result<Box<dyn ScanFile>>;

    /// The names of the files there, in order.
    fn names(&self) -> Vec<Vec<u8>>;

    /// Takes a file away.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&mut self, name: &[u8]) -> io::Result<()>;

    /// Takes the directory away with all that is in it.
    ///
    /// # Errors
    /// What the system says.
    fn discard(&mut self) -> io::Result<()>;
}

/// A file for a scanner.
pub trait ScanFile: Send + fmt::Debug {
    /// Adds bytes behind those that are there.
    ///
    /// # Errors
    /// What the system says.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// What reads the file; that goes on when this is dropped, and when the file has no
    /// name any more.
    fn source(&self) -> Arc<dyn BodySource>;
}
