//! Messages that the server writes itself: they are handed in as its own user would.

use std::sync::Arc;
use std::time::Duration;

use eximious::acl::OwnMessage;
use eximious::stdlib::options::server_ids;
use eximious::transport::LocalUser;
use eximious::{Context, Str, opt, var};

use super::{Done, Outside, SubmissionRequest, full_name, submit};
use crate::reception;
use crate::smtp::{SmtpServer, Submitter};

/// Puts a message into the spool that this system has written, as the mail user would hand it
/// in; its header says who gets it.
pub fn write_own(server: &Arc<SmtpServer>, cx: &mut Context, message: &OwnMessage) -> Done {
    hand_in(server, cx, message, Occasion::default()).0
}

/// What a message of the server's own comes of.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Occasion<'o> {
    /// The message that it is about, if that has a name.
    pub(crate) about: &'o [u8],
    /// The queue where it comes.
    pub(crate) queue: &'o [u8],
    /// Whether its delivery is only pretended, too (`-N`).
    pub(crate) pretended: bool,
}

/// Puts a message into the spool; its header says who gets it. Beside what came of it, its own
/// name.
pub(crate) fn hand_in(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    message: &OwnMessage,
    occasion: Occasion<'_>,
) -> (Done, Str) {
    let world = cx.engine().world().clone();
    let number = |cx: &mut Context, variable| -> Option<u32> {
        std::str::from_utf8(cx.value_of(variable).bytes()).ok()?.parse().ok()
    };
    let (uid, gid) = world.host.ids();
    let uid = number(cx, var::EXIM_UID).unwrap_or(uid);
    let gid = number(cx, var::EXIM_GID).unwrap_or(gid);
    let user = LocalUser { uid, gid, groups: Vec::new() };
    hand_in_by(server, cx, message, occasion, (&user, true))
}

/// The same, as another user would; whether that one is trusted is said with it.
fn hand_in_by(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    message: &OwnMessage,
    occasion: Occasion<'_>,
    (LocalUser { uid, gid, .. }, trusted): (&LocalUser, bool),
) -> (Done, Str) {
    let engine = cx.engine().clone();
    let world = engine.world();
    let (uid, gid) = (*uid, *gid);
    let user = world.users.user_by_id(uid).ok().flatten();
    let name = user.as_ref().map(|user| full_name(cx, user)).unwrap_or_default();
    let login = user.map_or_else(|| uid.to_string().into_bytes(), |user| user.name);
    let sender = engine.settings().get(opt::BOUNCE_SENDER_AUTHENTICATION);
    let mut given = vec![(var::CONNECTION_ID, Str::from(world.host.pid().to_string()))];
    match message.sender.is_empty() {
        true if !sender.is_empty() => given.push((var::AUTHENTICATED_SENDER, Str::tainted(sender))),
        true => {}
        false => given.push((var::AUTHENTICATED_SENDER, Str::tainted(&message.sender[..]))),
    }
    if !trusted {
        // Nobody else's name stands in a user's message.
        let own = reception::own_address(cx, &login);
        given.push((var::AUTHENTICATED_ID, Str::from(login.as_slice())));
        given.push((var::AUTHENTICATED_SENDER, Str::from(own)));
    }
    let request = SubmissionRequest {
        given,
        submitter: Submitter { login: login.clone(), uid, gid, name, called: None, trusted },
        sender: Some(message.sender.clone()),
        names_recipients: true,
        about: occasion.about.to_vec(),
        queue: occasion.queue.to_vec(),
        pretended: occasion.pretended,
        reports_error: message.sender.is_empty(),
        is_error: true,
        ..SubmissionRequest::default()
    };
    let watchers: Vec<_> = cx.trace().observers().cloned().collect();
    let mut cx = engine.context();
    // Who watches sees this, too.
    watchers.into_iter().for_each(|watcher| cx.observe(watcher));
    cx.set_var(var::SENDER_IDENT, Str::from(login));
    // In Exim, that user calls the program.
    for (variable, number) in [
        (var::CALLER_UID, uid),
        (var::CALLER_GID, gid),
        (var::ORIGINATOR_UID, uid),
        (var::ORIGINATOR_GID, gid),
    ] {
        cx.set_var(variable, Str::from(number.to_string()));
    }
    server.acls.attach(&mut cx);
    let done = submit(server, &mut cx, &request, &mut Text(&message.text));
    (done, cx.value_of(var::MESSAGE_EXIM_ID))
}

/// Puts a message into the spool that a user's delivery wants sent.
pub(crate) fn hand_in_as(
    server: &Arc<SmtpServer>,
    cx: &mut Context,
    message: &OwnMessage,
    occasion: Occasion<'_>,
    user: &LocalUser,
) -> (Done, Str) {
    let (settings, world) = (cx.engine().settings(), cx.engine().world());
    let trusted = user.uid == server_ids(settings, &*world.users, &*world.host).0
        || settings.get(opt::TRUSTED_USERS).0.contains(&user.uid)
        || settings.get(opt::TRUSTED_GROUPS).0.contains(&user.gid);
    hand_in_by(server, cx, message, occasion, (user, trusted))
}

/// A message that is there already.
struct Text<'t>(&'t [u8]);

impl Outside for Text<'_> {
    fn read(&mut self, piece: &mut [u8], _: Option<Duration>) -> std::io::Result<usize> {
        std::io::Read::read(&mut self.0, piece)
    }

    fn wait(&mut self, _: Duration) {}
}
