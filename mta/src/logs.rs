//! Lines for the logs (specification 53).

use std::net::SocketAddr;

use eximious::acl::Secured;
use eximious::stdlib::address::last_at;
use eximious::stdlib::interval::written;
use eximious::stdlib::printing::{printed, printing};
use eximious::world::{LogLine, LogPart, LogVoice, Moment, TlsResumption};
use eximious::{Context, LogSelector, Str, var};

/// What is said of a message that an ACL has put off.
pub(crate) const QUEUED: &[u8] = b"no immediate delivery: queued by ACL";

/// A line with a message's name before it, where the message has one.
pub(crate) fn named(id: &Str, line: &[u8]) -> Vec<u8> {
    match id.is_empty() {
        true => line.to_vec(),
        false => [id.bytes(), b" ", line].concat(),
    }
}

/// Writes lines about a message to the main log.
pub(crate) fn main(cx: &Context, id: &Str) -> impl Fn(&[u8]) + use<> {
    let (log, id) = (cx.engine().world().log.clone(), id.clone());
    move |line| log.main(&named(&id, &printing(line, true)))
}

/// Writes a line to the main log where that is wanted.
pub(crate) fn by_selector(cx: &Context, id: &Str, by: LogSelector, line: &[u8]) {
    let (log, wanted) = (&cx.engine().world().log, cx.engine().settings().log_selector());
    if log.hears(wanted, by) {
        log.by_selector(wanted, by, &named(id, &printing(line, true)));
    }
}

/// Writes lines about a message, which know their parts, to the main log and perhaps others.
pub(crate) fn tell(cx: &Context, id: &Str, voice: LogVoice, line: &LogLine) {
    cx.engine().world().log.told(voice, &in_writing(id, line));
}

/// Such a line as it is written, with the message's name before it, where the message has one.
pub(crate) fn in_writing(id: &Str, line: &LogLine) -> LogLine {
    line.written(id.bytes(), |part| printed(part, true))
}

/// What is known of TLS with the client, where there is some.
pub(crate) fn secured(cx: &mut Context) -> Option<Secured> {
    let cipher = cx.value_of(var::TLS_IN_CIPHER);
    (!cipher.is_empty()).then(|| Secured {
        cipher: cipher.bytes().to_vec(),
        by_dane: false,
        is_verified: cx.value_of(var::TLS_IN_CERTIFICATE_VERIFIED).bytes() == b"1",
        name: cx.value_of(var::TLS_IN_PEERDN).bytes().to_vec(),
        resumed: TlsResumption::read(&cx.value_of(var::TLS_IN_RESUMPTION))
            .contains(TlsResumption::USED),
        server_name: cx.value_of(var::TLS_IN_SNI).bytes().to_vec(),
    })
}

/// ` X=TLS1.3:… CV=yes DN="…" SNI=…`: what is logged of TLS with the client.
pub(crate) fn security(cx: &mut Context) -> LogLine {
    let wanted = cx.engine().settings().log_selector();
    secured(cx).map(|secured| security_of(wanted, &secured)).unwrap_or_default()
}

/// ` SPF=pass DMARC=accept`: what ACLs have found out of a message's sender and author, where
/// they asked.
pub(crate) fn judged(cx: &mut Context) -> Vec<u8> {
    let wanted = cx.engine().settings().log_selector();
    let mut out = Vec::new();
    for (name, marked, verbose, variable, good) in [
        ("SPF", LogSelector::SPF, LogSelector::SPF_VERBOSE, var::SPF_RESULT, "pass"),
        ("DMARC", LogSelector::DMARC, LogSelector::DMARC_VERBOSE, var::DMARC_STATUS, "accept"),
    ] {
        if !wanted.intersects(marked | verbose) {
            continue;
        }
        let status = cx.value_of(variable);
        if status.is_empty() {
            continue;
        }
        if wanted.contains(verbose) {
            out.extend_from_slice(&[b" ", name.as_bytes(), b"=", status.bytes()].concat());
        } else if status.bytes() == good.as_bytes() {
            out.extend_from_slice(&[b" ", name.as_bytes()].concat());
        }
    }
    out
}

/// What is logged of TLS with anybody.
pub(crate) fn security_of(wanted: LogSelector, secured: &Secured) -> LogLine {
    let mut out = LogLine::default();
    if wanted.contains(LogSelector::TLS_CIPHER) {
        out.field("X", &secured.cipher);
        if wanted.contains(LogSelector::TLS_RESUMPTION) && secured.resumed {
            out.push(LogPart::More, b"*");
        }
    }
    if wanted.contains(LogSelector::TLS_CERTIFICATE_VERIFIED) {
        let word: &[u8] = match (secured.by_dane, secured.is_verified) {
            (true, _) => b"dane",
            (_, true) => b"yes",
            _ => b"no",
        };
        out.field("CV", word);
    }
    if wanted.contains(LogSelector::TLS_PEERDN) && !secured.name.is_empty() {
        let name = printing(&secured.name, false);
        out.field("DN", [b"\"", &name[..], b"\""].concat());
    }
    if wanted.contains(LogSelector::TLS_SNI) && !secured.server_name.is_empty() {
        out.field("SNI", printing(&secured.server_name, false));
    }
    out
}

/// ` Ci=5 from user`: how a connection is named that begins or ends.
pub(crate) fn connection(cx: &mut Context, who: &[u8]) -> Vec<u8> {
    let id = match cx.engine().settings().log_selector().contains(LogSelector::CONNECTION_ID) {
        true => cx.value_of(var::CONNECTION_ID),
        false => Str::EMPTY,
    };
    let mark: &[u8] = if id.is_empty() { b"" } else { b" Ci=" };
    [mark, id.bytes(), b" from ", who].concat()
}

/// What is said of a connection that was lost before all of a message was there, of which so
/// much came before its body, if that did not begin.
pub(crate) fn lost_in_message(connection: &[u8], in_body: bool, head: &[u8]) -> Vec<u8> {
    let place: &[u8] = match in_body {
        true => b"",
        false if head.ends_with(b"\n") => b" (after header)",
        false => b" (header)",
    };
    [b"SMTP connection", connection, b" lost while reading message data", place].concat()
}

/// What is said of a client that took too long to send a message; where it connected is not told.
pub(crate) fn data_timeout(cx: &mut Context, sender: &[u8], began: Moment) -> Vec<u8> {
    let client = match cx.value_of(var::SENDER_FULLHOST) {
        none if none.is_empty() => Str::fixed("local process"),
        full => full,
    };
    let lasted = lasted(cx, began);
    let head = b"SMTP data timeout (message abandoned) on connection from ".as_slice();
    [head, client.bytes(), b" F=<", sender, b"> D=", lasted.as_bytes()].concat()
}

/// What is said of a client that took too long with a command.
pub(crate) fn command_timeout(cx: &mut Context, under: &[u8], began: Moment) -> Vec<u8> {
    let client = eximious::client::plainly_described(cx);
    let lasted = lasted(cx, began);
    let head = b"SMTP command timeout on ".as_slice();
    [head, under, b"connection from ", &client, b" D=", lasted.as_bytes()].concat()
}

/// What is said of a connection that brought no mail: the beginning of the line.
pub(crate) fn no_mail(cx: &mut Context, began: Moment) -> Vec<u8> {
    let client = eximious::client::plainly_described(cx);
    let lasted = lasted(cx, began);
    [b"no MAIL in SMTP connection from ", &client[..], b" D=", lasted.as_bytes()].concat()
}

/// How long something took so far: `5s`, or `5.125s` where milliseconds are logged, which nobody
/// counts beyond a minute.
pub(crate) fn lasted(cx: &Context, began: Moment) -> String {
    let now = cx.engine().world().clock.now();
    let mut seconds = now.seconds.saturating_sub(began.seconds);
    let mut nanos = i64::from(now.nanos) - i64::from(began.nanos);
    if nanos < 0 {
        (seconds, nanos) = (seconds - 1, nanos + 1_000_000_000);
    }
    let written = written(i32::try_from(seconds).unwrap_or(0).max(0));
    if seconds >= 60 || !cx.engine().settings().log_selector().contains(LogSelector::MILLISEC) {
        return written;
    }
    let millis = nanos / 1_000_000;
    match written.strip_suffix('s') {
        Some(head) => format!("{head}.{millis:03}s"),
        None => format!("{written}0.{millis:03}s"),
    }
}

/// A load, which is counted in thousandths, as logs have it.
pub(crate) fn hundredths(load: i64) -> String {
    format!("{}.{:02}", load / 1000, load % 1000 / 10)
}

/// A field of a line that names an end of a connection, with its port where that is logged.
pub(crate) fn end_named(tag: &str, end: SocketAddr, with_port: bool) -> Vec<u8> {
    let port = if with_port { format!(":{}", end.port()) } else { String::new() };
    format!("{tag}[{}]{port}", end.ip().to_canonical()).into_bytes()
}

/// Whether two addresses are the same, but for the case of their domains.
pub(crate) fn is_same_address(one: &[u8], other: &[u8]) -> bool {
    let ((local, domain), (other, its)) =
        (one.split_at(last_at(one)), other.split_at(last_at(other)));
    local == other && domain.eq_ignore_ascii_case(its)
}
