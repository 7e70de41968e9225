//! Lists of domains, hosts, addresses and local parts, named and not, in conditions of
//! expansions.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const FILES: &str = "+++ keys
a.test: one
.test: two
*.b.test: three
ann: four
ann@a.test: five
*@b.test: six
192.0.2.1: seven
192.0.2.0/24: eight
*: nine
+++ wild
^a: ten
*.test eleven
\"a b\" twelve
+++ plain
a.test
# a comment
!b.test
ann@c.test # another
*.d.test";

/// Named lists, and questions.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nprimary_hostname = a.test\nkeep_environment =",
    );
    for (kind, name) in [("domain", "d"), ("host", "h"), ("address", "a"), ("localpart", "l")] {
        for number in 1..3 {
            quarry.fixed(format!("{kind}list {name}{number} = {}", list(rng, name, number == 2)));
        }
    }
    quarry.fixed(FILES).fixed("? -be");
    for _ in 0..rng.usize(4..12) {
        let (condition, kind) = [
            ("match_domain", "d"),
            ("match_ip", "h"),
            ("match_address", "a"),
            ("match_local_part", "l"),
            ("inlist", "d"),
            ("inlisti", "a"),
        ][rng.usize(..6)];
        let subject = rng.pick(&[
            "a.test",
            "x.a.test",
            "b.test",
            "A.TEST",
            "ann",
            "ann@a.test",
            "Ann@b.test",
            "bob@x.b.test",
            "192.0.2.1",
            "192.0.2.77",
            "10.0.0.1",
            "2001:db8::1",
            "",
            "a b",
            "@",
            "*",
            "ann@",
            "c.test",
            "::ffff:192.0.2.1",
            "x@y@a.test",
        ]);
        let list = list(rng, kind, true);
        let answer = rng.pick(&["{<$value>}{no}", "{yes}{no}", "", "{<$value> <$0> <$1>}"]);
        quarry.loose(format!("> ${{if {condition}{{{subject}}}{{{list}}}{answer}}}"));
    }
    quarry
}

fn list(rng: &mut Rng, kind: &str, may_name: bool) -> String {
    let between = rng.pick(&[" : ", ":", " ; ", "\n"]);
    let head = match between {
        " ; " => "<; ",
        "\n" => "<\\n ",
        _ => "",
    };
    let between = if between == "\n" { "\\n" } else { between };
    let text = rng.some(0, 4, between, |rng| item(rng, kind, may_name));
    format!("{head}{text}")
}

/// An item. Types and files that are not there are not asked for: the real one ends.
fn item(rng: &mut Rng, kind: &str, may_name: bool) -> String {
    let not = rng.pick(&["", "", "", "!", "! "]);
    if may_name && rng.chance(4) {
        let name = rng.pick(&["1", "1", "9"]);
        return format!("{not}+{kind}{name}");
    }
    let common: &[&str] = &[
        "*",
        "",
        "^a",
        "^\\\\N.*\\\\.test$\\\\N",
        "lsearch;DIR/keys",
        "lsearch*;DIR/keys",
        "partial-lsearch;DIR/keys",
        "wildlsearch;DIR/wild",
        "nwildlsearch;DIR/wild",
        "DIR/plain",
        "partial2-lsearch;DIR/keys",
        "lsearch,ret=key;DIR/keys",
        "+include_unknown",
        "+ignore_unknown",
        "+include_defer",
        "${if eq{1}{2}{a}fail}",
        "+caseful",
    ];
    let own: &[&str] = match kind {
        "d" => &["a.test", "*.test", "*a.test", "@", "@[]", "@mx_any", "b.test", "A.test", "*."],
        "h" => &[
            "192.0.2.1",
            "192.0.2.0/24",
            "10.0.0.0/8",
            "2001:db8::/32",
            "net-lsearch;DIR/keys",
            "net24-lsearch;DIR/keys",
            "192.0.2.1/33",
            "0.0.0.0/0",
            "@[]",
            "iplsearch;DIR/keys",
            "x",
        ],
        "a" => &[
            "ann@a.test",
            "*@a.test",
            "ann@*",
            "@@lsearch;DIR/keys",
            "*@*.b.test",
            "a.test",
            "lsearch*@;DIR/keys",
            "^ann@",
            "ann",
            "@",
            "*@lsearch;DIR/keys",
            "ann@+d1",
            "@@x",
        ],
        _ => &["ann", "a*", "*n", "Ann", "bob", "\"a b\"", "a b"],
    };
    let text = match rng.chance(2) {
        true => rng.pick(common),
        false => rng.pick(own),
    };
    format!("{not}{text}")
}
