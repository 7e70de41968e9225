//! What Brightmail AntiSpam said of a message (experimental specification, "Brightmail
//! AntiSpam"): one verdict for each recipient. It is kept in `$acl_m_bmi_verdicts`, which goes
//! with the message through the spool; its text is as `docs/brightmail.md` has the answer, with
//! the recipient before it.

use eximious_core::Str;
use eximious_core::world::{BrightmailAction, BrightmailVerdict};
use eximious_stdlib::variables::var;

use crate::Context;

/// The variable in which verdicts are kept.
pub(in crate::mail) const VERDICTS: &str = "acl_m_bmi_verdicts";

/// Whether one of the rules in a list with colons fired.
pub(in crate::mail) fn has_rule(verdict: &BrightmailVerdict, list: &[u8]) -> bool {
    let listed = |one: &[u8]| str::from_utf8(one.trim_ascii()).ok()?.parse::<u64>().ok();
    list.split(|c| *c == b':').filter_map(listed).any(|rule| verdict.rules.contains(&rule))
}

/// The verdicts as they are kept: a line for each recipient. `None` where there is not one
/// for each, or where one can't be written.
pub(in crate::mail) fn kept(recipients: &[Str], verdicts: &[BrightmailVerdict]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for (recipient, verdict) in recipients.iter().zip(verdicts) {
        text.extend(recipient.bytes().iter().filter(|c| !c.is_ascii_control()));
        text.push(b'\t');
        text.extend_from_slice(&verdict.line()?);
        text.push(b'\n');
    }
    (recipients.len() == verdicts.len()).then_some(text)
}

/// The verdict for a recipient, in what is kept.
pub(in crate::mail) fn of_recipient(kept: &[u8], recipient: &[u8]) -> Option<BrightmailVerdict> {
    kept.split(|c| *c == b'\n').find_map(|line| {
        let tab = memchr::memchr(b'\t', line)?;
        let own = line[..tab].eq_ignore_ascii_case(recipient);
        if own { BrightmailVerdict::read(&line[tab + 1..]) } else { None }
    })
}

/// Sets `$bmi_…` for a recipient, where the message was looked at; `None` where it was not.
pub(in crate::mail) fn show(cx: &mut Context, recipient: &Str) -> Option<Str> {
    let kept = cx.get(VERDICTS)?.ok().filter(|kept| !kept.is_empty())?;
    let verdict = of_recipient(kept.bytes(), recipient.bytes());
    let deliver = match verdict.as_ref().map(|one| one.action) {
        None => "",
        Some(BrightmailAction::Drop) => "0",
        Some(_) => "1",
    };
    cx.set_var(var::BMI_DELIVER, Str::fixed(deliver));
    let verdict = verdict.unwrap_or_default();
    cx.set_var(var::BMI_ALT_LOCATION, Str::tainted(verdict.location));
    cx.set_var(var::BMI_BASE64_VERDICT, Str::tainted(verdict.verdict));
    cx.set_var(var::BMI_BASE64_TRACKER_VERDICT, Str::tainted(verdict.tracker));
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found() {
        let verdict = BrightmailVerdict { rules: vec![3, 17], ..BrightmailVerdict::default() };
        assert!(has_rule(&verdict, b"1 : 17") && has_rule(&verdict, b"3"));
        assert!(!has_rule(&verdict, b"1:7") && !has_rule(&verdict, b""));
        assert!(!has_rule(&BrightmailVerdict::default(), b"1:"));
    }

    #[test]
    fn each_recipient_has_its_own() {
        let recipients = [Str::from("a@x.test"), Str::from("b\n@x.test")];
        let dropped = BrightmailVerdict {
            action: BrightmailAction::Drop,
            verdict: b"AA==".to_vec(),
            ..BrightmailVerdict::default()
        };
        let verdicts = [dropped, BrightmailVerdict::default()];
        let kept = kept(&recipients, &verdicts).unwrap();
        assert_eq!(kept, b"a@x.test\tdrop\tAA==\nb@x.test\tdefault\n");
        let action = |name: &[u8]| of_recipient(&kept, name).map(|one| one.action);
        assert_eq!(action(b"A@X.test"), Some(BrightmailAction::Drop));
        assert_eq!(action(b"b@x.test"), Some(BrightmailAction::Default));
        assert_eq!(action(b"c@x.test"), None);
        assert_eq!(super::kept(&recipients, &verdicts[..1]), None);
    }
}
