//! What becomes of messages that programs hand in: they are delivered by the daemon, by a
//! process of their own, or by this one, or wait (specification 5.2, `-od…`).

use std::sync::Arc;

use eximious::world::spool::is_message_id;
use eximious::{Context, World, opt};
use eximious_mta::delivery::{AttemptManner, Attempted, Deliverer};
use eximious_mta::spool;
use eximious_mta::submission::WrittenMessage;
use eximious_world::{rights, serving};

use crate::starter::Starter;

/// When messages are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryTime {
    /// `-odb`: at once, by somebody else.
    Background,
    /// `-odf`, `-odi`: before the program ends.
    Foreground,
    /// `-odq`: when the queue is run.
    Queued,
    /// `-odqs`: so are deliveries to other hosts; all others are made at once.
    RemoteQueued,
}

impl DeliveryTime {
    /// Whether what is said of a message holds for those that are written about it, too.
    fn is_for_reports(self) -> bool {
        matches!(self, Self::Foreground | Self::RemoteQueued)
    }
}

/// What the command line says of it.
#[derive(Clone, Debug, Default)]
pub struct HandOver {
    /// When, if it says so.
    pub when: Option<DeliveryTime>,
    /// `-C`: a configuration that is not the usual one.
    pub config: Option<Vec<u8>>,
    /// `-D`: macros.
    pub macros: Vec<(Vec<u8>, Vec<u8>)>,
    /// `-v`: who hands a message in is shown its delivery.
    pub shown: bool,
    /// Who starts deliveries, where this process gives rights up that they need.
    pub starter: Option<Arc<Starter>>,
}

/// A message of the spool.
#[derive(Clone, Copy, Debug)]
pub struct HandedOver<'h> {
    /// The named queue.
    pub queue: &'h [u8],
    /// Its name.
    pub id: &'h [u8],
}

impl HandedOver<'_> {
    /// The arguments of a program that delivers it.
    pub fn arguments(&self) -> Vec<Vec<u8>> {
        let queue = (!self.queue.is_empty()).then(|| [b"-qG", self.queue].concat());
        queue.into_iter().chain([b"-Mc".to_vec(), self.id.to_vec()]).collect()
    }
}

impl HandOver {
    /// The system, for whoever delivers by itself, too, or has others started.
    pub fn world(&mut self) -> World {
        let world = eximious_world::system();
        let when = self.when.unwrap_or(DeliveryTime::Background);
        if when == DeliveryTime::Foreground {
            return crate::rights::with_helper(world);
        }
        // What is written about a message that waits does not.
        self.starter = Starter::begin(&self.manner(when), self.shown).map(Arc::new);
        world
    }

    /// Whether the command line has its way in spite of `queue_only`.
    pub fn overrides(&self, cx: &Context) -> bool {
        self.when.is_some() && cx.engine().settings().get(opt::QUEUE_ONLY_OVERRIDE)
    }

    /// Has a message delivered, if it is not to wait (`waits`). The words for whoever handed
    /// it in, where it can't be, and there is no other time for it.
    pub fn take(
        &self,
        deliverer: &Deliverer,
        cx: &Context,
        message: HandedOver<'_>,
        waits: bool,
    ) -> Option<Vec<u8>> {
        self.take_unless(deliverer, cx, message, || waits)
    }

    /// The same, where that is asked last: why a message waits is logged, and the load comes
    /// before.
    pub fn take_unless(
        &self,
        deliverer: &Deliverer,
        cx: &Context,
        message: HandedOver<'_>,
        waits: impl FnOnce() -> bool,
    ) -> Option<Vec<u8>> {
        if cx.engine().settings().get(opt::MUA_WRAPPER) {
            let place = spool::place(cx, message.queue).ok()?;
            let manner = AttemptManner { forced: true, ..AttemptManner::default() };
            return match deliverer.deliver_all(&place, message.id, &manner) {
                Attempted::Refused(words) => Some(words),
                _ => None,
            };
        }
        let is_kept_back = self.when == Some(DeliveryTime::Queued)
            || deliverer.keeps_back(message.id, self.overrides(cx));
        if !is_kept_back && !waits() {
            self.take_in_time(deliverer, cx, message);
        }
        None
    }

    /// Has messages delivered that were written about another one, of which neither `-odq` nor
    /// `-odb` is said.
    pub fn take_written(&self, deliverer: &Deliverer, cx: &Context, written: &[WrittenMessage]) {
        let own = Self { when: self.when.filter(|when| when.is_for_reports()), ..self.clone() };
        for WrittenMessage { queue, id } in written {
            own.take(deliverer, cx, HandedOver { queue, id }, false);
        }
    }

    fn take_in_time(&self, deliverer: &Deliverer, cx: &Context, message: HandedOver<'_>) {
        match self.when.unwrap_or(DeliveryTime::Background) {
            DeliveryTime::Queued => {}
            DeliveryTime::Foreground if self.is_usual() && rights::caller().is_lent_rights => {
                // This process has become the mail server's user; another is lent the rights
                // that users' mailboxes need.
                let arguments = self.manner(DeliveryTime::Foreground);
                let _ = serving::run_again(&[arguments, message.arguments()].concat(), self.shown);
            }
            DeliveryTime::Foreground => {
                if let Ok(place) = spool::place(cx, message.queue) {
                    let manner = AttemptManner {
                        overrides: self.overrides(cx),
                        awaits_reports: true,
                        ..AttemptManner::default()
                    };
                    deliverer.deliver_all(&place, message.id, &manner);
                }
            }
            DeliveryTime::RemoteQueued => self.start(message, DeliveryTime::RemoteQueued),
            DeliveryTime::Background => {
                // A daemon has the usual configuration.
                if !(self.is_usual() && tell_daemon(cx, message)) {
                    self.start(message, DeliveryTime::Background);
                }
            }
        }
    }

    /// Whether the configuration is the site's own.
    fn is_usual(&self) -> bool {
        self.config.as_deref().is_none_or(crate::rights::is_usual) && self.macros.is_empty()
    }

    /// The arguments that name the same configuration.
    fn configured(&self) -> Vec<Vec<u8>> {
        let mut arguments: Vec<Vec<u8>> = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend([b"-C".to_vec(), config.clone()]);
        }
        let macros = self.macros.iter();
        arguments.extend(macros.map(|(name, value)| [b"-D", &name[..], b"=", value].concat()));
        arguments
    }

    /// Starts a process that runs the queue for recipients that have a text in them.
    ///
    /// # Errors
    /// What the system says.
    pub fn run_for(&self, text: &[u8]) -> std::io::Result<()> {
        let arguments = [self.configured(), vec![b"-R".to_vec(), text.to_vec()]];
        serving::start_again(&arguments.concat(), false)
    }

    /// Starts a process that delivers a message. Where that can't be, the next run of the
    /// queue does.
    fn start(&self, message: HandedOver<'_>, when: DeliveryTime) {
        if self.starter.as_ref().is_some_and(|starter| starter.start(message)) {
            return;
        }
        let arguments = [self.manner(when), message.arguments()].concat();
        let _ = serving::start_again(&arguments, self.shown);
    }

    /// The arguments of a program that delivers a message, but for which one; `when` is what was
    /// asked for.
    fn manner(&self, when: DeliveryTime) -> Vec<Vec<u8>> {
        let mut arguments = self.configured();
        match when {
            DeliveryTime::RemoteQueued => arguments.push(b"-odqs".to_vec()),
            DeliveryTime::Foreground => arguments.push(b"-odi".to_vec()),
            DeliveryTime::Background | DeliveryTime::Queued => {}
        }
        if self.shown {
            arguments.push(b"-v".to_vec());
        }
        arguments
    }
}

/// The word for a message that is to be delivered.
const DELIVER: &[u8] = b"deliver";

/// Tells the daemon; false where there is none.
fn tell_daemon(cx: &Context, message: HandedOver<'_>) -> bool {
    notifier_path(cx).is_some_and(|path| serving::notify(&path, &note(message)).is_ok())
}

/// What is told of a message that is to be delivered.
pub fn note(message: HandedOver<'_>) -> Vec<u8> {
    [DELIVER, message.id, message.queue].join(&0)
}

/// What somebody was told, if it makes sense.
pub fn heard(note: &[u8]) -> Option<HandedOver<'_>> {
    let mut parts = note.split(|byte| *byte == 0);
    let is_known = parts.next() == Some(DELIVER);
    let (id, queue) = (parts.next()?, parts.next()?);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_plain = is_message_id(id) && queue.iter().all(is_name);
    let makes_sense = is_known && is_plain && parts.next().is_none();
    makes_sense.then_some(HandedOver { queue, id })
}

/// Where a daemon listens for notes (`notifier_socket`).
pub fn notifier_path(cx: &Context) -> Option<Vec<u8>> {
    let engine = cx.engine();
    let text = engine.settings().get(opt::NOTIFIER_SOCKET);
    let path = engine.expand_once(text.bytes(), &mut engine.context()).ok()?;
    (!path.is_empty()).then(|| path.bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_about_a_message_does_not_wait_with_it() {
        for (when, holds) in [
            (DeliveryTime::Background, false),
            (DeliveryTime::Foreground, true),
            (DeliveryTime::Queued, false),
            (DeliveryTime::RemoteQueued, true),
        ] {
            assert_eq!(when.is_for_reports(), holds, "{when:?}");
        }
    }

    #[test]
    fn only_messages_are_heard() {
        let id = b"1xV0hS-000000007bv-3Bzg";
        let heard = |parts: &[&[u8]]| {
            let note = parts.join(&0);
            heard(&note).map(|one| (one.id.to_vec(), one.queue.to_vec()))
        };
        assert_eq!(heard(&[DELIVER, id, b""]), Some((id.to_vec(), Vec::new())));
        assert_eq!(heard(&[DELIVER, id, b"q"]), Some((id.to_vec(), b"q".to_vec())));
        for wrong in [
            &[b"remove", &id[..], b""][..],
            &[DELIVER, b"../../etc", b""],
            &[DELIVER, id, b"../x"],
            &[DELIVER, id],
            &[DELIVER, id, b"", b""],
            &[b""],
        ] {
            assert_eq!(heard(wrong), None);
        }
    }
}
