//! To which configuration a file belongs.

use eximious::check::parts;
use eximious::world::Files;
use eximious::{Config, Registry, World};

use super::project::{Root, given};

/// How many files are looked into.
const MOST: usize = 64;
/// How large one may be.
const LARGEST: u64 = 1 << 20;
/// How many names of a folder are looked at.
const MOST_NAMES: usize = 5000;
/// How many folders above a file are looked at.
const HIGHEST: usize = 3;

/// Looks for the configuration of a file: a main one, if that includes it, one that is
/// open or lies near and does, or the parts of Debian's; else it is one by itself.
pub(super) fn root_of(
    path: &[u8],
    mains: &[Vec<u8>],
    near: &[Vec<u8>],
    macros: &[(Vec<u8>, Vec<u8>)],
    world: &World,
    registry: &Registry,
) -> Root {
    let includes = |name: &[u8]| {
        let Ok(text) = world.files.read(name, LARGEST) else { return false };
        if memchr::memmem::find(&text, b".include").is_none() {
            return false;
        }
        let config = Config::read_text(name, text, given(macros), world, registry);
        config.sources.files().iter().any(|file| file.name == path)
    };
    let is_main = |main: &&Vec<u8>| main.as_slice() == path;
    let main = mains.iter().find(is_main).or_else(|| mains.iter().find(|main| includes(main)));
    if let Some(main) = main {
        return Root::File(main.clone());
    }
    if let Some(folder) = parts::folder(path) {
        return Root::Parts(folder.to_vec());
    }
    let mut looked = Vec::new();
    for name in near.iter().cloned().chain(beside(path, &*world.files)) {
        if name == path || looked.contains(&name) {
            continue;
        }
        if looked.len() >= MOST {
            break;
        }
        if includes(&name) {
            return Root::File(name);
        }
        looked.push(name);
    }
    Root::File(path.to_vec())
}

/// The files beside a file, and in the folders above it, that may be configurations.
fn beside(path: &[u8], files: &dyn Files) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut end = path.len();
    for _ in 0..HIGHEST {
        let Some(slash) = memchr::memrchr(b'/', &path[..end]) else { break };
        let folder = &path[..=slash];
        let mut names = files.names(folder, MOST_NAMES).unwrap_or_default();
        names.retain(|name| is_configuration(name));
        names.sort();
        found.extend(names.into_iter().map(|name| [folder, &name].concat()));
        end = slash;
    }
    found
}

/// Whether a file may be one, by its name.
fn is_configuration(name: &[u8]) -> bool {
    let begins = [&b"exim.conf"[..], b"exim4.conf", b"configure"];
    let ends = [&b".conf"[..], b".exim", b".template"];
    begins.iter().any(|part| name.starts_with(part)) || ends.iter().any(|end| name.ends_with(end))
}
