//! `pwcheck`: the daemon that saslauthd has replaced.
//!
//! It is told user and password, each with a zero byte behind it, and says `OK`,
//! or why not, until it closes the connection.

use std::io::Read;
use std::time::Duration;

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::world::Target;
use eximious_core::{
    Call, Condition, ConditionRun, Effects, ErrorKind, Fail, Meta, Str, TaintRule,
};

use crate::wording::reason;

/// Where the daemon listens, by its documentation.
const SOCKET: &str = "/var/pwcheck/pwcheck";
/// How long the daemon may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The bytes of an answer that are looked at.
const LONGEST_ANSWER: u64 = 1024;

/// `pwcheck {user:password}`.
pub static PWCHECK: Condition = Condition {
    meta: Meta::new("pwcheck", Effects::NET, TaintRule::Result)
        .until("4.100")
        .syntax("pwcheck {<user>:<password>}")
        .summary("The pwcheck daemon of Cyrus accepts a user and password.")
        .docs(
            "What follows the first colon is the password; without a colon, it is empty. The \
             daemon is asked through its socket, `/var/pwcheck/pwcheck`. Where it can't be \
             reached, or says nothing, the expansion fails. Cyrus's `saslauthd` has taken its \
             place, and the condition `saslauthd` that of this one.",
        )
        .source("specification 11.7, saslauthd"),
    shape: ConditionShape::One,
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let text = args[0].bytes();
    let (user, password) = match memchr::memchr(b':', text) {
        Some(colon) => (&text[..colon], &text[colon + 1..]),
        None => (text, &[][..]),
    };
    let target = Target::Unix(SOCKET.into());
    let mut stream = call.net()?.connect(&target, PATIENCE).map_err(|error| {
        let why = reason(&error);
        outside(format!("cannot connect to pwcheck daemon at {SOCKET}: {why}"))
    })?;
    stream.set_deadline(PATIENCE);
    let mut answer = Vec::new();
    stream
        .write_all(&[user, b"\0", password, b"\0"].concat())
        .and_then(|()| stream.flush())
        .and_then(|()| (&mut *stream).take(LONGEST_ANSWER).read_to_end(&mut answer))
        .map_err(|error| outside(format!("no answer from pwcheck: {}", reason(&error))))?;
    match answer.is_empty() {
        true => Err(outside("no answer from pwcheck: it broke off".to_owned())),
        false => Ok(answer.starts_with(b"OK")),
    }
}

fn outside(message: String) -> Fail {
    Fail::error(ErrorKind::Outside, message)
}
