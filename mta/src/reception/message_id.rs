//! The names of messages.

use eximious::stdlib::options::localhost_number;
use eximious::{Engine, Str};

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
    let head = base62(u64::try_from(moment.seconds).unwrap_or(0), 6);
    let pid = base62(u64::from(world.host.pid()), 11);
    Str::from(format!("{head}-{pid}-{}", base62(fraction, 4)))
}

fn base62(mut number: u64, width: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = vec!['0'; width];
    for place in out.iter_mut().rev() {
        *place = char::from(DIGITS[(number % 62) as usize]);
        number /= 62;
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use eximious::world::Fixture;
    use eximious::{Config, Macros};

    use super::*;

    #[test]
    fn names_have_their_form() {
        assert_eq!(base62(61, 2), "0z");
        assert_eq!(base62(62 * 62, 4), "0100");
        assert_eq!(base62(1_000_000_000, 6), "15ftgG");
    }

    #[test]
    fn each_host_of_several_has_fractions_of_its_own() {
        let fraction = |number: &str| {
            let fixture = Fixture::new().file("/c", format!("localhost_number = {number}\n"));
            let world = fixture.world();
            let registry = Engine::builder().registry().clone();
            let config = Config::read(b"/c", Macros::default(), &world, &registry).unwrap();
            let engine = config.build(Engine::builder().world(world));
            message_id(&engine).display().rsplit('-').next().map(str::to_owned).unwrap()
        };
        let (first, last) = (fraction("0"), fraction("16"));
        assert!(first < base62(FOR_EACH_HOST, 4), "{first}");
        assert!(last >= base62(16 * FOR_EACH_HOST, 4), "{last}");
        assert!(last < base62(17 * FOR_EACH_HOST, 4), "{last}");
        let ids: Vec<_> = (0..200).map(|_| fraction("0x5")).collect();
        let range = base62(5 * FOR_EACH_HOST, 4)..base62(6 * FOR_EACH_HOST, 4);
        assert!(ids.iter().all(|id| range.contains(id)), "{ids:?}");
    }
}
