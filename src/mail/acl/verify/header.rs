//! What is verified of the message's header (specification 44.17).

use eximious_core::{AclOptions, AclVerify, Header, Runs, Str};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::options::opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;

use super::super::callout::{Params, Subject};
use super::super::machine::{Answer, Run};
use super::super::words::{self, Asked, VerifyRun};
use super::{Routed, judged, known_options, route, tells_details, uncompleted};
use crate::mail::route::Standing;

/// Lines whose addresses must be well formed.
const SYNTAX: [&str; 12] = [
    "from",
    "resent-from",
    "sender",
    "resent-sender",
    "reply-to",
    "resent-reply-to",
    "to",
    "resent-to",
    "cc",
    "resent-cc",
    "bcc",
    "resent-bcc",
];
/// Lines that name a sender, in the order in which they are looked at.
const SENDERS: [&[&str]; 3] =
    [&["sender", "resent-sender"], &["reply-to"], &["from", "resent-from"]];
/// Lines that name recipients.
const RECIPIENTS: [&str; 4] = ["to", "resent-to", "cc", "resent-cc"];
/// How much of an address is shown.
const SHOWN: usize = 1024;
/// How many senders are verified at the most.
const MOST_SENDERS: usize = 100;

/// `verify = header_syntax`.
pub(in crate::mail::acl) static HEADER_SYNTAX: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(syntax)),
    words::meta(
        "header_syntax",
        "verify = header_syntax",
        "specification 44.17",
        "The addresses in the header are well formed.",
        "Lines with addresses are looked at: Sender:, From:, Reply-To:, To:, Cc: and Bcc:. \
         Addresses without a domain are well formed only in local messages and from hosts that \
         may send such.",
    ),
)
.phases(words::WITH_HEADER);

fn syntax(run: &mut Run<'_>, _: Asked<'_>) -> Answer {
    let Some(headers) = headers(run) else { return Answer::Yes };
    let rules = Rules::of(run.cx.engine().settings());
    let local = run.cx.value_of(var::SENDER_HOST_ADDRESS).is_empty();
    for header in &headers {
        if !SYNTAX.iter().any(|name| header.is(name.as_bytes())) {
            continue;
        }
        let value = header.value();
        for element in address::arriving_list(value, rules) {
            let why = match &element.address {
                Ok(found) if found.domain.is_some() || found.text.is_empty() => continue,
                // Local messages may have such.
                Ok(_) if local => continue,
                Ok(_) => b"unqualified address not permitted".to_vec(),
                Err(error) if error.is_empty() => continue,
                Err(error) => error.message.clone(),
            };
            let text = value.get(element.span.clone()).unwrap_or_default().trim_ascii();
            let verb: &[u8] = if text.len() > SHOWN { b"begins" } else { b"is" };
            let line = [
                &why,
                b": failing address in \"".as_slice(),
                &header.name,
                b":\" header ",
                verb,
                b": ",
                &text[..text.len().min(SHOWN)],
            ];
            let topbit_prints = run.cx.engine().settings().get(opt::PRINT_TOPBITCHARS);
            let line = Str::tainted(printing(&line.concat(), topbit_prints));
            return rejected(run, line, None);
        }
    }
    Answer::Yes
}

/// `verify = header_names_ascii`.
pub(in crate::mail::acl) static HEADER_NAMES_ASCII: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(names_ascii)),
    words::meta(
        "header_names_ascii",
        "verify = header_names_ascii",
        "specification 44.17",
        "The names of header lines are ASCII.",
        "A name may have the characters 33 to 126. Other names do no harm here, but may to what \
         comes after.",
    ),
)
.phases(words::WITH_HEADER);

fn names_ascii(run: &mut Run<'_>, _: Asked<'_>) -> Answer {
    let Some(headers) = headers(run) else { return Answer::Yes };
    let odd =
        headers.iter().find(|one| !one.name.trim_ascii().iter().all(|c| (33..=126).contains(c)));
    let Some(odd) = odd else { return Answer::Yes };
    let line = [b"Invalid character in header \"".as_slice(), &odd.name, b"\" found"].concat();
    rejected(run, Str::tainted(line), None)
}

/// `verify = not_blind`.
pub(in crate::mail::acl) static NOT_BLIND: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(not_blind)),
    words::meta(
        "not_blind",
        "verify = not_blind[/case_insensitive]",
        "specification 44.17",
        "Each recipient stands in the header.",
        "Every recipient of the envelope must be in To: or Cc:, or in their Resent- forms. Local \
         parts must agree in case, unless `/case_insensitive` follows. Many messages with blind \
         recipients are quite all right.",
    ),
)
.phases(words::WITH_HEADER)
.options(AclOptions::Names(&["case_insensitive"]));

/// All recipients stand in the header.
fn not_blind(run: &mut Run<'_>, Asked { text, options, .. }: Asked<'_>) -> Answer {
    let mut caseless = false;
    for option in options {
        match option.as_slice() {
            b"case_insensitive" => caseless = true,
            option => return super::unknown_option(run, option, text),
        }
    }
    let Some(message) = run.cx.message() else { return Answer::Yes };
    let rules = Rules::of(run.cx.engine().settings());
    let mut named = std::collections::HashSet::new();
    for header in message.headers.iter().filter(|one| is_one(&one.name, &RECIPIENTS)) {
        for element in address::list(header.value(), rules) {
            if let Ok(found) = element.address {
                named.insert(folded(&found.text, caseless));
            }
        }
    }
    if message.recipients.iter().all(|one| named.contains(&folded(one.bytes(), caseless))) {
        return Answer::Yes;
    }
    rejected(run, Str::fixed("bcc recipient detected"), None)
}

/// That the header is refused: what logs say, and, with `smtp_return_error_details`, what
/// the client is told, which is the same unless it is more.
fn rejected(run: &mut Run<'_>, logged: Str, detail: Option<Vec<u8>>) -> Answer {
    if tells_details(run) {
        let detail = detail.as_deref().unwrap_or_else(|| logged.bytes());
        run.said = Some(Str::tainted([b"Rejected after DATA: ", detail].concat()));
    }
    run.logged = Some(logged);
    Answer::No
}

/// An address with its domain in lower case, and its local part where case does
/// not count.
fn folded(text: &[u8], caseless: bool) -> Vec<u8> {
    let at = match caseless {
        true => 0,
        false => address::find_at(text).unwrap_or(text.len()),
    };
    let mut text = text.to_vec();
    text[at..].make_ascii_lowercase();
    text
}

/// `verify = header_sender`.
pub(in crate::mail::acl) static HEADER_SENDER: AclVerify = words::verify(
    Runs::of(&VerifyRun::Own(sender)),
    words::meta(
        "header_sender",
        "verify = header_sender[/<options>]",
        "specification 44.17",
        "A sender in the header can be verified.",
        "One address of Sender:, Reply-To: or From: must be routable; with `/callout` its host \
         must take it. `callout=mailfrom=<address>` sets the sender of the callout, since such an \
         address need not take bounces. The options are those of `verify = sender`.",
    ),
)
.phases(words::WITH_HEADER)
.options(words::ADDRESS_OPTIONS)
.effects(words::OF_ROUTING);

/// One of the senders in the header can be routed to.
fn sender(run: &mut Run<'_>, Asked { text, options, .. }: Asked<'_>) -> Answer {
    let params = match known_options(run, text, options, Subject::HeaderSender) {
        Ok(wanted) => wanted.callout,
        Err(answer) => return answer,
    };
    let Some(headers) = headers(run) else { return Answer::Yes };
    let rules = Rules::of(run.cx.engine().settings());
    let (mut deferred, mut forgiven, mut left) = (false, false, MOST_SENDERS);
    // What was wrong with the last one, and what the last look-up said that has no answer.
    let (mut detail, mut lookup) = (None, None);
    for names in SENDERS {
        for header in headers.iter().filter(|one| names.iter().any(|name| one.is(name.as_bytes())))
        {
            let value = header.value();
            for element in address::list(value, rules) {
                let text = value.get(element.span.clone()).unwrap_or_default().trim_ascii();
                if text.is_empty() || left == 0 {
                    continue;
                }
                left -= 1;
                let note: [&[u8]; 4] = [b"verifying ", &header.name, b": header address ", text];
                run.note(&note.concat());
                let found = match element.address {
                    Ok(found) => found,
                    Err(error) if error.is_empty() => continue,
                    Err(error) => {
                        let line = [
                            b"syntax error in '".as_slice(),
                            &header.name,
                            b":' header when scanning for sender: ",
                            &error.message,
                            b" in \"",
                            &text[..text.len().min(SHOWN)],
                            b"\"",
                        ];
                        return rejected(run, Str::tainted(line.concat()), detail);
                    }
                };
                let address = Str::tainted(found.text);
                let judged = match found.domain {
                    Some(_) => one(run, &address, text, options, &params),
                    None => {
                        run.cx.set_var(var::SENDER_VERIFY_FAILURE, Str::fixed("qualify"));
                        Judged::of(Answer::No)
                    }
                };
                match judged.answer {
                    Answer::Yes => return Answer::Yes,
                    answer => deferred |= answer == Answer::Later,
                }
                forgiven |= judged.forgiven;
                lookup = judged.lookup.or(lookup);
                let why = judged.why.as_deref().unwrap_or(b"NULL");
                let parts: [&[u8]; 6] = [
                    b"could not verify \"",
                    &header.name,
                    b":\" header address\n",
                    address.bytes(),
                    b": ",
                    why,
                ];
                detail = Some(parts.concat());
            }
        }
    }
    if forgiven {
        run.note(b"verify defer overridden by callout_defer_ok");
        return Answer::Yes;
    }
    if deferred {
        let line = "all attempts to verify a sender in a header line deferred";
        rejected(run, Str::fixed(line), detail);
        if let Some(lookup) = lookup {
            run.logged = Some(Str::tainted(lookup));
        }
        return Answer::Later;
    }
    rejected(run, Str::fixed("there is no valid sender in any header line"), detail)
}

/// What came of one sender in the header.
struct Judged {
    answer: Answer,
    /// That it can't be asked now may be forgiven in the end.
    forgiven: bool,
    /// What is wrong with it.
    why: Option<Vec<u8>>,
    /// What a look-up said that had no answer.
    lookup: Option<Vec<u8>>,
}

impl Judged {
    /// With nothing to say of it.
    fn of(answer: Answer) -> Self {
        Self { answer, forgiven: false, why: None, lookup: None }
    }
}

/// Verifies one sender, unless that was done with the envelope's.
fn one(
    run: &mut Run<'_>,
    address: &Str,
    text: &[u8],
    options: &[Vec<u8>],
    params: &Params,
) -> Judged {
    let before = run.state.senders.iter().find(|one| one.address.bytes() == text);
    if let Some(before) = before.cloned().filter(|_| !params.wanted()) {
        run.note(b"previously checked as envelope sender");
        let answer = judged(run, before.standing, options);
        return Judged { why: before.why, ..Judged::of(answer) };
    }
    let Routed { standing, called, error, .. } =
        route(run, address, Subject::HeaderSender, options, params);
    match called {
        Some(called) if called.standing == Standing::Deferred => Judged {
            answer: Answer::Later,
            forgiven: params.defer_ok(),
            why: Some(uncompleted(b"Could not complete sender verify callout", &called)),
            lookup: None,
        },
        Some(called) => Judged::of(Answer::from(called.standing == Standing::Fine)),
        None => Judged {
            answer: judged(run, standing, options),
            forgiven: false,
            why: error.shown().map(<[u8]>::to_vec),
            lookup: error.looked_up().map(<[u8]>::to_vec),
        },
    }
}

fn is_one(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()))
}

/// The message's header lines; `None` where there is no message yet.
fn headers(run: &Run<'_>) -> Option<Vec<Header>> {
    run.cx.message().map(|message| message.headers.clone())
}
