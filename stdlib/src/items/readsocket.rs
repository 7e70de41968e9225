//! `readsocket`: a question to a Unix domain or TCP socket, and its answer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::grammar::expansion::{ItemShape, escape};
use eximious_core::world::{Stream, Target};
use eximious_core::{Call, Effects, ErrorKind, Fail, Item, ItemRun, Meta, Str, TaintRule};

use super::readfile::lines;
use crate::hosts::report_missing;
use crate::interval::seconds;
use crate::lists::elements;
use crate::provenance;
use crate::wording::reason;

/// From so many seconds on, a time is not meant as one: a week.
const LONGEST: i32 = 604_800;
/// How long an answer may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The bytes that Exim reads at once, where a line is longer.
const PIECE: usize = 1023;
/// How many answers are kept, and how many bytes of them.
const MOST_KEPT: usize = 256;
const MOST_KEPT_BYTES: usize = 4 << 20;

/// `${readsocket{socket}{request}{options}{end of line}{on failure}}`.
pub static READSOCKET: Item = Item {
    meta: Meta::new("readsocket", Effects::NET.union(Effects::LOG), TaintRule::Result)
        .syntax("${readsocket{<socket>}{<request>}{<options>}{<end of line>}{<on failure>}}")
        .summary("What a Unix domain or TCP socket answers to a request.")
        .docs(
            "The socket is a path, or `inet:` with a host and a port: `inet:127.0.0.1:25`, \
             `inet:[::1]:smtp`, `inet:host.example:1234`. The request is written, writing is \
             shut down, and all that comes is read, up to the end.\n\n\
             The third argument is a list: a time, 5 seconds by default, for the connection and \
             then for the whole answer; `shutdown=no` keeps writing open; `cache=yes` keeps the \
             answer for the same question later in the same run, and anything else forgets what \
             that socket has answered. `tls=yes` asks for TLS, and so does `sni=NAME`, which tells \
             the server that name; whatever certificate it shows is believed, and writing is never \
             shut down.\n\n\
             The fourth argument takes the place of each newline; `\\n` and the like are read in \
             it once more. The fifth is used where anything goes wrong with the socket; it is \
             expanded only then. The socket's name must not be tainted. An answer that repeats a \
             tainted request with a dollar or a backslash in it is tainted.",
        )
        .source("specification 11.5"),
    shape: ItemShape::Socket { min: 2, max: 5 },
    run: ItemRun::Lazy(run),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    call.permitted("socket insertions are not permitted")?;
    let (name, request) = (call.text(0)?, call.text(1)?);
    let mut further = [Str::EMPTY, Str::EMPTY];
    for (index, argument) in further.iter_mut().enumerate() {
        if call.text_count() > 2 + index {
            *argument = call.text(2 + index)?;
        }
    }
    let [options, end_of_line] = further;
    let question = Question { name, request, options, end_of_line };
    match answer(call, &question) {
        Ok(answer) => {
            call.parse_only(4)?;
            Ok(answer)
        }
        Err(_) if call.text_count() > 4 => call.text(4),
        Err(fail) => Err(fail),
    }
}

/// The arguments, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Question {
    pub(crate) name: Str,
    pub(crate) request: Str,
    pub(crate) options: Str,
    pub(crate) end_of_line: Str,
}

/// Answers that are kept, by socket.
#[derive(Default)]
struct Cache(HashMap<Vec<u8>, Vec<(Question, Str)>>);

impl Cache {
    fn find(&self, question: &Question) -> Option<Str> {
        let kept = self.0.get(question.name.bytes())?;
        kept.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer.clone())
    }

    fn keep(&mut self, question: &Question, answer: &Str) {
        let all = self.0.values().flatten();
        let size = |answer: &Str| answer.bytes().len();
        let bytes: usize = all.clone().map(|(_, answer)| size(answer)).sum();
        if all.count() >= MOST_KEPT || bytes + size(answer) > MOST_KEPT_BYTES {
            self.0.clear();
        }
        let of_socket = self.0.entry(question.name.bytes().to_vec()).or_default();
        of_socket.push((question.clone(), answer.clone()));
    }
}

/// Asks a socket; the lookup of the same kind does so, too.
pub(crate) fn answer(call: &mut Call<'_>, question: &Question) -> Result<Str, Fail> {
    if question.name.taint().is_tainted() {
        let message = crate::wording::tainted("filename for search:", question.name.bytes());
        call.log()?.panic(&message);
        return Err(Fail::error(ErrorKind::Taint, ""));
    }
    let options = Options::read(question.options.bytes(), call.bounds().command);
    let cache = call.memory::<Cache>();
    if !options.cache {
        cache.0.remove(question.name.bytes());
    } else if let Some(answer) = cache.find(question) {
        return Ok(answer);
    }
    let mut stream = connect(call, question.name.bytes(), options.timeout)?;
    if let Some(name) = &options.tls {
        let secured = call.net()?.secure(stream, &String::from_utf8_lossy(name));
        stream = secured.map_err(|why| later(format!("TLS connect failed: {why}")))?;
    }
    let received = converse(&mut *stream, question, &options, call.bounds().length)?;
    let end_of_line = match question.end_of_line.bytes() {
        b"" => b"\n".to_vec(),
        text => read_escapes(text),
    };
    let text = lines(&received, &end_of_line);
    let taint = provenance::of_answer(&text, [&question.request]);
    let answer = Str::from(text).stamped(taint);
    if options.cache {
        call.memory::<Cache>().keep(question, &answer);
    }
    Ok(answer)
}

/// What the third argument says.
#[derive(Debug)]
struct Options {
    timeout: Duration,
    shutdown: bool,
    cache: bool,
    /// Where there is to be TLS, the name that the server is told.
    tls: Option<Vec<u8>>,
}

impl Options {
    /// Reads the list. Exim waits for ever where it can't read the time; here
    /// that is `unlimited`, and so is a time that nobody means.
    fn read(list: &[u8], unlimited: Duration) -> Self {
        let mut elements = elements(list);
        let timeout = match elements.next() {
            None => TIMEOUT,
            Some(time) => match seconds(&time) {
                None | Some(0 | LONGEST..) => unlimited,
                Some(seconds) => Duration::from_secs(seconds.unsigned_abs().into()),
            },
        };
        let mut options = Self { timeout, shutdown: true, cache: false, tls: None };
        for element in elements {
            match &*element {
                b"shutdown=no" => options.shutdown = false,
                b"cache=yes" => options.cache = true,
                // What asks for TLS before or after it counts.
                b"tls=no" => {}
                other if other.starts_with(b"tls=") => {
                    options.tls.get_or_insert_default();
                }
                other => {
                    options.tls = other.strip_prefix(b"sni=").map(<[u8]>::to_vec).or(options.tls);
                }
            }
        }
        options
    }
}

/// A string in which escapes are read once more.
fn read_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let (byte, length) = if *byte == b'\\' { escape(&text[at..]) } else { (*byte, 1) };
        if byte == 0 {
            break;
        }
        out.push(byte);
        at += length;
    }
    out
}

fn connect(call: &mut Call<'_>, name: &[u8], timeout: Duration) -> Result<Box<dyn Stream>, Fail> {
    let net = call.net()?;
    let Some(place) = name.strip_prefix(b"inet:") else {
        return net.connect(&Target::Unix(name.to_vec()), timeout).map_err(|error| {
            if is_timeout(&error) {
                return later("socket connect timed out");
            }
            let why = reason(&error);
            later([b"failed to connect to socket ", name, b": ", why.as_bytes()].concat())
        });
    };
    // Exim says nothing of what is wrong with a port.
    let colon = memchr::memrchr(b':', place).ok_or_else(|| later(""))?;
    let (host, port) = (&place[..colon], &place[colon + 1..]);
    let port = port_number(port)
        .or_else(|| net.service(std::str::from_utf8(port).ok()?))
        .ok_or_else(|| later(""))?;
    let mut failure = None;
    for address in addresses(call, host)? {
        match net.connect(&Target::Tcp(SocketAddr::new(address, port)), timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) if is_timeout(&error) => failure = Some("Connection timed out".to_owned()),
            Err(error) => failure = Some(reason(&error)),
        }
    }
    let why = failure.unwrap_or_default();
    Err(later([b"failed to connect to any address for ", host, b": ", why.as_bytes()].concat()))
}

/// A port given as a number, as C's `strtol` reads one: hexadecimal after `0x`,
/// octal after `0`. What is too large for a port wraps round.
fn port_number(text: &[u8]) -> Option<u16> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (digits, base) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (rest, 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let digit = |c: &u8| char::from(*c).to_digit(base);
    if digits.is_empty() || !digits.iter().all(|c| digit(c).is_some()) {
        return None;
    }
    let number = digits
        .iter()
        .filter_map(digit)
        .fold(0i64, |n, d| n.saturating_mul(i64::from(base)).saturating_add(i64::from(d)));
    Some(number as u16)
}

/// The addresses of a host: of an address in brackets or without, the address
/// itself.
fn addresses(call: &mut Call<'_>, host: &[u8]) -> Result<Vec<IpAddr>, Fail> {
    if let [b'[', inside @ .., b']'] = host {
        let address = std::str::from_utf8(inside).ok().and_then(|text| text.parse().ok());
        return address
            .map(|address| vec![address])
            .ok_or_else(|| later([b"malformed IP address \"", host, b"\""].concat()));
    }
    let text = std::str::from_utf8(host).unwrap_or_default();
    if let Some(address) = text.parse().ok().or_else(|| numeric_address(text)) {
        return Ok(vec![address]);
    }
    let found = match text.is_empty() || is_hexadecimal_address(text) {
        true => Ok(Vec::new()),
        false => call.net()?.resolve(text),
    };
    // What can't be told for now is nothing to note.
    let for_good = !matches!(&found, Err(why) if why.kind() == io::ErrorKind::TimedOut);
    let found = found.unwrap_or_default();
    if found.is_empty() {
        let message = [b"no IP address found for host ", host].concat();
        if !host.is_empty() && !report_missing(call, host, for_good) && for_good {
            call.log()?.main(&message);
        }
        if !for_good {
            crate::dns::show_unset(call, host);
        }
        return Err(later(message));
    }
    Ok(found)
}

/// Digits and dots as C's `inet_aton` reads them: `127.1`, `2130706433`, and
/// octal numbers after a zero.
fn numeric_address(text: &str) -> Option<IpAddr> {
    let parts: Vec<u64> = text
        .split('.')
        .map(|part| {
            let decimal = part.bytes().all(|c| c.is_ascii_digit()) && !part.is_empty();
            let base = if part.len() > 1 && part.starts_with('0') { 8 } else { 10 };
            decimal.then(|| u64::from_str_radix(part, base).ok()).flatten()
        })
        .collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let rest = 32 - 8 * first.len() as u32;
    if *last >= 1 << rest {
        return None;
    }
    let head = first.iter().fold(0u64, |n, part| n << 8 | part);
    Some(IpAddr::V4(((head << rest | last) as u32).into()))
}

/// `0x7f.1`: the system's resolver takes it for an address, Exim for a name.
fn is_hexadecimal_address(text: &str) -> bool {
    let hexadecimal = |part: &str| part.starts_with("0x") || part.starts_with("0X");
    text.split('.').any(hexadecimal)
        && text.split('.').all(|part| {
            let digits = if hexadecimal(part) { &part[2..] } else { part };
            digits.bytes().all(|c| c.is_ascii_hexdigit())
        })
}

/// Writes the request and reads the answer.
fn converse(
    stream: &mut dyn Stream,
    question: &Question,
    options: &Options,
    most: usize,
) -> Result<Vec<u8>, Fail> {
    stream.set_deadline(options.timeout);
    stream.write_all(question.request.bytes()).map_err(|error| {
        let why = if is_timeout(&error) { "Connection timed out".into() } else { reason(&error) };
        later(format!("request write to socket failed: {why}"))
    })?;
    if options.shutdown && options.tls.is_none() {
        // A peer that is gone shows when its answer is read.
        let _ = stream.finish_writing();
    }
    stream.set_deadline(options.timeout);
    let mut received = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(received),
            Ok(count) => received.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_timeout(&error) => return Err(later("socket read timed out")),
            // A connection that breaks ends the answer; without TLS, Exim loses
            // the piece of a line that it was reading.
            Err(_) if options.tls.is_some() => return Ok(received),
            Err(_) => {
                let line = memchr::memrchr(b'\n', &received).map_or(0, |end| end + 1);
                received.truncate(received.len() - (received.len() - line) % PIECE);
                return Ok(received);
            }
        }
        if received.len() > most {
            let message = format!("socket sent more than {most} bytes");
            return Err(Fail::error(ErrorKind::Limit, message));
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// A socket that does not answer may do so later.
fn later(message: impl Into<Vec<u8>>) -> Fail {
    Fail::defer(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_of_three_kinds() {
        assert_eq!(port_number(b"25"), Some(25));
        assert_eq!(port_number(b"0x19"), Some(25));
        assert_eq!(port_number(b"031"), Some(25));
        assert_eq!(port_number(b"0"), Some(0));
        assert_eq!(port_number(b"65561"), Some(25));
        assert_eq!(port_number(b"99999999999999999999"), Some(65535));
        for wrong in ["", "smtp", "25x", "+25", "-1", " 25", "25 ", "0x", "08", "0x1g"] {
            assert_eq!(port_number(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_may_be_short() {
        let read = |text| numeric_address(text).map(|address| address.to_string());
        assert_eq!(read("127.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(read("2130706433").as_deref(), Some("127.0.0.1"));
        assert_eq!(read("0177.0.0.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(read("0.0.0.0").as_deref(), Some("0.0.0.0"));
        for wrong in
            ["", ".", "1.2.3.4.5", "127.0.0.256", "256.1", "4294967296", "1.", "a.1", "09.1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(is_hexadecimal_address("0x7f.1") && is_hexadecimal_address("0X7F000001"));
        assert!(!is_hexadecimal_address("0xray.example") && !is_hexadecimal_address("10.1"));
    }
}
