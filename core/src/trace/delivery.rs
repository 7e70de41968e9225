//! What happens to messages that wait: runs of the queue, and deliveries.

use std::time::Duration;

/// A step of a run of the queue (specification 5.2, `-q`).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum QueueEvent<'e> {
    /// The messages of a queue are looked at.
    Begins {
        /// The queue's name; empty for the one that has none.
        queue: &'e [u8],
        /// How many messages are in it.
        count: usize,
    },
    /// A message is left alone: the run does not want it.
    Skipped {
        /// Its name.
        id: &'e [u8],
    },
    /// It is over.
    Ended {
        /// How many messages were tried.
        tried: usize,
    },
}

/// A step of the delivery of a message (specification 3.9 to 3.14).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DeliveryEvent<'e> {
    /// An attempt begins.
    Begins {
        /// The message's name.
        id: &'e [u8],
        /// The process that runs the queue, where the attempt is part of a run.
        run: Option<u32>,
    },
    /// Who has not got the message: these are tried.
    Recipients {
        /// Their addresses.
        addresses: &'e [Vec<u8>],
    },
    /// An address is looked at.
    Considering {
        /// As it is shown: an address, a file, a command.
        address: &'e [u8],
        /// What tells it from others.
        unique: &'e [u8],
    },
    /// All addresses are routed.
    Routed {
        /// What is delivered on this host.
        local: &'e [Vec<u8>],
        /// What is delivered to others.
        remote: &'e [Vec<u8>],
        /// What failed.
        failed: &'e [Vec<u8>],
        /// What has to wait.
        deferred: &'e [Vec<u8>],
    },
    /// Deliveries by a transport begin: those that go together.
    To {
        /// Their addresses.
        addresses: &'e [Vec<u8>],
        /// The transport's name.
        transport: &'e [u8],
    },
    /// What a driver of the configuration is to show those who look for mistakes
    /// (`debug_print`).
    Printed {
        /// The text.
        text: &'e [u8],
    },
    /// A transport is done with an address.
    Returned {
        /// The address.
        address: &'e [u8],
        /// The transport's name.
        transport: &'e [u8],
        /// What came of it.
        outcome: DeliveryOutcome,
    },
    /// It is kept on disk that an address has got the message.
    Kept {
        /// What tells the address from others.
        unique: &'e [u8],
    },
    /// The attempt is over.
    Ended {
        /// The message's name.
        id: &'e [u8],
        /// Whether the message is done with.
        completed: bool,
    },
}

/// What is worth counting: it is told where the main log is, whatever `log_selector` leaves
/// out of that.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TallyEvent<'e> {
    /// A message has come (`<=`).
    Received {
        /// `$received_protocol`.
        protocol: &'e [u8],
        /// Its size.
        size: u64,
    },
    /// Something came of an address (`=>`, `==`, `**`).
    Address {
        /// The transport; empty where the address has none.
        transport: &'e [u8],
        /// The host, where there is one.
        host: Option<&'e [u8]>,
        /// What came of it.
        outcome: DeliveryOutcome,
    },
    /// A message is done with (`Completed`).
    Completed {
        /// How long it was here.
        waited: Duration,
    },
}

/// What came of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryOutcome {
    /// It is delivered.
    Delivered,
    /// It is tried again.
    Deferred,
    /// It can't be delivered.
    Failed,
}
