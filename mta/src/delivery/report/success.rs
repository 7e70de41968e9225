//! Reports of success, where the sender asked for them and nobody else makes them
//! (RFC 3461, 5.2).

use eximious::transport::TakingHost;

use super::{Letter, STATUS};
use crate::delivery::attempt::Attempt;
use crate::delivery::tracking::NodeId;
use crate::spool::RecipientDsn;

/// Where an address went of which the sender wants to know that.
#[derive(Clone, Debug)]
pub(in crate::delivery) struct Arrival {
    pub(in crate::delivery) node: NodeId,
    pub(in crate::delivery) how: Arrived,
    pub(in crate::delivery) host: Option<TakingHost>,
}

/// Why nobody else reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::delivery) enum Arrived {
    /// It went no further by SMTP.
    Here,
    /// The router is the last that reports (`dsn_lasthop`).
    LastHop,
    /// The next host knows nothing of reports.
    Unaware,
}

impl Attempt<'_> {
    /// Notes that an address has arrived, if that is to be reported.
    pub(in crate::delivery) fn note_arrival(&mut self, arrival: Arrival) {
        if self.wants(arrival.node, RecipientDsn::SUCCESS) {
            self.arrived.push(arrival);
        }
    }

    /// Whether the sender wants to know of anybody who has got the message.
    pub(in crate::delivery) fn tells_arrivals(&self) -> bool {
        self.asked.values().any(|asked| asked.flags & RecipientDsn::SUCCESS != 0)
    }
}

/// Tells the sender of what arrived: the report's name.
pub(in crate::delivery) fn confirm(attempt: &mut Attempt<'_>) -> Option<Vec<u8>> {
    let arrived = std::mem::take(&mut attempt.arrived);
    if arrived.is_empty() || attempt.file().sender.is_empty() {
        return None;
    }
    let to = attempt.file().sender.clone();
    let mut letter = Letter::new(attempt);
    letter.reply_to();
    letter.from();
    letter.put(&[
        b"Auto-Submitted: auto-generated\nTo: ",
        &to,
        b"\nSubject: Delivery Status Notification\n",
    ]);
    letter.references();
    letter.kind();
    letter.put(&[b"\n"]);
    letter.text_part();
    letter.put(&[b"This message was created automatically by mail delivery software.\n \
          ----- The following addresses had successful delivery notifications -----\n"]);
    for one in &arrived {
        let address = letter.attempt.tracking.original(one.node).to_vec();
        let how: &[u8] = match one.how {
            Arrived::Here => b"relayed via non \"Remote SMTP\" router",
            Arrived::LastHop => b"relayed via non DSN router",
            Arrived::Unaware => b"relayed to non-DSN-aware mailer",
        };
        letter.put(&[b"<", &address, b"> (", how, b")\n\n"]);
    }
    letter.status(STATUS);
    for one in &arrived {
        let address = letter.attempt.tracking.original(one.node).to_vec();
        letter.original_recipient(one.node);
        let head = b"Action: delivered\nFinal-Recipient: rfc822;";
        letter.put(&[head, &address, b"\nStatus: 2.0.0\n"]);
        match (&one.host, one.how) {
            (Some(host), _) => {
                let end = b"\nDiagnostic-Code: smtp; 250 Ok\n\n";
                letter.put(&[b"Remote-MTA: dns; ", &host.name, end]);
            }
            (None, Arrived::LastHop) => {
                letter.put(&[b"Diagnostic-Code: X-Exim; relayed via non DSN router\n\n"]);
            }
            (None, _) => {
                letter.put(&[b"Diagnostic-Code: X-Exim; relayed via non SMTP router\n\n"]);
            }
        }
    }
    letter.part(b"text/rfc822-headers");
    letter.returned_header();
    letter.put(&[b"\n"]);
    let text = letter.end();
    attempt.hand_in_report(text).ok()
}
