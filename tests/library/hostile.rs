//! Input that means harm: an error, never a panic, a hang, or a value that is
//! expanded twice.

use std::time::{Duration, Instant};

use eximious::world::Fixture;
use eximious::{Config, Effects, Engine, ErrorKind, Limits, Macros, Str, Taint};
use eximious_tests::filters::Filters;
use eximious_tests::suite::Suite;
use eximious_tests::{dialogues, dice, fuzz, hunt, sieve};

/// How long the plain drivers of the fuzz targets run, each, unless `EXIMIOUS_SECONDS` says so.
const DRIVEN: Duration = Duration::from_secs(4);

fn lines() -> Vec<Vec<u8>> {
    Suite::all().into_iter().flat_map(|s| s.cases).map(|c| c.input).collect()
}

/// Runs a fuzz target over lines of the suites, cut, changed and mixed.
fn drive(target: fn(&[u8])) {
    drive_over(&lines(), target);
}

/// The same over another corpus.
fn drive_over(corpus: &[Vec<u8>], target: fn(&[u8])) {
    assert!(corpus.len() > 500, "only {} lines", corpus.len());
    let seed = dice::seed();
    let mut rng = fastrand::Rng::with_seed(seed);
    let end = Instant::now() + dice::patience(DRIVEN);
    let mut count = 0u64;
    while Instant::now() < end {
        let mut data = corpus[rng.usize(..corpus.len())].clone();
        for _ in 0..rng.u32(0..6) {
            let at = rng.usize(..=data.len());
            match rng.u32(..5) {
                0 => data.truncate(at),
                1 => data.insert(at, rng.u8(..)),
                2 if at < data.len() => data[at] = b"{}$\\:<>=,\0\xff"[rng.usize(..11)],
                3 => {
                    let other = &corpus[rng.usize(..corpus.len())];
                    let from = rng.usize(..=other.len());
                    data.splice(at..at, other[from..].iter().copied());
                }
                _ => {
                    let copy = data[at..].to_vec();
                    data.extend(copy);
                }
            }
        }
        data.truncate(4096);
        let kept = data.clone();
        if std::panic::catch_unwind(move || target(&data)).is_err() {
            panic!("seed {seed}: {}", kept.escape_ascii());
        }
        count += 1;
    }
    println!("{count} inputs");
}

#[test]
fn parser_takes_anything() {
    drive(fuzz::parse);
}

#[test]
fn evaluator_takes_anything() {
    drive(fuzz::evaluate);
}

#[test]
fn sieve_takes_anything() {
    let scripts: Vec<_> = sieve::all().into_iter().map(|case| case.script).collect();
    drive_over(&scripts, fuzz::sieve);
}

#[test]
fn traces_show_anything() {
    drive(fuzz::traced);
}

#[test]
fn test_files_say_anything() {
    drive_over(&fuzz::test_files(), fuzz::test_file);
}

#[test]
fn debuggers_ask_anything() {
    drive_over(&fuzz::debug_sessions(), fuzz::debug_adapter);
}

#[test]
fn editors_ask_anything() {
    drive_over(&fuzz::editor_sessions(), fuzz::language_server);
}

#[test]
fn redirection_takes_anything() {
    drive(fuzz::redirect);
}

#[test]
fn rules_for_rewriting_take_anything() {
    drive(fuzz::rewrite);
}

#[test]
fn replies_say_anything() {
    let parts =
        ["220 hi\r\n", "250-a\r\n250 SIZE 9\r\n", "550 no\n", "hello\r\n", "354\r\n", "250-"];
    let replies = (0..600usize).map(|number| {
        let part = |place: usize| parts[(number / place) % parts.len()];
        [part(1), part(6), part(36)].concat().into_bytes()
    });
    drive_over(&replies.collect::<Vec<_>>(), fuzz::replies);
}

#[test]
fn sessions_take_anything() {
    drive(fuzz::smtp);
    drive_over(&dialogues::inputs(), fuzz::smtp);
}

#[test]
fn messages_take_anything() {
    drive_over(&dialogues::inputs(), fuzz::message);
}

#[test]
fn cve_2023_42117_headers_of_proxies_take_anything() {
    drive_over(&dialogues::inputs(), fuzz::proxy);
}

#[test]
fn spool_files_say_anything() {
    drive_over(&header_files(), fuzz::spool);
}

#[test]
fn journals_say_anything() {
    let part =
        |number: usize| ["a@b.test\n", "|/bin/x:a@b\n", "\n", "/m\0x:c@d\n", "e@f"][number % 5];
    let journals: Vec<Vec<u8>> = (0..625)
        .map(|number| [number, number / 5, number / 25, number / 125].map(part).concat().into())
        .collect();
    drive_over(&journals, fuzz::journal);
}

#[test]
fn hints_say_anything() {
    use eximious::hints::{Record as _, Retry};
    use eximious::world::HintsInMemory;
    let hints = std::sync::Arc::new(HintsInMemory::default());
    let store = eximious::World { hints, ..eximious::World::hermetic() }.hint_store(b"/s");
    let records: Vec<Vec<u8>> = (0..600)
        .map(|number| {
            let retry = Retry {
                error: number - 300,
                detail: number * 7,
                first_failed: 1_795_195_816,
                last_try: i64::from(number) << 32,
                next_try: -1,
                expired: number % 2 == 0,
                text: vec![b'x'; number as usize],
            };
            retry.save(&*store, b"k", 1).expect("a store");
            let kept = store.get(Retry::SPACE.as_bytes(), b"k").expect("a store");
            kept.expect("what was put there").value
        })
        .collect();
    drive_over(&records, fuzz::hints);
}

#[test]
fn batches_take_anything() {
    let commands = ["MAIL FROM:<a@b>", "RCPT TO:<c>", "DATA", ".", "RSET", "From: x", "", "QUIT"];
    let lines = (0..600usize).map(|number| {
        let line = |at: u32| commands[number / 8usize.pow(at) % 8];
        [line(0), line(1), line(2), line(3)].join("\n").into_bytes()
    });
    drive_over(&lines.collect::<Vec<_>>(), fuzz::batch);
}

/// Pieces of header files.
fn header_files() -> Vec<Vec<u8>> {
    let parts: [&[u8]; 10] = [
        b"-frozen 1795195816\n",
        b"--(mysql)aclm _q 3\na\nb\n",
        b"-aclc 0 0\n\n",
        b"XX\n",
        b"YN b@x\nNY a@x\nNN c@x\n",
        b"2\nplain@x\nd@x rfc822;d@x 10,12 e@x 3,-1#3\n",
        b"\n",
        b"006F A: b\nc",
        b"011* X: y\n  z\n",
        b"18446744073709551615  ",
    ];
    let part = |number: usize, at: u32| parts[number / 10usize.pow(at) % 10];
    (0..1000).map(|number| [part(number, 2), part(number, 1), part(number, 0)].concat()).collect()
}

#[test]
fn authenticators_take_anything() {
    drive(fuzz::auth);
}

#[test]
fn lists_take_anything() {
    drive(fuzz::lists);
}

#[test]
fn both_engines_find_the_same() {
    drive(fuzz::patterns);
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let pattern = hunt::random_pattern(&mut rng);
        for _ in 0..4 {
            let bytes = b"aabbAB\n\n 1_-.@\xc3\xa9\r\t\xa0\x85";
            let subject = (0..rng.usize(..9)).map(|_| bytes[rng.usize(..bytes.len())]);
            let data: Vec<u8> = pattern.bytes().chain([0]).chain(subject).collect();
            fuzz::patterns(&data);
        }
    }
}

#[test]
fn addresses_take_anything() {
    drive(fuzz::addresses);
}

#[test]
fn filters_take_anything() {
    let files = Filters::all();
    let cases = files.iter().flat_map(|file| &file.cases);
    let texts: Vec<Vec<u8>> = cases.flat_map(|case| case.texts()).map(Vec::from).collect();
    drive_over(&texts, fuzz::filter);
}

#[test]
fn cve_2023_42119_records_take_anything() {
    for length in 0..40 {
        for byte in [0, 1, 2, 5, 63, 64, 192, 255] {
            fuzz::records(&vec![byte; length]);
        }
    }
    fuzz::records(b"\0\x0a\x01a\x02bc\0\x01d\0\0\0\x01");
}

#[test]
fn nesting_is_bounded() {
    let engine = Engine::builder().build();
    for (open, close) in
        [("${lc:", "}"), ("${if eq{a}{a}{", "}}"), ("${if and{{", "}}}"), ("${expand:", "}")]
    {
        let text = [open.repeat(100_000), close.repeat(100_000)].concat();
        let fail = engine.compile(text).expand(&mut engine.context()).unwrap_err();
        assert_eq!(fail.kind(), ErrorKind::Syntax, "{fail}");
    }
    let bangs = format!("${{if {}eq{{a}}{{a}}}}", "!".repeat(1_000_000));
    let value = engine.compile(bangs).expand(&mut engine.context()).unwrap();
    assert_eq!(value.display(), "true");
}

#[test]
fn work_is_bounded() {
    let limits = Limits::default().steps(10_000).length(1 << 16);
    let engine = Engine::builder().limits(limits).build();
    let mut cx = engine.context();
    let list = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(":");
    cx.set("acl_m_l", Str::from(list));
    let text = "${map{$acl_m_l}{${map{$acl_m_l}{${map{$acl_m_l}{${lc:$item}}}}}}}";
    let fail = engine.compile(text).expand(&mut cx).unwrap_err();
    assert_eq!(fail.kind(), ErrorKind::Limit, "{fail}");
    let text = "${reduce{$acl_m_l}{0123456789}{$value$value}}";
    let fail = engine.compile(text).expand(&mut cx).unwrap_err();
    assert_eq!(fail.kind(), ErrorKind::Limit, "{fail}");
}

#[test]
fn tainted_text_is_never_expanded() {
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"${lc:X}".as_slice()));
    let expand = |text: &str, cx: &mut _| engine.compile(text).expand(cx);
    assert_eq!(expand("$local_part", &mut cx).unwrap().display(), "${lc:X}");
    for text in ["${expand:$local_part}", "${expand:a$local_part}", "${sg{x}{x}{$local_part}}"] {
        let fail = expand(text, &mut cx).unwrap_err();
        assert_eq!(fail.kind(), ErrorKind::Taint, "{text}: {fail}");
    }
    // It stays tainted through items, and is clean again from a list of ours.
    for (text, tainted) in [
        ("${uc:$local_part}", true),
        ("${map{a:$local_part}{x$item}}", true),
        ("${if eq{a}{a}{$local_part}}", true),
        ("${extract{1}{:}{$local_part:b}}", true),
        ("${strlen:$local_part}", false),
        ("${if eq{$local_part}{a}{b}{c}}", false),
    ] {
        let taint = expand(text, &mut cx).unwrap().taint();
        assert_eq!(taint != Taint::Clean, tainted, "{text}");
    }
}

#[test]
fn cve_2019_15846_unescaping_is_total() {
    // Every prefix of every line, and a backslash behind it, is an answer.
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    for line in lines().iter().filter(|line| line.len() < 200) {
        for end in 0..line.len() {
            let text = [&line[..end], b"\\"].concat();
            let _ = engine.expand_once(&text, &mut cx);
            let _ = engine.expand_once(&text[..end], &mut cx);
        }
    }
    for tail in ["\\", "\\x", "\\x4", "\\0", "\\N", "\\N\\", "a\\N\\x\\"] {
        let _ = engine.expand_once(tail.as_bytes(), &mut cx);
        let inside = format!("${{lc:{tail}");
        assert!(engine.expand_once(inside.as_bytes(), &mut cx).is_err());
    }
}

#[test]
fn cve_2026_40685_json_that_is_none_fails_cleanly() {
    let engine = Engine::builder().build();
    for json in
        ["", "\\\\", "[", "[\"", "[\"\\\\", "{", "\\{\"a", "\\{\"a\\\\", "]", "x", "\"", ","]
    {
        for text in [
            format!("${{extract json{{a}}{{{json}}}}}"),
            format!("${{extract jsons{{1}}{{{json}}}}}"),
            format!("${{if forany_json{{{json}}}{{eq{{$item}}{{a}}}}}}"),
            format!("${{if forall_jsons{{{json}}}{{eq{{$item}}{{a}}}}}}"),
        ] {
            let _ = engine.compile(text).expand(&mut engine.context());
        }
    }
}

#[test]
fn a_policy_is_kept() {
    let forbidden = Effects::FILES | Effects::DNS | Effects::RUN | Effects::NET;
    let engine = Engine::builder().world(eximious_world::system()).forbid(forbidden).build();
    for text in [
        "${readfile{/etc/passwd}}",
        "${run{/bin/echo x}}",
        "${if exists{/etc/passwd}{y}{n}}",
        "${readsocket{/nosuch}{x}}",
        "${stat:/etc/passwd}",
        "${lookup{root}lsearch{/etc/passwd}}",
    ] {
        let fail = engine.compile(text).expand(&mut engine.context()).unwrap_err();
        assert_eq!(fail.kind(), ErrorKind::Forbidden, "{text}: {fail}");
    }
}

#[test]
fn cve_2010_4344_long_header_lines_are_handled_whole() {
    let mut message = Vec::new();
    for number in 0..200 {
        message.extend_from_slice(format!("X-{number}: %s%n%x ").as_bytes());
        message.extend_from_slice(&b"A".repeat(7000));
        message.extend_from_slice(b"\n");
    }
    message.extend_from_slice(b"\nbody\n");
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    cx.set_message(Some(eximious::stdlib::message::parse(&message)));
    let mut size = |text: &str| {
        let value = engine.compile(format!("${{strlen:{text}}}")).expand(&mut cx).unwrap();
        value.display().parse::<usize>().unwrap()
    };
    assert_eq!(size("$h_x-7:"), 7007);
    // Joined header lines have a bound of their own.
    assert!((60_000..=66_000).contains(&size("$message_headers")));
    assert!(size("${escape:$rh_x-199:}") > 7000);
}

#[test]
fn cve_2021_28012_a_command_gets_no_descriptor_but_its_own() {
    let engine = Engine::builder().world(eximious_world::system()).build();
    let text = "${run{/bin/sh -c \"ls /proc/self/fd | wc -l\"}{$value}{failed: $value}}";
    let count = || {
        let value = engine.compile(text).expand(&mut engine.context()).unwrap();
        value.display().trim().parse::<u32>().unwrap()
    };
    // What this process was started with is not ours to close.
    let before = count();
    let held: Vec<_> =
        (0..9).map(|_| std::fs::File::open("/dev/null").expect("a file that stays open")).collect();
    assert_eq!(count(), before);
    drop(held);
}

#[test]
fn the_lowest_field_number_is_a_number() {
    let engine = Engine::builder().build();
    for text in ["${extract{-2147483648}{:}{a:b}{y}{n}}", "${listextract{-2147483648}{a:b}{y}{n}}"]
    {
        assert!(engine.compile(text).expand(&mut engine.context()).is_ok(), "{text}");
    }
}

/// Reads a configuration that stands in one file, and prints it as `-bP` does.
fn configured(text: &[u8], others: &[(&str, Vec<u8>)]) -> Config {
    let mut fixture = Fixture::new().file("/c", text);
    for (name, text) in others {
        fixture = fixture.file(name, text.clone());
    }
    let world = fixture.world();
    let registry = eximious::registry();
    let start = Instant::now();
    let config = Config::read_all(b"/c", Macros::new(), &world, &registry).expect("a file");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let printer = eximious::config::Printer {
        config: &config,
        registry: &registry,
        world: &world,
        values_only: false,
        admin: true,
        version: "4",
    };
    for word in ["all", "config", "routers", "transports", "authenticators"] {
        printer.print(&[word.as_bytes().to_vec()]);
    }
    config
}

#[test]
fn configurations_that_include_each_other_come_to_an_end() {
    let config = configured(b".include /c\n", &[]);
    let first = config.faults.first().expect("a fault");
    assert!(first.to_string().contains("failed to open included"), "{first}");
    // Twice in each file would be two to the power of the depth.
    let both = b".include /a\n.include /a\n".to_vec();
    let config = configured(b".include /a\n.include /a\n", &[("/a", both)]);
    assert!(!config.faults.is_empty());
}

#[test]
fn macros_that_grow_are_stopped() {
    let mut text = Vec::new();
    let names: Vec<String> = (b'A'..=b'Z').map(|c| char::from(c).to_string().repeat(2)).collect();
    for pair in names.windows(2) {
        text.extend_from_slice(format!("{} = {}\n", pair[0], pair[1].repeat(100)).as_bytes());
    }
    text.extend_from_slice(b"primary_hostname = AA\n");
    let config = configured(&text, &[]);
    assert!(config.faults.len() < 3, "{:?}", config.faults);
    // A macro in itself is replaced once.
    let config = configured(b"AA = BB AA\nBB = AA BB\nqualify_domain = AA\n", &[]);
    assert!(config.faults.len() < 3, "{:?}", config.faults);
}

#[test]
fn configurations_of_any_bytes_are_read() {
    let long = [b"qualify_domain = ".as_slice(), &b"x".repeat(10 << 20), b"\n"].concat();
    let config = configured(&long, &[]);
    assert!(config.faults.len() <= 1);
    let many: Vec<u8> = b"a \\\n".repeat(1 << 20);
    configured(&[b"qualify_domain = ".as_slice(), &many].concat(), &[]);
    for text in [
        b"\0".as_slice(),
        b"qualify_domain = a\0b\n\0\n",
        b"\xff\xfe = \x80\n",
        b"domainlist \xff = a\n",
        b"begin \0\nbegin \xff\n",
        b"begin acl\n\xff:\naccept \xff = \0\n",
        b"begin rewrite\n\"\n\" \"\n\"\" \"\" \xff\n",
        b"begin retry\n* * F,99999999999999999999w,1s\n* * G,1s,1s,99999999999999999999\n",
        b"begin retry\n\"\" \"\" \"\"\n* * senders=\n* * senders=\"\n",
        b"begin routers\n:\nr:\n:\n driver\n driver=\n=\n",
        b"hide\nhide hide\nno_\nnot_\nno_no_queue_only\n",
        b".\n.ifdef\n.else\n.else\n.endif\n.endif\n.include\n.include_if_exists \"\n",
        b"log_file_path = %\nsmtp_ratelimit_mail = ,,,\nuucp_from_pattern = (?\n",
        b"trusted_users = <\x01\nqueue_only_load = .\ncheck_spool_space = -\n",
    ] {
        configured(text, &[]);
        let crossed = text.to_ascii_uppercase();
        configured(&crossed, &[]);
    }
    configured(&b".ifdef A\n".repeat(100_000), &[]);
    configured(&b"begin routers\n".repeat(20_000), &[]);
}

#[test]
fn rules_with_many_turns_come_to_an_end() {
    use eximious::rewrite::{AddressPlace, Rewriter};
    let rule = b"*@* \"$1$1$1$1@$2\" R\n";
    let config = configured(&[b"begin rewrite\n".as_slice(), &rule.repeat(200)].concat(), &[]);
    assert!(config.faults.is_empty(), "{:?}", config.faults);
    let engine = Engine::builder().build();
    let mut cx = engine.context();
    let rewriter = Rewriter::of(&config);
    for address in ["x@y", "@", "", "x", "\"@\"@y", "<x@y", "(x@y", "x@y(", "\0@\u{ff}"] {
        let address = Str::tainted(address.as_bytes());
        let _ = rewriter.address(&mut cx, &address, AddressPlace::From);
        let _ = rewriter.header_item(&mut cx, &address, AddressPlace::From);
        let _ = rewriter.address(&mut cx, &address, AddressPlace::Smtp);
    }
}

#[test]
fn the_reader_of_configurations_takes_anything() {
    drive(fuzz::config);
}

/// A corpus, as often as it has to be there.
fn repeated(corpus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    corpus.iter().cycle().take(600).cloned().collect()
}

#[test]
fn cve_2020_1967_the_first_words_of_tls_say_anything() {
    use eximious::world::{TlsClient, TlsDemand};
    let with = |change: fn(&mut TlsClient)| {
        let mut settings = TlsClient::default();
        change(&mut settings);
        fuzz::first_words(&settings)
    };
    let hellos = [
        with(|_| {}),
        with(|one| one.server_name = Some(b"sni.test".to_vec())),
        with(|one| one.protocols = vec![b"smtp".to_vec(), b"x".to_vec()]),
        with(|one| one.curves = Some(b"X25519:P-384".to_vec())),
        with(|one| one.switches = b"+no_tlsv1_3".to_vec()),
        with(|one| one.proof = TlsDemand::Asked),
    ];
    assert!(hellos.iter().all(|hello| hello.starts_with(b"\x16\x03")), "records");
    drive_over(&repeated(&hellos), fuzz::client_hello);
    let answers = [
        b"\x16\x03\x03\x00\x04\x02\x00\x00\x00".to_vec(),
        b"\x15\x03\x03\x00\x02\x02\x28".to_vec(),
        [
            b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03".as_slice(),
            &[7; 32],
            b"\x20",
            &[7; 32],
            b"\x13\x01\x00\x00\x2e\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x24\x00\x1d\x00\x20",
            &[9; 32],
        ]
        .concat(),
    ];
    drive_over(&repeated(&[&answers[..], &hellos].concat()), fuzz::server_hello);
}

#[test]
fn records_about_certificates_say_anything() {
    let record = |head: [u8; 3], length: usize| [&head[..], &vec![7; length]].concat();
    let records: Vec<Vec<u8>> = (0..600)
        .map(|number: usize| {
            let head = [number % 5, number / 5 % 3, number / 15 % 4];
            let length = [0, 1, 32, 64, 65][number % 5];
            record(head.map(|one| u8::try_from(one).unwrap_or(9)), length)
        })
        .collect();
    drive_over(&records, fuzz::tlsa);
}

#[test]
fn proofs_of_certificates_say_anything() {
    let certificates = eximious_tests::tls::certificates();
    let read = |name: &str| std::fs::read(certificates.join(name)).expect("a file");
    let corpus = [read("server.ocsp"), read("server.pem"), b"\x30\x03\x0a\x01\x06".to_vec()];
    drive_over(&repeated(&corpus), fuzz::proof);
}

#[test]
fn policies_of_domains_say_anything() {
    let policy =
        "version: STSv1\r\nmode: enforce\r\nmx: a.test\r\nmx: *.b.test\r\nmax_age: 86400\r\n";
    let corpus = [
        policy.as_bytes(),
        b"version: STSv1\nmode: testing\nmx: *.a\nmax_age: 31557600\n",
        b"version: STSv1\nmode: none\nmax_age: 0\n",
        b"v=STSv1; id=20160831085700Z;\nv=TLSRPTv1; rua=mailto:a@b.test,https://c.test/x\n",
    ];
    drive_over(&repeated(&corpus.map(<[u8]>::to_vec)), fuzz::policies);
}
