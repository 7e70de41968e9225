//! The log for debugging (specification 44.13, `control = debug`).

use std::io;
use std::sync::Arc;

use eximious_core::world::DebugLog;

use super::file::{self, LogFile};

/// A file beside the other logs, whose name has a tag at its end.
#[derive(Debug)]
pub struct File {
    name: Vec<u8>,
    owner: (u32, u32),
    file: LogFile,
}

impl File {
    /// Opens the file of a name that ends with a tag.
    ///
    /// # Errors
    /// It can't be opened, or the tag names another directory.
    pub fn open(name: Vec<u8>, tag: &[u8], owner: (u32, u32)) -> io::Result<Arc<dyn DebugLog>> {
        if tag.iter().any(|byte| matches!(byte, b'/' | 0)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = LogFile::default();
        file.reopen(&name, owner, 0)?;
        Ok(Arc::new(Self { name, owner, file }))
    }
}

impl DebugLog for File {
    fn name(&self) -> &[u8] {
        &self.name
    }

    fn write(&self, text: &[u8]) {
        // Nobody waits for it, and what goes on does not hang on it.
        let _ = self.file.append(&self.name, self.owner, text);
    }

    fn remove(&self) {
        let _ = file::remove(&self.name, self.owner);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn own() -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn open(folder: &Path, tag: &str) -> io::Result<Arc<dyn DebugLog>> {
        let name = format!("{}/debuglog{tag}", folder.display());
        File::open(name.into_bytes(), tag.as_bytes(), own())
    }

    #[test]
    fn it_goes_on_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("debuglog.x");
        open(folder.path(), ".x").unwrap().write(b"a\n");
        let log = open(folder.path(), ".x").unwrap();
        log.write(b"b\n");
        assert_eq!(std::fs::read(&file).unwrap(), b"a\nb\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(log.name(), file.to_str().unwrap().as_bytes());
        log.remove();
        assert!(!file.exists());
    }

    #[test]
    fn a_tag_does_not_leave_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        for tag in ["/../x", "/x", "\0"] {
            assert!(open(folder.path(), tag).is_err(), "{tag:?}");
        }
        std::os::unix::fs::symlink("/dev/null", folder.path().join("debuglog.l")).unwrap();
        assert!(open(folder.path(), ".l").is_err());
    }
}
