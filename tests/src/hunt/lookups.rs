//! Lookups in files of every type: odd lines, keys and types, in expansions, lists, routers
//! and sessions.

mod files;

use std::path::Path;
use std::sync::LazyLock;

use fastrand::Rng;
use regex::Regex;

use self::files::{KEYS, Pool};
use super::{Form, Programs, Quarry};
use crate::cases::changes;
use crate::dice::Dice;
use crate::differences::Differences;
use crate::{dialogues, routing};

/// What is known to differ in expansions.
static KNOWN: LazyLock<Differences> = LazyLock::new(Differences::read);

/// Types with the files that they are for; any may be asked with any.
const TYPES: [(&str, &str); 11] = [
    ("lsearch", "DIR/keys"),
    ("lsearch", "DIR/keys"),
    ("lsearch", "DIR/more"),
    ("nwildlsearch", "DIR/wild"),
    ("wildlsearch", "DIR/wild"),
    ("iplsearch", "DIR/nets"),
    ("cdb", "DIR/a.cdb"),
    ("dbm", "DIR/a.dbm"),
    ("dbmnz", "DIR/a.dbm"),
    ("dbmjz", "DIR/joined.dbm"),
    ("dsearch", "DIR/folder"),
];

/// Files, named lists that look into them, and what is asked.
pub fn make(rng: &mut Rng) -> Quarry {
    let pool: Pool = (0..rng.usize(4..12)).map(|_| rng.pick(&KEYS)).collect();
    match rng.u32(..8) {
        0 => routers(rng, &pool),
        1 => session(rng, &pool),
        _ => expansions(rng, &pool),
    }
}

fn expansions(rng: &mut Rng, pool: &Pool) -> Quarry {
    let mut quarry = Quarry::new(Form::Lookup);
    head(rng, pool, &mut quarry);
    files::make(rng, pool, &mut quarry);
    quarry.fixed("? -be");
    for _ in 0..rng.usize(4..14) {
        let line = match rng.u32(..12) {
            0 => query(rng, pool),
            1 => format!("${{lookup passwd{{{}}}{}}}", user(rng), tail(rng, 1)),
            2..=5 => condition(rng, pool),
            _ => lookup(rng, pool, 1),
        };
        quarry.loose(format!("> {line}"));
    }
    quarry
}

/// What the configurations of all have in common.
fn head(rng: &mut Rng, pool: &Pool, quarry: &mut Quarry) {
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nlog_file_path = DIR/log/%slog\n\
         primary_hostname = me.test\nqualify_domain = a.test\nkeep_environment =",
    );
    for (kind, name) in [("domain", "d"), ("host", "h"), ("address", "a"), ("localpart", "l")] {
        for number in 1..3 {
            let list = list(rng, pool, name, number == 2);
            let cached = rng.pick(&["", "", "", "_cache"]);
            quarry.fixed(format!("{kind}list{cached} {name}{number} = {list}"));
        }
    }
}

/// Routers that look into files; what each found is shown.
fn routers(rng: &mut Rng, pool: &Pool) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    head(rng, pool, &mut quarry);
    quarry.fixed("begin routers");
    for number in 0..rng.usize(2..6) {
        let mut text = format!("r{number}:\n  driver = redirect\n  allow_fail\n  allow_defer");
        for (option, kind) in [("domains", "d"), ("local_parts", "l"), ("senders", "a")] {
            if rng.chance(2) {
                text.push_str(&format!("\n  {option} = {}", list(rng, pool, kind, true)));
            }
        }
        if rng.chance(4) {
            text.push_str(&format!("\n  condition = {}", lookup(rng, pool, 1)));
        }
        let data = match rng.u32(..3) {
            0 => lookup(rng, pool, 1),
            _ => format!(":fail: {number} <$domain_data> <$local_part_data>"),
        };
        quarry.loose(format!("{text}\n  data = {data}"));
    }
    quarry.fixed(
        "last:\n  driver = redirect\n  allow_fail\n  \
         data = :fail: last <$domain_data> <$local_part_data>",
    );
    files::make(rng, pool, &mut quarry);
    quarry.fixed(format!("? -f {} -bt", rng.pick(&["ann@a.test", "<>", "Bob@x.B.test"])));
    for _ in 0..rng.usize(3..9) {
        quarry.loose(format!("> {}", address(rng)));
    }
    quarry
}

fn address(rng: &mut Rng) -> String {
    let local = rng.pick(&["ann", "Ann", "bob", "carl", "\"a b\"", "x.b", "a:b", "ann+x", "root"]);
    let domain = rng.pick(&["a.test", "x.a.test", "b.test", "y.x.B.test", "test", "x.y.z", "C"]);
    format!("{local}@{domain}")
}

/// ACLs that look into files, and a session that comes to them.
fn session(rng: &mut Rng, pool: &Pool) -> Quarry {
    let mut quarry = Quarry::new(Form::Lookup);
    head(rng, pool, &mut quarry);
    quarry.fixed("tls_advertise_hosts =");
    for phase in ["connect", "helo", "mail", "rcpt"] {
        quarry.fixed(format!("acl_smtp_{phase} = {phase}"));
    }
    quarry.fixed("begin acl");
    let shown = "<$host_data> <$domain_data> <$local_part_data> <$sender_data> <$recipient_data>";
    for phase in ["connect", "helo", "mail", "rcpt"] {
        quarry.fixed(format!("{phase}:"));
        for number in 0..rng.usize(0..4) {
            let verb = rng.pick(&["warn", "warn", "deny", "accept", "require", "defer"]);
            let mut text = format!("  {verb} log_message = {phase} {number}");
            for _ in 0..rng.usize(1..3) {
                let own: &[(&str, &str)] = match phase {
                    "connect" => &[("hosts", "h"), ("condition", "")],
                    "helo" => &[("hosts", "h"), ("condition", "")],
                    "mail" => &[("hosts", "h"), ("senders", "a"), ("sender_domains", "d")],
                    _ => &[("domains", "d"), ("local_parts", "l"), ("recipients", "a")],
                };
                let (option, kind) = own[rng.usize(..own.len())];
                let not = rng.pick(&["", "", "!"]);
                let value = match kind {
                    "" => lookup(rng, pool, 1),
                    _ => list(rng, pool, kind, true),
                };
                text.push_str(&format!("\n       {not}{option} = {value}"));
            }
            quarry.loose(format!("{text}\n       logwrite = {phase} {number} {shown}"));
        }
        quarry.fixed("  accept");
    }
    files::make(rng, pool, &mut quarry);
    let client = rng.pick(&["192.0.2.1", "192.0.2.77", "10.1.2.3", "2001:db8::1"]);
    quarry.fixed(format!("? hunt -bh {client}")).loose("> EHLO client.test");
    quarry.loose(format!("> MAIL FROM:<{}>", address(rng)));
    for _ in 0..rng.usize(1..6) {
        quarry.loose(format!("> RCPT TO:<{}>", address(rng)));
    }
    quarry.fixed("> QUIT");
    quarry
}

/// A type with what may stand around its name, and a file.
fn typed(rng: &mut Rng) -> (String, String) {
    let (kind, mut file) = TYPES[rng.usize(..TYPES.len())];
    let before = match rng.u32(..60) {
        0..=26 => "",
        27..=40 => "partial-",
        41..=58 => rng.pick(&[
            "partial0-",
            "partial1-",
            "partial2-",
            "partial3-",
            "partial(.)",
            "partial1(.)",
            "partial2(*.)",
            "partial()",
            "partial0()",
            "partial1()",
            "partial(*)",
            "partial(**.)",
            "partial0(+.)",
            "partial1(!)",
            "partial2(-)",
            "partial(*@)",
        ]),
        _ => rng.pick(&[
            "partial10-",
            "partial-partial-",
            "partial",
            "partial(",
            "partial(a)",
            "partial(.)-",
            "partial 2-",
            "Partial-",
            "net-",
            "net24-",
            "partial-1-",
            "partial256-",
        ]),
    };
    let behind = match rng.u32(..60) {
        0..=35 => "",
        36..=46 => "*",
        47..=58 => "*@",
        _ => rng.pick(&["**", "*@*", "@", "*@@", "* ", "x"]),
    };
    let options = match rng.u32(..20) {
        0 | 1 => {
            rng.pick(&[",ret=full", ",ret=key", ",cache=no_rd", ",cache=no", ",ret=full,ret=key"])
        }
        2 => rng.pick(&[
            ",",
            ",ret=",
            ",ret",
            ",RET=full",
            ",ret=full,",
            ",,ret=key",
            ",cache=no_rd,ret=full",
            ", ret=key",
            ",x=y",
            ",file=DIR/keys",
            ",ret =key",
            ",ret=keyx",
        ]),
        _ => "",
    };
    let options = match kind {
        "dsearch" if rng.chance(2) => rng.pick(&[
            ",ret=full",
            ",key=path",
            ",key=path,ret=full",
            ",filter=file",
            ",filter=dir",
            ",filter=subdir",
            ",filter=x",
            ",ret=dir",
        ]),
        _ => options,
    };
    // Of what is no database, the words are chance.
    if rng.chance(30) && !kind.starts_with("dbm") {
        file = rng.pick(&[
            "DIR/nosuch",
            "DIR/keys/x",
            "DIR",
            "",
            "keys",
            "/dev/null",
            "DIR/empty",
            "DIR/../nosuch",
            "DIR/folder",
            "DIR/dangling",
            "DIR/linked",
            "DIR//keys",
            "DIR/keys ",
            " DIR/keys",
            "DIR/closed",
            "${if eq{1}{1}{DIR/keys}}",
            "DIR/nets",
            "DIR/a.cdb",
            "DIR/a.dbm",
            "DIR/wild",
            "DIR/short.cdb",
            "DIR/torn.cdb",
        ]);
    }
    (format!("{before}{kind}{behind}{options}"), file.to_owned())
}

/// What an item does with what it found.
pub(super) fn tail(rng: &mut Rng, depth: u32) -> String {
    match rng.u32(..14) {
        0..=3 => "{<$value>}{no}".to_owned(),
        4..=6 => "{<$value|$1|$2>}{no <$value|$1|$2>}".to_owned(),
        7 => String::new(),
        8 => rng.pick(&["{yes}fail", "fail", "{$value}", "{}{}", " {y} {n} ", "{y}{n}{z}"]).into(),
        9 => {
            let name = rng.pick(&["a", "b", "1", "uid", ""]);
            format!("{{[${{extract{{{name}}}{{$value}}{{$value}}{{none}}}}]$value}}{{no}}")
        }
        10 => "{${extract{2}{:}{$value}}|${extract{-1}{ }{$value}}}{no}".to_owned(),
        11 if depth > 0 => {
            let (kind, file) = typed(rng);
            let tail = tail(rng, 0);
            format!("{{${{lookup{{$value}}{kind}{{{file}}}{tail}}}<$value>}}{{no}}")
        }
        11 | 12 => "{${listextract{1}{$value}}<${length_3:$value}>}{${lc:NO}}".to_owned(),
        _ => "{${escape:$value}}{no}".to_owned(),
    }
}

fn lookup(rng: &mut Rng, pool: &Pool, depth: u32) -> String {
    let (kind, file) = typed(rng);
    let key = subject(rng, pool, &kind);
    let tail = tail(rng, depth);
    let space = rng.pick(&["", "", "", "", " ", "\t"]);
    format!("${{lookup{space}{{{key}}}{space}{kind}{space}{{{file}}}{tail}}}")
}

fn user(rng: &mut Rng) -> &'static str {
    rng.pick(&["root", "daemon", "Root", "nobody", "0", " root", "root ", "x", ""])
}

/// A key as a text that is expanded.
fn subject(rng: &mut Rng, pool: &Pool, kind: &str) -> String {
    if kind.contains("iplsearch") && !rng.chance(6) || rng.chance(20) {
        let all = [
            "192.0.2.1",
            "192.0.2.77",
            "192.0.2.128",
            "10.1.2.3",
            "2001:db8::1",
            "2001:DB8:0::1",
            "::1",
            "::ffff:192.0.2.1",
            "192.0.2.1/32",
            "192.0.2.0/24",
            "192.0.2",
            "[192.0.2.1]",
            "192.0.2.1.25",
            "2001.db8..1",
            "*",
            "fe80::1%lo",
            "192.0.02.1",
        ];
        return rng.pick(&all).to_owned();
    }
    if kind.contains("dsearch") && !rng.chance(3) {
        let all = [
            "file",
            "File",
            ".hidden",
            "sub",
            ".",
            "..",
            "link",
            "broken",
            "sub/in",
            "a.test",
            "sub/../file",
            "./file",
            "sub//in",
            "*",
            "loop",
            "out",
            "sp ace",
            "sub/.",
            "/file",
            "closed",
            "closed/in",
            "x.test",
            "x.b.test",
            "y.x.b.test",
            "@a.test",
            "linked/in",
        ];
        return rng.pick(&all).to_owned();
    }
    if kind.contains("dbmjz") && rng.bool() {
        return rng.pick(&["a:b", "a", "a : b", "<; a;b", "a:b:c", "", ":", "x y:z"]).to_owned();
    }
    let key = rng.pick(pool);
    let text = match (rng.u32(..9), key.strip_prefix('*')) {
        (0, _) => format!("x.{key}"),
        (1, _) => key.to_uppercase(),
        (2, _) => format!("{}{key}", rng.pick(&["y.x.", " ", "ann@", "x", "@"])),
        (3..=6, Some(end)) => format!("{}{end}", rng.pick(&["x", "y.x", "ann"])),
        _ => key.to_owned(),
    };
    escaped(&text)
}

/// A text that expands to this one.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '$' | '\\' | '{' | '}' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A query of SQLite.
fn query(rng: &mut Rng, pool: &Pool) -> String {
    let what = match rng.u32(..12) {
        0..=4 => {
            let columns = rng.pick(&["data", "data,n", "*", "n", "count(*)", "data as \"a b\""]);
            let key = escaped(rng.pick(pool));
            format!("select {columns} from t where id='${{quote_sqlite:{key}}}'")
        }
        5 => "select data from t where n > 1 order by n".to_owned(),
        6 => "select id,n from t order by n limit 3".to_owned(),
        7 => "select NULL,'',\"x\",1.5,x'4142','a b','a\\\"b'".to_owned(),
        8 => "insert into t values('new','d',9)".to_owned(),
        9 => rng.pick(&["select", "", "select data from nosuch", "select 1;select 2", ";"]).into(),
        10 => "select data from t where id = 'new'".to_owned(),
        _ => "delete from t where n = 1".to_owned(),
    };
    let tail = match rng.chance(3) {
        true => "{${extract{data}{$value}}|${sg{$value}{\\n}{#}}}{no}".to_owned(),
        false => "{<${sg{$value}{\\n}{#}}>}{no}".to_owned(),
    };
    match rng.u32(..12) {
        0..=5 => format!("${{lookup sqlite,file=DIR/a.sqlite{{{what}}}{tail}}}"),
        6 | 7 => format!("${{lookup sqlite{{DIR/a.sqlite {what}}}{tail}}}"),
        8 => format!("${{lookup sqlite {{ DIR/a.sqlite  {what} }}{tail}}}"),
        9 => format!("${{lookup sqlite,file=DIR/nosuch/x {{{what}}}{tail}}}"),
        10 => {
            let kind = rng.pick(&[
                "sqlite",
                "sqlite*",
                "partial-sqlite",
                "sqlite,file=a",
                "sqlite,file=",
                "sqlite,cache=no_rd,file=DIR/a.sqlite",
                "sqlite,ret=key,file=DIR/a.sqlite",
            ]);
            format!("${{lookup {kind}{{{what}}}{tail}}}")
        }
        _ => format!("${{lookup{{a}}sqlite{{DIR/a.sqlite {what}}}{tail}}}"),
    }
}

/// A condition with a list.
fn condition(rng: &mut Rng, pool: &Pool) -> String {
    let (name, kind) = [
        ("match_domain", "d"),
        ("match_domain", "d"),
        ("match_ip", "h"),
        ("match_ip", "h"),
        ("match_address", "a"),
        ("match_local_part", "l"),
    ][rng.usize(..6)];
    let subject = match (kind, rng.chance(5)) {
        ("h", false) => rng.pick(&["192.0.2.1", "192.0.2.77", "10.1.2.3", "2001:db8::1"]).into(),
        ("a", false) => address(rng),
        _ => subject(rng, pool, ""),
    };
    let list = list(rng, pool, kind, true);
    let answer = rng.pick(&["{<$value>}{no}", "{yes}{no}", "", "{<$value|$1|$2>}{no <$1>}"]);
    format!("${{if {name}{{{subject}}}{{{list}}}{answer}}}")
}

fn list(rng: &mut Rng, pool: &Pool, kind: &str, may_name: bool) -> String {
    let (head, between) = match rng.u32(..5) {
        0 => ("<| ", " | "),
        1 => ("<\\n ", "\\n"),
        _ => ("", " : "),
    };
    let text = rng.some(1, 3, between, |rng| item(rng, pool, kind, may_name));
    format!("{head}{text}")
}

fn item(rng: &mut Rng, pool: &Pool, kind: &str, may_name: bool) -> String {
    let not = rng.pick(&["", "", "", "", "!", "! "]);
    if may_name && rng.chance(6) {
        return format!("{not}+{kind}{}", if rng.chance(9) { "9" } else { "1" });
    }
    if rng.chance(8) {
        let plain = ["*", "*.test", "ann", "192.0.2.1", "+include_unknown", "+ignore_defer"];
        return format!("{not}{}", rng.pick(&plain));
    }
    // Its colons are those of the list; in a condition, it stands for itself.
    if rng.chance(if may_name { 30 } else { 8 }) {
        return format!("{not}{}", lookup(rng, pool, 0));
    }
    let (mut typed, file) = typed(rng);
    if kind == "h" && !rng.chance(15) {
        // Those with parts left out are asked for a host's name.
        typed = typed.rsplit_once(['-', ')']).map_or(typed.clone(), |(_, end)| end.to_owned());
    }
    let before = match kind {
        "h" if !typed.starts_with('p') => match rng.chance(15) {
            true => rng.pick(&["", "net", "net129-", "net-net-", "Net-", "net33-"]),
            false => rng.pick(&["net-", "net-", "net24-", "net32-", "net0-", "net64-", "net16-"]),
        },
        "a" => rng.pick(&["", "", "*@", "@@", "@@", "ann@", "@"]),
        _ => "",
    };
    if rng.chance(25) {
        return format!("{not}{before}passwd;{}", user(rng).trim_start());
    }
    let semicolon = match rng.chance(12) {
        true => rng.pick(&["; ", " ;", "", ";;"]),
        false => ";",
    };
    format!("{not}{before}{typed}{semicolon}{file}")
}

/// Where the answers differ and are not known to.
pub fn difference(text: &str, programs: &Programs<'_>) -> Vec<String> {
    if text.contains("\n? hunt -bh ") {
        return difference_of_sessions(text, programs);
    }
    let (begin, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| !line.starts_with("> "));
    let begin = begin.join("\n");
    let mut found = Vec::new();
    let mut left = &lines[..];
    while !left.is_empty() {
        let (theirs, ended) = answers(programs.exim, &begin, left);
        let asked = left.len().min(theirs.len() + 1);
        let (ours, _) = answers(programs.eximious, &begin, &left[..asked]);
        for (index, line) in left[..asked].iter().enumerate() {
            let line = line.trim_start_matches("> ").as_bytes();
            let (theirs, ours) = (theirs.get(index), ours.get(index));
            let is_known = match (theirs, ours) {
                // It ends at a list that can't be read.
                (None, Some(ours)) => !ended || ours.starts_with("Failed: "),
                (None, None) => !ended,
                (Some(_), None) => false,
                (Some(theirs), Some(ours)) => agree(line, theirs, ours),
            };
            if !is_known {
                found.push(format!("- {theirs:?}"));
                found.push(format!("+ {ours:?}"));
            }
        }
        left = &left[asked..];
    }
    found
}

fn agree(line: &[u8], theirs: &str, ours: &str) -> bool {
    // What is no database is told of in the words of the last error that the system gave.
    static OTHER_FILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(as a db .* file|too short for cdb lookup): .*").expect("a pattern")
    });
    let [theirs, ours] = [theirs, ours].map(|said| OTHER_FILE.replace_all(said, "$1"));
    theirs == ours || KNOWN.excuse(line, theirs.as_bytes(), ours.as_bytes()).is_some()
}

/// A program's answers up to the line where it ends, and whether it did so of itself.
fn answers(program: &Path, begin: &str, lines: &[&str]) -> (Vec<String>, bool) {
    let mut text = format!("{begin}\n");
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&format!("{line}\n> ~~~{index}~~~\n"));
    }
    let case = routing::Case::parse(Path::new("hunt.case"), &text);
    let answer = case.questions[0].ask(program, &case.set_up());
    let mut answers = Vec::new();
    let mut rest = &answer.out[..];
    for index in 0..lines.len() {
        let mark = format!("> ~~~{index}~~~\n");
        let Some((one, more)) = rest.split_once(&mark) else { break };
        let one = one.strip_prefix("> ").unwrap_or(one);
        answers.push(one.strip_suffix('\n').unwrap_or(one).to_owned());
        rest = more;
    }
    (answers, matches!(answer.status, Some(status) if status < 124))
}

/// Where the real one ends at a list that can't be read, what it said before counts.
fn difference_of_sessions(text: &str, programs: &Programs<'_>) -> Vec<String> {
    let case = dialogues::Case::parse(Path::new("hunt.case"), text);
    let ask = |program: &Path| -> Vec<String> {
        let place = case.set_up();
        case.sessions.iter().flat_map(|session| session.play(program, &place)).collect()
    };
    let (mut theirs, mut ours) = (ask(programs.exim), ask(programs.eximious));
    if theirs.last().is_some_and(|line| line == "= 1") {
        let ends = ["! LOG: ", "> ", "x", "= 1"];
        let is_end = |line: &String| ends.iter().any(|end| line.starts_with(end));
        // The greeting of `-bh` comes at any time.
        for said in [&mut theirs, &mut ours] {
            said.retain(|line| !line.starts_with('*'));
        }
        while theirs.pop_if(|line| is_end(line)).is_some() {}
        ours.truncate(theirs.len());
    }
    let found = changes(&theirs, &ours);
    found.into_iter().map(|(mark, line)| format!("{mark} {line}")).collect()
}
