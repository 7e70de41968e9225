//! What stands where an ACL may be named: its name, a file's, or its text (specification
//! 44.4).

use std::collections::HashMap;
use std::sync::Arc;

use eximious_core::Str;
use eximious_core::trace::AclEvent;

use super::machine::{AclVerdict, Run};
use super::{Logs, Named};

/// How large a file with an ACL may be.
const LARGEST: u64 = 1 << 20;
/// How many such files are kept.
const MOST_FILES: usize = 100;

/// The ACLs of files, by the files' names.
#[derive(Default)]
struct Files(HashMap<Vec<u8>, Arc<Named>>);

impl Run<'_> {
    /// An ACL by name, of a file, or itself.
    pub(super) fn named_or_text(&mut self, text: &Str) -> AclVerdict {
        // White space in front does not count, but behind a name it makes a text of it.
        let trimmed = text.bytes().trim_ascii_start();
        let acls = self.acls.clone();
        if trimmed.is_empty() {
            return self.acl(&Named { name: Str::EMPTY, statements: Vec::new() }, false);
        }
        if text.taint().is_tainted() {
            let line = [b"attempt to use tainted ACL text \"", trimmed, b"\""].concat();
            self.host.log_to(Logs::PANIC, &line);
            return self.error(b"internal configuration error".to_vec());
        }
        if let Some(named) = acls.named(trimmed) {
            return self.acl(named, false);
        }
        let engine = self.cx.engine().clone();
        if trimmed.first() == Some(&b'/') {
            return self.file(trimmed);
        }
        match acls.parse(Str::EMPTY, text.bytes(), engine.registry()) {
            Ok(own) => self.acl(&own, false),
            Err(why) => self.error(why),
        }
    }

    /// An ACL of a file, which is read once in a conversation.
    fn file(&mut self, path: &[u8]) -> AclVerdict {
        if let Some(known) = self.cx.memory::<Files>().0.get(path) {
            let known = known.clone();
            return self.acl(&known, false);
        }
        let engine = self.cx.engine().clone();
        let text = match engine.world().files.read(path, LARGEST) {
            Ok(text) => text,
            Err(why) => {
                let why = eximious_stdlib::wording::reason(&why);
                let head = [b"failed to open ACL file \"", path, b"\": "].concat();
                return self.error([&head, why.as_bytes()].concat());
            }
        };
        match self.acls.parse(Str::from(path), &text, engine.registry()) {
            Ok(read) => {
                let read = Arc::new(read);
                let files = &mut self.cx.memory::<Files>().0;
                if files.len() < MOST_FILES {
                    files.insert(path.to_vec(), read.clone());
                }
                self.acl(&read, true)
            }
            Err(why) => {
                let name = &Str::from(path);
                self.step(AclEvent::Begin { name, read: true });
                self.error(why)
            }
        }
    }
}
