//! Entries as objects of JSON: the facts of a line, each by its name, as whoever put the line
//! together knows them. Nothing is read out of a text.

use eximious_core::world::{Clock, LogLine, LogPart, Moment};
use serde_json::{Map, Value, json};

use super::names::LogKind;

/// What a line says has happened, and what that is called.
const EVENTS: [(&str, &str); 13] = [
    ("<=", "received"),
    ("(=", "received"),
    ("=>", "delivered"),
    ("->", "delivered"),
    (">>", "cutthrough"),
    ("*>", "suppressed"),
    ("==", "deferred"),
    ("**", "failed"),
    ("Completed", "completed"),
    ("rejected", "rejected"),
    ("Frozen", "frozen"),
    ("Unfrozen", "unfrozen"),
    ("cancelled", "cancelled"),
];

/// How long those are that are signs.
const FLAG: usize = 2;

/// An entry of some logs, with the end of its line: what its parts say. `pid` is the number that
/// stands before lines, where one does.
pub fn entry(clock: &dyn Clock, to: &[LogKind], pid: Option<i32>, line: &LogLine) -> Vec<u8> {
    let logs: Vec<String> =
        to.iter().map(|kind| String::from_utf8_lossy(kind.word()).into_owned()).collect();
    let mut object = Map::new();
    object.insert("time".into(), time(clock, clock.now()).into());
    object.insert("logs".into(), logs.into());
    if let Some(pid) = pid {
        object.insert("pid".into(), pid.into());
    }
    tell(line, &mut object);
    let text = super::entry::bounded(line.text());
    object.insert("text".into(), String::from_utf8_lossy(&text).into());
    let mut bytes = Value::Object(object).to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

/// `2026-11-22T23:59:01.250Z`
fn time(clock: &dyn Clock, now: Moment) -> String {
    let day = clock.civil(now, Some("UTC"));
    let (year, month, date) = (day.year, day.month, day.day);
    let (hour, minute, second, millis) = (day.hour, day.minute, day.second, now.nanos / 1_000_000);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Tells what the parts of a line say. Those that stand where no entry has room are left out.
fn tell(line: &LogLine, object: &mut Map<String, Value>) {
    let (mut fields, mut marks, mut recipients) = (Map::new(), Vec::new(), Vec::new());
    let (mut reason, mut last, mut end) = (String::new(), String::new(), 0);
    for (part, bytes) in line.parts() {
        end += bytes.len();
        if end > super::entry::LONGEST {
            break;
        }
        let text = String::from_utf8_lossy(bytes);
        let own = text.strip_prefix(' ').unwrap_or(&text);
        match part {
            LogPart::Id => drop(object.insert("id".into(), text.trim_end().into())),
            LogPart::Event => {
                if let Some((_, event)) = EVENTS.iter().find(|(one, _)| **one == text) {
                    object.insert("event".into(), (*event).into());
                }
                if text.len() == FLAG {
                    object.insert("flag".into(), text.into());
                }
            }
            LogPart::Address => drop(object.insert("address".into(), text.into())),
            LogPart::Original => drop(object.insert("original".into(), plain(own).into())),
            LogPart::Sender => {
                let sender = own.strip_prefix("from ").unwrap_or(own);
                object.insert("sender".into(), plain(sender).into());
            }
            LogPart::Recipient => recipients.push(Value::from(own)),
            LogPart::Field => {
                let (name, value) = own.split_once('=').unwrap_or((own, ""));
                name.clone_into(&mut last);
                fields.insert(last.clone(), unquoted(value).into());
            }
            LogPart::More => {
                if let Some(Value::String(value)) = fields.get_mut(&last) {
                    value.push_str(&text);
                }
            }
            LogPart::What => drop(object.insert("what".into(), own.into())),
            LogPart::Mark => marks.push(Value::from(own)),
            LogPart::Number => {
                let number = text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
                if let Some(number) = number.and_then(|number| number.parse::<i64>().ok()) {
                    object.insert("number".into(), number.into());
                }
            }
            // What the system says stands before what else there is to say.
            LogPart::Reason if reason.is_empty() => {
                reason.push_str(text.strip_prefix(": ").unwrap_or(&text));
            }
            LogPart::Reason => reason.push_str(&text),
            LogPart::Words | LogPart::Closed => {}
        }
    }
    for (name, value) in [
        ("recipients", Value::Array(recipients)),
        ("fields", Value::Object(fields)),
        ("marks", Value::Array(marks)),
        ("reason", Value::String(reason)),
    ] {
        if value != json!({}) && value != json!([]) && value != json!("") {
            object.insert(name.into(), value);
        }
    }
}

/// An address without the brackets around it.
fn plain(text: &str) -> &str {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

/// A value without the quotes around it, and the backslashes before such as are within it.
fn unquoted(value: &str) -> String {
    let within = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let Some(within) = within else { return value.to_owned() };
    let (mut out, mut escaped) = (String::with_capacity(within.len()), false);
    for letter in within.chars() {
        if letter == '\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && !matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
        escaped = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1xVHyR-0000000078V-3z15";

    fn facts(line: &LogLine) -> Value {
        let mut object = Map::new();
        tell(&line.behind(LogPart::Id, format!("{ID} ")), &mut object);
        Value::Object(object)
    }

    #[test]
    fn parts_become_facts() {
        let mut line = LogLine::default();
        line.push(LogPart::Address, "a@me.test");
        line.push(LogPart::Field, " H=(me.test) [127.0.0.1]:50978");
        line.push(LogPart::Field, " U=me R=x");
        line.words(b"I=[127.0.0.1]:25 P=esmtp K L.- S=481 id=E1@me.test");
        line.field("T", "\"a \\\"b\\\" \\\\303\"");
        line.push(LogPart::Sender, " from <a@me.test>");
        line.push(LogPart::Words, " for");
        line.push(LogPart::Recipient, " x@y");
        line.push(LogPart::Recipient, " \"a for b\"@y");
        assert_eq!(
            facts(&line.marked("<=")),
            json!({"id": ID, "event": "received", "flag": "<=", "address": "a@me.test",
                "sender": "a@me.test", "recipients": ["x@y", "\"a for b\"@y"],
                "fields": {"H": "(me.test) [127.0.0.1]:50978", "U": "me R=x",
                    "I": "[127.0.0.1]:25", "P": "esmtp", "S": "481", "id": "E1@me.test",
                    "T": "a \"b\" \\303"},
                "marks": ["K", "L.-"]})
        );
        let mut line = LogLine::default();
        line.push(LogPart::Address, "b R=x T=y <z@y> C=\"q\"");
        line.push(LogPart::Original, " <\"b R=x\"@y.test>");
        line.field("R", "r");
        line.field("ST", "nope2 (Permission denied: T=t)");
        line.field("H", "h.test");
        line.words(b"DS");
        line.push(LogPart::More, " [192.0.2.1]");
        line.push(LogPart::More, "*");
        line.field("C", "\"250 OK id=1\"");
        let fields = json!({"R": "r", "ST": "nope2 (Permission denied: T=t)",
            "H": "h.test [192.0.2.1]*", "C": "250 OK id=1"});
        assert_eq!(
            facts(&line.marked("=>")),
            json!({"id": ID, "event": "delivered", "flag": "=>",
                "address": "b R=x T=y <z@y> C=\"q\"", "original": "\"b R=x\"@y.test",
                "fields": fields, "marks": ["DS"]})
        );
        let mut line = LogLine::default();
        line.push(LogPart::Address, "x@y.test");
        line.push(LogPart::Number, " routing defer (111)");
        line.push(LogPart::Reason, ": Connection refused");
        line.field("H", "h [1.2.3.4]");
        line.push(LogPart::Reason, ": 450 R=é");
        assert_eq!(
            facts(&line.marked("==")),
            json!({"id": ID, "event": "deferred", "flag": "==", "address": "x@y.test",
                "number": 111, "fields": {"H": "h [1.2.3.4]"},
                "reason": "Connection refused: 450 R=é"})
        );
        let mut line = LogLine::default();
        line.push(LogPart::Field, "H=(h) [127.0.0.1]");
        line.words(b"F=<> temporarily");
        line.push(LogPart::Words, " ");
        line.push(LogPart::Event, "rejected");
        line.push(LogPart::What, " RCPT <x@y>");
        line.push(LogPart::Reason, ": no");
        assert_eq!(
            facts(&line),
            json!({"id": ID, "event": "rejected", "what": "RCPT <x@y>", "marks": ["temporarily"],
                "fields": {"H": "(h) [127.0.0.1]", "F": "<>"}, "reason": "no"})
        );
        assert_eq!(facts(&LogLine::of("Completed"))["event"], "completed");
        assert_eq!(facts(&LogLine::of("Frozen")), json!({"id": ID, "event": "frozen"}));
    }

    #[test]
    fn whatever_is_logged_is_one_line_of_json() {
        let odd: [&[u8]; 5] =
            [b"", b" ", b"\xff\n x", b"1xVHyR-0000000078V-3z15 => a", b"1xVHyR <= a T=\"\\"];
        for text in odd {
            let line = LogLine::plain(text);
            let bytes = entry(&crate::clock::SystemClock, &[LogKind::Main], Some(7), &line);
            assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
            let value: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!((&value["logs"], &value["pid"]), (&json!(["main"]), &json!(7)));
            assert_eq!(value["text"], *String::from_utf8_lossy(text));
            assert_eq!(value["id"].is_string(), text.starts_with(ID.as_bytes()));
            // What looks like a fact is none.
            assert!(value["event"].is_null() && value["address"].is_null());
        }
        let mut long = LogLine::of("<=");
        (0..9000).for_each(|_| long.push(LogPart::Recipient, " x@y.test"));
        let bytes = entry(&crate::clock::SystemClock, &[LogKind::Main], None, &long);
        assert!(bytes.len() < 4 * super::super::entry::LONGEST);
    }
}
