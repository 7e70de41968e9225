//! The log for debugging (`control = debug`): the steps of expansions, beside those that
//! a real Exim tells where one is installed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::onward::exim;
use eximious_tests::cases::changes;
use tempfile::TempDir;

const CONFIG: &str = "spool_directory = DIR/spool\nlog_file_path = DIR/%slog\n\
    keep_environment =\nprimary_hostname = me.test\ntls_advertise_hosts =\n\
    acl_smtp_mail = mail\nbegin acl\n\
    mail:\n accept control = debug/opts=-all+expand/tag=.x\n  set acl_m_x = TEXT\n\
    inner:\n accept message = <$acl_arg1>\n";

/// What is expanded.
const TEXTS: &[&str] = &[
    "plain text",
    "$primary_hostname",
    "a $primary_hostname b",
    "$sender_helo_name and ${uc:$sender_helo_name}",
    "${uc:${lc:$primary_hostname}} tail",
    "a\\tb \\N$x\\N $primary_hostname",
    "\\$x \\\\ \\x41",
    "${if eq{a}{a}{yes $primary_hostname}{no}} z",
    "${if eq{a}{b}{yes}{no $sender_helo_name}}",
    "${if eq{a}{b}{${uc:x}}{y}}",
    "${if eq{a}{b}{${if eq{a}{${lc:b}}{$primary_hostname}}}{y}}",
    "${if eq{a}{b}{c}fail}",
    "${uc:${if eq{a}{b}{c}fail}}",
    "${if !eq{$primary_hostname}{}}",
    "${if and{{eq{a}{a}}{eq{b}{c}}}{y}{n}}",
    "${if and{{eq{a}{b}}{eq{b}{$primary_hostname}}}{y}{n}}",
    "${if or{{eq{a}{a}}{!eq{b}{$primary_hostname}}}{y}{n}}",
    "${if or{{eq{a}{b}}{eq{$primary_hostname}{me.test}}}{y}{n}}x",
    "${if match{abc}{b(.)}{$1 x}}",
    "$1 x",
    "${sg{abc}{b}{x}}",
    "${length_2:${uc:abc}}$primary_hostname",
    "${extract{a}{a=1 b=2}}",
    "${extract{a}{a=1 b=2}{<$value>}{none}}",
    "${acl{inner}{arg}}",
    "${nosuch:x}",
    "${uc:${nosuch:x}}",
    "${uc:a}${lc:B} ${if eq{}{}{}{x}}",
    "${expand:\\$primary_hostname x}",
    "${if def:sender_helo_name{${sender_helo_name}}}",
    "${lookup{a}lsearch{DIR/table}{<$value>}{none}}",
    "${if first_delivery}",
    "${map{a:b}{<$item>}}",
    "${filter{a:b}{eq{$item}{a}}}",
    "${reduce{1:2}{0}{${eval:$value+$item}}}",
    "${if forany{a:b}{eq{$item}{b}}{yes}}",
    "${uc:$h_subject:}$sender_address",
    "${tr{abc}{a}{b}}${hash_2:abcdef}",
    "${if eq{${uc:a}}{A}{${if eq{b}{c}{d}{$primary_hostname}}}}",
    "${substr{1}{2}{abcd}}}",
    "${if eq{a}{b}",
    "${lookup{$sender_helo_name}lsearch{DIR/table}{$value}fail}",
];

/// The steps that a program tells.
fn told(program: &Path, text: &str) -> Vec<String> {
    let directory = TempDir::with_prefix("eximious-").expect("a directory");
    let place = directory.path().display().to_string();
    std::fs::create_dir(directory.path().join("spool")).expect("a directory");
    for name in ["", "spool"] {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(directory.path().join(name), all).expect("rights");
    }
    std::fs::write(directory.path().join("table"), "a: b\n").expect("a file");
    let config = directory.path().join("exim.conf");
    let text = CONFIG.replace("TEXT", text).replace("DIR", &place);
    std::fs::write(&config, text).expect("a file");
    let mut child = Command::new(program)
        .arg("-C")
        .arg(&config)
        .args(["-bs", "-oMa", "192.0.2.1"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let _ = input.write_all(b"EHLO client.test\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n");
    drop(input);
    child.wait().expect("it ends");
    let log = std::fs::read(directory.path().join("debuglog.x")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log).replace(&place, "DIR");
    let is_step = |line: &&str| line.contains(['╭', '├', '╰']);
    log.lines().filter(is_step).map(str::to_owned).collect()
}

#[test]
fn steps_of_expansions_are_as_exims() {
    let Some(exim) = exim() else { return };
    let own = Path::new(env!("CARGO_BIN_EXE_eximious"));
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(text) = TEXTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (theirs, ours) = (told(Path::new(&exim), text), told(own, text));
                    assert!(!text.contains('$') || !theirs.is_empty(), "{text}");
                    let lines = changes(&theirs, &ours)
                        .into_iter()
                        .map(|(mark, line)| format!("{mark} {line}\n"))
                        .collect::<String>();
                    if !lines.is_empty() {
                        wrong.lock().expect("no test failed").push(format!("{text}\n{lines}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no test failed");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
