//! What the line editor asks for while a line is typed.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::Write;

use eximious::Engine;
use eximious::complete::{self, Offer, WordRole, scan};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::command::{self, Completes};
use super::{closed, is_within};
use crate::words::Kind;

const CYAN: &str = "\x1b[36m";
const GREEN: &str = "\x1b[32m";
const MAGENTA: &str = "\x1b[35m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const BOLD: &str = "\x1b[1;7m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// What has names in the configuration and the message at hand.
#[derive(Clone, Debug, Default)]
pub struct KnownWords {
    /// The header lines of the message, if there is one.
    pub headers: Vec<String>,
    /// The ACLs.
    pub acls: Vec<String>,
    /// The routers.
    pub routers: Vec<String>,
}

/// Knows the words of an engine.
pub struct Words {
    engine: Engine,
    known: RefCell<KnownWords>,
    /// The line is done: no brace is under the cursor any more.
    settled: Cell<bool>,
}

impl Words {
    pub fn new(engine: Engine) -> Self {
        Self { engine, known: RefCell::default(), settled: Cell::new(false) }
    }

    /// Notes what the configuration and the message at hand have names for.
    pub fn know(&self, words: KnownWords) {
        *self.known.borrow_mut() = words;
    }

    /// Where to stop: ACLs, routers, refusals.
    fn places(&self, typed: &str) -> Vec<Pair> {
        let known = self.known.borrow();
        if let Some(typed) = typed.strip_prefix("router ") {
            return known
                .routers
                .iter()
                .filter_map(|name| own_pair(name, typed, "router"))
                .collect();
        }
        let words = ["on deny", "router "].into_iter();
        let words = words.filter_map(|word| own_pair(word, typed, ""));
        words.chain(known.acls.iter().filter_map(|name| own_pair(name, typed, "ACL"))).collect()
    }

    fn of_language(&self, kinds: &[Kind], typed: &str) -> Vec<Pair> {
        let mut offers = complete::names(self.engine.registry(), kinds, typed);
        if kinds.contains(&Kind::Variable) {
            let known = self.known.borrow();
            offers.extend(complete::header_names(known.headers.iter().map(String::as_str), typed));
        }
        offers.iter().map(pair).collect()
    }
}

/// An offer as the line editor shows it.
fn pair(offer: &Offer) -> Pair {
    Pair { display: offer.line(), replacement: offer.text.clone() }
}

/// A name that begins as what was typed.
fn own_pair(name: &str, typed: &str, what: &str) -> Option<Pair> {
    let display = format!("{name:<24} {what}").trim_end().to_owned();
    name.starts_with(typed).then(|| Pair { display, replacement: name.to_owned() })
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = &line[..pos];
        if line.starts_with(':') && !line.contains(char::is_whitespace) {
            return Ok((0, command::names(line)));
        }
        let last = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        match command::completes(line) {
            Completes::Word => {
                let typed = line[last..].trim_start_matches(['$', '{']);
                let kinds: Vec<Kind> = Kind::all().collect();
                return Ok((pos - typed.len(), self.of_language(&kinds, typed)));
            }
            Completes::File => return FilenameCompleter::new().complete(line, pos, context),
            Completes::AclName => {
                let known = self.known.borrow();
                let pairs =
                    known.acls.iter().filter_map(|name| own_pair(name, &line[last..], "ACL"));
                return Ok((last, pairs.collect()));
            }
            Completes::Place => {
                let typed = line.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
                let typed = typed.trim_start();
                let name = typed.strip_prefix("router ").unwrap_or(typed);
                return Ok((pos - name.len(), self.places(typed)));
            }
            Completes::VariableName => {
                let typed = line[last..].trim_start_matches('$');
                let pairs = self.of_language(&[Kind::Variable], typed);
                return Ok((pos - typed.len(), pairs));
            }
            Completes::Nothing if line.starts_with(':') => return Ok((pos, Vec::new())),
            Completes::Expression | Completes::Nothing => {}
        }
        let (expected, start) = scan(line).expected(line);
        let kinds = complete::kinds_of(expected);
        if complete::is_header(&line[start..])
            && let Some(before) = line[..start].strip_suffix("${")
        {
            // The name of a header line ends at its colon, and stands in no braces.
            let dollar =
                |pair: Pair| Pair { replacement: format!("${}", pair.replacement), ..pair };
            let pairs = self.of_language(kinds, &line[start..]).into_iter().map(dollar);
            return Ok((before.len(), pairs.collect()));
        }
        Ok((start, self.of_language(kinds, &line[start..])))
    }
}

/// A signature; the right arrow does not take it over.
pub struct SignatureHint(String);

impl Hint for SignatureHint {
    fn display(&self) -> &str {
        &self.0
    }
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Words {
    type Hint = SignatureHint;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<SignatureHint> {
        if pos < line.len() || command::is_plain(line) {
            return None;
        }
        let found = complete::signature(self.engine.registry(), line)?;
        Some(SignatureHint(format!("   {}", found.syntax)))
    }
}

impl Highlighter for Words {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if command::is_plain(line) || !line.contains(['$', '{', '\\']) {
            return Cow::Borrowed(line);
        }
        let read = scan(line);
        let mut marks: Vec<(usize, usize, &str)> = Vec::new();
        for (role, range) in &read.words {
            let known = complete::is_known(self.engine.registry(), *role, &line[range.clone()]);
            let typing = range.end == line.len();
            let colour = match role {
                WordRole::Escape => YELLOW,
                _ if !known && !typing => RED,
                _ if !known => continue,
                WordRole::Construct => CYAN,
                WordRole::Variable => GREEN,
                WordRole::Condition | WordRole::Lookup => MAGENTA,
            };
            marks.push((range.start, range.end, colour));
        }
        let pair = read.pair(pos).or_else(|| read.pair(pos.checked_sub(1)?));
        let pair = pair.filter(|_| !self.settled.get());
        for brace in pair.into_iter().flat_map(|(open, close)| [open, close]) {
            marks.push((brace, brace + 1, BOLD));
        }
        marks.sort_unstable();
        Cow::Owned(coloured(line, &marks))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("{DIM}{hint}{PLAIN}"))
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        self.settled.set(kind == CmdKind::ForcedRefresh);
        line.contains(['$', '{', '\\'])
    }
}

fn coloured(line: &str, marks: &[(usize, usize, &str)]) -> String {
    let mut out = String::with_capacity(line.len() + marks.len() * 10);
    let mut done = 0;
    for (start, end, colour) in marks {
        if *start >= done {
            let _ = write!(out, "{}{colour}{}{PLAIN}", &line[done..*start], &line[*start..*end]);
            done = *end;
        }
    }
    out.push_str(&line[done..]);
    out
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let last = input.rsplit('\n').next().unwrap_or_default();
        // An empty line ends what was opened by mistake.
        let open = !last.trim().is_empty() && !command::is_plain(input);
        Ok(
            if input.trim_ascii_end().ends_with('\\')
                || open && is_within(&closed(input.as_bytes()))
            {
                ValidationResult::Incomplete
            } else {
                ValidationResult::Valid(None)
            },
        )
    }
}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> Words {
        Words::new(Engine::builder().build())
    }

    fn completed(line: &str) -> Vec<String> {
        let history = rustyline::history::MemHistory::new();
        let (_, pairs) = helper().complete(line, line.len(), &Context::new(&history)).unwrap();
        pairs.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn names_are_completed_by_context() {
        assert!(completed("${ext").contains(&"extract{".to_owned()));
        assert!(completed("${i").contains(&"if ".to_owned()));
        assert!(completed("${u").contains(&"uc:".to_owned()));
        assert!(completed("${if e").contains(&"eq".to_owned()));
        assert!(completed("$primary").contains(&"primary_hostname".to_owned()));
        assert!(completed("${lookup{x} pass").contains(&"passwd".to_owned()));
        assert!(completed("help ext").iter().any(|name| name.starts_with("extract")));
        assert!(completed(":q").contains(&":quit".to_owned()));
        assert!(completed("ext").is_empty());
        assert!(completed(":trace ${ext").contains(&"extract{".to_owned()));
        assert!(completed("help $sender_addr").contains(&"sender_address".to_owned()));
        assert!(completed(":watch sender_addr").contains(&"sender_address".to_owned()));
        assert!(completed(":set sender_addr").contains(&"sender_address".to_owned()));
        assert!(completed(":from ").is_empty());
        assert_eq!(completed(":load Cargo.to"), ["Cargo.toml"]);
    }

    #[test]
    fn names_of_the_configuration_are_completed() {
        let words = helper();
        words.know(KnownWords {
            headers: vec!["subject".to_owned(), "x-own".to_owned()],
            acls: vec!["acl_check_rcpt".to_owned(), "acl_check_data".to_owned()],
            routers: vec!["people".to_owned()],
        });
        let history = rustyline::history::MemHistory::new();
        let completed = |line: &str| {
            let (start, pairs) = words.complete(line, line.len(), &Context::new(&history)).unwrap();
            let own =
                pairs.into_iter().map(|pair| format!("{}{}", &line[..start], pair.replacement));
            own.collect::<Vec<_>>()
        };
        assert_eq!(completed(":acl acl_check_r"), [":acl acl_check_rcpt"]);
        assert_eq!(completed(":break acl_check_d"), [":break acl_check_data"]);
        assert_eq!(completed(":break on"), [":break on deny"]);
        assert_eq!(completed(":break router p"), [":break router people"]);
        assert_eq!(completed(":b ro"), [":b router "]);
        assert!(
            completed("$h_sub").contains(&"$h_subject:".to_owned()),
            "{:?}",
            completed("$h_sub")
        );
        assert_eq!(completed("${uc:$h_x-"), ["${uc:$h_x-own:"]);
        assert_eq!(completed("x ${h_sub"), ["x $h_subject:"]);
        assert_eq!(completed("${if def:h_sub"), ["${if def:h_subject:"]);
    }

    #[test]
    fn the_signature_of_the_innermost_word_is_shown() {
        let history = rustyline::history::MemHistory::new();
        let hint = |line: &str| helper().hint(line, line.len(), &Context::new(&history));
        let shown = hint("${if eq{${extract{a}").map(|hint| hint.0).unwrap();
        assert!(shown.starts_with("   ${extract{"), "{shown}");
        assert!(hint("no word").is_none());
    }

    #[test]
    fn names_have_colours() {
        let words = helper();
        let line = words.highlight("${uc:$pid} ${nosuch:a}", 0).into_owned();
        assert!(line.contains("\x1b[36muc\x1b[0m"), "{line:?}");
        assert!(line.contains("\x1b[31mnosuch\x1b[0m"), "{line:?}");
        let pair = words.highlight("${uc:a}", 6).into_owned();
        assert_eq!(pair.matches(BOLD).count(), 2, "{pair:?}");
    }
}
