//! SMTP, callouts and authenticators, in Exim's words.

use eximious_core::trace::{AuthEvent, CalloutEvent, SmtpEvent, SmtpSide, SpoolEvent};

use super::{DebugSelector, DebugWriter};

/// What is said to other hosts is told of deliveries as of callouts.
const TO_OTHERS: DebugSelector =
    DebugSelector::TRANSPORT.with(DebugSelector::ACL).with(DebugSelector::VERBOSE);
/// How many bytes go out at once is told of them to who wants to know more.
const BYTES: DebugSelector = DebugSelector::TRANSPORT.with(DebugSelector::ACL);
const CALLOUT: DebugSelector = DebugSelector::VERIFY;

pub(super) fn write(step: &SmtpEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let server = DebugSelector::RECEIVE;
    match step {
        SmtpEvent::Received { side: SmtpSide::Server, text } => {
            out.told(server, depth, &[&led(b"SMTP<< ", text)]);
        }
        SmtpEvent::Sent { side: SmtpSide::Server, text } => {
            out.told(server, depth, &[&led(b"SMTP>> ", text)]);
        }
        SmtpEvent::Received { side: SmtpSide::Client, text } => {
            out.tested(TO_OTHERS, depth, &[&led(b"  SMTP<< ", text)]);
        }
        SmtpEvent::Sent { side: SmtpSide::Client, text } => {
            out.tested(TO_OTHERS, depth, &[b"  SMTP>> ", text]);
        }
        SmtpEvent::Held { text } => out.tested(TO_OTHERS, depth, &[b"  SMTP|> ", text]),
        SmtpEvent::Step { text } => out.tested(TO_OTHERS.with(CALLOUT), depth, &[text]),
        SmtpEvent::Flushed { count } => {
            let text = format!("cmd buf flush {count} bytes");
            out.tested(BYTES, depth, &[text.as_bytes()]);
        }
        SmtpEvent::Closed { history } => {
            out.tested(TO_OTHERS, depth, &[b"  SMTP(close)>>"]);
            let history: &[u8] = if history.is_empty() { b"(unset)" } else { history };
            out.tested(TO_OTHERS, depth, &[b"cmdlog: '", history, b"'"]);
        }
        _ => {}
    }
}

pub(super) fn write_spool(step: &SpoolEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let tell = |parts: &[&[u8]], out: &mut DebugWriter<'_>| {
        out.told(DebugSelector::RECEIVE, depth, parts);
    };
    match step {
        SpoolEvent::Writing { id } => tell(&[b"Writing spool files of ", id], out),
        SpoolEvent::Kept { id, size } => {
            let size = size.to_string();
            tell(&[b"Spool files written for message ", id, b": size = ", size.as_bytes()], out);
        }
        SpoolEvent::Rejected { why } => {
            out.told(DebugSelector::RECEIVE.with(DebugSelector::VERBOSE), depth, &[why]);
        }
        SpoolEvent::Failed { id, why } => {
            tell(&[b"Spool files of ", id, b" can't be written: ", why], out);
        }
        _ => {}
    }
}

/// Lines behind a head; those that follow the first one stand under it.
fn led(head: &[u8], text: &[u8]) -> Vec<u8> {
    let mut out = head.to_vec();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.push(b'\n');
            out.resize(out.len() + head.len(), b' ');
        }
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    out
}

pub(super) fn write_callout(step: &CalloutEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    match step {
        CalloutEvent::Cache { text, key } => {
            out.tested(CALLOUT, depth, &[b"callout cache: ", text.as_bytes(), key]);
        }
        CalloutEvent::Note { text } => out.tested(CALLOUT, 0, &[text]),
        _ => {}
    }
}

/// What comes of an attempt to authenticate. It stands at the margin, however deep it is.
pub(super) fn write_auth(step: &AuthEvent<'_>, out: &mut DebugWriter<'_>) {
    let mut tell = |parts: &[&[u8]]| out.tested(DebugSelector::AUTH, 0, parts);
    match step {
        AuthEvent::Condition { authenticator } => {
            tell(&[authenticator, b" authenticator server_condition:"]);
        }
        AuthEvent::Value { name, value } => tell(&[b"  $", name.as_bytes(), b" = ", value]),
        AuthEvent::Expanded { value } => tell(&[b"expanded string: ", value]),
        AuthEvent::Failed { why } => tell(&[b"expansion failed: ", why]),
        AuthEvent::Note { text } => tell(&[text]),
        _ => {}
    }
}
