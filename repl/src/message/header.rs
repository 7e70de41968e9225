//! The header of a message that is submitted: what is taken out of it, put
//! into it, and made whole.

use eximious::stdlib::address::{self, Rules};
use eximious::{Header, Message, Str};

use crate::options::Options;
use crate::session::Session;

/// Headers with addresses, of the senders' side and of the recipients'.
const SENDERS: [&str; 3] = ["from", "sender", "reply-to"];
const RECIPIENTS: [&str; 3] = ["to", "cc", "bcc"];

/// The name that a line begins with, if it is a header line.
pub fn name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|c| *c == b':')?;
    let name = line[..colon].trim_ascii_end();
    let good = !name.is_empty() && name.iter().all(|c| (33..127).contains(c));
    good.then_some(name)
}

/// Header and body of a text with an empty line between them.
pub fn parse(text: &[u8]) -> Message {
    let mut message = Message::default();
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        if line == b"\n" {
            break;
        }
        match (name(line), message.headers.last_mut()) {
            (_, Some(last)) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                last.line.extend_from_slice(line);
            }
            (name, _) => message
                .headers
                .push(Header { name: name.unwrap_or_default().to_vec(), line: line.to_vec() }),
        }
    }
    message.body = rest.to_vec();
    message
}

/// Takes out what only the last host may add; true where a return path was
/// among it.
pub fn drop_trace(message: &mut Message) -> bool {
    let is = |header: &Header, name: &str| header.name.eq_ignore_ascii_case(name.as_bytes());
    let path = message.headers.iter().any(|header| is(header, "return-path"));
    message.headers.retain(|header| {
        !["return-path", "envelope-to", "delivery-date"].iter().any(|name| is(header, name))
    });
    path
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
pub fn take_recipients(message: &mut Message) -> Vec<Vec<u8>> {
    let resent = is_resent(message);
    let own = |header: &Header, names: &[&str]| {
        let name = if resent { prefixed(&header.name) } else { Some(header.name.as_slice()) };
        name.is_some_and(|name| among(name, names))
    };
    let named = message.headers.iter().filter(|header| own(header, &RECIPIENTS));
    let found = named
        .flat_map(|header| address::list(header.value(), Rules::default()))
        .filter_map(|element| Some(element.address.ok()?.text))
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
        let name = prefixed(&header.name).unwrap_or(&header.name);
        let domain = if among(name, &SENDERS) {
            &sender
        } else if among(name, &RECIPIENTS) {
            &recipient
        } else {
            continue;
        };
        let colon = header.line.len() - header.value().len();
        let places: Vec<usize> = address::list(header.value(), Rules::default())
            .filter_map(|element| {
                let address = element.address.ok()?;
                let bare = address.domain.is_none() && !address.text.is_empty();
                bare.then_some(colon + element.span.start + address.span.end)
            })
            .collect();
        for place in places.into_iter().rev() {
            let domain = [b"@", domain.as_slice()].concat();
            header.line.splice(place..place, domain);
        }
    }
}

/// Adds what every message has: an identification, a sender, a date.
pub fn complete(message: &mut Message, session: &mut Session, options: &Options) {
    let id = message_id(session);
    session.set(b"message_exim_id", Str::from(id.as_str()));
    let resent = is_resent(message);
    let prefix = if resent { "Resent-" } else { "" };
    let missing = |name: &str| {
        let name = format!("{prefix}{name}");
        !message.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name.as_bytes()))
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
    let from = missing("from").then(|| line("From", &sender(session, options)));
    if resent {
        let front = date.into_iter().chain(identification);
        message.headers.splice(0..0, front);
        message.headers.extend(from);
    } else {
        message.headers.extend(identification.into_iter().chain(from).chain(date));
    }
}

/// `Full Name <login@domain>` of whoever runs the program.
fn sender(session: &mut Session, options: &Options) -> Vec<u8> {
    let login = session.login().to_vec();
    let name = match &options.full_name {
        Some(name) => name.clone(),
        None => match session.engine().world().users.user(&login) {
            Ok(Some(user)) => user.gecos.split(|c| *c == b',').next().unwrap_or(b"").to_vec(),
            _ => Vec::new(),
        },
    };
    let address = [login.as_slice(), b"@", &session.domain()].concat();
    if name.is_empty() { address } else { [&name, b" <".as_slice(), &address, b">"].concat() }
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

    #[test]
    fn recipients_come_from_the_header() {
        let mut message = parse(b"To: a@b, X <c@d>\nCc: bad@@, e@f\nBcc: g\nSubject: x\n\n");
        let found = take_recipients(&mut message);
        assert_eq!(found, [&b"a@b"[..], b"c@d", b"e@f", b"g"]);
        assert!(!message.headers.iter().any(|header| header.name == b"Bcc"));
        let mut message = parse(b"To: a@b\nBcc: g\nResent-To: z@z\n\n");
        assert_eq!(take_recipients(&mut message), [b"z@z"]);
        assert_eq!(message.headers.len(), 3);
    }

    #[test]
    fn numbers_have_62_digits() {
        assert_eq!(base62(61, 2), "0z");
        assert_eq!(base62(62 * 62, 4), "0100");
    }
}
