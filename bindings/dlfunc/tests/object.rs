//! An object made with the C compiler.

use std::path::PathBuf;
use std::process::Command;

use eximious_dlfunc::{DlfuncError, FunctionResult, call};
use tempfile::TempDir;

const SOURCE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
typedef unsigned char uschar;
int code(uschar **yield, int argc, uschar *argv[]) {
    if (argc > 1) *yield = argv[1];
    return atoi((char *) argv[0]);
}
int show(uschar **yield, int argc, uschar *argv[]) {
    static char text[1000];
    int length = sprintf(text, "%d%s", argc, argv[argc] ? "?" : "");
    for (int i = 0; i < argc; i++) length += sprintf(text + length, "[%s]", argv[i]);
    *yield = (uschar *) text;
    return 0;
}
int change(uschar **yield, int argc, uschar *argv[]) {
    if (argc) { argv[0][0] = 'X'; *yield = argv[0]; }
    return 0;
}
int count(uschar **yield, int argc, uschar *argv[]) {
    static int calls;
    static char text[20];
    sprintf(text, "%d", ++calls);
    *yield = (uschar *) text;
    return 0;
}
"#;

fn object() -> Option<(TempDir, PathBuf)> {
    let folder = TempDir::with_prefix("eximious-").expect("a directory");
    let (source, object) = (folder.path().join("object.c"), folder.path().join("object.so"));
    std::fs::write(&source, SOURCE).expect("a source");
    let made =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&object).arg(&source).status();
    match made {
        Ok(status) if status.success() => Some((folder, object)),
        other => {
            assert!(std::env::var_os("CI").is_none(), "cc: {other:?}");
            eprintln!("LEFT OUT: cc: {other:?}");
            None
        }
    }
}

#[test]
fn functions_of_an_object() {
    let Some((_folder, object)) = object() else { return };
    let file = object.as_os_str().as_encoded_bytes();
    let ask = |function: &str, args: &[&str]| {
        let args: Vec<Vec<u8>> = args.iter().map(|a| a.as_bytes().to_vec()).collect();
        call(file, function.as_bytes(), &args)
    };
    let said = |code, text: &str| Ok(FunctionResult { code, text: Some(text.as_bytes().to_vec()) });
    assert_eq!(ask("show", &[]), said(0, "0"));
    assert_eq!(ask("show", &["a", "", "b c"]), said(0, "3[a][][b c]"));
    assert_eq!(ask("show", &["a\0b"]), said(0, "1[a]"));
    assert_eq!(ask("code", &["-3", "why"]), said(-3, "why"));
    assert_eq!(ask("code", &["2"]), Ok(FunctionResult { code: 2, text: None }));
    assert_eq!(ask("change", &["abc"]), said(0, "Xbc"));
    // It stays loaded.
    assert_eq!(ask("count", &[]), said(0, "1"));
    assert_eq!(ask("count", &[]), said(0, "2"));
    let missing = ask("nosuch", &[]);
    let words = format!("{}: undefined symbol: nosuch", object.display());
    assert_eq!(missing, Err(DlfuncError::Find(words)));
}

#[test]
fn what_is_no_object() {
    let words = "/nonexist.so: cannot open shared object file: No such file or directory";
    assert_eq!(call(b"/nonexist.so", b"f", &[]), Err(DlfuncError::Open(words.into())));
    assert!(matches!(call(b"", b"f", &[]), Err(DlfuncError::Open(_))));
    assert!(matches!(call(b"/etc/passwd", b"f", &[]), Err(DlfuncError::Open(_))));
}
