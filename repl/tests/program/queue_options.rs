//! Options of the queue whose effects are in the spool's directories, beside the real Exim.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use eximious_tests::daemons::without_ids;

use crate::common::spool::{Place, exim};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const TEXT: &str = "Subject: x\n\ntext\n";

/// Both programs, the real one where it is there.
fn programs() -> Vec<String> {
    exim().into_iter().chain([OURS.to_owned()]).collect()
}

/// Whether spools can belong to the real Exim's user here.
fn has_user() -> bool {
    exim().is_some()
}

fn place(more: &str) -> Place {
    let place = Place::new(more);
    let text = fs::read_to_string(&place.config).expect("a configuration");
    let text = text.replace("user = nobody", "user = Debian-exim");
    fs::write(&place.config, text).expect("a configuration");
    place
}

fn waiting(place: &Place) -> String {
    let (id, _) = place.header("input");
    id
}

#[test]
fn logs_of_messages_that_are_done_with_are_kept() {
    if !has_user() {
        return;
    }
    for program in programs() {
        for more in ["", "split_spool_directory\n"] {
            let place = place(&format!("preserve_message_logs\n{more}"));
            place.run(&program, &["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
            let id = waiting(&place);
            place.run(&program, &["-M", &id], "");
            let kept = place.files("msglog.OLD");
            assert_eq!(kept.keys().collect::<Vec<_>>(), [&id], "{program}");
            let log = String::from_utf8_lossy(&kept[&id]);
            assert!(log.contains("Received from s@here.example"), "{log}");
            assert!(log.contains("b@here.example: box transport succeeded"), "{log}");
            // Who takes a message away does not want its log.
            place.run(&program, &["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
            place.run(&program, &["-Mrm", &waiting(&place)], "");
            assert_eq!(place.files("msglog.OLD").len(), 1, "{program}");
        }
    }
}

/// Messages of a test, by the directory that their header files are in; each has its data
/// and its log beside it.
fn in_queues(place: &Place) -> Vec<String> {
    let queues = ["", "other/", "third/"].into_iter().filter(|queue| {
        let has = |kind: &str, end: &str| {
            place.files(&format!("{queue}{kind}")).keys().any(|name| name.ends_with(end))
        };
        let there = has("input", "-H");
        assert_eq!(there, has("input", "-D"), "{queue}");
        assert_eq!(there, !place.files(&format!("{queue}msglog")).is_empty(), "{queue}");
        there
    });
    queues.map(str::to_owned).collect()
}

#[test]
fn messages_go_from_queue_to_queue() {
    if !has_user() {
        return;
    }
    let told: Vec<String> = programs()
        .into_iter()
        .map(|program| {
            let place = place("");
            place.run(&program, &["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
            let id = waiting(&place);
            let mut all = String::new();
            let steps: &[&[&str]] = &[
                &["-MG", "other", &id],
                &["-MG", "other", &id],
                &["-qGother", "-MG", "third", &id, "1aaaaa-000000000AB-0001", &id],
                &["-qGother", "-M", &id],
                &["-qGthird", "-MG", "", &id],
                &["-MG", "third", &id],
                &["-MG"],
                &["-MG", "other"],
                &["-MG", "other", "x"],
                &["-qGthird"],
            ];
            for args in steps {
                let run = place.run(&program, args, "");
                all += &format!("{args:?} {:?}\n{}{}", run.status, run.out, run.err);
                all += &format!("{:?}\n", in_queues(&place));
            }
            let log = fs::read_to_string(place.path("mainlog")).expect("a log");
            let lines = log.lines().filter(|line| !line.contains(" <= "));
            lines.for_each(|line| all += &format!("{}\n", &line[20..]));
            let all = all.replace(&id, "ID");
            let all = all.lines().map(|line| line.split(" pid=").next().unwrap_or_default());
            all.collect::<Vec<_>>().join("\n")
        })
        .collect();
    for one in &told {
        assert!(one.contains("moved from (other) input, msglog to (third) input, msglog"), "{one}");
        assert_eq!(*one, told[0]);
    }
    // What is a path in Exim is no name here.
    let place = place("");
    place.run(OURS, &["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
    let id = waiting(&place);
    for name in ["a/b", "..", "."] {
        let run = place.run(OURS, &["-MG", name, &id], "");
        assert!(run.out.contains("no queue can be called that"), "{}", run.out);
        assert_eq!((run.status, in_queues(&place)), (Some(1), vec![String::new()]));
    }
}

/// A report comes into the queue of what it is about, and is delivered from there.
#[test]
fn reports_come_into_the_same_queue() {
    if !has_user() {
        return;
    }
    let told = programs().into_iter().map(|program| {
        let place = place("log_selector = +sender_on_delivery\n");
        let to = ["b@here.example", "b@nowhere.example"];
        place.run(&program, &[&["-odq", "-f", "s@here.example"][..], &to].concat(), TEXT);
        place.run(&program, &["-MG", "other", &waiting(&place)], "");
        let text = fs::read_to_string(&place.config).expect("a configuration");
        fs::write(&place.config, text.replace("queue_only\n", "")).expect("a configuration");
        place.run(&program, &["-qGother"], "");
        // What delivers it may still be at work.
        let until = Instant::now() + Duration::from_secs(10);
        let log = loop {
            let log = fs::read_to_string(place.path("mainlog")).expect("a log");
            if log.matches("Completed").count() == 2 || Instant::now() > until {
                break log;
            }
            sleep(Duration::from_millis(20));
        };
        let lines = log.lines().filter(|line| !line.contains("lost privilege"));
        let mut lines: Vec<String> = lines
            .map(|line| without_ids(&line[20..].replace("R=1", "R= 1")))
            .map(|line| line.split(" pid=").next().unwrap_or_default().to_owned())
            .map(|line| match line.split_once(" S=") {
                Some((head, tail)) => {
                    format!("{head}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()))
                }
                None => line,
            })
            .collect();
        // Who delivers the report, and who ends first, is each program's own matter.
        lines.sort();
        lines.join("\n")
    });
    let told: Vec<String> = told.collect();
    for one in &told {
        assert!(one.contains("U=Debian-exim P=local Q=other"), "{one}");
        assert_eq!(*one, told[0]);
    }
}

#[test]
fn what_makes_no_sense_goes_after_a_while() {
    if !has_user() {
        return;
    }
    for program in programs() {
        let place = place("keep_malformed = 1h30m\n");
        place.run(&program, &["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
        let id = waiting(&place);
        let input = place.path("spool/input");
        fs::write(input.join(format!("{id}-H")), "no header\n").unwrap();
        place.run(&program, &["-M", &id], "");
        assert_eq!(place.files("input").len(), 2, "{program}");
        // By its name, it came long ago.
        let old = format!("1aaaaa{}", &id[6..]);
        for end in ["-H", "-D"] {
            fs::rename(input.join(format!("{id}{end}")), input.join(format!("{old}{end}")))
                .unwrap();
        }
        place.run(&program, &["-M", &old], "");
        assert!(place.files("input").is_empty(), "{program}");
        let log = fs::read_to_string(place.path("mainlog")).unwrap();
        let said: Vec<&str> =
            log.lines().filter_map(|line| line.split(&format!(" {old} ")).nth(1)).collect();
        let wrong = format!("Format error in spool file {old}-H: size=10");
        assert_eq!(said, [&wrong[..], "Message removed because older than 1h30m"], "{program}");
    }
}

#[test]
fn frozen_messages_are_put_aside() {
    if !has_user() {
        return;
    }
    let place = place("move_frozen_messages\n");
    let filter = place.path("filter");
    fs::write(&filter, "# Exim filter\nfreeze\n").unwrap();
    let text = fs::read_to_string(&place.config).unwrap();
    let text = format!("system_filter = {}\n{text}begin retry\n* * F,5d,1h\n", filter.display());
    fs::write(&place.config, text).unwrap();
    place.ours(&["-odq", "-f", "s@here.example", "b@here.example"], TEXT);
    let id = waiting(&place);
    place.ours(&["-M", &id], "");
    let log = fs::read_to_string(place.path("mainlog")).unwrap();
    assert!(place.files("input").is_empty(), "{log}");
    assert!(place.files("msglog").is_empty(), "{log}");
    let names: Vec<String> = place.files("Finput").into_keys().collect();
    assert_eq!(names, [format!("{id}-D"), format!("{id}-H")]);
    let header = String::from_utf8_lossy(&place.files("Finput")[&names[1]]).into_owned();
    assert!(header.contains("\n-frozen "), "{header}");
    let log = String::from_utf8_lossy(&place.files("Fmsglog")[&id]).into_owned();
    assert!(log.contains("*** Frozen"), "{log}");
    assert_eq!(place.ours(&["-bp"], "").out, "");
}

#[test]
fn checks_may_be_the_administrators() {
    if !has_user() {
        return;
    }
    let place = place("commandline_checks_require_admin\n");
    let ask = |user: &str, args: &[&str]| {
        let output = Command::new("setpriv")
            .args(["--reuid", user, "--regid", "nogroup", "--clear-groups", OURS, "-C"])
            .arg(&place.config)
            .args(args)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the program");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let refused = "exim: those command-line flags are set to require admin\n";
    for args in [
        &["-be", "$primary_hostname"][..],
        &["-bt", "b@here.example"],
        &["-bv", "b@here.example"],
        &["-brw", "b@here.example"],
        &["-brt", "here.example"],
        &["-bh", "192.0.2.1"],
        &["-bf", "/dev/null"],
        &["-bmalware", "/dev/null"],
    ] {
        assert_eq!(ask("nobody", args), (Some(1), refused.to_owned()), "{args:?}");
        assert!(!ask("root", args).1.contains(refused), "{args:?}");
    }
    assert_eq!(ask("nobody", &["-bP", "primary_hostname"]).0, Some(0));
    assert_eq!(ask("nobody", &["-bV"]).0, Some(0));
}
