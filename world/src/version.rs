//! What tells a file from one that takes its place.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device, inode, size, and when it was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Version(u64, u64, u64, i64, i64);

impl Version {
    /// Of a file that was looked at.
    pub(crate) fn of(data: &Metadata) -> Self {
        Self(data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec())
    }

    /// Of the file that a path leads to, if there is one.
    pub(crate) fn at(path: impl AsRef<Path>) -> Option<Self> {
        path.as_ref().metadata().ok().map(|data| Self::of(&data))
    }
}
