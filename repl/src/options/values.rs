//! What options take, and what is said of it where it is missing or wrong.

use std::net::{IpAddr, SocketAddr};

use eximious::world::spool::is_message_id;
use eximious_mta::reception::read_typed_sender;

use super::Stop;
use super::rules::Missing;

/// A message's name, which an option takes.
pub(super) fn message_id(option: &str, id: &[u8]) -> Result<Vec<u8>, Stop> {
    if is_message_id(id) {
        return Ok(id.to_vec());
    }
    let tail = [b" after ", option.as_bytes(), b" option"].concat();
    Err(Stop::exim([b"malformed message id ", id, &tail].concat()))
}

/// How long may be what options take, and what they are called where it is longer.
const LONGEST: &[(&str, usize, &str)] = &[
    ("-F", 256, "-F"),
    ("-MCG", 64, "-MCG"),
    ("-R", 256, "-R"),
    ("-S", 256, "-R"),
    ("-bfd", 255, "-bfd"),
    ("-bfl", 64, "-bfl"),
    ("-bfp", 64, "-bfp"),
    ("-bfs", 64, "-bfs"),
    ("-bh", 45, "-bh"),
    ("-bhc", 45, "-bh"),
    ("-f", 1024, "-f"),
    ("-oMa", 45, "-oMa"),
    ("-oMaa", 64, "-oMaa"),
    ("-oMai", 256, "-oMai"),
    ("-oMas", 256, "-oMas"),
    ("-oMi", 45, "-oMi"),
    ("-oMr", 64, "-oMr"),
    ("-oMs", 255, "-oMs"),
    ("-oMt", 512, "-oMt"),
    ("-oX", 1024, "-oX"),
    ("-r", 1024, "-f"),
    ("-z", 2048, "-z logtext"),
];

/// Refuses a value that is longer than the option may have it.
pub(super) fn bounded(option: &str, value: &[u8]) -> Result<(), Stop> {
    if option == "-p" {
        return match value.iter().position(|byte| *byte == b':') {
            None => no_longer(value, 64, "-p<protocol>"),
            Some(_) => no_longer(value, 320, "-p<protocol>:<host>"),
        };
    }
    let bound = LONGEST.iter().find(|(name, ..)| *name == option);
    bound.map_or(Ok(()), |(_, most, shown)| no_longer(value, *most, shown))
}

/// Refuses what is longer.
pub(super) fn no_longer(value: &[u8], most: usize, what: &str) -> Result<(), Stop> {
    match value.len() {
        length if length <= most => Ok(()),
        length => Err(Stop::exim(format!("length limit exceeded ({length} > {most}) for: {what}"))),
    }
}

pub(super) fn missing_value(missing: Missing, arg: &[u8]) -> Stop {
    match missing {
        Missing::Abandoned => Stop::abandoned(arg),
        Missing::Expected(what) => Stop::exim([what.as_bytes(), b" expected after ", arg].concat()),
        Missing::BadItem => Stop::exim([b"bad item for: ", arg].concat()),
        Missing::Messages => Stop::exim([b"no message ids given after ", arg, b" option"].concat()),
    }
}

/// An option that nobody knows. Of some, what is missing is said first.
pub(super) fn unknown(arg: &[u8], is_last: bool) -> Stop {
    match arg {
        _ if !is_last => Stop::abandoned(arg),
        [b'-', b'o', b'M', ..] => missing_value(Missing::Expected("data"), arg),
        [b'-', b'b', b'f', ..] => missing_value(Missing::Expected("string"), arg),
        _ => Stop::abandoned(arg),
    }
}

pub(super) fn later(option: &[u8], what: &str) -> Stop {
    Stop([b"eximious: option ", option, b" ", what.as_bytes()].concat())
}

/// A sender, as it was typed. What no configuration could let pass is refused at once.
pub(super) fn sender(typed: &[u8]) -> Result<Vec<u8>, Stop> {
    match read_typed_sender(typed) {
        Ok(_) => Ok(typed.to_vec()),
        Err(why) => Err(Stop::exim(why)),
    }
}

/// A number that means nothing here. Behind one of `-h` may stand anything.
pub(super) fn number(name: &str, arg: &[u8], value: &[u8]) -> Result<(), Stop> {
    match name {
        "-h" if !value.first().is_some_and(u8::is_ascii_digit) => Err(Stop::abandoned(arg)),
        "-oB" if !value.iter().all(u8::is_ascii_digit) => {
            Err(Stop::exim("number expected after -oB"))
        }
        _ => Ok(()),
    }
}

/// `1.2.3.4`, `1.2.3.4.25`, `[1.2.3.4]:25`, and the same for version 6.
pub(super) fn address_and_port(text: &[u8]) -> Option<(&[u8], u32)> {
    let is_address =
        |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
    let port = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    if let Some(rest) = text.strip_prefix(b"[") {
        let end = rest.iter().position(|c| *c == b']')?;
        let (address, rest) = (&rest[..end], &rest[end + 1..]);
        let port = if rest.is_empty() { 0 } else { port(rest.strip_prefix(b":")?)? };
        return is_address(address).then_some((address, port));
    }
    if is_address(text) {
        return Some((text, 0));
    }
    let dot = text.iter().rposition(|c| *c == b'.')?;
    let (address, rest) = (&text[..dot], &text[dot + 1..]);
    is_address(address).then_some((address, port(rest)?))
}

/// The two of them as a host; a port that can't be counts as none.
pub(super) fn host(address: &[u8], port: u32) -> Option<SocketAddr> {
    let address = std::str::from_utf8(address).ok()?.parse().ok()?;
    Some(SocketAddr::new(address, u16::try_from(port).unwrap_or(0)))
}
