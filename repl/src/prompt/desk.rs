//! What is typed while no run is held up, and what it works on.

use std::net::SocketAddr;
use std::sync::Arc;

use eximious::check;
use eximious::{Config, Context, Decision, MacroError, Registry, Str, var};
use eximious_workbench::ast::ast;
use eximious_workbench::bench::{AclQuestion, Bench, verdict_word};
use eximious_workbench::debugger::{Debugger, Front, Resume};
use eximious_workbench::dialogue::Said;
use eximious_workbench::record::StepRole;
use eximious_workbench::trace::{TextStyle, lines, quoted};
use eximious_workbench::tree::TraceNode;
use eximious_workbench::variables;

use super::command::{self, PromptWord, Typed};
use super::held;
use super::helper::KnownWords;
use crate::commands::{help, list};
use crate::message::{self, Reading};
use crate::output::{self, Output};
use crate::refusal::Refusal;
use crate::session::{Answer, Session, Setup};
use crate::suggest::meant;
use crate::words;

/// How large a message may be.
const LARGEST: u64 = 64 << 20;

/// How long `:time` goes on at the most, in microseconds, and how often.
const MOST_TIME: u128 = 500_000;
const MOST_TIMES: u32 = 10_000;

/// Why a line such as `Hello` is not expanded.
const CAPITAL: &str = "A line that begins with a capital letter defines a macro: NAME = text.\n\
    Put a space before it to have it expanded.\n";

/// Said where there is nobody to talk to.
const NOBODY: &str = "nobody is connected: :from 192.0.2.1\n";

/// A session, and its configuration on the bench.
pub struct Desk {
    session: Session,
    bench: Bench,
    debugger: Arc<Debugger>,
    again: Again,
    /// The file of the message that `:message` has read.
    message: Option<String>,
}

/// What it takes to begin anew.
#[derive(Clone)]
pub struct Again {
    /// What the session begins with.
    pub setup: Setup,
    /// How messages are read.
    pub reading: Reading,
    /// The standard output, which log lines wait for.
    pub output: Arc<Output>,
}

impl Desk {
    /// A session on the bench; the front is asked where its runs are held up.
    pub fn new(mut session: Session, again: Again, front: Box<dyn Front>) -> Self {
        let mut bench = on_bench(&mut session);
        let debugger = bench.debug_with(front);
        let message = again.setup.message.as_deref();
        let message = message.map(|file| String::from_utf8_lossy(file).into_owned());
        Self { session, bench, debugger, again, message }
    }

    /// What has names in the configuration and the message at hand.
    pub fn known_words(&mut self) -> KnownWords {
        let headers = self.context().message().map_or(&[][..], |message| &message.headers);
        let header = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
        let headers = headers.iter().map(|one| header(&one.name)).collect();
        let config = self.bench.loaded().config();
        KnownWords {
            headers,
            acls: config.acls.iter().map(|acl| acl.name.display().into_owned()).collect(),
            routers: config.routers.iter().map(|one| one.name.display().into_owned()).collect(),
        }
    }

    /// The values of the conversation at hand, or of the prompt.
    fn context(&mut self) -> &mut Context {
        match self.bench.talk() {
            Some(talk) => talk.context(),
            None => self.session.context(),
        }
    }

    /// Carries out a line.
    pub fn obey(&mut self, typed: &[u8]) -> Vec<u8> {
        match command::of_line(typed) {
            Some(Typed::Command(word, rest)) => self.command(word, rest).into_bytes(),
            Some(Typed::Unknown(name)) => unknown(&String::from_utf8_lossy(name)).into_bytes(),
            None => self.answer(typed),
        }
    }

    fn registry(&self) -> &Registry {
        self.session.engine().registry()
    }

    /// What comes of lines that are no commands.
    fn answer(&mut self, typed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        // What is typed sees the conversation at hand.
        if let Some(talk) = self.bench.talk() {
            std::mem::swap(talk.context(), self.session.context());
        }
        for line in super::joined(&super::closed(typed)).unwrap_or_default() {
            match self.session.answer(&line) {
                Answer::Value(value) => out.extend([value.bytes(), b"\n"].concat()),
                Answer::Said(text) => out.extend([&text[..], b"\n"].concat()),
                Answer::Failed(fail) | Answer::NotSet(fail) => {
                    out.extend(failed(self.registry(), &fail));
                }
                Answer::Wrong(complaint, why) => {
                    out.extend([&complaint[..], b"\n"].concat());
                    if why == MacroError::Malformed {
                        out.extend(CAPITAL.as_bytes());
                    }
                }
            }
        }
        if let Some(talk) = self.bench.talk() {
            std::mem::swap(talk.context(), self.session.context());
        }
        out
    }

    fn command(&mut self, word: PromptWord, rest: &[u8]) -> String {
        let text = &*String::from_utf8_lossy(rest);
        match word {
            PromptWord::Help if rest.is_empty() => command::page(),
            PromptWord::Help => match command::about(text) {
                Some(line) => line,
                None => said(help::pages_of_line(self.registry(), text)),
            },
            PromptWord::List => {
                said(list::list(self.registry(), false, Some(text).filter(|kind| !kind.is_empty())))
            }
            PromptWord::Set => self.set(rest),
            PromptWord::Message => self.read_message(text),
            PromptWord::Ast => ast(self.registry(), rest).join("\n") + "\n",
            PromptWord::Trace => self.trace(rest),
            PromptWord::TaintOf => self.taint(rest),
            PromptWord::Time => self.time(rest),
            PromptWord::Vars => held::listed(&variables::with_values(self.context(), text)),
            PromptWord::From => self.connect(text),
            PromptWord::Hello => self.say(&[b"EHLO ", rest].concat()),
            PromptWord::Mail => self.say(&[b"MAIL FROM:", &in_brackets(rest)[..]].concat()),
            PromptWord::Recipient => self.say(&[b"RCPT TO:", &in_brackets(rest)[..]].concat()),
            PromptWord::Smtp => self.say(rest),
            PromptWord::Data => self.data(text),
            PromptWord::Hangup => match self.bench.hang_up() {
                Some(said) => self.told(&said),
                None => NOBODY.to_owned(),
            },
            PromptWord::Acl => self.ask_acl(text),
            PromptWord::Route => self.route(rest),
            PromptWord::Why => held::reasons(&self.bench.happened()),
            PromptWord::Break => self.debugger.change(|points| held::break_at(points, text)),
            PromptWord::Watch => self.debugger.change(|points| held::watch(points, text)),
            PromptWord::Delete => self.debugger.change(|points| held::delete(points, text)),
            PromptWord::Step => {
                self.bench.begin_with(Resume::Step);
                "the next run stops at its first step\n".to_owned()
            }
            PromptWord::Reload => self.reload(),
            PromptWord::Next
            | PromptWord::Finish
            | PromptWord::Continue
            | PromptWord::Back
            | PromptWord::Forward
            | PromptWord::Where
            | PromptWord::Frames => {
                "no run is held up: set a breakpoint (:break acl_check_rcpt) or begin with :step\n"
                    .to_owned()
            }
            // The prompt itself does that.
            PromptWord::Load | PromptWord::Save | PromptWord::Quit => String::new(),
        }
    }

    /// `NAME = text`, `clean NAME = text`: the text is expanded.
    fn set(&mut self, text: &[u8]) -> String {
        let (name, value, is_clean) = match assignment(text) {
            Ok(found) => found,
            Err(why) => return why,
        };
        if words::named(self.registry(), name).iter().all(|w| w.kind != words::Kind::Variable) {
            return format!("there is no variable called \"{name}\"\n");
        }
        let (name, cx) = (name.to_owned(), self.context());
        let engine = cx.engine().clone();
        match engine.expand_once(value, cx) {
            Ok(value) => {
                // Whatever is set so stands for what a client or a message says.
                let value = match is_clean {
                    true => Str::clean(value.bytes()),
                    false => Str::tainted(value.bytes()),
                };
                cx.set(name, value);
                String::new()
            }
            Err(fail) => format!("Failed: {fail}\n"),
        }
    }

    fn read_message(&mut self, file: &str) -> String {
        let reading = self.again.reading.clone();
        match message::load(&mut self.session, file.as_bytes(), &reading) {
            Ok(said) => {
                self.message = Some(file.to_owned());
                String::from_utf8_lossy(&said).into_owned()
            }
            Err(Refusal::Said(why) | Refusal::Logged(why)) => {
                format!("{}\n", String::from_utf8_lossy(&why))
            }
        }
    }

    /// Runs something that is recorded, beside the values at hand.
    fn beside<T>(&mut self, work: impl FnOnce(&mut Bench, &Context) -> T) -> T {
        let like = self.context().branch();
        work(&mut self.bench, &like)
    }

    /// The values at hand; where a conversation has no message yet, with that of `:message`.
    fn with_message(&mut self) -> Context {
        let mut like = self.context().branch();
        if like.message().is_none()
            && let Some(message) = self.session.context().message().cloned()
        {
            like.set_message(Some(message));
            let size = self.session.context().value_of(var::MESSAGE_SIZE);
            like.set_var(var::MESSAGE_SIZE, size);
        }
        like
    }

    fn trace(&mut self, text: &[u8]) -> String {
        if text.is_empty() {
            return tree(&self.bench.happened());
        }
        // What comes of it is the tree's first line.
        let _ = self.beside(|bench, like| bench.expand(like, text));
        self.logged() + &tree(&self.bench.happened())
    }

    fn taint(&mut self, text: &[u8]) -> String {
        let value = match self.beside(|bench, like| bench.expand(like, text)) {
            Ok(value) => value,
            Err(fail) => return format!("Failed: {fail}\n"),
        };
        let mut out = match value.taint() {
            eximious::Taint::Clean => "clean".to_owned(),
            eximious::Taint::Quoted(id) => {
                format!("tainted, and quoted for {}", self.registry().lookup_at(id).meta.name)
            }
            eximious::Taint::Tainted => "tainted".to_owned(),
        };
        out += &format!(": {}\n", quoted(&Str::clean(value.bytes())));
        for node in self.bench.happened() {
            node.walk(&mut |node| {
                let is_leaf = node.parts.iter().all(|part| !is_tainted(part));
                let is_piece =
                    matches!(node.step.role, StepRole::Opens | StepRole::Gathers) && is_leaf;
                if is_piece && node.step.name != "string" && is_tainted(node) {
                    let text = node.text("text");
                    out += &format!("  {} {}\n", node.step.name, text.display());
                }
            });
        }
        out
    }

    fn time(&mut self, text: &[u8]) -> String {
        let clock = self.session.engine().world().clock.clone();
        let began = clock.elapsed();
        let mut times = 0;
        while times < MOST_TIMES {
            if let Err(fail) = self.beside(|_, like| {
                let mut cx = like.branch();
                cx.engine().clone().expand_once(text, &mut cx)
            }) {
                return format!("Failed: {fail}\n");
            }
            times += 1;
            if (clock.elapsed() - began).as_micros() > MOST_TIME {
                break;
            }
        }
        let each = (clock.elapsed() - began).as_nanos() / u128::from(times);
        let each = match each {
            0..10_000 => format!("{each} ns"),
            10_000..10_000_000 => format!("{} µs", each / 1000),
            _ => format!("{} ms", each / 1_000_000),
        };
        format!("{each} each, {times} times\n")
    }

    fn connect(&mut self, rest: &str) -> String {
        let (client, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let client: SocketAddr = match client.parse().or_else(|_| {
            let address: Result<std::net::IpAddr, _> = client.parse();
            address.map(|address| SocketAddr::new(address, 0))
        }) {
            Ok(client) => client,
            Err(_) => return ":from wants an address: :from 192.0.2.1 mx.example\n".to_owned(),
        };
        let like = self.session.context().branch();
        let said = self.bench.connect(&like, client);
        let mut out = self.told(&said);
        if !name.trim().is_empty() && self.bench.talk().is_some() {
            out += &self.say(format!("EHLO {}", name.trim()).as_bytes());
        }
        out
    }

    fn say(&mut self, line: &[u8]) -> String {
        match self.bench.say(line) {
            Some(said) => format!("C: {}\n{}", String::from_utf8_lossy(line), self.told(&said)),
            None => NOBODY.to_owned(),
        }
    }

    fn data(&mut self, file: &str) -> String {
        let file = match (file.is_empty(), &self.message) {
            (false, _) => file.to_owned(),
            (true, Some(file)) => file.clone(),
            (true, None) => return ":data wants a file with a message\n".to_owned(),
        };
        let files = self.session.engine().world().files.clone();
        match files.read(file.as_bytes(), LARGEST) {
            Ok(message) => match self.bench.data(&message) {
                Some(said) => format!("C: DATA, {file}\n{}", self.told(&said)),
                None => NOBODY.to_owned(),
            },
            Err(why) => format!("{file}: {}\n", eximious::stdlib::wording::reason(&why)),
        }
    }

    /// What the server says, and what it logs.
    fn told(&mut self, said: &Said) -> String {
        let mut out = String::new();
        for line in String::from_utf8_lossy(&said.reply).lines() {
            out += &format!("S: {line}\n");
        }
        if said.delay > 0 {
            out += &format!("(it would have waited {} ms)\n", said.delay);
        }
        out += &self.logged();
        if self.bench.talk().is_none() {
            out += "(the connection is closed)\n";
        }
        out
    }

    fn logged(&mut self) -> String {
        self.bench.log_lines().iter().map(|line| format!("LOG: {}\n", line.display())).collect()
    }

    fn ask_acl(&mut self, rest: &str) -> String {
        let (name, recipient) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let known = self.bench.loaded().acl(name).is_some();
        if !known {
            let config = self.bench.loaded().config();
            let names: Vec<_> =
                config.acls.iter().map(|acl| acl.name.display().into_owned()).collect();
            let near = check::nearest(name, names.iter().map(String::as_str));
            return match near.first() {
                Some(near) => format!("there is no ACL {name}: did you mean {near}?\n"),
                None => format!("there is no ACL {name}; there are: {}\n", names.join(" ")),
            };
        }
        let mut question = AclQuestion::new(name);
        let cx = self.context();
        if let Ok(client) = cx.value_of(var::SENDER_HOST_ADDRESS).display().parse() {
            question.client.set_ip(client);
        }
        if let Ok(port) = cx.value_of(var::SENDER_HOST_PORT).display().parse() {
            question.client.set_port(port);
        }
        question.helo = cx.value_of(var::SENDER_HELO_NAME).display().into_owned();
        question.sender = cx.value_of(var::SENDER_ADDRESS).display().into_owned();
        question.recipient = Some(recipient.trim().to_owned()).filter(|one| !one.is_empty());
        let like = self.with_message();
        let decision = self.bench.ask_acl(&like, &question);
        let mut out = self.logged();
        out += &decided(&decision);
        out
    }

    fn route(&mut self, address: &[u8]) -> String {
        if address.is_empty() {
            return ":route wants an address\n".to_owned();
        }
        let like = self.with_message();
        let fates = self.bench.route(&like, address);
        let logged = self.logged();
        logged + &fates.iter().map(|fate| format!("{fate}\n")).collect::<String>()
    }

    /// Reads the configuration anew; the old one stays where that fails.
    fn reload(&mut self) -> String {
        let world = output::world(&self.again.output);
        match Session::start(self.again.setup.clone(), world) {
            Ok(session) => {
                self.session = session;
                let front = self.debugger.take_front();
                let points = self.debugger.change(std::mem::take);
                self.bench = on_bench(&mut self.session);
                self.debugger = self.bench.debug_with(front);
                self.debugger.change(|own| own.take_over(points));
                "read anew; nobody is connected any more\n".to_owned()
            }
            Err(Refusal::Said(why) | Refusal::Logged(why)) => {
                format!("{}\n(the old one stays)\n", String::from_utf8_lossy(&why))
            }
        }
    }
}

fn on_bench(session: &mut Session) -> Bench {
    let engine = session.engine().clone();
    let (config, _) = session.parts();
    Bench::new(config.cloned().unwrap_or_else(Config::default), &engine)
}

fn is_tainted(node: &TraceNode) -> bool {
    matches!(
        node.fact("value"),
        Some(eximious_workbench::record::Fact::Text(text)) if text.taint().is_tainted()
    )
}

fn decided(decision: &Decision) -> String {
    let mut out = verdict_word(decision.verdict).to_owned();
    if let Some(message) = &decision.message {
        out += &format!(": {}", message.display());
    }
    out.push('\n');
    if let Some(message) = &decision.log_message
        && Some(message) != decision.message.as_ref()
    {
        out += &format!("  for the log: {}\n", message.display());
    }
    for one in &decision.decided_by {
        out += &format!("  by {}", one.verb);
        if let Some(place) = &one.place {
            out += &format!(" at {place}");
        }
        if let Some(term) = &one.term {
            let negated = if term.negated { "!" } else { "" };
            out += &format!(": {negated}{} = {}", term.name, term.text.display());
        }
        out.push('\n');
    }
    out
}

/// A name, a text, and whether the value is to be clean.
pub fn assignment(text: &[u8]) -> Result<(&str, &[u8], bool), String> {
    let wrong = || ":set wants a name and a text: :set sender_address = a@b.example\n".to_owned();
    let (is_clean, text) = match text.strip_prefix(b"clean ") {
        Some(rest) => (true, rest.trim_ascii_start()),
        None => (false, text),
    };
    let is_end = |c: &u8| *c == b'=' || c.is_ascii_whitespace();
    let (name, rest) = text.split_at(text.iter().position(is_end).ok_or_else(wrong)?);
    let rest = rest.trim_ascii_start();
    let value = rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii();
    let name = std::str::from_utf8(name).map_err(|_| wrong())?.trim_start_matches('$');
    if name.is_empty() { Err(wrong()) } else { Ok((name, value, is_clean)) }
}

/// A tree, a line for each node.
pub fn tree(nodes: &[TraceNode]) -> String {
    if nodes.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    lines(nodes, TextStyle::default().times(true)).join("\n") + "\n"
}

/// An address with what stands behind it, as SMTP has it.
fn in_brackets(rest: &[u8]) -> Vec<u8> {
    if rest.starts_with(b"<") {
        return rest.to_vec();
    }
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    [b"<", &rest[..end], b">", &rest[end..]].concat()
}

fn said(result: Result<String, String>) -> String {
    result.unwrap_or_else(|why| format!("{why}\n"))
}

fn unknown(name: &str) -> String {
    match check::nearest(name, command::all()).first() {
        Some(near) => format!("there is no {name}: did you mean {near}?\n"),
        None => format!("there is no {name}: \"help\" says what there is\n"),
    }
}

/// The complaint, and where in the line the fault is.
fn failed(registry: &Registry, fail: &eximious::Fail) -> Vec<u8> {
    let mut text = [b"Failed: ", fail.shown(), b"\n"].concat();
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
