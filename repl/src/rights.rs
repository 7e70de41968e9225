//! With whose rights the program does what it is asked for (specification, chapter 56).
//!
//! Rights follow the real user. Where the program is installed set-uid, it puts the
//! superuser's rights aside before it looks at anything, reads the site's configuration
//! with those of the mail server's user, and is for good whoever the work wants before
//! anything is expanded. A caller who brings a configuration or macros has nobody's
//! rights but its own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use eximious::stdlib::options::server_ids;
use eximious::{Settings, World, opt};
use eximious_world::{DeliveryHelper, rights};

use crate::refusal::Refusal;
use crate::{caller, usual};

/// Files with the names of other configurations that are as trusted as the usual one, a
/// line each. Only the superuser may have written it.
const TRUSTED_CONFIGURATIONS: &str = match option_env!("EXIMIOUS_TRUSTED_CONFIG_LIST") {
    Some(file) => file,
    None => "/etc/exim4/trusted_configs",
};

/// The macros that the mail server's user may define and keep its rights, with colons
/// between them.
const TRUSTED_MACROS: &str = match option_env!("EXIMIOUS_WHITELIST_D_MACROS") {
    Some(names) => names,
    None => "OUTGOING",
};

/// The world of a process that gives the superuser's rights up: deliveries to users are made
/// by another that it starts before, which has them.
pub fn with_helper(world: World) -> World {
    match is_superuser() {
        true => helped(world, false, &[]),
        false => world,
    }
}

/// The same for as long as a daemon lasts, which may read the files of its configuration anew.
pub fn with_lasting_helper(
    world: World,
    configuration: impl FnOnce(&World) -> Vec<Vec<u8>>,
) -> World {
    if !is_superuser() {
        return world;
    }
    let files = configuration(&world);
    helped(world, true, &files)
}

/// Whether the superuser itself called the program.
pub fn is_superuser() -> bool {
    let caller = rights::caller();
    caller.uid == 0 && !caller.is_lent_rights
}

fn helped(world: World, lasts: bool, configuration: &[Vec<u8>]) -> World {
    match DeliveryHelper::start(Path::new("/proc/self/exe"), lasts, configuration) {
        Ok(helper) => Arc::new(helper).in_world(world),
        Err(why) => {
            let line = format!("cannot start what delivers with users' rights: {why}");
            world.log.panic(line.as_bytes());
            world
        }
    }
}

/// Whose rights something is done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rights {
    /// Those of whoever called the program.
    #[default]
    Caller,
    /// Those of the mail server's user, once the configuration says who that is.
    Server,
    /// Those of the superuser, where it called the program: addresses are routed as for a
    /// delivery, and ports are opened.
    Superuser,
    /// As [`Self::Superuser`], to deliver: a program that is installed set-uid, and was called
    /// by who may have it deliver, starts what delivers with users' rights.
    Delivery,
}

/// What decides whether the program keeps rights that its caller has not.
#[derive(Debug, Default)]
pub struct Claim {
    /// Whether it reads a configuration that its caller may not read.
    pub reads_configuration: bool,
    /// `-C`: the names of configurations that the caller brings.
    pub config: Option<Vec<u8>>,
    /// `-D`: the macros that it brings.
    pub macros: Vec<(Vec<u8>, Vec<u8>)>,
    /// `-oP`: whether the caller names a file for the daemon's process.
    pub names_pid_file: bool,
}

impl Claim {
    /// Puts rights aside that the caller has not, before anything is read. Where the
    /// caller brings what is read, they are gone.
    ///
    /// # Errors
    /// What to say; then nothing may go on.
    pub fn begin(&self, world: &World) -> Result<(), Refusal> {
        let caller = rights::caller();
        if !caller.is_lent_rights {
            return Ok(());
        }
        let settings = Settings::default();
        if self.names_pid_file
            && let Some(why) = caller::refused_pid_file(&settings, world)
        {
            return Err(Refusal::Said(why));
        }
        let (uid, gid) = server_ids(&settings, &*world.users, &*world.host);
        let is_server = caller.uid == uid || caller.uid == 0;
        let config = self.config.as_deref();
        let brings = config.is_some_and(|names| !is_trusted(names, is_server, world))
            || self.macros.iter().any(|(name, value)| !is_server || !is_trusted_macro(name, value));
        let done = match self.reads_configuration && !brings {
            true => rights::put_aside(uid, gid),
            false => rights::become_caller(),
        };
        done.map_err(failed)
    }
}

impl Rights {
    /// Goes on as whoever has these, for good: the configuration is read, and nothing of
    /// it was expanded yet. The world as it is then.
    ///
    /// # Errors
    /// What to say; then nothing may go on.
    pub fn settle(self, settings: &Settings, world: World) -> Result<World, Refusal> {
        let is_superuser = rights::caller().uid == 0;
        match self {
            Self::Caller => rights::become_caller().map_err(failed)?,
            Self::Superuser if is_superuser => {
                let (uid, gid) = make_spool(settings, &world);
                return Ok(eximious_world::with_hints_of(world, uid, gid));
            }
            Self::Server | Self::Superuser => become_server(settings, &world)?,
            Self::Delivery => {
                let may =
                    !settings.get(opt::PROD_REQUIRES_ADMIN) || caller::is_admin(settings, &world);
                let lends = is_superuser || may && rights::become_superuser();
                rights::lift_limits();
                let world = if lends { helped(world, false, &[]) } else { world };
                become_server(settings, &world)?;
                return Ok(world);
            }
        }
        Ok(world)
    }
}

fn become_server(settings: &Settings, world: &World) -> Result<(), Refusal> {
    rights::take_up();
    rights::lift_limits();
    let (uid, gid) = make_spool(settings, world);
    rights::become_user(uid, gid).map_err(failed)
}

/// Makes the spool directory for the mail server's user, whose numbers these are. Whoever
/// needs it says that it is not there.
pub fn make_spool(settings: &Settings, world: &World) -> (u32, u32) {
    let (uid, gid) = server_ids(settings, &*world.users, &*world.host);
    let _ = rights::make_spool(settings.get(opt::SPOOL_DIRECTORY).bytes(), uid, gid);
    (uid, gid)
}

fn failed(why: io::Error) -> Refusal {
    Refusal::Said(format!("eximious: unable to set gid or uid: {why}").into_bytes())
}

/// Whether a configuration is the site's own, or one that the superuser put on the list
/// of those that the mail server's user may name.
fn is_trusted(names: &[u8], is_server: bool, world: &World) -> bool {
    if is_usual(names) {
        return true;
    }
    is_server
        && trusted_configurations(world).split(|c| *c == b'\n').any(|line| {
            let line = line.trim_ascii();
            line.starts_with(b"/") && line == names
        })
}

/// Whether a configuration is the site's own, or one of several that may be.
pub fn is_usual(names: &[u8]) -> bool {
    names == usual::FILES || usual::FILES.split(|c| *c == b':').any(|usual| usual == names)
}

/// What stands in the list, where only the superuser can write it.
fn trusted_configurations(world: &World) -> Vec<u8> {
    const LARGEST: u64 = 1 << 20;
    let name = TRUSTED_CONFIGURATIONS.as_bytes();
    let about = world.files.stat(name, false);
    let unwritable =
        about.is_ok_and(|about| about.is_file() && about.uid == 0 && about.mode & 0o022 == 0);
    let text = unwritable.then(|| world.files.read(name, LARGEST).ok()).flatten();
    text.map(|text| text.to_vec()).unwrap_or_default()
}

/// Whether a macro is one that may be defined, with a value that does no harm.
fn is_trusted_macro(name: &[u8], value: &[u8]) -> bool {
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"/_.-".contains(c);
    TRUSTED_MACROS.split(':').any(|known| known.as_bytes() == name) && value.iter().all(plain)
}
