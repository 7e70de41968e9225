//! `eximious lsp`: each thing that an editor asks for, over pipes.

mod client;
mod debian;
mod editors;
mod hostile;
mod roots;

use serde_json::{Value, json};

use client::Client;

const URI: &str = "file:///sample/exim.conf";

/// A configuration with a mistake of each kind that matters here.
const SAMPLE: &str = "\
HOST = mail.example
MORE = +relays : 192.0.2.1
primary_hostnam = HOST
hostlist relays = 192.0.2.2
domainlist local = @ : b.example
host_lookup = MORE
acl_smtp_rcpt = check_rcpt
.ifdef OTHER
acl_smtp_mail = check_rcpt
.endif

# The only one.
# It is short.
begin acl
check_rcpt:
  warn   set acl_m_n = ${sg{$local_part}{a}{b}}
  deny   !hosts = +relay
         message = no ${lookup{$acl_m_n}lsearch{/etc/x}}
  accept domains = +local

begin routers
local:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  file = /var/mail/$local_part_data
";

fn opened() -> Client {
    let mut client = Client::usual();
    client.open(URI, SAMPLE);
    client
}

#[test]
fn what_check_finds_is_told_with_cures() {
    let mut client = opened();
    assert_eq!(
        client.told(URI, 1),
        [
            "2:0 E102 main option \"primary_hostnam\" unknown\ndid you mean primary_hostname?",
            "16:18 E104 no hostlist is called \"relay\"\ndid you mean +relays?",
        ]
    );
    let range = json!({
        "start": { "line": 16, "character": 20 }, "end": { "line": 16, "character": 20 },
    });
    let context = json!({ "diagnostics": [] });
    let actions = client.of("codeAction", URI, json!({ "range": range, "context": context }));
    let titles: Vec<&str> =
        actions.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Change to relays", "Allow E104 here, with a reason"]);
    let edit = &actions[0]["edit"]["changes"][URI];
    let wanted = json!([{
        "range": {
            "start": { "line": 16, "character": 19 }, "end": { "line": 16, "character": 24 },
        },
        "newText": "relays",
    }]);
    assert_eq!(edit, &wanted);
    let comment = &actions[1]["edit"]["changes"][URI][0];
    assert_eq!(comment["newText"], "  # eximious: allow E104 the reason\n");
    // Cured, it is told no more.
    client.change(URI, 2, [16, 19, 16, 24], "relays");
    client.change(URI, 3, [2, 0, 2, 15], "primary_hostname");
    assert_eq!(client.told(URI, 3), Vec::<String>::new());
    assert_eq!(client.leave(), 0);
}

#[test]
fn what_stands_in_a_macro_is_told_where_that_is_used() {
    let mut client = Client::usual();
    client.open(URI, "BAD = ${nosuch:x}\nsmtp_banner = BAD there\n");
    let message = client.wait(|message| message["method"] == "textDocument/publishDiagnostics");
    let found = &message["params"]["diagnostics"][0];
    let at = |line: u64, from: u64, to: u64| {
        json!({
            "start": { "line": line, "character": from }, "end": { "line": line, "character": to },
        })
    };
    assert_eq!(found["code"], "E103");
    assert_eq!(found["range"], at(1, 14, 17));
    let related = json!([{
        "location": { "uri": URI, "range": at(0, 0, 3) },
        "message": "in the text of the macro BAD",
    }]);
    assert_eq!(found["relatedInformation"], related);
}

#[test]
fn words_have_their_pages() {
    let mut client = opened();
    for (place, head) in [
        (
            [2, 20],
            "**HOST** (macro)\n\n```exim\nmail.example\n```\n\ndefined in /sample/exim.conf, line 1\n",
        ),
        ([16, 22], ""),
        (
            [18, 22],
            "**local** (domainlist)\n\ndefined in /sample/exim.conf, line 5\n\n```exim\ndomainlist local = @ : b.example\n```\n",
        ),
        ([15, 26], "**sg** (item)\n\n```exim\n${sg{"),
        ([15, 32], "**local_part** (variable)\n"),
        ([15, 15], "**acl_m_n** (variable)\n\nset in /sample/exim.conf, line 16\n"),
        ([16, 3], "**deny** (acl verb)\n"),
        ([16, 12], "**hosts** (acl condition)\n"),
        ([17, 44], "**lsearch** (lookup)\n"),
        ([23, 4], "**transport** (router option)\n"),
        (
            [23, 16],
            "**box** (transport)\n\ndefined in /sample/exim.conf, line 27\n\n```exim\nbox:\n  driver = appendfile\n  file = /var/mail/$local_part_data\n```\n",
        ),
        ([27, 14], "**appendfile** (transport driver)\n"),
        ([28, 3], "**file** (transport option of appendfile)\n"),
        ([7, 3], "```text\n.ifdef (directive)\n"),
        ([13, 7], "```text\nacl (section)\n"),
    ] {
        let page = client.page(URI, place);
        assert!(page.starts_with(head) && page.is_empty() == head.is_empty(), "{place:?}: {page}");
    }
    let page = client.page(URI, [28, 3]);
    assert!(page.contains("- Type: string, expanded\n- Default: unset"), "{page}");
}

#[test]
fn words_are_completed() {
    let mut client = opened();
    client.change(URI, 2, [28, 0, 28, 0], "  create_d\n");
    assert_eq!(client.offers(URI, [28, 10]), ["create_directory"]);
    for (version, line, wanted) in [
        (3, "  file = ${hashe", &[][..]),
        (4, "  file = ${has", &["hash:", "hash{"]),
        (5, "  file = ${if match_do", &["match_domain"]),
        (6, "  file = ${lookup{$local_part}dbmj", &["dbmjz"]),
        (7, "  file = $acl_m", &["acl_m_n"]),
        (8, "  driver = appe", &["appendfile"]),
        (9, "  file = HO", &["HOST"]),
        (10, "  use_lockfile = ", &["false", "true"]),
        (11, "begin tr", &["transports"]),
        (12, ".elif", &["elifdef", "elifndef"]),
    ] {
        client.change(URI, version, [28, 0, 28, 99], line);
        assert_eq!(client.offers(URI, [28, line.len() as u64]), wanted, "{line}");
    }
    for (version, line, wanted) in [
        (13, "  deny acl = ch", &["check_rcpt"][..]),
        (14, "  deny domains = +", &["local"]),
        (15, "  deny verify = not_", &["not_blind"]),
        (16, "  den", &["deny"]),
        (17, "  warn control = fak", &["fakedefer", "fakereject"]),
    ] {
        client.change(URI, version, [17, 0, 17, 99], line);
        assert_eq!(client.offers(URI, [17, line.len() as u64]), wanted, "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("extra.conf"), "").unwrap();
    std::fs::create_dir(folder.path().join("exim.d")).unwrap();
    let path = folder.path().to_string_lossy();
    for (version, line, wanted) in [
        (18, format!(".include {path}/ex"), &["exim.d/", "extra.conf"][..]),
        (19, format!(".include_if_exists {path}/extra.c"), &["extra.conf"]),
        (20, "  deny verify = sender/callout=5s/de".to_owned(), &["defer_ok"]),
    ] {
        client.change(URI, version, [17, 0, 17, 999], &line);
        assert_eq!(client.offers(URI, [17, line.len() as u64]), wanted, "{line}");
    }
}

#[test]
fn names_are_found_and_changed() {
    let mut client = opened();
    let acl = ["exim.conf:14:0", "exim.conf:6:16", "exim.conf:8:16"];
    assert_eq!(client.places("definition", URI, [6, 18]), acl[..1]);
    assert_eq!(client.places("references", URI, [14, 3]), acl);
    assert_eq!(client.places("definition", URI, [5, 16]), ["exim.conf:1:0"]);
    assert_eq!(
        client.places("references", URI, [3, 12]),
        ["exim.conf:1:8", "exim.conf:3:9"],
        "one stands in a macro"
    );
    assert_eq!(client.places("references", URI, [26, 1]), ["exim.conf:23:14", "exim.conf:26:0"]);
    assert_eq!(client.places("references", URI, [15, 15]), ["exim.conf:15:13", "exim.conf:17:32"]);
    let edits = |found: &Value| {
        let all = found["changes"][URI].as_array().cloned().unwrap_or_default();
        let mut all: Vec<String> = all
            .iter()
            .map(|one| {
                let start = &one["range"]["start"];
                let text = one["newText"].as_str().unwrap();
                format!("{}:{} {text}", start["line"], start["character"])
            })
            .collect();
        all.sort();
        all
    };
    let found = client.at("rename", URI, [6, 18], json!({ "newName": "recipients" }));
    assert_eq!(edits(&found), ["14:0 recipients", "6:16 recipients", "8:16 recipients"]);
    let found = client.at("rename", URI, [0, 1], json!({ "newName": "MYHOST" }));
    assert_eq!(edits(&found), ["0:0 MYHOST", "2:18 MYHOST"]);
    for (place, new, why) in [
        ([0, 1], "lower", "\"lower\" can't be the name of a macro"),
        ([0, 1], "MORE", "there is a macro called MORE already"),
        (
            [1, 1],
            "HOSTS",
            "the configuration would be wrong: \"HOSTS\" cannot be defined as a macro because \
             previously defined macro \"HOST\" is a substring",
        ),
        ([15, 15], "mine", "\"mine\" can't be the name of a variable"),
        ([22, 4], "drives", "there is no name here that could be changed"),
    ] {
        let found = client.at("rename", URI, place, json!({ "newName": new }));
        assert_eq!(found["message"], why, "{new}");
    }
    let found = client.at("prepareRename", URI, [6, 18], json!({}));
    assert_eq!(found["placeholder"], "check_rcpt");
}

#[test]
fn the_whole_of_a_file_is_shown() {
    let mut client = opened();
    let symbols = client.of("documentSymbol", URI, json!({}));
    fn shown(all: &Value, depth: usize, out: &mut Vec<String>) {
        for one in all.as_array().into_iter().flatten() {
            let (first, last) = (&one["range"]["start"]["line"], &one["range"]["end"]["line"]);
            let name = one["name"].as_str().unwrap();
            let detail = one["detail"].as_str().map_or(String::new(), |d| format!(" {d}"));
            out.push(format!("{}{name}{detail} {first}-{last}", "  ".repeat(depth)));
            shown(&one["children"], depth + 1, out);
        }
    }
    let mut lines = Vec::new();
    shown(&symbols, 0, &mut lines);
    assert_eq!(
        lines,
        [
            "HOST 0-0",
            "MORE 1-1",
            "relays hostlist 3-3",
            "local domainlist 4-4",
            "acl 13-18",
            "  check_rcpt 14-18",
            "routers 20-23",
            "  local accept 21-23",
            "transports 25-28",
            "  box appendfile 26-28",
        ]
    );
    let found = client.ask("workspace/symbol", json!({ "query": "LOC" }));
    let names: Vec<_> = found.as_array().unwrap().iter().map(|one| &one["containerName"]).collect();
    assert_eq!(names, ["domainlist", "router"]);
    let folds = client.of("foldingRange", URI, json!({}));
    let folds: Vec<String> = folds
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}-{}", one["startLine"], one["endLine"]))
        .collect();
    assert_eq!(
        folds,
        ["7-9", "11-12", "13-18", "14-18", "16-17", "20-23", "21-23", "25-28", "26-28"]
    );
    let spots = client.at("documentHighlight", URI, [4, 12], json!({}));
    let kinds: Vec<_> = spots.as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, [2, 3]);
}

#[test]
fn files_are_laid_out() {
    let mut client = opened();
    let options = json!({ "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = client.of("formatting", URI, options.clone());
    let mut lines: Vec<String> = SAMPLE.lines().map(str::to_owned).collect();
    for edit in edits.as_array().unwrap().iter().rev() {
        let line = |end: &str| edit["range"][end]["line"].as_u64().unwrap() as usize;
        let new = edit["newText"].as_str().unwrap().lines().map(str::to_owned);
        lines.splice(line("start")..line("end"), new);
    }
    let wanted = String::from_utf8(eximious::fmt::format(SAMPLE.as_bytes())).unwrap();
    assert_eq!(lines.join("\n") + "\n", wanted);
    assert_ne!(wanted, SAMPLE);
    let range = json!({
        "start": { "line": 16, "character": 0 }, "end": { "line": 17, "character": 0 },
    });
    let mut more = options;
    more["range"] = range;
    let edits = client.of("rangeFormatting", URI, more);
    assert!(edits.as_array().unwrap().iter().all(|one| one["range"]["start"]["line"] == 16));
}

#[test]
fn constructs_say_how_they_are_written() {
    let mut client = opened();
    // In the second argument of sg.
    let found = client.at("signatureHelp", URI, [15, 41], json!({}));
    let signature = &found["signatures"][0];
    assert_eq!(signature["label"].as_str().map(|label| &label[..5]), Some("${sg{"));
    assert_eq!(
        (&found["activeParameter"], signature["parameters"].as_array().map(Vec::len)),
        (&json!(1), Some(3))
    );
    assert_eq!(client.at("signatureHelp", URI, [3, 5], json!({})), Value::Null);
}

#[test]
fn words_of_values_have_their_pages() {
    let mut client = opened();
    let uri = "file:///sample/values.conf";
    let text = "log_selector = +subject -queue_run\nav_scanner = clamd:/run/x\n\
                hostlist a = lsearch;/etc/x\n.ifdef _HAVE_DKIM\n.endif\nbegin acl\nc:\n  \
                deny spf = fail : softfail\nbegin retry\n* refused_MX F,2h,15m\n";
    client.open(uri, text);
    for (place, head) in [
        ([0, 17], "```text\nsubject (log selector)"),
        ([0, 25], "```text\nqueue_run (log selector)"),
        ([1, 14], "```text\nclamd (kind of malware scanner)"),
        ([2, 15], "**lsearch** (lookup)"),
        ([3, 9], "```text\n_HAVE_DKIM (macro)"),
        ([7, 20], "```text\nsoftfail (result of spf)"),
        ([9, 4], "```text\nrefused_MX (error of rules for retries)"),
    ] {
        let page = client.page(uri, place);
        assert!(page.starts_with(head), "{place:?}: {page}");
    }
}

#[test]
fn words_have_colours() {
    let (mut client, found) = Client::start(&[], json!({ "capabilities": {} }));
    let legend = &found["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
    let legend: Vec<&str> =
        legend.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    client.open(URI, SAMPLE);
    let mut shown = |method: &str, more: Value| {
        let found = client.of(method, URI, more);
        let data: Vec<usize> = found["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap() as usize)
            .collect();
        let (mut line, mut start) = (0, 0);
        let mut out = Vec::new();
        for token in data.chunks(5) {
            start = if token[0] == 0 { start + token[1] } else { token[1] };
            line += token[0];
            let text = &SAMPLE.lines().nth(line).unwrap()[start..start + token[2]];
            out.push(format!("{line} {text} {}", legend[token[3]]));
        }
        out
    };
    let range = json!({
        "start": { "line": 16, "character": 0 }, "end": { "line": 17, "character": 0 },
    });
    let part = shown("semanticTokens/range", json!({ "range": range }));
    assert_eq!(
        part,
        [
            "16 deny keyword",
            "16 ! operator",
            "16 hosts method",
            "16 +relay variable",
            "17 message method",
            "17 lookup function",
            "17 acl_m_n variable",
            "17 lsearch class",
        ]
    );
    let all = shown("semanticTokens/full", json!({}));
    assert!(part.iter().all(|one| all.contains(one)), "{all:?}");
    for one in ["0 HOST macro", "5 MORE macro", "7 .ifdef keyword", "11 # The only one. comment"] {
        assert!(all.iter().any(|found| found == one), "{one}: {all:?}");
    }
    assert!(!all.iter().any(|one| one.contains("primary_hostnam ")), "it is no option");
}

#[test]
fn help_tells_of_the_server() {
    let said = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_eximious");
        let output = std::process::Command::new(program).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let page = said(&["help", "lsp"]);
    assert!(page.contains("Language Server Protocol"), "{page}");
    assert_eq!(page, said(&["lsp", "--help"]));
}
