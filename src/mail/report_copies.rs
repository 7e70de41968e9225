//! Who gets copies of reports (specification 14, `errors_copy`).

use eximious_core::{Fail, Str};
use eximious_stdlib::address::last_at;
use eximious_stdlib::lists::{Matcher, elements};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use crate::Context;
use crate::engine::patterns;

/// The addresses, with commas between them, that get a copy of a report to somebody; empty
/// where nobody does. The first item of `errors_copy` whose pattern fits counts.
///
/// # Errors
/// A pattern, or the addresses of the item that fits, can't be expanded.
pub fn copies_for(cx: &mut Context, recipient: &Str) -> Result<Str, Fail> {
    let list = cx.engine().settings().get(opt::ERRORS_COPY);
    if list.is_empty() {
        return Ok(Str::EMPTY);
    }
    for item in elements(list.bytes()) {
        let (pattern, addresses) = parted(&item);
        let pattern = Str::from(pattern);
        if !patterns::matches(cx, &pattern, &mut Matcher::address(recipient).binding())? {
            continue;
        }
        let (text, taint) = recipient.read();
        let (local_part, domain) = text.split_at(last_at(text));
        let domain = domain.strip_prefix(b"@").unwrap_or(domain);
        cx.set_var(var::LOCAL_PART, Str::from(local_part).stamped(taint));
        cx.set_var(var::DOMAIN, Str::from(domain).stamped(taint));
        let engine = cx.engine().clone();
        let copies = engine.expand_once(addresses, cx).map_err(|fail| {
            let head = [b"Failed to expand ", addresses, b" when processing errors_copy: "];
            let message = [&head.concat()[..], fail.message()].concat();
            fail.reworded(message)
        });
        cx.set_var(var::LOCAL_PART, Str::EMPTY);
        cx.set_var(var::DOMAIN, Str::EMPTY);
        return copies;
    }
    Ok(Str::EMPTY)
}

/// A pattern, which may be quoted, and what stands behind it.
fn parted(item: &[u8]) -> (Vec<u8>, &[u8]) {
    let item = item.trim_ascii();
    if let Some(quoted) = item.strip_prefix(b"\"")
        && let Some(end) = quoted.iter().position(|byte| *byte == b'"')
    {
        return (quoted[..end].to_vec(), quoted[end + 1..].trim_ascii());
    }
    let end = item.iter().position(u8::is_ascii_whitespace).unwrap_or(item.len());
    (item[..end].to_vec(), item[end..].trim_ascii())
}
