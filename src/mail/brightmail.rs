//! What Brightmail AntiSpam said of a message (experimental specification, "Brightmail
//! AntiSpam"): one verdict for each recipient. It is kept in `$acl_m_bmi_verdicts`, which goes
//! with the message through the spool; its text is as `docs/brightmail.md` has the answer, with
//! the recipient before it.

use eximious_core::Str;
use eximious_stdlib::variables::var;

use crate::Context;

/// The variable in which verdicts are kept.
pub(in crate::mail) const VERDICTS: &str = "acl_m_bmi_verdicts";

/// What is to be done with the message for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::mail) enum Action {
    /// It is delivered as usual.
    Default,
    /// It is delivered to another place.
    Alternate,
    /// It is not delivered.
    Drop,
}

/// A verdict for one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::mail) struct Verdict<'v> {
    pub(in crate::mail) action: Action,
    /// In Base64; empty where there is none, as the others.
    verdict: &'v [u8],
    tracker: &'v [u8],
    /// Numbers with commas between them.
    rules: &'v [u8],
    location: &'v [u8],
}

impl<'v> Verdict<'v> {
    /// Reads a line of an answer; `None` where it makes no sense.
    pub(in crate::mail) fn read(line: &'v [u8]) -> Option<Self> {
        let mut fields = line.split(|c| *c == b'\t');
        let action = match fields.next()? {
            b"default" => Action::Default,
            b"alternate" => Action::Alternate,
            b"drop" => Action::Drop,
            _ => return None,
        };
        let mut field = |fits: fn(&u8) -> bool| match fields.next() {
            None | Some(b"-") => Some(&b""[..]),
            Some(text) => text.iter().all(fits).then_some(text),
        };
        let base64 = |c: &u8| c.is_ascii_alphanumeric() || b"+/=".contains(c);
        let verdict = Self {
            action,
            verdict: field(base64)?,
            tracker: field(base64)?,
            rules: field(|c| c.is_ascii_digit() || *c == b',')?,
            location: field(|c| !c.is_ascii_control())?,
        };
        fields.next().is_none().then_some(verdict)
    }

    /// Whether one of the rules in a list with colons fired.
    pub(in crate::mail) fn has_rule(&self, list: &[u8]) -> bool {
        let mut fired = self.rules.split(|c| *c == b',').filter(|rule| !rule.is_empty());
        fired.any(|rule| list.split(|c| *c == b':').any(|one| one.trim_ascii() == rule))
    }
}

/// The verdicts as they are kept: a line for each recipient.
pub(in crate::mail) fn kept(recipients: &[Str], lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    for (recipient, line) in recipients.iter().zip(lines) {
        text.extend(recipient.bytes().iter().filter(|c| !c.is_ascii_control()));
        text.push(b'\t');
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

/// The verdict for a recipient, in what is kept.
pub(in crate::mail) fn of_recipient<'v>(kept: &'v [u8], recipient: &[u8]) -> Option<Verdict<'v>> {
    kept.split(|c| *c == b'\n').find_map(|line| {
        let tab = memchr::memchr(b'\t', line)?;
        let own = line[..tab].eq_ignore_ascii_case(recipient);
        if own { Verdict::read(&line[tab + 1..]) } else { None }
    })
}

/// Sets `$bmi_…` for a recipient, where the message was looked at; `None` where it was not.
pub(in crate::mail) fn show(cx: &mut Context, recipient: &Str) -> Option<Str> {
    let kept = cx.get(VERDICTS)?.ok().filter(|kept| !kept.is_empty())?;
    let verdict = of_recipient(kept.bytes(), recipient.bytes());
    let text = |part: fn(&Verdict<'_>) -> &'static [u8]| verdict.as_ref().map_or(&b""[..], part);
    let deliver = text(|one| if one.action == Action::Drop { b"0" } else { b"1" });
    cx.set_var(var::BMI_DELIVER, Str::from(deliver));
    let parts = verdict.map_or([&b""[..]; 3], |one| [one.location, one.verdict, one.tracker]);
    let variables =
        [var::BMI_ALT_LOCATION, var::BMI_BASE64_VERDICT, var::BMI_BASE64_TRACKER_VERDICT];
    for (variable, part) in variables.into_iter().zip(parts) {
        cx.set_var(variable, Str::tainted(part));
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read() {
        let line = b"alternate\tdmVyZGljdA==\tdHJhY2s=\t3,17\tspam@filter.test";
        let verdict = Verdict::read(line).unwrap();
        assert_eq!(
            (verdict.action, verdict.location),
            (Action::Alternate, &b"spam@filter.test"[..])
        );
        assert!(verdict.has_rule(b"1 : 17") && verdict.has_rule(b"3"));
        assert!(!verdict.has_rule(b"1:7") && !verdict.has_rule(b""));
        assert_eq!(Verdict::read(b"drop\t-\t-").unwrap().verdict, b"");
        assert!(!Verdict::read(b"default").unwrap().has_rule(b"1:"));
        for bad in ["", "x", "drop\tnot base64", "drop\t-\t-\tx", "drop\t-\t-\t-\t-\t-", "DROP"] {
            assert_eq!(Verdict::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn each_recipient_has_its_own() {
        let recipients = [Str::from("a@x.test"), Str::from("b\n@x.test")];
        let kept = kept(&recipients, &[b"drop\tAA==".to_vec(), b"default".to_vec()]);
        assert_eq!(kept, b"a@x.test\tdrop\tAA==\nb@x.test\tdefault\n");
        let action = |name: &[u8]| of_recipient(&kept, name).map(|one| one.action);
        assert_eq!(action(b"A@X.test"), Some(Action::Drop));
        assert_eq!(action(b"b@x.test"), Some(Action::Default));
        assert_eq!(action(b"c@x.test"), None);
    }
}
