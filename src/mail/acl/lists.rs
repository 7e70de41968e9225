//! Conditions that are lists of domains, hosts, addresses, local parts
//! (specification 44.17).

use eximious_core::{Str, Var};
use eximious_stdlib::address::quote_local_part;
use eximious_stdlib::hosts::Client;
use eximious_stdlib::lists::{Keep, Matcher, ip};
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};

/// `domains`: what the list has for the domain is in `$domain_data`.
pub(super) fn domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value_of(var::DOMAIN);
    let (answer, data) = run.matched(list, &mut Matcher::domain(&domain).kept(Keep::Recipient));
    run.leave(var::DOMAIN_DATA, answer, data);
    answer
}

/// `local_parts`: what the list has for it is in `$local_part_data`.
pub(super) fn local_parts(run: &mut Run<'_>, list: &Str) -> Answer {
    let local_part = run.cased_local_part();
    let (answer, data) =
        run.matched(list, &mut Matcher::local_part(&local_part).kept(Keep::Recipient));
    run.leave(var::LOCAL_PART_DATA, answer, data);
    answer
}

/// `recipients`.
pub(super) fn recipients(run: &mut Run<'_>, list: &Str) -> Answer {
    let address = run.recipient();
    let (answer, data) = run.matched(list, &mut Matcher::address(&address));
    run.leave(var::RECIPIENT_DATA, answer, data);
    answer
}

/// `senders`.
pub(super) fn senders(run: &mut Run<'_>, list: &Str) -> Answer {
    let sender = run.cx.value_of(var::SENDER_ADDRESS);
    let (answer, data) = run.matched(list, &mut Matcher::address(&sender).kept(Keep::Sender));
    run.leave(var::SENDER_DATA, answer, data);
    answer
}

/// `sender_domains`.
pub(super) fn sender_domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value_of(var::SENDER_ADDRESS_DOMAIN);
    run.matched(list, &mut Matcher::domain(&domain).kept(Keep::SenderDomain)).0
}

/// `hosts`: a message that comes from no host is of an empty one.
pub(super) fn hosts(run: &mut Run<'_>, list: &Str) -> Answer {
    let text = run.cx.value_of(var::SENDER_HOST_ADDRESS);
    let address = ip::address(text.bytes()).map(|address| (text.clone(), address));
    let mut client = Client;
    let mut matcher = Matcher::host(address, &mut client).kept(Keep::Client);
    let (answer, data) = run.matched(list, &mut matcher);
    run.leave(var::HOST_DATA, answer, data);
    answer
}

impl Run<'_> {
    /// The recipient at hand, as it was given.
    pub(super) fn recipient(&mut self) -> Str {
        let (part, domain) = (self.cx.value_of(var::LOCAL_PART), self.cx.value_of(var::DOMAIN));
        self.state.recipient.clone().unwrap_or_else(|| {
            let quoted = quote_local_part(part.bytes());
            let address = [&*quoted, b"@", domain.bytes()].concat();
            Str::from(address).stamped(part.taint().with(domain.taint()))
        })
    }

    /// Its local part, in its own case.
    fn cased_local_part(&mut self) -> Str {
        self.state.cased_local_part.clone().unwrap_or_else(|| self.cx.value_of(var::LOCAL_PART))
    }

    fn leave(&mut self, variable: Var, answer: Answer, data: Option<Str>) {
        if answer == Answer::Yes {
            self.cx.set_var(variable, data.unwrap_or_default());
        }
    }
}
