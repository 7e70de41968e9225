//! Addresses, as they may be written and as they may not.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const HEAD: &str = "+++ exim.conf
spool_directory = DIR/spool
primary_hostname = me.test
qualify_domain = a.test
keep_environment =";

const TAIL: &str = "begin routers
local:
  driver = accept
  domains = a.test : b.test : [192.0.2.1]
  debug_print = <$local_part> <$domain>
  transport = t
begin transports
t:
  driver = appendfile
  file = /dev/null
begin rewrite";

/// Addresses, each on a line.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(HEAD);
    for option in [
        "allow_domain_literals",
        "strip_trailing_dot",
        "strip_excess_angle_brackets",
        "allow_utf8_domains",
        "extract_addresses_remove_arguments = no",
    ] {
        if rng.chance(4) {
            quarry.loose(option);
        }
    }
    quarry.fixed(TAIL);
    for rule in ["*@old.test $1@a.test", "^x(.*)@a\\.test $1@b.test q", "\"a b\"@a.test ann@a.test"]
    {
        if rng.chance(3) {
            quarry.loose(rule);
        }
    }
    quarry.fixed(format!("? {}", rng.pick(&["-bt", "-bv", "-bvs"])));
    for _ in 0..rng.usize(4..12) {
        let text = address(rng);
        if !text.trim().is_empty() {
            quarry.loose(format!("> {text}"));
        }
    }
    quarry
}

fn address(rng: &mut Rng) -> String {
    let one = match rng.u32(..6) {
        0 => format!("{}<{}>{}", part(rng), bare(rng), part(rng)),
        1 => format!("<{}>", bare(rng)),
        2 => format!("<@{},@{}:{}>", domain(rng), domain(rng), bare(rng)),
        _ => bare(rng),
    };
    match rng.chance(6) {
        true => one.replacen('@', " @ ", 1),
        false => one,
    }
}

fn bare(rng: &mut Rng) -> String {
    let between = rng.pick(&[".", ".", ".", " ", "..", "", ""]);
    let local = rng.some(1, 3, between, part);
    match rng.chance(6) {
        true => local,
        false => format!("{local}@{}", domain(rng)),
    }
}

fn part(rng: &mut Rng) -> String {
    rng.pick(&[
        "ann",
        "bob",
        "a b",
        "\"a b\"",
        "\"a\\\"b\"",
        "\"\"",
        "\\a",
        "(c)",
        "(a(b)c)",
        "(",
        ")",
        "x",
        "X",
        "a+b",
        "a-b",
        "!x",
        "%",
        "a/b",
        "|x",
        "\"",
        "",
        "'",
        "a'b",
        "\\",
        "a\\@b",
        ",",
        ";",
        ":",
        "[",
        "]",
        "\"a@b\"",
        "#",
        "*",
        "root",
        "\u{e9}",
        "~",
        "{",
        "=",
        "\"x\\\\\"",
        "(\\))",
    ])
    .to_owned()
}

fn domain(rng: &mut Rng) -> String {
    rng.pick(&[
        "a.test",
        "b.test",
        "old.test",
        "A.TEST",
        "a.test.",
        "a..test",
        "-a.test",
        "a_b.test",
        "",
        "a",
        "[192.0.2.1]",
        "[192.0.2.999]",
        "[ipv6:2001:db8::1]",
        "[]",
        "[x]",
        "a test",
        "(c)a.test",
        "a.(c)test",
        "\u{fc}.test",
        "a.test,",
        "a.test;",
        "\"a.test\"",
        "a.test>",
        "1.2.3.4",
        "x@a.test",
        ".a.test",
    ])
    .to_owned()
}
