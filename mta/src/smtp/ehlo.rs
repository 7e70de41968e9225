//! HELO and EHLO (specification 49.2.3, 14.11).

use std::net::{Ipv4Addr, Ipv6Addr};

use eximious::acl::AclVerdict;
use eximious::opt;
use eximious::stdlib::lists::{ListOutcome, Matcher};
use eximious::stdlib::printing::printing;
use eximious::trace::{Happening, HostEvent};
use eximious::{AclPhases, Str, var};

use super::stage::{Handled, Stage};
use super::verdict::Refused;
use super::{SmtpSession, reply, xclient};

/// What options say of the client.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// `sender_unqualified_hosts`
    pub(super) unqualified_senders: bool,
    /// `recipient_unqualified_hosts`
    pub(super) unqualified_recipients: bool,
    /// `helo_verify_hosts`
    pub(super) verify_helo: bool,
    /// `helo_try_verify_hosts`
    pub(super) try_verify_helo: bool,
    /// `helo_accept_junk_hosts`
    pub(super) accept_junk_helo: bool,
    /// `hosts_connection_nolog`
    pub(super) connection_nolog: bool,
    /// `message_size_limit`, as it was when the session began: in bytes, or 0.
    pub(super) message_size_limit: u64,
    /// `recipients_max`, as it was then.
    pub(super) recipients_max: i64,
    /// `smtp_accept_max_per_connection`, as it was at the last HELO, once there was one.
    pub(super) messages_max: Option<i64>,
}

/// What the client was told that it may use.
#[derive(Debug, Default)]
pub(super) struct Advertised {
    /// Whether there was a HELO or EHLO that was accepted.
    pub(super) helo_accepted: bool,
    /// Whether that was EHLO.
    pub(super) esmtp: bool,
    /// Whether the client may send before the greeting (`PIPECONNECT`).
    pub(super) early_pipelining: bool,
    pub(super) pipelining: bool,
    pub(super) chunking: bool,
    pub(super) dsn: bool,
    pub(super) prdr: bool,
    pub(super) smtputf8: bool,
    pub(super) atrn: bool,
    pub(super) xclient: bool,
    pub(super) starttls: bool,
}

impl SmtpSession {
    /// HELO, or EHLO (`esmtp`).
    pub(super) fn hello(&mut self, esmtp: bool, argument: &[u8]) -> Handled {
        let word: &[u8] = if esmtp { b"EHLO" } else { b"HELO" };
        self.connection.advertised.esmtp = esmtp;
        if !self.is_helo_name(argument) {
            let shown = match argument.is_empty() {
                true => b"(no argument given)".to_vec(),
                false => printing(argument, false),
            };
            let client = self.shown_client();
            // Logs name the client as before.
            self.cx.set_var(var::SENDER_HELO_NAME, Str::EMPTY);
            let head = [b"rejected ", word, b" from ", &client].concat();
            let middle = b": syntactically invalid argument(s): ";
            self.log_rejection(&[&head, middle.as_slice(), &shown].concat());
            self.connection.counts.errors += 1;
            self.say(&[b"501 Syntactically invalid ", word, b" argument(s)"]);
            return Err(match self.has_too_many_errors() {
                true => self.too_many_errors(),
                false => Stage::COMMANDS,
            });
        }
        self.set_helo_name(Str::tainted(argument));
        self.look_up_by_name(argument);
        self.verify_helo(word, argument)?;
        let mut said = None;
        if let Some(result) = self.acl(opt::ACL_SMTP_HELO, AclPhases::HELO) {
            if result.verdict != AclVerdict::Accept {
                // A host's was looked for in lists, which don't know case.
                let mut name = argument.to_vec();
                if self.connection.client.address.is_some() {
                    name.make_ascii_lowercase();
                    name.truncate(name.iter().take_while(|c| !c.is_ascii_whitespace()).count());
                }
                let refused = Refused::new(&[b"EHLO or HELO ", &name]).forgets_helo();
                return Err(self.refuse(&refused, result));
            }
            said = result.user_message.filter(|text| !text.is_empty());
        }
        // Who is refused goes on as before.
        self.drop_transaction();
        self.connection.advertised = Advertised {
            early_pipelining: self.connection.advertised.early_pipelining,
            esmtp,
            // Who knows of it may go on with it, whatever it says next.
            chunking: self.connection.advertised.chunking,
            helo_accepted: true,
            ..Advertised::default()
        };
        self.withdraw_mechanisms();
        self.note_protocol(esmtp);
        self.connection.permissions.messages_max = None;
        self.most_messages();
        let (code, greeting) = match said {
            Some(said) => {
                let first = self.first_line(said.bytes());
                let (code, text, _) = self.coded(b"250", &first);
                (code, text)
            }
            None => (b"250".to_vec(), self.greeting(argument)),
        };
        if !esmtp {
            let bytes = reply::lines(&code, &greeting, true);
            self.say_lines(bytes);
            return Ok(Stage::COMMANDS);
        }
        let mut bytes = reply::lines(&code, &greeting, false);
        // An enhanced code is for the first line alone.
        let code = &code[..code.len().min(3)];
        for line in self.extensions()? {
            bytes.extend_from_slice(&[code, b"-", line.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(&[code, b" HELP\r\n"].concat());
        self.say_lines(bytes);
        Ok(Stage::COMMANDS)
    }

    /// The greeting is one line, whatever an ACL says.
    fn first_line(&mut self, text: &[u8]) -> Vec<u8> {
        let end = memchr::memchr(b'\n', text);
        if end.is_some() {
            let head = b"EHLO/HELO response must not contain newlines: message truncated: ";
            let code: &[u8] = if reply::own_code(text).is_some() { b"" } else { b"250 " };
            self.log_panic(&[head.as_slice(), code, text].concat());
        }
        text[..end.unwrap_or(text.len())].to_vec()
    }

    fn greeting(&mut self, argument: &[u8]) -> Vec<u8> {
        let known = eximious::client::known_name(&mut self.cx);
        let address = self.variable(var::SENDER_HOST_ADDRESS);
        let ident = self.variable(var::SENDER_IDENT);
        let name = if known.is_empty() { argument } else { known.bytes() };
        let mut text = [self.connection.host.bytes(), b" Hello "].concat();
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
    fn extensions(&mut self) -> Result<Vec<String>, Stage> {
        let mut lines = Vec::new();
        lines.push(match self.connection.permissions.message_size_limit {
            0 => "SIZE".to_owned(),
            limit => format!("SIZE {limit}"),
        });
        let limits = [
            ("MAILMAX", self.most_messages()),
            ("RCPTMAX", self.connection.permissions.recipients_max),
        ];
        let limits = limits.map(|(word, number)| (number > 0).then(|| format!(" {word}={number}")));
        let limits: String = limits.into_iter().flatten().collect();
        if !limits.is_empty() && self.client_in(opt::LIMITS_ADVERTISE_HOSTS)? {
            lines.push(format!("LIMITS{limits}"));
        }
        self.connection.advertised.atrn = self.offers_atrn();
        offer(&mut lines, self.flag(opt::ACCEPT_8BITMIME), "8BITMIME");
        self.connection.advertised.dsn =
            offer(&mut lines, self.client_may_be_in(opt::DSN_ADVERTISE_HOSTS)?, "DSN");
        offer(&mut lines, self.connection.advertised.atrn, "ATRN");
        for (option, word) in [
            (opt::ACL_SMTP_ETRN, "ETRN"),
            (opt::ACL_SMTP_VRFY, "VRFY"),
            (opt::ACL_SMTP_EXPN, "EXPN"),
        ] {
            let set = self.cx.engine().settings().acl(option).is_some();
            offer(&mut lines, set, word);
        }
        self.connection.advertised.pipelining = {
            let allowed = !self.acl_state.has("no_pipelining");
            let offers = allowed && self.client_in(opt::PIPELINING_ADVERTISE_HOSTS)?;
            offer(&mut lines, offers, "PIPELINING")
        };
        let early =
            self.connection.advertised.pipelining && self.connection.advertised.early_pipelining;
        offer(&mut lines, early, "PIPECONNECT");
        if let Some(line) = self.mechanisms()? {
            lines.push(line);
        }
        self.connection.advertised.chunking =
            offer(&mut lines, self.client_may_be_in(opt::CHUNKING_ADVERTISE_HOSTS)?, "CHUNKING");
        self.connection.advertised.starttls = offer(&mut lines, self.offers_tls()?, "STARTTLS");
        self.connection.advertised.prdr = offer(&mut lines, self.flag(opt::PRDR_ENABLE), "PRDR");
        let eight_bit = self.flag(opt::ACCEPT_8BITMIME);
        let utf8 = eight_bit && self.client_may_be_in(opt::SMTPUTF8_ADVERTISE_HOSTS)?;
        self.connection.advertised.smtputf8 = offer(&mut lines, utf8, "SMTPUTF8");
        offer(&mut lines, self.client_may_be_in(opt::WELLKNOWN_ADVERTISE_HOSTS)?, "WELLKNOWN");
        self.connection.advertised.xclient =
            offer(&mut lines, self.may_use_xclient()?, xclient::OFFER);
        Ok(lines)
    }

    /// How many messages a connection may bring: what that is for this client is asked once
    /// after each HELO.
    pub(super) fn most_messages(&mut self) -> i64 {
        if let Some(known) = self.connection.permissions.messages_max {
            return known;
        }
        let most = self.expanded_number(opt::SMTP_ACCEPT_MAX_PER_CONNECTION);
        *self.connection.permissions.messages_max.insert(most)
    }

    pub(super) fn set_helo_name(&mut self, name: Str) {
        self.cx.set_var(var::SENDER_HELO_NAME, name);
        eximious::client::forget_hello(&mut self.cx);
        eximious::client::describe(&mut self.cx);
        self.tell_status();
    }

    /// Whether a text may be what HELO says.
    fn is_helo_name(&self, text: &[u8]) -> bool {
        if self.connection.permissions.accept_junk_helo {
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
        if self.connection.client.address.is_none()
            || !eximious::client::known_name(&mut self.cx).is_empty()
        {
            return;
        }
        let list = self.text(opt::HELO_LOOKUP_DOMAINS);
        let name = Str::tainted(argument);
        let mut matcher = Matcher::domain(&name).called("helo_lookup_domains");
        if matches!(self.cx.is_in(&list, &mut matcher), Ok(ListOutcome::Matched(_))) {
            eximious::client::look_up_name_anew(&mut self.cx);
            eximious::client::describe(&mut self.cx);
        }
    }

    /// Verifies HELO where options want that; whether it was refused.
    fn verify_helo(&mut self, word: &[u8], argument: &[u8]) -> Result<(), Stage> {
        if !self.connection.permissions.verify_helo && !self.connection.permissions.try_verify_helo
        {
            return Ok(());
        }
        if eximious::client::verify_hello(&mut self.cx).unwrap_or(false) {
            return Ok(());
        }
        if !self.connection.permissions.verify_helo {
            self.cx.tell(Happening::Host(HostEvent::HelloForgiven { word }));
            return Ok(());
        }
        let client = self.shown_client();
        // Who the client is may be known later.
        let later =
            !argument.starts_with(b"[") && self.variable(var::HOST_LOOKUP_DEFERRED).bytes() == b"1";
        let (head, code): (&[u8], &[u8]) = match later {
            true => (b"temporarily rejected \"", b"451 "),
            false => (b"rejected \"", b"550 "),
        };
        let line = [head, word, b" ", argument, b"\" from ", &client];
        self.log_rejection(&line.concat());
        self.say(&[code, word, b" argument does not match calling host"]);
        // Logs go on naming the client by what it said.
        self.cx.set_var(var::SENDER_HELO_NAME, Str::EMPTY);
        Err(Stage::COMMANDS)
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
