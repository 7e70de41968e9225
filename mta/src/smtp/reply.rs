//! The form of replies: several lines, long ones split, codes of the
//! configuration's choice (specification 44.10, 44.22).

/// How long a line is before it is split.
const LONG: usize = 75;
/// From where on a line is split, rather behind a colon than at a space. Where there is
/// neither, the first space behind what is too long will do.
const EARLY: usize = 36;

/// A reply: each line of the text with the code before it, long ones split.
pub(super) fn lines(code: &[u8], text: &[u8], last: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = Some(text);
    while let Some(line) = rest {
        let (line, next) = match memchr::memchr(b'\n', line) {
            Some(end) => {
                // Empty lines say nothing.
                let after = line[end..].iter().position(|byte| *byte != b'\n');
                (&line[..end], after.map(|at| &line[end + at..]))
            }
            None => (line, None),
        };
        let sign = if next.is_none() && last { b" " } else { b"-" };
        // The extended code stands behind the sign.
        let (code, extended) = code.split_at(code.len().min(3));
        let extended = extended.trim_ascii_start();
        let space: &[u8] = if extended.is_empty() { b"" } else { b" " };
        for part in [code, sign, extended, space, line, b"\r\n"] {
            out.extend_from_slice(part);
        }
        rest = next;
    }
    out
}

/// Splits long lines of a text: behind a colon, or at a space.
pub(super) fn split(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        let mut line = if number > 0 { line.trim_ascii_start() } else { line };
        while line.len() > LONG {
            let head = &line[..=LONG];
            let colon = head.windows(2).rposition(|pair| pair == b": ").map(|at| at + 1);
            let colon = colon.filter(|at| *at >= EARLY);
            let space = || memchr::memrchr(b' ', head).filter(|at| *at >= EARLY);
            let later = || memchr::memchr(b' ', &line[LONG..]).map(|at| at + LONG);
            let Some(at) = colon.or_else(space).or_else(later) else { break };
            out.extend_from_slice(&line[..at]);
            out.push(b'\n');
            line = line[at..].trim_ascii_start();
        }
        out.extend_from_slice(line);
    }
    out
}

/// A code that stands at the head of a text: `599 5.1.2 `. What comes back is the
/// code with its extended one, and the text behind it.
pub(crate) fn own_code(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = text.get(..3)?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    if !plain || !text.get(3).is_some_and(u8::is_ascii_whitespace) {
        return None;
    }
    let mut end = 3;
    if let Some(extended) = text.get(4..).and_then(extended) {
        end = 4 + extended;
    }
    Some((&text[..end], &text[end + 1..]))
}

/// How long the extended code is that a text begins with: `5.1.2 `.
fn extended(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(u8::is_ascii_whitespace)?;
    let parts: Vec<&[u8]> = text[..end].split(|byte| *byte == b'.').collect();
    let number =
        |part: &&[u8]| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    (parts.len() == 3 && parts[0].len() == 1 && parts.iter().all(number)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_split_behind_colons_and_at_spaces() {
        let ten = b"aaaaaaaaa ".repeat(12);
        let text = split(&ten[..119]);
        let lengths: Vec<usize> = text.split(|c| *c == b'\n').map(<[u8]>::len).collect();
        assert_eq!(lengths, [69, 49]);
        let text = split(
            &[b"why this is so long that nobody reads it: ", &b"x".repeat(80)[..], b" y"].concat(),
        );
        assert!(
            text.starts_with(b"why this is so long that nobody reads it:\nx")
                && text.ends_with(b"x\ny")
        );
    }

    #[test]
    fn codes_are_found() {
        assert_eq!(own_code(b"599 5.1.2 a"), Some((b"599 5.1.2".as_slice(), b"a".as_slice())));
        assert_eq!(own_code(b"450 a"), Some((b"450".as_slice(), b"a".as_slice())));
        assert_eq!(own_code(b"550\ta"), Some((b"550".as_slice(), b"a".as_slice())));
        assert_eq!(own_code(b"999 a"), Some((b"999".as_slice(), b"a".as_slice())));
        assert_eq!(own_code(b"550 5.1.1"), Some((b"550".as_slice(), b"5.1.1".as_slice())));
        assert_eq!(own_code(b"5501 a"), None);
        assert_eq!(own_code(b"hello"), None);
        assert_eq!(lines(b"550", b"a\nb", true), b"550-a\r\n550 b\r\n");
    }
}
