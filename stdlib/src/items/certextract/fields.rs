//! The fields of a certificate, and the modifiers behind their names.

use eximious_core::world::Moment;
use eximious_core::{Call, Fail, Str};

use crate::certificate::der;
use crate::options::opt;
use crate::x509::{AltName, Certificate};

/// A field of a certificate.
pub(super) fn extract(call: &Call<'_>, pem: &[u8], field: &[u8]) -> Result<Option<String>, Fail> {
    let field = String::from_utf8_lossy(field.trim_ascii());
    let (name, modifiers) = match field.split_once(',') {
        Some((name, modifiers)) => (name, Some(Modifiers::of(modifiers))),
        None => (&*field, None),
    };
    let is = |known: &str| name.starts_with(known);
    let der = der(pem);
    let Some(read) = der.as_deref().and_then(Certificate::read) else { return Ok(None) };
    let plain = modifiers.clone().unwrap_or_default();
    Ok(if is("version") {
        Some(read.version().to_string())
    } else if is("serial_number") {
        Some(read.serial_number())
    } else if is("subject") {
        name_parts(&read.subject(), modifiers.as_ref())
    } else if is("issuer") {
        name_parts(&read.issuer(), modifiers.as_ref())
    } else if is("notbefore") {
        Some(time(call, read.not_before(), &plain)?)
    } else if is("notafter") {
        Some(time(call, read.not_after(), &plain)?)
    } else if is("sig_algorithm") {
        Some(read.signature_algorithm())
    } else if is("signature") {
        Some(read.signature())
    } else if is("subj_altname") {
        list(alternative_names(&read, &plain), &plain)
    } else if is("ocsp_uri") {
        list(read.ocsp_uris().into_iter().map(str::to_owned), &plain)
    } else if is("crl_uri") {
        list(read.crl_uris(), &plain)
    } else {
        return Err(Fail::argument(format!("bad field selector \"{name}\" for certextract")));
    })
}

/// What stands behind the first comma of a field. Of two of a sort, the last
/// counts.
#[derive(Clone, Default, Debug)]
struct Modifiers {
    /// The whole.
    text: String,
    /// A type or sort.
    word: Option<String>,
    separator: Option<char>,
}

impl Modifiers {
    fn of(text: &str) -> Self {
        let mut found = Self { text: text.trim().to_owned(), ..Self::default() };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.strip_prefix('>') {
                Some(rest) => found.separator = rest.chars().next().or(found.separator),
                None => found.word = Some(part.to_owned()),
            }
        }
        found
    }
}

/// A list of what was found; nothing, where there is nothing.
fn list(elements: impl IntoIterator<Item = String>, modifiers: &Modifiers) -> Option<String> {
    let separator = modifiers.separator.unwrap_or('\n');
    let mut out: Option<String> = None;
    for element in elements {
        match &mut out {
            Some(out) => out.push(separator),
            None => out = Some(String::new()),
        }
        let out = out.get_or_insert_default();
        for letter in element.chars() {
            out.push(letter);
            if letter == separator {
                out.push(letter);
            }
        }
    }
    out
}

/// A distinguished name as it is, or as a list of its parts; one of no parts is none.
fn name_parts(name: &str, modifiers: Option<&Modifiers>) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let Some(modifiers) = modifiers else { return Some(name.to_owned()) };
    let parts = split_name(name);
    match &modifiers.word {
        None => list(parts, modifiers),
        Some(kind) => {
            let values = parts.iter().filter_map(|part| {
                part.strip_prefix(kind.as_str())?.strip_prefix('=').map(str::to_owned)
            });
            list(values, modifiers)
        }
    }
}

/// The parts between commas; a comma behind a backslash belongs to its part,
/// and loses the backslash.
fn split_name(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        let Some(part) = parts.last_mut() else { break };
        match letter {
            ',' => parts.push(String::new()),
            '\\' => match letters.next() {
                Some(',') => part.push(','),
                Some(other) => part.extend(['\\', other]),
                None => part.push('\\'),
            },
            letter => part.push(letter),
        }
    }
    parts
}

fn alternative_names(read: &Certificate<'_>, modifiers: &Modifiers) -> Vec<String> {
    let sort = modifiers.word.as_deref().filter(|word| matches!(*word, "dns" | "uri" | "mail"));
    let names = read.alternative_names();
    let tagged = names.iter().filter_map(|name| {
        let (own, tag, text) = match name {
            AltName::Dns(text) => ("dns", "DNS=", text),
            AltName::Uri(text) => ("uri", "URI=", text),
            AltName::Mail(text) => ("mail", "MAIL=", text),
        };
        match sort {
            None => Some(format!("{tag}{text}")),
            Some(sort) => (sort == own).then(|| (*text).to_owned()),
        }
    });
    tagged.collect()
}

/// A time for people, in the zone of the configuration, or in seconds.
fn time(call: &Call<'_>, seconds: i64, modifiers: &Modifiers) -> Result<String, Fail> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if modifiers.text == "int" {
        return Ok(seconds.to_string());
    }
    let clock = call.clock()?;
    let zone = call.settings().text(opt::TIMEZONE);
    let zone = zone.as_ref().map(Str::display);
    let moment = Moment { seconds, nanos: 0 };
    let civil = clock.civil(moment, zone.as_deref());
    let name = match zone.as_deref() {
        Some(zone) if zone.eq_ignore_ascii_case("UTC") => "GMT".to_owned(),
        zone => clock.zone_name(moment, zone),
    };
    let month = MONTHS[usize::from(civil.month.clamp(1, 12) - 1)];
    let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
    Ok(format!("{month} {:>2} {hour:02}:{minute:02}:{second:02} {} {name}", civil.day, civil.year))
}
