//! What happens to addresses and messages: ACLs, routing, SMTP, hints.

use crate::{AclVerb, Str};

/// A step of an ACL.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AclEvent<'e> {
    /// An ACL begins: what follows until its verdict is a part of it.
    Begin {
        /// Its name; empty where it is a text instead.
        name: &'e Str,
        /// Whether it was read just now, from the file of that name.
        read: bool,
    },
    /// A statement begins.
    Statement {
        /// Its verb.
        verb: AclVerb,
        /// Where it stands, as Exim says it.
        place: &'e [u8],
    },
    /// A text is kept for later: `message`, `log_message`.
    Text {
        /// What it is for.
        term: &'e str,
        /// As it is written.
        text: &'e Str,
    },
    /// `endpass`.
    Endpass,
    /// A condition or modifier begins.
    Term {
        /// Its name.
        term: &'e str,
        /// Whether `!` stands before it.
        negated: bool,
        /// The variable that `set` sets.
        variable: Option<&'e Str>,
        /// As it is written.
        text: &'e Str,
        /// What it was expanded to, where it is expanded as a whole.
        expanded: Option<&'e Str>,
    },
    /// Something worth to be said on the way.
    Note {
        /// In Exim's words.
        text: &'e [u8],
    },
    /// A statement's conditions came to a result.
    Ended {
        /// The verb.
        verb: AclVerb,
        /// The result.
        came: AclOutcome,
        /// The ACL's name; empty where it is a text instead.
        name: &'e Str,
    },
    /// A condition behind `endpass` does not hold.
    Denied {
        /// The verb.
        verb: AclVerb,
    },
    /// An ACL ends.
    Verdict {
        /// Its name; empty where it is a text instead.
        name: &'e Str,
        /// The verb that ends it; without one, it came to its end, and refuses.
        verb: Option<AclVerb>,
    },
    /// An ACL has no statements: it refuses.
    Empty {
        /// Its name.
        name: &'e Str,
    },
    /// There is no ACL where one has to allow something.
    Missing,
}

/// What a statement's conditions came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclOutcome {
    /// All hold.
    Holds,
    /// One does not.
    Fails,
    /// It can't be said now.
    Deferred,
    /// One of them is wrong in itself.
    Error,
    /// An ACL that was called says `drop`.
    Drop,
    /// An ACL that was called says `discard`.
    Discard,
}

/// A step of routing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RouteEvent<'e> {
    /// An address is verified, and with it what comes of it.
    Verifying {
        /// The address.
        address: &'e [u8],
    },
    /// An address that is verified, or comes of one, has its turn.
    Considering {
        /// The address.
        address: &'e [u8],
    },
    /// An address is routed: what follows until its end is a part of it.
    Begin {
        /// The address.
        address: &'e [u8],
    },
    /// An address is offered to a router.
    Router {
        /// The router.
        router: &'e [u8],
        /// The address's local part, as the router sees it.
        local_part: &'e [u8],
        /// Its domain.
        domain: &'e [u8],
    },
    /// A condition of a router is looked at.
    Checking {
        /// What it is about: the option's name.
        option: &'e str,
        /// What it is set to, where that is told.
        text: Option<&'e [u8]>,
    },
    /// A router is passed by.
    Skipped {
        /// The router.
        router: &'e [u8],
        /// Why.
        why: &'e [u8],
    },
    /// A router runs.
    Calling {
        /// The router.
        router: &'e [u8],
    },
    /// A router changed the address itself.
    Rerouted {
        /// The new address.
        address: &'e [u8],
    },
    /// A router says that the address fails.
    Failed {
        /// The router.
        router: &'e [u8],
    },
    /// A router does not want the address.
    Declined {
        /// The router.
        router: &'e [u8],
        /// The address.
        address: &'e [u8],
    },
    /// A router passes the address on.
    Passed {
        /// The router.
        router: &'e [u8],
        /// The address.
        address: &'e [u8],
    },
    /// A router can't say now what it makes of the address.
    Deferred {
        /// The router.
        router: &'e [u8],
        /// The address.
        address: &'e [u8],
        /// Why.
        message: Option<&'e [u8]>,
    },
    /// A router took the address.
    Routed {
        /// The router.
        router: &'e [u8],
        /// Whether it goes on to others beside that.
        unseen: bool,
        /// The transport, where there is a delivery.
        transport: Option<&'e [u8]>,
    },
    /// `more` is false: no router after this one is asked.
    NoMore,
    /// No router is left.
    NoRouters,
    /// A router made an address of it.
    Generated {
        /// The router.
        router: &'e [u8],
        /// The new address.
        address: &'e [u8],
    },
}

/// A message is kept.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SpoolEvent<'e> {
    /// Its files are written.
    Writing {
        /// Its name.
        id: &'e [u8],
    },
    /// They are on disk.
    Kept {
        /// Its name.
        id: &'e [u8],
        /// How many bytes they have together.
        size: u64,
    },
    /// It is not taken.
    Rejected {
        /// Why.
        why: &'e [u8],
    },
    /// They can't be written.
    Failed {
        /// Its name.
        id: &'e [u8],
        /// Why.
        why: &'e [u8],
    },
}

/// A rule changed an address.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RewriteEvent<'e> {
    /// What it was.
    pub from: &'e [u8],
    /// What it is.
    pub to: &'e [u8],
    /// Where the address stands: `env-to`, `header-from`.
    pub part: &'e str,
    /// The rule's number, from 1.
    pub rule: usize,
    /// Whether the log says it, too, or who is shown its lines.
    pub logged: bool,
}

impl<'e> RewriteEvent<'e> {
    /// A rule changed an address that stands in some place.
    pub fn new(from: &'e [u8], to: &'e [u8], part: &'e str, rule: usize) -> Self {
        Self { from, to, part, rule, logged: false }
    }

    /// The log says it, too, or it does not.
    #[must_use]
    pub fn logged(self, logged: bool) -> Self {
        Self { logged, ..self }
    }
}

/// A step of a callout, or of a message that is cut through.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CalloutEvent<'e> {
    /// A step of the cache of what callouts found.
    Cache {
        /// What is known, in Exim's words.
        text: &'e str,
        /// What it is known of; empty where the words say all.
        key: &'e [u8],
    },
    /// Something worth to be said on the way.
    Note {
        /// In Exim's words.
        text: &'e [u8],
    },
}

/// Who speaks SMTP here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SmtpSide {
    /// A server, to a client.
    Server,
    /// A client, to another host.
    Client,
}

/// A line of SMTP.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SmtpEvent<'e> {
    /// It came.
    Received {
        /// Who we are.
        side: SmtpSide,
        /// It; of a reply, all its lines.
        text: &'e [u8],
    },
    /// It was sent.
    Sent {
        /// Who we are.
        side: SmtpSide,
        /// It; of a reply, all its lines.
        text: &'e [u8],
    },
    /// A command waits until it can be sent together with another one.
    Held {
        /// It.
        text: &'e [u8],
    },
    /// A step of a connection to another host: it is made, or it is known what may be said.
    Step {
        /// In Exim's words.
        text: &'e [u8],
    },
    /// What waited is sent.
    Flushed {
        /// How many bytes.
        count: usize,
    },
    /// The connection to another host was closed.
    Closed {
        /// What was said, in short; empty where nothing was.
        history: &'e [u8],
    },
}

/// A step of an authenticator.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AuthEvent<'e> {
    /// What a client gave is judged.
    Condition {
        /// The authenticator.
        authenticator: &'e [u8],
    },
    /// A value that the client gave.
    Value {
        /// The variable's name, without its dollar.
        name: &'e str,
        /// Its value.
        value: &'e [u8],
    },
    /// What the condition was expanded to.
    Expanded {
        /// It.
        value: &'e [u8],
    },
    /// The condition can't be expanded.
    Failed {
        /// Why.
        why: &'e [u8],
    },
    /// A line that is the authenticator's own, in Exim's words.
    Note {
        /// It.
        text: &'e [u8],
    },
}

/// A hint, which is remembered beyond a process, is looked at or kept.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum HintEvent<'e> {
    /// Hints of a kind are opened.
    Open {
        /// The kind: `callout`, `ratelimit`, `seen`.
        space: &'e str,
    },
    /// One is read.
    Read {
        /// The kind.
        space: &'e str,
        /// Its key.
        key: &'e [u8],
        /// How old it is, in seconds; nothing, where there is none.
        age: Option<i64>,
    },
    /// One is kept.
    Write {
        /// The kind.
        space: &'e str,
        /// Its key.
        key: &'e [u8],
    },
    /// The hints can't be used.
    Failed {
        /// The kind.
        space: &'e str,
        /// Why.
        why: &'e str,
    },
}
