//! What MX and SRV records say, and the order in which their hosts are tried.

use std::collections::HashSet;

use eximious_core::world::{DnsRecord, Random};

use crate::dns::{mx, srv};

/// How many hosts of a domain are looked at.
const MOST_TARGETS: usize = 64;

/// A host that a record names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) preference: u16,
    weight: u16,
    pub(super) port: Option<u16>,
}

impl Target {
    pub(super) fn mx(record: &DnsRecord) -> Option<Self> {
        let (preference, name) = mx(record)?;
        Some(Self { name, preference, weight: 0, port: None })
    }

    pub(super) fn srv(record: &DnsRecord) -> Option<Self> {
        let (preference, weight, port, name) = srv(record)?;
        Some(Self { name, preference, weight, port: Some(port) })
    }
}

/// Puts hosts of MX records in order: by preference, those of the same one at
/// random. A host that is there twice counts at its best.
pub(super) fn arrange_exchangers(targets: &mut Vec<Target>, random: &dyn Random) {
    shuffle(targets, random);
    targets.sort_by_key(|target| target.preference);
    without_repetitions(targets);
}

/// Puts hosts of SRV records in order: by priority, and those of the same one
/// at random by their weights (RFC 2782).
pub(super) fn arrange_services(targets: &mut Vec<Target>, random: &dyn Random) {
    // Those of no weight come first, to have a chance at all.
    targets.sort_by_key(|target| (target.preference, target.weight));
    without_repetitions(targets);
    let mut rest = std::mem::take(targets);
    while let Some(first) = rest.first().map(|target| target.preference) {
        let many = rest.iter().take_while(|target| target.preference == first).count();
        let sum: u64 = rest[..many].iter().map(|target| u64::from(target.weight)).sum();
        let drawn = random.below(sum + 1);
        let mut running = 0;
        let chosen = rest[..many].iter().position(|target| {
            running += u64::from(target.weight);
            running >= drawn
        });
        targets.push(rest.remove(chosen.unwrap_or(0)));
    }
}

fn without_repetitions(targets: &mut Vec<Target>) {
    let mut seen = HashSet::new();
    targets.retain(|target| seen.insert(target.name.to_ascii_lowercase()));
    targets.truncate(MOST_TARGETS);
}

/// Any order is as likely as any other.
pub(super) fn shuffle<T>(items: &mut [T], random: &dyn Random) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or(last);
        items.swap(last, other.min(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// Numbers in a long, fixed order.
    struct Numbers(Mutex<u64>);

    impl Random for Numbers {
        fn below(&self, limit: u64) -> u64 {
            let mut state = self.0.lock().unwrap();
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (*state >> 33) % limit.max(1)
        }
    }

    fn target(name: &str, preference: u16, weight: u16) -> Target {
        Target { name: name.into(), preference, weight, port: None }
    }

    fn names(targets: &[Target]) -> String {
        targets.iter().map(|target| &target.name[..]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_best_preference_of_a_host_counts() {
        let mut targets =
            vec![target("a", 30, 0), target("B", 20, 0), target("A", 10, 0), target("b", 40, 0)];
        arrange_exchangers(&mut targets, &Numbers(Mutex::new(1)));
        assert_eq!(names(&targets), "A B");
    }

    #[test]
    fn equal_hosts_take_turns() {
        let random = Numbers(Mutex::new(1));
        let mut seen = HashMap::<String, u32>::new();
        for _ in 0..600 {
            let mut targets = vec![target("a", 1, 0), target("b", 1, 0), target("c", 1, 0)];
            arrange_exchangers(&mut targets, &random);
            *seen.entry(names(&targets)).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|count| (60..140).contains(count)), "{seen:?}");
    }

    #[test]
    fn weights_count_within_a_priority() {
        let random = Numbers(Mutex::new(1));
        let mut first = HashMap::<String, u32>::new();
        for _ in 0..1000 {
            let mut targets = vec![
                target("late", 20, 60000),
                target("a", 10, 10),
                target("b", 10, 90),
                target("none", 10, 0),
            ];
            arrange_services(&mut targets, &random);
            assert_eq!(targets[3].name, "late");
            *first.entry(targets[0].name.clone()).or_default() += 1;
        }
        assert!((840..940).contains(&first["b"]), "{first:?}");
        assert!((60..140).contains(&first["a"]), "{first:?}");
        assert!(first["none"] < 30, "{first:?}");
    }
}
