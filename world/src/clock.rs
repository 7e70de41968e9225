//! The time, and random numbers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eximious_core::world::{Civil, Clock, Moment, Random};
use jiff::tz::TimeZone;

/// How large a file with a zone may be.
const LARGEST_ZONE: u64 = 1 << 20;

/// A second, in microseconds.
const SECOND: u64 = 1_000_000;

/// The system's clock, zone and random numbers.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Moment {
                seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                nanos: since.subsec_nanos(),
            },
            Err(before) => Moment {
                seconds: -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
                nanos: 0,
            },
        }
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn moment(&self) -> Moment {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let Moment { seconds, nanos } = self.now();
        let now = u64::try_from(seconds).unwrap_or(0).saturating_mul(SECOND);
        let now = now.saturating_add(u64::from(nanos / 1000));
        let mut last = LAST.load(Ordering::Relaxed);
        let time = loop {
            // Who comes in the same microsecond has the next one. A clock that was
            // put back by much is believed.
            let ahead = last.checked_sub(now).is_some_and(|ahead| ahead < SECOND);
            let time = if ahead { last + 1 } else { now };
            match LAST.compare_exchange_weak(last, time, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break time,
                Err(other) => last = other,
            }
        };
        let seconds = i64::try_from(time / SECOND).unwrap_or(i64::MAX);
        Moment { seconds, nanos: (time % SECOND) as u32 * 1000 }
    }

    fn civil(&self, moment: Moment, zone: Option<&str>) -> Civil {
        let zone = find(zone);
        let Ok(stamp) = jiff::Timestamp::from_second(moment.seconds) else {
            return Civil::default();
        };
        let civil = stamp.to_zoned(zone);
        Civil {
            year: i32::from(civil.year()),
            month: civil.month() as u8,
            day: civil.day() as u8,
            weekday: civil.weekday().to_sunday_zero_offset() as u8,
            hour: civil.hour() as u8,
            minute: civil.minute() as u8,
            second: civil.second() as u8,
            offset: civil.offset().seconds(),
        }
    }

    fn zone_name(&self, moment: Moment, zone: Option<&str>) -> String {
        match jiff::Timestamp::from_second(moment.seconds) {
            Ok(stamp) => find(zone).to_offset_info(stamp).abbreviation().to_owned(),
            Err(_) => "UTC".into(),
        }
    }
}

/// A zone as an option names it; the system's own without one.
fn find(zone: Option<&str>) -> TimeZone {
    zone.map_or_else(local_zone, named_zone)
}

/// What `/etc/localtime` says, as a mail server has no environment to ask: Exim
/// takes `TZ` away.
fn local_zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(|| zone_file("/etc/localtime").unwrap_or(TimeZone::UTC)).clone()
}

/// A zone as the C library's `TZ` names it; UTC where it means nothing.
fn named_zone(name: &str) -> TimeZone {
    let name = name.strip_prefix(':').unwrap_or(name);
    if name.starts_with('/') {
        return zone_file(name).unwrap_or(TimeZone::UTC);
    }
    let found = TimeZone::get(name).ok();
    // Zones are files there, and their names have one case.
    found
        .filter(|zone| zone.iana_name().is_none_or(|known| known == name))
        .or_else(|| TimeZone::posix(name).ok())
        .unwrap_or(TimeZone::UTC)
}

fn zone_file(path: &str) -> Option<TimeZone> {
    TimeZone::tzif("", &crate::files::read(path.as_ref(), LARGEST_ZONE).ok()?).ok()
}

impl Random for SystemClock {
    fn below(&self, limit: u64) -> u64 {
        if limit < 2 {
            return 0;
        }
        // Numbers at the upper end that would favour small results are drawn
        // again.
        let most = u64::MAX - u64::MAX % limit;
        for _ in 0..64 {
            let mut bytes = [0; 8];
            if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).is_err() {
                break;
            }
            let number = u64::from_ne_bytes(bytes);
            if number < most {
                return number % limit;
            }
        }
        u64::from(self.now().nanos) % limit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_moment_is_given_twice() {
        let moments: Vec<Moment> = std::thread::scope(|scope| {
            let take = || (0..5000).map(|_| SystemClock.moment()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(moments.iter().collect::<BTreeSet<_>>().len(), moments.len());
    }
}
