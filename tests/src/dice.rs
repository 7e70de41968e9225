//! Choices of generators.

use std::time::Duration;

use fastrand::Rng;

/// Where the dice of a test begin: always at the same place, so that nobody's change fails
/// on another's bad luck. `EXIMIOUS_SEED` names another one; `random` is a new one each
/// time.
pub fn seed() -> u64 {
    let named = std::env::var("EXIMIOUS_SEED").ok();
    let seed = match named.as_deref() {
        Some("random") => fastrand::u64(..),
        Some(number) => number.parse().expect("EXIMIOUS_SEED is a number"),
        None => 20_261_122,
    };
    println!("EXIMIOUS_SEED={seed}");
    seed
}

/// How long to go on: `EXIMIOUS_SECONDS`, where that is set.
pub fn patience(usual: Duration) -> Duration {
    let named = std::env::var("EXIMIOUS_SECONDS").ok();
    let seconds = named.map(|text| text.parse().expect("EXIMIOUS_SECONDS is a number"));
    seconds.map_or(usual, Duration::from_secs)
}

/// What generators ask of chance.
pub trait Dice {
    /// One of several.
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T;
    /// Whether the first of so many comes.
    fn chance(&mut self, of: u32) -> bool;
    /// Fewer than `most` options, none of which is set twice.
    fn options<'a>(&mut self, most: usize, from: &[&'a str]) -> Vec<&'a str>;
    /// Some texts in a row, at least `least` and at most `most`, with something between.
    fn some(
        &mut self,
        least: usize,
        most: usize,
        between: &str,
        one: impl FnMut(&mut Self) -> String,
    ) -> String;
}

impl Dice for Rng {
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.usize(..from.len())]
    }

    fn chance(&mut self, of: u32) -> bool {
        self.u32(..of) == 0
    }

    fn options<'a>(&mut self, most: usize, from: &[&'a str]) -> Vec<&'a str> {
        let name = |text: &'a str| text.split(' ').next().unwrap_or_default();
        let mut set: Vec<&str> = Vec::new();
        for _ in 0..self.usize(..most) {
            let option = self.pick(from);
            if !set.iter().any(|known| name(known) == name(option)) {
                set.push(option);
            }
        }
        set
    }

    fn some(
        &mut self,
        least: usize,
        most: usize,
        between: &str,
        mut one: impl FnMut(&mut Self) -> String,
    ) -> String {
        let count = self.usize(least..=most);
        let all: Vec<String> = (0..count).map(|_| one(self)).collect();
        all.join(between)
    }
}
