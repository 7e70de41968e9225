//! `-oDSN`: what is asked of those who deliver a message (RFC 3461).

use eximious_mta::smtp::Returned;
use eximious_mta::submission::DsnRequest;

use super::Stop;

/// Reads what one such option asks for, besides what others did.
pub(super) fn ask(reports: &mut DsnRequest, value: &[u8]) -> Result<(), Stop> {
    let Some((&letter @ (b'N' | b'R' | b'V'), rest)) = value.split_first() else {
        return Err(Stop::exim("only subcases N,R,V expected for -oDSN"));
    };
    let Some(asked) = rest.strip_prefix(b"=") else {
        return Err(Stop::exim("equals expected after -oDSN subcase letter"));
    };
    match letter {
        b'N' => notify(reports, asked),
        b'R' => {
            reports.returned = Some(match asked {
                b"full" => Returned::Full,
                b"hdrs" => Returned::Headers,
                _ => return Err(Stop::exim("bad value for DSN RET")),
            });
            Ok(())
        }
        _ if asked.iter().all(u8::is_ascii_graphic) => {
            reports.envelope_id = Some(xtext(asked)).filter(|id| !id.is_empty());
            Ok(())
        }
        _ => Err(Stop::exim("DSN ENVID has bad character")),
    }
}

fn notify(reports: &mut DsnRequest, asked: &[u8]) -> Result<(), Stop> {
    let notify = &mut reports.notify;
    // Behind the last comma nothing may follow.
    let words = asked.strip_suffix(b",").unwrap_or(asked);
    for word in words.split(|byte| *byte == b',').filter(|_| !asked.is_empty()) {
        match word {
            b"never" if notify.success || notify.failure || notify.delay => {
                return Err(Stop::exim("DSN NOTIFY=never may not be combined"));
            }
            b"never" => notify.never = true,
            b"success" => notify.success = true,
            b"failure" => notify.failure = true,
            b"delay" => notify.delay = true,
            _ => return Err(Stop::exim("DSN NOTIFY bad value")),
        }
        if notify.never && asked != b"never" {
            return Err(Stop::exim("DSN NOTIFY=never may not be combined"));
        }
    }
    Ok(())
}

/// A text as ENVID has it.
fn xtext(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'+' | b'=' => out.extend_from_slice(format!("+{byte:02X}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> Result<DsnRequest, String> {
        let mut reports = DsnRequest::default();
        for value in values {
            let wrong = |Stop(said)| String::from_utf8(said).unwrap_or_default();
            ask(&mut reports, value.as_bytes()).map_err(wrong)?;
        }
        Ok(reports)
    }

    /// As Exim 4.100.1 says.
    #[test]
    fn each_letter_asks_for_something() {
        let found = asked(&["N=success,delay", "R=full", "R=hdrs", "V=a", "V=a=b+/"]).unwrap();
        let notify = found.notify;
        assert!(notify.success && notify.delay && !notify.failure && !notify.never);
        assert_eq!(found.returned, Some(Returned::Headers));
        assert_eq!(found.envelope_id.as_deref(), Some(&b"a+3Db+2B/"[..]));
        assert!(asked(&["N=success,"]).unwrap().notify.success);
        assert_eq!(asked(&["N="]).unwrap(), DsnRequest::default());
        assert!(asked(&["N=never"]).unwrap().notify.never);
        for (values, said) in [
            (&["N=foo"][..], "DSN NOTIFY bad value"),
            (&["N=SUCCESS"], "DSN NOTIFY bad value"),
            (&["N=,delay"], "DSN NOTIFY bad value"),
            (&["N=never,success"], "DSN NOTIFY=never may not be combined"),
            (&["N=delay", "N=never"], "DSN NOTIFY=never may not be combined"),
            (&["R="], "bad value for DSN RET"),
            (&["R=foo"], "bad value for DSN RET"),
            (&["V=a b"], "DSN ENVID has bad character"),
            (&["V=\u{e9}"], "DSN ENVID has bad character"),
            (&["n=never"], "only subcases N,R,V expected for -oDSN"),
            (&[""], "only subcases N,R,V expected for -oDSN"),
            (&["N"], "equals expected after -oDSN subcase letter"),
        ] {
            assert_eq!(asked(values).unwrap_err(), format!("exim: {said}"), "{values:?}");
        }
    }
}
