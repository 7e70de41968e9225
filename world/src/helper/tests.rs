use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use eximious_core::world::mailbox::{
    MailboxBeforehand, MailboxFault, MailboxForm, MailboxOrder, MailboxQuota, MailboxSupply,
    Mailboxes, UserFileOrder, UserFileWork,
};
use eximious_core::world::{LocalPeer, LocalUser, PeerOrder, PipeFault, PipeOrder};
use rustix::process::{getegid, geteuid};

use super::{DeliveryHelper, MOST_KEPT, Refused, pair, serve};

/// A message; it breaks off, where that is wanted.
struct Text(&'static [u8], bool);

impl MailboxSupply for Text {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() && self.1 {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.0.read(into)
    }
    fn name(&mut self, inode: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(format!("q{}", inode.min(1)).into_bytes())
    }
    fn tag(&mut self, written: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(format!(",S={written}").into_bytes())
    }
    fn envelope(&mut self, _: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        Err(MailboxFault::new(-1, "none"))
    }
    fn sizes(&mut self, names: &[Vec<u8>]) -> Vec<Option<u64>> {
        names.iter().map(|name| name.starts_with(b"q").then_some(10)).collect()
    }
    fn counts(&mut self, _: &[u8]) -> bool {
        true
    }
}

/// Does something with a helper that is a thread.
fn with_helper(work: impl FnOnce(&Arc<DeliveryHelper>)) {
    let (control, theirs) = pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            serve(&theirs, &Refused { as_root: geteuid().is_root(), but: &[] }).unwrap()
        });
        work(&Arc::new(DeliveryHelper::along(control)));
    });
}

fn user() -> LocalUser {
    match geteuid().is_root() {
        true => LocalUser { uid: 65534, gid: 65534, groups: Vec::new() },
        false => LocalUser { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: Vec::new() },
    }
}

fn order(place: &tempfile::TempDir, form: MailboxForm) -> MailboxOrder {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place.path(), open).unwrap();
    MailboxOrder {
        user: user(),
        path: place.path().join("box").to_str().unwrap().into(),
        form,
        directory_mode: Some(0o700),
        within: None,
        mode: 0o600,
        host: b"mx".to_vec(),
        quota: MailboxQuota { names_tell: true, measures: true, ..MailboxQuota::default() },
        covered: None,
    }
}

#[test]
fn mailboxes_of_one_user_go_along_one_connection() {
    use std::os::unix::fs::MetadataExt;
    let place = tempfile::tempdir().unwrap();
    with_helper(|helper| {
        let mut files = order(&place, MailboxForm::Files);
        let box_at = |name: &str| place.path().join(name).to_str().unwrap().as_bytes().to_vec();
        for name in ["a", "b"] {
            files.path = box_at(name);
            helper.write(&files, &mut Text(b"one\n", false)).unwrap();
            assert_eq!(helper.kept().len(), 1);
        }
        // What breaks off takes the connection with it.
        helper.write(&files, &mut Text(b"one\n", true)).unwrap_err();
        assert_eq!(helper.kept().len(), 0);
        files.path = box_at("c");
        helper.write(&files, &mut Text(b"one\n", false)).unwrap();
        if !geteuid().is_root() {
            return;
        }
        for uid in 1..=MOST_KEPT as u32 + 1 {
            files.user.uid = uid;
            files.path = box_at(&format!("of{uid}"));
            helper.write(&files, &mut Text(b"one\n", false)).unwrap();
            let made = place.path().join(format!("of{uid}/q1")).metadata().unwrap();
            assert_eq!(made.uid(), uid);
        }
        assert_eq!(helper.kept().len(), MOST_KEPT);
    });
}

#[test]
fn mailboxes_are_written_by_another_process() {
    let place = tempfile::tempdir().unwrap();
    with_helper(|helper| {
        let files = order(&place, MailboxForm::Files);
        let done = helper.write(&files, &mut Text(b"one\n", false)).unwrap();
        assert_eq!((done.written, done.files_before), (4, Some(0)));
        assert_eq!(std::fs::read(place.path().join("box/q1")).unwrap(), b"one\n");
        // A message that breaks off is not there, and others go on.
        let form = || MailboxForm::Maildir { retries: 1, marks_folder: false, keeps_sizes: false };
        let error = helper.write(&order(&place, form()), &mut Text(b"two\n", true)).unwrap_err();
        assert_eq!(error.number, 5);
        let done = helper.write(&order(&place, form()), &mut Text(b"two\n", false)).unwrap();
        assert!(done.path.ends_with(b".mx,S=4") && done.bytes_before == Some(10));
        let store = order(&place, MailboxForm::Mailstore { id: b"id".to_vec() });
        let error = helper.write(&store, &mut Text(b"", false)).unwrap_err();
        assert_eq!((error.number, &error.message[..]), (-1, &b"none"[..]));
        // Several at once.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    helper.write(&order(&place, form()), &mut Text(b"x", false)).unwrap()
                });
            }
        });
        assert_eq!(std::fs::read_dir(place.path().join("box/new")).unwrap().count(), 9);
    });
}

#[test]
fn what_is_made_again_is_not_synced() {
    use std::os::unix::fs::MetadataExt;
    let place = tempfile::tempdir().unwrap();
    let device = std::fs::metadata(place.path()).unwrap().dev();
    let form = || MailboxForm::Maildir { retries: 1, marks_folder: false, keeps_sizes: false };
    with_helper(|helper| {
        let written = |covered| {
            let order = MailboxOrder { covered, ..order(&place, form()) };
            helper.write(&order, &mut Text(b"one\n", false)).unwrap()
        };
        assert!(!written(None).is_unsynced && !written(Some(device + 1)).is_unsynced);
        let done = written(Some(device));
        assert!(done.is_unsynced);
        let settle = |path: &[u8]| {
            let (path, work) = (path.to_vec(), UserFileWork::Settle);
            helper.file(&UserFileOrder { user: user(), path, work })
        };
        assert_eq!(settle(&done.path).unwrap(), b"");
        let path = String::from_utf8(done.path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n");
        // It may have been moved meanwhile.
        assert!(settle(format!("{path}-moved").as_bytes()).is_ok());
        assert!(settle(b"/proc/no/file").is_err());
    });
}

/// A text of which some, or all, is told with the order.
struct Ahead {
    text: &'static [u8],
    told: usize,
    reads: usize,
}

impl MailboxSupply for Ahead {
    fn beforehand(&mut self, _: usize) -> MailboxBeforehand {
        let (bytes, rest) = self.text.split_at(self.told);
        self.text = rest;
        MailboxBeforehand { bytes: bytes.to_vec(), is_all: rest.is_empty(), is_untagged: true }
    }
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        self.text.read(into)
    }
    fn name(&mut self, _: u64) -> Result<Vec<u8>, MailboxFault> {
        Err(MailboxFault::new(-1, "nobody asks"))
    }
    fn tag(&mut self, _: u64) -> Result<Vec<u8>, MailboxFault> {
        Err(MailboxFault::new(-1, "nobody asks"))
    }
    fn envelope(&mut self, _: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        Err(MailboxFault::new(-1, "nobody asks"))
    }
    fn sizes(&mut self, _: &[Vec<u8>]) -> Vec<Option<u64>> {
        Vec::new()
    }
    fn counts(&mut self, _: &[u8]) -> bool {
        true
    }
}

#[test]
fn what_is_told_with_an_order_is_not_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let form = || MailboxForm::Maildir { retries: 1, marks_folder: false, keeps_sizes: false };
    with_helper(|helper| {
        for (told, reads) in [(0, 2), (4, 2), (8, 0)] {
            let mut supply = Ahead { text: b"one\ntwo\n", told, reads: 0 };
            let done = helper.write(&order(&place, form()), &mut supply).unwrap();
            assert_eq!((done.written, supply.reads), (8, reads));
            let path = std::path::PathBuf::from(String::from_utf8(done.path).unwrap());
            assert_eq!(std::fs::read(path).unwrap(), b"one\ntwo\n");
        }
    });
}

#[test]
fn commands_are_run_by_another_process() {
    with_helper(|helper| {
        let world = helper.clone().in_world(crate::system());
        let order = PipeOrder {
            argv: ["/bin/sh", "-c", "cat; id -u; exit 3"].map(|word| word.into()).to_vec(),
            environment: vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())],
            directory: b"/".to_vec(),
            user: user(),
            umask: 0o22,
            dumps_core: false,
            timeout: Some(Duration::from_secs(20)),
            max_output: 20_480,
        };
        let end = world.processes.pipe(&order, &mut &b"one\n"[..]).unwrap();
        let said = format!("one\n{}\n", order.user.uid);
        assert_eq!((end.code, end.output, end.written), (3, said.into_bytes(), 4));
        let nowhere = PipeOrder { directory: b"/nosuch".to_vec(), ..order.clone() };
        let fault = world.processes.pipe(&nowhere, &mut &b""[..]).unwrap_err();
        assert!(matches!(fault, PipeFault::Directory(error) if error.raw_os_error() == Some(2)));
        if geteuid().is_root() {
            let root = PipeOrder { user: LocalUser::default(), ..order };
            let fault = world.processes.pipe(&root, &mut &b""[..]).unwrap_err();
            assert!(matches!(fault, PipeFault::Rights(_)));
        }
    });
}

#[test]
fn dialogues_are_begun_by_another_process() {
    with_helper(|helper| {
        let world = helper.clone().in_world(crate::system());
        let script = "read line; echo $$ $line $(id -u); exec sleep 60";
        let peer = LocalPeer::Command {
            argv: ["/bin/sh", "-c", script].map(|word| word.into()).to_vec(),
            environment: vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())],
            directory: b"/".to_vec(),
            umask: 0o22,
            writes: true,
        };
        let order = PeerOrder { user: user(), peer, timeout: Duration::from_secs(5) };
        let mut stream = world.processes.converse(&order).unwrap();
        stream.set_deadline(Duration::from_secs(20));
        stream.write_all(b"one\n").unwrap();
        let mut heard = vec![0; 100];
        let count = stream.read(&mut heard).unwrap();
        let text = String::from_utf8_lossy(&heard[..count]).into_owned();
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[1..], ["one", &order.user.uid.to_string()]);
        let place = format!("/proc/{}", words[0]);
        assert!(std::path::Path::new(&place).exists());
        drop(stream);
        let gone = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            !std::path::Path::new(&place).exists()
        });
        assert!(gone, "the command is still there");
        let LocalPeer::Command { environment, directory, umask, .. } = order.peer.clone() else {
            panic!()
        };
        let argv = ["/bin/sh", "-c", "read line; exit 3"].map(|word| word.into()).to_vec();
        let peer = LocalPeer::Command { argv, environment, directory, umask, writes: true };
        let ends = PeerOrder { peer, ..order.clone() };
        let mut ends = world.processes.converse(&ends).unwrap();
        assert_eq!(ends.end(Duration::from_secs(20)), Some(3));
        let nobody = PeerOrder { peer: LocalPeer::Socket(b"/nosuch".to_vec()), ..order.clone() };
        let fault = world.processes.converse(&nobody).err();
        let is = |error: &io::Error| error.raw_os_error() == Some(2);
        assert!(matches!(&fault, Some(PipeFault::Start(error)) if is(error)));
        if geteuid().is_root() {
            let root = PeerOrder { user: LocalUser::default(), ..order };
            assert!(matches!(world.processes.converse(&root).err(), Some(PipeFault::Rights(_))));
        }
    });
}
