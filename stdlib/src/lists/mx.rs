//! `@mx_any`, `@mx_primary`, `@mx_secondary`: whether mail for a domain comes
//! to this host (specification 10.3).

use std::net::IpAddr;

use eximious_core::{Call, Fail, Str};

use super::domain::is_interface;
use super::matcher::{Matcher, Outcome};
use super::walk::Hit;
use crate::dns::{self, Found, How, Patience, kind};

/// How many hosts of a domain are looked at.
const MOST_HOSTS: usize = 64;
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

/// What is known of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Host {
    Local,
    Remote,
    /// It has addresses, of which none counts.
    Ignored,
    Unknown,
    Later,
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
        let reply = dns::query(call, domain, kind::MX, &How::default())?;
        if reply.found == Found::Later {
            return Ok(later(domain));
        }
        let mut hosts: Vec<_> = reply.records().iter().filter_map(dns::mx).collect();
        hosts.retain(|(_, host)| !host.is_empty());
        hosts.sort_by_key(|(preference, _)| *preference);
        let mut before = Vec::new();
        let patience = Patience::new(call);
        for (preference, host) in hosts.iter().take(MOST_HOSTS) {
            if patience.is_over(call) {
                return Ok(later(domain));
            }
            let known = self.host(call, host)?;
            match known {
                Host::Local => {}
                Host::Ignored => continue,
                _ => {
                    before.push((*preference, known));
                    continue;
                }
            }
            let lowest = before.first().map_or(*preference, |(lowest, _)| *lowest);
            // Hosts behind this one, or beside it, are as good as not there.
            let mut others = before.iter().filter(|(other, _)| other < preference).peekable();
            let undecided = others.peek().is_some()
                && others.clone().all(|(_, known)| *known != Host::Remote)
                && others.any(|(_, known)| *known == Host::Later);
            let matched = match self.wanted {
                _ if undecided => return Ok(later(domain)),
                Wanted::Any => true,
                Wanted::Primary => *preference == lowest,
                Wanted::Secondary => *preference != lowest,
            };
            return Ok(if matched { Hit::Yes } else { Hit::No });
        }
        let any = |wanted| before.iter().any(|(_, known)| *known == wanted);
        Ok(if !any(Host::Remote) && any(Host::Later) { later(domain) } else { Hit::No })
    }

    fn host(self, call: &mut Call<'_>, name: &str) -> Result<Host, Fail> {
        let hosted = dns::addresses(call, name.as_bytes(), &How::default())?;
        let (all, mut counted) = (hosted.addresses.len(), Vec::new());
        for address in hosted.addresses {
            if !self.ignores(call, address)? {
                counted.push(address);
            }
        }
        if dns::listed(call, "hosts_treat_as_local", name)? {
            return Ok(Host::Local);
        }
        for address in &counted {
            if is_interface(call, address.to_string().as_bytes())? {
                return Ok(Host::Local);
            }
        }
        Ok(match (counted.is_empty(), hosted.later) {
            (false, _) => Host::Remote,
            (true, _) if all > 0 => Host::Ignored,
            (true, false) => Host::Unknown,
            (true, true) => Host::Later,
        })
    }

    fn ignores(self, call: &mut Call<'_>, address: IpAddr) -> Result<bool, Fail> {
        if self.ignored.is_empty() {
            return Ok(false);
        }
        let subject = (Str::from(address.to_string()), address);
        let outcome = Matcher::ip(Some(subject)).test(call, &Str::from(self.ignored))?;
        Ok(matches!(outcome, Outcome::Matched(_)))
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
