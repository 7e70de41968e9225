//! A spool that takes no message: what the client is told, what is logged, what stays.
//! The same is done to a real Exim, where there is one.

use std::path::Path;
use std::process::Command;

use crate::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// How a spool is made that is full, or can't be written, by what is wrong with it.
const SPOOLS: &[(&str, &str)] = &[
    ("space", "size=64k; mkdir $S/input; chown Debian-exim $S/input"),
    (
        "header",
        "size=64k; mkdir $S/input; chown Debian-exim $S/input; \
        dd if=/dev/zero of=$S/fill bs=4k count=15 2>/dev/null",
    ),
    ("files", "nr_inodes=3; mkdir $S/input $S/msglog; chown Debian-exim $S/input"),
    ("header_file", "nr_inodes=4; mkdir $S/input $S/msglog; chown Debian-exim $S/input"),
    ("read_only", "size=64k; mkdir $S/input; chown Debian-exim $S/input; mount -o remount,ro $S"),
    ("no_directory", "size=64k; touch $S/input"),
];

/// What comes in, and how: by DATA, in one chunk, from a program, in a batch.
fn ways(lines: usize) -> Vec<(&'static str, Vec<u8>)> {
    let text = format!("Subject: x\r\n\r\n{}", format!("{}\r\n", "0".repeat(70)).repeat(lines));
    let begin = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let end = "MAIL FROM:<e@f>\r\nQUIT\r\n";
    let data = format!("{begin}DATA\r\n{text}.\r\n{end}");
    let chunk = format!("{begin}BDAT {} LAST\r\n{text}{end}", text.len());
    vec![
        ("-oMa 192.0.2.1 -bs", data.clone().into_bytes()),
        ("-oMa 192.0.2.1 -bs", chunk.into_bytes()),
        ("-oep c@d", text.replace('\r', "").into_bytes()),
        ("-bS", data.replace('\r', "").into_bytes()),
    ]
}

#[test]
fn nothing_is_accepted_that_is_not_kept() {
    let permitted = Command::new("unshare").args(["--mount", "true"]).status();
    let user = Command::new("id").arg("Debian-exim").output();
    if !permitted.is_ok_and(|status| status.success()) || !user.is_ok_and(|id| id.status.success())
    {
        eprintln!("LEFT OUT: a place of its own is not permitted here");
        return;
    }
    let exim = common::reference();
    for (name, spool) in SPOOLS {
        for (arguments, input) in ways(if *name == "space" { 2000 } else { 1 }) {
            let said = play(Path::new(OURS), spool, arguments, &input);
            let context = format!("{name} {arguments}: {said}");
            assert!(!said.contains("250 OK id="), "{context}");
            assert!(!said.contains(" <= "), "{context}");
            assert!(!said.contains("LEFT"), "{context}");
            // A batch ends at another line, and Exim says nothing where it dies.
            if let Some(exim) = exim.as_deref().filter(|_| arguments != "-bS") {
                assert_eq!(said, play(Path::new(exim), spool, arguments, &input), "{context}");
            }
        }
    }
}

/// Whoever has got a message and can't be noted would get it again: on a full disk nobody gets
/// what goes to several, and each has it once when there is room again.
#[test]
fn nobody_has_it_twice_from_a_full_spool() {
    let permitted = Command::new("unshare").args(["--mount", "true"]).status();
    if !permitted.is_ok_and(|status| status.success()) {
        eprintln!("LEFT OUT: a place of its own is not permitted here");
        return;
    }
    let home = tempfile::TempDir::new().expect("a directory");
    let at = home.path().to_str().expect("a name");
    let config = format!(
        "spool_directory = {at}/spool\nlog_file_path = {at}/log/%slog\nkeep_environment =\n\
         primary_hostname = host.test\ncheck_spool_space = 0\ncheck_spool_inodes = 0\n\
         begin routers\nlater:\n  driver = redirect\n  local_parts = cat\n  \
         condition = ${{if exists{{{at}/ROOM}}{{no}}{{yes}}}}\n  data = :defer: not now\n  allow_defer\n\
         all:\n  driver = accept\n  transport = boxes\n\
         begin transports\nboxes:\n  driver = appendfile\n  \
         file = {at}/mail/${{if eq{{$local_part}}{{ann}}{{ann}}{{bob}}}}\n  user = nobody\n"
    );
    std::fs::write(home.path().join("conf"), config).expect("a configuration");
    let script = format!(
        "S={at}/spool; chmod 755 {at}; mkdir $S {at}/log {at}/mail; chmod 777 {at}/log {at}/mail; \
         mount -t tmpfs -o mode=777,size=64k tmpfs $S; \
         printf 'Subject: x\\n\\nMARK\\n' | {OURS} -C {at}/conf -odq -oi ann bob; \
         printf 'Subject: x\\n\\nMARK\\n' | {OURS} -C {at}/conf -odq -oi ann cat; \
         dd if=/dev/zero of=$S/fill bs=4k 2>/dev/null; {OURS} -C {at}/conf -qff; \
         grep -s MARK {at}/mail/*; rm $S/fill; echo ROOM; touch {at}/ROOM; {OURS} -C {at}/conf -qff; \
         cd {at}/mail; grep -c MARK *; find $S/input -type f"
    );
    let output = common::fed(Command::new("unshare").args(["--mount", "sh", "-c", &script]), b"");
    let said = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(home.path().join("log/mainlog")).unwrap_or_default();
    assert_eq!(said, "ROOM\nann:2\nbob:2\n", "{log}");
    let why = "defer (28): No space left on device: nothing can be noted in the journal";
    assert_eq!(log.matches(why).count(), 3, "{log}");
}

/// Has a program take a message into such a spool: what it said, how it ended, what is
/// left, and what it logged.
fn play(program: &Path, spool: &str, arguments: &str, input: &[u8]) -> String {
    let home = tempfile::TempDir::new().expect("a directory");
    let at = home.path().to_str().expect("a name");
    let config = format!(
        "spool_directory = {at}/spool\nlog_file_path = {at}/log/%slog\nkeep_environment =\n\
         primary_hostname = host.test\ntls_advertise_hosts =\nqueue_only\n\
         check_spool_space = 0\ncheck_spool_inodes = 0\ncheck_log_space = 0\n\
         check_log_inodes = 0\nacl_smtp_rcpt = accept\nreceived_header_text = Received: x\n"
    );
    std::fs::write(home.path().join("conf"), config).expect("a configuration");
    let (size, make) = spool.split_once("; ").expect("a size");
    let script = format!(
        "S={at}/spool; mkdir $S {at}/log; chmod 755 {at}; chown Debian-exim {at}/log; \
         mount -t tmpfs -o mode=755,{size} tmpfs $S; chown Debian-exim $S; {make}; \
         {} -C {at}/conf {arguments}; echo \"status $?\"; \
         find $S -type f -path '*/input/*' -printf 'LEFT %P\\n'",
        program.display()
    );
    let output = common::fed(Command::new("unshare").args(["--mount", "sh", "-c", &script]), input);
    let mut said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    for log in ["mainlog", "rejectlog", "paniclog"] {
        let text = std::fs::read_to_string(home.path().join("log").join(log)).unwrap_or_default();
        said.push_str(&format!("-- {log}\n{text}"));
    }
    let said = said.replace(at, "DIR").replace("//", "/");
    let lines = said.lines().filter(|line| !line.starts_with("220 "));
    lines.map(|line| format!("{}\n", unnamed(undated(line)))).collect()
}

/// A line without the time before it.
fn undated(line: &str) -> &str {
    let dated = |text: &str| text.starts_with("20") && text.ends_with(' ') && text.contains(':');
    match line.split_at_checked(20) {
        Some((stamp, rest)) if dated(stamp) => rest,
        _ => line,
    }
}

/// A line with `ID` for the name of each message.
fn unnamed(line: &str) -> String {
    let is_name = |text: &&str| {
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        parts == [6, 11, 4] && text.starts_with('1') && text.is_ascii()
    };
    let (mut out, mut at) = (String::new(), 0);
    while at < line.len() {
        if line.get(at..at + 23).as_ref().is_some_and(is_name) {
            out.push_str("ID");
            at += 23;
        } else {
            let next = line[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&line[at..at + next]);
            at += next;
        }
    }
    out
}
