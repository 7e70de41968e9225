//! Walks a tree and makes a string of it.

use std::sync::Arc;

use eximious_core::grammar::expansion::{
    Arg, CallId, Closing, CondId, HeaderView, OpId, Part, Seq, Tree, VariableName, Vocabulary,
};
use eximious_core::{
    AclAnswer, Bounds, Call, ConditionRun, Effects, ErrorKind, Fail, ItemRun, Machine, Memory,
    Message, Place, Registry, Scope, Settings, Str, Taint, TaintRule, VariableSource, World,
};
use eximious_grammar::scan::find_byte;
use eximious_grammar::{Fault, Span};
use smallvec::SmallVec;

use crate::context::Context;

/// One walk over one tree, with a context.
pub(crate) struct Eval<'t> {
    cx: &'t mut Context,
    tree: &'t Tree,
    source: &'t [u8],
    /// The tree's literal parts, where they are kept ready.
    literals: &'t [Str],
    /// Whether a brace in a header's name is forgotten, which Exim would blame
    /// for what is wrong behind it.
    forgotten: bool,
}

/// How many texts known only at run time are kept parsed.
const KEPT_EXPANSIONS: usize = 128;
/// How much memory is kept for strings that are put together.
const KEPT_BUFFER: usize = 64 << 10;
/// Arguments: few have more than three.
type Arguments = SmallVec<[Str; 3]>;

impl<'t> Eval<'t> {
    pub(crate) fn new(cx: &'t mut Context, tree: &'t Tree, literals: &'t [Str]) -> Self {
        Self { cx, tree, source: tree.source(), literals, forgotten: false }
    }

    /// The whole text.
    pub(crate) fn whole(&mut self) -> Result<Str, Fail> {
        let result = self.text(self.tree.root);
        if let (Err(fail), Some(fault)) = (&result, &self.tree.hard_fault)
            && fail.place().is_some_and(|place| place.span == fault.span)
        {
            eximious_stdlib::lookups::keep_complaint(&mut self.cx.memory, &fault.message);
        }
        result
    }

    fn sequence(&mut self, seq: Seq) -> Result<Str, Fail> {
        let tree = self.tree;
        let mut result = match tree.parts(seq) {
            [] => return Ok(Str::EMPTY),
            [Part::Text(span)] if !tree.holds_zero => return Ok(self.literal(*span, seq, 0)),
            [part] => self.part(*part, seq, 0),
            parts => self.concatenation(parts, seq),
        };
        // Exim's strings end at a zero byte.
        if let Ok(string) = &mut result
            && let Some(end) = find_byte(string.bytes(), 0)
        {
            *string = string.slice(0, end);
        }
        result
    }

    fn concatenation(&mut self, parts: &[Part], seq: Seq) -> Result<Str, Fail> {
        let start = self.cx.buffer.len();
        let taint = self.append(parts, seq, start);
        let result = taint.map(|taint| Str::from(&self.cx.buffer[start..]).stamped(taint));
        self.cx.buffer.truncate(start);
        if self.cx.buffer.capacity() > KEPT_BUFFER {
            self.cx.buffer.shrink_to(KEPT_BUFFER);
        }
        result
    }

    /// Appends parts to the buffer; their taint.
    fn append(&mut self, parts: &[Part], seq: Seq, start: usize) -> Result<Taint, Fail> {
        let tree = self.tree;
        let mut taint = Taint::Clean;
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Text(span) => self.cx.buffer.extend_from_slice(tree.text(*span)),
                part => {
                    let piece = self.part(*part, seq, index)?;
                    taint = taint.with(piece.taint());
                    self.cx.buffer.extend_from_slice(piece.bytes());
                }
            }
            if self.cx.buffer.len() - start > self.cx.engine.0.limits.length {
                return Err(self.too_much("a string is too long"));
            }
        }
        Ok(taint)
    }

    /// Literal text: the part of a string at an index.
    fn literal(&self, span: Span, seq: Seq, index: usize) -> Str {
        match self.literals.get(seq.start as usize + index) {
            Some(ready) => ready.clone(),
            None => Str::from(self.tree.text(span)),
        }
    }

    fn part(&mut self, part: Part, seq: Seq, index: usize) -> Result<Str, Fail> {
        let mut result = match part {
            Part::Text(span) => return Ok(self.literal(span, seq, index)),
            Part::Variable(id) => self.variable_text(id),
            Part::Family(_, name) => {
                return Ok(self.cx.named.get(self.tree.text(name)).cloned().unwrap_or_default());
            }
            Part::Free(name) => match self.cx.named.get(self.tree.text(name)) {
                Some(value) => return Ok(value.clone()),
                None => Err(self.unknown(self.tree.part_spans(seq)[index], name)),
            },
            Part::Numeric(number) => return Ok(self.cx.scope.numeric(number)),
            Part::Header(view, name) => self.header(view, name),
            Part::Operator(id) => self.operator(id),
            Part::Item(id) => self.item(id),
            Part::Fault => Err(self.hard_fault()),
        };
        if let Err(fail) = &mut result {
            self.located(fail, part, self.tree.part_spans(seq)[index]);
        }
        result
    }

    /// Adds to a failure where it was met.
    #[cold]
    fn located(&self, fail: &mut Fail, part: Part, span: Span) {
        if let Part::Variable(id) = part
            && self.source.get(span.start as usize + 1) == Some(&b'{')
            && self.is_absent(id)
        {
            *fail = self.absent(id, ("in \"${", "}\""));
        }
        fail.locate(|| self.place(span));
    }

    fn place(&self, span: Span) -> Place {
        Place { source: self.source.into(), span }
    }

    /// The complaint about a name that nobody knows.
    fn unknown(&self, span: Span, name: Span) -> Fail {
        let fault =
            self.tree.soft_faults.iter().find(|f| f.span.start >= span.start && !f.only_skimmed);
        match fault {
            Some(fault) => self.raise(fault, ErrorKind::UnknownName, fault.message.clone()),
            None => Fail::error(
                ErrorKind::UnknownName,
                [b"unknown variable name \"", self.tree.text(name), b"\""].concat(),
            ),
        }
    }

    /// Whether a variable is there only while something sets it, and nothing
    /// does.
    fn is_absent(&self, id: u16) -> bool {
        matches!(self.cx.source_of(id), VariableSource::Absent) && self.cx.stored(id).is_none()
    }

    fn absent(&self, id: u16, (before, after): (&str, &str)) -> Fail {
        let name = self.cx.engine.0.registry.variable_at(id).meta.name;
        Fail::error(ErrorKind::UnknownName, format!("unknown variable {before}{name}{after}"))
    }

    fn raise(&self, fault: &Fault, kind: ErrorKind, message: Vec<u8>) -> Fail {
        Fail::error(kind, message).at(|| self.place(fault.span))
    }

    fn too_much(&self, what: &str) -> Fail {
        Fail::error(ErrorKind::Limit, format!("expansion stopped: {what}"))
    }

    fn step(&mut self) -> Result<(), Fail> {
        match self.cx.steps.checked_sub(1) {
            Some(left) => self.cx.steps = left,
            None => return Err(self.too_much("it takes too many steps")),
        }
        Ok(())
    }

    fn variable_value(&mut self, id: u16) -> Result<Str, Fail> {
        if let Some(value) = self.cx.stored(id) {
            return Ok(value.clone());
        }
        match self.cx.source_of(id) {
            VariableSource::Slot | VariableSource::Certificate => Ok(Str::EMPTY),
            VariableSource::Absent => Err(self.absent(id, ("name \"", "\""))),
            VariableSource::SlotWith(text) => Ok(Str::fixed(text)),
            VariableSource::Family(_) => Ok(Str::EMPTY),
            VariableSource::Computed(compute) => {
                let meta = &self.cx.engine.0.registry.variable_at(id).meta;
                let (tree, source) = (self.tree, self.source);
                compute(&mut Call::new(self, meta, (tree, source), (&[], Span::default(), false)))
                    .map(|value| stamp(value, meta.taint, Taint::Clean, 0))
            }
        }
    }

    /// A variable's value as it stands in a text: a certificate only shows that
    /// it is there.
    fn variable_text(&mut self, id: u16) -> Result<Str, Fail> {
        let value = self.variable_value(id)?;
        if matches!(self.cx.source_of(id), VariableSource::Certificate) && !value.is_empty() {
            return Ok(Str::fixed("<cert>").stamped(value.taint()));
        }
        Ok(value)
    }

    /// A variable by name, of whatever sort.
    pub(crate) fn named_variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>> {
        match self.cx.engine.0.registry.variable(name) {
            VariableName::Known(id) if self.is_absent(id) => None,
            VariableName::Known(id) => Some(self.variable_value(id)),
            VariableName::Family(_) => {
                Some(Ok(self.cx.named.get(name).cloned().unwrap_or_default()))
            }
            VariableName::Unknown(_) => self.cx.named.get(name).cloned().map(Ok),
        }
    }

    fn header(&mut self, view: HeaderView, name: Span) -> Result<Str, Fail> {
        if self.forgotten && self.tree.text(name).contains(&b'}') {
            self.forgotten = false;
        }
        let Some(message) = &self.cx.message else { return Ok(Str::EMPTY) };
        Ok(eximious_stdlib::headers::value(
            message,
            view,
            self.tree.text(name),
            &self.cx.engine.0.settings,
        ))
    }

    fn operator(&mut self, id: OpId) -> Result<Str, Fail> {
        let (tree, source) = (self.tree, self.source);
        let node = tree.op(id);
        let arg = self.text(node.arg)?;
        let Some(def) = node.def else {
            let span = node.span;
            let fault = tree.soft_faults.iter().find(|f| f.span == span);
            return Err(match fault {
                Some(fault) => self.raise(fault, ErrorKind::UnknownName, fault.message.clone()),
                None => self.hard_fault(),
            });
        };
        self.step()?;
        let record = self.cx.engine.0.registry.operator_at(def);
        let name = node.name.of(source);
        let params = name.get(node.base as usize + 1..);
        let args = [Arg::Text(node.arg)];
        let mut call = Call::new(self, &record.meta, (tree, source), (&args, node.span, false));
        let result = (record.run)(&mut call, &arg, params)?;
        let quoted = match (record.meta.taint, params) {
            (TaintRule::Quoted, Some(params)) => self.quoting(params),
            _ => 0,
        };
        Ok(stamp(result, record.meta.taint, arg.taint(), quoted))
    }

    /// The id of the lookup type that `quote_NAME` quotes for.
    fn quoting(&self, params: &[u8]) -> u16 {
        let registry = &self.cx.engine.0.registry;
        registry
            .lookup_id(params)
            .or_else(|| {
                let base = params.split(|c| *c == b'_').next().unwrap_or_default();
                registry.lookup_id(base)
            })
            .unwrap_or(u16::MAX)
    }

    fn item(&mut self, id: CallId) -> Result<Str, Fail> {
        let (tree, source) = (self.tree, self.source);
        let node = tree.call(id);
        self.step()?;
        let record = self.cx.engine.0.registry.item_at(node.def);
        let args = tree.call_args(node);
        let open = node.closing == Closing::Open;
        let place = (args, node.span, open);
        match record.run {
            ItemRun::Strict(run) => {
                let mut values = Arguments::new();
                let taint = self.strict(args, &mut values)?;
                if open {
                    return Err(self.hard_fault());
                }
                let mut call = Call::new(self, &record.meta, (tree, source), place);
                let result = run(&mut call, &values)?;
                Ok(stamp(result, record.meta.taint, taint, 0))
            }
            ItemRun::Lazy(run) => {
                let mut call = Call::new(self, &record.meta, (tree, source), place);
                let result = run(&mut call)?;
                if open {
                    return Err(self.hard_fault());
                }
                Ok(stamp(result, record.meta.taint, Taint::Tainted, 0))
            }
        }
    }

    /// Evaluates all arguments, in order; their taint.
    fn strict(&mut self, args: &[Arg], values: &mut Arguments) -> Result<Taint, Fail> {
        let mut taint = Taint::Clean;
        for arg in args {
            if let Arg::Text(seq) = arg {
                let value = self.text(*seq)?;
                taint = taint.with(value.taint());
                values.push(value);
            }
        }
        Ok(taint)
    }

    /// Passes over a range of the source, which is cut off if it is open.
    fn skim_range(&mut self, span: Span, open: bool) -> Result<(), Fail> {
        let fault = self.fault_within(span, open);
        let end = fault.map_or(span.end, |(fault, _)| fault.span.start);
        if self.tree.loses_value(Span { start: span.start, end })
            && (fault.is_none() || self.cx.leaves_bindings)
        {
            self.cx.scope.set_value(Str::EMPTY);
        }
        match fault {
            Some((fault, kind)) => Err(self.raise(fault, kind, fault.skimmed_from(span.start))),
            None => Ok(()),
        }
    }

    /// The first thing that is wrong in a range that is passed over.
    fn fault_within(&self, span: Span, open: bool) -> Option<(&'t Fault, ErrorKind)> {
        let counts = |fault: &&Fault| {
            let inside = fault.span.start >= span.start && fault.span.end <= span.end;
            let known = !fault.free.is_empty() && self.cx.named.contains_key(&fault.free);
            inside && !known
        };
        if let Some(fault) = self.tree.soft_faults.iter().find(counts) {
            return Some((fault, ErrorKind::UnknownName));
        }
        let fault = self.tree.hard_fault.as_ref().filter(|_| open);
        fault.map(|fault| (fault, ErrorKind::Syntax))
    }
}

/// Applies a record's rule to what its function returned.
fn stamp(result: Str, rule: TaintRule, arguments: Taint, quoted: u16) -> Str {
    let taint = match rule {
        TaintRule::Arguments => arguments.with(result.taint()),
        TaintRule::Clean => Taint::Clean,
        // Nothing at all comes from nobody.
        TaintRule::Tainted if result.is_empty() => return result,
        TaintRule::Tainted => Taint::Tainted,
        TaintRule::Result => return result,
        TaintRule::Quoted if arguments.is_tainted() => Taint::Quoted(quoted),
        TaintRule::Quoted => Taint::Clean,
    };
    if taint == result.taint() { result } else { result.stamped(taint) }
}

impl Machine for Eval<'_> {
    fn text(&mut self, seq: Seq) -> Result<Str, Fail> {
        self.sequence(seq)
    }

    fn skim(&mut self, seq: Seq) -> Result<(), Fail> {
        if self.tree.is_smooth() {
            return Ok(());
        }
        let open = self.tree.parts(seq).last() == Some(&Part::Fault);
        self.skim_range(seq.span, open)
    }

    fn condition(&mut self, id: CondId) -> Result<bool, Fail> {
        let (tree, source) = (self.tree, self.source);
        let node = tree.cond(id);
        let args = tree.cond_args(node);
        let open = node.closing == Closing::Open;
        if open && args.is_empty() {
            return Err(self.hard_fault());
        }
        self.step()?;
        let record = self.cx.engine.0.registry.condition_at(node.def);
        let place = (args, node.span, open);
        let result = match record.run {
            ConditionRun::Strict(run) => {
                let mut values = Arguments::new();
                self.strict(args, &mut values)?;
                if open {
                    return Err(self.hard_fault());
                }
                let mut call = Call::new(self, &record.meta, (tree, source), place);
                run(&mut call, &values)?
            }
            ConditionRun::Lazy(run) => {
                let mut call = Call::new(self, &record.meta, (tree, source), place);
                let result = run(&mut call)?;
                if open {
                    return Err(self.hard_fault());
                }
                result
            }
        };
        Ok(result != node.negated)
    }

    fn skim_condition(&mut self, id: CondId) -> Result<(), Fail> {
        if self.tree.is_smooth() {
            return Ok(());
        }
        let node = self.tree.cond(id);
        self.skim_range(node.span, node.closing == Closing::Open)
    }

    fn is_defined(&mut self, seq: Seq) -> Result<bool, Fail> {
        match self.tree.parts(seq) {
            [Part::Header(_, name)] => {
                let name = self.tree.text(*name);
                let Some(message) = &self.cx.message else { return Ok(false) };
                return Ok(message.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name)));
            }
            [Part::Variable(id)] if self.is_absent(*id) => {
                return Err(self.absent(*id, ("\"", "\" after \"def:\"")));
            }
            _ => {}
        }
        Ok(!self.text(seq)?.is_empty())
    }

    fn hard_fault(&self) -> Fail {
        match &self.tree.hard_fault {
            Some(fault) => {
                let unblamed = fault.unblamed.as_ref().filter(|_| self.forgotten);
                self.raise(fault, ErrorKind::Syntax, unblamed.unwrap_or(&fault.message).clone())
            }
            None => Fail::error(ErrorKind::Syntax, "an argument is missing"),
        }
    }

    fn expand(&mut self, text: &Str) -> Result<Str, Fail> {
        if text.taint().is_tainted() {
            let message = [b"attempt to expand tainted string '", text.bytes(), b"'"].concat();
            // Whoever runs the server has to hear of it, whatever becomes of
            // the expansion.
            self.cx.engine.0.world.log.main(&message);
            return Err(Fail::error(ErrorKind::Taint, message));
        }
        // Most of what is expanded again holds nothing to expand.
        if !text.bytes().iter().any(|c| matches!(c, b'$' | b'\\')) {
            return Ok(text.clone());
        }
        if self.cx.depth >= self.cx.engine.0.limits.expansions {
            return Err(self.too_much("texts are expanded in each other too deep"));
        }
        let engine = self.cx.engine.clone();
        let compiled = match self.cx.expansions.get(text.bytes()) {
            Some(compiled) => compiled.clone(),
            None => {
                let compiled = Arc::new(engine.compiled(text.bytes()));
                if self.cx.expansions.len() >= KEPT_EXPANSIONS {
                    self.cx.expansions.clear();
                }
                self.cx.expansions.insert(text.bytes().to_vec(), compiled.clone());
                compiled
            }
        };
        self.cx.depth += 1;
        let result = Eval::new(self.cx, &compiled.tree, &compiled.literals).whole();
        self.cx.depth -= 1;
        result
    }

    fn malformed_header(&self, at: u32) -> bool {
        !self.forgotten && self.tree.malformed_header.is_some_and(|start| start < at)
    }

    fn forget_header(&mut self) {
        self.forgotten = true;
    }

    fn scope(&mut self) -> &mut Scope {
        &mut self.cx.scope
    }

    fn memory_and_scope(&mut self) -> (&mut Memory, &mut Scope) {
        (&mut self.cx.memory, &mut self.cx.scope)
    }

    fn leaves_bindings(&self) -> bool {
        self.cx.leaves_bindings
    }

    fn variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>> {
        self.named_variable(name)
    }

    fn knows_variable(&self, name: &[u8]) -> bool {
        let known = !matches!(self.cx.engine.0.registry.variable(name), VariableName::Unknown(_));
        known || self.cx.named.contains_key(name)
    }

    fn set_variable(&mut self, name: &[u8], value: Str) -> bool {
        self.cx.set_known(name, value)
    }

    fn memory(&mut self) -> &mut Memory {
        &mut self.cx.memory
    }

    fn message(&self) -> Option<&Message> {
        self.cx.message.as_ref()
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

    fn forbidden(&self) -> Effects {
        self.cx.engine.0.forbidden
    }

    fn bounds(&self) -> Bounds {
        let limits = &self.cx.engine.0.limits;
        Bounds { command: limits.command, code: limits.code, length: limits.length }
    }

    fn call_acl(&mut self, name: &Str, _args: &[Str]) -> Result<AclAnswer, Fail> {
        // ACLs come with the configuration; no name is one until then.
        let message = [b"ERROR from acl \"", name.bytes(), b"\""].concat();
        Err(Fail::error(ErrorKind::Unsupported, message))
    }
}

impl std::fmt::Debug for Eval<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eval")
    }
}
