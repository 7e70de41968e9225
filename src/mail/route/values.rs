//! The variables that routers set (specification 11.9).

use eximious_core::{Registry, Str};

use super::machine::Machine;
use crate::engine::context::Place;

/// All of them but `$r_…`: first those that may be others for each router, then
/// those of the address.
const NAMES: [&str; 20] = [
    "local_part",
    "local_part_prefix",
    "local_part_prefix_v",
    "local_part_suffix",
    "local_part_suffix_v",
    "local_part_data",
    "domain_data",
    "address_data",
    "domain",
    "self_hostname",
    "original_domain",
    "original_local_part",
    "parent_domain",
    "parent_local_part",
    "home",
    "local_user_uid",
    "local_user_gid",
    "router_name",
    "host",
    "host_address",
];
/// How many are for each router; the first of them are of the local part.
const VIEW: usize = 8;
const PARTS: usize = 5;
/// Those that a router itself finds out.
const OWN: std::ops::Range<usize> = 14..17;
/// The name of the router at hand.
const ROUTER: usize = 17;

static NOTHING: Str = Str::EMPTY;

/// Where their values stand in a context: an address passes many routers.
#[derive(Debug)]
pub(super) struct Places([Place; NAMES.len()]);

impl Places {
    pub(super) fn new(registry: &Registry) -> Self {
        Self(NAMES.map(|name| Place::of(registry, name)))
    }
}

/// Those that are set where they are found out, by their places among all.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    LocalPartData = 5,
    DomainData = 6,
    AddressData = 7,
    Home = 14,
    LocalUserUid = 15,
    LocalUserGid = 16,
}

impl Machine<'_> {
    /// Sets one of them.
    pub(super) fn show(&mut self, which: Shown, value: Str) {
        self.cx.set_at(self.routes.places().0[which as usize], value);
    }

    /// Sets the variables of the address as the router at hand has it.
    pub(super) fn show_address(&mut self) {
        self.offer.shown = false;
        self.data_shown = false;
        self.show_view();
        let (cx, address) = (&mut *self.cx, &self.address);
        let (own, own_part) = (&address.domain, &address.local_part);
        let (domain, part) =
            address.original().map_or((own, own_part), |one| (&one.domain, &one.local_part));
        let parent = address.parent.as_deref();
        let (parent_domain, parent_part) =
            parent.map_or((&NOTHING, &NOTHING), |one| (&one.domain, &one.local_part));
        let values = [
            own,
            &address.self_hostname,
            domain,
            &part.lowercased(),
            parent_domain,
            &parent_part.lowercased(),
        ];
        for (place, value) in self.routes.places().0[VIEW..].iter().zip(values) {
            cx.show_at(*place, value);
        }
        for (name, value) in &address.attached.variables {
            cx.set(name, value.clone());
            self.shown.insert(name.clone());
        }
    }

    /// Sets those that may be others for each router.
    pub(super) fn show_view(&mut self) {
        let (cx, address) = (&mut *self.cx, &self.address);
        let (parts, data) = self.routes.places().0[..VIEW].split_at(PARTS);
        // They are the same for most routers. Another pass in between, for an ACL that
        // an option calls, takes them away.
        let gone = !cx.is_set_at(parts[0]);
        if !std::mem::replace(&mut self.offer.shown, true) || gone {
            let values = [
                &self.offer.local_part,
                &self.offer.prefix.text,
                &self.offer.prefix.wild,
                &self.offer.suffix.text,
                &self.offer.suffix.wild,
            ];
            parts.iter().zip(values).for_each(|(place, value)| cx.show_at(*place, value));
        }
        if std::mem::replace(&mut self.data_shown, true) && !gone {
            return;
        }
        let attached = &address.attached;
        let values = [&attached.local_part_data, &attached.domain_data, &attached.address_data];
        for (place, value) in data.iter().zip(values) {
            cx.show_at(*place, value.as_ref().unwrap_or(&NOTHING));
        }
    }

    /// Sets those of a router that begins: what the one before it found out is gone.
    pub(super) fn show_router(&mut self, name: &Str) {
        let places = &self.routes.places().0;
        self.cx.set_at(places[ROUTER], name.clone());
        for place in &places[OWN] {
            self.cx.unset_at(*place);
        }
    }

    /// Takes all of them away again.
    pub(super) fn hide_address(&mut self) {
        for place in &self.routes.places().0 {
            self.cx.unset_at(*place);
        }
        while let Some(name) = self.shown.pop_first() {
            self.cx.unset(&name);
        }
    }
}
