//! Lists: what a suite of lines can't show. Named lists, taint, hosts with
//! names, what is remembered, and lists that mean harm.

use std::net::IpAddr;

use eximious::stdlib::lists::{HostNames, Keep, Known, ListOutcome, Matcher, ip};
use eximious::world::{Fixture, Log};
use eximious::{
    Call, Condition, ConditionRun, Config, Context, Effects, Engine, ErrorKind, Fail, ListKind,
    Macros, Meta, NamedList, Settings, Str, Taint, TaintRule, World, opt,
};
use eximious_tests::fixtures::Fixtures;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::suite::Suite;
use eximious_tests::{root, show};

/// Settings with named lists: `("+", …)` is a host list, `("@", …)` one of
/// addresses, `("%", …)` one of local parts; any other name is a domain list.
fn settings(lists: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, text) in lists {
        let (kind, name) = match name.as_bytes()[0] {
            b'+' => (ListKind::Host, &name[1..]),
            b'@' => (ListKind::Address, &name[1..]),
            b'%' => (ListKind::LocalPart, &name[1..]),
            _ => (ListKind::Domain, *name),
        };
        let list = NamedList { text: Str::from(*text), hidden: false, cached: false };
        settings.lists.insert(kind, name, list);
    }
    settings.set(opt::PRIMARY_HOSTNAME, "mail.example");
    settings
}

fn context(lists: &[(&str, &str)], world: World) -> Context {
    Engine::builder().world(world).settings(settings(lists)).build().context()
}

fn try_expand(cx: &mut Context, text: &str) -> Result<Str, Fail> {
    let engine = cx.engine().clone();
    engine.compile(text).expand(cx)
}

fn expand(cx: &mut Context, text: &str) -> String {
    match try_expand(cx, text) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

#[test]
fn named_lists_answer_as_exim_does() {
    let fixtures = Fixtures::new();
    let template = std::fs::read(fixtures.path().join("lists/named.conf")).expect("a fixture");
    let file = fixtures.path().join("named.conf");
    std::fs::write(&file, fixtures.fill(&template)).expect("a configuration");
    let world = eximious_world::system();
    let config = Config::read(
        file.as_os_str().as_encoded_bytes(),
        Macros::default(),
        &world,
        &eximious::registry(),
    )
    .expect("a configuration");
    let engine = Engine::builder().world(world).settings(config.settings).build();
    let suite = Suite::read(&root().join("tests/data/lists/named.txt"));
    assert!(suite.cases.len() > 100);
    let lines: Vec<Vec<u8>> = suite.cases.iter().map(|c| fixtures.fill(&c.input)).collect();
    // Each in a context of its own, and below in a process of its own: what is
    // said of an unknown list hangs on the lookups before it.
    for (line, case) in lines.iter().zip(&suite.cases) {
        let answer = match engine.expand_once(line, &mut engine.context()) {
            Ok(value) => value.bytes().to_vec(),
            Err(fail) => [b"Failed: ", fail.message()].concat(),
        };
        let (answer, wanted) = (fixtures.hide(&answer), &case.output);
        assert_eq!(show(&answer), show(wanted), "{}", show(&case.input));
    }
    let Some(reference) = Reference::find() else { return };
    let reference = reference.with_config(&file);
    for (line, case) in lines.iter().zip(&suite.cases) {
        match &reference.ask(std::slice::from_ref(line), None)[..] {
            [Answer::Said(said)] => {
                assert_eq!(show(&fixtures.hide(said)), show(&case.output), "{}", show(&case.input));
            }
            other => panic!("{}: {other:?}", show(&case.input)),
        }
    }
}

#[test]
fn lists_that_hold_themselves_are_errors() {
    let chain: Vec<(String, String)> =
        (0..1000).map(|n| (format!("c{n}"), format!("x : +c{}", n + 1))).collect();
    let mut lists: Vec<(&str, &str)> = vec![
        ("loop", "+loop"),
        ("l1", "a : +l2"),
        ("l2", "b : ! +l1"),
        ("inside", "${if match_domain{a}{+inside}{a}{b}}"),
    ];
    lists.extend(chain.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let mut cx = context(&lists, World::hermetic());
    for (text, answer) in [
        ("${if match_domain{a}{+loop}}", "Failed: named domain list \"+loop\" refers to itself"),
        ("${if match_domain{a}{+l1}}", "true"),
        ("${if match_domain{c}{+l1}}", "Failed: named domain list \"+l1\" refers to itself"),
        ("${if match_address{u@c}{*@+l1}}", "Failed: named domain list \"+l1\" refers to itself"),
        (
            "${if match_domain{a}{+c0}}",
            "Failed: named domain list \"+c64\" stands in too many others",
        ),
        (
            "${if match_domain{a}{+inside}}",
            "Failed: expansion stopped: texts are expanded in each other too deep",
        ),
    ] {
        assert_eq!(expand(&mut cx, text), answer, "{text}");
    }
}

#[test]
fn lists_that_grow_by_powers_of_two_come_to_an_end() {
    let doubled: Vec<(String, String)> =
        (0..60).map(|n| (format!("d{n}"), format!("+d{0} : +d{0}", n + 1))).collect();
    let mut lists: Vec<(&str, &str)> =
        doubled.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    lists.push(("d60", "x"));
    let mut cx = context(&lists, World::hermetic());
    let fail = try_expand(&mut cx, "${if match_domain{a}{+d0}}").expect_err("a limit");
    assert_eq!(fail.kind(), ErrorKind::Limit);
    assert_eq!(fail.message(), b"list matching stopped: the list is too long");
}

#[test]
fn files_of_any_size_are_read_or_refused() {
    let long: String = (0..100_000).map(|n| format!("d{n}.example\n")).collect();
    let fixture = Fixture::new()
        .file("/long", &long)
        .file("/huge", vec![b'#'; (64 << 20) + 1])
        .file("/line", vec![b'x'; 8 << 20])
        .file("/zeros", [0; 4096]);
    let mut cx = context(&[], fixture.world());
    for (text, answer) in [
        ("${if match_domain{d99999.example}{/long}{$value}{n}}", "d99999.example"),
        ("${if match_domain{d100000.example}{! /long}{y$value}{n}}", "y"),
        ("${if match_domain{x}{/line}{y}{n}}", "n"),
        ("${if match_domain{x}{/zeros}{y}{n}}", "n"),
        (
            "${if match_domain{x}{/huge}{y}{n}}",
            "Failed: failed to open /huge when checking \"/huge\": File too large",
        ),
    ] {
        assert_eq!(expand(&mut cx, text), answer, "{text}");
    }
}

#[test]
fn a_pattern_that_explodes_does_not_match() {
    let mut cx = context(&[], World::hermetic());
    let subject = "a".repeat(40) + "b";
    for (list, wanted) in [
        ("^(a|a)+\\$", "n"),
        ("!^(a|a)+\\$", "y"),
        ("x : ^(a+)+\\$ : *", "y"),
        ("x : ^(?=a)(a+)+\\$", "n"),
    ] {
        let text = format!("${{if match_domain{{{subject}}}{{{list}}}{{y}}{{n}}}}");
        assert_eq!(expand(&mut cx, &text), wanted, "{list}");
    }
}

#[test]
fn cve_2011_1407_text_from_outside_is_no_list_of_ours() {
    let fixture = Fixture::new().file("/secret", "a.b\n");
    let lists = [
        ("t", "$acl_m_x"),
        ("spec", "<; $acl_m_x"),
        ("known", "a.b"),
        ("%t", "$acl_m_x"),
        ("@t", "$acl_m_x"),
        ("+t", "$acl_m_x"),
    ];
    let mut cx = context(&lists, fixture.world());
    let mut with = |value: &str, text: &str| {
        cx.set("acl_m_x", Str::tainted(value.as_bytes()));
        try_expand(&mut cx, text)
    };
    for (value, text) in [
        ("+known", "${if match_domain{a.b}{+t}}"),
        ("x : !+known", "${if match_domain{a.b}{+t}}"),
        ("+nosuch", "${if match_domain{a.b}{+t}}"),
        ("@", "${if match_domain{mail.example}{+t}}"),
        ("@[]", "${if match_domain{[127.0.0.1]}{+t}}"),
        ("@mx_any", "${if match_domain{a.b}{+t}}"),
        ("/secret", "${if match_domain{a.b}{+t}}"),
        ("!/secret", "${if match_domain{a.b}{+t}}"),
        ("+caseful", "${if match_local_part{a}{+t}}"),
        ("*@+known", "${if match_address{u@a.b}{+t}}"),
        ("*@/secret", "${if match_address{u@a.b}{+t}}"),
        ("*@@", "${if match_address{u@mail.example}{+t}}"),
        ("+include_unknown : x", "${if match_ip{1.2.3.4}{+t}}"),
        ("@[]", "${if match_ip{1.2.3.4}{+t}}"),
        ("lsearch;/secret", "${if match_domain{a.b}{+t}}"),
        ("@@lsearch;/secret", "${if match_address{u@a.b}{+t}}"),
        ("iplsearch;/secret", "${if match_ip{1.2.3.4}{+t}}"),
    ] {
        let fail = with(value, text).expect_err(value);
        assert_eq!(fail.kind(), ErrorKind::Taint, "{value} in {text}: {fail}");
    }
    // It does not choose how it is split, either.
    let found = |result: Result<Str, Fail>| result.expect("an answer").display().into_owned();
    assert_eq!(found(with("<;a.b;c", "${if match_domain{c}{+spec}{y}{n}}")), "y");
    assert_eq!(found(with("<-a-c", "${if match_domain{c}{+t}{y}{n}}")), "n");
    // What it may hold is text to compare with, as in Exim.
    assert_eq!(found(with("x : a.b", "${if match_domain{a.b}{+t}{y}{n}}")), "y");
    assert_eq!(found(with("*.b", "${if match_domain{a.b}{+t}{y}{n}}")), "y");
    assert_eq!(found(with("10.0.0.0/8", "${if match_ip{10.1.1.1}{+t}{y}{n}}")), "y");
    assert!(!fixture.asked().iter().any(|asked| asked == "read /secret"), "{:?}", fixture.asked());
}

#[test]
fn cve_2011_1764_what_matched_is_as_tainted_as_the_list() {
    let fixture = Fixture::new().file("/list", "*.b\n").file("/data", "a.b: from the file\n");
    let lists = [("clean", "*.b"), ("t", "$acl_m_x"), ("%clean", "alice"), ("@clean", "u@*.b")];
    let mut cx = context(&lists, fixture.world());
    cx.set("acl_m_d", Str::tainted("a.b".as_bytes()));
    cx.set("acl_m_l", Str::tainted("Alice".as_bytes()));
    cx.set("acl_m_a", Str::tainted("u@a.b".as_bytes()));
    cx.set("acl_m_x", Str::tainted("*.b".as_bytes()));
    for (text, value, taint) in [
        ("${if match_domain{$acl_m_d}{x : *.b}{$value}}", "*.b", Taint::Clean),
        ("${if match_domain{$acl_m_d}{a.b}{$value}}", "a.b", Taint::Clean),
        ("${if match_domain{$acl_m_d}{+clean}{$value}}", "*.b", Taint::Clean),
        ("${if match_domain{$acl_m_d}{/list}{$value}}", "*.b", Taint::Clean),
        ("${if match_domain{$acl_m_d}{+t}{$value}}", "*.b", Taint::Tainted),
        ("${if match_domain{$acl_m_d}{lsearch;/data}{$value}}", "from the file", Taint::Clean),
        ("${if match_local_part{$acl_m_l}{+clean}{$value}}", "alice", Taint::Clean),
        ("${if match_address{$acl_m_a}{+clean}{$value}}", "u@*.b", Taint::Clean),
        // What the subject gave is from outside.
        ("${if match_domain{$acl_m_d}{*.b}{$0}}", "a.b", Taint::Tainted),
        ("${if match_domain{$acl_m_d}{*.b}{$1}}", "a", Taint::Tainted),
        ("${if match_domain{$acl_m_d}{^(.)}{$1}}", "a", Taint::Tainted),
    ] {
        let found = try_expand(&mut cx, text).expect(text);
        assert_eq!((found.display().as_ref(), found.taint()), (value, taint), "{text}");
    }
}

#[test]
fn a_policy_without_files_leaves_other_lists_alone() {
    let fixture = Fixture::new().file("/list", "a.b\n");
    let engine = Engine::builder().world(fixture.world()).forbid(Effects::FILES).build();
    let mut cx = engine.context();
    assert_eq!(expand(&mut cx, "${if match_domain{a.b}{*.b}{y}{n}}"), "y");
    let fail = try_expand(&mut cx, "${if match_domain{a.b}{/list}{y}{n}}").expect_err("a policy");
    assert_eq!(fail.kind(), ErrorKind::Forbidden);
    assert!(fixture.asked().is_empty());
}

/// A host called `my.Host.example` at 192.0.2.1, that knows `other.example`.
struct Names;

impl HostNames for Names {
    fn names(&mut self, call: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail> {
        Ok(match call.variable("acl_m_names")?.bytes() {
            b"none" => Known::Missing,
            b"later" => Known::Later,
            _ => Known::Found(vec![Str::from("first.example"), Str::from("my.Host.example")]),
        })
    }

    fn addresses(&mut self, _: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail> {
        Ok(match name {
            b"other.example" => Known::Found(vec![[192, 0, 2, 9].into(), [192, 0, 2, 1].into()]),
            b"mail.example" => Known::Found(vec![[10, 0, 0, 1].into()]),
            b"later.example" => Known::Later,
            _ => Known::Missing,
        })
    }
}

fn said(call: &mut Call<'_>, outcome: ListOutcome) -> Result<bool, Fail> {
    let text = |data: Option<Str>| data.map_or("-".into(), |d| d.display().into_owned());
    call.scope().set_value(Str::from(match outcome {
        ListOutcome::Matched(data) => format!("yes {}", text(data)),
        ListOutcome::Unmatched(data) => format!("no {}", text(data)),
        ListOutcome::Deferred(why) => {
            format!("later {}", String::from_utf8_lossy(&why.unwrap_or_default()))
        }
    }));
    Ok(true)
}

const fn condition(
    name: &'static str,
    run: fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>,
) -> Condition {
    Condition {
        meta: Meta::new(name, Effects::NONE, TaintRule::Result),
        shape: eximious::grammar::expansion::ConditionShape::TwoLiteral,
        run: ConditionRun::Strict(run),
    }
}

static HOST: Condition = condition("test_host", |call, args| {
    let address = ip::address(args[0].bytes()).map(|ip| (args[0].clone(), ip));
    let outcome = Matcher::host(address, &mut Names).test(call, &args[1])?;
    said(call, outcome)
});
static CACHED: Condition = condition("test_cached", |call, args| {
    let outcome = Matcher::domain(&args[0]).kept(Keep::Recipient).test(call, &args[1])?;
    said(call, outcome)
});
static CACHED_ADDRESS: Condition = condition("test_cached_address", |call, args| {
    let outcome = Matcher::address(&args[0]).kept(Keep::Sender).test(call, &args[1])?;
    said(call, outcome)
});
static WRITTEN: Condition = condition("test_written", |call, args| {
    let outcome = Matcher::domain(&args[0]).test_written(call, &args[1])?;
    said(call, outcome)
});
static CASEFUL: Condition = condition("test_caseful", |call, args| {
    let outcome = Matcher::local_part(&args[0]).caseful().test(call, &args[1])?;
    said(call, outcome)
});

fn extended(lists: &[(&str, &str)], world: World) -> Context {
    Engine::builder()
        .world(world)
        .settings(settings(lists))
        .condition(&HOST)
        .condition(&CACHED)
        .condition(&CACHED_ADDRESS)
        .condition(&WRITTEN)
        .condition(&CASEFUL)
        .build()
        .context()
}

#[test]
fn hosts_are_matched_by_name_and_address() {
    let fixture = Fixture::new()
        .file("/names", "my.host.example: found\n*.wild.example: wild\n")
        .file("/ips", "192.0.2.1: address\n192.0.2.0/24: network\n");
    let lists = [("+named", "*.host.example : 10.0.0.0/8"), ("+unknown", "nosuch.example")];
    // Each in a context of its own: what is said of a host that can't be found
    // now hangs on the lookups before it.
    let fresh = |names: &str| {
        let mut cx = extended(&lists, fixture.world());
        cx.set_clean("acl_m_names", names);
        cx
    };
    // Recorded of hosts that are known to Exim by name.
    for (list, answer) in [
        ("*host.example", "yes *host.example"),
        ("*HOST.example", "yes *HOST.example"),
        ("*.foo", "no "),
        ("^m(.)", "yes ^m(.)"),
        ("^M", "yes ^M"),
        ("^(?-i)M", "no "),
        ("!*host.example", "no *host.example"),
        ("!*foo", "yes "),
        ("lsearch;/names", "yes found"),
        ("lsearch,ret=key;/names", "yes my.host.example"),
        ("!lsearch;/names", "no found"),
        ("net-lsearch;/ips", "yes address"),
        ("net24-lsearch;/ips", "yes network"),
        ("net16-lsearch;/ips", "no "),
        ("*", "yes -"),
        ("", "no -"),
        (":", "no -"),
        ("192.0.2.1", "yes -"),
        ("192.0.2.0/24", "yes -"),
        ("other.example", "yes -"),
        ("!other.example", "no -"),
        ("@", "no -"),
        ("nosuch.example", "no -"),
        ("nosuch.example : 192.0.2.1", "no -"),
        ("!nosuch.example", "no -"),
        ("+ignore_unknown : nosuch.example : 192.0.2.1", "yes -"),
        ("+include_unknown : nosuch.example", "yes -"),
        ("+include_unknown : !nosuch.example", "yes -"),
        ("later.example", "later DNS lookup of \"later.example\" deferred"),
        ("+ignore_defer : later.example : 192.0.2.1", "yes -"),
        ("+include_defer : later.example", "yes -"),
        ("+named", "yes *.host.example"),
        ("! +named", "no *.host.example"),
        ("+unknown : 192.0.2.1", "yes -"),
        ("+include_unknown : +unknown", "no -"),
        ("passwd;nosuch", "no "),
        ("nosuch;/x", "later unknown lookup type \"nosuch\""),
        ("network;x", "later unknown lookup type \"network\""),
        ("a b", "no "),
    ] {
        let text = format!("${{if test_host{{192.0.2.1}}{{{list}}}{{$value}}}}");
        assert_eq!(expand(&mut fresh(""), &text), answer, "{list}");
    }
    for (list, answer) in [
        ("*.foo", "no -"),
        ("!*.foo", "no -"),
        ("*.foo : 192.0.2.1", "no -"),
        ("+include_unknown : *.foo", "yes -"),
        ("+ignore_unknown : *.foo : 192.0.2.1", "yes -"),
        ("lsearch;/names", "no -"),
        ("! +named", "yes -"),
        ("*", "yes -"),
    ] {
        let text = format!("${{if test_host{{192.0.2.1}}{{{list}}}{{$value}}}}");
        assert_eq!(expand(&mut fresh("none"), &text), answer, "{list}");
    }
    let text = "${if test_host{192.0.2.1}{*.foo}{$value}}";
    assert_eq!(expand(&mut fresh("later"), text), "later DNS lookup of \"*.foo\" deferred");
    // Without a host only the empty element and the asterisk match.
    for (list, answer) in [("", "no -"), (":", "yes -"), ("*", "yes -"), ("*.foo", "no -")] {
        let text = format!("${{if test_host{{}}{{{list}}}{{$value}}}}");
        assert_eq!(expand(&mut fresh("later"), &text), answer, "{list}");
    }
}

#[test]
fn what_constant_named_lists_said_is_kept_until_it_is_forgotten() {
    let fixture = Fixture::new().file("/list", "a.b\n");
    let lists = [
        ("file", "/list"),
        ("outer", "x.y : +file"),
        ("changing", "/list : $acl_m_x"),
        ("@addresses", "x@y.z : *@+changing"),
    ];
    let mut cx = extended(&lists, fixture.world());
    let reads = |cx: &mut Context, text: &str| {
        let reads = || fixture.asked().iter().filter(|asked| asked.starts_with("read ")).count();
        let before = reads();
        let answer = expand(cx, text);
        (answer, reads() - before)
    };
    let (file, outer) =
        ("${if test_cached{a.b}{+file}{$value}}", "${if test_cached{A.B}{! +outer}{$value}}");
    assert_eq!(reads(&mut cx, file), ("yes a.b".into(), 1));
    assert_eq!(reads(&mut cx, file), ("yes a.b".into(), 0));
    // A list that refers to it knows the answer, too.
    assert_eq!(reads(&mut cx, outer), ("no a.b".into(), 0));
    cx.forget_lists();
    assert_eq!(reads(&mut cx, file), ("yes a.b".into(), 1));
    // One that is expanded may hold something else each time.
    let changing = "${if test_cached{c.d}{+changing}{$value}}";
    assert_eq!(reads(&mut cx, changing), ("no ".into(), 1));
    let address = "${if test_cached_address{u@c.d}{+addresses}{$value}}";
    assert_eq!(reads(&mut cx, address), ("no *@".into(), 1));
    cx.set_clean("acl_m_x", "c.d");
    assert_eq!(reads(&mut cx, changing), ("yes c.d".into(), 1));
    assert_eq!(reads(&mut cx, address), ("yes *@c.d".into(), 1));
    // The conditions of the language do not keep answers.
    let plain = "${if match_domain{a.b}{+file}{$value}}";
    assert_eq!(reads(&mut cx, plain), ("a.b".into(), 1));
    assert_eq!(reads(&mut cx, plain), ("a.b".into(), 1));
}

#[test]
fn a_list_marked_so_is_kept_although_it_is_expanded() {
    let fixture = Fixture::new().file("/list", "a.b\n");
    let mut settings = settings(&[]);
    let list = NamedList { cached: true, ..NamedList::new(Str::fixed("/list : $acl_m_x")) };
    settings.lists.insert(ListKind::Domain, "changing", list);
    let mut cx = Engine::builder()
        .world(fixture.world())
        .settings(settings)
        .condition(&CACHED)
        .build()
        .context();
    let text = "${if test_cached{c.d}{+changing}{$value}}";
    assert_eq!(expand(&mut cx, text), "no ");
    cx.set_clean("acl_m_x", "c.d");
    assert_eq!(expand(&mut cx, text), "no ");
    assert_eq!(fixture.asked(), ["stat /list", "read /list"]);
}

#[test]
fn lists_as_written_are_expanded_and_choose_their_separator() {
    let mut cx = extended(&[], World::hermetic());
    cx.set_clean("acl_m_x", "b-c:d");
    cx.set("acl_m_lines", Str::tainted(&b"b\nc:d\ne"[..]));
    cx.set("acl_m_head", Str::tainted(&b"- b - c:d"[..]));
    for (list, answer) in [
        ("$acl_m_x", "no "),
        ("<- a - $acl_m_x", "yes c:d"),
        ("<\\n a\\n$acl_m_lines", "yes c:d"),
        ("<\\x0a$acl_m_lines", "yes c:d"),
        ("<$acl_m_head", "no "),
        ("$acl_m_head", "no "),
        ("${if eq{a\\}{b\\}{c\\}fail\\}", "no -"),
        ("${nosuch:a\\}", "later "),
    ] {
        let text = format!("${{if test_written{{c:d}}{{{list}}}{{$value}}}}");
        assert_eq!(expand(&mut cx, &text), answer, "{list}");
    }
    // A router that heeds case does so from the start.
    let text = "${if test_caseful{Bob}{bob}{$value}}:${if test_caseful{Bob}{Bob}{$value}}";
    assert_eq!(expand(&mut cx, text), "no :yes Bob");
}

#[test]
fn trouble_with_lists_is_logged() {
    #[derive(Default)]
    struct Lines(std::sync::Mutex<Vec<String>>);
    impl Log for Lines {
        fn main(&self, line: &[u8]) {
            self.0.lock().unwrap().push(format!("main {}", String::from_utf8_lossy(line)));
        }
        fn panic(&self, line: &[u8]) {
            self.0.lock().unwrap().push(format!("panic {}", String::from_utf8_lossy(line)));
        }
        fn debug(&self, _: &[u8]) {}
    }
    let log = std::sync::Arc::new(Lines::default());
    let world = World { log: log.clone(), ..World::hermetic() };
    let mut cx = context(&[("bad", "${nosuch:x}")], world);
    for text in [
        "${if match_domain{a}{! +foo}}",
        "${if match_address{A}{+caseful : b@c}}",
        "${if match_ip{1.2.3.4}{+include_unknown : a.b}}",
        "${if match_domain{a}{+bad}}",
    ] {
        expand(&mut cx, text);
    }
    assert_eq!(
        *log.0.lock().unwrap(),
        [
            "panic unknown named domain list \"+foo\"",
            "panic no @ found in the subject of an address list match: subject=\"a\" \
             pattern=\"b@c\"",
            "main cannot match host name in match_ip list: accepted by +include_unknown",
            "panic failed to expand \"${nosuch:x}\" while checking a list: unknown expansion \
             operator \"nosuch\"",
        ]
    );
}
