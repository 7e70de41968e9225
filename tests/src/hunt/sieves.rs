//! Filters in Sieve, right and wrong.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const EXTENSIONS: &str = "require [\"fileinto\", \"envelope\", \"vacation\", \
    \"encoded-character\", \"subaddress\", \"comparator-i;ascii-numeric\"];";

const OTHERS: &[&str] = &[
    "",
    "require \"fileinto\";",
    "require [\"envelope\", \"nosuch\"];",
    "require [];",
    "require [\"comparator-i;octet\", \"comparator-i;ascii-casemap\"];",
    "require \"vacation\"; require \"subaddress\";",
    "require [\"fileinto\", \"copy\"];",
    "require \"enotify\";",
];

/// What may stand in place of a string.
const STRINGS: &[&str] = &[
    "\"a test\"",
    "\"TEST\"",
    "\"a\"",
    "\"\"",
    "\"*\"",
    "\"?\"",
    "\"a*t\"",
    "\"\\\\*\"",
    "\"a\\\\?\"",
    "\"bob@b.test\"",
    "\"b.test\"",
    "\"user\"",
    "\"detail\"",
    "\"12\"",
    "\"012x\"",
    "\"\\\"q\\\"\"",
    "\"\u{e9}\"",
    "\"${hex:61}\"",
    "\"${hex:24 7b}\"",
    "\"${unicode:e9 20}\"",
    "\"${unicode:d800}\"",
    "\"${hex: 4 1}$${hex:24}\"",
    "\"${hex:414}${unicode:41,42}\"",
    "\"${unicode:0000041}${HEX:41}\"",
    "\"${hex:}${hex:41\"",
    "\"**a?\"",
    "\"\\\n\"",
    "\"Ann\"",
    "\"another\none\"",
    "text:\n.\n",
    "text:\t# x\n\n..x\n.x\n.\n",
    "text:\nline one\n..\n.\n",
    "text: # why\na\n.\n",
    "nothing",
    "12",
    "\"open",
];

const HEADERS: &[&str] = &[
    "\"subject\"",
    "\"Subject\"",
    "\"to\"",
    "\"from\"",
    "\"x-number\"",
    "\"x-encoded\"",
    "\"nosuch\"",
    "\"\"",
    "\"a b\"",
    "\"subject:\"",
    "\"received\"",
    "\"list-id\"",
    "\"cc\"",
    "\"sender\"",
    "\"x-empty\"",
    "\"auto-submitted\"",
];

/// How many bytes, or days.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "3",
    "10",
    "08",
    "1K",
    "1k",
    "100",
    "155",
    "2G",
    "9G",
    "99999999999",
    "18446744073709551615",
    "18446744073709551616",
    "17179869183G",
    "17179869184G",
    "1x",
    "1 K",
    "-1",
    "",
];

/// What may stand between two words.
const BLANKS: &[&str] = &[" ", " ", " ", " ", "\n", "\t", "", " /* c */ ", " # c\n", " /* c "];

/// A filter, and a message.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Filter);
    let asked = ["? -v", "? -v", "?", "? -v -bfs -detail", "? -v -bfl bob", "? -v -bfp user-"];
    let senders =
        ["", "", "", " -f <>", " -f user@here.test", " -f owner-x@a.test", " -f a+d@b.test"];
    quarry.fixed(format!("{}{}", rng.pick(&asked), rng.pick(&senders)));
    quarry.fixed("| $ # Sieve filter");
    let head = if rng.chance(4) { rng.pick(OTHERS) } else { EXTENSIONS };
    quarry.loose(lines(head));
    for _ in 0..rng.usize(1..6) {
        let text = command(rng, 2);
        quarry.loose(lines(&slipped(rng, text)));
    }
    for line in [
        "From: Ann <ann@a.test>",
        "To: user@here.test, \"B, C\" <bob+detail@b.test>, group: x@y.test;",
        "Cc: user-detail@here.test (why)",
        "Sender: \"q\\\"x\"@z.test",
        "X-Empty:",
        "Subject: a test",
        "Subject:  another\n>  one ",
        "X-Number: 012",
        "X-Encoded: =?utf-8?q?=C3=A9_a?= =?iso-8859-1?b?6Q==?= b",
        "List-Id: <x>",
        "Auto-Submitted: no",
        "Precedence: first-class",
    ] {
        if !rng.chance(3) {
            quarry.loose(format!("> {line}"));
        }
    }
    quarry.fixed(">\n> the body");
    quarry
}

/// Each line of a text with the sign of a user's filter.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| format!("| {line}")).collect();
    lines.join("\n")
}

/// Now and then, something slips.
fn slipped(rng: &mut Rng, text: String) -> String {
    if !rng.chance(12) {
        return text;
    }
    let place = rng.usize(..=text.chars().count());
    let head: String = text.chars().take(place).collect();
    let rest = text.chars().skip(place);
    let slip = rng.pick(&["", ";", "\"", "{", "}", "(", "]", ",", ":", " # x\n", "/* c */", "/*"]);
    match rng.bool() {
        true => format!("{head}{slip}{}", rest.collect::<String>()),
        false => format!("{head}{slip}{}", rest.skip(1).collect::<String>()),
    }
}

fn list(rng: &mut Rng, from: &[&str]) -> String {
    match rng.u32(..4) {
        0 => format!("[{}]", rng.some(0, 3, ", ", |rng| rng.pick(from).to_owned())),
        1 if rng.chance(3) => {
            let around = |rng: &mut Rng| rng.pick(BLANKS).to_owned();
            let one = |rng: &mut Rng| format!("{}{}{}", around(rng), rng.pick(from), around(rng));
            format!("[{}]", rng.some(0, 3, ",", one))
        }
        _ => rng.pick(from).to_owned(),
    }
}

fn command(rng: &mut Rng, depth: u32) -> String {
    if depth > 0 && rng.chance(2) {
        let block = |rng: &mut Rng| {
            let inner = rng.some(0, 2, " ", |rng| command(rng, depth - 1));
            format!("{{ {inner} }}")
        };
        let mut text = format!("if {} {}", test(rng, 2), block(rng));
        if rng.chance(3) {
            text.push_str(&format!("\nelsif {} {}", test(rng, 1), block(rng)));
        }
        if rng.chance(3) {
            text.push_str(&format!(" else {}", block(rng)));
        }
        return text;
    }
    match rng.u32(..10) {
        0 => rng.pick(&["keep;", "KEEP ;", "keep /* c */;", "keep # c\n;"]).to_owned(),
        1 => rng.pick(&["discard;", "stop;", "stop", "discard", ";", "nosuch;"]).to_owned(),
        2 | 3 => {
            let address = ["\"a@b.test\"", "\"a\"", "\"a b\"", "\"<a@b.test>\"", "\"A@B.test\""];
            format!("redirect {}{};", rng.pick(&["", ":copy ", ":x "]), list(rng, &address))
        }
        4 | 5 => {
            let folder =
                ["\"inbox\"", "\"INBOX\"", "\"a/b\"", "\"../x\"", "\"\"", "\"/a\"", "\"a\""];
            format!("fileinto {}{};", rng.pick(&["", ":copy "]), list(rng, &folder))
        }
        6 | 7 => {
            let options = rng.some(0, 3, " ", |rng| {
                if rng.chance(4) {
                    return format!(":days {}", rng.pick(NUMBERS));
                }
                rng.pick(&[
                    ":subject \"a\nb\"",
                    ":from \"A <user@here.test>\"",
                    ":from \"a@b, c@d\"",
                    ":addresses []",
                    ":addresses",
                    ":subject \"away $x\"",
                    ":subject \"\u{e9}\"",
                    ":from \"user@here.test\"",
                    ":from \"x\"",
                    ":addresses [\"bob@b.test\"]",
                    ":addresses \"bob+detail@b.test\"",
                    ":mime",
                    ":handle \"h\"",
                    ":nosuch",
                ])
                .to_owned()
            });
            format!("vacation {options} {};", rng.pick(STRINGS))
        }
        8 => {
            let options = rng.some(0, 2, " ", |rng| {
                rng.pick(&[":from \"user@here.test\"", ":importance \"1\"", ":message \"hi\""])
                    .to_owned()
            });
            let how = ["\"mailto:a@b.test\"", "\"mailto:a@b.test?subject=x%20y\"", "\"xmpp:a\""];
            format!("notify {options} {};", rng.pick(&how))
        }
        _ => rng.pick(&["require \"fileinto\";", "keep keep;", "else { keep; }"]).to_owned(),
    }
}

fn test(rng: &mut Rng, depth: u32) -> String {
    if depth > 0 && rng.chance(3) {
        let parts = |rng: &mut Rng| rng.some(0, 3, ", ", |rng| test(rng, depth - 1));
        return match rng.u32(..4) {
            0 => format!("not {}", test(rng, depth - 1)),
            1 => format!("allof ({})", parts(rng)),
            2 => format!("anyof({})", parts(rng)),
            _ => format!("not not {}", test(rng, depth - 1)),
        };
    }
    let tags = |rng: &mut Rng, part: bool| {
        rng.some(0, 2, " ", |rng| {
            let comparators = [
                ":comparator \"i;octet\"",
                ":comparator \"i;ascii-casemap\"",
                ":comparator \"en;ascii-casemap\"",
                ":comparator \"i;ascii-numeric\"",
                ":comparator \"nosuch\"",
            ];
            match rng.u32(..3) {
                0 => rng.pick(&[":is", ":contains", ":matches", ":IS", ":nosuch"]).to_owned(),
                1 if part => {
                    rng.pick(&[":all", ":localpart", ":domain", ":user", ":detail"]).to_owned()
                }
                _ => rng.pick(&comparators).to_owned(),
            }
        })
    };
    match rng.u32(..9) {
        0 | 1 => {
            format!("header {} {} {}", tags(rng, false), list(rng, HEADERS), { list(rng, STRINGS) })
        }
        2 | 3 => {
            format!("address {} {} {}", tags(rng, true), list(rng, HEADERS), { list(rng, STRINGS) })
        }
        4 => {
            let parts = ["\"from\"", "\"to\"", "\"FROM\"", "\"auth\"", "\"nosuch\""];
            format!("envelope {} {} {}", tags(rng, true), list(rng, &parts), list(rng, STRINGS))
        }
        5 => format!("exists {}", list(rng, HEADERS)),
        6 => format!("size {} {}", rng.pick(&[":over", ":under", ":OVER", ""]), rng.pick(NUMBERS)),
        7 => rng
            .pick(&["true", "false", "TRUE", "nosuch", "valid_notify_method \"mailto:a\""])
            .to_owned(),
        _ => "valid_notify_method [\"mailto:a@b.test\", \"x\"]".to_owned(),
    }
}
