//! The names under which the program is called, and its own commands.

use std::os::unix::fs::symlink;

use crate::common::{Run, eximious, file, run};

/// Runs the program under another name.
pub fn called(name: &str, args: &[&str], input: &[u8]) -> Run {
    let place = tempfile::TempDir::with_prefix("eximious-").unwrap();
    let path = place.path().join(name);
    symlink(env!("CARGO_BIN_EXE_eximious"), &path).unwrap();
    run(path.to_str().unwrap(), args, input)
}

/// A configuration with a spool of its own, in which messages stay.
fn config() -> (tempfile::TempDir, String) {
    let place = tempfile::TempDir::with_prefix("eximious-").unwrap();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(place.path(), all).unwrap();
    let text = format!(
        "primary_hostname = host.example\nspool_directory = {0}\nlog_file_path = {0}/%slog\n\
         bi_command = {0}/build\n",
        place.path().display()
    );
    let path = place.path().join("conf");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (place, path)
}

/// The recipients of what waits.
fn queued(config: &str) -> Vec<String> {
    let listed = called("mailq", &["-C", config], b"");
    let lines = listed.out.lines().filter(|line| line.starts_with("          "));
    let mut all: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn under_names_of_exim_commands_are_recipients() {
    let (_place, config) = config();
    for (name, word) in
        [("sendmail", "help"), ("send-mail", "list"), ("exim4", "check"), ("rmail", "fmt")]
    {
        let sent = called(name, &["-C", &config, "-odq", word], b"Subject: x\n\ny\n");
        assert_eq!(sent.status, Some(0), "{name} {word}: {sent:?}");
    }
    let hosts = |name: &str| format!("{name}@host.example");
    assert_eq!(queued(&config), ["check", "fmt", "help", "list"].map(hosts));
    for (name, args) in [("newaliases", ["help"]), ("runq", ["help"]), ("rsmtp", ["-q"])] {
        let refused = called(name, &args, b"");
        assert_eq!(refused.status, Some(1), "{name}: {refused:?}");
    }
    // A dot by itself ends no message that `rmail` takes.
    let sent = called("rmail", &["-C", &config, "-odq", "dot"], b"Subject: x\n\na\n.\nb\n");
    assert_eq!(sent.status, Some(0), "{sent:?}");
    let smtp = b"MAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\nSubject: x\n\ny\n.\n";
    assert_eq!(called("rsmtp", &["-C", &config, "-odq"], smtp).status, Some(0));
    assert!(queued(&config).contains(&"c@d.example".to_owned()), "{:?}", queued(&config));
}

#[test]
fn the_file_of_aliases_is_built_by_a_command() {
    let (place, config) = config();
    let failed = called("newaliases", &["-C", &config], b"");
    let command = place.path().join("build").display().to_string();
    let why = format!("exim: exec '{command}' failed: No such file or directory\n");
    assert_eq!((failed.status, failed.err), (Some(1), why));
    std::fs::write(&command, "#!/bin/sh\necho built $* $PATH_OF_CALLER$ADDED\n").unwrap();
    let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&command, rights).unwrap();
    // It has the environment of all commands, and not the caller's.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("add_environment = ADDED=added\n{text}")).unwrap();
    let args =
        ["PATH_OF_CALLER=wrong", env!("CARGO_BIN_EXE_eximious"), "-C", &config, "-bi", "-oA", "x"];
    let built = run("/usr/bin/env", &args, b"");
    assert_eq!((built.status, built.out.as_str()), (Some(0), "built x added\n"));
    let none = file("primary_hostname = x\n");
    let nothing = called("newaliases", &["-C", none.path().to_str().unwrap()], b"");
    assert_eq!((nothing.status, nothing.out + &nothing.err), (Some(0), String::new()));
}

#[test]
fn the_version_is_told_before_what_is_wrong_with_the_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "keep_environment =\ngecos_pattern = (\ngecos_name = $1\n")
        .unwrap();
    let told = eximious(&["-C", file.path().to_str().unwrap(), "-bV"], b"");
    assert_eq!(told.status, Some(1), "{told:?}");
    assert!(told.out.starts_with("Exim version ") && !told.out.contains("Configuration file is"));
    let why = "regular expression error: missing closing parenthesis at offset 1 while compiling (";
    assert!(told.err.contains(why), "{told:?}");
}

#[test]
fn an_unknown_word_is_no_recipient() {
    for (word, meant) in [("chek", "check"), ("hlep", "help"), ("lst", "list"), ("be", "-be")] {
        let refused = eximious(&[word], b"Subject: x\n\ny\n");
        assert_eq!(refused.status, Some(1), "{refused:?}");
        let head = format!("eximious: no command \"{word}\"; did you mean \"eximious {meant}\"?\n");
        assert!(refused.err.starts_with(&head), "{refused:?}");
    }
    let (_place, config) = config();
    let refused = eximious(&["-C", &config, "postmaster"], b"\n");
    assert!(refused.err.contains("eximious -bm postmaster"), "{refused:?}");
    for args in [&["-bm", "chek"][..], &["chek@host.example"]] {
        let args = [&["-C", &config, "-odq"], args].concat();
        assert_eq!(eximious(&args, b"Subject: x\n\ny\n").status, Some(0), "{args:?}");
    }
    assert_eq!(queued(&config), ["chek@host.example"; 2]);
}

#[test]
fn no_word_is_a_command_where_there_is_a_message() {
    let (_place, config) = config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("queue_only\n{text}")).unwrap();
    let of_message: [&[&str]; 7] =
        [&["-odq"], &["-i"], &["-oi"], &["-oem"], &["-f", "x@y.example"], &["-F", "X"], &["--"]];
    for args in of_message {
        let args = [&["-C", &config], args, &["list"]].concat();
        let taken = eximious(&args, b"Subject: x\n\ny\n");
        assert_eq!((taken.status, taken.out.as_str()), (Some(0), ""), "{args:?}: {taken:?}");
    }
    assert_eq!(queued(&config), ["list@host.example"; 7]);
}

#[test]
fn options_stand_before_a_command() {
    let config = file("domainlist x = NAME\n");
    let path = config.path().to_str().unwrap();
    for args in [&["-C", path, "-DNAME=a", "check"][..], &["check", "-C", path, "-D", "NAME=a"]] {
        let checked = eximious(args, b"");
        assert!(checked.out.starts_with("warning[W203]: the list x"), "{args:?}: {checked:?}");
    }
    assert!(eximious(&["-v", "list", "items"], b"").out.starts_with("item "));
    assert!(eximious(&["-v", "help", "uc"], b"").out.starts_with("uc (operator)"));
}

#[test]
fn everything_has_a_page() {
    let said = |args: &[&str]| {
        let run = eximious(args, b"");
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{args:?}");
        run.out
    };
    let start = said(&["--help"]);
    assert!(start.contains("help switches"), "{start}");
    let manual = said(&["help", "--man"]);
    let completions = ["bash", "zsh", "fish"].map(|shell| said(&["help", "--completions", shell]));
    let named = start.lines().filter_map(|line| line.strip_prefix("  eximious "));
    let named = named.filter_map(|line| line.split(' ').next());
    let commands: Vec<&str> =
        named.filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase())).collect();
    assert!(commands.len() >= 12, "{commands:?}");
    for command in commands {
        // Help, the page of the manual and the completions know the same options.
        let page = said(&[command, "--help"]);
        assert_eq!(page, said(&["help", command]));
        assert!(manual.contains(&format!("\n.SS {command}\n")), "{command}");
        let lines = page.lines().map(str::trim_start);
        let options = lines.filter(|line| line.starts_with('-'));
        let options = options.filter_map(|line| line.split("  ").next());
        let options = options.flat_map(|part| part.split(' '));
        let options = options.filter_map(|word| word.strip_prefix("--"));
        for option in options.map(|word| word.trim_matches(',')).filter(|word| *word != "help") {
            let name = option.split(['[', '=']).next().unwrap_or(option);
            assert!(manual.contains(&format!("\n.B \\-\\-{}", name.replace('-', "\\-"))), "{name}");
            for text in &completions {
                assert!(text.contains(&format!(" {name} ")) || text.contains(&format!("--{name}")));
            }
        }
    }
    assert!(said(&["hints", "tidy", "--help"]).contains("-t <TIME>"));
    assert!(manual.contains(".B eximious hints tidy"));
    assert!(said(&["help", "switches"]).contains("  -bd, -bdf "));
    assert!(said(&["help", "-bdf"]).contains("takes connections"));
    assert!(said(&["help", "drivers"]).contains("router        dnslookup "));
    assert!(said(&["help", "redirect"]).contains("Options of its own:"));
    assert!(manual.contains(".TP\n.B \\-bd, \\-bdf\n"));
    assert!(completions.iter().all(|text| text.contains("bdf")));
    // What stands behind a command, and behind -bP.
    for word in ["extract", "E101", "retry", "acl-verbs", "router_list", "primary_hostname"] {
        assert!(completions.iter().all(|text| text.contains(word)), "{word}");
    }
    let wrong = eximious(&["help", "--completions", "csh"], b"");
    assert_eq!(wrong.status, Some(1), "{wrong:?}");
    assert_eq!(said(&["-bI:dscp"]).lines().count(), 18);
}

/// What Perl would take orders from is the configuration's, whatever else is kept.
#[test]
fn perl_takes_no_orders_from_who_calls() {
    let ask = |more: &str| {
        let code = "perl_startup = sub f { return \"$ENV{KEPT} $ENV{PERL5OPT}\" }";
        let config = file(&format!("{code}\nkeep_environment = *\n{more}\n"));
        let config = config.path().to_str().unwrap();
        let program = env!("CARGO_BIN_EXE_eximious");
        let args = ["KEPT=kept", "PERL5OPT=-MNoSuch", program, "-C", config, "-be", "${perl{f}}"];
        run("/usr/bin/env", &args, b"").out
    };
    assert_eq!(ask(""), "kept \n");
    assert_eq!(ask("add_environment = PERL5OPT=-Mconstant"), "kept -Mconstant\n");
}
