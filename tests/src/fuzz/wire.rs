//! Targets of what comes over the wire: SMTP, messages, headers of proxies.

use std::sync::Arc;

use eximious::Engine;
use eximious_mta::smtp::proxy::{ProxyHeader, parse};
use eximious_mta::smtp::{Client, Event, Received, SmtpServer, SmtpSession, SpoolOutcome};

use super::mail::{MOST_EVENTS, loaded};

/// Holds a session with a client that says anything, cut anywhere: replies are
/// lines, there is an end, and the same bytes one by one get the same replies.
pub fn smtp(data: &[u8]) {
    let text = b"primary_hostname = b.example\nqualify_domain = b.example\n\
        message_size_limit = 2000\nacl_smtp_rcpt = r\nacl_smtp_data = d\nacl_smtp_vrfy = r\n\
        acl_smtp_expn = r\nacl_smtp_etrn = r\nchunking_advertise_hosts = *\n\
        prdr_enable\nbegin acl\nr:\n accept local_parts = a : b\n require verify = recipient\n\
        d:\n deny condition = ${if match{$h_subject:}{spam}}\n accept\n\
        begin routers\nr:\n driver = accept\n local_parts = ^a\n transport = t\n\
        begin transports\nt:\n driver = appendfile\n file = /dev/null\n";
    let Some((config, engine)) = loaded(text.to_vec(), &[]) else {
        panic!("nothing is wrong with it");
    };
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let client = Client::at("192.0.2.1:4711".parse().unwrap());
    let greeting = b"EHLO c.example\r\nMAIL FROM:<x@c.example>\r\nRCPT TO:<a@b.example>\r\n";
    for head in [b"".as_slice(), greeting] {
        let bytes = [head, data].concat();
        let mut session = SmtpSession::new(server.clone(), engine.context(), client.clone());
        let mut said = Vec::new();
        for part in bytes.chunks(1 + data.len() % 97) {
            session.receive(part);
            if !drain(&mut session, &mut said) {
                break;
            }
        }
        session.end_of_input();
        drain(&mut session, &mut said);
        assert!(said.is_empty() || said.ends_with(b"\r\n"));
        for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(line.len() >= 4 && line[..3].iter().all(u8::is_ascii_digit));
            assert!(matches!(line[3], b' ' | b'-' | b'\r'));
        }
    }
}

/// Takes what a session wants said; false where it is over.
pub(super) fn drain(session: &mut SmtpSession, said: &mut Vec<u8>) -> bool {
    for _ in 0..MOST_EVENTS {
        match session.next_event() {
            None => return true,
            Some(Event::Reply(bytes)) => said.extend_from_slice(&bytes),
            Some(Event::Message(_)) => session.conclude(&SpoolOutcome::Spooled),
            Some(Event::Close) => return false,
            Some(_) => {}
        }
    }
    panic!("a session that does not end");
}

/// Gives a session a message, as lines and as a chunk, however it is cut: both are
/// the same message where all lines end as they have to, and what is kept of it is
/// no more than came.
pub fn message(data: &[u8]) {
    let text = b"primary_hostname = b.example\nqualify_domain = b.example\n\
        message_size_limit = 100K\nheader_line_maxsize = 2000\nacl_smtp_rcpt = accept\n\
        acl_smtp_data = d\nignore_fromline_hosts = 192.0.2.2\nbegin acl\nd:\n \
        warn control = submission/sender_retain\n add_header = :at_start:X-A: $message_size\n \
        remove_header = subject\n warn !verify = header_syntax\n !verify = header_names_ascii\n \
        !verify = not_blind\n logwrite = $message_body $message_linecount $h_from: $bh_to:\n \
        accept\n";
    let Some((config, engine)) = loaded(text.to_vec(), &[]) else {
        panic!("nothing is wrong with it");
    };
    let server = Arc::new(SmtpServer::new(&config, &engine));
    for address in ["192.0.2.1", "192.0.2.2"] {
        let client = Client::at(format!("{address}:0").parse().unwrap());
        let asked = data.len() % 61;
        let get =
            |head: &[u8], data: &[u8], size| received(&server, &engine, &client, head, data, size);
        let chunk = format!("BDAT {} LAST\r\n", data.len());
        let whole = get(chunk.as_bytes(), data, data.len().max(1));
        let cut = get(chunk.as_bytes(), data, 1 + asked);
        assert_eq!(shown(&whole), shown(&cut));
        let lines = dotted(data);
        let by_lines = get(b"DATA\r\n", &lines, 1 + asked);
        assert_eq!(shown(&by_lines), shown(&get(b"DATA\r\n", &lines, lines.len())));
        let own: u64 = whole.iter().map(|one| one.message.body.len()).sum();
        assert!(own <= data.len() as u64 + 1, "{own}");
        let plain = !data.is_empty() && data.ends_with(b"\r\n") && has_whole_lines(data);
        if let (true, [one], [other]) = (plain, &whole[..], &by_lines[..]) {
            assert_eq!(one.message.body, other.message.body);
        }
    }
}

/// Whether each line ends in a carriage return and a newline, and none stands alone.
fn has_whole_lines(data: &[u8]) -> bool {
    let pairs = data.windows(2).filter(|pair| pair == b"\r\n").count();
    let count = |wanted| data.iter().filter(|byte| **byte == wanted).count();
    count(b'\n') == pairs && count(b'\r') == pairs
}

/// Lines as they go over the wire, with the dot that ends them.
fn dotted(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 8);
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// The messages that come of some input.
fn received(
    server: &Arc<SmtpServer>,
    engine: &Engine,
    client: &Client,
    head: &[u8],
    data: &[u8],
    piece: usize,
) -> Vec<Received> {
    let mut session = SmtpSession::new(server.clone(), engine.context(), client.clone());
    let greeting = b"EHLO c.example\r\nMAIL FROM:<x@c.example>\r\nRCPT TO:<a@b.example>\r\n";
    let mut found = Vec::new();
    let pieces = [greeting.as_slice(), head].into_iter().chain(data.chunks(piece));
    for piece in pieces {
        session.receive(piece);
        while let Some(event) = session.next_event() {
            if let Event::Message(message) = event {
                found.push(*message);
                session.conclude(&SpoolOutcome::Spooled);
            }
        }
    }
    found
}

/// What is the same in messages that are.
fn shown(messages: &[Received]) -> Vec<(Vec<Vec<u8>>, &[u8])> {
    let lines = |one: &Received| {
        let headers = one.message.headers.iter();
        let kept = headers.filter(|header| !header.is(b"Received") && !header.is(b"Message-Id"));
        kept.map(|header| header.line.to_vec()).collect()
    };
    messages
        .iter()
        .map(|one| (lines(one), one.message.body.in_memory().unwrap_or_default()))
        .collect()
}

/// Reads headers of proxies: every part of one is part of one, and what stands behind
/// it does not matter. A session does what it is told only behind a good one.
pub fn proxy(data: &[u8]) {
    let heads: [&[u8]; 7] = [
        b"",
        b"PROXY ",
        b"PROXY TCP4 192.0.2.7 ",
        b"PROXY TCP6 2001:db8::7 2001:db8::8 ",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x28",
    ];
    let text = b"primary_hostname = b.example\nhosts_proxy = *\nacl_smtp_rcpt = accept\n";
    let Some((config, engine)) = loaded(text.to_vec(), &[]) else {
        panic!("nothing is wrong with it");
    };
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let client = Client::at("192.0.2.1:4711".parse().unwrap());
    for head in heads {
        let bytes = [head, data].concat();
        let read = parse(&bytes);
        match read {
            ProxyHeader::Whole(count, _) => {
                assert!((1..=bytes.len()).contains(&count));
                assert_eq!(parse(&bytes[..count]), read);
                assert!((0..count).all(|end| parse(&bytes[..end]) == ProxyHeader::Partial));
            }
            ProxyHeader::Partial => {
                assert!((0..bytes.len()).all(|end| parse(&bytes[..end]) == ProxyHeader::Partial));
                assert!(bytes.len() < 8192);
            }
            ProxyHeader::Wrong(count) => assert!(count <= bytes.len()),
        }
        let mut session = SmtpSession::new(server.clone(), engine.context(), client.clone());
        let mut said = Vec::new();
        session.receive(&bytes);
        let open = drain(&mut session, &mut said);
        if read == ProxyHeader::Partial {
            assert!(open && said.is_empty());
        }
        session.end_of_input();
        drain(&mut session, &mut said);
        assert!(said.starts_with(b"220 "));
        if !matches!(read, ProxyHeader::Whole(..)) {
            assert!(!said.windows(6).any(|text| text == b"\r\n250 "));
        }
    }
}
