//! What could have been meant by a name that nobody knows.

use eximious::{Registry, check};

use crate::words::{self, Kind};

/// The nearest name to one that nobody knows: `unknown condition "eqq"`.
pub fn meant(registry: &Registry, message: &str) -> Option<&'static str> {
    let (head, rest) = message.strip_prefix("unknown ")?.split_once('"')?;
    let name = rest.split('"').next()?;
    let kinds: &[Kind] = match head {
        head if head.contains("variable") => &[Kind::Variable],
        head if head.contains("condition") => &[Kind::Condition],
        head if head.contains("lookup") => &[Kind::Lookup],
        _ => &[Kind::Operator, Kind::Item],
    };
    let words = kinds.iter().flat_map(|kind| words::of(registry, *kind));
    let names: Vec<&'static str> = words
        .flat_map(|word| std::iter::once(word.meta.name).chain(word.meta.aliases.iter().copied()))
        .collect();
    check::nearest(name, names.into_iter()).first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_by_kind() {
        let registry = eximious::registry();
        for (message, name) in [
            ("unknown expansion operator \"upc\"", Some("uc")),
            ("unknown condition \"eqq\"", Some("eq")),
            ("unknown variable name \"sender_adress\"", Some("sender_address")),
            ("unknown variable name \"zzzzzz\"", None),
            ("bad \"x\"", None),
        ] {
            assert_eq!(meant(&registry, message), name, "{message}");
        }
    }
}
