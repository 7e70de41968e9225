//! Regular expressions, each with a text: asked of a real Exim, of eximious, and of both
//! engines that eximious has.

use eximious::stdlib::pattern::by_both;
use fastrand::Rng;

use super::{Form, Quarry, expressions};
use crate::dice::Dice;

/// An expression with a pattern and a text, each between `\N`.
pub fn make(rng: &mut Rng) -> Quarry {
    let (pattern, subject) = (pattern(rng), subject(rng));
    let newline = if rng.u8(..4) == 0 { "\\n" } else { "" };
    let mut quarry = Quarry::new(Form::Pattern);
    quarry.fixed(format!(
        "${{if match{{\\N{subject}\\N{newline}}}{{\\N{pattern}\\N}}{{[$0][$1][$2][$3]}}{{no}}}}"
    ));
    quarry
}

/// What the real one says otherwise, and what one engine finds otherwise than the other.
pub fn difference(line: &str) -> Vec<String> {
    let mut found = expressions::difference(line);
    let parts: Vec<&str> = line.split("\\N").collect();
    if let [_, subject, between, pattern, _] = parts[..] {
        let newline = if between.starts_with("\\n") { "\n" } else { "" };
        let subject = format!("{subject}{newline}");
        if let Some([pcre, regex]) = by_both(pattern.as_bytes(), false, subject.as_bytes())
            && pcre != regex
        {
            found.push(format!("- PCRE2: {pcre:?}"));
            found.push(format!("+ regex: {regex:?}"));
        }
    }
    found
}

/// A pattern, most often one for both engines.
pub fn pattern(rng: &mut Rng) -> String {
    let mut out = String::new();
    if rng.bool() {
        out.push('^');
    }
    branches(rng, &mut out, 3);
    if rng.u8(..3) == 0 {
        out.push('$');
    }
    out
}

fn branches(rng: &mut Rng, out: &mut String, depth: u32) {
    for number in 0..[1, 1, 1, 2, 3][rng.usize(..5)] {
        if number > 0 {
            out.push('|');
        }
        for _ in 0..rng.u32(..4) {
            atom(rng, out, depth);
        }
    }
}

fn atom(rng: &mut Rng, out: &mut String, depth: u32) {
    match rng.u8(..12) {
        0..5 => out.push_str(rng.pick(&["a", "b", "A", ".", "-", "1", "_", " ", "@", "\\.", "é"])),
        5 => out.push_str(rng.pick(&[
            "^", "$", "\\A", "\\z", "\\Z", "\\b", "\\B", "(?i)", "(?s)", "(?-i)", "\\G", "\\K",
            "\\1",
        ])),
        6 => out.push_str(rng.pick(&[
            "\\d", "\\w", "\\s", "\\S", "\\D", "\\W", "\\n", "\\x61", "\\t", "\\R", "\\e",
            "\\x{61}", "\\h", "\\v",
        ])),
        7 => out.push_str(rng.pick(&[
            "[ab]",
            "[^a]",
            "[a-b]",
            "[]a]",
            "[^]a]",
            "[[:alpha:]]",
            "[^[:upper:]b]",
            "[[:^lower:]1]",
            "[\\w-]",
            "[a-]",
            "[-a]",
            "[\\d\\n]",
            "[b-A]",
            "[a\\]b]",
            "[[a]",
            "[\\W_]",
            "[W-c]",
            "[!-~]",
        ])),
        8..11 if depth > 0 => {
            let open = ["(", "(", "(", "(?:", "(?i:", "(?>", "(?=", "(?!", "(?<x>"];
            out.push_str(rng.pick(&open));
            branches(rng, out, depth - 1);
            out.push(')');
        }
        _ => out.push_str(rng.pick(&["a", "b"])),
    }
    if rng.u8(..3) == 0 {
        out.push_str(rng.pick(&[
            "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{1,}", "{0}", "++", "{,2}",
        ]));
    }
}

fn subject(rng: &mut Rng) -> String {
    let letters = ["a", "a", "b", "b", "A", "B", " ", "1", "_", "-", ".", "@", "é", "\t"];
    (0..rng.usize(..9)).map(|_| rng.pick(&letters)).collect()
}
