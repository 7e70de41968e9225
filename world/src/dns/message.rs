//! Questions and answers as they stand on the wire.

use eximious_core::world::{DnsOptions, DnsRecord, DnsStanding, domain};
use hickory_resolver::proto::op::{
    Edns, Header, Message, MessageType, OpCode, Query, ResponseCode,
};
use hickory_resolver::proto::rr::{DNSClass, Name, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};

/// The size of datagrams that are welcome, as the C library says it.
const PAYLOAD: u16 = 1200;

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const DNAME: u16 = 39;

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Question {
    id: u16,
    query: Query,
    bytes: Vec<u8>,
}

/// What a server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    pub(super) code: Code,
    /// Whether it does not fit into a datagram.
    pub(super) truncated: bool,
    /// Whether the answer section says that it holds nothing.
    pub(super) empty: bool,
    pub(super) records: Vec<DnsRecord>,
    /// What came with them, where it is of use: addresses of the hosts of MX records.
    pub(super) additional: Vec<DnsRecord>,
    pub(super) standing: DnsStanding,
}

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Code {
    /// There is an answer.
    Fine,
    /// There is no such name.
    NoName,
    /// The server can't or won't answer.
    Other(ResponseCode),
}

/// Whether another server may do better.
pub(super) fn passes_on(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::ServFail | ResponseCode::NotImp | ResponseCode::Refused)
}

/// What is said of a code.
pub(super) fn words(code: ResponseCode) -> String {
    format!("the server says: {code}")
}

impl Question {
    /// A question with an identifier of chance; `None` where the name is none.
    pub(super) fn new(
        labels: &[Vec<u8>],
        kind: u16,
        ask_for_ad: bool,
        options: &DnsOptions,
    ) -> Option<Self> {
        let mut name = Name::from_labels(labels.iter().map(Vec::as_slice)).ok()?;
        name.set_fqdn(true);
        let query = Query::query(name, RecordType::from(kind));
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = ask_for_ad;
        message.add_query(query.clone());
        if options.dnssec || options.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(PAYLOAD).set_version(0).set_dnssec_ok(options.dnssec);
            message.set_edns(edns);
        }
        let bytes = message.to_vec().ok()?;
        Some(Self { id: message.metadata.id, query, bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads what came; `None` where it is no answer to this question.
    pub(super) fn reply(&self, bytes: &[u8]) -> Option<Reply> {
        let mut decoder = BinDecoder::new(bytes);
        let header = Header::read(&mut decoder).ok()?;
        let said = &header.metadata;
        let mine = said.id == self.id
            && said.message_type == MessageType::Response
            && said.op_code == OpCode::Query
            && header.counts.queries == 1;
        if !mine {
            return None;
        }
        let asked = Query::read(&mut decoder).ok()?;
        if asked.query_type() != self.query.query_type()
            || asked.query_class() != self.query.query_class()
            || asked.name().to_lowercase() != self.query.name().to_lowercase()
        {
            return None;
        }
        let code = match said.response_code {
            ResponseCode::NoError => Code::Fine,
            ResponseCode::NXDomain => Code::NoName,
            other => Code::Other(other),
        };
        // A record that can't be read ends what can be told of the message.
        let records = section(&mut decoder, bytes, header.counts.answers);
        let empty = header.counts.answers == 0;
        let whole = records.len() == usize::from(header.counts.answers);
        let is_mx = self.query.query_type() == RecordType::MX && !said.truncation;
        let authorities = match whole && (said.authoritative || empty || is_mx) {
            true => section(&mut decoder, bytes, header.counts.authorities),
            false => Vec::new(),
        };
        let whole = whole && authorities.len() == usize::from(header.counts.authorities);
        let additional = match whole && is_mx && !empty {
            true => section(&mut decoder, bytes, header.counts.additionals),
            false => Vec::new(),
        };
        let additional = additional.into_iter().flatten();
        let additional = additional.filter(|record| matches!(record.kind, A | AAAA)).collect();
        let wanted = if empty { SOA } else { NS };
        let authority = authorities.into_iter().flatten().find(|record| record.kind == wanted);
        let fruitless_for = authority.as_ref().filter(|_| empty).and_then(minimum);
        let zone = authority.filter(|_| said.authoritative);
        Some(Reply {
            code,
            truncated: said.truncation,
            empty,
            records: records.into_iter().flatten().collect(),
            additional,
            standing: DnsStanding {
                authentic: said.authentic_data && self.trusts(),
                zone: zone.map(|record| record.name),
                fruitless_for,
            },
        })
    }

    /// Whether it asked for the server's word on signatures.
    fn trusts(&self) -> bool {
        self.bytes.get(3).is_some_and(|flags| flags & 0x20 != 0)
    }
}

/// How long a SOA record says that nothing is there: its last number, or its own
/// time.
fn minimum(record: &DnsRecord) -> Option<u32> {
    let number = record.data.last_chunk::<4>()?;
    Some(u32::from_be_bytes(*number).min(record.ttl))
}

/// The records of a section, up to one that can't be read; `None` in place of
/// one that is not of the Internet, or holds a name that is none.
fn section(decoder: &mut BinDecoder<'_>, bytes: &[u8], count: u16) -> Vec<Option<DnsRecord>> {
    let mut records = Vec::new();
    for _ in 0..count {
        let Some(record) = record(decoder, bytes) else { break };
        records.push(record);
    }
    records
}

fn record(decoder: &mut BinDecoder<'_>, bytes: &[u8]) -> Option<Option<DnsRecord>> {
    let name = Name::read(decoder).ok()?;
    let kind = decoder.read_u16().ok()?.unverified();
    let class = decoder.read_u16().ok()?.unverified();
    let ttl = decoder.read_u32().ok()?.unverified();
    let length = decoder.read_u16().ok()?.unverified();
    let start = decoder.index();
    let data = decoder.read_slice(length.into()).ok()?.unverified();
    if class != u16::from(DNSClass::IN) {
        return Some(None);
    }
    let data = match written_out(bytes, start, data, kind) {
        Some(data) => data,
        None => return Some(None),
    };
    Some(Some(DnsRecord { name: domain::text(name.iter()), kind, ttl, data }))
}

/// A record's data with its names written out (RFC 1035 lets those of old types
/// refer to others in the message).
fn written_out(bytes: &[u8], start: usize, data: &[u8], kind: u16) -> Option<Vec<u8>> {
    let (before, names) = match kind {
        NS | CNAME | PTR | DNAME => (0, 1),
        SOA => (0, 2),
        MX => (2, 1),
        SRV => (6, 1),
        _ => return Some(data.to_vec()),
    };
    let end = start + data.len();
    let mut out = data.get(..before)?.to_vec();
    let mut decoder = BinDecoder::new(bytes).clone(u16::try_from(start + before).ok()?);
    for _ in 0..names {
        let name = Name::read(&mut decoder).ok()?;
        if decoder.index() > end {
            return None;
        }
        out.extend_from_slice(&domain::write(name.iter()));
    }
    out.extend_from_slice(bytes.get(decoder.index()..end)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: u16) -> Question {
        let labels = [b"a".to_vec(), b"example".to_vec()];
        Question::new(&labels, kind, true, &DnsOptions::default()).unwrap()
    }

    /// An answer with one record, whose data may point at the question's name.
    fn answer(question: &Question, kind: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = question.bytes().to_vec();
        bytes[2] |= 0x80;
        bytes[7] = 1;
        bytes.extend_from_slice(&[0xc0, 12, (kind >> 8) as u8, kind as u8, 0, 1, 0, 0, 0, 60]);
        bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn a_question_says_what_it_wants() {
        let plain = question(1);
        assert_eq!(&plain.bytes()[2..12], [1, 0x20, 0, 1, 0, 0, 0, 0, 0, 0]);
        let labels = [b"a".to_vec()];
        let options = DnsOptions { dnssec: true, ..DnsOptions::default() };
        let signed = Question::new(&labels, 1, false, &options).unwrap();
        assert!(signed.bytes().ends_with(&[0, 0, 41, 4, 0xb0, 0, 0, 0x80, 0, 0, 0]));
        assert!(Question::new(&[vec![b'a'; 64]], 1, true, &options).is_none());
    }

    #[test]
    fn identifiers_are_left_to_chance() {
        let ids: std::collections::BTreeSet<u16> = (0..200).map(|_| question(1).id).collect();
        assert!(ids.len() > 150, "{}", ids.len());
    }

    #[test]
    fn names_in_data_are_written_out() {
        let question = question(MX);
        let reply = question.reply(&answer(&question, MX, &[0, 10, 2, b'm', b'x', 0xc0, 12]));
        let records = reply.unwrap().records;
        assert_eq!(records[0].name_at(2), Some(("mx.a.example".into(), 16)));
        assert_eq!((records[0].name.as_str(), records[0].ttl), ("a.example", 60));
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let question = question(1);
        let good = answer(&question, 1, &[192, 0, 2, 1]);
        assert_eq!(question.reply(&good).unwrap().records.len(), 1);
        for (place, what) in [(0, 1), (1, 1), (2, 0x80), (2, 0x10), (5, 1), (13, 1), (24, 1)] {
            let mut bad = good.clone();
            bad[place] ^= what;
            assert_eq!(question.reply(&bad), None, "{place}");
        }
    }

    #[test]
    fn cve_2023_42119_crafted_data_of_records_is_bounded() {
        for kind in [1, NS, CNAME, SOA, PTR, MX, 16, 28, SRV, DNAME, 52, 65535] {
            let question = question(kind);
            for data in
                [&b""[..], b"\0", b"\xc0", b"\xc0\xff", b"\xc0\x0c", b"\x3fabc", b"\0\x0a\x05abc"]
            {
                let good = answer(&question, kind, data);
                let _ = question.reply(&good);
                // Cut at each place, and with counts that are too large.
                for end in 0..good.len() {
                    let _ = question.reply(&good[..end]);
                }
                let mut many = good;
                (many[6], many[8], many[10]) = (0xff, 0xff, 0xff);
                assert!(question.reply(&many).unwrap().records.len() <= 1);
            }
        }
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let question = question(PTR);
        let at = question.bytes().len() as u8 + 12;
        let reply = question.reply(&answer(&question, PTR, &[0xc0, at])).unwrap();
        assert!(reply.records.is_empty());
    }

    #[test]
    fn cve_2023_42119_messages_with_changed_bytes_are_read_to_an_end() {
        let question = question(MX);
        let good = answer(&question, MX, &[0, 10, 2, b'm', b'x', 0xc0, 12]);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % limit
        };
        let mut read = 0;
        for _ in 0..50_000 {
            let mut bytes = good.clone();
            for _ in 0..1 + next(4) {
                let place = 2 + next(bytes.len() - 2);
                bytes[place] = next(256) as u8;
            }
            read += usize::from(question.reply(&bytes).is_some());
        }
        assert!(read > 1000, "{read}");
    }
}
