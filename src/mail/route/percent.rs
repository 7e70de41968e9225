//! `percent_hack_domains`: a percent sign in a local part stands for an at sign
//! (specification 31, 14.21).

use eximious_core::Str;
use eximious_core::trace::TraceKinds;
use eximious_stdlib::address;
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::options::opt;

use crate::Context;

/// The address that stands in a local part of this domain, if the option lets one
/// stand there. It is as tainted as the local part.
pub(super) fn within(cx: &mut Context, local_part: &Str, domain: &Str) -> Option<Str> {
    let option = opt::PERCENT_HACK_DOMAINS;
    let list = cx.engine().settings().text(option)?;
    let percent = memchr::memrchr(b'%', local_part.bytes());
    // What nothing hangs on is looked at for whoever watches.
    if percent.is_none() && !cx.trace.wants(TraceKinds::LIST) {
        return None;
    }
    let outcome = cx.is_in(&list, &mut Matcher::domain(domain).called(option.name())).ok()?;
    let ListOutcome::Matched(_) = outcome else { return None };
    let (text, taint) = local_part.read();
    let percent = percent?;
    let new = [&text[..percent], b"@", &text[percent + 1..]].concat();
    Some(Str::from(new).stamped(taint))
}

/// What an address is for those who decide about it: ACLs see the one that stands in
/// its local part, and they must, because the message goes there.
pub fn innermost(cx: &mut Context, address: &Str) -> Str {
    let mut address = address.clone();
    loop {
        let (bytes, taint) = address.read();
        let (local_part, domain) = address::parts(bytes);
        let local_part = Str::from(address::unquote_local_part(local_part)).stamped(taint);
        let domain = Str::from(domain.to_ascii_lowercase()).stamped(taint);
        // Each turn takes a percent sign away.
        match within(cx, &local_part, &domain) {
            Some(inner) => address = inner,
            None => return address,
        }
    }
}
