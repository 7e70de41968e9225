//! The steps of a session, as `-bh` shows them.

use std::io::{self, Write};

use eximious::acl::{AclStep, AclVerdict};

/// Shows a step of a test.
pub fn tell(depth: u32, text: &[u8]) {
    line(depth, &[text]);
}

/// Shows a step of an ACL.
pub fn show(step: &AclStep<'_>) {
    match step {
        AclStep::Begin { depth, name } => line(*depth, &[b"using ACL \"", name.bytes(), b"\""]),
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
                line(*depth, &[&b" ".repeat(head.len()), b" = ", expanded.bytes()]);
            }
        }
        AclStep::Note { depth, text } => line(*depth, &[text]),
        AclStep::Ended { depth, verb, holds, error, name } => {
            let came: &[u8] = match holds {
                Some(true) => b"succeeded",
                Some(false) => b"failed",
                None if *error => b"error",
                None => b"deferred",
            };
            let verb = verb.name().as_bytes();
            line(*depth, &[verb, b": condition test ", came, b" in ACL \"", name.bytes(), b"\""]);
        }
        AclStep::Verdict { depth, name, verdict, implicit } => {
            let said: &[u8] = match verdict {
                AclVerdict::Accept => b"ACCEPT",
                AclVerdict::Discard => b"DISCARD",
                AclVerdict::Defer => b"DEFER",
                AclVerdict::Deny if *implicit => b"implicit DENY",
                AclVerdict::Deny => b"DENY",
                AclVerdict::Drop => b"DROP",
                AclVerdict::Error => return,
            };
            line(*depth, &[b"end of ACL \"", name.bytes(), b"\": ", said]);
        }
    }
}

fn line(depth: u32, parts: &[&[u8]]) {
    let mut out = b">>> ".to_vec();
    out.extend(std::iter::repeat_n(b' ', depth as usize));
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.push(b'\n');
    // There is nobody to tell that the standard error is closed.
    let _ = io::stderr().write_all(&out);
}
