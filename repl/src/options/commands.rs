//! The words that are this program's own, and not Exim's.

use super::given::{Asked, Given};
use super::{CalledAs, Parser, Stop};
use crate::{check, fmt, hints, switches, tlsrpt, workbench};

impl Parser<'_> {
    /// A word of this program's own. Another word is a recipient only where it has a
    /// domain, or where an option says that there is a message.
    pub(super) fn command(&mut self) -> Result<(), Stop> {
        let asked = self.action.is_some() || self.later.is_some() || self.given.takes_message;
        let filters = &self.given.filters;
        let tests = filters.system.is_some() || filters.user.is_some();
        if self.called != CalledAs::Eximious || asked || tests {
            return Ok(());
        }
        if let [word, rest @ ..] = self.args
            && word == b"repl"
            && rest.first().is_none_or(|first| first != b"--help")
        {
            self.args = rest;
            return self.prompt();
        }
        if let [word, rest @ ..] = self.args
            && !rest.iter().any(|arg| arg == b"--help" || arg == b"-h")
            && let Some(work) = workbench::work(&String::from_utf8_lossy(word), rest)?
        {
            self.given.config = work.config().or_else(|| self.given.config.take());
            for text in work.macros() {
                self.macro_option(format!("-D{text}").as_bytes(), text.as_bytes())?;
            }
            self.args = &[];
            self.action = Some(Asked::Workbench(work));
            return Ok(());
        }
        if let Some(asked) = command(self.args, &self.given)? {
            self.args = &[];
            self.action = Some(asked);
            return Ok(());
        }
        match self.args.first() {
            Some(word) if !self.given.recipients_in_header && !word.contains(&b'@') => {
                Err(unknown_command(&String::from_utf8_lossy(word)))
            }
            _ => Ok(()),
        }
    }
}

impl Parser<'_> {
    /// `repl`: the prompt, with options of its own.
    pub(super) fn prompt(&mut self) -> Result<(), Stop> {
        self.action = Some(Asked::Expand);
        self.greets = true;
        while let [option, rest @ ..] = self.args {
            let wanted = &mut self.given.prompt;
            let place = match option.as_slice() {
                b"--message" => &mut wanted.message,
                b"--session" => &mut wanted.session,
                b"--script" => &mut wanted.script,
                _ => break,
            };
            let [file, rest @ ..] = rest else {
                let option = String::from_utf8_lossy(option);
                return Err(Stop(format!("eximious: repl {option} wants a file").into()));
            };
            *place = Some(file.clone());
            self.args = rest;
        }
        Ok(())
    }
}

/// What is not Exim's: a word of this program's own, behind options if there are any.
fn command(args: &[Vec<u8>], given: &Given) -> Result<Option<Asked>, Stop> {
    let Some((word, rest)) = args.split_first() else { return Ok(None) };
    let is_command = switches::commands().iter().any(|(name, _)| name.as_bytes() == &word[..]);
    if is_command && rest.iter().any(|arg| arg == b"--help" || arg == b"-h") {
        let page = String::from_utf8_lossy(word).into_owned();
        return Ok(Some(Asked::Help(vec![page])));
    }
    if word == b"fmt" {
        return Ok(Some(Asked::Format(fmt::request(rest)?)));
    }
    let rest = rest.iter().map(|arg| String::from_utf8_lossy(arg).into_owned());
    match word.as_slice() {
        b"check" => Ok(Some(Asked::Check(check::request(rest.collect(), given)?))),
        b"hints" => Ok(Some(Asked::Hints(hints::work(&rest.collect::<Vec<_>>())?))),
        b"tlsrpt" => Ok(Some(Asked::TlsReport(tlsrpt::wanted(&rest.collect::<Vec<_>>())?))),
        b"help" => Ok(Some(Asked::Help(rest.collect()))),
        b"list" => {
            let (mut json, mut kind) = (false, None);
            for arg in rest {
                if arg == "--json" {
                    json = true;
                } else if arg.starts_with('-') || kind.replace(arg.clone()).is_some() {
                    return Err(Stop(
                        format!("eximious: list takes --json and one kind, not \"{arg}\"").into(),
                    ));
                }
            }
            Ok(Some(Asked::List { json, kind }))
        }
        _ => Ok(None),
    }
}

/// A word that nobody knows, and what could have been meant.
fn unknown_command(word: &str) -> Stop {
    let commands = switches::commands();
    let names = commands.iter().map(|(name, _)| name.as_str());
    let near = eximious::check::nearest(word, names);
    let hint = match near.first() {
        Some(near) => format!("did you mean \"eximious {near}\"?"),
        None => "\"eximious help\" shows the commands".to_owned(),
    };
    let way = format!("(For a message to the local user: eximious -bm {word})");
    Stop(format!("eximious: no command \"{word}\"; {hint}\n{way}").into())
}
