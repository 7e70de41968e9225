//! What a client of SMTP does and hears, as text, as Exim tells it.

use crate::Context;
use crate::mail::smtp_client::{ClientEvent, Observer};

impl Observer for Context {
    fn told(&mut self, event: ClientEvent<'_>) {
        match event {
            ClientEvent::Queued(line) => self.tell(0, &[b"  SMTP|> ", line].concat()),
            ClientEvent::Said(line) => self.tell(0, &[b"  SMTP>> ", line].concat()),
            ClientEvent::Flushed(count) => {
                self.tell(0, format!("cmd buf flush {count} bytes").as_bytes());
            }
            ClientEvent::Heard(text) => {
                for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
                    let head: &[u8] = if index == 0 { b"  SMTP<< " } else { b"         " };
                    self.tell(0, &[head, line].concat());
                }
            }
            ClientEvent::Closed(log) => {
                self.tell(0, b"  SMTP(close)>>");
                let log: &[u8] = if log.is_empty() { b"(unset)" } else { log };
                self.tell(0, &[b"cmdlog: '", log, b"'"].concat());
            }
        }
    }
}
