//! Hosts that may get commands before their greeting (`hosts_pipe_connect`): what they announced
//! the last time is remembered, and counts until they are heard.

use eximious_core::Str;
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::smtp;

use super::{NotOpen, Opened, Peer};
use crate::mail::hints::{Announced, ToldHints};
use crate::mail::smtp_client::{Extensions, Hello, Protocol, SmtpCommand};

/// How an option names this side's address, and how it asks whether it is known.
const ADDRESS: &[u8] = b"$sending_ip_address";
const TESTED_ADDRESS: &[u8] = b"def:sending_ip_address";

/// What is to be known of a host that may get commands before its greeting.
#[derive(Clone, Debug)]
pub(crate) struct EarlyHost {
    key: Vec<u8>,
    /// What it announced another time, if that is known.
    known: Option<Announced>,
    /// Whether that is known for so long that it is better noted anew.
    is_old: bool,
    /// What it announces now, as far as it was heard.
    heard: Announced,
    /// Whether that was kept for the next time.
    is_settled: bool,
    /// Whether a greeting was sent before it had said anything.
    is_greeted: bool,
    /// Whether it refused such a one.
    pub(crate) is_refused: bool,
    /// Whether its last greeting says that it may go on so.
    pub(crate) goes_on: bool,
}

impl Peer<'_> {
    /// What is known of the host, where it may get commands before its greeting.
    pub(super) fn early_host(&mut self) -> Option<EarlyHost> {
        if !self.listed(smtp::HOSTS_PIPE_CONNECT) || self.verifies || self.hangs_on_address() {
            return None;
        }
        let key = format!("[{}]:{}.EHLO", self.address, self.tls.port).into_bytes();
        let now = self.now()?;
        let hints = ToldHints::open::<Announced>(self.cx, now);
        let life = self.cx.engine().settings().get(opt::RETRY_DATA_EXPIRE);
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        let known = hints.load::<Announced>(self.cx, &key).ok().flatten();
        let known = known.filter(|(_, stamp)| now.saturating_sub(*stamp) <= life);
        Some(EarlyHost {
            key,
            is_old: known.as_ref().is_some_and(|(_, stamp)| now.saturating_sub(*stamp) > life / 2),
            known: known.map(|(known, _)| known),
            heard: Announced::default(),
            is_settled: false,
            is_greeted: false,
            is_refused: false,
            goes_on: false,
        })
    }

    /// Whether the greeting names this side's address, which may not be known before the
    /// connection is there.
    fn hangs_on_address(&self) -> bool {
        self.transport.is_some_and(|one| {
            let hello = one.some_text(smtp::HELO_DATA);
            let has = |text: &Str, what| memchr::memmem::find(text.bytes(), what).is_some();
            let names = |text: &Str| has(text, ADDRESS) && !has(text, TESTED_ADDRESS);
            one.some_text(smtp::INTERFACE).is_none() && hello.is_some_and(names)
        })
    }

    /// Greets the host before it has said anything, where that may be. Whether it was greeted.
    pub(super) fn greet_early(
        &mut self,
        opened: &mut Opened,
        protocol: Protocol,
        name: &[u8],
    ) -> bool {
        let Some(known) = opened.early.as_ref().and_then(|early| early.known.as_ref()) else {
            return false;
        };
        let known = match opened.secured {
            Some(_) => known.under_tls.clone(),
            None => known.in_clear.clone(),
        };
        let announced = Extensions::read_text(&known);
        if !announced.pipe_connect || !announced.pipelining {
            return false;
        }
        let is_plain = self.listed(smtp::HOSTS_AVOID_PIPELINING)
            || protocol != Protocol::Lmtp && self.listed(smtp::HOSTS_AVOID_ESMTP);
        // What has to be there is better asked for.
        let lacks_tls =
            opened.secured.is_none() && !announced.starttls && self.requires_tls().unwrap_or(true);
        if is_plain || lacks_tls {
            return false;
        }
        if let Some(early) = &mut opened.early {
            early.is_greeted = true;
        }
        let hello = Hello::first(protocol == Protocol::Lmtp, false);
        opened.client.hello_early(self.cx.trace(), hello, name, &known);
        true
    }

    /// Takes note of what the host announces, in answer to a greeting.
    pub(super) fn note_announced(&mut self, opened: &mut Opened, text: &[u8]) {
        let Some(early) = &mut opened.early else { return };
        early.goes_on = Extensions::read_text(text).pipe_connect;
        let text = if early.goes_on { text.to_vec() } else { Vec::new() };
        match opened.secured {
            Some(_) => early.heard.under_tls = text,
            None => early.heard.in_clear = text,
        }
    }

    /// Tells of what the host said first, and to a greeting that it was not waited for, as far
    /// as it was heard by now.
    ///
    /// # Errors
    /// Somebody does not want to go on after that.
    pub(crate) fn heard_early(&mut self, opened: &mut Opened) -> Result<(), NotOpen> {
        for (command, reply) in opened.client.take_early_replies() {
            if command == SmtpCommand::Connect {
                self.greeted(&mut opened.client, &reply)?;
                continue;
            }
            if reply.accepts() {
                self.note_announced(opened, reply.text());
            } else if let Some(early) = &mut opened.early {
                early.is_refused = true;
            }
            if opened.client.hello_said() == Some(Hello::Ehlo) {
                self.tls.hello = reply.text().to_vec();
                self.event("smtp:ehlo", reply.text());
            }
        }
        Ok(())
    }

    /// Remembers what the host announced, once, or forgets what it does not announce any more.
    pub(crate) fn remember_announced(&mut self, opened: &mut Opened) {
        let Some(early) = opened.early.as_mut().filter(|early| !early.is_settled) else { return };
        early.is_settled = true;
        let new = (early.heard != Announced::default()).then_some(&early.heard);
        if early.known.is_none() && new.is_none() {
            return;
        }
        let Some(now) = self.now() else { return };
        let hints = ToldHints::open::<Announced>(self.cx, now);
        // What can't be remembered is asked for.
        let _ = match new {
            Some(new) if early.known.as_ref() == Some(new) && !early.is_old => Ok(()),
            Some(new) => hints.save(self.cx, new, &early.key, now),
            None => hints.change::<Announced>(self.cx, &early.key, |_| Some(None)),
        };
    }
}

impl EarlyHost {
    /// Whether commands were sent before the host had said anything, and it may go on so.
    pub(crate) fn was_early(&self) -> bool {
        self.is_greeted && self.goes_on
    }
}
