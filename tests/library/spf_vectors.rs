//! The test suite of RFC 7208 (openspf, release 2014.04), with the records that it brings.

use std::collections::HashMap;
use std::net::IpAddr;

use eximious_mailauth::dns::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource, Rdata};
use eximious_mailauth::spf::{Sender, Verdict, check};
use eximious_tests::vectors;
use yaml_rust2::{Yaml, YamlLoader};

/// The records of a scenario.
#[derive(Default)]
struct Zone {
    records: HashMap<Vec<u8>, Vec<(DnsQueryKind, Rdata)>>,
    aliases: HashMap<Vec<u8>, Vec<u8>>,
    /// Names that have no answer, but for the records that stand beside.
    silent: Vec<Vec<u8>>,
    asked: usize,
}

fn text(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        other => panic!("{other:?} is no text"),
    }
}

/// Characters that stand for bytes.
fn bytes(yaml: &Yaml) -> Vec<u8> {
    text(yaml).chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

fn host(yaml: &Yaml) -> Vec<u8> {
    text(yaml).trim_end_matches('.').into()
}

impl Zone {
    fn read(yaml: &Yaml) -> Self {
        let mut zone = Self::default();
        for (name, records) in yaml.as_hash().expect("names") {
            let name = text(name).to_ascii_lowercase().into_bytes();
            let records = records.as_vec().expect("records");
            // Where no TXT is given, that of type SPF stands for both.
            let own_texts = records.iter().any(|record| !record["TXT"].is_badvalue());
            for record in records {
                zone.add(&name, record, own_texts);
            }
        }
        zone
    }

    fn add(&mut self, name: &[u8], record: &Yaml, own_texts: bool) {
        let Some(record) = record.as_hash() else {
            assert_eq!(record.as_str(), Some("TIMEOUT"));
            self.silent.push(name.to_vec());
            return;
        };
        for (kind, data) in record {
            let address = || text(data).parse::<IpAddr>().expect("an address");
            let read = match kind.as_str().expect("a type") {
                "SPF" if own_texts => continue,
                "TXT" if data.as_str() == Some("NONE") => continue,
                "SPF" | "TXT" => {
                    let all = match data {
                        Yaml::Array(parts) => parts.iter().flat_map(bytes).collect(),
                        one => bytes(one),
                    };
                    (DnsQueryKind::Txt, Rdata::Text(all))
                }
                "A" => (DnsQueryKind::A, Rdata::Address(address())),
                "AAAA" => (DnsQueryKind::Aaaa, Rdata::Address(address())),
                "PTR" => (DnsQueryKind::Ptr, Rdata::Host(host(data))),
                "MX" => {
                    let preference = data[0].as_i64().and_then(|n| u16::try_from(n).ok());
                    let preference = preference.expect("a preference");
                    (DnsQueryKind::Mx, Rdata::Exchange { preference, host: host(&data[1]) })
                }
                "CNAME" => {
                    self.aliases.insert(name.to_vec(), host(data).to_ascii_lowercase());
                    continue;
                }
                other => panic!("a record of type {other}"),
            };
            self.records.entry(name.to_vec()).or_default().push(read);
        }
    }
}

impl DnsSource for Zone {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        let answer = |question: &DnsQuery| {
            let mut name = question.name.to_ascii_lowercase();
            let mut turns = 0;
            while let Some(alias) = self.aliases.get(&name) {
                name.clone_from(alias);
                turns += 1;
                if turns > 10 {
                    return DnsResponse::NoName;
                }
            }
            if name.split(|c| *c == b'.').any(|label| !matches!(label.len(), 1..=63)) {
                return DnsResponse::NoName;
            }
            let all = self.records.get(&name).map(Vec::as_slice).unwrap_or_default();
            let own = all.iter().filter(|(kind, _)| *kind == question.kind);
            let own: Vec<Rdata> = own.map(|(_, data)| data.clone()).collect();
            match (own.is_empty(), self.silent.contains(&name), all.is_empty()) {
                (false, ..) => DnsResponse::Records(own),
                (_, true, _) => DnsResponse::Later,
                (_, _, false) => DnsResponse::NoData,
                _ => DnsResponse::NoName,
            }
        };
        self.asked += questions.len();
        questions.iter().map(answer).collect()
    }
}

/// What is wrong with an answer.
fn fault(zone: &mut Zone, test: &Yaml, default: &str) -> Option<String> {
    let (from, helo) = (text(&test["mailfrom"]), text(&test["helo"]));
    let mailbox = if from.is_empty() { format!("postmaster@{helo}") } else { from };
    let sender = Sender {
        address: text(&test["host"]).parse().expect("an address"),
        helo: helo.as_bytes(),
        mailbox: mailbox.as_bytes(),
        receiver: b"",
        now: 1_700_000_000,
    };
    zone.asked = 0;
    let checked = check(zone, &sender, None);
    let verdict = match checked.verdict {
        Verdict::Invalid => "none",
        verdict => verdict.name(),
    };
    let wanted: Vec<&str> = match &test["result"] {
        Yaml::Array(several) => several.iter().filter_map(Yaml::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !wanted.contains(&verdict) {
        return Some(format!("{verdict}, not {wanted:?}"));
    }
    if zone.asked > 120 {
        return Some(format!("{} questions", zone.asked));
    }
    let explanation = checked
        .explanation
        .map_or_else(|| default.to_owned(), |told| String::from_utf8_lossy(&told).into_owned());
    match test["explanation"].as_str() {
        // An address in hexadecimal digits is written as the RFC's own examples have it.
        Some(wanted) if !wanted.eq_ignore_ascii_case(&explanation) => {
            Some(format!("{explanation:?}, not {wanted:?}"))
        }
        _ => None,
    }
}

#[test]
fn rfc_7208_test_suite() {
    let Some(file) = vectors("spf/rfc7208-tests.yml") else { return };
    let suite = std::fs::read_to_string(file).expect("the suite");
    let scenarios = YamlLoader::load_from_str(&suite).expect("the suite");
    let (mut count, mut faults) = (0, Vec::new());
    for scenario in &scenarios {
        let mut zone = Zone::read(&scenario["zonedata"]);
        for (name, test) in scenario["tests"].as_hash().expect("tests") {
            count += 1;
            if let Some(fault) = fault(&mut zone, test, "DEFAULT") {
                faults.push(format!("{}: {fault}", text(name)));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(count, 203);
}
