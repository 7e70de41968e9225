//! Alias files: one that changes while a program goes on answering, and one
//! whose addresses are ever more.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program, asked an address at a time.
struct Asked {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Asked {
    fn new(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
            .arg("-C")
            .arg(config)
            .arg("-bt")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// The line that is said to an address, without the prompt before it.
    fn answer(&mut self, address: &str) -> String {
        writeln!(self.input, "{address}").unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().trim_start_matches("> ").to_owned()
    }

    fn end(self) {
        let Self { mut child, input, mut output } = self;
        drop(input);
        output.read_to_end(&mut Vec::new()).unwrap();
        assert!(child.wait().unwrap().code().is_some());
    }
}

/// Aliases that give each name a number of the file's own.
fn aliases(number: u32) -> String {
    (0..2000).map(|name| format!("name{name}: :fail: {number}\n")).collect()
}

/// An address that was asked before has its answer; another one is looked for in
/// the file as it is now. (A real Exim holds the file open, and finds in it what
/// was there in the beginning.)
#[test]
fn a_changed_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("aliases");
    let config = folder.path().join("exim.conf");
    let text = format!(
        "spool_directory = {0}/spool\nprimary_hostname = me.test\nbegin routers\n\
         aliases:\n  driver = redirect\n  allow_fail\n\
         \x20 data = ${{lookup{{$local_part}}lsearch{{{0}/aliases}}}}\n",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    std::fs::write(&file, aliases(1)).unwrap();
    let mut asked = Asked::new(&config);
    let mut is = |name: &str, what: &str| {
        let wanted = format!("{name}@me.test is undeliverable: {what}");
        assert_eq!(asked.answer(name), wanted);
    };
    is("name1500", "1");
    is("name7", "1");
    // Another file in its place, as editors and newaliases do it.
    let other = folder.path().join("other");
    std::fs::write(&other, aliases(2)).unwrap();
    std::fs::rename(&other, &file).unwrap();
    is("name1501", "2");
    is("name8", "2");
    // The same file, with another text that is as long.
    std::fs::write(&file, aliases(3)).unwrap();
    is("name1502", "3");
    // The same file, with more at its end.
    let mut grown = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    grown.write_all(b"fresh: :fail: 4\n").unwrap();
    drop(grown);
    is("fresh", "4");
    // A shorter one.
    std::fs::write(&file, "name1503: :fail: 5\n").unwrap();
    is("name1503", "5");
    is("name9", "Unrouteable address");
    // None.
    std::fs::remove_file(&file).unwrap();
    let said = asked.answer("name10");
    assert!(said.contains("failed to open"), "{said}");
    asked.end();
}

/// Each name stands for two, each of which stands for two: a real Exim goes on
/// until its memory ends.
#[test]
fn a_bomb_of_aliases_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("exim.conf");
    let text = format!(
        "spool_directory = {0}/spool\nprimary_hostname = me.test\nbegin routers\n\
         aliases:\n  driver = redirect\n  domains = me.test\n\
         \x20 data = ${{lookup{{$local_part}}lsearch{{{0}/aliases}}}}\n",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    let twice = |level: u32| {
        let two = format!("a{0}, b{0}", level + 1);
        format!("a{level}: {two}\nb{level}: {two}\n")
    };
    std::fs::write(folder.path().join("aliases"), (0..40).map(twice).collect::<String>()).unwrap();
    let bt = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
        command.arg("-C").arg(&config);
        command
    };
    let output = bt().args(["-bt", "a0"]).output().unwrap();
    let end = "cannot be resolved at this time: too many addresses are made of this one\n";
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches(end).count(), 1, "{}", &said[..said.len().min(500)]);
    // Two children are as good as many.
    let output = bt().args(["-bv", "a0"]).output().unwrap();
    assert_eq!(output.stdout, b"a0@me.test verified\n");
}
