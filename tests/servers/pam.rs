//! The condition `pam`, against the system's own library and a module that
//! asks and answers what a test tells it; a real Exim does the same there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious_tests::ours::Ours;
use eximious_tests::reference::{Answer, Reference};
use eximious_tests::{root, show};
use tempfile::TempDir;

/// What both programs are known by.
const SERVICE: &str = "/etc/pam.d/exim";

/// The service's file; it goes when this value does.
struct Service(&'static Path);

impl Service {
    /// `None` where it can't be made, or is there already: the system's own.
    fn new() -> Option<Self> {
        let path = Path::new(SERVICE);
        match fs::OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => Some(Self(path)),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "LEFT OUT: {SERVICE}: {error}");
                None
            }
        }
    }

    fn says(&self, text: &str) {
        fs::write(self.0, text).expect("the service's file");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}

/// Makes the module from its source.
fn module(dir: &Path) -> Option<PathBuf> {
    let module = dir.join("probe.so");
    let source = root().join("tests/data/pam/probe.c");
    let library = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"]
        .iter()
        .map(|place| Path::new(place).join("libpam.so.0"))
        .find(|path| path.exists())?;
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&module).arg(source).arg(library);
    compiler.status().ok()?.success().then_some(module)
}

/// What a program says to a line, and what the module wrote meanwhile.
type Said = (Vec<u8>, String);

struct Probe {
    service: Service,
    module: PathBuf,
    log: PathBuf,
    reference: Option<Reference>,
}

impl Probe {
    /// With arguments of the module for the password and for the account.
    fn modules(&self, auth: &[&str], account: &[&str]) {
        let (module, log) = (self.module.display(), self.log.display());
        let mut text = String::new();
        for (what, lines) in [("auth", auth), ("account", account)] {
            for line in lines {
                text.push_str(&format!("{what} required {module} log={log} {line}\n"));
            }
        }
        self.service.says(&text);
    }

    fn written(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let _ = fs::remove_file(&self.log);
        text
    }

    /// Asks both programs, which agree.
    #[track_caller]
    fn ask(&self, line: &str) -> Said {
        let ours = (Ours::new().answer(line.as_bytes()), self.written());
        if let Some(reference) = &self.reference {
            let theirs = reference.ask(&[line.as_bytes().to_vec()], None).remove(0);
            let theirs = (theirs, self.written());
            assert_eq!(theirs, (Answer::Said(ours.0.clone()), ours.1.clone()), "{line}");
        }
        ours
    }

    #[track_caller]
    fn answers(&self, line: &str, answer: &str, written: &str) {
        let said = self.ask(line);
        assert_eq!((show(&said.0).as_str(), said.1.as_str()), (answer, written), "{line}");
    }
}

#[test]
fn modules_are_asked() {
    let dir = TempDir::new().expect("a directory");
    let Some(module) = module(dir.path()) else {
        let _ = writeln!(std::io::stderr(), "LEFT OUT: no module for PAM");
        return;
    };
    let Some(service) = Service::new() else { return };
    let reference = Reference::find();
    let probe = Probe { service, module, log: dir.path().join("log"), reference };
    codes(&probe);
    strings(&probe);
    conversations(&probe);
    broken(&probe);
}

/// Three codes say no, all others but zero that something is wrong.
fn codes(probe: &Probe) {
    for code in [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 19, 20, 25, 26, 27, 28, 31, 99] {
        let code_is = format!("return={code}");
        probe.modules(&[&code_is], &[""]);
        let (first, _) = probe.ask("${if pam{u:x}{y}{n}}");
        probe.modules(&[""], &[&code_is]);
        let (second, _) = probe.ask("${if pam{u:x}{y}{n}}");
        assert_eq!(first, second, "{code}");
        match code {
            0 => assert_eq!(first, b"y"),
            7 | 10 | 13 => assert_eq!(first, b"n"),
            _ => assert!(first.starts_with(b"Failed: "), "{code}: {}", show(&first)),
        }
    }
    probe.modules(&["return=9"], &[""]);
    let line = "${if or{{pam{u:x}}{eq{a}{a}}}{y}{n}}";
    let words = "Failed: Authentication service cannot retrieve authentication info";
    probe.answers(line, &format!("{words} inside \\\"or{{...}}\\\" condition"), "auth! <u>\n");
}

/// How the user and the answers are written.
fn strings(probe: &Probe) {
    probe.modules(&["ask=1"], &[""]);
    for (text, user, password) in [
        ("u:x", "u", "x"),
        (" u : x y ", "u", "x y"),
        ("u:a::b", "u", "a:b"),
        ("u: ::b", "u", ":b"),
        ("u\\n:\\tx\\n", "u", "x"),
        ("a::b:x:y:z", "a:b", "x"),
        ("<;u;x", "u", "x"),
        ("u", "u", ""),
        ("u:", "u", ""),
        ("u: :x", "u", ""),
        ("a b@c.d:x", "a b@c.d", "x"),
    ] {
        let line = format!("${{if pam{{{text}}}{{y}}{{n}}}}");
        let written = format!("auth! <{user}> 0[{password}]\naccount! <{user}>\n");
        probe.answers(&line, "y", &written);
    }
    // Nobody is asked about nobody.
    for text in ["", " ", ":", " : x", ":x"] {
        probe.answers(&format!("${{if pam{{{text}}}{{y}}{{n}}}}"), "n", "");
    }
    let long = "x".repeat(400);
    let line = format!("${{if pam{{u:{long}}}{{y}}{{n}}}}");
    probe.answers(&line, "y", &format!("auth! <u> 0[{long}]\naccount! <u>\n"));
    probe.ask("${if pam{u:\\xff\\x01}{y}{n}}");
    probe.ask("${if !pam{u:x}{y}{n}}");
    probe.ask("${if pam{$nosuch}{y}{n}}");
}

/// Questions, hidden and shown, and what is only to be told; one question too
/// many has an empty answer, and another ends it.
fn conversations(probe: &Probe) {
    let error = "Failed: Conversation error";
    for (asked, text, answer, written) in [
        ("ask=12", "u:x:y", "y", "0[x|y]"),
        ("ask=12", "u:x", "y", "0[x|]"),
        ("ask=312", "u:x:y", "y", "0[(none)|x|y]"),
        ("ask=34", "u:x:y", "y", "0[(none)|(none)]"),
        ("ask=41", "u", "y", "0[(none)|]"),
        ("ask=5", "u:x", error, "19[]"),
        ("ask=15", "u:x", error, "19[]"),
        ("ask=1 ask=1", "u:x:y", "y", "0[x] 0[y]"),
        ("ask=1 ask=1", "u:x", "y", "0[x] 0[]"),
        ("ask=1 ask=1 ask=1", "u:x", error, "0[x] 0[] 19[]"),
        ("ask=1 ask=1 ask=3", "u:x", error, "0[x] 0[] 19[]"),
        ("ask=1 ask=1 ask=2", "u: : :", "y", "0[] 0[] 0[]"),
    ] {
        probe.modules(&[asked], &[""]);
        let account = if answer == "y" { "account! <u>\n" } else { "" };
        let line = format!("${{if pam{{{text}}}{{y}}{{n}}}}");
        probe.answers(&line, answer, &format!("auth! <u> {written}\n{account}"));
    }
    probe.modules(&["ask=1", "ask=1"], &["ask=2"]);
    let written = "auth! <u> 0[x]\nauth! <u> 0[y]\naccount! <u> 0[z]\n";
    probe.answers("${if pam{u:x:y:z:more}{y}{n}}", "y", written);
}

/// A service that is not set up as it should be.
fn broken(probe: &Probe) {
    probe.service.says("auth required /nosuch.so\naccount required pam_permit.so\n");
    probe.answers("${if pam{u:x}{y}{n}}", "Failed: Module is unknown", "");
    for text in ["", "garbage\n", "auth required pam_deny.so\n", "auth required pam_permit.so\n"] {
        probe.service.says(text);
        probe.ask("${if pam{u:x}{y}{n}}");
    }
}

#[test]
fn nobody_is_asked_where_the_world_is_closed() {
    let engine = eximious::Engine::builder().build();
    let mut cx = engine.context();
    let fail = engine.compile("${if pam{u:x}{y}{n}}").expand(&mut cx).expect_err("closed");
    assert_eq!(fail.to_string(), "Permission denied");
}
