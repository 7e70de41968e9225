//! Memory that somebody else's text may take: the program runs with a bound on what it may
//! ask the system for, and ends in an ordinary error.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::common::fed;

/// What the program says with so many megabytes of memory, all that it maps included.
fn within(megabytes: u32, arguments: &[&str], input: &[u8], folder: &Path) -> String {
    let limited = format!("ulimit -v {} -c 0 && exec \"$@\"", megabytes << 10);
    let mut command = Command::new("bash");
    command.args(["-c", &limited, "bash", env!("CARGO_BIN_EXE_eximious")]);
    let output = fed(command.args(arguments).current_dir(folder), input);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.code().is_some(), "{arguments:?}: {} {said:.200}", output.status);
    said
}

/// What a text comes to.
fn expanded(megabytes: u32, text: &str, folder: &Path) -> String {
    let config = folder.join("config");
    fs::write(&config, "keep_environment =\n").expect("a file");
    let config = config.to_str().expect("a name");
    within(megabytes, &["-C", config, "-be"], text.as_bytes(), folder)
}

fn check(text: &str, answer: &str) {
    let folder = tempfile::tempdir().expect("a directory");
    let text = text.replace("DIR", folder.path().to_str().expect("a name"));
    let said = expanded(640, &text, folder.path());
    assert!(said.contains(answer), "{text:.200}: {said:.200}");
}

/// A string of a mebibyte, and one of 48.
const LARGE: &str = "${reduce{1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16}\
    {aaaaaaaaaaaaaaaa}{$value$value}}";

fn larger(times: u32) -> String {
    let list: Vec<String> = (0..times).map(|number| number.to_string()).collect();
    format!("${{sg{{${{map{{<: {}}}{{{LARGE}}}}}}}{{:}}{{}}}}", list.join(":"))
}

#[test]
fn replacements_are_no_longer_than_strings_may_be() {
    let (replacement, fifty) = (larger(50), larger(50));
    check(&format!("${{length_5:${{sg{{xxxxx}}{{x}}{{{replacement}}}}}}}\n"), "too long");
    check(&format!("${{length_5:${{sg{{{fifty}}}{{a}}{{aa}}}}}}\n"), "expansion stopped");
    check(&format!("${{strlen:{}}}\n", larger(40)), "41943040");
}

#[test]
fn loops_in_loops_hold_no_more_than_strings_may() {
    let large = larger(40);
    let mut text = large.clone();
    for _ in 0..30 {
        text = format!("${{map{{1:2}}{{${{if eq{{$item}}{{1}}{{{large}}}{{{text}}}}}}}}}");
    }
    check(&format!("${{length_5:{text}}}\n"), "too long");
    let mut text = "a".to_owned();
    for _ in 0..30 {
        text = format!("${{if eq{{{large}}}{{{text}}}{{a}}{{b}}}}");
    }
    check(&format!("{text}\n"), "too long");
    let mut text = "a".to_owned();
    for _ in 0..30 {
        text = format!("{large}${{length_1:{text}}}");
    }
    check(&format!("${{length_1:{text}}}\n"), "too long");
}

#[test]
fn long_lists_are_sorted_soon() {
    let folder = tempfile::tempdir().expect("a directory");
    let list: String =
        (0..30_000_u64).map(|number| format!("{}\n", number * 7919 % 30_011)).collect();
    fs::write(folder.path().join("list"), list).expect("a file");
    let file = folder.path().join("list");
    let orders = [
        ("<", "0:1:2:3:4:5:6:7:8:9:"),
        ("ge", "9999:9998:9997:9996:"),
        // Where one key begins as another, their order is that of the list.
        ("lti", ":"),
    ];
    for (order, answer) in orders {
        let list = format!("${{readfile{{{}}}{{:}}}}", file.to_str().expect("a name"));
        let text = format!("${{length_20:${{sort{{{list}}}{{{order}}}{{$item}}}}}}\n");
        let said = expanded(640, &text, folder.path());
        assert!(said.contains(answer) && !said.contains("Failed"), "{order}: {said:.200}");
    }
    check(&format!("${{length_9:${{sort{{{}}}{{lt}}{{$item}}}}}}\n", larger(1)), "aaaaaaaaa");
    let many =
        format!("${{length_9:${{sort{{${{sg{{{}}}{{a}}{{a:}}}}}}{{lt}}{{$item}}}}}}\n", larger(3));
    check(&many, "expansion stopped");
}

#[test]
fn files_of_one_line_are_read_once_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name);
    File::create(path("huge")).and_then(|file| file.set_len(3 << 30)).expect("a file");
    fs::write(path("line"), [&b"key: "[..], &vec![b'x'; 70 << 20]].concat()).expect("a file");
    fs::write(path("zeros"), b"a\0\n".repeat(200_000)).expect("a file");
    let folder_name = folder.path().to_str().expect("a name");
    for kind in ["lsearch", "wildlsearch", "nwildlsearch", "iplsearch"] {
        let key = if kind == "iplsearch" { "192.0.2.1" } else { "key" };
        let text = format!("${{lookup{{{key}}}{kind}{{{folder_name}/huge}}}}\n");
        assert!(expanded(640, &text, folder.path()).contains("File too large"), "{kind}");
    }
    let text = format!("${{length_3:${{lookup{{key}}lsearch{{{folder_name}/line}}}}}}\n");
    assert!(expanded(640, &text, folder.path()).contains("too long"));
    let text = format!("[${{lookup{{b}}lsearch{{{folder_name}/zeros}}}}]\n");
    assert!(expanded(640, &text, folder.path()).contains("[]"));
    let text = format!("${{length_3:${{readfile{{{folder_name}/huge}}}}}}\n");
    assert!(expanded(640, &text, folder.path()).contains("Failed"));
}

#[test]
fn files_of_many_lines_are_no_configuration() {
    let folder = tempfile::tempdir().expect("a directory");
    for lines in [vec![b'\n'; 8 << 20], b"a\n".repeat(4 << 20)] {
        let said = within(640, &["fmt", "--diff"], &lines, folder.path());
        assert!(said.contains("1000000 lines"), "{said:.200}");
    }
    let lines = b"a = b\n".repeat(990_000);
    assert_eq!(within(2048, &["fmt", "--diff"], &lines, folder.path()), "");
}

#[test]
fn whoever_calls_may_have_left_little_room_on_the_stack() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    let config = folder.path().join("conf");
    let text = format!(
        "primary_hostname = me.test\nspool_directory = {at}/spool\nlog_file_path = {at}/%slog\n\
         keep_environment =\nbegin routers\ngone:\n driver = redirect\n data = :blackhole:\n"
    );
    fs::write(&config, text).unwrap();
    let limited = |kilobytes: u32, arguments: &[&str], input: &[u8]| {
        let script = format!("ulimit -s {kilobytes} -c 0 && exec \"$@\"");
        let mut command = Command::new("bash");
        command.args(["-c", &script, "bash", env!("CARGO_BIN_EXE_eximious"), "-C"]);
        fed(command.arg(&config).args(arguments).current_dir(folder.path()), input)
    };
    for kilobytes in [64, 256] {
        let nested = format!("{}x{}", "${uc:".repeat(100), "}".repeat(100));
        let output = limited(kilobytes, &["-be", &nested], b"");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "X\n", "{output:?}");
        let output = limited(kilobytes, &["-bt", "a@b.test"], b"");
        assert!(String::from_utf8_lossy(&output.stdout).contains("discarded"), "{output:?}");
        let output = limited(kilobytes, &["-bs", "-odi"], b"EHLO x\r\nQUIT\r\n");
        assert!(output.stdout.ends_with(b"closing connection\r\n"), "{output:?}");
    }
}
