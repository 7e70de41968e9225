//! Addresses that go to other hosts: `self`, `translate_ip_address`,
//! `fallback_hosts` (specification 15).

use eximious_core::Str;

use super::machine::{Child, Complaint, Machine, Renamed, Verdict};
use super::router::Router;
use super::{Purpose, RouteHost};

/// Where the first host is this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Here {
    /// It is another.
    No,
    /// Its address is one of ours.
    Address,
    /// The best MX record says so.
    Mx,
}

impl Machine<'_> {
    /// Sends the address to hosts.
    pub(super) fn send_to(
        &mut self,
        number: usize,
        router: &Router,
        hosts: Vec<RouteHost>,
        here: Here,
    ) -> Result<Verdict, Complaint> {
        self.send_by(number, router, hosts, here, None)
    }

    /// The same, perhaps by another transport than the router's own.
    pub(super) fn send_by(
        &mut self,
        number: usize,
        router: &Router,
        hosts: Vec<RouteHost>,
        here: Here,
        transport: Option<usize>,
    ) -> Result<Verdict, Complaint> {
        if here != Here::No
            && let Some(verdict) = self.is_here(number, router, &hosts, here)?
        {
            return Ok(verdict);
        }
        let mut delivery = self.delivery(number, router, transport)?;
        delivery.hosts = hosts;
        Ok(Verdict::Accept(Some(delivery)))
    }

    /// What `self` says of an address that comes back to this host; `None` where
    /// it is sent all the same.
    pub(super) fn is_here(
        &mut self,
        number: usize,
        router: &Router,
        hosts: &[RouteHost],
        here: Here,
    ) -> Result<Option<Verdict>, Complaint> {
        let what: &[u8] = match here {
            Here::Mx => b"lowest numbered MX record points to local host",
            _ => b"remote host address is the local host",
        };
        let word = router.some_text("self").map_or(b"freeze".as_slice(), |t| t.written.bytes());
        match word {
            b"send" => Ok(None),
            b"defer" => Err(Complaint::new(what)),
            b"fail" => Ok(Some(Verdict::Fail(Complaint::new(what)))),
            b"pass" => {
                let name = hosts.first().map(|host| host.name.clone()).unwrap_or_default();
                self.address.self_hostname = Str::tainted(name.into_bytes());
                self.note = Some(what.to_vec());
                Ok(Some(Verdict::Pass))
            }
            word => match word.strip_prefix(b"reroute:") {
                Some(domain) => Ok(Some(self.reroute(number, router, domain.trim_ascii()))),
                None => {
                    let tail = [b" (while routing <", self.address.text.bytes(), b">)"].concat();
                    let line = [what, b": ", self.address.domain.bytes(), &tail].concat();
                    // Who only looks at an address does not freeze a message.
                    self.log(&line);
                    let freezes = self.purpose == Purpose::Delivery;
                    Err(Complaint { freezes, ..Complaint::new(what) })
                }
            },
        }
    }

    fn reroute(&mut self, number: usize, router: &Router, word: &[u8]) -> Verdict {
        let (domain, rewrites) = match word.strip_prefix(b"rewrite:") {
            Some(domain) => (domain.trim_ascii(), true),
            None => (word, false),
        };
        self.rename(number, router, &Str::from(domain), rewrites)
    }

    /// Begins anew with another domain.
    pub(super) fn rename(
        &mut self,
        number: usize,
        router: &Router,
        domain: &Str,
        rewrites: bool,
    ) -> Verdict {
        let (text, taint) = self.address.text.read();
        let at = eximious_stdlib::address::find_at(text).unwrap_or(text.len());
        let new = [&text[..at], b"@", domain.bytes()].concat();
        let ancestor = self.as_ancestor(Some(number));
        let mut child = self.address.child(Str::from(new).stamped(taint), &ancestor);
        child.first_router = router.redirect_router.unwrap_or(0);
        self.children.push(Child::Address(Box::new(child)));
        if rewrites {
            let from = self.address.domain.clone();
            self.renamed.push(Renamed { from, to: domain.clone() });
        }
        Verdict::Renamed
    }
}
