//! A client that talks the protocol to the program over pipes.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor, as far as the server can tell.
pub struct Client {
    program: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    heard: VecDeque<Value>,
    last: i64,
}

impl Client {
    /// Starts the program, and says nothing.
    pub fn silent(arguments: &[&str]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_eximious"))
            .args(arguments)
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut output = BufReader::new(program.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = received(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = program.stdin.take();
        Self { program, input, messages, heard: VecDeque::new(), last: 0 }
    }

    /// Starts the program, and begins with these options and capabilities.
    pub fn start(arguments: &[&str], params: Value) -> (Self, Value) {
        let mut client = Self::silent(arguments);
        let found = client.ask("initialize", params);
        client.note("initialized", json!({}));
        (client, found)
    }

    /// The same, as most editors do.
    pub fn usual() -> Self {
        Self::start(&[], json!({ "capabilities": {} })).0
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("it reads");
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn note(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and does not wait; gives the request's number.
    pub fn begin(&mut self, method: &str, params: Value) -> i64 {
        self.last += 1;
        let id = self.last;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The next message that is as wanted; others are kept.
    pub fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.heard.iter().position(&wanted) {
            return self.heard.remove(at).expect("it is there");
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("an answer");
            if wanted(&message) {
                return message;
            }
            self.heard.push_back(message);
        }
    }

    /// The whole answer to a request.
    pub fn answer(&mut self, id: i64) -> Value {
        let answer = self.wait(|message| message.get("id") == Some(&json!(id)));
        assert_ne!(answer["error"]["code"], -32603, "it went wrong inside: {answer}");
        answer
    }

    /// What a request comes to; an error is given as it is.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        let mut answer = self.answer(id);
        let kind = if answer.get("error").is_some() { "error" } else { "result" };
        answer[kind].take()
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        let item = json!({ "uri": uri, "languageId": "exim", "version": 1, "text": text });
        self.note("textDocument/didOpen", json!({ "textDocument": item }));
    }

    /// Puts a text in the place of a part: line and character of both ends.
    pub fn change(&mut self, uri: &str, version: i64, range: [u64; 4], text: &str) {
        let [a, b, c, d] = range;
        let range = json!({
            "start": { "line": a, "character": b },
            "end": { "line": c, "character": d },
        });
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": [{ "range": range, "text": text }],
        });
        self.note("textDocument/didChange", params);
    }

    /// What is said of a document in some version: `line:character code message`.
    pub fn told(&mut self, uri: &str, version: i64) -> Vec<String> {
        let message = self.wait(|message| {
            let params = &message["params"];
            message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
        });
        let all = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| {
                let start = &one["range"]["start"];
                let (code, text) =
                    (one["code"].as_str().unwrap(), one["message"].as_str().unwrap());
                format!("{}:{} {code} {text}", start["line"], start["character"])
            })
            .collect()
    }

    /// Asks about a place of a document.
    pub fn at(&mut self, method: &str, uri: &str, place: [u64; 2], more: Value) -> Value {
        let mut params = json!({
            "textDocument": { "uri": uri },
            "position": { "line": place[0], "character": place[1] },
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.ask(&format!("textDocument/{method}"), params)
    }

    /// Asks about a whole document.
    pub fn of(&mut self, method: &str, uri: &str, more: Value) -> Value {
        let mut params = json!({ "textDocument": { "uri": uri } });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.ask(&format!("textDocument/{method}"), params)
    }

    /// The page under the cursor.
    pub fn page(&mut self, uri: &str, place: [u64; 2]) -> String {
        let found = self.at("hover", uri, place, json!({}));
        found["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// What is offered at a place: the texts.
    pub fn offers(&mut self, uri: &str, place: [u64; 2]) -> Vec<String> {
        let found = self.at("completion", uri, place, json!({}));
        let items = found["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["textEdit"]["newText"].as_str().unwrap().to_owned()).collect()
    }

    /// Where a name is defined, or stands: `file:line:character`.
    pub fn places(&mut self, method: &str, uri: &str, place: [u64; 2]) -> Vec<String> {
        let more = json!({ "context": { "includeDeclaration": true } });
        let found = self.at(method, uri, place, more);
        let all = match found {
            Value::Array(all) => all,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let mut shown: Vec<String> = all
            .iter()
            .map(|one| {
                let start = &one["range"]["start"];
                let file = one["uri"].as_str().unwrap().rsplit('/').next().unwrap();
                format!("{file}:{}:{}", start["line"], start["character"])
            })
            .collect();
        shown.sort();
        shown
    }

    /// Takes leave; the exit status.
    pub fn leave(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.note("exit", Value::Null);
        self.program.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Hangs up; the exit status.
    pub fn hang_up(mut self) -> i32 {
        drop(self.input.take());
        self.program.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Where a test has failed, it is there still.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn received(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((_, value)) => length = value.parse().ok()?,
            None => break,
        }
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(output, &mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
