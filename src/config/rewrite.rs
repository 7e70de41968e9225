//! Rules for rewriting (specification, chapter 31).

use bitflags::bitflags;
use eximious_core::Str;
use eximious_grammar::config::rewrite_line;
use eximious_stdlib::lists::elements;

use super::values::quoted;

bitflags! {
    /// Which addresses a rule rewrites, and how.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct RewriteFlags: u32 {
        /// `E`: all of the envelope.
        const ENVELOPE = Self::FROM_ENVELOPE.bits() | Self::TO_ENVELOPE.bits();
        /// `F`: the envelope's sender.
        const FROM_ENVELOPE = 1;
        /// `T`: the envelope's recipients.
        const TO_ENVELOPE = 1 << 1;
        /// `b`: the Bcc header.
        const BCC = 1 << 2;
        /// `c`: the Cc header.
        const CC = 1 << 3;
        /// `f`: the From header.
        const FROM = 1 << 4;
        /// `r`: the Reply-To header.
        const REPLY_TO = 1 << 5;
        /// `s`: the Sender header.
        const SENDER = 1 << 6;
        /// `t`: the To header.
        const TO = 1 << 7;
        /// `h`: all headers.
        const HEADERS = Self::BCC.bits()
            | Self::CC.bits()
            | Self::FROM.bits()
            | Self::REPLY_TO.bits()
            | Self::SENDER.bits()
            | Self::TO.bits();
        /// `S`: at SMTP time, before anything is looked at.
        const SMTP = 1 << 8;
        /// `w`: the whole of a header's address, phrase included.
        const WHOLE = 1 << 9;
        /// `Q`: an unqualified result is qualified.
        const QUALIFY = 1 << 10;
        /// `q`: no further rule after this one.
        const LAST = 1 << 11;
        /// `R`: the rule is tried again on its own result.
        const REPEAT = 1 << 12;
    }
}

/// A rule for rewriting.
#[derive(Clone, PartialEq, Debug)]
pub struct RewriteRule {
    /// What is matched: an item of an address list.
    pub pattern: Str,
    /// What takes its place, before expansion; `*` leaves it as it is.
    pub replacement: Str,
    /// Which addresses, and how.
    pub flags: RewriteFlags,
}

/// Reads a rule of the section.
pub(super) fn rule(line: &[u8]) -> Result<RewriteRule, Vec<u8>> {
    read(line, RewriteFlags::empty())
}

/// Reads a rule, in which some flags may not stand.
fn read(line: &[u8], forbidden: RewriteFlags) -> Result<RewriteRule, Vec<u8>> {
    let missing = || b"missing rewrite replacement string".to_vec();
    let form = rewrite_line(line).ok_or_else(missing)?;
    let replacement = form.replacement.ok_or_else(missing)?;
    let pattern = quoted(form.pattern.of(line));
    let mut flags = flags(form.flags.map_or(b"", |flags| flags.of(line)))?;
    if flags.intersects(forbidden) {
        let why = b"rewrite rule specifies a non-header rewrite - not allowed at transport time -";
        return Err(why.to_vec());
    }
    if !flags.intersects(WHERE) {
        flags |= RewriteFlags::ENVELOPE | RewriteFlags::HEADERS;
    }
    if flags.contains(RewriteFlags::SMTP)
        && !pattern.starts_with(b"^")
        && !pattern.starts_with(b"\\N^")
    {
        return Err(b"rewrite rule has the S flag but is not a regular expression".to_vec());
    }
    Ok(RewriteRule {
        pattern: Str::from(pattern),
        replacement: Str::from(quoted(replacement.of(line))),
        flags,
    })
}

/// The rules of a transport's `headers_rewrite`, with colons between them.
///
/// # Errors
/// What is wrong with one, in Exim's words.
pub fn rules(text: &[u8]) -> Result<Vec<RewriteRule>, Vec<u8>> {
    elements(text).map(|one| read(&one, WHERE - RewriteFlags::HEADERS)).collect()
}

/// The flags that say where a rule rewrites; none of them is all headers and the
/// envelope.
const WHERE: RewriteFlags =
    RewriteFlags::ENVELOPE.union(RewriteFlags::HEADERS).union(RewriteFlags::SMTP);

/// The flags of a rule.
fn flags(text: &[u8]) -> Result<RewriteFlags, Vec<u8>> {
    let mut flags = RewriteFlags::default();
    for letter in text {
        flags |= match letter {
            b' ' | b'\t' => RewriteFlags::empty(),
            b'E' => RewriteFlags::ENVELOPE,
            b'F' => RewriteFlags::FROM_ENVELOPE,
            b'T' => RewriteFlags::TO_ENVELOPE,
            b'b' => RewriteFlags::BCC,
            b'c' => RewriteFlags::CC,
            b'f' => RewriteFlags::FROM,
            b'h' => RewriteFlags::HEADERS,
            b'r' => RewriteFlags::REPLY_TO,
            b's' => RewriteFlags::SENDER,
            b't' => RewriteFlags::TO,
            b'S' => RewriteFlags::SMTP,
            b'w' => RewriteFlags::WHOLE,
            b'Q' => RewriteFlags::QUALIFY,
            b'q' => RewriteFlags::LAST,
            b'R' => RewriteFlags::REPEAT,
            _ => {
                let head = b"unknown rewrite flag character '".as_slice();
                let tail = b"' (could be missing quotes round replacement item)";
                return Err([head, &[*letter], tail].concat());
            }
        };
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_flags() {
        let all = RewriteFlags::ENVELOPE | RewriteFlags::HEADERS;
        assert_eq!(rule(b"*@a b@c").unwrap().flags, all);
        assert_eq!(rule(b"*@a b@c q").unwrap().flags, all | RewriteFlags::LAST);
        assert_eq!(rule(b"*@a \"b c@c\" h").unwrap().replacement.bytes(), b"b c@c");
        assert_eq!(rule(b"*@a").unwrap_err(), b"missing rewrite replacement string");
        assert!(rule(b"*@a b S").is_err());
        assert!(rule(b"^a b S").is_ok());
        assert_eq!(rules(b"*@a b h : *@c d").unwrap().len(), 2);
        assert!(rules(b"*@a b hE").unwrap_err().ends_with(b"not allowed at transport time -"));
        assert!(rule(b"*@a b Z").unwrap_err().starts_with(b"unknown rewrite flag character 'Z'"));
        assert!(rule(b"*@a b *").is_err());
    }
}
