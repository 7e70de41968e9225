//! What the header of a part says (RFC 2045, 2183, 2231), as Exim reads it: not by the
//! grammar, but so that what mail programs make of broken lines is found, too.

use eximious_stdlib::rfc2047;

/// How much of a line counts.
const MOST: usize = 64 << 10;

/// The header of a part. What is not there is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PartHeader {
    /// `Content-Type:`, in lower case and without its parameters.
    pub(crate) kind: Vec<u8>,
    /// `Content-Transfer-Encoding:`, in the same way; so are the three that follow.
    pub(crate) encoding: Vec<u8>,
    pub(crate) disposition: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) description: Vec<u8>,
    /// The parameters that count, of whichever line.
    pub(crate) boundary: Vec<u8>,
    pub(crate) charset: Vec<u8>,
    pub(crate) filename: Vec<u8>,
    /// What segments of a name say in the line at hand (RFC 2231).
    segments: Segments,
    /// Whether an encoded word may be of any length (`check_rfc2047_length`).
    any_length: bool,
}

/// A name that comes in segments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Segments {
    charset: Vec<u8>,
    /// The name so far, decoded.
    text: Vec<u8>,
    /// As it is written.
    raw: Vec<u8>,
    /// Whether one can't be decoded: those that follow don't count.
    failed: bool,
}

impl PartHeader {
    /// Of a part; whether encoded words that are too long count as such.
    pub(crate) fn new(any_length: bool) -> Self {
        Self { any_length, ..Self::default() }
    }

    /// Takes a line of the header, with those that continue it.
    pub(crate) fn take(&mut self, line: &[u8]) {
        let line = &line[..line.len().min(MOST)];
        let Some(colon) = memchr::memchr(b':', line) else { return };
        // Blanks around a name are no part of it (RFC 822, 3.4.2).
        let (name, value) = (line[..colon].trim_ascii(), &line[colon + 1..]);
        let name = name.to_ascii_lowercase();
        let field = match &name[..] {
            b"content-type" => &mut self.kind,
            b"content-transfer-encoding" => &mut self.encoding,
            b"content-disposition" => &mut self.disposition,
            b"content-id" => &mut self.id,
            b"content-description" => &mut self.description,
            _ => return,
        };
        let text = normalized(value);
        let end = memchr::memchr(b';', &text).unwrap_or(text.len());
        *field = text[..end].to_ascii_lowercase();
        self.segments = Segments::default();
        let mut rest = text.get(end + 1..).unwrap_or_default();
        while !rest.is_empty() {
            let (parameter, behind) = unquoted(rest);
            self.parameter(rest, parameter);
            rest = behind;
        }
        let segments = &mut self.segments;
        // There, Exim makes do with what is written.
        if segments.failed && name == b"content-disposition" {
            self.filename = std::mem::take(&mut segments.raw);
        }
    }

    /// Whether it only holds other parts.
    pub(crate) fn is_multipart(&self) -> bool {
        self.kind.starts_with(b"multipart")
    }

    /// Takes a parameter: as it is written, and without its quotes.
    fn parameter(&mut self, written: &[u8], parameter: Vec<u8>) {
        let after = |name: &[u8]| {
            let head = written.get(..name.len())?;
            head.eq_ignore_ascii_case(name).then(|| &written[name.len()..])
        };
        let value = |rest: &[u8]| {
            let length = written.len() - rest.len();
            parameter.get(length..).unwrap_or_default().to_vec()
        };
        // A real Exim decodes what stands in boundaries, too.
        let any_length = self.any_length;
        let decoded =
            |rest| rfc2047::decode_with_spaces(&value(rest), !any_length).text.into_owned();
        if let Some(rest) = after(b"boundary=") {
            self.boundary = decoded(rest);
        } else if let Some(rest) = after(b"charset=") {
            self.charset = decoded(rest);
        } else if let Some(rest) = after(b"name=").or_else(|| after(b"filename=")) {
            self.filename = decoded(rest);
        } else if let Some(rest) = after(b"name*").or_else(|| after(b"filename*"))
            && let Some(rest) = segment(rest)
        {
            let raw = value(rest);
            self.segment(&raw);
        }
    }

    /// Takes a segment of a name, in whatever order they come, with a star behind its number
    /// or without one. The first that has a quote mark names the character set.
    fn segment(&mut self, raw: &[u8]) {
        let segments = &mut self.segments;
        segments.raw.extend_from_slice(raw);
        if raw.is_empty() || segments.failed {
            return;
        }
        let mut raw = raw;
        if segments.charset.is_empty()
            && let Some(quote) = memchr::memchr(b'\'', raw)
        {
            segments.charset = raw[..quote].to_vec();
            raw = &raw[quote + 1..];
            // A real Exim takes a language for a part of the name.
            raw = raw.strip_prefix(b"'").unwrap_or(raw);
        }
        match segments.decoded(raw) {
            Some(text) => {
                segments.text.extend_from_slice(&text);
                self.filename.clone_from(&segments.text);
            }
            None => segments.failed = true,
        }
    }
}

impl Segments {
    /// A segment, by way of an encoded word; nothing where it makes none.
    fn decoded(&self, raw: &[u8]) -> Option<Vec<u8>> {
        if raw.is_empty() {
            return Some(Vec::new());
        }
        let mut word = [b"=?".as_slice(), &self.charset, b"?Q?"].concat();
        let mut rest = raw;
        while let Some((byte, behind)) = rest.split_first() {
            let is_code =
                *byte == b'%' && behind.len() > 1 && behind[..2].iter().all(u8::is_ascii_hexdigit);
            word.push(if is_code { b'=' } else { *byte });
            rest = behind;
        }
        word.extend_from_slice(b"?=");
        let decoded = rfc2047::decode_with_spaces(&word, false).text;
        (*decoded != *word).then(|| decoded.into_owned())
    }
}

/// What stands behind the star of a name in segments: a number perhaps, another star
/// perhaps, an equals sign, the value.
fn segment(rest: &[u8]) -> Option<&[u8]> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = &rest[digits..];
    behind.strip_prefix(b"*").unwrap_or(behind).strip_prefix(b"=")
}

/// A value on one line: before an equals sign white space, comments and backslashes are
/// left out, behind it there are only control characters to leave out, up to a semicolon.
/// It ends in one.
fn normalized(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len() + 1);
    let (mut in_value, mut comment, mut begins) = (false, false, false);
    let mut at = 0;
    while let Some(byte) = value.get(at).copied() {
        at += 1;
        match byte {
            b'\n' => {
                // The next line is continued behind its first character.
                if at < value.len() {
                    at += 1;
                }
            }
            _ if in_value => match byte {
                b';' => {
                    in_value = false;
                    text.push(byte);
                }
                b' ' | b'\t' if begins => {}
                _ if byte.is_ascii_control() => {}
                _ => {
                    begins = false;
                    text.push(byte);
                }
            },
            b')' if comment => comment = false,
            _ if comment => {}
            b'(' => comment = true,
            b'\\' => {}
            _ if byte.is_ascii_whitespace() || byte.is_ascii_control() => {}
            b'=' => {
                (in_value, begins) = (true, true);
                text.push(byte);
            }
            _ => text.push(byte),
        }
    }
    text.push(b';');
    text
}

/// A parameter without its quotes, up to a semicolon outside of them, and what follows.
fn unquoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut parameter = Vec::new();
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' if !quoted => return (parameter, &text[at + 1..]),
            _ => parameter.push(*byte),
        }
    }
    (parameter, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> PartHeader {
        let mut header = PartHeader::default();
        header.take(format!("Content-Type: text/plain; {line}\n").as_bytes());
        header
    }

    #[test]
    fn names_are_found_as_exim_finds_them() {
        for (line, name) in [
            ("name=foo", "foo"),
            ("Name = Foo Bar.txt; x=y", "Foo Bar.txt"),
            ("name=a; filename=b", "b"),
            ("xname=foo", ""),
            ("name=\"a b\" ; x", "a b "),
            ("name=\"a;b\\\"c.txt\"; charset=\"u;8\"", "a;bc.txt;charset=u"),
            ("name=\n \"a\n b.txt\"", "ab.txt"),
            ("name=\"a; b c=d e; f\"", "a;bc=d e;f"),
            ("name=\"=?utf-8?q?a?= =?utf-8?q?b?=\"", "ab"),
            ("name*=utf-8''a%20b", "a b"),
            ("name*=utf-8'en'%41", "en'A"),
            ("name*0=foo; name*1=\"bar\"; name*2=.txt", "foobar.txt"),
            ("name*0*=utf-8''a%20b; name*1=c%20d", "a bc d"),
            ("name*1=a;name*1*=utf-8''%41", "aA"),
            ("name*=utf-8''a b", ""),
            ("name*=utf-8''a%zz%41%", "a%zzA%"),
            ("name*0=utf-8''a%zz; name*1=%4; name*2=1", "a%zz%41"),
            ("name*0=\"'a'\"; name*1=b'c", "a'c"),
            ("name*0*=utf-8''a; name*1=b c; name*2=d", "a"),
            ("name=q; name*0=b c", "q"),
            ("name*0=''a; name*1=utf-8''b", "ab"),
            ("name=\"=?utf-8?q?=00a?=\"", " a"),
            ("name=\"a\"b\";", "ab;;"),
            ("name*x=foo", ""),
            ("name*=us-ascii''%00b", " b"),
        ] {
            assert_eq!(String::from_utf8_lossy(&of(line).filename), name, "{line}");
        }
    }

    #[test]
    fn cve_2024_39929_a_name_in_segments_is_whole() {
        let header = of("name*0*=utf-8''bad%2e; name*1*=e; name*2*=xe");
        assert_eq!(header.filename, b"bad.exe");
        let mut header = PartHeader::default();
        header.take(b"Content-Disposition: attachment;\n filename*0=\"a.\";\n filename*1=\"e\";\n filename*2=\"xe\"\n");
        assert_eq!(header.filename, b"a.exe");
        header.take(
            b"Content-Disposition: x; filename*0*=utf-8''a%2e; filename*1=\"e x\"; filename*2=e\n",
        );
        assert_eq!(header.filename, b"utf-8''a%2ee xe");
        // Many segments, and long ones, take no more than they are long.
        let many: String = (0..5000).map(|n| format!("name*{n}=a;")).collect();
        assert!(of(&many).filename.len() <= 5000);
    }

    #[test]
    fn values_are_made_uniform() {
        let mut header = PartHeader::default();
        header.take(b"Content-Description: a\\b \"c D\" (e) =f\\g\n");
        header.take(b"content-ID\t:  <Foo Bar@Baz>  \n");
        header.take(b"Content-Type: MultiPart/Mixed; Boundary=\"A b\";\n");
        assert_eq!(header.description, b"ab\"cd\"=f\\g");
        assert_eq!(header.id, b"<foobar@baz>");
        assert_eq!(
            (&header.kind[..], &header.boundary[..]),
            (&b"multipart/mixed"[..], &b"A b"[..])
        );
        assert!(header.is_multipart());
    }
}
