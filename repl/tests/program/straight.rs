//! Messages that are delivered before their client hears that they are taken: they come into
//! the spool only where something of them stays.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use eximious_tests::daemons::{Daemon, READY, mailbox_user};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "acl_smtp_rcpt = accept\nacl_smtp_data = accept\n\
    begin routers\n\
    later:\n driver = redirect\n domains = later.test\n allow_defer\n data = :defer: not now\n\
    none:\n driver = redirect\n domains = none.test\n data = :blackhole:\n\
    bad:\n driver = redirect\n domains = bad.test\n allow_fail\n data = :fail: no\n\
    one:\n driver = accept\n domains = file.test\n transport = file\n\
    away:\n driver = manualroute\n domains = away.test\n route_list = * 127.0.0.1\n self = send\n\
    \x20transport = ${if eq{$local_part}{alone}{alone}{away}}\n\
    here:\n driver = accept\n transport = box\n\
    begin transports\n\
    alone:\n driver = smtp\n port = NEXT\n allow_localhost\n serialize_hosts = *\n\
    \x20hosts_try_fastopen =\n\
    away:\n driver = smtp\n port = NEXT\n allow_localhost\n hosts_try_fastopen =\n\
    box:\n driver = appendfile\n directory = DIR/spool/${extract{$local_part}{one=one two=two s=s}}\n maildir_format\n user = USER\n\
    file:\n driver = appendfile\n file = DIR/spool/mbox\n user = USER\n lock_interval = 1s\n\
    begin retry\n* * F,1h,1s\n";

const NEXT: &str = "acl_smtp_rcpt = rcpt\nacl_smtp_data = accept\nqueue_only\n\
    log_selector = +smtp_connection\nbegin acl\nrcpt:\n deny local_parts = bad\n accept\n";

/// A daemon that delivers, and how often its queue was touched.
struct Place {
    daemon: Daemon,
    /// A host that takes nearly all.
    next: Daemon,
    touched: SystemTime,
}

impl Place {
    fn new() -> Self {
        let next = Daemon::start(Path::new(OURS), NEXT, &[]);
        let config =
            CONFIG.replace("USER", &mailbox_user()).replace("NEXT", &next.port.to_string());
        let daemon = Daemon::start(Path::new(OURS), &config, &[]);
        // The first one makes the directory.
        let mut place = Self { daemon, next, touched: SystemTime::UNIX_EPOCH };
        place.send(&["a@none.test"]);
        place.daemon.await_lines(" Completed", 1);
        place.touched = place.changed();
        place
    }

    fn input(&self) -> PathBuf {
        self.daemon.path().join("spool/input")
    }

    /// Sends a message; what is answered, and how long that took.
    fn send(&self, to: &[&str]) -> (String, Duration) {
        self.daemon.hand_in(to)
    }

    /// When a file came into the queue, or went.
    fn changed(&self) -> SystemTime {
        let found = self.input().metadata().expect("the queue");
        found.modified().expect("a time")
    }

    /// Whether nothing was ever in the queue since it began.
    fn is_untouched(&self) -> bool {
        self.changed() == self.touched
    }

    /// How many messages are in a maildir.
    fn count(&self, name: &str) -> usize {
        let files = std::fs::read_dir(self.daemon.path().join("spool").join(name).join("new"));
        files.into_iter().flatten().count()
    }

    /// The files of the queue, by the ends of their names.
    fn waiting(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.input()).expect("the queue").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut ends: Vec<String> = names.map(|name| name[name.len() - 2..].to_owned()).collect();
        ends.sort();
        ends
    }

    /// What the main log says behind the time and the message's name, in a word or two.
    fn kinds(&self) -> Vec<String> {
        let log = self.daemon.log("main");
        let lines =
            log.lines().filter(|line| line.split(' ').nth(2).is_some_and(|id| id.len() == 23));
        let kinds = lines.map(|line| line.split(' ').skip(3).take(2).collect::<Vec<_>>().join(" "));
        kinds.skip(3).collect()
    }
}

#[test]
fn mail_for_mailboxes_never_comes_into_the_spool() {
    let place = Place::new();
    for to in [&["one@l.test"][..], &["x@none.test", "two@l.test"]] {
        let (said, _) = place.send(to);
        assert!(said.starts_with("250 OK id="), "{said}");
    }
    assert_eq!((place.count("one"), place.count("two")), (1, 1), "they are there by then");
    place.daemon.await_lines(" Completed", 3);
    assert!(place.is_untouched(), "{:?}", place.waiting());
    let kinds = place.kinds();
    let all = "<= s@client.test|=> one|Completed|<= s@client.test|=> :blackhole:|=> two|Completed";
    assert_eq!(kinds.join("|").replace("Completed ", "Completed"), all);
}

#[test]
fn mail_for_several_is_in_the_spool_first() {
    // Else one of them could have got it when it turns out that it can't be kept for the other.
    let place = Place::new();
    let (said, _) = place.send(&["one@l.test", "two@l.test"]);
    assert!(said.starts_with("250 OK id="), "{said}");
    place.daemon.await_lines(" Completed", 2);
    assert_eq!((place.count("one"), place.count("two")), (1, 1));
    assert!(!place.is_untouched() && place.waiting().is_empty(), "{:?}", place.waiting());
}

#[test]
fn mail_goes_straight_along_a_connection_that_is_there() {
    let place = Place::new();
    let next = &place.next;
    let before = place.changed();
    place.send(&["one@away.test"]);
    place.daemon.await_lines(" Completed", 2);
    assert_ne!(place.changed(), before, "the first has to wait for a connection");
    // The second keeps its own. A later one goes straight, when somebody waits with that.
    let start = Instant::now();
    let mut count = 2;
    let before = loop {
        let before = place.changed();
        place.send(&["one@away.test"]);
        count += 1;
        place.daemon.await_lines(" Completed", count);
        if place.changed() == before {
            break before;
        }
        assert!(start.elapsed() < READY, "{}", place.daemon.log("main"));
        std::thread::sleep(Duration::from_millis(20));
    };
    let log = place.daemon.log("main");
    assert!(count > 3 && log.lines().rev().nth(1).is_some_and(|line| line.contains("]* K C=")));
    // What fails there is told, and comes into the spool before.
    place.send(&["bad@away.test"]);
    place.daemon.await_log("** bad@away.test");
    assert_ne!(place.changed(), before);
    // A moment later all are closed.
    let start = Instant::now();
    let are_closed = || {
        let log = next.log("main");
        2 * log.matches("closed by QUIT").count() == log.matches("SMTP connection from").count()
    };
    while !are_closed() {
        assert!(start.elapsed() < READY, "{}", next.log("main"));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn no_connection_waits_that_others_wait_for() {
    let place = Place::new();
    for count in 2..=4 {
        place.send(&["alone@away.test"]);
        place.daemon.await_lines(" Completed", count);
    }
    let log = place.daemon.log("main");
    assert!(!log.contains("]* ") && !log.contains(" == "), "{log}");
    place.next.await_lines("closed by QUIT", 3);
}

#[test]
fn what_stays_is_in_the_spool_with_who_has_got_it() {
    let place = Place::new();
    let (said, _) = place.send(&["one@l.test", "two@later.test"]);
    assert!(said.starts_with("250 OK id="), "{said}");
    place.daemon.await_log("== two@later.test");
    let start = Instant::now();
    while place.waiting() != ["-D", "-H"] || place.count("one") == 0 {
        assert!(start.elapsed() < READY, "{:?}", place.waiting());
        std::thread::sleep(Duration::from_millis(10));
    }
    let run = |args: &[&str]| {
        let config = place.daemon.path().join("exim.conf");
        let run = Command::new(OURS).arg("-C").arg(config).args(args).output().expect("a run");
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    let listed = run(&["-bp"]);
    assert!(listed.contains("D one@l.test") && listed.contains("two@later.test"), "{listed}");
    run(&["-qff"]);
    assert_eq!(place.count("one"), 1, "nobody gets it twice");
}

#[test]
fn senders_are_told_of_failures() {
    let place = Place::new();
    let (said, _) = place.send(&["one@l.test", "two@bad.test"]);
    assert!(said.starts_with("250 OK id="), "{said}");
    // The message, and the report for its sender.
    place.daemon.await_lines(" Completed", 3);
    assert_eq!((place.count("one"), place.count("s")), (1, 1), "{}", place.daemon.log("main"));
    assert!(place.waiting().is_empty());
}

#[test]
fn no_client_waits_for_a_mailbox_that_is_locked() {
    let place = Place::new();
    let lock = place.daemon.path().join("spool/mbox.lock");
    std::fs::write(&lock, "").expect("a lock");
    let (said, taken) = place.send(&["one@file.test"]);
    assert!(said.starts_with("250 OK id="), "{said}");
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    assert_eq!(place.waiting(), ["-D", "-H"]);
    // The next ones know.
    let (said, _) = place.send(&["one@l.test"]);
    assert!(said.starts_with("250 OK id="), "{said}");
    std::fs::remove_file(&lock).expect("it is there");
    place.daemon.await_lines(" Completed", 3);
    let mbox = std::fs::read_to_string(place.daemon.path().join("spool/mbox")).expect("a file");
    assert_eq!(mbox.matches("\ntext\n").count(), 1, "{mbox}");
    assert!(place.waiting().is_empty());
}

#[test]
fn a_client_goes_on_though_the_thread_that_heard_it_waits_for_a_lock() {
    let place = Place::new();
    // Whoever hears the next one knows where it goes.
    place.send(&["one@file.test"]);
    place.daemon.await_lines(" Completed", 2);
    let lock = place.daemon.path().join("spool/mbox.lock");
    std::fs::write(&lock, "").expect("a lock");
    let mut client = place.daemon.client();
    client.hear();
    client.say("HELO client.test");
    let mut send = |to: &str| {
        let (said, taken) = client.hand_in(&[to]);
        assert!(said.starts_with("250 OK id="), "{said}");
        taken
    };
    let taken = send("one@file.test");
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    assert_eq!(place.waiting(), ["-D", "-H"]);
    send("one@l.test");
    send("two@l.test");
    place.daemon.await_lines(" Completed", 4);
    assert_eq!((place.count("one"), place.count("two")), (1, 1));
    assert_eq!(place.waiting(), ["-D", "-H"], "the first one waits still");
    std::fs::remove_file(&lock).expect("it is there");
    place.daemon.await_lines(" Completed", 5);
    let said = client.say("QUIT");
    assert!(said.starts_with("221 "), "{said}");
    let mbox = std::fs::read_to_string(place.daemon.path().join("spool/mbox")).expect("a file");
    assert_eq!(mbox.matches("\ntext\n").count(), 2, "{mbox}");
    assert!(place.waiting().is_empty());
}

#[test]
fn a_client_that_breaks_off_while_its_message_waits_loses_nothing() {
    let place = Place::new();
    place.send(&["one@file.test"]);
    place.daemon.await_lines(" Completed", 2);
    let lock = place.daemon.path().join("spool/mbox.lock");
    std::fs::write(&lock, "").expect("a lock");
    for _ in 0..3 {
        let mut client = place.daemon.client();
        client.hear();
        for line in ["HELO client.test", "MAIL FROM:<s@client.test>", "RCPT TO:<one@file.test>"] {
            client.say(line);
        }
        client.say("DATA");
        client.send(b"Subject: x\r\n\r\ntext\r\n.\r\n");
    }
    std::thread::sleep(Duration::from_millis(500));
    std::fs::remove_file(&lock).expect("it is there");
    let start = Instant::now();
    let log = || place.daemon.log("main");
    // Those that were not gone before somebody would have told them are delivered; each is
    // once in the log and in the mailbox.
    while log().matches(" <= ").count() != log().matches("Completed").count() {
        assert!(start.elapsed() < READY, "{}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(place.waiting().is_empty());
    let mbox = std::fs::read_to_string(place.daemon.path().join("spool/mbox")).expect("a file");
    assert_eq!(mbox.matches("\ntext\n").count(), log().matches("=> one").count(), "{mbox}");
}

#[test]
fn nobody_is_told_to_send_again_what_is_just_being_delivered() {
    // As where the spool's disk can only be read all of a sudden.
    for is_known in [false, true] {
        let place = Place::new();
        if is_known {
            place.send(&["one@file.test"]);
            place.daemon.await_lines(" Completed", 2);
        }
        let lock = place.daemon.path().join("spool/mbox.lock");
        std::fs::write(&lock, "").expect("a lock");
        let allow = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(place.input(), mode).expect("it is ours");
        };
        allow(0o550);
        let (said, taken) = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_secs(1));
                std::fs::remove_file(&lock).expect("it is there");
            });
            place.send(&["one@file.test"])
        });
        let log = place.daemon.log("main");
        assert!(said.starts_with("250 OK id="), "{said}: {log}");
        assert!(taken > Duration::from_millis(900), "{taken:?}");
        // Of what can't be kept now, nobody gets anything.
        for to in ["one@file.test", "one@later.test"] {
            let (said, _) = place.send(&[to]);
            assert!(said.starts_with("421 "), "{said}");
        }
        allow(0o750);
        let mbox = std::fs::read_to_string(place.daemon.path().join("spool/mbox")).expect("a file");
        assert_eq!(mbox.matches("\ntext\n").count(), 1 + usize::from(is_known), "{mbox}");
        assert!(place.waiting().is_empty());
    }
}

/// The numbers of a process's children.
fn children(of: u32) -> Vec<u32> {
    let said = Command::new("pgrep").args(["-P", &of.to_string()]).output().expect("pgrep").stdout;
    String::from_utf8_lossy(&said).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

#[test]
fn who_delivers_may_be_killed_and_another_takes_its_place() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run: only the superuser's daemon delivers by another process");
        return;
    }
    let place = Place::new();
    let worker = || children(children(place.daemon.pid())[0]).first().copied();
    for count in 0..3 {
        let (said, _) = place.send(&["one@x.test"]);
        assert!(said.starts_with("250 OK"), "{said}");
        place.daemon.await_lines("=> one <one@x.test>", count + 1);
        let old = worker().expect("somebody delivers");
        let killed = Command::new("kill").args(["-9", &old.to_string()]).status();
        assert!(killed.expect("kill").success());
        let start = Instant::now();
        while worker().is_none_or(|new| new == old) {
            assert!(start.elapsed() < READY, "nobody has taken its place");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(!place.daemon.log("main").contains("=="), "{}", place.daemon.log("main"));
}
