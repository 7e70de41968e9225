//! An LDAP server that a test plays: it answers what a search's base, or a
//! bind's name, says.
//!
//! A base is a list of words with semicolons between them, whose parts are
//! separated by tildes: `e~DN~name=value|value` is an entry, `r~URL` a reference,
//! `d~code~matched~message~URL` the end, `i` an intermediate answer, `s~1.5` a
//! pause, `x` the end of the connection, `t~65` an answer with this tag and
//! nothing in it, `g~3000` any bytes. In a URL, `!` stands
//! for a tilde and `&` for a semicolon; `^00` is a byte anywhere. A name is a list
//! of `code=49`, `message=…`, `sleep=1.5` and `close`. Words behind `@name:` are
//! for the server of that name.

use std::time::Duration;

use crate::servers::{Peer, Played};

/// Starts a server of this name.
pub fn play(name: &'static str) -> Played {
    Played::tcp(move |peer| {
        while let Some((number, tag, body)) = request(peer) {
            let said = match tag {
                0x60 => bind(peer, name, &number, &body),
                0x63 => search(peer, name, &number, &body),
                0x77 => say(peer, &number, &result(0x78, "2", "", "no TLS", &[])),
                _ => None,
            };
            if said.is_none() {
                return;
            }
        }
    })
}

/// A value behind its tag and length.
pub fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).expect("a short value").to_be_bytes();
    [&[tag, 0x84][..], &length, contents].concat()
}

/// A whole message.
pub fn message(number: &[u8], operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&element(2, number), operation].concat())
}

/// The next request: its number, its tag and what is in it.
pub fn request(peer: &mut dyn Peer) -> Option<(Vec<u8>, u8, Vec<u8>)> {
    let (_, whole) = value(&mut |bytes| peer.read_exact(bytes).ok())?;
    let mut rest = &whole[..];
    let (_, number) = next(&mut rest)?;
    let (tag, body) = next(&mut rest)?;
    Some((number, tag, body))
}

fn next(rest: &mut &[u8]) -> Option<(u8, Vec<u8>)> {
    value(&mut |bytes| {
        let (head, tail) = rest.split_at_checked(bytes.len())?;
        bytes.copy_from_slice(head);
        *rest = tail;
        Some(())
    })
}

fn value(read: &mut dyn FnMut(&mut [u8]) -> Option<()>) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    read(&mut head)?;
    let mut length = usize::from(head[1]);
    if length > 127 {
        let mut bytes = vec![0; length & 127];
        read(&mut bytes)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    }
    let mut contents = vec![0; length];
    read(&mut contents)?;
    Some((head[0], contents))
}

fn bind(peer: &mut dyn Peer, name: &str, number: &[u8], body: &[u8]) -> Option<()> {
    let mut rest = body;
    next(&mut rest)?;
    let (_, dn) = next(&mut rest)?;
    let dn = String::from_utf8_lossy(&dn).into_owned();
    let (mut code, mut words) = ("0", "");
    for word in dn.split(';').filter_map(|word| for_me(name, word)) {
        match word.split_once('=') {
            Some(("code", value)) => code = value,
            Some(("message", value)) => words = value,
            Some(("sleep", value)) => sleep(value),
            _ if word == "close" => return None,
            _ => {}
        }
    }
    say(peer, number, &result(0x61, code, "", words, &[]))
}

fn search(peer: &mut dyn Peer, name: &str, number: &[u8], body: &[u8]) -> Option<()> {
    let (_, base) = next(&mut &body[..])?;
    let base = String::from_utf8_lossy(&base).into_owned();
    let mut ended = false;
    for word in base.split(';').filter_map(|word| for_me(name, word)) {
        let parts: Vec<&str> = word.split('~').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let tail = parts.get(4.min(parts.len())..).unwrap_or_default();
        ended |= matches!(part(0), "d" | "g" | "i" | "r" | "t");
        match part(0) {
            "e" => say(peer, number, &entry(part(1), parts.get(2..).unwrap_or_default()))?,
            "r" => say(peer, number, &element(0x73, &urls(&parts[1..])))?,
            "d" => say(peer, number, &result(0x65, part(1), part(2), part(3), tail))?,
            "i" => say(peer, number, &element(0x79, &element(0x80, b"1.2.3")))?,
            "s" => sleep(part(1)),
            "t" => say(peer, number, &element(unhex(part(1))[0], b""))?,
            "g" => peer.write_all(&unhex(part(1))).ok()?,
            "x" => return None,
            _ => {}
        }
    }
    // Who asks must not wait for ever.
    if ended { Some(()) } else { say(peer, number, &result(0x65, "80", "", "no end", &[])) }
}

/// A word, where it is for the server of this name.
fn for_me<'w>(name: &str, word: &'w str) -> Option<&'w str> {
    match word.strip_prefix('@').and_then(|word| word.split_once(':')) {
        Some((whom, word)) => (whom == name).then_some(word),
        None => Some(word),
    }
}

fn entry(dn: &str, attributes: &[&str]) -> Vec<u8> {
    let attribute = |text: &&str| {
        let (name, values) = text.split_once('=').map_or((*text, None), |(n, v)| (n, Some(v)));
        let values = values.into_iter().flat_map(|values| values.split('|'));
        let values: Vec<u8> = values.flat_map(|value| element(4, &bytes(value))).collect();
        element(0x30, &[element(4, &bytes(name)), element(0x31, &values)].concat())
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    element(0x64, &[element(4, &bytes(dn)), element(0x30, &attributes)].concat())
}

fn result(tag: u8, code: &str, matched: &str, words: &str, refer: &[&str]) -> Vec<u8> {
    let code: i32 = code.parse().unwrap_or_default();
    let mut body = element(10, &code.to_be_bytes());
    body.extend(element(4, matched.as_bytes()));
    body.extend(element(4, words.as_bytes()));
    if !refer.is_empty() {
        body.extend(element(0xa3, &urls(refer)));
    }
    element(tag, &body)
}

fn urls(urls: &[&str]) -> Vec<u8> {
    let url = |url: &&str| element(4, url.replace('!', "~").replace('&', ";").as_bytes());
    urls.iter().flat_map(url).collect()
}

/// A text's bytes, with `^hh` for those that can't stand in it.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split('^');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at(2);
        out.extend(unhex(byte));
        out.extend_from_slice(rest.as_bytes());
    }
    out
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("digits")).collect()
}

fn sleep(seconds: &str) {
    std::thread::sleep(Duration::from_secs_f64(seconds.parse().expect("seconds")));
}

fn say(peer: &mut dyn Peer, number: &[u8], operation: &[u8]) -> Option<()> {
    peer.write_all(&message(number, operation)).ok()
}
