//! Client SMTP authorization: SRV records of a domain, or of one above it
//! (specification 44.26).

use eximious_core::world::DnsRecord;
use eximious_core::{Call, Fail};

use super::Answer;
use crate::dns::{self, DnsFound, DnsReply, How, kind};
use crate::options::opt;

/// What stands before a domain.
const PREFIX: &str = "_client._smtp.";
/// The version that the records are of: their priority.
const VERSION: u16 = 1;

/// Asks for a domain, or an address in brackets. Where the name is there
/// without such records, the domains above it are asked, from the top: they
/// may say that all below must have records of their own.
pub(super) fn ask(call: &mut Call<'_>, name: &[u8], how: &How) -> Result<Answer, Fail> {
    let absent = |found| Answer { answer: DnsReply::insecure(found), parent: false };
    let literal = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let address = literal.and_then(crate::ip::address);
    let name = match address {
        Some(address) if call.settings().get(opt::DNS_CSA_USE_REVERSE) => {
            dns::reverse(address).into_bytes()
        }
        Some(_) => return Ok(absent(DnsFound::NoName)),
        None => name.to_vec(),
    };
    let own = query(call, &name, how)?;
    if own.found != DnsFound::NoData {
        return Ok(Answer { answer: own, parent: false });
    }
    let limit = usize::try_from(call.settings().get(opt::DNS_CSA_SEARCH_LIMIT)).unwrap_or(0);
    let dots = memchr::memchr_iter(b'.', &name).rev().skip(1).take(limit);
    for dot in dots.collect::<Vec<_>>() {
        let above = query(call, &name[dot + 1..], how)?;
        match &above.found {
            DnsFound::Records { records, .. } if records.iter().any(asserts) => {
                return Ok(Answer { answer: above, parent: true });
            }
            DnsFound::Later => return Ok(Answer { answer: above, parent: false }),
            _ => {}
        }
    }
    Ok(Answer { answer: own, parent: false })
}

fn query(call: &mut Call<'_>, name: &[u8], how: &How) -> Result<DnsReply, Fail> {
    dns::query(call, &[PREFIX.as_bytes(), name].concat(), kind::SRV, how)
}

/// Whether a record says that all domains below must have records.
fn asserts(record: &DnsRecord) -> bool {
    dns::srv(record).is_some_and(|(version, _, flags, _)| version == VERSION && flags & 1 != 0)
}

/// The code and the host of a record; nothing for one of another version or
/// meaning.
pub(super) fn text(record: &DnsRecord, parent: bool) -> Option<String> {
    let (version, weight, _, host) = dns::srv(record)?;
    if version != VERSION {
        return None;
    }
    let code = match weight {
        _ if parent => return asserts(record).then(|| format!("X {host}")),
        0 | 1 => 'N',
        2 => 'Y',
        3 => '?',
        _ => return None,
    };
    Some(format!("{code} {host}"))
}
