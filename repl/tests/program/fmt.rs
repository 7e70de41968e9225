//! `eximious fmt` on files and through a pipe.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::fed;

const UGLY: &str = "queue_only=yes\n";
const NEAT: &str = "queue_only = yes\n";

/// The exit status, and what was written to both outputs.
fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
    let output = fed(command.arg("fmt").args(arguments).current_dir(folder), input);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn files_are_replaced_whole() {
    let folder = tempfile::tempdir().expect("a directory");
    let (file, link) = (folder.path().join("conf"), folder.path().join("link"));
    fs::write(&file, UGLY).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("permissions");
    symlink("conf", &link).expect("a link");
    assert_eq!(run(folder.path(), &["link"], b""), (0, String::new()));
    assert_eq!(fs::read_to_string(&file).expect("a file"), NEAT);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    let left = fs::read_dir(folder.path()).expect("a directory").count();
    assert_eq!(left, 2, "a temporary file was left behind");
}

#[test]
fn what_a_file_is_stays() {
    let folder = tempfile::tempdir().expect("a directory");
    let (file, link) = (folder.path().join("conf"), folder.path().join("other"));
    fs::write(&file, UGLY).expect("a file");
    fs::hard_link(&file, &link).expect("a link");
    assert_eq!(run(folder.path(), &["conf"], b""), (0, String::new()));
    assert_eq!(fs::read_to_string(&link).expect("a file"), NEAT);
    fs::remove_file(&link).expect("a link");
    // What another user has, and may be written by its group.
    let open = |mode| fs::Permissions::from_mode(mode);
    let program = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let as_other = |file: &Path| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=8", "--clear-groups"]).arg(program);
        fed(command.arg("fmt").arg(file), b"").status.success()
    };
    for mode in [0o777, 0o755] {
        fs::write(&file, UGLY).expect("a file");
        if chown(&file, Some(0), Some(8)).is_err() {
            return;
        }
        fs::set_permissions(&file, open(0o664)).expect("permissions");
        fs::set_permissions(folder.path(), open(mode)).expect("permissions");
        if !as_other(&file) {
            // Not everybody may look into where the program lies.
            return;
        }
        assert_eq!(fs::read_to_string(&file).expect("a file"), NEAT);
        let about = fs::metadata(&file).expect("a file");
        assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (0, 8, 0o664));
        assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 1);
    }
}

#[test]
fn check_and_diff_only_look() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::write(folder.path().join("a"), UGLY).expect("a file");
    fs::write(folder.path().join("b"), NEAT).expect("a file");
    assert_eq!(run(folder.path(), &["--check", "a", "b"], b""), (1, "a\n".into()));
    assert_eq!(run(folder.path(), &["--check", "b"], b""), (0, String::new()));
    let diff = "--- a\n+++ a\n@@ -1 +1 @@\n-queue_only=yes\n+queue_only = yes\n";
    assert_eq!(run(folder.path(), &["--diff", "a", "b"], b""), (0, diff.into()));
    assert_eq!(run(folder.path(), &["--check", "--diff", "a"], b""), (1, diff.into()));
    assert_eq!(fs::read_to_string(folder.path().join("a")).expect("a file"), UGLY);
}

#[test]
fn the_standard_input_goes_to_the_standard_output() {
    let folder = tempfile::tempdir().expect("a directory");
    assert_eq!(run(folder.path(), &[], UGLY.as_bytes()), (0, NEAT.into()));
    assert_eq!(run(folder.path(), &["-"], b"\\"), (0, "\\\n".into()));
    assert_eq!(run(folder.path(), &[], b""), (0, String::new()));
    let (status, said) = run(folder.path(), &["--check"], UGLY.as_bytes());
    assert_eq!((status, said.as_str()), (1, "<standard input>\n"));
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::write(folder.path().join("good"), UGLY).expect("a file");
    let (status, said) = run(folder.path(), &["missing", "good"], b"");
    assert_eq!(status, 1);
    assert!(said.starts_with("eximious: missing: No such file"), "{said}");
    // The others are done all the same.
    assert_eq!(fs::read_to_string(folder.path().join("good")).expect("a file"), NEAT);
    let (status, said) = run(folder.path(), &["--fast"], b"");
    assert_eq!(status, 1);
    assert!(said.contains("unexpected argument '--fast'"), "{said}");
}
