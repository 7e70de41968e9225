//! Choices of generators.

use fastrand::Rng;

/// What generators ask of chance.
pub trait Dice {
    /// One of several.
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T;
    /// Whether the first of so many comes.
    fn chance(&mut self, of: u32) -> bool;
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
