//! How much of a message goes back to who has sent it (specification 14,
//! `bounce_return_size_limit`).

use eximious_core::{Message, Settings};
use eximious_stdlib::options::opt;

/// Bodies are returned whole up to the limit, rounded up to this.
const STEP: u64 = 8192;

/// What stands before the body in its file, beside the message's name.
const NAME_END: u64 = b"-D\n".len() as u64;

/// A body that is too large to be returned whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oversize {
    /// How many bytes its file has.
    pub bytes: u64,
    /// How many it may have.
    pub most: u64,
}

impl Oversize {
    /// Of a message's body, where that is too large: its file in the spool is what counts.
    pub fn of(message: &Message, settings: &Settings) -> Option<Self> {
        let limit = u64::try_from(settings.get(opt::BOUNCE_RETURN_SIZE_LIMIT)).ok()?;
        let most = (limit / STEP).saturating_add(1).saturating_mul(STEP);
        let name = message.id.bytes().len() as u64 + NAME_END;
        let bytes = name + message.stray.len() as u64 + message.body.len();
        (limit > 0 && bytes > most).then_some(Self { bytes, most })
    }
}

#[cfg(test)]
mod tests {
    use eximious_core::Str;

    use super::*;

    #[test]
    fn a_body_may_have_the_next_step_above_the_limit() {
        let oversize = |limit, body: usize, stray: usize| {
            let mut message = Message::new(Vec::new(), vec![b'x'; body]);
            message.stray = vec![b'y'; stray];
            message.id = Str::fixed("1xUxBi-0000000039L-0Eea");
            let mut settings = Settings::default();
            settings.set(opt::BOUNCE_RETURN_SIZE_LIMIT, limit);
            Oversize::of(&message, &settings).map(|over| (over.bytes, over.most))
        };
        assert_eq!(oversize(1000, 8166, 0), None);
        assert_eq!(oversize(1000, 8167, 0), Some((8193, 8192)));
        assert_eq!(oversize(1000, 8160, 7), Some((8193, 8192)));
        assert_eq!(oversize(8191, 8167, 0), Some((8193, 8192)));
        assert_eq!(oversize(8192, 16358, 0), None);
        assert_eq!(oversize(8192, 16359, 0), Some((16385, 16384)));
        assert_eq!(oversize(0, 100_000, 0), None);
    }
}
