//! Command lines: what is asked for, several times over, with what goes with it and what does
//! not.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What leaves nothing behind and is each program's in the same words. Runs of the queue are
/// none of that: Exim shows their log, which it can't write for a caller without its rights.
const JOBS: &[&str] = &[
    "-bp",
    "-bpc",
    "-bpi",
    "-bpr",
    "-bpra",
    "-bpru",
    "-bpu",
    "-bpa",
    "-brt",
    "-brw",
    "-bt",
    "-bt",
    "-bv",
    "-bvs",
    "-bP",
    "-bP",
    "-be",
    "-be",
    "-bem DIR/one",
    "-bf DIR/one",
    "-bF DIR/one",
    "-bh 192.0.2.1",
    "-bh x",
    "-bi",
    "-bI:dscp",
    "-bI:nosuch",
    "-bI",
    "-Mvh x",
    "-Mvb",
    "-Mset x",
    "-M x",
    "-Mrm",
    "-Mes x",
    "-MG q x",
    "-bs",
    "-bS",
    "-bx",
    "-bpx",
    "-b",
];

/// What goes with one of them.
const MODIFIERS: &[&str] = &[
    "-d=x",
    "-d=0",
    "-d=08",
    "-d+nosuch",
    "-d-",
    "-dx",
    "-C",
    "-Cnosuch",
    "-DX=y",
    "-DX",
    "-D",
    "-D X",
    "-Dx=y",
    "-DX=1 -DX=2",
    "-E",
    "-Ex",
    "-F",
    "-F 'A B'",
    "-f a@b.test",
    "-f ''",
    "-f '<>'",
    "-f 'x y'",
    "-f @",
    "-r a@b.test",
    "-G",
    "-h 3",
    "-h x",
    "-h",
    "-i",
    "-L ''",
    "-m",
    "-N",
    "-n",
    "-nx",
    "-oA x",
    "-oB",
    "-oB 3",
    "-oBx",
    "-oX",
    "-oX x",
    "-oP x",
    "-odb",
    "-odd",
    "-odq",
    "-odx",
    "-oee",
    "-oem",
    "-oex",
    "-oi",
    "-oMa x",
    "-oMa 192.0.2.1",
    "-oMaa p",
    "-oMai i",
    "-oMi x",
    "-oMi 192.0.2.1.25",
    "-oMi 192.0.2.1:25",
    "-oMm x",
    "-oMm",
    "-oMr p",
    "-oMr p -p q",
    "-oMs n",
    "-oMt i",
    "-oMx",
    "-oM",
    "-om",
    "-oo",
    "-or 1m",
    "-or x",
    "-or1h",
    "-os",
    "-os 5",
    "-ov",
    "-p a:b",
    "-ti",
    "-t",
    "-tls-on-connect",
    "-U",
    "-Ux",
    "-v",
    "-x",
    "-zx",
    "-B8BITMIME",
    "-bnq",
    "-bfd x",
    "-bfl",
    "-bfp p -bfs s",
    "-oY",
    "-qG",
    "-qz",
    "-qx",
    "-R",
    "-Rx",
    "-Rfx y",
    "-S",
    "-Sq",
    "-A",
    "-Ac",
    "-a",
    "-Z",
    "-1",
    "-",
    "-oitrue",
    "-e",
    "-ex",
    "-ei",
];

/// What stands behind.
const WORDS: &[&str] = &[
    "a@b.test",
    "a",
    "x.test",
    "spool_directory",
    "router_list",
    "nosuch",
    "'$caller_uid'",
    "''",
    "'a@b.test, c@d.test'",
    "'<a@b.test>'",
    "@x",
    "-- -x",
    "-v",
    "-bp",
    "'$sender_host_address'",
    "router l",
    "transports x",
    "macro X",
    "'a b'",
    "config_file",
];

pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed("+++ exim.conf");
    quarry.fixed("primary_hostname = me.test\nkeep_environment =\nspool_directory = DIR/spool");
    quarry.fixed("log_file_path = syslog\nsmtp_banner = hello\nqueue_only\nacl_smtp_rcpt = accept\nbegin routers");
    quarry.fixed("l:\n driver = accept\n transport = f\nbegin transports\nf:");
    quarry.fixed(" driver = appendfile\n file = /dev/null\nbegin retry\n* * F,1h,1m");
    quarry.fixed("begin rewrite\n*@b.test $1@new.test Ffrs\n+++ one\nSubject: x\n\nfinish");
    for _ in 0..6 {
        let mut words: Vec<&str> = Vec::new();
        for _ in 0..rng.usize(1..3) {
            words.push(rng.pick(JOBS));
        }
        for _ in 0..rng.usize(0..3) {
            words.insert(rng.usize(0..=words.len()), rng.pick(MODIFIERS));
        }
        for _ in 0..rng.usize(0..3) {
            words.push(rng.pick(WORDS));
        }
        let starts = |start: &str| words.iter().any(|word| word.starts_with(start));
        // What shows all options shows those that are of another build; a daemon goes on.
        let shows_all = starts("-bP") && !words.iter().any(|word| WORDS.contains(word));
        if shows_all || starts("-q") || starts("-R") || starts("-S") {
            words.push("nosuch");
        }
        quarry.loose(format!("? {}\n> EHLO x.test\n> QUIT", words.join(" ")));
    }
    quarry
}
