//! Lookups: what a suite of lines can't show. What they read and keep, where
//! tainted text may stand, and files that mean harm.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use eximious::world::Fixture;
use eximious::{Context, Engine, ErrorKind, FailClass, Str, Taint};
use eximious_tests::fixtures::Fixtures;
use eximious_tests::{in_ci, vectors};

fn context() -> Context {
    let mut cx = Engine::builder().world(eximious_world::system()).build().context();
    for (name, value) in
        [("acl_m_x", "hostile"), ("acl_m_a", "a"), ("acl_m_dom", "a.b.c.d"), ("acl_m_sub", "f")]
    {
        cx.set(name, Str::tainted(value.as_bytes()));
    }
    cx
}

fn expand(cx: &mut Context, text: &str) -> String {
    let engine = cx.engine().clone();
    match engine.compile(text).expand(cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

fn taint(cx: &mut Context, text: &str) -> Taint {
    let engine = cx.engine().clone();
    engine.compile(text).expand(cx).expect(text).taint()
}

#[test]
fn a_tainted_name_of_a_file_is_refused() {
    let fixtures = Fixtures::new();
    let dir = fixtures.path().display();
    let mut cx = context();
    cx.set("acl_m_file", Str::tainted(format!("{dir}/ls").into_bytes()));
    let engine = cx.engine().clone();
    for text in [
        "${lookup{a}lsearch{$acl_m_file}}".to_owned(),
        "${lookup{a}lsearch*@{/nosuch/$acl_m_x}}".to_owned(),
        "${lookup{a}partial-wildlsearch{$acl_m_file}}".to_owned(),
        "${lookup{1.2.3.4}iplsearch{$acl_m_file}}".to_owned(),
        "${lookup{a}cdb{$acl_m_file}}".to_owned(),
        "${lookup{a}json{$acl_m_file}}".to_owned(),
        "${lookup{a}lmdb{$acl_m_file}}".to_owned(),
        "${lookup{a}psl{$acl_m_file}}".to_owned(),
        format!("${{lookup{{f}}dsearch{{{dir}/$acl_m_x}}}}"),
        "${lookup sqlite{$acl_m_file select 1}}".to_owned(),
        // The deprecated form makes the name as tainted as the statement.
        format!("${{lookup sqlite{{{dir}/db.sqlite select '$acl_m_x'}}}}"),
    ] {
        let fail = engine.compile(&text).expand(&mut cx).expect_err(&text);
        assert_eq!((fail.kind(), fail.message()), (ErrorKind::Taint, &b""[..]), "{text}");
        assert!(fail.trace()[0].starts_with("Tainted filename for search: '"), "{text}");
        assert_eq!(fail.to_string(), fail.trace()[0], "{text}");
    }
    // An empty header or variable taints nothing.
    let text = format!("${{lookup{{a}}lsearch{{{dir}/ls$acl_m_nosuch}}}}");
    assert_eq!(expand(&mut cx, &text), "first");
}

#[test]
fn what_is_found_is_clean() {
    let fixtures = Fixtures::new();
    let fill = |text: &str| String::from_utf8(fixtures.fill(text.as_bytes())).expect("UTF-8");
    let mut cx = context();
    for (text, value) in [
        ("${lookup{$acl_m_a}lsearch{DIR/ls}}", "first"),
        ("${lookup{$acl_m_a}lsearch,ret=full{DIR/ls}}", "a: first"),
        ("${lookup{$acl_m_a}lsearch,ret=key{DIR/ls}}", "a"),
        ("${lookup{$acl_m_x}lsearch*{DIR/ls}}", "star"),
        ("${lookup{$acl_m_dom}partial-lsearch{DIR/ls}}", "partial"),
        ("${lookup{$acl_m_dom}partial-lsearch,ret=key{DIR/ls}}", "a.b.c.d"),
        ("${lookup{$acl_m_dom}partial-lsearch{DIR/ls}{$2}}", "c.d"),
        ("${lookup{$acl_m_sub}dsearch{DIR/sub}}", "f"),
        ("${lookup{$acl_m_a}nwildlsearch{DIR/ls}}", "first"),
        ("${lookup passwd{root}{$value}}", "*:0:0:root:/root:/bin/bash"),
        ("${lookup sqlite,file=DIR/db.sqlite {select '${quote_sqlite:$acl_m_x}'}}", "hostile"),
        (
            "${lookup sqlite,file=DIR/db.sqlite {select '${quote_sqlite:${lc:$acl_m_x}}'}}",
            "hostile",
        ),
    ] {
        let text = fill(text);
        assert_eq!(expand(&mut cx, &text), value, "{text}");
        assert_eq!(taint(&mut cx, &text), Taint::Clean, "{text}");
    }
    // The part of a key that no file held stays tainted.
    for (text, value) in [
        ("${lookup{$acl_m_dom}partial-lsearch{DIR/ls}{$1}}", "a.b"),
        ("${lookup{$acl_m_x}lsearch*{DIR/ls}{$1}}", "hostile"),
        ("${lookup{$acl_m_x@dom}lsearch*@{DIR/ls}{$1}}", "hostile"),
    ] {
        let text = fill(text);
        assert_eq!(expand(&mut cx, &text), value, "{text}");
        assert_eq!(taint(&mut cx, &text), Taint::Tainted, "{text}");
    }
    // What stood in $0 does not taint what is bound beside it.
    let text = "${if match{$acl_m_x}{(.)}{${lookup{a.b.c.d}partial-lsearch{DIR/ls}{$1}}}}";
    assert_eq!(taint(&mut cx, &fill(text)), Taint::Clean);
}

#[test]
fn a_query_that_is_not_quoted_is_refused() {
    let fixtures = Fixtures::new();
    let fill = |text: &str| String::from_utf8(fixtures.fill(text.as_bytes())).expect("UTF-8");
    let mut cx = context();
    for query in [
        "sqlite,file=DIR/db.sqlite {select '$acl_m_x'}",
        "sqlite,file=DIR/db.sqlite {select '${quote_mysql:$acl_m_x}'}",
        "sqlite,file=DIR/db.sqlite {select '${quote_sqlite:$acl_m_x}' || '$acl_m_x'}",
        "sqlite,file=DIR/db.sqlite {select '${lc:$acl_m_x}'}",
        "mysql{select '$acl_m_x'}",
        "mysql{select '${quote_pgsql:$acl_m_x}'}",
        "mysql{servers=a/b/c/secret; select '$acl_m_x'}",
        "pgsql,servers=a/b/c/d{select '$acl_m_x'}",
        "ldap{ldap:///$acl_m_x}",
        "ldapm{user=\"cn=a\" pass=b ldap:///${quote_mysql:$acl_m_x}}",
        "redis{GET $acl_m_x}",
        "oracle{select '$acl_m_x'}",
        "nisplus{[name=$acl_m_x],a}",
    ] {
        let text = fill(&format!("${{lookup {query}{{found}}{{none}}}}"));
        let engine = cx.engine().clone();
        let fail = engine.compile(&*text).expand(&mut cx).expect_err(&text);
        assert_eq!(fail.kind(), ErrorKind::Taint, "{text}: {fail}");
        let message = fail.to_string();
        assert!(message.starts_with("tainted search query is not properly quoted: "), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    for (query, message) in [
        // The types of a family quote alike.
        ("ldapm{ldap://127.0.0.1::1/${quote_ldap:$acl_m_x}}", "gave DEFER"),
        ("mysql{select '${quote_mysql:$acl_m_x}'}", "gave DEFER: no MySQL servers"),
        // Nothing can be quoted for these.
        ("dnsdb{a=$acl_m_x.invalid}", "none"),
        ("passwd{$acl_m_x}", "none"),
    ] {
        let said = expand(&mut cx, &format!("${{lookup {query}{{found}}{{none}}}}"));
        assert!(said.contains(message), "{query}: {said}");
    }
}

#[test]
fn conversations_share_what_is_made_of_a_file_while_it_is_as_it_was() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!("${{lookup{{key}}lsearch{{{}}}}}", file.path().display());
    let list = format!("${{if match_domain{{a.b}}{{{}}}}}", file.path().display());
    let engine = Engine::builder().world(eximious_world::system()).build();
    let long = "other: x\n".repeat(20_000);
    for value in ["one", "two", "three"] {
        std::fs::write(file.path(), format!("{long}key: {value}\n")).unwrap();
        let ask = || {
            let mut cx = engine.context();
            (expand(&mut cx, &text), expand(&mut cx, &list))
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            for one in all {
                assert_eq!(one.join().unwrap(), (value.to_owned(), String::new()));
            }
        });
    }
    std::fs::write(file.path(), format!("{}a.b\n", "other\n".repeat(20_000))).unwrap();
    assert_eq!(expand(&mut engine.context(), &list), "true");
}

#[test]
fn a_file_is_read_once_and_results_are_kept() {
    let fixture = Fixture::new().file("/f", "a: 1\nb: 2\nc: 3\n").file("/j", "{\"a\":[1,2]}");
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    for key in ["a", "b", "c", "a", "zz", "C", "b", "zz"] {
        expand(&mut cx, &format!("${{lookup{{{key}}}lsearch{{/f}}}}"));
        expand(&mut cx, &format!("${{lookup{{{key}}}nwildlsearch{{/f}}}}"));
    }
    assert_eq!(expand(&mut cx, "${lookup{a:1}json{/j}} ${lookup{a:0}json{/j}}"), "2 1");
    let reads = |fixture: &Fixture| -> Vec<String> {
        fixture.asked().into_iter().filter(|asked| asked.starts_with("read ")).collect()
    };
    assert_eq!(reads(&fixture), ["read /f", "read /j"]);
    // A kept result asks nobody at all.
    let asked = fixture.asked().len();
    assert_eq!(expand(&mut cx, "${lookup{a}lsearch{/f}} ${lookup{a}lsearch,ret=key{/f}}"), "1 a");
    assert_eq!(fixture.asked().len(), asked);
    // Another conversation has kept nothing.
    let mut other = cx.engine().context();
    assert_eq!(expand(&mut other, "${lookup{a}lsearch{/f}}"), "1");
    assert_eq!(reads(&fixture).len(), 3);
}

#[test]
fn a_file_that_changes_is_read_again() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let file = dir.path().join("f");
    let path = file.display();
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    let mut cx = context();
    let plain = format!("${{lookup{{a}}lsearch{{{path}}}{{$value}}{{none}}}}");
    let fresh = plain.replace("lsearch{", "lsearch,cache=no_rd{");
    let unkept = plain.replace("lsearch{", "lsearch,cache=no{");
    write("a: one\n");
    assert_eq!(expand(&mut cx, &plain), "one");
    write("a: two times\n");
    assert_eq!(expand(&mut cx, &plain), "one");
    assert_eq!(expand(&mut cx, &unkept), "two times");
    assert_eq!(expand(&mut cx, &plain), "one");
    assert_eq!(expand(&mut cx, &fresh), "two times");
    assert_eq!(expand(&mut cx, &plain), "two times");
    // Another file in its place, of the same length.
    let next = dir.path().join("next");
    std::fs::write(&next, "a: too times\n").expect("a file");
    std::fs::rename(&next, &file).expect("a new name");
    assert_eq!(expand(&mut cx, &fresh), "too times");
    std::fs::remove_file(&file).expect("the file");
    let gone = format!("Failed: failed to open {path} for linear search: ");
    assert_eq!(expand(&mut cx, &fresh), gone + "No such file or directory");
    assert_eq!(expand(&mut cx, &plain), "too times");
}

#[test]
fn ten_thousand_lookups_in_a_file_of_a_hundred_thousand_lines() {
    let mut contents = String::new();
    for n in 0..100_000 {
        contents.push_str(&format!("user{n}@example.com: mailbox {n}\n"));
    }
    contents.push_str("user77@example.com: too late\n");
    let fixture = Fixture::new().file("/f", contents);
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    let rule = cx.engine().compile("${lookup{$acl_m_key}lsearch{/f}}");
    let begun = Instant::now();
    for n in 0..10_000 {
        let number = n * 7919 % 100_000;
        cx.set("acl_m_key", Str::from(format!("User{number}@Example.com")));
        let value = rule.expand(&mut cx).expect("a value");
        assert_eq!(value.display(), format!("mailbox {number}"));
    }
    // Scanning for each would read 22 gigabytes, for minutes in this build.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(expand(&mut cx, "${lookup{user77@example.com}lsearch{/f}}"), "mailbox 77");
}

#[test]
fn lookups_that_name_themselves_come_to_an_end() {
    let fixture = Fixture::new()
        .file("/self", "\"nwildlsearch;/self\": x\n")
        .file("/wild", "\"${lookup{a}wildlsearch{/wild}}\": x\n");
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    let text = "${lookup{a}nwildlsearch{/self}}";
    assert_eq!(expand(&mut cx, text), "Failed: lookups stand in each other too deep");
    // This one's failure is that of a key that can't be expanded.
    let fail = cx.engine().clone().compile("${lookup{a}wildlsearch{/wild}}").expand(&mut cx);
    assert_eq!(fail.expect_err("no end").class(), FailClass::Defer);
    // The count is right afterwards.
    assert_eq!(expand(&mut cx, text), "Failed: lookups stand in each other too deep");
    assert_eq!(expand(&mut cx, "${lookup testdb{x}}"), "x");
}

#[test]
fn files_that_mean_harm() {
    let deep = "[".repeat(300_000) + &"]".repeat(300_000);
    let objects = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
    let long = "k: ".to_owned() + &"v".repeat(4_000_000) + "\nz: 1";
    let many = "\n".repeat(500_000) + &" x\n".repeat(200_000) + "z: 1";
    let quotes = "\"\\\"".repeat(100_000) + "\nz: 1";
    let zeros = "z\0".repeat(100_000) + "\nz: 1\n";
    let fixture = Fixture::new()
        .file("/deep", deep)
        .file("/objects", objects)
        .file("/long", long)
        .file("/many", many)
        .file("/quotes", quotes)
        .file("/zeros", zeros)
        .file("/bytes", (0..=255u8).cycle().take(100_000).collect::<Vec<_>>());
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    let begun = Instant::now();
    for file in ["/deep", "/objects"] {
        let answer = expand(&mut cx, &format!("${{lookup{{a}}json{{{file}}}}}"));
        assert!(answer.starts_with("Failed: json: recursion limit exceeded"), "{answer}");
    }
    for file in ["/long", "/many", "/quotes"] {
        assert_eq!(expand(&mut cx, &format!("${{lookup{{z}}lsearch{{{file}}}}}")), "1", "{file}");
        assert_eq!(expand(&mut cx, &format!("${{lookup{{Z}}lsearch{{{file}}}}}")), "1", "{file}");
    }
    for kind in ["lsearch", "nwildlsearch", "json", "psl", "regdom"] {
        for file in ["/deep", "/objects", "/long", "/many", "/quotes", "/zeros", "/bytes"] {
            expand(&mut cx, &format!("${{lookup{{nosuch.key}}{kind}{{{file}}}}}"));
        }
    }
    for file in ["/deep", "/long", "/many", "/zeros", "/bytes"] {
        expand(&mut cx, &format!("${{lookup{{1.2.3.4}}iplsearch{{{file}}}}}"));
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn keys_that_mean_harm() {
    let fixture = Fixture::new().file("/f", "*.z: 1\n");
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    let begun = Instant::now();
    cx.set("acl_m_x", Str::tainted(".".repeat(1_000_000).into_bytes()));
    assert_eq!(expand(&mut cx, "${lookup{$acl_m_x}partial0-lsearch*@{/f}{y}{n}}"), "n");
    cx.set("acl_m_x", Str::tainted(("a.".repeat(500_000) + "z").into_bytes()));
    assert_eq!(expand(&mut cx, "${lookup{$acl_m_x}partial1-lsearch{/f}{y}{n}}"), "y");
    cx.set("acl_m_x", Str::tainted("@".repeat(1_000_000).into_bytes()));
    assert_eq!(expand(&mut cx, "${lookup{$acl_m_x}lsearch*@{/f}{y}{n}}"), "n");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn the_cache_is_bounded() {
    let fixture = Fixture::new().file("/f", "*: ".to_owned() + &"v".repeat(1_000_000));
    let mut cx = Engine::builder().world(fixture.world()).build().context();
    for n in 0..500 {
        // Five hundred values of a megabyte would be half a gigabyte.
        let text = format!("${{strlen:${{lookup{{k{n}}}lsearch*,o={n}{{/f}}}}}}");
        assert_eq!(expand(&mut cx, &text), "1000000");
    }
}

#[test]
fn public_suffix_list_vectors() {
    let list = Path::new("/usr/share/publicsuffix/public_suffix_list.dat");
    let Some(vectors) = vectors("psl/tests.txt") else { return };
    if !list.exists() {
        assert!(!in_ci(), "no Public Suffix List: install publicsuffix");
        let _ = writeln!(std::io::stderr(), "LEFT OUT: no Public Suffix List (publicsuffix)");
        return;
    }
    let mut cx = context();
    let text = std::fs::read_to_string(vectors).expect("the vectors");
    let mut count = 0;
    for line in text.lines().filter(|line| !line.starts_with("//") && !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let (Some(domain), Some(wanted)) = (words.next(), words.next()) else { panic!("{line}") };
        cx.set("acl_m_domain", Str::tainted(domain.as_bytes()));
        let text =
            format!("${{lookup{{$acl_m_domain}}regdom{{{}}}{{$value}}{{null}}}}", list.display());
        assert_eq!(expand(&mut cx, &text), wanted, "{domain}");
        assert_eq!(taint(&mut cx, &text), Taint::Clean, "{domain}");
        // The suffix is the registered domain without its first component.
        if wanted != "null" {
            let suffix = wanted.split_once('.').map_or(wanted, |(_, suffix)| suffix);
            assert_eq!(expand(&mut cx, &text.replace("regdom", "psl")), suffix, "{domain}");
        }
        count += 1;
    }
    assert!(count >= 70, "{count} vectors");
}
