//! How much memory this process has, and how much it may have.

use std::sync::OnceLock;

use rustix::process::{Resource, getrlimit};

/// How full the memory is that this process may have, in thousandths: what limits of
/// processes (`RLIMIT_AS`, `RLIMIT_DATA`) and the control group allow. Nothing, where
/// nothing limits it, or nobody can tell.
pub fn fullness() -> Option<u64> {
    let limits = Limits::now();
    if limits.is_none() {
        return None;
    }
    let used = Used::read()?;
    let pairs =
        [(used.mapped, limits.mapped), (used.data, limits.data), (used.resident, limits.resident)];
    let full = pairs.into_iter().filter_map(|(used, most)| {
        let most = most.filter(|most| *most > 0)?;
        Some(used.saturating_mul(1000) / most)
    });
    full.max()
}

/// How much memory this process may have, in bytes: the least of its limits, and of what
/// the system has.
pub fn limit() -> Option<u64> {
    let Limits { mapped, data, resident } = Limits::now();
    let system = rustix::system::sysinfo();
    let system = (system.totalram as u64).saturating_mul(u64::from(system.mem_unit));
    [mapped, data, resident, Some(system)].into_iter().flatten().filter(|most| *most > 0).min()
}

/// What is allowed, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    mapped: Option<u64>,
    data: Option<u64>,
    resident: Option<u64>,
}

/// What is used, in bytes.
#[derive(Clone, Copy, Debug)]
struct Used {
    mapped: u64,
    data: u64,
    resident: u64,
}

impl Limits {
    fn now() -> Self {
        static GROUP: OnceLock<Option<u64>> = OnceLock::new();
        Self {
            mapped: getrlimit(Resource::As).current,
            data: getrlimit(Resource::Data).current,
            resident: *GROUP.get_or_init(of_group),
        }
    }

    fn is_none(&self) -> bool {
        self.mapped.is_none() && self.data.is_none() && self.resident.is_none()
    }
}

impl Used {
    /// From the numbers of pages that the system tells of.
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/self/statm").ok()?;
        let mut pages = text.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
        let size = rustix::param::page_size() as u64;
        let mut next = || Some(pages.next()??.saturating_mul(size));
        let (mapped, resident) = (next()?, next()?);
        // Shared pages, text and libraries are in between.
        let data = (next()?, next()?, next()?, next()?).3;
        Some(Self { mapped, data, resident })
    }
}

/// What the control group of this process allows, and those around it.
fn of_group() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut least: Option<u64> = None;
    let mut path = path.trim_end_matches('/');
    loop {
        let file = format!("/sys/fs/cgroup{path}/memory.max");
        let most = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        least = least.into_iter().chain(most).min();
        match path.rfind('/') {
            Some(end) => path = &path[..end],
            None => return least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_can_be_told() {
        let used = Used::read().unwrap();
        assert!(used.resident > 0 && used.resident <= used.mapped && used.data <= used.mapped);
        let full = fullness();
        assert_eq!(full.is_none(), Limits::now().is_none());
        assert!(limit().is_some_and(|limit| limit > used.resident));
    }
}
