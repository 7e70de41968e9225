//! Warnings: what has waited for long (specification 14, `delay_warning`; 50.2).

use eximious::stdlib::options::is_yes;
use eximious::{FailClass, Str, opt, var};

use super::texts::Texts;
use super::{Letter, STATUS};
use crate::delivery::attempt::{Attempt, Undone};
use crate::spool::RecipientDsn;

/// The numbers of deliveries that are put off without a try are this one, or below it. (What
/// is not routed again counts as tried, as in Exim.)
const NOT_TRIED: i32 = -53;

/// Below this, times are told in minutes.
const IN_MINUTES: i64 = 2 * 60 * 60;

/// Tells senders of what waits, where that has been so for long enough: the name of the
/// warning, and how many there are of this message then.
pub(in crate::delivery) fn warn(
    attempt: &mut Attempt<'_>,
    waiting: &[Undone],
) -> Option<(Vec<u8>, i64)> {
    if attempt.file().sender.is_empty() {
        return None;
    }
    // Where nobody was tried, there is nothing new to tell; a second pass tries once more, and
    // knows of other hosts, too.
    if attempt.manner.is_first_pass || waiting.iter().all(|one| one.why.number <= NOT_TRIED) {
        return None;
    }
    let times = attempt.cx.engine().settings().get(opt::DELAY_WARNING);
    // What is wrong with the condition is told before it is of any use.
    if times.0.last().is_none_or(|last| *last <= 0) || !is_wanted(attempt, waiting) {
        return None;
    }
    let waited = attempt.now().saturating_sub(attempt.file().received);
    let (count, shown) = due(&times.0, waited);
    if count <= attempt.file().warnings {
        return None;
    }
    let wants = |one: &&Undone| {
        !one.address.attached.ignore_errors && attempt.wants(one.node, RecipientDsn::DELAY)
    };
    let told: Vec<&Undone> = waiting.iter().filter(wants).collect();
    if told.is_empty() {
        return None;
    }
    let mut to: Vec<Str> = Vec::new();
    for one in &told {
        let other = attempt.errors_to(&one.address);
        if !to.iter().any(|known| known.bytes() == other.bytes()) {
            to.push(other);
        }
    }
    let to: Vec<&[u8]> = to.iter().map(Str::bytes).collect();
    let to = Str::tainted(to.join(&b","[..]));
    let delay = match waited < IN_MINUTES {
        true => format!("{} minutes", shown / 60),
        false => format!("{} hours", shown / 3600),
    };
    attempt.cx.set_var(var::WARN_MESSAGE_DELAY, Str::from(delay.clone().into_bytes()));
    attempt.cx.set_var(var::WARN_MESSAGE_RECIPIENTS, to.clone());
    let texts = Texts::read(&mut attempt.cx, opt::WARN_MESSAGE_FILE, "warning");
    let mut letter = Letter::new(attempt);
    letter.warning_header(&to, delay.as_bytes(), &texts);
    letter.text_part();
    letter.warning_notice(&told, &to, delay.as_bytes(), &texts);
    letter.status(STATUS);
    letter.delays(&told);
    letter.part(b"text/rfc822-headers");
    letter.returned_header();
    letter.put(&[b"\n"]);
    let text = letter.end();
    Some((attempt.hand_in_report(text).ok()?, count))
}

/// How many warnings are due after some seconds, and the time of the latest.
fn due(times: &[i64], waited: i64) -> (i64, i64) {
    let Some(last) = times.last().copied().filter(|last| *last > 0) else { return (0, 0) };
    let passed = times.iter().take_while(|time| **time <= waited).count();
    if passed < times.len() {
        let shown = passed.checked_sub(1).map_or(0, |at| times[at]);
        return (i64::try_from(passed).unwrap_or(i64::MAX), shown);
    }
    // Beyond the list, the last interval is repeated.
    let gap = times.len().checked_sub(2).map_or(last, |at| last - times[at]);
    let more = if gap > 0 { (waited - last) / gap } else { 0 };
    let count = i64::try_from(times.len()).unwrap_or(i64::MAX).saturating_add(more);
    (count, last.saturating_add(gap.saturating_mul(more)))
}

/// `delay_warning_condition`, which knows the domain, where all that waits has the same.
fn is_wanted(attempt: &mut Attempt<'_>, waiting: &[Undone]) -> bool {
    let mut domains = waiting.iter().map(|one| &one.address.domain);
    let first = domains.next().cloned().unwrap_or_default();
    let is_one = domains.all(|domain| domain.bytes() == first.bytes());
    attempt.cx.set_var(var::DOMAIN, if is_one { first } else { Str::EMPTY });
    let is_wanted = condition(attempt);
    attempt.cx.set_var(var::DOMAIN, Str::EMPTY);
    is_wanted
}

fn condition(attempt: &mut Attempt<'_>) -> bool {
    let option = opt::DELAY_WARNING_CONDITION;
    let engine = attempt.cx.engine().clone();
    let text = engine.settings().get(option);
    let value = attempt.cx.on_behalf_of(option.name(), |cx| engine.expand_once(text.bytes(), cx));
    match value {
        Ok(value) => is_yes(value.bytes()),
        Err(fail) if fail.class() == FailClass::Forced => false,
        Err(fail) => {
            let head = b"failed to expand condition \"".as_slice();
            let line = [head, text.bytes(), b"\" for delay_warning option: ", fail.message()];
            attempt.cx.log().panic(&line.concat());
            false
        }
    }
}

impl Letter<'_, '_> {
    fn warning_header(&mut self, to: &Str, delay: &[u8], texts: &Texts) {
        self.reply_to();
        self.put(&[b"Auto-Submitted: auto-replied\n"]);
        self.from();
        self.put(&[b"To: ", to.bytes(), b"\n"]);
        self.references();
        self.kind();
        let id = self.attempt.id.clone();
        match texts.item(&mut self.attempt.cx, 0, "header") {
            Some(own) => self.put(&[own.bytes(), b"\n"]),
            None => self.put(&[b"Subject: Warning: message ", &id, b" delayed ", delay, b"\n\n"]),
        }
    }

    /// What a person reads.
    fn warning_notice(&mut self, waiting: &[&Undone], to: &Str, delay: &[u8], texts: &Texts) {
        match texts.item(&mut self.attempt.cx, 1, "intro") {
            Some(own) => self.put(&[own.bytes()]),
            None => self.warning_opening(waiting.len(), to, delay),
        }
        self.put(&[b"\n"]);
        for one in waiting {
            if self.is_undisclosed(one) {
                continue;
            }
            self.named(one);
            self.delay_reason(one);
        }
        self.put(&[b"\n"]);
        match texts.item(&mut self.attempt.cx, 2, "final") {
            Some(own) => self.put(&[own.bytes()]),
            None if texts.are_there() => {}
            None => self.put(&[
                b"No action is required on your part. Delivery attempts will continue for\n\
                  some time, and this warning may be repeated at intervals if the message\n\
                  remains undelivered. Eventually the mail delivery software will give up,\n\
                  and when that happens, the message will be returned to you.\n",
            ]),
        }
        self.put(&[b"\n"]);
    }

    fn warning_opening(&mut self, count: usize, to: &Str, delay: &[u8]) {
        self.put(&[b"This message was created automatically by mail delivery software.\n"]);
        let sender = self.attempt.file().sender.clone();
        let has_not = b"has not yet been delivered to one or more of its".as_slice();
        match to.bytes() == sender {
            true => {
                self.put(&[b"A message that you sent ", has_not, b"\nrecipients after more than "])
            }
            false => {
                let sender = self.attempt.printed(&sender);
                self.put(&[b"A message sent by\n\n  <", &sender, b">\n\n"]);
                self.put(&[has_not, b" recipients after more than \n"]);
            }
        }
        let host = self.attempt.text_of(var::PRIMARY_HOSTNAME);
        self.put(&[delay, b" on the queue on ", &host, b".\n\nThe message identifier is:     "]);
        let id = self.attempt.id.clone();
        self.put(&[&id, b"\n"]);
        // In the order that they have there.
        for line in self.attempt.message.headers.clone() {
            let head: &[u8] = match () {
                () if line.is(b"subject") => b"The subject of the message is: ",
                () if line.is(b"date") => b"The date of the message is:    ",
                () => continue,
            };
            self.put(&[head, line.value().trim_ascii(), b"\n"]);
        }
        self.put(&[match count {
            1 => b"\nThe address to which the message has not yet been delivered is:\n".as_slice(),
            _ => b"\nThe addresses to which the message has not yet been delivered are:\n",
        }]);
    }

    /// What a program reads of each address.
    fn delays(&mut self, waiting: &[&Undone]) {
        for one in waiting {
            self.recipient(one, b"delayed", b"4.0.0");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_interval_is_repeated() {
        let hours = |some: &[i64]| -> Vec<i64> { some.iter().map(|some| some * 3600).collect() };
        let list = hours(&[1, 6, 24]);
        for (waited, count, shown) in
            [(0, 0, 0), (4000, 1, 1), (22_000, 2, 6), (90_000, 3, 24), (200_000, 4, 42)]
        {
            assert_eq!(due(&list, waited), (count, shown * 3600), "after {waited}");
        }
        assert_eq!(due(&hours(&[6]), 13 * 3600), (2, 12 * 3600));
        assert_eq!(due(&hours(&[]), 1 << 40), (0, 0));
        assert_eq!(due(&hours(&[0]), 1 << 40), (0, 0));
        assert_eq!(due(&hours(&[24, 6]), i64::MAX).0, 2);
    }
}
