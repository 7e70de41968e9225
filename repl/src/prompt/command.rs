//! Commands of the prompt: `help`, and what begins with a colon.

use rustyline::completion::Pair;

/// What a line at the prompt asks for, other than an expansion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PromptCommand<'l> {
    /// `help`, `help NAME`.
    Help(&'l str),
    /// `:list`, `:list KIND`.
    List(&'l str),
    /// `:set NAME = text`.
    Set(&'l str),
    /// `:message FILE`.
    Message(&'l str),
    /// `:quit`.
    Quit,
    /// A colon with something else after it.
    Unknown(&'l str),
}

/// Their names, and what each does.
const COMMANDS: [(&str, &str); 5] = [
    (":help", "what can be typed here"),
    (":list", "all words, or those of one kind"),
    (":message", "reads a message from a file"),
    (":quit", "leaves"),
    (":set", "gives a variable a value"),
];

/// The command that a line is, if it is one.
pub fn of_line(line: &str) -> Option<PromptCommand<'_>> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    Some(match word {
        "help" | ":help" => PromptCommand::Help(rest),
        ":list" => PromptCommand::List(rest),
        ":message" => PromptCommand::Message(rest),
        ":q" | ":quit" => PromptCommand::Quit,
        ":set" => PromptCommand::Set(rest),
        _ if word.starts_with(':') => PromptCommand::Unknown(word),
        _ => return None,
    })
}

/// Whether a line is a command, or is about to be one.
pub fn is_command(line: &str) -> bool {
    of_line(line).is_some()
}

/// The names that begin so.
pub fn names(start: &str) -> Vec<Pair> {
    let found = COMMANDS.iter().filter(|(name, _)| name.starts_with(start));
    let pair = |(name, what): &(&str, &str)| Pair {
        display: format!("{name}  {what}"),
        replacement: (*name).to_owned(),
    };
    found.map(pair).collect()
}

/// The part of a name after `help `, while it is typed.
pub fn name_of_help(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("help ").or_else(|| line.strip_prefix(":help "))?;
    Some(rest.trim_start().trim_start_matches(['$', '{']))
}

/// The names of all commands.
pub fn all() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_not_expansions() {
        assert_eq!(of_line("help"), Some(PromptCommand::Help("")));
        assert_eq!(of_line("help  sg "), Some(PromptCommand::Help("sg")));
        assert_eq!(of_line(":quit"), Some(PromptCommand::Quit));
        assert_eq!(of_line(":foo bar"), Some(PromptCommand::Unknown(":foo")));
        for line in ["helpless", " help", "${uc:a}", "set acl_m_x = 1", ""] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }
}
