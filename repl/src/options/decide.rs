//! What is done, where several options ask for something.

use super::given::Asked;
use super::values::later;
use super::{Options, Parser, Stop};

impl Parser<'_> {
    pub(super) fn decide(mut self) -> Result<Options, Stop> {
        let filter = &self.given.filters;
        if filter.system.is_some() || filter.user.is_some() {
            self.decide_filter()?;
        }
        self.decide_daemon()?;
        self.decide_scan()?;
        let takes_stored = self.action == Some(Asked::Expand) && self.given.message.is_none();
        if self.given.stored.is_some() && !takes_stored {
            return Err(Stop::incompatible());
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
            self.action = Some(Asked::Submit);
        }
        let action = self.action.take();
        Ok(self.finish(action))
    }

    /// What runs of the queue, the daemon and `-bi` do not go together with.
    fn check_together(&self) -> Result<(), Stop> {
        let of_header = self.given.recipients_in_header;
        let speaks = self.later.as_ref().is_some_and(|(option, ..)| is_smtp(option));
        let tests = matches!(self.action, Some(Asked::Route(_)));
        let apart = match &self.action {
            Some(Asked::BuildAliases) => of_header || !self.args.is_empty(),
            _ => self.begins_run() && (of_header || speaks || tests) || speaks && tests,
        };
        if apart { Err(Stop::incompatible()) } else { Ok(()) }
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
        let apart = match &self.action {
            None => false,
            Some(Asked::Deliver) => !runs || listens && self.begins_run(),
            Some(action) => !action.is_information(),
        };
        let speaks = self.later.as_ref().is_some_and(|(option, ..)| is_smtp(option));
        let text = given.recipients_in_header || given.scanned.is_some() || !self.args.is_empty();
        if apart || speaks || text {
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
            (None, _) | (Some(_), Some(Asked::Version)) => Ok(()),
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
        match self.action {
            Some(Asked::Version | Asked::Rewrite | Asked::Retry | Asked::Information) => Ok(()),
            None if self.args.is_empty() && !self.given.recipients_in_header => {
                self.action = Some(Asked::Filter);
                Ok(())
            }
            _ => incompatible,
        }
    }
}

/// Whether an option has SMTP spoken with whoever calls.
fn is_smtp(option: &[u8]) -> bool {
    matches!(option, b"-bs" | b"-bS")
}
