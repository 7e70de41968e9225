//! The configuration's options: a record for each, by place.
//!
//! Names, kinds and defaults are those that the program prints; where the
//! specification of 4.100 has another default, it counts, and the record's page
//! says so.

mod authenticators;
mod computed;
mod main;
pub mod opt;
mod routers;
mod transports;

use eximious_core::{DriverKind, OptionDef, OptionKind, OptionPlace};

pub use computed::{
    LONGEST_SYSLOG_NAME, is_yes, localhost_number, log_directory, log_options, server_ids,
    yes_or_no,
};

/// All options, in families; those of a family have one place.
pub static ALL: &[&[&[OptionDef]]] =
    &[main::ALL, routers::ALL, transports::ALL, authenticators::ALL];

/// Makes the records of one place, which share a source.
#[derive(Clone, Copy)]
struct At {
    place: OptionPlace,
    source: &'static str,
}

impl At {
    const fn main(source: &'static str) -> Self {
        Self { place: OptionPlace::Main, source }
    }
    const fn all(kind: DriverKind, source: &'static str) -> Self {
        Self { place: OptionPlace::Generic(kind), source }
    }
    const fn driver(kind: DriverKind, name: &'static str, source: &'static str) -> Self {
        Self { place: OptionPlace::Driver(kind, name), source }
    }

    const fn of(self, name: &'static str, kind: OptionKind) -> OptionDef {
        OptionDef::new(self.place, name, kind).source(self.source)
    }

    /// A boolean that is true by default.
    const fn yes(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Bool).default("true")
    }
    /// A boolean that is false by default.
    const fn no(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Bool).default("false")
    }
    /// A boolean or a text, true by default.
    const fn expanded_yes(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::ExpandedBool).expanded().default("true")
    }
    /// A boolean or a text, false by default.
    const fn expanded_no(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::ExpandedBool).expanded().default("false")
    }
    const fn integer(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Integer)
    }
    const fn size(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Size)
    }
    const fn kilobytes(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Kilobytes)
    }
    const fn octal(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Octal)
    }
    const fn fixed(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Fixed)
    }
    const fn time(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Time)
    }
    const fn expanded_time(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::ExpandedTime).expanded()
    }
    const fn times(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::TimeList)
    }
    const fn text(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Text)
    }
    const fn log_selector(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::LogSelector)
    }
    const fn list(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::List)
    }
    const fn domains(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::DomainList).expanded()
    }
    const fn hosts(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::HostList).expanded()
    }
    const fn addresses(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::AddressList).expanded()
    }
    const fn local_parts(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::LocalPartList).expanded()
    }
    const fn user(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::User)
    }
    const fn group(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Group)
    }
    const fn users(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::UserList)
    }
    const fn groups(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::GroupList)
    }
    const fn rewrite(self, name: &'static str) -> OptionDef {
        self.of(name, OptionKind::Rewrite)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = &'static OptionDef> {
        ALL.iter().copied().flatten().copied().flatten()
    }

    #[test]
    fn a_family_is_of_one_place_and_sorted() {
        for family in ALL.iter().copied().flatten() {
            let names: Vec<_> = family.iter().map(|option| option.meta.name).collect();
            assert!(names.is_sorted(), "{names:?}");
            assert!(family.iter().all(|option| option.place == family[0].place), "{names:?}");
        }
    }

    #[test]
    fn no_name_stands_twice_in_a_place() {
        let mut seen = BTreeSet::new();
        for option in all() {
            for name in std::iter::once(&option.meta.name).chain(option.meta.aliases) {
                assert!(seen.insert((option.place, name)), "{:?} {name}", option.place);
            }
        }
    }

    #[test]
    fn records_are_complete() {
        for option in all() {
            let OptionDef { meta, kind, default, .. } = option;
            let name = meta.name;
            assert!(meta.summary.ends_with('.') && meta.summary.len() > 10, "{name}");
            assert!(!meta.summary.contains('\n') && meta.summary.len() <= 110, "{name}");
            assert!(meta.docs.is_empty() || meta.docs.ends_with('.'), "{name}");
            assert!(!option.varies || !meta.docs.is_empty(), "{name}: what decides?");
            assert!(!meta.source.is_empty(), "{name}");
            let boolean = matches!(kind, OptionKind::Bool | OptionKind::ExpandedBool);
            assert_eq!(boolean, matches!(*default, Some("true" | "false")), "{name}");
        }
    }
}
