//! The name of the server that a client asks for (SNI), in the first thing that it
//! says under TLS (RFC 8446, 4.1.2; RFC 6066, 3). It is read before TLS begins, because
//! options may hang on it.

/// How much is looked at.
const LONGEST: usize = 64 * 1024;

/// What stands at the head of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Hello {
    /// More is needed.
    Partial,
    /// It is whole, or none: the name, where there is one.
    Whole(Option<Vec<u8>>),
}

/// Reads it.
pub(super) fn read(bytes: &[u8]) -> Hello {
    let mut message = Vec::new();
    let mut rest = Reader(bytes);
    loop {
        match needed(&message) {
            Some(needed) if message.len() >= needed => {
                let name = server_name(&message[4..needed]);
                return Hello::Whole(name.map(<[u8]>::to_vec));
            }
            Some(needed) if needed > LONGEST => return Hello::Whole(None),
            _ => {}
        }
        let Some(head) = rest.take(5) else { return Hello::Partial };
        // Anything else is for the library to refuse.
        if head[0] != HANDSHAKE || message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Hello::Whole(None);
        }
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        let Some(part) = rest.take(length) else { return Hello::Partial };
        if part.is_empty() {
            return Hello::Whole(None);
        }
        message.extend_from_slice(part);
    }
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// How long a message is, with its head.
fn needed(message: &[u8]) -> Option<usize> {
    let head = message.get(..4)?;
    Some(4 + usize::from(head[1]) * 65_536 + usize::from(head[2]) * 256 + usize::from(head[3]))
}

fn server_name(body: &[u8]) -> Option<&[u8]> {
    let mut body = Reader(body);
    // The version and a random number; then the session, ciphers and compressions.
    body.take(2 + 32)?;
    body.counted(1)?;
    body.counted(2)?;
    body.counted(1)?;
    let mut extensions = Reader(body.counted(2)?);
    loop {
        let kind = extensions.take(2)?;
        let extension = extensions.counted(2)?;
        if kind == [0, 0] {
            let mut names = Reader(Reader(extension).counted(2)?);
            let host = names.take(1)? == [0];
            return names.counted(2).filter(|name| host && !name.is_empty());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    /// What stands behind its length.
    fn counted(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.take(width)?;
        self.take(length.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(name: Option<&[u8]>) -> Vec<u8> {
        let counted = |width: usize, bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            [&length[4 - width..], bytes].concat()
        };
        let mut extensions = [&[0, 43][..], &counted(2, &[2, 3, 4])].concat();
        if let Some(name) = name {
            let names = counted(2, &[&[0][..], &counted(2, name)].concat());
            extensions.extend([&[0, 0][..], &counted(2, &names)].concat());
        }
        let parts = [
            vec![3, 3],
            vec![7; 32],
            counted(1, &[]),
            counted(2, &[19, 1]),
            counted(1, &[0]),
            counted(2, &extensions),
        ];
        [&[CLIENT_HELLO][..], &counted(3, &parts.concat())].concat()
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let record = |part: &[u8]| {
            let length = u16::try_from(part.len()).unwrap().to_be_bytes();
            [&[HANDSHAKE, 3, 1][..], &length, part].concat()
        };
        message.chunks(size).flat_map(record).collect()
    }

    #[test]
    fn names_are_found_however_they_come() {
        let name = b"mail.example".as_slice();
        for size in [1, 5, 60, 1000] {
            let bytes = records(&hello(Some(name)), size);
            assert_eq!(read(&bytes), Hello::Whole(Some(name.to_vec())), "{size}");
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), Hello::Partial, "{size} {end}");
            }
        }
        assert_eq!(read(&records(&hello(None), 1000)), Hello::Whole(None));
    }

    #[test]
    fn what_is_none_has_no_name() {
        for bytes in
            [b"EHLO x\r\n".as_slice(), b"\x16\x03\x01\0\0", b"\x16\x03\x01\0\x04\x02\0\0\0x"]
        {
            assert!(matches!(read(bytes), Hello::Whole(None) | Hello::Partial), "{bytes:?}");
        }
        assert_eq!(read(b"EHLO x\r\n"), Hello::Whole(None));
        let mut bytes = hello(Some(b"x"));
        for at in 0..bytes.len() {
            let old = std::mem::replace(&mut bytes[at], 0xff);
            let _ = read(&records(&bytes, 1000));
            bytes[at] = old;
        }
    }
}
