//! A site's day on Debian's split configuration, with nothing changed in it: both programs have
//! the same one (`tests/day/run.sh`).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common;

/// A day with a program: what came of it.
fn day(script: &Path, program: &Path) -> String {
    let work = tempfile::tempdir().expect("a directory");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(work.path(), open).expect("a directory of ours");
    let mut command = Command::new("timeout");
    command.args(["120", "unshare", "-mn"]).arg(script).arg(program).arg(work.path());
    let output = command.output().expect("the day begins");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program:?}: {said}");
    said
}

#[test]
fn a_sites_day_is_as_with_exim() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/day/run.sh");
    let needs = ["/usr/sbin/update-exim4.conf", "/usr/bin/swaks", "/etc/exim4/conf.d"];
    let may_run = rustix::process::geteuid().is_root()
        && needs.iter().all(|file| Path::new(file).exists())
        && Command::new("unshare").args(["-mn", "true"]).status().is_ok_and(|done| done.success());
    if !may_run {
        return;
    }
    let own = day(&script, Path::new(env!("CARGO_BIN_EXE_eximious")));
    for part in [
        "ann:mail 660 ann: 4",
        "Subject: Mail delivery failed: returning message to sender",
        "bob:bob 600 lists: 1",
        "next host: 4",
        "defer (111): Connection refused",
        "12 Completed",
        "1 removed by root",
    ] {
        assert!(own.contains(part), "{part}: {own}");
    }
    if let Some(exim) = common::reference() {
        let theirs = day(&script, &PathBuf::from(exim));
        assert_eq!(own, theirs, "eximious' day is on the left");
    }
}
