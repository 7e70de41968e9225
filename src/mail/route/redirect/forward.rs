//! Lists of addresses as they are tested (`-bf`), without any router.

use eximious_core::{Str, Taint};
use eximious_stdlib::address::Rules;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording::reason;

use super::items::{Allowed, Item, List, Reader};
use crate::Context;

/// How large a file may be that is included.
const LARGEST: u64 = 16 << 20;

/// What a list of addresses comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Forwarding {
    /// Its items, in order; addresses have domains.
    pub items: Vec<Vec<u8>>,
    /// Whether `:blackhole:` ends it.
    pub discards: bool,
}

/// Reads a list of addresses, files and commands, as a test of it does: what a
/// router would have to allow is not permitted.
///
/// # Errors
/// What is wrong with it, in Exim's words.
pub fn forwarding(cx: &mut Context, list: &Str) -> Result<Forwarding, Vec<u8>> {
    let domain = cx.value_of(var::QUALIFY_RECIPIENT).bytes().to_vec();
    let files = cx.engine().world().files.clone();
    let mut include = |file: &Str| {
        let name = file.bytes();
        if !name.starts_with(b"/") {
            return Err([b"included file \"", name, b"\" is not an absolute path"].concat());
        }
        match files.read(name, LARGEST) {
            Ok(text) => Ok(Str::from(text.to_vec()).stamped(Taint::Tainted)),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Str::EMPTY),
            Err(why) => {
                let why = reason(&why);
                Err([b"failed to open included file ", name, b": ", why.as_bytes()].concat())
            }
        }
    };
    let allowed = Allowed { blackhole: true, include: true, ..Allowed::default() };
    let rules = Rules { literals: true, ..Rules::of(cx.engine().settings()) };
    let mut reader = Reader::new(allowed, rules, &mut include);
    let end = reader.list(list);
    let item = |item| match item {
        Item::Address { text, .. } if !text.contains(&b'@') => {
            [text, b"@".to_vec(), domain.clone()].concat()
        }
        Item::Address { text, .. } => text,
        Item::File(text) | Item::Pipe(text) => text,
    };
    let items = reader.items.into_iter().map(item).collect();
    match end {
        List::Wrong(why) | List::Defer(why) | List::Fail(why) => Err(why),
        List::Items | List::Unknown => Ok(Forwarding { items, discards: false }),
        List::Discard => Ok(Forwarding { items, discards: true }),
    }
}
