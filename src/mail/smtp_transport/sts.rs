//! What a domain says of its hosts (MTA-STS, RFC 8461), as a connection to one opens.

use eximious_core::world::{TlsAuthorities, TlsDemand, TlsFacts};
use eximious_core::{DriverOpt, Str};
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::options::opt::transport::smtp;

use super::{NotOpen, Peer};
use crate::mail::mta_sts::{self, StsFound, StsMode};

impl Peer<'_> {
    /// The domain of the address that it is about.
    pub(super) fn domain(&self) -> Str {
        let text = self.about.bytes();
        let at = memchr::memrchr(b'@', text).map_or(text.len(), |at| at + 1);
        Str::tainted(text.get(at..).unwrap_or_default())
    }

    /// Whether a list of domains of the transport's has that one in it.
    pub(super) fn lists_domain(&mut self, option: DriverOpt<Str>) -> bool {
        let Some(transport) = self.transport else { return false };
        let Some(list) = transport.some_text(option) else { return false };
        let domain = self.domain();
        let mut matcher = Matcher::domain(&domain).called(option.name());
        let found =
            transport.on_behalf_of(self.cx, option.name(), |cx| cx.is_in(list, &mut matcher));
        matches!(found, Ok(ListOutcome::Matched(_)))
    }

    /// Finds what the domain says, where the DNS says nothing of the host's certificate; a
    /// host that it does not name is left alone.
    pub(super) fn look_up_policy(&mut self) -> Result<(), NotOpen> {
        self.tls.sts = StsFound::default();
        self.tls.failure = None;
        if self.tls.dane.is_some() || !self.lists_domain(smtp::MTA_STS_DOMAINS) {
            return Ok(());
        }
        let authorities = match self.tls_file(smtp::TLS_VERIFY_CERTIFICATES) {
            Ok(Some(path)) if path != b"system" && path != b"system,cache" => {
                TlsAuthorities::Path(path)
            }
            _ => TlsAuthorities::System,
        };
        let domain = self.domain();
        let found = mta_sts::find(self.cx, domain.bytes(), authorities);
        if let Some((trouble, why)) = &found.trouble {
            let (domain, name) = (domain.display(), trouble.name());
            let line = format!("MTA-STS: the policy of {domain} can't be had ({name}): {why}");
            self.cx.log().main(line.as_bytes());
        }
        let Some(policy) = &found.policy else {
            self.tls.sts = found;
            return Ok(());
        };
        let (named, mode) = (policy.has(&self.mx_name()), policy.mode);
        self.tls.sts = found;
        if named {
            return Ok(());
        }
        let why = format!("the policy of {} does not name the host", domain.display());
        if mode == StsMode::Enforce {
            self.tls.failure = Some(("validation-failure", why.clone()));
            let why = format!("MTA-STS error: {why}").into_bytes();
            return Err(NotOpen::Unvouched { permanent: false, why });
        }
        self.tell_policy_failure("validation-failure", &why);
        Ok(())
    }

    /// The host's name as an MX record has it.
    pub(super) fn mx_name(&self) -> String {
        let host = self.host;
        let name = Some(&host.certificate_name).filter(|name| !name.is_empty());
        name.unwrap_or(&host.name).trim_end_matches('.').to_owned()
    }

    fn mode(&self) -> Option<StsMode> {
        self.tls.sts.policy.as_ref().map(|policy| policy.mode)
    }

    /// Whether the domain says anything.
    pub(super) fn has_policy(&self) -> bool {
        self.mode().is_some()
    }

    /// Whether there is no connection but under TLS, as the domain wants it.
    pub(crate) fn follows_policy(&self) -> bool {
        self.mode() == Some(StsMode::Enforce)
    }

    /// Whether the host's certificate has to be good, beside what the options say.
    pub(super) fn demand_by_policy(&self, own: TlsDemand) -> TlsDemand {
        match (self.mode(), own) {
            (Some(StsMode::Enforce), _) => TlsDemand::Required,
            (Some(StsMode::Testing), TlsDemand::None) => TlsDemand::Asked,
            _ => own,
        }
    }

    /// Whether the certificate is to be for the host: also where it is only to be told
    /// whether that is so.
    pub(super) fn names_by_policy(&self, own: TlsDemand) -> bool {
        self.follows_policy() || self.has_policy() && own != TlsDemand::Required
    }

    /// Tells that a certificate is not what the domain would like.
    pub(super) fn look_at_verdict(&mut self, facts: &TlsFacts) {
        if !facts.is_verified {
            self.tell_policy_failure("validation-failure", "the certificate is not good");
        }
    }

    /// Tells of what would be wrong, where the policy is being tried.
    pub(super) fn tell_policy_failure(&mut self, result: &'static str, why: &str) {
        if self.mode() != Some(StsMode::Testing) || self.tls.failure.is_some() {
            return;
        }
        self.tls.failure = Some((result, why.to_owned()));
        let host = format!("{} [{}]", self.host.name, self.address);
        let line = format!("MTA-STS failed (testing): H={host}: {why}");
        self.cx.log().main(line.as_bytes());
    }
}
