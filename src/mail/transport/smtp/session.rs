//! An attempt at one host: a connection, and over it as many transactions as are wanted.

use std::io;
use std::net::SocketAddr;

use eximious_core::LogSelector;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::options::opt::transport::smtp;

use super::bounds::LineBounds;
use super::dkim;
use super::envelope::{Begun, MailWishes};
use super::held::Line;
use super::international;
use super::signing::{self, Signatures};
use super::stop::{Stop, at_the_end, broken_off, number_of, of_message, pipelined};
use super::{Work, most_recipients};
use crate::mail::smtp_client::{Cause, Endpoint, Protocol, Reply, SmtpError};
use crate::mail::smtp_transport::{CLOSED, Peer, PeerTls};
use crate::mail::transport::filtered::filtered;
use crate::mail::transport::local::Trouble;
use crate::mail::transport::outgoing::unwritten;
use crate::mail::transport::{
    Delivered, FirstWords, Outcome, Outgoing, TakingHost, TransportCall, Undelivered,
};

/// Where lines for the panic log go.
type PanicLog = dyn FnMut(&[u8]);

/// One host, and what is to be sent there.
pub(super) struct Attempt<'a, 'c> {
    pub(super) call: &'a mut TransportCall<'c>,
    /// The message as it leaves, as soon as there is a connection: header lines may tell of it.
    pub(super) outgoing: Outgoing<'c>,
    /// What it is to be signed with when it has come through a filter.
    pub(super) signatures: Option<signing::Signatures>,
    /// By what it was signed, for a log that wants to know.
    pub(super) signed: Vec<u8>,
    /// Who is said to have submitted it.
    pub(super) submitter: Option<Vec<u8>>,
    pub(super) host: &'a RouteHost,
    pub(super) taking: TakingHost,
    pub(super) endpoint: Endpoint,
    pub(super) work: &'a mut Work,
    /// Whether there are no hosts behind it.
    pub(super) is_last: bool,
    /// Whether others have to wait for the end of the connection.
    pub(super) is_alone: bool,
    /// Whether a message went along the connection before.
    pub(super) is_continued: bool,
    /// From where, at this end, the host is reached.
    pub(super) local: Option<SocketAddr>,
    /// The proxy that it is reached through, if it is.
    pub(super) proxy: Option<SocketAddr>,
    /// What the host said first.
    pub(super) first_words: Option<Box<FirstWords>>,
    /// What was said of addresses that were put off by themselves in this transaction.
    pub(super) put_off: Vec<(usize, Undelivered)>,
    /// Which addresses were put off by themselves after the message, in this transaction.
    pub(super) put_off_late: Vec<usize>,
    /// Whom the host wants along with another copy: this one has recipients enough.
    pub(super) once_more: Vec<usize>,
    /// Why the connection is lost.
    pub(super) lost: Option<Undelivered>,
    /// What there is to log of options that make no sense.
    pub(super) log: Box<PanicLog>,
}

impl Attempt<'_, '_> {
    /// Sends the message to these addresses, along a connection that is there, or a new
    /// one; the connection, where another message waits for it.
    pub(super) fn run(&mut self, left: &[usize], held: Option<Line>) -> Option<Line> {
        self.taking.show(self.call.cx, self.call.consignment.deliveries[0]);
        let most = most_recipients(self.call.cx, self.call.transport).unwrap_or(usize::MAX);
        let mut line = match held {
            Some(mut line) => {
                line.introduce(self.call.cx);
                // What it said after the message before was no answer to this one.
                line.opened.client.forget_early();
                line
            }
            None => self.new_line(left)?,
        };
        self.show_ends(&line);
        if let Err(why) = self.prepare() {
            // Another host would fare no better. This one would have been told of them by now.
            self.call.done.told.extend(left);
            self.work.settle(left, &why.into());
            self.hang_up(line, true);
            return None;
        }
        let bounds = LineBounds::of(self.call, &line, most, self.is_turned());
        let (mut rest, mut alive) = (left.to_vec(), true);
        while alive && !rest.is_empty() {
            if line.copies >= bounds.copies || line.opened.client.leaves() {
                // The others need a connection of their own.
                self.work.breaks_off = true;
                break;
            }
            let some = bounds.cut(self.call, &mut rest);
            line.is_last = rest.is_empty() && !self.is_turned() && !self.is_wanted();
            match self.send(line, &some) {
                (Some(same), goes_on) => {
                    (line, alive) = (same, goes_on);
                    self.give_up_together(&line, &some, &mut rest);
                    if let Some(why) = self.lost.take() {
                        // They would have come along the same connection.
                        self.work.defer(&rest, &why);
                    }
                    rest.splice(..0, std::mem::take(&mut self.once_more));
                }
                (None, _) => return None,
            }
        }
        self.work.unasked = rest;
        // A host that puts everybody off has had enough.
        let has_some = left.iter().any(|at| self.work.outcomes[*at].is_some());
        let is_turned = self.is_turned();
        let is_bounded = line.copies >= bounds.copies
            || line.opened.secured.is_some() && self.peer(false).listed(smtp::HOSTS_NOPASS_TLS);
        let leaves = line.opened.client.leaves();
        let is_of_use =
            alive && !leaves && (is_turned || has_some && !line.is_refused && !is_bounded);
        if alive {
            self.call.done.good_hosts.push(self.taking.clone());
        }
        if is_of_use && self.is_wanted() {
            line.is_old = true;
            return Some(line);
        }
        self.hang_up(line, alive);
        None
    }

    /// Makes the message as it leaves: header lines may tell of the connection.
    fn prepare(&mut self) -> Result<(), Trouble> {
        self.submitter = self.authenticated_sender()?;
        let outgoing = self.call.outgoing();
        self.outgoing = outgoing.map_err(|why| self.about_host(unwritten(b"", &why)))?;
        let signatures = signing::wanted(self.call)?;
        let name = format!("{} ", self.call.transport.name.display());
        let filter = self.call.filter(&name)?;
        self.signatures = match signatures {
            Some(wanted) if filter.is_none() => {
                self.signed = signing::sign(self.call, wanted, &mut self.outgoing)?;
                None
            }
            // What comes of a filter is there as a whole then, be it signed or not.
            None if filter.is_some() && dkim::is_asked(self.call) => Some(Signatures::default()),
            wanted => wanted,
        };
        self.outgoing.set_filter(filter);
        Ok(())
    }

    /// Signs what comes of a filter, if that is to be done: it has to be there as a whole then.
    fn sign_filtered(&mut self) -> Result<(), Stop> {
        let Some(wanted) = self.signatures.take() else { return Ok(()) };
        self.outgoing = filtered(self.call, &self.outgoing).map_err(Stop::Unread)?;
        let signed = signing::sign(self.call, wanted, &mut self.outgoing);
        self.signed = signed.map_err(Stop::Unsigned)?;
        Ok(())
    }

    /// Sends a copy to some addresses. The connection, which may be a new one where the old
    /// one was gone, and whether it is of use; nothing where there is none any more.
    fn send(&mut self, mut line: Line, some: &[usize]) -> (Option<Line>, bool) {
        let mut sent = self.copy(&mut line, some);
        let was_misled = line.opened.early.as_ref().is_some_and(|early| early.is_refused);
        if let Err(stop) = &sent
            && (line.is_old && stop.is_of_line() || was_misled && stop.is_of_sender())
        {
            // The host did not want to wait any longer, or it does not know any more what it
            // announced another time, which is no fault of its.
            let is_last = line.is_last;
            self.hang_up(line, false);
            let Some(new) = self.new_line(some) else { return (None, false) };
            line = new;
            line.is_last = is_last;
            self.show_ends(&line);
            sent = self.copy(&mut line, some);
        }
        line.is_refused = sent.is_err();
        self.log_fault(&mut line);
        self.work.keep_arrived(self.call);
        let alive = match sent {
            Ok(()) => true,
            Err(stop) => self.stopped(&stop, some),
        };
        (Some(line), alive)
    }

    /// Where all are to have the message, or nobody, and somebody failed, those who were to come
    /// along with another copy fail, too.
    fn give_up_together(&mut self, line: &Line, some: &[usize], rest: &mut Vec<usize>) {
        if !self.call.consignment.whole {
            return;
        }
        let failed = some.iter().find_map(|at| match &self.work.outcomes[*at] {
            Some(Outcome::Failed(why)) => Some(why.clone()),
            _ => None,
        });
        let Some(why) = failed else { return };
        // Of a recipient who was refused, the host has heard nothing of theirs.
        let why = match line.is_refused {
            true => why,
            false => Undelivered { host: None, local: None, ..why },
        };
        self.work.settle(&std::mem::take(rest), &Outcome::Failed(why));
    }

    fn copy(&mut self, line: &mut Line, some: &[usize]) -> Result<(), Stop> {
        let protocol = self.endpoint.protocol;
        if line.resets {
            line.opened.client.rset(self.call.cx.trace()).map_err(Stop::Host)?;
        }
        self.note_first_words(&line.opened);
        self.put_off.clear();
        self.put_off_late.clear();
        self.once_more.clear();
        line.copies += 1;
        self.is_continued = line.copies > 1;
        // What was taken to its end is forgotten by that.
        line.resets = true;
        self.transaction(line, protocol, some)
    }

    /// Whether another message waits for the connection.
    fn is_wanted(&self) -> bool {
        let name = self.call.transport.name.bytes();
        let connections = self.call.consignment.connections;
        connections.wants(self.call.cx, name, &self.taking, self.is_alone)
    }

    fn new_line(&mut self, left: &[usize]) -> Option<Line> {
        let opened = self.open(left)?;
        Some(Line::new(self.call, self.host, &self.endpoint, opened))
    }

    /// Notes the ends of a connection, for whoever is told of the host.
    fn show_ends(&mut self, line: &Line) {
        self.local = line.opened.client.local_address();
        self.proxy = line.opened.proxy;
    }

    /// Ends a connection: with a word, where it is of use still.
    fn hang_up(&mut self, mut line: Line, alive: bool) {
        match alive {
            true => line.opened.client.leave(self.call.cx.trace()),
            false => line.opened.client.close(self.call.cx.trace()),
        }
        self.log_fault(&mut line);
        self.peer(false).event(CLOSED, b"");
    }

    pub(super) fn peer(&mut self, in_clear: bool) -> Peer<'_> {
        let about = &self.call.consignment.deliveries[0].address.text;
        Peer {
            cx: self.call.cx,
            log: &mut *self.log,
            transport: Some(self.call.transport),
            authenticators: self.call.routes.authenticators(),
            host: self.host,
            address: self.taking.address,
            about,
            verifies: false,
            in_clear,
            local: None,
            proxy: None,
            tls: PeerTls::default(),
            turned: None,
        }
    }

    /// Whether the host has called, and there is no other way to it.
    pub(super) fn is_turned(&self) -> bool {
        let to = SocketAddr::new(self.taking.address, self.taking.port);
        self.call.consignment.connections.is_turned(to)
    }

    /// One transaction: the envelope, the message, and what the host makes of it.
    fn transaction(
        &mut self,
        line: &mut Line,
        protocol: Protocol,
        some: &[usize],
    ) -> Result<(), Stop> {
        let opened = &mut line.opened;
        let client = &mut opened.client;
        let bdat = client.extensions().chunking
            && (!self.outgoing.is_filtered() || self.signatures.is_some())
            && self.peer(false).listed(smtp::HOSTS_TRY_CHUNKING);
        let prdr = client.extensions().prdr
            && self.peer(false).listed(smtp::HOSTS_TRY_PRDR)
            && some.len() > 1;
        let is_known = opened.hears_submitter(self.call.transport);
        let auth_sender = self.submitter.clone().filter(|_| is_known);
        let client = &mut opened.client;
        let takes_utf8 = client.extensions().smtputf8;
        let converts = international::converts(self.call, some, takes_utf8);
        let converts = converts.map_err(Stop::Unconverted)?;
        if international::is_needed(self.call, some) && !takes_utf8 && !converts {
            self.fail_untaken(some);
            return Ok(());
        }
        let leaves = line.is_last && !prdr && protocol != Protocol::Lmtp;
        let mut chunks = match bdat {
            true => {
                self.sign_filtered()?;
                Some(self.outgoing.chunks().map_err(Stop::Unread)?)
            }
            false => None,
        };
        // Some of several may be wanted with another copy.
        let leaves_early = leaves && some.len() == 1;
        let of_mail =
            MailWishes { prdr, leaves: leaves_early, converts, auth: auth_sender.clone() };
        let (accepted, begun) = self.envelope(opened, some, of_mail, chunks.as_mut())?;
        let client = &mut opened.client;
        // What it announced another time may not be true any more.
        let bdat = bdat && (begun != Begun::Nothing || client.extensions().chunking);
        let chunks = chunks.filter(|_| bdat);
        let trace = self.call.cx.trace();
        if accepted.is_empty() {
            return match begun {
                // The host waits for a message that nobody gets.
                Begun::Announced => Err(Stop::Host(broken_off())),
                Begun::Whole => {
                    // What it makes of one that nobody gets is of no interest.
                    client.end_of_data(trace);
                    Ok(())
                }
                Begun::Nothing | Begun::Part => Ok(()),
            };
        }
        if begun == Begun::Nothing && chunks.is_none() {
            let announced = client.data(trace);
            // So it is called where it might have gone along with the envelope.
            let might = client.pipelines() && self.call.consignment.whole;
            announced.map_err(|error| of_message(if might { pipelined(error) } else { error }))?;
        }
        self.sign_filtered()?;
        let trace = self.call.cx.trace();
        let is_on_its_way = begun == Begun::Whole && !leaves_early;
        if leaves && self.once_more.is_empty() && !is_on_its_way {
            client.leave_with_message();
        }
        let sent = match chunks {
            None => client.send_message(trace, &mut self.outgoing.reader()),
            Some(chunks) if begun == Begun::Nothing => client.bdat(trace, chunks),
            Some(chunks) => client.last_chunk(trace, chunks),
        };
        let size = sent.map_err(|error| match &error.cause {
            Cause::Source(why) => Stop::Unread(io::Error::other(why.clone())),
            Cause::Replied(_) => Stop::Message(error),
            _ => Stop::Host(error),
        })?;
        let mut verdicts = self.call.verdicts(client, &accepted);
        // What is said of each recipient before is the answer to what was sent together.
        if begun == Begun::Whole && verdicts.recipients.is_empty() {
            verdicts.message = verdicts.message.map(|message| message.map_err(pipelined));
        }
        let mut of_all = Vec::new();
        let judged_each = prdr && protocol != Protocol::Lmtp && !verdicts.recipients.is_empty();
        let announcement = if bdat { client.announced() } else { "DATA" };
        let manner = if protocol == Protocol::Lmtp { "LMTP" } else { "PRDR" };
        let of_one = format!("{manner} error after {announcement}: ");
        let each: Vec<Result<Reply, SmtpError>> = match (verdicts.message, verdicts.recipients) {
            (Some(Err(error)), each) => {
                if judged_each && !error.is_permanent() {
                    // What was said of an address by itself is what counts for it.
                    let own = accepted.into_iter().zip(each);
                    let own = own.filter_map(|(at, one)| Some((at, one.err()?)));
                    own.for_each(|(at, own)| self.note_own(at, &own, &of_one));
                }
                return Err(at_the_end(error));
            }
            (message, each) if protocol == Protocol::Lmtp || !each.is_empty() => {
                if let Some(Ok(reply)) = message {
                    of_all = [b"\n", reply.text()].concat();
                }
                each
            }
            (Some(Ok(reply)), _) => accepted.iter().map(|_| Ok(reply.clone())).collect(),
            (None, each) => each,
        };
        let fields = self.fields(opened, auth_sender.as_deref(), (judged_each, bdat));
        // By what the copy was signed is told of its first address alone.
        let selected = self.call.cx.engine().settings().log_selector();
        let is_verbose = selected.contains(LogSelector::DKIM_VERBOSE);
        let mut signed_fields = fields.clone();
        if is_verbose {
            signed_fields.words(&self.signed);
        }
        let reports = opened.client.extensions().dsn;
        for (at, verdict) in accepted.into_iter().zip(each) {
            let outcome = match verdict {
                Ok(reply) => Outcome::Delivered(Delivered {
                    host: Some(Box::new(self.taking.clone())),
                    local: self.local.map(Box::new),
                    proxy: opened.proxy.map(Box::new),
                    confirmation: Some([reply.text(), &of_all].concat()),
                    secured: opened.secured.clone(),
                    recipient: international::told(&self.call.recipient(at), converts),
                    sender: international::told(&self.call.consignment.message.sender, converts),
                    fields: match some.first() == Some(&at) {
                        true => signed_fields.clone(),
                        false => fields.clone(),
                    },
                    size: Some(size),
                    reports,
                    copy: line.copies,
                    ..Delivered::default()
                }),
                Err(error) if error.ends_connection() => return Err(at_the_end(error)),
                Err(error) if protocol == Protocol::Lmtp || judged_each => {
                    self.refused_itself(&error, &of_one)
                }
                Err(error) => self.refused(&error, number_of(&error)),
            };
            match outcome {
                Outcome::Deferred(why) => {
                    // It is he who has to wait, and not the host's other mail; another host may
                    // take him.
                    self.work.defer(&[at], &why);
                    self.put_off_late.push(at);
                    self.call.done.refused.push((at, why));
                }
                outcome => self.work.outcomes[at] = Some(outcome),
            }
        }
        line.resets = false;
        Ok(())
    }
}
