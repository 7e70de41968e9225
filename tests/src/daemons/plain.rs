//! Texts of daemons without what depends on the moment, on the computer, on the program's name or
//! on the library that it has.

use std::sync::OnceLock;

use regex::Regex;

use super::Daemon;
use crate::tls;

/// What a daemon calls itself in its log, and in its banner.
const OWN_DAEMON: &str = concat!("exim 4.100-eximious-", env!("CARGO_PKG_VERSION"), " daemon");
const OWN_NAME: &str = concat!("Exim 4.100-eximious-", env!("CARGO_PKG_VERSION"));

/// A text without what depends on the moment, on the computer, or on the program's
/// name.
pub(super) fn plain(text: &str, daemon: &Daemon) -> String {
    let mut out = String::new();
    // A run of the queue that a real Exim starts may not have the superuser's rights with
    // another configuration.
    for line in text.lines().filter(|line| !line.contains("lost privilege for using -C")) {
        let line = line.replace(&daemon.path().display().to_string(), "DIR");
        let line = match line.contains("eximious-certificates") {
            true => line.replace(&tls::certificates().display().to_string(), "CERTS"),
            false => line,
        };
        let line = line.replace(&daemon.port.to_string(), "PORT");
        let mut line = undated(&line).to_owned();
        for (from, to) in [
            ("exim 4.98.2 daemon", "PROGRAM daemon"),
            (OWN_DAEMON, "PROGRAM daemon"),
            ("Exim 4.98.2", "VERSION"),
            (OWN_NAME, "VERSION"),
        ] {
            line = line.replace(from, to);
        }
        let pid_ends = if line.contains("queue run:") { ' ' } else { ',' };
        for (head, stop) in [
            ("pid=", pid_ends),
            ("pid ", ':'),
            ("Ci=", ' '),
            ("load average = ", '\n'),
            ("load average ", '\n'),
            ("space=", ' '),
            ("inodes=", '\n'),
            (" VERSION ", '\n'),
            (" S=", ' '),
            ("D=", ' '),
        ] {
            line = without_value(&line, head, stop);
        }
        line = without_library(&without_ids(&line));
        // `Fri, 20 Nov 2026 17:57:28 +0000`, in a header line.
        if line.len() == 32 && line.starts_with('\t') && line[4..].starts_with(", ") {
            line = "\t(a date)".to_owned();
        }
        line = without_client_port(&line, daemon.port);
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// A line without the time before it.
pub fn undated(line: &str) -> &str {
    let stamp = line.as_bytes().get(..20).unwrap_or_default();
    let dated = stamp.len() == 20 && stamp[4] == b'-' && stamp[10] == b' ' && stamp[13] == b':';
    if dated { &line[20..] } else { line }
}

/// A line without what stands between a mark and the next stop.
fn without_value(line: &str, mark: &str, stop: char) -> String {
    let Some(at) = line.find(mark) else { return line.to_owned() };
    let start = at + mark.len();
    let end = line[start..].find(stop).map_or(line.len(), |end| start + end);
    format!("{}*{}", &line[..start], &line[end..])
}

/// A line without what each library of TLS says in its own way: a real Exim's is not
/// ours. Names of ciphers and reasons of faults are theirs, and so is how a client is
/// told of one.
pub fn without_library(line: &str) -> String {
    static FORMS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        let form = |(form, with)| (Regex::new(form).expect("a regular expression"), with);
        LIBRARY.iter().copied().map(form).collect()
    });
    let mut line = line.to_owned();
    for (form, with) in forms {
        line = form.replace_all(&line, *with).into_owned();
    }
    line
}

const LIBRARY: &[(&str, &str)] = &[
    (r"\b(TLS1\.\d):[A-Za-z0-9_()-]+:(\d+)", "$1:CIPHER:$2"),
    (r"\bTLS_[A-Z0-9_]+\b", "CIPHER"),
    (r"\((gnutls_handshake|SSL_accept)\): .*", "(handshake): WHY"),
    (r"\((gnutls_handshake|SSL_connect)\): .*", "(handshake): WHY"),
    (r"\((recv|SSL_read)\): .*", "(read): WHY"),
    (r"\((send|SSL_write)\): .*", "(write): WHY"),
    (r"\((cert/key setup: [^)]*)\): .*", "($1): WHY"),
    (r"\((gnutls_priority_init|SSL_CTX_set_cipher_list)\(.*", "(ciphers): WHY"),
];

/// A line with `ID` for the name of each message.
pub fn without_ids(line: &str) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(|word| {
            let id = word.strip_prefix("id=").unwrap_or(word);
            let id = id.strip_suffix(';').unwrap_or(id);
            let parts: Vec<usize> = id.split('-').map(str::len).collect();
            let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            match plain && parts == [6, 11, 4] {
                true => word.replace(id, "ID"),
                false => word.to_owned(),
            }
        })
        .collect();
    words.join(" ")
}

/// A line without the port of a client: `[127.0.0.1]:12345`.
fn without_client_port(line: &str, own: u16) -> String {
    let Some(at) = line.find("]:") else { return line.to_owned() };
    let digits = line[at + 2..].bytes().take_while(u8::is_ascii_digit).count();
    let port = &line[at + 2..at + 2 + digits];
    if digits == 0 || port == own.to_string() {
        return line.to_owned();
    }
    format!("{}]:*{}", &line[..at], &line[at + 2 + digits..])
}
