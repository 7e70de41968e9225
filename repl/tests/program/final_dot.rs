//! Clients that go away behind the last line of a message, without waiting to hear that it was
//! accepted: they will send it again, so it is dropped, where the real Exim drops it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use eximious_tests::daemons::{Client, Daemon, undated, without_ids, without_library};
use eximious_tests::next_host::NextHost;
use eximious_tests::tls::Wishes;

use super::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// The ACL takes its time, in which clients go away; it waits for some of them, too.
const CONFIG: &str = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
    acl_smtp_rcpt = rcpt\nacl_smtp_data = data\nacl_smtp_quit = quit\n\
    acl_smtp_notquit = notquit\nprdr_enable\nacl_smtp_data_prdr = accept\nqueue_only\n\
    chunking_advertise_hosts = *\nlog_selector = +pipelining\nbegin acl\n\
    rcpt:\n accept senders = cut@*\n  control = cutthrough_delivery\n accept\n\
    data:\n warn set acl_m0 = ${run{/bin/sleep 0.3}}\n  logwrite = JUDGED\n\
    \x20 add_header = X-Added: here\n\
    \x20deny senders = deny@*\n\
    \x20discard senders = discard@*\n  log_message = nobody wants it\n\
    \x20accept senders = slow@*\n  delay = 1s\n\
    \x20accept\n\
    quit:\n accept logwrite = END by QUIT\n\
    notquit:\n accept logwrite = END $smtp_notquit_reason <$sender_address> $h_x-added: \
    $h_subject:\n  message = never said\n\
    begin routers\nall:\n driver = manualroute\n route_list = * 127.0.0.1 byname\n \
    self = send\n transport = smtp\n\
    begin transports\nsmtp:\n driver = smtp\n port = NEXT\n hosts_try_fastopen =\n";

const TEXT: &str = "Subject: x\r\n\r\nhello\r\n";

/// How somebody leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    /// The connection is closed.
    Closed,
    /// Nothing more is sent, but what is answered is heard.
    Half,
    /// TLS is ended, and then the connection closed.
    Ended,
    /// Only after a while, the connection is closed.
    Late,
}

use Leaving::{Closed, Ended, Half, Late};

/// Who sends a message, what stands behind its end, and how the client leaves.
const CASES: &[(&str, &str, Leaving)] = &[
    ("a", "", Closed),
    ("a", "", Half),
    ("a", "QUIT\r\n", Half),
    ("a", "QUIT\r\n", Closed),
    ("a", "RSET\r\nMAIL FROM:<>\r\n", Half),
    ("a", "half of a command", Half),
    ("slow", "", Late),
    ("deny", "", Half),
    ("discard", "", Half),
    ("cut", "", Half),
    ("cut", "QUIT\r\n", Half),
];

/// The same under TLS.
const SEALED: &[(&str, &str, Leaving)] =
    &[("a", "", Closed), ("a", "", Ended), ("a", "QUIT\r\n", Closed), ("a", "QUIT\r\n", Ended)];

/// How a message comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Lines,
    Chunks,
}

/// Sends a message and leaves; what was answered to it.
fn send(mut client: Client, way: Way, (sender, more, how): (&str, &str, Leaving)) -> String {
    client.go_through(&[&format!("MAIL FROM:<{sender}@x.test>"), "RCPT TO:<b@y.test>"]);
    let text = match way {
        Way::Lines => {
            client.go_through(&["DATA"]);
            format!("{TEXT}.\r\n{more}")
        }
        Way::Chunks => format!("BDAT {} LAST\r\n{TEXT}{more}", TEXT.len()),
    };
    client.send(text.as_bytes());
    match how {
        Closed => String::new(),
        Ended => {
            client.unseal();
            String::new()
        }
        Late => {
            sleep(Duration::from_millis(600));
            String::new()
        }
        Half => {
            client.stream().shutdown(Shutdown::Write).expect("a connection");
            String::from_utf8_lossy(&client.rest()).replace("\r\n", "\n")
        }
    }
}

/// What clients heard, what was logged of them, and how much is in the spool.
fn left(program: &Path) -> String {
    let next = NextHost::start(Vec::new());
    let daemon = Daemon::start(program, &CONFIG.replace("NEXT", &next.port().to_string()), &[]);
    let plain = [Way::Lines, Way::Chunks].into_iter().flat_map(|way| {
        // What comes in chunks is not cut through.
        CASES
            .iter()
            .filter(move |case| way == Way::Lines || case.0 != "cut")
            .map(move |case| (way, "", case))
    });
    let sealed = ["version=1.2", "version=1.3"].into_iter();
    let sealed =
        sealed.flat_map(|version| SEALED.iter().map(move |case| (Way::Lines, version, case)));
    let (mut all, mut seen) = (String::new(), 0);
    for (way, version, case) in plain.chain(sealed) {
        let before = daemon.log("main").len();
        let mut client = daemon.client();
        client.hear();
        client.go_through(&["EHLO x"]);
        if !version.is_empty() {
            client.go_through(&["STARTTLS"]);
            assert!(client.seal(&Wishes::read(version)).starts_with("(tls "));
            client.go_through(&["EHLO x"]);
        }
        let heard = send(client, way, *case);
        seen += 1;
        daemon.await_lines(" END ", seen);
        // A line may follow.
        sleep(Duration::from_millis(100));
        let log = daemon.log("main");
        let files = fs::read_dir(daemon.path().join("spool/input")).into_iter().flatten().count();
        all += &format!("== {way:?} {version} {case:?}\n{heard}{}{files} files\n", &log[before..]);
    }
    let lines = all.lines().map(undated).map(without_ids).map(|line| without_library(&line));
    // How large a message is hangs on the program's name, and times on the moment.
    let same = |word: &&str| !["S=", "D=", "QT=", "DT="].iter().any(|mark| word.starts_with(mark));
    let lines = lines.map(|line| line.split(' ').filter(same).collect::<Vec<_>>().join(" ") + "\n");
    lines.collect::<String>().replace(&next.port().to_string(), "NEXT")
}

#[test]
fn who_is_gone_behind_the_final_dot_sends_its_message_again() {
    let ours = left(Path::new(OURS));
    assert!(
        ours.contains("SMTP connection lost after final dot H=(x) [127.0.0.1] P=esmtp"),
        "{ours}"
    );
    let Some(exim) = common::reference() else { return };
    let exims = left(Path::new(&exim));
    let changes = similar::TextDiff::from_lines(&exims, &ours).unified_diff().to_string();
    assert!(changes.is_empty(), "{changes}");
}

/// What a client hears of `-bs` that sends a message and nothing more, and how that ended; it
/// speaks through a connection, or leaves a file.
fn spoken(program: &str, through_connection: bool) -> String {
    let place = common::spool::Place::new("acl_smtp_data = accept\n");
    let text = fs::read_to_string(&place.config).expect("a configuration");
    let text = text.replace("acl_smtp_data = data\n", "");
    fs::write(&place.config, text).expect("a configuration");
    let says = ["EHLO x\r\n", "MAIL FROM:<a@x.test>\r\n", "RCPT TO:<b@y.test>\r\n", "DATA\r\n"];
    let mut command = Command::new(program);
    command.arg("-C").arg(&place.config).arg("-bs");
    let (status, heard) = match through_connection {
        false => {
            let input = says.concat() + TEXT + ".\r\n";
            let output = common::fed(&mut command, input.as_bytes());
            (output.status, output.stdout)
        }
        true => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
            let own = listener.local_addr().expect("an address");
            let mut client = TcpStream::connect(own).expect("a connection");
            let (socket, _) = listener.accept().expect("a connection");
            let output = OwnedFd::from(socket.try_clone().expect("a descriptor"));
            command.stdin(OwnedFd::from(socket)).stdout(output).stderr(Stdio::null());
            let mut child = command.spawn().expect("the program runs");
            // The program alone has its end of the connection.
            drop(command);
            let mut heard = vec![0; 4096];
            for line in says {
                let _ = client.read(&mut heard).expect("an answer");
                client.write_all(line.as_bytes()).expect("a connection");
            }
            let _ = client.read(&mut heard).expect("an answer");
            client.write_all(format!("{TEXT}.\r\n").as_bytes()).expect("a connection");
            client.shutdown(Shutdown::Write).expect("a connection");
            heard.clear();
            let _ = client.read_to_end(&mut heard);
            (child.wait().expect("an end"), heard)
        }
    };
    let heard = String::from_utf8_lossy(&heard).replace("\r\n", "\n");
    let last = heard.split_once("354 ").map_or(heard.as_str(), |(_, rest)| rest);
    let last: String = last.lines().map(|line| without_ids(line) + "\n").collect();
    format!("{last}{:?}, {} files", status.code(), place.files("input").len())
}

#[test]
fn a_file_may_end_behind_the_final_dot_and_a_connection_may_not() {
    for (through_connection, files) in [(false, "2 files"), (true, "0 files")] {
        let ours = spoken(OURS, through_connection);
        assert!(ours.ends_with(files), "{ours}");
        if let Some(exim) = common::spool::exim() {
            assert_eq!(ours, spoken(&exim, through_connection));
        }
    }
}

#[test]
fn nobody_waits_for_a_client_that_is_gone() {
    let config = "acl_smtp_mail = mail\nbegin acl\nmail:\n accept delay = 3s\n";
    let (short, long) = (Duration::from_millis(1500), Duration::from_millis(2500));
    for program in common::reference().into_iter().chain([OURS.to_owned()]) {
        let daemon = Daemon::start(Path::new(&program), config, &[]);
        for leaves in [true, false] {
            let mut client = daemon.client();
            client.hear();
            client.go_through(&["EHLO x"]);
            let began = Instant::now();
            client.send(b"MAIL FROM:<a@x.test>\r\n");
            sleep(Duration::from_millis(200));
            if leaves {
                client.stream().shutdown(Shutdown::Write).expect("a connection");
            }
            assert_eq!(client.hear(), "250 OK\n", "{program}");
            let took = began.elapsed();
            assert!(if leaves { took < short } else { took > long }, "{program} {took:?}");
        }
    }
}
