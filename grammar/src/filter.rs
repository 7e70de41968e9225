//! Exim filter files: `if $h_subject: contains "x" then save mail/x endif`.
//!
//! [`parse`] reads a whole file. It does not fail: what is wrong ends the tree
//! ([`Filter::fault`]), in Exim's words, with the line that it names. Exim reads
//! a file to its end before it does anything, so a fault anywhere means that
//! nothing of the filter is done.

mod chain;
mod commands;
mod conditions;
mod reader;
mod show;

use crate::{Span, stack};

use commands::Parser;

pub use show::{show_all, show_any};

/// How long a file may be.
const LONGEST: usize = 64 << 20;

/// A filter file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Its commands, up to the fault.
    pub commands: Vec<FilterCommand>,
    /// What is wrong with it.
    pub fault: Option<FilterFault>,
}

/// What is wrong with a filter file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterFault {
    /// Exim's words. A line that they name may be too large a number: Exim counts
    /// lines that it reads twice twice.
    pub message: Vec<u8>,
    /// The line, counted from 1. It is that of what comes next, where the command
    /// at fault has been read to its end.
    pub line: u32,
    /// How far the file was read.
    pub at: u32,
}

/// What is let pass in a filter file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Allowed {
    /// `headers add` and `headers remove`, which belong to system filters.
    pub headers: bool,
    /// `defer`.
    pub defer: bool,
    /// `fail`.
    pub fail: bool,
    /// `freeze`.
    pub freeze: bool,
}

impl Allowed {
    /// All that a system filter may do.
    pub const SYSTEM: Self = Self { headers: true, defer: true, fail: true, freeze: true };
}

/// A data value: a word, or a string in quotes, which is taken apart already.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FilterWord {
    /// What it says.
    pub text: Vec<u8>,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A command with what stands before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterCommand {
    /// What it does.
    pub action: Action,
    /// `seen` or `unseen`.
    pub seen: Option<bool>,
    /// `noerror`.
    pub noerror: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a command does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// `if … then … elif … then … else … endif`.
    If {
        /// Each condition with its commands.
        branches: Vec<(FilterCondition, Vec<FilterCommand>)>,
        /// The commands after `else`.
        otherwise: Vec<FilterCommand>,
    },
    /// `deliver ADDRESS errors_to ADDRESS`.
    Deliver {
        /// To whom.
        address: FilterWord,
        /// Who hears of failures.
        errors_to: Option<FilterWord>,
    },
    /// `save FILE MODE`.
    Save {
        /// Where.
        file: FilterWord,
        /// The mode.
        mode: Option<u32>,
    },
    /// `pipe COMMAND`.
    Pipe {
        /// The command.
        command: FilterWord,
    },
    /// `mail …`, `vacation …`.
    Mail(Box<Mail>),
    /// `logfile FILE MODE`.
    LogFile {
        /// The file.
        file: FilterWord,
        /// The mode.
        mode: Option<u32>,
    },
    /// `logwrite TEXT`.
    LogWrite {
        /// The text.
        text: FilterWord,
    },
    /// `add NUMBER to VARIABLE`.
    Add {
        /// How much.
        amount: FilterWord,
        /// To which.
        variable: FilterWord,
    },
    /// `headers add TEXT` and its like.
    Headers {
        /// What is done with them.
        change: HeaderChange,
        /// The text.
        text: FilterWord,
    },
    /// `testprint TEXT`.
    TestPrint {
        /// The text.
        text: FilterWord,
    },
    /// `finish`.
    Finish,
    /// `defer`, `fail`, `freeze`.
    End {
        /// Which of them.
        ending: FilterEnding,
        /// The text; empty where there is none.
        text: FilterWord,
    },
}

/// `headers …`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeaderChange {
    /// `add`.
    Add,
    /// `remove`.
    Remove,
    /// `charset`.
    Charset,
}

/// A command that ends the filter and says what becomes of the message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FilterEnding {
    /// `defer`.
    Defer,
    /// `fail`.
    Fail,
    /// `freeze`.
    Freeze,
}

impl FilterEnding {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Defer => "defer",
            Self::Fail => "fail",
            Self::Freeze => "freeze",
        }
    }
}

/// `mail`, or `vacation`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mail {
    /// Whether it is `vacation`.
    pub vacation: bool,
    /// What is given, one for each of [`MailPart::ALL`].
    pub parts: [Option<FilterWord>; MailPart::ALL.len()],
    /// `expand` before `file`.
    pub expand: bool,
    /// `return message`.
    pub return_message: bool,
}

impl Mail {
    /// What is given for a part.
    pub fn part(&self, part: MailPart) -> Option<&FilterWord> {
        self.parts[part as usize].as_ref()
    }
}

/// A part of [`Mail`] that has a text.
#[allow(missing_docs, reason = "each is the word of the same name")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MailPart {
    To,
    Cc,
    Bcc,
    From,
    ReplyTo,
    Subject,
    ExtraHeaders,
    Text,
    File,
    Log,
    Once,
    OnceRepeat,
}

impl MailPart {
    /// All of them, in the order in which Exim evaluates and shows them.
    pub const ALL: [Self; 12] = [
        Self::To,
        Self::Cc,
        Self::Bcc,
        Self::From,
        Self::ReplyTo,
        Self::Subject,
        Self::ExtraHeaders,
        Self::Text,
        Self::File,
        Self::Log,
        Self::Once,
        Self::OnceRepeat,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
            Self::From => "from",
            Self::ReplyTo => "reply_to",
            Self::Subject => "subject",
            Self::ExtraHeaders => "extra_headers",
            Self::Text => "text",
            Self::File => "file",
            Self::Log => "log",
            Self::Once => "once",
            Self::OnceRepeat => "once_repeat",
        }
    }
}

/// A condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterCondition {
    /// Whether it has to be false.
    pub negated: bool,
    /// What it tests.
    pub test: FilterTest,
}

/// What a condition tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FilterTest {
    /// All of several, two at least; Exim takes the last two together first.
    All(Vec<FilterCondition>),
    /// Any of several, two at least; Exim takes the first two together first.
    Any(Vec<FilterCondition>),
    /// `foranyaddress LIST (CONDITION)`.
    AnyAddress {
        /// The addresses.
        list: FilterWord,
        /// What is tested for each.
        condition: Box<FilterCondition>,
    },
    /// `personal alias ADDRESS …`.
    Personal {
        /// Other addresses of the same person.
        aliases: Vec<FilterWord>,
    },
    /// `delivered`.
    Delivered,
    /// `error_message`.
    ErrorMessage,
    /// `first_delivery`.
    FirstDelivery,
    /// `manually_thawed`.
    ManuallyThawed,
    /// `TEXT contains TEXT` and its like.
    Compare {
        /// How.
        verb: Verb,
        /// What is looked at.
        left: FilterWord,
        /// What it is compared with.
        right: FilterWord,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verb {
    /// `above`.
    Above,
    /// `below`.
    Below,
    /// A comparison of texts.
    Text {
        /// Which.
        how: Comparison,
        /// Whether it is written in capitals, so that case matters.
        caseful: bool,
    },
}

/// A comparison of texts.
#[allow(missing_docs, reason = "each is the word of the same name")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comparison {
    Begins,
    Contains,
    Ends,
    Is,
    Matches,
}

/// Reads a filter file. Exim's own reading ends at the first zero byte, so this
/// one does.
pub fn parse(text: &[u8], allowed: Allowed) -> Filter {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    if end > LONGEST {
        let message = format!("filter file is longer than {LONGEST} bytes").into_bytes();
        return Filter {
            commands: Vec::new(),
            fault: Some(FilterFault { message, line: 1, at: 0 }),
        };
    }
    // Where it is too deep already, the first condition says so.
    let _level = stack::level();
    Parser::new(&text[..end], allowed).file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_places() {
        let text = b"# Exim filter\nunseen deliver \"a b\" if c is d then finish endif";
        let filter = parse(text, Allowed::default());
        assert_eq!(filter.fault, None);
        let [deliver, conditional] = filter.commands.as_slice() else { panic!("{filter:?}") };
        assert_eq!((deliver.seen, deliver.noerror), (Some(false), false));
        let Action::Deliver { address, errors_to: None } = &deliver.action else {
            panic!("{deliver:?}")
        };
        assert_eq!(address.text, b"a b");
        assert_eq!(address.span.of(text), b"\"a b\"");
        assert_eq!(deliver.span.of(text).trim_ascii(), b"unseen deliver \"a b\"");
        let Action::If { branches, otherwise } = &conditional.action else {
            panic!("{conditional:?}")
        };
        assert!(otherwise.is_empty() && branches.len() == 1);
        let FilterTest::Compare { left, right, .. } = &branches[0].0.test else {
            panic!("{branches:?}")
        };
        assert_eq!((left.span.of(text), right.span.of(text)), (&b"c"[..], &b"d"[..]));
    }

    #[test]
    fn a_fault_has_its_own_line() {
        let fault = |text: &[u8]| parse(text, Allowed::default()).fault.unwrap();
        // Exim looks for `errors_to` behind the address, and counts its line twice.
        let found = fault(b"deliver a foo\nx y");
        assert_eq!(found.message, b"unknown filtering command \"foo\" near line 3 of filter file");
        assert_eq!((found.line, found.at), (2, 14));
        let found = fault(b"finish\nsave \"a\nb");
        assert_eq!((found.line, found.at), (2, 14));
        assert_eq!(parse(b"deliver a foo", Allowed::SYSTEM).commands.len(), 1);
    }

    #[test]
    fn conditions_are_shown_as_exim_shows_them() {
        for (text, shown) in [
            ("a is b or c is d or e is f", "(a is b or c is d) or e is f"),
            ("a is b or c is d and e is f or g is h", "a is b or (c is d and e is f or g is h)"),
            ("a is b and (c is d and e is f)", "a is b and c is d and e is f"),
            ("not (a is b or c is d)", "not (a is b or c is d)"),
            ("not (not a IS b) and 5 is not above 4", "a IS b and 5 not above 4"),
            (
                "foranyaddress x (a is b or not personal alias y)",
                "foranyaddress x ((a is b or not personal))",
            ),
        ] {
            let filter = parse(format!("if {text} then endif").as_bytes(), Allowed::default());
            let Action::If { branches, .. } = &filter.commands[0].action else { panic!("{text}") };
            assert_eq!(String::from_utf8(branches[0].0.shown()).unwrap(), shown);
        }
    }
}
