//! Addresses that go to other hosts: `self`, `translate_ip_address`,
//! `fallback_hosts` (specification 15).

use eximious_core::Str;
use eximious_stdlib::address::last_at;
use eximious_stdlib::dns::find::by_name;
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::variables::var;

use super::dnslookup::HOSTS;
use super::machine::{Machine, Note, Verdict, unless_forced};
use super::pass::{ChildAddress, Renamed, RouteError};
use super::router::Router;
use super::{Purpose, RouteHost, hosts};

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
    ) -> Result<Verdict, RouteError> {
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
    ) -> Result<Verdict, RouteError> {
        if here != Here::No
            && let Some(verdict) = self.is_here(number, router, &hosts, here)?
        {
            return Ok(verdict);
        }
        let mut delivery = self.delivery(number, router, transport)?;
        delivery.fallback_hosts = self.fallback_hosts(router)?;
        delivery.hosts = self.translated(router, hosts)?;
        Ok(Verdict::Accept(Some(delivery)))
    }

    /// `translate_ip_address`: other addresses in the place of those that were
    /// found.
    fn translated(
        &mut self,
        router: &Router,
        hosts: Vec<RouteHost>,
    ) -> Result<Vec<RouteHost>, RouteError> {
        let Some(text) = router.some_text(opt::TRANSLATE_IP_ADDRESS) else { return Ok(hosts) };
        let mut out = Vec::new();
        for host in hosts {
            let Some(address) = host.address else {
                out.push(host);
                continue;
            };
            self.cx.set_var(var::HOST_ADDRESS, address.to_string());
            let other = match unless_forced(text.expand(self.cx)) {
                Ok(Some(other)) => other,
                Ok(None) => {
                    out.push(host);
                    continue;
                }
                Err(fail) => {
                    let head = b"translate_ip_address: failed to expand \"";
                    let parts = [head, text.written.bytes(), b"\": ", fail.message()];
                    return Err(RouteError::new(parts.concat()));
                }
            };
            match ip::address(other.bytes()) {
                Some(address) => out.push(RouteHost { address: Some(address), ..host }),
                None => out.extend(self.named_instead(&host, &other)?),
            }
        }
        Ok(out)
    }

    /// The addresses of a host that stands in for another.
    fn named_instead(
        &mut self,
        host: &RouteHost,
        name: &Str,
    ) -> Result<Vec<RouteHost>, RouteError> {
        let found = self.cx.call(&HOSTS, |call| by_name(call, name.bytes(), None));
        let found = found.map_err(|fail| RouteError::new(fail.message()))?;
        if found.hosts.is_empty() {
            let head = b"translate_ip_address: no address for host \"";
            return Err(RouteError::new([head, name.bytes(), b"\""].concat()));
        }
        let hosts = found.hosts.into_iter();
        Ok(hosts.map(|one| RouteHost { address: one.address, ..host.clone() }).collect())
    }

    /// `fallback_hosts`: they are looked for when they are needed.
    fn fallback_hosts(&mut self, router: &Router) -> Result<Vec<RouteHost>, RouteError> {
        let Some(text) = router.some_text(opt::FALLBACK_HOSTS) else { return Ok(Vec::new()) };
        let list = text.expand(self.cx).map_err(|fail| {
            let head = [b"failed to expand \"", text.written.bytes(), b"\" for "].concat();
            RouteError::new(router.named(&head, b" router fallback_hosts: ", fail.message()))
        })?;
        let list = hosts::read(self.cx, list.bytes(), false);
        Ok(hosts::unresolved(&list))
    }

    /// What `self` says of an address that comes back to this host; `None` where
    /// it is sent all the same.
    pub(super) fn is_here(
        &mut self,
        number: usize,
        router: &Router,
        hosts: &[RouteHost],
        here: Here,
    ) -> Result<Option<Verdict>, RouteError> {
        let what: &[u8] = match here {
            Here::Mx => b"lowest numbered MX record points to local host",
            _ => b"remote host address is the local host",
        };
        let word = hosts::word(router, opt::SELF);
        match word.bytes() {
            b"send" => Ok(None),
            b"defer" => Err(RouteError::new(what)),
            b"fail" => {
                let why = RouteError { untold: true, bounced: true, ..RouteError::new(what) };
                Ok(Some(Verdict::Fail(why)))
            }
            b"pass" => {
                let name = hosts.first().map(|host| host.name.clone()).unwrap_or_default();
                let name = Str::tainted(name.into_bytes());
                self.cx.set_var(var::SELF_HOSTNAME, name.clone());
                self.address.self_hostname = name;
                self.note = Some(Note::logged(what));
                Ok(Some(Verdict::Pass))
            }
            word => match word.strip_prefix(b"reroute:") {
                Some(domain) => Ok(Some(self.reroute(number, domain.trim_ascii()))),
                None => {
                    let is_delivery = self.purpose == Purpose::Delivery;
                    let mut line = [what, b": ", self.address.domain.bytes()].concat();
                    if !is_delivery {
                        line.extend(self.occasion());
                    }
                    // Who only looks at an address does not freeze a message.
                    self.log(&line);
                    Err(RouteError { freezes: is_delivery, ..RouteError::new(what) })
                }
            },
        }
    }

    /// ` (while verifying <a@b> from host …)`: what an address is looked at for.
    fn occasion(&mut self) -> Vec<u8> {
        let client = self.cx.value_of(var::SENDER_FULLHOST);
        let (doing, from) = match self.purpose.verifies() && !client.is_empty() {
            true => ("verifying", [b" from host ", client.bytes()].concat()),
            false => ("routing", Vec::new()),
        };
        let head = format!(" (while {doing} <");
        [head.as_bytes(), self.address.text.bytes(), b">", &from, b")"].concat()
    }

    fn reroute(&mut self, number: usize, word: &[u8]) -> Verdict {
        let (domain, rewrites) = match word.strip_prefix(b"rewrite:") {
            Some(domain) => (domain.trim_ascii(), true),
            None => (word, false),
        };
        self.rename(number, &Str::from(domain), rewrites)
    }

    /// Begins anew with another domain, at the first router: `redirect_router` is for what is
    /// made of an address, and not for the address itself.
    pub(super) fn rename(&mut self, number: usize, domain: &Str, rewrites: bool) -> Verdict {
        let (text, taint) = self.address.text.read();
        let at = last_at(text);
        let new = [&text[..at], b"@", domain.bytes()].concat();
        let ancestor = self.address.as_ancestor(Some(number));
        let child = self.address.child(Str::from(new).stamped(taint), &ancestor);
        self.children.push(ChildAddress::Address(child));
        if rewrites {
            let from = self.address.domain.clone();
            self.renamed.push(Renamed { from, to: domain.clone() });
        }
        Verdict::Renamed
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::Str;
    use eximious_core::world::Fixture;

    use crate::mail::route::{Delivery, Purpose, Report, Request, Routes, Standing};
    use crate::{Config, Engine, Macros};

    /// The hosts that an address is sent to, and those that are tried then.
    fn hosts(options: &str) -> Result<String, String> {
        let options = format!("  route_list = * 192.0.2.1:192.0.2.2\n{options}");
        let shown = |delivery: &Delivery| {
            let all = delivery.hosts.iter().chain(&delivery.fallback_hosts);
            let shown = all.map(|host| {
                let address = host.address.map(|address| format!("[{address}]"));
                format!("{}{}", host.name, address.unwrap_or_default())
            });
            shown.collect::<Vec<_>>().join(" ")
        };
        routed(&options, "a@b", &shown)
    }

    /// Where an address is sent, in words.
    fn routed(
        options: &str,
        address: &str,
        shown: &dyn Fn(&Delivery) -> String,
    ) -> Result<String, String> {
        let text = format!(
            "begin routers\nr:\n  driver = manualroute\n  transport = t\n{options}\n\
             begin transports\nt:\n  driver = smtp\n"
        );
        let world = Fixture::new().file("/c", text).world();
        let builder = Engine::builder().world(world.clone());
        let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
        let engine = config.build(builder);
        let routes = Routes::new(&config, engine.registry(), &world);
        let mut request = Request::new(Str::tainted(address.as_bytes()), Purpose::Test);
        request.whole = true;
        let (mut said, mut wrong) = (String::new(), String::new());
        let standing = routes.test(&mut engine.context(), &request, &mut |report| match report {
            Report::Delivered(delivery) => said += &shown(delivery),
            Report::Deferred(_, error) => {
                let message = error.message.as_deref().unwrap_or_default();
                wrong = String::from_utf8_lossy(message).into_owned();
            }
            _ => {}
        });
        if standing == Standing::Fine { Ok(said) } else { Err(wrong) }
    }

    #[test]
    fn addresses_of_hosts_are_translated() {
        let check = |options: &str, answer: Result<&str, &str>| {
            let said = hosts(options);
            assert_eq!(said.as_deref().map_err(String::as_str), answer, "{options}");
        };
        check("", Ok("192.0.2.1[192.0.2.1] 192.0.2.2[192.0.2.2]"));
        let one = "${if eq{$host_address}{192.0.2.2}{10.0.0.2}fail}";
        check(
            &format!("  translate_ip_address = {one}"),
            Ok("192.0.2.1[192.0.2.1] 192.0.2.2[10.0.0.2]"),
        );
        check(
            "  translate_ip_address = ${nosuch}",
            Err("translate_ip_address: failed to expand \"${nosuch}\": unknown variable in \
                 \"${nosuch}\""),
        );
        check(
            "  fallback_hosts = x.example : y.example::26",
            Ok("192.0.2.1[192.0.2.1] 192.0.2.2[192.0.2.2] x.example y.example"),
        );
    }

    #[test]
    fn names_of_hosts_are_clean_where_nobody_outside_has_named_them() {
        let is_tainted = |options: &str| {
            // The name is not the address any more.
            let options = format!("  {options}\n  translate_ip_address = 10.0.0.1\n");
            let shown = |delivery: &Delivery| {
                let host = &delivery.hosts[0];
                let name = delivery.host_name(host.name.as_bytes(), host.address.unwrap());
                format!("{} {}", host.name, name.taint().is_tainted())
            };
            routed(&options, "192.0.2.1@b", &shown).unwrap()
        };
        assert_eq!(is_tainted("route_list = * 192.0.2.1"), "192.0.2.1 false");
        assert_eq!(is_tainted("route_list = * $local_part"), "192.0.2.1 true");
        assert_eq!(is_tainted("route_data = $local_part"), "192.0.2.1 true");
    }
}
