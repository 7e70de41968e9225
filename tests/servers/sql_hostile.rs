//! Servers that are none, or mean harm, for the lookup types `mysql`, `pgsql`
//! and `ibase`.

use std::time::{Duration, Instant};

use eximious::world::{ServerError, SqlKind};
use eximious_tests::ours::Ours;
use eximious_tests::servers::Played;
use eximious_tests::show;
use eximious_tests::sql::{ask, at};

#[test]
fn servers_that_are_none() {
    let world = eximious_world::system();
    let begun = Instant::now();
    let greeting = b"\x4a\0\0\0\x0a5.5.5-x\0".as_slice();
    for kind in [SqlKind::Mysql, SqlKind::Pgsql, SqlKind::Firebird] {
        for played in [
            Played::silent(),
            Played::saying(""),
            Played::saying("HTTP/1.0 400 Bad Request\r\n\r\n"),
            Played::saying([0xff; 300]),
            Played::saying([0; 300]),
            Played::saying(greeting),
            Played::saying("N"),
            Played::saying("NR"),
            // TLS that is none, and that never comes.
            Played::saying("S"),
            Played::saying("SHTTP/1.0 400 Bad Request\r\n\r\n"),
            Played::saying(b"S\x15\x03\x01\0\x02\x02\x28".as_slice()),
            Played::saying(b"S\x16\x03\x03\xff\xff\x02".as_slice()),
            Played::tcp(|peer| {
                let _ = peer.write_all(b"S");
                let mut bytes = [0; 4096];
                while matches!(peer.read(&mut bytes), Ok(1..)) {}
            }),
            // A message that is said to be two gigabytes long.
            Played::saying(b"NR\x7f\xff\xff\xff\0\0\0\0".as_slice()),
            Played::saying(b"NR\0\0\0\0\0\0\0\0".as_slice()),
            Played::saying(b"NR\0\0\0\x08\0\0\0\x0b".as_slice()),
            Played::saying(b"NR\0\0\0\x08\0\0\0\x0c".as_slice()),
            Played::saying(b"NE\0\0\0\x05S".as_slice()),
            Played::saying(b"\x01\0\0\0\xff".as_slice()),
            Played::dripping(b'N', Duration::from_millis(40)),
            Played::dripping(0, Duration::from_millis(40)),
            // Firebird: that it is there still, over and over; a text of four
            // gigabytes; an old protocol; a proof that nobody knows.
            Played::saying(b"\0\0\0\x47".repeat(100_000)),
            Played::saying(b"\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff".as_slice()),
            Played::saying(b"\0\0\0\x03\0\0\0\x0a\0\0\0\x01\0\0\0\x03".as_slice()),
            Played::saying(
                b"\0\0\0\x62\xff\xff\x80\x0d\0\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0\x01x\0\0\0\0\0\0\0\
                  \0\0\0\0"
                    .as_slice(),
            ),
        ] {
            let asked =
                world.sql.query(kind, &at(played.port), b"select 1", Duration::from_millis(400));
            assert!(matches!(asked, Err(ServerError::Connect(_))), "{asked:?}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// What servers say, with mistakes in it.
#[test]
fn noise() {
    let column = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x03\x81\0\0\0\0";
    let mysql: [(u8, &[u8]); 10] = [
        (
            0,
            b"\x0a5.5.5-x\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0\
              ijklmnopqrst\0mysql_native_password\0",
        ),
        (2, b"\0\0\0\x02\0\0\0"),
        (1, b"\x02"),
        (2, column),
        (3, column),
        (4, b"\xfe\0\0\x02\0"),
        (5, b"\x01x\x01y"),
        (6, b"\xfb\x01y"),
        (7, b"\xfe\0\0\x0a\0"),
        (8, b"\0\0\0\x02\0\0\0"),
    ];
    let mysql: Vec<Vec<u8>> = mysql
        .iter()
        .map(|(number, body)| {
            let length = u8::try_from(body.len()).expect("a length");
            [&[length, 0, 0, *number], *body].concat()
        })
        .collect();
    let pgsql: [(u8, &[u8]); 12] = [
        (b'R', b"\0\0\0\x05salt"),
        (b'R', b"\0\0\0\0"),
        (b'S', b"client_encoding\0UTF8\0"),
        (b'K', b"\0\0\0\x01\0\0\0\x01"),
        (b'Z', b"I"),
        (b'E', b"SERROR\0Mno such\0P3\0p9\0\0"),
        (b'N', b"SNOTICE\0Mlisten\0\0"),
        (b'T', b"\0\x01ab\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\0\0\0\0\0\0"),
        (b'D', b"\0\x01\0\0\0\x02xy"),
        (b'D', b"\0\x01\xff\xff\xff\xff"),
        (b'C', b"SELECT 1\0"),
        (b'Z', b"I"),
    ];
    let pgsql = pgsql.iter().map(|(tag, body)| {
        let length = u8::try_from(body.len() + 4).expect("a length");
        [&[*tag, 0, 0, 0, length], *body].concat()
    });
    let pgsql = [b"N".to_vec()].into_iter().chain(pgsql).collect();
    let kinds = [(SqlKind::Mysql, mysql), (SqlKind::Pgsql, pgsql), (SqlKind::Firebird, firebird())];
    let world = eximious_world::system();
    for (kind, parts) in kinds {
        let mut answered = 0;
        for seed in 0..250 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut said = Vec::new();
            for part in &parts {
                if random.u8(..20) > 0 {
                    said.extend_from_slice(part);
                }
            }
            for _ in 0..random.usize(..4) {
                let at = random.usize(..said.len());
                said[at] = *random.choice(b"\0\x01\x04\x7f\x80\xfb\xfe\xff").expect("a byte");
            }
            let played = Played::saying(said);
            // Whatever it answers, it does so, and soon.
            let begun = Instant::now();
            let within = Duration::from_millis(300);
            answered +=
                usize::from(world.sql.query(kind, &at(played.port), b"select 1", within).is_ok());
            assert!(begun.elapsed() < Duration::from_secs(3), "{kind:?} {seed}");
        }
        // Some of it makes sense.
        assert!(answered > 5, "{kind:?} {answered}");
    }
}

/// What a Firebird server says to somebody whom it knows already.
fn firebird() -> Vec<Vec<u8>> {
    let word = |data: &[u8]| {
        let length = u8::try_from(data.len()).expect("a length");
        let filled = [data, &[0; 3][..data.len().wrapping_neg() % 4]].concat();
        [&b"\0\0\0\x09\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0"[..], &[length], &filled, &[0; 4]].concat()
    };
    let columns = b"\x15\x04\0\x01\0\0\0\x04\x07\x04\0\x01\0\0\0\x09\x04\0\x01\0\0\0\x0b\x04\0\xc1\
                    \x01\0\0\x0e\x04\0\x08\0\0\0\x13\x01\0A\x08\x01";
    vec![
        b"\0\0\0\x03\xff\xff\x80\x0d\0\0\0\x01\0\0\0\x03".to_vec(),
        word(&[]),
        word(&[]),
        word(&[]),
        word(columns),
        word(&[]),
        b"\0\0\0\x42\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01x\0\0\0".to_vec(),
        b"\0\0\0\x42\0\0\0\0\0\0\0\x01\x01\0\0\0".to_vec(),
        b"\0\0\0\x42\0\0\0\x64\0\0\0\0".to_vec(),
        word(&[]),
        word(&[]),
    ]
}

/// Answers that take much more room here than on their way.
#[test]
fn answers_that_grow() {
    // Rows of a column whose name is long, and that hold nothing.
    let name = "n".repeat(60_000);
    let hello = b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I".to_vec();
    let column = |name: &str| [name.as_bytes(), &[0; 19]].concat();
    let columns = [&b"\0\x02"[..], &column(&name), &column("b")].concat();
    let length = u32::try_from(columns.len() + 4).expect("a length").to_be_bytes();
    let row = b"D\0\0\0\x0e\0\x02\xff\xff\xff\xff\xff\xff\xff\xff".repeat(100_000);
    let end = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
    let all = [&hello[..], b"T", &length, &columns, &row, end].concat();
    let played = Played::saying(all);
    let line = format!("${{lookup pgsql,servers=127.0.0.1::{}/d/u/p{{select 1}}}}", played.port);
    assert_eq!(show(&Ours::new().answer(line.as_bytes())), "Failed: the answer is too long");

    // Rows of nothing but NULL.
    let nulls = [&b"D\0\x03\xff\xfe\xff\xfe"[..], &b"\xff\xff\xff\xff".repeat(0xfffe)].concat();
    let played = Played::saying([&hello[..], b"T", &length, &columns, &nulls.repeat(60)].concat());
    let world = eximious_world::system();
    let asked = ask(&world, SqlKind::Pgsql, &at(played.port), "select 1");
    assert_eq!(asked, Err(ServerError::TooMuch));
}

/// A server that asks for more rounds of hashing than anybody needs.
#[test]
fn a_server_that_wants_work() {
    let played = Played::tcp(|peer| {
        let mut bytes = [0; 1024];
        let _ = peer.read(&mut bytes);
        let _ = peer.write_all(b"N");
        let _ = peer.read(&mut bytes);
        let _ = peer.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
        let Ok(count) = peer.read(&mut bytes) else { return };
        let said = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let nonce = said.rsplit("r=").next().unwrap_or_default();
        let text = format!("r={nonce}x,s=c2FsdA==,i=4294967295");
        let length = u32::try_from(text.len() + 8).expect("a length").to_be_bytes();
        let _ = peer.write_all(&[b"R", &length[..], b"\0\0\0\x0b", text.as_bytes()].concat());
        let _ = peer.read(&mut bytes);
    });
    let world = eximious_world::system();
    let begun = Instant::now();
    let asked = ask(&world, SqlKind::Pgsql, &at(played.port), "select 1");
    let Err(ServerError::Connect(words)) = asked else { panic!("{asked:?}") };
    assert!(words.ends_with("malformed SCRAM message (invalid iteration count)\n"), "{words}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// A server that would read files of this host: it gets none.
#[test]
fn a_server_that_wants_files() {
    let played = Played::tcp(|peer| {
        let mut bytes = [0; 1024];
        let mut greeting =
            b"\x0a5.5.5-x\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xff\x15".to_vec();
        greeting.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password\0");
        let length = u8::try_from(greeting.len()).expect("a length");
        let _ = peer.write_all(&[&[length, 0, 0, 0], &greeting[..]].concat());
        let _ = peer.read(&mut bytes);
        let _ = peer.write_all(b"\x07\0\0\x02\0\0\0\x02\0\0\0");
        let _ = peer.read(&mut bytes);
        let _ = peer.write_all(b"\x0c\0\0\x01\xfb/etc/passwd");
        let count = peer.read(&mut bytes).unwrap_or_default();
        assert_eq!(count, 0, "{}", String::from_utf8_lossy(&bytes[..count]));
    });
    let world = eximious_world::system();
    let asked = ask(&world, SqlKind::Mysql, &at(played.port), "select 1");
    assert_eq!(asked, Err(ServerError::Broken("Malformed communication packet".into())));
}

/// A Firebird server that sends segments of a blob for ever, and rows of NULL.
#[test]
fn a_server_that_never_ends() {
    let parts = firebird();
    let world = eximious_world::system();
    let nulls = b"\0\0\0\x42\0\0\0\0\0\0\0\x01\x01\0\0\0".repeat(2_000_000);
    let played = Played::saying([&parts[..6].concat(), &nulls[..]].concat());
    let asked = ask(&world, SqlKind::Firebird, &at(played.port), "select 1");
    assert_eq!(asked, Err(ServerError::TooMuch));
    // Batches without a row in them.
    let empty = b"\0\0\0\x42\0\0\0\0\0\0\0\0".to_vec();
    let first = parts[..6].concat();
    let played = Played::tcp(move |peer| {
        let _ = peer.write_all(&first);
        while peer.write_all(&empty).is_ok() {}
    });
    let begun = Instant::now();
    let within = Duration::from_millis(500);
    let asked = world.sql.query(SqlKind::Firebird, &at(played.port), b"select 1", within);
    assert!(matches!(asked, Err(ServerError::Broken(_) | ServerError::TooMuch)), "{asked:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
