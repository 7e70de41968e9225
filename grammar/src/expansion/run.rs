//! `run`: options, a command, and two branches.
//!
//! The command is split into words before they are expanded, each by itself, so
//! what stands between its braces is no string of the tree. Exim finds its end
//! by skipping it as if it were one, whatever comes of that: where it stumbles,
//! it takes a closing brace for the command's, and complains of anything else.

use super::parser::{MISPLACED, Parser};
use super::tree::{Arg, Fault, Seq};
use crate::Span;

impl Parser<'_, '_, '_> {
    pub(super) fn run(&mut self, name: Span) {
        let Some(preexpand) = self.options() else { return };
        self.skip_space();
        if !self.eat(b'{') {
            self.stop_curly("missing '{' for command arg of run");
            return;
        }
        if preexpand {
            let command = self.braced();
            self.tree.open_args.push(Arg::Text(command));
        } else {
            self.command();
        }
        // Unlike other items, it does not put `$value` back.
        if !self.stopped {
            self.lapse();
        }
        self.branches(name, None);
    }

    /// Words after commas; whether `preexpand` is one of them.
    fn options(&mut self) -> Option<bool> {
        const PREEXPAND: &[u8] = b"preexpand";
        let mut preexpand = false;
        while self.eat(b',') {
            let start = self.at;
            if self.source[start..].starts_with(PREEXPAND) {
                self.at += PREEXPAND.len();
                self.tree.open_args.push(Arg::Word(Span::new(start, self.at)));
                preexpand = true;
                continue;
            }
            // Whatever stands first belongs to the option.
            let letters =
                self.source[start..].iter().skip(1).take_while(|c| c.is_ascii_alphabetic());
            self.at = (start + 1 + letters.count()).min(self.source.len());
            let option = &self.source[start..self.at];
            self.left.get_or_insert(start - 1);
            self.stop([b"bad option '", option, b"' for run"].concat());
            return None;
        }
        Some(preexpand)
    }

    /// A command after its opening brace, and the closing one.
    ///
    /// Where a name in it is unknown and a closing brace follows, that place
    /// is a word after the command: it ends there, unless the name is known
    /// when the command is run.
    fn command(&mut self) {
        let (start, mark) = (self.at, self.mark());
        let outside = self.left.take();
        let command = self.braced();
        let left = std::mem::replace(&mut self.left, outside);
        let first = self.tree.soft_faults.drain(mark..).next();
        let Some(left) = left else {
            self.tree.open_args.push(Arg::Text(command));
            return;
        };
        let closes = self.source.get(left) == Some(&b'}');
        if self.stopped {
            self.stopped = false;
            self.tree.hard_fault = None;
            if closes {
                self.at = left + 1;
                let span = Span::new(start, left);
                self.tree.open_args.push(Arg::Text(Seq { start: command.start, len: 0, span }));
            } else {
                self.at = start;
                self.left.get_or_insert(left);
                self.stop_curly(UNCLOSED);
            }
            return;
        }
        self.tree.open_args.push(Arg::Text(command));
        let Some(fault) = first else { return };
        if closes && !fault.counts_for_parse_only {
            self.tree.open_args.push(Arg::Word(fault.span));
            return;
        }
        // The complaint over the braces stands unless the name is known when
        // the command is run.
        let message = if self.tree.malformed_header.is_some() { MISPLACED } else { UNCLOSED };
        self.left.get_or_insert(left);
        self.tree.soft_faults.push(Fault {
            message: message.into(),
            parse_only_message: None,
            wrappers: Vec::new(),
            counts_for_parse_only: false,
            ..fault
        });
    }
}

const UNCLOSED: &str = "missing '}' closing command arg of run";
