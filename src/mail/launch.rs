//! Commands that nobody waits for: what `smtp_etrn_command` names (specification
//! 49.2.5).

use std::io;

use eximious_core::world::Command;
use eximious_core::{Effects, Fail, Meta, Str, TaintRule};
use eximious_stdlib::environment::{self, Environment};
use eximious_stdlib::options;
use eximious_stdlib::{command, wording};

use crate::Context;

static LAUNCH: Meta = Meta::new("command", Effects::RUN.union(Effects::HOST), TaintRule::Result);

/// The words of a command line, each expanded on its own; `owner` is whose line it is.
///
/// # Errors
/// One can't be expanded, or may hold what somebody outside has written.
pub fn words(cx: &mut Context, line: &Str, owner: &str) -> Result<Vec<Str>, Fail> {
    let engine = cx.engine().clone();
    command::untainted(line.bytes(), owner, |word| engine.expand_once(word.bytes(), cx))
}

/// The environment that commands have (`keep_environment`, `add_environment`): names and values.
///
/// # Errors
/// It can't be told.
pub fn environment(cx: &mut Context) -> Result<Environment, Fail> {
    cx.call(&LAUNCH, environment::all)
}

/// Starts a command as the user that the server runs as; when it has ended, `ended` is
/// called.
///
/// # Errors
/// Why it can't be executed.
pub fn start(
    cx: &mut Context,
    words: &[Str],
    ended: Box<dyn FnOnce() + Send>,
) -> Result<(), String> {
    if words.is_empty() {
        // So the system has it where there is not even a name.
        return Err("Bad address".to_owned());
    }
    let world = cx.engine().world().clone();
    let identity = options::server_ids(cx.engine().settings(), &*world.users, &*world.host);
    let started = cx.call(&LAUNCH, |call| -> Result<io::Result<()>, Fail> {
        let command = Command {
            argv: words.iter().map(|word| word.bytes().to_vec()).collect(),
            environment: environment::all(call)?,
            identity: Some(identity),
            ..Command::default()
        };
        Ok(call.processes()?.launch(&command, ended))
    });
    match started {
        Ok(started) => started.map_err(|why| wording::reason(&why)),
        Err(fail) => Err(String::from_utf8_lossy(fail.message()).into_owned()),
    }
}
