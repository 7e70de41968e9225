//! SMTP sessions and messages through Debian's default ACLs, and how many idle sessions
//! can be held.
//!
//! What a client waits for is part of a rate. Exim answers QUIT from a socket that holds
//! short answers back for up to 200 ms, so that clients that wait for `221` measure that
//! wait; such that do not, and the processor time of each session, say what it costs.

use std::path::Path;
use std::time::Duration;

use crate::client::{Client, at_once};
use crate::daemon::{self, Daemon};
use crate::routing;

/// How many clients there are at the same time.
const CLIENTS: [usize; 4] = [1, 8, 64, 256];

/// How many idle sessions are held at once.
const IDLE: usize = 2_000;

/// What was measured of a daemon.
#[derive(Clone, Copy)]
struct Measured {
    /// How often it did the work, each second.
    rate: f64,
    /// The processor time of each, in milliseconds.
    cost: f64,
}

/// Sessions and messages each second, of daemons of both programs, under the same load.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    if !routing::has_writer() {
        println!("no Debian configuration: sessions and messages are left out");
        return;
    }
    let scaled = |count: usize| if smoke { 20 } else { count };
    let clients: &[usize] = if smoke { &[8] } else { &CLIENTS };
    for waits in [true, false] {
        let whether = if waits { "wait for 221" } else { "do not wait for 221" };
        for &clients in clients {
            // A patient client of Exim has four sessions a second.
            let count = scaled(if waits { 25 * clients.max(8) } else { 2_000 });
            let what = format!("sessions, {clients} clients that {whether}");
            ratio(&what, smoke, exim, ours, |daemon| sessions(daemon, clients, count, waits));
        }
    }
    for (size, name, count) in [(5_000, "5 KB", 3_000), (1_000_000, "1 MB", 200)] {
        let data = message(size);
        for &clients in clients {
            let what = format!("messages of {name}, {clients} connections that stay open");
            let count = scaled(count).max(clients);
            ratio(&what, smoke, exim, ours, |daemon| messages(daemon, clients, count, &data));
        }
        // Those of the second kind are large, and few.
        daemon::clean();
    }
    source::compare(smoke, exim, ours);
    idle(if smoke { 50 } else { IDLE }, ours);
}

/// The same work for both programs in turn; medians.
fn ratio(
    what: &str,
    smoke: bool,
    exim: &Path,
    ours: &Path,
    work: impl Fn(&Daemon) -> (usize, Duration),
) {
    if !is_wanted(what) {
        return;
    }
    let runs = if smoke { 1 } else { 3 };
    let measured = |program: &Path| {
        let daemon = Daemon::start(program);
        // The first session warms what is kept.
        sessions(&daemon, 1, 2, false);
        daemon.settle();
        let before = daemon.processor_time();
        let (count, time) = work(&daemon);
        daemon.settle();
        let cost = daemon.processor_time().saturating_sub(before);
        Measured {
            rate: count as f64 / time.as_secs_f64(),
            cost: cost.as_secs_f64() * 1e3 / count as f64,
        }
    };
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        theirs.push(measured(exim));
        own.push(measured(ours));
    }
    let (theirs, own) = (middle(theirs), middle(own));
    println!(
        "{what}: exim {:.0}/s ({:.2} ms of processor each), eximious {:.0}/s ({:.2} ms), {:.1} \
         times as many, {:.1} times as cheap",
        theirs.rate,
        theirs.cost,
        own.rate,
        own.cost,
        own.rate / theirs.rate,
        theirs.cost / own.cost.max(0.001)
    );
}

/// Whether the command line does not say `--only` something else.
pub fn is_wanted(what: &str) -> bool {
    let mut args = std::env::args().skip_while(|arg| arg != "--only").skip(1);
    args.next().is_none_or(|text| what.contains(&text))
}

fn middle(mut all: Vec<Measured>) -> Measured {
    all.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    all[all.len() / 2]
}

/// Connect, EHLO, MAIL, RCPT, QUIT.
fn sessions(daemon: &Daemon, clients: usize, count: usize, waits: bool) -> (usize, Duration) {
    let time = at_once(
        clients,
        count,
        || (),
        |()| {
            let mut client = Client::greeted(daemon.place);
            client.say("MAIL FROM:<root@local.test>\r\n", "250");
            client.say("RCPT TO:<user@local.test>\r\n", "250");
            client.quit(waits);
        },
    );
    (count, time)
}

/// Messages into the queue, over connections that stay open. Each has to be there.
fn messages(daemon: &Daemon, clients: usize, count: usize, data: &[u8]) -> (usize, Duration) {
    let before = daemon.queue();
    let begin = || Client::greeted(daemon.place);
    let time = at_once(clients, count, begin, |client| client.message(data));
    assert_eq!(daemon.queue() - before, count, "messages are in the queue");
    (count, time)
}

/// A message of about so many bytes, as it goes over the wire.
pub fn message(size: usize) -> Vec<u8> {
    let mut data =
        b"From: root@local.test\r\nTo: user@local.test\r\nSubject: load\r\n\r\n".to_vec();
    while data.len() < size {
        data.extend_from_slice(
            b"Sixty-four bytes of text, which is what a line of a mail holds.\r\n",
        );
    }
    data.extend_from_slice(b".\r\n");
    data
}

/// The memory of idle sessions that said EHLO.
fn idle(count: usize, ours: &Path) {
    let daemon = Daemon::start(ours);
    sessions(&daemon, 1, 1, true);
    let before = daemon.resident();
    let clients: Vec<_> = (0..count).map(|_| Client::greeted(daemon.place)).collect();
    let each = daemon.resident().saturating_sub(before) as f64 / clients.len() as f64;
    println!("{count} idle sessions at once: {each:.1} KiB of memory each");
}

/// Postfix's `smtp-source`, a client of somebody else's making.
mod source {
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::{Daemon, ratio};

    /// Messages of 5 KB, eight connections at a time, a new one for each message.
    pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
        if command().arg("-h").output().is_err() {
            println!("no smtp-source (of Postfix): that part is left out");
            return;
        }
        let count = if smoke { 20 } else { 1_000 };
        let what = "messages of 5 KB by smtp-source, 8 sessions at once";
        ratio(what, smoke, exim, ours, |daemon| {
            let start = Instant::now();
            send(daemon, count);
            (count, start.elapsed())
        });
    }

    /// The program that `SMTP_SOURCE` names, or the one in the path.
    fn command() -> Command {
        let named = std::env::var_os("SMTP_SOURCE").unwrap_or_else(|| "smtp-source".into());
        let mut command = Command::new(named);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn send(daemon: &Daemon, count: usize) {
        let mut command = command();
        command.args(["-s", "8", "-l", "5000", "-m", &count.to_string()]);
        command.args(["-f", "root@local.test", "-t", "user@local.test"]);
        let status = command.arg(daemon.place.to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "smtp-source sends");
    }
}
