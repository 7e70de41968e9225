use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::canon::BodyHasher;
use crate::crypto::PrivateKey;
use crate::{DnsQuery, DnsResponse, DnsSource, Rdata};

/// The record of the key, or no answer.
struct Zone(Option<Vec<u8>>);

impl DnsSource for Zone {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let answer = match &self.0 {
            Some(record) => DnsResponse::Records(vec![Rdata::Text(record.clone())]),
            None => DnsResponse::Later,
        };
        vec![answer; questions.len()]
    }
}

const BODY: &[u8] = b"Some text.\r\n";

fn validated(header: &[Vec<u8>], body: &[u8], zone: &mut Zone) -> ArcResult {
    let fields: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
    let validator = ArcValidator::new(&fields);
    let mut hasher = BodyHasher::new(validator.bodies());
    hasher.push(body);
    validator.validate(&fields, &hasher.finish(), zone)
}

/// One hop more; the fields of one that can be sealed stand before the others.
fn hop(
    header: &mut Vec<Vec<u8>>,
    body: &[u8],
    key: &PrivateKey,
    zone: &mut Zone,
) -> Result<(), crate::dkim::Unsigned> {
    let chain = validated(header, body, zone);
    let sealer = ArcSealer {
        key,
        domain: b"hop.example",
        selector: b"s",
        headers: b"from:subject",
        created: Some(1_700_000_000),
        expires: None,
    };
    let mut hasher = BodyHasher::new([sealer.body()]);
    hasher.push(body);
    let fields: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
    let sealed = sealer.seal(&fields, &hasher.finish(), &chain, b"hop.example; arc=none")?;
    let text = String::from_utf8(sealed).unwrap();
    let names = ["ARC-Seal:", "ARC-Message-Signature:", "ARC-Authentication-Results:"];
    let starts = names.map(|name| text.find(name).unwrap());
    let pieces = [&text[..starts[1]], &text[starts[1]..starts[2]], &text[starts[2]..]];
    header.splice(0..0, pieces.map(|piece| piece.as_bytes().to_vec()));
    Ok(())
}

fn begin() -> (Vec<Vec<u8>>, PrivateKey, Zone) {
    let key = PrivateKey::read(include_str!("../../../tests/data/dkim/rsa1024.pem")).unwrap();
    let record = format!("v=DKIM1; p={}", BASE64_STANDARD.encode(key.public())).into_bytes();
    let header = vec![b"From: a@b.example\r\n".to_vec(), b"Subject: x\r\n".to_vec()];
    (header, key, Zone(Some(record)))
}

#[test]
fn chains_that_are_sealed_are_good() {
    let (mut header, key, mut zone) = begin();
    assert_eq!(validated(&header, BODY, &mut zone).state, ArcState::None);
    for hops in 1..=3 {
        hop(&mut header, BODY, &key, &mut zone).unwrap();
        let found = validated(&header, BODY, &mut zone);
        assert_eq!((found.state, found.reason), (ArcState::Pass, None), "{hops}");
        assert_eq!((found.sets.len(), found.oldest_pass), (hops, 0));
    }
    // Who changes the message and seals it anew is the oldest that is good.
    hop(&mut header, b"Other text.\r\n", &key, &mut zone).unwrap();
    let found = validated(&header, b"Other text.\r\n", &mut zone);
    assert_eq!(found.state, ArcState::Fail, "it was sealed as broken: {:?}", found.reason);
}

#[test]
fn what_was_changed_is_found() {
    let (mut header, key, mut zone) = begin();
    hop(&mut header, BODY, &key, &mut zone).unwrap();
    hop(&mut header, BODY, &key, &mut zone).unwrap();
    assert_eq!(validated(&header, b"Other.\r\n", &mut zone).state, ArcState::Fail);
    for at in 0..header.len() {
        let mut changed = header.clone();
        changed.remove(at);
        assert_eq!(validated(&changed, BODY, &mut zone).state, ArcState::Fail, "{at}");
        if header[at].starts_with(b"ARC-") {
            let mut twice = header.clone();
            twice.insert(at, header[at].clone());
            assert_eq!(validated(&twice, BODY, &mut zone).state, ArcState::Fail, "{at}");
        }
    }
    // Without an answer, nobody knows.
    let found = validated(&header, BODY, &mut Zone(None));
    assert_eq!(found.state, ArcState::TempError);
}

#[test]
fn a_chain_ends() {
    let (mut header, key, mut zone) = begin();
    for _ in 0..LONGEST_CHAIN {
        hop(&mut header, BODY, &key, &mut zone).unwrap();
    }
    assert_eq!(validated(&header, BODY, &mut zone).state, ArcState::Pass);
    assert_eq!(hop(&mut header, BODY, &key, &mut zone), Err(crate::dkim::Unsigned::NoChain));
    // One that was broken is sealed as such once, and no more.
    let (mut header, key, mut zone) = begin();
    hop(&mut header, BODY, &key, &mut zone).unwrap();
    hop(&mut header, b"Other.\r\n", &key, &mut zone).unwrap();
    assert!(header[0].windows(7).any(|part| part == b"cv=fail"));
    let again = hop(&mut header, b"Other.\r\n", &key, &mut zone);
    assert_eq!(again, Err(crate::dkim::Unsigned::NoChain));
}

#[test]
fn hostile_chains_end() {
    let (_, _, mut zone) = begin();
    let field = |text: &str| text.as_bytes().to_vec();
    for text in [
        "ARC-Seal:\r\n",
        "ARC-Seal: i=0; a=rsa-sha256\r\n",
        "ARC-Seal: i=99999999999999999999999999; a=rsa-sha256\r\n",
        "ARC-Seal: i=4000000000; a=rsa-sha256\r\n",
        "ARC-Message-Signature: i=-1\r\n",
        "ARC-Authentication-Results: i\r\n",
        "ARC-Authentication-Results: i=1\r\n",
    ] {
        assert_eq!(validated(&[field(text)], BODY, &mut zone).state, ArcState::Fail, "{text}");
    }
}
