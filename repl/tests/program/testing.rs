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

/// Names of messages, numbers of processes and rates are others each time.
#[test]
fn a_recorded_test_expects_what_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let configuration = "\
primary_hostname = mx.example
keep_environment =
.ifndef WHO
WHO = nobody
.endif
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  warn logwrite = WHO with $pid
  warn ratelimit = 0.5 / 1h / strict / own
       logwrite = rate $sender_rate of WHO
  warn logwrite = ${lookup passwd{root}}
  accept
data:
  deny condition = ${if eq{$h_subject:}{spam}}
       message = no spam
  accept
";
    std::fs::write(at("mail.conf"), configuration).unwrap();
    let session = "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\n\
                   Subject: spam\n\nx\n.\n";
    std::fs::write(at("session"), session).unwrap();
    let config = at("mail.conf");
    let run = eximious(&["-C", &config, "-DWHO=me", "test", "--record", &at("session")], b"");
    assert_eq!(run.status, Some(0), "{}", run.err);
    for wanted in ["WHO = \"me\"", "root:/root:0:0", "rate 1.0 of me", "rejected after DATA"] {
        assert!(run.out.contains(wanted), "{wanted}: {}", run.out);
    }
    assert!(run.err.contains("this is not logged again, and left out: me with "), "{}", run.err);
    std::fs::write(at("own.eximtest.toml"), &run.out).unwrap();
    let run = eximious(&["test", &at("own.eximtest.toml")], b"");
    assert_eq!((run.status, run.out.as_str()), (Some(0), "1 passed\n"), "{}", run.out);
    // A client that says nothing has nothing answered but its greeting.
    std::fs::write(at("empty"), "").unwrap();
    let run = eximious(&["-C", &config, "trace", "--session", &at("empty")], b"");
    assert!(run.out.contains("S: 220") && !run.out.contains("S: 500"), "{}", run.out);
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
    for more in [&["--list"][..], &[]] {
        let run = eximious(&[&["test", &path, "--filter", "nosuch"], more].concat(), b"");
        assert_eq!(run.status, Some(1));
        assert!(run.err.contains("no test has \"nosuch\" in its name"), "{}", run.err);
    }
    let json = |args: &[&str]| {
        let run = eximious(&[&["test", &path, "--json"], args].concat(), b"");
        serde_json::from_str::<serde_json::Value>(&run.out).unwrap()
    };
    assert_eq!(json(&["--list"])["files"][0]["tests"][1]["name"], "other");
    assert_eq!(json(&["--coverage"])["coverage"][0]["statements"]["of"], 3);
    let run = eximious(&["test", &path, &path, "--junit", "-"], b"");
    assert!(run.out.starts_with("<?xml") && run.out.ends_with("</testsuites>\n"), "{}", run.out);
    assert!(run.err.ends_with("1 passed, 1 failed\n"), "{}", run.err);

    for (args, why) in [
        (&["test", "/none"][..], "/none: No such file or directory"),
        (&["test", "--bananas"], "unexpected argument '--bananas'"),
        (&["test", "--record", "/none"], "/none: No such file or directory"),
    ] {
        let run = eximious(args, b"");
        assert!(run.status != Some(0) && run.err.contains(why), "{args:?}: {}", run.err);
    }
    for command in
        [&["test", &path][..], &["list"], &["help"], &["check", &format!("{path}/mail.conf")]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_eximious"))
            .args(command)
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(said, "eximious: standard output: No space left on device\n");
        assert_eq!(run.status.code(), Some(1));
    }
    let run = eximious(&["test", &Path::new(&path).join("mail.conf").to_string_lossy()], b"");
    assert_eq!(run.status, Some(1));
    assert!(run.out.contains("mail.conf: TOML parse error at line"), "{}", run.out);
}

/// Lines of a program's output, as they come.
fn lines_of(input: impl std::io::Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    use std::io::BufRead;
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(input).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

#[test]
fn a_change_of_a_file_runs_the_tests_again() {
    use std::process::{Command, Stdio};
    let patience = std::time::Duration::from_secs(60);
    let (folder, path) = folder();
    let test = folder.path().join("x.eximtest.toml");
    let case = |code: u32| {
        format!(
            "config = 'mail.conf'\ngiven.read = ['{path}']\n[[case]]\nname = 'one'\n\
             recipient = 'spam@mx.example'\nexpect.code = {code}\n\
             [[case.given.command]]\ncommand = '/bin/echo spam'\noutput = 'spam'\n"
        )
    };
    std::fs::write(&test, case(250)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
        .args(["test", &path, "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = lines_of(child.stdout.take().unwrap());
    let waits = lines_of(child.stderr.take().unwrap());
    let verdict = || loop {
        let line = said.recv_timeout(patience).expect("a verdict");
        if line.contains("passed") {
            return line;
        }
    };
    let waits = || assert!(waits.recv_timeout(patience).unwrap().contains("waiting for a change"));
    assert_eq!(verdict(), "0 passed, 1 failed");
    waits();
    // The test file, the configuration, and a test that is new.
    std::fs::write(&test, case(550)).unwrap();
    assert_eq!(verdict(), "1 passed");
    waits();
    let config = std::fs::read_to_string(folder.path().join("mail.conf")).unwrap();
    let open = config.replace("local_parts = lsearch", "local_parts = !lsearch");
    std::fs::write(folder.path().join("mail.conf"), open).unwrap();
    assert_eq!(verdict(), "0 passed, 1 failed");
    waits();
    // A configuration that is broken for a while, and a test file that is gone for a moment.
    std::fs::write(folder.path().join("mail.conf"), "bananas = 3\n").unwrap();
    assert_eq!(verdict(), "0 passed, 1 failed");
    waits();
    std::fs::write(folder.path().join("mail.conf"), config).unwrap();
    assert_eq!(verdict(), "1 passed");
    waits();
    std::fs::remove_file(&test).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    std::fs::write(&test, case(250)).unwrap();
    assert_eq!(verdict(), "0 passed, 1 failed");
    waits();
    std::fs::write(folder.path().join("y.eximtest.toml"), case(550)).unwrap();
    assert_eq!(verdict(), "1 passed, 1 failed");
    waits();
    // A file that can't be read for a while ends nothing.
    std::fs::write(&test, "config = ").unwrap();
    assert_eq!(verdict(), "1 passed, 1 failed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn coverage_of_several_files_is_one_page() {
    let (folder, path) = folder();
    let case = |config: &str, who: &str| {
        format!(
            "config = '{config}'\ngiven.read = ['{path}']\n[[case]]\nname = '{who}'\n\
             recipient = '{who}@mx.example'\nexpect.no_log = ['lost']\n\
             [[case.given.command]]\ncommand = '/bin/echo {who}'\noutput = '{who}'\n"
        )
    };
    let open = CONFIGURATION.replace("FOLDER", &path).replace("deny ", "warn ");
    std::fs::write(folder.path().join("open.conf"), open).unwrap();
    for (name, config, who) in
        [("a", "mail.conf", "spam"), ("b", "mail.conf", "ann"), ("c", "open.conf", "ann")]
    {
        let file = folder.path().join(format!("{name}.eximtest.toml"));
        std::fs::write(file, case(config, who)).unwrap();
    }
    let html = folder.path().join("coverage.html");
    let html_name = html.to_string_lossy().into_owned();
    let run = eximious(&["test", &path, "--coverage", "--html", &html_name], b"");
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{}", run.out);
    // Two files test the same configuration: it is counted once.
    assert_eq!(run.out.matches("statements  ").count(), 2, "{}", run.out);
    assert!(run.out.contains("statements  3 of 3 (100 %)"), "{}", run.out);
    let page = std::fs::read_to_string(html).unwrap();
    for wanted in ["mail.conf", "open.conf", "\"name\":\"statements\",\"run\":6,\"of\":6"] {
        assert!(page.contains(wanted), "{wanted}");
    }
}
