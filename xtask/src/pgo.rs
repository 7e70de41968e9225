//! The program as it is built for a site: with a profile of what it does
//! (profile-guided optimization). It is built once to be watched, does the work below, and is
//! built again by what was seen.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

/// The suites whose lines are expanded: those that need no server and no file.
const SUITES: [&str; 6] = ["conditions", "items", "lists", "mail", "operators", "quoting"];
/// How often: the second thread of `-be` begins with many lines.
const ROUNDS: usize = 20;
/// How many messages are taken, each of about so many bytes.
const MESSAGES: usize = 500;
const MESSAGE: usize = 5_000;
/// Of such lines.
const LINE: &str = "A line of sixty-four bytes, as people and programs write them.\r\n";
/// How many clients a daemon has at once; each brings as many messages.
const CLIENTS: usize = 8;

/// A site's configuration in short.
const CONFIGURATION: &str = "\
primary_hostname = me.test
qualify_domain = me.test
domainlist local_domains = me.test : *.local.test
domainlist relay_to = lsearch;DIR/relay
hostlist relay_from = 127.0.0.0/8 : 192.0.2.0/24
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny    local_parts = ^[.] : ^.*[@%!/|]
          message = Restricted characters in address
  accept  hosts = +relay_from
          set acl_m_seen = ${eval:${if def:acl_m_seen{$acl_m_seen}{0}}+1}
  require verify = sender
  accept  domains = +local_domains
  accept  domains = +relay_to
  deny    message = relay not permitted
data:
  deny    condition = ${if >{$message_size}{10M}}
  deny    !verify = header_syntax
  warn    condition = ${if match{$h_subject:}{\\N(?i)free\\s+offer\\N}}
          add_header = X-Flag: yes
  accept
begin routers
aliases:
  driver = redirect
  domains = +local_domains
  data = ${lookup{$local_part}lsearch{DIR/aliases}}
  allow_fail
users:
  driver = accept
  domains = +local_domains
  local_parts = box0 : box1 : box2 : box3 : box4 : box5 : box6
  transport = boxes
away:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = smtp
begin transports
boxes:
  driver = appendfile
  directory = DIR/mail/$local_part_data
  maildir_format
  user = USER
smtp:
  driver = smtp
  port = 1
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
*@old.test $1@me.test Ffrs
";

/// Builds it, and says where it is.
pub fn run(root: &Path) -> ExitCode {
    match build(root) {
        Ok(place) => {
            println!("{}", place.display());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The folder with the programs.
fn build(root: &Path) -> Result<PathBuf, String> {
    let (host, tool) = tool()?;
    let folder = crate::target(root).join("pgo");
    let (profile, site) = (folder.join("profile"), folder.join("site"));
    for place in [&profile, &site] {
        let _ = fs::remove_dir_all(place);
        fs::create_dir_all(place).map_err(|why| format!("{}: {why}", place.display()))?;
    }
    eprintln!("== the program that is watched");
    let watched = folder.join("watched");
    let flags = format!("-Cprofile-generate={}", profile.display());
    compile(root, &host, &watched, &flags)?;
    eprintln!("== its work");
    let seen = folder.join("seen.profdata");
    work(root, &watched.join(&host).join("release/eximious"), &profile, &site)
        .map_err(|why| format!("the work can't be done: {why}"))?;
    let mut merge = Command::new(tool);
    merge.arg("merge").arg("-o").arg(&seen).arg(&profile);
    done(&mut merge)?;
    eprintln!("== the program");
    compile(root, &host, &folder, &format!("-Cprofile-use={}", seen.display()))?;
    Ok(folder.join(host).join("release"))
}

/// The host's name, and what makes one profile of many.
fn tool() -> Result<(String, PathBuf), String> {
    let ask = |args: &[&str]| {
        let output = Command::new("rustc").args(args).output().ok()?;
        String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
    };
    let about = ask(&["-vV"]).ok_or("there is no rustc")?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc does not say what it builds for")?.to_owned();
    let libraries = ask(&["--print", "target-libdir"]).ok_or("rustc does not say where it is")?;
    let tool = Path::new(libraries.trim()).with_file_name("bin").join("llvm-profdata");
    match tool.exists() {
        true => Ok((host, tool)),
        false => Err("there is no llvm-profdata: rustup component add llvm-tools".into()),
    }
}

/// Builds the program and its benchmarks, for the host by its name: what runs as they are
/// built is built as always.
fn compile(root: &Path, host: &str, folder: &Path, flags: &str) -> Result<(), String> {
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut cargo = crate::cargo(root);
    cargo.args(["build", "--release", "-p", "eximious-repl", "-p", "eximious-bench"]);
    cargo.args(["--target", host, "--target-dir"]).arg(folder);
    cargo.env("RUSTFLAGS", format!("{given} {flags}"));
    done(&mut cargo)
}

fn done(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(why) => Err(format!("{command:?}: {why}")),
    }
}

/// Has the program expand, route, take and deliver messages. Where that gives up its rights, others
/// write the profile, too.
fn work(root: &Path, program: &Path, profile: &Path, folder: &Path) -> io::Result<()> {
    let all = Permissions::from_mode(0o777);
    fs::set_permissions(profile, all.clone())?;
    for name in ["spool", "log", "mail"] {
        fs::create_dir_all(folder.join(name))?;
        fs::set_permissions(folder.join(name), all.clone())?;
    }
    let place = folder.display().to_string();
    let write = |name: &str, text: Vec<u8>| fs::write(folder.join(name), text);
    // Nobody delivers as the superuser.
    let user = match fs::metadata(folder)?.uid() {
        0 => "nobody".to_owned(),
        own => own.to_string(),
    };
    write("exim.conf", CONFIGURATION.replace("DIR", &place).replace("USER", &user).into())?;
    write("relay", b"far.test\n*.far.test\n".into())?;
    let users = (0..1_000).map(|n| format!("user{n}: box{}, copy@far.test\n", n % 7));
    write("aliases", users.collect::<String>().into())?;
    write("lines", lines(root)?)?;
    write("session", session().into())?;
    let config = folder.join("exim.conf");
    let run = |args: &[&str], input: Option<&str>| -> io::Result<()> {
        let mut command = Command::new(program);
        command.arg("-C").arg(&config).args(args);
        command.env("LLVM_PROFILE_FILE", profile.join("%p-%m.profraw"));
        let input = input.map(|name| File::open(folder.join(name))).transpose()?;
        command.stdin(input.map_or_else(Stdio::null, Stdio::from));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        match command.status()?.code() {
            Some(0) => Ok(()),
            code => Err(io::Error::other(format!("{args:?} ended with {code:?}"))),
        }
    };
    run(&["-be"], Some("lines"))?;
    run(&["-odq", "-bs"], Some("session"))?;
    served(program, &config, profile)?;
    run(&["-bpc"], None)?;
    run(&["-bp"], None)?;
    run(&["-bP"], None)?;
    run(&["-q"], None)?;
    let addresses: Vec<String> = (0..200).map(|n| format!("user{n}@me.test")).collect();
    let addresses = addresses.iter().map(String::as_str);
    run(&["-bt"].into_iter().chain(addresses).collect::<Vec<_>>(), None)
}

/// Has a daemon deliver into mailboxes what clients hand to it, all at once.
fn served(program: &Path, config: &Path, profile: &Path) -> io::Result<()> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut daemon = Command::new(program);
    daemon.arg("-C").arg(config).args(["-bdf", "-oX", &format!("127.0.0.1.{}", address.port())]);
    daemon.env("LLVM_PROFILE_FILE", profile.join("%p-%m.profraw"));
    let mut daemon = daemon.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let visits: Vec<_> = (0..CLIENTS).map(|n| thread::spawn(move || visit(address, n))).collect();
    let heard = visits.into_iter().try_for_each(|visit| visit.join().expect("no client panics"));
    // It writes what was seen when it ends of itself.
    Command::new("kill").arg(daemon.id().to_string()).status()?;
    daemon.wait()?;
    heard
}

/// A client that waits for each answer.
fn visit(address: SocketAddr, number: usize) -> io::Result<()> {
    let connect = |_| {
        thread::sleep(Duration::from_millis(100));
        TcpStream::connect(address).ok()
    };
    let stream = (0..100).find_map(connect).ok_or(io::ErrorKind::ConnectionRefused)?;
    let mut answers = BufReader::new(&stream).lines();
    let mut hear = || loop {
        let line = answers.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        match line.as_bytes() {
            [b'2' | b'3', _, _, b'-', ..] => {}
            [b'2' | b'3', ..] => return Ok(()),
            _ => return Err(io::Error::other(line)),
        }
    };
    let mut say = |text: &str| (&stream).write_all(text.as_bytes()).and_then(|()| hear());
    say("")?;
    say(&format!("EHLO client{number}.test\r\n"))?;
    for message in 0..MESSAGES {
        say(&format!("MAIL FROM:<sender{message}@far.test>\r\n"))?;
        say(&format!("RCPT TO:<box{}@me.test>\r\n", message % 7))?;
        say("DATA\r\n")?;
        say(&format!(
            "Received: from a.far.test by b.far.test; Thu, 26 Nov 2026 12:00:00 +0000\r\n\
             From: <sender{message}@far.test>\r\nTo: <box{}@me.test>\r\n\
             Date: Thu, 26 Nov 2026 12:00:00 +0000\r\nMessage-Id: <{number}.{message}@far.test>\r\n\
             Subject: message {message}\r\n\r\n{}.\r\n",
            message % 7,
            LINE.repeat(MESSAGE / LINE.len()),
        ))?;
    }
    say("QUIT\r\n")
}

/// What the suites ask, in turn.
fn lines(root: &Path) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    for suite in SUITES {
        let text = fs::read(root.join(format!("tests/suites/{suite}.txt")))?;
        for line in text.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"> ")) {
            all.extend_from_slice(line);
            all.push(b'\n');
        }
    }
    Ok(all.repeat(ROUNDS))
}

/// A client that has many messages.
fn session() -> String {
    let mut out = String::from("EHLO client.test\r\n");
    for number in 0..MESSAGES {
        let _ = write!(
            out,
            "MAIL FROM:<sender{number}@far.test> SIZE={MESSAGE}\r\n\
             RCPT TO:<user{number}@me.test>\r\nRCPT TO:<other@far.test>\r\nDATA\r\n\
             Received: from a.far.test by b.far.test; Thu, 26 Nov 2026 12:00:00 +0000\r\n\
             From: Some Body <sender{number}@far.test>\r\n\
             To: user{number}@me.test,\r\n\tOther One <other@far.test>\r\n\
             Subject: =?utf-8?q?Message_{number}?=\r\n\
             Message-Id: <{number}@far.test>\r\n\
             Date: Thu, 26 Nov 2026 12:00:00 +0000\r\n\r\n"
        );
        out.push_str(&LINE.repeat(MESSAGE / LINE.len()));
        out.push_str(".\r\n");
    }
    out.push_str("QUIT\r\n");
    out
}
