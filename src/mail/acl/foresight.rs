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

    fn prepare(&mut self, questions: &[DnsQuery]) {
        self.0.extend_from_slice(questions);
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

#[cfg(test)]
mod tests {
    use eximious_core::AclPhases;
    use eximious_stdlib::message;

    use super::super::driver::Driver;

    /// What is asked side by side, and not looked at after all, is no event.
    #[test]
    fn only_what_is_looked_at_can_fail() {
        let zone = "$ORIGIN a.example.\n\
            @ TXT \"v=spf1 a:gone.a.example a:fits.a.example a:never.a.example \
            include:never.a.example mx:never.a.example -all\"\n\
            fits A 192.0.2.1\n\
            _dmarc.sub TXT \"v=DMARC1; p=none; psd=n\"\n";
        for settings in ["dmarc_tld_file = /list", "dmarc_tree_walk"] {
            let config = format!(
                "{settings}\nevent_action = ${{if eq{{$event_name}}{{dns:fail}}{{${{acl{{told}}}}}}}}\n\
                 begin acl\ntold:\n  accept set acl_c_told = $acl_c_told$event_data;\n"
            );
            let driver = Driver::with(&config).zone(zone).file("/list", "example\n");
            let mut driver = driver
                .set("sender_host_address", "192.0.2.1")
                .set("sender_helo_name", "h.example")
                .set("sender_address", "u@a.example")
                .at(AclPhases::DATA);
            driver.attach();
            driver.cx.set_message(Some(message::parse(b"From: x@sub.a.example\n\n")));
            let acl = "accept spf = pass\n  dmarc_status = none:accept\n  logwrite = $acl_c_told";
            assert_eq!(driver.run(acl), "Accept");
            assert_eq!(driver.logged(), ["DNS_NOMATCH:gone.a.example:A;"], "{settings}");
            assert!(driver.asked().iter().any(|one| one.contains("never.a.example")));
        }
    }
}
