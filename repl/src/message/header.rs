//! The header of a message that is submitted: what is taken out of it, put
//! into it, and made whole.

use eximious::stdlib::address::{self, Rules};
use eximious::{Header, Message, Str};

use crate::session::Session;

/// Headers with addresses, of the senders' side and of the recipients'.
const SENDERS: [&str; 3] = ["from", "sender", "reply-to"];
const RECIPIENTS: [&str; 3] = ["to", "cc", "bcc"];

/// Takes out what only the last host may add, and returns the return paths that
/// were among it: each is what stands there, in angle brackets or without.
pub fn drop_trace(message: &mut Message) -> Vec<Vec<u8>> {
    let path = |header: &Header| {
        let text = header.value().trim_ascii();
        let inner = text.strip_prefix(b"<").and_then(|text| text.strip_suffix(b">"));
        inner.unwrap_or(text).to_vec()
    };
    let paths = message.named(b"return-path").map(path).collect();
    message.headers.retain(|header| {
        ![&b"return-path"[..], b"envelope-to", b"delivery-date"].iter().any(|n| header.is(n))
    });
    paths
}

/// Whether the message was sent on by somebody, who added headers of his own.
fn is_resent(message: &Message) -> bool {
    message.headers.iter().any(|header| prefixed(&header.name).is_some())
}

/// A name without `Resent-`, where it begins so.
fn prefixed(name: &[u8]) -> Option<&[u8]> {
    let (head, rest) = name.split_at_checked("resent-".len())?;
    head.eq_ignore_ascii_case(b"resent-").then_some(rest)
}

fn among(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// The recipients that the header names (`-t`); the blind ones go from it.
pub fn take_recipients(message: &mut Message) -> Vec<Str> {
    let resent = is_resent(message);
    let own = |header: &Header, names: &[&str]| {
        let name = if resent { prefixed(&header.name) } else { Some(header.name.as_slice()) };
        name.is_some_and(|name| among(name, names))
    };
    let named = message.headers.iter().filter(|header| own(header, &RECIPIENTS));
    let found = named
        .flat_map(|header| address::list(header.value(), Rules::default()))
        .filter_map(|element| Some(Str::tainted(element.address.ok()?.text)))
        .collect();
    message.headers.retain(|header| !own(header, &["bcc"]));
    found
}

/// Gives domains to addresses that have none.
pub fn qualify(message: &mut Message, session: &mut Session) {
    let sender = session.domain();
    let recipient = match session.expand(b"$qualify_recipient") {
        Ok(domain) => domain.bytes().to_vec(),
        Err(_) => sender.clone(),
    };
    for header in &mut message.headers {
        // White space before the colon does not matter here.
        let name = header.name.trim_ascii_end();
        let name = prefixed(name).filter(|name| !among(name, &["reply-to"])).unwrap_or(name);
        let domain = if among(name, &SENDERS) {
            &sender
        } else if among(name, &RECIPIENTS) {
            &recipient
        } else {
            continue;
        };
        let colon = header.line.len() - header.value().len();
        let mut places = Vec::new();
        for element in address::list(header.value(), Rules::default()) {
            match element.address {
                Ok(address) if address.domain.is_none() && !address.text.is_empty() => {
                    places.push(colon + address.span.end);
                }
                Ok(_) => {}
                Err(why) if why.is_empty() => {}
                Err(why) => session.log(&[b"qualify/rewrite: ", why.message.as_slice()].concat()),
            }
        }
        for place in places.into_iter().rev() {
            let domain = [b"@", domain.as_slice()].concat();
            header.line.splice(place..place, domain);
        }
    }
}

/// Adds what every message has: an identification, a sender, a date.
///
/// The name is the sender's, where it is known.
pub fn complete(message: &mut Message, session: &mut Session, name: Option<Vec<u8>>) {
    let id = message_id(session);
    message.id = Str::from(id.as_str());
    let resent = is_resent(message);
    let prefix = if resent { "Resent-" } else { "" };
    let missing = |name: &str| {
        let name = format!("{prefix}{name}");
        let names = message.headers.iter().map(|header| header.name.trim_ascii_end());
        !names.into_iter().any(|other| other.eq_ignore_ascii_case(name.as_bytes()))
    };
    let line = |name: &str, value: &[u8]| {
        let name = format!("{prefix}{name}").into_bytes();
        let line = [name.as_slice(), b": ", value, b"\n"].concat();
        Header { name, line }
    };
    let date = missing("date").then(|| {
        let now = session.expand(b"$tod_full").map_or_else(|_| Vec::new(), |t| t.bytes().to_vec());
        line("Date", &now)
    });
    let identification = missing("message-id").then(|| {
        let host = session.expand(b"$primary_hostname");
        let host = host.map_or_else(|_| Vec::new(), |host| host.bytes().to_vec());
        let value = [b"<E", id.as_bytes(), b"@", &host, b">"].concat();
        line("Message-Id", &value)
    });
    let from = match missing("from") {
        true => sender(session, name).map(|sender| line("From", &sender)),
        false => None,
    };
    if resent {
        let front = date.into_iter().chain(identification);
        message.headers.splice(0..0, front);
        message.headers.extend(from);
    } else {
        message.headers.extend(identification.into_iter().chain(from).chain(date));
    }
}

/// `Full Name <sender@domain>`; nothing where the sender is empty.
fn sender(session: &mut Session, name: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let address = session.expand(b"$sender_address").ok().filter(|address| !address.is_empty())?;
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Some(address.bytes().to_vec());
    };
    let name = address::phrase(&name, session.engine().settings().headers_charset.bytes());
    Some([&name, b" <".as_slice(), address.bytes(), b">"].concat())
}

/// An identification as Exim makes it: the time, the process, and parts of a
/// second, each in base 62.
fn message_id(session: &Session) -> String {
    let world = session.engine().world();
    let now = world.clock.now();
    let fraction = u64::from(now.nanos) / 1000;
    format!(
        "{}-{}-{}",
        base62(now.seconds.unsigned_abs(), 6),
        base62(u64::from(world.host.pid()), 11),
        base62(fraction, 4)
    )
}

fn base62(mut number: u64, digits: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = vec!['0'; digits];
    for place in text.iter_mut().rev() {
        *place = char::from(DIGITS[(number % 62) as usize]);
        number /= 62;
    }
    text.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eximious::stdlib::message::parse;

    #[test]
    fn recipients_come_from_the_header() {
        let mut message = parse(b"To: a@b, X <c@d>\nCc: bad@@, e@f\nBcc: g\nSubject: x\n\n");
        let found = take_recipients(&mut message);
        assert_eq!(found, ["a@b", "c@d", "e@f", "g"].map(|a| Str::tainted(a.as_bytes())));
        assert!(!message.headers.iter().any(|header| header.name == b"Bcc"));
        let mut message = parse(b"To: a@b\nBcc: g\nResent-To: z@z\n\n");
        assert_eq!(take_recipients(&mut message), [Str::tainted(b"z@z")]);
        assert_eq!(message.headers.len(), 3);
    }

    #[test]
    fn numbers_have_62_digits() {
        assert_eq!(base62(61, 2), "0z");
        assert_eq!(base62(62 * 62, 4), "0100");
    }
}
