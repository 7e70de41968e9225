//! What a sync of a directory says of the files in it.

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FsWord, fstat, fstatfs, major, minor};

/// What a file system promises of changes that come before a sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// One journal has all of them, and a sync of a directory has it on disk up to there:
    /// the contents of the files, too, which were written out before.
    Journal,
    /// They come to the disk in their order, but each file wants a sync of its own to say
    /// so.
    Kept,
    /// Nothing is said of them.
    Unknown,
}

/// What is known of the devices that files are on.
#[derive(Debug, Default)]
pub(crate) struct Orders(Mutex<HashMap<u64, Order>>);

impl Orders {
    /// What a directory's file system promises.
    pub(crate) fn of(&self, directory: &OwnedFd) -> Order {
        let Ok(stat) = fstat(directory) else { return Order::Unknown };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(stat.st_dev).or_insert_with(|| found(directory, stat.st_dev))
    }
}

/// ext4, with its forerunners, and XFS: what is written there wants a sync to be on disk.
const EXT4: FsWord = 0xEF53;
const XFS: FsWord = 0x5846_5342;

/// Whether a directory is on a disk, by one of the file systems that are known here.
pub(crate) fn is_on_disk(directory: &OwnedFd) -> bool {
    fstatfs(directory).is_ok_and(|found| matches!(found.f_type, EXT4 | XFS))
}

/// ext4 with a journal and XFS. The former is told from one without by what the kernel
/// says of the device; where that can't be read, nothing is known.
fn found(directory: &OwnedFd, device: u64) -> Order {
    match fstatfs(directory).map(|found| found.f_type) {
        Ok(EXT4) if has_journal(device) => Order::Journal,
        Ok(XFS) => Order::Kept,
        _ => Order::Unknown,
    }
}

fn has_journal(device: u64) -> bool {
    let link = format!("/sys/dev/block/{}:{}", major(device), minor(device));
    let Ok(target) = fs::read_link(link) else { return false };
    let Some(name) = target.file_name() else { return false };
    let options =
        fs::read_to_string(["/proc/fs/ext4", &name.to_string_lossy(), "options"].join("/"));
    options.is_ok_and(|options| options.lines().any(|option| option.starts_with("data=")))
}
