//! What waits because the configuration wants that: `hold_domains`, `queue_domains`,
//! `queue_smtp_domains`; and which deliveries come first, `remote_sort_domains`
//! (specification 14).

use eximious::route::{Address, PercentDeferred, innermost};
use eximious::stdlib::lists::{ListOutcome, Matcher, elements};
use eximious::transport::Undelivered;
use eximious::world::LogPart;
use eximious::{Engine, Opt, Str, opt};

use super::RemoteManner;
use super::attempt::{Attempt, Undone};
use super::log::Subject;
use super::routing::Planned;
use super::tracking::NodeId;

/// Numbers of what is no error, as the log has them.
const HELD: i32 = -23;
const QUEUED: i32 = -56;
/// That of a list that can't be asked.
const UNTOLD: i32 = -35;

/// What files, by being there, leave to the next run of the queue (`queue_only_file`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueFiles {
    /// All messages.
    pub all: bool,
    /// Deliveries to other hosts.
    pub remote: bool,
}

impl QueueFiles {
    /// What is there now.
    pub fn found(engine: &Engine) -> Self {
        let list = engine.settings().get(opt::QUEUE_ONLY_FILE);
        let mut found = Self::default();
        for item in elements(list.bytes()) {
            let (path, is_remote) = match item.strip_prefix(b"smtp") {
                Some(path) => (path, true),
                None => (&item[..], false),
            };
            let sets = if is_remote { &mut found.remote } else { &mut found.all };
            *sets |= engine.world().files.stat(path, true).is_ok();
        }
        found
    }
}

impl Attempt<'_> {
    /// Whether an address stays where it is (`hold_domains`), which is told then.
    pub(super) fn is_held(&mut self, node: NodeId, address: &Address) -> bool {
        if self.manner.forced {
            return false;
        }
        let why = match self.is_domain_in(address, opt::HOLD_DOMAINS) {
            Some(true) => Undelivered::new(HELD, "domain is held"),
            Some(false) => return false,
            None => untold(opt::HOLD_DOMAINS),
        };
        self.keep_back(node, address, "", why);
        true
    }

    /// Whether another address stands in an address's local part (`percent_hack_domains`), which
    /// takes its place at once; where nobody can tell now, it stays, and that is told.
    pub(super) fn holds_another(&mut self, node: NodeId, address: &Address) -> Option<bool> {
        let was_looked_into = address.ancestors().next().is_some_and(|one| one.router.is_none());
        if self.cx.engine().settings().text(opt::PERCENT_HACK_DOMAINS).is_none() || was_looked_into
        {
            return Some(false);
        }
        match innermost(&mut self.cx, &address.text) {
            Ok(inner) => Some(inner.bytes() != address.text.bytes()),
            Err(PercentDeferred) => {
                let why = Undelivered::new(UNTOLD, "cannot check percent_hack_domains");
                self.keep_back(node, address, "", why);
                None
            }
        }
    }

    /// Whether addresses of some domains wait for a run of the queue (`queue_domains`).
    pub(super) fn queues_domains(&self) -> bool {
        let list = self.cx.engine().settings().get(opt::QUEUE_DOMAINS);
        !self.manner.forced && !self.manner.is_run && !list.is_empty()
    }

    /// Whether an address does, which is told then.
    pub(super) fn is_queued(&mut self, node: NodeId, address: &Address) -> bool {
        let why = match self.is_domain_in(address, opt::QUEUE_DOMAINS) {
            Some(true) => Undelivered::new(QUEUED, "domain is in queue_domains"),
            Some(false) => return false,
            None => untold(opt::QUEUE_DOMAINS),
        };
        self.keep_back(node, address, " routing", why);
        true
    }

    fn keep_back(&mut self, node: NodeId, address: &Address, kind: &str, why: Undelivered) {
        let subject = Subject::undelivered(address, None, false);
        let mut line = self.named(&subject);
        line.push(LogPart::Number, format!("{kind} defer ({})", why.number));
        line.words(&self.took(None));
        line.push(LogPart::Reason, [b": ", &why.message[..]].concat());
        self.tell_put_off(why.number, false, &line.marked("=="));
        self.log_message(line.text());
        self.defer(Undone::new(node, address, false, why));
    }

    /// What becomes of deliveries to other hosts.
    pub(super) fn remote_manner(&mut self, planned: &[Planned]) -> RemoteManner {
        let manner = self.manner.remote;
        if manner != RemoteManner::Made || self.manner.is_run || self.manner.forced {
            return manner;
        }
        match !planned.is_empty() && QueueFiles::found(self.cx.engine()).remote {
            true => RemoteManner::Queued,
            false => manner,
        }
    }

    /// Whether deliveries that go together wait for a run of the queue because of
    /// `queue_smtp_domains`: the domain of the first one says so for all, as in Exim.
    pub(super) fn waits_by_domain(&mut self, together: &[Planned]) -> bool {
        let may_wait = !self.manner.is_run && !self.manner.forced;
        may_wait
            && together.first().is_some_and(|one| {
                let address = &one.delivery.address;
                self.is_domain_in(address, opt::QUEUE_SMTP_DOMAINS) != Some(false)
            })
    }

    /// Leaves such deliveries.
    pub(super) fn leave_by_domain(&mut self, together: &[Planned]) {
        let why = "first-pass only routing due to -odqs, queue_smtp_domains or control=queue";
        self.leave_for_run(together, &Undelivered::new(-1, why));
    }

    /// Leaves deliveries to other hosts for a run of the queue.
    pub(super) fn leave_for_run(&mut self, planned: &[Planned], why: &Undelivered) {
        self.note_hosts(planned);
        planned.iter().for_each(|one| self.stays(one, why));
    }

    /// Puts deliveries in the order of `remote_sort_domains`; what is in none of its items
    /// comes last.
    pub(super) fn sort_by_domains(&mut self, planned: &mut Vec<Planned>) {
        let option = opt::REMOTE_SORT_DOMAINS;
        let list = self.cx.engine().settings().get(option);
        let items: Vec<Str> = elements(list.bytes()).map(|item| Str::from(&item[..])).collect();
        if items.is_empty() {
            return;
        }
        let mut left = std::mem::take(planned);
        for item in &items {
            let of_item =
                |one: &Planned| self.is_in(&one.delivery.address, item, option) != Some(false);
            let (here, others) = parted(left, of_item);
            planned.extend(here);
            left = others;
        }
        planned.extend(left);
    }

    /// Whether an address's domain is in an option's list; nothing where nobody can tell now,
    /// which is logged.
    fn is_domain_in(&mut self, address: &Address, option: Opt<Str>) -> Option<bool> {
        let list = self.cx.engine().settings().get(option);
        if list.is_empty() { Some(false) } else { self.is_in(address, &list, option) }
    }

    fn is_in(&mut self, address: &Address, list: &Str, option: Opt<Str>) -> Option<bool> {
        let mut matcher = Matcher::domain(&address.domain).called(option.name());
        match self.cx.is_in(list, &mut matcher) {
            Ok(ListOutcome::Matched(_)) => Some(true),
            Ok(ListOutcome::Unmatched(_)) => Some(false),
            Ok(ListOutcome::Deferred(_)) | Err(_) => None,
        }
    }
}

/// Nobody can tell whether a domain is in an option's list: it waits until somebody can.
fn untold(option: Opt<Str>) -> Undelivered {
    Undelivered::new(UNTOLD, format!("{} lookup deferred", option.name()))
}

/// Those that something is true of, and the others. As in Exim, what was in the way goes to
/// the end: of the others, those behind the last one that it is true of come first.
fn parted<T>(all: Vec<T>, mut is_so: impl FnMut(&T) -> bool) -> (Vec<T>, Vec<T>) {
    let (mut here, mut before, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for one in all {
        if is_so(&one) {
            before.append(&mut behind);
            here.push(one);
        } else {
            behind.push(one);
        }
    }
    behind.append(&mut before);
    (here, behind)
}

#[cfg(test)]
mod tests {
    use super::parted;

    #[test]
    fn what_is_in_the_way_goes_to_the_end() {
        let all = vec!["a", "b", "c", "d", "cc", "aa", "dd"];
        let (here, others) = parted(all, |one| one.starts_with('c'));
        assert_eq!((here, others), (vec!["c", "cc"], vec!["aa", "dd", "a", "b", "d"]));
        let (here, others) = parted(vec!["a", "c"], |one| one.starts_with('c'));
        assert_eq!((here, others), (vec!["c"], vec!["a"]));
    }
}
