//! What a header file says, line by line.

use eximious::world::Moment;

use super::tree::NonrecipientTree;

/// A `-H` file: a message's envelope, its state, and its header.
///
/// Nothing is lost between reading and writing one: values that nobody here knows
/// stay in their places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeaderFile {
    /// The message's name.
    pub id: Vec<u8>,
    /// The login name of whoever handed the message in.
    pub login: Vec<u8>,
    /// That user's number.
    pub uid: i64,
    /// That user's group.
    pub gid: i64,
    /// The envelope's sender; empty for a bounce.
    pub sender: Vec<u8>,
    /// When it was received, in seconds since 1970.
    pub received: i64,
    /// How many warnings of a delay were sent.
    pub warnings: i64,
    /// The lines that begin with a dash.
    pub values: Vec<Value>,
    /// Who does not get it, or has got it.
    pub not_for: NonrecipientTree,
    /// The recipients.
    pub recipients: Vec<SpoolRecipient>,
    /// The header lines, with those that were deleted.
    pub headers: Vec<HeaderLine>,
}

/// A line that begins with a dash.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Value {
    /// Where its text comes from.
    pub mark: Mark,
    /// Its name, without the dash.
    pub name: Vec<u8>,
    /// What stands after the name, behind a blank. For `aclc` and `aclm`, it is the
    /// rest of the variable's name.
    pub text: Option<Vec<u8>>,
    /// For `acl`, `aclc` and `aclm`, the variable's value, which may have any bytes.
    pub data: Option<Vec<u8>>,
}

/// Where a text comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mark {
    /// From the configuration.
    #[default]
    Clean,
    /// From outside.
    Tainted,
    /// From outside, and quoted for a type of lookup.
    Quoted(Vec<u8>),
}

/// A recipient.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SpoolRecipient {
    /// The address.
    pub address: Vec<u8>,
    /// What stands after it, if anything.
    pub more: Option<RecipientExtra>,
}

/// What a recipient's line says beside the address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecipientExtra {
    /// `ORCPT` and the flags of `NOTIFY`, where the line has them.
    pub reports: Option<RecipientDsn>,
    /// Who is told of errors, if that is not the sender.
    pub errors_to: Vec<u8>,
    /// The place of the recipient that this one was made from, or -1.
    pub parent: i64,
}

impl Default for RecipientExtra {
    fn default() -> Self {
        Self { reports: None, errors_to: Vec::new(), parent: -1 }
    }
}

/// What is to be reported on a recipient (RFC 3461).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RecipientDsn {
    /// `ORCPT`, as it was given.
    pub original: Vec<u8>,
    /// The flags.
    pub flags: i64,
}

/// The flags of `NOTIFY`.
#[allow(missing_docs, reason = "each is the word of that name")]
impl RecipientDsn {
    pub const NEVER: i64 = 2;
    pub const SUCCESS: i64 = 4;
    pub const FAILURE: i64 = 8;
    pub const DELAY: i64 = 16;
}

/// A header line.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct HeaderLine {
    /// What it is: a letter, a blank, or `*` where it is deleted.
    pub kind: u8,
    /// It, with its last newline.
    pub line: Vec<u8>,
}

/// What stands behind `frozen` in a file.
const LATER: [&[u8]; 25] = [
    b"N",
    b"host_lookup_deferred",
    b"host_lookup_failed",
    b"local",
    b"localerror",
    b"local_scan",
    b"spam_bar",
    b"spam_score",
    b"spam_score_int",
    b"manual_thaw",
    b"sender_set_untrusted",
    b"tls_certificate_verified",
    b"tls_cipher",
    b"tls_peercert",
    b"tls_peerdn",
    b"tls_sni",
    b"tls_ourcert",
    b"tls_ocsp",
    b"tls_resumption",
    b"tls_ver",
    b"smtputf8",
    b"utf8_downcvt",
    b"utf8_optdowncvt",
    b"dsn_envid",
    b"dsn_ret",
];

impl HeaderFile {
    /// The value of a name, if it is there; of several, the last one counts.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().rfind(|value| value.name == name.as_bytes())
    }

    /// The text of a value.
    pub fn text(&self, name: &str) -> Option<&[u8]> {
        self.value(name)?.text.as_deref()
    }

    /// Has the variables of ACLs be these, in their place.
    pub(crate) fn set_acl_values(&mut self, new: Vec<Value>) {
        let is_old = |value: &Value| matches!(&value.name[..], b"acl" | b"aclc" | b"aclm");
        let is_later = |value: &Value| {
            let name = &value.name[..];
            matches!(name, b"debug_selector" | b"spool_file_wireformat" | b"body_linecount")
        };
        let place = self.values.iter().position(|value| is_old(value) || is_later(value));
        self.values.retain(|value| !is_old(value));
        let place = place.unwrap_or(self.values.len()).min(self.values.len());
        self.values.splice(place..place, new);
    }

    /// Freezes the message; `now` is in seconds since 1970.
    pub(crate) fn freeze(&mut self, now: i64) {
        self.values.retain(|value| value.name != b"frozen");
        let text = Some(now.to_string().into_bytes());
        let value = Value { name: b"frozen".to_vec(), text, ..Value::default() };
        let is_later = |value: &Value| LATER.contains(&&value.name[..]);
        let place = self.values.iter().position(is_later);
        self.values.insert(place.unwrap_or(self.values.len()), value);
    }

    /// Thaws it; `by_hand` where somebody wants that.
    pub(crate) fn thaw(&mut self, by_hand: bool) {
        self.values.retain(|value| value.name != b"frozen");
        if by_hand {
            self.flag(b"manual_thaw");
        }
    }

    /// From here on its deliveries are only pretended (`-N`).
    pub(crate) fn pretend(&mut self) {
        self.flag(b"N");
    }

    /// Puts a flag, one of those that stand behind `frozen`, in its place.
    fn flag(&mut self, name: &[u8]) {
        if self.values.iter().any(|value| value.name == name) {
            return;
        }
        let value = Value { name: name.to_vec(), ..Value::default() };
        let behind = LATER.iter().skip_while(|other| **other != name).skip(1);
        let is_later = |value: &Value| behind.clone().any(|other| *other == &value.name[..]);
        let place = self.values.iter().position(is_later);
        self.values.insert(place.unwrap_or(self.values.len()), value);
    }

    /// When it began to be received, as finely as that is known.
    pub fn received_at(&self) -> Moment {
        let parts = self.text("received_time_usec").and_then(|text| text.strip_prefix(b"."));
        Moment { seconds: self.received, nanos: parts.map_or(0, nanos) }
    }

    /// When it was there as a whole, as finely as that is known.
    pub fn completed_at(&self) -> Moment {
        let text = self.text("received_time_complete");
        let text = text.and_then(|text| std::str::from_utf8(text).ok());
        let parts = text.and_then(|text| text.split_once('.'));
        let parts = parts.and_then(|(whole, part)| Some((whole.parse().ok()?, part)));
        match parts {
            Some((seconds, part)) => Moment { seconds, nanos: nanos(part.as_bytes()) },
            None => self.received_at(),
        }
    }

    /// Whether a name is there.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A value that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        std::str::from_utf8(self.text(name)?).ok()?.parse().ok()
    }
}

/// Millionths of a second, as the file has them.
fn nanos(digits: &[u8]) -> u32 {
    let parts = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<u32>().ok());
    parts.filter(|parts| *parts < 1_000_000).unwrap_or(0) * 1000
}
