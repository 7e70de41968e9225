//! Conditions as Exim shows them.

use super::{Comparison, FilterCondition, FilterTest, Verb};

impl FilterCondition {
    /// The condition as Exim shows it, which is not quite as it is written.
    pub fn shown(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.show(true, &mut out);
        out
    }

    fn show(&self, outermost: bool, out: &mut Vec<u8>) {
        let not: &[u8] = if self.negated { b"not " } else { b"" };
        match &self.test {
            FilterTest::All(parts) => {
                out.extend_from_slice(if self.negated { b"not (" } else { b"" });
                show_all(parts, out);
                out.extend_from_slice(if self.negated { b")" } else { b"" });
            }
            FilterTest::Any(parts) => {
                let bracket = self.negated || !outermost;
                out.extend_from_slice(not);
                out.extend_from_slice(if bracket { b"(" } else { b"" });
                show_any(parts, out);
                out.extend_from_slice(if bracket { b")" } else { b"" });
            }
            FilterTest::AnyAddress { list, condition } => {
                out.extend_from_slice(&[not, b"foranyaddress ", &list.text, b" ("].concat());
                condition.show(false, out);
                out.push(b')');
            }
            FilterTest::Personal { .. } => out.extend_from_slice(&[not, b"personal"].concat()),
            FilterTest::Delivered => out.extend_from_slice(&[not, b"delivered"].concat()),
            FilterTest::ErrorMessage => out.extend_from_slice(&[not, b"error_message"].concat()),
            FilterTest::FirstDelivery => out.extend_from_slice(&[not, b"first_delivery"].concat()),
            FilterTest::ManuallyThawed => {
                out.extend_from_slice(&[not, b"manually_thawed"].concat())
            }
            FilterTest::Compare { verb, left, right } => {
                let verb = verb.shown(self.negated).as_bytes();
                out.extend_from_slice(&[&left.text, b" ".as_slice(), verb].concat());
                out.extend_from_slice(&[b" ", right.text.as_slice()].concat());
            }
        }
    }
}

/// The last of several conditions that have to be true, as Exim shows what it
/// takes together.
pub fn show_all(parts: &[FilterCondition], out: &mut Vec<u8>) {
    for (at, part) in parts.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b" and " } else { b"" });
        part.show(false, out);
    }
}

/// The first of several conditions of which any has to be true, as Exim shows
/// what it takes together.
pub fn show_any(parts: &[FilterCondition], out: &mut Vec<u8>) {
    let inner = parts.len().saturating_sub(2);
    out.resize(out.len() + inner, b'(');
    for (at, part) in parts.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b" or " } else { b"" });
        part.show(false, out);
        out.extend_from_slice(if at > 0 && at <= inner { b")" } else { b"" });
    }
}

impl Verb {
    fn shown(self, negated: bool) -> &'static str {
        let (how, caseful) = match self {
            Self::Above => return if negated { "not above" } else { "above" },
            Self::Below => return if negated { "not below" } else { "below" },
            Self::Text { how, caseful } => (how, caseful),
        };
        match (how, caseful, negated) {
            (Comparison::Begins, false, false) => "begins",
            (Comparison::Begins, false, true) => "does not begin",
            (Comparison::Begins, true, false) => "BEGINS",
            (Comparison::Begins, true, true) => "does not BEGIN",
            (Comparison::Contains, false, false) => "contains",
            (Comparison::Contains, false, true) => "does not contain",
            (Comparison::Contains, true, false) => "CONTAINS",
            (Comparison::Contains, true, true) => "does not CONTAIN",
            (Comparison::Ends, false, false) => "ends",
            (Comparison::Ends, false, true) => "does not end",
            (Comparison::Ends, true, false) => "ENDS",
            (Comparison::Ends, true, true) => "does not END",
            (Comparison::Is, false, false) => "is",
            (Comparison::Is, false, true) => "is not",
            (Comparison::Is, true, false) => "IS",
            (Comparison::Is, true, true) => "IS not",
            (Comparison::Matches, false, false) => "matches",
            (Comparison::Matches, false, true) => "does not match",
            (Comparison::Matches, true, false) => "MATCHES",
            (Comparison::Matches, true, true) => "does not MATCH",
        }
    }
}
