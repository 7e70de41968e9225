//! The names of messages.

use eximious::Str;
use eximious::world::{Moment, World};

/// A name for a message: the time, this process, the fraction of the second, each
/// in base 62. The clock gives no moment to two messages.
pub fn message_id(world: &World) -> Str {
    let Moment { seconds, nanos } = world.clock.moment();
    let head = base62(u64::try_from(seconds).unwrap_or(0), 6);
    let pid = base62(u64::from(world.host.pid()), 11);
    let fraction = base62(u64::from(nanos / 1000), 4);
    Str::from(format!("{head}-{pid}-{fraction}"))
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
    use super::*;

    #[test]
    fn names_have_their_form() {
        assert_eq!(base62(61, 2), "0z");
        assert_eq!(base62(62 * 62, 4), "0100");
        assert_eq!(base62(1_000_000_000, 6), "15ftgG");
    }
}
