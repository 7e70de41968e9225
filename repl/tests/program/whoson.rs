//! The lookup `whoson` and its library, which a test plays: no system of today
//! has one. It is loaded when it is asked.

use std::process::Command;

use crate::common;

/// What its manual page says of `wso_query`: 0 and a name, 1, or a failure and
/// words.
const LIBRARY: &str = r#"
#include <stdio.h>
#include <string.h>
int wso_query(char *address, char *answer, int size)
{
    if (strcmp(address, "192.0.2.1") == 0) { snprintf(answer, size, "alice"); return 0; }
    if (strcmp(address, "192.0.2.2") == 0) { memset(answer, 'x', size); return 0; }
    if (strcmp(address, "192.0.2.3") == 0) { snprintf(answer, size, "not today"); return -1; }
    snprintf(answer, size, "nobody is");
    return 1;
}
"#;

#[test]
fn the_library_is_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("whoson.c");
    std::fs::write(&source, LIBRARY).expect("a file");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(directory.path().join("libwhoson.so.0"));
    if !compiler.arg(&source).status().is_ok_and(|status| status.success()) {
        eprintln!("LEFT OUT: no compiler for C");
        return;
    }
    let ask = |address: &str| {
        let line = format!("${{lookup whoson{{{address}}}{{<$value>}}{{none}}}}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
        command.args(["-be", &line]).env("LD_LIBRARY_PATH", directory.path());
        let output = command.output().expect("the program");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(ask("192.0.2.1"), "<alice>");
    assert_eq!(ask("192.0.2.2"), format!("<{}>", "x".repeat(1024)));
    assert_eq!(ask("192.0.2.4"), "none");
    let deferred = "Failed: lookup of \"192.0.2.3\" gave DEFER: whoson has no answer: not today";
    assert_eq!(ask("192.0.2.3"), deferred);
    let without = common::eximious(&["-be", "${lookup whoson{192.0.2.1}}"], b"");
    assert!(without.out.starts_with("Failed: lookup type \"whoson\" needs libwhoson: "));
}
