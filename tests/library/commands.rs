//! `run`: what no line of a suite can show.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use eximious::{Context, Effects, Engine, ErrorKind, Fail, Limits, Settings, Str, Taint, opt};
use eximious_tests::fixtures::Fixtures;

/// An engine on the system.
fn engine() -> Engine {
    engine_with(Settings::default(), Duration::from_secs(60))
}

fn engine_with(settings: Settings, patience: Duration) -> Engine {
    let limits = Limits::default().command(patience).length(1 << 20);
    Engine::builder().world(eximious_world::system()).settings(settings).limits(limits).build()
}

fn answer(engine: &Engine, cx: &mut Context, text: &str) -> Result<String, Fail> {
    engine.compile(text).expand(cx).map(|value| value.display().into_owned())
}

/// What a line fails with, and how soon.
fn failure(text: &str) -> (String, Duration) {
    let engine = engine_with(Settings::default(), Duration::from_millis(500));
    let start = Instant::now();
    let fail = answer(&engine, &mut engine.context(), text).expect_err(text);
    (fail.to_string(), start.elapsed())
}

/// Whether any process has these bytes in its command line.
fn is_running(mark: &str) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes.flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.windows(mark.len()).any(|window| window == mark.as_bytes())
    })
}

#[test]
fn no_command_runs_for_ever() {
    // Each holds the output open, or itself, in its own way; the marks tell the
    // processes of this test from any others.
    for (number, command) in [
        "/bin/sleep 1000.37001",
        "/bin/sh -c 'trap \"\" TERM INT HUP; echo a; /bin/sleep 1000.37002; echo b'",
        "/bin/sh -c '/bin/sleep 1000.37003 & echo a'",
        "/bin/sh -c 'exec >/dev/null 2>&1; /bin/sleep 1000.37004; true'",
        "/bin/sh -c 'kill -STOP \\$\\$; : 1000.37005'",
        "/bin/sh -c 'while :; do echo 1000.37006; /bin/sleep 0.01; done'",
    ]
    .into_iter()
    .enumerate()
    {
        let (message, time) = failure(&format!("${{run{{{command}}}}}"));
        assert_eq!(message, "command timed out", "{command}");
        assert!(time < Duration::from_secs(10), "{command}: {time:?}");
        let mark = format!("1000.3700{}", number + 1);
        // The system takes a moment to clear away what was killed.
        let end = Instant::now() + Duration::from_secs(5);
        while is_running(&mark) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!is_running(&mark), "still there: {command}");
    }
}

#[test]
fn no_command_writes_for_ever() {
    let engine = engine();
    let failure = |text: &str| {
        let start = Instant::now();
        let fail = answer(&engine, &mut engine.context(), text).expect_err(text);
        (fail.to_string(), start.elapsed())
    };
    let (message, time) = failure("${run{/usr/bin/yes}}");
    assert_eq!(message, "command wrote more than 1048576 bytes");
    assert!(time < Duration::from_secs(20), "{time:?}");
    let (message, _) = failure("${run{/bin/cat /dev/zero}{y}{n}}");
    assert_eq!(message, "command wrote more than 1048576 bytes");
}

#[test]
fn a_command_that_ends_leaves_its_children_alone() {
    let engine = engine();
    let text = "${run{/bin/sh -c '/bin/sleep 2.37101 >/dev/null 2>&1 & echo a'}}";
    let start = Instant::now();
    assert_eq!(answer(&engine, &mut engine.context(), text).unwrap(), "a\n");
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(is_running("2.37101"));
}

#[test]
fn failures_leave_the_code_of_the_last_command() {
    let engine = engine();
    let mut cx = engine.context();
    answer(&engine, &mut cx, "${run{/bin/sh -c 'echo out; exit 7'}}").unwrap();
    assert_eq!(answer(&engine, &mut cx, "$runrc/$value").unwrap(), "7/out\n");
    answer(&engine, &mut cx, "${run{/bin/sh -c 'kill -9 \\$\\$'}}").unwrap_err();
    assert_eq!(answer(&engine, &mut cx, "$runrc/$value").unwrap(), "-9/");
}

#[test]
fn the_policy_forbids() {
    let refused = |effects: Effects, text: &str| {
        let world = eximious_world::system();
        let engine = Engine::builder().world(world).forbid(effects).build();
        let fail = engine.compile(text).expand(&mut engine.context()).expect_err(text);
        assert_eq!(fail.kind(), ErrorKind::Forbidden, "{text}");
        fail.to_string()
    };
    // Before anything else is looked at, as Exim does in a filter that is not
    // to do this.
    for text in ["${run{/bin/echo a}}", "${run,foo{$nosuch}}", "${run{$nosuch"] {
        assert_eq!(refused(Effects::RUN, text), "running a command is not permitted");
    }
    for text in ["${readsocket{/nosuch}{a}{}{}{f}}", "${readsocket{$nosuch}}"] {
        assert_eq!(refused(Effects::NET, text), "socket insertions are not permitted");
    }
    for text in ["${perl{foo}}", "${perl{$nosuch}}"] {
        assert_eq!(refused(Effects::FOREIGN, text), "Perl calls are not permitted");
    }
}

#[test]
fn the_environment_is_what_the_options_say() {
    let settings = |keep: &str, add: &str, zone: Option<&str>| {
        let mut settings = Settings::default();
        settings.set(opt::KEEP_ENVIRONMENT, Str::from(keep));
        settings.set(opt::ADD_ENVIRONMENT, Str::from(add));
        if let Some(zone) = zone {
            settings.set(opt::TIMEZONE, zone);
        }
        settings
    };
    let environment = |settings: Settings| {
        let engine = engine_with(settings, Duration::from_secs(60));
        let text = answer(&engine, &mut engine.context(), "${run{/usr/bin/env}}").unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(environment(settings("", "", None)), [""; 0]);
    let add = "A=1 : B : C= : A=2 : E=a::b";
    assert_eq!(environment(settings("", add, None)), ["A=2", "C=", "E=a:b"]);
    let zone = Some("Europe/Berlin");
    assert_eq!(environment(settings("", "", zone)), ["TZ=Europe/Berlin"]);
    let home = std::env::var("HOME").unwrap_or_default();
    assert_eq!(environment(settings("HOME", "", None)), [format!("HOME={home}")]);
    assert_eq!(environment(settings("^HO[M]E\\$", "HOME=/x", None)), ["HOME=/x"]);
    let all = environment(settings("!HOME", "", None));
    assert!(all.len() > 1 && !all.iter().any(|line| line.starts_with("HOME=")), "{all:?}");
}

#[test]
fn files_of_a_command_are_its_users_own() {
    let fixtures = Fixtures::new();
    let file = fixtures.path().join("made");
    let engine = engine();
    let text = format!("${{run{{/usr/bin/touch {}}}}}", file.display());
    answer(&engine, &mut engine.context(), &text).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_word_is_made_or_lost_by_a_value() {
    let engine = engine();
    let mut cx = engine.context();
    for value in ["", "a b", "\"a b\" 'c", "'", "\"", "\\", "a\nb", "$(id)", "`id`", "; id", "*"] {
        for taint in [Taint::Clean, Taint::Tainted] {
            cx.set("word", Str::from(value).stamped(taint));
            let text = "${run{/usr/bin/printf [%s] x $word y}}";
            assert_eq!(answer(&engine, &mut cx, text).unwrap(), format!("[x][{value}][y]"));
        }
    }
}

#[test]
fn names_known_only_here_stand_in_commands() {
    let engine = engine();
    let mut cx = engine.context();
    cx.set("who", Str::from("World"));
    let text = "${run{/bin/echo -n ${lc:$who} ${uc:$who}}}";
    assert_eq!(answer(&engine, &mut cx, text).unwrap(), "world WORLD");
    let text = "${if eq{a}{b}{${run{/bin/echo $who x}}}{skipped}}";
    assert_eq!(answer(&engine, &mut cx, text).unwrap(), "skipped");
    let text = "${run{/bin/echo $nobody x}}";
    let fail = answer(&engine, &mut cx, text).unwrap_err();
    assert_eq!(fail.to_string(), "missing '}' closing command arg of run");
}

#[test]
fn tainted_programs_are_not_run() {
    let engine = engine();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"/bin/echo".as_slice()));
    for text in [
        "${run{$local_part a}}",
        "${run{\"$local_part\" a}{yes}{no}}",
        "${run{/bin/..$local_part a}}",
        "${run,preexpand{$local_part a}}",
        "${run,preexpand{/bin/echo $local_part}{yes}{no}}",
        "${run,preexpand{/bin/echo ${lc:$local_part}}{yes}{no}}",
    ] {
        let fail = answer(&engine, &mut cx, text).expect_err(text);
        assert_eq!(fail.to_string(), "couldn't create child process: Operation not permitted");
        assert_eq!(fail.kind(), ErrorKind::Taint);
    }
    assert_eq!(answer(&engine, &mut cx, "${run{/bin/echo $local_part}}").unwrap(), "/bin/echo\n");
}

#[test]
fn cve_2019_10149_an_address_with_a_command_runs_nothing() {
    let fixtures = Fixtures::new();
    let mark = fixtures.path().join("mark");
    let attack = format!("${{run{{/usr/bin/touch {}}}}}", mark.display());
    let engine = engine();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(attack.as_bytes()));
    cx.set("domain", Str::tainted(b"localhost".as_slice()));
    for text in [
        "$local_part@$domain",
        "${local_part:$local_part@$domain}",
        "${lc:${quote_local_part:$local_part}}",
        "${run{/bin/echo $local_part@$domain}}",
        "${run{/bin/echo \"$local_part\" '$local_part'}{$value}}",
        "${run{/bin/sh -c 'echo \"\\$1\"' sh $local_part}{$value$value}}",
        "${map{$local_part}{$item}}",
        "${sg{x}{x}{$local_part}}",
        "${if match{$local_part}{^(.*)\\$}{$1}}",
        "${reduce{$local_part}{}{$value$item}}",
        "${sort{$local_part}{<}{$item}}",
        "${if eq{$local_part}{${expand:$domain}}{a}{$local_part}}",
    ] {
        let _ = answer(&engine, &mut cx, text);
        assert!(!mark.exists(), "{text}");
    }
    // Where an expansion is asked for, it is refused, also of what went
    // through a command.
    for text in [
        "${expand:$local_part}",
        "${expand:${run{/bin/echo -n $local_part}}}",
        "${expand:${run{/bin/echo -n <$local_part>}{$value}}}",
        "${expand:${run{/bin/sh -c 'echo \"\\$1\"; exit 1' sh $local_part}{}{$value}}}",
    ] {
        let fail = answer(&engine, &mut cx, text).expect_err(text);
        assert_eq!(fail.kind(), ErrorKind::Taint, "{text}: {fail}");
        assert!(!mark.exists(), "{text}");
    }
}

#[test]
fn cve_2021_28012_no_descriptor_is_handed_on() {
    // What any program that this test starts has open: the three standard ones,
    // what the test itself was handed, and the listing's own.
    let listed = |text: &str| text.lines().count();
    let plain = Command::new("/bin/ls").arg("/proc/self/fd").output().unwrap();
    let expected = listed(&String::from_utf8_lossy(&plain.stdout));
    let engine = {
        let mut settings = Settings::default();
        settings.set(
            opt::PERL_STARTUP,
            Str::from(
                "sub list { open(my $d, '-|', '/bin/ls /proc/self/fd'); my @l = <$d>; scalar(@l) }",
            ),
        );
        engine_with(settings, Duration::from_secs(60))
    };
    let mut cx = engine.context();
    // Perl and its channel, a listener and a connection are there meanwhile.
    assert_eq!(
        answer(&engine, &mut cx, "${perl{list}}").unwrap(),
        expected.to_string(),
        "of Perl's child"
    );
    let fixtures = Fixtures::new();
    let path = fixtures.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let connections: Vec<_> = listener.incoming().take(1).collect();
        std::thread::sleep(Duration::from_secs(3));
        drop(connections);
    });
    let other = engine.clone();
    let question = format!("${{readsocket{{{}}}{{x}}{{2s}}{{}}{{late}}}}", path.display());
    let asking = std::thread::spawn(move || {
        answer(&other, &mut other.context(), &question).unwrap_or_default()
    });
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..5 {
        let text = answer(&engine, &mut cx, "${run{/bin/ls /proc/self/fd}}").unwrap();
        assert_eq!(listed(&text), expected, "{text}");
    }
    assert_eq!(asking.join().unwrap(), "late");
}

#[test]
fn many_run_at_once() {
    let engine = engine();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let engine = engine.clone();
            std::thread::spawn(move || {
                let mut cx = engine.context();
                for round in 0..10 {
                    let text = format!("${{run{{/bin/echo -n {number} {round}}}}}");
                    assert_eq!(
                        answer(&engine, &mut cx, &text).unwrap(),
                        format!("{number} {round}")
                    );
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
