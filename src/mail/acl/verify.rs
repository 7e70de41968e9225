//! `verify` (specification 44.17 and 44.21).

pub(super) mod client;
pub(super) mod header;
pub(super) mod quota;

use eximious_core::{AclOptions, AclPhases, AclTerm, AclVerify, Runs, Str};
use eximious_stdlib::address::{Rules, find_at};
use eximious_stdlib::lists::elements_with;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::call::{AclCall, VerifyAsked};
use super::callout::{self, Called, Params, Subject};
use super::cutthrough;
use super::machine::{Answer, Run};
use super::state::{SenderFault, Verified};
use super::words::{self, Asked, TermRun, VerifyRun};
use crate::mail::route::{Purpose, Report, Request, RouteError, Standing};

/// How many verified senders a message remembers.
const MOST_SENDERS: usize = 100;

/// `verify`.
pub(super) static VERIFY: AclTerm = words::condition(
    &TermRun::Text(verify),
    words::meta(
        "verify",
        "verify = <what>[/<options>]",
        words::CONDITIONS,
        "Something about the client, the sender or a recipient holds.",
        "What may be verified, and in which ACL, is in `eximious list acl-verify`. After a \
         failure `$acl_verify_message` has the reason, until the end of the statement.",
    ),
);

/// Verifies what the text names.
fn verify(run: &mut Run<'_>, text: &Str) -> Answer {
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
    let engine = run.cx.engine().clone();
    let record = engine.registry().acl_verify(&name);
    let record = record.filter(|record| record.address || address.is_none());
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
    match record.run.get::<VerifyRun>() {
        Some(VerifyRun::Own(verify)) => {
            verify(run, Asked { address, text: bytes, options: &options })
        }
        Some(VerifyRun::Embedded(closure)) => {
            let asked = VerifyAsked { address: address.as_ref(), options: &options };
            AclCall::run(run, &record.meta, |call| closure(call, &asked))
        }
        None => {
            let name = record.meta.name;
            run.logged = Some(Str::from(format!("\"verify = {name}\" is not there yet")));
            Answer::Error
        }
    }
}

/// `verify = sender`.
pub(super) static SENDER: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(sender)),
    words::meta(
        "sender",
        "verify = sender[=<address>][/<options>]",
        "specification 44.17",
        "The sender, or an address given, can be routed.",
        "An empty sender will do. The routers run in verify mode; with `/callout` a host of the \
         sender is asked whether it takes bounces. What was found is kept for the message. \
         Slashes in an address given must be doubled; `$sender_verify_failure` has why it failed.",
    ),
)
.phases(words::WITH_SENDER)
.options(words::ADDRESS_OPTIONS)
.address()
.effects(words::OF_ROUTING);

/// `verify = sender`: the sender of a bounce is fine. What was found out is kept
/// for the message; what other hosts say is asked anew.
fn sender(run: &mut Run<'_>, Asked { address, text, options }: Asked<'_>) -> Answer {
    let params = match known_options(run, text, options, Subject::Sender) {
        Ok(wanted) => wanted.callout,
        Err(answer) => return answer,
    };
    let own = address.is_none();
    let address = address.unwrap_or_else(|| run.cx.value_of(var::SENDER_ADDRESS));
    if address.is_empty() {
        if run.state.verified_empty && !params.wanted() {
            run.note(b"using cached sender verify result");
        }
        run.state.verified_empty = true;
        run.cx.set_var(var::SENDER_ADDRESS_DATA, Str::EMPTY);
        return Answer::Yes;
    }
    // That another one is fine mends nothing.
    let before = run.state.sender_fault.clone();
    run.state.settle_sender_fault();
    let senders = &run.state.senders;
    let known = senders.iter().position(|one| one.address.bytes() == address.bytes());
    // What a host says, and what a look-up said that had no answer: not when that is known.
    let (mut called, mut lookup) = (None, None);
    let index = match known {
        Some(index) if !params.wanted() => {
            run.note(b"using cached sender verify result");
            index
        }
        _ => {
            // What was found out about a recipient still holds.
            let data = run.cx.value_of(var::ADDRESS_DATA);
            let (verified, found, said) = look_at(run, &address, options, &params);
            lookup = said;
            run.cx.set_var(var::ADDRESS_DATA, data);
            called = found;
            if own {
                run.cx.set_var(var::SENDER_ADDRESS, verified.address.clone());
                run.state.rewrote_sender = true;
            }
            if run.state.senders.len() >= MOST_SENDERS {
                run.state.senders.clear();
            }
            let index = known.filter(|index| *index < run.state.senders.len());
            match index {
                Some(index) => run.state.senders[index] = verified,
                None => run.state.senders.push(verified),
            }
            index.unwrap_or(run.state.senders.len() - 1)
        }
    };
    let verified = &mut run.state.senders[index];
    verified.quiet |= options.iter().any(|option| option == b"no_details");
    let (standing, data) = (verified.standing, verified.data.clone());
    let address = verified.address.clone();
    let mut fault = SenderFault {
        address: address.clone(),
        deferred: standing == Standing::Deferred,
        logged: verified.why.clone(),
        said: verified.said.clone(),
        told: verified.quiet,
    };
    run.cx.set_var(var::SENDER_ADDRESS_DATA, data);
    let mut incomplete = b"Could not complete sender verify".to_vec();
    let answer = match &called {
        Some(called) => {
            fault.deferred = called.standing == Standing::Deferred;
            fault.logged = called.logged.clone();
            fault.said = called.told(&address);
            if fault.deferred {
                incomplete.extend_from_slice(b" callout");
                fault.logged = Some(uncompleted(&incomplete, called));
            }
            judged_callout(run, called, &params, options)
        }
        None => judged(run, standing, options),
    };
    run.state.sender_fault = match answer {
        Answer::Yes => before,
        Answer::No => {
            says(run, Str::fixed("Sender verify failed"));
            Some(fault)
        }
        _ if called.is_some() => {
            let advice = "you need to change the address or create an MX record for its domain\n\
                if it is supposed to be generally accessible from the Internet.\n\
                Talk to your mail administrator for details.";
            let said = advised(run, &incomplete, &address, advice);
            says(run, said);
            run.logged = Some(Str::from(incomplete));
            Some(fault)
        }
        _ => {
            if tells_details(run) {
                says(run, Str::from(incomplete.clone()));
            }
            run.logged = Some(lookup.unwrap_or_else(|| Str::from(incomplete)));
            Some(fault)
        }
    };
    answer
}

fn look_at(
    run: &mut Run<'_>,
    address: &Str,
    options: &[Vec<u8>],
    params: &Params,
) -> (Verified, Option<Called>, Option<Str>) {
    let mut verified = Verified {
        address: address.clone(),
        standing: Standing::Failed,
        data: Str::EMPTY,
        why: None,
        said: Vec::new(),
        quiet: false,
    };
    if find_at(address.bytes()).is_none() {
        run.cx.set_var(var::SENDER_VERIFY_FAILURE, Str::fixed("qualify"));
        run.note(b"----------- end verify ------------");
        return (verified, None, None);
    }
    let Routed { address, standing, error, data, called } =
        route(run, address, Subject::Sender, options, params);
    (verified.standing, verified.data) = (standing, data);
    let deferred = standing == Standing::Deferred;
    let said = error.said.clone().or_else(|| {
        let tells = !deferred && !error.untold && !error.forced;
        error.message.clone().filter(|_| tells)
    });
    if let Some(said) = said {
        let head = [b"Verification failed for <", address.bytes(), b">"].concat();
        let end: &[u8] = if said.is_empty() { b"" } else { b"\n" };
        verified.said = [&head[..], end, &said].concat();
    }
    verified.why = error.shown().map(<[u8]>::to_vec);
    verified.address = address;
    (verified, called, error.looked_up().map(|said| Str::tainted(said.to_vec())))
}

/// `verify = recipient`.
pub(super) static RECIPIENT: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(recipient)),
    words::meta(
        "recipient",
        "verify = recipient[/<options>]",
        "specification 44.17",
        "The recipient can be routed.",
        "The routers run in verify mode; with `/callout` the next host is asked too, with \
         `/quota` the mailbox's limit. What defers does not refuse with `/defer_ok`. \
         `$address_data` has what the routers set, and `$recipient_verify_failure` why it failed.",
    ),
)
.phases(AclPhases::RCPT)
.options(words::RECIPIENT_OPTIONS)
.effects(words::OF_ROUTING);

fn recipient(run: &mut Run<'_>, Asked { text, options, .. }: Asked<'_>) -> Answer {
    let Wanted { callout: params, quota } =
        match known_options(run, text, options, Subject::Recipient) {
            Ok(wanted) => wanted,
            Err(answer) => return answer,
        };
    let (part, domain) = (run.cx.value_of(var::LOCAL_PART), run.cx.value_of(var::DOMAIN));
    let address = run.recipient();
    // Whether there is room is all that is looked at then.
    if let Some(quota) = quota {
        return quota::verify(run, &address, quota);
    }
    let Routed { standing, error, data, called, .. } =
        route(run, &address, Subject::Recipient, options, &params);
    run.cx.set_var(var::ADDRESS_DATA, data);
    // What `control = caseful_local_part` kept is gone.
    run.cx.set_var(var::LOCAL_PART, part.lowercased());
    run.cx.set_var(var::DOMAIN, domain);
    if let Some(called) = called {
        return recipient_called(run, &address, &called, &params, options);
    }
    let deferred = matches!(standing, Standing::Deferred);
    let answer = judged(run, standing, options);
    let message = error.why().map(<[u8]>::to_vec).or_else(|| error.said.clone());
    let message = message.map(Str::tainted);
    // What a look-up says is for logs alone: it may name servers and users.
    let shown = error.shown().map(|shown| Str::tainted(shown.to_vec()));
    let said = error.said.map(Str::tainted);
    match answer {
        // What is overridden has its reason all the same.
        Answer::Yes if deferred => {
            if let Some(said) = said.or(shown) {
                says(run, said);
            }
            run.logged = message;
        }
        Answer::Yes => {}
        Answer::No => {
            if let Some(said) = said.or_else(|| message.clone()) {
                says(run, said);
            }
            run.logged = message;
        }
        _ => {
            let details = tells_details(run);
            if let Some(said) = said.or_else(|| shown.filter(|_| details)) {
                says(run, said);
            }
            run.logged = message;
        }
    }
    answer
}

/// What a recipient's hosts say.
fn recipient_called(
    run: &mut Run<'_>,
    address: &Str,
    called: &Called,
    params: &Params,
    options: &[Vec<u8>],
) -> Answer {
    let answer = judged_callout(run, called, params, options);
    match called.standing {
        Standing::Fine => {
            // A host that takes it vouches for what it is called.
            for (own, data) in
                [(var::DOMAIN, var::DOMAIN_DATA), (var::LOCAL_PART, var::LOCAL_PART_DATA)]
            {
                let value = Str::from(run.cx.value_of(own).bytes());
                run.cx.set_var(data, value);
            }
        }
        Standing::Failed => {
            says(run, Str::tainted(called.said.clone()));
            run.logged = called.logged.clone().map(Str::tainted);
        }
        // That it was put off is known where that is as good as a yes, too.
        Standing::Deferred => {
            let incomplete = b"Could not complete recipient verify callout";
            let said = advised(run, incomplete, address, "the address will never be accepted.");
            says(run, said);
            run.logged = Some(Str::tainted(uncompleted(incomplete, called)));
        }
    }
    answer
}

/// Whether clients are told why something is so (`smtp_return_error_details`).
fn tells_details(run: &Run<'_>) -> bool {
    run.cx.engine().settings().get(opt::SMTP_RETURN_ERROR_DETAILS)
}

/// What the client is told of hosts that can't be asked now: all of it, where
/// `smtp_return_error_details` is set.
fn advised(run: &Run<'_>, head: &[u8], address: &Str, advice: &str) -> Str {
    if !tells_details(run) {
        return Str::from(head.to_vec());
    }
    let whole = "The mail server(s) for the domain may be temporarily unreachable, or\n\
        they may be permanently unreachable from this server. In the latter case,\n";
    let tail = [b">.\n".as_slice(), whole.as_bytes(), advice.as_bytes()].concat();
    let (text, taint) = address.read();
    Str::from([head, b" for <", text, &tail].concat()).stamped(taint)
}

fn uncompleted(head: &[u8], called: &Called) -> Vec<u8> {
    match &called.logged {
        Some(why) => [head, b": ", why].concat(),
        None => head.to_vec(),
    }
}

/// Notes what the client is told, unless the statement has words of its own.
fn says(run: &mut Run<'_>, said: Str) {
    run.cx.set_var(var::ACL_VERIFY_MESSAGE, said.clone());
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

/// What a callout means, with its own `defer_ok`.
fn judged_callout(
    run: &mut Run<'_>,
    called: &Called,
    params: &Params,
    options: &[Vec<u8>],
) -> Answer {
    match called.standing {
        Standing::Deferred if params.defer_ok() => {
            run.note(b"verify defer overridden by callout_defer_ok");
            Answer::Yes
        }
        standing => judged(run, standing, options),
    }
}

/// What options want.
struct Wanted {
    callout: Params,
    quota: Option<quota::Quota>,
}

/// What the options of an address's verification want; an error is what comes of it
/// that something is wrong with them.
fn known_options(
    run: &mut Run<'_>,
    text: &[u8],
    options: &[Vec<u8>],
    subject: Subject,
) -> Result<Wanted, Answer> {
    let mut params = Wanted { callout: Params::new(), quota: None };
    let rules = Rules::of(run.cx.engine().settings());
    for option in options {
        let word = option.split(|c| *c == b'=').next().unwrap_or_default().trim_ascii_end();
        match (option.as_slice(), word) {
            (b"defer_ok" | b"no_details" | b"success_on_redirect", _) => {}
            (_, b"quota") if subject != Subject::Recipient => {
                run.logged = Some(Str::fixed("can only verify quota of recipient"));
                return Err(Answer::Error);
            }
            (option, b"quota") => match quota::Quota::parse(option, text) {
                Ok(quota) => params.quota = Some(quota),
                Err(why) => {
                    run.logged = Some(Str::from(why));
                    return Err(Answer::Error);
                }
            },
            (option, _) => match params.callout.option(option, text, subject, rules) {
                Ok(true) => {}
                Ok(false) => return Err(unknown_option(run, option, text)),
                Err(why) => {
                    run.logged = Some(Str::from(why));
                    return Err(Answer::Error);
                }
            },
        }
    }
    Ok(params)
}

fn unknown_option(run: &mut Run<'_>, option: &[u8], text: &[u8]) -> Answer {
    let parts = [b"unknown option \"", option, b"\" in ACL condition \"verify ", text, b"\""];
    run.logged = Some(Str::from(parts.concat()));
    Answer::Error
}

/// What came of routing an address.
struct Routed {
    /// After the rules for rewriting it.
    address: Str,
    standing: Standing,
    error: RouteError,
    /// `$address_data` at the end.
    data: Str,
    /// What its hosts say, where they were asked.
    called: Option<Called>,
}

/// What came of looking at a recipient for cut-through delivery.
pub(super) enum Judged {
    /// The message can't go along with it.
    Elsewhere,
    /// Its hosts were asked; and what was heard that is no last word.
    Asked(Standing, Option<Vec<u8>>),
}

/// Asks the host of the recipient at hand, to which the message may go at once.
pub(super) fn for_cutthrough(run: &mut Run<'_>, params: &Params) -> Judged {
    let Some(address) = run.state.recipient.clone() else { return Judged::Elsewhere };
    let own = [var::LOCAL_PART, var::DOMAIN].map(|var| (var, run.cx.value_of(var)));
    let Routed { standing, called, .. } = routed(run, &address, Subject::Recipient, &[], params);
    for (var, value) in own {
        run.cx.set_var(var, value);
    }
    match called {
        Some(called) => Judged::Asked(called.standing, called.heard),
        None if standing != Standing::Fine => Judged::Asked(standing, None),
        None => Judged::Elsewhere,
    }
}

/// As [`routed`], where that is told.
fn route(
    run: &mut Run<'_>,
    address: &Str,
    subject: Subject,
    options: &[Vec<u8>],
    params: &Params,
) -> Routed {
    let routed = routed(run, address, subject, options, params);
    if subject != Subject::HeaderSender {
        run.note(b"----------- end verify ------------");
    }
    routed
}

/// Rewrites an address, routes it, asks its hosts where that is wanted, and says in a variable
/// where it failed.
fn routed(
    run: &mut Run<'_>,
    address: &Str,
    subject: Subject,
    options: &[Vec<u8>],
    params: &Params,
) -> Routed {
    let acls = run.acls.clone();
    let purpose = subject.purpose();
    let (mut first, mut data, mut last) = (None, None, None);
    let (mut count, mut divided) = (0, false);
    // What is verified is not what the ACL is about.
    let own = [var::LOCAL_PART, var::DOMAIN].map(|var| (var, run.cx.value_of(var)));
    let typed = address.clone();
    let address = acls.routes().rewritten(run.cx, address, purpose);
    let mut request = Request { typed, ..Request::new(address.clone(), purpose) };
    request.asks_hosts = params.wanted();
    // Of senders in the header all that they lead to counts.
    request.redirection_suffices = subject != Subject::HeaderSender
        && options.iter().any(|option| option == b"success_on_redirect");
    let standing = acls.routes().test(run.cx, &request, &mut |report| match report {
        Report::Failed(address, error) | Report::Deferred(address, error) => {
            first.get_or_insert_with(|| (*error).clone());
            data = address.attached.address_data.clone().or(data.take());
        }
        Report::Delivered(delivery) | Report::Direct(delivery) => {
            count += 1;
            data = delivery.address.attached.address_data.clone();
            if params.wanted() && matches!(report, Report::Delivered(_)) {
                last = Some(Box::new((*delivery).clone()));
            }
        }
        Report::Divided(address) => {
            divided = true;
            data = address.attached.address_data.clone();
        }
        Report::Discarded(address) => data = address.attached.address_data.clone(),
    });
    for (var, value) in own {
        run.cx.set_var(var, value);
    }
    cutthrough::heed_verdict(run, standing);
    let alone = count == 1 && !divided;
    let asks = standing == Standing::Fine && (alone || !params.goes_along());
    let delivery = last.filter(|_| asks);
    let called =
        delivery.and_then(|delivery| callout::call(run, params, subject, &delivery, alone));
    if let Some(called) = &called {
        cutthrough::heed_verdict(run, called.standing);
    }
    let variable = match purpose {
        Purpose::VerifySender => var::SENDER_VERIFY_FAILURE,
        _ => var::RECIPIENT_VERIFY_FAILURE,
    };
    let word = match &called {
        Some(called) => called.failure.word(),
        None if standing == Standing::Fine => "",
        None => "route",
    };
    run.cx.set_var(variable, Str::fixed(word));
    let error = first.unwrap_or_default();
    Routed { address, standing, error, data: data.unwrap_or_default(), called }
}

#[cfg(test)]
mod tests;
