//! What happens, in Exim's words: the steps of mail beside those of the language, and who
//! watches them. [`TestComments`] are the comments of a test (`-bh`), [`DebugOutput`] is
//! what `-d` says, and the log for debugging (`control = debug`) stands in `log`.

mod acl;
mod delivery;
mod dialogue;
mod hints;
mod log;
mod route;
mod tee;

use std::sync::Arc;

use eximious_core::World;
use eximious_core::trace::{CalloutEvent, Happening, TraceEvent, TraceKinds, TraceObserver};
use eximious_core::world::Log;

pub use crate::engine::debugging::{
    DebugLine, DebugSelector, DebugSelectorDef, DebugWriter, indented,
};
use crate::engine::debugging::{indented_plainly, write as write_language};
use log::Stamps;
pub(crate) use log::{DebugStart, is_logged};
use tee::Tee;

use crate::Context;

/// Makes lines of what happens.
pub fn write(event: &TraceEvent<'_>, out: &mut DebugWriter<'_>) {
    if write_language(event, out) {
        return;
    }
    let depth = out.depth_of(event);
    match &event.what {
        Happening::Acl(step) => acl::write(step, depth, out),
        Happening::Route(step) => route::write(step, out),
        Happening::Rewrite(step) => route::write_rewriting(step, out),
        Happening::Callout(step) => dialogue::write_callout(step, depth, out),
        Happening::Smtp(step) => dialogue::write(step, depth, out),
        Happening::Spool(step) => dialogue::write_spool(step, depth, out),
        Happening::Auth(step) => dialogue::write_auth(step, out),
        Happening::Hint(step) => hints::write(step, depth, out),
        Happening::Queue(step) => delivery::write_run(step, out),
        Happening::Delivery(step) => delivery::write(step, out),
        Happening::Note { kind, text } => {
            let by = selected_by(*kind);
            let depth = if kind.intersects(IN_NOTHING) { 0 } else { depth };
            if kind.intersects(OF_TESTS) {
                out.tested(by, depth, &[text]);
            } else {
                out.told(by, depth, &[text]);
            }
        }
        _ => {}
    }
}

impl Context {
    /// Tells something of a callout, in Exim's words.
    pub(crate) fn tell_callout(&mut self, text: &[u8]) {
        self.tell(Happening::Callout(CalloutEvent::Note { text }));
    }
}

/// What stands in nothing, whatever it is about.
const IN_NOTHING: TraceKinds = TraceKinds::DNSBL.union(TraceKinds::ACL);

/// What a test shows something of.
const OF_TESTS: TraceKinds = TraceKinds::LIST
    .union(TraceKinds::HOST)
    .union(TraceKinds::ACL)
    .union(TraceKinds::ROUTE)
    .union(TraceKinds::VERIFY)
    .union(TraceKinds::CALLOUT)
    .union(TraceKinds::SMTP)
    .union(TraceKinds::AUTH)
    .union(TraceKinds::RECEIVE)
    .union(TraceKinds::DNSBL)
    .union(TraceKinds::CONCEALED);

/// By what something of a kind is selected.
fn selected_by(kind: TraceKinds) -> DebugSelector {
    let mut by = DebugSelector::NONE;
    for (one, selector) in [
        (TraceKinds::EXPANSION, DebugSelector::EXPAND),
        (TraceKinds::LIST, DebugSelector::LISTS),
        (TraceKinds::LOOKUP, DebugSelector::LOOKUP),
        (TraceKinds::DNS, DebugSelector::DNS),
        (TraceKinds::HOST, DebugSelector::HOST_LOOKUP),
        (TraceKinds::ACL, DebugSelector::ACL),
        (TraceKinds::ROUTE, DebugSelector::ROUTE),
        (TraceKinds::REWRITE, DebugSelector::REWRITE),
        (TraceKinds::VERIFY, DebugSelector::VERIFY),
        (TraceKinds::CALLOUT, DebugSelector::VERIFY),
        (TraceKinds::SMTP, DebugSelector::RECEIVE),
        (TraceKinds::AUTH, DebugSelector::AUTH),
        (TraceKinds::HINTS, DebugSelector::HINTS_LOOKUP),
        (TraceKinds::RECEIVE, DebugSelector::RECEIVE),
        (TraceKinds::FILTER, DebugSelector::FILTER),
        (TraceKinds::RETRY, DebugSelector::RETRY),
        (TraceKinds::DNSBL, DebugSelector::DNSBL),
        (TraceKinds::USER, DebugSelector::UID),
        (TraceKinds::INTERFACE, DebugSelector::INTERFACE),
        (TraceKinds::IDENT, DebugSelector::IDENT),
        (TraceKinds::TLS, DebugSelector::TLS),
        (TraceKinds::STATUS, DebugSelector::PROCESS_INFO),
        (TraceKinds::LOAD, DebugSelector::LOAD),
        (TraceKinds::MEMORY, DebugSelector::MEMORY),
        (TraceKinds::QUEUE, DebugSelector::QUEUE_RUN),
        (TraceKinds::DELIVERY, DebugSelector::DELIVER),
    ] {
        if kind.intersects(one) {
            by = by.with(selector);
        }
    }
    by
}

/// Where lines go.
type Sink = Box<dyn Fn(&[u8]) + Send + Sync>;

/// The comments of a test: each line begins with `>>> `.
pub struct TestComments(Sink);

impl TestComments {
    /// They are put there.
    pub fn new(put: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self(Box::new(put))
    }
}

impl TraceObserver for TestComments {
    fn kinds(&self) -> TraceKinds {
        OF_TESTS
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let mut put = |line: DebugLine<'_>| {
            if line.tested {
                (self.0)(&indented(b">>> ", line.depth, line.text));
            }
        };
        write(event, &mut DebugWriter::new(DebugSelector::NONE, &mut put).for_test());
    }
}

/// What `-d` says: what is selected of what happens.
pub struct DebugOutput {
    selector: DebugSelector,
    /// Whether the comments of a test are said, too.
    tests: bool,
    stamps: Stamps,
    put: Sink,
}

impl std::fmt::Debug for DebugOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DebugOutput({:?})", self.selector)
    }
}

impl DebugOutput {
    /// What is selected is put there; for a test, its comments, too.
    pub fn new(
        selector: DebugSelector,
        tests: bool,
        world: &World,
        put: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { selector, tests, stamps: Stamps::new(world, None), put: Box::new(put) }
    }

    /// Logs of which each line is said, too; they may go nowhere else.
    pub fn logging(self: &Arc<Self>, log: Option<Arc<dyn Log>>) -> Arc<dyn Log> {
        let own = self.clone();
        let tell = move |line: &[u8]| own.say(0, line);
        Arc::new(Tee { tell: Box::new(tell), panicked: Box::new(|| ()), log })
    }

    /// Says something that is no event.
    pub fn say(&self, depth: u32, text: &[u8]) {
        let lines = match self.selector.has(DebugSelector::NO_UTF8) {
            true => indented_plainly(depth, text),
            false => indented(b"", depth, text),
        };
        (self.put)(&self.stamps.stamped(self.selector, &lines));
    }
}

impl TraceObserver for DebugOutput {
    fn kinds(&self) -> TraceKinds {
        let kinds = self.selector.kinds() | TraceKinds::CONCEALED;
        if self.tests { kinds | OF_TESTS } else { kinds }
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        let mut put = |line: DebugLine<'_>| {
            if self.selector.has(line.by) || (self.tests && line.tested) {
                self.say(line.depth, line.text);
            }
        };
        let writer = DebugWriter::new(self.selector, &mut put);
        write(event, &mut if self.tests { writer.for_test() } else { writer });
    }
}
