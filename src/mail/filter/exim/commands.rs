//! Commands.

use eximious_core::{Header, Str, Taint};
use eximious_grammar::filter::{Action, FilterCommand, FilterCondition, FilterWord, HeaderChange};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::lists::elements;
use eximious_stdlib::options::opt;
use eximious_stdlib::variables::var;

use super::number::{Number, integer};
use super::{Halt, Run, manner};
use crate::mail::filter::{FilterAction, FilterEnd};
use eximious_grammar::filter::FilterEnding;

impl Run<'_> {
    /// Obeys commands; `depth` says how many `if` they stand in.
    pub(super) fn commands(&mut self, commands: &[FilterCommand], depth: u32) -> Result<(), Halt> {
        for command in commands {
            self.step()?;
            self.command(command, depth)?;
        }
        Ok(())
    }

    fn command(&mut self, command: &FilterCommand, depth: u32) -> Result<(), Halt> {
        match &command.action {
            Action::If { branches, otherwise } => {
                let before = self.cx.value_of(var::THISADDRESS);
                let result = self.branches(branches, otherwise, depth);
                self.cx.set_var(var::THISADDRESS, before);
                result
            }
            Action::Deliver { address, errors_to } => {
                let action = self.deliver(command, address, errors_to.as_ref())?;
                self.wants(depth, action)
            }
            Action::Save { file, mode } => {
                let file = self.value(file, "save")?;
                let file = self.at_home(file);
                let manner = manner(command, true);
                self.wants(depth, FilterAction::Save { file, mode: *mode, manner })
            }
            Action::Pipe { command: text } => {
                let action = FilterAction::Pipe {
                    command: Str::from(text.text.as_slice()),
                    numeric: self.numeric(),
                    this_address: self.cx.value_of(var::THISADDRESS),
                    manner: manner(command, true),
                };
                self.wants(depth, action)
            }
            Action::Mail(mail) => {
                let reply = Box::new(self.reply(mail)?);
                let manner = manner(command, false);
                if self.is_bounce() {
                    let vacation = mail.vacation;
                    return self.wants(depth, FilterAction::NoMail { vacation, manner });
                }
                self.wants(depth, FilterAction::Mail { reply, manner })
            }
            Action::LogFile { file, mode } => {
                let file = self.value(file, "logfile")?;
                self.log = Some(file.clone());
                let manner = manner(command, false);
                self.wants(depth, FilterAction::LogFile { file, mode: *mode, manner })
            }
            Action::LogWrite { text } => self.log_write(command, text, depth),
            Action::Add { amount, variable } => self.add(amount, variable, depth),
            Action::Headers { change, text } => self.headers(*change, text, depth),
            Action::TestPrint { text } => {
                let text = self.value(text, "testprint")?;
                let manner = manner(command, false);
                self.wants(depth, FilterAction::TestPrint { text, manner })
            }
            Action::Finish => {
                let manner = manner(command, false);
                self.wants(depth, FilterAction::Finish { manner })?;
                Err(Halt::Finish)
            }
            Action::End { ending, text } => {
                let word = ending.word();
                let text = self.value(text, word)?;
                self.wants(depth, FilterAction::End { word, text: text.clone() })?;
                if *ending == FilterEnding::Freeze && self.options.manually_thawed {
                    // Who has thawed the message wants it delivered.
                    return Err(Halt::Finish);
                }
                Err(Halt::End(match ending {
                    FilterEnding::Defer => FilterEnd::Defer(text),
                    FilterEnding::Fail => FilterEnd::Fail(text),
                    FilterEnding::Freeze => FilterEnd::Freeze(text),
                }))
            }
        }
    }

    fn branches(
        &mut self,
        branches: &[(FilterCondition, Vec<FilterCommand>)],
        otherwise: &[FilterCommand],
        mut depth: u32,
    ) -> Result<(), Halt> {
        for (condition, commands) in branches {
            let holds = self.condition(condition, depth)?;
            depth += 1;
            if holds {
                return self.commands(commands, depth);
            }
        }
        self.commands(otherwise, depth)
    }

    fn deliver(
        &mut self,
        command: &FilterCommand,
        address: &FilterWord,
        errors_to: Option<&FilterWord>,
    ) -> Result<FilterAction, Halt> {
        let address = self.value(address, "deliver")?;
        let errors_to = match errors_to {
            Some(word) => Some(self.value(word, "deliver")?),
            None => None,
        };
        let address = self.qualified(&address)?;
        let errors_to = match errors_to {
            Some(other) => Some(self.qualified(&other)?),
            None => None,
        };
        if let Some(other) = &errors_to
            && !self.options.system
        {
            let own = [self.cx.value_of(var::LOCAL_PART), self.cx.value_of(var::DOMAIN)];
            let own = [own[0].bytes(), b"@", own[1].bytes()].concat();
            if !other.bytes().eq_ignore_ascii_case(&own) {
                return Err(Halt::error("errors_to must point to the caller's address"));
            }
        }
        Ok(FilterAction::Deliver { address, errors_to, manner: manner(command, true) })
    }

    /// The address in a text, with a domain.
    fn qualified(&mut self, text: &Str) -> Result<Str, Halt> {
        let settings = self.cx.engine().settings();
        let rules = Rules { literals: true, ..Rules::of(settings) };
        let found = address::parse(text.bytes(), rules).map_err(|why| {
            let head = [b"malformed address \"", text.bytes(), b"\" in filter file: "].concat();
            Halt::error([head, why.message].concat())
        })?;
        if found.domain.is_some() {
            return Ok(Str::from(found.text).stamped(text.taint()));
        }
        let domain = match &self.options.qualify {
            Some(domain) => domain.clone(),
            None => self.cx.value_of(var::QUALIFY_RECIPIENT),
        };
        Ok(Str::from([&found.text, b"@".as_slice(), domain.bytes()].concat()).stamped(text.taint()))
    }

    /// Whether a message would be an answer to a bounce.
    pub(super) fn is_bounce(&mut self) -> bool {
        // A delivery's return path is the sender, until somebody sets another.
        self.cx.value_of(var::RETURN_PATH).is_empty()
            && (self.options.testing || self.cx.value_of(var::SENDER_ADDRESS).is_empty())
    }

    /// A file's name, with the home directory before it where that is wanted.
    fn at_home(&mut self, file: Str) -> Str {
        if !self.options.prepend_home || self.options.system || file.bytes().starts_with(b"/") {
            return file;
        }
        let home = self.cx.value_of(var::HOME);
        if home.is_empty() {
            return file;
        }
        let taint = home.taint().with(file.taint());
        Str::from([home.bytes(), b"/", file.bytes()].concat()).stamped(taint)
    }

    fn log_write(
        &mut self,
        command: &FilterCommand,
        text: &FilterWord,
        depth: u32,
    ) -> Result<(), Halt> {
        // A newline is added before the text is expanded.
        let mut text = text.text.clone();
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        let text = self.expand(&text, "logwrite command")?;
        if self.options.forbid.logwrite {
            return Err(Halt::error("logwrite command forbidden"));
        }
        if !self.options.testing && !self.options.logs {
            return Ok(());
        }
        if self.log.is_none() && !self.options.testing {
            let why = "attempt to obey \"logwrite\" command without a previous \"logfile\"";
            return Err(Halt::error(why));
        }
        let file = self.log.clone();
        let manner = manner(command, false);
        self.wants(depth, FilterAction::LogWrite { text, file, manner })
    }

    fn add(&mut self, amount: &FilterWord, variable: &FilterWord, depth: u32) -> Result<(), Halt> {
        let amount = self.value(amount, "add")?;
        let variable = self.value(variable, "add")?;
        let number = |text: &[u8]| match integer(text) {
            Number { value, length } if length == text.len() => Ok(value as i32),
            _ => {
                let parts = [b"malformed number \"", text, b"\" in \"add\" command"];
                Err(Halt::error(parts.concat()))
            }
        };
        let amount = number(amount.bytes())?;
        let Some(digit) = variable.bytes().strip_prefix(b"n").filter(|rest| rest.len() <= 1) else {
            let parts = [b"unknown variable \"", variable.bytes(), b"\" in \"add\" command"];
            return Err(Halt::error(parts.concat()));
        };
        let counter = number(digit)?.clamp(0, 9) as u8;
        let place = usize::from(counter);
        let sum = self.done.counters[place].wrapping_add(amount);
        self.done.counters[place] = sum;
        self.cx.set_var(var::COUNTERS[place], Str::from(sum.to_string()));
        self.wants(depth, FilterAction::Add { amount, counter })
    }

    fn headers(&mut self, change: HeaderChange, text: &FilterWord, depth: u32) -> Result<(), Halt> {
        let text = self.value(text, "headers")?;
        let action = match change {
            HeaderChange::Charset => {
                let name = text.clone().stamped(Taint::Clean);
                self.cx.change_settings(|settings| settings.set(opt::HEADERS_CHARSET, name));
                FilterAction::Charset { name: text }
            }
            HeaderChange::Add => {
                if let Some(message) = &mut self.cx.values.message {
                    message.headers.extend(header_lines(text.bytes()));
                }
                FilterAction::AddHeader { text }
            }
            HeaderChange::Remove => {
                if let Some(message) = &mut self.cx.values.message {
                    for name in elements(text.bytes()) {
                        let name = name.strip_suffix(b":").unwrap_or(&name);
                        message.headers.retain(|header| !header.is(name));
                    }
                }
                FilterAction::RemoveHeaders { names: text }
            }
        };
        self.wants(depth, action)
    }
}

/// The header lines in a text; a line that begins with white space goes on with
/// the one before.
fn header_lines(text: &[u8]) -> Vec<Header> {
    let text = text.trim_ascii_start();
    // Newlines at the end would end the header.
    let end = text.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    let text = &text[..end];
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in text.split(|c| *c == b'\n').filter(|_| !text.is_empty()) {
        let line = [line, b"\n"].concat();
        match lines.last_mut() {
            Some(last) if matches!(line[0], b' ' | b'\t') => last.extend_from_slice(&line),
            _ => lines.push(line),
        }
    }
    lines.into_iter().map(Header::new).collect()
}
