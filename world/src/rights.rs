//! Whose rights this process has, and who called it (specification, chapter 56).
//!
//! A program that is installed set-uid has more rights than its caller. Here they are
//! told apart, put aside, and given up for good. All threads of a process change
//! together.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::{Gid, Uid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A user, and the groups that it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The user's number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// The numbers of all its groups.
    pub groups: Vec<u32>,
    /// Whether the program has other rights than it: it is installed set-uid, or
    /// set-gid.
    pub is_lent_rights: bool,
}

static CALLER: OnceLock<Caller> = OnceLock::new();

/// Who called the program: its real user, whatever rights the program has. It is noted
/// when it is first asked for, which a program does before anything else.
pub fn caller() -> &'static Caller {
    CALLER.get_or_init(|| {
        // Neither can fail for the process itself; who can't be known has no rights.
        let nobody = Uid::from_raw(65534);
        let users = getresuid();
        let (uid, lent_user) = match users {
            Ok(all) => (all.real, all.real != all.effective || all.real != all.saved),
            Err(_) => (nobody, true),
        };
        let (gid, lent_group) = match getresgid() {
            Ok(all) => (all.real, all.real != all.effective || all.real != all.saved),
            Err(_) => (Gid::from_raw(65534), true),
        };
        let groups = getgroups().unwrap_or_default();
        Caller {
            uid: uid.as_raw(),
            gid: gid.as_raw(),
            groups: groups.into_iter().map(Gid::as_raw).collect(),
            is_lent_rights: lent_user || lent_group,
        }
    })
}

/// Whether the program's file lends the superuser's rights to whoever calls it.
pub fn are_lent_by_program() -> bool {
    const SET_UID: u32 = 0o4000;
    let about = std::fs::metadata("/proc/self/exe");
    about.is_ok_and(|about| about.uid() == 0 && about.mode() & SET_UID != 0)
}

/// What the environment said at the beginning, where libraries are not to see it.
static ENVIRONMENT: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();

/// Keeps from libraries what the caller's environment tells them, where the program is lent
/// rights: they would take orders from it, as the process itself is nobody else than the user
/// whose rights it has. How a terminal is to be spoken to is left. For the beginning of a
/// process alone, which has one thread yet.
pub fn hide_environment() {
    const LEFT: [&str; 3] = ["TERM", "COLORTERM", "NO_COLOR"];
    if caller().is_lent_rights {
        let _ = ENVIRONMENT.set(eximious_exec::take_environment(&LEFT));
    }
}

/// Has what this process makes readable by those for whom it is made, whatever the caller's
/// umask is: logs and the spool are not the caller's.
pub fn settle_umask() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
}

/// Whether the environment is as if there had been none.
static IS_FORGOTTEN: AtomicBool = AtomicBool::new(false);

/// From here on it is as if there had been no environment, here and for processes that this one
/// starts.
pub fn forget_environment() {
    IS_FORGOTTEN.store(true, Ordering::Relaxed);
}

/// The environment as it was at the beginning, unless it was forgotten.
pub(crate) fn environment() -> Vec<(OsString, OsString)> {
    if IS_FORGOTTEN.load(Ordering::Relaxed) {
        return Vec::new();
    }
    ENVIRONMENT.get().cloned().unwrap_or_else(|| std::env::vars_os().collect())
}

/// A variable of the environment as it was at the beginning.
pub(crate) fn variable(name: &OsStr) -> Option<OsString> {
    if IS_FORGOTTEN.load(Ordering::Relaxed) {
        return None;
    }
    match ENVIRONMENT.get() {
        Some(known) => {
            known.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        }
        None => std::env::var_os(name),
    }
}

/// Gives up all rights but the caller's, for good.
///
/// # Errors
/// What the system says; then nothing may go on.
pub fn become_caller() -> io::Result<()> {
    let caller = caller();
    if !caller.is_lent_rights {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(caller.uid), Gid::from_raw(caller.gid));
    let groups: Vec<Gid> = caller.groups.iter().copied().map(Gid::from_raw).collect();
    take_up();
    if has_root() {
        setgroups(&groups)?;
    }
    setresgid(gid, gid, gid)?;
    // Last the user: after that, nothing else may be changed.
    setresuid(uid, uid, uid)?;
    settled(uid, gid)
}

/// Gives up all rights but those of a user and a group, for good. Only the superuser can
/// be anybody: where the program has not its rights, it stays who it is, and who called
/// it goes.
///
/// # Errors
/// What the system says; then nothing may go on.
pub fn become_user(user: u32, group: u32) -> io::Result<()> {
    take_up();
    if !has_root() {
        return stay();
    }
    if user == 0 {
        // Where there is no such user, who lends rights to whom is not known: the caller
        // has its own, and the superuser those it came with.
        return become_caller();
    }
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(group));
    setgroups(&[gid])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    settled(uid, gid)
}

/// Becomes the superuser, the real one, where the program is lent its rights by being
/// installed set-uid: only to start what needs them, before [`become_user`].
pub fn become_superuser() -> bool {
    take_up();
    let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
    has_root() && setresgid(gid, gid, gid).is_ok() && setresuid(uid, uid, uid).is_ok()
}

/// Lifts the bounds that a caller has set for its processes, where the program is lent the
/// superuser's rights: what it does for others is not to fail by them. Only for who goes on as
/// somebody else than the caller.
pub fn lift_limits() {
    /// So many files may be open at least.
    const OPEN_FILES: u64 = 1024;
    if !has_root() || !caller().is_lent_rights {
        return;
    }
    use Resource::{As, Cpu, Data, Fsize, Nofile, Nproc, Rss};
    for (resource, wanted) in [
        (Cpu, None),
        (Fsize, None),
        (Data, None),
        (As, None),
        (Rss, None),
        (Nproc, None),
        (Nofile, Some(OPEN_FILES)),
    ] {
        let Rlimit { current, maximum } = getrlimit(resource);
        let raised = |bound: Option<u64>| Some(bound?.max(wanted?));
        let all = Rlimit { current: raised(current), maximum: raised(maximum) };
        if setrlimit(resource, all).is_err() {
            // The superuser itself may be kept from more than this.
            let _ = setrlimit(resource, Rlimit { current: maximum, maximum });
        }
    }
}

/// Puts the superuser's rights aside, where the program is lent them by being installed
/// so: it goes on as a user and a group, and [`become_caller`] or [`become_user`] settles
/// who it is.
///
/// # Errors
/// What the system says; then nothing may go on.
pub fn put_aside(user: u32, group: u32) -> io::Result<()> {
    if !has_root() || !caller().is_lent_rights {
        return Ok(());
    }
    if user == 0 {
        return become_caller();
    }
    let (uid, gid, root) = (Uid::from_raw(user), Gid::from_raw(group), Uid::from_raw(0));
    setgroups(&[gid])?;
    setresgid(gid, gid, gid)?;
    Ok(setresuid(Uid::from_raw(caller().uid), uid, root)?)
}

/// Makes the spool directory for the mail server's user, where the superuser may and there
/// is none. What lies above it has to be there.
///
/// # Errors
/// What the system says.
pub fn make_spool(path: &[u8], user: u32, group: u32) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    if !has_root() || user == 0 {
        return Ok(());
    }
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o750)) {
        Err(rustix::io::Errno::EXIST) => return Ok(()),
        made => made?,
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let made = rustix::fs::open(path, flags, Mode::empty())?;
    let (uid, gid) = (rustix::fs::Uid::from_raw(user), rustix::fs::Gid::from_raw(group));
    Ok(rustix::fs::fchown(made, Some(uid), Some(gid))?)
}

/// Takes the superuser's rights up again that were put aside; where there are none,
/// nothing changes.
pub fn take_up() {
    if are_put_aside() {
        // Whoever goes on checks what it has.
        let _ = nix::unistd::seteuid(Uid::from_raw(0));
    }
}

/// Whether the superuser's rights were put aside, and can be taken up.
pub(crate) fn are_put_aside() -> bool {
    caller().is_lent_rights && !has_root() && getresuid().is_ok_and(|all| all.saved.is_root())
}

fn has_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whoever is lent a user's rights that is not the superuser stays that user, and nobody
/// else.
fn stay() -> io::Result<()> {
    if !caller().is_lent_rights {
        return Ok(());
    }
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    settled(uid, gid)
}

/// Whether nothing is left but what was meant, and nothing comes back.
fn settled(uid: Uid, gid: Gid) -> io::Result<()> {
    let users = getresuid()?;
    let groups = getresgid()?;
    let all = [users.real, users.effective, users.saved].iter().all(|one| *one == uid)
        && [groups.real, groups.effective, groups.saved].iter().all(|one| *one == gid);
    let back = !uid.is_root() && setresuid(uid, Uid::from_raw(0), uid).is_ok();
    match all && !back {
        true => Ok(()),
        false => Err(io::Error::other("rights are not given up")),
    }
}
