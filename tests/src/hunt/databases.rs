//! Lookups in databases and directories, and what outside programs say: in expansions, lists,
//! routers and sessions.

mod directory;
mod outside;
mod sql;

use std::path::Path;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use fastrand::Rng;
use regex::Regex;

use self::sql::Base;
use super::{Form, Line, Programs, Quarry, lookups};
use crate::dice::Dice;
use crate::directory::{Directory, Names, fill};
use crate::servers::{Server, free_port};
use crate::sql::Sql;
use crate::{dialogues, ldap, routing};

/// What stands in questions for what is another in each run.
static NAMES: OnceLock<Names> = OnceLock::new();

/// The tables are those of one question at a time.
static ASKING: Mutex<()> = Mutex::new(());

/// Left over from debugging, and told to whoever has a terminal.
const LEFT_OVER: &str = "sqlite3_exec failed: ";

/// Starts the servers; nothing where one of them is not installed.
pub(super) fn set_up() -> Option<Vec<Server>> {
    let names_server = dialogues::set_up()?;
    let (mysql, pgsql) = (Sql::mariadb()?, Sql::postgresql()?);
    let directory = Directory::start(None)?;
    mysql.reset();
    pgsql.reset();
    let mut names = directory.names.clone();
    for (sql, all) in [(&mysql, ["MYDIR", "MYPORT"]), (&pgsql, ["PGDIR", "PGPORT"])] {
        for name in all {
            let value = String::from_utf8(sql.fill(name.as_bytes())).expect("a path");
            names.push((name, value));
        }
    }
    names.push(("APORT", ldap::play("A").port.to_string()));
    names.push(("BPORT", ldap::play("B").port.to_string()));
    names.push(("DEADPORT", free_port().to_string()));
    names.extend(outside::play(directory.server.home().path()));
    // Of two that begin alike, the longer one comes first.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    NAMES.set(names).expect("servers are started once");
    Some(vec![names_server, mysql.server, pgsql.server, directory.server])
}

/// Tables, servers, and what is asked of them.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let asked = match rng.u32(..10) {
        0 | 1 => routers(rng),
        2 => session(rng),
        _ => expansions(rng),
    };
    let mut quarry = Quarry::new(Form::Database);
    head(rng, &mut quarry);
    let (config, questions): (Vec<Line>, Vec<Line>) =
        asked.lines.into_iter().partition(|line| !line.text.starts_with(['?', '>']));
    let needs = |word: &str| config.iter().chain(&questions).any(|line| line.text.contains(word));
    let bases: Vec<Base> = Base::ALL.into_iter().filter(|base| needs(base.word())).collect();
    quarry.lines.extend(config);
    let rows = sql::rows(rng);
    for base in bases {
        sql::tables(base, &rows, &mut quarry);
    }
    quarry.fixed("$ mkdir -m 777 DIR/log DIR/spool");
    quarry.lines.extend(questions);
    quarry
}

/// What the configurations of all have in common.
fn head(rng: &mut Rng, quarry: &mut Quarry) {
    quarry.fixed(
        "+++ exim.conf\nspool_directory = DIR/spool\nlog_file_path = DIR/log/%slog\n\
         primary_hostname = me.test\nqualify_domain = a.test\nkeep_environment =\n\
         timezone = UTC",
    );
    for base in [Base::Mysql, Base::Pgsql] {
        if !rng.chance(12) {
            quarry.fixed(format!("hide {}_servers = {}", base.word(), sql::servers(rng, base)));
        }
    }
    quarry.fixed(format!("ldap_default_servers = {}", directory::servers(rng)));
    if !rng.chance(4) {
        quarry.fixed("sqlite_dbfile = DIR/a.sqlite");
    }
    for option in rng.options(3, &["sqlite_lock_timeout = 1", "ldap_version = 3"]) {
        quarry.loose(option);
    }
}

fn expansions(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Database);
    quarry.fixed("? -be");
    for number in 0..rng.usize(4..14) {
        let line = match rng.u32(..16) {
            0..=6 => sql::lookup(rng),
            7 => sql::quoted(rng),
            8 => condition(rng),
            9..=12 => directory::lookup(rng),
            13 => directory::authenticated(rng),
            _ => outside::item(rng, number),
        };
        quarry.loose(format!("> {line}"));
    }
    quarry
}

/// A condition with a list in which a query is.
fn condition(rng: &mut Rng) -> String {
    let (name, subjects) = rng
        .pick(&[
            &("match_domain", ["a.test", "x.a.test", "b.test", "one"]),
            &("match_local_part", ["ann", "one", "it's", "two words"]),
            &("match_address", ["ann@a.test", "one@b.test", "ann", "x@a.test"]),
            &("match_ip", ["192.0.2.1", "192.0.2.77", "10.0.0.1", "::1"]),
        ])
        .to_owned();
    let subject = rng.pick(&subjects);
    // As it stands, since it is not expanded.
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\$\{quote_\w+:((?:[^\\}]|\\.)*)\}").expect("a pattern"));
    let list = list(rng, subject, "");
    // No white space is left out before a query there.
    let list = QUOTED.replace_all(&list, "$1").replace(";  ", ";").replace("; ", ";");
    let answer = rng.pick(&["{<$value>}{no}", "{yes}{no}", "", "{<$value|$1|$2>}{no}"]);
    format!("${{if {name}{{{subject}}}{{{list}}}{answer}}}")
}

/// A list with queries for a subject; `kind` is that of its named lists.
fn list(rng: &mut Rng, subject: &str, kind: &str) -> String {
    // Text from outside is quoted for one type: as a whole, a list is of one, too.
    let base = (!rng.chance(5)).then(|| Base::any(rng));
    rng.some(1, 3, " : ", |rng| {
        let not = rng.pick(&["", "", "", "", "!", "! "]);
        if rng.chance(5) {
            let plain = ["*", "*.test", "ann", "192.0.2.1", "a.test", "^x"];
            return format!("{not}{}", rng.pick(&plain));
        }
        let (word, query) = match base {
            None => directory::listed(rng, subject),
            Some(base) => sql::listed(rng, base, subject),
        };
        let before = match kind {
            "hosts" => rng.pick(&["", "", "", "net-", "net24-"]),
            _ => rng.pick(&["", "", "", "", "", "", "", "partial-", "*@", "@@"]),
        };
        let semicolon = rng.pick(&[";", ";", ";", ";", "; ", ";  "]);
        format!("{not}{before}{word}{semicolon}{}", doubled(&query))
    })
}

/// A query as it stands in a list of colons, whose items are expanded before.
fn doubled(query: &str) -> String {
    let query = query.replace(':', "::");
    let words = Base::ALL.map(Base::word).into_iter().chain(["ldap", "ldap_dn"]);
    words.fold(query, |query, word| {
        query.replace(&format!("quote_{word}::"), &format!("quote_{word}:"))
    })
}

/// What a database says about a part of an address, in a configuration.
fn found(rng: &mut Rng, variable: &str) -> String {
    match rng.chance(4) {
        true => directory::of(rng, variable),
        false => sql::of(rng, variable),
    }
}

/// Routers that ask; what each found is shown.
fn routers(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Database);
    quarry.fixed("begin routers");
    let asks_programs = rng.chance(2);
    for number in 0..rng.usize(1..5) {
        let mut text = match asks_programs {
            true => outside::router(rng),
            false => {
                let data = match rng.u32(..3) {
                    0 => found(rng, "$local_part"),
                    1 => found(rng, "$domain"),
                    _ => ":fail: NUMBER <$domain_data> <$local_part_data> <$address_data>".into(),
                };
                format!("  driver = redirect\n  allow_fail\n  allow_defer\n  data = {data}")
            }
        };
        let one = !asks_programs;
        for (option, subject) in
            [("domains", "$domain"), ("local_parts", "$local_part"), ("senders", "$sender_address")]
        {
            if rng.chance(if one { 2 } else { 8 }) {
                text += &format!("\n  {option} = {}", list(rng, subject, option));
            }
        }
        if one && rng.chance(4) {
            let value = found(rng, "$local_part").replace(":fail: none", "yes");
            text += &format!("\n  condition = {value}");
        }
        if rng.chance(4) {
            text += &format!("\n  address_data = {}", found(rng, "$domain"));
        }
        quarry.loose(format!("r{number}:\n{}", text.replace("NUMBER", &number.to_string())));
    }
    quarry.fixed(
        "last:\n  driver = redirect\n  allow_fail\n  \
         data = :fail: last <$domain_data> <$local_part_data> <$address_data>",
    );
    quarry.fixed(
        "begin transports\nnull:\n  driver = appendfile\n  file = /dev/null\n  user = nobody\n\
         smtp:\n  driver = smtp",
    );
    let sender = rng.pick(&["ann@a.test", "<>", "one@b.test"]);
    quarry.fixed(format!("? -f {sender} {}", rng.pick(&["-bt", "-bt", "-bv"])));
    for _ in 0..rng.usize(2..7) {
        quarry.loose(format!("> {}", address(rng)));
    }
    for log in ["main", "panic"] {
        quarry.fixed(format!(
            "? -be '${{sg{{${{readfile{{DIR/log/{log}log}}}}}}\
             {{\\N(?m)^\\S+ \\S+ (\\[\\d+\\] )?\\N}}{{}}}}'"
        ));
    }
    quarry
}

fn address(rng: &mut Rng) -> String {
    let local = rng.pick(&["ann", "one", "\"it's\"", "\"two words\"", "bob", "fred", "a.test"]);
    let domain = rng.pick(&["a.test", "x.a.test", "b.test", "one", "two.test"]);
    format!("{local}@{domain}")
}

/// ACLs that ask, and a session that comes to them.
fn session(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Database);
    quarry.fixed("tls_advertise_hosts =");
    let phases = ["connect", "mail", "rcpt"];
    for phase in phases {
        quarry.fixed(format!("acl_smtp_{phase} = {phase}"));
    }
    quarry.fixed("begin acl");
    let shown = "<$host_data> <$domain_data> <$local_part_data> <$sender_data> <$recipient_data>";
    for phase in phases {
        quarry.fixed(format!("{phase}:"));
        for number in 0..rng.usize(0..3) {
            let verb = rng.pick(&["warn", "warn", "deny", "accept", "require", "defer"]);
            let mut text = format!("  {verb} log_message = {phase} {number}");
            for _ in 0..rng.usize(1..3) {
                let own: &[(&str, &str)] = match phase {
                    "connect" => &[("hosts", "$sender_host_address")],
                    "mail" => &[("senders", "$sender_address"), ("condition", "$sender_address")],
                    _ => &[
                        ("domains", "$domain"),
                        ("local_parts", "$local_part"),
                        ("condition", "$local_part"),
                        ("set acl_m_x", "$domain"),
                    ],
                };
                let (option, subject) = own[rng.usize(..own.len())];
                let value = match option {
                    // Of a value that is none, the last lookup's words may be told.
                    "condition" => {
                        let not_found = rng.pick(&["yes", "no", ""]);
                        found(rng, subject).replace(":fail: none", not_found)
                    }
                    "set acl_m_x" => found(rng, subject),
                    _ => list(rng, subject, option),
                };
                text += &format!("\n       {option} = {value}");
            }
            quarry.loose(format!("{text}\n       logwrite = {phase} {number} {shown} $acl_m_x"));
        }
        quarry.fixed("  accept");
    }
    let client = rng.pick(&["192.0.2.1", "192.0.2.77", "10.1.2.3"]);
    quarry.fixed(format!("? hunt -bh {client}")).loose("> EHLO client.test");
    quarry.loose(format!("> MAIL FROM:<{}>", address(rng)));
    for _ in 0..rng.usize(1..5) {
        quarry.loose(format!("> RCPT TO:<{}>", address(rng)));
    }
    quarry.fixed("> QUIT");
    quarry
}

/// What a program says to everything.
pub(super) fn answers(text: &str, program: &Path) -> Vec<String> {
    let names = NAMES.get().cloned().unwrap_or_default();
    let filled = String::from_utf8(fill(&names, text.as_bytes())).expect("text");
    let form = match text.contains("\n? hunt -bh ") {
        true => Form::Dialogue,
        false => Form::Routing,
    };
    let mut quarry = Quarry::new(form);
    quarry.fixed(filled);
    let _alone = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    quarry.answers(program, true)
}

/// Where the answers differ and are not known to.
pub(super) fn difference(text: &str, programs: &Programs<'_>) -> Vec<String> {
    let none = Names::new();
    let names = NAMES.get().unwrap_or(&none);
    let filled = String::from_utf8(fill(names, text.as_bytes())).expect("text");
    let _alone = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    let found = match text.contains("\n? -be\n") || text.contains("\n? hunt -bh ") {
        true => lookups::difference(&filled, programs),
        false => difference_of_routers(&filled, programs),
    };
    let is_left = |line: &String| !line.contains(LEFT_OVER);
    let found: Vec<String> = found.into_iter().filter(is_left).collect();
    let hide = |line: String, (name, value): &(&str, String)| line.replace(value, name);
    found.into_iter().map(|line| names.iter().fold(line, hide)).collect()
}

/// Where the real one ends in the middle, what it said before counts.
fn difference_of_routers(text: &str, programs: &Programs<'_>) -> Vec<String> {
    let case = routing::Case::parse(Path::new("hunt.case"), text);
    let ask = |program: &Path| -> Vec<routing::Answer> {
        let place = case.set_up();
        case.questions.iter().map(|question| question.ask(program, &place)).collect()
    };
    let (mut theirs, mut ours) = (ask(programs.exim), ask(programs.eximious));
    for answer in theirs.iter_mut().chain(&mut ours) {
        let lines = answer.err.lines().filter(|line| !line.starts_with(LEFT_OVER));
        answer.err = lines.map(|line| format!("{line}\n")).collect();
    }
    if !theirs[0].out.ends_with("> \n") {
        let said = theirs[0].out.trim_end_matches("> ");
        return match ours[0].out.starts_with(said) {
            true => Vec::new(),
            false => vec![format!("- {said:?}"), format!("+ {:?}", ours[0].out)],
        };
    }
    let differences = theirs.iter().zip(&ours).filter_map(|(theirs, ours)| theirs.difference(ours));
    differences.flat_map(|text| super::lines_of(&text)).collect()
}
