//! The prompt at a terminal.

mod command;
mod helper;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use eximious::check;
use eximious::world::Host;
use eximious::{MacroError, Registry, Str};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Behavior, CompletionType, Config, Editor};

use crate::input::Lines;
use crate::message::Reading;
use crate::output::Output;
use crate::refusal::Refusal;
use crate::session::{Answer, Session};
use crate::suggest::meant;
use crate::{help, list, message, words};
use command::PromptCommand;
use eximious::complete::is_open;
use helper::Words;

/// Said once, where the program was started without being told what to do.
const GREETING: &str = "Type a string to see what it expands to: ${uc:hello}\n\
    \"help\" says what else there is, Tab completes names, \":quit\" or Ctrl-D leaves.\n";

/// Why a line such as `Hello` is not expanded.
const CAPITAL: &str = "A line that begins with a capital letter defines a macro: NAME = text.\n\
    Put a space before it to have it expanded.\n";

/// Reads lines until there are no more.
pub fn run(
    mut session: Session,
    greet: bool,
    reading: &Reading,
    output: &Output,
) -> io::Result<()> {
    let mut editor = editor(&session).map_err(io::Error::other)?;
    let history = history_file(&*session.engine().world().host);
    if let Some(path) = &history {
        // The first time, there is none.
        let _ = editor.load_history(path);
    }
    if greet {
        output.put(GREETING.as_bytes(), b"")?;
    }
    // Ctrl-C ends an evaluation, and what it waits for.
    let canceller = session.context().canceller();
    eximious_world::interrupts(canceller.flag())?;
    loop {
        output.flush()?;
        if let Some(words) = editor.helper() {
            words.know_headers(session.context());
        }
        let line = editor.readline("> ");
        canceller.reset();
        match line {
            Ok(typed) => {
                let _ = editor.add_history_entry(typed.as_str());
                if let Some(path) = &history {
                    // The program may end in another way than by leaving.
                    save(&mut editor, path);
                }
                if obey(&mut session, &typed, reading, output)? {
                    break;
                }
            }
            // What was typed is dropped, as a shell does.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(why) => return Err(io::Error::other(why)),
        }
    }
    output.flush()
}

fn editor(session: &Session) -> rustyline::Result<Editor<Words, DefaultHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .behavior(Behavior::Stdio)
        .max_history_size(1000)?
        .history_ignore_dups(true)?
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Words::new(session.engine().clone())));
    Ok(editor)
}

/// Where the history is kept: the XDG base directories' rule for state.
fn history_file(host: &dyn Host) -> Option<PathBuf> {
    let path = |bytes: Vec<u8>| {
        Some(PathBuf::from(OsString::from_vec(bytes))).filter(|path| path.is_absolute())
    };
    let state = match host.environment(b"XDG_STATE_HOME").and_then(path) {
        Some(state) => state,
        None => path(host.environment(b"HOME")?)?.join(".local/state"),
    };
    Some(state.join("eximious/history"))
}

fn save(editor: &mut Editor<Words, DefaultHistory>, path: &std::path::Path) {
    // A history that can't be kept is no reason to complain at the end.
    if let Some(parent) = path.parent() {
        let _ = eximious_world::make_directory(parent);
    }
    let _ = editor.append_history(path);
}

/// Carries out what was typed; true where that was to leave.
fn obey(
    session: &mut Session,
    typed: &str,
    reading: &Reading,
    output: &Output,
) -> io::Result<bool> {
    if let Some(command) = command::of_line(typed) {
        if command == PromptCommand::Quit {
            return Ok(true);
        }
        let said = carry_out(command, session, reading);
        output.put(said.as_bytes(), b"")?;
        return Ok(false);
    }
    for line in joined(closed(typed).as_bytes())? {
        match session.answer(&line) {
            Answer::Value(value) => output.put(value.bytes(), b"\n")?,
            Answer::Said(text) => output.put(&text, b"\n")?,
            Answer::Failed(fail) | Answer::NotSet(fail) => {
                output.put(&failed(session.engine().registry(), &fail), b"")?;
            }
            Answer::Wrong(complaint, why) => {
                output.put(&complaint, b"\n")?;
                if why == MacroError::Malformed {
                    output.put(CAPITAL.as_bytes(), b"")?;
                }
            }
        }
    }
    Ok(false)
}

/// The complaint, and where in the line the fault is.
fn failed(registry: &Registry, fail: &eximious::Fail) -> Vec<u8> {
    let mut text = [b"Failed: ", fail.message(), b"\n"].concat();
    if fail.place().is_some() {
        let excerpt = format!("{fail:#}");
        // Its first line says once more what is wrong.
        for line in excerpt.lines().skip(1) {
            text.extend_from_slice(line.trim_end().as_bytes());
            text.push(b'\n');
        }
    }
    if let Some(near) = meant(registry, &String::from_utf8_lossy(fail.message())) {
        text.extend_from_slice(format!("Did you mean {near}?\n").as_bytes());
    }
    text
}

/// The text with lines joined that end within braces.
fn closed(typed: &str) -> String {
    let mut out = String::new();
    for line in typed.split('\n') {
        if !out.is_empty() && !is_open(out.rsplit('\n').next().unwrap_or_default()) {
            out.push('\n');
        }
        let within = !out.is_empty() && !out.ends_with('\n');
        out += if within { line.trim_start() } else { line };
    }
    out
}

/// What was typed as logical lines, however many a paste has.
fn joined(typed: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut lines = Lines::unlimited(typed.chain(&b"\n"[..]));
    let mut all = Vec::new();
    while let Some(line) = lines.next(&mut || Ok(()))? {
        all.push(line.to_vec());
    }
    Ok(all)
}

fn carry_out(command: PromptCommand<'_>, session: &mut Session, reading: &Reading) -> String {
    let registry = session.engine().registry();
    let said = match command {
        PromptCommand::Help("") => Ok(help::PROMPT.to_owned()),
        PromptCommand::Help(name) => help::pages(registry, name),
        PromptCommand::List(kind) => {
            list::list(registry, false, Some(kind).filter(|kind| !kind.is_empty()))
        }
        PromptCommand::Set(text) => set(session, text),
        PromptCommand::Message(file) => match message::load(session, file.as_bytes(), reading) {
            Ok(said) => Ok(String::from_utf8_lossy(&said).into_owned()),
            Err(Refusal::Said(why) | Refusal::Logged(why)) => {
                Err(String::from_utf8_lossy(&why).into_owned())
            }
        },
        PromptCommand::Quit => Ok(String::new()),
        PromptCommand::Unknown(name) => Err(match check::nearest(name, command::all()).first() {
            Some(near) => format!("there is no {name}: did you mean {near}?"),
            None => format!("there is no {name}: \"help\" says what there is"),
        }),
    };
    match said {
        Ok(text) => text,
        Err(why) => format!("{why}\n"),
    }
}

/// `NAME = text`: the text is expanded.
fn set(session: &mut Session, text: &str) -> Result<String, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(":set wants a name and a text: :set sender_address = a@b.example".to_owned());
    };
    let name = name.trim().trim_start_matches('$');
    if words::named(session.engine().registry(), name)
        .iter()
        .all(|w| w.kind != words::Kind::Variable)
    {
        return Err(format!("there is no variable called \"{name}\""));
    }
    match session.expand(value.trim().as_bytes()) {
        Ok(value) => {
            // Whatever is set so stands for what a client or a message says.
            session.set(name.as_bytes(), Str::tainted(value.bytes()));
            Ok(String::new())
        }
        Err(fail) => Err(format!("Failed: {fail}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_within_braces_are_one() {
        assert_eq!(
            closed("${if eq{a}{a}\n  {yes}\n  {no}}\nb\\\nc"),
            "${if eq{a}{a}{yes}{no}}\nb\\\nc"
        );
        assert_eq!(closed("a\n\nb"), "a\n\nb");
    }

    #[test]
    fn pasted_lines_are_separate_unless_joined() {
        assert_eq!(joined(b"a\\\n  b\nc").unwrap(), [b"ab".to_vec(), b"c".to_vec()]);
        assert_eq!(joined(&vec![b'x'; 5000]).unwrap()[0].len(), 5000);
    }
}
