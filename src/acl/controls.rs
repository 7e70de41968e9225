//! `control` (specification 44.13).

use eximious_core::{AclOptions, AclPhases, Str};

use super::machine::{Answer, Run};
use super::state::Control;

/// The controls of the connection: all others are of the message.
const OF_CONNECTION: [&str; 9] = [
    "allow_auth_unadvertised",
    "caseful_local_part",
    "caselower_local_part",
    "debug",
    "dscp",
    "enforce_sync",
    "no_delay_flush",
    "no_enforce_sync",
    "no_pipelining",
];

/// Sets a control.
pub(super) fn control(run: &mut Run<'_>, text: &Str) -> Answer {
    let (bytes, taint) = text.read();
    let registry = run.cx.engine().registry().clone();
    // A name is what stands before the first sign that no name has.
    let end = bytes.iter().position(|c| !c.is_ascii_alphanumeric() && *c != b'_');
    let (name, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let Some(control) = registry.acl_control(name) else {
        return wrong(run, bytes);
    };
    let bare = matches!(control.options, AclOptions::None);
    let known = rest.first().is_none_or(|sign| matches!(sign, b'/' | b'=') && !bare);
    if !known {
        return wrong(run, bytes);
    }
    if !control.phases.contains(run.phase) {
        run.logged = Some(Str::from(control.refusal(run.phase)));
        return Answer::Error;
    }
    let name = control.meta.name;
    if name == "submission" && run.phase.intersects(AclPhases::NOT_SMTP_START) {
        // It is what local submission is anyhow.
        return Answer::Yes;
    }
    let options = Str::from(rest.get(1..).unwrap_or_default()).stamped(taint);
    let of_message = !OF_CONNECTION.contains(&name) && !name.contains("multiline");
    run.state.controls.insert(name, Control { control, options, of_message });
    case(run, name);
    Answer::Yes
}

/// The case of the local part at hand.
fn case(run: &mut Run<'_>, name: &str) {
    if name == "caselower_local_part" {
        let part = run.variable("local_part");
        let lower = part.mapped(|byte| byte.to_ascii_lowercase()).stamped(part.taint());
        run.cx.set("local_part", lower);
    }
}

fn wrong(run: &mut Run<'_>, text: &[u8]) -> Answer {
    let message = [b"syntax error in \"control\" ACL condition: \"", text, b"\""].concat();
    run.logged = Some(Str::from(message));
    Answer::Error
}
