//! Who says that he wrote a message: From and Sender (specification 48.5.7,
//! 48.5.12, 48.7).

use eximious::opt;
use eximious::stdlib::address::{self, Rules, quote_local_part};
use eximious::{Context, LogSelector, Str, var};

use super::envelope::own_address;
use super::lines::{Line, Lines};
use super::{Origin, Submission};

/// What a message's sender is checked against, and what lines are made of.
#[derive(Debug)]
pub(super) struct Author<'a> {
    pub(super) origin: &'a Origin,
    pub(super) submission: Option<&'a Submission>,
    /// `Resent-`, where the message was sent on.
    pub(super) prefix: &'static str,
}

impl Author<'_> {
    /// A From line that only names the user who submits it becomes one with an
    /// address and a name.
    pub(super) fn complete_login(&self, cx: &mut Context, lines: &mut Lines) {
        let own = &self.origin.login;
        let from = format!("{}from", self.prefix);
        let mut made = 0;
        for line in &mut lines.0 {
            let value = line.header.value();
            let value = value.trim_ascii_start();
            let value = value.strip_suffix(b"\n").unwrap_or(value);
            if !line.struck && line.is(&from) && value.eq_ignore_ascii_case(own) {
                line.struck = true;
                made += 1;
            }
        }
        if made > 0 {
            let address = self.local_address(cx);
            let value = self.named(cx, &address, true);
            for _ in 0..made {
                lines.push(&format!("{}From", self.prefix), &value);
            }
        }
    }

    /// Adds a From line where there is none, if it can be told who wrote it.
    pub(super) fn add_from(&self, cx: &mut Context, lines: &mut Lines) {
        if lines.has(&format!("{}From", self.prefix)) {
            return;
        }
        let said = self.origin.said_sender.clone();
        let sender = said.unwrap_or_else(|| cx.value_of(var::SENDER_ADDRESS));
        let address = if !sender.is_empty() {
            sender.bytes().to_vec()
        } else if let Some(submission) = self.submission {
            match self.authenticated(cx, submission) {
                Some(address) => address,
                None => return,
            }
        } else if self.origin.local && (!self.origin.trusted || self.origin.is_error) {
            self.local_address(cx)
        } else {
            return;
        };
        let value = self.named(cx, &address, false);
        lines.push(&format!("{}From", self.prefix), &value);
    }

    /// Compares the From line with who it really was, and adds a Sender line where
    /// they are not the same. Where the sender is somebody else then, it is
    /// returned.
    pub(super) fn check(&self, cx: &mut Context, lines: &mut Lines) -> Option<Str> {
        let (own, sender) = match self.submission {
            Some(submission) => {
                let own = self.authenticated(cx, submission)?;
                let sender = cx.value_of(var::SENDER_ADDRESS);
                let new = (!sender.is_empty()).then(|| Str::tainted(own.as_slice()));
                (own, new)
            }
            None => (self.local_address(cx), None),
        };
        let from = format!("{}from", self.prefix);
        let line = lines.standing().rev().find(|line| line.is(&from));
        let rules = Rules::of(cx.engine().settings());
        // Where there is none, a host may have left it out.
        let same = line.is_none_or(|line| self.is_from(cx, line, &own, rules));
        if !same {
            let value = match self.submission {
                Some(submission) => with_given_name(cx, submission, &own),
                None => self.named(cx, &own, true),
            };
            lines.push(&format!("{}Sender", self.prefix), &value);
        }
        sender
    }

    /// Makes somebody else the sender: who proved who he is. Who it was before.
    pub(super) fn replace_sender(&self, cx: &mut Context, sender: Str) -> Str {
        let old = cx.value_of(var::SENDER_ADDRESS);
        if old.bytes() != sender.bytes() {
            let middle = b"\" from env-from rewritten as \"".as_slice();
            let tail = b"\" by submission mode";
            let line = [b"\"", old.bytes(), middle, sender.bytes(), tail].concat();
            let selector = cx.engine().settings().log_selector();
            cx.log().by_selector(selector, LogSelector::ADDRESS_REWRITE, &line);
        }
        cx.set_var(var::SENDER_ADDRESS, sender);
        old
    }

    /// Whether a From line holds this address, with or without a prefix or suffix
    /// of its local part.
    fn is_from(&self, cx: &mut Context, line: &Line, own: &[u8], rules: Rules) -> bool {
        let Ok(found) = address::parse(line.header.value(), rules) else { return false };
        if found.text.eq_ignore_ascii_case(own) {
            return true;
        }
        let (local_part, domain) = address::parts(own);
        // One without a domain is about to get this one.
        let bare = found.domain.is_none()
            && (self.origin.handed_on || self.origin.local && self.origin.qualifies_senders);
        if !bare && !found.domain().eq_ignore_ascii_case(domain) {
            return false;
        }
        let settings = cx.engine().settings();
        let prefixes = settings.get(opt::LOCAL_FROM_PREFIX);
        let suffixes = settings.get(opt::LOCAL_FROM_SUFFIX);
        let bare = Str::tainted(found.local_part());
        let bare = eximious::route::without_affixes(&prefixes, &suffixes, &bare);
        bare.bytes().eq_ignore_ascii_case(local_part)
    }

    /// The address of the user who submits the message.
    fn local_address(&self, cx: &mut Context) -> Vec<u8> {
        own_address(cx, &self.origin.login)
    }

    /// The address of a client that proved who it is.
    fn authenticated(&self, cx: &mut Context, submission: &Submission) -> Option<Vec<u8>> {
        let id = cx.value_of(var::AUTHENTICATED_ID);
        if id.is_empty() {
            return None;
        }
        let domain = match &submission.domain {
            Some(domain) if domain.is_empty() => return Some(id.bytes().to_vec()),
            Some(domain) => domain.clone(),
            None => cx.value_of(var::QUALIFY_DOMAIN).bytes().to_vec(),
        };
        Some([&quote_local_part(id.bytes()), b"@".as_slice(), &domain].concat())
    }

    /// An address with the name of who it is; `always` where that is the user's own
    /// address, whoever the sender is.
    fn named(&self, cx: &Context, address: &[u8], always: bool) -> Vec<u8> {
        match self.submission {
            Some(submission) => with_given_name(cx, submission, address),
            None if always => {
                let name = phrase(cx, &self.origin.name);
                [&name, b" <".as_slice(), address, b">"].concat()
            }
            None => with_name(cx, &self.origin.name, address),
        }
    }
}

/// The same with the name that a control gives; an empty one is one, too.
fn with_given_name(cx: &Context, submission: &Submission, address: &[u8]) -> Vec<u8> {
    match &submission.name {
        Some(name) => [&phrase(cx, name), b" <".as_slice(), address, b">"].concat(),
        None => address.to_vec(),
    }
}

fn with_name(cx: &Context, name: &[u8], address: &[u8]) -> Vec<u8> {
    match name {
        b"" => address.to_vec(),
        name => [&phrase(cx, name), b" <".as_slice(), address, b">"].concat(),
    }
}

fn phrase(cx: &Context, name: &[u8]) -> Vec<u8> {
    address::phrase(name, cx.engine().settings().get(opt::HEADERS_CHARSET).bytes())
}
