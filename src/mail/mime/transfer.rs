//! How a part is encoded, and what is wrong with that (RFC 2045, section 6).

/// Decodes a part, a piece at a time. What is wrong is overlooked as far as may be, as
/// mail programs do, and noted.
#[derive(Debug)]
pub(crate) enum Transfer {
    /// As it is.
    Plain,
    /// `base64`.
    Base64(Base64),
    /// `quoted-printable`.
    QuotedPrintable(QuotedPrintable),
}

/// What is wrong with a part's encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Anomaly {
    /// An equals sign with no code behind it.
    QuotedPrintable = 1,
    /// A character of no value.
    Base64 = 2,
}

impl Anomaly {
    /// In Exim's words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "Broken Quoted-Printable encoding detected",
            Self::Base64 => "Broken BASE64 encoding detected",
        }
    }
}

impl Transfer {
    /// By its name, in lower case; an unknown one leaves the part as it is.
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"base64" => Self::Base64(Base64::default()),
            b"quoted-printable" => Self::QuotedPrintable(QuotedPrintable::default()),
            _ => Self::Plain,
        }
    }

    /// Decodes a piece.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(piece),
            Self::Base64(base64) => piece.iter().for_each(|byte| base64.push(*byte, out)),
            Self::QuotedPrintable(quoted) => piece.iter().for_each(|byte| quoted.push(*byte, out)),
        }
    }

    /// Nothing more comes; what was wrong with it.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Option<Anomaly> {
        match self {
            Self::Plain => None,
            Self::Base64(mut base64) => {
                if base64.count > 0 {
                    out.push(base64.byte);
                }
                std::mem::take(&mut base64.broken).then_some(Anomaly::Base64)
            }
            // An equals sign at the end takes a newline away that is not there.
            Self::QuotedPrintable(quoted) => {
                if quoted.pending.len() > 1 && !quoted.pending[1].is_ascii_whitespace() {
                    out.extend_from_slice(&quoted.pending);
                    return Some(Anomaly::QuotedPrintable);
                }
                quoted.broken.then_some(Anomaly::QuotedPrintable)
            }
        }
    }
}

/// Four characters are three bytes. Groups go on over lines, and an equals sign only takes
/// its place in a group.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    /// How many characters of the group there were.
    count: u8,
    /// The byte that is not complete.
    byte: u8,
    broken: bool,
}

impl Base64 {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        let value = match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            b'=' => None,
            b'\r' | b'\n' | 0 => return,
            _ => {
                self.broken = true;
                return;
            }
        };
        match (self.count, value) {
            (_, None) => {}
            (0, Some(value)) => self.byte = value << 2,
            (1, Some(value)) => {
                out.push(self.byte | value >> 4);
                self.byte = value << 4;
            }
            (2, Some(value)) => {
                out.push(self.byte | value >> 2);
                self.byte = value << 6;
            }
            (_, Some(value)) => {
                out.push(self.byte | value);
                self.byte = 0;
            }
        }
        self.count = (self.count + 1) % 4;
    }
}

/// How much white space may stand between an equals sign and the end of its line.
const MOST_PENDING: usize = 1000;

/// An equals sign and two digits are a byte; one at the end of a line takes the newline
/// away.
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    /// An equals sign, and what has come behind it.
    pending: Vec<u8>,
    broken: bool,
}

impl QuotedPrintable {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (&self.pending[..], byte) {
            ([], b'=') => self.pending.push(byte),
            ([], _) => out.push(byte),
            ([_], b'\n') => self.pending.clear(),
            ([_], b' ' | b'\t' | b'\r') => self.pending.push(byte),
            ([_], _) if byte.is_ascii_hexdigit() => self.pending.push(byte),
            ([_, first], _) if first.is_ascii_hexdigit() && byte.is_ascii_hexdigit() => {
                out.push(digit(*first) << 4 | digit(byte));
                self.pending.clear();
            }
            ([_, first, ..], b'\n') if first.is_ascii_whitespace() => self.pending.clear(),
            ([_, first, ..], b' ' | b'\t' | b'\r')
                if first.is_ascii_whitespace() && self.pending.len() < MOST_PENDING =>
            {
                self.pending.push(byte);
            }
            _ => {
                self.broken = true;
                out.append(&mut self.pending);
                self.push(byte, out);
            }
        }
    }
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20).wrapping_sub(b'a') + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn decodes(name: &str, cases: &[(&[u8], &[u8], Option<Anomaly>)]) {
        for (text, expected, anomaly) in cases {
            for piece in [1, 2, 1000] {
                let mut transfer = Transfer::of(name.as_bytes());
                let mut out = Vec::new();
                text.chunks(piece).for_each(|piece| transfer.push(piece, &mut out));
                let found = transfer.finish(&mut out);
                let shown = text.escape_ascii();
                assert_eq!(
                    (out.escape_ascii().to_string(), found),
                    (expected.escape_ascii().to_string(), *anomaly),
                    "{shown}"
                );
            }
        }
    }

    #[test]
    fn base64_is_read_as_far_as_may_be() {
        let broken = Some(Anomaly::Base64);
        decodes(
            "base64",
            &[
                (b"aGVsbG8=\n", b"hello", None),
                (b"a\n", b"h", None),
                (b"aG\n", b"h`", None),
                (b"aGV\n", b"he@", None),
                (b"aG\nVs\n", b"hel", None),
                (b"aGVs\n\n", b"hel", None),
                (b"=", b"\0", None),
                (b"====", b"", None),
                (b"a===", b"", None),
                (b"aG==", b"h", None),
                (b"a=V=", b"m", None),
                (b"a=Vs", b"ml", None),
                (b"=GVs", b"\0el", None),
                (b"==Vs", b"\x05l", None),
                (b"aG=s", b"hl", None),
                (b"aGVs=", b"hel\0", None),
                (b"aGVsQ====", b"hel@", None),
                (b"aGVsb=\nbG8=", b"heln\xc6\xf0", None),
                (b"aGVsbG8=aGVsbG8=", b"hellohello", None),
                (b"a=aG", b"n\x86", None),
                (b"aGV!!sbG8=\n", b"hello", broken),
                (b"aGVs \n", b"hel", broken),
                (b"\taGVs", b"hel", broken),
                (b"aGVs-_", b"hel", broken),
                (b"", b"", None),
            ],
        );
    }

    #[test]
    fn quoted_printable_is_read_as_far_as_may_be() {
        let broken = Some(Anomaly::QuotedPrintable);
        decodes(
            "quoted-printable",
            &[
                (b"a=20b=\nc=3D\n=\nx  \n", b"a bc=\nx  \n", None),
                (b"a=zz b=2\nc=a\n", b"a=zz b=2\nc=a\n", broken),
                (b"=c3=A4\n", b"\xc3\xa4\n", None),
                (b"a=  \nb\n", b"ab\n", None),
                (b"a=\n", b"a", None),
                (b"a=", b"a", None),
                (b"=\t\n\n", b"\n", None),
                (b"=4G\n", b"=4G\n", broken),
                (b"==41\n", b"=A\n", broken),
                (b"=4\n1\n", b"=4\n1\n", broken),
                (b"a= b\n", b"a= b\n", broken),
                (b"=0A=00\n", b"\n\0\n", None),
                (b"=4", b"=4", broken),
            ],
        );
        let long = [b"=".as_slice(), &[b' '; 5000], b"\n"].concat();
        let mut transfer = Transfer::of(b"quoted-printable");
        let mut out = Vec::new();
        transfer.push(&long, &mut out);
        assert_eq!((out.len(), transfer.finish(&mut out)), (5002, broken));
    }

    #[test]
    fn others_stay_as_they_are() {
        decodes("8bit", &[(b"a=20\n", b"a=20\n", None)]);
        decodes("x-uuencode", &[(b"begin 644 a\n", b"begin 644 a\n", None)]);
    }
}
