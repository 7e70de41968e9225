//! What `-d` tells: the cases below, as they are recorded in `tests/debugging`. A real
//! Exim is asked again where one is installed; `EXIMIOUS_RECORD=1` records what it says.

use std::path::Path;

use eximious_tests::cases::changes;
use eximious_tests::root;
use tempfile::TempDir;

use crate::common::{self, Run};

/// A name, arguments, and what is typed.
const CASES: &[(&str, &[&str], &str)] = &[
    (
        "expand",
        &["-d-all+expand", "-be"],
        "a${if eq{1}{${lc:A}}{b}{c $primary_hostname}}\n${map{a:b}{<$item>}} x\\ty\n${if eq{a}{b}{c}fail}\n\
         ${uc:$sender_helo_name}\n${nosuch:x}\nplain\n",
    ),
    ("expand-plainly", &["-d-all+expand+noutf8", "-be"], "a b${if eq{1}{2}{${lc:A}}{b c}}d\n"),
    (
        "lists",
        &["-d-all+lists", "-be"],
        "${if match_domain{a.b}{c:*.b}{y}{n}}\n${if match_domain{x.wide.example}{+wide_domains}}\n\
         ${if match_domain{loc.example}{+wide_domains}}\n${if match_address{a@b}{*@c:a@b}}\n\
         ${if match_local_part{x}{!y:z}}\n",
    ),
    (
        "lookup",
        &["-d-all+lookup", "-be"],
        "${lookup{ann}lsearch{DIR/table}}\n${lookup{ann}lsearch{DIR/table}}\n\
         ${lookup{eve}lsearch{DIR/table}{y}{n}}\n${lookup{a.b.c}partial-lsearch*{DIR/table}}\n",
    ),
    ("dns", &["-d-all+dns", "-be"], "${lookup dnsdb{a=nosuch.invalid}{$value}{none}}\n"),
    ("route", &["-d-all+route", "-bt", "ann@loc.example", "x@y.example", "carl@me.example"], ""),
    ("route-lists", &["-d-all+route+lists", "-bt", "bob@loc.example"], ""),
    ("rewrite", &["-d-all+rewrite", "-bt", "bob@old.example"], ""),
    ("verify", &["-d-all+verify+route", "-bv", "carl@loc.example"], ""),
    (
        "acl",
        &["-d-all+acl", "-bs", "-oMa", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@loc.example>\r\n\
         RCPT TO:<bad@loc.example>\r\nRCPT TO:<eve@loc.example>\r\n\
         RCPT TO:<bob@other.example>\r\nQUIT\r\n",
    ),
    (
        "acl-test",
        &["-d-all+acl+expand", "-bh", "192.0.2.1"],
        "HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@loc.example>\r\nQUIT\r\n",
    ),
];

/// What begins lines that only the real one tells, or that each has in its own way.
const NOT_COMPARED: &[&str] = &[
    // How it keeps files open, and what is left to do at the end.
    "LRU list:",
    "  :",
    "  >",
    "  End",
    "  cached open",
    "search_tidyup",
    ">>>>>>>>>>>>>>>> Exim",
    // The ways of its drivers, and what a delivery would be.
    "rda_interpret",
    "expanded: '",
    "file is not a filter file",
    "parse_forward_list",
    "extract item",
    "  errors_to=",
    "  uid=",
    "  envelope to:",
    "  transport:",
    "  domain = ",
    "  domain_data=",
    "aliases router called",
    "boxes router called",
    "checked router called",
    "map: ",
    // It says that whether the log is to have it or not.
    "LOG: smtp_connection",
    "SMTP connection",
    "queued for",
    "seeking password data",
    "getpwnam()",
    "set transport",
    // Its resolver's.
    "DNS: ",
    "writing neg-cache",
    // What it does on its way to its work.
    "try option",
    "Verifying: uid",
    "Sender-verify",
    "sender address =",
    "address match test",
    "smtp_setup_msg",
    "log directory space",
    "spool directory space",
];

/// What a run tells that is compared; its place is called `DIR`.
fn told(run: &Run, place: &Path) -> Vec<String> {
    let text = run.err.replace(&place.display().to_string(), "DIR");
    let lines: Vec<&str> = text.lines().collect();
    // What the program says of itself is in front.
    let head = lines.iter().rposition(|line| {
        let words = ["configuration file is", "admin user", "dropping to exim gid"];
        words.iter().any(|word| line.starts_with(word)) || line.starts_with("eximious version")
    });
    let is_compared = |line: &&&str| {
        let line = line.trim_start_matches(' ');
        !NOT_COMPARED.iter().any(|word| line.starts_with(word.trim_start_matches(' ')))
    };
    let lines = &lines[head.map_or(0, |head| head + 1)..];
    lines.iter().filter(is_compared).map(|line| (*line).to_owned()).collect()
}

/// Runs a case.
fn ask(program: &str, (_, args, input): (&str, &[&str], &str)) -> Vec<String> {
    let directory = TempDir::with_prefix("eximious-").expect("a directory");
    let place = directory.path();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::create_dir(place.join("spool")).expect("a directory");
    for name in ["", "spool"] {
        let all = std::fs::Permissions::clone(&all);
        std::fs::set_permissions(place.join(name), all).expect("rights");
    }
    std::fs::write(place.join("table"), "ann: bob\nbob: x y\n*.c: wild\n").expect("a file");
    let written = place.display().to_string();
    let config = std::fs::read_to_string(root().join("tests/debugging/exim.conf"));
    let config = config.expect("the configuration").replace("DIR", &written);
    let file = place.join("exim.conf");
    std::fs::write(&file, config).expect("a file");
    let file = file.display().to_string();
    let args: Vec<&str> = ["-C", &file].into_iter().chain(args.iter().copied()).collect();
    let input = input.replace("DIR", &written);
    told(&common::run(program, &args, input.as_bytes()), place)
}

fn compare(program: &str) {
    let records = std::env::var_os("EXIMIOUS_RECORD").is_some();
    let mut wrong = String::new();
    for case in CASES {
        let path = root().join(format!("tests/debugging/{}.txt", case.0));
        let lines = ask(program, *case);
        if records && program != env!("CARGO_BIN_EXE_eximious") {
            std::fs::write(&path, lines.join("\n") + "\n").expect("it can be recorded");
            continue;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        let recorded: Vec<String> = recorded.lines().map(str::to_owned).collect();
        for (mark, line) in changes(&recorded, &lines) {
            wrong.push_str(&format!("{} {mark} {line}\n", case.0));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn exim_says_what_is_recorded() {
    // Others may not see it.
    if let Some(exim) = common::onward::exim() {
        compare(&exim);
    }
}

#[test]
fn eximious_says_what_is_recorded() {
    if common::onward::exim().is_some() {
        compare(env!("CARGO_BIN_EXE_eximious"));
    }
}

#[test]
fn selectors_that_are_none_are_refused() {
    for (option, why) in [
        ("-d+bogus", "exim: unknown debug_selector setting: +bogus\n"),
        ("-dx", "exim: malformed debug_selector setting: + or - expected but found \"x\"\n"),
    ] {
        let run = common::eximious(&[option, "-be", "x"], b"");
        assert_eq!((run.status, run.err.as_str()), (Some(1), why), "{option}");
    }
}
