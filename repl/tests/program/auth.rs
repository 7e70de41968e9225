//! Authentication with others on the other side: the real Exim both ways, a real
//! Dovecot, Cyrus SASL and GNU SASL. Each is left out where it is not installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common;
use eximious::auth::client::{AuthOutcome, Login, Move};
use eximious::auth::{Authenticators, cram};
use eximious::stdlib::base64;
use eximious::{Config, Engine, Macros};
use eximious_tests::servers::{self, Home, Server};
use eximious_tests::tls::Wire;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

const HEAD: &str = "primary_hostname = mx.test.ex\nspool_directory = DIR/spool\n\
    log_file_path = DIR/log/%slog\nkeep_environment = SASL_CONF_PATH\nhost_lookup =\n\
    tls_advertise_hosts =\nacl_smtp_rcpt = accept\nacl_smtp_mail = acl_mail\nbegin acl\n\
    acl_mail:\n  warn logwrite = id <$authenticated_id> by <$sender_host_authenticated> failed \
    <$authenticated_fail_id> <$authentication_failed> <$received_protocol>\n  accept\n";

/// Each driver with both sides, for the user tim with the password secret. The
/// client says PASSWORD.
const BOTH_SIDES: &str = "begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{tim}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
  client_send = ^tim^PASSWORD
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User: Pass
  server_condition = ${if and{{eq{$auth1}{tim}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
  client_send = : tim : PASSWORD
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{tim}{secret}fail}
  server_set_id = $auth1
  client_name = tim
  client_secret = PASSWORD
ext:
  driver = external
  public_name = EXTERNAL
  server_condition = ${if eq{$auth1}{secret}}
  server_set_id = $auth1
  client_send = PASSWORD
spa:
  driver = spa
  public_name = NTLM
  server_password = ${if eq{$auth1}{tim}{secret}fail}
  server_set_id = $auth1
  client_username = tim@test.ex
  client_password = PASSWORD
";
const NAMES: [&str; 5] = ["plain", "login", "cram", "ext", "spa"];

/// A directory that programs of any user may write to.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::TempDir::with_prefix("eximious-").unwrap();
    for folder in ["", "spool", "log"] {
        let path = directory.path().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    directory
}

fn configuration(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    let shown = directory.display().to_string();
    std::fs::write(&path, text.replace("DIR", &shown)).unwrap();
    path
}

/// A session with the server's side of a program, as if from elsewhere.
struct Talk {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    said: Vec<String>,
}

impl Talk {
    /// The directory is for what Cyrus SASL reads.
    fn start(program: &str, configuration: &Path) -> Self {
        let mut child = Command::new(program)
            .env("SASL_CONF_PATH", configuration.parent().unwrap())
            .arg("-C")
            .arg(configuration)
            .args(["-bh", "192.0.2.1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut talk = Self { child, input, output: BufReader::new(output), said: Vec::new() };
        assert_eq!(talk.reply().0, 220);
        assert_eq!(talk.say("EHLO client.test").0, 250);
        talk
    }

    /// A reply: its code, and the text of its last line.
    fn reply(&mut self) -> (u16, String) {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                let mut told = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
                panic!("it went: {:?} {told}", self.said);
            }
            let line = line.trim_end_matches(['\r', '\n']);
            let Ok(code) = line.get(..3).unwrap_or_default().parse() else { continue };
            if line.as_bytes().get(3) != Some(&b'-') {
                let text = line.get(4..).unwrap_or_default().to_owned();
                // Challenges are never the same; those of CRAM-MD5, which may be short, begin
                // with an angle bracket.
                let challenge = text.len() >= 40 || (code == 334 && text.starts_with("PD"));
                if !challenge && code != 220 {
                    self.said.push(format!("{code} {text}"));
                }
                return (code, text);
            }
        }
    }

    fn say(&mut self, line: &str) -> (u16, String) {
        self.input.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    /// Ends it, and gives what was replied and logged.
    fn end(mut self) -> String {
        self.say("MAIL FROM:<a@b.test>");
        self.say("QUIT");
        drop(self.input);
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(self.child.wait().unwrap().success());
        let log = told.lines().filter(|line| line.starts_with("LOG: ")).map(str::to_owned);
        self.said.into_iter().chain(log).collect::<Vec<_>>().join("\n")
    }
}

/// Attempts of a client to authenticate: what it says, one line after the other.
type Attempts<'a> = &'a [(&'a str, &'a dyn Fn(&mut Talk))];

/// Plays attempts with eximious, and with the real Exim where it is installed,
/// who have to say the same.
fn plays_alike(configuration: &Path, attempts: Attempts<'_>) -> Vec<String> {
    let exim = common::reference();
    let play = |program: &str, act: &dyn Fn(&mut Talk)| {
        let mut talk = Talk::start(program, configuration);
        act(&mut talk);
        talk.end()
    };
    let one = |(name, act): &(&str, &dyn Fn(&mut Talk))| {
        let ours = play(OURS, *act);
        if let Some(exim) = &exim {
            assert_eq!(ours, play(exim, *act), "{name}");
        }
        ours
    };
    attempts.iter().map(one).collect()
}

fn encoded(text: &str) -> String {
    String::from_utf8(base64::encode(text.as_bytes())).unwrap()
}

/// Answers a challenge of CRAM-MD5.
fn answer(talk: &mut Talk, user: &str, secret: &str) {
    let (code, challenge) = talk.say("AUTH CRAM-MD5");
    assert_eq!(code, 334);
    let challenge = base64::decode(challenge.as_bytes()).unwrap();
    let response = cram::response(user.as_bytes(), secret.as_bytes(), &challenge);
    talk.say(&String::from_utf8(base64::encode(&response)).unwrap());
}

/// How eximious as a client gets on with a server, with the authenticator of a
/// name.
fn logs_in(program: &str, configuration: &Path, name: &str) -> (AuthOutcome, String) {
    let world = eximious_world::system();
    let builder = Engine::builder().world(world.clone());
    let path = configuration.display().to_string();
    let config = Config::read(path.as_bytes(), Macros::new(), &world, builder.registry());
    let config = config.unwrap_or_else(|why| panic!("{why}"));
    let mut cx = config.build(builder).context();
    let all = Authenticators::new(&config);
    let one = all.named(name.as_bytes()).unwrap();
    let mut talk = Talk::start(program, configuration);
    let (mut login, mut next) = Login::begin(&mut cx, one, None);
    loop {
        match next {
            Move::Say(line) => {
                let (code, text) = talk.say(&String::from_utf8(line).unwrap());
                next = login.hear(&mut cx, code, text.as_bytes());
            }
            Move::Done(outcome) => return (outcome, talk.end()),
        }
    }
}

#[test]
fn our_client_and_both_servers() {
    let directory = directory();
    let servers = [Some(OURS.to_owned()), common::reference()];
    for server in servers.iter().flatten() {
        for (password, accepted) in [("secret", true), ("wrong", false)] {
            let text = [HEAD, &BOTH_SIDES.replace("PASSWORD", password)].concat();
            let path = configuration(directory.path(), "both.conf", &text);
            for name in NAMES {
                let (outcome, told) = logs_in(server, &path, name);
                let expected = if accepted { AuthOutcome::Accepted } else { AuthOutcome::Refused };
                assert_eq!(outcome, expected, "{server} {name}: {told}");
                let by = if accepted { name } else { "" };
                assert!(told.contains(&format!("by <{by}>")), "{server} {name}: {told}");
            }
        }
    }
}

/// A listener whose connections are sessions of eximious, as inetd starts them.
struct Listener {
    port: u16,
    ends: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listener {
    fn start(configuration: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends = Arc::new(AtomicBool::new(false));
        let (ended, configuration) = (ends.clone(), configuration.to_owned());
        let thread = std::thread::spawn(move || {
            let mut children = Vec::new();
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let stream = stream.unwrap();
                let output = OwnedFd::from(stream.try_clone().unwrap());
                let child = Command::new(OURS)
                    .arg("-C")
                    .arg(&configuration)
                    .arg("-bs")
                    .stdin(OwnedFd::from(stream))
                    .stdout(output)
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                children.push(child);
            }
            for mut child in children {
                let _ = child.kill();
                let _ = child.wait();
            }
        });
        Self { port, ends, thread: Some(thread) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn exim_as_a_client() {
    let Some(exim) = common::reference() else { return };
    for (password, name) in NAMES.iter().flat_map(|name| [("secret", name), ("wrong", name)]) {
        let (ours, theirs) = (directory(), directory());
        // The one authenticator that there is.
        let start = BOTH_SIDES.find(&format!("\n{name}:")).unwrap() + 1;
        let rest = &BOTH_SIDES[start..];
        let end = rest.find("\n").and_then(|line| {
            let ends = |at: &usize| !rest[*at..].starts_with(' ');
            rest.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at > line + 1).find(ends)
        });
        let one = rest[..end.unwrap_or(rest.len())].replace("PASSWORD", password);
        let authenticators = format!("begin authenticators\n{one}");
        let server = configuration(ours.path(), "exim.conf", &[HEAD, &authenticators].concat());
        let listener = Listener::start(&server);
        let client = format!(
            "primary_hostname = client.test.ex\nspool_directory = DIR/spool\n\
             log_file_path = DIR/log/%slog\nkeep_environment =\nbegin routers\nall:\n  driver = \
             manualroute\n  route_list = * 127.0.0.1\n  self = send\n  transport = smtp\nbegin \
             transports\nsmtp:\n  driver = smtp\n  port = {}\n  hosts_try_auth = *\n  \
             hosts_try_fastopen =\n{authenticators}",
            listener.port
        );
        let path = configuration(theirs.path(), "exim.conf", &client);
        let path = path.display().to_string();
        let run = common::run(
            &exim,
            &["-C", &path, "-odi", "-f", "a@b.test", "c@d.test"],
            b"Subject: x\n\nx\n",
        );
        let log = std::fs::read_to_string(theirs.path().join("log/mainlog"))
            .unwrap_or_else(|why| panic!("{why}: {run:?}"));
        let told = std::fs::read_to_string(ours.path().join("log/mainlog")).unwrap_or_default();
        if password == "secret" {
            assert!(log.contains(&format!(" A={name} ")), "{name}: {log}\n{told}");
            let whom = if *name == "ext" { "secret" } else { "tim" };
            let id = format!("id <{whom}> by <{name}> failed <> <0> <esmtpa>");
            assert!(told.contains(&id), "{name}: {told}");
        } else {
            let failed = format!("{name} authenticator failed H=127.0.0.1 [127.0.0.1] 535");
            assert!(log.contains(&failed), "{name}: {log}\n{told}");
            assert!(told.contains(" authenticator failed for "), "{name}: {told}");
        }
        // Whatever is said of it, the password is in no log.
        assert!(*name == "ext" || !told.contains(password), "{told}");
    }
}

#[test]
fn dovecot() {
    let Some(program) = servers::program("dovecot") else { return };
    let home = Home::new("nobody");
    let shown = home.path().display().to_string();
    // Nobody waits, however often somebody was wrong.
    home.write("users", "tim:{PLAIN}secret\n");
    let port = servers::free_port();
    let text = format!(
        "base_dir = {shown}/run\nstate_dir = {shown}/run\nlog_path = {shown}/dovecot.log\n\
         ssl = no\nprotocols =\nauth_mechanisms = plain login cram-md5\n\
         disable_plaintext_auth = no\nauth_failure_delay = 0\n\
         default_login_user = nobody\ndefault_internal_user = nobody\n\
         default_internal_group = nogroup\n\
         passdb {{\n driver = passwd-file\n args = {shown}/users\n}}\n\
         userdb {{\n driver = static\n args = uid=65534 gid=65534 home=/tmp\n}}\n\
         service auth {{\n chroot =\n unix_listener auth-client {{\n mode = 0666\n }}\n \
         inet_listener auth-tcp {{\n address = 127.0.0.1\n port = {port}\n }}\n}}\n\
         service anvil {{\n chroot =\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\nservice stats {{\n chroot =\n}}\n"
    );
    let path = home.write("dovecot.conf", text);
    // Its parts change to their users, for which it has to be the superuser.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program).arg("-F").arg("-c").arg(path);
    let socket = home.path().join("run/auth-client");
    let server = Server::start(home, &mut command, || socket.exists());
    let directory = directory();
    let sockets = [socket.display().to_string(), format!("127.0.0.1 {port}")];
    for socket in sockets {
        let one = |mechanism: &str| {
            format!(
                "{}:\n  driver = dovecot\n  public_name = {mechanism}\n  server_socket = \
                 {socket}\n  server_set_id = $auth1\n",
                mechanism.to_lowercase().replace('-', "_")
            )
        };
        let all = ["PLAIN", "LOGIN", "CRAM-MD5", "NTLM"].map(one).concat();
        let text = [HEAD, "begin authenticators\n", &all].concat();
        let path = configuration(directory.path(), "dovecot.conf", &text);
        let (right, wrong) = (encoded("\0tim\0secret"), encoded("\0tim\0wrong"));
        let all: Attempts<'_> = &[
            ("plain", &|talk| drop(talk.say(&format!("AUTH PLAIN {right}")))),
            ("plain, asked", &|talk| {
                talk.say("AUTH PLAIN");
                talk.say(&right);
            }),
            ("wrong, then right", &|talk| {
                talk.say(&format!("AUTH PLAIN {wrong}"));
                talk.say(&format!("AUTH PLAIN {right}"));
            }),
            ("login", &|talk| {
                talk.say("AUTH LOGIN");
                talk.say(&encoded("tim"));
                talk.say(&encoded("secret"));
            }),
            ("given up", &|talk| {
                talk.say("AUTH LOGIN");
                talk.say("*");
            }),
            ("cram", &|talk| answer(talk, "tim", "secret")),
            ("cram, wrong", &|talk| answer(talk, "tim", "wrong")),
            ("a mechanism that it does not speak", &|talk| drop(talk.say("AUTH NTLM"))),
            ("not base 64", &|talk| drop(talk.say("AUTH PLAIN A\tB"))),
        ];
        // How it is reached makes no difference to the rest.
        if !socket.starts_with('/') {
            plays_alike(&path, &all[..2]);
            continue;
        }
        let told = plays_alike(&path, all);
        for (number, whom) in [(0, "plain"), (1, "plain"), (2, "plain"), (3, "login")] {
            let id = format!("id <tim> by <{whom}>");
            assert!(told[number].contains(&id), "{}", told[number]);
        }
        assert!(told[7].contains("did not advertise mechanism \"NTLM\""), "{}", told[7]);
    }
    drop(server);
}

/// The packaged Exim does not know the option yet; whoever speaks Dovecot's words is told
/// nothing in the clear.
#[test]
fn dovecot_over_tls() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut wire = Wire::serve(listener.accept().unwrap().0);
        let greeting = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nDONE\n";
        wire.write_all(greeting.as_bytes()).unwrap();
        let mut lines = BufReader::new(wire);
        let mut heard = String::new();
        while !heard.contains("AUTH\t") {
            assert_ne!(lines.read_line(&mut heard).unwrap(), 0, "{heard}");
        }
        lines.get_mut().write_all(b"OK\t1\tuser=tim\n").unwrap();
        // The next one speaks no TLS.
        let (mut plain, _) = listener.accept().unwrap();
        plain.write_all(greeting.as_bytes()).unwrap();
        heard
    });
    let directory = directory();
    let text = format!(
        "{HEAD}begin authenticators\nplain:\n  driver = dovecot\n  public_name = PLAIN\n  \
         server_socket = 127.0.0.1 {port}\n  server_tls\n  server_set_id = $auth1\n"
    );
    let path = configuration(directory.path(), "dovecot.conf", &text);
    let play = || {
        let mut talk = Talk::start(OURS, &path);
        talk.say(&format!("AUTH PLAIN {}", encoded("\0tim\0secret")));
        talk.end()
    };
    let told = play();
    assert!(told.contains("id <tim> by <plain>"), "{told}");
    let told = play();
    assert!(told.contains("435 ") && told.contains("TLS connect failed: "), "{told}");
    let heard = server.join().unwrap();
    assert!(heard.contains("\tresp=") && heard.contains("rip=192.0.2.1"), "{heard}");
}

#[test]
fn cyrus_sasl() {
    let Some(program) = servers::program("saslpasswd2") else { return };
    let directory = directory();
    let shown = directory.path().display().to_string();
    std::fs::write(
        directory.path().join("exim.conf"),
        format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {shown}/db\n\
             mech_list: PLAIN LOGIN CRAM-MD5\n"
        ),
    )
    .unwrap();
    let program = program.display().to_string();
    let file = format!("{shown}/db");
    let made =
        common::run(&program, &["-p", "-c", "-f", &file, "-u", "mx.test.ex", "tim"], b"secret\n");
    assert_eq!(made.status, Some(0), "{made:?}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let one = |mechanism: &str| {
        format!(
            "{}:\n  driver = cyrus_sasl\n  public_name = {mechanism}\n  server_set_id = $auth1\n",
            mechanism.to_lowercase().replace('-', "_")
        )
    };
    let all = ["PLAIN", "LOGIN", "CRAM-MD5"].map(one).concat();
    let text = [HEAD, "begin authenticators\n", &all].concat();
    let path = configuration(directory.path(), "sasl.conf", &text);
    let plain = |text: &'static str| {
        move |talk: &mut Talk| drop(talk.say(&format!("AUTH PLAIN {}", encoded(text))))
    };
    let told = plays_alike(
        &path,
        &[
            ("plain", &plain("\0tim\0secret")),
            ("wrong", &plain("\0tim\0wrong")),
            ("unknown", &plain("\0tom\0secret")),
            ("for another", &plain("tom\0tim\0secret")),
            ("junk", &plain("junk")),
            ("nothing", &|talk| drop(talk.say("AUTH PLAIN ="))),
            ("asked", &|talk| {
                talk.say("AUTH PLAIN");
                talk.say(&encoded("\0tim\0secret"));
            }),
            ("given up", &|talk| {
                talk.say("AUTH PLAIN");
                talk.say("*");
            }),
            ("login", &|talk| {
                talk.say("AUTH LOGIN");
                talk.say(&encoded("tim"));
                talk.say(&encoded("secret"));
            }),
            ("cram", &|talk| answer(talk, "tim", "secret")),
            ("cram, wrong", &|talk| answer(talk, "tim", "wrong")),
        ],
    );
    for (number, whom) in [(0, "plain"), (6, "plain"), (8, "login"), (9, "cram_md5")] {
        assert!(told[number].contains(&format!("id <tim> by <{whom}>")), "{}", told[number]);
    }
}

/// A real client, whose library is not ours to link: each mechanism, with the
/// password and with another.
#[test]
fn gnu_sasl_as_a_client() {
    let Some(program) = servers::program("gsasl") else { return };
    let program = program.display().to_string();
    let mechanisms =
        ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL"];
    for mechanism in mechanisms {
        let directory = directory();
        let external = mechanism == "EXTERNAL";
        let (own, user) = match external {
            true => ("server_condition = ${if eq{$auth1}{tim}}", ["tim", "tom"]),
            false => (
                "server_password = ${if eq{$auth1}{tim}{secret}fail}\n  server_condition = \
                 ${if eq{$auth1}{tim}}",
                ["tim", "tim"],
            ),
        };
        let text = format!(
            "{HEAD}begin authenticators\nsasl:\n  driver = gsasl\n  public_name = {mechanism}\n  \
             server_realm = test.ex\n  server_set_id = $auth1\n  {own}\n"
        );
        let path = configuration(directory.path(), "exim.conf", &text);
        let listener = Listener::start(&path);
        let port = format!("127.0.0.1:{}", listener.port);
        for (user, password) in user.iter().zip(["secret", "wrong"]) {
            let mut args = vec!["--smtp", "--no-starttls", "-m", mechanism, "-a", user];
            args.extend(["-p", password, "--service", "smtp", "--hostname", "mx.test.ex"]);
            args.extend(["--realm", "test.ex", "--quality-of-protection", "qop-auth"]);
            if external {
                args.extend(["-z", user]);
            }
            args.extend(["--connect", &port]);
            let run = common::run(&program, &args, b"");
            let good = password == "secret";
            assert_eq!(run.status == Some(0), good, "{mechanism} {password}: {run:?}");
            assert_eq!(run.out.contains("235 Authentication succeeded"), good, "{run:?}");
        }
    }
}
