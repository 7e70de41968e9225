//! Programs and servers that answer what they are told to: `run`, `readsocket`, and the routers
//! that ask somebody else.
//!
//! What a server is asked is a script, words with semicolons between them: `w~TEXT` is text
//! (`^hh` a byte), `n~300` so many lines, `s~0.2` a pause, `f` the end of what it says, `q` the
//! question itself, `d` a byte now and then, for ever. Afterwards it closes.

use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;

use super::super::lookups;
use crate::dice::Dice;
use crate::directory::Names;
use crate::servers::{Peer, Played};

/// How often a byte comes where there is no end.
const DRIP: Duration = Duration::from_millis(100);

/// Starts the servers, one of which is at a path in a directory.
pub fn play(directory: &Path) -> Names {
    let answer = |peer: &mut dyn Peer| {
        let mut bytes = [0; 4096];
        let length = peer.read(&mut bytes).unwrap_or_default();
        let _ = act(&bytes[..length], peer);
    };
    let path = directory.join("told");
    Played::unix(&path, answer);
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let port = datagrams.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, peer)) = datagrams.recv_from(&mut bytes) {
            let mut said = Vec::new();
            let _ = act(&bytes[..length], &mut Heard(&mut said));
            if !said.is_empty() {
                let _ = datagrams.send_to(&said, peer);
            }
        }
    });
    vec![
        ("TOLDPORT", Played::tcp(answer).port.to_string()),
        ("TOLDPATH", path.display().to_string()),
        ("UDPPORT", port.to_string()),
    ]
}

/// What is said in one piece.
struct Heard<'v>(&'v mut Vec<u8>);

impl Write for Heard<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn act(script: &[u8], peer: &mut (impl Write + ?Sized)) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(script).into_owned();
    for word in text.split(';') {
        let (what, rest) = word.split_once('~').unwrap_or((word, ""));
        match what.trim() {
            "w" => peer.write_all(&unescaped(rest))?,
            "n" => {
                let count = rest.trim().parse().unwrap_or_default();
                peer.write_all(&b"line\n".repeat(count))?;
            }
            "s" => std::thread::sleep(Duration::from_secs_f64(rest.trim().parse().unwrap_or(0.0))),
            "q" => peer.write_all(script)?,
            "d" => {
                for _ in 0..100 {
                    peer.write_all(b".")?;
                    std::thread::sleep(DRIP);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split('^');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at_checked(2).unwrap_or(("", part));
        out.extend(u8::from_str_radix(byte, 16));
        out.extend_from_slice(rest.as_bytes());
    }
    out
}

/// An item of an expansion; the number is one of its own.
pub fn item(rng: &mut Rng, number: usize) -> String {
    match rng.u32(..12) {
        0..=5 => socket(rng, number),
        6..=8 => run(rng),
        9 => {
            let key = rng.pick(&["root", "nobody", "nosuch", "", "Root", "0", "root x"]);
            let options = rng.pick(&["", "", ",cache=no_rd", ",ret=key", "*", ",x"]);
            format!("${{lookup passwd{options}{{{key}}}{}}}", lookups::tail(rng, 0))
        }
        10 => {
            let kind = rng.pick(&["nis", "nis0", "nis*", "partial-nis", "nis,ret=key"]);
            let map = rng.pick(&["passwd.byname", "", "a b"]);
            format!("${{lookup{{a}}{kind}{{{map}}}{{<$value>}}{{no}}}}")
        }
        _ => {
            let key = rng.pick(&["root", "a.test", ""]);
            format!("${{lookup{{{key}}}passwd{{/etc/passwd}}{{<$value>}}{{no}}}}")
        }
    }
}

fn script(rng: &mut Rng) -> String {
    rng.some(0, 4, ";", |rng| match rng.u32(..12) {
        0..=6 => {
            let text = rng.pick(&[
                "one",
                "two words",
                "",
                "a^0Ab",
                "^0A",
                "x^0A^0Ay^0A",
                "a^00b",
                "cr^0D^0A",
                "é",
                "^FF",
                "a=1 b=2",
                "tail^0A",
            ]);
            format!("w~{text}")
        }
        7 => format!("n~{}", rng.pick(&["3", "300", "2000"])),
        8 => format!("s~{}", rng.pick(&["0.1", "0.3", "1.4"])),
        9 => "q".to_owned(),
        10 if rng.chance(3) => "d".to_owned(),
        _ => rng.pick(&["", "x", "GET /", "a\\nb"]).to_owned(),
    })
}

fn socket(rng: &mut Rng, number: usize) -> String {
    let address = match rng.u32(..16) {
        0..=4 => "TOLDPATH".to_owned(),
        5..=10 => "inet:127.0.0.1:TOLDPORT".to_owned(),
        11 => "inet:localhost:TOLDPORT".to_owned(),
        // One that nobody is at is asked once: the real one remembers that it has it.
        12 => format!("inet:127.0.0.{}:DEADPORT", number + 2),
        13 => format!("DIR/nosuch{number}"),
        14 => {
            rng.pick(&["", "inet:", "inet:127.0.0.1", "inet:127.0.0.1:x", "INET:a:1", "DIR"]).into()
        }
        _ => rng
            .pick(&["inet:[127.0.0.1]:TOLDPORT", "inet:nosuch.test:1", "inet:127.0.0.1:0"])
            .into(),
    };
    let script = script(rng);
    let options = rng.pick(&[
        "{1s}",
        "{1s}",
        "{1s}",
        "{1s:shutdown=no}",
        "{1s:shutdown=yes}",
        "{1s:cache=yes}",
        "{1s:cache=no}",
        "{1s:tls=no}",
        "{1s:shutdown=no:cache=yes}",
        "{}",
        "{0s}",
        "{x}",
        "{1s:x=y}",
        "{1s:}",
        "{1s:shutdown}",
        "{1s : shutdown=no}",
        "{<; 1s; shutdown=no}",
        "{ 1s }",
    ]);
    let line = rng.pick(&["", "{}", "{|}", "{\\n}", "{ }", "{--}", "{${lc:X}}"]);
    let failed = match line {
        "" => "",
        _ => rng.pick(&["", "", "{gone}", "{}", "{$value}", "{${expand:x}}fail"]),
    };
    // Otherwise five seconds are waited.
    let options = if options == "{}" && script.contains('d') { "{1s}" } else { options };
    format!("${{readsocket{{{address}}}{{{script}}}{options}{line}{failed}}}")
}

fn run(rng: &mut Rng) -> String {
    let command = rng.pick(&[
        "/bin/echo a b",
        "/bin/echo \\\"a b\\\" c",
        "/bin/echo 'a b' c",
        "/bin/echo a\\\\ b",
        "/bin/echo ${lc:A B}",
        "/bin/echo -n",
        "/bin/echo",
        "/usr/bin/printf x\\\\n\\\\n",
        "/usr/bin/printf a\\\\\\\\0b",
        "/usr/bin/printf \\\"%s|\\\" a \\\"\\\" b",
        "/bin/false",
        "/bin/true",
        "/nosuch",
        "echo a",
        "/bin",
        "",
        " /bin/echo  a ",
        "/bin/sh -c \\\"exit 3\\\"",
        "/bin/sh -c \\\"kill -9 \\$\\$\\\"",
        "/bin/sh -c \\\"kill -15 \\$\\$\\\"",
        "/bin/sh -c \\\"echo out; echo err >&2; exit 1\\\"",
        "/bin/sh -c 'cat; echo done'",
        "/usr/bin/env",
        "/bin/pwd",
        "/usr/bin/seq 1 2000",
        "/usr/bin/id -u",
        "/bin/echo \\\"open",
        "/bin/echo 'open",
        "/bin/echo \\${lc:A}",
        "/bin/echo \\$value",
    ]);
    let options = rng.pick(&["", "", "", ",preexpand", " preexpand", ",x", ",preexpand=yes"]);
    let tail = rng.pick(&[
        "",
        "{<$value|$runrc>}{no <$value|$runrc>}",
        "{<${length_40:$value}>}{no $runrc}",
        "{$value}",
        "{y}fail",
        "{${lookup passwd{root}{$value}}}{no}",
        "{}{}",
    ]);
    format!("${{run{options}{{{command}}}{tail}}}$runrc")
}

/// A router that asks somebody else.
pub fn router(rng: &mut Rng) -> String {
    match rng.bool() {
        true => renaming(rng),
        false => commanding(rng),
    }
}

fn renaming(rng: &mut Rng) -> String {
    let (protocol, port) = match rng.bool() {
        true => ("  protocol = udp\n", "UDPPORT"),
        false => ("  protocol = tcp\n", "TOLDPORT"),
    };
    let port = if rng.chance(12) { "DEADPORT" } else { port };
    let hosts = rng.pick(&[
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.9 : 127.0.0.1",
        "localhost",
        "nosuch.test",
        "${if eq{1}{1}{127.0.0.1}}",
        "",
    ]);
    let name = rng.pick(&["$local_part@$domain", "x@b.test", "$local_part"]);
    let renamed = rng.pick(&[
        "new@b.test",
        "new@two.test",
        "New+X@b.test",
        "bad",
        "a b",
        "@b.test",
        "",
        "a@b@c",
        "\"q r\"@b.test",
        "one@a.test",
    ]);
    let reply = match rng.u32(..8) {
        0 => format!("w~{renamed}"),
        1 => format!("w~{name} {renamed}"),
        2 => format!("s~0.2;w~{renamed} {name}"),
        3 => format!("w~{renamed} {name} more"),
        4 => rng.pick(&["s~3", "", "x", "w~", "w~^00", "n~60", "w~ ", "w~^0A", "q"]).to_owned(),
        _ => format!("w~{renamed} {name}"),
    };
    let mut text = format!(
        "  driver = iplookup\n{protocol}  hosts = {hosts}\n  port = {port}\n  timeout = 1s\n  \
         query = {}",
        reply.replace('\\', "\\\\")
    );
    let all = [
        "optional",
        "response_pattern = ^(\\\\S+)\\\\s+(\\\\S+)\\$",
        "response_pattern = ^(\\\\S+)",
        "response_pattern = (",
        "reroute = $1@two.test",
        "reroute = $1",
        "reroute = new@two.test",
        "reroute = ${if eq{$1}{}{x}}",
        "reroute = ${nosuch}",
        "more = false",
        "self = pass",
        "errors_to = e@a.test",
        "address_data = <$local_part>",
        "redirect_router = last",
        "pass_router = last",
    ];
    for option in rng.options(4, &all) {
        text += &format!("\n  {option}");
    }
    text
}

fn commanding(rng: &mut Rng) -> String {
    let said = rng.pick(&[
        "ACCEPT TRANSPORT=null",
        "accept",
        "ACCEPT",
        "ACCEPT TRANSPORT=smtp HOSTS=127.0.0.1 LOOKUP=byname",
        "ACCEPT TRANSPORT=smtp HOSTS=127.0.0.1:127.0.0.2",
        "ACCEPT HOSTS=nosuch.test LOOKUP=bydns TRANSPORT=smtp",
        "ACCEPT TRANSPORT=smtp HOSTS=192.0.2.1 LOOKUP=x",
        "ACCEPT TRANSPORT=nosuch",
        "ACCEPT TRANSPORT=null DATA=two words",
        "ACCEPT TRANSPORT=null DATA=\\\"two words\\\"",
        "ACCEPT TRANSPORT=smtp",
        "ACCEPT HOSTS=",
        "ACCEPT TRANSPORT=null HOSTS=127.0.0.1",
        "DECLINE",
        "DECLINE with words",
        "Pass",
        "FAIL",
        "FAIL no such user",
        "fail :x",
        "DEFER later",
        "DEFER",
        "FREEZE now",
        "REDIRECT one@b.test",
        "REDIRECT one@b.test, two@b.test",
        "REDIRECT :fail: no",
        "REDIRECT",
        "REDIRECT bad",
        "REDIRECT /dev/null",
        "REDIRECT ann@a.test",
        "NOSUCH",
        "",
        " FAIL lead",
        "FAILx",
        "FAIL\\\\nsecond line",
        "\\\\nFAIL",
        "ERROR x",
    ]);
    let command = match rng.u32(..10) {
        0 => rng
            .pick(&[
                "/nosuch x",
                "nosuch",
                "/bin/false",
                "/bin/true",
                "/bin/sh -c \"echo FAIL no; exit 1\"",
                "/bin/sh -c \"echo FAIL no; kill -9 $$$$\"",
                "/bin/sleep 3",
                "/bin/cat",
                "/usr/bin/seq 1 2000",
                "${if eq{1}{2}{x}}",
                "${nosuch}",
                "$local_part",
                "/bin/sh -c \"echo FAIL out; echo err >&2\"",
                "/bin/pwd",
            ])
            .to_owned(),
        1 => format!("/bin/echo '{said}'"),
        2 => format!("/bin/echo {said} $local_part <$domain>"),
        3 => format!("/usr/bin/printf \"{said}\""),
        _ => format!("/bin/echo {said}"),
    };
    let mut text = format!("  driver = queryprogram\n  command = {command}\n  timeout = 1s");
    if !rng.chance(20) {
        let user = rng.pick(&["nobody", "nobody", "nobody", "$local_part", "root", "nosuch", "33"]);
        text += &format!("\n  command_user = {user}");
    }
    let all = [
        "command_group = nogroup",
        "command_group = mail",
        "current_directory = /tmp",
        "current_directory = DIR/nosuch",
        "current_directory = DIR",
        "transport = null",
        "transport = smtp",
        "more = false",
        "self = pass",
        "self = fail",
        "redirect_router = last",
        "pass_router = last",
        "host_find_failed = pass",
        "cannot_route_message = cannot $local_part",
        "unseen",
        "errors_to = e@a.test",
        "user = nobody",
        "ignore_target_hosts = 127.0.0.2",
    ];
    for option in rng.options(4, &all) {
        text += &format!("\n  {option}");
    }
    text
}
