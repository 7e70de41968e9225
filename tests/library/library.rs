//! The library as an embedder meets it.

use std::time::{Duration, Instant};

use eximious::world::{Fixed, Fixture, Moment};
use eximious::{
    Batch, Captures, Context, Effects, Engine, ErrorKind, Expansion, Fail, FailClass, Limits, Str,
    World,
};

#[test]
fn shared_things_are_shared() {
    fn shared<T: Send + Sync + Clone>() {}
    fn moved<T: Send>() {}
    shared::<Engine>();
    shared::<Expansion>();
    shared::<World>();
    shared::<Captures>();
    moved::<Context>();
    moved::<Fail>();
}

#[test]
fn one_expansion_serves_many_threads() {
    let engine = Engine::builder().build();
    let rule = engine.compile("${if match{$who}{^(.)}{${uc:$1}}{none}}");
    std::thread::scope(|scope| {
        for letter in b'a'..b'i' {
            let (engine, rule) = (engine.clone(), rule.clone());
            scope.spawn(move || {
                let mut cx = engine.context();
                cx.set("who", Str::tainted([letter; 3].as_slice()));
                for _ in 0..200 {
                    let value = rule.expand(&mut cx).unwrap();
                    assert_eq!(value.bytes(), [letter.to_ascii_uppercase()]);
                }
            });
        }
    });
}

#[test]
fn a_world_is_replaced_organ_by_organ() {
    let clock = std::sync::Arc::new(Fixed(Moment { seconds: 42, nanos: 0 }));
    let engine = Engine::builder().world(World { clock, ..World::hermetic() }).build();
    let value = engine.compile("$tod_epoch").expand(&mut engine.context()).unwrap();
    assert_eq!(value.display(), "42");
}

#[test]
fn a_skipped_branch_asks_for_nothing() {
    let fixture = Fixture::new().file("/a", "k: found\n").file("/b", "k: other\n");
    let engine = Engine::builder().world(fixture.world()).build();
    let text = "${if eq{x}{y}{${lookup{k}lsearch{/a}}}{${lookup{k}lsearch{/b}}}}\
                ${if and{{eq{x}{y}}{exists{/c}}}{}{}}\
                ${if or{{eq{x}{x}}{exists{/d}}}{}{${readfile{/e}}}}";
    let value = engine.compile(text).expand(&mut engine.context()).unwrap();
    assert_eq!(value.display(), "other");
    assert!(fixture.asked().iter().all(|call| call.ends_with(" /b")), "{:?}", fixture.asked());
}

#[test]
fn an_error_says_what_where_and_of_which_sort() {
    let engine = Engine::builder().build();
    let fail = |text: &str| engine.compile(text).expand(&mut engine.context()).unwrap_err();
    let error = fail("${lc:A} $nosuch");
    assert_eq!(error.to_string(), "unknown variable name \"nosuch\"");
    assert_eq!((error.class(), error.kind()), (FailClass::Error, ErrorKind::UnknownName));
    let place = error.place().unwrap();
    assert_eq!(place.span.of(&place.source), b"$nosuch");
    let shown = format!("{error:#}");
    assert!(shown.contains("${lc:A} $nosuch") && shown.contains("^^^^^^^"), "{shown}");

    assert_eq!(fail("${if eq{a}{b}{c}fail}").class(), FailClass::Forced);
    let error = fail("${lookup testdb{defer}}");
    assert_eq!((error.class(), error.kind()), (FailClass::Defer, ErrorKind::Lookup));
    assert_eq!(fail("${expand:${lc:").kind(), ErrorKind::Syntax);
}

#[test]
fn faults_are_listed_without_evaluating() {
    let engine = Engine::builder().build();
    let rule = engine.compile("${if eq{a}{a}{$one}{${two:x}}} ${if eq{");
    let faults: Vec<String> =
        rule.faults().map(|f| String::from_utf8_lossy(&f.message).into_owned()).collect();
    assert_eq!(
        faults,
        [
            "unknown variable name \"one\"",
            "unknown expansion operator \"two\"",
            "missing } at end of string",
        ]
    );
}

#[test]
fn a_context_keeps_no_bindings_of_a_failure() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    let failing = engine.compile("${extract{a}{a=secret}{${nosuch:x}}}");
    assert!(failing.expand(&mut cx).is_err());
    let value = engine.compile("[$value]").expand(&mut cx).unwrap();
    assert_eq!(value.display(), "[]");
}

#[test]
fn forbidden_effects_are_refused_by_kind() {
    let engine = Engine::builder().forbid(Effects::CLOCK).limits(Limits::default()).build();
    let error = engine.compile("$tod_epoch").expand(&mut engine.context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[test]
fn an_expansion_belongs_to_its_engine() {
    let (one, other) = (Engine::builder().build(), Engine::builder().build());
    let rule = one.compile("${uc:$sender_address}");
    let mut cx = other.context();
    assert_eq!(rule.expand(&mut cx).unwrap_err().kind(), ErrorKind::OtherEngine);
    let mut batch = Batch::default();
    batch.parse(&one, b"${lc:A}");
    assert_eq!(batch.expand(0, &mut cx).unwrap_err().kind(), ErrorKind::OtherEngine);
    assert_eq!(batch.expand(0, &mut one.context()).unwrap().display(), "a");
    batch.parse(&other, b"${lc:B}");
    assert_eq!(batch.expand(1, &mut cx).unwrap_err().kind(), ErrorKind::OtherEngine);
    // Another outside leaves the words as they are.
    let mut cx = one.with_world(World::hermetic()).context();
    assert_eq!(rule.expand(&mut cx).unwrap().display(), "");
}

/// What few steps over short strings could do for a long time.
const GREEDY: &[&str] = &[
    "${map{$l}{${sg{$l}{a}{b}}}}",
    r"${map{$l}{${sg{$l}{}{\$0x}}}}",
    r"${map{$l}{${sg{$l}{^(a+:)+\$}{}}}}",
    "${sg{$l}{a}{$l}}",
    "${sort{$l}{<}{1}}",
    "${reduce{$l}{$l}{${tr{$value}{a}{b}}}}",
    "${filter{$l}{match{$l}{^(a*:?)*b}}}",
    "${map{$l}{$item}}${map{$l}{${uc:$l}${sha256:$l}}}",
];

fn with_list(engine: &Engine) -> Context {
    let mut cx = engine.context();
    cx.set("l", Str::clean("a:".repeat(30 << 10)));
    cx
}

#[test]
fn a_deadline_holds_whatever_the_steps_do() {
    let deadline = Duration::from_millis(200);
    let limits = Limits::default().steps(10_000).length(64 << 10).deadline(deadline);
    let engine = Engine::builder().limits(limits).build();
    let mut cx = with_list(&engine);
    for text in GREEDY {
        let begun = Instant::now();
        let result = engine.compile(text).expand(&mut cx);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{text}: {took:?}");
        let kind = result.err().map(|fail| fail.kind());
        assert!(matches!(kind, None | Some(ErrorKind::Limit | ErrorKind::Argument)), "{kind:?}");
    }
}

#[test]
fn bytes_are_bounded_where_steps_are_few() {
    let limits = Limits::default().steps(10_000).length(64 << 10).bytes(8 << 20);
    let engine = Engine::builder().limits(limits).build();
    for text in ["${map{$l}{${sg{$l}{a}{b}}}}", "${map{$l}{${uc:$l}}}"] {
        let fail = engine.compile(text).expand(&mut with_list(&engine)).unwrap_err();
        assert_eq!(fail.kind(), ErrorKind::Limit, "{fail}");
    }
    let limits = Limits::default().length(100);
    let engine = Engine::builder().limits(limits).build();
    let mut cx = engine.context();
    cx.set("x", Str::clean("0123456789".repeat(9)));
    assert!(engine.compile("$x").expand(&mut cx).is_ok());
    let fail = engine.compile("${hexquote:$x}${sg{$x}{.}{..}}").expand(&mut cx).unwrap_err();
    assert_eq!(fail.to_string(), "expansion stopped: a string is too long");
}

#[test]
fn another_thread_calls_an_evaluation_off() {
    let engine = Engine::builder().build();
    let mut cx = with_list(&engine);
    let canceller = cx.canceller();
    let endless = engine.compile("${map{$l}{${sg{$l}{a}{b}}}}");
    let fail = std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            canceller.cancel();
        });
        endless.expand(&mut cx).unwrap_err()
    });
    assert_eq!(fail.kind(), ErrorKind::Cancelled);
}

#[test]
fn text_from_outside_is_tainted_unless_it_is_said_to_be_clean() {
    let engine = Engine::builder().build();
    let rule = engine.compile("${expand:$x}");
    let mut cx = engine.context();
    cx.set("x", "${lc:A}");
    assert_eq!(rule.expand(&mut cx).unwrap_err().kind(), ErrorKind::Taint);
    cx.set("x", String::from("${lc:A}"));
    assert_eq!(rule.expand(&mut cx).unwrap_err().kind(), ErrorKind::Taint);
    cx.set("x", b"${lc:A}".as_slice());
    assert_eq!(rule.expand(&mut cx).unwrap_err().kind(), ErrorKind::Taint);
    cx.set_clean("x", "${lc:A}");
    assert_eq!(rule.expand(&mut cx).unwrap().display(), "a");
    cx.set("x", Str::from("${lc:B}"));
    assert_eq!(rule.expand(&mut cx).unwrap().display(), "b");
}

#[test]
fn a_configuration_is_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<eximious::Config>();
    shared::<eximious::Loaded>();
}

#[test]
fn a_value_is_found_out_whatever_was_used_up_before() {
    let engine = Engine::builder().limits(Limits::default().bytes(4096)).build();
    let mut cx = with_list(&engine);
    assert!(engine.compile("${uc:$l}").expand(&mut cx).is_err());
    assert_eq!(cx.get("tod_epoch").unwrap().unwrap().display(), "1000000000");
    let mut cx = engine.context();
    assert_eq!(cx.get("tod_epoch").unwrap().unwrap().display(), "1000000000");
}

#[test]
fn what_is_no_address_is_not_routed() {
    let text = "begin routers\nr:\n  driver = redirect\n  data = :blackhole:\n";
    let config = eximious::Config::parse(text).expect("a configuration");
    let loaded = Engine::builder().build().load(config);
    let routing = loaded.route("");
    let why = |(_, why): &(Str, eximious::route::RouteError)| why.message.clone();
    let whys: Vec<_> = routing.failures.iter().map(why).collect();
    assert_eq!(whys, [Some(b"syntax error: empty address".to_vec())]);
    assert!(loaded.route("<a@b.test>").failures.is_empty());
}
