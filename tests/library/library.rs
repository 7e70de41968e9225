//! The library as an embedder meets it.

use eximious::world::{Fixed, Fixture, Moment};
use eximious::{
    Captures, Context, Effects, Engine, ErrorKind, Expansion, Fail, FailClass, Limits, Str, World,
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
