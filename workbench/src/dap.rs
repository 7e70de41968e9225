//! `eximious dap`: the debugger as a server of the Debug Adapter Protocol
//! (microsoft.github.io/debug-adapter-protocol, 1.70). Messages come in and go out; what is
//! launched is a session, an ACL, the routing of an address, or a test.

mod answers;
mod launch;
mod wire;

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eximious::{Config, Engine};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::debugger::{
    Breakpoint, BreakpointError, Came, Halt, Orders, Refusals, RemoteEnds, Resume, StopPlaces,
    remote,
};
use crate::testing::TestMachine;
use answers::stopped;
use launch::Launched;

/// How configurations are read, and what there is for tests.
pub trait DapHost: Send {
    /// Reads a configuration, and puts the engine together that it runs with.
    ///
    /// # Errors
    /// What is wrong with it.
    fn open(&mut self, path: &str) -> Result<(Config, Engine), String>;

    /// What this machine has for tests.
    fn machine(&self) -> TestMachine;

    /// Reads a file with a session.
    ///
    /// # Errors
    /// It can't be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// How much stack the thread has that runs what is launched.
const STACK: usize = 16 << 20;

/// What comes in.
enum Incoming {
    Request(Value),
    Came(Came<Value>),
    /// Nothing more will be asked.
    End,
}

/// What is awaited of the run.
enum Awaited {
    /// The answer to a request.
    Answer(Value),
    /// That it stops or ends.
    Run,
}

/// What is ready to be launched.
struct Prepared {
    request: Value,
    launched: Launched,
    ends: RemoteEnds<Launched, Value>,
}

/// The numbers of the first line and of the first column, as the client counts them.
#[derive(Clone, Copy)]
struct First {
    line: u64,
    column: u64,
}

impl Default for First {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// Serves one client until it leaves.
///
/// # Errors
/// The client can't be written to.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: &mut dyn Write,
    host: Box<dyn DapHost>,
) -> io::Result<()> {
    let (tell, incoming) = channel();
    let requests = tell.clone();
    thread::Builder::new().name("requests".to_owned()).spawn(move || {
        let mut input = input;
        while let Ok(Some(message)) = wire::read(&mut input) {
            if requests.send(Incoming::Request(message)).is_err() {
                return;
            }
        }
        // Nobody minds that nobody listens.
        let _ = requests.send(Incoming::End);
    })?;
    Server {
        output,
        host: Some(host),
        tell,
        number: 0,
        run: None,
        launch: None,
        places: None,
        points_told: 0,
        first: First::default(),
        configured: false,
        awaited: VecDeque::new(),
        points: Vec::new(),
        watched: Vec::new(),
        stops_at_refusals: false,
        is_held: false,
    }
    .serve(&incoming)
}

struct Server<'o> {
    output: &'o mut dyn Write,
    host: Option<Box<dyn DapHost>>,
    tell: Sender<Incoming>,
    /// The number of the last message that was sent.
    number: u64,
    run: Option<Orders<Launched, Value>>,
    /// What is to be launched, once breakpoints are set.
    launch: Option<Prepared>,
    /// What there is to stop at, once that is known.
    places: Option<StopPlaces>,
    /// The number of the last breakpoint that was told.
    points_told: u64,
    first: First,
    configured: bool,
    awaited: VecDeque<Awaited>,
    /// Breakpoints of lines, and of ACLs and routers.
    points: Vec<(u64, Breakpoint)>,
    watched: Vec<String>,
    stops_at_refusals: bool,
    is_held: bool,
}

impl Server<'_> {
    fn serve(mut self, incoming: &Receiver<Incoming>) -> io::Result<()> {
        while let Ok(message) = incoming.recv() {
            match message {
                Incoming::Request(request) => {
                    if !self.request(request)? {
                        break;
                    }
                }
                Incoming::Came(came) => self.came(came)?,
                Incoming::End => break,
            }
        }
        Ok(())
    }

    fn send(&mut self, mut message: Value) -> io::Result<()> {
        self.number += 1;
        message["seq"] = self.number.into();
        wire::write(self.output, &message)
    }

    fn event(&mut self, name: &str, body: Value) -> io::Result<()> {
        self.send(json!({ "type": "event", "event": name, "body": body }))
    }

    fn answer(&mut self, request: &Value, body: Value) -> io::Result<()> {
        self.send(json!({
            "type": "response", "request_seq": request["seq"], "success": true,
            "command": request["command"], "body": body,
        }))
    }

    fn refuse(&mut self, request: &Value, why: &str) -> io::Result<()> {
        self.send(json!({
            "type": "response", "request_seq": request["seq"], "success": false,
            "command": request["command"], "message": why,
            "body": { "error": { "id": 1, "format": why } },
        }))
    }

    /// Answers a request; false where that was the last.
    fn request(&mut self, request: Value) -> io::Result<bool> {
        let arguments = request["arguments"].clone();
        match request["command"].as_str().unwrap_or_default() {
            "initialize" => {
                let first = |name: &str| u64::from(arguments[name].as_bool().unwrap_or(true));
                self.first =
                    First { line: first("linesStartAt1"), column: first("columnsStartAt1") };
                self.answer(&request, answers::capabilities())?;
                self.event("initialized", json!({}))?;
            }
            "launch" => {
                self.prepare(request)?;
                self.begin()?;
            }
            "configurationDone" => {
                self.configured = true;
                self.answer(&request, json!({}))?;
                self.begin()?;
            }
            "setBreakpoints" => {
                let lines = answers::line_breakpoints(&arguments, self.first.line);
                let file = arguments["source"]["path"].as_str().unwrap_or_default().to_owned();
                self.points.retain(|(_, point)| {
                    !matches!(point, Breakpoint::Line { file: own, .. } if *own == file)
                });
                self.set_points(&request, lines.into_iter().map(Ok).collect())?;
            }
            "setFunctionBreakpoints" => {
                self.points.retain(|(_, point)| matches!(point, Breakpoint::Line { .. }));
                self.set_points(&request, answers::function_breakpoints(&arguments))?;
            }
            "setExceptionBreakpoints" => {
                let filters = arguments["filters"].as_array().cloned().unwrap_or_default();
                self.stops_at_refusals = filters.iter().any(|filter| filter == "refusals");
                self.settle_points()?;
                self.answer(&request, json!({}))?;
            }
            "dataBreakpointInfo" => {
                let name = arguments["name"].as_str().unwrap_or_default();
                let body = json!({
                    "dataId": name, "description": name, "accessTypes": ["write"],
                });
                self.answer(&request, body)?;
            }
            "setDataBreakpoints" => {
                let wanted = arguments["breakpoints"].as_array().cloned().unwrap_or_default();
                let names = wanted.iter().filter_map(|one| one["dataId"].as_str());
                self.watched = names.map(str::to_owned).collect();
                self.settle_points()?;
                let shown: Vec<_> = wanted.iter().map(|_| json!({ "verified": true })).collect();
                self.answer(&request, json!({ "breakpoints": shown }))?;
            }
            "threads" => {
                let threads = json!({ "threads": [{ "id": 1, "name": "mail" }] });
                self.answer(&request, threads)?;
            }
            "continue" => self.resume(request, Resume::Continue)?,
            "next" => self.resume(request, Resume::Next)?,
            "stepIn" => self.resume(request, Resume::Step)?,
            "stepOut" => self.resume(request, Resume::Finish)?,
            "stepBack" => self.look(request, |halt, _| {
                halt.back();
                json!({ "stopped": stopped(halt, "step") })
            })?,
            "stackTrace" => self.look(request, answers::stack)?,
            "scopes" => self.look(request, answers::scopes)?,
            "variables" => self.look(request, answers::variables)?,
            "setVariable" => self.look(request, answers::set_variable)?,
            "evaluate" => self.look(request, answers::evaluate)?,
            "exceptionInfo" => self.look(request, answers::why_refused)?,
            "disconnect" | "terminate" => {
                self.answer(&request, json!({}))?;
                return Ok(false);
            }
            other => {
                let why = format!("eximious does not know the request \"{other}\"");
                self.refuse(&request, &why)?;
            }
        }
        Ok(true)
    }

    /// Sets breakpoints, and says of each whether there is something to stop at.
    fn set_points(
        &mut self,
        request: &Value,
        points: Vec<Result<Breakpoint, BreakpointError>>,
    ) -> io::Result<()> {
        let mut shown = Vec::new();
        for point in points {
            self.points_told += 1;
            let id = self.points_told;
            shown.push(match point {
                Ok(point) => {
                    let told = self.told_point(id, &point);
                    self.points.push((id, point));
                    told
                }
                Err(why) => json!({ "id": id, "verified": false, "message": why.to_string() }),
            });
        }
        self.settle_points()?;
        self.answer(request, json!({ "breakpoints": shown }))
    }

    /// What is said of a breakpoint. As long as no configuration is known, it may be met.
    fn told_point(&self, id: u64, point: &Breakpoint) -> Value {
        let missing = self.places.as_ref().and_then(|places| places.missing(point));
        let mut told = json!({ "id": id, "verified": missing.is_none() });
        if let Some(why) = missing {
            told["message"] = why.into();
        }
        if let Breakpoint::Line { line, .. } = point {
            told["line"] = (u64::from(*line) + self.first.line).saturating_sub(1).into();
        }
        told
    }

    /// Gets ready what is to be launched: from here on it is known what there is to stop at.
    fn prepare(&mut self, request: Value) -> io::Result<()> {
        let Some(mut host) = self.host.take() else {
            return self.refuse(&request, "something was launched already");
        };
        let arguments = request["arguments"].clone();
        let ends = remote(Refusals {
            held_up: |halt| stopped(halt, "breakpoint"),
            busy: || json!({ "error": "the run is held up" }),
            idle: || json!({ "error": "nothing is held up" }),
        });
        let front = ends.place.front();
        let launched = match Launched::new(&arguments, &mut *host, front) {
            Ok(launched) => launched,
            Err(why) => {
                self.host = Some(host);
                return self.refuse(&request, &why);
            }
        };
        self.places = Some(launched.places());
        let points = std::mem::take(&mut self.points);
        for (id, point) in &points {
            let breakpoint = self.told_point(*id, point);
            if breakpoint["verified"] == false {
                let body = json!({ "reason": "changed", "breakpoint": breakpoint });
                self.event("breakpoint", body)?;
            }
        }
        self.points = points;
        self.launch = Some(Prepared { request, launched, ends });
        Ok(())
    }

    /// Launches what is to be launched, once all is known.
    fn begin(&mut self) -> io::Result<()> {
        let Some(prepared) = self.launch.take_if(|_| self.configured) else { return Ok(()) };
        let Prepared { request, launched, ends } = prepared;
        let RemoteEnds { orders, came, place } = ends;
        let tell = self.tell.clone();
        thread::Builder::new().name("came".to_owned()).spawn(move || {
            for one in came {
                if tell.send(Incoming::Came(one)).is_err() {
                    return;
                }
            }
        })?;
        let builder = thread::Builder::new().name("run".to_owned()).stack_size(STACK);
        builder.spawn(move || place.work(launched))?;
        self.answer(&request, json!({}))?;
        self.run = Some(orders);
        self.settle_points()?;
        let on_entry = request["arguments"]["stopOnEntry"].as_bool().unwrap_or(false);
        if let Some(run) = &self.run {
            run.work(move |launched| launched.run(on_entry));
            self.awaited.push_back(Awaited::Run);
        }
        Ok(())
    }

    /// Has the run stop where it is wanted now.
    fn settle_points(&mut self) -> io::Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let mut points: Vec<_> = self.points.iter().map(|(_, point)| point.clone()).collect();
        if self.stops_at_refusals {
            points.push(Breakpoint::Refusals);
        }
        let watched = self.watched.clone();
        let (held, also) = ((points.clone(), watched.clone()), (points, watched));
        match self.is_held {
            true => run.look(move |halt| {
                halt.points().replace(held.0, &held.1);
                Value::Null
            }),
            false if self.awaited.is_empty() => run.work(move |launched| {
                launched.points(also.0, &also.1);
                Value::Null
            }),
            // It runs, and looks at them when it stops.
            false => return Ok(()),
        };
        self.awaited.push_back(Awaited::Answer(Value::Null));
        Ok(())
    }

    fn resume(&mut self, request: Value, resume: Resume) -> io::Result<()> {
        let Some(run) = self.run.as_ref().filter(|_| self.is_held) else {
            return self.refuse(&request, "nothing is held up");
        };
        // Behind what was, there is no run to go on: the step after it is looked at.
        run.look(move |halt| match halt.is_now() {
            true => json!({ "resume": answers::word(resume) }),
            false => {
                let mut moved = halt.forward();
                while moved && resume == Resume::Continue {
                    moved = halt.forward();
                }
                json!({ "stopped": stopped(halt, "step") })
            }
        });
        self.awaited.push_back(Awaited::Answer(request));
        Ok(())
    }

    fn look(&mut self, request: Value, look: fn(&mut Halt<'_>, &Value) -> Value) -> io::Result<()> {
        let Some(run) = self.run.as_ref().filter(|_| self.is_held) else {
            return self.refuse(&request, "nothing is held up");
        };
        let arguments = request["arguments"].clone();
        run.look(move |halt| look(halt, &arguments));
        self.awaited.push_back(Awaited::Answer(request));
        Ok(())
    }

    /// Something came of the run.
    fn came(&mut self, came: Came<Value>) -> io::Result<()> {
        match (came, self.awaited.pop_front()) {
            (Came::HeldUp(body), Some(Awaited::Run)) => {
                self.is_held = true;
                self.told_output(&body)?;
                // Some may have been set meanwhile.
                self.settle_points()?;
                self.event("stopped", body["stopped"].clone())
            }
            (Came::Done(body), Some(Awaited::Run)) => {
                self.is_held = false;
                self.told_output(&body)?;
                self.event("terminated", json!({}))?;
                self.event("exited", json!({ "exitCode": body["code"] }))
            }
            (Came::Done(_), Some(Awaited::Answer(Value::Null))) => Ok(()),
            (Came::Done(body), Some(Awaited::Answer(request))) => self.answered(&request, body),
            // Each order has one answer, and none is waited for beside them.
            (_, _) => Ok(()),
        }
    }

    fn answered(&mut self, request: &Value, mut body: Value) -> io::Result<()> {
        if let Some(why) = body["error"].as_str() {
            return self.refuse(request, why);
        }
        if let Some(resume) = body["resume"].as_str().and_then(answers::resume_of) {
            self.is_held = false;
            if let Some(run) = &self.run {
                run.resume(resume);
                self.awaited.push_back(Awaited::Run);
            }
            return self.answer(request, json!({ "allThreadsContinued": true }));
        }
        if !body["stopped"].is_null() {
            self.answer(request, json!({}))?;
            return self.event("stopped", body["stopped"]["stopped"].clone());
        }
        for frame in body["stackFrames"].as_array_mut().into_iter().flatten() {
            for (name, first) in [("line", self.first.line), ("column", self.first.column)] {
                let counted = frame[name].as_u64().unwrap_or(0) + first;
                frame[name] = counted.saturating_sub(1).into();
            }
        }
        self.answer(request, body)
    }

    /// What the run said meanwhile.
    fn told_output(&mut self, body: &Value) -> io::Result<()> {
        for line in body["output"].as_array().into_iter().flatten() {
            let text = format!("{}\n", line.as_str().unwrap_or_default());
            self.event("output", json!({ "category": "stdout", "output": text }))?;
        }
        Ok(())
    }
}

/// A bench with a debugger that asks this front.
fn debugged(config: Config, engine: &Engine, front: Box<dyn crate::debugger::Front>) -> Bench {
    let mut bench = Bench::new(config, engine);
    bench.debug_with(front);
    bench
}
