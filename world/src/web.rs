//! Pages of web servers: one GET by HTTPS, bounded in size and in time.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use eximious_core::world::{Dialing, Net as _, PageFault, PageOrder, TlsAuthorities, WebPage};

use crate::deadline::Deadline;
use crate::net::SystemNet;
use crate::tls::{self, TlsSettings};

/// How many fields a header may have.
const MOST_FIELDS: usize = 64;
/// How long a header may be.
const LONGEST_HEADER: usize = 16 * 1024;
/// The longest line that says how long a chunk is.
const LONGEST_SIZE: usize = 1024;

/// Fetches a page.
///
/// # Errors
/// Why there is none.
pub fn fetch(order: &PageOrder) -> Result<WebPage, PageFault> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if order.host.is_empty() || !order.host.bytes().all(is_name) {
        return Err(PageFault::Failed("that is no name of a host".into()));
    }
    if !order.path.starts_with('/') || !order.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PageFault::Failed("that is no path".into()));
    }
    let deadline = Deadline::within(order.within);
    let mut why = PageFault::Failed("there is no such host".into());
    for place in &order.places {
        let Some(left) = deadline.left() else { break };
        let mut stream = match SystemNet.dial(*place, &Dialing::default(), left) {
            Ok(stream) => stream,
            Err(error) => {
                why = PageFault::Failed(words(&error));
                continue;
            }
        };
        stream.set_deadline(deadline.left().unwrap_or(Duration::ZERO));
        return match tls::begin(&settings(&order.authorities), &order.host, stream) {
            Ok(mut stream) => {
                ask(&mut stream, order).map_err(|error| PageFault::Failed(words(&error)))
            }
            Err(error) => Err(PageFault::Untrusted(error)),
        };
    }
    Err(why)
}

fn settings(authorities: &TlsAuthorities) -> TlsSettings {
    let path = match authorities {
        TlsAuthorities::Path(path) => Some(PathBuf::from(OsStr::from_bytes(path))),
        _ => None,
    };
    let (directory, file) = match path {
        Some(path) if path.is_dir() => (Some(path), None),
        path => (None, path),
    };
    TlsSettings { authorities: file, directory, verified: true, named: true, ..Default::default() }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it took too long".into(),
        io::ErrorKind::InvalidData => error.to_string(),
        _ => crate::databases::words(error),
    }
}

fn ask(stream: &mut (impl Read + Write), order: &PageOrder) -> io::Result<WebPage> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: eximious\r\nAccept: */*\r\n\
         Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
        order.path, order.host
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    read_page(stream, order.most)
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// How the end of a page is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    Length(usize),
    Chunks,
    /// The connection ends with it.
    Rest,
}

/// Reads an answer, whose page has so many bytes at the most.
fn read_page(stream: &mut impl Read, most: usize) -> io::Result<WebPage> {
    let mut input = Input { stream, bytes: Vec::new() };
    let (page, extent) = loop {
        let (page, extent, length) = match head(&input.bytes)? {
            Some(read) => read,
            None if input.bytes.len() > LONGEST_HEADER => {
                return Err(malformed("its header is too long"));
            }
            None => {
                input.more()?;
                continue;
            }
        };
        input.bytes.drain(..length);
        // Something is said before the answer.
        if !(100..200).contains(&page.status) {
            break (page, extent);
        }
    };
    let too_long = || malformed("it is too long");
    let text = match extent {
        Extent::Length(length) if length > most => return Err(too_long()),
        Extent::Length(length) => input.take(length)?,
        Extent::Rest => {
            while input.bytes.len() <= most && input.read()? {}
            std::mem::take(&mut input.bytes)
        }
        Extent::Chunks => {
            let mut text = Vec::new();
            loop {
                let length = input.chunk()?;
                let length = usize::try_from(length).map_err(|_| too_long())?;
                if length == 0 {
                    break text;
                }
                if length > most - text.len() {
                    return Err(too_long());
                }
                text.extend(input.take(length)?);
                if input.take(2)? != b"\r\n" {
                    return Err(malformed("a piece of it has no end"));
                }
            }
        }
    };
    match text.len() > most {
        true => Err(too_long()),
        false => Ok(WebPage { text, ..page }),
    }
}

/// Reads a header: what it says, and how long it is. Nothing, where it is not all there.
fn head(bytes: &[u8]) -> io::Result<Option<(WebPage, Extent, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(malformed("that is no answer of a web server")),
    };
    let mut page = WebPage { status: response.code.unwrap_or(0), ..WebPage::default() };
    let mut extent = Extent::Rest;
    for field in response.headers.iter() {
        let value = String::from_utf8_lossy(field.value).trim().to_ascii_lowercase();
        match field.name.to_ascii_lowercase().as_str() {
            "content-type" => {
                page.kind = value.split(';').next().unwrap_or_default().trim().to_owned();
            }
            "transfer-encoding" if value == "chunked" => extent = Extent::Chunks,
            "transfer-encoding" => return Err(malformed("it is encoded")),
            "content-encoding" if value != "identity" => return Err(malformed("it is encoded")),
            "content-length" if extent != Extent::Chunks => {
                let length = value.parse().map_err(|_| malformed("it has no length"))?;
                extent = Extent::Length(length);
            }
            _ => {}
        }
    }
    Ok(Some((page, extent, length)))
}

/// What comes, as far as it was not used yet.
struct Input<'s, S> {
    stream: &'s mut S,
    bytes: Vec<u8>,
}

impl<S: Read> Input<'_, S> {
    /// Reads some more; false where nothing more comes.
    fn read(&mut self) -> io::Result<bool> {
        let mut piece = [0; 4096];
        loop {
            return match self.stream.read(&mut piece) {
                Ok(count) => {
                    self.bytes.extend(&piece[..count]);
                    Ok(count > 0)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    fn more(&mut self) -> io::Result<()> {
        match self.read()? {
            true => Ok(()),
            false => Err(malformed("the connection was closed too soon")),
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.bytes.len() < count {
            self.more()?;
        }
        Ok(self.bytes.drain(..count).collect())
    }

    /// How long the next chunk is.
    fn chunk(&mut self) -> io::Result<u64> {
        loop {
            match httparse::parse_chunk_size(&self.bytes) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.bytes.drain(..length);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.bytes.len() <= LONGEST_SIZE => {
                    self.more()?;
                }
                _ => return Err(malformed("a piece of it has no length")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer that comes in pieces.
    fn read(answer: &str, most: usize) -> Result<(u16, String, String), String> {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(into.len()).min(3);
                into[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let page = read_page(&mut Slow(answer.as_bytes()), most);
        page.map(|page| (page.status, page.kind, String::from_utf8(page.text).expect("text")))
            .map_err(|why| why.to_string())
    }

    #[test]
    fn answers_are_read_however_they_end() {
        let page = |text: &str| Ok((200, "text/plain".to_owned(), text.to_owned()));
        let head = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n";
        assert_eq!(read(&format!("{head}Content-Length: 3\r\n\r\nabcdef"), 9), page("abc"));
        assert_eq!(read(&format!("{head}\r\nabcdef"), 9), page("abcdef"));
        let chunked = "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n";
        let pieces = "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(&format!("{head}{chunked}{pieces}"), 9), page("abcde"));
        let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        assert_eq!(read(&format!("{early}{head}\r\nx"), 9), page("x"));
        let moved = "HTTP/1.1 301 Moved\r\nLocation: https://b/\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(moved, 9), Ok((301, String::new(), String::new())));
    }

    #[test]
    fn what_is_no_answer_or_too_long_is_none() {
        let head = "HTTP/1.1 200 OK\r\n";
        for (rest, why) in [
            ("Content-Length: 10\r\n\r\n0123456789", "it is too long"),
            ("\r\n0123456789", "it is too long"),
            ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "it is too long"),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n", "it is too long"),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "a piece of it has no end"),
            ("Transfer-Encoding: chunked\r\n\r\nx\r\n", "a piece of it has no length"),
            ("Transfer-Encoding: gzip\r\n\r\n", "it is encoded"),
            ("Content-Encoding: gzip\r\n\r\n", "it is encoded"),
            ("Content-Length: -1\r\n\r\n", "it has no length"),
            ("Content-Length: 9\r\n\r\nabc", "the connection was closed too soon"),
            ("Content-Len", "the connection was closed too soon"),
        ] {
            assert_eq!(read(&format!("{head}{rest}"), 9), Err(why.to_owned()), "{rest}");
        }
        let long = format!("{head}X: {}", "x".repeat(2 * LONGEST_HEADER));
        assert_eq!(read(&long, 9), Err("its header is too long".to_owned()));
        assert_eq!(read("220 mail ESMTP\r\n", 9), Err("that is no answer of a web server".into()));
    }
}
