//! What administrators do to messages that wait, and runs of the queue: what both programs say
//! and log of it, what their exit status is, and what is left.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eximious_tests::daemons::undated;

use crate::common::spool::{Place, exim};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const CONFIG: &str = "primary_hostname = me.test\nspool_directory = DIR/spool\n\
    log_file_path = DIR/%slog\nkeep_environment =\ntls_advertise_hosts =\n\
    received_header_text = x\ncheck_spool_space = 0\ncheck_log_space = 0\nMORE\n\
    begin routers\n\
    later:\n driver = redirect\n local_parts = d\n data = :defer: not now\n allow_defer\n\
    cold:\n driver = redirect\n local_parts = z\n data = :freeze: cold\n allow_freeze\n\
    failing:\n driver = redirect\n local_parts = f\n data = :fail: gone\n allow_fail\n\
    several:\n driver = redirect\n local_parts = l\n data = k@me.test, m@me.test\n\
    far:\n driver = manualroute\n local_parts = r\n route_list = * 127.0.0.1 byname\n self = send\n\
    \x20transport = smtp\n\
    here:\n driver = accept\n transport = box\n\
    begin transports\nbox:\n driver = appendfile\n file = /dev/null\n user = Debian-exim\n\
    smtp:\n driver = smtp\n port = 1\n\
    begin retry\n* * F,1h,10m\n";

/// A name of a message that there is none of.
const NONE: &str = "1aaaaa-000000000AB-0001";

/// Recipients, or arguments.
type Words = &'static [&'static str];

/// What is asked: more of the configuration, to whom the messages are that wait, and what is
/// done then. `ID` is the first message; behind `sh` is something for the shell.
const QUESTIONS: &[(&str, &[Words], &[Words])] = &[
    ("", &[&["d@me.test"]], &[&["-M", "ID"], &["-Mc", "ID"], &["-q"], &["-qf"], &["-M", "ID"]]),
    ("", &[&["d@me.test", "a@me.test"]], &[&["-M", "ID", NONE], &["-Mc", NONE], &["-bp"]]),
    (
        "",
        &[&["d@me.test"]],
        &[
            &["-R", "nobody"],
            &["-R", "d@ME"],
            &["-R", "d@me"],
            &["-S", "s@me"],
            &["-Rf", "x"],
            &["-Rff", "d@"],
            &["-Rfoo"],
            &["-Sr", "s.me"],
            &["-Rr", "^D@"],
            &["-Rrf", "^x"],
            &["-Rrff", "d"],
            &["-Rr", "("],
            &["-Sr", "("],
            &["-Rf"],
            &["-R"],
            &["-S"],
        ],
    ),
    ("", &[&["a@me.test"]], &[&["-q", "ID", "ID"], &["-q", "zz"], &["-q", "ID", "zz"]]),
    (
        "",
        &[&["d@me.test"]],
        &[
            &["-Mf", "ID"],
            &["-Mf", "ID"],
            &["-q"],
            &["-qf"],
            &["-bp"],
            &["-qff"],
            &["-Mt", "ID"],
            &["-Mt", "ID"],
            &["-Mf", NONE],
            &["-bpu"],
        ],
    ),
    ("", &[&["z@me.test"]], &[&["-M", "ID"], &["-bp"], &["-q"], &["-M", "ID"], &["-bp"]]),
    ("", &[&["a@me.test"]], &[&["-Mrm", "ID", "ID"], &["-Mrm", NONE], &["-bp"]]),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["-Mar", "ID", "b@me.test"],
            &["-Mar", "ID", "c"],
            &["-Mar", "ID", "<a"],
            &["-Mar", "ID"],
            &["-Mar", NONE],
            &["-Mes", "ID", "q@z.test"],
            &["-Mes", "ID", "q"],
            &["-Mes", "ID", ""],
            &["-Mes", "ID"],
            &["-Mes", "ID", "a", "b"],
            &["-Mes", "ID", "a b"],
            &["-Mmd", "ID", "a@me.test"],
            &["-Mmd", "ID", "xx@me.test"],
            &["-Mmd", "ID"],
            &["-bp"],
            &["-Mes", "ID", "<>"],
            &["-Mmad", "ID", NONE],
            &["-bp"],
            &["-M", "ID"],
        ],
    ),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["-Mset", "ID", "-be", "$recipients $sender_address"],
            &["-Mset", NONE, "-be", "1"],
            &["-Mset", "ID", "-bem", "/dev/null", "1"],
            &["-Mset", "ID"],
            &["-Mset", "ID", "-bt", "a@me.test"],
            &["-Mset", NONE, "-Mf", "ID"],
            &["-Mset", NONE, "-Mvb", "ID"],
            &["-Mset", NONE, "-M", "ID"],
        ],
    ),
    ("", &[&["d@me.test", "l@me.test"]], &[&["-ql"], &["-qq"], &["-qi"], &["-qqi"], &["-bpc"]]),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["-M"],
            &["-M", "x"],
            &["-Mf"],
            &["-Mf", "x"],
            &["-Mvh"],
            &["-Mvh", "x"],
            &["-Mrm"],
            &["-Mset"],
            &["-Mvx", "ID"],
            &["-Mxx", "ID"],
            &["-Mg"],
            &["-Mc"],
            &["-qx"],
            &["-q1x"],
        ],
    ),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["-qGfoo"],
            &["-qGfoo", "-bp"],
            &["-qGfoo", "-bpc"],
            &["-qGfoo", "-R", "a@me"],
            &["-qGfoo", "-M", "ID"],
            &["-qGfoo", "-Mrm", "ID"],
        ],
    ),
    ("split_spool_directory", &[&["a@me.test", "d@me.test"]], &[&["-M", "ID"], &["-q"], &["-bp"]]),
    (
        "queue_only\nqueue_only_override = false",
        &[],
        &[&["-odi", "-f", "s@me.test", "a@me.test"], &["-q"], &["-bp"]],
    ),
    ("queue_domains = me.test", &[&["a@me.test"]], &[&["-M", "ID"], &["-q"], &["-bp"]]),
    ("hold_domains = me.test", &[&["a@me.test"]], &[&["-M", "ID"], &["-q"], &["-bp"]]),
    // Files of a message are missing, or damaged.
    (
        "",
        &[&["a@me.test"]],
        &[
            &["sh", "rm spool/input/*-D"],
            &["-Mf", "ID"],
            &["-Mrm", "ID"],
            &["-Mrm", "ID"],
            &["-bp"],
        ],
    ),
    // What is left goes, whatever it is, and whatever stands in it.
    (
        "",
        &[&["d@me.test"]],
        &[
            &["-M", "ID"],
            &["sh", "cd spool/input; for f in *-H; do echo a > ${f%H}J; done; rm *-[HD]"],
            &["-Mvc", "ID"],
            &["-Mrm", "ID"],
            &["-Mrm", "ID"],
        ],
    ),
    (
        "",
        &[&["d@me.test"]],
        &[
            &["sh", "cd spool/input; for f in *-H; do echo x > $f; done; rm *-D"],
            &["-Mrm", "ID"],
            &["-Mvc", NONE],
        ],
    ),
    // A listing has no use for the lines of the header.
    (
        "",
        &[&["d@me.test"]],
        &[
            &["sh", "cd spool/input; for f in *-H; do echo zz >> $f; done"],
            &["-bp"],
            &["-Mvc", "ID"],
            &["-M", "ID"],
            &["sh", "cd spool/input; for f in *-H; do sed -i '/^$/d' $f; done"],
            &["-bp"],
        ],
    ),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["sh", "for f in spool/input/*-H; do : > $f; done"],
            &["-Mf", "ID"],
            &["-M", "ID"],
            &["-Mrm", "ID"],
            &["-bp"],
        ],
    ),
    ("", &[&["a@me.test"]], &[&["-Mmd", "ID", "A@me.test"], &["-Mmd", "ID", "a@me.test"]]),
    // Each wrong address is told of, and nothing is changed.
    (
        "",
        &[&["a@me.test", "b@me.test"]],
        &[
            &["-Mmd", "ID", "xx@me.test", "A@me.test"],
            &["-Mmd", "ID", ""],
            &["-Mmd", "ID", "a"],
            &["-Mmd", "ID", "<a@me.test>"],
            &["-Mar", "ID", "x@@y", "<>"],
            &["-Mar", "ID", "<c@me.test>", "d@me.test"],
            &["-bp"],
        ],
    ),
    (
        "",
        &[&["a@me.test"]],
        &[
            &["-q0s"],
            &["-qGx/0s"],
            &["-qf", "x"],
            &["-qfG", "x"],
            &["-qGx", "x"],
            &["-qR", "nobody"],
            &["-qRf", "nobody"],
            &["-qS", "nobody"],
            &["-qS"],
        ],
    ),
    // A named queue is run in one way.
    (
        "",
        &[],
        &[
            &["-qGx/1m", "-qGy/2m", "-q3m"],
            &["-qGx/1m", "-qGx/1m"],
            &["-qGx", "-q1m"],
            &["-bd", "-q1m", "-qGx/1m", "-q2m"],
        ],
    ),
    // What a message's own log has of what was not tried, and which lines have a time.
    ("", &[&["r@me.test", "a@me.test"]], &[&["-ql"], &["-ql"], &["-q"], &["-q"]]),
    ("queue_run_in_order", &[&["r@me.test"], &["r@me.test"]], &[&["-q"], &["-q"]]),
    (
        "log_selector = +deliver_time\nsystem_filter = DIR/filter",
        &[&["a@me.test"]],
        &[
            &["sh", "echo '# Exim filter\ndefer text later' > filter"],
            &["-M", "ID"],
            &["sh", "echo '# Exim filter\nfreeze text because' > filter"],
            &["-q"],
        ],
    ),
    ("log_selector = +deliver_time", &[&["f@me.test", "d@me.test"]], &[&["-q"]]),
];

/// The files in and below a directory, in order.
fn files(place: &Place, name: &str) -> Vec<String> {
    let listed = Command::new("find").arg(place.path(name)).args(["-type", "f"]).output();
    let listed = String::from_utf8(listed.expect("find").stdout).expect("paths");
    let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
    files.sort_unstable();
    files
}

/// What both say and log of a question.
fn told(program: &str, (more, messages, steps): (&str, &[Words], &[Words])) -> String {
    let place = Place::new("");
    let directory = place.directory.path().display().to_string();
    let config = CONFIG.replace("MORE", more).replace("DIR", &directory);
    fs::write(&place.config, config).expect("a configuration");
    for to in messages {
        let args = [&["-odq", "-f", "s@me.test"][..], to].concat();
        place.run(program, &args, "Subject: x\n\nx\n");
    }
    let first = files(&place, "spool/input").into_iter().find(|file| file.ends_with("-H"));
    let name = first.as_deref().and_then(|file| file.rsplit('/').next()).unwrap_or_default();
    let id = name.trim_end_matches("-H").to_owned();
    let mut all = String::new();
    for step in steps {
        let args: Vec<&str> =
            step.iter().map(|arg| if *arg == "ID" { id.as_str() } else { arg }).collect();
        if let ["sh", script] = args[..] {
            let shell = Command::new("sh").args(["-c", script]).current_dir(&directory).status();
            assert!(shell.is_ok_and(|status| status.success()), "{script}");
            continue;
        }
        let run = place.run(program, &args, "Subject: y\n\nyy\n");
        all += &format!("$ {}\n{:?}\n{}{}", step.join(" "), run.status, run.out, run.err);
    }
    for name in ["mainlog", "spool/msglog"] {
        for file in files(&place, name) {
            let text = fs::read_to_string(file).unwrap_or_default();
            // Whether a line has a time counts.
            let dated = |line: &str| if line == undated(line) { "- " } else { "+ " };
            let lines = text.lines().map(|line| format!("{}{}\n", dated(line), undated(line)));
            all += &format!("{name}:\n{}", lines.collect::<String>());
        }
    }
    let lines = all.lines().filter(|line| !line.contains("lost privilege"));
    let lines = lines.map(|line| {
        // Sizes, ages and names are each run's own.
        let words = undated(line).split(' ').map(|word| match word {
            _ if !id.is_empty() && word.contains(&id) => word.replace(&id, "ID"),
            _ if word.starts_with("S=") => "S=…".to_owned(),
            _ if word.starts_with("size=") => "size=…".to_owned(),
            _ if word.starts_with("pid=") => "pid=…".to_owned(),
            _ if word.starts_with("DT=") => "DT=…".to_owned(),
            _ if word.len() == 23 && word.matches('-').count() == 2 && word != NONE => "…".into(),
            _ if word.parse::<u32>().is_ok() => "…".to_owned(),
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn administrators_hear_what_exim_says() {
    let Some(exim) = exim() else { return };
    for question in QUESTIONS {
        let [exims, ours] = [&exim[..], OURS].map(|program| told(program, *question));
        let changes = similar::TextDiff::from_lines(&exims, &ours).unified_diff().to_string();
        assert!(changes.is_empty(), "{question:?}\n{changes}");
    }
}

#[test]
fn nothing_is_done_that_the_main_log_is_not_told() {
    let place = Place::new("");
    let to = "a@here.example";
    place.ours(&["-odq", "-f", "s@here.example", to], "x\n");
    let (id, header) = place.header("input");
    // Nobody can open it, whatever his rights are.
    fs::remove_file(place.path("mainlog")).expect("a log");
    fs::create_dir(place.path("mainlog")).expect("a directory");
    for arguments in [&["-q"][..], &["-M", &id], &["-Mrm", &id], &["-odi", to]] {
        let run = place.ours(arguments, "x\n");
        assert_eq!(run.status, Some(1), "{arguments:?}: {}", run.err);
        assert!(run.err.contains("Cannot open main log file"), "{arguments:?}: {}", run.err);
    }
    assert_eq!(place.header("input"), (id, header));
    // The line that is lost is told where somebody may look for it.
    let panics = fs::read_to_string(place.path("paniclog")).expect("a log");
    assert!(panics.contains(" <= "), "{panics}");
    assert!(!panics.contains("=>"), "{panics}");
}

#[test]
fn a_delivery_says_what_it_does_and_goes_on() {
    if exim().is_none() {
        return;
    }
    let place = Place::new("");
    let directory = place.directory.path().display().to_string();
    let waits = "driver = pipe\n command = /bin/sh -c 'echo > DIR/began; sleep 2'";
    let config = CONFIG.replace("driver = appendfile\n file = /dev/null", waits);
    fs::write(&place.config, config.replace("MORE", "").replace("DIR", &directory)).unwrap();
    place.ours(&["-odq", "-f", "s@me.test", "a@me.test"], "x\n");
    let (id, _) = place.header("input");
    let mut delivery =
        Command::new(OURS).arg("-C").arg(&place.config).args(["-M", &id]).spawn().expect("it runs");
    let until = |done: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(20), "{id}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until(&|| place.path("began").exists());
    // What exiwhat sends to all processes.
    let number = delivery.id().to_string();
    assert!(Command::new("kill").args(["-USR1", &number]).status().expect("kill").success());
    let told = || fs::read_to_string(place.path("spool/exim-process.info")).unwrap_or_default();
    until(&|| told().contains(&format!("delivering {id}")));
    assert!(told().contains(&number), "{}", told());
    assert!(delivery.wait().expect("it ends").success());
    let log = fs::read_to_string(place.path("mainlog")).expect("a log");
    assert!(log.contains("=> a <a@me.test>") && log.contains("Completed"), "{log}");
}

/// A message that waits, and its name.
fn waiting() -> (Place, String) {
    let place = Place::new("");
    place.run(OURS, &["-odq", "-f", "s@here.example", "b@here.example"], "Subject: x\n\nx\n");
    let header = files(&place, "spool/input").pop().expect("a header file");
    let name = header.rsplit('/').next().expect("a name");
    (place, name.trim_end_matches("-H").to_owned())
}

#[test]
fn what_of_a_message_can_go_goes_with_it() {
    for file in ["input/ID-H", "msglog/ID"] {
        let (place, id) = waiting();
        let file = place.path("spool").join(file.replace("ID", &id));
        let _ = fs::remove_file(&file);
        fs::create_dir(&file).expect("a directory");
        let run = place.run(OURS, &["-Mrm", &id], "");
        let said = format!("Message {id} has been removed, but not all of its files: ");
        assert!(run.out.contains(&said), "{}", run.out);
        assert_eq!(run.status, Some(1));
        assert!(files(&place, "spool/input").is_empty());
        let log = fs::read_to_string(place.path("mainlog")).expect("a log");
        assert!(log.contains(&format!("{id} removed by ")) && log.contains(" Completed"), "{log}");
    }
}

#[test]
fn a_file_that_is_printed_is_never_in_memory_as_a_whole() {
    const LENGTH: u64 = (1 << 30) + (1 << 20);
    for (what, file) in [("-Mvb", "input/ID-D"), ("-Mvc", "input/ID-D"), ("-Mvl", "msglog/ID")] {
        let (place, id) = waiting();
        let path = place.path("spool").join(file.replace("ID", &id));
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        file.and_then(|file| file.set_len(LENGTH)).expect("a large file");
        let mut command = Command::new(OURS);
        command.arg("-C").arg(&place.config).args([what, &id]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut out = child.stdout.take().expect("its output");
        let mut piece = vec![0; 1 << 20];
        for _ in 0..1 << 10 {
            out.read_exact(&mut piece).expect("there is more");
        }
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let most = most.and_then(|text| text.trim().strip_suffix(" kB")).expect("a size");
        assert!(most.parse::<u64>().expect("a number") < 200 << 10, "{what}: {most} kB");
        let rest = std::io::copy(&mut out, &mut std::io::sink()).expect("there is an end");
        assert!(rest >= (1 << 20) - 100, "{what}: {rest}");
        assert!(child.wait().expect("it ends").success());
    }
}
