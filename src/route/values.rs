//! The variables that routers set (specification 11.9).

use eximious_core::Str;

use super::machine::Machine;

/// All of them but `$r_…`.
const NAMES: [&str; 20] = [
    "local_part",
    "domain",
    "local_part_prefix",
    "local_part_prefix_v",
    "local_part_suffix",
    "local_part_suffix_v",
    "local_part_data",
    "domain_data",
    "address_data",
    "original_local_part",
    "original_domain",
    "parent_local_part",
    "parent_domain",
    "home",
    "local_user_uid",
    "local_user_gid",
    "router_name",
    "self_hostname",
    "host",
    "host_address",
];

impl Machine<'_> {
    /// Sets the variables of the address as the router at hand has it.
    pub(super) fn show_address(&mut self) {
        let address = &self.address;
        let attached = &address.attached;
        let or_empty = |text: &Option<Str>| text.clone().unwrap_or_default();
        let original = address.original();
        let parent = address.parent.as_deref();
        let values = [
            ("domain", address.domain.clone()),
            ("local_part_prefix", self.prefix.text.clone()),
            ("local_part_prefix_v", self.prefix.wild.clone()),
            ("local_part_suffix", self.suffix.text.clone()),
            ("local_part_suffix_v", self.suffix.wild.clone()),
            ("local_part_data", or_empty(&attached.local_part_data)),
            ("domain_data", or_empty(&attached.domain_data)),
            ("address_data", or_empty(&attached.address_data)),
            ("self_hostname", address.self_hostname.clone()),
            ("original_domain", original.map_or(&address.domain, |one| &one.domain).clone()),
            ("parent_domain", parent.map(|one| one.domain.clone()).unwrap_or_default()),
            (
                "parent_local_part",
                parent.map(|one| one.local_part.lowercased()).unwrap_or_default(),
            ),
            (
                "original_local_part",
                original.map_or(&address.local_part, |one| &one.local_part).lowercased(),
            ),
            ("local_part", self.local_part.clone()),
        ];
        let own = attached.variables.clone();
        for (name, value) in values {
            self.cx.set(name, value);
        }
        for (name, value) in own {
            self.cx.set(&name, value);
            self.shown.insert(name);
        }
    }

    /// Takes all of them away again.
    pub(super) fn hide_address(&mut self) {
        for name in NAMES {
            self.cx.unset(name);
        }
        for name in std::mem::take(&mut self.shown) {
            self.cx.unset(&name);
        }
    }
}
