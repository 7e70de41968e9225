//! Users and groups of the system.

use std::io;

use eximious_core::world::{Group, User, Users};

/// The system's users and groups, from wherever it keeps them.
#[derive(Debug)]
pub struct System;

impl Users for System {
    fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
        // Names that are not UTF-8 are not names of users here.
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        Ok(nix::unistd::User::from_name(name)?.map(filled))
    }

    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
        Ok(nix::unistd::User::from_uid(uid.into())?.map(filled))
    }

    fn group(&self, name: &[u8]) -> io::Result<Option<Group>> {
        let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
        Ok(nix::unistd::Group::from_name(name)?.map(group))
    }

    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>> {
        Ok(nix::unistd::Group::from_gid(gid.into())?.map(group))
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
        use eximious_pam::{Error, authenticate};
        authenticate(service, user, answers).map_err(|error| match error {
            Error::Missing(why) => format!("PAM is not there: {why}").into_bytes(),
            Error::Failed(why) => why,
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
