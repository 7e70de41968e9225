//! Files in lists (specification 10.2.2).

use std::io;
use std::sync::Arc;

use eximious_core::world::Stat;
use eximious_core::{Call, ErrorKind, Fail, ListKind, LookupFail};

use super::organs::{FILES, organ};
use super::walk::Pattern;
use crate::lookups::files::{View, view};
use crate::wording::{reason_to_open, tainted};

/// How large a file may be.
const LARGEST: u64 = 64 << 20;

/// From which size on it is kept while it is as it was; a shorter one is read each time.
const WORTH_KEEPING: u64 = 64 << 10;

/// A file as it is.
struct Contents(Arc<[u8]>);

impl View for Contents {
    const COST: usize = 1;
    const LARGEST: u64 = LARGEST;

    fn read(contents: Arc<[u8]>) -> Result<Self, LookupFail> {
        Ok(Self(contents))
    }
}

/// Reads a file that a list names. Where it can't be, the list is called by what it is here.
pub(super) fn read(
    call: &mut Call<'_>,
    (name, negated): (Pattern<'_>, bool),
    list: impl FnOnce() -> Vec<u8>,
) -> Result<Arc<[u8]>, Fail> {
    if name.taint.is_tainted() {
        return Err(Fail::error(ErrorKind::Taint, tainted("filename", name.text)));
    }
    let files = organ(call, &FILES, |call| call.files())?;
    let is_large = |stat: Stat| stat.is_file() && stat.size >= WORTH_KEEPING;
    if files.stat(name.text, true).is_ok_and(is_large)
        && let Ok(contents) = view::<Contents>(call, name.text)
    {
        return Ok(contents.0.clone());
    }
    match files.read(name.text, LARGEST) {
        Ok(bytes) => Ok(bytes),
        // C's functions open a directory and find no line in it.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Arc::default()),
        Err(error) => {
            let why = reason_to_open(call, &error);
            let message = [
                b"failed to open ".as_slice(),
                if negated { b"! " } else { b"" },
                name.text,
                b" when checking ",
                &list(),
                b": ",
                why.as_bytes(),
            ];
            Err(Fail::error(ErrorKind::Outside, message.concat()))
        }
    }
}

/// The elements in a file: lines without comments and white space around them,
/// and no empty ones.
pub(super) fn lines(bytes: &[u8], kind: ListKind) -> impl Iterator<Item = &[u8]> {
    // A local part may hold the character that begins a comment elsewhere.
    let inside = matches!(kind, ListKind::Domain | ListKind::Host);
    bytes.split(|c| *c == b'\n').filter_map(move |line| {
        let comment = memchr::memchr_iter(b'#', line)
            .find(|at| inside || *at == 0 || line[at - 1].is_ascii_whitespace());
        let text = line[..comment.unwrap_or(line.len())].trim_ascii();
        (!text.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_hang_on_the_kind() {
        let text = b"# first\n a.b # c\n\nnot#comment\n";
        let domains: Vec<_> = lines(text, ListKind::Domain).collect();
        assert_eq!(domains, [&b"a.b"[..], b"not"]);
        let parts: Vec<_> = lines(text, ListKind::LocalPart).collect();
        assert_eq!(parts, [&b"a.b"[..], b"not#comment"]);
    }
}
