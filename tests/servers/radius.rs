//! The condition `radius`, against a real FreeRADIUS.

use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use eximious::{Engine, Settings, Str};
use eximious_tests::servers::{Home, Server, free_port, program};
use tempfile::TempDir;

/// A configuration of the server: users in a file, passwords in clear.
fn radiusd(home: &Home, port: u16) {
    let dir = home.path().display();
    home.write(
        "radiusd.conf",
        format!(
            "prefix = {dir}\nlogdir = {dir}\nrun_dir = {dir}\npidfile = {dir}/pid\n\
             libdir = /usr/lib/freeradius\nmax_requests = 1024\n\
             log {{\n destination = stdout\n}}\nsecurity {{\n max_attributes = 200\n}}\n\
             modules {{\n files {{\n  filename = {dir}/users\n }}\n pap {{\n }}\n}}\n\
             client here {{\n ipaddr = 127.0.0.1\n secret = \"s3cret word\"\n \
             require_message_authenticator = yes\n}}\n\
             server default {{\n listen {{\n  type = auth\n  ipaddr = 127.0.0.1\n  port = {port}\n }}\n\
             authorize {{\n  files\n  pap\n }}\n authenticate {{\n  Auth-Type PAP {{\n   pap\n  }}\n }}\n}}\n"
        ),
    );
    home.write(
        "users",
        "bob Cleartext-Password := \"right: password\"\n\
         bob@example.com Cleartext-Password := \"realm\"\n\
         sixteen Cleartext-Password := \"0123456789abcdef\"\n\
         longer Cleartext-Password := \"0123456789abcdef0123456789abcdefg\"\n\
         locked Auth-Type := Reject\n",
    );
}

struct Client(TempDir);

impl Client {
    fn new(text: &str) -> Self {
        let dir = TempDir::new().expect("a directory");
        std::fs::write(dir.path().join("conf"), text).expect("a file");
        Self(dir)
    }

    fn answer(&self, strings: &str) -> String {
        answer(&self.0.path().join("conf"), strings)
    }
}

fn answer(config: &Path, strings: &str) -> String {
    let mut settings = Settings::default();
    settings.radius_config_file = Str::from(config.as_os_str().as_encoded_bytes());
    let world = eximious_world::system();
    let engine = Engine::builder().world(world).settings(settings).build();
    let mut cx = engine.context();
    let text = format!("${{if radius{{{strings}}}{{y}}{{n}}}}");
    match engine.compile(&text).expand(&mut cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => format!("Failed: {fail}"),
    }
}

#[test]
fn a_real_server() {
    let Some(program) = program("freeradius") else { return };
    let home = Home::new("freerad");
    let port = free_port();
    radiusd(&home, port);
    let log = home.path().join("printed");
    let mut command = home.command(&program);
    command.arg("-d").arg(home.path()).args(["-X", "-D", "/usr/share/freeradius"]);
    let ready = || {
        std::fs::read(&log)
            .is_ok_and(|text| text.windows(17).any(|window| window == b"Ready to process "))
    };
    let _server = Server::start(home, &mut command, ready);

    let head = format!("# a client\nauthserver 127.0.0.1:{port}:s3cret word\n");
    let quoted = head.replace("s3cret word", "\"s3cret word\"");
    let client = Client::new(&quoted);
    for (strings, wanted) in [
        ("bob:right:: password", "y"),
        (" bob : right:: password ", "y"),
        ("<; bob; right: password", "y"),
        ("bob:wrong", "n"),
        ("bob:", "n"),
        ("bob", "n"),
        ("nosuch:right:: password", "n"),
        ("sixteen:0123456789abcdef", "y"),
        ("sixteen:0123456789abcdefg", "n"),
        ("longer:0123456789abcdef0123456789abcdefg", "y"),
        ("locked:x", "n"),
        ("", "n"),
        (":x", "n"),
    ] {
        assert_eq!(client.answer(strings), wanted, "{strings}");
    }
    let long = "x".repeat(129);
    let refused = "Failed: RADIUS: a user or password is too long";
    assert_eq!(client.answer(&format!("bob:{long}")), refused);
    assert_eq!(client.answer(&format!("{}:x", "u".repeat(254))), refused);

    // A realm for those who have none.
    let client = Client::new(&format!("{quoted}default_realm example.com\n"));
    assert_eq!(client.answer("bob:realm"), "y");
    assert_eq!(client.answer("bob@example.com:realm"), "y");
    assert_eq!(client.answer("bob:right:: password"), "n");

    // The other form, and secrets in a file of their own.
    let client = Client::new(&format!("auth 127.0.0.1:{port} \"s3cret word\" 2 1\n"));
    assert_eq!(client.answer("bob:right:: password"), "y");
    let secrets = TempDir::new().expect("a directory");
    let file = secrets.path().join("servers");
    std::fs::write(&file, "127.0.0.1/here \"s3cret word\"\n").expect("a file");
    let text = format!("servers {}\nauthserver 127.0.0.1:{port}\n", file.display());
    assert_eq!(Client::new(&text).answer("bob:right:: password"), "y");

    // A wrong secret: the server is silent, or what it says is not believed.
    let begun = Instant::now();
    let wrong =
        "radius_timeout 1\nradius_retries 1\n".to_owned() + &head.replace("s3cret", "other");
    let client = Client::new(&wrong);
    assert_eq!(
        client.answer("bob:right:: password"),
        "Failed: RADIUS: no answer from 127.0.0.1: timed out"
    );
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());

    // One that is down, and then one that is not.
    let down = free_port();
    let both = format!("authserver 127.0.0.1:{down}:x\n{quoted}");
    assert_eq!(Client::new(&both).answer("bob:right:: password"), "y");
    let down = Client::new(&format!("authserver 127.0.0.1:{down}:x\n"));
    assert_eq!(
        down.answer("bob:right:: password"),
        "Failed: RADIUS: no answer from 127.0.0.1: Connection refused"
    );
}

#[test]
fn answers_that_nobody_signed() {
    // A server that accepts everybody, without knowing the secret.
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let liar = std::thread::spawn(move || {
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
        let mut packet = [0; 4096];
        let (length, from) = socket.recv_from(&mut packet).expect("a question");
        let identifier = packet[1];
        let mut accept = vec![2, identifier, 0, 20];
        accept.extend([0; 16]);
        let mut echo = packet[..length].to_vec();
        echo[0] = 2;
        for answer in [&accept[..], &echo, &[], &[2], &packet[..length], &[0xff; 5000]] {
            socket.send_to(answer, from).expect("it is sent");
        }
    });
    let text = format!("authserver 127.0.0.1:{port}:secret\nradius_timeout 1\nradius_retries 0\n");
    let answer = Client::new(&text).answer("bob:x");
    assert_eq!(answer, "Failed: RADIUS: no answer from 127.0.0.1: timed out");
    liar.join().expect("it ends");
}

#[test]
fn what_is_not_configured() {
    let missing = Path::new("/nosuch-radius/client.conf");
    assert_eq!(answer(missing, "bob:x"), "Failed: support for \"radius\" not compiled");
    let none = "Failed: RADIUS: no server is configured";
    assert_eq!(Client::new("").answer("bob:x"), none);
    assert_eq!(Client::new("auth_order radius\nauth x\n").answer("bob:x"), none);
    assert_eq!(
        Client::new("authserver 127.0.0.1\n").answer("bob:x"),
        "Failed: RADIUS: no secret is known for 127.0.0.1"
    );
    let lost = Client::new("authserver 127.0.0.1\nservers /nosuch/servers\n");
    assert_eq!(
        lost.answer("bob:x"),
        "Failed: RADIUS: can't read /nosuch/servers: No such file or directory"
    );
    assert_eq!(answer(Path::new("/"), "bob:x"), "Failed: RADIUS: can't read /: Is a directory");
    let nobody = Client::new("authserver nosuch.invalid:1812:x\n").answer("bob:x");
    assert!(nobody.starts_with("Failed: RADIUS: no answer from nosuch.invalid: "), "{nobody}");
}
