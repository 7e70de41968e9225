//! What the logs say of deliveries where each selector is set: the main log, and the messages'
//! own logs, of both programs.

use std::fs;

use eximious_tests::daemons::undated;
use eximious_tests::hosts::Host;

use crate::common::spool::{Place, exim};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "primary_hostname = me.test\nspool_directory = DIR/spool\n\
    log_file_path = DIR/%slog\nkeep_environment =\ntls_advertise_hosts =\n\
    received_header_text = x\ncheck_spool_space = 0\ncheck_log_space = 0\nlog_selector = +all\n\
    queue_run_in_order\nMORE\n\
    begin routers\n\
    failing:\n driver = redirect\n local_parts = fail\n data = :fail: not here\n allow_fail\n\
    later:\n driver = redirect\n local_parts = later\n data = :defer: not now\n allow_defer\n\
    cold:\n driver = redirect\n local_parts = cold\n data = :freeze: cold\n allow_freeze\n\
    gone:\n driver = redirect\n local_parts = gone\n data = :blackhole:\n\
    several:\n driver = redirect\n local_parts = all\n data = here, here2@me.test, r@far.test\n\
    direct:\n driver = redirect\n local_parts = direct\n file_transport = file\n\
    \x20pipe_transport = pipe\n data = /dev/null, DIR/filed, \"|/bin/cat\"\n\
    twice:\n driver = accept\n local_parts = twice\n unseen\n transport = box\n\
    far:\n driver = manualroute\n domains = far.test\n route_list = * 127.0.0.1\n self = send\n\
    \x20transport = far\n\
    full:\n driver = manualroute\n domains = full.test\n route_list = * 127.0.0.1\n self = send\n\
    \x20transport = full\n\
    dead:\n driver = manualroute\n domains = dead.test\n route_list = * 127.0.0.1\n self = send\n\
    \x20transport = dead\n\
    here:\n driver = accept\n local_parts = here : here2 : twice : s\n transport = box\n\
    closed:\n driver = accept\n local_parts = closed\n transport = closed\n\
    false:\n driver = accept\n local_parts = false\n transport = false\n\
    tempfail:\n driver = accept\n local_parts = tempfail\n transport = tempfail\n\
    begin transports\n\
    box:\n driver = appendfile\n file = /dev/null\n user = Debian-exim\n\
    file:\n driver = appendfile\n user = Debian-exim\n\
    pipe:\n driver = pipe\n user = Debian-exim\n return_output\n\
    closed:\n driver = appendfile\n file = /nonexistent/x/y\n user = Debian-exim\n\
    false:\n driver = pipe\n command = /bin/false\n user = Debian-exim\n\
    tempfail:\n driver = pipe\n command = /bin/sh -c \"exit 75\"\n user = Debian-exim\n\
    far:\n driver = smtp\n port = PLAIN\n hosts_try_fastopen =\n\
    full:\n driver = smtp\n port = FULL\n hosts_try_fastopen =\n hosts_try_prdr = *\n\
    \x20hosts_try_auth = *\n authenticated_sender = who@me.test\n\
    dead:\n driver = smtp\n port = 1\n hosts_try_fastopen =\n\
    begin retry\n* * F,1h,10m\n\
    begin authenticators\nplain:\n driver = plaintext\n public_name = PLAIN\n\
    \x20client_send = ^u^p\n SETID\n";

const PLAIN: &str = "EHLO=250-me\\n250-PIPELINING\\n250 SIZE;RCPT TO:<bad=550 \"no\" \\here;\
    RCPT TO:<later=450 later;.=250 took \"it\" all";

const FULL: &str = "EHLO=250-me\\n250-PIPELINING\\n250-PRDR\\n250-CHUNKING\\n250-DSN\\n\
    250 AUTH PLAIN;AUTH=235 ok;RCPT TO:<bad=550 no;BDAT=250 chunk";

/// To whom a message goes at once.
const RECIPIENTS: &[&str] = &[
    "here@me.test",
    "fail@me.test",
    "later@me.test",
    "cold@me.test",
    "gone@me.test",
    "all@me.test",
    "direct@me.test",
    "twice@me.test",
    "x@far.test",
    "bad@far.test",
    "later@far.test",
    "x@far.test bad@far.test here@me.test later@far.test",
    "x@dead.test",
    "x@full.test",
    "x@full.test y@full.test bad@full.test",
    "x@full.test bad@full.test",
    "closed@me.test",
    "false@me.test",
    "tempfail@me.test",
    "nobody@me.test",
];

/// Times, numbers and names are each run's own.
fn line_of(line: &str) -> String {
    let line = undated(line);
    // Parts of a second, and the process.
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let line = line
        .strip_prefix('[')
        .map_or(line, |rest| rest.split_once("] ").map_or(line, |(_, rest)| rest));
    let words = line.split(' ').map(|word| {
        let is_time = |value: &str| {
            let value = value.strip_suffix('s').or_else(|| value.strip_suffix("s:"));
            value.is_some_and(|value| value.parse::<f32>().is_ok())
        };
        match word.split_once('=') {
            Some((name @ ("QT" | "DT" | "RT"), value)) if is_time(value) => {
                format!("{name}=…{}", if value.ends_with(':') { ":" } else { "" })
            }
            Some((name @ ("S" | "Ci" | "pid" | "id*"), _)) => format!("{name}=…"),
            Some(("R", value)) if value.len() == 23 => "R=…".to_owned(),
            Some(("I", value)) => {
                let (address, rest) = value.split_once("]:").unwrap_or((value, ""));
                let end = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("I={address}]:…{end}")
            }
            _ if word.len() == 23 && word.matches('-').count() == 2 => "…".to_owned(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What a program logs.
fn logged(program: &str, more: &str, id: &str) -> String {
    let (plain, full) = (Host::new(PLAIN), Host::new(FULL));
    let place = Place::new("");
    let directory = place.directory.path().display().to_string();
    let ports = [plain.played.port, full.played.port].map(|port| port.to_string());
    let config = CONFIG.replace("DIR", &directory).replace("MORE", more).replace("SETID", id);
    let config = config.replace("= PLAIN\n h", &format!("= {}\n h", ports[0]));
    fs::write(&place.config, config.replace("FULL", &ports[1])).expect("a configuration");
    for to in RECIPIENTS {
        let to: Vec<&str> = to.split(' ').collect();
        let args = [&["-odi", "-f", "s@me.test"][..], &to].concat();
        place.run(program, &args, "Subject: x\n\nx\n");
    }
    for step in ["-q", "-qff"] {
        place.run(program, &[step], "");
    }
    let mut all = fs::read_to_string(place.path("mainlog")).unwrap_or_default();
    all += "own logs:\n";
    let own = place.files("msglog");
    own.values().for_each(|log| all += &String::from_utf8_lossy(log));
    for (port, name) in ports.iter().zip(["PLAIN", "FULL"]) {
        all = all.replace(port.as_str(), name);
    }
    let all = all.replace(&directory, "DIR").replace(program, "exim");
    // Deliveries have no process of their own here.
    let lines =
        all.lines().filter(|line| !line.contains("lost privilege") && !line.contains("cwd="));
    lines.map(|line| line_of(line) + "\n").collect()
}

#[test]
fn every_field_is_there() {
    let Some(exim) = exim() else { return };
    for (more, id) in [("", ""), ("", "client_set_id = id"), ("split_spool_directory", "")] {
        let [own, real] = [OURS, &exim].map(|program| logged(program, more, id));
        for (own, real) in own.lines().zip(real.lines()) {
            assert_eq!(own, real, "{more} {id}");
        }
        assert_eq!(own.lines().count(), real.lines().count(), "{more} {id}");
    }
}
