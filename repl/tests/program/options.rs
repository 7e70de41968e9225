//! The command line: Exim's options, its complaints and its exit status.

use std::os::unix::fs::PermissionsExt;

use crate::common::{eximious, file, reference, run, untimed};

/// What `-be x` says with some options before it.
fn refused(args: &[&str]) -> String {
    let run = eximious(args, b"");
    assert_eq!(run.status, Some(1), "{args:?}: {run:?}");
    assert_eq!(run.out, "", "{args:?}");
    run.err.trim_end().to_owned()
}

fn said(args: &[&str]) -> String {
    let run = eximious(args, b"");
    assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{args:?}");
    run.out
}

#[test]
fn what_tests_log_is_shown_once() {
    let config = file(
        "keep_environment =\nlog_selector = +all\nbegin acl\na:\n  warn log_message = hi\n  \
         warn message = x\n  accept logwrite = :main,reject,panic: ho\n    \
         logwrite = :reject: hu\nbegin rewrite\nx@a.test y@b.test\n",
    );
    let config = config.path().to_str().unwrap();
    let run = eximious(&["-C", config, "-oMa", "192.0.2.1", "-be", "${acl{a}}"], b"");
    let told: Vec<&str> = run.err.lines().collect();
    let about = "ACL \"warn\" with \"message\" setting found in a non-message (unknown) ACL: \
                 cannot specify header lines here: message ignored";
    assert_eq!(told.len(), 4, "{run:?}");
    for (line, end) in told.iter().zip([" Ci=0 Warning: hi", about, "ho", "hu"]) {
        assert!(line.ends_with(end) && !line.contains("H="), "{run:?}");
    }
    let run = eximious(&["-C", config, "-v", "-brw", "x@a.test"], b"");
    let head = "LOG: address_rewrite MAIN\n  \"x@a.test\" from sender: rewritten as \
                \"y@b.test\" by rule 1\n";
    assert!(run.err.starts_with(head), "{run:?}");
}

#[test]
fn unknown_options_are_refused_in_exims_words() {
    for option in ["-b", "-bX", "-bee", "--foo", "-k", "-Q", "-"] {
        let run = eximious(&[option, "x"], b"");
        let complaint =
            format!("exim abandoned: unknown, malformed, or incomplete option {option}\n");
        assert_eq!((run.status, run.err), (Some(1), complaint));
    }
    for (args, complaint) in [
        (&["-be", "-bem"][..], "exim abandoned: unknown, malformed, or incomplete option -bem"),
        (&["-C"], "exim abandoned: unknown, malformed, or incomplete option -C"),
        (&["-z"], "exim: file name expected after -z"),
        (&["-O"], "exim: string expected after -O"),
        (&["-oMa"], "exim: data expected after -oMa"),
        (&["-oMa", "x", "-be"], "exim abandoned: \"x\" is not an IP address"),
        (&["-p"], "exim: bad item for: -p"),
        (&["-or", "x"], "exim: bad time value x: abandoned"),
        (&["-or", "3000000000s"], "exim: bad time value 3000000000s: abandoned"),
        (&["-d+foo"], "exim: unknown debug_selector setting: +foo"),
        (&["-D"], "exim: macro name set by -D must start with an upper case letter"),
        (&["-DA=1", "-DA=2"], "exim: duplicated -D in command line"),
        (&["-Mset"], "exim: no message ids given after -Mset option"),
        (
            &["-f", "a b", "-be", "x"],
            "exim: bad -f address \"a b\": missing or malformed local part (expected word or \
             \"<\")",
        ),
        (
            &["-bem", "/nonexistent", "x"],
            "exim: failed to open /nonexistent: No such file or directory",
        ),
    ] {
        assert_eq!(refused(args), complaint, "{args:?}");
    }
}

#[test]
fn without_anything_to_do_it_says_what_it_is() {
    for args in [&[][..], &["-v"], &["-ps"], &["-dropcr"]] {
        assert!(refused(args).starts_with("eximious reads Exim's configuration"), "{args:?}");
    }
}

#[test]
fn options_that_mean_nothing_here_are_accepted() {
    for option in [
        "-Ac",
        "-B7",
        "-E",
        "-Ffoo",
        "-G",
        "-N",
        "-Ofoo",
        "-U",
        "-Xfoo",
        "-bnq",
        "-eq",
        "-h5",
        "-i",
        "-m",
        "-n",
        "-oB3",
        "-odq",
        "-oem",
        "-oi",
        "-om",
        "-oo",
        "-or5m",
        "-os5s",
        "-ov",
        "-oY",
        "-pd",
        "-t",
        "-ti",
        "-tls-on-connect",
        "-v",
        "-x",
        "-bs",
        "-bm",
    ] {
        assert_eq!(said(&[option, "-be", "x"]), "x\n", "{option}");
    }
}

#[test]
fn what_is_not_to_be_had_is_named() {
    for (option, why) in [("-MCA", "is for processes"), ("-bI:modules", "asks for modules")] {
        let complaint = refused(&[option]);
        assert!(complaint.starts_with(&format!("eximious: option {option} {why}")), "{complaint}");
    }
}

#[test]
fn the_caller_is_the_sender_unless_told_otherwise() {
    let config = file("qualify_domain = example.org\n");
    let name = config.path().to_str().unwrap();
    let out = said(&["-C", name, "-be", "$sender_address_domain|$authenticated_id|$sender_ident"]);
    let fields: Vec<&str> = out.trim_end().split('|').collect();
    assert_eq!(fields[0], "example.org");
    assert!(!fields[1].is_empty() && fields[1] == fields[2], "{out}");
    for (typed, address) in [
        ("a@b.example", "a@b.example"),
        ("a", "a@example.org"),
        ("<>", ""),
        ("", ""),
        ("Foo <a@b.example>", "a@b.example"),
    ] {
        let out = said(&["-C", name, "-f", typed, "-be", "$sender_address|"]);
        assert_eq!(out, format!("{address}|\n"), "{typed}");
    }
}

#[test]
fn a_client_can_be_made_up() {
    let args = ["-oMa", "192.0.2.1.25", "-oMs", "h.example", "-oMaa", "plain", "-oMr", "smtp"];
    let text = "$sender_host_address $sender_host_port $sender_host_name \
                $sender_host_authenticated $received_protocol";
    let out = said(&[&args[..], &["-be", text]].concat());
    assert_eq!(out, "192.0.2.1 25 h.example plain smtp\n");
    let run = eximious(&[&args[..], &["-be", "${expand:$sender_host_name}"]].concat(), b"");
    assert!(!run.out.starts_with("h.example"), "what a client says is tainted: {run:?}");
}

#[test]
fn cve_2017_1000369_the_protocol_can_be_given_once() {
    let many: Vec<&str> = ["-pfoo"].repeat(10_000);
    assert_eq!(refused(&many), "received_protocol is set already");
}

#[test]
fn macros_come_from_the_command_line() {
    // A configuration of this machine's could have words with an A in them.
    let said = |args: &[&str]| said(&[&["-C", "/dev/null"], args].concat());
    assert_eq!(said(&["-DA=b c", "-be", "xAx", "A = d", "A"]), "xb cx\nDefined macro 'A'\nb c\n");
    assert_eq!(said(&["-D A = b ", "-be", "xAx"]), "xb x\n");
    assert_eq!(said(&["-DA", "-be", "xAx"]), "xx\n");
}

#[test]
fn a_configuration_has_its_options_seen() {
    let config = file(
        "# a comment\nNAME = mail\n.ifdef NAME\nprimary_hostname = NAME.example\n.endif\n\
         no_queue_only\nhide mysql_servers = a/b/c/d\ndomainlist local = a : \\\n  b\n\n\
         begin acl\nsense:\n accept\n",
    );
    let name = config.path().to_str().unwrap();
    assert_eq!(said(&["-C", name, "-be", "$primary_hostname NAME"]), "mail.example mail\n");
    assert_eq!(said(&["-DNAME=x", "-C", name, "-be", "$primary_hostname"]), "x.example\n");
    let list = format!("/nonexistent : {name}");
    assert_eq!(said(&["-C", &list, "-be", "$config_file"]), format!("{name}\n"));
    assert_eq!(
        refused(&["-C", "/nonexistent", "-be", "x"]),
        "non-existent configuration file(s): /nonexistent"
    );
    let config = file("\nfoo = 1\n");
    let name = config.path().to_str().unwrap();
    let fault =
        format!("Exim configuration error in line 2 of {name}:\n  main option \"foo\" unknown");
    assert_eq!(refused(&["-C", name, "-be"]), fault);
    // What the program is does not hang on the configuration.
    let told = eximious(&["-C", name, "-bV"], b"");
    assert_eq!((told.status, told.err.trim_end()), (Some(1), &fault[..]));
    assert!(told.out.starts_with("Exim version 4.100-eximious-"), "{}", told.out);
}

#[test]
fn no_arguments_do_any_harm() {
    let pieces =
        ["-be", "-", "--", "-D", "-DA=", "-C", "-oM", "-d", "-f", "é", "\u{1}", "list", "-q"];
    // What becomes a message is kept here, and nowhere else.
    let home = tempfile::TempDir::new().unwrap();
    let name = home.path().display();
    let config = file(&format!("spool_directory = {name}\nlog_file_path = {name}/%slog\n"));
    let config = config.path().to_str().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..150 {
        let args: Vec<String> = (0..random.usize(0..5))
            .map(|_| {
                let length = random.usize(1..4);
                (0..length).map(|_| pieces[random.usize(0..pieces.len())]).collect()
            })
            .collect();
        let own = ["-C", config];
        let args: Vec<&str> = own.into_iter().chain(args.iter().map(String::as_str)).collect();
        let run = eximious(&args, b"x\n");
        assert!(matches!(run.status, Some(0 | 1)), "{args:?}: {run:?}");
    }
}

#[test]
fn cve_2010_4345_2016_1531_what_the_caller_brings_steers_nothing() {
    let config = file("keep_environment = KEPT\nadd_environment = PATH=/bin : ADDED=yes\n");
    let name = config.path().to_str().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eximious"));
    command.env_clear().env("KEPT", "1").env("PERL5OPT", "-Mevil").env("LD_BIND_NOW", "1");
    command.env("PATH", "/evil").env("TZ", "UTC");
    let text = "${env{KEPT}{k}{-}}${env{PERL5OPT}{p}{-}}${env{LD_BIND_NOW}{l}{-}}\
                |${env{PATH}}|${env{ADDED}}|${run{/usr/bin/env}{${map{<\\n $value}{<$item>}}}}";
    let output = command.args(["-C", name, "-be", text]).output().expect("it starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.starts_with("k--|/bin|yes|"), "{output:?}");
    for name in ["PERL5OPT", "LD_BIND_NOW", "/evil"] {
        assert!(!out.contains(name), "{name}: {out}");
    }
    // Nobody gains a right by running the program.
    let metadata = std::fs::metadata(env!("CARGO_BIN_EXE_eximious")).expect("the program");
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    assert_eq!(mode & 0o6000, 0, "{mode:o}");
}

/// Exim says so, whatever stands first: what goes together, what has its way, and which sender
/// is none.
#[test]
fn of_several_things_that_are_asked_for_one_is_done() {
    let home = tempfile::TempDir::with_prefix("eximious-").unwrap();
    let shown = home.path().display().to_string();
    let config = home.path().join("conf");
    let text = format!(
        "MORE_ = \nprimary_hostname = me.test\nspool_directory = {shown}/spool\n\
         log_file_path = {shown}/%slog\nkeep_environment =\nlog_selector = -pid MORE_\n"
    );
    std::fs::write(&config, text).unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let config = config.display().to_string();
    let log = home.path().join("mainlog");
    let ask = |program: &str, args: &[&str]| {
        let _ = std::fs::remove_file(&log);
        let ran = run(program, &[&["-C", &config], args].concat(), b"");
        // All but what the real one says of its rights, and when it was.
        let plain = |text: &str| {
            let text = untimed(text).replace(program, "PROGRAM");
            let lines = text.lines().filter(|line| !line.contains("lost privilege"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let logged = std::fs::read_to_string(&log).unwrap_or_default();
        // What the version says is each program's own.
        let out = match ran.out.split_once("Size of off_t: 8\n") {
            Some((_, behind)) => format!("version\n{behind}"),
            None => ran.out,
        };
        (ran.status, out, plain(&ran.err), plain(&logged))
    };
    let called = home.path().join("exim");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_eximious"), &called).unwrap();
    let called = called.display().to_string();
    for args in [
        &["-z", "x"][..],
        &["-z", "x", "-z", "y"],
        &["-bt", "-z", "x", "a@b"],
        &["-be", "a", "-z", "x"],
        &["-z", "x", "-bp"],
        &["-z", "x", "-t"],
        &["-z", "x", "-bd"],
        &["-zx"],
        &["-f", "x y", "-f", "a@b", "-be", "a"],
        &["-f", "a@b", "-r", "x y", "-nosuch"],
        &["-f", "x@", "-z", "x"],
        &["-f", "a@b.", "-be", "a"],
        &["-f", "a@[1.2.3.4]", "-be", "a"],
        &["-f", "  ", "-be", "a"],
        &["-bp", "-bt", "a@b"],
        &["-bt", "-bpc", "a@b"],
        &["-bP", "-bt"],
        &["-be", "-bP", "log_selector"],
        &["-bP", "-bs"],
        &["-bP", "-t"],
        &["-bP", "-brw", "a@b"],
        &["-bd", "-bt", "a@b"],
        &["-bh", "192.0.2.1", "-bd"],
        &["-bd", "-bs"],
        &["-bd", "-q"],
        &["-bi", "-bd"],
        &["-be", "-R", "x", "a"],
        &["-q", "-bt", "a@b"],
        &["-bt", "-q", "a@b"],
        &["-be", "-q", "a"],
        &["-bt", "-t", "a@b"],
        &["-t", "-bv", "a@b"],
        &["-t", "-brw", "a@b"],
        &["-bs", "-brt", "a@b"],
        &["-bS", "-bi"],
        &["-bs", "-bS"],
        &["-bs", "-M", "1xUSRE-000000008A6-0Qit"],
        &["-t", "-Mrm", "1xUSRE-000000008A6-0Qit"],
        &["-Mvh", "1xUSRE-000000008A6-0Qit", "-be", "a"],
        &["-Mvl", "1xUSRE-000000008A6-0Qit", "-bi"],
        &["-Mvh", "1xUSRE-000000008A6-0Qit", "-t"],
        &["-f", "a@b", "-bd"],
        &["-q30m", "-f", "a@b"],
        &["-bV", "-bt", "a@b"],
        &["-be", "-bV", "a"],
        &["-bV", "-bP", "log_selector"],
        &["-bpc", "-bV"],
        &["-bV", "-brw", "a@b"],
        &["-bV", "-bf", "/dev/null"],
        &["-bI:help", "-bV"],
        &["-bV", "-t", "-bt", "a@b"],
        &["-z", "x", "-bV"],
        &["-v", "-z", "x", "-bV"],
        &["-bV", "-xx"],
        &["-xx", "-bV"],
        &["-bV", "-M"],
        &["-bV", "-qz"],
        &["-bV", "-bd", "-bs"],
        &["-bV", "-f", "x y"],
        &["-bV", "-C", "/nonexistent"],
        &["-bV", "-v"],
        &["-bp", "-bpc"],
        &["-bpc", "-bp"],
        &["-bp", "-brw"],
        &["-bpc", "-brt", "x.test"],
        &["-bt", "-bi"],
        &["-bv", "-bvs", "a@b"],
        &["-bvs", "-bv", "a@b"],
        &["-bt", "-bvs", "a@b"],
        &["-bpc", "-bf", "/dev/null"],
        &["-bf", "/dev/null", "-be"],
        &["-bf", "/dev/null", "-be", "a"],
        &["-bf", "/dev/null", "-bt", "a@b"],
        &["-bf", "/dev/null", "-bi", "x"],
        &["-q", "-bP", "log_selector"],
        &["-q", "-bp", "x"],
        &["-t", "-bs", "-bpr"],
        &["-bpc", "-bs", "-f", "a@b"],
        &["-R", "x", "-bP", "log_selector"],
        &["-bI:dscp", "-be", "a"],
        &["-be", "-bI:nosuch", "a"],
        &["-bI:nosuch", "-bf", "/dev/null"],
        &["-bP", "-bI:help", "log_selector"],
        &["-bI:nosuch", "-bS"],
        &["-bI:nosuch"],
        &["-bI:dscp", "-bI:nosuch"],
        &["-bi", "-bpc"],
        &["-bpc", "-bi"],
        &["-q30m", "-be"],
        &["-be", "-q30m"],
        &["-q30m", "-bi"],
        &["-q30m", "-bf", "/dev/null"],
        &["-bV", "-bd", "-bf", "/dev/null"],
        &["-oMa", "x", "-q30m"],
        &["-d=x", "-be", "a"],
        &["-d=5x", "-be", "a"],
        &["-d=5+all", "-be", "a"],
        &["-d=0", "-be", "a"],
        &["-oMa", "x"],
        &["-bh", "x", "-bP", "log_selector"],
        &["-bh", "x", "-be", "a"],
        &["-bh", "x", "-h", "x"],
        &["-bh", "x", "-DMORE_=nosuch"],
        &["-oMi", "192.0.2.1:25"],
        &["-odd", "-be", "a"],
        &["-DMORE_=nosuch"],
        &["-DMORE_=+arguments", "-bV"],
        &["-DMORE_=+arguments", "-bV", "-v"],
        &["-DMORE_=+arguments", "-bV", "-xx"],
    ] {
        let ours = ask(&called, args);
        // What it is called is its own.
        if let (Some(exim), false) = (reference(), args == ["-zx"]) {
            assert_eq!(ours, ask(&exim, args), "{args:?}");
        }
    }
    let (status, _, _, logged) = ask(&called, &["-z", "x", "-be", "a"]);
    assert_eq!((status, logged.as_str()), (Some(0), ""));
    assert_eq!(ask(&called, &["-z", "x", "-z", "y"]).3, "y");
}

#[test]
fn an_environment_that_nobody_speaks_of_is_purged_and_that_is_logged() {
    let home = tempfile::TempDir::with_prefix("eximious-").unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let (config, log) = (home.path().join("conf"), home.path().join("mainlog"));
    let shown = home.path().display().to_string();
    let ask = |program: &str, option: &str, args: &[&str]| {
        let _ = std::fs::remove_file(&log);
        let text = format!(
            "primary_hostname = me.test\nspool_directory = {shown}/spool\n\
             log_file_path = {shown}/%slog\nlog_selector = -pid\n{option}\n"
        );
        std::fs::write(&config, text).unwrap();
        let config = config.display().to_string();
        let ran = run(program, &[&["-C", &config], args].concat(), b"");
        let logged = std::fs::read_to_string(&log).unwrap_or_default();
        let about = |text: &str| {
            let text = untimed(text);
            let lines = text.lines().filter(|line| line.contains("environment"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        (ran.status, about(&ran.err), about(&logged))
    };
    let ours = env!("CARGO_BIN_EXE_eximious");
    for option in ["", "keep_environment =", "keep_environment = PATH", "add_environment = A=b"] {
        for args in [&["-bpc"][..], &["-v", "-bpc"], &["-bV"], &["-be", "x"], &["-bt", "x"]] {
            let found = ask(ours, option, args);
            let keeps = option.starts_with("keep");
            assert_eq!(
                found.1.is_empty() && found.2.is_empty(),
                keeps || ["-be", "-bt"].contains(&args[0])
            );
            if let Some(exim) = reference() {
                assert_eq!(found, ask(&exim, option, args), "{option}: {args:?}");
            }
        }
    }
}

#[test]
fn what_options_take_may_not_be_longer_than_it_has_to_be() {
    let long = |count: usize| "y".repeat(count);
    for (option, most, shown) in [
        ("-F", 256, "-F"),
        ("-S", 256, "-R"),
        ("-bfl", 64, "-bfl"),
        ("-bh", 45, "-bh"),
        ("-f", 1024, "-f"),
        ("-oMa", 45, "-oMa"),
        ("-oMr", 64, "-oMr"),
        ("-oMt", 512, "-oMt"),
        ("-p", 64, "-p<protocol>"),
        ("-qG", 64, "-q*G<name>"),
        ("-r", 1024, "-f"),
        ("-z", 2048, "-z logtext"),
        ("-t", 16_384, "address argument"),
    ] {
        let length = most + 1;
        let value = long(length);
        let attached = format!("{option}{value}");
        let args = if option == "-qG" { vec![attached.as_str()] } else { vec![option, &value] };
        let wanted = format!("exim: length limit exceeded ({length} > {most}) for: {shown}\n");
        for program in [Some(env!("CARGO_BIN_EXE_eximious").to_owned()), reference()] {
            let Some(program) = program else { continue };
            let ran = run(&program, &[&["-C", "/dev/null"], &args[..]].concat(), b"");
            assert_eq!((ran.status, ran.err), (Some(1), wanted.clone()), "{program} {option}");
        }
    }
}
