//! What is done, where several options ask for something.

use super::given::Asked;
use super::values::{later, no_longer};
use super::{Options, Parser, Stop};

/// How long an address may be that is to get a message, or a list of them.
const LONGEST_ADDRESS: usize = 16_384;

/// How strongly things are asked for that are not done together, from the weakest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Strength {
    Informs,
    Speaks,
    Expands,
    Routes,
    Rewrites,
    Runs,
    Works,
    Counts,
    Builds,
    Lists,
    /// It is done where it stands.
    First,
}

impl Parser<'_> {
    /// What is done of all that is asked for: the strongest; of equals, the one that was
    /// asked for last.
    fn strongest(&self) -> Option<Asked> {
        let run = self.given.runs.last().map(|_| &Asked::Deliver);
        self.asked.iter().chain(run).max_by_key(|asked| self.strength(asked)).cloned()
    }

    /// How strongly something is asked for.
    fn strength(&self, asked: &Asked) -> Strength {
        match asked {
            asked if asked.lists() => Strength::Informs,
            Asked::Host(_) => Strength::Speaks,
            Asked::Expand => Strength::Expands,
            Asked::Route(_) => Strength::Routes,
            Asked::Rewrite => Strength::Rewrites,
            Asked::Deliver if self.given.work.is_none() => Strength::Runs,
            Asked::Show | Asked::View(..) | Asked::Deliver | Asked::Retry => Strength::Works,
            Asked::BuildAliases => Strength::Builds,
            Asked::Queue(listing) if listing.count => Strength::Counts,
            Asked::Queue(_) => Strength::Lists,
            _ => Strength::First,
        }
    }

    /// Whether something of a kind is asked for, whatever comes of it.
    pub(super) fn has(&self, kind: impl Fn(&Asked) -> bool) -> bool {
        self.asked.iter().any(kind)
    }

    pub(super) fn decide(mut self) -> Result<Options, Stop> {
        if let Some(line) = self.given.log_line.take() {
            let shown = self.given.tells_version
                || self.given.filters.any()
                || self
                    .has(|asked| matches!(asked, Asked::Expand | Asked::Route(_) | Asked::Host(_)));
            return Ok(self.finish(Some(Asked::Log(line, shown))));
        }
        self.action = self.strongest();
        self.give_way_to_version();
        let takes = self.given.recipients_in_header || !self.args.is_empty() || self.speaks();
        if (takes || self.given.listens) && self.action.as_ref().is_some_and(Asked::lists) {
            self.action = None;
        }
        self.check_apart()?;
        if self.given.filters.any() {
            self.decide_filter()?;
        }
        self.decide_daemon()?;
        self.decide_scan()?;
        // What is done with another message has no use for it.
        if matches!(self.action, Some(Asked::View(..)))
            || self.action == Some(Asked::Deliver) && self.given.work.is_some()
        {
            self.given.stored = None;
        }
        let takes_stored = self.action == Some(Asked::Expand) && self.given.message.is_none();
        if self.given.stored.is_some() && !takes_stored {
            return Err(Stop::incompatible());
        }
        // What rules are asked about names no messages.
        if matches!(self.action, Some(Asked::Queue(_) | Asked::Deliver))
            && self.has(|asked| matches!(asked, Asked::Rewrite | Asked::Retry))
        {
            self.args = &[];
        }
        self.check_range()?;
        self.check_together()?;
        self.decide_session()?;
        let expands = self.action == Some(Asked::Expand) || self.action.is_none();
        match self.later.take() {
            Some((option, what, wins)) if expands && (wins || self.action.is_none()) => {
                return Err(later(&option, what));
            }
            _ => {}
        }
        if self.action.is_none() && (self.given.recipients_in_header || !self.args.is_empty()) {
            let mut addresses = self.args.iter();
            addresses.try_for_each(|one| no_longer(one, LONGEST_ADDRESS, "address argument"))?;
            self.action = Some(Asked::Submit);
        }
        if self.action.is_none() && self.given.tells_version {
            self.action = Some(Asked::Version);
        }
        let action = self.action.take();
        if action == Some(Asked::Information) && self.given.unknown_topic {
            return Err(Stop(crate::version::INFORMATION.trim_end().into()));
        }
        Ok(self.finish(action))
    }

    /// Where the version is told, no filter is tested, and nothing is listed.
    fn give_way_to_version(&mut self) {
        let nobody = self.args.is_empty() && !self.given.recipients_in_header;
        let others = self.given.listens || self.action.as_ref().is_some_and(|asked| !asked.lists());
        if self.given.tells_version && nobody && !others {
            (self.given.filters.system, self.given.filters.user) = (None, None);
            self.action = None;
        }
    }

    /// What the daemon and `-bP` do not go together with.
    fn check_apart(&self) -> Result<(), Stop> {
        let tests =
            |asked: &Asked| matches!(asked, Asked::Expand | Asked::Host(_) | Asked::Route(_));
        let counts = matches!(&self.action, Some(Asked::Queue(listing)) if listing.count);
        let shows = |asked: &Asked| *asked == Asked::Show;
        let views = |asked: &Asked| matches!(asked, Asked::View(..));
        let works = |asked: &Asked| {
            matches!(asked, Asked::BuildAliases | Asked::Rewrite | Asked::Retry)
                || *asked == Asked::Deliver && self.given.work.is_some()
        };
        let listens = self.given.listens;
        let lists = matches!(self.action, Some(Asked::Queue(_)));
        let named = self.begins_run() && !self.args.is_empty();
        if named && (lists || self.action == Some(Asked::Show)) {
            return Err(Stop::incompatible());
        }
        let told = self.given.recipients_in_header || self.given.sender.is_some();
        if lists && self.speaks() && told {
            return Err(Stop::incompatible());
        }
        if counts || lists && !listens {
            return Ok(());
        }
        let apart = if listens {
            self.has(|asked| *asked != Asked::Deliver && !asked.is_information()) || self.speaks()
        } else {
            let takes = self.speaks() || self.given.recipients_in_header;
            let [shows, views, works, tests] =
                [self.has(shows), self.has(views), self.has(works), self.has(tests)];
            (shows || views) && (tests || works)
                || shows && views
                || takes && (shows || works)
                || works && tests && self.given.work.is_some()
        };
        if apart { Err(Stop::incompatible()) } else { Ok(()) }
    }

    /// What runs of the queue, the daemon and `-bi` do not go together with.
    fn check_together(&self) -> Result<(), Stop> {
        let of_header = self.given.recipients_in_header;
        let speaks = self.speaks();
        let tests = matches!(self.action, Some(Asked::Route(_)));
        let apart = match &self.action {
            Some(Asked::BuildAliases | Asked::Queue(_))
                if self.has(|asked| *asked == Asked::BuildAliases) =>
            {
                of_header || !self.args.is_empty()
            }
            _ => (self.begins_run() || tests) && (of_header || speaks),
        };
        if apart { Err(Stop::incompatible()) } else { Ok(()) }
    }

    /// Whether SMTP is to be spoken with whoever calls (`-bs`, `-bS`).
    pub(super) fn speaks(&self) -> bool {
        self.later.as_ref().is_some_and(|(option, ..)| matches!(&option[..], b"-bs" | b"-bS"))
    }

    /// Whether the run of a queue is asked for that begins now.
    fn begins_run(&self) -> bool {
        self.given.runs.last().is_some_and(|last| last.every.is_none())
    }

    /// There is a daemon where one listens, or where the run that was asked for last is to
    /// be again and again. With what does something else there is none.
    fn decide_daemon(&mut self) -> Result<(), Stop> {
        let given = &self.given;
        let listens = given.listens;
        if !listens && given.runs.last().is_none_or(|last| last.every.is_none()) {
            return Ok(());
        }
        let runs = self.action == Some(Asked::Deliver) && given.work.is_none();
        let other = self.has(|asked| !asked.is_information());
        let apart = given.filters.any() || other || listens && self.begins_run();
        let text = given.recipients_in_header
            || given.sender.is_some()
            || given.scanned.is_some()
            || !self.args.is_empty();
        // Who waits for inetd runs no queue.
        let waits = given.daemon.inherited.is_some() && !given.runs.is_empty();
        if apart || waits || self.speaks() || text {
            return Err(Stop::incompatible());
        }
        if self.action.is_none() || runs {
            if let Some((option, what, _)) = self.later.take() {
                return Err(later(&option, what));
            }
            self.action = Some(if listens { Asked::Daemon } else { Asked::Runner });
        }
        Ok(())
    }

    /// A file is scanned, whatever else is asked for.
    fn decide_scan(&mut self) -> Result<(), Stop> {
        match (self.given.scanned.take(), &self.action) {
            (None, _) => Ok(()),
            (Some(_), Some(Asked::Show)) => Err(Stop::incompatible()),
            (Some(file), _) => {
                self.action = Some(Asked::Scan(file));
                Ok(())
            }
        }
    }

    /// SMTP is spoken, unless something else is asked for.
    fn decide_session(&mut self) -> Result<(), Stop> {
        let action = match &self.later {
            Some((option, _, _)) if option == b"-bs" => Asked::Session,
            Some((option, _, _)) if option == b"-bS" => Asked::Batch,
            _ => return Ok(()),
        };
        if self.action.is_some() {
            return Ok(());
        }
        let given = &self.given;
        if given.recipients_in_header || given.sender.is_some() {
            return Err(Stop::incompatible());
        }
        self.later = None;
        self.action = Some(action);
        Ok(())
    }

    /// Filters are tested, unless something else is asked for that does not mind.
    fn decide_filter(&mut self) -> Result<(), Stop> {
        let incompatible = Err(Stop::incompatible());
        if let Some((option, what, wins)) = self.later.take() {
            return match option.as_slice() {
                _ if !wins => incompatible,
                _ => Err(later(&option, what)),
            };
        }
        let bare = self.args.is_empty() && !self.given.recipients_in_header;
        match &self.action {
            Some(Asked::Rewrite | Asked::Retry) => Ok(()),
            Some(asked) if asked.lists() => Ok(()),
            Some(Asked::Queue(_) | Asked::Expand | Asked::Host(_) | Asked::BuildAliases)
                if bare =>
            {
                Ok(())
            }
            Some(Asked::Deliver) if bare && self.given.work.is_none() => Ok(()),
            None if bare => {
                self.action = Some(Asked::Filter);
                Ok(())
            }
            _ => incompatible,
        }
    }
}
