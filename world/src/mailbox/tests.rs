use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use eximious_core::world::LocalUser;
use eximious_core::world::mailbox::{
    MailboxDone, MailboxFault, MailboxFaultKind, MailboxFile, MailboxForm, MailboxLock,
    MailboxOrder, MailboxPlace, MailboxQuota, MailboxSupply, Mailboxes, fault,
};
use rustix::process::{getegid, geteuid};

use super::SystemMailboxes;

/// A message, and what else is asked for.
struct Text {
    bytes: Vec<u8>,
    at: usize,
    /// Where reading fails.
    breaks_at: Option<usize>,
    counts: fn(&[u8]) -> bool,
}

impl Text {
    fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), at: 0, breaks_at: None, counts: |_| true }
    }
}

impl MailboxSupply for Text {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.breaks_at.is_some_and(|end| self.at >= end) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // In small pieces, so that others come in between.
        let count = (self.bytes.len() - self.at).min(into.len()).min(700);
        into[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
    fn name(&mut self, inode: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(format!("q-{inode}").into_bytes())
    }
    fn tag(&mut self, written: u64) -> Result<Vec<u8>, MailboxFault> {
        Ok(format!(",S={written}").into_bytes())
    }
    fn envelope(&mut self, base: &[u8]) -> Result<Vec<u8>, MailboxFault> {
        Ok([base, b"\n"].concat())
    }
    fn sizes(&mut self, names: &[Vec<u8>]) -> Vec<Option<u64>> {
        let size = |name: &Vec<u8>| {
            let name = String::from_utf8_lossy(name).into_owned();
            name.split_once(",S=")?.1.parse().ok()
        };
        names.iter().map(size).collect()
    }
    fn counts(&mut self, directory: &[u8]) -> bool {
        (self.counts)(directory)
    }
}

/// A directory in which a user may write, and that user: another one, where this is the
/// superuser.
fn place() -> (tempfile::TempDir, LocalUser) {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    (place, user())
}

fn user() -> LocalUser {
    match geteuid().is_root() {
        true => LocalUser { uid: 65534, gid: 65534, groups: Vec::new() },
        false => LocalUser { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups: Vec::new() },
    }
}

fn order(path: &Path, form: MailboxForm) -> MailboxOrder {
    MailboxOrder {
        user: user(),
        path: path.to_str().unwrap().into(),
        form,
        directory_mode: Some(0o700),
        within: None,
        mode: 0o600,
        host: b"mx.example".to_vec(),
        quota: MailboxQuota::default(),
        covered: None,
    }
}

fn file_form() -> MailboxFile {
    MailboxFile {
        checks_owner: true,
        refuses_narrower: true,
        lock: MailboxLock {
            by_file: true,
            by_fcntl: true,
            file_mode: 0o600,
            file_timeout: Duration::from_secs(1800),
            retries: 2,
            interval: Duration::from_millis(50),
            ..MailboxLock::default()
        },
        ..MailboxFile::default()
    }
}

fn file_order(path: &Path) -> MailboxOrder {
    order(path, MailboxForm::File(file_form()))
}

fn maildir(path: &Path, keeps_sizes: bool) -> MailboxOrder {
    order(path, MailboxForm::Maildir { retries: 2, marks_folder: false, keeps_sizes })
}

fn write(order: &MailboxOrder, text: &str) -> Result<MailboxDone, MailboxFault> {
    SystemMailboxes.write(order, &mut Text::new(text))
}

fn words(fault: &MailboxFault, place: &Path) -> String {
    let text = String::from_utf8_lossy(&fault.message);
    format!("{} {}", fault.number, text.replace(place.to_str().unwrap(), "DIR"))
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs a test that does its work only where it is called so, in another process and,
/// where a script is given, in what that makes of it. Its success.
fn elsewhere(test: &str, place: &Path, script: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    let line = format!("{script} exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", &line, "sh"]).arg(program);
    command.args(["--exact", &format!("mailbox::tests::{test}"), "--nocapture"]);
    command.env("MAILBOX_PLACE", place).spawn().unwrap()
}

/// The directory that a test is to work in, where it was called from another.
fn called() -> Option<PathBuf> {
    std::env::var_os("MAILBOX_PLACE").map(PathBuf::from)
}

#[test]
fn a_file_is_added_to_as_its_user() {
    let (place, user) = place();
    let path = place.path().join("a/b/mbox");
    let done = write(&file_order(&path), "one\n").unwrap();
    assert_eq!((done.written, done.offset, done.bytes_before), (4, 0, Some(0)));
    let done = write(&file_order(&path), "three\n").unwrap();
    assert_eq!((done.written, done.offset, done.bytes_before), (6, 4, Some(4)));
    assert_eq!(fs::read(&path).unwrap(), b"one\nthree\n");
    let data = fs::metadata(&path).unwrap();
    assert_eq!((data.mode() & 0o7777, data.uid(), data.gid()), (0o600, user.uid, user.gid));
    let data = fs::metadata(place.path().join("a")).unwrap();
    assert_eq!((data.mode() & 0o7777, data.uid()), (0o700, user.uid));
    // No lock is left.
    assert_eq!(names(&place.path().join("a/b")), ["mbox"]);
}

#[test]
fn a_message_that_breaks_off_is_not_there() {
    let (place, _) = place();
    let path = place.path().join("mbox");
    write(&file_order(&path), "one\n").unwrap();
    let before = fs::metadata(&path).unwrap();
    let broken = || Text { breaks_at: Some(70_000), ..Text::new(vec![b'x'; 200_000]) };
    let error = SystemMailboxes.write(&file_order(&path), &mut broken()).unwrap_err();
    assert_eq!(words(&error, place.path()), "0 error while writing to DIR/mbox");
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before.modified().unwrap());
    let path = place.path().join("md");
    SystemMailboxes.write(&maildir(&path, false), &mut broken()).unwrap_err();
    for part in ["tmp", "new", "cur"] {
        assert!(names(&path.join(part)).is_empty(), "{part}");
    }
    for form in [MailboxForm::Files, MailboxForm::Mailstore { id: b"id".to_vec() }] {
        let path = place.path().join("files");
        SystemMailboxes.write(&order(&path, form), &mut broken()).unwrap_err();
        assert!(names(&path).is_empty());
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    if let Some(place) = called() {
        write(&file_order(&place.join("mbox")), "one\n").unwrap();
        let long = "x".repeat(100_000);
        let error = write(&file_order(&place.join("mbox")), &long).unwrap_err();
        assert_eq!(words(&error, &place), "28 error while writing to DIR/mbox");
        assert_eq!(fs::read(place.join("mbox")).unwrap(), b"one\n");
        let error = write(&maildir(&place.join("md"), false), &long).unwrap_err();
        assert_eq!(error.number, 28);
        assert!(names(&place.join("md/tmp")).is_empty());
        assert!(names(&place.join("md/new")).is_empty());
        return;
    }
    if !geteuid().is_root() {
        return;
    }
    let (place, _) = place();
    let script = "mount -t tmpfs -o size=16k,mode=777 tmpfs $MAILBOX_PLACE;";
    let ended = elsewhere("a_full_disk_leaves_nothing", place.path(), script).wait().unwrap();
    assert!(ended.success());
}

/// A message that can be told from all others, and seen to be whole.
fn numbered(process: u32, thread: u32, number: u32) -> String {
    format!("From {process} {thread} {number}\n{}\n", "line\n".repeat(400))
}

fn write_many(path: &Path) {
    const PATIENT: MailboxLock = MailboxLock {
        by_file: false,
        by_fcntl: true,
        by_flock: false,
        by_mbx: false,
        file_mode: 0o600,
        file_timeout: Duration::from_secs(1800),
        fcntl_timeout: Duration::ZERO,
        flock_timeout: Duration::ZERO,
        retries: 20_000,
        interval: Duration::from_millis(2),
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..10 {
                    // All of them use fcntl, some use lock files, too.
                    let lock = MailboxLock { by_file: thread % 2 == 0, ..PATIENT };
                    let form = MailboxFile { lock, ..file_form() };
                    let order = order(path, MailboxForm::File(form));
                    let text = numbered(std::process::id(), thread, number);
                    write(&order, &text).unwrap();
                }
            });
        }
    });
}

#[test]
fn writers_do_not_meet() {
    if let Some(place) = called() {
        write_many(&place.join("mbox"));
        return;
    }
    let (place, _) = place();
    let path = place.path().join("mbox");
    let others = geteuid().is_root().then(|| elsewhere("writers_do_not_meet", place.path(), ""));
    write_many(&path);
    let mut processes = 1;
    if let Some(mut other) = others {
        assert!(other.wait().unwrap().success());
        processes += 1;
    }
    let text = fs::read_to_string(&path).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for message in text.split_inclusive("\n\n") {
        let head = message.lines().next().unwrap();
        let parts: Vec<u32> = head.split(' ').skip(1).map(|part| part.parse().unwrap()).collect();
        assert!(message == numbered(parts[0], parts[1], parts[2]), "{head}");
        assert!(seen.insert(parts), "{head}");
    }
    assert_eq!(seen.len(), processes * 40);
    assert_eq!(names(place.path()), ["mbox"]);
}

#[test]
fn lock_files_are_respected_until_they_are_old() {
    let (place, _) = place();
    let (path, lock) = (place.path().join("mbox"), place.path().join("mbox.lock"));
    fs::write(&lock, "").unwrap();
    let error = write(&file_order(&path), "one\n").unwrap_err();
    assert_eq!(words(&error, place.path()), "-9 failed to lock mailbox DIR/mbox (lock file)");
    assert_eq!(names(place.path()), ["mbox.lock"]);
    // When it was written to, anybody may say; how old it is, the system knows.
    let old = std::time::SystemTime::now() - Duration::from_secs(1900);
    fs::File::options().write(true).open(&lock).unwrap().set_modified(old).unwrap();
    let locks = MailboxLock { file_timeout: Duration::from_secs(1), ..file_form().lock };
    let order = order(&path, MailboxForm::File(MailboxFile { lock: locks, ..file_form() }));
    assert_eq!(write(&order, "one\n").unwrap_err().number, fault::LOCKED);
    std::thread::sleep(Duration::from_millis(2100));
    write(&order, "one\n").unwrap();
    assert_eq!(names(place.path()), ["mbox"]);
}

#[test]
fn a_lock_of_somebody_else_is_waited_for() {
    let (place, _) = place();
    let path = place.path().join("mbox");
    write(&file_order(&path), "one\n").unwrap();
    let other = fs::File::options().read(true).append(true).open(&path).unwrap();
    assert!(super::lock::Locked::take(&file_form().lock, &other, false).unwrap().is_some());
    let error = write(&file_order(&path), "two\n").unwrap_err();
    assert_eq!(words(&error, place.path()), "-9 failed to lock mailbox DIR/mbox (fcntl/flock)");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(other);
        });
        let mut form = file_form();
        form.lock.fcntl_timeout = Duration::from_secs(20);
        write(&order(&path, MailboxForm::File(form)), "two\n").unwrap();
    });
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
}

#[test]
fn cve_2010_2023_2024_what_is_no_mailbox_of_the_users_is_refused() {
    let (place, user) = place();
    let at = |name: &str| place.path().join(name);
    let refused =
        |name: &str| words(&write(&file_order(&at(name)), "x").unwrap_err(), place.path());
    fs::create_dir(at("directory")).unwrap();
    write(&file_order(&at("real")), "one\n").unwrap();
    symlink("real", at("link")).unwrap();
    if geteuid().is_root() {
        let uid = user.uid;
        assert_eq!(
            refused("link"),
            format!("-6 mailbox DIR/link (symlink) has wrong uid (0 != {uid})")
        );
        fs::write(at("rooted"), "").unwrap();
        assert_eq!(refused("rooted"), format!("-6 mailbox DIR/rooted has wrong uid (0 != {uid})"));
        std::os::unix::fs::lchown(at("link"), Some(uid), None).unwrap();
        std::os::unix::fs::lchown(at("directory"), Some(uid), None).unwrap();
    }
    assert_eq!(refused("link"), "-4 mailbox DIR/link is not a regular file");
    assert_eq!(refused("directory"), "-4 mailbox DIR/directory has too many links (2)");
    let form = MailboxFile { allows_symlink: true, ..file_form() };
    write(&order(&at("link"), MailboxForm::File(form)), "two\n").unwrap();
    assert_eq!(fs::read(at("real")).unwrap(), b"one\ntwo\n");
    fs::set_permissions(at("real"), fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(refused("real"), "-7 mailbox DIR/real has the wrong mode 400 (600 expected)");
    fs::set_permissions(at("real"), fs::Permissions::from_mode(0o664)).unwrap();
    write(&file_order(&at("real")), "three\n").unwrap();
    assert_eq!(fs::metadata(at("real")).unwrap().mode() & 0o7777, 0o600);
    // One that is narrower in one way stays as it is in the others.
    fs::set_permissions(at("real"), fs::Permissions::from_mode(0o602)).unwrap();
    let form = MailboxFile { refuses_narrower: false, ..file_form() };
    let wide = MailboxOrder { mode: 0o640, ..order(&at("real"), MailboxForm::File(form)) };
    write(&wide, "four\n").unwrap();
    assert_eq!(fs::metadata(at("real")).unwrap().mode() & 0o7777, 0o602);
    let form = MailboxFile { must_exist: true, ..file_form() };
    let error = write(&order(&at("none"), MailboxForm::File(form)), "x").unwrap_err();
    let said = "2 mailbox DIR/none does not exist, but file_must_exist is set";
    assert_eq!(words(&error, place.path()), said);
}

#[test]
fn directories_keep_the_group_that_is_handed_down() {
    let (place, _) = place();
    let above = place.path().join("above");
    fs::create_dir(&above).unwrap();
    fs::set_permissions(&above, fs::Permissions::from_mode(0o2777)).unwrap();
    write(&maildir(&above.join("a/b"), false), "x").unwrap();
    for path in ["a", "a/b", "a/b/new"] {
        let mode = fs::metadata(above.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o2000, 0o2000, "{path} {mode:o}");
    }
}

#[test]
fn files_are_of_the_users_own_group() {
    if !geteuid().is_root() {
        return;
    }
    let (place, _) = place();
    let above = place.path().join("above");
    fs::create_dir(&above).unwrap();
    chown(&above, Some(65534), Some(8)).unwrap();
    fs::set_permissions(&above, fs::Permissions::from_mode(0o2777)).unwrap();
    write(&file_order(&above.join("box")), "x").unwrap();
    let order = maildir(&above.join("maildir"), false);
    write(&MailboxOrder { directory_mode: Some(0o770), ..order }, "x").unwrap();
    let group = |path: &Path| fs::metadata(path).unwrap().gid();
    assert_eq!(group(&above.join("box")), 65534);
    let new = above.join("maildir/new");
    assert_eq!((group(&new), fs::metadata(&new).unwrap().mode() & 0o7777), (8, 0o2770));
    let mut made = fs::read_dir(new).unwrap();
    assert_eq!(group(&made.next().unwrap().unwrap().path()), 65534);
}

#[test]
fn files_are_made_only_where_they_may_be() {
    let (place, _) = place();
    let home = place.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(place.path(), home.join("out")).unwrap();
    let path = home.to_str().unwrap().as_bytes().to_vec();
    let within = Some(MailboxPlace { path: path.clone(), below: true });
    let directly = Some(MailboxPlace { path, below: false });
    let place_of = |path: &str| place.path().join(path);
    for path in ["home/b/c", "home/../home/x", "other"] {
        let order = MailboxOrder { within: directly.clone(), ..file_order(&place_of(path)) };
        assert!(write(&order, "x").is_err(), "{path}");
        let order = MailboxOrder { within: directly.clone(), ..maildir(&place_of(path), false) };
        assert_eq!(write(&order, "x").unwrap_err().number, fault::CREATION, "{path}");
    }
    assert!(names(&home).iter().eq(["out"]));
    let order = MailboxOrder { within: directly, ..file_order(&place_of("home/d")) };
    write(&order, "x").unwrap();
    for (path, may) in [
        ("home/a", true),
        ("home/b/c", true),
        ("other", false),
        ("home/../x", false),
        ("home/out/x", false),
        ("homeless", false),
    ] {
        let path = place.path().join(path);
        let order = MailboxOrder { within: within.clone(), ..file_order(&path) };
        let written = write(&order, "x");
        assert_eq!(written.is_ok(), may, "{path:?} {written:?}");
        let order = MailboxOrder { within: within.clone(), ..maildir(&path.join("md"), false) };
        if !may {
            assert_eq!(written.unwrap_err().number, fault::CREATION);
            assert_eq!(write(&order, "x").unwrap_err().number, fault::CREATION);
        }
    }
    // What ends with a slash has nothing in it.
    let path = [home.to_str().unwrap().as_bytes(), b"/"].concat();
    let within = Some(MailboxPlace { path, below: true });
    let order = MailboxOrder { within, ..file_order(&home.join("e")) };
    assert_eq!(write(&order, "x").unwrap_err().number, fault::CREATION);
    assert_eq!(names(place.path()), ["home"]);
}

#[test]
fn a_maildir_is_written_by_name_and_size() {
    let (place, user) = place();
    let path = place.path().join("a/md");
    let done = write(&maildir(&path, false), "one\n").unwrap();
    let [name] = &names(&path.join("new"))[..] else { panic!("one file") };
    assert!(done.path.ends_with(name.as_bytes()) && name.ends_with(".mx.example,S=4"), "{name}");
    assert_eq!(fs::read(path.join("new").join(name)).unwrap(), b"one\n");
    assert_eq!(fs::metadata(path.join("new")).unwrap().uid(), user.uid);
    assert!(names(&path.join("tmp")).is_empty() && names(&path.join("cur")).is_empty());
}

#[test]
fn quotas_are_kept() {
    let (place, _) = place();
    let at = |name: &str| place.path().join(name);
    let with = |order: MailboxOrder, bytes, files, adds| MailboxOrder {
        quota: MailboxQuota {
            bytes,
            files,
            adds,
            refuses_bytes: true,
            refuses_files: true,
            ..MailboxQuota::default()
        },
        ..order
    };
    let ten = "0123456789";
    // What is there counts with what comes, or alone.
    let mbox = || file_order(&at("mbox"));
    write(&with(mbox(), 15, 0, Some(10)), ten).unwrap();
    let error = write(&with(mbox(), 15, 0, Some(10)), ten).unwrap_err();
    assert_eq!(
        words(&error, place.path()),
        "-22 mailbox is full (MTA-imposed quota exceeded while writing to DIR/mbox)"
    );
    assert!(matches!(error.kind, MailboxFaultKind::Quota(Some(0..60))));
    write(&with(mbox(), 15, 0, None), ten).unwrap();
    write(&with(mbox(), 15, 0, None), ten).unwrap_err();
    let files = || order(&at("files"), MailboxForm::Files);
    write(&with(files(), 0, 1, Some(10)), ten).unwrap();
    let error = write(&with(files(), 0, 1, Some(10)), ten).unwrap_err();
    assert!(words(&error, place.path()).contains("filecount quota exceeded"));
    assert_eq!(names(&at("files")).len(), 1);
    let done = write(&with(files(), 100, 0, Some(10)), ten).unwrap();
    assert_eq!((done.bytes_before, done.files_before), (Some(10), Some(1)));
    // Directories are files, too, and so are the maildir's own.
    let plain = || maildir(&at("plain"), false);
    let error = write(&with(plain(), 0, 3, Some(10)), ten).unwrap_err();
    assert!(words(&error, place.path()).contains("filecount quota exceeded"));
    write(&with(plain(), 0, 4, Some(10)), ten).unwrap();
    // As maildirs count.
    let sized = || maildir(&at("md"), true);
    write(&with(sized(), 25, 0, Some(10)), ten).unwrap();
    write(&with(sized(), 25, 0, Some(10)), ten).unwrap();
    assert_eq!(fs::read_to_string(at("md/maildirsize")).unwrap(), "25S,0C\n0 0\n10 1\n10 1\n");
    let error = write(&with(sized(), 25, 0, Some(10)), ten).unwrap_err();
    assert!(words(&error, place.path()).contains("exceeded while writing to tmp/"));
    // It was counted again, as it may have been wrong.
    assert_eq!(fs::read_to_string(at("md/maildirsize")).unwrap(), "25S,0C\n20 2\n");
    write(&with(sized(), 40, 0, Some(10)), ten).unwrap();
    assert_eq!(fs::read_to_string(at("md/maildirsize")).unwrap(), "40S,0C\n20 2\n10 1\n");
    // Directories that don't count are not bounded.
    let mut text = Text { counts: |name| name != b".Trash/new", ..Text::new(ten) };
    let mut trash = with(maildir(&at("md/.Trash"), true), 25, 0, Some(10));
    trash.quota.directory = Some(at("md").to_str().unwrap().as_bytes().to_vec());
    SystemMailboxes.write(&trash, &mut text).unwrap();
    assert_eq!(fs::read_to_string(at("md/maildirsize")).unwrap(), "40S,0C\n20 2\n10 1\n");
    // Names may tell sizes.
    let mut told = with(maildir(&at("md"), false), 1000, 0, Some(10));
    told.quota.names_tell = true;
    fs::write(at("md/cur/1.x,S=500"), "").unwrap();
    let done = write(&told, ten).unwrap();
    assert_eq!(done.files_before, Some(13));
    assert!(done.bytes_before.is_some_and(|bytes| (540..600).contains(&bytes)));
}

#[test]
fn the_other_forms_have_their_names() {
    let (place, _) = place();
    let path = place.path().join("ms");
    let id = b"1xUxBi-0000000039L-0Eea".to_vec();
    for _ in 0..2 {
        write(&order(&path, MailboxForm::Mailstore { id: id.clone() }), "one\n").unwrap();
    }
    let found = names(&path);
    assert_eq!(found.len(), 4);
    for name in &found {
        let base = name.rsplit_once('.').unwrap().0;
        assert_eq!(base.len(), "1xUxBi-0000000039L-0Eea-0000000039g".len());
        let text = fs::read_to_string(path.join(name)).unwrap();
        let whole = path.join(base).to_str().unwrap().to_owned() + "\n";
        assert_eq!(text, if name.ends_with(".env") { whole } else { "one\n".to_owned() });
    }
    let path = place.path().join("files");
    let done = write(&order(&path, MailboxForm::Files), "one\n").unwrap();
    let [name] = &names(&path)[..] else { panic!("one file") };
    assert_eq!(*name, format!("q-{}", fs::metadata(path.join(name)).unwrap().ino()));
    assert!(done.path.ends_with(name.as_bytes()));
    // An MBX file has a head, and is locked by another file that goes.
    let path = place.path().join("mbx");
    let mut form = MailboxFile { is_mbx: true, ..file_form() };
    form.lock = MailboxLock { by_file: false, by_mbx: true, ..form.lock };
    let done = write(&order(&path, MailboxForm::File(form)), "one\n").unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!((done.written, bytes.len()), (2052, 2052));
    assert!(bytes.starts_with(b"*mbx*\r\n") && bytes.ends_with(b"\0one\n"));
    assert!(bytes[25..85] == *b"\r\n".repeat(30) && bytes[85] == 0);
}

#[test]
fn only_the_superuser_is_anybody() {
    if geteuid().is_root() {
        return;
    }
    let (place, _) = place();
    let mut order = file_order(&place.path().join("mbox"));
    order.user.uid += 1;
    let error = write(&order, "x").unwrap_err();
    assert_eq!(error.number, 1);
    assert!(String::from_utf8_lossy(&error.message).starts_with("unable to set gid="));
    assert!(names(place.path()).is_empty());
}

#[test]
fn formats_are_looked_at() {
    let (place, _) = place();
    let path = place.path().join("mbox");
    let formats = Some(vec![(b"From ".to_vec(), false), (b"\x01\x01".to_vec(), true)]);
    let form = || MailboxForm::File(MailboxFile { formats: formats.clone(), ..file_form() });
    write(&order(&path, form()), "\x01\x01\n").unwrap();
    let error = write(&order(&path, form()), "x").unwrap_err();
    assert_eq!(error.kind, MailboxFaultKind::Format(1));
    fs::write(&path, "Frob\n").unwrap();
    let error = write(&order(&path, form()), "x").unwrap_err();
    assert_eq!(words(&error, place.path()), "-33 mailbox file format unrecognized");
    // Where all of them are wrong, one that is not empty has none; what is empty begins all.
    let with = |formats| MailboxForm::File(MailboxFile { formats: Some(formats), ..file_form() });
    assert_eq!(write(&order(&path, with(Vec::new())), "x").unwrap_err().number, -33);
    let error = write(&order(&path, with(vec![(Vec::new(), true)])), "x").unwrap_err();
    assert_eq!(error.kind, MailboxFaultKind::Format(0));
}

#[test]
fn what_may_never_be_tried_is_never_locked() {
    let (place, _) = place();
    let path = place.path().join("mbox");
    for (by_file, said) in [
        (true, "-9 failed to lock mailbox DIR/mbox (lock file)"),
        (false, "-3 mailbox DIR/mbox: existence unclear"),
    ] {
        let lock = MailboxLock { retries: 0, by_file, ..file_form().lock };
        let form = MailboxForm::File(MailboxFile { lock, ..file_form() });
        assert_eq!(words(&write(&order(&path, form), "x").unwrap_err(), place.path()), said);
    }
}

#[test]
fn permissions_are_those_that_are_wanted_before_it_is_opened() {
    let (place, _) = place();
    let order = file_order(&place.path().join("mbox"));
    write(&order, "one\n").unwrap();
    let narrow = MailboxOrder { mode: 0o400, ..order };
    assert_eq!(write(&narrow, "two\n").unwrap_err().number, 13);
}

#[test]
fn an_mbx_file_is_locked_in_the_ways_that_are_wanted() {
    let (place, _) = place();
    let path = place.path().join("mbx");
    let with = |by_flock, by_fcntl| {
        let lock =
            MailboxLock { by_file: false, by_mbx: true, by_flock, by_fcntl, ..file_form().lock };
        order(&path, MailboxForm::File(MailboxFile { lock, ..file_form() }))
    };
    write(&with(true, false), "one\n").unwrap();
    let data = fs::metadata(&path).unwrap();
    let name = format!("/tmp/.{:x}.{:x}", data.dev(), data.ino());
    let held = fs::File::create(&name).unwrap();
    fs::set_permissions(&name, fs::Permissions::from_mode(0o666)).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert_eq!(write(&with(true, false), "two\n").unwrap_err().number, -9);
    write(&with(false, true), "two\n").unwrap();
}
