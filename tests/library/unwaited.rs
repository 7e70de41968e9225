//! Named pipes and devices in the place of files: nobody waits for them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use eximious::{Config, Macros};
use eximious_tests::ours::Ours;

/// A directory with a named pipe in it that nobody writes into.
fn pipe() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let made = Command::new("mkfifo").arg(directory.path().join("pipe")).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe");
    directory
}

#[test]
fn expansions_refuse_them() {
    let directory = pipe();
    let pipe = directory.path().join("pipe");
    let begun = Instant::now();
    for file in [&*pipe, Path::new("/dev/zero"), Path::new("/dev/random")] {
        let file = file.display();
        for (line, answer) in [
            (
                format!("${{readfile{{{file}}}}}"),
                format!("failed to open {file}: not a regular file"),
            ),
            (
                format!("${{lookup{{a}}lsearch{{{file}}}}}"),
                format!("{file} is not a regular file (lsearch lookup)"),
            ),
            (
                format!("${{lookup{{a}}json{{{file}}}}}"),
                format!("{file} is not a regular file (json lookup)"),
            ),
            (
                format!("${{lookup{{a}}iplsearch{{{file}}}}}"),
                format!("{file} is not a regular file (lsearch lookup)"),
            ),
            (
                format!("${{lookup{{a.example}}psl{{{file}}}}}"),
                format!("{file} is not a regular file (psl lookup)"),
            ),
            (format!("${{lookup{{a}}lmdb{{{file}}}}}"), String::new()),
            (format!("${{lookup{{a}}cdb{{{file}}}}}"), String::new()),
            (format!("${{lookup{{a}}dbm{{{file}}}}}"), String::new()),
            (format!("${{lookup{{a}}dsearch{{{file}}}}}"), String::new()),
            (
                format!("${{if match_domain{{a}}{{{file}}}}}"),
                format!("failed to open {file} when checking \"{file}\": not a regular file"),
            ),
            (
                format!("${{if match_ip{{1.2.3.4}}{{{file}}}}}"),
                format!("failed to open {file} when checking \"{file}\": not a regular file"),
            ),
        ] {
            let said = Ours::new().answer(line.as_bytes());
            let said = String::from_utf8_lossy(&said);
            let failed = said.strip_prefix("Failed: ").unwrap_or_else(|| panic!("{line}: {said}"));
            assert!(answer.is_empty() || failed == answer, "{line}: {failed}");
        }
    }
    // A device is a database without anything in it.
    let line = format!("${{lookup sqlite,file={}{{select 1}}}}", pipe.display());
    assert_eq!(Ours::new().answer(line.as_bytes()), b"Failed: unable to open database file");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(Ours::new().answer(b"<${readfile{/dev/null}}>"), b"<>");
}

#[test]
fn configurations_refuse_them() {
    let directory = pipe();
    let world = eximious_world::system();
    let registry = eximious::registry();
    let pipe = directory.path().join("pipe");
    let name = pipe.as_os_str().as_encoded_bytes();
    let why = Config::read(name, Macros::new(), &world, &registry).expect_err("no file");
    let words = format!("failed to open configuration file {}: not a regular file", pipe.display());
    assert_eq!(why.to_string(), words);
    let file = directory.path().join("conf");
    for text in [".include PIPE\n", "domainlist x = PIPE\nacl_smtp_rcpt = PIPE\n"] {
        std::fs::write(&file, text.replace("PIPE", &pipe.display().to_string())).expect("a file");
        let name = file.as_os_str().as_encoded_bytes();
        let mut config = Config::load(name, Macros::new(), &world, &registry).expect("a file");
        config.load_acl_files(&world, &registry);
        assert_eq!(config.faults.len(), usize::from(text.starts_with('.')), "{text}");
    }
}
