//! Runs a test, and says what does not come as it must.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eximious::stdlib::message::{End, parse_until};
use eximious::trace::{Happening, TraceEvent, TraceKinds, TraceObserver};
use eximious::{Context, Engine, Header, RunStop, Snapshot, Stepper, Str, World, var};

use super::file::{Case, ExpandCase, Expect, GivenWorld, RouteCase};
use super::suite::{ConfigTest, Suite, Tested};
use super::world::{self, GivenAnswers};
use crate::bench::{AclQuestion, Fate, FateKind, fates, question_asked, verdict_word};
use crate::debugger::Debugger;
use crate::dialogue::{ClientDialogue, LogLines, Said};
use crate::record::{RecordLimits, Recording};
use crate::tree::{self, TraceNode};

/// The client, where none is given: an address for documentation (RFC 5737).
const CLIENT: &str = "192.0.2.1";

/// Who gets a context ready before it is used.
type Watch<'w> = &'w dyn Fn(&mut Context);

/// What came of a test.
#[derive(Debug)]
#[non_exhaustive]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// What did not come as it must; empty where all did.
    pub mismatches: Vec<Mismatch>,
    /// What the client and the server said, of a session.
    pub said: Vec<String>,
    /// What happened, of a test that failed.
    pub happened: Vec<TraceNode>,
    /// How long it took.
    pub took: Duration,
}

/// Something that did not come as it must.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// What it is: `verdict`, `log`.
    pub what: String,
    /// What must come.
    pub expected: String,
    /// What came.
    pub came: String,
}

impl TestResult {
    /// Whether all came as it must.
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl Suite {
    /// Runs a test. Whoever watches is told what happens; one that fails is run once more,
    /// to say what decided.
    pub fn run(&self, test: &ConfigTest, watcher: Option<Arc<dyn TraceObserver>>) -> TestResult {
        let clock = self.machine.clock.clone();
        let began = clock.elapsed();
        let mut result = self.run_once(test, watcher);
        result.took = clock.elapsed().saturating_sub(began);
        if !result.passed() {
            let recording = Arc::new(Recording::new(RecordLimits::default()));
            self.run_once(test, Some(recording.clone()));
            result.happened = tree::grow(recording.take());
        }
        result
    }

    /// Runs a test that a debugger holds up.
    pub fn debug(&self, test: &ConfigTest, debugger: &Arc<Debugger>) -> TestResult {
        self.run_with(test, &|cx| debugger.attach(cx))
    }

    fn run_once(&self, test: &ConfigTest, watcher: Option<Arc<dyn TraceObserver>>) -> TestResult {
        self.run_with(test, &|cx| {
            if let Some(watcher) = &watcher {
                cx.observe(watcher.clone());
            }
        })
    }

    /// Runs a test whose contexts somebody gets ready.
    fn run_with(&self, test: &ConfigTest, watch: Watch<'_>) -> TestResult {
        let mut check = Check::default();
        let tried = match &test.what {
            Tested::Case(case) => self.case(case, watch, &mut check),
            Tested::Expand(case) => self.expand(case, watch, &mut check),
            Tested::Route(case) => self.route(case, watch, &mut check),
        };
        if let Err(why) = tried {
            check.mismatch("the test", "that it can be run", why);
        }
        TestResult {
            name: test.name.clone(),
            mismatches: check.mismatches,
            said: check.said,
            happened: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// A context in the world that is given, its log, and whoever watches.
    fn context(
        &self,
        given: &GivenWorld,
        watch: Watch<'_>,
    ) -> Result<(Context, Arc<LogLines>), String> {
        let log = Arc::new(LogLines::default());
        let world = World { log: log.clone(), ..world::world(given, &self.machine)? };
        let engine: Engine = self.loaded.engine().with_world(world);
        let mut cx = engine.context();
        self.loaded.acls().attach(&mut cx);
        cx.set_user_data(Arc::new(GivenAnswers(given.lookup.clone())));
        set_variables(&mut cx, given);
        watch(&mut cx);
        Ok((cx, log))
    }

    fn case(&self, case: &Case, watch: Watch<'_>, check: &mut Check) -> Result<(), String> {
        let given = case.over(&self.given);
        let (mut cx, log) = self.context(&given, watch)?;
        let events = Arc::new(Events::default());
        if !case.expect.events.is_empty() {
            cx.observe(events.clone());
        }
        let last = Arc::new(LastValues::default());
        if !case.expect.variables.is_empty() && !cx.is_stepped() {
            cx.step_with(Some(last.clone()));
        }
        let client = given.client.as_deref().unwrap_or(CLIENT);
        let client = address(client).ok_or_else(|| format!("client wants an address: {client}"))?;
        let (mut came, mut lines) = (Came::default(), Vec::new());
        let mut cx = match &case.acl {
            Some(name) => {
                if self.loaded.acl(name).is_none() {
                    return Err(format!("there is no ACL {name}"));
                }
                let mut question = AclQuestion::new(name.as_str());
                question.client = client;
                question.helo = given.helo.clone().unwrap_or_default();
                question.sender = given.sender.clone().unwrap_or_default();
                question.recipient = case.recipient.clone();
                set_authenticated(&mut cx, &given);
                if let Some(message) = &case.message {
                    let (mut message, _) = parse_until(message.as_bytes(), End::Input);
                    let recipients = case.recipient.iter().chain(&case.recipients);
                    message.recipients =
                        recipients.map(|one| Str::tainted(one.as_bytes())).collect();
                    cx.set_message(Some(message));
                }
                let (decision, cx) = question_asked(&self.loaded, cx, &question);
                lines.extend(decision.log);
                came.verdict = verdict_word(decision.verdict).to_owned();
                came.reply = decision.message.map(|text| text.display().into_owned());
                cx
            }
            None => {
                let (talk, greeting) = ClientDialogue::with(self.server.clone(), cx, client);
                let mut session = Session { talk, given: &given, came: &mut came, check };
                session.run(case, greeting);
                session.talk.into_context()
            }
        };
        lines.extend(log.take().iter().map(|line| line.display().into_owned()));
        came.compare(&case.expect, &lines, case.message.as_deref(), check);
        for (name, expected) in &case.expect.variables {
            let name = name.trim_start_matches('$');
            let value = match last.snapshot() {
                Some(then) => cx.at_snapshot(&then, |cx| cx.value(name)),
                None => cx.value(name),
            };
            check.equal(&format!("${name}"), expected, &value.display());
        }
        events.compare(&case.expect.events, check);
        check.said.extend(lines.iter().map(|line| format!("LOG: {line}")));
        Ok(())
    }

    fn expand(&self, case: &ExpandCase, watch: Watch<'_>, check: &mut Check) -> Result<(), String> {
        let own = GivenWorld { variables: case.variables.clone(), ..GivenWorld::default() };
        let given = self.given.with(&case.given).with(&own);
        let (mut cx, _) = self.context(&given, watch)?;
        set_authenticated(&mut cx, &given);
        if let Some(message) = &case.message {
            let (message, _) = parse_until(message.as_bytes(), End::Input);
            cx.set_message(Some(message));
            // A variable that is given outweighs the message.
            set_variables(&mut cx, &given);
        }
        let engine = cx.engine().clone();
        match (engine.expand_once(case.text.as_bytes(), &mut cx), &case.fails) {
            (Ok(value), None) => {
                let shown = value.display().into_owned();
                if let Some(expected) = &case.is {
                    check.equal("the value", expected, &shown);
                }
                if let Some(expected) = case.tainted {
                    let is = value.taint().is_tainted();
                    check.equal("tainted", &expected.to_string(), &is.to_string());
                }
            }
            (Ok(value), Some(expected)) => {
                check.mismatch("the failure", expected, format!("\"{}\"", value.display()));
            }
            (Err(fail), Some(expected)) => {
                let message = String::from_utf8_lossy(fail.shown()).into_owned();
                check.contains("the failure", expected, &message);
            }
            (Err(fail), None) => {
                let expected = case.is.clone().unwrap_or_else(|| "a value".to_owned());
                check.mismatch("the value", &expected, format!("Failed: {fail}"));
            }
        }
        Ok(())
    }

    fn route(&self, case: &RouteCase, watch: Watch<'_>, check: &mut Check) -> Result<(), String> {
        let own = GivenWorld { variables: case.variables.clone(), ..GivenWorld::default() };
        let given = self.given.with(&case.given).with(&own);
        let (mut cx, _) = self.context(&given, watch)?;
        let found = fates(self.loaded.routes(), &mut cx, case.address.as_bytes());
        check.said.extend(found.iter().map(ToString::to_string));
        if let Some(goes) = &case.goes {
            let came: Vec<_> = found.iter().map(|fate| way(fate, &case.address)).collect();
            if came != *goes {
                check.mismatch("where it goes", &goes.join(" "), came.join(" "));
            }
        }
        for (what, expected) in [("fails", &case.fails), ("defers", &case.defers)] {
            let Some(expected) = expected else { continue };
            let came = found.iter().find_map(|fate| match (&fate.outcome, what) {
                (FateKind::Fails(why), "fails") | (FateKind::Defers(why), "defers") => Some(why),
                _ => None,
            });
            match came {
                Some(why) => check.contains(what, expected, why),
                None => {
                    let all: Vec<_> = found.iter().map(ToString::to_string).collect();
                    check.mismatch(what, expected, all.join("; "));
                }
            }
        }
        Ok(())
    }
}

/// A delivery as it is written in a test.
fn way(fate: &Fate, asked: &str) -> String {
    let head = match fate.address == asked {
        true => String::new(),
        false => format!("{}:", fate.address),
    };
    match &fate.outcome {
        FateKind::Delivered { router, transport, hosts } => {
            let transport = transport.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
            let hosts: String = hosts.iter().map(|host| format!("/{host}")).collect();
            format!("{head}{router}{transport}{hosts}")
        }
        FateKind::Discarded => format!("{head}discarded"),
        FateKind::Fails(why) => format!("{head}fails ({why})"),
        FateKind::Defers(why) => format!("{head}defers ({why})"),
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let alone = |text: &str| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 0));
    text.parse().ok().or_else(|| alone(text))
}

fn set_variables(cx: &mut Context, given: &GivenWorld) {
    for (name, value) in &given.variables {
        cx.set(name.trim_start_matches('$'), Str::tainted(value.as_bytes()));
    }
}

fn set_authenticated(cx: &mut Context, given: &GivenWorld) {
    if let Some(who) = &given.authenticated {
        let (name, id) = who.split_once(':').unwrap_or((who, ""));
        cx.set_var(var::SENDER_HOST_AUTHENTICATED, Str::from(name));
        cx.set_var(var::AUTHENTICATED_ID, Str::tainted(id.as_bytes()));
    }
}

/// What does not come as it must, so far.
#[derive(Default)]
struct Check {
    mismatches: Vec<Mismatch>,
    said: Vec<String>,
}

impl Check {
    fn mismatch(&mut self, what: &str, expected: &str, came: impl Into<String>) {
        let (what, expected) = (what.to_owned(), expected.to_owned());
        self.mismatches.push(Mismatch { what, expected, came: came.into() });
    }

    fn equal(&mut self, what: &str, expected: &str, came: &str) {
        if expected != came {
            self.mismatch(what, expected, came);
        }
    }

    fn contains(&mut self, what: &str, expected: &str, came: &str) {
        if !came.contains(expected) {
            self.mismatch(what, expected, came);
        }
    }
}

/// What came of a session.
#[derive(Default)]
struct Came {
    verdict: String,
    /// Where it was refused.
    at: Option<&'static str>,
    code: u16,
    /// The last reply.
    reply: Option<String>,
    accepted: Vec<String>,
    /// The header of the message that would be kept.
    header: Option<Vec<Header>>,
}

/// A session that is under way.
struct Session<'s> {
    talk: ClientDialogue,
    given: &'s GivenWorld,
    came: &'s mut Came,
    check: &'s mut Check,
}

impl Session<'_> {
    fn run(&mut self, case: &Case, greeting: Said) {
        if !self.took(None, greeting, "connect") {
            return;
        }
        if !case.lines.is_empty() {
            set_authenticated(self.talk.context(), self.given);
            for line in &case.lines {
                if self.talk.is_over() {
                    break;
                }
                let said = self.talk.say(line.as_bytes());
                let stage = stage(line);
                if !said.reply.is_empty() && self.took(Some(line), said, stage) && stage == "rcpt" {
                    self.came.accepted.push(between_brackets(line));
                }
            }
            return;
        }
        let helo = self.given.helo.clone().unwrap_or_else(|| "client.example".to_owned());
        if !self.say(&format!("EHLO {helo}"), "helo") {
            return;
        }
        set_authenticated(self.talk.context(), self.given);
        let recipients: Vec<_> = case.recipient.iter().chain(&case.recipients).collect();
        let asks = self.given.sender.is_some() || !recipients.is_empty() || case.message.is_some();
        if !asks {
            return;
        }
        let sender = self.given.sender.clone().unwrap_or_else(|| "sender@example.org".to_owned());
        if !self.say(&format!("MAIL FROM:<{sender}>"), "mail") {
            return;
        }
        // What the beginning of a message forgets is given now.
        set_variables(self.talk.context(), self.given);
        for recipient in recipients {
            if self.say(&format!("RCPT TO:<{recipient}>"), "rcpt") {
                self.came.accepted.push(recipient.clone());
            }
            if self.talk.is_over() {
                return;
            }
        }
        if let Some(message) = &case.message
            && !self.came.accepted.is_empty()
        {
            let said = self.talk.data(message.as_bytes());
            self.took(Some("DATA"), said, "data");
        }
    }

    fn say(&mut self, line: &str, stage: &'static str) -> bool {
        let said = self.talk.say(line.as_bytes());
        self.took(Some(line), said, stage)
    }

    /// Notes a reply; whether it lets pass.
    fn took(&mut self, line: Option<&str>, said: Said, stage: &'static str) -> bool {
        self.check.said.extend(line.map(|line| format!("C: {line}")));
        let reply = String::from_utf8_lossy(&said.reply).replace('\r', "");
        self.check.said.extend(reply.lines().map(|line| format!("S: {line}")));
        let code = said.code();
        let last = reply.lines().filter(|line| line.starts_with(&code.to_string()));
        let texts: Vec<_> = last.map(|line| line.get(4..).unwrap_or_default()).collect();
        let came = &mut *self.came;
        (came.code, came.reply) = (code, Some(texts.join("\n")));
        let passes = (200..400).contains(&code);
        came.at = (!passes).then_some(stage);
        came.verdict = match code {
            200..400 => "accept",
            400..500 if !self.talk.is_over() => "defer",
            _ if self.talk.is_over() => "drop",
            _ => "deny",
        }
        .to_owned();
        if let Some(received) = said.message {
            if received.discarded.is_some() || received.recipients.is_empty() {
                came.verdict = "discard".to_owned();
            }
            came.header = Some(received.message.headers.clone());
        }
        passes
    }
}

/// What a client's line is about.
fn stage(line: &str) -> &'static str {
    let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
    match verb.as_str() {
        "EHLO" | "HELO" => "helo",
        "MAIL" => "mail",
        "RCPT" => "rcpt",
        "DATA" | "BDAT" | "." => "data",
        "AUTH" => "auth",
        "STAR" => "starttls",
        "VRFY" => "vrfy",
        "EXPN" => "expn",
        "ETRN" => "etrn",
        "QUIT" => "quit",
        _ => "command",
    }
}

fn between_brackets(line: &str) -> String {
    let rest = line.split_once('<').map_or(line, |(_, rest)| rest);
    rest.split_once('>').map_or(rest, |(address, _)| address).to_owned()
}

impl Came {
    fn compare(&self, expect: &Expect, log: &[String], message: Option<&str>, check: &mut Check) {
        if let Some(expected) = &expect.verdict {
            check.equal("verdict", expected, &self.verdict);
        }
        if let Some(expected) = &expect.at {
            check.equal("at", expected, self.at.unwrap_or("nowhere"));
        }
        if let Some(expected) = &expect.code {
            check.equal("code", &expected.to_string(), &self.code.to_string());
        }
        if let Some(expected) = &expect.reply {
            check.contains("reply", expected, self.reply.as_deref().unwrap_or_default());
        }
        if let Some(expected) = &expect.accepted {
            check.equal("accepted", &expected.join(" "), &self.accepted.join(" "));
        }
        for expected in &expect.log {
            if !log.iter().any(|line| line.contains(expected)) {
                check.mismatch("log", expected, log.join("\n"));
            }
        }
        for unwanted in &expect.no_log {
            if let Some(line) = log.iter().find(|line| line.contains(unwanted)) {
                check.mismatch("log", &format!("nothing with {unwanted}"), line.as_str());
            }
        }
        self.compare_header(expect, message.unwrap_or_default(), check);
    }

    fn compare_header(&self, expect: &Expect, message: &str, check: &mut Check) {
        if expect.headers_added.is_empty() && expect.headers_removed.is_empty() {
            return;
        }
        let (before, _) = parse_until(message.as_bytes(), End::Input);
        let Some(after) = &self.header else {
            return check.mismatch("header", "a message", "none was accepted");
        };
        let line = |header: &Header| String::from_utf8_lossy(&header.line).trim_end().to_owned();
        let old: Vec<_> = before.headers.iter().map(line).collect();
        let added: Vec<_> = after.iter().map(line).filter(|line| !old.contains(line)).collect();
        for expected in &expect.headers_added {
            if !added.iter().any(|line| line == expected) {
                check.mismatch("headers_added", expected, added.join("\n"));
            }
        }
        for name in &expect.headers_removed {
            let is = |header: &Header| header.name.eq_ignore_ascii_case(name.as_bytes());
            if !before.headers.iter().any(is) {
                check.mismatch("headers_removed", name, "the message has none");
            } else if let Some(left) = after.iter().find(|header| is(header)) {
                check.mismatch("headers_removed", name, line(left));
            }
        }
    }
}

/// The values at the end of the last ACL.
#[derive(Default)]
struct LastValues(Mutex<Option<Snapshot>>);

impl LastValues {
    fn snapshot(&self) -> Option<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Stepper for LastValues {
    fn stop(&self, cx: &mut Context, at: &RunStop<'_>) {
        if matches!(at, RunStop::AclEnds { .. }) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.snapshot());
        }
    }
}

/// Events that were raised: name and data.
#[derive(Default)]
struct Events(Mutex<Vec<(String, String)>>);

impl TraceObserver for Events {
    fn kinds(&self) -> TraceKinds {
        TraceKinds::EVENT
    }

    fn happened(&self, event: &TraceEvent<'_>) {
        if let Happening::Event { name, data, .. } = event.what {
            let one = (name.to_owned(), data.display().into_owned());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
    }
}

impl Events {
    fn compare(&self, expected: &[String], check: &mut Check) {
        let came = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in expected {
            let (name, data) = match text.split_once(' ') {
                Some((name, data)) => (name, Some(data)),
                None => (text.as_str(), None),
            };
            let fits = |(own, with): &(String, String)| {
                own == name && data.is_none_or(|data| data == with)
            };
            if !came.iter().any(fits) {
                let all: Vec<_> =
                    came.iter().map(|(name, data)| format!("{name} {data}")).collect();
                check.mismatch("events", text, all.join("\n"));
            }
        }
    }
}
