//! What is asked of those who take a message: reports of what becomes of it (RFC 3461).

use eximious::LogSelector;
use eximious::transport::DsnRequests;

use super::attempt::Attempt;
use super::routing::Planned;
use super::tracking::NodeId;
use crate::spool::RecipientDsn;

impl Attempt<'_> {
    /// What is asked of those who take the message, for some addresses.
    pub(super) fn reports_for(&mut self, planned: &[Planned]) -> DsnRequests {
        let mut reports = DsnRequests::default();
        match self.file().number("dsn_ret") {
            Some(1) => reports.mail.extend_from_slice(b" RET=FULL"),
            Some(2) => reports.mail.extend_from_slice(b" RET=HDRS"),
            _ => {}
        }
        if let Some(id) = self.file().text("dsn_envid") {
            reports.mail.extend_from_slice(&[b" ENVID=", id].concat());
        }
        // Whoever reports by itself asks for nothing.
        if planned.iter().all(|one| self.routes().is_last_hop(one.delivery.router)) {
            reports.mail.clear();
        }
        let asked = |one: &Planned| match self.routes().is_last_hop(one.delivery.router) {
            true => Vec::new(),
            false => self.asked_of(one.node).map(parameters).unwrap_or_default(),
        };
        reports.rcpt = planned.iter().map(asked).collect();
        reports
    }

    /// Whether the sender has asked for reports, of all or of an address, where that is logged:
    /// then whether the router that it has is the last that makes some (`dsn_lasthop`).
    pub(super) fn asks_reports(&self, node: NodeId, router: Option<usize>) -> Option<bool> {
        if !self.wanted().contains(LogSelector::DSN) {
            return None;
        }
        let of_all = self.file().has("dsn_ret") || self.file().has("dsn_envid");
        let asked = |asked: &RecipientDsn| asked.flags != 0 || !asked.original.is_empty();
        let asks = of_all || self.asked_of(node).is_some_and(asked);
        asks.then(|| router.is_some_and(|router| self.routes().is_last_hop(router)))
    }
}

/// ` NOTIFY=… ORCPT=…`
fn parameters(asked: &RecipientDsn) -> Vec<u8> {
    let words = [
        (RecipientDsn::SUCCESS, "SUCCESS"),
        (RecipientDsn::FAILURE, "FAILURE"),
        (RecipientDsn::DELAY, "DELAY"),
    ];
    let mut out = Vec::new();
    if asked.flags & RecipientDsn::NEVER != 0 {
        out.extend_from_slice(b" NOTIFY=NEVER");
    } else {
        let words = words.iter().filter(|(flag, _)| asked.flags & flag != 0);
        let words: Vec<&str> = words.map(|(_, word)| *word).collect();
        if !words.is_empty() {
            out.extend_from_slice(format!(" NOTIFY={}", words.join(",")).as_bytes());
        }
    }
    if !asked.original.is_empty() {
        out.extend_from_slice(&[b" ORCPT=", &asked.original[..]].concat());
    }
    out
}
