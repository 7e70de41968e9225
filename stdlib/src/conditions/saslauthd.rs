//! `saslauthd`: asks Cyrus's daemon whether a password is right.
//!
//! The daemon takes four strings, each behind its length in two bytes: user,
//! password, service and realm. It answers with one, which begins with `OK` or
//! `NO`.

use std::io::{self, Read};
use std::time::Duration;

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::world::Target;
use eximious_core::{
    Call, Condition, ConditionRun, Effects, ErrorKind, Fail, Meta, Str, TaintRule,
};

use crate::wording::reason;

/// Where the daemon listens, as Debian's Exim is built.
const SOCKET: &str = "/var/run/saslauthd/mux";
/// How long the daemon may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The bytes that an answer may have.
const LONGEST_ANSWER: u16 = 1024;

/// `saslauthd {{user}{password}{service}{realm}}`.
pub static SASLAUTHD: Condition = Condition {
    meta: Meta::new("saslauthd", Effects::NET, TaintRule::Result)
        .syntax("saslauthd {{<user>}{<password>}{<service>}{<realm>}}")
        .summary("The saslauthd daemon accepts a user and password.")
        .docs(
            "Service and realm may be left out. The daemon is asked through its socket, \
             `/var/run/saslauthd/mux`. Where it can't be reached, or gives no proper answer, the \
             expansion fails.",
        )
        .source("specification 11.7"),
    shape: ConditionShape::Group { min: 2, max: 4 },
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let mut request = Vec::new();
    for place in 0..4 {
        let text = args.get(place).map_or(b"".as_slice(), Str::bytes);
        let Ok(length) = u16::try_from(text.len()) else {
            return Err(Fail::argument("a string for saslauthd is too long"));
        };
        request.extend(length.to_be_bytes());
        request.extend_from_slice(text);
    }
    let target = Target::Unix(SOCKET.into());
    let mut stream = call.net()?.connect(&target, PATIENCE).map_err(|error| {
        let why = reason(&error);
        outside(format!("cannot connect to saslauthd daemon at {SOCKET}: {why}"))
    })?;
    stream.set_deadline(PATIENCE);
    let answer = stream
        .write_all(&request)
        .and_then(|()| stream.flush())
        .and_then(|()| read(&mut *stream))
        .map_err(|error| outside(format!("no answer from saslauthd: {}", reason(&error))))?;
    match answer.get(..2) {
        Some(b"OK") => Ok(true),
        Some(b"NO") => Ok(false),
        _ => Err(Fail::error(ErrorKind::Outside, answer)),
    }
}

fn outside(message: String) -> Fail {
    Fail::error(ErrorKind::Outside, message)
}

/// One string behind its length; shorter, where the daemon breaks off.
fn read(stream: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it broke off"),
        _ => error,
    })?;
    let length = u16::from_be_bytes(length);
    if !(2..=LONGEST_ANSWER).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its length makes no sense"));
    }
    let mut answer = Vec::with_capacity(usize::from(length));
    stream.take(u64::from(length)).read_to_end(&mut answer)?;
    Ok(answer)
}
