//! What the options of TLS come to for a client: they are expanded for each connection.

use eximious::stdlib::lists::{ListOutcome, elements};
use eximious::world::{TlsAuthorities, TlsDemand, TlsFault, TlsServer};
use eximious::{FailClass, Opt, Str, opt, var};

use super::SmtpSession;
use super::options::Unopened;

/// Why there are no settings for TLS.
#[derive(Debug)]
pub(super) enum Unready {
    /// They make no sense.
    Fault(TlsFault),
    /// What is demanded of the client can't be looked up: what it would be spared may be what
    /// protects a site. Nothing goes on, with TLS or without it.
    Untold(&'static str),
}

impl From<TlsFault> for Unready {
    fn from(fault: TlsFault) -> Self {
        Self::Fault(fault)
    }
}

impl Unready {
    /// In the words of the log.
    pub(super) fn fault(self) -> TlsFault {
        match self {
            Self::Fault(fault) => fault,
            Self::Untold(option) => TlsFault::new(format!("list of {option} can't be told"), ""),
        }
    }
}

impl SmtpSession {
    /// Whether the client has to show a certificate.
    ///
    /// # Errors
    /// Nobody can tell.
    pub(super) fn tls_demand(&mut self) -> Result<TlsDemand, Unready> {
        if self.is_demanded(opt::TLS_VERIFY_HOSTS)? {
            return Ok(TlsDemand::Required);
        }
        Ok(match self.is_listed(opt::TLS_TRY_VERIFY_HOSTS)? {
            true => TlsDemand::Asked,
            false => TlsDemand::None,
        })
    }

    /// Whether a list has something demanded of the client; a list that makes no sense may be
    /// what protects a site.
    fn is_demanded(&mut self, option: Opt<Str>) -> Result<bool, Unready> {
        let found = self.look_for_client(option);
        match found.map_err(|Unopened| Unready::Untold(option.name()))? {
            Ok(outcome) => Ok(matches!(outcome, ListOutcome::Matched(_))),
            Err(fail) => {
                let what = format!("list of {} can't be told", option.name());
                Err(TlsFault::new(what, String::from_utf8_lossy(fail.message())).into())
            }
        }
    }

    /// Whether the client is in a list. A list that makes no sense has nobody in it.
    fn is_listed(&mut self, option: Opt<Str>) -> Result<bool, Unready> {
        self.is_client_listed(option).map_err(|Unopened| Unready::Untold(option.name()))
    }

    /// What all options come to.
    pub(super) fn tls_settings(&mut self) -> Result<TlsServer, Unready> {
        let [certificates, keys, proofs] = self.tls_identity()?;
        let resumes = self.is_listed(opt::TLS_RESUMPTION_HOSTS)?;
        let demand = self.tls_demand()?;
        let authorities = match demand {
            // It has to be right all the same.
            TlsDemand::None => self.tls_authorities().map(|_| TlsAuthorities::None)?,
            _ => self.tls_authorities()?,
        };
        // Where nobody is believed, nobody's word that something was revoked counts.
        let revoked = match authorities {
            TlsAuthorities::None => None,
            _ => self.tls_file(opt::TLS_CRL)?,
        };
        let text = |text: Option<Str>| text.map(|text| text.bytes().to_vec());
        // Where the names of protocols can't be told, none is asked for.
        let protocols = self.tls_text(opt::TLS_ALPN).ok().flatten().unwrap_or_default();
        let switches = self.text(opt::OPENSSL_OPTIONS).bytes().to_vec();
        let most_bits = self.number(opt::TLS_DH_MAX_BITS);
        let early = !self.text(opt::TLS_EARLY_BANNER_HOSTS).is_empty();
        let names_protocol = !self.text(opt::HOSTS_REQUIRE_ALPN).is_empty()
            && self.is_demanded(opt::HOSTS_REQUIRE_ALPN)?;
        Ok(TlsServer {
            // The name is of interest where a certificate is made for it.
            own_name: match certificates.is_empty() {
                true => self.connection.host.bytes().to_vec(),
                false => Vec::new(),
            },
            certificates,
            keys,
            demand,
            authorities,
            revoked,
            ciphers: text(self.tls_text(opt::TLS_REQUIRE_CIPHERS)?),
            curves: text(self.tls_text(opt::TLS_ECCURVE)?),
            prime: text(self.tls_text(opt::TLS_DHPARAM)?),
            most_bits: u32::try_from(most_bits).unwrap_or(u32::MAX),
            proofs,
            switches,
            ticket_secret: match resumes {
                true => self.tls_file(opt::TLS_TICKET_SECRET_FILE)?,
                false => None,
            },
            resumes,
            protocols: listed(protocols.bytes()),
            names_protocol,
            speaks_early: early
                && demand == TlsDemand::None
                && !names_protocol
                && !self.connection.banner_sent
                && self.is_listed(opt::TLS_EARLY_BANNER_HOSTS)?,
        })
    }

    /// The files of certificates, keys and proofs. What is a host's name and no more may be a
    /// part of theirs, though a client says it (specification 43.13).
    fn tls_identity(&mut self) -> Result<[Vec<Vec<u8>>; 3], TlsFault> {
        let name = self.cx.value_of(var::TLS_IN_SNI);
        let is_clean = is_host_name(name.bytes());
        if is_clean {
            self.cx.set_var(var::TLS_IN_SNI, Str::from(name.bytes()));
        }
        let found = self.identity_files();
        if is_clean {
            self.cx.set_var(var::TLS_IN_SNI, name);
        }
        found
    }

    fn identity_files(&mut self) -> Result<[Vec<Vec<u8>>; 3], TlsFault> {
        let certificates = self.tls_files(opt::TLS_CERTIFICATE)?;
        let keys = self.tls_files(opt::TLS_PRIVATEKEY)?;
        Ok([certificates, keys, self.tls_files(opt::TLS_OCSP_FILE)?])
    }

    fn tls_authorities(&mut self) -> Result<TlsAuthorities, TlsFault> {
        let Some(path) = self.tls_file(opt::TLS_VERIFY_CERTIFICATES)? else {
            return Ok(TlsAuthorities::None);
        };
        if path == b"system" || path == b"system,cache" {
            return Ok(TlsAuthorities::System);
        }
        if let Err(why) = self.cx.engine().world().files.stat(&path, true) {
            let why = eximious::stdlib::wording::reason(&why);
            let head = [b"could not stat '", &path[..], b"' (tls_verify_certificates): "].concat();
            self.log_panic(&[&head[..], why.as_bytes()].concat());
            return Err(TlsFault::new("tls_verify_certificates", why));
        }
        Ok(TlsAuthorities::Path(path))
    }

    /// A text, expanded; nothing where it is not set, is empty, or wants to be so.
    fn tls_text(&mut self, option: Opt<Str>) -> Result<Option<Str>, TlsFault> {
        let (text, name) = (self.text(option), option.name());
        if text.is_empty() {
            return Ok(None);
        }
        let engine = self.cx.engine().clone();
        match engine.expand_once(text.bytes(), &mut self.cx) {
            Ok(value) => Ok((!value.is_empty()).then_some(value)),
            Err(fail) if fail.class() == FailClass::Forced => Ok(None),
            Err(fail) => {
                let head = [b"expansion of ", name.as_bytes(), b" failed: "].concat();
                self.log_panic(&[&head[..], fail.message()].concat());
                Err(TlsFault::new("", "Internal error"))
            }
        }
    }

    /// The name of a file. What a client says, such as the name of a server, names none.
    fn tls_file(&mut self, option: Opt<Str>) -> Result<Option<Vec<u8>>, TlsFault> {
        let Some(path) = self.tls_text(option)? else { return Ok(None) };
        if path.taint().is_tainted() {
            self.log_panic(&eximious::stdlib::wording::tainted("filename", path.bytes()));
            return Err(TlsFault::new(option.name(), "Tainted filename"));
        }
        Ok(Some(path.bytes().to_vec()))
    }

    fn tls_files(&mut self, option: Opt<Str>) -> Result<Vec<Vec<u8>>, TlsFault> {
        Ok(self.tls_file(option)?.map(|list| listed(&list)).unwrap_or_default())
    }
}

/// Whether a name can be a host's: letters, digits, hyphens and underscores between dots.
fn is_host_name(name: &[u8]) -> bool {
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.split(|byte| *byte == b'.').all(|label| !label.is_empty() && label.iter().all(is_fit))
}

fn listed(list: &[u8]) -> Vec<Vec<u8>> {
    let all = elements(list).map(|one| one.trim_ascii().to_vec());
    all.filter(|one| !one.is_empty()).collect()
}
