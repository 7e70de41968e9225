//! What is InterBase's own, and Firebird's.

use eximious_core::world::{Server, ServerAddress, SqlKind};
use eximious_core::{Call, Str};

use super::super::servers::{Attempt, Kind, host_and_port, parts};
use super::{Words, next, plainly};

use crate::options::opt;

/// The servers.
pub(super) static KIND: Kind =
    Kind { name: "InterBase", option: opt::IBASE_SERVERS, named_in_queries: false };

const WORDS: Words =
    Words { no_connection: "IBASE connection failed: ", failed: "IBASE: query failed: ", end: "" };

/// Asks one server.
pub(super) fn ask(
    call: &mut Call<'_>,
    server: &[u8],
    statement: &[u8],
) -> Result<Option<Str>, Attempt> {
    let server = read(server)?;
    plainly(call, SqlKind::Firebird, (&KIND, &WORDS), &server, statement)
}

/// A description's parts: the place, the database, the user, the password.
type Described<'a> = (&'a [u8], Option<&'a [u8]>, &'a [u8], &'a [u8], &'a [u8]);

/// Reads `host::port/database/user/password`, or `host/port:database|user|password`.
fn read(text: &[u8]) -> Result<Server, Attempt> {
    let stop = |words: &str, shown: &[u8]| Attempt::Stop([words.as_bytes(), shown].concat());
    let described = barred(text).map_or_else(|| slashed(text), Ok);
    let (host, port, database, user, password) = described.map_err(|shown| {
        // The password may stand behind a bar.
        let end = memchr::memchr(b'|', shown).unwrap_or(shown.len());
        stop("incomplete InterBase server data: ", &shown[..end])
    })?;
    let port = match port {
        None | Some(b"") => None,
        Some(digits) => {
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            let bad = || next(WORDS.no_connection, &[b"invalid port number: ", digits].concat());
            Some(number.filter(|port| *port > 0).ok_or_else(bad)?)
        }
    };
    Ok(Server {
        address: ServerAddress::Tcp { host: String::from_utf8_lossy(host).into_owned(), port },
        database: database.to_vec(),
        user: user.to_vec(),
        password: password.to_vec(),
        group: None,
        environment: Vec::new(),
    })
}

/// The form with bars; `None` where it is not that.
fn barred(text: &[u8]) -> Option<Described<'_>> {
    let mut bars = memchr::memchr_iter(b'|', text);
    let (first, second) = (bars.next()?, bars.next()?);
    let (place, user) = (&text[..first], &text[first + 1..second]);
    let colon = memchr::memchr(b':', place)?;
    // As the clients of such servers write it, with a slash before the port.
    let (host, database) = (&place[..colon], &place[colon + 1..]);
    let (host, port) = match memchr::memrchr(b'/', host) {
        Some(slash) => (&host[..slash], Some(&host[slash + 1..])),
        None => (host, None),
    };
    Some((host, port, database, user, &text[second + 1..]))
}

/// The form that other servers have, too. The path of a database has slashes of
/// its own.
fn slashed(text: &[u8]) -> Result<Described<'_>, &[u8]> {
    let (rest, [user, password]) = parts(text)?;
    // All but what would be the password.
    let shown = &text[..text.len() - password.len() - 1];
    let slash = memchr::memchr(b'/', rest).ok_or(shown)?;
    let (host, port) = host_and_port(&rest[..slash]);
    Ok((host, port, &rest[slash + 1..], user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, host: &str, port: Option<u16>, rest: [&str; 3]) {
        let server = read(text.as_bytes()).expect("a description");
        assert_eq!(server.address, ServerAddress::Tcp { host: host.into(), port }, "{text}");
        let found = [&server.database, &server.user, &server.password];
        assert_eq!(found.map(|part| String::from_utf8_lossy(part)), rest, "{text}");
    }

    #[test]
    fn descriptions_of_servers() {
        check("h/employee/u/p", "h", None, ["employee", "u", "p"]);
        check("h:3051/employee/u/p", "h", Some(3051), ["employee", "u", "p"]);
        check("h//var/lib/x.fdb/u/p", "h", None, ["/var/lib/x.fdb", "u", "p"]);
        check("::1.3051//x/u/p", "::1", Some(3051), ["/x", "u", "p"]);
        check("/employee/u/", "", None, ["employee", "u", ""]);
        check("h:/var/lib/x.fdb|u|p/q|r", "h", None, ["/var/lib/x.fdb", "u", "p/q|r"]);
        check("h/3051:employee|u|p", "h", Some(3051), ["employee", "u", "p"]);
        check("h:C:\\x.fdb|u|p", "h", None, ["C:\\x.fdb", "u", "p"]);
        check("h/d/u/a|b", "h", None, ["d", "u", "a|b"]);
        check("h/d/u/a|b|c", "h", None, ["d", "u", "a|b|c"]);
    }

    #[test]
    fn descriptions_that_are_none() {
        for (text, wanted) in [
            ("h/employee/u", "incomplete InterBase server data: h/employee"),
            ("h/u/p", "incomplete InterBase server data: h/u"),
            ("h", "incomplete InterBase server data: h"),
            ("h|u|p", "incomplete InterBase server data: h"),
        ] {
            match read(text.as_bytes()) {
                Err(Attempt::Stop(words)) => {
                    assert_eq!(String::from_utf8_lossy(&words), wanted, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        for port in ["0", "x", "65536", "-1"] {
            let read = read(format!("h:{port}/d/u/p").as_bytes());
            assert!(matches!(read, Err(Attempt::Next(_))), "{port}: {read:?}");
        }
    }
}
