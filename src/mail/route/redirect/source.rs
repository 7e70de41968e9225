//! Where redirection data comes from: `data`, `file`, and files that lists
//! include (specification 22.1).

use std::io::ErrorKind;
use std::sync::Arc;

use eximious_core::world::{Files, Stat};
use eximious_core::{Effects, Fail, FailClass, Meta, Str, TaintRule};
use eximious_stdlib::lookups;
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::wording::reason;

use super::super::Identity;
use super::super::machine::{Machine, unless_forced};
use super::super::pass::RouteError;
use super::super::router::{Router, Text};

/// How large redirection data may be.
const LARGEST: u64 = 1 << 20;
/// The bits of a mode that say what kind of file it is, and the regular kind.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const CHARACTERS: u32 = 0o020_000;
const LINK: u32 = 0o120_000;
const SOCKET: u32 = 0o140_000;
/// What the system says where a socket is opened as a file.
const NO_SUCH_DEVICE: i32 = 6;

/// Asking what a look-up complained of touches nothing.
static LOOKUP: Meta = Meta::new("redirect", Effects::empty(), TaintRule::Result);

/// The redirection data; `None` where there is none, and the router declines.
pub(super) fn data(machine: &mut Machine<'_>, router: &Router) -> Result<Option<Str>, RouteError> {
    if let Some(text) = router.text(opt::redirect::FILE) {
        return file(machine, router, text);
    }
    let Some(text) = router.some_text(opt::redirect::DATA) else { return Ok(None) };
    match unless_forced(text.expand(machine.cx)) {
        Ok(data) => Ok(data.filter(|data| !data.is_empty())),
        Err(fail) => Err(not_expanded(machine, text, &fail)),
    }
}

/// What is said of a text that can't be expanded.
pub(super) fn not_expanded(machine: &mut Machine<'_>, text: &Text, fail: &Fail) -> RouteError {
    let head = [b"failed to expand \"", text.written.bytes(), b"\": "].concat();
    let why = fail.reason().map(<[u8]>::to_vec);
    let known = machine.cx.call(&LOOKUP, |call| lookups::reason(call, why, b""));
    // What an earlier search complained of is no part of this.
    let is_own = fail.class() == FailClass::Defer || known == fail.message();
    let lookup = Some(known).filter(|_| is_own);
    RouteError { lookup, ..RouteError::new([&head, fail.message()].concat()) }
}

fn file(
    machine: &mut Machine<'_>,
    router: &Router,
    text: &Text,
) -> Result<Option<Str>, RouteError> {
    let name = match unless_forced(text.expand(machine.cx)) {
        Ok(Some(name)) => name,
        Ok(None) => return Ok(None),
        Err(fail) => return Err(not_expanded(machine, text, &fail)),
    };
    let path = name.bytes();
    if path.first() != Some(&b'/') {
        return Err(RouteError::new([b"\"", path, b"\" is not an absolute path"].concat()));
    }
    let identity = machine.identity(router)?;
    let files = files_of(machine, identity);
    // Whether there is a file is seen with all the rights that this process has.
    let all = machine.cx.engine().world().files.clone().seen_by(0, None);
    let absence = all.stat(path, true).err().filter(|why| why.kind() == ErrorKind::NotFound);
    let is_absent = absence.is_some() && all.stat(folder_of(path), true).is_ok();
    if name.taint().is_tainted() && !(is_absent && identity.uid.is_some()) {
        let message = [b"Tainted name '", path, b"' for file read not permitted\n"].concat();
        return Err(RouteError::new(message));
    }
    if let Some(why) = absence {
        return missing(machine, router, identity, &*all, path, &why);
    }
    let stat = match files.stat(path, true) {
        Ok(stat) if stat.mode & KIND == SOCKET => {
            let why = std::io::Error::from_raw_os_error(NO_SUCH_DEVICE);
            return missing(machine, router, identity, &*files, path, &why);
        }
        Ok(stat) => stat,
        Err(why) => return missing(machine, router, identity, &*files, path, &why),
    };
    // Who may not open it is told so first.
    let contents = match stat.mode & KIND == REGULAR {
        true => Some(files.read(path, LARGEST)),
        false => None,
    };
    if let Some(Err(why)) = &contents
        && why.kind() == ErrorKind::PermissionDenied
    {
        return missing(machine, router, identity, &*files, path, why);
    }
    let Some(contents) = contents else {
        return Err(RouteError::new([path, b" is not a regular file"].concat()));
    };
    check(machine, router, path, &stat)?;
    if stat.size > LARGEST {
        return Err(RouteError::new(too_big(path)));
    }
    match contents {
        Ok(bytes) => Ok(Some(text_of(&bytes)).filter(|data| !data.is_empty())),
        Err(why) => missing(machine, router, identity, &*files, path, &why),
    }
}

/// The directory of a file.
fn folder_of(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|c| *c == b'/').unwrap_or(0) {
        0 => b"/",
        slash => &path[..slash],
    }
}

/// What a file that can't be opened means.
fn missing(
    machine: &Machine<'_>,
    router: &Router,
    identity: Identity,
    files: &dyn Files,
    path: &[u8],
    why: &std::io::Error,
) -> Result<Option<Str>, RouteError> {
    let ignored = match why.kind() {
        ErrorKind::NotFound if router.on(opt::redirect::IGNORE_ENOTDIR) => true,
        // The directory may be on another host that is away.
        ErrorKind::NotFound => {
            let directory = folder_of(path);
            if let Err(why) = files.stat(directory, true) {
                let why = format!("/. ({})", reason(&why));
                let message = [b"failed to stat ", directory, why.as_bytes()].concat();
                return Err(RouteError::new(message));
            }
            true
        }
        ErrorKind::NotADirectory => router.on(opt::redirect::IGNORE_ENOTDIR),
        ErrorKind::PermissionDenied => router.on(opt::redirect::IGNORE_EACCES),
        _ => false,
    };
    if ignored {
        return Ok(None);
    }
    let why = said_of(machine, identity, why);
    Err(RouteError::new([b"failed to open ", path, b": ", why.as_bytes()].concat()))
}

/// The system's words, and whose rights are too few.
fn said_of(machine: &Machine<'_>, identity: Identity, why: &std::io::Error) -> String {
    if why.kind() != ErrorKind::PermissionDenied {
        return reason(why).to_string();
    }
    let (uid, gid) = match identity.uid {
        Some(uid) => (uid, identity.gid.unwrap_or(uid)),
        None => machine.cx.engine().world().host.ids(),
    };
    format!("{} (euid={uid} egid={gid})", reason(why))
}

/// `modemask`, `check_owner`, `check_group`.
fn check(
    machine: &Machine<'_>,
    router: &Router,
    path: &[u8],
    stat: &Stat,
) -> Result<(), RouteError> {
    let mask = u32::try_from(router.get(opt::redirect::MODEMASK)).unwrap_or(u32::MAX);
    if stat.mode & mask != 0 {
        let head = format!("bad mode (0{:o}) for ", stat.mode & 0o177_777);
        let tail = format!(": 0{:o} bit(s) unexpected", stat.mode & mask);
        return Err(RouteError::new([head.as_bytes(), path, tail.as_bytes()].concat()));
    }
    let user = machine.offer.user.as_ref();
    let owners = router.ids(opt::redirect::OWNERS);
    let owned = user.is_some_and(|user| user.uid == stat.uid) || owners.contains(&stat.uid);
    if router.on(opt::redirect::CHECK_OWNER) && !owned {
        return Err(RouteError::new([b"bad owner for ", path].concat()));
    }
    let groups = router.ids(opt::redirect::OWNGROUPS);
    let owned = user.is_some_and(|user| user.gid == stat.gid) || groups.contains(&stat.gid);
    if router.on(opt::redirect::CHECK_GROUP) && !owned {
        return Err(RouteError::new([b"bad group for ", path].concat()));
    }
    Ok(())
}

/// What a list includes.
pub(super) fn included(
    machine: &Machine<'_>,
    router: &Router,
    identity: Identity,
    name: &Str,
) -> Result<Str, Vec<u8>> {
    let path = name.bytes();
    if path.first() != Some(&b'/') {
        return Err([b"included file \"", path, b"\" is not an absolute path"].concat());
    }
    if name.taint().is_tainted() {
        return Err([b"Tainted name '", path, b"' for included file not permitted"].concat());
    }
    let files = files_of(machine, identity);
    let failed = |what: &[u8], why: &str| [what, path, b": ", why.as_bytes()].concat();
    if let Some(directory) = router.some_text(opt::redirect::INCLUDE_DIRECTORY) {
        let directory = directory.written.bytes();
        let inside = path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"));
        // Steps up lead out again.
        let steps = path.split(|c| *c == b'/').any(|part| part == b"..");
        if !inside || steps {
            let head = [b"included file ", path, b" is not in directory "].concat();
            return Err([&head, directory].concat());
        }
        // So does a link.
        let ends = (directory.len() + 1..path.len()).filter(|at| path[*at] == b'/');
        for end in ends.chain([path.len()]) {
            let part = &path[..end];
            let is_link = files.stat(part, false).is_ok_and(|stat| stat.mode & KIND == LINK);
            if is_link {
                let tail = b" (component of included file); could be symbolic link";
                return Err([b"failed to open ", part, tail.as_slice()].concat());
            }
        }
    }
    let stat = files.stat(path, true).map_err(|why| {
        if router.some_text(opt::redirect::INCLUDE_DIRECTORY).is_some() {
            let tail = b" (component of included file); could be symbolic link";
            return [b"failed to open ", path, tail].concat();
        }
        failed(b"failed to open included file ", &said_of(machine, identity, &why))
    })?;
    match stat.mode & KIND {
        REGULAR if stat.size > LARGEST => {
            return Err([b"included file ", too_big(path).as_slice()].concat());
        }
        REGULAR => {}
        // The one that is always empty says nothing.
        CHARACTERS => {}
        DIRECTORY => return Err(failed(b"error while reading included file ", "Is a directory")),
        _ => return Err(failed(b"included file ", "not a regular file")),
    }
    match files.read(path, LARGEST) {
        Ok(bytes) => Ok(text_of(&bytes)),
        Err(why) => {
            Err(failed(b"failed to open included file ", &said_of(machine, identity, &why)))
        }
    }
}

/// The files, as a user sees them.
fn files_of(machine: &Machine<'_>, identity: Identity) -> Arc<dyn Files> {
    let files = &machine.cx.engine().world().files;
    match (identity.uid, identity.gid) {
        (Some(uid), gid) => files.clone().seen_by(uid, gid),
        (None, _) => files.clone(),
    }
}

fn too_big(path: &[u8]) -> Vec<u8> {
    [path, format!(" is too big (max {LARGEST})").as_bytes()].concat()
}

/// What a file says: as other texts, it ends at a zero byte.
fn text_of(bytes: &[u8]) -> Str {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    Str::from(bytes[..end].to_vec())
}
