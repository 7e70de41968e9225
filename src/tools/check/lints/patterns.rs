//! Regular expressions that take too long.

use eximious_grammar::Span;
use eximious_grammar::expansion::Arg;
use eximious_stdlib::pattern;
use eximious_stdlib::pattern::linear::Linear;

use crate::tools::check::items::split;
use crate::tools::check::{Lint, Severity, Survey, Text};

/// W501.
pub(super) static PATTERN_EXPLODES: Lint = Lint {
    code: "W501",
    name: "pattern-explodes",
    severity: Severity::Warning,
    summary: "A regular expression may take exponential time.",
    docs: "A repetition stands inside another: `(a+)+`, `(a|b*)*`; or two branches of what is \
           repeated match the same: `(a|aa)+`, `(\\w|\\d)*`. Some texts can be split among \
           them in so many ways that the match does not come to an end, and who sends the text \
           decides on it; a match that takes too many steps is none. Patterns that look neither \
           ahead nor back, and have no backreferences and the like, are no such danger: another \
           engine takes them over, whose time grows with the text alone. Write the inner one \
           without the repetition, or make it possessive: `(a++)+`, `(?>a+)+`; and one class for \
           branches of one byte each: `[\\w.]*`.",
    bad: "begin acl\nc:\n  deny condition = ${if match{$sender_helo_name}{\\N^(?!b)(a+)+$\\N}}\nbegin routers\n",
    good: "begin acl\nc:\n  deny condition = ${if match{$sender_helo_name}{\\N^(?!b)a+$\\N}}\nbegin routers\n",
    run: |survey, findings| {
        patterns(survey, |text, pattern, span| {
            if explodes(pattern) && Linear::new(pattern, false).is_none() {
                findings.add(text.spot(span), "this pattern may take exponential time");
            }
        });
    },
};

/// E113.
pub(super) static BAD_PATTERN: Lint = Lint {
    code: "E113",
    name: "bad-pattern",
    severity: Severity::Error,
    summary: "A regular expression can't be compiled.",
    docs: "Exim notices when it comes to the pattern. A condition then fails its expansion, a list \
           can't be tested, and mail is deferred.",
    bad: "acl_smtp_mail = c\nbegin acl\nc:\n  deny senders = ^(spam@\n  accept\n",
    good: "acl_smtp_mail = c\nbegin acl\nc:\n  deny senders = ^spam@\n  accept\n",
    run: |survey, findings| {
        patterns(survey, |text, expression, span| {
            if let Err(why) = pattern::check(expression) {
                findings.add(text.spot(span), format!("{why} in this pattern"));
            }
        });
    },
};

/// Each regular expression that stands in the configuration as it will be used.
fn patterns(survey: &Survey<'_>, mut each: impl FnMut(&Text<'_>, &[u8], Span)) {
    for text in &survey.texts {
        if let Some(tree) = &text.tree {
            for condition in tree.conds() {
                let name = survey.registry.condition_at(condition.def).meta.name;
                if let ("match", Some(Arg::Text(pattern))) =
                    (name, tree.view().cond_args(condition).get(1))
                    && let Some(literal) = tree.view().literal(*pattern)
                {
                    each(text, literal, pattern.span);
                }
            }
            for call in tree.calls() {
                let name = survey.registry.item_at(call.def).meta.name;
                if let ("sg", Some(Arg::Text(pattern))) = (name, tree.view().call_args(call).get(1))
                    && let Some(literal) = tree.view().literal(*pattern)
                {
                    each(text, literal, pattern.span);
                }
            }
        }
        let scans = text.term().is_some_and(|t| matches!(t.meta.name, "regex" | "mime_regex"));
        if text.list.is_some() || scans {
            for (item, span) in items(text) {
                if scans || item.starts_with(b"^") {
                    each(text, &item, span);
                }
            }
        }
    }
}

/// The items of a list that nothing is expanded in, and where they stand: after
/// the expansion, `\N` gone and `\\` one backslash.
fn items(text: &Text<'_>) -> Vec<(Vec<u8>, Span)> {
    let whole = match &text.tree {
        None => text.text.as_slice(),
        Some(tree) => match tree.view().literal(tree.root) {
            Some(literal) => literal,
            None => return Vec::new(),
        },
    };
    split(whole).into_iter().map(|item| (item.text, item.span)).collect()
}

/// Whether a group is repeated whose text can be split in many ways: a
/// repetition stands in it, and nothing beside that says where it ends.
fn explodes(pattern: &[u8]) -> bool {
    let mut reader = Reader { pattern, at: 0, explodes: false };
    let _ = reader.group(0);
    reader.explodes
}

/// How deep groups may stand in each other before nothing is said.
const DEEPEST: usize = 64;

/// How often something may come to be as bad as something without an end.
const MANY: u32 = 10;

/// The bytes that a part of a pattern can begin with or be made of.
type Bytes = [u64; 4];

const ANY_BUT_NEWLINE: Bytes = [!(1 << b'\n'), u64::MAX, u64::MAX, u64::MAX];

/// A part of a pattern.
#[derive(Clone, Copy)]
struct Atom {
    bytes: Bytes,
    /// Whether it can be nothing.
    empty: bool,
    /// Whether it is repeated without an end, and gives back what it took.
    endless: bool,
    /// Whether it is one byte, neither more nor less.
    single: bool,
}

struct Reader<'p> {
    pattern: &'p [u8],
    at: usize,
    explodes: bool,
}

impl Reader<'_> {
    /// Reads up to a closing parenthesis: what the group can be made of, and
    /// whether one of its branches can be split in many ways.
    fn group(&mut self, depth: usize) -> (Atom, bool) {
        let mut branches: Vec<Vec<Atom>> = vec![Vec::new()];
        while let Some(c) = self.pattern.get(self.at).copied() {
            self.at += 1;
            let mut inner = false;
            let mut atom = match c {
                b')' if depth > 0 => break,
                b'|' => {
                    branches.push(Vec::new());
                    continue;
                }
                b'^' | b'$' => continue,
                b'(' if depth < DEEPEST => {
                    let rest = &self.pattern[self.at..];
                    let atomic = rest.starts_with(b"?>");
                    let looks = [&b"?="[..], b"?!", b"?<=", b"?<!", b"?#"];
                    let looks = looks.iter().any(|sign| rest.starts_with(sign));
                    self.at += self.sign();
                    let (atom, splits) = self.group(depth + 1);
                    inner = splits && !atomic;
                    if looks {
                        continue;
                    }
                    Atom { endless: atom.endless && !atomic, ..atom }
                }
                b'[' => self.class(),
                b'.' => Atom { bytes: ANY_BUT_NEWLINE, ..one(c) },
                b'\\' => self.escape(),
                _ => one(c),
            };
            let Repetition { least, most, possessive } = self.repetition();
            atom.empty |= least == 0;
            atom.single &= (least, most) == (1, 1);
            if !possessive {
                self.explodes |= inner && most >= MANY;
                atom.endless |= most.saturating_sub(least) >= MANY;
            }
            branches.last_mut().into_iter().for_each(|branch| branch.push(atom));
        }
        let splits = branches.iter().any(|branch| divides(branch)) || overlap(&branches);
        let atoms = || branches.iter().flatten();
        let all = Atom {
            bytes: atoms().fold([0; 4], |all, atom| union(all, atom.bytes)),
            empty: branches.iter().any(|branch| branch.iter().all(|atom| atom.empty)),
            endless: atoms().any(|atom| atom.endless),
            single: branches.iter().all(|branch| matches!(branch[..], [atom] if atom.single)),
        };
        (all, splits)
    }

    /// How many bytes after a parenthesis say what kind of group it is.
    fn sign(&self) -> usize {
        let rest = &self.pattern[self.at..];
        let [b'?', ..] = rest else { return 0 };
        match rest.iter().position(|c| matches!(c, b':' | b'>' | b'=' | b'!' | b'\'' | b')')) {
            Some(end) if rest[end] != b')' => end + 1,
            Some(end) => end,
            None => 1,
        }
    }

    fn class(&mut self) -> Atom {
        let rest = &self.pattern[self.at..];
        let negated = usize::from(rest.first() == Some(&b'^'));
        let mut at = negated;
        let mut bytes: Bytes = [0; 4];
        while at < rest.len() && (rest[at] != b']' || at == negated) {
            let first = rest[at];
            if first == b'\\' || (first == b'[' && rest.get(at + 1) == Some(&b':')) {
                // A set of its own kind: `\d` and `[:alpha:]` are letters and digits.
                let long = rest[at..].windows(2).position(|two| two == b":]").map(|n| n + 2);
                let escaped = rest.get(at + 1).copied().unwrap_or(b'\\');
                let set = if first == b'[' { class(b'w') } else { class(escaped) };
                bytes = union(bytes, set);
                at += if first == b'[' { long.unwrap_or(2) } else { 2 };
                continue;
            }
            let last = match rest.get(at + 1..at + 3) {
                Some([b'-', last]) if *last != b']' => {
                    at += 2;
                    *last
                }
                _ => first,
            };
            for c in first..=last {
                bytes = union(bytes, one(c).bytes);
            }
            at += 1;
        }
        self.at += (at + 1).min(rest.len());
        if negated == 1 {
            bytes = bytes.map(|word| !word);
        }
        Atom { bytes, empty: false, endless: false, single: true }
    }

    fn escape(&mut self) -> Atom {
        let c = self.pattern.get(self.at).copied().unwrap_or(b'\\');
        self.at += 1;
        Atom {
            bytes: class(c),
            empty: matches!(c, b'b' | b'B' | b'A' | b'z' | b'Z'),
            endless: false,
            single: !matches!(c, b'b' | b'B' | b'A' | b'z' | b'Z' | b'1'..=b'9'),
        }
    }

    fn repetition(&mut self) -> Repetition {
        let rest = &self.pattern[self.at..];
        let (least, most, length) = match rest.first() {
            Some(b'*') => (0, u32::MAX, 1),
            Some(b'+') => (1, u32::MAX, 1),
            Some(b'?') => (0, 1, 1),
            Some(b'{') if rest.get(1).is_some_and(u8::is_ascii_digit) => {
                let Some(end) = rest.iter().position(|c| *c == b'}') else {
                    return Repetition { least: 1, most: 1, possessive: false };
                };
                let bounds = String::from_utf8_lossy(&rest[1..end]);
                let (least, most) = bounds.split_once(',').unwrap_or((&bounds, &bounds));
                (least.parse().unwrap_or(0), most.parse().unwrap_or(u32::MAX), end + 1)
            }
            _ => return Repetition { least: 1, most: 1, possessive: false },
        };
        let sign = rest.get(length);
        let possessive = sign == Some(&b'+');
        self.at += length + usize::from(possessive || sign == Some(&b'?'));
        Repetition { least, most, possessive }
    }
}

/// How often something comes, and whether it keeps what it took.
#[derive(Clone, Copy)]
struct Repetition {
    least: u32,
    most: u32,
    possessive: bool,
}

/// Whether a text that a branch matches several times can be divided among them
/// in many ways: a part of it is repeated, and all that stands beside that can
/// be taken for a part of it.
fn divides(branch: &[Atom]) -> bool {
    branch.iter().enumerate().any(|(at, atom)| {
        let mut others = branch.iter().enumerate().filter(|(other, _)| *other != at);
        atom.endless && others.all(|(_, other)| other.empty || common(atom.bytes, other.bytes))
    })
}

/// Whether several branches match the same text: byte by byte, or one of them
/// a byte of what the other takes together.
fn overlap(branches: &[Vec<Atom>]) -> bool {
    let plain = |branch: &&Vec<Atom>| {
        branch.len() <= LONGEST && !branch.is_empty() && branch.iter().all(|atom| atom.single)
    };
    let plain: Vec<&Vec<Atom>> = branches.iter().filter(plain).take(MOST).collect();
    plain.iter().enumerate().any(|(number, one)| {
        plain[number + 1..].iter().any(|other| {
            let same = one.len() == other.len()
                && one.iter().zip(other.iter()).all(|(a, b)| common(a.bytes, b.bytes));
            let within = |long: &[Atom], short: &[Atom]| match short {
                [byte] => long.iter().all(|atom| common(atom.bytes, byte.bytes)),
                _ => false,
            };
            same || within(one, other) || within(other, one)
        })
    })
}

/// How many branches of a group are compared, and how long they may be.
const MOST: usize = 64;
const LONGEST: usize = 64;

fn one(c: u8) -> Atom {
    let mut bytes = [0; 4];
    bytes[usize::from(c >> 6)] |= 1 << (c & 63);
    Atom { bytes, empty: false, endless: false, single: true }
}

/// What a letter after a backslash stands for.
fn class(letter: u8) -> Bytes {
    let of = |wanted: fn(&u8) -> bool| {
        (0..=255u8).filter(wanted).fold([0; 4], |all, c| union(all, one(c).bytes))
    };
    match letter {
        b'd' => of(u8::is_ascii_digit),
        b'w' => of(|c| c.is_ascii_alphanumeric() || *c == b'_'),
        b's' => of(u8::is_ascii_whitespace),
        b'D' => of(|c| !c.is_ascii_digit()),
        b'W' => of(|c| !c.is_ascii_alphanumeric() && *c != b'_'),
        b'S' => of(|c| !c.is_ascii_whitespace()),
        b'n' => one(b'\n').bytes,
        b't' => one(b'\t').bytes,
        other if other.is_ascii_alphabetic() => [0; 4],
        other => one(other).bytes,
    }
}

fn union(a: Bytes, b: Bytes) -> Bytes {
    std::array::from_fn(|n| a[n] | b[n])
}

fn common(a: Bytes, b: Bytes) -> bool {
    (0..4).any(|n| a[n] & b[n] != 0)
}

#[cfg(test)]
mod tests {
    use super::explodes;

    #[test]
    fn repetitions_in_repetitions_explode() {
        for pattern in [
            "(a+)+",
            "^(a|b*)*$",
            "((x+))+",
            "(a{2,})*",
            "([a-z]+\\.)*(b+)+",
            "^([0-9]+.?)+$",
            "(.*a)*@x",
            "(\\d+)*",
            "^(?:[a-z]+\\.?)+$",
            "([a-z]+[0-9]*)+",
            "(a|a)*",
            "(\\w|\\d)+@",
            "^(a|aa)+$",
            "(foo|bar|foo)*x",
            "(?:ab|a.)+$",
            "((a|b)|b)*x",
            "(a{1,50}){1,50}",
            "([a-z]{2,}){12}",
        ] {
            assert!(explodes(pattern.as_bytes()), "{pattern}");
        }
        for pattern in [
            "a+b+",
            "(ab)+",
            "(a++)+",
            "(?>a+)+",
            "([+*]x)+",
            "(\\+a)+",
            "(a?b)*",
            "(a{2})*",
            // A sign between them says where each part ends.
            "^([a-z0-9]+\\.)+[a-z]+$",
            "^(\\d+,)*\\d+$",
            "^[a-z]+(-[a-z]+)*$",
            "(?i)^(?:[^@]+@)+x",
            "(a|b)*",
            "(foo|bar)+",
            "(foo|foobar)+",
            "(.|\\n)*",
            "(ab|ac)+",
            "([a-z]{2,3}){3}",
            "(a|b|c)+(d|e)*",
            "(a|a)",
            "^([0-9]{10})+$",
            "^([0-9a-f]{32},?)*$",
        ] {
            assert!(!explodes(pattern.as_bytes()), "{pattern}");
        }
    }
}
