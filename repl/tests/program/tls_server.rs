//! What a server gives clients beside its certificate: tickets, with which they come back, and
//! proofs that the certificate is valid.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious_tests::daemons::Daemon;
use eximious_tests::tls::{Wishes, certificates};

use super::common;

const OURS: &str = env!("CARGO_BIN_EXE_eximious");

/// A daemon that offers TLS.
fn server(more: &str) -> Daemon {
    let head = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
        acl_smtp_rcpt = accept\nqueue_only\n";
    let config = format!("{head}{more}").replace("CERTS", &certificates().display().to_string());
    Daemon::start(Path::new(OURS), &config, &[])
}

/// What `openssl s_client` says of a visit.
fn visit(server: &Daemon, options: &str) -> String {
    let script = format!(
        "(sleep 0.5; printf 'QUIT\\r\\n'; sleep 0.2) | timeout 20 openssl s_client -ign_eof \
         -starttls smtp -connect 127.0.0.1:{} {options} 2>&1",
        server.port
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn daemons_with_one_secret_take_up_each_others_sessions() {
    let folder = tempfile::TempDir::new().unwrap();
    let secret = |name: &str, byte: u8| {
        let path = folder.path().join(name);
        std::fs::write(&path, [byte; 48]).unwrap();
        Command::new("chmod").arg("a+rx").arg(folder.path()).status().unwrap();
        format!("tls_resumption_hosts = *\ntls_ticket_secret_file = {}\n", path.display())
    };
    let (one, other) = (secret("one", 1), secret("other", 2));
    for version in ["-tls1_2", "-tls1_3"] {
        let session = folder.path().join("session").display().to_string();
        let first = server(&one);
        let said = visit(&first, &format!("{version} -sess_out {session}"));
        assert!(said.contains("New, TLS"), "{said}");
        drop(first);
        // It comes back after a restart, and so does another with the same secret.
        for (config, word) in [
            (one.as_str(), "Reused, TLS"),
            (other.as_str(), "New, TLS"),
            ("tls_resumption_hosts = *\n", "New, TLS"),
            ("", "New, TLS"),
        ] {
            let said = visit(&server(config), &format!("{version} -sess_in {session}"));
            assert!(said.contains(word), "{version} {config}: {said}");
        }
    }
}

#[test]
fn a_secret_that_is_none_ends_tls_and_not_the_session() {
    let server = server("tls_resumption_hosts = *\ntls_ticket_secret_file = /nowhere/secret\n");
    let said = visit(&server, "");
    assert!(said.contains("454 TLS currently unavailable") || !said.contains("New, TLS"), "{said}");
    server.await_log("(tls_ticket_secret_file): No such file or directory");
}

#[test]
fn a_client_says_for_which_host_and_nothing_else() {
    let named = "${if eq{$tls_in_sni}{}{server}{$tls_in_sni}}";
    let config = format!(
        "acl_smtp_rcpt = accept\ntls_certificate = CERTS/{named}.pem\n\
         tls_privatekey = CERTS/{named}.key\n"
    );
    let config = config.replace("CERTS", &certificates().display().to_string());
    let server = Daemon::start(Path::new(OURS), &config, &[]);
    let said = visit(&server, "-servername client");
    assert!(said.contains("subject=C = GB, O = Test, CN = client.test"), "{said}");
    let said = visit(&server, "-noservername");
    assert!(said.contains("CN = server.test"), "{said}");
    // What is more than a name leads nowhere.
    let said = visit(&server, "-servername ./client");
    assert!(!said.contains("CN = client.test"), "{said}");
    server.await_log("Tainted filename");
}

#[test]
fn proofs_that_prove_nothing_are_not_sent() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = folder.path().display().to_string();
    let script = format!(
        "set -e; cd {at}; certs={certs}; cat $certs/server.pem $certs/ca.pem > chain.pem\n\
         printf 'V\\t350101000000Z\\t\\t64\\tunknown\\t/O=Test/CN=server.test\\n' > good.index\n\
         printf 'R\\t350101000000Z\\t260101000000Z\\t64\\tunknown\\t/O=Test/CN=server.test\\n' \
         > revoked.index\n\
         proof() {{ openssl ocsp -index $2.index -CA $certs/$3.pem -rsigner $certs/$3.pem \
         -rkey $certs/$3.key -issuer $certs/$3.pem -serial $4 -respout $1.ocsp $5; }}\n\
         proof good good ca 100 '-ndays 30'; proof revoked revoked ca 100 '-ndays 30'\n\
         proof another good ca 101 '-ndays 30'; proof forged good other 100 '-ndays 30'\n\
         proof endless good ca 100 ''; echo junk > junk.ocsp\n\
         openssl req -newkey rsa:2048 -nodes -keyout by.key -out by.csr -subj /CN=by\n\
         echo extendedKeyUsage=OCSPSigning > by.ext\n\
         openssl x509 -req -in by.csr -CA $certs/ca.pem -CAkey $certs/ca.key -set_serial 9 \
         -days 30 -extfile by.ext -out by.pem\n\
         openssl ocsp -index good.index -CA $certs/ca.pem -rsigner by.pem -rkey by.key \
         -issuer $certs/ca.pem -serial 100 -respout by.ocsp -ndays 30; chmod -R a+rX .",
        certs = certificates().display()
    );
    let made = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    sign_anew(folder.path(), "signed", None);
    sign_anew(folder.path(), "outdated", Some(["20200101000000Z", "20200131000000Z"]));
    let names =
        ["good", "by", "signed", "revoked", "another", "forged", "endless", "junk", "outdated"];
    let places: Vec<String> =
        names.iter().zip(3..).map(|(name, number)| format!("127.0.0.{number}={name}")).collect();
    let config = format!(
        "tls_ocsp_file = {at}/${{extract{{$sender_host_address}}{{{}}}}}.ocsp\n",
        places.join(" ")
    );
    let config = config + &format!("tls_certificate = {at}/chain.pem\n");
    let head = "tls_privatekey = CERTS/server.key\nacl_smtp_rcpt = accept\nqueue_only\n";
    let head = head.replace("CERTS", &certificates().display().to_string());
    let server = Daemon::start(Path::new(OURS), &(head + &config), &[]);
    for (name, number) in names.iter().zip(3..) {
        let said = visit(&server, &format!("-status -bind 127.0.0.{number}"));
        assert!(said.contains("New, TLS"), "{name}: {said}");
        let shows = said.contains("OCSP Response Status: successful");
        let is_proof = ["good", "by", "signed", "endless"].contains(name);
        assert_eq!(shows, is_proof, "{name}: {said}");
        if !is_proof {
            server.await_log(&format!("OCSP proof {at}/{name}.ocsp is not sent: "));
        }
    }
    assert!(server.log("main").contains("is not sent: the certificate was revoked"));
}

/// A chain, and proofs of its certificates: each by who issued it, both in one by one of those,
/// and files with several.
const WHOLE_CHAINS: &str = r#"set -e
sign() { # name authority serial subject extension
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.csr" -subj "$4"
    echo "$5" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$3" -days 300 \
        -out "$1.pem" -extfile "$1.ext"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key \
    -out ca.pem -days 300 -subj "/O=Test/CN=Test CA"
sign between ca 5 /CN=between basicConstraints=critical,CA:TRUE
sign leaf between 100 /CN=leaf subjectAltName=DNS:leaf.test
cat leaf.pem between.pem ca.pem > chain.pem
cat between.pem ca.pem > issuers.pem
printf 'V\t350101000000Z\t\t64\tunknown\t/CN=leaf\nV\t350101000000Z\t\t05\tunknown\t/CN=between\n' \
    > index
proof() { # name authorities signer of...
    name=$1 all=$2 by=$3; shift 3
    openssl ocsp -index index -CA "$all.pem" -rsigner "$by.pem" -rkey "$by.key" "$@" \
        -respout "$name.der" -ndays 30
    { echo "-----BEGIN OCSP RESPONSE-----"; base64 "$name.der"
      echo "-----END OCSP RESPONSE-----"; } > "$name.pem"
}
own="-issuer between.pem -serial 100" above="-issuer ca.pem -serial 5"
proof one between between $own
proof other ca ca $above
proof both issuers between $own $above
proof turned issuers between $above $own
# The server itself may not say that it is valid.
proof self issuers leaf $own $above
cat one.pem other.pem > several.pem
cat other.pem one.pem > later.pem
{ echo some text; cat ca.pem one.pem; } > among.pem
tr -d '\n' < one.pem > line.pem
chmod -R a+rX .
"#;

/// What `tls_ocsp_file` has before a directory and behind it, how many certificates the proof
/// is of that is sent, and whether clients that want a proof are content.
const OF_CHAINS: &[(&str, &str, usize, bool)] = &[
    ("", "one.der", 1, true),
    ("PEM ", "one.pem", 1, true),
    ("PEM ", "several.pem", 1, true),
    ("PEM ", "later.pem", 1, true),
    ("", "both.der", 2, true),
    ("PEM ", "both.pem", 2, true),
    ("DER ", "turned.der", 2, true),
    ("PEM ", "among.pem", 1, true),
    ("PEM ", "line.pem", 1, true),
    ("PEM ", "other.pem", 0, false),
    ("", "self.der", 0, false),
];

const DEMANDING: &str = "tls_advertise_hosts =\nbegin routers\nall:\n driver = manualroute\n \
    route_list = * 127.0.0.1\n self = send\n transport = smtp\nbegin transports\nsmtp:\n \
    driver = smtp\n port = SERVER\n allow_localhost\n hosts_try_fastopen =\n \
    hosts_require_tls = *\n hosts_require_ocsp = *\n \
    tls_verify_certificates = AT/ca.pem\n tls_verify_cert_hostnames =\n\
    begin retry\n* * F,1h,10m\n";

#[test]
fn proofs_of_whole_chains_are_sent_and_believed() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = folder.path().display().to_string();
    let mut command = Command::new("sh");
    let made = command.args(["-c", WHOLE_CHAINS]).current_dir(&at).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (form, name, count, is_enough) in OF_CHAINS {
        let config = format!(
            "tls_certificate = {at}/chain.pem\ntls_privatekey = {at}/leaf.key\n\
             tls_ocsp_file = {form}{at}/{name}\nacl_smtp_rcpt = accept\nqueue_only\n"
        );
        let server = Daemon::start(Path::new(OURS), &config, &[]);
        let mut servers = vec![&server];
        for version in ["-tls1_2", "-tls1_3"] {
            let said = visit(&server, &format!("-status {version}"));
            assert!(said.contains("New, TLS"), "{name}: {said}");
            assert_eq!(said.matches("Cert Status: good").count(), *count, "{name}: {said}");
        }
        // A real Exim sends what it has, whoever gave that, but for what it does not find.
        let exim = common::reference().filter(|_| *name != "turned.der");
        let other = exim.map(|exim| Daemon::start(Path::new(&exim), &config, &[]));
        servers.extend(&other);
        for server in servers {
            let text = DEMANDING.replace("SERVER", &server.port.to_string()).replace("AT", &at);
            let client = Daemon::start(Path::new(OURS), &text, &[]);
            let mut command = Command::new(OURS);
            command.arg("-C").arg(client.path().join("exim.conf"));
            command.args(["-odf", "-f", "a@b.test", "c@d.test"]);
            common::fed(&mut command, b"Subject: x\n\nx\n");
            let log = client.log("main");
            assert_eq!(log.contains(" => c@d.test"), *is_enough, "{name}: {log}");
            let refused = log.contains("(certificate status check failed)");
            assert_eq!(refused, !is_enough, "{name}: {log}");
        }
    }
}

/// Makes a proof of the one of `by.ocsp`, with the key of whoever gave that: signed anew, and
/// since when and until when it is good may be something else.
fn sign_anew(folder: &Path, into: &str, times: Option<[&str; 2]>) {
    let mut proof = std::fs::read(folder.join("by.ocsp")).unwrap();
    // What is signed, behind six heads; then the algorithm, and the head of the signature.
    let start = 34;
    let end = match proof[start + 1] {
        0x81 => start + 3 + usize::from(proof[start + 2]),
        _ => start + 4 + usize::from(u16::from_be_bytes([proof[start + 2], proof[start + 3]])),
    };
    let places: Vec<usize> =
        (start..end).filter(|at| proof[*at..].starts_with(b"\x18\x0f20")).collect();
    assert_eq!(places.len(), 3, "when it was made, since when and until when it is good");
    if let Some([since, until]) = times {
        for (at, time) in places.iter().zip([since, since, until]) {
            proof[at + 2..at + 17].copy_from_slice(time.as_bytes());
        }
    }
    std::fs::write(folder.join("signed"), &proof[start..end]).unwrap();
    let mut command = Command::new("openssl");
    let sign = ["dgst", "-sha256", "-sign", "by.key", "signed"];
    let signature = command.args(sign).current_dir(folder).output().unwrap().stdout;
    assert_eq!(signature.len(), 256);
    let place = end + 15 + 5;
    proof[place..place + 256].copy_from_slice(&signature);
    let file = folder.join(format!("{into}.ocsp"));
    std::fs::write(&file, proof).unwrap();
    Command::new("chmod").arg("a+r").arg(file).status().unwrap();
}

/// A host whose prime for Diffie-Hellman is short is left, where `tls_dh_min_bits` says so.
#[test]
fn short_primes_are_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = folder.path().display().to_string();
    let port = eximious_tests::servers::free_port();
    let run = |script: &str| {
        let made = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    run(
        "openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_1536 -out prime.pem; mkdir spool; chmod -R a+rwX .",
    );
    let certificates = certificates().display();
    let mut host = Command::new("openssl")
        .args(["s_server", "-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-quiet"])
        .args(["-dhparam", &format!("{at}/prime.pem"), "-accept", &port.to_string()])
        .args(["-cert", &format!("{certificates}/rsa.pem")])
        .args(["-key", &format!("{certificates}/rsa.key")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < until, "the host does not listen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let is_refused = |bits: u32| {
        let config = format!(
            "keep_environment =\nprimary_hostname = mail.test\nspool_directory = {at}/spool\n\
             log_file_path = {at}/spool/%slog\nbegin routers\nr:\n  driver = manualroute\n  \
             route_data = 127.0.0.1\n  self = send\n  transport = t\nbegin transports\nt:\n  \
             driver = smtp\n  port = {port}\n  allow_localhost\n  protocol = smtps\n  \
             command_timeout = 2s\n  tls_require_ciphers = DHE:@SECLEVEL=0\n  \
             tls_dh_min_bits = {bits}\nbegin retry\n* * F,1h,1h\n"
        );
        std::fs::write(folder.path().join("conf"), config).unwrap();
        let mut command = Command::new(OURS);
        command.args(["-C", &format!("{at}/conf"), "-odf", "-f", "<>", "a@b.test"]);
        super::common::fed(&mut command, b"x\n");
        let log = std::fs::read_to_string(folder.path().join("spool/mainlog")).unwrap();
        std::fs::remove_dir_all(folder.path().join("spool")).unwrap();
        run("mkdir spool; chmod a+rwx spool");
        assert!(log.contains("== a@b.test R=r T=t defer"), "{log}");
        log.contains("prime for Diffie-Hellman is too short")
    };
    let found = [is_refused(2048), is_refused(512)];
    let _ = host.kill();
    let _ = host.wait();
    assert_eq!(found, [true, false]);
}

/// A client's connection that keeps what the client says behind its first words, until it is
/// let go.
struct Held {
    socket: TcpStream,
    spoke: bool,
    kept: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Read for Held {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.read(into)
    }
}

impl Write for Held {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match &mut *self.kept.lock().unwrap() {
            Some(kept) if self.spoke => kept.extend_from_slice(from),
            _ => self.socket.write_all(from)?,
        }
        self.spoke = true;
        Ok(from.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a client hears before the server has had all of its handshake, and what after that.
fn greeted_early(server: &Daemon, version: &str) -> (Option<String>, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let kept = Arc::new(Mutex::new(Some(Vec::new())));
    let held = Held { socket: socket.try_clone().unwrap(), spoke: false, kept: kept.clone() };
    let mut stream = Wishes::read(&format!("version={version}")).begin(held);
    let mut heard = || {
        let mut line = [0; 512];
        let count = stream.read(&mut line).ok().filter(|count| *count > 0)?;
        Some(String::from_utf8_lossy(&line[..count]).into_owned())
    };
    let early = heard();
    let rest = kept.lock().unwrap().take().unwrap();
    socket.write_all(&rest).unwrap();
    if early.is_none() {
        assert!(heard().is_some_and(|line| line.starts_with("220 ")));
    }
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut line = [0; 512];
    let count = stream.read(&mut line).unwrap();
    (early, String::from_utf8_lossy(&line[..count]).into_owned())
}

/// `tls_early_banner_hosts`: under TLS 1.3 the greeting waits for nothing.
#[test]
fn clients_are_greeted_before_the_handshake_is_over() {
    let early = "tls_on_connect_ports = PORT\nsmtp_banner = early\n";
    let with = |more: &str| server(&format!("{early}{more}"));
    let (said, rest) = greeted_early(&with("tls_early_banner_hosts = *\n"), "1.3");
    assert_eq!(said.as_deref(), Some("220 early\r\n"));
    assert!(rest.starts_with("221 "), "{rest}");
    // Who is asked for a certificate waits, as does who is not listed.
    for more in [
        "",
        "tls_early_banner_hosts = !*\n",
        "tls_early_banner_hosts = *\ntls_try_verify_hosts = *\n",
    ] {
        assert_eq!(greeted_early(&with(more), "1.3").0, None, "{more}");
    }
    // Before TLS 1.3 nothing can be said so early, and all goes on as ever.
    let ours = with("tls_early_banner_hosts = *\n");
    let script = format!(
        "(sleep 0.5; printf 'QUIT\\r\\n'; sleep 0.2) | timeout 20 openssl s_client -ign_eof \
         -tls1_2 -connect 127.0.0.1:{} 2>&1",
        ours.port
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("220 early") && said.contains("221 "), "{said}");
}
