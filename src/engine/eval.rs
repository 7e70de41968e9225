//! Walks a tree and makes a string of it.

use eximious_core::grammar::expansion::{
    Arg, CallId, CallNode, Closing, HeaderView, OpId, Part, Piece, Seq, VariableName, View,
    Vocabulary,
};
use eximious_core::stack::{self, TooDeep};
use eximious_core::{
    Call, ErrorKind, Fail, Item, ItemRun, Machine, Meta, OperatorRun, Place, Str, Taint, TaintRule,
    VariableSource,
};
use eximious_grammar::{Fault, Span};
use smallvec::SmallVec;

use crate::engine::context::Context;

mod machine;
mod told;

/// One walk over one tree, with a context.
pub(crate) struct Eval<'t> {
    cx: &'t mut Context,
    tree: &'t View<'t>,
    source: &'t [u8],
    /// The tree's literal parts, where they are kept ready.
    literals: &'t [Option<Str>],
    /// Whether a brace in a header's name is forgotten, which Exim would blame
    /// for what is wrong behind it.
    forgotten: bool,
    /// How deep the steps stand that are told; 0 where nobody wants to be told.
    told: u32,
    /// How many conditions are being evaluated, each in the one before.
    conditions: u32,
}

/// How much memory is kept for strings that are put together.
const KEPT_BUFFER: usize = 64 << 10;
/// Arguments, where there are many.
type Arguments = SmallVec<[Str; 8]>;

impl<'t> Eval<'t> {
    pub(crate) fn new(
        cx: &'t mut Context,
        tree: &'t View<'t>,
        literals: &'t [Option<Str>],
    ) -> Self {
        Self { cx, tree, source: tree.source(), literals, forgotten: false, told: 0, conditions: 0 }
    }

    /// The whole text.
    pub(crate) fn whole(&mut self) -> Result<Str, Fail> {
        if self.cx.trace.is_watched() {
            self.begin_telling();
        }
        let result = self.text(self.tree.root);
        if let (Err(fail), Some(fault)) = (&result, self.tree.hard_fault)
            && fail.place().is_some_and(|place| place.span == fault.span)
        {
            eximious_stdlib::lookups::keep_complaint(&mut self.cx.caches.memory, &fault.message);
        }
        result
    }

    // Results are written where the caller wants them and looked at there: to
    // take a `Result` apart and put another together costs more than most steps
    // of an evaluation.

    fn sequence(&mut self, seq: Seq) -> Result<Str, Fail> {
        if self.told > 0 {
            return self.told_sequence(seq);
        }
        self.untold_sequence(seq)
    }

    #[inline(always)]
    fn untold_sequence(&mut self, seq: Seq) -> Result<Str, Fail> {
        let tree = self.tree;
        match tree.pieces(seq) {
            // Most strings are nothing but literal text.
            [Piece { part: Part::Text(span), .. }] if self.told == 0 => {
                self.plain(*span, seq.start)
            }
            [piece] => self.single(piece, seq.start),
            [] => Ok(Str::EMPTY),
            pieces => self.concatenation(pieces, seq.start),
        }
    }

    #[inline]
    fn plain(&mut self, span: Span, at: u32) -> Result<Str, Fail> {
        let mut result = Ok(self.literal(span, at));
        if let Ok(string) = &mut result {
            string.cut_at_zero();
            let length = string.bytes().len();
            if let Err(fail) = self.cx.evaluation.budget.string(length, &self.cx.engine) {
                result = Err(fail);
            }
        }
        result
    }

    #[inline(never)]
    fn single(&mut self, piece: &Piece, at: u32) -> Result<Str, Fail> {
        let mut result = self.piece(piece, at);
        if let Ok(string) = &mut result {
            string.cut_at_zero();
            if self.told > 0 {
                self.tell_piece(piece, string, true);
            }
            let length = string.bytes().len();
            if let Err(fail) = self.cx.evaluation.budget.string(length, &self.cx.engine) {
                result = Err(fail);
            }
        }
        result
    }

    #[inline(never)]
    fn concatenation(&mut self, pieces: &[Piece], first: u32) -> Result<Str, Fail> {
        let start = self.cx.evaluation.buffer.len();
        let result = self.append(pieces, first, start).map(|taint| {
            let mut string = Str::from(&self.cx.evaluation.buffer[start..]).stamped(taint);
            string.cut_at_zero();
            string
        });
        self.cx.evaluation.buffer.truncate(start);
        if self.cx.evaluation.buffer.capacity() > KEPT_BUFFER {
            self.cx.evaluation.buffer.shrink_to(KEPT_BUFFER);
        }
        result
    }

    /// Appends pieces to the buffer; their taint.
    fn append(&mut self, pieces: &[Piece], first: u32, start: usize) -> Result<Taint, Fail> {
        let tree = self.tree;
        let mut taint = Taint::Clean;
        for (at, piece) in (first..).zip(pieces) {
            match &piece.part {
                Part::Text(span) => {
                    self.cx.evaluation.buffer.extend_from_slice(tree.text(*span));
                    if self.told > 0 {
                        self.tell_piece(piece, &Str::EMPTY, false);
                    }
                }
                _ => {
                    let value = self.piece(piece, at)?;
                    // Nothing is no text of anybody's.
                    if !value.bytes().is_empty() {
                        taint = taint.with(value.taint());
                    }
                    if self.told > 0 {
                        self.tell_piece(piece, &value, self.cx.evaluation.buffer.len() == start);
                    }
                    self.cx.evaluation.buffer.extend_from_slice(value.bytes());
                }
            }
            let (together, most) =
                (self.cx.evaluation.buffer.len(), self.cx.engine.0.limits.length);
            if together > most {
                if together - start > most {
                    return Err(Fail::too_long());
                }
                self.cx.evaluation.budget.check_together(together)?;
            }
        }
        let length = self.cx.evaluation.buffer.len() - start;
        self.cx.evaluation.budget.string(length, &self.cx.engine)?;
        Ok(taint)
    }

    /// Literal text: the piece at a place among all of them.
    #[inline(always)]
    fn literal(&self, span: Span, at: u32) -> Str {
        match self.literals.get(at as usize) {
            Some(Some(ready)) => ready.clone(),
            _ => literal(self.tree, span),
        }
    }

    #[inline(always)]
    fn piece(&mut self, piece: &Piece, at: u32) -> Result<Str, Fail> {
        let mut result = match piece.part {
            Part::Text(span) => Ok(self.literal(span, at)),
            Part::Variable(id) => self.variable_text(id),
            Part::Operator(id) => self.operator(id),
            Part::Item(id) => self.item(id),
            Part::Numeric(number) => Ok(self.cx.evaluation.scope.numeric(number)),
            Part::Family(_, name) => {
                Ok(self.cx.values.named(self.tree.text(name)).cloned().unwrap_or_default())
            }
            Part::Free(name) => match self.cx.values.named(self.tree.text(name)) {
                Some(value) => Ok(value.clone()),
                None => Err(self.unknown(piece.span, name)),
            },
            Part::Header(view, name) => self.header(view, name),
            Part::Fault => Err(self.hard_fault()),
        };
        if let Err(fail) = &mut result {
            self.located(fail, piece);
        }
        result
    }

    /// Adds to a failure where it was met.
    #[cold]
    fn located(&self, fail: &mut Fail, piece: &Piece) {
        if let Part::Variable(id) = piece.part
            && self.source.get(piece.span.start as usize + 1) == Some(&b'{')
            && self.is_absent(id)
        {
            *fail = self.absent(id, ("in \"${", "}\""));
        }
        // To what was waited for outside, it is as if the time were over.
        if let Err(called_off) = self.cx.evaluation.budget.goes_on() {
            *fail = called_off;
        }
        fail.locate(|| self.place(piece.span));
    }

    fn place(&self, span: Span) -> Place {
        Place { source: self.source.into(), span }
    }

    /// The complaint about a name that nobody knows.
    fn unknown(&self, span: Span, name: Span) -> Fail {
        let fault = self
            .tree
            .soft_faults
            .iter()
            .find(|f| f.span.start >= span.start && !f.counts_for_parse_only);
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
        matches!(self.cx.variable_record(id).source, VariableSource::Absent)
            && self.cx.values.stored(id).is_none()
    }

    fn absent(&self, id: u16, (before, after): (&str, &str)) -> Fail {
        let name = self.cx.engine.0.registry.variable_at(id).meta.name;
        Fail::error(ErrorKind::UnknownName, format!("unknown variable {before}{name}{after}"))
    }

    fn raise(&self, fault: &Fault, kind: ErrorKind, message: Vec<u8>) -> Fail {
        Fail::error(kind, message).at(|| self.place(fault.span))
    }

    #[inline]
    fn step(&mut self, record: &Meta) -> Result<(), Fail> {
        if stack::is_deep() {
            return Err(too_deep());
        }
        self.cx.evaluation.permit(record)?;
        self.cx.evaluation.budget.step(&self.cx.engine)
    }

    fn variable_value(&mut self, id: u16) -> Result<Str, Fail> {
        match self.cx.values.stored(id) {
            Some(value) => Ok(value.clone()),
            None => self.variable_default(id),
        }
    }

    /// A variable that nothing has set.
    #[inline]
    fn variable_default(&mut self, id: u16) -> Result<Str, Fail> {
        let record = self.cx.variable_record(id);
        match &record.source {
            VariableSource::Slot | VariableSource::Certificate => Ok(Str::EMPTY),
            VariableSource::Absent => Err(self.absent(id, ("name \"", "\""))),
            VariableSource::SlotWith(text) => Ok(Str::fixed(text)),
            VariableSource::Family(_) => Ok(Str::EMPTY),
            VariableSource::Computed(compute) => {
                let (compute, record) = (*compute, record.clone());
                self.computed(&record.meta, compute)
            }
            VariableSource::ComputedClosure(compute) => {
                let (compute, record) = (compute.clone(), record.clone());
                self.computed(&record.meta, |call| compute(call))
            }
        }
    }

    fn computed(
        &mut self,
        meta: &Meta,
        compute: impl Fn(&mut Call<'_>) -> Result<Str, Fail>,
    ) -> Result<Str, Fail> {
        let (tree, source) = (self.tree, self.source);
        let place = (&[][..], Span::default(), false);
        let mut result = compute(&mut Call::new(self, meta, (tree, source), place));
        if let Ok(value) = &mut result {
            stamp(value, meta.taint, Taint::Clean, 0);
        }
        result
    }

    /// A variable's value as it stands in a text: a certificate only shows that
    /// it is there.
    #[inline(never)]
    fn variable_text(&mut self, id: u16) -> Result<Str, Fail> {
        let mut result = self.variable_value(id);
        if matches!(self.cx.variable_record(id).source, VariableSource::Certificate)
            && let Ok(value) = &mut result
            && !value.is_empty()
        {
            *value = Str::fixed("<cert>").stamped(value.taint());
        }
        result
    }

    /// A variable by name, of whatever sort.
    pub(crate) fn named_variable(&mut self, name: &[u8]) -> Option<Result<Str, Fail>> {
        match self.cx.engine.0.registry.variable(name) {
            VariableName::Known(id) if self.is_absent(id) => None,
            VariableName::Known(id) => Some(self.variable_value(id)),
            VariableName::Family(_) => {
                Some(Ok(self.cx.values.named(name).cloned().unwrap_or_default()))
            }
            VariableName::Unknown(_) => self.cx.values.named(name).cloned().map(Ok),
        }
    }

    #[inline(never)]
    fn header(&mut self, view: HeaderView, name: Span) -> Result<Str, Fail> {
        if self.forgotten && self.tree.text(name).contains(&b'}') {
            self.forgotten = false;
        }
        let Some(message) = &self.cx.values.message else { return Ok(Str::EMPTY) };
        Ok(eximious_stdlib::headers::value(
            message,
            view,
            self.tree.text(name),
            &self.cx.engine.0.settings,
        ))
    }

    #[inline(never)]
    fn operator(&mut self, id: OpId) -> Result<Str, Fail> {
        let (tree, source) = (self.tree, self.source);
        let node = tree.op(id);
        let held = *self.cx.evaluation.budget.held();
        let arg = self.text(node.arg)?;
        let Some(def) = node.def else { return Err(self.unknown_operator(node.span)) };
        let record = self.cx.engine.0.registry.operator_at(def).clone();
        self.step(&record.meta)?;
        let name = node.name.of(source);
        let params = name.get(node.base as usize + 1..);
        let args = [Arg::Text(node.arg)];
        let mut call = Call::new(self, &record.meta, (tree, source), (&args, node.span, false));
        let mut result = match &record.run {
            OperatorRun::Plain(run) => run(&mut call, &arg, params),
            OperatorRun::Closure(run) => run(&mut call, &arg, params),
        };
        *self.cx.evaluation.budget.held() = held;
        if let Ok(value) = &mut result {
            let quoted = match (record.meta.taint, params) {
                (TaintRule::Quoted, Some(params)) => self.quoting(params),
                _ => 0,
            };
            stamp(value, record.meta.taint, arg.taint(), quoted);
        }
        result
    }

    #[cold]
    fn unknown_operator(&self, span: Span) -> Fail {
        match self.tree.soft_faults.iter().find(|f| f.span == span) {
            Some(fault) => self.raise(fault, ErrorKind::UnknownName, fault.message.clone()),
            None => self.hard_fault(),
        }
    }

    /// The id of the lookup type that `quote_NAME` quotes for.
    fn quoting(&self, params: &[u8]) -> u16 {
        self.cx.engine.0.registry.quoted_lookup(params).unwrap_or(u16::MAX)
    }

    #[inline(never)]
    fn item(&mut self, id: CallId) -> Result<Str, Fail> {
        let node = self.tree.call(id);
        let record = self.cx.engine.0.registry.item_at(node.def).clone();
        // What an item evaluates itself may be anything.
        let mut taint = Taint::Tainted;
        let conditions = self.conditions;
        let held = *self.cx.evaluation.budget.held();
        if self.told > 0 {
            // Conditions of `if` are told; those of others are none of their own.
            self.conditions = u32::from(record.meta.name != "if");
        }
        let mut result = self.run_item(node, &record, &mut taint);
        self.conditions = conditions;
        *self.cx.evaluation.budget.held() = held;
        if let Ok(value) = &mut result {
            stamp(value, record.meta.taint, taint, 0);
        }
        result
    }

    /// Runs an item; also the taint of its arguments, where they are evaluated
    /// before.
    fn run_item(&mut self, node: &CallNode, record: &Item, taint: &mut Taint) -> Result<Str, Fail> {
        self.step(&record.meta)?;
        let (tree, source) = (self.tree, self.source);
        let args = tree.call_args(node);
        let open = node.closing == Closing::Open;
        let place = (args, node.span, open);
        let mut result = match &record.run {
            ItemRun::Strict(run) => {
                return self.with_values(args, |eval, values| {
                    *taint = together(values);
                    eval.run_strict(&record.meta, place, *run, values)
                });
            }
            ItemRun::StrictClosure(run) => {
                return self.with_values(args, |eval, values| {
                    *taint = together(values);
                    eval.run_strict(&record.meta, place, |call, args| run(call, args), values)
                });
            }
            ItemRun::Lazy(run) => run(&mut Call::new(self, &record.meta, (tree, source), place)),
            ItemRun::LazyClosure(run) => {
                run(&mut Call::new(self, &record.meta, (tree, source), place))
            }
        };
        if open && result.is_ok() {
            result = Err(self.hard_fault());
        }
        result
    }

    /// Runs what has its arguments, unless the parse ended in it.
    fn run_strict<T>(
        &mut self,
        meta: &Meta,
        place: (&[Arg], Span, bool),
        run: impl Fn(&mut Call<'_>, &[Str]) -> Result<T, Fail>,
        values: &[Str],
    ) -> Result<T, Fail> {
        if place.2 {
            return Err(self.hard_fault());
        }
        let (tree, source) = (self.tree, self.source);
        run(&mut Call::new(self, meta, (tree, source), place), values)
    }

    /// Evaluates all arguments, in order, for a piece of work.
    fn with_values<T>(
        &mut self,
        args: &[Arg],
        work: impl FnOnce(&mut Self, &[Str]) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        // Most have three at the most.
        match args {
            [Arg::Text(only)] => {
                let only = self.text(*only)?;
                work(self, std::slice::from_ref(&only))
            }
            [Arg::Text(first), Arg::Text(second)] => {
                let values = [self.text(*first)?, self.text(*second)?];
                work(self, &values)
            }
            [Arg::Text(first), Arg::Text(second), Arg::Text(third)] => {
                let values = [self.text(*first)?, self.text(*second)?, self.text(*third)?];
                work(self, &values)
            }
            args => {
                let mut values = Arguments::new();
                for arg in args {
                    if let Arg::Text(seq) = arg {
                        values.push(self.text(*seq)?);
                    }
                }
                work(self, &values)
            }
        }
    }

    /// Passes over a range of the source, which is cut off if it is open.
    fn parse_only_span(&mut self, span: Span, open: bool) -> Result<(), Fail> {
        let fault = self.fault_within(span, open);
        let end = fault.map_or(span.end, |(fault, _)| fault.span.start);
        if self.tree.loses_value(Span { start: span.start, end })
            && (fault.is_none() || self.cx.evaluation.leaves_bindings)
        {
            self.cx.evaluation.scope.set_value(Str::EMPTY);
        }
        match fault {
            Some((fault, kind)) => {
                Err(self.raise(fault, kind, fault.parse_only_message_from(span.start)))
            }
            None => Ok(()),
        }
    }

    /// The first thing that is wrong in a range that is passed over.
    fn fault_within(&self, span: Span, open: bool) -> Option<(&'t Fault, ErrorKind)> {
        let counts = |fault: &&Fault| {
            let inside = fault.span.start >= span.start && fault.span.end <= span.end;
            let known = !fault.free.is_empty() && self.cx.values.named(&fault.free).is_some();
            inside && !known
        };
        if let Some(fault) = self.tree.soft_faults.iter().find(counts) {
            return Some((fault, ErrorKind::UnknownName));
        }
        let fault = self.tree.hard_fault.filter(|_| open);
        fault.map(|fault| (fault, ErrorKind::Syntax))
    }
}

#[cold]
fn too_deep() -> Fail {
    TooDeep.into()
}

/// How tainted values are together.
fn together(values: &[Str]) -> Taint {
    values.iter().fold(Taint::Clean, |taint, value| taint.with(value.taint()))
}

/// Literal text of a tree.
#[inline(always)]
pub(crate) fn literal(tree: &View<'_>, span: Span) -> Str {
    let text = tree.text(span);
    if tree.holds_zero { Str::from(text) } else { Str::text(text) }
}

/// Applies a record's rule to what its function returned.
fn stamp(result: &mut Str, rule: TaintRule, arguments: Taint, quoted: u16) {
    result.stamp(match rule {
        TaintRule::Result => return,
        TaintRule::Arguments if arguments == Taint::Clean => return,
        TaintRule::Arguments => arguments.with(result.taint()),
        TaintRule::Clean => Taint::Clean,
        // Nothing at all comes from nobody.
        TaintRule::Tainted if result.is_empty() => return,
        TaintRule::Tainted => Taint::Tainted,
        TaintRule::Quoted if arguments.is_tainted() => Taint::Quoted(quoted),
        TaintRule::Quoted => Taint::Clean,
    });
}
