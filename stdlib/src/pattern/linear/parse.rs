//! Reads a pattern as PCRE does, as far as it means the same to both engines.

use regex_syntax::hir::{ClassBytes, ClassBytesRange, Look};

/// How deep groups may nest.
const DEEPEST: usize = 50;
/// How often something may be repeated.
const MOST_TIMES: u32 = 1000;

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Nothing.
    Empty,
    /// A byte, as it is.
    Byte(u8),
    /// One of several bytes.
    Class(ClassBytes),
    /// Something about the place.
    Look(Look),
    /// The end, or before a newline that is the end.
    Dollar,
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that will do.
    Alternation(Vec<Node>),
    /// Several times.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    /// With a number.
    Group(u32, Box<Node>),
}

impl Node {
    /// Whether it can match without a byte.
    pub(super) fn may_be_empty(&self) -> bool {
        match self {
            Self::Byte(_) | Self::Class(_) => false,
            Self::Empty | Self::Look(_) | Self::Dollar => true,
            Self::Concat(nodes) => nodes.iter().all(Self::may_be_empty),
            Self::Alternation(nodes) => nodes.iter().any(Self::may_be_empty),
            Self::Repeat { node, min, .. } => *min == 0 || node.may_be_empty(),
            Self::Group(_, node) => node.may_be_empty(),
        }
    }
}

/// The pattern, and how many groups it has, the whole match included; nothing, where it
/// might mean something else to either engine, or is wrong.
pub(super) fn parse(pattern: &[u8], caseless: bool) -> Option<(Node, usize)> {
    let mut parser = Parser { pattern, at: 0, groups: 1, depth: 0 };
    let mut flags = Flags { caseless, dot_all: false };
    let node = parser.alternation(&mut flags)?;
    (parser.at == pattern.len()).then_some((node, parser.groups as usize))
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    groups: u32,
    depth: usize,
}

/// What `(?i)` and `(?s)` set, from there to the end of the group.
#[derive(Clone, Copy)]
struct Flags {
    caseless: bool,
    dot_all: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn takes(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Up to the end of a group, or of all. What is set in one branch holds in those
    /// behind it, too.
    fn alternation(&mut self, flags: &mut Flags) -> Option<Node> {
        let mut branches = Vec::new();
        loop {
            branches.push(self.concat(flags)?);
            if !self.takes(b'|') {
                break;
            }
        }
        Some(match branches.len() {
            1 => branches.pop()?,
            _ => Node::Alternation(branches),
        })
    }

    fn concat(&mut self, flags: &mut Flags) -> Option<Node> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            let Some(node) = self.atom(flags)? else { continue };
            nodes.push(self.repeated(node)?);
        }
        Some(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop()?,
            _ => Node::Concat(nodes),
        })
    }

    /// What stands for something; nothing, where flags are set.
    fn atom(&mut self, flags: &mut Flags) -> Option<Option<Node>> {
        Some(Some(match self.next()? {
            b'(' => return self.group(flags),
            b'[' => Node::Class(self.class(flags.caseless)?),
            b'.' if flags.dot_all => Node::Class(bytes(&[(0, 0xff)])),
            b'.' => Node::Class(negated(bytes(&[(b'\n', b'\n')]))),
            b'^' => Node::Look(Look::Start),
            b'$' => Node::Dollar,
            b'\\' => self.escape(flags.caseless)?,
            // Where they are no repetition, they are wrong or mean what they are by release.
            b'*' | b'+' | b'?' | b'{' => return None,
            byte => literal(byte, flags.caseless),
        }))
    }

    fn group(&mut self, flags: &mut Flags) -> Option<Option<Node>> {
        let mut inner = *flags;
        let mut number = None;
        if self.takes(b'?') {
            if self.sets(&mut inner)? {
                *flags = inner;
                return Some(None);
            }
        } else if self.peek() == Some(b'*') {
            return None;
        } else {
            number = Some(self.groups);
            self.groups += 1;
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let node = self.alternation(&mut inner)?;
        self.depth -= 1;
        if !self.takes(b')') {
            return None;
        }
        Some(Some(match number {
            Some(number) => Node::Group(number, Box::new(node)),
            // A part of its own, even if it is one.
            None => Node::Concat(vec![node]),
        }))
    }

    /// Reads flags behind `(?`, up to `:`, or up to `)`, which sets them for the rest of
    /// the group around.
    fn sets(&mut self, flags: &mut Flags) -> Option<bool> {
        let mut on = true;
        loop {
            match self.next()? {
                b'i' => flags.caseless = on,
                b's' => flags.dot_all = on,
                b'-' if on => on = false,
                b':' => return Some(false),
                b')' => return Some(true),
                _ => return None,
            }
        }
    }

    /// What stands before a repetition, with it.
    fn repeated(&mut self, node: Node) -> Option<Node> {
        let (min, max) = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => {
                self.at += 1;
                let bounds = self.bounds()?;
                // For the closing brace.
                self.at -= 1;
                bounds
            }
            _ => return Some(node),
        };
        self.at += 1;
        let greedy = !self.takes(b'?');
        // It is possessive, or repeated again.
        if matches!(self.peek(), Some(b'+' | b'*' | b'?' | b'{')) {
            return None;
        }
        if matches!(node, Node::Look(_) | Node::Dollar) {
            return None;
        }
        Some(Node::Repeat { node: Box::new(node), min, max, greedy })
    }

    /// `2}`, `2,}`, `2,4}`
    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let min = self.number()?;
        let max = match self.next()? {
            b'}' => return Some((min, Some(min))),
            b',' if self.peek() == Some(b'}') => None,
            b',' => Some(self.number()?),
            _ => return None,
        };
        (self.takes(b'}') && max.is_none_or(|max| max >= min)).then_some((min, max))
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.pattern[start..self.at]).ok()?;
        digits.parse().ok().filter(|times| *times <= MOST_TIMES)
    }

    fn escape(&mut self, caseless: bool) -> Option<Node> {
        let byte = self.next()?;
        Some(match byte {
            b'A' => Node::Look(Look::Start),
            b'Z' => Node::Dollar,
            b'z' => Node::Look(Look::End),
            b'b' => Node::Look(Look::WordAscii),
            b'B' => Node::Look(Look::WordAsciiNegate),
            b'N' if self.peek() != Some(b'{') => Node::Class(negated(bytes(&[(b'\n', b'\n')]))),
            _ => match kind(byte) {
                Some(class) => Node::Class(class),
                None => literal(self.byte(byte)?, caseless),
            },
        })
    }

    /// The byte that stands behind a backslash, in a class or outside.
    fn byte(&mut self, byte: u8) -> Option<u8> {
        Some(match byte {
            b'a' => 7,
            b'e' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [self.next()?, self.next()?];
                let value = |digit: u8| char::from(digit).to_digit(16);
                u8::try_from(value(digits[0])? * 16 + value(digits[1])?).ok()?
            }
            _ if byte.is_ascii_alphanumeric() => return None,
            byte => byte,
        })
    }

    /// Behind an opening bracket.
    fn class(&mut self, caseless: bool) -> Option<ClassBytes> {
        if self.is_posix_outside() {
            return None;
        }
        let is_negated = self.takes(b'^');
        let mut class = ClassBytes::empty();
        let mut is_first = true;
        loop {
            let byte = self.next()?;
            let low = match byte {
                b']' if !is_first => break,
                b'[' if matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                    class.union(&self.posix(caseless)?);
                    None
                }
                b'\\' => match self.next()? {
                    b'b' => Some(8),
                    escaped => match kind(escaped) {
                        Some(kind) => {
                            class.union(&kind);
                            None
                        }
                        None => Some(self.byte(escaped)?),
                    },
                },
                byte => Some(byte),
            };
            is_first = false;
            let ranges = self.peek() == Some(b'-') && self.pattern.get(self.at + 1) != Some(&b']');
            match low {
                // A hyphen behind a class is odd, and refused by some releases.
                None if ranges => return None,
                None => {}
                Some(low) if ranges => {
                    self.at += 1;
                    let high = match self.next()? {
                        b'[' => return None,
                        b'\\' => match self.next()? {
                            b'b' => 8,
                            escaped if kind(escaped).is_some() => return None,
                            escaped => self.byte(escaped)?,
                        },
                        byte => byte,
                    };
                    if high < low {
                        return None;
                    }
                    class.push(ClassBytesRange::new(low, high));
                }
                Some(low) => class.push(ClassBytesRange::new(low, low)),
            }
        }
        if caseless {
            class.case_fold_simple();
        }
        Some(if is_negated { negated(class) } else { class })
    }

    /// Whether what follows an opening bracket may be `[:name:]`, `[.name.]` or `[=name=]`
    /// without a class around it, which is wrong.
    fn is_posix_outside(&self) -> bool {
        match &self.pattern[self.at..] {
            [mark @ (b':' | b'.' | b'='), rest @ ..] => {
                memchr::memmem::find(rest, &[*mark, b']']).is_some()
            }
            _ => false,
        }
    }

    /// `[:name:]`, behind its first bracket.
    fn posix(&mut self, caseless: bool) -> Option<ClassBytes> {
        let rest = &self.pattern[self.at..];
        let end = memchr::memmem::find(rest, b":]")?;
        let name = rest.get(1..end).filter(|_| rest[0] == b':')?;
        self.at += end + 2;
        let (name, is_negated) = match name.strip_prefix(b"^") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let class = match name {
            b"alnum" => bytes(&[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
            b"alpha" => bytes(&[(b'A', b'Z'), (b'a', b'z')]),
            // Without case, they are letters, negated or not.
            b"lower" | b"upper" if caseless => bytes(&[(b'A', b'Z'), (b'a', b'z')]),
            b"lower" => bytes(&[(b'a', b'z')]),
            b"upper" => bytes(&[(b'A', b'Z')]),
            b"ascii" => bytes(&[(0, 0x7f)]),
            b"blank" => bytes(&[(b'\t', b'\t'), (b' ', b' ')]),
            b"cntrl" => bytes(&[(0, 0x1f), (0x7f, 0x7f)]),
            b"digit" => bytes(&[(b'0', b'9')]),
            b"graph" => bytes(&[(b'!', b'~')]),
            b"print" => bytes(&[(b' ', b'~')]),
            b"punct" => bytes(&[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
            b"space" => bytes(&[(b'\t', b'\r'), (b' ', b' ')]),
            b"word" => bytes(&[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]),
            b"xdigit" => bytes(&[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
            _ => return None,
        };
        Some(if is_negated { negated(class) } else { class })
    }
}

fn literal(byte: u8, caseless: bool) -> Node {
    match caseless && byte.is_ascii_alphabetic() {
        true => {
            let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
            Node::Class(bytes(&[(lower, lower), (upper, upper)]))
        }
        false => Node::Byte(byte),
    }
}

/// The bytes of which a letter behind a backslash is the kind. With `\h` and `\v`, PCRE2
/// takes bytes beyond ASCII in different ways, as they stand beside others.
fn kind(letter: u8) -> Option<ClassBytes> {
    let class = match letter.to_ascii_lowercase() {
        b'd' => bytes(&[(b'0', b'9')]),
        b's' => bytes(&[(b'\t', b'\r'), (b' ', b' ')]),
        b'w' => bytes(&[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')]),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { negated(class) } else { class })
}

fn bytes(ranges: &[(u8, u8)]) -> ClassBytes {
    ClassBytes::new(ranges.iter().map(|(low, high)| ClassBytesRange::new(*low, *high)))
}

fn negated(mut class: ClassBytes) -> ClassBytes {
    class.negate();
    class
}
