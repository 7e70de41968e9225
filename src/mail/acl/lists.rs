//! Conditions that are lists of domains, hosts, addresses, local parts
//! (specification 44.17).

use eximious_core::{AclPhases, AclTerm, Str, Var};
use eximious_stdlib::address::quote_local_part;
use eximious_stdlib::hosts::SendingHost;
use eximious_stdlib::lists::{Keep, Matcher, ip};
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};

/// `domains`.
pub(super) static DOMAINS: AclTerm = words::condition(
    &TermRun::Text(domains),
    words::meta(
        "domains",
        "domains = <domain list>",
        words::CONDITIONS,
        "The recipient's domain is in the list.",
        "Where a lookup made it match, `$domain_data` has what was found, until the next such \
         condition, or the next recipient. It has no meaning once there are several recipients, after DATA.",
    ),
)
.phases(words::RECIPIENT)
.unexpanded()
.effects(words::OF_LISTS);

/// `domains`: what the list has for the domain is in `$domain_data`.
fn domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value_of(var::DOMAIN);
    let (answer, data) = run.matched(list, &mut Matcher::domain(&domain).kept(Keep::Recipient));
    run.cx.set_var(var::DOMAIN_DATA, data.unwrap_or_default());
    answer
}

/// `local_parts`.
pub(super) static LOCAL_PARTS: AclTerm = words::condition(
    &TermRun::Text(local_parts),
    words::meta(
        "local_parts",
        "local_parts = <local part list>",
        words::CONDITIONS,
        "The recipient's local part is in the list.",
        "It is in lower case unless `control = caseful_local_part` came before. Where a lookup \
         made it match, `$local_part_data` has what was found, until the next such condition.",
    ),
)
.phases(words::RECIPIENT)
.unexpanded()
.effects(words::OF_LISTS);

/// `local_parts`: what the list has for it is in `$local_part_data`.
fn local_parts(run: &mut Run<'_>, list: &Str) -> Answer {
    let local_part = run.cased_local_part();
    let (answer, data) =
        run.matched(list, &mut Matcher::local_part(&local_part).kept(Keep::Recipient));
    run.cx.set_var(var::LOCAL_PART_DATA, data.unwrap_or_default());
    answer
}

/// `recipients`.
pub(super) static RECIPIENTS: AclTerm = words::condition(
    &TermRun::Text(recipients),
    words::meta(
        "recipients",
        "recipients = <address list>",
        words::CONDITIONS,
        "The recipient's address is in the list.",
        "Other than `domains` and `local_parts`, it looks at all of the address.",
    ),
)
.phases(AclPhases::RCPT)
.unexpanded()
.effects(words::OF_LISTS);

/// `recipients`.
fn recipients(run: &mut Run<'_>, list: &Str) -> Answer {
    let address = run.recipient();
    let (answer, data) = run.matched(list, &mut Matcher::address(&address));
    run.leave_some(var::RECIPIENT_DATA, data);
    answer
}

/// `senders`.
pub(super) static SENDERS: AclTerm = words::condition(
    &TermRun::Text(senders),
    words::meta(
        "senders",
        "senders = <address list>",
        words::CONDITIONS,
        "The sender's address is in the list.",
        "An empty item (`senders = :`) stands for bounces, whose sender is empty. Senders are \
         easily forged.",
    ),
)
.phases(words::ALL.difference(words::NO_SENDER).difference(AclPhases::QUIT))
.unexpanded()
.effects(words::OF_LISTS);

/// `senders`.
fn senders(run: &mut Run<'_>, list: &Str) -> Answer {
    let sender = run.cx.value_of(var::SENDER_ADDRESS);
    let (answer, data) = run.matched(list, &mut Matcher::address(&sender).kept(Keep::Sender));
    run.leave_some(var::SENDER_DATA, data);
    answer
}

/// `sender_domains`.
pub(super) static SENDER_DOMAINS: AclTerm = words::condition(
    &TermRun::Text(sender_domains),
    words::meta(
        "sender_domains",
        "sender_domains = <domain list>",
        words::CONDITIONS,
        "The sender's domain is in the list.",
        "It stands in `$sender_address_domain`, not in `$domain`, so that the list may name the \
         recipient's. Senders are easily forged.",
    ),
)
.phases(words::ALL.difference(words::NO_SENDER).difference(AclPhases::QUIT))
.unexpanded()
.effects(words::OF_LISTS);

/// `sender_domains`.
fn sender_domains(run: &mut Run<'_>, list: &Str) -> Answer {
    let domain = run.cx.value_of(var::SENDER_ADDRESS_DOMAIN);
    run.matched(list, &mut Matcher::domain(&domain).kept(Keep::SenderDomain)).0
}

/// `hosts`.
pub(super) static HOSTS: AclTerm = words::condition(
    &TermRun::Text(hosts),
    words::meta(
        "hosts",
        "hosts = <host list>",
        words::CONDITIONS,
        "The client is in the list.",
        "An empty item stands for a message of this host, which comes from no other. Addresses \
         should come before names: where the client's name is needed and can't be found, the list \
         ends there without a match. Where a lookup made it match, `$host_data` has what was \
         found.",
    ),
)
.phases(words::ALL.difference(words::NO_CLIENT))
.unexpanded()
.effects(words::OF_LISTS);

/// `hosts`: a message that comes from no host is of an empty one.
fn hosts(run: &mut Run<'_>, list: &Str) -> Answer {
    let text = run.cx.value_of(var::SENDER_HOST_ADDRESS);
    let address = ip::address(text.bytes()).map(|address| (text.clone(), address));
    let mut client = SendingHost;
    let mut matcher = Matcher::host(address, &mut client).kept(Keep::Client);
    let (answer, data) = run.matched_of(list, &mut matcher, true);
    run.cx.set_var(var::HOST_DATA, data.unwrap_or_default());
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

    /// Leaves what the list has for a whole address; where there is nothing of it, what an earlier
    /// one had stays.
    fn leave_some(&mut self, variable: Var, data: Option<Str>) {
        if let Some(data) = data {
            self.cx.set_var(variable, data);
        }
    }
}
