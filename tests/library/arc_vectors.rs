//! The ARC test suite: chains that are validated.

use eximious_mailauth::arc::{ArcResult, ArcState, ArcValidator};
use eximious_mailauth::canon::BodyHasher;
use eximious_mailauth::dns::{DnsQuery, DnsResponse, DnsSource, Rdata};
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

/// The fields of a message's header, and its body.
fn parts(message: &str) -> (Vec<&[u8]>, &[u8]) {
    let mut fields: Vec<&[u8]> = Vec::new();
    let bytes = message.as_bytes();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        let end = bytes[at..].iter().position(|c| *c == b'\n').map_or(bytes.len(), |n| at + n + 1);
        if end - at == 1 {
            at = end;
            break;
        }
        at = end;
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            fields.push(&bytes[start..at]);
            start = at;
        }
    }
    (fields, &bytes[at..])
}

fn validated(message: &str, keys: &Yaml) -> ArcResult {
    let (header, body) = parts(message);
    let validator = ArcValidator::new(&header);
    let mut hasher = BodyHasher::new(validator.bodies());
    hasher.push(body);
    validator.validate(&header, &hasher.finish(), &mut Keys(keys))
}

#[test]
fn arc_test_suite_validates() {
    let Some(file) = vectors("arc/arc-draft-validation-tests.yml") else { return };
    let suite = std::fs::read_to_string(file).expect("the suite");
    let scenarios = YamlLoader::load_from_str(&suite).expect("the suite");
    let (mut count, mut faults) = (0, Vec::new());
    for scenario in &scenarios {
        for (name, test) in scenario["tests"].as_hash().expect("tests") {
            count += 1;
            let wanted = test["cv"].as_str().unwrap_or_default().trim().to_ascii_lowercase();
            let found =
                validated(test["message"].as_str().unwrap_or_default(), &scenario["txt-records"]);
            // Where the suite has nothing to say, anything goes but a good chain.
            let agrees = match &wanted[..] {
                "" => found.state != ArcState::Pass,
                wanted => found.state.name() == wanted,
            };
            if !agrees {
                let name = name.as_str().unwrap_or_default();
                faults.push(format!("{name}: {wanted:?}, {:?} {:?}", found.state, found.reason));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(count, 171);
}
