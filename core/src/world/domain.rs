//! Names of the DNS: as text, and as they stand on the wire.

/// The longest name on the wire, its final zero included.
const LONGEST: usize = 255;
/// The longest label.
const LONGEST_LABEL: usize = 63;

/// The text of labels, as the C library writes it: characters with a meaning
/// of their own are quoted by a backslash, and what can't be printed is three
/// decimal digits after one. There is no final dot.
pub fn text<'l>(labels: impl IntoIterator<Item = &'l [u8]>) -> String {
    let mut out = String::new();
    for label in labels {
        if !out.is_empty() {
            out.push('.');
        }
        for byte in label {
            match byte {
                b'"' | b'.' | b';' | b'\\' | b'(' | b')' | b'@' | b'$' => {
                    out.push('\\');
                    out.push(char::from(*byte));
                }
                0x21..=0x7e => out.push(char::from(*byte)),
                _ => out.push_str(&format!("\\{byte:03}")),
            }
        }
    }
    out
}

/// The labels of a text, a final dot or not; `None` where that is no name: an
/// empty label, one that is too long, a number above 255 after a backslash.
pub fn labels(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut bytes = text.strip_suffix('.').unwrap_or(text).bytes();
    let (mut size, mut any) = (1, false);
    let mut finish = |label: &mut Vec<u8>| {
        size += label.len() + 1;
        let fits = !label.is_empty() && label.len() <= LONGEST_LABEL && size <= LONGEST;
        labels.push(std::mem::take(label));
        fits
    };
    while let Some(byte) = bytes.next() {
        any = true;
        match byte {
            b'.' if !finish(&mut label) => return None,
            b'.' => {}
            b'\\' => label.push(unquote(&mut bytes)?),
            byte => label.push(byte),
        }
    }
    if any && !finish(&mut label) {
        return None;
    }
    Some(labels)
}

/// What stands after a backslash.
fn unquote(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, bytes.next()?, bytes.next()?];
    let number = digits.iter().try_fold(0u16, |n, digit| {
        digit.is_ascii_digit().then(|| n * 10 + u16::from(digit - b'0'))
    })?;
    u8::try_from(number).ok()
}

/// Labels as they stand on the wire, without compression.
pub fn write<L: AsRef<[u8]>>(labels: impl IntoIterator<Item = L>) -> Vec<u8> {
    let mut out = Vec::new();
    for label in labels {
        let label = label.as_ref();
        let label = &label[..label.len().min(LONGEST_LABEL)];
        out.push(label.len() as u8);
        out.extend_from_slice(label);
    }
    out.push(0);
    out
}

/// The name at the head of data from the wire, where no name is compressed,
/// and how many bytes it takes.
pub fn read(data: &[u8]) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut at = 0;
    loop {
        let length = usize::from(*data.get(at)?);
        at += 1;
        if length == 0 {
            return Some((text(labels), at));
        }
        if length > LONGEST_LABEL || at + length >= LONGEST {
            return None;
        }
        labels.push(data.get(at..at + length)?);
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for name in
            ["", "example", "a.b.c", "a\\.b.c", "x\\032y.\\255\\000.\\$\\\"", "_smtp._tcp.x"]
        {
            let wire = write(labels(name).unwrap());
            assert_eq!(read(&wire), Some((name.to_owned(), wire.len())), "{name}");
        }
        assert_eq!(labels("a.b."), labels("a.b"));
        assert_eq!(labels("\\097"), labels("a"));
        assert_eq!(labels(".").map(|labels| labels.len()), Some(0));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        let longer = "a.".repeat(128);
        for wrong in ["..", "a..b", ".a", "a\\", "a\\12", "a\\999", "a\\1x2", &long, &longer] {
            assert_eq!(labels(wrong), None, "{wrong}");
        }
        assert!(labels(&"a.".repeat(127)).is_some());
    }

    #[test]
    fn cve_2026_40684_odd_bytes_of_a_name_print_as_decimal_digits() {
        assert_eq!(
            text([&b"\x00\x1f\x7f\x80\xff \xc3\xa4"[..]]),
            "\\000\\031\\127\\128\\255\\032\\195\\164"
        );
    }

    #[test]
    fn hostile_names_end() {
        for data in [&b""[..], b"\x01", b"\x01a", b"\xc0\x00", b"\x40", b"\x3f", &[1; 600]] {
            assert_eq!(read(data), None);
        }
    }
}
