//! What nests: however deep, and however much of it within each other, it ends in an
//! ordinary error, in threads with as much stack as most have.

use std::net::{IpAddr, Ipv4Addr};

use eximious::acl::AclVerdict;
use eximious::filter::{FilterEnd, FilterOptions, exim};
use eximious::world::Fixture;
use eximious::{Config, Context, Engine, ErrorKind, Limits, Macros, Str};
use eximious_tests::fuzz;

/// A thread of most programs has 2 MiB; a part of it is the program's.
const STACK: usize = 1536 << 10;

/// Does something in a small thread.
fn small<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

/// `count` times what opens, what is inside, as often what closes.
fn nested(count: usize, open: &str, inside: &str, close: &str) -> String {
    [&open.repeat(count), inside, &close.repeat(count)].concat()
}

/// Constructs of expansions that stand in themselves.
const CONSTRUCTS: &[[&str; 3]] = &[
    ["${if eq{a}{a}{", "a", "}}"],
    ["${if eq{a}{", "a", "}{y}{a}}"],
    ["${if !def:h_x: {", "a", "}{b}}"],
    ["${lc:", "a", "}"],
    ["${length_1:", "a", "}"],
    ["${map{a}{", "a", "}}"],
    ["${map{", "a", "}{$item}}"],
    ["${filter{a}{eq{", "a", "}{a}}}"],
    ["${reduce{a}{}{", "a", "}}"],
    ["${sort{", "a", "}{<}{$item}}"],
    ["${sg{a}{a}{", "a", "}}"],
    ["${tr{", "a", "}{a}{b}}"],
    ["${extract{1}{:}{a:b}{", "a", "}}"],
    ["${extract{k}{k=v}{", "a", "}{b}}"],
    ["${listextract{1}{a:b}{", "a", "}}"],
    ["${lookup{k}lsearch{/table}{", "a", "}{b}}"],
    ["${readfile{", "/table", "}}"],
    ["${run{/bin/true ", "a", "}{x}{y}}"],
    ["${env{HOME}{", "a", "}{b}}"],
    ["${acl{a}{", "a", "}}"],
    ["${prvs{a@b}{", "a", "}}"],
    ["${eval:1+", "1", "}"],
    ["${expand:", "$domain", "}"],
    ["${address:", "a", "}"],
    ["${quote_lsearch:", "a", "}"],
    ["${if inlist{a}{", "a", "}{a}}"],
    ["${if match_domain{a}{", "a", "}{a}}"],
    ["${if match{a}{", "a", "}{a}}"],
    ["${if bool{", "true", "}{true}}"],
    ["${if forany{a}{eq{", "a", "}{a}}{a}}"],
];

/// Conditions that stand in themselves.
const CONDITIONS: &[[&str; 3]] = &[
    ["and{{", "eq{a}{a}", "}}"],
    ["or{{", "eq{a}{a}", "}}"],
    ["!", "eq{a}{a}", ""],
    ["forany{a}{", "eq{$item}{a}", "}"],
    ["forall{a}{", "eq{$item}{a}", "}"],
];

/// What a text comes to: a value, or an error over its depth.
fn ends(cx: &mut Context, text: &str) -> Result<Str, ErrorKind> {
    let engine = cx.engine().clone();
    let once = engine.expand_once(text.as_bytes(), cx);
    let compiled = engine.compile(text).expand(cx);
    assert_eq!(once.is_ok(), compiled.is_ok(), "{text}");
    compiled.map_err(|fail| fail.kind())
}

fn engine(world: &Fixture) -> Engine {
    Engine::builder().world(world.world()).build()
}

#[test]
fn each_construct_stands_in_itself_as_deep_as_it_may() {
    small(|| {
        let world = Fixture::new().file("/table", "k: v\n");
        let cx = &mut engine(&world).context();
        for [open, inside, close] in CONSTRUCTS {
            for count in [70, 200, 100_000] {
                let _ = ends(cx, &nested(count, open, inside, close));
            }
        }
        for [open, inside, close] in CONDITIONS {
            for count in [150, 200, 100_000] {
                let condition = nested(count, open, inside, close);
                let _ = ends(cx, &format!("${{if {condition}{{a}}{{b}}}}"));
            }
        }
        // What Exim takes is taken.
        let [open, inside, close] = CONSTRUCTS[0];
        assert_eq!(ends(cx, &nested(150, open, inside, close)), Ok(Str::from("a")));
    });
}

#[test]
fn texts_that_expand_texts_share_one_bound() {
    small(|| {
        for [open, _, close] in CONSTRUCTS {
            for levels in [1, 10, 70] {
                // Each evaluation of the text begins another one.
                for again in ["${expand:$acl_m_x}", "${map{a}{${expand:$acl_m_x}}}"] {
                    let world = Fixture::new().file("/table", "k: v\n");
                    let limits = Limits::default().expansions(1000).steps(200_000);
                    let builder = Engine::builder().world(world.world()).limits(limits);
                    let cx = &mut builder.build().context();
                    let text = nested(levels, open, again, close);
                    cx.set_clean("acl_m_x", text.as_str());
                    let _ = ends(cx, "$acl_m_x${expand:$acl_m_x}");
                }
            }
        }
        // It is a limit, and the context is as good as before.
        let cx = &mut Engine::builder().build().context();
        cx.set_clean("acl_m_x", nested(100, "${if eq{a}{a}{", "${expand:$acl_m_x}", "}}"));
        assert_eq!(ends(cx, "${expand:$acl_m_x}"), Err(ErrorKind::Limit));
        assert_eq!(ends(cx, "${if eq{a}{a}{b}}"), Ok(Str::from("b")));
    });
}

/// A configuration whose ACL calls itself, in each of the ways.
fn acl_that_calls(itself: &str) -> String {
    format!("acl_smtp_rcpt = a\nbegin acl\na:\n  warn {itself}\n  accept\n")
}

#[test]
fn acls_that_call_each_other_share_it() {
    small(|| {
        let deep = |inside: &str| nested(70, "${if eq{a}{a}{", inside, "}}");
        let calls = [
            "acl = a".to_owned(),
            "condition = ${acl{a}}".to_owned(),
            format!("condition = {}", deep("${acl{a}}")),
            format!("set acl_m_x = {}", deep("${if acl{{a}}{x}{y}}")),
            format!("domains = {}", deep("${acl{a}}")),
            format!("message = {}\n  condition = {}", deep("x"), deep("${expand:${acl{a}}}")),
        ];
        for call in calls {
            let config = Config::parse(acl_that_calls(&call)).unwrap();
            let loaded = Engine::builder().build().load(config);
            let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
            let decision = loaded.acl("acl_smtp_rcpt").map_or_else(
                || loaded.conversation(client).rcpt("b@c.test"),
                |acl| acl.rcpt(client, "a@b.test", "b@c.test"),
            );
            assert_ne!(decision.verdict, AclVerdict::Drop, "{call}");
        }
    });
}

#[test]
fn filters_share_it() {
    small(|| {
        let deep = format!("\"{}\"", nested(50, "${if eq{a}{a}{", "x", "}}"));
        let tests = [
            nested(250, "(", "$h_x: is a", ")"),
            nested(250, "not ", "$h_x: is a", ""),
            nested(290, "(a is a and ", &format!("{deep} is x"), ")"),
            nested(100_000, "(", "a is a", ")"),
            format!("foranyaddress {deep} ({})", nested(250, "(", "$thisaddress is a", ")")),
        ];
        for test in tests {
            fuzz::filter(format!("# Exim filter\nif {test} then save /x endif\n").as_bytes());
        }
        for levels in [290, 100_000] {
            let text = nested(levels, "if a is a then ", &format!("testprint {deep} "), " endif ");
            fuzz::filter(format!("# Exim filter\n{text}").as_bytes());
            let text = "if a is b then finish elif ".repeat(levels);
            fuzz::filter(format!("# Exim filter\n{text}").as_bytes());
        }
        let text = format!("# Exim filter\nif {} is x then finish endif\n", deep);
        let cx = &mut Engine::builder().build().context();
        let done = exim(cx, text.as_bytes(), &FilterOptions::default(), &mut ());
        assert_eq!(done.end, FilterEnd::Finished);
    });
}

#[test]
fn sieve_scripts_share_it() {
    small(|| {
        for levels in [95, 100_000] {
            fuzz::sieve(nested(levels, "if true {", "keep;", "}").as_bytes());
            fuzz::sieve(format!("if {} {{keep;}}", nested(levels, "not ", "true", "")).as_bytes());
            let all = nested(levels, "allof(", "true", ")");
            fuzz::sieve(format!("if {all} {{keep;}}").as_bytes());
            fuzz::sieve("/* ".repeat(levels).as_bytes());
            fuzz::sieve(["keep ", &"[".repeat(levels)].concat().as_bytes());
        }
    });
}

#[test]
fn parts_of_messages_share_it() {
    small(|| {
        let part = "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
        let message = "Content-Type: message/rfc822\n\n";
        for [part, count] in [[part, "5000"], [message, "5000"]] {
            let mail = part.repeat(count.parse().unwrap());
            let script = "require \"body\"; if body :content \"text\" :contains \"x\" {stop;}";
            let cx = &mut Engine::builder().build().context();
            cx.set_message(Some(eximious::stdlib::message::parse(mail.as_bytes())));
            let options = eximious::filter::sieve::SieveOptions::default();
            let done = eximious::filter::sieve::run(cx, script.as_bytes(), &options);
            assert_eq!(done.end, FilterEnd::Finished);
            fuzz::message(mail.as_bytes());
        }
    });
}

#[test]
fn addresses_share_it() {
    small(|| {
        for count in [50, 5_000] {
            for text in [
                nested(count, "(", "a", ")"),
                format!("a@b {}", nested(count, "(", "a", ")")),
                format!("a@{}b", nested(count, "(", "a", ")")),
                "(".repeat(count),
                "a: ".repeat(count),
                nested(count, "<", "a@b", ">"),
                nested(count, "@a,", ":a@b", ""),
                "\"a\".".repeat(count),
            ] {
                fuzz::addresses(text.as_bytes());
                fuzz::redirect(text.as_bytes());
                let header = format!("From: {text}\nTo: {text}\n\n");
                fuzz::message(header.as_bytes());
            }
        }
    });
}

#[test]
fn files_that_include_each_other_share_it() {
    small(|| {
        let registry = eximious::registry();
        let mut world = Fixture::new();
        for number in 0..200 {
            let text = format!(".include /c{}\nA{number} = b\n", number + 1);
            world = world.file(&format!("/c{number}"), text);
            let text = format!(":include:/r{}\n", number + 1);
            world = world.file(&format!("/r{number}"), text);
        }
        world = world.file("/itself", ".include /itself\n");
        for name in ["/c0", "/itself"] {
            let world = world.world();
            assert!(Config::read(name.as_bytes(), Macros::new(), &world, &registry).is_err());
        }
        let text = "begin routers\nr:\n  driver = redirect\n  data = :include:/r0\n";
        let builder = Engine::builder().world(world.world());
        let loaded = builder.build().load(Config::parse(text).unwrap());
        let _ = loaded.route("a@b.test");
        let conditions = ".ifdef A\n".repeat(100_000);
        fuzz::config(conditions.as_bytes());
        fuzz::format(conditions.as_bytes());
    });
}

#[test]
fn named_lists_that_stand_in_each_other_share_it() {
    small(|| {
        let deep = nested(70, "${if eq{a}{a}{", "x", "}}");
        let mut text = "domainlist d0 = b.test\n".to_owned();
        for number in 1..15 {
            let before = number - 1;
            text += &format!("domainlist d{number} = {deep} : +d{before}\n");
        }
        text += "acl_smtp_rcpt = a\nbegin acl\na:\n  accept domains = +d14\n";
        let loaded = Engine::builder().build().load(Config::parse(text).unwrap());
        let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        assert!(loaded.conversation(client).rcpt("a@b.test").verdict == AclVerdict::Accept);
    });
}

#[test]
fn values_with_brackets_share_it() {
    small(|| {
        for count in [100, 100_000] {
            for text in [
                format!("${{extract json{{0}}{{{}}}}}", "\\[".repeat(count)),
                format!("${{extract json{{a}}{{\\N{}\\N}}}}", "{\"a\":".repeat(count)),
                format!("${{eval:{}}}", nested(count, "(", "1", ")")),
                format!("${{eval:{}1}}", "-~".repeat(count)),
                format!("${{if match{{a}}{{{}}}{{b}}}}", nested(count, "(", "a", ")")),
                format!("${{rfc2047d:{}}}", "=?utf-8?q?".repeat(count)),
            ] {
                fuzz::evaluate(text.as_bytes());
                fuzz::parse(text.as_bytes());
            }
        }
    });
}
