//! Any command; patterns of the configuration read what it prints.

use eximious_core::world::{Command, RunError};
use eximious_core::{Effects, Meta, TaintRule};

use super::{Fault, Scanner, ScannerRun, Scanning};

/// How much of what a command prints is read.
const MOST: u64 = 1 << 20;

pub(super) static RUN: ScannerRun = ScannerRun(scan);
pub(super) const CMDLINE: Scanner = {
    let mut scanner = super::scanner(
        "cmdline",
        "cmdline:<command>:<trigger>:<name>",
        "Any command; patterns read what it prints.",
        &RUN,
    );
    scanner.meta.effects = Effects::RUN;
    scanner
};

static META: Meta = Meta::new("cmdline", Effects::RUN, TaintRule::Tainted);

fn scan(scan: &mut Scanning<'_, '_>) -> Result<Option<Vec<u8>>, Fault> {
    let Some(command) = scan.option(0).map(<[u8]>::to_vec) else {
        return Err(b"missing commandline specification".into());
    };
    let patterns = Patterns::new(scan, 1)?;
    // The shell gets nothing that a sender chose: the directory has the message's name.
    let line = [&filled(&command, &scan.directory)[..], b" 2>&1"].concat();
    let command = Command {
        argv: vec![b"/bin/sh".to_vec(), b"-c".to_vec(), line],
        environment: vec![(b"PATH".to_vec(), b"/bin:/usr/bin".to_vec())],
        ..Command::default()
    };
    let time = scan.time;
    let ran = scan
        .run
        .cx
        .call(&META, |call| call.processes().map(|processes| processes.run(&command, time, MOST)));
    let finished = match ran {
        Ok(Ok(finished)) => finished,
        Ok(Err(RunError::Start(why))) => {
            let why = super::link::reason(&why);
            return Err(format!("call scanner failed: {why}").into_bytes().into());
        }
        Ok(Err(RunError::Timeout)) => {
            let line = &command.argv[2][..];
            let parts = [b"unable to read from scanner (", line, b"): Connection timed out"];
            return Err(parts.concat().into());
        }
        Ok(Err(RunError::TooMuch)) => return Err(b"scanner printed too much".into()),
        Err(fail) => return Err(Fault(fail.message().to_vec())),
    };
    let found = patterns.name_in_lines(scan, &finished.output)?;
    // What was found counts, whatever the code: many a scanner has one of its own for that.
    if found.is_none() && finished.code != 0 {
        // As the system gives it: the code in the upper byte, a signal in the lower one.
        let status = if finished.code > 0 { finished.code << 8 } else { -finished.code };
        return Err(format!("scanner returned error code: {status}").into_bytes().into());
    }
    Ok(found)
}

/// A command with a path in the place of its first `%s`; `%%` is a per cent sign.
pub(super) fn filled(command: &[u8], path: &[u8]) -> Vec<u8> {
    let (mut out, mut rest, mut is_filled) = (Vec::new(), command, false);
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let (part, length): (&[u8], _) = match rest.get(at + 1) {
            Some(b'%') => (b"%", 2),
            Some(b's') if !is_filled => {
                is_filled = true;
                (path, 2)
            }
            _ => (b"%", 1),
        };
        out.extend_from_slice(part);
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
    out
}

/// The patterns that read an answer.
pub(super) struct Patterns {
    trigger: Vec<u8>,
    name: Vec<u8>,
}

impl Patterns {
    /// From two options.
    pub(super) fn new(scan: &mut Scanning<'_, '_>, from: usize) -> Result<Self, Fault> {
        let option = |scan: &Scanning<'_, '_>, number| scan.option(number).map(<[u8]>::to_vec);
        let missing = |what: &str| Fault::from(format!("missing {what} specification"));
        let trigger = option(scan, from).ok_or_else(|| missing("trigger"))?;
        scan.find(&trigger, b"")?;
        let name = option(scan, from + 1).ok_or_else(|| missing("virus name regex"))?;
        scan.find(&name, b"")?;
        Ok(Self { trigger, name })
    }

    /// The name of what was found, if there is something: a line says that there is, and the
    /// last one with a name says which.
    fn name_in_lines(
        &self,
        scan: &mut Scanning<'_, '_>,
        answer: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let (mut is_found, mut name) = (false, None);
        for line in answer.split(|byte| *byte == b'\n') {
            let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
            let line = &line[..end];
            if line.is_empty() {
                continue;
            }
            is_found = is_found || scan.find(&self.trigger, line)?.is_some();
            let groups = scan.find(&self.name, line)?.unwrap_or_default();
            name = groups.into_iter().nth(1).flatten().or(name);
        }
        let name = name.filter(|name| !name.is_empty());
        Ok(is_found.then(|| name.unwrap_or_else(|| b"unknown".to_vec())))
    }

    /// The name of what was found in an answer as a whole, if there is something.
    pub(super) fn name(
        &self,
        scan: &mut Scanning<'_, '_>,
        answer: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        if scan.find(&self.trigger, answer)?.is_none() {
            return Ok(None);
        }
        for line in answer.split(|byte| *byte == b'\n') {
            let groups = scan.find(&self.name, line)?.unwrap_or_default();
            if let Some(name) = groups.into_iter().nth(1).flatten() {
                return Ok(Some(name));
            }
        }
        Ok(Some(b"unknown".to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn commands_are_filled() {
        for (command, expected) in [
            ("", ""),
            ("x", "x"),
            ("a %s b", "a /p b"),
            ("%% %s %%s", "% /p %s"),
            ("%%s", "%s"),
            ("%s %s", "/p %s"),
            ("100%", "100%"),
            ("%d%s", "%d/p"),
        ] {
            let line = filled(command.as_bytes(), b"/p");
            assert_eq!(String::from_utf8_lossy(&line), expected, "{command}");
        }
    }
}
