//! What stands where in a line that is still being typed: enough to complete
//! names, to show a signature and to colour it. It need not be right to the
//! last brace; whether a line is right is said when it is expanded.

use std::ops::Range;

use super::is_header;

/// What a name at the cursor would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// After `${`: an item, an operator or a variable.
    Construct,
    /// After `$` or `def:`.
    Variable,
    /// In `${if …`, or in braces that hold a condition.
    Condition,
    /// In `${lookup…`.
    Lookup,
    /// Nothing that has a name.
    Nothing,
}

/// What a word of the line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordRole {
    /// An item, an operator or a variable, after `${`.
    Construct,
    /// A variable, after `$` or `def:`.
    Variable,
    /// A condition.
    Condition,
    /// A lookup type.
    Lookup,
    /// A backslash and what follows it.
    Escape,
}

/// A construct or condition that is open where a text ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenCall<'l> {
    /// Which of the two it is.
    pub role: WordRole,
    /// Its name.
    pub name: &'l str,
    /// How many of its arguments in braces are complete.
    pub arguments: usize,
}

/// What a line is made of, as far as it was read.
#[derive(Debug, Default)]
pub struct Scan<'l> {
    /// The words with a role, in order; each without its `${` or `$`.
    pub words: Vec<(WordRole, Range<usize>)>,
    /// Braces: where each opens, and where it closes if it does.
    pub braces: Vec<(usize, Option<usize>)>,
    /// Those of them that are open, by their numbers.
    unclosed: Vec<usize>,
    open: Vec<Frame<'l>>,
}

/// A construct or a pair of braces that is open.
#[derive(Clone, Copy, Debug)]
struct Frame<'l> {
    kind: Inside,
    /// The construct's name.
    name: &'l str,
    /// The condition that was read here, if one is.
    condition: Option<&'l str>,
    /// How many braced arguments were read since.
    arguments: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inside {
    /// `${name …`.
    Construct,
    /// Braces with text in them.
    Text,
    /// Braces with a condition in them.
    Condition,
    /// Braces with braces in them that hold conditions.
    Conditions,
}

impl<'l> Frame<'l> {
    fn new(kind: Inside, name: &'l str) -> Self {
        Self { kind, name, condition: None, arguments: 0 }
    }

    fn wants_condition(&self) -> bool {
        let place = match self.kind {
            Inside::Construct => self.name == "if",
            kind => kind == Inside::Condition,
        };
        place && self.condition.is_none()
    }

    fn wants_lookup(&self) -> bool {
        self.kind == Inside::Construct && self.name == "lookup" && self.arguments < 2
    }

    /// What braces hold that open here.
    fn braces(&self) -> Inside {
        match (self.kind, self.condition) {
            (Inside::Conditions, _) => Inside::Condition,
            (_, Some("and" | "or")) if self.arguments == 0 => Inside::Conditions,
            (_, Some(name)) if name.starts_with("fora") && self.arguments == 1 => Inside::Condition,
            (Inside::Construct, None) if self.name == "filter" && self.arguments == 1 => {
                Inside::Condition
            }
            _ => Inside::Text,
        }
    }
}

/// Reads a line, or the part of it before the cursor.
pub fn scan(line: &str) -> Scan<'_> {
    let mut scan = Scan::default();
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            b'\\' => {
                let end = (at + 1..bytes.len()).find(|end| line.is_char_boundary(end + 1));
                let end = end.map_or(bytes.len(), |end| end + 1);
                scan.words.push((WordRole::Escape, at..end));
                end
            }
            b'$' => scan.dollar(line, at),
            b'{' => {
                let kind = scan.open.last().map_or(Inside::Text, Frame::braces);
                scan.brace(at);
                scan.open.push(Frame::new(kind, ""));
                at + 1
            }
            b'}' => {
                scan.close(at);
                at + 1
            }
            byte if is_name(byte) || b"<>=".contains(&byte) => scan.word(line, at),
            _ => at + 1,
        };
    }
    scan
}

impl<'l> Scan<'l> {
    fn dollar(&mut self, line: &'l str, at: usize) -> usize {
        let braced = line.as_bytes().get(at + 1) == Some(&b'{');
        let start = at + if braced { 2 } else { 1 };
        let end = name_end(line, start);
        if braced {
            self.brace(at + 1);
            self.open.push(Frame::new(Inside::Construct, &line[start..end]));
        }
        let role = if braced { WordRole::Construct } else { WordRole::Variable };
        if end > start {
            self.words.push((role, start..end));
        }
        end.max(start)
    }

    fn word(&mut self, line: &'l str, at: usize) -> usize {
        let bytes = line.as_bytes();
        let symbol = b"<>=".contains(&bytes[at]);
        let end = if symbol {
            (at..bytes.len()).find(|n| !b"<>=".contains(&bytes[*n])).unwrap_or(bytes.len())
        } else {
            name_end(line, at)
        };
        let Some(frame) = self.open.last_mut() else { return end };
        if frame.wants_condition() {
            frame.condition = Some(&line[at..end]);
            frame.arguments = 0;
            self.words.push((WordRole::Condition, at..end));
            if &line[at..end] == "def" && bytes.get(end) == Some(&b':') {
                let stop = name_end(line, end + 1);
                if stop > end + 1 {
                    self.words.push((WordRole::Variable, end + 1..stop));
                }
                return stop;
            }
        } else if frame.wants_lookup() && !symbol {
            self.words.push((WordRole::Lookup, at..end));
        }
        end
    }

    fn close(&mut self, at: usize) {
        if self.open.pop().is_some()
            && let Some(outer) = self.open.last_mut()
        {
            outer.arguments += 1;
        }
        if let Some(open) = self.unclosed.pop() {
            self.braces[open].1 = Some(at);
        }
    }

    fn brace(&mut self, at: usize) {
        self.unclosed.push(self.braces.len());
        self.braces.push((at, None));
    }

    /// What is expected at the end of what was read, and where the name begins
    /// that is being typed there.
    pub fn expected(&self, line: &str) -> (Expected, usize) {
        let start_of = |is_in: fn(u8) -> bool| {
            line.bytes().rposition(|c| !is_in(c)).map_or(0, |before| before + 1)
        };
        // Names of header lines have hyphens.
        let start = start_of(|c| is_name(c) || c == b'-');
        let is_variable = ["$", "${", "def:"].iter().any(|head| line[..start].ends_with(head));
        if is_variable && is_header(&line[start..]) {
            return (Expected::Variable, start);
        }
        let start = start_of(is_name);
        let before = &line[..start];
        let expected = if before.ends_with("${") {
            Expected::Construct
        } else if before.ends_with('$') || before.ends_with("def:") {
            Expected::Variable
        } else {
            // The word being typed may have been taken for the condition.
            match scan(before).open.last() {
                Some(frame) if frame.wants_condition() => Expected::Condition,
                Some(frame) if frame.wants_lookup() => Expected::Lookup,
                _ => Expected::Nothing,
            }
        };
        (expected, start)
    }

    /// The constructs and conditions that the end of what was read is in, the
    /// innermost first.
    pub fn around(&self) -> impl Iterator<Item = OpenCall<'l>> {
        self.open.iter().rev().flat_map(|frame| {
            let call = |role, name| OpenCall { role, name, arguments: frame.arguments };
            let construct = (frame.kind == Inside::Construct && !frame.name.is_empty())
                .then(|| call(WordRole::Construct, frame.name));
            let condition = frame.condition.map(|name| call(WordRole::Condition, name));
            condition.into_iter().chain(construct)
        })
    }

    /// The two braces of a pair, one of which stands at an offset.
    pub fn pair(&self, at: usize) -> Option<(usize, usize)> {
        self.braces.iter().find_map(|(open, close)| {
            let close = (*close)?;
            (*open == at || close == at).then_some((*open, close))
        })
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn name_end(line: &str, start: usize) -> usize {
    let rest = &line.as_bytes()[start..];
    start + rest.iter().position(|c| !is_name(*c)).unwrap_or(rest.len())
}

/// Whether a line ends within the braces of an expansion.
pub fn is_open(line: &str) -> bool {
    scan(line).around().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(line: &str) -> (Expected, &str) {
        let (expected, start) = scan(line).expected(line);
        (expected, &line[start..])
    }

    #[test]
    fn names_are_expected_where_they_stand() {
        for (line, answer) in [
            ("a ${ex", (Expected::Construct, "ex")),
            ("${", (Expected::Construct, "")),
            ("${uc:$sen", (Expected::Variable, "sen")),
            ("${if def:sen", (Expected::Variable, "sen")),
            ("${if ", (Expected::Condition, "")),
            ("${if !e", (Expected::Condition, "e")),
            ("${if eq{a}{b}", (Expected::Nothing, "")),
            ("${if and{{e", (Expected::Condition, "e")),
            ("${if and{{eq{a}{b}}{m", (Expected::Condition, "m")),
            ("${if forany{a:b}{e", (Expected::Condition, "e")),
            ("${filter{a:b}{e", (Expected::Condition, "e")),
            ("${lookup{$x} ls", (Expected::Lookup, "ls")),
            ("${lookup dns", (Expected::Lookup, "dns")),
            ("${lookup{$x}lsearch{/f", (Expected::Nothing, "f")),
            ("word", (Expected::Nothing, "word")),
            ("\\${if ", (Expected::Nothing, "")),
            ("${map{a}{$it", (Expected::Variable, "it")),
            ("x-$h_x-ow", (Expected::Variable, "h_x-ow")),
            ("${if def:rheader_x-", (Expected::Variable, "rheader_x-")),
            ("$sender-h_x", (Expected::Nothing, "h_x")),
        ] {
            assert_eq!(expected(line), answer, "{line}");
        }
    }

    #[test]
    fn the_innermost_construct_comes_first() {
        let names = |line| scan(line).around().map(|call| call.name).collect::<Vec<_>>();
        assert_eq!(names("${if eq{${extract{a"), ["extract", "eq", "if"]);
        assert_eq!(names("${uc:a} "), [""; 0]);
    }

    #[test]
    fn braces_have_their_counterparts() {
        let line = "${if eq{a}{\\}}{";
        assert_eq!(scan(line).pair(7), Some((7, 9)));
        assert_eq!(scan(line).pair(10), Some((10, 13)));
        assert_eq!(scan(line).pair(14), None);
    }

    #[test]
    fn odd_text_does_no_harm() {
        for line in ["}}}}", "\\", "\\é", "$", "${", "${é{", "${if é", "é$é", "}{", "${if =={1}"]
        {
            let read = scan(line);
            let _ = (read.expected(line), read.around().count());
        }
    }
}
