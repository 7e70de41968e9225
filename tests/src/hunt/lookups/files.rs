//! The files that are looked into.

use fastrand::Rng;

use super::super::Quarry;
use crate::dice::Dice;

/// Keys that files have, and that are asked for.
pub const KEYS: [&str; 42] = [
    "a.test",
    "a.test",
    "b.test",
    "*.b.test",
    "x.b.test",
    "*.test",
    ".test",
    ".b.test",
    "test",
    "*",
    "*.",
    ".",
    "+.b.test",
    "!b.test",
    "-x.y",
    "ann",
    "ann",
    "bob",
    "carl",
    "ann@a.test",
    "*@b.test",
    "*@a.test",
    "@a.test",
    "a b",
    "a:b",
    "a\tb",
    "#x",
    "a#b",
    "\"q\"",
    "a\"b",
    "a\\b",
    "é",
    "É.test",
    "x.y.z",
    "*.y.z",
    "a..b",
    "a.test.",
    "",
    "$x",
    "192.0.2.1",
    "192.0.2.0/24",
    "2001:db8::1",
];

const DATA: &[&str] = &[
    "one",
    "two words",
    "a=1 b=2",
    "a=\"x y\" b=\"\" uid=7",
    "x:y:z",
    "192.0.2.1",
    ":",
    "",
    " lead",
    "ann, bob",
    "a.test",
    "$domain",
    "\"q\"",
    "x # y",
    "é",
    "a\tb",
    "yes",
    "bob : carl",
    "!ann : *",
    "\\",
    "{x}",
    "a\\nb",
    "fail",
    ">b.test",
    ":fail: no",
    "no",
    "0",
];

const ENDS: &[&str] = &["\n", "\n", "\n", "\n", "\n", " \n", "\t\n", "\r\n", " \t \n", "\\\n"];

/// A few keys, that files have and that are asked for.
pub type Pool = Vec<&'static str>;

/// Commands that make them; each line can go.
pub fn make(rng: &mut Rng, pool: &Pool, quarry: &mut Quarry) {
    let empty = "$ mkdir -p DIR/log DIR/spool DIR/folder/sub DIR/folder/closed; : >DIR/empty; \
                 : >DIR/keys; : >DIR/more; : >DIR/wild; : >DIR/nets";
    quarry.fixed(empty);
    for (file, most) in [("keys", 18), ("more", 7)] {
        for _ in 0..rng.usize(..=most) {
            let line = line(rng, pool, key);
            quarry.loose(append(file, &line));
        }
    }
    for _ in 0..rng.usize(..9) {
        let line = line(rng, pool, pattern);
        quarry.loose(append("wild", &line));
    }
    for _ in 0..rng.usize(..9) {
        let line = line(rng, pool, network);
        quarry.loose(append("nets", &line));
    }
    if rng.chance(3) {
        let long = rng.pick(&["9", "600", "20000"]);
        let end = rng.pick(&["", "\\n", "\\n x\\n"]);
        quarry.loose(format!("$ printf -- '%{long}s: %{long}s{end}' ann b | tr ' ' x >>DIR/more"));
    }
    let file = rng.pick(&["keys", "wild", "nets"]);
    let end =
        rng.pick(&["carl: last", "carl: last ", "carl:", "carl", "\"carl", " more", "*", "#"]);
    quarry.loose(append(file, end));
    databases(rng, pool, quarry);
    folder(rng, pool, quarry);
}

/// A command of the shell that appends a text to a file.
fn append(file: &str, text: &str) -> String {
    format!("$ printf -- '{}' >>DIR/{file}", printed(text))
}

/// A text as a format of `printf`, in quotes of the shell.
fn printed(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            '%' => out.push_str("%%"),
            '\'' => out.push_str("\\047"),
            ' '..='~' => out.push(c),
            c => {
                let mut room = [0; 4];
                let bytes = c.encode_utf8(&mut room).bytes();
                out.extend(bytes.map(|byte| format!("\\{byte:03o}")));
            }
        }
    }
    out
}

fn key(rng: &mut Rng, pool: &Pool) -> String {
    rng.pick(pool).to_owned()
}

fn pattern(rng: &mut Rng, pool: &Pool) -> String {
    let all = [
        "^a",
        "^ANN",
        "^(?-i)a.*",
        "*.test",
        "*b.test",
        "!ann",
        "! bob",
        "!*.test",
        "^\\\\N.*\\\\.test$\\\\N",
        "\\\\N^a.*\\\\N",
        "^x\\\\.(.*)$",
        "^x\\.(.*)$",
        "lsearch;DIR/keys",
        "!lsearch;DIR/more",
        "cdb;DIR/a.cdb",
        "${if eq{1}{1}{ann}}",
        "${if eq{1}{2}{ann}fail}",
        "$domain",
        "*",
        "^(",
        "nosuch;DIR/keys",
        "lsearch;DIR/nosuch",
        "^a b",
        "**",
        "a.test : b.test",
        "+d1",
        "@",
        "partial-lsearch*;DIR/keys",
        "dsearch;DIR/folder",
        "^\\\\d+",
        "${lookup{ann}lsearch{DIR/keys}{$value}{none}}",
    ];
    match rng.chance(3) {
        true => key(rng, pool),
        false => rng.pick(&all).to_owned(),
    }
}

fn network(rng: &mut Rng, pool: &Pool) -> String {
    let all = [
        "192.0.2.1",
        "192.0.2.0/24",
        "192.0.2.64/26",
        "192.0.2.77/24",
        "10.0.0.0/8",
        "10.1.2.3/0",
        "0.0.0.0/0",
        "192.0.2.1/33",
        "192.0.2",
        "192.0.2.0/",
        "192.0.2.0/x",
        "192.0.2.0/ 24",
        "2001:db8::/32",
        "2001:db8::1",
        "2001:DB8:0:0::/64",
        "::/0",
        "::ffff:192.0.2.0/120",
        "2001.db8.0.0.0.0.0.1",
        "2001.0db8.0000.0000.0000.0000.0000.0001",
        "2001.0db8.0000.0000.0000.0000.0000.0000/64",
        "192.0.02.1",
        "*",
        "[192.0.2.1]",
        "192.0.2.1/24/8",
        "0.0.0.0",
        "192.0.0.0/16",
    ];
    match rng.chance(9) {
        true => key(rng, pool),
        false => rng.pick(&all).to_owned(),
    }
}

/// A line with a key, or another one.
fn line(rng: &mut Rng, pool: &Pool, key: fn(&mut Rng, &Pool) -> String) -> String {
    let end = rng.pick(ENDS);
    if rng.chance(4) {
        let other = [
            "",
            "# remark: x",
            " more",
            "\tmore of it",
            "   ",
            " # no remark",
            "#",
            ": no key",
            "\"\": empty",
            ":: x",
            "\\",
            "\"",
            " ann: lead",
            "\rann: x",
            "\u{b}ann: x",
            " :",
        ];
        return format!("{}{end}", rng.pick(&other));
    }
    let key = key(rng, pool);
    let key = match rng.u32(..7) {
        0..=2 => key,
        3 | 4 => format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")),
        5 => format!("\"{key}\""),
        _ => {
            let odd = [
                format!("\"{key}"),
                format!("\"{key}\"x"),
                format!("\"\\x61nn\" {key}"),
                format!("{key}\""),
                format!("'{key}'"),
                format!("\"\\141nn\\072\"{key}"),
                format!("\"a\\\\b\\t\" {key}"),
            ];
            odd[rng.usize(..odd.len())].clone()
        }
    };
    let between = [":", ": ", ": ", " : ", " ", "\t", "", ":  ", "::", " :: ", "=", "\t:\t", " = "];
    let data = rng.pick(DATA);
    format!("{key}{}{data}{end}", rng.pick(&between))
}

/// Databases, made by the programs whose they are.
fn databases(rng: &mut Rng, pool: &Pool, quarry: &mut Quarry) {
    for _ in 0..rng.usize(..9) {
        let (key, data) = (key(rng, pool), rng.pick(DATA));
        let text = format!("+{},{}:{key}->{data}\n", key.len(), data.len());
        quarry.loose(append("a.txt", &text));
    }
    quarry.fixed("$ (cat DIR/a.txt; echo) 2>/dev/null | cdb -c DIR/a.cdb || :");
    quarry.fixed(
        "$ head -c 2047 DIR/a.cdb >DIR/short.cdb; head -c 2060 DIR/a.cdb >DIR/torn.cdb || :",
    );
    for _ in 0..rng.usize(..9) {
        let (key, data) = (key(rng, pool), rng.pick(DATA));
        let key = if rng.bool() { format!("\"{}\"", key.replace('"', "\\\"")) } else { key };
        let more = rng.pick(&["", "", "", " more\n", "\n", "# no\n"]);
        quarry.loose(append("b.txt", &format!("{key}: {data}\n{more}")));
    }
    let options = rng.pick(&["", "", "-nolc", "-nozero", "-lastdup"]);
    quarry.fixed(format!(
        "$ : >>DIR/b.txt; exim_dbmbuild {options} -noduperr -nowarn DIR/b.txt DIR/a.dbm >DIR/log/b \
         2>&1 || :"
    ));
    let kind = rng.pick(&["hash", "hash", "btree"]);
    let mut joined = String::new();
    for _ in 0..rng.usize(1..6) {
        let keys = ["a\\00b", "a", "a\\00b\\00c", "a\\00", "x y\\00z", "\\00", "a b", "A\\00B"];
        joined.push_str(&format!(" {}\n {}\n", rng.pick(&keys), rng.pick(&["one", "", "a=1 b"])));
    }
    let head = format!("VERSION=3\nformat=print\ntype={kind}\nHEADER=END\n");
    let text = printed(&format!("{head}{joined}DATA=END\n"));
    quarry.fixed(format!("$ printf -- '{text}' | db5.3_load DIR/joined.dbm >DIR/log/j 2>&1 || :"));
    let mut rows = String::from("create table t(id text, data text, n integer);");
    for number in 0..rng.usize(1..6) {
        let quoted = |text: &str| text.replace('\'', "''");
        let (id, data) = (quoted(&key(rng, pool)), quoted(rng.pick(DATA)));
        rows.push_str(&format!("insert into t values('{id}','{data}',{number});"));
    }
    quarry.fixed(format!("$ printf -- '{}' | sqlite3 DIR/a.sqlite || :", printed(&rows)));
}

/// A folder for `dsearch`.
fn folder(rng: &mut Rng, pool: &Pool, quarry: &mut Quarry) {
    for name in ["file", ".hidden", "sp ace", "*"].iter().chain(pool) {
        let is_name =
            !name.contains(['/', '\'', '"', '\\', '$']) && !name.trim_matches('.').is_empty();
        if is_name && rng.bool() {
            quarry.loose(append(&format!("'folder/{name}'"), "x"));
        }
    }
    quarry.loose("$ : >DIR/folder/sub/in; : >DIR/folder/closed/in");
    let links = [
        "ln -s file DIR/folder/link",
        "ln -s nosuch DIR/folder/broken",
        "ln -s sub DIR/folder/linked",
        "ln -s loop DIR/folder/loop",
        "ln -s .. DIR/folder/out",
        "ln -s nosuch DIR/dangling",
        "ln -s keys DIR/linked",
        "chmod 0 DIR/folder/closed",
        "chmod 600 DIR/keys",
        "cp DIR/keys DIR/closed; chmod 0 DIR/closed",
        "chmod 666 DIR/more",
        "chmod 711 DIR/folder",
        "chown nobody DIR/more",
    ];
    for link in links {
        if rng.bool() {
            quarry.loose(format!("$ {link}"));
        }
    }
}
