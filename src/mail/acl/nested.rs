//! ACLs that are called by expansions: `${acl{name}{argument}…}` and the
//! condition of that name (specification 11.5 and 11.7).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eximious_core::world::{Log, log_of};
use eximious_core::{AclAnswer, AclPhases, Bindings, ErrorKind, Fail, Str};
use eximious_stdlib::variables::var;

use super::machine::{AclVerdict, Run};
use super::{AclHost, AclState, Acls, Inner, Logs};
use crate::engine::context::AclCaller;
use crate::mail::debugging::is_logged;
use crate::mail::route::Routes;
use crate::{Config, Context};

/// What an expansion has to know to call an ACL, and what it leaves.
#[derive(Default)]
pub(super) struct Nested {
    /// The kind of the ACL that runs; none, outside of all.
    phase: Option<AclPhases>,
    /// How deep a call from here is, and how many ACLs call each other up to here.
    depth: u32,
    level: u32,
    state: AclState,
    /// Which logs refusals go to since then.
    reject_logs: Option<Logs>,
    delays: Vec<Duration>,
    /// Whether a test shows each line once.
    shows_once: bool,
}

/// What an ACL tells whoever holds the conversation. Steps and lines are told at once;
/// what is to be done waits until the expansion has come to its end.
struct Told {
    log: Arc<dyn Log>,
    /// The message that lines are about.
    id: Str,
    shows_once: bool,
    delays: Vec<Duration>,
}

impl AclHost for Told {
    fn delay(&mut self, time: Duration, _: bool) {
        self.delays.push(time);
    }

    fn log_through(&mut self, log: Arc<dyn Log>) {
        self.log = log_of(self.id.clone(), log);
    }

    fn log(&mut self, line: &[u8]) {
        self.log.main(line);
    }

    fn log_to(&mut self, logs: Logs, line: &[u8]) {
        let logs = if self.shows_once { logs.shown_once(&*self.log) } else { logs };
        logs.write(&*self.log, line, b"");
    }
}

impl Acls {
    /// Lets what a context expands from here on call these ACLs.
    pub fn attach(&self, cx: &mut Context) {
        cx.acl_caller = Some(self.0.clone());
    }

    /// Lets what a context expands from here on call the ACLs of a configuration. They are made
    /// ready when the first is called: most who expand something call none.
    pub fn attach_later(config: Arc<Config>, cx: &mut Context) {
        cx.acl_caller = Some(Arc::new(Later { config, acls: OnceLock::new() }));
    }

    /// An ACL of some kind begins; what was before comes back with
    /// [`Acls::leave`].
    pub(super) fn enter(
        &self,
        cx: &mut Context,
        phase: AclPhases,
        host: &dyn AclHost,
    ) -> Option<AclPhases> {
        self.attach(cx);
        let nested = cx.memory::<Nested>();
        nested.shows_once = host.is_test();
        nested.phase.replace(phase)
    }

    pub(super) fn leave(cx: &mut Context, before: Option<AclPhases>) {
        cx.memory::<Nested>().phase = before;
    }
}

/// ACLs that nobody has called yet.
#[derive(Debug)]
struct Later {
    config: Arc<Config>,
    acls: OnceLock<Acls>,
}

impl AclCaller for Later {
    fn call(self: Arc<Self>, cx: &mut Context, name: &Str) -> Result<AclAnswer, Fail> {
        let engine = cx.engine().clone();
        let ready = || {
            let routes = Routes::new(&self.config, engine.registry(), engine.world());
            Acls::new(&self.config, routes)
        };
        call(self.acls.get_or_init(ready).clone(), cx, name)
    }
}

impl AclCaller for Inner {
    fn call(self: Arc<Self>, cx: &mut Context, name: &Str) -> Result<AclAnswer, Fail> {
        call(Acls(self), cx, name)
    }
}

fn call(acls: Acls, cx: &mut Context, name: &Str) -> Result<AclAnswer, Fail> {
    let nested = cx.memory::<Nested>();
    let (depth, level) = (nested.depth, nested.level);
    let outermost = nested.phase.is_none();
    let phase = nested.phase.unwrap_or(AclPhases::empty());
    // A name with white space around it is another one.
    let odd = name.bytes().trim_ascii().len() < name.bytes().len();
    if odd && acls.named(name.bytes().trim_ascii()).is_some() {
        return Err(refused("ERROR", name));
    }
    let mut state = std::mem::take(&mut nested.state);
    let shows_once = nested.shows_once;
    let delays = std::mem::take(&mut nested.delays);
    let (id, log) = (cx.value_of(var::MESSAGE_EXIM_ID), cx.log());
    let mut told = Told { log, id, shows_once, delays };
    let outer = cx.evaluation.suspend();
    let bindings = cx.evaluation.scope.enter();
    let mut run = Run::new(&acls, cx, &mut told, &mut state, phase);
    let first = outermost && depth == 0;
    run.level = if first { 0 } else { level.saturating_add(1) };
    // It stands one deeper than the string that calls it; outside of all ACLs, it does not
    // matter where in a string that is.
    let trace = run.cx.trace();
    let before = trace.depth;
    trace.depth = match outermost {
        true => depth.saturating_add(if first { 2 } else { 1 }),
        false => before.max(1).saturating_add(1),
    };
    run.depth = run.cx.trace().depth;
    let verdict = run.named_or_text(name);
    run.cx.trace().depth = before;
    let (message, reject_logs) = (run.said.take(), run.reject_logs);
    cx.evaluation.scope.leave(bindings, Bindings::ALL);
    cx.evaluation.resume(outer);
    let nested = cx.memory::<Nested>();
    (nested.depth, nested.level) = (depth, level);
    // Outside of all there is nothing that it could change.
    if !outermost {
        (nested.state, nested.delays) = (state, told.delays);
        nested.reject_logs = Some(reject_logs);
    }
    match verdict {
        AclVerdict::Accept => Ok(AclAnswer { accepted: true, message }),
        AclVerdict::Deny => Ok(AclAnswer { accepted: false, message }),
        AclVerdict::Defer => {
            Err(Fail::forced([b"DEFER from acl \"".as_slice(), name.bytes(), b"\""].concat()))
        }
        AclVerdict::Drop => Err(refused("FAIL_DROP", name)),
        AclVerdict::Discard => Err(refused("DISCARD", name)),
        AclVerdict::Error => Err(refused("ERROR", name)),
    }
}

fn refused(verdict: &str, name: &Str) -> Fail {
    let message = [verdict.as_bytes(), b" from acl \"", name.bytes(), b"\""].concat();
    Fail::error(ErrorKind::Unsupported, message)
}

impl Run<'_> {
    /// Says how deep it is to the expansions that follow.
    pub(super) fn deepen(&mut self) {
        let nested = self.cx.memory::<Nested>();
        (nested.depth, nested.level) = (self.depth.saturating_add(1), self.level);
        // What is there already is not added, nor logged, again.
        nested.state.headers_add.clone_from(&self.state.headers_add);
        nested.state.warned.clone_from(&self.state.warned);
    }

    /// Does what ACLs want done that expansions called.
    pub(super) fn gather(&mut self) {
        let nested = self.cx.memory::<Nested>();
        let state = std::mem::take(&mut nested.state);
        let delays = std::mem::take(&mut nested.delays);
        self.reject_logs = nested.reject_logs.take().unwrap_or(self.reject_logs);
        self.state.controls.extend(state.controls);
        super::cutthrough::join(self, state.cutthrough);
        let known = self.state.headers_add.len().min(state.headers_add.len());
        self.state.headers_add.extend_from_slice(&state.headers_add[known..]);
        let known = self.state.warned.len().min(state.warned.len());
        self.state.warned.extend_from_slice(&state.warned[known..]);
        self.state.headers_remove.extend(state.headers_remove);
        self.state.broken = self.state.broken.or(state.broken);
        if !state.queue.is_empty() {
            self.state.queue = state.queue;
        }
        if is_logged(self.cx) {
            self.host.log_through(self.cx.engine().world().log.clone());
        }
        let sends = !self.state.has("no_delay_flush");
        for time in delays {
            self.delay(time, sends);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Driver;

    const ACLS: &str = "begin acl\n\
        x:\n accept message = hi $acl_arg1 $acl_narg\n\
        d:\n deny message = no $acl_arg1\n\
        w:\n warn set acl_m0 = foo\n logwrite = w\n\
        h:\n warn add_header = X-A: b\n\
        f:\n defer message = later\n\
        dr:\n drop message = dropped\n\
        di:\n discard message = disc\n\
        e:\n deny condition = foo\n\
        e2:\n accept message = ${acl{x}{y}} in $acl_arg1\n\
        n:\n accept\n\
        ml:\n accept message = a\\nb\n\
        lg:\n deny log_message = only log\n\
        v:\n deny verify = foo\n\
        a:\n accept domains = foo\n\
        rl:\n accept control = freeze\n\
        ll:\n accept condition = ${acl{ll}}\n\
        loop:\n accept acl = loop\n";

    fn expand(driver: &mut Driver, text: &str) -> String {
        let engine = driver.cx.engine().clone();
        match engine.expand_once(text.as_bytes(), &mut driver.cx) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("Failed: {fail}"),
        }
    }

    #[test]
    fn expansions_call_acls() {
        let mut driver = Driver::with(ACLS);
        assert_eq!(expand(&mut driver, "${acl{x}}"), "Failed: ERROR from acl \"x\"");
        driver.attach();
        for (text, answer) in [
            ("[${acl{}}]", "[]"),
            ("${acl{x}{a}{b}}", "hi a 2"),
            ("${acl{d}{a}}", "no a"),
            ("${acl{w}}$acl_m0", "foo"),
            ("${acl{h}}", "Failed: ERROR from acl \"h\""),
            ("${acl{f}}", "Failed: DEFER from acl \"f\""),
            ("${acl{dr}}", "Failed: FAIL_DROP from acl \"dr\""),
            ("${acl{di}}", "Failed: DISCARD from acl \"di\""),
            ("${acl{e}}", "Failed: DEFER from acl \"e\""),
            ("${acl{e2}{z}}", "hi y 1 in z"),
            ("${if acl{{x}{a}}{y $value}{n}}", "y hi a 1"),
            ("${if acl{{d}{a}}{y}{n $value}}", "n no a"),
            ("${if acl{{f}}{y}{n}}", "Failed: DEFER from acl \"f\""),
            ("[${acl{n}}]", "[]"),
            ("${acl{accept message = foo}}", "foo"),
            ("[${acl{deny}}]", "[]"),
            ("${acl{ml}}", "a\nb"),
            ("[${acl{lg}}]", "[]"),
            ("${acl{v}}", "Failed: ERROR from acl \"v\""),
            ("${acl{a}}", "Failed: ERROR from acl \"a\""),
            ("${acl{rl}}", "Failed: ERROR from acl \"rl\""),
            ("${acl{loop}}", "Failed: ERROR from acl \"loop\""),
            ("${acl{/nofile}}", "Failed: ERROR from acl \"/nofile\""),
            ("${acl{nosuch}}", "Failed: ERROR from acl \"nosuch\""),
            ("${acl{ x }}", "Failed: ERROR from acl \" x \""),
            ("${acl{x}{1}{2}{3}{4}{5}{6}{7}{8}{9}}", "hi 1 9"),
            ("${if match{abc}{(b)}{$1${acl{x}{$1}}$1}}", "bhi b 1b"),
            ("a${if eq{1}{1}{b${acl{x}{c}}d}}e", "abhi c 1de"),
        ] {
            assert_eq!(expand(&mut driver, text), answer, "{text}");
        }
    }

    #[test]
    fn a_loop_over_expansions_has_an_end() {
        let mut driver = Driver::with(ACLS);
        driver.attach();
        assert!(expand(&mut driver, "${acl{ll}}").starts_with("Failed: "));
        assert_eq!(expand(&mut driver, "${acl{x}{a}}"), "hi a 1");
    }

    #[test]
    fn what_is_called_within_an_acl_counts_for_it() {
        let mut driver = Driver::with(ACLS).set("sender_host_address", "192.0.2.1");
        assert_eq!(driver.run("deny condition = ${if acl{{w}}}\naccept"), "Accept");
        assert_eq!(driver.written(), ["w"]);
        assert_eq!(driver.run("deny condition = ${if acl{{h}}}\naccept"), "Accept");
        assert_eq!(driver.state.headers_add.len(), 1);
        assert_eq!(driver.run("accept condition = ${if acl{{rl}}}"), "Accept");
        assert!(driver.state.has("freeze"));
    }
}
