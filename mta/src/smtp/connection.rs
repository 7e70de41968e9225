//! What lasts for a connection, whatever messages come over it.

use std::collections::VecDeque;

use eximious::Str;
use eximious::world::Moment;

use super::Client;
use super::atrn::Turning;
use super::auth::Authentication;
use super::command::Command;
use super::ehlo::{Advertised, Permissions};
use super::errors::Counts;
use super::sync::Pipelined;
use super::timeout::ReadTimer;
use super::tls::Tls;
use super::xclient::Xclient;

/// What is known of a connection.
pub(super) struct Connection {
    /// Who is connected.
    pub(super) client: Client,
    /// The name by which this host goes.
    pub(super) host: Str,
    /// When it began.
    pub(super) began: Moment,
    /// TLS around it all.
    pub(super) tls: Tls,
    pub(super) permissions: Permissions,
    pub(super) advertised: Advertised,
    pub(super) authentication: Authentication,
    pub(super) xclient: Xclient,
    pub(super) counts: Counts,
    /// The last commands, the oldest first.
    pub(super) history: VecDeque<Command>,
    /// The command at hand, for logs.
    pub(super) command: Vec<u8>,
    /// Which commands came before they were asked for.
    pub(super) pipelined: Pipelined,
    pub(super) read_timer: ReadTimer,
    /// Whether the client was greeted.
    pub(super) banner_sent: bool,
    /// Why nothing is done for the client any more.
    pub(super) barred: Option<Barred>,
    /// Whether it did not end as it should.
    pub(super) failed: bool,
    /// Why nothing more can be read, where the system said so.
    pub(super) broken_by: Option<String>,
    /// What is done for those who want their mail along it.
    pub(super) turning: Turning,
    /// Only in a test: the message that was kept last. Log lines go on naming it, as
    /// those of Exim do.
    pub(super) last_id: Str,
}

/// Why nothing is done for a client any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Barred {
    /// A proxy did not say who the client is.
    ProxyFailed,
    /// It began TLS within TLS.
    TlsMisused,
}

impl Connection {
    /// A connection that was just made.
    pub(super) fn new(client: Client, began: Moment) -> Self {
        Self {
            client,
            host: Str::EMPTY,
            began,
            tls: Tls::default(),
            permissions: Permissions::default(),
            advertised: Advertised::default(),
            authentication: Authentication::default(),
            xclient: Xclient::default(),
            counts: Counts::default(),
            history: VecDeque::new(),
            command: Vec::new(),
            pipelined: Pipelined::default(),
            read_timer: ReadTimer::new(began),
            banner_sent: false,
            barred: None,
            failed: false,
            broken_by: None,
            turning: Turning::default(),
            last_id: Str::EMPTY,
        }
    }
}
