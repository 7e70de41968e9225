//! VRFY and EXPN (specification 44.2.13, 49.3).

use eximious::acl::AclVerdict;
use eximious::route::{
    Address, ChildAddress, Purpose, Report, Request, RouteError, Routed, Standing,
};
use eximious::stdlib::address::{self, Rules};
use eximious::{AclPhases, Str, opt, var};

use super::stage::{Handled, Stage};
use super::verdict::{Refused, undecided};
use super::{SmtpSession, reply};

impl SmtpSession {
    pub(super) fn vrfy(&mut self, argument: &[u8]) -> Handled {
        let rules = Rules::of(self.cx.engine().settings());
        let found = address::parse(argument, rules).map(|found| found.text);
        let found = found.map_err(|why| self.reply(&[b"501 ", &why.message]))?;
        // The postmaster of this host needs none.
        if address::find_at(&found).is_none()
            && !found.eq_ignore_ascii_case(b"postmaster")
            && !self.connection.permissions.unqualified_recipients
        {
            self.log_unqualified("verify", argument);
            let tail = b": recipient address must contain a domain";
            return Err(self.reply(&[b"501 ", argument, tail]));
        }
        let text = self.qualified(found);
        let result = match self.show_recipient(&text) {
            Err(deferred) => undecided(deferred),
            Ok(()) => {
                let result = self.acl(opt::ACL_SMTP_VRFY, AclPhases::VRFY);
                result.unwrap_or_else(|| self.no_acl())
            }
        };
        self.hide_recipient();
        if result.verdict != AclVerdict::Accept {
            let refused = Refused::new(&[b"VRFY ", argument]).code("252");
            return Err(self.refuse(&refused, result));
        }
        let (standing, error) = self.test(&text, Purpose::VerifyRecipient);
        let shown = text.bytes();
        match standing {
            Standing::Fine => self.say(&[b"250 <", shown, b"> is deliverable"]),
            Standing::Deferred => {
                let text = match error.said {
                    Some(why) => [b"<", shown, b"> ", &why].concat(),
                    None => [b"Cannot resolve <", shown, b"> at this time"].concat(),
                };
                self.answer(b"451", &text);
            }
            Standing::Failed => {
                let why = error.said.or(error.message).unwrap_or_default();
                let client = self.logged_client();
                self.answer(b"550", &[b"<", shown, b"> ", &why].concat());
                self.log(&[b"VRFY failed for ", argument, b" ", &client].concat());
            }
        }
        Ok(Stage::COMMANDS)
    }

    pub(super) fn expn(&mut self, argument: &[u8]) -> Handled {
        let result = self.acl(opt::ACL_SMTP_EXPN, AclPhases::EXPN).unwrap_or_else(|| self.no_acl());
        if result.verdict != AclVerdict::Accept {
            let refused = Refused::new(&[b"EXPN ", argument]);
            return Err(self.refuse(&refused, result));
        }
        // What stands around an address is not taken off.
        let text = self.qualified(argument.to_vec());
        let routes = self.server.acls.routes().clone();
        let text = routes.rewritten(&mut self.cx, &text, Purpose::Expand);
        let before = self.cx.replace_var(var::VERIFY_MODE, Str::fixed("R"));
        let pass = routes.route(&mut self.cx, Address::new(text.clone()), Purpose::Expand);
        self.cx.set_var(var::VERIFY_MODE, before);
        let shown = text.bytes();
        match pass.routed {
            Routed::Failed(_) => self.say(&[b"553 ", shown, b" is undeliverable"]),
            Routed::Deferred(_) => self.say(&[b"553 ", shown, b" cannot be resolved at this time"]),
            Routed::Discarded { .. } => self.say(&[b"250 mail to <", shown, b"> is discarded"]),
            Routed::Delivered(_) => self.say(&[b"250 <", shown, b">"]),
            Routed::Redirected => {
                let lines = pass.children.iter().map(|child| match child {
                    ChildAddress::Address(child) => [b"<", child.text.bytes(), b">"].concat(),
                    ChildAddress::Direct(child) => {
                        [b"<", child.address.text.bytes(), b">"].concat()
                    }
                });
                let lines: Vec<Vec<u8>> = lines.collect();
                let bytes = reply::lines(b"250", &lines.join(&b'\n'), true);
                self.say_lines(bytes);
            }
        }
        Ok(Stage::COMMANDS)
    }

    fn qualified(&mut self, mut text: Vec<u8>) -> Str {
        if address::find_at(&text).is_none() {
            let domain = self.variable(var::QUALIFY_RECIPIENT);
            text.push(b'@');
            text.extend_from_slice(domain.bytes());
        }
        Str::tainted(text)
    }

    fn test(&mut self, text: &Str, purpose: Purpose) -> (Standing, RouteError) {
        let routes = self.server.acls.routes().clone();
        let mut first = None;
        let address = routes.rewritten(&mut self.cx, text, purpose);
        let request = Request::new(address, purpose);
        let standing = routes.test(&mut self.cx, &request, &mut |report| match report {
            Report::Failed(_, error) | Report::Deferred(_, error) => {
                first.get_or_insert_with(|| (*error).clone());
            }
            _ => {}
        });
        (standing, first.unwrap_or_default())
    }
}
