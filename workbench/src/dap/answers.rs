//! Answers to requests of the protocol.

use std::cell::RefCell;

use eximious::Str;
use eximious::trace::TracePlace;
use serde_json::{Value, json};

use crate::debugger::{Breakpoint, BreakpointError, Halt, Resume, StopReason, why};
use crate::variables;

thread_local! {
    /// What was said before the run was held up, in the thread that runs.
    static OUTPUT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Does something, with what was said before it.
pub(super) fn with_output<T>(lines: Vec<String>, work: impl FnOnce() -> T) -> T {
    OUTPUT.with(|output| *output.borrow_mut() = lines);
    work()
}

/// What this server can do.
pub(super) fn capabilities() -> Value {
    json!({
        "supportsConfigurationDoneRequest": true,
        "supportsFunctionBreakpoints": true,
        "supportsDataBreakpoints": true,
        "supportsStepBack": true,
        "supportsSetVariable": true,
        "supportsEvaluateForHovers": true,
        "supportsExceptionInfoRequest": true,
        "supportsTerminateRequest": true,
        "exceptionBreakpointFilters": [
            { "filter": "refusals", "label": "Refusals", "default": true,
              "description": "Stops where an ACL refuses, or an address can't be delivered to" },
        ],
    })
}

/// The breakpoints of lines of a file, whose first line has this number.
pub(super) fn line_breakpoints(arguments: &Value, first: u64) -> Vec<Breakpoint> {
    let file = arguments["source"]["path"].as_str().unwrap_or_default();
    let wanted = arguments["breakpoints"].as_array().into_iter().flatten();
    let line = |one: &Value| u32::try_from((one["line"].as_u64()? + 1).checked_sub(first)?).ok();
    // Each has an answer, whatever its line is.
    wanted
        .map(|one| Breakpoint::Line { file: file.to_owned(), line: line(one).unwrap_or(0) })
        .collect()
}

/// Breakpoints of ACLs and routers, and what is no such.
pub(super) fn function_breakpoints(arguments: &Value) -> Vec<Result<Breakpoint, BreakpointError>> {
    let wanted = arguments["breakpoints"].as_array().into_iter().flatten();
    wanted.map(|one| one["name"].as_str().unwrap_or_default().parse()).collect()
}

/// What is told of a run that is held up.
pub(super) fn stopped(halt: &mut Halt<'_>, usual: &str) -> Value {
    let (reason, text) = match halt.reason() {
        _ if !halt.is_now() => (usual, None),
        StopReason::Refused => ("exception", Some("refused".to_owned())),
        StopReason::Changed(one) => {
            let (from, to) = (one.from.display(), one.to.display());
            ("data breakpoint", Some(format!("${} was \"{from}\", and is \"{to}\"", one.name)))
        }
        StopReason::Step => ("step", None),
        StopReason::Pause => ("pause", None),
        StopReason::Breakpoint(_) => ("breakpoint", None),
    };
    let mut body = json!({ "reason": reason, "threadId": 1, "allThreadsStopped": true });
    if let Some(text) = text {
        body["text"] = text.into();
    }
    let output = OUTPUT.with(|output| std::mem::take(&mut *output.borrow_mut()));
    json!({ "stopped": body, "output": output })
}

/// How a run goes on, as a word, and back.
pub(super) fn word(resume: Resume) -> &'static str {
    match resume {
        Resume::Continue => "continue",
        Resume::Step => "step",
        Resume::Next => "next",
        Resume::Finish => "finish",
    }
}

pub(super) fn resume_of(word_of: &str) -> Option<Resume> {
    [Resume::Continue, Resume::Step, Resume::Next, Resume::Finish]
        .into_iter()
        .find(|resume| word(*resume) == word_of)
}

/// What is at hand, the innermost first.
pub(super) fn stack(halt: &mut Halt<'_>, _: &Value) -> Value {
    let frames = halt.frames().iter().enumerate().rev().map(|(number, frame)| {
        let mut out = json!({
            "id": number + 1, "name": format!("{}: {}", frame.name, frame.at),
            "line": 0, "column": 0,
        });
        if let Some(place) = &frame.place {
            out["line"] = place.line.into();
            out["column"] = place.column.into();
            out["source"] = source(place);
        }
        out
    });
    let frames: Vec<_> = frames.collect();
    json!({ "totalFrames": frames.len(), "stackFrames": frames })
}

fn source(place: &TracePlace) -> Value {
    let path = place.file.display().into_owned();
    json!({ "name": path.rsplit('/').next().unwrap_or(&path), "path": path })
}

/// A kind of variables: its name, and which belong to it.
type Scope = (&'static str, fn(&str) -> bool);

/// Kinds of variables, each a scope.
const SCOPES: &[Scope] = &[
    ("Connection", |name| {
        is_of(
            name,
            &["sender_host", "sender_helo", "received_", "tls_in", "interface", "host", "acl_c"],
        )
    }),
    ("Message", |name| {
        is_of(name, &["sender_address", "message", "recipients", "rcpt", "acl_m", "header"])
    }),
    ("Address", |name| {
        is_of(
            name,
            &[
                "local_part",
                "domain",
                "original",
                "address",
                "parent",
                "router",
                "transport",
                "home",
                "r_",
            ],
        )
    }),
    ("Everything", |_| true),
];

fn is_of(name: &str, heads: &[&str]) -> bool {
    heads.iter().any(|head| name.starts_with(head))
}

/// The scopes of a frame: variables of a kind.
pub(super) fn scopes(_: &mut Halt<'_>, _: &Value) -> Value {
    let scopes = SCOPES.iter().enumerate().map(|(number, (name, _))| {
        json!({ "name": name, "variablesReference": number + 1, "expensive": false })
    });
    json!({ "scopes": scopes.collect::<Vec<_>>() })
}

/// The variables of a scope that have a value.
pub(super) fn variables(halt: &mut Halt<'_>, arguments: &Value) -> Value {
    let number = arguments["variablesReference"].as_u64().unwrap_or(0);
    let scope = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some((_, belongs)) = scope.and_then(|number| SCOPES.get(number)) else {
        return json!({ "error": "there is no such scope" });
    };
    let found = halt.looking(|cx| variables::with_values(cx, ""));
    let found = found.iter().filter(|(name, _)| belongs(name)).map(|(name, value)| {
        json!({
            "name": format!("${name}"), "value": value.display(), "evaluateName": format!("${name}"),
            "type": taint(value), "variablesReference": 0,
        })
    });
    json!({ "variables": found.collect::<Vec<_>>() })
}

fn taint(value: &Str) -> &'static str {
    if value.taint().is_tainted() { "tainted" } else { "clean" }
}

/// Sets a variable of the run; what is given is taken as it stands, from outside.
pub(super) fn set_variable(halt: &mut Halt<'_>, arguments: &Value) -> Value {
    if !halt.is_now() {
        return json!({ "error": "what was can't be changed" });
    }
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    let (name, value) = (text("name").trim_start_matches('$'), text("value"));
    if !halt.context().engine().registry().all_variables().any(|one| one.meta.name == name)
        && !halt.context().engine().registry().in_family(name.as_bytes())
    {
        return json!({ "error": format!("there is no variable ${name}") });
    }
    halt.context().set(name, Str::tainted(value.as_bytes()));
    json!({ "value": value, "type": "tainted" })
}

/// Expands an expression with the values at hand.
pub(super) fn evaluate(halt: &mut Halt<'_>, arguments: &Value) -> Value {
    let text = arguments["expression"].as_str().unwrap_or_default();
    match halt.expand(text.as_bytes()) {
        Ok(value) => json!({
            "result": value.display(), "type": taint(&value), "variablesReference": 0,
        }),
        Err(fail) => json!({ "error": fail.to_string() }),
    }
}

/// Why something is refused.
pub(super) fn why_refused(halt: &mut Halt<'_>, _: &Value) -> Value {
    let mut text = String::new();
    let found = why(&halt.happened());
    for one in &found {
        text += &format!("{}\n", one.what);
        one.parts.iter().for_each(|part| text += &format!("  {part}\n"));
    }
    let first = found.first().map(|one| one.what.clone()).unwrap_or_default();
    json!({
        "exceptionId": "refused", "description": first, "breakMode": "always",
        "details": { "message": text },
    })
}
