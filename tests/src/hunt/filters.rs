//! Filters of users and of the system, and those that are written in Sieve.

use fastrand::Rng;

use super::texts::text;
use super::{Form, Quarry, sieves};
use crate::dice::Dice;

/// A filter, and sometimes a message.
pub fn make(rng: &mut Rng) -> Quarry {
    if rng.chance(2) {
        return sieves::make(rng);
    }
    let mut quarry = Quarry::new(Form::Filter);
    let sign = rng.pick(&["|", "|", "&"]);
    quarry.fixed(rng.pick(&["?", "?", "? -v"]));
    for _ in 0..rng.usize(1..6) {
        let lines = command(rng, 2);
        let lines: Vec<String> = lines.iter().map(|line| format!("{sign} {line}")).collect();
        quarry.loose(lines.join("\n"));
    }
    if rng.chance(2) {
        for line in ["From: ann@a.test", "To: user@here.test, bob@b.test", "Subject: a test"] {
            if !rng.chance(4) {
                quarry.loose(format!("> {line}"));
            }
        }
        quarry.fixed(">\n> the body");
    }
    quarry
}

fn command(rng: &mut Rng, depth: u32) -> Vec<String> {
    if depth > 0 && rng.chance(2) {
        return conditional(rng, depth - 1);
    }
    let unseen = rng.pick(&["", "", "", "unseen ", "seen ", "noerror "]);
    let word = |rng: &mut Rng| {
        rng.pick(&[
            "a@b.test",
            "user",
            "\"a b\"@c.test",
            "$h_subject:",
            "$local_part-x@d.test",
            "x@",
            "\"$h_from:\"",
            "${if",
            "",
            "\"",
            "/a/file",
            "$home/x",
            "dir/",
            "relative",
        ])
        .to_owned()
    };
    let one = match rng.u32(..14) {
        0 | 1 => format!("{unseen}deliver {}", word(rng)),
        2 => format!("{unseen}deliver {} errors_to {}", word(rng), word(rng)),
        3 | 4 => format!("{unseen}save {}{}", word(rng), rng.pick(&["", " 600", " x", " 0644"])),
        5 => format!(
            "{unseen}pipe \"{} {}\"",
            rng.pick(&["/bin/x", "x", ""]),
            word(rng).replace('"', "")
        ),
        6 => "finish".to_owned(),
        7 => {
            let options = rng.some(0, 4, " ", |rng| {
                let name = rng.pick(&[
                    "to",
                    "subject",
                    "text",
                    "once",
                    "file",
                    "cc",
                    "from",
                    "log",
                    "once_repeat",
                    "reply_to",
                    "bcc",
                    "return",
                    "extra_headers",
                    "expand file",
                ]);
                format!("{name} {}", word(rng))
            });
            format!("{} {options}", rng.pick(&["mail", "vacation"]))
        }
        8 => format!("add {} to n{}", rng.pick(&["1", "-3", "$n1", "x", "2k"]), rng.u32(..11)),
        9 => format!("logwrite \"{}\"", text(rng, 1, &[]).replace('"', "")),
        10 => format!("headers add \"X: {}\"", text(rng, 1, &[]).replace('"', "")),
        11 => format!("headers {} subject", rng.pick(&["remove", "charset", "x"])),
        12 => format!("testprint \"{} <$n1> <$thisaddress>\"", text(rng, 1, &[]).replace('"', "")),
        _ => rng
            .pick(&[
                "fail text \"no\"",
                "freeze",
                "fail",
                "freeze text x",
                "logfile /tmp/l",
                "defer",
                "nosuch",
                "fail text \"<<550 no>> log\"",
                "deliver",
                "save",
                "pipe",
                "if",
                "endif",
                "else",
                "# x",
            ])
            .to_owned(),
    };
    vec![one]
}

fn conditional(rng: &mut Rng, depth: u32) -> Vec<String> {
    let mut lines =
        vec![format!("if {}{}", condition(rng, 2), rng.pick(&[" then", " then", "", " THEN"]))];
    lines.extend(command(rng, depth));
    if rng.chance(3) {
        lines.push(format!("elif {} then", condition(rng, 1)));
        lines.extend(command(rng, depth));
    }
    if rng.chance(2) {
        lines.push("else".to_owned());
        lines.extend(command(rng, depth));
    }
    if !rng.chance(20) {
        lines.push("endif".to_owned());
    }
    lines
}

fn condition(rng: &mut Rng, depth: u32) -> String {
    if depth > 0 && rng.chance(3) {
        let (one, other) = (condition(rng, depth - 1), condition(rng, depth - 1));
        return match rng.u32(..4) {
            0 => format!("not {one}"),
            1 => format!("({one}) or {other}"),
            2 => format!("{one} and ({other})"),
            _ => format!("{one} {} {other}", rng.pick(&["and", "or"])),
        };
    }
    let value = |rng: &mut Rng| {
        rng.pick(&[
            "$h_subject:",
            "a",
            "\"a test\"",
            "$n1",
            "1",
            "2k",
            "$local_part",
            "\"\"",
            "test",
            "$message_size",
            "x*",
            "\"^a (.)\"",
            "$sender_address",
            "${if",
            "A",
        ])
        .to_owned()
    };
    match rng.u32(..11) {
        0..=4 => {
            let name = rng.pick(&[
                "is",
                "contains",
                "begins",
                "ends",
                "matches",
                "above",
                "below",
                "IS",
                "does not contain",
                "is not",
                "does not begin",
                "is not above",
                "CONTAINS",
                "nosuch",
            ]);
            format!("{} {name} {}", value(rng), value(rng))
        }
        5 => rng
            .pick(&["personal", "error_message", "delivered", "first_delivery", "manually_thawed"])
            .to_owned(),
        6 => format!("personal alias {}", value(rng)),
        7 => format!("foranyaddress $h_to: ( $thisaddress contains {} )", value(rng)),
        8 if depth > 0 => {
            let list =
                ["$h_to:", "\"c@d, 2, 3\"", "\"1, x@y, 4\"", "\"$h_to:,$h_from:\"", "\"${if\""];
            let inner = ["$thisaddress above 1", "$thisaddress matches \"$thisaddress(\""];
            let inner = match rng.chance(2) {
                true => rng.pick(&inner).to_owned(),
                false => condition(rng, depth - 1),
            };
            format!("foranyaddress {} ( {inner} )", rng.pick(&list))
        }
        9 => format!("def:{}", rng.pick(&["h_subject:", "n1", "nosuch", "sender_address"])),
        _ => format!("{} is {}", value(rng), value(rng)),
    }
}
