//! How many hosts of a list are tried (specification 30.5).

use eximious_stdlib::dns::find::RouteHost;

/// The hosts of a list that were tried, by their number.
pub(super) struct Tries {
    /// `hosts_max_try` and `hosts_max_try_hardlimit`.
    most: i64,
    limit: i64,
    counted: i64,
    all: i64,
}

impl Tries {
    pub(super) fn new(most: i64, limit: i64) -> Self {
        Self { most, limit, counted: 0, all: 0 }
    }

    /// Whether no other host is tried.
    pub(super) fn are_over(&self) -> bool {
        self.all >= self.limit
    }

    /// Whether no other one is tried that counts.
    pub(super) fn are_enough(&self) -> bool {
        self.counted >= self.most
    }

    /// Notes that a host is tried.
    pub(super) fn note(&mut self) {
        self.all += 1;
    }

    /// Notes that one that was tried counts; which one comes next. The last one that counts gives
    /// way to one of a higher preference value, so that one of each is tried.
    pub(super) fn count(&mut self, hosts: &[&RouteHost], at: usize) -> usize {
        self.counted += 1;
        if self.counted < self.most {
            return at + 1;
        }
        let mut behind = hosts.iter().enumerate().skip(at + 1);
        let Some((other, _)) = behind.find(|(_, other)| other.mx > hosts[at].mx) else {
            return at + 1;
        };
        self.counted -= 1;
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a host counts.
    #[derive(Clone, Copy)]
    enum Stands {
        Due,
        Overdue,
    }

    /// Which hosts of such preference values are tried, each as it stands.
    fn tried(most: i64, limit: i64, hosts: &[(u16, Stands)]) -> Vec<usize> {
        let all = hosts.iter().map(|(mx, _)| RouteHost { mx: Some(*mx), ..<_>::default() });
        let all: Vec<RouteHost> = all.collect();
        let all: Vec<&RouteHost> = all.iter().collect();
        let (mut tries, mut next, mut done) = (Tries::new(most, limit), 0, Vec::new());
        while next < all.len() && !tries.are_over() {
            if tries.are_enough() {
                break;
            }
            done.push(next);
            tries.note();
            next = match hosts[next].1 {
                Stands::Due => tries.count(&all, next),
                Stands::Overdue => next + 1,
            };
        }
        done
    }

    #[test]
    fn one_host_of_each_preference_is_tried() {
        use Stands::{Due, Overdue};
        let long = [(10, Due), (10, Due), (10, Due), (20, Due), (20, Due), (30, Due)];
        assert_eq!(tried(1, 50, &long), [0, 3, 5]);
        assert_eq!(tried(2, 50, &long), [0, 1, 3, 5]);
        assert_eq!(tried(5, 50, &long), [0, 1, 2, 3, 4, 5]);
        assert_eq!(tried(5, 2, &long), [0, 1]);
        assert_eq!(tried(2, 50, &long[..3]), [0, 1]);
        // What is past its time does not count, but is not tried, either, behind enough others.
        let old = [(10, Overdue), (10, Overdue), (10, Due), (10, Due), (10, Overdue)];
        assert_eq!(tried(1, 50, &old), [0, 1, 2]);
        assert_eq!(tried(1, 50, &old[2..]), [0]);
        assert_eq!(tried(1, 50, &[(10, Due), (10, Overdue)]), [0]);
        assert_eq!(tried(2, 50, &[(10, Due), (10, Overdue), (10, Overdue)]), [0, 1, 2]);
    }
}
