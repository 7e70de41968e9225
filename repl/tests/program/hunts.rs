//! A few questions of each hunt (`cargo xtask hunt`), from seeds whose answers are known
//! to agree.

use std::path::Path;

use eximious_tests::hunt::{Find, Kind, Programs, hands_in, hunt, is_heard};
use eximious_tests::reference::{Reference, keep_asked_again};
use eximious_tests::{network, submission};

/// Where each hunt begins here, and how many questions it asks.
const SEEDS: [(Kind, u64, u64); 30] = [
    (Kind::Acl, 1007, 4),
    (Kind::Address, 1000, 6),
    (Kind::Alias, 1000, 6),
    (Kind::Auth, 1000, 10),
    (Kind::Callout, 9, 2),
    (Kind::Command, 513, 15),
    (Kind::Data, 1008, 8),
    (Kind::Database, 1000, 12),
    (Kind::Delivery, 5000, 4),
    (Kind::Dns, 5000, 12),
    (Kind::Event, 1011, 8),
    (Kind::Expr, 1, 10),
    (Kind::Filter, 1000, 6),
    (Kind::Layout, 6000, 16),
    (Kind::List, 1005, 6),
    (Kind::Log, 200, 5),
    (Kind::Lookup, 1000, 6),
    (Kind::Mime, 3000, 10),
    (Kind::Proxy, 3000, 12),
    (Kind::Queue, 14, 12),
    (Kind::Rate, 1, 8),
    (Kind::Report, 1000, 12),
    (Kind::Rewrite, 2003, 6),
    (Kind::Router, 1010, 12),
    (Kind::Scan, 200, 8),
    (Kind::Sequence, 4, 2),
    (Kind::Session, 12100, 12),
    (Kind::Signature, 3000, 12),
    (Kind::Submission, 1011, 6),
    (Kind::Tls, 6002, 6),
];

/// Has the part below ask for a purpose, where there is a real one.
fn ask(purpose: &str) {
    if Reference::find().is_some() {
        network::run("hunts::inside", purpose);
    }
}

#[test]
fn what_agrees_is_no_find() {
    ask("agree");
}

/// The same, in the network that routing is asked in.
#[test]
fn what_agrees_of_routers_is_no_find() {
    ask("routers");
}

/// The same, with servers of databases and a directory.
#[test]
fn what_agrees_of_databases_is_no_find() {
    ask("databases");
}

/// The same, with the zones of several networks.
#[test]
fn what_agrees_of_the_dns_is_no_find() {
    ask("dns");
}

/// Another program than eximious differs in everything, and what is told is small.
#[test]
fn what_differs_is_found() {
    ask("differ");
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    // These are asked in a network that is theirs.
    let own = match purpose.as_str() {
        "databases" => Kind::Database,
        "dns" => Kind::Dns,
        "routers" => Kind::Router,
        _ => Kind::Acl,
    };
    let is_apart = |kind| matches!(kind, Kind::Database | Kind::Dns | Kind::Router);
    let (Some(exim), Some(_server)) = (Reference::find(), own.set_up()) else { return };
    if purpose == "differ" {
        let programs = Programs { exim: exim.program(), eximious: Path::new("/bin/true") };
        let finds = hunt(Kind::List, 4..5, &programs, |_| {});
        let [Find { seed: 4, text }] = &finds[..] else { panic!("{finds:?}") };
        let questions = text.lines().filter(|line| line.starts_with("> ")).count();
        assert!(questions <= 1 && text.contains("    - < "), "{text}");
        return;
    }
    let programs =
        Programs { exim: exim.program(), eximious: Path::new(env!("CARGO_BIN_EXE_eximious")) };
    for (kind, seed, count) in SEEDS {
        if kind != own && (is_apart(kind) || is_apart(own)) {
            continue;
        }
        let mut seeds: Vec<(String, u64)> =
            (seed..seed + count).map(|seed| (seed.to_string(), seed)).collect();
        keep_asked_again(&mut seeds, |(name, _)| name);
        if submission::lacking().is_some() {
            seeds.retain(|(_, seed)| !hands_in(kind, *seed));
        }
        // What was refused as a whole would agree as well; one seed alone may ask of a mistake.
        let mut asked = seed..seed + count;
        assert!(
            seeds.is_empty() || asked.any(|seed| is_heard(kind, seed, exim.program())),
            "{kind:?} asks nothing"
        );
        for (_, seed) in seeds {
            let finds = hunt(kind, seed..seed + 1, &programs, |_| {});
            let texts: Vec<&str> = finds.iter().map(|find| find.text.as_str()).collect();
            assert!(finds.is_empty(), "{kind:?}: {}", texts.join("\n"));
        }
    }
}
