//! Entries as text (specification 9.11.5).

use eximious_core::world::LdapEntry;

/// What of an entry is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// Its name.
    Name,
    /// The values of its attributes, by themselves.
    Values,
    /// The values of its attributes, in quotes behind the attributes' names.
    NamesAndValues,
}

/// The entries as text; `None` where there is nothing of what is wanted.
pub(super) fn written(entries: &[LdapEntry], wanted: Wanted) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut any = false;
    for entry in entries {
        if !out.is_empty() {
            out.push(b'\n');
        }
        any |= match wanted {
            Wanted::Name => {
                let name = name(entry);
                out.extend_from_slice(name.unwrap_or_default());
                name.is_some()
            }
            Wanted::Values => values(entry, &mut out),
            Wanted::NamesAndValues => names_and_values(entry, &mut out),
        };
    }
    any.then_some(out)
}

/// An entry's distinguished name, as C sees it: `None` where a zero byte stands
/// in it.
pub(super) fn name(entry: &LdapEntry) -> Option<&[u8]> {
    readable(&entry.dn)
}

/// All values with commas between them. Nothing stands before the first one,
/// also where values before it are empty.
fn values(entry: &LdapEntry, out: &mut Vec<u8>) -> bool {
    let mut any = false;
    for (_, values) in attributes(entry) {
        for value in values {
            if any && !out.is_empty() {
                out.push(b',');
            }
            any = true;
            for byte in value {
                out.push(*byte);
                if *byte == b',' {
                    out.push(b',');
                }
            }
        }
    }
    any
}

/// `name="values"`, with spaces between them.
fn names_and_values(entry: &LdapEntry, out: &mut Vec<u8>) -> bool {
    let mut any = false;
    for (name, values) in attributes(entry) {
        if any {
            out.push(b' ');
        }
        any = true;
        out.extend_from_slice(name);
        out.extend_from_slice(b"=\"");
        for (number, value) in values.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            for byte in value {
                match byte {
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'"' | b'\\' => out.extend([b'\\', *byte]),
                    b',' => out.extend_from_slice(b",,"),
                    byte => out.push(*byte),
                }
            }
        }
        out.push(b'"');
    }
    any
}

/// The attributes that have values, as C sees them: one with a zero byte in a
/// value is left out, and one with a zero byte in its name ends the entry.
fn attributes(entry: &LdapEntry) -> impl Iterator<Item = (&[u8], Vec<&[u8]>)> {
    entry
        .attributes
        .iter()
        .map_while(|(name, values)| {
            let values: Option<Vec<&[u8]>> = values.iter().map(|value| readable(value)).collect();
            readable(name).map(|name| (name, values.unwrap_or_default()))
        })
        .filter(|(name, values)| !name.is_empty() && !values.is_empty())
}

/// A text without the zero byte that may end it; `None` where another one
/// stands in it.
fn readable(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    (!text.contains(&0)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&str])]) -> LdapEntry {
        let attribute = |(name, values): &(&str, &[&str])| {
            let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
            (name.as_bytes().to_vec(), values)
        };
        LdapEntry { dn: b"cn=x".to_vec(), attributes: attributes.iter().map(attribute).collect() }
    }

    #[track_caller]
    fn check(entries: &[LdapEntry], wanted: Wanted, expected: Option<&str>) {
        let text = written(entries, wanted).map(|text| String::from_utf8_lossy(&text).into_owned());
        assert_eq!(text.as_deref(), expected);
    }

    #[test]
    fn values_by_themselves() {
        let one = |values: &[&str]| [entry(&[("a", values)])];
        check(&one(&["1", "", "2"]), Wanted::Values, Some("1,,2"));
        check(&one(&["", "", "2"]), Wanted::Values, Some("2"));
        check(&one(&[""]), Wanted::Values, Some(""));
        check(&one(&[]), Wanted::Values, None);
        check(&one(&["a,b", "\"\\\n"]), Wanted::Values, Some("a,,b,\"\\\n"));
        let several = [entry(&[("a", &["1"])]), entry(&[]), entry(&[("a", &["", "2"])])];
        check(&several, Wanted::Values, Some("1\n\n,2"));
    }

    #[test]
    fn values_behind_names() {
        let both = [entry(&[("a", &["", "1,2"]), ("b", &[]), ("c", &["\"\\\n\r"])])];
        check(&both, Wanted::NamesAndValues, Some("a=\",1,,2\" c=\"\\\"\\\\\\n\r\""));
        check(&[entry(&[("", &["1"])])], Wanted::NamesAndValues, None);
    }

    #[test]
    fn zero_bytes() {
        let zeros =
            [entry(&[("a", &["x\0y", "z"]), ("b", &["x\0"]), ("c\0d", &["1"]), ("e", &["2"])])];
        check(&zeros, Wanted::NamesAndValues, Some("b=\"x\""));
    }
}
