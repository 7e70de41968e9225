//! `eximious hints`, and what deliveries keep in hints: beside a real Exim's, as its
//! `exim_dumpdb` shows them.

use std::path::Path;

use eximious_tests::daemons::{undated, without_ids};
use eximious_tests::hosts::Host;
use eximious_tests::root;
use tempfile::TempDir;

use crate::called::called;
use crate::common;

/// A place with a spool, and the configuration.
fn lay_out() -> (TempDir, String) {
    let directory = TempDir::with_prefix("eximious-").expect("a directory");
    let place = directory.path().display().to_string();
    let all: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::create_dir(directory.path().join("spool")).expect("a directory");
    for name in ["", "spool"] {
        std::fs::set_permissions(directory.path().join(name), all.clone()).expect("rights");
    }
    let config = std::fs::read_to_string(root().join("tests/hints/retry.conf"));
    let config = config.expect("the configuration").replace("DIR", &place);
    let file = format!("{place}/exim.conf");
    std::fs::write(&file, config).expect("a file");
    (directory, file)
}

/// A message to an address in each domain that the configuration has a router for.
fn send(program: &str, file: &str) {
    let config = std::fs::read_to_string(file).expect("the configuration");
    let domains = config.lines().filter_map(|line| line.trim().strip_prefix("domains = "));
    let addresses: Vec<String> = domains.map(|domain| format!("u@{domain}")).collect();
    let arguments = ["-C", file, "-odi", "-oi"].into_iter();
    let arguments: Vec<&str> = arguments.chain(addresses.iter().map(String::as_str)).collect();
    common::run(program, &arguments, b"Subject: x\n\nhi\n");
}

/// The records without their times, in an order; the place is called `DIR`.
fn records(shown: &str, place: &Path) -> Vec<String> {
    let shown = shown.replace(&place.display().to_string(), "DIR");
    let is_record = |line: &&str| line.starts_with("  ");
    let mut records: Vec<String> = shown.lines().filter(is_record).map(str::to_owned).collect();
    records.sort();
    records
}

#[test]
fn what_fails_is_kept_as_exim_keeps_it() {
    let Some(exim) = common::onward::exim() else { return };
    let (theirs, file) = lay_out();
    send(&exim, &file);
    let spool = theirs.path().join("spool").display().to_string();
    let run = common::run("/usr/sbin/exim_dumpdb", &[&spool, "retry"], b"");
    let kept = records(&run.out, theirs.path());
    assert!(kept.len() > 20, "{run:?}");
    let (ours, file) = lay_out();
    send(common::onward::OURS, &file);
    let run = common::eximious(&["-C", &file, "hints", "dump", "retry"], b"");
    assert_eq!(records(&run.out, ours.path()), kept, "{}", run.err);
    for space in ["wait-smtp", "wait-smtp_by_name"] {
        let run = common::run("/usr/sbin/exim_dumpdb", &[&spool, space], b"");
        let kept = waiting(&run.out);
        assert!(!kept.is_empty(), "{run:?}");
        let run = common::eximious(&["-C", &file, "hints", "dump", space], b"");
        assert_eq!(waiting(&run.out), kept, "{space} {}", run.err);
    }
}

/// For which hosts how many messages wait, in an order.
fn waiting(shown: &str) -> Vec<(String, usize)> {
    let of_line = |line: &str| {
        let (host, messages) = line.split_once(' ')?;
        Some((host.to_owned(), messages.split_whitespace().count()))
    };
    let mut hosts: Vec<(String, usize)> = shown.lines().filter_map(of_line).collect();
    hosts.sort();
    hosts
}

#[test]
fn records_are_shown_changed_and_removed() {
    let Some(_) = common::onward::exim() else { return };
    let (directory, file) = lay_out();
    let hints =
        |arguments: &[&str]| common::eximious(&[&["-C", &file, "hints"], arguments].concat(), b"");
    assert_eq!(hints(&[]).out, "");
    send(common::onward::OURS, &file);
    assert_eq!(hints(&[]).out, "retry\nwait-smtp\nwait-smtp_by_name\n");
    let keys = hints(&["dump", "-k", "retry"]).out;
    assert!(keys.lines().any(|line| line == "R:d4.test"), "{keys}");
    let spool = directory.path().join("spool").display().to_string();
    let named = called("exim_dumpdb", &["-k", &spool, "retry"], b"");
    let indented: String = keys.lines().map(|key| format!("  {key}\n")).collect();
    assert_eq!(named.out, indented, "{named:?}");
    assert!(
        called("exim_tidydb", &["retry"], b"").err.starts_with("Usage: exim_tidydb [-t <time>]  <")
    );
    let get = hints(&["get", "retry", "R:d4.test"]).out;
    assert!(get.starts_with("  R:d4.test -1 0 later\n"), "{get}");
    let set = hints(&["set", "retry", "R:d4.test", "text", "so be it"]).out;
    assert!(set.starts_with("  R:d4.test -1 0 so be it\n"), "{set}");
    let set = hints(&["set", "retry", "R:d4.test", "next_try", "0"]).out;
    assert!(set.contains("  01-Jan-1970 "), "{set}");
    let wrong = hints(&["set", "retry", "R:d4.test", "next_try", "soon"]);
    assert!(wrong.err.ends_with("which takes a time\n"), "{wrong:?}");
    assert_eq!(wrong.status, Some(1));
    assert_eq!(hints(&["delete", "retry", "R:d4.test"]).status, Some(0));
    let gone = hints(&["get", "retry", "R:d4.test"]);
    assert!(gone.err.ends_with(": no record \"R:d4.test\"\n"), "{gone:?}");
    let none = |space: &str| format!("{space}: 0 old records deleted\n");
    let spaces = ["retry", "wait-smtp", "wait-smtp_by_name"];
    assert_eq!(hints(&["tidy"]).out, spaces.map(none).concat());
    let count = keys.lines().count() - 1;
    // A clock that has not gone on since keeps those of this second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let tidied = hints(&["tidy", "-t", "0s", "retry"]).out;
    assert_eq!(tidied, format!("retry: {count} old records deleted\n"));
    let tidied = called("exim_tidydb", &[&spool, "retry"], b"").out;
    let wanted = format!("Tidying Exim hints database {spool}/db/retry\nTidying complete\n");
    assert_eq!(tidied, wanted);
    assert_eq!(hints(&["dump", "retry"]).out, "");
    let waits = hints(&["dump", "wait-smtp"]).out;
    let line = waits.lines().next().expect("somebody waits");
    let (host, _) = line.split_once(' ').expect("a host");
    assert_eq!(hints(&["get", "wait-smtp", host]).out, format!("{line}\n"));
    assert_eq!(hints(&["delete", "wait-smtp", host]).status, Some(0));
    assert!(hints(&["get", "wait-smtp", host]).err.contains("no record"));
    for wrong in [&["dump", "nosuch"][..], &["tidy", "nosuch"], &["get", "nosuch", "x"]] {
        let run = hints(wrong);
        assert!(run.status == Some(1) && run.err.contains("no database \"nosuch\""), "{run:?}");
    }
    for wrong in [&["dump"][..], &["tidy", "-t", "soon"], &["set", "retry"], &["nosuch"]] {
        let run = hints(wrong);
        assert!(run.status != Some(0) && run.err.starts_with("eximious: "), "{run:?}");
    }
}

/// What is logged of two messages at once for a host that gets one connection at a time,
/// and what is left in hints.
fn taken_in_turns(program: &str, dump: &dyn Fn(&str, &str) -> common::Run) -> Vec<String> {
    let host = Host::new("MAIL=250 OK after 2s");
    let (directory, file) = lay_out();
    let config = format!(
        "spool_directory = {place}/spool\nlog_file_path = {place}/%slog\nkeep_environment =\n\
         primary_hostname = me.test\ntls_advertise_hosts =\nbegin routers\naway:\n driver = \
         manualroute\n route_list = * 127.0.0.1\n self = send\n transport = smtp\n\
         begin transports\nsmtp:\n driver = smtp\n port = {port}\n serialize_hosts = *\n \
         hosts_try_dane =\nbegin retry\n* * F,1h,5m\n",
        place = directory.path().display(),
        port = host.played.port,
    );
    std::fs::write(&file, config).expect("a file");
    let send = |address: &str| {
        common::run(program, &["-C", &file, "-odi", "-oi", address], b"Subject: x\n\nhi\n")
    };
    std::thread::scope(|scope| {
        scope.spawn(|| send("first@out.test"));
        let talks = || host.heard_so_far().iter().any(|line| line.starts_with("MAIL"));
        while !talks() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        send("second@out.test");
    });
    let log = std::fs::read_to_string(directory.path().join("mainlog")).expect("a log");
    // The real one sends what waited along the same connection, which it marks with a star.
    let is_delivery =
        |line: &&str| (line.contains("=> ") || line.contains("== ")) && !line.contains("]* ");
    let lines = log.lines().filter(is_delivery).map(|line| without_ids(undated(line)));
    let mut lines: Vec<String> = lines.collect();
    lines.push(dump(&directory.path().join("spool").display().to_string(), &file).out);
    lines
}

#[test]
fn a_host_is_taken_in_turns() {
    let Some(exim) = common::onward::exim() else { return };
    let theirs = taken_in_turns(&exim, &|spool, _| {
        common::run("/usr/sbin/exim_dumpdb", &["-k", spool, "misc"], b"")
    });
    let ours = taken_in_turns(common::onward::OURS, &|_, file| {
        common::eximious(&["-C", file, "hints", "dump", "-k", "misc"], b"")
    });
    assert!(ours[0].contains("connection limit reached for all hosts for 'out.test'"), "{ours:?}");
    assert_eq!(ours, theirs);
}
