//! `control = dscp`: what a connection's packets are marked with.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::net::sockopt::{ip_tos, ipv6_tclass};

use crate::common::{file, reference};

const CONFIG: &str = "\
log_file_path = DIR/%slog
spool_directory = DIR
primary_hostname = me.test
keep_environment =
acl_smtp_rcpt = r
begin acl
r:
  accept local_parts = ef
         control = dscp/ef
  accept local_parts = number
         control = dscp/0x0a
  accept local_parts = octal
         control = dscp/022
  accept local_parts = none
         control = dscp/foo
  accept local_parts = large
         control = dscp/0x40
  accept local_parts = expanded
         control = dscp/${if eq{1}{1}{throughput}{ef}}
";

/// What each recipient is answered, and what packets are marked with afterwards.
fn marks(program: &str, address: &str) -> Option<Vec<(String, u32)>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let config = file(&CONFIG.replace("DIR", folder.path().to_str().unwrap()));
    let listener = TcpListener::bind((address, 0)).ok()?;
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (socket, _) = listener.accept().unwrap();
    let end = || OwnedFd::from(socket.try_clone().unwrap());
    let mut child = Command::new(program)
        .args(["-C", config.path().to_str().unwrap(), "-bs"])
        .stdin(end())
        .stdout(end())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    let mut said = || loop {
        let line = lines.next().unwrap().unwrap();
        if line.as_bytes()[3] == b' ' {
            return line;
        }
    };
    said();
    let mut say = |line: &str| {
        (&client).write_all(format!("{line}\r\n").as_bytes()).unwrap();
        said()
    };
    say("EHLO x");
    say("MAIL FROM:<>");
    let mut found = Vec::new();
    for name in ["ef", "number", "octal", "none", "large", "expanded"] {
        let answer = say(&format!("RCPT TO:<{name}@me.test>"));
        let mark = match address.contains(':') {
            true => ipv6_tclass(&socket).unwrap(),
            false => u32::from(ip_tos(&socket).unwrap()),
        };
        found.push((answer, mark));
    }
    // What was marked is all that counts.
    child.kill().unwrap();
    child.wait().unwrap();
    Some(found)
}

#[test]
fn packets_are_marked() {
    for address in ["127.0.0.1", "::1"] {
        let Some(ours) = marks(env!("CARGO_BIN_EXE_eximious"), address) else { continue };
        let found: Vec<u32> = ours.iter().map(|(_, mark)| *mark).collect();
        assert_eq!(found, [0xb8, 0x28, 0x48, 0x48, 0x48, 0x08], "{ours:?}");
        if let Some(reference) = reference() {
            assert_eq!(Some(ours), marks(&reference, address), "{address}");
        }
    }
}
