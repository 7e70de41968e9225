//! Files as users see them, where only the helper may have users' rights: `.forward` files and
//! filters in homes that nobody else may look into.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use eximious_core::world::{Files, Stat};
use nix::unistd::{Uid, User};
use rustix::process::geteuid;

use super::wire::Frame;
use super::{DeliveryHelper, Refused, gone};
use crate::as_user::AsUser;
use crate::configuration::is_superusers;
use crate::files::SystemFiles;
use crate::mailbox::relay::Reply;

/// A look at a file with a user's rights.
pub(super) struct FileLook {
    pub(super) uid: u32,
    pub(super) gid: Option<u32>,
    pub(super) path: Vec<u8>,
    pub(super) kind: u8,
    /// How much of it is wanted, at the most.
    pub(super) most: u64,
}

/// What is looked for: the contents, the names in a directory, what `stat` says, and what it
/// says of a link.
const CONTENTS: u8 = 0;
const NAMES: u8 = 1;
const STAT: u8 = 2;
const LINK: u8 = 3;

impl FileLook {
    /// Looks. Of the superuser's view, nobody has more than whether something is there, the
    /// site's configuration, and where its own mail goes.
    pub(super) fn take(&self, refused: &Refused<'_>) -> Frame {
        let is_open = match self.kind {
            CONTENTS => {
                is_superusers_forward(&self.path)
                    || refused.but.contains(&self.path) && is_written_by_superuser(&self.path)
            }
            kind => kind != NAMES,
        };
        let user = match refused.is(self.uid) && !is_open {
            true => Err(rustix::io::Errno::ACCESS.into()),
            false => Ok(AsUser::new(self.uid, self.gid)),
        };
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        match self.kind {
            CONTENTS => Frame::Contents(user.and_then(|user| {
                Ok(user.with(|| SystemFiles.read(&self.path, self.most))?.to_vec())
            })),
            NAMES => Frame::Names(
                user.and_then(|user| user.with(|| SystemFiles.names(&self.path, most))),
            ),
            kind => Frame::Stat(
                user.and_then(|user| user.with(|| SystemFiles.stat(&self.path, kind != LINK))),
            ),
        }
    }
}

/// Whether this is a file of the superuser's that says where its mail goes: one that stands
/// in its home, by the name that such files have.
fn is_superusers_forward(path: &[u8]) -> bool {
    let Ok(Some(superuser)) = User::from_uid(Uid::from_raw(0)) else { return false };
    let name = path.strip_prefix(superuser.dir.as_os_str().as_bytes());
    name.is_some_and(|name| name.starts_with(b"/.forward") && !name[1..].contains(&b'/'))
}

/// Whether nobody else can have written a file.
fn is_written_by_superuser(path: &[u8]) -> bool {
    SystemFiles.stat(path, true).is_ok_and(|about| is_superusers(&about))
}

/// The files of a process that has a helper.
pub(super) struct HelpedFiles(pub(super) Arc<DeliveryHelper>, pub(super) Arc<dyn Files>);

impl Files for HelpedFiles {
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.1.read(path, limit)
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.1.stat(path, follow)
    }

    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        let own = geteuid();
        match own.is_root() || own.as_raw() == uid {
            true => self.1.clone().seen_by(uid, gid),
            false => {
                Arc::new(UsersFiles { helper: self.0.clone(), files: self.1.clone(), uid, gid })
            }
        }
    }

    fn seen_by_deliveries(&self) -> Option<Arc<dyn Files>> {
        Some(Arc::new(DeliveriesFiles { helper: self.0.clone(), files: self.1.clone() }))
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.1.names(path, most)
    }

    fn replace(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.1.replace(path, contents)
    }

    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.1.append(path, contents)
    }
}

/// The files as deliveries see them. A process that delivers may have users' files looked at as
/// anybody but the superuser, and so as whoever they belong to.
struct DeliveriesFiles {
    helper: Arc<DeliveryHelper>,
    files: Arc<dyn Files>,
}

impl DeliveriesFiles {
    fn seen_by(&self, uid: u32, gid: Option<u32>) -> UsersFiles {
        UsersFiles { helper: self.helper.clone(), files: self.files.clone(), uid, gid }
    }

    /// What is found or, where this process may not look, what somebody finds who may.
    fn unless_denied<T>(
        &self,
        found: io::Result<T>,
        look: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let is_denied = |why: &io::Error| why.kind() == io::ErrorKind::PermissionDenied;
        match found {
            Err(why) if is_denied(&why) && !geteuid().is_root() => look(),
            found => found,
        }
    }

    /// The files as the owner of one sees them, which is not the superuser.
    fn seen_by_owner(&self, path: &[u8]) -> io::Result<UsersFiles> {
        let about = self.seen_by(0, None).stat(path, true)?;
        match about.uid {
            0 => Err(rustix::io::Errno::ACCESS.into()),
            uid => Ok(self.seen_by(uid, Some(about.gid))),
        }
    }
}

impl Files for DeliveriesFiles {
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        Arc::new(HelpedFiles(self.helper.clone(), self.files.clone())).seen_by(uid, gid)
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.unless_denied(self.files.read(path, limit), || {
            self.seen_by_owner(path)?.read(path, limit)
        })
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.unless_denied(self.files.stat(path, follow), || {
            self.seen_by(0, None).stat(path, follow)
        })
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.unless_denied(self.files.names(path, most), || {
            self.seen_by_owner(path)?.names(path, most)
        })
    }

    fn replace(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.files.replace(path, contents)
    }

    fn append(&self, path: &[u8], contents: &[u8]) -> io::Result<()> {
        self.files.append(path, contents)
    }
}

/// The files as a user sees them, by the helper.
struct UsersFiles {
    helper: Arc<DeliveryHelper>,
    files: Arc<dyn Files>,
    uid: u32,
    gid: Option<u32>,
}

impl UsersFiles {
    fn look(&self, path: &[u8], kind: u8, most: u64) -> io::Result<Frame> {
        let look = FileLook { uid: self.uid, gid: self.gid, path: path.to_vec(), kind, most };
        self.helper.order(&Frame::Look(look), &mut |_| Reply::Counts(false))
    }
}

impl Files for UsersFiles {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }

    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        match self.look(path, CONTENTS, limit)? {
            Frame::Contents(contents) => contents.map(Arc::from),
            _ => Err(gone()),
        }
    }

    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        // Most users have no such file, and what this process does not find they do not.
        if let Err(why) = self.files.stat(path, follow)
            && why.kind() == io::ErrorKind::NotFound
        {
            return Err(why);
        }
        match self.look(path, if follow { STAT } else { LINK }, 0)? {
            Frame::Stat(stat) => stat,
            _ => Err(gone()),
        }
    }

    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        match self.look(path, NAMES, most as u64)? {
            Frame::Names(names) => names,
            _ => Err(gone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_superusers_files_only_its_forward_files_are_read() {
        let Ok(Some(superuser)) = User::from_uid(Uid::from_raw(0)) else { return };
        let home = superuser.dir.as_os_str().as_bytes();
        for (name, is_one) in [
            ("/.forward", true),
            ("/.forward-list", true),
            ("/.forward/x", false),
            ("/.forward/../.netrc", false),
            ("/.netrc", false),
            ("/x/.forward", false),
            (".forward", false),
        ] {
            assert_eq!(is_superusers_forward(&[home, name.as_bytes()].concat()), is_one, "{name}");
        }
        assert!(!is_superusers_forward(b"/etc/shadow"));
    }
}
