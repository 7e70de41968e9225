//! Messages that are accepted and delivered, and a long queue of such as wait.
//!
//! A message counts when the log says that it is completed. Both programs sync what they
//! accept. Exim would leave the eleventh message of a connection in the queue, and begin no
//! delivery for more than so many at once; here it may.

mod postfix;
mod queue;
mod sink;

use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Client, at_once};
use crate::daemon::{self, Daemon};
use crate::sessions;
use postfix::Postfix;
use sink::Sink;

/// How many connections stay open.
const CLIENTS: usize = 8;

/// How a line of the log ends that says of a message that it is done with.
const COMPLETED: &str = " Completed";
const REMOVED: &str = ": removed";

/// How long all of the deliveries of a round may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Deliveries into maildirs, to another host, and runs of a long queue, by both programs.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    let count = if smoke { 24 } else { 2_000 };
    let runs = if smoke { 1 } else { 3 };
    let into = "messages of 5 KB accepted and delivered into a maildir";
    let boxes = format!(
        "virtual_mailbox_domains = local.test\nvirtual_mailbox_base = DIR/mail\n\
         virtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:{}\n\
         virtual_gid_maps = static:{}\n",
        own_number("-u"),
        own_number("-g")
    );
    // As a site has it whose users are those of the system.
    let users = "mydestination = local.test\nmail_spool_directory = DIR/mail/\n\
        virtual_alias_maps = static:daemon@local.test\n";
    let others = [("virtual(8)", &boxes[..]), ("local(8), as its package delivers", users)];
    ratio(into, (runs, count), [exim, ours], &others, |program| {
        let folder = daemon::folder();
        let place = folder.path().join("mail");
        std::fs::create_dir_all(&place).expect("a directory");
        let transport = format!(
            "  driver = appendfile\n  directory = {}/box\n  maildir_format\n  user = {USER}\n  \
             create_directory\n",
            place.display()
        );
        let daemon = serve(program, folder, "driver = accept", &transport);
        daemon::open(&daemon.folder().join("mail"));
        let status = std::process::Command::new("chown")
            .args(["-R", USER])
            .arg(daemon.folder().join("mail"))
            .status();
        assert!(status.is_ok_and(|status| status.success()), "the maildir has its owner");
        let took = deliver(daemon.place, &daemon.folder().join("log/mainlog"), COMPLETED, count);
        let found = daemon::count(&daemon.folder().join("mail/box/new"), "");
        assert_eq!(found, count, "each message is in the maildir");
        (daemon, took)
    });
    let sink = Sink::start();
    let to = format!("messages of 5 KB accepted and relayed to {}", sink.name());
    let relay = format!(
        "relay_domains = local.test\nrelay_transport = smtp:[127.0.0.1]:{}\n\
         relay_recipient_maps =\n",
        sink.port()
    );
    ratio(&to, (runs, count), [exim, ours], &[("smtp(8)", &relay)], |program| {
        let folder = daemon::folder();
        let (router, transport) = to_host(sink.port());
        let daemon = serve(program, folder, router, &transport);
        let took = deliver(daemon.place, &daemon.folder().join("log/mainlog"), COMPLETED, count);
        (daemon, took)
    });
    drop(sink);
    queue::compare(smoke, exim, ours);
}

/// Whose mailbox it is, and who runs the transports.
const USER: &str = "Debian-exim";

/// A router to this host, and its transport to a port.
fn to_host(port: u16) -> (&'static str, String) {
    let router = "driver = manualroute\n  route_list = * 127.0.0.1 byname\n  self = send";
    (router, format!("  driver = smtp\n  port = {port}\n  allow_localhost\n  hosts_try_dane =\n"))
}

/// Writes a configuration with one router and one transport, and gives its place.
fn configure(folder: &Path, router: &str, transport: &str) -> PathBuf {
    let at = folder.display();
    let text = format!(
        "keep_environment =\nprimary_hostname = me.test\nspool_directory = {at}/spool\n\
         log_file_path = {at}/log/%slog\nhost_lookup =\ntls_advertise_hosts =\n\
         rfc1413_query_timeout = 0s\nsmtp_accept_max = 0\nsmtp_connect_backlog = 512\n\
         smtp_accept_max_per_connection = 0\nsmtp_accept_queue_per_connection = 0\n\
         acl_smtp_rcpt = accept\nacl_smtp_data = accept\n\
         begin routers\nall:\n  {router}\n  transport = out\n\
         begin transports\nout:\n{transport}\
         begin retry\n* * F,4d,6h\n"
    );
    let config = folder.join("delivery.conf");
    std::fs::write(&config, text).expect("the configuration is written");
    config
}

fn serve(program: &Path, folder: TempDir, router: &str, transport: &str) -> Daemon {
    let config = configure(folder.path(), router, transport);
    Daemon::serve(program, folder, &config)
}

/// Has messages accepted over connections that stay open, and waits for the last to be
/// delivered.
fn deliver(place: SocketAddr, log: &Path, done: &str, count: usize) -> Duration {
    let data = sessions::message(5_000);
    let start = Instant::now();
    let begin = || Client::greeted(place);
    at_once(CLIENTS, count, begin, |client| client.message(&data));
    let (mut completed, mut read) = (0, 0);
    while completed < count {
        assert!(start.elapsed() < LONGEST, "{completed} of {count} are delivered");
        thread::sleep(Duration::from_millis(5));
        let Ok(mut file) = std::fs::File::open(log) else { continue };
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(read)).expect("the log");
        file.read_to_end(&mut text).expect("the log");
        // The last line may be on its way.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        read += whole as u64;
        let lines = text[..whole].split(|byte| *byte == b'\n');
        completed += lines.filter(|line| line.ends_with(done.as_bytes())).count();
    }
    start.elapsed()
}

/// What it costs to do a thing with both programs in turn, and with Postfix, which does it by a
/// daemon of some name with this in its configuration; medians.
fn ratio(
    what: &str,
    (runs, count): (usize, usize),
    [exim, ours]: [&Path; 2],
    by_postfix: &[(&str, &str)],
    work: impl Fn(&Path) -> (Daemon, Duration),
) {
    if !sessions::is_wanted(what) {
        return;
    }
    let measured = |program: &Path| {
        let (daemon, took) = work(program);
        assert_eq!(daemon.queue(), 0, "nothing is left in the queue");
        took
    };
    let root = Postfix::root();
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    let mut others = vec![Vec::new(); by_postfix.len()];
    for _ in 0..runs {
        theirs.push(measured(exim));
        own.push(measured(ours));
        let Some(root) = &root else { continue };
        for ((_, config), times) in by_postfix.iter().zip(&mut others) {
            let other = Postfix::start(root, config);
            times.push(deliver(other.place, &other.log(), REMOVED, count));
            other.has_delivered(count);
        }
    }
    daemon::clean();
    let each_second = |times: &mut Vec<Duration>| count as f64 / super::median(times).as_secs_f64();
    let [theirs, own] = [&mut theirs, &mut own].map(each_second);
    println!(
        "{what}, {CLIENTS} connections that stay open: exim {theirs:.0}/s, eximious {own:.0}/s, \
         {:.1} times as many",
        own / theirs
    );
    if root.is_none() {
        println!("{what}: no Postfix to compare with (POSTFIX_ROOT)");
        return;
    }
    for ((by, _), times) in by_postfix.iter().zip(&mut others) {
        let other = each_second(times);
        println!("{what}: postfix by its {by} {other:.0}/s, {:.1} times as many", own / other);
    }
}

/// The number of that user (`-u`), or of its group (`-g`).
fn own_number(which: &str) -> String {
    let output = std::process::Command::new("id").args([which, USER]).output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
