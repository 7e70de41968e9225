//! A host that is asked may get the message at once: the connection stays open, and
//! further recipients are named there (`control = cutthrough_delivery`).

use eximious_core::Str;
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::words::{lines, rcpt, was};
use super::{Called, Failure, Place, Stop, Subject, Talk};
use crate::Context;
use crate::mail::acl::cutthrough::{self, Held};
use crate::mail::smtp_client::{Endpoint, MailParams, Protocol, RcptParams, SentCommand, Timeouts};
use crate::mail::smtp_transport::Opened;
use crate::mail::transport::{Downconversion, authenticated_sender, converts_by};

/// How much longer a message may become here (`size_addition`).
const ADDITION: u64 = 1024;

impl Place<'_, '_> {
    /// Names the recipient over the connection that is held open, where that leads to the
    /// same host.
    pub(super) fn go_along(&mut self) -> Option<Called> {
        let delivery = self.callout.delivery;
        let address = self.callout.recipient.clone();
        let endpoint = self.endpoint();
        let Some(place) = self.leads(endpoint) else {
            self.run.state.cutthrough.end(self.run.cx, "no transport");
            return None;
        };
        let mut held = self.run.state.cutthrough.take(&place)?;
        let reports = self.run.state.cutthrough.reports.clone();
        if !held.suits(delivery, &reports) {
            held.end(self.run.cx, "not the same delivery");
            self.run.state.cutthrough.end(self.run.cx, "");
            return None;
        }
        let timeout = self.timeout();
        let client = held.client();
        client.set_timeouts(Timeouts { command: timeout, ..Timeouts::default() });
        client.forget_early();
        let dsn = if self.callout.delivers { reports.of_recipient } else { Vec::new() };
        let params = RcptParams { dsn, ..RcptParams::default() };
        let request = SentCommand::rcpt(address.bytes(), &params, client.extensions());
        let said = client.send(self.run.cx.trace(), request);
        match said.and_then(|()| client.answer(self.run.cx.trace())) {
            Ok(reply) if reply.accepts() => {
                held.keep(self.run, delivery);
                Some(Called::fine())
            }
            Ok(reply) if reply.refuses() => {
                let logged = was(&rcpt(address.bytes()), &reply);
                let said = refusal(reply.text());
                held.end(self.run.cx, "recipient refused");
                self.run.state.cutthrough.end(self.run.cx, "");
                // Variables know only what a connection of its own has shown.
                Some(Called::failed(Failure::None, Some(logged), said))
            }
            _ => {
                held.end(self.run.cx, "unexpected response to smtp command");
                self.run.state.cutthrough.end(self.run.cx, "");
                None
            }
        }
    }

    fn leads(&self, endpoint: Endpoint) -> Option<cutthrough::Place> {
        Some(cutthrough::Place {
            host: self.host.name.clone(),
            is_signed: self.host.dnssec == Some(true),
            address: self.address,
            endpoint,
            transport: self.callout.delivery.transport?,
            mail_from: self.callout.mail_from.clone(),
        })
    }
}

/// Whether the message came as one that needs SMTPUTF8.
pub(super) fn is_international(cx: &mut Context) -> bool {
    cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes"
}

impl Place<'_, '_> {
    /// Whether the host is told addresses in ASCII: where the message is an international one,
    /// by the transport (`utf8_downconvert`), or because the host takes none.
    ///
    /// # Errors
    /// The option can't be expanded: why.
    pub(super) fn converts(&mut self, opened: &Opened) -> Result<bool, Vec<u8>> {
        if !is_international(self.run.cx) {
            return Ok(false);
        }
        let is_taken = opened.client.extensions().smtputf8;
        let Some(transport) = self.transport else { return Ok(!is_taken) };
        let is_number = |text: &[u8]| {
            std::str::from_utf8(text).is_ok_and(|text| text.trim().parse::<i64>().is_ok())
        };
        let set = transport.text(smtp::UTF8_DOWNCONVERT);
        let otherwise = match set.is_none_or(|set| is_number(set.bytes())) {
            true => Downconversion::Needed,
            false => Downconversion::Never,
        };
        converts_by(self.run.cx, transport, otherwise, is_taken)
    }

    /// Whom MAIL says to have submitted the message, to a host that knows who this is.
    fn submitter(&mut self, opened: &Opened) -> Result<Option<Vec<u8>>, Stop> {
        let Some(transport) = self.transport else { return Ok(None) };
        let own = authenticated_sender(self.run.cx, transport);
        let own = own.map_err(|why| Stop::Later(Some(why)))?;
        Ok(own.filter(|_| opened.hears_submitter(transport)))
    }
}

impl Talk<'_, '_, '_> {
    /// What MAIL says of a message that may go along.
    pub(super) fn of_message(&mut self) -> Result<MailParams, Stop> {
        let auth = self.place.submitter(&self.opened)?;
        let run = &mut *self.place.run;
        let smtputf8 = is_international(run.cx) && !self.converts;
        // What is remembered is to hold for messages of any size.
        let callout = self.place.callout;
        let tells_size = callout.delivers || !callout.params.cached;
        let size = match callout.subject {
            Subject::Recipient if tells_size => run.cx.value_of(var::MESSAGE_SIZE),
            _ => Str::EMPTY,
        };
        let size = std::str::from_utf8(size.bytes()).ok().and_then(|text| text.parse::<u64>().ok());
        let size = size.map(|size| size.saturating_add(ADDITION));
        if !self.place.callout.takes_along {
            let smtputf8 = smtputf8 && self.opened.client.extensions().smtputf8;
            return Ok(MailParams { size, smtputf8, auth, ..MailParams::default() });
        }
        Ok(MailParams {
            size,
            smtputf8,
            dsn: run.state.cutthrough.reports.of_message.clone(),
            auth,
            ..MailParams::default()
        })
    }

    /// What RCPT says of one that may go along.
    pub(super) fn of_recipient(&self) -> RcptParams {
        match self.place.callout.delivers {
            true => {
                let dsn = self.place.run.state.cutthrough.reports.of_recipient.clone();
                RcptParams { dsn, ..RcptParams::default() }
            }
            false => RcptParams::default(),
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
        if callout.delivers && !run.state.cutthrough.is_wanted() {
            return false;
        }
        if !callout.delivers {
            let stays = taken && self.endpoint.protocol != Protocol::Lmtp;
            if stays {
                let text = b"holding verify callout open for potential further verifies and \
                    delivery";
                run.cx.tell_callout(text);
            }
            return stays;
        }
        let transport = self.place.transport;
        let other = callout.params.asks_more();
        let extensions = self.opened.client.extensions();
        let reports = &run.state.cutthrough.reports;
        let utf8 = is_international(run.cx);
        let unknown = (utf8 && !extensions.smtputf8) || (reports.of_success && !extensions.dsn);
        let hindrance = transport
            .map_or(Some(&b""[..]), |transport| cutthrough::hindrance(transport, &self.endpoint));
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
        let Self { place, opened, endpoint, .. } = self;
        let Some(leads) = place.leads(endpoint) else { return };
        Box::new(Held::new(opened, leads, place.callout.delivers))
            .keep(place.run, place.callout.delivery);
    }
}

/// What the client is told of a recipient whose host refuses it.
pub(super) fn refusal(response: &[u8]) -> Vec<u8> {
    [b"Callout verification failed:\n", &lines(response)[..]].concat()
}
