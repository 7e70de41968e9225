//! The lookup type `ibase` against a Firebird server of its own. No Exim that
//! could be asked knows it: the suite holds what is right.

use std::time::{Duration, Instant};

use eximious::world::{Server as At, ServerError, SqlAnswer, SqlKind, World};
use eximious_tests::firebird::Firebird;
use eximious_tests::ours::Ours;
use eximious_tests::root;
use eximious_tests::show;
use eximious_tests::sql;
use eximious_tests::suite::Suite;

const ONE: &str = "ibase_servers = 127.0.0.1::FBPORT/db/u/secret\n";

fn ask(world: &World, at: &At, statement: &str) -> Result<SqlAnswer, ServerError> {
    sql::ask(world, SqlKind::Firebird, at, statement)
}

/// The only value of an answer.
fn value(answer: Result<SqlAnswer, ServerError>) -> Vec<u8> {
    match answer {
        Ok(SqlAnswer::Rows(rows)) => rows.rows[0][0].clone().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

/// What a statement asks for that names no table.
fn of_nothing(what: &str) -> String {
    format!("select {what} from rdb$database")
}

#[test]
fn statements() {
    let Some(server) = Firebird::start("") else { return };
    let config = server.config("one", ONE);
    let suite = Suite::read(&root().join("tests/suites/sql/ibase.txt"));
    let mut ours = Ours::with_config(&config);
    let mut differ = Vec::new();
    for case in &suite.cases {
        let said = server.hide(&ours.answer(&server.fill(&case.input)));
        let wanted = String::from_utf8_lossy(&case.output);
        if said != wanted {
            let line = String::from_utf8_lossy(&case.input);
            differ.push(format!("{}: {line}\n  said   {said}\n  wanted {wanted}", case.number));
        }
    }
    assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
}

/// Data from outside in statements.
#[test]
fn data_from_outside() {
    let Some(server) = Firebird::start("") else { return };
    let config = server.config("one", ONE);
    let text = "X-Plain: one\nX-Quote: it's\nX-Harm: ' or 1=1 --\nX-Back: \\\n\nBody\n";
    let message = server.config("message", text);
    let mut ours = Ours::with_config(&config).reading(&message);
    let refused = "Failed: tainted search query is not properly quoted: ";
    for (value, wanted) in [
        ("$h_x-plain:", refused),
        ("${quote_mysql:$h_x-plain:}", refused),
        ("${quote_ibase:$h_x-plain:}", "<one>"),
        ("${quote_ibase:$h_x-quote:}", "<it's>"),
        ("${quote_ibase:$h_x-harm:}", "<' or 1=1 -->"),
        ("${quote_ibase:$h_x-back:}", "<\\>"),
    ] {
        let line = format!("${{lookup ibase{{select '{value}' from rdb\\$database}}{{<$value>}}}}");
        let said = String::from_utf8_lossy(&ours.answer(line.as_bytes())).into_owned();
        assert!(said.starts_with(wanted), "{line}: {said}");
    }
}

#[test]
fn lists_of_servers() {
    let Some(server) = Firebird::start("") else { return };
    let line = b"${lookup ibase{select name from t where id=1}}";
    for (list, wanted) in [
        ("127.0.0.1::FBPORT/db/u/secret", "one"),
        ("127.0.0.1::FBPORT/db/U/secret", "one"),
        ("127.0.0.1::FBPORT/FBDIR/db.fdb/u/secret", "one"),
        ("<; 127.0.0.1/FBPORT:db|u|secret", "one"),
        ("127.0.0.1/FBPORT::FBDIR/db.fdb|u|secret", "one"),
        ("127.0.0.1/FBPORT::db|\"small\"|pass::w/o|rd", "one"),
        ("127.0.0.1::1/db/u/secret : 127.0.0.1::FBPORT/db/u/secret", "one"),
        ("127.0.0.1::FBPORT/nodb/u/secret : 127.0.0.1::FBPORT/db/u/secret", "one"),
        ("127.0.0.1::FBPORT/db/small/secret", "? Your user name and password are not defined"),
        ("127.0.0.1::FBPORT/db/u/wrong", "? Your user name and password are not defined"),
        ("127.0.0.1::FBPORT/db/u/", "? Your user name and password are not defined"),
        ("127.0.0.1::FBPORT/db//secret", "? Your user name and password are not defined"),
        (
            "127.0.0.1::FBPORT/nodb/u/secret",
            "? I/O error during \"open\" operation for file \"nodb\"; Error while trying to open \
             file; No such file or directory",
        ),
        (
            "127.0.0.1::FBPORT/security.db/u/secret",
            "? no permission for remote access to database security.db",
        ),
        ("127.0.0.1::1/db/u/secret", "? 127.0.0.1: Connection refused"),
        ("127.0.0.1::x/db/u/secret", "? invalid port number: x"),
        ("nowhere.invalid/db/u/secret", "? nowhere.invalid: Name or service not known"),
    ] {
        let config = server.config("list", &format!("ibase_servers = {list}\n"));
        let said = server.hide(&Ours::with_config(&config).answer(line));
        let wanted = match wanted.strip_prefix("? ") {
            Some(why) => format!(
                "Failed: lookup of \"select name from t where id=1\" gave DEFER: IBASE connection \
                 failed: {why}"
            ),
            None => wanted.to_owned(),
        };
        assert_eq!(said, wanted, "{list}");
    }
}

#[test]
fn servers_set_in_other_ways() {
    let encrypted = of_nothing("rdb$get_context('SYSTEM', 'WIRE_ENCRYPTED')");
    for (settings, wanted) in [
        ("WireCrypt = Disabled\n", "FALSE"),
        ("AuthServer = Srp256, Srp\nWireCrypt = Disabled\n", "FALSE"),
        ("AuthServer = Srp256\nWireCompression = true\n", "TRUE"),
        ("AuthServer = Legacy_Auth, Srp\nWireCrypt = Enabled\n", "TRUE"),
    ] {
        let Some(server) = Firebird::start(settings) else { return };
        let world = eximious_world::system();
        let said = ask(&world, &server.at(), &of_nothing("1"));
        assert!(said.is_ok(), "{settings} {said:?}");
        // Servers before 4 don't know of it.
        if let Ok(answer) = ask(&world, &server.at(), &encrypted) {
            assert_eq!(show(&value(Ok(answer))), wanted, "{settings}");
        }
        if wanted == "FALSE" {
            // Answers that are too long are an error.
            let wide = ask(&world, &server.at(), "select rpad('', 30000, 'x') from big");
            assert_eq!(wide, Err(ServerError::TooMuch));
            assert!(ask(&world, &server.at(), &of_nothing("1")).is_ok());
        }
        let wrong = At { password: b"wrong".to_vec(), ..server.at() };
        let refused = ask(&world, &wrong, &of_nothing("1"));
        assert!(matches!(refused, Err(ServerError::Connect(_))), "{settings} {refused:?}");
    }
    // Where it wants the password as it is, it gets none.
    let Some(server) = Firebird::start("AuthServer = Legacy_Auth\nWireCrypt = Enabled\n") else {
        return;
    };
    let refused = ask(&eximious_world::system(), &server.at(), &of_nothing("1"));
    let words = "Error occurred during login, please check server firebird.log for details";
    assert_eq!(refused, Err(ServerError::Connect(words.into())));
}

#[test]
fn connections() {
    let Some(server) = Firebird::start("") else { return };
    let at = server.at();
    let world = eximious_world::system();
    let query = |statement: &str| ask(&world, &at, statement);
    let identity = of_nothing("current_connection");
    let one = of_nothing("1");

    // A connection is used again, by whoever comes, also after a mistake.
    let first = value(query(&identity));
    assert!(matches!(query("select"), Err(ServerError::Refused(_))));
    assert_eq!(value(query(&identity)), first);
    let elsewhere = || {
        std::thread::scope(|scope| {
            scope.spawn(|| value(query(&identity))).join().expect("an answer")
        })
    };
    assert_eq!(elsewhere(), first);

    // All at once.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..20 {
                    let number = number.to_string();
                    assert_eq!(value(query(&of_nothing(&number))), number.as_bytes());
                }
            });
        }
    });

    // One that takes too long is given up, and the next statement has an answer.
    let begun = Instant::now();
    let long = "select count(*) from big a, big b";
    let within = Duration::from_millis(300);
    let slow = world.sql.query(SqlKind::Firebird, &at, long.as_bytes(), within);
    assert!(matches!(slow, Err(ServerError::Broken(_))), "{slow:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(value(query(&one)), b"1");

    // Answers may be long.
    let Ok(SqlAnswer::Rows(rows)) = query("select a, a || 'x' from big order by a") else {
        panic!("no rows")
    };
    assert_eq!(rows.rows.len(), 5000);
    assert_eq!(rows.rows[4999], [Some(b"4999".to_vec()), Some(b"4999x".to_vec())]);
    let long = of_nothing("cast(rpad('', 30000, 'x') as blob)");
    assert_eq!(value(query(&long)).len(), 30_000);

    // The server goes away, and comes back.
    let config = server.config("config", ONE);
    let line = b"${lookup ibase,cache=no{select name from t where id=1}}";
    let mut ours = Ours::with_config(&config);
    assert_eq!(show(&ours.answer(line)), "one");
    let start = server.end();
    assert!(matches!(query(&one), Err(ServerError::Connect(_))));
    let gone = String::from_utf8_lossy(&ours.answer(line)).into_owned();
    assert!(gone.contains("gave DEFER: IBASE connection failed: 127.0.0.1: "), "{gone}");
    assert!(!gone.contains("secret"), "{gone}");
    let server = start();
    assert_eq!(value(query(&one)), b"1");
    assert_eq!(show(&ours.answer(line)), "one");

    // It dies, and another is there in its place, while connections are open.
    let server = server.end()();
    assert_eq!(value(query(&one)), b"1");
    assert_eq!(show(&ours.answer(line)), "one");

    // It stands still.
    server.server.signal("STOP");
    let begun = Instant::now();
    let fresh = eximious_world::system();
    let still = fresh.sql.query(SqlKind::Firebird, &at, one.as_bytes(), within);
    assert!(matches!(still, Err(ServerError::Connect(_))), "{still:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    server.server.signal("CONT");
    assert_eq!(value(query(&one)), b"1");
}
