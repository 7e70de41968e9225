//! `acl_smtp_mime` and `acl_not_smtp_mime`: an ACL for each part of a message
//! (specification 45.4).

use std::collections::VecDeque;
use std::sync::Arc;

use eximious_core::{AclPhases, BodySource, Str, Var};
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::super::{AclHost, AclResult, AclState, AclVerdict, Acls, Logs};
use super::copy;
use super::decode::{self, Undecoded};
use crate::Context;
use crate::mail::mime::{Anomaly, Part, PartContent, Walk, WalkError};

/// How many parts are looked at, those of attached messages included.
const MOST_PARTS: u32 = 20_000;
/// How deep messages may be attached to each other.
const MOST_ATTACHED: u32 = 300;

/// What the variables of a part say where there is none. Whether the last one was (of) the
/// cover letter is still known then.
const NOTHING: [(Var, &str); 13] = [
    (var::MIME_ANOMALY_LEVEL, "0"),
    (var::MIME_ANOMALY_TEXT, ""),
    (var::MIME_BOUNDARY, ""),
    (var::MIME_CHARSET, ""),
    (var::MIME_CONTENT_DESCRIPTION, ""),
    (var::MIME_CONTENT_DISPOSITION, ""),
    (var::MIME_CONTENT_ID, ""),
    (var::MIME_CONTENT_SIZE, "0"),
    (var::MIME_CONTENT_TRANSFER_ENCODING, ""),
    (var::MIME_CONTENT_TYPE, ""),
    (var::MIME_DECODED_FILENAME, ""),
    (var::MIME_FILENAME, ""),
    (var::MIME_IS_MULTIPART, "0"),
];

/// The part that a MIME ACL looks at.
#[derive(Debug)]
pub(in crate::mail::acl) struct AtHand {
    pub(super) content: PartContent,
    /// How it is encoded.
    pub(super) encoding: Vec<u8>,
    /// The file that it was decoded to.
    pub(super) decoded: Option<Decoded>,
}

/// A part that was decoded.
#[derive(Clone)]
pub(in crate::mail::acl) struct Decoded {
    pub(super) source: Arc<dyn BodySource>,
    pub(super) anomaly: Option<Anomaly>,
    /// Whether nothing else is written to its file, as might be to one elsewhere.
    pub(super) stays: bool,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a file, {:?}", self.anomaly)
    }
}

/// A message that is looked into.
struct Entity {
    source: Arc<dyn BodySource>,
    /// In how many others it is.
    depth: u32,
    /// Its file, which goes when it was looked into.
    file: Option<Vec<u8>>,
}

/// What the ACL for the parts of a message says.
#[derive(Clone, Debug)]
pub enum PartsVerdict {
    /// It accepts all of them, or there are none.
    Accepted,
    /// It does not accept one, or nobody can tell what is in the message: no more are
    /// looked at.
    Ended(AclResult),
    /// The message could not be copied to be looked at, which was logged.
    Uncopied,
}

impl Acls {
    /// Runs an ACL for each part of the message at hand, in their order: what the first
    /// one says that does not accept. Messages that are attached have their turn when all
    /// parts of the message around them had theirs. A message without a `Content-Type:`
    /// has no parts. How many there may be, how deep, and how much may be decoded is
    /// bounded.
    pub fn check_parts(
        &self,
        cx: &mut Context,
        host: &mut dyn AclHost,
        state: &mut AclState,
        phase: AclPhases,
        text: &Str,
    ) -> PartsVerdict {
        let named = |name: &[u8]| name.eq_ignore_ascii_case(b"content-type");
        cx.set_var(var::MIME_PART_COUNT, Str::fixed("-1"));
        cx.set_var(var::MIME_IS_RFC822, Str::fixed("0"));
        cx.set_var(var::MIME_IS_COVERLETTER, Str::fixed("0"));
        if !cx.message().is_some_and(|message| message.headers.iter().any(|h| named(&h.name))) {
            return PartsVerdict::Accepted;
        }
        let Some(copy) = copy::made(cx, host, state) else {
            let word = if phase == AclPhases::MIME { "acl_smtp_mime" } else { "acl_not_smtp_mime" };
            let tail = b", message temporarily rejected.";
            host.log(&[word.as_bytes(), b": ", copy::UNCOPIED, tail].concat());
            return PartsVerdict::Uncopied;
        };
        let first = Entity { source: copy.source(), depth: 0, file: None };
        let any_length = !cx.engine().settings().get(opt::CHECK_RFC2047_LENGTH);
        let mut waiting = VecDeque::from([first]);
        let mut count = 0;
        let mut result = None;
        let mut outermost = 0;
        while let Some(entity) = waiting.pop_front() {
            let is_attached = entity.depth > 0;
            cx.set_var(var::MIME_IS_RFC822, Str::fixed(if is_attached { "1" } else { "0" }));
            let mut walk = Walk::new(entity.source.clone(), any_length);
            let mut number = 0;
            while result.is_none() {
                let part = match walk.next() {
                    Ok(Some(part)) => part,
                    Ok(None) => break,
                    Err(WalkError::TooDeep) => {
                        result = Some(deferred("MIME parts stand too deep in each other"));
                        break;
                    }
                    Err(WalkError::Unread(why)) => {
                        result = Some(deferred(&wording::reason(&why)));
                        break;
                    }
                };
                if count >= MOST_PARTS {
                    result = Some(deferred("too many MIME parts"));
                    break;
                }
                count += 1;
                cx.set_var(var::MIME_PART_COUNT, number.to_string());
                number += 1;
                show(cx, &part);
                let is_message = part.header.kind.starts_with(b"message/rfc822");
                let encoding = part.header.encoding;
                state.scan.part = Some(AtHand { content: part.content, encoding, decoded: None });
                let came = self.check(cx, host, state, phase, text);
                if came.verdict != AclVerdict::Accept {
                    result = Some(came);
                } else if is_message {
                    match attached(state, entity.depth) {
                        Ok(inner) => waiting.push_back(inner),
                        Err(why) => result = Some(deferred(&why)),
                    }
                }
            }
            if !is_attached {
                outermost = number;
            }
            if let (Some(file), Some(copy)) = (entity.file, copy::made(cx, host, state)) {
                let _ = copy.directory.remove(&file);
            }
            if result.is_some() {
                break;
            }
        }
        state.scan.part = None;
        NOTHING.iter().for_each(|(var, value)| cx.set_var(*var, Str::fixed(value)));
        // The number that is left is that of the message itself.
        cx.set_var(var::MIME_PART_COUNT, (i64::from(outermost) - 1).to_string());
        for entity in waiting.into_iter().filter_map(|entity| entity.file) {
            if let Some(copy) = copy::made(cx, host, state) {
                let _ = copy.directory.remove(&entity);
            }
        }
        result.map_or(PartsVerdict::Accepted, PartsVerdict::Ended)
    }
}

/// The verdict where nobody can tell what is in a message.
fn deferred(why: &str) -> AclResult {
    AclResult {
        verdict: AclVerdict::Defer,
        user_message: None,
        log_message: Some(Str::from(why.as_bytes())),
        reject_logs: Logs::REJECTIONS,
    }
}

/// A message that is attached, decoded to a file of its own.
fn attached(state: &mut AclState, depth: u32) -> Result<Entity, String> {
    if depth >= MOST_ATTACHED {
        return Err("messages are attached to each other too deep".to_owned());
    }
    let decoded = state.scan.part.as_ref().and_then(|part| part.decoded.clone());
    let source = match decoded.filter(|decoded| decoded.stays) {
        Some(decoded) => {
            return Ok(Entity { source: decoded.source, depth: depth + 1, file: None });
        }
        None => decode::attached(state),
    };
    match source {
        Ok((file, source)) => Ok(Entity { source, depth: depth + 1, file: Some(file) }),
        Err(Undecoded::TooMuch) => Err("too much to decode in MIME parts".to_owned()),
        Err(Undecoded::Failed(why)) => Err(wording::reason(&why)),
    }
}

/// Sets the variables that say what a part is.
fn show(cx: &mut Context, part: &Part) {
    NOTHING.iter().for_each(|(var, value)| cx.set_var(*var, Str::fixed(value)));
    let header = &part.header;
    for (var, value) in [
        (var::MIME_BOUNDARY, &header.boundary),
        (var::MIME_CHARSET, &header.charset),
        (var::MIME_CONTENT_DESCRIPTION, &header.description),
        (var::MIME_CONTENT_DISPOSITION, &header.disposition),
        (var::MIME_CONTENT_ID, &header.id),
        (var::MIME_CONTENT_TRANSFER_ENCODING, &header.encoding),
        (var::MIME_CONTENT_TYPE, &header.kind),
        (var::MIME_FILENAME, &header.filename),
    ] {
        cx.set_var(var, Str::tainted(&value[..]));
    }
    for (var, holds) in [
        (var::MIME_IS_COVERLETTER, part.is_coverletter),
        (var::MIME_IS_MULTIPART, header.is_multipart()),
    ] {
        cx.set_var(var, Str::fixed(if holds { "1" } else { "0" }));
    }
}
