//! Where faults of a configuration are told: the panic log has those that end the mail
//! server's work, and not those that a test finds.

use std::path::Path;

use crate::common::{Run, eximious, reference, run};

/// Configurations with a fault.
const FAULTS: &[(&str, &str)] = &[
    (
        "a line",
        "keep_environment =\nlog_file_path = DIR/%slog\nspool_directory = DIR\nnosuch = 3\n",
    ),
    (
        "what follows",
        "keep_environment =\nlog_file_path = DIR/%slog\nspool_directory = DIR\nlog_selector = +nix\n",
    ),
];

/// What ends in the panic log, and what only tests.
const CALLS: &[(&str, bool)] = &[
    ("-bd -oX 1", true),
    ("-bp", true),
    ("-bpc", true),
    ("-bs", true),
    ("-bS", true),
    ("-bP", true),
    ("-bP config", true),
    ("-brw a", true),
    ("-brt a", true),
    ("-bi", true),
    ("a@b.test", true),
    ("-v a@b.test", true),
    ("-t", true),
    ("-Mvl 1abcde-000000000AB-0001", true),
    ("-be 1", false),
    ("-bt a@b", false),
    ("-bv a@b", false),
    ("-bf /dev/null", false),
    ("-bh 192.0.2.1", false),
    ("-bV", false),
];

/// What a call says on its standard error, and what it leaves in each log.
fn asked(program: Option<&str>, folder: &Path, call: &str) -> (Option<i32>, String, [String; 2]) {
    let config = folder.join("c.conf");
    let mut args = vec!["-C", config.to_str().unwrap()];
    args.extend(call.split(' '));
    let Run { status, err, .. } = match program {
        Some(program) => run(program, &args, b""),
        None => eximious(&args, b""),
    };
    let untimed = |text: &str| {
        let plain =
            text.lines().map(|line| if line.starts_with("20") { &line[20..] } else { line });
        plain.collect::<Vec<_>>().join("\n")
    };
    let logs = ["mainlog", "paniclog"].map(|name| {
        let file = folder.join(name);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let _ = std::fs::remove_file(&file);
        untimed(&text)
    });
    (status, untimed(&err), logs)
}

#[test]
fn faults_of_a_configuration_go_to_the_panic_log() {
    let reference = reference().filter(|_| rustix::process::geteuid().is_root());
    for (what, text) in FAULTS {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder, mode).unwrap();
        let text = text.replace("DIR", folder.to_str().unwrap());
        std::fs::write(folder.join("c.conf"), text).unwrap();
        for (call, kept) in CALLS {
            let ours = asked(None, folder, call);
            assert_eq!(ours.0, Some(1), "{what}: {call}");
            assert!(ours.1.contains("configuration error"), "{what}: {call}: {}", ours.1);
            if rustix::process::geteuid().is_root() {
                let [main, panic] = &ours.2;
                assert_eq!(panic.contains("configuration error"), *kept, "{what}: {call}");
                assert_eq!(main, "", "{what}: {call}");
            }
            if let Some(program) = &reference {
                assert_eq!(ours, asked(Some(program), folder, call), "{what}: {call}");
            }
        }
    }
}

/// What can't be expanded, or is not there, before anything comes in ends a call, be it one that
/// only asks for the version.
#[test]
fn what_every_message_needs_is_looked_at_first() {
    let reference = reference().filter(|_| rustix::process::geteuid().is_root());
    let nameless = "smtp_active_hostname = ${nosuch:x}\n";
    let full = "check_spool_inodes = 2000000000\ncheck_spool_space = 2000000000\n";
    for (option, call, said, logged) in [
        (nameless, "-bV", "(smtp_active_hostname): unknown expansion operator", ""),
        (nameless, "-bS", "(smtp_active_hostname): unknown expansion operator", "nosuch"),
        (full, "-bS", "exim: insufficient disk space", "spool directory space check failed"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder, mode).unwrap();
        let place = folder.to_str().unwrap();
        let text = format!(
            "keep_environment =\nlog_file_path = {place}/%slog\nspool_directory = {place}\n{option}"
        );
        std::fs::write(folder.join("c.conf"), text).unwrap();
        for program in [Some(None), reference.as_deref().map(Some)].into_iter().flatten() {
            let (status, err, [main, _]) = asked(program, folder, call);
            assert_eq!(status, Some(1), "{call} {program:?}: {err}");
            assert!(err.contains(said), "{call} {program:?}: {err}");
            if rustix::process::geteuid().is_root() {
                assert!(main.contains(logged), "{call} {program:?}: {main}");
                assert_eq!(main.is_empty(), logged.is_empty(), "{call} {program:?}: {main}");
            }
        }
    }
}

/// The daemon's own file goes with `-oPX`, which a process of its own does for it; nobody
/// else's does.
#[test]
fn the_file_with_the_number_of_whoever_calls_is_taken_away() {
    let programs = [Some(env!("CARGO_BIN_EXE_eximious").to_owned()), reference()];
    for program in programs.into_iter().flatten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("exim.pid");
        let call = || run(&program, &["-oP", file.to_str().unwrap(), "-oPX"], b"");
        std::fs::write(&file, "1\n").unwrap();
        let Run { status, out, err } = call();
        assert_eq!((status, out.as_str(), err.as_str()), (Some(0), "", ""), "{program}");
        assert!(file.exists(), "{program}");
        std::fs::write(&file, format!("{}\n", std::process::id())).unwrap();
        assert_eq!(call().status, Some(0));
        assert!(!file.exists(), "{program}");
        assert_eq!(call().status, Some(0), "{program}");
    }
}
