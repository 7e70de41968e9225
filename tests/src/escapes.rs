//! Bytes as cases have them: what is no letter, digit or sign on a keyboard stands there behind
//! a backslash.

/// The bytes that a text stands for: `\n`, `\r`, `\t`, `\s` (a space), `\0`, `\xff`, `\{9:x}`
/// (nine times `x`); any other sign behind a backslash stands for itself.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let after = &rest[at + 1..];
        let mut length = 1;
        match after.as_bytes().first() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b's') => out.push(b' '),
            Some(b'0') => out.push(0),
            Some(b'x') => {
                let digits = after.get(1..3).expect("two digits");
                out.push(u8::from_str_radix(digits, 16).expect("two digits"));
                length = 3;
            }
            Some(b'{') => {
                let end = after.find('}').expect("a brace");
                let (count, text) = after[1..end].split_once(':').expect("a colon");
                let count = count.parse().expect("a number");
                out.extend(unescaped(text).repeat(count));
                length = end + 1;
            }
            Some(byte) => {
                assert!(!byte.is_ascii_alphanumeric(), "what is this: \\{after}");
                out.push(*byte);
            }
            None => length = 0,
        }
        rest = &after[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// A text that stands for these bytes, short where a letter or a digit comes often.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some(byte) = rest.first() {
        let run = rest.iter().take_while(|next| *next == byte).count();
        let one = match byte {
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0 => "\\0".to_owned(),
            // White space at an end of a line may get lost.
            b' ' if run == rest.len() => "\\s".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            other => format!("\\x{other:02x}"),
        };
        match run > 12 && byte.is_ascii_alphanumeric() {
            true => text += &format!("\\{{{run}:{one}}}"),
            false => text += &one.repeat(run),
        }
        rest = &rest[run..];
    }
    // It would stand for a directory.
    text.replace("DIR", "D\\x49R")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stands_for_what_it_was() {
        let all: Vec<u8> = (0..=255).collect();
        let texts: [&[u8]; 6] =
            [&all, b"", b"DIR/x", b"a \r\n  ", b"\\{13:x}", b"xxxxxxxxxxxxxxxxxxxxx and so on"];
        for bytes in texts {
            let text = escaped(bytes);
            assert_eq!(unescaped(&text), bytes, "{text}");
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
        }
        assert_eq!(escaped(b"xxxxxxxxxxxxx"), "\\{13:x}");
    }
}
