//! What a built-in is handed when it runs.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use eximious_grammar::Span;
use eximious_grammar::expansion::{Arg, CondId, LookupNode, Seq, View};

use crate::{
    Bindings, Captures, Effects, ErrorKind, Fail, Memory, Message, Meta, Registry, Scope, Settings,
    SharedMemory, Str, Trace, Var, VariableSource, World,
};

mod limits;
mod organs;
mod told;
mod variables;

/// The engine, as a built-in sees it through its [`Call`].
pub trait Machine {
    /// Evaluates a string of the tree at hand.
    fn text(&mut self, seq: Seq) -> Result<Str, Fail>;
    /// Passes over a string: only what is wrong with its form counts.
    fn parse_only(&mut self, seq: Seq) -> Result<(), Fail>;
    /// Evaluates a condition of the tree at hand, negations included.
    fn condition(&mut self, id: CondId) -> Result<bool, Fail>;
    /// Passes over a condition.
    fn parse_only_condition(&mut self, id: CondId) -> Result<(), Fail>;
    /// Whether the variable or header in a one-part string has a value.
    fn is_defined(&mut self, seq: Seq) -> Result<bool, Fail>;
    /// What ended the parse of the tree at hand.
    fn hard_fault(&self) -> Fail;
    /// Expands text that is known only at run time; refused where tainted.
    fn expand(&mut self, text: &Str) -> Result<Str, Fail>;
    /// Whether a stray brace in a header's name is to blame, from here on.
    fn malformed_header(&self, at: u32) -> bool;
    /// Forgets such a brace: a text of its own has been expanded.
    fn forget_header(&mut self);
    /// The values with dynamic scope.
    fn scope(&mut self) -> &mut Scope;
    /// What built-ins keep between calls, and the values with dynamic scope.
    fn memory_and_scope(&mut self) -> (&mut Memory, &mut Scope);
    /// Whether a failure leaves them as they are bound.
    fn leaves_bindings(&self) -> bool;
    /// The value of a built-in variable; empty where it is not there.
    fn value_of(&mut self, var: Var) -> Result<Str, Fail>;
    /// Sets a built-in variable.
    fn set_var(&mut self, var: Var, value: Str);
    /// A variable's value, by name; `None` where nobody knows it.
    fn variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>>;
    /// Whether anybody knows a variable of this name.
    fn knows_variable(&self, name: &[u8]) -> bool;
    /// Sets a variable, one of a family included; false where nobody knows it.
    fn set_variable(&mut self, name: &[u8], value: Str) -> bool;
    /// What built-ins keep between calls.
    fn memory(&mut self) -> &mut Memory;
    /// What built-ins keep for all contexts of the engine.
    fn shared_memory(&self) -> &SharedMemory;
    /// What is told of what happens, and to whom.
    fn trace(&mut self) -> &mut Trace;
    /// The message at hand.
    fn message(&self) -> Option<&Message>;
    /// What whoever made the context left in it.
    fn user_data(&self) -> Option<&UserData>;
    /// The configuration's options.
    fn settings(&self) -> &Settings;
    /// All words.
    fn registry(&self) -> &Registry;
    /// The outside.
    fn world(&self) -> &World;
    /// Whose rights commands have, a user's and a group's, where that is not this process's.
    fn commands_user(&self) -> Option<(u32, u32)>;
    /// Where commands run and relative names are looked for, where that is not this process's
    /// directory.
    fn directory(&self) -> Option<&[u8]>;
    /// What the policy in force forbids.
    fn forbidden(&self) -> Effects;
    /// How long and how much may be waited for.
    fn bounds(&self) -> Bounds;
    /// How many bytes long strings have that are held by what is being evaluated.
    fn held(&mut self) -> &mut usize;
    /// Checks the length of a string while it is put together, beside what is held.
    ///
    /// # Errors
    /// It is longer than a string may be, or all together are.
    fn check_length(&self, length: usize) -> Result<(), Fail>;
    /// Counts bytes that are looked at or made, and work that is worth as many as
    /// `more`: whether time is up is seen the sooner for it.
    ///
    /// # Errors
    /// The evaluation has done as much as it may, or was called off.
    fn charge(&mut self, bytes: usize, more: usize) -> Result<(), Fail>;
    /// Calls an ACL by name; its answer is the message, or what came of it.
    fn call_acl(&mut self, name: &Str, args: &[Str]) -> Result<AclAnswer, Fail>;
}

/// What whoever makes a context may leave in it: its own state.
pub type UserData = Arc<dyn Any + Send + Sync>;

/// What an ACL answered to an expansion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclAnswer {
    /// Whether it accepted; a denial otherwise.
    pub accepted: bool,
    /// What its `message` modifier said.
    pub message: Option<Str>,
}

/// How long and how much a built-in may wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// How long a command may run; also how long anything else outside may
    /// take that has no limit of its own.
    pub command: Duration,
    /// How long code of an interpreter may run.
    pub code: Duration,
    /// How many bytes may come from outside.
    pub length: usize,
}

/// What a built-in is handed when it runs: its arguments, and what its record
/// lets it touch.
pub struct Call<'a> {
    machine: &'a mut dyn Machine,
    meta: &'a Meta,
    tree: &'a View<'a>,
    source: &'a [u8],
    args: &'a [Arg],
    span: Span,
    open: bool,
}

/// How an item with branches ends (specification 11.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BranchOutcome {
    /// Success; `$value` in the first branch, and the result where no branch
    /// is given.
    Yes(Str),
    /// Success, with `$value` as it is, and a result where no branch is given.
    Plain(Str),
    /// Failure, because there is nothing; `$value` as it was.
    No,
    /// Failure of a condition, which leaves `$value` alone.
    Unmet,
    /// Failure, with a `$value` for the second branch.
    NoWith(Str),
}

impl<'a> Call<'a> {
    /// For the engine: a call with its arguments in the tree.
    pub fn new(
        machine: &'a mut dyn Machine,
        meta: &'a Meta,
        (tree, source): (&'a View<'a>, &'a [u8]),
        (args, span, open): (&'a [Arg], Span, bool),
    ) -> Self {
        Self { machine, meta, tree, source, args, span, open }
    }

    /// The built-in's name.
    pub fn name(&self) -> &'static str {
        self.meta.name
    }

    /// The name as it was typed, without parameters: an alias, perhaps.
    pub fn written(&self) -> &'a [u8] {
        let text = self.source.get(self.span.start as usize..).unwrap_or_default();
        let text = text.strip_prefix(b"${").unwrap_or(text);
        let end = text.iter().position(|c| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        &text[..end]
    }

    /// The arguments as parsed.
    pub fn args(&self) -> &'a [Arg] {
        self.args
    }

    /// How many of the arguments are strings.
    pub fn text_count(&self) -> usize {
        self.args.iter().filter(|a| matches!(a, Arg::Text(_))).count()
    }

    /// Evaluates the argument at an index, which is a string.
    pub fn text(&mut self, index: usize) -> Result<Str, Fail> {
        match self.args.get(index) {
            Some(Arg::Text(seq) | Arg::Yes(seq) | Arg::No(seq)) => self.machine.text(*seq),
            Some(Arg::Word(span)) => Ok(Str::from(span.of(self.source))),
            _ => Err(self.machine.hard_fault()),
        }
    }

    /// Parses the argument at an index, where there is one, without evaluating it: what is
    /// wrong in it is an error.
    pub fn parse_only(&mut self, index: usize) -> Result<(), Fail> {
        match self.args.get(index) {
            Some(Arg::Text(seq) | Arg::Yes(seq) | Arg::No(seq)) => self.machine.parse_only(*seq),
            Some(Arg::Condition(id)) => self.machine.parse_only_condition(*id),
            _ => Ok(()),
        }
    }

    /// Evaluates the argument at an index, which is a condition.
    pub fn condition(&mut self, index: usize) -> Result<bool, Fail> {
        match self.args.get(index) {
            Some(Arg::Condition(id)) => self.machine.condition(*id),
            _ => Err(self.machine.hard_fault()),
        }
    }

    /// Whether the variable after `def:` has a value.
    pub fn is_defined(&mut self, index: usize) -> Result<bool, Fail> {
        match self.args.get(index) {
            Some(Arg::Variable(seq)) => self.machine.is_defined(*seq),
            _ => Err(self.machine.hard_fault()),
        }
    }

    /// The argument at an index as it is written, where it is a word.
    pub fn word(&self, index: usize) -> Option<&'a [u8]> {
        match self.args.get(index) {
            Some(Arg::Word(span)) => Some(span.of(self.source)),
            _ => None,
        }
    }

    /// The source of the string argument at an index, not evaluated.
    pub fn raw(&self, index: usize) -> Option<&'a [u8]> {
        match self.args.get(index) {
            Some(Arg::Text(seq)) => Some(seq.span.of(self.source)),
            _ => None,
        }
    }

    /// The string argument at an index, where it is literal text.
    pub fn literal(&self, index: usize) -> Option<&'a [u8]> {
        match self.args.get(index) {
            Some(Arg::Text(seq)) => self.tree.literal(*seq),
            _ => None,
        }
    }

    /// The type of a lookup at an index.
    pub fn lookup_node(&self, index: usize) -> Option<&'a LookupNode> {
        match self.args.get(index) {
            Some(Arg::Lookup(id)) => Some(self.tree.lookup(*id)),
            _ => None,
        }
    }

    /// The text that is being evaluated.
    pub fn source(&self) -> &'a [u8] {
        self.source
    }

    /// Raises what ended the parse inside this construct, if anything did.
    pub fn check_closed(&self) -> Result<(), Fail> {
        if self.open { Err(self.machine.hard_fault()) } else { Ok(()) }
    }

    /// Where the construct ends in the text that is being evaluated.
    pub fn end(&self) -> u32 {
        self.span.end
    }

    /// A failure over braces at an offset of the text, for which a header's
    /// name before it may be to blame.
    pub fn curly(&self, message: impl Into<Vec<u8>>, at: u32) -> Fail {
        if self.machine.malformed_header(at) {
            Fail::error(
                ErrorKind::Syntax,
                "missing or misplaced { or } - could be header name not terminated by colon",
            )
        } else {
            Fail::error(ErrorKind::Syntax, message)
        }
    }

    /// Evaluates the branch that an outcome picks, passes over the other, and
    /// checks the closing brace. `$value` is what it was before, afterwards.
    #[inline]
    pub fn branches(&mut self, outcome: BranchOutcome) -> Result<Str, Fail> {
        // They stand behind all other arguments.
        let (yes, no, forced) = match self.args {
            [.., Arg::Yes(yes), Arg::No(no)] => (Some(*yes), Some(*no), false),
            [.., Arg::Yes(yes), Arg::ForceFail] => (Some(*yes), None, true),
            [.., Arg::Yes(yes)] => (Some(*yes), None, false),
            _ => (None, None, false),
        };
        let mut result = self.choose(outcome, yes, no, forced);
        if self.open && result.is_ok() {
            result = Err(self.machine.hard_fault());
        }
        result
    }

    /// As [`Call::branches`], with the branches found by the caller, who also
    /// checks the closing brace.
    #[inline(always)]
    pub fn choose(
        &mut self,
        outcome: BranchOutcome,
        yes: Option<Seq>,
        no: Option<Seq>,
        forced: bool,
    ) -> Result<Str, Fail> {
        let Some(yes) = yes else {
            if self.open {
                self.leave_value(&outcome);
            }
            return Ok(match outcome {
                BranchOutcome::Yes(value) | BranchOutcome::Plain(value) => value,
                BranchOutcome::No | BranchOutcome::Unmet | BranchOutcome::NoWith(_) => Str::EMPTY,
            });
        };
        match outcome {
            BranchOutcome::Yes(value) => self.succeed(Some(value), yes, no),
            BranchOutcome::Plain(_) => self.succeed(None, yes, no),
            // To pass over what is smooth binds nothing.
            BranchOutcome::Unmet | BranchOutcome::No if self.tree.is_smooth() => {
                self.machine.parse_only(yes)?;
                self.otherwise(no, forced)
            }
            BranchOutcome::Unmet => {
                self.scoped_for(Bindings::VALUE, |call| call.machine.parse_only(yes))?;
                self.otherwise(no, forced)
            }
            BranchOutcome::No => {
                // Exim has no `$value` while it passes over the first branch.
                self.with_value(Str::EMPTY, |call| call.machine.parse_only(yes))?;
                self.otherwise(no, forced)
            }
            BranchOutcome::NoWith(value) => self.with_value(value, |call| {
                call.machine.parse_only(yes)?;
                call.otherwise(no, forced)
            }),
        }
    }

    /// Leaves `$value` as an outcome has it, where what follows can't be read.
    /// The next line shows it in a test line by line, as in Exim.
    pub fn leave_value(&mut self, outcome: &BranchOutcome) {
        if !self.machine.leaves_bindings() {
            return;
        }
        match outcome {
            BranchOutcome::Yes(value) | BranchOutcome::NoWith(value) => {
                self.machine.scope().set_value(value.clone());
            }
            BranchOutcome::No => self.machine.scope().set_value(Str::EMPTY),
            BranchOutcome::Plain(_) | BranchOutcome::Unmet => {}
        }
    }

    /// `$value` is what it was again before the second branch is passed over.
    #[inline(always)]
    fn succeed(&mut self, value: Option<Str>, yes: Seq, no: Option<Seq>) -> Result<Str, Fail> {
        let mut result = match value {
            Some(value) => self.with_value(value, |call| call.machine.text(yes)),
            None => self.machine.text(yes),
        };
        if let Some(no) = no
            && result.is_ok()
            && let Err(fail) = self.machine.parse_only(no)
        {
            result = Err(fail);
        }
        result
    }

    fn otherwise(&mut self, no: Option<Seq>, forced: bool) -> Result<Str, Fail> {
        match no {
            Some(no) => self.machine.text(no),
            None if !forced => Ok(Str::EMPTY),
            None if self.open => Err(self.after_forced_fail()),
            None => {
                let tail = "\" failed and \"fail\" requested";
                Err(Fail::forced(["\"", self.name(), tail].concat()))
            }
        }
    }

    /// Binds `$value` for a piece of work.
    fn with_value<T>(
        &mut self,
        value: Str,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        self.scoped_for(Bindings::VALUE, |call| {
            call.machine.scope().set_value(value);
            work(call)
        })
    }

    /// The complaint over a missing brace behind `fail`.
    fn after_forced_fail(&self) -> Fail {
        let fail = self.machine.hard_fault();
        let text = String::from_utf8_lossy(fail.message()).into_owned();
        match text.split_once("close with '}'") {
            Some((before, after)) => {
                fail.reworded(format!("{before}close with '}}' after forcedfail{after}"))
            }
            None => fail,
        }
    }

    /// Runs a piece of work and puts `$0`…, `$value` and `$item` back as they
    /// were. In a test line by line, a failure leaves them, as in Exim, where
    /// the next line shows them.
    ///
    /// # Errors
    /// What the work fails with.
    #[inline]
    pub fn scoped<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        self.scoped_for(Bindings::ALL, work)
    }

    /// As [`Call::scoped`], for some of the values only.
    ///
    /// # Errors
    /// What the work fails with.
    #[inline]
    pub fn scoped_for<T>(
        &mut self,
        bindings: Bindings,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let outer = self.machine.scope().enter();
        let result = work(self);
        let back = result.is_ok() || !self.machine.leaves_bindings();
        self.machine.scope().leave(outer, if back { bindings } else { Bindings::NONE });
        result
    }

    /// Evaluates the arguments of an item that binds `$value` afterwards, and puts
    /// back what was in `$value` before them, where that succeeds: a `run` among
    /// them leaves its output there.
    ///
    /// # Errors
    /// What the work fails with.
    pub fn arguments<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let outer = self.machine.scope().enter();
        let result = work(self);
        let back = if result.is_ok() { Bindings::VALUE } else { Bindings::NONE };
        self.machine.scope().leave(outer, back);
        result
    }

    /// Runs a piece of work that binds `$item` to elements of a list, and puts it
    /// back as it was in any case, as Exim does.
    ///
    /// # Errors
    /// What the work fails with.
    pub fn scoped_item<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let outer = self.machine.scope().enter();
        let result = work(self);
        self.machine.scope().leave(outer, Bindings::ITEM);
        result
    }

    /// Runs a piece of work under another record: what that one declares is
    /// what the work may touch. For an item that carries others out.
    pub fn with_record<T>(&mut self, meta: &Meta, work: impl FnOnce(&mut Call<'_>) -> T) -> T {
        let Self { tree, source, args, span, open, .. } = *self;
        work(&mut Call { machine: &mut *self.machine, meta, tree, source, args, span, open })
    }

    /// The values with dynamic scope.
    pub fn scope(&mut self) -> &mut Scope {
        self.machine.scope()
    }

    /// Sets `$0`, `$1`, …
    pub fn set_captures(&mut self, captures: Captures) {
        *self.machine.scope().captures_mut() = captures;
    }

    /// Expands text that is known only at run time. Tainted text is refused.
    ///
    /// # Errors
    /// What the expansion fails with, or that the policy forbids it.
    pub fn expand(&mut self, text: &Str) -> Result<Str, Fail> {
        let result = self.expand_within(text);
        self.machine.forget_header();
        result
    }

    /// As [`Call::expand`], for what was expanded before, and is once more for each round:
    /// tainted text is taken as it is where there is nothing to be expanded in it.
    ///
    /// # Errors
    /// As [`Call::expand`].
    pub fn expand_again(&mut self, text: &Str) -> Result<Str, Fail> {
        match text.taint().is_tainted() && text.is_plain() {
            true => {
                self.machine.forget_header();
                self.check_expands().map(|()| text.clone())
            }
            false => self.expand(text),
        }
    }

    /// As [`Call::expand`], for text that counts as a part of the one at hand.
    ///
    /// # Errors
    /// As [`Call::expand`].
    pub fn expand_within(&mut self, text: &Str) -> Result<Str, Fail> {
        self.check_expands()?;
        self.machine.expand(text)
    }

    fn check_expands(&mut self) -> Result<(), Fail> {
        if self.machine.forbidden().contains(Effects::EXPAND) {
            let message = format!("\"{}\" is not permitted here", self.meta.name);
            return Err(Fail::error(ErrorKind::Forbidden, message));
        }
        Ok(())
    }

    /// What built-ins keep between calls, one value of each type.
    pub fn memory<T: Default + Send + 'static>(&mut self) -> &mut T {
        self.machine.memory().get()
    }

    /// What built-ins keep for all contexts of the engine, one value of each type.
    pub fn shared_memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.machine.shared_memory().get()
    }

    /// As [`Call::memory`], and the values with dynamic scope.
    pub fn memory_and_scope<T: Default + Send + 'static>(&mut self) -> (&mut T, &mut Scope) {
        let (memory, scope) = self.machine.memory_and_scope();
        (memory.get(), scope)
    }

    /// What whoever made the context left in it, where that is of this type.
    pub fn user_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.machine.user_data()?.clone().downcast().ok()
    }

    /// The message at hand.
    pub fn message(&self) -> Option<&Message> {
        self.machine.message()
    }

    /// The configuration's options.
    pub fn settings(&self) -> &Settings {
        self.machine.settings()
    }

    /// All words.
    pub fn registry(&self) -> &Registry {
        self.machine.registry()
    }

    /// Calls an ACL by name.
    pub fn call_acl(&mut self, name: &Str, args: &[Str]) -> Result<AclAnswer, Fail> {
        self.machine.call_acl(name, args)
    }

    /// The certificate variable that the argument of an operator is, where
    /// nothing else stands there, not even braces: its name, and its value as
    /// PEM.
    pub fn certificate_argument(&mut self) -> Option<(&'a [u8], Str)> {
        let name = self.raw(0)?.strip_prefix(b"$")?;
        let id = self.machine.registry().variable_id(name)?;
        match &self.machine.registry().variable_at(id).source {
            VariableSource::Certificate => Some((name, self.machine.variable(name)?.ok()?)),
            _ => None,
        }
    }

    /// Whose rights commands have, a user's and a group's, where that is not this process's:
    /// a delivery's is its transport's user.
    pub fn commands_user(&self) -> Option<(u32, u32)> {
        self.machine.commands_user()
    }

    /// Where commands run, where that is not this process's directory: a local delivery's is its
    /// transport's.
    pub fn directory(&self) -> Option<&[u8]> {
        self.machine.directory()
    }

    /// A file's name as it is found from this process's directory.
    pub fn found<'n>(&self, name: &'n [u8]) -> Cow<'n, [u8]> {
        match self.machine.directory() {
            Some(directory) if name.first().is_some_and(|byte| *byte != b'/') => {
                Cow::Owned([directory, b"/", name].concat())
            }
            _ => Cow::Borrowed(name),
        }
    }

    /// Fails in these words where the policy in force forbids what the record
    /// does; for an item that Exim refuses before it looks at its arguments.
    ///
    /// # Errors
    /// The policy forbids it.
    pub fn permitted(&self, refusal: &str) -> Result<(), Fail> {
        if self.machine.forbidden().intersects(self.meta.effects) {
            return Err(Fail::error(ErrorKind::Forbidden, refusal));
        }
        Ok(())
    }
}
