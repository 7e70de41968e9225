//! Filters as redirection data (specification 22.3).

use eximious_core::world::{LocalUser, UserFileOrder, UserFileWork};
use eximious_core::{Str, World};
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::variables::var;

use super::super::machine::{Machine, Note, Verdict};
use super::super::pass::{ChildAddress, RouteError};
use super::super::router::Router;
use super::super::{DeliveryTarget, FilterPipe, Purpose};
use super::mistakes::{Mistake, SKIPPED, passed_over};
use super::{Redirection, file_transport, said};
use crate::Context;
use crate::mail::filter::{
    self, AutoReply, FilterAction, FilterEnd, FilterKind, FilterOptions, Filtered, Forbidden,
    Manner, exim, sieve, with_rights_of,
};

/// What becomes of an address whose filter may not be run; nothing where it may.
pub(super) fn unpermitted(
    machine: &mut Machine<'_>,
    router: &Router,
    kind: FilterKind,
) -> Result<Option<Verdict>, RouteError> {
    let (option, what): (_, &[u8]) = match kind {
        FilterKind::Exim => (opt::redirect::FORBID_EXIM_FILTER, b"Exim filtering not enabled"),
        FilterKind::Sieve => (opt::redirect::FORBID_SIEVE_FILTER, b"Sieve filtering not enabled"),
    };
    if !machine.switch(router, opt::redirect::ALLOW_FILTER)? {
        return mistaken(machine, router, b"filtering not enabled").map(Some);
    }
    match machine.switch(router, option)? {
        true => Err(wrong(router, what)),
        false => Ok(None),
    }
}

/// What becomes of an address whose filter is a mistake: it is passed over where those are.
fn mistaken(machine: &mut Machine<'_>, router: &Router, why: &[u8]) -> Result<Verdict, RouteError> {
    if !router.on(opt::redirect::SKIP_SYNTAX_ERRORS) {
        return Err(wrong(router, why));
    }
    passed_over(machine, router, &[Mistake::new(why, None)], 0)?;
    machine.note = Some(Note::logged(SKIPPED));
    Ok(Verdict::Decline)
}

fn wrong(router: &Router, why: &[u8]) -> RouteError {
    let kind: &[u8] =
        if router.some_text(opt::redirect::FILE).is_some() { b"file" } else { b"data" };
    let message = [b"error in filter ", kind, b": ", why].concat();
    RouteError { number: RouteError::REDIRECT, ..RouteError::new(message) }
}

/// Does something with the rights of the router's user, if it has one.
fn with_users<T>(
    machine: &mut Machine<'_>,
    router: &Router,
    work: impl FnOnce(&mut Context) -> T,
) -> Result<T, RouteError> {
    let identity = machine.identity(router)?;
    Ok(match identity.uid {
        Some(uid) => with_rights_of(machine.cx, (uid, identity.gid), work),
        None => work(machine.cx),
    })
}

/// Runs a filter, and makes addresses of what it wants.
pub(super) fn run(
    machine: &mut Machine<'_>,
    redirection: &Redirection<'_>,
    kind: FilterKind,
    data: &Str,
) -> Result<Verdict, RouteError> {
    let router = redirection.router;
    // Only Sieve filters keep anything.
    let (mut filtered, inbox) = match kind {
        FilterKind::Exim => {
            let options = exim_options(machine, redirection)?;
            let run = |cx: &mut Context| exim(cx, data.bytes(), &options, &mut ());
            (with_users(machine, router, run)?, Str::EMPTY)
        }
        FilterKind::Sieve => {
            let options = sieve_options(machine, router)?;
            let run = |cx: &mut Context| sieve::run(cx, data.bytes(), &options);
            let filtered = with_users(machine, router, run)?;
            (filtered, options.inbox)
        }
    };
    if router.some_text(opt::redirect::FILE).is_some() {
        filtered.actions.iter_mut().for_each(FilterAction::vouch);
    }
    machine.show_address();
    if machine.purpose == Purpose::Delivery {
        write_logs(machine, router, &filtered.actions)?;
        if kind == FilterKind::Sieve {
            make_vacation_directory(machine, router, &filtered.actions)?;
        }
    }
    if machine.purpose != Purpose::Delivery && kind == FilterKind::Sieve {
        machine.cx.engine().world().log.debug(&ending(&filtered));
    }
    match filtered.end {
        FilterEnd::Error(why) if kind == FilterKind::Exim => {
            return mistaken(machine, router, &why);
        }
        FilterEnd::Defer(text) => return Err(said(router, text.bytes().to_vec())),
        FilterEnd::Freeze(text) => {
            // What it wanted before is done.
            generate(machine, redirection, filtered.actions, &inbox)?;
            return Err(RouteError { freezes: true, ..RouteError::new(text.bytes()) });
        }
        FilterEnd::Fail(text) => {
            generate(machine, redirection, filtered.actions, &inbox)?;
            return Ok(Verdict::Fail(said(router, text.bytes().to_vec())));
        }
        FilterEnd::Finished | FilterEnd::Error(_) => {}
    }
    let (significant, sieve) = (filtered.significant, kind == FilterKind::Sieve);
    generate(machine, redirection, filtered.actions, &inbox)?;
    // A notice is nothing that becomes of the message.
    let is_notice = |child: &ChildAddress| match child {
        ChildAddress::Direct(delivery) => matches!(delivery.target, DeliveryTarget::Notice(_)),
        ChildAddress::Address(_) => false,
    };
    if significant && machine.children.iter().all(is_notice) {
        return Ok(Verdict::Discard { by_filter: true });
    }
    match (machine.children.is_empty(), significant) {
        (true, _) => Ok(Verdict::Decline),
        (false, false) if !sieve => {
            // The message goes on as if there were no filter, too.
            let text = machine.address.text.clone();
            let again = machine.address.child(text, &redirection.ancestor);
            machine.children.insert(0, ChildAddress::Address(again));
            Ok(Verdict::Accept(None))
        }
        (false, _) => Ok(Verdict::Accept(None)),
    }
}

fn exim_options(
    machine: &mut Machine<'_>,
    redirection: &Redirection<'_>,
) -> Result<FilterOptions, RouteError> {
    let router = redirection.router;
    let mut forbids = |option| machine.switch(router, option);
    let forbid = Forbidden {
        exim_filter: false,
        sieve_filter: false,
        logwrite: forbids(opt::redirect::FORBID_FILTER_LOGWRITE)?,
        dlfunc: forbids(opt::redirect::FORBID_FILTER_DLFUNC)?,
        existstest: forbids(opt::redirect::FORBID_FILTER_EXISTSTEST)?,
        lookup: forbids(opt::redirect::FORBID_FILTER_LOOKUP)?,
        perl: forbids(opt::redirect::FORBID_FILTER_PERL)?,
        readfile: forbids(opt::redirect::FORBID_FILTER_READFILE)?,
        readsocket: forbids(opt::redirect::FORBID_FILTER_READSOCKET)?,
        run: forbids(opt::redirect::FORBID_FILTER_RUN)?,
    };
    // Where no delivery is made, it is as in a filter's test.
    let is_delivery = machine.purpose == Purpose::Delivery;
    let attempt = machine.cx.message().map(|message| message.attempt).filter(|_| is_delivery);
    Ok(FilterOptions {
        first_delivery: attempt.is_none_or(|attempt| attempt.is_first),
        manually_thawed: attempt.is_some_and(|attempt| attempt.is_thawed_by_hand),
        allow_defer: router.on(opt::redirect::ALLOW_DEFER),
        allow_fail: router.on(opt::redirect::ALLOW_FAIL),
        allow_freeze: router.on(opt::redirect::ALLOW_FREEZE),
        forbid,
        prepend_home: router.on(opt::redirect::FILTER_PREPEND_HOME),
        logs: machine.purpose == Purpose::Delivery,
        qualify: Some(redirection.domain.clone()),
        ..FilterOptions::default()
    })
}

fn sieve_options(
    machine: &mut Machine<'_>,
    router: &Router,
) -> Result<sieve::SieveOptions, RouteError> {
    let mut text = |option| match router.some_text(option) {
        None => Ok(None),
        Some(text) => match text.expand(machine.cx) {
            Ok(value) => Ok(Some(value)),
            Err(fail) => Err(super::source::not_expanded(machine, text, &fail)),
        },
    };
    let default = sieve::SieveOptions::default();
    Ok(sieve::SieveOptions {
        inbox: text(opt::redirect::SIEVE_INBOX)?.unwrap_or_else(|| default.inbox.clone()),
        user_address: text(opt::redirect::SIEVE_USERADDRESS)?,
        sub_address: text(opt::redirect::SIEVE_SUBADDRESS)?,
        vacation_directory: text(opt::redirect::SIEVE_VACATION_DIRECTORY)?,
        notify_owner: text(opt::redirect::SIEVE_ENOTIFY_MAILTO_OWNER)?,
        ..default
    })
}

/// An answer that goes to nobody, as it is shown.
pub const NOBODY: &[u8] = b">**bad-reply**";

/// Makes addresses and deliveries of what a filter wants done.
fn generate(
    machine: &mut Machine<'_>,
    redirection: &Redirection<'_>,
    actions: Vec<FilterAction>,
    inbox: &Str,
) -> Result<(), RouteError> {
    if !actions.is_empty() {
        redirection.attach(machine)?;
    }
    for action in actions {
        let before = machine.children.len();
        let mut manner = action.manner().unwrap_or_default();
        match action {
            FilterAction::Deliver { address, errors_to, .. } => {
                let (text, taint) = address.read();
                let domain = redirection.domain.clone();
                let mut child = redirection.address(machine, text.to_vec(), &domain, taint)?;
                if errors_to.is_some() {
                    child.attached.errors_to = errors_to;
                }
                machine.tell_generated(redirection.router, &child);
                machine.children.push(ChildAddress::Address(child));
            }
            FilterAction::Keep { .. } => {
                let target = DeliveryTarget::File { mode: None };
                redirection.direct(
                    machine,
                    inbox.clone(),
                    target,
                    file_transport(inbox.bytes()),
                )?;
            }
            other => {
                let Some((text, target)) = direct_target(machine.cx, other) else { continue };
                let option = match &target {
                    DeliveryTarget::Pipe(_) => opt::redirect::PIPE_TRANSPORT,
                    DeliveryTarget::File { .. } => file_transport(text.bytes()),
                    _ => opt::redirect::REPLY_TRANSPORT,
                };
                // Nobody hears of an answer to nobody.
                manner.silent |= text.bytes() == NOBODY;
                redirection.direct(machine, text, target, option)?;
            }
        }
        ignore_errors(machine, before, manner);
    }
    Ok(())
}

/// `logwrite`: lines for files of the user's.
fn write_logs(
    machine: &mut Machine<'_>,
    router: &Router,
    actions: &[FilterAction],
) -> Result<(), RouteError> {
    if !actions.iter().any(|action| matches!(action, FilterAction::LogWrite { .. })) {
        return Ok(());
    }
    let user = user(machine, router)?;
    let log = machine.cx.log();
    let world = World { log, ..machine.cx.engine().world().clone() };
    filter::write_logs(&world, &user, actions).map_err(|why| wrong(router, &why))
}

/// Whose rights a filter has.
fn user(machine: &mut Machine<'_>, router: &Router) -> Result<LocalUser, RouteError> {
    let identity = machine.identity(router)?;
    let server = machine.cx.engine().server_ids();
    let (uid, gid) = (identity.uid.unwrap_or(server.0), identity.gid.unwrap_or(server.1));
    Ok(LocalUser { uid, gid, groups: Vec::new() })
}

/// Makes `sieve_vacation_directory`, where somebody is to be answered; whoever writes in it
/// says what is wrong with it.
fn make_vacation_directory(
    machine: &mut Machine<'_>,
    router: &Router,
    actions: &[FilterAction],
) -> Result<(), RouteError> {
    let place = actions.iter().find_map(|action| match action {
        FilterAction::Mail { reply, .. } if reply.vacation => reply.once.as_ref(),
        _ => None,
    });
    let Some(place) = place.filter(|place| !place.taint().is_tainted()) else { return Ok(()) };
    let Some(end) = memchr::memrchr(b'/', place.bytes()) else { return Ok(()) };
    let path = place.bytes()[..end].to_vec();
    if !path.starts_with(b"/") {
        return Ok(());
    }
    let order = UserFileOrder {
        user: user(machine, router)?,
        path,
        work: UserFileWork::MakeDirectory(0o700),
    };
    let _ = machine.cx.engine().world().mailboxes.file(&order);
    Ok(())
}

/// `noerror`.
fn ignore_errors(machine: &mut Machine<'_>, from: usize, manner: Manner) {
    if !manner.silent {
        return;
    }
    for child in machine.children.iter_mut().skip(from) {
        child.address_mut().attached.ignore_errors = true;
    }
}

/// The delivery that a filter wants without a router, as it is called, and what it is to;
/// nothing where it wants none.
pub fn direct_target(cx: &mut Context, action: FilterAction) -> Option<(Str, DeliveryTarget)> {
    Some(match action {
        FilterAction::Save { file, mode, .. } => {
            (file, DeliveryTarget::File { mode: mode.filter(|mode| *mode > 0) })
        }
        FilterAction::FileInto { mailbox, .. } => (mailbox, DeliveryTarget::File { mode: None }),
        FilterAction::Pipe { command, numeric, this_address, .. } => {
            let (text, taint) = command.read();
            // Where a user has put a bar already, it is the one.
            let bare = text.strip_prefix(b"|").unwrap_or(text);
            let command = Str::from([b"|", bare].concat()).stamped(taint);
            let pipe = FilterPipe { numeric, this_address };
            (command, DeliveryTarget::Pipe(Some(Box::new(pipe))))
        }
        FilterAction::Mail { reply, .. } => {
            let text = Str::tainted([b">", &*addressee(cx, &reply)].concat());
            (text, DeliveryTarget::Reply(reply))
        }
        FilterAction::Notify(notice) => {
            let text = Str::tainted([b">", notice.to.bytes()].concat());
            (text, DeliveryTarget::Notice(notice))
        }
        _ => return None,
    })
}

/// Who gets a message, as it is shown.
fn addressee(cx: &mut Context, reply: &AutoReply) -> Vec<u8> {
    let recipients = reply.recipients(&cx.value_of(var::REPLY_ADDRESS));
    match recipients.is_empty() {
        true => NOBODY[1..].to_vec(),
        false => recipients.join(&b','),
    }
}

/// What Exim says of how a Sieve filter ended.
fn ending(filtered: &Filtered) -> Vec<u8> {
    match &filtered.end {
        FilterEnd::Error(why) => [b" Sieve error: ", why.as_slice(), b"\n"].concat(),
        _ if !filtered.significant => b" Implicit keep\n".to_vec(),
        _ => b" No implicit keep\n".to_vec(),
    }
}
