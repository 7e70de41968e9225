//! The debugger, driven by a front that has its answers ready.

use std::sync::{Arc, Mutex};

use eximious::{Config, Engine, Str};
use eximious_workbench::bench::Bench;
use eximious_workbench::debugger::{Breakpoint, Front, Halt, Resume, StopReason, why};

const CONFIGURATION: &str = "\
acl_smtp_rcpt = outer
begin acl
inner:
  warn set acl_m_seen = inner
  deny senders = bad@evil.example
  accept
outer:
  require acl = inner
  warn set acl_m_seen = outer
  deny !domains = good.example
  accept
begin routers
first:
  driver = accept
  local_parts = nobody
  transport = null
second:
  driver = redirect
  data = :fail: gone
  allow_fail
begin transports
null:
  driver = appendfile
  file = /dev/null
  user = 1
  group = 1
";

/// What is done at a stop.
type Act = Box<dyn FnMut(&mut Halt<'_>) -> (String, Resume) + Send>;

struct Scripted {
    act: Act,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Front for Scripted {
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume {
        let (line, resume) = (self.act)(halt);
        self.seen.lock().unwrap().push(line);
        resume
    }
}

/// A bench whose stops are acted upon so, with these breakpoints.
fn bench(points: &[&str], act: Act) -> (Bench, Arc<Mutex<Vec<String>>>) {
    let config = Config::parse(CONFIGURATION).unwrap();
    let engine = Engine::builder().build();
    let mut bench = Bench::new(config, &engine);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let debugger = bench.debug_with(Box::new(Scripted { act, seen: seen.clone() }));
    debugger.change(|all| {
        for point in points {
            all.add(point.parse::<Breakpoint>().unwrap());
        }
    });
    (bench, seen)
}

fn at(halt: &Halt<'_>) -> String {
    let frame = halt.frames().last().unwrap();
    format!("{}: {}", frame.name, frame.at)
}

/// A session with one recipient.
fn session(bench: &mut Bench, sender: &str, recipient: &str) -> String {
    let cx = bench.loaded().context();
    bench.connect(&cx, "192.0.2.1:1".parse().unwrap());
    bench.say(b"EHLO x.example").unwrap();
    bench.say(format!("MAIL FROM:<{sender}>").as_bytes()).unwrap();
    let said = bench.say(format!("RCPT TO:<{recipient}>").as_bytes()).unwrap();
    String::from_utf8(said.reply).unwrap()
}

#[test]
fn steps_go_into_calls_and_next_passes_over_them() {
    let mut next =
        [Resume::Step, Resume::Step, Resume::Step, Resume::Next, Resume::Finish].into_iter();
    let act: Act = Box::new(move |halt| (at(halt), next.next().unwrap_or(Resume::Continue)));
    let (mut bench, seen) = bench(&["outer"], act);
    assert!(session(&mut bench, "a@b.example", "x@good.example").starts_with("250 "));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "acl outer: require",
            "acl outer: acl = inner",
            "acl inner: warn",
            "acl inner: set acl_m_seen = inner",
            "acl inner: deny",
            // That one is left.
            "acl outer: warn",
        ]
    );
}

#[test]
fn what_was_is_looked_at_and_what_is_can_be_changed() {
    let act: Act = Box::new(move |halt| {
        let now = halt.expand(b"$acl_m_seen").unwrap().display().into_owned();
        assert!(halt.is_now() && !halt.forward());
        while halt.back() {}
        let then = halt.expand(b"$acl_m_seen$domain").unwrap().display().into_owned();
        assert_eq!(halt.position().0, 1);
        while halt.forward() {}
        halt.context().set("domain", Str::tainted("good.example"));
        (format!("{now} {then}"), Resume::Continue)
    });
    let (mut bench, seen) = bench(&["outer:3"], act);
    // The statement refuses other domains, and this is another one by now.
    assert!(session(&mut bench, "a@b.example", "x@bad.example").starts_with("250 "));
    assert_eq!(*seen.lock().unwrap(), ["outer bad.example"]);
}

#[test]
fn refusals_changes_and_routers_stop_it() {
    let act: Act = Box::new(move |halt| {
        let line = match halt.reason() {
            StopReason::Changed(one) => {
                let (from, to) = (one.from.display(), one.to.display());
                format!("{} \"{from}\" \"{to}\"", one.name)
            }
            StopReason::Refused => format!("refused at {}", at(halt)),
            _ => at(halt),
        };
        (line, Resume::Continue)
    });
    let (mut bench, seen) = bench(&["on deny", "router second"], act);
    bench.debug_points(|points| {
        points.watch("$acl_m_seen");
    });
    assert!(session(&mut bench, "bad@evil.example", "x@good.example").starts_with("550 "));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "acl_m_seen \"\" \"inner\"",
            "refused at acl inner: senders = bad@evil.example",
            "refused at acl outer: acl = inner",
        ]
    );
    let because = why(&bench.happened());
    let whats: Vec<_> = because.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(whats, ["acl outer → deny, by require", "acl inner → deny, by deny"]);

    seen.lock().unwrap().clear();
    let cx = bench.loaded().context();
    let fates = bench.route(&cx, b"someone@good.example");
    assert_eq!(fates[0].to_string(), "someone@good.example is undeliverable: gone");
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "route someone@good.example: router second",
            "refused at route someone@good.example: router second"
        ]
    );
}

#[test]
fn what_is_no_breakpoint_says_so() {
    for text in ["", "a b", "acl:0", "acl:x", "f.conf:"] {
        assert!(text.parse::<Breakpoint>().is_err(), "{text}");
    }
    for (text, shown) in [("acl", "acl"), ("acl:2", "acl:2"), ("/e.conf:7", "/e.conf:7")] {
        assert_eq!(text.parse::<Breakpoint>().unwrap().to_string(), shown);
    }
}

#[test]
fn a_run_without_a_step_leaves_the_stop_to_the_next() {
    let act: Act = Box::new(move |halt| (at(halt), Resume::Continue));
    let (mut bench, seen) = bench(&[], act);
    bench.begin_with(Resume::Step);
    // Neither the client's connection nor MAIL has an ACL.
    assert!(session(&mut bench, "a@b.example", "x@good.example").starts_with("250 "));
    assert_eq!(*seen.lock().unwrap(), ["acl outer: require"]);
    // It was for one run.
    bench.say(b"RCPT TO:<y@good.example>").unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
}
