//! `eximious test` at the command line; what it makes of tests has its own
//! (`workbench/tests/testing.rs`).

use std::path::Path;

use crate::common::eximious;

const CONFIGURATION: &str = "\
primary_hostname = mx.example
keep_environment =
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = ${lookup{$local_part}lsearch{FOLDER/refused}}
       local_parts = lsearch;FOLDER/refused
  deny condition = ${if eq{${run{/bin/echo $local_part}}}{echo\\n}}
       message = echoed
  accept
";

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let text = CONFIGURATION.replace("FOLDER", &path);
    std::fs::write(folder.path().join("mail.conf"), text).unwrap();
    std::fs::write(folder.path().join("refused"), "spam: no spam\n").unwrap();
    (folder, path)
}

#[test]
fn a_session_becomes_a_test_that_holds_anywhere() {
    let (folder, path) = folder();
    let lines = "EHLO x.example\nMAIL FROM:<a@b.example>\nRCPT TO:<spam@mx.example>\n\
                 RCPT TO:<echo@mx.example>\nRCPT TO:<ann@mx.example>\nQUIT\n";
    let session = folder.path().join("session");
    std::fs::write(&session, lines).unwrap();
    let config = format!("{path}/mail.conf");
    let session = session.to_string_lossy().into_owned();
    let args = ["-C", &config, "test", "--record", &session, "--client", "192.0.2.3"];
    let run = eximious(&args, b"");
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""));
    for wanted in ["no spam", "echoed", "code = 250", "accepted = [\"ann@mx.example\"]"] {
        assert!(run.out.contains(wanted), "{wanted}: {}", run.out);
    }
    let test = folder.path().join("own.eximtest.toml");
    std::fs::write(&test, &run.out).unwrap();
    // What it found out is in the test: the files are no longer needed.
    std::fs::remove_file(folder.path().join("refused")).unwrap();
    let run = eximious(&["test", &path], b"");
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (Some(0), "1 passed\n", ""));
}

#[test]
fn reports_are_written_and_failures_are_the_status() {
    let (folder, path) = folder();
    let test = format!(
        "config = 'mail.conf'\ngiven.read = ['{path}']\n[[case]]\nname = 'one'\n\
         recipient = 'spam@mx.example'\nexpect.reply = 'no spam'\n\
         [[case]]\nname = 'other'\nrecipient = 'spam@mx.example'\nexpect.code = 250\n"
    );
    let file = folder.path().join("x.eximtest.toml");
    std::fs::write(&file, test).unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (junit, lcov) = (at("junit.xml"), at("lcov.info"));
    let args = ["test", &path, "--json", "--junit", &junit, "--lcov", &lcov];
    let run = eximious(&args, b"");
    assert_eq!(run.status, Some(1), "{}", run.err);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let tests = report["files"][0]["tests"].as_array().unwrap();
    let passed: Vec<_> = tests.iter().map(|test| test["passed"].as_bool().unwrap()).collect();
    assert_eq!(passed, [true, false]);
    assert!(std::fs::read_to_string(junit).unwrap().contains("failures=\"1\""));
    let lcov = std::fs::read_to_string(lcov).unwrap();
    assert!(lcov.contains("DA:6,2\n") && lcov.contains("DA:10,0\n"), "{lcov}");
    let run = eximious(&["test", &path, "--filter", "one"], b"");
    assert_eq!((run.status, run.out.as_str()), (Some(0), "1 passed\n"));

    for (args, why) in [
        (&["test", "/none"][..], "/none: No such file or directory"),
        (&["test", "--bananas"], "unexpected argument '--bananas'"),
        (&["test", "--record", "/none"], "/none: No such file or directory"),
    ] {
        let run = eximious(args, b"");
        assert!(run.status != Some(0) && run.err.contains(why), "{args:?}: {}", run.err);
    }
    let run = eximious(&["test", &Path::new(&path).join("mail.conf").to_string_lossy()], b"");
    assert_eq!(run.status, Some(1));
    assert!(run.out.contains("mail.conf: TOML parse error at line"), "{}", run.out);
}
