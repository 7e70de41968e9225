//! `eximious trace`: what happens in an expression, an ACL, routing or a session.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use eximious::stdlib::address;
use eximious::{Config, Context, Engine, Str, var};
use eximious_workbench::bench::{AclQuestion, Bench, verdict_word};
use eximious_workbench::trace::{SourceText, TextStyle, json, lines, page, quoted};
use eximious_workbench::tree::TraceNode;

use super::{flag, option};
use crate::print;
use crate::progress::Progress;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};

/// How large a session may be.
const LARGEST: u64 = 64 << 20;

/// Its options.
pub fn command() -> Command {
    Command::new("trace")
        .about("shows what happens in an expression, an ACL, routing or a session")
        .long_about(
            "Shows what happens, step by step: each condition, list, look-up and expansion, \
             what it came to, whether that is tainted, how long it took, and where it stands.",
        )
        .arg(option("expand", "TEXT", "An expression"))
        .arg(option("acl", "NAME", "An ACL, about --recipient where there is one"))
        .arg(option("route", "ADDRESS", "Where an address goes"))
        .arg(option(
            "session",
            "FILE",
            "The lines of an SMTP client, as for -bh; - is the standard input",
        ))
        .group(ArgGroup::new("what").args(["expand", "acl", "route", "session"]).required(true))
        .arg(client("The client's address; 127.0.0.1 by default"))
        .arg(
            option("helo", "NAME", "The name that the client gives itself")
                .conflicts_with("session"),
        )
        .arg(option("sender", "ADDRESS", "The sender of the envelope").conflicts_with("session"))
        .arg(
            option("recipient", "ADDRESS", "The recipient: an ACL is asked about it")
                .conflicts_with_all(["session", "route"]),
        )
        .arg(
            option("message", "FILE", "A message: $h_subject: and the like have values")
                .conflicts_with("session"),
        )
        .arg(flag("json", "As JSON; docs/trace.md says what is in it"))
        .arg(
            option("html", "FILE", "Writes a page with the configuration beside the tree")
                .conflicts_with("json"),
        )
        .arg(flag("times", "With times"))
        .arg(flag("skipped", "With what was passed over"))
        .arg(option("depth", "N", "No deeper than that").value_parser(value_parser!(usize)))
}

/// `--client`
pub fn client(help: &'static str) -> Arg {
    option("client", "IP[:PORT]", help).value_parser(client_of)
}

/// An address, with or without a port.
///
/// # Errors
/// It is none.
fn client_of(text: &str) -> Result<SocketAddr, String> {
    let address: Result<IpAddr, _> = text.parse();
    text.parse()
        .or_else(|_| address.map(|address| SocketAddr::new(address, 0)))
        .map_err(|_| "an IP address is wanted".to_owned())
}

/// Runs it.
///
/// # Errors
/// The configuration or the session can't be read, or there is no such ACL.
pub fn run(matches: &ArgMatches, setup: Setup) -> Result<ExitCode, Refusal> {
    traced(matches, setup).map(|text| print(text.as_bytes()))
}

fn traced(matches: &ArgMatches, mut setup: Setup) -> Result<String, Refusal> {
    let _progress = Progress::of("tracing; Ctrl-C ends it");
    let text = |name: &str| matches.get_one::<String>(name);
    setup.message = text("message").map(|file| file.clone().into_bytes()).or(setup.message);
    let mut session = Session::start(setup, eximious_world::system())?;
    let engine = session.engine().clone();
    let (config, cx) = session.parts();
    let config = config.cloned().unwrap_or_else(Config::default);
    let sources = config.sources.files().iter().map(|file| SourceText {
        name: String::from_utf8_lossy(&file.name).into_owned(),
        text: String::from_utf8_lossy(&file.text).into_owned(),
    });
    let sources: Vec<_> = sources.collect();
    let mut bench = Bench::new(config, &engine);
    let client = matches.get_one::<SocketAddr>("client");
    let ran = ran(matches, &mut bench, cx, client.copied())?;
    let mut nodes = bench.happened();
    if let Some(depth) = matches.get_one::<usize>("depth") {
        nodes.iter_mut().for_each(|node| cut(node, *depth));
    }
    if matches.get_flag("json") {
        return Ok(format!("{:#}\n", json(&nodes, bench.is_complete())));
    }
    if let Some(file) = text("html") {
        let html = page(&ran.title, &nodes, &sources);
        super::put(file, &html)?;
        if file == "-" {
            // The page is all of the standard output.
            let _ = io::stderr().write_all(ran.said.as_bytes());
            return Ok(String::new());
        }
        return Ok(ran.said);
    }
    let style =
        TextStyle::default().times(matches.get_flag("times")).skipped(matches.get_flag("skipped"));
    let mut out = ran.said;
    lines(&nodes, style).iter().for_each(|line| out += &format!("{line}\n"));
    if !bench.is_complete() {
        out += "(there was more than is kept)\n";
    }
    Ok(out)
}

/// What was run.
struct Ran {
    title: String,
    /// What came of it.
    said: String,
}

fn ran(
    matches: &ArgMatches,
    bench: &mut Bench,
    cx: &mut Context,
    client: Option<SocketAddr>,
) -> Result<Ran, Refusal> {
    let text = |name: &str| matches.get_one::<String>(name);
    if let Some(client) = client {
        cx.set_var(var::SENDER_HOST_ADDRESS, Str::tainted(client.ip().to_string()));
        cx.set_var(var::SENDER_HOST_PORT, Str::from(client.port().to_string()));
    }
    if let Some(name) = text("helo") {
        cx.set_var(var::SENDER_HELO_NAME, Str::tainted(name.as_bytes()));
    }
    if let Some(recipient) = text("recipient") {
        let (local_part, domain) = address::parts(recipient.as_bytes());
        cx.set_var(var::LOCAL_PART, Str::tainted(local_part));
        cx.set_var(var::DOMAIN, Str::tainted(domain));
    }
    if let Some(sender) = text("sender") {
        cx.set_var(var::SENDER_ADDRESS, Str::tainted(sender.as_bytes()));
    }
    if let Some(expression) = text("expand") {
        let result = bench.expand(cx, expression.as_bytes());
        let said = match result {
            // Of a text that stands for itself, nothing else is told.
            Ok(value) if bench.happened().is_empty() => format!("{}\n", quoted(&value)),
            Ok(_) => String::new(),
            Err(fail) => format!("Failed: {fail}\n"),
        };
        return Ok(Ran { title: expression.clone(), said: logged(bench) + &said });
    }
    if let Some(address) = text("route") {
        let fates = bench.route(cx, address.as_bytes());
        let fates: String = fates.iter().map(|fate| format!("{fate}\n")).collect();
        return Ok(Ran { title: format!("route {address}"), said: logged(bench) + &fates });
    }
    if let Some(name) = text("acl") {
        if bench.loaded().acl(name).is_none() {
            return Err(Refusal::Said(format!("eximious: there is no ACL {name}").into()));
        }
        let mut question = AclQuestion::new(name.as_str());
        if let Some(client) = client {
            question.client = client;
        }
        question.helo = text("helo").cloned().unwrap_or_default();
        question.sender = text("sender").cloned().unwrap_or_default();
        question.recipient = text("recipient").cloned();
        let decision = bench.ask_acl(cx, &question);
        let mut said = logged(bench) + verdict_word(decision.verdict);
        if let Some(message) = &decision.message {
            said += &format!(": {}", message.display());
        }
        return Ok(Ran { title: format!("acl {name}"), said: said + "\n" });
    }
    let file = text("session").cloned().unwrap_or_default();
    let script = script(&file, cx.engine())?;
    let client = client.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let mut said = String::new();
    for line in bench.session(cx, client, &script) {
        line.lines().iter().for_each(|line| said += &format!("{line}\n"));
    }
    Ok(Ran { title: format!("session {file}"), said })
}

/// The lines of a client, from a file or the standard input.
///
/// # Errors
/// They can't be read.
pub fn script(file: &str, engine: &Engine) -> Result<Vec<u8>, Refusal> {
    let script = match file {
        "-" => crate::input::all(LARGEST),
        _ => engine.world().files.read(file.as_bytes(), LARGEST).map(|text| text.to_vec()),
    };
    script.map_err(|why| {
        let why = eximious::stdlib::wording::reason(&why);
        Refusal::Said(format!("eximious: {file}: {why}").into())
    })
}

fn logged(bench: &Bench) -> String {
    bench.log_lines().iter().map(|line| format!("LOG: {}\n", line.display())).collect()
}

/// Leaves out what stands deeper.
fn cut(node: &mut TraceNode, depth: usize) {
    match depth {
        0 | 1 => node.parts.clear(),
        _ => node.parts.iter_mut().for_each(|part| cut(part, depth - 1)),
    }
}
