//! Pages for people, of what is no word of the registry: forms of a configuration, and words
//! that stand in values.

pub mod grammar;
pub mod values;

use std::fmt::Write;

/// How wide a page is.
const WIDTH: usize = 78;

/// Adds paragraphs, with lines of a fair length; lines that are indented stay
/// as they are.
pub fn wrap(text: &str, out: &mut String) {
    for (index, paragraph) in text.trim_end().split("\n\n").enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if paragraph.starts_with([' ', '\t']) {
            for line in paragraph.lines() {
                let _ = writeln!(out, "  {line}");
            }
            continue;
        }
        let mut line = String::from(" ");
        for word in paragraph.split_whitespace() {
            if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(out, "{line}");
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped() {
        let mut out = String::new();
        wrap(&format!("{}\n\n  kept  as it is\n\nend", "word ".repeat(20)), &mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{out}");
        assert_eq!(lines[lines.len() - 3..], ["    kept  as it is", "", "  end"][..], "{out}");
    }
}
