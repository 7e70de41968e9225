//! The names of messages.

use eximious::digits::{BASE_62, base62, number_of};
use eximious::stdlib::options::localhost_number;
use eximious::{Engine, Str};

use eximious::world::spool::is_message_id;

/// What one host of several adds to the fraction of a second, times its number: as
/// many as there are of two microseconds in a second.
const FOR_EACH_HOST: u64 = 500_000;

/// How often the clock is asked for a moment that has a fraction of its own.
const TRIES: usize = 1000;

/// A name for a message: the time, this process, the fraction of the second, each
/// in base 62. The clock gives no moment to two messages. A host with a number
/// (`localhost_number`) tells fractions of its own, in units of two microseconds.
pub fn message_id(engine: &Engine) -> Str {
    let (world, settings) = (engine.world(), engine.settings());
    let host = localhost_number(settings).map(u64::from);
    let mut moment = world.clock.moment();
    let fraction = match host {
        None => u64::from(moment.nanos / 1000),
        Some(host) => {
            // No other moment comes to the same as one that is even.
            let mut tries = 0..TRIES;
            while moment.nanos / 1000 % 2 != 0 && tries.next().is_some() {
                moment = world.clock.moment();
            }
            host.saturating_mul(FOR_EACH_HOST) + u64::from(moment.nanos / 2000)
        }
    };
    let head = base62::<6>(u64::try_from(moment.seconds).unwrap_or(0));
    let pid = base62::<11>(u64::from(world.host.pid()));
    Str::from([&head[..], b"-", &pid, b"-", &base62::<4>(fraction)].concat())
}

/// When a message came, by its name, in seconds since 1970.
pub(crate) fn time_of(id: &[u8]) -> Option<i64> {
    let digits = id.get(..6).filter(|_| is_message_id(id))?;
    number_of(digits, BASE_62).and_then(|time| i64::try_from(time).ok())
}

#[cfg(test)]
mod tests {
    use eximious::world::Fixture;
    use eximious::{Config, Macros};

    use super::*;

    #[test]
    fn names_say_when() {
        assert_eq!(time_of(b"15ftgG-000000008A6-0Qit"), Some(1_000_000_000));
        assert_eq!(time_of(b"15ftgG-0008A6-0Q"), Some(1_000_000_000));
        assert_eq!(time_of(b"15ftgG"), None);
    }

    #[test]
    fn each_host_of_several_has_fractions_of_its_own() {
        let fraction = |number: &str| {
            let fixture = Fixture::new().file("/c", format!("localhost_number = {number}\n"));
            let world = fixture.world();
            let registry = Engine::builder().registry().clone();
            let config = Config::read(b"/c", Macros::default(), &world, &registry).unwrap();
            let engine = config.build(Engine::builder().world(world));
            let id = message_id(&engine);
            number_of(&id.bytes()[19..], BASE_62).expect("a number")
        };
        let (first, last) = (fraction("0"), fraction("16"));
        assert!(first < FOR_EACH_HOST, "{first}");
        assert!((16 * FOR_EACH_HOST..17 * FOR_EACH_HOST).contains(&last), "{last}");
        let ids: Vec<_> = (0..200).map(|_| fraction("0x5")).collect();
        let range = 5 * FOR_EACH_HOST..6 * FOR_EACH_HOST;
        assert!(ids.iter().all(|id| range.contains(id)), "{ids:?}");
    }
}
