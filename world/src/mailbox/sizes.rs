//! The file `maildirsize`, which says how much is in a maildir and its folders
//! (specification 26.7, Maildir++).

use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use eximious_core::world::mailbox::{MailboxFault, MailboxOrder, MailboxSupply};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::measure::{Measure, directory_files};
use super::{as_path, fault_of, file};

/// A longer file is made anew.
const LONGEST: u64 = 5120;
/// An older one is not believed where it says that there is no room.
const OLDEST: Duration = Duration::from_secs(15 * 60);

/// The file of a maildir.
pub(super) struct SizeFile {
    path: Vec<u8>,
    /// What was in the maildir.
    pub(super) measure: Measure,
}

impl SizeFile {
    /// Reads it; where it can't be believed, what is there is counted, and it is made anew.
    pub(super) fn read(
        order: &MailboxOrder,
        top: &[u8],
        supply: &mut dyn MailboxSupply,
    ) -> Result<Self, MailboxFault> {
        let path = [top, b"/maildirsize"].concat();
        let quota = &order.quota;
        let opened = open(&path).map_err(|error| unkept(error, &path))?;
        if let Some(said) = opened.and_then(|file| said(file, order)) {
            let is_full = file::over(quota.bytes, said.measure.bytes, quota.adds)
                || file::over(quota.files, said.measure.files, quota.adds.map(|_| 1));
            if !is_full || said.is_fresh {
                return Ok(Self { path, measure: said.measure });
            }
        }
        let measure = count(top, quota.names_tell, supply)?;
        write_anew(&path, top, order, measure)?;
        Ok(Self { path, measure })
    }

    /// Adds a message, all at once, so that several may.
    pub(super) fn add(&self, bytes: u64) -> std::io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let flags = flags | OFlags::NONBLOCK;
        let mut file = File::from(rustix::fs::open(&self.path[..], flags, Mode::empty())?);
        file.write_all(format!("{bytes} 1\n").as_bytes())
    }
}

struct Said {
    measure: Measure,
    /// Whether it was counted lately, and nothing was added since.
    is_fresh: bool,
}

/// The file, if there is one. A link is none: it is made anew.
fn open(path: &[u8]) -> Result<Option<File>, Errno> {
    // It is to be written to as well.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(Some(File::from(file))),
        Err(Errno::NOENT | Errno::LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is said where it can't be read, and where it can't be made.
fn unkept(error: impl Into<std::io::Error>, path: &[u8]) -> MailboxFault {
    fault_of(error, &[b"while opening or reading ", path])
}

/// What the file says, where it is one, and of these quotas.
fn said(file: File, order: &MailboxOrder) -> Option<Said> {
    let data = file.metadata().ok().filter(|data| data.is_file() && data.len() <= LONGEST)?;
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).ok()?;
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if quotas(lines.next()?)? != (order.quota.bytes, order.quota.files) {
        return None;
    }
    let (mut bytes, mut files, mut count) = (0_i64, 0_i64, 0);
    for line in lines {
        // Blanks may stand before numbers, and not behind them.
        let (more, one) = line.trim_start().split_once(' ')?;
        bytes = bytes.checked_add(more.parse().ok()?)?;
        files = files.checked_add(one.trim_start().parse().ok()?)?;
        count += 1;
    }
    let age = data.modified().ok().and_then(|then| then.elapsed().ok()).unwrap_or_default();
    let measure = Measure { bytes: u64::try_from(bytes).ok()?, files: u64::try_from(files).ok()? };
    Some(Said { measure, is_fresh: count <= 1 && age < OLDEST })
}

/// The quotas of bytes and of files that the first line names; without one, there is none.
fn quotas(line: &str) -> Option<(u64, u64)> {
    let (bytes, files) = line.trim_start().split_once('S')?;
    let files = match files.strip_prefix(',') {
        Some(files) => files.trim_start().strip_suffix('C')?.parse().ok()?,
        None if files.is_empty() => 0,
        None => return None,
    };
    Some((bytes.parse().ok()?, files))
}

fn head(order: &MailboxOrder) -> String {
    format!("{}S,{}C\n", order.quota.bytes, order.quota.files)
}

/// Counts the messages of a maildir and of its folders.
fn count(
    top: &[u8],
    names_tell: bool,
    supply: &mut dyn MailboxSupply,
) -> Result<Measure, MailboxFault> {
    let mut all = Measure::default();
    // Other files of the maildir's own are no messages.
    let below = directory_files(top, false, supply, &mut Measure::default())?;
    for name in below {
        let parts: &[&[u8]] = match &name[..] {
            b"cur" | b"new" => &[b""],
            [b'.', ..] => &[b"/cur", b"/new"],
            _ => continue,
        };
        for part in parts {
            let name = [&name[..], part].concat();
            if supply.counts(&name) {
                directory_files(&[top, b"/", &name].concat(), names_tell, supply, &mut all)?;
            }
        }
    }
    Ok(all)
}

/// Puts another file in its place.
fn write_anew(
    path: &[u8],
    top: &[u8],
    order: &MailboxOrder,
    measure: Measure,
) -> Result<(), MailboxFault> {
    let name = super::directory::unique_name(order);
    let beside = [top, b"/tmp/maildirsize.", &name].concat();
    let text = format!("{}{} {}\n", head(order), measure.bytes, measure.files);
    // Its group is the one that the directory hands down.
    let written = super::create(&beside, order.mode)
        .map_err(std::io::Error::from)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(as_path(&beside), as_path(path)));
    written.map_err(|error| {
        // The first failure is the one to tell of.
        let _ = std::fs::remove_file(as_path(&beside));
        unkept(error, path)
    })
}

#[cfg(test)]
mod tests {
    use eximious_core::world::LocalUser;
    use eximious_core::world::mailbox::{MailboxForm, MailboxQuota};

    use super::*;

    /// What is believed, as Exim has it.
    #[test]
    fn files_are_read() {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("maildirsize");
        let quota = MailboxQuota { bytes: 3000, files: 0, ..MailboxQuota::default() };
        let order = MailboxOrder {
            user: LocalUser::default(),
            path: Vec::new(),
            form: MailboxForm::Files,
            directory_mode: None,
            within: None,
            mode: 0o600,
            host: Vec::new(),
            quota,
            covered: None,
        };
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let file = File::open(&path).unwrap();
            said(file, &order).map(|said| (said.measure.bytes, said.measure.files))
        };
        for good in [
            "3000S\n800 4\n",
            "3000S\n 800 4\n",
            "3000S\n      800      4\n",
            " 3000S\n800 4\n",
            "3000S,0C\n800 4\n",
            "3000S, 0C\n+800 +4\n",
            "03000S\n0800 04\n",
            "3000S\n-200 -1\n1000 5\n",
        ] {
            assert_eq!(read(good), Some((800, 4)), "{good:?}");
        }
        assert_eq!(read("3000S\n"), Some((0, 0)));
        for bad in [
            "",
            "3000S\n 800 4 \n",
            "3000S\n800 4\r\n",
            "3000S\r\n800 4\n",
            "3000S \n800 4\n",
            "3000S,0C \n800 4\n",
            "3000S,\n800 4\n",
            "3000S\n800 4\n\n",
            "3000S\n800\t4\n",
            "3000S\n800 4 5\n",
            "3000S\n800 4x\n",
            "3000S\n800 4",
            "3000S,5C\n800 4\n",
            "2000S\n800 4\n",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
