//! A message is on disk before anybody is told that it was taken.

use std::collections::HashMap;
use std::process::Command;

use eximious_tests::servers::program;

use crate::common::fed;
use crate::common::spool::Place;

const TRACED: &str =
    "trace=write,fsync,fdatasync,syncfs,sync_file_range,rename,renameat,renameat2,sendto";

const SESSION: &str = "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@here.example>\nDATA\n\
    Subject: x\n\nBODY.\nQUIT\n";

/// What a session asks of the system, in the order in which it is done: writes, syncs and
/// new names of files.
fn calls(body: &str) -> Option<Vec<String>> {
    let strace = program("strace")?;
    let place = Place::new("");
    let trace = place.path("trace");
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-qq", "-s", "16", "-o"]).arg(&trace);
    command.args(["-e", TRACED]);
    command.arg(env!("CARGO_BIN_EXE_eximious")).arg("-C").arg(&place.config).arg("-bs");
    let output = fed(&mut command, SESSION.replace("BODY", body).as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("250 OK id="), "{output:?}");
    let text = std::fs::read(&trace).expect("what strace has seen");
    Some(whole(&String::from_utf8_lossy(&text)))
}

/// The calls that were traced, those that another thread interrupts in one line.
fn whole(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        if let Some(call) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, call);
        } else if let Some((_, rest)) = call.split_once(" resumed>") {
            let call = begun.remove(thread).unwrap_or_default();
            calls.push(format!("{thread} {call}{rest}"));
        } else {
            calls.push(line.to_owned());
        }
    }
    calls
}

#[test]
fn a_message_is_on_disk_before_it_is_taken() {
    for body in ["text\n".to_owned(), "a line of many\n".repeat(200_000)] {
        let Some(calls) = calls(&body) else { return };
        let last = |what: &dyn Fn(&str) -> bool| calls.iter().rposition(|call| what(call));
        let said = last(&|call| call.contains("\"250 OK id=")).expect("the answer");
        let is_done = |call: &str| call.ends_with(" = 0");
        let is_sync = |call: &str| call.contains(" fsync(") && is_done(call);
        // Where one journal has it all, contents are written out, and the directory's sync
        // does the rest.
        let is_out = |call: &str| {
            is_sync(call) || (call.contains("SYNC_FILE_RANGE_WAIT_AFTER") && is_done(call))
        };
        let named = last(&|call| call.contains(" rename") && call.contains("hdr."));
        let is_data = |call: &str| call.contains("-D>");
        let is_header = |call: &str| ["-H>", "/hdr."].iter().any(|end| call.contains(end));
        for of_file in [&is_data as &dyn Fn(&str) -> bool, &is_header] {
            let written = last(&|call| call.contains(" write(") && of_file(call));
            let out = last(&|call| is_out(call) && of_file(call));
            assert!(written.is_some() && written < out && out < named, "{calls:#?}");
        }
        let synced = last(&|call| is_sync(call) && call.contains("/input>"));
        assert!(named.is_some() && named < synced && synced < Some(said), "{calls:#?}");
    }
}
