//! The lookup types `mysql` and `pgsql` against servers of their own; where
//! Exim is there, it is asked the same.

use std::path::Path;
use std::time::{Duration, Instant};

use eximious::world::{Server as At, ServerError, SqlAnswer, SqlKind};
use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::servers::program;
use eximious_tests::show;
use eximious_tests::sql::{Sql, ask};

const ONE: &str = "mysql_servers = 127.0.0.1::MYPORT/db/u/secret\n\
                   pgsql_servers = 127.0.0.1::PGPORT/db/u/secret\n";
const MANY: &str = "mysql_servers = 127.0.0.1::1/db/u/secret : 127.0.0.1::MYPORT/db/u/secret :\\\n\
                    localhost(MYDIR/sock)/db/u/secret : Upper/d/u/p : incomplete/x\n\
                    pgsql_servers = 127.0.0.1::1/db/u/secret : 127.0.0.1::PGPORT/db/u/secret :\\\n\
                    (PGDIR/.s.PGSQL.PGPORT)/db/u/secret : incomplete/x\n";

/// The only value of an answer.
fn value(answer: Result<SqlAnswer, ServerError>) -> String {
    match answer {
        Ok(SqlAnswer::Rows(rows)) => {
            let value = rows.rows[0][0].clone().unwrap_or_default();
            String::from_utf8(value).expect("UTF-8")
        }
        other => panic!("{other:?}"),
    }
}

/// What servers of both kinds have in common.
fn connections(sql: Sql, identity: &str, sleep: &str) {
    let (kind, at) = (sql.kind, sql.at());
    let world = eximious_world::system();
    let query = |statement: &str| ask(&world, kind, &at, statement);

    // A connection is used again, by whoever comes.
    let first = value(query(identity));
    assert_eq!(value(query(identity)), first);
    let elsewhere = || {
        std::thread::scope(|scope| {
            scope.spawn(|| value(query(identity))).join().expect("an answer")
        })
    };
    assert_eq!(elsewhere(), first);
    // Not with another password, and not one that somebody has changed.
    let wrong = At { password: b"wrong".to_vec(), ..at.clone() };
    assert!(matches!(ask(&world, kind, &wrong, identity), Err(ServerError::Connect(_))));
    assert!(query("begin").is_ok());
    assert_eq!(value(query(identity)), first);
    assert_ne!(elsewhere(), first);
    assert!(query("commit").is_ok());

    // All at once.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..20 {
                    let number = number.to_string();
                    assert_eq!(value(query(&format!("select {number}"))), number);
                }
            });
        }
    });

    // One that takes too long is given up, and the next statement has an answer.
    let begun = Instant::now();
    let slow = world.sql.query(kind, &at, sleep.as_bytes(), Duration::from_millis(300));
    assert!(matches!(slow, Err(ServerError::Broken(_))), "{slow:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(value(query("select 1")), "1");

    // Answers that are too long are an error, and long ones are not.
    let long = |count: u32| format!("select repeat('x', {count})");
    assert_eq!(value(query(&long(5_000_000))).len(), 5_000_000);
    let rows = (0..6).map(|_| long(14_000_000)).collect::<Vec<_>>().join(" union all ");
    assert_eq!(query(&rows), Err(ServerError::TooMuch));
    assert_eq!(value(query("select 1")), "1");

    // The server goes away, and comes back.
    let config = sql.config("config", ONE);
    let word = if kind == SqlKind::Mysql { "mysql" } else { "pgsql" };
    let line = format!("${{lookup {word},cache=no{{select 7}}}}");
    let mut ours = Ours::with_config(&config);
    assert_eq!(show(&ours.answer(line.as_bytes())), "7");
    let start = sql.end();
    assert!(matches!(query("select 1"), Err(ServerError::Connect(_))));
    let gone = String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned();
    assert!(gone.starts_with("Failed: lookup of \"select 7\" gave DEFER: "), "{gone}");
    assert!(gone.contains("SQL connection failed: "), "{gone}");
    assert!(!gone.contains("secret"), "{gone}");
    let sql = start();
    assert_eq!(value(query("select 1")), "1");
    assert_eq!(show(&ours.answer(line.as_bytes())), "7");

    // It dies, and another is there in its place, while connections are open.
    let sql = sql.end()();
    assert_eq!(value(query("select 1")), "1");
    assert_eq!(show(&ours.answer(line.as_bytes())), "7");

    // It stands still.
    sql.server.signal("STOP");
    let begun = Instant::now();
    let fresh = eximious_world::system();
    let still = fresh.sql.query(kind, &at, b"select 1", Duration::from_millis(300));
    assert!(matches!(still, Err(ServerError::Connect(_))), "{still:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    sql.server.signal("CONT");
    assert_eq!(value(query("select 1")), "1");
}

/// Data from outside in statements, and where a server should be named.
fn tainted(sql: &Sql, config: &Path) {
    let word = if sql.kind == SqlKind::Mysql { "mysql" } else { "pgsql" };
    let port = if sql.kind == SqlKind::Mysql { "MYPORT" } else { "PGPORT" };
    let message = sql.config(
        "message",
        "Subject: 127.0.0.1::MYPORT/db/u/secret\nX-Server: 127.0.0.1::PGPORT/db/u/secret\n\
         X-Plain: one\nX-Quote: it's\nX-Harm: \\'; drop table t; --\n\nBody\n",
    );
    let lines: Vec<Vec<u8>> = [
        "{select '$h_x-plain:'}",
        "{select '$h_x-quote:'}",
        "{select '${quote_WORD:$h_x-quote:}'}",
        "{select '${quote_WORD:$h_x-harm:}'}",
        "{select count(*) from t}",
        "{select name from t where name='${quote_WORD:$h_x-plain:}'}",
        ",servers=127.0.0.1::PORT{select '${quote_WORD:$h_x-plain:}'}",
        ",servers=127.0.0.1::PORT/db/u/secret{select '$h_x-plain:'}",
        ",servers=$h_subject{select 1}",
        "{servers=127.0.0.1::PORT; select '$h_x-plain:'}",
        "{servers=127.0.0.1::1 : 127.0.0.1::PORT; select '${quote_WORD:$h_x-plain:}'}",
        "{servers=127.0.0.1::PORT/db/u/secret; select '$h_x-plain:'}",
        "{servers=127.0.0.1::PORT/db/u/secret : 127.0.0.1::PORT; select '$h_x-plain:'}",
        "{servers=127.0.0.1::PORT/db; select '$h_x-plain:'}",
        "{servers=(/tmp/x)///; select '${quote_WORD:$h_x-plain:}'}",
        "{servers=$h_x-plain:; select 1}",
        "{servers=$h_subject:; select 1}",
        "{servers=$h_x-server:; select 1}",
        "{servers=; select '$h_x-plain:'}",
        "{servers=x select '$h_x-plain:'}",
    ]
    .iter()
    .map(|line| format!("${{lookup {word}{line}}}").replace("WORD", word).replace("PORT", port))
    .map(|line| sql.fill(line.as_bytes()))
    .collect();
    let mut ours = Ours::with_config(config).reading(&message);
    let ours: Vec<_> = lines.iter().map(|line| Answer::Said(ours.answer(line))).collect();
    assert!(ours[4] == Answer::Said(b"3".to_vec()), "{:?}", ours[4]);
    assert!(ours[6] == Answer::Said(b"one".to_vec()), "{:?}", ours[6]);
    let Some(exim) = Reference::find() else { return };
    let theirs = exim.with_config(config).ask(&lines, Some(&message));
    for ((line, ours), theirs) in lines.iter().zip(ours).zip(theirs) {
        // Exim only notes that a query is not quoted.
        let refused = b"Failed: tainted search query is not properly quoted: ";
        let refused = matches!(&ours, Answer::Said(said) if said.starts_with(refused));
        assert_eq!(refused, unquoted(line), "{}", show(line));
        assert!(refused || ours == theirs, "{}", show(line));
    }
}

/// Whether the query of a line has text from outside in it that is not quoted.
fn unquoted(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let query = line.rsplit_once("{select").map_or(&*line, |(_, query)| query);
    query.contains("'$h_") || line.contains("{servers=$h_")
}

/// The answers to lines of our own.
fn check(sql: &Sql, ours: &mut Ours, lines: &[(&str, &str)]) {
    for (line, wanted) in lines {
        let said = ours.answer(&sql.fill(line.as_bytes()));
        assert_eq!(String::from_utf8_lossy(&sql.hide(&said)), *wanted, "{line}");
    }
}

#[test]
fn mysql_servers() {
    let Some(sql) = Sql::mariadb() else { return };
    let (one, many) = (sql.config("one", ONE), sql.config("many", MANY));
    sql.suite("mysql.txt", &one);
    sql.suite("mysql-servers.txt", &many);
    sql.reset();
    tainted(&sql, &one);

    let mut ours = Ours::with_config(&one);
    check(
        &sql,
        &mut ours,
        &[
            // Exim 4.100 knows addresses of IPv6; 4.98 reads them otherwise.
            ("${lookup mysql,servers=::::1.MYPORT/db/u/secret{select 1}}", "1"),
            ("${lookup mysql,servers=<;::1.MYPORT/db/u/secret{select 1}}", "1"),
            ("${lookup mysql,servers=<;::1.MYPORT(/x)[exim]/db/u/secret{select 1}}", "1"),
            ("${lookup mysql,servers=<;0:0::0:1.MYPORT/db/u/secret{select 1}}", "1"),
            ("${lookup mysql,servers=<;::ffff:127.0.0.1.MYPORT/db/u/secret{select 1}}", "1"),
            (
                "${lookup mysql,servers=<;::1.1/db/u/secret{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: MYSQL connection failed: Can\'t connect \
                 to server on \'::1\' (115)",
            ),
            // Exim has an open connection to that server and database, for that
            // user, and does not look at the password.
            (
                "${lookup mysql,servers=127.0.0.1::MYPORT/db/u/wrong{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: MYSQL connection failed: Access denied \
                 for user \'u\'@\'localhost\' (using password: YES)",
            ),
            // A server could ask for any file of this host; Exim would send it.
            (
                "${lookup mysql{load data local infile '/etc/hostname' into table t}}",
                "Failed: lookup of \"load data local infile \'/etc/hostname\' into table t\" gave \
                 DEFER: MYSQL: query failed: The used command is not allowed because the MariaDB \
                 server or client has disabled the local infile capability\n",
            ),
            // After several answers, Exim can't use the connection any more.
            ("${lookup mysql{create procedure p() begin select 1; select 2; end}}", "0"),
            ("${lookup mysql{call p()}}", "1"),
            ("${lookup mysql{select 5}}", "5"),
            // Nor after the server has closed it.
            (
                "${lookup mysql{kill connection_id()}}",
                "Failed: lookup of \"kill connection_id()\" gave DEFER: MYSQL: query failed: \
                 Connection was killed\n",
            ),
            ("${lookup mysql{select 6}}", "6"),
        ],
    );
    // Other proofs of a password.
    sql.admin("install soname 'auth_ed25519'; create user e identified via ed25519 using password(\"se'cret\")");
    sql.admin("create user n; create user l@localhost identified by 'secret'");
    check(
        &sql,
        &mut ours,
        &[
            ("${lookup mysql,servers=127.0.0.1::MYPORT//e/se'cret{select 'ed25519'}}", "ed25519"),
            ("${lookup mysql,servers=127.0.0.1::MYPORT//n/{select 'none'}}", "none"),
            ("${lookup mysql,servers=(MYDIR/sock)//l/secret{select 'local'}}", "local"),
            (
                "${lookup mysql,servers=127.0.0.1::MYPORT//e/wrong{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: MYSQL connection failed: Access denied \
                 for user \'e\'@\'localhost\' (using password: YES)",
            ),
        ],
    );
    option_files(&sql);
    connections(sql, "select connection_id()", "select sleep(5)");
}

#[test]
fn pgsql_servers() {
    let Some(sql) = Sql::postgresql() else { return };
    let (one, many) = (sql.config("one", ONE), sql.config("many", MANY));
    sql.suite("pgsql.txt", &one);
    sql.suite("pgsql-servers.txt", &many);
    sql.reset();
    tainted(&sql, &one);

    let mut ours = Ours::with_config(&one);
    check(
        &sql,
        &mut ours,
        &[
            // Exim 4.100 knows addresses of IPv6; 4.98 reads them otherwise.
            ("${lookup pgsql,servers=::::1.PGPORT/db/u/secret{select 1}}", "1"),
            ("${lookup pgsql,servers=<;::1.PGPORT/db/u/secret{select 1}}", "1"),
            (
                "${lookup pgsql,servers=<;::1.abc/db/u/secret{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: PGSQL connection failed: invalid integer \
                 value \"abc\" for connection option \"port\"\n",
            ),
            (
                "${lookup pgsql,servers=127.0.0.1::PGPORT/db/u/wrong{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: PGSQL connection failed: connection to \
                 server at \"127.0.0.1\", port PGPORT failed: FATAL:  password authentication \
                 failed for user \"u\"\n",
            ),
            (
                "${lookup pgsql,servers=127.0.0.1::PGPORT/db/u/{select 1}}",
                "Failed: lookup of \"select 1\" gave DEFER: PGSQL connection failed: connection to \
                 server at \"127.0.0.1\", port PGPORT failed: fe_sendauth: no password supplied\n",
            ),
            // After the server has closed a connection, Exim can't do anything.
            (
                "${lookup pgsql{select pg_terminate_backend(pg_backend_pid())}}",
                "Failed: lookup of \"select pg_terminate_backend(pg_backend_pid())\" gave DEFER: \
                 PGSQL: query failed: server closed the connection unexpectedly\n\tThis probably \
                 means the server terminated abnormally\n\tbefore or while processing the \
                 request.\n (PGRES_FATAL_ERROR) (select \
                 pg_terminate_backend(pg_backend_pid()))\n",
            ),
            ("${lookup pgsql{select 6}}", "6"),
        ],
    );
    under_tls(&sql, &one);
    settings(&sql);
    connections(sql, "select pg_backend_pid()", "select pg_sleep(5)");
}

/// The client asks for TLS, as PostgreSQL's own does, and goes on without where
/// that is how it is let in.
fn under_tls(sql: &Sql, config: &Path) {
    let Some(openssl) = program("openssl") else { return };
    let home = sql.server.home();
    let mut command = home.command(&openssl);
    command.args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split(' '));
    home.run(command.args(["-keyout", "data/server.key", "-out", "data/server.crt"]));
    let rules = "local all postgres trust\nhostssl all s all scram-sha-256\n\
                 hostnossl all n all scram-sha-256\nhost all m all md5\n\
                 host all c all password\nhost all u all scram-sha-256\n";
    home.write("data/pg_hba.conf", rules);
    sql.admin(
        "create user s password 'secret'; create user n password 'secret';\n\
         create user c password 'secret'; create user r password 'secret';\n\
         set password_encryption=md5; create user m password 'secret';\n\
         alter system set ssl=on;\nselect pg_reload_conf();\nselect pg_sleep(0.3)",
    );
    let asked = "select ssl from pg_stat_ssl where pid=pg_backend_pid()";
    let at = |host: &str, user: &str, password: &str| {
        let server = format!("{host}::PGPORT/postgres/{user}/{password}");
        sql.fill(format!("${{lookup pgsql,servers={server}{{{asked}}}}}").as_bytes())
    };
    let mut lines = Vec::new();
    for user in ["s", "n", "m", "c", "r"] {
        lines.push(at("localhost", user, "wrong"));
        lines.push(at("127.0.0.1", user, ""));
        lines.push(at("127.0.0.1", user, "secret"));
    }
    let mut ours = Ours::with_config(config);
    let ours: Vec<_> = lines.iter().map(|line| Answer::Said(ours.answer(line))).collect();
    let secret: Vec<_> = ours.iter().skip(2).step_by(3).cloned().collect();
    let said = |text: &str| Answer::Said(text.as_bytes().to_vec());
    assert_eq!(secret[..4], [said("t"), said("f"), said("t"), said("t")]);
    if let Some(exim) = Reference::find() {
        assert_eq!(exim.with_config(config).ask(&lines, None), ours);
    }
}

/// Settings of the connection in the place of the database's name.
fn settings(sql: &Sql) {
    let application = "select current_setting('application_name')";
    let memory = "select current_setting('work_mem')";
    let database = "select current_database()";
    let tls = "select ssl from pg_stat_ssl where pid=pg_backend_pid()";
    for (number, (name, user, password, asked)) in [
        ("dbname=db", "u", "secret", database),
        (" dbname = 'd\\b' ", "u", "secret", database),
        ("dbname=", "u", "secret", database),
        ("dbname=db dbname=postgres", "u", "secret", database),
        ("dbname=dbname=db", "u", "secret", database),
        ("dbname=db application_name=x\\ y", "u", "secret", application),
        ("dbname=db fallback_application_name='x y'", "u", "secret", application),
        ("dbname=db options='-c work_mem=5MB'", "u", "secret", memory),
        ("dbname=db options=-cnosuch=5MB", "u", "secret", memory),
        ("dbname=db user=u password=secret", "", "", database),
        ("dbname=db user=postgres password=wrong", "u", "secret", "select current_user"),
        ("dbname=db port=1 host=nosuch keepalives=1", "u", "secret", database),
        ("dbname=db hostaddr=127.0.0.9", "u", "secret", database),
        ("dbname=db nosuch=1", "u", "secret", database),
        ("dbname=db x", "u", "secret", database),
        ("dbname='db", "u", "secret", database),
        ("=x", "u", "secret", database),
        ("dbname=db sslmode=bad", "u", "secret", database),
        ("dbname=db target_session_attrs=x", "u", "secret", database),
        ("dbname=postgres sslmode=disable", "s", "secret", tls),
        ("dbname=postgres sslmode=disable", "m", "secret", tls),
        ("dbname=postgres sslmode=allow", "s", "secret", tls),
        ("dbname=postgres sslmode=allow", "m", "secret", tls),
        ("dbname=postgres sslmode=prefer", "n", "secret", tls),
        ("dbname=postgres sslmode=prefer", "m", "secret", tls),
        ("dbname=postgres sslmode=require", "n", "secret", tls),
        ("dbname=postgres sslmode=require", "m", "secret", tls),
    ]
    .into_iter()
    .enumerate()
    {
        let servers = format!("pgsql_servers = <; 127.0.0.1:PGPORT/{name}/{user}/{password}\n");
        as_exim(sql, &format!("settings{number}"), &servers, &format!("pgsql{{{asked}}}"));
    }
    // The environment has settings, too.
    let told = "select current_setting('TimeZone')||current_setting('DateStyle')||\
                current_setting('work_mem')||current_setting('geqo')";
    for (number, (environment, server, asked)) in [
        ("PGAPPNAME=app", "db/u/secret", application),
        ("PGAPPNAME=app", "dbname=db application_name=x/u/secret", application),
        ("PGAPPNAME=app", "dbname=db fallback_application_name=x/u/secret", application),
        (
            "PGTZ=Asia/Tokyo;PGDATESTYLE=German;PGOPTIONS=-cwork_mem=7MB;PGGEQO=off",
            "db/u/secret",
            told,
        ),
        ("PGTZ=default", "db/u/secret", told),
        ("PGTZ=Nosuch", "db/u/secret", told),
        ("PGDATABASE=db;PGUSER=u;PGPASSWORD=secret", "//", database),
        ("PGDATABASE=x;PGUSER=x;PGPASSWORD=x", "db/u/secret", database),
        ("PGDATABASE=db", "user=x/u/secret", database),
        ("PGHOSTADDR=127.0.0.9", "db/u/secret", database),
        ("PGHOST=127.0.0.9;PGPORT=1", "db/u/secret", database),
        ("PGSSLMODE=bad", "db/u/secret", database),
        ("PGSSLMODE=disable", "postgres/m/secret", tls),
        ("PGSSLMODE=disable", "dbname=postgres sslmode=require/m/secret", tls),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!(
            "add_environment = <; {environment}\npgsql_servers = <; 127.0.0.1:PGPORT/{server}\n"
        );
        as_exim(sql, &format!("environment{number}"), &text, &format!("pgsql{{{asked}}}"));
    }
}

/// Asks both programs, with a configuration of its own.
fn as_exim(sql: &Sql, name: &str, config: &str, lookup: &str) {
    let path = sql.config(name, config);
    let line = format!("${{lookup {lookup}{{<$value>}}{{none}}}}").into_bytes();
    let ours = Ours::with_config(&path).answer(&line);
    if let Some(exim) = Reference::find() {
        let theirs = exim.with_config(&path).ask(&[line], None);
        assert_eq!(theirs, [Answer::Said(ours)], "{config}");
    }
}

/// Option files in directories that the environment names.
fn option_files(sql: &Sql) {
    let home = sql.server.home();
    let files = "[exim]\nport=MYPORT\nsocket=MYDIR/sock\n[other]\nport=MYPORT\nuser=x\n";
    home.write(".my.cnf", sql.fill(files.as_bytes()));
    home.write("my.cnf", sql.fill(b"[exim]\nport=1\n"));
    for (number, (environment, server)) in [
        ("HOME=MYDIR", "127.0.0.1/db/u/secret"),
        ("HOME=MYDIR", "localhost/db/u/secret"),
        ("HOME=MYDIR", "127.0.0.1[other]/db/u/secret"),
        ("HOME=MYDIR", "127.0.0.1[other]/db//secret"),
        ("HOME=MYDIR", "127.0.0.1[third]/db/u/secret"),
        ("HOME=/nosuch", "127.0.0.1/db/u/secret"),
        ("HOME=MYDIR;MYSQL_HOME=MYDIR", "127.0.0.1/db/u/secret"),
        ("MYSQL_HOME=MYDIR", "127.0.0.1/db/u/secret"),
        ("MYSQL_HOME=MYDIR;MYSQL_TCP_PORT=MYPORT", "127.0.0.1/db/u/secret"),
        ("MYSQL_TCP_PORT=MYPORT", "127.0.0.1/db/u/secret"),
        ("MYSQL_TCP_PORT=1", "127.0.0.1:MYPORT/db/u/secret"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("add_environment = <; {environment}\nmysql_servers = <; {server}\n");
        as_exim(sql, &format!("files{number}"), &text, "mysql{select current_user()}");
    }
}
