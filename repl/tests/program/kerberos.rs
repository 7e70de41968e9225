//! `heimdal_gssapi` with a real KDC and a real client, by each of the two libraries.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious_tests::servers::{self, Home, Server, free_port};
use eximious_tests::{in_ci, root};

const OURS: &str = env!("CARGO_BIN_EXE_eximious");
const PYTHON: &str = "/usr/bin/python3";

/// A KDC of the realm TEST.EX: it knows tim, and the service `smtp` on mx.test.ex, whose keys
/// are in `keytab`.
fn kdc() -> Option<Server> {
    let [util, admin, daemon] = ["kdb5_util", "kadmin.local", "krb5kdc"].map(servers::program);
    let (util, admin, daemon) = (util?, admin?, daemon?);
    let client = Command::new(PYTHON).args(["-c", "import gssapi"]).status();
    if !client.is_ok_and(|status| status.success()) {
        assert!(!in_ci(), "no python3-gssapi: tests/setup installs it");
        eprintln!("LEFT OUT: no python3-gssapi (tests/setup installs it)");
        return None;
    }
    let home = Home::new("daemon");
    let (place, port) = (home.path().display().to_string(), free_port());
    home.write(
        "krb5.conf",
        format!(
            "[libdefaults]\n default_realm = TEST.EX\n dns_lookup_kdc = false\n \
             dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n\
             [realms]\n TEST.EX = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
             [domain_realm]\n mx.test.ex = TEST.EX\n"
        ),
    );
    home.write(
        "kdc.conf",
        format!(
            "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n TEST.EX = {{\n  database_name = {place}/principal\n  \
             key_stash_file = {place}/stash\n }}\n"
        ),
    );
    let command = |program: &Path| {
        let mut command = home.command(program);
        command.env("KRB5_CONFIG", home.path().join("krb5.conf"));
        command.env("KRB5_KDC_PROFILE", home.path().join("kdc.conf"));
        command
    };
    home.run(command(&util).args(["create", "-s", "-P", "master", "-r", "TEST.EX"]));
    for query in [
        "addprinc -pw secret tim",
        "addprinc -pw secret tom",
        "addprinc -randkey smtp/mx.test.ex",
        &format!("ktadd -k {place}/keytab smtp/mx.test.ex"),
    ] {
        home.run(command(&admin).args(["-r", "TEST.EX", "-q", query]));
    }
    home.run(Command::new("chmod").arg("644").arg(home.path().join("keytab")));
    let mut start = command(&daemon);
    start.args(["-n", "-r", "TEST.EX", "-P", &format!("{place}/pid")]);
    Some(Server::start(home, &mut start, || {
        std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).is_ok()
    }))
}

/// Gets a ticket of a user, into a file.
fn ticket(kdc: &Server, user: &str) -> PathBuf {
    let file = kdc.home().path().join(format!("ticket-{user}"));
    let password = kdc.home().write("password", "secret\n");
    let run = Command::new("kinit")
        .env("KRB5_CONFIG", kdc.home().path().join("krb5.conf"))
        .arg("-c")
        .arg(&file)
        .arg(format!("{user}@TEST.EX"))
        .stdin(std::fs::File::open(password).expect("a file"))
        .output()
        .expect("kinit");
    assert!(run.status.success(), "{run:?}");
    file
}

#[test]
fn whom_kerberos_vouches_for_is_let_in() {
    let Some(kdc) = kdc() else { return };
    let place = kdc.home().path();
    let text = |keytab: &str| {
        format!(
            "primary_hostname = mx.test.ex\nkeep_environment = KRB5_*\nspool_directory = {0}/spool\n\
             log_file_path = {0}/%slog\ntls_advertise_hosts =\nbegin authenticators\ngss:\n  \
             driver = heimdal_gssapi\n  public_name = GSSAPI\n  server_keytab = {keytab}\n  \
             server_set_id = $auth1 as $auth2\n  \
             server_condition = ${{if and{{{{eq{{$auth1}}{{tim@TEST.EX}}}}\
             {{inlist{{$auth2}}{{tim@TEST.EX:boss}}}}}}}}\n",
            place.display()
        )
    };
    let of_keys = |name: &str, keytab: String| {
        let file = place.join(name);
        std::fs::write(&file, text(&keytab)).expect("a configuration");
        file
    };
    let [config, without_keys] = ["keytab", "nothing"]
        .map(|keytab| of_keys(&format!("{keytab}.conf"), place.join(keytab).display().to_string()));
    let own = format!("${{if eq{{$sender_helo_name}}{{own}}{{{}/keytab}}}}", place.display());
    let sometimes = of_keys("sometimes.conf", own);
    // The mail server's user writes there.
    std::fs::set_permissions(place, PermissionsExt::from_mode(0o777)).expect("rights");
    let tickets = ["tim", "tom"].map(|user| ticket(&kdc, user));
    // Where the first of the libraries can't be loaded, the second one is.
    let broken = place.join("broken");
    std::fs::create_dir(&broken).expect("a directory");
    std::fs::write(broken.join("libgssapi.so.3"), "no library").expect("a file");
    let nowhere = place.join("nowhere");
    for libraries in [&nowhere, &broken] {
        let play = |config: &Path, ticket: &Path, way: &str, acting: &str| {
            let run = Command::new(PYTHON)
                .arg(root().join("tests/data/kerberos/client.py"))
                .args([way, acting, OURS, "-C"])
                .arg(config)
                .args(["-bs", "-oMa", "192.0.2.1"])
                .env("KRB5_CONFIG", place.join("krb5.conf"))
                .env("KRB5CCNAME", ticket)
                .env("LD_LIBRARY_PATH", libraries)
                .output()
                .expect("a client");
            let heard = String::from_utf8_lossy(&run.stdout).into_owned();
            assert!(run.status.success(), "{way} {run:?}");
            heard.lines().last().unwrap_or_default().to_owned()
        };
        let [tim, tom] = &tickets;
        for way in ["first", "asked", "oneway"] {
            for acting in ["", "boss"] {
                let heard = play(&config, tim, way, acting);
                assert_eq!(heard, "235 Authentication succeeded", "{way} {acting}");
            }
        }
        for way in ["junk", "layer", "short", "changed"] {
            let heard = play(&config, tim, way, "");
            assert_eq!(heard, "535 Incorrect authentication data", "{way}");
        }
        let heard = play(&config, tom, "first", "");
        assert_eq!(heard, "535 Incorrect authentication data");
        let heard = play(&without_keys, tim, "first", "");
        assert_eq!(heard, "435 Unable to authenticate at present");
        // Whose file of keys is which: none has another one's, nor the system's for its own.
        let asked = |config: &Path, keys: &str| {
            let input = "EHLO own\r\nAUTH GSSAPI\r\n*\r\nEHLO other\r\nAUTH GSSAPI\r\n*\r\n";
            let run = Command::new(OURS)
                .arg("-C")
                .arg(config)
                .args(["-bs", "-oMa", "192.0.2.1"])
                .env("KRB5_CONFIG", place.join("krb5.conf"))
                .env("KRB5_KTNAME", place.join(keys))
                .env("LD_LIBRARY_PATH", libraries)
                .stdin(std::fs::File::open(kdc.home().write("input", input)).expect("a file"))
                .output()
                .expect("it runs");
            let heard = String::from_utf8_lossy(&run.stdout).into_owned();
            assert!(run.stderr.is_empty(), "{run:?}");
            let codes = heard.lines().map(|line| &line[..3]);
            codes.filter(|code| matches!(*code, "334" | "435")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(asked(&sometimes, "keytab"), "334 334");
        assert_eq!(asked(&sometimes, "nothing"), "334 435");
        assert_eq!(asked(&without_keys, "keytab"), "435 435");
    }
}
