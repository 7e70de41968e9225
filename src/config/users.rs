//! Users and groups by name, from services that may be slow to know them (specification
//! 14, `finduser_retries`).

use std::io;
use std::time::Duration;

use eximious_core::world::{Group, User, Users};
use eximious_core::{Settings, World};
use eximious_stdlib::options::opt;

/// How long it takes until somebody is looked for again.
const BETWEEN: Duration = Duration::from_secs(1);

/// How often at most: for an hour.
const MOST: i64 = 3600;

/// The users of a world: whoever is not found is looked for again, as often as the options
/// say.
pub(crate) struct PatientUsers<'w> {
    world: &'w World,
    retries: i64,
}

impl<'w> PatientUsers<'w> {
    pub(crate) fn of(world: &'w World, settings: &Settings) -> Self {
        Self { world, retries: settings.get(opt::FINDUSER_RETRIES).min(MOST) }
    }

    fn find<T>(&self, find: impl Fn() -> io::Result<Option<T>>) -> io::Result<Option<T>> {
        let mut left = self.retries;
        loop {
            match find() {
                Ok(None) | Err(_) if left > 0 => {}
                found => return found,
            }
            left -= 1;
            self.world.clock.wait(BETWEEN);
        }
    }
}

impl Users for PatientUsers<'_> {
    fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
        self.find(|| self.world.users.user(name))
    }

    fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
        self.world.users.user_by_id(uid)
    }

    fn group(&self, name: &[u8]) -> io::Result<Option<Group>> {
        self.find(|| self.world.users.group(name))
    }

    fn group_by_id(&self, gid: u32) -> io::Result<Option<Group>> {
        self.world.users.group_by_id(gid)
    }

    fn groups_of(&self, user: &[u8], gid: u32) -> io::Result<Vec<u32>> {
        self.world.users.groups_of(user, gid)
    }

    fn crypt(&self, password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        self.world.users.crypt(password, setting)
    }

    fn authenticate(
        &self,
        service: &[u8],
        user: &[u8],
        answers: &[Vec<u8>],
    ) -> Result<bool, Vec<u8>> {
        self.world.users.authenticate(service, user, answers)
    }
}
