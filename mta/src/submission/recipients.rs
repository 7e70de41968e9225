//! Who gets a message that a program hands in: its arguments, or what the header
//! says (`-t`).

use std::collections::BTreeSet;

use eximious::rewrite::Rewriter;
use eximious::stdlib::address::{self, Rules};
use eximious::{Str, opt, var};

use super::report::Fault;
use super::{Errors, Submission};
use crate::options;
use crate::reception::{self, FixingMessage, HeaderRecipients};

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
        let removes = self.cx.engine().settings().get(opt::EXTRACT_ADDRESSES_REMOVE_ARGUMENTS);
        let are_recipients = !(self.request.names_recipients && removes);
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
                if are_recipients {
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

    /// What is wrong with those that the header names.
    pub(super) fn check_recipients(
        &mut self,
        named: HeaderRecipients,
        recipients: &[Str],
    ) -> Result<(), Fault> {
        if !named.wrong.is_empty() {
            self.log_panic(b"bad addresses found in headers");
            let fault = Fault::Named(named.wrong, !recipients.is_empty());
            if recipients.is_empty() || self.errors == Errors::Printed {
                return Err(fault);
            }
            let _ = self.mail(&fault);
        } else if self.request.names_recipients && recipients.is_empty() {
            self.log_panic(b"no recipients found in headers");
            return Err(Fault::NoRecipients(!named.addresses.is_empty()));
        }
        Ok(())
    }

    /// Adds those that the header names to the recipients, without those that do not
    /// get the message.
    pub(super) fn add_named(&mut self, named: &HeaderRecipients, recipients: &mut Vec<Str>) {
        if !self.request.names_recipients {
            return;
        }
        let without: BTreeSet<&[u8]> = self.received.not_for.iter().map(Str::bytes).collect();
        let named = named.addresses.iter().filter(|address| !without.contains(&address[..]));
        let named: Vec<Vec<u8>> = named.cloned().collect();
        for mut address in named {
            self.typed.recipients.push(Str::tainted(address.as_slice()));
            if address::find_at(&address).is_none() {
                self.qualify(&mut address);
            }
            recipients.push(Str::tainted(address));
        }
    }

    /// Applies the rules for rewriting to the recipients, and to those that do not get the
    /// message. Those that a rule fitted, as they were before.
    pub(super) fn rewrite(
        &mut self,
        rewriter: &Rewriter<'_>,
        fixing: &mut FixingMessage<'_>,
        recipients: &mut [Str],
    ) -> Vec<Str> {
        let not_for = &mut self.received.not_for;
        let [others, rewritten] = fixing.seen(self.cx, rewriter, |cx| {
            let others = reception::rewrite_recipients(cx, rewriter, not_for);
            [others, reception::rewrite_recipients(cx, rewriter, recipients)]
        });
        let faults = others.faults.iter().chain(&rewritten.faults);
        faults.for_each(|fail| self.log(fail.message()));
        rewritten.old
    }
}
