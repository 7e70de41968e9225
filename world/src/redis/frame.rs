//! Replies: how long one is, and what it says.
//!
//! The crate's parser is handed a reply that is whole: it looks at a line from
//! its beginning each time that a part of it comes, and counts on nothing.

use std::io::{self, Read};

use eximious_core::world::{RedisReply, ServerError};
use redis::Value;

use crate::databases::words as plain;

/// How many bytes a reply has at the most.
const LARGEST: usize = 64 << 20;
/// How many bytes an element of an array is taken for, besides its own.
const ELEMENT: usize = 64;
/// How long a line is at the most: a status, an error or a number.
const LONGEST_LINE: usize = 64 << 10;

/// Reads a reply.
pub fn reply(from: &mut impl Read) -> Result<RedisReply, ServerError> {
    bounded(from, LARGEST)
}

fn bounded(from: &mut impl Read, room: usize) -> Result<RedisReply, ServerError> {
    let mut incoming = Incoming { from, bytes: Vec::new(), at: 0, room };
    incoming.whole()?;
    let Incoming { bytes, at, .. } = incoming;
    if at < bytes.len() {
        return Err(broken("the server said more than it was asked"));
    }
    // The crate wants lines to be UTF-8: errors repeat what they are about.
    let line = bytes.get(1..bytes.len().saturating_sub(2)).unwrap_or_default();
    match bytes.first() {
        Some(b'+') => return Ok(RedisReply::Status(line.to_vec())),
        Some(b'-') => return Ok(RedisReply::Error(line.to_vec())),
        _ => {}
    }
    let value = redis::parse_redis_value(&bytes)
        .map_err(|error| broken(format!("Protocol error, {error}")))?;
    read(value)
}

/// A value in our own words.
fn read(value: Value) -> Result<RedisReply, ServerError> {
    Ok(match value {
        Value::Nil => RedisReply::Nil,
        Value::Int(number) => RedisReply::Integer(number),
        Value::BulkString(bytes) => RedisReply::Bulk(bytes),
        Value::Okay => RedisReply::Status(b"OK".to_vec()),
        Value::SimpleString(text) => RedisReply::Status(text.into_bytes()),
        Value::ServerError(error) => RedisReply::Error(match error.details() {
            Some(details) => format!("{} {details}", error.code()).into_bytes(),
            None => error.code().as_bytes().to_vec(),
        }),
        Value::Array(values) => {
            RedisReply::Array(values.into_iter().map(read).collect::<Result<_, _>>()?)
        }
        // Of the protocol's third version, which is not spoken here.
        _ => return Err(broken("Protocol error, a type of reply that was not asked for")),
    })
}

fn broken(why: impl Into<String>) -> ServerError {
    ServerError::Broken(why.into())
}

/// What has come from a server.
struct Incoming<'r, R> {
    from: &'r mut R,
    bytes: Vec<u8>,
    /// Where what has not been looked at begins.
    at: usize,
    /// How much the reply may still cost.
    room: usize,
}

impl<R: Read> Incoming<'_, R> {
    /// Waits until a reply is there from its first to its last byte.
    fn whole(&mut self) -> Result<(), ServerError> {
        let mut values = 1usize;
        while values > 0 {
            values -= 1;
            self.charge(ELEMENT)?;
            let line = self.line()?;
            match line.first() {
                Some(b'+' | b'-' | b':') => {}
                Some(b'$') => {
                    if let Some(length) = count(line)? {
                        self.take(length.saturating_add(2))?;
                    }
                }
                Some(b'*') => {
                    let elements = count(line)?.unwrap_or(0);
                    // The room pays for each, when it comes.
                    values = values.checked_add(elements).ok_or(ServerError::TooMuch)?;
                }
                Some(other) => {
                    let other = other.escape_ascii();
                    return Err(broken(format!(
                        "Protocol error, got \"{other}\" as reply type byte"
                    )));
                }
                None => return Err(broken("Protocol error, got an empty line")),
            }
        }
        Ok(())
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<&[u8], ServerError> {
        let start = self.at;
        let mut looked = start;
        loop {
            if let Some(end) = memchr::memmem::find(&self.bytes[looked..], b"\r\n") {
                let end = looked + end;
                self.charge(end + 2 - start)?;
                self.at = end + 2;
                return Ok(&self.bytes[start..end]);
            }
            // The last byte may be the first half of the line's end.
            looked = self.bytes.len().saturating_sub(1).max(start);
            if self.bytes.len() - start > LONGEST_LINE {
                return Err(ServerError::TooMuch);
            }
            self.more(LONGEST_LINE)?;
        }
    }

    /// Passes over bytes, all of which must come.
    fn take(&mut self, length: usize) -> Result<(), ServerError> {
        self.charge(length)?;
        let end = self.at + length;
        while self.bytes.len() < end {
            self.more(end - self.bytes.len())?;
        }
        self.at = end;
        Ok(())
    }

    fn charge(&mut self, cost: usize) -> Result<(), ServerError> {
        self.room = self.room.checked_sub(cost).ok_or(ServerError::TooMuch)?;
        Ok(())
    }

    /// Reads what comes next: what is announced takes no memory before it is
    /// there.
    fn more(&mut self, most: usize) -> Result<(), ServerError> {
        let mut part = [0; 16 << 10];
        let most = most.min(part.len());
        loop {
            match self.from.read(&mut part[..most]) {
                Ok(0) => return Err(broken("Server closed the connection")),
                Ok(count) => {
                    self.bytes.extend_from_slice(&part[..count]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(plain(&error))),
            }
        }
    }
}

/// The number in a line; `None` where it is negative.
fn count(line: &[u8]) -> Result<Option<usize>, ServerError> {
    let number: Option<i64> =
        std::str::from_utf8(&line[1..]).ok().and_then(|text| text.parse().ok());
    match number {
        Some(number) => Ok(usize::try_from(number).ok()),
        None => Err(broken("Protocol error, a length that is no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time.
    struct Slowly<'b>(&'b [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    /// Gives the same for ever.
    struct Endless<'b>(&'b [u8], usize);

    impl Read for Endless<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            for byte in &mut *into {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(into.len())
        }
    }

    fn both(bytes: &[u8]) -> Result<RedisReply, ServerError> {
        let result = reply(&mut &*bytes);
        assert_eq!(result, reply(&mut Slowly(bytes)));
        result
    }

    fn bulk(text: &str) -> RedisReply {
        RedisReply::Bulk(text.into())
    }

    #[test]
    fn replies_of_all_kinds() {
        use RedisReply::{Array, Error, Integer, Nil, Status};
        for (bytes, wanted) in [
            (&b"+OK\r\n"[..], Status(b"OK".to_vec())),
            (b"+\r\n", Status(Vec::new())),
            (b"+a\rb\xff\r\n", Status(b"a\rb\xff".to_vec())),
            (b"-ERR no\r\n", Error(b"ERR no".to_vec())),
            (b"-\xff\r\n", Error(b"\xff".to_vec())),
            (b":-7\r\n", Integer(-7)),
            (b"$-1\r\n", Nil),
            (b"*-1\r\n", Nil),
            (b"$0\r\n\r\n", bulk("")),
            (b"$5\r\na\r\nbc\r\n", bulk("a\r\nbc")),
            (b"*0\r\n", Array(Vec::new())),
            (
                b"*3\r\n$-1\r\n*2\r\n:1\r\n-MOVED 1 h:1\r\n+OK\r\n",
                Array(vec![
                    Nil,
                    Array(vec![Integer(1), Error(b"MOVED 1 h:1".to_vec())]),
                    Status(b"OK".to_vec()),
                ]),
            ),
        ] {
            assert_eq!(both(bytes), Ok(wanted), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for bytes in [
            &b""[..],
            b"+OK",
            b"+OK\r",
            b"\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"$5\r\nabc\r\n",
            b"$x\r\n",
            b"$\r\n",
            b"$3\r\nabcXY",
            b":\r\n",
            b":1x\r\n",
            b"*2\r\n:1\r\n",
            b"%1\r\n+a\r\n+b\r\n",
            b"*1\r\n-\xff\r\n",
        ] {
            let result = reply(&mut &*bytes);
            assert!(matches!(result, Err(ServerError::Broken(_))), "{}", bytes.escape_ascii());
        }
        // Nested deeper than anybody nests.
        let deep = [b"*1\r\n".repeat(5000), b":1\r\n".to_vec()].concat();
        assert!(matches!(reply(&mut &*deep), Err(ServerError::Broken(_))));
        assert_eq!(
            reply(&mut &b"+OK\r\n+OK\r\n"[..]),
            Err(ServerError::Broken("the server said more than it was asked".into()))
        );
    }

    #[test]
    fn a_reply_without_end_is_too_much() {
        let head = &b"*9999999\r\n:1\r\n$9\r\n123456789\r\n"[..];
        for endless in [&b":1\r\n"[..], b"*1\r\n", b"*9223372036854775807\r\n", b"$1\r\nx\r\n"] {
            let mut from = head.chain(Endless(endless, 0));
            assert_eq!(bounded(&mut from, 1 << 20), Err(ServerError::TooMuch));
        }
        for line in [&b"+"[..], b"-", b":", b"$", b"*", b"*2\r\n$1\r\nx\r\n-"] {
            let mut from = line.chain(Endless(b"1", 0));
            assert_eq!(bounded(&mut from, 1 << 20), Err(ServerError::TooMuch));
        }
        for announced in ["$67108865\r\n", "$9223372036854775807\r\n"] {
            assert_eq!(reply(&mut announced.as_bytes()), Err(ServerError::TooMuch));
        }
    }

    #[test]
    fn noise_is_never_more_than_an_error() {
        let words: &[&[u8]] = &[
            b"*",
            b"$",
            b":",
            b"+",
            b"-",
            b"%",
            b"=",
            b"|",
            b"\r\n",
            b"\r\n",
            b"\r",
            b"\n",
            b"1",
            b"2",
            b"3",
            b"-1",
            b"0",
            b"9223372036854775807",
            b"-9223372036854775808",
            b"x",
            b"OK",
            b" ",
            b"\xff",
            b"\0",
            b"*1\r\n",
            b"*2\r\n",
            b"$1\r\nx\r\n",
            b":1\r\n",
            b"$-1\r\n",
            b"+OK\r\n",
        ];
        let mut random = fastrand::Rng::with_seed(11);
        let mut good = 0;
        for _ in 0..50_000 {
            let bytes: Vec<u8> = (0..random.usize(1..9))
                .flat_map(|_| words[random.usize(..words.len())].to_vec())
                .collect();
            let result = reply(&mut &bytes[..]);
            if random.u8(..8) == 0 {
                // However the bytes come, they say the same.
                let slowly = reply(&mut Slowly(&bytes));
                let more = Err(broken("the server said more than it was asked"));
                assert!(slowly == result || result == more, "{}", bytes.escape_ascii());
            }
            good += usize::from(result.is_ok());
        }
        assert!(good > 1000, "{good} replies");
    }
}
