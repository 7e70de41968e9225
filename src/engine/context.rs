//! What one conversation knows and keeps.

mod caches;
mod evaluation;
mod values;

use std::any::Any;
use std::sync::Arc;

use eximious_core::stack::{self, Level};
use eximious_core::trace::{Happening, TraceKinds, TraceObserver, TracePlace};
use eximious_core::world::{Log, log_of};
use eximious_core::{
    AclAnswer, Call, Effects, ErrorKind, Fail, Machine, Message, Meta, Rec, Settings, Str,
    TaintRule, Trace, Var, Variable, World,
};
use eximious_grammar::Span;
use eximious_grammar::expansion::Tree;
use eximious_stdlib::at_work::{AtWork, ConfigWorker};
use eximious_stdlib::items::{AuthMechanism, LocalMessage, start_perl};
use eximious_stdlib::lists::{self, Answers, Keep, ListOutcome, Matcher};
use eximious_stdlib::lookups;
use eximious_stdlib::variables::var;

use super::eval::Eval;
use super::{Canceller, Engine, IntoValue, Slot, Stepper, patterns};

pub(crate) use caches::Caches;
pub(crate) use evaluation::{Evaluation, Refusal};
pub(crate) use values::Values;

/// What one conversation knows and keeps, in four parts: its values, the evaluation at
/// hand, caches, and those who watch. It belongs to one thread at a time.
pub struct Context {
    pub(crate) engine: Engine,
    pub(crate) values: Values,
    pub(crate) evaluation: Evaluation,
    pub(crate) caches: Caches,
    /// What is told of what happens, and to whom.
    pub(crate) trace: Trace,
    /// Who runs the ACLs that what is expanded calls.
    pub(crate) acl_caller: Option<Arc<dyn AclCaller>>,
    /// Who holds up ACLs and routing at their steps.
    pub(crate) stepper: Option<Arc<dyn Stepper>>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("values", &self.values).finish_non_exhaustive()
    }
}

/// Who runs the ACLs that expansions call (`${acl{…}}`).
pub(crate) trait AclCaller: std::fmt::Debug + Send + Sync {
    /// Runs an ACL, by its name.
    ///
    /// # Errors
    /// It neither accepts nor denies.
    fn call(self: Arc<Self>, cx: &mut Context, name: &Str) -> Result<AclAnswer, Fail>;
}

impl Context {
    /// Another conversation, of the same engine, that begins with what this one knows: they
    /// go on side by side, and nobody watches the new one.
    #[must_use]
    pub fn branch(&self) -> Self {
        let acl_caller = self.acl_caller.clone();
        Self { values: self.values.clone(), acl_caller, ..Self::new(self.engine.clone()) }
    }

    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            values: Values::default(),
            evaluation: Evaluation::default(),
            caches: Caches::default(),
            trace: Trace::default(),
            acl_caller: None,
            stepper: None,
        }
    }

    /// A context with another outside, whose variables have the values that they have
    /// here, and which calls the same ACLs. It has no message, and nothing is kept in it
    /// yet.
    pub fn sibling(&self, world: World) -> Self {
        Self {
            values: self.values.without_message(),
            evaluation: self.evaluation.sibling(),
            acl_caller: self.acl_caller.clone(),
            ..Self::new(self.engine.with_world(world))
        }
    }

    /// As [`Context::sibling`], with the message.
    pub fn sibling_with_message(&self, world: World) -> Self {
        Self { values: self.values.clone(), ..self.sibling(world) }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Leaves something of one's own in the context, in the place of what was left before.
    /// Every word of the language that is evaluated with it can reach it
    /// ([`Call::user_data`]); what is to change needs a lock, or an atomic number.
    pub fn set_user_data<T: Any + Send + Sync>(&mut self, data: Arc<T>) {
        self.values.user_data = Some(data);
    }

    /// What was left in the context, where it is of this type.
    pub fn user_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.values.user_data.clone()?.downcast().ok()
    }

    /// The logs, for lines about the message at hand: its name stands before each.
    pub fn log(&mut self) -> Arc<dyn Log> {
        let id = self.value_of(var::MESSAGE_EXIM_ID);
        log_of(id, self.engine.world().log.clone())
    }

    /// Does what the configuration wants done before anything is evaluated: with
    /// `perl_at_start`, Perl is started.
    ///
    /// # Errors
    /// What the start-up code of Perl fails with.
    pub fn start(&mut self) -> Result<(), Fail> {
        static START: Meta = Meta::new("start", Effects::NONE, TaintRule::Result);
        self.call(&START, start_perl)
    }

    /// What ends the evaluation of this context from another thread.
    pub fn canceller(&mut self) -> Canceller {
        self.evaluation.budget.canceller().clone()
    }

    /// Checks that a tree is made of this engine's words: to another one, its numbers
    /// mean something else.
    #[inline]
    pub(crate) fn belongs_to(&self, engine: u64) -> Result<(), Fail> {
        if self.engine.0.number == engine { Ok(()) } else { Err(other_engine()) }
    }

    /// Starts counting anew for an evaluation.
    #[inline]
    pub(crate) fn begin(&mut self, leaves_bindings: bool) {
        self.evaluation.begin(&self.engine, leaves_bindings);
    }

    /// Goes one level deeper on the stack, or comes in.
    ///
    /// # Errors
    /// Too much of it is in use.
    #[inline]
    pub(crate) fn level(&self) -> Result<Level, Fail> {
        Ok(stack::level_within(self.engine.0.limits.stack)?)
    }

    /// What built-ins and their likes keep here, one value of each type.
    #[inline]
    pub(crate) fn memory<T: Default + Send + 'static>(&mut self) -> &mut T {
        self.caches.memory.get()
    }

    /// Sets a variable, without its dollar. A name that the engine does not
    /// know becomes known in this context.
    ///
    /// Text and bytes count as coming from outside: they are tainted, so that nothing in
    /// them is ever expanded or names a file. [`Context::set_clean`] is for what your
    /// program made itself; a [`Str`] has the taint that it has.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl IntoValue) {
        let value = value.into_value();
        self.values.set(&self.engine.0.registry, name.as_ref(), value);
    }

    /// Sets a variable to what does not come from outside: it is not tainted.
    pub fn set_clean(&mut self, name: impl AsRef<[u8]>, value: impl Into<Str>) {
        self.set(name, Str::clean(value));
    }

    /// Sets the variable of a slot, as [`Context::set`] does, without a search for its name;
    /// with the slot of another engine, the name is searched for.
    #[inline]
    pub fn set_slot(&mut self, slot: Slot, value: impl IntoValue) {
        match slot.engine == self.engine.0.number {
            true => self.values.store(slot.id, value.into_value()),
            false => self.set(slot.name, value),
        }
    }

    /// Sets a built-in variable.
    #[inline]
    pub fn set_var(&mut self, var: Var, value: impl Into<Str>) {
        self.values.store(var.id(), value.into());
    }

    /// Sets a built-in variable of which nothing but its text is seen: where there is
    /// none, it need not be kept.
    #[inline]
    pub(crate) fn show_var(&mut self, var: Var, value: &Str) {
        match value.is_empty() {
            true => self.unset_var(var),
            false => self.values.store(var.id(), value.clone()),
        }
    }

    /// Takes the value of a built-in variable away: it is again what it was at the start.
    #[inline]
    pub fn unset_var(&mut self, var: Var) {
        self.values.clear(var.id());
    }

    /// Sets a built-in variable, and returns what it was.
    pub fn replace_var(&mut self, var: Var, value: impl Into<Str>) -> Str {
        let before = self.value_of(var);
        self.set_var(var, value);
        before
    }

    /// Whether something has set a built-in variable.
    pub fn is_set(&self, var: Var) -> bool {
        self.values.stored(var.id()).is_some()
    }

    /// The value of a built-in variable; nothing where it is not there or can't be found
    /// out.
    #[inline]
    pub fn value_of(&mut self, var: Var) -> Str {
        match self.values.stored(var.id()) {
            Some(value) => value.clone(),
            None => self.found_out(var).unwrap_or_default(),
        }
    }

    /// As [`Context::value_of`], for a variable that is found out when it is asked for.
    ///
    /// # Errors
    /// What finding it out fails with.
    pub(crate) fn found_out(&mut self, var: Var) -> Result<Str, Fail> {
        self.apart(|eval| eval.value_of(var))
    }

    /// Forgets what was set: the variable is again what it was at the start.
    pub fn unset(&mut self, name: impl AsRef<[u8]>) {
        self.values.unset(&self.engine.0.registry, name.as_ref());
    }

    /// Changes options for what this context does from here on. Whoever does that
    /// keeps the engine, and puts it back.
    pub(crate) fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut inner = (*self.engine.0).clone();
        change(&mut inner.settings);
        self.engine = Engine(Arc::new(inner));
    }

    /// Forgets all variables of an open family, such as `acl_m`.
    pub(crate) fn forget_family(&mut self, prefix: &[u8]) {
        self.values.forget_family(prefix);
    }

    /// The variables that are set of open families with this prefix, such as
    /// `acl_m`, those first that were set first.
    pub fn family(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Str)> {
        self.values.family(prefix)
    }

    /// Does something that built-ins do, outside of any string. What it binds
    /// stays bound.
    pub(crate) fn call<T>(&mut self, record: &Meta, work: impl FnOnce(&mut Call<'_>) -> T) -> T {
        self.begin(true);
        // Where it is too deep already, what is evaluated says so.
        let _level = self.level();
        let tree = Tree::empty().view();
        let mut eval = Eval::new(self, &tree, &[]);
        work(&mut Call::new(&mut eval, record, (&tree, b""), (&[], Span::default(), false)))
    }

    /// Tells somebody what happens from here on. Each event ([`TraceEvent`]) has a number,
    /// and that of the event that it is a part of; here, the strings of an expansion make a
    /// tree:
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use eximious::trace::{ExpansionEvent, Happening, TraceEvent};
    /// use eximious::{Engine, Str};
    ///
    /// let engine = Engine::builder().build();
    /// let mut cx = engine.context();
    /// cx.set("sender_address", Str::tainted(b"Ann@Example.org"));
    ///
    /// let tree = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    /// let grown = tree.clone();
    /// cx.observe(Arc::new(move |event: &TraceEvent<'_>| {
    ///     let (parents, lines) = &mut *grown.lock().unwrap();
    ///     let depth = parents.iter().position(|one| *one == event.parent).map_or(0, |at| at + 1);
    ///     let indent = "  ".repeat(depth);
    ///     match event.what {
    ///         Happening::Expansion(ExpansionEvent::Begin { source, span, .. }) => {
    ///             let text = String::from_utf8_lossy(span.of(source)).into_owned();
    ///             lines.push(format!("{indent}{text}"));
    ///             parents.truncate(depth);
    ///             parents.push(event.number);
    ///         }
    ///         Happening::Expansion(ExpansionEvent::End { value: Some(value), .. }) => {
    ///             let taint = if value.taint().is_tainted() { ", tainted" } else { "" };
    ///             lines.push(format!("{indent}= {}{taint}", value.display()));
    ///         }
    ///         _ => {}
    ///     }
    /// }));
    ///
    /// let rule = engine.compile("to ${lc:$sender_address}");
    /// assert_eq!(rule.expand(&mut cx)?.display(), "to ann@example.org");
    /// assert_eq!(tree.lock().unwrap().1, [
    ///     "to ${lc:$sender_address}",
    ///     "  $sender_address",
    ///     "  = Ann@Example.org, tainted",
    ///     "= to ann@example.org, tainted",
    /// ]);
    /// # Ok::<(), eximious::Fail>(())
    /// ```
    ///
    /// An [`TraceObserver`] of its own type says which kinds of events it wants. What may have
    /// passwords in it (`TraceKinds::SECRET`) is told only to who asks for it by name.
    /// In Exim's words, all of it is in [`crate::debugging`].
    ///
    /// [`TraceEvent`]: crate::trace::TraceEvent
    pub fn observe(&mut self, observer: Arc<dyn TraceObserver>) {
        self.trace.keep_time(self.engine.world().clock.clone());
        self.trace.observe(observer);
    }

    /// What is told of what happens, and to whom.
    pub fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Says who is at work from here on; who was it before is returned.
    pub(crate) fn set_at_work(&mut self, worker: Option<ConfigWorker>) -> Option<ConfigWorker> {
        std::mem::replace(&mut self.memory::<AtWork>().0, worker)
    }

    /// Does something that stands at a place of the configuration.
    pub(crate) fn standing_at<T>(
        &mut self,
        place: Option<&Arc<TracePlace>>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let Some(place) = place.filter(|_| self.trace.is_watched()) else {
            return work(self);
        };
        let before = self.trace.stand_at(Some(place.clone()));
        let result = work(self);
        self.trace.stand_at(before);
        result
    }

    /// Does something on behalf of a main option: what happens stands where that is set.
    pub fn on_behalf_of<T>(&mut self, option: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        if !self.trace.is_watched() {
            return work(self);
        }
        let place = self.engine.settings().place_of(option).cloned();
        self.standing_at(place.as_ref(), work)
    }

    /// Does something in which commands (`${run}`) have the rights of a user and a group, or
    /// of this process, and run where this process is.
    pub fn running_commands_as<T>(
        &mut self,
        user: Option<(u32, u32)>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = std::mem::replace(&mut self.evaluation.commands_user, user);
        let directory = self.set_directory(None);
        let result = work(self);
        self.evaluation.commands_user = before;
        self.set_directory(directory);
        result
    }

    /// Says where commands run and relative names are looked for: in a directory, or where this
    /// process is. It comes back where that was.
    pub(crate) fn set_directory(&mut self, directory: Option<Vec<u8>>) -> Option<Vec<u8>> {
        std::mem::replace(&mut self.evaluation.directory, directory)
    }

    /// Evaluates something: the tests in it stand one deeper than those around it.
    pub(crate) fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        if !self.trace.is_watched() {
            return work(self);
        }
        self.trace.depth += 1;
        let result = work(self);
        self.trace.leave(1);
        result
    }

    /// Tells what happens, at the depth at hand.
    #[inline]
    pub fn tell(&mut self, what: Happening<'_>) {
        self.trace.tell(what);
    }

    /// Tells something that is rarely told, in Exim's words.
    pub fn note(&mut self, kind: TraceKinds, text: &[u8]) {
        self.trace.tell(Happening::Note { kind, text });
    }

    /// Tests a subject against a list as it is written in the configuration.
    ///
    /// # Errors
    /// Where the list can't be read.
    pub fn is_in(&mut self, list: &Str, matcher: &mut Matcher<'_>) -> Result<ListOutcome, Fail> {
        patterns::is_in_written(self, list, matcher)
    }

    /// The same, where the list is expanded already.
    ///
    /// # Errors
    /// Where the list can't be read.
    pub(crate) fn is_in_expanded(
        &mut self,
        list: &Str,
        matcher: &mut Matcher<'_>,
    ) -> Result<ListOutcome, Fail> {
        patterns::is_in_expanded(self, list, matcher)
    }

    /// Whether a text matches a regular expression, which is no item of a list and is
    /// not expanded; what was matched is in `$0`, `$1`, ….
    ///
    /// # Errors
    /// The pattern can't be read.
    pub fn matches(&mut self, pattern: &Str, text: &Str) -> Result<bool, Fail> {
        patterns::matches_plainly(self, pattern, text)
    }

    /// Forgets what lists said of a message's sender: another message begins.
    pub fn forget_lists(&mut self) {
        for keep in [Keep::Sender, Keep::SenderDomain, Keep::Recipient] {
            lists::forget(&mut self.caches.memory, keep);
        }
    }

    /// Forgets what lists said of a recipient.
    pub(crate) fn forget_recipient(&mut self) {
        lists::forget(&mut self.caches.memory, Keep::Recipient);
    }

    /// Forgets what lookups found: a message is done with, and a client that stays for
    /// long is not judged by what was true at its beginning.
    pub fn forget_lookups(&mut self) {
        lookups::forget_results(&mut self.caches.memory);
    }

    /// What the last look-up complained of is nobody's reason any more.
    pub(crate) fn forget_complaint(&mut self) {
        lookups::forget_reason(&mut self.caches.memory);
    }

    /// Puts what lists said of a recipient in the place of what they said of another,
    /// which is returned.
    pub(crate) fn swap_answers(&mut self, answers: Answers) -> Answers {
        lists::swap_answers(&mut self.caches.memory, answers)
    }

    /// A variable's value, without its dollar; `None` where nobody knows it.
    pub fn get(&mut self, name: impl AsRef<[u8]>) -> Option<Result<Str, Fail>> {
        self.apart(|eval| eval.named_variable(name.as_ref()))
    }

    /// Finds something out that is no part of any text: it is counted by itself.
    fn apart<T>(&mut self, work: impl FnOnce(&mut Eval<'_>) -> T) -> T {
        let _level = self.level();
        let around = self.evaluation.budget.suspend();
        self.evaluation.budget.begin(&self.engine);
        let result = work(&mut Eval::new(self, &Tree::empty().view(), &[]));
        self.evaluation.budget = around;
        result
    }

    /// As [`Context::get`], with nothing for what is not known or has no value.
    pub fn value(&mut self, name: &str) -> Str {
        self.get(name).and_then(Result::ok).unwrap_or_default()
    }

    /// Sets the message that header variables and the like read, and the
    /// variables that hold values of it. Without a message, they have none.
    pub fn set_message(&mut self, message: Option<Message>) {
        let values = match &message {
            Some(message) => eximious_stdlib::message::values(message),
            None => eximious_stdlib::message::values(&Message::default()),
        };
        for (var, value) in values {
            self.set_var(var, value);
        }
        self.values.message = message;
    }

    /// Sets the mechanism by which the client has proved who it is; empty where it has
    /// not. Expansions see it in `${authresults{…}}` alone.
    pub fn set_auth_mechanism(&mut self, mechanism: Str) {
        self.memory::<AuthMechanism>().0 = mechanism;
    }

    /// The mechanism by which the client has proved who it is.
    pub fn auth_mechanism(&mut self) -> Str {
        self.memory::<AuthMechanism>().0.clone()
    }

    /// Sets whether a message is judged that no host sent (`acl_not_smtp`). Expansions see it
    /// in `${authresults{…}}` alone.
    pub fn set_local_message(&mut self, is_local: bool) {
        self.memory::<LocalMessage>().0 = is_local;
    }

    /// The domain of a good signature (DKIM) of the message at hand, for its log line;
    /// empty where there is none, or an ACL says otherwise.
    #[cfg(feature = "mail")]
    pub fn signed_by(&mut self) -> Vec<u8> {
        self.memory::<eximious_stdlib::dkim::DkimFindings>().logged.clone()
    }

    /// Whether an ACL has found the ARC chain of the message at hand to be good, for its
    /// log line.
    #[cfg(feature = "mail")]
    pub fn has_good_chain(&mut self) -> bool {
        self.memory::<eximious_stdlib::arc::ArcFindings>().is_good()
    }

    /// The message.
    pub fn message(&self) -> Option<&Message> {
        self.values.message.as_ref()
    }

    /// Takes the message out, to change it without a copy: what was made of it
    /// stays until [`Context::set_message`] has it back.
    pub fn take_message(&mut self) -> Option<Message> {
        self.values.message.take()
    }

    /// What `$0`, `$1`, … are.
    #[cfg(feature = "mail")]
    pub(crate) fn numeric(&self) -> Vec<Str> {
        self.evaluation.scope.all_numeric()
    }

    /// Sets `$0`, `$1`, …, each with the taint of the first.
    pub fn set_numeric(&mut self, values: &[Str]) {
        let bytes: Vec<&[u8]> = values.iter().map(Str::bytes).collect();
        let taint = values.first().map(Str::taint).unwrap_or_default();
        self.evaluation.scope.bind_numeric(&bytes, taint);
    }

    pub(crate) fn variable_record(&self, id: u16) -> &Rec<Variable> {
        self.engine.0.registry.variable_at(id)
    }
}

#[cold]
fn other_engine() -> Fail {
    let message = "the expansion was compiled by another engine than the context's";
    Fail::error(ErrorKind::OtherEngine, message)
}

#[cfg(test)]
mod tests;
