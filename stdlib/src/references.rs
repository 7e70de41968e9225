//! What a message that comes of another one refers to (RFC 5322, section 3.6.4).

use eximious_core::{Message, Settings};

use crate::address::{Rules, message_ids};

/// How many messages are referred to before the one that it is about: the first, and as many of
/// the last.
const MOST_BEFORE: usize = 12;
/// How long the line may be, without its end (RFC 5322, section 2.1.1).
const LONGEST: usize = 998;

/// What is said of a message in one that comes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct References {
    /// The message's name, if it has one; where it was sent again, that of its last time.
    pub id: Option<Vec<u8>>,
    /// `References:` and its value: what it refers to, and its name.
    pub line: Vec<u8>,
}

impl References {
    /// Nothing where the message has no name and refers to none.
    pub fn to(message: &Message, settings: &Settings) -> Option<Self> {
        let first = |name| message.named(name).next().map(|one| one.value().trim_ascii());
        let named = |name: &[u8]| {
            let mut all = message.headers.iter();
            let one = all.find(|one| one.name.trim_ascii_end().eq_ignore_ascii_case(name))?;
            Some(one.value().trim_ascii()).filter(|id| !id.is_empty())
        };
        let id = named(b"resent-message-id").or_else(|| named(b"message-id"));
        let before = first(b"references").or_else(|| first(b"in-reply-to")).unwrap_or_default();
        let mut before = message_ids(before, Rules::of(settings));
        if before.len() > MOST_BEFORE {
            before.drain(1..=before.len() - MOST_BEFORE);
        }
        let mut long = b"References:".len() + id.map_or(0, |id| 1 + id.len());
        long += before.iter().map(|one| 1 + one.len()).sum::<usize>();
        // The second goes before the first does.
        while long > LONGEST && !before.is_empty() {
            let gone = before.remove(1.min(before.len() - 1));
            long -= 1 + gone.len();
        }
        if id.is_none() && before.is_empty() {
            return None;
        }
        let mut line = b"References:".to_vec();
        for one in before.iter().map(Vec::as_slice).chain(id) {
            line.extend([b" ", one].concat());
        }
        line.push(b'\n');
        Some(Self { id: id.map(<[u8]>::to_vec), line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse;

    fn line(header: &str) -> String {
        let message = parse(format!("{header}\n\n").as_bytes());
        let found = References::to(&message, &Settings::default());
        found.map(|one| String::from_utf8(one.line).unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_line_names_what_was_before() {
        assert_eq!(line("Subject: x"), "");
        assert_eq!(line("Message-Id:"), "");
        assert_eq!(line("References: no names"), "");
        assert_eq!(line("Message-Id:\nReferences: <a@b> <c@d>"), "References: <a@b> <c@d>\n");
        assert_eq!(line("In-Reply-To: <x@y>"), "References: <x@y>\n");
        assert_eq!(line("Resent-Message-Id:\nMessage-Id: <a@b>"), "References: <a@b>\n");
        assert_eq!(line("Message-Id: <a@b>"), "References: <a@b>\n");
        assert_eq!(line("Message-Id: no name\nReferences: <a@b>"), "References: <a@b> no name\n");
        for (before, names) in [
            ("References: <a@b>\n <c@d>\nIn-Reply-To: <x@y>", "<a@b> <c@d> "),
            ("References: <a@b>\nReferences: <c@d>", "<a@b> "),
            ("In-Reply-To: <x@y>", "<x@y> "),
            ("In-Reply-To: your mail of <x@y>", ""),
            ("References:\nIn-Reply-To: <x@y>", ""),
            ("References: <a@b><c@d>,<e@f>", "<a@b> <c@d> "),
            ("References: (x) < a . b (x) @ c> (<c@d>)", "<a.b@c> "),
            ("References: <\"a b\"@c> <a@[1.2.3.4]> <c@d>", "<\"a b\"@c> "),
        ] {
            let expected = format!("References: {names}<m@n>\n");
            assert_eq!(line(&format!("Message-Id: <m@n>\n{before}")), expected, "{before}");
        }
    }

    #[test]
    fn a_name_of_another_time_stands_before_the_first() {
        let twice = "Message-Id: <m@n>\nReferences: <a@b>\nResent-Message-Id: <r@n>";
        assert_eq!(line(twice), "References: <a@b> <r@n>\n");
    }

    #[test]
    fn a_line_has_an_end() {
        let many: String = (1..15).map(|number| format!("<{number}@x> ")).collect();
        assert_eq!(
            line(&format!("Message-Id: <n@x>\nReferences: {many}")),
            "References: <1@x> <4@x> <5@x> <6@x> <7@x> <8@x> <9@x> <10@x> <11@x> <12@x> <13@x> \
             <14@x> <n@x>\n"
        );
        let long = |number| format!("<{number:0300}@x> ");
        let all: String = (1..6).map(long).collect();
        let kept: String = [1, 4, 5].map(long).concat();
        let found = line(&format!("Message-Id: <n@x>\nReferences: {all}"));
        assert_eq!(found, format!("References: {kept}<n@x>\n"));
        let alone = format!("Message-Id: <n@x>\nReferences: <{:01000}@x>", 1);
        assert_eq!(line(&alone), "References: <n@x>\n");
    }
}
