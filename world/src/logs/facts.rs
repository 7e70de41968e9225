//! Entries as objects of JSON: the facts of a line, each by its name.

use eximious_core::world::spool::is_message_id;
use eximious_core::world::{Clock, Moment};
use serde_json::{Map, Value, json};

use super::names::LogKind;

/// What stands behind a message's name, and what it tells.
const EVENTS: [(&str, &str); 8] = [
    ("<=", "received"),
    ("(=", "received"),
    ("=>", "delivered"),
    ("->", "delivered"),
    (">>", "cutthrough"),
    ("*>", "suppressed"),
    ("==", "deferred"),
    ("**", "failed"),
];

/// Words that stand alone among the fields.
const MARKS: [&str; 9] = ["K", "K*", "L", "L-", "L*", "L.", "PRDR", "TFO", "TFO*"];

/// An entry of some logs, with the end of its line.
pub fn entry(clock: &dyn Clock, to: &[LogKind], line: &[u8]) -> Vec<u8> {
    let logs: Vec<String> =
        to.iter().map(|kind| String::from_utf8_lossy(kind.word()).into_owned()).collect();
    let mut object = Map::new();
    object.insert("time".into(), time(clock, clock.now()).into());
    object.insert("logs".into(), logs.into());
    let text = String::from_utf8_lossy(line);
    read(&text, &mut object);
    object.insert("text".into(), text.into());
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

/// Reads the facts of a line.
fn read(line: &str, object: &mut Map<String, Value>) {
    let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
    if !is_message_id(id.as_bytes()) {
        return;
    }
    object.insert("id".into(), id.into());
    if rest == "Completed" || rest.starts_with("Completed ") {
        object.insert("event".into(), "completed".into());
        return;
    }
    let (flag, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let Some((_, event)) = EVENTS.iter().find(|(one, _)| *one == flag) else { return };
    object.insert("event".into(), (*event).into());
    object.insert("flag".into(), flag.into());
    let (address, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    object.insert("address".into(), address.strip_suffix(':').unwrap_or(address).into());
    if address.ends_with(':') {
        object.insert("reason".into(), rest.into());
        return;
    }
    read_fields(rest, object);
}

/// Reads what stands behind the address.
fn read_fields(mut rest: &str, object: &mut Map<String, Value>) {
    let (mut fields, mut marks) = (Map::new(), Vec::new());
    loop {
        rest = rest.trim_start_matches(' ');
        let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        if word.is_empty() {
            break;
        }
        if let Some(value) =
            rest.strip_prefix(word_key(word)).filter(|_| !word_key(word).is_empty())
        {
            let key = word_key(word).trim_end_matches('=').to_owned();
            let (value, behind) = value_of(&key, value);
            fields.insert(key, value.into());
            rest = behind;
        } else if MARKS.contains(&word) {
            marks.push(Value::from(word));
            rest = behind;
        } else if let Some(address) = word.strip_prefix('<').and_then(|one| one.strip_suffix('>')) {
            object.insert("original".into(), address.into());
            rest = behind;
        } else if word == "for" {
            let all: Vec<&str> = behind.split(' ').filter(|one| !one.is_empty()).collect();
            object.insert("recipients".into(), json!(all));
            break;
        } else {
            object.insert("reason".into(), rest.trim_start_matches(": ").into());
            break;
        }
    }
    for (name, value) in [("fields", Value::Object(fields)), ("marks", Value::Array(marks))] {
        if value != json!({}) && value != json!([]) {
            object.insert(name.into(), value);
        }
    }
}

/// `H=`, where a word begins a field; nothing otherwise.
fn word_key(word: &str) -> &str {
    let end = word.find('=').map_or(0, |at| at + 1);
    let (key, _) = word.split_at(end);
    let is_key = key.len() > 1
        && key.len() <= 16
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*=_".contains(&byte));
    if is_key { key } else { "" }
}

/// A field's value, and what stands behind it.
fn value_of<'l>(key: &str, text: &'l str) -> (String, &'l str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let (mut value, mut escaped) = (String::new(), false);
        for (at, letter) in quoted.char_indices() {
            match letter {
                '"' if !escaped => return (value, &quoted[at + 1..]),
                '\\' if !escaped => escaped = true,
                letter => {
                    if escaped && !matches!(letter, '"' | '\\') {
                        value.push('\\');
                    }
                    value.push(letter);
                    escaped = false;
                }
            }
        }
        return (value, "");
    }
    // A host's name may be followed by what it calls itself, and its address.
    let mut end = text.find(' ').unwrap_or(text.len());
    while key == "H" && (text[end..].starts_with(" (") || text[end..].starts_with(" [")) {
        end = text[end + 1..].find(' ').map_or(text.len(), |more| end + 1 + more);
    }
    (text[..end].trim_end_matches(':').to_owned(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(line: &str) -> Value {
        let mut object = Map::new();
        read(line, &mut object);
        Value::Object(object)
    }

    #[test]
    fn lines_become_facts() {
        const ID: &str = "1xVHyR-0000000078V-3z15";
        let line = |rest: &str| facts(&format!("{ID} {rest}"));
        let received = line(
            "<= a@me.test H=(me.test) [127.0.0.1]:50978 I=[127.0.0.1]:25 P=esmtp K S=481 \
             id=E1@me.test T=\"a \\\"b\\\" \\\\303\" for x@y z@y",
        );
        assert_eq!(
            received,
            json!({"id": ID, "event": "received", "flag": "<=", "address": "a@me.test",
                "recipients": ["x@y", "z@y"],
                "fields": {"H": "(me.test) [127.0.0.1]:50978", "I": "[127.0.0.1]:25", "P": "esmtp",
                    "S": "481", "id": "E1@me.test", "T": "a \"b\" \\303"},
                "marks": ["K"]})
        );
        let delivered =
            line("=> x <x@y.test> R=r T=t H=h.test [192.0.2.1] C=\"250 OK id=1\" DT=1s");
        assert_eq!(delivered["original"], "x@y.test");
        let fields = json!({"R": "r", "T": "t", "H": "h.test [192.0.2.1]", "C": "250 OK id=1",
            "DT": "1s"});
        assert_eq!(delivered["fields"], fields);
        let deferred = line("== x@y.test R=r T=t defer (-53): retry time not reached");
        assert_eq!(deferred["reason"], "defer (-53): retry time not reached");
        assert_eq!(deferred["fields"], json!({"R": "r", "T": "t"}));
        assert_eq!(line("** x@y.test: no such user: there")["reason"], "no such user: there");
        assert_eq!(line("Completed QT=1s")["event"], "completed");
        assert_eq!(line("Frozen"), json!({"id": ID}));
        assert_eq!(facts("Start queue run: pid=1"), json!({}));
        let failed = line("** x@y R=r T=t H=h [1.2.3.4]: SMTP error: 550 é");
        assert_eq!(failed["fields"]["H"], "h [1.2.3.4]");
        assert_eq!(failed["reason"], "SMTP error: 550 é");
    }

    #[test]
    fn whatever_is_logged_is_one_line_of_json() {
        let odd: [&[u8]; 6] = [
            b"",
            b" ",
            b"\xff\n x",
            b"1xVHyR-0000000078V-3z15 => ",
            b"1xVHyR-0000000078V-3z15 => a H= (",
            b"1xVHyR-0000000078V-3z15 <= a T=\"\\",
        ];
        for line in odd {
            let bytes = entry(&crate::clock::SystemClock, &[LogKind::Main], line);
            assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
            let value: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(value["logs"], json!(["main"]));
            assert_eq!(value["text"], *String::from_utf8_lossy(line));
        }
    }
}
