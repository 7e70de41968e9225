//! ARC beside others: the test suite's chains, and dkimpy.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use eximious_mailauth::arc::{ArcResult, ArcSealer, ArcState};
use eximious_mailauth::canon::BodyHasher;
use eximious_mailauth::crypto::PrivateKey;
use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};
use eximious_tests::arc::{self, dkimpy, parts};
use eximious_tests::vectors;
use yaml_rust2::{Yaml, YamlLoader};

/// The keys of a scenario.
struct Keys<'y>(&'y Yaml);

impl DnsSource for Keys<'_> {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let answer = |question: &DnsQuery| {
            let name = std::str::from_utf8(&question.name).expect("a name");
            match self.0[name].as_str() {
                Some(text) => DnsResponse::Records(vec![Rdata::Text(text.into())]),
                None => DnsResponse::NoName,
            }
        };
        questions.iter().map(answer).collect()
    }
}

fn validated(message: &str, keys: &Yaml) -> ArcResult {
    arc::validated(message, &mut Keys(keys))
}

/// The suite, in which a scenario's tests may bear one name: every later one gets its line too.
fn with_single_names(suite: &str) -> String {
    let mut names = std::collections::HashSet::new();
    let mut text = String::with_capacity(suite.len());
    for (number, line) in suite.lines().enumerate() {
        let name = line.strip_prefix("  ").and_then(|rest| rest.strip_suffix(':'));
        match name.filter(|name| !name.starts_with(' ')) {
            Some(name) if !names.insert(name) => text.push_str(&format!("  {name}_{number}:")),
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// Where the suite is not followed. A signature of a message is read as DKIM's is (RFC 8617,
/// section 4.1.2), and RFC 6376, section 3.5, says: without `c=` it is made of simple lines,
/// where the suite has a draft's relaxed ones; and `h=` has at least one name.
const EXCEPTIONS: [&str; 2] = ["ams_fields_c_na", "ams_fields_h_empty"];

#[test]
fn arc_test_suite_validates() {
    let Some(file) = vectors("arc/arc-draft-validation-tests.yml") else { return };
    let suite = std::fs::read_to_string(file).expect("the suite");
    let scenarios = YamlLoader::load_from_str(&with_single_names(&suite)).expect("the suite");
    let (mut count, mut faults) = (0, Vec::new());
    for scenario in &scenarios {
        for (name, test) in scenario["tests"].as_hash().expect("tests") {
            count += 1;
            let name = name.as_str().expect("a name");
            let wanted = test["cv"].as_str().unwrap_or_default().trim().to_ascii_lowercase();
            let message = test["message"].as_str().unwrap_or_default().replace('\n', "\r\n");
            let found = validated(&message, &scenario["txt-records"]);
            // Where the suite has nothing to say, anything goes but a good chain.
            let agrees = match &wanted[..] {
                "" => found.state != ArcState::Pass,
                wanted => found.state.name() == wanted,
            };
            if agrees == EXCEPTIONS.contains(&name) {
                faults.push(format!("{name}: {wanted:?}, {:?} {:?}", found.state, found.reason));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(count, 175);
}

/// The tags of a field, but for its signature, whose bytes hang on the order that tags are
/// written in, and on where lines end: both are left open (RFC 6376, sections 3.2 and 3.5).
fn tags(field: &str) -> Vec<(String, String)> {
    let tags = field.split(';').filter_map(|tag| tag.split_once('='));
    let plain = |text: &str| text.split_ascii_whitespace().collect::<String>();
    let mut tags: Vec<_> = tags.map(|(name, value)| (plain(name), plain(value))).collect();
    tags.retain(|(name, _)| name != "b");
    tags.sort();
    tags
}

/// The values of fields of a name, each on one line.
fn values<'f>(header: &[&'f [u8]], name: &str) -> Vec<&'f str> {
    let fields = header.iter().map(|field| std::str::from_utf8(field).expect("text"));
    let named = fields.filter_map(|field| field.split_once(':'));
    named.filter(|(one, _)| one.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[test]
fn arc_test_suite_seals() {
    let Some(file) = vectors("arc/arc-draft-sign-tests.yml") else { return };
    let suite = std::fs::read_to_string(file).expect("the suite");
    let scenarios = YamlLoader::load_from_str(&with_single_names(&suite)).expect("the suite");
    let (mut count, mut faults) = (0, Vec::new());
    for scenario in &scenarios {
        let text = |name: &str| scenario[name].as_str().expect("a text");
        let key = PrivateKey::read(text("privatekey")).expect("a key");
        let (domain, selector) = (text("domain").as_bytes(), text("sel").as_bytes());
        let keys = &scenario["txt-records"];
        for (name, test) in scenario["tests"].as_hash().expect("tests") {
            count += 1;
            let text = |name: &str| test[name].as_str().unwrap_or_default();
            let message = text("message").replace('\n', "\r\n");
            let (header, body) = parts(&message);
            let sealer = ArcSealer {
                key: &key,
                domain,
                selector,
                headers: text("sig-headers").as_bytes(),
                created: test["t"].as_i64(),
                expires: None,
            };
            // What the host said itself, in one line: its name, and each result.
            let own = values(&header, "Authentication-Results").into_iter();
            let own = own.map(|value| value.split(';').map(str::trim).collect::<Vec<_>>());
            let mut results = vec![text("srv-id")];
            own.filter(|one| one[0] == text("srv-id")).for_each(|one| {
                results.extend(one[1..].iter().filter(|result| !result.is_empty()));
            });
            let chain = validated(&message, keys);
            let mut hasher = BodyHasher::new([sealer.body()]);
            hasher.push(body);
            let sealed =
                sealer.seal(&header, &hasher.finish(), &chain, results.join("; ").as_bytes());
            let wanted = ["AS", "AMS", "AAR"].map(|name| tags(text(name)));
            let sealed = match sealed {
                Ok(sealed) => String::from_utf8(sealed).expect("text"),
                Err(_) if text("AS").trim().is_empty() => continue,
                Err(why) => {
                    faults.push(format!("{name:?}: {why:?}"));
                    continue;
                }
            };
            let (fields, _) = parts(&sealed);
            let names = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"];
            let made = names.map(|name| tags(values(&fields, name).concat().as_str()));
            for ((name_of, made), wanted) in names.iter().zip(made).zip(wanted) {
                if made != wanted {
                    faults.push(format!("{name:?} {name_of}:\n  {made:?}\n  {wanted:?}"));
                }
            }
            // A good chain is one still, with this seal, and a broken one is not mended.
            let state = validated(&format!("{sealed}{message}"), keys).state;
            let goes_on = matches!(chain.state, ArcState::None | ArcState::Pass);
            if (state == ArcState::Pass) != goes_on {
                faults.push(format!("{name:?}: {:?} becomes {state:?}", chain.state));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(count, 17);
}

#[test]
fn dkimpy_takes_our_seals_and_we_take_its() {
    if !arc::has_dkimpy() {
        return;
    }
    let pem = include_str!("../data/dkim/rsa1024.pem");
    let key = PrivateKey::read(pem).expect("a key");
    let record = format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(key.public()));
    let keys =
        &YamlLoader::load_from_str(&format!("s._domainkey.hop.example: '{record}'")).unwrap()[0];
    let results = "hop.example; arc=none; spf=pass smtp.mailfrom=a.example";
    let mut message = format!(
        "Authentication-Results: {results}\r\nFrom: A <a@a.example>\r\nTo: b@b.example,\r\n  c@c.example\r\n\
         Subject: hello  there\r\nDate: Thu, 14 Jan 2021 15:00:01 -0800\r\n\r\nSome  text. \r\n\r\n"
    );
    // A hop of ours, one of dkimpy's, and one of ours again.
    for hop in 1..=3 {
        let sealed = if hop == 2 {
            dkimpy("sign", pem, message.as_bytes())
        } else {
            let sealer = ArcSealer {
                key: &key,
                domain: b"hop.example",
                selector: b"s",
                headers: b"from:to:subject:date",
                created: Some(1_700_000_000),
                expires: None,
            };
            let chain = validated(&message, keys);
            let (header, body) = parts(&message);
            let mut hasher = BodyHasher::new([sealer.body()]);
            hasher.push(body);
            let sealed = sealer.seal(&header, &hasher.finish(), &chain, results.as_bytes());
            String::from_utf8(sealed.expect("a seal")).expect("text")
        };
        message.insert_str(0, &sealed);
        let own = validated(&message, keys);
        assert_eq!((own.state, own.reason), (ArcState::Pass, None), "hop {hop}");
        assert_eq!(dkimpy("verify", &record, message.as_bytes()).trim(), "pass", "hop {hop}");
    }
}
