//! What is done, where several options ask for something.

use super::values::later;
use super::{Action, Options, Parser, Stop};

impl Parser<'_> {
    pub(super) fn decide(mut self) -> Result<Options, Stop> {
        let filter = &self.options.filter;
        if filter.system.is_some() || filter.user.is_some() {
            self.decide_filter()?;
        }
        if self.action == Some(Action::Daemon)
            && let Some((option, what, _)) = self.later.take()
        {
            let mut stop = later(&option, what);
            if option.starts_with(b"-q") {
                let way = "; leave it out, and the daemon takes messages into the spool, from \
                    which a real Exim delivers them: exim ";
                stop.0.extend_from_slice(&[way.as_bytes(), &option].concat());
            }
            return Err(stop);
        }
        if self.options.stored.is_some() && self.action != Some(Action::Expand) {
            return Err(Stop::exim("incompatible command-line options or arguments"));
        }
        self.decide_session()?;
        let expands = self.action == Some(Action::Expand) || self.action.is_none();
        match self.later.take() {
            Some((option, what, wins)) if expands && (wins || self.action.is_none()) => {
                return Err(later(&option, what));
            }
            _ => {}
        }
        if self.action.is_none() && (self.options.recipients_in_header || !self.args.is_empty()) {
            self.action = Some(Action::Submit);
        }
        let action = self.action.take();
        Ok(self.finish(action))
    }

    /// SMTP is spoken, unless something else is asked for.
    fn decide_session(&mut self) -> Result<(), Stop> {
        let action = match &self.later {
            Some((option, _, _)) if option == b"-bs" => Action::Session,
            Some((option, _, _)) if option == b"-bS" => Action::Batch,
            _ => return Ok(()),
        };
        if self.action.is_some() {
            return Ok(());
        }
        let options = &self.options;
        if options.recipients_in_header || options.sender.is_some() {
            return Err(Stop::exim("incompatible command-line options or arguments"));
        }
        self.later = None;
        self.action = Some(action);
        Ok(())
    }

    /// Filters are tested, unless something else is asked for that does not mind.
    fn decide_filter(&mut self) -> Result<(), Stop> {
        let incompatible = Err(Stop::exim("incompatible command-line options or arguments"));
        if let Some((option, what, wins)) = self.later.take() {
            return match option.as_slice() {
                b"-bd" | b"-bdf" => incompatible,
                _ if !wins => incompatible,
                _ => Err(later(&option, what)),
            };
        }
        match self.action {
            Some(Action::Version | Action::Rewrite | Action::Retry | Action::Information) => Ok(()),
            None if self.args.is_empty() && !self.options.recipients_in_header => {
                self.action = Some(Action::Filter);
                Ok(())
            }
            _ => incompatible,
        }
    }
}
