//! The prompt: at a terminal, from a pipe, or from a script.

mod command;
mod desk;
mod held;
mod helper;
mod worker;

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, IsTerminal, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eximious::world::{Files, Host};
use eximious::{Canceller, Engine};
use eximious_workbench::debugger::Resume;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Behavior, CompletionType, Config, Editor};

use crate::input::Lines;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;
use command::{PromptWord, Typed};
use desk::Desk;
use eximious::complete::is_open;
use helper::Words;
use worker::Worker;

pub use command::page;
pub use desk::Again as Beginning;

/// Said once, where the program was started without being told what to do.
const GREETING: &str = "Type a string to see what it expands to: ${uc:hello}\n\
    \"help\" says what else there is, Tab completes names, \":quit\" or Ctrl-D leaves.\n";

/// Said of a line whose bytes are no text.
const NO_UTF_8: &[u8] = b"that is no UTF-8, and is dropped: \\xFC stands for such a byte\n";

/// How large a script may be.
const LARGEST: u64 = 16 << 20;

/// How deep scripts may load each other.
const MOST_LOADS: u32 = 16;

/// What there is to be done at the prompt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PromptRequest {
    /// `--session`: lines that are carried out first.
    pub session: Option<Vec<u8>>,
    /// `--script`: lines that are carried out instead of what is typed.
    pub script: Option<Vec<u8>>,
}

/// Where lines come from.
enum Source {
    Terminal(Box<Editor<Words, DefaultHistory>>, Option<PathBuf>),
    /// They are shown as if they had been typed.
    Text(Box<dyn BufRead>),
}

/// The prompt, and the thread that works for it.
struct Prompt {
    worker: Worker,
    output: Arc<Output>,
    files: Arc<dyn Files>,
    /// What was typed, for `:save`.
    typed: Vec<Vec<u8>>,
    /// How the run went on the last time.
    resumed: Option<Resume>,
}

/// Reads lines until there are no more.
///
/// # Errors
/// The standard output can't be written, or a script can't be read.
pub fn run(
    mut session: Session,
    greet: bool,
    request: &PromptRequest,
    again: Beginning,
) -> io::Result<()> {
    let engine = session.engine().clone();
    // Ctrl-C ends an evaluation, and what it waits for.
    let canceller = session.context().canceller();
    eximious_world::interrupts(canceller.flag())?;
    let (worker, place) = worker::ends();
    let (output, files) = (again.output.clone(), engine.world().files.clone());
    let message = again.setup.message.clone();
    let desk = Desk::new(session, again, place.front());
    let request = request.clone();
    // What was read already is kept as if it had been typed.
    let message = message.iter().map(|file| [b":message ", &file[..]].concat());
    let typed = message.collect();
    let prompt = Prompt { worker, output, files, typed, resumed: None };
    let reader = std::thread::Builder::new()
        .name("prompt".to_owned())
        .spawn(move || prompt.run(&engine, greet, &request, &canceller))?;
    place.work(desk);
    reader.join().unwrap_or_else(|_| Err(io::Error::other("the prompt ended by a fault")))
}

impl Prompt {
    /// Reads lines until there are no more.
    fn run(
        mut self,
        engine: &Engine,
        greet: bool,
        request: &PromptRequest,
        canceller: &Canceller,
    ) -> io::Result<()> {
        let mut source = source(engine, request)?;
        if greet && matches!(source, Source::Terminal(..)) {
            self.output.put(GREETING.as_bytes(), b"")?;
        }
        if let Some(file) = &request.session {
            self.load(file, 0)?;
        }
        loop {
            self.output.flush()?;
            let mark = source.mark(self.worker.is_held());
            if let Source::Terminal(editor, _) = &mut source
                && let Some(words) = editor.helper()
                && !self.worker.is_held()
            {
                let (tell, told) = std::sync::mpsc::channel();
                self.worker.work(move |desk| {
                    let _ = tell.send(desk.known_words());
                    Vec::new()
                });
                words.know(told.recv().unwrap_or_default());
            }
            let line = source.next(mark, &self.output)?;
            canceller.reset();
            match line {
                Some(line) if !self.obey(&line, 0)? => {}
                _ => break,
            }
        }
        self.output.flush()
    }
}

fn source(engine: &Engine, request: &PromptRequest) -> io::Result<Source> {
    if let Some(file) = &request.script {
        let text = engine.world().files.read(file, LARGEST).map_err(|why| {
            let file = String::from_utf8_lossy(file);
            io::Error::other(format!("{file}: {}", eximious::stdlib::wording::reason(&why)))
        })?;
        return Ok(Source::Text(Box::new(io::Cursor::new(text.to_vec()))));
    }
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Ok(Source::Text(Box::new(io::BufReader::new(io::stdin()))));
    }
    let mut editor = editor(engine).map_err(io::Error::other)?;
    let history = history_file(&*engine.world().host);
    if let Some(path) = &history {
        // The first time, there is none.
        let _ = editor.load_history(path);
    }
    Ok(Source::Terminal(Box::new(editor), history))
}

impl Source {
    /// What stands before a line. Transcripts tell their lines from those of shells.
    fn mark(&self, is_held: bool) -> &'static str {
        match self {
            _ if is_held => "(held) ",
            Self::Terminal(..) => "> ",
            Self::Text(_) => "eximious> ",
        }
    }

    /// The next line; nothing at the end.
    fn next(&mut self, mark: &str, output: &Output) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Terminal(editor, history) => loop {
                match editor.readline(mark) {
                    Ok(typed) => {
                        let _ = editor.add_history_entry(typed.as_str());
                        if let Some(path) = history {
                            // The program may end in another way than by leaving.
                            save(editor, path);
                        }
                        return Ok(Some(typed.into_bytes()));
                    }
                    // What was typed is dropped, as a shell does.
                    Err(ReadlineError::Interrupted) => {}
                    Err(ReadlineError::Eof) => return Ok(None),
                    // So is what can't be read.
                    Err(ReadlineError::Io(why)) if why.kind() == io::ErrorKind::InvalidData => {
                        output.put(NO_UTF_8, b"")?;
                        output.flush()?;
                    }
                    Err(why) => return Err(io::Error::other(why)),
                }
            },
            Self::Text(lines) => {
                let Some(mut line) = physical(lines)? else { return Ok(None) };
                // As at a terminal, a line within braces goes on.
                while is_within(&line)
                    && !command::is_plain(&line)
                    && let Some(more) = physical(lines)?
                    && !more.is_empty()
                {
                    line.push(b'\n');
                    line.extend_from_slice(&more);
                }
                output.put(&[mark.as_bytes(), &line].concat(), b"\n")?;
                Ok(Some(line))
            }
        }
    }
}

/// How long a line of a script may be.
const LONGEST: u64 = 1 << 20;

/// A line, without its end.
fn physical(lines: &mut Box<dyn BufRead>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if lines.take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    line.pop_if(|last| *last == b'\n');
    Ok(Some(line))
}

impl Prompt {
    /// Carries out what was typed; true where that was to leave.
    fn obey(&mut self, typed: &[u8], depth: u32) -> io::Result<bool> {
        let joined;
        let typed = match typed.contains(&b'\n') && command::is_command(typed) {
            true => {
                joined = closed(typed);
                &joined
            }
            false => typed,
        };
        let progress = Progress::of("evaluating; Ctrl-C ends it");
        let said = match command::of_line(typed) {
            Some(Typed::Command(PromptWord::Quit, _)) => return Ok(true),
            // Whoever carries out the lines again does not want them kept again.
            Some(Typed::Command(PromptWord::Save, file)) => {
                let said = self.save(file);
                self.output.put(&said, b"")?;
                return Ok(false);
            }
            Some(Typed::Command(PromptWord::Load, file)) => return self.load(file, depth),
            // As in other debuggers, an empty line does the same once more.
            None if typed.is_empty() && self.worker.is_held() => {
                self.resume(self.resumed.unwrap_or(Resume::Step))
            }
            _ if self.worker.is_held() => self.look(typed),
            _ => {
                let line = typed.to_owned();
                self.worker.work(move |desk| desk.obey(&line))
            }
        };
        drop(progress);
        self.typed.push(typed.to_owned());
        self.output.put(&said, b"")?;
        Ok(false)
    }

    /// What is typed while a run is held up.
    fn look(&mut self, typed: &[u8]) -> Vec<u8> {
        let Some(Typed::Command(word, rest)) = command::of_line(typed) else {
            let text = closed(typed);
            return self.worker.look(move |halt| held::expand(halt, &text));
        };
        let resume = match word {
            PromptWord::Step => Some(Resume::Step),
            PromptWord::Next => Some(Resume::Next),
            PromptWord::Finish => Some(Resume::Finish),
            PromptWord::Continue => Some(Resume::Continue),
            _ => None,
        };
        if let Some(resume) = resume {
            return self.resume(resume);
        }
        if word == PromptWord::Set {
            return match desk::assignment(rest) {
                Ok((name, value, is_clean)) => {
                    let (name, value) = (name.to_owned(), value.to_vec());
                    self.worker.look(move |halt| held::set(halt, &name, &value, is_clean))
                }
                Err(why) => why.into_bytes(),
            };
        }
        match held::look(word) {
            Some(look) if word != PromptWord::Trace || rest.is_empty() => {
                let rest = String::from_utf8_lossy(rest).into_owned();
                self.worker.look(move |halt| look(halt, &rest))
            }
            _ if word == PromptWord::Help && rest.is_empty() => command::page().into_bytes(),
            _ => held::BUSY.to_vec(),
        }
    }

    fn resume(&mut self, resume: Resume) -> Vec<u8> {
        self.resumed = Some(resume);
        self.worker.resume(resume)
    }

    /// Carries out what stands in a file; true where that was to leave.
    fn load(&mut self, file: &[u8], depth: u32) -> io::Result<bool> {
        if depth >= MOST_LOADS {
            self.output.put(b"files load each other too deep\n", b"")?;
            return Ok(false);
        }
        let text = match self.files.read(file, LARGEST) {
            Ok(text) => text,
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                self.output.put(&[file, b": ", why.as_bytes()].concat(), b"\n")?;
                return Ok(false);
            }
        };
        let mut lines = Source::Text(Box::new(io::Cursor::new(text.to_vec())));
        loop {
            let mark = lines.mark(self.worker.is_held());
            match lines.next(mark, &self.output)? {
                Some(line) if self.obey(&line, depth + 1)? => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    fn save(&self, file: &[u8]) -> Vec<u8> {
        if file.is_empty() {
            return b":save wants a file\n".to_vec();
        }
        let text: Vec<u8> =
            self.typed.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
        match eximious_world::write_file(Path::new(OsStr::from_bytes(file)), &text) {
            Ok(()) => Vec::new(),
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                [file, b": ", why.as_bytes(), b"\n"].concat()
            }
        }
    }
}

fn editor(engine: &Engine) -> rustyline::Result<Editor<Words, DefaultHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .behavior(Behavior::Stdio)
        .max_history_size(1000)?
        .history_ignore_dups(true)?
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Words::new(engine.clone())));
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

fn save(editor: &mut Editor<Words, DefaultHistory>, path: &Path) {
    // A history that can't be kept is no reason to complain at the end.
    if let Some(parent) = path.parent() {
        let _ = eximious_world::make_directory(parent);
    }
    let _ = editor.append_history(path);
}

/// The text with lines joined that end within braces.
fn closed(typed: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for line in typed.split(|c| *c == b'\n') {
        if !out.is_empty() && !is_within(out.rsplit(|c| *c == b'\n').next().unwrap_or_default()) {
            out.push(b'\n');
        }
        let within = !out.is_empty() && !out.ends_with(b"\n");
        out.extend_from_slice(if within { line.trim_ascii_start() } else { line });
    }
    out
}

/// Whether a line ends within braces, whatever bytes it has.
fn is_within(line: &[u8]) -> bool {
    is_open(&String::from_utf8_lossy(line))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_within_braces_are_one() {
        assert_eq!(
            closed(b"${if eq{a}{a}\n  {\xfc}\n  {no}}\nb\\\nc"),
            b"${if eq{a}{a}{\xfc}{no}}\nb\\\nc"
        );
        assert_eq!(closed(b"a\n\nb"), b"a\n\nb");
    }

    #[test]
    fn pasted_lines_are_separate_unless_joined() {
        assert_eq!(joined(b"a\\\n  b\nc").unwrap(), [b"ab".to_vec(), b"c".to_vec()]);
        assert_eq!(joined(&vec![b'x'; 5000]).unwrap()[0].len(), 5000);
    }
}
