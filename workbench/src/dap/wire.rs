//! Messages as they go over the wire: a header with their length, and JSON.

use std::io::{self, BufRead, Read, Write};

use serde_json::Value;

/// How long a message may be.
const LARGEST: u64 = 64 << 20;
/// How long a line of the header may be.
const LONGEST: u64 = 4096;

/// The next message; nothing at the end.
///
/// # Errors
/// What comes is no message.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Value>> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line);
        let (name, value) = line.split_once(':').ok_or_else(|| wrong("no header"))?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let length = length.filter(|length| *length <= LARGEST).ok_or_else(|| wrong("no length"))?;
    let mut text = Vec::new();
    input.by_ref().take(length).read_to_end(&mut text)?;
    if (text.len() as u64) < length {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(|why| wrong(&why.to_string()))
}

/// Writes a message.
///
/// # Errors
/// It can't be written.
pub(super) fn write(output: &mut dyn Write, message: &Value) -> io::Result<()> {
    let text = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_as_they_went() {
        let message = serde_json::json!({ "a": "ü" });
        let mut wire = Vec::new();
        write(&mut wire, &message).unwrap();
        write(&mut wire, &message).unwrap();
        let mut input = &wire[..];
        assert_eq!(read(&mut input).unwrap(), Some(message.clone()));
        assert_eq!(read(&mut input).unwrap(), Some(message));
        assert_eq!(read(&mut input).unwrap(), None);
    }

    #[test]
    fn what_is_no_message_ends_it() {
        for text in [
            "x\r\n\r\n",
            "Content-Length: x\r\n\r\n{}",
            "Content-Length: 99999999999\r\n\r\n",
            "Content-Length: 1\r\n\r\n{",
            "\r\n",
        ] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(read(&mut &b"Content-Length: 9\r\n\r\n{}"[..]).unwrap(), None);
    }
}
