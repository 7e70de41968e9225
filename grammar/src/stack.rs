//! How deep calls may stand in each other: one bound for everything together.
//!
//! Texts stand in texts, ACLs call ACLs, filters include blocks, and each may be expanded
//! within another: bounds of their own multiply. A thread's stack is what all of them use
//! up, so it is what is measured: by the addresses of values on it, from where a thread
//! came in. What one level takes, in whatever build, so counts by itself.

use std::cell::Cell;

/// How much of a thread's stack may be used before nothing may go deeper, in bytes. The
/// threads of Rust's standard library and of many others have 2 MiB; what is left is for
/// what does not nest, and for the program around.
pub const ROOM: usize = 1 << 20;

thread_local! {
    /// Where the stack was when the thread came in, and how much may be used from there;
    /// zeros, where it is not in.
    static BASE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Nothing may go deeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooDeep;

/// A level: the outermost one says from where it is measured.
#[derive(Debug)]
#[must_use = "it ends where it is dropped"]
pub struct Level {
    outermost: bool,
}

/// Goes one level deeper, or comes in: for whatever calls itself, directly or by others.
///
/// # Errors
/// Too much of the stack is in use.
#[inline]
pub fn level() -> Result<Level, TooDeep> {
    level_within(ROOM)
}

/// As [`level`], with another bound where the thread comes in.
///
/// # Errors
/// As [`level`].
#[inline]
pub fn level_within(room: usize) -> Result<Level, TooDeep> {
    if BASE.get().0 == 0 {
        BASE.set((here(), room));
        return Ok(Level { outermost: true });
    }
    if is_deep() { Err(TooDeep) } else { Ok(Level { outermost: false }) }
}

/// Whether nothing may go deeper.
#[inline]
pub fn is_deep() -> bool {
    let (base, room) = BASE.get();
    base != 0 && base.abs_diff(here()) > room
}

impl Drop for Level {
    #[inline]
    fn drop(&mut self) {
        if self.outermost {
            BASE.set((0, 0));
        }
    }
}

/// An address on the stack.
#[inline(always)]
fn here() -> usize {
    let mark = 0_u8;
    (&raw const mark).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(levels: &mut u32) -> Result<(), TooDeep> {
        let _level = level_within(100_000)?;
        let frame = std::hint::black_box([0_u8; 1000]);
        *levels += 1;
        let result = down(levels);
        std::hint::black_box(frame);
        result
    }

    #[test]
    fn the_stack_is_measured_from_where_a_thread_comes_in() {
        for _ in 0..2 {
            let mut levels = 0;
            assert_eq!(down(&mut levels), Err(TooDeep));
            assert!((20..100).contains(&levels), "{levels}");
            assert!(!is_deep());
        }
    }
}
