//! What stands behind `callout` (specification 44.22.1).

use std::time::Duration;

use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::interval::seconds;
use eximious_stdlib::lists::elements_with;

use crate::mail::route::Purpose;

/// Parameters of an address's `callout=` (44.22.1); the second of each is whether a
/// time must follow.
pub const CALLOUT_PARAMETERS: [(&str, bool); 13] = [
    ("connect", true),
    ("defer_ok", false),
    ("fullpostmaster", false),
    ("hold", false),
    ("mailfrom", false),
    ("maxwait", true),
    ("no_cache", false),
    ("postmaster", false),
    ("postmaster_mailfrom", false),
    ("random", false),
    ("use_postmaster", false),
    ("use_sender", false),
    ("use_tptsender", false),
];

/// How long each reply may take where nothing is said of it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How a callout is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// How long each reply may take; without it, none is made.
    pub(super) timeout: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) longest: Option<Duration>,
    defer_ok: bool,
    pub(super) cached: bool,
    pub(super) random: bool,
    pub(super) sender: Sender,
    /// The sender for the postmaster's test, where there is to be one.
    pub(super) postmaster: Option<Vec<u8>>,
    /// Whether the postmaster without a domain is as good.
    pub(super) bare_postmaster: bool,
    pub(super) mail_from: Vec<u8>,
    pub(super) hold: bool,
    /// Whether this is for a message that goes along.
    goes_along: bool,
}

/// Whom MAIL names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Sender {
    /// Nobody, or the address that `mailfrom` gives.
    #[default]
    Given,
    /// The message's sender.
    Own,
    /// The same, or whom the transport puts in its place.
    Transport,
    Postmaster,
}

impl Sender {
    /// Whether it is the message's sender, or stands for that one.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Transport)
    }
}

/// What is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subject {
    Sender,
    HeaderSender,
    Recipient,
}

impl Subject {
    /// For what it is routed.
    pub(in crate::mail::acl) fn purpose(self) -> Purpose {
        match self {
            Self::Recipient => Purpose::VerifyRecipient,
            Self::Sender | Self::HeaderSender => Purpose::VerifySender,
        }
    }
}

impl Params {
    pub(crate) fn new() -> Self {
        Self { cached: true, ..Self::default() }
    }

    /// How a host is asked that gets the message at once, if it wants it.
    pub(crate) fn cut_through(by_transport: bool) -> Self {
        let sender = if by_transport { Sender::Transport } else { Sender::Own };
        Self { timeout: Some(TIMEOUT), sender, goes_along: true, ..Self::default() }
    }

    /// Whether there is to be a callout.
    pub(crate) fn wanted(&self) -> bool {
        self.timeout.is_some_and(|timeout| !timeout.is_zero())
    }

    /// Whether more is asked than whether the recipient is taken.
    pub(super) fn asks_more(&self) -> bool {
        self.random || self.postmaster.is_some()
    }

    /// Whether it is made for a message that goes along.
    pub(crate) fn goes_along(&self) -> bool {
        self.goes_along
    }

    /// Whether it is all the same where nobody can be asked now.
    pub(crate) fn defer_ok(&self) -> bool {
        self.defer_ok
    }

    /// Takes an option of a verification; false where it is none for callouts. An
    /// error is what is wrong with it; `whole` is the text of the condition.
    pub(crate) fn option(
        &mut self,
        option: &[u8],
        whole: &[u8],
        subject: Subject,
        rules: Rules,
    ) -> Result<bool, Vec<u8>> {
        match option {
            b"callout_defer_ok" => {
                self.timeout.get_or_insert(TIMEOUT);
                self.defer_ok = true;
            }
            b"check_postmaster" => {
                self.timeout.get_or_insert(TIMEOUT);
                self.postmaster = Some(Vec::new());
            }
            option => {
                let Some(rest) = option.strip_prefix(b"callout") else { return Ok(false) };
                self.timeout.get_or_insert(TIMEOUT);
                let rest = rest.trim_ascii_start();
                if !rest.is_empty() {
                    let Some(list) = rest.strip_prefix(b"=") else {
                        let tail = b"'=' expected after \"callout\" in ACL condition \"";
                        return Err([tail.as_slice(), whole, b"\""].concat());
                    };
                    let list = list.trim_ascii();
                    for text in elements_with(list, b',').filter(|_| !list.is_empty()) {
                        self.param(&text, whole, subject, rules)?;
                    }
                    if subject != Subject::Recipient && self.sender != Sender::Given {
                        let text = b"use_sender or use_postmaster cannot be used for a sender \
                            verify callout";
                        return Err(text.to_vec());
                    }
                }
            }
        }
        Ok(true)
    }

    fn param(
        &mut self,
        text: &[u8],
        whole: &[u8],
        subject: Subject,
        rules: Rules,
    ) -> Result<(), Vec<u8>> {
        let is = |name: &str| {
            text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
        };
        let value = |name: &str| {
            let rest = text[name.len()..].trim_ascii_start();
            rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start).ok_or_else(|| {
                let head = [b"'=' expected after \"", name.as_bytes()].concat();
                [&head, b"\" in ACL verify condition \"".as_slice(), whole, b"\""].concat()
            })
        };
        let time = |text: &[u8]| {
            let time = seconds(text).and_then(|time| u64::try_from(time).ok());
            time.map(Duration::from_secs).ok_or_else(|| {
                [b"bad time value in ACL condition \"verify ".as_slice(), whole, b"\""].concat()
            })
        };
        if is("defer_ok") {
            self.defer_ok = true;
        } else if is("no_cache") {
            self.cached = false;
        } else if is("random") {
            self.random = true;
        } else if is("use_sender") {
            self.set_sender(Sender::Own)?;
        } else if is("use_tptsender") {
            self.set_sender(Sender::Transport)?;
        } else if is("use_postmaster") {
            self.set_sender(Sender::Postmaster)?;
        } else if is("postmaster_mailfrom") {
            self.postmaster = Some(value("postmaster_mailfrom")?.to_vec());
        } else if is("fullpostmaster") {
            self.postmaster = Some(Vec::new());
            self.bare_postmaster = true;
        } else if is("postmaster") {
            self.postmaster = Some(Vec::new());
        } else if is("mailfrom") {
            if subject != Subject::HeaderSender {
                // What is missing is said first.
                value("mailfrom")?;
                let head = b"\"mailfrom\" is allowed as a callout option only for \
                    verify=header_sender (detected in ACL condition \"";
                return Err([head.as_slice(), whole, b"\")"].concat());
            }
            self.mail_from = sender(value("mailfrom")?, rules)?;
        } else if is("connect") {
            self.connect = Some(time(value("connect")?)?);
        } else if is("maxwait") {
            self.longest = Some(time(value("maxwait")?)?);
        } else if is("hold") {
            self.hold = true;
        } else {
            self.timeout = Some(time(text)?);
        }
        Ok(())
    }

    fn set_sender(&mut self, sender: Sender) -> Result<(), Vec<u8>> {
        if self.sender != Sender::Given && self.sender != sender {
            let text =
                b"only one of use_sender and use_postmaster can be set for a recipient callout";
            return Err(text.to_vec());
        }
        self.sender = sender;
        Ok(())
    }
}

/// An address for MAIL, which may be empty.
fn sender(text: &[u8], rules: Rules) -> Result<Vec<u8>, Vec<u8>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    match address::parse(text, Rules { null: true, ..rules }) {
        Ok(found) => Ok(found.text),
        Err(why) => Err([b"bad address in callout option: ", &why.message[..]].concat()),
    }
}
