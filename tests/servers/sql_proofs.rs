//! Proofs of a password that MySQL's own servers want (`caching_sha2_password`),
//! and that MariaDB's do not know: the test plays such a server, and Exim is
//! asked the same where it is there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::servers::{Peer, Played, program};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const PASSWORD: &[u8] = b"se'cret";
const CHALLENGE: &[u8; 20] = b"abcdefghijklmnopqrst";

/// What the server does with a proof.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    /// It keeps a quick one, and that is enough.
    Quick,
    /// It wants the password, sealed with its key.
    Sealed,
    /// It offers another plugin first.
    Switched,
    /// It sends a key that is none.
    NoKey,
}

#[test]
fn caching_sha2_password() {
    let Some(openssl) = program("openssl") else { return };
    let directory = TempDir::new().expect("a directory");
    let key = Arc::new(Key::new(openssl, directory.path()));
    for way in [Way::Quick, Way::Sealed, Way::Switched, Way::NoKey] {
        let key = key.clone();
        let played = Played::tcp(move |peer| {
            serve(peer, way, &key);
        });
        for password in ["se'cret", "wrong", ""] {
            let file = directory.path().join("config");
            let place = format!("127.0.0.1:{}/db/u/{password}", played.port);
            std::fs::write(&file, format!("mysql_servers = <; {place}\n")).expect("a file");
            let line = b"${lookup mysql{select 1}{<$value>}{none}}".to_vec();
            let ours = Ours::with_config(&file).answer(&line);
            let text = String::from_utf8_lossy(&ours).into_owned();
            let good = way != Way::NoKey && password == "se'cret";
            assert_eq!(text == "<1>", good, "{way:?} {password}: {text}");
            // Exim's library has words of its own for a key that is none.
            if let Some(exim) = Reference::find().filter(|_| way != Way::NoKey) {
                let theirs = exim.with_config(&file).ask(&[line], None);
                assert_eq!(theirs, [Answer::Said(ours)], "{way:?} {password}: {text}");
            }
        }
    }
}

/// The server's key, which OpenSSL's program keeps.
struct Key {
    openssl: PathBuf,
    private: PathBuf,
    public: Vec<u8>,
}

impl Key {
    fn new(openssl: PathBuf, directory: &Path) -> Self {
        let private = directory.join("key");
        let run = |args: &[&str]| {
            let mut command = Command::new(&openssl);
            let output = command.args(args).arg(&private).stderr(Stdio::null()).output();
            output.expect("openssl").stdout
        };
        run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]);
        let public = run(&["pkey", "-pubout", "-in"]);
        assert!(public.starts_with(b"-----BEGIN PUBLIC KEY-----"));
        Self { openssl, private, public }
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let mut command = Command::new(&self.openssl);
        command.args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:oaep", "-inkey"]);
        command.arg(&self.private).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("openssl");
        let mut pipe = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut pipe, sealed).expect("room in the pipe");
        drop(pipe);
        child.wait_with_output().expect("openssl").stdout
    }
}

/// A whole session.
fn serve(peer: &mut dyn Peer, way: Way, key: &Key) -> Option<()> {
    let plugin: &[u8] = match way {
        Way::Switched => b"mysql_native_password",
        _ => b"caching_sha2_password",
    };
    // A server of protocol 10, without TLS.
    let mut greeting = b"\x0a8.0.30\0\x01\0\0\0".to_vec();
    greeting.extend(&CHALLENGE[..8]);
    greeting.extend(b"\0\xff\xf7\x2d\x02\0\x28\0\x15\0\0\0\0\0\0\0\0\0\0");
    greeting.extend([&CHALLENGE[8..], b"\0", plugin, b"\0"].concat());
    say(peer, 0, &greeting)?;
    let (mut number, hello) = hear(peer)?;
    let rest = hello.get(32..)?;
    let user = rest.iter().position(|c| *c == 0)?;
    let proof = rest.get(user + 1..)?;
    let mut proof = proof.get(1..1 + usize::from(*proof.first()?))?.to_vec();
    if way == Way::Switched {
        let wanted = [b"\xfecaching_sha2_password\0", &CHALLENGE[..], b"\0"].concat();
        say(peer, number + 1, &wanted)?;
        (number, proof) = hear(peer)?;
    }
    let once = Sha256::digest(PASSWORD);
    let mask = Sha256::new().chain_update(Sha256::digest(once)).chain_update(CHALLENGE).finalize();
    let good: Vec<u8> = once.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let mut known = proof == good;
    if matches!(way, Way::Sealed | Way::NoKey) && !proof.is_empty() {
        say(peer, number + 1, b"\x01\x04")?;
        let (next, asked) = hear(peer)?;
        assert_eq!(asked, [2], "the password itself is not for everybody");
        let shown = if way == Way::NoKey { b"no key" } else { &key.public[..] };
        say(peer, next + 1, &[b"\x01", shown].concat())?;
        let sealed;
        (number, sealed) = hear(peer)?;
        let opened = key.open(&sealed);
        let mixed = opened.iter().zip(CHALLENGE.iter().cycle()).map(|(a, b)| a ^ b);
        known = mixed.eq([PASSWORD, b"\0"].concat());
    } else if known {
        say(peer, number + 1, b"\x01\x03")?;
        number += 1;
    }
    if !known {
        let using = if proof.is_empty() { "NO" } else { "YES" };
        let words = format!("Access denied for user 'u'@'localhost' (using password: {using})");
        return say(peer, number + 1, &[b"\xff\x15\x04#28000", words.as_bytes()].concat());
    }
    say(peer, number + 1, b"\0\0\0\x02\0\0\0")?;
    loop {
        let (_, command) = hear(peer)?;
        if !command.eq_ignore_ascii_case(b"\x03select 1") {
            say(peer, 1, b"\0\0\0\x02\0\0\0")?;
            continue;
        }
        say(peer, 1, b"\x01")?;
        say(peer, 2, b"\x03def\0\0\0\x01a\0\x0c\x08\0\x05\0\0\0\xfd\0\0\0\0\0")?;
        say(peer, 3, b"\xfe\0\0\x02\0")?;
        say(peer, 4, b"\x011")?;
        say(peer, 5, b"\xfe\0\0\x02\0")?;
    }
}

fn say(peer: &mut dyn Peer, number: u8, body: &[u8]) -> Option<()> {
    let [low, middle, high, _] = u32::try_from(body.len()).ok()?.to_le_bytes();
    peer.write_all(&[&[low, middle, high, number], body].concat()).ok()
}

fn hear(peer: &mut dyn Peer) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    peer.read_exact(&mut head).ok()?;
    let [low, middle, high, number] = head;
    let mut body = vec![0; u32::from_le_bytes([low, middle, high, 0]) as usize];
    peer.read_exact(&mut body).ok()?;
    Some((number, body))
}
