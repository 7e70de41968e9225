//! How an attempt ends: senders are told, and the message is gone, or left as it is to be found
//! next.

use std::collections::VecDeque;

use eximious::world::{LogLine, LogPart};
use eximious::{LogSelector, Str, var};

use super::Attempted;
use super::attempt::{Attempt, Undone};
use super::log::Subject;
use super::tracking::{NodeId, Settled, known_by};
use crate::spool::{RecipientDsn, RecipientExtra, SpoolRecipient, acl_values};
use crate::tally;

impl Attempt<'_> {
    /// The message is done with, whoever has not got it.
    pub(super) fn complete_all(&mut self) -> Attempted {
        self.forget_message();
        self.keep_log();
        if let Err(why) = self.taken.remove() {
            let why = eximious::stdlib::wording::reason(&why);
            let head = b"cannot be taken out of the spool: ".as_slice();
            self.cx.log().panic(&[head, why.as_bytes()].concat());
            return Attempted::Left;
        }
        let mut line = LogLine::of("Completed");
        if self.wanted().contains(LogSelector::QUEUE_TIME_OVERALL) {
            line.field("QT", crate::logs::lasted(&self.cx, self.file().received_at()));
        }
        self.tell(&line);
        let came = self.file().received_at();
        tally::completed(&mut self.cx, came);
        self.tell_complete();
        Attempted::Completed
    }

    /// Logs that nobody is told of some failures, but of those of which the log hears nothing.
    fn tell_ignored(&mut self, ignored: impl IntoIterator<Item = (NodeId, Option<Vec<u8>>)>) {
        for (node, line) in ignored {
            self.tell_late(node);
            line.iter().for_each(|line| self.log(line));
            self.complete_failure(node);
        }
    }

    /// Tells senders of failures, and leaves the message as it is to be found next.
    pub(super) fn end(&mut self) -> Attempted {
        if !self.has_good_news_only() && !self.secure() {
            return Attempted::Gone;
        }
        self.forget_overcome();
        self.tell_expired();
        if let Some(id) = super::report::confirm(self) {
            self.send_report(id);
        }
        let mut failed = std::mem::take(&mut self.failed);
        if self.is_hopeless() {
            // Whoever else a router has errors told is not told of them, either.
            failed.iter_mut().for_each(|one| one.address.attached.ignore_errors = true);
        }
        let ignored = failed.iter().filter(|one| one.address.attached.ignore_errors);
        let ignored = ignored.map(|one| {
            let (address, is_direct) = (&one.address, one.is_direct);
            let subject = Subject::undelivered(address, None, is_direct);
            let line = || [&self.named_with_parent(&subject)[..], b": error ignored"].concat();
            (one.node, (!one.is_silent).then(line))
        });
        let mut ignored: VecDeque<(NodeId, Option<Vec<u8>>)> = ignored.collect();
        let order: Vec<NodeId> = failed.iter().map(|one| one.node).collect();
        failed.retain(|one| !one.address.attached.ignore_errors);
        let mut freezes = self.freezes;
        let (mut is_report_lost, mut is_report_stuck) = (false, false);
        let mut lost = Vec::new();
        for (sender, failed) in super::report::by_sender(self, failed) {
            // Those that stand before the first of these are told before.
            let before =
                order.iter().take_while(|node| failed.iter().all(|one| one.node != **node));
            let count = before.filter(|node| ignored.iter().any(|(one, _)| one == *node)).count();
            let before: Vec<_> = ignored.drain(..count).collect();
            self.tell_ignored(before);
            match super::report::send(self, &sender, &failed) {
                super::report::Told::Sent(id) => {
                    // Whatever happens meanwhile, nobody is told of them twice.
                    self.complete_failures(&failed);
                    self.send_report(id);
                    // Whoever hears of the end is told of the message's own sender again.
                    let own = Str::tainted(&self.file().sender[..]);
                    self.cx.set_var(var::RETURN_PATH, own);
                }
                super::report::Told::NotNeeded => self.complete_failures(&failed),
                // Nobody can be told: somebody has to look at it.
                super::report::Told::Nobody => {
                    is_report_lost = true;
                    self.left += failed.len();
                    lost.extend(failed);
                }
                super::report::Told::Unsent(status) => {
                    // A message for which no rule has another try is not kept for its report.
                    let is_kept = !self.outlasts_all_rules();
                    let head = format!("Process failed ({status}) when writing error message to ");
                    let sender = self.printed(sender.bytes());
                    // Whoever waits is tried again, and so is the report; one is enough to freeze.
                    let waits = is_report_stuck || is_report_lost || !self.deferred.is_empty();
                    let freezes = is_kept && !waits;
                    let tail: &[u8] = if freezes { b" (frozen)" } else { b"" };
                    let line = [head.as_bytes(), &sender, tail].concat();
                    self.log(&line);
                    self.log_message_bare(&line);
                    if is_kept {
                        self.left += failed.len();
                        is_report_stuck |= freezes;
                    } else {
                        self.complete_failures(&failed);
                    }
                }
            }
        }
        self.tell_ignored(ignored);
        while let Some((node, ..)) = self.late.first() {
            self.tell_late(*node);
        }
        for (same, others) in std::mem::take(&mut self.duplicates) {
            if self.tracking.is_done(self.tracking.unique(same)) {
                others.into_iter().for_each(|other| self.complete(other));
            }
        }
        if self.deferred.is_empty() && self.left == 0 {
            return self.complete_all();
        }
        freezes |= is_report_lost;
        self.settle_once(&lost);
        if is_report_stuck && !freezes {
            // It was not tried to its end.
            let now = self.now();
            self.stored.file.freeze(now);
            self.write_header();
            self.put_aside();
            return Attempted::Frozen;
        }
        let waiting = std::mem::take(&mut self.deferred);
        let warned = super::report::warn(self, &waiting);
        self.deferred = waiting;
        if let Some((_, count)) = &warned {
            self.stored.file.warnings = *count;
        }
        if freezes {
            // What was written here is none that somebody has sent so.
            let by_hand = self.file().has("local") && !self.file().has("localerror");
            let lost_report: &[u8] = match by_hand {
                true => b" (message created with -f <>)",
                false => b" (delivery error message)",
            };
            let by = if is_report_lost { lost_report } else { self.frozen_by };
            self.freeze(by, &lost);
        } else {
            self.update(warned.is_some());
        }
        if let Some((id, _)) = warned {
            self.send_report(id);
        }
        if freezes { Attempted::Frozen } else { Attempted::Left }
    }

    /// Who waits, or failed though nobody can be told (`lost`), and came of an address once and for
    /// all (`one_time`) is a recipient of its own from now on, and that address is done with.
    fn settle_once(&mut self, lost: &[Undone]) {
        let mut all: Vec<Settled> = Vec::new();
        // What was told of last comes first, as in what is told of a message that freezes.
        let mut undone: Vec<&Undone> = self.deferred.iter().chain(lost).collect();
        undone.sort_by_key(|one| std::cmp::Reverse(one.order));
        for one in undone {
            let settled = self.tracking.made_once(one.node);
            all.extend(settled.filter(|new| all.iter().all(|old| old.node != new.node)));
        }
        let recipients = &mut self.stored.file.recipients;
        let known = recipients.len();
        let mut done = Vec::new();
        for Settled { node, text, errors_to, original } in &all {
            if recipients[..known].iter().any(|one| one.address == *text) {
                continue;
            }
            done.extend(self.tracking.parent(*node));
            if recipients.iter().any(|one| one.address == *text) {
                continue;
            }
            // Of those that are the same, it is the last one.
            let parent = recipients.iter().rposition(|one| one.address == *original);
            let parent = parent.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1);
            let reports = Some(RecipientDsn::default());
            let more = Some(RecipientExtra { reports, errors_to: errors_to.clone(), parent });
            recipients.push(SpoolRecipient { address: text.clone(), more });
        }
        for Settled { node, text, .. } in &all {
            // Who is a recipient anyway waits as such, unless he came of himself.
            let parent = self.tracking.parent(*node);
            let is_own = parent.is_some_and(|parent| self.tracking.text(parent) == &text[..]);
            if !is_own {
                self.tracking.settle(*node, &done);
            }
        }
        // Whoever was not tried is none of those yet.
        if self.left == lost.len() {
            done.into_iter().for_each(|parent| self.tracking.finish_wholly(parent));
        }
    }

    /// Freezes the message, and says so, and by what; `lost` are failures that nobody can be
    /// told of.
    fn freeze(&mut self, by: &[u8], lost: &[Undone]) {
        let now = self.now();
        self.stored.file.freeze(now);
        if let Some(id) = super::report::tell_frozen(self, by, lost) {
            self.send_report(id);
        }
        let mut line = LogLine::of("Frozen");
        line.push(LogPart::Words, by);
        if !self.frozen_why.is_empty() {
            line.push(LogPart::Reason, [b": ", &self.frozen_why[..]].concat());
        }
        self.tell(&line);
        self.log_message_undated(&[b"*** ", line.text()].concat());
        self.update(false);
        self.put_aside();
    }

    /// Has a report delivered: behind this message, unless whoever handed that in waits for all of
    /// it. What comes of a report that was made here is always behind it, so that there is an end.
    pub(super) fn send_report(&mut self, id: Vec<u8>) {
        if self.manner.awaits_reports && !self.is_own_report() {
            self.deliver_own(&id);
        } else {
            self.reports.push(id);
        }
    }

    /// The same of a message about an address, of which no other comes.
    pub(super) fn send_notice(&mut self, id: Vec<u8>) {
        match self.manner.awaits_reports {
            true => self.deliver_own(&id),
            false => self.reports.push(id),
        }
    }

    /// Delivers a message that was written here, unless all messages wait.
    fn deliver_own(&mut self, id: &[u8]) {
        let manner = self.manner.of_reports(self.cx.engine().settings());
        let deliverer = self.deliverer.without_customer();
        if !deliverer.has_to_wait(manner.overrides) {
            deliverer.deliver_all(&self.place.clone(), id, &manner);
        }
    }

    /// Writes the header file, where there is something new to say.
    pub(super) fn update(&mut self, warned: bool) {
        let first = self.file().has("deliver_firsttime");
        let is_same = !self.tracking.has_changed() && !first && !self.freezes && !warned;
        if is_same
            && !self.is_thawed
            && self.stored.journal.is_empty()
            && !self.file().has("frozen")
        {
            return;
        }
        // After the first of two passes, the second one is still the first that counts.
        if !self.manner.is_first_pass {
            self.stored.file.values.retain(|value| value.name != b"deliver_firsttime");
        }
        self.write_header();
    }

    fn write_header(&mut self) {
        self.stored.file.set_acl_values(acl_values(&mut self.cx));
        let file = &mut self.stored.file;
        let done = self.tracking.done();
        // A recipient that is done with is named as it came, too.
        let came = file.recipients.iter().map(|one| &one.address[..]);
        let came = came.filter(|text| done.contains(&known_by(text)));
        let earlier = self.stored.journal.iter();
        let all = earlier.chain(self.tracking.newly_done()).map(Vec::as_slice);
        file.not_for = file.not_for.with(all.chain(came));
        let updated = match file.encode() {
            Ok(bytes) => {
                self.taken.update(&bytes).map_err(|why| eximious::stdlib::wording::reason(&why))
            }
            Err(why) => Err(why.to_string()),
        };
        if let Err(why) = updated {
            let head = b"the header file can't be written: ".as_slice();
            self.cx.log().panic(&[head, why.as_bytes()].concat());
        }
    }
}
