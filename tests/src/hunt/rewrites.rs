//! Rules of rewriting, and what they make of envelopes and headers.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const PATTERNS: &[&str] = &[
    "*@a.test",
    "*@b.test",
    "ann@a.test",
    "x*@*.test",
    "*",
    "@a.test",
    "^(.)(.*)@a\\\\.test$",
    "\"^([^@]*)@(.*)\\\\.test\"",
    "\\N^a.*@(\\w+)\\.test$\\N",
    "*@*.c.test",
    "ann@*",
    "*@lsearch;DIR/names",
    "lsearch*@;DIR/names",
    "\"a b\"@a.test",
    "A*@A.TEST",
    "*@+some",
    "!ann@a.test",
    "",
    "a.test",
    "*@",
];

const REPLACEMENTS: &[&str] = &[
    "$1@b.test",
    "$1@c.test",
    "$2@$1.test",
    "new@d.test",
    "${lc:$0}",
    "${local_part:$0}@e.test",
    "${lookup{$1}lsearch{DIR/names}{$value}fail}",
    "${if eq{$1}{ann}{bob@a.test}fail}",
    "\"Name <$0>\"",
    "\"$1 $2 <x@$1.test>\"",
    "\"x y\"",
    "*",
    "$sender_address",
    "${nosuch}",
    "\"\"",
    "x",
    "<>",
    "$h_subject:@b.test",
    "\"\\\"Q R\\\" <q@c.test>\"",
    "a@b@c",
    "x.$0",
    "${extract{1}{.}{$domain}}@b.test",
];

const FLAGS: &[&str] = &[
    "", "", "", "h", "f", "t", "F", "T", "E", "b", "c", "r", "s", "S", "hq", "ER", "hw", "w", "Q",
    "TRq", "hEw", "tcb", "Fs", "x", "R", "q",
];

const NAMES: &str = "ann: bob@b.test
bob: Bob <b@c.test>
a.test: x
b.test: y
carl@a.test: c@d.test
*: star@e.test";

const VALUES: &[&str] = &[
    "ann@a.test",
    "ann@a.test, bob@b.test",
    "Ann A <ann@a.test>",
    "\"Ann, A\"\\s<ann@a.test>\\s(c)",
    "(c) x1@a.test (d), y@x.c.test",
    "group: ann@a.test, carl@a.test;, z@b.test",
    "ann",
    "ANN@A.Test",
    "<ann@a.test>",
    "\"a\\sb\"@a.test",
    "bad@@, ann@a.test",
    "ann@a.test,,bob@b.test",
    "ann@a.test,\\n bob@a.test,\\n\\tcarl@a.test",
    "<@r.test:ann@a.test>",
    "=?utf-8?q?A=e9?= <ann@a.test>",
    "\\xc3\\xa9@a.test",
    "undisclosed-recipients:;",
    "ann@a.test (unclosed",
    "",
    "ann @ a.test",
    "Ann <ann@a.test> tail",
    "\\{12:ann@a.test, }bob@a.test",
];

/// Rules, and addresses or a message.
pub fn make(rng: &mut Rng) -> Quarry {
    match rng.chance(3) {
        true => addresses(rng),
        false => message(rng),
    }
}

fn rule(rng: &mut Rng) -> String {
    format!("{} {} {}", rng.pick(PATTERNS), rng.pick(REPLACEMENTS), rng.pick(FLAGS))
}

fn addresses(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nprimary_hostname = me.test\n\
         keep_environment =\nqualify_domain = a.test\ndomainlist some = *.test\nbegin rewrite",
    );
    for _ in 0..rng.usize(1..5) {
        quarry.loose(rule(rng));
    }
    quarry.fixed(format!("+++ names\n{NAMES}"));
    for _ in 0..rng.usize(1..4) {
        let all = [
            "ann@a.test",
            "x1@b.test",
            "'Ann A <ann@a.test>'",
            "ann",
            "ANN@A.TEST",
            "y@x.c.test",
            "'\"a b\"@a.test'",
            "carl@a.test",
            "''",
            "'bad@@'",
            "'ann@a.test, bob@b.test'",
            "'<>'",
        ];
        quarry.loose(format!("? -brw {}", rng.pick(&all)));
    }
    quarry
}

fn message(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed(
        "+++\nreceived_header_text = Received: by here\nqualify_domain = a.test\n\
         domainlist some = *.test\nlog_selector = +address_rewrite +received_recipients",
    );
    for option in [
        "acl_not_smtp = accept add_header = Reply-To: ann@a.test",
        "acl_smtp_rcpt = accept",
        "untrusted_set_sender = *",
        "local_from_check = false",
        "qualify_domain = b.test",
        "allow_utf8_domains",
        "strip_excess_angle_brackets",
    ] {
        if rng.chance(5) {
            quarry.loose(option);
        }
    }
    quarry.fixed("begin rewrite");
    for _ in 0..rng.usize(1..5) {
        quarry.loose(rule(rng));
    }
    quarry.fixed(format!("+++ names\n{NAMES}"));
    let options =
        rng.pick(&["-t", "-f ann@a.test -t", "-f carl@a.test x@b.test", "-odi -t", "-odq -t"]);
    quarry.fixed(format!("? {options}"));
    quarry.fixed("> To: ann@a.test\\n");
    for _ in 0..rng.usize(1..5) {
        let all = [
            "From",
            "To",
            "Cc",
            "Bcc",
            "Reply-To",
            "Sender",
            "Resent-To",
            "Resent-From",
            "to",
            "X-To",
        ];
        quarry.loose(format!("> {}: {}\\n", rng.pick(&all), rng.pick(VALUES)));
    }
    quarry.fixed("> \\n").fixed("> body\\n");
    quarry
}
