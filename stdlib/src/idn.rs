//! International names in ASCII and back (specification 60.1).

use idna::punycode;

/// What a label begins with that stands for one with other characters.
const PREFIX: &[u8] = b"xn--";

/// A domain, label by label, as DNS has it (RFC 5891).
///
/// # Errors
/// Why not.
pub fn domain_to_alabel(domain: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(domain).map_err(|_| "string encoding error")?;
    let _ = text;
    Err("todo")
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
    if !code[..basic].is_ascii() {
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
