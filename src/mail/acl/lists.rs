//! Conditions that are lists of domains, hosts, addresses, local parts
//! (specification 44.17).

use eximious_core::Str;
use eximious_stdlib::address::quote_local_part;
use eximious_stdlib::hosts::Client;
use eximious_stdlib::lists::{Keep, Matcher, ip};

use super::machine::{Answer, Run};

/// `domains`: what the list has for the domain is in `$domain_data`.
pub(super) fn domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value("domain");
    let (answer, data) = run.matched(list, &mut Matcher::domain(&domain).kept(Keep::Recipient));
    run.leave("domain_data", answer, data);
    answer
}

/// `local_parts`: what the list has for it is in `$local_part_data`.
pub(super) fn local_parts(run: &mut Run<'_>, list: &Str) -> Answer {
    let local_part = run.cased_local_part();
    let (answer, data) =
        run.matched(list, &mut Matcher::local_part(&local_part).kept(Keep::Recipient));
    run.leave("local_part_data", answer, data);
    answer
}

/// `recipients`.
pub(super) fn recipients(run: &mut Run<'_>, list: &Str) -> Answer {
    let address = run.recipient();
    let (answer, data) = run.matched(list, &mut Matcher::address(&address));
    run.leave("recipient_data", answer, data);
    answer
}

/// `senders`.
pub(super) fn senders(run: &mut Run<'_>, list: &Str) -> Answer {
    let sender = run.cx.value("sender_address");
    let (answer, data) = run.matched(list, &mut Matcher::address(&sender).kept(Keep::Sender));
    run.leave("sender_data", answer, data);
    answer
}

/// `sender_domains`.
pub(super) fn sender_domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value("sender_address_domain");
    let (answer, data) = run.matched(list, &mut Matcher::domain(&domain).kept(Keep::SenderDomain));
    run.leave("sender_domain_data", answer, data);
    answer
}

/// `hosts`: a message that comes from no host is of an empty one.
pub(super) fn hosts(run: &mut Run<'_>, list: &Str) -> Answer {
    let text = run.cx.value("sender_host_address");
    let address = ip::address(text.bytes()).map(|address| (text.clone(), address));
    let mut client = Client;
    let mut matcher = Matcher::host(address, &mut client).kept(Keep::Client);
    let (answer, data) = run.matched(list, &mut matcher);
    run.leave("host_data", answer, data);
    answer
}

impl Run<'_> {
    /// The recipient at hand, as it was given.
    pub(super) fn recipient(&mut self) -> Str {
        let (part, domain) = (self.cx.value("local_part"), self.cx.value("domain"));
        self.state.recipient.clone().unwrap_or_else(|| {
            let quoted = quote_local_part(part.bytes());
            let address = [&*quoted, b"@", domain.bytes()].concat();
            Str::from(address).stamped(part.taint().with(domain.taint()))
        })
    }

    /// Its local part, in its own case.
    fn cased_local_part(&mut self) -> Str {
        self.state.cased_local_part.clone().unwrap_or_else(|| self.cx.value("local_part"))
    }

    fn leave(&mut self, variable: &str, answer: Answer, data: Option<Str>) {
        if answer == Answer::Yes {
            self.cx.set_known(variable.as_bytes(), data.unwrap_or_default());
        }
    }
}
