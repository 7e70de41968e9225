//! A network (and a host name) of its own for a test: the real Exim asks name servers at port 53
//! of what the system's files say. The test starts its own program again where
//! it has that network, and there lays files over those of the system. Hunts do, too.

use std::path::Path;
use std::process::Command;

/// Says that the program runs there.
const INSIDE: &str = "EXIMIOUS_INSIDE";

/// Starts this program again in a network of its own, to run the one test with
/// this name, which is `#[ignore]`d otherwise; false where the system does not
/// permit that. `purpose` is what [`purpose`] says there.
pub fn run(test: &str, purpose: &str) -> bool {
    let Some(mut command) = inside(purpose) else {
        eprintln!("LEFT OUT: a network of its own is not permitted here");
        return false;
    };
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    let output = command.output().expect("this program starts again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
    true
}

/// This program in a network of its own, as a command that still lacks its arguments;
/// none where the system does not permit that.
pub fn inside(purpose: &str) -> Option<Command> {
    let unshare = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--uts", "--"]).arg(program);
        command
    };
    let permitted = unshare(Path::new("true")).output();
    let program = std::env::current_exe().expect("this program");
    let mut command = unshare(&program);
    command.env(INSIDE, purpose);
    permitted.is_ok_and(|output| output.status.success()).then_some(command)
}

/// What the program was started for, where it runs there.
pub fn purpose() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// Makes that network usable, and lays texts over files of the system for as
/// long as the program runs.
pub fn set_up(directory: &Path, files: &[(&str, &str)]) {
    ip(&["link", "set", "lo", "up"]);
    for (path, text) in files {
        let own = directory.join("own");
        std::fs::write(&own, text).expect("a file");
        run_well(Command::new("mount").arg("--bind").arg(&own).arg(path));
        std::fs::remove_file(&own).expect("the file");
    }
}

/// As [`set_up`], with the files of a folder, and a resolver that asks the name server
/// of the test. Who is who is what the system knows, and those of the folder.
pub fn dress(folder: &Path) {
    let own =
        |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of the system");
    let more = |name: &str| {
        let system = std::fs::read_to_string(Path::new("/etc").join(name)).expect("who is who");
        system + &own(name)
    };
    let resolver =
        "nameserver 127.0.0.1\nsearch home.test\noptions trust-ad timeout:1 attempts:1\n";
    let directory = tempfile::TempDir::new().expect("a directory");
    set_up(
        directory.path(),
        &[
            ("/etc/resolv.conf", resolver),
            ("/etc/hosts", &own("hosts")),
            ("/etc/passwd", &more("passwd")),
            ("/etc/group", &more("group")),
        ],
    );
    // An address of this host that is not one of the loopback's.
    ip(&["addr", "add", "192.0.2.99/32", "dev", "lo"]);
}

/// Makes a directory of the system an empty one, for as long as the program runs.
pub fn empty(directory: &str) {
    run_well(Command::new("mount").args(["-t", "tmpfs", "tmpfs", directory]));
}

/// Runs the system's `ip`.
pub fn ip(arguments: &[&str]) {
    run_well(Command::new("ip").args(arguments));
}

fn run_well(command: &mut Command) {
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}
