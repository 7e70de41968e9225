//! Whenever the daemon is killed, no recipient of a message that it took goes without, and
//! nobody gets it again once that was noted.
//!
//! ```text
//! EXIMIOUS_KILLS=100     so many kills, instead of as many as fit into some seconds
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eximious_tests::servers::free_port;
use eximious_tests::submission;
use tempfile::TempDir;

use crate::common::locked;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// How long the daemon is killed over and over, unless that is said otherwise.
const TIME: Duration = Duration::from_secs(12);

/// How long what is left may take in the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many deliveries the daemon makes at the same time: of so many it may not have noted
/// how they ended.
const AT_ONCE: usize = 16;

const CONFIG: &str = "\
    primary_hostname = mail.example\nspool_directory = DIR/spool\nlog_file_path = DIR/log/%s\n\
    keep_environment =\ntls_advertise_hosts =\nacl_smtp_rcpt = accept\n\
    smtp_accept_queue_per_connection = 0\nsmtp_enforce_sync = false\n\
    begin routers\n\
    here:\n driver = accept\n domains = local.test\n transport = box\n\
    away:\n driver = manualroute\n route_list = * 127.0.0.1\n self = send\n transport = smtp\n\
    begin transports\n\
    box:\n driver = appendfile\n directory = DIR/mail\n maildir_format\n envelope_to_add\n\
    \x20user = Debian-exim\n\
    smtp:\n driver = smtp\n port = PORT\n allow_localhost\n hosts_avoid_tls = *\n\
    \x20multi_domain = false\n\
    begin retry\n* * F,1h,1s\n";

/// The next host: who got what from it, as often as it was acknowledged.
#[derive(Default)]
struct NextHost {
    got: Mutex<BTreeMap<String, usize>>,
    /// Who was put off once.
    put_off: Mutex<BTreeSet<String>>,
}

impl NextHost {
    fn start() -> (Arc<Self>, u16) {
        let host = Arc::new(Self::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let serves = host.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let host = serves.clone();
                std::thread::spawn(move || host.talk(&stream));
            }
        });
        (host, port)
    }

    /// Speaks with a client; nothing where that is gone.
    fn talk(&self, stream: &TcpStream) -> Option<()> {
        let mut input = BufReader::new(stream);
        let mut output = stream;
        let mut say = |text: &str| output.write_all(format!("{text}\r\n").as_bytes()).ok();
        let mut recipients = Vec::new();
        say("220 next.test ESMTP")?;
        loop {
            let line = line_of(&mut input)?;
            let command = line.get(..4)?.to_ascii_uppercase();
            match &command[..] {
                "EHLO" => say("250 next.test")?,
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1)?.to_owned();
                    // Some have to come again, so that messages stay in part.
                    let comes_again = address.starts_with("later")
                        && locked(&self.put_off).insert(address.clone());
                    match comes_again {
                        true => say("450 not now")?,
                        false => {
                            recipients.push(address);
                            say("250 ok")?;
                        }
                    }
                }
                "DATA" if recipients.is_empty() => say("554 nobody")?,
                "DATA" => {
                    say("354 go on")?;
                    while line_of(&mut input)? != "." {}
                    sleep(Duration::from_millis(10));
                    // From here on it is this host's, whether that is heard or not.
                    let mut got = locked(&self.got);
                    for address in recipients.drain(..) {
                        *got.entry(address).or_default() += 1;
                    }
                    drop(got);
                    say("250 got it")?;
                }
                "QUIT" => return say("221 bye"),
                _ => {
                    recipients.clear();
                    say("250 ok")?;
                }
            }
        }
    }
}

fn line_of(input: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let count = input.read_line(&mut line).ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}

/// The recipients of a message, by its number: some go to mailboxes alone.
fn recipients(number: usize) -> Vec<String> {
    let names: &[&str] = match number % 3 {
        0 => &["one@local", "two@local"],
        _ => &["one@local", "two@remote", "later@remote", "four@other"],
    };
    let named = names.iter().map(|name| name.replace('@', &format!("{number}@")) + ".test");
    named.collect()
}

/// Sends messages until it is told to end; how many were acknowledged, by their numbers.
fn send_all(port: u16, next: &AtomicUsize, ends: &AtomicBool) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    while !ends.load(Ordering::Relaxed) {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            sleep(Duration::from_millis(10));
            continue;
        };
        let number = next.fetch_add(1, Ordering::Relaxed);
        if send(&stream, number).is_some() {
            taken.insert(number);
        }
        // What comes in is no more than what can go out.
        sleep(Duration::from_millis(30));
    }
    taken
}

fn send(stream: &TcpStream, number: usize) -> Option<()> {
    let mut input = BufReader::new(stream);
    let mut output = stream;
    let to = recipients(number);
    let mut lines = vec!["HELO client".to_owned(), "MAIL FROM:<>".to_owned()];
    lines.extend(to.iter().map(|address| format!("RCPT TO:<{address}>")));
    lines.push("DATA".to_owned());
    lines.push(format!("Subject: {number}\r\n\r\ntext\r\n."));
    line_of(&mut input).filter(|line| line.starts_with('2'))?;
    for line in lines {
        output.write_all(format!("{line}\r\n").as_bytes()).ok()?;
        line_of(&mut input).filter(|line| line.starts_with(['2', '3']))?;
    }
    Some(())
}

/// The daemon, in a place that stays when it is killed.
struct Place {
    home: TempDir,
    port: u16,
}

impl Place {
    fn new(next_host: u16) -> Self {
        let home = TempDir::with_prefix("eximious-killed-").expect("a directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let name = home.path().display().to_string();
        for part in ["spool", "log", "mail"] {
            fs::create_dir(home.path().join(part)).unwrap();
            let mut owned = Command::new("chown");
            let owned = owned.arg("Debian-exim").arg(home.path().join(part)).status();
            assert!(owned.is_ok_and(|status| status.success()), "chown");
        }
        let text = CONFIG.replace("DIR", &name).replace("PORT", &next_host.to_string());
        fs::write(home.path().join("conf"), text).unwrap();
        Self { home, port: free_port() }
    }

    fn start(&self) -> Child {
        let at = format!("127.0.0.1.{}", self.port);
        let child = Command::new(OURS)
            .arg("-C")
            .arg(self.home.path().join("conf"))
            .args(["-bdf", "-q1s", "-oX", &at])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .expect("the program");
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not start: {}", self.log());
            sleep(Duration::from_millis(5));
        }
        child
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log/main")).unwrap_or_default()
    }

    /// How many messages wait.
    fn waiting(&self) -> usize {
        let input = fs::read_dir(self.home.path().join("spool/input"));
        let names = input.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with("-H")).count()
    }

    /// Who has a message in the mailbox, and how often.
    fn delivered(&self) -> BTreeMap<String, usize> {
        let mut got = BTreeMap::new();
        for entry in fs::read_dir(self.home.path().join("mail/new")).into_iter().flatten() {
            let text = fs::read_to_string(entry.expect("a file").path()).expect("a message");
            assert!(text.ends_with("\n\ntext\n"), "half a message: {text:?}");
            let to = text.lines().find_map(|line| line.strip_prefix("Envelope-to: "));
            *got.entry(to.expect("a recipient").to_owned()).or_default() += 1;
        }
        got
    }
}

/// How often the log says of each address that it has the message.
fn logged(log: &str) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for line in log.lines() {
        let mut words = line.split(' ').skip_while(|word| !matches!(*word, "=>" | "->")).skip(1);
        let Some(first) = words.next() else { continue };
        let address = match words.next().and_then(|word| word.strip_prefix('<')) {
            Some(whole) => whole.trim_end_matches('>'),
            None => first,
        };
        *all.entry(address.to_owned()).or_default() += 1;
    }
    all
}

#[test]
fn a_killed_daemon_loses_nothing_and_repeats_nothing_that_it_noted() {
    if let Some(why) = submission::lacking() {
        println!("LEFT OUT: {why}");
        return;
    }
    let asked: Option<usize> = std::env::var("EXIMIOUS_KILLS").ok().and_then(|n| n.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = now.as_nanos() as u64;
    println!("seed {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let (host, next_port) = NextHost::start();
    let place = Place::new(next_port);
    let (next, ends) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (mut kills, begin) = (0, Instant::now());
    let mut daemon = place.start();
    let taken = std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..2).map(|_| scope.spawn(|| send_all(place.port, &next, &ends))).collect();
        while asked.map_or_else(|| begin.elapsed() < TIME, |most| kills < most) {
            sleep(Duration::from_millis(dice.u64(20..600)));
            daemon.kill().expect("it runs");
            daemon.wait().expect("it ends");
            kills += 1;
            daemon = place.start();
        }
        ends.store(true, Ordering::Relaxed);
        let taken = senders.into_iter().flat_map(|one| one.join().expect("a sender"));
        taken.collect::<BTreeSet<usize>>()
    });
    let end = Instant::now();
    while place.waiting() > 0 && end.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
    }
    let (waiting, log) = (place.waiting(), place.log());
    daemon.kill().expect("it runs");
    daemon.wait().expect("it ends");
    assert_eq!(waiting, 0, "messages still wait: {log}");
    let (mut got, at_home) = (locked(&host.got).clone(), place.delivered());
    got.extend(at_home);
    let logged = logged(&log);
    let (mut doubled, mut counted) = (0, 0);
    for number in &taken {
        for address in recipients(*number) {
            let times = got.get(&address).copied().unwrap_or(0);
            assert!(times > 0, "{address} has not got its message: {log}");
            doubled += times - 1;
            counted += 1;
        }
    }
    for (address, times) in &logged {
        assert!(*times <= 1, "{address} got its message again after that was noted: {log}");
    }
    let sent = taken.len();
    println!("{kills} kills, {sent} messages, {counted} recipients, {doubled} repetitions");
    assert!(kills >= 5 && sent >= 10, "{kills} kills, {sent} messages");
    // What was on its way when the daemon was killed may have arrived.
    assert!(doubled <= kills * AT_ONCE, "{doubled} repetitions");
}
