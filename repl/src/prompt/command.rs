//! Commands of the prompt: `help`, and what begins with a colon.

use rustyline::completion::Pair;

use PromptWord::*;

/// What a line at the prompt asks for, other than an expansion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PromptWord {
    Acl,
    Ast,
    Back,
    Break,
    Continue,
    Data,
    Delete,
    Finish,
    Forward,
    Frames,
    From,
    Hangup,
    Hello,
    Help,
    List,
    Load,
    Mail,
    Message,
    Next,
    Quit,
    Recipient,
    Reload,
    Route,
    Save,
    Set,
    Smtp,
    Step,
    TaintOf,
    Time,
    Trace,
    Vars,
    Watch,
    Where,
    Why,
}

/// A command with what stands behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed<'l> {
    /// A command, and the rest of the line.
    Command(PromptWord, &'l [u8]),
    /// A colon with something else after it.
    Unknown(&'l [u8]),
}

/// A command: what it is called, what it takes, and what it does.
struct Record {
    word: PromptWord,
    name: &'static str,
    takes: &'static str,
    does: &'static str,
}

const fn record(
    word: PromptWord,
    name: &'static str,
    takes: &'static str,
    does: &'static str,
) -> Record {
    Record { word, name, takes, does }
}

/// All of them, in groups, as `help` has them.
const GROUPS: &[(&str, &[Record])] = &[
    (
        "Expressions",
        &[
            record(Ast, ":ast", "EXPR", "the tree that it is parsed into"),
            record(
                Trace,
                ":trace",
                "[EXPR]",
                "what happens in it, step by step; or in the last run",
            ),
            record(TaintOf, ":taint", "EXPR", "what of it comes from outside"),
            record(Time, ":time", "EXPR", "how long it takes"),
            record(
                Set,
                ":set",
                "[clean] NAME = EXPR",
                "gives a variable a value, tainted or clean",
            ),
            record(Vars, ":vars", "[PART]", "variables that have a value"),
            record(
                Message,
                ":message",
                "FILE",
                "reads a message: $h_subject: has a value then, and :data sends it",
            ),
        ],
    ),
    (
        "A conversation by hand",
        &[
            record(From, ":from", "IP[:PORT] [HELO]", "a client connects"),
            record(Hello, ":helo", "NAME", "EHLO"),
            record(Mail, ":mail", "[ADDRESS] […]", "MAIL FROM; without an address, a bounce"),
            record(Recipient, ":rcpt", "ADDRESS […]", "RCPT TO"),
            record(Data, ":data", "[FILE]", "DATA, and the message of :message or of a file"),
            record(Smtp, ":smtp", "LINE", "any other line"),
            record(Hangup, ":hangup", "", "the client goes away"),
            record(Acl, ":acl", "NAME [RECIPIENT]", "what an ACL says"),
            record(Route, ":route", "ADDRESS", "where an address goes"),
            record(Why, ":why", "", "what decided that"),
        ],
    ),
    (
        "Debugger",
        &[
            record(
                Break,
                ":break",
                "[PLACE]",
                "stops there: ACL, ACL:N (its N-th statement), FILE:LINE, router NAME, on deny",
            ),
            record(Watch, ":watch", "VARIABLE", "stops where it changes"),
            record(Delete, ":delete", "N", "takes a breakpoint away"),
            record(Step, ":step", "", "to the next step; before a run, it stops at its first"),
            record(Next, ":next", "", "to the next step that is no part of this one"),
            record(Finish, ":finish", "", "to the end of this ACL, or of this address"),
            record(Continue, ":continue", "", "goes on"),
            record(Back, ":back", "[N]", "looks at the step before"),
            record(Forward, ":forward", "[N]", "looks at the step after"),
            record(Where, ":where", "", "the lines around"),
            record(Frames, ":frames", "", "which ACLs and addresses are at hand"),
        ],
    ),
    (
        "This prompt",
        &[
            record(Help, ":help", "[NAME]", "this, or the page of a word"),
            record(List, ":list", "[KIND]", "all words, or those of one kind"),
            record(Reload, ":reload", "", "reads the configuration anew"),
            record(Save, ":save", "FILE", "keeps what was typed, for :load and --session"),
            record(Load, ":load", "FILE", "carries out what stands in a file"),
            record(Quit, ":quit", "", "leaves; Ctrl-D does so too"),
        ],
    ),
];

/// What can be completed behind a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completes {
    /// A string that is expanded.
    Expression,
    /// The name of a file.
    File,
    /// The name of an ACL.
    AclName,
    /// Where to stop.
    Place,
    /// The name of a variable.
    VariableName,
    /// A word of the language.
    Word,
    /// Nothing that is known.
    Nothing,
}

/// What can be completed behind the command of a line.
pub fn completes(line: &(impl AsRef<[u8]> + ?Sized)) -> Completes {
    match of_line(line) {
        Some(Typed::Command(Ast | Trace | TaintOf | Time, _)) => Completes::Expression,
        Some(Typed::Command(Set, rest)) if rest.contains(&b'=') => Completes::Expression,
        Some(Typed::Command(Set | Watch | Vars, _)) => Completes::VariableName,
        Some(Typed::Command(Message | Data | Save | Load, _)) => Completes::File,
        Some(Typed::Command(Acl, _)) => Completes::AclName,
        Some(Typed::Command(Break, _)) => Completes::Place,
        Some(Typed::Command(Help, _)) => Completes::Word,
        _ => Completes::Nothing,
    }
}

/// Whether a line is a command that takes no expression: it ends where it ends, and has no
/// colours.
pub fn is_plain(line: &(impl AsRef<[u8]> + ?Sized)) -> bool {
    is_command(line) && completes(line) != Completes::Expression
}

/// Names that are others in short.
const SHORT: &[(&str, PromptWord)] = &[
    (":q", Quit),
    (":b", Break),
    (":s", Step),
    (":n", Next),
    (":c", Continue),
    (":w", Where),
    ("help", Help),
];

fn records() -> impl Iterator<Item = &'static Record> {
    GROUPS.iter().flat_map(|(_, records)| *records)
}

/// The command that a line is, if it is one.
pub fn of_line(line: &(impl AsRef<[u8]> + ?Sized)) -> Option<Typed<'_>> {
    let line = line.as_ref();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let rest = rest.trim_ascii();
    let is_it = |name: &str| name.as_bytes() == word;
    let long = records().find(|record| is_it(record.name)).map(|record| record.word);
    let short = || SHORT.iter().find(|(name, _)| is_it(name)).map(|(_, word)| *word);
    match long.or_else(short) {
        Some(word) => Some(Typed::Command(word, rest)),
        None => word.starts_with(b":").then_some(Typed::Unknown(word)),
    }
}

/// Whether a line is a command, or is about to be one.
pub fn is_command(line: &(impl AsRef<[u8]> + ?Sized)) -> bool {
    of_line(line).is_some()
}

/// The names that begin so.
pub fn names(start: &str) -> Vec<Pair> {
    let found = records().filter(|record| record.name.starts_with(start));
    let pair = |record: &Record| Pair {
        display: format!("{}  {}", record.name, record.does),
        replacement: record.name.to_owned(),
    };
    found.map(pair).collect()
}

/// The names of all commands.
pub fn all() -> impl Iterator<Item = &'static str> {
    records().map(|record| record.name)
}

/// The line of a command, by its name.
pub fn about(name: &str) -> Option<String> {
    records().find(|record| record.name == name).map(line)
}

fn line(record: &Record) -> String {
    let head = format!("{} {}", record.name, record.takes);
    format!("  {:<28} {}\n", head.trim_end(), record.does)
}

/// The head of the prompt's page.
const PROMPT: &str = "\
Type a string, and see what it expands to:  ${uc:hello}  ${if eq{a}{b}{yes}{no}}
  set acl_m_x = text      give a variable a value (set,t: as if from outside)
  NAME = text             define a macro: a line that begins with a capital letter
  a line ending in \\      goes on in the next, as does one with an open brace,
                          until an empty line
  help NAME               the page of a word: help extract, help $sender_address

";

/// The end of it.
const PROMPT_END: &str = "
Tab completes names. A line that begins with \"help \" or a colon is never expanded:
put a space before it where it should be. While a run is held up, an expression sees
its values, and an empty line does the last step once more.
";

/// What can be typed at the prompt.
pub fn page() -> String {
    let mut out = PROMPT.to_owned();
    for (group, records) in GROUPS {
        out += &format!("{group}:\n");
        records.iter().for_each(|record| out += &line(record));
    }
    out + PROMPT_END
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_not_expansions() {
        assert_eq!(of_line("help"), Some(Typed::Command(Help, b"")));
        assert_eq!(of_line("help  sg "), Some(Typed::Command(Help, b"sg")));
        assert_eq!(of_line(":quit"), Some(Typed::Command(Quit, b"")));
        assert_eq!(of_line(":rcpt a@b.example"), Some(Typed::Command(Recipient, b"a@b.example")));
        assert_eq!(of_line(":foo bar"), Some(Typed::Unknown(b":foo")));
        for line in ["helpless", " help", "${uc:a}", "set acl_m_x = 1", ""] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }

    #[test]
    fn what_can_be_completed_hangs_on_the_command() {
        for (line, expected) in [
            (":trace ${", Completes::Expression),
            (":set acl_m_x = ${", Completes::Expression),
            (":set acl", Completes::VariableName),
            (":b acl_ch", Completes::Place),
            (":acl ", Completes::AclName),
            (":load ", Completes::File),
            ("help ext", Completes::Word),
            (":step", Completes::Nothing),
            ("${uc:", Completes::Nothing),
        ] {
            assert_eq!(completes(line), expected, "{line}");
        }
    }

    #[test]
    fn names_are_their_own() {
        let mut names: Vec<_> = all().chain(SHORT.iter().map(|(name, _)| *name)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
