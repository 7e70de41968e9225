//! What plays Brightmail AntiSpam (experimental specification, "Brightmail AntiSpam").

use std::io;

use crate::{Message, Str};

/// Who judges messages that `control = bmi_run` hands to it.
pub trait Brightmail: Send + Sync {
    /// Its verdicts on a message: one for each recipient, in their order. `place` is what
    /// `bmi_config_file` says, expanded; it may be empty.
    ///
    /// # Errors
    /// Why there are none. That is logged, and the message is as any other.
    fn judge(
        &self,
        place: &[u8],
        question: &BrightmailQuestion<'_>,
    ) -> io::Result<Vec<BrightmailVerdict>>;
}

/// What it is asked about.
#[derive(Debug)]
pub struct BrightmailQuestion<'m> {
    /// The client's address; empty where there is none.
    pub client: Str,
    /// What the client called itself.
    pub helo: Str,
    /// The envelope's sender.
    pub sender: Str,
    /// The message, with its recipients.
    pub message: &'m Message,
}

/// What is to be done with a message for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BrightmailAction {
    /// It is delivered as usual.
    #[default]
    Default,
    /// It is delivered to another place.
    Alternate,
    /// It is not delivered.
    Drop,
}

/// A verdict for one recipient.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BrightmailVerdict {
    /// What is to be done.
    pub action: BrightmailAction,
    /// The verdict, in Base64; empty where there is none, as the others.
    pub verdict: Vec<u8>,
    /// The tracker's verdict, in Base64.
    pub tracker: Vec<u8>,
    /// The numbers of the rules that fired.
    pub rules: Vec<u64>,
    /// The other place.
    pub location: Vec<u8>,
}

/// How each action is written.
const ACTIONS: [(BrightmailAction, &[u8]); 3] = [
    (BrightmailAction::Default, b"default"),
    (BrightmailAction::Alternate, b"alternate"),
    (BrightmailAction::Drop, b"drop"),
];

impl BrightmailVerdict {
    /// Reads a line: an action, both verdicts, rules with commas between them, the other
    /// place, with tabs between them. All but the first may be `-` or left out at the end.
    /// `None` where it makes no sense.
    pub fn read(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|c| *c == b'\t');
        let written = fields.next()?;
        let (action, _) = *ACTIONS.iter().find(|(_, name)| *name == written)?;
        let mut field = |fits: fn(&u8) -> bool| match fields.next() {
            None | Some(b"-") => Some(&b""[..]),
            Some(text) => text.iter().all(fits).then_some(text),
        };
        let base64 = |c: &u8| c.is_ascii_alphanumeric() || b"+/=".contains(c);
        let verdict = field(base64)?.to_vec();
        let tracker = field(base64)?.to_vec();
        let rules = field(|c| c.is_ascii_digit() || *c == b',')?;
        let numbers = rules.split(|c| *c == b',').filter(|rule| !rule.is_empty());
        let number = |rule| str::from_utf8(rule).ok()?.parse::<u64>().ok();
        let rules = numbers.map(number).collect::<Option<Vec<u64>>>()?;
        let location = field(|c| !c.is_ascii_control())?.to_vec();
        let ended = fields.next().is_none();
        ended.then_some(Self { action, verdict, tracker, rules, location })
    }

    /// The line, without an end; `None` where a field holds what can't stand in one.
    pub fn line(&self) -> Option<Vec<u8>> {
        let name = ACTIONS.iter().find(|(action, _)| *action == self.action)?.1;
        let rules: Vec<String> = self.rules.iter().map(u64::to_string).collect();
        let rules = rules.join(",").into_bytes();
        let fields = [&self.verdict, &self.tracker, &rules, &self.location];
        let given = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        let mut line = name.to_vec();
        for field in &fields[..given] {
            line.push(b'\t');
            line.extend_from_slice(if field.is_empty() { b"-" } else { field });
        }
        (Self::read(&line).as_ref() == Some(self)).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_and_written() {
        let line = b"alternate\tdmVyZGljdA==\tdHJhY2s=\t3,17\tspam@filter.test";
        let verdict = BrightmailVerdict::read(line).unwrap();
        assert_eq!(
            (verdict.action, &verdict.location[..], &verdict.rules[..]),
            (BrightmailAction::Alternate, &b"spam@filter.test"[..], &[3, 17][..])
        );
        assert_eq!(verdict.line().as_deref(), Some(&line[..]));
        let dropped = BrightmailVerdict::read(b"drop\t-\t-\t,7,").unwrap();
        assert_eq!((&dropped.verdict[..], &dropped.rules[..]), (&b""[..], &[7][..]));
        assert_eq!(dropped.line().as_deref(), Some(&b"drop\t-\t-\t7"[..]));
        assert_eq!(BrightmailVerdict::default().line().as_deref(), Some(&b"default"[..]));
        let bad = ["", "x", "drop\tnot base64", "drop\t-\t-\tx", "drop\t-\t-\t-\t-\t-", "DROP"];
        for bad in bad.into_iter().chain(["drop\t-\t-\t99999999999999999999"]) {
            assert_eq!(BrightmailVerdict::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_can_not_be_written_is_not() {
        for text in [&b"a\tb"[..], b"a\nb", b"-", b"\0"] {
            let location = text.to_vec();
            let bad = BrightmailVerdict { location, ..BrightmailVerdict::default() };
            assert_eq!(bad.line(), None, "{bad:?}");
        }
        let verdict = b"not base64".to_vec();
        assert_eq!(BrightmailVerdict { verdict, ..BrightmailVerdict::default() }.line(), None);
    }
}
