//! `dcc`: what the Distributed Checksum Clearinghouse knows of a message, as its daemon
//! dccifd says (its protocol: `dccif(8)`; the condition: experimental-spec, DCC).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use eximious_core::world::Target;
use eximious_core::{AclTerm, Body, Effects, Fail, Str};
use eximious_stdlib::lists::ip;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::Logs;
use super::machine::{Answer, Run};
use super::scanners::link::{self, Link};
use super::words::{self, TermRun};

/// `dcc`.
pub(super) static DCC: AclTerm = words::condition(
    &TermRun::Text(dcc),
    words::meta(
        "dcc",
        "dcc = *[/defer_ok]",
        "experimental-spec",
        "Asks DCC whether too many have seen the message.",
        "Checksums of the message go to the servers of the Distributed Checksum Clearinghouse, \
         by way of the daemon at `dccifd_address`. It holds where the daemon accepts the message \
         (`A`, `S`), not where it rejects or delays it (`R`, `G`), and defers where that can't be \
         told now (`T`, or no answer), unless `/defer_ok` follows. `$dcc_result` and `$dcc_header` \
         have what was answered. `$acl_m_dcc_add_header` adds header lines to what the daemon \
         sees, `$acl_m_dcc_override_client_ip` is told in place of the client's address. The \
         daemon is asked once for each message.",
    ),
)
.phases(words::CONTENT)
.effects(Effects::NET);

/// Header lines that the daemon is to see, too.
const ADD_HEADER: &[u8] = b"acl_m_dcc_add_header";
/// The address that it is told in place of the client's.
const OVERRIDE_CLIENT_IP: &[u8] = b"acl_m_dcc_override_client_ip";
/// How long the daemon may take for all of it. Its own servers have less.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was answered for a message; it is asked once.
#[derive(Clone, Default)]
struct Known {
    id: Str,
    answer: Option<Answered>,
}

/// What dccifd answers.
#[derive(Clone, PartialEq, Debug)]
struct Answered {
    /// `A`, `S`, `R`, `G` or `T`.
    result: u8,
    /// The header line for the message, without a newline at its end.
    header: Vec<u8>,
}

fn dcc(run: &mut Run<'_>, text: &Str) -> Answer {
    let mut parts = text.bytes().split(|byte| *byte == b'/').map(<[u8]>::trim_ascii);
    if matches!(parts.next(), Some(b"" | b"0" | b"false")) {
        return Answer::No;
    }
    let may_defer = !parts.any(|part| part.eq_ignore_ascii_case(b"defer_ok"));
    let id = run.cx.message().map(|message| message.id.clone()).unwrap_or_default();
    let known = run.cx.memory::<Known>().clone();
    let answered = match known.answer.filter(|_| known.id == id) {
        Some(answered) => Ok(answered),
        None => ask(run),
    };
    let answered = match answered {
        Ok(answered) => answered,
        Err(why) => {
            let line = [b"dcc acl condition: ", &why[..]].concat();
            run.host.log_to(Logs::PANIC, &line);
            return if may_defer { Answer::Later } else { Answer::No };
        }
    };
    *run.cx.memory::<Known>() = Known { id, answer: Some(answered.clone()) };
    tell(run, &answered);
    match answered.result {
        b'A' | b'S' => Answer::Yes,
        b'T' if may_defer => Answer::Later,
        _ => Answer::No,
    }
}

/// Sets the variables, and adds the header line where the configuration wants that.
fn tell(run: &mut Run<'_>, answered: &Answered) {
    run.cx.set_var(var::DCC_RESULT, Str::from(vec![answered.result]));
    let header = Str::tainted(&answered.header[..]);
    run.cx.set_var(var::DCC_HEADER, header.clone());
    if run.cx.engine().settings().get(opt::DCC_DIRECT_ADD_HEADER) && !header.is_empty() {
        run.add_header(&header);
    }
}

/// Asks the daemon. An error is what is to be logged.
fn ask(run: &mut Run<'_>) -> Result<Answered, Vec<u8>> {
    let engine = run.cx.engine().clone();
    let settings = engine.settings();
    let place = settings.text(opt::DCCIFD_ADDRESS).unwrap_or_default();
    let target = target(place.bytes())?;
    let told = |fail: Fail| fail.message().to_vec();
    let options = settings.text(opt::DCCIFD_OPTIONS);
    let options = options.unwrap_or_else(|| opt::DCCIFD_OPTIONS.default());
    let options = engine.expand_once(options.bytes(), run.cx).map_err(told)?;
    let own = |run: &mut Run<'_>, name: &[u8]| match run.cx.get(name) {
        Some(Ok(value)) if !value.is_empty() => Some(value),
        _ => None,
    };
    let client = own(run, OVERRIDE_CLIENT_IP);
    let client = client.unwrap_or_else(|| run.cx.value_of(var::SENDER_HOST_ADDRESS));
    let helo = run.cx.value_of(var::SENDER_HELO_NAME);
    let sender = run.cx.value_of(var::SENDER_ADDRESS);
    let added = own(run, ADD_HEADER);
    let unreachable = |why: String| [b"dccifd at ", place.bytes(), b": ", why.as_bytes()].concat();
    let mut link = link::open(run, &target, PATIENCE).map_err(unreachable)?;
    let Some(message) = run.cx.message() else { return Err(b"there is no message".to_vec()) };
    let mut request = Vec::new();
    for part in [options.bytes(), client.bytes(), helo.bytes(), sender.bytes()] {
        line(&mut request, part);
    }
    message.recipients.iter().for_each(|one| line(&mut request, one.bytes()));
    request.push(b'\n');
    message.headers.iter().for_each(|header| request.extend_from_slice(&header.line));
    for text in added.iter().map(Str::bytes) {
        request.extend_from_slice(text.trim_ascii_end());
        request.push(b'\n');
    }
    request.push(b'\n');
    request.extend_from_slice(&message.stray);
    let answer = converse(&mut link, &request, &message.body)
        .map_err(|why| unreachable(link::reason(&why)))?;
    answered(&answer)
        .ok_or_else(|| [b"dccifd at ", place.bytes(), b": an answer that makes no sense"].concat())
}

/// A line of the envelope. What would end it early is left out.
fn line(request: &mut Vec<u8>, text: &[u8]) {
    request.extend(text.iter().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)));
    request.push(b'\n');
}

/// A socket's path, or an address and a port.
fn target(place: &[u8]) -> Result<Target, Vec<u8>> {
    let place = place.trim_ascii();
    if place.is_empty() {
        return Err(b"dccifd_address is not set".to_vec());
    }
    if place.starts_with(b"/") {
        return Ok(Target::Unix(place.to_vec()));
    }
    let mut words = place.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let host = words.next().and_then(ip::address);
    let port = words.next().and_then(|port| std::str::from_utf8(port).ok()?.parse().ok());
    match (host, port, words.next()) {
        (Some(host), Some(port), None) => Ok(Target::Tcp(SocketAddr::new(host, port))),
        _ => Err([b"dccifd_address is neither a path nor an address and a port: ", place].concat()),
    }
}

/// What is answered to a message.
fn converse(link: &mut Link, request: &[u8], body: &Body) -> io::Result<Vec<u8>> {
    link.send(request)?;
    link.send_body(body)?;
    link.finish_writing()?;
    link.all().into_what_counts()
}

/// The first line is about the message, the second about each recipient; a header line
/// follows, if there is one.
fn answered(answer: &[u8]) -> Option<Answered> {
    let mut lines = answer.splitn(3, |byte| *byte == b'\n');
    let result = match lines.next()?.trim_ascii() {
        [result @ (b'A' | b'S' | b'R' | b'G' | b'T')] => *result,
        _ => return None,
    };
    lines.next()?;
    let rest = lines.next().unwrap_or_default();
    // Checksums may follow; only lines that continue the header are part of it.
    let mut header = Vec::new();
    for line in rest.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        match (header.is_empty(), continues) {
            (true, false) if line.contains(&b':') => header.extend_from_slice(line),
            (false, true) => {
                header.push(b'\n');
                header.extend_from_slice(line);
            }
            _ => break,
        }
    }
    Some(Answered { result, header })
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;
    use super::*;

    #[test]
    fn answers_are_read() {
        let read = |text: &str| answered(text.as_bytes()).map(|a| (a.result, a.header));
        let header = b"X-DCC-x-Metrics: host 1; Body=1\n\tFuz1=2".to_vec();
        assert_eq!(
            read("A\nAA\nX-DCC-x-Metrics: host 1; Body=1\n\tFuz1=2\n"),
            Some((b'A', header.clone()))
        );
        assert_eq!(
            read("R\nR\r\nX-DCC-x-Metrics: host 1; Body=1\r\n\tFuz1=2\r\n\r\nchecksums"),
            Some((b'R', header))
        );
        assert_eq!(read("T\n\n"), Some((b'T', Vec::new())));
        assert_eq!(read("G\nGA\n\n"), Some((b'G', Vec::new())));
        for text in ["", "A", "X\nA\n", "AA\nA\n", "\n\n"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn places_are_read() {
        assert_eq!(target(b"/var/dcc/dccifd"), Ok(Target::Unix(b"/var/dcc/dccifd".to_vec())));
        let tcp = Target::Tcp(SocketAddr::from(([127, 0, 0, 1], 6277)));
        assert_eq!(target(b"127.0.0.1 6277"), Ok(tcp));
        for place in ["", "x", "127.0.0.1", "127.0.0.1 x", "127.0.0.1 1 2", "host 1"] {
            assert!(target(place.as_bytes()).is_err(), "{place}");
        }
    }

    #[test]
    fn lines_end_where_they_end() {
        let mut request = Vec::new();
        line(&mut request, b"a\r\nb\0");
        assert_eq!(request, b"ab\n");
    }

    #[test]
    fn without_a_daemon_it_defers() {
        let mut driver = Driver::new().at(eximious_core::AclPhases::DATA);
        assert_eq!(driver.run("accept dcc = *"), "Defer");
        assert_eq!(driver.logged(), ["dcc acl condition: dccifd_address is not set"]);
        assert_eq!(driver.run("deny dcc = */defer_ok\naccept"), "Accept");
        assert_eq!(driver.run("deny dcc = false\naccept"), "Accept");
    }
}
