//! Users and groups of the system.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use eximious_core::world::{Group, User, Users};

use crate::version::Version;

/// How long a user is taken to be who he was, and how many are remembered: an address
/// passes several routers that ask for the same one, and the next address does again.
const SAME_USER: Duration = Duration::from_secs(1);
const MOST_USERS: usize = 256;
/// The file of the users of this host: once it is another, nothing is remembered.
const LOCAL_USERS: &str = "/etc/passwd";

/// The system's users and groups, from wherever it keeps them.
#[derive(Debug, Default)]
pub struct SystemUsers {
    known: Mutex<Known>,
}

/// The users that were looked for last.
#[derive(Debug, Default)]
struct Known {
    version: Option<Version>,
    users: HashMap<Asked, (Instant, Option<User>)>,
}

/// By what a user was looked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Asked {
    Name(String),
    Id(u32),
}

impl SystemUsers {
    fn known(&self, asked: &Asked) -> Option<Option<User>> {
        let version = Version::at(LOCAL_USERS);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.version != version || version.is_none() {
            known.version = version;
            known.users.clear();
            return None;
        }
        let (since, user) = known.users.get(asked)?;
        (since.elapsed() < SAME_USER).then(|| user.clone())
    }

    /// The user as it was found a moment ago, or as it is found now.
    fn found(
        &self,
        asked: Asked,
        find: impl FnOnce() -> nix::Result<Option<nix::unistd::User>>,
    ) -> io::Result<Option<User>> {
        if let Some(user) = self.known(&asked) {
            return Ok(user);
        }
        let user = find()?.map(filled);
        self.remember(asked, &user);
        Ok(user)
    }

    fn remember(&self, asked: Asked, user: &Option<User>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.users.len() >= MOST_USERS {
            known.users.clear();
        }
        known.users.insert(asked, (Instant::now(), user.clone()));
    }
}

impl Users for SystemUsers {
    fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
        // Names that are not UTF-8 are not names of users here.
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        self.found(Asked::Name(name.to_owned()), || nix::unistd::User::from_name(name))
    }

    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
        self.found(Asked::Id(uid), || nix::unistd::User::from_uid(uid.into()))
    }

    fn group(&self, name: &[u8]) -> io::Result<Option<Group>> {
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        Ok(nix::unistd::Group::from_name(name)?.map(group))
    }

    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>> {
        Ok(nix::unistd::Group::from_gid(gid.into())?.map(group))
    }

    fn groups_of(&self, user: &[u8], gid: u32) -> io::Result<Vec<u32>> {
        let user = CString::new(user)?;
        let all = nix::unistd::getgrouplist(&user, gid.into())?;
        Ok(all.into_iter().map(nix::unistd::Gid::as_raw).collect())
    }

    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        eximious_crypt::crypt(password, setting)
    }

    fn authenticate(
        &self,
        service: &[u8],
        user: &[u8],
        answers: &[Vec<u8>],
    ) -> Result<bool, Vec<u8>> {
        use eximious_pam::{PamError, authenticate};
        authenticate(service, user, answers).map_err(|error| match error {
            PamError::Missing(why) => format!("PAM is not there: {why}").into_bytes(),
            PamError::Failed(why) => why,
        })
    }
}

fn filled(user: nix::unistd::User) -> User {
    use std::os::unix::ffi::OsStringExt;
    User {
        name: user.name.into_bytes(),
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        gecos: user.gecos.into_bytes(),
        home: user.dir.into_os_string().into_vec(),
        shell: user.shell.into_os_string().into_vec(),
    }
}

fn group(group: nix::unistd::Group) -> Group {
    Group {
        name: group.name.into_bytes(),
        gid: group.gid.as_raw(),
        members: group.mem.into_iter().map(String::into_bytes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_groups_are_those_that_name_him() {
        let users = SystemUsers::default();
        let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let named = |line: &str| {
            let parts: Vec<&str> = line.split(':').collect();
            let gid: u32 = parts.get(2)?.parse().ok()?;
            Some((gid, parts.get(3)?.split(',').next().filter(|name| !name.is_empty())?.to_owned()))
        };
        for (gid, name) in text.lines().filter_map(named) {
            assert!(users.groups_of(name.as_bytes(), 54_321).unwrap().contains(&gid), "{name}");
        }
        assert_eq!(users.groups_of(b"no-such-user", 54_321).unwrap(), [54_321]);
        assert!(users.groups_of(b"a\0b", 1).is_err());
    }
}
