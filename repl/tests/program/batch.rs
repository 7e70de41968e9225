//! `-bS`, and `-bs` for whoever listens in the program's place: both programs say
//! and keep the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::spool::{Place, comparable, exim};
use eximious_mta::spool::HeaderFile;

const MESSAGE: &str = "From: a@b.example\nSubject: x\n\nbody\n.\n";

/// What a program keeps, apart from what is another one each time.
fn kept(place: &Place) -> Vec<HeaderFile> {
    let files = place.files("input");
    let headers = files.iter().filter(|(name, _)| name.ends_with("-H"));
    headers.map(|(_, bytes)| comparable(bytes)).collect()
}

fn agree(args: &[&str], more: &str, input: &str) {
    let Some(exim) = exim() else { return };
    let (theirs, ours) = (Place::new(more), Place::new(more));
    let expected = theirs.run(&exim, args, input);
    let said = ours.ours(args, input);
    assert_eq!(said, expected, "{input}");
    assert_eq!(kept(&ours), kept(&theirs), "{input}");
}

#[test]
fn batches_are_taken_as_the_real_exim_takes_them() {
    let mail = "MAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\n";
    let one = format!("{mail}{MESSAGE}");
    for input in [
        one.clone(),
        format!("HELO there\n{one}EHLO here\n{one}QUIT\nFOO\n"),
        format!("{one}FOO\n"),
        format!("{one}{one}MAIL FROM:<x y>\n"),
        one.replace('\n', "\r\n"),
        format!("MAIL FROM:<>\nRCPT TO:<c>\nRCPT TO:<\"a b\"@d.example>\nDATA\n{MESSAGE}"),
        "FOO\n".to_owned(),
        "\n".to_owned(),
        String::new(),
        "QUIT now\n".to_owned(),
        "RCPT TO:<a@b>\n".to_owned(),
        "DATA\n".to_owned(),
        "MAIL FROM:<a@b>\nDATA\n".to_owned(),
        "MAIL FROM:<a@b>\nMAIL FROM:<a@b>\n".to_owned(),
        "MAIL FROM:<a@b>\nRCPT TO:\n".to_owned(),
        "MAIL FROM:<a@b> SIZE=1\n".to_owned(),
        "MAIL FROM:<a@b>\nRCPT TO:<>\n".to_owned(),
        "HELP\nNOOP\nRSET\nVRFY x\nEXPN x\nETRN x\nAUTH PLAIN x\n".to_owned(),
        format!("{mail}Subject: lost\n\nx\n"),
        format!("{mail}Subject: large\n\n{}\n.\n", "x".repeat(3000)),
    ] {
        agree(&["-bS"], "message_size_limit = 2000\n", &input);
    }
    agree(&["-bnq", "-bS"], "", &one);
    agree(&["-bnq", "-bS"], "", "MAIL FROM:<a>\n");
    agree(&["-F", "Full Name", "-bS"], "", &one.replace("From: a@b.example\n", ""));
    agree(&["-oMa", "192.0.2.1", "-oMt", "who", "-oMr", "uucp", "-bS"], "", &one);
    let option = "recipients_max = 1\n";
    agree(&["-bS"], option, &one.replace("DATA", "RCPT TO:<d@here.example>\nDATA"));
}

/// What refuses a part of a message of a batch is the ACL for messages of programs; it is told
/// as in SMTP. (The real Exim leaves the text out where it says what the error was.)
#[test]
fn parts_are_refused_as_in_smtp() {
    let Some(exim) = exim() else { return };
    let batch = format!(
        "MAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\nMIME-Version: 1.0\n\
         Content-Type: text/plain\n{MESSAGE}"
    );
    for acl in [
        "deny message = no programs",
        "deny message = 571 5.7.1 x",
        "deny log_message = for the log",
        "deny",
        "defer",
        "defer message = not now",
        "drop message = dropped",
        "require condition = perhaps",
    ] {
        let told = |program: &str| {
            let place = Place::new(&format!("acl_not_smtp_mime = {acl}\n"));
            let run = place.run(program, &["-bS"], &batch);
            let reply = run.out.lines().find(|line| line.starts_with(['4', '5']));
            let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
            let log = log.lines().filter_map(|line| line.split_once(" U=")).map(|(_, what)| what);
            (reply.map(str::to_owned), log.map(str::to_owned).collect::<Vec<_>>(), run.status)
        };
        let expected = told(&exim);
        assert!(expected.1.len() == 1 && expected.1[0].contains(" during MIME"), "{expected:?}");
        assert_eq!(told(env!("CARGO_BIN_EXE_eximious")), expected, "{acl}");
    }
}

/// Speaks with a program that has a connection as its standard input and output.
fn called(place: &Place, program: &str, said: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).expect("a connection");
    let (served, _) = listener.accept().unwrap();
    let output = served.try_clone().unwrap();
    let mut child = Command::new(program)
        .arg("-C")
        .arg(&place.config)
        .arg("-bs")
        .stdin(Stdio::from(OwnedFd::from(served)))
        .stdout(Stdio::from(OwnedFd::from(output)))
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut replies = String::new();
    let mut piece = [0; 4096];
    let mut lines = said.lines();
    loop {
        let count = client.read(&mut piece).expect("a reply");
        if count == 0 {
            break;
        }
        replies.push_str(&String::from_utf8_lossy(&piece[..count]));
        // The last line of a reply has a blank behind its code.
        let last = replies.lines().last().unwrap_or_default();
        if replies.ends_with('\n') && last.as_bytes().get(3) == Some(&b' ') {
            let Some(line) = lines.next() else { break };
            let line = line.replace("\\n", "\r\n");
            client.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    replies
}

#[test]
fn whoever_is_connected_to_the_standard_input_is_the_client() {
    let said = "EHLO client.example\nMAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\n\
        Subject: x\\n\\nbody\\n.\nQUIT\n";
    let Some(exim) = exim() else { return };
    let more = "host_lookup =\nrfc1413_query_timeout = 0s\nrfc1413_hosts =\n";
    let (theirs, ours) = (Place::new(more), Place::new(more));
    let shown = |text: String| {
        let lines = text.lines().filter(|line| !line.starts_with("220 ") && !line.contains("id="));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = shown(called(&theirs, &exim, said));
    assert_eq!(shown(called(&ours, env!("CARGO_BIN_EXE_eximious"), said)), expected);
    let without_ports = |mut files: Vec<HeaderFile>| {
        for value in files.iter_mut().flat_map(|file| &mut file.values) {
            if matches!(&value.name[..], b"host_address" | b"interface_address") {
                let text = String::from_utf8_lossy(value.text.as_deref().unwrap_or_default());
                value.text = Some(text.split("]:").next().unwrap_or_default().into());
            }
        }
        files
    };
    let (ours, theirs) = (without_ports(kept(&ours)), without_ports(kept(&theirs)));
    assert_eq!(ours.len(), 1);
    assert_eq!(ours, theirs);
}

#[test]
fn a_program_that_says_nothing_is_not_waited_for() {
    let Some(exim) = exim() else { return };
    for program in [exim.as_str(), env!("CARGO_BIN_EXE_eximious")] {
        let place = Place::new("receive_timeout = 1s\n");
        let began = Instant::now();
        let mut child = Command::new(program)
            .arg("-C")
            .arg(&place.config)
            .arg("c@here.example")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a program");
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"Subject: x\n").unwrap();
        // The real one sees that it is late when more comes.
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(1500));
            let _ = input.write_all(b"Keywords: late\n");
            std::thread::sleep(Duration::from_millis(500));
        });
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "exim: timed out while reading - message abandoned\n");
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(kept(&place).is_empty());
        late.join().expect("a thread");
    }
}

#[test]
fn a_client_that_says_nothing_is_not_waited_for() {
    let place = Place::new("smtp_receive_timeout = 1s\n");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
        .arg("-C")
        .arg(&place.config)
        .arg("-bs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("eximious");
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"EHLO client.example\r\nMAIL FROM").unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.ends_with(": SMTP command timeout - closing connection\r\n"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(20));
    drop(input);
}
