//! Files as a user sees them: each look is taken by a thread that has that
//! user's credentials.

use std::io;
use std::sync::Arc;
use std::thread;

use eximious_core::world::{Files, LocalUser, Stat};
use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::files::SystemFiles;

/// The system's files, as a user sees them.
#[derive(Clone, Copy, Debug)]
pub struct AsUser {
    uid: Uid,
    gid: Option<Gid>,
}

impl AsUser {
    /// A user and a group by number.
    pub fn new(uid: u32, gid: Option<u32>) -> Self {
        Self { uid: Uid::from_raw(uid), gid: gid.map(Gid::from_raw) }
    }

    /// Does something with a user's rights.
    ///
    /// # Errors
    /// What it returns, or that the rights can't be had.
    pub fn with<T: Send>(self, look: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        thread::scope(|scope| {
            let worker = thread::Builder::new().spawn_scoped(scope, || {
                take_rights(self.uid.as_raw(), self.gid.map(Gid::as_raw), &[])?;
                look()
            })?;
            worker.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        })
    }
}

/// Makes this thread another user's, for good: with a group and other groups, or with none.
///
/// # Errors
/// What the system says; then the thread should end.
fn take_rights(uid: u32, gid: Option<u32>, groups: &[u32]) -> rustix::io::Result<()> {
    let uid = Uid::from_raw(uid);
    let mut all: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    if let Some(gid) = gid.map(Gid::from_raw)
        && !all.contains(&gid)
    {
        all.insert(0, gid);
    }
    set_thread_groups(&all)?;
    if let Some(gid) = gid.map(Gid::from_raw) {
        set_thread_res_gid(gid, gid, gid)?;
    }
    // Last the user: after that, nothing else may be changed.
    set_thread_res_uid(uid, uid, uid)
}

/// Does something with the superuser's rights, where this program is lent them and has put
/// them aside: only the thread has them that does it.
///
/// # Errors
/// What it returns, or that there are none.
pub(crate) fn as_the_lender<T: Send>(look: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let (own, superuser) = (rustix::process::getuid(), Uid::ROOT);
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, || {
            set_thread_res_uid(own, superuser, superuser)?;
            look()
        })?;
        worker.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    })
}

/// What has to be done to have a user's rights.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rights<'u> {
    /// This process is that user.
    Own,
    /// A thread has to take them.
    Taken(TakenRights<'u>),
}

/// The rights of a user that a thread may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenRights<'u>(&'u LocalUser);

impl TakenRights<'_> {
    /// Makes this thread that user's, for good.
    pub(crate) fn take(self) -> rustix::io::Result<()> {
        take_rights(self.0.uid, Some(self.0.gid), &self.0.groups)
    }
}

/// How to have a user's rights.
///
/// # Errors
/// This process has neither those nor the superuser's.
pub(crate) fn rights(user: &LocalUser) -> io::Result<Rights<'_>> {
    let (uid, gid) = (geteuid(), getegid());
    let is_user = (uid.as_raw(), gid.as_raw()) == (user.uid, user.gid);
    if is_user && (!uid.is_root() || user.groups.is_empty()) {
        return Ok(Rights::Own);
    }
    match uid.is_root() {
        true => Ok(Rights::Taken(TakenRights(user))),
        false => Err(rustix::io::Errno::PERM.into()),
    }
}

impl Files for AsUser {
    fn seen_by(self: Arc<Self>, _: u32, _: Option<u32>) -> Arc<dyn Files> {
        self
    }

    fn read(&self, name: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.with(|| SystemFiles.read(name, limit))
    }

    fn stat(&self, name: &[u8], follow: bool) -> io::Result<Stat> {
        self.with(|| SystemFiles.stat(name, follow))
    }

    fn names(&self, name: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.with(|| SystemFiles.names(name, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_sees_less_than_the_superuser() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let nobody = AsUser::new(65534, Some(65534));
        let why = nobody.read(b"/etc/shadow", 1 << 20).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::PermissionDenied);
        assert!(nobody.read(b"/etc/passwd", 1 << 20).is_ok());
        // This thread still has its own.
        assert!(SystemFiles.stat(b"/etc/shadow", true).is_ok());
        assert!(rustix::process::geteuid().is_root());
    }
}
