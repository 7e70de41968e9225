//! A connection to a host, as far as a message may begin; and what there is to be said of a
//! host where none may.

use std::io;

use eximious_stdlib::options::opt::transport::smtp;

use super::UNKNOWN;
use super::session::Attempt;
use super::stop::{Stop, number_of, retry_error, with_reason};
use crate::config::RetryError;
use crate::mail::smtp_client::{Protocol, Timeouts};
use crate::mail::smtp_transport::{
    AUTH_FAILED, NotOpen, Opened, UNNAMED, UNWANTED, connect_timeout, reason,
};
use crate::mail::transport::{FailedHost, FirstWords, Outcome, Undelivered};

const TLS_FAILED: i32 = -37;
const TLS_REQUIRED: i32 = -38;
const UNVOUCHED: i32 = -36;

/// What is logged of a connection that an event's action did not want.
const EVENT_SAYS_NO: &str = "Event requests alternate response";

impl Attempt<'_, '_> {
    /// Opens the connection; nothing where no message can begin.
    pub(super) fn open(&mut self, left: &[usize]) -> Option<Opened> {
        let transport = self.call.transport;
        let within = connect_timeout(transport);
        let timeouts = Timeouts {
            command: transport.get(smtp::COMMAND_TIMEOUT),
            data: transport.get(smtp::DATA_TIMEOUT),
            last: transport.get(smtp::FINAL_TIMEOUT),
        };
        let endpoint = self.endpoint.clone();
        let mut turned = None;
        if self.is_turned() {
            turned = self.call.consignment.connections.take_turned();
            if turned.is_none() {
                let why = "no host found for existing SMTP connection";
                self.work.defer(left, &Undelivered::new(UNKNOWN, why));
                return None;
            }
        }
        let mut in_clear = false;
        loop {
            let mut peer = self.peer(in_clear);
            peer.turned = turned.take();
            let opened = peer.open(&endpoint, within, timeouts);
            let (local, proxy, for_message) = (peer.local, peer.proxy, peer.follows_policy());
            let secured = peer.tls.secured.take();
            (self.local, self.proxy) = (local, proxy);
            let why = match opened {
                Ok(opened) => {
                    self.work.reached = Some((self.taking.clone(), local));
                    return Some(opened);
                }
                Err(why) => why,
            };
            if !matches!(why, NotOpen::Unreachable(_) | NotOpen::Unproven(..)) {
                self.work.reached = Some((self.taking.clone(), local));
            }
            let (outcome, line) = match why {
                NotOpen::Unreachable(why) => {
                    let is_unwanted = why.raw_os_error() == Some(UNWANTED);
                    let said = if is_unwanted { EVENT_SAYS_NO.to_owned() } else { reason(&why) };
                    let line = self.about(b" ", said.as_bytes());
                    (Outcome::Deferred(self.unreachable(&why)), line)
                }
                NotOpen::Unproven(number, why) => {
                    // The host that was reached before is the one that the log names.
                    let (host, local) = self.work.last_reached();
                    let why = Undelivered { host, local, ..Undelivered::new(number, why) };
                    match number {
                        AUTH_FAILED => {
                            let why = Undelivered { error: RetryError::AuthFailed, ..why.clone() };
                            let (host, for_message) = (self.taking.clone(), false);
                            let failed = FailedHost { host, why, for_message };
                            self.call.done.failed_hosts.push(failed);
                            self.work.awaits_hosts = true;
                        }
                        // Something is wrong here, which is not kept of the host.
                        _ => self.work.is_over = true,
                    }
                    self.tell_deferral(left, &why);
                    self.note_put_off(left);
                    self.work.defer(left, &why);
                    return None;
                }
                NotOpen::Hindered(number, why) => {
                    let line = self.about(b": ", &why);
                    let why = match number {
                        UNNAMED => Undelivered::new(number, why),
                        _ => self.undelivered(number, RetryError::Any, why),
                    };
                    (Outcome::Deferred(why), line)
                }
                NotOpen::Clear(why) => {
                    let line = self.about(b": ", why.as_bytes());
                    let why = self.undelivered(TLS_REQUIRED, RetryError::TlsRequired, why.into());
                    (Outcome::Deferred(why), line)
                }
                NotOpen::Smtp(error) => {
                    let logged = error.printed(self.topbit());
                    let line = self.about(b": ", &with_reason(&error, self.topbit()));
                    let number = if error.reply().is_some() { 0 } else { number_of(&error) };
                    if secured.is_some() {
                        self.first_words =
                            Some(Box::new(FirstWords { secured, ..FirstWords::default() }));
                    }
                    let why = self.undelivered(number, retry_error(&error), logged);
                    // No message has begun: another host may be of another mind.
                    match error.is_permanent() && self.is_last {
                        true => (Outcome::Failed(why), line),
                        false => (Outcome::Deferred(why), line),
                    }
                }
                NotOpen::Unvouched { permanent: true, why } => {
                    let failed = Outcome::Failed(Undelivered::new(UNVOUCHED, why));
                    self.work.settle(left, &failed);
                    return None;
                }
                NotOpen::Unvouched { permanent: false, why } => {
                    let line = self.about(b": ", &why);
                    let why = Undelivered::new(UNVOUCHED, why);
                    (Outcome::Deferred(why), line)
                }
                NotOpen::Mismatched(fault) => {
                    // It was logged when it happened.
                    let why = fault.logged().into_bytes();
                    let why = self.undelivered(TLS_FAILED, RetryError::TlsRequired, why);
                    (Outcome::Deferred(why), Vec::new())
                }
                NotOpen::Unsecured(fault) => {
                    let why = fault.logged().into_bytes();
                    let tries = transport.on(smtp::TLS_TEMPFAIL_TRYCLEAR);
                    if endpoint.protocol != Protocol::Smtps
                        && tries
                        && self.peer(false).requires_tls() == Ok(false)
                    {
                        self.tell_deferral(left, &Undelivered::new(TLS_FAILED, why.clone()));
                        let text: &[u8] = b": delivering unencrypted to H=";
                        let address = format!(" [{}]", self.taking.address);
                        let host = [&self.taking.name[..], address.as_bytes()].concat();
                        let line = [&why, text, &host, b" (not in hosts_require_tls)"];
                        self.log(&line.concat());
                        in_clear = true;
                        continue;
                    }
                    let why = self.undelivered(TLS_FAILED, RetryError::TlsRequired, why);
                    (Outcome::Deferred(why), Vec::new())
                }
            };
            if !line.is_empty() {
                self.log(&line);
            }
            let (Outcome::Deferred(why) | Outcome::Failed(why)) = &outcome else { return None };
            // What is wrong by one domain's policy is of no interest to others.
            let failed = FailedHost { host: self.taking.clone(), why: why.clone(), for_message };
            self.call.done.failed_hosts.push(failed);
            self.tell_deferral(left, why);
            self.note_put_off(left);
            match &outcome {
                Outcome::Failed(_) => self.work.settle(left, &outcome),
                _ => {
                    self.work.awaits_hosts = true;
                    self.work.defer(left, why);
                }
            }
            return None;
        }
    }

    /// Takes note of what the host said to a greeting that it was not waited for, where it was
    /// heard just now.
    pub(super) fn heard_early(&mut self, opened: &mut Opened) -> Result<(), Stop> {
        if opened.early.is_none() {
            return Ok(());
        }
        let mut peer = self.peer(false);
        let heard = peer.heard_early(opened);
        peer.remember_announced(opened);
        self.note_first_words(opened);
        match heard {
            Err(NotOpen::Hindered(_, why)) => Err(Stop::Hindered(why)),
            _ => Ok(()),
        }
    }

    /// Takes note of what the host has said so far.
    pub(super) fn note_first_words(&mut self, opened: &Opened) {
        let [greeting, hello] = opened.client.first_lines().clone();
        let secured = opened.secured.clone();
        let reports = opened.client.extensions().dsn;
        self.first_words = Some(Box::new(FirstWords { greeting, hello, secured, reports }));
    }

    fn unreachable(&self, why: &io::Error) -> Undelivered {
        let source = Some(self.taking.found_by());
        let (number, error) = match why.kind() {
            io::ErrorKind::TimedOut => (110, RetryError::Timeout { connecting: true, source }),
            io::ErrorKind::ConnectionRefused => (111, RetryError::Refused(source)),
            _ => (why.raw_os_error().unwrap_or(UNKNOWN), RetryError::Any),
        };
        let (host, local) = self.work.last_reached();
        let said = if number == UNWANTED { String::new() } else { reason(why) };
        Undelivered { error, host, local, ..Undelivered::new(number, said) }
    }
}
