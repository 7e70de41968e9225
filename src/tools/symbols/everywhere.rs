//! The names in all lines of a configuration, those among them that conditions leave out.

use std::io;
use std::sync::Arc;

use eximious_core::world::{Files, Stat};
use eximious_core::{Registry, World};

use super::{Symbol, symbols};
use crate::config::{Config, conditional};
use crate::{ConfigError, Macros};

/// How large a file may be.
const LARGEST: u64 = 64 << 20;

/// Reads a file three times: as it is, with the first branch of each condition, and with the
/// next. The names in all of its lines are found so, except where one branch makes another
/// impossible to read.
///
/// # Errors
/// The file can't be read.
pub fn read_everywhere(
    name: &[u8],
    macros: &dyn Fn() -> Macros,
    world: &World,
    registry: &Registry,
) -> Result<Vec<Symbol>, ConfigError> {
    let mut found = Vec::new();
    for branch in [None, Some(Branch::First), Some(Branch::Next)] {
        let mut world = world.clone();
        if let Some(branch) = branch {
            world.files = Arc::new(Branches { files: world.files.clone(), branch });
        }
        let text = world.files.read(name, LARGEST).map_err(|why| {
            let message = eximious_stdlib::wording::reason(&why);
            ConfigError::somewhere(format!("{}: {message}", String::from_utf8_lossy(name)))
        })?;
        let mut config = Config::read_text(name, text, macros(), &world, registry);
        config.load_acl_files(&world, registry);
        found.extend(symbols(&config, registry, &world));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Which lines count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    /// Those behind `.ifdef` and `.ifndef`.
    First,
    /// Those behind the first `.else` or `.elifdef`.
    Next,
}

impl Branch {
    /// What to write in the place of a condition. Without a name behind it, `.ifndef` holds
    /// and `.ifdef` does not.
    fn instead(self, word: &[u8]) -> Option<&'static [u8]> {
        Some(match (word, self) {
            (b".ifdef" | b".ifndef", Self::First) => b".ifndef",
            (b".ifdef" | b".ifndef", Self::Next) => b".ifdef",
            (b".elifdef" | b".elifndef", Self::First) => b".elifdef",
            (b".elifdef" | b".elifndef", Self::Next) => b".else",
            _ => return None,
        })
    }
}

/// Files in which conditions hold or don't, whatever macros there are. Everything else
/// stands where it stood.
struct Branches {
    files: Arc<dyn Files>,
    branch: Branch,
}

impl Branches {
    fn rewritten(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|c| *c == b'\n') {
            let start = line.iter().take_while(|c| c.is_ascii_whitespace()).count();
            let end = line.strip_suffix(b"\n").map_or(line.len(), <[u8]>::len);
            let word = conditional(&line[start.min(end)..end]).map(|(word, _)| word);
            match word.and_then(|word| self.branch.instead(word)) {
                None => out.extend_from_slice(line),
                Some(other) => {
                    out.extend_from_slice(&line[..start]);
                    out.extend_from_slice(other);
                    out.extend_from_slice(&line[end..]);
                }
            }
        }
        out
    }
}

impl Files for Branches {
    fn read(&self, path: &[u8], limit: u64) -> io::Result<Arc<[u8]>> {
        self.files.read(path, limit).map(|text| self.rewritten(&text).into())
    }
    fn stat(&self, path: &[u8], follow: bool) -> io::Result<Stat> {
        self.files.stat(path, follow)
    }
    fn seen_by(self: Arc<Self>, uid: u32, gid: Option<u32>) -> Arc<dyn Files> {
        let files = self.files.clone().seen_by(uid, gid);
        Arc::new(Self { files, branch: self.branch })
    }
    fn names(&self, path: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        self.files.names(path, most)
    }
}
