//! How much of a message's mail goes in one delivery to other hosts (specification 30.4,
//! `max_rcpt`, `multi_domain`).

use eximious_core::Expanded;
use eximious_stdlib::options::opt::transport::smtp;

use super::smtp::most_recipients;
use crate::Context;
use crate::mail::route::{Routes, Text};

/// What one delivery may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransportBounds {
    /// How many addresses.
    pub recipients: usize,
    /// Whether they may be of several domains.
    pub several_domains: bool,
}

impl Default for TransportBounds {
    fn default() -> Self {
        Self { recipients: usize::MAX, several_domains: true }
    }
}

impl Routes {
    /// What one delivery by a transport, by its number, may take. An option that makes no
    /// sense bounds nothing here: the delivery says so.
    pub fn bounds(&self, cx: &mut Context, number: usize) -> TransportBounds {
        let transport = self.transport_at(number);
        let recipients = most_recipients(cx, transport).ok().flatten().unwrap_or(usize::MAX);
        let several_domains = match transport.set(smtp::MULTI_DOMAIN) {
            None => true,
            Some(Expanded::Value(value)) => value,
            Some(Expanded::Text(text)) => {
                let text = Text::new(text).expand(cx);
                let yes = ["true", "yes"];
                text.is_ok_and(|text| {
                    yes.iter().any(|word| text.bytes().eq_ignore_ascii_case(word.as_bytes()))
                })
            }
        };
        TransportBounds { recipients: recipients.max(1), several_domains }
    }
}
