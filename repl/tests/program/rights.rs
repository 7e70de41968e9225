//! Whose rights the program has: a copy that is really installed set-uid, called by an
//! unprivileged user, and the superuser's own calls, beside the real Exim's.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `nobody`.
const NOBODY: u32 = 65534;

/// A place that everybody may read, with a set-uid copy of the program, a spool that the
/// mail server's user owns, and a secret that only the superuser may read.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: (u32, u32),
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    out: String,
    pub(crate) err: String,
}

/// The number of the mail server's user and group.
fn server_ids() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("Debian-exim:"))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    Some((fields.next()?.ok()?, fields.next()?.ok()?))
}

impl Place {
    /// Nothing where the test can't be somebody else: whoever runs it is not the
    /// superuser, or there is no mail server's user.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not run: only the superuser can install a program set-uid");
            return None;
        }
        let server = server_ids()?;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(folder.path(), 0o755);
        let place = Self { folder, server };
        fs::copy(env!("CARGO_BIN_EXE_eximious"), place.program()).unwrap();
        chown(place.program(), Some(0), Some(0)).unwrap();
        mode(&place.program(), 0o4755);
        fs::write(place.path("secret"), "secret\n").unwrap();
        mode(&place.path("secret"), 0o600);
        fs::create_dir(place.path("spool")).unwrap();
        chown(place.path("spool"), Some(server.0), Some(server.1)).unwrap();
        mode(&place.path("spool"), 0o750);
        let text = place.configuration();
        fs::write(place.path("conf"), text).unwrap();
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.path("eximious")
    }

    fn configuration(&self) -> String {
        let spool = self.path("spool");
        let spool = spool.display();
        format!(
            "spool_directory = {spool}\nlog_file_path = {spool}/%slog\nqueue_only\n\
             acl_smtp_rcpt = who\nacl_not_smtp = who\nbegin acl\nwho:\n  accept logwrite = who \
             ${{run{{/usr/bin/id -u}}}} caller $caller_uid\n\
             begin routers\nr:\n  driver = redirect\n  data = :fail: ${{run{{/usr/bin/id -u}}}}\n  \
             allow_fail\n"
        )
    }

    /// Calls a program as a user.
    fn call(&self, program: &Path, user: u32, args: &[&str], input: &str) -> Said {
        let mut command = Command::new(program);
        command.args(args).current_dir("/").env("EXIMIOUS_DNS", "127.0.0.1:9");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if user != 0 {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().unwrap();
        // Whoever does not read is not spoken to.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        Said {
            status: done.status.code(),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Calls the set-uid copy as nobody.
    fn as_nobody(&self, args: &[&str], input: &str) -> Said {
        self.call(&self.program(), NOBODY, args, input)
    }

    pub(crate) fn as_root(&self, args: &[&str], input: &str) -> Said {
        self.call(Path::new(env!("CARGO_BIN_EXE_eximious")), 0, args, input)
    }
}

#[test]
fn an_expansion_has_its_callers_rights() {
    let Some(place) = Place::new() else { return };
    let secret = place.path("secret").display().to_string();
    let said = place.as_nobody(&["-be", "$caller_uid ${run{/usr/bin/id -u}{$value}}"], "");
    assert_eq!(said.out.trim_end(), "65534 65534", "{said:?}");
    let said = place.as_nobody(&["-be", "${run{/usr/bin/id -G}{$value}}"], "");
    assert_eq!(said.out.trim_end(), "65534", "{said:?}");
    for args in [
        &["-be", &format!("${{readfile{{{secret}}}}}")][..],
        &["-be", "${readfile{/etc/shadow}}"],
        &["-bem", &secret, "$message_headers"],
        &["-bf", &secret],
        &["-C", &secret, "-be", "x"],
        &["-C", &secret, "-bP"],
        &["-C", &secret, "-bV"],
        &["check", &secret],
        &["fmt", &secret],
        &["-bF", &secret],
    ] {
        let said = place.as_nobody(args, "");
        assert!(!said.out.contains("secret\n"), "{args:?}: {said:?}");
        let all = [said.out.as_str(), &said.err].concat();
        assert!(all.contains("Permission denied"), "{args:?}: {said:?}");
    }
}

/// As Exim says it: whose rights are too few stands behind the system's words.
#[test]
fn lookups_say_whose_rights_are_too_few() {
    let Some(place) = Place::new() else { return };
    let secret = place.path("secret").display().to_string();
    let spool = place.path("closed").display().to_string();
    std::fs::create_dir(&spool).unwrap();
    std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o700)).unwrap();
    let whose = "Permission denied (euid=65534 egid=65534)";
    for (kind, file, head) in [
        ("dbm", &secret, format!("failed to open {secret} as a db (v4.1+) file")),
        ("dbmnz", &secret, format!("failed to open {secret} as a db (v4.1+) file")),
        ("dbmjz", &secret, format!("failed to open {secret} as a db (v4.1+) file")),
        ("cdb", &secret, format!("failed to open {secret} for cdb lookup")),
        ("lsearch", &secret, format!("failed to open {secret} for linear search")),
        ("lsearch", &spool, format!("failed to open {spool} for linear search")),
    ] {
        let said = place.as_nobody(&["-be", &format!("${{lookup{{a}}{kind}{{{file}}}}}")], "");
        assert_eq!(said.out.trim_end(), format!("Failed: {head}: {whose}"), "{kind}: {said:?}");
    }
}

#[test]
fn who_brings_a_configuration_has_no_rights_but_its_own() {
    let Some(place) = Place::new() else { return };
    let conf = place.path("conf").display().to_string();
    let dialogue = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nQUIT\r\n";
    for user in [NOBODY, place.server.0] {
        let said = place.call(&place.program(), user, &["-C", &conf, "-bt", "a@b"], "");
        assert!(said.out.contains(&format!("undeliverable: {user}")), "{said:?}");
        let said = place.call(&place.program(), user, &["-C", &conf, "-bh", "192.0.2.1"], dialogue);
        let line = format!("LOG: who {user}\\n caller {user}");
        assert!(said.err.contains(&line), "{said:?}");
    }
    // Nor has who brings macros: its own rights do not reach the spool.
    let said = place.as_nobody(&["-DX=y", "-be", "${run{/usr/bin/id -u}{$value}}"], "");
    assert!(!said.out.contains(&place.server.0.to_string()), "{said:?}");
}

#[test]
fn only_administrators_are_shown_the_queue_or_start_a_daemon() {
    let Some(place) = Place::new() else { return };
    for args in [&["-bd", "-oP", "/x"][..], &["-oPX"], &["-oP", "/x", "-bp"]] {
        let said = place.as_nobody(args, "");
        let why = format!(
            "exim: only uid=0 or uid={} can use -oP and -oPX (uid=65534 euid=0 | 65534)",
            place.server.0
        );
        assert_eq!((said.err.trim_end(), said.status), (&why[..], Some(1)), "{args:?}");
    }
    for args in [&["-bd"][..], &["-bp"], &["-bw"]] {
        let said = place.as_nobody(args, "");
        assert_eq!(said.err.trim_end(), "exim: permission denied; not admin", "{args:?}: {said:?}");
        assert_eq!(said.status, Some(1), "{args:?}");
    }
}

#[test]
fn the_superuser_receives_mail_as_the_mail_servers_user() {
    let Some(place) = Place::new() else { return };
    let conf = place.path("conf").display().to_string();
    let server = place.server.0;
    let dialogue = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nQUIT\r\n";
    let line = format!("who {server}\\n caller 0");
    let said = place.as_root(&["-C", &conf, "-bh", "192.0.2.1"], dialogue);
    assert!(said.err.contains(&line), "{said:?}");
    let said = place.as_root(&["-C", &conf, "-bs"], dialogue);
    assert!(said.out.contains("221 "), "{said:?}");
    let said = place.as_root(&["-C", &conf, "a@b"], "Subject: x\n\ny\n");
    assert_eq!(said.status, Some(0), "{said:?}");
    let log = fs::read_to_string(place.path("spool/mainlog")).unwrap();
    assert_eq!(log.matches(&line).count(), 2, "{log}");
    let said = place.as_root(&["-C", &conf, "-bv", "a@b"], "");
    assert!(said.out.contains(&format!("failed to verify: {server}")), "{said:?}");
    // Addresses are tested as they are routed for a delivery.
    let said = place.as_root(&["-C", &conf, "-bt", "a@b"], "");
    assert!(said.out.contains("undeliverable: 0"), "{said:?}");
}

/// Anybody may listen at such a port, and say who called him.
#[test]
fn who_listens_at_anybodys_port_hands_no_connection_on() {
    let Some(place) = Place::new() else { return };
    let conf = place.path("conf").display().to_string();
    fs::write(&conf, "keep_environment =\n".to_owned() + &place.configuration()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let exim = crate::common::reference().map(PathBuf::from);
    for program in [Some(place.program()), exim].into_iter().flatten() {
        for (user, way) in [(NOBODY, "-bs"), (NOBODY, "-bS"), (0, "-bs"), (place.server.0, "-bs")] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(b"QUIT\r\n").unwrap();
            let (socket, _) = listener.accept().unwrap();
            let answers = OwnedFd::from(socket.try_clone().unwrap());
            let mut command = Command::new(&program);
            command.args(["-C", &conf, way]).current_dir("/");
            command.uid(user).gid(user).stdin(OwnedFd::from(socket)).stdout(answers);
            let done = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
            drop(command);
            let mut said = String::new();
            // Where nothing was read, it is reset.
            let _ = client.read_to_string(&mut said);
            let err = String::from_utf8_lossy(&done.stderr);
            let refused = "exim: Permission denied (unprivileged user, unprivileged port)\n";
            match user {
                NOBODY => assert_eq!((done.status.code(), &*err, &*said), (Some(1), refused, "")),
                _ => assert!(done.status.success() && !said.is_empty(), "{user}: {done:?} {said}"),
            }
        }
    }
}

/// The mail server's user is to use what the superuser's runs leave, too, whoever made the
/// spool directory.
#[test]
fn what_the_superusers_runs_leave_is_the_mail_servers_users() {
    let Some(place) = Place::new() else { return };
    let spool = place.path("spool");
    chown(&spool, Some(0), Some(0)).unwrap();
    fs::set_permissions(&spool, fs::Permissions::from_mode(0o777)).unwrap();
    let text =
        place.configuration().replace(":fail:", ":defer:").replace("allow_fail", "allow_defer");
    fs::write(place.path("conf"), text + "begin retry\n* * F,1h,10m\n").unwrap();
    let conf = place.path("conf").display().to_string();
    for work in ["-q", "-M"] {
        let said = place.as_root(&["-C", &conf, "-odq", "a@b"], "Subject: x\n\ny\n");
        assert_eq!(said.status, Some(0), "{said:?}");
        let names = fs::read_dir(spool.join("input")).unwrap();
        let names = names.map(|one| one.unwrap().file_name().into_string().unwrap());
        let ids: Vec<String> =
            names.filter_map(|name| Some(name.strip_suffix("-H")?.to_owned())).collect();
        let all =
            [&["-C", &conf, work][..], &ids.iter().map(String::as_str).collect::<Vec<_>>()[..]];
        let all = if work == "-q" { all[0].to_vec() } else { all.concat() };
        place.as_root(&all, "");
        assert!(spool.join("db/hints.sqlite").exists(), "{work}");
        let mut left = vec![spool.clone()];
        while let Some(folder) = left.pop() {
            for one in fs::read_dir(folder).unwrap() {
                let (path, about) = one.map(|one| (one.path(), one.metadata().unwrap())).unwrap();
                assert_eq!((about.uid(), about.gid()), place.server, "{work}: {}", path.display());
                left.extend(about.is_dir().then_some(path));
            }
        }
        fs::remove_dir_all(spool.join("db")).unwrap();
    }
}

/// The real Exim answers alike, in the same place.
#[test]
fn the_real_exim_has_the_same_rights() {
    let exim = Path::new("/usr/sbin/exim4");
    let Some(place) = Place::new().filter(|_| exim.exists()) else { return };
    let conf = place.path("conf").display().to_string();
    let dialogue = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nQUIT\r\n";
    let who = |said: &Said| {
        let line = said.err.lines().find(|line| line.contains("LOG: who")).unwrap_or("").to_owned();
        line.trim_end_matches('!').to_owned()
    };
    for (user, args, input) in [
        (0, &["-C", &conf, "-bh", "192.0.2.1"][..], dialogue),
        (NOBODY, &["-C", &conf, "-bh", "192.0.2.1"], dialogue),
        (0, &["-C", &conf, "-bv", "a@b"], ""),
        (0, &["-C", &conf, "-bt", "a@b"], ""),
        (NOBODY, &["-be", "${run{/usr/bin/id -u}{$value}} $caller_uid"], ""),
        (NOBODY, &["-bd"], ""),
        (NOBODY, &["-bp"], ""),
    ] {
        let theirs = place.call(exim, user, args, input);
        let ours = place.call(&place.program(), user, args, input);
        assert_eq!(who(&ours), who(&theirs), "{user} {args:?}");
        if input.is_empty() {
            let out = |said: &Said| said.out.trim_end().to_owned();
            assert_eq!(out(&ours), out(&theirs), "{user} {args:?}");
            assert_eq!(ours.status, theirs.status, "{user} {args:?}");
        }
    }
}

/// A redirection in a home that nobody else may look into.
const HOME: &str = "spool_directory = DIR/spool\nlog_file_path = DIR/spool/%slog\n\
    primary_hostname = host.test\nbegin routers\nr:\n  driver = redirect\n  \
    file = DIR/home/.forward\n  user = games\n  group = games\n  file_transport = t\n\
    begin transports\nt:\n  driver = appendfile\n  user = games\n  group = games\n  \
    create_file = anywhere\n";

#[test]
fn files_of_users_are_read_with_their_rights() {
    let Some(place) = Place::new() else { return };
    let folder = place.folder.path();
    for name in ["boxes", "home", "etc"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let own = |name: &str, user, mode| {
        chown(folder.join(name), Some(user), Some(user)).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let text = HOME.replace("DIR", &folder.display().to_string());
    fs::write(folder.join("etc/exim4.conf"), text).unwrap();
    let mailbox = folder.join("boxes/mailbox");
    let line = format!("{}\n", mailbox.display());
    // What the mail server's user may read is not for users to have read.
    fs::write(folder.join("spool/own"), &line).unwrap();
    own("spool/own", place.server.0, 0o600);
    own("boxes", 5, 0o700);
    let exim = crate::common::reference().map(PathBuf::from);
    for program in [Some(place.program()), exim].into_iter().flatten() {
        for (uid, is_link) in [(NOBODY, false), (0, false), (NOBODY, true), (0, true)] {
            let forward = folder.join("home/.forward");
            let _ = fs::remove_file(&forward);
            let _ = fs::remove_dir_all(folder.join("spool/db"));
            match is_link {
                true => std::os::unix::fs::symlink(folder.join("spool/own"), &forward).unwrap(),
                false => {
                    fs::write(&forward, &line).unwrap();
                    own("home/.forward", 5, 0o600);
                }
            }
            own("home", 5, 0o700);
            let script = "mount --bind \"$1\" /etc/exim4 && cd / && exec setpriv --reuid=\"$3\" \
                --regid=\"$3\" --clear-groups \"$2\" -odi x@host.test";
            let said = Command::new("unshare")
                .args(["-m", "sh", "-c", script, "sh"])
                .args([folder.join("etc"), program.clone()])
                .arg(uid.to_string())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(said.status.success(), "{program:?} {uid}: {said:?}");
            let log = fs::read_to_string(folder.join("spool/mainlog")).unwrap_or_default();
            assert_eq!(mailbox.exists(), !is_link, "{program:?} {uid}: {log}");
            let _ = fs::remove_file(&mailbox);
        }
    }
}

/// The first of what a filter says is done with its user's rights, the second asks for what
/// only the mail server's user may read.
const FILTERS: [(&str, &str); 2] = [
    (
        "${run{/usr/bin/id -u}{$value}} ${lookup{k}lsearch{DIR/home/kept}} \
         ${if exists{DIR/home/kept}{y}{n}} ${lookup{kept}dsearch{DIR/home}}",
        "5\n its own y kept\n",
    ),
    ("${lookup{k}lsearch{DIR/spool/kept}{$value}{none}}", ""),
];

#[test]
fn filters_read_and_run_with_their_users_rights() {
    let Some(place) = Place::new() else { return };
    let folder = place.folder.path();
    for name in ["home", "etc"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let own = |name: &str, user, mode| {
        chown(folder.join(name), Some(user), Some(user)).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let here = |text: &str| text.replace("DIR", &folder.display().to_string());
    let text = HOME.replace("file_transport = t", "file_transport = t\n  allow_filter");
    fs::write(folder.join("etc/exim4.conf"), here(&text)).unwrap();
    fs::write(folder.join("home/kept"), "k: its own\n").unwrap();
    own("home/kept", 5, 0o600);
    fs::write(folder.join("spool/kept"), "k: the server's\n").unwrap();
    own("spool", place.server.0, 0o755);
    own("spool/kept", place.server.0, 0o600);
    let log = || fs::read_to_string(folder.join("spool/mainlog")).unwrap_or_default();
    let call = |program: &PathBuf| {
        let script = "mount --bind \"$1\" /etc/exim4 && cd / && exec \"$2\" -odi x@host.test";
        let said = Command::new("unshare")
            .args(["-m", "sh", "-c", script, "sh"])
            .args([folder.join("etc"), program.clone()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(said.status.success(), "{program:?}: {said:?}");
    };
    let forward = folder.join("home/.forward");
    let exim = crate::common::reference().map(PathBuf::from);
    for program in [Some(place.program()), exim].into_iter().flatten() {
        for (text, expected) in FILTERS {
            let text =
                format!("# Exim filter\nlogfile DIR/home/log\nlogwrite \"{text}\"\nseen finish\n");
            fs::write(&forward, here(&text)).unwrap();
            own("home/.forward", 5, 0o600);
            own("home", 5, 0o700);
            call(&program);
            let written = fs::read_to_string(folder.join("home/log")).unwrap_or_default();
            assert_eq!(written, expected, "{program:?}: {}", log());
            let _ = fs::remove_file(folder.join("home/log"));
        }
        // A file that its user may not open is told so before its owner is.
        own("home/.forward", 0, 0o600);
        call(&program);
        let last = log();
        let denied = here("failed to open DIR/home/.forward: Permission denied (euid=5 egid=60)");
        assert!(last.contains(&denied), "{program:?}: {last}");
        // One that is not there is not missed where its user may not look.
        fs::remove_file(&forward).unwrap();
        own("home", 0, 0o700);
        call(&program);
        let last = log();
        assert!(last.contains("x@host.test: Unrouteable address"), "{program:?}: {last}");
        fs::remove_file(folder.join("spool/mainlog")).unwrap();
        let _ = fs::remove_dir_all(folder.join("spool/db"));
    }
}

/// Owner, group and mode of a configuration, and whether the superuser's calls go by it.
const OWNERS: &[(u32, u32, u32, bool)] = &[
    (0, 0, 0o644, true),
    (0, 0, 0o600, true),
    (0, 0, 0o664, true),
    (0, 0, 0o666, false),
    (0, 0, 0o646, false),
    (0, 60, 0o644, true),
    (0, 60, 0o664, false),
    (NOBODY, 0, 0o644, false),
    (NOBODY, NOBODY, 0o600, false),
];

#[test]
fn what_others_can_write_is_no_configuration_for_the_superuser() {
    let Some(place) = Place::new() else { return };
    let own = env!("CARGO_BIN_EXE_eximious").to_owned();
    let file = place.path("conf");
    let name = file.display().to_string();
    let programs = [Some(own), crate::common::reference()];
    for program in programs.into_iter().flatten() {
        for (owner, group, mode, is_good) in OWNERS {
            fs::write(&file, "primary_hostname = its.test\nkeep_environment =\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(*mode)).unwrap();
            chown(&file, Some(*owner), Some(*group)).unwrap();
            let said =
                crate::common::run(&program, &["-C", &name, "-be", "$primary_hostname"], b"");
            let complaint =
                format!("Exim configuration file {name} has the wrong owner, group, or mode");
            match is_good {
                true => assert_eq!(said.out, "its.test\n", "{program} {mode:o}: {}", said.err),
                false => {
                    assert!(said.err.contains(&complaint), "{program} {mode:o}: {said:?}");
                    assert_eq!(said.status, Some(1));
                }
            }
            let by_nobody = Command::new(&program)
                .args(["-C", &name, "-be", "$primary_hostname"])
                .uid(NOBODY)
                .gid(NOBODY)
                .output()
                .unwrap();
            let is_read = *owner == NOBODY || mode & 0o004 != 0;
            assert_eq!(by_nobody.stdout == b"its.test\n", is_read, "{program} {mode:o}");
            // Who only looks at a file may look at anybody's.
            if program.ends_with("eximious") {
                let checked = crate::common::run(&program, &["check", &name], b"");
                assert_eq!(checked.status, Some(0), "{mode:o}: {checked:?}");
            }
            let _ = fs::remove_file(&file);
        }
        // Lists of the queue need no more than the main section.
        let text = "primary_hostname = its.test\nkeep_environment =\nspool_directory = DIR\n\
            begin routers\nr:\n driver = nothing\n";
        let text = text.replace("DIR", &place.path("spool").display().to_string());
        fs::write(&file, text).unwrap();
        for (args, status) in
            [(&["-bp"][..], 0), (&["-bpc"], 0), (&["-bpi"], 0), (&["-bi"], 0), (&["-be", "x"], 1)]
        {
            let args = [&["-C", &name][..], args].concat();
            let said = crate::common::run(&program, &args, b"");
            assert_eq!(said.status, Some(status), "{program} {args:?}: {said:?}");
        }
        fs::remove_file(&file).unwrap();
    }
}
