//! `verify` (specification 44.17 and 44.21).

use eximious_core::Str;
use eximious_stdlib::lists::elements_with;

use super::machine::{Answer, Run};
use super::state::SenderFault;
use crate::route::{Complaint, Purpose, Report, Request, Standing};

/// Verifies what the text names.
pub(super) fn verify(run: &mut Run<'_>, text: &Str) -> Answer {
    let (bytes, taint) = text.read();
    let mut parts = elements_with(bytes, b'/');
    let first = parts.next().map(|part| part.to_vec()).unwrap_or_default();
    let options: Vec<Vec<u8>> = parts.map(|part| part.to_vec()).collect();
    let (name, address) = match memchr::memchr(b'=', &first) {
        Some(at) => {
            let address = Str::from(first[at + 1..].trim_ascii()).stamped(taint);
            (first[..at].trim_ascii().to_vec(), Some(address))
        }
        None => (first, None),
    };
    let registry = run.cx.engine().registry().clone();
    let Some(record) = registry.acl_verify(&name) else {
        let head = b"expected \"sender[=address]\", \"recipient\", \"helo\", \
            \"header_syntax\", \"header_sender\", \"header_names_ascii\" or \
            \"reverse_host_lookup\" at start of ACL condition \"verify ";
        run.logged = Some(Str::from([head.as_slice(), bytes, b"\""].concat()));
        return Answer::Error;
    };
    if !record.phases.contains(run.phase) {
        run.logged = Some(Str::from(record.refusal(run.phase)));
        return Answer::Error;
    }
    match record.meta.name {
        "sender" => sender(run, address, &options),
        "recipient" => recipient(run, &options),
        name => {
            run.logged = Some(Str::from(format!("\"verify = {name}\" is not there yet")));
            Answer::Error
        }
    }
}

/// `verify = sender`: the sender of a bounce is fine.
fn sender(run: &mut Run<'_>, address: Option<Str>, options: &[Vec<u8>]) -> Answer {
    let address = address.unwrap_or_else(|| run.variable("sender_address"));
    if address.is_empty() {
        return Answer::Yes;
    }
    let found = route(run, &address, Purpose::VerifySender, options);
    let Some((standing, complaint)) = found else { return Answer::Error };
    if standing == Standing::Fine {
        let data = run.variable("address_data");
        run.cx.set("sender_address_data", data);
        run.state.sender_fault = None;
        return Answer::Yes;
    }
    let deferred = standing == Standing::Deferred;
    if deferred && is_fine_deferred(options) {
        run.state.sender_fault = None;
        return Answer::Yes;
    }
    let quiet = options.iter().any(|option| option == b"no_details");
    run.state.note_sender_fault(SenderFault {
        address,
        deferred,
        logged: complaint.message.clone().unwrap_or_default(),
        said: complaint.said.or(complaint.message.filter(|_| !deferred)).unwrap_or_default(),
        told: quiet,
    });
    run.said = (!deferred).then(|| Str::fixed("Sender verify failed"));
    run.logged = Some(Str::fixed(match deferred {
        true => "Could not complete sender verify",
        false => "Sender verify failed",
    }));
    judged(standing, options)
}

/// `verify = recipient`.
fn recipient(run: &mut Run<'_>, options: &[Vec<u8>]) -> Answer {
    let (part, domain) = (run.variable("local_part"), run.variable("domain"));
    let quoted = eximious_stdlib::address::quote_local_part(part.bytes());
    let address = [&*quoted, b"@", domain.bytes()].concat();
    let address = Str::from(address).stamped(part.taint().with(domain.taint()));
    let found = route(run, &address, Purpose::VerifyRecipient, options);
    run.cx.set("local_part", part);
    run.cx.set("domain", domain);
    let Some((standing, complaint)) = found else { return Answer::Error };
    if standing == Standing::Fine {
        return Answer::Yes;
    }
    run.logged = complaint.message.clone().map(Str::from);
    let failed = standing == Standing::Failed;
    run.said = complaint.said.map(Str::from).or_else(|| run.logged.clone().filter(|_| failed));
    judged(standing, options)
}

/// What a standing means, with `defer_ok`.
fn judged(standing: Standing, options: &[Vec<u8>]) -> Answer {
    match standing {
        Standing::Fine => Answer::Yes,
        Standing::Deferred if is_fine_deferred(options) => Answer::Yes,
        Standing::Deferred => Answer::Later,
        Standing::Failed => Answer::No,
    }
}

/// `defer_ok`.
fn is_fine_deferred(options: &[Vec<u8>]) -> bool {
    options.iter().any(|option| option == b"defer_ok")
}

/// Routes an address; nothing where an option is not there yet.
fn route(
    run: &mut Run<'_>,
    address: &Str,
    purpose: Purpose,
    options: &[Vec<u8>],
) -> Option<(Standing, Complaint)> {
    for option in options {
        if !matches!(option.as_slice(), b"defer_ok" | b"no_details" | b"success_on_redirect") {
            let message =
                [b"option \"", option.as_slice(), b"\" of \"verify\" is not there yet"].concat();
            run.logged = Some(Str::from(message));
            return None;
        }
    }
    let acls = run.acls.clone();
    let mut first = None;
    let request = Request::new(address.clone(), purpose);
    let standing = acls.routes().test(run.cx, &request, &mut |report| match report {
        Report::Failed(_, complaint) | Report::Deferred(_, complaint) => {
            first.get_or_insert_with(|| (*complaint).clone());
        }
        _ => {}
    });
    run.note(b"----------- end verify ------------");
    Some((standing, first.unwrap_or_default()))
}
