//! How much goes along one connection, and in one copy (specification 30.4,
//! `connection_max_messages`, `max_rcpt`, `multi_domain`; RFC 9422).

use eximious_stdlib::options::opt::transport::smtp;

use super::held::Line;
use crate::mail::transport::TransportCall;

/// What holds of a connection.
pub(super) struct LineBounds {
    /// How many copies of messages go along it.
    pub(super) copies: u32,
    /// How many recipients each has.
    recipients: usize,
    /// Whether these may be of several domains.
    several_domains: bool,
}

impl LineBounds {
    /// By the transport's options, and by what the host announced, which counts where it is
    /// certain who said so, as far as that could be.
    pub(super) fn of(
        call: &mut TransportCall<'_>,
        line: &Line,
        recipients: usize,
        is_turned: bool,
    ) -> Self {
        let most = call.consignment.connections.most_messages();
        let most = most.unwrap_or_else(|| call.transport.get(smtp::CONNECTION_MAX_MESSAGES));
        // Who has called wants all of its mail.
        let most = u32::try_from(most).ok().filter(|most| *most > 0 && !is_turned);
        let copies = most.unwrap_or(u32::MAX);
        let extensions = line.opened.client.extensions();
        let mut limits = extensions.limits;
        if line.opened.secured.is_none() && extensions.starttls {
            limits = Default::default();
        }
        let least = |own: usize, other: Option<u32>| {
            own.min(other.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX))
        };
        Self {
            copies: copies.min(limits.mails.unwrap_or(u32::MAX)),
            recipients: least(recipients, limits.recipients).max(1),
            several_domains: limits.domains.is_none(),
        }
    }

    /// Takes those of some addresses that are in the next copy.
    pub(super) fn cut(&self, call: &TransportCall<'_>, rest: &mut Vec<usize>) -> Vec<usize> {
        let domain = |at: &usize| call.consignment.deliveries[*at].address.domain.bytes();
        let first = rest.first().map(domain);
        let (mut some, mut others) = (Vec::new(), Vec::new());
        for at in rest.drain(..) {
            let fits = some.len() < self.recipients
                && (self.several_domains || Some(domain(&at)) == first);
            if fits { some.push(at) } else { others.push(at) }
        }
        *rest = others;
        some
    }
}
