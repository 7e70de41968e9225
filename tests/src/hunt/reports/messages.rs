//! The messages, what is asked of them, and what becomes of them.

use fastrand::Rng;

use crate::dice::Dice;
use crate::hunt::Quarry;

/// What MAIL may have.
const MAIL: &[&str] = &[
    "RET=FULL",
    "RET=HDRS",
    "ret=full",
    "Ret=Hdrs",
    "RET=",
    "RET=BODY",
    "RET",
    "RET=FULL,HDRS",
    "ENVID=abc",
    "ENVID=QQ314159",
    "envid=a+2Bb+3Dc",
    "ENVID=a+0Ab",
    "ENVID=a+2",
    "ENVID=+zz",
    "ENVID=a=b",
    "ENVID=",
    "ENVID",
    "ENVID=<x>",
    "ENVID=\"x\"",
    "ENVID=\\xe9",
    "ENVID=\\{90:x}",
    "SIZE=100",
    "SIZE=100000000",
    "BODY=8BITMIME",
    "BODY=7BIT",
    "AUTH=<>",
    "AUTH=a+2Bb",
    "PRDR",
    "FOO=BAR",
];

/// What RCPT may have beside NOTIFY.
const ORIGINALS: &[&str] = &[
    "ORCPT=rfc822;a@b.test",
    "orcpt=RFC822;a+2Bb@b.test",
    "ORCPT=rfc822;a+0Ab@b.test",
    "ORCPT=utf-8;\\xc3\\xa9@b.test",
    "ORCPT=utf-8;\\\\x{E9}@b.test",
    "ORCPT=rfc822;",
    "ORCPT=;",
    "ORCPT=",
    "ORCPT",
    "ORCPT=junk",
    "ORCPT=rfc822;a=b@x",
    "ORCPT=x400;+2FC+3Dus+2F",
    "ORCPT=rfc822;a+b",
    "ORCPT=rfc822;\"a\"@b.test",
    "ORCPT=rfc822;\\{90:x}@b.test",
    "ORCPT=rfc822;a@b.test ORCPT=rfc822;c@d.test",
    "ORCPT=a ORCPT=a",
];

/// What to hear of; those of one line agree on failures and delays.
const NOTIFY: [&[&str]; 4] = [
    &[
        "",
        "",
        "NOTIFY=SUCCESS,FAILURE,DELAY",
        "NOTIFY=failure,delay",
        "Notify=Delay,Failure,Success",
    ],
    &["NOTIFY=NEVER", "NOTIFY=SUCCESS", "notify=never", "NOTIFY=success"],
    &["NOTIFY=FAILURE", "NOTIFY=SUCCESS,FAILURE", "NOTIFY=failure,success", "NOTIFY=FAILURE,"],
    &["NOTIFY=DELAY", "NOTIFY=DELAY,SUCCESS", "NOTIFY=delay,delay"],
];

/// What is refused.
const WRONG: &[&str] = &[
    "NOTIFY=",
    "NOTIFY",
    "NOTIFY=x",
    "NOTIFY=NEVER,SUCCESS",
    "NOTIFY=SUCCESS,NEVER",
    "NOTIFY=SUCCESS,,DELAY",
    "NOTIFY=,SUCCESS",
    "NOTIFY=SUCCESS,X",
    "NOTIFY=SUCCESS NOTIFY=SUCCESS",
    "NOTIFY=NEVER NOTIFY=FAILURE",
    "NOTIFY=SUCCESS;FAILURE",
    "NOTIFY=\"SUCCESS\"",
    "FOO=BAR",
    "FOO=BAR NOTIFY=SUCCESS",
    "RET=FULL",
];

/// Who may get a message.
const RECIPIENTS: &[&str] = &[
    "no@l.test",
    "no2@l.test",
    "No@L.Test",
    "later@l.test",
    "later2@l.test",
    "box@l.test",
    "box2@l.test",
    "one@l.test",
    "many@l.test",
    "seen@l.test",
    "u1@l.test",
    "pipe@l.test",
    "gone@l.test",
    "full@l.test",
    "auto@l.test",
    "a@x.test",
    "b@x.test",
    "no@x.test",
    "later@x.test",
    "a@y.test",
    "no@y.test",
    "a@z.test",
    "a@lm.test",
    "no@lm.test",
    "\"a b\"@x.test",
    "\"no b\"@l.test",
    "no+x@x.test",
];

/// Who may get one beyond ASCII. (What is converted for a host has another name in Exim's log.)
const ABROAD: &[&str] =
    &["n\\xc3\\xb6@l.test", "n\\xc3\\xa9\\xc3\\xa9@l.test", "\\xc3\\xb6@l.test"];

const SENDERS: &[&str] = &[
    "s@l.test",
    "s@l.test",
    "s@l.test",
    "s@l.test",
    "s@x.test",
    "no@l.test",
    "later@l.test",
    "no@x.test",
    "",
    "\"a b\"@l.test",
    "S@L.Test",
];

const HEADERS: &[&str] = &[
    "Subject: x",
    "Subject: \\xc3\\xa9t\\xc3\\xa9",
    "Subject: \\xe9t\\xe9",
    "Subject: folded\\r\\n\\tand more",
    "Subject:",
    "SUBJECT : a b\\s\\s",
    "Subject: =?utf-8?Q?=C3=A9t=C3=A9?=",
    "Message-ID: <m1@s.test>",
    "Message-Id: <m\\xc3\\xa9@s.test>",
    "Message-ID: (c) <m2@s.test>",
    "Message-ID: none",
    "References: <r1@s.test> <r2@s.test>",
    "References: \\{20:<rrr@s.test>\\r\\n }",
    "In-Reply-To: <i1@s.test>",
    "Resent-Message-ID: <rm@s.test>",
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: no",
    "Precedence: bulk",
    "Return-Path: <other@s.test>",
    "X-Failed-Recipients: q@q.test",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "From: s@l.test",
    "From: \\xc3\\x84 <s@l.test>",
    "To: a@x.test, no@l.test",
    "Bcc: hidden@l.test",
    "X-A: a\\r\\n b\\r\\n c",
    "X-A: \\{100:long }",
    "Date: Thu, 26 Nov 2026 12:00:00 +0000",
    "Date: yesterday",
    "DKIM-Signature: v=1",
    "Received: from there",
    "List-Id: <l.test>",
];

const BODIES: &[&str] = &[
    "body\\r\\n",
    "\\xc3\\xa9 body\\r\\n",
    "\\xe9 body\\r\\n",
    "--x\\r\\nlike a part\\r\\n--x--\\r\\n",
    "From here\\r\\n",
    "..\\r\\n",
    "\\r\\n",
    "\\{300:long }\\r\\n",
    "\\{40:line of it\\r\\n}",
    "\\{1100:y}\\r\\n",
    "-- \\r\\n",
    "no end",
];

/// What next hosts say.
const ANSWERS: &[&str] = &[
    "ext=DSN,PIPELINING",
    "ext=DSN,PIPELINING",
    "ext=DSN",
    "ext=",
    "ext=PIPELINING,SMTPUTF8,8BITMIME,DSN",
    "ext=8BITMIME,SIZE 100,DSN",
    "ext=DSN,CHUNKING,PIPELINING",
    "ext=SMTPUTF8",
    "rcpt:no=550 5.1.1 no such user",
    "rcpt:no=550-5.1.1 first line|550-5.1.1 second: with a colon far from the left|550 5.1.1",
    "rcpt:no=550 \u{e9}: a line that is as long as that, and goes on: for a while: until it has \
     come to an end that is far away, so that nobody reads it, but for those who have a lot of \
     time, and for programs: which may cut it where they like: or not at all, as it were",
    "rcpt:no=550 gr\u{fc}\u{df}e",
    "rcpt:no=550",
    "rcpt:no=551 user not local; try <a@b.test>",
    "rcpt:later=450 4.2.1 later",
    "rcpt:later=452-4.2.2 full|452 4.2.2 really",
    "rcpt:@=550 nobody here",
    "rcpt:@=450 nobody for now",
    "mail=550 5.7.1 not from you",
    "mail=450 later",
    "mail=501 ENVID?",
    "data=554 no",
    "data=450 no",
    "end=550 5.6.0 bad content",
    "end=554-spam|554 see http://x.test/?a=b:c",
    "end=451 later",
    "end=250 A%550 B%450 C",
    "banner=554 go away",
    "banner=421 busy|close",
    "banner=close",
    "ehlo=550 no",
];

/// For how long messages wait, in seconds.
const AGES: [u32; 7] = [1, 305, 3700, 7300, 12_000, 24_000, 500_000];

pub(super) fn make(rng: &mut Rng, quarry: &mut Quarry) {
    let how = rng.pick(&["-odi", "-odi", "-odq"]);
    let sender = rng.pick(SENDERS);
    match rng.chance(5) {
        true => handed_in(rng, quarry, how, sender),
        false => session(rng, quarry, how, sender),
    }
    for host in ["", "", "127.0.0.2 "] {
        if rng.chance(2) {
            quarry.loose(answer(rng, host));
        }
    }
    for run in 0..rng.usize(..4) {
        if run > 0 && rng.chance(3) {
            let host = rng.pick(&["", "127.0.0.2 "]);
            quarry.loose(answer(rng, host));
        }
        let age = match rng.chance(2) {
            true => format!("age={} ", AGES[rng.usize(..AGES.len())]),
            false => String::new(),
        };
        let runs = ["-q", "-q", "-qf", "-qff", "-qff", "-Mg ID", "-M ID", "-Mf ID"];
        quarry.loose(format!("@ {age}{}", rng.pick(&runs)));
    }
    quarry.loose("@ -bp");
}

fn answer(rng: &mut Rng, host: &str) -> String {
    format!("~ {host}{}", rng.pick(ANSWERS))
}

/// A program's message.
fn handed_in(rng: &mut Rng, quarry: &mut Quarry, how: &str, sender: &str) {
    let recipients =
        rng.some(1, 3, " ", |rng| rng.pick(&RECIPIENTS[..RECIPIENTS.len() - 3]).to_owned());
    let sender = match sender {
        "" => "<>",
        sender if sender.contains(' ') => "s@l.test",
        sender => sender,
    };
    quarry.fixed(format!("? {how} -f {sender} {recipients}"));
    text(rng, quarry, "\\n");
}

/// A client's message.
fn session(rng: &mut Rng, quarry: &mut Quarry, how: &str, sender: &str) {
    let host = rng.pick(&["", "", "", "-oMa 192.0.2.1 "]);
    quarry.fixed(format!("? {host}{how} -bs"));
    quarry.fixed("> EHLO c.test\\r\\n");
    let is_abroad = rng.chance(5);
    let utf8 = if is_abroad { " SMTPUTF8" } else { "" };
    let asked = match rng.chance(3) {
        true => String::new(),
        false => rng.some(1, 3, "", |rng| format!(" {}", rng.pick(MAIL))),
    };
    let abroad_sender = is_abroad && rng.chance(3);
    let sender = if abroad_sender { "s\\xc3\\xb6@l.test" } else { sender };
    quarry.loose(format!("> MAIL FROM:<{sender}>{utf8}{asked}\\r\\n"));
    // Where that was refused.
    quarry.loose(format!("> MAIL FROM:<{sender}>{utf8}\\r\\n"));
    let sort = if rng.chance(2) { 0 } else { rng.usize(..NOTIFY.len()) };
    let most = if sort == 0 { 4 } else { 1 };
    for _ in 0..rng.usize(1..=most) {
        let recipient = match is_abroad && rng.chance(2) {
            true => rng.pick(ABROAD),
            false => rng.pick(RECIPIENTS),
        };
        let mut notify = rng.pick(NOTIFY[sort]);
        // Nobody would hear of it.
        if sender.is_empty() && notify.to_ascii_uppercase().contains("SUCCESS") {
            notify = "";
        }
        if rng.chance(8) {
            quarry.loose(format!("> RCPT TO:<{recipient}> {}\\r\\n", rng.pick(WRONG)));
        }
        let original = if rng.chance(3) { rng.pick(ORIGINALS) } else { "" };
        let words = match rng.chance(4) {
            true => [original, notify],
            false => [notify, original],
        };
        let words: String =
            words.iter().filter(|word| !word.is_empty()).map(|word| format!(" {word}")).collect();
        quarry.loose(format!("> RCPT TO:<{recipient}>{words}\\r\\n"));
    }
    quarry.loose("> DATA\\r\\n");
    text(rng, quarry, "\\r\\n");
    quarry.fixed("> \\r\\n.\\r\\nQUIT\\r\\n");
}

/// The message itself, with lines that end in this way.
fn text(rng: &mut Rng, quarry: &mut Quarry, end: &str) {
    for _ in 0..rng.usize(..6) {
        let line = rng.pick(HEADERS).replace("\\r\\n", end);
        quarry.loose(format!("> {line}{end}"));
    }
    quarry.fixed(format!("> {end}"));
    for _ in 0..rng.usize(..3) {
        let line = rng.pick(BODIES).replace("\\r\\n", end);
        quarry.loose(format!("> {line}"));
    }
}
