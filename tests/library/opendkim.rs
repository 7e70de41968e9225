//! DKIM beside OpenDKIM: what we sign it verifies, and what it signs we do. Its milter has a
//! mode in which it looks at files, and a file in the DNS's place.

use std::path::PathBuf;
use std::process::Command;

use eximious_mailauth::canon::Canon;
use eximious_mailauth::dkim::DkimStatus;
use eximious_tests::root;
use eximious_tests::servers::program;
use tempfile::TempDir;

use crate::dkim::{BODY, CANONS, HEADER, keys, message, signed, verified};

/// The same without a second blank at the beginning of a value: read from a file, OpenDKIM
/// takes it for none.
const ITS_HEADER: [&[u8]; 5] =
    [HEADER[0], HEADER[1], b"Subject: hello   there\r\n", HEADER[3], HEADER[4]];
const KEYS: [&str; 3] = ["rsa1024", "rsa2048", "ed25519"];

/// OpenDKIM with a configuration, in a directory of its own.
struct OpenDkim {
    program: PathBuf,
    directory: TempDir,
}

impl OpenDkim {
    fn find() -> Option<Self> {
        let directory = TempDir::with_prefix("eximious-").expect("a directory");
        Some(Self { program: program("opendkim")?, directory })
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// What it says of messages in files.
    fn said(&self, settings: &str, files: &[String]) -> String {
        let settings = self.write("conf", settings);
        let mut command = Command::new(&self.program);
        command.args(["-vv", "-x", &settings, "-t", &files.join(",")]);
        let output = command.output().expect("OpenDKIM runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn opendkim_verifies_what_we_sign() {
    let Some(opendkim) = OpenDkim::find() else { return };
    for (_, key, record) in &keys(&KEYS) {
        let record = String::from_utf8_lossy(record);
        let published = format!("sel._domainkey.dkim.test {record}\n");
        let published = opendkim.write("keys", published);
        let settings = format!("TestPublicKeys {published}\nMinimumKeyBits 0\n");
        let mut messages = signed(&ITS_HEADER, key, record.as_bytes());
        // Without an author, it looks no further.
        messages.retain(|(text, _)| text.windows(7).any(|part| part == b"\nFrom: "));
        let write = |(number, (text, _)): (usize, &(Vec<u8>, bool))| {
            opendkim.write(&format!("{number}.eml"), text)
        };
        let files: Vec<String> = messages.iter().enumerate().map(write).collect();
        let said = opendkim.said(&settings, &files);
        for (file, (text, good)) in files.iter().zip(&messages) {
            let line = said.lines().find(|line| line.contains(&format!("{file}: verification")));
            let text = String::from_utf8_lossy(text);
            let line = line.unwrap_or_else(|| panic!("nothing of {file}: {said}\n{text}"));
            assert_eq!(line.ends_with(" succeeded"), *good, "{line}\n{text}");
        }
        assert!(messages.len() > 50, "{}", messages.len());
    }
}

#[test]
fn we_verify_what_opendkim_signs() {
    let Some(opendkim) = OpenDkim::find() else { return };
    let file = opendkim.write("message.eml", message(b"", &ITS_HEADER, BODY));
    for (name, (_, _, record)) in KEYS.iter().zip(&keys(&KEYS)) {
        let key = root().join(format!("tests/data/dkim/{name}.pem"));
        for (header, body) in CANONS.into_iter().flat_map(|a| CANONS.map(|b| (a, b))) {
            // Its own verifier refuses what it signs so.
            if *name == "ed25519" && header == Canon::Simple {
                continue;
            }
            for more in ["", "OversignHeaders From,Subject,To\n", "SignatureTTL 100000000\n"] {
                let settings = format!(
                    "Mode s\nDomain dkim.test\nSelector sel\nKeyFile {}\nRequireSafeKeys no\n\
                     Canonicalization {}/{}\nSignatureAlgorithm {}\n{more}",
                    key.display(),
                    header.name(),
                    body.name(),
                    if *name == "ed25519" { "ed25519-sha256" } else { "rsa-sha256" },
                );
                let said = opendkim.said(&settings, std::slice::from_ref(&file));
                let field = added(&said).unwrap_or_else(|| panic!("{settings}\n{said}"));
                let found = verified(field.as_bytes(), &ITS_HEADER, BODY, record);
                assert_eq!(found.status, DkimStatus::Pass, "{:?} {settings}{field}", found.reason);
                let altered = verified(field.as_bytes(), &ITS_HEADER, b"other\r\n", record);
                assert_eq!(altered.status, DkimStatus::Fail, "{field}");
            }
        }
    }
}

/// The field that it adds.
fn added(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("hname='DKIM-Signature' hvalue='")?;
    let (value, _) = rest.split_once('\'')?;
    Some(format!("DKIM-Signature: {}\r\n", value.replace('\n', "\r\n")))
}
