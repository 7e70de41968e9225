//! International names in ASCII and back (specification 60.1).

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_normalizer::uts46::Uts46MapperBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use idna::AsciiDenyList;
use idna::punycode;
use idna::uts46::{Hyphens, Uts46};

/// What a label begins with that stands for one with other characters.
const PREFIX: &[u8] = b"xn--";

/// A domain, label by label, as DNS has it (RFC 5891, UTS 46). The complaints
/// and their order are those of the program's library.
///
/// # Errors
/// Why not.
pub fn domain_to_alabel(domain: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(domain).map_err(|_| "string encoding error")?;
    let mapped = mapped(text);
    if mapped.contains(char::REPLACEMENT_CHARACTER) {
        return Err(DISALLOWED);
    }
    let labels: Vec<Label<'_>> = mapped.split('.').map(Label::read).collect::<Result<_, _>>()?;
    check_all(&labels)?;
    if mapped.len() > 255 {
        return Err(LONG_DOMAIN);
    }
    let mut out = Vec::with_capacity(mapped.len() + 16);
    for (index, label) in labels.iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        label.push_ascii(&mut out)?;
    }
    if out.strip_suffix(b".").unwrap_or(&out).len() > 253 {
        return Err(LONG_DOMAIN);
    }
    Ok(out)
}

const DISALLOWED: &str = "string contains a disallowed character";
const BAD_CODE: &str = "string contains invalid punycode data";
const LONG_DOMAIN: &str = "domain name longer than 255 characters";

/// Checks labels: of those that are written as they are meant, the last one that
/// is wrong is complained of, unless an encoded one is.
fn check_all(labels: &[Label<'_>]) -> Result<(), &'static str> {
    let mut result = Ok(());
    for label in labels {
        if let Err(complaint) = label.check() {
            result = Err(complaint);
            if matches!(label.meaning, Some(Cow::Owned(_))) {
                break;
            }
        }
    }
    result
}

/// Letters in lower case, full width forms in their usual one, and so on; what
/// may not stand in a domain is a replacement character.
fn mapped(text: &str) -> String {
    // Since Unicode 15.1 the capital sharp S is mapped to the small one.
    let text = text.replace('\u{1e9e}', "ss");
    Uts46MapperBorrowed::new().map_normalize(text.chars()).collect()
}

/// A label that was mapped.
struct Label<'a> {
    /// As it is written.
    written: &'a str,
    /// What it means, where that has characters outside of ASCII; owned where
    /// it was encoded.
    meaning: Option<Cow<'a, str>>,
}

impl<'a> Label<'a> {
    /// Reads a label, and decodes one that begins with `xn--`.
    fn read(written: &'a str) -> Result<Self, &'static str> {
        let meaning = match written.strip_prefix("xn--") {
            None => (!written.is_ascii()).then_some(Cow::Borrowed(written)),
            Some(code) => {
                let meaning = punycode::decode_to_string(code).ok_or(BAD_CODE)?;
                if meaning.is_ascii() || !meaning.chars().all(may_be_encoded) {
                    return Err(BAD_CODE);
                }
                Some(Cow::Owned(meaning))
            }
        };
        Ok(Self { written, meaning })
    }

    /// What must hold for every label (RFC 5891, section 4.2.3); for one that
    /// was encoded, that it was mapped before.
    fn check(&self) -> Result<(), &'static str> {
        let Some(Cow::Owned(meaning)) = &self.meaning else { return check_form(self.written) };
        if !ComposingNormalizerBorrowed::new_nfc().is_normalized(meaning) {
            return Err("string is not in Unicode NFC format");
        }
        check_form(meaning)?;
        if mapped(meaning) != *meaning {
            return Err("domain label has character forbidden in non-transitional mode (TR46)");
        }
        Ok(())
    }

    /// Adds the label as it stands in DNS.
    fn push_ascii(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let Some(meaning) = &self.meaning else {
            if self.written.len() > 63 {
                return Err("domain label longer than 63 characters");
            }
            out.extend_from_slice(self.written.as_bytes());
            return Ok(());
        };
        check_meaning(meaning)?;
        let code = punycode::encode_str(meaning).filter(|code| code.len() + PREFIX.len() <= 63);
        let code = code.ok_or("punycode encoded data will be too large")?;
        if !meaning.chars().all(may_be_encoded) {
            return Err("A-label roundtrip failed");
        }
        out.extend_from_slice(PREFIX);
        out.extend_from_slice(code.as_bytes());
        Ok(())
    }
}

/// Whether a character may stand in a label that is encoded: of ASCII only
/// letters, digits, hyphens and underscores.
fn may_be_encoded(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn check_form(label: &str) -> Result<(), &'static str> {
    if label.chars().skip(2).take(2).eq(['-', '-']) {
        return Err("string contains forbidden two hyphens pattern");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("string start/ends with forbidden hyphen");
    }
    if label.chars().next().is_some_and(is_mark) {
        return Err("string contains a forbidden leading combining character");
    }
    Ok(())
}

/// What must hold for the characters of a label outside of ASCII.
fn check_meaning(label: &str) -> Result<(), &'static str> {
    if label.chars().any(is_disallowed) {
        return Err(DISALLOWED);
    }
    // Form and characters are as they should be: what can be wrong still is
    // how they stand together.
    let (_, result) =
        Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    result.map_err(|_| {
        if label.contains(['\u{200c}', '\u{200d}']) {
            "string contains a forbidden context-j character"
        } else {
            "string has forbidden bi-directional properties"
        }
    })
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

/// Whether a character outside of ASCII, which mapping left as it is, may not
/// stand in a label (RFC 5892, section 3).
fn is_disallowed(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => false,
        // Exceptions, and those that the characters around them decide on.
        '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}'
        | '\u{200c}' | '\u{200d}' | '\u{3007}' | '\u{30fb}' => false,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => {
            true
        }
        // Marks of symbols and of music, and letters of old Korean.
        '\u{20d0}'..='\u{20ff}' | '\u{1d100}'..='\u{1d1ff}' | '\u{1d200}'..='\u{1d24f}' => true,
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' => true,
        _ => !matches!(
            category(c),
            GeneralCategory::LowercaseLetter
                | GeneralCategory::UppercaseLetter
                | GeneralCategory::OtherLetter
                | GeneralCategory::ModifierLetter
                | GeneralCategory::DecimalNumber
                | GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
        ),
    }
}

/// A domain with every label that begins with `xn--` decoded.
///
/// # Errors
/// Why not.
pub fn domain_from_alabel(domain: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(domain.len());
    for label in crate::lists::elements_with(domain, b'.') {
        if !out.is_empty() {
            out.push(b'.');
        }
        let label = match label.strip_prefix(PREFIX) {
            Some(code) => decoded(code)?.into(),
            None => label,
        };
        for byte in label.iter() {
            if *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
        }
    }
    Ok(out)
}

/// A local part as one label.
///
/// # Errors
/// Why not.
pub fn localpart_to_alabel(local_part: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(local_part).map_err(|_| "l_u2a: bad UTF-8 input")?;
    let code = punycode::encode_str(text).ok_or("String size limit exceeded")?;
    // The program gives four bytes of room for every character.
    if code.len() > 4 * text.chars().count() {
        return Err("Output would exceed the buffer space provided");
    }
    Ok([PREFIX, code.as_bytes()].concat())
}

/// What a local part was before [`localpart_to_alabel`].
///
/// # Errors
/// Why not.
pub fn localpart_from_alabel(label: &[u8]) -> Result<Vec<u8>, &'static str> {
    decoded(label.strip_prefix(PREFIX).ok_or("bad alabel prefix")?)
}

/// Punycode decoded (RFC 3492). As in the program's library, the bytes 22 to 57
/// are digits, of which the RFC has only the last ten.
fn decoded(code: &[u8]) -> Result<Vec<u8>, &'static str> {
    const INVALID: &str = "Invalid input";
    const OVERFLOW: &str = "String size limit exceeded";
    let digit = |byte: u8| match byte {
        22..=57 => Ok(u32::from(byte - 22)),
        b'A'..=b'Z' => Ok(u32::from(byte - b'A')),
        b'a'..=b'z' => Ok(u32::from(byte - b'a')),
        _ => Err(INVALID),
    };
    let basic = code.iter().rposition(|c| *c == b'-').unwrap_or_default();
    if !code.is_ascii() {
        return Err(INVALID);
    }
    let mut text: Vec<char> = code[..basic].iter().map(|c| char::from(*c)).collect();
    let mut digits = code[if basic > 0 { basic + 1 } else { 0 }..].iter();
    let (mut next, mut at, mut bias) = (128u32, 0u32, 72u32);
    while !digits.as_slice().is_empty() {
        let (before, mut weight, mut step) = (at, 1u32, 36u32);
        loop {
            let value = digit(*digits.next().ok_or(INVALID)?)?;
            at = value.checked_mul(weight).and_then(|n| at.checked_add(n)).ok_or(OVERFLOW)?;
            let threshold = step.saturating_sub(bias).clamp(1, 26);
            if value < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold).ok_or(OVERFLOW)?;
            step += 36;
        }
        let length = text.len() as u32 + 1;
        bias = adapted(at - before, length, before == 0);
        next = next.checked_add(at / length).ok_or(OVERFLOW)?;
        at %= length;
        text.insert(at as usize, char::from_u32(next).ok_or(INVALID)?);
        at += 1;
    }
    Ok(text.into_iter().collect::<String>().into_bytes())
}

/// The bias for the next number (RFC 3492, section 6.1).
fn adapted(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut bias = 0;
    while delta > 35 * 26 / 2 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}
