//! SpamAssassin's daemon and Rspamd, as they answer and as they should not.

use fastrand::Rng;

use super::Played;
use crate::dice::Dice;

/// What is wanted of a scan.
pub(super) fn wanted(rng: &mut Rng) -> &'static str {
    const WANTED: &[&str] = &[
        "nobody",
        "nobody",
        "nobody",
        "nobody:true",
        "nobody:true",
        "nobody:true",
        "joe:true",
        "joe",
        "nobody/defer_ok",
        "nobody:true/defer_ok",
        "joe:true/defer_ok",
        "nobody:true / defer_ok",
        "nobody:TRUE",
        "nobody:no",
        "nobody:true:x",
        "nobody : true",
        "0",
        "false",
        "False",
        "0:true",
        "true",
        "",
        ":true",
        "no body:true",
        "nobody/true",
        "nobody/defer_no",
        "nobody/x/defer_ok",
        "$sender_address",
        "${if def:h_subject:{joe}{nobody}}:true",
        "${if eq{$sender_address}{}{fail}{nobody}}",
        "a@b.test:true",
        "<; nobody ; defer_ok",
    ];
    rng.pick(WANTED)
}

/// Options of a server.
const OPTIONS: &[&str] = &[
    "tmo=1s",
    "tmo=1s",
    "pri=2",
    "weight=3",
    "pri=1 weight=2",
    "time=0-24",
    "time=0.0.0-23.59.59",
    "time=24-25",
    "time=8",
    "time=x-y",
    "time=0.0.0.0-24",
    "pri=x",
    "pri=",
    "pri=2x",
    "weight=x",
    "weight=-1",
    "tmo=x",
    "tmo=0s",
    "retry=x",
    "retry=1s",
    "variant=foo",
    "variant=",
    "foo",
    "foo=bar",
    "tmo=2s tmo=1s",
    "Pri=3",
];

/// What SpamAssassin says of scores.
const SCORES: &[&str] = &[
    "True ; 5.4 / 5.0",
    "True ; 5.4 / 5.0",
    "False ; 1.2 / 5.0",
    "False ; -2.35 / 5.0",
    "False ; 0.49 / 5.0",
    "True ; 60 / 5.0",
    "True ; 5.0 / 5.0",
    "False ; 4.99 / 5.0",
    "True ; 0 / 0",
    "True ; 1000.05 / 5.0",
    "False ; -60.9 / 5",
    "False ;1.0 /5.0",
    "true ; 9.95 / 5.0",
    "Maybe ; 2 / 1",
    "True ; 1e2 / 5.0",
    "True ; .5 / .4",
    "True ; +5.5 / 5.0",
    "True ; 5,4 / 5,0",
    "False ; -0.0 / 5.0",
    "False ; -0.05 / 5.0",
    "True ; 0.95 / 0.95",
    "True ; 9.99 / 5",
    "False ; 1.999 / 5.0",
    "False ; 4.9991 / 5.0",
    "True ; 2.345 / 2.345",
    "True ; 99999999 / 5",
    "True ; x / 5.0",
    "True ; 5.4 / x",
    "True ; 5.4",
    "True",
    "True ; 5.4 of 5.0",
    "",
];

const BEFORE: &[&str] = &[
    "SPAMD/1.1 0 EX_OK\\r\\n",
    "SPAMD/1.1 0 EX_OK\\r\\n",
    "SPAMD/1.1 0 EX_OK\\n",
    "SPAMD/1.5 76 EX_PROTOCOL\\r\\n",
    "spamd/1.1 0 EX_OK\\r\\n",
    "HTTP/1.1 200 OK\\r\\n",
    "SPAMD/1.1 -1 EX_OK\\r\\n",
    "",
];

const REPORTS: &[&str] = &[
    "report\\r\\nline 2\\r\\n",
    "report\\r\\nline 2\\r\\n",
    "",
    "\\r\\n",
    "one\\n\\ntwo\\n\\n",
    "  indented\\r\\n\\ttab \\r\\n.\\r\\n",
    "\\xff\\xe9 bytes\\r\\n",
    "no end",
    "Spam: True ; 9 / 1\\r\\n",
    "\\{300:long line of a report\\r\\n}",
    "a\\rb\\r\\n",
    "x\\0y\\r\\n",
];

/// What Rspamd says.
const RSPAMD: &[&str] = &[
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; True; 10.40 / 10.00 / 0.0\\r\\nAction: \
     reject\\r\\nSymbol: NAME(1.00)\\r\\n\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; False; 3.25 / 10.00 / 15.0\\r\\nAction: add \
     header\\r\\nSymbol: A(1.00)\\r\\nSymbol: B(2.00)\\r\\nMessage: x\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; False; -3.25 / 10.00 / 15.0\\r\\nAction: no \
     action\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\nMetric: default; True; 10.40 / 10.00 / 0.0\\nAction: greylist\\n",
    "RSPAMD/1.1 0 OK\\r\\nMetric: default; True; 5.0 / 5.0 / 5.0\\r\\nSymbol: X\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; Skip; 0.00 / 0.00 / 0\\r\\nAction: x\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: other; True; 10.40 / 10.00 / 0.0\\r\\nAction: a\\r\\n",
    "RSPAMD/1.3 1 ERROR\\r\\nMetric: default; True; 10.40 / 10.00 / 0.0\\r\\nAction: a\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nAction: a\\r\\nMetric: default; True; 10.40 / 10.00 / 0.0\\r\\n",
    "SPAMD/1.1 0 EX_OK\\r\\nSpam: True ; 5.4 / 5.0\\r\\n\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; True; 10.40 / 10.00 / 0.0\\r\\nAction: soft \
     reject\\r\\nAction: b\\r\\n",
    "RSPAMD/1.3 0 EX_OK\\r\\nMetric: default; True; 10.40 / 10.00 / 0.0\\r\\nX-Action: \
     y\\r\\naction: z\\r\\n",
    "garbage\\r\\n",
];

/// Servers with what the last of them does.
pub(super) fn played(rng: &mut Rng, number: usize) -> Played {
    let is_rspamd = rng.chance(4);
    let script = script(rng, is_rspamd);
    let mut options = rng.some(0, 2, " ", |rng| rng.pick(OPTIONS).to_owned());
    if is_rspamd {
        options += " variant=rspamd";
    }
    if is_slow(&script) {
        options += " tmo=1s";
    }
    let port = format!("SCANNER{number}");
    let place = match rng.u32(..14) {
        0..=5 => format!("127.0.0.1 {port}"),
        6..=10 => format!("DIR/scanner{number}"),
        11 => format!("localhost {port}"),
        12 => format!("127.0.0.1 1 pri=9 : DIR/none pri=8 : DIR/scanner{number}"),
        _ => {
            let odd =
                ["127.0.0.1", "127.0.0.1 x", "127.0.0.1 1", "/nonexistent", ":", "", "no.odd 783"];
            let setting = format!("{} {options}", rng.pick(&odd));
            return Played { setting, script: None };
        }
    };
    let script = Some(script);
    Played { setting: format!("{place} {options}").trim_end().to_owned(), script }
}

fn is_slow(script: &str) -> bool {
    ["wait=", "drip=", "flood="].iter().any(|word| script.contains(word))
}

fn script(rng: &mut Rng, is_rspamd: bool) -> String {
    let hear = if is_rspamd { "sized" } else { "end" };
    let text = match is_rspamd {
        true => rng.pick(RSPAMD).to_owned(),
        false => {
            let score = match rng.chance(3) {
                true => rng.pick(&["Spam: True ; 5.4 / 5.0", "Spam: False ; 1 / 5", "X: y"]),
                false => "",
            };
            let score = match score {
                "" => format!("Spam: {}", rng.pick(SCORES)),
                score => score.to_owned(),
            };
            let before = if rng.chance(2) { BEFORE[0] } else { rng.pick(BEFORE) };
            let end =
                rng.pick(&["\\r\\n\\r\\n", "\\r\\n\\r\\n", "\\r\\n\\r\\n", "\\n\\n", "\\r\\n"]);
            format!("{before}{score}{end}{}", rng.pick(REPORTS))
        }
    };
    match rng.u32(..16) {
        0 => hear.to_owned(),
        1 => format!("{hear}|wait=2500|{text}"),
        2 => "close".to_owned(),
        3 => {
            let cut = rng.usize(..text.len());
            let cut = text[..cut].trim_end_matches(['\\', 'x', 'f', 'e']);
            match cut.contains("\\{") {
                true => hear.to_owned(),
                false => format!("{hear}|{cut}"),
            }
        }
        4 if !text.contains("\\{") => {
            let cut = text.find(' ').unwrap_or(0);
            format!("{hear}|{}|wait=300|{}", &text[..cut], &text[cut..])
        }
        5 => format!(
            "{hear}|{text}%{hear}|SPAMD/1.1 0 EX_OK\\r\\nSpam: False ; 1 / 5\\r\\n\\r\\nx\\n"
        ),
        _ => format!("{hear}|{text}"),
    }
}
