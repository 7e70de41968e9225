//! PLAIN and LOGIN: texts, one after the other (specification 34.4).

use eximious_core::{DriverDef, Str};
use eximious_stdlib::lists;
use eximious_stdlib::options::opt::authenticator::{self as general, plaintext as opt};

use super::{Driver, NAMES, Stop, Turn};
use crate::config::AuthenticatorRules;
use crate::mail::auth::drivers::{AuthenticatorRun, own};
use crate::mail::auth::server;

/// The driver `plaintext`.
pub(in crate::mail::auth) static DRIVER: DriverDef = own(
    "plaintext",
    "PLAIN and LOGIN.",
    "34",
    &AuthenticatorRun {
        client: Some(|| Box::new(Plaintext::default())),
        server: Some(server::plaintext::start),
    },
)
.rules(&RULES);

/// What holds of instances in a configuration.
static RULES: AuthenticatorRules = AuthenticatorRules {
    is_client: |one| one.set(opt::CLIENT_SEND),
    is_server: |one| one.set(general::SERVER_CONDITION),
    by_condition: true,
    ..AuthenticatorRules::DEFAULT
};

#[derive(Default)]
pub(super) struct Plaintext {
    texts: std::collections::VecDeque<Str>,
    /// How many challenges there were.
    asked: usize,
}

impl Driver for Plaintext {
    fn begin(&mut self, turn: &mut Turn<'_>) -> Result<Vec<u8>, Stop> {
        let list = turn.authenticator.text(opt::CLIENT_SEND).unwrap_or_default();
        let elements = lists::elements(list.bytes());
        self.texts = elements.map(|text| Str::from(&*text)).collect();
        let first = self.texts.pop_front().unwrap_or_default();
        Ok(with_zeros(turn.expand_text(&first)?.bytes()))
    }

    fn answer(&mut self, turn: &mut Turn<'_>, asked: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let asked = match turn.decoded(asked) {
            Ok(asked) => asked,
            Err(_) if turn.authenticator.flag(opt::CLIENT_IGNORE_INVALID_BASE64) => Vec::new(),
            Err(stop) => return Err(stop),
        };
        if let Some(var) = NAMES[..3].get(self.asked) {
            turn.cx.set_var(*var, Str::tainted(asked));
        }
        self.asked += 1;
        // A server that asks for more than there is to say is told nothing.
        let text = self.texts.pop_front().map(|text| turn.expand_text(&text)).transpose()?;
        Ok(text.map(|text| with_zeros(text.bytes())))
    }
}

/// A text with zero bytes where it has circumflexes; two of them stand for one.
pub(super) fn with_zeros(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'^', b'^', after @ ..] => {
                out.push(b'^');
                after
            }
            [byte, after @ ..] => {
                out.push(if *byte == b'^' { 0 } else { *byte });
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circumflexes_are_zeros_or_doubled() {
        assert_eq!(with_zeros(b"^u^p"), b"\0u\0p");
        assert_eq!(with_zeros(b"^^u^v^^^w^^^^x^^"), b"^u\0v^\0w^^x^");
    }
}
