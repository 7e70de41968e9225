//! What comes back from a program that was given tainted data.
//!
//! To Exim the answers of programs, sockets and Perl are clean, and
//! configurations rely on that. But an answer that repeats tainted data with a
//! dollar or a backslash in it would run whatever an attacker wrote, if it is
//! expanded. Such an answer stays tainted here.

use eximious_core::{Str, Taint};
use memchr::memmem;

/// Data that would do something if it were expanded.
pub fn is_live(data: &Str) -> bool {
    data.taint().is_tainted() && data.bytes().iter().any(|c| matches!(c, b'$' | b'\\'))
}

/// The taint of an answer to a question with these parts.
pub fn of_answer<'a>(answer: &[u8], asked: impl IntoIterator<Item = &'a Str>) -> Taint {
    let repeats = |part: &Str| is_live(part) && memmem::find(answer, part.bytes()).is_some();
    if asked.into_iter().any(repeats) { Taint::Tainted } else { Taint::Clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_live_data_stays_tainted() {
        let live = Str::tainted(b"${run{id}}".as_slice());
        let plain = Str::tainted(b"user".as_slice());
        let own = Str::from("$x");
        assert_eq!(of_answer(b"<${run{id}}>", [&plain, &live]), Taint::Tainted);
        assert_eq!(of_answer(b"user", [&plain, &live]), Taint::Clean);
        assert_eq!(of_answer(b"$x", [&own]), Taint::Clean);
        assert_eq!(of_answer(b"", []), Taint::Clean);
    }
}
