//! What there is to write of a message that was received.

use std::collections::BTreeMap;

use eximious::world::{Moment, TlsResumption};
use eximious::{Context, Header, Str, Taint, Var, var};

use super::file::{
    HeaderFile, HeaderLine, Mark, RecipientDsn, RecipientExtra, SpoolRecipient, Value,
};
use super::tree::{Node, NonrecipientTree};
use crate::smtp::{Received, Recipient, Replaced, Returned, Submitter};

/// The header file of a message.
pub(super) fn header_file(cx: &mut Context, received: &Received) -> HeaderFile {
    let message = &received.message;
    let Submitter { login, uid, gid, .. } = match &received.submitter {
        Some(submitter) => submitter.clone(),
        None => own(cx),
    };
    HeaderFile {
        id: received.id.bytes().to_vec(),
        login,
        uid: uid.into(),
        gid: gid.into(),
        sender: received.sender.address.bytes().to_vec(),
        received: began(received).seconds,
        warnings: 0,
        values: values(cx, received),
        // Exim has put the last one in first.
        not_for: NonrecipientTree::new(received.not_for.iter().rev().map(Str::bytes)),
        recipients: received.recipients.iter().map(recipient).collect(),
        headers: header_lines(&message.headers, &received.replaced),
    }
}

fn began(received: &Received) -> Moment {
    match received.began.seconds {
        0 => Moment { seconds: received.message.received, nanos: 0 },
        _ => received.began,
    }
}

/// The user that a message from elsewhere counts as: whoever called the program, or the
/// daemon's own.
fn own(cx: &mut Context) -> Submitter {
    let number = |cx: &mut Context, name| {
        std::str::from_utf8(cx.value(name).bytes()).ok()?.parse::<u32>().ok()
    };
    let (uid, gid) = (number(cx, "originator_uid"), number(cx, "originator_gid"));
    let world = cx.engine().world();
    let own = world.host.ids();
    let (uid, gid) = (uid.unwrap_or(own.0), gid.unwrap_or(own.1));
    let user = world.users.user_by_id(uid).ok().flatten();
    let login = user.map_or_else(|| uid.to_string().into_bytes(), |user| user.name);
    Submitter { login, uid, gid, ..Submitter::default() }
}

/// The lines with a dash, in Exim's order.
fn values(cx: &mut Context, received: &Received) -> Vec<Value> {
    let mut out = Lines { cx, values: Vec::with_capacity(16) };
    let message = &received.message;
    let provenance = received.provenance;
    let began = began(received);
    let now = out.cx.engine().world().clock.now();
    out.text("received_time_usec", format!(".{:06}", began.nanos / 1000));
    let completed = format!("{}.{:06}", now.seconds, now.nanos / 1000);
    out.text("received_time_complete", completed);
    out.variable("helo_name", var::SENDER_HELO_NAME);
    out.host();
    // Also where it is the same as the primary one.
    if out.cx.is_set(var::SMTP_ACTIVE_HOSTNAME) {
        out.variable("active_hostname", var::SMTP_ACTIVE_HOSTNAME);
    }
    out.variable("ident", var::SENDER_IDENT);
    out.variable("received_protocol", var::RECEIVED_PROTOCOL);
    out.acl_variables(b'c');
    out.acl_variables(b'm');
    if let Some((selector, name)) = out.cx.debug_log() {
        out.text("debug_selector", format!("{:#x}", selector.bits()));
        out.text("debuglog_name", name);
    }
    match received.wire {
        true => out.flag("spool_file_wireformat", true),
        false => out.text("body_linecount", message.body_lines.to_string()),
    }
    let longest = out.cx.value_of(var::MAX_RECEIVED_LINELENGTH);
    match longest.is_empty() {
        true => out.text("max_received_linelength", message.longest_line.to_string()),
        false => out.variable("max_received_linelength", var::MAX_RECEIVED_LINELENGTH),
    }
    if message.body_zeros > 0 {
        out.text("body_zerocount", message.body_zeros.to_string());
    }
    out.variable("auth_id", var::AUTHENTICATED_ID);
    out.variable("auth_sender", var::AUTHENTICATED_SENDER);
    out.flag("allow_unqualified_recipient", provenance.unqualified_recipients);
    out.flag("allow_unqualified_sender", provenance.unqualified_senders);
    out.flag("deliver_firsttime", true);
    if received.controls.contains_key("freeze") {
        out.text("frozen", now.seconds.to_string());
    }
    out.flag("N", provenance.pretended);
    out.set_flag(var::HOST_LOOKUP_DEFERRED);
    out.set_flag(var::HOST_LOOKUP_FAILED);
    out.flag("local", provenance.local);
    out.flag("localerror", provenance.local_error);
    out.variable("local_scan", var::LOCAL_SCAN_DATA);
    out.variable("spam_bar", var::SPAM_BAR);
    out.variable("spam_score", var::SPAM_SCORE);
    out.variable("spam_score_int", var::SPAM_SCORE_INT);
    out.flag("sender_set_untrusted", provenance.sender_set_untrusted);
    out.security();
    out.flag("smtputf8", received.sender.utf8);
    let converts = received.controls.get("utf8_downconvert").filter(|_| received.sender.utf8);
    let converts = converts.map(|set| set.options.bytes());
    out.flag("utf8_downcvt", matches!(converts, Some(b"" | b"1")));
    out.flag("utf8_optdowncvt", converts == Some(b"-1"));
    if let Some(id) = &received.sender.envelope_id {
        out.text("dsn_envid", id.clone());
    }
    match received.sender.returned {
        Some(Returned::Full) => out.text("dsn_ret", "1"),
        Some(Returned::Headers) => out.text("dsn_ret", "2"),
        None => {}
    }
    out.values
}

/// The lines of what ACLs have set.
pub(crate) fn acl_values(cx: &mut Context) -> Vec<Value> {
    let mut out = Lines { cx, values: Vec::new() };
    out.acl_variables(b'c');
    out.acl_variables(b'm');
    out.values
}

struct Lines<'c> {
    cx: &'c mut Context,
    values: Vec<Value>,
}

impl Lines<'_> {
    fn text(&mut self, name: &str, text: impl Into<Vec<u8>>) {
        let text = Some(text.into());
        self.values.push(Value { name: name.into(), text, ..Value::default() });
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.values.push(Value { name: name.into(), ..Value::default() });
        }
    }

    /// A variable, where it has a value.
    fn variable(&mut self, name: &str, variable: Var) {
        let value = self.cx.value_of(variable);
        self.put(name, &value);
    }

    /// A certificate, whose lines stand in one: a newline is `\n` there.
    fn certificate(&mut self, name: &str, variable: Var) {
        let value = self.cx.value_of(variable);
        if value.is_empty() {
            return;
        }
        let mark = match name {
            // What this host shows is its own.
            "tls_ourcert" => Mark::Clean,
            _ => self.mark(value.taint()),
        };
        let lines: Vec<&[u8]> = value.bytes().split(|byte| *byte == b'\n').collect();
        let text = Some(lines.join(&b"\\n"[..]));
        self.values.push(Value { mark, name: name.into(), text, data: None });
    }

    fn put(&mut self, name: &str, value: &Str) {
        if !value.is_empty() {
            let mark = self.mark(value.taint());
            let text = Some(one_line(value.bytes()));
            self.values.push(Value { mark, name: name.into(), text, data: None });
        }
    }

    fn mark(&self, taint: Taint) -> Mark {
        match taint {
            Taint::Clean => Mark::Clean,
            Taint::Tainted => Mark::Tainted,
            Taint::Quoted(lookup) => {
                let registry = self.cx.engine().registry();
                let name = registry.lookup_at(lookup).meta.name;
                Mark::Quoted(name.as_bytes().to_vec())
            }
        }
    }

    /// A variable that is 1 where something is so.
    fn set_flag(&mut self, variable: Var) {
        let value = self.cx.value_of(variable);
        self.flag(variable.name(), value.bytes() == b"1");
    }

    /// The client: its address and port, and which of ours it called.
    fn host(&mut self) {
        let is_known =
            self.address("host_address", var::SENDER_HOST_ADDRESS, var::SENDER_HOST_PORT);
        if is_known {
            // It was looked up, or nobody wanted to know.
            let name = eximious::client::known_name(self.cx);
            self.put("host_name", &name);
        }
        self.variable("host_auth", var::SENDER_HOST_AUTHENTICATED);
        let mechanism = self.cx.auth_mechanism();
        self.put("host_auth_pubname", &mechanism);
        self.address("interface_address", var::RECEIVED_IP_ADDRESS, var::RECEIVED_PORT);
    }

    fn address(&mut self, name: &str, address: Var, port: Var) -> bool {
        let address = self.cx.value_of(address);
        if address.is_empty() {
            return false;
        }
        let port = self.cx.value_of(port);
        let port = if port.is_empty() { b"0" } else { port.bytes() };
        let mark = self.mark(address.taint());
        let text = Some([b"[", address.bytes(), b"]:", port].concat());
        self.values.push(Value { mark, name: name.into(), text, data: None });
        true
    }

    /// Variables stand in a file as those who have got the message do, by when they were set.
    fn acl_variables(&mut self, kind: u8) {
        let prefix = [b"acl_".as_slice(), &[kind]].concat();
        let found = self.cx.family(&prefix);
        let tree = NonrecipientTree::new(found.iter().map(|(name, _)| &name[..]));
        let mut values: BTreeMap<Vec<u8>, Str> = found.into_iter().collect();
        for Node { address: name, .. } in tree.nodes() {
            let Some(value) = values.remove(name) else { continue };
            self.values.push(Value {
                mark: self.mark(value.taint()),
                name: [b"acl".as_slice(), &[kind]].concat(),
                text: name.get(prefix.len()..).map(<[u8]>::to_vec),
                data: Some(value.bytes().to_vec()),
            });
        }
    }

    fn security(&mut self) {
        let verified = self.cx.value_of(var::TLS_IN_CERTIFICATE_VERIFIED);
        self.flag("tls_certificate_verified", verified.bytes() == b"1");
        self.variable("tls_cipher", var::TLS_IN_CIPHER);
        self.certificate("tls_peercert", var::TLS_IN_PEERCERT);
        self.variable("tls_peerdn", var::TLS_IN_PEERDN);
        self.variable("tls_sni", var::TLS_IN_SNI);
        self.certificate("tls_ourcert", var::TLS_IN_OURCERT);
        if self.cx.value_of(var::TLS_IN_OCSP).bytes() != b"0" {
            self.variable("tls_ocsp", var::TLS_IN_OCSP);
        }
        let resumption = TlsResumption::read(&self.cx.value_of(var::TLS_IN_RESUMPTION));
        if !resumption.is_empty() {
            self.text("tls_resumption", char::from(b'A' + resumption.bits()).to_string());
        }
        self.variable("tls_ver", var::TLS_IN_VER);
    }
}

/// A text that stands in a line: a newline in a name begins no other line.
fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\n' | 0) { b' ' } else { *byte }).collect()
}

fn recipient(recipient: &Recipient) -> SpoolRecipient {
    let notify = recipient.notify;
    let flags = [
        (notify.never, RecipientDsn::NEVER),
        (notify.success, RecipientDsn::SUCCESS),
        (notify.failure, RecipientDsn::FAILURE),
        (notify.delay, RecipientDsn::DELAY),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).sum();
    let errors_to = recipient.errors_to.bytes().to_vec();
    let parent = recipient.parent.map_or(-1, i64::from);
    // Without NOTIFY, Exim does not keep ORCPT. It reads the last fields as they are
    // meant only where those for reports are there.
    let plain = flags == 0 && errors_to.is_empty() && parent == -1;
    let original = recipient.original.clone().unwrap_or_default();
    let reports = Some(RecipientDsn { original, flags });
    let more = (!plain).then_some(RecipientExtra { reports, errors_to, parent });
    SpoolRecipient { address: recipient.address.bytes().to_vec(), more }
}

/// The header lines, with those that were replaced where they stood.
pub(crate) fn header_lines(kept: &[Header], replaced: &[Replaced]) -> Vec<HeaderLine> {
    let resent = kept.iter().any(|header| is_resent(&header.name));
    let mut out = Vec::with_capacity(kept.len() + replaced.len());
    // There may be as many of them as a header has lines.
    let mut gone: Vec<_> = replaced.iter().collect();
    gone.sort_by_key(|one| one.before);
    let mut gone = gone.into_iter().peekable();
    let gone_line = |one: &Replaced| HeaderLine { kind: b'*', line: one.header.line.clone() };
    let mut has_id = false;
    for (at, header) in kept.iter().enumerate() {
        while let Some(one) = gone.next_if(|one| one.before <= at) {
            out.push(gone_line(one));
        }
        let mut kind = kind(header.name.trim_ascii_end(), resent);
        if kind == b'I' && std::mem::replace(&mut has_id, true) {
            kind = b' ';
        }
        out.push(HeaderLine { kind, line: header.line.clone() });
    }
    out.extend(gone.map(gone_line));
    out
}

fn is_resent(name: &[u8]) -> bool {
    name.get(..7).is_some_and(|head| head.eq_ignore_ascii_case(b"resent-"))
}

/// A header line that is added to a message that was taken before.
pub(crate) fn added_line(header: &Header) -> HeaderLine {
    HeaderLine { kind: kind(header.name.trim_ascii_end(), false), line: header.line.clone() }
}

/// The letter of a header line. A message that was sent again is known by its newer
/// name.
fn kind(name: &[u8], resent: bool) -> u8 {
    const BOTH: &[(&[u8], u8)] = &[
        (b"bcc", b'B'),
        (b"cc", b'C'),
        (b"from", b'F'),
        (b"message-id", b'I'),
        (b"sender", b'S'),
        (b"to", b'T'),
    ];
    const ONLY_PLAIN: &[(&[u8], u8)] = &[(b"received", b'P'), (b"reply-to", b'R')];
    let find = |table: &[(&[u8], u8)], name: &[u8]| {
        let found = table.iter().find(|(word, _)| name.eq_ignore_ascii_case(word));
        found.map(|(_, kind)| *kind)
    };
    if is_resent(name) {
        return find(BOTH, &name[7..]).filter(|_| resent).unwrap_or(b' ');
    }
    match find(BOTH, name).or_else(|| find(ONLY_PLAIN, name)) {
        Some(b'I') if resent => b' ',
        kind => kind.unwrap_or(b' '),
    }
}
