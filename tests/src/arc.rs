//! Chains of seals: how ours are looked at, and dkimpy, which others use.

use std::io::Write as _;
use std::process::{Command, Stdio};

use eximious_mailauth::DnsSource;
use eximious_mailauth::arc::{ArcResult, ArcValidator};
use eximious_mailauth::canon::BodyHasher;

/// The fields of a message's header, and its body.
pub fn parts(message: &str) -> (Vec<&[u8]>, &[u8]) {
    let mut fields: Vec<&[u8]> = Vec::new();
    let bytes = message.as_bytes();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|c| *c == b'\n').map_or(bytes.len(), |n| at + n + 1);
        if matches!(&bytes[at..end], b"\n" | b"\r\n") {
            at = end;
            break;
        }
        at = end;
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            fields.push(&bytes[start..at]);
            start = at;
        }
    }
    (fields, &bytes[at..])
}

/// What comes of the chain of a message, whose lines end with CRLF.
pub fn validated(message: &str, dns: &mut dyn DnsSource) -> ArcResult {
    let (header, body) = parts(message);
    let validator = ArcValidator::new(&header);
    let mut hasher = BodyHasher::new(validator.bodies());
    hasher.push(body);
    validator.validate(&header, &hasher.finish(), dns)
}

/// The script that asks it.
const DKIMPY: &str = "import sys, dkim
what, key = sys.argv[1], sys.argv[2].encode()
message = sys.stdin.buffer.read()
if what == 'verify':
    print(dkim.arc_verify(message, dnsfunc=lambda name, timeout=5: key)[0].decode())
elif what == 'dkim':
    print(dkim.verify(message, dnsfunc=lambda name, timeout=5: key))
else:
    fields = dkim.arc_sign(message, b's', b'hop.example', key, b'hop.example')
    sys.stdout.buffer.write(b''.join(fields))
";

/// Debian's Python, which has dkimpy.
const PYTHON: &str = "/usr/bin/python3";

/// Whether dkimpy is installed; a test that leaves it out says so.
///
/// # Panics
/// It is not, where all tests have to run.
pub fn has_dkimpy() -> bool {
    let has = Command::new(PYTHON).args(["-c", "import dkim, authres"]).status();
    let has = has.is_ok_and(|status| status.success());
    if !has {
        assert!(!crate::in_ci(), "python3-dkim and python3-authres are not installed");
        let _ = writeln!(std::io::stderr(), "LEFT OUT: no dkimpy (python3-dkim)");
    }
    has
}

/// Asks dkimpy: `verify` a chain with a key's record, `dkim` a signature so, or `sign` with a
/// key; and a message.
///
/// # Panics
/// It can't be asked.
pub fn dkimpy(what: &str, key: &str, message: &[u8]) -> String {
    let mut command = Command::new(PYTHON);
    command.args(["-c", DKIMPY, what, key]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python");
    child.stdin.take().expect("a pipe").write_all(message).expect("dkimpy reads");
    let output = child.wait_with_output().expect("dkimpy ends");
    assert!(output.status.success(), "dkimpy {what}");
    String::from_utf8(output.stdout).expect("text")
}
