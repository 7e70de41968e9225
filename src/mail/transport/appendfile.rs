//! `appendfile`: to files and directories (specification, chapter 26).

mod limit;
mod order;
mod rules;
mod supply;

use std::sync::Arc;

use eximious_core::world::mailbox::{
    MailboxCover, MailboxDone, MailboxFault, MailboxFaultKind, MailboxForm, MailboxOrder,
    UserFileOrder, UserFileWork, fault,
};
use eximious_core::{Effects, Meta, Str, TaintRule};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt::transport::appendfile as opt;
use eximious_stdlib::variables::var;

use super::driver::Deliver;
use super::filter::TransportFilter;
use super::local::{LocalText, Surroundings, Trouble, UNKNOWN, surroundings};
use super::{Delivered, Outcome, TransportCall, Undelivered};
use crate::config::RetryError;
use crate::mail::route::DeliveryTarget;

pub(super) use rules::RULES;

pub(crate) use limit::limit;

static META: Meta = Meta::new("appendfile", Effects::FILES, TaintRule::Result);

static SURROUNDINGS: Surroundings = surroundings!(opt);

/// The system's number of what took too long.
const TIMEOUT: i32 = 110;

/// How often a mailbox may be another transport's.
const MOST_TRANSPORTS: usize = 10;

/// The command that what is written goes through, if there is one.
type Filter = Option<Arc<TransportFilter>>;

pub(super) fn run(call: &mut TransportCall<'_>) -> Vec<Outcome> {
    let outcome = match deliver(call, None, MOST_TRANSPORTS) {
        Ok(delivered) => Outcome::Delivered(delivered),
        Err(trouble) => trouble.into(),
    };
    vec![outcome; call.consignment.deliveries.len()]
}

/// Delivers; where another transport has left it to this one, through that one's command.
fn deliver(
    call: &mut TransportCall<'_>,
    left_by: Option<Filter>,
    left: usize,
) -> Result<Delivered, Trouble> {
    let quota = order::quota(call)?;
    let filter = left_by.map_or_else(|| call.filter(""), Ok)?;
    let ready = order::read(call, quota)?;
    let file = chosen(call, &ready.named);
    write(call, ready, (filter, left), file.as_deref()).map_err(|trouble| trouble.at(file))
}

/// Writes, where it is known what and where; `file` is what a log names.
fn write(
    call: &mut TransportCall<'_>,
    order::Ready { order, threshold, transports, .. }: order::Ready,
    (filter, left): (Filter, usize),
    file: Option<&[u8]>,
) -> Result<Delivered, Trouble> {
    let kept = filter.clone();
    let is_maildir = matches!(order.form, MailboxForm::Maildir { .. });
    let filter = filter.map(|one| if is_maildir { one.within(&order.path) } else { one });
    let is_mbx = matches!(order.form, MailboxForm::File(_) | MailboxForm::Files)
        && call.transport.on(opt::MBX_FORMAT);
    let text = LocalText::new(call, &SURROUNDINGS, filter, (Some(&order.path), is_mbx))?;
    let denied = call.cx.call(&META, |call| call.files().map(|_| ()));
    denied.map_err(|fail| Undelivered::new(UNKNOWN, fail.message()))?;
    let mailboxes = call.cx.engine().world().mailboxes.clone();
    let written = {
        let mut supply = supply::Supply::new(call, &text, (&order, file), is_mbx)?;
        mailboxes.write(&order, &mut supply)
    };
    match written.and_then(|done| settled(call, &order, done)) {
        Ok(done) => {
            notify(call, &order, &done);
            let warning = warning(call, &order, threshold, &done);
            let size = Some(text.logged_size(done.written));
            let file = file.map(<[u8]>::to_vec);
            Ok(Delivered { size, warning, file, ..Delivered::default() })
        }
        Err(MailboxFault { kind: MailboxFaultKind::Format(at), .. }) => {
            pass_on(call, &transports[at], kept, left)
        }
        // Whoever named the file is told at once that it has no place.
        Err(fault) if fault.kind == MailboxFaultKind::Placeless && is_asked_for(call) => {
            let why = undelivered(fault);
            let (said, rest) = why.words();
            let message = [&said.unwrap_or_default()[..], b": ", rest].concat();
            Err(Trouble::Failed(Undelivered {
                said: Some(Vec::new()),
                ..Undelivered::new(0, message)
            }))
        }
        Err(fault) => Err(Trouble::Deferred(unwritten(&text, fault))),
    }
}

/// What was written, which is on disk, or made again after a power failure.
fn settled(
    call: &mut TransportCall<'_>,
    order: &MailboxOrder,
    done: MailboxDone,
) -> Result<MailboxDone, MailboxFault> {
    let covers = |cover: &dyn MailboxCover| cover.cover(&done.path, done.written);
    if !done.is_unsynced || call.consignment.cover.is_some_and(covers) {
        return Ok(done);
    }
    let work = UserFileWork::Settle;
    let settle = UserFileOrder { user: order.user.clone(), path: done.path.clone(), work };
    match call.cx.engine().world().mailboxes.file(&settle) {
        Ok(_) => Ok(done),
        Err(error) => {
            let message = [b"error while writing to ", &done.path[..]].concat();
            Err(MailboxFault::of(&error, message))
        }
    }
}

/// Why a mailbox could not be written to, or why what was to be written did not come: a command
/// fails as it is read from, which comes behind all else.
fn unwritten(text: &LocalText<'_>, fault: MailboxFault) -> Undelivered {
    match text.filter_fault().zip(written_to(&fault)) {
        Some((why, name)) if !why.is_cut() => {
            let place = [b" while writing to ", name].concat();
            match why.is_timeout() {
                true => {
                    let words = b"Connection timed out: error";
                    Undelivered::new(TIMEOUT, [&words[..], &place].concat())
                }
                false => why.told("transport filter", &place).panicking(),
            }
        }
        _ => undelivered(fault),
    }
}

/// What it was that could not be written to: a new file has a name of its own until it is
/// whole.
fn written_to(fault: &MailboxFault) -> Option<&[u8]> {
    fault.message.strip_prefix(b"error while writing to ")
}

/// Whether an address or a filter names what is written to.
fn is_asked_for(call: &TransportCall<'_>) -> bool {
    matches!(call.consignment.deliveries[0].target, DeliveryTarget::File { .. })
}

/// The file or the directory that is written to, where it is another than was asked for, by
/// the transport's own word.
fn chosen(call: &TransportCall<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let asked = call.consignment.deliveries[0].address.text.bytes();
    (is_asked_for(call) && asked != path).then(|| path.to_vec())
}

/// Why a mailbox could not be written to, as others are told.
fn undelivered(fault: MailboxFault) -> Undelivered {
    let error = match fault.kind {
        MailboxFaultKind::Quota(unread) => RetryError::Quota(unread),
        _ => RetryError::Any,
    };
    let is_senseless = fault.kind == MailboxFaultKind::Senseless;
    let freezes = fault.kind == MailboxFaultKind::Suspect;
    // Of what is wrong, the sender is told no more than that.
    let is_full = matches!(fault.kind, MailboxFaultKind::Quota(_));
    let said = is_full.then(|| b"mailbox is full".to_vec());
    let why = Undelivered::new(fault.number, fault.message);
    let why = if is_senseless { why.panicking() } else { why };
    let is_untried = why.is_untried || fault.kind == MailboxFaultKind::Untried;
    Undelivered { error, freezes, said, is_untried, ..why }
}

/// Has another transport deliver, where a mailbox's format is its own (`file_format`): of this
/// host, since no hosts are known; where it writes to no mailbox, for one address, since of
/// several there is one outcome.
fn pass_on(
    call: &mut TransportCall<'_>,
    (start, name): &(Str, Str),
    filter: Filter,
    left: usize,
) -> Result<Delivered, Trouble> {
    let other = call.routes.transport_named(name.bytes()).filter(|_| left > 0);
    let is_one = call.consignment.deliveries.len() == 1;
    let other = other.and_then(|other| match other.delivers()?.1 {
        _ if other.is_mailbox() => Some((other, None)),
        Deliver::Own(run) if is_one && !other.is_remote() => Some((other, Some(*run))),
        _ => None,
    });
    let Some((other, run)) = other else {
        let head: &[u8] = b" transport (for ";
        let parts = [name.bytes(), head, start.bytes(), b" format) not found"];
        return Err(Undelivered::new(fault::NO_FORMAT_TRANSPORT, parts.concat()).into());
    };
    let own = std::mem::replace(&mut call.transport, other);
    let delivered = match run {
        None => deliver(call, Some(filter), left - 1),
        Some(run) => match run(call).into_iter().next() {
            Some(Outcome::Delivered(delivered)) => Ok(delivered),
            Some(Outcome::Failed(why)) => Err(Trouble::Failed(why)),
            Some(Outcome::Deferred(why)) => Err(Trouble::Deferred(why)),
            None => Err(Undelivered::new(UNKNOWN, "there is no outcome").into()),
        },
    };
    call.transport = own;
    delivered.map(|mut done| {
        done.transport.get_or_insert_with(|| other.name.clone());
        done
    })
}

/// The pairs of `file_format`; what stands behind the last one is none.
fn formats(text: &Str) -> Vec<(Str, Str)> {
    let all: Vec<Str> = elements(text.bytes()).map(|one| Str::from(one.to_vec())).collect();
    all.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// Tells the daemon that tells users of new mail (`notify_comsat`). Whether it hears is
/// nobody's concern; of a message that is several users' it is not told.
fn notify(call: &mut TransportCall<'_>, order: &MailboxOrder, done: &MailboxDone) {
    static COMSAT: Meta = Meta::new("comsat", Effects::NET, TaintRule::Result);
    /// The port of `biff`.
    const PORT: u16 = 512;
    let is_single = call.consignment.deliveries.len() == 1;
    if !call.transport.on(opt::NOTIFY_COMSAT) || !is_single || is_null(order) {
        return;
    }
    // In a directory there is nothing before it.
    let offset = match order.form {
        MailboxForm::File(_) => done.offset.to_string(),
        _ => "-1".to_owned(),
    };
    let user = call.cx.value_of(var::LOCAL_PART);
    let text = [user.bytes(), b"@", offset.as_bytes(), b"\n\0"].concat();
    let to = (std::net::Ipv4Addr::LOCALHOST, PORT).into();
    let _ = call.cx.call(&COMSAT, |call| call.net().map(|net| net.send(to, &text)));
}

/// Whether what is written goes nowhere.
fn is_null(order: &MailboxOrder) -> bool {
    order.path == b"/dev/null"
}

/// The warning that the mailbox's owner gets, where the message went beyond the threshold.
fn warning(
    call: &mut TransportCall<'_>,
    order: &MailboxOrder,
    threshold: u64,
    done: &MailboxDone,
) -> Option<Vec<u8>> {
    let before = done.bytes_before.filter(|_| threshold > 0)?;
    let after = before.saturating_add(done.written);
    if before > threshold || after <= threshold || is_null(order) {
        return None;
    }
    let text = call.transport.text(opt::QUOTA_WARN_MESSAGE)?.clone();
    match crate::mail::route::Text::new(text.clone()).expand(call.cx) {
        Ok(text) => Some(text.bytes().to_vec()),
        Err(fail) => {
            let head = [b"Failed to expand \"", text.bytes(), b"\" (warning message for "].concat();
            let tail = [call.transport.name.bytes(), b" transport): ", fail.message()].concat();
            call.cx.log().panic(&[head, tail].concat());
            None
        }
    }
}

#[cfg(test)]
mod tests;
