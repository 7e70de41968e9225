//! Lists of domains, hosts, addresses and local parts, named and not, in conditions of
//! expansions and in routers.

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
*.d.test
+++ negated
!ann
! *.b.test
+d1
lsearch;DIR/keys
*
+++ parts
a.test: ann : !bob : >b.test
*.b.test: bob
b.test: *
c.test: ^a : >a.test
*: !ann : ann@a.test : x";

/// Named lists, and questions.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nprimary_hostname = a.test\nkeep_environment =",
    );
    for (kind, name) in [("domain", "d"), ("host", "h"), ("address", "a"), ("localpart", "l")] {
        for number in 1..3 {
            let cached = rng.pick(&["", "", "", "_cache"]);
            let list = list(rng, name, number == 2);
            quarry.fixed(format!("{kind}list{cached} {name}{number} = {list}"));
        }
    }
    if rng.chance(3) {
        routers(rng, &mut quarry);
        return quarry;
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
            "keys",
            "test",
            "annex@a.test",
            "192.0.3.1",
            "::ffff:192.0.2.1",
            "x@y@a.test",
        ]);
        let list = list(rng, kind, true);
        let answer = rng.pick(&["{<$value>}{no}", "{yes}{no}", "", "{<$value> <$0> <$1>}"]);
        quarry.loose(format!("> ${{if {condition}{{{subject}}}{{{list}}}{answer}}}"));
    }
    quarry
}

/// Routers that are for some addresses, and what each leaves for those behind it.
fn routers(rng: &mut Rng, quarry: &mut Quarry) {
    let shown = "<$domain_data> <$local_part_data> <$0> <$1> <$2> <$address_data> <$r_a>";
    quarry.fixed("begin routers");
    for number in 0..rng.usize(2..6) {
        let mut text = format!("r{number}:\n  driver = redirect\n  allow_fail");
        if rng.chance(4) {
            text.push_str(rng.pick(&["\n  caseful_local_part", "\n  local_part_prefix = x*"]));
        }
        for (option, kind) in
            [("domains", "d"), ("local_parts", "l"), ("senders", "a"), ("local_parts", "l")]
        {
            if rng.chance(2) && !text.contains(option) {
                text.push_str(&format!("\n  {option} = {}", list(rng, kind, true)));
            }
        }
        if rng.chance(3) {
            let left = rng.pick(&["n$domain_data", "$local_part_data", "$1"]);
            text.push_str(&format!("\n  address_data = {left}\n  set = r_a = $0{left}"));
        }
        let data = match rng.chance(3) {
            true => ":unknown:".to_owned(),
            false => format!(":fail: {number} {shown}"),
        };
        quarry.loose(format!("{text}\n  data = {data}"));
    }
    // What `$0` and its like hold once another router had the address is left to chance.
    quarry.fixed(
        "last:\n  driver = redirect\n  allow_fail\n  \
         data = :fail: last <$domain_data> <$local_part_data> <$address_data> <$r_a>",
    );
    quarry.fixed(FILES);
    let sender = rng.pick(&["ann@a.test", "<>", "Bob@x.B.test", "a@c.test"]);
    quarry.fixed(format!("? -f {sender} {}", rng.pick(&["-bt", "-bv"])));
    for _ in 0..rng.usize(3..9) {
        let local = rng.pick(&["ann", "Ann", "bob", "xann", "\"a b\"", "a", "ANN", "x", "keys"]);
        let domain = rng.pick(&["a.test", "x.a.test", "b.test", "y.x.B.test", "c.test", "d"]);
        quarry.loose(format!("> {local}@{domain}"));
    }
}

fn list(rng: &mut Rng, kind: &str, may_name: bool) -> String {
    let between = rng.pick(&[" : ", ":", " ; ", "\n", "|", ",\t"]);
    let head = match between {
        " ; " => "<; ",
        "|" => "<|",
        ",\t" => "<,",
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
        "+ignore_defer",
        "DIR/negated",
        "dsearch;DIR",
        "dsearch,filter=dir;DIR",
        "lsearch,ret=full;DIR/keys",
        "partial0-lsearch;DIR/keys",
        "partial1()lsearch*;DIR/keys",
        "partial1(*.)lsearch*@;DIR/keys",
        "lsearch*,ret=key;DIR/keys",
        "^(.)(.*)\\\\.",
        "^(?i)ANN(.*)$",
        "!",
        "!!ann",
        "**",
        "*:*",
        "\"a.test\"",
        "${lookup{a.test}lsearch{DIR/keys}}",
        "${if match_domain{a.test}{*.test}{$value}}",
    ];
    let own: &[&str] = match kind {
        "d" => &[
            "a.test",
            "*.test",
            "*a.test",
            "@",
            "@[]",
            "@mx_any",
            "b.test",
            "A.test",
            "*.",
            "test",
            "*.a.test",
            "@mx_primary",
            "@mx_secondary/ignore=127.0.0.1",
            "a.test.",
        ],
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
            "192.0.2",
            "192.0.2.*",
            "::ffff:192.0.2.0/120",
            "net32-iplsearch;DIR/keys",
            "net0-lsearch*;DIR/keys",
            "192.0.2.01",
            "::/0",
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
            "@@lsearch;DIR/parts",
            "@@lsearch*;DIR/parts",
            "Ann@A.test",
            "*n@a.test",
            "*@",
            "@a.test",
            "^(.*)@(.*)$",
            "ann@lsearch;DIR/keys",
            "*@partial-lsearch;DIR/keys",
            "\"a b\"@a.test",
        ],
        _ => &["ann", "a*", "*n", "Ann", "bob", "\"a b\"", "a b"],
    };
    let text = match rng.chance(2) {
        true => rng.pick(common),
        false => rng.pick(own),
    };
    format!("{not}{text}")
}
