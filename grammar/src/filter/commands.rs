//! Commands of a filter file.

use super::reader::{Ends, Reader};
use super::{
    Action, Allowed, Filter, FilterCommand, FilterEnding, FilterFault, FilterWord, HeaderChange,
    Mail, MailPart,
};
use crate::{Span, stack};

/// How deep `if` and brackets may stand in each other.
const DEEPEST: usize = 300;

/// Reads a file.
pub(super) struct Parser<'t> {
    pub(super) reader: Reader<'t>,
    allowed: Allowed,
    depth: usize,
}

/// What ended a list of commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    File,
    Else,
    Elif,
    Endif,
}

/// What stands before a command.
#[derive(Clone, Copy, Default, Debug)]
struct Prefix {
    seen: Option<bool>,
    noerror: bool,
}

impl Prefix {
    fn is_there(self) -> bool {
        self.seen.is_some() || self.noerror
    }
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t [u8], allowed: Allowed) -> Self {
        Self { reader: Reader::new(text), allowed, depth: 0 }
    }

    /// The whole file.
    pub(super) fn file(mut self) -> Filter {
        let mut commands = Vec::new();
        let fault = self.list(&mut commands, false).err();
        Filter { commands, fault }
    }

    /// Goes one level deeper; [`Parser::leave`] comes back.
    pub(super) fn enter(&mut self) -> Result<(), FilterFault> {
        if self.depth >= DEEPEST || stack::is_deep() {
            return Err(self.near("conditions stand in each other too deep"));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Goes several levels deeper, which were counted already.
    pub(super) fn sink(&mut self, levels: usize) {
        self.depth += levels;
    }

    /// Comes back from [`Parser::sink`].
    pub(super) fn rise(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// How many levels more there may be.
    pub(super) fn room(&self) -> usize {
        DEEPEST.saturating_sub(self.depth)
    }

    /// What is wrong near this line.
    pub(super) fn near(&self, what: impl AsRef<[u8]>) -> FilterFault {
        self.reader.fault([what.as_ref(), b" near line "].concat(), " of filter file")
    }

    /// Commands, up to what ends them.
    fn list(
        &mut self,
        commands: &mut Vec<FilterCommand>,
        conditional: bool,
    ) -> Result<End, FilterFault> {
        loop {
            if self.reader.peek().is_none() {
                return match conditional {
                    true => Err(self.reader.plain_fault("\"endif\" missing at end of filter file")),
                    false => Ok(End::File),
                };
            }
            let start = self.reader.at();
            let mut prefix = Prefix::default();
            let mut word = self.reader.command()?;
            while self.prefix(word, &mut prefix)? {
                word = self.reader.command()?;
            }
            let end = match word {
                b"else" => Some(End::Else),
                b"elif" => Some(End::Elif),
                b"endif" => Some(End::Endif),
                _ => None,
            };
            match end {
                Some(_) if !conditional => {
                    let what = [b"unexpected \"", word, b"\" command"].concat();
                    return Err(self.near(what));
                }
                Some(_) if prefix.is_there() => {
                    let what = "\"seen\", \"unseen\", or \"noerror\" near line ";
                    return Err(self.reader.fault(what, " is not followed by a command"));
                }
                Some(end) => return Ok(end),
                None => {}
            }
            let action = self.action(word, prefix)?;
            let span = Span::new(start, self.reader.at());
            let Prefix { seen, noerror } = prefix;
            commands.push(FilterCommand { action, seen, noerror, span });
        }
    }

    /// Whether a word stands before a command.
    fn prefix(&self, word: &[u8], prefix: &mut Prefix) -> Result<bool, FilterFault> {
        let what = match word {
            b"seen" | b"unseen" => {
                if prefix.seen.is_some() {
                    let what = "\"seen\" or \"unseen\" repeated near line ";
                    return Err(self.reader.fault(what, ""));
                }
                prefix.seen = Some(word == b"seen");
                "\"seen\" or \"unseen\" near line "
            }
            b"noerror" => {
                prefix.noerror = true;
                "\"noerror\" near line "
            }
            _ => return Ok(false),
        };
        match self.reader.peek() {
            Some(_) => Ok(true),
            None => Err(self.reader.fault(what, " is not followed by a command")),
        }
    }

    fn action(&mut self, word: &[u8], prefix: Prefix) -> Result<Action, FilterFault> {
        Ok(match word {
            b"if" => {
                if self.reader.peek().is_none() {
                    return Err(self.reader.plain_fault("\"then\" missing at end of filter file"));
                }
                self.bare(word, prefix)?;
                self.conditional()?
            }
            b"deliver" => self.deliver()?,
            b"save" => {
                let file = self.argument(word)?;
                Action::Save { file, mode: self.mode()? }
            }
            b"logfile" => {
                let file = self.argument(word)?;
                Action::LogFile { file, mode: self.mode()? }
            }
            b"pipe" => Action::Pipe { command: self.argument(word)? },
            b"logwrite" => Action::LogWrite { text: self.argument(word)? },
            b"testprint" => Action::TestPrint { text: self.argument(word)? },
            b"add" => self.add(prefix)?,
            b"headers" => self.headers(prefix)?,
            b"mail" => self.mail(false)?,
            b"vacation" => self.mail(true)?,
            b"finish" => Action::Finish,
            b"defer" => self.end(FilterEnding::Defer, self.allowed.defer)?,
            b"fail" => self.end(FilterEnding::Fail, self.allowed.fail)?,
            b"freeze" => self.end(FilterEnding::Freeze, self.allowed.freeze)?,
            _ => return Err(self.near([b"unknown filtering command \"", word, b"\""].concat())),
        })
    }

    /// For a command that nothing may stand before.
    fn bare(&self, word: &[u8], prefix: Prefix) -> Result<(), FilterFault> {
        if !prefix.is_there() {
            return Ok(());
        }
        let head = b"\"seen\", \"unseen\", or \"noerror\" found before an \"";
        let head = [head.as_slice(), word, b"\" command near line "].concat();
        Err(self.reader.fault(head, ""))
    }

    /// `if` and all its branches.
    fn conditional(&mut self) -> Result<Action, FilterFault> {
        self.enter()?;
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.whole_condition()?;
            let mut commands = Vec::new();
            let end = self.list(&mut commands, true)?;
            branches.push((condition, commands));
            match end {
                End::Elif => {}
                End::Else => {
                    if self.list(&mut otherwise, true)? != End::Endif {
                        return Err(self.near("\"endif\" missing"));
                    }
                    break;
                }
                End::Endif | End::File => break,
            }
        }
        self.leave();
        Ok(Action::If { branches, otherwise })
    }

    /// The data value that a command has to have.
    fn argument(&mut self, command: &[u8]) -> Result<FilterWord, FilterFault> {
        let value = self.reader.wanted()?;
        if value.text.is_empty() {
            return Err(self.near([b"\"", command, b"\" requires an argument"].concat()));
        }
        Ok(value)
    }

    /// The word that comes next, where it is one of those that are wanted.
    fn optional(&mut self, wanted: &[u8]) -> Result<bool, FilterFault> {
        let before = self.reader;
        let found = self.reader.word(Ends::Space)? == wanted;
        if !found {
            self.reader.back(before);
        }
        Ok(found)
    }

    fn deliver(&mut self) -> Result<Action, FilterFault> {
        let address = self.argument(b"deliver")?;
        let errors_to = match self.optional(b"errors_to")? {
            true => {
                // Quotes mean nothing here.
                let start = self.reader.at();
                let text = self.reader.word(Ends::Space)?.to_vec();
                let span = Span::new(start, start + text.len());
                Some(FilterWord { text, span })
            }
            false => None,
        };
        Ok(Action::Deliver { address, errors_to })
    }

    /// A mode in octal, as far as it is one.
    fn mode(&mut self) -> Result<Option<u32>, FilterFault> {
        if !self.reader.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Ok(None);
        }
        let digits = self.reader.word(Ends::Space)?.iter();
        let digits = digits.take_while(|c| matches!(c, b'0'..=b'7'));
        let mode = digits.fold(0u64, |mode, c| mode.saturating_mul(8) | u64::from(c - b'0'));
        // It is a number of 32 bits to Exim, and none where it is negative.
        let mode = mode.min(i64::MAX as u64) as u32;
        Ok((mode <= i32::MAX as u32).then_some(mode))
    }

    fn add(&mut self, prefix: Prefix) -> Result<Action, FilterFault> {
        let amount = self.argument(b"add")?;
        self.bare(b"add", prefix)?;
        if self.reader.word(Ends::Space)? != b"to" {
            return Err(self.near("\"to\" expected in \"add\" command"));
        }
        let variable = self.reader.wanted()?;
        if variable.text.is_empty() {
            return Err(self.near("value missing after \"to\""));
        }
        Ok(Action::Add { amount, variable })
    }

    fn headers(&mut self, prefix: Prefix) -> Result<Action, FilterFault> {
        if self.reader.peek().is_some() {
            self.bare(b"headers", prefix)?;
        }
        let what = self.argument(b"headers")?;
        let change = match what.text.as_slice() {
            b"charset" => HeaderChange::Charset,
            _ if !self.allowed.headers => {
                let what = "header addition and removal is available only in system filters:";
                return Err(self.near(what));
            }
            b"add" => HeaderChange::Add,
            b"remove" => HeaderChange::Remove,
            _ => {
                let what = "\"add\", \"remove\", or \"charset\" expected after \"headers\"";
                return Err(self.near(what));
            }
        };
        let text = self.reader.wanted()?;
        if text.text.is_empty() {
            let what = "value missing after \"add\", \"remove\", or \"charset\"";
            return Err(self.near(what));
        }
        Ok(Action::Headers { change, text })
    }

    fn mail(&mut self, vacation: bool) -> Result<Action, FilterFault> {
        let mut mail = Mail { vacation, ..Mail::default() };
        loop {
            let before = self.reader;
            let word = self.reader.word(Ends::Space)?;
            let part = match word {
                b"expand" => {
                    if self.reader.word(Ends::Space)? != b"file" {
                        return Err(self.near("\"expand\" not followed by \"file\" "));
                    }
                    mail.expand = true;
                    MailPart::File
                }
                b"return" => {
                    if self.reader.word(Ends::Space)? != b"message" {
                        return Err(self.near("\"return\" not followed by \"message\" "));
                    }
                    mail.return_message = true;
                    continue;
                }
                _ => match MailPart::ALL.iter().find(|part| part.word().as_bytes() == word) {
                    Some(part) => *part,
                    None => {
                        self.reader.back(before);
                        return Ok(Action::Mail(Box::new(mail)));
                    }
                },
            };
            mail.parts[part as usize] = Some(self.reader.value(Ends::Space)?);
        }
    }

    fn end(&mut self, ending: FilterEnding, allowed: bool) -> Result<Action, FilterFault> {
        if !allowed {
            let what = format!("filtering command \"{}\" is disabled:", ending.word());
            return Err(self.near(what));
        }
        let text = match self.reader.peek() == Some(b'"') || self.optional(b"text")? {
            true => self.reader.value(Ends::Space)?,
            false => FilterWord::default(),
        };
        Ok(Action::End { ending, text })
    }
}
