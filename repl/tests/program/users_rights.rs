//! Deliveries with users' rights: by whoever lends them, and what becomes of mail where nobody
//! is left who has them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::rights::Place;

/// How long a delivery may take.
const LONGEST: Duration = Duration::from_secs(20);

/// What is delivered to, where the configuration is the site's own: a user's mailbox, which
/// needs rights that the mail server's user has not.
const SITE: &str = "keep_environment =\nspool_directory = DIR/spool\n\
    log_file_path = DIR/spool/%slog\nprimary_hostname = host.test\nqualify_domain = host.test\n\
    begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  \
    driver = appendfile\n  file = DIR/boxes/mailbox\n  user = games\n  group = games\n\
    create_file = anywhere\n  mode = 0600\n";

#[test]
fn without_a_daemon_what_users_hand_in_reaches_mailboxes() {
    let Some(place) = Place::new() else { return };
    let folder = place.folder.path();
    fs::create_dir(folder.join("boxes")).unwrap();
    fs::create_dir(folder.join("etc")).unwrap();
    let games = Command::new("chown").arg("games:games").arg(folder.join("boxes")).status();
    assert!(games.unwrap().success());
    let site = SITE.replace("DIR", &folder.display().to_string());
    fs::write(folder.join("etc/exim4.conf"), site).unwrap();
    let exim = crate::common::reference().map(PathBuf::from);
    let programs = [Some(place.program()), exim];
    for program in programs.into_iter().flatten() {
        for (count, way) in ["-odi", "-odb", "-q"].iter().enumerate() {
            let script = "mount --bind \"$1\" /etc/exim4 && cd / && \
                exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$2\" \"$3\" x@host.test";
            let queued = if *way == "-q" { "-odq" } else { way };
            let said = Command::new("unshare")
                .args(["-m", "sh", "-c", script, "sh"])
                .args([folder.join("etc"), program.clone()])
                .arg(queued)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(said.status.success(), "{program:?} {way}: {said:?}");
            if *way == "-q" {
                // By the mail server's user, who administrates it.
                let script = script.replace("65534", &place.server.0.to_string());
                let script = script.replace("x@host.test", "");
                let said = Command::new("unshare")
                    .args(["-m", "sh", "-c", &script, "sh"])
                    .args([folder.join("etc"), program.clone()])
                    .arg("-q")
                    .output()
                    .unwrap();
                assert!(said.status.success(), "{program:?} {way}: {said:?}");
            }
            let start = Instant::now();
            let found = || fs::read_to_string(folder.join("boxes/mailbox")).unwrap_or_default();
            let arrived = || found().matches("From nobody@host.test").count();
            while *way == "-odb" && arrived() <= count && start.elapsed() < LONGEST {
                std::thread::sleep(Duration::from_millis(20));
            }
            let log = fs::read_to_string(folder.join("spool/mainlog")).unwrap_or_default();
            assert_eq!(arrived(), count + 1, "{program:?} {way}: {log}");
        }
        let owner = fs::metadata(folder.join("boxes/mailbox")).unwrap();
        assert_eq!((owner.uid(), owner.mode() & 0o777), (5, 0o600), "it is the user's");
        fs::remove_file(folder.join("boxes/mailbox")).unwrap();
    }
}

/// Waits until something is there as often as it should be; what was there in the end.
fn awaited(count: usize, found: impl Fn() -> usize) -> usize {
    let start = Instant::now();
    while found() < count && start.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(20));
    }
    found()
}

/// A folder for [`SITE`], with a mailbox that is a user's.
fn site(place: &Place) -> PathBuf {
    let folder = place.folder.path();
    fs::create_dir(folder.join("boxes")).unwrap();
    let games = Command::new("chown").arg("games:games").arg(folder.join("boxes")).status();
    assert!(games.unwrap().success());
    let site = SITE.replace("DIR", &folder.display().to_string());
    fs::write(folder.join("site.conf"), site).unwrap();
    folder.join("site.conf")
}

#[test]
fn the_superusers_mail_reaches_mailboxes_by_a_program_that_lends_no_rights() {
    let Some(place) = Place::new() else { return };
    let config = site(&place);
    let config = config.to_str().unwrap();
    let folder = place.folder.path();
    let mailbox = || fs::read_to_string(folder.join("boxes/mailbox")).unwrap_or_default();
    let message = "Subject: s\n\nx\n";
    let session = "HELO x\nMAIL FROM:<root@host.test>\nRCPT TO:<x@host.test>\nDATA\nSubject: s\n\n\
        x\n.\nQUIT\n";
    let ways = [
        (vec!["-odb", "x@host.test"], message),
        (vec!["-odi", "x@host.test"], message),
        (vec!["-bS"], session),
    ];
    for (count, (way, input)) in ways.iter().enumerate() {
        let said = place.as_root(&[&["-C", config], &way[..]].concat(), input);
        assert_eq!((said.status, &*said.err), (Some(0), ""), "{said:?}");
        let arrived = awaited(count + 1, || mailbox().matches("From root@host.test").count());
        let log = fs::read_to_string(folder.join("spool/mainlog")).unwrap_or_default();
        assert_eq!(arrived, count + 1, "{log}");
    }
}

/// A process that is killed in the end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_is_bounced_where_nobody_is_left_with_users_rights() {
    let Some(place) = Place::new() else { return };
    let config = site(&place);
    let folder = place.folder.path();
    let log = || fs::read_to_string(folder.join("spool/mainlog")).unwrap_or_default();
    let port = eximious_tests::servers::free_port().to_string();
    let daemon = Command::new(env!("CARGO_BIN_EXE_eximious"))
        .args(["-C", config.to_str().unwrap(), "-bdf", "-q1s", "-oX"])
        .arg(format!("127.0.0.1.{port}"))
        .spawn()
        .unwrap();
    let daemon = Killed(daemon);
    assert_eq!(awaited(1, || log().matches("daemon started").count()), 1, "{}", log());
    let children = || {
        let pid = daemon.0.id();
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
    };
    // The one that does the work has another in its place at once.
    let kill = |pids: &str| {
        let killed = Command::new("kill").arg("-9").args(pids.split_whitespace()).status();
        assert!(killed.unwrap().success());
    };
    let keeper = children();
    let keeper = keeper.trim();
    let worker = || {
        let path = format!("/proc/{keeper}/task/{keeper}/children");
        fs::read_to_string(path).unwrap_or_default().trim().to_owned()
    };
    let score = fs::read_to_string(format!("/proc/{keeper}/oom_score_adj")).unwrap();
    let allowed = fs::write("/proc/self/oom_score_adj", "-1").is_ok();
    assert_eq!(score.trim() == "-1000", allowed, "{score}");
    let mailbox = || fs::read_to_string(folder.join("boxes/mailbox")).unwrap_or_default();
    // Whoever is killed before a delivery has come to its end leaves the mailbox locked.
    let arrived = |count| {
        awaited(count, || log().matches(" Completed").count());
        mailbox().matches("From root@host.test").count()
    };
    let submit = || {
        let args = ["-C", config.to_str().unwrap(), "-odq", "x@host.test"];
        assert_eq!(place.as_root(&args, "Subject: s\n\nx\n").status, Some(0));
    };
    submit();
    assert_eq!(arrived(1), 1, "{}", log());
    kill(&worker());
    submit();
    assert_eq!(arrived(2), 2, "{}", log());
    // Without the two, it waits, and nobody is told that it failed.
    let worker = worker();
    kill(&format!("{keeper} {worker}"));
    submit();
    let deferred = || log().matches("nobody is left who delivers with users' rights").count();
    assert!(awaited(2, deferred) >= 2, "{}", log());
    assert!(!log().contains("**") && !log().contains("<= <>"), "{}", log());
    let panics = fs::read_to_string(folder.join("spool/paniclog")).unwrap_or_default();
    assert_eq!(panics.matches("nobody is left").count(), 1, "{panics}");
    drop(daemon);
    place.as_root(&["-C", config.to_str().unwrap(), "-q"], "");
    assert_eq!(arrived(3), 3, "{}", log());
}
