//! ACLs that stand in files of their own (specification 44.6): Exim reads such a
//! file when it comes to it, `check` reads it with the configuration.

use std::collections::VecDeque;

use eximious_core::{OptionValue, Registry, Str, World};
use eximious_grammar::config::statement;

use super::source::{Line, Location, Piece};
use super::{Acl, Config, ConfigError, acl};

/// How large such a file may be.
const LARGEST: u64 = 1 << 20;
/// How many are read.
const MOST: usize = 1000;

impl Config {
    /// Reads the ACLs in files whose names stand in the configuration as they
    /// are: each becomes an ACL that is called as the file is. What is wrong
    /// with one is added to the faults. A file that can't be read may be on the
    /// machine that the configuration is for.
    pub fn load_acl_files(&mut self, world: &World, registry: &Registry) {
        let mut named: VecDeque<(Vec<u8>, usize)> = VecDeque::new();
        for setting in self.main.iter().filter(|s| s.option.meta.name.starts_with("acl_")) {
            let value = self.settings.value(setting.option.meta.name);
            if let Some(OptionValue::Text(text)) = value {
                named.extend(file_named(text.bytes()).map(|name| (name, setting.line)));
            }
        }
        for acl in &self.acls {
            named.extend(called(acl));
        }
        let mut read = 0;
        while let Some((name, line)) = named.pop_front() {
            let known = self.acls.iter().any(|acl| acl.name.bytes() == name);
            if known || read >= MOST {
                continue;
            }
            let Ok(text) = world.files.read(&name, LARGEST) else { continue };
            read += 1;
            let acl = self.acl_file(&name, text, line, registry);
            named.extend(called(&acl));
            self.acls.push(acl);
        }
    }

    /// Reads the statements of a file, which is named in a line.
    fn acl_file(
        &mut self,
        name: &[u8],
        text: std::sync::Arc<[u8]>,
        line: usize,
        registry: &Registry,
    ) -> Acl {
        let file = self.sources.add(name.to_vec(), text.clone(), None);
        let mut statements = Vec::new();
        for line in lines(&text, file) {
            let added = acl::add(
                &mut statements,
                statement(&line.text),
                &line.text,
                self.lines.len(),
                registry,
            );
            if let Err(why) = added {
                let message = [b"error in ACL: ".as_slice(), &why].concat();
                self.faults.push(ConfigError::at(line.number, name, message));
            }
            self.lines.push(line);
        }
        Acl { name: Str::from(name.to_vec()), statements, line }
    }
}

/// The logical lines of such a file: it has neither macros nor directives.
fn lines(text: &[u8], file: u32) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open = Line { text: Vec::new(), file, number: 0, pieces: Vec::new() };
    for (index, physical) in text.split(|byte| *byte == b'\n').enumerate() {
        let part = physical.trim_ascii();
        if part.starts_with(b"#") || part.is_empty() {
            continue;
        }
        let column = (physical.len() - physical.trim_ascii_start().len()) as u32;
        let number = index as u32 + 1;
        let place = Location { file, line: number, column, inside: None };
        open.pieces.push(Piece { at: open.text.len() as u32, place });
        open.number = number;
        let head = part.strip_suffix(b"\\");
        open.text.extend_from_slice(head.unwrap_or(part));
        if head.is_none() {
            let next = Line { text: Vec::new(), file, number, pieces: Vec::new() };
            lines.push(std::mem::replace(&mut open, next));
        }
    }
    lines
}

/// The files that the statements of an ACL name with the condition `acl`, each
/// with the line.
fn called(acl: &Acl) -> Vec<(Vec<u8>, usize)> {
    let terms = acl.statements.iter().flat_map(|statement| &statement.terms);
    let calls = terms.filter(|term| term.term.meta.name == "acl");
    calls.filter_map(|term| Some((file_named(term.text.bytes())?, term.line))).collect()
}

/// The name of a file that an ACL is said to be in, if it stands there as it is.
fn file_named(text: &[u8]) -> Option<Vec<u8>> {
    let word = text.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    (word.starts_with(b"/") && !text.contains(&b'$')).then(|| word.to_vec())
}
