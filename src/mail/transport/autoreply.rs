//! `autoreply`: a message of its own (specification, chapter 27).
//!
//! What it says is either in the transport's options or, where a filter wants it sent, in
//! what the filter said; never a mixture of both.

mod letter;
mod once;

use std::sync::Arc;

use eximious_core::Str;
use eximious_core::world::{UserFileOrder, UserFileWork};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::interval;
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::options::opt as main;
use eximious_stdlib::options::opt::transport::autoreply as opt;
use eximious_stdlib::printing::printing;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::filter::TransportFilter;
use super::local::UNKNOWN;
use super::{Delivered, Outcome, TransportCall, Undelivered};
use crate::acl::OwnMessage;
use crate::mail::filter::AutoReply;
use crate::mail::route::{DeliveryTarget, Text};
use once::Once;

/// The status of a message that nobody gets.
const NO_RECIPIENTS: u8 = 2;

/// What is to be said, to whom.
#[derive(Debug, Default)]
struct Reply {
    from: Option<Str>,
    reply_to: Option<Str>,
    to: Option<Str>,
    cc: Option<Str>,
    bcc: Option<Str>,
    subject: Option<Str>,
    headers: Option<Str>,
    text: Option<Str>,
    file: Option<Str>,
    file_expand: bool,
    return_message: bool,
    log: Option<Str>,
    once: Option<Str>,
    once_repeat: u64,
    /// What a filter had, for the lines of its file.
    numeric: Vec<Str>,
    this_address: Str,
}

/// Why nothing is sent.
enum Trouble {
    Deferred(Undelivered),
    Failed(Undelivered),
}

/// It never will be. The sender is told no reason.
fn never(message: Vec<u8>) -> Trouble {
    let said = Some(Vec::new());
    Trouble::Failed(Undelivered { said, ..Undelivered::new(0, message) })
}

/// It may be another time.
fn later(error: &std::io::Error, message: &[u8]) -> Trouble {
    let why = wording::reason(error);
    let parts = [message, b": ", why.as_bytes()];
    let number = error.raw_os_error().unwrap_or(0);
    Trouble::Deferred(Undelivered::new(number, parts.concat()))
}

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    // A command that nothing goes through has to be one all the same.
    let outcome = match call.filter("") {
        Ok(filter) => answer(call, filter),
        Err(trouble) => trouble.into(),
    };
    vec![outcome; call.consignment.deliveries.len()]
}

fn answer(call: &mut TransportCall<'_>, filter: Option<Arc<TransportFilter>>) -> Outcome {
    match reply(call, filter) {
        Ok(size) => Outcome::Delivered(Delivered { size: Some(size), ..Delivered::default() }),
        Err(Trouble::Deferred(why)) => Outcome::Deferred(why),
        Err(Trouble::Failed(why)) => Outcome::Failed(why),
    }
}

/// Answers; how much of the message, as a command leaves it, went back with that.
fn reply(
    call: &mut TransportCall<'_>,
    filter: Option<Arc<TransportFilter>>,
) -> Result<u64, Trouble> {
    let mut reply = match &call.consignment.deliveries[0].target {
        DeliveryTarget::Reply(wanted) => of_filter(call, wanted),
        DeliveryTarget::Notice(notice) => {
            let text = notice.letter();
            send(call, text)?;
            return Ok(0);
        }
        _ => of_options(call)?,
    };
    reply.return_message |= call.transport.on(opt::RETURN_MESSAGE);
    leave_out(call, &mut reply)?;
    if reply.to.is_none() && reply.cc.is_none() && reply.bcc.is_none() && has_never_mail(call) {
        return Ok(0);
    }
    let once = Once::of(call, &reply)?;
    if let Some(once) = &once
        && once.is_too_soon(call.consignment.now)
    {
        let to = reply.to.clone().unwrap_or_default();
        log(call, &reply, &[b"  previously sent to ", to.bytes(), b"\n"].concat());
        return Ok(0);
    }
    let (text, returned) = letter::write(call, &reply, filter)?;
    send(call, text)?;
    if let Some(once) = once {
        once.keep(call);
    }
    let mut lines = Vec::new();
    let fields = [
        ("From: ", &reply.from),
        ("To: ", &reply.to),
        ("Cc: ", &reply.cc),
        ("Bcc: ", &reply.bcc),
        ("Subject: ", &reply.subject),
        ("", &reply.headers),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            lines.extend([b"  ", name.as_bytes(), value.bytes(), b"\n"].concat());
        }
    }
    log(call, &reply, &lines);
    Ok(returned)
}

/// What the transport's options say.
fn of_options(call: &mut TransportCall<'_>) -> Result<Reply, Trouble> {
    let mut field = |option| -> Result<Option<Str>, Trouble> {
        let Some(text) = value(call, option)? else { return Ok(None) };
        let topbit = call.cx.engine().settings().get(main::PRINT_TOPBITCHARS);
        if let Some(byte) = unprintable(text.bytes(), topbit) {
            let written = call.transport.text(option).cloned().unwrap_or_default();
            let name = call.transport.name.bytes();
            let written = printing(written.bytes(), topbit);
            let head = [b"Expansion of \"", &written[..], b"\" in ", name].concat();
            let tail = format!(" transport contains non-printing character {byte}");
            return Err(never([&head[..], tail.as_bytes()].concat()));
        }
        Ok(Some(text))
    };
    let mut reply = Reply {
        from: field(opt::FROM)?,
        reply_to: field(opt::REPLY_TO)?,
        to: field(opt::TO)?,
        cc: field(opt::CC)?,
        bcc: field(opt::BCC)?,
        subject: field(opt::SUBJECT)?,
        ..Reply::default()
    };
    reply.headers = value(call, opt::HEADERS)?;
    reply.text = value(call, opt::TEXT)?;
    reply.file = value(call, opt::FILE)?;
    reply.log = expanded(call, opt::LOG)?;
    reply.once = expanded(call, opt::ONCE)?;
    reply.file_expand = call.transport.on(opt::FILE_EXPAND);
    if let Some(text) = value(call, opt::ONCE_REPEAT)? {
        reply.once_repeat = match interval::seconds(text.bytes()) {
            Some(seconds) => u64::from(seconds.unsigned_abs()),
            None => {
                let head = [b"Invalid time value \"", text.bytes()].concat();
                let tail = [call.transport.name.bytes(), b" transport"].concat();
                let parts = [&head[..], b"\" for \"once_repeat\" in ", &tail];
                return Err(never(parts.concat()));
            }
        };
    }
    Ok(reply)
}

/// What a filter says.
fn of_filter(call: &mut TransportCall<'_>, wanted: &AutoReply) -> Reply {
    let to = wanted.to.clone().or_else(|| {
        let address = call.cx.value_of(var::REPLY_ADDRESS);
        (wanted.cc.is_none() && wanted.bcc.is_none()).then_some(address)
    });
    Reply {
        from: wanted.from.clone(),
        reply_to: wanted.reply_to.clone(),
        to,
        cc: wanted.cc.clone(),
        bcc: wanted.bcc.clone(),
        subject: wanted.subject.clone(),
        headers: wanted.extra_headers.clone(),
        text: wanted.text.clone(),
        file: wanted.file.clone().filter(|name| !name.is_empty()),
        file_expand: wanted.expand_file,
        return_message: wanted.return_message,
        log: wanted.log.clone(),
        once: wanted.once.clone(),
        once_repeat: wanted.once_repeat.unwrap_or(0),
        numeric: wanted.numeric.clone(),
        this_address: wanted.this_address.clone(),
    }
}

/// Has it sent; with no sender, so that nobody answers.
fn send(call: &mut TransportCall<'_>, text: Vec<u8>) -> Result<(), Trouble> {
    let hand_in = call.consignment.hand_in;
    let user = call.consignment.user.clone();
    let status = hand_in(call.cx, &user, OwnMessage { sender: Vec::new(), text });
    if status != 0 && status != NO_RECIPIENTS {
        let name = call.transport.name.bytes();
        let status = format!(" transport ({status})");
        let parts = [b"Failed to send message from ", name, status.as_bytes()];
        return Err(Trouble::Deferred(Undelivered::new(0, parts.concat())));
    }
    Ok(())
}

/// A text of the transport's; nothing where it is not set, or empty.
fn expanded(
    call: &mut TransportCall<'_>,
    option: eximious_core::DriverOpt<Str>,
) -> Result<Option<Str>, Trouble> {
    Ok(value(call, option)?.filter(|value| !value.is_empty()))
}

/// A text of the transport's; nothing where it is not set.
fn value(
    call: &mut TransportCall<'_>,
    option: eximious_core::DriverOpt<Str>,
) -> Result<Option<Str>, Trouble> {
    let Some(text) = call.transport.text(option).cloned() else { return Ok(None) };
    match Text::new(text.clone()).expand(call.cx) {
        Ok(value) => Ok(Some(value)),
        Err(fail) => {
            let name = call.transport.name.bytes();
            let head = [b"Expansion of \"", text.bytes(), b"\" failed in ", name].concat();
            Err(never([&head[..], b" transport: ", fail.message()].concat()))
        }
    }
}

/// The first byte that a header line may not have: what does not print, but for the end of a
/// line that goes on.
fn unprintable(text: &[u8], topbit_prints: bool) -> Option<u8> {
    let goes_on = |at: usize| matches!(text.get(at + 1), Some(b' ' | b'\t'));
    let mut bytes = text.iter().enumerate();
    let wrong = bytes.find(|(at, byte)| match byte {
        b'\n' => !goes_on(*at),
        b'\t' | b' '..=b'~' => false,
        128.. => !topbit_prints,
        _ => true,
    });
    wrong.map(|(_, byte)| *byte)
}

fn has_never_mail(call: &TransportCall<'_>) -> bool {
    call.transport.some_text(opt::NEVER_MAIL).is_some()
}

/// Leaves out whom `never_mail` names.
fn leave_out(call: &mut TransportCall<'_>, reply: &mut Reply) -> Result<(), Trouble> {
    let Some(text) = call.transport.some_text(opt::NEVER_MAIL).cloned() else { return Ok(()) };
    let list = match Text::new(text.clone()).expand(call.cx) {
        Ok(list) => list,
        Err(_) => {
            let name = call.transport.name.bytes();
            let head =
                [b"Failed to expand \"", text.bytes(), b"\" for \"never_mail\" in "].concat();
            return Err(never([&head[..], name, b" transport"].concat()));
        }
    };
    for field in [&mut reply.to, &mut reply.cc, &mut reply.bcc] {
        let Some(all) = field.take() else { continue };
        let left = without(call, &list, all.bytes())?;
        *field = left.map(|left| Str::from(left).stamped(all.taint()));
    }
    Ok(())
}

/// The addresses that are not in a list; nothing where all of them are. What names nobody is left
/// as it is: it is no less of a recipient for `once`.
fn without(
    call: &mut TransportCall<'_>,
    list: &Str,
    all: &[u8],
) -> Result<Option<Vec<u8>>, Trouble> {
    let rules = Rules { literals: true, ..Rules::of(call.cx.engine().settings()) };
    let (mut left, mut rest) = (Vec::new(), all);
    let mut all_stay = true;
    while !rest.is_empty() {
        let end = address::find_end(rest, false);
        let (item, after) = (&rest[..end], rest.get(end + 1..));
        let is_never = match address::parse(item, rules) {
            Ok(one) => {
                let mut address = one.text;
                if one.domain.is_none() {
                    let domain = call.cx.value_of(var::QUALIFY_RECIPIENT);
                    address.extend([b"@", domain.bytes()].concat());
                }
                let address = Str::tainted(address);
                match call.cx.is_in_expanded(list, &mut Matcher::address(&address)) {
                    Ok(outcome) => matches!(outcome, ListOutcome::Matched(_)),
                    // What can't be looked up is nothing that the message is to blame for.
                    Err(fail) => {
                        return Err(Trouble::Deferred(Undelivered::new(UNKNOWN, fail.message())));
                    }
                }
            }
            Err(_) => false,
        };
        all_stay &= !is_never;
        if !is_never {
            left.extend_from_slice(&rest[..end]);
            if after.is_some() {
                left.push(b',');
            }
        }
        rest = after.unwrap_or_default();
    }
    if all_stay {
        return Ok(Some(all.to_vec()));
    }
    if left.last() == Some(&b',') && !all.ends_with(b",") {
        left.pop();
    }
    Ok(Some(left).filter(|left| !left.trim_ascii().is_empty()))
}

impl TransportCall<'_> {
    /// An order for a file of the user's; its name counts from the current directory.
    fn user_file(&mut self, name: &Str, work: UserFileWork) -> UserFileOrder {
        let path = match name.bytes().starts_with(b"/") {
            true => name.bytes().to_vec(),
            false => {
                let place = self.directory.strip_suffix(b"/").unwrap_or(&self.directory);
                [place, b"/", name.bytes()].concat()
            }
        };
        UserFileOrder { user: self.consignment.user.clone(), path, work }
    }
}

/// Names of files are nothing that a message brings.
fn untainted(call: &TransportCall<'_>, what: &str, name: &Str) -> Result<(), Trouble> {
    if !name.taint().is_tainted() {
        return Ok(());
    }
    let own = call.transport.name.bytes();
    let head = [b"Tainted '", name.bytes(), b"' (", what.as_bytes(), b" for ", own].concat();
    let why = [&head[..], b" transport) not permitted"].concat();
    const EACCES: i32 = 13;
    let why = [b"Permission denied: ", &why[..]].concat();
    Err(Trouble::Deferred(Undelivered::new(EACCES, why)))
}

/// Logs what was done, where that is wanted; whether it can be is nobody's concern.
fn log(call: &mut TransportCall<'_>, reply: &Reply, lines: &[u8]) {
    let Some(name) = &reply.log else { return };
    if name.taint().is_tainted() {
        call.cx.log().panic(&wording::tainted("filename", name.bytes()));
        return;
    }
    let mode = u32::try_from(call.transport.get(opt::MODE)).unwrap_or(0o600);
    let time = call.cx.value_of(var::TOD_LOG);
    let text = [time.bytes(), b"\n", lines].concat();
    let order = call.user_file(name, UserFileWork::Append(mode, text));
    let _ = call.cx.engine().world().mailboxes.file(&order);
}
