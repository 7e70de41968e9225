//! Notices of messages that freeze (specification 14, `freeze_tell`).

use eximious::acl::{AclState, OwnMessage};
use eximious::stdlib::references::References;
use eximious::{Context, Message, Str, opt, var};

use crate::options;

/// The header of a notice, up to its subject: who is told, and of which message.
pub(crate) fn notice_header(cx: &mut Context, to: &Str, message: Option<&Message>) -> Vec<u8> {
    let from = options::dsn_from(cx);
    let lines = [b"Auto-Submitted: auto-replied\nFrom: ", from.bytes(), b"\nTo: ", to.bytes()];
    let mut text = lines.concat();
    text.push(b'\n');
    let settings = cx.engine().settings();
    if let Some(references) = message.and_then(|message| References::to(message, settings)) {
        text.extend(references.line);
    }
    text
}

/// What is told of a message that an ACL has frozen (`control = freeze`); nothing where nobody
/// wants to know. Of messages that this system writes itself nothing is told, so that there is
/// an end to it.
pub(crate) fn notice(
    cx: &mut Context,
    state: &AclState,
    (id, message): (&Str, Option<&Message>),
    own: bool,
) -> Option<OwnMessage> {
    let control = state.controls.get("freeze")?;
    let to = cx.engine().settings().get(opt::FREEZE_TELL);
    if own || to.is_empty() || control.options.bytes() == b"no_tell" {
        return None;
    }
    let mut text = notice_header(cx, &to, message);
    let sender = cx.value_of(var::SENDER_ADDRESS);
    text.extend(
        [
            b"Subject: Message frozen on arrival\n\nMessage ".as_slice(),
            id.bytes(),
            b" was frozen on arrival by ACL.\nThe sender is <",
            sender.bytes(),
            b">.\n",
        ]
        .concat(),
    );
    Some(OwnMessage { sender: Vec::new(), text })
}
