//! Has the system begin to write files to their disk.

#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::BorrowedFd;

/// Has what was written to a file go to its disk from now on, without a wait for it. When
/// several files are to be on disk, their contents go there side by side then, and one
/// commit of the file system's journal covers them all. Nothing depends on it: where the
/// system can't, a sync does all the work.
pub fn begin(file: BorrowedFd<'_>) {
    #[cfg(target_os = "linux")]
    // SAFETY: the descriptor is open as long as it is borrowed, and no memory is passed.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// As [`begin`], and waits until the contents have gone there. The file system knows of them
/// then, with the changes that it commits next; only a sync says that they stay.
///
/// # Errors
/// What the system says: contents could not be written.
pub fn finish(file: BorrowedFd<'_>) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let whole = libc::SYNC_FILE_RANGE_WAIT_BEFORE
            | libc::SYNC_FILE_RANGE_WRITE
            | libc::SYNC_FILE_RANGE_WAIT_AFTER;
        // SAFETY: the descriptor is open as long as it is borrowed, and no memory is passed.
        if unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, whole) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
    Ok(())
}
