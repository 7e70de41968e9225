//! What `-d` tells: the cases below, as they are recorded in `tests/debugging`. A real
//! Exim is asked again where one is installed; `EXIMIOUS_RECORD=1` records what it says.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use eximious_tests::cases::changes;
use eximious_tests::daemons::{Daemon, without_ids};
use eximious_tests::root;
use eximious_tests::tls::Wishes;
use tempfile::TempDir;

use crate::common::{self, Run};

/// A name, arguments, and what is typed. The configuration is the one of that name, or the
/// one that most have.
const CASES: &[(&str, &[&str], &str)] = &[
    (
        "expand",
        &["-d-all+expand", "-be"],
        "a${if eq{1}{${lc:A}}{b}{c $primary_hostname}}\n${map{a:b}{<$item>}} x\\ty\n${if eq{a}{b}{c}fail}\n\
         ${uc:$sender_helo_name}\n${nosuch:x}\nplain\n",
    ),
    ("expand-plainly", &["-d-all+expand+noutf8", "-be"], "a b${if eq{1}{2}{${lc:A}}{b c}}d\n"),
    (
        "lists",
        &["-d-all+lists", "-be"],
        "${if match_domain{a.b}{c:*.b}{y}{n}}\n${if match_domain{x.wide.example}{+wide_domains}}\n\
         ${if match_domain{loc.example}{+wide_domains}}\n${if match_address{a@b}{*@c:a@b}}\n\
         ${if match_local_part{x}{!y:z}}\n",
    ),
    (
        "lookup",
        &["-d-all+lookup", "-be"],
        "${lookup{ann}lsearch{DIR/table}}\n${lookup{ann}lsearch{DIR/table}}\n\
         ${lookup{eve}lsearch{DIR/table}{y}{n}}\n${lookup{a.b.c}partial-lsearch*{DIR/table}}\n",
    ),
    ("dns", &["-d-all+dns", "-be"], "${lookup dnsdb{a=nosuch.invalid}{$value}{none}}\n"),
    ("route", &["-d-all+route", "-bt", "ann@loc.example", "x@y.example", "carl@me.example"], ""),
    ("route-lists", &["-d-all+route+lists", "-bt", "bob@loc.example"], ""),
    ("rewrite", &["-d-all+rewrite", "-bt", "bob@old.example"], ""),
    ("verify", &["-d-all+verify+route", "-bv", "carl@loc.example"], ""),
    (
        "acl",
        &["-d-all+acl", "-bs", "-oMa", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@loc.example>\r\n\
         RCPT TO:<bad@loc.example>\r\nRCPT TO:<eve@loc.example>\r\n\
         RCPT TO:<bob@other.example>\r\nQUIT\r\n",
    ),
    (
        "hints",
        &["-d-all+hints_lookup", "-bs", "-oMa", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<rated@loc.example>\r\n\
         RCPT TO:<rated@loc.example>\r\nQUIT\r\n",
    ),
    (
        "dnsbl",
        &["-d-all+dnsbl", "-bs", "-oMa", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<listed@loc.example>\r\n\
         RCPT TO:<listed@loc.example>\r\nQUIT\r\n",
    ),
    ("uid", &["-d-all+uid", "-bt", "root@me.example", "nobody-here@me.example"], ""),
    ("filter", &["-d-all+filter", "-bf", "DIR/filter"], "From: a@b\nSubject: xyz\n\nhi\n"),
    ("sieve", &["-d-all+filter", "-bf", "DIR/sieve"], "From: a@b\nSubject: xyz\n\nhi\n"),
    (
        "submission",
        &["-d-all+acl", "-odq", "-oi", "bob@old.example"],
        "From: a@b.example\nSubject: xyz\n\nhi\n",
    ),
    ("delivery", &["-v", "-odi", "-oi", "a@local.example", "x@away.example"], LETTER),
    ("delivery-failed", &["-v", "-odi", "-oi", "bad@local.example", "none@local.example"], LETTER),
    // What it is told, and what is asked of it, stands in `ask_daemon`.
    ("daemon", &[], ""),
    (
        "acl-verbose",
        &["-v", "-bh", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@loc.example>\r\n\
         RCPT TO:<bad@loc.example>\r\nQUIT\r\n",
    ),
    (
        "acl-test",
        &["-d-all+acl+expand", "-bh", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@loc.example>\r\nQUIT\r\n",
    ),
];

/// A message that is to be delivered.
const LETTER: &str = "From: a@b.example\nSubject: xyz\n\nhi\n";

/// What ours tells of the steps of deliveries, one message for two being in the queue.
const STEPS: &[(&str, &[&str])] = &[
    ("delivery-steps", &["-d-all+deliver+transport", "-q"]),
    ("delivery-queue", &["-d-all+queue_run", "-qff", "-R", "nobody"]),
];

/// An Exim filter, and a Sieve script.
const FILTER: &str =
    "# Exim filter\nif $h_subject: contains x then\n  deliver ann@b.example\nendif\n";
const SIEVE: &str = "# Sieve filter\nrequire \"fileinto\";\n\
    if header :contains \"subject\" \"x\" { fileinto \"inbox\"; }\n";

/// What begins lines that only the real one tells, or that each has in its own way.
const NOT_COMPARED: &[&str] = &[
    // How it keeps files open, and what is left to do at the end.
    "LRU list:",
    "  :",
    "  >",
    "  End",
    "  cached open",
    "search_tidyup",
    ">>>>>>>>>>>>>>>> Exim",
    // The ways of its drivers, and what a delivery would be.
    "rda_interpret",
    "expanded: '",
    "file is not a filter file",
    "parse_forward_list",
    "extract item",
    "  errors_to=",
    "  uid=",
    "  envelope to:",
    "  transport:",
    "  domain = ",
    "  domain_data=",
    "aliases router called",
    "boxes router called",
    "checked router called",
    "map: ",
    // It says that whether the log is to have it or not.
    "LOG: smtp_connection",
    "SMTP connection",
    "queued for",
    "set transport",
    // Its resolver's.
    "DNS: ",
    "writing neg-cache",
    // What it does on its way to its work.
    "try option",
    "Verifying: uid",
    "Sender-verify",
    "sender address =",
    "address match test",
    "smtp_setup_msg",
    "read_message_body",
    "fresh-exec fork",
    "daemon forked for",
    "1 SMTP accept process",
    "Listening...",
    "postfork",
    // How its library keeps hints.
    "locking ",
    "locked ",
    "EXIM_DB",
    "DIR/spool/db/",
    "opened hints database",
    "dbfn_read: size",
    "dbfn_read: age",
    "returned from EXIM_DBOPEN",
    "closed hints database",
    // How it connects, and what `-C` means for it.
    "TFO mode",
    "connected",
    "SMTP(Connection",
    "LOG: MAIN PANIC",
    "exim user lost privilege",
    "log directory space",
    "spool directory space",
];

/// What a run tells that is compared; its place is called `DIR`.
fn told(run: &Run, place: &Path) -> Vec<String> {
    let text = run.err.replace(&place.display().to_string(), "DIR");
    let lines: Vec<&str> = text.lines().collect();
    // What the program says of itself is in front.
    let head = lines.iter().rposition(|line| {
        let words = ["configuration file is", "admin user", "dropping to exim gid"];
        words.iter().any(|word| line.starts_with(word)) || line.starts_with("eximious version")
    });
    let is_compared = |line: &&&str| {
        let line = line.trim_start_matches(' ');
        !NOT_COMPARED.iter().any(|word| line.starts_with(word.trim_start_matches(' ')))
    };
    let lines = &lines[head.map_or(0, |head| head + 1)..];
    // That a message arrived has its own name in it.
    let arrived = |line: &&&str| line.starts_with("  <= ");
    let lines = lines.iter().filter(is_compared).filter(|line| !arrived(line));
    // A record's size is each one's own, and so is what follows the words of a condition.
    let shared = |line: &&str| match line.starts_with(" Condition is ") {
        true => line.trim_end().to_owned(),
        false => without_ids(line.split(" datalen ").next().unwrap_or(line)),
    };
    lines.map(shared).collect()
}

/// A place with what the cases need, and the configuration of one of them.
fn lay_out(name: &str) -> TempDir {
    let directory = TempDir::with_prefix("eximious-").expect("a directory");
    let place = directory.path();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::create_dir(place.join("spool")).expect("a directory");
    for name in ["", "spool"] {
        let all = std::fs::Permissions::clone(&all);
        std::fs::set_permissions(place.join(name), all).expect("rights");
    }
    std::fs::write(place.join("filter"), FILTER).expect("a file");
    std::fs::write(place.join("sieve"), SIEVE).expect("a file");
    std::fs::write(place.join("table"), "ann: bob\nbob: x y\n*.c: wild\n").expect("a file");
    let written = place.display().to_string();
    let own = name.split('-').next().unwrap_or(name);
    let own = root().join(format!("tests/debugging/{own}.conf"));
    let shared = root().join("tests/debugging/exim.conf");
    let config = std::fs::read_to_string(if own.exists() { own } else { shared });
    let config = config.expect("the configuration").replace("DIR", &written);
    std::fs::write(place.join("exim.conf"), config).expect("a file");
    directory
}

/// Runs a case.
fn ask(program: &str, (name, args, input): (&str, &[&str], &str)) -> Vec<String> {
    let directory = lay_out(name);
    let written = directory.path().display().to_string();
    let file = format!("{written}/exim.conf");
    let args: Vec<String> = args.iter().map(|arg| arg.replace("DIR", &written)).collect();
    let args: Vec<&str> =
        ["-C", &file].into_iter().chain(args.iter().map(String::as_str)).collect();
    let input = input.replace("DIR", &written);
    told(&common::run(program, &args, input.as_bytes()), directory.path())
}

/// What a daemon tells of one session.
fn ask_daemon(program: &str) -> Vec<String> {
    let directory = lay_out("daemon");
    let place = directory.path();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a port").port();
    let (file, pid) = (place.join("exim.conf"), place.join("pid"));
    let daemon = Command::new(program)
        .args(["-C", &file.display().to_string(), "-d-all+acl", "-bd"])
        .args(["-oX", &format!("127.0.0.1.{port}"), "-oP", &pid.display().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a daemon");
    let mut client = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let client = client.as_mut().expect("a connection");
    let mut replies = BufReader::new(client.try_clone().expect("a socket"));
    let mut reply = String::new();
    replies.read_line(&mut reply).expect("a banner");
    for line in ["HELO x", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@loc.example>", "QUIT"] {
        client.write_all(format!("{line}\r\n").as_bytes()).expect("it is read");
        replies.read_line(&mut reply).expect("a reply");
    }
    let _ = replies.read_line(&mut reply);
    std::thread::sleep(Duration::from_millis(300));
    let stop = Command::new("kill").arg(daemon.id().to_string()).status();
    assert!(stop.expect("kill").success());
    let output = daemon.wait_with_output().expect("what it told");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    // Each process has its number before what it tells.
    let plain = |line: &str| match line.trim_start().split_once(' ') {
        Some((head, rest)) if head.parse::<u32>().is_ok() => rest.to_owned(),
        _ => line.to_owned(),
    };
    let err: Vec<String> = err.lines().map(plain).collect();
    let run = Run { status: output.status.code(), out: String::new(), err: err.join("\n") };
    let lines = told(&run, place).into_iter();
    // What the session is about; the rest is how each makes processes or threads.
    let lines = lines.skip_while(|line| !line.contains("in helo_lookup_domains?"));
    lines
        .take_while(|line| !line.starts_with("child "))
        .filter(|line| !line.contains("LOG:"))
        .collect()
}

fn compare(program: &str) {
    let records = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let mut wrong = String::new();
    for case in CASES {
        let path = root().join(format!("tests/debugging/{}.txt", case.0));
        let lines = match case.0 {
            "daemon" => ask_daemon(program),
            _ => ask(program, *case),
        };
        if records && program != env!("CARGO_BIN_EXE_eximious") {
            std::fs::write(&path, lines.join("\n") + "\n").expect("it can be recorded");
            continue;
        }
        wrong += &differing(case.0, &path, &lines);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What differs from what is recorded.
fn differing(name: &str, path: &Path, lines: &[String]) -> String {
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    let recorded: Vec<String> = recorded.lines().map(str::to_owned).collect();
    let changes = changes(&recorded, lines).into_iter();
    changes.map(|(mark, line)| format!("{name} {mark} {line}\n")).collect()
}

#[test]
fn deliveries_tell_their_steps() {
    if common::onward::exim().is_none() {
        return;
    }
    let program = env!("CARGO_BIN_EXE_eximious");
    let mut wrong = String::new();
    for (name, args) in STEPS {
        let directory = lay_out(name);
        let file = format!("{}/exim.conf", directory.path().display());
        let recipients = ["a@local.example", "x@away.example"];
        let queue = [&["-C", &file, "-odq", "-oi"], &recipients[..]].concat();
        common::run(program, &queue, LETTER.as_bytes());
        let run = common::run(program, &[&["-C", &file], *args].concat(), b"");
        let mut lines = told(&run, directory.path());
        lines.retain(|line| !line.contains("queue run: pid="));
        for line in &mut lines {
            if let Some(end) = line.find(" (queue run pid ") {
                line.truncate(end);
            }
        }
        let path = root().join(format!("tests/debugging/{name}.txt"));
        match std::env::var_os("EXIMIOUS_RECORD") {
            Some(_) => std::fs::write(&path, lines.join("\n") + "\n").expect("it is recorded"),
            None => wrong += &differing(name, &path, &lines),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn exim_says_what_is_recorded() {
    // Others may not see it.
    if let Some(exim) = common::onward::exim() {
        compare(&exim);
    }
}

#[test]
fn eximious_says_what_is_recorded() {
    if common::onward::exim().is_some() {
        compare(env!("CARGO_BIN_EXE_eximious"));
    }
}

#[test]
fn selectors_that_are_none_are_refused() {
    for (option, why) in [
        ("-d+bogus", "exim: unknown debug_selector setting: +bogus\n"),
        ("-dx", "exim: malformed debug_selector setting: + or - expected but found \"x\"\n"),
    ] {
        let run = common::eximious(&[option, "-be", "x"], b"");
        assert_eq!((run.status, run.err.as_str()), (Some(1), why), "{option}");
    }
}

#[test]
fn organs_tell_what_they_do() {
    let directory = lay_out("organs");
    let config = "primary_hostname = me.example\nkeep_environment =\nbegin routers\nfar:\n  driver = \
        manualroute\n  route_list = * 127.0.0.1 byname\n  self = send\n  transport = out\n\
        begin transports\nout:\n  driver = smtp\nbegin retry\n* * F,1h,5m\n";
    let file = directory.path().join("organs");
    std::fs::write(&file, config).expect("a file");
    let file = file.display().to_string();
    for (args, words) in [
        (
            ["-d-all+exec", "-be", "${run{/bin/echo a b}}"].as_slice(),
            ["direct command:\n", "  argv[1] = 'a'\n", "status=0, 4 bytes"].as_slice(),
        ),
        (&["-d-all+exec", "-be", "${run{/nosuch/x}}"], &["  argv[0] = '/nosuch/x'\n"]),
        (&["-d-all+interface", "-bt", "a@b.example"], &["local interface address is 127.0.0.1\n"]),
        (&["-d-all+load", "-be", "$load_average"], &["system load average = "]),
        (&["-d-all+memory", "-be", "${lc:A}"], &["expansion: 1 steps, "]),
        (
            &["-d-all+resolver", "-be", "${lookup dnsdb{a=nosuch.invalid}{$value}{none}}"],
            &[";; nosuch.invalid IN A: "],
        ),
        (&["-d-all+retry", "-brt", "a.b"], &["retry rule for a.b: *\n"]),
        (&["-d-all+retry", "-brt", "a.b", "quota"], &["retry rule for a.b: *\n"]),
    ] {
        let args: Vec<&str> = ["-C", &file].iter().chain(args).copied().collect();
        let told = common::run(env!("CARGO_BIN_EXE_eximious"), &args, b"").err;
        for word in words {
            assert!(told.contains(word), "{args:?}: {told}");
        }
    }
}

#[test]
fn sessions_tell_of_ident_tls_memory_and_themselves() {
    // Nobody answers there.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = closed.expect("a port").port();
    let options = format!(
        "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
         acl_smtp_rcpt = accept\nrfc1413_hosts = *\nrfc1413_query_timeout = 5s\n\
         rfc1413_port = {port}\nsmtp_load_reserve = 1000000\n\
         log_selector = +smtp_connection\n"
    );
    let daemon = Daemon::start(
        Path::new(env!("CARGO_BIN_EXE_eximious")),
        &options,
        &["-bdf", "-oX", "127.0.0.1.PORT", "-d-all+ident+tls+memory+process_info+load"],
    );
    let mut client = daemon.client();
    client.hear();
    client.go_through(&["EHLO x", "STARTTLS"]);
    assert!(client.seal(&Wishes::default()).starts_with("(tls "));
    client.go_through(&["EHLO x", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "QUIT"]);
    daemon.await_log("QUIT");
    let told = daemon.said();
    for word in [
        "doing ident callback",
        "ident connection to 127.0.0.1 failed: ",
        "TLS session established: ",
        "transaction: ",
        "handling incoming connection from ",
        "handling TLS incoming connection from ",
        "system load average = ",
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

/// What a daemon shows with `-v` of one message.
fn shown_by_daemon(program: &Path) -> Vec<String> {
    let options = "acl_smtp_rcpt = rcpt\nlog_selector = +smtp_connection +arguments\n\
        begin acl\nrcpt:\n  deny local_parts = no\n  accept logwrite = written\n\
        begin routers\ndrop:\n  driver = redirect\n  data = :blackhole:\n";
    let daemon = Daemon::start(program, options, &["-v", "-bd", "-oX", "127.0.0.1.PORT"]);
    let mut client = daemon.client();
    client.hear();
    client.go_through(&["EHLO x", "MAIL FROM:<a@b.test>"]);
    assert!(client.say("RCPT TO:<no@d.test>").starts_with("550"));
    client.go_through(&["RCPT TO:<c@d.test>"]);
    client.go_through(&["DATA", "Subject: x\r\n\r\nhi\r\n."]);
    daemon.await_log("Completed");
    client.go_through(&["QUIT"]);
    daemon.await_log("QUIT");
    let said = daemon.said();
    // Each line has the number of who says it in front.
    let plain = |line: &str| {
        let (head, rest) = line.trim_start().split_once(' ')?;
        head.parse::<u32>().ok()?;
        let rest = rest.split(" S=").next().unwrap_or(rest);
        let rest = rest.split(" D=").next().unwrap_or(rest);
        let is_shown = ["LOG: ", "  ", "delivering "].iter().any(|word| rest.starts_with(word));
        is_shown.then(|| without_ids(rest))
    };
    // A line of the log stands below the log's name.
    let mut lines: Vec<String> = Vec::new();
    for line in said.lines().filter_map(plain) {
        match lines.last_mut() {
            Some(last) if line.starts_with("  ") => last.push_str(&line),
            _ => lines.push(line),
        }
    }
    // How it was called, and in whose name, is each one's own.
    let own = ["daemon started", "args: ", "lost privilege"];
    lines.retain(|line| !own.iter().any(|word| line.contains(word)));
    lines
}

#[test]
fn a_daemon_shows_its_log_and_its_deliveries_to_who_looks_on() {
    let ours = shown_by_daemon(Path::new(env!("CARGO_BIN_EXE_eximious")));
    for line in [
        "LOG: smtp_connection MAIN  SMTP connection from [127.0.0.1] (TCP/IP connection count = 1)",
        "LOG: MAIN  written",
        "LOG: MAIN  => :blackhole: <c@d.test> R=drop",
    ] {
        assert!(ours.iter().any(|one| one == line), "{line}: {ours:#?}");
    }
    if let Some(exim) = common::reference() {
        assert_eq!(ours, shown_by_daemon(Path::new(&exim)));
    }
}
