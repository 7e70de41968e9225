//! The lookups `nis` and `nis0` against a real server, in a network of the
//! test's own; a real Exim says the same there.

use std::process::Command;
use std::time::Duration;

use eximious_tests::network;
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::servers::{Home, Server, program};

/// The domain there, and where NIS keeps its maps.
const DOMAIN: &str = "eximious.test";
const PLACE: &str = "/var/yp";

#[test]
fn maps_are_asked() {
    let programs = ["rpcbind", "ypserv", "ypbind", "/usr/lib/yp/makedbm"];
    if programs.iter().all(|name| name.starts_with('/') || program(name).is_some()) {
        network::run("nis::inside", "nis");
    }
}

/// The part that runs there.
#[test]
#[ignore = "it needs a network of its own: maps_are_asked starts it"]
fn inside() {
    if network::purpose().is_none() {
        return;
    }
    let home = Home::new("root");
    network::set_up(
        home.path(),
        &[("/etc/yp.conf", &format!("domain {DOMAIN} server 127.0.0.1\n"))],
    );
    for directory in [PLACE, "/run"] {
        network::empty(directory);
    }
    run(Command::new("domainname").arg("(none)"));
    agree(
        &["${lookup{alice}nis{users}{<$value>}{none}}"],
        &["Failed: failed to get default NIS domain"],
    );
    run(Command::new("domainname").arg(DOMAIN));
    let maps = format!("{PLACE}/{DOMAIN}");
    std::fs::create_dir_all(&maps).expect("a directory");
    std::fs::create_dir_all(format!("{PLACE}/binding")).expect("a directory");
    let text =
        home.write("users", "alice secret:1000\nbob  two words\n* the rest\n*.b.example wild\n");
    run(Command::new("/usr/lib/yp/makedbm").arg(text).arg(format!("{maps}/users")));
    // Nobody says which server it is yet.
    agree(&["${lookup{alice}nis{users}}"], &["Failed: lookup of \"alice\" gave DEFER: "]);
    let start = |name: &str, arguments: &[&str], process: &str| {
        let home = Home::new("root");
        let program = program(name).expect("a server");
        let mut command = home.command(&program);
        command.args(arguments);
        Server::start(home, &mut command, || ready(process))
    };
    let _portmap = start("rpcbind", &["-f"], "100000");
    let _server = start("ypserv", &["-d"], "100004");
    let _binder = start("ypbind", &["-debug"], "100007");
    std::thread::sleep(Duration::from_millis(500));
    agree(
        &[
            "${lookup{alice}nis{users}{<$value>}{none}}",
            "${lookup{bob}nis{users}{<$value>}{none}}",
            "${lookup{carol}nis{users}{<$value>}{none}}",
            "${lookup{alice}nis0{users}{<$value>}{none}}",
            "${lookup{}nis{users}{<$value>}{none}}",
            "${lookup{alice}nis{nosuch}{<$value>}{none}}",
            "${lookup{alice}nis{}{<$value>}{none}}",
            "${lookup{carol}nis*{users}{<$value>}{none}}",
            "${lookup{a.b.example}partial-nis{users}{<$value>}{none}}",
        ],
        &[
            "<secret:1000>",
            "<two words>",
            "none",
            "none",
            "none",
            "none",
            "Failed: lookup of \"alice\" gave DEFER: ",
            "<the rest>",
            "<wild>",
        ],
    );
}

/// Both programs give these answers.
fn agree(lines: &[&str], answers: &[&str]) {
    let reference = Reference::find();
    for (line, answer) in lines.iter().zip(answers) {
        let ours = Ours::new().answer(line.as_bytes());
        assert_eq!(String::from_utf8_lossy(&ours), *answer, "{line}");
        if let Some(reference) = &reference {
            let theirs = reference.ask(&[line.as_bytes().to_vec()], None).remove(0);
            assert_eq!(theirs, Answer::Said(ours), "{line}");
        }
    }
}

/// Whether a service, by its number, is known to the port mapper.
fn ready(service: &str) -> bool {
    let output = Command::new("rpcinfo").args(["-p", "127.0.0.1"]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(service))
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}
