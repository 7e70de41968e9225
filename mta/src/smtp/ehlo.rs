//! HELO and EHLO (specification 49.2.3, 14.11).

use std::net::{Ipv4Addr, Ipv6Addr};

use eximious::acl::AclVerdict;
use eximious::stdlib::lists::{Matcher, Outcome};
use eximious::stdlib::printing::printing;
use eximious::{AclPhases, Str, opt, var};

use super::verdict::Refused;
use super::{Session, reply, xclient};

/// What options say of the client.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// `sender_unqualified_hosts`
    pub(super) unqualified_senders: bool,
    /// `recipient_unqualified_hosts`
    pub(super) unqualified_recipients: bool,
    /// `helo_verify_hosts`
    pub(super) verified_hello: bool,
    /// `helo_try_verify_hosts`
    pub(super) tried_hello: bool,
    /// `helo_accept_junk_hosts`
    pub(super) junk_hello: bool,
    /// `hosts_connection_nolog`
    pub(super) connect_unlogged: bool,
    /// `message_size_limit`, as it was when the session began: in bytes, or 0.
    pub(super) send_bytes: u64,
    /// Whether the client got past the greeting.
    pub(super) was_greeted: bool,
}

/// What the client was told that it may use.
#[derive(Debug, Default)]
pub(super) struct Advertised {
    /// Whether there was a HELO or EHLO that was accepted.
    pub(super) greeted: bool,
    /// Whether that was EHLO.
    pub(super) extended: bool,
    /// Whether the client may send before the greeting (`PIPECONNECT`).
    pub(super) early_pipelining: bool,
    pub(super) pipelining: bool,
    pub(super) chunking: bool,
    pub(super) reports: bool,
    pub(super) per_recipient: bool,
    pub(super) utf8: bool,
    pub(super) atrn: bool,
    pub(super) xclient: bool,
    pub(super) tls: bool,
}

impl Session {
    pub(super) fn hello(&mut self, extended: bool, argument: &[u8]) {
        let word: &[u8] = if extended { b"EHLO" } else { b"HELO" };
        self.offers.extended = extended;
        if !self.is_hello_name(argument) {
            let shown = match argument.is_empty() {
                true => b"(no argument given)".to_vec(),
                false => printing(argument, false),
            };
            let client = self.shown_client();
            let head = [b"rejected ", word, b" from ", &client].concat();
            let middle = b": syntactically invalid argument(s): ";
            self.log_rejection(&[&head, middle.as_slice(), &shown].concat());
            self.counts.errors += 1;
            self.say(&[b"501 Syntactically invalid ", word, b" argument(s)"]);
            if self.counts.errors > self.number(opt::SMTP_MAX_SYNPROT_ERRORS) {
                self.too_many_errors();
            }
            return;
        }
        self.name_client(Str::tainted(argument));
        self.look_up_by_name(argument);
        if !self.verifies_hello(word, argument) {
            return;
        }
        let mut said = None;
        if let Some(result) = self.acl(opt::ACL_SMTP_HELO, AclPhases::HELO) {
            if result.verdict != AclVerdict::Accept {
                // It was looked for in lists, which don't know case.
                let name = argument.to_ascii_lowercase();
                let refused = Refused::new(&[b"EHLO or HELO ", &name]).unnames();
                let _ = self.refuse(&refused, result);
                return;
            }
            said = result.user_message.filter(|text| !text.is_empty());
        }
        // Who is refused goes on as before.
        self.reset_message();
        self.offers = Advertised {
            early_pipelining: self.offers.early_pipelining,
            extended,
            // Who knows of it may go on with it, whatever it says next.
            chunking: self.offers.chunking,
            greeted: true,
            ..Advertised::default()
        };
        self.note_protocol(extended);
        let (code, greeting) = match said {
            Some(said) => {
                let first = self.first_line(said.bytes());
                let (code, text, _) = self.coded(b"250", &first);
                (code, text)
            }
            None => (b"250".to_vec(), self.greeting(argument)),
        };
        if !extended {
            let bytes = reply::lines(&code, &greeting, true);
            self.say_lines(bytes);
            return;
        }
        let mut bytes = reply::lines(&code, &greeting, false);
        for line in self.extensions() {
            bytes.extend_from_slice(&[b"250-", line.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"250 HELP\r\n");
        self.say_lines(bytes);
    }

    /// The greeting is one line, whatever an ACL says.
    fn first_line(&mut self, text: &[u8]) -> Vec<u8> {
        let end = memchr::memchr(b'\n', text);
        if end.is_some() {
            let head = b"EHLO/HELO response must not contain newlines: message truncated: ";
            self.log_panic(&[head.as_slice(), text].concat());
        }
        text[..end.unwrap_or(text.len())].to_vec()
    }

    fn greeting(&mut self, argument: &[u8]) -> Vec<u8> {
        let known = eximious::client::known_name(&mut self.cx);
        let address = self.variable(var::SENDER_HOST_ADDRESS);
        let ident = self.variable(var::SENDER_IDENT);
        let name = if known.is_empty() { argument } else { known.bytes() };
        let mut text = [self.host.bytes(), b" Hello "].concat();
        if !ident.is_empty() {
            text.extend_from_slice(&[ident.bytes(), b" at "].concat());
        }
        text.extend_from_slice(name);
        if !address.is_empty() {
            text.extend_from_slice(&[b" [", address.bytes(), b"]"].concat());
        }
        text
    }

    /// The extensions, in Exim's order.
    fn extensions(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.push(match self.may.send_bytes {
            0 => "SIZE".to_owned(),
            limit => format!("SIZE {limit}"),
        });
        let limits = [
            ("MAILMAX", self.expanded_number(opt::SMTP_ACCEPT_MAX_PER_CONNECTION)),
            ("RCPTMAX", self.expanded_number(opt::RECIPIENTS_MAX)),
        ];
        let limits = limits.map(|(word, number)| (number > 0).then(|| format!(" {word}={number}")));
        let limits: String = limits.into_iter().flatten().collect();
        if !limits.is_empty() && self.client_in(opt::LIMITS_ADVERTISE_HOSTS) {
            lines.push(format!("LIMITS{limits}"));
        }
        self.offers.atrn = self.offers_atrn();
        offer(&mut lines, self.flag(opt::ACCEPT_8BITMIME), "8BITMIME");
        self.offers.reports = offer(&mut lines, self.client_in(opt::DSN_ADVERTISE_HOSTS), "DSN");
        offer(&mut lines, self.offers.atrn, "ATRN");
        for (option, word) in [
            (opt::ACL_SMTP_ETRN, "ETRN"),
            (opt::ACL_SMTP_VRFY, "VRFY"),
            (opt::ACL_SMTP_EXPN, "EXPN"),
        ] {
            let set = self.cx.engine().settings().text(option).is_some();
            offer(&mut lines, set, word);
        }
        self.offers.pipelining = {
            let allowed = !self.acl_state.has("no_pipelining");
            let offers = allowed && self.client_in(opt::PIPELINING_ADVERTISE_HOSTS);
            offer(&mut lines, offers, "PIPELINING")
        };
        let early = self.offers.pipelining && self.offers.early_pipelining;
        offer(&mut lines, early, "PIPECONNECT");
        if let Some(line) = self.mechanisms() {
            lines.push(line);
        }
        self.offers.chunking =
            offer(&mut lines, self.client_in(opt::CHUNKING_ADVERTISE_HOSTS), "CHUNKING");
        self.offers.tls = offer(&mut lines, self.offers_tls(), "STARTTLS");
        self.offers.per_recipient = offer(&mut lines, self.flag(opt::PRDR_ENABLE), "PRDR");
        let eight_bit = self.flag(opt::ACCEPT_8BITMIME);
        let utf8 = eight_bit && self.client_in(opt::SMTPUTF8_ADVERTISE_HOSTS);
        self.offers.utf8 = offer(&mut lines, utf8, "SMTPUTF8");
        offer(&mut lines, self.client_in(opt::WELLKNOWN_ADVERTISE_HOSTS), "WELLKNOWN");
        self.offers.xclient = offer(&mut lines, self.may_name_clients(), xclient::OFFER);
        lines
    }

    pub(super) fn name_client(&mut self, name: Str) {
        self.cx.set_var(var::SENDER_HELO_NAME, name);
        eximious::client::forget_hello(&mut self.cx);
        eximious::client::describe(&mut self.cx);
    }

    /// Whether a text may be what HELO says.
    fn is_hello_name(&self, text: &[u8]) -> bool {
        if self.may.junk_hello {
            return true;
        }
        if let Some(rest) = text.strip_prefix(b"[") {
            return rest.strip_suffix(b"]").is_some_and(is_literal);
        }
        let more = self.text(opt::HELO_ALLOW_CHARS);
        let fine = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'-')
                || more.bytes().contains(byte)
        };
        !text.is_empty() && text.iter().all(fine)
    }

    /// `helo_lookup_domains`: some names make the client's own worth a look.
    fn look_up_by_name(&mut self, argument: &[u8]) {
        if self.client.address.is_none() || !eximious::client::known_name(&mut self.cx).is_empty() {
            return;
        }
        let list = self.text(opt::HELO_LOOKUP_DOMAINS);
        let name = Str::tainted(argument);
        let mut matcher = Matcher::domain(&name).called("helo_lookup_domains");
        if matches!(self.cx.is_in(&list, &mut matcher), Ok(Outcome::Matched(_))) {
            eximious::client::look_up_name_anew(&mut self.cx);
            eximious::client::describe(&mut self.cx);
        }
    }

    /// Verifies HELO where options want that; false where it was refused.
    fn verifies_hello(&mut self, word: &[u8], argument: &[u8]) -> bool {
        if !self.may.verified_hello && !self.may.tried_hello {
            return true;
        }
        if eximious::client::verify_hello(&mut self.cx).unwrap_or(false) {
            return true;
        }
        if !self.may.verified_hello {
            let tail = b" verification failed but host is in helo_try_verify_hosts";
            self.cx.tell(0, &[word, tail.as_slice()].concat());
            return true;
        }
        let client = self.shown_client();
        let line = [b"rejected \"", word, b" ", argument, b"\" from ", &client];
        self.log_rejection(&line.concat());
        self.say(&[b"550 ", word, b" argument does not match calling host"]);
        // Logs go on naming the client by what it said.
        self.cx.set_var(var::SENDER_HELO_NAME, Str::EMPTY);
        false
    }
}

/// Adds an extension, where it is offered.
fn offer(lines: &mut Vec<String>, offered: bool, word: &str) -> bool {
    if offered {
        lines.push(word.to_owned());
    }
    offered
}

/// Whether a text is an address: `1.2.3.4`, `IPv6:::1`.
fn is_literal(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let v6 = text.get(..5).filter(|head| head.eq_ignore_ascii_case("ipv6:"));
    match v6 {
        Some(_) => text[5..].parse::<Ipv6Addr>().is_ok(),
        None => text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok(),
    }
}
