//! A client that means harm, or knows no better.

use serde_json::{Value, json};

use super::client::Client;

const URI: &str = "file:///hostile/exim.conf";

/// A message with its head.
fn framed(body: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[test]
fn junk_is_passed_over() {
    let (mut client, _) = Client::start(&[], json!({ "capabilities": {} }));
    client.raw(b"\r\n\r\nhello\r\nContent-Length: x\r\n\r\n");
    client.raw(&[b'a'; 20_000]);
    client.raw(b"\n");
    client.raw(&framed("{\"jsonrpc\":\"2.0\""));
    let refused = client.wait(|message| message.get("id") == Some(&Value::Null));
    assert_eq!(refused["error"]["code"], -32700);
    client.raw(&framed(&"[".repeat(100_000)));
    client.wait(|message| message.get("id") == Some(&Value::Null));
    client.raw(b"Content-Length: 67108865\r\n\r\n");
    let rest = vec![b' '; 67_108_865];
    client.raw(&rest);
    client.wait(|message| message.get("id") == Some(&Value::Null));
    client.open(URI, "bananas = 3\n");
    assert_eq!(client.told(URI, 1).len(), 1);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_length_that_is_a_lie_ends_it() {
    let mut client = Client::usual();
    client.raw(b"Content-Length: 99999999999\r\n\r\n");
    assert_eq!(client.hang_up(), 1);
    let mut client = Client::silent(&[]);
    client.raw(b"Content-Length: 50\r\n\r\n{}");
    assert_eq!(client.hang_up(), 1);
}

#[test]
fn questions_out_of_place_are_refused() {
    let mut client = Client::silent(&[]);
    let early = client.ask("textDocument/hover", json!({}));
    assert_eq!(early["code"], -32002);
    client.ask("initialize", json!({ "capabilities": 7 }));
    assert_eq!(client.ask("initialize", json!({}))["code"], -32600);
    assert_eq!(client.ask("nonsense", json!({}))["code"], -32601);
    assert_eq!(client.ask("textDocument/hover", json!([1, "a"]))["code"], -32602);
    // None of these documents is open.
    assert_eq!(client.at("hover", "file:///none", [0, 0], json!({})), Value::Null);
    assert_eq!(client.of("semanticTokens/full", "zip:/a", json!({})), Value::Null);
    assert_eq!(client.of("semanticTokens/full", "zip:/a%", json!({}))["code"], -32602);
    client.change("file:///none", 4, [0, 0, 0, 0], "x");
    client.note("textDocument/didOpen", json!({ "textDocument": 3 }));
    client.note("$/cancelRequest", json!({ "id": "never" }));
    let strange = json!({ "jsonrpc": "2.0", "id": "word", "method": "shutdown" }).to_string();
    client.raw(&framed(&strange));
    client.wait(|message| message.get("id") == Some(&json!("word")));
    assert_eq!(client.ask("textDocument/hover", json!({}))["code"], -32600, "it is leaving");
}

#[test]
fn requests_can_be_taken_back() {
    let mut client = Client::usual();
    client.open(URI, &"acl_smtp_rcpt = x\n".repeat(2000));
    let mut all = Vec::new();
    let params = json!({ "textDocument": { "uri": URI } });
    for _ in 0..20 {
        all.push(client.begin("textDocument/semanticTokens/full", params.clone()));
    }
    let last = *all.last().unwrap();
    client.note("$/cancelRequest", json!({ "id": last }));
    let answer = client.answer(last);
    let refused = answer["error"]["code"] == -32800;
    assert!(refused || answer.get("result").is_some(), "{answer}");
    for id in &all[..19] {
        assert!(client.answer(*id)["result"]["data"].is_array());
    }
}

#[test]
fn positions_count_in_utf_16_and_may_lie_anywhere() {
    let mut client = Client::usual();
    // The face takes two units.
    client.open(URI, "smtp_banner = \u{1f600}${nosuch:x}\n");
    assert_eq!(client.told(URI, 1), ["0:16 E103 unknown expansion operator \"nosuch\""]);
    client.change(URI, 2, [0, 15, 0, 15], "a");
    client.change(URI, 3, [0, 16, 0, 99], "");
    client.change(URI, 4, [7, 3, 9, 9], "qualify_domain = \u{1f600}.example\n");
    client.change(URI, 5, [1, 0, 0, 4], "_x");
    client.change(URI, 6, [u64::from(u32::MAX), 1, 0, 0], "# nothing\n");
    assert_eq!(client.told(URI, 6), Vec::<String>::new());
    let symbols = client.of("documentSymbol", URI, json!({}));
    assert_eq!(symbols, json!([]));
    for method in ["hover", "completion", "definition", "signatureHelp", "prepareRename"] {
        for place in [[0, 3], [5, 5], [u64::from(u32::MAX), u64::from(u32::MAX)]] {
            let found = client.at(method, URI, place, json!({}));
            assert!(found.get("code").is_none(), "{method}: {found}");
        }
    }
    // A client that counts bytes is told in bytes.
    let encodings = json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } });
    let (mut client, found) = Client::start(&[], json!({ "capabilities": encodings }));
    assert_eq!(found["capabilities"]["positionEncoding"], "utf-8");
    client.open(URI, "smtp_banner = \u{1f600}${nosuch:x}\n");
    assert!(client.told(URI, 1)[0].starts_with("0:18 E103"));
}

#[test]
fn large_and_deep_documents_do_no_harm() {
    let mut client = Client::usual();
    let ask = |client: &mut Client| {
        for method in ["documentSymbol", "foldingRange", "semanticTokens/full"] {
            let found = client.of(method, URI, json!({}));
            assert!(found.get("code").is_none(), "{method}: {found}");
        }
        let found = client.at(
            "references",
            URI,
            [0, 1],
            json!({ "context": {
                "includeDeclaration": true
            }}),
        );
        assert!(found.get("code").is_none(), "{found}");
    };
    let deep = format!("smtp_banner = {}{}\n", "${uc:".repeat(20_000), "}".repeat(20_000));
    let macros: String = (b'A'..=b'Y')
        .map(|c| {
            format!("{0}{0} = {1}\n", char::from(c), format!("{0}{0}", char::from(c + 1)).repeat(9))
        })
        .collect();
    let itself = format!("A = b\n.include {}\n", "/hostile/exim.conf");
    let texts = [
        deep,
        format!("{macros}smtp_banner = AA\n"),
        itself,
        "x\\\n".repeat(50_000),
        "{".repeat(100_000) + &"}".repeat(100_000),
        ".ifdef A\n".repeat(20_000),
        "\u{0}\u{1}\u{feff}\r\r\n\\".to_owned(),
        "finduser_retries = 2000000000\nexim_user = nosuchuser\n".to_owned(),
    ];
    for (number, text) in texts.iter().enumerate() {
        client.open(URI, text);
        ask(&mut client);
        client.at("completion", URI, [0, 20], json!({}));
        client.at("rename", URI, [0, 0], json!({ "newName": "QQQ" }));
        client.of(
            "formatting",
            URI,
            json!({ "options": {
                "tabSize": 2, "insertSpaces": true
            }}),
        );
        client.told(URI, 1);
        assert!(number < texts.len());
    }
    client.open(URI, &"# much\n".repeat(2 << 20));
    let message = client.wait(|message| message["method"] == "window/showMessage");
    assert_eq!(message["params"]["message"], "/hostile/exim.conf: too large to be looked at");
    assert_eq!(client.leave(), 0);
}

#[test]
fn nothing_of_a_configuration_is_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let text = format!("exim_user = ${{run{{/bin/touch {}}}{{0}}}}\n", mark.display());
    let mut client = Client::usual();
    client.open(URI, &text);
    assert_eq!(client.told(URI, 1).len(), 1, "it can't be known who that is");
    assert_eq!(client.leave(), 0);
    assert!(!mark.exists());
}
