//! What is launched.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use eximious::{Context, Str, var};
use serde_json::{Value, json};

use super::{DapHost, debugged};
use crate::bench::{AclQuestion, Bench, verdict_word};
use crate::debugger::{Breakpoint, Debugger, Front, Halt, Resume, StopPlaces};
use crate::record::{RecordLimits, Recording};
use crate::testing::{ConfigTest, Suite};

/// Lines that were said, and not yet told.
type Lines = Arc<Mutex<Vec<String>>>;

/// Something that is ready to run.
pub(super) enum Launched {
    /// On the bench.
    Bench { bench: Box<Bench>, cx: Box<Context>, what: What, lines: Lines },
    /// A test.
    Test { suite: Box<Suite>, test: Box<ConfigTest>, debugger: Arc<Debugger>, lines: Lines },
}

/// What is run on the bench.
pub(super) enum What {
    Session(SocketAddr, Vec<u8>),
    Acl(AclQuestion),
    Route(String),
    Expand(String),
}

impl Launched {
    /// Gets ready what the arguments of `launch` ask for: `config` with `session` (a file)
    /// or `lines`, `acl`, `route` or `expand`; or `testFile` and `test`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn new(
        arguments: &Value,
        host: &mut dyn DapHost,
        front: Box<dyn Front>,
    ) -> Result<Self, String> {
        let text = |name: &str| arguments[name].as_str().map(str::to_owned);
        let lines = Lines::default();
        let front = Box::new(Telling { front, lines: lines.clone() });
        if let Some(path) = text("testFile") {
            let suite = Suite::read(&path, &host.machine())?;
            let name = text("test");
            let fits = |test: &&ConfigTest| name.as_ref().is_none_or(|name| test.name == *name);
            let test = suite.tests.iter().find(fits).cloned();
            let test = test.ok_or_else(|| format!("{path} has no such test"))?;
            let recording = Arc::new(Recording::new(RecordLimits::default()));
            let debugger = Arc::new(Debugger::new(front, recording));
            let places = Arc::new(StopPlaces::of(suite.loaded().config()));
            debugger.change(|points| points.know(places));
            return Ok(Self::Test {
                suite: Box::new(suite),
                test: Box::new(test),
                debugger,
                lines,
            });
        }
        let path = text("config").ok_or("launch wants config, or testFile")?;
        let (config, engine) = host.open(&path)?;
        let mut cx = engine.context();
        let client = text("client").unwrap_or_else(|| "127.0.0.1".to_owned());
        let alone = client.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
        let client: SocketAddr =
            client.parse().or(alone).map_err(|_| format!("client is no address: {client}"))?;
        for (name, value) in arguments["variables"].as_object().into_iter().flatten() {
            cx.set(name, Str::tainted(value.as_str().unwrap_or_default()));
        }
        if let Some(sender) = text("sender") {
            cx.set_var(var::SENDER_ADDRESS, Str::tainted(sender));
        }
        let what = if let Some(file) = text("session") {
            What::Session(client, host.read(&file)?)
        } else if let Some(all) = arguments["lines"].as_array() {
            let all: Vec<_> = all.iter().filter_map(Value::as_str).collect();
            What::Session(client, all.join("\n").into_bytes())
        } else if let Some(acl) = text("acl") {
            let mut question = AclQuestion::new(acl);
            question.client = client;
            question.helo = text("helo").unwrap_or_default();
            question.sender = text("sender").unwrap_or_default();
            question.recipient = text("recipient");
            if !config.acls.iter().any(|own| own.name.bytes() == question.acl.bytes()) {
                return Err(format!("there is no ACL {}", question.acl.display()));
            }
            What::Acl(question)
        } else if let Some(address) = text("route") {
            What::Route(address)
        } else if let Some(expression) = text("expand") {
            What::Expand(expression)
        } else {
            return Err("launch wants session, lines, acl, route, expand or testFile".to_owned());
        };
        let bench = Box::new(debugged(config, &engine, front));
        Ok(Self::Bench { bench, cx: Box::new(cx), what, lines })
    }

    /// What there is to stop at.
    pub(super) fn places(&self) -> StopPlaces {
        StopPlaces::of(match self {
            Self::Bench { bench, .. } => bench.loaded().config(),
            Self::Test { suite, .. } => suite.loaded().config(),
        })
    }

    /// Says where it stops.
    pub(super) fn points(&self, points: Vec<Breakpoint>, watched: &[String]) {
        match self {
            Self::Bench { bench, .. } => bench.debug_points(|all| all.replace(points, watched)),
            Self::Test { debugger, .. } => debugger.change(|all| all.replace(points, watched)),
        }
    }

    /// Runs it: what was said, and the exit status.
    pub(super) fn run(&mut self, stops_on_entry: bool) -> Value {
        let begin = if stops_on_entry { Resume::Step } else { Resume::Continue };
        let code = match self {
            Self::Test { suite, test, debugger, lines } => {
                debugger.begin(begin);
                let result = suite.debug(test, debugger);
                for one in &result.mismatches {
                    let line =
                        format!("{}: expected {}, came {}", one.what, one.expected, one.came);
                    push(lines, line);
                }
                push(lines, if result.passed() { "passed".into() } else { "failed".into() });
                i32::from(!result.passed())
            }
            Self::Bench { bench, cx, what, lines } => {
                bench.begin_with(begin);
                match what {
                    What::Session(client, script) => {
                        bench.session_told(cx, *client, script, &mut |line| {
                            line.lines().into_iter().for_each(|line| push(lines, line));
                        });
                    }
                    What::Acl(question) => {
                        let decision = bench.ask_acl(cx, question);
                        let said = decision.message.map(|text| format!(": {}", text.display()));
                        let word = verdict_word(decision.verdict);
                        push(lines, format!("{word}{}", said.unwrap_or_default()));
                    }
                    What::Route(address) => {
                        let fates = bench.route(cx, address.as_bytes());
                        fates.iter().for_each(|fate| push(lines, fate.to_string()));
                    }
                    What::Expand(text) => match bench.expand(cx, text.as_bytes()) {
                        Ok(value) => push(lines, value.display().into_owned()),
                        Err(fail) => push(lines, format!("Failed: {fail}")),
                    },
                }
                0
            }
        };
        let (Self::Test { lines, .. } | Self::Bench { lines, .. }) = self;
        json!({ "output": taken(lines), "code": code })
    }
}

fn push(lines: &Lines, line: String) {
    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

fn taken(lines: &Lines) -> Vec<String> {
    std::mem::take(&mut lines.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Says, before it asks, what was said meanwhile: that is put where the other end finds it.
struct Telling {
    front: Box<dyn Front>,
    lines: Lines,
}

impl Front for Telling {
    fn held_up(&mut self, halt: &mut Halt<'_>) -> Resume {
        super::answers::with_output(taken(&self.lines), || self.front.held_up(halt))
    }
}
