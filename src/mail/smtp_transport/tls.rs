//! TLS with a host, by the options of an smtp transport (specification 43.7).

use std::net::IpAddr;

use eximious_core::world::{
    TlsAuthorities, TlsClient, TlsDemand, TlsFacts, TlsFault, TlsResumption,
};
use eximious_core::{DriverOpt, FailClass, Str, Var};
use eximious_stdlib::certificate;
use eximious_stdlib::idn;
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::{self, transport::smtp};
use eximious_stdlib::variables::var;
use eximious_stdlib::x509::Certificate;

use super::dane::DaneFailure;
use super::report::result_of;
use super::{NotOpen, Peer};
use crate::Context;
use crate::mail::event;
use crate::mail::smtp_client::SmtpClient;

/// What is logged of TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Secured {
    /// The version, the cipher and its bits: `$tls_out_cipher`.
    pub cipher: Vec<u8>,
    /// Whether the certificate of the other side is good.
    pub is_verified: bool,
    /// Whether that is so because the DNS vouches for it (DANE).
    pub by_dane: bool,
    /// The name in it.
    pub name: Vec<u8>,
    /// Whether the session was taken up again.
    pub resumed: bool,
    /// The name that a client asked for.
    pub server_name: Vec<u8>,
}

/// The variables of a connection under TLS.
pub(crate) const TLS_VARIABLES: [Var; 13] = [
    var::TLS_OUT_BITS,
    var::TLS_OUT_CERTIFICATE_VERIFIED,
    var::TLS_OUT_CIPHER,
    var::TLS_OUT_CIPHER_STD,
    var::TLS_OUT_DANE,
    var::TLS_OUT_OCSP,
    var::TLS_OUT_OURCERT,
    var::TLS_OUT_PEERCERT,
    var::TLS_OUT_PEERDN,
    var::TLS_OUT_RESUMPTION,
    var::TLS_OUT_SNI,
    var::TLS_OUT_TLSA_USAGE,
    var::TLS_OUT_VER,
];

/// Logs what broke off TLS with a host, where something did.
pub(crate) fn log_tls_fault(
    cx: &mut Context,
    client: &mut SmtpClient,
    name: &[u8],
    address: IpAddr,
) {
    if let Some(fault) = client.take_fault() {
        let text = format!(" [{address}] TLS error on connection {}", fault.shown());
        cx.log().main(&[b"H=", name, text.as_bytes()].concat());
    }
}

impl Peer<'_> {
    /// As [`log_tls_fault`].
    pub(super) fn log_fault(&mut self, client: &mut SmtpClient) {
        log_tls_fault(self.cx, client, self.host.name.as_bytes(), self.address);
    }

    /// What was known of a connection before.
    pub(super) fn forget_tls(&mut self) {
        TLS_VARIABLES.into_iter().for_each(|var| self.cx.unset_var(var));
    }

    /// Begins TLS.
    pub(super) fn begin_tls(&mut self, client: &mut SmtpClient) -> Result<Secured, NotOpen> {
        self.show_dane();
        let settings = self.tls_settings();
        let asked = settings.as_ref().is_ok_and(|settings| settings.proof != TlsDemand::None);
        self.cx.set_var(var::TLS_OUT_OCSP, if asked { "1" } else { "0" });
        if let Ok(TlsClient { server_name: Some(name), .. }) = &settings {
            self.cx.set_var(var::TLS_OUT_SNI, Str::tainted(&name[..]));
        }
        let begun = settings.and_then(|settings| {
            let tls = self.cx.engine().world().tls.connect(&settings)?;
            Ok((client.begin_tls(tls)?, settings))
        });
        let shown = match &begun {
            // Who is taken up again was looked at then.
            Ok((facts, _)) if facts.resumption.contains(TlsResumption::USED) => &[][..],
            Ok((facts, _)) => &facts.chain,
            Err(NotOpen::Unsecured(fault)) => &fault.chain,
            Err(_) => &[],
        };
        let refused = self.tell_of_certificates(shown);
        match begun {
            Ok(_) if refused => {
                let place = "certificate verification failed";
                Err(self.unsecured(client, TlsFault::new(place, "refused by event_action")))
            }
            Ok((facts, _)) if !facts.by_dane && self.has_dane_records() => {
                let place = "certificate verification failed";
                Err(self.unsecured(client, TlsFault::new(place, "no TLSA record matches")))
            }
            Ok((facts, _)) => {
                self.look_at_verdict(&facts);
                Ok(self.note_tls(&facts))
            }
            Err(NotOpen::Unsecured(fault)) => Err(self.unsecured(client, *fault)),
            Err(why) => {
                self.close(client);
                Err(why)
            }
        }
    }

    fn has_dane_records(&self) -> bool {
        self.tls.dane.as_ref().is_some_and(|dane| !dane.records.is_empty())
    }

    /// Gives up a connection whose TLS is of no use.
    pub(super) fn unsecured(&mut self, client: &mut SmtpClient, fault: TlsFault) -> NotOpen {
        self.log_fault(client);
        self.cx.set_var(var::TLS_OUT_OCSP, fault.proof.to_string());
        let by_dane = self.tls.dane.is_some();
        let required = by_dane || self.follows_policy();
        if required {
            let by = if by_dane { "DANE" } else { "MTA-STS" };
            let host = format!("{} [{}]", self.host.name, self.address);
            let line = format!("{by} attempt failed; TLS connection to {host}: {}", fault.shown());
            self.cx.log().main(line.as_bytes());
        }
        if by_dane {
            self.tell_dane_failure(DaneFailure::Validation);
        }
        self.tls.failure = Some((result_of(&fault), fault.shown()));
        self.close(client);
        match required {
            true => NotOpen::Mismatched(Box::new(fault)),
            false => NotOpen::Unsecured(Box::new(fault)),
        }
    }

    /// What the transport's options come to. Where it can't be told what they demand, it is
    /// not known either what the host may get in clear text.
    fn tls_settings(&mut self) -> Result<TlsClient, NotOpen> {
        let bytes = |text: Option<Str>| text.map(|text| text.bytes().to_vec());
        let dane = self.tls.dane.clone().filter(|dane| !dane.records.is_empty());
        let is_vouched = dane.is_some();
        let certificate = self.tls_file(smtp::TLS_CERTIFICATE)?;
        let key = self.tls_file(smtp::TLS_PRIVATEKEY)?;
        let proof = self.proof_demand().map_err(NotOpen::untold)?;
        let own_demand = self.tls_demand().map_err(NotOpen::untold)?;
        let demand =
            if is_vouched { TlsDemand::Required } else { self.demand_by_policy(own_demand) };
        let authorities = self.tls_authorities(is_vouched)?;
        let name = match is_vouched || demand == TlsDemand::None {
            true => None,
            false => self.certified_name(own_demand).map_err(NotOpen::untold)?,
        };
        // What the DNS says has to be looked at anew each time.
        let resumes = self.listed(smtp::TLS_RESUMPTION_HOSTS) && !is_vouched;
        let dane_ciphers = match is_vouched {
            true => self.tls_text(smtp::DANE_REQUIRE_TLS_CIPHERS)?,
            false => None,
        };
        let ciphers = match dane_ciphers {
            Some(ciphers) => Some(ciphers),
            None => self.tls_text(smtp::TLS_REQUIRE_CIPHERS)?,
        };
        let switches = self.cx.engine().settings().text(opt::OPENSSL_OPTIONS);
        let protocols = self.tls_text(smtp::TLS_ALPN)?.unwrap_or_default();
        let protocols: Vec<Vec<u8>> = elements(protocols.bytes())
            .map(|one| one.trim_ascii().to_vec())
            .filter(|one| !one.is_empty())
            .collect();
        // Where nothing is said of those that are offered, Exim wants none either.
        let offers = self.transport.is_some_and(|one| one.text(smtp::TLS_ALPN).is_some());
        let names_protocol =
            offers && self.demanded(smtp::HOSTS_REQUIRE_ALPN).map_err(NotOpen::untold)?;
        let mut settings = TlsClient {
            certificate,
            key,
            demand,
            authorities,
            name: name.map(String::into_bytes),
            revoked: if is_vouched { None } else { self.tls_file(smtp::TLS_CRL)? },
            ciphers: bytes(ciphers),
            curves: bytes(self.tls_text(smtp::TLS_ECCURVE)?),
            switches: bytes(switches).unwrap_or_default(),
            // Records of no use have the host named all the same.
            server_name: match &self.tls.dane {
                Some(dane) => Some(dane.base.clone()),
                None => self
                    .asked_name()?
                    .or_else(|| self.has_policy().then(|| self.mx_name().into_bytes())),
            },
            dane,
            proof,
            resumes,
            session: None,
            least_dh_bits: self
                .transport
                .map_or(0, |one| u32::try_from(one.get(smtp::TLS_DH_MIN_BITS)).unwrap_or(0)),
            protocols,
            names_protocol,
        };
        self.find_session(&mut settings);
        Ok(settings)
    }

    /// From whom the host's certificate has to come, where the DNS does not vouch for it.
    fn tls_authorities(&mut self, is_vouched: bool) -> Result<TlsAuthorities, NotOpen> {
        let option = smtp::TLS_VERIFY_CERTIFICATES;
        let path = match self.tls_file(option)? {
            _ if is_vouched => return Ok(TlsAuthorities::None),
            Some(path) if path == b"system" || path == b"system,cache" => {
                return Ok(TlsAuthorities::System);
            }
            Some(path) => path,
            None if self.has_policy() => return Ok(TlsAuthorities::System),
            None => return Ok(TlsAuthorities::None),
        };
        if let Err(why) = self.cx.engine().world().files.stat(&path, true) {
            let why = eximious_stdlib::wording::reason(&why);
            let tail = format!("' ({}): {why}", option.name());
            (self.log)(&[b"could not stat '", &path[..], tail.as_bytes()].concat());
            return Err(TlsFault::new(option.name(), why).into());
        }
        Ok(TlsAuthorities::Path(path))
    }

    /// For which name the host's certificate has to be, if for one. Where it can't be told, why.
    fn certified_name(&mut self, own: TlsDemand) -> Result<Option<String>, Vec<u8>> {
        if self.names_by_policy(own) {
            return Ok(Some(self.mx_name()));
        }
        let named = self.demanded(smtp::TLS_VERIFY_CERT_HOSTNAMES)?;
        Ok(named.then(|| self.host.name.clone()))
    }

    /// Whether the host's certificate has to be good. Where neither list is set, it has.
    /// Where it can't be told, why.
    fn tls_demand(&mut self) -> Result<TlsDemand, Vec<u8>> {
        if self.demanded(smtp::TLS_VERIFY_HOSTS)? {
            return Ok(TlsDemand::Required);
        }
        let said = |option| self.transport.and_then(|transport| transport.text(option));
        // An empty list of those who may go without a good one is none, as in Exim.
        let tries = said(smtp::TLS_TRY_VERIFY_HOSTS).is_some_and(|list| !list.is_empty());
        if said(smtp::TLS_VERIFY_HOSTS).is_none() && !tries {
            let believed = said(smtp::TLS_VERIFY_CERTIFICATES);
            return Ok(match believed.is_some_and(|text| !text.is_empty()) {
                true => TlsDemand::Required,
                false => TlsDemand::None,
            });
        }
        Ok(match self.listed(smtp::TLS_TRY_VERIFY_HOSTS) {
            true => TlsDemand::Asked,
            false => TlsDemand::None,
        })
    }

    fn tls_text(&mut self, option: DriverOpt<Str>) -> Result<Option<Str>, TlsFault> {
        let text = self.transport.and_then(|transport| transport.expand_some(self.cx, option));
        let Some(text) = text else { return Ok(None) };
        match text {
            Ok(value) => Ok((!value.is_empty()).then_some(value)),
            Err(fail) if fail.class() == FailClass::Forced => Ok(None),
            Err(fail) => {
                // Exim calls this one as it calls its value.
                let name = match option.name() {
                    "tls_sni" => "tls_out_sni",
                    name => name,
                };
                let head = format!("expansion of {name} failed: ");
                (self.log)(&[head.as_bytes(), fail.message()].concat());
                Err(TlsFault::new("", "Internal error"))
            }
        }
    }

    /// The name of a file. What comes from outside names none, and as it can't be told then
    /// what is demanded, nothing goes to the host in clear text either.
    pub(super) fn tls_file(&mut self, option: DriverOpt<Str>) -> Result<Option<Vec<u8>>, NotOpen> {
        let Some(path) = self.tls_text(option)? else { return Ok(None) };
        if path.taint().is_tainted() {
            (self.log)(&eximious_stdlib::wording::tainted("filename", path.bytes()));
            let why = format!("{} can't be told: Tainted filename", option.name());
            return Err(NotOpen::untold(why.into_bytes()));
        }
        Ok(Some(path.bytes().to_vec()))
    }

    /// The name that the host is asked for (`tls_sni`), in ASCII; none where it has no such
    /// form.
    fn asked_name(&mut self) -> Result<Option<Vec<u8>>, TlsFault> {
        let name = self.tls_text(smtp::TLS_SNI)?;
        Ok(name.and_then(|name| match name.bytes().is_ascii() {
            true => Some(name.bytes().to_vec()),
            false => idn::domain_to_alabel(name.bytes()).ok(),
        }))
    }

    /// Raises an event for each certificate that the host showed; whether one of them is
    /// refused. Its own stays known, whatever comes of TLS.
    fn tell_of_certificates(&mut self, chain: &[Vec<u8>]) -> bool {
        let mut refused = false;
        for (depth, shown) in chain.iter().enumerate().rev() {
            self.cx.set_var(var::TLS_OUT_PEERCERT, Str::tainted(&shown[..]));
            if let Some(why) = self.event("tls:cert", depth.to_string().as_bytes()) {
                self.cx.log().main(&event::denial(depth, &why));
                refused = true;
            }
        }
        refused
    }

    fn note_tls(&mut self, facts: &TlsFacts) -> Secured {
        let cx = &mut *self.cx;
        let cipher = format!("{}:{}:{}", facts.version, facts.cipher, facts.bits);
        cx.set_var(var::TLS_OUT_CIPHER, cipher.clone());
        cx.set_var(var::TLS_OUT_CIPHER_STD, facts.standard_cipher.clone());
        cx.set_var(var::TLS_OUT_VER, facts.version.clone());
        cx.set_var(var::TLS_OUT_BITS, facts.bits.to_string());
        cx.set_var(var::TLS_OUT_RESUMPTION, facts.resumption.bits().to_string());
        cx.set_var(var::TLS_OUT_OURCERT, Str::from(&facts.own_certificate[..]));
        cx.set_var(var::TLS_OUT_OCSP, facts.proof.to_string());
        cx.set_var(var::TLS_OUT_DANE, if facts.by_dane { "yes" } else { "no" });
        let verified = if facts.is_verified { "1" } else { "0" };
        cx.set_var(var::TLS_OUT_CERTIFICATE_VERIFIED, verified);
        let mut subject = Vec::new();
        if let Some(shown) = facts.chain.first() {
            let der = certificate::der(shown);
            let name = der.as_deref().and_then(Certificate::read).map(|read| read.subject());
            subject = name.unwrap_or_default().into_bytes();
            cx.set_var(var::TLS_OUT_PEERCERT, Str::tainted(&shown[..]));
            cx.set_var(var::TLS_OUT_PEERDN, Str::tainted(&subject[..]));
        }
        Secured {
            cipher: cipher.into_bytes(),
            is_verified: facts.is_verified,
            by_dane: facts.by_dane,
            name: subject,
            resumed: facts.resumption.contains(TlsResumption::USED),
            // What is asked for is known; logs have what clients ask for.
            server_name: Vec::new(),
        }
    }
}
