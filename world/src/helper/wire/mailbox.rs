//! Mailboxes and small files of users as bytes.

use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxDone, MailboxFault, MailboxFaultKind, MailboxFile, MailboxForm,
    MailboxLock, MailboxOrder, MailboxPlace, MailboxQuota, UserFileOrder, UserFileWork,
};

use super::Wire;

structs! {
    MailboxOrder { user, path, form, directory_mode, within, mode, host, quota, covered }
    MailboxPlace { path, below }
    MailboxFile {
        is_mbx, must_exist, checks_owner, checks_group, refuses_narrower, forces_mode,
        allows_fifo, allows_symlink, formats, lock
    }
    MailboxLock {
        by_file, by_fcntl, by_flock, by_mbx, file_mode, file_timeout, fcntl_timeout,
        flock_timeout, retries, interval
    }
    MailboxQuota {
        bytes, files, refuses_bytes, refuses_files, adds, measures, known_bytes, known_files,
        directory, names_tell
    }
    MailboxDone { path, written, bytes_before, files_before, offset, is_unsynced }
    MailboxFault { number, message, kind }
    UserFileOrder { user, path, work }
}

impl Wire for UserFileWork {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Read(most) => {
                out.push(0);
                most.put(out);
            }
            Self::Append(mode, bytes) => {
                out.push(1);
                mode.put(out);
                bytes.put(out);
            }
            Self::Replace(mode, bytes) => {
                out.push(2);
                mode.put(out);
                bytes.put(out);
            }
            Self::Enter => out.push(3),
            Self::MakeDirectory(mode) => {
                out.push(4);
                mode.put(out);
            }
            Self::Settle => out.push(5),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Read(Wire::take(from)?),
            1 => Self::Append(Wire::take(from)?, Wire::take(from)?),
            2 => Self::Replace(Wire::take(from)?, Wire::take(from)?),
            3 => Self::Enter,
            4 => Self::MakeDirectory(Wire::take(from)?),
            5 => Self::Settle,
            _ => return None,
        })
    }
}

impl Wire for MailboxForm {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::File(file) => {
                out.push(0);
                file.put(out);
            }
            Self::Maildir { retries, marks_folder, keeps_sizes } => {
                out.push(1);
                retries.put(out);
                (*marks_folder, *keeps_sizes).put(out);
            }
            Self::Mailstore { id } => {
                out.push(2);
                id.put(out);
            }
            Self::Files => out.push(3),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::File(Wire::take(from)?),
            1 => {
                let retries = Wire::take(from)?;
                let (marks_folder, keeps_sizes) = Wire::take(from)?;
                Self::Maildir { retries, marks_folder, keeps_sizes }
            }
            2 => Self::Mailstore { id: Wire::take(from)? },
            3 => Self::Files,
            _ => return None,
        })
    }
}

impl Wire for MailboxFaultKind {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Any => out.push(0),
            Self::Quota(unread) => {
                out.push(1);
                unread.put(out);
            }
            Self::Suspect => out.push(2),
            Self::Format(at) => {
                out.push(3);
                (*at as u64).put(out);
            }
            Self::Senseless => out.push(4),
            Self::Placeless => out.push(5),
            Self::Untried => out.push(6),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Any,
            1 => Self::Quota(Wire::take(from)?),
            2 => Self::Suspect,
            3 => Self::Format(usize::try_from(u64::take(from)?).ok()?),
            4 => Self::Senseless,
            5 => Self::Placeless,
            6 => Self::Untried,
            _ => return None,
        })
    }
}

impl Wire for MailboxBeforehand {
    fn put(&self, out: &mut Vec<u8>) {
        (self.is_all, self.is_untagged).put(out);
        out.extend_from_slice(&self.bytes);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (is_all, is_untagged) = Wire::take(from)?;
        // Nothing comes behind them.
        Some(Self { bytes: std::mem::take(from).to_vec(), is_all, is_untagged })
    }
}
