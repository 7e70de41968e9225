//! Signatures of DKIM: made by a transport, and verified where they come in.

mod arriving;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use regex::Regex;

use super::{Form, Quarry};
use crate::dice::Dice;
use crate::escapes::escaped;
use crate::keys;

/// Lines of headers, without their ends.
const FIELDS: &[&[u8]] = &[
    b"From: a@keys.odd",
    b"from:b@keys.odd",
    b"FROM: \t A <a@keys.odd>  ",
    b"From:\n a@keys.odd,\n\tb@keys.odd",
    b"To: b@me.test",
    b"To: b@me.test,\n  c@me.test",
    b"TO:   d@me.test\t",
    b"To:",
    b"Cc: c@me.test",
    b"Subject: one",
    b"Subject:  two  words \t ",
    b"Subject:\n  folded\n\tthrice\n   here",
    b"subject: a\n \n b",
    b"Subject: gr\xc3\xbcn",
    b"Subject: \xff\xfe x",
    b"Subject:",
    b"Subject: a:b;c=d",
    b"Date: 26 Nov 2026 12:00:00 +0000",
    b"Message-ID: <a@keys.odd>",
    b"X-Empty:",
    b"X-Empty:   ",
    b"X-A: 1",
    b"X-A: 2",
    b"x-a:3",
    b"List-Id: <x>",
    b"Received: from x by y",
    b"Reply-To: r@me.test\n ",
    b"MIME-Version: 1.0",
    b"Content-Type: text/plain;\n\tcharset=\"utf-8\"",
    b"Resent-From: r@me.test",
    b"Sender: s@me.test",
    b"References: <1@x> <2@x>\n  <3@x>",
];

/// Lines of bodies, without their ends.
const LINES: &[&[u8]] = &[
    b"text",
    b"text",
    b"two  words",
    b"blanks at its end  ",
    b"a tab at its end\t",
    b" before",
    b"",
    b"",
    b" ",
    b"\t \t",
    b".",
    b"..",
    b".x",
    b"From x",
    b"\xc3\xa4\xff",
    b"a\x00b",
];

/// A line that is there in any case: of a body with nothing in it, the real one makes a hash of
/// its own.
const TEXT: &[u8] = b"some text";

/// Fields with a `From` among them, and a body of lines.
struct Mail {
    fields: Vec<Vec<u8>>,
    lines: Vec<Vec<u8>>,
}

impl Mail {
    fn some(rng: &mut Rng) -> Self {
        let mut fields: Vec<Vec<u8>> =
            (0..rng.usize(..6)).map(|_| one(rng, FIELDS).to_vec()).collect();
        fields.insert(rng.usize(..=fields.len()), b"From: a@keys.odd".to_vec());
        if rng.chance(8) {
            let long = rng.pick(&["7", "word ", "w\n "]).repeat(rng.usize(80..200));
            fields.push([b"X-Long: ", long.trim_end().as_bytes()].concat());
        }
        let mut lines: Vec<Vec<u8>> =
            (0..rng.usize(..6)).map(|_| one(rng, LINES).to_vec()).collect();
        lines.insert(rng.usize(..=lines.len()), TEXT.to_vec());
        if rng.chance(8) {
            lines.push(rng.pick(&["7", "word ", " "]).repeat(rng.usize(50..180)).into());
        }
        Self { fields, lines }
    }
}

fn one<'a>(rng: &mut Rng, from: &[&'a [u8]]) -> &'a [u8] {
    from[rng.usize(..from.len())]
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    match rng.chance(2) {
        true => leaving(rng),
        false => arriving::make(rng),
    }
}

/// What is said of keys that are none: the real one has words of the library that it was built
/// with, and names signatures that it did not make.
pub(super) fn unworded(lines: Vec<String>) -> Vec<String> {
    let is_signed =
        |line: &String| line.starts_with(['D', 'B']) && line.contains(": DKIM-Signature: v=1; a=");
    if lines.iter().any(is_signed) || !lines.iter().any(|line| line.starts_with("-- mainlog")) {
        return lines;
    }
    static SIGNED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r" DKIM=.*?( C=|$)").expect("a pattern"));
    let is_library = |line: &String| {
        line.contains("signing_init: privkey") || line.contains("signing: Public key signing")
    };
    let lines = lines.into_iter().filter(|line| !is_library(line));
    let said = |line: String| {
        let line = line
            .replace("DKIM: signing failed: PRIVKEY", "DKIM: the private key makes no sense")
            .replace("DKIM: signing failed: SIGNING", "the private key is too short");
        SIGNED.replace(&line, "$1").into_owned()
    };
    lines.map(said).collect()
}

/// Waits for a second to begin.
pub(super) fn await_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    std::thread::sleep(Duration::from_secs(1) - Duration::from_nanos(now.subsec_nanos().into()));
}

const DOMAINS: &[&str] = &[
    "keys.odd",
    "keys.odd",
    "keys.odd : b.test",
    "<; a.test ; b.test",
    "a.test : : b.test",
    "MiXeD.test",
    ":",
    "",
    "$sender_address_domain",
    "$domain",
    "${domain:$h_from:}",
    "${if eq{1}{2}{x}fail}",
    "${nosuch:x}",
    "a-domain-that-is-long.where-lines-end.test",
    "x_y.test : a b",
    "*.test",
];

const SELECTORS: &[&str] = &[
    "s",
    "s",
    "s",
    "s : t",
    "s : t : s",
    "S : s",
    "a-selector-that-is-long",
    "s.sub",
    "<; s ; t",
    "",
    "$dkim_domain",
    "${if eq{$dkim_domain}{b.test}{x}{s}}",
    "${if eq{$dkim_domain}{b.test}{x}}",
    "${if eq{$dkim_domain}{b.test}{x}fail}",
    "${nosuch:x}",
];

const PRIVATE: &[&str] = &[
    "DIR/key",
    "DIR/key",
    "DIR/key",
    "DIR/key",
    "DIR/other",
    "${readfile{DIR/key}}",
    "${if eq{$dkim_selector}{t}{DIR/other}{DIR/key}}",
    "${if eq{$dkim_domain}{b.test}{DIR/other}{DIR/key}}",
    "${if eq{$dkim_domain}{b.test}{0}{DIR/key}}",
    "${if eq{$dkim_domain}{b.test}{DIR/nowhere}{DIR/key}}",
    "${if eq{$dkim_selector}{t}{DIR/junk}{DIR/key}}",
    "${if eq{$dkim_selector}{t}{DIR/key}fail}",
    "0",
    "false",
    "",
    "no",
    "DIR/nowhere",
    "DIR/junk",
    "DIR/empty",
    "DIR",
    "${nosuch:x}",
];

const OPTIONS: &[&str] = &[
    "dkim_canon = relaxed",
    "dkim_canon = simple",
    "dkim_canon = simple",
    "dkim_canon = Relaxed",
    "dkim_canon = simple/relaxed",
    "dkim_canon =",
    "dkim_canon = ${if eq{$dkim_selector}{s}{simple}{relaxed}}",
    "dkim_canon = ${if eq{1}{2}{x}fail}",
    "dkim_hash = sha256",
    "dkim_hash = sha512",
    "dkim_hash = sha512",
    "dkim_hash = SHA256",
    "dkim_hash = md5",
    "dkim_hash =",
    "dkim_hash = ${if eq{$dkim_selector}{s}{sha512}{sha256}}",
    "dkim_identity = a@keys.odd",
    "dkim_identity = @sub.keys.odd",
    "dkim_identity =",
    "dkim_identity = $sender_address",
    "dkim_identity = someone-with-a-name-that-is-long@an.even-longer-domain.of-more.keys.odd",
    "dkim_identity = ${if eq{1}{2}{x}fail}",
    "dkim_strict = 0",
    "dkim_strict = no",
    "dkim_strict =",
    "dkim_timestamps = 1209600",
    "dkim_timestamps = 0",
    "dkim_timestamps =",
    "dkim_timestamps = -5",
    "dkim_timestamps = 1d",
    "headers_add = X-A: ${local_part}\\nList-Id: y",
    "headers_add = X-D: $dkim_domain",
    "headers_remove = subject : x-a",
    "headers_rewrite = *@keys.odd $1@new.test f",
    "return_path_add",
    "hosts_try_chunking =",
    "transport_filter = /usr/bin/tr t T",
    "message_linelength_limit = 100",
    "size_addition = 0",
];

/// Names for the list of fields that are signed.
const NAMES: &[&str] = &[
    "From",
    "from",
    "FROM",
    "To",
    "Subject",
    "Cc",
    "X-A",
    "X-None",
    "X-Empty",
    "Date",
    "X-Long",
    "Message-ID",
    "Received",
    "Reply-To",
    "List-Id",
    "MIME-Version",
    "Resent-From",
    "Sender",
];

fn sign_headers(rng: &mut Rng) -> String {
    let names = |rng: &mut Rng, signs: &[&str], between: &str| {
        rng.some(1, 8, between, |rng| format!("{}{}", rng.pick(signs), rng.pick(NAMES)))
    };
    let signs = ["", "", "", "=", "+"];
    match rng.u32(..8) {
        0 => "_DKIM_OVERSIGN_HEADERS".to_owned(),
        1 => format!("_DKIM_SIGN_HEADERS:{}", names(rng, &signs, ":")),
        // The real one knows no other separator, and no sign behind a blank.
        2 => names(rng, &[""], " : "),
        3 => "${if def:h_subject:{Subject:}}From".to_owned(),
        4 => rng.pick(&["", "${if eq{1}{2}{x}fail}", "${nosuch:x}"]).to_owned(),
        _ => names(rng, &signs, ":"),
    }
}

/// The routers, and what comes before the options of the transport.
const ROUTES: &str = "acl_not_smtp_start = fix\nbegin acl\nfix:\n  \
    accept control = suppress_local_fixups\nbegin routers\naway:\n  driver = manualroute\n  \
    route_list = * 127.0.0.1\n  self = send\n  transport = smtp\nbegin transports\nsmtp:\n  \
    driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  allow_localhost";

/// Messages that a transport signs. Nothing is added to them that a clock would say.
fn leaving(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## signing\n+++\nreceived_header_text =");
    quarry.loose("log_selector = +dkim_verbose");
    quarry.fixed(ROUTES);
    quarry.fixed(format!("  dkim_domain = {}", rng.pick(DOMAINS)));
    quarry.fixed(format!("  dkim_selector = {}", rng.pick(SELECTORS)));
    let private = rng.pick(PRIVATE);
    quarry.fixed(format!("  dkim_private_key = {private}"));
    if rng.chance(2) {
        quarry.loose(format!("  dkim_sign_headers = {}", sign_headers(rng)));
    }
    for option in rng.options(6, OPTIONS) {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed("begin retry\n* * F,5d,1h");
    // With such a key the real one makes signatures of an algorithm that there is not.
    let takes_any = !quarry.text().contains("sha512");
    for file in ["key", "other"] {
        let key = rng.pick(if takes_any { &keys::KEYS } else { &keys::KEYS[..3] });
        let text = keys::pem(key);
        let text = match rng.u32(..10) {
            0 => format!("a text before\n{text}and one behind"),
            1 => text.replace("-----\n", "-----\n\n"),
            2 => format!("{text}{}", keys::pem("rsa1024")),
            3 => text.replace("PRIVATE", "PUBLIC"),
            _ => text,
        };
        if private.contains(file) {
            quarry.fixed(format!("+++ {file}\n{}", text.trim_end()));
        }
    }
    quarry.fixed("+++ junk\njunk\n+++ empty");
    quarry.fixed("? -odi -oi -f a@keys.odd b@me.test");
    let Mail { fields, lines } = Mail::some(rng);
    for field in fields {
        quarry.loose(format!("> {}\\n", escaped(&field)));
    }
    quarry.fixed("> \\n");
    let (last, count) = (rng.chance(4), lines.len());
    for (number, line) in lines.into_iter().enumerate() {
        let end = if last && number + 1 == count { "" } else { "\\n" };
        let text = format!("> {}{end}", escaped(&line));
        if line == TEXT {
            quarry.fixed(text)
        } else {
            quarry.loose(text)
        };
    }
    if rng.chance(3) {
        quarry.loose(format!("> \\{{{}:\\n}}", rng.usize(1..4)));
    }
    quarry.fixed("~ show=bytes");
    if rng.chance(3) {
        quarry
            .loose(format!("~ ext={}", rng.pick(&["CHUNKING", "CHUNKING,PIPELINING", "8BITMIME"])));
    }
    quarry
}
