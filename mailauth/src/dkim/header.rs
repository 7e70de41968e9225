//! What is signed of a header.

use std::collections::HashMap;

use crate::canon::Canon;

/// The fields that a list of names chooses, canonical and one behind the other: of each
/// name the last one first, and none twice (RFC 6376, section 5.4.2). A field that is not
/// there is the empty string.
pub(crate) fn signed_fields<'n>(
    header: &[&[u8]],
    names: impl IntoIterator<Item = &'n [u8]>,
    canon: Canon,
) -> Vec<u8> {
    let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (number, field) in header.iter().enumerate() {
        places.entry(field_name(field).to_ascii_lowercase()).or_default().push(number);
    }
    let mut signed = Vec::new();
    for wanted in names {
        let left = places.get_mut(&wanted.trim_ascii().to_ascii_lowercase());
        if let Some(number) = left.and_then(Vec::pop) {
            canon.header(header[number], &mut signed);
        }
    }
    signed
}

/// The name of a field.
pub(crate) fn field_name(field: &[u8]) -> &[u8] {
    let colon = memchr::memchr(b':', field).unwrap_or(field.len());
    field[..colon].trim_ascii_end()
}
