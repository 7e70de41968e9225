//! What drivers of an embedder's see of a routing pass, and what they say.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use eximious_core::{
    Closure, DriverDef, DriverKind, Fail, FailClass, Meta, OptionValue, Runs, Str,
};

use super::driver::{EmbeddedRouter, RouterRun};
use super::machine::{Machine, Verdict, unless_forced};
use super::pass::{ChildAddress, RouteError};
use super::router::Router;
use super::{Address, Purpose};
use crate::engine::Access;

/// A routing pass, as a driver of an embedder's sees it. What it may reach of the
/// conversation are the methods of [`Access`].
pub struct RouterCall<'c> {
    access: Access<'c>,
    address: &'c Address,
    local_part: &'c Str,
    router: &'c Router,
    purpose: Purpose,
}

/// What a driver says of an address that its router's conditions let in.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum RouterVerdict {
    /// The router's transport delivers it.
    Accept,
    /// These addresses stand in its place, each with its domain. With none, nothing comes
    /// of it.
    Redirect(Vec<Str>),
    /// Another router has its turn, unless `more` is false.
    Decline,
    /// The router that `pass_router` names has its turn, or the next one.
    Pass,
    /// It can't be delivered; the sender is told this.
    Fail(Str),
    /// It is thrown away.
    Discard,
}

impl<'c> Deref for RouterCall<'c> {
    type Target = Access<'c>;

    fn deref(&self) -> &Access<'c> {
        &self.access
    }
}

impl DerefMut for RouterCall<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.access
    }
}

impl RouterCall<'_> {
    /// The whole address.
    pub fn address(&self) -> &Str {
        &self.address.text
    }

    /// Its local part as the router has it: without prefix and suffix, and in lower case
    /// unless the router minds its case.
    pub fn local_part(&self) -> &Str {
        self.local_part
    }

    /// Its domain.
    pub fn domain(&self) -> &Str {
        &self.address.domain
    }

    /// What it is routed for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The name of the router: of the instance, not of its driver.
    pub fn router(&self) -> &Str {
        &self.router.name
    }

    /// An option's text, expanded; nothing where it is not set, is empty, or its expansion
    /// is forced to fail.
    ///
    /// # Errors
    /// What the expansion fails with.
    pub fn text(&mut self, option: &str) -> Result<Option<Str>, Fail> {
        let text = self.router.named_text(option).filter(|text| !text.written.is_empty());
        let Some(text) = text else { return Ok(None) };
        unless_forced(text.expand(self.access.cx))
    }

    /// Whether a switch is on.
    pub fn flag(&self, option: &str) -> bool {
        matches!(self.router.named_option(option), Some(OptionValue::Flag(true)))
    }

    /// A number, if it is set or has a default.
    pub fn number(&self, option: &str) -> Option<i64> {
        match self.router.named_option(option) {
            Some(OptionValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A time, if it is set or has a default.
    pub fn time(&self, option: &str) -> Option<Duration> {
        self.number(option).and_then(|time| u64::try_from(time).ok()).map(Duration::from_secs)
    }
}

impl Machine<'_> {
    /// Runs a driver of an embedder's.
    pub(super) fn drive_embedded(
        &mut self,
        number: usize,
        router: &Router,
        run: &EmbeddedRouter,
    ) -> Result<Verdict, RouteError> {
        let access = Access { cx: &mut *self.cx, meta: &router.driver.meta };
        let (address, local_part) = (&*self.address, &self.offer.local_part);
        let purpose = self.purpose;
        let said = run(&mut RouterCall { access, address, local_part, router, purpose });
        match said {
            Ok(RouterVerdict::Accept) => {
                Ok(Verdict::Accept(Some(self.delivery(number, router, None)?)))
            }
            Ok(RouterVerdict::Redirect(others)) => {
                self.assign_errors(router)?;
                self.assign_headers(router)?;
                let ancestor = self.address.as_ancestor(Some(number));
                let children = others.into_iter().map(|text| self.address.child(text, &ancestor));
                let children: Vec<_> = children.map(ChildAddress::Address).collect();
                self.children.extend(children);
                Ok(Verdict::Accept(None))
            }
            Ok(RouterVerdict::Decline) => Ok(Verdict::Decline),
            Ok(RouterVerdict::Pass) => Ok(Verdict::Pass),
            Ok(RouterVerdict::Fail(why)) => {
                let why = why.bytes().to_vec();
                Ok(Verdict::Fail(RouteError { said: Some(why.clone()), ..RouteError::new(why) }))
            }
            Ok(RouterVerdict::Discard) => Ok(Verdict::Discard { by_filter: false }),
            Err(fail) if fail.class() == FailClass::Forced => Ok(Verdict::Decline),
            Err(fail) => Err(RouteError::new(fail.message())),
        }
    }
}

/// A driver of routers that runs a closure. Its options are set with
/// [`DriverDef::options`]; those that all routers have it has, too.
pub fn driver(
    meta: Meta,
    run: impl Fn(&mut RouterCall<'_>) -> Result<RouterVerdict, Fail> + Send + Sync + 'static,
) -> DriverDef {
    let run = Runs::made(RouterRun::Embedded(Closure(Arc::new(run))));
    DriverDef::of(DriverKind::Router, meta, run)
}
