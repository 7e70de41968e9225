//! Messages that go into another spool, whose program delivers them (the transport
//! `queuefile`).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::run;
use crate::common::spool::exim;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const FIRST: &str = "\
    primary_hostname = mail.example\nspool_directory = DIR/first\nlog_file_path = DIR/%slog\n\
    keep_environment =\nqueue_only\nsplit_spool_directory\n\
    begin routers\n\
    here:\n driver = accept\n domains = here.test\n transport = box\n\
    later:\n driver = redirect\n domains = later.test\n data = :defer: not now\n allow_defer\n\
    errors:\n driver = accept\n domains = errors.test\n errors_to = x@here.test\n transport = scan\n\
    scan:\n driver = accept\n transport = scan\n\
    begin transports\n\
    box:\n driver = appendfile\n file = DIR/box\n user = mail\n\
    scan:\n driver = queuefile\n directory = INTO\n user = root\n message_size_limit = 1\n\
    \x20shadow_transport = none\n\
    begin retry\n* * F,5d,1s\n";

const SECOND: &str = "\
    primary_hostname = mail.example\nspool_directory = DIR/second\nlog_file_path = DIR/second-%s\n\
    keep_environment =\nqueue_only\n\
    begin routers\nall:\n driver = accept\n transport = box\n\
    begin transports\n\
    box:\n driver = appendfile\n file = DIR/second-box\n user = mail\n envelope_to_add\n";

/// Two spools, and what is configured for each.
struct Spools {
    home: TempDir,
}

impl Spools {
    /// Nothing, where another user's rights can't be had.
    fn new(into: &str) -> Option<Self> {
        if fs::metadata("/proc/self").ok()?.uid() != 0 {
            return None;
        }
        let id = |flag| {
            let asked = Command::new("id").args([flag, "Debian-exim"]).output().ok()?;
            String::from_utf8(asked.stdout).ok()?.trim().parse::<u32>().ok()
        };
        let (uid, gid) = (id("-u")?, id("-g")?);
        let home = TempDir::new().expect("a directory");
        let name = home.path().display().to_string();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::create_dir_all(home.path().join("second/input")).unwrap();
        for part in ["second", "second/input"] {
            chown(home.path().join(part), Some(uid), Some(gid)).unwrap();
        }
        for (file, text) in [("one", FIRST), ("two", SECOND)] {
            let text = text.replace("INTO", into).replace("DIR", &name);
            fs::write(home.path().join(file), text).unwrap();
        }
        Some(Self { home })
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    fn run(&self, program: &str, config: &str, args: &[&str], input: &str) {
        let config = self.path(config).display().to_string();
        let args: Vec<&str> = ["-C", &config].iter().chain(args).copied().collect();
        let done = run(program, &args, input.as_bytes());
        assert_eq!(done.status, Some(0), "{args:?}: {} {}", done.out, done.err);
    }

    /// Hands a message in, which waits; its name.
    fn hand_in(&self, recipients: &[&str]) -> String {
        let args: Vec<&str> = ["-f", "s@here.test"].iter().chain(recipients).copied().collect();
        self.run(OURS, "one", &args, "Subject: to be looked at\n\none\n");
        let files = self.files("first/input");
        let name = files.keys().find(|name| name.ends_with("-H")).expect("a message");
        name.trim_end_matches("-H").to_owned()
    }

    /// All files in and below a directory, by their names.
    fn files(&self, directory: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        gather(&self.path(directory), &mut files);
        files
    }

    /// What a log says, without times and a message's name.
    fn log(&self, name: &str, id: &str) -> Vec<String> {
        let log = fs::read_to_string(self.path(name)).unwrap_or_default();
        let place = self.home.path().display().to_string();
        let lines = log.lines().filter_map(|line| line.split(&format!(" {id} ")).nth(1));
        lines.map(|line| line.replace(&place, "DIR").replace(id, "ID")).skip(1).collect()
    }
}

fn gather(directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => gather(&entry.path(), files),
            false => {
                let name = entry.file_name().to_string_lossy().into_owned();
                files.insert(name, fs::read(entry.path()).expect("a file"));
            }
        }
    }
}

#[test]
fn another_program_delivers_what_was_put_into_its_spool() {
    let theirs = exim().into_iter().map(|exim| (exim, "-M"));
    for (program, how) in theirs.chain([(OURS.to_owned(), "-M")]) {
        let Some(spools) = Spools::new("DIR/second/input") else { return };
        let all = ["a@scan.test", "b@scan.test", "c@here.test", "d@later.test", "e@errors.test"];
        let id = spools.hand_in(&all);
        let before = spools.files("first/input");
        spools.run(OURS, "one", &["-M", &id], "");
        let log = spools.log("mainlog", &id);
        let to = |name: &str, router: &str| format!("{name} R={router} T=scan");
        let said = [
            "== d@later.test R=later defer (-1): not now".to_owned(),
            "=> c <c@here.test> R=here T=box".to_owned(),
            format!("=> {}", to("a <a@scan.test>", "scan")),
            format!("-> {}", to("b <b@scan.test>", "scan")),
            format!("-> {}", to("e <e@errors.test>", "errors")),
        ];
        let (mut log_sorted, mut said) = (log.clone(), said.to_vec());
        log_sorted.sort();
        said.sort();
        assert_eq!(log_sorted, said, "{log:?}");
        // What was put there is what there was, and says who is not its concern.
        let there = spools.files("second/input");
        for end in ["-H", "-D"] {
            assert_eq!(there[&format!("{id}{end}")], before[&format!("{id}{end}")], "{end}");
        }
        let journal = String::from_utf8(there[&format!("{id}-J")].clone()).unwrap();
        assert_eq!(journal, "c@here.test\nd@later.test\n");
        assert_eq!(there.len(), 3, "{there:?}");
        // One is still waiting here.
        let left = spools.files("first/input");
        let header = String::from_utf8_lossy(&left[&format!("{id}-H")]).into_owned();
        assert!(header.contains("a@scan.test\n") && !header.contains(" d@later.test"), "{header}");
        spools.run(&program, "two", &[how, &id], "");
        let mailbox = fs::read_to_string(spools.path("second-box")).expect("a mailbox");
        let mut to: Vec<&str> =
            mailbox.lines().filter_map(|line| line.strip_prefix("Envelope-to: ")).collect();
        to.sort_unstable();
        assert_eq!(to, ["a@scan.test", "b@scan.test", "e@errors.test"], "{mailbox}");
        assert_eq!(spools.log("second-main", &id).last().unwrap(), "Completed");
        assert!(spools.files("second/input").is_empty());
        // The other spool had nothing of this one's.
        assert_eq!(spools.files("first/input"), left);
    }
}

#[test]
fn it_waits_where_it_can_not_be_put() {
    let at = "queuefile: failed to";
    for (into, said) in [
        (
            "DIR/nowhere",
            format!("defer (2): No such file or directory: {at} open directory DIR/nowhere: "),
        ),
        (
            "DIR/first/input",
            format!("defer (17): File exists: {at} copy to DIR/first/input/ID-H: File exists"),
        ),
        ("second", "defer (-1): queuefile: directory name \"second\" is not absolute".to_owned()),
        (
            "DIR/$local_part",
            "defer (-1): Tainted 'DIR/a' (directory name for scan transport) not permitted"
                .to_owned(),
        ),
        (
            "${if eq",
            "defer (-1): Expansion of \"${if eq\" (directory name for scan transport) failed: "
                .to_owned(),
        ),
        ("", "defer (-1): Mandatory directory option missing from scan transport".to_owned()),
    ] {
        let Some(spools) = Spools::new(into) else { return };
        let id = spools.hand_in(&["a@scan.test"]);
        let before = spools.files("first/input");
        spools.run(OURS, "one", &["-M", &id], "");
        let log = spools.log("mainlog", &id);
        let line = log.iter().find(|line| line.starts_with("== ")).expect("a line");
        let line = line.strip_prefix("== a@scan.test R=scan T=scan ").expect("its address");
        assert!(line.starts_with(&said), "{line}");
        assert_eq!(spools.files("first/input").len(), before.len(), "{into}");
    }
}

#[test]
fn what_is_there_already_is_not_put_there_again() {
    let Some(spools) = Spools::new("DIR/second/input") else { return };
    let id = spools.hand_in(&["a@scan.test"]);
    // As if the program had ended before it could note that.
    let before = spools.files("first/input");
    for (name, bytes) in &before {
        fs::write(spools.path("second/input").join(name), bytes).unwrap();
    }
    let is_same = || spools.files("second/input") == before;
    assert!(is_same());
    spools.run(OURS, "one", &["-M", &id], "");
    assert_eq!(spools.log("mainlog", &id), ["=> a <a@scan.test> R=scan T=scan", "Completed"]);
    assert!(is_same());
    // Another one by the same name is somebody else's.
    let id = spools.hand_in(&["a@scan.test"]);
    let header = spools.path("second/input").join(format!("{id}-H"));
    fs::write(&header, "something else\n").unwrap();
    spools.run(OURS, "one", &["-M", &id], "");
    let log = spools.log("mainlog", &id);
    assert!(log.last().unwrap().ends_with("/ID-H: File exists"), "{log:?}");
    assert_eq!(fs::read(&header).unwrap(), b"something else\n");
}
