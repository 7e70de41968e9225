//! What clients of such a site say.

use fastrand::Rng;

use super::super::Quarry;
use crate::dice::Dice;

const SENDERS: &[&str] = &[
    "s@l.test",
    "s@l.test",
    "s@l.test",
    "",
    "a@x.test",
    "f1@x.test",
    "a@y.test",
    "d1@z.test",
    "a@v.test",
    "gone@l.test",
    "one@x.test",
    "later@y.test",
    "a@nowhere.test",
    "a@own.test",
    "a@w.test",
];

const RECIPIENTS: &[&str] = &[
    "a@x.test",
    "a@x.test",
    "b@x.test",
    "f1@x.test",
    "f2@x.test",
    "d1@x.test",
    "a@y.test",
    "f1@y.test",
    "a@z.test",
    "d1@z.test",
    "a@u.test",
    "a@v.test",
    "a@w.test",
    "f1@w.test",
    "one@x.test",
    "bad@y.test",
    "gone@x.test",
    "later@x.test",
    "a@own.test",
    "f1@own.test",
    "a@lm.test",
    "d1@lm.test",
    "pre-a+b@x.test",
    "A@X.test",
    "\\\"a b\\\"@x.test",
    "x@nowhere.test",
    "postmaster@x.test",
    "nobody@x.test",
];

/// Those of messages that go by way of the spool.
const HERE: &[&str] = &["a@l.test", "two@x.test", "a@sock.test", "gone@l.test"];

const FROM: &[&str] = &[
    "a@x.test",
    "f1@x.test",
    "a@y.test",
    "d1@z.test",
    "gone@x.test",
    "A <a@x.test>, f1@y.test",
    "nowhere@nowhere.test",
];

/// The first session, whose text comes again in those that follow.
pub(super) fn make(rng: &mut Rng, quarry: &mut Quarry, cuts: bool) {
    quarry.fixed(format!("? {}", called(rng, cuts)));
    quarry.fixed(format!("> {} c.test\\r\\n", rng.pick(&["EHLO", "EHLO", "EHLO", "HELO"])));
    for _ in 0..rng.usize(1..4) {
        let sender = rng.pick(SENDERS);
        let said = rng.pick(&["", "", "", "", " SIZE=50", " BODY=8BITMIME"]);
        let mut text = format!("> MAIL FROM:<{sender}>{said}\\r\\n");
        let first = recipient(rng, cuts);
        text += &format!("\n> RCPT TO:<{first}>\\r\\n");
        quarry.loose(text);
        for _ in 0..rng.usize(..4) {
            let next = match rng.chance(4) {
                true => first,
                false => recipient(rng, cuts),
            };
            quarry.loose(format!("> RCPT TO:<{next}>\\r\\n"));
        }
        if rng.chance(8) {
            let between = ["NOOP", "RSET", "VRFY a@x.test", "VRFY gone@x.test", "EXPN one@x.test"];
            quarry.loose(format!("> {}\\r\\n", rng.pick(&between)));
        }
        message(rng, quarry, cuts);
    }
    quarry.loose("> QUIT\\r\\n");
}

fn recipient(rng: &mut Rng, cuts: bool) -> &'static str {
    match !cuts && rng.chance(4) {
        true => rng.pick(HERE),
        false => rng.pick(RECIPIENTS),
    }
}

/// What is said of a message, or that there is none.
fn message(rng: &mut Rng, quarry: &mut Quarry, cuts: bool) {
    let from = rng.pick(FROM);
    let text = match rng.u32(..6) {
        0 => format!("From: {from}\r\n\r\n"),
        1 => format!("From: {from}\r\nSubject: x\r\n\r\nbody\r\n..dot\r\n"),
        2 => format!("Reply-To: <a@y.test>\r\nFrom: {from}\r\n\r\n{}", "more\r\n".repeat(30)),
        _ => format!("From: {from}\r\nSubject: x\r\n\r\nbody\r\n"),
    };
    let escaped = |text: &str| text.replace('\r', "\\r").replace('\n', "\\n");
    let goes = if cuts { 0 } else { rng.u32(..3) };
    match (goes, rng.u32(..8)) {
        (1, _) => {}
        (_, 0) => {
            quarry.loose("> RSET\\r\\n");
        }
        (_, 1) => {
            quarry.loose(format!("> BDAT {} LAST\\r\\n{}", text.len(), escaped(&text)));
        }
        (_, 2) => {
            let at = text.len() / 2;
            let (head, tail) = text.split_at(at);
            quarry.loose(format!("> BDAT {}\\r\\n{}", head.len(), escaped(head)));
            quarry.loose(format!("> BDAT {} LAST\\r\\n{}", tail.len(), escaped(tail)));
        }
        _ => {
            quarry.loose(format!("> DATA\\r\\n{}.\\r\\n", escaped(&text)));
        }
    }
}

/// How the program is called.
fn called(rng: &mut Rng, cuts: bool) -> String {
    let host = rng.pick(&["-oMa 192.0.2.1 ", "-oMa 192.0.2.1 ", ""]);
    match rng.u32(..8) {
        0 if !cuts => "-bhc 192.0.2.1".to_owned(),
        1 | 2 => format!("{host}-odi -bs"),
        _ => format!("{host}-odq -bs"),
    }
}

/// Another session, or time that goes by.
pub(super) fn again(rng: &mut Rng, expires: bool) -> &'static str {
    match rng.u32(..12) {
        _ if expires => "@ wait=5 -oMa 192.0.2.1 -odq -bs",
        1 => "@ -bhc 192.0.2.1",
        2 => "@ -oMa 192.0.2.9 -odi -bs",
        3 => "@ -qf",
        _ => "@ -oMa 192.0.2.1 -odq -bs",
    }
}
