//! `readsocket` against servers of every kind; where Exim is there, it is asked
//! too.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use eximious::{Engine, ErrorKind, Limits, Str};
use eximious_tests::fixtures::Fixtures;
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::servers::{Home, Played, Server, free_port, program};
use eximious_tests::show;

/// A connection, of either sort.
trait Peer: Read + Write {}
impl<T: Read + Write> Peer for T {}

type Behaviour = Arc<dyn Fn(&mut dyn Peer) + Send + Sync>;

fn behaviour(f: impl Fn(&mut dyn Peer) + Send + Sync + 'static) -> Behaviour {
    Arc::new(f)
}

/// Reads the request to its end.
fn request(peer: &mut dyn Peer) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = peer.read_to_end(&mut bytes);
    bytes
}

/// Answers whatever is asked with the same bytes.
fn says(answer: impl Into<Vec<u8>>) -> Behaviour {
    let answer = answer.into();
    behaviour(move |peer| {
        request(peer);
        let _ = peer.write_all(&answer);
    })
}

/// Servers at `NAME` in a directory of their own, and on ports of their own.
struct Servers {
    fixtures: Fixtures,
}

impl Servers {
    fn new() -> Self {
        Self { fixtures: Fixtures::new() }
    }

    /// Starts a server at a path, and gives the path.
    fn unix(&self, name: &str, behaviour: &Behaviour) -> String {
        let path = self.fixtures.path().join(name);
        let listener = UnixListener::bind(&path).expect("a socket");
        let behaviour = behaviour.clone();
        std::thread::spawn(move || {
            for peer in listener.incoming().flatten() {
                let (behaviour, mut peer) = (behaviour.clone(), peer);
                std::thread::spawn(move || behaviour(&mut peer));
            }
        });
        path.display().to_string()
    }

    /// Starts a server at a port, and gives its name for `readsocket`.
    fn tcp(&self, behaviour: &Behaviour) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let behaviour = behaviour.clone();
        std::thread::spawn(move || {
            for peer in listener.incoming().flatten() {
                let (behaviour, mut peer) = (behaviour.clone(), peer);
                std::thread::spawn(move || behaviour(&mut peer));
            }
        });
        format!("inet:127.0.0.1:{port}")
    }
}

/// The answers, each in a conversation of its own; Exim's, where it is there,
/// must be the same. All are asked at once, because most of them wait.
fn agreed(lines: &[String]) -> Vec<String> {
    let reference = Reference::find();
    std::thread::scope(|scope| {
        let reference = &reference;
        let asked: Vec<_> =
            lines.iter().map(|line| scope.spawn(move || both(reference.as_ref(), line))).collect();
        asked.into_iter().map(|answer| answer.join().expect("an answer")).collect()
    })
}

fn both(reference: Option<&Reference>, line: &str) -> String {
    let ours = Ours::new().answer(line.as_bytes());
    if let Some(reference) = reference {
        let theirs = reference.ask(&[line.as_bytes().to_vec()], None).remove(0);
        assert_eq!(theirs, Answer::Said(ours.clone()), "{line}: {}", show(&ours));
    }
    String::from_utf8_lossy(&ours).into_owned()
}

#[test]
fn questions_and_answers() {
    let servers = Servers::new();
    let echo = behaviour(|peer| {
        let text = request(peer);
        let _ = peer.write_all(&[b"[".as_slice(), &text, b"]"].concat());
    });
    let big = servers.unix("big", &says(b"y".repeat(900_000)));
    for socket in [servers.unix("echo", &echo), servers.tcp(&echo)] {
        let ask = |rest: &str| format!("${{readsocket{{{socket}}}{rest}}}");
        let answers = agreed(&[
            ask("{abc}"),
            ask("{}"),
            ask("{a\\nb\\n}"),
            ask("{a\\nb\\n}{}{, }"),
            ask("{a\\nb\\n}{3s}{\\n-}"),
            ask("{a\\nb\\n}{3s}{\\\\t}"),
            ask("{a\\nb\\n}{3s}{\\\\\\\\t}"),
            ask("{a\\nb\\n}{3s}{\\\\}"),
            ask("{a\\nb\\n}{3s}{\\\\x41\\\\0z}"),
            ask("{a\\r\\nb}{3s}{-}"),
            ask("{a}{3s}{}{failed}"),
            ask("{a}{3s}{}{${if eq{a}{b}{}fail}}"),
            ask("{a}{3s}{}{$nosuch}"),
            ask("{a}{3s}{}{f}z"),
            ask("{a} {3s} {x} {f} "),
            ask("{a}{1s:shutdown=yes:foo=bar:tls=no}"),
            ask("{a}{<; 1s; shutdown=yes}"),
            ask("{a}{nonsense}"),
            ask("{a}{:shutdown=yes}"),
            ask("{\\xff\\xfe}"),
            format!("${{strlen:{}}}", ask("{${run{/usr/bin/printf %500000s x}}}{5s}")),
        ]);
        assert_eq!(answers[0], "[abc]");
        assert_eq!(answers[3], "[a, b, ]");
        assert_eq!(answers[5], "[a\tb\t]");
        assert_eq!(answers.last().map(String::as_str), Some("500002"));
    }
    assert_eq!(agreed(&[format!("${{strlen:${{readsocket{{{big}}}{{x}}}}}}")]), ["900000"]);
}

#[test]
fn odd_answers() {
    let servers = Servers::new();
    for (number, answer) in [
        b"".as_slice(),
        b"\n",
        b"\n\n",
        b"a",
        b"a\0b\nc\n",
        b"\0",
        b"a\n\0\nb",
        b"a\r\nb\r\n",
        b"\xff",
    ]
    .into_iter()
    .enumerate()
    {
        let server = says(answer);
        for socket in [servers.unix(&format!("odd{number}"), &server), servers.tcp(&server)] {
            agreed(&[
                format!("${{readsocket{{{socket}}}{{x}}}}"),
                format!("${{readsocket{{{socket}}}{{x}}{{2s}}{{<br>}}{{failed}}}}"),
            ]);
        }
    }
}

#[test]
fn peers_that_break_off() {
    let servers = Servers::new();
    // The request is there before the connection closes, and nobody reads it:
    // the system resets the connection.
    let waiting = |answer: Vec<u8>| {
        behaviour(move |peer| {
            std::thread::sleep(Duration::from_millis(100));
            let _ = peer.write_all(&answer);
        })
    };
    for (number, answer) in
        [Vec::new(), b"part".to_vec(), b"l1\nl2\npart".to_vec(), b"y".repeat(5000)]
            .iter()
            .enumerate()
    {
        let socket = servers.unix(&format!("rude{number}"), &waiting(answer.clone()));
        agreed(&[
            format!("${{readsocket{{{socket}}}{{x}}}}"),
            format!("${{readsocket{{{socket}}}{{x}}{{2s}}{{+}}{{failed}}}}"),
        ]);
    }
    let socket = servers.tcp(&waiting(Vec::new()));
    agreed(&[format!("${{readsocket{{{socket}}}{{x}}}}")]);
}

#[test]
fn slow_and_silent_peers() {
    let servers = Servers::new();
    let trickle = behaviour(|peer| {
        for _ in 0..60 {
            if peer.write_all(b"x\n").is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let slow = behaviour(|peer| {
        for _ in 0..3 {
            let _ = peer.write_all(b"x\n");
            std::thread::sleep(Duration::from_millis(100));
        }
        request(peer);
    });
    let silent = behaviour(|_| std::thread::sleep(Duration::from_secs(20)));
    let trickle = [servers.unix("trickle", &trickle), servers.tcp(&trickle)];
    let slow = [servers.unix("slow", &slow), servers.tcp(&slow)];
    let silent = [servers.unix("silent", &silent), servers.tcp(&silent)];
    for socket in 0..2 {
        let ask = |peer: &str, rest: &str| format!("${{readsocket{{{peer}}}{{q}}{rest}}}");
        let start = Instant::now();
        let answers = agreed(&[
            ask(&slow[socket], "{4s}{,}"),
            ask(&trickle[socket], "{1s}"),
            ask(&silent[socket], "{1s}"),
            ask(&silent[socket], "{0h1s}{}{failed}"),
            ask(&silent[socket], "{1s:shutdown=no}"),
        ]);
        assert_eq!(answers[0], "x,x,x,");
        assert_eq!(answers[1], "Failed: socket read timed out");
        assert_eq!(answers[3], "failed");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }
}

/// What Exim waits for without end, or gathers without end.
#[test]
fn every_wait_has_an_end() {
    let servers = Servers::new();
    let silent = behaviour(|_| std::thread::sleep(Duration::from_secs(60)));
    let endless = behaviour(|peer| while peer.write_all(&[b'z'; 65536]).is_ok() {});
    let limits = Limits::default().command(Duration::from_millis(500)).length(1 << 20);
    let engine = Engine::builder().world(eximious_world::system()).limits(limits).build();
    let fails = |text: String| {
        let start = Instant::now();
        let mut cx = engine.context();
        cx.set("big", Str::from(b"x".repeat(800_000)));
        let fail = engine.compile(&text).expand(&mut cx).expect_err(&text);
        assert!(start.elapsed() < Duration::from_secs(10), "{text}: {:?}", start.elapsed());
        fail.to_string()
    };
    let mut sockets = vec![servers.tcp(&silent), servers.unix("silent", &silent)];
    for socket in &sockets {
        for time in ["0s", "bad", "2", "-1s", "99999999999h", ":shutdown=no", "1s 2s"] {
            let text = format!("${{readsocket{{{socket}}}{{x}}{{{time}}}}}");
            assert_eq!(fails(text), "socket read timed out");
        }
    }
    // A Unix socket takes less than this before somebody reads.
    let text = format!("${{readsocket{{{}}}{{$big}}{{1s}}}}", sockets.remove(1));
    assert_eq!(fails(text), "request write to socket failed: Connection timed out");
    for socket in [servers.tcp(&endless), servers.unix("endless", &endless)] {
        let text = format!("${{readsocket{{{socket}}}{{x}}{{5s:shutdown=no}}}}");
        assert_eq!(fails(text), "socket sent more than 1048576 bytes");
    }
    // Nobody takes the connection, and there is no room for another one.
    let path = servers.fixtures.path().join("full");
    let listener = UnixListener::bind(&path).unwrap();
    let waiting: Vec<_> = std::iter::from_fn(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        let path = path.clone();
        std::thread::spawn(move || sender.send(std::os::unix::net::UnixStream::connect(path)));
        receiver.recv_timeout(Duration::from_millis(200)).ok()
    })
    .take(5000)
    .collect();
    let text = format!("${{readsocket{{{}}}{{x}}{{1s}}}}", path.display());
    assert_eq!(fails(text), "socket connect timed out", "{} wait", waiting.len());
    drop(listener);
}

#[test]
fn answers_are_kept_if_asked_for() {
    let servers = Servers::new();
    let count = AtomicU32::new(0);
    let counting = behaviour(move |peer| {
        request(peer);
        let _ = write!(peer, "{}", count.fetch_add(1, Ordering::Relaxed) + 1);
    });
    let (one, other) = (servers.unix("count", &counting), servers.unix("count2", &counting));
    let engine = Engine::builder().world(eximious_world::system()).build();
    let mut cx = engine.context();
    let mut ask = |socket: &str, request: &str, rest: &str| {
        let text = format!("${{readsocket{{{socket}}}{{{request}}}{rest}}}");
        engine.compile(text).expand(&mut cx).unwrap().display().into_owned()
    };
    // In this order Exim counts the same.
    let kept = "{3s:cache=yes}";
    assert_eq!(ask(&one, "x", ""), "1");
    assert_eq!(ask(&one, "x", ""), "2");
    assert_eq!(ask(&one, "x", kept), "3");
    assert_eq!(ask(&one, "x", kept), "3");
    assert_eq!(ask(&one, "y", kept), "4");
    assert_eq!(ask(&one, "x", kept), "3");
    assert_eq!(ask(&one, "x", "{4s:cache=yes}"), "5");
    assert_eq!(ask(&one, "x", "{3s:cache=yes}{-}"), "6");
    assert_eq!(ask(&one, "x", kept), "3");
    assert_eq!(ask(&other, "x", ""), "7");
    assert_eq!(ask(&one, "x", kept), "3");
    // Any other question to the same socket makes it forget.
    assert_eq!(ask(&one, "z", "{3s:cache=no}"), "8");
    assert_eq!(ask(&one, "x", kept), "9");
    assert_eq!(ask(&one, "x", "{3s:cache=YES}"), "10");
    assert_eq!(ask(&one, "x", kept), "11");
    // There is an end to what is kept.
    for number in 0..300 {
        ask(&one, &number.to_string(), kept);
    }
    assert_ne!(ask(&one, "x", kept), "11");
}

#[test]
fn names_of_sockets_are_not_tainted() {
    let servers = Servers::new();
    let socket = servers.unix("echo", &says("answer"));
    let engine = Engine::builder().world(eximious_world::system()).build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(socket.as_bytes()));
    let fail = engine.compile("${readsocket{$local_part}{x}}").expand(&mut cx).unwrap_err();
    assert_eq!((fail.kind(), fail.to_string().as_str()), (ErrorKind::Taint, ""));
    let text = "${readsocket{$local_part}{x}{}{}{failed}}";
    assert_eq!(engine.compile(text).expand(&mut cx).unwrap().display(), "failed");
    // The request may be.
    let text = format!("${{readsocket{{{socket}}}{{$local_part}}}}");
    assert_eq!(engine.compile(text).expand(&mut cx).unwrap().display(), "answer");
}

#[test]
fn an_answer_that_repeats_live_data_is_not_expanded() {
    let servers = Servers::new();
    let echo = behaviour(|peer| {
        let text = request(peer);
        let _ = peer.write_all(&text);
    });
    let socket = servers.unix("echo", &echo);
    let engine = Engine::builder().world(eximious_world::system()).build();
    let mut cx = engine.context();
    cx.set("local_part", Str::tainted(b"${run{/bin/echo attack}}".as_slice()));
    let text = format!("${{expand:${{readsocket{{{socket}}}{{user $local_part}}}}}}");
    assert_eq!(engine.compile(text).expand(&mut cx).unwrap_err().kind(), ErrorKind::Taint);
    // The configuration's own text is its own affair.
    let text = format!("${{expand:${{readsocket{{{socket}}}{{\\${{uc:a\\}}}}}}}}");
    assert_eq!(engine.compile(text).expand(&mut cx).unwrap().display(), "A");
}

#[test]
fn a_lookup_asks_a_socket() {
    let servers = Servers::new();
    let echo = behaviour(|peer| {
        let text = request(peer);
        let _ = peer.write_all(&[b"<", &text[..], b">\nmore"].concat());
    });
    let socket = servers.unix("echo", &echo);
    let mut ours = Ours::new();
    let mut ask = |line: &str| String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned();
    assert_eq!(ask(&format!("${{lookup readsock,file={socket}{{question}}}}")), "<question>\nmore");
    let options = format!("timeout=1s,eol=|,file={socket}");
    assert_eq!(ask(&format!("${{lookup readsock,{options}{{q}}}}")), "<q>|more");
    assert_eq!(ask("${lookup readsock{/nosuch}{yes}{no}}"), "no");
    assert_eq!(
        ask("${lookup readsock,file=/nosuch/socket{q}{yes}{no}}"),
        "Failed: lookup of \"q\" gave DEFER: failed to connect to socket /nosuch/socket: \
         No such file or directory"
    );
    let line = format!("${{if match_domain{{x}}{{readsock,file={socket};q}}{{$value}}{{no}}}}");
    assert_eq!(ask(&line), "<q>\nmore");
}

/// A server with TLS, which gives out the file `answer`, and knows one name
/// besides the one that it has; its place for `readsocket`.
fn secured(openssl: &std::path::Path) -> (Server, String) {
    let home = Home::new("daemon");
    home.write("answer", "one\ntwo\n");
    let mut make = home.command(openssl);
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]);
    home.run(make.args(["-keyout", "key", "-out", "certificate"]));
    let port = free_port();
    let mut command = home.command(openssl);
    command.args(["s_server", "-WWW", "-accept", &format!("127.0.0.1:{port}")]);
    command.args(["-cert", "certificate", "-key", "key", "-cert2", "certificate", "-key2", "key"]);
    command.args(["-servername", "known.example", "-servername_fatal"]);
    let ready = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    (Server::start(home, &mut command, ready), format!("inet:127.0.0.1:{port}"))
}

#[test]
fn tls_is_spoken_where_it_is_asked_for() {
    let Some(openssl) = program("openssl") else { return };
    let (_server, socket) = secured(&openssl);
    let ask = |options: &str, rest: &str| {
        format!(
            "${{readsocket{{{socket}}}{{GET /answer HTTP/1.0\\r\\n\\r\\n}}{{{options}}}{rest}}}"
        )
    };
    let head = "HTTP/1.0 200 ok\r|Content-type: text/plain\r|\r|one|two|";
    let lines = [
        ask("5s:tls=yes", "{|}"),
        ask("5s:tls=", "{|}"),
        ask("5s:tls=yes:tls=no", "{|}"),
        ask("5s:sni=known.example", "{|}"),
        ask("5s:tls=no:sni=known.example", "{|}"),
        ask("5s:sni=known.example:tls=no:shutdown=yes", "{|}"),
        ask("5s:tls=yes", "{|}{failed}"),
        ask("5s:sni=other.example", "{|}{failed}"),
    ];
    let answers = agreed(&lines);
    let (last, others) = answers.split_last().expect("answers");
    assert!(others.iter().all(|answer| answer == head), "{others:?}");
    assert_eq!(last, "failed");
    // The words are the library's, and Exim has another one.
    let said =
        |line: &str| String::from_utf8_lossy(&Ours::new().answer(line.as_bytes())).into_owned();
    let said = said(&ask("5s:sni=other.example", ""));
    assert!(said.starts_with("Failed: TLS connect failed: "), "{said}");
}

#[test]
fn tls_does_not_wait_for_ever() {
    let silent = Played::silent();
    let talking = Played::saying("220 no TLS here\r\n".repeat(100));
    let begun = Instant::now();
    for port in [silent.port, talking.port] {
        let line = format!("${{readsocket{{inet:127.0.0.1:{port}}}{{x}}{{1s:tls=yes}}}}");
        let said = Ours::new().answer(line.as_bytes());
        assert!(said.starts_with(b"Failed: TLS connect failed: "), "{}", show(&said));
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
}
