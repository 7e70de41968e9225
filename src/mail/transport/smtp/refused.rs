//! What a host's refusals, and a transaction that stopped, mean for the addresses.

use eximious_stdlib::printing::printing;

use super::UNKNOWN;
use super::session::Attempt;
use super::stop::{Stop, is_of_message, number_of, retry_error, with_reason};
use crate::config::RetryError;
use crate::mail::smtp_client::{Cause, SmtpCommand, SmtpError};
use crate::mail::smtp_transport::UNNAMED;
use crate::mail::transport::filter::{BROKEN, FilterFault};
use crate::mail::transport::{FailedHost, Outcome, TakingHost, Undelivered};

/// The number of what was said of one of several addresses after the message.
const OF_ONE: i32 = 0;

impl Attempt<'_, '_> {
    /// What a refusal of one address means for it.
    pub(super) fn note(&mut self, at: usize, error: &SmtpError, number: i32) {
        let TakingHost { name, address, .. } = &self.taking;
        let place = format!(" [{address}] ");
        let line = [b"H=", &name[..], place.as_bytes(), &error.printed(self.topbit())].concat();
        if error.cause != Cause::Timeout {
            self.call.done.message_log.push(line);
        }
        match self.refused(error, number) {
            Outcome::Deferred(why) => {
                self.work.was_answered = true;
                // Of a host that said nothing there is nothing to tell.
                let is_silent = error.cause == Cause::Timeout;
                if !is_silent {
                    self.tell_refusal(at, &why);
                }
                if !self.is_last && !is_silent {
                    // What the next host has to say is what is told in the end.
                    let line = self.about_one(&error.printed(self.topbit()));
                    self.call.log(&line);
                }
                self.work.defer(&[at], &why);
                self.call.done.refused.push((at, why.clone()));
                self.put_off.push((at, why));
            }
            outcome => {
                self.work.settle(&[at], &outcome);
                if let Outcome::Failed(why) = outcome {
                    self.put_off.push((at, why));
                }
            }
        }
    }

    /// What the host said of one address by itself after the message, where it put the whole
    /// message off.
    pub(super) fn note_own(&mut self, at: usize, error: &SmtpError, head: &str) {
        match self.refused_itself(error, head) {
            Outcome::Deferred(why) => {
                self.work.was_answered = true;
                self.work.defer(&[at], &why);
                self.put_off.push((at, why));
            }
            outcome => self.work.settle(&[at], &outcome),
        }
    }

    /// What the host said of one address by itself after the message means for it.
    pub(super) fn refused_itself(&self, error: &SmtpError, head: &str) -> Outcome {
        match error.reply() {
            Some(reply) => {
                let text = [head.as_bytes(), &printing(reply.text(), self.topbit())].concat();
                self.refused_with(error, OF_ONE, text)
            }
            None => self.refused(error, number_of(error)),
        }
    }

    pub(super) fn refused(&self, error: &SmtpError, number: i32) -> Outcome {
        self.refused_with(error, number, error.printed(self.topbit()))
    }

    fn refused_with(&self, error: &SmtpError, number: i32, text: Vec<u8>) -> Outcome {
        let why = self.undelivered(number, retry_error(error), text);
        // For whom there is one try, there is no other time; but another host may take what this
        // one was lost with.
        match error.is_permanent() || self.call.consignment.whole && is_of_message(error) {
            true if error.reply().is_some() => Outcome::Failed(Undelivered { number: 0, ..why }),
            true => Outcome::Failed(why),
            false => Outcome::Deferred(why),
        }
    }

    /// Why the message did not come through the transport's command.
    fn not_filtered(&mut self, fault: &FilterFault) -> Undelivered {
        let (number, text, reason) = match fault {
            FilterFault::Timeout => {
                (110, b"SMTP timeout after sending data block".to_vec(), "Connection timed out")
            }
            FilterFault::Cut => {
                let TakingHost { name, address, .. } = &self.taking;
                (BROKEN, [name, format!(" [{address}]").as_bytes()].concat(), "Broken pipe")
            }
            _ => {
                let told = fault.told("transport filter", b"");
                return self.about_host(Undelivered { is_untried: true, ..told });
            }
        };
        let line = self.about(b": ", &[&text[..], b": ", reason.as_bytes()].concat());
        self.log(&line);
        let why = self.undelivered(number, RetryError::Any, text);
        self.call.done.failed_hosts.push(FailedHost {
            host: self.taking.clone(),
            why: why.clone(),
            for_message: false,
        });
        why
    }

    /// What a transaction that stopped means for its addresses. Whether the connection is
    /// still of use.
    pub(super) fn stopped(&mut self, stop: &Stop, some: &[usize]) -> bool {
        // Who was to come along with another copy shares its fate.
        self.once_more.clear();
        let undecided: Vec<usize> = some
            .iter()
            .copied()
            .filter(|at| self.work.outcomes[*at].is_none())
            .filter(|at| self.put_off.iter().all(|(off, _)| off != at))
            .filter(|at| !self.put_off_late.contains(at))
            .collect();
        let (error, for_message, alive) = match stop {
            Stop::Unread(_) if let Some(fault) = self.outgoing.filter_fault() => {
                let why = self.not_filtered(&fault);
                // What comes through it is no host's business.
                self.work.is_over |= matches!(fault, FilterFault::Ended(_));
                self.work.defer(&undecided, &why);
                return false;
            }
            Stop::Unread(why) => {
                let why = Undelivered::new(UNKNOWN, format!("message can't be read: {why}"));
                self.work.defer(&undecided, &why);
                return false;
            }
            Stop::Unsigned(why) => {
                self.work.defer(&undecided, why);
                return false;
            }
            Stop::Unconverted(why) | Stop::Hindered(why) => {
                let line = self.about(b": ", why);
                self.log(&line);
                let is_of_use = matches!(stop, Stop::Unconverted(_));
                let why = match is_of_use {
                    true => Undelivered::new(UNNAMED, why.clone()),
                    false => self.undelivered(UNKNOWN, RetryError::Any, why.clone()),
                };
                let (host, for_message) = (self.taking.clone(), false);
                self.work.awaits_hosts = true;
                self.tell_deferral(some, &why);
                self.note_put_off(some);
                self.work.defer(&undecided, &why);
                self.call.done.failed_hosts.push(FailedHost { host, why, for_message });
                return is_of_use;
            }
            Stop::Message(error) => (error, true, !error.ends_connection()),
            Stop::Refused(error, waits) => (error, true, !*waits),
            Stop::Host(error) if error.cause == Cause::NothingAsked => {
                // The others need a connection of their own.
                self.work.breaks_off = true;
                return false;
            }
            Stop::Host(error) => (error, false, false),
            Stop::Recipient(error) => {
                let why = self.undelivered(
                    number_of(error),
                    retry_error(error),
                    error.printed(self.topbit()),
                );
                // Those before have been told of, those behind have not.
                let last = some.iter().rposition(|at| !undecided.contains(at));
                let (before, behind): (Vec<usize>, Vec<usize>) =
                    undecided.iter().partition(|at| some.iter().position(|one| one == *at) < last);
                self.work.defer(&before, &why);
                self.work.defer(&behind, &Undelivered { host: None, ..why });
                return false;
            }
        };
        let outcome = self.refused(error, number_of(error));
        if let Outcome::Deferred(why) = &outcome {
            // As long as addresses are told, what is wrong with the first one is what counts.
            // So it is where the message was put off, and the first one by himself.
            let is_rcpt = error.command == SmtpCommand::Rcpt;
            let of_first = self.put_off.first().filter(|(at, _)| Some(at) == some.first());
            let (line, of_host) = match of_first {
                Some((_, first)) if is_rcpt => (self.about(b": ", &first.message), first.clone()),
                Some((_, first)) => {
                    (self.about(b": ", &with_reason(error, self.topbit())), first.clone())
                }
                None => (self.about(b": ", &with_reason(error, self.topbit())), why.clone()),
            };
            self.log(&line);
            if !self.is_last && error.command == SmtpCommand::Rcpt && error.reply().is_some() {
                // It is what is wrong with the host, and what is wrong with the address.
                self.call.log(&line);
            }
            let (host, why) = (self.taking.clone(), of_host);
            match for_message {
                true => self.work.was_answered = true,
                false => {
                    self.work.awaits_hosts = true;
                    self.tell_deferral(some, &why);
                }
            }
            self.note_put_off(some);
            self.call.done.failed_hosts.push(FailedHost { host, why, for_message });
        }
        match &outcome {
            Outcome::Deferred(why) => {
                self.work.defer(&undecided, why);
                self.lost = (!alive).then(|| why.clone());
            }
            _ => self.work.settle(&undecided, &outcome),
        }
        alive
    }
}
