//! What a script does: `keep`, `discard`, `redirect`, `fileinto`.

use eximious_core::Str;

use super::{FilterAction, Kind, Run, meant};

impl Run<'_> {
    pub(super) fn keep(&mut self, implicit: bool) {
        let inbox = self.options.inbox.bytes().to_vec();
        if self.first(Kind::FileInto, "fileinto", &inbox) {
            self.act(FilterAction::Keep { implicit, flags: Vec::new() });
        }
        if !implicit {
            self.kept = false;
        }
    }

    pub(super) fn discard(&mut self) {
        self.act(FilterAction::Discard);
        self.kept = false;
    }

    pub(super) fn redirect(&mut self, address: &[u8], copy: bool) {
        let address = up_to_zero(address);
        if self.first(Kind::Redirect, "redirect", address) {
            let (address, errors_to) = (Str::from(address), None);
            self.act(FilterAction::Deliver { address, errors_to, manner: meant(copy) });
        }
        self.kept &= copy;
    }

    pub(super) fn file_into(&mut self, folder: &[u8], copy: bool) {
        let folder = up_to_zero(folder);
        if self.first(Kind::FileInto, "fileinto", folder) {
            let (mailbox, flags, manner) = (Str::from(folder), Vec::new(), meant(copy));
            self.act(FilterAction::FileInto { mailbox, flags, create: false, manner });
        }
        self.kept &= copy;
    }

    /// Whether something is wanted for the first time.
    fn first(&mut self, kind: Kind, word: &str, target: &[u8]) -> bool {
        let first = self.done.insert((kind, target.to_vec()));
        let (head, tail) = if first { ("", "'") } else { ("Repeated ", "' ignored.") };
        self.note(&[head.as_bytes(), word.as_bytes(), b" `", target, tail.as_bytes()]);
        first
    }

    pub(super) fn act(&mut self, action: FilterAction) {
        self.actions.push(action);
    }
}

/// A zero byte ends a target.
fn up_to_zero(target: &[u8]) -> &[u8] {
    &target[..memchr::memchr(0, target).unwrap_or(target.len())]
}
