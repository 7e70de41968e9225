//! Patterns that a sender could make explode, and many of them at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eximious::trace::{TraceEvent, TraceKinds, TraceObserver};
use eximious::world::Fixture;
use eximious::{Context, Engine, Str};

#[test]
fn a_match_that_would_take_too_long_is_none() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("acl_m_x", Str::tainted([b"a".repeat(2000), b"!".to_vec()].concat()));
    // The last two stay with PCRE2, which gives up.
    for pattern in ["^(a+)+$", "^(a|a)+$", "^(?:a|aa)+$", "^(a*)*$", "^(?=a)(a+)+$"] {
        let line = format!("${{if match{{$acl_m_x}}{{\\N{pattern}\\N}}{{yes}}{{no}}}}");
        let began = Instant::now();
        for _ in 0..5 {
            let said = engine.expand_once(line.as_bytes(), &mut cx);
            assert_eq!(said.expect(pattern).display(), "no", "{pattern}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{pattern}");
        for (line, wanted) in [
            (format!("${{sg{{aab}}{{\\N{pattern}\\N}}{{x}}}}"), "aab"),
            (format!("${{sg{{aaa}}{{\\N{pattern}\\N}}{{x}}}}"), "x"),
            (format!("${{if match{{aaa}}{{\\N{pattern}\\N}}{{<$0>}}{{no}}}}"), "<aaa>"),
        ] {
            let said = engine.expand_once(line.as_bytes(), &mut cx).expect(pattern);
            assert_eq!(said.display(), wanted, "{line}");
        }
    }
}

/// Somebody to whom each step of a list is told, so that each is taken.
struct Witness;

impl TraceObserver for Witness {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::LIST
    }

    fn happened(&self, _: &TraceEvent<'_>) {}
}

/// Items of all sorts, most of them patterns.
fn items() -> Vec<String> {
    let mut all: Vec<String> = (0..300)
        .map(|number| match number % 50 {
            7 => format!("!^no{number}(\\\\d*)\\$"),
            19 => format!("plain{number}"),
            23 => format!("*.suffix{number}"),
            31 => format!("^(?=x)x{number}"),
            41 => format!("!plain{number}"),
            _ => format!("^Pat{number}(.)?(\\\\w*)"),
        })
        .collect();
    all.push("^.*end(ing)?\\$".to_owned());
    all
}

fn subjects() -> Vec<String> {
    let mut all: Vec<String> = (0..300)
        .step_by(7)
        .flat_map(|number| {
            [format!("pat{number}-yes"), format!("Pat{number}"), format!("x{number}")]
        })
        .collect();
    let others =
        ["no7", "no57", "no57x", "plain19", "plain41", "a.suffix23", "the ending", "", "?"];
    all.extend(others.map(str::to_owned));
    all
}

#[test]
fn many_patterns_at_once_are_as_one_after_the_other() {
    let items = items();
    let list = items.join(" : ");
    let lines = items.join("\n").replace("\\\\", "\\").replace("\\$", "$");
    let keys: String =
        lines.lines().map(|line| format!("{line}: data of {}\n", &line[1..])).collect();
    let marked = keys.lines().map(|line| match line.split_once(": ") {
        Some((key, data)) if key.contains(['\\', '$']) => {
            let (negation, key) = key.strip_prefix('!').map_or(("", key), |key| ("!", key));
            format!("\"{negation}\\\\N{}\\\\N\": {data}\n", key.replace('\\', "\\\\"))
        }
        _ => format!("{line}\n"),
    });
    let world = Fixture::new()
        .file("/list", lines.clone())
        .file("/plain", keys.clone())
        .file("/marked", marked.collect::<String>())
        .world();
    let engine = Engine::builder().world(world).build();
    let (mut planned, mut watched) = (engine.context(), engine.context());
    watched.observe(Arc::new(Witness));
    let shown = "{yes <$0><$1><$2> $value}{no}";
    let address = list.replace(" : ", "@x : ").replace("\\$@x", "@x\\$");
    let asked = [
        format!("${{if match_domain{{$acl_m_x}}{{{list}}}{shown}}}"),
        format!("${{if match_local_part{{$acl_m_x}}{{{list}}}{shown}}}"),
        format!("${{if match_local_part{{$acl_m_x}}{{+caseful : {list}}}{shown}}}"),
        format!("${{if match_address{{$acl_m_x@x}}{{{address}}}{shown}}}"),
        format!("${{if match_domain{{$acl_m_x}}{{/list}}{shown}}}"),
        format!("${{if match_local_part{{$acl_m_x}}{{!/list}}{shown}}}"),
        "${lookup{$acl_m_x}nwildlsearch{/plain}{$value <$1>}{no}}".to_owned(),
        "${lookup{$acl_m_x}wildlsearch{/marked}{$value <$1>}{no}}".to_owned(),
    ];
    for line in asked {
        let rule = engine.compile(&line);
        let ask = |cx: &mut Context, subject: &str| {
            cx.set("acl_m_x", Str::tainted(subject.as_bytes()));
            rule.expand(cx).map(|said| said.display().into_owned()).map_err(|fail| fail.to_string())
        };
        let mut found = 0;
        for round in 0..2 {
            for subject in subjects() {
                let (one, other) = (ask(&mut planned, &subject), ask(&mut watched, &subject));
                assert_eq!(one, other, "{subject} in round {round} of {}", &line[..40]);
                found += usize::from(one.is_ok_and(|said| said != "no"));
            }
        }
        assert!(found > 40, "{found} in {}", &line[..40]);
    }
}

/// How long a question takes, in the best of several runs.
fn cost(engine: &Engine, list: &str) -> Duration {
    let rule =
        engine.compile(format!("${{if match_domain{{nobody.example}}{{{list}}}{{y}}{{n}}}}"));
    let mut cx = engine.context();
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let began = Instant::now();
        for _ in 0..50 {
            assert_eq!(rule.expand(&mut cx).expect("an answer").display(), "n");
        }
        best = best.min(began.elapsed());
    }
    best
}

#[test]
fn a_thousand_patterns_cost_little_more_than_one() {
    let engine = Engine::builder().build();
    let patterns: Vec<String> =
        (0..1000).map(|number| format!("^mail{number}\\\\.(spam|bulk)\\\\.example\\$")).collect();
    let one = cost(&engine, &patterns[0]);
    let all = cost(&engine, &patterns.join(":"));
    assert!(all < one * 5, "{all:?} for all, {one:?} for one");
}
