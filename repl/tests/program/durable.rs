//! A message is on disk before anybody is told that it was taken.

use std::process::Command;

use eximious_tests::servers::program;

use crate::common::fed;
use crate::common::spool::Place;

const SESSION: &str = "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\n\
    Subject: x\n\nBODY.\nQUIT\n";

/// What a session asks of the system, in order: writes, syncs and new names of files.
fn calls(body: &str) -> Option<Vec<String>> {
    let strace = program("strace")?;
    let place = Place::new("");
    let trace = place.path("trace");
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-qq", "-s", "16", "-o"]).arg(&trace);
    command.args(["-e", "trace=write,fsync,fdatasync,syncfs,rename,renameat,renameat2,sendto"]);
    command.arg(env!("CARGO_BIN_EXE_eximious")).arg("-C").arg(&place.config).arg("-bs");
    let output = fed(&mut command, SESSION.replace("BODY", body).as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("250 OK id="), "{output:?}");
    let text = std::fs::read(&trace).expect("what strace has seen");
    Some(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

#[test]
fn a_message_is_on_disk_before_it_is_taken() {
    for body in ["text\n".to_owned(), "a line of many\n".repeat(200_000)] {
        let Some(calls) = calls(&body) else { return };
        let last = |what: &dyn Fn(&str) -> bool| calls.iter().rposition(|call| what(call));
        let said = last(&|call| call.contains("\"250 OK id=")).expect("the answer");
        let is_sync = |call: &str| call.contains(" fsync(") && call.ends_with(" = 0");
        let (data, header) = ("-D>", ["-H>", "/hdr."]);
        let of_header = |call: &str| header.iter().any(|end| call.contains(end));
        let written = last(&|call| call.contains(" write(") && call.contains(data));
        let synced = last(&|call| is_sync(call) && call.contains(data));
        assert!(written.is_some() && written < synced && synced < Some(said), "{calls:#?}");
        let written = last(&|call| call.contains(" write(") && of_header(call));
        let synced = last(&|call| is_sync(call) && of_header(call));
        assert!(written.is_some() && written < synced && synced < Some(said), "{calls:#?}");
        let named = last(&|call| call.contains(" rename") && call.contains("hdr."));
        let synced = last(&|call| is_sync(call) && call.contains("/input>"));
        assert!(named.is_some() && named < synced && synced < Some(said), "{calls:#?}");
    }
}
