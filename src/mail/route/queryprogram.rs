//! The router `queryprogram` (specification, chapter 21).

use eximious_core::world::{Command, Finished, RunError};
use eximious_core::{Call, DriverDef, Effects, ErrorKind, Fail, Meta, Str, TaintRule};
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::wording::reason;
use eximious_stdlib::{command, environment, keyed};

use super::driver::{self, RouterRun};
use super::hosts::{self, Hosts, How, Way};
use super::machine::{Machine, Verdict};
use super::pass::RouteError;
use super::redirect;
use super::router::Router;
use super::send::Here;
use crate::config::{ConfigError, GoesOn, Instance, RouterRules};

/// What the command may touch.
static COMMAND: Meta =
    Meta::new("queryprogram", Effects::RUN.union(Effects::HOST), TaintRule::Result);

/// How much of an answer counts.
const LONGEST: usize = 1023;
/// How much a command may write at all: what a pipe holds. In Exim it waits for
/// ever to write more.
const MOST_OUTPUT: u64 = 1 << 16;

/// The driver `queryprogram`.
pub(super) static DRIVER: DriverDef =
    driver::own("queryprogram", "Runs a command that says where to.", "21", &RouterRun::Own(run))
        .rules(&RULES);

static RULES: RouterRules =
    RouterRules { check: checked, goes_on: GoesOn::Always, ..RouterRules::DEFAULT };

/// Does what a command says.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    // Faults of these count whatever the command says.
    let before = machine.address.attached.clone();
    let assigned = machine.assign_errors(router).and_then(|()| machine.assign_headers(router));
    let after = std::mem::replace(&mut machine.address.attached, before);
    assigned?;
    let identity = identity(machine, router)?;
    let line = router
        .text(opt::queryprogram::COMMAND)
        .map(|text| text.written.clone())
        .unwrap_or_default();
    let engine = machine.cx.engine().clone();
    let argv = command::untainted(line.bytes(), "queryprogram router", |word| {
        engine.expand_once(word.bytes(), machine.cx)
    });
    let argv = argv.map_err(|fail| RouteError::new(fail.message()))?;
    let output = output(machine, router, &argv, identity)?;
    let answer = Answer::read(&output);
    let rest = || answer.rest.to_vec();
    let word = answer.word.to_ascii_lowercase();
    match word.as_slice() {
        b"accept" => {
            machine.assigned = Some(after);
            let accepted = accept(machine, number, router, answer.rest);
            machine.assigned = None;
            accepted
        }
        b"decline" => Ok(Verdict::Decline),
        b"pass" => Ok(Verdict::Pass),
        b"fail" => Ok(Verdict::Fail(RouteError { said: Some(rest()), ..RouteError::new(rest()) })),
        b"defer" => Err(RouteError::new(rest())),
        b"freeze" => Err(RouteError { freezes: true, ..RouteError::new(rest()) }),
        b"redirect" => redirect::answer(machine, number, router, &Str::from(rest())),
        _ => {
            let message = [b"bad command yield: ", answer.word, b" ", answer.rest].concat();
            Err(refused(machine, router, message))
        }
    }
}

/// The user and group that the command runs as.
fn identity(machine: &mut Machine<'_>, router: &Router) -> Result<(u32, u32), RouteError> {
    let user = opt::queryprogram::COMMAND_USER;
    let (uid, own) = match (router.ids(user), router.some_text(user)) {
        ([uid, ..], _) => (*uid, None),
        ([], Some(text)) => machine.user_of(router, text)?,
        ([], None) => return Err(RouteError::new("command_user must be specified")),
    };
    if let [gid, ..] = router.ids(opt::queryprogram::COMMAND_GROUP) {
        return Ok((uid, *gid));
    }
    let Some(text) = router.some_text(opt::queryprogram::COMMAND_GROUP) else {
        let message = router.named(b"command_user set without command_group for ", b" router", b"");
        return own.map(|gid| (uid, gid)).ok_or_else(|| RouteError::new(message));
    };
    machine.group_of(router, text)?;
    // Exim takes a group that it finds so for a mistake.
    Err(RouteError::new("unknown error"))
}

/// What the command writes.
fn output(
    machine: &mut Machine<'_>,
    router: &Router,
    argv: &[Str],
    identity: (u32, u32),
) -> Result<Vec<u8>, RouteError> {
    let directory =
        router.some_text(opt::queryprogram::CURRENT_DIRECTORY).map(|text| text.written.bytes());
    // Exim itself is in the root directory.
    let directory = match directory.unwrap_or_default() {
        path @ [b'/', ..] => path.to_vec(),
        path => [b"/", path].concat(),
    };
    let timeout = router.timeout(opt::queryprogram::TIMEOUT);
    let run = |call: &mut Call<'_>| {
        let command = Command {
            argv: argv.iter().map(|word| word.bytes().to_vec()).collect(),
            environment: environment::all(call)?,
            identity: Some(identity),
            as_nobody_else: false,
            directory: Some(directory),
        };
        call.processes()?.run(&command, timeout, MOST_OUTPUT).map_err(|why| match why {
            RunError::Start(why) => {
                let message = format!("couldn't create child process: {}", reason(&why));
                Fail::error(ErrorKind::Outside, message)
            }
            RunError::Timeout => Fail::error(ErrorKind::Limit, "command timed out"),
            RunError::TooMuch => {
                let message = format!("command wrote more than {MOST_OUTPUT} bytes");
                Fail::error(ErrorKind::Limit, message)
            }
        })
    };
    let wrong = |what: &str| RouteError::new(router.named(b"", b" router: ", what.as_bytes()));
    match machine.cx.call(&COMMAND, run) {
        Err(why) => {
            let message = router.named(b"", b" router: ", why.message());
            Err(RouteError::new(message))
        }
        Ok(Finished { code: 0, output }) if output.is_empty() => {
            Err(wrong("command failed to return data"))
        }
        Ok(Finished { code: 0, output }) => Ok(output),
        Ok(Finished { code, .. }) if code < 0 => {
            Err(wrong(&format!("command killed by signal {}", -code)))
        }
        Ok(Finished { code, .. }) => Err(wrong(&format!("command returned non-zero code {code}"))),
    }
}

/// What a command says: a word, and what follows it.
#[derive(PartialEq, Eq, Debug)]
struct Answer<'o> {
    word: &'o [u8],
    rest: &'o [u8],
}

impl<'o> Answer<'o> {
    fn read(output: &'o [u8]) -> Self {
        let space = |c: &u8| c.is_ascii_whitespace() || *c == b'\x0b';
        let text = &output[..output.len().min(LONGEST)];
        let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
        let text = &text[..text.iter().rposition(|c| !space(c)).map_or(0, |last| last + 1)];
        let text = &text[text.iter().position(|c| !space(c)).unwrap_or(text.len())..];
        let end = text.iter().position(space).unwrap_or(text.len());
        // One byte parts them: what follows may begin with more white space.
        Self { word: &text[..end], rest: text.get(end + 1..).unwrap_or_default() }
    }
}

/// `accept`, and the values that say where to.
fn accept(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
    values: &[u8],
) -> Result<Verdict, RouteError> {
    let value = |name: &[u8]| keyed::find(values, name).filter(|value| !value.is_empty());
    if let Some(data) = value(b"data") {
        machine.address.attached.address_data = Some(Str::from(data.into_owned()));
        machine.data_shown = false;
    }
    let said = match value(b"transport") {
        None => None,
        Some(name) => match machine.routes.transport(&name) {
            Some(transport) => Some(transport),
            None => {
                let message = [b"unknown transport name ", &*name, b" yielded by command"].concat();
                return Err(refused(machine, router, message));
            }
        },
    };
    let Some(transport) = machine.transport_for(router, said)? else {
        let message = router.named(b"transport unset in ", b" router", b"");
        return Err(RouteError::new(message).numbered(RouteError::TRANSPORT));
    };
    let Some(list) = value(b"hosts") else {
        return machine.send_by(number, router, Vec::new(), Here::No, Some(transport));
    };
    let way = match value(b"lookup").as_deref() {
        None => Way::Both,
        Some(b"byname") => Way::Name,
        Some(b"bydns") => Way::Dns,
        Some(other) => {
            let message = [b"bad lookup type \"", other, b"\" yielded by command"].concat();
            return Err(refused(machine, router, message));
        }
    };
    let list = hosts::read(machine.cx, &list, false);
    if list.is_empty() {
        return Err(RouteError::new("host lookup for  did not complete (DNS timeout?)"));
    }
    // Another time it may be there.
    let how = How { way, ..How::default() };
    match hosts::find(machine, router, &list, (how, b"defer"))? {
        Hosts::Verdict(verdict) => Ok(verdict),
        Hosts::Some(hosts, here) => machine.send_by(number, router, hosts, here, Some(transport)),
    }
}

/// An error of an answer that says nothing of use; it goes to the panic log,
/// too.
fn refused(machine: &mut Machine<'_>, router: &Router, message: Vec<u8>) -> RouteError {
    machine.log_panic_alone(&router.named(b"", b" router: ", &message));
    RouteError::new(message)
}

/// What must hold of its options.
fn checked(router: &Instance) -> Result<(), ConfigError> {
    if !router.set(opt::queryprogram::COMMAND) {
        return Err(router.wrong("a command specification is required"));
    }
    if !router.set(opt::queryprogram::COMMAND_USER) {
        return Err(router.wrong("command_user must be specified"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_word_and_its_rest() {
        for (output, word, rest) in [
            (&b"fail  x y \n\n"[..], &b"fail"[..], &b" x y"[..]),
            (b"\x0b\n accept", b"accept", b""),
            (b"fail\nx", b"fail", b"x"),
            (b"fail a\0b", b"fail", b"a"),
            (b" \n", b"", b""),
            (b"", b"", b""),
            (b"\0", b"", b""),
        ] {
            assert_eq!(Answer::read(output), Answer { word, rest });
        }
        assert_eq!(Answer::read(&[b'x'; 5000]).word.len(), LONGEST);
    }
}
