//! Databases of three sorts, with the same tables.

use fastrand::Rng;

use super::super::{Quarry, as_text, lookups};
use crate::dice::Dice;

/// A sort of database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Mysql,
    Pgsql,
    Sqlite,
}

impl Base {
    pub const ALL: [Self; 3] = [Self::Mysql, Self::Pgsql, Self::Sqlite];

    /// Its type of lookup.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Pgsql => "pgsql",
            Self::Sqlite => "sqlite",
        }
    }

    /// One of them.
    pub fn any(rng: &mut Rng) -> Self {
        Self::ALL[rng.usize(..Self::ALL.len())]
    }
}

/// What keys and values may be.
const TEXTS: &[&str] = &[
    "one",
    "one",
    "ann",
    "ann",
    "a.test",
    "a.test",
    "b.test",
    "192.0.2.1",
    "ann@a.test",
    "two words",
    "it's",
    "a\"b",
    "back\\slash",
    "end\\",
    "a=b",
    "a,b",
    "a:b",
    "x;y",
    "é",
    "",
    "NULL",
    "100%",
    "a_b",
    "line\nend",
    "cr\rlf\r\n",
    "tab\there",
    " lead",
    "trail ",
    "{b}",
    "$5",
    "--c",
    "\"q\"",
    "a''b",
    "?",
    ":fail: no",
    "bob@b.test, carl",
    "192.0.2.0/24",
];

/// A row of the table: none is a NULL.
type Row = (Option<&'static str>, Option<&'static str>, Option<i32>);

/// The rows of the tables.
pub fn rows(rng: &mut Rng) -> Vec<Row> {
    let mut rows = Vec::new();
    for _ in 0..rng.usize(3..9) {
        let id = (!rng.chance(12)).then(|| rng.pick(TEXTS));
        let data = (!rng.chance(6)).then(|| rng.pick(TEXTS));
        let number = (!rng.chance(6)).then(|| rng.i32(-2..6));
        rows.push((id, data, number));
    }
    rows
}

/// A text as a value of a statement.
fn literal(base: Base, text: Option<&str>) -> String {
    let Some(text) = text else { return "null".to_owned() };
    let hex =
        |before: &str| text.bytes().map(|byte| format!("{before}{byte:02x}")).collect::<String>();
    match base {
        Base::Mysql => format!("convert(x'{}' using utf8mb4)", hex("")),
        Base::Pgsql => format!("E'{}'", hex("\\x")),
        Base::Sqlite => format!("cast(x'{}' as text)", hex("")),
    }
}

/// The table as it is before a question.
pub fn tables(base: Base, rows: &[Row], quarry: &mut Quarry) {
    let (begin, run) = match base {
        Base::Mysql => ("", "mariadb --no-defaults -uroot -SMYDIR/sock db"),
        Base::Pgsql => (
            "set client_min_messages = error;\nset role u;\n",
            "psql -qX -h PGDIR -p PGPORT -U postgres db",
        ),
        Base::Sqlite => ("", "sqlite3 DIR/a.sqlite"),
    };
    let mut text = format!("{begin}drop table if exists t;\n");
    text += "create table t(id varchar(40), data varchar(60), n int);\n";
    for (id, data, number) in rows {
        let [id, data] = [id, data].map(|text| literal(base, *text));
        let number = number.map_or("null".to_owned(), |number| number.to_string());
        text += &format!("insert into t values({id}, {data}, {number});\n");
    }
    let word = base.word();
    quarry.fixed(format!("+++ {word}.sql\n{}", as_text(text.trim_end())));
    quarry.fixed(format!("$ {run} < DIR/{word}.sql >/dev/null"));
}

/// Servers of an option.
pub fn servers(rng: &mut Rng, base: Base) -> String {
    if rng.chance(3) {
        return rng.some(1, 4, " : ", |rng| server(rng, base));
    }
    let port = if base == Base::Mysql { "MYPORT" } else { "PGPORT" };
    format!("127.0.0.1::{port}/db/u/secret")
}

/// A server. A password is the right one or the user is another: what is open stays open.
fn server(rng: &mut Rng, base: Base) -> String {
    let (port, socket) = match base {
        Base::Mysql => ("MYPORT", "(MYDIR/sock)"),
        _ => ("PGPORT", "(PGDIR/.s.PGSQL.PGPORT)"),
    };
    let host = match rng.u32(..20) {
        0..=8 => format!("127.0.0.1::{port}"),
        9 | 10 => socket.to_owned(),
        11 => format!("localhost{socket}"),
        12 => format!("localhost::{port}"),
        13 => "127.0.0.1::DEADPORT".to_owned(),
        14 => "127.0.0.2::DEADPORT".to_owned(),
        15 => "(DIR/nosock)".to_owned(),
        16 => rng.pick(&["", "127.0.0.1::x", "127.0.0.1", "nosuch.test", "(", "()", "a b"]).into(),
        _ => format!("127.0.0.1::{port}"),
    };
    let rest = match rng.u32(..12) {
        0..=6 => "/db/u/secret",
        7 => rng.pick(&[
            "/nodb/u/secret",
            "/db/nobody/x",
            "/db/nobody/",
            "//u/secret",
            "/DB/u/secret",
        ]),
        8 => rng.pick(&["/db/u", "/db", "/", "///", "/db//secret", "/db/u/secret/x"]),
        9 => "",
        _ => "/db/u/secret",
    };
    format!("{host}{rest}")
}

/// A key, quoted for the database.
fn key(rng: &mut Rng, base: Base) -> String {
    let text = lookups::escaped(rng.pick(TEXTS));
    format!("'${{quote_{}:{text}}}'", base.word())
}

/// A statement, as a text that is expanded. None has a fault in the middle of its answer: the
/// real one takes that for the answer's end with MySQL.
fn statement(rng: &mut Rng, base: Base) -> String {
    match rng.u32(..24) {
        0..=5 => {
            let key = key(rng, base);
            format!("select {} from t where id={key}", columns(rng, base))
        }
        6 => format!("select {} from t order by n,id,data", columns(rng, base)),
        7 => format!("select {} from t where n > 1 order by n,id,data limit 2", columns(rng, base)),
        8 => {
            let all = [
                "select distinct n from t order by n",
                "select count(*),sum(n) from t",
                "select n,count(*) from t group by n order by n",
                "select data from t where data is null",
                "select null from t where n is not null",
                "select id from t where data like 'a%' order by id,data",
                "select id from t union select data from t order by 1",
                "select a.id,b.data from t a join t b on a.n=b.n order by a.id,b.data,a.n",
            ];
            rng.pick(&all).to_owned()
        }
        9..=12 => {
            let count = rng.usize(1..5);
            let all: Vec<String> = (0..count).map(|_| value(rng, base)).collect();
            format!("select {}", all.join(","))
        }
        13 => format!("insert into t values({},'new',9)", key(rng, base)),
        14 => {
            let (key, set) = (key(rng, base), rng.pick(&["n=n+1", "data='new'", "data=null"]));
            format!("update t set {set} where id={key}")
        }
        15 => format!("update t set n={}", rng.u32(..3)),
        16 => format!("delete from t where id={} or n={}", key(rng, base), rng.u32(..5)),
        17..=19 => {
            let all = [
                "select",
                "selekt 1",
                "",
                " ",
                ";",
                "select 1;",
                "select data from nosuch",
                "select nosuch from t",
                "select 1;select 2",
                "select 1;select id from t where n=99",
                "select 1 -- remark",
                "-- remark",
                "/* remark */",
                "select 'open",
                "select 1/0",
                "select cast('x' as int)",
                "insert into t values(1)",
                "insert into t(id) values('a'),('b')",
                "delete from nosuch",
                "select * from t where 1=0",
                "select n from t where n=99;update t set n=4",
                "values(1,2)",
                "  select 1",
                "SELECT 'a' AS A",
                "\\nselect 1\\n",
                "select\\t1",
                "select 'a' 'b'",
                "select $1",
                "select ?",
                "truncate table t",
                "create table t(id int)",
                "drop table nosuch",
                "drop table if exists nosuch",
            ];
            rng.pick(&all).to_owned()
        }
        _ => own(rng, base).to_owned(),
    }
}

fn own(rng: &mut Rng, base: Base) -> &'static str {
    match base {
        Base::Mysql => rng.pick(&[
            "set @a=1",
            "select @a",
            "show tables",
            "show columns from t",
            "describe t",
            "replace into t values('one','new',1)",
            "insert ignore into t values('one','new',1)",
            "select database()",
            "select current_user()",
            "select \\\"a\\\",'b'",
            "select id as `a b` from t order by n,id,data",
            "select 1 # remark",
            "begin",
            "rollback",
            "do sleep(0)",
            "select if(1,'y','n')",
            "prepare p from 'select 1'",
            "execute p",
            "select 1 into @a",
            "select 'x' into outfile '/proc/x'",
            "checksum table t",
            "show warnings",
            "use mysql",
            "select * from t limit 0",
            "insert into t values('r','x',1) returning id,n",
            "signal sqlstate '45000' set message_text='no no'",
        ]),
        Base::Pgsql => rng.pick(&[
            "begin",
            "commit",
            "rollback",
            "show client_encoding",
            "set application_name='x'",
            "select current_user,current_database()",
            "select id as \\\"a b\\\" from t order by n,id,data",
            "select id as \\\"A=B\\\" from t order by n,id,data",
            "insert into t values('r','x',1) returning id,n",
            "delete from t where n=1 returning id",
            "do \\$\\$ begin raise notice 'hello'; end \\$\\$",
            "do \\$\\$ begin raise exception 'no no' using hint='a hint', detail='d'; end \\$\\$",
            "copy t to stdout",
            "copy t from stdin",
            "listen a",
            "notify a",
            "select E'a\\\\\\nb',U&'\\\\\\0041'",
            "select 'a\\\\b'",
            "explain select 1",
            "select array[1,2],array['a b',null]",
            "select row(1,'a b',null)",
            "select '{\\\"a\\\":1}'::json",
            "select generate_series(1,3)",
            "select generate_series(1,3),'x'",
            "prepare p as select 1",
            "execute p",
            "declare c cursor for select 1",
            "select set_config('search_path','x',false)",
            "set search_path=public",
            "vacuum",
            "select 'a'::varchar(3),'a'::char(3),3::numeric(5,2),1.5::float8,'1 day'::interval",
            "select",
        ]),
        Base::Sqlite => rng.pick(&[
            "begin",
            "commit",
            "rollback",
            "pragma table_info(t)",
            "pragma user_version",
            "pragma user_version=3",
            "select sqlite_version() > '3'",
            "select id as [a b] from t order by n,id,data",
            "select id as \\\"a=b\\\" from t order by n,id,data",
            "insert into t values('r','x',1) returning id,n",
            "insert or replace into t values('one','new',1)",
            "select changes()",
            "select last_insert_rowid() > 0",
            "select rowid,id from t order by rowid",
            "select typeof(n) from t order by rowid",
            "explain select 1",
            "select group_concat(id,'|') from t",
            "select json('{\\\"a\\\":1}')",
            "attach ':memory:' as m",
            "select 1 where 0;select 2",
            "select raise(abort,'x')",
            "select abs(-9223372036854775808)",
            "create trigger g before delete on t begin select raise(abort,'not so'); end",
            "select x'4142',x''",
            "select 1e100,1e15,0.1,1.0,-0.0,9223372036854775807",
        ]),
    }
}

fn columns(rng: &mut Rng, base: Base) -> &'static str {
    let quoted = match base {
        Base::Mysql => "data as `a b`,n as `N`",
        _ => "data as \\\"a b\\\",n as \\\"N\\\"",
    };
    let all =
        ["data", "data", "data", "data,n", "*", "n", "count(*)", "id,data", "data,data", "n*1.5"];
    match rng.chance(8) {
        true => quoted,
        false => rng.pick(&all),
    }
}

/// A value of a statement, as a text that is expanded.
fn value(rng: &mut Rng, base: Base) -> String {
    if rng.bool() {
        return key(rng, base);
    }
    let own = match base {
        Base::Mysql => rng.pick(&[
            "true",
            "x'4142'",
            "0x41",
            "b'1000001'",
            "1.50",
            "1e3",
            "date'2020-01-02'",
            "cast('10:11:12' as time(3))",
            "repeat('x',300)",
            "char(0)",
            "concat('a',char(0),'b')",
            "json_object('a',1)",
            "-1",
            "18446744073709551615",
            "1/3",
        ]),
        Base::Pgsql => rng.pick(&[
            "true",
            "false",
            "'\\\\x4100'::bytea",
            "1.50",
            "1e3",
            "date '2020-01-02'",
            "time '10:11:12.5'",
            "timestamp '2020-01-02 03:04'",
            "repeat('x',300)",
            "1/3.0",
            "-1",
            "null::int",
            "inet '192.0.2.1/24'",
            "'a=b c=d'",
            "array[1,2]",
        ]),
        Base::Sqlite => rng.pick(&[
            "true",
            "x'4142'",
            "1.50",
            "1e3",
            "1/3.0",
            "hex('a')",
            "zeroblob(2)",
            "char(0)",
            "'a'||char(10)||'b'",
            "-1",
            "printf('%5d',7)",
            "1e17",
            "0.1+0.2",
            "9e999",
            "date(0,'unixepoch')",
        ]),
    };
    let common = ["null", "''", "'a b'", "'x'", "1", "'a=b'", "'a b' as a", "'' as \\\"b\\\""];
    match rng.bool() {
        true => own.to_owned(),
        false => rng.pick(&common).to_owned(),
    }
}

fn tail(rng: &mut Rng) -> String {
    match rng.u32(..4) {
        0 => lookups::tail(rng, 0),
        1 => "{${extract{data}{$value}}|$value}{no}".to_owned(),
        2 => "{<${sg{$value}{\\n}{#}}>}{no}".to_owned(),
        _ => "{<$value>}{no}".to_owned(),
    }
}

/// A lookup, in an expansion.
pub fn lookup(rng: &mut Rng) -> String {
    let base = Base::any(rng);
    let word = base.word();
    let (asked, tail) = (statement(rng, base), tail(rng));
    if base == Base::Sqlite {
        return match rng.u32(..10) {
            0..=5 => format!("${{lookup sqlite{{{asked}}}{tail}}}"),
            6 | 7 => format!("${{lookup sqlite,file=DIR/a.sqlite{{{asked}}}{tail}}}"),
            8 => format!("${{lookup sqlite{{DIR/a.sqlite {asked}}}{tail}}}"),
            _ => {
                let options = rng.pick(&[
                    ",cache=no_rd",
                    ",cache=no",
                    ",file=DIR/nosuch/x",
                    ",file=",
                    ",file=x",
                    ",ret=key",
                    ",servers=a",
                    ",cache=no_rd,file=DIR/a.sqlite",
                ]);
                format!("${{lookup sqlite{options}{{{asked}}}{tail}}}")
            }
        };
    }
    let between = rng.pick(&[":", " : ", ":"]);
    match rng.u32(..20) {
        0..=8 => format!("${{lookup {word}{{{asked}}}{tail}}}"),
        9 => format!("${{lookup {word} {{ {asked} }}{tail}}}"),
        10..=12 => {
            let servers = rng.some(1, 3, between, |rng| server(rng, base));
            format!("${{lookup {word},servers={servers}{{{asked}}}{tail}}}")
        }
        13 | 14 => {
            let servers = rng.some(1, 3, between, |rng| server(rng, base));
            let semicolon = rng.pick(&[";", ";", "; ", " ;", ";\\n"]);
            format!("${{lookup {word}{{servers={servers}{semicolon}{asked}}}{tail}}}")
        }
        15 => {
            let servers = rng.some(1, 3, "+", |rng| server(rng, base).replace("::", ":"));
            format!("${{lookup {word},servers=<+{servers}{{{asked}}}{tail}}}")
        }
        16 | 17 => {
            let options = rng.pick(&[
                ",cache=no_rd",
                ",cache=no",
                ",ret=key",
                ",ret=full",
                ",servers=",
                ",",
                ",x=y",
                ",file=DIR/a.sqlite",
                ",cache=no_rd,servers=127.0.0.1",
                ",servers=127.0.0.1,cache=no_rd",
            ]);
            format!("${{lookup {word}{options}{{{asked}}}{tail}}}")
        }
        18 => {
            let kinds = rng.pick(&["WORD*", "partial-WORD", "WORD*@", "Word", "WORD1"]);
            format!("${{lookup {}{{{asked}}}{tail}}}", kinds.replace("WORD", word))
        }
        _ => {
            let inner = statement(rng, base);
            format!(
                "${{lookup {word}{{{asked}}}{{${{lookup {word}{{{inner}}}{tail}}}<$value>}}{{no}}}}"
            )
        }
    }
}

/// What a quoting operator makes of odd text.
pub fn quoted(rng: &mut Rng) -> String {
    let word = rng.pick(&["mysql", "pgsql", "sqlite", "ldap", "ldap_dn", "nosuch", "lsearch", ""]);
    let odd = ["\\x00", "\\x7f", "\\xff", "%", "_", "*", "()", "+<>;", "#a", " a ", "\\b\\t"];
    let text = rng.some(1, 3, "", |rng| match rng.bool() {
        true => lookups::escaped(rng.pick(TEXTS)),
        false => rng.pick(&odd).to_owned(),
    });
    match rng.chance(4) {
        true => format!("${{quote_{word}:${{quote_{word}:{text}}}}}"),
        false => format!("${{quote_{word}:{text}}}"),
    }
}

/// A query of a list: its type and the query.
pub fn listed(rng: &mut Rng, base: Base, subject: &str) -> (&'static str, String) {
    let word = base.word();
    let column = rng.pick(&["data", "data", "id", "n", "data,n", "1"]);
    let key = match rng.chance(4) {
        true => key(rng, base),
        false => format!("'${{quote_{word}:{subject}}}'"),
    };
    let query = match rng.u32(..12) {
        0 => "select id from t order by n,id,data".to_owned(),
        1 => rng.pick(&["selekt", "", "select id from t where n=99", "select null"]).to_owned(),
        2 if base != Base::Sqlite => {
            let server = server(rng, base).replace("::", ":");
            format!("servers=<+{server};select {column} from t where id={key}")
        }
        _ => format!("select {column} from t where id={key}"),
    };
    if base == Base::Sqlite && rng.chance(4) {
        return (word, format!("DIR/a.sqlite {query}"));
    }
    let word = match base {
        Base::Mysql => rng.pick(&["mysql", "mysql", "mysql", "mysql,cache=no_rd"]),
        Base::Pgsql => rng.pick(&["pgsql", "pgsql", "pgsql", "pgsql,servers=127.0.0.1"]),
        Base::Sqlite => rng.pick(&["sqlite", "sqlite", "sqlite,file=DIR/a.sqlite"]),
    };
    (word, query)
}

/// What is found for a part of an address.
pub fn of(rng: &mut Rng, variable: &str) -> String {
    let base = Base::any(rng);
    let word = base.word();
    let column = rng.pick(&["data", "data", "id", "n", "data,n", "count(*)"]);
    let query = match rng.u32(..14) {
        0 => rng.pick(&["selekt", "select nosuch from t", "update t set n=n+1"]).to_owned(),
        _ => format!("select {column} from t where id='${{quote_{word}:{variable}}}'"),
    };
    let servers = match rng.chance(5) && base != Base::Sqlite {
        true => format!(",servers={}", rng.some(1, 3, ":", |rng| server(rng, base))),
        false => String::new(),
    };
    let tail = rng.pick(&["", "{$value}fail", "{$value}{}", "{$value}{:fail: none}", "{$value}"]);
    format!("${{lookup {word}{servers}{{{query}}}{tail}}}")
}
