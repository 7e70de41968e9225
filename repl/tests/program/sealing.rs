//! Messages that are sealed on their way out (`arc_sign`), as their next host gets them.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use eximious_mailauth::arc::ArcState;
use eximious_mailauth::canon::BodyHasher;
use eximious_mailauth::crypto::PrivateKey;
use eximious_mailauth::dkim::{DkimPolicy, DkimStatus, DkimVerifier};
use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};
use eximious_tests::hosts::Host;
use eximious_tests::{arc, names};
use tempfile::TempDir;

use crate::common::onward::OURS;

const CONFIG: &str = "spool_directory = DIR/spool\nlog_file_path = DIR/%slog\n\
    keep_environment =\nprimary_hostname = hop.example\n\
    begin routers\n\
    away:\n driver = manualroute\n transport = smtp\n route_list = * 127.0.0.1\n self = send\n\
    begin transports\n\
    smtp:\n driver = smtp\n port = PORT\n allow_localhost\n hosts_avoid_tls = *\nOPTIONS\n";

const FROM: &str = "From: A <a@a.example>\nTo: b@b.example,\n  c@c.example\n\
    Date: Thu, 14 Jan 2021 15:00:01 -0800\nMessage-ID: <1@a.example>\nSubject: hello  there\n\n\
    Some  text. \n.dot\n\n";

struct Key(String);

impl DnsSource for Key {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let answer = |question: &DnsQuery| match &question.name[..] {
            b"s._domainkey.hop.example" => {
                DnsResponse::Records(vec![Rdata::Text(self.0.clone().into())])
            }
            _ => DnsResponse::NoName,
        };
        questions.iter().map(answer).collect()
    }
}

fn pem() -> String {
    let path = eximious_tests::root().join("tests/data/dkim/rsa1024.pem");
    std::fs::read_to_string(path).expect("a key")
}

/// The message as the next host gets it, with CRLF, and what the logs have to say of it.
fn sent(options: &str, message: &str) -> (String, String) {
    sent_asking(options, message, None)
}

/// As [`sent`], with a name server at a port.
fn sent_asking(options: &str, message: &str, dns: Option<u16>) -> (String, String) {
    let (directory, host) =
        (TempDir::with_prefix("eximious-").expect("a directory"), Host::new(""));
    let place = directory.path().display().to_string();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), all).expect("rights");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("a file");
    };
    write("key.pem", &pem());
    let config = CONFIG.replace("OPTIONS", options).replace("DIR", &place);
    write("exim.conf", &config.replace("PORT", &host.played.port.to_string()));
    write("message", message);
    let input = std::fs::File::open(directory.path().join("message")).expect("a file");
    let mut command = Command::new(OURS);
    command.args(["-C", &format!("{place}/exim.conf"), "-odi", "-f", "a@a.example", "d@d.example"]);
    if let Some(port) = dns {
        command.env("EXIMIOUS_DNS", format!("127.0.0.1:{port}"));
    }
    let output = command.stdin(Stdio::from(input)).output().expect("it runs");
    let heard = host.heard_in_order();
    let begin = heard.iter().position(|line| line == "DATA").unwrap_or_else(|| {
        panic!("nothing came: {heard:?} {output:?}");
    });
    let lines = heard[begin + 1..].iter().take_while(|line| *line != ".");
    let lines = lines.map(|line| line.strip_prefix('.').unwrap_or(line));
    let message: String = lines.flat_map(|line| [line, "\r\n"]).collect();
    let log = std::fs::read_to_string(directory.path().join("paniclog")).unwrap_or_default();
    let log: String =
        log.lines().filter_map(|line| line.split_once("ARC: ")).map(|(_, why)| why).collect();
    (message, log)
}

fn results(results: &str) -> String {
    format!("Authentication-Results: hop.example;\n\tspf=pass smtp.mailfrom=a.example{results}\n")
}

/// The values of a tag in the fields of a name.
fn tag(message: &str, name: &str, tag: &str) -> Vec<String> {
    let (fields, _) = arc::parts(message);
    let texts = fields.iter().map(|field| String::from_utf8_lossy(field).into_owned());
    let named = texts.filter(|text| text.starts_with(&format!("{name}:")));
    let values = named.filter_map(|text| {
        let tags = text.split_once(':')?.1.split(';');
        tags.filter_map(|one| one.split_once('='))
            .find(|(one, _)| one.trim() == tag)
            .map(|(_, value)| value.to_owned())
    });
    values.collect()
}

#[test]
fn what_leaves_bears_a_seal() {
    if !arc::has_dkimpy() {
        return;
    }
    let key = PrivateKey::read(&pem()).expect("a key");
    let record = format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(key.public()));
    let options = " arc_sign = hop.example : s : DIR/key.pem : timestamps,expire=+100\n \
        dkim_domain = hop.example\n dkim_selector = s\n dkim_private_key = DIR/key.pem";
    let mut message = FROM.to_owned();
    for (hop, said) in [(1, ";\n\tarc=none"), (2, ";\n\tarc=pass (i=1) header.s=s")] {
        let (sealed, log) = sent(options, &format!("{}{message}", results(said)));
        assert_eq!(log, "", "hop {hop}");
        let found = arc::validated(&sealed, &mut Key(record.clone()));
        assert_eq!((found.state, found.sets.len()), (ArcState::Pass, hop), "{sealed}");
        for what in ["verify", "dkim"] {
            let said = arc::dkimpy(what, &record, sealed.as_bytes());
            assert!(["pass", "True"].contains(&said.trim()), "{what} {hop}: {said}");
        }
        // Sealed last, and above all.
        assert!(sealed.starts_with("ARC-Seal: "), "{sealed}");
        assert!(tag(&sealed, "ARC-Message-Signature", "h")[0].contains("DKIM-Signature"));
        let created: i64 = tag(&sealed, "ARC-Seal", "t")[0].parse().expect("a time");
        let expires = tag(&sealed, "ARC-Message-Signature", "x");
        assert_eq!(expires[0], (created + 100).to_string());
        let said = ["none", "pass"][hop - 1];
        assert_eq!(tag(&sealed, "ARC-Seal", "cv")[0], said);
        message = sealed.replace("\r\n", "\n");
    }
}

/// Signatures are those of what a filter yields, whether that is kept in memory or in a file.
#[test]
fn what_comes_of_a_filter_is_signed() {
    let key = PrivateKey::read(&pem()).expect("a key");
    let record = format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(key.public()));
    let options = " arc_sign = hop.example : s : DIR/key.pem\n \
        dkim_domain = hop.example\n dkim_selector = s\n dkim_private_key = DIR/key.pem\n \
        transport_filter = /bin/sed \"s/text/filtered/; s/^Subject: hello/Subject: other/\"";
    for count in [1, 10_000] {
        let body = "Some  text. \n.dot\n\n".repeat(count);
        let (header, _) = FROM.split_once("\n\n").expect("a header");
        let message = format!("{}{header}\n\n{body}", results(";\n\tarc=none"));
        let (signed, log) = sent(options, &message);
        assert_eq!(log, "");
        assert!(signed.contains("\r\nSubject: other  there\r\n"), "{signed}");
        let (fields, body) = arc::parts(&signed);
        assert_eq!(body.len(), "Some  filtered. \r\n.dot\r\n\r\n".len() * count);
        let verifier = DkimVerifier::new(&fields, DkimPolicy::default()).expect("few signatures");
        let mut hasher = BodyHasher::new(verifier.bodies());
        hasher.push(body);
        let found = verifier.verify(&fields, &hasher.finish(), &mut Key(record.clone()));
        let found: Vec<_> = found.iter().map(|one| (one.status, one.reason)).collect();
        assert_eq!(found, [(DkimStatus::Pass, None)], "{count}");
        let found = arc::validated(&signed, &mut Key(record.clone()));
        assert_eq!(found.state, ArcState::Pass, "{count}");
    }
}

/// Where nobody said what came of the chain, it is looked at on the way out.
#[test]
fn a_chain_that_nobody_looked_at_goes_on() {
    let key = PrivateKey::read(&pem()).expect("a key");
    let record = format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(key.public()));
    let zones = TempDir::with_prefix("eximious-").expect("a directory");
    let zone = format!(
        "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n NS ns\nns A 127.0.0.1\n\
         s._domainkey.hop TXT \"{record}\"\n"
    );
    std::fs::write(zones.path().join("example"), zone).expect("a zone");
    let Some((_server, port)) = names::real(zones.path()) else { return };
    let options = " arc_sign = hop.example : s : DIR/key.pem";
    let (first, log) = sent(options, &format!("{}{FROM}", results("; arc=none")));
    assert_eq!(log, "");
    let first = format!("{}{}", results(""), first.replace("\r\n", "\n"));
    for (message, port, wanted, why) in [
        (first.clone(), Some(port), &["none", "pass"][..], ""),
        (first.replace("Some  text", "Other text"), Some(port), &["none", "fail"], ""),
        // Nobody answers there.
        (first, Some(9), &["none"], "the keys of the chain of seals can't be had now"),
    ] {
        let (sealed, log) = sent_asking(options, &message, port);
        let mut said = tag(&sealed, "ARC-Seal", "cv");
        said.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(said, wanted, "{sealed}");
        assert!(log.contains(why), "{log}");
        if wanted == ["none", "pass"] {
            let found = arc::validated(&sealed, &mut Key(record.clone()));
            assert_eq!((found.state, found.sets.len()), (ArcState::Pass, 2), "{sealed}");
        }
    }
}

#[test]
fn what_can_not_be_sealed_leaves_without_a_seal_and_is_told() {
    let good = format!("{}{FROM}", results(""));
    let of_others = format!("Authentication-Results: other.example; none\n{good}");
    let said_more = format!("{}{FROM}", results("; arc=pass"));
    for (option, message, why) in [
        ("hop.example : s : DIR/key.pem : expire=1900000000", &good, None),
        ("hop.example : s : DIR/key.pem : expire", &good, None),
        ("<; hop.example ; s ; ${readfile{DIR/key.pem}}", &good, None),
        ("${if eq{1}{2}{x}fail}", &good, Some("")),
        ("", &good, Some("")),
        (
            "hop.example : s",
            &good,
            Some("message could not be sealed: arc_sign has not an identity, a selector and a key"),
        ),
        (
            "hop.example : : DIR/key.pem",
            &good,
            Some("message could not be sealed: arc_sign has an empty identity, selector or key"),
        ),
        (
            "hop.example : s : DIR/key.pem : expire=x",
            &good,
            Some(
                "message could not be sealed: arc_sign has an option that makes no sense: expire=x",
            ),
        ),
        (
            "hop.example : s : DIR/exim.conf",
            &good,
            Some("message could not be sealed: the private key makes no sense"),
        ),
        (
            "hop.example : s : DIR/key.pem",
            &FROM.to_owned(),
            Some("message could not be sealed: there is no Authentication-Results header line"),
        ),
        (
            "hop.example : s : DIR/key.pem",
            &of_others,
            Some(
                "message could not be sealed: the first Authentication-Results header line is not of this identity",
            ),
        ),
        (
            "hop.example : s : DIR/key.pem",
            &said_more,
            Some(
                "message could not be sealed: what is said of the chain of seals is not of this one",
            ),
        ),
    ] {
        let (sent, log) = sent(&format!(" arc_sign = {option}"), message);
        assert_eq!(sent.starts_with("ARC-Seal: "), why.is_none(), "{option}: {sent} {log}");
        assert!(sent.ends_with("\r\n.dot\r\n\r\n"), "{option}: {sent}");
        assert_eq!(log, why.unwrap_or_default(), "{option}");
    }
}
