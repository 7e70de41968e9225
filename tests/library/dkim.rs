//! DKIM beside dkimpy: what we sign it verifies, and what it signs we do.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use eximious_mailauth::canon::{BodyHasher, Canon};
use eximious_mailauth::crypto::{Hash, KeyType, PrivateKey};
use eximious_mailauth::dkim::{
    DkimPolicy, DkimResult, DkimSigner, DkimStatus, DkimVerifier, OVERSIGN_HEADERS, SIGN_HEADERS,
};
use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};
use eximious_tests::root;

/// A header with duplicate and folded fields.
pub const HEADER: [&[u8]; 5] = [
    b"From: A  <a@dkim.test>\r\n",
    b"To: b@me.test,\r\n\tc@me.test \r\n",
    b"Subject:  hello   there\r\n",
    b"subject: again\r\n",
    b"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n",
];
/// A body on which the canonicalizations differ.
pub const BODY: &[u8] = b"Hello,\r\n\r\nthis is \t a body. \r\n.\r\n \r\n\r\n";
pub const CANONS: [Canon; 2] = [Canon::Simple, Canon::Relaxed];
/// A day in 2023, and one in 2100.
const CREATED: i64 = 1_700_000_000;
pub const EXPIRES: i64 = 4_102_444_800;

/// dkimpy: lines of a task, a key or its record, options, and the message as Base64; it answers
/// each with a line.
const DKIMPY: &str = "import base64, sys, dkim
for line in sys.stdin:
    what, key, header, body, algorithm, length, identity, message = line.rstrip('\\n').split('|')
    key, message = base64.b64decode(key), base64.b64decode(message)
    try:
        if what == 'verify':
            print(dkim.verify(message, dnsfunc=lambda name, timeout=5: key))
        else:
            field = dkim.sign(message, b'sel', b'dkim.test', key, identity.encode() or None,
                (header.encode(), body.encode()), algorithm.encode(), length=length == 'yes')
            print(base64.b64encode(field).decode())
    except Exception as error:
        print('error', repr(error).replace('\\n', ' '))
";
/// Debian's Python, which has dkimpy.
const PYTHON: &str = "/usr/bin/python3";

/// A DNS with one key at all names.
struct Key(Vec<u8>);

impl DnsSource for Key {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        questions.iter().map(|_| DnsResponse::Records(vec![Rdata::Text(self.0.clone())])).collect()
    }
}

fn is_there(module: &str) -> bool {
    let found = Command::new(PYTHON).args(["-c", &format!("import {module}")]).output();
    found.is_ok_and(|found| found.status.success())
}

fn left_out(what: &str) {
    assert!(!eximious_tests::in_ci(), "{what} is not installed");
    let _ = writeln!(std::io::stderr(), "LEFT OUT: no {what}");
}

/// Keys: as PEM, read, and as records publish them.
pub fn keys(names: &[&str]) -> Vec<(String, PrivateKey, Vec<u8>)> {
    let read = |name: &&str| {
        let file = root().join(format!("tests/data/dkim/{name}.pem"));
        let pem = std::fs::read_to_string(file).expect("a key");
        let key = PrivateKey::read(&pem).expect("a key");
        let public = BASE64_STANDARD.encode(key.public());
        let record = format!("v=DKIM1; k={}; p={public}", key.kind().name());
        (pem, key, record.into_bytes())
    };
    names.iter().map(read).collect()
}

/// The keys that dkimpy can do with.
fn known_keys() -> Vec<(String, PrivateKey, Vec<u8>)> {
    match is_there("nacl") {
        true => keys(&["rsa1024", "rsa2048", "ed25519"]),
        false => keys(&["rsa1024", "rsa2048"]),
    }
}

/// Asks dkimpy many things at once.
fn dkimpy(tasks: &[String]) -> Vec<String> {
    let mut command = Command::new(PYTHON);
    command.args(["-c", DKIMPY]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python");
    let mut input = child.stdin.take().expect("a pipe");
    let all = tasks.concat();
    let writer = std::thread::spawn(move || input.write_all(all.as_bytes()));
    let output = child.wait_with_output().expect("dkimpy ends");
    writer.join().expect("a thread").expect("dkimpy reads");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let answers: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), tasks.len());
    answers
}

fn task(what: &str, key: &[u8], options: &str, message: &[u8]) -> String {
    let (key, message) = (BASE64_STANDARD.encode(key), BASE64_STANDARD.encode(message));
    format!("{what}|{key}|{options}|{message}\n")
}

/// A message with a field above all others.
pub fn message(field: &[u8], header: &[&[u8]], body: &[u8]) -> Vec<u8> {
    [field, &header.concat(), b"\r\n", body].concat()
}

/// What we find of a message.
pub fn verified(field: &[u8], header: &[&[u8]], body: &[u8], record: &[u8]) -> DkimResult {
    let header = [&[field][..], header].concat();
    let hashes = vec![Hash::Sha256, Hash::Sha1];
    let verifier = DkimVerifier::new(&header, DkimPolicy { hashes, ..DkimPolicy::default() });
    let verifier = verifier.expect("one signature");
    let mut hasher = BodyHasher::new(verifier.bodies());
    hasher.push(body);
    let results = verifier.verify(&header, &hasher.finish(), &mut Key(record.to_vec()));
    results.into_iter().next().expect("a signature")
}

/// Messages with a header that we sign in all ways with a key, some of them altered since, and
/// whether the signature holds.
pub fn signed(header: &[&[u8]], key: &PrivateKey, record: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let mut messages = Vec::new();
    for (header_canon, body_canon) in CANONS.into_iter().flat_map(|a| CANONS.map(|b| (a, b))) {
        for (length, identity, headers, dates) in [
            (None, None, SIGN_HEADERS, false),
            (Some(9), Some(&b"joe@sub.dkim.test"[..]), OVERSIGN_HEADERS, true),
            (Some(0), Some(b"@dkim.test"), "from:=subject:+to:+x-none", true),
        ] {
            let signer = DkimSigner {
                key,
                domain: b"dkim.test",
                selector: b"sel",
                identity,
                hash: Hash::Sha256,
                header_canon,
                body_canon,
                length,
                headers: headers.as_bytes(),
                created: dates.then_some(CREATED),
                expires: dates.then_some(EXPIRES),
            };
            let mut hasher = BodyHasher::new([signer.body()]);
            hasher.push(BODY);
            let field = signer.sign(header, &hasher.finish()).expect("a signature");
            let mut ask = |header: &[&[u8]], body: &[u8], good: bool| {
                let text = message(&field, header, body);
                let own = verified(&field, header, body, record).status == DkimStatus::Pass;
                assert_eq!(own, good, "{}", String::from_utf8_lossy(&text));
                messages.push((text, good));
            };
            ask(header, BODY, true);
            ask(header, &[b"J", &BODY[1..]].concat(), length == Some(0));
            ask(header, &[BODY, b"more\r\n"].concat(), length.is_some());
            ask(&header[1..], BODY, false);
            // What was oversigned can't be added.
            let more = [header, &[b"Subject: third\r\n"]].concat();
            let is_open = headers == "from:=subject:+to:+x-none" || headers == SIGN_HEADERS;
            if !is_open {
                ask(&more, BODY, false);
            }
            let to = [header, &[b"To: d@me.test\r\n"]].concat();
            if headers != SIGN_HEADERS {
                ask(&to, BODY, false);
            }
            let none = [header, &[b"X-None: x\r\n"]].concat();
            ask(&none, BODY, !headers.ends_with("x-none"));
        }
    }
    messages
}

#[test]
fn dkimpy_verifies_what_we_sign() {
    if !is_there("dkim") {
        return left_out("dkimpy (python3-dkim)");
    }
    let (mut tasks, mut wanted) = (Vec::new(), Vec::new());
    for (_, key, record) in &known_keys() {
        for (message, good) in signed(&HEADER, key, record) {
            tasks.push(task("verify", record, "||||", &message));
            wanted.push((good, String::from_utf8_lossy(&message).into_owned()));
        }
    }
    let answers = dkimpy(&tasks);
    for (answer, (good, message)) in answers.iter().zip(&wanted) {
        assert_eq!(answer == "True", *good, "{answer}: {message}");
    }
    assert!(wanted.len() >= 160, "{}", wanted.len());
}

#[test]
fn we_verify_what_dkimpy_signs() {
    if !is_there("dkim") {
        return left_out("dkimpy (python3-dkim)");
    }
    let text = message(b"", &HEADER, BODY);
    let (mut tasks, mut signed_by) = (Vec::new(), Vec::new());
    let keys = known_keys();
    for (pem, key, record) in &keys {
        let hashes = if key.kind() == KeyType::Rsa {
            &["rsa-sha256", "rsa-sha1"][..]
        } else {
            &["ed25519-sha256"]
        };
        let pem = match key.kind() {
            KeyType::Rsa => pem.clone().into_bytes(),
            // It wants the bare bytes, which are the last of the PKCS #8 form.
            KeyType::Ed25519 => {
                let lines = pem.lines().filter(|line| !line.starts_with('-'));
                let der = BASE64_STANDARD.decode(lines.collect::<String>()).expect("Base64");
                BASE64_STANDARD.encode(&der[16..48]).into_bytes()
            }
        };
        for (header, body) in CANONS.into_iter().flat_map(|a| CANONS.map(|b| (a, b))) {
            for (hash, length, identity) in hashes
                .iter()
                .flat_map(|hash| [(hash, "no", ""), (hash, "yes", "joe@sub.dkim.test")])
            {
                let (header, body) = (header.name(), body.name());
                let options = format!("{header}|{body}|{hash}|{length}|{identity}");
                tasks.push(task("sign", &pem, &options, &text));
                signed_by.push((record, options));
            }
        }
    }
    for (answer, (record, options)) in dkimpy(&tasks).iter().zip(&signed_by) {
        let field =
            BASE64_STANDARD.decode(answer).unwrap_or_else(|_| panic!("{options}: {answer}"));
        let result = verified(&field, &HEADER, BODY, record);
        assert_eq!(result.status, DkimStatus::Pass, "{options}: {:?}", result.reason);
        let altered = verified(&field, &HEADER, b"other\r\n", record);
        assert_eq!(altered.status, DkimStatus::Fail, "{options}");
    }
    assert!(signed_by.len() >= 32, "{}", signed_by.len());
}
