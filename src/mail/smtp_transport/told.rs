//! What a client of SMTP does and hears, told to whoever watches the context.

use eximious_core::trace::{Happening, SmtpEvent, SmtpSide};

use crate::Context;
use crate::mail::smtp_client::{ClientEvent, Observer};

impl Observer for Context {
    fn told(&mut self, event: ClientEvent<'_>) {
        let side = SmtpSide::Client;
        self.tell(Happening::Smtp(match event {
            ClientEvent::Queued(text) => SmtpEvent::Held { text },
            ClientEvent::Said(text) => SmtpEvent::Sent { side, text },
            ClientEvent::Flushed(count) => SmtpEvent::Flushed { count },
            ClientEvent::Heard(text) => SmtpEvent::Received { side, text },
            ClientEvent::Closed(history) => SmtpEvent::Closed { history },
        }));
    }
}
