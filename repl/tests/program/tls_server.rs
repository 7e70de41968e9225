//! What a server gives clients beside its certificate: tickets, with which they come back, and
//! proofs that the certificate is valid.

use std::path::Path;
use std::process::Command;

use eximious_tests::daemons::Daemon;
use eximious_tests::tls::certificates;

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
         proof endless good ca 100 ''; echo junk > junk.ocsp; chmod -R a+rX .",
        certs = certificates().display()
    );
    let made = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let names = ["good", "revoked", "another", "forged", "endless", "junk"];
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
        assert_eq!(shows, *name == "good", "{name}: {said}");
        if *name != "good" {
            server.await_log(&format!("OCSP proof {at}/{name}.ocsp is not sent: "));
        }
    }
    assert!(server.log("main").contains("is not sent: the certificate was revoked"));
}
