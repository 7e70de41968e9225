use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::canon::{BodyHasher, Canon};
use crate::crypto::{Hash, KeyType, PrivateKey};
use crate::{DnsQuery, DnsResponse, DnsSource, Rdata};

const KEYS: [&str; 4] = [
    include_str!("../../../tests/data/dkim/ed25519.pem"),
    include_str!("../../../tests/data/dkim/rsa512.pem"),
    include_str!("../../../tests/data/dkim/rsa1024.pem"),
    include_str!("../../../tests/data/dkim/rsa2048.pem"),
];

const HEADER: [&[u8]; 4] = [
    b"From: A <a@dkim.test>\n",
    b"To: b@me.test,\n\tc@me.test \n",
    b"Subject:  hello   there\n",
    b"Subject: again\n",
];
const BODY: &[u8] = b"Hello,\n\nthis is   a body. \n\n\n";

/// A DNS with the same text at all names; it counts what it is asked.
struct Zone {
    answer: DnsResponse,
    asked: Vec<usize>,
}

impl Zone {
    fn with(text: String) -> Self {
        let answer = DnsResponse::Records(vec![Rdata::Text(text.into_bytes())]);
        Self { answer, asked: Vec::new() }
    }

    fn of(key: &PrivateKey) -> Self {
        let public = BASE64_STANDARD.encode(key.public());
        Self::with(format!("v=DKIM1; k={}; p={public}", key.kind().name()))
    }
}

impl DnsSource for Zone {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        self.asked.push(questions.len());
        questions.iter().map(|_| self.answer.clone()).collect()
    }
}

fn signer(key: &PrivateKey) -> DkimSigner<'_> {
    DkimSigner {
        key,
        domain: b"dkim.test",
        selector: b"sel",
        identity: None,
        hash: Hash::Sha256,
        header_canon: Canon::Relaxed,
        body_canon: Canon::Relaxed,
        length: None,
        headers: OVERSIGN_HEADERS.as_bytes(),
        created: None,
        expires: None,
    }
}

fn signed(signer: &DkimSigner<'_>) -> Vec<u8> {
    let mut hasher = BodyHasher::new([signer.body()]);
    hasher.push(BODY);
    signer.sign(&HEADER, &hasher.finish()).unwrap()
}

fn verified(header: &[&[u8]], body: &[u8], policy: DkimPolicy, zone: &mut Zone) -> Vec<DkimResult> {
    let verifier = DkimVerifier::new(header, policy).unwrap();
    let mut hasher = BodyHasher::new(verifier.bodies());
    body.chunks(3).for_each(|piece| hasher.push(piece));
    verifier.verify(header, &hasher.finish(), zone)
}

fn any_size() -> DkimPolicy {
    let hashes = vec![Hash::Sha1, Hash::Sha256, Hash::Sha512];
    DkimPolicy { least_rsa_bits: 0, hashes, ..DkimPolicy::default() }
}

#[test]
fn what_is_signed_is_verified() {
    for pem in KEYS {
        let key = PrivateKey::read(pem).unwrap();
        for (header_canon, body_canon) in [
            (Canon::Simple, Canon::Simple),
            (Canon::Simple, Canon::Relaxed),
            (Canon::Relaxed, Canon::Simple),
            (Canon::Relaxed, Canon::Relaxed),
        ] {
            for hash in [Hash::Sha1, Hash::Sha256] {
                let signer = DkimSigner {
                    header_canon,
                    body_canon,
                    hash,
                    length: Some(7),
                    identity: Some(b"some one@dkim.test"),
                    created: Some(1000),
                    expires: Some(2000),
                    ..signer(&key)
                };
                let field = signed(&signer);
                assert!(field.split(|c| *c == b'\n').all(|line| line.len() <= 80));
                let header = [&[&field[..]][..], &HEADER].concat();
                let results = verified(&header, BODY, any_size(), &mut Zone::of(&key));
                let [result] = &results[..] else { panic!("{results:?}") };
                assert_eq!(result.status, DkimStatus::Pass, "{}", field.escape_ascii());
                let signature = &result.signature;
                assert_eq!(signature.identity.as_deref(), Some(&b"some one@dkim.test"[..]));
                assert_eq!((signature.created, signature.expires), (Some(1000), Some(2000)));
                // What is added behind the length is not signed; a field that was
                // oversigned can't be added.
                let more = [BODY, b"more\n"].concat();
                let results = verified(&header, &more, any_size(), &mut Zone::of(&key));
                assert_eq!(results[0].status, DkimStatus::Pass);
                let more = [&header[..], &[b"Subject: third\n"]].concat();
                let results = verified(&more, BODY, any_size(), &mut Zone::of(&key));
                assert_eq!(results[0].reason, Some(DkimReason::Signature));
                let results = verified(&header, b"other", any_size(), &mut Zone::of(&key));
                assert_eq!(results[0].reason, Some(DkimReason::BodyHash));
            }
        }
    }
}

#[test]
fn names_of_fields_may_be_all_that_are_there() {
    let names = |list: &[u8]| sign::names(&HEADER, list).join(&b':');
    assert_eq!(names(b"From:Cc"), b"From:Cc");
    assert_eq!(names(b"=subject:=Cc:to"), b"Subject:Subject:To");
    assert_eq!(names(b"+Subject : +Cc"), b"Subject:Subject:Subject:Cc");
    // What an element of the list has taken is not there for the next one.
    assert_eq!(names(b"From:=From"), b"From");
    assert_eq!(names(b"From:+From"), b"From:From");
    assert_eq!(names(b"Cc:subject:+cc:=bcc"), b"Subject:Cc:cc");
    assert_eq!(names(b"=:+: :"), b"");
}

/// As a real Exim signs the same message.
#[test]
fn signatures_are_written_as_exim_writes_them() {
    let key = PrivateKey::read(KEYS[3]).unwrap();
    let signer =
        DkimSigner { domain: b"me.test", selector: b"sel", headers: b"From", ..signer(&key) };
    let mut hasher = BodyHasher::new([signer.body()]);
    hasher.push(b"body\r\n");
    let field = signer.sign(&[b"From: ann@me.test\r\n"], &hasher.finish()).unwrap();
    let lines = [
        "DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=relaxed/relaxed; d=me.test;",
        "\ts=sel; h=From; bh=Ck5SoRNWUpSR4X0COv7R5ub2pUTtl6xz4dTFz++ji4M=; b=Tmec9eV4/0K",
        "\tLJYl51tDKEiR4S4HqVt17A1yWM73sQqpTJInNUZLJvZIBzRMoh9FU0DzwXu0rZPb89+lFzDvwKCQj",
        "\tTzdA8L962rD9GL9Mf/vjn3gNr0gjMBTIkbE7NaHCHe4iyl+HGoTulKVRABJITL/bVIcP+XuWq0K+V",
        "\tlXtt5AVQYlyVBL8PepAt4lupIdgDyk7mMQ7SdkTgj/wzAb53w72iLyYDbiR4a+F80AdoB180QM/+f",
        "\twzeKLPMnGQTwK1n5N6v+YQ2O8FP9FpMOVx7aNPB73fT1zqPdsxuzt7YbhEr/VHxeLTTpJwPQKQx3M",
        "\tGW05aNjK/7gqEscL8z/hWQA==;",
        "",
    ];
    assert_eq!(String::from_utf8(field).unwrap(), lines.join("\r\n"));
}

#[test]
fn signatures_are_folded_wherever_they_come_to_the_end_of_a_line() {
    for (pem, hash) in [(KEYS[1], Hash::Sha256), (KEYS[2], Hash::Sha512)] {
        let key = PrivateKey::read(pem).unwrap();
        for length in 1..80 {
            let selector = vec![b's'; length];
            let signer = DkimSigner {
                selector: &selector,
                hash,
                header_canon: Canon::Simple,
                created: Some(1000),
                headers: b"From:To",
                ..signer(&key)
            };
            let field = signed(&signer);
            let header = [&[&field[..]][..], &HEADER].concat();
            let results = verified(&header, BODY, any_size(), &mut Zone::of(&key));
            assert_eq!(results[0].status, DkimStatus::Pass, "{}", field.escape_ascii());
            let tags = ["v=", "a=", "q=", "c=", "d=", "s=", "h=", "bh=", "t=", "b="];
            let places = tags.map(|tag| memchr::memmem::find(&field, tag.as_bytes()).unwrap());
            assert!(places[..9].is_sorted(), "{}", field.escape_ascii());
            assert!(field.ends_with(b";\r\n"));
        }
    }
}

#[test]
fn a_dns_that_fails_decides_nothing() {
    let key = PrivateKey::read(KEYS[0]).unwrap();
    let field = signed(&signer(&key));
    let header = [&[&field[..]][..], &HEADER].concat();
    for (answer, later) in
        [(DnsResponse::Later, true), (DnsResponse::NoName, false), (DnsResponse::NoData, false)]
    {
        let mut zone = Zone { answer, asked: Vec::new() };
        let results = verified(&header, BODY, DkimPolicy::default(), &mut zone);
        assert_eq!(results[0].status, DkimStatus::Invalid);
        assert_eq!(results[0].reason, Some(DkimReason::KeyUnavailable(later)));
    }
}

#[test]
fn keys_are_asked_for_together_and_many_signatures_for_nothing() {
    let key = PrivateKey::read(KEYS[0]).unwrap();
    let fields: Vec<Vec<u8>> = [b"a", b"b", b"c", b"a"]
        .into_iter()
        .map(|selector| signed(&DkimSigner { selector, ..signer(&key) }))
        .collect();
    let header: Vec<&[u8]> = fields.iter().map(Vec::as_slice).chain(HEADER).collect();
    let mut zone = Zone::of(&key);
    let results = verified(&header, BODY, DkimPolicy::default(), &mut zone);
    assert!(results.iter().all(|result| result.status == DkimStatus::Pass));
    assert_eq!(zone.asked, [3]);
    let thousand: Vec<&[u8]> = std::iter::repeat_n(header[0], 1000).chain(HEADER).collect();
    assert_eq!(DkimVerifier::new(&thousand, DkimPolicy::default()).unwrap_err(), TooMany);
    // Nobody is asked about another body.
    let mut zone = Zone::of(&key);
    verified(&header, b"other", DkimPolicy::default(), &mut zone);
    assert!(zone.asked.is_empty());
}

#[test]
fn keys_stand_in_text_of_any_form() {
    for pem in KEYS {
        let public = PrivateKey::read(pem).unwrap().public();
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in [
            format!("text before\n{pem}after\n"),
            format!("{other}{pem}{other}"),
            pem.replace('\n', ""),
            pem.replace('\n', "\r\n"),
            pem.trim_end().into(),
        ] {
            assert_eq!(PrivateKey::read(&text).expect(&text).public(), public);
        }
        for text in [pem.replace("-----END", ""), pem.replace("END", "END OF"), other.into()] {
            assert!(PrivateKey::read(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn cve_2016_9963_a_private_key_is_never_shown() {
    for pem in KEYS {
        let shown = format!("{:?}", PrivateKey::read(pem).unwrap());
        assert!(shown.len() < 30, "{shown}");
    }
    assert!(
        PrivateKey::read("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_err()
    );
}

#[test]
fn cve_2021_28025_hashes_of_other_lengths_are_other_hashes() {
    let key = PrivateKey::read(KEYS[0]).unwrap();
    let field = String::from_utf8(signed(&signer(&key))).unwrap();
    let at = field.find("bh=").unwrap() + 3;
    for length in [0, 4, 8, 40] {
        let changed =
            [&field[..at], &field[at..at + length], "; ", &field[field.find("b=").unwrap()..]];
        let changed = changed.concat();
        let header = [&[changed.as_bytes()][..], &HEADER].concat();
        let results = verified(&header, BODY, DkimPolicy::default(), &mut Zone::of(&key));
        assert!(results.iter().all(|result| result.status != DkimStatus::Pass));
    }
}

#[test]
fn keys_of_absurd_sizes_verify_nothing() {
    let key = PrivateKey::read(KEYS[3]).unwrap();
    let field = signed(&signer(&key));
    let header = [&[&field[..]][..], &HEADER].concat();
    // A modulus of 16,384 bits, an exponent of 4,096, and other things that are no keys.
    let der = |modulus: usize, exponent: usize| {
        let number = |length: usize| {
            let head = [2, 0x82, (length >> 8) as u8, length as u8];
            [&head[..], &vec![0x7f; length]].concat()
        };
        let inner = [number(modulus), number(exponent)].concat();
        [&[0x30, 0x82, (inner.len() >> 8) as u8, inner.len() as u8][..], &inner].concat()
    };
    let bytes = [
        der(2048, 3),
        der(256, 512),
        der(300, 4),
        b"\x30\x84\xff\xff\xff\xff".to_vec(),
        vec![0x30; 60_000],
    ];
    for bytes in bytes {
        let text = format!("p={}", BASE64_STANDARD.encode(bytes));
        let results = verified(&header, BODY, any_size(), &mut Zone::with(text));
        assert_ne!(results[0].status, DkimStatus::Pass);
    }
}

#[test]
fn keys_of_ed25519_are_not_short() {
    let record = |length: usize| {
        let key = BASE64_STANDARD.encode(vec![7; length]);
        KeyRecord::read(format!("k=ed25519; p={key}").as_bytes()).expect("a record")
    };
    assert!(record(31).public(KeyType::Ed25519).is_none());
    assert!(record(32).public(KeyType::Ed25519).is_some());
}

#[test]
fn tags_that_say_nothing_are_none() {
    let read = |tags: &str| {
        let field = format!("DKIM-Signature: a=rsa-sha256; d=d; s=s; h=From; b=YQ==; {tags}");
        DkimSignature::read(field.as_bytes()).expect("a signature")
    };
    assert_eq!(read("v=1; l=").length, None);
    assert_eq!(read("v=1; l=7").length, Some(7));
    let flaws = ["v=1", "v=", "v=2"].map(|tag| read(tag).flaw);
    assert_eq!(flaws, [None, Some(Flaw::Tags), Some(Flaw::Version)]);
    // Names of canonicalizations are known as a whole.
    let canons = |tag: &str| {
        let signature = read(tag);
        (signature.header_canon, signature.body_canon)
    };
    assert_eq!(canons("c=relaxed"), (Canon::Relaxed, Canon::Simple));
    assert_eq!(canons("c=simple/relaxed"), (Canon::Simple, Canon::Relaxed));
    for tag in ["c=", "c=relaxed/", "c=/relaxed", "c=relaxed/relaxed/x", "c=relaxed/x"] {
        assert_eq!(canons(tag), (Canon::Simple, Canon::Simple), "{tag}");
    }
}

#[test]
fn records_may_be_empty_and_names_may_end_in_dots() {
    let key = PrivateKey::read(KEYS[0]).unwrap();
    for (domain, mut zone) in
        [(&b"dkim.test"[..], Zone::with(String::new())), (b"dkim.test.", Zone::of(&key))]
    {
        let field = signed(&DkimSigner { domain, ..signer(&key) });
        let header = [&[&field[..]][..], &HEADER].concat();
        let results = verified(&header, BODY, DkimPolicy::default(), &mut zone);
        assert_eq!(results[0].reason, Some(DkimReason::KeyUnavailable(false)));
    }
}

#[test]
fn notes_are_prose() {
    let record = KeyRecord::read(b"p=; n=some notes=20here").expect("a record");
    assert_eq!(record.notes, b"some notes here");
}

#[test]
fn cve_2012_5671_records_of_any_length_are_read() {
    let key = PrivateKey::read(KEYS[3]).unwrap();
    let field = signed(&signer(&key));
    let header = [&[&field[..]][..], &HEADER].concat();
    for text in ["x".repeat(1 << 20), ";".repeat(1 << 20), format!("p={}", "A".repeat(1 << 20))] {
        let results = verified(&header, BODY, any_size(), &mut Zone::with(text));
        assert_eq!(results[0].status, DkimStatus::Invalid);
    }
}

#[test]
fn identities_are_of_the_domain_and_from_is_signed() {
    let flaw = |tags: &str| {
        let head = "DKIM-Signature: v=1; a=rsa-sha256; s=s; bh=YQ==; b=YQ==; ";
        DkimSignature::read([head, tags].concat().as_bytes()).unwrap().flaw
    };
    for tags in [
        "d=d.test; h=from",
        "d=d.test; h=to : From; i=a@d.test",
        "d=d.test; h=from; i=@sub.D.test",
        "d=d.test; h=from; i=",
        "d=d.test.; h=from; i=a@d.test",
    ] {
        assert_eq!(flaw(tags), None, "{tags}");
    }
    for tags in [
        "d=d.test; h=to",
        "d=d.test; h=from; i=a@xd.test",
        "d=d.test; h=from; i=a@other.test",
        "d=sub.d.test; h=from; i=a@d.test",
        "d=d.test; h=from; i=d.test@other.test",
    ] {
        assert_eq!(flaw(tags), Some(Flaw::Tags), "{tags}");
    }
}

#[test]
fn another_body_is_what_is_told_first() {
    let key = PrivateKey::read(KEYS[1]).unwrap();
    let field = String::from_utf8(signed(&signer(&key))).unwrap().replace("v=1;", "v=2;");
    let header = [&[field.as_bytes()][..], &HEADER].concat();
    let reason = |body: &[u8]| verified(&header, body, any_size(), &mut Zone::of(&key))[0].reason;
    assert_eq!(reason(BODY), Some(DkimReason::Flaw(Flaw::Version)));
    assert_eq!(reason(b"other"), Some(DkimReason::BodyHash));
}
