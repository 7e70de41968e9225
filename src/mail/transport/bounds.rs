//! How much of a message's mail goes in one delivery to other hosts (specification 30.4,
//! `max_rcpt`, `multi_domain`), and how many run at the same time (24, `max_parallel`).

use eximious_core::{DriverOpt, Expanded, FailClass};
use eximious_stdlib::number::comparand;
use eximious_stdlib::options::opt::transport::{self as opt, smtp};
use eximious_stdlib::options::yes_or_no;
use eximious_stdlib::printing::printing;

use super::local::UNKNOWN;
use super::smtp::most_recipients;
use super::{Transport, Undelivered};
use crate::Context;
use crate::mail::route::{Routes, Text};

/// What one delivery may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransportBounds {
    /// How many addresses. One that takes more in turn, along one connection, says nothing
    /// here.
    pub recipients: usize,
    /// Whether they may be of several domains.
    pub several_domains: bool,
}

impl Default for TransportBounds {
    fn default() -> Self {
        Self { recipients: usize::MAX, several_domains: true }
    }
}

impl Routes {
    /// How many deliveries by a transport, by its number, may run at the same time; nothing
    /// where any number may.
    ///
    /// # Errors
    /// `max_parallel` makes no sense: why.
    pub fn most_at_once(&self, cx: &mut Context, number: usize) -> Result<Option<usize>, Vec<u8>> {
        let transport = self.transport_at(number);
        let Some(text) = transport.expand(cx, opt::MAX_PARALLEL) else { return Ok(None) };
        let text = text.map_err(|fail| fail.message().to_vec())?;
        let told =
            |what: &str| [what.as_bytes(), b" expected but \"", text.bytes(), b"\" found"].concat();
        if text.is_empty() {
            return Err(told("integer"));
        }
        let most = comparand(text.bytes()).map_err(|fail| fail.message().to_vec())?;
        if most < 0 {
            return Err(told("non-negative integer"));
        }
        Ok(usize::try_from(most).ok().filter(|most| *most > 0))
    }

    /// What one delivery by a transport, by its number, may take.
    ///
    /// # Errors
    /// Whether it may be of several domains can't be expanded.
    pub fn bounds(&self, cx: &mut Context, number: usize) -> Result<TransportBounds, Undelivered> {
        let transport = self.transport_at(number);
        // What has to be expanded is asked for each host.
        let is_constant =
            transport.some_text(smtp::MAX_RCPT).is_some_and(|text| !text.bytes().contains(&b'$'));
        let recipients = is_constant.then(|| most_recipients(cx, transport));
        let recipients = recipients.flatten().unwrap_or(usize::MAX);
        let several_domains = transport.some_text(smtp::MTA_STS_DOMAINS).is_none()
            && is_on(cx, transport, smtp::MULTI_DOMAIN)?;
        Ok(TransportBounds { recipients: recipients.max(1), several_domains })
    }

    /// Whether failures of hosts, by a transport by its number, are kept for each of their
    /// addresses (`retry_include_ip_address`).
    ///
    /// # Errors
    /// The option can't be expanded.
    pub fn retries_by_address(&self, cx: &mut Context, number: usize) -> Result<bool, Undelivered> {
        let is_on = is_on(cx, self.transport_at(number), smtp::RETRY_INCLUDE_IP_ADDRESS);
        is_on.map_err(|why| Undelivered { panics: false, ..why })
    }

    /// Whether failures of recipients, by a transport by its number, are kept for each of
    /// their senders (`address_retry_include_sender`).
    pub fn retries_by_sender(&self, number: usize) -> bool {
        self.transport_at(number).on(smtp::ADDRESS_RETRY_INCLUDE_SENDER)
    }

    /// Whether events hear why a transport could not deliver: somebody says so to it.
    pub fn transport_is_answered(&self, number: usize) -> bool {
        self.transport_at(number).is_answered()
    }

    /// Whether the main log is told nothing of what becomes of an address by a transport, by
    /// its number (`disable_logging`).
    pub fn transport_is_silent(&self, number: usize) -> bool {
        self.transport_at(number).on(opt::DISABLE_LOGGING)
    }
}

/// Whether a switch is on that may have to be expanded.
pub(crate) fn is_on(
    cx: &mut Context,
    transport: &Transport,
    option: DriverOpt<Expanded<bool>>,
) -> Result<bool, Undelivered> {
    let text = match transport.get(option) {
        Expanded::Value(value) => return Ok(value),
        Expanded::Text(text) => text,
    };
    match Text::new(text).expand(cx) {
        Ok(text) => yes_or_no(text.bytes()).ok_or_else(|| {
            let option =
                format!("\" is not a valid value for the \"{}\" option in the ", option.name());
            let name = transport.name.bytes();
            let parts =
                [b"\"", &printing(text.bytes(), false)[..], option.as_bytes(), name, b" transport"];
            Undelivered::new(UNKNOWN, parts.concat()).panicking()
        }),
        Err(fail) if fail.class() == FailClass::Forced => {
            // It is as if the option was not set.
            Ok(matches!(option.default(), Expanded::Value(true)))
        }
        Err(fail) => {
            let head = format!("failed to expand \"{}\" in ", option.name());
            let parts = [head.as_bytes(), transport.name.bytes(), b" transport: ", fail.message()];
            Err(Undelivered::new(UNKNOWN, parts.concat()).panicking())
        }
    }
}
