//! Steps of ACLs as text, as Exim tells them.

use eximious_core::{AclVerb, Str};

use super::{AclOutcome, AclStep};

impl AclStep<'_> {
    /// Tells the step: how deep each of its lines stands, and the line.
    pub fn tell(&self, told: &mut dyn FnMut(u32, &[u8])) {
        match self {
            AclStep::Begin { depth, name, read: true } => {
                told(*depth, &[b"read ACL from file ", name.bytes()].concat());
            }
            AclStep::Begin { depth, name, read: false } => {
                told(*depth, &[b"using ACL \"", name.bytes(), b"\""].concat());
            }
            AclStep::Statement { depth, verb, place } => {
                let verb = verb.name().as_bytes();
                told(*depth, &[b"processing \"", verb, b"\" (", place, b")"].concat());
            }
            AclStep::Text { depth, term, text } => {
                let head: &[u8] = match term.meta.name {
                    "log_message" => b"l_message: ",
                    _ => b"  message: ",
                };
                told(*depth, &[head, text.bytes()].concat());
            }
            AclStep::Endpass { .. } => {}
            AclStep::Term { depth, term, negated, variable, text, expanded } => {
                let mut head = b"check ".to_vec();
                if *negated {
                    head.push(b'!');
                }
                head.extend_from_slice(term.meta.name.as_bytes());
                if let Some(variable) = variable {
                    head.extend_from_slice(&[b" ", variable.bytes()].concat());
                }
                told(*depth, &[&head, b" = ".as_slice(), text.bytes()].concat());
                if let Some(expanded) = expanded
                    && expanded.bytes() != text.bytes()
                {
                    let space = b" ".repeat(head.len());
                    told(0, &[&space, b" = ".as_slice(), expanded.bytes()].concat());
                }
            }
            AclStep::Note { depth, text } => told(*depth, text),
            AclStep::Ended { depth, verb, came, name } => {
                let came: &[u8] = match came {
                    AclOutcome::Holds => b"succeeded",
                    AclOutcome::Fails => b"failed",
                    AclOutcome::Deferred => b"deferred",
                    AclOutcome::Error => b"error",
                    AclOutcome::Drop => b"yielded \"drop\"",
                    AclOutcome::Discard => b"yielded \"discard\"",
                };
                let verb = verb.name().as_bytes();
                told(*depth, &[verb, b": condition test ", came, b" in ", &titled(name)].concat());
            }
            AclStep::Denied { depth, verb } => {
                let verb = verb.name().as_bytes();
                told(*depth, &[verb, b": endpass encountered - denying access"].concat());
            }
            AclStep::Verdict { depth, name, verb } => {
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
                told(*depth, &[b"end of ", &titled(name)[..], b": ", said].concat());
            }
        }
    }
}

/// An ACL that is a text has no name.
fn titled(name: &Str) -> Vec<u8> {
    match name.is_empty() {
        true => b"inline ACL".to_vec(),
        false => [b"ACL \"", name.bytes(), b"\""].concat(),
    }
}
