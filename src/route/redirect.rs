//! The router `redirect` (specification, chapter 22).

mod items;
mod source;

use std::sync::Arc;

use eximious_core::{Str, Taint};
use eximious_stdlib::address::Rules;

use super::machine::{Child, Complaint, Machine, Verdict};
use super::router::Router;
use super::{Address, Ancestor, Delivery, Target};
use crate::rewrite::{AddressPlace, Rewriter};
use items::{Allowed, Item, List, Reader};

/// Puts other addresses in an address's place.
pub(super) fn run(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
) -> Result<Verdict, Complaint> {
    let Some(data) = source::data(machine, router)? else { return Ok(Verdict::Decline) };
    let redirection = Redirection::new(machine, number, router)?;
    redirection.of_list(machine, &data)
}

/// What the router's options say of what it generates.
struct Redirection<'r> {
    router: &'r Router,
    number: usize,
    /// The domain that names without one get.
    domain: Str,
    ancestor: Arc<Ancestor>,
}

impl<'r> Redirection<'r> {
    fn new(
        machine: &mut Machine<'_>,
        number: usize,
        router: &'r Router,
    ) -> Result<Self, Complaint> {
        let domain = if router.on("qualify_preserve_domain") {
            machine.address.domain.clone()
        } else if let Some(text) = router.some_text("qualify_domain") {
            text.expand(machine.cx).map_err(|fail| source::not_expanded(text, &fail))?
        } else {
            machine.variable("qualify_recipient")
        };
        machine.assign_errors(router)?;
        machine.assign_headers(router)?;
        Ok(Self { router, number, domain, ancestor: machine.as_ancestor(number) })
    }

    /// What a list of items comes to.
    fn of_list(&self, machine: &mut Machine<'_>, data: &Str) -> Result<Verdict, Complaint> {
        let router = self.router;
        let from_file = router.some_text("file").is_some();
        let kind: &[u8] = if from_file { b"file" } else { b"data" };
        let allowed = Allowed {
            fail: router.on("allow_fail"),
            defer: router.on("allow_defer"),
            blackhole: !machine.switch(router, "forbid_blackhole")?,
            include: !machine.switch(router, "forbid_include")?,
            mistakes: router.on("skip_syntax_errors"),
        };
        let settings = machine.cx.engine().settings();
        let rules = Rules {
            null: false,
            utf8_domains: settings.allow_utf8_domains,
            trailing_dot: settings.strip_trailing_dot,
            literals: settings.allow_domain_literals,
        };
        let identity = machine.identity(router)?;
        let mut include = |file: &Str| source::included(machine, router, identity, file);
        let mut reader = Reader::new(allowed, rules, &mut include);
        let list = reader.list(data);
        let Reader { items, skipped, .. } = reader;
        for wrong in &skipped {
            machine.log(&router.named(b"", b" router: skipped error: ", wrong));
        }
        match list {
            List::Wrong(why) => {
                Err(Complaint::new([b"error in redirect ", kind, b": ", &why].concat()))
            }
            List::Unknown => Ok(Verdict::Decline),
            List::Defer(text) => Err(said(text)),
            List::Fail(text) => {
                self.generate(machine, items, data.taint())?;
                Ok(Verdict::Fail(said(text)))
            }
            List::Discard => Ok(Verdict::Discard),
            List::Items if items.is_empty() && skipped.is_empty() => Ok(Verdict::Decline),
            List::Items if items.is_empty() => {
                Ok(Verdict::Fail(Complaint::new("syntax error in redirection data")))
            }
            List::Items => {
                self.generate(machine, items, data.taint())?;
                Ok(Verdict::Accept(None))
            }
        }
    }

    /// Makes addresses and deliveries of items.
    fn generate(
        &self,
        machine: &mut Machine<'_>,
        items: Vec<Item>,
        taint: Taint,
    ) -> Result<(), Complaint> {
        for item in items {
            match item {
                Item::Address { text, here } => {
                    let domain =
                        if here { machine.address.domain.clone() } else { self.domain.clone() };
                    let address = self.address(machine, text, &domain, taint)?;
                    machine.children.push(Child::Address(address));
                }
                Item::File(path) => {
                    self.permit(machine, "forbid_file", b"delivery to file not permitted")?;
                    let option = if path.ends_with(b"/") && path != b"/dev/null/" {
                        "directory_transport"
                    } else {
                        "file_transport"
                    };
                    self.direct(machine, path, taint, Target::File { mode: None }, option)?;
                }
                Item::Pipe(command) => {
                    self.permit(machine, "forbid_pipe", b"delivery to pipe not permitted")?;
                    self.direct(machine, command, taint, Target::Pipe, "pipe_transport")?;
                }
            }
        }
        Ok(())
    }

    fn permit(
        &self,
        machine: &mut Machine<'_>,
        option: &str,
        refusal: &[u8],
    ) -> Result<(), Complaint> {
        match machine.switch(self.router, option)? {
            true => Err(Complaint::new(refusal)),
            false => Ok(()),
        }
    }

    /// A child, with a domain and rewritten.
    fn address(
        &self,
        machine: &mut Machine<'_>,
        mut text: Vec<u8>,
        domain: &Str,
        taint: Taint,
    ) -> Result<Address, Complaint> {
        if eximious_stdlib::address::find_at(&text).is_none() {
            text.push(b'@');
            text.extend_from_slice(domain.bytes());
        }
        let mut text = Str::from(text).stamped(taint.with(domain.taint()));
        if self.router.on("check_ancestor") && self.is_ancestor(machine, &text) {
            text = machine.address.text.clone();
        }
        if self.router.on("rewrite") {
            let rules = machine.routes.0.clone();
            let rewriter = Rewriter::new(&rules.rewrite);
            let place = AddressPlace::EnvelopeTo;
            match rewriter.address(machine.cx, &text, place) {
                Ok(Some(new)) => text = new,
                Ok(None) => {}
                Err(fail) => return Err(Complaint::new(fail.message())),
            }
            machine.show_address();
        }
        let mut child = machine.address.child(text, &self.ancestor);
        child.first_router = self.router.redirect_router.unwrap_or(0);
        Ok(child)
    }

    /// Whether an address is one of those that the address at hand comes from.
    fn is_ancestor(&self, machine: &Machine<'_>, text: &Str) -> bool {
        let same = |other: &Str| other.bytes().eq_ignore_ascii_case(text.bytes());
        machine.address.ancestors().any(|one| same(&one.text))
    }

    /// A delivery that needs no router.
    fn direct(
        &self,
        machine: &mut Machine<'_>,
        text: Vec<u8>,
        taint: Taint,
        target: Target,
        option: &str,
    ) -> Result<(), Complaint> {
        let router = self.router;
        let (transport, wrong) = match router.some_text(option) {
            Some(option) => match machine.transport_of(router, option) {
                Ok(transport) => (Some(transport), None),
                Err(complaint) => (None, complaint.message),
            },
            None => {
                let head = [option.as_bytes(), b" unset in "].concat();
                (None, Some(router.named(&head, b" router", b"")))
            }
        };
        let mut address = machine.address.child(Str::EMPTY, &self.ancestor);
        address.text = Str::from(text).stamped(taint);
        address.local_part = machine.address.local_part.clone();
        address.domain = machine.address.domain.clone();
        let identity = machine.identity(router)?;
        let delivery = Delivery {
            address,
            target,
            router: self.number,
            transport,
            wrong,
            hosts: Vec::new(),
            fallback_hosts: Vec::new(),
            identity,
            home: machine.transport_home(router)?,
            directory: machine.directory(router, "transport_current_directory")?,
        };
        machine.children.push(Child::Direct(Box::new(delivery)));
        Ok(())
    }
}

/// What `:fail:` and `:defer:` say is for the sender, too.
fn said(text: Vec<u8>) -> Complaint {
    Complaint { said: Some(text.clone()), ..Complaint::new(text) }
}
