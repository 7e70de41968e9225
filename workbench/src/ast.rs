//! An expression as the tree that is evaluated.

use eximious::Registry;
use eximious::grammar::Span;
use eximious::grammar::expansion::{Arg, CondId, ParseLimits, Part, Seq, View, parse};

use crate::trace::on_one_line;

/// How deep an expression is shown.
const MOST_DEPTH: usize = 160;

/// The tree of an expression, a line for each node, and what is wrong with the text.
pub fn ast(registry: &Registry, source: &[u8]) -> Vec<String> {
    let limits = ParseLimits { depth: MOST_DEPTH as u32, length: 1 << 20 };
    let tree = parse(source, registry, limits);
    let view = tree.view();
    let mut printer = Printer { registry, view: &view, source, lines: Vec::new() };
    printer.pieces(tree.root, 0);
    let mut lines = printer.lines;
    if let Some(fault) = view.hard_fault {
        let message = String::from_utf8_lossy(&fault.message).into_owned();
        lines.push(format!("the parse ends at byte {}: {message}", fault.span.start + 1));
    }
    for fault in view.soft_faults {
        let message = String::from_utf8_lossy(&fault.message).into_owned();
        lines.push(format!("at byte {}: {message}", fault.span.start + 1));
    }
    lines
}

struct Printer<'p> {
    registry: &'p Registry,
    view: &'p View<'p>,
    source: &'p [u8],
    lines: Vec<String>,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(depth)));
    }

    fn written(&self, span: Span) -> String {
        on_one_line(&eximious::Str::from(span.of(self.source)))
    }

    fn read(&self, span: Span) -> String {
        on_one_line(&eximious::Str::from(self.view.text(span)))
    }

    fn pieces(&mut self, seq: Seq, depth: usize) {
        let view = self.view;
        if view.pieces(seq).is_empty() {
            self.line(depth, "text \"\"");
        }
        for piece in view.pieces(seq) {
            match piece.part {
                Part::Text(span) => {
                    let text = self.read(span);
                    self.line(depth, &format!("text \"{text}\""));
                }
                Part::Variable(id) => {
                    let name = self.registry.variable_at(id).meta.name;
                    self.line(depth, &format!("variable ${name}"));
                }
                Part::Family(_, span) | Part::Free(span) => {
                    let name = self.read(span);
                    self.line(depth, &format!("variable ${name}"));
                }
                Part::Numeric(number) => self.line(depth, &format!("numeric ${number}")),
                Part::Header(_, span) => {
                    let name = self.read(span);
                    self.line(depth, &format!("header {name}"));
                }
                Part::Operator(id) => {
                    let node = view.op(id);
                    let name = self.written(node.name);
                    self.line(depth, &format!("operator {name}"));
                    self.pieces(node.arg, depth + 1);
                }
                Part::Item(id) => {
                    let node = view.call(id);
                    let name = self.registry.item_at(node.def).meta.name;
                    self.line(depth, &format!("item {name}"));
                    self.args(view.call_args(node), depth + 1);
                }
                Part::Fault => self.line(depth, "fault"),
            }
        }
    }

    fn args(&mut self, args: &[Arg], depth: usize) {
        for arg in args {
            match arg {
                Arg::Text(seq) => self.branch("argument", *seq, depth),
                Arg::Variable(seq) => self.branch("variable", *seq, depth),
                Arg::Yes(seq) => self.branch("yes", *seq, depth),
                Arg::No(seq) => self.branch("no", *seq, depth),
                Arg::Condition(id) => self.condition(*id, depth),
                Arg::Word(span) => {
                    let word = self.written(*span);
                    self.line(depth, &format!("word {word}"));
                }
                Arg::Lookup(id) => {
                    let written = self.view.lookup(*id).written;
                    let written = self.written(written);
                    self.line(depth, &format!("lookup type {written}"));
                }
                Arg::ForceFail => self.line(depth, "no: fail"),
                Arg::Loose(_) => {}
            }
        }
    }

    fn branch(&mut self, name: &str, seq: Seq, depth: usize) {
        self.line(depth, name);
        self.pieces(seq, depth + 1);
    }

    fn condition(&mut self, id: CondId, depth: usize) {
        let node = self.view.cond(id);
        let name = self.registry.condition_at(node.def).meta.name;
        let negated = if node.negated { "!" } else { "" };
        self.line(depth, &format!("condition {negated}{name}"));
        self.args(self.view.cond_args(node), depth + 1);
    }
}
