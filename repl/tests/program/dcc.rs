//! `dcc`: messages in `-bh`, and a server that speaks dccifd's protocol as its document
//! says.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common;

const SESSION: &str = "EHLO client.example\r\nMAIL FROM:<ann@here.example>\r\n\
    RCPT TO:<bob@here.example>\r\nRCPT TO:<eve@here.example>\r\nDATA\r\n\
    Subject: x\r\n\r\none\r\n..two\r\n.\r\nQUIT\r\n";

/// What was asked, once for each connection.
type Asked = Arc<Mutex<Vec<String>>>;

/// A daemon that says the same to everybody.
fn daemon(socket: &Path, answer: &'static str) -> Asked {
    let listener = UnixListener::bind(socket).unwrap();
    // Called as root, the program gives up its rights.
    for path in [socket.parent().unwrap(), socket] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let asked = Asked::default();
    let heard = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            heard.lock().unwrap().push(text);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    asked
}

/// Plays the session with this ACL for the data: the last reply but one, what was
/// logged, and what the daemon heard.
fn play(answer: &'static str, settings: &str, acl: &str) -> (String, Vec<String>, Vec<String>) {
    let folder = tempfile::TempDir::new().unwrap();
    let socket = folder.path().join("dccifd");
    let asked = daemon(&socket, answer);
    let config = format!(
        "spool_directory = {}\nprimary_hostname = me.example\nhost_lookup =\n\
         dccifd_address = {}\n{settings}\nacl_smtp_rcpt = accept\nacl_smtp_data = data\n\
         begin acl\ndata:\n{acl}\n",
        folder.path().display(),
        socket.display()
    );
    let file = common::file(&config);
    let path = file.path().to_string_lossy();
    let run = common::eximious(&["-C", &path, "-bh", "192.0.2.7"], SESSION.as_bytes());
    let replies: Vec<&str> =
        run.out.lines().filter(|line| line.starts_with(['2', '4', '5'])).collect();
    let logged = run.err.lines().filter_map(|line| line.strip_prefix("LOG: "));
    let logged = logged.map(str::to_owned).collect();
    let heard = asked.lock().unwrap().clone();
    (replies[replies.len() - 2].to_owned(), logged, heard)
}

#[test]
fn a_message_is_shown_whole_and_once() {
    let acl = "warn set acl_m_dcc_add_header = X-More: 1\n\
        warn dcc = *\n logwrite = $dcc_result <$dcc_header> $headers_added\n\
        deny !dcc = *\naccept";
    let (reply, logged, heard) =
        play("A\nAA\nX-DCC-t-Metrics: me 1; Body=1\n\tFuz1=2\n\n", "", acl);
    assert!(reply.starts_with("250"), "{reply}");
    assert!(
        logged.iter().any(|line| line.contains("A <X-DCC-t-Metrics: me 1; Body=1\\n\tFuz1=2> ")),
        "{logged:?}"
    );
    let [heard] = &heard[..] else { panic!("{heard:?}") };
    let envelope = "header\n192.0.2.7\nclient.example\nann@here.example\nbob@here.example\n\
        eve@here.example\n\n";
    let message = heard.strip_prefix(envelope).unwrap_or_else(|| panic!("{heard}"));
    let (header, body) = message.split_once("\n\n").unwrap();
    assert!(header.ends_with("Subject: x\nX-More: 1"), "{header}");
    assert_eq!(body, "one\n.two\n");
}

#[test]
fn what_is_answered_decides() {
    let refusing = "deny message = refused\n !dcc = *\naccept";
    for (answer, reply) in [
        ("A\nAA\n\n", "250"),
        ("S\nAR\n\n", "250"),
        ("R\nRR\n\n", "550 refused"),
        ("G\nGG\n\n", "550 refused"),
        ("T\nTT\n\n", "451"),
        ("what?\n", "451"),
        ("", "451"),
    ] {
        let (said, logged, _) = play(answer, "", refusing);
        assert!(said.starts_with(reply), "{answer:?}: {said} {logged:?}");
    }
    // What has no answer is as a refusal, where nobody wants to wait.
    let (said, _, _) = play("T\nTT\n\n", "", "warn dcc = */defer_ok\n logwrite = never\naccept");
    assert!(said.starts_with("250"), "{said}");
}

#[test]
fn the_configuration_has_its_say() {
    let settings = "dccifd_options = header grey-off ${lc:QUERY}\ndcc_direct_add_header = true";
    let acl = "warn set acl_m_dcc_override_client_ip = 198.51.100.1\n\
        warn dcc = *\n logwrite = <$headers_added>\naccept";
    let (_, logged, heard) = play("A\nAA\nX-DCC-t-Metrics: me 1\n\n", settings, acl);
    assert!(heard[0].starts_with("header grey-off query\n198.51.100.1\n"), "{}", heard[0]);
    assert!(logged.iter().any(|line| line.contains("<X-DCC-t-Metrics: me 1>")), "{logged:?}");
}
