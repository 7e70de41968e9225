//! The lookup type `redis`, against real servers and against servers that mean
//! harm.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eximious::{Context, Engine, ErrorKind, FailClass, Limits, Str, Taint};
use eximious_tests::fixtures::replace;
use eximious_tests::ours::Ours;
use eximious_tests::routed::Routed;
use eximious_tests::servers::{Home, Played, Server, free_port, program};
use eximious_tests::suite::{Case, Suite};
use eximious_tests::{root, show};

/// A Redis server of a test's own.
struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// Starts one, with settings besides the usual ones; `None` where it is not
    /// installed.
    fn start(settings: &[&str]) -> Option<Self> {
        Some(Self::start_at(&program("redis-server")?, free_port(), settings))
    }

    fn start_at(program: &Path, port: u16, settings: &[&str]) -> Self {
        let home = Home::new("redis");
        let mut command = home.command(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--unixsocket", "redis.sock", "--unixsocketperm", "777"]).args(settings);
        let server = Server::start(home, &mut command, || said(port, "PING").is_some());
        Self { server, port }
    }

    fn socket(&self) -> String {
        self.server.home().path().join("redis.sock").display().to_string()
    }
}

/// What a server says to a line, by another way than the lookup's; the first
/// part of it.
fn said(port: u16, line: &str) -> Option<String> {
    let mut peer = TcpStream::connect(("127.0.0.1", port)).ok()?;
    peer.write_all(format!("{line}\r\n").as_bytes()).ok()?;
    let mut bytes = [0; 16 << 10];
    let count = peer.read(&mut bytes).ok().filter(|count| *count > 0)?;
    Some(String::from_utf8_lossy(&bytes[..count]).into_owned())
}

/// A conversation that has these servers in its configuration.
fn with_servers(servers: &str) -> Ours {
    let lists = r"hostlist relay_from_ips = <\n ${lookup redis{SMEMBERS nets}}";
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("exim.conf");
    std::fs::write(&file, format!("hide redis_servers = {servers}\n{lists}\n"))
        .expect("a configuration");
    Ours::with_config(&file)
}

/// A context in which everything that waits waits for a short time.
fn hasty(wait: Duration) -> Context {
    let limits = Limits::default().command(wait);
    Engine::builder().world(eximious_world::system()).limits(limits).build().context()
}

fn expand(cx: &mut Context, text: &str) -> String {
    let engine = cx.engine().clone();
    match engine.compile(text).expand(cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

/// The message of a deferral.
fn deferred(cx: &mut Context, text: &str) -> String {
    let engine = cx.engine().clone();
    let fail = engine.compile(text).expand(cx).expect_err(text);
    assert_eq!(fail.class(), FailClass::Defer, "{text}: {fail}");
    let message = fail.to_string();
    message.split_once(" gave DEFER: ").expect("a deferral").1.to_owned()
}

/// Asks the lines of a file, in which ports stand for others.
fn check(name: &str, ours: &mut Ours, ports: &[(&str, String)], wanted: fn(&Case) -> Vec<u8>) {
    let suite = Suite::read(&root().join("tests/suites/redis").join(name));
    assert!(!suite.cases.is_empty(), "{name}");
    let mut wrong = Vec::new();
    for case in &suite.cases {
        let (mut input, mut wanted) = (case.input.clone(), wanted(case));
        for (written, meant) in ports {
            input = replace(&input, written.as_bytes(), meant.as_bytes());
            wanted = replace(&wanted, written.as_bytes(), meant.as_bytes());
        }
        let answer = ours.answer(&input);
        if answer != wanted {
            let (line, number) = (show(&input), case.number);
            let (wanted, answer) = (show(&wanted), show(&answer));
            wrong.push(format!("{name}:{number}: {line}\n    {wanted}\n    {answer}"));
        }
    }
    let count = suite.cases.len();
    assert!(wrong.is_empty(), "{} of {count} lines:\n{}", wrong.len(), wrong.join("\n"));
}

/// A deferral as 4.98.2 words it. 4.99 writes key and reason as strings in
/// quotes, with their escapes.
fn in_older_words(case: &Case) -> Vec<u8> {
    let text = String::from_utf8_lossy(&case.output).into_owned();
    let Some((head, reason)) = text.split_once(" gave DEFER: \"") else {
        return case.output.clone();
    };
    let reason = reason.strip_suffix('"').expect("the end of a string").replace("\\n", "\n");
    let head = head.replace("\\\"", "\"").replace("\\\\", "\\");
    format!("{head} gave DEFER: {}", reason.replace("\\\"", "\"")).into_bytes()
}

#[test]
fn recorded_answers() {
    if let Some(program) = program("redis-server") {
        check_recorded(&program);
    }
}

#[test]
fn recorded_answers_of_valkey() {
    let program = Path::new("/usr/bin/valkey-server");
    if program.exists() {
        check_recorded(program);
    } else {
        eprintln!("LEFT OUT: no valkey-server (not every release has it)");
    }
}

fn check_recorded(program: &Path) {
    let open = Redis::start_at(program, free_port(), &[]);
    let closed = Redis::start_at(program, free_port(), &["--requirepass", "pw"]);
    let servers = format!("127.0.0.1::{}/0/ : 127.0.0.1::{}/0/pw", open.port, closed.port);
    let ports = [
        ("16399", open.port.to_string()),
        ("16398", closed.port.to_string()),
        ("16397", free_port().to_string()),
    ];
    check("recorded.txt", &mut with_servers(&servers), &ports, in_older_words);
}

#[test]
fn lines_have_their_answers() {
    let Some(open) = Redis::start(&[]) else { return };
    let Some(closed) = Redis::start(&["--requirepass", "p:w"]) else { return };
    let down = free_port();
    let servers = format!("127.0.0.1::{down}/0/:127.0.0.1::{}/0/", open.port);
    let ports = [
        ("16399", open.port.to_string()),
        ("16398", closed.port.to_string()),
        ("16397", down.to_string()),
        ("SOCKET", open.socket()),
    ];
    check("lines.txt", &mut with_servers(&servers), &ports, |case| case.output.clone());
}

#[test]
fn connections_are_used_again() {
    let Some(redis) = Redis::start(&[]) else { return };
    let port = redis.port;
    let mut cx = hasty(Duration::from_secs(10));
    let received = || -> usize {
        let info = said(port, "INFO stats").expect("an answer");
        let count = info.lines().find_map(|l| l.strip_prefix("total_connections_received:"));
        count.expect("a count").trim().parse().expect("a number")
    };
    let before = received();
    for _ in 0..20 {
        let text = format!("${{lookup redis,servers=127.0.0.1::{port}/0/,cache=no {{PING}}}}");
        assert_eq!(expand(&mut cx, &text), "PONG");
    }
    // One, and the one that asks here.
    assert_eq!(received() - before, 2);
    // Another database is another connection.
    for _ in 0..2 {
        let text = format!("${{lookup redis,servers=127.0.0.1::{port}/1/,cache=no {{PING}}}}");
        assert_eq!(expand(&mut cx, &text), "PONG");
    }
    assert_eq!(received() - before, 4);
    // What one thread makes of a connection is its own to see.
    let select = format!("${{lookup redis,servers=127.0.0.1::{port}/0/ {{SELECT 5}}}}");
    let info = format!(
        "${{lookup redis,servers=127.0.0.1::{port}/0/,cache=no {{CLIENT INFO}}\
         {{${{extract{{db}}{{$value}}}}}}}}"
    );
    assert_eq!((expand(&mut cx, &select), expand(&mut cx, &info)), ("OK".into(), "5".into()));
    let engine = cx.engine().clone();
    let other = std::thread::spawn(move || expand(&mut engine.context(), &info));
    assert_eq!(other.join().expect("the thread ends"), "0");
    // The server closes them all, and none is missed.
    for _ in 0..3 {
        let text = format!("${{lookup redis,servers=127.0.0.1::{port}/1/,cache=no {{DBSIZE}}}}");
        assert_eq!(expand(&mut cx, &text), "false");
        said(port, "CLIENT KILL TYPE normal SKIPME yes").expect("an answer");
    }
}

#[test]
fn a_server_that_was_away_is_found_again() {
    let Some(program) = program("redis-server") else { return };
    let port = free_port();
    let mut cx = hasty(Duration::from_secs(10));
    let text = format!("${{lookup redis,servers=127.0.0.1::{port}/0/,cache=no {{PING}}}}");
    let down = "REDIS connection failed: Connection refused";
    for _ in 0..2 {
        assert_eq!(deferred(&mut cx, &text), down);
        let redis = Redis::start_at(&program, port, &[]);
        assert_eq!(expand(&mut cx, &text), "PONG");
        drop(redis);
    }
    assert_eq!(deferred(&mut cx, &text), down);
}

#[test]
fn a_password_that_becomes_right_is_tried_again() {
    let Some(redis) = Redis::start(&["--requirepass", "old"]) else { return };
    let port = redis.port;
    let mut cx = hasty(Duration::from_secs(10));
    let text = format!("${{lookup redis,servers=127.0.0.1::{port}//new,cache=no {{PING}}}}");
    let refused = "REDIS: lookup result failed: NOAUTH Authentication required.\n";
    assert_eq!(deferred(&mut cx, &text), refused);
    let said = said(port, "AUTH old\r\nCONFIG SET requirepass new");
    assert!(said.is_some_and(|said| said.starts_with("+OK\r\n")));
    // The second line may be carried out a moment after the first.
    let until = Instant::now() + Duration::from_secs(5);
    while expand(&mut cx, &text) != "PONG" {
        assert!(Instant::now() < until, "the new password is refused");
    }
    let wrong = text.replace("//new", "//old");
    assert_eq!(deferred(&mut cx, &wrong), refused);
}

#[test]
fn results_of_reading_are_kept() {
    let Some(redis) = Redis::start(&[]) else { return };
    let port = redis.port;
    let mut cx = hasty(Duration::from_secs(10));
    let mut ask = |command: &str| {
        expand(&mut cx, &format!("${{lookup redis,servers=127.0.0.1::{port}/0/ {{{command}}}}}"))
    };
    assert_eq!(ask("SET n 1"), "OK");
    assert_eq!(ask("GET n"), "1");
    // Somebody else changes it: what is known stays known.
    assert_eq!(said(port, "SET n 7").as_deref(), Some("+OK\r\n"));
    assert_eq!(ask("GET n"), "1");
    // A command that may write is carried out each time, and ends that.
    assert_eq!(ask("INCR n"), "true");
    assert_eq!(ask("GET n"), "8");
    assert_eq!(ask("INCR n"), "true");
    assert_eq!(ask("INCR n"), "true");
    assert_eq!(ask("GET n"), "10");
    // So does one that is not known to read alone.
    assert_eq!(said(port, "SET n 20").as_deref(), Some("+OK\r\n"));
    assert_eq!(ask("GET n"), "10");
    assert_eq!(ask("TIME").lines().count(), 2);
    assert_eq!(ask("GET n"), "20");
    // What is not there is remembered, too.
    assert_eq!(ask("GET m"), "");
    assert_eq!(said(port, "SET m 1").as_deref(), Some("+OK\r\n"));
    assert_eq!(ask("GET m"), "");
    let fresh = format!("${{lookup redis,servers=127.0.0.1::{port}/0/,cache=no {{GET m}}}}");
    assert_eq!(expand(&mut cx, &fresh), "1");
}

#[test]
fn data_from_outside_stays_in_its_word() {
    let Some(redis) = Redis::start(&[]) else { return };
    let port = redis.port;
    let mut cx = hasty(Duration::from_secs(10));
    let engine = cx.engine().clone();
    let servers = format!("servers=127.0.0.1::{port}/0/,cache=no");
    let set = format!("${{lookup redis,{servers} {{SET k ${{quote_redis:$acl_m_x}}}}}}");
    let get = format!("${{lookup redis,{servers} {{GET k}}}}");
    let (set, get) = (engine.compile(&set), engine.compile(&get));
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..300 {
        let length = 1 + random.usize(..if round % 50 == 0 { 100_000 } else { 20 });
        let odd = b" \t\r\n\\\\\"'{}$*\xff";
        let value: Vec<u8> = (0..length)
            .map(|_| if random.bool() { odd[random.usize(..odd.len())] } else { random.u8(1..) })
            .collect();
        cx.set("acl_m_x", Str::tainted(&value[..]));
        assert_eq!(set.expand(&mut cx).expect("set").bytes(), b"OK", "{}", show(&value));
        let got = get.expand(&mut cx).expect("get");
        let (got_length, length) = (got.bytes().len(), value.len());
        assert!(
            got.bytes() == value,
            "{got_length} of {length}: {}",
            show(&value[..length.min(50)])
        );
        assert_eq!(got.taint(), Taint::Clean);
    }
    // Not quoted, it makes words of its own; never a command of its own.
    let text = format!("${{lookup redis,{servers} {{SET j $acl_m_x}}}}");
    cx.set("acl_m_x", Str::from(&b"v\r\nFLUSHALL\r\n"[..]));
    assert!(deferred(&mut cx, &text).contains("ERR syntax error"));
    cx.set("acl_m_x", Str::tainted(&b"v\r\nFLUSHALL\r\n"[..]));
    let fail = engine.compile(&text).expand(&mut cx).expect_err(&text);
    assert_eq!(fail.kind(), ErrorKind::Taint);
    // What the server repeats of it comes back byte by byte.
    cx.set("acl_m_x", Str::tainted(&b"\xff\xfe"[..]));
    let text = format!("${{lookup redis,{servers} {{${{quote_redis:$acl_m_x}}}}}}");
    let fail = engine.compile(&text).expand(&mut cx).expect_err(&text);
    assert!(show(fail.message()).contains(r"unknown command \'\xff\xfe\'"), "{fail}");
    assert_eq!(expand(&mut cx, &format!("${{lookup redis,{servers} {{EXISTS k}}}}")), "true");
    // It does not say which server is asked.
    let text =
        format!("${{lookup redis{{servers=127.0.0.1::{port}/0/; GET ${{quote_redis:$acl_m_x}}}}}}");
    let tainted = format!("Redis server \"127.0.0.1:{port}/0\" is tainted");
    assert_eq!(deferred(&mut cx, &text), tainted);
}

#[test]
fn a_cluster_is_asked_server_by_server() {
    let (Some(_), Some(cli)) = (program("redis-server"), program("redis-cli")) else { return };
    let nodes: Vec<Redis> = std::iter::repeat_with(|| {
        // The bus has a port of its own: else it would be 10000 above.
        let bus = free_port().to_string();
        Redis::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])
    })
    .map_while(|node| node)
    .take(3)
    .collect();
    let addresses: Vec<_> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    let mut create = nodes[0].server.home().command(&cli);
    create.args(["--cluster", "create"]).args(&addresses).arg("--cluster-yes");
    nodes[0].server.home().run(&mut create);
    let until = Instant::now() + Duration::from_secs(20);
    for node in &nodes {
        while said(node.port, "CLUSTER INFO").is_none_or(|info| !info.contains("state:ok")) {
            assert!(Instant::now() < until, "the cluster is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let list: Vec<_> = nodes.iter().map(|n| format!("127.0.0.1::{}/0/", n.port)).collect();
    let mut ours = with_servers(&list.join(":"));
    let mut ask =
        |line: String| String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned();
    for n in 0..40 {
        assert_eq!(ask(format!("${{lookup redis{{SET key{n} v{n}}}}}")), "OK");
        assert_eq!(ask(format!("${{lookup redis{{GET key{n}}}}}")), format!("v{n}"));
    }
    // The keys lie on all three, and each server alone has some of them.
    let mut found = 0;
    for server in &list {
        let own = (0..40)
            .filter(|n| {
                let key = format!("{{GET key{n}}}");
                let answer = ask(format!("${{lookup redis,servers={server},cache=no {key}}}"));
                let moved = answer.contains(" gave DEFER: REDIS: lookup result failed: MOVED ");
                assert!(moved || answer == format!("v{n}"), "{answer}");
                !moved
            })
            .count();
        assert!(own > 0 && own < 40, "{own} keys at {server}");
        found += own;
    }
    assert_eq!(found, 40);
    // Keys of two servers in one command are the command's fault.
    let crossed = ask("${lookup redis{MGET key0 key1 key2 key3}}".to_owned());
    assert!(crossed.contains("CROSSSLOT"), "{crossed}");
}

#[test]
fn a_server_that_waits_or_lies_is_left() {
    let mut cx = hasty(Duration::from_millis(400));
    let failed = |why: &str| format!("REDIS: lookup result failed: {why}\n");
    for (played, wanted) in [
        (Played::silent(), failed("timed out")),
        (Played::dripping(b'+', Duration::from_millis(20)), failed("timed out")),
        (Played::saying("*2\r\n:1\r\n"), failed("Server closed the connection")),
        (Played::saying(""), failed("Server closed the connection")),
        (
            Played::saying("HTTP/1.1 400 Bad Request\r\n\r\n"),
            failed("Protocol error, got \"H\" as reply type byte"),
        ),
        (Played::saying("$99999999999999\r\n"), failed("the reply is too long")),
        (Played::saying("*1000000000\r\n"), failed("Server closed the connection")),
        (Played::saying(vec![b'+'; 1 << 20]), failed("the reply is too long")),
    ] {
        // The database makes the client ask something of its own first.
        for database in ["", "0"] {
            let port = played.port;
            let text = format!("${{lookup redis,servers=127.0.0.1::{port}/{database}/ {{GET x}}}}");
            let start = Instant::now();
            let message = deferred(&mut cx, &text);
            assert!(start.elapsed() < Duration::from_secs(3), "{message}");
            // It may close before it has been asked: the socket's words, then.
            let reset = message.contains("reset by peer") || message.contains("Broken pipe");
            assert!(message == wanted || reset, "{message:?}, not {wanted:?}");
        }
    }
    // One at a path, and one that does not even read what it is asked.
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    Played::unix(&path, |peer| {
        let mut bytes = [0; 4096];
        while matches!(peer.read(&mut bytes), Ok(1..)) {}
    });
    let text = format!("${{lookup redis,servers=({})/0/ {{GET x}}}}", path.display());
    assert_eq!(deferred(&mut cx, &text), failed("timed out"));
    let deaf = Played::tcp(|_| std::thread::sleep(Duration::from_secs(10)));
    let long = "x".repeat(10_000_000);
    let text = format!("${{lookup redis,servers=127.0.0.1::{}// {{SET k {long}}}}}", deaf.port);
    assert_eq!(deferred(&mut cx, &text), failed("timed out"));
    let many = "x ".repeat((1 << 20) + 1);
    let text = format!("${{lookup redis,servers=127.0.0.1::{}// {{{many}}}}}", deaf.port);
    assert_eq!(deferred(&mut cx, &text), "REDIS: too many words in a command");
    // Elements without end.
    let played = Played::tcp(|peer| {
        let _ = peer.write_all(b"*999999999\r\n");
        let part = b"*1\r\n".repeat(10_000);
        while peer.write_all(&part).is_ok() {}
    });
    let mut cx = hasty(Duration::from_secs(20));
    let text = format!("${{lookup redis,servers=127.0.0.1::{}/0/ {{GET x}}}}", played.port);
    assert_eq!(deferred(&mut cx, &text), failed("the reply is too long"));
}

#[test]
fn long_replies_have_a_bound() {
    let Some(redis) = Redis::start(&[]) else { return };
    let port = redis.port;
    let mut cx = hasty(Duration::from_secs(20));
    let servers = format!("servers=127.0.0.1::{port}/0/,cache=no");
    let engine = cx.engine().clone();
    let get = engine.compile(format!("${{lookup redis,{servers} {{GET long}}}}"));
    for length in [10_000_000, 70_000_000] {
        let script = format!("redis.call('set','long',string.rep('x',{length}))");
        let text = format!("${{lookup redis,{servers} {{EVAL {script} 0}}}}");
        assert_eq!(expand(&mut cx, &text), "");
        match get.expand(&mut cx) {
            Ok(long) => assert_eq!((long.bytes().len(), length), (length, 10_000_000)),
            Err(fail) => assert!(fail.to_string().ends_with("the reply is too long\n")),
        }
    }
    // The connection on which half of a reply lies is not used again.
    assert_eq!(expand(&mut cx, &format!("${{lookup redis,{servers} {{PING}}}}")), "PONG");
}

#[test]
fn noise_is_never_more_than_an_error() {
    static SEED: AtomicUsize = AtomicUsize::new(0);
    let played = Played::tcp(|peer| {
        let mut random = fastrand::Rng::with_seed(SEED.fetch_add(1, Ordering::Relaxed) as u64);
        let words: &[&[u8]] = &[
            b"*",
            b"$",
            b":",
            b"+",
            b"-",
            b"%",
            b"~",
            b"|",
            b">",
            b"_",
            b"#",
            b"\r\n",
            b"\r\n",
            b"\r\n",
            b"\r",
            b"\n",
            b"1",
            b"2",
            b"3",
            b"-1",
            b"0",
            b"9223372036854775807",
            b"x",
            b"OK",
            b"MOVED 1 a:1",
            b"\xff",
            b"\0",
            b"*1\r\n",
            b"$1\r\nx\r\n",
            b":1\r\n",
            b"$-1\r\n",
        ];
        let mut bytes = [0; 4096];
        while matches!(peer.read(&mut bytes), Ok(1..)) {
            if random.u8(..4) == 0 {
                let _ = peer.write_all(b"*2\r\n$1\r\na\r\n:1\r\n");
                continue;
            }
            let reply: Vec<u8> = (0..random.usize(1..12))
                .flat_map(|_| words[random.usize(..words.len())].to_vec())
                .collect();
            let _ = peer.write_all(&reply);
            if random.bool() {
                return;
            }
        }
    });
    let mut cx = hasty(Duration::from_millis(20));
    let engine = cx.engine().clone();
    let port = played.port;
    let text = format!("${{lookup redis,servers=127.0.0.1::{port}//,cache=no {{GET x}}}}");
    let lookup = engine.compile(&text);
    let mut answers = 0;
    for _ in 0..600 {
        match lookup.expand(&mut cx) {
            Ok(_) => answers += 1,
            Err(fail) => assert_eq!(fail.class(), FailClass::Defer, "{fail}"),
        }
    }
    assert!(answers > 50, "{answers} answers");
}

#[test]
fn many_threads_share_connections() {
    let Some(redis) = Redis::start(&[]) else { return };
    let engine = Engine::builder().world(eximious_world::system()).build();
    let port = redis.port;
    let servers = format!("servers=127.0.0.1::{port}/0/,cache=no");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (engine, servers) = (&engine, &servers);
            scope.spawn(move || {
                let mut cx = engine.context();
                for n in 0..50 {
                    let text = format!("${{lookup redis,{servers} {{ECHO {thread}-{n}}}}}");
                    assert_eq!(expand(&mut cx, &text), format!("{thread}-{n}"));
                    assert_eq!(
                        expand(&mut cx, &format!("${{lookup redis,{servers} {{INCR n}}}}")),
                        "true"
                    );
                }
            });
        }
    });
    assert_eq!(said(port, "GET n").as_deref(), Some("$3\r\n200\r\n"));
}

#[test]
fn a_stopped_server_is_left_for_the_next() {
    let (Some(first), Some(second)) = (Redis::start(&[]), Redis::start(&[])) else { return };
    let mut cx = hasty(Duration::from_millis(500));
    let servers =
        format!("servers=127.0.0.1::{}/0/:127.0.0.1::{}/0/,cache=no", first.port, second.port);
    let port = format!("${{lookup redis,{servers} {{CONFIG GET port}}}}");
    assert_eq!(expand(&mut cx, &port), format!("port\n{}", first.port));
    first.server.signal("STOP");
    assert_eq!(expand(&mut cx, &port), format!("port\n{}", second.port));
    first.server.signal("CONT");
    assert_eq!(expand(&mut cx, &port), format!("port\n{}", first.port));
}

#[test]
fn senders_of_forwarded_mail_are_kept_for_their_time() {
    let Some(redis) = Redis::start(&[]) else { return };
    let (key, address) = ("srs-${quote_redis:$srs_db_key}", "${quote_redis:$srs_db_address}");
    let text = format!(
        "hide redis_servers = 127.0.0.1::{}/0/\nsrs_secrets = new\nbegin routers\n\
         bounces:\n  driver = redirect\n  domains = us.example\n  srs = reverseandforward\n  \
         srs_dbinsert = ${{lookup redis{{SET {key} {address} EX 2678400}}{{$value}}fail}}\n  \
         srs_dbselect = ${{lookup redis{{GET {key}}}}}\n  \
         data = ${{if def:srs_recipient{{$srs_recipient}}{{there@far.example}}}}\n\
         out:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = smtp\n",
        redis.port
    );
    let mut host = Routed::new(&text, &eximious_world::system());
    let sent = host.deliver("o'brien\\ x@host.example", "a@us.example");
    assert!(sent.starts_with("there@far.example from SRS0="), "{sent}");
    let sent = host.deliver("o'brien@host.example", "a@us.example");
    let made = sent.strip_prefix("there@far.example from ").expect(&sent).to_owned();
    assert_eq!(host.deliver("", &made), "o'brien@host.example from <>");
    let key = made.split(['=', '@']).nth(1).expect("a key").to_owned();
    let left = said(redis.port, &format!("TTL srs-{key}")).expect("an answer");
    assert!(left.trim() == ":2678400" || left.starts_with(":26783"), "{left}");
    said(redis.port, &format!("DEL srs-{key}"));
    // Another conversation, which has not asked yet.
    let mut host = Routed::new(&text, &eximious_world::system());
    let refused = "failed: invalid SRS address: wrong hash (Invalid SRS recipient address)";
    assert_eq!(host.deliver("", &made), refused);
}
