//! The message goes along.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::{DriverOpt, Message, Str};
use eximious_stdlib::address;
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::{Along, Cutthrough, Held};
use crate::Context;
use crate::mail::acl::Acls;
use crate::mail::route::Attached;
use crate::mail::smtp_client::{Cause, Reply, ReplyClass, SmtpError, Timeouts};
use crate::mail::smtp_transport::{Secured, raise};
use crate::mail::transport::{Transport, header_lines};

/// How long the host may take for a message: whoever sends it waits, too.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of a message that went along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Onward {
    /// What the host made of it.
    pub outcome: OnwardOutcome,
    /// What it said: lines, with their codes.
    pub reply: Vec<u8>,
    /// The host's name.
    pub host: String,
    /// Whether the DNS answered for it with signatures (DNSSEC).
    pub is_signed: bool,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// What is known of TLS, where there is some.
    pub secured: Option<Secured>,
    /// This side of the connection.
    pub local: Option<SocketAddr>,
    /// The transport's name.
    pub transport: Str,
    /// How many bytes were sent.
    pub size: u64,
    /// Who got it, if it was accepted.
    pub recipients: Vec<OnwardRecipient>,
    /// Which transport it is.
    number: usize,
}

/// A recipient of such a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnwardRecipient {
    /// The address that the host was told.
    pub address: Str,
    /// The same as it was routed: in small letters, unless its router heeds their case.
    pub routed: Str,
    /// Those from which it was made, its parent first.
    pub ancestors: Vec<Str>,
    /// The router's name.
    pub router: Str,
}

/// What a host made of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OnwardOutcome {
    /// It has it.
    Accepted,
    /// It does not want it.
    Refused,
    /// It does not want it now.
    Deferred,
    /// It said nothing that makes sense: it may have it or not.
    Unanswered,
}

/// The message did not get there as a whole.
struct Unsent;

impl From<SmtpError> for Unsent {
    fn from(_: SmtpError) -> Self {
        Self
    }
}

impl Cutthrough {
    /// Sends the message of a context to the host, where one waits for it and all its
    /// recipients go there. With nothing, it did not get there as a whole.
    pub fn deliver(&mut self, acls: &Acls, cx: &mut Context, to: &[Str]) -> Option<Onward> {
        self.wanted = false;
        let mut held = self.held.take()?;
        if !held.delivers {
            held.end(cx, "end of message");
            return None;
        }
        let same = |along: &Along, own: &Str| along.recipient.bytes() == own.bytes();
        let along = &held.recipients;
        if along.len() != to.len() || !along.iter().zip(to).all(|(along, own)| same(along, own)) {
            held.end(cx, "other recipients go another way");
            return None;
        }
        let transport = acls.routes().transport_at(held.place.transport);
        let Ok((reply, size)) = held.send(cx, transport) else {
            held.end(cx, "message could not be sent");
            return None;
        };
        let outcome = match reply.as_ref().map(Reply::class) {
            Some(ReplyClass::Completed) => OnwardOutcome::Accepted,
            Some(ReplyClass::Transient) => OnwardOutcome::Deferred,
            Some(ReplyClass::Permanent) => OnwardOutcome::Refused,
            _ => OnwardOutcome::Unanswered,
        };
        let onward = Onward {
            outcome,
            reply: reply.map_or_else(Vec::new, |reply| reply.text().to_vec()),
            host: held.place.host.clone(),
            is_signed: held.place.is_signed,
            address: held.place.address,
            port: held.place.endpoint.port,
            local: held.opened.client.local_address(),
            secured: held.opened.secured.clone(),
            transport: transport.name.clone(),
            number: held.place.transport,
            size,
            recipients: held.recipients.iter().map(|along| along.named(acls)).collect(),
        };
        held.end(cx, "delivered");
        Some(onward)
    }
}

impl Onward {
    /// Tells the transport of a recipient who got the message (`msg:delivery`).
    pub fn tell_transport(&self, acls: &Acls, cx: &mut Context, recipient: &OnwardRecipient) {
        let transport = acls.routes().transport_at(self.number);
        let (text, taint) = recipient.address.read();
        let (local_part, domain) = address::parts(text);
        let tainted = |text: &[u8]| Str::from(text).stamped(taint);
        let values = [
            (var::HOST, Str::tainted(self.host.as_bytes())),
            (var::HOST_ADDRESS, Str::from(self.address.to_string())),
            (var::HOST_PORT, Str::from(self.port.to_string())),
            (var::LOCAL_PART, tainted(local_part)),
            (var::DOMAIN, tainted(domain)),
            (var::ROUTER_NAME, recipient.router.clone()),
        ];
        for (var, value) in values.clone() {
            cx.set_var(var, value);
        }
        let _ = raise(cx, transport, "msg:delivery", &self.reply);
        values.into_iter().for_each(|(var, _)| cx.unset_var(var));
    }
}

impl Along {
    fn named(&self, acls: &Acls) -> OnwardRecipient {
        let (address, routes) = (&self.delivery.address, acls.routes());
        let transport = self.delivery.transport.map(|number| routes.transport_at(number));
        OnwardRecipient {
            address: address.text.clone(),
            routed: address.as_routed(transport.is_none_or(Transport::tells_affixes)),
            ancestors: address.ancestors().map(|one| one.text.clone()).collect(),
            router: routes.router_name(self.delivery.router).clone(),
        }
    }
}

impl Held {
    /// Sends the message: what the host said in the end, if anything, and how much was
    /// sent.
    fn send(
        &mut self,
        cx: &mut Context,
        transport: &Transport,
    ) -> Result<(Option<Reply>, u64), Unsent> {
        let none = Attached::default();
        let first = self.recipients.first();
        let attached = first.map_or(&none, |first| &first.delivery.address.attached);
        // What rules are expanded to may look at the header.
        let headers = cx.message().ok_or(Unsent)?.headers.clone();
        let headers = Message::new(headers, Vec::new());
        let header = header_lines(cx, transport, &headers, attached).map_err(|_| Unsent)?;
        let client = &mut self.opened.client;
        let time = |option: DriverOpt<Duration>| transport.get(option).min(LONGEST);
        client.set_timeouts(Timeouts {
            command: time(opt::smtp::COMMAND_TIMEOUT),
            data: time(opt::smtp::DATA_TIMEOUT),
            last: time(opt::smtp::FINAL_TIMEOUT),
        });
        client.forget_early();
        client.data(cx.trace())?;
        let message = cx.message().ok_or(Unsent)?.clone();
        let head = header.chain(&b"\n"[..]);
        let mut whole = head.chain(&message.stray[..]).chain(message.body.reader());
        let size = client.send_message(cx.trace(), &mut whole)?;
        client.forget_early();
        let reply = match client.end_of_data(cx.trace()).message {
            Some(Ok(reply)) => Some(reply),
            Some(Err(SmtpError { cause: Cause::Replied(reply), .. })) => Some(reply),
            _ => None,
        };
        Ok((reply, size + "DATA\r\n".len() as u64))
    }
}
