//! Workspaces of several folders.

use std::fs;

use serde_json::{Value, json};

use super::client::Client;

/// Two folders, each with a main file that includes another one.
fn folders() -> (tempfile::TempDir, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let folder = place.path().join(name);
        fs::create_dir_all(folder.join("parts")).unwrap();
        let main = format!("domainlist {name}_domains = a.example\n.include parts/more\n");
        fs::write(folder.join("mail.main"), main).unwrap();
        fs::write(folder.join("parts/more"), "").unwrap();
        format!("file://{}", folder.display())
    };
    let uris = ["one", "two"].map(make).to_vec();
    (place, uris)
}

fn of(uri: &str) -> Value {
    json!({ "uri": uri, "name": "x" })
}

#[test]
fn each_folder_of_a_workspace_has_its_main_file() {
    let (_place, uris) = folders();
    let options = json!({ "mainFile": "mail.main" });
    let folders: Vec<Value> = uris.iter().map(|uri| of(uri)).collect();
    let params = json!({
        "capabilities": {}, "initializationOptions": options, "workspaceFolders": folders,
    });
    let (mut client, found) = Client::start(&[], params);
    assert_eq!(found["capabilities"]["workspace"]["workspaceFolders"]["supported"], true);
    for (uri, name) in uris.iter().zip(["one", "two"]) {
        let part = format!("{uri}/parts/more");
        let text = format!("hostlist x = 192.0.2.1\nqueue_domains = +{name}_domains\n");
        client.open(&part, &text);
        let line = json!({ "position": { "line": 1, "character": 20 } });
        let found = client.of("definition", &part, line);
        let found = found.as_array().map_or(&found, |all| &all[0]);
        assert_eq!(found["uri"], format!("{uri}/mail.main"), "{found}");
    }
}

#[test]
fn folders_come_and_go() {
    let (_place, uris) = folders();
    let params = json!({
        "capabilities": {},
        "initializationOptions": { "mainFile": "mail.main" },
        "workspaceFolders": [of(&uris[0])],
    });
    let (mut client, _) = Client::start(&[], params);
    let event = json!({ "added": [of(&uris[1])], "removed": [of(&uris[0])] });
    client.note("workspace/didChangeWorkspaceFolders", json!({ "event": event }));
    let part = format!("{}/parts/more", uris[1]);
    client.open(&part, "queue_domains = +two_domains\n");
    let line = json!({ "position": { "line": 0, "character": 20 } });
    let found = client.of("definition", &part, line);
    let found = found.as_array().map_or(&found, |all| &all[0]);
    assert_eq!(found["uri"], format!("{}/mail.main", uris[1]), "{found}");
}

#[test]
fn no_text_becomes_a_macro_by_a_new_name() {
    let mut client = Client::usual();
    let uri = "file:///sample/macros.conf";
    client.open(uri, "HOST = a.example\nprimary_hostname = HOST\nqualify_domain = MX.example\n");
    let refused = client.at("rename", uri, [0, 1], json!({ "newName": "MX" }));
    let why = "MX stands in a text, and would be the macro there";
    assert_eq!(refused["message"], why, "{refused}");
    let renamed = client.at("rename", uri, [0, 1], json!({ "newName": "MY" }));
    assert_eq!(renamed["changes"][uri].as_array().map(Vec::len), Some(2), "{renamed}");
}
