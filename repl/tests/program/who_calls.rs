//! Who calls the program, and whose words it reads: a set-uid copy and the real Exim, called
//! by users and the superuser in a place with its own `/etc/exim4`, users and groups. Nobody
//! gets more rights by it than its own.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// `games`, whose group has the number 60, and `nobody`.
const GAMES: u32 = 5;
const NOBODY: u32 = 65534;

/// Where users' filters are read, and where their mail goes.
const SITE: &str = "HUSH = hushed\nspool_directory = DIR/spool\nlog_file_path = DIR/spool/%slog\n\
    primary_hostname = host.test\nkeep_environment =\nhostlist hushed = hush.test\n\
    begin routers\nbox:\n  driver = accept\n  local_parts = box\n  transport = box\n\
    root:\n  driver = redirect\n  check_local_user\n  local_parts = root\n  \
    file = $home/.forward\n  user = root\n\
    needs:\n  driver = accept\n  local_parts = needs\n  \
    require_files = games:DIR/home/there\n  transport = box\n\
    look:\n  driver = accept\n  local_parts = look\n  \
    condition = ${if exists{DIR/home/there}}\n  transport = ${readfile{DIR/home/there}{}}\n\
    wrong:\n  driver = redirect\n  local_parts = wrong\n  data = ${lookup{x}lsearch{DIR/hush}}\n\
    user:\n  driver = redirect\n  local_parts = x\n  file = DIR/home/.forward\n  user = games\n  \
    group = games\n  allow_filter\n  pipe_transport = pipe\n  reply_transport = reply\n\
    begin transports\nbox:\n  driver = appendfile\n  file = DIR/boxes/box\n  user = games\n  \
    group = games\n  create_file = anywhere\npipe:\n  driver = pipe\nreply:\n  driver = autoreply\n";

/// A place with all of it, and the number of the mail server's user and group.
struct Place {
    folder: tempfile::TempDir,
    server: u32,
    programs: Vec<PathBuf>,
}

impl Place {
    /// Nothing where the test can't be somebody else.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not run: only the superuser can install a program set-uid");
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").ok()?;
        let groups = fs::read_to_string("/etc/group").ok()?;
        let number = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("Debian-exim:"))?;
            line.split(':').nth(2)?.parse().ok()
        };
        let (server, group): (u32, u32) = (number(&users)?, number(&groups)?);
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("eximious");
        fs::copy(env!("CARGO_BIN_EXE_eximious"), &own).unwrap();
        let programs = [Some(own), crate::common::reference().map(PathBuf::from)];
        let programs = programs.into_iter().flatten().collect();
        let place = Self { folder, server: group, programs };
        place.own("", 0, 0o755);
        place.own("eximious", 0, 0o4755);
        for (name, user, mode) in [
            ("etc", 0, 0o755),
            ("spool", server, 0o755),
            ("boxes", GAMES, 0o700),
            ("home", GAMES, 0o700),
            ("root", 0, 0o700),
        ] {
            fs::create_dir(place.path(name)).unwrap();
            place.own(name, user, mode);
        }
        place.write("etc/exim4.conf", SITE, 0, 0o644);
        let home = place.here("root:x:0:0:root:DIR/root:/bin/sh");
        let others = users.lines().filter(|line| !line.starts_with("root:"));
        let users: Vec<&str> = [&home[..]].into_iter().chain(others).collect();
        place.write("passwd", &users.join("\n"), 0, 0o644);
        place.write("group", &groups, 0, 0o644);
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn here(&self, text: &str) -> String {
        text.replace("DIR", &self.folder.path().display().to_string())
    }

    fn own(&self, name: &str, user: u32, mode: u32) {
        chown(self.path(name), Some(user), None).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn write(&self, name: &str, text: &str, user: u32, mode: u32) {
        fs::write(self.path(name), self.here(text)).unwrap();
        self.own(name, user, mode);
    }

    /// Calls a program as a user with a group, and with another one beside it; what it says.
    fn call(&self, program: &PathBuf, user: u32, groups: &str, args: &[&str]) -> String {
        let script = "for one in passwd group; do mount --bind \"$1/$one\" /etc/$one; done && \
            mount --bind \"$1/etc\" /etc/exim4 && cd / && user=$2 && groups=$3 && shift 3 && \
            exec setpriv --reuid=$user --regid=${groups%:*} --groups=${groups#*:} \"$@\"";
        let said = Command::new("unshare")
            .args(["-m", "sh", "-c", script, "sh"])
            .arg(self.folder.path())
            .args([&user.to_string()[..], groups])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// Has a message delivered: by whoever hands it in, the superuser or another, and by the
    /// superuser's run of the queue. After each time, `look`.
    fn deliver(&self, program: &PathBuf, to: &str, look: &mut dyn FnMut(&str)) {
        for (user, way) in [(0, "-odi"), (NOBODY, "-odi"), (NOBODY, "-odq")] {
            self.call(program, user, &format!("{user}:{user}"), &[way, to]);
            if way == "-odq" {
                self.call(program, 0, "0:0", &["-q"]);
            }
            let log = fs::read_to_string(self.path("spool/mainlog")).unwrap_or_default();
            look(&format!("{} {user} {way}: {log}", program.display()));
            for name in ["spool/mainlog", "spool/paniclog", "boxes/box"] {
                let _ = fs::remove_file(self.path(name));
            }
            for name in ["spool/db", "spool/input"] {
                let _ = fs::remove_dir_all(self.path(name));
            }
        }
    }
}

#[test]
fn who_may_not_read_the_configuration_is_not_shown_it() {
    let Some(place) = Place::new() else { return };
    let conf = place.path("etc/exim4.conf");
    chown(&conf, Some(0), Some(place.server)).unwrap();
    fs::set_permissions(&conf, Permissions::from_mode(0o640)).unwrap();
    let filter = place.path("filter").display().to_string();
    fs::write(&filter, "# Exim filter\ntestprint \"${listnamed:hushed}\"\n").unwrap();
    let server = format!("65534:{}", place.server);
    for program in &place.programs {
        for args in [
            &["-be", "HUSH ${listnamed:hushed}"][..],
            &["-bem", "/etc/hosts", "${listnamed:hushed}"],
            &["-bf", &filter],
        ] {
            let said = place.call(program, NOBODY, "65534:65534", args);
            assert!(!said.contains("hush.test"), "{program:?} {args:?}: {said}");
            assert!(said.contains("Permission denied"), "{program:?} {args:?}: {said}");
            // Who has the group may.
            let said = place.call(program, NOBODY, &server, args);
            assert!(said.contains("hush.test"), "{program:?} {args:?}: {said}");
        }
    }
}

#[test]
fn administrators_are_processes_with_a_group() {
    let Some(place) = Place::new() else { return };
    let conf = SITE.replace("keep_env", "admin_groups = games\nkeep_env");
    place.write("etc/exim4.conf", &conf, 0, 0o644);
    // To be on the list is not enough.
    let groups = fs::read_to_string(place.path("group")).unwrap();
    let member = |line: &str| match line.starts_with("Debian-exim:") {
        true => format!("{line}nobody\n"),
        false => format!("{line}\n"),
    };
    let groups: String = groups.lines().map(member).collect();
    place.write("group", &groups, 0, 0o644);
    let server = format!("65534:{}", place.server);
    for program in &place.programs {
        for (user, groups, is_one) in [
            (NOBODY, "65534:65534", false),
            (NOBODY, &server[..], true),
            (NOBODY, "65534:60", true),
            (NOBODY, "60:65534", false),
            (0, "0:0", true),
        ] {
            let said = place.call(program, user, groups, &["-bpc"]);
            let expected = if is_one { "0" } else { "exim: permission denied; not admin" };
            assert_eq!(said.trim_end(), expected, "{program:?} {user} {groups}");
            let said = place.call(program, user, groups, &["-be", "x HUSH"]);
            let expected = if is_one { "x hushed" } else { "x HUSH" };
            assert_eq!(said.trim_end(), expected, "{program:?} {user} {groups}");
            let said = place.call(program, user, groups, &["-L", "tag", "-bP", "log_file_path"]);
            let refused = "exim: you lack sufficient privilege to specify syslog process name";
            let expected = if is_one { "log_file_path = syslog" } else { refused };
            assert_eq!(said.trim_end(), expected, "{program:?} {user} {groups}");
            // Why an address is none may quote what others are not to see.
            let said = place.call(program, user, groups, &["-bt", "wrong@host.test"]);
            assert!(said.starts_with("wrong@host.test cannot be resolved"), "{said}");
            let tells = said.contains(&place.here("failed to open DIR/hush"));
            assert_eq!(tells, is_one, "{program:?} {user} {groups}: {said}");
        }
    }
}

#[test]
fn the_superusers_mail_goes_where_its_file_says() {
    let Some(place) = Place::new() else { return };
    place.write("root/.forward", "box@host.test\n", 0, 0o600);
    place.write("home/there", "box", GAMES, 0o600);
    for program in &place.programs {
        // And what stands in a home that is not open is there, and can be read.
        for to in ["root@host.test", "needs@host.test", "look@host.test"] {
            place.deliver(program, to, &mut |log| {
                assert!(place.path("boxes/box").exists(), "{to}: {log}");
            });
        }
    }
}

/// What a user's filter says, whatever is done with it later, is done as its user. Each tells
/// who does it, by the first digit of a number.
const WHO: &str = "${length_1:${run{/usr/bin/id -u}{$value}}}";

#[test]
fn the_words_of_filters_are_expanded_as_their_users() {
    let Some(place) = Place::new() else { return };
    place.write("hush", "x: hush\n", 0, 0o600);
    let text = format!("who {WHO}\nread ${{readfile{{DIR/hush}}{{}}}}\n");
    place.write("home/text", &text, GAMES, 0o600);
    for program in &place.programs {
        let filter = "# Exim filter\nmail to box@host.test subject x expand file DIR/home/text\n";
        place.write("home/.forward", filter, GAMES, 0o600);
        place.deliver(program, "x@host.test", &mut |log| {
            let found = fs::read_to_string(place.path("boxes/box")).unwrap_or_default();
            assert!(found.contains("\nwho 5\n"), "{found}{log}");
            assert!(found.contains("read ${readfile"), "{found}{log}");
        });
        let filter = format!("# Exim filter\npipe \"/bin/cp /dev/null 'DIR/boxes/by{WHO}'\"\n");
        place.write("home/.forward", &filter, GAMES, 0o600);
        place.deliver(program, "x@host.test", &mut |log| {
            assert!(fs::remove_file(place.path("boxes/by5")).is_ok(), "{log}");
        });
    }
}

#[test]
fn sockets_are_opened_by_the_users_of_filters() {
    let Some(place) = Place::new() else { return };
    let listener = UnixListener::bind(place.path("socket")).unwrap();
    place.own("socket", 0, 0o777);
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let who = rustix::net::sockopt::socket_peercred(&client).unwrap();
            let _ = client.read(&mut [0]);
            let _ = client.write_all(who.uid.to_string().as_bytes());
        }
    });
    let filter = "# Exim filter\nlogfile DIR/home/log\n\
        logwrite \"${readsocket{DIR/socket}{x}}\"\nseen finish\n";
    place.write("home/.forward", filter, GAMES, 0o600);
    for program in &place.programs {
        place.deliver(program, "x@host.test", &mut |log| {
            let found = fs::read_to_string(place.path("home/log")).unwrap_or_default();
            assert_eq!(found, "5\n", "{log}");
            fs::remove_file(place.path("home/log")).unwrap();
        });
    }
}

/// What a filter loads, or asks a database, is loaded and asked by its user.
#[test]
fn what_filters_load_and_ask_has_their_users_rights() {
    let Some(place) = Place::new() else { return };
    let source = "#include <stdio.h>\n#include <unistd.h>\n\
        int who(unsigned char **text, int count, unsigned char **words) {\n\
        static char said[20]; sprintf(said, \"%d%d\", getuid(), geteuid());\n\
        *text = (unsigned char *) said; return 0; }\n";
    place.write("who.c", source, 0, 0o644);
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([place.path("who.so"), place.path("who.c")]);
    assert!(compiler.status().unwrap().success());
    place.write("who.pl", "sub who { return \"$<$>\"; }\n", 0, 0o644);
    let site = fs::read_to_string(place.path("etc/exim4.conf")).unwrap();
    let site = format!("perl_startup = do 'DIR/who.pl'\n{site}");
    place.write("etc/exim4.conf", &site, 0, 0o644);
    let sqlite = "${lookup sqlite,file=DIR/home/own";
    let questions = [
        ("${dlfunc{DIR/who.so}{who}}".to_owned(), "55"),
        ("${perl{who}}".to_owned(), "55"),
        (format!("{sqlite}{{create table if not exists t(a); select 7}}}}"), "7"),
        (format!("{sqlite}{{select 8}}{{$value}}}}"), "8"),
    ];
    for program in &place.programs {
        for (question, answer) in &questions {
            let filter = format!(
                "# Exim filter\nlogfile DIR/home/log\nlogwrite \"{question}\"\nseen finish\n"
            );
            place.write("home/.forward", &filter, GAMES, 0o600);
            place.deliver(program, "x@host.test", &mut |log| {
                let found = fs::read_to_string(place.path("home/log")).unwrap_or_default();
                assert_eq!(found.trim_end(), *answer, "{question}: {log}");
                fs::remove_file(place.path("home/log")).unwrap();
            });
        }
        assert_eq!(place.path("home/own").metadata().unwrap().uid(), GAMES);
        fs::remove_file(place.path("home/own")).unwrap();
        // Statements may name any file.
        for more in ["attach 'DIR/evil' as e; create table e.x(y)", "vacuum into 'DIR/etc/evil'"] {
            let filter = format!("# Exim filter\nlogwrite \"{sqlite}{{{more}}}{{x}}{{y}}}}\"\n");
            place.write("home/.forward", &filter, GAMES, 0o600);
            place.deliver(program, "x@host.test", &mut |log| {
                assert!(!place.path("evil").exists() && !place.path("etc/evil").exists(), "{log}");
            });
        }
        fs::remove_file(place.path("home/own")).unwrap();
    }
}

/// A configuration that the superuser alone may read serves everybody who hands mail in.
#[test]
fn a_configuration_of_the_superusers_alone_is_read_for_all() {
    let Some(place) = Place::new() else { return };
    place.own("etc/exim4.conf", 0, 0o600);
    for program in &place.programs {
        place.deliver(program, "box@host.test", &mut |log| {
            assert!(place.path("boxes/box").exists(), "{log}");
        });
    }
    // What the mail server's user has written says nothing of what the superuser wants.
    let program = place.path("eximious");
    place.write("secret", "hushed\n", 0, 0o600);
    place.write("etc/exim4.conf", ".include DIR/secret\n", place.server, 0o600);
    let said = place.call(&program, NOBODY, "65534:65534", &["-bP", "spool_directory"]);
    assert!(!said.contains("hushed") && said.contains("Permission denied"), "{said}");
}

/// A daemon reads such a configuration anew.
#[test]
fn a_closed_configuration_is_read_anew() {
    let Some(place) = Place::new() else { return };
    place.own("etc/exim4.conf", 0, 0o600);
    let pid = place.here("DIR/spool/pid");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1.{free}");
    let options = ["-bd", "-oX", &address, "-oP", &pid];
    let said = place.call(&place.path("eximious"), 0, "0:0", &options);
    let log = || fs::read_to_string(place.path("spool/mainlog")).unwrap_or_default();
    let until = |told: &dyn Fn(&str) -> bool| {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !told(&log()) {
            assert!(std::time::Instant::now() < end, "{said}{}", log());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    };
    until(&|log| log.contains("daemon started"));
    let number: i32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let number = rustix::process::Pid::from_raw(number).unwrap();
    rustix::process::kill_process(number, rustix::process::Signal::HUP).unwrap();
    until(&|log| log.matches("daemon started").count() == 2 || log.contains("stays in force"));
    rustix::process::kill_process(number, rustix::process::Signal::TERM).unwrap();
    assert!(!log().contains("stays in force"), "{}", log());
}

/// What a site keeps in databases that their owner alone may read, and what a transport runs.
#[test]
fn deliveries_ask_databases_and_run_commands_as_their_users() {
    let Some(place) = Place::new() else { return };
    let site = "log_file_path = DIR/spool/%slog\nspool_directory = DIR/spool\nbegin routers\n\
        box:\n  driver = accept\n  transport = box\n  \
        address_data = ${lookup sqlite,file=DIR/home/own{create table if not exists t(a); \
        insert into t values(1); select count(*) from t}{$value}{none}}\n\
        begin transports\nbox:\n  driver = appendfile\n  user = games\n  create_file = anywhere\n  \
        file = DIR/boxes/box\n  headers_add = X: $address_data ${run{/usr/bin/id -u}}\n";
    place.write("etc/exim4.conf", site, 0, 0o644);
    for program in &place.programs {
        // It is made where there is none.
        let mut count = 0;
        place.deliver(program, "x@host.test", &mut |log| {
            let found = fs::read_to_string(place.path("boxes/box")).unwrap_or_default();
            count += 1;
            assert!(found.contains(&format!("\nX: {count} 5\n")), "{log}{found}");
        });
        fs::remove_file(place.path("home/own")).unwrap();
    }
}

/// Who asks where an address goes is not shown what the mail server alone may read.
#[test]
fn filters_do_not_see_what_only_the_server_reads() {
    let Some(place) = Place::new() else { return };
    let server = place.path("spool").metadata().unwrap().uid();
    place.write("secret", "key: hushed\nhushed\n", server, 0o600);
    place.own("home", GAMES, 0o755);
    let filters = ["${lookup{key}lsearch{DIR/secret}}", "${readfile{DIR/secret}{}}"]
        .map(|text| format!("# Exim filter\ndeliver \"{text}@host.test\"\n"));
    for program in &place.programs {
        for text in &filters {
            place.write("home/.forward", text, GAMES, 0o644);
            for (user, groups) in [(GAMES, "60:60"), (NOBODY, "65534:65534")] {
                for mode in ["-bt", "-bv"] {
                    let said = place.call(program, user, groups, &[mode, "x@host.test"]);
                    assert!(!said.contains("hushed"), "{program:?} {mode} {text}: {said}");
                    assert!(said.contains("x@host.test"), "{program:?} {mode} {text}: {said}");
                }
            }
        }
        fs::remove_file(place.path("home/.forward")).unwrap();
        symlink(place.path("secret"), place.path("home/.forward")).unwrap();
        let said = place.call(program, GAMES, "60:60", &["-bt", "x@host.test"]);
        assert!(!said.contains("hushed"), "{program:?}: {said}");
        fs::remove_file(place.path("home/.forward")).unwrap();
    }
}

/// What a caller keeps its own processes from, and has signals mean for them, is nothing to the
/// mail.
#[test]
fn limits_of_the_caller_are_not_those_of_the_mail() {
    let Some(place) = Place::new() else { return };
    let filter = "# Exim filter\npipe \"/bin/cp /dev/null DIR/boxes/piped\"\n";
    place.write("home/.forward", filter, GAMES, 0o600);
    let program = place.path("eximious").display().to_string();
    let shell =
        |limits: &str| vec!["/bin/sh".into(), "-c".into(), format!("{limits} exec \"$0\" \"$@\"")];
    let perl = ["/usr/bin/perl", "-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV"].map(String::from);
    for mut words in [
        shell("ulimit -Sf 0; ulimit -Sn 12;"),
        shell("ulimit -Su 1; ulimit -St 1;"),
        shell("ulimit -Sv 300000;"),
        perl.to_vec(),
    ] {
        words.extend([&program[..], "-odi", "x@host.test", "box@host.test"].map(String::from));
        let args: Vec<&str> = words[1..].iter().map(|word| &word[..]).collect();
        let said = place.call(&PathBuf::from(&words[0]), NOBODY, "65534:65534", &args);
        let log = fs::read_to_string(place.path("spool/mainlog")).unwrap_or_default();
        for name in ["boxes/piped", "boxes/box"] {
            assert!(fs::remove_file(place.path(name)).is_ok(), "{words:?} {name}: {said}{log}");
        }
        fs::remove_file(place.path("spool/mainlog")).unwrap();
    }
}
