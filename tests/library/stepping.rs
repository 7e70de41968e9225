//! Whoever steps through a configuration sees what happens without it: random ACLs and
//! sessions, with a debugger that stops at each step and looks around, and without one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eximious::world::Fixture;
use eximious::{Config, Engine, Limits, Macros};
use eximious_tests::{dice, hunt};
use eximious_workbench::bench::Bench;
use eximious_workbench::debugger::{Front, Halt, Resume};

/// How long questions are asked, unless `EXIMIOUS_SECONDS` says so.
const ASKED: Duration = Duration::from_secs(6);

/// Stops everywhere, and looks around.
struct Curious(Arc<AtomicUsize>);

impl Front for Curious {
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let _ = halt.expand(b"$acl_m_x $acl_c_x $local_part $sender_address $recipients_count");
        if number.is_multiple_of(3) {
            while halt.back() {}
            let _ = halt.expand(b"${if eq{$local_part}{ann}{$sender_host_address}}");
            while halt.forward() {}
        }
        match number % 11 {
            5 => Resume::Next,
            7 => Resume::Finish,
            _ => Resume::Step,
        }
    }
}

/// A case: its files, and for each session the client and what it says.
#[derive(Default)]
struct Question {
    files: Vec<(String, String)>,
    sessions: Vec<(String, String)>,
}

fn parsed(text: &str) -> Question {
    let mut question = Question::default();
    let mut in_file = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("+++ ") {
            question.files.push((name.to_owned(), String::new()));
            in_file = true;
        } else if let Some(head) = line.strip_prefix("? ") {
            let host = head.split_whitespace().skip_while(|word| *word != "-bh").nth(1);
            question.sessions.push((host.unwrap_or("192.0.2.1").to_owned(), String::new()));
            in_file = false;
        } else if in_file {
            let (_, text) = question.files.last_mut().expect("a file");
            *text += &format!("{line}\n").replace("DIR", "/case");
        } else if let (Some(said), Some((_, all))) =
            (line.strip_prefix("> "), question.sessions.last_mut())
        {
            *all += &format!("{said}\n");
        }
    }
    question
}

/// What is said in a session, by both and to the log.
fn said(
    question: &Question,
    host: &str,
    script: &str,
    stops: Option<&Arc<AtomicUsize>>,
) -> Option<Vec<String>> {
    let mut fixture = Fixture::new();
    for (name, text) in &question.files {
        fixture = fixture.file(&format!("/case/{name}"), text);
    }
    let world = fixture.world();
    let limits = Limits::default().steps(200_000).length(1 << 20);
    let builder = Engine::builder().limits(limits);
    let config =
        Config::read(b"/case/exim.conf", Macros::new(), &world, builder.registry()).ok()?;
    let engine = config.build(builder.world(world));
    let mut bench = Bench::new(config, &engine);
    if let Some(stops) = stops {
        bench.debug_with(Box::new(Curious(stops.clone())));
        bench.begin_with(Resume::Step);
    }
    let client = host.parse().map(|ip| std::net::SocketAddr::new(ip, 4711)).ok()?;
    let lines = bench.session(&engine.context(), client, script.as_bytes());
    Some(lines.iter().flat_map(|line| line.lines()).collect())
}

#[test]
fn to_look_at_a_run_changes_nothing() {
    let first = dice::seed();
    let end = Instant::now() + dice::patience(ASKED);
    let (stops, mut count) = (Arc::new(AtomicUsize::new(0)), 0);
    for seed in first.. {
        if Instant::now() > end {
            break;
        }
        let kind = [hunt::Kind::Acl, hunt::Kind::Session][(seed % 2) as usize];
        let question = parsed(&hunt::question(kind, seed));
        for (host, script) in &question.sessions {
            let Some(plain) = said(&question, host, script, None) else { continue };
            let stepped = said(&question, host, script, Some(&stops));
            assert_eq!(
                stepped.as_ref(),
                Some(&plain),
                "seed {seed}: {}",
                hunt::question(kind, seed)
            );
            count += 1;
        }
    }
    let stops = stops.load(Ordering::Relaxed);
    println!("{count} sessions, {stops} stops");
    assert!(count > 10 && stops > 10, "{count} sessions, {stops} stops");
}
