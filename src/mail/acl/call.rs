//! What conditions, modifiers and controls of an embedder's see of the run of an ACL.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use eximious_core::{
    AclControl, AclPhases, AclTerm, AclTermKind, AclVerify, Closure, Fail, FailClass, Meta, Runs,
    Str,
};
use eximious_stdlib::variables::var;

use super::machine::{Answer, Run};
use super::words::{ControlRun, TermRun, VerifyRun};
use crate::engine::Access;

/// The run of an ACL, as a word of an embedder's sees it. What it may reach of the
/// conversation are the methods of [`Access`].
pub struct AclCall<'c> {
    access: Access<'c>,
    phase: AclPhases,
    said: &'c mut Option<Str>,
    logged: &'c mut Option<Str>,
}

impl<'c> Deref for AclCall<'c> {
    type Target = Access<'c>;

    fn deref(&self) -> &Access<'c> {
        &self.access
    }
}

impl DerefMut for AclCall<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.access
    }
}

impl AclCall<'_> {
    /// Which ACL runs. It is none of all where an expansion calls one elsewhere.
    pub fn phase(&self) -> AclPhases {
        self.phase
    }

    /// What the client is told if the statement refuses, unless that has a `message`;
    /// the log, too, where nothing else is said of it.
    pub fn say(&mut self, message: impl Into<Str>) {
        let message = message.into();
        self.access.cx.set_var(var::ACL_VERIFY_MESSAGE, message.clone());
        (*self.said, *self.logged) = (Some(message.clone()), Some(message));
    }

    /// What the log has if the statement refuses, unless that has a `log_message`.
    pub fn say_to_log(&mut self, message: impl Into<Str>) {
        *self.logged = Some(message.into());
    }

    /// Runs a word of an embedder's.
    pub(super) fn run(
        run: &mut Run<'_>,
        meta: &Meta,
        work: impl FnOnce(&mut AclCall<'_>) -> Result<bool, Fail>,
    ) -> Answer {
        let access = Access { cx: &mut *run.cx, meta };
        let (said, logged) = (&mut run.said, &mut run.logged);
        match work(&mut AclCall { access, phase: run.phase, said, logged }) {
            Ok(holds) => Answer::from(holds),
            // As if it were not there.
            Err(fail) if fail.class() == FailClass::Forced => Answer::Yes,
            Err(fail) => {
                run.logged = Some(Str::from(fail.message()));
                match fail.class() {
                    FailClass::Defer => Answer::Later,
                    _ => Answer::Error,
                }
            }
        }
    }
}

/// A condition of ACLs that runs a closure with its text, expanded. It holds where that
/// says yes; a failure of class defer defers, a forced one lets the condition count as
/// if it were not there.
pub fn condition(
    meta: Meta,
    run: impl Fn(&mut AclCall<'_>, &Str) -> Result<bool, Fail> + Send + Sync + 'static,
) -> AclTerm {
    let run = TermRun::Embedded(Closure(Arc::new(run)));
    AclTerm::new(AclTermKind::Condition, meta, Runs::made(run))
}

/// A modifier of ACLs that runs a closure with its text, expanded.
pub fn modifier(
    meta: Meta,
    run: impl Fn(&mut AclCall<'_>, &Str) -> Result<(), Fail> + Send + Sync + 'static,
) -> AclTerm {
    let run: TermRun =
        TermRun::Embedded(Closure(Arc::new(move |call: &mut AclCall<'_>, text: &Str| {
            run(call, text).map(|()| true)
        })));
    AclTerm::new(AclTermKind::Modifier, meta, Runs::made(run))
}

/// A control that runs a closure with what stands after its name and a slash, and is
/// then set ([`AclState::has`](super::AclState::has)) unless that says no.
pub fn control(
    meta: Meta,
    run: impl Fn(&mut AclCall<'_>, &Str) -> Result<bool, Fail> + Send + Sync + 'static,
) -> AclControl {
    AclControl::new(meta, Runs::made(ControlRun::Embedded(Closure(Arc::new(run)))))
}

/// What stands behind the name of a verification.
#[derive(Clone, Copy, Debug)]
pub struct VerifyAsked<'a> {
    pub(super) address: Option<&'a Str>,
    pub(super) options: &'a [Vec<u8>],
}

impl<'a> VerifyAsked<'a> {
    /// The address behind an equals sign, where the record says that there may be one
    /// ([`AclVerify::address`]).
    pub fn address(&self) -> Option<&'a Str> {
        self.address
    }

    /// What stands behind each slash, without the space around it.
    pub fn options(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.options.iter().map(Vec::as_slice)
    }
}

/// Something that `verify` may name, which runs a closure: it is fine where that says yes.
/// Failures are those of [`condition`]. What may stand behind its name the record says
/// ([`AclVerify::address`], [`AclVerify::options`]); it holds in all ACLs, unless
/// [`AclVerify::phases`] says otherwise.
pub fn verification(
    meta: Meta,
    run: impl Fn(&mut AclCall<'_>, &VerifyAsked<'_>) -> Result<bool, Fail> + Send + Sync + 'static,
) -> AclVerify {
    AclVerify::new(meta, Runs::made(VerifyRun::Embedded(Closure(Arc::new(run)))))
}
