//! The process that delivers with the rights of users.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use eximious::world::LocalUser;
use eximious::world::mailbox::{
    MailboxFault, MailboxFile, MailboxForm, MailboxLock, MailboxOrder, MailboxQuota, MailboxSupply,
};
use eximious_world::DeliveryHelper;

const PROGRAM: &str = env!("CARGO_BIN_EXE_eximious");

struct Text(&'static [u8]);

impl MailboxSupply for Text {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        std::io::Read::read(&mut self.0, into)
    }
    fn name(&mut self, _: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(b"x".to_vec())
    }
    fn tag(&mut self, _: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(Vec::new())
    }
    fn envelope(&mut self, _: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        Ok(Vec::new())
    }
    fn sizes(&mut self, _: &[Vec<u8>]) -> Vec<Option<u64>> {
        Vec::new()
    }
    fn counts(&mut self, _: &[u8]) -> bool {
        true
    }
}

fn order(path: &Path, uid: u32) -> MailboxOrder {
    let lock = MailboxLock { by_fcntl: true, retries: 1, ..MailboxLock::default() };
    MailboxOrder {
        user: LocalUser { uid, gid: uid, groups: Vec::new() },
        path: path.to_str().expect("a path").into(),
        form: MailboxForm::File(MailboxFile { checks_owner: true, lock, ..MailboxFile::default() }),
        directory_mode: None,
        within: None,
        mode: 0o600,
        host: b"mx".to_vec(),
        quota: MailboxQuota::default(),
        covered: None,
    }
}

#[test]
fn another_process_writes_as_users_alone() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place.path(), open).expect("open to all");
    let helper =
        Arc::new(DeliveryHelper::start(Path::new(PROGRAM), false, &[]).expect("a process"));
    let world = helper.in_world(eximious_world::system());
    for uid in [65_534, 65_533] {
        let path = place.path().join(uid.to_string());
        let done = world.mailboxes.write(&order(&path, uid), &mut Text(b"one\n")).expect("written");
        assert_eq!(done.written, 4);
        let data = std::fs::metadata(&path).expect("a file");
        assert_eq!((data.uid(), data.gid(), data.len()), (uid, uid, 4));
    }
    let fault = world.mailboxes.write(&order(&place.path().join("0"), 0), &mut Text(b"x"));
    assert_eq!(fault.expect_err("denied").number, 1);
}

#[test]
fn it_is_the_superusers_alone() {
    let mut command = Command::new(PROGRAM);
    command.arg(DeliveryHelper::ARGUMENT).stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        // What is no such connection gives no orders.
        assert_eq!(command.status().expect("started").code(), Some(1));
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
    }
    let ended = command.status();
    // Another user may not even see the program.
    assert!(ended.map_or(true, |status| status.code() == Some(1)));
}
