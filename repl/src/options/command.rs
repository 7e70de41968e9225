//! The words that are this program's own, and not Exim's.

use super::given::Asked;
use super::{CalledAs, Parser, Stop};
use crate::{commands, switches};

/// Whether an option is one of a message that is handed in, or of its delivery.
pub(super) fn is_of_message(name: &str) -> bool {
    let delivery = ["-od", "-oe", "-e", "-oi", "-t"].iter().any(|head| name.starts_with(head));
    let other = ["-bm", "-i", "-f", "-r", "-F", "-h", "-N", "-B", "-dropcr", "-om", "-oo", "-oDSN"];
    (delivery && name != "-tls-on-connect") || other.contains(&name)
}

impl Parser<'_> {
    /// A word of this program's own. Another word is a recipient only where it has a
    /// domain, or where an option says that there is a message.
    pub(super) fn command(&mut self) -> Result<(), Stop> {
        let asked = !self.asked.is_empty()
            || !self.given.runs.is_empty()
            || self.later.is_some()
            || self.given.listens
            || self.given.takes_message;
        if self.called != CalledAs::Eximious || asked || self.given.filters.any() {
            return Ok(());
        }
        if let [word, rest @ ..] = self.args {
            if rest.iter().any(|arg| arg == b"--help" || arg == b"-h")
                && let Some(page) = commands::page(&String::from_utf8_lossy(word), rest)
            {
                self.args = &[];
                self.asked.push(Asked::Page(page));
                return Ok(());
            }
            if let Some(work) = commands::work(word, rest)? {
                self.given.config = work.config().or_else(|| self.given.config.take());
                for text in work.macros() {
                    self.macro_option(&[b"-D", text].concat(), text)?;
                }
                self.args = &[];
                self.asked.push(Asked::Command(work));
                return Ok(());
            }
        }
        match self.args.first() {
            Some(word) if !self.given.recipients_in_header && !word.contains(&b'@') => {
                Err(unknown_command(&String::from_utf8_lossy(word)))
            }
            _ => Ok(()),
        }
    }
}

/// A word that nobody knows, and what could have been meant.
fn unknown_command(word: &str) -> Stop {
    let names: Vec<String> = commands::names().map(|(name, _)| name).collect();
    let near = eximious::check::nearest(word, names.iter().map(String::as_str));
    let hint = match near.first() {
        _ if switches::about(&format!("-{word}")).is_some() => {
            format!("did you mean \"eximious -{word}\"?")
        }
        Some(near) => format!("did you mean \"eximious {near}\"?"),
        None if word == "version" => "did you mean \"eximious -bV\"?".to_owned(),
        None => "\"eximious help\" shows the commands".to_owned(),
    };
    let way = format!("(For a message to the local user: eximious -bm {word})");
    Stop(format!("eximious: no command \"{word}\"; {hint}\n{way}").into())
}
