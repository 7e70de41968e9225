//! Sessions with programs of this system (`-bs`; specification 49.4.1).

use eximious::Str;

use super::Session;

impl Session {
    /// The protocol, as it is called for this client: local ones have a name of
    /// their own.
    pub(super) fn called(&self, protocol: &'static str) -> Str {
        let local = match (self.client.address, protocol) {
            (Some(_), _) => protocol,
            (None, "smtp") => "local-smtp",
            (None, "esmtp") => "local-esmtp",
            (None, "utf8esmtp") => "utf8local-esmtp",
            (None, other) => other,
        };
        Str::fixed(local)
    }

    /// Whether the conversation did not end as it should: the client went away, or
    /// made too many mistakes.
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}
