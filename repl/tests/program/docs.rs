//! The commands in the documentation, run: what it shows is what comes.

use std::fs;
use std::path::Path;

/// The pages, each with the folder whose files its commands work on.
const PAGES: &[(&str, &str)] = &[
    ("debugger", "sample"),
    ("editors", "sample"),
    ("first-steps", "first-steps"),
    ("testing", "sample"),
    ("trace", "sample"),
    ("workbench", "sample"),
];

/// What else the commands are made of.
const TOOLS: &[&str] = &["cat", "cp", "sed"];

/// Each page works on a copy of its files. With `TRYCMD=overwrite`, it gets what came.
#[test]
fn commands_in_the_documentation_do_what_it_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let copy = tempfile::tempdir().unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("eximious", Path::new(env!("CARGO_BIN_EXE_eximious")));
    for tool in TOOLS {
        cases.register_bin(*tool, Path::new("/usr/bin").join(tool));
    }
    cases.env("NO_COLOR", "1");
    for (page, files) in PAGES {
        let own = copy.path().join(format!("{page}.in"));
        fs::create_dir(&own).unwrap();
        for file in fs::read_dir(docs.join(files)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), own.join(file.file_name())).unwrap();
        }
        let name = format!("{page}.md");
        fs::copy(docs.join(&name), copy.path().join(&name)).unwrap();
        cases.case(copy.path().join(name));
    }
    cases.run();
    if std::env::var_os("TRYCMD").is_some_and(|what| what == "overwrite") {
        for (page, _) in PAGES {
            let name = format!("{page}.md");
            fs::copy(copy.path().join(&name), docs.join(&name)).unwrap();
        }
    }
}
