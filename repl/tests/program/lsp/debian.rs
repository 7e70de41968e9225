//! Debian's configuration in parts, and one of a site, as editors have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious_tests::root;
use serde_json::json;

use super::client::Client;

/// A copy of the packaged parts; `None` where there are none.
fn parts() -> Option<(tempfile::TempDir, PathBuf)> {
    let packaged = Path::new("/etc/exim4/conf.d");
    if !packaged.exists() {
        eprintln!("LEFT OUT: no packaged configuration (exim4-config)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(packaged).arg(folder.path()).status().unwrap();
    assert!(copied.success());
    let parts = folder.path().join("conf.d");
    Some((folder, parts))
}

/// Where a text stands in a file, as line and character; comments do not count.
fn place(text: &str, wanted: &str) -> [u64; 2] {
    let found = text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with('#'));
    let mut found = found.filter_map(|(number, line)| Some((number, line.find(wanted)?)));
    let (line, at) = found.next().unwrap_or_else(|| panic!("{wanted}"));
    [line as u64, at as u64]
}

#[test]
fn parts_are_one_configuration() {
    let Some((_folder, parts)) = parts() else { return };
    let file = parts.join("acl/30_exim4-config_check_rcpt");
    let uri = format!("file://{}", file.display());
    let text = fs::read_to_string(&file).unwrap();
    let mut client = Client::usual();
    client.open(&uri, &text);
    assert_eq!(client.told(&uri, 1), Vec::<String>::new());

    let [line, at] = place(&text, "+relay_to_domains");
    let lists = fs::read_to_string(parts.join("main/01_exim4-config_listmacrosdefs")).unwrap();
    let [defined, start] = place(&lists, "relay_to_domains");
    let wanted = [format!("01_exim4-config_listmacrosdefs:{defined}:{start}")];
    assert_eq!(client.places("definition", &uri, [line, at + 3]), wanted);
    let found = client.places("references", &uri, [line, at + 3]);
    let files: Vec<&str> = found.iter().map(|one| one.split(':').next().unwrap()).collect();
    let own = "30_exim4-config_check_rcpt";
    assert_eq!(
        files,
        ["01_exim4-config_listmacrosdefs", "200_exim4-config_primary", own, own, own]
    );
    let page = client.page(&uri, [line, at + 3]);
    assert!(page.contains("domainlist relay_to_domains = MAIN_RELAY_TO_DOMAINS"), "{page}");

    // The ACL is named in another file, and in lines that conditions leave out.
    let [line, at] = place(&text, "acl_check_rcpt:");
    let found = client.places("references", &uri, [line, at]);
    let options = fs::read_to_string(parts.join("main/02_exim4-config_options")).unwrap();
    let [used, start] = place(&options, "MAIN_ACL_CHECK_RCPT = ");
    let start = start + "MAIN_ACL_CHECK_RCPT = ".len() as u64;
    assert_eq!(
        found,
        [format!("02_exim4-config_options:{used}:{start}"), format!("{own}:{line}:0")]
    );

    // Another name for it goes into both files; what the other has is on the disk.
    let found = client.at("rename", &uri, [line, at + 1], json!({ "newName": "acl_rcpt" }));
    let changes = found["changes"].as_object().unwrap_or_else(|| panic!("{found}"));
    let mut names: Vec<&str> = changes.keys().map(|uri| uri.rsplit('/').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["02_exim4-config_options", own]);

    // A verb is offered where the section is known only from the folder.
    let end = text.lines().count() as u64;
    client.change(&uri, 2, [end, 0, end, 0], "\n  deny hosts = +relay_fr");
    assert_eq!(client.offers(&uri, [end + 1, 24]), ["relay_from_hosts"]);
    client.change(&uri, 3, [end + 1, 0, end + 1, 99], "  warn contr");
    assert_eq!(client.offers(&uri, [end + 1, 12]), ["control"]);
    client.change(&uri, 4, [end + 1, 0, end + 1, 99], "  warn hosts = +relay_from_host");
    let told = client.told(&uri, 4);
    let cure = "no hostlist is called \"relay_from_host\"\ndid you mean +relay_from_hosts?";
    let line = end + 1;
    let unreached = format!("{line}:2 W207 this statement is never reached");
    assert_eq!(told, [unreached, format!("{line}:15 E104 {cure}")]);
    assert_eq!(client.leave(), 0);
}

#[test]
fn the_template_stands_by_itself() {
    let file = Path::new("/etc/exim4/exim4.conf.template");
    let Ok(text) = fs::read_to_string(file) else {
        eprintln!("LEFT OUT: no packaged configuration (exim4-config)");
        return;
    };
    let uri = format!("file://{}", file.display());
    let mut client = Client::usual();
    client.open(&uri, &text);
    let errors: Vec<String> =
        client.told(&uri, 1).into_iter().filter(|one| one.contains(" E")).collect();
    assert_eq!(errors, Vec::<String>::new());
    let [line, at] = place(&text, "+local_domains");
    let defined = client.places("definition", &uri, [line, at + 3]);
    let [first, start] = place(&text, "local_domains = ");
    assert_eq!(defined, [format!("exim4.conf.template:{first}:{start}")]);
}

#[test]
fn a_site_is_sound() {
    let text = fs::read_to_string(root().join("tests/data/check/sound.conf")).unwrap();
    let uri = "file:///site/sound.conf";
    let mut client = Client::usual();
    client.open(uri, &text);
    assert_eq!(client.told(uri, 1), Vec::<String>::new());
    let [line, at] = place(&text, "acl = acl_common");
    let [label, _] = place(&text, "acl_common:");
    assert_eq!(client.places("definition", uri, [line, at + 8]), [format!("sound.conf:{label}:0")]);
    let [line, at] = place(&text, "set acl_m_score");
    let score = client.places("references", uri, [line, at + 6]);
    assert_eq!(score.len(), text.matches("acl_m_score").count());
    let [line, at] = place(&text, "ratelimit");
    let page = client.page(uri, [line, at + 1]);
    assert!(page.starts_with("**ratelimit** (acl condition)\n"), "{page}");
    let [line, at] = place(&text, "${quote_mysql");
    let page = client.page(uri, [line, at + 4]);
    assert!(page.starts_with("**quote_"), "{page}");
}

#[test]
fn a_file_that_is_included_belongs_to_whoever_includes_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = |file: &str| folder.path().join(file);
    let part = "deny hosts = +relays\n";
    fs::create_dir(name("parts")).unwrap();
    fs::write(name("parts/rcpt"), part).unwrap();
    let main = format!(
        "hostlist relays = 192.0.2.1\nacl_smtp_rcpt = c\nbegin acl\nc:\n.include {}\n",
        name("parts/rcpt").display()
    );
    fs::write(name("exim.conf"), &main).unwrap();
    let uri = format!("file://{}", name("parts/rcpt").display());
    let defined = ["exim.conf:0:9".to_owned()];
    // It is found where it lies, or the client says so, or the command line does.
    let mut client = Client::usual();
    client.open(&uri, part);
    assert_eq!(client.told(&uri, 1), Vec::<String>::new());
    assert_eq!(client.places("definition", &uri, [0, 16]), defined);
    fs::rename(name("exim.conf"), name("other")).unwrap();
    let main_file = json!({ "mainFile": name("other") });
    let params = json!({ "capabilities": {}, "initializationOptions": main_file });
    let (mut client, _) = Client::start(&[], params);
    client.open(&uri, part);
    assert_eq!(client.places("definition", &uri, [0, 16]), ["other:0:9"]);
    let other = name("other").display().to_string();
    let (mut client, _) = Client::start(&["-C", &other], json!({ "capabilities": {} }));
    client.open(&uri, part);
    assert_eq!(client.places("definition", &uri, [0, 16]), ["other:0:9"]);
    // What an editor has open counts, not the disk; and the way goes both ways.
    let main_uri = format!("file://{other}");
    client.open(&main_uri, &main);
    client.change(&main_uri, 2, [0, 9, 0, 15], "clients");
    let told = client.told(&uri, 1);
    let told = if told.is_empty() { client.told(&uri, 1) } else { told };
    assert_eq!(told, ["0:13 E104 no hostlist is called \"relays\""]);
    assert_eq!(client.places("definition", &main_uri, [4, 3]), ["rcpt:0:0"]);
}
