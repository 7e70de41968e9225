//! What the data of a record says. What is missing at its end counts as zero;
//! where there is no name, there is nothing.

use eximious_core::world::DnsRecord;

/// The name that is all of the data: of NS, CNAME and PTR.
pub fn host(record: &DnsRecord) -> Option<String> {
    record.name_at(0).map(|(name, _)| name)
}

/// The preference and the host of MX.
pub fn mx(record: &DnsRecord) -> Option<(u16, String)> {
    Some((short(&record.data, 0)?, record.name_at(2)?.0))
}

/// The priority, weight, port and host of SRV.
pub fn srv(record: &DnsRecord) -> Option<(u16, u16, u16, String)> {
    let number = |at| short(&record.data, at);
    Some((number(0)?, number(2)?, number(4)?, record.name_at(6)?.0))
}

/// The server, the mailbox and the five numbers of SOA.
pub fn soa(record: &DnsRecord) -> Option<(String, String, [u32; 5])> {
    let (server, at) = record.name_at(0)?;
    let (mailbox, at) = record.name_at(at)?;
    let rest = record.data.get(at..)?;
    let number = |n: usize| {
        let bytes = rest.get(4 * n..4 * n + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    Some((server, mailbox, [number(0), number(1), number(2), number(3), number(4)]))
}

/// The three numbers and the data of TLSA.
pub fn tlsa(record: &DnsRecord) -> Option<([u8; 3], &[u8])> {
    record.data.split_first_chunk::<3>().map(|(numbers, data)| (*numbers, data))
}

/// The strings of TXT; one that is cut short is as long as the data. An empty
/// one at the end is passed over, as in Exim.
pub fn strings(record: &DnsRecord) -> impl Iterator<Item = &[u8]> {
    let mut rest = &record.data[..];
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first()?;
        if after.is_empty() {
            return None;
        }
        let (string, next) = after.split_at(usize::from(*length).min(after.len()));
        rest = next;
        Some(string)
    })
}

fn short(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data: &[u8]) -> DnsRecord {
        DnsRecord { name: String::new(), kind: 0, ttl: 0, data: data.to_vec() }
    }

    #[test]
    fn strings_end_with_the_data() {
        let read = |data: &[u8]| {
            strings(&record(data))
                .map(|s| String::from_utf8_lossy(s).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(read(b"\x01a\x02bc"), ["a", "bc"]);
        assert_eq!(read(b"\x0aabc"), ["abc"]);
        assert_eq!(read(b"\0\x01b\0"), ["", "b"]);
        assert!(read(b"").is_empty() && read(b"\0").is_empty());
    }

    #[test]
    fn cve_2023_42119_data_that_is_cut_short_gives_nothing() {
        let whole = b"\x00\x01\x00\x02\x00\x03\x01a\x01b\x00\x01c\x00abcdefgh";
        for end in 0..whole.len() {
            let cut = record(&whole[..end]);
            let _ = (host(&cut), mx(&cut), soa(&cut), tlsa(&cut), strings(&cut).count());
            assert_eq!(srv(&cut).is_some(), end >= 11, "{end}");
        }
        assert_eq!(soa(&record(b"\x01a\0\x01b\0\0\0\0\x01")).unwrap().2, [1, 0, 0, 0, 0]);
    }
}
