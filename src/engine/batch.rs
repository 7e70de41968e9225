//! Strings that are parsed ahead of their evaluation.

use eximious_core::{Fail, Str};
use eximious_grammar::expansion::{Part, Trees};

use crate::engine::Engine;
use crate::engine::context::Context;
use crate::engine::eval::{Eval, literal};

/// How many bytes a literal may have that is kept ready.
const SHORT: usize = 28;

/// Strings that are parsed one after the other, each to be evaluated once, in
/// memory that is used again: one thread may parse while another evaluates.
#[derive(Default, Debug)]
pub struct Batch {
    trees: Trees,
    /// For each part of the trees, what it is where it is literal and short.
    literals: Vec<Option<Str>>,
    /// The number of the engine whose words they are made of.
    engine: Option<u64>,
}

impl Batch {
    /// Parses a string and adds it.
    pub fn parse(&mut self, engine: &Engine, source: &[u8]) {
        let number = *self.engine.get_or_insert(engine.0.number);
        if number != engine.0.number {
            // Strings of several engines fit none.
            self.engine = Some(0);
        }
        self.trees.parse(source, engine.registry(), engine.parse_limits());
        let Some(tree) = self.trees.get(self.trees.len() - 1) else { return };
        let new = self.trees.parts().all_pieces().get(self.literals.len()..).unwrap_or_default();
        self.literals.reserve(new.len());
        // Each is written where it stays: one that is moved as soon as it is made is waited for.
        for piece in new {
            match piece.part {
                // To share memory between threads takes longer than to copy.
                Part::Text(span) if span.range().len() <= SHORT => {
                    self.literals.push(Some(literal(&tree, span)));
                }
                _ => self.literals.push(None),
            }
        }
    }

    /// Evaluates the string with a number, counted from 0, with a context of
    /// the engine that parsed it. It is done as by [`Engine::expand_once`].
    ///
    /// # Errors
    /// What the expansion fails with.
    ///
    /// # Panics
    /// There are not as many strings.
    #[inline(always)]
    pub fn expand(&self, number: usize, cx: &mut Context) -> Result<Str, Fail> {
        let tree = self.trees.get(number).expect("a number below the count");
        cx.begin(true);
        cx.belongs_to(self.engine.unwrap_or_default())?;
        let _level = cx.level()?;
        Eval::new(cx, &tree, &self.literals).whole()
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }

    /// How many bytes of text they have.
    pub fn text_len(&self) -> usize {
        self.trees.text_len()
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.trees.clear();
        self.literals.clear();
        self.engine = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lines have that a tree of its own keeps: faults of both kinds,
    /// stretches without a `$value`, header names that swallow a brace, zero
    /// bytes, long literals, captures that a failure leaves.
    const LINES: [&[u8]; 18] = [
        b"",
        b"plain",
        b"a literal of more than twenty-eight bytes",
        b"${uc:abc}${lc:DEF}",
        b"${nosuch:x}",
        b"a${uc:b$nosuch}",
        b"${if eq{1}{1}{yes}{$nosuch}}",
        b"${if eq{1}{2}{$nosuch}{no}}",
        b"${if match{abc}{^(.)}{$1${nosuch:}}}",
        b"$1",
        b"${if eq{$h_a}{b}{c}{d}}",
        b"${extract{a}{a=1}{$value${extract{b}{b=2}{$value}}}}",
        b"${reduce{1:2:3}{0}{${eval:$value+$item}}}",
        b"${run{/bin/true}{$value}}",
        b"a\0b${length_2:x\0y}",
        b"${if and{{eq{a}{a}}{match_ip{10.0.3.25}{10.0.0.0/8}}}{y}{n}",
        b"${sort{3:1:2}{<}{$item}}\ttab",
        b"$",
    ];

    #[test]
    fn strings_among_others_say_what_they_say_alone() {
        let engine = Engine::builder().build();
        let (mut one, mut other) = (engine.context(), engine.context());
        let mut batch = Batch::default();
        for _ in 0..2 {
            LINES.iter().for_each(|line| batch.parse(&engine, line));
            assert_eq!(batch.len(), LINES.len());
            for (number, line) in LINES.iter().enumerate() {
                let (alone, among) =
                    (engine.expand_once(line, &mut one), batch.expand(number, &mut other));
                let shown = |result: Result<Str, Fail>| match result {
                    Ok(value) => value.display().into_owned(),
                    Err(fail) => format!("{:?} {fail:#}", fail.class()),
                };
                assert_eq!(shown(among), shown(alone), "{}", line.escape_ascii());
            }
            batch.clear();
            assert!(batch.is_empty() && batch.text_len() == 0);
        }
    }
}
