//! A message of the spool, as the values of a conversation: whoever looks at it, or
//! delivers it, sees what those saw who received it.

use std::io;

use eximious::stdlib::number::decimal;
use eximious::world::{SpoolPlace, TakenMessage};
use eximious::{Body, Context, Header, Message, Str, Taint, Var, var};

use super::file::{HeaderFile, HeaderLine, Mark, Value};
use super::queue::{Stored, Unread};

/// How large a message is at the most.
const LARGEST: u64 = 1 << 30;

/// Values that are variables, by their names in the file.
const VARIABLES: &[(&str, Var)] = &[
    ("active_hostname", var::SMTP_ACTIVE_HOSTNAME),
    ("auth_id", var::AUTHENTICATED_ID),
    ("auth_sender", var::AUTHENTICATED_SENDER),
    ("helo_name", var::SENDER_HELO_NAME),
    ("host_auth", var::SENDER_HOST_AUTHENTICATED),
    ("host_name", var::SENDER_HOST_NAME),
    ("ident", var::SENDER_IDENT),
    ("local_scan", var::LOCAL_SCAN_DATA),
    ("max_received_linelength", var::MAX_RECEIVED_LINELENGTH),
    ("received_protocol", var::RECEIVED_PROTOCOL),
    ("spam_bar", var::SPAM_BAR),
    ("spam_score", var::SPAM_SCORE),
    ("spam_score_int", var::SPAM_SCORE_INT),
    ("tls_cipher", var::TLS_IN_CIPHER),
    ("tls_ocsp", var::TLS_IN_OCSP),
    ("tls_peerdn", var::TLS_IN_PEERDN),
    ("tls_sni", var::TLS_IN_SNI),
    ("tls_ver", var::TLS_IN_VER),
];

/// Certificates.
const CERTIFICATES: &[(&str, Var)] =
    &[("tls_ourcert", var::TLS_IN_OURCERT), ("tls_peercert", var::TLS_IN_PEERCERT)];

/// Flags that are variables.
const FLAGS: &[(&str, Var)] = &[
    ("host_lookup_deferred", var::HOST_LOOKUP_DEFERRED),
    ("host_lookup_failed", var::HOST_LOOKUP_FAILED),
    ("tls_certificate_verified", var::TLS_IN_CERTIFICATE_VERIFIED),
];

/// Sets the values that a message of the spool has, and the message itself.
///
/// # Errors
/// It can't be read.
pub fn restore(cx: &mut Context, place: &SpoolPlace, id: &[u8]) -> Result<Stored, Unread> {
    forget(cx);
    cx.set_var(var::MESSAGE_EXIM_ID, Str::from(id));
    let world = cx.engine().world().clone();
    let data = world.spool.read(place, id, b"-D", LARGEST).map_err(Unread::Read)?;
    let stored = Stored::read(&world, place, id)?;
    let message = message(&stored.file, super::kept_body(id, &data));
    show(cx, &stored.file, message);
    Ok(stored)
}

/// The same without its body, which is not to be had.
///
/// # Errors
/// Its header can't be read.
pub fn restore_head(cx: &mut Context, place: &SpoolPlace, id: &[u8]) -> Result<(), Unread> {
    forget(cx);
    cx.set_var(var::MESSAGE_EXIM_ID, Str::from(id));
    let stored = Stored::read(&cx.engine().world().clone(), place, id)?;
    let mut message = message(&stored.file, b"");
    count_body(&stored.file, &mut message);
    // What stands behind the header counts with the body.
    message.size = message.size.saturating_sub(1);
    show(cx, &stored.file, message);
    Ok(())
}

/// The same for one that is to be delivered; its body stays where it is.
///
/// # Errors
/// It can't be read.
pub(crate) fn restore_from(
    cx: &mut Context,
    stored: &Stored,
    taken: &dyn TakenMessage,
) -> io::Result<Message> {
    let file = &stored.file;
    let head = super::data_head(&file.id).len() as u64;
    let length = taken.length().saturating_sub(head);
    let longest = file.number("max_received_linelength").map_or(0, i64::unsigned_abs);
    let kept = Body::kept(taken.source(head), length, longest);
    let message = match file.has("spool_file_wireformat") {
        // Its lines are changed.
        true => message(file, &kept.whole(LARGEST)?),
        false => {
            let mut message = message(file, b"");
            count_body(file, &mut message);
            message.size += length;
            message.body = kept;
            message
        }
    };
    show(cx, file, message.clone());
    Ok(message)
}

/// Notes what a file says of a body that is not at hand.
fn count_body(file: &HeaderFile, message: &mut Message) {
    let number = |name| file.number(name).map_or(0, i64::unsigned_abs);
    message.body_lines = number("body_linecount");
    message.body_zeros = number("body_zerocount");
    message.lines += message.body_lines;
}

/// The same for one whose body is not to be had.
pub(crate) fn restore_header(cx: &mut Context, stored: &Stored) {
    show(cx, &stored.file, message(&stored.file, b""));
}

/// What a file does not name was not so, whoever looks at it.
fn forget(cx: &mut Context) {
    let own = [var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER, var::SENDER_IDENT];
    own.into_iter().chain([var::SENDER_ADDRESS]).for_each(|var| cx.set_var(var, Str::EMPTY));
}

/// Sets the values that a message has.
fn show(cx: &mut Context, file: &HeaderFile, message: Message) {
    forget(cx);
    // Where it came in is no port of what did not come in anywhere.
    cx.set_var(var::RECEIVED_PORT, Str::fixed("0"));
    for value in &file.values {
        set(cx, value);
    }
    cx.set_var(var::MESSAGE_SMTPUTF8, Str::fixed(if file.has("smtputf8") { "yes" } else { "no" }));
    cx.set_var(var::ORIGINATOR_UID, decimal(file.uid));
    cx.set_var(var::ORIGINATOR_GID, decimal(file.gid));
    cx.set_var(var::SENDER_ADDRESS, Str::tainted(&file.sender[..]));
    let count = message.named(b"Received").count();
    cx.set_var(var::MESSAGE_EXIM_ID, message.id.clone());
    cx.set_message(Some(message));
    cx.set_var(var::RECEIVED_COUNT, decimal(count));
    eximious::client::describe(cx);
}

fn set(cx: &mut Context, value: &Value) {
    let taint = match &value.mark {
        Mark::Clean => Taint::Clean,
        Mark::Tainted => Taint::Tainted,
        Mark::Quoted(lookup) => match cx.engine().registry().lookup_id(lookup) {
            Some(lookup) => Taint::Quoted(lookup),
            None => Taint::Tainted,
        },
    };
    let text = value.text.as_deref().unwrap_or_default();
    let string = |bytes: &[u8]| Str::from(bytes).stamped(taint);
    if let Some(data) = &value.data {
        if let Some(name) = acl_variable(&value.name, text) {
            cx.set(name, string(data));
        }
        return;
    }
    let name = value.name.as_slice();
    match name {
        b"host_address" => {
            set_address(cx, text, taint, [var::SENDER_HOST_ADDRESS, var::SENDER_HOST_PORT])
        }
        b"interface_address" => {
            set_address(cx, text, taint, [var::RECEIVED_IP_ADDRESS, var::RECEIVED_PORT]);
        }
        b"host_auth_pubname" => cx.set_auth_mechanism(string(text)),
        _ => {
            let named = |table: &'static [(&str, Var)]| {
                let found = table.iter().find(|(word, _)| word.as_bytes() == name);
                found.map(|(_, variable)| *variable)
            };
            if let Some(variable) = named(CERTIFICATES) {
                cx.set_var(variable, string(&unfolded(text)));
            } else if name == b"tls_resumption" {
                let bits = text.first().map_or(0, |letter| letter.saturating_sub(b'A'));
                cx.set_var(var::TLS_IN_RESUMPTION, bits.to_string());
            } else if let Some(variable) = named(VARIABLES) {
                cx.set_var(variable, string(text));
            } else if let Some(variable) = named(FLAGS) {
                cx.set_var(variable, Str::fixed("1"));
            }
        }
    }
}

/// A text whose newlines are written as `\n`.
pub(crate) fn unfolded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"\\n") {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\n');
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}

/// The name of an ACL variable; `acl 3` and `acl 13` are `$acl_c3` and `$acl_m3`.
fn acl_variable(kind: &[u8], rest: &[u8]) -> Option<Vec<u8>> {
    match kind {
        b"aclc" => Some([b"acl_c", rest].concat()),
        b"aclm" => Some([b"acl_m", rest].concat()),
        _ => {
            let number: u8 = std::str::from_utf8(rest).ok()?.parse().ok()?;
            match number {
                0..10 => Some(format!("acl_c{number}").into_bytes()),
                10..20 => Some(format!("acl_m{}", number - 10).into_bytes()),
                _ => None,
            }
        }
    }
}

/// `[1.2.3.4]:25`, or `1.2.3.4.25` as releases before 4.0 have it.
fn set_address(cx: &mut Context, text: &[u8], taint: Taint, variables: [Var; 2]) {
    let (address, port) = match text.strip_prefix(b"[") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len());
            let port = rest.get(end + 1..).and_then(|rest| rest.strip_prefix(b":"));
            (&rest[..end], port.unwrap_or_default())
        }
        None => match text.iter().rposition(|byte| *byte == b'.') {
            Some(dot) => (&text[..dot], &text[dot + 1..]),
            None => (text, b"".as_slice()),
        },
    };
    cx.set_var(variables[0], Str::from(address).stamped(taint));
    cx.set_var(variables[1], Str::from(port));
}

/// The body that the data behind a header file is: each line has a newline behind it.
pub fn body(file: &HeaderFile, data: &[u8]) -> Vec<u8> {
    match file.has("spool_file_wireformat") {
        true => from_wire(data),
        false => data.to_vec(),
    }
}

/// The message that a header file and the data behind it are.
pub fn message(file: &HeaderFile, data: &[u8]) -> Message {
    let body = body(file, data);
    let kept = file.headers.iter().filter(|line: &&HeaderLine| line.kind != b'*');
    let headers: Vec<Header> = kept.map(|line| Header::new(line.line.clone())).collect();
    let lines = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() as u64;
    let body_lines = lines(&body);
    let head: usize = headers.iter().map(|header| header.line.len()).sum();
    let all = headers.iter().map(|header| lines(&header.line)).sum::<u64>() + body_lines;
    let (size, zeros) = (head + 1 + body.len(), memchr::memchr_iter(0, &body).count());
    let recipients = file.recipients.iter();
    let mut message = Message::new(headers, body);
    message.size = size as u64;
    message.lines = all;
    message.body_lines = body_lines;
    message.body_zeros = zeros as u64;
    message.longest_line = file.number("max_received_linelength").map_or(0, i64::unsigned_abs);
    message.id = Str::from(&file.id[..]);
    message.received = file.received;
    message.sender = Str::tainted(&file.sender[..]);
    message.recipients = recipients.map(|one| Str::tainted(&one.address[..])).collect();
    message
}

/// How much of a body is read at once.
const PIECE: usize = 64 * 1024;

/// The same, however large it is: `data` reads a data file from its beginning.
///
/// # Errors
/// What reading it, or `each`, says.
pub fn body_in_pieces(
    file: &HeaderFile,
    data: &mut dyn io::Read,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let head = super::data_head(&file.id).len() as u64;
    io::copy(&mut io::Read::take(&mut *data, head), &mut io::sink())?;
    let is_wire = file.has("spool_file_wireformat");
    let mut piece = vec![0; PIECE];
    // What may be the first half of a line's end.
    let mut kept = 0;
    loop {
        let count = match data.read(&mut piece[kept..]) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        let text = &piece[..kept + count];
        if count == 0 {
            return each(text);
        }
        let ready = text.strip_suffix(b"\r").filter(|_| is_wire).unwrap_or(text);
        match is_wire {
            true => each(&from_wire(ready))?,
            false => each(ready)?,
        }
        kept = text.len() - ready.len();
        piece[..kept].fill(b'\r');
    }
}

fn from_wire(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut begin = 0;
    for end in memchr::memmem::find_iter(text, b"\r\n") {
        plain.extend_from_slice(&text[begin..end]);
        begin = end + 1;
    }
    plain.extend_from_slice(&text[begin..]);
    plain
}
