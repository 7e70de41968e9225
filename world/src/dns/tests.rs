//! Servers that fail, lie, or keep silent.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eximious_core::world::DnsStanding;

use super::*;

/// What a server does with a datagram: what it says, once or more often.
type Act = dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync;

/// A server; how often it was asked.
struct Server {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn new(act: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::connected(act, |_| {})
    }

    /// One that takes connections, too.
    fn connected(
        act: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static,
        talk: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Self {
        // The port must be free for both.
        let pair = (0..100).find_map(|_| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let listener = TcpListener::bind(socket.local_addr().unwrap()).ok()?;
            Some((socket, listener))
        });
        let (socket, listener) = pair.unwrap();
        let at = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, act): (_, Box<Act>) = (asked.clone(), Box::new(act));
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::Relaxed);
                for answer in act(&buffer[..length]) {
                    let _ = socket.send_to(&answer, peer);
                }
            }
        });
        std::thread::spawn(move || {
            while let Ok((peer, _)) = listener.accept() {
                talk(peer);
            }
        });
        Self { at, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// An answer with a code and some addresses.
fn answer(question: &[u8], flags: u8, code: u8, addresses: u16) -> Vec<u8> {
    let mut out = question.to_vec();
    // What follows the question (EDNS) is left out.
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    out.truncate(end);
    out[2] |= 0x80 | flags;
    out[3] = code;
    (out[6], out[7]) = ((addresses >> 8) as u8, addresses as u8);
    (out[10], out[11]) = (0, 0);
    for number in 0..addresses {
        out.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0]);
        out.extend_from_slice(&number.to_be_bytes());
    }
    out
}

/// The flag that an answer is cut.
const CUT: u8 = 2;

fn options() -> DnsOptions {
    DnsOptions {
        retransmit: Some(Duration::from_millis(150)),
        retries: Some(1),
        ..DnsOptions::default()
    }
}

fn ask(servers: &[&Server]) -> Result<DnsAnswer, DnsError> {
    Resolver::of(servers.iter().map(|server| server.at)).query("a.example", 1, &options())
}

/// There is no answer, and that is known soon.
fn no_answer(server: &Server) {
    let start = Instant::now();
    assert!(matches!(ask(&[server]), Err(DnsError::Again(_))));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn an_answer_is_read() {
    let server = Server::new(|question| vec![answer(question, 0, 0, 2)]);
    let answer = ask(&[&server]).unwrap();
    assert_eq!(answer.name, "a.example");
    assert_eq!(answer.records[1].address(), Some([10, 0, 0, 1].into()));
    assert_eq!((answer.records[0].ttl, answer.standing), (9, DnsStanding::default()));
}

#[test]
fn an_answer_to_the_first_time_may_come_in_the_second() {
    let slow = Server::new(|question| {
        std::thread::sleep(Duration::from_millis(1_300));
        vec![answer(question, 0, 0, 1)]
    });
    let second = Some(Duration::from_secs(1));
    let patient = DnsOptions { retransmit: second, retries: Some(2), ..options() };
    let resolver = Resolver::of([slow.at]);
    assert!(resolver.query("a.example", 1, &patient).is_ok());
    let hasty = DnsOptions { retries: Some(1), ..patient.clone() };
    assert!(matches!(resolver.query("a.example", 1, &hasty), Err(DnsError::Again(_))));
    let slow = Server::new(|question| {
        std::thread::sleep(Duration::from_millis(650));
        vec![answer(question, 0, 0, 1)]
    });
    let both = [("a.example".to_owned(), 1), ("b.example".to_owned(), 1)];
    let found = Resolver::of([slow.at]).query_all(&both, &patient);
    assert!(found.iter().all(Result::is_ok), "{found:?}");
}

#[test]
fn servers_that_can_not_answer_are_passed_over() {
    let good = Server::new(|question| vec![answer(question, 0, 0, 1)]);
    for code in [2, 4, 5] {
        let bad = Server::new(move |question| vec![answer(question, 0, code, 0)]);
        assert!(ask(&[&bad, &good]).is_ok(), "{code}");
        assert_eq!(bad.asked(), 1);
        assert!(matches!(ask(&[&bad]), Err(DnsError::Again(_))), "{code}");
    }
    // Nobody is there: the system says so at once.
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let resolver = Resolver::of([nobody, good.at]);
    assert!(resolver.query("a.example", 1, &options()).is_ok());
}

#[test]
fn what_a_server_says_for_good_is_not_asked_again() {
    let spare = Server::new(|question| vec![answer(question, 0, 0, 1)]);
    let none = Server::new(|question| vec![answer(question, 0, 3, 0)]);
    assert!(matches!(ask(&[&none, &spare]), Err(DnsError::NoName(_))));
    let empty = Server::new(|question| vec![answer(question, 0, 0, 0)]);
    assert!(matches!(ask(&[&empty, &spare]), Err(DnsError::NoData(_))));
    let formal = Server::new(|question| vec![answer(question, 0, 1, 0)]);
    assert!(matches!(ask(&[&formal, &spare]), Err(DnsError::Again(_))));
    assert_eq!(spare.asked(), 0);
}

#[test]
fn questions_are_repeated_as_often_as_options_say() {
    let silent = Server::new(|_| Vec::new());
    let options = DnsOptions { retries: Some(3), ..options() };
    let start = Instant::now();
    assert!(Resolver::of([silent.at]).query("a", 1, &options).is_err());
    assert_eq!(silent.asked(), 3);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(450) && took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn lies_are_passed_over() {
    let liar = Server::new(|question| {
        let good = answer(question, 0, 0, 1);
        let (mut id, mut name, mut kind) = (good.clone(), good.clone(), good.clone());
        id[1] ^= 1;
        name[13] ^= 1;
        let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap();
        kind[end + 2] = 28;
        vec![id, name, kind, b"garbage".to_vec(), Vec::new(), question.to_vec(), good]
    });
    assert!(ask(&[&liar]).is_ok());
    no_answer(&Server::new(|question| {
        let mut lie = answer(question, 0, 0, 1);
        lie[0] ^= 0x80;
        vec![lie; 50]
    }));
}

#[test]
fn an_answer_from_elsewhere_is_none() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = silent.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = silent.recv_from(&mut buffer) {
            let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let _ = other.send_to(&answer(&buffer[..length], 0, 0, 1), peer);
        }
    });
    let answer = Resolver::of([at]).query("a.example", 1, &options());
    assert!(matches!(answer, Err(DnsError::Again(_))), "{answer:?}");
}

#[test]
fn each_question_has_a_port_of_its_own() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    let ports = std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        let mut ports = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let (length, peer) = socket.recv_from(&mut buffer).unwrap();
            ports.insert(peer.port());
            socket.send_to(&answer(&buffer[..length], 0, 0, 1), peer).unwrap();
        }
        ports.len()
    });
    let resolver = Resolver::of([at]);
    for _ in 0..20 {
        resolver.query("a.example", 1, &options()).unwrap();
    }
    assert!(ports.join().unwrap() > 10);
}

/// Reads a question from a connection.
fn framed(peer: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    peer.read_exact(&mut length).unwrap();
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    peer.read_exact(&mut question).unwrap();
    question
}

fn send(peer: &mut TcpStream, answer: &[u8]) {
    let _ = peer.write_all(&(answer.len() as u16).to_be_bytes());
    let _ = peer.write_all(answer);
}

#[test]
fn an_answer_that_is_cut_comes_over_a_connection() {
    let server = Server::connected(
        |question| vec![answer(question, CUT, 0, 0)],
        |mut peer| {
            let question = framed(&mut peer);
            // The most that a message holds.
            send(&mut peer, &answer(&question, 0, 0, 4000));
        },
    );
    assert_eq!(ask(&[&server]).unwrap().records.len(), 4000);
    let still = Server::connected(
        |question| vec![answer(question, CUT, 0, 0)],
        |mut peer| {
            let question = framed(&mut peer);
            send(&mut peer, &answer(&question, CUT, 0, 1));
        },
    );
    assert_eq!(ask(&[&still]).unwrap().records.len(), 1);
}

#[test]
fn connections_that_fail_end() {
    let cut = |question: &[u8]| vec![answer(question, CUT, 0, 0)];
    // It closes; it says half an answer; it says another one's; it drips.
    no_answer(&Server::connected(cut, drop));
    no_answer(&Server::connected(cut, |mut peer| {
        let question = framed(&mut peer);
        let whole = answer(&question, 0, 0, 9);
        let _ = peer.write_all(&(whole.len() as u16).to_be_bytes());
        let _ = peer.write_all(&whole[..whole.len() / 2]);
    }));
    no_answer(&Server::connected(cut, |mut peer| {
        let mut lie = answer(&framed(&mut peer), 0, 0, 1);
        lie[0] ^= 1;
        send(&mut peer, &lie);
    }));
    no_answer(&Server::connected(cut, |mut peer| {
        std::thread::spawn(move || {
            let _ = peer.write_all(&[0xff, 0xff]);
            while peer.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }));
    no_answer(&Server::connected(cut, |peer| {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(5));
            drop(peer);
        });
    }));
}

#[test]
fn the_bits_of_a_question_and_of_an_answer() {
    let server = Server::new(|question| {
        // The answer has as many addresses as the question has bits of note.
        let ad = u16::from(question[3] & 0x20 != 0);
        let edns = u16::from(question[11]);
        let signed = u16::from(question[question.len() - 4] & 0x80 != 0 && edns == 1);
        let mut said = answer(question, 4, 0, 1 + ad + 2 * edns + 4 * signed);
        said[3] |= 0x20;
        vec![said]
    });
    let ask = |config: Config, options: DnsOptions| {
        let answer = Resolver::with(Source::Fixed(config.into())).query("a", 1, &options).unwrap();
        (answer.records.len() - 1, answer.standing.authentic)
    };
    let plain = || Config::of([server.at]);
    assert_eq!(ask(plain(), options()), (1, true));
    assert_eq!(ask(plain(), DnsOptions { edns: true, ..options() }), (3, true));
    assert_eq!(ask(plain(), DnsOptions { dnssec: true, ..options() }), (7, true));
    let distrust = Config { trust_ad: false, ..plain() };
    assert_eq!(ask(distrust, options()), (0, false));
}

#[test]
fn servers_take_turns_where_that_is_asked_for() {
    let servers = [0; 2].map(|_| Server::new(|question| vec![answer(question, 0, 0, 1)]));
    let config = Config { rotate: true, ..Config::of(servers.iter().map(|server| server.at)) };
    let resolver = Resolver::with(Source::Fixed(config.into()));
    for _ in 0..6 {
        resolver.query("a", 1, &options()).unwrap();
    }
    assert_eq!(servers.each_ref().map(Server::asked), [3, 3]);
}

#[test]
fn a_connection_comes_first_where_that_is_asked_for() {
    let server = Server::connected(
        |_| panic!("a datagram"),
        |mut peer| {
            let question = framed(&mut peer);
            send(&mut peer, &answer(&question, 0, 0, 1));
        },
    );
    let config = Config { use_tcp: true, ..Config::of([server.at]) };
    let resolver = Resolver::with(Source::Fixed(config.into()));
    assert!(resolver.query("a", 1, &options()).is_ok());
}

#[test]
fn what_is_no_name_is_not_asked_for() {
    let server = Server::new(|question| vec![answer(question, 0, 0, 1)]);
    let resolver = Resolver::of([server.at]);
    for name in ["a..b", &"a".repeat(64), &"a.".repeat(200), "a\\"] {
        let answer = resolver.query(name, 1, &options());
        assert!(matches!(answer, Err(DnsError::Again(_))), "{name}");
    }
    assert_eq!(server.asked(), 0);
}

#[test]
fn later_servers_get_their_share_of_patience() {
    let wait =
        |seconds, index, count| patience_with(Duration::from_secs(seconds), index, count).as_secs();
    assert_eq!([wait(5, 0, 3), wait(5, 1, 3), wait(5, 2, 3)], [5, 3, 6]);
    assert_eq!(wait(1, 1, 3), 1);
}

#[test]
fn names_are_completed_by_the_search_list() {
    let server = Server::new(|question| {
        let found = question.windows(10).any(|bytes| bytes == b"\x01h\x04here\x00\x00\x01");
        vec![if found { answer(question, 0, 0, 1) } else { answer(question, 0, 3, 0) }]
    });
    let config = Config { search: vec!["away.".into(), "here.".into()], ..Config::of([server.at]) };
    let resolver = Resolver::with(Source::Fixed(config.into()));
    let parents = DnsOptions { qualify_single: true, search_parents: true, ..options() };
    assert_eq!(resolver.query("h", 1, &parents).unwrap().name, "h.here");
    assert_eq!(server.asked(), 2);
    let single = DnsOptions { qualify_single: true, ..options() };
    assert!(matches!(resolver.query("h", 1, &single), Err(DnsError::NoName(_))));
    assert!(matches!(resolver.query("h", 1, &options()), Err(DnsError::NoName(_))));
    assert_eq!(server.asked(), 5);
}

#[test]
fn questions_are_asked_side_by_side() {
    // Nobody is answered before all have asked; what has a name of its own has no answer.
    let waiting = std::sync::Mutex::new(Vec::new());
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let mut waiting = waiting.lock().unwrap();
            waiting.push((buffer[..length].to_vec(), peer));
            if waiting.len() < 5 {
                continue;
            }
            for (question, peer) in waiting.drain(..) {
                let code = if question[13] == b'x' { 2 } else { 0 };
                let count = u16::from(question[13] - b'a');
                let _ = socket.send_to(&answer(&question, 0, code, count), peer);
            }
        }
    });
    let patient = DnsOptions { retransmit: Some(Duration::from_secs(20)), ..options() };
    let names = ["b", "c", "x", "d", "e"].map(|name| (format!("{name}.example"), 1));
    let start = Instant::now();
    let answers = Resolver::of([at]).query_all(&names, &patient);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let counts = answers.iter().map(|one| one.as_ref().map(|answer| answer.records.len()).ok());
    assert_eq!(counts.collect::<Vec<_>>(), [Some(1), Some(2), None, Some(3), Some(4)]);
    assert_eq!(Resolver::of([at]).query_all(&[], &patient), []);
}

#[test]
fn several_questions_to_nobody_wait_for_nothing() {
    let gone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let server = Server::new(|question| vec![answer(question, 0, 0, 1)]);
    let patient = DnsOptions { retransmit: Some(Duration::from_secs(20)), ..options() };
    for count in [2, 3] {
        let names: Vec<_> = (0..count).map(|number| (format!("n{number}.example"), 1)).collect();
        let start = Instant::now();
        let answers = Resolver::of([gone, server.at]).query_all(&names, &patient);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
}

/// Addresses come with MX records, where the answer is whole.
#[test]
fn addresses_of_hosts_come_with_their_records() {
    for (flags, count) in [(0, 1), (CUT, 0)] {
        let act = move |question: &[u8]| {
            let mut out = answer(question, flags, 0, 0);
            (out[7], out[9], out[11]) = (1, 1, 2);
            let end = out.len();
            // One MX record, whose host is `m` below the name; an NS record; an address of the
            // host, and a text.
            out.extend_from_slice(&[
                0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 9, 0, 6, 0, 5, 1, b'm', 0xc0, 12,
            ]);
            let host = 0xc000 | (end + 14) as u16;
            out.extend_from_slice(&[0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
            out.extend_from_slice(&host.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 7]);
            out.extend_from_slice(&host.to_be_bytes());
            out.extend_from_slice(&[0, 16, 0, 1, 0, 0, 0, 9, 0, 2, 1, b'x']);
            vec![out]
        };
        let server = Server::connected(act, move |mut peer| {
            let mut size = [0; 2];
            peer.read_exact(&mut size).unwrap();
            let mut question = vec![0; u16::from_be_bytes(size).into()];
            peer.read_exact(&mut question).unwrap();
            let whole = answer(&question, 0, 0, 0);
            let mut out = whole;
            out[7] = 1;
            out.extend_from_slice(&[
                0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 9, 0, 6, 0, 5, 1, b'm', 0xc0, 12,
            ]);
            send(&mut peer, &out);
        });
        let resolver = Resolver::of([server.at]);
        let answer = resolver.query("a.example", 15, &options()).unwrap();
        assert_eq!(answer.records.len(), 1);
        let beside: Vec<_> = answer.additional.iter().map(|r| (&*r.name, r.address())).collect();
        let wanted = [("m.a.example", Some([10, 0, 0, 7].into()))];
        assert_eq!(beside, wanted[..count]);
    }
}
