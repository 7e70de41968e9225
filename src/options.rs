//! Names and types of the configuration's options.
//!
//! They stand in a table beside this file: a driver (or `main`, and `router`,
//! `transport`, `authenticator` for what all of a kind have), the option, its
//! type as the specification calls it.

use std::sync::LazyLock;

/// How an option's value is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `name`, `no_name`, `name = true`.
    Boolean,
    /// A number, perhaps with K, M or G.
    Integer,
    /// Anything else.
    Other,
}

/// Where it belongs, its name, how its value is read.
pub(crate) type Row = (&'static str, &'static str, Kind);

/// Options that later releases dropped. A configuration that still has them is
/// no worse for it.
const GONE: [Row; 2] =
    [("main", "drop_cr", Kind::Boolean), ("main", "local_scan_path", Kind::Other)];

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows: Vec<Row> = include_str!("options.tsv").lines().filter_map(row).collect();
    rows.extend(GONE);
    rows.sort_unstable_by_key(|(place, name, _)| (*place, *name));
    rows
});

fn row(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let (place, name, kind) = (columns.next()?, columns.next()?, columns.next()?);
    let kind = match kind {
        "boolean" | "bool" => Kind::Boolean,
        "integer" => Kind::Integer,
        _ => Kind::Other,
    };
    Some((place, name, kind))
}

/// All options, sorted.
pub(crate) fn all() -> &'static [Row] {
    &TABLE
}

/// The name of a main option, and how its value is read; `None` where there is
/// none such.
pub(crate) fn main(name: &[u8]) -> Option<(&'static str, Kind)> {
    let table = all();
    let found = table.binary_search_by(|(place, own, _)| {
        (place.as_bytes(), own.as_bytes()).cmp(&(b"main".as_slice(), name))
    });
    found.ok().map(|index| (table[index].1, table[index].2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_options_have_their_types() {
        let kind = |name: &[u8]| main(name).map(|(_, kind)| kind);
        assert_eq!(kind(b"primary_hostname"), Some(Kind::Other));
        assert_eq!(kind(b"print_topbitchars"), Some(Kind::Boolean));
        assert_eq!(kind(b"message_body_visible"), Some(Kind::Integer));
        assert_eq!(kind(b"drop_cr"), Some(Kind::Boolean));
        assert_eq!(main(b"transport"), None);
    }
}
