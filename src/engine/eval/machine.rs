//! What built-ins are handed of an evaluation.

use eximious_core::grammar::expansion::{
    Closing, CondId, Part, Piece, Seq, VariableName, Vocabulary,
};
use eximious_core::{
    AclAnswer, Bounds, Call, ConditionRun, Effects, ErrorKind, Fail, Machine, Memory, Message,
    Registry, Scope, Settings, SharedMemory, Str, Trace, UserData, Var, World,
};

use super::Eval;
use crate::engine::{refuse_tainted, too_much};

impl Machine for Eval<'_> {
    fn text(&mut self, seq: Seq) -> Result<Str, Fail> {
        self.sequence(seq)
    }

    fn parse_only(&mut self, seq: Seq) -> Result<(), Fail> {
        if self.told > 0 {
            self.tell_parse_only(seq, self.told);
        }
        if self.tree.is_smooth() {
            return Ok(());
        }
        let open = self.tree.pieces(seq).last().is_some_and(|piece| piece.part == Part::Fault);
        self.parse_only_span(seq.span, open)
    }

    fn condition(&mut self, id: CondId) -> Result<bool, Fail> {
        let (tree, source) = (self.tree, self.source);
        let node = tree.cond(id);
        let args = tree.cond_args(node);
        let open = node.closing == Closing::Open;
        if open && args.is_empty() {
            return Err(self.hard_fault());
        }
        let record = self.cx.engine.0.registry.condition_at(node.def).clone();
        self.step(&record.meta)?;
        let place = (args, node.span, open);
        self.conditions += 1;
        let held = *self.cx.evaluation.budget.held();
        let meta = &record.meta;
        let (result, lazy) = match &record.run {
            ConditionRun::Strict(run) => (
                self.with_values(args, |eval, values| eval.run_strict(meta, place, *run, values))?,
                false,
            ),
            ConditionRun::StrictClosure(run) => (
                self.with_values(args, |eval, values| {
                    eval.run_strict(meta, place, |call, args| run(call, args), values)
                })?,
                false,
            ),
            ConditionRun::Lazy(run) => {
                (run(&mut Call::new(self, meta, (tree, source), place))?, true)
            }
            ConditionRun::LazyClosure(run) => {
                (run(&mut Call::new(self, meta, (tree, source), place))?, true)
            }
        };
        if lazy && open {
            return Err(self.hard_fault());
        }
        self.conditions -= 1;
        *self.cx.evaluation.budget.held() = held;
        let holds = result != node.negated;
        if self.told > 0 {
            self.tell_condition(id, holds);
        }
        Ok(holds)
    }

    fn parse_only_condition(&mut self, id: CondId) -> Result<(), Fail> {
        if self.told > 0 {
            self.tell_parse_only_condition(id);
        }
        if self.tree.is_smooth() {
            return Ok(());
        }
        let node = self.tree.cond(id);
        self.parse_only_span(node.span, node.closing == Closing::Open)
    }

    fn is_defined(&mut self, seq: Seq) -> Result<bool, Fail> {
        match self.tree.pieces(seq) {
            [Piece { part: Part::Header(_, name), .. }] => {
                let name = self.tree.text(*name);
                let Some(message) = &self.cx.values.message else { return Ok(false) };
                return Ok(message.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name)));
            }
            [Piece { part: Part::Variable(id), .. }] if self.is_absent(*id) => {
                return Err(self.absent(*id, ("\"", "\" after \"def:\"")));
            }
            _ => {}
        }
        // Nobody is told of this as of an expansion.
        let told = std::mem::take(&mut self.told);
        let value = self.text(seq);
        self.told = told;
        Ok(!value?.is_empty())
    }

    fn hard_fault(&self) -> Fail {
        match self.tree.hard_fault {
            Some(fault) => {
                let unblamed = fault.unblamed.as_ref().filter(|_| self.forgotten);
                self.raise(fault, ErrorKind::Syntax, unblamed.unwrap_or(&fault.message).clone())
            }
            None => Fail::error(ErrorKind::Syntax, "an argument is missing"),
        }
    }

    fn expand(&mut self, text: &Str) -> Result<Str, Fail> {
        refuse_tainted(text, self.cx)?;
        // Most of what is expanded again holds nothing to expand.
        if text.is_plain() {
            return Ok(text.clone());
        }
        if self.cx.evaluation.depth >= self.cx.engine.0.limits.expansions {
            return Err(too_much("texts are expanded in each other too deep"));
        }
        let _level = self.cx.level()?;
        let compiled = self.cx.caches.compiled(&self.cx.engine, text.bytes());
        self.cx.evaluation.depth += 1;
        let result =
            self.cx.deeper(|cx| Eval::new(cx, &compiled.tree.view(), &compiled.literals).whole());
        self.cx.evaluation.depth -= 1;
        result
    }

    fn malformed_header(&self, at: u32) -> bool {
        !self.forgotten && self.tree.malformed_header.is_some_and(|start| start < at)
    }

    fn forget_header(&mut self) {
        self.forgotten = true;
    }

    fn scope(&mut self) -> &mut Scope {
        &mut self.cx.evaluation.scope
    }

    fn memory_and_scope(&mut self) -> (&mut Memory, &mut Scope) {
        (&mut self.cx.caches.memory, &mut self.cx.evaluation.scope)
    }

    fn leaves_bindings(&self) -> bool {
        self.cx.evaluation.leaves_bindings
    }

    fn value_of(&mut self, var: Var) -> Result<Str, Fail> {
        match self.is_absent(var.id()) {
            true => Ok(Str::EMPTY),
            false => self.variable_value(var.id()),
        }
    }

    fn set_var(&mut self, var: Var, value: Str) {
        self.cx.set_var(var, value);
    }

    fn variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>> {
        self.named_variable(name)
    }

    fn knows_variable(&self, name: &[u8]) -> bool {
        let known = !matches!(self.cx.engine.0.registry.variable(name), VariableName::Unknown(_));
        known || self.cx.values.named(name).is_some()
    }

    fn set_variable(&mut self, name: &[u8], value: Str) -> bool {
        self.cx.values.set_known(&self.cx.engine.0.registry, name, value)
    }

    fn memory(&mut self) -> &mut Memory {
        &mut self.cx.caches.memory
    }

    fn shared_memory(&self) -> &SharedMemory {
        &self.cx.engine.0.shared
    }

    fn trace(&mut self) -> &mut Trace {
        &mut self.cx.trace
    }

    fn message(&self) -> Option<&Message> {
        self.cx.values.message.as_ref()
    }

    fn user_data(&self) -> Option<&UserData> {
        self.cx.values.user_data.as_ref()
    }

    fn settings(&self) -> &Settings {
        &self.cx.engine.0.settings
    }

    fn registry(&self) -> &Registry {
        &self.cx.engine.0.registry
    }

    fn world(&self) -> &World {
        &self.cx.engine.0.world
    }

    fn commands_user(&self) -> Option<(u32, u32)> {
        self.cx.evaluation.commands_user
    }

    fn directory(&self) -> Option<&[u8]> {
        self.cx.evaluation.directory.as_deref()
    }

    fn forbidden(&self) -> Effects {
        self.cx.engine.0.forbidden
    }

    fn bounds(&self) -> Bounds {
        let limits = &self.cx.engine.0.limits;
        let wait = |most| self.cx.evaluation.budget.wait(most, &self.cx.engine);
        Bounds { command: wait(limits.command), code: wait(limits.code), length: limits.length }
    }

    fn held(&mut self) -> &mut usize {
        self.cx.evaluation.budget.held()
    }

    fn check_length(&self, length: usize) -> Result<(), Fail> {
        if length > self.cx.engine.0.limits.length {
            return Err(Fail::too_long());
        }
        self.cx.evaluation.budget.check_together(length)
    }

    #[inline]
    fn charge(&mut self, bytes: usize, more: usize) -> Result<(), Fail> {
        let (budget, engine) = (&mut self.cx.evaluation.budget, &self.cx.engine);
        if more > 0 {
            budget.hasten(more as u64, engine)?;
        }
        budget.bytes(bytes as u64, engine)
    }

    fn call_acl(&mut self, name: &Str, _args: &[Str]) -> Result<AclAnswer, Fail> {
        match self.cx.acl_caller.clone() {
            Some(caller) => caller.call(self.cx, name),
            None => {
                let message = [b"ERROR from acl \"".as_slice(), name.bytes(), b"\""].concat();
                Err(Fail::error(ErrorKind::Unsupported, message))
            }
        }
    }
}

impl std::fmt::Debug for Eval<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eval")
    }
}
