//! Steps of ACLs, in Exim's words.

use eximious_core::trace::{AclEvent, AclOutcome};
use eximious_core::{AclVerb, Str};

use super::{DebugSelector, DebugWriter};

pub(super) fn write(step: &AclEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let mut tell = |depth: u32, parts: &[&[u8]]| out.tested(DebugSelector::ACL, depth, parts);
    match step {
        AclEvent::Begin { name, .. } if name.is_empty() => {}
        AclEvent::Begin { name, read: true } => {
            tell(depth, &[b"read ACL from file ", name.bytes()]);
        }
        AclEvent::Begin { name, read: false } => {
            tell(depth, &[b"using ACL \"", name.bytes(), b"\""]);
        }
        AclEvent::Statement { verb, place } => {
            tell(depth, &[b"processing \"", verb.name().as_bytes(), b"\" (", place, b")"]);
        }
        AclEvent::Text { term, text } => {
            let head: &[u8] = match *term {
                "log_message" => b"l_message: ",
                _ => b"  message: ",
            };
            tell(depth, &[head, text.bytes()]);
        }
        AclEvent::Term { term, negated, variable, text, expanded } => {
            let mut head = b"check ".to_vec();
            if *negated {
                head.push(b'!');
            }
            head.extend_from_slice(term.as_bytes());
            if let Some(variable) = variable {
                head.extend_from_slice(&[b" ", variable.bytes()].concat());
            }
            tell(depth, &[&head, b" = ".as_slice(), text.bytes()]);
            if let Some(expanded) = expanded
                && expanded.bytes() != text.bytes()
            {
                let space = b" ".repeat(head.len());
                tell(0, &[&space, b" = ".as_slice(), expanded.bytes()]);
            }
        }
        AclEvent::Note { text } => tell(depth, &[text]),
        AclEvent::Ended { verb, came, name } => {
            let came: &[u8] = match came {
                AclOutcome::Holds => b"succeeded",
                AclOutcome::Fails => b"failed",
                AclOutcome::Deferred => b"deferred",
                AclOutcome::Error => b"error",
                AclOutcome::Drop => b"yielded \"drop\"",
                AclOutcome::Discard => b"yielded \"discard\"",
            };
            let verb = verb.name().as_bytes();
            tell(depth, &[verb, b": condition test ", came, b" in ", &titled(name)]);
        }
        AclEvent::Denied { verb } => {
            let verb = verb.name().as_bytes();
            tell(depth, &[verb, b": endpass encountered - denying access"]);
        }
        AclEvent::Verdict { name, verb } => {
            let said: &[u8] = match verb {
                None => b"implicit DENY",
                Some(AclVerb::Accept) => b"ACCEPT",
                Some(AclVerb::Defer) => b"DEFER",
                Some(AclVerb::Deny) => b"DENY",
                Some(AclVerb::Discard) => b"DISCARD",
                Some(AclVerb::Drop) => b"DROP",
                Some(AclVerb::Require) => b"not OK",
                Some(AclVerb::Warn) => return,
            };
            tell(depth, &[b"end of ", &titled(name)[..], b": ", said]);
        }
        AclEvent::Empty { name } => {
            tell(depth, &[b"ACL \"", name.bytes(), b"\" is empty: implicit DENY"]);
        }
        AclEvent::Missing => tell(depth, &[b"ACL is NULL: implicit DENY"]),
        _ => {}
    }
}

/// An ACL that is a text has no name.
fn titled(name: &Str) -> Vec<u8> {
    match name.is_empty() {
        true => b"inline ACL".to_vec(),
        false => [b"ACL \"", name.bytes(), b"\""].concat(),
    }
}
