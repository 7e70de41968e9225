//! Records as lines of master files (RFC 1035, section 5.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::DnsRecord;

/// Types by name.
pub(crate) const TYPES: &[(&str, u16)] = &[
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("SRV", 33),
    ("TLSA", 52),
    ("SPF", 99),
];

/// What a type is called.
pub(crate) fn type_name(kind: u16) -> String {
    let known = TYPES.iter().find(|(_, number)| *number == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}

impl DnsRecord {
    /// The record as a line of a master file, without the end of the line:
    /// `example.com. 3600 MX 10 mx.example.com.`
    pub fn line(&self) -> String {
        let Self { name, kind, ttl, .. } = self;
        let (kind, data) = (type_name(*kind), self.written());
        format!("{}. {ttl} {kind} {data}", name.trim_end_matches('.'))
    }

    /// The record's data as a line of a master file has it. What has no form there, or is
    /// malformed, is written as RFC 3597 has it: `\# 3 010203`.
    pub fn written(&self) -> String {
        let data = &self.data[..];
        let known = match type_name(self.kind).as_str() {
            "A" => <[u8; 4]>::try_from(data).ok().map(|it| Ipv4Addr::from(it).to_string()),
            "AAAA" => <[u8; 16]>::try_from(data).ok().map(|it| Ipv6Addr::from(it).to_string()),
            "NS" | "CNAME" | "PTR" => whole_name(data),
            "MX" => numbers(data, 1),
            "SRV" => numbers(data, 3),
            "TXT" | "SPF" => strings(data),
            "TLSA" => match data {
                [usage, selector, matching, rest @ ..] => {
                    Some(format!("{usage} {selector} {matching} {}", hex(rest)))
                }
                _ => None,
            },
            _ => None,
        };
        known.unwrap_or_else(|| format!("\\# {} {}", data.len(), hex(data)).trim_end().to_owned())
    }
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Numbers of two bytes, and a name behind them.
fn numbers(data: &[u8], count: usize) -> Option<String> {
    let (head, name) = data.split_at_checked(2 * count)?;
    let numbers = head.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]).to_string(),
        _ => String::new(),
    });
    Some(format!("{} {}", numbers.collect::<Vec<_>>().join(" "), whole_name(name)?))
}

/// A name that is written out, and nothing behind it.
fn whole_name(mut data: &[u8]) -> Option<String> {
    let mut out = String::new();
    loop {
        let (length, rest) = data.split_first()?;
        if *length == 0 {
            let name = if out.is_empty() { ".".to_owned() } else { out };
            return rest.is_empty().then_some(name);
        }
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_*/".contains(byte);
        // More is a pointer; and other characters may mean something in master files.
        if *length > 63 || !label.iter().all(plain) {
            return None;
        }
        out.extend(label.iter().map(|byte| char::from(*byte)));
        out.push('.');
        data = rest;
    }
}

/// Character strings, each in quotes.
fn strings(mut data: &[u8]) -> Option<String> {
    let mut all = Vec::new();
    while let Some((length, rest)) = data.split_first() {
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        let mut out = String::from("\"");
        for byte in text {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
                b' '..=b'~' => out.push(char::from(*byte)),
                _ => out += &format!("\\{byte:03}"),
            }
        }
        all.push(out + "\"");
        data = rest;
    }
    (!all.is_empty()).then(|| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: u16, data: &[u8]) -> String {
        let (name, data) = ("a.example".to_owned(), data.to_vec());
        DnsRecord { name, kind, ttl: 60, data }.written()
    }

    #[test]
    fn data_is_written_as_people_do() {
        assert_eq!(written(1, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(written(15, b"\x00\x0a\x02mx\x07example\x00"), "10 mx.example.");
        assert_eq!(written(33, b"\x00\x01\x00\x02\x00\x19\x00"), "1 2 25 .");
        assert_eq!(written(16, b"\x03a\"b\x02\x00c"), "\"a\\\"b\" \"\\000c\"");
        assert_eq!(written(52, &[3, 1, 1, 0xab]), "3 1 1 ab");
    }

    #[test]
    fn what_has_no_form_is_written_as_bytes() {
        for (kind, data, text) in [
            (1, &b"abc"[..], "\\# 3 616263"),
            (15, b"\x00\x0a\x02mx", "\\# 5 000a026d78"),
            (15, b"\x00\x0a\xc0\x0c", "\\# 4 000ac00c"),
            (12, b"\x02a@\x00", "\\# 4 02614000"),
            (16, b"\x05a", "\\# 2 0561"),
            (16, b"", "\\# 0"),
            (65280, &[1], "\\# 1 01"),
        ] {
            assert_eq!(written(kind, data), text);
        }
    }
}
