use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use eximious_core::world::{Civil, Clock, Fixture, Moment};

use super::super::{Forbidden, exim};
use super::*;
use crate::{Engine, Limits, Message, World};

fn context(world: World) -> Context {
    let mut cx = Engine::builder().world(world).build().context();
    for (name, value) in [
        ("local_part", "user"),
        ("domain", "here.test"),
        ("sender_address", "from@sender.test"),
        ("return_path", "from@sender.test"),
        ("home", "/home/user"),
        ("qualify_recipient", "here.test"),
    ] {
        cx.set_clean(name, value);
    }
    cx
}

fn filtered(text: &str, options: &FilterOptions) -> Filtered {
    exim(&mut context(World::hermetic()), text.as_bytes(), options, &mut ())
}

fn complaint(text: &str, options: &FilterOptions) -> String {
    match filtered(text, options).end {
        FilterEnd::Error(why) => String::from_utf8(why).unwrap(),
        end => format!("{end:?}"),
    }
}

#[test]
fn what_is_forbidden_has_its_words() {
    let forbid = Forbidden {
        dlfunc: true,
        existstest: true,
        lookup: true,
        perl: true,
        readfile: true,
        readsocket: true,
        run: true,
        ..Forbidden::default()
    };
    let options = FilterOptions { forbid, ..FilterOptions::default() };
    for (text, why) in [
        ("${dlfunc{/x}{y}}", "dynamically-loaded functions are not permitted"),
        ("${if exists{/x}{a}{b}}", "File existence tests are not permitted"),
        ("${stat:/x}", "Use of the stat() expansion is not permitted"),
        ("${lookup{a}lsearch{/x}}", "lookup expansions are not permitted"),
        ("${perl{x}}", "Perl calls are not permitted"),
        ("${readfile{/x}}", "file insertions are not permitted"),
        ("${readsocket{/x}{y}}", "socket insertions are not permitted"),
        ("${run{/x}}", "running a command is not permitted"),
    ] {
        let whole = format!("failed to expand \"{text}\" in deliver command: {why}");
        assert_eq!(complaint(&format!("deliver \"{text}\""), &options), whole);
    }
    let forbid = Forbidden { logwrite: true, ..Forbidden::default() };
    let options = FilterOptions { forbid, ..FilterOptions::default() };
    assert_eq!(complaint("logwrite x", &options), "logwrite command forbidden");
    assert_eq!(filtered("logfile /x", &options).end, FilterEnd::Finished);
    let forbid = Forbidden { exim_filter: true, ..Forbidden::default() };
    let options = FilterOptions { forbid, ..FilterOptions::default() };
    assert_eq!(complaint("foo", &options), "Exim filtering not enabled");
}

#[test]
fn what_is_allowed_ends_a_filter() {
    let options = FilterOptions { allow_fail: true, ..FilterOptions::default() };
    let done = filtered("deliver a@b fail text \"<<x>>y\" deliver c@d", &options);
    assert_eq!(done.end, FilterEnd::Fail("<<x>>y".into()));
    assert!(done.significant);
    assert_eq!(done.actions.len(), 2);
    let why = "filtering command \"freeze\" is disabled: near line 1 of filter file";
    assert_eq!(complaint("freeze", &options), why);
}

#[test]
fn deliveries_are_looked_at_where_they_are_meant() {
    let options = FilterOptions::default();
    assert_eq!(
        complaint("logwrite x", &options),
        "attempt to obey \"logwrite\" command without a previous \"logfile\""
    );
    assert_eq!(
        complaint("mail once_repeat 5q", &options),
        "Bad time value for \"once_repeat\" in mail or vacation command: 5q"
    );
    let files = |options: &FilterOptions| {
        let done = filtered("save x save /y save ~/z/ 640", options);
        let file = |action: &FilterAction| match action {
            FilterAction::Save { file, .. } => file.display().into_owned(),
            other => panic!("{other:?}"),
        };
        done.actions.iter().map(file).collect::<Vec<_>>()
    };
    assert_eq!(files(&options), ["/home/user/x", "/y", "/home/user/~/z/"]);
    let options = FilterOptions { prepend_home: false, ..options };
    assert_eq!(files(&options), ["x", "/y", "~/z/"]);
    let domain = Some("other.test".into());
    let options = FilterOptions { qualify: domain, ..options };
    let done = filtered("deliver a", &options);
    let FilterAction::Deliver { address, .. } = &done.actions[0] else { panic!("{done:?}") };
    assert_eq!(address.display(), "a@other.test");
}

#[test]
fn a_command_keeps_what_was_matched() {
    let text = "if foranyaddress \"x@y, a@b\" ($thisaddress matches \"(.)@b\")\n\
                then pipe \"/bin/x $1\" endif pipe /bin/y";
    let done = filtered(text, &FilterOptions::default());
    let FilterAction::Pipe { command, numeric, this_address, .. } = &done.actions[0] else {
        panic!("{done:?}")
    };
    assert_eq!(command.display(), "/bin/x $1");
    assert_eq!(numeric, &["a@b", "a"].map(Str::from));
    assert_eq!(this_address.display(), "a@b");
    let FilterAction::Pipe { this_address, .. } = &done.actions[1] else { panic!("{done:?}") };
    assert_eq!(this_address.display(), "");
}

#[test]
fn a_context_is_left_as_it_was() {
    let mut cx = context(World::hermetic());
    cx.set_clean("thisaddress", "before@x");
    cx.set_clean("sn2", "7");
    cx.set_message(Some(Message::new(
        vec![eximious_core::Header::new("Subject: =?utf-8?q?=c3=a4?=\n")],
        "",
    )));
    let text = "add 3 to n1 headers charset iso-8859-1 if \"a\" matches \"(a)\" then\n\
                testprint \"$n1 $1 $h_subject:\" endif if foranyaddress a@b (c is c) then\n\
                testprint x endif";
    cx.set_clean("recipients", "other@x");
    let text = format!("{text} testprint \"[$recipients] $sn1 $sn2\"");
    let done = exim(&mut cx, text.as_bytes(), &FilterOptions::default(), &mut ());
    assert_eq!(done.counters[1], 3);
    let last = done.actions.last();
    assert!(
        matches!(last, Some(FilterAction::TestPrint { text, .. }) if text.bytes() == b"[] 0 7")
    );
    let FilterAction::TestPrint { text, .. } = &done.actions[2] else { panic!("{done:?}") };
    assert_eq!(text.bytes(), b"3 a \xe4");
    let engine = cx.engine().clone();
    let after = engine.expand_once(b"$thisaddress|$1|$h_subject:|$recipients|$sn2", &mut cx);
    assert_eq!(after.unwrap().display(), "before@x||\u{e4}|other@x|7");
    assert!(engine.expand_once(b"$n1", &mut cx).is_err());
    assert!(engine.expand_once(b"$sn1", &mut cx).is_err());
}

#[test]
fn a_filter_comes_to_an_end() {
    let options = FilterOptions::default();
    let text = "if foranyaddress $h_to: (foranyaddress $h_to: (foranyaddress $h_to:\n\
                (foranyaddress $h_to: (a is b)))) then finish endif";
    let mut cx = context(World::hermetic());
    let line = format!("To: {}\n", vec!["a@b"; 500].join(", "));
    let headers = vec![eximious_core::Header::new(line)];
    cx.set_message(Some(Message::new(headers, "")));
    let done = exim(&mut cx, text.as_bytes(), &options, &mut ());
    assert_eq!(done.end, FilterEnd::Error(b"the filter takes too long".to_vec()));
    cx.set("acl_m_x", Str::from(vec![b'x'; 1 << 20]));
    let text = "testprint $acl_m_x\n".repeat(100);
    let done = exim(&mut cx, text.as_bytes(), &options, &mut ());
    assert_eq!(done.end, FilterEnd::Error(b"the filter wants too much done".to_vec()));
    assert!(done.actions.len() < 100);
}

/// Each look takes an hour.
struct Slow(AtomicI64);

impl Clock for Slow {
    fn now(&self) -> Moment {
        Moment { seconds: self.0.fetch_add(3600, Ordering::Relaxed), nanos: 0 }
    }
    fn civil(&self, _: Moment, _: Option<&str>) -> Civil {
        Civil::default()
    }
}

#[test]
fn time_is_bounded() {
    let world = World { clock: Arc::new(Slow(AtomicI64::new(0))), ..Fixture::new().world() };
    let limits = Limits::default().code(Duration::from_secs(60));
    let mut cx = Engine::builder().world(world).limits(limits).build().context();
    let done = exim(&mut cx, b"finish", &FilterOptions::default(), &mut ());
    assert_eq!(done.end, FilterEnd::Error(b"the filter takes too long".to_vec()));
}

#[test]
fn nesting_is_bounded() {
    let options = FilterOptions::default();
    for (open, inner, close) in [
        ("if a is a then ", "finish", " endif"),
        ("if (", "a is a", ") then finish endif"),
        ("if foranyaddress a (", "a is a", ") then finish endif"),
        ("if a is a or b is b and ", "a is a", " then finish endif"),
        ("if (a is a or b is b and ", "a is a", ") then finish endif"),
    ] {
        let (head, more) = open.split_once(' ').unwrap();
        let text = match close.starts_with(" endif") {
            true => [&open.repeat(5000), inner, &close.repeat(5000)].concat(),
            false => {
                let brackets = close.matches(')').count();
                let more = format!("{more} ").repeat(5000);
                let close = [&")".repeat(brackets * 5000), " then finish endif"].concat();
                [head, " ", &more, inner, &close].concat()
            }
        };
        let why = complaint(&text, &options);
        assert!(why.starts_with("conditions stand in each other too deep near"), "{open}: {why}");
    }
    // What is not deep may be long.
    let many = |word: &str| {
        let text = format!("if {} then deliver a endif", vec!["a is a"; 20_000].join(word));
        filtered(&text, &options).significant
    };
    assert!(many(" and ") && many(" or "));
    let text = format!("if a is b then finish {} endif", "elif a is b then finish ".repeat(20_000));
    assert_eq!(filtered(&text, &options).end, FilterEnd::Finished);
    let text = format!("if {}a is a then deliver a endif", "not ".repeat(100_000));
    assert!(filtered(&text, &options).significant);
}
