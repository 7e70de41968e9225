//! What the DNS will be asked about a message is asked at once, when it has come: keys of
//! signatures and seals, and records of SPF and DMARC, where the ACL for messages asks for
//! those. The verdicts come when they are asked for; what they ask first is answered then.

use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_mailauth::arc::ArcValidator;
use eximious_mailauth::canon::BodyHashes;
use eximious_mailauth::dkim::DkimVerifier;
use eximious_mailauth::{DnsQuery, DnsResponse, DnsSource};
use eximious_stdlib::dns;
use eximious_stdlib::options::opt;

use super::conditions::ACL;
use super::verify::VERIFY;
use super::{AclState, Acls, Statement, arc, dmarc, spf};
use crate::Context;

static META: Meta = Meta::new("dns", Effects::DNS, TaintRule::Tainted);

/// The verdicts that an ACL asks for, as far as its text says so.
#[derive(Clone, Copy, Default)]
struct Wanted {
    spf: bool,
    dmarc: bool,
    arc: bool,
}

/// A DNS that has no answer now: of what it is asked, the first questions are all that
/// there are.
#[derive(Default)]
pub(super) struct Notes(Vec<DnsQuery>);

impl DnsSource for Notes {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        self.0.extend_from_slice(questions);
        vec![DnsResponse::Later; questions.len()]
    }
}

impl Acls {
    /// Asks what is to be asked of the message at hand, whose header and hashes these are.
    pub(super) fn foresee(
        &self,
        cx: &mut Context,
        state: &AclState,
        signatures: &DkimVerifier,
        fields: &[&[u8]],
        bodies: &BodyHashes,
    ) {
        let wanted = self.wanted(cx);
        let mut notes = Notes::default();
        signatures.clone().verify(fields, bodies, &mut notes);
        if wanted.arc {
            ArcValidator::new(fields).validate(fields, bodies, &mut notes);
        }
        if wanted.dmarc {
            dmarc::foretell(cx, state, &mut notes);
        }
        if wanted.spf {
            spf::foretell(cx, &mut notes);
        }
        cx.call(&META, |call| dns::foresee(call, &notes.0));
    }

    /// What the ACL for messages asks for. Where its name is made by an expansion, that is
    /// not known.
    fn wanted(&self, cx: &Context) -> Wanted {
        let mut wanted = Wanted::default();
        let Some(acl) = cx.engine().settings().text(opt::ACL_SMTP_DATA) else { return wanted };
        let mut left = vec![acl];
        let mut seen: Vec<Str> = Vec::new();
        while let Some(name) = left.pop() {
            let Some(acl) = self.named(name.bytes().trim_ascii()) else { continue };
            if seen.contains(&acl.name) {
                continue;
            }
            seen.push(acl.name.clone());
            acl.statements.iter().for_each(|statement| wanted.note(statement, &mut left));
        }
        wanted
    }
}

impl Wanted {
    /// Notes what a statement asks for, and which ACLs it calls.
    fn note(&mut self, statement: &Statement, called: &mut Vec<Str>) {
        for term in &statement.written.terms {
            let is = |meta: &Meta| term.term.meta.name == meta.name;
            let text = term.text.bytes().trim_ascii();
            if is(&spf::SPF.meta) || is(&spf::SPF_GUESS.meta) {
                self.spf = true;
            } else if is(&dmarc::DMARC_STATUS.meta) {
                self.dmarc = true;
            } else if is(&VERIFY.meta) {
                let word = text.split(|byte| *byte == b'/').next().unwrap_or_default();
                self.arc |= word.trim_ascii() == arc::ARC.meta.name.as_bytes();
            } else if is(&ACL.meta) {
                called.push(term.text.clone());
            }
        }
    }
}
