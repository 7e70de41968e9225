//! The lookup type `oracle`, as far as it goes without a server, which nobody can
//! have who builds this.

use std::process::Command;
use std::time::{Duration, Instant};

use eximious::world::{Server as At, ServerAddress, ServerError, SqlKind};
use eximious_tests::ours::Ours;
use eximious_tests::servers::program;

fn at(service: &str) -> At {
    At {
        address: ServerAddress::Tcp { host: service.into(), port: None },
        database: Vec::new(),
        user: b"u".to_vec(),
        password: b"secret".to_vec(),
        group: None,
        environment: Vec::new(),
    }
}

#[test]
fn lists_of_servers() {
    let directory = tempfile::TempDir::new().expect("a directory");
    for (list, wanted) in [
        ("service//u/secret", "ORACLE connection failed: "),
        ("127.0.0.1::1/service//u/secret", "ORACLE connection failed: "),
        ("//127.0.0.1::1/service//u/secret", "ORACLE connection failed: "),
        ("a//u/secret : b//u/secret", "ORACLE connection failed: "),
        ("u/secret", "incomplete Oracle server data: u"),
        ("service/u/secret", "incomplete Oracle server data: service/u"),
        ("service//u/secret : x", "incomplete Oracle server data: x"),
    ] {
        let config = directory.path().join("config");
        std::fs::write(&config, format!("oracle_servers = {list}\n")).expect("a configuration");
        let said = Ours::with_config(&config).answer(b"${lookup oracle{select 1 from dual}}");
        let said = String::from_utf8_lossy(&said).into_owned();
        let wanted = format!("Failed: lookup of \"select 1 from dual\" gave DEFER: {wanted}");
        assert!(said.starts_with(&wanted), "{list}: {said}");
        assert!(!said.contains("secret"), "{list}: {said}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let world = eximious_world::system();
    let begun = Instant::now();
    let asked = world.sql.query(
        SqlKind::Oracle,
        &at("//127.0.0.1:1/service"),
        b"select 1 from dual",
        Duration::from_secs(10),
    );
    let Err(ServerError::Connect(words)) = asked else { panic!("{asked:?}") };
    let missing = "Oracle's client library (libclntsh.so, of Oracle Instant Client) can't be loaded: \
                   DPI-1047: ";
    // Where somebody has it, it finds no server.
    assert!(words.starts_with(missing) || words.starts_with("ORA-"), "{words}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[test]
fn quotes() {
    let mut ours = Ours::new();
    for (line, wanted) in [
        ("${quote_oracle:it's}", "it\\'s"),
        ("${quote_oracle:a\"b\\\\c\\td\\ne}", "a\\\"b\\\\c\\td\\ne"),
        (
            "${lookup oracle{select 1 from dual}}",
            "Failed: lookup of \"select 1 from dual\" gave DEFER: no Oracle servers defined \
             (oracle_servers option)",
        ),
        (
            "${lookup oracle,servers=a//b/c{select 1 from dual}}",
            "Failed: lookup of \"select 1 from dual\" gave DEFER: no Oracle servers defined \
             (oracle_servers option)",
        ),
        ("${lookup oracle{}{yes}{no}}", "no"),
    ] {
        assert_eq!(String::from_utf8_lossy(&ours.answer(line.as_bytes())), wanted, "{line}");
    }
}

/// Oracle does not take a backslash for more than it is: what Exim calls quoted
/// could end the text that it stands in.
#[test]
fn quotes_from_outside_are_not_sent() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let config = directory.path().join("config");
    std::fs::write(&config, "oracle_servers = x//u/secret\n").expect("a configuration");
    let message = directory.path().join("message");
    let text = "X-Plain: plain\nX-Harm: ' or 1=1 --\n\nBody\n";
    std::fs::write(&message, text).expect("a message");
    let mut ours = Ours::with_config(&config).reading(&message);
    for (value, wanted) in [
        ("$h_x-plain:", "Failed: tainted search query is not properly quoted: "),
        ("${quote_oracle:$h_x-plain:}", "gave DEFER: ORACLE connection failed: "),
        (
            "${quote_oracle:$h_x-harm:}",
            "gave DEFER: ORACLE: a quote from outside would end the text that it stands in",
        ),
        ("${quote_oracle:it's}", "gave DEFER: ORACLE connection failed: "),
    ] {
        let line = format!("${{lookup oracle{{select '{value}' from dual}}}}");
        let said = String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned();
        assert!(said.contains(wanted), "{line}: {said}");
    }
}

/// A library that hangs is not waited for. It is looked for in the directories that
/// are named when a program starts: so another one does.
#[test]
fn a_library_that_hangs() {
    let Some(cc) = program("cc") else { return };
    let directory = tempfile::TempDir::new().expect("a directory");
    let source = directory.path().join("hang.c");
    // It is asked for its version first. Not for long: the program ends when that has
    // ended.
    let code = "#include <unistd.h>\nvoid OCIClientVersion(void) { sleep(3); }\n";
    std::fs::write(&source, code).expect("a source");
    let library = directory.path().join("libclntsh.so");
    let built =
        Command::new(cc).args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(built.is_ok_and(|status| status.success()), "a library");
    let own = std::env::current_exe().expect("this program");
    let child = Command::new(own)
        .args(["--exact", "oracle_servers::in_a_process_of_its_own", "--ignored"])
        .env("LD_LIBRARY_PATH", directory.path())
        .output()
        .expect("another program");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by another test"]
fn in_a_process_of_its_own() {
    let world = eximious_world::system();
    let begun = Instant::now();
    let asked = world.sql.query(SqlKind::Oracle, &at("x"), b"select 1", Duration::from_millis(300));
    assert_eq!(asked, Err(ServerError::Connect("the server took too long".into())));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
