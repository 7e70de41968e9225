//! Which of the names that a configuration gives stand where. Each text is gone
//! through once, however many names there are.

use std::collections::HashSet;

use crate::config::Config;
use crate::config::macros::Index;

/// Names, each once.
#[derive(Debug, Default)]
pub(in crate::tools) struct Names<'n> {
    index: Index,
    names: Vec<&'n [u8]>,
}

impl<'n> Names<'n> {
    /// Gathers names; one that comes again counts once.
    pub(in crate::tools) fn new(names: impl Iterator<Item = &'n [u8]>) -> Self {
        let mut all = Self::default();
        for name in names.filter(|name| !name.is_empty()) {
            if all.index.number(name).is_none() {
                all.index.add(name);
                all.names.push(name);
            }
        }
        all
    }

    /// Each place of a text where a name stands that is not the beginning of a
    /// longer word.
    pub(in crate::tools) fn each_in(&self, text: &[u8], mut found: impl FnMut(&'n [u8], usize)) {
        self.index.each_in(text, |number, at| {
            let name = self.names[number];
            if !text.get(at + name.len()).is_some_and(word) {
                found(name, at);
            }
        });
    }
}

/// Whether a byte can be part of a name.
pub(in crate::tools) fn word(c: &u8) -> bool {
    c.is_ascii_alphanumeric() || *c == b'_'
}

/// The names that a line between `.ifdef` and `.endif` has: with other macros,
/// what they name would be used there. Its own definition is no use.
pub(super) fn left_out(config: &Config) -> HashSet<Vec<u8>> {
    let macros = config.macros.iter().map(|(name, _)| name);
    let lists = config.list_uses.iter().map(|list| list.name.as_slice());
    let acls = config.acls.iter().map(|acl| acl.name.bytes());
    let transports = config.transports.iter().map(|transport| transport.name.bytes());
    let names = Names::new(macros.chain(lists).chain(acls).chain(transports));
    let mut found = HashSet::new();
    for file in config.sources.files() {
        let mut depth = 0u32;
        for line in file.text.split(|c| *c == b'\n').map(<[u8]>::trim_ascii) {
            if line.starts_with(b".if") {
                depth += 1;
            } else if line.starts_with(b".endif") {
                depth = depth.saturating_sub(1);
            }
            if depth > 0 && !line.starts_with(b"#") {
                names.each_in(line, |name, _| {
                    if !found.contains(name) && !defines(line, name) {
                        found.insert(name.to_vec());
                    }
                });
            }
        }
    }
    found
}

fn defines(line: &[u8], name: &[u8]) -> bool {
    let words = ["domainlist ", "hostlist ", "addresslist ", "localpartlist "];
    let list = words.iter().find_map(|word| line.strip_prefix(word.as_bytes()));
    let rest = list.unwrap_or(line).trim_ascii_start().strip_prefix(name);
    let sign = rest.and_then(|rest| rest.trim_ascii_start().first().copied());
    matches!(sign, Some(b'=' | b':'))
}
