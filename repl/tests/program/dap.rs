//! `eximious dap`, by a client that talks the protocol over pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct Client {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// Messages that came while another one was waited for.
    kept: Vec<Value>,
    number: u64,
}

impl Client {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
            .arg("dap")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (tell, messages) = channel();
        std::thread::spawn(move || {
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if output.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    match line.trim().strip_prefix("Content-Length: ") {
                        Some(text) => length = text.parse().unwrap(),
                        None => break,
                    }
                }
                let mut text = vec![0; length];
                output.read_exact(&mut text).unwrap();
                if tell.send(serde_json::from_slice(&text).unwrap()).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input, messages, kept: Vec::new(), number: 0 }
    }

    fn send(&mut self, command: &str, arguments: Value) -> u64 {
        self.number += 1;
        let message = json!({
            "seq": self.number, "type": "request", "command": command, "arguments": arguments,
        });
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
        self.number
    }

    fn wait(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at);
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message =
                message.unwrap_or_else(|_| panic!("no message; there were {:?}", self.kept));
            if fits(&message) {
                return message;
            }
            self.kept.push(message);
        }
    }

    /// Asks, and has the answer's body.
    fn ask(&mut self, command: &str, arguments: Value) -> Value {
        let number = self.send(command, arguments);
        let answer = self.wait(|m| m["type"] == "response" && m["request_seq"] == number);
        assert_eq!(answer["success"], true, "{command}: {answer}");
        answer["body"].clone()
    }

    /// Asks what is refused, and has the reason.
    fn refused(&mut self, command: &str, arguments: Value) -> String {
        let number = self.send(command, arguments);
        let answer = self.wait(|m| m["type"] == "response" && m["request_seq"] == number);
        assert_eq!(answer["success"], false, "{command}: {answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    fn event(&mut self, name: &str) -> Value {
        self.wait(|m| m["type"] == "event" && m["event"] == name)["body"].clone()
    }

    /// The lines that were put out so far.
    fn output(&mut self) -> Vec<String> {
        let is = |m: &Value| m["event"] == "output";
        let (output, kept) = std::mem::take(&mut self.kept).into_iter().partition(is);
        self.kept = kept;
        let output: Vec<Value> = output;
        output.iter().map(|m| m["body"]["output"].as_str().unwrap().trim_end().to_owned()).collect()
    }

    /// The innermost frame: its name, and its line.
    fn frame(&mut self) -> (String, u64) {
        let frames = self.ask("stackTrace", json!({ "threadId": 1 }));
        let frame = &frames["stackFrames"][0];
        (frame["name"].as_str().unwrap().to_owned(), frame["line"].as_u64().unwrap())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CONFIGURATION: &str = "\
primary_hostname = mx.example
keep_environment =
acl_smtp_rcpt = rcpt
begin acl
sender:
  deny senders = bad@evil.example
  accept
rcpt:
  require acl = sender
  warn set acl_m_n = 1
  accept condition = ${if eq{$local_part}{ann}}
  deny message = who?
";

/// A folder with the configuration, and a test.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mail.conf"), CONFIGURATION).unwrap();
    let test = "config = 'mail.conf'\n[[case]]\nname = 'bob'\nrecipient = 'bob@mx.example'\n\
                expect.code = 250\n";
    std::fs::write(folder.path().join("mail.eximtest.toml"), test).unwrap();
    folder
}

#[test]
fn a_session_is_debugged() {
    let folder = folder();
    let config = folder.path().join("mail.conf").to_string_lossy().into_owned();
    let mut client = Client::start();
    let able = client.ask("initialize", json!({ "adapterID": "eximious" }));
    assert_eq!(able["supportsStepBack"], true);
    client.event("initialized");
    let lines = ["EHLO x.example", "MAIL FROM:<a@b.example>", "RCPT TO:<bob@mx.example>", "QUIT"];
    let launch =
        client.send("launch", json!({ "config": config, "lines": lines, "client": "192.0.2.9" }));
    let points = json!({ "source": { "path": config }, "breakpoints": [{ "line": 10 }] });
    let set = client.ask("setBreakpoints", points);
    assert_eq!(set["breakpoints"][0]["verified"], true);
    let names = json!({ "breakpoints": [{ "name": "a b" }, { "name": "rcpt:9" }] });
    let set = client.ask("setFunctionBreakpoints", names);
    assert_eq!(set["breakpoints"][0]["verified"], false);
    assert_eq!(set["breakpoints"][1]["message"], "the ACL rcpt has 4 statements");
    client.ask("setExceptionBreakpoints", json!({ "filters": ["refusals"] }));
    client.ask("setDataBreakpoints", json!({ "breakpoints": [{ "dataId": "acl_m_n" }] }));
    client.ask("configurationDone", json!({}));
    let launched = client.wait(|m| m["request_seq"] == launch);
    assert_eq!(launched["success"], true, "{launched}");

    assert_eq!(client.event("stopped")["reason"], "breakpoint");
    assert_eq!(client.frame(), ("acl rcpt: warn".to_owned(), 10));
    let output = client.output();
    assert!(output.iter().any(|line| line == "S: 250 OK"), "{output:?}");
    let value = client.ask("evaluate", json!({ "expression": "${uc:$local_part} $acl_m_n" }));
    assert_eq!((value["result"].as_str(), value["type"].as_str()), (Some("BOB "), Some("tainted")));
    assert!(client.refused("evaluate", json!({ "expression": "${foo}" })).contains("unknown"));
    let scopes = client.ask("scopes", json!({ "frameId": 1 }));
    assert_eq!(scopes["scopes"][0]["name"], "Connection");
    let seen = client.ask("variables", json!({ "variablesReference": 1 }));
    let seen = seen["variables"].as_array().unwrap();
    assert!(seen.iter().any(|v| v["name"] == "$sender_host_address" && v["value"] == "192.0.2.9"));

    client.ask("continue", json!({ "threadId": 1 }));
    let stop = client.event("stopped");
    assert_eq!(stop["reason"], "data breakpoint");
    assert_eq!(stop["text"], "$acl_m_n was \"\", and is \"1\"");
    // What was is there, and what is can be changed.
    client.ask("stepBack", json!({ "threadId": 1 }));
    client.event("stopped");
    assert_eq!(client.frame().0, "acl rcpt: set acl_m_n = 1");
    assert_eq!(client.ask("evaluate", json!({ "expression": "$acl_m_n" }))["result"], "");
    client.ask("next", json!({ "threadId": 1 }));
    client.event("stopped");
    let set = json!({ "variablesReference": 4, "name": "$local_part", "value": "ann" });
    client.ask("setVariable", set);
    client.ask("continue", json!({ "threadId": 1 }));
    client.event("terminated");
    assert_eq!(client.event("exited")["exitCode"], 0);
    let output = client.output();
    assert!(output.iter().any(|line| line == "S: 250 Accepted"), "{output:?}");
    assert_eq!(client.refused("stackTrace", json!({ "threadId": 1 })), "nothing is held up");
    client.ask("disconnect", json!({}));
    assert!(client.child.wait().unwrap().success());
}

#[test]
fn what_is_nowhere_is_not_verified_and_lines_may_begin_at_zero() {
    let folder = folder();
    let config = folder.path().join("mail.conf").to_string_lossy().into_owned();
    let mut client = Client::start();
    client.ask("initialize", json!({ "linesStartAt1": false }));
    let lines = json!([{ "line": 9 }, { "line": 3 }, { "line": 9998 }]);
    let points = json!({ "source": { "path": config }, "breakpoints": lines });
    // As long as nothing is launched, nobody knows.
    let set = client.ask("setBreakpoints", points);
    assert_eq!(set["breakpoints"][2]["verified"], true);
    let acl = |name: &str| json!({ "config": config, "acl": name, "recipient": "bob@mx.example" });
    assert_eq!(client.refused("launch", acl("nosuch")), "there is no ACL nosuch");
    let launch = client.send("launch", acl("rcpt"));
    for (line, why) in [(3, "nothing runs at line 4"), (9998, "nothing runs at line 9999")] {
        let told = client.event("breakpoint")["breakpoint"].clone();
        assert_eq!((told["line"].as_u64(), told["message"].as_str()), (Some(line), Some(why)));
    }
    client.ask("configurationDone", json!({}));
    client.wait(|m| m["request_seq"] == launch);
    client.event("stopped");
    assert_eq!(client.frame(), ("acl rcpt: warn".to_owned(), 9));
}

#[test]
fn a_test_is_debugged_from_its_first_step() {
    let folder = folder();
    let file = folder.path().join("mail.eximtest.toml").to_string_lossy().into_owned();
    let mut client = Client::start();
    client.ask("initialize", json!({}));
    client.ask("configurationDone", json!({}));
    assert!(client.refused("launch", json!({ "testFile": "/none" })).contains("No such file"));
    assert!(client.refused("launch", json!({})).contains("launch wants config"));
    client.ask("setExceptionBreakpoints", json!({ "filters": ["refusals"] }));
    client.ask("launch", json!({ "testFile": file, "test": "bob", "stopOnEntry": true }));
    assert_eq!(client.event("stopped")["reason"], "step");
    assert_eq!(client.frame(), ("acl rcpt: require".to_owned(), 9));
    for (command, at) in [
        ("stepIn", "acl rcpt: acl = sender"),
        ("stepIn", "acl sender: deny"),
        ("stepOut", "acl rcpt: warn"),
        ("next", "acl rcpt: set acl_m_n = 1"),
    ] {
        client.ask(command, json!({ "threadId": 1 }));
        client.event("stopped");
        assert_eq!(client.frame().0, at);
    }
    client.ask("continue", json!({ "threadId": 1 }));
    assert_eq!(client.event("stopped")["reason"], "exception");
    let why = client.ask("exceptionInfo", json!({ "threadId": 1 }));
    assert_eq!(why["description"], "acl rcpt → deny, by deny");
    client.ask("continue", json!({ "threadId": 1 }));
    client.event("terminated");
    assert_eq!(client.event("exited")["exitCode"], 1);
    assert!(client.output().contains(&"code: expected 250, came 550".to_owned()));
}

#[test]
fn what_is_no_message_ends_it() {
    for junk in
        ["junk\r\n\r\n", "Content-Length: 99999999999\r\n\r\n", "Content-Length: 2\r\n\r\n[}"]
    {
        let mut client = Client::start();
        client.input.write_all(junk.as_bytes()).unwrap();
        client.input.flush().unwrap();
        assert!(client.child.wait().unwrap().success(), "{junk:?}");
    }
    let mut client = Client::start();
    assert!(client.refused("fly", json!(null)).contains("does not know the request \"fly\""));
    assert_eq!(client.refused("continue", json!({})), "nothing is held up");
}
