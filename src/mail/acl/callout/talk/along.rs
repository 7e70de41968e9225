//! A host that is asked may get the message at once: the connection stays open, and
//! further recipients are named there (`control = cutthrough_delivery`).

use eximious_stdlib::variables::var;

use super::words::{in_line, lines, rcpt, was};
use super::{Called, Failure, Place, Protocol, Talk, way};
use crate::mail::acl::cutthrough::{self, Held};

/// How much longer a message may become here (`size_addition`).
const ADDITION: u64 = 1024;

impl Place<'_, '_> {
    /// Names the recipient over the connection that is held open, where there is one
    /// that leads to the same host. With nothing, there is none any more.
    pub(super) fn go_along(&mut self) -> Option<Called> {
        if !self.run.state.cutthrough.is_open() {
            return None;
        }
        let delivery = self.callout.delivery;
        let address = self.callout.address.clone();
        let way = way(self.run, self.transport, self.host, self.address, &address);
        let Some(place) = self.leads(way) else {
            self.run.state.cutthrough.end(self.run.cx, "no transport");
            return None;
        };
        let mut held = self.run.state.cutthrough.take(self.run.cx, &place)?;
        let reports = self.run.state.cutthrough.reports.clone();
        if !held.suits(delivery, &reports) {
            held.end(self.run.cx, "not the same delivery");
            self.run.state.cutthrough.end(self.run.cx, "");
            return None;
        }
        let timeout = self.timeout("command_timeout");
        held.line().connection.set_timeout(timeout);
        let mut command = rcpt(address.bytes());
        if self.callout.delivers && held.line().offers.reports {
            command.extend(in_line(&reports.of_recipient));
        }
        let said = held.line().say(self.run.cx, &command);
        match said.and_then(|()| held.line().listen(self.run.cx)) {
            Ok(reply) if reply.accepts() => {
                held.keep(self.run, delivery);
                Some(Called::fine())
            }
            Ok(reply) if reply.refuses() => {
                let logged = was(&rcpt(address.bytes()), &reply);
                let said = refusal(reply.text());
                held.end(self.run.cx, "recipient refused");
                self.run.state.cutthrough.end(self.run.cx, "");
                Some(Called::failed(Failure::Recipient, Some(logged), said))
            }
            _ => {
                held.end(self.run.cx, "unexpected response to smtp command");
                self.run.state.cutthrough.end(self.run.cx, "");
                None
            }
        }
    }

    fn leads(&self, way: super::Way) -> Option<cutthrough::Place> {
        Some(cutthrough::Place {
            host: self.host.name.clone(),
            address: self.address,
            way,
            transport: self.callout.delivery.transport?,
            mail_from: self.callout.mail_from.clone(),
        })
    }
}

impl Talk<'_, '_, '_> {
    /// What MAIL says of a message that may go along, as far as the host knows that.
    pub(super) fn of_message(&mut self) -> Vec<u8> {
        let mut params = Vec::new();
        let run = &mut *self.place.run;
        if !self.place.callout.takes_along {
            return params;
        }
        let offers = &self.line.offers;
        let size = run.cx.value_of(var::MESSAGE_SIZE);
        let size = std::str::from_utf8(size.bytes()).ok().and_then(|text| text.parse::<u64>().ok());
        if let (Some(_), Some(size)) = (offers.size, size) {
            params.extend_from_slice(format!(" SIZE={}", size.saturating_add(ADDITION)).as_bytes());
        }
        if offers.utf8 && run.cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes" {
            params.extend_from_slice(b" SMTPUTF8");
        }
        if offers.reports {
            params.extend(in_line(&run.state.cutthrough.reports.of_message));
        }
        params
    }

    /// What RCPT says of one that may go along.
    pub(super) fn of_recipient(&self) -> Vec<u8> {
        match self.place.callout.delivers && self.line.offers.reports {
            true => in_line(&self.place.run.state.cutthrough.reports.of_recipient),
            false => Vec::new(),
        }
    }

    /// Whether the connection is held open, now that it is known whether the host takes the
    /// recipient.
    pub(super) fn may_stay(&mut self, taken: bool) -> bool {
        let callout = self.place.callout;
        if !callout.takes_along || !cutthrough::is_first(self.place.run) {
            return false;
        }
        let run = &mut *self.place.run;
        if !callout.delivers {
            let stays = taken && self.way.protocol == Protocol::Smtp;
            if stays {
                let text = b"holding verify callout open for potential further verifies and \
                    delivery";
                run.cx.tell_callout(text);
            }
            return stays;
        }
        let transport = self.place.transport;
        let other = callout.params.asks_more();
        let (offers, reports) = (&self.line.offers, &run.state.cutthrough.reports);
        let utf8 = run.cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes";
        let unknown = (utf8 && !offers.utf8) || (reports.of_success && !offers.reports);
        let hindrance = transport
            .map_or(Some(&b""[..]), |transport| cutthrough::hindrance(transport, &self.way));
        if other || unknown || hindrance.is_some() {
            if let Some(text) = hindrance.filter(|text| !text.is_empty() && !other) {
                run.cx.tell_callout(text);
            }
            run.state.cutthrough.end(run.cx, "");
            return false;
        }
        if !taken {
            return false;
        }
        run.cx.tell_callout(b"holding verify callout open for cutthrough delivery");
        true
    }

    /// Holds the connection open.
    pub(super) fn stay(self) {
        let Self { place, line, way } = self;
        let Some(leads) = place.leads(way) else { return };
        Box::new(Held::new(line, leads, place.callout.delivers))
            .keep(place.run, place.callout.delivery);
    }
}

/// What the client is told of a recipient whose host refuses it.
pub(super) fn refusal(response: &[u8]) -> Vec<u8> {
    [b"Callout verification failed:\n", &lines(response)[..]].concat()
}
