//! `percent_hack_domains`: a percent sign in a local part stands for an at sign
//! (specification 31, 14.21).

use eximious_core::{FailClass, Str};
use eximious_stdlib::address;
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::options::opt;

use crate::Context;

/// `percent_hack_domains` has no answer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PercentDeferred;

impl PercentDeferred {
    /// What logs say of it.
    pub const LOGGED: &str = "defer in percent_hack_domains check";
}

/// The address that stands in a local part of this domain, if the option lets one
/// stand there. It is as tainted as the local part.
///
/// # Errors
/// What the list says can't be told now.
pub(super) fn within(
    cx: &mut Context,
    local_part: &Str,
    domain: &Str,
) -> Result<Option<Str>, PercentDeferred> {
    let option = opt::PERCENT_HACK_DOMAINS;
    let Some(list) = cx.engine().settings().text(option) else { return Ok(None) };
    let outcome = cx.is_in(&list, &mut Matcher::domain(domain).called(option.name()));
    match outcome {
        Ok(ListOutcome::Matched(_)) => {}
        Ok(ListOutcome::Unmatched(_)) => return Ok(None),
        Err(fail) if fail.class() == FailClass::Forced => return Ok(None),
        Ok(ListOutcome::Deferred(_)) | Err(_) => return Err(PercentDeferred),
    }
    let (text, taint) = local_part.read();
    let Some(percent) = memchr::memrchr(b'%', text) else { return Ok(None) };
    let new = [&text[..percent], b"@", &text[percent + 1..]].concat();
    Ok(Some(Str::from(new).stamped(taint)))
}

/// What an address is for those who decide about it: ACLs see the one that stands in
/// its local part, and they must, because the message goes there.
///
/// # Errors
/// What `percent_hack_domains` says can't be told now, so nobody may decide.
pub fn innermost(cx: &mut Context, address: &Str) -> Result<Str, PercentDeferred> {
    let mut address = address.clone();
    loop {
        let (bytes, taint) = address.read();
        let (local_part, domain) = address::parts(bytes);
        let local_part = Str::from(address::unquote_local_part(local_part)).stamped(taint);
        let domain = Str::from(domain.to_ascii_lowercase()).stamped(taint);
        // Each turn takes a percent sign away.
        match within(cx, &local_part, &domain)? {
            Some(inner) => address = inner,
            None => return Ok(address),
        }
    }
}
