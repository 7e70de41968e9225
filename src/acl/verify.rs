//! `verify` (specification 44.17 and 44.21).

mod client;
mod header;

use eximious_core::{AclOptions, Str};
use eximious_stdlib::address::find_at;
use eximious_stdlib::lists::elements_with;

use super::machine::{Answer, Run};
use super::state::{SenderFault, Verified};
use crate::route::{Complaint, Purpose, Report, Request, Standing};

/// How many verified senders a message remembers.
const MOST_SENDERS: usize = 100;

/// Verifies what the text names.
pub(super) fn verify(run: &mut Run<'_>, text: &Str) -> Answer {
    let (bytes, taint) = text.read();
    let mut parts = elements_with(bytes, b'/');
    let first = parts.next().map(|part| part.to_vec()).unwrap_or_default();
    let options: Vec<Vec<u8>> = parts.map(|part| part.to_vec()).collect();
    let (name, address) = match memchr::memchr(b'=', &first) {
        Some(at) => {
            let address = Str::from(first[at + 1..].trim_ascii()).stamped(taint);
            (first[..at].trim_ascii().to_ascii_lowercase(), Some(address))
        }
        None => (first.to_ascii_lowercase(), None),
    };
    let registry = run.cx.engine().registry().clone();
    let record = registry.acl_verify(&name).filter(|record| record.address || address.is_none());
    let Some(record) = record else {
        let head = b"expected \"sender[=address]\", \"recipient\", \"helo\", \
            \"header_syntax\", \"header_sender\", \"header_names_ascii\" or \
            \"reverse_host_lookup\" at start of ACL condition \"verify ";
        run.logged = Some(Str::from([head.as_slice(), bytes, b"\""].concat()));
        return Answer::Error;
    };
    if !run.permits(record.phases) {
        run.logged = Some(Str::from(record.refusal(run.phase)));
        return Answer::Error;
    }
    if record.options == AclOptions::None && bytes.contains(&b'/') {
        let tail = b"\" (this verify item has no options)";
        run.logged = Some(Str::from([b"unexpected '/' found in \"", bytes, tail].concat()));
        return Answer::Error;
    }
    match record.meta.name {
        "sender" => sender(run, address, bytes, &options),
        "recipient" => recipient(run, bytes, &options),
        "helo" => client::helo(run),
        "reverse_host_lookup" => client::reverse_host_lookup(run, &options),
        "certificate" => client::certificate(run),
        "csa" => client::csa(run, options.first().map(Vec::as_slice)),
        "header_syntax" => header::syntax(run),
        "header_names_ascii" => header::names_ascii(run),
        "header_sender" => header::sender(run, bytes, &options),
        "not_blind" => header::not_blind(run, bytes, &options),
        name => {
            run.logged = Some(Str::from(format!("\"verify = {name}\" is not there yet")));
            Answer::Error
        }
    }
}

/// `verify = sender`: the sender of a bounce is fine. What was found out is kept
/// for the message.
fn sender(run: &mut Run<'_>, address: Option<Str>, text: &[u8], options: &[Vec<u8>]) -> Answer {
    if let Some(answer) = known_options(run, text, options, Purpose::VerifySender) {
        return answer;
    }
    let address = address.unwrap_or_else(|| run.variable("sender_address"));
    if address.is_empty() {
        return Answer::Yes;
    }
    run.state.settle_sender_fault();
    let senders = &run.state.senders;
    let known = senders.iter().position(|one| one.address.bytes() == address.bytes());
    let index = match known {
        Some(index) => {
            run.note(b"using cached sender verify result");
            index
        }
        None => {
            let verified = look_at(run, &address, options);
            if run.state.senders.len() >= MOST_SENDERS {
                run.state.senders.clear();
            }
            run.state.senders.push(verified);
            run.state.senders.len() - 1
        }
    };
    let verified = &mut run.state.senders[index];
    verified.quiet |= options.iter().any(|option| option == b"no_details");
    let (standing, data, remote) = (verified.standing, verified.data.clone(), verified.remote);
    let fault = SenderFault {
        address,
        deferred: standing == Standing::Deferred,
        logged: verified.why.clone(),
        said: verified.said.clone(),
        told: verified.quiet,
    };
    run.cx.set("sender_address_data", data);
    if wants_callout(run, remote, options) {
        return Answer::Error;
    }
    let answer = judged(run, standing, options);
    run.state.sender_fault = match answer {
        Answer::Yes => None,
        Answer::No => {
            says(run, Str::fixed("Sender verify failed"));
            Some(fault)
        }
        _ => {
            run.logged = Some(Str::fixed("Could not complete sender verify"));
            Some(fault)
        }
    };
    answer
}

fn look_at(run: &mut Run<'_>, address: &Str, options: &[Vec<u8>]) -> Verified {
    let mut verified = Verified {
        address: address.clone(),
        standing: Standing::Failed,
        remote: false,
        data: Str::EMPTY,
        why: Vec::new(),
        said: Vec::new(),
        quiet: false,
    };
    if find_at(address.bytes()).is_none() {
        run.cx.set("sender_verify_failure", Str::fixed("qualify"));
        return verified;
    }
    let Routed { standing, complaint, data, remote } =
        route(run, address, Purpose::VerifySender, options);
    (verified.standing, verified.data, verified.remote) = (standing, data, remote);
    let deferred = standing == Standing::Deferred;
    let said = complaint.said.or(complaint.message.clone().filter(|_| !deferred));
    verified.said = said.unwrap_or_default();
    verified.why = complaint.message.unwrap_or_default();
    verified
}

/// `verify = recipient`.
fn recipient(run: &mut Run<'_>, text: &[u8], options: &[Vec<u8>]) -> Answer {
    if let Some(answer) = known_options(run, text, options, Purpose::VerifyRecipient) {
        return answer;
    }
    let (part, domain) = (run.variable("local_part"), run.variable("domain"));
    let quoted = eximious_stdlib::address::quote_local_part(part.bytes());
    let address = [&*quoted, b"@", domain.bytes()].concat();
    let address = Str::from(address).stamped(part.taint().with(domain.taint()));
    let Routed { standing, complaint, data, remote } =
        route(run, &address, Purpose::VerifyRecipient, options);
    run.cx.set("address_data", data);
    run.cx.set("local_part", part);
    run.cx.set("domain", domain);
    if wants_callout(run, remote, options) {
        return Answer::Error;
    }
    let answer = judged(run, standing, options);
    let message = complaint.message.clone().or_else(|| complaint.said.clone()).map(Str::tainted);
    let said = complaint.said.map(Str::tainted);
    match answer {
        Answer::Yes => {}
        Answer::No => {
            if let Some(said) = said.or_else(|| message.clone()) {
                says(run, said);
            }
            run.logged = message;
        }
        _ => {
            if let Some(said) = said {
                says(run, said);
            }
            run.logged = message;
        }
    }
    answer
}

/// Notes what the client is told, unless the statement has words of its own.
fn says(run: &mut Run<'_>, said: Str) {
    run.cx.set("acl_verify_message", said.clone());
    (run.said, run.logged) = (Some(said.clone()), Some(said));
}

/// What a standing means, with `defer_ok`.
fn judged(run: &mut Run<'_>, standing: Standing, options: &[Vec<u8>]) -> Answer {
    match standing {
        Standing::Fine => Answer::Yes,
        Standing::Deferred if options.iter().any(|option| option == b"defer_ok") => {
            run.note(b"verify defer overridden by defer_ok");
            Answer::Yes
        }
        Standing::Deferred => Answer::Later,
        Standing::Failed => Answer::No,
    }
}

/// What is wrong with the options of an address's verification, if anything is.
fn known_options(
    run: &mut Run<'_>,
    text: &[u8],
    options: &[Vec<u8>],
    purpose: Purpose,
) -> Option<Answer> {
    for option in options {
        let word = option.split(|c| *c == b'=').next().unwrap_or_default().trim_ascii_end();
        match (option.as_slice(), word) {
            (b"defer_ok" | b"no_details" | b"success_on_redirect", _) => {}
            (_, b"quota") if purpose != Purpose::VerifyRecipient => {
                run.logged = Some(Str::fixed("can only verify quota of recipient"));
                return Some(Answer::Error);
            }
            (_, b"callout") => {}
            (_, b"quota") => {
                let message = [b"option \"", word, b"\" of \"verify\" is not there yet"].concat();
                run.logged = Some(Str::from(message));
                return Some(Answer::Error);
            }
            (option, _) => return Some(unknown_option(run, option, text)),
        }
    }
    None
}

fn unknown_option(run: &mut Run<'_>, option: &[u8], text: &[u8]) -> Answer {
    let parts = [b"unknown option \"", option, b"\" in ACL condition \"verify ", text, b"\""];
    run.logged = Some(Str::from(parts.concat()));
    Answer::Error
}

/// What came of routing an address.
struct Routed {
    standing: Standing,
    complaint: Complaint,
    /// `$address_data` at the end.
    data: Str,
    /// Whether it goes to another host, which a callout would ask.
    remote: bool,
}

/// A callout that would be made: whether there is one.
fn wants_callout(run: &mut Run<'_>, remote: bool, options: &[Vec<u8>]) -> bool {
    let wanted = remote && options.iter().any(|option| option.starts_with(b"callout"));
    if wanted {
        run.logged = Some(Str::fixed("option \"callout\" of \"verify\" is not there yet"));
    }
    wanted
}

/// Routes an address, and says in a variable where that failed.
fn route(run: &mut Run<'_>, address: &Str, purpose: Purpose, options: &[Vec<u8>]) -> Routed {
    let acls = run.acls.clone();
    let (mut first, mut data, mut remote) = (None, None, false);
    let mut request = Request::new(address.clone(), purpose);
    request.redirection_suffices = options.iter().any(|option| option == b"success_on_redirect");
    let standing = acls.routes().test(run.cx, &request, &mut |report| match report {
        Report::Failed(_, complaint) | Report::Deferred(_, complaint) => {
            first.get_or_insert_with(|| (*complaint).clone());
        }
        Report::Delivered(delivery) | Report::Direct(delivery) => {
            data = delivery.address.attached.address_data.clone();
            let transport = delivery.transport;
            remote |= transport.is_some_and(|number| acls.routes().is_remote(number));
        }
        _ => {}
    });
    run.note(b"----------- end verify ------------");
    let variable = match purpose {
        Purpose::VerifySender => "sender_verify_failure",
        _ => "recipient_verify_failure",
    };
    let word = if standing == Standing::Fine { "" } else { "route" };
    run.cx.set(variable, Str::fixed(word));
    let complaint = first.unwrap_or_default();
    Routed { standing, complaint, data: data.unwrap_or_default(), remote }
}

#[cfg(test)]
mod tests;
