//! What the DNS says of a host's certificate (RFC 7672; specification 43.12).

use eximious_core::world::{TlsDane, TlsDemand, TlsaRecord};
use eximious_core::{Effects, Meta, TaintRule};
use eximious_stdlib::dns::{self, DnsFound, How, kind};
use eximious_stdlib::options::opt::transport::smtp;
use eximious_stdlib::variables::var;

use super::{NotOpen, Peer, telling};

static TLSA: Meta = Meta::new("smtp transport", Effects::DNS, TaintRule::Tainted);

/// What failed, as RFC 8460, section 4.3, names it: what the event `dane:fail` has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DaneFailure {
    /// Records are required, and there are none that are signed.
    Required,
    /// It can't be said whether there are any.
    Dnssec,
    /// The host has no TLS.
    NoTls,
    /// What it showed is not what the records say.
    Validation,
}

impl DaneFailure {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Required => "dane-required",
            Self::Dnssec => "dnssec-invalid",
            Self::NoTls => "starttls-not-supported",
            Self::Validation => "validation-failure",
        }
    }
}

impl Peer<'_> {
    /// Asks for what the DNS says of the host, where the options want that and its address
    /// is signed. From there on TLS is required.
    pub(super) fn look_up_dane(&mut self) -> Result<(), NotOpen> {
        self.tls.dane = None;
        self.cx.unset_var(var::TLS_OUT_TLSA_USAGE);
        self.show_early_port();
        let required = self.demanded(smtp::HOSTS_REQUIRE_DANE).map_err(NotOpen::untold)?;
        if !self.cx.engine().world().tls.is_there() {
            return match required {
                true => Err(self.undone(true, DaneFailure::Required, "TLS is not in this build")),
                false => Ok(()),
            };
        }
        if self.host.dnssec != Some(true) {
            if !required {
                return Ok(());
            }
            let why = format!("{} lookup not DNSSEC", self.host.name);
            return Err(self.undone(true, DaneFailure::Required, &why));
        }
        // Where there are records, trying is a demand, too.
        if !required && !self.demanded(smtp::HOSTS_TRY_DANE).map_err(NotOpen::untold)? {
            return Ok(());
        }
        let name = format!("_{}._tcp.{}", self.tls.port, self.host.name);
        let how = How { dnssec: true, ..How::default() };
        let asked = telling(self.cx, self.transport, |cx| {
            cx.call(&TLSA, |call| dns::query(call, name.as_bytes(), kind::TLSA, &how))
        });
        let failure = if required { DaneFailure::Required } else { DaneFailure::Dnssec };
        match asked {
            Ok(reply) => match &reply.found {
                DnsFound::Records { records, .. } if reply.secure => {
                    let records = records.iter().filter_map(dns::tlsa).map(|(numbers, data)| {
                        let [usage, selector, matching] = numbers;
                        TlsaRecord { usage, selector, matching, data: data.to_vec() }
                    });
                    self.note_dane(records.filter(TlsaRecord::is_usable).collect());
                    Ok(())
                }
                DnsFound::Later | DnsFound::Broken => {
                    Err(self.undone(false, failure, "tlsa lookup DEFER"))
                }
                _ if required => Err(self.undone(true, failure, "tlsa lookup FAIL")),
                _ => Ok(()),
            },
            Err(_) => Err(self.undone(false, failure, "tlsa lookup DEFER")),
        }
    }

    /// Who was not connected to yet has the port that a router gave it, or none.
    fn show_early_port(&mut self) {
        let shown = self.cx.value_of(var::HOST_PORT);
        if shown.is_empty() || shown.bytes() == b"0" {
            let port = self.host.port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
            self.cx.set_var(var::HOST_PORT, port);
        }
    }

    fn note_dane(&mut self, records: Vec<TlsaRecord>) {
        let base = self.host.name.clone().into_bytes();
        self.tls.dane = Some(TlsDane { base, names: Vec::new(), records });
    }

    /// Shows which usages the records have.
    pub(super) fn show_dane(&mut self) {
        let records = self.tls.dane.iter().flat_map(|dane| &dane.records);
        let bits = records.fold(0_u32, |bits, record| bits | 1 << record.usage);
        self.cx.set_var(var::TLS_OUT_TLSA_USAGE, bits.to_string());
    }

    fn undone(&mut self, permanent: bool, failure: DaneFailure, why: &str) -> NotOpen {
        self.tell_dane_failure(failure);
        self.cx.set_var(var::HOST_PORT, self.tls.port.to_string());
        NotOpen::Unvouched { permanent, why: format!("DANE error: {why}").into_bytes() }
    }

    /// Raises `dane:fail`.
    pub(super) fn tell_dane_failure(&mut self, failure: DaneFailure) {
        self.tls.failure = Some((failure.name(), String::new()));
        self.event("dane:fail", failure.name().as_bytes());
    }

    /// Whether the host is to prove that its certificate is valid. One that the DNS vouches
    /// for by itself has nobody to prove it, and is not asked as a rule.
    /// Where it can't be told whether it has to, why.
    pub(super) fn proof_demand(&mut self) -> Result<TlsDemand, Vec<u8>> {
        if self.demanded(smtp::HOSTS_REQUIRE_OCSP)? {
            return Ok(TlsDemand::Required);
        }
        let option = smtp::HOSTS_REQUEST_OCSP;
        let is_usual =
            self.transport.and_then(|one| one.text(option)).is_none_or(|t| t.bytes() == b"*");
        let of_server = |dane: &TlsDane| dane.records.iter().any(|record| record.usage != 2);
        let is_own = self.tls.dane.as_ref().is_some_and(of_server);
        let wanted = !(is_usual && is_own) && self.listed(option);
        Ok(if wanted { TlsDemand::Asked } else { TlsDemand::None })
    }
}
