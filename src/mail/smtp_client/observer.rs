//! Who watches a client.

/// What a client does, and what it hears. Secrets are starred out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ClientEvent<'e> {
    /// A command waits for the next one, to be sent with it (RFC 2920).
    Queued(&'e [u8]),
    /// A command is sent.
    Said(&'e [u8]),
    /// With it, this many bytes are sent, all that waited among them.
    Flushed(usize),
    /// What the server says: lines, with line feeds between them. It may be no reply.
    Heard(&'e [u8]),
    /// The connection is closed. What was said and heard, in short: words of commands and
    /// codes of replies, with colons between them.
    Closed(&'e [u8]),
}

/// Who is told what a client does and hears.
pub trait Observer {
    /// Takes an event.
    fn told(&mut self, event: ClientEvent<'_>);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn told(&mut self, _: ClientEvent<'_>) {}
}
