//! Where local transports run, and what comes of options that make no sense when a message is
//! to be delivered: what both programs deliver, log and try again.

use std::fs;

use eximious_tests::daemons::{undated, without_ids};

use crate::common::spool::{Place, exim};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const MAIN: &str = "primary_hostname = me.test\nspool_directory = DIR/spool\n\
    log_file_path = DIR/%slog\nkeep_environment =\ntls_advertise_hosts =\n\
    received_header_text = x\ncheck_spool_space = 0\ncheck_log_space = 0\nqueue_run_in_order\n\
    log_selector = -queue_run\nnever_users = games\nbegin routers\n";

const SHOWS: &str = "driver = pipe\n user = Debian-exim\n return_output\n \
    command = /bin/sh -c \"pwd; echo $home; env | grep HOME\"";

const NO: &str = "${lookup{x}lsearch{/nonexistent}}";

/// What a router says, and what its transport does.
const CASES: &[(&str, &str)] = &[
    ("", "SHOWS\n home_directory = /tmp"),
    ("", "SHOWS\n current_directory = /tmp"),
    ("", "SHOWS\n home_directory = /var\n current_directory = /tmp"),
    ("transport_home_directory = /usr\n transport_current_directory = /etc", "SHOWS"),
    (
        "transport_home_directory = /usr\n transport_current_directory = /etc",
        "SHOWS\n home_directory = /var",
    ),
    (
        "transport_home_directory = /usr\n transport_current_directory = /etc",
        "SHOWS\n current_directory = /tmp",
    ),
    ("transport_home_directory = /usr", "SHOWS"),
    ("transport_home_directory = /usr\n transport_current_directory = $home/share", "SHOWS"),
    ("transport_home_directory = ${if eq{1}{1}{/usr}}", "SHOWS"),
    ("transport_home_directory = relative", "SHOWS"),
    ("transport_current_directory = NO", "SHOWS"),
    ("router_home_directory = /usr", "SHOWS"),
    ("router_home_directory = /usr", "SHOWS\n home_directory = $home/share"),
    ("", "SHOWS\n home_directory = relative"),
    ("", "SHOWS\n current_directory = relative"),
    ("", "SHOWS\n home_directory = ${if eq{a}{b}{x}fail}"),
    ("", "SHOWS\n current_directory = ${if eq{a}{b}{x}fail}"),
    ("", "SHOWS\n home_directory = $acl_m_none"),
    ("", "SHOWS\n current_directory = /nonexistent"),
    ("", "SHOWS\n home_directory = /nonexistent"),
    ("", "SHOWS\n current_directory = /root"),
    ("", "driver = appendfile\n file = BOX\n USER\n home_directory = /nonexistent"),
    ("", "driver = appendfile\n file = BOX\n USER\n current_directory = /root"),
    ("", "driver = appendfile\n file = BOX\n USER\n current_directory = NO"),
    (
        "",
        "driver = autoreply\n to = s@me.test\n subject = x\n USER\n home_directory = /nonexistent",
    ),
    ("", "driver = lmtp\n command = /bin/true\n USER\n current_directory = /nonexistent"),
    (
        "",
        "driver = smtp\n hosts = 127.0.0.1\n port = 1\n hosts_try_fastopen =\n \
        home_directory = /nonexistent",
    ),
    // Options that make no sense.
    ("", "driver = appendfile\n file = NO\n USER"),
    ("", "driver = appendfile\n file = DIR/mail/$local_part\n USER"),
    ("", "driver = appendfile\n file = relative\n USER"),
    ("", "driver = appendfile\n directory = /nonexistent/dir\n USER"),
    ("", "driver = appendfile\n file = BOX\n USER\n quota = NO"),
    ("", "driver = appendfile\n file = BOX\n USER\n message_size_limit = NO"),
    ("", "driver = appendfile\n file = BOX\n USER\n return_path = NO"),
    ("", "driver = appendfile\n file = BOX\n USER\n transport_filter = /nonexistent/filter"),
    ("", "driver = appendfile\n file = BOX\n user = games\n group = games"),
    ("", "driver = appendfile\n file = BOX\n user = NO\n group = games"),
    ("", "driver = pipe\n command = /bin/sh -c \"NO\"\n USER"),
    ("", "driver = pipe\n command = NO\n USER"),
    ("", "driver = pipe\n command = relative\n USER"),
    ("", "driver = pipe\n command = /nonexistent/command\n USER"),
    ("", "driver = pipe\n command = /nonexistent/command\n freeze_exec_fail\n USER"),
    ("", "driver = pipe\n command = /bin/true\n environment = NO\n USER"),
    ("", "driver = pipe\n command = true\n path = NO\n USER"),
    ("", "driver = pipe\n command = /bin/sleep 3\n timeout = 1s\n USER"),
    ("", "driver = pipe\n command = /bin/sleep 3\n timeout = 1s\n timeout_defer\n USER"),
    ("", "driver = autoreply\n to = NO\n USER"),
    ("", "driver = lmtp\n socket = NO\n USER"),
    ("", "driver = lmtp\n socket = /nonexistent/socket\n USER"),
    ("", "driver = lmtp\n command = /nonexistent/command\n USER"),
    ("", "driver = smtp\n hosts = NO"),
    ("", "driver = smtp\n hosts = 127.0.0.1\n port = NO\n allow_localhost"),
    ("", "driver = smtp\n hosts = 127.0.0.1\n interface = NO\n allow_localhost"),
];

/// What a program makes of a case: its logs, and what a command wrote.
fn told(program: &str, (router, transport): (&str, &str)) -> Vec<String> {
    let place = Place::new("");
    let directory = place.directory.path().display().to_string();
    let config = format!(
        "{MAIN}s:\n driver = accept\n local_parts = s\n transport = box\n\
         r:\n driver = accept\n transport = t\n {router}\n\
         begin transports\nbox:\n driver = appendfile\n file = DIR/mail/box\n USER\n\
         t:\n {transport}\nbegin retry\n* * F,2h,10m\n"
    );
    let config = config.replace("SHOWS", SHOWS).replace("BOX", "DIR/mail/other");
    let config = config.replace("USER", "user = Debian-exim");
    let config = config.replace("= NO", &format!("= {NO}")).replace("\"NO\"", &format!("\"{NO}\""));
    fs::write(&place.config, config.replace("DIR", &directory)).expect("a configuration");
    place.run(program, &["-odq", "-f", "s@me.test", "a@me.test"], "Subject: x\n\nx\n");
    for _ in 0..2 {
        place.run(program, &["-q"], "");
    }
    let mut all = Vec::new();
    for name in ["mainlog", "paniclog", "mail/box"] {
        let text = fs::read_to_string(place.path(name)).unwrap_or_default();
        let text = text.replace(&directory, "DIR");
        let lines: Vec<&str> = match name {
            // What the command wrote, and nothing else of a report.
            "mail/box" => text.lines().filter(|line| line.starts_with('/')).collect(),
            _ => text.lines().collect(),
        };
        all.push(name.to_owned());
        let mut lines: Vec<String> = lines
            .into_iter()
            .filter(|line| !line.contains("lost privilege") && !line.ends_with(" Completed"))
            .map(|line| {
                let line = without_ids(undated(line));
                let words = line.split(' ').map(|word| match word.split_once("temp.") {
                    Some((head, _)) => format!("{head}temp.…"),
                    None if word.starts_with("S=") => "S=…".to_owned(),
                    None if word.starts_with("R=") && word.len() == 25 => "R=…".to_owned(),
                    None => word.to_owned(),
                });
                words.collect::<Vec<_>>().join(" ")
            })
            .collect();
        // Reports are delivered by a process of their own there.
        lines.sort();
        all.extend(lines);
    }
    all
}

#[test]
fn transports_run_where_they_are_told_to() {
    let Some(exim) = exim() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut wrong = String::new();
    for case in CASES {
        let [own, real] = [OURS, &exim].map(|program| told(program, *case));
        if own != real {
            wrong += &format!("{case:?}\n");
            let only = |one: &[String], other: &[String], sign: char| -> String {
                let lines = one.iter().filter(|line| !other.contains(line));
                lines.map(|line| format!("  {sign} {line}\n")).collect()
            };
            wrong += &only(&real, &own, '-');
            wrong += &only(&own, &real, '+');
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
