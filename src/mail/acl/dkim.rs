//! DKIM in ACLs (specification 44.2.5, 58.1.2): signatures are verified when a message
//! has come, then the ACL runs for each signer.

mod told;
mod words;

use std::sync::Arc;

use eximious_core::{AclPhases, Effects, Fail, Message, Meta, Str, TaintRule};
use eximious_mailauth::canon::{BodyHash, BodyHasher, BodyHashes};
use eximious_mailauth::crypto::{Hash, KeyType};
use eximious_mailauth::dkim::{DkimPolicy, DkimStatus, DkimVerifier, TooMany};
use eximious_stdlib::dkim::{DkimFindings, DkimFound};
use eximious_stdlib::dns::{AuthDns, forget_foreseen};
use eximious_stdlib::keyed;
use eximious_stdlib::lists::elements;
use eximious_stdlib::number::{Leading, leading_integer};
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::{AclHost, AclResult, AclState, AclVerdict, Acls, Logs};
use crate::Context;

pub(super) use words::{DKIM_SIGNERS, DKIM_STATUS};

static META: Meta = Meta::new("dkim", Effects::DNS.union(Effects::CLOCK), TaintRule::Tainted);

/// The header of a message as it came, for those who verify what it says. It is kept
/// where there is something to verify.
#[derive(Debug, Default)]
pub struct DkimArrival {
    header: Arc<[Vec<u8>]>,
    /// Whether the ACL at hand has set the status or the reason.
    was_set: bool,
}

impl DkimArrival {
    /// Keeps the header of a message that has come, before anything in it is changed.
    pub fn note(cx: &mut Context, message: &Message) {
        let is_signed = message.headers.iter().any(|field| {
            let name = field.name.trim_ascii_end();
            let is_of_arc = name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"arc-"));
            is_of_arc || name.eq_ignore_ascii_case(b"dkim-signature")
        });
        if is_signed {
            let header = message.headers.iter().map(|field| field.line.clone()).collect();
            *cx.memory::<Self>() = Self { header, was_set: false };
        }
    }
}

impl DkimArrival {
    /// The header as it came.
    pub(super) fn header(cx: &mut Context) -> Arc<[Vec<u8>]> {
        cx.memory::<Self>().header.clone()
    }
}

/// Keeps in mind that an ACL has set a variable: what it says of a signature counts in
/// place of what was found.
pub(super) fn note_set(cx: &mut Context, variable: &[u8]) {
    if matches!(variable, b"dkim_verify_status" | b"dkim_verify_reason") {
        cx.memory::<DkimArrival>().was_set = true;
    }
}

/// Forgets what is about the message: another one may follow.
pub(super) fn end_message(cx: &mut Context) {
    *cx.memory::<DkimArrival>() = DkimArrival::default();
    *cx.memory::<DkimFindings>() = DkimFindings::default();
    cx.call(&META, forget_foreseen);
    told::forget(cx);
}

impl Acls {
    /// Verifies the signatures of the message at hand, and runs the ACL for them, if one
    /// is set; nothing comes of it where the message may go on.
    pub fn check_dkim(
        &self,
        cx: &mut Context,
        host: &mut dyn AclHost,
        state: &mut AclState,
    ) -> Option<AclResult> {
        if state.has("dkim_disable_verify") {
            return None;
        }
        match self.find(cx, host, state) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(why) => return Some(failed(why)),
        }
        let engine = cx.engine().clone();
        let acl = engine.settings().acl(opt::ACL_SMTP_DKIM);
        // Without an ACL there is nothing to be done for a signer but for its signatures.
        let signers = acl.is_some().then(|| engine.expand_option(opt::DKIM_VERIFY_SIGNERS, cx));
        let signers = match signers.transpose() {
            Ok(signers) => signers.unwrap_or_default(),
            Err(fail) => {
                let head = b"expansion of dkim_verify_signers option failed: ";
                host.log_to(Logs::PANIC, &[head, fail.message()].concat());
                return None;
            }
        };
        let mut run = Signers { acls: self, cx, host, state, acl, statuses: Vec::new() };
        let mut done: Vec<Vec<u8>> = Vec::new();
        for signer in elements(signers.bytes()) {
            if signer.is_empty() || done.iter().any(|one| one[..] == signer[..]) {
                continue;
            }
            done.push(signer.to_vec());
            if let Some(result) = run.signer(&signer) {
                return Some(result);
            }
        }
        // Signers that come to nothing are none, whose signatures nobody asks about.
        let is_unset = run.cx.engine().settings().get(opt::DKIM_VERIFY_SIGNERS).is_empty();
        if run.acl.is_none() || is_unset {
            let count = run.cx.memory::<DkimFindings>().found.len();
            (0..count).for_each(|number| run.log(number));
        } else {
            let statuses = Str::tainted(run.statuses.join(&b':'));
            run.cx.set_var(var::DKIM_VERIFY_STATUS, statuses);
        }
        None
    }
}

impl Acls {
    /// Finds out what there is to know of the signatures. Whether the ACL may run.
    fn find(
        &self,
        cx: &mut Context,
        host: &mut dyn AclHost,
        state: &AclState,
    ) -> Result<bool, Vec<u8>> {
        let header = DkimArrival::header(cx);
        let fields: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
        let Ok(verifier) = DkimVerifier::new(&fields, policy(cx)) else {
            let TooMany = TooMany;
            cx.engine().world().log.main(b"DKIM: validation error: EXCESS_SIGS");
            let head = b"DKIM: Error during validation, disabling signature verification: ";
            host.log(&[&head[..], b"EXCESS_SIGS"].concat());
            return Ok(false);
        };
        let bodies =
            hash_body(cx, verifier.bodies()).map_err(|why| [b"DKIM: ", &why[..]].concat())?;
        host.flush();
        self.foresee(cx, state, &verifier, &fields, &bodies);
        let found = cx.call(&META, |call| -> Result<_, Fail> {
            let mut dns = AuthDns::new(call);
            let found = verifier.verify(&fields, &bodies, &mut dns);
            dns.finish()?;
            Ok(found)
        });
        let found = found.map_err(|fail| fail.message().to_vec())?;
        told::log_faults(host, &found);
        let mut signers: Vec<u8> = Vec::new();
        for result in &found {
            let identity = result.signature.identity.as_ref();
            for name in std::iter::once(&result.signature.domain).chain(identity) {
                if name.is_empty() {
                    continue;
                }
                if !signers.is_empty() {
                    signers.push(b':');
                }
                // A colon in a name is none between names.
                for byte in name {
                    signers.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b':')));
                }
            }
        }
        cx.set_var(var::DKIM_SIGNERS, Str::tainted(signers));
        let found = found.into_iter().map(|result| DkimFound { result, overridden: false });
        cx.memory::<DkimFindings>().found = found.collect();
        Ok(true)
    }
}

/// Hashes of the body of the message at hand. An error is for the log.
pub(super) fn hash_body(
    cx: &Context,
    wanted: impl Iterator<Item = BodyHash>,
) -> Result<BodyHashes, Vec<u8>> {
    let mut wanted = wanted.peekable();
    let is_wanted = wanted.peek().is_some();
    let mut bodies = BodyHasher::new(wanted);
    let Some(message) = cx.message().filter(|_| is_wanted) else { return Ok(bodies.finish()) };
    let unreadable = |why| {
        let why = wording::reason(&why);
        [b"cannot read the body: ", why.as_bytes()].concat()
    };
    message.body.in_pieces(unreadable, |piece| {
        bodies.push(piece);
        Ok(())
    })?;
    Ok(bodies.finish())
}

/// Which signatures count, by the options.
fn policy(cx: &Context) -> DkimPolicy {
    let settings = cx.engine().settings();
    let (hashes, types) =
        (settings.get(opt::DKIM_VERIFY_HASHES), settings.get(opt::DKIM_VERIFY_KEYTYPES));
    let sizes = settings.get(opt::DKIM_VERIFY_MIN_KEYSIZES);
    let least = |name: &[u8]| {
        let size = keyed::find(sizes.bytes(), name).unwrap_or_default();
        match leading_integer(&size) {
            // As in Exim, no key is as long as a negative number.
            Leading::Number(size, _) => usize::try_from(size).unwrap_or(usize::MAX),
            Leading::Overflow => usize::MAX,
            Leading::None => 0,
        }
    };
    DkimPolicy {
        hashes: elements(hashes.bytes()).filter_map(|name| Hash::named(&name)).collect(),
        key_types: elements(types.bytes()).filter_map(|name| KeyType::named(&name)).collect(),
        least_rsa_bits: least(b"rsa"),
        least_ed25519_bits: least(b"ed25519"),
        minimal: settings.get(opt::DKIM_VERIFY_MINIMAL),
        ..DkimPolicy::default()
    }
}

/// What comes of it that nothing can be found out now.
fn failed(why: Vec<u8>) -> AclResult {
    AclResult {
        verdict: AclVerdict::Error,
        user_message: None,
        log_message: Some(Str::from(why)),
        reject_logs: Logs::REJECTIONS,
    }
}

/// The runs of the ACL for a message.
struct Signers<'r> {
    acls: &'r Acls,
    cx: &'r mut Context,
    host: &'r mut dyn AclHost,
    state: &'r mut AclState,
    acl: Option<Str>,
    /// What came of each run.
    statuses: Vec<Vec<u8>>,
}

impl Signers<'_> {
    /// The runs for a signer: one for each signature, or one without. What ends them.
    fn signer(&mut self, signer: &[u8]) -> Option<AclResult> {
        let by_identity = signer.contains(&b'@');
        let found = &self.cx.memory::<DkimFindings>().found;
        let matching: Vec<usize> = found
            .iter()
            .enumerate()
            .filter(|(_, found)| {
                let signature = &found.result.signature;
                match by_identity {
                    true => {
                        signature.identity.as_ref().is_some_and(|i| i.eq_ignore_ascii_case(signer))
                    }
                    false => signature.domain.eq_ignore_ascii_case(signer),
                }
            })
            .map(|(number, _)| number)
            .collect();
        if matching.is_empty() {
            return self.run(signer, None);
        }
        matching.into_iter().find_map(|number| self.run(signer, Some(number)))
    }

    fn run(&mut self, signer: &[u8], number: Option<usize>) -> Option<AclResult> {
        let acl = self.acl.clone()?;
        told::show(self.cx, signer, number);
        self.cx.memory::<DkimArrival>().was_set = false;
        let result = self.acls.check(self.cx, self.host, self.state, AclPhases::DKIM, &acl);
        let status = self.cx.value_of(var::DKIM_VERIFY_STATUS);
        self.statuses.push(status.bytes().to_vec());
        if let Some(number) = number {
            if self.cx.memory::<DkimArrival>().was_set {
                self.cx.memory::<DkimFindings>().found[number].overridden = true;
            }
            self.log(number);
        }
        Some(result).filter(|result| result.verdict != AclVerdict::Accept)
    }

    /// Notes what came of a signature: for the log line of the message, and for one of
    /// its own, if that is wanted.
    fn log(&mut self, number: usize) {
        let ran = !self.statuses.is_empty();
        let status = self.cx.value_of(var::DKIM_VERIFY_STATUS);
        let DkimFindings { found, logged } = self.cx.memory::<DkimFindings>();
        let one = &found[number];
        let passes = match ran {
            true => status.bytes() == b"pass",
            false => one.result.status == DkimStatus::Pass,
        };
        if passes {
            logged.clone_from(&one.result.signature.domain);
        }
        let line = told::verbose(self.cx, number);
        if let Some(line) = line {
            self.host.log(&printing(&line, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;
    use super::*;

    #[test]
    fn sizes_of_keys_are_read_as_extract_reads_them() {
        let sizes = |sizes: &str| {
            let driver = Driver::with(&format!("dkim_verify_min_keysizes = {sizes}"));
            let policy = policy(&driver.cx);
            (policy.least_rsa_bits, policy.least_ed25519_bits)
        };
        assert_eq!(sizes("rsa=1024 ed25519=250"), (1024, 250));
        assert_eq!(sizes("ed25519 = 256 RSA = +2048"), (2048, 256));
        for text in ["RSA=4096", "rsa=\"4096\"", "rsa=4096,ed25519=300", "rsa=4096;", "rsa=4096x"] {
            assert_eq!(sizes(text), (4096, 0), "{text}");
        }
        assert_eq!(sizes("rsa=-1"), (usize::MAX, 0));
        assert_eq!(sizes("rsa=x"), (0, 0));
        assert_eq!(sizes(""), (0, 0));
    }
}
