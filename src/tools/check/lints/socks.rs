//! What proxies are told of in `socks_proxy`.

use eximious_grammar::Span;
use eximious_stdlib::lists::{elements_by, ip};
use eximious_stdlib::options::opt::transport::smtp::SOCKS_PROXY;

use crate::tools::check::items::{Item, split};
use crate::tools::check::{Findings, Text};

/// Options of a proxy.
const OPTIONS: [&str; 7] = ["auth", "name", "pass", "port", "pri", "tmo", "weight"];
/// What `auth` may be.
const METHODS: [&str; 2] = ["name", "none"];

/// The proxies of a text that is not expanded.
fn proxies(text: &Text<'_>) -> Vec<Item> {
    let own = text.option().is_some_and(|option| SOCKS_PROXY.is(option));
    if own && !text.text.contains(&b'$') { split(&text.text) } else { Vec::new() }
}

/// Is told of an option, where it stands, and which there are.
type OptionFound<'f> = &'f mut dyn FnMut(Span, &[u8], &[&str]);

/// Tells of options that nobody knows.
pub(super) fn unknown(text: &Text<'_>, found: OptionFound<'_>) {
    for proxy in proxies(text) {
        for word in elements_by(&proxy.text, b' ').skip(1).filter(|word| !word.is_empty()) {
            let (name, value) = halves(&word);
            let span = place(text, &proxy, &word);
            let is = |known: &&str, word: &[u8]| known.as_bytes() == word;
            match value {
                Some(value) if name == b"auth" => {
                    if !METHODS.iter().any(|known| is(known, value)) {
                        found(span, value, &METHODS);
                    }
                }
                Some(_) if OPTIONS.iter().any(|known| is(known, name)) => {}
                _ => found(span, name, &OPTIONS),
            }
        }
    }
}

/// Finds what is no number, and the proxy that is no address.
pub(super) fn numbers(text: &Text<'_>, findings: &mut Findings) {
    for proxy in proxies(text) {
        for (number, word) in elements_by(&proxy.text, b' ').enumerate() {
            let message = match (number, halves(&word)) {
                (0, _) if ip::address(&word).is_some() => continue,
                (0, _) => {
                    let shown = String::from_utf8_lossy(&word);
                    format!("\"{shown}\" is no IP address: no name is looked up for a proxy")
                }
                (_, (b"port" | b"pri" | b"tmo" | b"weight", Some(value))) => {
                    let shown = String::from_utf8_lossy(value);
                    let digits = value.strip_prefix(b"-").unwrap_or(value);
                    let is_port = word.starts_with(b"port");
                    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                        let name = String::from_utf8_lossy(&word[..word.len() - value.len() - 1]);
                        format!("\"{shown}\" is no number for {name} of a proxy")
                    } else if is_port && !shown.parse::<u16>().is_ok_and(|port| port > 0) {
                        format!("there is no port {shown}")
                    } else {
                        continue;
                    }
                }
                _ => continue,
            };
            findings.add(text.spot(place(text, &proxy, &word)), message);
        }
    }
}

/// An option's name, and its value.
fn halves(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', word) {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    }
}

/// Where a word of a proxy stands.
fn place(text: &Text<'_>, proxy: &Item, word: &[u8]) -> Span {
    let range = proxy.span.range();
    let start = range.start;
    match memchr::memmem::find(&text.text[range], word) {
        Some(at) => Span::new(start + at, start + at + word.len()),
        None => proxy.span,
    }
}
