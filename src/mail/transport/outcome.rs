//! What came of a delivery, address by address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use eximious_core::Str;
use eximious_core::trace::DeliveryOutcome;
use eximious_core::world::LogLine;
use eximious_stdlib::dns::find::RouteHost;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording::reason;

use crate::Context;
use crate::config::{HostSource, ReplyCode, RetryError};
use crate::mail::route::Delivery;
use crate::mail::smtp_transport::Secured;

/// What came of one address.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It has got the message.
    Delivered(Delivered),
    /// It may get it later.
    Deferred(Undelivered),
    /// It never will.
    Failed(Undelivered),
}

impl Outcome {
    /// Which of them it is.
    pub fn kind(&self) -> DeliveryOutcome {
        match self {
            Self::Delivered(_) => DeliveryOutcome::Delivered,
            Self::Deferred(_) => DeliveryOutcome::Deferred,
            Self::Failed(_) => DeliveryOutcome::Failed,
        }
    }

    /// The host that has to do with it.
    pub fn host(&self) -> Option<&TakingHost> {
        match self {
            Self::Delivered(done) => done.host.as_deref(),
            Self::Deferred(why) | Self::Failed(why) => why.host.as_deref(),
        }
    }
}

/// How an address got a message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Delivered {
    /// The host that took it.
    pub host: Option<Box<TakingHost>>,
    /// From where, at this end, it was reached.
    pub local: Option<Box<SocketAddr>>,
    /// The proxy that it was reached through, where it was (`socks_proxy`).
    pub proxy: Option<Box<SocketAddr>>,
    /// What the host, or a command, said last (`C="…"`).
    pub confirmation: Option<Vec<u8>>,
    /// The file or directory that it was written to, where the transport chose that.
    pub file: Option<Vec<u8>>,
    /// What is known of TLS with the host, where there is some.
    pub secured: Option<Secured>,
    /// Further fields of the log line (` K`, ` PRDR`).
    pub fields: LogLine,
    /// The address as the host was told it, where that is another one for its sake: in ASCII.
    pub recipient: Option<Box<Str>>,
    /// The transport that wrote it, where the one at hand left it to that (`file_format`).
    pub transport: Option<Str>,
    /// The sender as the host was told him, where that is another one for its sake.
    pub sender: Option<Box<Str>>,
    /// Whether the host will report what becomes of it (DSN).
    pub reports: bool,
    /// The how manieth copy of a message it was along the connection; 0 where there is none.
    pub copy: u32,
    /// How many bytes were written, where that is known (`S=…`).
    pub size: Option<u64>,
    /// The shadow transport that has got it, too, and in parentheses what went wrong
    /// (`ST=…`).
    pub shadow: Option<Vec<u8>>,
    /// A message for the owner of the mailbox, which grows full: header lines, a blank
    /// line and a text.
    pub warning: Option<Vec<u8>>,
}

/// A host that took a message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TakingHost {
    /// Its name.
    pub name: Vec<u8>,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether its name came from an MX record.
    pub is_mx: bool,
    /// Whether the DNS answered for it with signatures (DNSSEC).
    pub is_signed: bool,
    /// The address here that it is called from, where one is set (`interface`).
    pub from: Option<IpAddr>,
}

impl TakingHost {
    /// A host that a router found, at the port that it names, or the usual one.
    pub fn of(host: &RouteHost) -> Option<Self> {
        Some(Self {
            name: host.name.clone().into_bytes(),
            address: host.address?,
            port: host.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(25),
            is_mx: host.mx.is_some(),
            is_signed: host.dnssec == Some(true),
            from: None,
        })
    }

    /// Where it came from, as hints have it: `M` from an MX record, `A` from elsewhere.
    pub fn source(&self) -> u8 {
        self.found_by().letter()
    }

    /// What kind of record it is known by.
    pub(crate) fn found_by(&self) -> HostSource {
        if self.is_mx { HostSource::Mx } else { HostSource::A }
    }

    /// Variables tell of it, as one that a delivery goes to.
    pub(crate) fn show(&self, cx: &mut Context, delivery: &Delivery) {
        cx.set_var(var::HOST, delivery.host_name(&self.name, self.address));
        cx.set_var(var::HOST_ADDRESS, self.address.to_string());
    }

    /// Its name and its address, as variables hold them.
    pub fn shown(&self) -> [Str; 2] {
        // An address is nobody's text.
        let address = Str::from(self.address.to_string());
        let name = match self.name == address.bytes() {
            true => address.clone(),
            false => Str::tainted(&self.name[..]),
        };
        [name, address]
    }
}

/// What a host says before it hears of a message: a line of each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FirstWords {
    /// Its greeting.
    pub greeting: Vec<u8>,
    /// Its answer to this side's.
    pub hello: Vec<u8>,
    /// How the connection was encrypted when it heard of one, if it was.
    pub secured: Option<Secured>,
    /// Whether it tells those who ask what becomes of a message (DSN).
    pub reports: bool,
}

/// Why an address has not got a message.
#[derive(Clone, PartialEq, Debug)]
pub struct Undelivered {
    /// The system's number of the error, or one of Exim's own, which are negative.
    pub number: i32,
    /// The code of a command that failed, which hints keep beside that number.
    pub code: i32,
    /// What kind of error it is, for the rules for retries.
    pub error: RetryError,
    /// For those who read logs.
    pub message: Vec<u8>,
    /// For the sender, where that is another text.
    pub said: Option<Vec<u8>>,
    /// The file or directory that was to be written to, where the transport chose that.
    pub file: Option<Arc<Vec<u8>>>,
    /// The host that it is about.
    pub host: Option<Box<TakingHost>>,
    /// From where, at this end, that was reached, if it was.
    pub local: Option<Box<SocketAddr>>,
    /// The proxy that it was reached through, where it was (`socks_proxy`).
    pub proxy: Option<Box<SocketAddr>>,
    /// What that host said first.
    pub first_words: Option<Box<FirstWords>>,
    /// Whether a message had gone along the connection to it before.
    pub is_continued: bool,
    /// Whether the message is to be frozen.
    pub freezes: bool,
    /// Whether this is for the panic log, too: it is of no host's and no user's making.
    pub panics: bool,
    /// Whether it is tried again in each run of the queue, whatever the rules for retries say:
    /// nothing was tried.
    pub is_untried: bool,
}

impl Undelivered {
    /// One that no rule for retries names.
    pub fn new(number: i32, message: impl Into<Vec<u8>>) -> Self {
        Self {
            number,
            code: 0,
            error: RetryError::Any,
            message: message.into(),
            said: None,
            file: None,
            host: None,
            local: None,
            proxy: None,
            first_words: None,
            is_continued: false,
            freezes: false,
            panics: false,
            is_untried: false,
        }
    }

    /// The same, of what is for the panic log, too, and is tried again in each run of the
    /// queue: an option makes no sense.
    #[must_use]
    pub fn panicking(self) -> Self {
        Self { panics: true, is_untried: true, ..self }
    }

    /// What hints keep beside its number: the letter of where its host came from, and above
    /// it the last two digits of the reply to MAIL, RCPT or DATA; or the code of a command.
    pub fn detail(&self) -> i32 {
        let host = self.host.as_ref().map(|host| host.source());
        let source = self.error.source().map(HostSource::letter).or(host).map_or(0, i32::from);
        match self.error {
            _ if self.code != 0 => self.code,
            RetryError::Timeout { connecting: true, .. } => source + RetryError::CONNECTING,
            RetryError::Quota(age) => age.and_then(|age| i32::try_from(age).ok()).unwrap_or(0),
            _ if self.number > 0 => source,
            RetryError::Mail(code) | RetryError::Rcpt(code) | RetryError::Data(code) => {
                let ReplyCode { tens: Some(tens), ones: Some(ones) } = code else { return source };
                source + ((i32::from(tens) * 10 + i32::from(ones)) << 8)
            }
            _ => source,
        }
    }

    /// All that there is to say: what the system says, and with a colon behind it, the
    /// transport.
    pub fn worded(&self) -> Vec<u8> {
        let (said, message) = self.words();
        match said {
            Some(said) if message.is_empty() => said,
            Some(said) => [&said[..], b": ", message].concat(),
            None => message.to_vec(),
        }
    }

    /// What the system says of the error, where it is one of its own, and what else there is
    /// to say.
    pub fn words(&self) -> (Option<Vec<u8>>, &[u8]) {
        let message = self.message.as_slice();
        if self.number <= 0 {
            return (None, message);
        }
        let said = reason(&io::Error::from_raw_os_error(self.number)).into_bytes();
        match message.strip_prefix(&said[..]) {
            Some(b"") => (Some(said), b""),
            Some(_) => (None, message),
            None => (Some(said), message),
        }
    }

    /// The error in words, as hints keep it: of the system's, what they are called is enough;
    /// of others, the host stands first, where there was one.
    pub fn remembered(&self) -> Vec<u8> {
        match (&self.host, self.number) {
            (_, 1..) => reason(&io::Error::from_raw_os_error(self.number)).into_bytes(),
            (Some(host), _) => {
                let address = format!(" [{}]: ", host.address);
                [b"H=", &host.name[..], address.as_bytes(), &self.message].concat()
            }
            (None, _) if self.message.is_empty() => b"unknown error".to_vec(),
            (None, _) => self.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hints name the source of a host that did not answer, which no other place tells of.
    #[test]
    fn what_is_beside_a_number_tells_where_a_host_was_from() {
        let lost = |error| Undelivered { error, ..Undelivered::new(110, "") }.detail();
        for (source, letter) in [(HostSource::Mx, b'M'), (HostSource::A, b'A')] {
            let source = Some(source);
            let timeout = RetryError::Timeout { connecting: true, source };
            let (number, detail) = (110, i32::from(letter) + 256);
            assert_eq!(lost(timeout), detail);
            assert_eq!(RetryError::of_hint(number, detail), timeout);
            assert_eq!(lost(RetryError::Refused(source)), i32::from(letter));
        }
        assert_eq!(lost(RetryError::Any), 0);
    }
}
