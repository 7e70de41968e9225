//! `run`: commands.

use eximious_core::grammar::expansion::{Arg, ItemShape};
use eximious_core::trace::{Happening, ProcessEvent};
use eximious_core::world::{Command, Finished, RunError};
use eximious_core::{
    BranchOutcome, Call, Effects, ErrorKind, Fail, Item, ItemRun, Meta, Str, TaintRule,
};

use crate::command::{cut_at_zero, expanded, too_many, words};
use crate::variables::var;
use crate::wording::reason;
use crate::{environment, provenance};

/// Whose commands these are, where something is said of one.
const OWNER: &str = "${run} expansion";
/// What a shell says of a command that is not there.
const NOT_FOUND: i32 = 127;

/// `${run{command}{yes}{no}}`, `${run,preexpand{command}…}`.
pub static RUN: Item = Item {
    meta: Meta::new(
        "run",
        Effects::RUN
            .union(Effects::HOST)
            .union(Effects::LOG)
            .union(Effects::VARS)
            .union(Effects::EXPAND),
        TaintRule::Result,
    )
    .syntax("${run{<command>}{<success>}{<failure>}}")
    .summary("Runs a command, and gives what it writes.")
    .docs(
        "The command line is split into words at white space, and each word is expanded by \
         itself, so that no value can make more words of one. A word with white space in it, \
         such as an item, stands in quotes: in double quotes escapes are read, in single quotes \
         they are not. With `run,preexpand` the whole line is expanded first and split then. \
         There is no shell, and no path is searched: write `/bin/sh -c \"…\"` where you need \
         one.\n\n\
         What the command writes, errors included, is in `$value` for either string, and stays \
         there. Its exit code is in `$runrc`; a command that can't be executed has 127. Code 0 \
         picks the first string, anything else the second. Without strings the result is the \
         output of a command that succeeds. A signal or a timeout makes the expansion fail.\n\n\
         The program's name must not be tainted; with `preexpand` nothing in the line may be. \
         The environment is that of `keep_environment` and `add_environment`. Output that \
         repeats a tainted argument with a dollar or a backslash in it is tainted.",
    )
    .source("specification 11.5, 29.3"),
    shape: ItemShape::Run,
    run: ItemRun::Lazy(run),
};

fn run(call: &mut Call<'_>) -> Result<Str, Fail> {
    call.permitted("running a command is not permitted")?;
    let options = call.args().iter().take_while(|arg| matches!(arg, Arg::Word(_))).count();
    let argv = if options == 0 { expanded_words(call)? } else { words_of_expanded(call, options)? };
    let finished = finish(call, &argv)?;
    call.set_var(var::RUNRC, Str::from(finished.code.to_string()));
    if finished.code < 0 {
        call.scope().set_value(Str::EMPTY);
        let message = format!("command killed by signal {}", -finished.code);
        return Err(Fail::error(ErrorKind::Outside, message));
    }
    let taint = provenance::of_answer(&finished.output, &argv);
    let output = cut_at_zero(Str::from(finished.output)).stamped(taint);
    // It stays there afterwards.
    call.scope().set_value(output.clone());
    call.branches(if finished.code == 0 {
        BranchOutcome::Yes(output)
    } else {
        BranchOutcome::NoWith(output)
    })
}

/// The command line split into words, and each of them expanded.
fn expanded_words(call: &mut Call<'_>) -> Result<Vec<Str>, Fail> {
    call.parse_only(0)?;
    let Some(line) = command_line(call) else { return Err(closing_fault(call)) };
    expanded(line, OWNER, |word| call.expand(word))
}

/// The command line as it is written. It ends early behind a name that nobody
/// knows, where the parse has noted one.
fn command_line<'a>(call: &Call<'a>) -> Option<&'a [u8]> {
    let line = call.raw(0)?;
    let (Some(Arg::Text(seq)), Some(Arg::Word(odd))) = (call.args().first(), call.args().get(1))
    else {
        return Some(line);
    };
    let name = odd.of(call.source());
    let name = name.strip_prefix(b"$").unwrap_or(name);
    let name = name.strip_prefix(b"{").and_then(|n| n.strip_suffix(b"}")).unwrap_or(name);
    if call.knows_variable(name) {
        return Some(line);
    }
    call.source().get(seq.span.start as usize..odd.end as usize)
}

/// The command line expanded, and that split into words.
fn words_of_expanded(call: &mut Call<'_>, index: usize) -> Result<Vec<Str>, Fail> {
    let line = call.text(index)?;
    let words = words(line.bytes()).ok_or_else(|| too_many(line.bytes(), OWNER))?;
    Ok(words.into_iter().map(|word| cut_at_zero(Str::from(word)).stamped(line.taint())).collect())
}

fn closing_fault(call: &Call<'_>) -> Fail {
    call.check_closed().err().unwrap_or_else(|| Fail::error(ErrorKind::Syntax, ""))
}

/// Runs a command to its end.
fn finish(call: &mut Call<'_>, argv: &[Str]) -> Result<Finished, Fail> {
    let Some(program) = argv.first() else {
        return Ok(Finished { code: NOT_FOUND, output: Vec::new() });
    };
    if program.taint().is_tainted() {
        call.log()?.panic(&[b"Attempt to exec tainted path: '", program.bytes(), b"'"].concat());
        return Err(no_child(ErrorKind::Taint, "Operation not permitted"));
    }
    let identity = call.commands_user();
    let command = Command {
        argv: argv.iter().map(|word| word.bytes().to_vec()).collect(),
        environment: environment::all(call)?,
        identity,
        as_nobody_else: identity.is_some(),
        directory: call.directory().map(<[u8]>::to_vec),
    };
    let bounds = call.bounds();
    let processes = call.processes()?;
    let begin = Happening::Process(ProcessEvent::Begin { command: &command.argv });
    let outer = call.trace().begin(begin);
    let finished = processes.run(&command, bounds.command, bounds.length as u64);
    let finished = finished.map_err(|why| match why {
        RunError::Start(error) => no_child(ErrorKind::Outside, &reason(&error)),
        RunError::Timeout => Fail::error(ErrorKind::Limit, "command timed out"),
        RunError::TooMuch => {
            let message = format!("command wrote more than {} bytes", bounds.length);
            Fail::error(ErrorKind::Limit, message)
        }
    });
    call.trace().tell(Happening::Process(match &finished {
        Ok(finished) => ProcessEvent::End { status: finished.code, size: finished.output.len() },
        Err(fail) => ProcessEvent::Failed { why: fail.message() },
    }));
    call.trace().end(outer);
    finished
}

fn no_child(kind: ErrorKind, why: &str) -> Fail {
    Fail::error(kind, format!("couldn't create child process: {why}"))
}
