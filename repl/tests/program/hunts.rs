//! A few questions of each hunt (`cargo xtask hunt`), from seeds whose answers are known
//! to agree.

use std::path::Path;

use eximious_tests::hunt::{Find, Kind, Programs, hunt};
use eximious_tests::reference::Reference;
use eximious_tests::{network, submission};

/// Where each hunt begins here, and how many questions it asks.
const SEEDS: [(Kind, u64, u64); 22] = [
    (Kind::Acl, 1007, 4),
    (Kind::Address, 1000, 6),
    (Kind::Alias, 1000, 6),
    (Kind::Auth, 1000, 10),
    (Kind::Command, 513, 15),
    (Kind::Data, 1008, 8),
    (Kind::Delivery, 5000, 4),
    (Kind::Event, 1011, 8),
    (Kind::Expr, 1, 10),
    (Kind::Filter, 1000, 6),
    (Kind::Layout, 6000, 16),
    (Kind::List, 1005, 6),
    (Kind::Log, 200, 5),
    (Kind::Lookup, 1000, 6),
    (Kind::Mime, 3000, 10),
    (Kind::Rewrite, 2003, 6),
    (Kind::Router, 1010, 12),
    (Kind::Sequence, 4, 2),
    (Kind::Session, 1000, 4),
    (Kind::Signature, 3000, 12),
    (Kind::Submission, 1011, 6),
    (Kind::Tls, 6002, 6),
];

#[test]
fn what_agrees_is_no_find() {
    if Reference::find().is_some() {
        network::run("hunts::inside", "agree");
    }
}

/// The same, in the network that routing is asked in.
#[test]
fn what_agrees_of_routers_is_no_find() {
    if Reference::find().is_some() {
        network::run("hunts::inside", "routers");
    }
}

/// Another program than eximious differs in everything, and what is told is small.
#[test]
fn what_differs_is_found() {
    if Reference::find().is_some() {
        network::run("hunts::inside", "differ");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the others start it"]
fn inside() {
    let Some(purpose) = network::purpose() else { return };
    let asks_routers = purpose == "routers";
    let first = if asks_routers { Kind::Router } else { Kind::Acl };
    let (Some(exim), Some(_server)) = (Reference::find(), first.set_up()) else { return };
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
        if asks_routers != (kind == Kind::Router) {
            continue;
        }
        if matches!(
            kind,
            Kind::Auth
                | Kind::Data
                | Kind::Delivery
                | Kind::Event
                | Kind::Log
                | Kind::Mime
                | Kind::Rewrite
                | Kind::Sequence
                | Kind::Signature
                | Kind::Submission
                | Kind::Tls
        ) && submission::lacking().is_some()
        {
            continue;
        }
        let finds = hunt(kind, seed..seed + count, &programs, |_| {});
        let texts: Vec<&str> = finds.iter().map(|find| find.text.as_str()).collect();
        assert!(finds.is_empty(), "{kind:?}: {}", texts.join("\n"));
    }
}
