//! The spool that `-bs` fills: the real Exim reads it, shows it and delivers from
//! it, and eximious reads what the real Exim wrote. Whatever ends the program, each
//! message that was acknowledged is there.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::run;
use crate::common::spool::{Place, TEXT, comparable, exim};
use eximious_mta::spool::HeaderFile;

fn dialogue(mail: &str, recipients: &[&str], text: &str) -> String {
    let mut lines = format!("EHLO client.example\r\nMAIL FROM:{mail}\r\n");
    for recipient in recipients {
        lines.push_str(&format!("RCPT TO:{recipient}\r\n"));
    }
    format!("{lines}DATA\r\n{text}.\r\nQUIT\r\n")
}

/// Dialogues, one message each.
fn dialogues() -> Vec<String> {
    let plain = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\ntext\r\n";
    vec![
        dialogue("<alice@here.example>", &["<b@here.example>"], TEXT),
        dialogue("<>", &["<b@here.example>", "<\"odd one\"@here.example>"], plain),
        dialogue("<a@b.example> BODY=8BITMIME SIZE=100", &["<frozen@here.example>"], "\r\n"),
        dialogue("<a@b.example> SMTPUTF8", &["<b@here.example>"], plain),
        dialogue(
            "<a@b.example> RET=FULL ENVID=x+20y",
            &[
                "<b@here.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b+2Bx@here.example",
                "<c@here.example> NOTIFY=NEVER",
                "<d@here.example> ORCPT=rfc822;d@here.example",
                "<Post.Master@HERE.example>",
            ],
            plain,
        ),
        dialogue(
            "<a@b.example>",
            &["<b@here.example>"],
            "Resent-From: x@y.example\r\nMessage-Id: <a@b>\r\n\r\na\0b\r\n",
        ),
        dialogue("<a@b.example>", &["<b@here.example>"], "no header\r\n"),
    ]
}

#[test]
fn both_programs_write_the_same_header_files() {
    let Some(exim) = exim() else { return };
    for more in ["", "smtp_active_hostname = active.example\nprint_topbitchars\n"] {
        for input in dialogues() {
            let (theirs, ours) = (Place::new(more), Place::new(more));
            let said = theirs.run(&exim, &["-bs"], &input);
            let answered = ours.ours(&["-bs"], &input);
            assert_eq!((said.status, answered.status), (Some(0), Some(0)), "{input}");
            let (their_id, their_file) = theirs.header("input");
            let (our_id, our_file) = ours.header("input");
            assert_eq!(their_id.len(), our_id.len());
            assert_eq!(comparable(&our_file), comparable(&their_file), "{input}");
            let without_name = |place: &Place, id: &str| {
                place.files("input")[&format!("{id}-D")][id.len()..].to_vec()
            };
            assert_eq!(without_name(&ours, &our_id), without_name(&theirs, &their_id), "{input}");
        }
    }
}

#[test]
fn the_real_exim_delivers_what_was_taken() {
    let Some(exim) = exim() else { return };
    for more in ["", "split_spool_directory\n"] {
        let place = Place::new(more);
        let to =
            ["<b@here.example> NOTIFY=SUCCESS ORCPT=rfc822;other@b.example", "<c@here.example>"];
        let input = dialogue("<alice@here.example> ENVID=q+2Br RET=HDRS", &to, TEXT);
        assert_eq!(place.ours(&["-bs"], &input).status, Some(0));
        let listed = place.run(&exim, &["-bp"], "").out;
        assert!(listed.contains(" <alice@here.example>\n          b@here.example\n"), "{listed}");
        let id = listed.split_ascii_whitespace().nth(2).expect("a name").to_owned();
        let part = if more.is_empty() { String::new() } else { format!("/{}", &id[5..6]) };
        let (found, header) = place.header(&format!("input{part}"));
        assert_eq!(found, id);
        let shown = place.run(&exim, &["-Mvh", &id], "").out;
        assert_eq!(shown.as_bytes(), header);
        let body = format!("{id}-D\none\n.dot\n\nlast\n");
        assert_eq!(place.run(&exim, &["-Mvb", &id], "").out, body);
        assert_eq!(place.run(&exim, &["-M", &id], "").status, Some(0));
        let delivered = fs::read_to_string(place.path("mail/box")).expect("a mailbox");
        let copies: Vec<&str> = delivered.split("From=alice@here.example ").skip(1).collect();
        assert_eq!(copies.len(), 2, "{delivered}");
        for (copy, to) in copies.iter().zip(["b", "c"]) {
            let head = format!(
                "To={to} Helo=client.example Protocol=local-esmtp Ident=root Lines=4 \
                 C=client.example M=two\nlines\nX-Start: a\nReceived: from root"
            );
            assert!(copy.starts_with(&head), "{copy}");
            let tail = "Subject: hello\nMessage-Id: <E";
            assert!(copy.contains(tail), "{copy}");
            assert!(copy.contains("X-End: b\n\none\n.dot\n\nlast\n"), "{copy}");
            assert!(!copy.contains("Return-Path: <x@y>"), "{copy}");
        }
        // Of the first recipient, the sender wanted to know.
        let (_, report) = place.header("input");
        let report = HeaderFile::decode(&report).expect("a header file");
        assert_eq!(report.sender, b"");
        assert_eq!(report.recipients[0].address, b"alice@here.example");
        let id = String::from_utf8(report.id).unwrap();
        let text = place.run(&exim, &["-Mvb", &id], "").out;
        for line in ["Original-Envelope-ID: q+2Br", "Original-Recipient: rfc822;other@b.example"] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}

#[test]
fn the_real_exim_delivers_what_is_kept_as_it_came() {
    let Some(exim) = exim() else { return };
    let place = Place::new("spool_wireformat\n");
    let text = TEXT.replace("\r\n..", "\r\n.");
    let (first, last) = text.split_at(text.len() / 2);
    let input = format!(
        "EHLO x\r\nMAIL FROM:<a@here.example>\r\nRCPT TO:<b@here.example>\r\n\
         BDAT {}\r\n{first}BDAT {} LAST\r\n{last}QUIT\r\n",
        first.len(),
        last.len()
    );
    assert_eq!(place.ours(&["-bs"], &input).status, Some(0));
    let (id, header) = place.header("input");
    assert!(HeaderFile::decode(&header).expect("a header file").has("spool_file_wireformat"));
    let kept = &place.files("input")[&format!("{id}-D")];
    assert_eq!(kept, format!("{id}-D\none\r\n.dot\r\n\r\nlast\r\n").as_bytes());
    // Exim 4.98 shows nothing of such a message.
    let whole = place.ours(&["-Mvc", &id], "").out;
    assert!(whole.ends_with("\n\none\n.dot\n\nlast\n"), "{whole:?}");
    assert_eq!(place.run(&exim, &["-M", &id], "").status, Some(0));
    let delivered = fs::read_to_string(place.path("mail/box")).expect("a mailbox");
    assert!(delivered.contains("\n\none\n.dot\n\nlast\n"), "{delivered:?}");
    assert!(!delivered.contains('\r'), "{delivered:?}");
}

#[test]
fn what_the_real_exim_wrote_is_read_and_written() {
    let Some(exim) = exim() else { return };
    let place = Place::new("extract_addresses_remove_arguments = true\n");
    for input in dialogues() {
        assert_eq!(place.run(&exim, &["-bs"], &input).status, Some(0));
        let given =
            ["-oMa", "192.0.2.1.25", "-oMs", "host.example", "-oMi", "::1.587", "-oMaa", "login"];
        let more = ["-oMt", "who", "-bs"];
        let args: Vec<&str> = given.into_iter().chain(more).collect();
        assert_eq!(place.run(&exim, &args, &input).status, Some(0), "{input}");
    }
    let slow = dialogue("<a@b.example>", &["<slow@here.example>"], TEXT);
    assert_eq!(place.run(&exim, &["-bs"], &slow).status, Some(0));
    let names: Vec<String> = (0..20).map(|number| format!("n{number}@here.example")).collect();
    let mut args = vec!["-t", "-f", "<>"];
    args.extend(names.iter().map(String::as_str));
    let listed = format!("To: b@here.example, {}\n\nx\n", names.join(", "));
    place.run(&exim, &args, &listed);
    let mut count = 0;
    for directory in ["input", "slow/input"] {
        for (name, bytes) in place.files(directory) {
            if name.ends_with("-H") {
                let file = HeaderFile::decode(&bytes).unwrap_or_else(|why| panic!("{name}: {why}"));
                assert!(file.encode().unwrap() == bytes, "{name}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 2 * dialogues().len() + 2);
}

#[test]
fn a_named_queue_is_a_spool_of_its_own() {
    let place = Place::new("");
    let input = dialogue("<a@b.example>", &["<slow@here.example>"], TEXT);
    assert_eq!(place.ours(&["-bs"], &input).status, Some(0));
    let (id, header) = place.header("slow/input");
    assert!(place.files("input").is_empty());
    if let Some(exim) = exim() {
        let listed = place.run(&exim, &["-qGslow", "-bp"], "").out;
        assert!(listed.contains(&id), "{listed}");
        let shown = place.run(&exim, &["-qGslow", "-Mvh", &id], "").out;
        assert_eq!(shown.as_bytes(), header);
    }
}

#[test]
fn files_are_for_the_mail_server_alone() {
    let place = Place::new("split_spool_directory\n");
    assert_eq!(place.ours(&["-bs"], &dialogues()[0]).status, Some(0));
    let spool = place.path("spool");
    let mut found = vec![spool];
    let owner = fs::metadata(&found[0]).unwrap();
    let mut files = 0;
    while let Some(path) = found.pop() {
        let data = fs::metadata(&path).unwrap();
        let mode = if data.is_dir() { 0o750 } else { 0o640 };
        assert_eq!(data.mode() & 0o7777, mode, "{}", path.display());
        assert_eq!((data.uid(), data.gid()), (owner.uid(), owner.gid()), "{}", path.display());
        match data.is_dir() {
            true => found.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path())),
            false => files += 1,
        }
    }
    assert_eq!(files, 3);
    if exim().is_some() {
        assert_ne!(owner.uid(), 0);
    }
}

#[test]
fn what_is_acknowledged_is_there_whenever_the_program_is_killed() {
    let place = Place::new("smtp_accept_max_per_connection = 0\n");
    let config = place.config.display().to_string();
    let mut acknowledged = Vec::new();
    for round in 0..12 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
            .args(["-C", &config, "-bs"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("eximious");
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            let _ = input.write_all(b"EHLO client.example\r\n");
            let message = format!(
                "MAIL FROM:<a@b.example>\r\nRCPT TO:<b@here.example>\r\nDATA\r\n{TEXT}{}.\r\n",
                "a line of text\r\n".repeat(2000)
            );
            while input.write_all(message.as_bytes()).is_ok() {}
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Sooner or later in the work on the next message.
        let mut left = 2 + i64::try_from(round % 3).unwrap();
        while let Some(Ok(line)) = lines.next() {
            if let Some(id) = line.strip_prefix("250 OK id=") {
                acknowledged.push(id.to_owned());
                left -= 1;
                // What is in the pipe by then comes all the same.
                if left == 0 {
                    std::thread::sleep(std::time::Duration::from_micros(700 * round));
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        writer.join().unwrap();
    }
    let files = place.files("input");
    let length = files[&format!("{}-D", acknowledged[0])].len();
    for id in &acknowledged {
        let header = files.get(&format!("{id}-H")).unwrap_or_else(|| panic!("{id}: no header"));
        assert_eq!(HeaderFile::decode(header).unwrap().id, id.as_bytes());
    }
    // What was not acknowledged is whole, too, if it is there.
    for (name, header) in files.iter().filter(|(name, _)| name.ends_with("-H")) {
        HeaderFile::decode(header).unwrap_or_else(|why| panic!("{name}: {why}"));
        let data = &files[&name.replace("-H", "-D")];
        assert!(data.len() == length && data.ends_with(b"a line of text\n"), "{name}");
    }
    assert!(acknowledged.len() >= 24);
}

/// Runs a session, and says what came of its message, and what the main log says.
fn refused(place: &Place, input: &str) -> (String, String) {
    let run = place.ours(&["-bs"], input);
    let code = run.out.lines().find(|line| line.starts_with('4')).unwrap_or_default().to_owned();
    // Where something is to be mended, the status says so, too.
    assert_eq!(run.status, Some(i32::from(code.starts_with("421 "))), "{run:?}");
    (code, fs::read_to_string(place.path("mainlog")).unwrap_or_default())
}

#[test]
fn what_can_not_be_kept_comes_later() {
    let place = Place::new("");
    let spool = place.path("spool");
    fs::create_dir(&spool).unwrap();
    fs::write(spool.join("input"), "").unwrap();
    let (said, log) = refused(&place, &dialogues()[0]);
    assert_eq!(said, "421 Unexpected failure, please try later");
    assert!(log.contains(" Failed to create spool file /") && log.contains("-D: Not a directory"));
    assert!(!log.contains("<="), "{log}");
}

/// Parts of a spool may be elsewhere, as in Exim, but nowhere that the mail user may not write.
#[test]
fn cve_2020_28007_links_lead_where_the_mail_user_may_write() {
    for (link, more) in [("input", ""), ("input/N", "split_spool_directory\n"), ("slow", "")] {
        for may in [true, false] {
            let place = Place::new(more);
            let (spool, elsewhere) = (place.path("spool"), place.path("elsewhere"));
            fs::create_dir_all(&elsewhere).unwrap();
            fs::create_dir_all(spool.join("input")).unwrap();
            for directory in [&elsewhere, &spool, &spool.join("input")] {
                let mode = if may || directory != &elsewhere { 0o777 } else { 0o500 };
                fs::set_permissions(directory, PermissionsExt::from_mode(mode)).unwrap();
            }
            let to = |name: &str| {
                let _ = fs::remove_dir(spool.join(name));
                std::os::unix::fs::symlink(&elsewhere, spool.join(name)).unwrap();
            };
            match link {
                // Whichever the second is.
                "input/N" => (b'0'..=b'z')
                    .filter(u8::is_ascii_alphanumeric)
                    .for_each(|part| to(&format!("input/{}", part as char))),
                link => to(link),
            }
            let address = if link == "slow" { "<slow@here.example>" } else { "<b@here.example>" };
            let dialogue = dialogue("<a@b.example>", &[address], TEXT);
            let (said, log) = refused(&place, &dialogue);
            assert_eq!(said.starts_with("421 "), !may, "{link}: {log}");
            assert_eq!(fs::read_dir(&elsewhere).unwrap().count() > 0, may, "{link}");
        }
    }
}

#[test]
fn a_full_disk_is_a_reason_to_come_later() {
    let Some(exim) = exim() else { return };
    let place = Place::new("");
    let large =
        dialogue("<a@b.example>", &["<b@here.example>"], &"line of text\r\n".repeat(20_000));
    let check = |program: &str| {
        let script = "mkdir -p \"$1\" && mount -t tmpfs -o size=64k,mode=777 none \"$1\" && \
            \"$2\" -C \"$3\" -bs; find \"$1\" -type f";
        let spool = place.path("spool");
        let config = place.config.display().to_string();
        let args = ["-m", "sh", "-c", script, "sh", spool.to_str().unwrap(), program, &config];
        run("unshare", &args, large.as_bytes())
    };
    for program in [env!("CARGO_BIN_EXE_eximious"), &exim] {
        let said = check(program);
        if said.err.contains("unshare failed") {
            return;
        }
        assert!(said.out.contains("\n451 "), "{said:?}");
        assert!(said.out.ends_with(" closing connection\r\n"), "{said:?}");
        let log = fs::read_to_string(place.path("mainlog")).unwrap();
        let why = " Message abandoned: Spool write error (No space left on device) while receiving \
            message from root\n";
        assert!(log.ends_with(why), "{log}");
        fs::remove_file(place.path("mainlog")).unwrap();
    }
}

#[test]
fn little_room_is_a_reason_to_come_later() {
    for (option, name) in [
        ("check_spool_space = 900000G", "spool"),
        ("check_spool_inodes = 2000000000", "spool"),
        ("check_log_space = 900000G", "log"),
    ] {
        let place = Place::new(&format!("{option}\n"));
        let text = fs::read_to_string(&place.config).unwrap();
        let text = match option.split_once(' ') {
            Some((word, _)) => text.replacen(&format!("{word} = 0\n"), "", 1),
            None => text,
        };
        fs::write(&place.config, text).unwrap();
        fs::create_dir(place.path("spool")).unwrap();
        let (said, log) = refused(&place, &dialogues()[0]);
        assert_eq!(said, "452 Space shortage, please try later", "{option}");
        assert!(log.contains(&format!(" {name} directory space check failed: space=")), "{log}");
    }
}

#[test]
fn a_queue_is_listed_as_the_real_exim_lists_it() {
    let Some(exim) = exim() else { return };
    let place = Place::new("untrusted_set_sender = *\n");
    for input in dialogues() {
        assert_eq!(place.run(&exim, &["-bs"], &input).status, Some(0));
    }
    let list = |args: &[&str]| {
        let (theirs, ours) = (place.run(&exim, args, ""), place.ours(args, ""));
        assert_eq!((ours.status, &ours.out), (theirs.status, &theirs.out), "{args:?}");
        assert_eq!(ours.err, theirs.err, "{args:?}");
        theirs.out
    };
    let ids = list(&["-bpi"]);
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids.len(), dialogues().len());
    // One was delivered to a recipient and to somebody else, and one is damaged.
    let input = place.path("spool/input");
    let owner = fs::metadata(input.join(format!("{}-H", ids[1]))).unwrap();
    let journal = input.join(format!("{}-J", ids[1]));
    fs::write(&journal, "b@here.example\nother@b.example\n").unwrap();
    std::os::unix::fs::chown(&journal, Some(owner.uid()), Some(owner.gid())).unwrap();
    let damaged = input.join(format!("{}-H", ids[2]));
    let text = fs::read(&damaged).unwrap();
    fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    fs::remove_file(input.join(format!("{}-D", ids[3]))).unwrap();
    for option in ["-bp", "-bpa", "-bpu", "-bpc", "-bpi"] {
        list(&[option]);
        list(&[option, ids[1], ids[2], "1xUSRE-000000008A6-0Qit"]);
        list(&[option, "-qGslow"]);
        list(&[option, "none"]);
    }
    for option in ["-Mvh", "-Mvb", "-Mvl", "-Mvc"] {
        for id in ids.iter().chain(&["1xUSRE-000000008A6-0Qit", "none"]) {
            list(&[option, id]);
        }
        list(&[option]);
    }
    list(&["-Mvh", ids[0], ids[1]]);
}

#[test]
fn where_nobody_knows_who_has_got_a_message_it_is_not_delivered() {
    let place = Place::new("");
    assert_eq!(place.ours(&["-bs"], &dialogues()[0]).status, Some(0));
    let ids = place.ours(&["-bpi"], "").out;
    let id = ids.lines().next().unwrap();
    let input = place.path("spool/input");
    fs::create_dir(input.join(format!("{id}-J"))).unwrap();
    place.ours(&["-M", id], "");
    let log = fs::read_to_string(place.path("mainlog")).unwrap();
    let wanted = format!("{id} attempt to open journal for reading gave: ");
    assert!(log.contains(&wanted) && !log.contains("=>") && !log.contains("**"), "{log}");
    assert!(input.join(format!("{id}-H")).exists());
}

#[test]
fn a_message_of_the_spool_has_its_values() {
    let Some(exim) = exim() else { return };
    let place = Place::new("");
    for input in dialogues() {
        assert_eq!(place.ours(&["-bs"], &input).status, Some(0));
        let args = ["-oMa", "192.0.2.1.25", "-oMs", "host.example", "-oMt", "who", "-bs"];
        assert_eq!(place.ours(&args, &input).status, Some(0));
    }
    let variables = [
        "sender_host_address",
        "sender_host_port",
        "sender_host_name",
        "sender_helo_name",
        "sender_ident",
        "sender_rcvhost",
        "received_protocol",
        "authenticated_id",
        "authenticated_sender",
        "sender_address",
        "sender_address_domain",
        "acl_c_first",
        "acl_c0",
        "acl_m1",
        "acl_m_quoted",
        "message_size",
        "message_linecount",
        "body_linecount",
        "body_zerocount",
        "message_body",
        "message_headers_raw",
        "message_exim_id",
        "recipients_count",
        "recipients",
        "max_received_linelength",
        "originator_uid",
        "received_count",
        "message_smtputf8",
        "reply_address",
        "h_subject:",
        "h_from:",
    ];
    let lines: String = variables.iter().map(|name| format!("{name}: ${name}\n")).collect();
    let missing = "1xUSRE-000000008A6-0Qit".to_owned();
    let files = place.files("input");
    let ids = files.keys().filter_map(|name| name.strip_suffix("-H")).map(str::to_owned);
    let ids: Vec<String> = ids.collect();
    let agree = |args: &[&str]| {
        let (theirs, ours) = (place.run(&exim, args, &lines), place.ours(args, &lines));
        assert_eq!((ours.status, ours.out), (theirs.status, theirs.out), "{args:?}");
    };
    for id in ids.iter().chain([&missing]) {
        agree(&["-be", "-Mset", id]);
    }
    // Of one that somebody else is at there is the header, as there is where no more is left.
    let data = place.path("spool/input").join(format!("{}-D", ids[0]));
    let mut holder = holder(&data);
    agree(&["-be", "-Mset", &ids[0]]);
    agree(&["-Mvc", &ids[0]]);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    fs::remove_file(data).unwrap();
    agree(&["-be", "-Mset", &ids[0]]);
}

/// A process that holds the data file of a message, until its standard input ends.
fn holder(data: &Path) -> Child {
    const HOLD: &str = "
import fcntl, sys
file = open(sys.argv[1], 'r+b')
fcntl.lockf(file, fcntl.LOCK_EX)
print('held', flush=True)
sys.stdin.read()
";
    let mut holder = Command::new("python3")
        .args(["-c", HOLD])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut held).unwrap();
    assert_eq!(held.trim_end(), "held");
    holder
}
