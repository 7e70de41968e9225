//! What runs at the same time, and what takes its time: deliveries of a message, runs of the
//! queue, connections that wait, users who are looked for. Beside the real Exim.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Daemon, READY};
use eximious_tests::next_host::NextHost;

use crate::common::spool::{Place, exim};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// How long a host needs to take a message.
const SLOW: Duration = Duration::from_millis(700);

/// Both programs, the real one where it is there.
fn programs() -> Vec<String> {
    exim().into_iter().chain([OURS.to_owned()]).collect()
}

/// A host that takes its time for each message, and counts how many it is sent at once.
struct SlowHost {
    port: u16,
    most: Arc<AtomicUsize>,
}

impl SlowHost {
    fn start(time: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its own address").port();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = most.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (now, most) = (now.clone(), counted.clone());
                std::thread::spawn(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let _ = talk(stream, time);
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, most }
    }
}

fn talk(mut stream: TcpStream, time: Duration) -> std::io::Result<()> {
    let input = BufReader::new(stream.try_clone()?);
    let mut in_message = false;
    stream.write_all(b"220 slow.test\r\n")?;
    for line in input.lines() {
        let line = line?;
        let said = match line.get(..4).unwrap_or_default() {
            _ if in_message && line == "." => {
                sleep(time);
                in_message = false;
                "250 OK\r\n"
            }
            _ if in_message => continue,
            "DATA" => {
                in_message = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 OK\r\n",
        };
        stream.write_all(said.as_bytes())?;
    }
    Ok(())
}

/// A configuration that sends everything to a port of this host, a copy to each.
fn onward(port: u16, more: &str) -> Place {
    let place = Place::new("");
    let text = std::fs::read_to_string(&place.config).expect("a configuration");
    let (head, _) = text.split_once("begin acl").expect("sections");
    let text = format!(
        "{head}\n{more}\nbegin routers\naway:\n driver = manualroute\n \
         route_list = * 127.0.0.1 byname\n self = send\n transport = smtp\n\
         begin transports\nsmtp:\n driver = smtp\n port = {port}\n max_rcpt = 1\n \
         connection_max_messages = 1\n hosts_try_fastopen =\nbegin retry\n* * F,5d,1h\n"
    );
    std::fs::write(&place.config, text).expect("a configuration");
    place
}

#[test]
fn copies_of_a_message_go_side_by_side() {
    for program in programs() {
        for (most, at_once) in [(1, 1), (2, 2), (3, 3), (20, 4)] {
            let host = SlowHost::start(SLOW);
            let place = onward(host.port, &format!("remote_max_parallel = {most}"));
            let to = ["a@x.test", "b@x.test", "c@x.test", "d@x.test"];
            let args = [&["-odi", "-f", "s@here.example"][..], &to].concat();
            let started = Instant::now();
            place.run(&program, &args, "Subject: x\n\ntext\n");
            let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
            assert_eq!(host.most.load(Ordering::SeqCst), at_once, "{program} {most}: {log}");
            let rounds = u32::try_from(4_usize.div_ceil(at_once)).expect("few");
            assert!(started.elapsed() >= SLOW * rounds, "{program} {most}");
            let done: Vec<&str> = log
                .lines()
                .filter_map(|line| line.split(" => ").nth(1)?.split(' ').next())
                .collect();
            match program == OURS {
                // Those who began first are told of first.
                true => assert_eq!(done, to, "{log}"),
                false => assert_eq!(done.len(), 4, "{log}"),
            }
            assert!(log.contains(" Completed"), "{program}: {log}");
            assert!(place.files("input").is_empty(), "{program}");
        }
    }
}

#[test]
fn one_who_hangs_holds_up_nobody() {
    let host = SlowHost::start(Duration::from_millis(2500));
    let place = onward(host.port, "remote_max_parallel = 2");
    let next = NextHost::start(Vec::new());
    let text = std::fs::read_to_string(&place.config).expect("a configuration");
    let other = format!("begin transports\nquick:\n driver = smtp\n port = {}\n", next.port());
    let text = text.replace("begin transports\n", &other).replace(
        "begin routers\n",
        "begin routers\nquick:\n driver = manualroute\n domains = quick.test\n \
         route_list = * 127.0.0.1 byname\n self = send\n transport = quick\n",
    );
    std::fs::write(&place.config, text).expect("a configuration");
    let args = ["-odi", "-f", "s@here.example", "a@slow.test", "b@quick.test"];
    place.ours(&args, "Subject: x\n\ntext\n");
    let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
    let quick = log.find("=> b@quick.test").expect("delivered");
    assert!(quick < log.find("=> a@slow.test").expect("delivered"), "{log}");
}

#[test]
fn runs_of_the_queue_have_a_bound() {
    for program in programs() {
        let cases: [(&str, &[&str], usize); 3] =
            [("1", &[], 1), ("1", &["-qGother/1s"], 1), ("${if eq{$queue_name}{}{2}{9}}", &[], 2)];
        for (most, more, starts) in cases {
            let host = SlowHost::start(Duration::from_secs(600));
            let config = format!(
                "queue_run_max = {most}\nqueue_only\nbegin routers\naway:\n driver = manualroute\n \
                 route_list = * 127.0.0.1 byname\n self = send\n transport = smtp\n\
                 begin transports\nsmtp:\n driver = smtp\n port = {}\n hosts_try_fastopen =\n",
                host.port
            );
            let program = Path::new(&program);
            let args = [&["-bdf", "-q1s"], more, &["-oX", "127.0.0.1.PORT"]].concat();
            let daemon = Daemon::start(program, &config, &args);
            let conf = daemon.path().join("exim.conf").display().to_string();
            for to in ["a@x.test", "b@x.test", "c@x.test"] {
                let args = ["-C", &conf, "-odq", "-f", "s@x.test", to];
                crate::common::run(OURS, &args, b"Subject: x\n\ntext\n");
            }
            let count = |log: &str, what: &str| log.matches(what).count();
            let at_work = |log: &str| count(log, "queue run: pid") - 2 * count(log, "End ");
            let start = Instant::now();
            let before = loop {
                let log = daemon.log("main");
                if host.most.load(Ordering::SeqCst) > 0 && at_work(&log) == starts {
                    break log;
                }
                assert!(start.elapsed() < READY, "{}: {log}", program.display());
                sleep(Duration::from_millis(20));
            };
            // Others would have begun by then.
            sleep(Duration::from_millis(3500));
            let log = daemon.log("main");
            assert_eq!(at_work(&log), starts, "{}: {log}", program.display());
            // While it hangs, no other queue is run, unless that began already.
            let others = |log: &str| count(log, "Start 'other' queue run");
            assert!(others(&log) <= others(&before) + 1, "{}: {log}", program.display());
        }
    }
}

#[test]
fn a_transport_has_a_bound_for_all_processes() {
    for program in programs() {
        let host = SlowHost::start(Duration::from_millis(2500));
        let place = onward(host.port, "");
        let text = std::fs::read_to_string(&place.config).expect("a configuration");
        let text = text.replace("max_rcpt = 1\n", "max_parallel = 1\n");
        std::fs::write(&place.config, text).expect("a configuration");
        let send = |to: &str| {
            place.run(&program, &["-odi", "-f", "s@here.example", to], "Subject: x\n\ntext\n")
        };
        std::thread::scope(|scope| {
            scope.spawn(|| send("a@x.test"));
            while host.most.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(10));
            }
            send("b@x.test");
        });
        let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
        let why = "defer (-57): concurrency limit reached for transport";
        assert!(log.contains("=> a@x.test") && log.contains(why), "{program}: {log}");
        place.run(&program, &["-qf"], "");
        let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
        assert!(log.contains("=> b@x.test"), "{program}: {log}");
    }
}

#[test]
fn what_is_queued_on_purpose_goes_along_one_connection() {
    for program in programs() {
        for only in [&["-odqs"][..], &["-odi"]] {
            let next = NextHost::start(Vec::new());
            let place = onward(next.port(), "queue_smtp_domains = x.test\nqueue_run_in_order");
            let text = std::fs::read_to_string(&place.config).expect("a configuration");
            let text = text.replace("connection_max_messages = 1\n", "");
            std::fs::write(&place.config, text).expect("a configuration");
            for to in ["a@x.test", "b@x.test"] {
                let args = [only, &["-f", "s@here.example", to]].concat();
                place.run(&program, &args, "Subject: x\n\ntext\n");
                // As long as that takes.
                sleep(Duration::from_millis(300));
            }
            place.run(&program, &["-q"], "");
            let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
            assert_eq!(log.matches("[127.0.0.1]* ").count(), 1, "{program}: {log}");
        }
    }
}

#[test]
fn mail_of_programs_waits_for_less_load() {
    for program in programs() {
        // With tests running, there is some.
        let place = Place::new("queue_only_load = 0\n");
        place.run(&program, &["-odi", "nobody@here.example"], "Subject: x\n\ntext\n");
        let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
        assert!(log.contains(" no immediate delivery: load average "), "{program}: {log}");
        assert!(!log.contains("=>"), "{program}: {log}");
    }
}

#[test]
fn load_is_the_reason_that_counts_but_where_all_wait() {
    let message =
        "MAIL FROM:<a@here.example>\nRCPT TO:<nobody@here.example>\nDATA\nSubject: x\n\nx\n.\n";
    for program in programs() {
        for (option, expected) in [("-odi", 2), ("-odq", 0)] {
            let limits = "queue_only_load = 0\nsmtp_accept_queue_per_connection = 1\n";
            let place = Place::new(limits);
            let input = format!("HELO x\n{message}{message}QUIT\n");
            place.run(&program, &[option, "-bs"], &input);
            let log = std::fs::read_to_string(place.path("mainlog")).expect("a log");
            let count = log.matches(" no immediate delivery: load average ").count();
            assert_eq!(count, expected, "{program} {option}: {log}");
            assert!(!log.contains("more than 1"), "{program} {option}: {log}");
        }
    }
}

#[test]
fn connections_that_wait_are_counted() {
    for program in programs() {
        let daemon = Daemon::start(Path::new(&program), "smtp_backlog_monitor = 2\n", &[]);
        daemon.signal("STOP");
        let connect = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, daemon.port));
        let waiting: Vec<_> = (0..6).map(connect).collect::<Result<_, _>>().expect("connected");
        sleep(Duration::from_millis(200));
        daemon.signal("CONT");
        daemon.await_log(&format!("listen backlog 6 I=[127.0.0.1]:{}", daemon.port));
        daemon.await_log(&format!("listen backlog 3 I=[127.0.0.1]:{}", daemon.port));
        drop(waiting);
        assert!(!daemon.log("main").contains("listen backlog 2 "), "{program}");
    }
}

#[test]
fn users_are_looked_for_again() {
    for program in programs() {
        let place = Place::new("finduser_retries = 2\n");
        let text = std::fs::read_to_string(&place.config).expect("a configuration");
        let text = text.replace("driver = accept\n", "driver = accept\n check_local_user\n");
        std::fs::write(&place.config, &text).expect("a configuration");
        let ask = |to: &str| {
            let started = Instant::now();
            (place.run(&program, &["-bt", to], ""), started.elapsed())
        };
        let (known, time) = ask("nobody@here.example");
        assert!(known.out.contains("transport = box"), "{program}: {}", known.out);
        assert!(time < Duration::from_secs(2), "{program}: {time:?}");
        let (unknown, time) = ask("nosuchuser@here.example");
        assert!(unknown.out.contains("is undeliverable"), "{program}: {}", unknown.out);
        assert!(time >= Duration::from_secs(2), "{program}: {time:?}");
        // So they are while the configuration is read.
        let text = text.replace("user = nobody", "user = nosuchuser");
        std::fs::write(&place.config, text).expect("a configuration");
        let (wrong, time) = ask("nobody@here.example");
        assert!(wrong.err.contains("user nosuchuser was not found"), "{program}: {}", wrong.err);
        assert!(time >= Duration::from_secs(2), "{program}: {time:?}");
    }
}

/// What Python's email package reads of a report: the fields of its second part's second
/// group.
const READER: &str = "
import email, sys
from email import policy
report = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=policy.default)
assert report.get_content_type() == 'multipart/report', report.get_content_type()
parts = list(report.iter_parts())
assert [one.get_content_type() for one in parts][1] == 'message/delivery-status'
whole, one = parts[1].get_payload()
assert whole['Reporting-MTA'], whole
for name, value in one.items():
    print(name + ': ' + value)
";

#[test]
fn bounces_tell_of_the_host_where_that_is_wanted() {
    for (more, told) in [("", false), ("bounce_host_details\n", true)] {
        let host = NextHost::start(vec![
            ("banner".to_owned(), "220 next.test ESMTP Exim x.yz".to_owned()),
            ("rcpt:d3".to_owned(), "550 hard error".to_owned()),
        ]);
        let place = onward(host.port(), more);
        let args = ["-odi", "-f", "s@here.example", "d3@x.test"];
        place.ours(&args, "Subject: x\n\ntext\n");
        // The bounce goes to the same host.
        let heard = host.heard();
        let text = heard.iter().filter_map(|line| line.strip_prefix("D: "));
        let text: String = text.map(|line| format!("{line}\n")).collect();
        let letter = place.path("letter");
        std::fs::write(&letter, text).expect("a file");
        let read = Command::new("python3").arg("-c").arg(READER).arg(&letter).output();
        let read = read.expect("python3");
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let fields = String::from_utf8_lossy(&read.stdout).into_owned();
        let usual = "Action: failed\nFinal-Recipient: rfc822;d3@x.test\nStatus: 5.0.0\n\
            Remote-MTA: dns; 127.0.0.1\nDiagnostic-Code: smtp; 550 hard error\n";
        let more = format!(
            "Remote-MTA: X-ip; [127.0.0.1]:{}\n\
             X-Remote-MTA-smtp-greeting: X-str; 220 next.test ESMTP Exim x.yz\n\
             X-Remote-MTA-helo-response: X-str; 250-next.test\n\
             X-Exim-Diagnostic: X-str; SMTP error from remote mail server after \
             RCPT TO:<d3@x.test>: 550 hard error\n",
            host.port()
        );
        let wanted = if told { format!("{usual}{more}") } else { usual.to_owned() };
        assert_eq!(fields, wanted);
    }
}
