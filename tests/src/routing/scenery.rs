//! The network that routing is asked in: its users, hosts and domains, and a server that
//! renames addresses.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use crate::servers::Server;
use crate::{names, network};

/// Makes a network of this program's own (`network.rs`) the one of `tests/routing`. Gives the
/// server of its zones, which is there for as long as this is kept; nothing where none is
/// installed.
pub fn set_up() -> Option<Server> {
    dress();
    let (server, real) = names::real(&crate::root().join("tests/routing/zones"))?;
    names::play(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), real);
    rename();
    Some(server)
}

/// Lays the files of `tests/routing/system` over those of the system: who is a
/// user, and what hosts are called.
fn dress() {
    let folder = crate::root().join("tests/routing/system");
    network::dress(&folder);
    // Home directories that go with this program.
    network::empty("/mnt");
    let passwd = std::fs::read_to_string(folder.join("passwd")).expect("who is who");
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [user, .., home, _] = fields[..] else { panic!("what is this: {line}") };
        if !home.contains("none") {
            std::fs::create_dir(home).expect("a home");
            let owned = std::process::Command::new("chown").args([user, home]).status();
            assert!(owned.is_ok_and(|status| status.success()), "{user} owns {home}");
        }
    }
}

/// Plays the server that an iplookup router asks: by its local part it is seen
/// what an address is renamed to, and how.
fn rename() {
    let answer = |asked: &str| {
        let original = asked.split(' ').next().unwrap_or_default();
        let (local, _) = original.split_once('@').unwrap_or((original, ""));
        match local {
            "silent" => None,
            "none" => Some(String::new()),
            "wrong" => Some("new@two.test other@two.test".to_owned()),
            "bare" => Some("new@two.test".to_owned()),
            "bad" => Some(format!("no address {original}")),
            "domain" => Some("b.test".to_owned()),
            "short" => Some("n@b.de".to_owned()),
            "space" => Some("n@b.c x".to_owned()),
            "tab" => Some("n@b\tx".to_owned()),
            "line" => Some("n@b\nx".to_owned()),
            "zero" => Some("n@b\0x".to_owned()),
            "lead" => Some(" n@b".to_owned()),
            "quoted" => Some("\"n\"@b".to_owned()),
            "twice" => Some("n@b@c".to_owned()),
            // So short that the original is part of what counts.
            "v" | "w" => Some("x@y v@b".to_owned()),
            "same" => Some(format!("{original} {original}")),
            "long" => Some(format!("{}@two.test {original}", "x".repeat(200))),
            _ => Some(format!("new@two.test {original}")),
        }
    };
    let at = (Ipv4Addr::LOCALHOST, 4343);
    let datagrams = UdpSocket::bind(at).expect("a socket");
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while let Ok((length, peer)) = datagrams.recv_from(&mut bytes) {
            if let Some(text) = answer(&String::from_utf8_lossy(&bytes[..length])) {
                let _ = datagrams.send_to(text.as_bytes(), peer);
            }
        }
    });
    let connections = TcpListener::bind(at).expect("a socket");
    std::thread::spawn(move || {
        while let Ok((mut peer, _)) = connections.accept() {
            std::thread::spawn(move || {
                let mut bytes = [0; 1024];
                let length = peer.read(&mut bytes).unwrap_or(0);
                match answer(&String::from_utf8_lossy(&bytes[..length])) {
                    Some(text) => drop(peer.write_all(text.as_bytes())),
                    None => drop(peer.read(&mut bytes)),
                }
            });
        }
    });
}
