//! The commands in the documentation, run: what it shows is what comes.

use std::path::Path;

/// The pages, and the folder that their commands run in.
#[test]
fn commands_in_the_documentation_do_what_it_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let cases = trycmd::TestCases::new();
    cases.register_bin("eximious", Path::new(env!("CARGO_BIN_EXE_eximious")));
    for tool in ["cat", "cp", "sed"] {
        cases.register_bin(tool, Path::new("/usr/bin").join(tool));
    }
    // Another form of a pattern's backslashes is shown otherwise.
    cases.env("NO_COLOR", "1");
    for page in
        ["debugger.md", "editors.md", "first-steps.md", "testing.md", "trace.md", "workbench.md"]
    {
        cases.case(docs.join(page));
    }
    cases.run();
}
