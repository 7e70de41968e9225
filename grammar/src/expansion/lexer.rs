//! The tokens of the text between constructs.

use logos::Logos;

/// A token of literal text. What follows a dollar or stands between an item's
/// braces is read by the parser itself, which knows what to expect there.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(utf8 = false)]
pub(super) enum Token {
    /// Bytes that stand for themselves.
    #[regex(b"[^$\\\\}]+")]
    Run,
    /// `}`.
    #[token(b"}")]
    Close,
    /// `${`.
    #[token(b"${")]
    DollarBrace,
    /// `$` and the first letter of a name.
    #[regex(b"\\$[A-Za-z]")]
    DollarLetter,
    /// `$0`, `$12`.
    #[regex(b"\\$[0-9]+")]
    DollarDigits,
    /// A dollar before anything else.
    #[token(b"$")]
    Dollar,
    /// `\N`: verbatim text up to the next one.
    #[token(b"\\N")]
    Verbatim,
    /// `\` and a byte, or an octal or hexadecimal number.
    #[regex(b"\\\\[0-7]{1,3}")]
    #[regex(b"\\\\x[0-9A-Fa-f]{0,2}")]
    #[regex(b"\\\\[^N]", priority = 1)]
    Escape,
    /// `\` at the end of the text.
    #[token(b"\\")]
    Backslash,
}

/// The byte that an [`Token::Escape`] stands for (specification 11.2).
pub(super) fn unescape(token: &[u8]) -> u8 {
    match token[1] {
        b'0'..=b'7' => token[1..].iter().fold(0u32, |n, d| n * 8 + u32::from(d - b'0')) as u8,
        b'x' => token[2..]
            .iter()
            .fold(0u32, |n, d| n * 16 + (*d as char).to_digit(16).unwrap_or_default())
            as u8,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other => other,
    }
}

/// The escape at the head of a text that begins with a backslash: the byte it
/// stands for, and how many bytes it takes. A lone backslash stands for itself.
pub fn escape(text: &[u8]) -> (u8, usize) {
    let length = match text.get(1) {
        None => return (b'\\', 1),
        Some(b'0'..=b'7') => {
            1 + text[1..].iter().take(3).take_while(|c| matches!(c, b'0'..=b'7')).count()
        }
        Some(b'x') => 2 + text[2..].iter().take(2).take_while(|c| c.is_ascii_hexdigit()).count(),
        Some(_) => 2,
    };
    (unescape(&text[..length]), length)
}
