//! What follows the address of MAIL and RCPT (RFC 1870, 3461, 4954, 6152, 6531).
//!
//! Parameters are taken from the end of the line, as long as they are known; what
//! is left has to be an address.

use std::borrow::Cow;

use super::BodyBytes;
use super::{DsnNotify, EnvelopeSender, Recipient, Returned};

/// A wrong parameter: what the client is told, with code 501.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) &'static str);

/// What was found behind an address.
#[derive(Debug, Default)]
pub(super) struct MailParams<'t> {
    pub(super) sender: EnvelopeSender,
    /// Each `AUTH` that names somebody, the last first.
    pub(super) auth: Vec<AuthParam<'t>>,
}

/// `AUTH`: who is said to have sent the message.
#[derive(Debug)]
pub(super) struct AuthParam<'t> {
    /// As it was given.
    pub(super) given: &'t [u8],
    /// Decoded.
    pub(super) claimed: Vec<u8>,
    /// What is left of the line up to its end.
    pub(super) before: &'t [u8],
}

/// What MAIL may use.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MailOffers {
    pub(super) eight_bit: bool,
    pub(super) prdr: bool,
    pub(super) smtputf8: bool,
    pub(super) dsn: bool,
}

/// Takes the parameters off the end of what follows `MAIL FROM:`. Those that were found
/// before one that is wrong are there all the same.
pub(super) fn mail<'t>(
    text: &'t [u8],
    offers: MailOffers,
    params: &mut MailParams<'t>,
) -> Result<&'t [u8], Wrong> {
    let sender = &mut params.sender;
    let mut text = text;
    while let Some((rest, name, value)) = last(text) {
        match (name.to_ascii_uppercase().as_slice(), value) {
            // What stands before one without a value is not looked at; before a size that
            // is none, and what the body is where nobody asks, likewise.
            (b"BODY" | b"AUTH" | b"RET" | b"ENVID", Some(b"")) => {
                text = rest;
                break;
            }
            (b"BODY", _) if !offers.eight_bit => {
                text = rest;
                break;
            }
            (b"SIZE", value) => {
                let value = value.unwrap_or_default();
                let digits = value.strip_prefix(b"-").or(value.strip_prefix(b"+")).unwrap_or(value);
                if value.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    text = rest;
                    break;
                }
                sender.size = number(value);
            }
            (b"BODY", value) => match value.unwrap_or_default().to_ascii_uppercase().as_slice() {
                b"8BITMIME" => sender.body = Some(BodyBytes::Eight),
                b"7BIT" => sender.body = Some(BodyBytes::Seven),
                _ => return Err(Wrong("invalid data for BODY")),
            },
            (b"AUTH", Some(b"<>")) => {}
            // Without a value its own name is one.
            (b"AUTH", given) => {
                let given = given.unwrap_or(name);
                let claimed = xtext(given).ok_or(Wrong("invalid data for AUTH"))?;
                params.auth.push(AuthParam { given, claimed, before: text });
            }
            (b"PRDR", _) => sender.prdr |= offers.prdr,
            (b"SMTPUTF8", None) => match offers.smtputf8 {
                true => sender.utf8 = true,
                false => return Err(Wrong("SMTPUTF8 used when not advertised")),
            },
            (b"RET" | b"ENVID", _) if !offers.dsn => {}
            (b"RET", value) => {
                if sender.returned.is_some() {
                    return Err(Wrong("RET can be specified once only"));
                }
                sender.returned = match value.unwrap_or_default().to_ascii_uppercase().as_slice() {
                    b"HDRS" => Some(Returned::Headers),
                    b"FULL" => Some(Returned::Full),
                    _ => return Err(Wrong("Value for RET is invalid")),
                };
            }
            (b"ENVID", value) => {
                if sender.envelope_id.is_some() {
                    return Err(Wrong("ENVID can be specified once only"));
                }
                // Without a value its own name is one.
                sender.envelope_id = Some(value.unwrap_or(name).to_vec());
            }
            _ => break,
        }
        text = rest;
    }
    Ok(text)
}

/// Takes the parameters off the end of what follows `RCPT TO:`, where the client may use any.
pub(super) fn rcpt(
    text: &[u8],
    esmtp: bool,
    dsn: bool,
) -> Result<(Cow<'_, [u8]>, Recipient), Wrong> {
    let mut recipient = Recipient::default();
    let mut text = text;
    while dsn && let Some((rest, name, value)) = last(text) {
        // Without a value its own name is one.
        let value = value.unwrap_or(name);
        match name.to_ascii_uppercase().as_slice() {
            b"ORCPT" => {
                if recipient.original.is_some() {
                    return Err(Wrong("ORCPT can be specified once only"));
                }
                recipient.original = Some(value.to_vec());
            }
            b"NOTIFY" => {
                if recipient.notify != DsnNotify::default() {
                    return Err(Wrong("NOTIFY can be specified once only"));
                }
                if value.is_empty() {
                    text = rest;
                    continue;
                }
                recipient.notify =
                    notify(value).ok_or(Wrong("Invalid value for NOTIFY parameter"))?;
            }
            _ => break,
        }
        text = rest;
    }
    let text = if esmtp { put_back(text) } else { Cow::Borrowed(text) };
    Ok((text, recipient))
}

/// What is no parameter of RCPT, as Exim puts it back: where no equals sign is in it, one stands
/// before it.
fn put_back(text: &[u8]) -> Cow<'_, [u8]> {
    let trimmed = text.trim_ascii_end();
    match separator(trimmed) {
        Some(at) if at > 0 && trimmed[at] != b'=' => {
            let mut text = trimmed.to_vec();
            text[at] = b'=';
            Cow::Owned(text)
        }
        _ => Cow::Borrowed(text),
    }
}

fn notify(value: &[u8]) -> Option<DsnNotify> {
    let mut notify = DsnNotify::default();
    let alone = !value.contains(&b',');
    // One comma behind the last is no word, as in Exim.
    let value = value.strip_suffix(b",").unwrap_or(value);
    for word in value.to_ascii_uppercase().split(|byte| *byte == b',') {
        match word {
            b"NEVER" => notify.never = true,
            b"SUCCESS" => notify.success = true,
            b"FAILURE" => notify.failure = true,
            b"DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    (alone || !notify.never).then_some(notify)
}

/// What stands before a parameter, its name, its value.
type Param<'t> = (&'t [u8], &'t [u8], Option<&'t [u8]>);

/// The last parameter of a line.
fn last(text: &[u8]) -> Option<Param<'_>> {
    let text = text.trim_ascii_end();
    let at = separator(text)?;
    let (head, value) = match text[at] {
        b'=' => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    };
    let at = head.iter().rposition(|byte| !byte.is_ascii_alphanumeric())?;
    let (rest, name) = (head[..at].trim_ascii_end(), &head[at + 1..]);
    let stands_alone = head[at].is_ascii_whitespace() && !name.is_empty() && !rest.is_empty();
    stands_alone.then_some((rest, name, value))
}

/// What stands before the last value, or the last word that has none.
fn separator(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    text.iter().rposition(|byte| {
        quoted ^= *byte == b'"';
        !quoted && (*byte == b'=' || byte.is_ascii_whitespace())
    })
}

/// A number; what is none counts as zero, and what is below that as too much.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    if text.first() == Some(&b'-') && text.len() > 1 {
        return Some(u64::MAX);
    }
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = std::str::from_utf8(&text[..end]).unwrap_or_default();
    Some(match digits.is_empty() {
        true => 0,
        false => digits.parse().unwrap_or(u64::MAX),
    })
}

/// Decodes xtext (RFC 3461): `+2B`.
pub(crate) fn xtext(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'+' => {
                let digits = text.get(at..at + 2)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                let digits = std::str::from_utf8(digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 2;
            }
            33..=126 if *byte != b'=' => out.push(*byte),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &[u8], offers: MailOffers) -> Result<(&[u8], MailParams<'_>), Wrong> {
        let mut params = MailParams::default();
        mail(text, offers, &mut params).map(|rest| (rest, params))
    }

    #[test]
    fn parameters_are_taken_from_the_end() {
        let all = MailOffers { eight_bit: true, prdr: true, smtputf8: true, dsn: true };
        let (rest, params) = taken(b"<a@b> FOO=1 SIZE=5  body=8bitmime ", all).unwrap();
        assert_eq!(rest, b"<a@b> FOO=1");
        assert_eq!((params.sender.size, params.sender.body), (Some(5), Some(BodyBytes::Eight)));
        assert_eq!(taken(b"<a@b> BODY=x", all).unwrap_err(), Wrong("invalid data for BODY"));
        let (rest, params) = taken(b"<a@b> SIZE=5 BODY=x", MailOffers::default()).unwrap();
        assert_eq!((rest, params.sender.size), (&b"<a@b> SIZE=5"[..], None));
        let (_, params) = taken(b"<a@b> AUTH=x SIZE=+5 AUTH=y", all).unwrap();
        assert_eq!((params.auth.len(), params.sender.size), (2, Some(5)));
        assert_eq!(taken(b"<a@b> SIZE=99x", all).unwrap().1.sender.size, None);
        let (rest, params) = taken(b"<a@b> RET=HDRS ENVID=x SMTPUTF8", all).unwrap();
        assert_eq!((rest, params.sender.utf8), (b"<a@b>".as_slice(), true));
    }

    #[test]
    fn what_has_no_value_comes_back_with_an_equals_sign() {
        let read = |text, esmtp| rcpt(text, esmtp, esmtp).unwrap().0.into_owned();
        assert_eq!(read(b"a@b  (x)", true), b"a@b =(x)");
        assert_eq!(read(b"<a@b> FOO NOTIFY=NEVER", true), b"<a@b>=FOO");
        for text in [&b"\"a b\"@c"[..], b"<a@b> FOO=BAR", b"a@b (x=y)", b" ", b""] {
            assert_eq!(read(text, true), text);
        }
        assert_eq!(read(b"a@b (x)", false), b"a@b (x)");
    }

    #[test]
    fn values_have_no_equals_signs_and_quotes_in_pairs() {
        for text in [&b"<a@b> AUTH=a=b"[..], b"<a@b> AUTH=a\"b"] {
            let (rest, params) = taken(text, MailOffers::default()).unwrap();
            assert!(rest == text && params.auth.is_empty());
        }
        let (rest, params) = taken(b"<a@b> AUTH=<> AUTH=x+2By", MailOffers::default()).unwrap();
        assert_eq!(rest, b"<a@b>");
        let auth = &params.auth[0];
        assert_eq!((auth.given, &auth.claimed[..]), (&b"x+2By"[..], &b"x+y"[..]));
    }

    #[test]
    fn cve_28022_28023_parameters_are_read_in_bounds() {
        for text in
            [&b""[..], b" ", b"=", b" =", b"a =", b"a A=", b"a  =b", b"<> AUTH=+", b"x AUTH=+4"]
        {
            let _ = taken(text, MailOffers::default());
            let _ = rcpt(text, true, true);
        }
        assert_eq!(xtext(b"a+2Bb"), Some(b"a+b".to_vec()));
        assert_eq!(xtext(b"a+x"), None);
        assert_eq!(notify(b"NEVER,SUCCESS"), None);
    }

    #[test]
    fn odd_values_of_dsn_parameters() {
        assert_eq!(notify(b"NEVER,"), None);
        assert!(notify(b"FAILURE,").is_some_and(|notify| notify.failure));
        let dsn = MailOffers { dsn: true, ..MailOffers::default() };
        let (_, params) = taken(b"<a@b> envid", dsn).unwrap();
        assert_eq!(params.sender.envelope_id.as_deref(), Some(&b"envid"[..]));
        let (_, recipient) = rcpt(b"<a@b> NOTIFY= orcpt", true, true).unwrap();
        assert_eq!(recipient.original.as_deref(), Some(&b"orcpt"[..]));
        assert!(rcpt(b"<a@b> NOTIFY", true, true).is_err());
    }
}
