//! Runs of the queue: one attempt at each message that waits (specification 5.2, `-q`).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use eximious::acl::WaitingDomains;
use eximious::stdlib::address::last_at;
use eximious::stdlib::pattern::CompiledPattern;
use eximious::trace::{Happening, QueueEvent};
use eximious::world::{SpoolPlace, World};
use eximious::{LogSelector, opt};

use super::{AttemptManner, Attempted, Deliverer, RemoteManner};
use crate::logs::hundredths;
use crate::spool::queue::Stored;
use eximious::world::spool::is_message_id;

/// Which messages a run takes, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueRun {
    /// `-qi`: only those of which no delivery was tried.
    pub first_only: bool,
    /// `-qf`: also where the time for another try has not come.
    pub forced: bool,
    /// `-qff`: frozen ones, too.
    pub frozen: bool,
    /// `-ql`: local deliveries only.
    pub local_only: bool,
    /// `-qq`: routing comes before any delivery.
    pub two_passes: bool,
    /// `-R`: only those with a recipient that has this in it.
    pub recipient: Option<QueueText>,
    /// `-S`: only those whose sender has this in it.
    pub sender: Option<QueueText>,
    /// ATRN: only those with a recipient in one of these domains, along the connection of the
    /// client that has asked for them.
    pub customer: Option<WaitingDomains>,
    /// Whether whoever runs the program wants it.
    pub by_caller: bool,
    /// `-odf`, `-odi`: a report is delivered before the message is done with that it is about.
    pub awaits_reports: bool,
    /// Whether reports are delivered though the configuration wants that all messages wait
    /// (`queue_only`).
    pub overrides: bool,
    /// The first message, and the last one.
    pub range: (Option<Vec<u8>>, Option<Vec<u8>>),
}

/// The domain of an address, in lower case.
fn domain_of(address: &[u8]) -> Vec<u8> {
    let domain = address.get(last_at(address) + 1..);
    domain.unwrap_or_default().to_ascii_lowercase()
}

/// The domains of all recipients that wait in a queue.
///
/// # Errors
/// The queue can't be read.
pub(crate) fn domains_that_wait(
    world: &World,
    place: &SpoolPlace,
) -> std::io::Result<BTreeSet<Vec<u8>>> {
    let mut domains = BTreeSet::new();
    for entry in world.spool.entries(place)? {
        // What went meanwhile, or makes no sense, is nobody's.
        let Ok(stored) = Stored::read(world, place, &entry.id) else { continue };
        let done = stored.done();
        let left = stored.file.recipients.iter().filter(|one| !done.contains(&one.address[..]));
        domains.extend(left.map(|one| domain_of(&one.address)));
    }
    Ok(domains)
}

/// What addresses have in them, whatever the case of its letters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueText {
    /// The text.
    pub text: Vec<u8>,
    /// Whether it is a regular expression (`-Rr`, `-Sr`).
    pub is_pattern: bool,
}

impl From<Vec<u8>> for QueueText {
    fn from(text: Vec<u8>) -> Self {
        Self { text, is_pattern: false }
    }
}

/// The same, ready to look for.
enum Wanted {
    Text(Vec<u8>),
    Pattern(CompiledPattern),
}

impl Wanted {
    fn new(asked: &QueueText) -> Result<Self, Vec<u8>> {
        let text = &asked.text;
        if !asked.is_pattern {
            return Ok(Self::Text(text.to_ascii_lowercase()));
        }
        CompiledPattern::new(text, true, true).map(Self::Pattern).map_err(|why| {
            let why = why.to_string();
            let head = b"regular expression error: ".as_slice();
            [head, why.as_bytes(), b" while compiling ", text].concat()
        })
    }

    fn is_in(&self, address: &[u8]) -> bool {
        match self {
            Self::Text(text) => memchr::memmem::find(&address.to_ascii_lowercase(), text).is_some(),
            Self::Pattern(pattern) => pattern.is_match(address),
        }
    }
}

/// Which messages a run is for: their sender, and a recipient that is left.
struct Wants {
    sender: Option<Wanted>,
    recipient: Option<Wanted>,
}

impl QueueRun {
    fn wants(&self) -> Result<Wants, Vec<u8>> {
        let [sender, recipient] =
            [&self.sender, &self.recipient].map(|one| one.as_ref().map(Wanted::new).transpose());
        Ok(Wants { sender: sender?, recipient: recipient? })
    }

    /// As it is written behind `-q`.
    fn shown(&self) -> String {
        if let Some(waiting) = &self.customer {
            let items = waiting.items.join(&b'|');
            return format!(" -qq -Rr @({})", String::from_utf8_lossy(&items));
        }
        let mut flags = String::new();
        for (set, flag) in [
            (self.two_passes, "q"),
            (self.first_only, "i"),
            (self.forced, "f"),
            (self.frozen, "f"),
            (self.local_only, "l"),
        ] {
            if set {
                flags += flag;
            }
        }
        let mut shown = if flags.is_empty() { flags } else { format!(" -q{flags}") };
        for (letter, part) in [('R', &self.recipient), ('S', &self.sender)] {
            if let Some(part) = part {
                let pattern = if part.is_pattern { "r" } else { "" };
                let text = String::from_utf8_lossy(&part.text);
                shown += &format!(" -{letter}{pattern} {text}");
            }
        }
        shown
    }
}

impl Deliverer {
    /// Tries each message of a queue once. `stops` ends it after the message at hand.
    ///
    /// # Errors
    /// What is looked for makes no sense: why, which is logged.
    pub fn run_queue(
        &self,
        place: &SpoolPlace,
        run: &QueueRun,
        stops: &AtomicBool,
    ) -> Result<(), Vec<u8>> {
        let world = self.engine.world();
        let _under_way = self.under_way.run(world);
        let pid = world.host.pid();
        let queue = String::from_utf8_lossy(&place.queue);
        let queue = if queue.is_empty() { String::new() } else { format!("'{queue}' ") };
        let said = format!("{queue}queue run: pid={pid}{}", run.shown());
        let kind = if run.customer.is_some() { "ODMR " } else { "" };
        let by = LogSelector::QUEUE_RUN;
        self.log_if(by, b"", format!("Start {kind}{said}").as_bytes());
        let wants = run.wants().inspect_err(|why| world.log.panic(why))?;
        let passes: &[RemoteManner] = match (run.local_only, run.two_passes) {
            (true, true) => &[RemoteManner::LeftOut, RemoteManner::LeftOut],
            (true, false) => &[RemoteManner::LeftOut],
            (false, true) => &[RemoteManner::NextPass, RemoteManner::Made],
            (false, false) => &[RemoteManner::Made],
        };
        for (number, remote) in passes.iter().enumerate() {
            let manner = AttemptManner {
                forced: run.forced,
                thaws: run.frozen,
                is_run: true,
                is_first_pass: number + 1 < passes.len(),
                remote: *remote,
                by_caller: run.by_caller,
                awaits_reports: run.awaits_reports,
                overrides: run.overrides,
                ..AttemptManner::default()
            };
            if !self.pass(place, (run, &wants), &manner, stops) {
                break;
            }
        }
        self.log_if(by, b"", format!("End {said}").as_bytes());
        Ok(())
    }

    /// One pass over the queue; false where there is to be no other.
    fn pass(
        &self,
        place: &SpoolPlace,
        (run, wants): (&QueueRun, &Wants),
        manner: &AttemptManner,
        stops: &AtomicBool,
    ) -> bool {
        let world = self.engine.world();
        let entries = match world.spool.entries(place) {
            Ok(entries) => entries,
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                world.log.panic(&[b"queue run: ", why.as_bytes()].concat());
                return false;
            }
        };
        let ids = entries.into_iter().map(|entry| entry.id).filter(|id| is_message_id(id));
        let mut ids: Vec<Vec<u8>> = ids.collect();
        self.put_in_order(&mut ids);
        let most = self.engine.settings().given(opt::DELIVER_QUEUE_LOAD_MAX);
        let mut cx = self.context();
        let (queue, count) = (place.queue.as_slice(), ids.len());
        let mut tried = 0;
        let outer = cx.trace().begin(Happening::Queue(QueueEvent::Begins { queue, count }));
        for id in ids {
            if stops.load(Ordering::Relaxed) || self.has_lost_customer() {
                return false;
            }
            if let Some(most) = most.filter(|_| !run.forced)
                && let load = world.host.load()
                && load > most
            {
                let pid = world.host.pid();
                let [load, most] = [load, most].map(hundredths);
                let line = format!("Abandon queue run: pid={pid} (load {load}, max {most})");
                self.log_if(LogSelector::QUEUE_RUN, b"", line.as_bytes());
                return false;
            }
            match self.is_of(place, run, wants, &id) {
                true => {
                    // Of messages that are asked for, the first is tried whatever hints say.
                    let asked = run.sender.is_some() || run.recipient.is_some();
                    let forced = manner.forced || (asked && tried == 0);
                    tried += 1;
                    let manner = AttemptManner { forced, ..manner.clone() };
                    if self.deliver_until(place, &id, &manner, stops) == Attempted::Unlogged {
                        return false;
                    }
                }
                false => cx.tell(Happening::Queue(QueueEvent::Skipped { id: &id })),
            }
        }
        cx.trace().end(outer);
        cx.tell(Happening::Queue(QueueEvent::Ended { tried }));
        true
    }

    /// `queue_run_order`: at random, so that no message stands in the way of all others for
    /// ever, or by age.
    fn put_in_order(&self, ids: &mut [Vec<u8>]) {
        let settings = self.engine.settings();
        let order = settings.get(opt::QUEUE_RUN_ORDER);
        let is_oldest_first = settings.get(opt::QUEUE_RUN_IN_ORDER) || order.bytes() == b"oldest";
        match order.bytes() {
            _ if is_oldest_first => ids.sort_unstable(),
            b"newest" => ids.sort_unstable_by(|one, other| other.cmp(one)),
            _ => {
                for at in (1..ids.len()).rev() {
                    let other = self.engine.world().random.below(at as u64 + 1);
                    ids.swap(at, usize::try_from(other).unwrap_or(0));
                }
            }
        }
    }

    /// Whether a run takes a message.
    fn is_of(&self, place: &SpoolPlace, run: &QueueRun, wants: &Wants, id: &[u8]) -> bool {
        let (first, last) = &run.range;
        if first.as_deref().is_some_and(|first| id < first)
            || last.as_deref().is_some_and(|last| id > last)
        {
            return false;
        }
        let is_any = run.recipient.is_none() && run.sender.is_none() && run.customer.is_none();
        if !run.first_only && is_any {
            return true;
        }
        let Ok(stored) = Stored::read(self.engine.world(), place, id) else { return false };
        let file = &stored.file;
        // Whoever looks into a message tells that it is frozen, before any name is made of it.
        if file.has("frozen") && !run.frozen {
            self.log_if(LogSelector::SKIP_DELIVERY, b"", b"Message is frozen");
            return false;
        }
        if run.first_only && !file.has("deliver_firsttime") {
            return false;
        }
        let done = stored.done();
        let mut left = file.recipients.iter().filter(|one| !done.contains(&one.address[..]));
        if let Some(waiting) = &run.customer {
            return left.any(|one| waiting.domains.contains(&domain_of(&one.address)));
        }
        let has = |wanted: &Option<Wanted>, address: &[u8]| {
            wanted.as_ref().is_none_or(|wanted| wanted.is_in(address))
        };
        has(&wants.sender, &file.sender)
            && (wants.recipient.is_none() || left.any(|one| has(&wants.recipient, &one.address)))
    }
}
