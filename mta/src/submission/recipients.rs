//! Who gets a message that a program hands in: its arguments, or what the header
//! says (`-t`).

use std::collections::BTreeSet;

use eximious::rewrite::Rewriter;
use eximious::stdlib::address::{self, Rules};
use eximious::{Str, opt, var};

use super::report::Fault;
use super::{Errors, Submission};
use crate::options;
use crate::reception::{self, HeaderRecipients, RewrittenPlaces};

/// The envelope as it was typed, which is what is logged of it.
#[derive(Clone, Default)]
pub(super) struct TypedEnvelope {
    pub(super) recipients: Vec<Str>,
    /// The first sender, where it is another one by now.
    pub(super) sender: Option<Str>,
}

impl Submission<'_> {
    /// The addresses in the arguments. Where one is not of ASCII, the message is an
    /// international one.
    pub(super) fn arguments(&mut self) -> Result<Vec<Str>, Fault> {
        let most = options::number(self.cx, opt::RECIPIENTS_MAX);
        let rules = Rules { utf8_domains: true, ..Rules::of(self.cx.engine().settings()) };
        let mut found = Vec::new();
        for argument in &self.request.arguments {
            let mut rest = argument.as_slice();
            while !rest.is_empty() {
                // One too many is counted before anybody looks at it.
                let is_full = most > 0 && found.len() as i64 >= most;
                if is_full && !self.request.names_recipients {
                    return Err(Fault::TooMany(most));
                }
                let end = address::find_end(rest, false);
                let wrong = |why: &[u8]| Fault::Argument(argument.clone(), why.to_vec());
                let parsed = address::parse(&rest[..end], rules);
                let parsed = parsed.map_err(|why| wrong(&why.message))?;
                let mut text = parsed.text;
                if !text.is_ascii() {
                    self.cx.set_var(var::MESSAGE_SMTPUTF8, Str::fixed("yes"));
                }
                if !self.request.names_recipients {
                    self.typed.recipients.push(Str::tainted(text.as_slice()));
                }
                if parsed.domain.is_none() {
                    if self.request.leaves_unqualified {
                        return Err(wrong(b"unqualified recipient address not allowed"));
                    }
                    self.qualify(&mut text);
                }
                found.push(Str::tainted(text));
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
        Ok(found)
    }

    fn qualify(&mut self, address: &mut Vec<u8>) {
        let domain = self.cx.value_of(var::QUALIFY_RECIPIENT);
        address.extend_from_slice(&[b"@", domain.bytes()].concat());
    }

    /// Whether the header names not too many; those that are wrong count, too. Nothing else of
    /// the message was looked at yet.
    pub(super) fn check_count(&mut self, named: &HeaderRecipients) -> Result<(), Fault> {
        let most = options::number(self.cx, opt::RECIPIENTS_MAX);
        let count = named.addresses.len() + named.wrong.len();
        if most <= 0 || count as i64 <= most {
            return Ok(());
        }
        self.id = Str::EMPTY;
        Err(Fault::TooManyNamed(most))
    }

    /// Completes the recipients by those that the header names, and rewrites them and
    /// the sender.
    pub(super) fn check_recipients(
        &mut self,
        rewriter: &Rewriter<'_>,
        named: HeaderRecipients,
        places: RewrittenPlaces,
        recipients: &mut Vec<Str>,
    ) -> Result<(), Fault> {
        let named_any = !named.addresses.is_empty();
        let mut not_for = std::mem::take(&mut self.received.not_for);
        self.rewrite_all(rewriter, &mut not_for);
        self.received.not_for = not_for;
        if self.request.names_recipients {
            self.add_named(named.addresses, recipients);
        }
        self.rewrite(rewriter, places, recipients);
        if !named.wrong.is_empty() {
            self.log_panic(b"bad addresses found in headers");
            let fault = Fault::Named(named.wrong, !recipients.is_empty());
            if recipients.is_empty() || self.request.errors == Errors::Printed {
                return Err(fault);
            }
            let _ = self.mail(&fault);
        } else if self.request.names_recipients && recipients.is_empty() {
            self.log_panic(b"no recipients found in headers");
            return Err(Fault::NoRecipients(named_any));
        }
        Ok(())
    }

    /// Adds those that the header names to the recipients, without those that do not
    /// get the message.
    pub(super) fn add_named(&mut self, named: Vec<Vec<u8>>, recipients: &mut Vec<Str>) {
        let without: BTreeSet<Vec<u8>> =
            self.received.not_for.iter().map(|address| address.bytes().to_vec()).collect();
        for mut address in named.into_iter().filter(|address| !without.contains(address)) {
            self.typed.recipients.push(Str::tainted(address.as_slice()));
            if address::find_at(&address).is_none() {
                self.qualify(&mut address);
            }
            recipients.push(Str::tainted(address));
        }
    }

    /// Those that a rule fitted, as they were before.
    fn rewrite_all(&mut self, rewriter: &Rewriter<'_>, recipients: &mut [Str]) -> Vec<Str> {
        let rewritten = reception::rewrite_recipients(self.cx, rewriter, recipients);
        rewritten.faults.iter().for_each(|fail| self.log(fail.message()));
        rewritten.old
    }

    fn rewrite(
        &mut self,
        rewriter: &Rewriter<'_>,
        places: RewrittenPlaces,
        recipients: &mut [Str],
    ) {
        let old = self.rewrite_all(rewriter, recipients);
        let sender = reception::rewrite_sender(self.cx, rewriter).unwrap_or_else(|fail| {
            self.log(fail.message());
            None
        });
        places.tell(&mut self.received.replaced, &old, sender.as_ref());
        self.typed.sender = self.typed.sender.take().or(sender);
        self.received.message.sender = self.cx.value_of(var::SENDER_ADDRESS);
    }
}
