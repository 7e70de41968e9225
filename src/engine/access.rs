//! What words of an embedder's may reach of a conversation.

use std::any::Any;
use std::sync::Arc;

use eximious_core::{Call, Fail, FailClass, ListKind, Meta, Str};
use eximious_stdlib::hosts::SendingHost;
use eximious_stdlib::lists::{ListOutcome, Matcher, ip};

use super::{Context, IntoValue};

/// What a word of an embedder's may reach of the conversation that it runs in: its
/// values, expansion, lists, the log, and of the outside what its record declares.
#[derive(Debug)]
pub struct Access<'c> {
    pub(crate) cx: &'c mut Context,
    pub(crate) meta: &'c Meta,
}

impl Access<'_> {
    /// The name of the word that runs.
    pub fn name(&self) -> &'static str {
        self.meta.name
    }

    /// A variable's value; empty where nobody knows it.
    pub fn value(&mut self, name: &str) -> Str {
        self.cx.value(name)
    }

    /// Sets a variable, as [`Context::set`] does: text is tainted.
    pub fn set(&mut self, name: &str, value: impl IntoValue) {
        self.cx.set(name, value);
    }

    /// Expands text. Tainted text is refused.
    ///
    /// # Errors
    /// What the expansion fails with, or that the policy forbids it.
    pub fn expand(&mut self, text: &Str) -> Result<Str, Fail> {
        self.call(|call| call.expand(text))
    }

    /// Whether something is in a list of some kind, as it is written in a
    /// configuration. Of hosts it is the address that is asked for.
    ///
    /// # Errors
    /// The list can't be read, or nobody can say now (class defer).
    pub fn is_in(&mut self, kind: ListKind, list: &Str, subject: &Str) -> Result<bool, Fail> {
        let mut client = SendingHost;
        let mut matcher = match kind {
            ListKind::Domain => Matcher::domain(subject),
            ListKind::LocalPart => Matcher::local_part(subject),
            ListKind::Address => Matcher::address(subject),
            ListKind::Host => {
                let address = ip::address(subject.bytes());
                Matcher::host(address.map(|address| (subject.clone(), address)), &mut client)
            }
        };
        match self.cx.is_in(list, &mut matcher) {
            Ok(ListOutcome::Matched(_)) => Ok(true),
            Ok(ListOutcome::Unmatched(_)) => Ok(false),
            Ok(ListOutcome::Deferred(why)) => Err(Fail::defer(why.unwrap_or_default())),
            Err(fail) if fail.class() == FailClass::Forced => Ok(false),
            Err(fail) => Err(fail),
        }
    }

    /// Writes a line to the main log, about the message at hand if there is one.
    pub fn log(&mut self, line: &[u8]) {
        self.cx.log().main(line);
    }

    /// What whoever made the context left in it, where that is of this type.
    pub fn user_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.cx.user_data()
    }

    /// Does something as an item of an expansion does it: there the outside is, as far
    /// as the word's record declares it and the policy allows it.
    pub fn call<T>(&mut self, work: impl FnOnce(&mut Call<'_>) -> T) -> T {
        self.cx.call(self.meta, work)
    }
}
