//! `perl`: answers like Exim's, and a process that can't do harm.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eximious::{Context, Engine, ErrorKind, FailClass, Limits, Settings, Str, opt};
use eximious_tests::fixtures::Fixtures;
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::show;
use eximious_tests::suite::Suite;

/// A configuration that wants the subroutines of the fixtures.
fn config(fixtures: &Fixtures) -> PathBuf {
    let file = fixtures.path().join("perl.conf");
    let text = fixtures.fill(b"perl_startup = do 'DIR/perl/exim.pl'\n");
    std::fs::write(&file, text).expect("a configuration");
    file
}

#[test]
fn lines_have_their_answers() {
    let fixtures = Fixtures::new();
    let config = config(&fixtures);
    let suite = Suite::read(Path::new(&fixtures.path().join("perl/answers.txt")));
    let lines: Vec<Vec<u8>> = suite.cases.iter().map(|case| fixtures.fill(&case.input)).collect();
    let theirs = Reference::find().map(|r| r.with_config(&config).ask(&lines, None));
    let mut ours = Ours::with_config(&config);
    for (number, (case, line)) in suite.cases.iter().zip(&lines).enumerate() {
        let answer = fixtures.hide(&ours.answer(line));
        assert_eq!(show(&answer), show(&case.output), "{}", show(line));
        if let Some(theirs) = &theirs {
            let Answer::Said(said) = &theirs[number] else { panic!("Exim died") };
            assert_eq!(show(&fixtures.hide(said)), show(&answer), "{}", show(line));
        }
    }
    assert!(suite.cases.len() > 80);
}

/// What a start-up code and lines come to, of both programs.
#[test]
fn startup_code_is_evaluated() {
    let fixtures = Fixtures::new();
    let reference = Reference::find();
    for (code, lines) in [
        ("die \"x\\n\"; sub foo { 1 }", "${perl{foo}}"),
        ("die \"x\"", "${perl{foo}}"),
        ("sub foo {", "${perl{foo}}\n${perl{foo}}"),
        ("do '/nosuch'", "${perl{foo}}"),
        ("sub foo { 1 } eval { die \"inner\\n\" }; 1", "${perl{foo}}"),
        ("sub foo { 1 } eval 'sub {'; 1", "${perl{foo}}"),
        ("require '/nosuch'; sub foo { 5 }", "${perl{foo}}"),
        ("", "${perl{foo}}"),
        ("warn 'starting'; sub foo { 5 }", "${perl{foo}}"),
        ("our $x = Exim::expand_string('${uc:ab}'); sub foo { $x }", "${perl{foo}}"),
        ("our $x = Exim::expand_string('${nosuch:x}'); sub foo { $x }", "${perl{foo}}"),
        ("sub foo { die 'here' }", "${perl{foo}}"),
        ("sub foo { join '|', caller(0), __FILE__, __LINE__ }", "${perl{foo}}"),
        ("use strict; sub foo { eval q{$zz = 1; 1} ? 'lax' : 'strict' }", "${perl{foo}}"),
        ("package Foo; sub foo { __PACKAGE__ }", "${perl{foo}}\n${perl{Foo::foo}}"),
        ("sub foo { 'x' } 0;", "${perl{foo}}"),
        ("$SIG{__DIE__} = sub { die \"H:$_[0]\" }; sub foo { nosuch() }", "${perl{foo}}"),
        (
            "use utf8; sub foo { 'é' } sub bar { die \"\\x{263a}\\n\" }",
            "${perl{foo}}\n${perl{bar}}",
        ),
        (
            "sub foo { local $_ = 1; Exim::expand_string('${perl{bar}}') . $_ } sub bar { $_ = 2 }",
            "${perl{foo}}",
        ),
        ("sub foo { 1 } # no end of line", "${perl{foo}}"),
        ("sub foo { 2 }\\\n__END__\\\nnonsense {{{", "${perl{foo}}"),
        ("sub foo { @_ = (); exists $Eximious::{take} ? 3 : 3 }", "${perl{foo}{a}}"),
        ("sub foo { ${^TAINT} }", "${perl{foo}}"),
        ("sub foo { ${^TAINT} }\nperl_taintmode", "${perl{foo}}"),
        (
            "sub foo { eval { system(\"true $_[0]\"); 1 } ? 'ok' : $@ }\nperl_taintmode = true",
            "${perl{foo}{/tmp/x}}",
        ),
    ] {
        let file = fixtures.path().join("startup.conf");
        std::fs::write(&file, format!("perl_startup = {code}\n")).unwrap();
        let lines: Vec<Vec<u8>> = lines.lines().map(|line| line.as_bytes().to_vec()).collect();
        let mut ours = Ours::with_config(&file);
        let ours: Vec<Answer> = lines.iter().map(|line| Answer::Said(ours.answer(line))).collect();
        if let Some(reference) = &reference {
            assert_eq!(reference.with_config(&file).ask(&lines, None), ours, "{code}");
        }
    }
}

fn engine(code: &str) -> Engine {
    engine_with(code, Duration::from_secs(20))
}

fn engine_with(code: &str, time: Duration) -> Engine {
    let mut settings = Settings::default();
    settings.set(opt::PERL_STARTUP, Str::from(code));
    let limits = Limits::default().code(time).length(1 << 20);
    Engine::builder().world(eximious_world::system()).settings(settings).limits(limits).build()
}

fn subroutines(time: Duration) -> (Fixtures, Engine) {
    let fixtures = Fixtures::new();
    let code = fixtures.fill(b"do 'DIR/perl/exim.pl'");
    let engine = engine_with(&String::from_utf8_lossy(&code), time);
    (fixtures, engine)
}

fn answer(engine: &Engine, cx: &mut Context, text: &str) -> String {
    match engine.compile(text).expand(cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

#[test]
fn each_context_has_its_own() {
    let (_fixtures, engine) = subroutines(Duration::from_secs(20));
    let (mut one, mut other) = (engine.context(), engine.context());
    assert_eq!(answer(&engine, &mut one, "${perl{count}}${perl{count}}"), "12");
    assert_eq!(answer(&engine, &mut other, "${perl{count}}"), "1");
    assert_eq!(answer(&engine, &mut one, "${perl{count}}"), "3");
}

#[test]
fn perl_at_start_runs_the_start_up_code_before_anything_else() {
    let started = |code: Option<&str>, at_start: bool| {
        let mut settings = Settings::default();
        if let Some(code) = code {
            settings.set(opt::PERL_STARTUP, code);
        }
        settings.set(opt::PERL_AT_START, at_start);
        let engine = Engine::builder().world(eximious_world::system()).settings(settings).build();
        engine.context().start().map_err(|fail| fail.to_string())
    };
    let told = "error in perl_startup code: Compilation error\n";
    assert_eq!(started(Some("sub x {"), true), Err(told.to_owned()));
    assert_eq!(started(Some("sub x {"), false), Ok(()));
    assert_eq!(started(Some("sub x { 1 }"), true), Ok(()));
    // As in Exim, code that dies is not complained of; nor is none at all.
    assert_eq!(started(Some("die 'ouch'"), true), Ok(()));
    assert_eq!(started(None, true), Ok(()));
}

#[test]
fn what_perl_prints_disturbs_nothing() {
    let (_fixtures, engine) = subroutines(Duration::from_secs(20));
    let mut cx = engine.context();
    for _ in 0..3 {
        assert_eq!(answer(&engine, &mut cx, "${perl{prints}}"), "printed");
        assert_eq!(answer(&engine, &mut cx, "${perl{shouts}}"), "shouted");
        assert_eq!(answer(&engine, &mut cx, "${perl{input}}"), "end");
        assert_eq!(answer(&engine, &mut cx, "${perl{forks}}"), "forked");
    }
    assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
}

#[test]
fn an_end_is_told_and_the_next_call_starts_anew() {
    let (_fixtures, engine) = subroutines(Duration::from_secs(20));
    let mut cx = engine.context();
    assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
    let told = "Failed: Perl subroutine \"exits\" ended the Perl interpreter with exit code 3";
    assert_eq!(answer(&engine, &mut cx, "${perl{exits}}"), told);
    assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
    let told = "Failed: Perl subroutine \"kills\" ended the Perl interpreter by signal 9";
    assert_eq!(answer(&engine, &mut cx, "${perl{kills}}"), told);
    assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
    let fail = engine.compile("${perl{undefined}}").expand(&mut cx).unwrap_err();
    assert_eq!(fail.class(), FailClass::Forced);
}

#[test]
fn an_end_within_an_expansion_ends_all_of_it() {
    let (_fixtures, engine) = subroutines(Duration::from_secs(20));
    let mut cx = engine.context();
    let told = answer(&engine, &mut cx, "${perl{expand}{\\${perl{exits\\}\\}}}");
    assert!(told.contains("ended the Perl interpreter"), "{told}");
    assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
}

#[test]
fn startup_code_that_ends_perl_is_an_error() {
    let engine = engine("exit 4");
    let mut cx = engine.context();
    let told = "Failed: perl_startup code ended the Perl interpreter with exit code 4";
    assert_eq!(answer(&engine, &mut cx, "${perl{foo}}"), told);
    assert_eq!(answer(&engine, &mut cx, "${perl{foo}}"), told);
}

#[test]
fn every_wait_has_an_end() {
    let (_fixtures, engine) = subroutines(Duration::from_millis(1500));
    let mut cx = engine.context();
    for (text, name) in [
        ("${perl{sleeps}{100}}", "sleeps"),
        ("${perl{spins}}", "spins"),
        ("${perl{expand}{\\${perl{spins\\}\\}}}", "expand"),
    ] {
        let start = Instant::now();
        let told = answer(&engine, &mut cx, text);
        assert!(told.contains("timed out") || told.contains("ended"), "{name}: {told}");
        assert!(start.elapsed() < Duration::from_secs(10), "{name}: {:?}", start.elapsed());
        assert_eq!(answer(&engine, &mut cx, "${perl{count}}"), "1");
    }
    let too_much = "Failed: Perl subroutine \"big\" returned more than 1048576 bytes";
    assert_eq!(answer(&engine, &mut cx, "${perl{big}{2000000}}"), too_much);
    // A subroutine that calls itself by expansions comes to an end.
    let told = answer(&engine, &mut cx, "${perl{recurse}{1000}}");
    assert!(told.starts_with("Failed: "), "{told}");
    assert_eq!(answer(&engine, &mut cx, "${perl{foo}{a}}"), "foo(a)");
}

#[test]
fn the_process_goes_with_its_context() {
    let (_fixtures, engine) = subroutines(Duration::from_secs(20));
    let mut cx = engine.context();
    let process = PathBuf::from(format!("/proc/{}", answer(&engine, &mut cx, "${perl{process}}")));
    assert!(process.exists());
    drop(cx);
    assert!(!process.exists());
}

#[test]
fn tainted_data_is_not_expanded_by_way_of_perl() {
    let (fixtures, engine) = subroutines(Duration::from_secs(20));
    let mark = fixtures.path().join("mark");
    let mut cx = engine.context();
    let attack = format!("${{run{{/usr/bin/touch {}}}}}", mark.display());
    cx.set("local_part", Str::tainted(attack.as_bytes()));
    cx.set("domain", Str::tainted(b"example.com".as_slice()));
    for text in [
        "${perl{expand}{$local_part}}",
        "${perl{expand}{x$local_part@$domain}}",
        "${perl{expand_within}{$local_part}}",
        "${perl{expand_list}{$local_part}{b}}",
        "${expand:${perl{foo}{$local_part}}}",
        "${expand:${perl{foo}{a}{$local_part}}}",
    ] {
        let _ = answer(&engine, &mut cx, text);
        assert!(!mark.exists(), "{text}");
    }
    let fail = engine.compile("${expand:${perl{foo}{$local_part}}}").expand(&mut cx).unwrap_err();
    assert_eq!(fail.kind(), ErrorKind::Taint);
    // What is no danger loses its taint, as in Exim, and the configuration's
    // own strings are expanded with what they name.
    assert_eq!(answer(&engine, &mut cx, "${expand:${perl{foo}{$domain}}}"), "foo(example.com)");
    assert_eq!(answer(&engine, &mut cx, "${perl{expand}{\\$domain}}"), "[example.com]");
    let within = "${perl{expand_values}{$local_part}}";
    assert_eq!(answer(&engine, &mut cx, within), format!("{attack}///"));
}

#[test]
fn perl_and_run_are_forbidden_apart() {
    use eximious::Effects;
    let mut settings = Settings::default();
    settings.set(opt::PERL_STARTUP, Str::from("sub foo { 'perl' }"));
    let world = eximious_world::system();
    let builder = Engine::builder().world(world).settings(settings);
    let engine = builder.clone().forbid(Effects::RUN).build();
    assert_eq!(answer(&engine, &mut engine.context(), "${perl{foo}}"), "perl");
    let engine = builder.forbid(Effects::FOREIGN).build();
    assert_eq!(answer(&engine, &mut engine.context(), "${run{/bin/echo -n run}}"), "run");
}
