//! Deliveries to other hosts: which go together, and how many are made at once
//! (specification 14, `remote_max_parallel`).

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use eximious::opt;
use eximious::world::{SpoolError, SpoolStep};

use super::attempt::Attempt;
use super::errand::Made;
use super::routing::Planned;
use super::transport::{goes_with, nodes_at};

/// How many deliveries of a message are made at once, whatever the option says.
const MOST: usize = 100;

/// How long what is done is not told, because what began before it is not done.
const IN_ORDER: Duration = Duration::from_secs(1);

impl Attempt<'_> {
    /// Makes the deliveries to other hosts, several at once where that may be. The first to
    /// begin are told of first, unless they take much longer; what is done is on disk at
    /// once.
    pub(super) fn deliver_remote(&mut self, mut left: Vec<Planned>) {
        self.sort_by_domains(&mut left);
        self.deliver_round(left);
        // Whom no host has taken comes again, and the last one of them first.
        let mut again = std::mem::take(&mut self.stand_ins);
        again.reverse();
        self.sort_by_domains(&mut again);
        self.deliver_round(again);
    }

    fn deliver_round(&mut self, left: Vec<Planned>) {
        let most = self.cx.engine().settings().get(opt::REMOTE_MAX_PARALLEL);
        let most = usize::try_from(most).unwrap_or(1).clamp(1, MOST);
        let all = self.together(left, most);
        // Whoever watches sees one after the other, and a client that has called has one
        // connection.
        let is_one_line = self.deliverer.customer.is_some();
        if most == 1 || all.len() <= 1 || is_one_line || self.cx.trace().is_watched() {
            for planned in &all {
                match self.waits_by_domain(planned) {
                    true => self.leave_by_domain(planned),
                    false => self.deliver_together(planned),
                }
            }
            return;
        }
        let world = self.cx.engine().world();
        let _waits = self.deliverer.under_way.wait(world, &self.id);
        let (sender, results) = mpsc::channel::<(usize, News)>();
        std::thread::scope(|threads| {
            let mut waiting = all.iter().enumerate();
            let mut turns: Vec<Turn> = all.iter().map(|_| Turn::Runs).collect();
            let mut running = 0;
            loop {
                while running < most
                    && let Some((at, planned)) = waiting.next()
                {
                    if self.waits_by_domain(planned) {
                        turns[at] = Turn::Waits;
                        continue;
                    }
                    let Some(errand) = self.errand(planned) else {
                        turns[at] = Turn::Told;
                        continue;
                    };
                    let (mut cx, sender) = (self.cx.branch(), sender.clone());
                    running += 1;
                    threads.spawn(move || {
                        // There is always somebody to hear of it.
                        let tell = |news| drop(sender.send((at, news)));
                        let keep = |some: &[usize]| tell(News::Arrived(some.to_vec()));
                        let made = errand.run(&mut cx, &no_files, &keep);
                        tell(News::Made(Box::new(made)));
                    });
                }
                if running == 0 {
                    break;
                }
                match results.recv_timeout(IN_ORDER) {
                    Ok((at, News::Arrived(some))) => {
                        self.journal().keep(&nodes_at(&all[at], &some));
                    }
                    Ok((at, News::Made(made))) => {
                        running -= 1;
                        self.keep_made(&all[at], &made);
                        turns[at] = Turn::Made(made);
                        self.tell_made(&all, &mut turns, true);
                    }
                    Err(_) => self.tell_made(&all, &mut turns, false),
                }
            }
            self.tell_made(&all, &mut turns, false);
        });
    }

    /// Deliveries to other hosts, in their order: those that can go together do, and no more
    /// come of it than are made at once. One for more addresses than go in one transaction
    /// makes several, along its connection.
    fn together(&mut self, mut left: Vec<Planned>, at_once: usize) -> Vec<Vec<Planned>> {
        let fair = left.len() / at_once;
        let mut all = Vec::new();
        while !left.is_empty() {
            let first = left.remove(0);
            // What is too large for one may do for the next; whoever goes with that one is not
            // asked.
            if !left.is_empty() && self.is_too_large(&first) {
                all.push(vec![first]);
                continue;
            }
            let bounds = match self.bounds_of(&first) {
                Ok(bounds) => bounds,
                Err(why) => {
                    self.stays(&first, &why);
                    continue;
                }
            };
            // One address in each is as much as to say that each goes by itself.
            let most = match bounds.recipients {
                1 => 1,
                most => most.max(fair),
            };
            let mut together = vec![first];
            let mut others = Vec::new();
            for one in left {
                let first = &together[0].delivery;
                let fits = together.len() < most
                    && (bounds.several_domains
                        || first.address.domain.bytes() == one.delivery.address.domain.bytes());
                match fits && goes_with(first, &one.delivery) {
                    true => together.push(one),
                    false => others.push(one),
                }
            }
            left = others;
            all.push(together);
        }
        all
    }

    /// Tells of those that are made; those that come after one that is not, too, unless the
    /// order counts.
    fn tell_made(&mut self, all: &[Vec<Planned>], turns: &mut [Turn], in_order: bool) {
        for (planned, turn) in all.iter().zip(turns) {
            match std::mem::replace(turn, Turn::Told) {
                Turn::Made(made) => self.conclude_all(planned, *made),
                Turn::Waits => self.leave_by_domain(planned),
                Turn::Told => {}
                Turn::Runs => {
                    *turn = Turn::Runs;
                    if in_order {
                        return;
                    }
                }
            }
        }
    }
}

/// Who goes to another host leaves the message's files where they are.
fn no_files(directory: &[u8]) -> Result<(), SpoolError> {
    let why = io::ErrorKind::Unsupported.into();
    Err(SpoolError { step: SpoolStep::Directory, file: directory.to_vec(), why })
}

/// What there is to hear of a delivery.
enum News {
    /// Some of its addresses, by their places, have got the message.
    Arrived(Vec<usize>),
    /// It is made.
    Made(Box<Made>),
}

/// How far a delivery is.
enum Turn {
    /// It is being made, or waits for that.
    Runs,
    /// It is made, and nobody has heard of it.
    Made(Box<Made>),
    /// It is left for a run of the queue, and nobody has heard of it.
    Waits,
    /// There is no more to say of it.
    Told,
}
