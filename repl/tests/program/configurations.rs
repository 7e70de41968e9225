//! Configurations, sound and broken, for the real program and for this one: what
//! `-bP`, `-brw`, `-brt` and `-be` say of them.
//!
//! A file of `tests/configurations` holds many. `===` begins one, with a title
//! behind it that known differences are listed under; lines `? …` are the
//! arguments to try with it (`? nobody …` for a user without rights), one more
//! file stands behind `+++ NAME` and can be included as `DIR/NAME`; nobody but the
//! owner can read it where the name begins with `secret`. All else is the configuration's text, `DIR` the
//! directory in which it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Run, eximious, reference, run};
use eximious::stdlib;

/// A configuration, and what is asked of it.
#[derive(Clone, Default)]
struct Case {
    title: String,
    questions: Vec<Vec<String>>,
    /// The texts of its files; the first is the configuration itself.
    files: Vec<(String, String)>,
    /// The file's name and the number of its line.
    place: String,
}

/// A difference that is known, and why it is there: the title of a configuration,
/// or the line that Exim prints and the one that stands in its place here.
struct Difference {
    reason: String,
    what: What,
    seen: AtomicUsize,
}

enum What {
    Title(String),
    Line(String, String),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            What::Title(title) => write!(f, "{title}")?,
            What::Line(theirs, ours) => write!(f, "{theirs} | {ours}")?,
        }
        write!(f, " ({})", self.reason)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/configurations")
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "conf"));
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        let first = cases.len();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if let Some(title) = line.strip_prefix("===") {
                let place = format!("{name}:{}", number + 1);
                let title = title.trim().to_owned();
                let files = vec![("c.conf".to_owned(), String::new())];
                cases.push(Case { title, files, place, ..Case::default() });
            } else if cases.len() == first {
                assert!(line.starts_with('#') || line == "\n", "{name}: {line}");
            } else if let Some(question) = line.strip_prefix("? ") {
                cases.last_mut().unwrap().questions.push(words(question.trim_end()));
            } else if let Some(file) = line.strip_prefix("+++ ") {
                let file = (file.trim_end().to_owned(), String::new());
                cases.last_mut().unwrap().files.push(file);
            } else {
                cases.last_mut().unwrap().files.last_mut().unwrap().1.push_str(line);
            }
        }
    }
    cases
}

/// Words with spaces between them; single quotes hold some together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closing quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn differences() -> Vec<Difference> {
    let text = std::fs::read_to_string(folder().join("known-differences.txt")).unwrap();
    let (mut found, mut reason) = (Vec::new(), String::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            reason = [&reason, " ", comment].concat().trim().to_owned();
        } else if line.is_empty() {
            reason.clear();
        } else {
            assert!(!reason.is_empty(), "no reason: {line}");
            let what = match line.split_once(" | ") {
                Some((theirs, ours)) => What::Line(theirs.to_owned(), ours.to_owned()),
                None => What::Title(line.to_owned()),
            };
            let reason = reason.clone();
            found.push(Difference { reason, what, seen: AtomicUsize::new(0) });
        }
    }
    found
}

/// What the packaged Exim does not have: options and words of later releases or of
/// other builds, after their records.
struct Absent {
    options: BTreeSet<String>,
}

/// Options that other builds have.
const OTHER_BUILDS: &[&str] = &[
    "disable_fsync",
    "dmarc_forensic_sender",
    "dmarc_history_file",
    "dmarc_tld_file",
    "gnutls_compat_mode",
    "ibase_servers",
    "oracle_servers",
    "redis_servers",
    "translate_ip_address",
    "use_classresources",
];

/// Whether a word is one of the macros that stand for what a build knows: ours
/// knows more.
fn predefined(word: &str) -> bool {
    ["_ACL_", "_CRYPTO_", "_DRIVER_", "_EXP_", "_HAVE_", "_LOG_", "_OPT_"]
        .iter()
        .any(|head| word.starts_with(head))
}

/// The release that is asked.
const RELEASE: (u32, u32) = (4, 98);

impl Absent {
    fn new() -> Self {
        let later = |since: &str| {
            let parts: Vec<u32> = since.split('.').filter_map(|part| part.parse().ok()).collect();
            matches!(parts[..], [major, minor, ..] if (major, minor) > RELEASE)
        };
        let mut options = BTreeSet::new();
        for option in stdlib::options::ALL.iter().copied().flatten().copied().flatten() {
            let meta = &option.meta;
            if later(meta.since)
                || meta.source == "experimental features"
                || OTHER_BUILDS.contains(&meta.name)
            {
                options.insert(meta.name.to_owned());
            }
        }
        Self { options }
    }

    /// Whether a line is of an option that is absent.
    fn covers(&self, line: &str) -> bool {
        let word = line.split([' ', '=']).next().unwrap_or_default();
        let word = word.strip_prefix("no_").unwrap_or(word);
        self.options.contains(word) || predefined(word)
    }
}

/// Whether a line of a list of macros tells of what a build has, and not of its language.
fn of_build(line: &str) -> bool {
    line.starts_with("_HAVE_") || line.starts_with("_CRYPTO_")
}

/// What this program calls itself where the other says which release it is.
const VERSION: &str = concat!("4.100-eximious-", env!("CARGO_PKG_VERSION"));

/// Takes out of each answer what the other can't have.
fn common_ground(theirs: &mut Run, ours: &mut Run, absent: &Absent) {
    ours.out = ours.out.replace(VERSION, "4.98.2");
    let own: BTreeSet<&str> = ours.out.lines().collect();
    let kept = theirs.out.split_inclusive('\n').filter(|line| {
        let line = line.trim_end_matches('\n');
        own.contains(line) || !of_build(line)
    });
    theirs.out = kept.collect();
    let known: BTreeSet<&str> = theirs.out.lines().collect();
    let kept = ours.out.split_inclusive('\n').filter(|line| {
        let line = line.trim_end_matches('\n');
        known.contains(line) || !absent.covers(line)
    });
    ours.out = kept.collect();
}

/// What both say, in an order of its own where Exim's order means nothing.
fn in_order(run: &mut Run, question: &[String]) {
    if question.iter().any(|word| matches!(word.as_str(), "macros" | "macro_list")) {
        let mut lines: Vec<&str> = run.out.split_inclusive('\n').collect();
        lines.sort_unstable();
        run.out = lines.concat();
    }
}

/// Puts Exim's lines in the place of those of ours that are known to differ.
fn translate(theirs: &Run, ours: &mut Run, known: &[Difference]) {
    for one in known {
        let What::Line(their_line, our_line) = &one.what else { continue };
        let has = |text: &str, wanted: &str| text.lines().any(|line| line == wanted);
        if has(&theirs.out, their_line) && has(&ours.out, our_line) {
            one.seen.fetch_add(1, Ordering::Relaxed);
            let lines = ours.out.split_inclusive('\n').map(|line| {
                if line.trim_end_matches('\n') == our_line {
                    format!("{their_line}\n")
                } else {
                    line.to_owned()
                }
            });
            ours.out = lines.collect();
        }
    }
}

fn compare(program: &str, case: &Case, absent: &Absent, known: &[Difference]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    for (name, text) in &case.files {
        let text = match case.place.as_str() {
            PACKAGED => text.clone(),
            _ => text.replace("DIR", directory),
        };
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mode = if name.starts_with("secret") { 0o600 } else { 0o644 };
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let file = format!("{directory}/c.conf");
    let mut wrong = Vec::new();
    for question in &case.questions {
        let words: Vec<String> =
            question.iter().map(|word| word.replace("DIR", directory)).collect();
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        let nobody = args.first() == Some(&"nobody");
        if nobody {
            args.remove(0);
        }
        if !args.contains(&"-C") {
            args.splice(0..0, ["-C", &file]);
        }
        let (mut theirs, mut ours) = match nobody {
            false => (run(program, &args, b""), eximious(&args, b"")),
            true => match without_rights(program, &args, folder.path()) {
                Some(runs) => runs,
                None => continue,
            },
        };
        translate(&theirs, &mut ours, known);
        common_ground(&mut theirs, &mut ours, absent);
        in_order(&mut theirs, question);
        in_order(&mut ours, question);
        if theirs != ours {
            wrong.push(difference(case, question, &theirs, &ours));
        }
    }
    wrong
}

/// Runs both as a user without rights; only root can.
fn without_rights(program: &str, args: &[&str], folder: &Path) -> Option<(Run, Run)> {
    let copy = folder.join("eximious");
    if std::fs::metadata("/proc/self").map(|own| own.uid()).ok() != Some(0) {
        return None;
    }
    if !copy.exists() {
        // Another process copies: this one might start a program in another thread
        // while the copy is open, and nobody can run what somebody can write to.
        let program = env!("CARGO_BIN_EXE_eximious");
        assert!(Command::new("cp").arg(program).arg(&copy).status().unwrap().success());
    }
    let as_nobody = |program: &str| {
        let mut words = vec!["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", program];
        words.extend_from_slice(args);
        run("setpriv", &words, b"")
    };
    Some((as_nobody(program), as_nobody(copy.to_str()?)))
}

fn difference(case: &Case, question: &[String], theirs: &Run, ours: &Run) -> String {
    let mut text = format!("{} {} {question:?}\n", case.place, case.title);
    let parts = [
        (&theirs.out, &ours.out, "out"),
        (&theirs.err, &ours.err, "err"),
        (&format!("{:?}", theirs.status), &format!("{:?}", ours.status), "status"),
    ];
    for (theirs, ours, what) in parts {
        let (left, right): (Vec<&str>, Vec<&str>) =
            (theirs.lines().collect(), ours.lines().collect());
        let only = |lines: &[&str], other: &[&str], sign: &str| -> String {
            let mut counts = BTreeMap::new();
            other.iter().for_each(|line| *counts.entry(*line).or_insert(0) += 1);
            let missing = lines.iter().filter(|line| match counts.get_mut(*line) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            });
            missing.take(12).map(|line| format!("   {what} {sign} {line}\n")).collect()
        };
        text += &only(&left, &right, "exim    ");
        text += &only(&right, &left, "eximious");
        if theirs != ours && left.len() == right.len() {
            text += &format!("   {what} in another order, or another end\n");
        }
    }
    text
}

/// Runs all cases, and fails for what differs and should not, or the other way.
fn agree(program: &str, cases: &[Case], known: &[Difference]) {
    let absent = Absent::new();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differs = compare(program, case, &absent, known);
                    if differs.is_empty() {
                        continue;
                    }
                    let titled = |one: &&Difference| match &one.what {
                        What::Title(title) => *title == case.title,
                        What::Line(..) => false,
                    };
                    match known.iter().find(titled) {
                        Some(one) => {
                            one.seen.fetch_add(1, Ordering::Relaxed);
                        }
                        None => wrong.lock().unwrap().extend(differs),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn configurations_are_read_as_exim_reads_them() {
    let Some(program) = reference() else { return };
    let mut cases = cases();
    assert!(cases.len() > 60, "only {} configurations", cases.len());
    let known = differences();
    // `EXIMIOUS_CASES=routers`: only those whose titles begin so.
    let some = std::env::var("EXIMIOUS_CASES").unwrap_or_default();
    cases.retain(|case| case.title.starts_with(&some));
    agree(&program, &cases, &known);
    let stale = known.iter().filter(|one| one.seen.load(Ordering::Relaxed) == 0);
    let stale: Vec<String> = stale.map(ToString::to_string).collect();
    assert!(stale.is_empty() || !some.is_empty(), "both agree: {}", stale.join("\n"));
}

/// The place of what comes with the real program.
const PACKAGED: &str = "packaged";

/// The arguments that every sound configuration is asked.
const ALL: &[&str] = &[
    "-bP",
    "-n -bP qualify_domain never_users tls_advertise_hosts acl_smtp_rcpt message_logs",
    "-bP routers",
    "-bP transports",
    "-bP authenticators",
    "-bP router_list transport_list authenticator_list",
    "-bP macros",
    "-bP config",
    "-n -bP config",
    "-bP +local_domains",
    "-brw foo@localhost",
    "-brw foo",
    "-brt localhost",
    "-brt a.b quota",
];

fn asked_everything(title: &str, text: String) -> Case {
    // Each has another library for TLS, and its own words for ciphers.
    let text = text.replace("_HAVE_GNUTLS", "_HAVE_NOTHING").replace("_HAVE_OPENSSL", "_HAVE_IPV6");
    Case {
        title: title.to_owned(),
        questions: ALL.iter().map(|question| words(question)).collect(),
        files: vec![("c.conf".to_owned(), text)],
        place: PACKAGED.to_owned(),
    }
}

#[test]
fn packaged_configurations_are_read_as_exim_reads_them() {
    let Some(program) = reference() else { return };
    let mut cases = Vec::new();
    let example = "/usr/share/doc/exim4-base/examples/example.conf";
    for name in [example.to_owned(), format!("{example}.gz")] {
        if let Ok(output) = Command::new("zcat").arg("-f").arg(&name).output()
            && output.status.success()
        {
            cases.push(asked_everything("example", String::from_utf8(output.stdout).unwrap()));
        }
    }
    for kind in ["internet", "smarthost", "satellite", "local", "none"] {
        for split in ["true", "false"] {
            if let Some(text) = debian(kind, split) {
                cases.push(asked_everything(&format!("debian {kind} {split}"), text));
            }
        }
    }
    if cases.is_empty() {
        eprintln!("LEFT OUT: no packaged configurations (exim4-config)");
    }
    agree(&program, &cases, &differences());
}

/// Debian's configuration, as its own program writes it.
fn debian(kind: &str, split: &str) -> Option<String> {
    let program = "/usr/sbin/update-exim4.conf";
    let packaged = Path::new("/etc/exim4");
    if !Path::new(program).exists() || !packaged.exists() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(packaged).arg(folder.path()).status().unwrap();
    assert!(copied.success());
    let own = folder.path().join("exim4");
    let answers = format!(
        "dc_eximconfig_configtype='{kind}'\ndc_other_hostnames='a.example:b.example'\n\
         dc_local_interfaces='127.0.0.1 ; ::1'\ndc_readhost='c.example'\n\
         dc_relay_domains='d.example'\ndc_minimaldns='false'\ndc_relay_nets='10.0.0.0/8'\n\
         dc_smarthost='smart.example::587'\nCFILEMODE='644'\ndc_use_split_config='{split}'\n\
         dc_hide_mailname='true'\ndc_mailname_in_oh='true'\ndc_localdelivery='maildir_home'\n"
    );
    std::fs::write(own.join("update-exim4.conf.conf"), answers).unwrap();
    let written = folder.path().join("written");
    let run = Command::new(program).arg("-d").arg(&own).arg("-o").arg(&written).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(std::fs::read_to_string(written).unwrap())
}
