//! The variables that routers set (specification 11.9).

use eximious_core::{Str, Var};
use eximious_stdlib::variables::var;

use super::machine::Machine;
use super::offer::cased;
use super::{Address, Ancestor, Attached, Delivery, DeliveryTarget, Routes};
use crate::Context;
use crate::mail::brightmail;

/// Those of the local part, as the router at hand has it.
const PARTS: [Var; 5] = [
    var::LOCAL_PART,
    var::LOCAL_PART_PREFIX,
    var::LOCAL_PART_PREFIX_V,
    var::LOCAL_PART_SUFFIX,
    var::LOCAL_PART_SUFFIX_V,
];
/// What routers found out about the address.
const DATA: [Var; 4] =
    [var::LOCAL_PART_DATA, var::DOMAIN_DATA, var::SENDER_DATA, var::ADDRESS_DATA];
/// Those of the address, which are the same for each router.
const ADDRESS: [Var; 6] = [
    var::DOMAIN,
    var::SELF_HOSTNAME,
    var::ORIGINAL_DOMAIN,
    var::ORIGINAL_LOCAL_PART,
    var::PARENT_DOMAIN,
    var::PARENT_LOCAL_PART,
];
/// Those that a router itself finds out.
const OWN: [Var; 3] = [var::HOME, var::LOCAL_USER_UID, var::LOCAL_USER_GID];
/// The rest of what a pass sets, but for `$r_…`.
const OTHERS: [Var; 4] = [var::ROUTER_NAME, var::HOST, var::HOST_ADDRESS, var::HOST_PORT];

static NOTHING: Str = Str::EMPTY;

/// Those that only a delivery has.
const DELIVERY: [Var; 3] = [var::TRANSPORT_NAME, var::ADDRESS_FILE, var::ADDRESS_PIPE];

/// All of these.
fn shown() -> impl Iterator<Item = Var> {
    let all = PARTS.into_iter().chain(DATA).chain(ADDRESS).chain(OWN).chain(OTHERS);
    all.chain(DELIVERY)
}

/// What variables were before others than those of an address at hand stood in them.
pub(crate) struct Before(Vec<(Var, Option<Str>)>);

impl Routes {
    /// The variables of an address, those of its parts left out; `whole` is its local part
    /// with the affixes. The case of the others is that of the routers that took them.
    fn of_address(&self, address: &Address, whole: Str) -> [Str; 6] {
        let parts = |one: &Ancestor| {
            let router = one.router.and_then(|number| self.0.routers.get(number));
            let caseful = router.is_some_and(|router| router.filter.caseful);
            (one.domain.clone(), cased(&one.local_part, caseful))
        };
        let own = || (address.domain.clone(), whole);
        let (domain, part) = address.original().map_or_else(own, parts);
        let (parent_domain, parent_part) = address.parent.as_deref().map(parts).unwrap_or_default();
        let [own, host] = [&address.domain, &address.self_hostname].map(Str::clone);
        [own, host, domain, part, parent_domain, parent_part]
    }

    /// Sets the variables that a transport sees of some deliveries which it makes at once:
    /// what is not the same for all of them is empty (specification 24, `$local_part` and
    /// `$domain`).
    pub fn introduce(&self, cx: &mut Context, deliveries: &[&Delivery]) {
        self.dismiss(cx, deliveries);
        let Some((first, others)) = deliveries.split_first() else { return };
        let address = &first.address;
        let same = |part: fn(&Address) -> &Str, other: Str| match others
            .iter()
            .all(|one| part(&one.address).bytes() == part(address).bytes())
        {
            true => other,
            false => Str::EMPTY,
        };
        // Of several addresses there is no local part, be it the same.
        let alone = |part: &Str| if others.is_empty() { part.clone() } else { Str::EMPTY };
        let parts = [
            alone(&address.local_part),
            alone(&address.prefix.text),
            alone(&address.prefix.wild),
            alone(&address.suffix.text),
            alone(&address.suffix.wild),
        ];
        PARTS.into_iter().zip(parts).for_each(|(var, value)| cx.show_var(var, &value));
        let mut own = self.of_address(address, address.whole_local_part());
        own[0] = same(|one| &one.domain, own[0].clone());
        // Nor is there one that they come of.
        own[2..].iter_mut().for_each(|part| *part = alone(part));
        ADDRESS.into_iter().zip(own).for_each(|(var, value)| cx.show_var(var, &value));
        let attached = &address.attached;
        show_data(cx, attached);
        for (name, value) in &attached.variables {
            cx.set(name, value.clone());
        }
        cx.set_var(var::ROUTER_NAME, self.router_name(first.router).clone());
        if let Some(number) = first.transport {
            cx.set_var(var::TRANSPORT_NAME, self.transport_name(number).clone());
            show_host(cx, first);
        }
        if let Some(home) = &first.home {
            cx.set_var(var::HOME, home.text().clone());
        }
        match &first.target {
            DeliveryTarget::File { .. } => cx.set_var(var::ADDRESS_FILE, address.text.clone()),
            DeliveryTarget::Pipe(_) => cx.set_var(var::ADDRESS_PIPE, address.text.clone()),
            _ => {}
        }
    }

    /// As [`Self::introduce`], for the hosts of a delivery that are asked by a callout: what the
    /// variables were before, for [`Self::put_back`].
    pub(crate) fn introduce_for_callout(&self, cx: &mut Context, delivery: &Delivery) -> Before {
        let before = shown().map(|var| (var, cx.is_set(var).then(|| cx.value_of(var)))).collect();
        self.introduce(cx, &[delivery]);
        // No router is at it any more, and nobody is at home.
        [var::ROUTER_NAME, var::HOME].into_iter().for_each(|var| cx.unset_var(var));
        Before(before)
    }

    /// Gives variables the values that they had before a callout; at which port a host was asked
    /// is still known.
    pub(crate) fn put_back(&self, cx: &mut Context, delivery: &Delivery, before: Before) {
        let port = cx.value_of(var::HOST_PORT);
        self.dismiss(cx, &[delivery]);
        for (var, value) in before.0 {
            if let Some(value) = value {
                cx.set_var(var, value);
            }
        }
        cx.set_var(var::HOST_PORT, port);
    }

    /// What is known still of deliveries that were made at once, when they are over: whom their
    /// addresses come of, and what routers found out.
    pub fn lasting_values(&self, cx: &mut Context, deliveries: &[&Delivery]) -> Vec<(Var, Str)> {
        self.introduce(cx, deliveries);
        let some = DATA.into_iter().chain(ADDRESS.into_iter().skip(2));
        let values = some.map(|var| (var, cx.value_of(var))).collect();
        self.dismiss(cx, deliveries);
        values
    }

    /// Takes them away again.
    pub fn dismiss(&self, cx: &mut Context, deliveries: &[&Delivery]) {
        shown().for_each(|var| cx.unset_var(var));
        for name in deliveries.iter().flat_map(|one| one.address.attached.variables.keys()) {
            cx.unset(name);
        }
    }
}

fn show_data(cx: &mut Context, attached: &Attached) {
    let Attached { local_part_data, domain_data, sender_data, address_data, .. } = attached;
    let values = [local_part_data, domain_data, sender_data, address_data];
    for (var, value) in DATA.into_iter().zip(values) {
        cx.show_var(var, value.as_ref().unwrap_or(&NOTHING));
    }
}

/// A transport on this host has the host that its router found, or the list that it was given.
/// One to other hosts has the first of them until it has chosen.
fn show_host(cx: &mut Context, delivery: &Delivery) {
    let Some(host) = delivery.hosts.first() else { return };
    let name = match delivery.hosts_clean {
        true => Str::from(host.name.as_bytes()),
        false => Str::tainted(host.name.as_bytes()),
    };
    cx.set_var(var::HOST, name);
    if let Some(address) = host.address {
        cx.set_var(var::HOST_ADDRESS, address.to_string());
    }
    cx.set_var(var::HOST_PORT, host.shown_port());
}

impl Machine<'_> {
    /// Sets the variables of the address as the router at hand has it.
    pub(super) fn show_address(&mut self) {
        self.offer.shown = false;
        self.data_shown = false;
        self.show_view();
        let (cx, address) = (&mut *self.cx, &self.address);
        let whole = self.offer.whole_local_part(address);
        for (var, value) in ADDRESS.into_iter().zip(&self.routes.of_address(address, whole)) {
            cx.show_var(var, value);
        }
        let recipient = address.original().map_or(&address.text, |one| &one.text).clone();
        brightmail::show(cx, &recipient);
        for (name, value) in &address.attached.variables {
            cx.set(name, value.clone());
            self.shown.insert(name.clone());
        }
    }

    /// Sets those that may be others for each router.
    pub(super) fn show_view(&mut self) {
        let (cx, address) = (&mut *self.cx, &self.address);
        // They are the same for most routers. Another pass in between, for an ACL that
        // an option calls, takes them away.
        let gone = !cx.is_set(var::LOCAL_PART);
        if !std::mem::replace(&mut self.offer.shown, true) || gone {
            let values = [
                &self.offer.local_part,
                &self.offer.prefix.text,
                &self.offer.prefix.wild,
                &self.offer.suffix.text,
                &self.offer.suffix.wild,
            ];
            PARTS.into_iter().zip(values).for_each(|(var, value)| cx.show_var(var, value));
            if address.parent.is_none() {
                cx.show_var(var::ORIGINAL_LOCAL_PART, &self.offer.whole_local_part(address));
            }
        }
        if std::mem::replace(&mut self.data_shown, true) && !gone {
            return;
        }
        show_data(cx, &address.attached);
    }

    /// Sets those of a router that begins: what the one before it found out is gone.
    pub(super) fn show_router(&mut self, name: &Str) {
        self.cx.set_var(var::ROUTER_NAME, name.clone());
        OWN.into_iter().for_each(|var| self.cx.unset_var(var));
    }

    /// Takes all of them away again.
    pub(super) fn hide_address(&mut self) {
        let address = PARTS.into_iter().chain(DATA).chain(ADDRESS);
        address.chain(OWN).chain(OTHERS).for_each(|var| self.cx.unset_var(var));
        while let Some(name) = self.shown.pop_first() {
            self.cx.unset(&name);
        }
    }
}
