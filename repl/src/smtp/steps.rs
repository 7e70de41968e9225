//! The steps of a session, as `-bh` shows them.

use std::io::{self, Write};

use eximious::acl::{AclOutcome, AclStep};
use eximious::{AclVerb, Str};

/// Shows a step of a test.
pub fn tell(depth: u32, text: &[u8]) {
    line(depth, &[text]);
}

/// Shows a step of an ACL.
pub fn show(step: &AclStep<'_>) {
    match step {
        AclStep::Begin { depth, name, read: true } => {
            line(*depth, &[b"read ACL from file ", name.bytes()]);
        }
        AclStep::Begin { depth, name, read: false } => {
            line(*depth, &[b"using ACL \"", name.bytes(), b"\""]);
        }
        AclStep::Statement { depth, verb, place } => {
            line(*depth, &[b"processing \"", verb.name().as_bytes(), b"\" (", place, b")"]);
        }
        AclStep::Text { depth, term, text } => {
            let head: &[u8] = match term.meta.name {
                "log_message" => b"l_message: ",
                _ => b"  message: ",
            };
            line(*depth, &[head, text.bytes()]);
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
            line(*depth, &[&head, b" = ", text.bytes()]);
            if let Some(expanded) = expanded
                && expanded.bytes() != text.bytes()
            {
                line(0, &[&b" ".repeat(head.len()), b" = ", expanded.bytes()]);
            }
        }
        AclStep::Note { depth, text } => line(*depth, &[text]),
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
            line(*depth, &[verb, b": condition test ", came, b" in ", &titled(name)]);
        }
        AclStep::Denied { depth, verb } => {
            let verb = verb.name().as_bytes();
            line(*depth, &[verb, b": endpass encountered - denying access"]);
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
            line(*depth, &[b"end of ", &titled(name), b": ", said]);
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

/// Every fourth column has a mark, so that the eye finds what stands in what.
fn line(depth: u32, parts: &[&[u8]]) {
    let mut head = b">>> ".to_vec();
    for column in 1..=depth {
        let sign: &[u8] = if column % 4 == 0 { "╎".as_bytes() } else { b" " };
        head.extend_from_slice(sign);
    }
    let mut out = Vec::new();
    for text in parts.concat().split(|byte| *byte == b'\n') {
        out.extend_from_slice(&[&head, text, b"\n"].concat());
    }
    // There is nobody to tell that the standard error is closed.
    let _ = io::stderr().write_all(&out);
}
