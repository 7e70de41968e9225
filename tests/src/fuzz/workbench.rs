//! What people and editors ask of the workbench.

use std::io::{Cursor, Write};

use eximious::world::Fixture;
use eximious::{Config, Engine, Limits, Macros};
use eximious_workbench::bench::Bench;
use eximious_workbench::dap::{self, DapHost};
use eximious_workbench::lsp::{self, Connection, LspSettings, Message};
use eximious_workbench::testing::{Suite, TestMachine, file::TestFile};
use eximious_workbench::trace::{SourceText, TextStyle, json, lines, page};

/// A configuration with something of everything.
const CONFIGURATION: &str = "\
primary_hostname = mx.example
NAME = ann : bob
domainlist local_domains = example.com
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  warn set acl_m_a = ${if eq{$local_part}{ann}{yes}{no}}
  deny message = ${uc:$local_part} is not known
       local_parts = ! NAME
  deny !verify = recipient
  accept
begin routers
people:
  driver = accept
  domains = +local_domains
  local_parts = NAME
  transport = box
begin transports
box:
  driver = appendfile
  file = /mail/$local_part_data
";

fn fixture() -> Fixture {
    let session = "EHLO a.example\nMAIL FROM:<>\nRCPT TO:<carol@example.com>\n";
    Fixture::new().file("/mail.conf", CONFIGURATION).file("/session", session)
}

fn machine() -> TestMachine {
    let world = fixture().world();
    TestMachine { files: world.files, users: world.users, clock: world.clock }
}

fn limits() -> Limits {
    Limits::default().steps(20_000).length(1 << 20)
}

fn opened() -> Result<(Config, Engine), String> {
    let world = fixture().world();
    let builder = Engine::builder().limits(limits());
    let config = Config::read(b"/mail.conf", Macros::new(), &world, builder.registry());
    let config = config.map_err(|why| format!("{why:#}"))?;
    let engine = config.build(builder.world(world));
    Ok((config, engine))
}

/// Reads a test file, and runs what it says: each test passes or fails.
pub fn test_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(file) = TestFile::parse(text) else { return };
    // What was understood can be written, and means the same.
    let again = file.to_toml().ok().map(|text| TestFile::parse(&text));
    if let Some(again) = again {
        let again = again.expect("what was written is read").to_toml();
        assert_eq!(again, file.to_toml());
    }
    let Ok(suite) = Suite::new("/x.eximtest.toml", file, &machine()) else { return };
    for test in suite.tests.iter().take(20) {
        let _ = suite.run(test, None);
    }
}

/// Shows what happens in an expression: as text, as JSON, as a page.
pub fn traced(data: &[u8]) {
    let Ok((config, engine)) = opened() else { return };
    let mut bench = Bench::new(config, &engine);
    let _ = bench.expand(&engine.context(), data);
    let nodes = bench.happened();
    let text = lines(&nodes, TextStyle::default().times(true).skipped(true));
    assert!(text.iter().all(|line| !line.contains(['\n', '\r', '\u{1b}'])), "{text:?}");
    let text = json(&nodes, bench.is_complete()).to_string();
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(read["nodes"].is_array());
    let title = String::from_utf8_lossy(data).into_owned();
    let source = SourceText { name: title.clone(), text: title.clone() };
    let page = page(&title, &nodes, &[source]);
    // What comes from outside ends no element.
    assert_eq!(page.matches("</script").count(), 2, "{page}");
    assert_eq!(page.matches("<script").count(), 2, "{page}");
}

struct Host;

impl DapHost for Host {
    fn open(&mut self, _: &str) -> Result<(Config, Engine), String> {
        opened()
    }

    fn machine(&self) -> TestMachine {
        machine()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let read = machine().files.read(path.as_bytes(), 1 << 20);
        read.map(|text| text.to_vec()).map_err(|why| why.to_string())
    }
}

/// Serves a debugger's client: a request on each line, or, behind a byte 0xff, what comes
/// over the wire. It ends when its client is gone, whatever is held up.
pub fn debug_adapter(data: &[u8]) {
    let input = match data.split_first() {
        Some((0xff, wire)) => wire.to_vec(),
        _ => framed(data),
    };
    let mut output = Written(Vec::new());
    let done = dap::serve(Cursor::new(input), &mut output, Box::new(Host));
    assert!(done.is_ok());
    let mut answers = Cursor::new(output.0);
    while let Some(answer) = next(&mut answers) {
        assert!(answer["type"] == "response" || answer["type"] == "event", "{answer}");
    }
}

struct Written(Vec<u8>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn next(input: &mut Cursor<Vec<u8>>) -> Option<serde_json::Value> {
    let at = input.position() as usize;
    let rest = input.get_ref().get(at..).filter(|rest| !rest.is_empty())?;
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n").expect("a header");
    let head = std::str::from_utf8(&rest[..end]).expect("a header");
    let length: usize = head.strip_prefix("Content-Length: ").expect("a length").parse().unwrap();
    let body = rest.get(end + 4..end + 4 + length).expect("a whole message");
    let value = serde_json::from_slice(body).expect("JSON");
    input.set_position((at + end + 4 + length) as u64);
    Some(value)
}

fn framed(data: &[u8]) -> Vec<u8> {
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.flat_map(framed_one).collect()
}

fn framed_one(line: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", line.len()).as_bytes(), line].concat()
}

/// Serves an editor: a message on each line, behind those that begin a session.
pub fn language_server(data: &[u8]) {
    let world = fixture().world();
    let (server, client) = Connection::memory();
    let begin = [
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#,
    ];
    let asked = data.split(|byte| *byte == b'\n');
    for line in begin.iter().map(|line| line.as_bytes()).chain(asked) {
        if let Ok(message) = serde_json::from_slice::<Message>(line) {
            let _ = client.sender.send(message);
        }
    }
    let receiver = client.receiver.clone();
    drop(client);
    let said = std::thread::spawn(move || receiver.into_iter().count());
    let settings = LspSettings { main: Some(b"/mail.conf".to_vec()), macros: Vec::new() };
    lsp::serve(&server, &world, settings);
    drop(server);
    assert!(said.join().is_ok_and(|count| count > 0), "nothing was answered");
}

/// Sessions that begin what is changed: requests of a debugger.
pub fn debug_sessions() -> Vec<Vec<u8>> {
    let launches = [
        r#"{"config":"/mail.conf","session":"/session","client":"192.0.2.1"}"#,
        r#"{"config":"/mail.conf","lines":["EHLO a","MAIL FROM:<>","RCPT TO:<ann@example.com>"]}"#,
        r#"{"config":"/mail.conf","acl":"rcpt","recipient":"carol@example.com"}"#,
        r#"{"config":"/mail.conf","route":"ann@example.com"}"#,
        r#"{"config":"/mail.conf","expand":"${uc:$sender_address}","stopOnEntry":true}"#,
        r#"{"testFile":"/none","test":"x"}"#,
    ];
    let points = [
        r#"{"source":{"path":"/mail.conf"},"breakpoints":[{"line":7},{"line":10,"condition":"${if eq{a}{a}{yes}}"}]}"#,
        r#"{"breakpoints":[{"name":"rcpt"},{"name":"people"}]}"#,
        r#"{"filters":["refusals"]}"#,
    ];
    let asks = [
        r#"{"command":"threads"}"#,
        r#"{"command":"stackTrace","arguments":{"threadId":1}}"#,
        r#"{"command":"scopes","arguments":{"frameId":1}}"#,
        r#"{"command":"variables","arguments":{"variablesReference":1}}"#,
        r#"{"command":"evaluate","arguments":{"expression":"$local_part","context":"repl"}}"#,
        r#"{"command":"setVariable","arguments":{"variablesReference":1,"name":"acl_m_a","value":"x"}}"#,
        r#"{"command":"stepIn","arguments":{"threadId":1}}"#,
        r#"{"command":"next","arguments":{"threadId":1}}"#,
        r#"{"command":"stepBack","arguments":{"threadId":1}}"#,
        r#"{"command":"stepOut","arguments":{"threadId":1}}"#,
        r#"{"command":"continue","arguments":{"threadId":1}}"#,
        r#"{"command":"disconnect"}"#,
    ];
    let mut all = Vec::new();
    for number in 0..600usize {
        let (launch, point) = (launches[number % 6], points[number % 3]);
        let set = ["setBreakpoints", "setFunctionBreakpoints", "setExceptionBreakpoints"];
        let mut lines = vec![
            r#"{"command":"initialize","arguments":{"adapterID":"eximious"}}"#.to_owned(),
            format!(r#"{{"command":"launch","arguments":{launch}}}"#),
            format!(r#"{{"command":"{}","arguments":{point}}}"#, set[number % 3]),
            r#"{"command":"configurationDone"}"#.to_owned(),
        ];
        lines.extend((0..8).map(|place| asks[(number / 3 + place * 5) % asks.len()].to_owned()));
        let numbered = lines.iter().enumerate().map(|(seq, line)| {
            let rest = line.strip_prefix('{').unwrap_or(line);
            format!("{{\"seq\":{seq},\"type\":\"request\",{rest}\n")
        });
        let text: String = numbered.collect();
        all.push(match number % 7 {
            0 => [&b"\xff"[..], &framed(text.as_bytes())].concat(),
            _ => text.into_bytes(),
        });
    }
    all
}

/// The same for an editor.
pub fn editor_sessions() -> Vec<Vec<u8>> {
    let uri = r#""textDocument":{"uri":"file:///mail.conf"}"#;
    let text = serde_json::Value::from(CONFIGURATION);
    let asks = [
        "hover",
        "completion",
        "signatureHelp",
        "definition",
        "references",
        "prepareRename",
        "documentSymbol",
        "foldingRange",
        "formatting",
        "codeAction",
        "rename",
        "semanticTokens/full",
        "documentHighlight",
    ];
    (0..600usize)
        .map(|number| {
            let mut lines = vec![format!(
                r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{{"textDocument":{{"uri":"file:///mail.conf","languageId":"exim","version":1,"text":{text}}}}}}}"#
            )];
            for place in 0..6 {
                let ask = asks[(number + place) % asks.len()];
                let (line, column) = ((number * 7 + place) % 24, (number * 3 + place * 5) % 30);
                lines.push(format!(
                    r#"{{"jsonrpc":"2.0","id":{},"method":"textDocument/{ask}","params":{{{uri},"position":{{"line":{line},"character":{column}}},"range":{{"start":{{"line":0,"character":0}},"end":{{"line":{line},"character":0}}}},"context":{{"includeDeclaration":true,"diagnostics":[]}},"options":{{"tabSize":2,"insertSpaces":true}},"newName":"other"}}}}"#,
                    place + 1
                ));
                lines.push(format!(
                    r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{{"textDocument":{{"uri":"file:///mail.conf","version":{}}},"contentChanges":[{{"range":{{"start":{{"line":{line},"character":{column}}},"end":{{"line":{line},"character":{}}}}},"text":"${{x"}}]}}}}"#,
                    place + 2,
                    column + place
                ));
            }
            lines.push(r#"{"jsonrpc":"2.0","id":99,"method":"shutdown"}"#.to_owned());
            lines.push(r#"{"jsonrpc":"2.0","method":"exit"}"#.to_owned());
            lines.join("\n").into_bytes()
        })
        .collect()
}

/// The same for test files.
pub fn test_files() -> Vec<Vec<u8>> {
    let samples = [
        include_str!("../../../docs/sample/mail.eximtest.toml"),
        include_str!("../../../docs/first-steps/site.eximtest.toml"),
        include_str!("../../../docs/first-steps/relay.eximtest.toml"),
    ];
    // A part of one is one, too.
    (0..600usize)
        .map(|number| {
            let parts: Vec<&str> = samples[number % 3].split("\n\n").collect();
            let kept = parts
                .iter()
                .enumerate()
                .filter(|(at, _)| *at == 0 || (number / 3) >> (at % 8) & 1 == 0);
            let text: Vec<&str> = kept.map(|(_, part)| *part).collect();
            let text = text.join("\n\n");
            let own = text.lines().filter(|line| !line.starts_with("config = "));
            let own: Vec<&str> = own.collect();
            format!("config = \"/mail.conf\"\n{}\n", own.join("\n")).into_bytes()
        })
        .collect()
}
