//! `@mx_any`, `@mx_primary`, `@mx_secondary`: whether mail for a domain comes
//! to this host (specification 10.3).

use eximious_core::trace::{Happening, ListEvent};
use eximious_core::{Call, Fail, Str};

use super::walk::Hit;
use crate::dns::find::{DnsSearch, Ending, by_dns};

/// What stands before addresses that do not count.
const IGNORE: &[u8] = b"/ignore=";

/// A pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mx<'p> {
    wanted: Wanted,
    ignored: &'p [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Any,
    Primary,
    Secondary,
}

impl<'p> Mx<'p> {
    /// Reads a pattern.
    pub(super) fn read(pattern: &'p [u8]) -> Option<Self> {
        let words = [
            ("@mx_any", Wanted::Any),
            ("@mx_primary", Wanted::Primary),
            ("@mx_secondary", Wanted::Secondary),
        ];
        let (wanted, rest) = words.into_iter().find_map(|(word, wanted)| {
            let (head, rest) = pattern.split_at_checked(word.len())?;
            head.eq_ignore_ascii_case(word.as_bytes()).then_some((wanted, rest))
        })?;
        if rest.is_empty() {
            return Some(Self { wanted, ignored: b"" });
        }
        let (head, ignored) = rest.split_at_checked(IGNORE.len())?;
        head.eq_ignore_ascii_case(IGNORE).then_some(Self { wanted, ignored })
    }

    /// Tests a domain.
    pub(super) fn test(self, call: &mut Call<'_>, domain: &[u8]) -> Result<Hit, Fail> {
        let search = DnsSearch {
            ignore: (!self.ignored.is_empty()).then(|| Str::from(self.ignored)),
            ignore_called: None,
            dnssec_request: None,
            ..DnsSearch::for_mx()
        };
        for list in ["require", "request"] {
            call.trace().tell(Happening::List(ListEvent::Dnssec { list }));
        }
        let found = by_dns(call, domain, &search)?;
        let matched = match found.ending {
            Ending::Later => return Ok(later(domain)),
            Ending::Local => self.wanted != Wanted::Secondary,
            _ => found.removed_self && self.wanted != Wanted::Primary,
        };
        Ok(if matched { Hit::Yes } else { Hit::No })
    }
}

fn later(domain: &[u8]) -> Hit {
    Hit::Later(Some([b"DNS lookup of \"", domain, b"\" deferred"].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_addresses_to_ignore() {
        let read = |text: &'static str| Mx::read(text.as_bytes());
        assert_eq!(read("@MX_any").unwrap().wanted, Wanted::Any);
        assert_eq!(read("@mx_primary/IGNORE=<;::1").unwrap().ignored, b"<;::1");
        for other in ["@mx_anyx", "@mx_any/", "@mx_any/ign=x", "@mx", "@", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
