//! Who clients say they are: authenticators of any kind, on both sides, and answers that nobody
//! expects.

mod client;
mod dovecot;
mod server;

use std::sync::LazyLock;

use fastrand::Rng;
use regex::Regex;

use super::Quarry;
use crate::dice::Dice;

pub(super) fn make(rng: &mut Rng) -> Quarry {
    match rng.u32(..5) {
        0 | 1 => client::make(rng),
        2 | 3 => server::make(rng),
        _ => dovecot::make(rng),
    }
}

/// What is said without what eximious keeps to itself, and what is another each time: what
/// stands behind AUTH in logs, and challenges.
pub(super) fn hushed(lines: Vec<String>) -> Vec<String> {
    static LAST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(last command was|last was|error in) ".*?"(,|\)| H=)"#).expect("a pattern")
    });
    static CHALLENGE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^< 334 [A-Za-z0-9+/]{40,}=*$").expect("a pattern"));
    static PORT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(\| -host_address .*\]:)\d+").expect("a pattern"));
    static PROCESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"CPID(\\t|\t)\d+").expect("a pattern"));
    let hush = |line: String| {
        let line = LAST.replace(&line, "$1 it$2").into_owned();
        let line = PORT.replace(&line, "${1}PORT").into_owned();
        let line = PROCESS.replace(&line, "CPID${1}N").into_owned();
        CHALLENGE.replace(&line, "< 334 CHALLENGE").into_owned()
    };
    // What could not be expanded is told in a line that has an end of its own.
    lines.into_iter().filter(|line| !line.is_empty()).map(hush).collect()
}

/// Something in base 64, or nearly.
fn encoded(rng: &mut Rng) -> String {
    let texts: [&[u8]; 18] = [
        b"\0tim\0geheim",
        b"tim\0tim\0geheim",
        b"\0tim\0wrong",
        b"tim",
        b"geheim",
        b"tim",
        b"",
        b"\0",
        b"\0\0",
        b"\0tim\0geheim\0more\0and\0more",
        b"t i m",
        b"tim\ngeheim",
        b"tim\r\n",
        b"\x80\xff",
        b"*",
        b"a=b ${bad}",
        b"a\tb\\",
        b"tim 0123456789abcdef0123456789abcdef",
    ];
    let text = texts[rng.usize(..texts.len())];
    let code = openssl::base64::encode_block(text);
    match rng.u32(..24) {
        0 => format!("{code}="),
        1 => code.trim_end_matches('=').to_owned(),
        2 => format!("{code}!"),
        3 => format!("{code} {code}"),
        4 => format!("\t{code}"),
        5 => format!("{code} "),
        6 => openssl::base64::encode_block(&text.repeat(60)).replace('\n', ""),
        7 => code.replacen('=', "A", 1),
        8 => "=".to_owned(),
        9 => "AHR=pbQ==".to_owned(),
        10 => "====".to_owned(),
        _ => code,
    }
}

/// A condition, and what it may come to.
fn condition(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "yes",
        "no",
        "true",
        "1",
        "0",
        "00",
        "-1",
        "",
        "text",
        "${if eq{1}{2}{x}fail}",
        "${bad}",
        "${if eq{1}{1}}",
        "${if eq{1}{2}}",
        "${lookup{x}lsearch{/nonexistent/d}}",
        "${lookup{x}lsearch{/nonexistent/d}{$value}{yes}}",
        "YES",
        " yes",
        "false",
    ])
}
